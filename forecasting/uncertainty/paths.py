"""Whole futures drawn from a forecast, for simulating what a decision would come to.

Rules
-----
1. A path is whole units of every day ahead. Each day has the mean and variance the forecast's law tells of a day, and
   the sum of all days that of the sum: their errors hang together through one factor that a path's days share.
2. Demand is Poisson around its mean times the path's factor and the day's own, both gamma with mean 1, so that a day is
   nearly negative binomial. With s2 the variance of the shared factor and t2 of a day's, a day of mean m has
   m + m^2 ((1 + s2)(1 + t2) - 1), and the sum M + s2 M^2 + (1 + s2) sum(m^2 t2).
3. What all products of a store meet at once (`intervals` rule 8) is a factor of the path and one of the day that they
   share, as large as their law lets expect of a day and of the whole horizon if its days were alike. It is taken out
   of each product's own factors; one that varies less than all together meets as much of it as it varies.
4. The corrections of single quantiles (`intervals`, rules 4 and 5) are of the quantiles told, and not of the paths.
5. The same seed gives the same paths, whatever products are drawn together and in whatever order they stand.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from forecasting.series.panel import Floats
from forecasting.uncertainty.intervals import Dispersion


def draw(keys: Sequence[tuple[str, str]], mean: Floats, spread: Dispersion, count: int, *, seed: int) -> Floats:
    """Return (n, count, H) whole units of the days ahead, `count` paths for each series.

    keys, mean (n, H) and spread: as a `Forecast` has them.
    """
    out = np.zeros((len(mean), count, mean.shape[1]))
    if not out.size:
        return out
    shared, own = _factors(mean, spread)
    path, day = _common(spread, mean.shape[1])
    met: dict[str, tuple[Floats, Floats]] = {}
    for row, key in enumerate(keys):
        if key[0] not in met:
            rng = _numbers(seed, key[0])
            met[key[0]] = _gamma(rng, path, (count, 1)) - 1.0, _gamma(rng, day, (count, mean.shape[1])) - 1.0
        rng, (all_path, all_days) = _numbers(seed, "\x1f".join(key)), met[key[0]]
        part, parts = _part(shared[row], path), _part(own[row], day)
        level = (1.0 + part * all_path) * _gamma(rng, _rest(shared[row], part**2 * path), (count, 1))
        level = level * (1.0 + parts * all_days) * _gamma(rng, _rest(own[row], parts**2 * day), (count, len(mean[row])))
        out[row] = rng.poisson(mean[row] * level)
    return out


def _numbers(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _common(spread: Dispersion, days: int) -> tuple[float, float]:
    """Return the variances of the factors of the path and of the day that all products share, by rule 3."""
    if not spread.common.size:
        return 0.0, 0.0
    whole, a_day = (float(np.interp(length, spread.days, spread.common)) for length in (days, 1.0))
    path = min(max((whole - a_day / days) / (1.0 - 1.0 / days), 0.0), a_day) if days > 1 else 0.0
    return path, (1.0 + a_day) / (1.0 + path) - 1.0


def _part(own: Floats, common: float) -> Floats:
    """Return how much of a common factor is met by what has this variance itself: all of it, 1, or less."""
    return np.sqrt(np.minimum(1.0, own / common)) if common > 0.0 else np.zeros_like(own)


def _rest(own: Floats, met: Floats) -> Floats:
    """Return the variance of the factor that is left beside one of variance `met`."""
    return np.asarray(np.maximum((1.0 + own) / (1.0 + met) - 1.0, 0.0))


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


def _gamma(rng: np.random.Generator, variance: Floats | float, shape: tuple[int, ...]) -> Floats:
    """Return gamma numbers of mean 1 and this variance; 1 where there is none."""
    some = np.maximum(variance, 1e-9)
    return np.where(variance > 1e-9, rng.gamma(1.0 / some, some, shape), 1.0)
