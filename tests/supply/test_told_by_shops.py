"""What a shop says about money is measured at the network's own books: nothing it makes up is paid."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Invalid, Refused
from config.outbox import Message
from supply import consignment, going_back, push_care, replica, settlement
from supply.push import PushOffer
from supply.push_terms import PushTerms
from supply.receiving import Delivery
from supply.settlement import balances
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, VAN, Country, later, make_country
from tests.supply.test_claims import BREAD_MINOR, decide, deliver_bread, file
from tests.supply.test_consignment import OFFER, bring, lots, sell


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def say(country: Country, topic: str, body: dict) -> None:
    """Let the network take what shop S1 says, as if it had come by the wire."""
    with country.network.write() as session:
        message = Message(id="m", n=1, topic=topic, version=1, made_at="", business_day="", body=body, hash="")
        replica.APPLIERS[topic](session, message, "S1", AT)


def book(country: Country) -> dict[str, int]:
    with country.network.read() as session:
        return {name: minor for name, minor in balances(session, "S1").items() if minor}


def test_an_offer_a_shop_made_up_promises_nothing_costs_the_list_and_is_not_loaded(country):
    told = {
        "store_id": "S1", "push_id": "made-up", "supplier_id": VAN, "sku": "bread", "name": "x", "pack_qty": 6,
        "pack_cost_minor": 0, "packs": 1, "why": "x", "state": "accepted", "offered_at": AT.isoformat(),
        "answer_by": DAY.isoformat(), "return_until": None, "answered_why": "",
        "terms": {"kind": "new", "slot_fee_minor": 100_000_000},
    }  # fmt: skip
    say(country, "push.answered", told)
    country.load()
    with country.network.read() as session:
        assert session.get_one(PushOffer, ("S1", "made-up")).state == "accepted"
        assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 0
    line = {"sku": "bread", "name": "x", "pack_qty": 6, "advised_qty": 6, "counted_qty": 6, "difference_why": ""}
    closed = {
        "store_id": "S1", "delivery_id": "made-up-d", "supplier_id": VAN, "order_id": None, "push_id": "made-up",
        "state": "posted", "expected_day": DAY.isoformat(), "advised_at": AT.isoformat(), "posted_at": AT.isoformat(),
        "posted_by": "x", "lines": [line],
    }  # fmt: skip
    say(country, "delivery.posted", closed)
    assert book(country) == {"invoiced": 6 * BREAD_MINOR, "goods": -6 * BREAD_MINOR}
    with country.network.write() as session, pytest.raises(Refused, match="ever charged"):
        settlement.given(session, "S1", "care", 901, why="x", id="too-much", actor=OPERATOR, at=AT)


@pytest.mark.parametrize(("claimed", "care"), [(12, 0), (5, 7 * BREAD_MINOR), (0, 12 * BREAD_MINOR)])
def test_units_a_claim_was_granted_for_are_not_paid_again_as_unsold(country, claimed, care):
    terms = PushTerms("near_expiry", DAY + dt.timedelta(days=3), 0, 0, 0, 10_000, 10_000)
    bring(country, until=None, terms=terms)
    with country.network.read() as session:
        (delivery,) = session.scalars(sa.select(Delivery.id)).all()
    if claimed:
        file(country, delivery, ("bread", "expired", claimed))
        country.deliver()
        decide(country, {("bread", "expired"): claimed})
    with country.network.write() as session:
        push_care.look_after(session, actor=OPERATOR, at=later(days=10))
    assert book(country).get("care", 0) == care
    assert settlement.owed(book(country) | dict.fromkeys(set(settlement.OWN) - set(book(country)), 0)) == 0


def test_a_unit_that_came_is_claimed_for_one_reason_only(country):
    delivery = deliver_bread(country, counted=14, why="Extra")
    with pytest.raises(Refused, match="14 came in"):
        file(country, delivery, ("bread", "over", 2), ("bread", "damaged", 14))
    file(country, delivery, ("bread", "over", 2), id="claim-over")
    with pytest.raises(Refused, match="12 came in"):
        file(country, delivery, ("bread", "damaged", 13))
    file(country, delivery, ("bread", "damaged", 12))


def test_of_goods_on_sale_or_return_no_more_goes_back_than_is_left_of_them(country):
    bring(country)
    with country.shops["S1"].write() as session:
        consignment.propose_now(session, "S1", OFFER, actor=KEEPER["S1"], at=AT)
    sell(country, 4, "sale-0001")
    deliver_bread(country)
    with country.shops["S1"].write() as session, pytest.raises(Invalid, match="0 to 8"):
        going_back.send(session, "S1", OFFER, {"bread": 12}, actor=KEEPER["S1"], at=AT)
    with country.shops["S1"].write() as session:
        going_back.send(session, "S1", OFFER, {}, actor=KEEPER["S1"], at=AT)
    assert country.level("S1", "S1", "bread").on_hand == 12
    assert lots(country)[0] == (0, 4, 8, 0)
