"""Packs from demand: newsvendor examples of the textbooks, and what holds for every product there could be."""

import math
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from supply.policy import (
    LEVELS,
    MOST_PACKS,
    Costs,
    Demand,
    OrderPolicy,
    PolicyLine,
    critical_ratio,
    decide,
    decide_basket,
    poisson_demand,
)


def normal_demand(mean=50.0, sd=8.0):
    return Demand(mean, tuple(NormalDist(mean, sd).inv_cdf(level) for level in LEVELS))


def line(**wishes):
    """Return milk: 4 a day for 3 days, 6 in a case, sold at 129 and bought at 92."""
    usual = {
        "sku": "milk", "demand": poisson_demand(12.0), "mean_before": 4.0, "interval_days": 3.0, "held_days": 2.0,
        "position_qty": 0, "pack_qty": 6, "pack_cost_minor": 552, "price_minor": 129,
    }  # fmt: skip
    return PolicyLine(**usual | wishes)


@st.composite
def lines(draw):
    steps = draw(st.lists(st.floats(0, 200), min_size=5, max_size=5))
    quantiles = [round(sum(steps[: n + 1]), 4) for n in range(5)]  # as they are stored
    mean = draw(st.floats(0, 1)) * quantiles[-1]
    pack_qty = draw(st.integers(1, 60))
    return PolicyLine(
        sku="x",
        demand=Demand(mean, tuple(quantiles)),
        mean_before=mean * draw(st.floats(0, 1)),
        interval_days=draw(st.floats(0.1, 30)),
        held_days=draw(st.floats(0, 14)),
        position_qty=draw(st.integers(-50, 900)),
        pack_qty=pack_qty,
        pack_cost_minor=draw(st.integers(0, 100_000)),
        price_minor=draw(st.integers(0, 5_000)),
        price_quantity=draw(st.sampled_from([1, 100, 1000])),
        minimum_packs=draw(st.integers(1, 8)),
        shelf_life_days=draw(st.none() | st.integers(1, 60)),
        service_level=draw(st.none() | st.floats(0.5, 0.99)),
    )


# --- the textbook ---


def test_the_critical_ratio_is_the_textbooks():
    assert critical_ratio(under=0.70, over=0.18) == pytest.approx(0.79545, abs=5e-6)
    assert critical_ratio(under=1 - 0.3, over=0.3 - 0.12) == pytest.approx(0.79545, abs=5e-6)


def test_normal_demand_gives_the_textbooks_level_and_cost():
    demand = normal_demand()
    assert demand.quantile(critical_ratio(0.70, 0.18)) == pytest.approx(56.6040, abs=5e-4)
    assert Costs(0.70, 0.18).expected(demand, 56.6040) == pytest.approx(1.99760, abs=5e-5)


def test_poisson_demand_gives_the_textbooks_level_and_nearly_its_cost():
    demand = poisson_demand(50)
    assert math.ceil(demand.quantile(critical_ratio(0.70, 0.18)) - 1e-6) == 56
    assert Costs(0.70, 0.18).expected(demand, 56) == pytest.approx(1.79724, rel=0.01)


def test_poisson_demand_comes_in_the_usual_size_of_a_sale():
    by_piece, by_weight = poisson_demand(9), poisson_demand(9 * 400, 400)
    assert by_weight.quantiles == tuple(400 * units for units in by_piece.quantiles)


# --- one product ---


def test_enough_stock_is_left_alone():
    decision = decide(line(position_qty=40))
    assert (decision.packs, decision.reason, decision.cost_minor) == (0, "enough", 0)


def test_an_order_fills_up_to_the_level_in_whole_packs():
    decision = decide(line(position_qty=5))
    assert decision.target_qty - 6 < 5 + 6 * decision.packs < decision.target_qty + 6
    assert decision.reason == "needed"


def test_what_cannot_be_served_before_the_goods_come_is_not_ordered():
    late = line(mean_before=8.0)
    assert decide(replace(late, position_qty=0)).packs == decide(replace(late, position_qty=8)).packs


def test_a_big_case_of_a_slow_seller_waits_and_a_small_one_comes():
    slow = line(demand=poisson_demand(0.3), mean_before=0.1, position_qty=1, service_level=0.98)
    assert decide(replace(slow, pack_qty=48, pack_cost_minor=48 * 92)).reason == "not-worth-a-pack"
    assert decide(replace(slow, pack_qty=1, pack_cost_minor=92)).packs > 0


def test_dear_shelves_hold_less():
    cheap, dear = OrderPolicy(holding_bp_a_day=5), OrderPolicy(holding_bp_a_day=400)
    assert decide(line(), dear).service_level < decide(line(), cheap).service_level
    assert decide(line(pack_qty=1, pack_cost_minor=92), dear).packs < decide(
        line(pack_qty=1, pack_cost_minor=92), cheap
    ).packs  # fmt: skip


def test_the_shopkeepers_own_level_is_kept():
    assert decide(line(service_level=0.6)).service_level == 0.6


def test_no_more_comes_than_sells_within_its_shelf_life():
    fresh = line(pack_qty=1, pack_cost_minor=92, shelf_life_days=2, service_level=0.98)
    assert decide(fresh).reason == "short-lived"
    assert decide(fresh).packs == 8  # 4 a day for 2 days
    assert decide(replace(fresh, position_qty=8)).packs == 4  # 4 of them are still there when it comes


