"""Days and instants as they are typed: what lies so far off that no day can be counted on from it is none."""

import datetime as dt

import pytest

from store_app.web.days import day_of, instant_of


@pytest.mark.parametrize("text", ["", "soon", "2026-02-30", "0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31"])
def test_what_is_no_day_a_shop_reckons_with_is_none(text):
    assert day_of(text) is None
    assert instant_of(f"{text}T10:00+00:00") is None


def test_a_day_and_an_instant_are_read_as_they_are_written():
    assert day_of("2199-12-31") == dt.date(2199, 12, 31)
    assert instant_of("2026-03-02T10:00+01:00") == dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    assert instant_of("2026-03-02T10:00") is None, "of no clock"
