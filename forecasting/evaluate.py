"""How good a forecast is: rolling-origin backtest, its measures, and the baselines it has to beat.

Measures
--------
rmsse    root of the mean squared error over the scale, the mean squared day-on-day change of the last 365
         days before the origin; series weighted by their units of the last 28 days (after the M5 competition)
pinball  of the SUM over h days, mean over the levels, divided by the series' mean |S_t - S_(t-h)|, plain mean
         over series
coverage share of sums at or below the quantile of each level

Days not observed after an origin are left out of the first and spoil the sums they are in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.intervals import fit_dispersion, quantiles
from forecasting.kernels import window_sums
from forecasting.panel import LEVELS, DemandPanel, Floats, Forecast

Forecaster = Callable[[DemandPanel, int], Forecast]


@dataclass(frozen=True)
class Scores:
    """Measures averaged over the origins; coverage has one share per level."""

    origins: int
    rmsse: float
    pinball: dict[int, float]
    coverage: tuple[float, ...]
    bias: float


def rolling_origin(
    panel: DemandPanel,
    forecaster: Forecaster,
    *,
    horizon_days: int,
    origins: Sequence[int],
    sum_days: tuple[int, ...] = (3, 7),
) -> Scores:
    """Forecast from each origin (days counted from the panel's first) with the days before it, and score."""
    errors: list[float] = []
    losses: dict[int, list[float]] = {days: [] for days in sum_days if days <= horizon_days}
    covered: list[Floats] = []
    wanted_units = said_units = 0.0
    for origin in origins:
        past, actual = panel.between(0, origin), panel.y[:, origin : origin + horizon_days]
        said = forecaster(past, horizon_days)
        errors.append(weighted_rmsse(said.mean[:, : actual.shape[1]], actual, past.y))
        for days in losses:
            losses[days].append(scaled_pinball(said.cumulative[:, :, days - 1], actual[:, :days], past.y, said.levels))
        last = max(losses, default=horizon_days)
        covered.append(coverage(said.cumulative[:, :, last - 1], actual[:, :last]))
        seen = ~np.isnan(actual)
        wanted_units += float(actual[seen].sum())
        said_units += float(said.mean[:, : actual.shape[1]][seen].sum())
    return Scores(
        origins=len(origins),
        rmsse=float(np.mean(errors)),
        pinball={days: float(np.mean(values)) for days, values in losses.items()},
        coverage=tuple(float(v) for v in np.nanmean(np.array(covered), axis=0)),
        bias=said_units / wanted_units - 1.0 if wanted_units else 0.0,
    )


def weighted_rmsse(mean: Floats, actual: Floats, past: Floats) -> float:
    """Return the unit-weighted RMSSE; series without change or days to compare are left out."""
    change = np.diff(past[:, -366:], axis=1) ** 2
    scale = _row_mean(change)
    square = _row_mean((mean - actual) ** 2)
    weight = np.nansum(past[:, -28:], axis=1)
    use = np.isfinite(square) & np.isfinite(scale) & (scale > 0) & (weight > 0)
    if not use.any():
        return float("nan")
    return float((np.sqrt(square[use] / scale[use]) * weight[use]).sum() / weight[use].sum())


def scaled_pinball(sums: Floats, actual: Floats, past: Floats, levels: tuple[float, ...]) -> float:
    """Return the scaled pinball loss of (n, Q) quantiles of the sum of actual (n, h)."""
    total = actual.sum(axis=1)
    level = np.asarray(levels)[None, :]
    gap = total[:, None] - sums
    loss = np.maximum(level * gap, (level - 1) * gap).mean(axis=1)
    length = actual.shape[1]
    if past.shape[1] < 2 * length:
        return float("nan")
    history = window_sums_seen(past[:, -366:], length)
    scale = _row_mean(np.abs(history[:, length:] - history[:, :-length]))
    use = np.isfinite(loss) & np.isfinite(scale) & (scale > 0)
    return float((loss[use] / scale[use]).mean()) if use.any() else float("nan")


def coverage(sums: Floats, actual: Floats) -> Floats:
    """Return (Q,) the share of sums at or below each quantile."""
    total = actual.sum(axis=1)
    use = np.isfinite(total)
    if not use.any():
        return np.full(sums.shape[1], np.nan)
    return np.asarray((total[use, None] <= sums[use]).mean(axis=0))


def window_sums_seen(y: Floats, width: int) -> Floats:
    """Return (n, T - width + 1) sums of runs of days; NaN where one was not observed."""
    gaps = window_sums(np.isnan(y).astype(np.float64), width)
    return np.where(gaps > 0, np.nan, window_sums(np.nan_to_num(y), width))


def seasonal_naive(panel: DemandPanel, horizon_days: int) -> Forecast:
    """Forecast each day as the last observed same weekday; quantiles from its own past errors."""
    week = panel.y[:, -7:]
    for back in range(2, 9):
        older = panel.y[:, -7 * back : -7 * (back - 1)]
        if older.shape[1] < 7:
            break
        week = np.where(np.isnan(week), older, week)
    week = np.nan_to_num(week)
    pick = np.arange(horizon_days) % week.shape[1] if week.shape[1] else np.zeros(horizon_days, dtype=np.int64)
    mean = week[:, pick] if week.shape[1] else np.zeros((panel.n_series, horizon_days))
    return _baseline(panel, mean, "seasonal_naive")


def mean_28(panel: DemandPanel, horizon_days: int) -> Forecast:
    """Forecast every day as the mean of the last 28 observed days' window."""
    recent = panel.y[:, -28:]
    level = np.nan_to_num(_row_mean(recent))
    return _baseline(panel, np.repeat(level[:, None], horizon_days, axis=1), "mean_28")


def _baseline(panel: DemandPanel, mean: Floats, name: str) -> Forecast:
    """Give a baseline the same negative binomial spread, measured on its own level's past errors."""
    n = panel.n_series
    level = mean.mean(axis=1) if mean.shape[1] else np.zeros(n)
    history = np.repeat(level[:, None], panel.n_days + 1, axis=1)
    for day in range(28, panel.n_days + 1):
        history[:, day] = np.nan_to_num(_row_mean(panel.y[:, day - 28 : day]))
    spread = fit_dispersion(panel.y, history, np.ones_like(panel.y), mean.shape[1])
    daily, sums = quantiles(mean, spread, LEVELS)
    return Forecast(
        keys=panel.keys, first_day=panel.next_day, mean=mean, quantiles=daily, cumulative=sums, model=(name,) * n,
        reason=("baseline",) * n, kind=("",) * n, level=level, weekday_profile=np.ones((n, 7)),
        regional_share=np.zeros(n),
    )  # fmt: skip


def _row_mean(grid: Floats) -> Floats:
    """Return each row's mean of what is finite; NaN for none."""
    count = np.isfinite(grid).sum(axis=1)
    total = np.where(np.isfinite(grid), grid, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
