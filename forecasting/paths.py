"""Whole futures drawn from a forecast, for simulating what a decision would come to.

Rules
-----
1. A path is whole units of every day ahead. Each day has the mean and variance the forecast's law tells of a day, and
   the sum of all days that of the sum: their errors hang together through one factor that a path's days share.
2. Demand is Poisson around its mean times the path's factor and the day's own, both gamma with mean 1, so that a day is
   nearly negative binomial. With s2 the variance of the shared factor and t2 of a day's, a day of mean m has
   m + m^2 ((1 + s2)(1 + t2) - 1), and the sum M + s2 M^2 + (1 + s2) sum(m^2 t2).
3. The corrections of single quantiles (`intervals`, rules 4 and 5) are of the quantiles told, and not of the paths.
4. The same seed gives the same paths; products are independent, whatever order they stand in.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from forecasting.intervals import Dispersion
from forecasting.panel import Floats


def draw(keys: Sequence[tuple[str, str]], mean: Floats, spread: Dispersion, count: int, *, seed: int) -> Floats:
    """Return (n, count, H) whole units of the days ahead, `count` paths for each series.

    keys, mean (n, H) and spread: as a `Forecast` has them.
    """
    out = np.zeros((len(mean), count, mean.shape[1]))
    if not out.size:
        return out
    shared, own = _factors(mean, spread)
    for row, key in enumerate(keys):
        rng = np.random.default_rng([seed, zlib.crc32("\x1f".join(key).encode())])
        level = _gamma(rng, shared[row], (count, 1)) * _gamma(rng, own[row], (count, len(mean[row])))
        out[row] = rng.poisson(mean[row] * level)
    return out


def _factors(mean: Floats, spread: Dispersion) -> tuple[Floats, Floats]:
    """Return the variances of the shared factor (n,) and of each day's own (n, H), by rule 2."""
    total = mean.sum(axis=1)
    square = np.maximum(mean**2, 1e-18)
    beyond = np.maximum(spread.variance(mean, 1.0) - mean, 0.0)
    whole = spread.variance(total[:, None], float(mean.shape[1]))[:, 0] - total
    cross = np.maximum(total**2 - (mean**2).sum(axis=1), 1e-18)
    a_day = np.where(mean > 0, beyond / square, 0.0)
    least = np.where(mean > 0, a_day, np.inf).min(axis=1)
    shared = np.clip((whole - beyond.sum(axis=1)) / cross, 0.0, np.where(np.isfinite(least), least, 0.0))
    return shared, np.maximum((1.0 + a_day) / (1.0 + shared[:, None]) - 1.0, 0.0)


def _gamma(rng: np.random.Generator, variance: Floats, shape: tuple[int, ...]) -> Floats:
    """Return gamma numbers of mean 1 and this variance; 1 where there is none."""
    some = np.maximum(variance, 1e-9)
    return np.where(variance > 1e-9, rng.gamma(1.0 / some, some, shape), 1.0)
