"""The bestseller shelf: the ranking and its reasons, plans, refills and labels."""

import datetime as dt

import pytest

from config.errors import Conflict, Invalid, NotFound, Refused
from config.nodes.journal import Context
from pos.catalogue.catalogue import Listing, Price, Product
from pos.stock.ledger import Place
from supply.demand.history import DailyDemand, RegionalDemand
from supply.online.storefront import listing
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.shelf import plan as shelf_plan
from supply.shelf import ranking
from supply.shelf.plan import ShelfPlan, ShelfSlot
from tests.supply.online_store import ANA, AT, STORE, later, make_town

TODAY = AT.date()
YESTERDAY = TODAY - dt.timedelta(days=1)


@pytest.fixture
def town(tmp_path):
    return make_town(tmp_path)


def region_sold(session, sku, sold, *, days=28, online=0, stores=4, upto=YESTERDAY):
    for age in range(days):
        session.add(
            RegionalDemand(
                region_id="R1", sku=sku, business_day=upto - dt.timedelta(days=age), sold_qty=sold, revenue_minor=0,
                stores_open=stores, stores_selling=stores, pickup_qty=online,
            )
        )  # fmt: skip


def store_sold(session, sku, sold, *, days=28):
    for age in range(days):
        session.add(
            DailyDemand(
                store_id=STORE, sku=sku, business_day=YESTERDAY - dt.timedelta(days=age), sold_qty=sold,
                revenue_minor=0, sales=sold,
            )
        )  # fmt: skip


def usual_month(session):
    region_sold(session, "bread", 40)
    region_sold(session, "milk", 80, online=20)
    region_sold(session, "tea", 6, stores=6)
    region_sold(session, "apple", 8000)
    store_sold(session, "bread", 10)
    store_sold(session, "milk", 12)
    session.flush()


def ranked(session, **named):
    return ranking.rank(session, STORE, day=YESTERDAY, price_day=TODAY, **named)


def approved(town, *, at=AT, from_day=None, slots=3):
    with town.store.write() as session:
        plan = shelf_plan.draft(Context(session, ANA, at), STORE, slots=slots)
        return shelf_plan.approve(Context(session, ANA, at), STORE, plan.id, from_day=from_day)


# --- ranking ---


def test_a_place_gives_its_reason_as_facts(town):
    with town.store.write() as session:
        usual_month(session)
        best = ranked(session)
    assert [place.sku for place in best] == ["milk", "bread", "apple", "tea"]
    assert best[0].why == {
        "region_per_day_milli": 20_000,
        "own_per_day_milli": 12_000,
        "online_share_bp": 2_500,
        "trend_bp": 0,
        "margin_bp": None,
        "stocked": True,
    }
    apples = best[2]
    assert apples.why["region_per_day_milli"] == 2_000  # 2 kg a day in each store
    assert apples.fill_qty % 1000 == 0


def test_what_the_shop_does_not_carry_may_be_ranked_and_is_marked(town):
    with town.store.write() as session:
        usual_month(session)
        session.delete(session.get(Listing, (STORE, "tea")))
        session.flush()
        tea = next(place for place in ranked(session) if place.sku == "tea")
    assert tea.why["stocked"] is False
    assert tea.why["region_per_day_milli"] == 1_000


def test_a_product_without_a_price_is_never_ranked(town):
    with town.store.write() as session:
        usual_month(session)
        session.delete(session.get(Price, ("milk", "*", dt.date(2026, 1, 1))))
        session.flush()
        assert "milk" not in [place.sku for place in ranked(session)]


def test_recent_days_weigh_more_than_old_ones(town):
    with town.store.write() as session:
        region_sold(session, "bread", 40, days=7)
        region_sold(session, "tea", 40, days=7, upto=YESTERDAY - dt.timedelta(days=21))
        session.flush()
        bread, tea = (
            ranking.ranked_product(session, STORE, sku, day=YESTERDAY, price_day=TODAY) for sku in ("bread", "tea")
        )
    assert bread.score > 3 * tea.score
    assert (bread.why["trend_bp"], tea.why["trend_bp"]) == (10_000, -10_000)


