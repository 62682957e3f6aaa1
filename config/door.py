"""Reading what another node told: what is no number or no day, or is one nobody can mean, is refused at the door.

Rules
-----
1. What a shop tells is refused where it arrives, so that its message is set aside for that shop alone (`inbox`, rule
   2). Once written down it would be reckoned with in what is done for all shops together.
2. A number is a whole one within bounds; True is none. A day is an ISO day, and one that can be told of: a clock that
   cannot be right is not believed.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from config.errors import Invalid

MOST = 10**14
"""The largest number anybody tells: a million million whole units of any currency. Ninety thousand of them still add up
in a column."""


def number(value: Any, name: str, least: int = 0, most: int = MOST) -> int:
    """Return a told whole number; raises Invalid. name: what it is, as the refusal says it."""
    if type(value) is not int or not least <= value <= most:
        raise Invalid("told-no-number", f"{name} is {value!r:.40}, not a whole number from {least} to {most}.")
    return value


def numbers(said: Mapping[str, Any], names: Iterable[str], most: int = MOST) -> None:
    """Refuse what has anything but a whole number between -most and most under one of the names."""
    for name in names:
        value = said[name]
        if type(value) is not int or not -most <= value <= most:
            number(value, name, -most, most)


def day(value: Any, name: str, last: dt.date = dt.date.max, *, first: dt.date = dt.date.min) -> dt.date:
    """Return a told day, from `first` to `last`; raises Invalid."""
    try:
        told = dt.date.fromisoformat(value)
    except (TypeError, ValueError) as fault:
        raise Invalid("told-no-day", f"{name} is {value!r:.40}, not a day.") from fault
    if not first <= told <= last:
        raise Invalid("told-day-off", f"{name} is {told}, not from {first} to {last}. Look at the shop's clock.")
    return told
