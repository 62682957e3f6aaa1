"""Facts that have arrived: taken once, set aside with a reason, or kept as a contradiction.

Rules
-----
1. The receiver keeps id, number, hash and body in the transaction of the effect. Of one node the same id with the same
   hash is "already"; the same id with another hash, or the same number with another id, is parked with an alarm, never
   dropped (I16). Its number is heard all the same: the head goes on over it, or nothing behind it would ever be asked
   for. So does a message heard before under another number. Another node's id is another fact: who says it first keeps
   nobody's own out.
2. A row that cannot be applied is parked beside the others and shown at both nodes; it never blocks the rest. Sent
   again, or after an upgrade (`try_parked`), it is tried again.
3. Any order and any repetition of deliveries gives the same state (I15, K9).
4. A batch is taken under the lock of its sender's head: two deliveries of one node wait for each other, those of
   different nodes do not. What a `bulk` can write all at once is; what it leaves, or trips over, goes one by one, and
   both roads lead to the same rows.
5. A fact with a figure that no store can have is set aside whatever it tells of: one such row, added up with the
   others, would stop the sums of all stores. So is one with NUL in a text: SQLite stores it, PostgreSQL does not.
6. What is set aside may be turned down by a person: it is kept, applied by no retry, and may still be taken in later.
"""

import datetime as dt
import json
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.bulk import write_many
from config.database import Base, among, insert_into, lock_rows
from config.errors import DomainError, kept
from config.nodes import door, signing_keys
from config.nodes.append_only import append_only
from config.nodes.journal import GENESIS, Actor, Context, amending, canonical, move_many
from config.nodes.node import Peer, this_node
from config.nodes.outbox import Message, chain, fits
from config.states import StateTable
from config.words import N_

