"""On which days a supplier takes an order, and on which its goods come: one value, one written form. PURE.

Rules
-----
1. Orders are taken on the order weekdays that are not closed, of every n-th week counted from one; goods arrive
   lead_days later, in any week.
2. On a closed day no order is taken and nothing is brought: what would come then comes on the next day that is open.
3. What is ordered after a day's cut-off counts as ordered on the next order day whose cut-off is still to come. The
   cut-off is of the calendar's day: after midnight it may be over before the business day of before has ended. A day
   without one is over with the business day.
4. The delivery after an order's is the first that comes on a later day.
5. A calendar that cannot be is none: making it raises Invalid with the field at fault.
6. It has one written form, a text a field (`FIELDS`): of forms, files, columns and editions.

A minute is one of the local clock, counted from the midnight that begins the day: beyond 24 hours where the business
day goes on.
"""

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from config.errors import Invalid
from config.words import N_

DAY = dt.timedelta(days=1)
DAY_MINUTES = 24 * 60
LAST_MINUTE = DAY_MINUTES - 1
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST_LEAD_DAYS = 60
MOST_WEEKS = 8
MOST_CLOSED = 200
NO_WEEK = N_("Choose a date in a week with order days.")


@dataclass(frozen=True)
class DeliveryCalendar:
    """When a supplier works. order_weekdays: 0 = Monday, at least one; cut_off_minute None: the whole day.

    every_weeks: of so many weeks orders are taken in one; first_week: the Monday of such a week, None where in all.
    """

    order_weekdays: frozenset[int] = frozenset(range(7))
    lead_days: int = 1
    closed: frozenset[dt.date] = frozenset()
    cut_off_minute: int | None = None
    every_weeks: int = 1
    first_week: dt.date | None = None

    def __post_init__(self) -> None:
        """Raise Invalid where it cannot be (rule 5)."""
        if not self.order_weekdays or not self.order_weekdays <= set(range(7)):
            raise Invalid("bad-order-days", "Choose at least one order day.", field="order_days")
        if not 0 <= self.lead_days <= LONGEST_LEAD_DAYS:
            raise Invalid(
                "bad-lead-time", "Enter 0 to %(most)s days from order to delivery.", most=LONGEST_LEAD_DAYS,
                field="lead_days",
            )  # fmt: skip
        if not 1 <= self.every_weeks <= MOST_WEEKS:
            raise Invalid(
                "bad-order-weeks", "Choose every week, or every 2 to %(most)s weeks.",
                field="every_weeks", most=MOST_WEEKS,
            )  # fmt: skip
        if len(self.closed) > MOST_CLOSED:
            raise Invalid(
                "too-many-closed-days", "Up to %(most)s closed days. Remove past ones.",
                field="closed_days", most=MOST_CLOSED,
            )  # fmt: skip
        if self.cut_off_minute is not None and not 0 <= self.cut_off_minute < DAY_MINUTES:
            raise Invalid("bad-time", "Enter a time such as 14:00.", field="order_by")
        if self.every_weeks > 1 and self.first_week is None:
            raise Invalid("no-order-week", NO_WEEK, field="first_week")
        monday = None if self.every_weeks == 1 else _monday(self.first_week)
        object.__setattr__(self, "first_week", monday)

    def takes_orders(self, day: dt.date) -> bool:
        """Tell whether an order is taken on a day (rules 1, 2)."""
        if day.weekday() not in self.order_weekdays or day in self.closed:
            return False
        return self.first_week is None or (day - self.first_week).days // 7 % self.every_weeks == 0


EVERY_DAY = DeliveryCalendar()


# --- as texts ---


def read(texts: Mapping[str, str], before: DeliveryCalendar = EVERY_DAY) -> DeliveryCalendar:
    """Return a calendar with what these texts say (rule 6); a field that is left out stays as it was before."""
    said = dict(read_field(field, texts[field]) for field in FIELDS if field in texts)
    return replace(before, **said)


def read_field(field: str, text: str) -> tuple[str, Any]:
    """Return what one text says, with the name it has in a calendar; Invalid where it says nothing."""
    name, of_text, _ = FIELDS[field]
    return name, of_text(text.strip())


def written(calendar: DeliveryCalendar) -> dict[str, str]:
    """Return a calendar's texts, '' where there is nothing to say (rule 6)."""
    return {field: to_text(getattr(calendar, name)) for field, (name, _, to_text) in FIELDS.items()}


class CalendarColumn(sa.TypeDecorator[DeliveryCalendar]):
    """A column that keeps a calendar as its texts."""

    impl = sa.JSON
    cache_ok = True

    def process_bind_param(self, value: DeliveryCalendar | None, dialect: Any) -> dict[str, str] | None:
        """Write it."""
        return None if value is None else written(value)

    def process_result_value(self, value: Any, dialect: Any) -> DeliveryCalendar | None:
        """Read it."""
        return None if value is None else read(value)


# --- days ---


@dataclass(frozen=True)
class OrderCycle:
    """The days of an order: when it is placed, when it arrives, and when the one after it arrives."""

    order_day: dt.date
    delivery_day: dt.date
    next_delivery_day: dt.date


