"""Days and instants as people type them and browsers send them.

Rules
-----
1. A day is written 2026-12-31 (or 20261231). What lies outside FIRST to LAST is none: nothing a store does is that far
   off, and from the calendar's own end no day can be counted on.
"""

import datetime as dt

FIRST, LAST = dt.date(1900, 1, 1), dt.date(2199, 12, 31)


def day_of(text: str) -> dt.date | None:
    """Return the day a text is; None where it is none (rule 1)."""
    try:
        found = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return found if FIRST <= found <= LAST else None


def instant_of(text: str) -> dt.datetime | None:
    """Return the instant a text is, written with its difference from UTC; None where it is none (rule 1)."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None and FIRST < found.date() < LAST else None
