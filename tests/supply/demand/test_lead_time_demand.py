"""Demand of many products: against the distribution itself, and told from a forecast's quantiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import nbinom

from supply.demand.lead_time_demand import Demand

MEANS = np.array([0.05, 0.4, 1.7, 6.0, 40.0, 900.0])


def spread_out(mean, factor):
    variance = mean * factor
    return mean**2 / (variance - mean), mean / variance


@pytest.mark.parametrize("factor", [1.3, 4.0])
def test_losses_and_risks_are_those_of_the_negative_binomial(factor):
    demand = Demand(MEANS, MEANS * factor)
    r, p = spread_out(MEANS, factor)
    units = np.array([0.0, 1.0, 2.0, 9.0, 44.0, 950.0])
    many = np.arange(20_000)[:, None]
    chances = nbinom.pmf(many, r, p)
    assert demand.lost(units) == pytest.approx((np.maximum(many - units, 0) * chances).sum(axis=0), rel=1e-6)
    assert demand.left(units) == pytest.approx((np.maximum(units - many, 0) * chances).sum(axis=0), rel=1e-6)
    assert demand.beyond(units) == pytest.approx(nbinom.sf(units, r, p), rel=1e-6)
    assert demand.quantile(0.95).tolist() == nbinom.ppf(0.95, r, p).tolist()


@pytest.mark.parametrize("factor", [1.2, 2.0, 5.0])
def test_the_variance_is_told_from_a_forecasts_quantiles(factor):
    means = np.array([2.0, 5.0, 20.0, 300.0, 40_000.0])
    r, p = spread_out(means, factor)
    quantiles = np.stack([nbinom.ppf(level, r, p) for level in (0.5, 0.75, 0.9, 0.95, 0.99)], axis=1)
    reported = Demand.of_quantiles(means, quantiles)
    assert np.sqrt(reported.variance) == pytest.approx(np.sqrt(means * factor), rel=0.12)


def test_quantiles_of_zero_tell_nothing_and_no_demand_is_never_wanted():
    rare = Demand.of_quantiles(np.array([0.01, 0.0]), np.zeros((2, 5)))
    assert rare.variance[0] < 0.011
    assert rare.beyond(np.zeros(2)).tolist() == pytest.approx([0.01, 0.0], abs=1e-3)
    assert rare.lost(np.zeros(2))[1] == 0


def test_what_is_owed_is_wanted_for_sure():
    owing = Demand(np.array([2.0]), np.array([2.0]))
    assert owing.lost(np.array([-3.0])) == pytest.approx(5.0)
    assert owing.beyond(np.array([-1.0])) == 1.0


@given(st.floats(0.01, 500), st.floats(1.0, 10), st.floats(0, 900), st.floats(0.01, 200))
def test_lost_sales_fall_ever_more_slowly_with_the_stock(mean, factor, units, step):
    demand = Demand(np.full(3, mean), np.full(3, mean * factor))
    first, second, third = demand.lost(np.array([units, units + step, units + 2 * step]))
    assert first >= second >= third >= 0
    assert second <= (first + third) / 2 + 1e-6 * (1 + mean)
