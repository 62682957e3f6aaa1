"""The textbook's numbers, as stockpyl 1.0.2 publishes them (Snyder & Shen, examples 4.3, 4.7 and their like)."""

import pytest

from supply import newsvendor


def test_the_newsvendor_with_normal_demand():
    found = newsvendor.normal(0.18, 0.70, 50, 8)
    assert (found.level, found.cost) == pytest.approx((56.60395592743389, 1.9976051931766445), rel=1e-9)


def test_base_stock_covers_the_lead_time_and_the_period_itself():
    found = newsvendor.normal(0.18, 0.70, 50, 8, lead_periods=3)
    assert (found.level, found.cost) == pytest.approx((213.20791185486777, 3.995210386353289), rel=1e-9)


def test_the_newsvendor_with_poisson_demand():
    found = newsvendor.poisson(0.18, 0.70, 50)
    assert (found.level, found.cost) == pytest.approx((56.0, 1.7972352118091772), rel=1e-9)


def test_the_power_approximation_of_s_and_S():  # noqa: N802 - s and S are two different levels
    found = newsvendor.power_approximation(0.18, 0.70, 2.5, 50, 8)
    assert (found.reorder, found.up_to) == pytest.approx((40.19461695647407, 74.29017010980579), rel=1e-9)
