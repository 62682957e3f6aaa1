"""Proposals from forecast, stock and packs, and what the shopkeeper makes of them."""

import datetime as dt

import pytest
import sqlalchemy as sa
from scipy.stats import poisson

from config.errors import Conflict, Invalid, NotFound, Refused
from config.nodes.journal import Actor, Context, JournalEntry
from pos.catalogue.catalogue import Listing, Product
from pos.stock import batches, recall, stock
from pos.stock.batches import Lot
from pos.stock.consignment_stock import Consignment
from pos.store.store import Store
from store_app.words.orders import OrderWhy
from supply.demand import campaign_uplift, closed_days, expected, known_events
from supply.demand.forecasts import ForecastQuantile, ForecastRun, ForecastSeries
from supply.demand.history import DailyDemand, StoreDay
from supply.orders import orders
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.replenishment import proposals, service_targets
from supply.replenishment.proposals import Edit
from supply.shelf.plan import ShelfPlan, ShelfSlot
from supply.sync import checks
from tests.stock_sold import sell_goods
from tests.supply.sold import make_node

MONDAY = dt.date(2026, 3, 2)
DAWN = dt.datetime(2026, 3, 2, 5, tzinfo=dt.UTC)  # the store opens at 8 and closes at 20
WEI = Actor("wei", "Wei", "shopkeeper", "S1")
JOB = Actor.system("propose", "S1")


@pytest.fixture
def store(tmp_path):
    """A store whose vehicle comes every day and whose farm comes on Thursdays; bread, milk and apples on its floor."""
    database = make_node(tmp_path / "store.db", "S1", ["S1"])
    with database.write() as session:
        session.add_all(
            [
                Supplier(id="vehicle", name="Vehicle", kind="network"),
                Supplier(id="farm", name="Farm", kind="own", owner_id="S1", calendar=DeliveryCalendar(frozenset({2}))),
            ]
        )
        session.flush()
        session.add_all(
            [
                SupplierProduct(supplier_id="vehicle", sku="bread", pack_qty=6, pack_cost_minor=900),
                SupplierProduct(supplier_id="vehicle", sku="milk", pack_qty=12, pack_cost_minor=900),
                SupplierProduct(supplier_id="farm", sku="apple", pack_qty=5000, pack_cost_minor=1200),
            ]
        )
        stock.open_stock(
            Context(session, WEI, DAWN), "S1", [("bread", 4), ("milk", 30), ("apple", 2000)], source_id="open"
        )
    yield database
    database.engine.dispose()


def forecast(store, per_day, *, origin=MONDAY - dt.timedelta(days=1), days=14, usual=1.0, lately_spread=None):
    """Publish a run of so many units every day, where a usual day sells `usual` times as many."""
    with store.write() as session:
        session.add(
            ForecastRun(id="run", scope_kind="store", scope_id="S1", state="published", origin_day=origin,
                        horizon_days=days, started_at=DAWN, series=len(per_day))
        )  # fmt: skip
        session.flush()
        first = origin + dt.timedelta(days=1)
        for sku, rate in per_day.items():
            session.add(
                ForecastSeries(run_id="run", sku=sku, model="filter", reason="busy", level=rate * usual,
                               regional_share=0.4, weekday_profile=[1] * 7, lately_spread=lately_spread)
            )  # fmt: skip
            for n in range(days):
                last = first + dt.timedelta(days=n)
                for begin, mean in {first: rate * (n + 1), last: rate}.items():
                    size = 400 if sku == "apple" else 1
                    q50, q75, q90, q95, q99 = (
                        float(size * poisson.ppf(level, mean / size)) for level in (0.5, 0.75, 0.9, 0.95, 0.99)
                    )
                    session.add(
                        ForecastQuantile(run_id="run", sku=sku, first_day=begin, last_day=last, mean=mean, q50=q50,
                                         q75=q75, q90=q90, q95=q95, q99=q99)
                    )  # fmt: skip


