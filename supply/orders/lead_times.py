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
4. What is due for longer than LEAST_PATIENCE_DAYS and twice the spread of its supplier's lead time did not come.
5. Where orders of a supplier did not come, another one comes with the chance of those that took at least as long as it
   has waited, the promise among them, against the lost ones.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
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
LEAST_PATIENCE_DAYS = 2
LONGER_STILL = 0.3
"""As if so many deliveries took longer than any that came."""


@dataclass(frozen=True)
class LeadTime:
    """How long a supplier takes. days: planned with; mean_days, spread_days: measured, None and 0 where nothing came.

    late: how many of `count` came after the day they were promised for. took: the days of each. lost: how many did not
    come.
    """

    promised_days: int
    days: int
    variance: float
    count: int = 0
    mean_days: float | None = None
    spread_days: float = 0.0
    late: int = 0
    took: tuple[int, ...] = ()
    lost: int = 0

    def chance(self, waited_days: int) -> float:
        """Return how likely an order that has waited so long comes at all (rule 5)."""
        longer = sum(days >= waited_days for days in self.took) + PROMISE_WORTH * (self.promised_days >= waited_days)
        return (longer + LONGER_STILL) / (longer + LONGER_STILL + self.lost)


class Trip(NamedTuple):
    """One order's way: the days it counted from (rule 1), came, and was promised for."""

    supplier_id: str
    began: dt.date
    came: dt.date
    promised: dt.date


def measured(session: Session, store_id: str, suppliers: Sequence[Supplier], *, at: dt.datetime) -> dict[str, LeadTime]:
    """Return the lead time of each of these suppliers at a store (rules 1, 2), and what did not come (rule 4)."""
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
    leads = from_trips({supplier.id: supplier.calendar.lead_days for supplier in suppliers}, trips)
    lost = _lost(session, store_id, leads, at)
    return {supplier_id: replace(lead, lost=lost[supplier_id]) for supplier_id, lead in leads.items()}


def began(order_day: dt.date | None, sent: dt.date) -> dt.date:
    """Return the day an order's way is counted from (rule 1); order_day None: taken on any day."""
    return sent if order_day is None else max(order_day, sent)


def from_trips(
    promised_days: Mapping[str, int],
    trips: Iterable[Trip],
    lost: Mapping[str, int] | None = None,
    *,
    most: float = MOST_DELIVERIES,
) -> dict[str, LeadTime]:
    """Return the lead time of each supplier from how long orders were on their way, the last first.

    lost: how many orders of a supplier did not come; most: so many orders of each count.
    """
    taken: dict[str, list[tuple[int, bool]]] = {supplier_id: [] for supplier_id in promised_days}
    for trip in trips:
        days, rows = (trip.came - trip.began).days, taken[trip.supplier_id]
        if 0 <= days <= LONGEST_LEAD_DAYS and len(rows) < most:
            rows.append((days, trip.came > trip.promised))
    return {
        supplier_id: replace(_reported(days, taken[supplier_id]), lost=(lost or {}).get(supplier_id, 0))
        for supplier_id, days in promised_days.items()
    }


def patience_days(lead: LeadTime | None) -> int:
    """Return for how many days an order may be due before it did not come (rule 4)."""
    return max(LEAST_PATIENCE_DAYS, math.ceil(2 * lead.spread_days) if lead else 0)


# --- inside ---


def _lost(session: Session, store_id: str, leads: Mapping[str, LeadTime], at: dt.datetime) -> dict[str, int]:
    """Return how many orders of each supplier did not come (rule 4), brought nothing, and were not called off."""
    today, lost = day_of(session, store_id, at), dict.fromkeys(leads, 0)
    query = sa.select(
        ReplenishmentOrder.supplier_id, ReplenishmentOrder.order_day, ReplenishmentOrder.sent_at,
        ReplenishmentOrder.delivery_day,
    ).where(
        ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.supplier_id.in_(list(leads)),
        ReplenishmentOrder.state.in_(["sent", "acknowledged", "dispatched"]),
        ReplenishmentOrder.sent_at > at - dt.timedelta(days=LOOK_BACK_DAYS),
        ReplenishmentOrder.delivery_day < today - dt.timedelta(days=LEAST_PATIENCE_DAYS),
    )  # fmt: skip
    for supplier_id, order_day, sent_at, promised in session.execute(query):
        if sent_at is not None:
            lead = leads[supplier_id]
            due = max(promised, began(order_day, day_of(session, store_id, sent_at)) + dt.timedelta(days=lead.days))
            lost[supplier_id] += (today - due).days > patience_days(lead)
    return lost


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
    return LeadTime(promised, planned, about / (PROMISE_WORTH + count), count, mean, spread, late, tuple(took))
