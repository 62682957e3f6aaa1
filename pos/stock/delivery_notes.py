"""Goods in by hand, and goods back: a note without an order, scanned line by line, and booked once.

Rules
-----
1. A note is open while lines are scanned; every scan is kept at once, so a crash loses nothing. It is posted once, or
   dropped; what was dropped moved nothing.
2. A note of goods in brings its units from the supplier into the backroom, writes down the lots with their dates,
   and keeps what each product cost last. A product that was not listed here is listed by it.
3. A note of goods back says with one of a few fixed reasons why; 'other' needs words. It takes its units out of the
   store to the supplier, and out of the lots its lines name; more than are there is refused, naming every short line.
4. A line that goes back is expected to be paid at what the product cost last, until somebody types another amount.
5. The same line sent twice is kept once (its id is the command's).

Units: qty in stock units; cost_minor per price quantity.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Conflict, Invalid, NotFound
from config.ids import new_id
from config.money import MAX_MINOR, amount_for, divide_half_up
from config.nodes import journal
from config.nodes.journal import Context
from config.states import StateTable
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Listing, Product
from pos.stock import batches, stock, waste
from pos.stock.batches import Lot
from pos.stock.ledger import MOST_QTY, Place, Source
from pos.stock.recall import tidy_batch
from pos.store.store import day_of, snapshot, store_of

STATES = StateTable("goods note", "open", {"open": ("posted", "dropped")})
WAYS = ("in", "back")
REASONS = ("damaged", "expired", "recalled", "wrong_delivery", "sale_or_return", "other")
"""Why goods go back."""
MOST_LINES = 2000
LONGEST = 80
SOURCE_KIND = "delivery_note"


class DeliveryNote(Base):
    """Goods that came without an order, or go back to who brought them."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "delivery_note"
    __table_args__ = (sa.Index("ix_delivery_note_state", "store_id", "state"),)

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
    reason: Mapped[str] = mapped_column(default="", server_default="")
    """One of REASONS when goods go back; '' when they come in."""
    why: Mapped[str] = mapped_column(default="")
    """Words about it, or why the note was dropped."""


class DeliveryNoteLine(Base):
    """One scan: so many units of a product, with what stands on the pack and the paper."""

    __tablename__ = "delivery_note_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "note_id"], ["delivery_note.store_id", "delivery_note.id"]),
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


@dataclass(frozen=True)
class Total:
    """What a note's lines come to; unknown: how many lines have no known cost and are left out."""

    minor: int
    unknown: int


# --- verbs ---


def begin(
    ctx: Context,
    store_id: str,
    *,
    id: str | None = None,
    way: str = "in",
    supplier_name: str,
    paper_no: str = "",
    reason: str = "",
    why: str = "",
) -> DeliveryNote:
    """Open a note for goods that came, or that go back (rule 3); the same id again is the note that is there."""
    known = ctx.session.get(DeliveryNote, (store_id, id)) if id else None
    if known is not None:
        return known
    name, paper, why = (" ".join(text.split())[:LONGEST] for text in (supplier_name, paper_no, why))
    if way not in WAYS:
        raise Invalid("bad-choice", "Choose receiving or supplier return.", field="way")
    if not name:
        raise Invalid("no-supplier", "Enter who is bringing it in, or taking it back.", field="supplier")
    if way == "back" and reason not in REASONS:
        raise Invalid("no-reason", "Choose a reason for the return.", field="reason")
    if reason == "other" and not why:
        raise Invalid("no-reason", "Enter a short reason for the return.", field="words")
    note = DeliveryNote(
        store_id=store_id, id=id or new_id(), way=way, state=STATES.first, supplier_name=name, paper_no=paper,
        opened_at=ctx.at, opened_by=ctx.actor.name, closed_by="", reason=reason if way == "back" else "", why=why,
    )  # fmt: skip
    ctx.session.add(note)
    facts = {"way": way, "supplier": name, "paper": paper, "reason": note.reason}
    journal.record(ctx, verb="goods.begun", subject=subject_of(note), **facts)
    ctx.session.flush()
    return note


