"""Orders from sending to goods in the backroom, as the store and as the network sees them."""

import datetime as dt
import random
from dataclasses import replace

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from config.nodes import facts
from config.nodes.journal import Context
from config.nodes.outbox import Message, OutboxMessage, to_wire
from supply.facts import OrderSent
from supply.orders import arrivals, deliveries, delivery_calendar, order_days, orders, suppliers, supply_routes
from supply.orders.deliveries import Delivery
from supply.orders.orders import STATES, ReplenishmentOrder
from supply.orders.suppliers import Supplier
from supply.receiving import receiving
from supply.replenishment import budget, proposals
from tests.supply.road import (
    AT,
    DAY,
    FARM,
    KEEPER,
    OPERATOR,
    VAN,
    WAREHOUSE,
    Country,
    later,
    make_country,
    write_order,
)


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def test_order_and_delivery_tables_reach_and_end_every_state():
    assert STATES.validate() == []
    assert deliveries.STATES.validate() == []


def test_an_order_goes_to_the_network_and_comes_back_as_goods(country):
    order = country.order("S1", {"bread": 2, "milk": 1})
    country.deliver()
    assert country.state("S1", order) == ("sent", "sent")
    country.fill()
    country.deliver()
    assert country.state("S1", order) == ("acknowledged", "acknowledged")
    country.load()
    country.deliver()
    assert country.state("S1", order) == ("dispatched", "dispatched")
    country.take_in("S1")
    country.deliver()
    assert country.state("S1", order) == ("received", "received")
    assert country.level("S1", "S1", "bread").on_hand == 12
    assert country.level("network", "S1", "bread").on_hand == 12
    assert country.level("network", WAREHOUSE, "bread").on_hand == 48
    assert country.findings() == []


@pytest.mark.parametrize("seed", range(8))
def test_shuffled_and_doubled_messages_end_in_the_same_state(country, seed):
    order = country.order("S1", {"bread": 2, "tea": 3})
    country.deliver(seed=seed)
    country.fill()
    country.load()  # acknowledgement and dispatch travel together, and overtake each other
    country.deliver(seed=seed)
    assert country.state("S1", order) == ("dispatched", "dispatched")
    assert {sku: line.packs_acknowledged for sku, line in country.lines("S1", "S1", order).items()} == {
        "bread": 2,
        "tea": 2,
    }
    country.take_in("S1", [("bread", 11, "Broken")])
    country.deliver(seed=seed)
    assert country.state("S1", order) == ("closed_short", "closed_short")
    assert country.findings() == []


def test_applying_everything_again_changes_nothing(country):
    country.order("S1", {"bread": 2})
    country.order("S2", {"bread": 3, "apple": 1})
    country.send_out()
    country.take_in("S1")
    country.deliver()
    before = country.rows()
    country.reapply()
    assert country.rows() == before


def test_scarce_goods_are_shared_and_the_missing_packs_are_seen_on_both_sides(country):
    first = country.order("S1", {"tea": 2})
    second = country.order("S2", {"tea": 2})
    country.deliver()
    country.fill()
    country.deliver()
    for store, order in (("S1", first), ("S2", second)):
        assert country.lines(store, store, order)["tea"].packs_acknowledged == 1
        assert country.lines("network", store, order)["tea"].packs_acknowledged == 1


def test_an_order_of_which_there_is_nothing_is_rejected(country):
    first = country.order("S1", {"tea": 2})
    country.deliver()
    country.fill()
    late = country.order("S2", {"tea": 1})
    country.deliver()
    country.fill()
    country.deliver()
    assert country.state("S2", late) == ("rejected", "rejected")
    assert country.state("S1", first) == ("acknowledged", "acknowledged")


def test_an_order_is_loaded_the_day_before_it_is_delivered_and_once(country):
    order = country.order("S1", {"bread": 1})
    country.deliver()
    country.fill()
    assert country.load(later(days=-1).date()) == []
    assert country.load(AT.date()) == [order]
    assert country.load() == []


def test_an_order_with_an_own_supplier_stays_in_the_shop_and_its_goods_are_expected(country):
    order = country.order("S1", {"bread": 2}, supplier=FARM)
    country.deliver()
    assert country.state("S1", order) == ("sent", "unknown")
    country.take_in("S1")
    country.deliver()
    assert country.state("S1", order) == ("received", "unknown")
    assert country.findings() == []


def test_an_empty_order_is_not_sent(country):
    with country.stores["S1"].write() as session:
        write_order(session, "S1", "order-empty-1", {"bread": 0}, "vehicle", AT, {})
        with pytest.raises(Refused, match="Nothing is ordered"):
            orders.send(Context(session, KEEPER["S1"], AT), "S1", "order-empty-1")


