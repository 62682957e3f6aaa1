"""Leave for the network to look into a store: given by the shopkeeper, for some hours, taken back at any time.

Rules
-----
1. Only the store gives leave, for 1 to 72 hours, and may take it back at once. Without leave the network's people see
   no more of a store than they do of all.
2. To look is to read: nothing of the store is changed by it. Each look is opened by name, journalled at the network and
   told to the store, whose own journal then says who looked and when; it is good for LOOK, and then opened again.
3. While leave lasts the store sends how its node is and what its journal said last (`reported`); the network forgets it
   when the leave is over.

Units: instants aware.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import AfterValidator, Field
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import as_utc
from config.database import Base, lock_rows
from config.errors import Invalid, NotFound, Refused
from config.ids import NETWORK, new_id
from config.nodes import journal
from config.nodes.facts import STORE, Fact, Instant, Whole, applies
from config.nodes.journal import Actor, Context, JournalEntry
from pos.store.store import send_fact

LONGEST_HOURS = 72
LOOK = dt.timedelta(minutes=30)
MOST_ENTRIES, MOST_WORDS, MOST_SAID, LONGEST = 30, 60, 20, 300
"""So much a store says of its node at most, and so many letters in one text of it."""


def _fact(value: Any) -> Any:
    if not isinstance(value, str | int | float) or len(f"{value}") > LONGEST:
        raise ValueError
    return value


Text = Annotated[str, Field(max_length=LONGEST)]
Said = tuple[Text, Annotated[dict[Text, Annotated[Any, AfterValidator(_fact)]], Field(max_length=MOST_SAID)]]
"""(code of a sentence, its facts)"""


@dataclass(frozen=True)
class NodeWord:
    """What a node found about one thing."""

    light: Annotated[str, Field(pattern="^(good|warn|bad)$")]
    said: Annotated[list[Said], Field(max_length=MOST_SAID)]


@dataclass(frozen=True)
class NodeEntry:
    """An entry of a node's journal without its facts: no names of customers, no figures."""

    at: Instant
    who: Text
    verb: Text


@dataclass(frozen=True)
class NodeState:
    """How a node is; empty where no leave lasts."""

    at: Instant | None = None
    words: Annotated[Sequence[NodeWord], Field(max_length=MOST_WORDS)] = ()
    journal: Annotated[Sequence[NodeEntry], Field(max_length=MOST_ENTRIES)] = ()


class SupportReported(Fact, topic="support.reported", said_by=STORE):
    """Leave to look into a store, and how its node is while it lasts; the highest step stands."""

    store_id: str
    id: Text
    words: Text
    given_by: Text
    given_at: Instant
    until: Instant
    ended_at: Instant | None
    step: Whole
    reported: NodeState


class SupportLooked(Fact, topic="support.looked", said_by=NETWORK):
    """Who looks into a store, and until when."""

    store_id: str
    id: str
    leave_id: str
    actor_id: str
    actor_name: str
    at: Instant
    until: Instant


class SupportPermission(Base):
    """Leave of a store. ended_at: when it was taken back. step: how often it was told; the highest one stands."""

    __tablename__ = "support_permission"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    words: Mapped[str]
    """What the shopkeeper asks to be looked at."""
    given_by: Mapped[str]
    given_at: Mapped[dt.datetime]
    until: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    step: Mapped[int] = mapped_column(default=0)
    reported: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """At the network: how the store's node is (rule 3)."""


class SupportVisit(Base):
    """A look into a store, by whom and until when; kept on both nodes."""

    __tablename__ = "support_visit"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    leave_id: Mapped[str]
    actor_id: Mapped[str]
    actor_name: Mapped[str]
    at: Mapped[dt.datetime]
    until: Mapped[dt.datetime]


# --- verbs, store ---


def give(ctx: Context, store_id: str, hours: int, words: str, state: NodeState) -> SupportPermission:
    """Give leave for some hours (rule 1); leave that is in force is lengthened. state: how the node is (rule 3)."""
    if not 1 <= hours <= LONGEST_HOURS:
        raise Invalid("bad-leave", "Choose 1 to %(most)s hours.", field="hours", most=LONGEST_HOURS)
    until, row = ctx.at + dt.timedelta(hours=hours), in_force(ctx.session, store_id, ctx.at)
    if row is None:
        row = SupportPermission(
            store_id=store_id,
            id=new_id(),
            words="",
            given_by=ctx.actor.name,
            given_at=ctx.at,
            until=until,
            step=0,
            reported={},
        )
        ctx.session.add(row)
    row.words, row.until = " ".join(words.split())[:LONGEST], max(as_utc(row.until), until)
    ctx.session.flush()
    journal.record(ctx, verb="support.given", subject=f"support:{row.id}", until=row.until, words=row.words)
    send(ctx.session, row, state, ctx.at)
    return row


def take_back(ctx: Context, store_id: str) -> None:
    """Take leave back at once (rule 1); without any this does nothing."""
    row = in_force(ctx.session, store_id, ctx.at)
    if row is not None:
        row.ended_at = ctx.at
        journal.record(ctx, verb="support.taken_back", subject=f"support:{row.id}")
        send(ctx.session, row, NodeState(), ctx.at)


