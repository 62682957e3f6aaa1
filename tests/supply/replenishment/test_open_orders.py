"""What a store waits for: goods that should be here and did not come hold no proposal back."""

import datetime as dt

import pytest

from config.nodes.journal import Context
from supply.demand.history import DailyDemand, StoreDay
from supply.orders import network_offers, orders
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.lead_times import LeadTime, measured
from supply.orders.network_offers import NewOffer
from supply.orders.suppliers import Supplier
from supply.orders.transfers import Transfer, TransferLine
from supply.receiving import receiving
from supply.receiving.vehicle_arrivals import DeliveryTracking
from supply.replenishment import proposals
from supply.replenishment.open_orders import missed_orders, to_come
from tests.supply.replenishment.test_sourcing import came
from tests.supply.road import AT, DAY, FARM, KEEPER, OPERATOR, Country, later, make_country


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def missed(country: Country, *, days: float) -> list[tuple[str, bool]]:
    """Return which orders did not come, and whether each can be called off."""
    with country.stores["S1"].read() as session:
        found = missed_orders(session, "S1", at=later(days=days))
    return [(one.order_id, one.may_cancel) for one in found]


def coming(country: Country, *, days: float) -> dict[str, dict[int, int]]:
    """Return what comes: SKU -> how many days from the beginning -> units."""
    with country.stores["S1"].read() as session:
        found = to_come(session, "S1", at=later(days=days)).coming
    return {sku: {(day - DAY).days: qty for day, qty in units.items()} for sku, units in found.items()}


def proposed_milk(country: Country, at: dt.datetime) -> tuple[int, list]:
    """Return how many packs of milk are proposed, and what the line says did not come."""
    with country.stores["S1"].write() as session:
        made = proposals.propose(Context(session, KEEPER["S1"], at), "S1")
        lines = [line for order in made for line in orders.lines_of(session, order) if line.sku == "milk"]
        return sum(line.packs for line in lines), [one for line in lines for one in line.why.get("missed", [])]


def test_an_order_that_never_came_holds_no_proposal_back_and_the_line_says_so(country):
    with country.stores["S1"].write() as session:
        for n in range(31):
            day = DAY + dt.timedelta(days=n - 1)
            session.add(StoreDay(store_id="S1", business_day=day, open=True, sales=9, revenue_minor=1))
            session.add(
                DailyDemand(store_id="S1", business_day=day, sku="milk", sold_qty=4, sales=4, revenue_minor=516)
            )
    wanted, _ = proposed_milk(country, later(days=30))
    phantom = country.order("S1", {"milk": 5}, at=later(days=28))
    assert wanted > 0
    assert proposed_milk(country, later(days=30)) == (0, [])
    again, said = proposed_milk(country, later(days=32))
    assert again >= wanted
    with country.stores["S1"].read() as session:
        number = orders.order_of(session, "S1", phantom).order_no
    assert said == [[number, 60, later(days=29).date().isoformat()]]


def test_a_neighbour_s_goods_nobody_took_in_hold_no_proposal_back(country):
    with country.stores["S1"].write() as session:
        found = Transfer(
            id="T1", giver_id="S2", taker_id="S1", giver_name="S2", taker_name="S1", metres=9, state="handed_over",
            proposed_at=AT, answer_by=DAY, fetch_by=DAY + dt.timedelta(days=1),
        )  # fmt: skip
        session.add(found)
        session.flush()
        line = TransferLine(
            transfer_id="T1", sku="milk", name="Milk", stock_unit="each", price_quantity=1, qty=24, pack_qty=12,
            pack_cost_minor=1_100,
        )  # fmt: skip
        session.add(line)
    assert coming(country, days=0) == {"milk": {0: 24}}, "it can be fetched today"
    assert coming(country, days=3) == {"milk": {3: 24}}
    with country.stores["S1"].read() as session:
        waits = to_come(session, "S1", at=later(days=4))
    assert (waits.coming, [(one.qty, one.order_no) for one in waits.missed["milk"]]) == ({}, [(24, -1)])


def test_an_order_is_waited_for_two_days_past_its_day_and_can_then_be_called_off(country):
    phantom = country.order("S1", {"milk": 5})
    assert (country.on_the_way("S1", later(days=3)), missed(country, days=3)) == ({"milk": 60}, [])
    assert (country.on_the_way("S1", later(days=4)), missed(country, days=4)) == ({}, [(phantom, True)])
    with country.stores["S1"].write() as session:
        orders.cancel(Context(session, KEEPER["S1"], later(days=4)), "S1", phantom, why="It did not arrive.")
    assert missed(country, days=4) == []


