"""What stands in a warehouse, lot by lot, what of it is written off, and putting it right by a count.

Rules
-----
1. What cannot be sold is written off by its lot and with a reason (`pos.stock.waste`), at most what stands of that lot;
   what no lot is known of is one more.
2. It is worth what its purchase cost; where that is not known, what the newest purchase did, else the list's cost. What
   a count finds missing, or too many, is worth what the newest purchase cost.
3. What is promised may be written off all the same: it is not there. Its orders get what is left (`warehouse`, rule 3).
4. What was counted stands, with why somebody counted. The first count of a product opens its book; later ones move the
   difference, and what is missing leaves the lots that end first.

Units: quantities in stock units, *_minor minor units of the network's currency.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.money import amount_for
from config.nodes import journal
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product, matches
from pos.stock import batches, stock, waste
from pos.stock.batches import Batch, Held
from pos.stock.ledger import INSIDE, MOST_QTY, Place, StockCount, StockLevel, StockMovement
from pos.stock.waste import Shrink, Waste, WriteOff
from pos.store.store import day_of
from supply.orders.purchases import Purchase, PurchaseLine
from supply.orders.suppliers import Supplier, SupplierProduct, require_warehouse, warehouses

REASONS = ("expired", "damaged", "breakage", "theft", "recall", "other")
SOON_DAYS = 7
LONGEST_WHY = 200


@dataclass(frozen=True)
class Stood:
    """A lot that stands in a warehouse. lot_id '': what no lot is known of; cost_minor None: nobody knows."""

    sku: str
    name: str
    stock_unit: str
    qty: int
    batch: str
    expires_on: dt.date | None
    lot_id: str
    is_over: bool
    cost_minor: int | None


@dataclass(frozen=True)
class House:
    """A warehouse: who delivers from it, how many products its list has, and how many stand in it."""

    warehouse_id: str
    supplier: str
    listed: int
    standing: int


@dataclass(frozen=True)
class Kept:
    """A product of a warehouse: what stands there, and what of it is promised to stores."""

    sku: str
    name: str
    stock_unit: str
    qty: int
    promised_qty: int
    pack_qty: int | None
    """None: no supplier sells it from here."""
    coming_on: dt.date | None
    """The day the next of it comes from upstream; None: nothing is bought."""


# --- verbs ---


def write_off(ctx: Context, warehouse_id: str, what: WriteOff, *, id: str) -> Waste:
    """Write units of a lot off (rules 1, 2); the same id again is a Conflict. Without a lot_id: of no known lot."""
    require_warehouse(ctx.session, warehouse_id)
    day = day_of(ctx.session, warehouse_id, ctx.at)
    standing = batches.standing(ctx.session, warehouse_id, [what.sku], day=day, forgets=False)[what.sku]
    held = next((one for one in standing if one.batch_id == what.lot_id), None)
    if ctx.session.get(Waste, (warehouse_id, id)) is None and (held is None or what.qty > held.qty):
        left = held.qty if held else 0
        raise Refused("more-than-the-lot", "Only %(left)s of this lot are left. Count again.", left=left)
    key = (what.sku, what.lot_id or "")
    per, cost = _costs(ctx.session, warehouse_id, [held])[key] if held else (1, None)
    cost_minor = None if cost is None else amount_for(what.qty, cost, per)
    what = replace(what, batch=held.batch if held else None, cost_minor=cost_minor)
    return waste.write_off(ctx, warehouse_id, what, id=id)


def count(ctx: Context, warehouse_id: str, sku: str, counted_qty: int, *, why: str, id: str) -> int:
    """Put right what stands of a product (rule 4); returns by how much. The same id again is a Conflict."""
    require_warehouse(ctx.session, warehouse_id)
    if ctx.session.get(Product, sku) is None:
        raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
    if isinstance(counted_qty, bool) or not 0 <= counted_qty <= MOST_QTY:
        raise Invalid("bad-quantity", "Enter a count of 0 or more.", sku=sku, qty=counted_qty)
    why = stated(
        why,
        Invalid("no-reason", "Enter a reason for the count. It will be recorded in the journal.", field="why"),
        LONGEST_WHY,
    )
    moved = sa.select(StockMovement.source_id).where(StockMovement.store_id == warehouse_id, StockMovement.sku == sku)
    done = ctx.session.scalar(moved.where(StockMovement.source_id == id).limit(1)) is not None
    if done or ctx.session.get(StockCount, (warehouse_id, id)) is not None:
        raise Conflict("already-booked", "This count was already recorded.", kind="count", id=id)
    day = day_of(ctx.session, warehouse_id, ctx.at)
    before = batches.standing(ctx.session, warehouse_id, [sku], day=day, forgets=False)[sku]
    had = stock.levels(ctx.session, warehouse_id, [sku])[sku].on_hand
    if ctx.session.scalar(moved.limit(1)) is not None:
        stock.count(ctx, warehouse_id, sku, counted_qty, count_id=id, found_in=Place.BACKROOM)
    elif counted_qty:
        stock.open_stock(ctx, warehouse_id, [(sku, counted_qty)], source_id=id)
    after = batches.standing(ctx.session, warehouse_id, [sku], day=day, forgets=False)[sku]
    left = {held.batch_id: held.qty for held in after}
    gone = [(one.batch_id, one.qty - left.get(one.batch_id, 0)) for one in before if one.batch_id]
    batches.take_from(ctx.session, warehouse_id, [(batch_id, qty) for batch_id, qty in gone if qty > 0])
    facts = {"warehouse": warehouse_id, "counted": counted_qty, "before": had, "why": why}
    journal.record(ctx, verb="warehouse.counted", subject=f"product:{sku}", **facts)
    ctx.session.flush()
    return counted_qty - had


# --- questions ---


def houses(session: Session) -> list[House]:
    """Return every warehouse by id, with each supplier that delivers from it."""
    listed = sa.select(sa.func.count()).where(SupplierProduct.supplier_id == Supplier.id).scalar_subquery()
    standing = sa.select(sa.func.count(sa.distinct(StockLevel.sku))).where(
        StockLevel.store_id == Supplier.warehouse_id, StockLevel.place.in_(INSIDE), StockLevel.qty > 0
    )
    query = sa.select(Supplier.warehouse_id, Supplier.name, listed, standing.scalar_subquery())
    query = query.where(Supplier.warehouse_id.is_not(None)).order_by(Supplier.warehouse_id, Supplier.name)
    return [House(str(house), name, int(many), int(there)) for house, name, many, there in session.execute(query)]


@dataclass(frozen=True)
class Keeping:
    """The query of the SKUs that a warehouse has or sells, with what it can be sorted and narrowed by."""

    query: sa.Select[str]
    qty: sa.ColumnElement[int]
    pack_qty: sa.ColumnElement[int]
    is_gone: sa.ColumnElement[bool]
    """Sold from there, and sold out."""


def keeping(warehouse_id: str) -> Keeping:
    """Return how to ask for what a warehouse has or sells."""
    there, sold = _there(warehouse_id), _sold(warehouse_id)
    query = (
        sa.select(Product.sku)
        .outerjoin(there, there.c.sku == Product.sku)
        .outerjoin(sold, sold.c.sku == Product.sku)
        .where(sa.or_(there.c.qty != 0, sold.c.sku.is_not(None)))
    )
    is_gone = sa.and_(sold.c.sku.is_not(None), there.c.qty <= 0)
    return Keeping(query, sa.func.coalesce(there.c.qty, 0), sold.c.pack_qty, is_gone)


def kept(session: Session, warehouse_id: str, skus: Sequence[str]) -> list[Kept]:
    """Return what a warehouse has of products, in their order."""
    from supply.network.warehouse.dispatch import promised_of

    of = keeping(warehouse_id)
    query = of.query.add_columns(Product.shown, Product.stock_unit, of.qty, of.pack_qty).where(Product.sku.in_(skus))
    promised, coming = promised_of(session, warehouse_id), _coming(session, warehouse_id)
    found = {
        sku: Kept(sku, name, unit, int(qty), promised.get(sku, 0), pack_qty, coming.get(sku))
        for sku, name, unit, qty, pack_qty in session.execute(query)
    }
    return [found[sku] for sku in skus if sku in found]


def lots(session: Session, warehouse_id: str, *, text: str = "", at: dt.datetime, most: int = 100) -> list[Stood]:
    """Return the lots that are over or will be within SOON_DAYS, or those of the products named; by their last day."""
    day = day_of(session, warehouse_id, at)
    skus = _named(session, warehouse_id, text, most) if text else _ending(session, warehouse_id, day)
    products = {row.sku: row for row in session.scalars(sa.select(Product).where(Product.sku.in_(skus)))}
    last = day + dt.timedelta(days=SOON_DAYS)
    held = [
        one
        for some in batches.standing(session, warehouse_id, skus, day=day, forgets=False).values()
        for one in some
        if text or (one.expires_on is not None and one.expires_on <= last)
    ]
    costs = _costs(session, warehouse_id, held)
    found = []
    for one in held:
        per, cost = costs[one.sku, one.batch_id or ""]
        found.append(
            Stood(
                one.sku, products[one.sku].shown, products[one.sku].stock_unit, one.qty, one.batch or "",
                one.expires_on, one.batch_id or "", one.expires_on is not None and one.expires_on < day,
                None if cost is None else amount_for(one.qty, cost, per),
            )
        )  # fmt: skip
    return sorted(found, key=lambda row: (row.expires_on or batches.FOR_EVER, row.name, row.sku, row.lot_id))[:most]


def lost(session: Session, warehouse_id: str, first_day: dt.date, last_day: dt.date) -> list[Shrink]:
    """Return what a warehouse lost from one day to another, both included, by reason, the dearest first (rule 2)."""
    return waste.shrink(
        session, warehouse_id, first_day, last_day, costs=lambda skus: _bought(session, warehouse_id, skus)[0]
    )


def over_counts(session: Session, *, at: dt.datetime) -> dict[str, int]:
    """Return how many products stand in each warehouse whose last day is over; warehouses with none are left out."""
    found = {house: len(batches.over(session, house, day=day_of(session, house, at))) for house in warehouses(session)}
    return {house: count for house, count in found.items() if count}


# --- inside ---


def _there(warehouse_id: str) -> sa.Subquery:
    """Return what stands in a warehouse by sku, also what stood there and is gone."""
    query = sa.select(StockLevel.sku, sa.func.sum(StockLevel.qty).label("qty"))
    return (
        query.where(StockLevel.store_id == warehouse_id, StockLevel.place.in_(INSIDE))
        .group_by(StockLevel.sku)
        .subquery()
    )


def _sold(warehouse_id: str) -> sa.Subquery:
    """Return what suppliers sell from a warehouse by sku, with the largest pack."""
    query = sa.select(SupplierProduct.sku, sa.func.max(SupplierProduct.pack_qty).label("pack_qty"))
    query = query.join(Supplier, Supplier.id == SupplierProduct.supplier_id)
    return query.where(Supplier.warehouse_id == warehouse_id).group_by(SupplierProduct.sku).subquery()


def _coming(session: Session, warehouse_id: str) -> dict[str, dt.date]:
    """Return when the next of each product comes that was ordered upstream."""
    query = (
        sa.select(PurchaseLine.sku, sa.func.min(Purchase.expected_day))
        .join(Purchase, sa.and_(Purchase.store_id == PurchaseLine.store_id, Purchase.id == PurchaseLine.purchase_id))
        .where(Purchase.store_id == warehouse_id, Purchase.state == "ordered", PurchaseLine.packs > 0)
        .group_by(PurchaseLine.sku)
    )
    return dict(session.execute(query).all())


def _named(session: Session, warehouse_id: str, text: str, most: int) -> list[str]:
    query = (
        sa.select(Product.sku)
        .join(StockLevel, StockLevel.sku == Product.sku)
        .where(
            StockLevel.store_id == warehouse_id, StockLevel.place.in_(INSIDE), StockLevel.qty > 0,
            matches(text),
        )
        .order_by(Product.name, Product.sku)
        .distinct()
    )  # fmt: skip
    return [row[0] for row in session.execute(query.add_columns(Product.name).limit(most))]


def _ending(session: Session, warehouse_id: str, day: dt.date) -> list[str]:
    query = sa.select(Batch.sku).where(
        Batch.store_id == warehouse_id, Batch.expires_on <= day + dt.timedelta(days=SOON_DAYS),
        Batch.gone_qty < Batch.received_qty,
    )  # fmt: skip
    return sorted(session.scalars(query.distinct()))


def _costs(session: Session, warehouse_id: str, held: Sequence[Held]) -> dict[tuple[str, str], tuple[int, int | None]]:
    """Return (units, what they cost) of lots, by SKU and lot id (rule 2)."""
    listed, bought = _bought(session, warehouse_id, {one.sku for one in held})
    ids = [one.batch_id for one in held if one.batch_id]
    came = sa.select(Batch.id, Batch.source_id).where(
        Batch.store_id == warehouse_id, Batch.id.in_(ids), Batch.source_kind == "purchase"
    )
    sources = dict(session.execute(came).all())
    return {
        (one.sku, one.batch_id or ""): bought.get(
            (one.sku, sources.get(one.batch_id or "", "")), listed.get(one.sku, (1, None))
        )
        for one in held
    }


def _bought(
    session: Session, warehouse_id: str, skus: Collection[str]
) -> tuple[dict[str, tuple[int, int]], dict[tuple[str, str], tuple[int, int]]]:
    """Return (units, what they cost) of products, by SKU as last bought or listed, and by SKU and purchase (rule 2)."""
    listed: dict[str, tuple[int, int]] = {}
    sold = sa.select(SupplierProduct).join(Supplier, Supplier.id == SupplierProduct.supplier_id)
    for row in session.scalars(sold.where(Supplier.warehouse_id == warehouse_id, SupplierProduct.sku.in_(skus))):
        listed[row.sku] = (row.pack_qty, row.pack_cost_minor)
    bought: dict[tuple[str, str], tuple[int, int]] = {}
    lines = (
        sa.select(PurchaseLine)
        .join(Purchase, sa.and_(Purchase.store_id == PurchaseLine.store_id, Purchase.id == PurchaseLine.purchase_id))
        .where(Purchase.store_id == warehouse_id, Purchase.state == "received", PurchaseLine.sku.in_(skus))
        .order_by(Purchase.received_at)
    )
    for line in session.scalars(lines):
        bought[line.sku, line.purchase_id] = listed[line.sku] = (line.pack_qty, line.pack_cost_minor)
    return listed, bought
