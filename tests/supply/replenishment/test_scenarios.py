"""Futures: the bookkeeping of the play, and that it orders as the proposals do."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.uncertainty.intervals import Dispersion
from supply.demand.shelf_life import Shelves
from supply.replenishment import policy
from supply.replenishment.policy import PolicyLine, decide, expected_outdating, ready, storefront_policy
from supply.replenishment.scenarios import Round, SupplierProducts, Week, _lines, _stands, _Store, play

DAYS = 21
DAILY = tuple(Round(day, day + 2, day + 3) for day in range(DAYS))
WEEKLY = (Round(1, 2, 9), Round(8, 9, 16), Round(15, 16, 23))
LEVELS = (8_500, 9_500, 9_900)


def products(rates, *, life=None, packs=6, rounds=DAILY, here=5.0, lots=(), coming=None):
    """Products that sell so much a day, each with this life and pack."""
    n = len(rates)
    lines = tuple(
        PolicyLine(f"P{row}", 0.0, 0.0, 0.0, 3.0, 1.0, 0, packs, 60 * packs, 100, shelf_life_days=life)
        for row in range(n)
    )
    daily = np.repeat(np.asarray(rates, dtype=float)[:, None], DAYS + 9, axis=1)
    spread = Dispersion(np.array([1.0]), np.array([1.2]), np.array([0.1]), np.ones(n))
    return SupplierProducts(lines, rounds, daily, spread, 1.0, np.full(n, here), lots, coming or {})


def futures(reported, count=6, seed=0):
    rng = np.random.default_rng(seed)
    return rng.poisson(np.repeat(reported.daily[:, None, :DAYS], count, axis=1)).astype(float)


def played(reported, wanted):
    return [one for (one,) in play([reported], [wanted], [storefront_policy(bp) for bp in LEVELS])]


RATES = st.lists(st.sampled_from([0.1, 0.7, 3.0, 12.0]), min_size=1, max_size=3)
ROUNDS = st.sampled_from([DAILY, WEEKLY])
FEW = settings(max_examples=12, deadline=None)


@FEW
@given(
    rates=RATES, life=st.sampled_from([None, 2, 5, 90]), packs=st.sampled_from([1, 6, 24]), rounds=ROUNDS,
    here=st.integers(0, 30), seed=st.integers(0, 99),
)  # fmt: skip
def test_what_was_there_and_came_was_sold_or_wasted_or_is_left(rates, life, packs, rounds, here, seed):
    reported = products(
        rates, life=life, packs=packs, rounds=rounds, here=float(here), coming={1: np.full(len(rates), 6.0)}
    )
    for one in played(reported, futures(reported, seed=seed)):
        np.testing.assert_array_equal(one.start + one.received, one.sold + one.wasted + one.left)
        assert min(part.min() for part in (one.received, one.sold, one.wasted, one.left, one.lost)) >= 0


def test_what_is_wanted_is_sold_or_lost_and_all_is_lost_where_nothing_is_and_nobody_brings_any():
    reported = products([3.0], rounds=(), here=0.0)
    wanted = futures(reported)
    (one, *_) = played(reported, wanted)
    np.testing.assert_array_equal(one.lost, wanted.sum(axis=2))
    np.testing.assert_array_equal(one.sold, 0)


@FEW
@given(rates=RATES, rounds=ROUNDS, here=st.integers(0, 30), seed=st.integers(0, 99))
def test_more_service_holds_no_less_and_loses_no_more_on_the_same_futures(rates, rounds, here, seed):
    reported = products(rates, packs=1, rounds=rounds, here=float(here))
    leaner, usual, fuller = played(reported, futures(reported, seed=seed))
    for less, more in ((leaner, usual), (usual, fuller)):
        assert (more.stock >= less.stock - 1e-9).all()
        assert (more.lost <= less.lost).all()


def test_what_expires_unsold_is_wasted_on_its_day_and_what_is_over_sells_no_more():
    reported = products([0.0], life=5, rounds=(), here=7.0, lots=[(0, 3.0, 1)])
    wanted = np.zeros((1, 2, DAYS))
    wanted[0, 1, :6] = 1.0
    (one, *_) = played(reported, wanted)
    assert one.wasted.tolist() == [[7.0, 7.0 - 5.0]]
    assert one.sold.tolist() == [[0.0, 5.0]]


def test_goods_on_the_way_come_on_their_day_and_those_ordered_after_the_supplier_s_days():
    reported = products([4.0], rounds=(Round(1, 3, 10),), here=0.0, coming={2: np.array([8.0])}, packs=1)
    ((one,),) = play([reported], [np.full((1, 1, DAYS), 4.0)], [storefront_policy(9_800)])
    ordered = one.received - 8.0
    assert one.lost >= 2 * 4.0, "today and tomorrow nothing is there"
    assert ordered > 0


@pytest.mark.parametrize(("life", "rounds"), [(None, DAILY), (4, DAILY), (30, WEEKLY)])
def test_a_future_is_ordered_for_as_a_proposal_decides(life, rounds):
    reported = products([0.4, 3.0, 9.0], life=life, rounds=rounds)
    one, rng = rounds[1], np.random.default_rng(3)
    shelves = Shelves(np.full(3, np.inf if life is None else min(life, DAYS + 1)), (3, 8))
    for row in range(3):
        shelves.put_old(row, 4.0, 1)
    shelves.put(rng.integers(0, 20, (3, 8)).astype(float))
    due = {one.order + 1: rng.integers(0, 9, (3, 8)).astype(float)}
    lines, stands = _lines(reported, one, one.order), _stands(reported, one, shelves, due, one.order)
    packs = policy.wanted(lines, stands, policy.OrderPolicy()).packs
    for row, line in enumerate(lines):
        for future in range(8):
            alone = line._replace(
                position_qty=stands.position[row, future], outdating_qty=stands.outdating[row, future],
                ready_qty=stands.ready[row, future],
            )  # fmt: skip
            assert decide(alone).packs == packs[row, future]


def test_what_is_ready_and_what_expires_in_a_future_is_what_a_proposal_reckons_with():
    reported = products([3.0], life=10)
    one = dataclasses.replace(DAILY[4], delivery=7, next_delivery=9)
    for here, came in ((0.0, 4.0), (2.0, 9.0), (20.0, 0.0)):
        shelves = Shelves(np.array([10.0]), (1, 1))
        shelves.put_old(0, here, 2)
        stands = _stands(reported, one, shelves, {5: np.array([[came]])}, one.order)
        assert stands.ready.item() == ready([3.0] * 3, here, {1: came})
        assert stands.outdating.item() == expected_outdating([(2, here)], [3.0] * 5)
        assert stands.position.item() == here + came


def test_no_seven_days_cost_more_than_the_week_s_money_and_no_order_less_than_the_minimum():
    reported = dataclasses.replace(products([3.0, 12.0], here=0.0), minimum_minor=1_500)
    week = Week(9_000, {-2: 4_000}, frozenset({reported.supplier_id}))
    store = _Store(
        [reported], [futures(reported)], storefront_policy(9_800), week, lambda _, one, day: _lines(reported, one, day)
    )
    for day in range(DAYS):
        store.play(day)
    spent = np.array([store.spent.get(day, np.zeros(6)) for day in range(DAYS)])
    weeks = np.array([spent[max(0, day - 6) : day + 1].sum(axis=0) + 4_000 * (day < 5) for day in range(DAYS)])
    assert weeks.max() <= 9_000
    assert weeks[5:].max() > 7_500, "what was ordered before no longer counts"
    assert spent[spent > 0].min() >= 1_500
