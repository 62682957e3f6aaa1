"""Packs from demand: newsvendor examples of the textbooks, and what holds for every product there could be."""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import nbinom, poisson

from supply.demand.lead_time_demand import (
    Demand,
    critical_ratio,
    lately_factor,
    least_chance,
    packs_to,
    reorder_point,
    spread_trust,
)
from supply.orders.suppliers import MOST_PACKS
from supply.replenishment.policy import (
    OrderPolicy,
    PolicyLine,
    decide,
    decide_basket,
    ready,
    share_money,
    total_costs,
    worth,
)
from supply.replenishment.supplier_minimums import MOST_FILLED


def selling(mean, size=1.0):
    """Return the wishes of a line that sells so much by chance until the vehicle after the next."""
    return {"mean": mean, "variance": mean * size}


def line(**wishes):
    """Return milk: 4 a day for 3 days, 6 in a case, sold at 129 and bought at 92."""
    usual = {
        "sku": "milk", **selling(12.0), "mean_before": 4.0, "interval_days": 3.0, "held_days": 2.0,
        "position_qty": 0, "pack_qty": 6, "pack_cost_minor": 552, "price_minor": 129,
    }  # fmt: skip
    return PolicyLine(**usual | wishes)


@st.composite
def lines(draw):
    mean = draw(st.floats(0, 400))
    pack_qty = draw(st.integers(1, 60))
    return PolicyLine(
        sku="x",
        mean=mean,
        variance=mean * draw(st.floats(0.5, 20)),
        mean_before=mean * draw(st.floats(0, 1)),
        interval_days=draw(st.just(0.0) | st.floats(0.1, 30)),
        held_days=draw(st.floats(0, 14)),
        position_qty=draw(st.integers(-50, 900)),
        pack_qty=pack_qty,
        pack_cost_minor=draw(st.integers(0, 100_000)),
        price_minor=draw(st.integers(0, 5_000)),
        price_quantity=draw(st.sampled_from([1, 100, 1000])),
        minimum_packs=draw(st.integers(1, 8)),
        shelf_life_days=draw(st.none() | st.integers(1, 60)),
        service_level=draw(st.none() | st.floats(0.5, 0.99)),
        outdating_qty=draw(st.floats(0, 20)),
        presentation_qty=draw(st.integers(0, 12)),
        capacity_qty=draw(st.none() | st.integers(0, 500)),
        usual_a_day=draw(st.floats(0, 50)),
    )


# --- the textbook ---


def test_the_critical_ratio_is_the_textbooks():
    assert critical_ratio(0.70, 0.18) == pytest.approx(0.79545, abs=5e-6)
    assert critical_ratio(1 - 0.3, 0.3 - 0.12) == pytest.approx(0.79545, abs=5e-6)


def test_the_next_pack_comes_while_its_units_are_likely_enough_wanted():
    point = reorder_point(Demand(np.array([12.0]), np.array([12.0])), 6, 0.1)[0]
    chance = [poisson.sf(np.arange(x, x + 6), 12).mean() for x in (point, point + 1)]
    assert chance[0] > 0.1 > chance[1]
    assert packs_to(np.array([point]), np.array([point - 6.0, point, point + 1.0]), 6).tolist() == [2, 1, 0]


