"""Facts on their way: what leaves this node, and how much of it is confirmed.

Rules
-----
1. A fact is appended in the transaction of what it tells of, and leaves only on confirmation (I13).
2. Facts to one receiver are numbered 1, 2, 3 … within the sender's epoch and chained: each head covers the head
   before it and the fact's content hash. Count and head are compared on every contact; never a bare high-water mark.
3. What the receiver sets aside, or refuses at MOST_REFUSALS contacts, is stuck: it waits for a person, the others
   pass. What a person there turned down is put away here, and sent no more (`put_away`). What could not be taken
   because its number was used by a copy of this database gets a new number in the present epoch (`renumber`).
4. A receiver whose chain of ours is another one has heard what we have lost since, for we were put back: we go on from
   the end of its chain, and what it has not confirmed gets the numbers after that (`follow`). Of an epoch that we have
   left since, what waits goes on into the present one (`leave`).
5. What a confirmed fact says of people can be forgotten (`emptied`): the body is emptied of them and sealed to the hash
   it had, which stays, and with it number, head and every comparison. Sent again, the seal is what is checked.
6. An epoch is born with a node and after every restore or fork (`config/nodes/node.py`); numbers of different epochs
   never meet. The receiver's side is `config/nodes/inbox.py`.
"""

import datetime as dt
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from config import digest
from config.database import Base, dialect_of, insert_into, lock_rows, table_of
from config.nodes.append_only import append_only
from config.nodes.bell import leave_work
from config.nodes.journal import GENESIS, Context, canonical, move, move_many
from config.nodes.node import epoch_of
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
FORGOTTEN = "forgotten"
"""The key of the seal in a body that was emptied of people (rule 5)."""
MAX_ROWS = 200
MAX_BYTES = 900_000
MOST_REFUSALS = 3
"""So many contacts may refuse a message outright before it waits for a person: the first may be a slip of theirs."""


@dataclass(frozen=True)
class Message:
    """A fact as it travels. body is the fact's plain JSON; hash covers all the rest, as it was written."""

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
        return fits(self, canonical(self.body))


class Outgoing(NamedTuple):
    """A fact before it is numbered. id: its own and for ever; subject: what it is about, as in the journal."""

    id: str
    topic: str
    version: int
    business_day: dt.date
    subject: str
    body: dict[str, Any]


@append_only("epoch", "n", "head", "state", "attempts", "reason", "delivered_at")
class OutboxMessage(Base):
    """A fact of ours, waiting or confirmed."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "outbox_message"
    __table_args__ = (
        sa.UniqueConstraint("to_node", "epoch", "n"),
        # without the epoch in it SQLite counts what waits by looking at everything that was ever sent
        sa.Index("ix_outbox_message_waiting", "to_node", "state", "epoch", "n"),
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
    moved: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many of its messages went on into a later epoch."""


# --- verbs ---


def append(session: Session, fact: Outgoing, *, to_node: str, at: dt.datetime) -> int:
    """Write a fact for `to_node` in this transaction (rules 1, 2) and return its number."""
    epoch = epoch_of(session)
    head = _HEAD_OF.first(session, {"to": to_node, "in_epoch": epoch}) or _first_head(session, to_node, epoch)
    n, before = int(head[0]) + 1, str(head[1])
    text = canonical(fact.body)
    content = _content_hash(fact.id, fact.topic, fact.version, _stamp(at), fact.business_day.isoformat(), text)
    after = chain(before, content)
    row = {
        "to_node": to_node, "epoch": epoch, "n": n, "made_at": at, "body": text, "hash": content, "head": after,
        "state": STATES.first, "attempts": 0,
    }  # fmt: skip
    _APPEND.run(session, fact._asdict() | row)
    _MOVE_HEAD.run(session, {"to": to_node, "in_epoch": epoch, "to_n": n, "to_head": after})
    leave_work(session)
    return n


