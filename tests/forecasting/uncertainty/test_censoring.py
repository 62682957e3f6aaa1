"""Kinds of demand, empty shelves, and the spread of demand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import stats

from forecasting.fit import levels
from forecasting.run import forecast
from forecasting.series import classify
from forecasting.series.panel import LEVELS, DemandPanel
from forecasting.series.pools import Pools
from forecasting.uncertainty import censoring, intervals


def test_kinds_follow_the_published_limits() -> None:
    days = 120
    smooth = np.tile([4.0, 5.0], days // 2)
    erratic = np.tile([1.0, 1.0, 20.0], days // 3)
    intermittent = np.tile([0.0, 0.0, 3.0], days // 3)
    lumpy = np.tile([0.0, 0.0, 1.0, 0.0, 0.0, 30.0], days // 6)
    dead = np.concatenate([np.ones(30), np.zeros(90)])
    new = np.concatenate([np.full(112, np.nan), np.ones(8)])
    never = np.zeros(days)
    kinds = classify.classify(np.array([smooth, erratic, intermittent, lumpy, dead, new, never]))
    assert kinds == ("smooth", "erratic", "intermittent", "lumpy", "dead", "new", "none")


def test_a_very_slow_seller_is_not_dead_before_four_intervals() -> None:
    y = np.zeros((1, 365))
    y[0, [0, 60, 120, 180, 240]] = 1.0
    assert classify.classify(y) == ("intermittent",)


def test_a_long_silence_before_a_sale_is_no_demand_history() -> None:
    listed_late = np.concatenate([np.zeros(60), np.full(20, 5.0)])
    slow = np.zeros(80)
    slow[[39, 79]] = 1.0
    stopped = np.concatenate([np.full(20, 5.0), np.zeros(60)])
    away = np.concatenate([np.full(20, 5.0), np.zeros(40), np.full(20, 5.0)])
    gap = classify.off_sale(np.array([listed_late, slow, stopped, away, np.zeros(80)]))
    assert list(gap.sum(axis=1)) == [60, 0, 0, 40, 0]
    assert gap[0, :60].all()
    assert gap[3, 20:60].all()


def test_the_first_sale_after_a_gap_was_waited_for_as_long_as_its_product_usually_is() -> None:
    y = np.zeros((5, 100))
    y[:, 3::4] = 1.0
    y[0, :80], y[0, 80:] = 0.0, np.tile([3.0, 0.0, 0.0, 0.0], 5)
    one = np.zeros(5, dtype=np.int64)
    days = levels.waited(y, classify.off_sale(y), Pools(product=one, store=np.arange(5), category=one, region=one))
    assert days[0, 80] == pytest.approx(4.0, rel=0.02)
    days[0, 80] = 1.0
    assert (days == 1.0).all()


def test_no_sale_is_as_surprising_as_the_negative_binomial_says() -> None:
    mean, variance = np.array([0.0, 0.5, 0.5, 6.0]), np.array([0.0, 0.5, 3.0, 30.0])
    got = intervals.surprise_of_none(mean, variance)
    m, v = mean[2:], variance[2:]
    np.testing.assert_allclose(got[2:], -stats.nbinom.logpmf(0, m * m / (v - m), m / v))
    np.testing.assert_allclose(got[:2], [0.0, 0.5], rtol=1e-3)


def test_quantiles_equal_the_negative_binomial() -> None:
    mean, variance = np.array([[0.3, 4.0]]), np.array([[0.5, 11.0]])
    got = intervals.negative_binomial_quantiles(mean, variance, LEVELS)
    for at in range(2):
        m, v = mean[0, at], variance[0, at]
        want = stats.nbinom.ppf(LEVELS, m * m / (v - m), m / v)
        np.testing.assert_allclose(got[0, :, at], want)


def test_large_means_follow_the_continuous_limit() -> None:
    mean, variance = np.array([[9e4, 2e9]]), np.array([[9e4**2 * 0.09, 2e9**2 * 0.09]])
    got = intervals.negative_binomial_quantiles(mean, variance, LEVELS) / mean[:, None, :]
    np.testing.assert_allclose(got[0, :, 0], got[0, :, 1], rtol=1e-3)


def test_dispersion_is_found_again() -> None:
    rng = np.random.default_rng(3)
    level = rng.uniform(1.0, 20.0, 200)
    mean = np.repeat(level[:, None], 200, axis=1)
    r, p = intervals.shape_of(mean, 1.4 * mean + 0.1 * mean**2)
    y = rng.negative_binomial(r, p).astype(float)
    levels = np.repeat(level[:, None], 201, axis=1)
    law = intervals.fit_dispersion(y, levels, np.ones_like(y), 7)
    one_day = law.variance(np.full((200, 1), 10.0), 1.0).mean()
    assert one_day == pytest.approx(1.4 * 10 + 0.1 * 100, rel=0.1)
    # Independent days: the variance of a sum is the sum of variances, so b shrinks with the length.
    week = law.variance(np.full((200, 1), 70.0), 7.0).mean()
    assert week == pytest.approx(7 * 24.0, rel=0.15)


def test_a_square_of_slow_sales_tells_little_of_how_a_product_varies() -> None:
    mean, variance = np.array([0.1, 2.0, 500.0]), np.array([0.3, 5.0, 600.0])
    r, p = intervals.shape_of(mean, variance)
    peaked = stats.nbinom.stats(r, p, moments="k")
    np.testing.assert_allclose(intervals.telling(mean, variance), 2.0 / (2.0 + peaked), rtol=1e-6)
    assert intervals.telling(np.zeros(1), np.zeros(1)) < 1e-6


def test_what_a_product_varies_in_other_shops_is_believed_of_a_slow_seller() -> None:
    """As many units a day of both: one is bought singly, one by the half dozen; of each store's own days hardly one in
    thirty tells."""
    rng = np.random.default_rng(8)
    y = rng.poisson(0.15, (60, 200)).astype(np.float64)
    y[30:] = 6.0 * rng.poisson(0.025, (30, 200))
    keys = tuple((f"shop-{row % 30}", "milk" if row < 30 else "cat food") for row in range(60))
    apart = forecast(
        DemandPanel(tuple((store, store + sku) for store, sku in keys), date(2024, 1, 1), y), horizon_days=7
    )
    alike = forecast(DemandPanel(keys, date(2024, 1, 1), y), horizon_days=7)
    assert alike.spread is not None
    assert apart.spread is not None
    single, dozen = alike.spread.factor[:30], alike.spread.factor[30:]
    assert single.max() < dozen.min()
    assert np.median(dozen) / np.median(single) > 2.0
    alone = apart.spread.factor
    assert np.median(alone[30:]) / np.median(alone[:30]) < np.median(dozen) / np.median(single)
    assert np.log(dozen).std() < np.log(alone[30:]).std()


def test_each_kind_of_demand_has_its_own_correction() -> None:
    """One kind scatters evenly, one is calm and now and then eight times as busy: what holds its calm days is far
    below what its variance says, and above its median."""
    rng = np.random.default_rng(4)
    rate = np.full((120, 400), 5.0)
    rate[60:] = np.where(rng.random((60, 400)) < 0.08, 25.0, 3.3)
    y = rng.poisson(rate).astype(np.float64)
    kind = np.repeat([1, 2], 60)
    law = intervals.fit_dispersion(y, np.full((120, 401), 5.0), np.ones_like(y), 7, kind)
    asked = law.levels(np.array([1.0]), LEVELS)[:, :, 0]
    np.testing.assert_allclose(asked[0], LEVELS, atol=0.04)
    assert asked[60, 2] < asked[0, 2] - 0.05
    assert asked[60, 0] > asked[0, 0] + 0.05
    picked = law.select(np.array([60, 0]))
    np.testing.assert_array_equal(picked.levels(np.array([1.0]), LEVELS)[:, :, 0], asked[[60, 0]])


def test_the_first_weeks_of_a_history_do_not_correct_what_is_told_of_the_next() -> None:
    """Four weeks in which levels are looked for, eight in which they are known: the quantiles hold what follows."""
    rng = np.random.default_rng(3)
    level = np.full((200, 85), 20.0)
    sold = rng.poisson(level[:, :84]).astype(np.float64)
    sold[:, :28] = rng.negative_binomial(20 / 9, 0.1, (200, 28))
    law = intervals.fit_dispersion(sold, level, np.ones((200, 84)), 7)
    week = intervals.quantiles(level[:, :7], law, LEVELS)[1][:, LEVELS.index(0.9), 6]
    held = (rng.poisson(20.0, (200, 500, 7)).sum(axis=2) <= week[:, None]).mean()
    assert 0.9 <= held < 0.95


def test_busy_sellers_weeks_are_taken_for_less_sure_than_they_were_measured() -> None:
    y = np.random.default_rng(6).negative_binomial(4.0, 4.0 / 9.0, (60, 400)).astype(float)
    law = {
        kind: intervals.fit_dispersion(y, np.full((60, 401), 5.0), np.ones_like(y), 7, np.full(60, kind))
        for kind in classify.number((classify.ERRATIC, classify.LUMPY))
    }
    busy, sparse = (
        intervals.logit(found.levels(np.array([1.0, 7.0]), LEVELS)[0]) for found in law.values()
    )  # (Q, days)
    np.testing.assert_allclose(busy[0], sparse[0])
    apart = (busy - busy[0])[1:] / (sparse - sparse[0])[1:]
    np.testing.assert_allclose(apart[:, 1], 1.0 + intervals.OPTIMISM)
    np.testing.assert_allclose(apart[:, 0], 1.0 + intervals.OPTIMISM / 49.0)


def test_a_product_thought_dead_that_sells_again_does_not_widen_the_others() -> None:
    rng = np.random.default_rng(4)
    mean = np.vstack([rng.uniform(1.0, 20.0, (200, 14)), np.full((10, 14), 1e-4)])
    came = rng.poisson(mean).astype(float)
    came[-5:] = 4.0
    law = intervals.law_of_pairs([(mean, came)], np.ones(len(mean)))
    week = law.variance(np.full((len(mean), 1), 70.0), 7.0)
    assert week.mean() == pytest.approx(70.0, rel=0.25)


def test_what_may_be_gone_is_nothing_or_what_it_was() -> None:
    """Of a product alive with a chance of .04, nothing is the quantile up to .96, and of .99 the living's .75."""
    law = intervals.Dispersion(np.array([1.0]), np.array([1.5]), np.array([0.1]), np.ones(1))
    fate = intervals.Fate(np.array([0.04]), np.zeros((1, 2)), np.ones(1))
    daily, sums = intervals.quantiles(np.full((1, 2), 8.0 * 0.04), law, (0.9, 0.95, 0.99), fate)
    living = intervals.quantiles(np.full((1, 2), 8.0), law, (0.75,))
    np.testing.assert_array_equal(daily[0, :2], 0.0)
    np.testing.assert_array_equal(daily[0, 2], living[0][0, 0])
    np.testing.assert_array_equal(sums[0, 2], living[1][0, 0])


