"""Who did what: the store's tamper-evident journal, and the hand that changes a state.

Rules
-----
1. Every verb leaves an entry: who, when, what, on which subject, with the facts.
2. Entries of a node form a chain: each hash covers the entry's values and the hash before it, so an edit, a
   deletion, an insertion or a swap breaks it; the chain's head names its end, so a cut-off tail shows too.
3. Three hands assign a state, and no other line does: `move()` refuses what the noun's table does not allow and leaves
   an entry; `mirror()` takes over the word of the node that made the move and journalled it; `move_many()` moves a
   queue in one statement, as far as the table allows, and leaves no entry.
4. `amending()` is the only door to append-only rows (`config/nodes/append_only.py`); it leaves an entry, too.
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import orjson
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import digest
from config.database import Base, dialect_of, insert_into, table_of
from config.errors import Invalid
from config.nodes import append_only, day_seals
from config.prepared import Prepared
from config.states import StateTable

GENESIS = "0" * 64


@dataclass(frozen=True)
class Actor:
    """Who acts: a member of staff, an operator, a customer, or the system on a job's behalf.

    node is the id of the node the actor acts on (a store's or the network's).
    """

    id: str
    name: str
    role: str
    node: str

    @classmethod
    def system(cls, job: str, node: str) -> "Actor":
        """Return the actor of a job."""
        return cls(id=f"job:{job}", name=job, role="system", node=node)


@dataclass(frozen=True, slots=True)
class Context:
    """In which transaction something is done, who does it, and when."""

    session: Session
    actor: Actor
    at: dt.datetime


@append_only.append_only()
class JournalEntry(Base):
    """One thing that was done."""

    __tablename__ = "journal_entry"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(index=True)
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    verb: Mapped[str]
    subject: Mapped[str] = mapped_column(index=True)
    body: Mapped[str]
    hash: Mapped[str]


class JournalHead(Base):
    """The end of a node's chain."""

    __tablename__ = "journal_head"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]
    hash: Mapped[str]


class HasState(Protocol):
    """A noun with a state table."""

    STATES: ClassVar[StateTable]
    state: Any


def canonical(body: Any) -> str:
    """Return the one JSON text of a value, as it is hashed and sent: sorted keys, no blanks, null for NaN."""
    try:
        return orjson.dumps(body, _plain, _SORTED).decode()
    except TypeError:  # an integer over 64 bits, half a letter, a key that is no text
        return _CANONICAL.encode(body)


def record(ctx: Context, *, verb: str, subject: str, **facts: Any) -> None:
    """Append an entry to the actor's node's chain."""
    record_many(ctx, [(verb, subject, facts)])


def record_many(ctx: Context, entries: Sequence[tuple[str, str, Mapping[str, Any]]]) -> None:
    """Append entries, each (verb, subject, facts), to the actor's node's chain, one after the other."""
    if not entries:
        return
    n, before = _HEAD_OF.first(ctx.session, {"node": ctx.actor.node}) or _first_head(ctx.session, ctx.actor.node)
    rows: list[dict[str, Any]] = []
    for verb, subject, facts in entries:
        n += 1
        entry = {
            "node_id": ctx.actor.node,
            "n": n,
            "at": ctx.at,
            "actor_id": ctx.actor.id,
            "actor_name": ctx.actor.name,
            "verb": verb,
            "subject": subject,
            "body": canonical(facts),
        }
        before = entry["hash"] = _hash(before, *entry.values())
        rows.append(entry)
    _APPEND.run(ctx.session, rows if len(rows) > 1 else rows[0])
    _MOVE_HEAD.run(ctx.session, {"node": ctx.actor.node, "to_n": n, "to_hash": before})


def move(ctx: Context, noun: HasState, target: str, *, subject: str, why: str | None = None, **facts: Any) -> None:
    """Move a noun to another state, or raise Conflict when its table does not allow it.

    subject: 'pickup:01H…', the noun as the journal names it.
    """
    before = noun.state
    noun.STATES.require(before, target)
    noun.state = target
    if why:
        facts["why"] = why
    record(ctx, verb=f"{noun.STATES.noun}.{target}", subject=subject, before=before, **facts)


def mirror(noun: HasState, state: str) -> None:
    """Let a copy stand where the original stands (rule 3), whatever it has missed on the way."""
    if state not in noun.STATES.moves:
        raise Invalid("unknown-state", "“%(state)s” is not one of its states.", state=f"{state:.40}")
    noun.state = state


def move_many(
    session: Session, kind: type[HasState], target: str, *which: sa.ColumnElement[bool], **values: Any
) -> int:  # fmt: skip
    """Move all that may go there (rule 3), with other values they get by it; returns how many."""
    may = [state for state in kind.STATES.moves if kind.STATES.legal(state, target)]
    moved = sa.update(kind).where(kind.state.in_(may), *which).values(state=target, **values)
    return int(session.execute(moved).rowcount)  # type: ignore[attr-defined]


