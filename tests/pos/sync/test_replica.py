"""A store's facts at the network: the same rows, once, in any order; and what the checks notice."""

import random
from dataclasses import replace

import pytest
import sqlalchemy as sa

from config.nodes import facts
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Context
from config.nodes.outbox import Message, OutboxMessage
from pos import facts as sold
from pos.payments.payments import Payment
from pos.sold import Sale, SaleLine
from pos.stock import stock
from pos.stock.ledger import CountTask, Place, Reservation, StockLevel, StockMovement
from pos.sync import checks
from pos.till.drawer_cash import CashMoved
from pos.till.shift_book import CashMovement, Shift
from tests.arriving import content_hash, reapply
from tests.builders import NOON, STORE, Network, OpenStore
from tests.tampering import unlocked

BOOKS = (Sale, SaleLine, Payment, CashMovement, StockMovement, StockLevel)


def a_busy_day(store: OpenStore) -> list[Message]:
    sold = store.sell([("milk", 3), ("wine", 1)], cash_minor=2000)
    store.sell([("bread", 22)], tenders=[("card", 22 * 349, "slip 1")])
    store.take_back(sold.sale.id, [(1, 1)])
    with store.write() as session:
        stock.receive(Context(session, store.wei, NOON), STORE, [("tea", 12), ("milk", 6)], source_id="delivery-1")
        stock.move(Context(session, store.wei, NOON), STORE, "tea", 4, Place.BACKROOM, Place.SHELF)
        stock.waste(Context(session, store.wei, NOON), STORE, "milk", 1)
        stock.count(Context(session, store.wei, NOON), STORE, "bread", 3)
    store.close_till(11_000)
    return store.messages()


def books(database) -> dict[str, list[tuple]]:
    """Return every row of the store's books, as a set would."""
    with database.read() as session:
        return {
            table.__tablename__: sorted(
                (tuple(row) for row in session.execute(sa.select(*table.__table__.columns))), key=repr
            )
            for table in BOOKS
        }


def network_findings(network: Network) -> list[checks.Finding]:
    with network.database.read() as session:
        return checks.findings(session)


def test_the_network_holds_the_very_rows_of_the_shop(store, network):
    for message in a_busy_day(store):
        assert network.take(message) == ("taken", None)
    ours, theirs = books(store.database), books(network.database)
    assert theirs == ours
    with store.database.read() as session, network.database.engine.connect() as other:
        mine = session.scalars(sa.select(Shift)).one()
        there = other.execute(sa.select(*Shift.__table__.columns)).mappings().one()
        assert all(
            getattr(mine, name) == value for name, value in there.items() if name not in ("opened_at", "closed_at")
        )
    assert network_findings(network) == []
    assert store.findings() == []


@pytest.mark.parametrize("seed", range(6))
def test_any_order_with_repetition_gives_the_same_books(store, network, seed):
    messages, dice = a_busy_day(store), random.Random(seed)
    arriving = [*messages, *dice.choices(messages, k=len(messages))]
    dice.shuffle(arriving)
    for message in arriving:
        assert network.take(message)[0] in ("taken", "already")
    assert books(network.database) == books(store.database)
    assert network_findings(network) == []


def test_applying_the_whole_inbox_again_changes_nothing(store, network):
    messages = a_busy_day(store)
    for message in messages:
        network.take(message)
    before = books(network.database)
    with network.database.write() as session:
        again = reapply(session, lambda s, m: facts.apply(s, m, STORE, NOON))
    assert again == len(messages)
    assert books(network.database) == before


def test_a_fact_of_another_store_waits_for_a_person(store, network):
    store.sell([("milk", 1)])
    for message in store.messages():
        state, reason = network.take(message, from_node="S02")
        assert state == "parked"
        assert "not-yours-to-say" in str(reason)
    assert all(rows == [] for rows in books(network.database).values())


@pytest.mark.parametrize("missing", ["lines", "store", "movements", "total_minor"])
def test_a_fact_that_cannot_be_read_is_parked_and_writes_nothing(store, network, missing):
    store.sell([("milk", 1)])
    message = store.messages()[-1]
    body = {name: value for name, value in message.body.items() if name != missing}
    broken = replace(message, body=body)
    broken = replace(broken, hash=content_hash(broken))
    assert network.take(broken)[0] == "parked"
    assert all(rows == [] for rows in books(network.database).values())