def test_an_order_is_sent_once(country):
    order = country.order("S1", {"bread": 1})
    with country.stores["S1"].write() as session, pytest.raises(Conflict):
        orders.send(Context(session, KEEPER["S1"], AT), "S1", order)


# --- sending and cancelling ---


def approved(country, packs, *, minimum_minor=0, changed_by=""):
    """Write an approved order of S1 as proposed, under a supplier's minimum; returns its id."""
    with country.stores["S1"].write() as session:
        session.get_one(Supplier, VAN).minimum_minor = minimum_minor
        write_order(session, "S1", "order-approved", packs, VAN, AT, {})
        session.flush()
        for line in orders.lines_of(session, orders.order_of(session, "S1", "order-approved")):
            line.changed_by = changed_by
    return "order-approved"


def send(country, order):
    with country.stores["S1"].write() as session:
        return orders.send(Context(session, KEEPER["S1"], AT), "S1", order)


def cancel(country, order, why="Too much"):
    with country.stores["S1"].write() as session:
        return orders.cancel(Context(session, KEEPER["S1"], AT), "S1", order, why=why)


def test_an_order_below_the_suppliers_minimum_is_not_sent_unless_a_person_wanted_it_so(country):
    order = approved(country, {"bread": 1}, minimum_minor=1000)
    with pytest.raises(Refused, match=r"minimum order of 10\.00 EUR; this order is 9\.00 EUR"):
        send(country, order)
    assert country.state("S1", order) == ("approved", "unknown")
    with country.stores["S1"].write() as session:
        orders.lines_of(session, orders.order_of(session, "S1", order))[0].changed_by = "Wei"
    send(country, order)
    assert country.state("S1", order) == ("sent", "unknown")


def test_the_dearest_line_comes_first_and_numbers_rise(country):
    order = country.order("S1", {"bread": 1, "tea": 1, "milk": 2})
    assert list(country.lines("S1", "S1", order)) == ["tea", "milk", "bread"]
    with country.stores["S1"].read() as session:
        assert orders.next_no(session, "S1") == 2
        assert [found.id for found in orders.open_orders(session, "S1")] == [order]
        with pytest.raises(NotFound):
            orders.order_of(session, "S2", order)


def test_what_the_network_sees_of_an_order_is_what_the_shop_sent(country):
    order = country.order("S1", {"bread": 3}, required_qty=18, per_day=4.5)
    country.deliver(seed=1)
    mine, theirs = (country.lines(where, "S1", order)["bread"] for where in ("S1", "network"))
    for name in ("name", "pack_qty", "pack_cost_minor", "packs", "packs_proposed", "changed_by", "why"):
        assert getattr(mine, name) == getattr(theirs, name), name


@pytest.mark.parametrize(
    "odd",
    [{"required_qty": "six"}, {"required_qty": 10**18}, {"per_day": 1e300}, {"on_hand": True}, {"target": [1]},
     {"runs_out_day": "soon"}, {"runs_out_day": 3}],
)  # fmt: skip
def test_an_order_with_odd_figures_waits_by_itself_and_the_others_are_filled(country, odd):
    good = country.order("S2", {"milk": 1}, required_qty=12)
    country.order("S1", {"bread": 1}, **odd)
    refused = r"has no number for|has no stock-out date|an impossible number"
    with pytest.raises(AssertionError, match=refused):  # set aside, as it was refused
        country.deliver()
    country.carry("S2")
    country.fill()
    assert country.state("S2", good)[1] == "acknowledged"
    with country.network.read() as session:
        assert session.get(ReplenishmentOrder, ("S1", "order-S1-1")) is None


def test_a_shop_put_back_from_its_copy_orders_on_and_takes_in_what_it_no_longer_knows_of(country):
    lost = country.order("S1", {"bread": 1}, id="lost")
    country.deliver()
    with country.stores["S1"].write() as session:  # last night's copy does not have it
        for line in orders.lines_of(session, orders.order_of(session, "S1", lost)):
            session.delete(line)
        session.flush()
        session.delete(orders.order_of(session, "S1", lost))
    again = country.order("S1", {"milk": 1}, id="again")
    country.deliver(seed=1)
    country.fill()
    country.load()
    country.deliver(seed=2)
    with country.network.read() as session:
        numbers = {row.id: row.order_no for row in session.scalars(sa.select(ReplenishmentOrder))}
    assert numbers == {lost: 1, again: 1_000_001}
    with country.stores["S1"].write() as session:
        notes = {row.order_id: row.id for row in receiving.expected(session, "S1")}
        assert set(notes) == {None, again}
        for delivery_id in notes.values():
            receiving.begin_count(Context(session, KEEPER["S1"], AT), "S1", delivery_id)
            receiving.post(Context(session, KEEPER["S1"], AT), "S1", delivery_id)
    country.deliver(seed=3)
    with country.network.read() as session:
        found = session.scalars(sa.select(ReplenishmentOrder.state).where(ReplenishmentOrder.store_id == "S1")).all()
    assert found == ["received", "received"]
    assert country.level("S1", "S1", "bread").on_hand == 6


