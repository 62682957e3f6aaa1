"""Demand over any stretch of days: its distribution, and whole paths of days that belong together.

Rules
-----
1. A sum over any stretch, from any day to any day of the horizon, is negative binomial by the law of sums of its
   length; what is asked of it is corrected as the levels are (`intervals` rule 4).
2. In a path the days of one series share the error of its level: a gamma factor, drawn once, carries what the variance
   of the whole sum has beyond that of its days; each day is negative binomial around it. So the sum of a path scatters
   as the law of sums says, and each day as the law of days, or more where the sum demands it.
3. Paths are whole units, and the same for the same seed; series are independent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from forecasting import intervals
from forecasting.panel import Floats, Forecast, PanelFault

if TYPE_CHECKING:
    from forecasting.intervals import Dispersion

SOLVING = 12


def sum_quantiles(forecast: Forecast, first_step: int, last_step: int, levels: tuple[float, ...]) -> Floats:
    """Return (n, Q) units not exceeded over the days first_step..last_step (1 = the first day), both included."""
    mean, spread = _stretch(forecast, first_step, last_step)
    total, days = mean.sum(axis=1), float(mean.shape[1])
    asked = spread.levels(days, levels)
    return intervals.negative_binomial_quantiles(total, spread.variance(total, days), asked)


def sum_moments(forecast: Forecast, first_step: int, last_step: int) -> tuple[Floats, Floats]:
    """Return (n,) mean and variance of the units of the days first_step..last_step."""
    mean, spread = _stretch(forecast, first_step, last_step)
    total = mean.sum(axis=1)
    return total, spread.variance(total, float(mean.shape[1]))


def paths(forecast: Forecast, count: int, *, seed: int) -> Floats:
    """Return (n, count, H) whole units of each day in `count` possible futures (rule 2)."""
    mean, spread = _stretch(forecast, 1, forecast.horizon_days)
    rng = np.random.default_rng(seed)
    n, horizon = mean.shape
    total = mean.sum(axis=1)
    daily = spread.variance(mean, 1.0)
    wanted, square = spread.variance(total, float(horizon)), np.maximum(total**2, 1e-12)
    shared = np.zeros(n)
    for _ in range(SOLVING):  # each day keeps at least the scatter of chance; the sum is what ordering stands on
        alone = np.maximum(daily - shared[:, None] * mean**2, mean).sum(axis=1)
        shared = np.maximum((wanted - alone) / square, 0.0)
    shape = 1.0 / np.maximum(shared, 1e-9)[:, None]
    factor = np.where(shared[:, None] > 1e-9, rng.gamma(shape, 1.0 / shape, (n, count)), 1.0)
    around = factor[:, :, None] * mean[:, None, :]
    # What is left for the days themselves, so that factor and days together scatter as the law of days says.
    left = np.maximum(daily - mean - shared[:, None] * mean**2, 0.0) / np.maximum(
        (1 + shared[:, None]) * mean**2, 1e-12
    )
    shape = np.broadcast_to(1.0 / np.maximum(left, 1e-9)[:, None, :], around.shape)
    rate = np.where(left[:, None, :] > 1e-9, rng.gamma(shape, 1.0) / shape, 1.0) * around
    # numpy's Poisson refuses means near 2^63; nobody sells that
    return rng.poisson(np.minimum(rate, 1e15)).astype(np.float64)


def _stretch(forecast: Forecast, first_step: int, last_step: int) -> tuple[Floats, Dispersion]:
    if not 1 <= first_step <= last_step <= forecast.horizon_days:
        raise PanelFault("days", f"days within 1..{forecast.horizon_days}", f"{first_step}..{last_step}")
    if forecast.spread is None:
        raise PanelFault("spread", "a forecast made by forecasting.run", "one without its spread")
    return forecast.mean[:, first_step - 1 : last_step], forecast.spread
