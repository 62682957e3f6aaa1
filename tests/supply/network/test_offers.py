"""Offers of the network: nothing comes without the shopkeeper's yes, and the store's answer is the last word."""

import datetime as dt
import random

import pytest
import sqlalchemy as sa

from config.errors import Conflict, DomainError, NotFound, Refused
from config.nodes import facts
from config.nodes.facts import FACTS
from config.nodes.journal import Context
from config.nodes.outbox import Message, OutboxMessage, to_wire
from pos.catalogue.catalogue import Product
from pos.stock import stock
from supply.orders import network_offers
from supply.orders.network_offers import NetworkOfferTerms, NewOffer
from supply.receiving import receiving
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, WAREHOUSE, Country, later, make_country

OFFER = "push-00001"
ANSWER_BY = later(days=3).date()


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def offer(country, **wishes):
    given = {"sku": "bread", "packs": 2, "why": "It sells around you", "answer_by": ANSWER_BY} | wishes
    with country.network.write() as session:
        return network_offers.offer(Context(session, OPERATOR, AT), "S1", NewOffer(**given), id=OFFER)


def answer(country, verb, at=AT, **wishes):
    with country.stores["S1"].write() as session:
        return getattr(network_offers, verb)(Context(session, KEEPER["S1"], at), "S1", OFFER, **wishes)


def withdraw(country):
    with country.network.write() as session:
        return network_offers.withdraw(Context(session, OPERATOR, AT), "S1", OFFER)


def states(country) -> tuple[str, str]:
    found = []
    for database in (country.stores["S1"], country.network):
        with database.read() as session:
            row = session.get(network_offers.NetworkOffer, ("S1", OFFER))
            found.append(row.state if row else "unknown")
    return found[0], found[1]


@pytest.mark.parametrize("seed", range(4))
def test_an_accepted_offer_comes_as_a_delivery_and_is_received(country, seed):
    offer(country, return_until=later(days=30).date())
    country.deliver(seed=seed)
    with country.stores["S1"].read() as session:
        (found,) = network_offers.open_offers(session, "S1")
        assert (found.name, found.packs, found.pack_qty, found.pack_cost_minor) == ("Rye bread", 2, 6, 900)
    answer(country, "accept")
    country.deliver(seed=seed)
    country.load()
    country.deliver(seed=seed)
    assert states(country) == ("dispatched", "dispatched")
    with country.stores["S1"].read() as session:
        (delivery,) = receiving.expected(session, "S1")
        assert (delivery.network_offer_id, delivery.order_id) == (OFFER, None)
        assert delivery.expected_day == later(days=1).date()
    country.take_in("S1")
    country.deliver(seed=seed)
    assert states(country) == ("received", "received")
    assert country.level("S1", "S1", "bread").on_hand == 12
    assert country.findings() == []


def test_a_declined_offer_brings_nothing_and_the_network_reads_why(country):
    offer(country)
    country.deliver()
    answer(country, "decline", why="No room")
    country.deliver()
    country.load()
    country.deliver()
    assert states(country) == ("declined", "declined")
    assert country.on_the_way("S1") == {}
    with country.network.read() as session:
        assert network_offers.offer_of(session, "S1", OFFER).answered_why == "No room"


def test_an_offer_nobody_answered_expires_after_its_last_day(country):
    offer(country)
    country.deliver()
    for at, expired in ((later(days=3), 0), (later(days=4), 1)):
        with country.stores["S1"].write() as session:
            assert len(network_offers.expire_due(Context(session, KEEPER["S1"], at), "S1")) == expired
    country.deliver()
    assert states(country) == ("expired", "expired")


def test_an_answer_after_the_last_day_is_refused(country):
    offer(country)
    country.deliver()
    with pytest.raises(Refused, match="was due by Mar 5, 2026"):
        answer(country, "accept", at=later(days=4))


def test_an_offer_is_answered_once(country):
    offer(country)
    country.deliver()
    answer(country, "accept")
    for verb, wishes in (("accept", {}), ("decline", {"why": "No"})):
        with pytest.raises(Conflict, match="already accepted"):
            answer(country, verb, **wishes)


def test_a_withdrawn_offer_can_no_longer_be_answered(country):
    offer(country)
    country.deliver()
    withdraw(country)
    country.deliver()
    assert states(country) == ("withdrawn", "withdrawn")
    with pytest.raises(Conflict, match="already withdrawn"):
        answer(country, "accept")


