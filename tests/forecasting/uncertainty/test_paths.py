"""Paths drawn from a forecast are futures that it tells of."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from forecasting.run import forecast
from forecasting.series.panel import Floats, Forecast
from forecasting.uncertainty import intervals, paths
from forecasting.uncertainty.intervals import Dispersion, fit_dispersion


@pytest.fixture
def reported(trade) -> Forecast:  # type: ignore[no-untyped-def]
    """A forecast of three products whose level wanders, so that a fortnight's errors hang together."""
    panel = trade([20.0, 4.0, 0.3], 300)
    rng = np.random.default_rng(5)
    wander = np.exp(np.cumsum(rng.normal(0.0, 0.08, panel.y.shape), axis=1) * 0.5)
    return forecast(dataclasses.replace(panel, y=rng.poisson(panel.y * wander).astype(float)), horizon_days=14)


def drawn_of(reported: Forecast, count: int, *, seed: int) -> Floats:
    assert reported.spread is not None
    return paths.draw(reported.keys, reported.mean, reported.spread, count, seed=seed)


def test_days_and_their_sum_have_the_mean_and_variance_that_are_told(reported: Forecast) -> None:
    drawn, spread = drawn_of(reported, 20_000, seed=1), reported.spread
    assert spread is not None
    total = reported.mean.sum(axis=1)
    np.testing.assert_allclose(drawn.mean(axis=1), reported.mean, rtol=0.08)
    np.testing.assert_allclose(drawn.var(axis=1), spread.variance(reported.mean, 1.0), rtol=0.15)
    sums = spread.variance(total[:, None], 14.0)[:, 0]
    apart = spread.variance(reported.mean, 1.0).sum(axis=1)
    assert (sums[:2] > 1.5 * apart[:2]).all(), "else the days need not hang together"
    np.testing.assert_allclose(drawn.sum(axis=2).var(axis=1), np.maximum(sums, apart), rtol=0.15)


def test_paths_are_whole_units_and_the_same_for_a_seed_whatever_the_order_of_products(reported: Forecast) -> None:
    drawn = drawn_of(reported, 50, seed=7)
    assert (drawn >= 0).all()
    assert (drawn == np.round(drawn)).all()
    np.testing.assert_array_equal(drawn_of(reported, 50, seed=7), drawn)
    assert (drawn_of(reported, 50, seed=8) != drawn).any()
    assert reported.spread is not None
    turned = np.array([2, 0, 1])
    some = dataclasses.replace(
        reported,
        keys=tuple(reported.keys[row] for row in turned),
        mean=reported.mean[turned],
        quantiles=reported.quantiles[turned],
        cumulative=reported.cumulative[turned],
        spread=reported.spread.select(turned),
    )
    np.testing.assert_array_equal(drawn_of(some, 50, seed=7), drawn[turned])


def test_a_day_on_which_the_shop_is_shut_sells_nothing_on_any_path(reported: Forecast) -> None:
    mean = reported.mean.copy()
    mean[:, 3] = 0.0
    assert drawn_of(dataclasses.replace(reported, mean=mean), 100, seed=1)[:, :, 3].sum() == 0


def _store(products: int, common: tuple[float, float]) -> tuple[tuple[tuple[str, str], ...], Floats, Dispersion]:
    keys = tuple(("S1", f"P{n}") for n in range(products))
    law = Dispersion(
        np.array([1.0, 14.0]), np.array([1.2, 1.2]), np.array([0.1, 0.05]), np.ones(products), common=np.array(common)
    )
    return keys, np.linspace(2.0, 12.0, products)[:, None] * np.ones(14), law


def test_products_of_a_shop_meet_together_what_their_law_says_and_vary_no_more_for_it() -> None:
    keys, mean, law = _store(20, (0.04, 0.02))
    drawn, day_var = paths.draw(keys, mean, law, 8_000, seed=3), law.variance(mean, 1.0)
    np.testing.assert_allclose(drawn.var(axis=1), day_var, rtol=0.12)
    for reported, came, apart, common in (
        (mean[:, 0], drawn[:, :, 0], day_var[:, 0], 0.04),
        (mean.sum(axis=1), drawn.sum(axis=2), law.variance(mean.sum(axis=1)[:, None], 14.0)[:, 0], 0.02),
    ):
        together = apart.sum() + common * (reported.sum() ** 2 - (reported**2).sum())
        assert together > 1.3 * apart.sum(), "else nothing would be told"
        assert came.sum(axis=0).var() == pytest.approx(together, rel=0.08)


def test_what_varies_less_than_the_shop_meets_only_as_much_of_it() -> None:
    keys, mean, law = _store(5, (0.5, 0.4))
    np.testing.assert_allclose(
        paths.draw(keys, mean, law, 8_000, seed=3).var(axis=1), law.variance(mean, 1.0), rtol=0.12
    )


def test_what_products_meet_together_is_the_same_whichever_of_them_are_drawn() -> None:
    keys, mean, law = _store(6, (0.04, 0.02))
    whole = paths.draw(keys, mean, law, 40, seed=3)
    np.testing.assert_array_equal(paths.draw(keys[4:], mean[4:], law.select(np.arange(4, 6)), 40, seed=3), whole[4:])


@pytest.mark.parametrize(("shared", "products"), [(0.0, 30), (0.06, 30), (0.06, 2)])
def test_what_all_products_meet_at_once_is_measured_beside_what_each_meets_alone(shared: float, products: int) -> None:
    """Of two products, too, of which each is half of what their sum varies by alone."""
    law = _measured(shared, products)
    by_length = dict(zip(law.days, law.common, strict=True))
    assert by_length[1.0] == pytest.approx(shared, rel=0.3, abs=0.004)
    assert by_length[14.0] == pytest.approx(shared / 14, rel=0.5, abs=0.002)


def test_what_comes_is_told_to_vary_more_at_once_than_what_it_was_measured_on(monkeypatch: pytest.MonkeyPatch) -> None:
    reported = _measured(0.06, 30)
    monkeypatch.setattr(intervals, "OPTIMISM", 0.0)
    came = _measured(0.06, 30)
    week = list(reported.days).index(7.0)
    mean = 7.0 * np.linspace(1.0, 9.0, 30)
    pairs, alone = mean.sum() ** 2 - (mean**2).sum(), came.variance(mean, 7.0).sum()
    assert reported.common[week] * pairs + alone == pytest.approx(1.12**2 * (came.common[week] * pairs + alone))
    assert reported.common[0] == pytest.approx(came.common[0], rel=0.03), "a day is chance, not hindsight"


def _measured(shared: float, products: int) -> Dispersion:
    """Measure 400 days on which all products meet a factor of this variance."""
    rng = np.random.default_rng(8)
    day = rng.gamma(1 / shared, shared, 400) if shared else np.ones(400)
    level = np.linspace(1.0, 9.0, products)[:, None]
    y = rng.poisson(level * day).astype(float)
    return fit_dispersion(y, level * np.ones((products, 401)), np.ones(y.shape), 14)
