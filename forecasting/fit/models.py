"""The menu of statsmodels models, one signature each, for regional totals.

Rules
-----
1. Every model takes y (T,), finite and without NaN, and a horizon; a NaN is refused at the door, for one NaN
   makes statsmodels answer an all-NaN forecast with no more than a warning.
2. What comes back is checked to be finite; otherwise, and whenever statsmodels raises, `Refused` names why.
3. statsmodels is imported inside the functions: importing this module costs nothing in a web worker.
4. Pin BLAS to one thread before starting a process that fits many of these; that is the caller's to do.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

import numpy as np

from forecasting.series.panel import Floats

WEEK = 7
YEAR = 365.25
HALF_LIFE_DAYS = 180.0
"""Days after which the count model believes a day half."""
SEASON_FROM = 540
TREND_STOPS = 7
ARIMA_DAYS = 364
NONE_SOLD = 0.05
"""Part of a usual day added before logarithms are taken."""


class Refused(Exception):
    """A model would not forecast this series; `code` is stable: gaps, short, constant, failed, not_finite."""

    def __init__(self, model: str, code: str) -> None:
        super().__init__(f"{model} refused: {code}")
        self.model = model
        self.code = code


@dataclass(frozen=True)
class Fit:
    """A fitted model's answer: mean (H,) units a day, >= 0."""

    model: str
    mean: Floats


Model = Callable[[Floats, int], Fit]
MENU: list[tuple[str, Model]] = []
"""Each model's name and itself, in the order of this file (`on_the_menu`)."""


def on_the_menu(least_days: int) -> Callable[[Callable[[Floats, int], Floats]], Model]:
    """Put a function on the menu: it is given y over its mean, and only where there are so many days (rules 1, 2)."""

    def enter(forecast: Callable[[Floats, int], Floats]) -> Model:
        name = forecast.__name__

        @wraps(forecast)
        def fitted(y: Floats, horizon_days: int) -> Fit:
            # outside the guard: at its first import statsmodels sets warning filters of its own
            import statsmodels.tools.sm_exceptions  # noqa: F401

            _refuse(name, y, least_days)
            unit = max(float(np.abs(y).mean()), 1e-300)
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    mean = forecast(y / unit, horizon_days)
            except (ValueError, ArithmeticError, np.linalg.LinAlgError, IndexError) as failure:
                raise Refused(name, "failed") from failure
            if not np.isfinite(mean).all():
                raise Refused(name, "not_finite")
            return Fit(name, np.maximum(mean, 0.0) * unit)

        MENU.append((name, fitted))
        return fitted

    return enter


@on_the_menu(2 * WEEK)
def ets_weekly(y: Floats, horizon_days: int) -> Floats:
    """Fit additive damped-trend Holt-Winters with a weekly season."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    model = ETSModel(y, error="add", trend="add", damped_trend=True, seasonal="add", seasonal_periods=WEEK)
    return np.asarray(model.fit(disp=False, maxiter=60).forecast(horizon_days))


@on_the_menu(4 * WEEK)
def unobserved_components(y: Floats, horizon_days: int) -> Floats:
    """Fit a local level with a weekly stochastic season by the Kalman filter."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    model = UnobservedComponents(y, level="llevel", seasonal=WEEK)
    result = model.fit(disp=False, maxiter=30, method="lbfgs", cov_type="none")
    return np.asarray(result.forecast(horizon_days))


@on_the_menu(4 * WEEK)
def count_regression(y: Floats, horizon_days: int) -> Floats:
    """Fit a Poisson regression on weekdays, trend and, from SEASON_FROM days on, the year.

    Old days weigh less (HALF_LIFE_DAYS); the trend stops TREND_STOPS days ahead.
    """
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    n = len(y)
    day = np.arange(n + horizon_days)
    columns = [(day % WEEK == weekday).astype(np.float64) for weekday in range(WEEK)]
    columns.append((np.minimum(day, n + TREND_STOPS - 1) - n) / YEAR)
    for turns in (1, 2) if n >= SEASON_FROM else ():
        angle = 2.0 * np.pi * turns * day / YEAR
        columns += [np.sin(angle), np.cos(angle)]
    known = np.stack(columns, axis=1)
    weight = 0.5 ** (np.arange(n)[::-1] / HALF_LIFE_DAYS)
    model = GLM(y, known[:n], family=Poisson(), var_weights=weight)
    return np.asarray(model.fit(maxiter=30).predict(known[n:]))


@on_the_menu(8 * WEEK)
def sarimax_weekly(y: Floats, horizon_days: int) -> Floats:
    """Fit a seasonal ARIMA (1, 0, 1)(0, 1, 1) of the week to the logarithms of ARIMA_DAYS."""
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    logs = np.log(y[-ARIMA_DAYS:] + NONE_SOLD)

    def model(differenced: bool) -> SARIMAX:
        return SARIMAX(
            logs, order=(1, 0, 1), seasonal_order=(0, 1, 1, WEEK), simple_differencing=differenced,
            concentrate_scale=True, enforce_stationarity=False, enforce_invertibility=False,
        )  # fmt: skip

    # A week's differences have a small state, so that the search is quick; the forecast is of the days themselves.
    found = model(True).fit(disp=False, maxiter=25, method="lbfgs", cov_type="none").params
    return np.asarray(np.exp(model(False).filter(found).forecast(horizon_days)) - NONE_SOLD)


def _refuse(model: str, y: Floats, least_days: int) -> None:
    """Refuse gaps, too short and constant series."""
    if not np.isfinite(y).all():
        raise Refused(model, "gaps")
    if len(y) < least_days:
        raise Refused(model, "short")
    if np.ptp(y) == 0:
        raise Refused(model, "constant")
