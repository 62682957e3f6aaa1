"""What goes on around a store and moves its trade, beside the calendar: school holidays and weather, as features.

Rules
-----
1. School holidays count from Monday to Friday, when there would be school: their weekends are weekends.
2. Weather is how far a day is from what is usual then: the mean of the USUAL_DAYS before it, moved on by how far days
   were from such a mean of theirs (Brown's double mean). So a season is no weather, and neither is its coming and
   going; a day of which nothing is known is at its usual, 0.
3. What a store's days have in common is no matter of one product: a slope is believed as far as it is larger than what
   weeks that have nothing to do with it would give by chance (see `effects`, rule 6).
"""

from __future__ import annotations

from datetime import date

import numpy as np

from forecasting.series.calendar import weekdays
from forecasting.series.panel import Flags, Floats

SCHOOL, TEMPERATURE, RAIN = "school holidays", "temperature", "rain"
WEATHER = (TEMPERATURE, RAIN)
SURROUNDINGS = (SCHOOL, *WEATHER)
USUAL_DAYS, LEAST_DAYS = 28, 7
STEP_DEGREES = 5.0


def school(off: Floats, first_day: date) -> Floats:
    """Return (n, T) 0..1: days (n, T) without school that would have it (rule 1)."""
    return np.where(weekdays(first_day, off.shape[1]) < 5, np.nan_to_num(off), 0.0)


def temperature(degrees: Floats) -> Floats:
    """Return (n, T) how much warmer each day is than usual, in steps of STEP_DEGREES; NaN in, 0 out (rule 2)."""
    return _apart(degrees / STEP_DEGREES)


def rain(millimetres: Floats) -> Floats:
    """Return (n, T) how much wetter each day is than usual, in logs of 1 + millimetres; NaN in, 0 out (rule 2)."""
    return _apart(np.log1p(np.maximum(millimetres, 0.0)))


def _apart(values: Floats) -> Floats:
    known = np.isfinite(values)
    values = np.where(known, values, 0.0)
    behind, days = _mean_before(values, known)
    usual = known & (days >= LEAST_DAYS)
    beyond = np.where(usual, values - behind, 0.0)
    return np.where(usual, beyond - _mean_before(beyond, usual)[0], 0.0)


def _mean_before(values: Floats, known: Flags) -> tuple[Floats, Floats]:
    """Return (n, T) the mean of the days known among the USUAL_DAYS before each, and how many there are."""
    nothing = np.zeros((len(values), 1))
    total, count = (np.concatenate([nothing, np.cumsum(grid, axis=1)], axis=1) for grid in (values * known, known))
    last = np.arange(values.shape[1])
    first = np.maximum(last - USUAL_DAYS, 0)
    days = count[:, last] - count[:, first]
    return (total[:, last] - total[:, first]) / np.maximum(days, 1.0), days
