"""How long suppliers really take: measured from the deliveries that came.

Rules
-----
1. A lead time is measured in business days from the day an order counted for, or was sent if that was later, to the day
   its first delivery was posted, over the last MOST_DELIVERIES orders of a supplier within LOOK_BACK_DAYS. One below 0
   or beyond LONGEST_LEAD_DAYS is a slip. How long an approved order waits for its day is not the supplier's doing.
   What the network buys is measured alike, over all its warehouses (`purchasing`).
2. What a supplier promises counts as much as PROMISE_WORTH deliveries, so that one late vehicle changes little and ten
   do. The days planned with are the measured mean, rounded; where nothing came yet, what is promised.
3. The spread about the planned days makes demand until the goods come less certain: it adds rate squared times its
   square to the variance (Snyder & Shen, eq. 4.34).
"""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.store.store import day_of
from supply.orders.deliveries import Delivery
from supply.orders.delivery_calendar import LONGEST_LEAD_DAYS
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import Supplier

LOOK_BACK_DAYS = 180
MOST_DELIVERIES = 30
PROMISE_WORTH = 3


@dataclass(frozen=True)
class LeadTime:
    """How long a supplier takes. days: planned with; mean_days, spread_days: measured, None and 0 where nothing came.

    late: how many of `count` came after the day they were promised for.
    """

    promised_days: int
    days: int
    variance: float
    count: int = 0
    mean_days: float | None = None
    spread_days: float = 0.0
    late: int = 0


class Trip(NamedTuple):
    """One order's way: the days it counted from (rule 1), came, and was promised for."""

    supplier_id: str
    began: dt.date
    came: dt.date
    promised: dt.date


def measured(session: Session, store_id: str, suppliers: Sequence[Supplier], *, at: dt.datetime) -> dict[str, LeadTime]:
    """Return the lead time of each of these suppliers at a store (rules 1, 2), in one query."""
    since = at - dt.timedelta(days=LOOK_BACK_DAYS)
    first = sa.func.min(Delivery.posted_at)
    query = (
        sa.select(
            ReplenishmentOrder.supplier_id, ReplenishmentOrder.order_day, ReplenishmentOrder.sent_at,
            ReplenishmentOrder.delivery_day, first,
        )
        .join(
            Delivery,
            sa.and_(Delivery.store_id == ReplenishmentOrder.store_id, Delivery.order_id == ReplenishmentOrder.id),
        )
        .where(
            ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.sent_at > since, Delivery.state == "posted",
            ReplenishmentOrder.supplier_id.in_([supplier.id for supplier in suppliers]),
        )
        .group_by(
            ReplenishmentOrder.supplier_id, ReplenishmentOrder.id, ReplenishmentOrder.order_day,
            ReplenishmentOrder.sent_at, ReplenishmentOrder.delivery_day,
        )
        .order_by(ReplenishmentOrder.supplier_id, ReplenishmentOrder.sent_at.desc(), ReplenishmentOrder.id)
    )  # fmt: skip
    trips = (
        Trip(
            supplier_id, began(order_day, day_of(session, store_id, sent_at)), day_of(session, store_id, posted_at),
            promised,
        )
        for supplier_id, order_day, sent_at, promised, posted_at in session.execute(query)
        if sent_at is not None and posted_at is not None
    )  # fmt: skip
    return from_trips(suppliers, trips)


def began(order_day: dt.date | None, sent: dt.date) -> dt.date:
    """Return the day an order's way is counted from (rule 1); order_day None: taken on any day."""
    return sent if order_day is None else max(order_day, sent)


def from_trips(suppliers: Sequence[Supplier], trips: Iterable[Trip]) -> dict[str, LeadTime]:
    """Return the lead time of each of these suppliers from how long orders were on their way, the last first."""
    taken: dict[str, list[tuple[int, bool]]] = {supplier.id: [] for supplier in suppliers}
    for trip in trips:
        days, rows = (trip.came - trip.began).days, taken[trip.supplier_id]
        if 0 <= days <= LONGEST_LEAD_DAYS and len(rows) < MOST_DELIVERIES:
            rows.append((days, trip.came > trip.promised))
    return {supplier.id: _reported(supplier.calendar.lead_days, taken[supplier.id]) for supplier in suppliers}


# --- inside ---


def _reported(promised: int, came: Sequence[tuple[int, bool]]) -> LeadTime:
    if not came:
        return LeadTime(promised, promised, 0.0)
    took = [days for days, _ in came]
    count = len(took)
    mean = sum(took) / count
    spread = math.sqrt(sum((days - mean) ** 2 for days in took) / (count - 1)) if count > 1 else 0.0
    planned = round((promised * PROMISE_WORTH + sum(took)) / (PROMISE_WORTH + count))
    # the promise itself is on time: it stands for PROMISE_WORTH deliveries without a distance
    about = sum((days - planned) ** 2 for days in took) + PROMISE_WORTH * (promised - planned) ** 2
    late = sum(1 for _, was_late in came if was_late)
    return LeadTime(promised, planned, about / (PROMISE_WORTH + count), count, mean, spread, late)
