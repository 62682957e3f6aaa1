"""Sales that stopped because the shelf was empty, turned back into demand.

Rules
-----
1. On such a day the shop knows that demand was at least what it sold. Dropping the day, or taking its sales for demand,
   makes a shop order less and less; the expectation of demand given "at least sold" under the predictive negative
   binomial is almost unbiased.
2. Where it is known which share of a usual day's demand falls into the empty hours, more is known: the day's rate is
   gamma, what was sold in the open hours updates it, and the empty hours go on at that rate. So neither the hours alone
   decide (days are cut short because they sell well) nor the forecast alone.
3. A day of which only a part was seen weighs as that part: what was filled in tells nothing.
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


def expected_of_hours(sold: Floats, hidden: Floats, mean: Floats, variance: Floats) -> Floats:
    """Return the demand expected of a day that sold so much while `hidden` (0..1) of its usual demand met no goods."""
    r, _ = shape_of(mean, variance)
    return np.asarray(sold + hidden * mean * (r + sold) / (r + (1.0 - hidden) * mean))


def weight_of(out_of_stock: Flags, hidden: Floats | None) -> Floats:
    """Return what each day weighs: 1, or the open part of a day whose hidden share is known (rule 3)."""
    if hidden is None:
        return np.ones(out_of_stock.shape)
    return np.where(out_of_stock & np.isfinite(hidden), 1.0 - np.clip(hidden, 0.0, 1.0), 1.0)


def uncensor(y: Floats, out_of_stock: Flags, mean: Floats, variance: Floats, hidden: Floats | None = None) -> Floats:
    """Return y with out-of-stock days replaced by their expected demand; other days are untouched.

    hidden: the share of the usual day that met an empty shelf, NaN = not known (rule 2). An out-of-stock day whose
    sales are unknown (NaN) counts as "at least zero": its expectation is the mean.
    """
    short = out_of_stock
    demand = y.copy()
    if not short.any():
        return demand
    sold, m, v = np.nan_to_num(y[short]), mean[short], variance[short]
    told = expected_at_least(sold, m, v)
    if hidden is not None:
        share = np.where(np.isnan(y[short]), np.nan, hidden[short])
        told = np.where(np.isfinite(share), expected_of_hours(sold, np.nan_to_num(share), m, v), told)
    demand[short] = told
    return demand
