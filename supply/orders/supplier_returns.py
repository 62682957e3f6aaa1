"""Goods on their way back to the network: what is to go, what went, what came.

Rules
-----
1. A return is proposed with what may go back: the rest of goods on sale or return, or what the network wants back after
   a claim. The store sends it, or keeps the goods; after its last day it has kept them (`warehouse.returns`). One offer
   or claim has one return, which bears its id.
2. What the store hands over leaves its stock at once, and is the network's from then on. More than is proposed, or than
   is there, is refused.
3. The warehouse counts what came, and how much of it can be sold again; that count is the last word
   (`warehouse.returns`).

Units: quantities in stock units; pack_cost_minor per pack_qty units.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import NotFound
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.facts import STORE, Count, Day, Fact, Flag, Instant, Whole
from config.nodes.journal import Context
from config.states import StateTable
from pos.store.store import send_fact

STATES = StateTable(
    "goods return",
    "proposed",
    {"proposed": ["sent", "kept"], "sent": ["received"], "kept": [], "received": []},
)


@dataclass(frozen=True)
class ReportedLine:
    """A line of a return as it travels."""

    sku: str
    name: str
    pack_qty: Whole
    pack_cost_minor: Whole
    charged: Flag
    qty: Count
    sent_qty: Count | None
    received_qty: Count | None
    fit_qty: Count | None


class ReturnWord(Fact):
    """A return as the other node is told of it, whole."""

    store_id: str
    id: str
    source: str
    supplier_id: str
    sent_by: str
    received_by: str
    words: str
    send_by: Day
    sent_at: Instant | None
    lines: tuple[ReportedLine, ...]


class ReturnSent(ReturnWord, topic="return.sent", said_by=STORE):
    """The store has sent goods back."""


class ReturnReceived(ReturnWord, topic="return.received", said_by=NETWORK):
    """The warehouse has counted them."""


class SupplierReturn(Base):
    """Goods of one offer or claim that go back."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "supplier_return"
    __table_args__ = (sa.Index("ix_supplier_return_state", "state"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str]
    """push | claim: what it answers; the id is the offer's or the claim's."""
    supplier_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    proposed_at: Mapped[dt.datetime]
    send_by: Mapped[dt.date]
    """What is not sent by then is kept, and bought."""
    sent_at: Mapped[dt.datetime | None]
    sent_by: Mapped[str] = mapped_column(default="")
    received_at: Mapped[dt.datetime | None]
    received_by: Mapped[str] = mapped_column(default="")
    words: Mapped[str] = mapped_column(default="")
    """What the warehouse says of it."""


class SupplierReturnLine(Base):
    """One product of a return."""

    __tablename__ = "supplier_return_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "return_id"], ["supplier_return.store_id", "supplier_return.id"]),
        sa.CheckConstraint("qty > 0", name="qty_positive"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    return_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    charged: Mapped[bool]
    """The store was charged for it, so that it is credited when it comes."""
    qty: Mapped[int]
    sent_qty: Mapped[int | None]
    received_qty: Mapped[int | None]
    fit_qty: Mapped[int | None]
    """What of it can be sold again."""


@dataclass(frozen=True)
class Going:
    """A product that is to go back."""

    sku: str
    name: str
    qty: int
    pack_qty: int
    pack_cost_minor: int
    charged: bool


@dataclass(frozen=True)
class ReturnRequest:
    """What is to go back, why (source: network_offer | claim), to whom, and by when."""

    source: str
    supplier_id: str
    lines: Sequence[Going]
    send_by: dt.date


# --- verbs ---


def propose(ctx: Context, store_id: str, id: str, wanted: ReturnRequest) -> SupplierReturn:
    """Propose that goods go back (rule 1); the same again is the one that is there."""
    known = ctx.session.get(SupplierReturn, (store_id, id))
    if known is not None:
        return known
    made = SupplierReturn(
        store_id=store_id, id=id, source=wanted.source, supplier_id=wanted.supplier_id, state=STATES.first,
        proposed_at=ctx.at, send_by=wanted.send_by, sent_by="", received_by="", words="",
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    rows = [SupplierReturnLine(store_id=store_id, return_id=id, **vars(line)) for line in wanted.lines]
    ctx.session.add_all(rows)
    ctx.session.flush()
    units = sum(row.qty for row in rows)
    journal.record(ctx, verb="goods return.proposed", subject=subject_of(made), units=units)
    return made


def give_up(ctx: Context, store_id: str, id: str) -> bool:
    """Keep the goods of a return that was not sent; tells whether there was one."""
    found = ctx.session.get(SupplierReturn, (store_id, id))
    if found is None or found.state != "proposed":
        return False
    journal.move(ctx, found, "kept", subject=subject_of(found))
    ctx.session.flush()
    return True


def write_down(ctx: Context, fact: ReturnSent, lines: Iterable[Going]) -> SupplierReturn:
    """Write down at the network what a store has sent back; a second copy changes nothing."""
    made = ctx.session.get(SupplierReturn, (fact.store_id, fact.id))
    if made is None:
        wanted = ReturnRequest(fact.source, fact.supplier_id, [*lines], fact.send_by)
        made = propose(ctx, fact.store_id, fact.id, wanted)
    if made.state == "proposed":
        sent = {row.sku: row.sent_qty or 0 for row in fact.lines}
        note_sent(ctx, made, sent, by=fact.sent_by, sent_at=fact.sent_at or ctx.at)
    return made


def note_sent(ctx: Context, made: SupplierReturn, sent: dict[str, int], *, by: str, sent_at: dt.datetime) -> None:
    """Keep what was handed over of each line."""
    for line in lines_of(ctx.session, made):
        line.sent_qty = sent.get(line.sku, 0)
    made.sent_at, made.sent_by = sent_at, by
    units = sum(sent.values())
    journal.move(ctx, made, "sent", subject=subject_of(made), units=units)
    ctx.session.flush()


def note_received(
    ctx: Context, made: SupplierReturn, counts: dict[str, tuple[int, int]], *, words: str, by: str
) -> None:
    """Keep what the warehouse counted of each line: (came, fit to be sold)."""
    for line in lines_of(ctx.session, made):
        line.received_qty, line.fit_qty = counts.get(line.sku, (0, 0))
    made.received_at, made.received_by, made.words = ctx.at, by, words
    units = sum(came for came, _ in counts.values())
    journal.move(ctx, made, "received", subject=subject_of(made), units=units)
    ctx.session.flush()


# --- questions ---


def return_of(session: Session, store_id: str, return_id: str) -> SupplierReturn:
    """Return a store's return, locked; NotFound for any other."""
    query = sa.select(SupplierReturn).where(SupplierReturn.store_id == store_id, SupplierReturn.id == return_id)
    found: SupplierReturn | None = session.scalar(lock_rows(session, query))
    if found is None:
        raise NotFound("unknown-return", "Return not found at this store.", return_id=return_id)
    return found


def lines_of(session: Session, found: SupplierReturn) -> list[SupplierReturnLine]:
    """Return a return's lines, by name."""
    query = sa.select(SupplierReturnLine).where(
        SupplierReturnLine.store_id == found.store_id, SupplierReturnLine.return_id == found.id
    )
    return list(session.scalars(query.order_by(SupplierReturnLine.name, SupplierReturnLine.sku)))


def returns(session: Session, *states: str, store_id: str | None = None, limit: int = 60) -> list[SupplierReturn]:
    """Return the returns in some states, of one store or of all, what must go first first."""
    query = sa.select(SupplierReturn).where(SupplierReturn.state.in_(states))
    if store_id is not None:
        query = query.where(SupplierReturn.store_id == store_id)
    return list(
        session.scalars(query.order_by(SupplierReturn.send_by, SupplierReturn.store_id, SupplierReturn.id).limit(limit))
    )


def send(session: Session, found: SupplierReturn, kind: "type[ReturnWord]", *, at: dt.datetime) -> None:
    """Tell the other node of a return, whole."""
    of_line = ReportedLine.__dataclass_fields__
    lines = tuple(ReportedLine(*(getattr(line, name) for name in of_line)) for line in lines_of(session, found))
    send_fact(session, kind.of_row(found, lines=lines), subject=subject_of(found), at=at)


def subject_of(found: SupplierReturn) -> str:
    """Return a return as the journal names it."""
    return f"return:{found.id}"
