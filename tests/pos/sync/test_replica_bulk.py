"""A batch written all at once is the same, row for row, as its facts taken one by one: on both databases."""

import pytest
import sqlalchemy as sa

from config.database import Base
from config.ids import new_id
from config.nodes import facts, inbox
from config.nodes.journal import JournalEntry
from config.nodes.node import found
from config.nodes.outbox import Message
from pos.sold import Sale, SaleLine
from pos.stock.changed_days import ChangedDay
from pos.sync import replica
from tests.arriving import content_hash
from tests.builders import NOON
from tests.empty import empty_database
from tests.network_facts import message, sales

COPIED = (
    "sale", "sale_line", "payment", "cash_movement", "stock_movement", "stock_level", "changed_day", "inbox_message",
    "inbox_head",
)  # fmt: skip


STORE_ID = "S01"


def some_facts(count: int) -> list:
    return list(sales(STORE_ID, count))


def take(database, messages, *, at_once: bool) -> list[str]:
    with database.write() as session:
        found(session, "network", at=NOON)

    def effect(session, one):
        facts.apply(session, one, STORE_ID, NOON)

    def bulk(session, some):
        return replica.take_sales(session, some, STORE_ID, NOON)

    with database.write() as session:
        outcomes = inbox.take(
            session, inbox.Arrival(STORE_ID, "epoch", messages), effect, at=NOON, bulk=bulk if at_once else None
        )
    return [outcome.state for outcome in outcomes]


def rows(database) -> dict[str, list[tuple]]:
    with database.read() as session:
        return {
            name: sorted(map(repr, session.execute(sa.select(Base.metadata.tables[name])).all())) for name in COPIED
        }


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def databases(request, tmp_path):
    if request.param == "sqlite":
        return [empty_database(tmp_path / f"{n}.db") for n in range(2)]
    request.getfixturevalue("postgres_database")
    return [empty_database(request.getfixturevalue("postgres_database")), empty_database(tmp_path / "single.db")]


def test_all_at_once_and_one_by_one_write_the_same_rows(databases):
    messages = [message(fact, n) for n, fact in enumerate(some_facts(60), 1)]
    assert take(databases[0], messages, at_once=True) == ["taken"] * 60
    assert take(databases[1], messages, at_once=False) == ["taken"] * 60
    assert rows(databases[0]) == rows(databases[1])
    assert rows(databases[0])["sale_line"]


def test_an_odd_fact_in_a_batch_is_parked_alone_and_nothing_is_written_of_it(databases):
    some = list(some_facts(8))
    messages = [message(fact, n) for n, fact in enumerate(some, 1)]
    messages[3] = message(some[3], 4, lines=[{"n": 1}])
    messages.append(odd := message(some[0], 9, id=some[5].id))  # whole in itself, but another fact's sale
    messages[-1] = Message(**vars(odd) | {"id": new_id()})
    messages[-1] = Message(**vars(messages[-1]) | {"hash": content_hash(messages[-1])})
    for database in databases:
        states = take(database, messages, at_once=True)
        assert states == ["taken"] * 3 + ["parked"] + ["taken"] * 4 + ["parked"]
        with database.read() as session:
            assert session.scalar(sa.select(sa.func.count()).select_from(Sale)) == 7
            assert set(session.scalars(sa.select(SaleLine.sale_id))) == {fact.id for fact in some} - {some[3].id}
    assert rows(databases[0]) == rows(databases[1])


def test_a_batch_that_comes_again_changes_nothing(databases):
    messages = [message(fact, n) for n, fact in enumerate(some_facts(10), 1)]
    take(databases[0], messages, at_once=True)
    before = rows(databases[0])
    assert take(databases[0], [*messages, messages[2]], at_once=True) == ["already"] * 11
    assert rows(databases[0]) == before


def test_the_days_of_a_batch_are_marked_for_the_roll_up(databases):
    some = list(some_facts(10))
    take(databases[0], [message(fact, n) for n, fact in enumerate(some, 1)], at_once=True)
    with databases[0].read() as session:
        marked = set(session.execute(sa.select(ChangedDay.store_id, ChangedDay.business_day)).all())
    assert {(store, day.isoformat()) for store, day in marked} == {(STORE_ID, fact.business_day) for fact in some}


def test_a_receipt_number_given_twice_by_a_copied_till_costs_neither_sale(databases):
    first, second = next(sales(STORE_ID, 1)), next(sales(STORE_ID, 1, seed=1))
    assert (first.receipt_no, first.epoch) == (second.receipt_no, second.epoch)
    assert first.id != second.id
    for database in databases:
        assert take(database, [message(first, 1)], at_once=True) == ["taken"]
        rest = [message(second, 2), *(message(fact, n) for n, fact in enumerate(sales(STORE_ID, 3, first=2), 3))]
        assert take(database, rest, at_once=True) == ["taken"] * 4
        with database.read() as session:
            assert set(session.scalars(sa.select(Sale.id))) >= {first.id, second.id}
            reported = session.scalars(sa.select(JournalEntry.verb)).all()
        assert reported == ["receipt.given_twice"]
