"""Payments, due days, ages and limits: the arithmetic alone."""

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supply.money.credit_limit import LimitFacts, LimitTerms, counted_days, counted_weeks, limit_of
from supply.money.settlement_math import Open, Stocked, ages, day_fee, sell_through_days, share_payment

DAY = dt.date(2026, 3, 2)
TERMS = LimitTerms(weeks_bp=10_000, first_bp=5_000, cap_minor=1_000_000, whole_minor=100, first_most_minor=10**9)
INVOICES = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10_000)), max_size=8).map(
    lambda rows: [Open(f"i{n}", n, DAY + dt.timedelta(days=due), left) for n, (due, left) in enumerate(rows)]
)


@given(st.integers(0, 50_000), INVOICES)
def test_a_payment_pays_what_is_due_first_and_leaves_at_most_one_in_part(amount, invoices):
    paid = dict(share_payment(amount, invoices))
    assert sum(paid.values()) == min(amount, sum(one.left_minor for one in invoices))
    ranked = sorted(invoices, key=lambda one: (one.due_day, one.no))
    whole = [paid.get(one.id, 0) == one.left_minor for one in ranked]
    assert whole == sorted(whole, reverse=True), "a later one is paid only after every earlier one"
    assert sum(0 < paid.get(one.id, 0) < one.left_minor for one in ranked) <= 1


def test_credit_falls_due_when_four_fifths_of_the_cost_have_left_the_shelf():
    quick = Stocked(cost_minor=8_000, qty=12, before_milli=0, per_day_milli=1_500)  # 8 days
    slow = Stocked(cost_minor=2_000, qty=10, before_milli=10_000, per_day_milli=1_000)  # 20 days
    assert sell_through_days([quick, slow], least_days=3, most_days=28) == 8
    assert sell_through_days([slow], least_days=3, most_days=28) == 20
    assert sell_through_days([slow], least_days=3, most_days=14) == 14
    assert sell_through_days([quick], least_days=10, most_days=14) == 10
    unsold = Stocked(cost_minor=5_000, qty=1, before_milli=0, per_day_milli=0)
    assert sell_through_days([quick, unsold], least_days=3, most_days=28) == 28
    assert sell_through_days([], least_days=3, most_days=28) == 28


def test_ages_count_from_the_due_day():
    days = (1, 0, -1, -7, -8, -30, -31, -60, -61)
    rows = [Open(str(n), n, DAY + dt.timedelta(days=late), 10**n) for n, late in enumerate(days)]
    assert ages(rows, DAY) == [11, 1_100, 110_000, 11_000_000, 100_000_000]
    assert day_fee(12_345, 300) == 4
    assert day_fee(12_345, 0) == 0


@pytest.mark.parametrize(
    ("due", "on_time", "expected"),
    [(0, 0, 45_000), (10_000, 10_000, 90_000), (10_000, 7_500, 45_000), (10_000, 5_000, 0), (10_000, 0, 0)],
)
def test_a_limit_falls_with_what_was_paid_late(due, on_time, expected):
    weeks = (90_000, 100_000, 100_000, 110_000, 120_000)  # the lower quartile equals the median but for the first
    found, steps = limit_of(LimitFacts(tuple(sorted(weeks)), due, on_time, 9_000), TERMS)
    assert found == expected
    assert [step.name for step in steps] == ["typical-week", "weeks", "steady", "repaid", "standing", "limit"]


def test_a_new_shop_has_no_credit_and_the_cap_is_said():
    assert limit_of(LimitFacts((5_000, 6_000, 7_000), 0, 0, 10_000), TERMS)[0] == 0
    found, steps = limit_of(LimitFacts((90_000_000,) * 13, 100, 100, 10_000), TERMS)
    assert found == 1_000_000
    assert steps[-2].name == "cap"


def test_what_a_shop_says_it_sold_lifts_its_limit_by_little():
    honest, terms = (100_000,) * 6, replace(TERMS, first_most_minor=200_000)
    _, steps = limit_of(LimitFacts((*honest, *(10**9,) * 7), 0, 0, 10_000), TERMS)
    assert steps[0].after_minor == 150_000, "half as much again as what it always sold, after seven weeks"
    assert counted_weeks((0, 50_000, 0, 50_000, 0, 0, 60_000)) == [0, 50_000, 0, 50_000, 0, 0, 60_000]
    assert counted_days((9_000, 10_000, 0, 11_000, 10**9)) == [9_000, 10_000, 0, 11_000, 31_500]
    found, steps = limit_of(LimitFacts((10**9,) * 13, 0, 0, 10_000), replace(terms, first_bp=10_000))
    assert (found, steps[-2].name) == (200_000, "proved"), "weeks invented from the first on are worth the first sum"
    assert limit_of(LimitFacts((10**9,) * 13, 300_000, 300_000, 10_000), terms)[0] == 800_000, "and what was paid back"


@given(st.lists(st.integers(0, 10**7), min_size=4, max_size=13), st.integers(0, 10**6), st.integers(0, 10**6))
def test_more_sales_or_better_repayment_never_lower_a_limit(weeks, due, on_time):
    on_time = min(due, on_time)
    base = limit_of(LimitFacts(tuple(weeks), due, on_time, 10_000), TERMS)[0]
    assert 0 <= base <= TERMS.cap_minor
    if due:
        assert limit_of(LimitFacts(tuple(weeks), due, due, 10_000), TERMS)[0] >= base
    assert limit_of(LimitFacts(tuple(2 * one for one in weeks), due, on_time, 10_000), TERMS)[0] >= base
