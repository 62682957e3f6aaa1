"""What a store says about money is measured at the network's own books: nothing it makes up is paid."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Invalid, Refused
from config.ids import NETWORK
from config.nodes import facts
from config.nodes.journal import Context
from config.nodes.outbox import Message
from pos.stock import consignment_stock
from supply.money import consignment, ledger
from supply.money.ledger import balances
from supply.network.claims import handling
from supply.network.offers import offer_results
from supply.network.warehouse import returns
from supply.orders import claims as delivery_claims
from supply.orders import orders
from supply.orders.claims import Claim, ClaimLine
from supply.orders.deliveries import Delivery
from supply.orders.network_offers import NetworkOffer, NetworkOfferTerms
from supply.orders.orders import ReplenishmentOrder
from tests.supply.network.test_claims import BREAD_MINOR, CLAIM, decide, deliver_bread, file, states
from tests.supply.receiving.test_consignment import OFFER, bring, close, heard, lots, sell
from tests.supply.road import AT, DAY, FARM, KEEPER, OPERATOR, VAN, Country, later, make_country


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


UNSAID = {
    "claim.filed": {
        "granted_minor": 0, "round": 1, "remedy": "", "answer": "", "answered_by": "", "contest": "",
        "answered_at": None, "contested_at": None,
    },
    "return.sent": {"received_by": "", "words": ""},
    "consigned.reported": {
        "sku": "bread", "name": "Bread", "owner": "network", "supplier_id": VAN, "pack_qty": 6, "pack_cost_minor": 0,
    },
}  # fmt: skip
"""What a store says beside it."""


def say(country: Country, topic: str, body: dict) -> None:
    """Let the network take what store S1 says, as if it had come by the wire."""
    with country.network.write() as session:
        body = UNSAID.get(topic, {}) | body
        message = Message(id="m", n=1, topic=topic, version=1, made_at="", business_day="", body=body, hash="")
        facts.apply(session, message, "S1", AT)


def book(country: Country) -> dict[str, int]:
    with country.network.read() as session:
        return {name: minor for name, minor in balances(session, "S1").items() if minor}


def test_an_offer_a_shop_made_up_promises_nothing_costs_the_list_and_is_not_loaded(country):
    reported = {
        "store_id": "S1", "network_offer_id": "made-up", "supplier_id": VAN, "sku": "bread", "name": "x", "pack_qty": 6,
        "pack_cost_minor": 0, "packs": 1, "why": "x", "state": "accepted", "offered_at": AT.isoformat(),
        "answer_by": DAY.isoformat(), "return_until": None, "answered_why": "",
        "terms": {"kind": "new", "slot_fee_minor": 100_000_000},
    }  # fmt: skip
    say(country, "network_offer.answered", reported)
    country.load()
    with country.network.read() as session:
        assert session.get_one(NetworkOffer, ("S1", "made-up")).state == "accepted"
        assert session.scalar(sa.select(sa.func.count()).select_from(Delivery)) == 0
    line = {"sku": "bread", "name": "x", "pack_qty": 6, "advised_qty": 6, "counted_qty": 6, "difference_why": ""}
    closed = {
        "store_id": "S1",
        "delivery_id": "made-up-d",
        "supplier_id": VAN,
        "order_id": None,
        "network_offer_id": "made-up",
        "state": "posted",
        "expected_day": DAY.isoformat(),
        "advised_at": AT.isoformat(),
        "posted_at": AT.isoformat(),
        "posted_by": "x",
        "lines": [line],
    }
    say(country, "delivery.posted", closed)
    assert book(country) == {"invoiced": 6 * BREAD_MINOR, "goods": -6 * BREAD_MINOR}
    with country.network.write() as session, pytest.raises(Refused, match="everything charged"):
        ledger.given(Context(session, OPERATOR, AT), "S1", "care", 901, why="x", id="too-much")


@pytest.mark.parametrize(("claimed", "care"), [(12, 0), (5, 7 * BREAD_MINOR), (0, 12 * BREAD_MINOR)])
def test_units_a_claim_was_granted_for_are_not_paid_again_as_unsold(country, claimed, care):
    terms = NetworkOfferTerms("near_expiry", DAY + dt.timedelta(days=3), 0, 0, 0, 10_000, 10_000)
    bring(country, until=None, terms=terms)
    with country.network.read() as session:
        (delivery,) = session.scalars(sa.select(Delivery.id)).all()
    if claimed:
        file(country, delivery, ("bread", "expired", claimed))
        country.deliver()
        decide(country, {("bread", "expired"): claimed})
    with country.network.write() as session:
        heard(session, 9)
        offer_results.look_after(Context(session, OPERATOR, later(days=10)))
    assert book(country).get("care", 0) == care
    assert ledger.owed(book(country) | dict.fromkeys(set(ledger.OWN) - set(book(country)), 0)) == 0


IN_YEARS = later(days=3_650)
STORY = {
    "store_id": "S1", "edition": int(IN_YEARS.timestamp() * 1000), "product": {"sku": "S1-x"}, "producer": "P",
    "kind": "farm", "place": "", "story": "", "lot_code": "", "harvested_on": None, "pictures": [],
    "tax_class": {"id": "x", "name": "X", "rate_bp": 500, "inclusive": True},
}  # fmt: skip
WORDS = {"store_id": "S1", "order_id": "o", "sku": "bread", "words": "Thanks", "at": IN_YEARS.isoformat()}
PART = {"store_id": "S1", "from_day": str(DAY), "until_day": None, "reported_at": IN_YEARS.isoformat()}


@pytest.mark.parametrize(
    ("topic", "body"), [("points.part", PART), ("review.answered", WORDS), ("produce.reported", STORY)]
)
def test_no_word_that_a_newer_one_replaces_comes_from_a_day_to_come(country, topic, body):
    with pytest.raises(Invalid, match="Check the store's clock"):
        say(country, topic, body)


def test_a_unit_that_came_is_claimed_for_one_reason_only(country):
    delivery = deliver_bread(country, counted=14, why="Extra")
    with pytest.raises(Refused, match="14 arrived, so you can claim up to 14"):
        file(country, delivery, ("bread", "over", 2), ("bread", "damaged", 14))
    file(country, delivery, ("bread", "over", 2), id="claim-over")
    with pytest.raises(Refused, match="12 arrived"):
        file(country, delivery, ("bread", "damaged", 13))
    file(country, delivery, ("bread", "damaged", 12))


def test_of_goods_on_sale_or_return_no_more_goes_back_than_is_left_of_them(country):
    bring(country)
    with country.stores["S1"].write() as session:
        consignment.propose_now(Context(session, KEEPER["S1"], AT), "S1", OFFER)
    sell(country, 4, "sale-0001")
    deliver_bread(country)
    with country.stores["S1"].write() as session, pytest.raises(Invalid, match="0 to 8"):
        returns.send(Context(session, KEEPER["S1"], AT), "S1", OFFER, {"bread": 12})
    with country.stores["S1"].write() as session:
        returns.send(Context(session, KEEPER["S1"], AT), "S1", OFFER, {})
    assert country.level("S1", "S1", "bread").on_hand == 12
    assert lots(country)[0] == (0, 4, 8, 0)


def rogue_claim(delivery: str, id: str = CLAIM, **line) -> dict:
    reported = {"sku": "bread", "kind": "damaged", "name": "Bread", "qty": 2, "pack_qty": 0, "pack_cost_minor": 300_000}
    return {
        "store_id": "S1", "id": id, "claim_no": 1, "supplier_id": VAN, "delivery_id": delivery, "wish": "money",
        "words": "", "late": False, "filed_by": "x", "photos": 0, "claimed_minor": 100, "state": "filed",
        "filed_at": AT.isoformat(), "lines": [reported | {"charged": True, "granted_qty": None} | line],
    }  # fmt: skip


def test_a_claim_is_priced_and_bounded_by_the_network_s_own_delivery(country):
    delivery = deliver_bread(country)
    with pytest.raises(Refused, match="The network has no delivery"):
        say(country, "claim.filed", rogue_claim("no-such-delivery"))
    for bad in ({"qty": 0}, {"qty": True}, {"kind": "stolen"}):
        with pytest.raises(Invalid, match=r"can't claim|“qty” is not valid"):
            say(country, "claim.filed", rogue_claim(delivery, **bad))
    for line in ({"kind": "short"}, {"qty": 20}, {"sku": "tea"}):
        say(country, "claim.filed", rogue_claim(delivery, **line))
        key = line.get("sku", "bread"), line.get("kind", "damaged")
        with pytest.raises(Refused, match=r"up to|only 0 missing"):
            decide(country, {key: line.get("qty", 2)})
        with country.network.write() as session:
            session.execute(sa.delete(ClaimLine))
            session.execute(sa.delete(Claim))
    say(country, "claim.filed", rogue_claim(delivery))
    decide(country, {("bread", "damaged"): 2})
    assert book(country)["returns"] == 2 * BREAD_MINOR


def test_goods_nobody_asked_for_are_not_expected_back_and_those_on_sale_or_return_not_credited(country):
    bring(country)
    line = {"sku": "bread", "name": "Bread", "pack_qty": 1, "pack_cost_minor": 2_000, "charged": True, "qty": 1,
            "sent_qty": 1, "received_qty": None, "fit_qty": None}  # fmt: skip
    reported = {"store_id": "S1", "supplier_id": VAN, "sent_by": "x", "received_by": "", "words": "", "lines": [line],
            "send_by": DAY.isoformat(), "sent_at": AT.isoformat()}  # fmt: skip
    for source in ("network_offer", "claim"):
        with pytest.raises(Refused, match="cannot return"):
            say(country, "return.sent", reported | {"id": "made-up", "source": source})
    say(country, "return.sent", reported | {"id": OFFER, "source": "network_offer"})
    with country.network.write() as session:
        returns.receive(Context(session, OPERATOR, AT), "S1", OFFER, {"bread": (1, 1)})
    assert "returns" not in book(country)


def test_goods_on_sale_or_return_cost_what_the_offer_says_and_their_units_only_go(country):
    bring(country)
    reported = {
        "store_id": "S1", "id": OFFER, "sku": "bread", "name": "Bread", "owner": "network", "supplier_id": VAN,
        "pack_qty": 6, "pack_cost_minor": 0, "came_qty": 12, "left_qty": 7, "sold_qty": 5, "back_qty": 0,
        "bought_qty": 0, "came_at": AT.isoformat(), "until": DAY.isoformat(),
    }  # fmt: skip
    say(country, "consigned.reported", reported)
    assert book(country)["goods"] == -5 * BREAD_MINOR
    for lie in (
        {"id": "made-up"},
        {"came_qty": 6, "left_qty": 0, "sold_qty": 6},
        {"left_qty": 0},
        {"left_qty": 6, "sold_qty": 7, "back_qty": -1},
        {"left_qty": 0, "sold_qty": 0, "back_qty": 12},
    ):
        with pytest.raises((Invalid, Refused)):
            say(country, "consigned.reported", reported | lie)
    assert lots(country)[1] == (7, 5, 0, 0)


def test_the_latest_answers_are_listed_and_only_due_replacements_are_loaded(country):
    delivery = deliver_bread(country)
    for n in range(3):
        file(country, delivery, ("bread", "wrong", 1), id=f"claim-{n}", at=later(minutes=n))
    country.deliver()
    with country.network.write() as session:
        for hours, n, remedy in ((1, 2, "return"), (2, 0, "replacement"), (3, 1, "return")):
            handling.decide(
                Context(session, OPERATOR, later(hours=hours)),
                "S1",
                f"claim-{n}",
                {("bread", "wrong"): 1},
                remedy=remedy,
            )
    with country.network.read() as session:
        assert {one.id for one in session.scalars(delivery_claims.answered())} == {"claim-0", "claim-1", "claim-2"}
        assert [one.id for one in delivery_claims.replacements_due(session)] == ["claim-0"]
    country.load()
    with country.network.read() as session:
        assert delivery_claims.replacements_due(session) == []


def look_after(country: Country, days: int) -> None:
    with country.network.write() as session:
        returns.end_overdue(Context(session, OPERATOR, later(days=days)))
    country.deliver(at=later(days=days))


def test_units_told_as_gone_back_are_charged_where_the_warehouse_never_counted_them(country):
    """Rule 6 of `consignment`: a store sold all twelve, and tells that seven of them went back."""
    bring(country)
    reported = {
        "store_id": "S1", "id": OFFER, "came_qty": 12, "left_qty": 0, "sold_qty": 5, "back_qty": 7, "bought_qty": 0,
        "came_at": AT.isoformat(), "until": (DAY + dt.timedelta(days=900)).isoformat(),
    }  # fmt: skip
    say(country, "consigned.reported", reported)
    line = {"sku": "bread", "name": "Bread", "pack_qty": 6, "pack_cost_minor": 0, "charged": False, "qty": 7,
            "sent_qty": 7, "received_qty": None, "fit_qty": None}  # fmt: skip
    sent = {
        "store_id": "S1",
        "id": OFFER,
        "source": "network_offer",
        "supplier_id": VAN,
        "sent_by": "x",
        "lines": [line],
        "send_by": DAY.isoformat(),
        "sent_at": AT.isoformat(),
    }
    say(country, "return.sent", sent)
    for days, units in ((37, 5), (38, 12), (39, 12)):
        look_after(country, days)
        assert book(country)["goods"] == -units * BREAD_MINOR, f"after {days} days"
    with country.network.write() as session:
        counts = {"bread": (4, 4)}
        returns.receive(Context(session, OPERATOR, later(days=40)), "S1", OFFER, counts, words="Three lack")
    look_after(country, 41)
    say(country, "consigned.reported", reported)
    assert book(country)["goods"] + book(country)["returns"] == -8 * BREAD_MINOR, "five sold, three that never came"
    with country.network.read() as session:
        assert consignment_stock.findings(session, NETWORK) == []


def test_of_a_lot_s_claims_what_was_granted_counts_as_gone_and_what_was_to_come_only_when_it_came(country):
    bring(country)
    with country.network.read() as session:
        (delivery,) = session.scalars(sa.select(Delivery.id)).all()
    file(country, delivery, ("bread", "damaged", 2), ("bread", "wrong", 3))
    country.deliver()
    decide(country, {("bread", "damaged"): 2, ("bread", "wrong"): 3}, remedy="return")
    country.deliver()
    assert lots(country)[1] == (7, 0, 5, 0)
    close(country, later(days=40))
    look_after(country, 41)
    assert states(country) == ("forfeited", "forfeited")
    assert book(country)["goods"] == -10 * BREAD_MINOR, "the two broken ones alone are the network's loss"
    assert country.findings() == []


def test_an_order_costs_what_the_network_s_list_says_however_a_shop_packs_it(country):
    """Rule 8 of `orders`: no price of its own, no tiny or huge packs, and no product nobody lists, is believed."""
    why = {"per_day": 5.0, "on_hand": 0, "target": 60}
    line = {"sku": "bread", "name": "x", "pack_qty": 6, "pack_cost_minor": 1, "minimum_packs": 1, "packs_proposed": 2,
            "packs": 2, "changed_why": "", "changed_by": "", "why": why}  # fmt: skip
    reported = {
        "store_id": "S1", "order_id": "cheap", "order_no": 1, "supplier_id": VAN, "order_day": DAY.isoformat(),
        "delivery_day": DAY.isoformat(), "next_delivery_day": later(days=2).date().isoformat(), "cost_minor": 2,
        "proposed_at": AT.isoformat(), "sent_at": AT.isoformat(), "forecast_age_days": 0,
    }  # fmt: skip
    lines = [line, line | {"sku": "milk", "pack_qty": 1, "packs": 12}, line | {"sku": "tea", "pack_qty": 1_000},
             line | {"sku": "caviar"}]  # fmt: skip
    say(country, "order.sent", reported | {"lines": lines})
    say(country, "order.sent", reported | {"lines": lines})
    with country.network.read() as session:
        order = session.get_one(ReplenishmentOrder, ("S1", "cheap"))
        costs = {one.sku: (one.packs, one.pack_cost_minor) for one in orders.lines_of(session, order)}
    assert costs == {"bread": (2, 900), "milk": (12, 92), "tea": (2, 250_000), "caviar": (0, 0)}
    assert order.cost_minor == 2 * 900 + 12 * 92 + 2 * 250_000
    for lie in ({"supplier_id": FARM}, {"supplier_id": "nobody"}, {"lines": [line | {"pack_qty": 0}]},
                {"lines": [line | {"packs": -1}]}, {"lines": [line | {"pack_qty": True}]}):  # fmt: skip
        with pytest.raises((Refused, Invalid)):
            say(country, "order.sent", reported | {"order_id": "lie", "lines": [line]} | lie)