def acknowledge(session: Session, ids: Sequence[str], *, at: dt.datetime) -> None:
    """Mark messages as confirmed by their receiver (repeats are fine)."""
    if ids:
        move_many(session, OutboxMessage, "delivered", OutboxMessage.id.in_(ids), delivered_at=at, reason=None)


def confirm(session: Session, to_node: str, epoch: str, n: int, *, at: dt.datetime) -> None:
    """Mark what waits of an epoch up to number `n` as confirmed: the receiver that pulls has it."""
    of_it = (OutboxMessage.to_node == to_node, OutboxMessage.epoch == epoch, OutboxMessage.n <= n)
    move_many(session, OutboxMessage, "delivered", *of_it, OutboxMessage.state == "pending", delivered_at=at)


def mark_stuck(session: Session, id: str, reason: str) -> None:
    """Mark a message the receiver refused: it waits for a person, the others pass. The newest reason is kept."""
    mine, values = OutboxMessage.id == id, {"reason": reason, "attempts": OutboxMessage.attempts + 1}
    if not move_many(session, OutboxMessage, "stuck", mine, **values):
        said_else = sa.and_(OutboxMessage.state == "stuck", OutboxMessage.reason.is_distinct_from(reason))
        session.execute(sa.update(OutboxMessage).where(mine, said_else).values(values))


def refused(session: Session, ids: Sequence[str], reason: str) -> int:
    """Count a refusal of messages; returns how many are stuck by it (rule 3)."""
    of_them = (OutboxMessage.id.in_(ids), OutboxMessage.state == "pending")
    counted = sa.update(OutboxMessage).where(*of_them).values(attempts=OutboxMessage.attempts + 1, reason=reason)
    session.execute(counted)
    return move_many(session, OutboxMessage, "stuck", *of_them, OutboxMessage.attempts >= MOST_REFUSALS)


def send_again(ctx: Context, id: str) -> OutboxMessage:
    """Put a stuck message back into the queue."""
    row = ctx.session.get_one(OutboxMessage, id)
    move(ctx, row, "pending", subject=f"message:{id}")
    return row


def put_away(ctx: Context, id: str) -> OutboxMessage:
    """Put away a message the receiver turned down: our books keep what it tells, and it is sent no more (rule 3)."""
    row = ctx.session.get_one(OutboxMessage, id)
    move(ctx, row, "written_off", subject=f"message:{id}")
    return row


def rewind(session: Session, to_node: str, epoch: str, after_n: int) -> int:
    """Send everything of `epoch` after `after_n` again: the receiver lost it. Returns how many."""
    of_it = (OutboxMessage.to_node == to_node, OutboxMessage.epoch == epoch, OutboxMessage.n > after_n)
    return move_many(session, OutboxMessage, "pending", *of_it, OutboxMessage.state == "delivered")


def renumber(session: Session, ids: Sequence[str]) -> int:
    """Give messages whose numbers a copy of this database has used new ones in the present epoch (rule 3).

    Returns how many; they are pending again. Those of the present epoch are left: begin a new one first.
    """
    epoch = epoch_of(session)
    query = sa.select(OutboxMessage).where(
        OutboxMessage.id.in_(ids), OutboxMessage.epoch != epoch, OutboxMessage.state.in_(["pending", "stuck"])
    )
    return _go_on(session, session.scalars(query.order_by(OutboxMessage.made_at, OutboxMessage.n)).all())


def leave(session: Session, to_node: str, epoch: str) -> int:
    """Let what waits in an epoch that is over go on into the present one (rule 4); returns how many go again."""
    of_it = (OutboxMessage.to_node == to_node, OutboxMessage.epoch == epoch)
    waiting = sa.select(OutboxMessage).where(*of_it, OutboxMessage.state.in_(["pending", "stuck"]))
    return _go_on(session, session.scalars(waiting.order_by(OutboxMessage.n)).all())


