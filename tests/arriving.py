"""Facts as they arrive, one by one and again."""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.inbox import Effect, InboxMessage, inbox_message, take
from config.nodes.journal import Actor, canonical
from config.nodes.outbox import Message, hash_of
from supply.facts import Advised
from supply.orders import deliveries
from supply.orders.deliveries import Advice


def apply_once(
    session: Session, from_node: str, epoch: str, message: Message, effect: Effect, *, at: dt.datetime
) -> tuple[str, str | None]:
    """Take one arrived message: ('taken' | 'already' | 'parked', reason)."""
    return take(session, from_node, epoch, [message], effect, at=at)[0][:2]


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
    deliveries.expect(session, store_id, id, advice, actor=Actor.system("supply", store_id), at=at)
