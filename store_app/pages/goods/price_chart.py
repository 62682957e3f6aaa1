"""A product's prices over time as the steps of a small picture."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

WIDE, HIGH, EDGE = 600, 120, 14


@dataclass(frozen=True)
class Dated:
    """A price as its line shows it. state: 'coming' | 'now' | 'past' | 'hidden' (the shop's own goes before it)."""

    from_day: dt.date
    price_minor: int
    is_own: bool
    state: str


@dataclass(frozen=True)
class Step:
    """A place where the price changes: where in the picture, from which day, how much."""

    x: float
    y: float
    day: dt.date
    price_minor: int
    coming: bool


@dataclass(frozen=True)
class Chart:
    """A line in steps, past and coming apart. x of today."""

    past: str
    coming: str
    steps: list[Step]
    today_x: float
    wide: int = WIDE
    high: int = HIGH


def steps(dated: Sequence[Dated], day: dt.date, most: int = 12) -> Chart | None:
    """Return the picture of dated prices (from_day, price_minor, state; newest first); None for fewer than two.

    Prices that are hidden by the shop's own have no step.
    """
    shown = [one for one in reversed(dated) if one.state != "hidden"][-most:]
    if len(shown) < 2:
        return None
    first = shown[0].from_day
    last = max(day, shown[-1].from_day) + dt.timedelta(days=7)
    span = max(1, (last - first).days)
    low, high = min(one.price_minor for one in shown), max(one.price_minor for one in shown)
    room = max(1, high - low)

    def across(when: dt.date) -> float:
        return round(EDGE + (WIDE - 2 * EDGE) * (when - first).days / span, 1)

    def up(minor: int) -> float:
        return round(HIGH - 2 * EDGE - (HIGH - 4 * EDGE) * (minor - low) / room, 1)

    found = [
        Step(across(one.from_day), up(one.price_minor), one.from_day, one.price_minor, one.state == "coming")
        for one in shown
    ]
    today_x = across(day)
    past = coming = ""
    for step, after in zip(found, [*found[1:], None], strict=True):
        until = after.x if after else across(last)
        if step.coming:
            coming += f"{'V' if coming else 'M'}{f'{step.x} ' if not coming else ''}{step.y} H{until} "
        else:
            cut = min(until, today_x) if after is None or after.coming else until
            past += f"{'V' if past else 'M'}{f'{step.x} ' if not past else ''}{step.y} H{cut} "
            if cut < until:
                coming += f"M{cut} {step.y} H{until} "
    return Chart(past.strip(), coming.strip(), found, today_x)
