"""The walk past the shelf labels is short, and an inspection counts as NIST Handbook 130 does."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pos.catalogue.label_walk import Accuracy, Stop, accuracy, in_order, judged

AISLES, LONG, APART = 20, 150, 6
"""A made store: aisles of so many labels, one step apart, and the steps from one aisle's end to the next one's."""


def stop(sku: str, place: str = "", position: int = 0, **other: str) -> Stop:
    said = {"name": sku, "category": "", "department": "", "stock_unit": "each"} | other
    return Stop(sku, price_minor=100, price_quantity=1, place=place, position=position, **said)


def made_plan(seed: int) -> list[Stop]:
    """Give 3,000 labels whose SKUs say nothing about where they hang."""
    numbers = list(range(AISLES * LONG))
    random.Random(seed).shuffle(numbers)
    return [stop(f"sku{n:05}", f"A{1 + at // LONG}", 1 + at % LONG) for at, n in enumerate(numbers)]


def steps(walk: list[Stop]) -> int:
    """Measure a walk that begins and ends at the front; from aisle to aisle one goes round an end."""

    def between(one: tuple[int, int], two: tuple[int, int]) -> int:
        if one[0] == two[0]:
            return abs(one[1] - two[1])
        return APART * abs(one[0] - two[0]) + min(one[1] + two[1], 2 * LONG - one[1] - two[1])

    spots = [(1, 0), *((int(one.place[1:]), one.position) for one in walk), (1, 0)]
    return sum(between(one, two) for one, two in pairwise(spots))


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_the_walk_is_at_most_half_as_long_as_by_sku(seed, share):
    plan = made_plan(seed)
    waiting = random.Random(seed).sample(plan, round(len(plan) * share))
    assert 2 * steps(in_order(waiting)) <= steps(sorted(waiting, key=lambda one: one.sku))


@given(
    st.lists(st.tuples(st.sampled_from(["", "A2", "A10", "Cold"]), st.integers(0, 5)), max_size=20),
    st.none() | st.tuples(st.sampled_from(["", "A2", "B", "Z"]), st.integers(0, 5)),
)
def test_every_label_is_visited_once_and_no_place_twice(where, here):
    stops = [stop(f"s{n}", place, position) for n, (place, position) in enumerate(where)]
    walk = in_order(stops, here)
    assert sorted(one.sku for one in walk) == sorted(one.sku for one in stops)
    places = [one.place for one in walk]
    assert sum(one != two for one, two in pairwise(places)) == max(0, len(set(places)) - 1)


def test_places_come_in_the_order_of_their_numbers_and_what_has_none_last_by_category():
    walk = in_order([
        stop("tea", category="Tea"), stop("beer", category="Drinks"), stop("oil", "A10"), stop("rice", "A2"),
    ])  # fmt: skip
    assert [one.sku for one in walk] == ["rice", "oil", "beer", "tea"]


def test_the_walk_goes_on_from_the_last_scan_at_the_nearer_end_of_a_place_and_comes_round():
    plan = [stop("a", "A1", 1), stop("b", "A2", 2), stop("c", "A2", 9), stop("d", "A3", 1), stop("e", "A3", 8)]
    assert [one.sku for one in in_order(plan, ("A2", 9))] == ["c", "b", "d", "e", "a"]
    assert [one.sku for one in in_order(plan)] == ["a", "b", "c", "e", "d"]


def test_a_label_below_the_till_overcharges_and_one_above_it_undercharges():
    assert judged(249, 1, 249, 1) == "right"
    assert judged(249, 1, 259, 1) == "over"
    assert judged(249, 1, 239, 1) == "under"
    assert judged(199, 100, 1_990, 1_000) == "right", "per 100 g and per kilogram"
    assert judged(None, 1, 249, 1) == "missing"


def test_an_inspection_passes_at_98_percent_and_not_a_hair_below():
    assert accuracy(["right"] * 49 + ["over"]).passes
    assert not accuracy(["right"] * 48 + ["over", "under"]).passes
    hair = accuracy(["right"] * 19_599 + ["over"] * 401)
    assert (hair.accuracy_bp, hair.passes) == (9_799, False), "97.995 % is rounded down"
    assert accuracy(["right", "over", "over", "under", "missing"]) == Accuracy(1, 2, 1, 1)
    assert accuracy(["right", "missing"]).accuracy_bp == 10_000, "where no label hangs nothing was looked at"
    assert accuracy([]).accuracy_bp is None
