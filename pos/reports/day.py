"""A day's sales beside the same weekday a week before, its tills, and how the last day was closed.

Rules
-----
1. The week before is cut at the same time on the store's own wall clock; `before` is that whole day.
2. A customer is a completed sale or exchange. A return lowers the sales and is no customer.
3. A shift belongs to the business day on which it was opened.
"""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.reports import figures
from pos.sold import Sale
from pos.store.store import Store, Till
from pos.till.shift_book import Shift

WEEK = dt.timedelta(days=7)


@dataclass(frozen=True)
class DaySales:
    """What a day sold. hours: hour on the wall -> minor units."""

    total_minor: int
    customers: int
    hours: Mapping[int, int]


@dataclass(frozen=True)
class Compared:
    """A day's sales and the same weekday's before. so_far: that day up to the same time; None: nothing was sold then.

    before: the whole of it.
    """

    day: dt.date
    sales: DaySales
    so_far: DaySales | None
    before: DaySales | None

    @property
    def change_bp(self) -> int | None:
        """By how much the sales are above the week before, up to the same time; None: there is nothing to compare."""
        return figures.change_bp(self.sales.total_minor, self.so_far.total_minor) if self.so_far else None


def compared(session: Session, store: Store, day: dt.date, at: dt.datetime) -> Compared:
    """Return a day's sales up to an instant beside those of the week before (rules 1, 2)."""
    zone = ZoneInfo(store.tz)
    earlier = figures.as_long_ago(store, at, WEEK)
    whole = _sold(session, store.id, day - WEEK)
    cut = [row for row in whole if row[0] <= earlier]
    sales = _added([row for row in _sold(session, store.id, day) if row[0] <= at], zone)
    return Compared(day, sales, _added(cut, zone) if whole else None, _added(whole, zone) if whole else None)


def sold_on(session: Session, store: Store, day: dt.date) -> DaySales:
    """Return what a whole day sold."""
    return _added(_sold(session, store.id, day), ZoneInfo(store.tz))


def tills(session: Session, store_id: str) -> list[tuple[Till, Shift | None]]:
    """Return the store's tills, each with its shift that is not closed."""
    unclosed = sa.and_(Shift.store_id == Till.store_id, Shift.till_id == Till.id, Shift.state != "closed")
    query = sa.select(Till, Shift).outerjoin(Shift, unclosed).where(Till.store_id == store_id)
    return [(till, shift) for till, shift in session.execute(query.order_by(Till.id))]


def closes(session: Session, store_id: str, day: dt.date) -> list[Shift]:
    """Return the closed shifts of the last day up to `day` that has any, by Z number (rule 3)."""
    closed = sa.select(Shift.business_day).where(
        Shift.store_id == store_id, Shift.state == "closed", Shift.business_day <= day
    )
    last = session.scalar(closed.order_by(Shift.business_day.desc()).limit(1))
    return closed_between(session, store_id, last, last) if last else []


def closed_between(session: Session, store_id: str, first: dt.date, last: dt.date) -> list[Shift]:
    """Return the closed shifts of the days between two, both included, by Z number."""
    between = Shift.business_day.between(first, last)
    closed = sa.select(Shift).where(Shift.store_id == store_id, Shift.state == "closed", between)
    return list(session.scalars(closed.order_by(Shift.z_no)))


# --- inside ---


def _sold(session: Session, store_id: str, day: dt.date) -> list[tuple[dt.datetime, int, str]]:
    query = sa.select(Sale.completed_at, Sale.total_minor, Sale.kind).where(
        Sale.store_id == store_id, Sale.business_day == day, Sale.state == "completed"
    )
    return [(at, minor, kind) for at, minor, kind in session.execute(query)]


def _added(rows: list[tuple[dt.datetime, int, str]], zone: ZoneInfo) -> DaySales:
    hours: Counter[int] = Counter()
    for at, minor, _kind in rows:
        hours[at.astimezone(zone).hour] += minor
    return DaySales(sum(hours.values()), sum(kind != "return" for _at, _minor, kind in rows), hours)
