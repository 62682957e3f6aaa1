"""A region's earlier sums are divided by the part of today's region that traded then."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.series.growth import LEAST_PART, part_then

DAYS = 100


def part(*stores: tuple[int, int, float]) -> np.ndarray:
    """Return the part each day of stores as (first day, last day, size)."""
    first, last, size = (np.array(column) for column in zip(*stores, strict=True))
    return part_then(first, last, size.astype(float), DAYS)


def test_shops_that_were_always_there_are_the_whole_region():
    assert (part((-300, 99, 10), (0, 120, 3)) == 1.0).all()


def test_a_shop_that_opens_later_makes_the_days_before_a_part_as_large_as_the_others():
    found = part((0, 99, 30), (60, 99, 10))
    assert (set(found[:60]), set(found[60:])) == ({0.75}, {1.0})


def test_a_shop_that_is_gone_makes_its_days_more_than_todays_region():
    found = part((0, 99, 30), (0, 39, 15))
    assert (set(found[:40]), set(found[40:])) == ({1.5}, {1.0})


def test_shops_count_alike_where_the_takings_of_one_are_not_known():
    assert set(part((0, 99, 30), (50, 99, 0))[:50]) == {0.5}


def test_too_small_a_part_tells_nothing_and_a_region_without_shops_is_left_as_it_is():
    assert np.isnan(part((0, 99, LEAST_PART), (50, 99, 1))[:50]).all()
    assert (part((0, 50, 3)) == 1.0).all()
    assert (part_then(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0), DAYS) == 1.0).all()


@given(st.lists(st.tuples(st.integers(-50, 99), st.floats(0.5, 50)), min_size=1, max_size=12))
def test_shops_that_sell_the_same_every_day_are_one_level_line_whenever_they_opened(stores):
    sums = sum(np.where(np.arange(DAYS) >= first, size, 0.0) for first, size in stores)
    line = sums / part(*((first, DAYS, size) for first, size in stores))
    today = sum(size for _first, size in stores)
    assert line[np.isfinite(line)] == pytest.approx(today)
