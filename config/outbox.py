"""Facts on their way: what leaves this node, and what has already arrived.

Rules
-----
1. A fact is appended in the transaction of what it tells of, and leaves only on confirmation (I13).
2. Facts to one receiver are numbered 1, 2, 3 … within the sender's epoch and chained: each head covers the head
   before it and the fact's content hash. Count and head are compared on every contact; never a bare high-water mark.
3. The receiver keeps id, number, hash and body in the transaction of the effect. The same id with the same hash is
   "already"; the same id with another hash, or the same number with another id, is parked with an alarm, never
   dropped (I16).
4. A row that cannot be applied is parked beside the others and shown at both nodes; it never blocks the rest.
5. Any order and any repetition of deliveries gives the same state (I15); `reapply()` proves it (K9).
6. An epoch is born with a node and after every restore or fork (`config/node.py`); numbers of different epochs never
   meet.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, table_of
from config.errors import ShopError
from config.journal import GENESIS, Actor, canonical, move
from config.node import epoch_of
from config.prepared import Prepared
from config.states import StateTable

STATES = StateTable(
    "message",
    "pending",
    {
        "pending": ["delivered", "stuck"],
        "stuck": ["pending", "delivered", "written_off"],
        "delivered": ["pending"],
        "written_off": [],
    },
    resting=["delivered"],
)
MAX_ROWS = 200
MAX_BYTES = 900_000


@dataclass(frozen=True)
class Message:
    """A fact as it travels. body is the fact's plain JSON; hash covers all the rest."""

    id: str
    n: int
    topic: str
    version: int
    made_at: str
    business_day: str
    body: dict[str, Any]
    hash: str

    def is_whole(self) -> bool:
        """Tell whether the hash fits the content."""
        return self.hash == content_hash(self)


class OutboxMessage(Base):
    """A fact of ours, waiting or confirmed."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "outbox_message"
    __table_args__ = (
        sa.UniqueConstraint("to_node", "epoch", "n"),
        sa.Index("ix_outbox_message_waiting", "to_node", "state", "n"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    to_node: Mapped[str]
    epoch: Mapped[str]
    n: Mapped[int]
    topic: Mapped[str]
    version: Mapped[int]
    made_at: Mapped[dt.datetime]
    business_day: Mapped[dt.date]
    subject: Mapped[str] = mapped_column(index=True)
    body: Mapped[str]
    hash: Mapped[str]
    head: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None]
    delivered_at: Mapped[dt.datetime | None]


class OutboxHead(Base):
    """How far we have written to one receiver in one epoch."""

    __tablename__ = "outbox_head"

    to_node: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]
    head: Mapped[str]


class InboxMessage(Base):
    """A fact of another node that has arrived: taken, or parked with its reason."""

    __tablename__ = "inbox_message"
    __table_args__ = (sa.UniqueConstraint("from_node", "epoch", "n"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    from_node: Mapped[str]
    epoch: Mapped[str]
    n: Mapped[int]
    topic: Mapped[str]
    version: Mapped[int]
    made_at: Mapped[str]
    business_day: Mapped[str]
    body: Mapped[str]
    hash: Mapped[str]
    state: Mapped[str] = mapped_column(index=True)
    reason: Mapped[str | None]
    received_at: Mapped[dt.datetime]


class InboxHead(Base):
    """How far another node's facts have arrived: how many in all, and the end of the part without gaps."""

    __tablename__ = "inbox_head"

    from_node: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    n: Mapped[int]
    head: Mapped[str]


class InboxAlarm(Base):
    """A message that contradicts one we have: kept for a person, never applied."""

    __tablename__ = "inbox_alarm"

    from_node: Mapped[str] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str]
    n: Mapped[int]
    body: Mapped[str]
    reason: Mapped[str]
    at: Mapped[dt.datetime]


# --- verbs, sender ---


def append(
    session: Session,
    *,
    to_node: str,
    topic: str,
    version: int,
    body: dict[str, Any],
    id: str,
    subject: str,
    business_day: dt.date,
    at: dt.datetime,
) -> int:
    """Write a fact for `to_node` in this transaction (rules 1, 2) and return its number.

    id is the fact's own and for ever.
    """
    epoch = epoch_of(session)
    head = _HEAD_OF.first(session, {"to": to_node, "in_epoch": epoch})
    n, before = (head[0] + 1, head[1]) if head else (1, GENESIS)
    text = canonical(body)
    content = _content_hash(id, topic, version, _stamp(at), business_day.isoformat(), text)
    after = chain(before, content)
    row = {
        "id": id,
        "to_node": to_node,
        "epoch": epoch,
        "n": n,
        "topic": topic,
        "version": version,
        "made_at": at,
        "subject": subject,
        "business_day": business_day,
        "body": text,
        "hash": content,
        "head": after,
        "state": STATES.first,
        "attempts": 0,
    }
    _APPEND.run(session, row)
    if head:
        _MOVE_HEAD.run(session, {"to": to_node, "in_epoch": epoch, "to_n": n, "to_head": after})
    else:
        _FIRST_HEAD.run(session, {"to_node": to_node, "epoch": epoch, "n": n, "head": after})
    return n


