"""The forecast of a store: whatever comes in, what comes out obeys K12 and says why."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from forecasting.fit.regional import fit_region
from forecasting.run import forecast, measure
from forecasting.series.panel import LEVELS, Ahead, DemandPanel, Forecast, PanelFault

FIRST = date(2024, 1, 1)


def _store(y: np.ndarray, **more: object) -> DemandPanel:
    keys = tuple(("S", f"P{row}") for row in range(len(y)))
    return DemandPanel(keys=keys, first_day=FIRST, y=y, **more)  # type: ignore[arg-type]


def _obeys_k12(said: Forecast, n: int, horizon: int) -> None:
    assert said.mean.shape == (n, horizon)
    assert said.quantiles.shape == said.cumulative.shape == (n, len(LEVELS), horizon)
    for grid in (said.mean, said.quantiles, said.cumulative, said.level, said.weekday_profile):
        assert np.isfinite(grid).all()
        assert (grid >= 0).all()
    for grid in (said.quantiles, said.cumulative):
        assert (np.diff(grid, axis=1) >= 0).all()
    assert (np.diff(said.cumulative, axis=2) >= 0).all()
    assert all(said.model)
    assert all(said.reason)
    assert len(said.model) == len(said.reason) == n
    assert ((said.regional_share >= 0) & (said.regional_share <= 1)).all()


units = st.one_of(
    st.just(np.nan), st.just(0.0), st.integers(0, 9).map(float), st.floats(0, 50), st.sampled_from([1e6, 1e12, 1e-9])
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    y=hnp.arrays(np.float64, st.tuples(st.integers(0, 5), st.integers(0, 40)), elements=units),
    horizon=st.integers(1, 16),
    seed=st.integers(0, 2**16),
)
def test_k12_holds_for_any_panel(y: np.ndarray, horizon: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    extra = {
        "out_of_stock": rng.random(y.shape) < 0.2,
        "on_offer": rng.random(y.shape) < 0.2,
        "category": tuple(rng.choice(["a", "b"], len(y))),
        "region": ("R",) * len(y),
    }
    panel = _store(y, **extra)
    _obeys_k12(forecast(panel, horizon_days=horizon, country="US"), len(y), horizon)
    regional = replace(panel, keys=tuple(("R", sku) for _, sku in panel.keys))
    signal = fit_region(regional.between(0, 13), horizon, "US")
    _obeys_k12(forecast(panel, horizon_days=horizon, regional=signal), len(y), horizon)


@pytest.mark.parametrize(
    ("row", "model", "reason"),
    [
        (np.full(60, np.nan), "zero", "no_history"),
        (np.zeros(60), "level_filter", "never_sold"),
        (np.concatenate([np.full(60, 3.0), np.zeros(90)]), "level_filter", "stopped_selling"),
        (np.full(60, 5.0), "level_filter", "no_regional_signal"),
        (np.full(60, 1e12), "level_filter", "no_regional_signal"),
        (np.array([4.0]), "level_filter", "no_regional_signal"),
        (np.zeros(0), "zero", "no_history"),
    ],
)
def test_odd_histories_are_forecast_with_a_named_reason(row: np.ndarray, model: str, reason: str) -> None:
    said = forecast(_store(row[None, :]), horizon_days=7)
    _obeys_k12(said, 1, 7)
    assert (said.model[0], said.reason[0]) == (model, reason)


def test_a_constant_history_goes_on() -> None:
    said = forecast(_store(np.full((1, 60), 5.0)), horizon_days=7)
    np.testing.assert_allclose(said.mean, 5.0, rtol=0.02)


def test_a_product_listed_late_is_forecast_from_its_first_sale_on() -> None:
    said = forecast(_store(np.concatenate([np.zeros(300), np.full(12, 30.0)])[None, :]), horizon_days=7)
    assert said.level[0] == pytest.approx(30.0, rel=0.1)


def test_a_dead_product_is_not_ordered() -> None:
    said = forecast(_store(np.concatenate([np.full(60, 3.0), np.zeros(90)])[None, :]), horizon_days=7)
    assert said.cumulative[0, 2, -1] == 0.0


def test_no_series_and_no_horizon() -> None:
    assert forecast(_store(np.zeros((0, 30))), horizon_days=7).keys == ()
    with pytest.raises(PanelFault, match="horizon"):
        forecast(_store(np.ones((1, 30))), horizon_days=0)


def test_the_order_of_series_does_not_matter(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([5.0, 0.2, 30.0, 1.0])
    order = [2, 0, 3, 1]
    a, b = forecast(panel, horizon_days=7), forecast(panel.select(order), horizon_days=7)
    np.testing.assert_allclose(b.mean, a.mean[order])
    np.testing.assert_allclose(b.cumulative, a.cumulative[order])


def test_the_same_panel_gives_the_same_forecast(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([5.0, 0.2])
    a, b = forecast(panel, horizon_days=7), forecast(panel, horizon_days=7)
    np.testing.assert_array_equal(a.cumulative, b.cumulative)


def test_grams_and_kilograms_are_forecast_alike() -> None:
    rng = np.random.default_rng(5)
    pieces = rng.poisson(8.0, (20, 200)).astype(float) * 120.0
    grams, heavy = forecast(_store(pieces), horizon_days=7), forecast(_store(pieces * 10), horizon_days=7)
    np.testing.assert_allclose(heavy.mean, grams.mean * 10, rtol=0.01)
    np.testing.assert_allclose(heavy.cumulative[:, 2:], grams.cumulative[:, 2:] * 10, rtol=0.05)


def test_the_weekday_shape_is_found_and_a_shut_weekday_is_zero(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 10)
    y = panel.y.copy()
    y[:, 6::7] = np.nan
    said = forecast(replace(panel, y=y), horizon_days=7)
    sunday = 6 - panel.n_days % 7
    assert (said.mean[:, sunday] == 0).all()
    assert (said.weekday_profile[:, 6] == 0).all()
    assert (said.weekday_profile[:, 5] > 1.4 * said.weekday_profile[:, 0]).all()


def test_offers_raise_only_the_days_they_are_announced_for(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 10)
    offer = np.zeros(panel.y.shape, dtype=bool)
    offer[:, 50:57] = offer[:, 120:127] = True
    panel = replace(panel, y=np.where(offer, panel.y * 3, panel.y), on_offer=offer)
    ahead = np.zeros((10, 14), dtype=bool)
    ahead[:, 7:] = True
    said = forecast(panel, horizon_days=14, ahead=Ahead(on_offer=ahead))
    lift = said.mean[:, 7:].sum() / said.mean[:, :7].sum()
    assert 2.2 < lift < 3.2
    assert said.level.mean() == pytest.approx(8.0, rel=0.15)


def test_prices_show_offers_when_nobody_marked_them(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 10)
    offer = np.zeros(panel.y.shape, dtype=bool)
    offer[:, 50:57] = offer[:, 190:200] = True
    price = np.where(offer, 1.5, 2.0)
    panel = replace(panel, y=np.where(offer, panel.y * 3, panel.y), price=price)
    assert forecast(panel, horizon_days=7).level.mean() == pytest.approx(8.0, rel=0.25)


def test_what_a_leaflet_brings_is_each_products_own(trade) -> None:  # type: ignore[no-untyped-def]
    """Half of a category's products sell three times as much in the leaflet, half no more: neither has the mean."""
    panel = trade([8.0] * 10)
    leaflet = np.zeros(panel.y.shape)
    leaflet[:, 50:57] = leaflet[:, 120:127] = leaflet[:, 190:197] = 0.9
    moved = (np.arange(10) < 5)[:, None] & (leaflet > 0)
    panel = replace(panel, y=np.where(moved, panel.y * 3, panel.y), features={"leaflet": leaflet})
    ahead = np.zeros((10, 14))
    ahead[:, 7:] = 0.9
    said = forecast(panel, horizon_days=14, ahead=Ahead(features={"leaflet": ahead})).mean
    lift = said[:, 7:].sum(axis=1) / said[:, :7].sum(axis=1)
    assert 2.3 < lift[:5].mean() < 3.2
    assert 0.9 < lift[5:].mean() < 1.6


