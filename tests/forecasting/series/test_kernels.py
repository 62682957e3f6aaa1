"""Kernels: against slow loops, worked examples and invariances."""

from __future__ import annotations

import numpy as np
import pytest

from forecasting.series import kernels

RNG = np.random.default_rng(7)


def _ugly(n: int = 5, days: int = 60) -> np.ndarray:
    y = RNG.poisson(2.0, (n, days)).astype(float)
    y[RNG.random((n, days)) < 0.1] = np.nan
    return y


def _slow_level(y, exposure, discount, start, weight):  # type: ignore[no-untyped-def]
    out, b = [start], weight
    a = b * start
    for units, factor in zip(y, exposure, strict=True):
        a, b = discount * a, discount * b
        if not np.isnan(units):
            a, b = a + units, b + factor
        out.append(a / b if b > 1e-9 else out[-1])
    return out


def test_gamma_poisson_levels_equal_a_slow_loop() -> None:
    y, exposure = _ugly(), RNG.uniform(0.0, 2.0, (5, 60))
    discounts = RNG.uniform(0.7, 0.99, (3, 5))
    start = RNG.uniform(0.5, 3.0, 5)
    fast, a, b = kernels.gamma_poisson_levels(y, exposure, discounts, start, 2.0)
    np.testing.assert_allclose(a / b, fast[:, :, -1])
    for d in range(3):
        for row in range(5):
            slow = _slow_level(y[row], exposure[row], discounts[d, row], start[row], 2.0)
            np.testing.assert_allclose(fast[d, row], slow)


def test_an_unobserved_stretch_leaves_the_level_where_it_was() -> None:
    y = np.full((1, 400), np.nan)
    y[0, :10] = 4.0
    levels, *_ = kernels.gamma_poisson_levels(y, np.ones_like(y), np.array([[0.8]]), np.array([4.0]))
    assert levels[0, 0, -1] == pytest.approx(4.0)


def test_kernels_scale_with_the_units_and_do_not_mind_the_order() -> None:
    y = _ugly()
    exposure, start = np.ones_like(y), np.full(5, 1.5)

    def run(y: np.ndarray, scale: float = 1.0) -> np.ndarray:
        return kernels.gamma_poisson_levels(y, exposure, np.full((1, 5), 0.9), start * scale)[0][0]

    order = [3, 1, 4, 0, 2]
    np.testing.assert_allclose(run(y * 250.0, 250.0), 250.0 * run(y))
    np.testing.assert_allclose(run(y[order]), run(y)[order])


def test_mixing_prefers_the_discount_that_was_right() -> None:
    steady = np.random.default_rng(7).poisson(5.0, (1, 300)).astype(float)
    jump = np.concatenate([np.full((1, 285), 5.0), np.full((1, 15), 20.0)], axis=1)
    for y, better in ((steady, 1), (jump, 0)):
        discounts = np.array([[0.75], [0.99]])
        levels, *_ = kernels.gamma_poisson_levels(y, np.ones_like(y), discounts, np.array([5.0]))
        weights = kernels.mix_weights(y, np.ones_like(y), levels, np.array([False]))
        assert weights.sum(axis=0) == pytest.approx(1.0)
        assert weights[better, 0] > 0.7


def test_what_all_slow_sellers_show_decides_for_each_of_them_and_for_no_other() -> None:
    y = np.random.default_rng(7).poisson(0.1, (80, 300)).astype(float)
    discounts = np.repeat([[0.9], [0.998]], 80, axis=1)
    levels, *_ = kernels.gamma_poisson_levels(y, np.ones_like(y), discounts, np.full(80, 0.1))
    apart = kernels.mix_weights(y, np.ones_like(y), levels, np.zeros(80, dtype=bool))
    together = kernels.mix_weights(y, np.ones_like(y), levels, np.arange(80) < 79)
    assert (apart[1, :79] < 0.7).any()
    assert (together[1, :79] > 0.95).all()
    np.testing.assert_array_equal(together[:, 79], apart[:, 79])
    one = kernels.mix_weights(y[:1], np.ones((1, 300)), levels[:, :1], np.array([True]))
    assert abs(one[1, 0] - apart[1, 0]) < abs(together[1, 0] - apart[1, 0])


def test_window_sums() -> None:
    np.testing.assert_allclose(kernels.window_sums(np.array([[1.0, 2.0, 3.0, 4.0]]), 3), [[6.0, 9.0]])