def sold(store, per_day, days=28):
    with store.write() as session:
        for back in range(1, days + 1):
            day = MONDAY - dt.timedelta(days=back)
            session.add(StoreDay(store_id="S1", business_day=day, open=True, sales=9, revenue_minor=1))
            session.add_all(
                DailyDemand(store_id="S1", sku=sku, business_day=day, sold_qty=qty, revenue_minor=1, sales=qty)
                for sku, qty in per_day.items()
            )


def propose(store, at=DAWN):
    with store.write() as session:
        return proposals.propose(Context(session, JOB, at), "S1")


def lines(store, order):
    with store.read() as session:
        return {line.sku: line for line in orders.lines_of(session, order)}


def proposed(store, **per_day):
    forecast(store, per_day or {"bread": 5.0})
    return propose(store)[0]


def packs_of(some):
    return sorted((line["sku"], line["packs"]) for line in some if line["packs"])


def findings(store):
    with store.read() as session:
        return checks.findings(session)


# --- proposing ---


def test_what_is_recalled_is_not_there_and_what_is_wholly_recalled_is_not_ordered(store):
    with store.write() as session:
        lots = [Lot("milk", 24, "L7", MONDAY + dt.timedelta(days=1))]
        batches.lay_in(session, "S1", lots, source_kind="delivery", source_id="d", at=DAWN)
        recall.call(Context(session, WEI, DAWN), "S1", "bread", why="glass")
        recall.call(Context(session, WEI, DAWN), "S1", "milk", "L7", why="sour")
    order = proposed(store, bread=5.0, milk=5.0)
    assert {sku: line.packs for sku, line in lines(store, order).items()} == {"milk": 1}
    assert "outdating" not in lines(store, order)["milk"].why, "what is not there does not expire"


def test_each_supplier_gets_one_order_for_its_next_order_day(store):
    forecast(store, {"bread": 5.0, "apple": 900.0})
    vehicle, farm = propose(store)
    assert (vehicle.supplier_id, farm.supplier_id) == ("vehicle", "farm")
    assert [(one.order_day - MONDAY).days for one in (vehicle, farm)] == [0, 2]
    assert [(one.delivery_day - MONDAY).days for one in (vehicle, farm)] == [1, 3]
    assert [(one.next_delivery_day - MONDAY).days for one in (vehicle, farm)] == [2, 10]
    assert (vehicle.order_no, farm.order_no) == (1, 2)


def test_bread_that_would_wait_for_a_cheaper_supplier_s_minimum_comes_with_the_van(store):
    with store.write() as session:
        session.add(
            Supplier(id="cash", name="Cash", kind="own", owner_id="S1", minimum_minor=50_000)
        )  # fmt: skip
        session.flush()
        session.add(SupplierProduct(supplier_id="cash", sku="bread", pack_qty=6, pack_cost_minor=890))
    vehicle = proposed(store)
    assert (vehicle.supplier_id, vehicle.postponed, vehicle.cost_minor) == ("vehicle", False, 1800)
    assert lines(store, vehicle)["bread"].why["others"] == [["Cash", 6, 890, "2026-03-03"]]


def test_the_order_covers_demand_until_the_delivery_after_it(store):
    order = proposed(store)
    line = lines(store, order)["bread"]
    # today and tomorrow at 5 a day, to be covered in 98 of 100 cases: 17 or 18, of which today's 5 outrun the 4 there
    assert (line.packs, line.packs * line.pack_qty) == (2, 12)
    assert order.cost_minor == 1800
    assert (order.forecast_run_id, order.forecast_age_days) == ("run", 0)


@pytest.mark.parametrize(("usual", "packs"), [(1.0, 3), (0.5, 2)])
def test_before_days_busier_than_usual_the_last_pack_must_be_likelier_wanted(store, usual, packs):
    forecast(store, {"bread": 7.5}, usual=usual)
    assert lines(store, propose(store)[0])["bread"].packs == packs


