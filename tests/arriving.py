"""Facts as they arrive, one by one and again."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

import supply.sync.replica
from config.ids import NETWORK
from config.nodes import facts
from config.nodes.facts import FACTS, STORE
from config.nodes.inbox import Arrival, Effect, InboxMessage, inbox_message, take
from config.nodes.journal import Actor, Context, canonical
from config.nodes.outbox import Message, hash_of
from supply.facts import Advised
from supply.orders import deliveries
from supply.orders.deliveries import Advice

__all__ = ["supply"]  # whose import is that every applier is known
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)


def apply_once(
    session: Session, from_node: str, epoch: str, message: Message, effect: Effect, *, at: dt.datetime
) -> tuple[str, str | None]:
    """Take one arrived message: ('taken' | 'already' | 'parked', reason)."""
    return take(session, Arrival(from_node, epoch, [message]), effect, at=at)[0][:2]


def hear(session: Session, topic: str, body: dict[str, Any], *, at: dt.datetime = NOON) -> None:
    """Apply a fact as if its author had sent it just now."""
    kind = FACTS[topic]
    sender = kind.from_body(body).of() if kind.SAID_BY == STORE else NETWORK
    facts.apply(session, Message("m", 1, topic, kind.VERSION, "", "", body, ""), sender, at)


def know(monkeypatch: pytest.MonkeyPatch, topic: str, effect: Callable[..., None]) -> None:
    """Let a node know one topic more, of no fact. effect: (session, message, from_node, at)."""
    known = facts.apply

    def apply(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
        (effect if message.topic == topic else known)(session, message, from_node, at)

    monkeypatch.setattr(facts, "apply", apply)


def reapply(session: Session, effect: Effect) -> int:
    """Apply every taken message again; used to prove that nothing changes (K9). Returns how many."""
    rows = session.scalars(sa.select(InboxMessage).where(InboxMessage.state == "taken")).all()
    for row in rows:
        effect(session, inbox_message(row))
    return len(rows)


def content_hash(message: Message) -> str:
    """Return the hash of a message's content: everything but its number and the hash itself."""
    return hash_of(message, canonical(message.body))


def expect(
    session: Session,
    store_id: str,
    id: str,
    supplier_id: str,
    lines: Sequence[Advised],
    *,
    at: dt.datetime,
    **source: str,
) -> None:
    """Announce a delivery for today. source: the order_id or network_offer_id that it answers."""
    advice = Advice(supplier_id, lines, at.date(), **source)
    deliveries.expect(Context(session, Actor.system("supply", store_id), at), store_id, id, advice)