def test_a_pack_is_wanted_likelier_where_few_buy_much_at_once_where_it_lasts_for_long_and_on_busy_days():
    def least(spread=1.0, pack=6.0, held=1.0, level=0.95, **reported):
        demand = Demand(np.array([12.0]), np.array([12.0 * spread]))
        return float(least_chance(demand, pack, level, days=3.0, held_days=held, **reported)[0])

    assert least() == pytest.approx(0.05, rel=1e-3), "by chance, and sold within days: what the level leaves"
    assert 1.4 < least(spread=4.0) / least() < 1.6
    assert least(spread=4.0, held=3.0) == pytest.approx(least(), rel=1e-2), "no later order fears the same customer"
    assert least(pack=480.0) > 2 * least(pack=120.0), "four months, and one"
    assert least(pack=120.0) == pytest.approx(least())
    assert least(usual=3.0) == pytest.approx(4 / 3 * least(), rel=2e-2), "what is left of busy days goes slower"
    assert least(usual=4.0) == pytest.approx(least())
    assert least(usual=0.1) == least(usual=2.0), "within bounds"
    assert least(lately_spread=4.0) < 0.65 * least(), "what is harder to foresee just now comes sooner"
    assert least(spread=4.0, lately_spread=4.0) == pytest.approx(least(spread=4.0)), "as told"
    assert least(lately_spread=6.0) == pytest.approx(least(lately_spread=60.0), rel=1e-2), "within a bound"
    assert least(lately_spread=0.0) > 1.3 * least()
    assert least(spread=4.0, lately_spread=12.0) / least(spread=4.0) > least(lately_spread=3.0) / least(), (
        "few who buy much at once show less in as many days"
    )
    assert least(spread=99.0, pack=999.0, level=0.5) < 1
    bursty = line(**selling(12.0, 6.0), position_qty=17, pack_qty=1, pack_cost_minor=92)
    assert decide(bursty).packs < decide(bursty._replace(service_level=decide(bursty).service_level)).packs, (
        "who sets a level gets it"
    )


@given(st.floats(0.0, 500.0), st.floats(0.5, 50.0), st.floats(1.0, 10.0))
def test_the_last_days_are_believed_never_less_the_more_of_a_line_they_show(a_day, spread, more):
    trust, busier, burstier = spread_trust(
        np.array([a_day, a_day * more, a_day]), np.array([spread, spread, spread * more])
    )
    assert 0.0 <= burstier <= trust <= busier < 0.7, "what chance alone leaves of six weeks, however much is sold"


def test_the_last_days_are_believed_as_far_as_lines_differ_beyond_chance():
    """Simulated: how much the ratio of six weeks varies in samples of one law."""
    draw = np.random.default_rng(5)
    for a_day, spread in ((8.0, 1.001), (8.0, 3.0), (2.0, 1.5)):
        sold = draw.negative_binomial(a_day / (spread - 1.0), 1.0 / spread, size=(4000, 42))
        chance = np.var(sold.var(axis=1) / sold.mean(axis=1)) / spread**2
        assert spread_trust(np.array(a_day), np.array(spread)) == pytest.approx(0.08 / (0.08 + chance), rel=0.05)


def test_floor_and_ceiling_are_judged_by_what_they_cost():
    for position in range(22):
        some = line(position_qty=position, mean_before=0.0, service_level=0.9)
        packs = decide(some).packs
        over = 1 / 9

        def cost(count, position=position, over=over):
            wanted = np.arange(200)
            gap = position + 6 * count - wanted
            weights = np.where(gap < 0, -gap, gap * over)
            return float((weights * poisson.pmf(wanted, 12)).sum())

        assert cost(packs) == pytest.approx(min(cost(count) for count in range(8)), rel=2e-3)


@pytest.mark.parametrize(
    "wishes",
    [{}, {"held_days": 9.0}, {"shelf_life_days": 20, "held_days": 9.0}, {"shelf_life_days": 1}, {"price_minor": 60},
     {"price_minor": 129_000, "price_quantity": 1000}],
)  # fmt: skip
def test_the_service_level_weighs_margin_against_holding_and_waste(wishes):
    some = line(pack_cost_minor=480, **wishes)
    cost, held, life = 80.0, some.held_days, some.shelf_life_days
    margin = max(some.price_minor / some.price_quantity - cost, 0.05 * cost)
    over = cost * held * 0.003 + (cost * min(1.0, held / life) ** 2 if life else 0.0)
    level = min(0.98, max(0.75, margin / (margin + over)))
    assert decide(some).service_level == pytest.approx(level, rel=1e-12)
    assert decide(some, OrderPolicy(lowest_level=0.0, highest_level=1.0)).service_level == pytest.approx(
        margin / (margin + over), rel=1e-12
    )


def lost(mean: float, there: float) -> float:
    """Return what is wanted in vain of so much, where customers come by chance, summed unit by unit."""
    wanted = np.arange(400)
    return float((np.maximum(wanted - there, 0.0) * poisson.pmf(wanted, mean)).sum())