def test_one_more_short_lived_pack_comes_only_if_its_sales_pay_for_its_waste():
    fresh = line(demand=poisson_demand(3), mean_before=1.0, shelf_life_days=1, pack_qty=2, price_minor=1000)
    assert decide(replace(fresh, pack_cost_minor=200)).packs == 1
    assert decide(replace(fresh, pack_cost_minor=1900)).packs == 0


def test_a_minimum_that_would_spoil_is_not_ordered():
    fresh = line(shelf_life_days=3, minimum_packs=5, pack_cost_minor=700)
    assert decide(fresh).packs == 0


def test_an_empty_shelf_is_filled_even_if_only_big_cases_come():
    slow = line(demand=poisson_demand(0.3), mean_before=0.2, held_days=1.0, pack_qty=12, pack_cost_minor=12 * 92)
    assert decide(replace(slow, position_qty=0)).packs == 1
    assert decide(replace(slow, position_qty=2)).packs == 0
    never = replace(slow, demand=poisson_demand(0.003), mean_before=0.002)
    assert decide(never).packs == 0


@pytest.mark.parametrize(
    ("mean", "pack_qty", "most_cover_days"), [(0.3, 6, 18), (1.0, 6, 8), (5.0, 12, 3), (20.0, 6, 2)]
)
def test_day_after_day_the_shelf_is_rarely_empty_and_never_overfull(mean, pack_qty, most_cover_days):
    """Daily order chances, two days to deliver, lost sales: 400 days of Poisson customers."""
    random = np.random.default_rng(7)
    stock, due, wanted, served, lying = round(3 * mean) + 1, [0, 0], 0, 0, 0
    for customers in random.poisson(mean, 400):
        stock += due.pop(0)
        seen = line(
            demand=poisson_demand(3 * mean), mean_before=2 * mean, held_days=1.0, position_qty=stock + sum(due),
            pack_qty=pack_qty, pack_cost_minor=92 * pack_qty,
        )  # fmt: skip
        due.append(decide(seen).packs * pack_qty)
        sold = min(stock, int(customers))
        stock, wanted, served, lying = stock - sold, wanted + int(customers), served + sold, lying + stock - sold
    assert served / wanted > 0.94
    assert lying / 400 / mean < most_cover_days


# --- a basket ---


def test_a_basket_below_the_minimum_is_filled_with_what_is_worth_most():
    milk, cake = line(), line(sku="cake", position_qty=16, price_minor=140)
    before = decide_basket([milk, cake])
    total = sum(one.cost_minor for one in before)
    filled = decide_basket([milk, cake], total + 1)
    assert sum(one.cost_minor for one in filled) >= total + 1
    assert any(one.reason == "filled-up" for one in filled)


def test_a_basket_that_is_dearer_to_fill_than_to_wait_with_is_postponed():
    tea = line(demand=poisson_demand(1.0), mean_before=0.3, pack_qty=1, pack_cost_minor=300, price_minor=390)
    assert decide(tea).packs > 0
    waiting = decide_basket([tea], 90_000)
    assert [(one.packs, one.reason) for one in waiting] == [(0, "postponed")]


def test_a_minimum_order_that_is_met_changes_nothing():
    assert decide_basket([line()], 1) == decide_basket([line()])


# --- everything there could be ---


@given(lines())
def test_packs_are_whole_never_negative_and_everything_is_finite(some):
    decision = decide(some)
    assert isinstance(decision.packs, int)
    assert 0 <= decision.packs <= MOST_PACKS
    assert math.isfinite(decision.service_level)
    assert decision.target_qty >= 0
    assert 0 <= decision.risk_bp <= 10_000


@given(lines(), st.integers(0, 300))
def test_more_stock_never_means_more_packs(some, more):
    assert decide(replace(some, position_qty=some.position_qty + more)).packs <= decide(some).packs


@given(lines(), st.integers(0, 500))
def test_without_demand_nothing_is_ordered(some, position):
    still = replace(some, demand=Demand(0.0, (0.0,) * 5), mean_before=0.0, position_qty=position)
    assert decide(still).packs == 0


@given(lines())
def test_what_is_ordered_is_at_least_the_minimum(some):
    packs = decide(some).packs
    assert packs == 0 or packs >= some.minimum_packs


@given(st.lists(lines(), min_size=1, max_size=6), st.integers(0, 2_000_000))
def test_a_basket_meets_the_suppliers_minimum_or_is_empty(some, minimum_minor):
    decisions = decide_basket(some, minimum_minor)
    total = sum(one.cost_minor for one in decisions)
    assert total == 0 or total >= minimum_minor
    assert all(one.packs == 0 or one.packs >= one.line.minimum_packs for one in decisions)
    assert [one.line for one in decisions] == some


@given(lines(), st.floats(0, 1500), st.floats(0, 300), st.floats(0, 300))
def test_lost_sales_fall_ever_more_slowly_with_the_stock(some, units, first, second):
    assume(first + second > 1e-6)
    lost = some.demand.lost
    middle = units + second
    share = second / (first + second)
    chord = lost(units) * (1 - share) + lost(middle + first) * share
    slack = 1e-6 * (1 + some.demand.quantiles[-1])
    assert lost(middle) <= chord + slack
    assert 0 <= lost(middle + first) <= lost(units) + slack


@given(lines(), st.floats(0.5, 0.989))
def test_the_quantile_and_the_risk_beyond_it_agree(some, level):
    units = some.demand.quantile(level)
    assert some.demand.beyond(units) <= 1 - level + 1e-6
