"""Who ordered is forgotten everywhere it was written, and a night of forgetting reads no book through."""

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa

from config.errors import Refused
from config.ids import NETWORK
from config.nodes import facts, inbox, outbox
from config.nodes.inbox import InboxAlarm, InboxMessage
from config.nodes.outbox import Message, OutboxMessage
from pos import messages
from supply.online import erasure, orders
from supply.online.groups import groups
from supply.online.pickup import pickup
from tests.arriving import apply_once, content_hash
from tests.readable import readable
from tests.supply.online_store import AT, STORE, Town, later, make_town

SAID = ("Li Wei", "5550")
BOOKS = (
    "inbox_message", "outbox_message", "pickup_order", "home_delivery", "outgoing_message", "group_member", "print_job",
)  # fmt: skip
"""What grows for ever, and holds people."""


@pytest.fixture
def town(tmp_path) -> Town:
    return make_town(tmp_path)


def refuse(_session, message: Message) -> None:
    raise Refused("no-shelf", f"There is no shelf for {message.body['customer_name']}, {message.body['lines'][0]}.")


def arrive(town: Town, message: Message, effect=refuse) -> str:
    """Let a message of the network arrive at the store; returns what became of it."""
    with town.store.write() as session:
        return apply_once(session, NETWORK, "epoch", message, effect, at=AT)[0]


def take(session, message: Message) -> None:
    facts.apply(session, message, NETWORK, AT)


def sent(town: Town) -> Message:
    """Place an order and return how it is told to the store."""
    town.place("order-0001", [("bread", 1)])
    with town.network.read() as session:
        return Message(**outbox.to_wire(outbox.due(session, STORE)[0]))


def forget(town: Town, days: int) -> None:
    for side in (town.network, town.store):
        with side.write() as session:
            pickup.forget_people(session, at=later(days=days))


def written(town: Town) -> str:
    """Return every word of facts, reasons and contradictions at both nodes."""
    found = []
    for side in (town.network, town.store):
        with side.read() as session:
            for kind in (OutboxMessage, InboxMessage, InboxAlarm):
                found += [f"{body} {reason}" for body, reason in session.execute(sa.select(kind.body, kind.reason))]
    return readable("\n".join(found))


def test_what_was_refused_set_aside_or_contradicts_forgets_its_person_and_why_with_it(town):
    message = sent(town)
    assert arrive(town, message) == "parked"
    other = dataclasses.replace(message, body=message.body | {"total_minor": 1})
    assert arrive(town, dataclasses.replace(other, hash=content_hash(other))) == "parked"
    with town.network.write() as session:
        outbox.mark_stuck(session, message.id, "no-shelf: There is no shelf for Li Wei.")
        order = session.get_one(orders.PickupOrder, (STORE, "order-0001"))
        order.state, order.moved_at = "refused", AT  # as if the store had answered in another way
    forget(town, 29)
    assert written(town).count("Li Wei") == 5, "30 days for questions: three bodies, two reasons"
    forget(town, 31)
    assert not any(word in written(town) for word in SAID)
    assert written(town).count("There is no shelf for …") == 2, "the rest of the reason stays"
    with town.network.read() as session:
        again = Message(**outbox.to_wire(outbox.stuck(session, STORE, 1)[0]))
    assert again.is_whole()
    with town.store.write() as session:
        assert inbox.try_parked(session, NETWORK, take) == (1, 0), "it is read like any other"
    assert town.state("order-0001")[0] == "cancelled", "a nameless order was over long ago"


def test_what_is_set_aside_stays_whole_while_its_order_is_open_here(town):
    message = sent(town)
    assert arrive(town, message, take) == "taken"
    moved = dataclasses.replace(message, id="another", n=message.n + 1)
    assert arrive(town, dataclasses.replace(moved, hash=content_hash(moved))) == "parked"
    forget(town, 31)
    assert written(town).count("Li Wei") == 4


def test_forgetting_mends_no_damaged_message_and_the_right_one_replaces_it(town):
    message = sent(town)
    assert arrive(town, dataclasses.replace(message, body=message.body | {"total_minor": 1})) == "parked"
    forget(town, 31)
    with town.store.write() as session:
        assert inbox.try_parked(session, NETWORK, take) == (0, 1)
    assert arrive(town, message, take) == "taken"
    with town.store.read() as session:
        kept = session.get_one(InboxMessage, (NETWORK, message.id))
        assert inbox.inbox_message(kept) == message, "what was taken is what is kept"


def test_nobody_s_garbage_stops_the_night(town):
    """Whatever stands where an order should be is emptied like an order, and once."""
    for n, body in enumerate(({"order": [1]}, {"order_id": {}, "delivery": 7}, {"customer_name": 5}), 1):
        made = Message(f"odd-{n}", n, "pickup.placed", 4, AT.isoformat(), "2026-03-02", body, "")
        assert arrive(town, dataclasses.replace(made, hash=content_hash(made)), take) == "parked"
    with town.store.write() as session:
        assert [erasure.forget(session, before=later(days=1), at=later(days=1)) for _ in range(2)] == [
            3,
            0,
        ]


@contextmanager
def statements(engine: sa.Engine) -> Iterator[list[tuple[str, object]]]:
    """Note each statement with its parameters."""
    noted: list[tuple[str, object]] = []

    def note(_connection, _cursor, statement, parameters, *_) -> None:
        noted.append((statement, parameters))

    sa.event.listen(engine, "before_cursor_execute", note)
    yield noted
    sa.event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_night_of_forgetting_reads_no_book_through(request, tmp_path, kind):
    url = request.getfixturevalue("postgres_database") if kind == "postgresql" else None
    town = make_town(tmp_path, url)
    sent(town)
    with town.network.write() as session:
        order = session.get_one(orders.PickupOrder, (STORE, "order-0001"))
        order.state = "refused"
        outbox.acknowledge(session, session.scalars(sa.select(OutboxMessage.id)).all(), at=AT)
    with statements(town.network.engine) as noted, town.network.write() as session:
        forgotten = [
            forget(session, at=later(days=31)) for forget in (messages.forget, groups.forget, pickup.forget_people)
        ]
    assert forgotten == [0, 0, 1]
    assert not any(word in written(town) for word in SAID)
    explain = "EXPLAIN " if kind == "postgresql" else "EXPLAIN QUERY PLAN "
    through = []
    with town.network.engine.connect() as connection:
        if kind == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")  # with so few rows it would read them all
        for statement, parameters in noted:
            if statement.startswith(("SELECT", "UPDATE", "DELETE")):
                plan = connection.exec_driver_sql(explain + statement, parameters).all()
                through += [f"{row[-1]}: {statement}" for row in plan if is_read_through(str(row[-1]))]
    assert through == []


def is_read_through(step: str) -> bool:
    """Tell whether a step of a plan reads a whole book that grows for ever."""
    scanned = "Seq Scan" in step or (step.startswith("SCAN") and "USING" not in step)
    return scanned and any(book in step for book in BOOKS)
