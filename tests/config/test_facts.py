"""A new fact, as CONTRIBUTING.md adds one: declared, sent, applied; and what is refused before anybody applies it."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Invalid, Refused
from config.ids import NETWORK
from config.nodes import facts, outbox
from config.nodes.facts import STORE, Count, Day, Fact, Instant, applies, recovers
from config.nodes.node import found
from config.nodes.outbox import Message, OutboxMessage
from tests.empty import empty_database

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


@pytest.fixture
def bell(monkeypatch):
    """A fact of a store, and what its appliers saw."""
    for name in ("FACTS", "_APPLIERS", "_RECOVERERS"):
        monkeypatch.setattr(facts, name, dict(getattr(facts, name)))
    seen = []

    class BellRung(Fact, topic="bell.rung", said_by=STORE, version=2):
        store_id: str
        times: Count
        at: Instant
        day: Day | None
        by: tuple[str, ...] = ()

    @applies(BellRung)
    def hear(ctx, fact):
        seen.append((fact, ctx.actor.node))

    @recovers(BellRung)
    def ring_again(ctx, fact):
        seen.append((fact, ctx.actor.node))
        return [{"kind": "refused", "why": "It was rung by hand."}]

    return BellRung, hear, seen


def sent(tmp_path, fact, node_id: str = "S01") -> Message:
    database = empty_database(tmp_path / "facts.db")
    with database.write() as session:
        found(session, node_id, at=NOON)
        facts.send(session, fact, subject="bell", day=NOON.date(), at=NOON)
    with database.read() as session:
        row = session.scalars(sa.select(OutboxMessage)).one()
        message = Message(**outbox.to_wire(row))
        assert row.to_node == NETWORK
    database.engine.dispose()
    return message


def test_a_fact_travels_to_the_network_and_is_applied_there_as_it_was_said(tmp_path, bell):
    kind, _hear, seen = bell
    fact = kind("S01", 3, NOON, NOON.date(), ("Ana", "Wei"))
    message = sent(tmp_path, fact)
    assert message.body == {
        "store_id": "S01", "times": 3, "at": "2026-03-02T12:00:00.000000+00:00", "day": "2026-03-02",
        "by": ["Ana", "Wei"],
    }  # fmt: skip
    facts.apply(None, message, "S01", NOON)
    assert [*facts.recover(None, message, NOON)] == [{"kind": "refused", "why": "It was rung by hand."}]
    assert seen == [(fact, NETWORK), (fact, "S01")]


@pytest.mark.parametrize("sender", ["S02", NETWORK])
def test_nobody_else_says_it(tmp_path, bell, sender):
    kind, _hear, seen = bell
    message = sent(tmp_path, kind("S01", 3, NOON, None))
    with pytest.raises(Refused, match="only S01 can send"):
        facts.apply(None, message, sender, NOON)
    assert seen == []


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        ({"times": True}, "field “times” is not valid"), ({"times": "3"}, "field “times”"), ({"times": -1}, "“times”"),
        ({"times": 10**15}, "“times”"), ({"at": 7}, "“at” is not valid"), ({"at": "2026-03-02"}, "“at”"),
        ({"day": "soon"}, "“day” is not valid"), ({"day": "1900-01-01"}, "not from Jan 1, 2000"), ({"by": "Ana"}, "by"),
    ],
)  # fmt: skip
def test_a_field_nobody_can_mean_is_named(tmp_path, bell, odd, why):
    kind, _hear, seen = bell
    body = kind("S01", 3, NOON, None).to_body()
    with pytest.raises(Invalid, match=why):
        kind.from_body(body | odd)
    with pytest.raises(Invalid, match=r"bell\.rung: the field “times” is missing"):
        kind.from_body({name: value for name, value in body.items() if name != "times"})
    assert kind.from_body(body | {"colour": "red"}).times == 3
    assert seen == []


def test_a_newer_form_waits_and_an_unknown_topic_too(bell):
    kind, _hear, _seen = bell
    body = kind("S01", 3, NOON, None).to_body()
    for topic, version, code in (("bell.rung", 3, "newer-version"), ("bell.lost", 1, "unknown-topic")):
        with pytest.raises(Invalid) as refusal:
            facts.apply(None, Message("m", 1, topic, version, "", "", body, ""), "S01", NOON)
        assert refusal.value.code == code


def test_a_topic_is_declared_once_and_of_two_appliers_one_says_which_goes_first(bell):
    kind, hear, _seen = bell
    with pytest.raises(TypeError, match="declared twice"):

        class _Again(Fact, topic="bell.rung", said_by=STORE):
            store_id: str

    with pytest.raises(TypeError, match="order nobody says"):
        applies(kind)(lambda _session, _fact, _actor, _at: None)
    applies(kind, after=hear)(lambda _session, _fact, _actor, _at: None)
