"""Demand over a lead time: any stretch of days, and futures whose days belong together."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting import LEVELS, PanelFault
from forecasting.paths import paths, sum_moments, sum_quantiles
from forecasting.run import forecast


def test_the_first_days_have_the_quantiles_the_forecast_keeps(trade) -> None:  # type: ignore[no-untyped-def]
    said = forecast(trade([5.0, 0.2, 30.0]), horizon_days=10)
    np.testing.assert_array_equal(sum_quantiles(said, 1, 5, LEVELS), said.cumulative[:, :, 4])


def test_any_stretch_can_be_asked_for_and_none_beyond_the_horizon(trade) -> None:  # type: ignore[no-untyped-def]
    said = forecast(trade([5.0]), horizon_days=10)
    mean, variance = sum_moments(said, 4, 6)
    assert mean[0] == pytest.approx(said.mean[0, 3:6].sum())
    assert variance[0] > mean[0]
    for wrong in ((0, 3), (4, 3), (8, 11)):
        with pytest.raises(PanelFault, match="days"):
            sum_quantiles(said, *wrong, LEVELS)


def test_paths_scatter_as_the_law_of_days_and_of_sums_says(trade) -> None:  # type: ignore[no-untyped-def]
    said = forecast(trade([20.0] * 3, seed=4), horizon_days=14)
    drawn = paths(said, 20_000, seed=3)
    mean, variance = sum_moments(said, 1, 14)
    np.testing.assert_allclose(drawn.sum(axis=2).mean(axis=1), mean, rtol=0.02)
    np.testing.assert_allclose(drawn.mean(axis=1), said.mean, rtol=0.03)
    assert said.spread is not None
    daily = said.spread.variance(said.mean, 1.0)
    assert (drawn.var(axis=1) > 0.92 * daily).all()
    least = daily.sum(axis=1)  # where days scatter more than their sum, they are drawn apart
    np.testing.assert_allclose(drawn.sum(axis=2).var(axis=1), np.maximum(variance, least), rtol=0.1)


def test_paths_are_whole_units_and_the_same_for_a_seed(trade) -> None:  # type: ignore[no-untyped-def]
    said = forecast(trade([0.3, 2.0]), horizon_days=7)
    drawn = paths(said, 50, seed=1)
    np.testing.assert_array_equal(drawn, paths(said, 50, seed=1))
    assert (drawn != paths(said, 50, seed=2)).any()
    assert (drawn >= 0).all()
    np.testing.assert_array_equal(drawn, np.floor(drawn))