def test_what_was_gone_comes_back_with_few_sales_where_that_is_likelier_than_the_level_leaves_out() -> None:
    """A chance of 8 % is less than 10 % leave room for; it is .68 halvings above 5 %, and three above 1 %."""
    law = intervals.Dispersion(np.array([1.0]), np.array([1.5]), np.array([0.1]), np.ones(1))
    fate = intervals.Fate(np.zeros(1), np.array([[0.005, 0.08]]), np.array([4.0]))
    daily, sums = intervals.quantiles(np.zeros((1, 2)), law, (0.9, 0.95, 0.99), fate)
    np.testing.assert_array_equal(sums[0], [[0, 0], [0, 3], [0, 12]])
    np.testing.assert_array_equal(daily[0, :, 0], 0.0)


def test_how_often_the_dead_sold_again_is_counted_over_one_by_each_of_their_days_of_silence() -> None:
    """The third sold twice in a month and later daily: its silence between was none, by what was known of it then."""
    y = np.zeros((3, 400))
    y[:2, :100] = 1.0
    y[0, 180] = 1.0
    y[2, [0, 30]] = 1.0
    y[2, 100:] = 1.0
    first, second, never = np.arange(56, 81), np.arange(56, 219), np.arange(56, 300)
    worth, again = classify.returns(y)
    assert worth == pytest.approx(sum((1.0 / days).sum() for days in (first, second, never)))
    assert again == 1