@pytest.mark.parametrize(
    ("verb", "wishes", "state"), [("accept", {}, "accepted"), ("decline", {"why": "No"}, "declined")]
)
def test_an_answer_given_before_the_withdrawal_arrived_stands_at_both_nodes(country, verb, wishes, state):
    offer(country)
    country.deliver()
    withdraw(country)
    answer(country, verb, **wishes)
    country.deliver(seed=3)
    assert states(country) == (state, state)


def test_a_withdrawal_that_overtakes_its_offer_wins(country):
    offer(country)
    withdraw(country)
    for seed in range(6):
        country.deliver(seed=seed)
    assert states(country) == ("withdrawn", "withdrawn")


def test_goods_of_an_offer_sent_back_at_the_door_return_to_the_warehouse(country):
    offer(country)
    country.deliver()
    answer(country, "accept")
    country.deliver()
    country.load()
    country.deliver()
    assert country.level("network", "WH1", "bread").on_hand == 48
    with country.stores["S1"].write() as session:
        receiving.refuse(Context(session, KEEPER["S1"], AT), "S1", country_delivery(session), why="Wet")
    country.deliver(seed=1)
    assert states(country) == ("refused", "refused")
    assert country.level("network", "WH1", "bread").on_hand == 60
    country.reapply()
    assert country.level("network", "WH1", "bread").on_hand == 60
    assert country.findings() == []


def country_delivery(session) -> str:
    (delivery,) = receiving.expected(session, "S1")
    return delivery.id


@pytest.mark.parametrize("seed", range(6))
def test_a_network_without_its_books_learns_an_offer_from_the_shop_in_any_order(country, tmp_path, seed):
    offer(country)
    country.deliver()
    answer(country, "accept")
    country.deliver()
    country.load()
    country.deliver()
    country.take_in("S1")
    with country.stores["S1"].read() as session:
        rows = [Message(**to_wire(row)) for row in session.scalars(sa.select(OutboxMessage)).all()]
    (tmp_path / "fresh").mkdir()
    fresh = make_country(tmp_path / "fresh")
    random.Random(seed).shuffle(rows)
    for message in rows:
        if FACTS[message.topic].SAID_BY == "store":
            with fresh.network.write() as session:
                facts.apply(session, message, "S1", AT)
    with fresh.network.read() as session:
        assert network_offers.offer_of(session, "S1", OFFER).state == "received"


def test_the_same_offer_twice_is_one_and_with_another_content_a_conflict(country):
    offer(country)
    offer(country)
    with pytest.raises(Conflict, match="different content"):
        offer(country, packs=3)
    country.deliver()
    with country.stores["S1"].read() as session:
        assert len(network_offers.open_offers(session, "S1")) == 1


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"packs": 0}, "bad-quantity"),
        ({"packs": True}, "bad-quantity"),
        ({"packs": 1000}, "bad-quantity"),
        ({"why": "  "}, "no-reason"),
        ({"answer_by": later(days=-1).date()}, "bad-day"),
        ({"return_until": DAY}, "bad-day"),
        ({"sku": "nothing"}, "not-carried"),
    ],
)
def test_a_bad_offer_is_refused_with_a_sentence(country, wishes, code):
    with pytest.raises(DomainError) as refusal:
        offer(country, **wishes)
    assert refusal.value.code == code
    assert refusal.value.message.endswith(".")


def test_a_product_only_an_own_supplier_has_is_not_offered(country):
    with country.network.write() as session:
        session.add(
            Product(
                sku="soap",
                name="Soap",
                category="Care",
                stock_unit="each",
                price_quantity=1,
                tax_class_id="std",
                search_text="soap",
            )
        )
    with pytest.raises(Refused, match="does not carry soap"):
        offer(country, sku="soap")


def test_an_offer_to_another_shop_is_not_found_here(country):
    offer(country)
    country.deliver()
    with country.stores["S2"].write() as session, pytest.raises(NotFound, match="Offer not found"):
        network_offers.accept(Context(session, KEEPER["S2"], AT), "S2", OFFER)


