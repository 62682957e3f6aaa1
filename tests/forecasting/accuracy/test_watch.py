"""The self-check: drift is seen, chance is not taken for it, a class worse than the plain mean falls back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecasting.accuracy import watch
from forecasting.run import measure, say
from forecasting.series.panel import LEVELS, DemandPanel
from forecasting.uncertainty import intervals


def _said(panel):  # type: ignore[no-untyped-def]
    state = measure(panel.between(0, 200), horizon_days=7)
    return state, say(state, horizon_days=7)


def _spoilt(said, factor: float):  # type: ignore[no-untyped-def]
    mean = said.mean * factor
    daily, sums = intervals.quantiles(mean, said.spread, LEVELS)
    return replace(said, mean=mean, quantiles=daily, cumulative=sums)


def test_a_good_forecast_neither_drifts_nor_falls_back(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 60, days=207)
    state, said = _said(panel)
    (found,) = watch.judge(watch.note(said, state), panel.between(150, 207))
    assert (found.kind, found.sums) == ("smooth", 60)
    assert not found.drifts
    assert not found.falls_back
    assert abs(found.bias) < 0.05


def test_a_biased_forecast_drifts_and_falls_back_to_the_mean_of_four_weeks(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 60, days=207)
    state, said = _said(panel)
    said = _spoilt(said, 0.5)
    (found,) = watch.judge(watch.note(said, state), panel)
    assert found.drifts
    assert found.falls_back
    safe = watch.fall_back(said, state, frozenset({"smooth"}))
    np.testing.assert_allclose(safe.mean[:, 0], panel.y[:, 172:200].mean(axis=1))
    assert set(safe.reason) == {"fell_back"}
    assert watch.judge(watch.note(safe, state), panel)[0].loss < found.loss


def test_weeks_with_an_empty_shelf_are_judged_by_their_hours_with_goods(trade) -> None:  # type: ignore[no-untyped-def]
    panel, rng = trade([8.0] * 60, days=207), np.random.default_rng(3)
    shelf = rng.integers(5, 14, panel.y.shape)
    short = panel.y >= shelf
    hidden = np.where(short, 1.0 - rng.beta(shelf, np.maximum(panel.y - shelf, 0.0) + 1.0), 0.0)
    panel = replace(panel, y=np.minimum(panel.y, shelf), out_of_stock=short, out_share=hidden)
    state, said = _said(panel)
    (found,) = watch.judge(watch.note(said, state), panel)
    assert found.sums == 60
    assert abs(found.bias) < 0.05
    assert not found.drifts


def test_few_sums_prove_nothing_and_days_not_over_are_not_judged(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([8.0] * 5, days=207)
    state, said = _said(panel)
    noted = watch.note(_spoilt(said, 0.5), state)
    (found,) = watch.judge(noted, panel)
    assert not found.drifts
    assert not found.falls_back
    assert watch.judge(noted, panel.between(0, 206)) == ()


def test_a_long_silence_is_suspicious_and_that_of_a_slow_product_is_not(trade) -> None:  # type: ignore[no-untyped-def]
    panel = trade([2.0, 2.0, 1 / 30], days=200)
    y = panel.y.copy()
    y[0, -11], y[0, -10:] = 2.0, 0.0
    y[2] = 0.0
    y[2, ::30] = 1.0
    panel = DemandPanel(keys=panel.keys, first_day=panel.first_day, y=y, category=panel.category)
    days, chance = watch.quiet(measure(panel, horizon_days=7), panel.between(140, 200))
    assert days[0] == 10
    assert chance[0] < watch.RARE
    assert chance[1] > 0.01
    assert chance[2] > 0.1