@pytest.mark.parametrize(("lately", "packs"), [(None, 2), (1.0, 2), (6.0, 3)])
def test_what_varied_more_lately_than_told_gets_the_pack_that_would_just_not_have_come(store, lately, packs):
    forecast(store, {"bread": 6.0}, lately_spread=lately)
    assert lines(store, propose(store)[0])["bread"].packs == packs


def test_what_there_is_enough_of_is_not_on_the_order(store):
    assert "milk" not in lines(store, proposed(store, bread=5.0, milk=2.0))


def test_the_pages_facts_are_all_kept(store):
    with store.write() as session:
        stock.reserve(Context(session, WEI, DAWN), "S1", "order-1", [("bread", 1)])
    why = lines(store, proposed(store))["bread"].why
    read = OrderWhy.read(why)
    assert (read.per_day, read.on_hand, read.reserved, read.on_the_way, read.expected) == (5.0, 4, 1, 0, 10.0)
    assert read.runs_out_day == MONDAY
    assert read.risk_without_bp == why["risks_bp"][0] > 0
    assert read.method == "forecast"
    assert read.target > 10
    assert read.service_bp == 9800
    assert (why["model"], why["regional_share_bp"], why["stock_unit"]) == ("filter", 4000, "each")


def shelf_plan(session, state, from_day, **fill):
    """Let a shelf hold so many of a product when full, each slot with two facings."""
    plan = ShelfPlan(store_id="S1", id=f"{state}-{from_day}", state=state, from_day=from_day, drafted_at=DAWN,
                     based_on_day=MONDAY)  # fmt: skip
    session.add(plan)
    session.flush()
    session.add_all(
        ShelfSlot(store_id="S1", plan_id=plan.id, slot=n, sku=sku, name=sku, facings=2, fill_qty=qty, score=1, why={})
        for n, (sku, qty) in enumerate(fill.items(), 1)
    )


def test_the_front_row_of_a_slot_stands_for_show_and_the_slot_is_its_place_unless_the_shopkeeper_preferences_otherwise(
    store,
):
    with store.write() as session:
        shelf_plan(session, "live", MONDAY, bread=36)
    why = lines(store, proposed(store))["bread"].why
    assert (why["show_qty"], why["slot_qty"]) == (6, 36)
    assert why["target"] == 6 + int(poisson.ppf(0.98, 10)), "on top of what is wanted"
    with store.write() as session:
        service_targets.set_preference(Context(session, WEI, DAWN), "S1", "bread", show_qty=2)
    assert lines(store, propose(store)[0])["bread"].why["show_qty"] == 2


def test_the_shelf_counts_that_stands_when_the_goods_come(store):
    with store.write() as session:
        shelf_plan(session, "live", MONDAY, bread=36)
        shelf_plan(session, "approved", MONDAY + dt.timedelta(days=1), bread=12)
        shelf_plan(session, "approved", MONDAY + dt.timedelta(days=2), bread=48)
    assert lines(store, proposed(store))["bread"].why["slot_qty"] == 12, "the vehicle comes on Tuesday"


def test_goods_on_sale_or_return_are_told_with_the_day_until_which_they_may_go_back(store):
    with store.write() as session:
        session.add(
            Consignment(
                store_id="S1",
                id="offer",
                sku="bread",
                name="Bread",
                owner="*",
                supplier_id="vehicle",
                pack_qty=6,
                pack_cost_minor=900,
                came_on=MONDAY,
                came_at=DAWN,
                until=dt.date(2026, 3, 11),
                came_qty=3,
                ahead_qty=0,
                left_qty=3,
            )
        )
    assert lines(store, proposed(store))["bread"].why["consigned"] == [3, "2026-03-11"]


