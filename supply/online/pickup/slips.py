"""Slips of pickup orders and deliveries: frozen documents, and their way to the printer.

Rules
-----
1. A document is frozen when it is asked for; its layout reads nothing else.
2. A pick list has what all orders to be gathered want, by where it lies: the slot on the shelf, else the room.
3. Of a customer only the first name is on the store's paper. The square code opens the order here; the code that hands
   it over is the customer's alone.
4. What came is compared once it is posted or sent back; a claim needs a difference.
5. The slip of an order taken at the counter carries its code, for its customer has no page; the code is taken out of
   the queue when the order is over.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import NotFound, Refused
from config.nodes.journal import Actor, Context
from pos.catalogue.catalogue import Product
from pos.documents.paper import first_name
from pos.payments.tenders import CASH
from pos.printing import queue
from pos.printing.queue import PrintJob, Queued
from pos.reports.slips import enqueue_once, head, local
from pos.stock import stock
from pos.stock.ledger import Place
from pos.store.store import Store, Till, store_of
from supply.online.orders import OPEN, PickupOrder, kept_until, lines_of, open_orders
from supply.orders import deliveries
from supply.orders.deliveries import DeliveryLine
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import Supplier
from supply.shelf import plan

TO_GATHER = ("accepted", "picking")
ROOMS = (Place.SHELF, Place.FLOOR, Place.BACKROOM)


# --- verbs ---


def pick_list(ctx: Context, till: Till, *, command: str) -> Queued:
    """Queue one list of everything the accepted orders want (rule 2)."""
    store = store_of(ctx.session, till.store_id)
    orders = [order for order in open_orders(ctx.session, store.id) if order.state in TO_GATHER]
    if not orders:
        raise NotFound("nothing-to-pick", "There are no accepted orders to pick. Accept one first.")
    document = head(store, ctx.actor, ctx.at) | {
        "orders": [{"order_no": one.order_no, "customer_name": first_name(one.customer_name)} for one in orders],
        "places": _by_place(ctx.session, store, orders),
    }
    return enqueue_once(ctx.session, till, "pick_list", "pickup", document, command=command, at=ctx.at)


def order_slip(session: Session, till: Till, order_id: str, *, command: str, at: dt.datetime) -> Queued:
    """Queue the slip to gather one order by; of an order that is ready, the label of its bag (rule 3)."""
    store = store_of(session, till.store_id)
    order = session.get(PickupOrder, (store.id, order_id))
    if order is None or order.state not in OPEN:
        raise NotFound("unknown-order", "Open order not found at this store.")
    kind = "bin" if order.state == "ready" else "pickup"
    document: dict[str, Any] = {
        "store": head(store, Actor.system("print", store.id), at)["store"],
        "order_no": order.order_no,
        "order_id": order.id,
        "customer_name": first_name(order.customer_name),
        "ready_by": local(order.ready_by, store) if order.ready_by else "",
        "hold_until": local(kept_until(store, order.hold_until), store) if order.hold_until else "",
        "lines": _printed(session, order, store),
        "total_minor": order.total_minor,
        "paid": False,
    }
    return enqueue_once(session, till, kind, order.id, document, command=command, at=at)


def customer_slip(
    session: Session, till: Till, order: PickupOrder, code: str, url: str, *, command: str, tender: str, at: dt.datetime
) -> Queued:
    """Queue what the customer of an order taken at the counter takes home; the drawer opens for cash (rule 5)."""
    store = store_of(session, till.store_id)
    if (known := session.get(PrintJob, (till.store_id, command))) is not None:
        return Queued.of(known)
    begins, ends = (local(at, store) if at else "" for at in (order.window_from, order.window_until))
    document = {
        "store": head(store, Actor.system("print", store.id), at)["store"],
        "order_no": order.order_no,
        "order_id": order.id,
        "customer_name": first_name(order.customer_name),
        "lines": _printed(session, order, store),
        "total_minor": order.total_minor,
        "paid": order.paid_minor > 0,
        "customer": {"code": code, "url": url, "from": begins, "until": ends[-5:]},
    }  # fmt: skip
    printout = queue.Printout("pickup", order.id, document, opens_drawer=tender == CASH)
    return queue.queue(session, store.id, till.id, printout, id=command, at=at)


def delivery_slip(ctx: Context, till: Till, delivery_id: str, kind: str, *, command: str) -> Queued:
    """Queue what came against what was ordered (`delivery`), or what the supplier owes (`claim`, rule 4)."""
    store = store_of(ctx.session, till.store_id)
    delivery = deliveries.delivery_of(ctx.session, store.id, delivery_id)
    if delivery.state in deliveries.ON_ITS_WAY:
        raise Refused("not-posted", "Count and post this delivery first.", state=delivery.state)
    rows = deliveries.lines_of(ctx.session, delivery)
    units, supplier = _units(ctx.session, [row.sku for row in rows]), ctx.session.get(Supplier, delivery.supplier_id)
    order = ctx.session.get(ReplenishmentOrder, (store.id, delivery.order_id)) if delivery.order_id else None
    lines = [
        {
            "name": row.name,
            "stock_unit": units.get(row.sku, "each"),
            "advised_qty": row.advised_qty,
            "counted_qty": row.counted_qty or 0,
            "why": row.difference_why,
            "expires_on": row.expires_on.isoformat() if row.expires_on else "",
            "lots": _lots(row),
        }
        for row in rows
    ]
    if kind == "claim" and not any(line["advised_qty"] != line["counted_qty"] for line in lines):
        raise Refused("nothing-to-claim", "Everything arrived as ordered: there is nothing to claim.")
    document = head(store, ctx.actor, ctx.at) | {
        "local_time": local(delivery.posted_at or ctx.at, store),
        "by": delivery.posted_by or ctx.actor.name,
        "supplier_name": supplier.name if supplier else delivery.supplier_id,
        "order_no": str(order.order_no) if order else "",
        "state": delivery.state,
        "lines": lines,
    }
    return enqueue_once(ctx.session, till, kind, delivery.id, document, command=command, at=ctx.at)


# --- inside ---


def _lots(row: DeliveryLine) -> list[tuple[int, str]]:
    """Return how many units that came are of which day, where a line is of several lots."""
    lots = row.lots_of(row.counted_qty or 0) if row.lots else []
    return [(lot.qty, lot.expires_on.isoformat() if lot.expires_on else "") for lot in lots]


def _by_place(session: Session, store: Store, orders: list[PickupOrder]) -> list[dict[str, Any]]:
    """Return what the orders want, grouped by slot or room in the order one walks: shelf, floor, backroom, unknown."""
    wanted: dict[str, dict[str, Any]] = {}
    for order in orders:
        for line in lines_of(session, order):
            row = wanted.setdefault(line.sku, {"name": line.name, "qty": 0, "orders": []})
            row["qty"] += line.qty
            row["orders"].append([order.order_no, line.qty])
    units, slots = _units(session, list(wanted)), plan.ranks(session, store.id)
    levels = stock.levels(session, store.id, list(wanted))
    groups: dict[tuple[int, int, str], list[dict[str, Any]]] = {}
    for sku, row in sorted(wanted.items(), key=lambda pair: (pair[1]["name"], pair[0])):
        by_place = levels[sku].by_place if sku in levels else {}
        room = next((n for n, name in enumerate(ROOMS) if by_place.get(name, 0) >= row["qty"]), len(ROOMS))
        if room == len(ROOMS):
            room = next((n for n, name in enumerate(ROOMS) if by_place.get(name, 0) > 0), room)
        slot = slots.get(sku, 0) if room == 0 else 0
        name = str(ROOMS[room]) if room < len(ROOMS) else ""
        groups.setdefault((room, slot, name), []).append(row | {"stock_unit": units.get(sku, "each")})
    return [{"place": name, "slot": slot, "lines": rows} for (_room, slot, name), rows in sorted(groups.items())]


def _printed(session: Session, order: PickupOrder, store: Store) -> list[dict[str, Any]]:
    """Return an order's lines as they are printed, in the store's language."""
    lines = lines_of(session, order)
    query = sa.select(Product).where(Product.sku.in_([line.sku for line in lines]))
    known = {one.sku: (one.called(store.language), one.stock_unit) for one in session.scalars(query)}
    printed = [(line, *known.get(line.sku, (line.name, "each"))) for line in lines]
    return [{"name": name, "qty": line.qty, "stock_unit": unit} for line, name, unit in printed]


def _units(session: Session, skus: list[str]) -> dict[str, str]:
    query = sa.select(Product.sku, Product.stock_unit).where(Product.sku.in_(skus))
    return {row.sku: row.stock_unit for row in session.execute(query)}