def test_every_fact_reads_back_as_it_was_written(store):
    kinds = {
        fact.TOPIC: fact
        for fact in (sold.SaleCompleted, sold.ShiftClosed, sold.StockCounted, sold.StockMoved, CashMoved)
    }
    messages = a_busy_day(store)
    assert {message.topic for message in messages} == set(kinds)
    for message in messages:
        assert kinds[message.topic].from_body(message.body).to_body() == message.body


# --- what the checks notice ---


def spoil(store: OpenStore, statement: sa.Update | sa.Delete | sa.Insert) -> set[str]:
    a_busy_day(store)
    assert store.findings() == []
    with store.write() as session, unlocked(session):
        session.execute(statement)
    return {finding.code for finding in store.findings()}


WASTED = sa.update(StockMovement).where(StockMovement.reason == "wasted")
SPOILT = {
    "a line's amount": (sa.update(SaleLine).where(SaleLine.n == 1).values(total_minor=1), "K1"),
    "a line's tax": (sa.update(SaleLine).where(SaleLine.n == 1).values(tax_minor=0), "K1"),
    "a payment": (sa.delete(Payment).where(Payment.is_change), "K1"),
    "a movement of a sale": (sa.delete(StockMovement).where(StockMovement.reason == "sold"), "K2"),
    "a level": (sa.update(StockLevel).where(StockLevel.sku == "tea").values(qty=StockLevel.qty + 1), "K3"),
    "a level unheard of": (sa.insert(StockLevel).values(store_id=STORE, sku="tea", place="bin", qty=1), "K4"),
    "a place unheard of": (WASTED.values(to_place="moon"), "K4"),
    "the drawer": (sa.delete(CashMovement).where(CashMovement.kind == "change"), "K6"),
    "the count of the drawer": (sa.update(Shift).values(counted_minor=1), "K6"),
    "a receipt number": (sa.update(Sale).where(Sale.receipt_no == 2).values(receipt_no=9), "K7"),
    "a sale's fact": (sa.delete(OutboxMessage).where(OutboxMessage.topic == "sale.completed"), "K8"),
    "a shift's fact": (sa.delete(OutboxMessage).where(OutboxMessage.topic == "shift.closed"), "K8"),
}  # fmt: skip


@pytest.mark.parametrize("what", SPOILT)
def test_what_was_spoilt_behind_the_shops_back_is_found(store, what):
    statement, code = SPOILT[what]
    assert code in spoil(store, statement)


def test_a_promise_beyond_what_is_there_is_found_unless_a_count_is_asked_for(store):
    with store.write() as session:
        stock.reserve(Context(session, store.wei, NOON), STORE, "order-1", [("milk", 18)])
    store.sell([("milk", 5)])
    assert store.findings() == []
    with store.write() as session:
        session.execute(sa.delete(CountTask))
    assert {finding.code for finding in store.findings()} == {"K5"}


def test_an_answer_that_does_not_fit_its_promise_is_found(store):
    with store.write() as session:
        stock.reserve(Context(session, store.wei, NOON), STORE, "order-1", [("milk", 2)])
        stock.answer(session, STORE, "order-1", "released", at=NOON)
        with unlocked(session):
            session.execute(sa.update(Reservation).where(Reservation.kind == "released").values(qty=1))
    assert {finding.code for finding in store.findings()} == {"K5"}


def test_a_fact_taken_but_not_in_the_books_is_found(store, network):
    for message in a_busy_day(store):
        network.take(message)
    with network.database.write() as session:
        session.execute(sa.delete(Shift))
    assert {finding.code for finding in network_findings(network)} == {"K9"}
    with network.database.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(InboxMessage))


def test_one_stores_findings_are_not_anothers(store):
    spoil(store, sa.update(Sale).where(Sale.receipt_no == 2).values(receipt_no=9))
    assert store.read(lambda session: checks.findings(session, "S02")) == []
    assert store.read(lambda session: checks.findings(session, STORE)) != []