def test_what_is_on_the_way_counts_from_its_day_on(store):
    """Four loaves for five days of five, 30 more on the fourth: they are not eaten up by the days before."""
    with store.write() as session:
        session.get_one(Supplier, "vehicle").calendar = DeliveryCalendar(lead_days=5)
        session.add(
            ReplenishmentOrder(store_id="S1", id="open", order_no=77, supplier_id="farm", state="sent",
                               order_day=MONDAY, delivery_day=MONDAY + dt.timedelta(days=4),
                               next_delivery_day=MONDAY + dt.timedelta(days=7), proposed_at=DAWN, sent_at=DAWN)
        )  # fmt: skip
        session.flush()
        session.add(
            OrderLine(store_id="S1", order_id="open", sku="bread", name="Bread", pack_qty=6, pack_cost_minor=900,
                      minimum_packs=1, packs_proposed=5, packs=5, why={})
        )  # fmt: skip
    forecast(store, {"bread": 5.0, "milk": 8.0})
    with store.read() as session:
        draft = next(one for one in proposals.draft(session, "S1", at=DAWN) if one.supplier_id == "vehicle")
    why = {line["sku"]: line["why"] for line in draft.lines}
    assert "bread" not in why, "25 are wanted before, 9 of them find something; 25 stand there when the vehicle comes"


def test_an_order_whose_day_is_over_is_not_approved(store):
    order = proposed(store)
    with pytest.raises(Refused, match="Suggest again"), store.write() as session:
        proposals.approve(Context(session, WEI, DAWN + dt.timedelta(days=1)), "S1", order.id)


def test_goods_on_the_way_are_not_ordered_twice(store):
    order = proposed(store)
    with store.write() as session:
        proposals.approve(Context(session, WEI, DAWN), "S1", order.id)
    assert propose(store) == []


def due(store, *loads):
    """Put orders of the farm's on the way: packs of bread, and how many days from now they are due."""
    with store.write() as session:
        for n, (packs, days) in enumerate(loads):
            day = MONDAY + dt.timedelta(days=days)
            session.add(
                ReplenishmentOrder(store_id="S1", id=f"due{n}", order_no=70 + n, supplier_id="farm", state="sent",
                                   order_day=MONDAY, delivery_day=day, next_delivery_day=day + dt.timedelta(days=7),
                                   proposed_at=DAWN, sent_at=DAWN - dt.timedelta(days=3))
            )  # fmt: skip
            session.flush()
            session.add(
                OrderLine(store_id="S1", order_id=f"due{n}", sku="bread", name="Bread", pack_qty=6,
                          pack_cost_minor=900, packs_proposed=packs, packs=packs, why={})
            )  # fmt: skip


@pytest.mark.parametrize(
    ("loads", "packs"),
    [
        ([(4, -1)], 0),  # overdue: it may come any moment
        ([(4, 0)], 0),
        ([(4, 1)], 0),  # the last day to be covered
        ([(4, 2)], 2),
        ([(4, 6)], 2),
        ([(1, 1), (4, 6)], 1),  # of two loads only the one that is due
        ([(1, 0), (1, 1), (1, 2)], 0),  # the sum of what is due
    ],
)
def test_what_comes_after_the_days_to_be_covered_silences_no_line_and_what_comes_within_does(store, loads, packs):
    due(store, *loads)
    forecast(store, {"bread": 5.0})
    assert sum(line.packs for order in propose(store) for line in lines(store, order).values()) == packs


def test_the_shelf_runs_out_before_the_goods_that_come_too_late_for_it(store):
    due(store, (1, 1))
    why = lines(store, proposed(store))["bread"].why
    assert (why["on_the_way"], why["runs_out_day"]) == (6, MONDAY.isoformat()), "4 here, 5 wanted today, 6 tomorrow"


def test_what_was_worked_out_before_an_order_was_sent_orders_nothing_twice(store):
    first = proposed(store, bread=8.0)
    with store.read() as session:
        drafts = proposals.draft(session, "S1", at=DAWN)
    with store.write() as session:
        proposals.approve(Context(session, WEI, DAWN), "S1", first.id)
        orders.send(Context(session, WEI, DAWN), "S1", first.id)
        now = proposals.draft(session, "S1", at=DAWN)
        made = proposals.write(Context(session, JOB, DAWN), "S1", drafts)
        wanted, written = (
            packs_of(line for one in now for line in one.lines),
            [vars(line) for order in made for line in orders.lines_of(session, order)],
        )
        assert packs_of(written) == wanted
        assert packs_of(line for one in drafts for line in one.lines) != wanted, "an order was sent meanwhile"


