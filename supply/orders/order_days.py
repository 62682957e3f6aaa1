"""Which route of a supplier's goods an order belongs to: one rule, at the store and at the network.

Rules
-----
1. An order counts for the order day it names while that is not over for its supplier, else for the next (`order_cycle`,
   rules 1 to 3). What a store sends counts from the moment of sending; for the network's own warehouses an order counts
   from the moment it has reached the network, whatever the store says of when it was sent.
2. The minute is of the clock of the supplier's warehouse where that keeps one (`pos.store.store`, rule 4), else of the
   store's. The day is the store's business day.
3. Where the network counts an order for another day than it named, the store is told at once.
4. At its store an order is due as many days after the day it counts for as the supplier promises, however late or soon
   the store has learnt to expect it: late vehicles once would make every later order late by plan, and who named an
   earlier day would be served before the others.
5. What an order needs reaches until the vehicle after its own, but no farther than that of an order placed now; one
   whose vehicle has left counts as placed now.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from config.nodes import journal
from config.nodes.journal import Context
from pos.store.store import day_of, send_fact, store_of, zone_of
from supply.facts import OrderMoved
from supply.orders import delivery_calendar
from supply.orders.delivery_calendar import LAST_MINUTE, DeliveryCalendar, OrderCycle, minute_of
from supply.orders.suppliers import Supplier

if TYPE_CHECKING:
    from supply.orders.orders import ReplenishmentOrder

Key = tuple[str, str]
"""(store id, order id)"""


# --- verbs ---


def send(ctx: Context, order: "ReplenishmentOrder") -> None:
    """Tell a store for which day its order counts (rule 3)."""
    days = {name: day.isoformat() for name, day in vars(of(order)).items()}
    fact = OrderMoved(order.store_id, order.id, **days)
    journal.record(ctx, verb="order.late", subject=f"order:{order.id}", **days)
    send_fact(ctx.session, fact, subject=f"order:{order.id}", at=ctx.at)


# --- questions ---


def of(order: "ReplenishmentOrder") -> OrderCycle:
    """Return the days of an order as it has them."""
    return OrderCycle(order.order_day, order.delivery_day, order.next_delivery_day)


def counted(session: Session, supplier: Supplier, days: OrderCycle, store_id: str, at: dt.datetime) -> OrderCycle:
    """Return for which days a store's order counts that is placed now (rules 1, 2)."""
    today = day_of(session, store_id, at)
    return delivery_calendar.counted(
        calendar_of(supplier), days, today, minute_by(session, supplier, store_id, today, at)
    )


def next_days(session: Session, supplier: Supplier, store_id: str, lead_days: int, at: dt.datetime) -> OrderCycle:
    """Return the days of a store's next order that can be placed (rules 1, 2). lead_days: as measured."""
    today = day_of(session, store_id, at)
    minute = minute_by(session, supplier, store_id, today, at)
    return delivery_calendar.next_cycle(calendar_of(supplier), today, lead_days, minute=minute)


def is_over(session: Session, supplier: Supplier, order_day: dt.date, store_id: str, at: dt.datetime) -> bool:
    """Tell whether a store can order for a day no more (rules 1, 2)."""
    today = day_of(session, store_id, at)
    minute = minute_by(session, supplier, store_id, today, at)
    return delivery_calendar.is_over(calendar_of(supplier), order_day, today, minute)


def calendar_of(supplier: Supplier) -> DeliveryCalendar:
    """Return until when orders count; a warehouse's day is over at midnight, whatever its stores' hour (rule 2)."""
    if supplier.warehouse_id and supplier.calendar.cut_off_minute is None:
        return replace(supplier.calendar, cut_off_minute=LAST_MINUTE)
    return supplier.calendar


def minute_by(session: Session, supplier: Supplier, store_id: str, today: dt.date, at: dt.datetime) -> int:
    """Return the minute of a store's day by the clock a supplier's cut-off goes by (rule 2)."""
    tz = zone_of(session, supplier.warehouse_id) if supplier.warehouse_id else None
    return minute_of(at, today, tz or store_of(session, store_id).tz)


def closes_at(session: Session, supplier: Supplier, store_id: str, order_day: dt.date) -> dt.datetime | None:
    """Return until when an order for a day can be placed, by the store's clock; None: as long as its own day lasts."""
    here = store_of(session, store_id).tz
    tz = (zone_of(session, supplier.warehouse_id) if supplier.warehouse_id else None) or here
    minute = calendar_of(supplier).cut_off_minute
    if minute is None or (supplier.calendar.cut_off_minute is None and tz == here):
        return None
    closes = dt.time(*divmod(minute, 60), tzinfo=ZoneInfo(tz))
    return dt.datetime.combine(order_day, closes).astimezone(ZoneInfo(here))


def minute_at(session: Session, warehouse_id: str, today: dt.date, at: dt.datetime) -> int:
    """Return the minute of a warehouse's day by its clock (`pos.store.store`, rule 4)."""
    return minute_of(at, today, zone_of(session, warehouse_id) or "UTC")


def due_day(session: Session, order: "ReplenishmentOrder") -> dt.date:
    """Return the day an order of the network's is to be at its store (rule 4)."""
    return delivery_calendar.comes(session.get_one(Supplier, order.supplier_id).calendar, order.order_day)


def reaches(session: Session, waiting: Iterable[tuple["ReplenishmentOrder", str]], at: dt.datetime) -> dict[Key, int]:
    """Return for how many days from today what orders ask for is to last (rule 5). waiting: orders and warehouses."""
    found, known = dict[Key, int](), dict[tuple[str, dt.date], int]()
    for order, house in waiting:
        same = (order.supplier_id, order.order_day)
        if same not in known:
            today = day_of(session, house, at)
            calendar = calendar_of(session.get_one(Supplier, order.supplier_id))
            known[same] = delivery_calendar.reach(
                calendar, order.order_day, today, minute_at(session, house, today, at)
            )
        found[order.store_id, order.id] = known[same]
    return found
