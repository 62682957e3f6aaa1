"""The warehouse: sharing out by need, loading what is there, offers after orders, and topping up."""

import datetime as dt

import pytest

from config.nodes.journal import Context
from pos.stock import stock
from supply.orders import network_offers
from supply.orders.lead_times import measured
from supply.orders.network_offers import NewOffer
from supply.orders.suppliers import Supplier, settle_calendar
from supply.receiving import receiving
from tests.supply.replenishment.test_sourcing import came
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, VAN, WAREHOUSE, Country, later, make_country

TOMORROW = later(days=1).date()


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def bring(country, sku, qty, source_id="more"):
    with country.network.write() as session:
        stock.receive(
            Context(session, OPERATOR, AT), WAREHOUSE, [(sku, qty)], source_kind="restock", source_id=source_id
        )


def promised(country, store, order, sku):
    return country.lines("network", store, order)[sku].packs_acknowledged


def test_scarce_goods_go_by_need_and_an_inflated_order_gains_nothing(country):
    honest = country.order("S1", {"bread": 8}, required_qty=48, per_day=6)
    greedy = country.order("S2", {"bread": 80}, required_qty=48, per_day=6)
    country.deliver()
    country.fill()
    assert (promised(country, "S1", honest, "bread"), promised(country, "S2", greedy, "bread")) == (5, 5)


def test_the_shop_that_runs_out_first_gets_more(country):
    with country.stores["S2"].write() as session:
        stock.open_stock(Context(session, KEEPER["S2"], AT), "S2", [("bread", 24)], source_id="own")
    empty = country.order("S1", {"bread": 8}, required_qty=48, per_day=6, on_hand=0)
    stocked = country.order(
        "S2", {"bread": 8}, required_qty=48, per_day=6, on_hand=0
    )  # what it says of itself is no matter
    country.deliver()
    country.fill()
    assert (promised(country, "S1", empty, "bread"), promised(country, "S2", stocked, "bread")) == (7, 3)


def test_what_is_confirmed_is_not_confirmed_to_another_order(country):
    first = country.order("S1", {"tea": 2}, required_qty=20)
    country.deliver()
    country.fill()
    second = country.order("S2", {"tea": 1, "milk": 1})
    country.deliver()
    country.fill()
    assert promised(country, "S1", first, "tea") == 2
    assert promised(country, "S2", second, "tea") == 0
    assert promised(country, "S2", second, "milk") == 1


def test_a_rejected_order_is_no_longer_on_the_way(country):
    country.order("S1", {"tea": 2}, required_qty=20)
    country.deliver()
    country.fill()
    country.order("S2", {"tea": 1})
    assert country.on_the_way("S2") == {"tea": 10}
    country.deliver()
    country.fill()
    country.deliver()
    assert country.on_the_way("S2") == {}


def test_within_a_round_the_order_that_reached_the_network_first_goes_first_whatever_the_shops_say(country):
    country.order("S2", {"bread": 1}, id="early")
    country.carry("S2", at=later(minutes=1))
    country.order("S1", {"bread": 1}, id="says-earlier", at=AT - dt.timedelta(hours=3))
    country.carry("S1", at=later(minutes=2))
    country.fill()
    assert country.load() == ["early", "says-earlier"]


def test_on_a_day_without_a_van_nothing_leaves_by_itself_for_the_day_after(country):
    with country.network.write() as session:
        settle_calendar(Context(session, OPERATOR, AT), WAREHOUSE, {"closed_days": DAY.isoformat()}, tz="UTC")
    before = AT - dt.timedelta(days=1)
    country.order("S1", {"bread": 1}, id="one", at=before)
    country.deliver(at=before)
    country.fill(at=before)
    assert country.load(DAY) == []
    assert country.load(DAY + dt.timedelta(days=1)) == ["one"]


def test_what_broke_in_the_warehouse_is_not_loaded_and_the_order_is_closed_short(country):
    order = country.order("S1", {"tea": 2}, required_qty=20)
    country.deliver()
    country.fill()
    with country.network.write() as session:
        stock.waste(Context(session, OPERATOR, AT), WAREHOUSE, "tea", 3)
    assert country.load() == [order]
    country.deliver()
    assert country.on_the_way("S1") == {"tea": 20}
    country.take_in("S1")
    country.deliver()
    assert country.level("S1", "S1", "tea").on_hand == 10
    assert country.state("S1", order) == ("closed_short", "closed_short")
    assert country.on_the_way("S1") == {}
    assert country.findings() == []


def test_an_order_of_which_nothing_is_there_any_more_waits_for_the_next_van(country):
    order = country.order("S1", {"tea": 2}, required_qty=20)
    country.deliver()
    country.fill()
    with country.network.write() as session:
        stock.waste(Context(session, OPERATOR, AT), WAREHOUSE, "tea", 15)
    assert country.load() == []
    bring(country, "tea", 20)
    assert country.load() == [order]


def test_an_accepted_offer_travels_after_the_orders_and_only_whole(country):
    with country.network.write() as session:
        network_offers.offer(
            Context(session, OPERATOR, AT),
            "S2",
            NewOffer(sku="tea", packs=1, why="It sells", answer_by=TOMORROW),
            id="push-0001",
        )
    country.order("S1", {"tea": 2}, required_qty=20)
    country.deliver()
    country.fill()
    with country.stores["S2"].write() as session:
        network_offers.accept(Context(session, KEEPER["S2"], AT), "S2", "push-0001")
    country.deliver()
    assert country.on_the_way("S2") == {"tea": 10}
    country.load(DAY - dt.timedelta(days=2))
    assert country.rows()["network.stock_movement"] == [
        row for row in country.rows()["network.stock_movement"] if "dispatched" not in row
    ]
    bring(country, "tea", 10)
    country.load()
    country.deliver()
    country.take_in("S2")
    country.deliver()
    assert country.level("network", "S2", "tea").on_hand == 10
    assert country.on_the_way("S2") == {}
    assert country.findings() == []


def test_filling_and_loading_with_nothing_to_do_changes_nothing(country):
    before = country.rows()
    assert country.fill() == []
    assert country.load() == []
    assert country.rows() == before


def test_a_shop_that_learnt_to_wait_gets_its_order_as_promised_and_learns_better(country):
    with country.stores["S1"].write() as session:
        came(session, [5] * 8, VAN)
        vehicle = session.get_one(Supplier, VAN)
        assert measured(session, "S1", [vehicle], at=AT)[VAN].days == 4
    for n in range(3):
        at = later(days=n)
        order = country.order("S1", {"bread": 1}, at=at, lead=4)
        country.deliver(at=at)
        country.fill(at)
        assert country.load(at.date(), at) == [order]
        country.deliver(at=at)
        with country.stores["S1"].read() as session:
            assert [one.expected_day for one in receiving.expected(session, "S1")] == [later(days=n + 1).date()]
        country.take_in("S1", at=later(days=n + 1))
    with country.stores["S1"].read() as session:
        vehicle = session.get_one(Supplier, VAN)
        assert measured(session, "S1", [vehicle], at=later(days=4))[VAN].days == 3
