"""What a comparison can show: found as often as promised, by simulation; and the fewest stores that find it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.experiments.power import POWER, detectable, spread, stores_needed
from forecasting.experiments.uplift import LEAST, uplift


@pytest.mark.parametrize(("asked", "held", "off"), [(12, 6, 0.03), (30, 10, 0.03), (4, 4, 0.06)])
def test_an_effect_as_large_as_promised_is_claimed_in_four_of_five_cases(asked, held, off):
    deviation, chance, runs = 0.2, np.random.default_rng(20260302), 2_000
    least = detectable(deviation, asked, held)
    assert least is not None
    changed = np.arange(asked + held) < asked
    before = np.full(asked + held, 1e6)
    claimed = 0
    for _ in range(runs):
        after = before * np.exp(chance.normal(0.0, deviation, asked + held) + changed * math.log1p(least))
        found = uplift(before, after, changed)
        claimed += found is not None and found.claimed
    assert claimed / runs == pytest.approx(POWER, abs=off)


def test_in_large_groups_it_is_the_textbook_s_normal_figure():
    """1.96 + 0.8416 standard errors of the difference (Cohen 1988, two-sided 5 %, power 80 %)."""
    least = detectable(0.3, 1000, 1000)
    assert least is not None
    assert math.log1p(least) == pytest.approx((1.95996 + 0.84162) * 0.3 * math.sqrt(2 / 1000), rel=0.002)


@given(st.floats(0.02, 0.8), st.floats(0.05, 2.0), st.sampled_from([0.1, 0.25, 0.4, 0.5]))
def test_the_stores_needed_find_the_effect_and_one_fewer_does_not(deviation, effect, share):
    found = stores_needed(deviation, effect, share)
    if found is None:
        return
    asked, held = found
    assert held == math.floor((asked + held) * share + 1e-9)
    least = detectable(deviation, asked, held)
    assert least is not None
    assert least <= effect
    fewer = asked + held - 1
    without = math.floor(fewer * share + 1e-9)
    smaller = detectable(deviation, fewer - without, without)
    assert smaller is None or smaller > effect or min(asked, held) == LEAST


def test_without_three_stores_in_each_group_or_an_effect_there_is_nothing_to_find():
    assert detectable(0.1, 40, 2) is None
    assert detectable(0.1, 2, 40) is None
    assert stores_needed(0.1, 0.0, 0.25) is None
    assert stores_needed(5.0, 0.01, 0.25) is None
    assert spread(np.array([[1.0, np.nan, 3.0]]), np.array([[1.0, 2.0, 3.0]])) is None


def test_the_spread_is_that_of_the_logarithms_about_each_period_s_own_mean():
    chance = np.random.default_rng(7)
    before = np.full((4, 500), 1e5)
    season = np.array([[1.0], [0.5], [2.0], [1.3]])
    after = before * season * np.exp(chance.normal(0, 0.25, (4, 500)))
    assert spread(before, after) == pytest.approx(0.25, rel=0.05)
