"""What a change at some stores brought, measured against stores that went without it. Pure.

Rules
-----
1. Each store is compared with itself: the logarithm of its sales after the change over those before. What both groups
   share (season, weather, a price) drops out in the difference of the groups' means.
2. The interval is Welch's for two means of different spread, so that it holds with few stores and unequal ones.
3. Without a control there is no number at all: fewer than LEAST stores in either group is None.
4. A gain is claimed only where the stricter interval (CLAIM_LEVEL) lies above zero: of changes that bring nothing at
   most one in forty is called a gain.

Source: B. L. Welch, "The generalization of Student's problem when several different population variances are
involved", Biometrika 34 (1947), with the Welch-Satterthwaite degrees of freedom.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
LEAST = 3
LEVEL, CLAIM_LEVEL = 0.90, 0.95
HALF = 0.5
"""Added to both sums, so that a store that sold nothing once has a ratio too."""


@dataclass(frozen=True)
class Uplift:
    """A relative effect with its interval at LEVEL: 0.05 is five per cent more. stores: (changed, control)."""

    effect: float
    low: float
    high: float
    claimed: bool
    stores: tuple[int, int]


def uplift(before: Array, after: Array, changed: NDArray[np.bool_]) -> Uplift | None:
    """Return what the change brought, None without enough stores to say so (rules 1 to 4).

    before, after: (n_stores,) float64, units sold in periods of equal length per store; NaN = not observed.
    changed: (n_stores,) bool, True where the change was made.
    """
    seen = np.isfinite(before) & np.isfinite(after)
    ratio = np.log((after[seen] + HALF) / (before[seen] + HALF))
    with_it, without = ratio[changed[seen]], ratio[~changed[seen]]
    if min(len(with_it), len(without)) < LEAST:
        return None
    gap = float(with_it.mean() - without.mean())
    parts = np.array([with_it.var(ddof=1) / len(with_it), without.var(ddof=1) / len(without)])
    spread = float(np.sqrt(parts.sum()))
    stores = (len(with_it), len(without))
    if spread == 0.0:
        return Uplift(np.expm1(gap), np.expm1(gap), np.expm1(gap), gap > 0, stores)
    freedom = parts.sum() ** 2 / (parts**2 / (np.array(stores) - 1)).sum()
    wide = spread * float(stats.t.ppf((1 + LEVEL) / 2, freedom))
    strict = spread * float(stats.t.ppf((1 + CLAIM_LEVEL) / 2, freedom))
    return Uplift(
        effect=float(np.expm1(gap)),
        low=float(np.expm1(gap - wide)),
        high=float(np.expm1(gap + wide)),
        claimed=gap - strict > 0,
        stores=stores,
    )
