"""The law of demand calculated again, window by window and in loops, and its quantiles cell by cell."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from forecasting.series.panel import LEVELS, Floats, Ints
from forecasting.uncertainty import intervals
from forecasting.uncertainty.intervals import Dispersion, fit_dispersion, law_of_pairs, negative_binomial_quantiles

Past = tuple[Floats, Floats, Floats]
LENGTHS, HORIZON = (1, 2, 4, 7, 14), 14


def past(series: int, days: int) -> Past:
    """Return what series sold, the levels that were known before each day, and each day's exposure."""
    rng = np.random.default_rng(12)
    level = np.resize([0.1, 0.5, 1.0, 3.0, 8.0, 8.0, 20.0, 60.0], series)[:, None]
    shape = np.resize([1.0, 2.0, 9.0, 2.0, 20.0, 1.0, 5.0, 9.0], series)[:, None]
    exposure = rng.uniform(0.5, 1.5, (series, days))
    y = rng.poisson(rng.gamma(shape, level / shape, (series, days)) * exposure).astype(np.float64)
    y[rng.random(y.shape) < 0.05] = np.nan
    return y, level * rng.uniform(0.7, 1.3, (series, days + 1)), exposure


def line_through(mean: Floats, square: Floats) -> tuple[float, float]:
    """Return a and b of square ~ a mean + b mean^2 by weighted least squares, a not below a half, b not below none."""
    size = mean / np.median(mean)
    weight = size / (1.0 + size) ** 3
    target = np.minimum(square / mean, np.quantile(square / mean, 0.999))
    b, a = np.polyfit(mean, target, 1, w=np.sqrt(weight))
    if b < 0.0:
        a, b = np.average(target, weights=weight), 0.0
    if a < 0.5:
        a, b = 0.5, max(0.0, np.average((target - 0.5) / mean, weights=weight * mean**2))
    return a, b


def law_of(mean: Floats, square: Floats) -> tuple[float, float]:
    usual = mean > 0.1 * np.median(mean)
    a, b = line_through(mean[usual], square[usual])
    return line_through(mean, np.minimum(square, intervals.FARTHEST * (a * mean + b * mean**2)))


def windows(known: Past, length: int, since: int) -> list[tuple[int, int, float, float]]:
    """Return each window of so many days that was wholly observed: series, day it begins, its mean and its sum."""
    y, levels, exposure = known
    return [
        (row, day, levels[row, day] * exposure[row, day : day + length].sum(), y[row, day : day + length].sum())
        for row in range(len(y))
        for day in range(since, y.shape[1] - length + 1)
        if not np.isnan(y[row, day : day + length]).any()
    ]


def law_by_hand(known: Past, product: Ints | None) -> tuple[list[tuple[float, float]], Floats]:
    """Return a and b of each length, and each series' factor (rules 1, 2)."""
    series, days = known[0].shape
    laws, found, told = [], np.zeros(series), np.zeros(series)
    for length in LENGTHS:
        own = windows(known, length, max(7, days - intervals.MEMORY_DAYS))
        mean, came = np.array([one[2] for one in own]), np.array([one[3] for one in own])
        a, b = law_of(mean, (came - mean) ** 2)
        laws.append((a, b))
        for row, _, m, units in own:
            v = a * m + b * m**2
            flat = max(v, m * (1 + intervals.POISSON_GAP))
            tells = 2.0 / (2.0 + 6.0 * (flat - m) / m**2 + 1.0 / flat)
            found[row] += tells * min((units - m) ** 2 / v, intervals.FARTHEST) / length / len(LENGTHS)
            told[row] += tells / length / len(LENGTHS)
    alike, prior = np.ones(series), intervals.PRIOR_WINDOWS
    if product is not None:
        for row in range(series):
            others = (product == product[row]) & (np.arange(series) != row)
            alike[row] = (found[others].sum() + prior) / (told[others].sum() + prior)
    return laws, np.clip((found + prior * alike) / (told + prior), 0.2, 20.0)


@pytest.mark.parametrize("product", [None, np.array([0, 1, 2, 3, 4, 4, 3, 2])])
def test_the_law_is_what_past_errors_of_each_length_say_and_each_series_factor_what_its_own_windows_tell(product):
    known = past(8, 420)
    laws, factor = law_by_hand(known, product)
    law = fit_dispersion(*known, HORIZON, None, product)
    assert tuple(law.days) == LENGTHS
    np.testing.assert_allclose(np.column_stack([law.a, law.b]), laws, rtol=1e-6)
    np.testing.assert_allclose(law.factor, factor, rtol=1e-6)


