"""What goes wrong in this shop, as its own books say, and which lesson helps: the next lesson, with the reason.

Rules
-----
1. A trouble is counted over the last LOOK_BACK_DAYS, and only its share of the chances there were: twelve prices typed
   by hand of two hundred lines weigh more than twelve of two thousand.
2. It is a trouble from FEWEST on, and when its share reaches its limit. The worst is the one furthest above its limit.
3. A person who has done its lesson within the look back is not sent there again; then the next trouble counts, and
   without any the first lesson not done yet.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.sold import Sale, SaleLine
from pos.stock.ledger import CountTask
from pos.till import shift
from pos.till.shift_book import Shift
from supply.membership.training import LessonDone
from supply.online.orders import PickupOrder
from supply.orders.deliveries import Delivery
from supply.orders.orders import ReplenishmentOrder

LOOK_BACK_DAYS = 28
FEWEST = 3
OVERDUE_DAYS = 2
"""A count that was asked for, goods at the door: after so long they are late."""
LIMITS = {
    "overrides": ("ring-up", 0.02),
    "over-short": ("count-the-drawer", 0.15),
    "late-goods": ("receive-goods", 0.15),
    "orders-unanswered": ("approve-an-order", 0.3),
    "pickups-late": ("hand-out-an-order", 0.1),
    "counts-overdue": ("count-the-shelf", 0.3),
}
"""Trouble -> the lesson against it, and the share from which on it is one."""


@dataclass(frozen=True)
class Trouble:
    """So many times of so many chances something went wrong."""

    kind: str
    times: int
    chances: int

    @property
    def weight(self) -> float:
        """How far above its limit it is; 1 is at the limit."""
        return self.times / max(1, self.chances) / LIMITS[self.kind][1]


@dataclass(frozen=True)
class Next:
    """The lesson to do next; trouble: why, None where it is simply the next one."""

    lesson_id: str
    trouble: Trouble | None


def suggest(
    troubles: Iterable[Trouble], offered: Sequence[str], done: dict[str, LessonDone], *, at: dt.datetime
) -> Next | None:
    """Return the next lesson of those offered (rules 2, 3); None when all are done and nothing goes wrong. Pure."""
    fresh = {lesson_id for lesson_id, row in done.items() if row.last_at > at - dt.timedelta(days=LOOK_BACK_DAYS)}
    worst = sorted(
        (one for one in troubles if one.times >= FEWEST and one.weight >= 1), key=lambda one: (-one.weight, one.kind)
    )
    for trouble in worst:
        lesson_id = LIMITS[trouble.kind][0]
        if lesson_id in offered and lesson_id not in fresh:
            return Next(lesson_id, trouble)
    left = [lesson_id for lesson_id in offered if lesson_id not in done]
    return Next(left[0], None) if left else None


def troubles(session: Session, store_id: str, *, day: dt.date, at: dt.datetime) -> list[Trouble]:
    """Return what a shop's books say of the last weeks (rule 1), as it is."""
    since_day, since = day - dt.timedelta(days=LOOK_BACK_DAYS), at - dt.timedelta(days=LOOK_BACK_DAYS)
    late = dt.timedelta(days=OVERDUE_DAYS)
    tolerance_minor = shift.tolerance_minor(session, store_id)
    off = session.scalars(
        sa.select(Shift.over_short_minor).where(
            Shift.store_id == store_id, Shift.state == "closed", Shift.business_day > since_day
        )
    ).all()
    came = session.scalars(
        sa.select(Delivery).where(
            Delivery.store_id == store_id, Delivery.state.not_in(["refused", "turned_back"]),
            Delivery.expected_day > since_day, Delivery.expected_day < day,
        )
    ).all()  # fmt: skip
    pickups = session.scalars(
        sa.select(PickupOrder).where(
            PickupOrder.store_id == store_id, PickupOrder.placed_at > since, PickupOrder.state != "placed"
        )
    ).all()
    asked = session.scalars(
        sa.select(CountTask).where(CountTask.store_id == store_id, CountTask.opened_at.between(since, at - late))
    ).all()
    return [
        _by_hand(session, store_id, since_day),
        Trouble("over-short", sum(abs(one or 0) > tolerance_minor for one in off), len(off)),
        Trouble("late-goods", sum(_days_late(one, day) >= OVERDUE_DAYS for one in came), len(came)),
        _missed_vans(session, store_id, since, day),
        Trouble("pickups-late", sum(map(_kept_waiting, pickups)), len(pickups)),
        Trouble("counts-overdue", sum((one.done_at or at) - one.opened_at > late for one in asked), len(asked)),
    ]


# --- inside ---


def _by_hand(session: Session, store_id: str, since_day: dt.date) -> Trouble:
    """Count the lines at the counter whose price a person typed over, or took something off."""
    query = (
        sa.select(sa.func.count())
        .select_from(SaleLine)
        .join(Sale, sa.and_(Sale.store_id == SaleLine.store_id, Sale.id == SaleLine.sale_id))
        .where(
            SaleLine.store_id == store_id, SaleLine.business_day > since_day, Sale.channel == "counter",
            SaleLine.kind == "goods", SaleLine.qty > 0,
        )
    )  # fmt: skip
    typed = sa.or_(SaleLine.price_type == "override", SaleLine.manual_discount_minor > 0)
    return Trouble("overrides", session.scalar(query.where(typed)) or 0, session.scalar(query) or 0)


def _days_late(delivery: Delivery, day: dt.date) -> int:
    taken_in = delivery.posted_at.date() if delivery.posted_at else day
    return (taken_in - delivery.expected_day).days


def _missed_vans(session: Session, store_id: str, since: dt.datetime, day: dt.date) -> Trouble:
    """Count the order days that passed with a proposal and without an order."""
    rows = session.execute(
        sa.select(ReplenishmentOrder.supplier_id, ReplenishmentOrder.order_day, ReplenishmentOrder.sent_at).where(
            ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.proposed_at > since,
            ReplenishmentOrder.order_day < day,
        )
    ).all()  # fmt: skip
    vans = {(supplier_id, order_day) for supplier_id, order_day, _ in rows}
    met = {(supplier_id, order_day) for supplier_id, order_day, sent_at in rows if sent_at is not None}
    return Trouble("orders-unanswered", len(vans - met), len(vans))


def _kept_waiting(order: PickupOrder) -> bool:
    if order.state in ("refused", "expired"):
        return True
    return bool(order.ready_at and order.window_from and order.ready_at > order.window_from)