@contextmanager
def amending(ctx: Context, subject: str, why: str, *, rows: Sequence[Base]) -> Iterator[None]:
    """Let this transaction change or delete append-only rows inside, and record that it did and why (rule 4).

    Forgetting a person's data, books put back from a copy and weeks moved between partitions need it; nothing else may.
    rows: those that change; the seals of their days follow, which is recorded too.
    """
    record(ctx, verb="books.amended", subject=subject, why=why)
    with day_seals.following(ctx.session, rows) as sealed, append_only.unlocked(ctx.session):
        yield
    if sealed:
        record(ctx, verb=day_seals.SEALED, subject=subject, why=why, sealed=sealed)


def newest(session: Session, verb: str, subject: str) -> tuple[dt.datetime, dict[str, Any]] | None:
    """Return when something was last done to a subject, and the facts of it; None where it never was."""
    query = sa.select(JournalEntry.at, JournalEntry.body).where(
        JournalEntry.subject == subject, JournalEntry.verb == verb
    )
    row = session.execute(query.order_by(JournalEntry.n.desc()).limit(1)).first()
    return None if row is None else (row.at, json.loads(row.body))


def search(node_id: str) -> sa.Select[Any]:
    """Return the query for a node's entries, the newest first."""
    return sa.select(JournalEntry).where(JournalEntry.node_id == node_id).order_by(JournalEntry.n.desc())


def holds(text: str) -> sa.ColumnElement[bool]:
    """Return the condition that every word stands in an entry's name, verb, subject or facts."""
    columns = (JournalEntry.actor_name, JournalEntry.verb, JournalEntry.subject, JournalEntry.body)
    found = (sa.or_(*(one.icontains(word, autoescape=True) for one in columns)) for word in text.split())
    return sa.and_(sa.true(), *found)


BY_PEOPLE = JournalEntry.actor_id.not_like("job:%")
"""The condition that an entry is no job's."""


def verify(session: Session, node_id: str) -> list[str]:
    """Walk a node's chain from its first entry; return what is broken and where, nothing when it holds."""
    before, expected = GENESIS, 1
    for entry in _entries(session, node_id):
        if entry.n != expected:
            return [f"entry {expected} is missing; the next one found is {entry.n}"]
        if entry.hash != _hash_of(entry, before):
            return [f"entry {entry.n} ({entry.verb} of {entry.at:%Y-%m-%d %H:%M}) was changed after it was written"]
        before, expected = entry.hash, expected + 1
    head = session.get(JournalHead, node_id)
    if (head.n if head else 0) != expected - 1:
        return [f"the journal ends at entry {expected - 1}, but {head.n if head else 0} were written"]
    if head is not None and head.hash != before:
        return ["the head of the chain does not fit the last entry"]
    return []


def _entries(session: Session, node_id: str) -> Iterator[JournalEntry]:
    query = sa.select(JournalEntry).where(JournalEntry.node_id == node_id).order_by(JournalEntry.n)
    yield from session.scalars(query.execution_options(yield_per=1000))


def _first_head(session: Session, node_id: str) -> Any:
    """Begin a node's chain; of two that begin it at one instant the second waits and goes on from the first."""
    head = insert_into(JournalHead, dialect_of(session)).values(node_id=node_id, n=0, hash=GENESIS)
    session.execute(head.on_conflict_do_nothing())
    return _HEAD_OF.first(session, {"node": node_id})


def _hash(before: str, *values: Any, like: str | None = None) -> str:
    """Return the hash of an entry: the one before it, then node_id, n, at, actor, verb, subject, body."""
    return digest.of(canonical([before, *values]), like)


def _hash_of(entry: JournalEntry, before: str) -> str:
    values = (entry.n, entry.at, entry.actor_id, entry.actor_name, entry.verb, entry.subject, entry.body)
    return _hash(before, entry.node_id, *values, like=entry.hash)


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat(timespec="microseconds")
    if isinstance(value, dt.date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no canonical form")


_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=_plain)
_entry, _head = table_of(JournalEntry), table_of(JournalHead)
# every verb writes here, so the statements are made once
_HEAD_OF = Prepared(sa.select(_head.c.n, _head.c.hash).where(_head.c.node_id == sa.bindparam("node")).with_for_update())
_APPEND = Prepared(sa.insert(_entry))
_MOVE_HEAD = Prepared(
    sa.update(_head)
    .where(_head.c.node_id == sa.bindparam("node"))
    .values(n=sa.bindparam("to_n"), hash=sa.bindparam("to_hash"))
)
