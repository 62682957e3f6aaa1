"""What invoices, payments and due days come to: pure arithmetic over integers and days.

Rules
-----
1. A payment that is less than what is owed pays what is due first, at the same day the older number; part payment
   leaves the rest of one invoice open.
2. What is drawn on credit falls due when most of the goods are expected to be sold: the day by which SOLD_BP of their
   cost have left the shelf, counted from the forecast the order was made on, within the bounds of the terms.
3. Until its due day credit costs nothing. After that a day costs `rate_ppm` millionths of what is still open.
4. Age is counted from the due day: not due yet, then 1-7, 8-30, 31-60 and more days late.

Units: *_minor currency minor units, *_milli thousandths of a stock unit, *_bp basis points, *_ppm millionths.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.money import BASIS, divide_half_up

SOLD_BP = 8_000
AGES = ((None, 0), (1, 7), (8, 30), (31, 60), (61, None))
"""(first, last) days late of each column of an ageing; None: no bound."""


@dataclass(frozen=True)
class Open:
    """An invoice with something left to pay. no: its human number."""

    id: str
    no: int
    due_day: dt.date
    left_minor: int


@dataclass(frozen=True)
class Stocked:
    """A product of an order as the forecast saw it: the line's cost, units ordered, units before, units a day."""

    cost_minor: int
    qty: int
    before_milli: int
    per_day_milli: int


def share_payment(amount_minor: int, open_invoices: Iterable[Open]) -> list[tuple[str, int]]:
    """Return which invoices an amount pays, and how much of each (rule 1)."""
    left, paid = amount_minor, []
    for one in sorted(open_invoices, key=lambda one: (one.due_day, one.no)):
        part = min(left, one.left_minor)
        if part > 0:
            paid.append((one.id, part))
            left -= part
    return paid


def sell_through_days(lines: Sequence[Stocked], *, least_days: int, most_days: int) -> int:
    """Return after how many days SOLD_BP of an order's cost are expected to be sold, within the bounds (rule 2)."""
    sold_after = sorted((_line_days(line, most_days), line.cost_minor) for line in lines if line.cost_minor > 0)
    whole = sum(cost for _, cost in sold_after)
    gone = 0
    for days, cost in sold_after:
        gone += cost
        if gone * BASIS >= whole * SOLD_BP:
            return max(least_days, min(most_days, days))
    return most_days


def day_fee(open_minor: int, rate_ppm: int) -> int:
    """Return what one day after the due day costs (rule 3)."""
    return divide_half_up(open_minor * rate_ppm, 1_000_000)


def ages(open_invoices: Iterable[Open], today: dt.date) -> list[int]:
    """Return what is open by how late it is, one sum for each of AGES (rule 4)."""
    sums = [0] * len(AGES)
    for one in open_invoices:
        late = (today - one.due_day).days
        which = next(n for n, (_, last) in enumerate(AGES) if last is None or late <= last)
        sums[which] += one.left_minor
    return sums


def _line_days(line: Stocked, most_days: int) -> int:
    if line.per_day_milli <= 0:
        return most_days
    units_milli = max(0, line.before_milli) + line.qty * 1000
    return min(most_days, -(-units_milli // line.per_day_milli))
