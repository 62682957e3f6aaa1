"""Watching the forecast night after night: what was said against what happened, and who is trusted tomorrow.

Rules
-----
1. Each night notes what it says of the next SUM_DAYS days, before any fall-back; when they are over they are judged:
   bias, the pinball loss of the sum beside that of the last four weeks' mean with the same spread, and how often demand
   stayed within the quantiles. What an empty shelf hid is taken to have come as was said, so that the hours with goods
   judge: to leave such weeks out would judge by slow ones alone. A week more hidden than seen is left out.
2. A class drifts when its bias is beyond DRIFT_BIAS, or fewer sums than DRIFT_COVER stayed within the 90 % quantile,
   over at least LEAST_SUMS judged sums and by more than chance would bring (three standard errors).
3. A class whose loss is worse than the plain mean's by more than two standard errors falls back to it until it is
   better again. A class is a kind of demand (see `classify`).
4. A shelf that should hold some, of which nothing was sold for longer than chance brings once in a thousand times, is
   probably empty.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np

from forecasting.fit.effects import days_of
from forecasting.fit.state import SUM_DAYS, State
from forecasting.series.panel import LEVELS, DemandPanel, Floats, Forecast
from forecasting.uncertainty import intervals
from forecasting.uncertainty.evaluate import row_mean, scaled_pinball

DRIFT_BIAS, DRIFT_COVER, LEAST_SUMS = 0.15, 0.80, 30
NINETY = LEVELS.index(0.9)
RARE, FEWEST_SALES = 1e-3, 5


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


@dataclass(frozen=True)
class Said:
    """What a night said of the sum over the SUM_DAYS days from first_day on (rule 1); n series.

    mean, scale : (n,) units, and what losses are divided by       quantiles, plain : (n, Q) ours and the plain mean's
    """

    keys: tuple[tuple[str, str], ...]
    kind: tuple[str, ...]
    first_day: date
    mean: Floats
    quantiles: Floats
    plain: Floats
    scale: Floats

    def to_json(self) -> dict[str, Any]:
        """Return a plain dict of JSON types."""
        grids = {name: np.round(getattr(self, name), 5) for name in _GRIDS}
        lists: dict[str, Any] = {name: grid.tolist() for name, grid in grids.items()}
        lists["scale"] = [None if value != value else value for value in lists["scale"]]
        names = {"keys": [list(key) for key in self.keys], "kind": list(self.kind)}
        return names | lists | {"first_day": self.first_day.isoformat()}

    @classmethod
    def from_json(cls, wire: dict[str, Any]) -> Said:
        """Read what `to_json` wrote."""
        n = len(wire["keys"])
        grids = {name: np.array(wire[name], dtype=np.float64) for name in _GRIDS}
        for name in ("quantiles", "plain"):
            grids[name] = grids[name].reshape(n, len(LEVELS))
        keys = tuple((str(scope), str(sku)) for scope, sku in wire["keys"])
        return cls(keys, tuple(wire["kind"]), date.fromisoformat(wire["first_day"]), **grids)


_GRIDS = ("mean", "quantiles", "plain", "scale")


def note(forecast: Forecast, state: State) -> Said:
    """Return what a forecast of at least SUM_DAYS days says, to be judged when they are over."""
    assert forecast.spread is not None
    plain = intervals.quantiles(_even(state.plain, SUM_DAYS), forecast.spread, LEVELS)[1]
    return Said(
        forecast.keys, forecast.kind, forecast.first_day, forecast.mean[:, :SUM_DAYS].sum(axis=1),
        forecast.cumulative[:, :, SUM_DAYS - 1], plain[:, :, -1], state.scale,
    )  # fmt: skip


def judge(said: Said, panel: DemandPanel) -> tuple[Watched, ...]:
    """Judge each class by what came; a series the panel no longer has, or not whole, is left out."""
    first = (said.first_day - panel.first_day).days
    if first < 0 or first + SUM_DAYS > panel.n_days or not said.keys:
        return ()
    place = {key: row for row, key in enumerate(panel.keys)}
    rows = np.array([place.get(key, -1) for key in said.keys], dtype=np.int64)
    days = np.s_[rows, first : first + SUM_DAYS]
    came = panel.y[days].sum(axis=1)
    if panel.out_of_stock is not None:
        empty = np.nan if panel.out_share is None else panel.out_share[days]
        hidden = np.where(panel.out_of_stock[days], empty, 0.0).mean(axis=1)
        came = np.where(hidden <= 0.5, came + hidden * said.mean, np.nan)
    sold = np.where(rows >= 0, came, np.nan)
    loss, other = (scaled_pinball(sums, sold, said.scale, LEVELS) for sums in (said.quantiles, said.plain))
    within = np.where(np.isfinite(sold), sold <= said.quantiles[:, NINETY], np.nan)
    kinds = np.array(said.kind)
    return tuple(
        _judge(str(kind), sold[at], said.mean[at], within[at], loss[at], other[at])
        for kind in sorted(set(said.kind))
        for at in [(kinds == kind) & np.isfinite(sold)]
        if at.any()
    )


def reported(watched: tuple[Watched, ...]) -> str | None:
    """Return what needs saying: "fell_back:KIND" and "drifts:KIND", comma between; None when all is well."""
    words = [f"fell_back:{one.kind}" for one in watched if one.falls_back]
    words += [f"drifts:{one.kind}" for one in watched if one.drifts and not one.falls_back]
    return ",".join(words) or None


def fall_back(forecast: Forecast, state: State, kinds: frozenset[str], lift: Floats | None = None) -> Forecast:
    """Return the forecast with the series of these classes at their four weeks' mean, and the reason said.

    lift: as in `panel.Ahead`; the mean has it too.
    """
    rows = np.array([kind in kinds for kind in forecast.kind], dtype=np.bool_)
    if not rows.any() or forecast.spread is None:
        return forecast
    even = _even(state.plain, forecast.horizon_days) * (1.0 if lift is None else lift)
    mean = np.where(rows[:, None], even, forecast.mean)
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


def quiet(state: State, panel: DemandPanel) -> tuple[Floats, Floats]:
    """Return (n,) days since the last sale, and the chance of so long a silence if the goods were there (rule 4).

    The pace is the level now or, with FEWEST_SALES sales before the silence, that of the panel's days until then. The
    chance is 1 without a sale among the panel's days. Sales of several pieces at once make long silences likelier.
    """
    sold = np.nan_to_num(panel.y) > 0
    silent = (np.cumsum(sold[:, ::-1], axis=1)[:, ::-1] == 0) & ~np.isnan(panel.y)
    exposure = state.factors.over(days_of(panel.first_day, panel.n_days, state.country, state.subdivision))
    units = np.where(sold, np.nan_to_num(panel.y), 0.0).sum(axis=1)
    before = np.where(~silent & ~np.isnan(panel.y), exposure, 0.0).sum(axis=1)
    pace = np.where(sold.sum(axis=1) >= FEWEST_SALES, units / np.maximum(before, 1.0), 0.0)
    expected = np.maximum(state.level, pace) * np.where(silent, exposure, 0.0).sum(axis=1)
    pieces = units / np.maximum(sold.sum(axis=1), 1)
    chance = np.exp(-expected / np.maximum(pieces, 1.0))
    return silent.sum(axis=1).astype(np.float64), np.where(sold.any(axis=1), chance, 1.0)


def _even(level: Floats, days: int) -> Floats:
    return np.repeat(level[:, None], days, axis=1)


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
