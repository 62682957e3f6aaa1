"""School holidays and weather: what counts as such, what is learnt of them, and what is no more than chance."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from forecasting import run
from forecasting.fit import state
from forecasting.series import external_factors
from forecasting.series.external_factors import SCHOOL, TEMPERATURE
from forecasting.series.panel import Ahead, DemandPanel, Forecast

MONDAY = date(2024, 1, 1)
DAYS, HORIZON = 280, 14


def panel_of(factor: np.ndarray, name: str, line: np.ndarray) -> tuple[DemandPanel, Ahead]:
    """Return twelve products of two categories that sell so many times as much on each day, and what is told."""
    rng = np.random.default_rng(4)
    n = 12
    y = rng.poisson(9.0 * factor[None, :DAYS] * np.linspace(0.5, 1.5, n)[:, None]).astype(float)
    grid = np.tile(line, (n, 1))
    panel = DemandPanel(
        keys=tuple(("S1", f"P{row:02}") for row in range(n)), first_day=MONDAY, y=y,
        category=tuple("even" if row % 2 else "odd" for row in range(n)), features={name: grid[:, :DAYS]},
    )  # fmt: skip
    return panel, Ahead(features={name: grid[:, DAYS:]})


def reported(panel: DemandPanel, ahead: Ahead) -> Forecast:
    return run.forecast(panel, horizon_days=HORIZON, ahead=ahead)


def without(panel: DemandPanel) -> Forecast:
    return reported(replace(panel, features={}), Ahead())


# --- what counts ---


def test_school_holidays_count_on_days_that_would_have_school():
    off = np.ones((1, 14))
    off[0, 3] = np.nan
    assert external_factors.school(off, MONDAY)[0].tolist() == [1, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0]


def test_weather_is_how_far_a_day_is_from_its_usual_and_a_season_is_none():
    warming = np.linspace(0.0, 20.0, 120)[None, :]
    hot = warming.copy()
    hot[0, 100] += 10.0
    hot[0, 110] = np.nan
    found = external_factors.temperature(hot)[0]
    assert abs(found[60:100]).max() < 1e-9
    assert found[100] == pytest.approx(10.0 / external_factors.STEP_DEGREES)
    assert found[110] == 0.0
    assert not external_factors.temperature(np.full((1, 90), np.nan)).any()
    assert external_factors.rain(np.array([[0.0] * 40 + [9.0]]))[0, -1] == pytest.approx(np.log(10.0))


# --- what is learnt ---


def school_weeks() -> np.ndarray:
    """Return two weeks of holidays out of eight, the first two ahead among them."""
    line = np.zeros(DAYS + HORIZON)
    for week in range(0, DAYS // 7 + 2, 8):
        line[7 * week : 7 * week + 14] = 1.0
    return external_factors.school(line[None], MONDAY)[0]


def test_school_holidays_ahead_are_expected_to_do_what_they_did():
    line = school_weeks()
    found = reported(*panel_of(1.0 + 0.4 * line, SCHOOL, line))
    off = line[DAYS:] > 0
    assert found.moved[SCHOOL][:, off].mean() == pytest.approx(1.4, abs=0.08)
    assert (found.moved[SCHOOL][:, ~off] == 1.0).all()


def test_the_nights_between_two_measures_go_on_with_what_was_measured():
    line = school_weeks()
    panel, ahead = panel_of(1.0 + 0.4 * line, SCHOOL, line)
    kept = run.measure(panel.between(0, DAYS - 5), horizon_days=HORIZON, kept_days=8)
    moved = state.moved_on(state.from_bytes(state.to_bytes(kept)), panel.between(DAYS - 61, DAYS))
    found = run.say(moved, horizon_days=HORIZON, panel=panel.between(DAYS - 61, DAYS), ahead=ahead)
    assert np.allclose(found.mean, reported(panel, ahead).mean, rtol=0.1)
    assert found.moved[SCHOOL].max() > 1.3
    assert run.say(moved, horizon_days=HORIZON).moved == {}, "days of which nothing is told are ordinary ones"


def test_a_hot_week_is_no_higher_level_where_the_days_ahead_are_not_known():
    rng = np.random.default_rng(5)
    degrees = 15.0 + 5.0 * rng.standard_normal(DAYS)
    degrees[-7:] += 10.0
    line = np.concatenate([external_factors.temperature(degrees[None])[0], np.zeros(HORIZON)])
    panel, ahead = panel_of(np.exp(0.2 * line), TEMPERATURE, line)
    usual = 9.0 * np.linspace(0.5, 1.5, panel.n_series).sum()
    knowing, not_knowing = reported(panel, ahead).mean.sum(axis=0).mean(), without(panel).mean.sum(axis=0).mean()
    assert abs(knowing / usual - 1.0) < 0.04
    assert not_knowing / usual > 1.04
    known = replace(ahead, features={TEMPERATURE: np.full((panel.n_series, HORIZON), 2.0)})
    assert reported(panel, known).mean.sum() > 1.3 * reported(panel, ahead).mean.sum()


def test_weather_that_does_nothing_changes_no_digit():
    line = np.random.default_rng(6).standard_normal(DAYS + HORIZON)
    panel, ahead = panel_of(np.ones(DAYS), TEMPERATURE, line)
    found, plain = reported(panel, ahead), without(panel)
    assert np.array_equal(found.quantiles, plain.quantiles)
    assert np.array_equal(found.mean, plain.mean)
    assert (found.moved[TEMPERATURE] == 1.0).all()