def test_proposing_again_replaces_what_nobody_confirmed(store):
    first = proposed(store)
    (second,) = propose(store)
    with store.read() as session:
        assert session.get(ReplenishmentOrder, ("S1", first.id)).state == "dropped"
        assert [order.id for order in proposals.proposals(session, "S1")] == [second.id]
        said = session.scalars(sa.select(JournalEntry.body).where(JournalEntry.verb == "order.dropped")).all()
    assert "replaced" in said[0]
    assert lines(store, first)["bread"].why == lines(store, second)["bread"].why


def test_a_shop_without_a_forecast_orders_by_its_last_four_weeks(store):
    sold(store, {"bread": 5})
    (order,) = propose(store)
    why = lines(store, order)["bread"].why
    assert (why["method"], why["per_day"]) == ("mean28", 5.0)
    assert (order.forecast_run_id, order.forecast_age_days) == (None, None)


def test_of_one_basket_each_product_has_its_own_demand_whether_forecast_or_not(store):
    forecast(store, {"milk": 18.0})
    sold(store, {"bread": 5})
    found = {line.sku: line.why for order in propose(store) for line in lines(store, order).values()}
    assert {sku: (why["method"], why["per_day"], why["model"]) for sku, why in found.items() if sku != "apple"} == {
        "bread": ("mean28", 5.0, ""), "milk": ("forecast", 18.0, "filter"),
    }  # fmt: skip


@pytest.mark.parametrize(("age", "method"), [(3, "forecast"), (4, "mean28")])
def test_a_forecast_older_than_three_days_is_not_used(store, age, method):
    forecast(store, {"bread": 5.0}, origin=MONDAY - dt.timedelta(days=age + 1))
    sold(store, {"bread": 5})
    (order,) = propose(store)
    assert lines(store, order)["bread"].why["method"] == method
    assert order.forecast_age_days == (age if method == "forecast" else None)


@pytest.mark.parametrize(
    ("age", "by", "packs"), [(0, "run", 1), (3, "run", 1), (4, "run", 6), (0, "older", 6), (0, None, 6)]
)
def test_a_campaigns_extra_counts_exactly_where_the_forecast_in_use_does_not_carry_it(store, age, by, packs):
    sold(store, {"bread": 2})
    forecast(store, {"bread": 2.0}, origin=MONDAY - dt.timedelta(days=age + 1))
    with store.write() as session:
        known_events.plan(session, "S1", "campaign:c1/2026-03-03", {"bread": 30}, day=MONDAY + dt.timedelta(days=1))
        if by:
            campaign_uplift.carried(session, "S1", by, ["bread", "milk"], MONDAY + dt.timedelta(days=9))
    assert lines(store, propose(store)[0])["bread"].packs == packs


def test_what_is_fresh_goes_along_with_its_last_fortnight_but_not_with_an_empty_shelf(store):
    forecast(store, {"bread": 5.0})
    sold(store, {"bread": 10})

    def reported() -> float:
        return lines(store, propose(store)[0])["bread"].why["per_day"]

    assert reported() == 5.0, "bread that keeps"
    with store.write() as session:
        session.execute(sa.update(Product).where(Product.sku == "bread").values(shelf_life_days=3))
    assert 7.5 < reported() < 9.0
    with store.write() as session:
        session.execute(sa.update(DailyDemand).values(out_of_stock_bp=5_000))
    assert reported() == 5.0, "a shelf that was empty tells nothing"


def test_an_older_forecast_gives_up_the_days_that_are_past(store):
    forecast(store, {"bread": 5.0}, origin=MONDAY - dt.timedelta(days=3))
    (order,) = propose(store)
    why = lines(store, order)["bread"].why
    assert why["expected"] == pytest.approx(10.0)
    # 5 of today's are out of stock all the same: what counts is then 5, and 2 packs leave 17 against Poisson(10)
    assert why["risks_bp"][2] == pytest.approx(1e4 * poisson.sf(17, 10), abs=60)


