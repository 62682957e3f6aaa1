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

import numpy as np

from forecasting.panel import Floats

WEEK = 7


class Refused(Exception):
    """A model would not forecast this series; `code` is stable: gaps, short, constant, failed, not_finite."""

    def __init__(self, model: str, code: str) -> None:
        super().__init__(f"{model} refused: {code}")
        self.model = model
        self.code = code


@dataclass(frozen=True)
class Fit:
    """A fitted model's answer.

    mean   : (H,) units a day, >= 0
    errors : (T,) one-step-ahead errors, y - forecast
    """

    model: str
    mean: Floats
    errors: Floats


def ets_weekly(y: Floats, horizon_days: int) -> Fit:
    """Fit additive damped-trend Holt-Winters with a weekly season; needs 14 days."""
    # outside the guard: at its first import statsmodels sets warning filters of its own
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    scaled, unit = _admit("ets_weekly", y, 2 * WEEK)

    def fit() -> tuple[Floats, Floats]:
        model = ETSModel(scaled, error="add", trend="add", damped_trend=True, seasonal="add", seasonal_periods=WEEK)
        result = model.fit(disp=False, maxiter=60)
        return np.asarray(result.forecast(horizon_days)), np.asarray(result.resid)

    return _guarded("ets_weekly", fit, unit)


def unobserved_components(y: Floats, horizon_days: int) -> Fit:
    """Fit a local level with a weekly stochastic season by the Kalman filter; needs 28 days."""
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    scaled, unit = _admit("unobserved_components", y, 4 * WEEK)

    def fit() -> tuple[Floats, Floats]:
        model = UnobservedComponents(scaled, level="llevel", seasonal=WEEK)
        result = model.fit(disp=False, maxiter=30, method="lbfgs", cov_type="none")
        return np.asarray(result.forecast(horizon_days)), np.asarray(result.resid)

    return _guarded("unobserved_components", fit, unit)


MENU: tuple[tuple[str, Callable[[Floats, int], Fit]], ...] = (
    ("ets_weekly", ets_weekly),
    ("unobserved_components", unobserved_components),
)


def _admit(model: str, y: Floats, least_days: int) -> tuple[Floats, float]:
    """Return y over its mean, and that mean; Refused for gaps, too short or constant series."""
    if not np.isfinite(y).all():
        raise Refused(model, "gaps")
    if len(y) < least_days:
        raise Refused(model, "short")
    if np.ptp(y) == 0:
        raise Refused(model, "constant")
    unit = max(float(np.abs(y).mean()), 1e-300)
    return y / unit, unit


def _guarded(model: str, fit: Callable[[], tuple[Floats, Floats]], unit: float) -> Fit:
    """Run a statsmodels fit; its convergence warnings are judged by the result, its failures named."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            mean, errors = fit()
    except (ValueError, ArithmeticError, np.linalg.LinAlgError, IndexError) as failure:
        raise Refused(model, "failed") from failure
    if not (np.isfinite(mean).all() and np.isfinite(errors).all()):
        raise Refused(model, "not_finite")
    return Fit(model, np.maximum(mean, 0.0) * unit, errors * unit)