def add(
    ctx: Context,
    store_id: str,
    note_id: str,
    lot: Lot,
    *,
    line_id: str | None = None,
    cost_minor: int | None = None,
) -> DeliveryNoteLine:
    """Keep one scan on an open note (rules 1, 4, 5). cost_minor: per price quantity."""
    note = _open_note(ctx.session, store_id, note_id)
    if cost_minor is None and note.way == "back":
        listing = ctx.session.get(Listing, (store_id, lot.sku))
        cost_minor = listing.cost_minor if listing is not None else None
    return _keep(ctx, note, lot, cost_minor, line_id=line_id)


def change(
    ctx: Context,
    store_id: str,
    note_id: str,
    ns: Sequence[int],
    qty: int,
    *,
    cost_minor: int | None = None,
    batch: str | None = None,
    expires_on: dt.date | None = None,
) -> DeliveryNoteLine:
    """Put one scan in the place of some of the same product: another quantity, date, batch or cost."""
    note = _open_note(ctx.session, store_id, note_id)
    some = [line for line in scans_of(ctx.session, note) if line.n in set(ns)]
    if not some or len({line.sku for line in some}) > 1:
        raise NotFound("unknown-line", "This line is no longer on the slip.")
    strike(ctx.session, store_id, note_id, [line.n for line in some])
    return _keep(ctx, note, Lot(some[0].sku, qty, batch, expires_on), cost_minor)


def strike(session: Session, store_id: str, note_id: str, ns: Sequence[int]) -> int:
    """Take scans off an open note; returns how many there were."""
    note = _open_note(session, store_id, note_id)
    struck = [line for line in scans_of(session, note) if line.n in set(ns)]
    for line in struck:
        session.delete(line)
    session.flush()
    return len(struck)


def post(ctx: Context, store_id: str, note_id: str) -> DeliveryNote:
    """Book a note, once: in to the backroom with its lots and costs, or back to the supplier (rules 2, 3)."""
    note = _open_note(ctx.session, store_id, note_id)
    lines = sums_of(ctx.session, note)
    if not lines:
        raise Invalid("no-lines", "This slip is empty. Scan the first product.")
    units = [(line.sku, line.qty) for line in lines]
    lots = [Lot(line.sku, line.qty, line.batch, line.expires_on) for line in lines]
    if note.way == "in":
        stock.receive(ctx, store_id, units, source_kind=SOURCE_KIND, source_id=note.id)
        batches.lay_in(ctx.session, store_id, lots, source_kind=SOURCE_KIND, source_id=note.id, at=ctx.at)
        last = sorted(lines, key=lambda line: line.ns[-1])
        learn_costs(ctx, store_id, {line.sku: line.cost_minor for line in last})
    else:
        source = Source("sent_back", SOURCE_KIND, note.id)
        waste.take_out(ctx, store_id, units, Place.SUPPLIER, source, why=note.reason)
        batches.let_go(ctx.session, store_id, lots)
    _close(ctx, note, "posted", lines=len(lines), units=sum(qty for _, qty in units), cost_minor=total_of(lines).minor)
    return note


def drop(ctx: Context, store_id: str, note_id: str, *, why: str = "") -> DeliveryNote:
    """Give a note up; nothing of it was booked (rule 1)."""
    note = _open_note(ctx.session, store_id, note_id)
    note.why = " ".join(why.split())[:LONGEST] or note.why
    _close(ctx, note, "dropped", why=note.why)
    return note


