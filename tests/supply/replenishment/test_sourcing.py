"""Which supplier sells a product: lead times as deliveries took, costs as of their day, and the date counted in."""

import datetime as dt
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from config.nodes.journal import Context
from supply.orders import lead_times, orders, suppliers, supply_routes
from supply.orders.deliveries import Delivery
from supply.orders.lead_times import measured
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import CasePack, Supplier
from supply.replenishment import budget, service_targets
from supply.replenishment.budget import Budget
from supply.replenishment.decide import Source, decide_sources, ranked
from supply.replenishment.policy import PolicyLine, decide, expected_outdating, ready, share_money, total_costs
from tests.supply.road import AT, DAY, FARM, KEEPER, Country, later, make_country

WEI = KEEPER["S1"]


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def sells_bread(session) -> None:
    suppliers.offer_product(Context(session, WEI, AT), FARM, "bread", CasePack(pack_qty=6, pack_cost_minor=900))


def line(sku: str = "milk", **other) -> PolicyLine:
    given = {
        "mean": 12.0, "variance": 14.0, "mean_before": 4.0, "interval_days": 3.0, "held_days": 2.0, "position_qty": 2,
        "pack_qty": 6, "pack_cost_minor": 600, "price_minor": 200,
    }  # fmt: skip
    return PolicyLine(sku=sku, **given | other)


def came(session, took: list[int], supplier_id: str = FARM) -> None:
    """Write orders that were delivered after so many days each."""
    for n, days in enumerate(took):
        at = AT - dt.timedelta(days=40 - n)
        session.add(
            ReplenishmentOrder(
                store_id="S1", id=f"past-{n}", order_no=900 + n, supplier_id=supplier_id, state="received",
                order_day=at.date(), delivery_day=at.date() + dt.timedelta(days=1),
                next_delivery_day=at.date() + dt.timedelta(days=2), proposed_at=at, sent_at=at,
            )
        )  # fmt: skip
        session.add(
            Delivery(
                store_id="S1", id=f"past-{n}", supplier_id=supplier_id, order_id=f"past-{n}", network_offer_id=None,
                state="posted", expected_day=at.date(), advised_at=at, posted_at=at + dt.timedelta(days=days),
                posted_by="Wei",
            )
        )  # fmt: skip
    session.flush()


def farm_lead(country: Country, took: list[int]) -> lead_times.LeadTime:
    with country.stores["S1"].write() as session:
        farm = session.get_one(Supplier, FARM)
        farm.calendar = replace(farm.calendar, lead_days=1)
        came(session, took)
        return measured(session, "S1", [farm], at=AT)[FARM]


def test_what_nobody_delivered_yet_takes_as_long_as_promised(country):
    found = farm_lead(country, [])
    assert (found.days, found.variance, found.count, found.mean_days) == (1, 0.0, 0, None)


def test_a_van_that_is_on_time_after_an_order_waited_for_its_day_is_on_time(country):
    with country.stores["S1"].write() as session:
        farm = session.get_one(Supplier, FARM)
        farm.calendar = replace(farm.calendar, lead_days=1)
        came(session, [2] * 30)
        for order in session.scalars(sa.select(ReplenishmentOrder).filter_by(supplier_id=FARM)):
            order.order_day, order.delivery_day = (order.order_day + dt.timedelta(days=n) for n in (1, 2))
        found = measured(session, "S1", [farm], at=AT)[FARM]
        assert (found.count, found.days, found.mean_days, found.variance, found.late) == (30, 1, 1.0, 0.0, 0)
        for order in session.scalars(sa.select(ReplenishmentOrder).filter_by(supplier_id=FARM)):
            order.order_day -= dt.timedelta(days=4)
        assert measured(session, "S1", [farm], at=AT)[FARM].mean_days == 2.0, "from the day it was sent, where later"


def test_one_late_van_changes_little_and_ten_change_the_plan(country):
    found = farm_lead(country, [4])
    assert (found.days, found.count, found.late) == (2, 1, 1)
    assert found.mean_days == 4


def test_lead_time_is_measured_with_mean_and_spread(country):
    found = farm_lead(country, [2, 4, 3, 3, 2, 4, 3, 3, 3, 3, 3, 3])
    assert found.days == 3
    assert found.mean_days == pytest.approx(3.0)
    assert found.spread_days == pytest.approx(np.std([2, 4, 3, 3, 2, 4, 3, 3, 3, 3, 3, 3], ddof=1))
    assert found.variance > 0


def test_a_cost_begins_on_its_day_and_the_latest_begun_counts(country):
    with country.stores["S1"].write() as session:
        sells_bread(session)
        for cost, day in ((1000, 3), (1200, 5)):
            suppliers.set_cost(Context(session, WEI, AT), FARM, "bread", cost, DAY + dt.timedelta(days=day), today=DAY)
        costs = [suppliers.terms_of(session, FARM, "bread", DAY + dt.timedelta(days=n)) for n in range(7)]
    known = costs[0].pack_cost_minor
    assert [one.pack_cost_minor for one in costs] == [known, known, known, 1000, 1000, 1200, 1200]


