"""A store's week: spans of a day, closed days, the night after midnight; what is none is refused."""

import datetime as dt

import pytest

from config.errors import Invalid
from pos.store.opening_hours import Week, every_day, week

WEEK = "07:00-22:00 07:00-22:00 07:00-22:00 07:00-22:00 18:00-02:00 09:00-13:00,16:00-20:00 closed"
MONDAY = dt.date(2026, 3, 2)


def test_a_week_is_read_as_it_was_written_and_knows_each_weekday():
    read = week(WEEK)
    assert str(read) == WEEK
    assert [read.on(MONDAY + dt.timedelta(days=n)) for n in (0, 5, 6, 7)] == [
        (("07:00", "22:00"),), (("09:00", "13:00"), ("16:00", "20:00")), (), (("07:00", "22:00"),),
    ]  # fmt: skip
    assert [(first, last) for first, last, _span in read.spells()] == [(0, 3), (4, 4), (5, 5), (6, 6)]
    assert (read.daily, week(every_day("08:00", "20:00")).daily) == (None, (("08:00", "20:00"),))
    assert str(week(WEEK.replace("09:00-13:00,16:00-20:00", "16:00-20:00,09:00-13:00"))) == WEEK


@pytest.mark.parametrize(
    ("at", "left"),
    [("08:00", 1.0), ("11:00", 0.75), ("13:00", 0.5), ("15:59", 0.5), ("18:00", 0.25), ("20:00", 0.0)],
)
def test_a_midday_break_is_no_part_of_a_days_hours(at, left):
    saturday = MONDAY + dt.timedelta(days=5)
    instant = dt.datetime.combine(saturday, dt.time.fromisoformat(at), dt.UTC)
    assert week(WEEK).left(saturday, dt.UTC, instant) == left
    assert week(WEEK).left(saturday + dt.timedelta(days=1), dt.UTC, instant) == 0.0


@pytest.mark.parametrize(
    ("span", "hours"),
    [(("07:00", "22:00"), 15), (("18:00", "02:00"), 8), (("06:00", "06:00"), 24)],
    ids=["day", "night", "around the clock"],
)
def test_closing_before_opening_is_the_next_morning_and_at_the_same_hour_a_whole_day(span, hours):
    [(opens, closes)] = Week(((span,),)).instants(MONDAY, dt.UTC)
    assert (opens.date(), closes - opens) == (MONDAY, dt.timedelta(hours=hours))


@pytest.mark.parametrize(
    ("kept", "code"),
    [
        (" ".join(["closed"] * 7), "never-open"),
        (every_day("07:00", "24:00"), "bad-hours"),
        (every_day("7:00", "22:00"), "bad-hours"),
        ("07:00-22:00 closed", "bad-hours"),
        (every_day("07:00", ""), "bad-hours"),
        (every_day("٠٧:00", "22:00"), "bad-hours"),
        ("", "bad-hours"),
        (every_day("07:00", "12:00,"), "bad-hours"),
        (every_day("07:00", "13:00,12:00-20:00"), "hours-overlap"),
        (every_day("18:00", "02:00,23:00-23:30"), "hours-overlap"),
        (every_day("07:00", "07:00,08:00-09:00"), "hours-overlap"),
    ],
)
def test_a_week_that_is_none_or_in_which_the_store_never_opens_is_refused(kept, code):
    with pytest.raises(Invalid) as refused:
        week(kept)
    assert refused.value.code == code
