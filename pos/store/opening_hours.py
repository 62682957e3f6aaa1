"""When a store is open in a week. PURE.

Rules
-----
1. Each weekday has one span, or the store stays closed on it; on one day at least it opens. Closing at the hour of
   opening is open around the clock; closing before it, after midnight, and that night belongs to the day before.
2. A week is kept, and travels, as seven words, Monday first: `07:00-22:00` or `closed`.
"""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from config.errors import Invalid

Span = tuple[str, str]
"""From when to when, 'HH:MM' by the store's own clock."""
CLOSED = "closed"
_SPAN = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII)


@dataclass(frozen=True)
class Week:
    """Seven days, Monday first; None: closed all day."""

    days: tuple[Span | None, ...]

    def __str__(self) -> str:
        return " ".join("-".join(span) if span else CLOSED for span in self.days)

    def on(self, day: dt.date) -> Span | None:
        """Return when the store is open on a day; None where it stays closed on that weekday."""
        return self.days[day.weekday()]

    @property
    def daily(self) -> Span | None:
        """The hours of every day, where all have the same."""
        return self.days[0] if len(set(self.days)) == 1 else None

    def spells(self) -> list[tuple[int, int, Span | None]]:
        """Return days in a row with the same hours: their first and last weekday, 0 for Monday, and the hours."""
        groups = (list(group) for _, group in groupby(range(7), key=lambda n: self.days[n]))
        return [(group[0], group[-1], self.days[group[0]]) for group in groups]


@lru_cache(maxsize=256)
def week(kept: str) -> Week:
    """Read a week as it is kept (rule 2); raises Invalid."""
    words = kept.split(" ")
    found = [_SPAN.fullmatch(word) for word in words]
    if len(words) != 7 or any(span is None and word != CLOSED for span, word in zip(found, words, strict=True)):
        raise Invalid("bad-hours", "Enter both an opening and a closing time for each open day.", field="opening_hours")
    if not any(found):
        raise Invalid("never-open", "Choose at least one open day.", field="opening_hours")
    return Week(tuple((span[1], span[2]) if span else None for span in found))


def every_day(opens: str, closes: str) -> str:
    """Return the week of a store that has the same hours every day, as it is kept."""
    return " ".join([f"{opens}-{closes}"] * 7)


def instants(span: Span, day: dt.date, zone: dt.tzinfo) -> tuple[dt.datetime, dt.datetime]:
    """Return from when to when a store is open that has these hours on a day (rule 1)."""
    opens, closes = (dt.time.fromisoformat(text) for text in span)
    last = day if closes > opens else day + dt.timedelta(days=1)
    return dt.datetime.combine(day, opens, zone), dt.datetime.combine(last, closes, zone)