def test_a_cost_in_the_past_or_below_zero_is_refused(country):
    with country.stores["S1"].write() as session:
        sells_bread(session)
        with pytest.raises(Invalid, match="today or later"):
            suppliers.set_cost(Context(session, WEI, AT), FARM, "bread", 1, DAY - dt.timedelta(days=1), today=DAY)
        with pytest.raises(Invalid, match="zero or more"):
            suppliers.set_cost(Context(session, WEI, AT), FARM, "bread", -1, DAY, today=DAY)


def test_nothing_is_offered_by_a_supplier_that_is_put_aside(country):
    with country.stores["S1"].write() as session:
        sells_bread(session)
        assert FARM in supply_routes.offered(session, "S1", DAY)
        session.get_one(Supplier, FARM).active = False
        assert FARM not in supply_routes.offered(session, "S1", DAY)


def test_the_dearer_supplier_who_comes_sooner_wins_where_the_shelf_would_stand_empty():
    soon = line(mean_before=1.0, pack_cost_minor=640)
    late = line(mean_before=10.0, pack_cost_minor=600)
    empty = [one.__class__(**one._asdict() | {"position_qty": 0}) for one in (soon, late)]
    full = [one.__class__(**one._asdict() | {"position_qty": 40}) for one in (soon, late)]
    assert np.argmin(total_costs(empty)) == 0
    assert np.argmin(total_costs(full)) == 1


def test_the_supplier_who_comes_before_what_is_on_the_way_wins_though_the_sum_would_do():
    """Nothing is left, 20 come in five days, four are wanted a day: the cheaper one comes in six days."""
    soon = line(mean=8.0, variance=9.0, mean_before=4.0, interval_days=2.0, held_days=1.0, position_qty=0,
                pack_cost_minor=620)  # fmt: skip
    late = line(mean=32.0, variance=36.0, mean_before=24.0, interval_days=8.0, held_days=2.0, position_qty=20)
    assert np.argmin(total_costs([soon, late])) == 1, "were the 20 here, waiting would cost next to nothing"
    by_day = late._replace(ready_qty=ready([4.0] * 6, 0.0, {5: 20.0}))
    assert np.argmin(total_costs([soon, by_day])) == 0
    given = sources(("farm", 0, [soon]), ("cash", 0, [by_day]))
    assert ranked(given)["milk"] == ["farm", "cash"]


def test_a_smaller_lot_wins_where_all_else_is_the_same():
    assert np.argmin(total_costs([line(minimum_packs=20), line()])) == 1


@given(st.lists(st.integers(1, 60), min_size=1, max_size=6), st.integers(0, 40_000))
def test_one_budget_shared_over_suppliers_is_never_exceeded(needs, budget):
    baskets = [[line(f"s{n}", mean=float(need), variance=need * 1.2)] for n, need in enumerate(needs)]
    shares = share_money(baskets, [(budget, [True] * len(baskets))])
    assert len(shares) == len(baskets)
    assert sum(shares) <= budget
    assert all(share >= 0 and share % 600 == 0 for share in shares)


def sources(*given: tuple[str, int, list[PolicyLine]]) -> list[Source]:
    return [Source(supplier_id, minimum, True, lines) for supplier_id, minimum, lines in given]


def decided(given: list[Source], budget: int | None = None):
    everyone = frozenset(one.supplier_id for one in given)
    budgets = [] if budget is None else [Budget("budget", budget, everyone)]
    return decide_sources(given, ranked(given), budgets)


def waits(decisions) -> bool:
    return not any(one.packs for one in decisions)


def test_what_would_wait_for_a_minimum_goes_to_the_next_best_supplier_that_comes_in_time():
    cash, vehicle = ("cash", 50_000, [line(pack_cost_minor=590)]), ("vehicle", 0, [line()])
    assert list(decided(sources(cash, vehicle))) == ["vehicle"]
    late = line(interval_days=9.0, held_days=6.0, mean=36.0, mean_before=12.0)
    assert list(decided(sources(cash, ("late", 0, [late])))) == ["cash"], "it comes no sooner than what is waited for"


def test_two_baskets_below_their_minimums_join_where_that_reaches_one():
    beer, wine = line("beer", pack_cost_minor=590), line("wine")
    a, b = ("a", 90_000, [beer]), ("b", 3_600, [line("beer"), wine])
    assert waits(decided(sources(b))["b"]) is False
    found = decided(sources(a, b))
    assert {one.line.sku for one in found["b"] if one.packs} == {"beer", "wine"}
    assert "a" not in found


some_offers = st.lists(
    st.tuples(st.integers(500, 700), st.integers(1, 40), st.integers(1, 6), st.integers(1, 6)), min_size=1, max_size=4
)


