"""statsmodels behind its door: gaps refused, refusals named, answers finite."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.fit import models

WEEK = np.tile([5.0, 5.0, 6.0, 7.0, 9.0, 12.0, 3.0], 20)
CALM = WEEK + np.random.default_rng(0).normal(0, 0.3, WEEK.size)


@pytest.mark.parametrize(("name", "model"), models.MENU)
def test_every_model_finds_a_weekly_season(name: str, model) -> None:  # type: ignore[no-untyped-def]
    fit = model(CALM, 14)
    assert fit.model == name
    assert fit.mean.shape == (14,)
    np.testing.assert_allclose(fit.mean, WEEK[:14], atol=1.0)


def test_the_count_regression_knows_the_year_once_it_has_seen_a_turn_and_a_half() -> None:
    """Three hundred days after the peak sales fall; ahead, in the next year, they rise as they did in the first."""
    day = np.arange(730 + 14)
    units = 100.0 * np.exp(0.5 * np.sin(2 * np.pi * day / models.YEAR))
    reported = models.count_regression(units[:730], 14).mean
    np.testing.assert_allclose(reported, units[730:], rtol=0.05)
    young = models.count_regression(units[365:730], 14).mean
    assert young[-1] < reported[-1]


def test_a_trend_of_counts_stops_after_a_week() -> None:
    growing = 50.0 * np.exp(0.01 * np.arange(120.0))
    reported = models.count_regression(growing, 14).mean
    assert reported[6] == pytest.approx(growing[-1] * np.exp(0.07), rel=0.02)
    np.testing.assert_allclose(reported[7:], reported[6], rtol=0.02)


@pytest.mark.parametrize(("name", "model"), models.MENU)
@pytest.mark.parametrize(
    ("y", "code"),
    [
        (np.where(np.arange(140) == 70, np.nan, CALM), "gaps"),
        (CALM[:10], "short"),
        (np.full(100, 3.0), "constant"),
    ],
)
def test_models_refuse_by_name(name: str, model, y: np.ndarray, code: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(models.Refused, match=code) as refused:
        model(y, 7)
    assert (refused.value.model, refused.value.code) == (name, code)


@pytest.mark.parametrize(("name", "model"), models.MENU)
def test_models_scale_with_the_units(name: str, model) -> None:  # type: ignore[no-untyped-def]
    np.testing.assert_allclose(model(CALM * 1024, 7).mean, model(CALM, 7).mean * 1024, rtol=1e-6)