@pytest.mark.parametrize(
    "wishes",
    [{}, {"position_qty": 2}, {"position_qty": 30}, {"position_qty": 90, "shelf_life_days": 8},
     {"position_qty": 14, "outdating_qty": 6.0, "shelf_life_days": 90}, {"position_qty": 10, "ready_qty": 1.0},
     {"position_qty": 9000, "shelf_life_days": 5000}, {"position_qty": 30, "interval_days": 1.0},
     {"position_qty": 20, **selling(0.0), "mean_before": 0.0}],
)  # fmt: skip
def test_what_stands_in_a_store_is_worth_the_margin_it_brings_less_its_keeping_and_what_expires(wishes):
    some = line(**wishes)
    decision, rate = decide(some), some.mean / some.interval_days
    there = decision.counted_qty + 6 * decision.packs
    in_time = some.position_qty if some.ready_qty is None else some.ready_qty
    early, late = lost(some.mean_before, in_time), lost(some.mean, there)
    left = there - some.mean + late
    kept_days = min(some.interval_days / 2 + left / rate / 2, 180) if rate else 180
    stale = max(0.0, left - rate * some.shelf_life_days) if some.shelf_life_days else 0.0
    brings = 37 * (some.mean - early - late)
    costs = 92 * 0.003 * left * kept_days + 92 * (stale + some.outdating_qty)
    assert worth([some]).item() == pytest.approx(brings - costs, rel=1e-3, abs=0.1)


@pytest.mark.parametrize(
    "wishes", [{}, {"position_qty": 9}, {"position_qty": 9, "ready_qty": 1.0}, {"minimum_packs": 4}, {"held_days": 9.0}]
)
def test_a_supplier_costs_what_is_bought_lost_and_held_until_all_have_come_twice(wishes):
    some, slow = line(**wishes), line(**selling(0.0), mean_before=0.0, interval_days=10.0)
    in_time = some.position_qty if some.ready_qty is None else some.ready_qty
    bought = 92 * 4 * 10
    held = 92 * 0.003 * 10 * max(6 * some.minimum_packs, 4 * some.held_days) / 2
    rare = line(**selling(0.6), mean_before=0.2, position_qty=0)
    costs = total_costs([some, slow, rare])
    assert costs[0] == pytest.approx(bought + 37 * lost(4.0, in_time) + held, rel=1e-3)
    assert costs[1] == pytest.approx(bought + 92 * 0.003 * 10 * 6 / 2, rel=1e-3), "of what nobody wants none is lost"
    assert costs[2] == pytest.approx(costs[1] + 37 * 0.2, rel=1e-3)


# --- one product ---


def test_enough_stock_is_left_alone():
    decision = decide(line(position_qty=40))
    assert (decision.packs, decision.reason, decision.cost_minor) == (0, "enough", 0)


def test_an_order_fills_up_to_the_level_in_whole_packs():
    decision = decide(line(position_qty=5))
    assert decision.target_qty - 6 < 5 + 6 * decision.packs < decision.target_qty + 6
    assert decision.reason == "needed"


@pytest.mark.parametrize("position", [5, 11, 40])
def test_the_last_pack_is_worth_the_margin_of_what_it_sells_less_what_the_rest_of_it_costs(position):
    some = line(position_qty=position, service_level=0.9)
    decision = decide(some)
    there = position + lost(4.0, position) + 6 * decision.packs
    sold = lost(12.0, there - 6) - lost(12.0, there) if decision.packs else 0.0
    rest = 6 - sold if decision.packs else 0.0
    assert decision.value_minor == pytest.approx(37 * sold - 37 * 0.1 / 0.9 * rest, rel=2e-3)


def test_every_number_of_packs_tells_its_risk_also_after_one_that_leaves_none():
    busy, slow = selling(12.0, 1.5), selling(0.2, 1.5)
    for some in (line(**busy), line(**busy, pack_qty=1), line(**busy, position_qty=40), line(**slow)):
        r, p = some.mean**2 / (some.variance - some.mean), some.mean / some.variance
        there = decide(some).counted_qty + some.pack_qty * np.arange(13)
        assert decide(some).risks_bp == tuple(np.rint(1e4 * nbinom.sf(np.floor(there), r, p)).astype(int))


def test_what_cannot_be_served_before_the_goods_come_is_not_ordered():
    late = line(mean_before=8.0)
    assert decide(late._replace(position_qty=0)).packs == decide(late._replace(position_qty=8)).packs


