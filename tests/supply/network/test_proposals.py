"""Proposals to list or delist a product: asked, answered yes, no or later, and nothing done without a yes."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Conflict, DomainError, Refused
from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from pos.catalogue import assortment
from pos.catalogue.catalogue import Listing, Price
from supply.network.offers import offer_results
from supply.orders import network_offers
from supply.orders.network_offers import NetworkOffer
from supply.replenishment import look
from tests.arriving import hear
from tests.supply.road import AT, KEEPER, OPERATOR, Country, later, make_country

ASKED = "proposal-1"
UNTIL = later(days=14).date()


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def propose(country, kind="delist", sku="tea", at=AT, id=ASKED):
    with country.network.write() as session:
        return network_offers.propose(Context(session, OPERATOR, at), "S1", kind, sku, "It stands still", UNTIL, id=id)


def answer(country, verb, at=AT, **wishes):
    with country.stores["S1"].write() as session:
        return getattr(network_offers, verb)(Context(session, KEEPER["S1"], at), "S1", ASKED, **wishes)


def states(country) -> tuple[str, str]:
    found = []
    for database in (country.stores["S1"], country.network):
        with database.read() as session:
            found.append(session.get_one(NetworkOffer, ("S1", ASKED)).state)
    return found[0], found[1]


def listing(country, sku="tea") -> tuple[bool, bool] | None:
    with country.stores["S1"].read() as session:
        row = session.get(Listing, ("S1", sku))
        return (row.active, row.ordered) if row else None


def orderable(country) -> set[str]:
    with country.stores["S1"].read() as session:
        return set(look.look(session, "S1", at=AT).articles)


@pytest.mark.parametrize("seed", range(3))
def test_a_yes_to_delist_sells_off_what_is_there_orders_no_more_and_is_seen_at_the_network(country, seed):
    propose(country)
    country.deliver(seed=seed)
    assert (listing(country), "tea" in orderable(country)) == ((True, True), True), "nothing changes unasked"
    answer(country, "accept")
    assert (listing(country), "tea" in orderable(country)) == ((True, False), False), "the till sells it on"
    country.deliver(seed=seed)
    assert states(country) == ("agreed", "agreed")
    country.load()
    country.deliver(seed=seed)
    assert country.on_the_way("S1") == {}, "no goods are offered"
    country.reapply()
    assert (states(country), country.findings()) == (("agreed", "agreed"), [])


def test_a_yes_to_list_lets_the_store_sell_and_order_it_where_it_has_a_price(country):
    with country.stores["S1"].write() as session:
        assortment.settle(Context(session, KEEPER["S1"], AT), "S1", "tea", active=False)
        prices = session.scalars(sa.select(Price).where(Price.sku == "tea")).all()
        kept = [(one.from_day, one.price_minor) for one in prices]
        session.execute(sa.delete(Price).where(Price.sku == "tea"))
    propose(country, "list")
    country.deliver()
    with pytest.raises(Refused, match="No price: Green tea"):
        answer(country, "accept")
    assert listing(country) == (False, True)
    with country.stores["S1"].write() as session:
        session.add_all(Price(sku="tea", from_day=day, price_minor=minor) for day, minor in kept)
    answer(country, "accept")
    country.deliver()
    assert (listing(country), states(country)) == ((True, True), ("agreed", "agreed"))
    assert "tea" in orderable(country)


def test_later_waits_for_the_answer_and_counts_as_waiting_again_on_the_last_day(country):
    def waiting(day: dt.date) -> int:
        with country.stores["S1"].read() as session:
            count = sa.select(sa.func.count()).select_from(NetworkOffer).where(network_offers.waits("S1", day))
            return session.scalar(count)

    propose(country)
    country.deliver()
    answer(country, "postpone")
    answer(country, "postpone", at=later(days=1))
    country.deliver(seed=1)
    assert states(country) == ("postponed", "postponed")
    assert (waiting(later(days=1).date()), waiting(UNTIL)) == (0, 1)
    assert listing(country) == (True, True)
    answer(country, "decline", why="My regulars buy it", at=later(days=2))
    country.deliver(seed=2)
    assert states(country) == ("declined", "declined")


def test_an_answer_is_given_once_and_one_that_is_late_or_repeated_changes_nothing(country):
    propose(country)
    country.deliver()
    with pytest.raises(Refused, match="was due by"):
        answer(country, "accept", at=later(days=15))
    assert (listing(country), states(country)) == ((True, True), ("offered", "offered"))
    answer(country, "decline", why="No")
    for verb, more in (("accept", {}), ("postpone", {}), ("decline", {"why": "No"})):
        with pytest.raises(Conflict, match="already declined"):
            answer(country, verb, **more)
    country.deliver()
    with country.stores["S1"].read() as session:
        said = session.scalar(sa.select(OutboxMessage.body).where(OutboxMessage.topic == "network_offer.answered"))
    body = said if isinstance(said, dict) else __import__("json").loads(said)
    for state in ("agreed", "postponed", "declined"):
        with country.network.write() as session:
            hear(session, "network_offer.answered", body | {"state": state})
    assert (listing(country), states(country)) == ((True, True), ("declined", "declined"))


def test_one_nobody_answers_lapses_and_a_withdrawn_one_is_gone(country):
    propose(country)
    country.deliver()
    answer(country, "postpone")
    with country.stores["S1"].write() as session:
        assert len(network_offers.expire_due(Context(session, KEEPER["S1"], later(days=15)), "S1")) == 1
    country.deliver()
    assert (states(country), listing(country)) == (("expired", "expired"), (True, True))


def test_a_store_has_one_open_proposal_of_a_product_and_rest_after_a_no(country):
    made = propose(country)
    assert propose(country).id == made.id, "a second click"
    with pytest.raises(Conflict, match="has not yet responded"):
        propose(country, "list", id="another")
    country.deliver()
    answer(country, "decline", why="No")
    country.deliver()
    with pytest.raises(Refused, match="recently declined"):
        propose(country, id="another", at=later(days=10))
    with country.network.write() as session:
        ctx = Context(session, OPERATOR, later(days=60))
        again = network_offers.propose(ctx, "S1", "delist", "tea", "Still", later(days=70).date(), id="another")
        assert again.state == "offered"


def test_neither_goods_nor_a_proposal_can_be_answered_as_the_other(country):
    propose(country)
    country.deliver()
    with country.network.read() as session:
        row = session.get_one(NetworkOffer, ("S1", ASKED))
        kind = network_offers.NetworkOfferAnswered
        body = kind.of_row(row, network_offer_id=row.id).to_body()
        assert offer_results.summaries(session) == [], "offers of goods have a page of their own"
    with country.network.write() as session, pytest.raises(DomainError, match="cannot set an offer to accepted"):
        hear(session, "network_offer.answered", body | {"state": "accepted", "packs": 5})


def test_every_state_is_reached_and_ends():
    assert network_offers.STATES.validate() == []