log = structlog.get_logger()
ABSURD, NUL = N_("it contains an impossible number"), N_("it contains a NUL character, which is not allowed")
UNFIT = N_("the content does not match its hash")
FACT_FAULTS = (DomainError, sa.exc.SQLAlchemyError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Faults of one fact. An OperationalError is the database's and is raised."""
Effect = Callable[[Session, Message], None]
Bulk = Callable[[Session, Sequence[Message]], Sequence[Message]]
"""Writes many facts at once and returns those it leaves to be taken one by one."""
NUMBER_USED, CONTENT_DIFFERS = "number-used", "content-differs"
PARKED, TURNED_DOWN = "parked", "turned_down"
DECLINED = "turned-down"
"""The kind of the outcome of a fact that was turned down (rule 6)."""
STATES = StateTable(
    "arrived message", PARKED, {PARKED: ["taken", TURNED_DOWN], TURNED_DOWN: ["taken", PARKED], "taken": []},
    resting=[PARKED, TURNED_DOWN],
)  # fmt: skip
LOOKED_AT = 500
LOGGED_STEPS = 4
MOST_KEPT = 4_000
"""A refusal longer than this is kept as its reason alone."""


@append_only("state", "reason", "refusal", "batch")
class InboxMessage(Base):
    """A fact of another node that has arrived: taken, or parked with its reason."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "inbox_message"
    __table_args__ = (sa.UniqueConstraint("from_node", "epoch", "n"),)

    from_node: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
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
    refusal: Mapped[dict[str, Any] | None]
    """The refusal behind the reason (`errors.kept`)."""
    received_at: Mapped[dt.datetime]
    batch: Mapped[str | None]
    """The signed batch it came in (`config/nodes/signing_keys.py`); None where its node signed nothing yet."""


class InboxHead(Base):
    """How far another node's facts have arrived: how many in all, and the end of the part without gaps."""

    __tablename__ = "inbox_head"

    from_node: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    n: Mapped[int]
    head: Mapped[str]
    sent: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many the sender says it has written; what is missing here is still on its way."""


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


class Arrival(NamedTuple):
    """Messages as they came.

    sent: how many the node says it has written in the epoch; batch: under which signature they came.
    """

    from_node: str
    epoch: str
    messages: Sequence[Message]
    sent: int = 0
    batch: str | None = None


class Outcome(NamedTuple):
    """What became of an arrived message: taken | already | parked. kind says why in a stable word."""

    state: str
    reason: str | None = None
    kind: str = ""
    refusal: dict[str, Any] | None = None


# --- verbs ---


def take(
    session: Session, arrival: Arrival, effect: Effect, *, at: dt.datetime, bulk: Bulk | None = None
) -> list[Outcome]:
    """Take a batch of arrived messages (rules 1 to 4); one outcome each, in their order. The caller commits."""
    from_node, epoch, messages, batch = arrival.from_node, arrival.epoch, arrival.messages, arrival.batch
    head = _head_of(session, from_node, epoch)
    known, used = _heard(session, from_node, epoch, messages)
    outcomes: dict[int, Outcome] = {}
    fresh: dict[str, tuple[int, Message, str]] = {}  # id -> place in the batch, message, canonical body
    repeats: list[int] = []
    signed_late: list[str] = []
    for place, message in enumerate(messages):
        first = fresh.get(message.id)
        before = known.get(message.id)
        if first is not None and first[1].hash == message.hash:
            repeats.append(place)
        elif before is not None and before.hash == message.hash:
            if batch is not None and before.batch is None:
                signed_late.append(message.id)
            if (before.epoch, before.n) != (epoch, message.n) and message.n not in used:
                _alarm(session, from_node, epoch, message, f"it had come before as number {before.n}", at)
            outcomes[place] = _heard_before(session, from_node, message, effect, before, at)
        elif first is not None or before is not None or used.get(message.n, message.id) != message.id:
            is_known = first is not None or before is not None
            outcomes[place] = _contradiction(session, from_node, epoch, message, is_known, at)
        else:
            used[message.n] = message.id
            fresh[message.id] = place, message, canonical(message.body)
    outcomes |= _take_fresh(session, fresh, effect, bulk)
    if signed_late:
        late = InboxMessage.from_node == from_node, among(session, InboxMessage.id, signed_late)
        session.execute(sa.update(InboxMessage).where(*late).values(batch=batch))
    _keep(session, from_node, epoch, [(*entry[1:], outcomes[entry[0]]) for entry in fresh.values()], at, batch)
    head.sent = max(head.sent, arrival.sent)
    if messages:
        _advance(session, head, [message for _, message, _ in fresh.values()])
    for place in repeats:
        outcome = outcomes[fresh[messages[place].id][0]]
        outcomes[place] = outcome if outcome.state == "parked" else Outcome("already")
    return [outcomes[place] for place in range(len(messages))]


def try_parked(
    session: Session, from_node: str, effect: Effect, *, why: str = "", most: int | None = None
) -> tuple[int, int]:
    """Try a node's parked messages again; (how many were taken, how many still wait). why, most: which."""
    waiting = waiting_of(session, from_node, why=why, most=most)
    taken = take_in(session, from_node, [message.id for message in waiting], effect)
    return len(taken), len(waiting) - len(taken)


def take_in(session: Session, from_node: str, ids: Collection[str], effect: Effect) -> list[str]:
    """Try some messages that were set aside or turned down again, in their order; return the ids that were taken."""
    return [
        row.id
        for row in set_aside(session, from_node, ids)
        if _again(session, from_node, inbox_message(row), effect).state == "taken"
    ]


def turn_down(session: Session, from_node: str, ids: Collection[str]) -> list[str]:
    """Turn down messages that were set aside (rule 6), for the reason they were; return the ids that changed."""
    rows = [row for row in set_aside(session, from_node, ids) if row.state == PARKED]
    for row in rows:
        row.reason = f"{DECLINED}: {row.reason or ''}"
    session.flush()
    turned = [row.id for row in rows]
    move_many(session, InboxMessage, TURNED_DOWN, InboxMessage.from_node == from_node, InboxMessage.id.in_(turned))
    return turned


# --- questions ---


def received_head(session: Session, from_node: str, epoch: str) -> tuple[int, int, str]:
    """Return (count, contiguous n, head at n) of what has arrived from `from_node` in `epoch`."""
    row = session.get(InboxHead, (from_node, epoch))
    return (row.count, row.n, row.head) if row else (0, 0, GENESIS)


def taken_of(session: Session, from_node: str, ids: Sequence[str]) -> dict[str, str]:
    """Return id -> hash of those of a node's messages that are taken."""
    query = sa.select(InboxMessage.id, InboxMessage.hash).where(
        InboxMessage.from_node == from_node, InboxMessage.id.in_(ids), InboxMessage.state == "taken"
    )
    return dict(session.execute(query).all())


def declined_of(session: Session, from_node: str, ids: Sequence[str]) -> dict[str, str]:
    """Return id -> reason of those of a node's messages that were turned down."""
    query = sa.select(InboxMessage.id, InboxMessage.reason).where(
        InboxMessage.from_node == from_node, InboxMessage.id.in_(ids), InboxMessage.state == TURNED_DOWN
    )
    return {id_: reason or "" for id_, reason in session.execute(query)}


def waiting_of(session: Session, from_node: str, *, why: str = "", most: int | None = None) -> list[Message]:
    """Return what of a node was set aside and waits.

    why: only what was set aside for this reason, a code, the oldest business days first; most: so many at once.
    """
    query = sa.select(InboxMessage).where(InboxMessage.from_node == from_node, InboxMessage.state == PARKED)
    if why:
        query = query.where(InboxMessage.reason.startswith(f"{why}: ")).order_by(InboxMessage.business_day)
    return [
        inbox_message(row) for row in session.scalars(query.order_by(InboxMessage.epoch, InboxMessage.n).limit(most))
    ]


def set_aside(session: Session, from_node: str, ids: Collection[str]) -> list[InboxMessage]:
    """Return those of a node's messages that were set aside or turned down, in the order they were written."""
    query = sa.select(InboxMessage).where(
        InboxMessage.from_node == from_node, among(session, InboxMessage.id, list(ids)),
        InboxMessage.state.in_((PARKED, TURNED_DOWN)),
    )  # fmt: skip
    rows = session.scalars(lock_rows(session, query).execution_options(populate_existing=True)).all()
    return sorted(rows, key=lambda row: (row.received_at, row.epoch, row.n))


def reported_after(
    session: Session, from_node: str, epoch: str, n: int, most: int, most_bytes: int
) -> list[dict[str, Any]]:
    """Return a node's next messages after number `n` as they travelled, taken or set aside: it has lost them itself.

    Each says in which signed batch it came; what other hands may have signed stays here.
    """
    query = sa.select(InboxMessage).where(
        InboxMessage.from_node == from_node, InboxMessage.epoch == epoch, InboxMessage.n > n,
        sa.or_(InboxMessage.batch.is_(None), InboxMessage.batch.not_in(signing_keys.doubted(from_node))),
    )  # fmt: skip
    rows: list[dict[str, Any]] = []
    size = 0
    for row in session.scalars(query.order_by(InboxMessage.n).limit(most)):
        size += len(row.body)
        if rows and size > most_bytes:
            break
        rows.append(vars(inbox_message(row)) | {"batch": row.batch or ""})
    return rows


def is_repeated() -> sa.ColumnElement[bool]:
    """Return the condition that what raised an alarm is here with the same content, under another number."""
    return sa.exists().where(
        InboxMessage.from_node == InboxAlarm.from_node, InboxMessage.id == InboxAlarm.message_id,
        InboxMessage.hash == InboxAlarm.hash,
    )  # fmt: skip


def heard_in_full(node_id: Any, since: Any) -> sa.ColumnElement[bool]:
    """Return the condition that a node was heard from at a moment or later, with nothing it wrote still on its way.

    node_id, since: columns or values.
    """
    under_way = sa.exists().where(
        InboxHead.from_node == Peer.id, InboxHead.epoch == Peer.epoch, InboxHead.sent > InboxHead.count
    )
    return sa.exists().where(Peer.id == node_id, Peer.heard_at >= since, ~under_way)


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


# --- inside ---


def _head_of(session: Session, from_node: str, epoch: str) -> InboxHead:
    """Return the head of a node's epoch, its row made where there is none and locked (rule 4)."""
    query = sa.select(InboxHead).where(InboxHead.from_node == from_node, InboxHead.epoch == epoch)
    locked = lock_rows(session, query).execution_options(populate_existing=True)
    session.flush()
    head = session.scalar(locked)
    if head is None:
        first = {"from_node": from_node, "epoch": epoch, "count": 0, "n": 0, "head": GENESIS, "sent": 0}
        session.execute(insert_into(InboxHead, session.get_bind().dialect.name).values(first).on_conflict_do_nothing())
        head = session.scalars(locked).one()
    return head


def _heard(
    session: Session, from_node: str, epoch: str, messages: Sequence[Message]
) -> tuple[dict[str, Any], dict[int, str]]:
    """Return what is here already of these messages: (id -> its row, number in the epoch -> its id)."""
    row, numbers = InboxMessage, [message.n for message in messages]
    first, last = min(numbers, default=0), max(numbers, default=0)
    is_dense = last - first < 2 * len(numbers)  # numbers mostly come in a row, and a span is cheaper than a list
    some = row.n.between(first, last) if is_dense else among(session, row.n, numbers)
    query = sa.select(row.id, row.hash, row.state, row.epoch, row.n, row.reason, row.batch).where(
        row.from_node == from_node,
        sa.or_(among(session, row.id, [message.id for message in messages]), sa.and_(row.epoch == epoch, some)),
    )
    rows = session.execute(query).all()
    return {row.id: row for row in rows}, {row.n: row.id for row in rows if row.epoch == epoch}


def _take_fresh(
    session: Session, fresh: dict[str, tuple[int, Message, str]], effect: Effect, bulk: Bulk | None
) -> dict[int, Outcome]:
    outcomes, whole = {}, {}
    for place, message, body in fresh.values():
        if not fits(message, body):
            outcomes[place] = Outcome("parked", UNFIT)
        elif (odd := _oddity(message.body, body)) is not None:
            outcomes[place] = Outcome("parked", odd)
        else:
            whole[message.id] = place, message
    left = [message for _, message in whole.values()]
    if bulk is not None and len(left) > 1:
        left = _all_at_once(session, left, bulk)
    for message in left:
        outcomes[whole[message.id][0]] = _try(session, message, effect)
    return {place: Outcome("taken") for place, _ in whole.values()} | outcomes


def _oddity(body: Any, text: str) -> str | None:
    """Return why a body is set aside whatever its topic (rule 5), or None. text: its canonical form."""
    if not _is_sane(body):
        return ABSURD
    # the canonical text is at hand and fast to look through; a backslash before "u0000" can be a letter of its own
    return NUL if "\\u0000" in text and _holds_nul(body) else None


def _holds_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any("\x00" in name or _holds_nul(one) for name, one in value.items())
    if isinstance(value, list):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\x00" in value


def _is_sane(value: Any) -> bool:
    """Tell whether no number in a body is larger than door.MOST, nor none at all (rule 5)."""
    # every sale comes through here: most of a body is looked at without a call of its own
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else (value,):
        kind = type(one)
        if kind is dict or kind is list:
            if not _is_sane(one):
                return False
        elif (kind is int or kind is float) and not -door.MOST <= one <= door.MOST:
            return False
    return True


def _all_at_once(session: Session, messages: list[Message], bulk: Bulk) -> list[Message]:
    """Return what is left to be taken one by one: all of it where the bulk tripped (rule 4)."""
    try:
        with session.begin_nested():
            left = list(bulk(session, messages))
            session.flush()
    except sa.exc.OperationalError:
        raise
    except FACT_FAULTS:
        return messages  # one of them is odd: each for itself says which
    return left


def _heard_before(
    session: Session, from_node: str, message: Message, effect: Effect, before: Any, at: dt.datetime
) -> Outcome:
    """Return what becomes of a message that is here already: only what is set aside is tried again."""
    if before.state == TURNED_DOWN:
        return Outcome("parked", before.reason, DECLINED)
    return _again(session, from_node, message, effect, at) if before.state == PARKED else Outcome("already")


def _again(
    session: Session, from_node: str, message: Message, effect: Effect, at: dt.datetime | None = None
) -> Outcome:
    row = session.get_one(InboxMessage, (from_node, message.id))
    if not message.is_whole():
        outcome = Outcome("parked", UNFIT)
    else:
        oddity = _oddity(message.body, canonical(message.body))
        outcome = Outcome("parked", oddity) if oddity else _try(session, message, effect)
    row.reason, row.refusal = outcome.reason, outcome.refusal
    if row.state != outcome.state:
        mine = (InboxMessage.from_node == from_node, InboxMessage.id == message.id)
        move_many(session, InboxMessage, outcome.state, *mine)
    if at is not None and message.is_whole() and row.body != (body := canonical(message.body)):
        actor = Actor.system("inbox", this_node(session).id)
        subject, why = f"message:{message.id}", "it came damaged, and now whole"
        with amending(Context(session, actor, at), subject, why, rows=[row]):
            row.body = body
    session.flush()
    return outcome


def _contradiction(
    session: Session, from_node: str, epoch: str, message: Message, is_known: bool, at: dt.datetime
) -> Outcome:
    reason = N_("the same ID arrived with different content") if is_known else f"number-used: {message.n}"
    _alarm(session, from_node, epoch, message, reason, at)
    return Outcome("parked", reason, CONTENT_DIFFERS if is_known else NUMBER_USED)


def _alarm(session: Session, from_node: str, epoch: str, message: Message, reason: str, at: dt.datetime) -> None:
    session.merge(
        InboxAlarm(
            from_node=from_node, message_id=message.id, hash=message.hash, epoch=epoch, n=message.n,
            body=canonical(message.body), reason=reason, at=at,
        )
    )  # fmt: skip


def _try(session: Session, message: Message, effect: Effect) -> Outcome:
    try:
        with session.begin_nested():
            effect(session, message)
            session.flush()
    except DomainError as refusal:
        said = kept(refusal)
        fitting = said if len(json.dumps(said)) <= MOST_KEPT else None
        return Outcome("parked", f"{refusal.code}: {refusal.message}", refusal=fitting)
    except sa.exc.OperationalError:
        raise  # the database is busy or away: not the fact's fault, it comes again
    except FACT_FAULTS as fault:
        _note(message, fault)
        # The savepoint is undone; a fact we cannot read waits for a person instead of blocking the rest (rule 2).
        return Outcome("parked", f"not-kept: {message.topic}: one of its fields cannot be kept.")
    return Outcome("taken")


def _note(message: Message, fault: Exception) -> None:
    """Log where a fact tripped the code, without what it says: the fault may be ours and not the sender's."""
    steps = reversed(traceback.extract_tb(fault.__traceback__, limit=-LOGGED_STEPS))
    place = " < ".join(f"{Path(step.filename).name}:{step.lineno}" for step in steps)
    log.warning("a fact could not be applied", topic=message.topic, fault=type(fault).__name__, place=place)


def _keep(
    session: Session,
    from_node: str,
    epoch: str,
    entries: list[tuple[Message, str, Outcome]],
    at: dt.datetime,
    batch: str | None,
) -> None:
    write_many(
        session,
        InboxMessage,
        [
            {
                "id": message.id, "from_node": from_node, "epoch": epoch, "n": message.n, "topic": message.topic,
                "version": message.version, "made_at": message.made_at, "business_day": message.business_day,
                "body": body, "hash": message.hash, "state": outcome.state, "reason": outcome.reason,
                "refusal": outcome.refusal, "received_at": at, "batch": batch,
            }
            for message, body, outcome in entries
        ],
    )  # fmt: skip


def _advance(session: Session, head: InboxHead, fresh: Sequence[Message]) -> None:
    """Move the end of the part without gaps on over what was kept, as a message or with an alarm (rule 1).

    fresh: what came new, kept already.
    """
    session.flush()
    head.count += len(fresh)
    head.n, head.head = _followed(head.n, head.head, {message.n: message.hash for message in fresh})
    moved = LOOKED_AT
    while moved == LOOKED_AT:  # what came earlier and waited for these
        beyond = [
            sa.select(kind.n, kind.hash, sa.literal(kind is InboxAlarm).label("is_alarm"))
            .where(kind.from_node == head.from_node, kind.epoch == head.epoch, kind.n > head.n)
            .order_by(kind.n)
            .limit(LOOKED_AT)
            for kind in (InboxMessage, InboxAlarm)
        ]
        heard = sa.union_all(*(some.subquery().select() for some in beyond))
        rows = sorted(session.execute(heard), key=lambda row: not row.is_alarm)
        following = {n: hash_ for n, hash_, _ in rows}  # of a number used twice the first counts
        before = head.n
        head.n, head.head = _followed(before, head.head, following)
        moved = head.n - before
    session.flush()


def _followed(n: int, end: str, following: Mapping[int, str]) -> tuple[int, str]:
    """Return the last number and the head of a chain that ends at `n`, after as many of these as follow it."""
    before = n
    while (hash_ := following.get(n + 1)) is not None and n - before < LOOKED_AT:
        n, end = n + 1, chain(end, hash_)
    return n, end
