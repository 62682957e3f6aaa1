"""Reading what another node told: what is no number or no day, or is one nobody can mean, is refused at the door.

Rules
-----
1. What a store tells is refused where it arrives, so that its message is set aside for that store alone (`inbox`, rule
   2). Once written down it would be reckoned with in what is done for all stores together.
2. A number is a whole one within bounds; True is none. A day is an ISO day, and one that can be told of: a clock that
   cannot be right is not believed.
3. A word that stands until a newer one comes names no moment still to come: it would stand until then (`moment`).
4. No text of a fact is a day or an instant outside FIRST to LAST, wherever it stands: a reader that counts from it, or
   adds to it, comes to an end.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Any

from config.errors import Invalid

MOST = 10**14
"""The largest number anybody tells: a million million whole units of any currency. Ninety thousand of them still add up
in a column."""
FIRST, LAST = dt.date(2000, 1, 1), dt.date(2199, 12, 31)
"""The days anybody reports: nothing of this system is older, and nothing is planned further ahead."""
AHEAD = dt.timedelta(days=1)
"""So far ahead a clock may be."""
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)([T ][\d:.,+-]+Z?)?", re.ASCII)


def number(value: Any, name: str, least: int = 0, most: int = MOST) -> int:
    """Return a told whole number; raises Invalid. name: what it is, as the refusal says it."""
    if type(value) is not int or not least <= value <= most:
        raise Invalid(
            "not-a-number", "%(name)s is %(value)s, not a whole number from %(least)s to %(most)s.", name=name,
            value=f"{value!r:.40}", least=least, most=most,
        )  # fmt: skip
    return value


def numbers(said: Mapping[str, Any], names: Iterable[str], most: int = MOST) -> None:
    """Refuse what has anything but a whole number between -most and most under one of the names."""
    for name in names:
        value = said[name]
        if type(value) is not int or not -most <= value <= most:
            number(value, name, -most, most)


def text(value: Any, name: str, most: int) -> str:
    """Return a reported line of text; raises Invalid."""
    if not isinstance(value, str) or len(value) > most or not value.isprintable():
        raise Invalid("not-a-line", "%(name)s must be one line of up to %(most)s characters.", name=name, most=most)
    return value


def day(value: Any, name: str, last: dt.date = LAST, *, first: dt.date = FIRST) -> dt.date:
    """Return a told day, from `first` to `last`; raises Invalid."""
    try:
        reported = dt.date.fromisoformat(value)
    except (TypeError, ValueError) as fault:
        raise Invalid("not-a-day", "%(name)s is %(value)s, not a date.", name=name, value=f"{value!r:.40}") from fault
    if not first <= reported <= last:
        raise Invalid(
            "impossible-day", "%(name)s is %(reported)s, not from %(first)s to %(last)s. Check the store's clock.",
            name=name, reported=reported, first=first, last=last,
        )  # fmt: skip
    return reported


def moment(at: dt.datetime, name: str, now: dt.datetime) -> None:
    """Refuse a told moment that has not come (rule 3). name: the field's, as the refusal says it."""
    day(at.date().isoformat(), name, (now + AHEAD).date())


def days(value: Any, first: dt.date, last: dt.date, name: str = "") -> None:
    """Refuse a body with a business day outside `first` to `last`, or any day or instant outside FIRST to LAST."""
    if isinstance(value, dict):
        for key, one in value.items():
            days(one, first, last, str(key))
    elif isinstance(value, list):
        for one in value:
            days(one, first, last, name)
    elif isinstance(value, str) and name == "business_day":
        day(value, "The business day", last, first=first)
    elif isinstance(value, str) and (reported := _DAY.fullmatch(value)) and not str(FIRST) <= reported[1] <= str(LAST):
        raise Invalid(
            "impossible-day", "%(name)s is %(value)s, not from %(first)s to %(last)s. Check the store's clock.",
            name=name, value=value, first=FIRST, last=LAST,
        )  # fmt: skip