def follow(session: Session, to_node: str, epoch: str, n: int, head: str) -> int:
    """Go on from `n` and `head`, where the receiver's chain of ours ends (rule 4); returns how many must go again.

    Where it has confirmed more than that nothing changes: then it is the receiver's chain that went back.
    """
    ours = _locked_head(session, to_node, epoch)
    of_it = sa.select(OutboxMessage).where(OutboxMessage.to_node == to_node, OutboxMessage.epoch == epoch)
    if session.scalar(of_it.where(OutboxMessage.n > n, OutboxMessage.state == "delivered").limit(1)) is not None:
        return 0
    rows = session.scalars(of_it.where(OutboxMessage.state != "delivered").order_by(OutboxMessage.n)).all()
    for row in rows:
        row.n = -row.n  # out of the way of the new numbers
    session.flush()
    ours.n, ours.head = n, head
    for row in rows:
        ours.n, ours.head = ours.n + 1, chain(ours.head, row.hash)
        row.n, row.head = ours.n, ours.head
    session.flush()
    return len(rows)


def remember(session: Session, to_node: str, epoch: str, message: Message) -> bool:
    """Write down again a message of ours that its receiver has confirmed; False where it is here.

    For books put back from a copy: sent as it was, it is compared and sent again like any other (rule 2).
    """
    if session.get(OutboxMessage, message.id) is not None:
        return False
    head = _locked_head(session, to_node, epoch)
    before = head_at(session, to_node, epoch, message.n - 1)
    after = chain(before, message.hash) if before else ""
    made_at = dt.datetime.fromisoformat(message.made_at)
    session.add(
        OutboxMessage(
            id=message.id, to_node=to_node, epoch=epoch, n=message.n, topic=message.topic, version=message.version,
            made_at=made_at, business_day=dt.date.fromisoformat(message.business_day), subject=f"message:{message.id}",
            body=canonical(message.body), hash=message.hash, head=after, state="delivered", attempts=0,
            delivered_at=made_at,
        )
    )  # fmt: skip
    if message.n > head.n:
        head.n, head.head = message.n, after
    session.flush()
    return True


# --- questions ---


def still_here(session: Session, to_node: str) -> dict[str, int]:
    """Return epoch -> the last number up to which nothing of ours is missing."""
    later = aliased(OutboxMessage)
    follows = sa.exists().where(
        later.to_node == OutboxMessage.to_node, later.epoch == OutboxMessage.epoch, later.n == OutboxMessage.n + 1
    )
    ends = sa.select(OutboxMessage.epoch, sa.func.min(OutboxMessage.n)).where(
        OutboxMessage.to_node == to_node, ~follows
    )
    first = sa.select(OutboxMessage.epoch).where(OutboxMessage.to_node == to_node, OutboxMessage.n == 1)
    whole = set(session.scalars(first))
    ends = ends.group_by(OutboxMessage.epoch)
    return {epoch: int(n) if epoch in whole else 0 for epoch, n in session.execute(ends)}


def due(session: Session, to_node: str, but: Collection[str] = (), most_bytes: int = MAX_BYTES) -> list[OutboxMessage]:
    """Return the next batch to send, oldest epoch and number first: MAX_ROWS rows, or most_bytes of body or one row.

    but: ids to leave where they are.
    """
    first = _first_pending(session, to_node, but)
    if first is None:
        return []
    query = sa.select(OutboxMessage).where(*_pending(to_node, but), OutboxMessage.epoch == first.epoch)
    batch: list[OutboxMessage] = []
    size = 0
    for row in session.scalars(query.order_by(OutboxMessage.n).limit(MAX_ROWS)):
        size += len(row.body)
        if batch and size > most_bytes:
            break
        batch.append(row)
    return batch


def smallest(session: Session, to_node: str) -> OutboxMessage | None:
    """Return the pending message with the shortest body."""
    query = sa.select(OutboxMessage).where(OutboxMessage.to_node == to_node, OutboxMessage.state == "pending")
    return session.scalar(query.order_by(sa.func.length(OutboxMessage.body), OutboxMessage.n).limit(1))


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


