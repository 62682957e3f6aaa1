"""How good a forecast is: its measures, per series, so that any part of them can be averaged.

Measures
--------
rmsse    root of the mean squared error over the scale, the mean squared day-on-day change of the last 365
         days before the origin; series weighted by their sales of the last 28 days, or units where no price is
         known (after the M5 competition)
pinball  of the SUM over h days, mean over the levels, divided by the series' mean |S_t - S_(t-h)| over the last
         365 days, plain mean over series
coverage share of sums at or below the quantile of each level
within   the same, but of a sum that is the quantile only the part of that unit counts that the level needs by the
         forecast's own chances, (level - P(S < q)) / P(S = q): a quantile of whole units holds more than its level,
         up to P(nothing sold) for what hardly sells, and a right forecast's share within is its level (the mean
         of the nonrandomised probability integral transform; Czado, Gneiting and Held 2009)
bias     units forecast over units sold, less one

Days not observed after an origin are left out of the first and spoil the sums they are in; series without change
have no scale and are left out.
"""

from __future__ import annotations

import numpy as np

from forecasting.series.kernels import window_sums
from forecasting.series.panel import Floats

SCALE_DAYS = 366


def squared_errors(mean: Floats, actual: Floats, past: Floats) -> Floats:
    """Return (n,) RMSSE of each series, NaN where it has no scale or nothing to compare."""
    scale = row_mean(np.diff(past[:, -SCALE_DAYS:], axis=1) ** 2)
    square = row_mean((mean - actual) ** 2)
    return np.sqrt(np.where(scale > 0, square / np.where(scale > 0, scale, 1.0), np.nan))


def weights(past: Floats, price: Floats | None = None) -> Floats:
    """Return (n,) sales of the last 28 days, units where there are no prices."""
    units = past[:, -28:]
    if price is None or not np.isfinite(price[:, -28:]).any():
        return np.asarray(np.nansum(units, axis=1))
    return np.asarray(np.nansum(units * price[:, -28:], axis=1))


def weighted(values: Floats, weight: Floats) -> float:
    """Return the weighted mean of what is finite."""
    use = np.isfinite(values) & (weight > 0)
    return float((values[use] * weight[use]).sum() / weight[use].sum()) if use.any() else float("nan")


def pinball(sums: Floats, actual: Floats, past: Floats, levels: tuple[float, ...]) -> Floats:
    """Return (n,) scaled pinball losses of (n, Q) quantiles of the sum of actual (n, h)."""
    return scaled_pinball(sums, actual.sum(axis=1), sum_scale(past, actual.shape[1]), levels)


def scaled_pinball(sums: Floats, total: Floats, scale: Floats, levels: tuple[float, ...]) -> Floats:
    """Return (n,) losses of (n, Q) quantiles against the total (n,) that came, over their scale (n,)."""
    level = np.asarray(levels)[None, :]
    gap = total[:, None] - sums
    loss = np.maximum(level * gap, (level - 1) * gap).mean(axis=1)
    return np.where(scale > 0, loss / np.where(scale > 0, scale, 1.0), np.nan)


def sum_scale(past: Floats, length: int) -> Floats:
    """Return (n,) the mean |S_t - S_(t-h)| of the sums over `length` days, by which their losses are divided."""
    if past.shape[1] < 2 * length:
        return np.full(len(past), np.nan)
    history = window_sums_seen(past[:, -SCALE_DAYS:], length)
    return row_mean(np.abs(history[:, length:] - history[:, :-length]))


def covered(sums: Floats, total: Floats) -> Floats:
    """Return (n, Q): 1 where the total (n,) is at or below the quantile, 0 where not, NaN where it is not known."""
    return np.where(np.isnan(total)[:, None], np.nan, (total[:, None] <= sums).astype(np.float64))


def covered_within(sums: Floats, total: Floats, below: Floats, upto: Floats, levels: tuple[float, ...]) -> Floats:
    """Return (n, Q) the part of the total (n,) within the quantiles (n, Q); NaN where it is not known.

    below, upto : (n,) chances the forecast gave to less than the total, and to no more than it
    """
    chance = np.maximum(upto - below, 1e-12)
    part = np.clip((np.array(levels) - below[:, None]) / chance[:, None], 0.0, 1.0)
    part = np.where(total[:, None] == sums, part, (total[:, None] < sums).astype(np.float64))
    return np.where(np.isnan(total)[:, None], np.nan, part)


def window_sums_seen(y: Floats, width: int) -> Floats:
    """Return (n, T - width + 1) sums of runs of days; NaN where one was not observed."""
    gaps = window_sums(np.isnan(y).astype(np.float64), width)
    return np.where(gaps > 0.5, np.nan, window_sums(np.nan_to_num(y), width))


def row_mean(grid: Floats) -> Floats:
    """Return each row's mean of what is finite; NaN for none."""
    count = np.isfinite(grid).sum(axis=1)
    total = np.where(np.isfinite(grid), grid, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
