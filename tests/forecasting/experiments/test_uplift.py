"""The measured effect: covers the truth as often as it says, and claims no gain where there is none."""

import numpy as np
import pytest

from forecasting.experiments.trial import Belief, believe, draw, is_worse
from forecasting.experiments.uplift import uplift

STORES, WEEKS, DRAWS = 40, 8, 500


def simulated(effect, seed):
    """Return 40 stores of different size over 8 weeks with a season, their own drift and Poisson sales; half
    changed."""
    dice = np.random.default_rng(seed)
    size = dice.lognormal(4.0, 0.5, (STORES, 1))
    season = np.exp(dice.normal(0, 0.1, (1, WEEKS)))
    drift = np.exp(dice.normal(0, 0.08, (STORES, WEEKS)))
    changed = dice.permutation(STORES) < STORES // 2
    rate = size * season * drift
    rate[changed, WEEKS // 2 :] *= 1 + effect
    sold = dice.poisson(rate).astype(float)
    return sold[:, : WEEKS // 2].sum(axis=1), sold[:, WEEKS // 2 :].sum(axis=1), changed


@pytest.mark.parametrize("effect", [0.0, 0.05, 0.20])
def test_nine_of_ten_intervals_cover_the_truth(effect):
    found = [uplift(*simulated(effect, seed)) for seed in range(DRAWS)]
    covered = sum(one.low <= effect <= one.high for one in found) / DRAWS
    assert 0.86 <= covered <= 0.94


def test_where_nothing_was_brought_a_gain_is_claimed_in_at_most_one_of_twenty():
    assert sum(uplift(*simulated(0.0, seed)).claimed for seed in range(DRAWS)) / DRAWS <= 0.05


def test_a_large_effect_is_claimed():
    assert sum(uplift(*simulated(0.20, seed)).claimed for seed in range(100)) > 90


def test_without_a_control_there_is_no_number():
    before, after, changed = simulated(0.2, 1)
    assert uplift(before, after, np.ones(STORES, dtype=bool)) is None
    after[~changed] = np.nan
    assert uplift(before, after, changed) is None


def test_what_all_shops_share_is_no_effect():
    before, after, changed = simulated(0.0, 3)
    once, twice = uplift(before, after, changed), uplift(before, after * 2, changed)
    assert twice.effect == pytest.approx(once.effect, abs=0.02)


def test_a_new_product_is_tried_as_often_as_it_may_be_the_best_and_dropped_as_the_days_tell():
    region, value = np.array([2.0, 1.5]), np.ones(2)
    first = believe(region, np.zeros(2), np.zeros(2))
    wins = np.mean([np.argmax(draw(first, value, store_id="S1", week=week)) == 1 for week in range(400)])
    assert 0.15 < wins < 0.5
    seen = believe(region, np.array([60.0, 3.0]), np.array([28.0, 28.0]))
    later = np.mean([np.argmax(draw(seen, value, store_id="S1", week=week)) == 1 for week in range(400)])
    assert later < 0.01
    assert is_worse(seen, 1, 2.0)
    assert not is_worse(first, 1, 2.0)


def test_the_same_week_gives_the_same_shelf():
    belief = Belief(np.array([3.0, 4.0]), np.array([2.0, 2.0]))
    one, same = (draw(belief, np.ones(2), store_id="S1", week=9) for _ in range(2))
    assert one.tolist() == same.tolist()
    assert one.tolist() != draw(belief, np.ones(2), store_id="S2", week=9).tolist()
