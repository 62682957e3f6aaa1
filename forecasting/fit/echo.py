"""What the last days leave to the next ones: a short wave beside the level, which fades within days.

Rules
-----
1. A day's deviation is (sold - expected) / (expected + PSEUDO): of a slow seller's day it is chance and tells nothing.
   An unobserved day, or one with an empty shelf, has none.
2. The echo is the sum of past deviations, each worth ECHO_FADE of the day after it. A part of it is expected of the day
   ahead, and of each day after that WAVE_FADE of the one before.
3. The part is learnt from all series over a year, one for all, shrunk to none by RIDGE and never below it: where the
   level follows fast enough, or each day is on its own, it is nothing.
"""

from __future__ import annotations

import numpy as np

from forecasting.series.panel import Floats

PSEUDO = 10.0
ECHO_FADE, WAVE_FADE = 0.5, 0.65
SCATTER_A, SCATTER_B = 1.3, 0.1
MEMORY_DAYS, RIDGE = 364, 300.0
LEAST, MOST = 0.4, 2.0


def after(echo: Floats, y: Floats, mean: Floats) -> Floats:
    """Return (n,) the echo after one day more: y (n,) units, NaN = not observed; mean (n,) units expected of it."""
    return np.asarray(ECHO_FADE * echo + np.where(np.isnan(y), 0.0, (np.nan_to_num(y) - mean) / (mean + PSEUDO)))


def measure(y: Floats, mean: Floats) -> tuple[Floats, Floats]:
    """Return (n,) the echo after the days of y (n, T), and (n,) the part of it that the day after brought, one for all.

    mean : (n, T) units expected of each day by the level known before it
    """
    n, days = y.shape
    echo, pull, bend = np.zeros(n), 0.0, RIDGE
    for day in range(max(0, days - MEMORY_DAYS), days):
        sold, due = y[:, day], mean[:, day]
        seen = ~np.isnan(sold) & (due > 0)
        wave, weight = due * echo, seen / np.maximum(due * (SCATTER_A + SCATTER_B * due), 1e-9)
        pull += float((weight * wave * np.where(seen, sold - due, 0.0)).sum())
        bend += float((weight * wave**2).sum())
        echo = after(echo, sold, due)
    return echo, np.full(n, max(pull / bend, 0.0))


def ahead(echo: Floats, part: Floats, horizon_days: int) -> Floats:
    """Return (n, H) the factors of the days ahead (rule 2)."""
    wave = WAVE_FADE ** np.arange(float(horizon_days))
    return np.clip(1.0 + (part * echo)[:, None] * wave, LEAST, MOST)
