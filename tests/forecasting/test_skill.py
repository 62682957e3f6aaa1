"""Measures by hand, and skill on real sales against the seasonal naive forecast."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from forecasting import DemandPanel, evaluate
from forecasting.regional import fit_region, group_totals
from forecasting.run import forecast

SALES = Path(os.environ.get("RETAIL_DATA", Path(__file__).parents[3] / "shared" / "data")) / "m5_tiny_dev.parquet"


def test_rmsse_by_hand() -> None:
    past = np.array([[1.0, 3.0, 1.0, 3.0]])  # every step is 2, so the scale is 4
    assert evaluate.weighted_rmsse(np.array([[2.0, 2.0]]), np.array([[4.0, 4.0]]), past) == pytest.approx(1.0)


def test_pinball_by_hand() -> None:
    past = np.array([[1.0, 3.0, 1.0, 3.0]])
    got = evaluate.scaled_pinball(np.array([[2.0]]), np.array([[5.0]]), past, (0.9,))
    assert got == pytest.approx(0.9 * 3 / 2)


def test_coverage_leaves_unobserved_sums_out() -> None:
    sums = np.array([[1.0, 5.0], [1.0, 5.0]])
    assert list(evaluate.coverage(sums, np.array([[1.0, 2.0], [np.nan, 2.0]]))) == [0.0, 1.0]


def test_measures_do_not_depend_on_the_unit(trade) -> None:  # type: ignore[no-untyped-def]
    past = trade([5.0, 2.0]).y
    mean, actual = np.full((2, 7), 4.0), past[:, :7]
    a = evaluate.weighted_rmsse(mean, actual, past)
    assert evaluate.weighted_rmsse(mean * 50, actual * 50, past * 50) == pytest.approx(a)


def test_baselines_say_what_they_say(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([5.0, 2.0])
    naive, mean = evaluate.seasonal_naive(panel, 9), evaluate.mean_28(panel, 9)
    np.testing.assert_array_equal(naive.mean[:, :7], panel.y[:, -7:])
    np.testing.assert_array_equal(naive.mean[:, 7:], panel.y[:, -7:-5])
    np.testing.assert_allclose(mean.mean[:, 0], panel.y[:, -28:].mean(axis=1))


def _store(frame: object, store: str, days: int) -> DemandPanel:
    wide = frame[frame.store == store].pivot(index="product", columns="day", values="sold").astype(float)  # type: ignore[index]
    wide = wide.iloc[:, -days:]
    category = frame.drop_duplicates("product").set_index("product").category  # type: ignore[attr-defined]
    return DemandPanel(
        keys=tuple((store, product) for product in wide.index),
        first_day=wide.columns[0].date(),
        y=wide.to_numpy(),
        category=tuple(category[product] for product in wide.index),
        region=(store[:2],) * len(wide),
    )


def test_real_sales_are_forecast_better_than_by_naive_rules() -> None:
    if not SALES.exists():
        pytest.skip("no M5 sales beside this checkout (set RETAIL_DATA to their folder)")
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.read_parquet(SALES)
    stores = [_store(frame, store, 560) for store in sorted(s for s in frame.store.unique() if s[:2] == "CA")]
    region_y = group_totals(np.vstack([s.y for s in stores]), np.tile(np.arange(28), len(stores)), 28)
    region = DemandPanel(
        keys=tuple(("CA", sku) for _, sku in stores[0].keys),
        first_day=stores[0].first_day,
        y=region_y,
        category=stores[0].category,
    )
    signals = {}

    def with_region(panel: DemandPanel, horizon: int):  # type: ignore[no-untyped-def]
        if panel.n_days not in signals:
            signals[panel.n_days] = fit_region(region.between(0, panel.n_days), horizon, "US")
        return forecast(panel, horizon_days=horizon, regional=signals[panel.n_days])

    origins = [560 - 14 * back for back in (1, 2, 3)]
    ours, naive, mean = (
        [evaluate.rolling_origin(s, f, horizon_days=14, origins=origins) for s in stores]
        for f in (with_region, evaluate.seasonal_naive, evaluate.mean_28)
    )

    def average(scores: list[evaluate.Scores], days: int) -> float:
        return float(np.mean([score.rmsse if days == 0 else score.pinball[days] for score in scores]))

    assert average(ours, 0) < 0.85 * average(naive, 0)
    assert average(ours, 7) < 0.90 * average(naive, 7)
    assert average(ours, 0) < average(mean, 0)
    covered = np.mean([score.coverage for score in ours], axis=0)
    assert 0.88 < covered[2] < 0.98
    assert covered[4] > 0.96
