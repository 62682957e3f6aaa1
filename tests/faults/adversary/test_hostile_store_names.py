"""A store whose facts go by other names than what they tell of, so that the operator's check is red for ever."""

import datetime as dt
from dataclasses import asdict

import pytest

from config.nodes import facts, inbox
from config.nodes.journal import canonical
from config.nodes.node import found
from config.nodes.outbox import Message, hash_of
from pos.facts import StockMoved
from pos.sync import checks, replica
from pos.sync.archive import WEEK
from tests.builders import NOON
from tests.empty import empty_database
from tests.network_facts import message, sales

STORE = "S01"


def renamed(reported: Message, **changed) -> Message:
    """Return a message under another id or day, whole in itself."""
    bare = Message(**vars(reported) | changed)
    return Message(**vars(bare) | {"hash": hash_of(bare, canonical(bare.body))})


def take(database, messages: list[Message]) -> list[inbox.Outcome]:
    with database.write() as session:
        return inbox.take(
            session,
            inbox.Arrival(STORE, "epoch", messages),
            lambda s, one: facts.apply(s, one, STORE, NOON),
            at=NOON,
            bulk=lambda s, some: replica.take_sales(s, some, STORE, NOON),
        )


@pytest.mark.parametrize("changed", [{"id": "another-id"}, {"business_day": str(NOON.date() - WEEK)}])
def test_a_fact_by_another_id_or_day_is_set_aside_and_turns_no_check_red(tmp_path, changed):
    database = empty_database(tmp_path / "network.db")
    with database.write() as session:
        found(session, "network", at=NOON)
    first, second = (message(fact, n) for n, fact in enumerate(sales(STORE, 2), 1))
    moved = StockMoved(
        id="moved-1", store_id=STORE, reason="wasted", source_kind="waste", source_id="w", movements=(), why="",
        business_day=NOON.date().isoformat(), at=NOON.isoformat(), actor_id="ana", lot="",
    )  # fmt: skip
    third = Message("moved-1", 3, StockMoved.TOPIC, 2, NOON.isoformat(), moved.business_day, asdict(moved), "")
    also = changed | ({"id": "a-third-id"} if "id" in changed else {})
    outcomes = take(database, [first, renamed(second, **changed), renamed(third, **also)])
    assert [outcome.state for outcome in outcomes] == ["taken", "parked", "parked"]
    assert "arrived as" in str(outcomes[1].reason)
    with database.read() as session:
        assert [one for one in checks.findings(session) if one.code == "K9"] == []


def test_the_fact_itself_counts_once_whatever_came_before_it(tmp_path):
    database = empty_database(tmp_path / "network.db")
    with database.write() as session:
        found(session, "network", at=NOON)
    (fact,) = sales(STORE, 1, day=dt.date(2026, 3, 2))
    reported = message(fact, 1)
    assert [
        one.state
        for one in take(database, [renamed(reported, id="x"), renamed(reported, n=2), renamed(reported, id="y", n=3)])
    ] == ["parked", "taken", "parked"]