def confirmed(session: Session, to_node: str, epoch: str) -> int:
    """Return how many of an epoch's messages the receiver has confirmed; counts only those it has not."""
    head = session.get(OutboxHead, (to_node, epoch))
    if head is None:
        return 0
    open_ = sa.select(sa.func.count()).where(
        OutboxMessage.to_node == to_node, OutboxMessage.epoch == epoch,
        OutboxMessage.state.in_(["pending", "stuck", "written_off"]),
    )  # fmt: skip
    return head.n - head.moved - (session.scalar(open_) or 0)


def epochs_of(session: Session, to_node: str) -> list[str]:
    """Return the epochs in which this node has written to a receiver."""
    return list(session.scalars(sa.select(OutboxHead.epoch).where(OutboxHead.to_node == to_node)))


def stuck(session: Session, to_node: str, limit: int) -> list[OutboxMessage]:
    """Return the oldest messages that wait for a person."""
    query = sa.select(OutboxMessage).where(OutboxMessage.to_node == to_node, OutboxMessage.state == "stuck")
    return list(session.scalars(query.order_by(OutboxMessage.n).limit(limit)))


def head_at(session: Session, to_node: str, epoch: str, n: int) -> str | None:
    """Return our chain's head after number `n`; None where we never wrote so far."""
    if n == 0:
        return GENESIS
    return session.scalar(
        sa.select(OutboxMessage.head).where(
            OutboxMessage.to_node == to_node, OutboxMessage.epoch == epoch, OutboxMessage.n == n
        )
    )


def waiting(session: Session, to_node: str) -> dict[str, Any]:
    """Return how the queue to `to_node` stands: pending, stuck, oldest (instant of the first pending one)."""
    counts = dict(
        session.execute(
            sa.select(OutboxMessage.state, sa.func.count())
            .where(OutboxMessage.to_node == to_node, OutboxMessage.state.in_(["pending", "stuck"]))
            .group_by(OutboxMessage.state)
        ).all()
    )
    first = _first_pending(session, to_node) if "pending" in counts else None
    oldest = first.made_at if first is not None else None
    return {"pending": counts.get("pending", 0), "stuck": counts.get("stuck", 0), "oldest": oldest}


def to_wire(row: OutboxMessage) -> dict[str, Any]:
    """Return a row of ours as it travels."""
    message = Message(
        id=row.id, n=row.n, topic=row.topic, version=row.version, made_at=_stamp(row.made_at),
        business_day=row.business_day.isoformat(), body=json.loads(row.body), hash=row.hash,
    )  # fmt: skip
    return vars(message)  # asdict would copy every body, of which nothing is changed


def fits(message: Message, body: str) -> bool:
    """Tell whether a message is what its hash says, or what was left of that (rule 5); body: its canonical text."""
    if FORGOTTEN in message.body:
        left = {key: value for key, value in message.body.items() if key != FORGOTTEN}
        return bool(message.body[FORGOTTEN] == digest.of(message.hash + canonical(left), message.hash))
    return message.hash == hash_of(message, body, message.hash)


def text_fits(id: str, topic: str, version: int, made_at: str, business_day: str, text: str, hash: str) -> bool:
    """Tell of a stored message whether its hash fits what is stored; text: its body as it lies there."""
    if f'"{FORGOTTEN}":' in text:
        try:
            return fits(Message(id, 0, topic, version, made_at, business_day, json.loads(text), hash), text)
        except (TypeError, ValueError):
            return False
    return _content_hash(id, topic, version, made_at, business_day, text, hash) == hash


def emptied(hash: str, left: dict[str, Any]) -> str:
    """Return the text of a body that is left without its people, sealed to the hash it had (rule 5)."""
    return canonical({**left, FORGOTTEN: digest.of(hash + canonical(left), hash)})


def hash_of(message: Message, body: str, like: str | None = None) -> str:
    """Return the hash of a message's content; body: its canonical text, made once. like: as `digest.of`."""
    return _content_hash(message.id, message.topic, message.version, message.made_at, message.business_day, body, like)


