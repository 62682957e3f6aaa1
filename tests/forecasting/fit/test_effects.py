"""The calendar: weekdays, feasts and the days around them."""

from __future__ import annotations

from datetime import date

import pytest

from forecasting.fit.events import SEASON, kind_of
from forecasting.series import calendar
from forecasting.series.panel import PanelFault


def test_weekdays_count_from_monday() -> None:
    assert list(calendar.weekdays(date(2024, 2, 28), 4)) == [2, 3, 4, 5]
    assert list(calendar.month_days(date(2024, 2, 28), 3)) == [27, 28, 0]


def test_a_feast_has_an_eve_and_a_day_after() -> None:
    codes = calendar.event_codes(date(2024, 12, 24), 4, "US")
    assert codes == ["eve: Christmas Day", "Christmas Day", "after: Christmas Day", ""]


def test_seasons_move_with_their_feast_and_leave_its_eve_alone() -> None:
    carnival = calendar.event_codes(date(2018, 2, 7), 9, "DE-BW")
    assert carnival == ["", *["season: Carnival"] * 6, "season: Ash Wednesday", ""]
    assert calendar.event_codes(date(2017, 2, 22), 2, "DE-BW") == ["", "season: Carnival"]
    assert calendar.event_codes(date(2018, 2, 8), 1, "US") == [""]
    assert calendar.event_codes(date(2024, 12, 17), 2, "US") == ["", "season: before Christmas"]
    assert calendar.event_codes(date(2024, 12, 23), 2, "US") == ["season: before Christmas", "eve: Christmas Day"]
    assert calendar.event_codes(date(2024, 12, 18), 1, "CN") == [""]


def test_whit_sunday_is_a_feast_where_the_monday_after_it_is() -> None:
    assert calendar.event_codes(date(2018, 5, 19), 3, "DE") == ["eve: Whit Sunday", "Whit Sunday", "Pentecost Monday"]
    assert calendar.event_codes(date(2018, 5, 20), 1, "US") == [""]


def test_new_year_has_its_eve_in_the_year_before() -> None:
    assert calendar.event_codes(date(2023, 12, 31), 1, "US") == ["eve: New Year's Day"]


def test_without_a_state_the_feasts_of_many_states_are_events() -> None:
    """Corpus Christi is kept in six of Germany's sixteen states, Epiphany in three, Assumption Day in two."""
    assert calendar.event_codes(date(2018, 5, 31), 1, "DE") == ["Corpus Christi"]
    assert calendar.event_codes(date(2018, 1, 6), 1, "DE") == ["Epiphany"]
    assert calendar.event_codes(date(2018, 8, 15), 1, "DE") == [""]
    assert calendar.event_codes(date(2018, 5, 31), 1, "DE", "BE") == [""]
    assert calendar.event_codes(date(2018, 5, 31), 2, "DE-BW") == ["Corpus Christi", "after: Corpus Christi"]


def test_a_day_that_states_keep_under_several_names_counts_once() -> None:
    """Fifteen states are off on the Friday after Thanksgiving, eight of them under this name."""
    assert calendar.event_codes(date(2015, 11, 27), 1, "US") == ["Day After Thanksgiving"]


def test_no_country_no_events_and_an_unknown_one_is_refused() -> None:
    assert calendar.event_codes(date(2024, 12, 24), 2, None) == ["", ""]
    with pytest.raises(PanelFault, match="country"):
        calendar.event_codes(date(2024, 12, 24), 2, "XX")


@pytest.mark.parametrize(("year", "day"), [(2000, (4, 23)), (2008, (3, 23)), (2011, (4, 24)), (2024, (3, 31))])
def test_easter_of_known_years(year: int, day: tuple[int, int]) -> None:
    assert calendar.easter_sunday(year) == date(year, *day)


def test_a_weekend_worked_for_a_day_off_is_marked_and_both_have_one_name_in_all_years() -> None:
    for sunday, day_off in ((date(2024, 2, 4), date(2024, 2, 15)), (date(2026, 2, 28), date(2026, 2, 23))):
        assert calendar.event_codes(sunday, 1, "CN") == [calendar.MAKE_UP]
        assert calendar.event_codes(day_off, 1, "CN") == [calendar.MOVED]
    assert kind_of(calendar.MAKE_UP) == SEASON, "it keeps its weekday"
    assert calendar.event_codes(date(2024, 2, 4), 1, "DE") == [""]
