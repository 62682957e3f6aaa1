"""Sales that stopped because the shelf was empty, turned back into demand.

On such a day the shop knows only that demand was at least what it sold. Dropping the day, or taking its
sales for demand, makes a shop order less and less; the expectation of demand given "at least sold" under
the predictive negative binomial is almost unbiased.
"""

from __future__ import annotations

import numpy as np

from forecasting.intervals import shape_of
from forecasting.panel import Flags, Floats


def expected_at_least(sold: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return E[D | D >= sold] for D negative binomial with this mean and variance.

    Uses k p(k; r) = mean p(k-1; r+1): E = mean P(D' >= sold-1) / P(D >= sold) with D' of shape r + 1.
    Never less than `sold`; where the tail is too far out to compute, one mean excess above it.
    """
    from scipy.stats import nbinom

    least = np.ceil(np.maximum(sold, 0.0))
    r, chance = shape_of(mean, variance)
    above = nbinom.sf(least - 1, r, chance)
    shifted = nbinom.sf(least - 2, r + 1, chance)
    excess = np.maximum(variance, mean) / np.maximum(mean, 1e-12) - 1.0
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(above > 1e-12, mean * shifted / above, sold + np.minimum(excess, mean))
    return np.asarray(np.maximum(np.where(np.isfinite(expected), expected, sold), sold))


def uncensor(y: Floats, out_of_stock: Flags, mean: Floats, variance: Floats) -> Floats:
    """Return y with out-of-stock days replaced by their expected demand; other days are untouched.

    An out-of-stock day whose sales are unknown (NaN) counts as "at least zero": its expectation is the mean.
    """
    short = out_of_stock
    demand = y.copy()
    if short.any():
        demand[short] = expected_at_least(np.nan_to_num(y[short]), mean[short], variance[short])
    return demand
