"""Ids, money and time: the small exact things everything stands on."""

import datetime as dt
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import ids
from config.clock import FrozenClock, PracticeClock, SystemClock, as_utc, business_day, day_start
from config.money import (
    divide_half_up,
    exponent,
    likely_notes,
    round_cash,
    share_out,
    tax_inside,
    tax_on,
)

# --- ids ---


def test_ids_are_unique_have_26_letters_and_sort_by_time():
    made = [ids.new_id() for _ in range(5000)]
    assert len(set(made)) == 5000
    assert {len(one) for one in made} == {26}
    assert made == sorted(made)
    assert all(ids.is_id(one) for one in made)


@pytest.mark.parametrize(
    "text", ["", "short", "x" * 41, "has space 12", "päääääääh", "semi;colon;", "../../etc/passwd"]
)
def test_what_is_no_id_is_told(text):
    assert not ids.is_id(text)


def test_a_browsers_own_id_is_an_id():
    assert ids.is_id("0b6f1f6e-5c0c-4a53-9d3e-0d9d1f0d6a11")


@given(st.integers(0, 6), st.integers(1, 30))
def test_one_wrong_letter_in_a_pickup_code_is_noticed(place, step):
    code = ids.pickup_code_of(os.urandom(16))
    letters = "23456789ABCDEFGHJKLMNPQRSTUVWXY"
    wrong = letters[(letters.index(code[place]) + step) % len(letters)]
    assert ids.tidy_pickup_code(code[:place] + wrong + code[place + 1 :]) is None


def test_two_neighbours_swapped_in_a_pickup_code_are_noticed():
    for _ in range(300):
        code = ids.pickup_code_of(os.urandom(16))
        place = random.randrange(6)
        if code[place] != code[place + 1]:
            swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
            assert ids.tidy_pickup_code(swapped) is None


def test_a_code_is_read_however_it_is_written():
    code = ids.pickup_code_of(os.urandom(16))
    assert ids.tidy_pickup_code(f" {code[:4].lower()}-{code[4:]} ") == code
    assert [ids.tidy_pickup_code(text) for text in ("", "1234567", "OOOOOOOO", code + "2", "ΩΩΩΩΩΩΩΩ")] == [None] * 5


# --- money ---


def test_no_split_makes_or_loses_a_cent_in_20_000_random_cases():
    dice = random.Random(7)
    for _ in range(20_000):
        total = dice.randint(-(10**9), 10**9)
        weights = [dice.choice([0, 0, 1, dice.randint(0, 10**6)]) for _ in range(dice.randint(1, 12))]
        parts = share_out(total, weights)
        assert sum(parts) == total
        whole = sum(weights)
        if whole:
            assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))
        assert share_out(-total, weights) == [-part for part in parts], "a return mirrors its sale"


def test_ties_go_to_the_first_and_nobody_to_share_with_is_refused():
    assert share_out(10, [1, 1, 1]) == [4, 3, 3]
    assert share_out(5, [0, 0]) == [3, 2]
    assert share_out(0, []) == []
    for total, weights in ((1, []), (1, [-1])):
        with pytest.raises(ValueError, match=r"share|negative"):
            share_out(total, weights)


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_rounding_is_half_away_from_zero_and_symmetrical(numerator, denominator):
    quotient = divide_half_up(numerator, denominator)
    assert 2 * abs(quotient * denominator - numerator) <= denominator
    assert divide_half_up(-numerator, denominator) == -quotient


@given(st.integers(0, 10**9), st.integers(0, 3000))
def test_tax_inside_a_gross_price_is_the_tax_on_its_net(gross, rate):
    tax = tax_inside(gross, rate)
    assert 0 <= tax <= gross
    assert abs(tax_on(gross - tax, rate) - tax) <= 1


@given(st.integers(-(10**6), 10**6), st.sampled_from([1, 5, 10, 50]))
def test_cash_is_a_multiple_of_the_smallest_coin_and_at_most_half_a_coin_away(amount, coin):
    rounded = round_cash(amount, coin)
    assert rounded % coin == 0
    assert 2 * abs(rounded - amount) <= coin


