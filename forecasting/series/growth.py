"""A region whose stores come and go: its sums of earlier days as the stores of today would have sold them.

A sum over stores steps up on the day one opens, and a model of it takes that for more demand; a store that borrows from
the region borrows the step. So the sums of a day are divided by the part of today's region that traded on it.

Rules
-----
1. A store trades from its first day to its last; a day it was closed between them is the region's quiet day and no
   step.
2. A store is as large as what it takes a day. Where one's sales are not known all are taken for equally large.
3. The part is the size of the stores that traded on a day over that of those that trade today: above one where more was
   sold in stores that are gone. Less than LEAST_PART tells nothing of the rest.
"""

import numpy as np

from forecasting.series.panel import Floats, Ints

LEAST_PART = 0.02


def part_then(first: Ints, last: Ints, size: Floats, n_days: int) -> Floats:
    """Return (n_days,) what part of today's region traded on each day; NaN where that is too little (rule 3).

    first, last : (n_stores,) the days a store traded first and last, counted like the days, below 0 where it was
    before.
                  Who trades today has n_days - 1 or later
    size : (n_stores,) what a store takes a day, 0 where it is not known (rule 2)
    """
    size = size if np.all(size > 0) else np.ones(len(size))
    days = np.arange(n_days)[:, None]
    there = (first <= days) & (days <= last)
    today = size[last >= n_days - 1].sum()
    if today == 0:
        return np.ones(n_days)
    part: Floats = there @ size / today
    return np.where(part >= LEAST_PART, part, np.nan)
