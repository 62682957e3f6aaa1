"""The self-check: drift is seen, chance is not taken for it, a class worse than the plain mean falls back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecasting import intervals, watch
from forecasting.panel import LEVELS
from forecasting.run import forecast


def _spoilt(said, factor: float):  # type: ignore[no-untyped-def]
    mean = said.mean * factor
    daily, sums = intervals.quantiles(mean, said.spread, LEVELS)
    return replace(said, mean=mean, quantiles=daily, cumulative=sums)


def test_a_good_forecast_neither_drifts_nor_falls_back(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 60, days=207)
    past = panel.between(0, 200)
    (found,) = watch.watch(forecast(past, horizon_days=7), past.y, panel.y[:, 200:])
    assert (found.kind, found.sums) == ("smooth", 60)
    assert not found.drifts
    assert not found.falls_back
    assert abs(found.bias) < 0.05


def test_a_biased_forecast_drifts_and_falls_back_to_the_mean_of_four_weeks(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 60, days=207)
    past = panel.between(0, 200)
    said = _spoilt(forecast(past, horizon_days=7), 0.5)
    (found,) = watch.watch(said, past.y, panel.y[:, 200:])
    assert found.drifts
    assert found.falls_back
    safe = watch.fall_back(said, past.y, frozenset({"smooth"}))
    np.testing.assert_allclose(safe.mean[:, 0], past.y[:, -28:].mean(axis=1))
    assert set(safe.reason) == {"fell_back"}
    assert watch.watch(safe, past.y, panel.y[:, 200:])[0].loss < found.loss


def test_few_sums_prove_nothing(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 5, days=207)
    past = panel.between(0, 200)
    (found,) = watch.watch(_spoilt(forecast(past, horizon_days=7), 0.5), past.y, panel.y[:, 200:])
    assert not found.drifts
    assert not found.falls_back


def test_a_long_silence_at_positive_stock_is_suspicious_and_an_empty_shelf_is_not() -> None:
    y = np.full((3, 60), 2.0)
    y[0, -10:] = y[1, -10:] = 0.0
    level, even = np.full(3, 2.0), np.ones((3, 60))
    chance = watch.suspicious(y, level, even, np.array([5.0, 0.0, 5.0]))
    assert chance[0] < 1e-3
    assert chance[1] == 1.0
    assert chance[2] == 1.0


def test_silence_of_a_slow_product_is_not_suspicious() -> None:
    y = np.zeros((1, 120))
    y[0, ::30] = 1.0
    assert watch.suspicious(y, np.array([1 / 30]), np.ones((1, 120)), np.array([3.0]))[0] > 0.1
