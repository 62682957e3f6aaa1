"""A store's size: what it says it takes, and how its own sales answer that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from forecasting.fit.regional import fit_region
from forecasting.fit.signal import RegionalSignal
from forecasting.fit.store_size import Stated
from forecasting.run import forecast

PRODUCTS, DAYS = 8, 200
PRICE = np.full(PRODUCTS, 2.0)
AVERAGE = 2.0 * 10.0 * PRODUCTS
"""What an average store takes."""


@pytest.fixture
def region(trade) -> RegionalSignal:  # type: ignore[no-untyped-def]
    return fit_region(trade([40.0] * PRODUCTS, DAYS, scope="R"), 14, stores={"R": 4})


def _level(trade, region: RegionalSignal, sales_amount: float | None, days: int = 0, price=PRICE):  # type: ignore[no-untyped-def]
    """Return the first and last level a store is forecast that sold like an average one for some days, all but P0."""
    store = trade([10.0] * PRODUCTS, DAYS, scope="S", seed=5)
    y = store.y.copy()
    y[:, : DAYS - days] = np.nan
    y[0] = np.nan
    stated = None if sales_amount is None else Stated(sales_amount, price)
    level = forecast(replace(store, y=y), horizon_days=7, regional=region, stated=stated).level
    return level[0], level[-1]


def test_a_shop_begins_at_the_size_of_what_it_says_it_takes(trade, region) -> None:  # type: ignore[no-untyped-def]
    plain = _level(trade, region, None)[0]
    for times in (0.5, 3.0):
        assert _level(trade, region, times * AVERAGE)[0] == pytest.approx(times * plain, rel=0.15)


@pytest.mark.parametrize(("sales_amount", "price"), [(0.0, PRICE), (AVERAGE, np.full(PRODUCTS, np.nan))])
def test_nothing_said_or_priced_is_an_average_shop(trade, region, sales_amount, price) -> None:  # type: ignore[no-untyped-def]
    assert _level(trade, region, sales_amount, price=price) == _level(trade, region, None)


@pytest.mark.parametrize("times", [10.0, 0.1])
def test_a_statement_ten_times_off_is_forgotten_within_a_week(trade, region, times) -> None:  # type: ignore[no-untyped-def]
    first = _level(trade, region, times * AVERAGE)
    assert max(first[0] / 10.0, 10.0 / first[0]) > 5.0
    for days, far in ((3, 1.4), (7, 1.1)):
        said, plain = _level(trade, region, times * AVERAGE, days), _level(trade, region, None, days)
        assert max(said[0] / plain[0], plain[0] / said[0]) < far  # of what was not sold yet, too
        assert said[1] == pytest.approx(plain[1], rel=0.1)


def test_own_sales_tell_a_shops_size_from_the_first_days_on(trade, region) -> None:  # type: ignore[no-untyped-def]
    """P0 begins a third as large in a store that sold a third of the usual for three days, and nothing of P1 and P2."""
    store = trade([10.0 / 3] * PRODUCTS, DAYS, scope="S", seed=5)
    y = store.y.copy()
    y[:, : DAYS - 3] = np.nan
    y[0] = np.nan
    with_all = forecast(replace(store, y=y), horizon_days=7, regional=region).level[0]
    y[1:3, DAYS - 3 :] = 0.0
    assert 1.2 < forecast(replace(store, y=y), horizon_days=7, regional=region).level[0] < with_all < 6.0
