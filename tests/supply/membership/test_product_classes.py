"""ABC and XYZ: each class by its line."""

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from supply.demand.history import RegionalDemand
from supply.membership import dashboard, product_classes
from supply.membership.dashboard import Period
from supply.membership.product_classes import WEEKS, by_sales, evenness
from tests.supply.membership.test_dashboard import WEEK, network
from tests.supply.sold import DAY

__all__ = ["network"]


def test_the_product_that_reaches_a_line_is_before_it():
    assert by_sales([500, 300, 100, 50, 30, 20]) == ["A", "A", "B", "B", "C", "C"]
    assert by_sales([799, 1, 150, 50]) == ["A", "A", "B", "C"]
    assert by_sales([801, 149, 50]) == ["A", "B", "C"]
    assert by_sales([10, 0, -5]) == ["A", "", ""]
    assert by_sales([]) == []


@given(st.lists(st.integers(-100, 10_000), max_size=40))
def test_classes_fall_with_sales_and_a_alone_brings_four_fifths(sales):
    sales.sort(reverse=True)
    found = by_sales(sales)
    classed = [letter for letter in found if letter]
    assert classed == sorted(classed)
    assert len(classed) == sum(minor > 0 for minor in sales)
    brought = {letter: sum(minor for minor, one in zip(sales, found, strict=True) if one == letter) for letter in "ABC"}
    assert brought["A"] * 5 >= sum(brought.values()) * 4
    assert (brought["A"] + brought["B"]) * 20 >= sum(brought.values()) * 19


@pytest.mark.parametrize(("weekly", "letter"), [
    ([4] * 13, "X"), ([3, 1] * 6, "X"), ([7, 1] * 6, "Y"), ([8, 0] * 6, "Y"), ([0, 9, 0, 0, 0, 0, 9, 0, 0], "Z"),
    ([0] * 8 + [4] * 5, ""), ([0] * 7 + [4] * 6, "X"), ([0] * 13, ""), ([5, -5, 0, 0, 0, 0], "Z"),
])  # fmt: skip
def test_how_evenly_a_product_sells_is_told_from_its_first_week_on(weekly, letter):
    assert evenness(weekly) == letter


def test_weeks_end_with_the_period_and_a_region_counts_its_own(network):
    with network.write() as session:
        session.execute(sa.delete(RegionalDemand))
        for n in range(7 * WEEKS):
            for region, qty in (("R1", 2), ("R2", 14 if n % 7 == 0 and n // 7 % 4 == 0 else 0)):
                day = DAY - dt.timedelta(days=n)
                session.add(RegionalDemand(region_id=region, sku="bread", business_day=day, sold_qty=qty,
                                           revenue_minor=qty * 250, stores_open=1, stores_selling=1))  # fmt: skip
    with network.read() as session:
        for region, letter in (("R1", "X"), ("R2", "Z"), (None, "X")):
            parts = dashboard.products(session, WEEK, "Bakery", region)
            assert product_classes.classes(session, WEEK, parts, region) == {"bread": ("A", letter)}
        early = Period.until(DAY - dt.timedelta(days=7 * (WEEKS - 5)), 7)
        parts = dashboard.products(session, early, "Bakery", "R1")
        assert product_classes.classes(session, early, parts, "R1") == {"bread": ("A", "")}, "five weeks"