def test_what_may_be_left_when_the_goods_come_counts():
    some = line(mean_before=4.0, position_qty=4)
    assert decide(some).counted_qty == pytest.approx(4.0 + lost(4.0, 4.0), rel=1e-3)
    assert decide(some._replace(position_qty=0)).counted_qty == 4.0
    slow = line(**selling(4.0), mean_before=3.0, position_qty=3, pack_qty=1, pack_cost_minor=92, service_level=0.8)
    assert decide(slow).packs == decide(slow._replace(position_qty=0)).packs - 1, "one of the three is left on average"


def test_a_big_case_of_a_slow_seller_waits_and_a_small_one_comes():
    slow = line(**selling(0.3), mean_before=0.1, position_qty=1, service_level=0.98)
    assert decide(slow._replace(pack_qty=48, pack_cost_minor=48 * 92)).reason == "not-worth-a-pack"
    assert decide(slow._replace(pack_qty=1, pack_cost_minor=92)).packs > 0


def test_dear_shelves_hold_less():
    cheap, dear = OrderPolicy(holding_bp_a_day=5), OrderPolicy(holding_bp_a_day=400)
    assert decide(line(), dear).service_level < decide(line(), cheap).service_level
    assert decide(line(pack_qty=1, pack_cost_minor=92), dear).packs < decide(
        line(pack_qty=1, pack_cost_minor=92), cheap
    ).packs  # fmt: skip


def test_the_shopkeepers_own_level_is_kept():
    assert decide(line(service_level=0.6)).service_level == 0.6


def test_no_pack_comes_that_hardly_sells_within_its_shelf_life():
    kept = {"mean_before": 4.0, "interval_days": 21.0, "held_days": 20.0, "shelf_life_days": 8, "service_level": 0.98}
    lasting = line(pack_qty=1, pack_cost_minor=92, **selling(84.0), **kept)
    decision = decide(lasting)
    assert decision.reason == "short-lived"
    # 4 a day until it comes are lost, then 8 days: the last unit sells in more than 92 of 129 cases, one more does not
    last = 4 + decision.packs
    assert poisson.sf(last - 1, 36) > 92 / 129 > poisson.sf(last, 36)
    assert decide(lasting._replace(position_qty=8)).packs == decision.packs - 4  # 4 are still there when it comes


@pytest.mark.parametrize("life", [2, 4, 6])
def test_no_pack_of_fresh_goods_comes_that_is_likelier_to_spoil_than_to_be_missed_by_what_both_cost(life):
    fresh = line(pack_qty=1, pack_cost_minor=92, shelf_life_days=life, service_level=0.98)
    decision = decide(fresh)
    assert decision.reason == "short-lived"

    def pays(units: int) -> bool:  # 12 are wanted until the delivery after the next, and 4 a day until it is over
        return 37 * poisson.sf(units, 12) >= 92 * poisson.cdf(units, 4 + 4 * life)

    last = 4 + decision.packs
    assert pays(last - 1)
    assert not pays(last)
    assert decide(fresh._replace(shelf_life_days=life + 2)).packs > decision.packs


def test_fresh_goods_demand_goes_along_with_the_last_fortnight_as_far_as_chance_does_not_explain_it():
    assert lately_factor(4.2, 4.0) == pytest.approx(1.0, abs=0.01), "a good day or two"
    assert 1.5 < lately_factor(8.0, 4.0) < 1.7, "twice as much for a fortnight"
    assert lately_factor(0.8, 0.4) < lately_factor(8.0, 4.0), "few units prove little"
    assert (lately_factor(0.0, 40.0), lately_factor(400.0, 4.0), lately_factor(0.0, 0.0)) == (0.5, 2.0, 1.0)


def test_what_expires_before_it_sells_does_not_count_as_stock():
    assert decide(line(position_qty=16, outdating_qty=10.0)).packs == decide(line(position_qty=6)).packs


def test_what_stands_for_show_is_kept_on_top():
    assert decide(line(position_qty=16, presentation_qty=6)).packs == decide(line(position_qty=10)).packs