def chain(head: str, hash: str) -> str:
    """Return the head that follows `head` when content `hash` is appended (`digest` rule 2)."""
    return digest.of(head + hash, hash)


# --- inside ---


def _pending(to_node: str, but: Collection[str] = ()) -> list[sa.ColumnElement[bool]]:
    left_out = [OutboxMessage.id.not_in(but)] if but else []
    return [OutboxMessage.to_node == to_node, OutboxMessage.state == "pending", *left_out]


def _first_pending(session: Session, to_node: str, but: Collection[str] = ()) -> OutboxMessage | None:
    """Return the first pending message of the epoch that has waited longest."""
    first = sa.select(OutboxMessage.epoch, sa.func.min(OutboxMessage.n)).where(*_pending(to_node, but))
    rows = [
        session.scalars(
            sa.select(OutboxMessage).where(
                OutboxMessage.to_node == to_node, OutboxMessage.epoch == epoch, OutboxMessage.n == n
            )
        ).one()
        for epoch, n in session.execute(first.group_by(OutboxMessage.epoch)).all()
    ]
    return min(rows, key=lambda row: (row.made_at, row.n), default=None)


def _go_on(session: Session, rows: Sequence[OutboxMessage]) -> int:
    """Give messages of epochs that are over the next numbers of the present one; returns how many."""
    epoch = epoch_of(session)
    chains = {(row.to_node, each) for row in rows for each in (row.epoch, epoch)}
    heads = {one: _locked_head(session, *one) for one in sorted(chains)}
    for row in rows:
        heads[row.to_node, row.epoch].moved += 1
        head = heads[row.to_node, epoch]
        head.n, head.head = head.n + 1, chain(head.head, row.hash)
        row.epoch, row.n, row.head, row.reason = epoch, head.n, head.head, None
    session.flush()
    move_many(session, OutboxMessage, "pending", OutboxMessage.id.in_([row.id for row in rows]))
    return len(rows)


def _locked_head(session: Session, to_node: str, epoch: str) -> OutboxHead:
    """Return the head of a chain as it stands, its row made where there is none, and nobody else's to move."""
    mine = sa.select(OutboxHead).where(OutboxHead.to_node == to_node, OutboxHead.epoch == epoch)
    query = lock_rows(session, mine).execution_options(populate_existing=True)
    session.flush()
    head = session.scalar(query)
    if head is None:
        _first_head(session, to_node, epoch)
        head = session.scalars(query).one()
    return head


def _first_head(session: Session, to_node: str, epoch: str) -> tuple[int, str]:
    """Begin a chain; of two that begin it at one instant the second waits and goes on from the first."""
    head = insert_into(OutboxHead, dialect_of(session)).values(to_node=to_node, epoch=epoch, n=0, head=GENESIS, moved=0)
    session.execute(head.on_conflict_do_nothing())
    n, first = _HEAD_OF.first(session, {"to": to_node, "in_epoch": epoch})
    return n, first


def _content_hash(
    id: str, topic: str, version: int, made_at: str, business_day: str, body: str, like: str | None = None
) -> str:
    """Return the hash of the canonical list of these values; body: its canonical text, made once."""
    values = canonical([id, topic, version, made_at, business_day])
    return digest.of(f"{values[:-1]},{body}]", like)


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")


_message, _head = table_of(OutboxMessage), table_of(OutboxHead)
_TO_ONE = (_head.c.to_node == sa.bindparam("to"), _head.c.epoch == sa.bindparam("in_epoch"))
# every sale writes here, so the statements are made once
_HEAD_OF = Prepared(sa.select(_head.c.n, _head.c.head).where(*_TO_ONE).with_for_update())
_APPEND = Prepared(sa.insert(_message))
_MOVE_HEAD = Prepared(sa.update(_head).where(*_TO_ONE).values(n=sa.bindparam("to_n"), head=sa.bindparam("to_head")))
