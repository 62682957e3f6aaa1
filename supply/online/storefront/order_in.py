"""Goods ordered in for a customer: what the store is out of, or only sells online, comes with the vehicle to be
collected.

Rules
-----
1. A product can be ordered in where a supplier of the store's sells it, the store has a price for it, and the
   shopkeeper lets it (`time_slots`). It is promised for the day after the latest vehicle that an order of any day this
   week would come with.
2. A line that is ordered in takes nothing from the allowance and holds nothing until its goods are there.
3. Accepting the order puts the product into the assortment where it was not, and the units into planned demand, so
   that the next order of its supplier carries them in whole packs.
4. Whatever comes is held for the orders that wait, the longest waiting first, each with all its lines or not at all.
5. An order whose goods do not come is gathered without them, and settled as any that is short, or cancelled.

Units: qty in the product's stock unit.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.errors import Refused
from config.nodes.journal import Context, record
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Listing, Product
from pos.stock import stock
from pos.store.store import Store
from supply.demand import known_events
from supply.online.orders import PickupLine, PickupOrder, lines_of, send, subject_of
from supply.orders.delivery_calendar import next_cycle
from supply.orders.suppliers import supplier_of
from supply.orders.supply_routes import sources

TO_UNPACK_DAYS = 1
"""What a vehicle brings is counted, and collected from the next day on."""
WAITING = ("accepted", "picking")


# --- verbs, store ---


def expect(ctx: Context, order: PickupOrder) -> None:
    """Order in what an accepted order waits for (rule 3); what is there by now is held at once."""
    waiting = awaited(ctx.session, order)
    if not waiting:
        return
    listed = set(
        ctx.session.scalars(sa.select(Listing.sku).where(Listing.store_id == order.store_id, Listing.active)).all()
    )
    for line in waiting:
        if line.sku not in listed:
            catalogue.list_product(ctx, order.store_id, line.sku)
    store = ctx.session.get_one(Store, order.store_id)
    today = business_day(ctx.at, store.tz, store.rollover_hour)
    wanted = {line.sku: line.qty for line in waiting}
    known_events.plan(ctx.session, order.store_id, subject_of(order), wanted, day=today)
    hold(ctx, order)


def hold(ctx: Context, order: PickupOrder) -> bool:
    """Hold all of an order's goods if they are there (rule 4); tells whether nothing is awaited any more."""
    waiting = awaited(ctx.session, order)
    if not waiting:
        return True
    try:
        with ctx.session.begin_nested():
            stock.answer(ctx.session, order.store_id, order.id, "released", at=ctx.at)
            whole = [(line.sku, line.qty) for line in lines_of(ctx.session, order)]
            stock.reserve(ctx, order.store_id, order.id, whole)
    except Refused:
        return False
    for line in waiting:
        line.awaited = False
    forget(ctx.session, order)
    record(ctx, verb="pickup order.goods_received", subject=subject_of(order))
    return True


def goods_received(ctx: Context, store_id: str) -> list[PickupOrder]:
    """Hold what came for the orders that wait for it (rule 4), and tell the network; returns them."""
    query = (
        sa.select(PickupOrder)
        .where(
            PickupOrder.store_id == store_id,
            PickupOrder.state.in_(WAITING),
            sa.exists().where(
                PickupLine.store_id == PickupOrder.store_id, PickupLine.order_id == PickupOrder.id, PickupLine.awaited
            ),
        )
        .order_by(PickupOrder.placed_at, PickupOrder.number, PickupOrder.id)
    )
    came = [order for order in ctx.session.scalars(query).all() if hold(ctx, order)]
    for order in came:
        send(ctx.session, order, ctx.at)
    return came


def forget(session: Session, order: PickupOrder) -> None:
    """Order nothing more in for an order: its goods are held, or it is over."""
    known_events.close(session, order.store_id, subject_of(order))


# --- questions ---


def awaited(session: Session, order: PickupOrder) -> list[PickupLine]:
    """Return the lines whose goods are not there yet."""
    return [line for line in lines_of(session, order) if line.awaited]


def days_of(session: Session, store_id: str, today: dt.date) -> dict[str, int]:
    """Return SKU -> so many days after ordering it can be collected, of all that can be ordered in (rule 1)."""
    offered = sources(session, store_id, today)
    waits = {supplier_id: _wait_days(session, supplier_id, today) for supplier_id in offered}
    sold = set(
        session.scalars(
            sa.select(Product.sku).where(Product.active, Product.kind == "goods", Product.price_typed.is_(False))
        )
    )
    return {
        terms.sku: waits[supplier_id]
        for supplier_id, products in offered.items()
        for terms in products
        if terms.sku in sold
    }


def packs_of(session: Session, store_id: str, today: dt.date) -> dict[str, int]:
    """Return SKU -> units its supplier packs together."""
    offered = sources(session, store_id, today).values()
    return {terms.sku: terms.pack_qty for products in offered for terms in products}


# --- inside ---


def _wait_days(session: Session, supplier_id: str, today: dt.date) -> int:
    """Return the longest wait from any day of a week on, so that the promise is the same every day."""
    supplier = supplier_of(session, supplier_id)
    days = (today + dt.timedelta(days=n) for n in range(7))
    longest = max((next_cycle(supplier.calendar, day + dt.timedelta(days=1)).delivery_day - day).days for day in days)
    return longest + TO_UNPACK_DAYS
