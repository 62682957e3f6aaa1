"""Recursions over time: one loop over days, all series at once.

Letters: n series, T days, D discounts. y is (n, T) units with NaN = not observed; a day that was not
observed never changes a level. Every kernel is equivariant under scaling of y (twice the units, twice the
level) and under permutation of the series.
"""

from __future__ import annotations

import numpy as np

from forecasting.series.panel import Flags, Floats

BUSY_DISCOUNTS: tuple[float, ...] = (0.75, 0.88, 0.94, 0.97, 0.985, 0.993)
SPARSE_DISCOUNTS: tuple[float, ...] = (0.90, 0.95, 0.975, 0.987, 0.994, 0.998)
TOGETHER_POWER, TOGETHER_PSEUDO = 30.0, 20.0


def gamma_poisson_levels(
    y: Floats, exposure: Floats, discounts: Floats, start: Floats, start_exposure: float = 1.0
) -> tuple[Floats, Floats, Floats]:
    """Return the level known before each day and after the last one, for every discount, and what it stands on then.

    Level ~ Gamma(a, b), y_t ~ Poisson(level x exposure_t); each day a and b are discounted, then a grows
    by y_t and b by exposure_t, so level = a / b is a weighted ratio of units to exposure (the power-steady
    model of Smith 1979).

    exposure  : (n, T) factor of the day against an ordinary day, >= 0
    discounts : (D, n) in 0..1 per series
    start     : (n,) level before the first day, weighing as start_exposure ordinary days
    returns     levels (D, n, T + 1), a and b (D, n)
    """
    b = np.full(discounts.shape, 1.0) * max(start_exposure, 1e-9)
    return discounted(y, exposure, discounts, b * start, b, np.broadcast_to(start, b.shape))


def discounted(
    y: Floats, exposure: Floats, discounts: Floats, a: Floats, b: Floats, level: Floats
) -> tuple[Floats, Floats, Floats]:
    """Go on from a, b and level (D, n) over the days of y; returns as `gamma_poisson_levels`."""
    n, days = y.shape
    seen = ~np.isnan(y)
    units = np.where(seen, y, 0.0)
    weight = np.where(seen, exposure, 0.0)
    levels = np.empty((len(discounts), days + 1, n))
    levels[:, 0] = level
    for t in range(days):
        a = a * discounts + units[:, t]
        b = b * discounts + weight[:, t]
        level = np.where(b > 1e-9, a / np.maximum(b, 1e-9), level)
        levels[:, t + 1] = level
    return levels.transpose(0, 2, 1), a, b


def mix_weights(
    y: Floats,
    exposure: Floats,
    levels: Floats,
    together: Flags,
    *,
    ahead_days: int = 7,
    memory_days: float = 90.0,
    power: float = 3.0,
) -> Floats:
    """Return (D, n) weights of the discounts, from their recent squared errors of the sum ahead.

    At each past day the level of that day, times the exposure of the next `ahead_days` observed days, is
    compared with the units sold on them; old errors fade with `memory_days`. Weights fall with the `power`-th
    power of the mean squared error and sum to 1; with nothing to compare they are equal.

    together : (n,) series of few sales, whose own errors are mostly chance: what the discounts brought all of them
    counts, too, with TOGETHER_POWER, as if TOGETHER_PSEUDO more had found no difference
    """
    n, days = y.shape
    count = levels.shape[0]
    ahead = min(ahead_days, days)
    if ahead == 0:
        return np.full((count, n), 1.0 / count)
    seen = ~np.isnan(y)
    units = window_sums(np.where(seen, y, 0.0), ahead)
    weight = window_sums(np.where(seen, exposure, 0.0), ahead)
    fade = np.exp(-np.arange(units.shape[1])[::-1] / memory_days)
    error = levels[:, :, : units.shape[1]] * weight - units
    loss = np.einsum("dnt,t->dn", error**2, fade)
    best = loss.min(axis=0)
    scale = np.maximum(best, 1e-12 * np.maximum(loss.max(axis=0), 1e-300))
    weights = (scale / np.maximum(loss, scale)) ** power
    reported = together & (best > 0)
    if reported.any():
        apart = loss[:, reported] / loss[:, reported].mean(axis=0) - 1.0
        weights[:, together] *= (1.0 + apart.sum(axis=1) / (reported.sum() + TOGETHER_PSEUDO))[
            :, None
        ] ** -TOGETHER_POWER
    return np.asarray(weights / weights.sum(axis=0))


def window_sums(grid: Floats, width: int) -> Floats:
    """Return (n, T - width + 1): the sum of each run of `width` days."""
    total = np.concatenate([np.zeros((grid.shape[0], 1)), np.cumsum(grid, axis=1)], axis=1)
    return np.asarray(total[:, width:] - total[:, :-width])
