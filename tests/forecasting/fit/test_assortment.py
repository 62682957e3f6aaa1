"""What a chain's stores tell of a product in a store that begins to sell it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from forecasting.fit.assortment import WINDOW_DAYS, Assortment, Usual, lines
from forecasting.fit.regional import fit_region
from forecasting.fit.signal import RegionalSignal
from forecasting.run import forecast
from forecasting.series.panel import DemandPanel


def _table(units: np.ndarray, region: list[int] | None = None, silent: np.ndarray | None = None) -> Assortment:
    stores, products = units.shape
    return Assortment.of(
        units, np.zeros(units.shape, dtype=np.int64) if silent is None else silent,
        np.array(region or [0] * stores, dtype=np.int64), np.zeros(products, dtype=np.int64),
    )  # fmt: skip


def test_shops_are_counted_by_their_size() -> None:
    """Stores of 2, 1 and a half; some do not have each product. The average store is their mean, 1.17."""
    rate, size = np.array([500.0, 2000.0, 900.0, 700.0]), np.array([2.0, 1.0, 0.5])
    has = np.array([[1, 1, 1, 0], [1, 1, 0, 1], [1, 1, 1, 1]])
    table = _table(rate * size[:, None] * has * WINDOW_DAYS)
    mean = 3.5 / 3
    np.testing.assert_allclose(table.sellers[0] * mean, [3.5, 3.5, 2.5, 1.5], rtol=0.07)
    np.testing.assert_allclose(table.rate[0] / mean, rate, rtol=0.07)
    assert _table(np.zeros((0, 0))).rate.shape == (0, 0)
    assert (_table(np.zeros((2, 3))).rate == 0).all()


def test_one_shop_that_sells_a_hundredfold_makes_no_bestseller() -> None:
    units = np.full((7, 20), 280.0)
    units[0, 0] = 28_000.0
    assert _table(units).rate[0, 0] < 25.0


def test_a_region_with_few_sellers_leans_on_the_chain() -> None:
    """Nine stores of region 0 sell 40 a day, one of region 1 sells 10 of P0, and no P1."""
    units = np.full((12, 30), 40.0 * WINDOW_DAYS)
    units[9, 0], units[10:, 0], units[9:, 1] = 10.0 * WINDOW_DAYS, 0.0, 0.0
    table = _table(units, [0] * 9 + [1] * 3)
    assert 10.0 < table.rate[1, 0] < 40.0
    assert table.rate[1, 1] == pytest.approx(40.0, rel=0.1)
    assert table.sellers[1, 1] == 0.0
    assert table.doubt[1, 1] > table.doubt[1, 0] > table.doubt[0, 0]


def test_what_large_shops_sell_beyond_proportion_is_known() -> None:
    size = np.exp(np.linspace(-1.0, 1.0, 12))[:, None]
    units = WINDOW_DAYS * 50.0 * size ** np.array([1.5, 1.0, 1.0, 1.0, 0.5])
    slope = _table(units).slope
    assert slope[0] > 1.2 > slope[1] > 0.8 > slope[4]


def test_a_product_that_began_a_week_ago_is_compared_by_that_week() -> None:
    units = np.full((6, 10), 10.0 * WINDOW_DAYS)
    silent = np.zeros((6, 10), dtype=np.int64)
    units[0, 0], silent[0, 0] = 70.0, WINDOW_DAYS - 7
    alone = _table(units[:1], silent=silent[:1])
    assert alone.rate[0, 0] == pytest.approx(alone.rate[0, 1], rel=0.05)


def _signal(stores: int, products: int, differ: float, rng: np.random.Generator) -> tuple[RegionalSignal, np.ndarray]:
    """Return the signal of a region whose stores differ by so much, and what a further store sells a day."""
    rate = np.exp(rng.normal(1.5, 1.0, products))
    level = rate * np.exp(rng.normal(0.0, differ, (stores + 1, products)))
    units = rng.poisson(level[:stores] * WINDOW_DAYS).astype(np.float64)
    days = rng.poisson(level[:stores].sum(axis=0)[:, None], (products, 200)).astype(np.float64)
    keys = tuple(("R", f"P{row:03}") for row in range(products))
    panel = DemandPanel(keys=keys, first_day=date(2024, 1, 1), y=days, category=("all",) * products)
    usual = dict(zip(keys, _table(units).usual(0), strict=True))
    return fit_region(panel, 7, stores={"R": stores}, usual=usual), level[stores]


def test_what_is_borrowed_is_as_unsure_as_shops_differ() -> None:
    """Of products new to a store four in five and more keep within the 90 % of their first week; else it were three."""
    rng = np.random.default_rng(2)
    signal, truth = _signal(12, 300, 0.7, rng)
    y = rng.poisson(truth[:, None], (300, 56)).astype(np.float64)
    y[::2] = np.nan
    keys = tuple(("S", sku) for _, sku in signal.products)
    store = DemandPanel(
        keys=keys, first_day=date(2024, 5, 24), y=y, category=("all",) * 300, region=("R",) * 300
    )  # fmt: skip
    said = forecast(store, horizon_days=7, regional=RegionalSignal.from_json(signal.to_json()))
    week = rng.poisson(truth * 7.0)[::2]
    held = (week <= said.cumulative[::2, said.levels.index(0.9), 6]).mean()
    assert 0.8 < held < 0.95
    assert said.spread is not None
    assert np.median(said.spread.doubt[1::2]) < 0.1 < np.median(said.spread.doubt[::2])


def test_a_larger_shop_begins_with_more_of_what_large_shops_sell(trade) -> None:  # type: ignore[no-untyped-def]
    usual = {("R", "P0"): Usual(4.0, 10.0), ("R", "P1"): Usual(4.0, 10.0, 1.5), ("R", "P2"): Usual(4.0, 10.0, 0.5)}
    signal = fit_region(trade([40.0, 40.0, 40.0], 200, scope="R"), 14, stores={"R": 4}, usual=usual)
    store = trade([40.0, 0.0, 0.0], 200, scope="S", seed=5)
    y = store.y.copy()
    y[1:] = np.nan
    level = forecast(replace(store, y=y), horizon_days=7, regional=signal).level
    assert level[1] > 1.5 * level[2] > 15.0


def test_a_line_is_an_aisle_s_products_of_like_price() -> None:
    top_category = np.array([0, 0, 0, 1, 1, 1, 0])
    price = np.array([2.0, 1.0, 1.09, 1.0, np.nan, np.nan, 1.11])
    line = lines(top_category, price)
    assert line.min() == 1
    assert line[1] == line[2] != line[6]
    assert line[4] == line[5]
    assert len(set(line)) == 5


def test_a_product_begins_in_a_shop_as_its_line_sells_there(trade) -> None:  # type: ignore[no-untyped-def]
    """The store sells a quarter of the usual of P0; P3 is of its line, P4 of P1's."""
    usual = {("R", f"P{row}"): Usual(4.0, 20.0, line=line) for row, line in enumerate((1, 2, 2, 1, 2))}
    signal = fit_region(trade([80.0] * 5, 200, scope="R"), 14, stores={"R": 4}, usual=usual)
    store = trade([5.0, 20.0, 20.0, 0.0, 0.0], 200, scope="S", seed=5)
    y = store.y.copy()
    y[3:] = np.nan
    level = forecast(replace(store, y=y), horizon_days=7, regional=RegionalSignal.from_json(signal.to_json())).level
    assert level[3] < 0.8 * level[4]