@pytest.mark.parametrize("days", [420, 60])
def test_what_all_series_meet_at_once_is_their_summed_error_s_square_above_their_variances(days):
    y, levels, exposure = known = past(8, days)
    law = fit_dispersion(*known, HORIZON)
    for at, length in enumerate(LENGTHS):
        above = pairs = 0.0
        for day in range(max(7, days - intervals.MEMORY_DAYS), days - length + 1, max(1, length // 2)):
            error = variance = mean = squares = 0.0
            for row in range(8):
                came = y[row, day : day + length].sum()
                if not np.isnan(came):
                    m = levels[row, day] * exposure[row, day : day + length].sum()
                    error, mean, squares = error + came - m, mean + m, squares + m**2
                    variance += max((law.a[at] * m + law.b[at] * m**2) * law.factor[row], m * 1.001)
            above += (error * (1.0 + intervals.OPTIMISM * min(length / 7.0, 1.0) ** 2)) ** 2 - variance
            pairs += max(mean**2 - squares, intervals.ALONE * mean**2)
        assert law.common[at] == pytest.approx(max(0.0, above / pairs), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize(("series", "days"), [(8, 420), (8, 60), (48, 420)])
def test_levels_are_corrected_by_where_past_sums_fell_for_each_group_and_length(series, days):
    known, group = past(series, days), np.resize([3, 3, 3, 0, 0, 0, 0, 3], series)
    law = fit_dispersion(*known, HORIZON, group)
    assert law.asked.shape == (4, len(LENGTHS), len(LEVELS))
    first, usual = max(7, min(28, days // 3), days - intervals.MEMORY_DAYS), logit(np.array(LEVELS))
    for at, length in enumerate(LENGTHS):
        apart = len(range(first, days, max(length, 2)))  # of more places than are looked at every so many series tell
        every = math.ceil(series * apart / intervals.MOST_PLACES)
        own = [one for one in windows(known, length, first) if (one[1] - first) % max(length, 2) == 0]
        own = [one for one in own if one[2] > 0.05 and one[0] % every == 0]
        rows, mean, came = (np.array([one[n] for one in own]) for n in (0, 2, 3))
        variance = np.maximum((law.a[at] * mean + law.b[at] * mean**2) * law.factor[rows], mean * 1.001)
        place = intervals.cumulative(came, mean, variance)
        whole = usual
        for chosen, groups in ((group >= 0, ()), (group == 0, (0,)), (group == 3, (3,))):
            mine = place[chosen[rows]]
            count, pseudo = len(mine) / length**0.5 if len(own) >= 100 else 0.0, intervals.LEVEL_PSEUDO
            mixed = (count * logit(np.quantile(mine, LEVELS)) + pseudo * whole) / (count + pseudo)
            mixed = np.maximum.accumulate(mixed)
            whole = whole if groups else mixed
            for each in groups:
                drawn = intervals.OPTIMISM * min(length / 7.0, 1.0) ** 2 if each in intervals.BUSY else 0.0
                odds = mixed + drawn * (mixed - mixed[0])
                np.testing.assert_allclose(logit(law.asked[each, at]), odds, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("shape", [4.0, 0.5, 1e6])
def test_a_law_of_forecasts_is_fitted_to_their_sums_against_each_series_known_factor(shape):
    rng = np.random.default_rng(2)
    mean = rng.uniform(0.5, 30.0, (300, 28))
    factor = rng.uniform(0.5, 2.0, 300)
    pairs = [(mean, rng.poisson(rng.gamma(shape, mean / shape)).astype(float)) for _ in range(2)]
    pairs[0][1][:3, 2] = np.nan
    law = law_of_pairs(pairs, factor)
    lengths = [1, 2, 3, 5, 7, 10, 14, 21, 28]
    np.testing.assert_array_equal(law.days, lengths)
    for at, length in enumerate(lengths):
        due = np.concatenate([m[:, :length].sum(axis=1) for m, _ in pairs])
        square = np.concatenate([(m - y)[:, :length].sum(axis=1) ** 2 / factor for m, y in pairs])
        seen = np.isfinite(square)
        np.testing.assert_allclose([law.a[at], law.b[at]], law_of(due[seen], square[seen]), rtol=1e-6)
    np.testing.assert_array_equal(law.factor, factor)


def test_without_past_windows_the_law_is_the_usual_one():
    for law in (
        fit_dispersion(np.ones((2, 7)), np.ones((2, 8)), np.ones((2, 7)), 7),
        law_of_pairs([(np.ones((9, 1)), np.ones((9, 1)))], np.ones(9)),
    ):
        assert (law.days.tolist(), law.a.tolist(), law.b.tolist()) == ([1.0], [1.5], [0.3])
        assert set(law.factor.tolist()) == {1.0}


def test_variance_is_read_between_the_lengths_measured_and_never_below_chance():
    law = Dispersion(np.array([1.0, 3.0]), np.array([1.0, 2.0]), np.array([0.1, 0.3]), np.array([1.0, 0.001]))
    got = law.variance(np.array([[10.0, 10.0], [10.0, 10.0]]), np.array([2.0, 9.0]))
    np.testing.assert_allclose(got, [[1.5 * 10 + 0.2 * 100, 2 * 10 + 0.3 * 100], [10.01, 10.01]])


def test_who_has_no_sales_of_its_own_is_in_doubt_on_all_days_at_once():
    law = Dispersion(np.array([1.0]), np.array([1.5]), np.array([0.2]), np.ones(2), doubt=np.array([0.0, 0.3]))
    np.testing.assert_allclose(law.variance(np.full((2, 1), 10.0), 1.0), [[35.0], [65.0]])
    np.testing.assert_allclose(law.select(np.array([1, 0])).variance(np.full((2, 1), 10.0), 1.0), [[65.0], [35.0]])


def test_a_whole_number_has_its_place_within_its_stretch_and_the_places_of_right_forecasts_fill_all_evenly():
    rng = np.random.default_rng(3)
    mean = rng.uniform(0.2, 9.0, 20_000)
    variance = 2.0 * mean + 0.1 * mean**2
    units = rng.negative_binomial(*intervals.shape_of(mean, variance)).astype(float)
    place = intervals.cumulative(units, mean, variance)
    r, p = intervals.shape_of(mean, variance)
    assert (place >= np.clip(stats.nbinom.cdf(units - 1, r, p), 1e-4, 1 - 1e-4) - 1e-9).all()
    assert (place <= np.clip(stats.nbinom.cdf(units, r, p), 1e-4, 1 - 1e-4) + 1e-9).all()
    np.testing.assert_allclose(np.quantile(place, LEVELS), LEVELS, atol=0.01)


def test_levels_asked_for_are_undone_by_levels_at():
    asked = expit(logit(np.array(LEVELS)) + np.array([[[0.1, 0.2, 0.3, 0.3, 0.2], [0.0, 0.1, 0.4, 0.6, 0.9]]]))
    law = Dispersion(np.array([1.0, 7.0]), np.ones(2), np.zeros(2), np.ones(1), asked)
    days = np.array([1.0, 4.0, 7.0])
    np.testing.assert_allclose(law.levels(days, LEVELS)[0][:, [0, 2]], asked[0].T)
    assert np.isfinite(law.levels(days, (0.0, 1.0))).all(), "of what is certain no odds are asked"
    for at in range(len(LEVELS)):
        places = law.levels(days, LEVELS)[:, at]
        np.testing.assert_allclose(law.levels_at(places, days)[0], LEVELS[at], rtol=1e-9)


@pytest.mark.parametrize(
    ("mean", "variance", "near"),
    [(0.3, 0.5, 0), (4.0, 11.0, 0), (60.0, 90.0, 0), (20.0, 900.0, 0), (400.0, 500.0, 1), (2_000.0, 90_000.0, 1),
     (300.0, 400_000.0, 0), (2e5, 4e8, 30)],
)  # fmt: skip
def test_quantiles_are_counted_out_and_near_the_exact_ones_where_they_are_reckoned(mean, variance, near):
    levels = (0.01, 0.2, *LEVELS, 0.999)
    exact = stats.nbinom.ppf(levels, mean**2 / (variance - mean), mean / variance)
    got = negative_binomial_quantiles(np.array([[mean]]), np.array([[variance]]), levels)[0, :, 0]
    np.testing.assert_allclose(got, exact, atol=near, rtol=0.01 if near else 0)
    assert (got == np.floor(got)).all()


def test_nothing_is_certain_and_the_highest_quantile_is_that_of_all_but_a_millionth_of_a_millionth():
    got = negative_binomial_quantiles(np.array([4.0]), np.array([11.0]), (1.0,))
    assert got.item() == stats.nbinom.ppf(1 - 1e-12, 16.0 / 7.0, 4.0 / 11.0)


def test_less_than_chance_tells_as_much_as_chance():
    mean = np.array([0.5, 2.0])
    np.testing.assert_allclose(intervals.telling(mean, mean / 2), intervals.telling(mean, mean * 1.001), rtol=1e-12)


def test_more_cells_than_are_counted_at_once_are_each_counted_right():
    mean = np.linspace(0.01, 30.0, intervals.BLOCK + 900)
    variance = mean * (1.1 + (np.arange(len(mean)) % 7) / 3.0)
    got = negative_binomial_quantiles(mean, variance, LEVELS)
    r, p = mean**2 / (variance - mean), mean / variance
    exact = stats.nbinom.ppf(np.array(LEVELS), r[:, None], p[:, None])
    np.testing.assert_array_equal(got, exact)
