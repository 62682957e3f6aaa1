"""A store or a network put back from a copy: orders, their numbers and their money go on, and nothing is passed
over."""

import shutil

import pytest
import sqlalchemy as sa

from config.database import Database, make_engine
from config.ids import NETWORK
from config.nodes import node
from config.nodes.inbox import InboxAlarm
from config.nodes.journal import Context, JournalEntry
from config.nodes.outbox import OutboxMessage
from pos.payments.providers import Outcome
from pos.sale.sale_request import SaleRequest
from store_app.payments import escrow as escrow_payments
from supply.money import escrow
from supply.money.held_payments import Escrow
from supply.online.orders import PickupOrder
from supply.online.pickup import handover, order_copy, pickup
from supply.sync import checks, groups, recovered
from tests.supply.online import test_groups
from tests.supply.online.test_pickup_money import ONE, SYSTEM, money, pay, place_online
from tests.supply.online_store import ANA, STORE, later, make_town

TWO = "order-00002"


@pytest.fixture
def town(tmp_path):
    found = make_town(tmp_path)
    found.open_till()
    return found


@pytest.fixture
def copies(town, tmp_path):
    """Give (copy, put back): a copy of one node's books, put back later, when a new epoch begins."""

    def copy(which: str) -> None:
        getattr(town, which).engine.dispose()
        shutil.copy(tmp_path / f"{which}.db", tmp_path / f"{which}.copy")

    def put_back(which: str, at) -> None:
        getattr(town, which).engine.dispose()
        shutil.copy(tmp_path / f"{which}.copy", tmp_path / f"{which}.db")
        setattr(town, which, Database(make_engine(f"sqlite:///{tmp_path / which}.db")))
        with getattr(town, which).write() as session:
            node.new_epoch(session)
            recovered.after_a_restore(session, node.this_node(session).id, at=at)

    return copy, put_back


def say_all_again(town, first_n=1):
    """Let the store send what it had sent, as it does when the network's books are behind its own."""
    with town.store.write() as session:
        to_network = OutboxMessage.to_node == NETWORK
        session.execute(sa.update(OutboxMessage).where(to_network, OutboxMessage.n >= first_n).values(state="pending"))


def ask_provider(town, at):
    """Ask about every escrow that waits, and let the order follow what the provider has."""
    with town.network.write() as session:
        for row in escrow.to_ask(session, at):
            came = escrow.settle_outcome(Context(session, SYSTEM, at), row.id, Outcome("captured", "P1"))
            escrow_payments._mean(session, row, came, at)


def test_what_a_shop_put_back_decides_is_heard_and_the_money_goes_back(town, copies):
    copy, put_back = copies
    place_online(town)
    pay(town)
    copy("store")
    town.make_ready(ONE)
    town.deliver()
    assert town.state(ONE) == ("ready", "ready")
    put_back("store", later(hours=1))
    assert town.state(ONE) == ("placed", "ready")
    with town.store.write() as session:
        (order,) = pickup.expire_due(Context(session, ANA, later(hours=20)), STORE)
        assert order.state == "refused"
    town.deliver(at=later(hours=20))
    assert town.state(ONE) == ("refused", "refused")
    assert money(town) == (0, 387, 0)
    assert town.faults() == []


def test_goods_collected_stay_collected_though_their_shop_was_put_back(town, copies):
    copy, put_back = copies
    placed = place_online(town)
    pay(town)
    town.make_ready(ONE)
    town.deliver()
    copy("store")
    with town.store.write() as session:
        request = SaleRequest("sale-0001", STORE, "T1", [], [], 387)
        handover.collect(Context(session, ANA, later(hours=1)), placed.code, request).or_raise()
    town.deliver(at=later(hours=1))
    put_back("store", later(hours=2))
    with town.store.write() as session:
        pickup.expire_due(Context(session, ANA, later(days=9)), STORE)
    town.deliver(at=later(days=9))
    assert town.state(ONE) == ("expired", "collected")
    assert money(town) == (387, 0, 0), "no money goes back for goods that are gone"
    with town.network.read() as session:
        reported = session.scalar(sa.select(JournalEntry.body).where(JournalEntry.verb == "pickup order.reported_back"))
    assert "expired" in reported


def test_money_a_network_put_back_has_forgotten_is_asked_for_again_and_follows_the_order(town, copies):
    copy, put_back = copies
    with town.network.write() as session:  # somebody paid before, so that it is known with whom
        escrow.open_for(
            Context(session, SYSTEM, later()), "order-00000", STORE, "pickup", 100, currency="EUR", provider="practice"
        )
        escrow.lapse(Context(session, SYSTEM, later()), "order-00000")
        session.get_one(Escrow, "order-00000").ask_again_at = None
    copy("network")
    place_online(town)
    pay(town)
    town.make_ready(ONE)
    town.deliver()
    put_back("network", later(hours=1))
    say_all_again(town)
    town.deliver(at=later(hours=1))
    with town.network.read() as session:
        assert session.get_one(PickupOrder, (STORE, ONE)).paid_minor == 387
    ask_provider(town, later(hours=2))
    assert money(town) == (387, 0, 0)
    with town.store.write() as session:
        pickup.expire_due(Context(session, ANA, later(days=9)), STORE)
    town.deliver(at=later(days=9))
    assert money(town) == (0, 387, 0)
    with town.store.read() as session:
        assert session.scalars(sa.select(InboxAlarm)).all() == [], "the store has the order, and is not sent it again"


def test_money_of_a_group_s_share_a_network_put_back_has_forgotten_is_asked_for_again_too(town, copies):
    copy, put_back = copies
    with town.store.write() as session:
        groups.open_at_store(Context(session, ANA, later()), test_groups.TERMS)
    town.deliver()
    test_groups.join(town, "member-000", 6)  # somebody paid before, so that it is known with whom
    copy("network")
    test_groups.join(town, "member-001", 6)
    test_groups.close(town)
    test_groups.come(town, 6)
    assert town.state("member-001")[0] == "accepted"
    put_back("network", later(days=2))
    say_all_again(town)
    town.deliver(at=later(days=2))
    ask_provider(town, later(days=2, hours=1))
    with town.network.read() as session:
        assert escrow.balance(session, "member-001") == 300, "three of six came, at the price of the whole group"
        assert checks.findings(session) == []


def test_money_nobody_knows_the_provider_of_is_a_finding(town, copies):
    copy, put_back = copies
    copy("network")
    place_online(town)
    pay(town)
    put_back("network", later(hours=1))
    say_all_again(town)
    town.deliver(at=later(hours=1))
    with town.network.read() as session:
        (finding,) = order_copy.findings(session, NETWORK)
        assert finding in checks.findings(session)
    assert "387 paid online" in str(finding)


def test_a_number_given_twice_after_a_restore_stands_in_no_orders_way(town, copies):
    copy, put_back = copies
    copy("network")
    first = town.ready_order(ONE, [("milk", 1)]).order.order_no
    put_back("network", later(hours=1))
    assert town.place(TWO, [("milk", 2)], at=later(hours=1)).order.order_no == first
    say_all_again(town)
    town.deliver(at=later(hours=1))
    assert (town.state(ONE), town.state(TWO)) == (("ready", "ready"), ("placed", "placed"))
    with town.store.read() as session:
        assert session.get_one(PickupOrder, (STORE, TWO)).order_no == f"{first}-2"
    assert town.place("order-00003", [("milk", 1)], at=later(hours=2)).order.order_no not in (first, f"{first}-2")
