"""Goods in by hand, and goods back: a note without an order, scanned line by line, and booked once.

Rules
-----
1. A note is open while lines are scanned; every scan is kept at once, so a crash loses nothing. It is posted once, or
   dropped; what was dropped moved nothing.
2. A note of goods in brings its units from the supplier into the backroom, writes down the lots with their dates,
   and keeps what each product cost last. A product that was not listed here is listed by it.
3. A note of goods back takes its units out of the shop to the supplier; more than are there is refused, naming every
   short line.
4. The same line sent twice is kept once (its id is the command's).

Units: qty in stock units; cost_minor per price quantity.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import journal
from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound
from config.ids import new_id
from config.journal import Actor
from config.money import MAX_MINOR, amount_for, divide_half_up
from config.states import StateTable
from pos import batches, catalogue, stock, waste
from pos.batches import Lot
from pos.catalogue import Listing, Product
from pos.ledger import MOST_QTY, Place, Source
from pos.recall import tidy_batch
from pos.store import day_of

STATES = StateTable("goods note", "open", {"open": ("posted", "dropped")})
WAYS = ("in", "back")
MOST_LINES = 2000
LONGEST = 80
SOURCE_KIND = "goods_note"


class GoodsNote(Base):
    """Goods that came without an order, or go back to who brought them."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "goods_note"
    __table_args__ = (sa.Index("ix_goods_note_state", "store_id", "state"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    way: Mapped[str]
    """in | back"""
    state: Mapped[str]
    supplier_name: Mapped[str]
    paper_no: Mapped[str] = mapped_column(default="")
    """The number on the supplier's paper."""
    opened_at: Mapped[dt.datetime]
    opened_by: Mapped[str]
    closed_at: Mapped[dt.datetime | None]
    closed_by: Mapped[str] = mapped_column(default="")
    why: Mapped[str] = mapped_column(default="")
    """Why goods go back, or why the note was dropped."""


class GoodsLine(Base):
    """One scan: so many units of a product, with what stands on the pack and the paper."""

    __tablename__ = "goods_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "note_id"], ["goods_note.store_id", "goods_note.id"]),
        sa.CheckConstraint("qty > 0", name="qty_positive"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    note_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    id: Mapped[str]
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"))
    qty: Mapped[int]
    cost_minor: Mapped[int | None]
    batch: Mapped[str | None]
    expires_on: Mapped[dt.date | None]
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


@dataclass(frozen=True)
class LineSum:
    """What was scanned of a product with one batch, date and cost; ns: the scans it is made of."""

    sku: str
    name: str
    stock_unit: str
    price_quantity: int
    qty: int
    cost_minor: int | None
    batch: str | None
    expires_on: dt.date | None
    ns: tuple[int, ...]

    @property
    def total_cost_minor(self) -> int | None:
        """What the line cost together; None: not known."""
        return None if self.cost_minor is None else amount_for(self.qty, self.cost_minor, self.price_quantity)


# --- verbs ---


def begin(
    session: Session,
    store_id: str,
    *,
    id: str | None = None,
    way: str = "in",
    supplier_name: str,
    paper_no: str = "",
    why: str = "",
    actor: Actor,
    at: dt.datetime,
) -> GoodsNote:
    """Open a note for goods that came, or that go back; the same id again is the note that is there."""
    known = session.get(GoodsNote, (store_id, id)) if id else None
    if known is not None:
        return known
    name, paper, why = (" ".join(text.split())[:LONGEST] for text in (supplier_name, paper_no, why))
    if way not in WAYS:
        raise Invalid("bad-choice", "Goods come in, or they go back.", field="way")
    if not name:
        raise Invalid("no-supplier", "Say who brings it.", field="supplier")
    note = GoodsNote(
        store_id=store_id, id=id or new_id(), way=way, state=STATES.first, supplier_name=name, paper_no=paper,
        opened_at=at, opened_by=actor.name, closed_by="", why=why,
    )  # fmt: skip
    session.add(note)
    journal.record(
        session, actor=actor, at=at, verb="goods.begun", subject=subject_of(note), way=way, supplier=name, paper=paper
    )
    session.flush()
    return note


def add(
    session: Session,
    store_id: str,
    note_id: str,
    sku: str,
    qty: int,
    *,
    line_id: str | None = None,
    cost_minor: int | None = None,
    batch: str | None = None,
    expires_on: dt.date | None = None,
    actor: Actor,
    at: dt.datetime,
) -> GoodsLine:
    """Keep one scan on an open note (rules 1, 4). cost_minor: per price quantity."""
    note = _open_note(session, store_id, note_id)
    if isinstance(qty, bool) or not isinstance(qty, int) or not 0 < qty <= MOST_QTY:
        raise Invalid("bad-quantity", "Type how many came: 1 or more.", sku=sku, qty=qty, field="qty")
    if cost_minor is not None and not 0 <= cost_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "That cost is not possible. Type it again.", field="cost")
    batches.refuse_strange_day(expires_on, day_of(session, store_id, at))
    if session.get(Product, sku) is None:
        raise NotFound("unknown-product", f"There is no product {sku}. Search for it by name.", skus=[sku])
    lines = scans_of(session, note)
    if same := [line for line in lines if line_id is not None and line.id == line_id]:
        return same[0]
    if len(lines) >= MOST_LINES:
        raise Invalid("too-many-lines", "Post this note first, then begin another one.")
    line = GoodsLine(
        store_id=store_id, note_id=note_id, n=max((line.n for line in lines), default=0) + 1, id=line_id or new_id(),
        sku=sku, qty=qty, cost_minor=cost_minor, batch=tidy_batch(batch), expires_on=expires_on, at=at,
        actor_id=actor.id,
    )  # fmt: skip
    session.add(line)
    session.flush()
    return line


def change(
    session: Session,
    store_id: str,
    note_id: str,
    ns: Sequence[int],
    qty: int,
    *,
    cost_minor: int | None = None,
    batch: str | None = None,
    expires_on: dt.date | None = None,
    actor: Actor,
    at: dt.datetime,
) -> GoodsLine:
    """Put one scan in the place of some of the same product: another quantity, date, batch or cost."""
    note = _open_note(session, store_id, note_id)
    some = [line for line in scans_of(session, note) if line.n in set(ns)]
    if not some or len({line.sku for line in some}) > 1:
        raise NotFound("unknown-line", "This line is not on the note any more.")
    strike(session, store_id, note_id, [line.n for line in some])
    return add(
        session, store_id, note_id, some[0].sku, qty, cost_minor=cost_minor, batch=batch, expires_on=expires_on,
        actor=actor, at=at,
    )  # fmt: skip


def strike(session: Session, store_id: str, note_id: str, ns: Sequence[int]) -> int:
    """Take scans off an open note; returns how many there were."""
    note = _open_note(session, store_id, note_id)
    struck = [line for line in scans_of(session, note) if line.n in set(ns)]
    for line in struck:
        session.delete(line)
    session.flush()
    return len(struck)


def post(session: Session, store_id: str, note_id: str, *, actor: Actor, at: dt.datetime) -> GoodsNote:
    """Book a note, once: in to the backroom with its lots and costs, or back to the supplier (rules 2, 3)."""
    note = _open_note(session, store_id, note_id)
    lines = sums_of(session, note)
    if not lines:
        raise Invalid("no-lines", "There is nothing on this note yet. Scan the first product.")
    units = [(line.sku, line.qty) for line in lines]
    if note.way == "in":
        stock.receive(session, store_id, units, source_kind=SOURCE_KIND, source_id=note.id, at=at, actor=actor)
        lots = [Lot(line.sku, line.qty, line.batch, line.expires_on) for line in lines]
        batches.lay_in(session, store_id, lots, source_kind=SOURCE_KIND, source_id=note.id, at=at)
        last = sorted(lines, key=lambda line: line.ns[-1])
        learn_costs(session, store_id, {line.sku: line.cost_minor for line in last}, actor=actor, at=at)
    else:
        source = Source("sent_back", SOURCE_KIND, note.id)
        waste.take_out(session, store_id, units, Place.SUPPLIER, source, actor=actor, at=at, why=note.why)
    _close(session, note, "posted", actor=actor, at=at, lines=len(lines), units=sum(qty for _, qty in units))
    return note


def drop(session: Session, store_id: str, note_id: str, *, why: str = "", actor: Actor, at: dt.datetime) -> GoodsNote:
    """Give a note up; nothing of it was booked (rule 1)."""
    note = _open_note(session, store_id, note_id)
    note.why = " ".join(why.split())[:LONGEST] or note.why
    _close(session, note, "dropped", actor=actor, at=at, why=note.why)
    return note


def learn_costs(
    session: Session, store_id: str, costs: dict[str, int | None], *, actor: Actor, at: dt.datetime
) -> None:
    """Keep what products cost last, per price quantity; None says nothing. An unlisted product is listed (rule 2)."""
    for sku, cost_minor in sorted(costs.items()):
        listing = session.get(Listing, (store_id, sku))
        if listing is None:
            catalogue.list_product(session, store_id, sku, actor=actor, at=at, cost_minor=cost_minor)
        elif cost_minor is not None and cost_minor != listing.cost_minor:
            facts = {"before_minor": listing.cost_minor, "cost_minor": cost_minor}
            listing.cost_minor = cost_minor
            journal.record(session, actor=actor, at=at, verb="cost.learnt", subject=f"product:{sku}", **facts)
    session.flush()


# --- questions ---


def cost_of(total_minor: int, qty: int, price_quantity: int) -> int:
    """Return what the price quantity costs when so many units cost so much together."""
    return divide_half_up(total_minor * price_quantity, qty)


def note_of(session: Session, store_id: str, note_id: str) -> GoodsNote:
    """Return a note of this shop, locked; NotFound when there is none of that id."""
    query = sa.select(GoodsNote).where(GoodsNote.store_id == store_id, GoodsNote.id == note_id)
    note: GoodsNote | None = session.scalar(lock_rows(session, query))
    if note is None:
        raise NotFound("unknown-note", "There is no such note in this shop.", note_id=note_id)
    return note


def notes(session: Session, store_id: str, *, state: str | None = None, limit: int = 50) -> list[GoodsNote]:
    """Return a shop's notes, the newest first."""
    query = sa.select(GoodsNote).where(GoodsNote.store_id == store_id)
    if state is not None:
        query = query.where(GoodsNote.state == state)
    return list(session.scalars(query.order_by(GoodsNote.opened_at.desc(), GoodsNote.id.desc()).limit(limit)))


def scans_of(session: Session, note: GoodsNote) -> list[GoodsLine]:
    """Return a note's scans in their order."""
    query = sa.select(GoodsLine).where(GoodsLine.store_id == note.store_id, GoodsLine.note_id == note.id)
    return list(session.scalars(query.order_by(GoodsLine.n)))


def sums_of(session: Session, note: GoodsNote) -> list[LineSum]:
    """Return a note's lines, equal scans summed, the latest scanned first."""
    scans = scans_of(session, note)
    query = sa.select(Product).where(Product.sku.in_({scan.sku for scan in scans}))
    products = {product.sku: product for product in session.scalars(query)}
    groups: dict[tuple[str, str | None, dt.date | None, int | None], list[GoodsLine]] = {}
    for scan in scans:
        groups.setdefault((scan.sku, scan.batch, scan.expires_on, scan.cost_minor), []).append(scan)
    rows = [
        LineSum(
            sku=sku,
            name=products[sku].name,
            stock_unit=products[sku].stock_unit,
            price_quantity=products[sku].price_quantity,
            qty=sum(scan.qty for scan in some),
            cost_minor=cost_minor,
            batch=batch,
            expires_on=expires_on,
            ns=tuple(scan.n for scan in some),
        )
        for (sku, batch, expires_on, cost_minor), some in groups.items()
    ]
    return sorted(rows, key=lambda row: -row.ns[-1])


def suppliers_known(session: Session, store_id: str, limit: int = 30) -> list[str]:
    """Return the names goods came from by hand before, the latest first."""
    query = sa.select(GoodsNote.supplier_name).where(GoodsNote.store_id == store_id).group_by(GoodsNote.supplier_name)
    return list(session.scalars(query.order_by(sa.func.max(GoodsNote.opened_at).desc()).limit(limit)))


def subject_of(note: GoodsNote) -> str:
    """Return a note as the journal names it."""
    return f"goods:{note.id}"


# --- inside ---


def _open_note(session: Session, store_id: str, note_id: str) -> GoodsNote:
    note = note_of(session, store_id, note_id)
    if note.state != "open":
        done = "booked" if note.state == "posted" else "dropped"
        raise Conflict("note-closed", f"This note was {done} before. Begin a new one.", state=note.state)
    return note


def _close(session: Session, note: GoodsNote, state: str, *, actor: Actor, at: dt.datetime, **facts: int | str) -> None:
    note.closed_at, note.closed_by = at, actor.name
    why = str(facts.pop("why", "")) or None
    journal.move(session, note, state, actor=actor, at=at, subject=subject_of(note), why=why, **facts)
    session.flush()
