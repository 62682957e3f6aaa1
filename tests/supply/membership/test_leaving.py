"""A store is let go once nothing is open at either node; until the network has answered it may stay."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Refused
from config.ids import NETWORK
from config.nodes import signing_keys
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Actor, Context
from config.nodes.node import Peer
from config.nodes.signing import Signer
from pos.catalogue.catalogue import Product
from pos.store import joining
from pos.store.store import Store, give_key, keys_of
from supply.membership import leaving
from supply.membership.leaving import Departure, LeaveAnswered, LeaveSaid
from supply.money import ledger
from supply.money.held_payments import Escrow
from supply.online.orders import PickupOrder
from supply.online.storefront import availability, storefront
from supply.orders import network_offers
from supply.orders.network_offers import NewOffer
from supply.orders.suppliers import Supplier
from supply.orders.transfers import Transfer
from tests.arriving import hear
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, Country, make_country

S1 = "S1"


@pytest.fixture
def country(tmp_path) -> Country:
    """Give a network and two stores, of which the first has a key, a signing key and an online store."""
    country = make_country(tmp_path)
    with country.network.write() as session:
        give_key(session, S1, AT)
        signing_keys.hear(Context(session, Actor.system("sync", NETWORK), AT), S1, Signer.make().public)
        storefront.front_of(session, S1).edition = 1
        session.add(Peer(id=S1, epoch="e", nonce="n", heard_at=AT))
    return country


def ask(country: Country) -> str:
    with country.stores[S1].write() as session:
        return leaving.ask(Context(session, KEEPER[S1], AT), S1).id


def call_off(country: Country) -> None:
    with country.stores[S1].write() as session:
        leaving.call_off(Context(session, KEEPER[S1], AT), S1)


def states(country: Country) -> tuple[str, str]:
    """Return how the newest request stands at the store and at the network."""
    found = []
    for database in (country.stores[S1], country.network):
        with database.read() as session:
            row = leaving.last(session, S1)
            found.append(row.state if row else "")
    return found[0], found[1]


def at_the_network(country: Country) -> tuple[dt.date | None, bool, bool, int, list[str]]:
    """Return the day it left, whether it is served, whether its online store is open, its keys, its signing keys."""
    with country.network.read() as session:
        store, is_open = session.get_one(Store, S1), availability.is_taking_orders(session, S1, AT)
        keys = sum(key.revoked_at is None for key in keys_of(session, S1))
        signs = [key.state for key in signing_keys.of(session, S1)]
        return store.left_on, store.has_node, is_open, keys, signs


MEMBER, GONE = (None, True, True, 1, ["good"]), (DAY, False, False, 0, ["withdrawn"])


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_store_without_open_matters_is_let_go_and_its_keys_end_once_it_has_heard_so(country, seed):
    ask(country)
    country.carry(S1)
    assert states(country) == ("asked", "granted")
    assert at_the_network(country) == (DAY, False, False, 1, ["good"]), "it has yet to hear the answer"
    country.deliver(seed=seed)
    assert states(country) == ("granted", "left")
    assert at_the_network(country) == GONE
    with country.network.read() as session:
        assert session.get_one(Store, "S2").left_on is None
    before = country.rows()
    country.reapply()
    assert country.rows() == before


def test_on_its_own_the_store_keeps_its_products_and_orders_from_nobody_of_the_network(country):
    ask(country)
    country.deliver()
    with country.stores[S1].write() as session:
        ctx = Context(session, Actor.system("leave", S1), AT)
        leaving.go(ctx, S1)
        leaving.go(ctx, S1)
    with country.stores[S1].read() as session:
        assert leaving.has_left(session, S1)
        assert set(session.scalars(sa.select(Product.owner_id))) == {S1}
        active = dict(session.execute(sa.select(Supplier.kind, Supplier.active)).all())
        assert active == {"network": False, "own": True}
    with country.stores[S1].write() as session:
        leaving.come_back(Context(session, KEEPER[S1], AT), S1)
        assert not leaving.has_left(session, S1)


def test_what_is_open_at_the_store_is_named_and_nothing_is_asked(country):
    country.order(S1, {"milk": 2})
    with pytest.raises(Refused) as refusal:
        ask(country)
    assert refusal.value.facts["kinds"] == ["orders"]
    country.send_out()
    with country.stores[S1].read() as session:
        assert [one.kind for one in leaving.still_open(session, S1)] == ["orders", "deliveries"]
    country.take_in(S1)
    country.deliver()
    for database in (country.stores[S1], country.network):
        with database.read() as session:
            (owed,) = leaving.still_open(session, S1)
            assert (owed.kind, owed.amount_minor) == ("owed", 2200), "the store has the network's copy of the account"
    with country.network.write() as session:
        ledger.money_in(Context(session, OPERATOR, AT), S1, 2500, reference="bank", id="paid")
    country.deliver()
    with country.stores[S1].read() as session:
        (left,) = leaving.still_open(session, S1)
        assert (left.kind, left.amount_minor) == ("funds", 300)


def _held(session, _store_id):
    session.add(
        Escrow(id="e1", store_id=S1, purpose="pickup", amount_minor=500, currency="EUR", provider="practice",
               state="held", opened_at=AT, pay_by=AT)
    )  # fmt: skip


def _transfer(session, _store_id):
    session.add(
        Transfer(id="t1", giver_id="S2", taker_id=S1, giver_name="2", taker_name="1", metres=1, state="handed_over",
                 proposed_at=AT, answer_by=DAY, fetch_by=DAY)
    )  # fmt: skip


def _set_aside(session, store_id):
    session.add(
        InboxMessage(id="m1", from_node=store_id, epoch="e", n=9, topic="sale.completed", version=1, body="{}",
                     hash="h", made_at="2026-03-02", business_day="2026-03-02", state="parked",
                     reason="odd: x", received_at=AT)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lay_in", "kind", "settled"),
    [
        (_held, "escrow", lambda session: setattr(session.get_one(Escrow, "e1"), "state", "settled")),
        (_transfer, "transfers", lambda session: setattr(session.get_one(Transfer, "t1"), "state", "received")),
        (_set_aside, "messages", lambda session: setattr(session.get_one(InboxMessage, (S1, "m1")), "state", "taken")),
    ],
)
def test_what_only_the_network_knows_to_be_open_keeps_the_store_until_it_is_settled(country, lay_in, kind, settled):
    with country.network.write() as session:
        lay_in(session, S1)
    ask(country)
    country.deliver()
    assert states(country) == ("refused", "refused")
    assert at_the_network(country) == MEMBER
    with country.stores[S1].read() as session:
        assert [one["kind"] for one in leaving.last(session, S1).still_open] == [kind]
    with country.network.write() as session:
        settled(session)
    ask(country)
    country.deliver()
    assert states(country) == ("granted", "left")


def test_what_another_store_has_open_keeps_nobody(country):
    country.order("S2", {"milk": 1})
    country.deliver()
    ask(country)
    country.deliver()
    assert at_the_network(country) == GONE


def test_called_off_before_the_answer_the_store_stays(country):
    first = ask(country)
    assert ask(country) == first, "a second press asks nothing more"
    call_off(country)
    country.deliver(seed=1)
    assert states(country) == ("called_off", "called_off")
    assert at_the_network(country) == MEMBER


def test_called_off_while_the_answer_was_on_its_way_the_store_stays_with_its_keys(country):
    ask(country)
    country.carry(S1)
    call_off(country)
    country.deliver()
    assert states(country) == ("called_off", "called_off")
    assert at_the_network(country) == MEMBER


def test_once_it_was_let_go_it_is_too_late_to_stay(country):
    ask(country)
    country.deliver()
    with pytest.raises(Conflict, match="has already released this store"):
        call_off(country)


def word(said: str, id: str = "d1") -> LeaveSaid:
    return LeaveSaid(S1, id, said, "Wei", AT)


@pytest.mark.parametrize("order", [("ask", "stay"), ("stay", "ask")])
def test_in_whatever_order_its_words_come_a_store_that_stays_is_kept(country, order):
    for said in (*order, *order):
        with country.network.write() as session:
            leaving.take_word(Context(session, OPERATOR, AT), word(said))
    assert at_the_network(country) == MEMBER


def test_a_store_that_says_it_heard_what_nobody_said_loses_no_key(country):
    with country.network.write() as session:
        leaving.take_word(Context(session, OPERATOR, AT), word("heard"))
    assert at_the_network(country) == MEMBER


def test_offers_that_nobody_answered_are_withdrawn_and_accepted_ones_keep_the_store(country):
    with country.network.write() as session:
        for offer_id in ("o1", "o2"):
            network_offers.offer(Context(session, OPERATOR, AT), S1, NewOffer("milk", 1, "new", DAY), id=offer_id)
    country.deliver()
    with country.stores[S1].write() as session:
        network_offers.accept(Context(session, KEEPER[S1], AT), S1, "o2")
        assert [one.kind for one in leaving.still_open(session, S1)] == ["offers"]
        network_offers.offer_of(session, S1, "o2").state = "received"
    ask(country)
    country.deliver()
    assert states(country) == ("refused", "refused")
    with country.network.write() as session:
        assert network_offers.offer_of(session, S1, "o1").state == "offered"
        network_offers.offer_of(session, S1, "o2").state = "received"
    ask(country)
    country.carry(S1)
    with country.network.read() as session:
        assert network_offers.offer_of(session, S1, "o1").state == "withdrawn"


def test_a_store_put_back_from_an_older_copy_knows_again_what_it_asked(country):
    with country.stores[S1].write() as session:
        ctx = Context(session, KEEPER[S1], AT)
        leaving.recover(ctx, word("ask"))
        leaving.recover(ctx, word("ask"))
        leaving.recover(ctx, word("stay", "d2"))
        assert session.get_one(Departure, (S1, "d1")).state == "asked"
        assert session.get_one(Departure, (S1, "d2")).state == "called_off"


def test_a_store_that_left_joins_again_by_a_code(country):
    ask(country)
    country.deliver()
    with country.network.write() as session:
        code = joining.invite(Context(session, OPERATOR, AT), S1)
        joining.join(session, code, Signer.make().public, at=AT)
    left_on, has_node, *_rest = at_the_network(country)
    assert (left_on, has_node) == (None, True)


def test_an_answer_to_a_request_nobody_made_changes_nothing(country):
    with country.stores[S1].write() as session:
        hear(session, LeaveAnswered.TOPIC, LeaveAnswered(S1, "never", [], AT).to_body(), at=AT)
        assert leaving.last(session, S1) is None


@pytest.mark.parametrize(("number", "kinds"), [(1, ["online"]), (-1, [])])
def test_an_open_online_order_keeps_the_store_and_one_of_its_own_counter_does_not(country, number, kinds):
    with country.stores[S1].write() as session:
        session.add(
            PickupOrder(
                store_id=S1, id="p1", number=number, order_no="1", state="accepted", customer_name="Li",
                customer_phone="", code_hash="", token_hash="", total_minor=1, currency="EUR", placed_at=AT,
                moved_at=AT,
            )
        )  # fmt: skip
        session.flush()
        assert [one.kind for one in leaving.still_open(session, S1)] == kinds