def acknowledge(session: Session, ids: Sequence[str], *, at: dt.datetime) -> None:
    """Mark messages as confirmed by their receiver (repeats are fine)."""
    if ids:
        session.execute(
            sa.update(OutboxMessage)
            .where(OutboxMessage.id.in_(ids))
            .values(state="delivered", delivered_at=at, reason=None)
        )


def mark_stuck(session: Session, id: str, reason: str) -> None:
    """Mark a message the receiver refused: it waits for a person, the others pass."""
    session.execute(
        sa.update(OutboxMessage)
        .where(OutboxMessage.id == id, OutboxMessage.state == "pending")
        .values(state="stuck", reason=reason, attempts=OutboxMessage.attempts + 1)
    )


def send_again(session: Session, id: str, *, actor: Actor, at: dt.datetime) -> OutboxMessage:
    """Put a stuck message back into the queue."""
    row = session.get_one(OutboxMessage, id)
    move(session, row, "pending", actor=actor, at=at, subject=f"message:{id}")
    return row


def rewind(session: Session, to_node: str, epoch: str, after_n: int) -> int:
    """Send everything of `epoch` after `after_n` once more: the receiver lost it. Returns how many."""
    result = session.execute(
        sa.update(OutboxMessage)
        .where(
            OutboxMessage.to_node == to_node,
            OutboxMessage.epoch == epoch,
            OutboxMessage.n > after_n,
            OutboxMessage.state == "delivered",
        )
        .values(state="pending")
        .returning(OutboxMessage.id)
    )
    return len(result.all())


# --- verbs, receiver ---


def apply_once(
    session: Session,
    from_node: str,
    epoch: str,
    message: Message,
    effect: Callable[[Session, Message], None],
    *,
    at: dt.datetime,
) -> tuple[str, str | None]:
    """Take one arrived message (rules 3 to 5): ('taken' | 'already' | 'parked', reason).

    The effect runs in a savepoint; a refusal undoes it and parks the row. The caller commits.
    """
    known = session.get(InboxMessage, message.id)
    if known is not None and known.hash == message.hash and known.from_node == from_node:
        return ("parked", known.reason) if known.state == "parked" else ("already", None)
    rival = session.scalar(
        sa.select(InboxMessage.id).where(
            InboxMessage.from_node == from_node, InboxMessage.epoch == epoch, InboxMessage.n == message.n
        )
    )
    if known is not None or rival is not None:
        alarm = "the same id came with another content" if known else f"number {message.n} was already used"
        session.merge(
            InboxAlarm(
                from_node=from_node,
                message_id=message.id,
                hash=message.hash,
                epoch=epoch,
                n=message.n,
                body=canonical(message.body),
                reason=alarm,
                at=at,
            )
        )
        return "parked", alarm
    reason: str | None = None if message.is_whole() else "the content does not fit its hash"
    if reason is None:
        reason = _try(session, message, effect)
    session.add(
        InboxMessage(
            id=message.id,
            from_node=from_node,
            epoch=epoch,
            n=message.n,
            topic=message.topic,
            version=message.version,
            made_at=message.made_at,
            business_day=message.business_day,
            body=canonical(message.body),
            hash=message.hash,
            state="parked" if reason else "taken",
            reason=reason,
            received_at=at,
        )
    )
    session.flush()
    _advance(session, from_node, epoch)
    return ("parked", reason) if reason else ("taken", None)


def reapply(session: Session, effect: Callable[[Session, Message], None]) -> int:
    """Apply every taken message once more; used to prove that nothing changes (K9). Returns how many."""
    rows = session.scalars(sa.select(InboxMessage).where(InboxMessage.state == "taken")).all()
    for row in rows:
        effect(session, inbox_message(row))
    return len(rows)


# --- questions ---


def due(session: Session, to_node: str) -> list[OutboxMessage]:
    """Return the next batch to send, oldest epoch and number first, at most MAX_ROWS rows and MAX_BYTES of body."""
    rows = session.scalars(
        sa.select(OutboxMessage)
        .where(OutboxMessage.to_node == to_node, OutboxMessage.state == "pending")
        .order_by(OutboxMessage.made_at, OutboxMessage.n)
        .limit(MAX_ROWS)
    ).all()
    batch: list[OutboxMessage] = []
    size = 0
    for row in rows:
        size += len(row.body)
        if batch and (size > MAX_BYTES or row.epoch != batch[0].epoch):
            break
        batch.append(row)
    return batch


def after(session: Session, to_node: str, epoch: str, n: int) -> list[OutboxMessage]:
    """Return the next rows of one epoch after number `n`, for a receiver that pulls."""
    return list(
        session.scalars(
            sa.select(OutboxMessage)
            .where(OutboxMessage.to_node == to_node, OutboxMessage.epoch == epoch, OutboxMessage.n > n)
            .order_by(OutboxMessage.n)
            .limit(MAX_ROWS)
        )
    )


