"""statsmodels behind its door: gaps refused, refusals named, answers finite."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting import models

WEEK = np.tile([5.0, 5.0, 6.0, 7.0, 9.0, 12.0, 3.0], 20)
CALM = WEEK + np.random.default_rng(0).normal(0, 0.3, WEEK.size)


@pytest.mark.parametrize(("name", "model"), models.MENU)
def test_every_model_finds_a_weekly_season(name: str, model) -> None:  # type: ignore[no-untyped-def]
    fit = model(CALM, 14)
    assert fit.model == name
    assert fit.mean.shape == (14,)
    assert fit.errors.shape == CALM.shape
    np.testing.assert_allclose(fit.mean, WEEK[:14], atol=1.0)


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
