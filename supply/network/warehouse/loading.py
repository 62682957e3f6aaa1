"""Goods out of a warehouse's lots onto the vehicle, and back into them.

Rules
-----
1. What leaves is taken from the lots that expire first, and the store is told each lot's units and day. A lot that is
   over or recalled is left, and what a pick list keeps of a lot is left to it; what was picked is taken from its list's
   lots.
2. Loading takes the goods out of the warehouse's book and tells the store what is coming, in one transaction.
3. What a store sends back goes to the lots it left from.
"""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes import journal
from config.nodes.facts import stamp
from config.nodes.journal import Context, JournalEntry
from pos.stock import batches, stock
from pos.stock.batches import Held, Lot
from pos.store.store import day_of, send_fact
from supply.facts import Advised, DeliveryDispatched, Dispatched
from supply.network.warehouse import pick_lists
from supply.orders import deliveries, orders
from supply.orders.deliveries import Delivery
from supply.orders.delivery_calendar import open_day
from supply.orders.suppliers import Supplier

# --- verbs ---


def send_off(
    ctx: Context, warehouse_id: str, fact: Dispatched, subject: str, *, lots: Sequence[Held] | None = None
) -> None:
    """Load a delivery and tell its store (rules 1, 2). fact: its lines without their lots; lots: what was picked."""
    taken = lots_for(ctx.session, warehouse_id, fact.lines, ctx.at) if lots is None else lots
    fact = replace(fact, lines=tuple(_dated(fact.lines, taken)))
    _load(ctx, warehouse_id, fact, taken)
    send_fact(ctx.session, fact, subject=subject, id=fact.delivery_id, at=ctx.at)


# --- questions ---


def without_order(
    session: Session, store_id: str, delivery_id: str, supplier_id: str, lines: Sequence[Advised], *,
    network_offer_id: str | None = None, at: dt.datetime,
) -> DeliveryDispatched:  # fmt: skip
    """Return a delivery that answers no order, due the day after, or on the next day the supplier comes."""
    tomorrow = day_of(session, store_id, at) + dt.timedelta(days=1)
    supplier = session.get(Supplier, supplier_id)
    return DeliveryDispatched(
        store_id=store_id,
        delivery_id=delivery_id,
        supplier_id=supplier_id,
        order_id=None,
        network_offer_id=network_offer_id,
        expected_day=(open_day(supplier.calendar, tomorrow) if supplier else tomorrow).isoformat(),
        advised_at=stamp(at),
        acknowledged=(),
        lines=tuple(lines),
    )


def lots_back(session: Session, delivery: Delivery, back: Iterable[tuple[str, int]]) -> list[Lot]:
    """Return the lots in which goods of a delivery come back, as they left (rule 3). back: (SKU, units)."""
    reported = {line.sku: line for line in deliveries.lines_of(session, delivery)}
    left: dict[str, list[tuple[int, str | None, str | None]]] = {}
    for sku, qty, batch, until in _lots_loaded(session, delivery):
        left.setdefault(sku, []).append((qty, batch, until))
    found = []
    for sku, units in back:
        rest = units
        for qty, batch, until in left.get(sku, ()):
            part = min(rest, qty)
            rest -= part
            found.append(Lot(sku, part, batch, dt.date.fromisoformat(until) if until else None))
        line = (
            reported.get(sku) if sku not in left else None
        )  # what left without a lot, or before lots were written down
        found.append(Lot(sku, rest, line.batch, line.expires_on) if line else Lot(sku, rest))
    return [lot for lot in found if lot.qty]


def lots_for(session: Session, warehouse_id: str, lines: Sequence[Advised], at: dt.datetime) -> list[Held]:
    """Return what of which lots is taken for a delivery, first to leave first (rule 1)."""
    today = day_of(session, warehouse_id, at)
    skus = [line.sku for line in lines]
    sound = batches.sound(session, warehouse_id, skus, day=today)
    kept, taken = pick_lists.lots_kept(session, warehouse_id, skus), []
    for line in lines:
        rest = line.qty
        for held in sound[line.sku]:
            free = max(0, held.qty - kept.get((held.sku, held.batch_id or ""), 0))
            if part := min(rest, free):
                taken.append(replace(held, qty=part))
                rest -= part
    return taken


# --- inside ---


def _dated(lines: Sequence[Advised], taken: Sequence[Held]) -> list[Advised]:
    """Return the lines with the lots they are taken from, and of those the first last day (rule 1)."""
    lots: dict[str, dict[tuple[str | None, str | None], int]] = {}
    first: dict[str, Held] = {}
    for held in taken:
        until = held.expires_on.isoformat() if held.expires_on else None
        mine = lots.setdefault(held.sku, {})
        mine[held.batch, until] = mine.get((held.batch, until), 0) + held.qty
        if held.expires_on is not None:
            first.setdefault(held.sku, held)
    reported = []
    for line in lines:
        known, mine = first.get(line.sku), lots.get(line.sku, {})
        until = known.expires_on.isoformat() if known and known.expires_on else None
        several = tuple((qty, batch, day) for (batch, day), qty in mine.items()) if len(mine) > 1 else ()
        reported.append(replace(line, batch=known.batch if known else None, expires_on=until, lots=several))
    return reported


def _load(ctx: Context, warehouse_id: str, fact: Dispatched, lots: Sequence[Held]) -> None:
    lines = [(line.sku, line.qty) for line in fact.lines if line.qty]
    taken = [held for held in lots if held.batch_id]
    batches.take_from(ctx.session, warehouse_id, [(str(held.batch_id), held.qty) for held in taken])
    stock.dispatch(ctx, warehouse_id, lines, source_id=fact.delivery_id)
    orders.dispatched(ctx, fact)
    units = sum(qty for _, qty in lines)
    journal.record(
        ctx,
        verb="warehouse.dispatched",
        subject=f"delivery:{fact.delivery_id}",
        store=fact.store_id,
        units=units,
        lots=[[one.sku, one.qty, one.batch, one.expires_on.isoformat() if one.expires_on else None] for one in taken],
    )


def _lots_loaded(session: Session, delivery: Delivery) -> list[list[Any]]:
    """Return the lots a delivery was loaded from: [SKU, units, batch, last day]."""
    query = sa.select(JournalEntry.body).where(
        JournalEntry.subject == deliveries.subject_of(delivery), JournalEntry.verb == "warehouse.dispatched"
    )
    body = session.scalars(query.limit(1)).first()
    return list(json.loads(body).get("lots", [])) if body else []
