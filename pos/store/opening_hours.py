"""When a store is open in a week. PURE.

Rules
-----
1. Each weekday has spans one after the other (two where the store closes at midday), or the store stays closed on it;
   on one day at least it opens. Closing at the hour of opening is open around the clock; closing before it, after
   midnight, and that night belongs to the day before.
2. A week is kept, and travels, as seven words, Monday first: `07:00-22:00`, `09:00-13:00,16:00-20:00` or `closed`.
"""

import datetime as dt
import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise

from config.errors import Invalid
from config.words import N_

Span = tuple[str, str]
"""From when to when, 'HH:MM' by the store's own clock."""
Hours = tuple[Span, ...]
"""When a store is open on one day, in order; empty: closed all day."""
CLOSED = "closed"
_SPAN = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII)
_BOTH = N_("Enter both an opening and a closing time for each open day.")


@dataclass(frozen=True)
class Week:
    """Seven days, Monday first."""

    days: tuple[Hours, ...]

    def __str__(self) -> str:
        return " ".join(",".join(map("-".join, hours)) or CLOSED for hours in self.days)

    def on(self, day: dt.date) -> Hours:
        """Return when the store is open on a day; empty where it stays closed on that weekday."""
        return self.days[day.weekday()]

    def instants(self, day: dt.date, zone: dt.tzinfo) -> list[tuple[dt.datetime, dt.datetime]]:
        """Return from when to when the store is open on a day, in order (rule 1)."""
        return [_instants(span, day, zone) for span in self.on(day)]

    def left(self, day: dt.date, zone: dt.tzinfo, at: dt.datetime) -> float:
        """Return the share of a day's hours that lies after an instant, 0 to 1; of a closed day 0."""
        spans = self.instants(day, zone)
        whole = sum((closes - opens for opens, closes in spans), dt.timedelta())
        rest = sum((max(dt.timedelta(), closes - max(at, opens)) for opens, closes in spans), dt.timedelta())
        return rest / whole if spans else 0.0

    @property
    def daily(self) -> Hours | None:
        """The hours of every day, where all have the same."""
        return self.days[0] if len(set(self.days)) == 1 else None

    def spells(self) -> list[tuple[int, int, Hours]]:
        """Return days in a row with the same hours: their first and last weekday, 0 for Monday, and the hours."""
        groups = (list(group) for _, group in groupby(range(7), key=lambda n: self.days[n]))
        return [(group[0], group[-1], self.days[group[0]]) for group in groups]


@lru_cache(maxsize=256)
def week(kept: str) -> Week:
    """Read a week as it is kept (rule 2), a day's spans in any order; raises Invalid."""
    days = tuple(_hours(word) for word in kept.split(" "))
    if len(days) != 7:
        raise Invalid("bad-hours", _BOTH, field="opening_hours")
    if not any(days):
        raise Invalid("never-open", "Choose at least one open day.", field="opening_hours")
    return Week(days)


def every_day(opens: str, closes: str) -> str:
    """Return the week of a store that has the same hours every day, as it is kept."""
    return " ".join([f"{opens}-{closes}"] * 7)


# --- inside ---


def _hours(word: str) -> Hours:
    if word == CLOSED:
        return ()
    found = [_SPAN.fullmatch(span) for span in word.split(",")]
    spans = sorted((span[1], span[2]) for span in found if span)
    if len(spans) != len(found):
        raise Invalid("bad-hours", _BOTH, field="opening_hours")
    if any(closes <= opens or following[0] < closes for (opens, closes), following in pairwise(spans)):
        words = N_("Two openings of one day overlap. Start the second after the first ends.")
        raise Invalid("hours-overlap", words, field="opening_hours")
    return tuple(spans)


def _instants(span: Span, day: dt.date, zone: dt.tzinfo) -> tuple[dt.datetime, dt.datetime]:
    opens, closes = (dt.time.fromisoformat(text) for text in span)
    last = day if closes > opens else day + dt.timedelta(days=1)
    return dt.datetime.combine(day, opens, zone), dt.datetime.combine(last, closes, zone)