def test_nothing_is_sent_to_a_supplier_that_is_put_aside(country):
    with country.stores["S1"].write() as session:
        write_order(session, "S1", "aside", {"milk": 1}, FARM, AT, {})
        session.get(Supplier, FARM).active = False
        with pytest.raises(Refused, match="paused"):
            orders.send(Context(session, KEEPER["S1"], AT), "S1", "aside")


def test_a_week_s_money_is_spent_by_what_came_not_by_what_was_asked(country):
    with country.stores["S1"].write() as session:
        budget.set_budget(Context(session, KEEPER["S1"], AT), "S1", 25_000)

    def left() -> int:
        with country.stores["S1"].read() as session:
            return budget.left_to_spend(session, "S1", AT.date())

    country.order("S1", {"tea": 10})
    assert left() == 0
    country.deliver()
    country.fill()
    country.deliver()
    assert left() == 20_000, "two packs are promised"
    country.load()
    country.deliver()
    country.take_in("S1", [("tea", 10, "Missing")])
    assert left() == 22_500


@pytest.mark.parametrize("day", ["9999-12-31", "2027-03-02", "1970-01-01"])
def test_an_order_for_a_day_nobody_means_waits_by_itself_and_keeps_no_van_from_leaving(country, day):
    with country.stores["S1"].write() as session:
        write_order(session, "S1", "odd", {"bread": 1}, VAN, AT, {})
        session.get(ReplenishmentOrder, ("S1", "odd")).order_day = dt.date.fromisoformat(day)
        orders.send(Context(session, KEEPER["S1"], AT), "S1", "odd")
    good = country.order("S2", {"milk": 1})
    with pytest.raises(AssertionError, match="Check the store's clock"):
        country.deliver()
    country.carry("S2")
    country.fill()
    assert country.load(AT.date()) == [good]


@pytest.mark.parametrize("seed", range(6))
def test_a_cancelled_order_is_cancelled_at_the_network_also_when_the_word_overtakes_the_order(country, seed):
    order = country.order("S1", {"bread": 2})
    cancel(country, order)
    country.deliver(seed=seed)
    assert country.state("S1", order) == ("cancelled", "cancelled")
    assert country.fill() == []
    assert country.on_the_way("S1") == {}


def test_a_van_that_left_before_the_cancellation_brings_the_goods_all_the_same(country):
    order = country.order("S1", {"bread": 2})
    country.deliver()
    country.fill()
    country.load()
    cancel(country, order)
    country.deliver(seed=2)
    assert country.state("S1", order) == ("dispatched", "dispatched")
    country.take_in("S1")
    country.deliver()
    assert country.state("S1", order) == ("received", "received")
    assert country.findings() == []


def test_an_order_not_sent_is_dropped_and_one_on_the_van_stays(country):
    order = approved(country, {"bread": 1})
    with pytest.raises(Refused, match="Discard it instead"):
        cancel(country, order)
    send(country, order)
    with pytest.raises(Invalid, match="Enter a reason"):
        cancel(country, order, why="  ")
    country.send_out()
    with pytest.raises(Conflict, match="no longer possible"):
        cancel(country, order)


def test_cancelling_an_own_suppliers_order_expects_its_goods_no_longer(country):
    order = country.order("S1", {"bread": 2}, supplier=FARM)
    cancel(country, order)
    with country.stores["S1"].read() as session:
        assert receiving.expected(session, "S1") == []
    assert country.state("S1", order) == ("cancelled", "unknown")
    assert country.findings() == []


@pytest.mark.parametrize("seed", range(6))
def test_a_network_without_its_books_learns_an_order_from_the_shop_in_any_order(country, tmp_path, seed):
    order = country.order("S1", {"bread": 2, "milk": 1})
    country.send_out()
    country.take_in("S1", [("milk", 11, "Broken")])
    with country.stores["S1"].read() as session:
        reported = [Message(**to_wire(row)) for row in session.scalars(sa.select(OutboxMessage)).all()]
    (tmp_path / "fresh").mkdir()
    fresh = make_country(tmp_path / "fresh")
    random.Random(seed).shuffle(reported)
    for message in reported * 2:
        with fresh.network.write() as session:
            facts.apply(session, message, "S1", AT)
    assert fresh.state("S1", order)[1] == country.state("S1", order)[0] == "closed_short"
    assert {sku: line.qty_received for sku, line in fresh.lines("network", "S1", order).items()} == {
        "bread": 12,
        "milk": 11,
    }
    assert fresh.level("network", "S1", "milk").on_hand == 11