def test_of_two_that_sell_alike_the_better_margin_stands_first(town):
    with town.store.write() as session:
        for sku in ("bread", "tea"):
            region_sold(session, sku, 40)
        session.add(Supplier(id="net", name="Network", kind="network", calendar=DeliveryCalendar(frozenset({0}))))
        session.flush()
        session.add(SupplierProduct(supplier_id="net", sku="bread", pack_qty=10, pack_cost_minor=2400))
        session.add(SupplierProduct(supplier_id="net", sku="tea", pack_qty=10, pack_cost_minor=1000))
        session.flush()
        best = ranked(session)
    assert [place.sku for place in best] == ["tea", "bread"]
    assert best[1].why["margin_bp"] == 400


def test_a_fast_seller_gets_more_facings(town):
    with town.store.write() as session:
        usual_month(session)
        facings = {place.sku: place.facings for place in ranked(session)}
    assert facings["milk"] > facings["tea"] == 1
    assert max(facings.values()) <= ranking.MOST_FACINGS


# --- plans ---


def test_a_plan_is_live_from_its_day_and_retires_the_one_before(town):
    with town.store.write() as session:
        usual_month(session)
    first = approved(town, from_day=TODAY)
    second = approved(town)
    assert (first.state, second.state) == ("live", "approved")
    with town.store.write() as session:
        assert shelf_plan.go_live(Context(session, ANA, AT), STORE) is None
        assert shelf_plan.go_live(Context(session, ANA, later(days=1)), STORE).id == second.id
    with town.store.read() as session:
        assert shelf_plan.plan_of(session, STORE, first.id).state == "retired"
        assert [plan.id for plan in shelf_plan.plans(session, STORE, "live")] == [second.id]


def test_drafting_anew_drops_the_draft_before(town):
    with town.store.write() as session:
        usual_month(session)
        first = shelf_plan.draft(Context(session, ANA, AT), STORE)
        second = shelf_plan.draft(Context(session, ANA, AT), STORE)
        assert (first.state, second.state) == ("dropped", "drafted")
        with pytest.raises(Conflict):
            shelf_plan.approve(Context(session, ANA, AT), STORE, first.id)


def test_a_slot_takes_another_product_or_changes_places_with_it(town):
    with town.store.write() as session:
        usual_month(session)
        plan = shelf_plan.draft(Context(session, ANA, AT), STORE, slots=3)
        shelf_plan.replace(Context(session, ANA, AT), plan, 1, "beer")
        assert [row.sku for row in shelf_plan.slots_of(session, plan)] == ["beer", "bread", "apple"]
        shelf_plan.replace(Context(session, ANA, AT), plan, 1, "apple")
        assert [row.sku for row in shelf_plan.slots_of(session, plan)] == ["apple", "bread", "beer"]
        with pytest.raises(NotFound):
            shelf_plan.replace(Context(session, ANA, AT), plan, 9, "milk")
        with pytest.raises(Refused, match="no price"):
            shelf_plan.replace(Context(session, ANA, AT), plan, 1, "nothing")


def test_nothing_to_rank_is_said_and_slots_have_bounds(town):
    with town.store.write() as session:
        with pytest.raises(Refused, match="Nothing to rank yet: no sales of priced"):
            shelf_plan.draft(Context(session, ANA, AT), STORE)
        with pytest.raises(Invalid):
            shelf_plan.draft(Context(session, ANA, AT), STORE, slots=0)


def test_the_network_keeps_the_approved_plan_in_whatever_order_it_arrives(town):
    with town.store.write() as session:
        usual_month(session)
    first = approved(town, from_day=TODAY)
    second = approved(town)
    town.deliver(seed=3)
    with town.network.read() as session:
        states = {
            plan.id: plan.state for plan in (shelf_plan.plan_of(session, STORE, row.id) for row in (first, second))
        }
        assert states == {first.id: "live", second.id: "approved"}
        assert len(shelf_plan.slots_of(session, shelf_plan.plan_of(session, STORE, second.id))) == 3


def test_the_online_shop_shows_the_live_shelf_first(town):
    with town.store.write() as session:
        usual_month(session)
    approved(town, from_day=TODAY)
    town.publish(later(minutes=1))
    with town.network.read() as session:
        assert listing.listed_skus(session, STORE)[:3] == ["milk", "bread", "apple"]


# --- refills and labels ---


