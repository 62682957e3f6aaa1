"""Sales that stopped because the shelf was empty, turned back into demand.

Rules
-----
1. On such a day the store knows that demand was at least what it sold. Dropping the day, or taking its sales for
   demand, makes a store order less and less; the expectation of demand given "at least sold" under the predictive
   negative binomial is almost unbiased.
2. Where it is known which share of a usual day's demand falls into the empty hours, more is known: the day's rate is
   gamma, what was sold in the open hours updates it, and the empty hours go on at that rate. So neither the hours alone
   decide (days are cut short because they sell well) nor the forecast alone.
3. A day cut short counts for the level as what it sold over the part of it that was seen, so that whatever emptied the
   shelf decides nothing. Where days differ as wholes, not by their customers' chance alone, a part tells more than its
   length: o of a day weighs o (r + mean) / (r + o mean), the information in it. What was sold took LEAST_OPEN of a day
   at least, for the hours are not known better.
4. Days that end without an empty shelf are slow days: nobody emptied it. Of a day of which that is known, the part of
   the forecast is expected that past clean days sold of theirs: of the series, against CLEAN_UNITS and CLEAN_DAYS of
   its own clean days at what is usual in its fifth by the share of days cut. So clean days are judged; a day to order
   for is none, for nobody knows it to stay clean.
"""

from __future__ import annotations

import numpy as np

from forecasting.series.panel import Flags, Floats
from forecasting.series.pools import ratio, sums
from forecasting.uncertainty.intervals import shape_of

LEAST_OPEN = 0.02
CLEAN_UNITS, CLEAN_DAYS = 10.0, 14.0
FIFTHS = (0.2, 0.4, 0.6, 0.8)


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


def counted(
    y: Floats, demand: Floats, out_of_stock: Flags, mean: Floats, variance: Floats, hidden: Floats | None
) -> tuple[Floats, Floats]:
    """Return the units and the parts of a day that each day counts as for the level (rule 3).

    y: as sold; demand: as `uncensor` returned it, which stands where the hours are not known.
    """
    if hidden is None:
        return demand, np.ones(y.shape)
    units, part = demand.copy(), np.ones(y.shape)
    known = out_of_stock & np.isfinite(hidden)
    sold = np.nan_to_num(y[known])
    seen = np.where(np.isnan(y[known]), 0.0, 1.0 - np.clip(hidden[known], 0.0, 1.0))
    seen = np.where(sold > 0, np.maximum(seen, LEAST_OPEN), seen)
    r, _ = shape_of(mean[known], variance[known])
    sends = (r + mean[known]) / (r + seen * mean[known])
    units[known], part[known] = sold * sends, seen * sends
    return units, part


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
    reported = expected_at_least(sold, m, v)
    if hidden is not None:
        share = np.where(np.isnan(y[short]), np.nan, hidden[short])
        reported = np.where(np.isfinite(share), expected_of_hours(sold, np.nan_to_num(share), m, v), reported)
    demand[short] = reported
    return demand


def clean_part(said: Floats, sold: Floats, cut: Flags) -> Floats:
    """Return (n,) the part of its forecast that a series sells on a day without an empty shelf; 1 if nothing is known.

    said, sold, cut: (n, T) of past days: the forecast made before them, units (NaN = not observed), empty shelves.
    """
    known = ~np.isnan(sold)
    clean = known & ~cut
    due, units = (np.where(clean, grid, 0.0).sum(axis=1) for grid in (said, sold))
    share = (known & cut).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    fifth = np.searchsorted(np.quantile(share, FIFTHS), share) if len(share) else np.zeros(0, dtype=np.int64)
    whole = ratio(units.sum(), due.sum(), CLEAN_UNITS, 1.0)
    usual = ratio(sums(units, fifth), sums(due, fifth), CLEAN_UNITS, whole)[fifth]
    worth = CLEAN_UNITS + CLEAN_DAYS * due / np.maximum(clean.sum(axis=1), 1)
    return np.asarray(ratio(units, due, worth, usual))
