"""On which days a supplier takes an order, and on which its goods come. PURE.

Rules
-----
1. Orders are taken on the order weekdays that are not closed, and goods arrive lead_days later.
2. On a closed day no order is taken and nothing is brought: what would come then comes on the next day that is open.
3. What is ordered after a day's cut-off counts as ordered on the next order day whose cut-off is still to come. The
   cut-off is of the calendar's day: after midnight it may be over before the business day of before has ended. A day
   without one is over with the business day.
4. The delivery after an order's is the first that comes on a later day.

A minute is one of the local clock, counted from the midnight that begins the day: beyond 24 hours where the business
day goes on.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

DAY = dt.timedelta(days=1)
DAY_MINUTES = 24 * 60
LAST_MINUTE = DAY_MINUTES - 1


@dataclass(frozen=True)
class Calendar:
    """When a supplier works. order_weekdays: 0 = Monday, at least one; cut_off_minute None: the whole day."""

    order_weekdays: frozenset[int]
    lead_days: int
    closed: frozenset[dt.date] = frozenset()
    cut_off_minute: int | None = None


@dataclass(frozen=True)
class OrderCycle:
    """The days of an order: when it is placed, when it arrives, and when the one after it arrives."""

    order_day: dt.date
    delivery_day: dt.date
    next_delivery_day: dt.date


def order_cycle(calendar: Calendar, day: dt.date, lead_days: int | None = None) -> OrderCycle | None:
    """Return the days of an order placed on `day`; None when none is taken then (rules 1, 2).

    lead_days: how long its goods take, as measured; None: as promised.
    """
    if not _takes(calendar, day):
        return None
    first = comes(calendar, day, lead_days)
    later = (comes(calendar, one, lead_days) for one in _order_days(calendar, day + DAY))
    return OrderCycle(day, first, next(one for one in later if one > first))


def next_cycle(calendar: Calendar, day: dt.date, lead_days: int | None = None, *, minute: int = 0) -> OrderCycle:
    """Return the days of the next order that can be placed, from this minute of `day` on (rules 1 to 3)."""
    ordered = next(one for one in _order_days(calendar, day) if not is_over(calendar, one, day, minute))
    found = order_cycle(calendar, ordered, lead_days)
    assert found is not None
    return found


def comes(calendar: Calendar, ordered: dt.date, lead_days: int | None = None) -> dt.date:
    """Return the day on which what was ordered on a day comes (rules 1, 2); lead_days: as in `order_cycle`."""
    return open_day(calendar, ordered + dt.timedelta(days=calendar.lead_days if lead_days is None else lead_days))


def open_day(calendar: Calendar, day: dt.date) -> dt.date:
    """Return the first day from `day` on that is not closed."""
    while day in calendar.closed:
        day += DAY
    return day


def is_over(calendar: Calendar, order_day: dt.date, today: dt.date, minute: int) -> bool:
    """Tell whether an order for a day can be placed for it no more, at this minute of today (rule 3)."""
    closes = calendar.cut_off_minute
    return order_day < today or (closes is not None and minute > closes + (order_day - today).days * DAY_MINUTES)


def counted(calendar: Calendar, days: OrderCycle, today: dt.date, minute: int) -> OrderCycle:
    """Return the days of an order that is placed at this minute of today: those it has, or the next (rules 1 to 3)."""
    is_late = is_over(calendar, days.order_day, today, minute)
    if _takes(calendar, days.order_day) and not is_late:
        return days
    first = today if is_late else days.order_day
    return next_cycle(calendar, first, (days.delivery_day - days.order_day).days, minute=minute if is_late else 0)


def reach(calendar: Calendar, ordered: dt.date, today: dt.date, minute: int) -> int:
    """Return for how many days from today what was ordered for a day is to last: until the vehicle after its own.

    No farther than what is ordered now; what has come, or should have, counts as ordered now.
    """
    now = next_cycle(calendar, today, minute=minute)
    its = next_cycle(calendar, min(ordered, now.order_day))
    return ((its if its.delivery_day > today else now).next_delivery_day - today).days


def minute_of(at: dt.datetime, day: dt.date, tz: str) -> int:
    """Return the minute of a day an instant is, by the clock of a place."""
    local = at.astimezone(ZoneInfo(tz))
    return (local.date() - day).days * DAY_MINUTES + local.hour * 60 + local.minute


# --- inside ---


def _takes(calendar: Calendar, day: dt.date) -> bool:
    return day.weekday() in calendar.order_weekdays and day not in calendar.closed


def _order_days(calendar: Calendar, day: dt.date) -> Iterator[dt.date]:
    """Yield the days from `day` on on which an order is taken."""
    while True:
        if _takes(calendar, day):
            yield day
        day += DAY