def test_expected_demand_given_at_least_what_was_sold() -> None:
    m, v, sold = 4.0, 9.0, 6
    r, p = m * m / (v - m), m / v
    k = np.arange(sold, 2000)
    pmf = stats.nbinom.pmf(k, r, p)
    want = (k * pmf).sum() / pmf.sum()
    got = censoring.expected_at_least(np.array([6.0]), np.array([m]), np.array([v]))
    assert got[0] == pytest.approx(want)
    assert censoring.expected_at_least(np.array([0.0]), np.array([m]), np.array([v]))[0] == pytest.approx(m)


def test_expected_demand_is_never_below_sales_even_far_out() -> None:
    sold = np.array([0.0, 3.0, 50.0, 1e5])
    got = censoring.expected_at_least(sold, np.full(4, 2.0), np.full(4, 2.5))
    assert np.isfinite(got).all()
    assert (got >= sold).all()


def test_only_days_out_of_stock_are_changed() -> None:
    y = np.array([[1.0, 2.0, np.nan]])
    short = np.array([[False, True, False]])
    got = censoring.uncensor(y, short, np.full((1, 3), 3.0), np.full((1, 3), 5.0))
    assert got[0, 0] == 1.0
    assert got[0, 1] > 3.0
    assert np.isnan(got[0, 2])


