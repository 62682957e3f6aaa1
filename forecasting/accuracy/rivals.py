"""The forecasts ours has to beat: naive rules, statsforecast's AutoETS, a global LightGBM; means only.

A rival sees the panel up to the origin, at most HISTORY_DAYS of it, and what was known in advance of the days to
come, as ours does. Its quantiles come from the same layer as ours (see `backtest`). AutoETS and LightGBM answer only
where their packages are installed; they are no part of the product.
"""

from __future__ import annotations

import importlib.util
import logging
import warnings
from collections.abc import Callable
from datetime import timedelta

import numpy as np

from forecasting.series.panel import Ahead, DemandPanel, Floats
from forecasting.uncertainty.evaluate import row_mean

HISTORY_DAYS = 728
Rival = Callable[[DemandPanel, int, Ahead], Floats]


def seasonal_naive(panel: DemandPanel, horizon_days: int, ahead: Ahead) -> Floats:  # noqa: ARG001 - one signature
    """Forecast each day as the last observed same weekday of the last eight weeks."""
    week = panel.y[:, -7:]
    for back in range(2, 9):
        older = panel.y[:, -7 * back : -7 * (back - 1)]
        if older.shape[1] < 7:
            break
        week = np.where(np.isnan(week), older, week)
    if not week.shape[1]:
        return np.zeros((panel.n_series, horizon_days))
    return np.asarray(np.nan_to_num(week)[:, np.arange(horizon_days) % week.shape[1]])


def mean_28(panel: DemandPanel, horizon_days: int, ahead: Ahead) -> Floats:  # noqa: ARG001 - one signature
    """Forecast every day as the mean of the days observed among the last 28."""
    level = np.nan_to_num(row_mean(panel.y[:, -28:]))
    return np.repeat(level[:, None], horizon_days, axis=1)


def auto_ets(panel: DemandPanel, horizon_days: int, ahead: Ahead) -> Floats:
    """Forecast each series by statsforecast's AutoETS with a weekly season; the 28-day mean where it refuses."""
    from statsforecast.models import AutoETS

    out, refused = mean_28(panel, horizon_days, ahead), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for row, line in enumerate(panel.y[:, -HISTORY_DAYS:]):
            seen = np.flatnonzero(~np.isnan(line))
            if not len(seen):
                continue
            history = np.nan_to_num(line[seen[0] :])
            try:
                said = np.asarray(AutoETS(season_length=7).forecast(history, h=horizon_days)["mean"])
            except Exception:  # whatever a rival raises, the 28-day mean stands in, and it is told how often
                refused += 1
                continue
            if np.isfinite(said).all():
                out[row] = np.maximum(said, 0.0)
    if refused:
        logging.getLogger(__name__).warning("AutoETS refused %d of %d series", refused, panel.n_series)
    return out


def lightgbm(panel: DemandPanel, horizon_days: int, ahead: Ahead) -> Floats:
    """Forecast all series by one LightGBM model of counts (Poisson loss), day after day on its own forecasts.

    Features: sales of 1, 2, 3, 7, 14, 21, 28 and 364 days ago, means over 7, 14, 28 and 56 days and over the same
    weekday, calendar, price and its ratio to the highest of 28 days, offer, the panel's features, and the names of
    store, product, category and region as categories.
    """
    import lightgbm as library

    panel = panel.between(panel.n_days - HISTORY_DAYS, panel.n_days)
    n, days = panel.y.shape
    y = np.concatenate([panel.y, np.full((n, horizon_days), np.nan)], axis=1)
    known, names = _known(panel, ahead, horizon_days), _names(panel)
    rows, targets = [], []
    for day in range(min(28, days // 2), days):
        seen = ~np.isnan(panel.y[:, day])
        if seen.any():
            rows.append(_features(y[:, :day], day, panel, known, names)[seen].astype(np.float32))
            targets.append(panel.y[seen, day])
    if not rows:
        return mean_28(panel, horizon_days, ahead)
    table, wanted = np.concatenate(rows), np.concatenate(targets)
    width = table.shape[1]
    settings = {
        "objective": "poisson", "learning_rate": 0.05, "num_leaves": 63, "min_data_in_leaf": 50, "verbose": -1,
        "feature_fraction": 0.8, "bagging_fraction": 0.8, "bagging_freq": 1, "num_threads": 1, "seed": 1,
        "deterministic": True,
    }  # fmt: skip
    categories = list(range(width - len(names), width))
    model = library.train(settings, library.Dataset(table, wanted, categorical_feature=categories), 400)
    for day in range(days, days + horizon_days):
        line = _features(y[:, :day], day, panel, known, names).astype(np.float32)
        y[:, day] = np.maximum(model.predict(line, num_threads=1), 0.0)
    return np.asarray(y[:, days:])


def installed() -> dict[str, Rival]:
    """Return the rivals that can answer here, naive ones first."""
    found: dict[str, Rival] = {"snaive": seasonal_naive, "ma28": mean_28}
    if importlib.util.find_spec("statsforecast"):
        found["autoets"] = auto_ets
    if importlib.util.find_spec("lightgbm"):
        found["lightgbm"] = lightgbm
    return found


def _known(panel: DemandPanel, ahead: Ahead, horizon_days: int) -> list[Floats]:
    """Return (n, T + H) grids of what is known in advance."""
    n, days = panel.y.shape
    grids = []
    if panel.price is not None:
        later = np.full((n, horizon_days), np.nan) if ahead.price is None else ahead.price
        price = np.concatenate([panel.price, later], axis=1)
        highest = price.copy()
        for back in range(1, min(28, days)):
            highest[:, back:] = np.fmax(highest[:, back:], price[:, :-back])
        grids += [price, price / np.where(highest > 0, highest, np.nan)]
    if panel.on_offer is not None:
        later = np.zeros((n, horizon_days)) if ahead.on_offer is None else ahead.on_offer.astype(np.float64)
        grids.append(np.concatenate([panel.on_offer.astype(np.float64), later], axis=1))
    grids += [
        np.concatenate([grid, ahead.features[name]], axis=1)
        for name, grid in panel.features.items()
        if name in ahead.features
    ]
    return grids


def _names(panel: DemandPanel) -> list[Floats]:
    lists = ([k[0] for k in panel.keys], [k[1] for k in panel.keys], panel.category, panel.region)
    return [np.unique(np.array(names), return_inverse=True)[1].astype(np.float64) for names in lists]


def _features(y: Floats, day: int, panel: DemandPanel, known: list[Floats], names: list[Floats]) -> Floats:
    """Return (n, F) features of a day from the sales before it (n, day)."""
    n = len(y)
    missing = np.full(n, np.nan)
    columns = [y[:, day - lag] if day >= lag else missing for lag in (1, 2, 3, 7, 14, 21, 28, 364)]
    columns += [row_mean(y[:, max(0, day - width) : day]) for width in (7, 14, 28, 56)]
    same = y[:, [day - 7 * week for week in range(1, 9) if day >= 7 * week]]
    columns += [row_mean(same[:, :4]), row_mean(same)]
    today = panel.first_day + timedelta(days=day)
    calendar = (today.weekday(), today.day, today.month, today.isocalendar()[1])
    columns += [np.full(n, float(value)) for value in calendar]
    return np.stack([*columns, *(grid[:, day] for grid in known), *names], axis=1)
