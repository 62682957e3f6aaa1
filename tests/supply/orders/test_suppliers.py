"""Who we buy from: order days, the cheapest source, and the network's suppliers as stores pull them."""

import datetime as dt
import json

import pytest

from config.errors import Conflict, Invalid, NotFound
from config.nodes.journal import Actor, Context
from config.nodes.publication import EVERYONE
from supply.orders import delivery_calendar, suppliers, supply_routes
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.suppliers import CasePack
from tests.supply.sold import AT, make_node

MONDAY = dt.date(2026, 3, 2)
WEI = Actor("wei", "Wei", "shopkeeper", "S1")


@pytest.fixture
def store(tmp_path):
    database = make_node(tmp_path / "store.db", "S1", ["S1"])
    yield database
    database.engine.dispose()


def add(session, id="farm", owner="S1", lead=1, weekdays=(0, 3), minimum=0, **more):
    contact = suppliers.Contact("Farm", DeliveryCalendar(frozenset(weekdays), lead), minimum)
    return suppliers.add_supplier(Context(session, WEI, AT), owner, contact, id=id, **more)


def sells(session, supplier, sku="bread", pack=6, cost=900, at=AT, **more):
    return suppliers.offer_product(Context(session, WEI, at), supplier, sku, CasePack(pack, cost, **more))


@pytest.mark.parametrize(
    ("weekdays", "ordered", "expected"),
    [
        ((0, 3), MONDAY, (0, 2, 5)),  # Monday's order comes Wednesday, Thursday's comes Saturday
        ((0, 3), MONDAY + dt.timedelta(days=3), (0, 2, 6)),
        ((0,), MONDAY, (0, 2, 9)),
        (range(7), MONDAY, (0, 2, 3)),
    ],
)
def test_stock_must_last_until_the_delivery_after_the_next(store, weekdays, ordered, expected):
    with store.write() as session:
        days = delivery_calendar.order_cycle(add(session, lead=2, weekdays=weekdays).calendar, ordered)
    assert tuple((one - ordered).days for one in vars(days).values()) == expected


def test_no_order_is_taken_on_other_days(store):
    with store.write() as session:
        assert delivery_calendar.order_cycle(add(session).calendar, MONDAY + dt.timedelta(days=1)) is None


@pytest.mark.parametrize(("today", "ordered"), [(0, 0), (1, 3), (3, 3), (4, 7)])
def test_the_next_order_day_is_today_or_the_next_one_there_is(store, today, ordered):
    with store.write() as session:
        days = delivery_calendar.next_cycle(add(session).calendar, MONDAY + dt.timedelta(days=today))
    assert (days.order_day - MONDAY).days == ordered


def test_a_product_comes_from_whoever_sells_a_unit_of_it_cheapest(store):
    with store.write() as session:
        for supplier_id in ("farm", "mill"):
            add(session, supplier_id)
        sells(session, "farm", pack=6, cost=900)
        sells(session, "mill", pack=10, cost=1400)
        sells(session, "farm", "milk")
        found = supply_routes.sources(session, "S1", MONDAY)
    assert {key: [row.sku for row in rows] for key, rows in found.items()} == {"mill": ["bread"], "farm": ["milk"]}


def test_at_the_same_cost_the_shops_own_supplier_comes_first(store):
    with store.write() as session:
        add(session, "a-network", owner=EVERYONE, kind="network")
        add(session, "farm")
        for supplier_id in ("a-network", "farm"):
            sells(session, supplier_id)
        assert list(supply_routes.sources(session, "S1", MONDAY)) == ["farm"]


def test_terms_count_from_their_day_on(store):
    with store.write() as session:
        add(session)
        sells(session, "farm", valid_from=MONDAY + dt.timedelta(days=1))
        assert supply_routes.sources(session, "S1", MONDAY) == {}
        assert list(supply_routes.sources(session, "S1", MONDAY + dt.timedelta(days=1))) == ["farm"]


def test_another_shops_supplier_is_not_asked(store):
    with store.write() as session:
        add(session, owner="S2")
        sells(session, "farm")
        assert supply_routes.sources(session, "S1", MONDAY) == {}


