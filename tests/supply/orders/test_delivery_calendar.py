"""When a supplier works: order days, closed days and the hour up to which an order counts, as plain arithmetic."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supply.orders import delivery_calendar
from supply.orders.delivery_calendar import DeliveryCalendar

MONDAY = dt.date(2026, 3, 2)
DAILY = frozenset(range(7))


def days(*steps: int) -> frozenset[dt.date]:
    return frozenset(MONDAY + dt.timedelta(days=step) for step in steps)


def steps(found: delivery_calendar.OrderCycle) -> tuple[int, ...]:
    return tuple((day - MONDAY).days for day in vars(found).values())


def test_on_a_closed_day_no_order_is_taken_and_what_would_come_comes_on_the_next_open_day():
    assert steps(delivery_calendar.next_cycle(DeliveryCalendar(DAILY, 1, days(0)), MONDAY)) == (1, 2, 3)
    assert delivery_calendar.order_cycle(DeliveryCalendar(DAILY, 1, days(0)), MONDAY) is None
    assert steps(delivery_calendar.next_cycle(DeliveryCalendar(DAILY, 1, days(1, 2)), MONDAY)) == (0, 3, 4)
    assert steps(delivery_calendar.next_cycle(DeliveryCalendar(frozenset({0}), 2, days(7)), MONDAY)) == (0, 2, 16)


def test_two_order_days_that_bring_goods_on_one_day_count_as_one_delivery():
    # Saturday's and Sunday's orders both come on Tuesday, for Sunday and Monday are closed: stock lasts until Wednesday
    assert steps(
        delivery_calendar.next_cycle(DeliveryCalendar(DAILY, 1, days(6, 7)), MONDAY + dt.timedelta(days=5))
    ) == (
        5,
        8,
        9,
    )


@pytest.mark.parametrize(("minute", "ordered"), [(0, 0), (840, 0), (841, 3), (1500, 3)])
def test_what_is_ordered_after_the_cut_off_counts_for_the_next_order_day(minute, ordered):
    calendar = DeliveryCalendar(frozenset({0, 3}), 2, cut_off_minute=840)
    assert steps(delivery_calendar.next_cycle(calendar, MONDAY, minute=minute))[0] == ordered
    assert delivery_calendar.is_over(calendar, MONDAY, MONDAY, minute) is (ordered > 0)


@pytest.mark.parametrize(
    ("hour", "minute", "ordered"), [(2, 0, 0), (2, 1, 1), (23, 59, 1), (24, 30, 1), (26, 0, 1), (26, 1, 2), (27, 59, 2)]
)
def test_a_cut_off_in_the_night_is_over_when_the_clock_says_so_though_the_business_day_goes_on(hour, minute, ordered):
    calendar, now = DeliveryCalendar(DAILY, 1, cut_off_minute=120), hour * 60 + minute
    assert steps(delivery_calendar.next_cycle(calendar, MONDAY, minute=now))[0] == ordered
    over = [delivery_calendar.is_over(calendar, MONDAY + dt.timedelta(days=n), MONDAY, now) for n in range(4)]
    assert over == [n < ordered for n in range(4)]
    sent = delivery_calendar.order_cycle(calendar, MONDAY + dt.timedelta(days=1))
    assert steps(delivery_calendar.counted(calendar, sent, MONDAY, now))[0] == max(1, ordered)


def test_an_order_sent_after_its_cut_off_or_its_day_or_for_a_closed_day_moves():
    sent = delivery_calendar.OrderCycle(MONDAY, MONDAY + dt.timedelta(days=4), MONDAY + dt.timedelta(days=5))
    late = delivery_calendar.counted(DeliveryCalendar(DAILY, 2, cut_off_minute=600), sent, MONDAY, 601)
    assert steps(late) == (1, 5, 6), "as long on its way as it was planned with"
    assert delivery_calendar.counted(DeliveryCalendar(DAILY, 2, cut_off_minute=600), sent, MONDAY, 600) == sent
    assert delivery_calendar.counted(DeliveryCalendar(DAILY, 2), sent, MONDAY, 1700) == sent
    assert steps(delivery_calendar.counted(DeliveryCalendar(DAILY, 2), sent, MONDAY + dt.timedelta(days=1), 0)) == (
        1,
        5,
        6,
    )
    assert steps(
        delivery_calendar.counted(DeliveryCalendar(DAILY, 2, days(0, 1)), sent, MONDAY - dt.timedelta(days=1), 0)
    ) == (
        2,
        6,
        7,
    )


@pytest.mark.parametrize(
    ("ordered", "today", "minute", "days"),
    [
        (0, 0, 0, 8),  # Monday's, as long as one can order for Monday: until Tuesday week
        (0, 0, 700, 8),  # after the cut-off it is still Monday's
        (7, 0, 0, 8),  # who names a later day needs no more than who orders now
        (7, 0, 700, 15),  # who orders after the cut-off is served by next week's vehicle
        (0, 2, 0, 13),  # its vehicle has come: it counts as ordered now
    ],
)  # fmt: skip
def test_what_an_order_needs_reaches_until_the_van_after_its_own_and_no_farther(ordered, today, minute, days):
    weekly, day = DeliveryCalendar(frozenset({0}), 1, cut_off_minute=600), MONDAY + dt.timedelta(days=today)
    assert delivery_calendar.reach(weekly, MONDAY + dt.timedelta(days=ordered), day, minute) == days


def test_the_minute_is_of_the_business_day_also_past_midnight():
    night = dt.datetime(2026, 3, 3, 0, 30, tzinfo=dt.UTC)
    assert delivery_calendar.minute_of(night, MONDAY, "Europe/Berlin") == 24 * 60 + 90


@given(
    weekdays=st.frozensets(st.integers(0, 6), min_size=1), lead=st.integers(0, 9),
    closed=st.frozensets(st.integers(0, 40), max_size=25), minute=st.integers(0, 1700),
    cut_off=st.none() | st.integers(0, 1439), start=st.integers(0, 30), weeks=st.integers(1, 8),
)  # fmt: skip
def test_an_order_s_days_are_open_rise_and_are_never_sooner_than_asked_for(
    weekdays, lead, closed, minute, cut_off, start, weeks
):
    calendar = DeliveryCalendar(weekdays, lead, days(*closed), cut_off, weeks, MONDAY + dt.timedelta(days=3))
    assert delivery_calendar.read(delivery_calendar.written(calendar)) == calendar
    day = MONDAY + dt.timedelta(days=start)
    found = delivery_calendar.next_cycle(calendar, day, minute=minute)
    ordered, comes, after = vars(found).values()
    assert day <= ordered <= comes < after
    assert ordered.weekday() in weekdays
    assert (ordered - MONDAY).days // 7 % weeks == 0
    assert not {ordered, comes, after} & calendar.closed
    assert (comes - ordered).days >= lead
    assert cut_off is None or minute <= cut_off + (ordered - day).days * 24 * 60