def order_cycle(calendar: DeliveryCalendar, day: dt.date, lead_days: int | None = None) -> OrderCycle | None:
    """Return the days of an order placed on `day`; None when none is taken then (rules 1, 2).

    lead_days: how long its goods take, as measured; None: as promised.
    """
    if not calendar.takes_orders(day):
        return None
    first = comes(calendar, day, lead_days)
    later = (comes(calendar, one, lead_days) for one in _order_days(calendar, day + DAY))
    return OrderCycle(day, first, next(one for one in later if one > first))


def next_cycle(
    calendar: DeliveryCalendar, day: dt.date, lead_days: int | None = None, *, minute: int = 0
) -> OrderCycle:
    """Return the days of the next order that can be placed, from this minute of `day` on (rules 1 to 3)."""
    ordered = next(one for one in _order_days(calendar, day) if not is_over(calendar, one, day, minute))
    found = order_cycle(calendar, ordered, lead_days)
    assert found is not None
    return found


def comes(calendar: DeliveryCalendar, ordered: dt.date, lead_days: int | None = None) -> dt.date:
    """Return the day on which what was ordered on a day comes (rules 1, 2); lead_days: as in `order_cycle`."""
    return open_day(calendar, ordered + dt.timedelta(days=calendar.lead_days if lead_days is None else lead_days))


def open_day(calendar: DeliveryCalendar, day: dt.date) -> dt.date:
    """Return the first day from `day` on that is not closed."""
    while day in calendar.closed:
        day += DAY
    return day


def is_over(calendar: DeliveryCalendar, order_day: dt.date, today: dt.date, minute: int) -> bool:
    """Tell whether an order for a day can be placed for it no more, at this minute of today (rule 3)."""
    closes = calendar.cut_off_minute
    return order_day < today or (closes is not None and minute > closes + (order_day - today).days * DAY_MINUTES)


def counted(calendar: DeliveryCalendar, days: OrderCycle, today: dt.date, minute: int) -> OrderCycle:
    """Return the days of an order that is placed at this minute of today: those it has, or the next (rules 1 to 3)."""
    is_late = is_over(calendar, days.order_day, today, minute)
    if calendar.takes_orders(days.order_day) and not is_late:
        return days
    first = today if is_late else days.order_day
    return next_cycle(calendar, first, (days.delivery_day - days.order_day).days, minute=minute if is_late else 0)


def reach(calendar: DeliveryCalendar, ordered: dt.date, today: dt.date, minute: int) -> int:
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


def _order_days(calendar: DeliveryCalendar, day: dt.date) -> Iterator[dt.date]:
    """Yield the days from `day` on on which an order is taken."""
    while True:
        if calendar.takes_orders(day):
            yield day
        day += DAY


def _monday(day: dt.date | None) -> dt.date | None:
    return None if day is None else day - day.weekday() * DAY


def _weekdays(text: str) -> frozenset[int]:
    named = [day.casefold()[:3] for day in _apart(text)]
    if not set(named) <= set(WEEKDAYS):
        raise Invalid("bad-order-days", "Enter weekdays such as mon thu.", field="order_days")
    return frozenset(WEEKDAYS.index(day) for day in named)


def _whole(field: str, code: str) -> Callable[[str], int]:
    def read_whole(text: str) -> int:
        tidy = text.removesuffix(".0")  # a spreadsheet writes 3 as 3.0
        if not re.fullmatch(r"\d{1,3}", tidy):
            raise Invalid(code, "Enter a whole number.", field=field, most=MOST_WEEKS)
        return int(tidy)

    return read_whole


def _week(text: str) -> dt.date | None:
    try:
        return None if text.casefold() in NONE else dt.date.fromisoformat(text[:10])
    except ValueError as fault:
        raise Invalid("no-order-week", "Enter a date such as 2026-12-31.", field="first_week") from fault


def _closed(text: str) -> frozenset[dt.date]:
    found = set()
    for day in () if text.casefold() in NONE else _apart(text):
        try:
            found.add(dt.date.fromisoformat(day))
        except ValueError as fault:
            raise Invalid(
                "bad-closed-day", "%(day)s is not a date. Enter closed days such as 2026-12-25, one per line.",
                field="closed_days", day=day[:20],
            ) from fault  # fmt: skip
    return frozenset(found)


def _minute(text: str) -> int | None:
    if text.casefold() in NONE:
        return None
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)(:00)?", text, re.ASCII)
    if found is None:
        raise Invalid("bad-time", "Enter a time such as 14:00.", field="order_by")
    return int(found[1]) * 60 + int(found[2])


def _apart(text: str) -> list[str]:
    return re.findall(r"[^\s,;]+", text)


NONE = ("", "none")
FIELDS: Mapping[str, tuple[str, Callable[[str], Any], Callable[[Any], str]]] = {
    "order_days": ("order_weekdays", _weekdays, lambda days: " ".join(WEEKDAYS[day] for day in sorted(days))),
    "every_weeks": ("every_weeks", _whole("every_weeks", "bad-order-weeks"), str),
    "first_week": ("first_week", _week, lambda day: day.isoformat() if day else ""),
    "lead_days": ("lead_days", _whole("lead_days", "bad-lead-time"), str),
    "order_by": ("cut_off_minute", _minute, lambda at: "" if at is None else f"{at // 60:02d}:{at % 60:02d}"),
    "closed_days": ("closed", _closed, lambda days: " ".join(day.isoformat() for day in sorted(days))),
}
"""Each field's name in a calendar, what reads its text, and what writes it (rule 6)."""