def test_an_order_sent_after_the_cut_off_counts_for_the_supplier_s_next_order_day(country):
    days = []
    with country.stores["S1"].write() as session:  # the farm takes orders on Mondays and Thursdays
        farm = session.get_one(Supplier, FARM)
        farm.calendar = replace(farm.calendar, cut_off_minute=10 * 60)
    for n, hours in enumerate((0, 2)):
        order_id = country.order("S1", {"bread": 1}, supplier=FARM, id=f"late-{n}", at=later(hours=hours), lead=2)
        with country.stores["S1"].read() as session:
            order = session.get_one(ReplenishmentOrder, ("S1", order_id))
            days.append([(day - DAY).days for day in (order.order_day, order.delivery_day)])
            (goods,) = session.scalars(sa.select(Delivery).filter_by(order_id=order_id))
            assert goods.expected_day == order.delivery_day
    assert days == [[0, 2], [3, 5]]


def _days(country, where: str, order_id: str) -> list[int]:
    with country.nodes()[where].read() as session:
        order = session.get_one(ReplenishmentOrder, ("S1", order_id))
        return [(day - DAY).days for day in vars(order_days.of(order)).values()]


def test_an_order_counts_by_the_warehouse_s_clock_for_the_van_it_reaches_the_network_for(country):
    """The warehouse is nine hours ahead: its 19:00 is the store's 10:00."""
    with country.network.write() as session:
        suppliers.settle_calendar(Context(session, OPERATOR, AT), WAREHOUSE, {"order_by": "19:00"}, tz="Asia/Tokyo")
        reported = supply_routes.edition(session, DAY)
    with country.stores["S1"].write() as session:
        supply_routes.take_edition(session, reported)
        assert order_days.closes_at(session, session.get_one(Supplier, VAN), "S1", DAY).hour == 10
    early, late = country.order("S1", {"bread": 1}, id="early"), country.order("S1", {"milk": 1}, id="late")
    with country.stores["S1"].write() as session:
        order = session.get_one(ReplenishmentOrder, ("S1", late))
        assert not proposals.is_over(session, order, later(hours=1))
        assert proposals.is_over(session, order, later(hours=1, minutes=1))
    country.carry("S1", at=later(hours=1))
    third = country.order("S1", {"tea": 1}, id="third", at=later(minutes=59))
    country.carry("S1", at=later(hours=2))
    country.deliver(at=later(hours=2))
    assert [_days(country, "network", one) for one in (early, late)] == [[0, 1, 2]] * 2
    for where in ("network", "S1"):
        assert _days(country, where, third) == [1, 2, 3], "sent in time, and there too late"
    country.fill(later(hours=2))
    assert country.load(DAY, later(hours=2)) == [early, late]
    country.deliver(at=later(hours=2))
    assert country.state("S1", third) == ("acknowledged", "acknowledged")
    assert country.findings() == []


@pytest.mark.parametrize(("tz", "closes", "shown"), [("Asia/Tokyo", 15, 14), ("", 24, None)])
def test_a_warehouse_without_an_hour_takes_orders_until_its_own_midnight(country, tz: str, closes: int, shown: int):
    """Its midnight is the store's 15:00, or midnight, though the store's day lasts until four in the morning."""
    with country.stores["S1"].write() as session:
        suppliers.settle_calendar(Context(session, OPERATOR, AT), WAREHOUSE, {"order_by": ""}, tz=tz)
        last = order_days.closes_at(session, session.get_one(Supplier, VAN), "S1", DAY)
        assert (last.hour if last else None) == shown
    midnight = later(hours=closes - AT.hour)
    for at, ordered in ((midnight - dt.timedelta(minutes=1), DAY), (midnight, DAY + dt.timedelta(days=1))):
        with country.stores["S1"].read() as session:
            supplier = session.get_one(Supplier, VAN)
            days = delivery_calendar.order_cycle(supplier.calendar, DAY)
            assert order_days.counted(session, supplier, days, "S1", at).order_day == ordered


def test_who_names_an_earlier_day_or_an_earlier_van_is_due_no_sooner_than_the_others(country):
    country.order("S1", {"bread": 1}, id="sly")
    with country.stores["S1"].read() as session:
        body = to_wire(session.scalars(sa.select(OutboxMessage)).one())["body"]
    long_ago = (DAY - dt.timedelta(days=9)).isoformat()
    body |= dict.fromkeys(("order_day", "delivery_day", "next_delivery_day"), long_ago)
    with country.network.write() as session:
        sly = arrivals.arrive(Context(session, OPERATOR, AT), OrderSent.from_body(body))
        assert order_days.of(sly).order_day == DAY
        assert order_days.due_day(session, sly) == later(days=1).date()
