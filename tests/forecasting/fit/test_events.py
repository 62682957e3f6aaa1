"""Public holidays and seasons: like a Sunday wherever they fall, drawn to their kind, shut where the store was shut."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np

from forecasting.fit.effects import Prior, days_of, fit_factors
from forecasting.fit.events import ANY_HOLIDAY, pulls
from forecasting.run import forecast
from forecasting.series.panel import DemandPanel, Floats
from forecasting.series.pools import Pools

FIRST, DAYS = date(2016, 3, 1), 730
WEEK = np.array([0.8, 0.8, 0.8, 0.9, 1.0, 1.3, 1.4])


def _store(holiday: float = 0.0, eve: float = 0.0) -> Floats:
    """Return two years of two products at a German store; > 0: what a holiday or its eve sells on whatever weekday."""
    days = days_of(FIRST, DAYS, "DE", None)
    factor = WEEK[days.weekday].copy()
    for at, code in enumerate(days.events):
        if holiday and code and ":" not in code:
            factor[at] = holiday
        if eve and code.startswith("eve: "):
            factor[at] = eve
    return np.random.default_rng(4).poisson(np.array([[60.0], [25.0]]) * factor).astype(np.float64)


def _said(y: Floats, ahead: date) -> Floats:
    panel = DemandPanel(keys=(("S", "A"), ("S", "B")), first_day=FIRST, y=y)
    horizon = (ahead - panel.next_day).days + 1
    whole = forecast(panel, horizon_days=horizon, country="DE")
    return np.asarray(whole.mean[:, -1] / whole.level)


def test_a_feast_of_fixed_date_sells_like_a_sunday_on_whatever_weekday_it_falls() -> None:
    """Labour Day was a Sunday in 2016 and a Monday in 2017; 2018 it is a Tuesday."""
    y = _store(holiday=1.4)
    assert FIRST + timedelta(days=DAYS) == date(2018, 3, 1)
    np.testing.assert_allclose(_said(y, date(2018, 5, 1)), 1.4, rtol=0.12)
    factors = fit_factors(y, days_of(FIRST, DAYS, "DE", None), _pools(), Prior())
    assert (factors.like[:, 0] > 0.8).all()


def test_where_holidays_keep_their_weekday_they_are_not_taken_for_sundays() -> None:
    y = _store()
    factors = fit_factors(y, days_of(FIRST, DAYS, "DE", None), _pools(), Prior())
    assert (factors.like < 0.15).all()
    np.testing.assert_allclose(_said(y, date(2018, 5, 1)), 0.8, rtol=0.1)


def test_what_a_region_knows_of_holidays_is_taken_over() -> None:
    """Factors of events are those beyond the likeness they were measured with."""
    reported = Prior(
        weekday=np.tile(WEEK, (2, 1)), events={"Labor Day": np.full(2, 1.1)}, like=np.tile([0.7, 0.0], (2, 1))
    )
    factors = fit_factors(_store()[:, :40], days_of(FIRST, 40, "DE", None), _pools(), reported)
    assert (factors.like == reported.like).all()
    tuesday = factors.over(days_of(date(2018, 5, 1), 1, "DE", None))[:, 0]
    week = factors.weekday
    np.testing.assert_allclose(tuesday, week[:, 1] * (week[:, 6] / week[:, 1]) ** 0.7 * 1.1 * factors.month[:, 0])


def test_a_season_moves_with_easter_and_its_days_keep_their_weekday() -> None:
    """Carnival was in the last week of February in 2017 and begins on the 8th in 2018; holidays are like Sundays."""
    y, last = _store(holiday=1.4), (date(2018, 2, 1) - FIRST).days
    y[:, [code == "season: Carnival" for code in days_of(FIRST, DAYS, "DE", None).events]] *= 1.3
    np.testing.assert_allclose(_said(y[:, :last], date(2018, 2, 12)), 1.3 * 0.8, rtol=0.1)
    np.testing.assert_allclose(_said(y[:, :last], date(2018, 2, 26)), 0.8, rtol=0.1)


def test_a_shop_shut_on_sundays_and_holidays_stays_shut_on_them() -> None:
    y = _store()
    days = days_of(FIRST, DAYS, "DE", None)
    shut = [(bool(code) and ":" not in code) or day == 6 for code, day in zip(days.events, days.weekday, strict=True)]
    y[:, shut] = 0.0
    assert (_said(y, date(2018, 5, 1)) == 0.0).all()


def test_a_holiday_nobody_saw_is_expected_to_sell_as_those_that_were_seen() -> None:
    """German Unity Day in a store's first year, a Monday, after eight holidays from Good Friday on."""
    store, days = _store(), days_of(FIRST, 210, "DE", None)
    usual = _said(store[:, :210], date(2016, 10, 3))
    np.testing.assert_allclose(usual, 0.8, rtol=0.1)
    holiday = [bool(code) and ":" not in code for code in days.events]
    store[:, :210][:, holiday] = 0.0
    shut = _said(store[:, :210], date(2016, 10, 3))
    assert (shut < 0.2 * usual).all()
    assert (shut > 0.0).all()
    knows = Prior(events={ANY_HOLIDAY: np.full(2, 0.3)})
    reported = fit_factors(_store()[:, :10], days_of(FIRST, 10, "DE", None), _pools(), knows)
    assert (reported.special(days_of(date(2016, 10, 3), 1, "DE", None)) == 0.3 * reported.month[:, [2]]).all()


def test_christmas_day_is_expected_half_until_it_was_seen() -> None:
    """The 25th of December 2016 is a Sunday, and the holidays before it sold as their weekdays do."""
    np.testing.assert_allclose(_said(_store()[:, :290], date(2016, 12, 25)), 0.5 * 1.4, rtol=0.1)
    np.testing.assert_allclose(_said(_store()[:, :655], date(2017, 12, 25)), 0.8, rtol=0.1)


def test_an_event_seen_once_is_drawn_to_its_kind_the_more_the_years_differ() -> None:
    days = days_of(FIRST, DAYS, "DE", None)
    expected = np.full((1, DAYS), 100.0)

    def pull_of_epiphany(swing: float) -> float:
        """Return what draws a feast that sold twice the expected back, others differing by `swing` between years."""
        units = expected.copy()
        seen: set[str] = set()
        for at, code in enumerate(days.events):
            if code and ":" not in code:
                units[0, at] *= 1.0 + (swing if code in seen else -swing)
                seen.add(code)
        for year in (2017, 2018):
            units[0, (date(year, 1, 6) - FIRST).days] = 200.0
        return pulls(units, expected, days)["Epiphany"]

    assert pull_of_epiphany(0.3) < pull_of_epiphany(0.05) < 1.0
    assert pull_of_epiphany(0.05) > 0.9


def _pools() -> Pools:
    return Pools.of_names((("S", "A"), ("S", "B")), ("", ""), ("", ""))
