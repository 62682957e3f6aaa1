"""The weekly swap takes what sells least for what would sell more, and says what was expected and what came of it."""

import datetime as dt

import pytest

from config.errors import Conflict, Invalid
from config.nodes.journal import Context
from supply.demand.history import DailyDemand, RegionalDemand
from supply.shelf import plan as shelf_plan
from supply.shelf import swaps
from tests.supply.online_store import ANA, AT, STORE, make_town

TODAY = AT.date()


@pytest.fixture
def town(tmp_path):
    return make_town(tmp_path)


def sold(session, sku, per_day, first, until, region_per_day=None):
    """Write what the store sold a day, and the five stores of its region, itself included."""
    for n in range((until - first).days):
        day = first + dt.timedelta(days=n)
        session.add(
            DailyDemand(store_id=STORE, sku=sku, business_day=day, sold_qty=per_day, sales=per_day, revenue_minor=100)
        )
        if region_per_day is not None:
            session.add(
                RegionalDemand(region_id="R1", sku=sku, business_day=day, sold_qty=per_day + 4 * region_per_day,
                               stores_open=5, stores_selling=5, revenue_minor=0)
            )  # fmt: skip


def live_since(session, day, *skus):
    """Let a shelf of these products stand since a day."""
    plan = shelf_plan.ShelfPlan(
        store_id=STORE, id=f"plan-{day}", state="live", from_day=day, drafted_at=AT, based_on_day=day
    )
    session.add(plan)
    session.flush()
    for n, sku in enumerate(skus, 1):
        session.add(shelf_plan.ShelfSlot(store_id=STORE, plan_id=plan.id, slot=n, sku=sku, name=sku, facings=2,
        fill_qty=12,
                                    score=1, why={}))  # fmt: skip
    session.flush()
    return plan


def days(n):
    return TODAY - dt.timedelta(days=n)


def test_the_clear_loser_goes_and_everything_else_stays(town):
    with town.store.write() as session:
        live_since(session, days(21), "bread", "milk", "apple", "tea")
        for sku, rate in (("bread", 9), ("milk", 8), ("tea", 1), ("beer", 7)):
            sold(session, sku, rate, days(28), TODAY, rate)
        sold(session, "apple", 6_000, days(28), TODAY, 6_000)
        plan = swaps.draft_swaps(Context(session, ANA, AT), STORE)
        rows = shelf_plan.slots_of(session, plan)
        assert [row.sku for row in rows] == ["bread", "milk", "apple", "beer"]
        assert rows[3].why["swap"] == {"out": "tea", "out_name": "tea", "expected_milli": 6_000}
        assert swaps.draft_swaps(Context(session, ANA, AT), STORE) is None  # one waits already


def test_what_sells_as_well_stays_and_what_just_came_has_its_days(town):
    with town.store.write() as session:
        live_since(session, days(3), "tea")
        for sku, rate in (("tea", 1), ("beer", 9)):
            sold(session, sku, rate, days(28), TODAY, rate)
        assert swaps.draft_swaps(Context(session, ANA, AT), STORE) is None


def test_what_a_swap_achieved_is_measured_against_the_region(town):
    with town.store.write() as session:
        plan = live_since(session, days(14), "beer")
        shelf_plan.slots_of(session, plan)[0].why = {"swap": {"out": "tea", "out_name": "Tea", "expected_milli": 4_000}}
        for sku, before, since, there, after in (("beer", 4, 12, 10, 20), ("tea", 2, 1, 10, 10)):
            sold(session, sku, before, days(42), days(14), there)
            sold(session, sku, since, days(14), TODAY, after)
        [swap] = swaps.swaps_of(session, STORE, days(1))
        assert (swap.expected_milli, swap.days) == (4_000, 14)
        # beer: 12 instead of 4 doubled as everywhere; tea: 1 instead of 2 as everywhere
        assert swap.achieved_milli == (12_000 - 8_000) + (1_000 - 2_000)


def test_without_the_region_there_is_no_number(town):
    with town.store.write() as session:
        plan = live_since(session, days(14), "beer")
        shelf_plan.slots_of(session, plan)[0].why = {"swap": {"out": "tea", "out_name": "Tea", "expected_milli": 4_000}}
        sold(session, "beer", 4, days(42), TODAY)
        assert swaps.swaps_of(session, STORE, days(1))[0].achieved_milli is None


def test_slots_and_facings_are_the_shopkeepers_as_long_as_it_is_a_draft(town):
    with town.store.write() as session:
        for sku, rate in (("bread", 9), ("milk", 8), ("beer", 7)):
            sold(session, sku, rate, days(28), TODAY, rate)
        plan = shelf_plan.draft(Context(session, ANA, AT), STORE, slots=3)
        first = {row.sku: row.fill_qty // row.facings for row in shelf_plan.slots_of(session, plan)}
        wanted = [("beer", 4), ("bread", 1), ("milk", 8)]
        rows = shelf_plan.rearrange(Context(session, ANA, AT), plan, wanted)
        assert [(row.slot, row.sku, row.facings, row.fill_qty) for row in rows] == [
            (n, sku, facings, facings * first[sku]) for n, (sku, facings) in enumerate(wanted, 1)
        ]
        for wrong, kind in (([("beer", 0), ("bread", 1), ("milk", 1)], Invalid), ([("beer", 1)], Conflict)):
            with pytest.raises(kind):
                shelf_plan.rearrange(Context(session, ANA, AT), plan, wrong)
        shelf_plan.approve(Context(session, ANA, AT), STORE, plan.id)
        with pytest.raises(Conflict):
            shelf_plan.rearrange(Context(session, ANA, AT), plan, wanted)