def learn_costs(ctx: Context, store_id: str, costs: dict[str, int | None]) -> None:
    """Keep what products cost last, per price quantity; None says nothing. An unlisted product is listed (rule 2)."""
    for sku, cost_minor in sorted(costs.items()):
        listing = ctx.session.get(Listing, (store_id, sku))
        if listing is None:
            catalogue.list_product(ctx, store_id, sku, cost_minor=cost_minor)
        elif cost_minor is not None and cost_minor != listing.cost_minor:
            facts = {"before_minor": listing.cost_minor, "cost_minor": cost_minor}
            listing.cost_minor = cost_minor
            journal.record(ctx, verb="cost.learnt", subject=f"product:{sku}", **facts)
    ctx.session.flush()


# --- questions ---


def cost_of(total_minor: int, qty: int, price_quantity: int) -> int:
    """Return what the price quantity costs when so many units cost so much together."""
    return divide_half_up(total_minor * price_quantity, qty)


def note_of(session: Session, store_id: str, note_id: str) -> DeliveryNote:
    """Return a note of this store, locked; NotFound when there is none of that id."""
    query = sa.select(DeliveryNote).where(DeliveryNote.store_id == store_id, DeliveryNote.id == note_id)
    note: DeliveryNote | None = session.scalar(lock_rows(session, query))
    if note is None:
        raise NotFound("unknown-note", "Slip not found at this store.", note_id=note_id)
    return note


def notes(
    session: Session, store_id: str, *, way: str | None = None, state: str | None = None, limit: int = 50
) -> list[DeliveryNote]:
    """Return a store's notes, the newest first; of one way and state when asked."""
    query = sa.select(DeliveryNote).where(DeliveryNote.store_id == store_id)
    if way is not None:
        query = query.where(DeliveryNote.way == way)
    if state is not None:
        query = query.where(DeliveryNote.state == state)
    return list(session.scalars(query.order_by(DeliveryNote.opened_at.desc(), DeliveryNote.id.desc()).limit(limit)))


def scans_of(session: Session, note: DeliveryNote) -> list[DeliveryNoteLine]:
    """Return a note's scans in their order."""
    query = sa.select(DeliveryNoteLine).where(
        DeliveryNoteLine.store_id == note.store_id, DeliveryNoteLine.note_id == note.id
    )
    return list(session.scalars(query.order_by(DeliveryNoteLine.n)))


def sums_of(session: Session, note: DeliveryNote) -> list[LineSum]:
    """Return a note's lines, equal scans summed, the latest scanned first."""
    return sums_of_all(session, note.store_id, [note.id])[note.id]


def sums_of_all(session: Session, store_id: str, note_ids: Sequence[str]) -> dict[str, list[LineSum]]:
    """Return the lines of notes by their ids, as `sums_of` does."""
    query = sa.select(DeliveryNoteLine, Product).join(Product, Product.sku == DeliveryNoteLine.sku)
    query = query.where(DeliveryNoteLine.store_id == store_id, DeliveryNoteLine.note_id.in_(note_ids)).order_by(
        DeliveryNoteLine.n
    )
    groups: dict[str, dict[tuple[Any, ...], list[tuple[DeliveryNoteLine, Product]]]] = {key: {} for key in note_ids}
    for scan, product in session.execute(query):
        key = (scan.sku, scan.batch, scan.expires_on, scan.cost_minor)
        groups[scan.note_id].setdefault(key, []).append((scan, product))
    return {
        note_id: sorted((_sum(some) for some in lines.values()), key=lambda row: -row.ns[-1])
        for note_id, lines in groups.items()
    }


def total_of(lines: Sequence[LineSum]) -> Total:
    """Return what lines come to together."""
    known = [line.total_cost_minor for line in lines if line.total_cost_minor is not None]
    return Total(sum(known), len(lines) - len(known))


