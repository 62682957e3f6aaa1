"""How large a store is beside an average one of its region: by what it sells, and until then by what it says it takes.

Rules
-----
1. A size is a logarithm, one for all of a store's products and, a little, its own for each line (see `assortment`).
   What the store sells of a product, over what its region sells of it in an average store, tells of it from the first
   day on, and a product that did not sell tells, too. A store of which nothing is known is taken for an average one.
2. A store may state what it takes on a usual day. That is the size at which what it has would bring so much at its
   prices. It is worth as much as sales that leave a variance of STATED_SPREAD: those of four products known for long.
3. A statement tells nothing with a chance of WRONG: the further own sales lie from it, beyond what both leave open, the
   less it is believed. One that is ten times off is forgotten within days.

Variances are those of natural logarithms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasting.fit import assortment
from forecasting.fit.regional import Borrowed
from forecasting.fit.state import State
from forecasting.series.panel import Floats, Ints

STATED_SPREAD, WRONG = 0.1, 0.1
UNCOUNTED_SPREAD = 100.0
"""Of the size, where it is unknown of how many stores the region's sales are."""
HALF = 0.5
MOST_SIZE, ROUNDS = 5.0, 50


@dataclass(frozen=True)
class Stated:
    """What a store says it takes on a usual day, and (n,) its prices of a stock unit; NaN = unknown."""

    sales_amount: float
    price: Floats


def store_size(
    own: State, level: Floats, borrowed: Borrowed, group: Ints, stated: Stated | None = None
) -> tuple[Floats, Floats]:
    """Return (n,) the logarithm of this store's size for each product, and its variance.

    level: (n,) what it sells on an ordinary day    group: (n,) number of the category
    NaN where nothing is known of the store and it is unknown of how many stores the region's sales are.
    """
    known = np.isfinite(borrowed.level) & (borrowed.level > 0)
    usual = np.where(known, borrowed.level, 0.0)
    reported = known & (own.exposure > 0)
    said = None if stated is None else _said(stated, usual, borrowed.slope)
    if said is None and not reported.any():
        return np.where(borrowed.counted, 0.0, np.nan), np.full(len(level), assortment.SIZE_SPREAD)
    days = own.exposure / own.factors.grain
    gap = np.where(reported, np.log((level * days + HALF) / (usual * days + HALF)), 0.0)
    weight = np.where(reported, 1.0 / (borrowed.doubt + assortment.blur(own.units / own.factors.grain)), 0.0)
    line = np.where(borrowed.line > 0, borrowed.line + group.max(), group)
    spread = assortment.SIZE_SPREAD if borrowed.counted[known].all() else UNCOUNTED_SPREAD
    size, unsure = _about(0.0, spread, gap, weight, borrowed.slope, line)
    if said is None:
        return size, unsure
    right, doubt = _about(said, STATED_SPREAD, gap, weight, borrowed.slope, line)
    belief = _belief(said, spread, gap, weight, borrowed.slope, line)
    apart = right - size
    return size + belief * apart, unsure + belief * (doubt - unsure) + belief * (1.0 - belief) * apart**2


def _said(stated: Stated, usual: Floats, slope: Floats) -> float | None:
    """Return the size at which what the region knows, at the store's prices, brings what is stated; None = unknown."""
    worth = usual * np.nan_to_num(stated.price)
    if not (stated.sales_amount > 0 and worth.sum() > 0):
        return None
    least, most = -MOST_SIZE, MOST_SIZE
    for _ in range(ROUNDS):
        size = (least + most) / 2.0
        least, most = (size, most) if worth @ np.exp(slope * size) < stated.sales_amount else (least, size)
    return (least + most) / 2.0


def _about(
    centre: float, spread: float, gap: Floats, weight: Floats, slope: Floats, line: Ints
) -> tuple[Floats, Floats]:
    """Return (n,) sizes and their variances where, before any sale, the size has this mean and variance."""
    size, unsure = assortment.sizes((gap - slope * centre)[None], weight[None], slope, line, spread)
    return size[0] + centre, unsure[0]


def _belief(said: float, spread: float, gap: Floats, weight: Floats, slope: Floats, line: Ints) -> float:
    """Return the chance that a statement is right, given what the store sells (rule 3)."""
    reported, worth = (float(part[0]) for part in assortment.reported_in_all(gap[None], weight[None], slope, line))

    def fits(centre: float, spread: float) -> float:
        wide = 1.0 + spread * worth
        return -0.5 * ((reported - worth * centre) ** 2 / (max(worth, 1e-9) * wide) + float(np.log(wide)))

    against = fits(0.0, spread) - fits(said, STATED_SPREAD)
    return 1.0 / (1.0 + WRONG / (1.0 - WRONG) * float(np.exp(np.clip(against, -50.0, 50.0))))
