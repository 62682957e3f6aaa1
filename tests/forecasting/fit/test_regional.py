"""The region: what it finds, what it does when a model refuses, and what a store borrows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from forecasting.fit import models
from forecasting.fit.assortment import Usual
from forecasting.fit.regional import PATH_TRUST, borrow, fit_region
from forecasting.fit.signal import RegionalSignal
from forecasting.run import forecast
from forecasting.series.panel import DemandPanel

ALL_MODELS = "+".join(["level_filter", *(name for name, _ in models.MENU)])
WEEK = np.array([0.8, 0.8, 0.9, 1.0, 1.3, 1.5, 0.7])


def _panel(y: np.ndarray, first_day: date = date(2024, 1, 1), scope: str = "R", **more: object) -> DemandPanel:
    keys = tuple((scope, f"P{row}") for row in range(len(y)))
    given = {"category": ("C",) * len(y), "region": ("R",) * len(y), **more}
    return DemandPanel(keys=keys, first_day=first_day, y=y, **given)  # type: ignore[arg-type]


def test_the_region_finds_level_season_and_shares(trade) -> None:  # type: ignore[no-untyped-def]
    signal = fit_region(trade([30.0, 10.0], 280, scope="R"), 14)
    assert signal.model == (ALL_MODELS,)
    assert signal.reason == ("fitted",)
    assert signal.level[0] == pytest.approx(40.0, rel=0.1)
    np.testing.assert_allclose(signal.weekday_profile[0], WEEK, atol=0.1)
    np.testing.assert_allclose(signal.product_share, [0.75, 0.25], atol=0.03)
    assert signal.mean.sum() == pytest.approx(40.0 * 14, rel=0.1)


@pytest.mark.parametrize(
    ("y", "why"),
    [
        (np.full((1, 60), 4.0), "constant"),
        (np.arange(10.0)[None, :], "short"),
        (np.full((1, 60), np.nan), "short"),
        (np.zeros((1, 0)), "short"),
    ],
)
def test_a_refusing_model_is_named_and_the_level_stands_alone(y: np.ndarray, why: str) -> None:
    signal = fit_region(_panel(y), 7, "US")
    assert signal.model == ("level_filter",)
    assert signal.reason == (",".join(f"{name}:{why}" for name, _ in models.MENU),)
    assert np.isfinite(signal.mean).all()
    assert (signal.mean >= 0).all()


def test_the_region_is_told_the_mean_of_the_models_and_of_its_level(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([30.0], 200, scope="R")
    signal = fit_region(panel, 7)
    fits = [model(panel.y[0], 7).mean for _, model in models.MENU]
    level = (len(fits) + 1) * signal.mean[0] - np.sum(fits, axis=0)
    assert level.mean() == pytest.approx(30.0, rel=0.1)
    np.testing.assert_allclose(level / level.mean(), WEEK[(200 + np.arange(7)) % 7], atol=0.15)


def test_a_model_is_one_function_on_the_menu(monkeypatch, trade) -> None:  # type: ignore[no-untyped-def]
    """As CONTRIBUTING.md adds one: it has its part in the region's path, under its own name."""
    panel = trade([30.0], 200, scope="R")
    before = fit_region(panel, 7)
    monkeypatch.setattr(models, "MENU", [*models.MENU])

    @models.on_the_menu(models.WEEK)
    def twice_the_mean(y: np.ndarray, horizon_days: int) -> np.ndarray:
        return np.full(horizon_days, 2.0 * y.mean())

    signal = fit_region(panel, 7)
    assert signal.model == (f"{ALL_MODELS}+twice_the_mean",)
    parts = len(models.MENU) + 1
    own = parts * signal.mean[0] - (parts - 1) * before.mean[0]
    np.testing.assert_allclose(own, 2.0 * panel.y[0].mean(), rtol=0.02)


def test_a_model_that_runs_away_is_left_out_and_named() -> None:
    y = np.zeros((1, 35))
    y[0, -4:] = 1.0, 10.0, 100.0, 1000.0
    signal = fit_region(_panel(y), 7)
    assert "count_regression:runaway" in signal.reason[0].split(",")
    assert "count_regression" not in signal.model[0].split("+")
    assert signal.mean.max() < 5000.0