def slip_of(session: Session, note: DeliveryNote) -> dict[str, Any]:
    """Return the frozen document of what a driver signs for; see `documents.goods.back_slip`."""
    store, lines = store_of(session, note.store_id), sums_of(session, note)
    total = total_of(lines)
    return {
        "store": snapshot(store),
        "number": short_no(note),
        "supplier": note.supplier_name,
        "paper_no": note.paper_no,
        "reason": note.reason,
        "why": note.why,
        "by": note.closed_by or note.opened_by,
        "local_time": f"{(note.closed_at or note.opened_at).astimezone(ZoneInfo(store.tz)):%Y-%m-%d %H:%M}",
        "lines": [
            {
                "name": line.name, "qty": line.qty, "stock_unit": line.stock_unit, "batch": line.batch,
                "expires_on": line.expires_on.isoformat() if line.expires_on else None,
                "cost_minor": line.total_cost_minor,
            }
            for line in reversed(lines)
        ],
        "total_minor": total.minor,
        "unknown": total.unknown,
    }  # fmt: skip


def short_no(note: DeliveryNote) -> str:
    """Return the number people read out: the end of the note's id."""
    return note.id[-6:].upper()


def suppliers_known(session: Session, store_id: str, limit: int = 30) -> list[str]:
    """Return the names goods came from by hand before, the latest first."""
    query = (
        sa.select(DeliveryNote.supplier_name)
        .where(DeliveryNote.store_id == store_id)
        .group_by(DeliveryNote.supplier_name)
    )
    return list(session.scalars(query.order_by(sa.func.max(DeliveryNote.opened_at).desc()).limit(limit)))


def subject_of(note: DeliveryNote) -> str:
    """Return a note as the journal names it."""
    return f"goods:{note.id}"


# --- inside ---


def _keep(
    ctx: Context, note: DeliveryNote, given: Lot, cost_minor: int | None, *, line_id: str | None = None
) -> DeliveryNoteLine:
    sku, qty, expires_on = given.sku, given.qty, given.expires_on
    if isinstance(qty, bool) or not isinstance(qty, int) or not 0 < qty <= MOST_QTY:
        raise Invalid("bad-quantity", "Enter a quantity of 1 or more.", sku=sku, qty=qty, field="qty")
    if cost_minor is not None and not 0 <= cost_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "That cost is not valid. Enter it again.", field="cost")
    batches.refuse_strange_day(expires_on, day_of(ctx.session, note.store_id, ctx.at))
    if ctx.session.get(Product, sku) is None:
        raise NotFound("unknown-product", "Product %(sku)s not found. Search by name.", sku=sku, skus=[sku])
    lines = scans_of(ctx.session, note)
    if same := [line for line in lines if line_id is not None and line.id == line_id]:
        return same[0]
    if len(lines) >= MOST_LINES:
        raise Invalid("too-many-lines", "Post this slip before you start another.")
    line = DeliveryNoteLine(
        store_id=note.store_id, note_id=note.id, n=max((line.n for line in lines), default=0) + 1,
        id=line_id or new_id(), sku=sku, qty=qty, cost_minor=cost_minor, batch=tidy_batch(given.batch),
        expires_on=expires_on, at=ctx.at, actor_id=ctx.actor.id,
    )  # fmt: skip
    ctx.session.add(line)
    ctx.session.flush()
    return line


def _sum(some: Sequence[tuple[DeliveryNoteLine, Product]]) -> LineSum:
    scan, product = some[0]
    return LineSum(
        sku=scan.sku,
        name=product.name,
        stock_unit=product.stock_unit,
        price_quantity=product.price_quantity,
        qty=sum(one.qty for one, _ in some),
        cost_minor=scan.cost_minor,
        batch=scan.batch,
        expires_on=scan.expires_on,
        ns=tuple(one.n for one, _ in some),
    )


def _open_note(session: Session, store_id: str, note_id: str) -> DeliveryNote:
    note = note_of(session, store_id, note_id)
    if note.state != "open":
        raise Conflict("note-closed", "This slip is closed. Start a new one.", state=note.state)
    return note


def _close(ctx: Context, note: DeliveryNote, state: str, **facts: int | str) -> None:
    note.closed_at, note.closed_by = ctx.at, ctx.actor.name
    why = str(facts.pop("why", "")) or None
    journal.move(ctx, note, state, subject=subject_of(note), why=why, **facts)
    ctx.session.flush()