def test_an_order_beyond_the_horizon_goes_on_as_the_last_week(store):
    forecast(store, {"apple": 900.0}, days=5)
    (order,) = propose(store)
    why = lines(store, order)["apple"].why
    assert why["expected"] == pytest.approx(9000.0)
    assert len(why["daily_milli"]) == 10


@pytest.mark.parametrize(("hour", "left"), [(5, 1.0), (8, 1.0), (14, 0.5), (20, 0.0), (23, 0.0), (26, 0.0)])
def test_of_today_only_the_hours_to_come_count(store, hour, left):
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC) + dt.timedelta(hours=hour)
    forecast(store, {"bread": 8.0})
    (order,) = propose(store, at)
    assert lines(store, order)["bread"].why["expected"] == pytest.approx(8.0 + 8.0 * left)


def test_a_forecast_that_saw_today_says_nothing_more_of_today(store):
    forecast(store, {"bread": 8.0}, origin=MONDAY)
    (order,) = propose(store, DAWN + dt.timedelta(hours=16))
    why = lines(store, order)["bread"].why
    assert (why["daily_milli"], order.forecast_age_days) == ([0, 8000], 0)


def test_a_book_below_zero_counts_as_an_empty_shelf(store):
    with store.write() as session:
        sell_goods(Context(session, WEI, DAWN), "S1", [("bread", 9)], sale_id="s", day=MONDAY)
    assert lines(store, proposed(store))["bread"].why["on_hand"] == 0


def test_what_the_shop_does_not_list_is_not_ordered(store):
    with store.write() as session:
        session.execute(sa.update(Listing).where(Listing.sku == "bread").values(active=False))
    forecast(store, {"bread": 5.0})
    assert propose(store) == []


def test_a_small_basket_waits_for_the_suppliers_minimum_and_the_journal_says_so(store):
    with store.write() as session:
        session.execute(sa.update(Supplier).where(Supplier.id == "vehicle").values(minimum_minor=500_000))
    forecast(store, {"bread": 5.0})
    (order,) = propose(store)
    assert (order.postponed, order.cost_minor) == (True, 1800)
    with store.read() as session:
        assert session.scalar(sa.select(JournalEntry.subject).where(JournalEntry.verb == "order.postponed")) == (
            "supplier:vehicle"
        )


# --- changing ---


def change(store, order, sku="bread", packs=1, why="The shelf is small"):
    with store.write() as session:
        return proposals.change(Context(session, WEI, DAWN), "S1", order.id, sku, Edit(packs=packs, why=why))


def test_a_change_keeps_the_proposal_the_reason_and_the_name(store):
    order = proposed(store)
    line = change(store, order)
    assert (line.packs_proposed, line.packs, line.changed_why, line.changed_by) == (2, 1, "The shelf is small", "Wei")
    with store.read() as session:
        assert session.get(ReplenishmentOrder, ("S1", order.id)).cost_minor == 900
    assert findings(store) == []


def test_going_back_to_the_proposal_clears_the_change(store):
    order = proposed(store)
    change(store, order)
    line = change(store, order, packs=2, why="After all")
    assert (line.packs, line.changed_why, line.changed_by) == (2, "", "")


@pytest.mark.parametrize("packs", [-1, 1000, True, 1.5])
def test_impossible_numbers_of_packs_are_refused(store, packs):
    order = proposed(store)
    with pytest.raises(Invalid, match="whole number of packs"):
        change(store, order, packs=packs)


def test_a_change_of_what_is_not_on_the_order_is_refused(store):
    with pytest.raises(NotFound, match="not on order 1"):
        change(store, proposed(store), sku="milk")


def test_only_a_proposal_is_changed(store):
    order = proposed(store)
    with store.write() as session:
        proposals.approve(Context(session, WEI, DAWN), "S1", order.id)
    with pytest.raises(Refused, match="can no longer be changed"):
        change(store, order)


