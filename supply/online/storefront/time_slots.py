"""When online orders can be collected, and the store's other rules for them. Pure.

Rules
-----
1. Windows lie within the opening hours, none across a midday break, all of one length, the first one after the time
   the store needs to gather an order. A store that closes after midnight counts the night to the day before. On a day
   it stays closed there is none.
2. A window takes so many orders; and no more orders may wait at once than the pickup shelf has places: whatever is
   to be collected up to a window and is not yet, still stands there.
3. The store answers a new order within so many minutes of being open, else it is refused by itself.
4. Goods come back within `return_days` of collecting, 0 to 15.
5. What was paid online waits at the network by its own clock, whatever the store says: `return_days` from the moment it
   knows of the hand-over, and LEAST_TERM at least, where the customer's own code proves it or the customer confirms it;
   without proof FULL_TERM, and from the end of the customer's window at the earliest. Never before the window began.
"""

import datetime as dt
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from config.errors import Invalid
from config.words import N_
from pos.store.opening_hours import Week

_DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
LENGTHS = (15, 30, 60, 120)
MOST_RETURN_DAYS = 15
LEAST_TERM, FULL_TERM = dt.timedelta(hours=48), dt.timedelta(days=14)
_BOUNDS = {
    "lead_minutes": (0, 24 * 60), "window_orders": (1, 200), "shelf_places": (1, 500), "days_ahead": (0, 14),
    "accept_minutes": (5, 24 * 60), "return_days": (0, MOST_RETURN_DAYS),
}  # fmt: skip


@dataclass(frozen=True)
class PickupRules:
    """What the shopkeeper settled for online orders. days_ahead: how many days after today have windows."""

    window_minutes: int = 60
    lead_minutes: int = 30
    window_orders: int = 8
    shelf_places: int = 40
    days_ahead: int = 2
    accept_minutes: int = 60
    return_days: int = 7
    confirm_phone: bool = True
    """A guest proves the phone number with a one-time code."""
    pay_online: bool = True
    order_in: bool = True
    """Customers may order what is not here, to be collected when the vehicle has brought it."""
    delivery: dict[str, Any] = field(default_factory=dict)
    """What is brought home, as `delivery_rules.DeliveryRules` writes it; nothing: all is collected."""

    def __post_init__(self) -> None:
        if self.window_minutes not in LENGTHS:
            raise Invalid("bad-window", "Choose a pickup window of 15, 30, 60 or 120 minutes.", field="window_minutes")
        for name, (least, most) in _BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                words = N_("%(field)s: %(least)s to %(most)s.")
                raise Invalid("bad-rule-number", words, field=name, least=least, most=most)

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> "PickupRules":
        """Read the rules as they are kept and travel; what is not said is as usual, what is not known is left out."""
        known = {one.name for one in fields(cls)}
        return cls(**{name: value for name, value in kept.items() if name in known})

    def to_body(self) -> dict[str, Any]:
        """Return the rules as they are kept and travel."""
        return asdict(self)


@dataclass(frozen=True)
class Hours:
    """When a store is open: its week by the clock of its zone, every day but the closed ones."""

    week: Week
    tz: str
    closed: frozenset[dt.date] = frozenset()

    def on(self, day: dt.date) -> list[tuple[dt.datetime, dt.datetime]]:
        """Return from when to when the store is open on a day, in order; empty where it stays closed."""
        spans = [] if day in self.closed else self.week.instants(day, ZoneInfo(self.tz))
        return [(opens.astimezone(dt.UTC), closes.astimezone(dt.UTC)) for opens, closes in spans]

    def opens_again(self, today: dt.date) -> dt.date | None:
        """Return the first open day where the store stays closed today; None where it opens."""
        day = today
        while day in self.closed or not self.week.on(day):
            day += _DAY
        return None if day == today else day

    def ahead(self, at: dt.datetime) -> Iterator[tuple[dt.datetime, dt.datetime]]:
        """Yield from when to when the store is open, without end, but for what is over at an instant."""
        day = at.astimezone(ZoneInfo(self.tz)).date() - _DAY  # its night may reach into today
        while True:
            yield from (span for span in self.on(day) if at < span[1])
            day += _DAY

    def changes(self, at: dt.datetime) -> tuple[bool, dt.datetime]:
        """Return whether the store is open at an instant, and when it next closes or opens; at most WEEK is looked."""
        ahead = self.ahead(at)
        opens, until = next(ahead)
        if at < opens:
            return False, opens
        while until < at + WEEK and (span := next(ahead))[0] <= until:
            until = max(until, span[1])
        return True, until


class Window(NamedTuple):
    """A time to collect in. left: how many more orders it takes."""

    start: dt.datetime
    end: dt.datetime
    left: int


def windows(rules: PickupRules, hours: Hours, now: dt.datetime, waiting: Sequence[dt.datetime | None]) -> list[Window]:
    """Return the windows from now on, full ones too (rules 1, 2).

    waiting: the window's start of every order not yet collected; None: one without a window.
    """
    first = now + dt.timedelta(minutes=rules.lead_minutes)
    length = dt.timedelta(minutes=rules.window_minutes)
    inside = Counter(waiting)
    starts = sorted(one for one in waiting if one is not None)
    found = []
    today = now.astimezone(ZoneInfo(hours.tz)).date()
    for day in (today + dt.timedelta(days=n) for n in range(-1, rules.days_ahead + 1)):
        for start, closes in hours.on(day):
            while start + length <= closes:
                if start >= first:
                    before = inside[None] + bisect_right(starts, start)
                    left = min(rules.window_orders - inside[start], rules.shelf_places - before)
                    found.append(Window(start, start + length, max(0, left)))
                start += length
    return found


def answer_by(rules: PickupRules, hours: Hours, at: dt.datetime) -> dt.datetime:
    """Return until when the store has to answer an order that came at an instant (rule 3)."""
    left = dt.timedelta(minutes=rules.accept_minutes)
    for opens, closes in hours.ahead(at):
        begins = max(at, opens)
        if begins + left <= closes:
            return begins + left
        left -= closes - begins
    raise AssertionError  # the hours ahead have no end


def passed_on_at(
    handed_at: dt.datetime,
    proved_at: dt.datetime | None,
    return_days: int,
    begins: dt.datetime | None,
    ends: dt.datetime | None,
) -> dt.datetime:
    """Return when money goes on to the store (rule 5). begins, ends: the window the customer chose."""
    days = dt.timedelta(days=return_days)
    unproved = max(handed_at, ends or handed_at) + max(days, FULL_TERM)
    proved = unproved if proved_at is None else max(handed_at, proved_at) + max(days, LEAST_TERM)
    return max(min(proved, unproved), begins or handed_at)