def test_the_networks_suppliers_arrive_whole_and_own_ones_stay(store, tmp_path):
    network = make_node(tmp_path / "network.db")
    with network.write() as session:
        add(session, "vehicle", owner=EVERYONE, kind="network", warehouse_id="WH1")
        sells(session, "vehicle", "bread")
        sells(session, "vehicle", "milk", valid_from=MONDAY)
        suppliers.set_cost(Context(session, WEI, AT), "vehicle", "bread", 950, MONDAY, today=MONDAY)
        body = json.loads(json.dumps(supply_routes.edition(session, MONDAY)))
    network.engine.dispose()
    with store.write() as session:
        add(session, "farm")
        sells(session, "farm", "apple")
        add(session, "vehicle", owner=EVERYONE, kind="network")
        sells(session, "vehicle", "apple")
    for _ in range(2):
        with store.write() as session:
            supply_routes.take_edition(session, body)
    with store.read() as session:
        assert session.get(suppliers.Supplier, "vehicle").warehouse_id == "WH1"
        found = supply_routes.sources(session, "S1", MONDAY)
    assert {key: [row.sku for row in rows] for key, rows in found.items()} == {
        "farm": ["apple"],
        "vehicle": ["bread", "milk"],
    }
    assert [one.pack_cost_minor for one in found["vehicle"]] == [950, 900], "a cost that has begun is the cost"


def test_a_cost_is_kept_for_two_weeks_after_it_changed_and_no_other_ever(store):
    with store.write() as session:
        add(session, "vehicle", owner=EVERYONE, kind="network")
        for days, cost in ((-60, 700), (-40, 800), (-10, 900)):
            sells(session, "vehicle", cost=cost, at=AT + dt.timedelta(days=days))
        suppliers.set_cost(Context(session, WEI, AT), "vehicle", "bread", 1000, MONDAY, today=MONDAY)
        suppliers.set_cost(
            Context(session, WEI, AT), "vehicle", "bread", 1, MONDAY + dt.timedelta(days=5), today=MONDAY
        )

        def kept(cost: int, days: int = 0, pack: int = 6) -> bool:
            day = MONDAY + dt.timedelta(days=days)
            return suppliers.was_listed(session, suppliers.Terms("vehicle", "bread", pack, cost, 1), day)

        assert [kept(cost) for cost in (1, 700, 800, 900, 1000)] == [False, False, True, True, True]
        assert [kept(cost, 4) for cost in (1, 700, 800, 900, 1000)] == [False, False, True, True, True]
        assert [kept(cost, 20) for cost in (1, 800, 1000)] == [True, False, False]
        assert not kept(1000, pack=12)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"lead": -1}, "bad-lead-time"),
        ({"weekdays": ()}, "bad-order-days"),
        ({"weekdays": (7,)}, "bad-order-days"),
        ({"minimum": -1}, "bad-minimum"),
        ({"lead": 61}, "bad-lead-time"),
    ],
)
def test_a_supplier_that_cannot_be_is_refused(store, wrong, code):
    with store.write() as session, pytest.raises(Invalid) as refusal:
        add(session, **wrong)
    assert refusal.value.code == code


def test_a_pack_that_cannot_be_is_refused(store):
    with store.write() as session:
        add(session)
        with pytest.raises(Conflict):
            add(session)
        for wrong in ({"pack": 0}, {"minimum_packs": 0}, {"cost": -1}):
            with pytest.raises(Invalid):
                sells(session, "farm", **wrong)
        with pytest.raises(NotFound):
            sells(session, "mill")
        with pytest.raises(NotFound):
            sells(session, "farm", "unheard-of")


def test_a_supplier_s_calendar_travels_with_the_edition_and_one_that_cannot_be_is_refused(store):
    closed = MONDAY + dt.timedelta(days=1)
    calendar = {"closed_days": f"{closed} {closed}", "order_by": "14:00", "every_weeks": "2", "first_week": str(closed)}
    with store.write() as session:
        add(session, "vehicle", owner=EVERYONE, kind="network", warehouse_id="WH1")
        suppliers.settle_calendar(Context(session, WEI, AT), "WH1", calendar)
        body = json.loads(json.dumps(supply_routes.edition(session, MONDAY)))
        suppliers.settle_calendar(
            Context(session, WEI, AT), "WH1", {"closed_days": "", "order_by": "", "every_weeks": "1"}
        )
        supply_routes.take_edition(session, body)
        vehicle = session.get_one(suppliers.Supplier, "vehicle")
        assert vehicle.calendar == DeliveryCalendar(frozenset({0, 3}), 1, frozenset({closed}), 840, 2, MONDAY)
        for wrong, code in (({"closed_days": "2026-02-30"}, "bad-closed-day"), ({"order_by": "24:00"}, "bad-time")):
            with pytest.raises(Invalid) as refusal:
                suppliers.settle_calendar(Context(session, WEI, AT), "WH1", wrong)
            assert refusal.value.code == code
        with pytest.raises(NotFound):
            suppliers.settle_calendar(Context(session, WEI, AT), "WH9", {})