def test_the_refill_list_is_what_the_shelf_lacks_as_far_as_the_shop_has_it(town):
    with town.store.write() as session:
        usual_month(session)
    approved(town, from_day=TODAY)
    with town.store.read() as session:
        tasks = {task.sku: task for task in shelf_plan.refill_tasks(session, STORE)}
    assert tasks["milk"].qty == tasks["milk"].fill_qty <= 40
    assert tasks["bread"].qty == 10 < tasks["bread"].fill_qty
    for _ in range(2):  # a double click is one refill
        with town.store.write() as session:
            shelf_plan.refill(Context(session, ANA, AT), STORE, "bread", 7, id="refill-0001")
    level = town.level("bread")
    assert (level.by_place[Place.SHELF], level.by_place[Place.BACKROOM]) == (7, 3)
    with town.store.write() as session, pytest.raises(Refused, match="Up to 3"):
        shelf_plan.refill(Context(session, ANA, AT), STORE, "bread", 4, id="refill-0002")
    with town.store.write() as session, pytest.raises(Conflict):
        shelf_plan.refill(Context(session, ANA, AT), STORE, "bread", 2, id="refill-0001")
    assert town.faults() == []


def test_a_full_shelf_asks_for_nothing(town):
    with town.store.write() as session:
        usual_month(session)
    approved(town, from_day=TODAY)
    with town.store.write() as session:
        for number, task in enumerate(shelf_plan.refill_tasks(session, STORE)):
            shelf_plan.refill(Context(session, ANA, AT), STORE, task.sku, task.qty, id=f"refill-{number:04d}")
        assert "milk" not in [task.sku for task in shelf_plan.refill_tasks(session, STORE)]


def test_a_product_has_stood_on_the_shelf_for_the_days_of_all_its_plans_until_yesterday(town):
    plans = (("retired", 20, "milk tea"), ("retired", 10, "milk bread"), ("live", 4, "milk"), ("dropped", 9, "beer"))
    with town.store.write() as session:
        for state, ago, skus in plans:
            day, plan_id = TODAY - dt.timedelta(days=ago), f"plan-{ago}"
            session.add(
                ShelfPlan(store_id=STORE, id=plan_id, state=state, from_day=day, drafted_at=AT, based_on_day=day)
            )
            session.flush()
            session.add_all(ShelfSlot(store_id=STORE, plan_id=plan_id, slot=n, sku=sku, name=sku, facings=1, fill_qty=6,
                                      score=1, why={}) for n, sku in enumerate(skus.split(), 1))  # fmt: skip
        session.flush()
        stood = shelf_plan.days_shown(session, STORE, TODAY)
    assert {sku: days for sku, days in stood.items() if days} == {"milk": 20, "tea": 10, "bread": 6}


def test_a_label_carries_price_barcode_and_the_address_of_its_product(town):
    with town.store.write() as session:
        session.add(Product(sku="new", name="New", category="Food", tax_class_id="std"))
        session.flush()
        found = shelf_plan.label_documents(session, STORE, ["bread", "new"], "https://shop.example/", at=AT)
        assert [*found] == ["bread"], "what has no price has no label"
        label = found["bread"]
        assert label["url"] == "https://shop.example/shop/harbour-7/p/bread?price=250/1"
        assert (label["name"], label["price_minor"], label["barcode"]) == ("Rye bread", 250, "4006381333931")


def test_the_network_has_the_plan_that_stands_in_the_shop_and_not_the_one_it_dropped(town):
    for plan_id, sku, day in (("plan-A", "tea", TODAY + dt.timedelta(days=1)), ("plan-B", "milk", TODAY)):
        with town.store.write() as session:
            session.add(ShelfPlan(store_id=STORE, id=plan_id, state="drafted", from_day=day, drafted_at=AT,
                                  based_on_day=YESTERDAY))  # fmt: skip
            session.flush()
            session.add(ShelfSlot(store_id=STORE, plan_id=plan_id, slot=1, sku=sku, name=sku, facings=1, fill_qty=1,
                                  score=1, why={}))  # fmt: skip
            session.flush()
            shelf_plan.approve(Context(session, ANA, AT), STORE, plan_id, from_day=day)
        if plan_id == "plan-A":
            town.deliver()
            with town.network.read() as session:
                assert session.get(ShelfPlan, (STORE, plan_id)).state == "approved"  # agreed for tomorrow: not live yet
    town.deliver(seed=5)
    for database in (town.store, town.network):
        with database.read() as session:
            states = {plan.id: plan.state for plan in session.query(ShelfPlan)}
        assert states == {"plan-A": "dropped", "plan-B": "live"}
