"""Builders of panels for the forecasting tests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pytest

from forecasting.series.panel import DemandPanel

FIRST = date(2024, 1, 1)  # a Monday
WEEK = np.array([0.8, 0.8, 0.9, 1.0, 1.3, 1.5, 0.7])


@pytest.fixture
def trade() -> Callable[..., DemandPanel]:
    """Build a panel of Poisson trade with a weekly shape; one level per series."""

    def build(
        levels: list[float],
        days: int = 200,
        *,
        seed: int = 1,
        scope: str = "S1",
        category: str = "C",
        region: str = "R",
    ) -> DemandPanel:
        rng = np.random.default_rng(seed)
        factor = WEEK[np.arange(days) % 7]
        y = rng.poisson(np.array(levels)[:, None] * factor[None, :]).astype(np.float64)
        n = len(levels)
        keys = tuple((scope, f"P{row}") for row in range(n))
        return DemandPanel(keys=keys, first_day=FIRST, y=y, category=(category,) * n, region=(region,) * n)

    return build
