"""Paths drawn from a forecast are futures that it tells of."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from forecasting import paths
from forecasting.panel import Floats, Forecast
from forecasting.run import forecast


@pytest.fixture
def told(trade) -> Forecast:  # type: ignore[no-untyped-def]
    """A forecast of three products whose level wanders, so that a fortnight's errors hang together."""
    panel = trade([20.0, 4.0, 0.3], 300)
    rng = np.random.default_rng(5)
    wander = np.exp(np.cumsum(rng.normal(0.0, 0.08, panel.y.shape), axis=1) * 0.5)
    return forecast(dataclasses.replace(panel, y=rng.poisson(panel.y * wander).astype(float)), horizon_days=14)


def drawn_of(told: Forecast, count: int, *, seed: int) -> Floats:
    assert told.spread is not None
    return paths.draw(told.keys, told.mean, told.spread, count, seed=seed)


def test_days_and_their_sum_have_the_mean_and_variance_that_are_told(told: Forecast) -> None:
    drawn, spread = drawn_of(told, 20_000, seed=1), told.spread
    assert spread is not None
    total = told.mean.sum(axis=1)
    np.testing.assert_allclose(drawn.mean(axis=1), told.mean, rtol=0.08)
    np.testing.assert_allclose(drawn.var(axis=1), spread.variance(told.mean, 1.0), rtol=0.15)
    sums = spread.variance(total[:, None], 14.0)[:, 0]
    apart = spread.variance(told.mean, 1.0).sum(axis=1)
    assert (sums[:2] > 1.5 * apart[:2]).all(), "else the days need not hang together"
    np.testing.assert_allclose(drawn.sum(axis=2).var(axis=1), np.maximum(sums, apart), rtol=0.15)


def test_paths_are_whole_units_and_the_same_for_a_seed_whatever_the_order_of_products(told: Forecast) -> None:
    drawn = drawn_of(told, 50, seed=7)
    assert (drawn >= 0).all()
    assert (drawn == np.round(drawn)).all()
    np.testing.assert_array_equal(drawn_of(told, 50, seed=7), drawn)
    assert (drawn_of(told, 50, seed=8) != drawn).any()
    assert told.spread is not None
    turned = np.array([2, 0, 1])
    some = dataclasses.replace(
        told, keys=tuple(told.keys[row] for row in turned), mean=told.mean[turned], quantiles=told.quantiles[turned],
        cumulative=told.cumulative[turned], spread=told.spread.select(turned),
    )  # fmt: skip
    np.testing.assert_array_equal(drawn_of(some, 50, seed=7), drawn[turned])


def test_a_day_on_which_the_shop_is_shut_sells_nothing_on_any_path(told: Forecast) -> None:
    mean = told.mean.copy()
    mean[:, 3] = 0.0
    assert drawn_of(dataclasses.replace(told, mean=mean), 100, seed=1)[:, :, 3].sum() == 0