def test_no_more_comes_than_the_shelf_holds():
    decision = decide(line(position_qty=4, capacity_qty=13))
    assert (decision.packs, decision.reason) == (2, "no-room")
    wanted = decide(line(position_qty=4)).packs
    some_left = 1
    assert decide(line(position_qty=4, capacity_qty=6 * wanted + some_left)).reason == "needed", "all of it finds room"
    decision = decide(line(**selling(40.0), position_qty=16, capacity_qty=24))  # of which 12 lie there when it comes
    assert (decision.packs, decision.reason) == (2, "no-room")


def test_one_more_short_lived_pack_comes_only_if_its_sales_pay_for_its_waste():
    fresh = line(**selling(3), mean_before=1.0, shelf_life_days=1, pack_qty=2, price_minor=1000)
    assert decide(fresh._replace(pack_cost_minor=200)).packs == 1
    assert decide(fresh._replace(pack_cost_minor=1900)).packs == 0


def test_a_minimum_that_would_spoil_is_not_ordered():
    fresh = line(shelf_life_days=3, minimum_packs=5, pack_cost_minor=700)
    assert decide(fresh).packs == 0


def test_an_empty_shelf_is_filled_even_if_only_big_cases_come():
    slow = line(**selling(0.3), mean_before=0.2, held_days=1.0, pack_qty=12, pack_cost_minor=12 * 92)
    assert decide(slow._replace(position_qty=0)).packs == 1
    assert decide(slow._replace(position_qty=2)).packs == 0
    shown = slow._replace(service_level=0.999)
    assert [decide(shown._replace(position_qty=here)).packs for here in (0, 1, 2)] == [1, 1, 0], "one left is not empty"
    never = slow._replace(**selling(0.003), mean_before=0.002)
    assert decide(never).packs == 0


@pytest.mark.parametrize(
    ("mean", "pack_qty", "most_cover_days"), [(0.3, 6, 18), (1.0, 6, 8), (5.0, 12, 3), (20.0, 6, 2)]
)
def test_day_after_day_the_shelf_is_rarely_empty_and_never_overfull(mean, pack_qty, most_cover_days):
    """Daily order chances, two days to deliver, lost sales: 400 days of Poisson customers."""
    random = np.random.default_rng(7)
    stock, due, wanted, served, lying = round(3 * mean) + 1, [0, 0], 0, 0, 0
    for customers in random.poisson(mean, 200):
        stock += due.pop(0)
        seen = line(
            **selling(3 * mean), mean_before=2 * mean, held_days=1.0, position_qty=stock + sum(due),
            pack_qty=pack_qty, pack_cost_minor=92 * pack_qty,
        )  # fmt: skip
        due.append(decide(seen).packs * pack_qty)
        sold = min(stock, int(customers))
        stock, wanted, served, lying = stock - sold, wanted + int(customers), served + sold, lying + stock - sold
    assert served / wanted > 0.94
    assert lying / 200 / mean < most_cover_days


# --- a basket ---


def test_a_basket_below_the_minimum_is_filled_with_what_is_worth_most():
    milk, cake = line(), line(sku="cake", position_qty=16, price_minor=140)
    before = decide_basket([milk, cake])
    total = sum(one.cost_minor for one in before)
    filled = decide_basket([milk, cake], total + 1)
    assert sum(one.cost_minor for one in filled) >= total + 1
    assert any(one.reason == "filled-up" for one in filled)


def test_a_basket_that_is_dearer_to_fill_than_to_wait_with_is_postponed():
    tea = line(**selling(1.0), mean_before=0.3, pack_qty=1, pack_cost_minor=300, price_minor=390)
    assert decide(tea).packs > 0
    waiting = decide_basket([tea], 90_000)
    assert [(one.packs, one.reason) for one in waiting] == [(0, "postponed")]


def test_a_minimum_order_that_is_met_changes_nothing():
    assert decide_basket([line()], 1) == decide_basket([line()])


def test_where_nothing_is_sold_no_money_is_shared():
    assert share_money([[], []], [(500, [True, True])]) == [0, 0]
    assert decide_basket([]) == []


def test_with_little_money_the_packs_worth_most_per_money_come():
    milk, caviar = line(), line(sku="caviar", price_minor=9100, pack_cost_minor=54_000)
    plenty = decide_basket([milk, caviar])
    poor = decide_basket([milk, caviar], budget_minor=plenty[0].cost_minor)
    assert [one.packs for one in poor] == [plenty[0].packs, 0]
    assert [one.reason for one in poor] == ["needed", "budget"]


