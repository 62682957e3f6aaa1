"""How uncertain demand is: dispersion, and negative binomial quantiles of a day and of a sum of days.

Rules
-----
1. Var = a mu + b mu^2, pooled over all series from past forecasts, separately for sums of different length,
   for the errors of one level are shared by all its days.
2. Each series has its own factor on that variance, shrunk to 1 by PRIOR_WINDOWS pseudo-observations.
3. Demand is never less dispersed than Poisson, never normal: quantiles are whole units, >= 0, rising.
4. Above LARGE_MEAN units the gamma distribution, its continuous limit, stands in for the binomial one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.kernels import window_sums
from forecasting.panel import Floats

PRIOR_WINDOWS = 6.0
LARGE_MEAN = 1e5
POISSON_GAP = 1e-3
MEMORY_DAYS = 182


@dataclass(frozen=True)
class Dispersion:
    """Variance of the sum over a number of days, given its mean.

    days   : (w,) lengths that were measured, rising
    a, b   : (w,) coefficients at these lengths
    factor : (n,) each series' own factor
    """

    days: Floats
    a: Floats
    b: Floats
    factor: Floats

    def variance(self, mean: Floats, days: Floats | float) -> Floats:
        """Return the variance of sums with this mean (n, ...) over `days` days (broadcast against mean)."""
        a = np.interp(days, self.days, self.a)
        b = np.interp(days, self.days, self.b)
        factor = self.factor.reshape((-1,) + (1,) * (mean.ndim - 1))
        return np.asarray(np.maximum((a * mean + b * mean**2) * factor, mean * (1 + POISSON_GAP)))


def fit_dispersion(y: Floats, levels: Floats, exposure: Floats, horizon_days: int) -> Dispersion:
    """Measure the dispersion of past errors: level known before a day, against what the next days brought.

    y, exposure : (n, T); levels : (n, T + 1) as the filters return them. Only windows that were wholly
    observed count, of the last MEMORY_DAYS days. With no window at all the law is a = 1.5, b = 0.3.
    """
    n, days = y.shape
    lengths = sorted({length for length in (1, 2, 4, 7, 14, 28) if length <= max(horizon_days, 1)} | {1})
    kept: list[tuple[int, float, float]] = []
    ratio, windows = np.zeros(n), np.zeros(n)
    for length in lengths:
        if days < length + 7:
            continue
        first = max(7, days - MEMORY_DAYS)
        whole = window_sums(np.isnan(y[:, first:]).astype(np.float64), length) == 0
        actual = window_sums(np.nan_to_num(y[:, first:]), length)
        mean = levels[:, first : first + actual.shape[1]] * window_sums(exposure[:, first:], length)
        use = whole & (mean > 1e-6)
        if use.sum() < 10:
            continue
        square = (actual - mean) ** 2
        a, b = _law(mean[use], square[use])
        kept.append((length, a, b))
        relative = np.where(use, square / np.maximum(a * mean + b * mean**2, 1e-12), 0.0)
        # Overlapping windows of one length hold only as many independent ones as fit side by side.
        ratio += np.minimum(relative, 50.0).sum(axis=1) / length
        windows += use.sum(axis=1) / length
    if not kept:
        return Dispersion(np.array([1.0]), np.array([1.5]), np.array([0.3]), np.ones(n))
    count = max(len(kept), 1)
    factor = (ratio / count + PRIOR_WINDOWS) / (windows / count + PRIOR_WINDOWS)
    table = np.array(kept, dtype=np.float64)
    return Dispersion(table[:, 0], table[:, 1], table[:, 2], np.clip(factor, 0.2, 20.0))


def law_of_pairs(pairs: Sequence[tuple[Floats, Floats]], factor: Floats) -> Dispersion:
    """Measure the law on forecasts that were made: (mean, actual), each (n, H), against the series' known factors."""
    horizon = min(mean.shape[1] for mean, _ in pairs)
    table = []
    for length in (1, 2, 3, 5, 7, 10, 14, 21, 28):
        if length > horizon:
            break
        mean = np.concatenate([mean[:, :length].sum(axis=1) for mean, _ in pairs])
        square = (np.concatenate([actual[:, :length].sum(axis=1) for _, actual in pairs]) - mean) ** 2
        square = square / np.tile(factor, len(pairs))
        use = np.isfinite(square) & (mean > 1e-6)
        if use.sum() >= 10:
            table.append((length, *_law(mean[use], square[use])))
    if not table:
        return Dispersion(np.array([1.0]), np.array([1.5]), np.array([0.3]), factor)
    columns = np.array(table, dtype=np.float64).T
    return Dispersion(columns[0], columns[1], columns[2], factor)