def send(session: Session, row: SupportPermission, state: NodeState, at: dt.datetime) -> None:
    """Tell the network of leave, and how the node is while it lasts (rule 3)."""
    row.step += 1
    session.flush()
    send_fact(session, SupportReported.of_row(row, reported=state), subject=f"support:{row.id}", at=at)


@applies(SupportLooked)
def take_looked(ctx: Context, fact: SupportLooked) -> None:
    """Write who of the network looks into this store, into its own journal (rule 2); a second copy changes nothing."""
    if ctx.session.get(SupportVisit, (fact.store_id, fact.id)) is not None:
        return
    ctx.session.add(SupportVisit(**vars(fact)))
    journal.record(
        Context(ctx.session, Actor(fact.actor_id, fact.actor_name, "operator", fact.store_id), ctx.at),
        verb="support.looked",
        subject=f"support:{fact.leave_id}",
        looked_at=fact.at,
        until=fact.until,
    )


# --- verbs, network ---


@applies(SupportReported)
def take_reported(ctx: Context, fact: SupportReported) -> None:
    """Take over a store's leave; an older word changes nothing."""
    row = ctx.session.get(SupportPermission, (fact.store_id, fact.id))
    if row is not None and row.step >= fact.step:
        return
    ctx.session.merge(SupportPermission(**vars(fact) | {"reported": fact.to_body()["reported"]}))
    ctx.session.flush()


def look(ctx: Context, store_id: str) -> SupportVisit:
    """Open a look into a store (rule 2); Refused without its leave. A look that is open is not opened twice."""
    leave = ctx.session.scalar(
        lock_rows(
            ctx.session, sa.select(SupportPermission).where(*_live(store_id, ctx.at)).order_by(SupportPermission.id)
        )
    )
    if leave is None:
        raise Refused("no-leave", "This store has not granted access. Ask the shopkeeper.", store=store_id)
    if (known := looking(ctx, store_id)) is not None:
        return known
    row = SupportVisit(
        store_id=store_id, id=new_id(), leave_id=leave.id, actor_id=ctx.actor.id, actor_name=ctx.actor.name, at=ctx.at,
        until=min(ctx.at + LOOK, as_utc(leave.until)),
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    journal.record(ctx, verb="support.looked", subject=f"store:{store_id}", leave=leave.id)
    send_fact(ctx.session, SupportLooked.of_row(row), subject=f"support:{leave.id}", id=f"look-{row.id}", at=ctx.at)
    return row


def forget(session: Session, *, at: dt.datetime) -> int:
    """Forget what stores told of themselves under leave that is over (rule 3); returns of how many."""
    over = sa.or_(SupportPermission.until <= at, SupportPermission.ended_at.is_not(None))
    rows = [row for row in session.scalars(sa.select(SupportPermission).where(over)) if row.reported]
    for row in rows:
        row.reported = {}
    return len(rows)


# --- questions ---


def in_force(session: Session, store_id: str, at: dt.datetime) -> SupportPermission | None:
    """Return the leave of a store that is in force, None without."""
    return session.scalars(
        sa.select(SupportPermission).where(*_live(store_id, at)).order_by(SupportPermission.until.desc())
    ).first()


def looking(ctx: Context, store_id: str) -> SupportVisit | None:
    """Return the look a person has open into a store whose leave is in force."""
    if in_force(ctx.session, store_id, ctx.at) is None:
        return None
    query = sa.select(SupportVisit).where(
        SupportVisit.store_id == store_id, SupportVisit.actor_id == ctx.actor.id, SupportVisit.until > ctx.at
    )
    return ctx.session.scalars(query.order_by(SupportVisit.until.desc())).first()


def require_look(ctx: Context, store_id: str) -> SupportPermission:
    """Return the leave under which a person looks; NotFound where they have opened no look."""
    found = looking(ctx, store_id)
    leave = in_force(ctx.session, store_id, ctx.at)
    if found is None or leave is None:
        raise NotFound("no-look", "Open the visit first, so the store can see who is looking.", store=store_id)
    return leave


def looks_of(session: Session, store_id: str, limit: int = 20) -> list[SupportVisit]:
    """Return who looked into a store, the newest first."""
    query = sa.select(SupportVisit).where(SupportVisit.store_id == store_id).order_by(SupportVisit.at.desc())
    return list(session.scalars(query.limit(limit)))


def last_entries(session: Session, node_id: str) -> list[NodeEntry]:
    """Return what a node's journal said last."""
    rows = session.scalars(
        sa.select(JournalEntry)
        .where(JournalEntry.node_id == node_id)
        .order_by(JournalEntry.n.desc())
        .limit(MOST_ENTRIES)
    )
    return [NodeEntry(as_utc(row.at), row.actor_name[:LONGEST], row.verb[:LONGEST]) for row in rows]


# --- inside ---


def _live(store_id: str, at: dt.datetime) -> list[sa.ColumnElement[bool]]:
    return [SupportPermission.store_id == store_id, SupportPermission.until > at, SupportPermission.ended_at.is_(None)]
