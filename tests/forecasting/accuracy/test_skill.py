"""Measures by hand, and skill on real sales against the seasonal naive forecast."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from forecasting.accuracy import backtest, rivals
from forecasting.series import history
from forecasting.series.panel import LEVELS, Ahead
from forecasting.uncertainty import evaluate, intervals

SALES = Path(os.environ.get("RETAIL_DATA", Path(__file__).parents[4] / "shared" / "data")) / "m5_tiny_dev.parquet"


def test_rmsse_by_hand() -> None:
    past = np.array([[1.0, 3.0, 1.0, 3.0]])  # every step is 2, so the scale is 4
    assert evaluate.squared_errors(np.array([[2.0, 2.0]]), np.array([[4.0, 4.0]]), past) == pytest.approx(1.0)


def test_pinball_by_hand() -> None:
    past = np.array([[1.0, 3.0, 1.0, 3.0]])
    got = evaluate.pinball(np.array([[2.0]]), np.array([[5.0]]), past, (0.9,))
    assert got == pytest.approx(0.9 * 3 / 2)


def test_coverage_leaves_unobserved_sums_out() -> None:
    sums = np.array([[1.0, 5.0], [1.0, 5.0]])
    total = np.array([3.0, np.nan])
    np.testing.assert_array_equal(evaluate.covered(sums, total), [[0.0, 1.0], [np.nan, np.nan]])
    within = evaluate.covered_within(sums, total, np.full(2, 0.6), np.full(2, 0.8), (0.5, 0.9))
    np.testing.assert_array_equal(within, [[0.0, 1.0], [np.nan, np.nan]])


def test_a_right_forecast_holds_its_level_within_the_unit_however_little_it_sells() -> None:
    """A plain law, one corrected where past sums fell, one that may be gone or come back; weighed by their chances."""
    laws, units = np.repeat(np.arange(6), 150), np.tile(np.arange(150.0), 6)
    asked, group = np.array([[LEVELS], [(0.42, 0.7, 0.85, 0.96, 0.995)]]), np.array([0, 0, 1, 1, 0, 1])
    law = intervals.Dispersion(np.ones(1), np.array([1.5]), np.array([0.3]), np.ones(6), asked, group).select(laws)
    alive, returned = np.array([1.0, 1.0, 1.0, 1.0, 0.05, 0.3]), np.array([0.0, 0.0, 0.0, 0.0, 0.2, 0.03])
    fate = intervals.Fate(alive[laws], returned[laws, None], np.full(len(laws), 2.5))
    mean = np.array([0.02, 9.0, 0.4, 9.0, 0.1, 0.3])[laws, None]
    sums = intervals.quantiles(mean, law, LEVELS, fate)[1][:, :, 0]
    below, upto = (intervals.chances(units[:, None] - less, mean, law, fate)[:, 0] for less in (1.0, 0.0))
    within = evaluate.covered_within(sums, units, below, upto, LEVELS)
    plain = evaluate.covered(sums, units)
    held, at_most = ((share * (upto - below)[:, None]).reshape(6, -1, 5).sum(axis=1) for share in (within, plain))
    np.testing.assert_allclose(held, np.broadcast_to(LEVELS, (6, 5)), atol=1e-9)
    assert at_most[0, 0] > 0.98, "nearly all of what hardly sells is at or below its middle quantile"


def test_measures_do_not_depend_on_the_unit(trade) -> None:  # type: ignore[no-untyped-def]
    past = trade([5.0, 2.0]).y
    mean, actual = np.full((2, 7), 4.0), past[:, :7]
    a = evaluate.squared_errors(mean, actual, past)
    assert evaluate.squared_errors(mean * 50, actual * 50, past * 50) == pytest.approx(a)


def test_baselines_say_what_they_say(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([5.0, 2.0])
    naive, mean = rivals.seasonal_naive(panel, 9, Ahead()), rivals.mean_28(panel, 9, Ahead())
    np.testing.assert_array_equal(naive[:, :7], panel.y[:, -7:])
    np.testing.assert_array_equal(naive[:, 7:], panel.y[:, -7:-5])
    np.testing.assert_allclose(mean[:, 0], panel.y[:, -28:].mean(axis=1))


def test_real_sales_are_forecast_better_than_by_naive_rules() -> None:
    if not SALES.exists():
        pytest.skip("no M5 sales beside this checkout (set RETAIL_DATA to their folder)")
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    frame = pandas.read_parquet(SALES)
    frame = frame[(frame.day >= "2014-06-01") & frame.store.str.startswith("CA")]
    plan = backtest.Plan(origins=3, country="US", models=("snaive", "ma28"))
    report = backtest.run(history.read(frame), plan)
    assert report["ratios"]["snaive"]["wrmsse14"] < 0.8
    assert report["ratios"]["snaive"]["pinball7"] < 0.85
    assert report["ratios"]["ma28"]["wrmsse14"] < 1.0
    inside = report["models"]["ours"]["coverage7"]
    assert 0.86 < inside["0.9"] < 0.97
    assert inside["0.99"] > 0.96