def test_the_open_hours_of_a_day_decide_with_the_forecast_what_its_empty_ones_hid() -> None:
    mean, variance = np.full(4, 10.0), np.full(4, 30.0)
    sold, hidden = np.array([0.0, 5.0, 10.0, 5.0]), np.array([1.0, 0.5, 0.5, 0.0])
    got = censoring.uncensor(sold, np.ones(4, dtype=bool), mean, variance, hidden)
    # nothing seen: the mean; as expected until noon: as much again; twice that: more, but not twice; all seen: itself
    assert got[0] == pytest.approx(10.0)
    assert got[1] == pytest.approx(10.0)
    assert 15.0 < got[2] < 20.0
    assert got[3] == 5.0


def test_days_cut_short_teach_the_level_that_emptied_their_shelves() -> None:
    rng = np.random.default_rng(5)
    for mean, shelf in ((10.0, 8), (0.5, 1)):
        demand = rng.poisson(rng.gamma(2.0, mean / 2.0, 40_000))
        short = demand >= shelf
        hidden = np.where(short, 1.0 - rng.beta(shelf, np.maximum(demand - shelf, 0) + 1.0), 0.0)
        sold = np.minimum(demand, shelf).astype(float)
        law = np.full(len(sold), mean), np.full(len(sold), mean + mean**2 / 2.0)
        filled = censoring.uncensor(sold, short, *law, hidden)
        units, part = censoring.counted(sold, filled, short, *law, hidden)
        assert units.sum() / part.sum() == pytest.approx(mean, rel=0.02)
        assert sold.sum() / len(sold) < 0.8 * mean
        assert (part <= 1.0).all()


def _emptied(rows: int, days: int, mean: float) -> tuple[np.ndarray, np.ndarray]:
    """Demand of `mean` a day at shelves that hold more or less than that, and the days on which they were emptied."""
    rng = np.random.default_rng(8)
    demand = rng.poisson(mean, (rows, days)).astype(float)
    return demand, demand >= np.ceil(mean * rng.lognormal(0.3, 0.45, demand.shape))


def test_a_day_that_stays_clean_is_expected_to_sell_what_past_clean_days_sold_of_their_forecast() -> None:
    demand, cut = _emptied(60, 400, 6.0)
    cut[30:] = False  # these always had enough
    past, after = slice(0, 340), slice(340, 400)
    part = censoring.clean_part(np.full((60, 340), 6.0), demand[:, past], cut[:, past])
    assert part[30:].mean() == pytest.approx(1.0, abs=0.02)
    came = demand[:30, after][~cut[:30, after]].mean()
    assert came < 5.3
    assert 6.0 * part[:30].mean() == pytest.approx(came, rel=0.02)


def test_a_series_of_which_few_clean_days_tell_is_taken_for_those_whose_shelves_are_emptied_as_often() -> None:
    demand, cut = _emptied(60, 200, 6.0)
    cut[30:] = False
    said = np.full(demand.shape, 6.0)
    usual = censoring.clean_part(said, demand, cut)[1:30].mean()
    few = demand.copy()
    few[0, ~cut[0]] = np.where(np.arange((~cut[0]).sum()) < 2, 0.0, np.nan)
    shrunk = censoring.clean_part(said, few, cut)
    assert 0.7 * usual < shrunk[0] < 0.95 * usual
    mixed = np.random.default_rng(1).permutation(60)
    np.testing.assert_allclose(
        censoring.clean_part(said, demand[mixed], cut[mixed]), censoring.clean_part(said, demand, cut)[mixed]
    )


def test_without_a_clean_day_behind_it_the_forecast_stands() -> None:
    for days, sold in ((0, 0.0), (5, np.nan), (5, 3.0)):
        part = censoring.clean_part(np.full((2, days), 4.0), np.full((2, days), sold), np.ones((2, days), dtype=bool))
        np.testing.assert_array_equal(part, 1.0)
    assert len(censoring.clean_part(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3), dtype=bool))) == 0


def test_what_a_product_sold_for_an_empty_neighbour_is_not_its_own_demand() -> None:
    rng = np.random.default_rng(2)
    out = rng.random((10, 200)) < 0.3
    y = np.concatenate([np.where(out, 0, rng.poisson(6.0, (10, 200))), rng.poisson(np.where(out, 9.6, 6.0))])
    short = np.concatenate([out, np.zeros_like(out)])
    panel = DemandPanel(
        keys=tuple(("S", f"P{row}") for row in range(20)), first_day=date(2024, 1, 1), y=y.astype(float),
        category=tuple(f"C{row % 10}" for row in range(20)), out_of_stock=short, out_share=short.astype(float),
    )  # fmt: skip
    assert forecast(panel, horizon_days=7).level[10:].mean() == pytest.approx(6.0, rel=0.05)