def test_a_line_whose_smallest_order_does_not_fit_the_money_gets_no_pack():
    few = line(**selling(40.0), minimum_packs=3)
    found = [decide_basket([few], budget_minor=minor)[0] for minor in (3 * 552, 3 * 552 - 1)]
    assert [(one.packs, one.reason) for one in found] == [(3, "budget"), (0, "budget")]
    assert [one.cut_packs for one in found] == [decide(few).packs - 3, decide(few).packs]
    cheap = line(pack_cost_minor=1)
    assert [decide_basket([cheap], budget_minor=minor)[0].packs for minor in (-1, 0, 1)] == [0, 0, 1]


@pytest.mark.parametrize(("minor", "packs"), [(0, 0), (1, 0), (2, 0), (3, 3), (4, 4), (5, 4)])
def test_what_is_owed_to_customers_comes_with_the_smallest_order_first_where_all_packs_are_worth_as_much(minor, packs):
    owed = line(**selling(0.0), mean_before=0.0, position_qty=-12, pack_qty=3, pack_cost_minor=1, price_minor=0,
                minimum_packs=3)  # fmt: skip
    assert decide_basket([owed], budget_minor=minor)[0].packs == packs


def test_a_minimum_that_the_money_does_not_reach_postpones_the_basket():
    decisions = decide_basket([line()], minimum_minor=50_000, budget_minor=20_000)
    assert [(one.packs, one.reason) for one in decisions] == [(0, "postponed")]


def test_of_what_needs_nothing_yet_the_likeliest_to_sell_joins_the_basket():
    needed, soon, late = line(), line(sku="soon", position_qty=19), line(sku="late", position_qty=60)
    total = decide(needed).cost_minor
    joined = decide_basket([needed, soon, late], total + 500)
    assert [one.packs for one in joined] == [decide(needed).packs, 1, 0]


def test_a_basket_is_filled_by_whole_minimums_and_by_no_more_packs_of_a_line_than_anybody_would_carry():
    bread = line(sku="bread", capacity_qty=18)
    cost = decide(bread).cost_minor
    rare = line(sku="rare", position_qty=19, pack_qty=3, pack_cost_minor=276, minimum_packs=3)
    assert [one.packs for one in decide_basket([bread, rare], cost + 1)] == [3, 3]
    shut = rare._replace(capacity_qty=20)  # two packs find no room beside what lies there, and three are the least
    assert [one.packs for one in decide_basket([bread, shut], cost + 1)] == [0, 0]
    candy = line(sku="candy", position_qty=19, pack_qty=1, pack_cost_minor=1, price_minor=100)
    most = decide(candy).packs + MOST_FILLED
    assert [one.packs for one in decide_basket([bread, candy], cost + most)] == [3, most]
    assert [one.packs for one in decide_basket([bread, candy], cost + most + 1)] == [0, 0]


def test_a_minimum_that_a_pack_reaches_to_the_cent_takes_no_other():
    bread, milk = line(sku="bread", capacity_qty=18), line(position_qty=19)
    cost = decide(bread).cost_minor
    assert [one.packs for one in decide_basket([bread, milk], cost + 552)] == [3, 1]
    assert [one.packs for one in decide_basket([bread, milk], cost + 553)] == [3, 2]


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
    assert decide(some._replace(position_qty=some.position_qty + more)).packs <= decide(some).packs


@given(lines(), st.integers(0, 500))
@example(line(presentation_qty=6), 0)
def test_without_demand_nothing_is_ordered(some, position):
    still = some._replace(mean=0.0, variance=0.0, mean_before=0.0, position_qty=position)
    assert (decide(still).packs, decide(still).target_qty) == (0, some.presentation_qty)


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


@given(st.lists(lines(), min_size=1, max_size=6), st.integers(0, 500_000))
def test_a_basket_never_costs_more_than_there_is(some, budget_minor):
    decisions = decide_basket(some, budget_minor=budget_minor)
    assert sum(one.cost_minor for one in decisions) <= budget_minor
    assert all(one.packs == 0 or one.packs >= one.line.minimum_packs for one in decisions)


