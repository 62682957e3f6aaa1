"""How products stand to each other: which bring the sales (ABC), and how evenly they sell (XYZ).

Rules
-----
1. ABC: by sales of the period, the largest first, products are A until A_BP of all sales are reached, B until B_BP,
   then C; the one that reaches a line is before it. Without sales there is no class.
2. XYZ: by the coefficient of variation of the units of whole weeks, WEEKS of them up to the period's last day: X up to
   X_CV, Y up to Y_CV, Z above. Weeks before the first sale do not count; with fewer than LEAST_WEEKS there is no class.

Read-only.
"""

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Collection, Sequence
from itertools import accumulate, dropwhile

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.money import BASIS
from supply.demand.history import RegionalDemand
from supply.membership.dashboard import Part, Period, regions

A_BP, B_BP = 8_000, 9_500
WEEKS, LEAST_WEEKS = 13, 6
X_CV, Y_CV = 0.5, 1.0
ABC, XYZ = "ABC", "XYZ"


# --- questions ---


def classes(
    session: Session, period: Period, parts: Sequence[Part], region_id: str | None = None
) -> dict[str, tuple[str, str]]:
    """Return SKU -> (A | B | C | '', X | Y | Z | '') of products in the order of their sales (rules 1, 2)."""
    weekly = _weekly(session, period.last_day, [one.id for one in parts], region_id)
    return {
        one.id: (letter, evenness(weekly.get(one.id, ())))
        for one, letter in zip(parts, by_sales([one.now.sales_minor for one in parts]), strict=True)
    }


def by_sales(sales_minor: Sequence[int]) -> list[str]:
    """Return A, B or C of sales that fall, '' of what brought nothing (rule 1)."""
    counted = [max(0, minor) for minor in sales_minor]
    reached, whole = accumulate(counted, initial=0), sum(counted)
    return [
        "" if not minor else ABC[(before * BASIS >= A_BP * whole) + (before * BASIS >= B_BP * whole)]
        for minor, before in zip(counted, reached, strict=False)
    ]


def evenness(weekly: Sequence[int]) -> str:
    """Return X, Y or Z of units by week, the oldest first; '' of too few (rule 2)."""
    units = list(dropwhile(lambda qty: qty <= 0, weekly))
    if len(units) < LEAST_WEEKS:
        return ""
    varies = statistics.pstdev(units) / statistics.fmean(units) if sum(units) > 0 else Y_CV + 1
    return XYZ[(varies > X_CV) + (varies > Y_CV)]


# --- inside ---


def _weekly(
    session: Session, last_day: dt.date, skus: Collection[str], region_id: str | None
) -> dict[str, list[int]]:  # fmt: skip
    row = RegionalDemand
    first = last_day - dt.timedelta(days=7 * WEEKS - 1)
    query = (
        sa.select(row.sku, row.business_day, sa.func.sum(row.sold_qty))
        .where(row.region_id.in_(regions(region_id)), row.sku.in_(skus), row.business_day.between(first, last_day))
        .group_by(row.sku, row.business_day)
    )
    found: dict[str, Counter[int]] = {}
    for sku, day, qty in session.execute(query):
        found.setdefault(sku, Counter())[(day - first).days // 7] += int(qty)
    return {sku: [weeks[n] for n in range(WEEKS)] for sku, weeks in found.items()}
