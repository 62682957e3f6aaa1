"""Waste: what cannot be sold any more, why, and what it was worth; and what counting found missing.

Rules
-----
1. Whoever writes goods off says why with one of a few fixed reasons, and may add words; 'other' needs them.
2. Written-off units leave floor, shelf, backroom in that order unless a place is named, what is recalled the bin as
   well; more than are there is refused. The movement is the ledger's, this row says why and what it was worth on that
   day; a lot named by its batch is smaller by it.
3. One command writes off once: its id again is a Conflict.
4. Shrink of a period is what was written off, by reason, and what counts found missing less what they found too many.
5. A wrong write-off is undone by a counter-entry, once: its units return to the places and lots they left, and it is
   shrink no more. What a recall took out stays out; and what was counted since then counts as it was counted.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, NotFound, Refused
from config.ids import new_id
from config.money import amount_for
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Context
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Listing, Product
from pos.facts import Moved
from pos.stock import batches, producer_lots
from pos.stock.batches import Lot
from pos.stock.ledger import (
    INSIDE,
    Place,
    Source,
    StockCount,
    StockLevel,
    StockMovement,
    book_and_report,
    locked,
    open_count_tasks,
    refuse_if_booked,
    refuse_short,
    refuse_unknown,
    shift_places,
    tidy,
)
from pos.stock.recall import tidy_batch
from pos.store.store import day_of

REASONS = ("expired", "breakage", "damaged", "theft", "own_use", "recall", "other")
UNEXPLAINED = "unexplained"
"""The reason of what counts found: nobody knows."""
TAKEN_FROM = (Place.FLOOR, Place.SHELF, Place.BACKROOM)
UNDONE = "write_off_undone"
"""The reason of the movements that undo a write-off."""
LONGEST = 200
SHORT_LIVED_DAYS = 14


@append_only()
class Waste(Base):
    """Units written off, and why."""

    __tablename__ = "waste"
    __table_args__ = (
        sa.CheckConstraint("qty > 0", name="qty_positive"),
        sa.Index("ix_waste_day", "store_id", "business_day"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    """The command's id, and the source of its movements."""
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"))
    qty: Mapped[int]
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(default="")
    batch: Mapped[str | None]
    lot_id: Mapped[str | None]
    """The very lot it was of (`batches`); None: it is not known."""
    recall_id: Mapped[str | None]
    """The network's recall it was taken out for."""
    cost_minor: Mapped[int | None]
    """What the units cost the store; None: not known."""
    value_minor: Mapped[int | None]
    """What they would have sold for that day; None: they had no price."""
    business_day: Mapped[dt.date]
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


_UNDONE = sa.exists().where(
    StockMovement.store_id == Waste.store_id, StockMovement.source_kind == "waste", StockMovement.source_id == Waste.id,
    StockMovement.reason == UNDONE,
)  # fmt: skip
STANDS = ~_UNDONE
"""Of a write-off in a query: nobody undid it."""


@dataclass(frozen=True)
class WriteOff:
    """What is to be written off, and why.

    lot_id: the very lot it is of, where it is known beyond its batch; cost_minor: what it cost, where the list of
    products does not say.
    """

    sku: str
    qty: int
    reason: str
    note: str = ""
    batch: str | None = None
    lot_id: str | None = None
    recall_id: str | None = None
    cost_minor: int | None = None
    from_place: Place | None = None


@dataclass(frozen=True)
class Shrink:
    """What was lost for one reason. cost_minor leaves out what has no known cost; lines: how many times."""

    reason: str
    lines: int
    cost_minor: int
    value_minor: int


# --- verbs ---


def write_off(ctx: Context, store_id: str, what: WriteOff, *, id: str | None = None) -> Waste:
    """Write units off with a reason (rules 1 to 3)."""
    sku, qty, reason, note = what.sku, what.qty, what.reason, " ".join(what.note.split())[:LONGEST]
    if reason not in REASONS:
        raise Invalid("no-reason", "Choose a reason for the write-off.", field="reason")
    if reason == "other" and not note:
        raise Invalid("no-reason", "Enter a short reason for the write-off.", field="note")
    if what.from_place not in (None, *INSIDE):
        raise Invalid("bad-place", "Choose where it was.", field="place")
    source = Source("wasted", "waste", id or new_id())
    places: tuple[Place, ...] = (*TAKEN_FROM, Place.BIN) if reason == "recall" else TAKEN_FROM
    if what.from_place is not None:
        places = (what.from_place,)
    take_out(ctx, store_id, [(sku, qty)], Place.WASTE, source, places=places, lot=what.batch or "", why=reason)
    day = day_of(ctx.session, store_id, ctx.at)
    worth = worths(ctx.session, store_id, [sku], day)[sku]
    row = Waste(
        store_id=store_id, id=source.id, sku=sku, qty=qty, reason=reason, note=note, batch=tidy_batch(what.batch),
        lot_id=what.lot_id, recall_id=what.recall_id,
        cost_minor=worth.cost(qty) if what.cost_minor is None else what.cost_minor, value_minor=worth.value(qty),
        business_day=day, at=ctx.at, actor_id=ctx.actor.id,
    )  # fmt: skip
    ctx.session.add(row)
    if what.lot_id is None:
        batches.let_go(ctx.session, store_id, [Lot(sku, qty, row.batch)])
    else:
        batches.take_from(ctx.session, store_id, [(what.lot_id, qty)])
    facts = {"qty": qty, "reason": reason, "note": note, "cost_minor": row.cost_minor}
    journal.record(ctx, verb="waste.written", subject=f"product:{sku}", **facts)
    ctx.session.flush()
    return row


