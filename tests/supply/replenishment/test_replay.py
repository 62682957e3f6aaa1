"""Replaying a history: what a day brings, what the rivals do, and that ours needs the least stock."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from forecasting.series.panel import DemandPanel
from supply.demand.lead_time_demand import Demand
from supply.replenishment import replay
from supply.replenishment.replay import Curve, History, Outcome, Seen, Setting

SHORT = Setting(lead_days=2, review_days=1, pack_qty=1, scored_days=20)


def history(y, value=None):
    y = np.asarray(y, dtype=float)
    panel = DemandPanel(tuple(("S", f"P{n}") for n in range(len(y))), date(2025, 1, 1), y)
    return History(panel, np.ones(len(y)) if value is None else np.asarray(value, dtype=float))


def trade(levels, days=240, seed=1):
    return history(np.random.default_rng(seed).poisson(np.array(levels)[:, None], (len(levels), days)))


def test_what_is_ordered_comes_after_the_lead_time_and_not_before():
    steady = history(np.full((1, 120), 2.0))
    seen = []

    def once(look):
        seen.append((look.on_hand[0], look.coming[0]))
        return np.array([9.0 if len(seen) == 1 else 0.0])

    replay.replay(steady, once, SHORT)
    assert seen[:4] == [(6.0, 0.0), (4.0, 9.0), (11.0, 0.0), (9.0, 0.0)]


def test_whoever_finds_nothing_leaves():
    steady = history(np.full((1, 120), 2.0))
    none = replay.replay(steady, lambda look: np.zeros(1), SHORT)
    assert (none.fill, none.cover_days, none.lost_value) == (0.0, 0.0, 2.0)


def test_perfect_foresight_sells_all_with_half_a_day_of_stock():
    known = trade([4.0, 0.3])
    best = replay.replay(known, replay.perfect(known, SHORT), SHORT)
    assert best.fill == 1.0
    assert best.cover_days == pytest.approx(0.5, abs=0.02)


def test_fill_and_cover_weigh_products_by_their_value():
    steady = history(np.full((2, 120), 2.0), value=[1.0, 9.0])
    dear = replay.replay(steady, lambda look: np.array([0.0, 2.0]), SHORT)
    assert dear.fill == pytest.approx(0.9)
    assert dear.cover_days == pytest.approx(
        0.9 * 1.5, abs=0.1
    )  # two come, one is there on average; and the first stock


def test_what_outlives_its_shelf_life_is_wasted_the_oldest_first():
    steady = history(np.full((1, 120), 2.0))
    mortal = replace(SHORT, shelf_life_days=3)
    much = replay.replay(steady, lambda look: np.array([5.0]), mortal)
    assert much.fill == 1.0
    assert much.waste == pytest.approx(1.5)  # five come, two are sold, three expire: 3 / 2
    assert replay.replay(steady, replay.perfect(steady, mortal), mortal).waste == 0.0


def test_a_static_rule_fills_up_to_twice_its_minimum():
    steady = history(np.full((1, 240), 2.0))
    rule = replay.static_minmax(steady, SHORT, 3.0)
    look = replay.Look(200, np.array([6.0]), np.array([0.0]), np.zeros(1))
    assert rule(look)[0] == 6
    assert rule(replace(look, on_hand=np.array([7.0])))[0] == 0


def test_the_moving_rules_see_only_the_days_before():
    rising = history(np.arange(240.0)[None, :])
    look = replay.Look(100, np.zeros(1), np.zeros(1), np.zeros(1))
    mean = np.arange(72.0, 100.0).mean()
    assert replay.rolling_minmax(rising, SHORT, 1.0)(look)[0] == np.ceil(2 * mean)
    assert replay.mean_normal(rising, SHORT, 0.0)(look)[0] == np.ceil(3 * mean)


def test_a_curve_is_read_between_its_settings_and_not_beyond():
    points = [Outcome(fill, cover, 0.0, 1, cover, 0.0, 0.0) for fill, cover in ((0.9, 2.0), (0.95, 3.0), (0.98, 6.0))]
    curve = Curve((1.0, 2.0, 3.0), tuple(points))
    assert curve.at(0.965) == pytest.approx(4.5)
    assert curve.at(0.99) is None


@pytest.fixture(scope="module")
def town():
    """Forty products, busy and slow, with a weekend: replayed once for all that follows."""
    random = np.random.default_rng(5)
    level = np.exp(random.uniform(-1.5, 2.5, 40))
    week = np.array([0.7, 0.7, 0.8, 1.0, 1.4, 1.7, 0.7])
    days = 300
    known = history(random.poisson(level[:, None] * week[np.arange(days) % 7]))
    setting = Setting(pack_qty=6, scored_days=56)
    return known, setting, replay.look_ahead(known, setting)


def test_ours_sells_as_much_from_less_stock_than_the_rivals(town):
    known, setting, seen = town
    found = replay.curves(known, seen, setting)
    ours = found["ours"].at(0.97)
    assert ours < 0.75 * found["rolling_minmax"].at(0.97)
    assert ours < 0.95 * found["mean_normal"].at(0.97)
    assert ours > found["perfect"].at(0.97)


@pytest.mark.parametrize("fill", [0.95, 0.98])
def test_the_fill_that_is_asked_for_is_delivered(town, fill):
    known, setting, seen = town
    (levels,) = replay.levels_asked(known, seen, setting, [fill])
    assert replay.replay(known, replay.ours(known, seen, setting, levels), setting).fill == pytest.approx(
        fill, abs=0.01
    )


@pytest.fixture
def autumn():
    """Products whose forecasts are as wide as their demand, and twice as wide from the first scored day on."""
    random, setting = np.random.default_rng(3), Setting(pack_qty=1, scored_days=112)
    known = history(random.poisson(np.exp(random.uniform(0, 2.5, 40))[:, None] * np.ones(300)))
    mean = np.tile(setting.span * known.y.mean(axis=1), (setting.scored_days + replay.WARM_DAYS, 1))
    wide = np.where(np.arange(len(mean)) < replay.WARM_DAYS, 1.0, 4.0)[:, None]
    unknown = np.full(mean.shape, np.nan)
    return known, setting, Seen(known.first_day(setting), Demand(mean, mean * wide), mean * 2 / 3, unknown)


def test_a_fill_that_is_asked_for_is_delivered_also_where_the_season_turns(autumn):
    known, setting, seen = autumn
    (levels,) = replay.levels_asked(known, seen, setting, [0.95])
    first = replay.replay(known, replay.ours(known, seen, setting, levels[0]), setting)
    followed = replay.replay(known, replay.ours(known, seen, setting, levels), setting)
    assert first.fill > 0.97, "at the level of the days before all of it, too much comes"
    assert followed.fill == pytest.approx(0.95, abs=0.01)


def test_the_level_of_a_day_knows_only_the_days_before_it(autumn):
    known, setting, seen = autumn
    day = replay.WARM_DAYS + 3 * replay.MEASURE_DAYS
    y = known.y
    y[:, seen.first_day + day :] *= 3
    (levels,) = replay.levels_asked(known, seen, setting, [0.95])
    (turned,) = replay.levels_asked(history(y), seen, setting, [0.95])
    assert levels[: day + replay.MEASURE_DAYS].tolist() == turned[: day + replay.MEASURE_DAYS].tolist()
    assert levels.tolist() != turned.tolist()


def test_with_a_shelf_life_ours_wastes_less_than_the_rivals(town):
    known, setting, seen = town
    mortal = replace(setting, shelf_life_days=5)
    found = replay.curves(known, seen, mortal)
    fill = 0.95
    best = min(waste for name in replay.RIVALS if (waste := found[name].at(fill, "waste")) is not None)
    assert found["ours"].at(fill, "waste") < 0.7 * best