def test_a_product_that_hardly_sells_moves_in_a_leaflet_as_its_category(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 9 + [0.05])
    leaflet = np.zeros(panel.y.shape)
    leaflet[:, 50:57] = leaflet[:, 120:127] = leaflet[:, 190:197] = 0.9
    panel = replace(panel, y=np.where(leaflet > 0, panel.y * 3, panel.y), features={"leaflet": leaflet})
    ahead = np.zeros((10, 14))
    ahead[:, 7:] = 0.9
    said = forecast(panel, horizon_days=14, ahead=Ahead(features={"leaflet": ahead})).mean[-1]
    assert 2.2 < said[7:].sum() / said[:7].sum() < 3.4


def test_empty_shelves_do_not_talk_demand_down() -> None:
    rng = np.random.default_rng(8)
    demand = rng.poisson(6.0, (40, 150)).astype(float)
    stock = rng.poisson(7.0, (40, 150)).astype(float)
    sold, short = np.minimum(demand, stock), demand >= stock
    raw = forecast(_store(sold), horizon_days=7).level.mean()
    reported = forecast(_store(sold, out_of_stock=short), horizon_days=7).level.mean()
    assert raw < 5.5 < reported
    assert reported == pytest.approx(6.0, rel=0.08)


def test_a_product_that_falls_silent_is_expected_less_and_one_sale_brings_it_back() -> None:
    """One sale in two days: a fortnight of silence is no news, six weeks are; its filter alone would still say half."""
    rng = np.random.default_rng(2)
    others = rng.poisson(0.5, (30, 360)).astype(float)
    said = {}
    for silent in (0, 14, 42):
        y = others.copy()
        y[0, 360 - silent :] = 0.0
        y[0, 360 - silent - 1] = 1.0
        said[silent] = forecast(_store(y), horizon_days=7)
    weeks = {silent: float(one.mean[0].sum()) for silent, one in said.items()}
    assert weeks[14] > 0.5 * weeks[0]
    assert weeks[42] < 0.05 * weeks[0]
    assert [said[silent].reason[0] for silent in (0, 42)] == ["no_regional_signal", "stopped_selling"]
    assert said[42].cumulative[0, :-1, -1].max() == 0.0
    y[0, -1] = 1.0
    again = forecast(_store(y), horizon_days=7)
    assert again.reason[0] != "stopped_selling"
    assert again.mean[0].sum() > 5 * weeks[42]