def undo(ctx: Context, store_id: str, id: str) -> Waste:
    """Undo a write-off (rule 5); Conflict when it was undone before."""
    row = ctx.session.get(Waste, (store_id, id))
    if row is None:
        raise NotFound("no-such-write-off", "This write-off is not on record. Reload the page.", id=id)
    locked(ctx.session, store_id, [row.sku])
    source = Source(UNDONE, "waste", id)
    refuse_if_booked(ctx.session, store_id, source)
    if row.reason == "recall":
        raise Refused("recalled-stays-out", "This was taken out for a recall and stays written off.", id=id)
    counted = sa.exists().where(StockCount.store_id == store_id, StockCount.sku == row.sku, StockCount.at > row.at)
    if ctx.session.scalar(sa.select(counted)):
        raise Refused("counted-since", "This product was counted after the write-off. Count it again instead.", id=id)
    query = sa.select(StockMovement.qty, StockMovement.from_place).where(
        StockMovement.store_id == store_id, StockMovement.source_kind == "waste", StockMovement.source_id == id
    )
    taken = ctx.session.execute(query.order_by(StockMovement.from_place)).all()
    moves: list[Moved] = [(new_id(), row.sku, qty, Place.WASTE, Place(place)) for qty, place in taken]
    book_and_report(ctx, store_id, moves, source, why=row.reason, lot=row.batch or "")
    producer_lots.put_back(ctx.session, store_id, row.sku, row.qty, code=row.batch or "")
    batches.put_back(ctx.session, store_id, Lot(row.sku, row.qty, row.batch))
    return row


def take_out(
    ctx: Context,
    store_id: str,
    lines: Sequence[tuple[str, int]],
    to_place: Place,
    source: Source,
    *,
    places: Sequence[Place] = TAKEN_FROM,
    lot: str = "",
    why: str = "",
) -> list[Moved]:
    """Carry units out of the store, from some places in their order; refuses, naming every short line.

    lot: the code of the lot they are of; '' where it is not known, of a producer's goods the oldest.
    """
    wanted = tidy(lines)
    refuse_if_booked(ctx.session, store_id, source)
    refuse_unknown(ctx.session, [sku for sku, _ in wanted])
    stands = locked(ctx.session, store_id, [sku for sku, _ in wanted])
    there = {sku: sum(max(0, stands[sku].get(place, 0)) for place in places) for sku, _ in wanted}
    refuse_short(ctx.session, [(sku, qty, there[sku]) for sku, qty in wanted if qty > there[sku]])
    moves: list[Moved] = []
    for sku, qty in wanted:
        rest = qty
        for place in places:
            part = min(rest, max(0, stands[sku].get(place, 0)))
            if part:
                moves.append((new_id(), sku, part, place, to_place))
                rest -= part
    book_and_report(ctx, store_id, moves, source, why=why, lot=tidy_batch(lot) or "")
    producer_lots.gone(ctx.session, store_id, moves, code=lot)
    shift_places(stands, moves)
    open_count_tasks(ctx.session, store_id, stands, ctx.at)
    return moves


# --- questions ---


@dataclass(frozen=True)
class Worth:
    """What a product costs and sells for. Both per price quantity; None: not known."""

    price_quantity: int
    cost_minor: int | None
    price_minor: int | None

    def cost(self, qty: int) -> int | None:
        """Return what so many units cost."""
        return None if self.cost_minor is None else amount_for(qty, self.cost_minor, self.price_quantity)

    def value(self, qty: int) -> int | None:
        """Return what so many units sell for."""
        return None if self.price_minor is None else amount_for(qty, self.price_minor, self.price_quantity)


