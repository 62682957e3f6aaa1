"""Watching the forecast night after night: what was said against what happened, and who is trusted tomorrow.

Rules
-----
1. A forecast is judged when its next days are over: bias, the pinball loss of the sum beside that of the last four
   weeks' mean with the same spread, and how often demand stayed within the quantiles.
2. A class drifts when its bias is beyond DRIFT_BIAS, or fewer sums than DRIFT_COVER stayed within the 90 % quantile,
   over at least LEAST_SUMS judged sums and by more than chance would bring (three standard errors).
3. A class whose loss is worse than the plain mean's by more than two standard errors falls back to it until it is
   better again. A class is a kind of demand (see `classify`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forecasting import intervals
from forecasting.evaluate import pinball, row_mean
from forecasting.panel import LEVELS, Floats, Forecast

DRIFT_BIAS, DRIFT_COVER, LEAST_SUMS = 0.15, 0.80, 30
NINETY = LEVELS.index(0.9)
SUM_DAYS = 7


@dataclass(frozen=True)
class Watched:
    """How one class did. loss_plain: of the four weeks' mean; both scaled as in `evaluate`."""

    kind: str
    sums: int
    bias: float
    within_90: float
    loss: float
    loss_plain: float
    drifts: bool
    falls_back: bool


def watch(forecast: Forecast, past: Floats, actual: Floats) -> tuple[Watched, ...]:
    """Judge a forecast by what came: past (n, T) is what it saw, actual (n, h) the days after, NaN = not observed."""
    days = min(SUM_DAYS, actual.shape[1], forecast.horizon_days)
    if days < 1 or forecast.spread is None:
        return ()
    actual = actual[:, :days]
    sold, said = actual.sum(axis=1), forecast.mean[:, :days].sum(axis=1)
    plain = plain_mean(past, days)
    loss = pinball(forecast.cumulative[:, :, days - 1], actual, past, LEVELS)
    other = pinball(intervals.quantiles(plain, forecast.spread, LEVELS)[1][:, :, -1], actual, past, LEVELS)
    within = np.where(np.isfinite(sold), sold <= forecast.cumulative[:, NINETY, days - 1], np.nan)
    kinds = np.array(forecast.kind)
    return tuple(
        _judge(str(kind), sold[at], said[at], within[at], loss[at], other[at])
        for kind in sorted(set(forecast.kind))
        for at in [(kinds == kind) & np.isfinite(sold)]
        if at.any()
    )


def told(watched: tuple[Watched, ...]) -> str | None:
    """Return what needs saying: "fell_back:KIND" and "drifts:KIND", comma between; None when all is well."""
    words = [f"fell_back:{one.kind}" for one in watched if one.falls_back]
    words += [f"drifts:{one.kind}" for one in watched if one.drifts and not one.falls_back]
    return ",".join(words) or None


def fall_back(forecast: Forecast, past: Floats, kinds: frozenset[str]) -> Forecast:
    """Return the forecast with the series of these classes at their four weeks' mean, and the reason said."""
    rows = np.array([kind in kinds for kind in forecast.kind], dtype=np.bool_)
    if not rows.any() or forecast.spread is None:
        return forecast
    mean = np.where(rows[:, None], plain_mean(past, forecast.horizon_days), forecast.mean)
    mean = np.where(forecast.mean == 0.0, 0.0, mean)  # a known closure stays one
    daily, sums = intervals.quantiles(mean, forecast.spread, LEVELS)
    return replace(
        forecast,
        mean=mean,
        quantiles=daily,
        cumulative=sums,
        level=np.where(rows, mean.mean(axis=1), forecast.level),
        regional_share=np.where(rows, 0.0, forecast.regional_share),
        model=tuple("mean_28" if row else name for row, name in zip(rows, forecast.model, strict=True)),
        reason=tuple("fell_back" if row else why for row, why in zip(rows, forecast.reason, strict=True)),
    )


def plain_mean(past: Floats, horizon_days: int) -> Floats:
    """Return (n, H): the mean of the days observed among the last 28."""
    return np.repeat(np.nan_to_num(row_mean(past[:, -28:]))[:, None], horizon_days, axis=1)


def suspicious(y: Floats, level: Floats, exposure: Floats, on_hand: Floats) -> Floats:
    """Return (n,) the chance, if the stock in the books were there, of as long a run without a sale as the last one.

    A product that usually sells and has not for long at supposedly positive stock is probably not on the shelf: below
    one in a thousand it is worth a look. 1 where nothing is on hand or nothing was expected. y, exposure: (n, T).
    """
    sold = np.nan_to_num(y) > 0
    after = np.cumsum(sold[:, ::-1], axis=1)[:, ::-1] == 0
    expected = level * np.where(after & ~np.isnan(y), exposure, 0.0).sum(axis=1)
    # purchases, not units: sales of several pieces at once make long runs likelier
    pieces = np.where(sold, np.nan_to_num(y), 0.0).sum(axis=1) / np.maximum(sold.sum(axis=1), 1)
    chance = np.exp(-expected / np.maximum(pieces, 1.0))
    return np.asarray(np.where((on_hand > 0) & sold.any(axis=1), chance, 1.0))


def _judge(kind: str, sold: Floats, said: Floats, within: Floats, loss: Floats, other: Floats) -> Watched:
    sums = len(sold)
    bias = float(said.sum() / sold.sum() - 1.0) if sold.sum() > 0 else 0.0
    error = float(np.sqrt(((said - sold) ** 2).sum()) / max(sold.sum(), 1e-9))
    cover = float(np.nanmean(within))
    far = abs(bias) > max(DRIFT_BIAS, 3.0 * error) or cover < DRIFT_COVER - 3.0 * (0.16 / sums) ** 0.5
    gap = (loss - other)[np.isfinite(loss - other)]
    sure = len(gap) >= LEAST_SUMS and float(gap.mean()) > 2.0 * float(gap.std()) / len(gap) ** 0.5
    mean, plain = (float(row_mean(side[None, :])[0]) for side in (loss, other))
    return Watched(kind, sums, round(bias, 4), round(cover, 4), mean, plain, sums >= LEAST_SUMS and bool(far), sure)