def test_a_supplier_whose_days_vary_is_waited_for_twice_its_spread(country):
    with country.stores["S1"].write() as session:
        session.get_one(Supplier, FARM).calendar = DeliveryCalendar(frozenset({0, 3}))
        came(session, [1, 4, 1, 4, 1, 4, 1, 4, 1, 4])  # 2.5 days, with a spread of 1.6: four more days are waited
    country.order("S1", {"bread": 1}, supplier=FARM)
    # on the second day as measured, not the first as written
    assert country.on_the_way("S1", later(days=6)) == {"bread": 6}
    assert country.on_the_way("S1", later(days=7)) == {}


def test_of_a_supplier_that_loses_orders_only_the_likely_share_is_counted_on(country):
    with country.stores["S1"].write() as session:
        came(session, [1, 1, 1])
    lost = country.order("S1", {"bread": 4}, supplier=FARM)
    country.order("S1", {"bread": 4}, supplier=FARM, at=later(days=6))
    with country.stores["S1"].read() as session:
        lead = measured(session, "S1", [session.get_one(Supplier, FARM)], at=later(days=6))[FARM]
    assert (missed(country, days=6), lead.lost) == ([(lost, True)], 1)
    # three came in as many days, and three are promised: one of seven does not come
    assert country.on_the_way("S1", later(days=6)) == {"bread": round(24 * 6.3 / 7.3)}
    with country.stores["S1"].write() as session:
        orders.cancel(Context(session, KEEPER["S1"], later(days=6)), "S1", lost, why="It did not arrive.")
    assert country.on_the_way("S1", later(days=6)) == {"bread": 24}, "what was called off proves nothing"


def test_the_longer_an_order_waits_the_likelier_it_is_lost():
    lead = LeadTime(2, 2, 0.0, count=4, took=(1, 2, 2, 3), lost=2)
    chances = [lead.chance(days) for days in range(5)]
    assert chances == pytest.approx([7.3 / 9.3, 7.3 / 9.3, 6.3 / 8.3, 1.3 / 3.3, 0.3 / 2.3])
    assert LeadTime(2, 2, 0.0, count=4, took=(1, 2, 2, 3)).chance(9) == 1.0, "none was ever lost"


def test_goods_that_were_announced_late_are_waited_for_from_that_day(country):
    order = country.order("S1", {"bread": 1})
    country.deliver()
    country.fill()
    country.load(at=later(days=5))
    country.deliver()
    assert [coming(country, days=day) for day in (5, 7)] == [{"bread": {5: 6}}, {"bread": {7: 6}}]
    assert coming(country, days=8) == {}
    assert missed(country, days=8) == [(order, False)]  # it has left: it is counted, and closed at zero


@pytest.mark.parametrize("how", ["counting", "left by the driver"])
def test_goods_that_are_here_and_not_posted_are_counted_on(country, how):
    country.order("S1", {"bread": 1})
    country.send_out()
    delivery_id = country.delivery("S1")
    with country.stores["S1"].write() as session:
        if how == "counting":
            receiving.begin_count(Context(session, KEEPER["S1"], later(days=1)), "S1", delivery_id)
        else:
            session.add(
                DeliveryTracking(
                    store_id="S1",
                    delivery_id=delivery_id,
                    route_id="r",
                    step=2,
                    state="delivered",
                    comes_at=AT,
                    n=1,
                    vehicle="v",
                    driver="d",
                    receiver="w",
                    note="",
                    reported_at=AT,
                )
            )
    assert country.on_the_way("S1", later(days=9)) == {"bread": 6}
    assert missed(country, days=9) == []


def test_an_offer_whose_goods_left_and_never_came_is_not_counted_on(country):
    with country.network.write() as session:
        network_offers.offer(
            Context(session, OPERATOR, AT),
            "S1",
            NewOffer(sku="tea", packs=1, why="New", answer_by=later(days=3).date()),
            id="p1",
        )
    country.deliver()
    with country.stores["S1"].write() as session:
        network_offers.accept(Context(session, KEEPER["S1"], AT), "S1", "p1")
    assert coming(country, days=0) == {"tea": {0: 10}}, "nobody said a day yet"
    country.deliver()
    country.load()
    country.deliver()
    assert [coming(country, days=day) for day in (0, 3)] == [{"tea": {1: 10}}, {"tea": {3: 10}}]
    with country.stores["S1"].read() as session:
        found = to_come(session, "S1", at=later(days=4))
    assert (found.coming, [one.reported() for one in found.missed["tea"]]) == (
        {},
        [[0, 10, later(days=1).date().isoformat()]],
    )