def _law(mean: Floats, square: Floats) -> tuple[float, float]:
    """Fit square ~ a mean + b mean^2 by least squares on square / mean, a >= 0.5, b >= 0.

    Weighted by 1 / (1 + mean)^2, so that a few very busy series do not decide for all.
    """
    weight = 1.0 / (1.0 + mean / np.median(mean)) ** 2
    target = square / mean
    cap = np.quantile(target, 0.999)
    target = np.minimum(target, cap)
    w, wx = weight.sum(), (weight * mean).sum()
    wxx, wy, wxy = (weight * mean**2).sum(), (weight * target).sum(), (weight * mean * target).sum()
    spread = w * wxx - wx**2
    b = (w * wxy - wx * wy) / spread if spread > 1e-12 * w * wxx else 0.0
    b = max(float(b), 0.0)
    a = float((wy - b * wx) / w)
    if a < 0.5:
        a = 0.5
        b = max(float((wxy - a * wx) / wxx), 0.0) if wxx > 0 else 0.0
    return a, b


def shape_of(mean: Floats, variance: Floats) -> tuple[Floats, Floats]:
    """Return (r, p) of the negative binomial with this mean and variance; nearly Poisson if it must be."""
    mean = np.maximum(mean, 1e-12)
    variance = np.maximum(variance, mean * (1 + POISSON_GAP))
    r = mean**2 / (variance - mean)
    return np.asarray(r), np.asarray(mean / variance)


def negative_binomial_quantiles(mean: Floats, variance: Floats, levels: tuple[float, ...]) -> Floats:
    """Return whole-unit quantiles, one more axis (Q) inserted after the first.

    mean, variance : (n, ...); returns (n, Q, ...), rising along axis 1, finite, >= 0.
    """
    from scipy.special import gammaincinv
    from scipy.stats import nbinom

    shape = (mean.shape[0], len(levels), *mean.shape[1:])
    level = np.asarray(levels).reshape((1, -1) + (1,) * (mean.ndim - 1))
    wide_mean = np.broadcast_to(np.expand_dims(mean, 1), shape)
    wide_variance = np.broadcast_to(np.expand_dims(variance, 1), shape)
    wide_level = np.broadcast_to(level, shape)
    quantile = np.zeros(shape)
    count = (wide_mean > 1e-9) & (wide_mean <= LARGE_MEAN)
    large = wide_mean > LARGE_MEAN
    if count.any():
        r, p = shape_of(wide_mean[count], wide_variance[count])
        quantile[count] = nbinom.ppf(wide_level[count], r, p)
    if large.any():
        m, v = wide_mean[large], np.maximum(wide_variance[large], wide_mean[large])
        quantile[large] = np.ceil(gammaincinv(m**2 / v, wide_level[large]) * v / m)
    normal = wide_mean + 3.0 * np.sqrt(wide_variance)
    quantile = np.where(np.isfinite(quantile), quantile, np.ceil(normal))
    return np.asarray(np.maximum.accumulate(np.maximum(quantile, 0.0), axis=1))


def quantiles(mean: Floats, dispersion: Dispersion, levels: tuple[float, ...]) -> tuple[Floats, Floats]:
    """Return (n, Q, H) quantiles of each day and of the sum up to each day; the sum never falls with days."""
    horizon = mean.shape[1]
    daily = negative_binomial_quantiles(mean, dispersion.variance(mean, 1.0), levels)
    total = np.cumsum(mean, axis=1)
    variance = dispersion.variance(total, np.arange(1.0, horizon + 1.0))
    sums = negative_binomial_quantiles(total, variance, levels)
    return daily, np.asarray(np.maximum.accumulate(sums, axis=2))