def test_a_product_that_was_not_proposed_can_be_added(store):
    order = proposed(store, bread=5.0, milk=2.0)

    def add(sku, packs=1):
        with store.write() as session:
            return proposals.add_line(Context(session, WEI, DAWN), "S1", order.id, sku, packs)

    line = add("milk")
    assert (line.packs_proposed, line.packs, line.changed_by) == (0, 1, "Wei")
    assert OrderWhy.read(line.why).per_day == 2.0
    with pytest.raises(Conflict, match="already"):
        add("milk")
    with pytest.raises(NotFound, match="Vehicle does not sell"):
        add("apple")
    assert findings(store) == []


# --- deciding ---


def test_an_empty_order_is_not_approved(store):
    order = proposed(store)
    change(store, order, packs=0)
    with store.write() as session, pytest.raises(Refused, match="Nothing is ordered"):
        proposals.approve(Context(session, WEI, DAWN), "S1", order.id)


def test_a_dropped_order_keeps_its_reason_and_stays_dropped(store):
    order = proposed(store)
    with store.write() as session:
        with pytest.raises(Invalid, match="Enter a reason"):
            proposals.drop(Context(session, WEI, DAWN), "S1", order.id, why="")
        for _ in range(2):
            proposals.drop(Context(session, WEI, DAWN), "S1", order.id, why="We close")
        with pytest.raises(Conflict):
            proposals.approve(Context(session, WEI, DAWN), "S1", order.id)
    with store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).where(JournalEntry.verb == "order.dropped")) == 1


def test_for_days_the_shop_stays_closed_nothing_is_ordered(store):
    usual = lines(store, proposed(store, milk=18.0))["milk"].packs
    with store.write() as session:
        closed_days.close(
            Context(session, WEI, DAWN), "S1", MONDAY + dt.timedelta(days=1), MONDAY + dt.timedelta(days=2)
        )
    fewer = {line.sku: line.packs for order in propose(store) for line in lines(store, order).values()}
    assert usual > fewer.get("milk", 0)


def test_beyond_its_horizon_a_forecast_goes_on_with_its_open_days(store):
    forecast(store, {"bread": 5.0}, days=4)
    with store.write() as session:
        first, last = MONDAY + dt.timedelta(days=2), MONDAY + dt.timedelta(days=3)
        closed_days.close(Context(session, WEI, DAWN), "S1", first, last)
        reported = sa.update(ForecastQuantile).where(ForecastQuantile.first_day == MONDAY)
        session.execute(reported.where(ForecastQuantile.last_day >= first).values(mean=10.0))
        until = MONDAY + dt.timedelta(days=5)
        wanted = expected.expect(session, session.get_one(Store, "S1"), {"": (["bread"], until)}, at=DAWN)[1][""]
    assert wanted.daily[0].tolist() == [5.0, 5.0, 0.0, 0.0, 5.0, 5.0]


def test_a_shop_that_aims_at_more_service_is_proposed_more_and_a_product_s_own_preference_stands(store):
    forecast(store, {"bread": 5.0, "milk": 30.0})
    packs = {}
    for service_bp in (7_500, 9_950):
        with store.write() as session:
            service_targets.set_service(Context(session, WEI, DAWN), "S1", service_bp)
            service_targets.set_preference(Context(session, WEI, DAWN), "S1", "milk", service_bp=9_000)
        packs[service_bp] = {sku: line.packs for sku, line in lines(store, propose(store)[0]).items()}
    assert packs[7_500]["bread"] < packs[9_950]["bread"]
    assert packs[7_500]["milk"] == packs[9_950]["milk"]


def test_a_shop_aims_at_98_of_100_until_it_says_so_and_at_no_less_than_75(store):
    with store.write() as session:
        assert service_targets.service_of(session, "S1") == 9_800
        with pytest.raises(Invalid, match=r"75 to 99\.5"):
            service_targets.set_service(Context(session, WEI, DAWN), "S1", 7_400)
        assert service_targets.service_of(session, "S1") == 9_800