@given(lines())
def test_a_line_is_decided_alike_alone_and_among_others(some):
    assert decide_basket([line(), some, line(sku="tea")])[1] == decide(some)


@settings(max_examples=20)
@given(lines())
def test_in_dearer_money_the_same_packs_come(some):
    cheap = some._replace(price_minor=some.price_minor % 50, pack_cost_minor=some.pack_cost_minor % 900)
    dear = cheap._replace(price_minor=cheap.price_minor * 1000, pack_cost_minor=cheap.pack_cost_minor * 1000)
    assert decide(dear).packs == decide(cheap).packs


# --- goods that come on their day ---


@pytest.mark.parametrize(
    ("here", "coming", "serves"),
    [
        (0.0, {5: 20.0}, 4.0),  # a day and a last one of six are served: 4 + 4 of 24, less the four before
        (0.0, {5: 3.0}, 3.0),
        (0.0, {0: 20.0}, 20.0),
        (12.0, {3: 12.0}, 24.0),
        (12.0, {4: 12.0}, 20.0),
        (30.0, {5: 6.0}, 36.0),
        (0.0, {9: 50.0}, 0.0),
        (-4.0, {1: 8.0}, 4.0),
    ],
)
def test_what_is_on_the_way_serves_from_its_day_on(here, coming, serves):
    assert ready([4.0] * 6, here, coming) == pytest.approx(serves)


@given(
    st.lists(st.floats(0, 9), min_size=1, max_size=9),
    st.integers(-5, 60),
    st.dictionaries(st.integers(0, 12), st.integers(1, 40)),
)
def test_no_more_serves_than_there_is_and_what_is_here_at_once_serves_most(daily, here, coming):
    found, days = ready(daily, here, coming), len(daily)
    within = sum(qty for day, qty in coming.items() if day < days)
    assert found <= max(0, here) + within + 1e-6 or found == here + within
    assert found <= ready(daily, here + within, {}) + 1e-6


def test_goods_that_come_after_the_shelf_was_empty_are_still_there_afterwards():
    late = line(position_qty=20, mean=32.0, variance=40.0, mean_before=24.0, interval_days=8.0, ready_qty=4.0)
    at_once = line(position_qty=20, mean=32.0, variance=40.0, mean_before=24.0, interval_days=8.0)
    assert decide(late).counted_qty == pytest.approx(24.0 + 16.0)
    assert decide(late._replace(outdating_qty=5.0)).counted_qty == pytest.approx(24.0 + 11.0)
    assert decide(late._replace(position_qty=-4, ready_qty=0.0)).counted_qty == 24.0 - 4.0
    assert decide(at_once).counted_qty == pytest.approx(20.0 + lost(24.0, 20.0), rel=0.01)
    assert decide(late).packs < decide(at_once).packs


# --- a place on a planned shelf ---


def test_a_basket_is_not_filled_up_past_a_product_s_place_on_the_shelf():
    milk = line(position_qty=0)
    enough = decide(milk).cost_minor
    minimum = enough + 2 * milk.pack_cost_minor
    assert [one.reason for one in decide_basket([milk], minimum)] == ["filled-up"]
    placed = milk._replace(slot_qty=decide(milk).packs * milk.pack_qty)
    assert [(one.reason, one.packs) for one in decide_basket([placed], minimum)] == [("postponed", 0)]


@pytest.mark.parametrize(("slot", "packs"), [(30, 2), (24, 0)])
def test_a_basket_is_filled_with_what_finds_its_place_beside_what_lies_there(slot, packs):
    bread, milk = line(sku="bread", capacity_qty=18), line(position_qty=19, slot_qty=slot)
    assert decide_basket([bread, milk], decide(bread).cost_minor + 2 * 552)[1].packs == packs


@given(lines(), st.integers(0, 200))
def test_a_place_too_small_for_what_is_wanted_does_not_keep_the_target_from_coming(some, slot):
    free, placed = decide(some), decide(some._replace(slot_qty=slot))
    target = math.ceil(max(0.0, free.target_qty - free.counted_qty) / some.pack_qty)
    assert placed.packs == free.packs or placed.packs >= min(free.packs, target - 1)
    assert placed.packs <= free.packs
    assert placed.packs == 0 or placed.packs >= some.minimum_packs