def test_a_shop_does_not_speak_for_another_nor_a_shop_for_the_network(country):
    offer(country)
    country.deliver()
    answer(country, "accept")
    with country.stores["S1"].read() as session:
        reported = [Message(**to_wire(row)) for row in session.scalars(sa.select(OutboxMessage)).all()]
    with country.network.read() as session:
        reported += [Message(**to_wire(row)) for row in session.scalars(sa.select(OutboxMessage)).all()]
    for message in reported:
        if message.topic in FACTS:
            with country.network.write() as session, pytest.raises(Refused, match="only"):
                facts.apply(session, message, "S2", AT)


# --- what is not there any more ---


def accepted(country, **wishes) -> None:
    offer(country, **{"sku": "tea"} | wishes)
    country.deliver()
    answer(country, "accept")
    country.deliver()


def waste(country, qty: int) -> None:
    with country.network.write() as session:
        stock.waste(Context(session, OPERATOR, AT), WAREHOUSE, "tea", qty)


def filled(country, at) -> int:
    """Return how many packs of tea another order gets."""
    order = country.order("S1", {"tea": 1}, required_qty=10, at=at)
    country.deliver(at=at)
    country.fill(at)
    return country.lines("network", "S1", order)["tea"].packs_acknowledged


def test_of_an_accepted_offer_is_loaded_what_is_there_and_nothing_is_kept_back_for_the_rest(country):
    accepted(country)
    waste(country, 1)  # 19 are left, two packs of ten were accepted
    country.load()
    country.deliver(seed=2)
    assert country.on_the_way("S1") == {"tea": 10}
    country.take_in("S1")
    country.deliver()
    assert states(country) == ("received", "received")
    with country.network.write() as session:
        stock.receive(Context(session, OPERATOR, AT), WAREHOUSE, [("tea", 1)], source_kind="purchase", source_id="one")
    assert filled(country, AT) == 1
    assert country.findings() == []


@pytest.mark.parametrize("terms", [NetworkOfferTerms(), NetworkOfferTerms("near_expiry", ANSWER_BY)])
def test_an_accepted_offer_of_which_nothing_is_there_is_called_off_in_its_time_and_the_shop_is_told(country, terms):
    accepted(country, terms=terms)
    waste(country, 20)
    last = ANSWER_BY if terms.kind == "near_expiry" else ANSWER_BY + dt.timedelta(days=network_offers.LOAD_DAYS)
    day = AT + (last - DAY)
    country.load(at=day)
    country.deliver(at=day)
    assert states(country) == ("accepted", "accepted")
    day += dt.timedelta(days=1)
    country.load(at=day)
    country.deliver(seed=5, at=day)
    assert states(country) == ("called_off", "called_off")
    assert country.on_the_way("S1", day) == {}
    with country.stores["S1"].read() as session:
        assert [one.answered_why for one in network_offers.not_coming(session, "S1", day.date())] == [""]
    country.reapply()
    assert states(country) == ("called_off", "called_off")
    with country.network.write() as session:
        stock.receive(Context(session, OPERATOR, day), WAREHOUSE, [("tea", 10)], source_kind="purchase", source_id="x")
    assert filled(country, day) == 1


def test_the_operator_calls_accepted_goods_off_with_a_reason_the_shop_reads(country):
    accepted(country)
    with country.network.write() as session, pytest.raises(DomainError, match="why it is not coming"):
        network_offers.call_off(Context(session, OPERATOR, AT), "S1", OFFER, why=" ")
    with country.network.write() as session:
        network_offers.call_off(Context(session, OPERATOR, AT), "S1", OFFER, why="It leaks")
    with country.network.write() as session, pytest.raises(Conflict, match="and cannot be canceled"):
        network_offers.call_off(Context(session, OPERATOR, AT), "S1", OFFER, why="It leaks")
    country.deliver()
    with country.stores["S1"].read() as session:
        assert [one.answered_why for one in network_offers.not_coming(session, "S1", DAY)] == ["It leaks"]
    assert country.load() == []
    assert filled(country, AT) == 1


def test_an_accepted_offer_nobody_loads_holds_no_proposal_back_for_ever(country):
    offer(country, sku="tea")
    country.deliver()
    answer(country, "accept")  # and the network never hears of it
    days = 3 + network_offers.LOAD_DAYS + 2
    assert country.on_the_way("S1", later(days=days)) == {"tea": 20}
    assert country.on_the_way("S1", later(days=days + 1)) == {}