def sent_head(session: Session, to_node: str, epoch: str) -> tuple[int, str]:
    """Return (count, head) of what we have written to `to_node` in `epoch`."""
    row = session.get(OutboxHead, (to_node, epoch))
    return (row.n, row.head) if row else (0, GENESIS)


def head_at(session: Session, to_node: str, epoch: str, n: int) -> str | None:
    """Return our chain's head after number `n`; None where we never wrote so far."""
    if n == 0:
        return GENESIS
    return session.scalar(
        sa.select(OutboxMessage.head).where(
            OutboxMessage.to_node == to_node, OutboxMessage.epoch == epoch, OutboxMessage.n == n
        )
    )


def received_head(session: Session, from_node: str, epoch: str) -> tuple[int, int, str]:
    """Return (count, contiguous n, head at n) of what has arrived from `from_node` in `epoch`."""
    row = session.get(InboxHead, (from_node, epoch))
    return (row.count, row.n, row.head) if row else (0, 0, GENESIS)


def waiting(session: Session, to_node: str) -> dict[str, Any]:
    """Return how the queue to `to_node` stands: pending, stuck, oldest (instant of the oldest pending one)."""
    counts = dict(
        session.execute(
            sa.select(OutboxMessage.state, sa.func.count())
            .where(OutboxMessage.to_node == to_node, OutboxMessage.state.in_(["pending", "stuck"]))
            .group_by(OutboxMessage.state)
        ).all()
    )
    oldest = session.scalar(
        sa.select(sa.func.min(OutboxMessage.made_at)).where(
            OutboxMessage.to_node == to_node, OutboxMessage.state == "pending"
        )
    )
    return {"pending": counts.get("pending", 0), "stuck": counts.get("stuck", 0), "oldest": oldest}


def to_wire(row: OutboxMessage) -> dict[str, Any]:
    """Return a row of ours as it travels."""
    return asdict(
        Message(
            id=row.id,
            n=row.n,
            topic=row.topic,
            version=row.version,
            made_at=_stamp(row.made_at),
            business_day=row.business_day.isoformat(),
            body=json.loads(row.body),
            hash=row.hash,
        )
    )


def inbox_message(row: InboxMessage) -> Message:
    """Return an arrived row as the message it was."""
    return Message(
        id=row.id,
        n=row.n,
        topic=row.topic,
        version=row.version,
        made_at=row.made_at,
        business_day=row.business_day,
        body=json.loads(row.body),
        hash=row.hash,
    )


def content_hash(message: Message) -> str:
    """Return the hash of a message's content: everything but its number and the hash itself."""
    text = canonical(message.body)
    return _content_hash(message.id, message.topic, message.version, message.made_at, message.business_day, text)


def chain(head: str, hash: str) -> str:
    """Return the head that follows `head` when content `hash` is appended."""
    return hashlib.sha256(f"{head}{hash}".encode()).hexdigest()


# --- inside ---


def _content_hash(id: str, topic: str, version: int, made_at: str, business_day: str, body: str) -> str:
    """Return the hash of the canonical list of these values; body: its canonical text, made once."""
    values = canonical([id, topic, version, made_at, business_day])
    return hashlib.sha256(f"{values[:-1]},{body}]".encode()).hexdigest()


def _try(session: Session, message: Message, effect: Callable[[Session, Message], None]) -> str | None:
    try:
        with session.begin_nested():
            effect(session, message)
            session.flush()
    except ShopError as refusal:
        return f"{refusal.code}: {refusal.message}"
    except sa.exc.OperationalError:
        raise  # the database is busy or away: not the fact's fault, it comes again
    except (sa.exc.SQLAlchemyError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as fault:
        # The savepoint is undone; a fact we cannot read waits for a person instead of blocking the rest (rule 4).
        return f"{type(fault).__name__}: {(str(fault).splitlines() or [''])[0][:300]}"
    return None


def _advance(session: Session, from_node: str, epoch: str) -> None:
    head = session.get(InboxHead, (from_node, epoch))
    if head is None:
        head = InboxHead(from_node=from_node, epoch=epoch, count=0, n=0, head=GENESIS)
        session.add(head)
    head.count += 1
    following = session.execute(
        sa.select(InboxMessage.n, InboxMessage.hash)
        .where(InboxMessage.from_node == from_node, InboxMessage.epoch == epoch, InboxMessage.n > head.n)
        .order_by(InboxMessage.n)
    )
    for n, hash_ in following:
        if n != head.n + 1:
            break
        head.n, head.head = n, chain(head.head, hash_)


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


_message, _head = table_of(OutboxMessage), table_of(OutboxHead)
_TO_ONE = (_head.c.to_node == sa.bindparam("to"), _head.c.epoch == sa.bindparam("in_epoch"))
# every sale writes here, so the statements are made once
_HEAD_OF = Prepared(sa.select(_head.c.n, _head.c.head).where(*_TO_ONE).with_for_update())
_APPEND, _FIRST_HEAD = Prepared(sa.insert(_message)), Prepared(sa.insert(_head))
_MOVE_HEAD = Prepared(sa.update(_head).where(*_TO_ONE).values(n=sa.bindparam("to_n"), head=sa.bindparam("to_head")))