def test_what_sells_in_bursts_is_silent_longer_before_it_is_taken_for_gone() -> None:
    """Two products of one unit in two days: six weeks of silence end what sells singly, not what sells by the dozen."""
    rng = np.random.default_rng(2)
    singly, dozens = rng.poisson(0.5, (30, 360)).astype(float), 12.0 * rng.poisson(0.5 / 12, (30, 360))
    for y in (singly, dozens):
        y[0, -42:], y[0, -43] = 0.0, y.max()
    assert measure(_store(singly), horizon_days=7).alive[0] < 0.1
    assert measure(_store(dozens), horizon_days=7).alive[0] > 0.8


def test_a_first_sale_is_no_rate() -> None:
    """A product others sell once in five days sold eight at once three days ago, its first: not eight in three days."""
    rng = np.random.default_rng(2)
    y = rng.poisson(0.2, (40, 200)).astype(float)
    y[0], y[0, -3] = 0.0, 8.0
    keys = tuple((f"shop-{n % 4}", f"soup-{n // 4}") for n in range(40))
    said = forecast(DemandPanel(keys, FIRST, y), horizon_days=7)
    assert 0.8 < said.level[0] < 1.5


def test_three_days_without_a_sale_do_not_end_a_good_seller() -> None:
    y = np.random.default_rng(3).poisson(20.0, (4, 200)).astype(float)
    y[0, -3:] = 0.0
    found = measure(_store(y), horizon_days=7)
    assert found.alive[0] > 0.95


def test_a_product_on_its_way_down_is_said_to_be() -> None:
    y = np.random.default_rng(5).poisson(10.0, (3, 360)).astype(float)
    y[0, -60:] = np.minimum(y[0, -60:], 2.0)
    said = forecast(_store(y), horizon_days=7)
    assert said.reason == ("selling_less", "no_regional_signal", "no_regional_signal")
    assert said.level[0] < 3.0


def test_a_whole_store_takes_seconds_not_minutes() -> None:
    """800 products x 365 days: 2 s are promised on a quiet core; three times that is a fault anywhere."""
    rng = np.random.default_rng(0)
    y = rng.poisson(rng.gamma(0.5, 2.0, 800)[:, None], (800, 365)).astype(float)
    began = time.process_time()
    forecast(_store(y, category=tuple(f"C{row % 40}" for row in range(800))), horizon_days=14, country="US")
    assert time.process_time() - began < 6.0