def test_likely_notes_cover_the_amount_and_rise():
    assert likely_notes(733, [500, 1000, 2000, 5000]) == [1000, 2000, 5000]
    assert likely_notes(1000, [1000, 2000]) == [2000]
    assert likely_notes(0, [500]) == []
    assert likely_notes(90, [100, 200, 500, 1000, 2000]) == [100, 200, 500, 1000]


def test_currencies_have_their_own_decimals():
    assert [exponent(currency) for currency in ("EUR", "JPY", "KWD")] == [2, 0, 3]


# --- clock ---


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("instant", "tz", "rollover", "day"),
    [
        ("2026-03-02T00:30:00+00:00", "Europe/Berlin", 4, "2026-03-01"),
        ("2026-03-02T02:59:00+00:00", "Europe/Berlin", 4, "2026-03-01"),
        ("2026-03-02T03:00:00+00:00", "Europe/Berlin", 4, "2026-03-02"),
        ("2026-03-29T01:30:00+00:00", "Europe/Berlin", 4, "2026-03-28"),  # 03:30 summer time: the hour 2 never was
        ("2026-03-29T02:00:00+00:00", "Europe/Berlin", 4, "2026-03-29"),
        ("2026-10-25T02:30:00+00:00", "Europe/Berlin", 4, "2026-10-24"),  # 03:30 winter time: the hour 2 came twice
        ("2026-10-25T03:00:00+00:00", "Europe/Berlin", 4, "2026-10-25"),
        ("2026-07-01T05:00:00+00:00", "America/Chicago", 0, "2026-07-01"),
        ("2026-07-01T04:59:00+00:00", "America/Chicago", 0, "2026-06-30"),
        ("2026-01-01T00:00:00+00:00", "Pacific/Kiritimati", 0, "2026-01-01"),
    ],
)
def test_a_business_day_is_the_shops_own_also_when_the_clock_is_changed(instant, tz, rollover, day):
    assert business_day(at(instant), tz, rollover).isoformat() == day


@given(
    st.integers(0, 10 * 365 * 86_400).map(lambda s: dt.datetime(2020, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=s)),
    st.sampled_from(["Europe/Berlin", "America/Chicago", "Asia/Shanghai", "Australia/Lord_Howe", "UTC"]),
    st.sampled_from([0, 4, 6]),
)
def test_every_instant_lies_in_its_own_business_day(instant, tz, rollover):
    day = business_day(instant, tz, rollover)
    assert day_start(day, tz, rollover) <= instant < day_start(day + dt.timedelta(days=1), tz, rollover)


@pytest.mark.parametrize(("day", "hours"), [("2026-03-28", 23), ("2026-10-24", 25), ("2026-06-01", 24)])
def test_a_business_day_over_a_clock_change_is_an_hour_shorter_or_longer(day, hours):
    first = dt.date.fromisoformat(day)
    begin, end = (day_start(one, "Europe/Berlin", 4) for one in (first, first + dt.timedelta(days=1)))
    assert end - begin == dt.timedelta(hours=hours)


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="without a zone"):
        as_utc(dt.datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(ValueError, match="without a zone"):
        FrozenClock(dt.datetime(2026, 1, 1))  # noqa: DTZ001


def test_two_practice_clocks_on_one_file_show_the_same_time(tmp_path):
    here, there = PracticeClock(tmp_path / "clock.json"), PracticeClock(tmp_path / "clock.json")
    assert abs((here.now() - dt.datetime.now(dt.UTC)).total_seconds()) < 5
    here.set(at("2031-05-06T07:08:09+00:00"))
    assert abs((there.now() - at("2031-05-06T07:08:09+00:00")).total_seconds()) < 5
    there.set(at("2019-05-06T07:08:09+00:00"))
    assert here.now().year == 2019


def test_a_machine_s_clock_never_shows_less_than_what_is_known_to_be_past():
    """I28: a dead battery puts a computer into another century; prices, days and people go on."""
    clock = SystemClock()
    assert clock.behind_s() == 0
    clock.hold(clock.now() - dt.timedelta(days=1))
    assert clock.behind_s() == 0, "a clock that shows more than what is past is right"
    known = clock.now() + dt.timedelta(days=300)
    clock.hold(known)
    clock.hold(known - dt.timedelta(days=200))
    first = clock.now()
    assert known <= first <= clock.now() < known + dt.timedelta(minutes=5)
    assert 299 < clock.behind_s() / 86_400 <= 300