@given(
    st.lists(st.tuples(st.sampled_from([0, 900, 3_000, 9_000, 60_000]), some_offers), min_size=1, max_size=4),
    st.none() | st.integers(0, 20_000),
)
def test_nothing_waits_for_a_minimum_that_another_supplier_brings_in_time(drawn, budget):
    given = sources(
        *(
            (f"s{n}", minimum, [
                line(f"p{k}", pack_cost_minor=cost, mean=rate * (days + held) / 3, variance=rate * (days + held) / 2.5,
                     mean_before=rate * days / 3, interval_days=float(days + held), held_days=float(held))
                for k, (cost, rate, days, held) in enumerate(offers)
            ])
            for n, (minimum, offers) in enumerate(drawn)
        )
    )  # fmt: skip
    found = decided(given, budget)
    stands = [one.line.sku for decisions in found.values() for one in decisions]
    assert sorted(stands) == sorted({one.sku for source in given for one in source.lines}), (
        "each stands at one supplier"
    )
    if budget is not None:
        assert sum(one.cost_minor for decisions in found.values() for one in decisions) <= budget
    given_up = {supplier_id for supplier_id, decisions in found.items() if waits(decisions)}
    free = [one for one in given if one.minimum_minor == 0 or not waits(found.get(one.supplier_id, ()))]
    for supplier_id in given_up:
        for waiting in found[supplier_id]:
            if waiting.wanted_packs and waiting.reason == "postponed":
                assert not [
                    other for one in free for other in one.lines
                    if other.sku == waiting.line.sku and decide(other).packs
                    and other.interval_days - other.held_days < waiting.line.interval_days
                ]  # fmt: skip


def test_money_that_cannot_reach_a_minimum_goes_to_the_other_baskets():
    milk, apple = line("milk", mean=60.0, variance=70.0), line("apple", price_minor=900)
    assert share_money([[milk], [apple]], [(3_000, [True, True])]) == [1_800, 1_200]
    found = decided(sources(("vehicle", 0, [milk]), ("farm", 5_000, [apple])), 3_000)
    assert [(one.reason, one.wanted_packs) for one in found["farm"]] == [("postponed", 2)]
    assert sum(one.cost_minor for one in found["vehicle"]) == 3_000


def test_money_that_nobody_wants_for_packs_fills_a_basket_up_to_its_minimum():
    farm = ("farm", 2_400, [line()])
    unlimited = decided(sources(farm))["farm"]
    assert sum(one.cost_minor for one in unlimited) == 2_400
    assert decided(sources(farm), 9_000)["farm"] == unlimited


@given(
    st.lists(st.tuples(st.integers(-3, 6), st.floats(0, 50)), max_size=5),
    st.lists(st.floats(0, 10), min_size=1, max_size=6),
)
def test_no_more_expires_than_there_is_and_less_the_more_is_sold(lots, daily):
    found = expected_outdating(lots, daily)
    assert 0 <= found <= sum(units for _, units in lots) + 1e-9
    assert expected_outdating(lots, [units + 1 for units in daily]) <= found + 1e-9


def test_what_expires_unsold_is_sold_first_expired_first():
    assert expected_outdating([(1, 10.0), (5, 3.0)], [2.0] * 6) == pytest.approx(6.0)
    assert expected_outdating([(-1, 4.0)], [9.0]) == 4.0


def test_a_week_s_money_counts_what_was_sent_and_not_what_was_called_off(country):
    with country.stores["S1"].write() as session:
        assert budget.left_to_spend(session, "S1", DAY) is None
        budget.set_budget(Context(session, WEI, AT), "S1", 5000)
    country.order("S1", {"bread": 2})
    gone = country.order("S1", {"bread": 1})
    with country.stores["S1"].write() as session:
        orders.cancel(Context(session, WEI, later(minutes=1)), "S1", gone, why="Too much")
        assert budget.left_to_spend(session, "S1", DAY) == 5000 - 1800
        assert budget.left_to_spend(session, "S1", DAY + dt.timedelta(days=7)) == 5000
    thursday = country.order("S1", {"milk": 1})
    with country.stores["S1"].write() as session:  # confirmed on Monday for Thursday's order day
        session.get_one(orders.ReplenishmentOrder, ("S1", thursday)).order_day = DAY + dt.timedelta(days=3)
        session.flush()
        assert budget.left_to_spend(session, "S1", DAY) == 5000 - 1800 - 1100, "it is spoken for"
        assert budget.left_to_spend(session, "S1", DAY + dt.timedelta(days=7)) == 5000 - 1100
        budget.set_budget(Context(session, WEI, AT), "S1", None)
        assert budget.left_to_spend(session, "S1", DAY) is None


def test_a_preference_is_kept_within_bounds_and_an_empty_one_is_none(country):
    with country.stores["S1"].write() as session:
        for wrong in ({"room_qty": 0}, {"show_qty": -1}, {"room_qty": 3, "show_qty": 4}, {"service_bp": 9_999}):
            with pytest.raises(Invalid):
                service_targets.set_preference(Context(session, WEI, AT), "S1", "milk", **wrong)
        service_targets.set_preference(Context(session, WEI, AT), "S1", "milk", room_qty=12)
        assert service_targets.preferences(session, "S1")["milk"].room_qty == 12
        assert service_targets.set_preference(Context(session, WEI, AT), "S1", "milk") is None
        assert session.scalar(sa.select(sa.func.count()).select_from(service_targets.OrderPreference)) == 0