def worths(session: Session, store_id: str, skus: Sequence[str], day: dt.date) -> dict[str, Worth]:
    """Return what products cost and sell for on a day."""
    answer: dict[str, Worth] = {}
    for start in range(0, len(skus), 500):
        some = list(skus[start : start + 500])
        prices = catalogue.prices_on(session, store_id, day, some)
        query = sa.select(Product.sku, Product.price_quantity, Listing.cost_minor).outerjoin(
            Listing, sa.and_(Listing.store_id == store_id, Listing.sku == Product.sku)
        )
        for sku, quantity, cost_minor in session.execute(query.where(Product.sku.in_(some))):
            answer[sku] = Worth(quantity, cost_minor, prices.get(sku))
    return answer


def shrink(
    session: Session, store_id: str, first_day: dt.date, last_day: dt.date, *,
    costs: Callable[[Sequence[str]], Mapping[str, tuple[int, int]]] | None = None,
) -> list[Shrink]:  # fmt: skip
    """Return what was lost from one day to another, both included, the dearest reason first (rule 4).

    costs: where the list of products does not say what they cost, SKU -> (units, what they cost together).
    """
    query = (
        sa.select(
            Waste.reason,
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(Waste.cost_minor), 0),
            sa.func.coalesce(sa.func.sum(Waste.value_minor), 0),
        )
        .where(Waste.store_id == store_id, Waste.business_day.between(first_day, last_day), STANDS)
        .group_by(Waste.reason)
    )
    rows = [
        Shrink(reason, int(lines), int(cost or 0), int(value or 0))
        for reason, lines, cost, value in session.execute(query)
    ]
    if found := _found_missing(session, store_id, first_day, last_day):
        worth = worths(session, store_id, sorted(found), last_day)
        known = {sku: _at_cost(*one) for sku, one in (costs(sorted(found)) if costs else {}).items()}
        rows.append(
            Shrink(
                UNEXPLAINED,
                len(found),
                sum(_signed(known.get(sku, worth[sku].cost), qty) for sku, qty in found.items()),
                sum(_signed(worth[sku].value, qty) for sku, qty in found.items()),
            )
        )
    return sorted(rows, key=lambda row: (-row.cost_minor, -row.value_minor, row.reason))


def written_off(session: Session, store_id: str, limit: int = 50) -> list[tuple[Waste, str, str, bool]]:
    """Return the latest written-off lines with the product's name and unit and whether it stands, the newest first."""
    query = sa.select(Waste, Product.shown, Product.stock_unit, STANDS).join(Product, Product.sku == Waste.sku)
    query = query.where(Waste.store_id == store_id).order_by(Waste.at.desc(), Waste.id.desc()).limit(limit)
    return [(row, name, unit, stands) for row, name, unit, stands in session.execute(query)]


def likely(session: Session, store_id: str, limit: int = 50) -> list[tuple[Product, int]]:
    """Return what spoils or breaks first of what is here, with its quantity: the short-lived, then the quick keys."""
    on_hand = sa.func.sum(StockLevel.qty)
    query = sa.select(Product, on_hand).join(Listing, Listing.sku == Product.sku)
    query = query.join(StockLevel, sa.and_(StockLevel.store_id == Listing.store_id, StockLevel.sku == Listing.sku))
    query = query.where(
        Listing.store_id == store_id,
        Listing.active,
        StockLevel.place.in_(INSIDE),
        sa.or_(Product.shelf_life_days <= SHORT_LIVED_DAYS, Listing.quick_key.is_not(None)),
    )
    query = query.group_by(Product.sku, Listing.quick_key).having(on_hand > 0)
    order = (Product.shelf_life_days.nulls_last(), Listing.quick_key.nulls_last(), Product.name, Product.sku)
    return [(product, int(qty)) for product, qty in session.execute(query.order_by(*order).limit(limit))]


# --- inside ---


def _found_missing(session: Session, store_id: str, first_day: dt.date, last_day: dt.date) -> dict[str, int]:
    """Return what counts found missing by SKU; below zero: found too many."""
    lost = sa.case((StockMovement.to_place == Place.UNEXPLAINED, StockMovement.qty), else_=-StockMovement.qty)
    query = (
        sa.select(StockMovement.sku, sa.func.sum(lost))
        .where(
            StockMovement.store_id == store_id,
            StockMovement.reason == "counted",
            StockMovement.business_day.between(first_day, last_day),
        )
        .group_by(StockMovement.sku)
    )
    return {sku: int(qty) for sku, qty in session.execute(query) if qty}


def _at_cost(units: int, cost_minor: int) -> Callable[[int], int | None]:
    return lambda qty: amount_for(qty, cost_minor, units)


def _signed(worth: Callable[[int], int | None], qty: int) -> int:
    amount = worth(abs(qty)) or 0
    return amount if qty > 0 else -amount