def test_a_gap_in_the_region_does_not_stop_the_models(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([30.0], 200, scope="R")
    y = panel.y.copy()
    y[0, 50:60] = np.nan
    signal = fit_region(replace(panel, y=y), 7)
    assert signal.model == (ALL_MODELS,)
    assert signal.level[0] == pytest.approx(30.0, rel=0.15)


@pytest.mark.parametrize("hidden", [0.0, np.nan])
def test_a_feast_on_which_all_shops_were_shut_is_a_hard_zero(hidden: float) -> None:
    days = 721  # 2023-01-01 .. 2024-12-21: Christmas 2023 is inside, Christmas 2024 ahead
    rng = np.random.default_rng(2)
    y = rng.poisson(20.0, (3, days)).astype(float)
    y[:, (date(2023, 12, 25) - date(2023, 1, 1)).days] = hidden
    signal = fit_region(_panel(y, date(2023, 1, 1)), 7, "US")
    assert signal.mean[0, 3] == 0.0 < signal.mean[0, 2]
    store = _panel(y[:, -100:], date(2023, 1, 1) + timedelta(days=days - 100), scope="S")
    said = forecast(store, horizon_days=7, regional=signal)
    assert (said.quantiles[:, :, 3] == 0).all()
    assert (said.mean[:, 2] > 5).all()


def test_an_old_signal_is_entered_at_the_right_day_and_its_end_holds() -> None:
    n = 30
    path = np.linspace(10.0, 13.0, n)[None, :]
    signal = RegionalSignal(
        first_day=date(2024, 3, 1), keys=(("R", "C"),), mean=path, weekday_profile=np.ones((1, 7)),
        month_profile=np.ones((1, 31)), holiday_like=np.zeros((1, 2)),
        level=np.array([10.0]), trend=np.zeros(1), model=("m",), reason=("r",),
        stores=np.array([1]), products=(("R", "P0"),), product_group=np.array([0]), product_share=np.ones(1),
        product_level=np.array([10.0]), product_slow=np.array([10.0]), product_weekday=np.ones((1, 7)),
        product_stores=np.zeros(1), product_rate=np.zeros(1), product_slope=np.zeros(1), product_doubt=np.zeros(1),
        product_line=np.zeros(1, dtype=np.int64),
    )  # fmt: skip
    late = _panel(np.ones((1, 10)), date(2024, 3, 11), scope="S")  # next day is 20 days into the signal
    got = borrow(signal, late.keys, late.category, late.region, late.next_day, 20).path[0]
    np.testing.assert_allclose(got[:5], 1 + PATH_TRUST * (path[0, 20:25] / path[0, 20] - 1), rtol=0.005)
    assert np.ptp(got[12:]) == pytest.approx(0.0, abs=1e-9)
    fresh = borrow(signal, late.keys, late.category, late.region, date(2024, 3, 1), 5).path[0]
    np.testing.assert_allclose(fresh, 1.0, atol=0.05)


def test_a_new_product_starts_at_the_regions_level_times_the_shops_size(trade) -> None:  # type: ignore[no-untyped-def]
    signal = fit_region(trade([40.0, 20.0, 12.0], 200, scope="R"), 14, stores={"R": 4})
    store = trade([10.0, 5.0, 3.0], 200, scope="S", seed=5)
    y = store.y.copy()
    y[2] = np.nan
    said = forecast(replace(store, y=y), horizon_days=7, regional=signal)
    assert (said.model[2], said.reason[2]) == ("region_share", "new_product_borrowed")
    assert said.level[2] == pytest.approx(3.0, rel=0.2)
    assert said.regional_share[2] == 1.0


def test_a_new_product_keeps_the_weekdays_of_its_shop(trade) -> None:  # type: ignore[no-untyped-def]
    """The store's other products sell four times the region's part on Sundays, so the new one will, too."""
    signal = fit_region(trade([40.0, 20.0, 12.0], 200, scope="R"), 14, stores={"R": 4})
    store = trade([10.0, 5.0, 3.0], 200, scope="S", seed=5)
    y = store.y * np.where(np.arange(200) % 7 == 6, 4.0, 1.0)
    y[2] = np.nan
    said = forecast(replace(store, y=y), horizon_days=7, regional=signal)
    whole = (WEEK * [1, 1, 1, 1, 1, 1, 4]).sum()
    assert said.weekday_profile[2, 6] == pytest.approx(7 * 4 * WEEK[6] / whole, rel=0.15)
    assert said.weekday_profile[2, 5] == pytest.approx(7 * WEEK[5] / whole, rel=0.15)


def test_a_new_shop_takes_an_even_part_of_its_region(trade) -> None:  # type: ignore[no-untyped-def]
    signal = fit_region(trade([40.0, 20.0], 200, scope="R"), 14, stores={"R": 4})
    said = forecast(_panel(np.full((3, 5), np.nan), date(2024, 7, 14), scope="S"), horizon_days=7, regional=signal)
    np.testing.assert_allclose(said.level[:2], [10.0, 5.0], rtol=0.15)
    assert said.reason[2] == "new_in_region"


def test_a_product_few_shops_sell_is_not_taken_for_a_slow_one(trade) -> None:  # type: ignore[no-untyped-def]
    """P1 is in 2 of 20 average stores, at 10 a day each: the third to list it starts at 10, not at a twentieth of
    20."""
    signal = fit_region(
        trade([200.0, 20.0], 200, scope="R"), 14, stores={"R": 20},
        usual={("R", "P0"): Usual(20.0, 10.0), ("R", "P1"): Usual(2.0, 10.0)},
    )  # fmt: skip
    store = trade([10.0, 10.0], 200, scope="S", seed=5)
    y = store.y.copy()
    y[1] = np.nan
    said = forecast(replace(store, y=y), horizon_days=7, regional=RegionalSignal.from_json(signal.to_json()))
    assert said.reason[1] == "new_product_borrowed"
    assert said.level[1] == pytest.approx(10.0, rel=0.2)


def test_a_region_that_never_sold_a_product_does_not_say_that_nobody_wants_it(trade) -> None:  # type: ignore[no-untyped-def]
    region = trade([40.0, 20.0, 12.0], 200, scope="R")
    y = region.y.copy()
    y[2] = np.nan
    signal = fit_region(replace(region, y=y), 14, stores={"R": 4})
    store = trade([10.0, 5.0, 3.0], 200, scope="S", seed=5)
    y = store.y.copy()
    y[2] = np.nan
    said = forecast(replace(store, y=y), horizon_days=7, regional=signal)
    assert said.reason[2] == "new_in_region"
    assert said.level[2] > 1.0


def test_the_thinner_the_history_the_more_is_borrowed(trade) -> None:  # type: ignore[no-untyped-def]
    signal = fit_region(trade([40.0, 4.0, 0.4], 300, scope="R"), 14, stores={"R": 10})
    store = trade([4.0, 0.4, 0.04], 120, scope="S", seed=9)
    said = forecast(store, horizon_days=7, regional=signal)
    assert said.regional_share[0] < said.regional_share[1] < said.regional_share[2] <= 1.0


def test_borrowing_helps_thin_series() -> None:
    """40 stores' slow products, four weeks of history: the region's knowledge must cut the error by a fifth."""
    rng = np.random.default_rng(11)
    region_rate = rng.gamma(2.0, 0.15, 60)
    sizes = rng.uniform(0.5, 2.0, 20)
    history = rng.poisson(region_rate[:, None] * sizes.sum(), (60, 200)).astype(float)
    signal = fit_region(_panel(history), 14, stores={"R": 20})
    own_error = borrowed_error = 0.0
    for size in sizes[:6]:
        truth = region_rate * size * rng.gamma(10.0, 0.1, 60)
        y = np.full((60, 200), np.nan)
        y[:, -28:] = rng.poisson(truth[:, None], (60, 28))
        store = _panel(y, scope="S")
        alone = forecast(store, horizon_days=7).level
        helped = forecast(store, horizon_days=7, regional=signal).level
        own_error += float(((alone - truth) ** 2).sum())
        borrowed_error += float(((helped - truth) ** 2).sum())
    assert borrowed_error < 0.8 * own_error
