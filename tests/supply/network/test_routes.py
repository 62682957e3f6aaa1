"""Routes: planned within loads and windows, driven stop by stop, told to the stores, and refused goods come back."""

import datetime as dt

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Conflict, Invalid, NotFound, Refused
from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from supply.facts import Advised
from supply.network.routes import loads as route_load
from supply.network.routes import routes, vehicles
from supply.network.warehouse import dispatch
from supply.orders import network_offers
from supply.orders.deliveries import Advice, Delivery, expect
from supply.orders.network_offers import NewOffer
from supply.orders.orders import ReplenishmentOrder
from supply.receiving import receiving, vehicle_arrivals
from supply.replenishment import stockouts
from supply.routing import vehicle_routes
from supply.routing.vehicle_routes import Call, Distances, Spot, Vehicle
from tests.supply.road import AT, DAY, KEEPER, OPERATOR, VAN, WAREHOUSE, Country, later, make_country

BY = {"actor": OPERATOR, "at": AT}
DEPOT = Spot("WH1", 31.2, 121.4)
HOUR = 3600


@pytest.fixture
def country(tmp_path) -> Country:
    """Give two stores with one delivery each on the ramp, a vehicle, and all places known."""
    return make_country(tmp_path, lay_in=_on_the_ramp)


def _on_the_ramp(country: Country) -> None:
    country.order("S1", {"bread": 2}, runs_out_day=DAY.isoformat())
    country.order("S2", {"milk": 3})
    country.deliver()
    country.fill()
    country.deliver()
    with country.network.write() as session:
        dispatch.dispatch_day(Context(session, **BY), everything=True)
        vehicles.place(Context(session, **BY), WAREHOUSE, 31_200_000, 121_400_000)
        vehicles.place(Context(session, **BY), "S1", 31_250_000, 121_450_000)
        vehicles.place(Context(session, **BY), "S2", 31_100_000, 121_300_000, window=(480, 600))
        vehicles.add_vehicle(Context(session, **BY), WAREHOUSE, "Vehicle 1", 40)
    country.deliver()


def plan(
    country: Country, seconds: float = 0.1, *, day: dt.date = DAY, at: dt.datetime = AT
) -> list[routes.DeliveryRoute]:
    with country.network.write() as session:
        row = route_load.ask(Context(session, OPERATOR, at), WAREHOUSE, day)
        loaded = route_load.load(session, row, at=at)
        planned = vehicle_routes.plan(
            loaded.day.depot, loaded.day.calls, loaded.day.vehicles, legs=loaded.day.legs, seconds=seconds
        )
        return route_load.write_down(session, row, loaded, planned, at=at)


def stops(country: Country, route_id: str) -> list[routes.RouteStop]:
    with country.network.read() as session:
        return routes.stops_of(session, session.get_one(routes.DeliveryRoute, route_id))


def sent_off(country: Country) -> tuple[str, str]:
    (one,) = plan(country)
    with country.network.write() as session:
        key = routes.send_off(Context(session, **BY), one.id, "Dora")
    country.deliver()
    return one.id, key


def call_at(country: Country, store: str) -> vehicle_arrivals.DeliveryTracking:
    with country.stores[store].read() as session:
        (found,) = session.scalars(sa.select(vehicle_arrivals.DeliveryTracking)).all()
        return found


# --- the pure planner ---


@settings(max_examples=12)
@given(
    calls=st.lists(
        st.tuples(st.integers(-200, 200), st.integers(-200, 200), st.integers(1, 30), st.integers(6, 12),
                  st.integers(13, 16), st.integers(0, 3)),
        min_size=1, max_size=9,
    ),
    loads=st.lists(st.integers(10, 60), min_size=1, max_size=3),
)  # fmt: skip
def test_no_round_is_beyond_a_load_a_window_or_a_day_and_nobody_is_called_at_twice(calls, loads):
    wanted = [
        Call(Spot(f"S{n}", 31.2 + lat / 1000, 121.4 + lon / 1000), packs, first * HOUR, until * HOUR, 300, soon)
        for n, (lat, lon, packs, first, until, soon) in enumerate(calls)
    ]  # fmt: skip
    fleet = [Vehicle(f"V{n}", load, 6 * HOUR, 18 * HOUR) for n, load in enumerate(loads)]
    planned = vehicle_routes.plan(DEPOT, wanted, fleet, seconds=0.05)
    by_key, vehicle_of = {call.spot.key: call for call in wanted}, {vehicle.key: vehicle for vehicle in fleet}
    assert [
        fault for one in planned.routes for fault in vehicle_routes.faults(vehicle_of[one.vehicle], by_key, one)
    ] == []
    served = [visit.key for one in planned.routes for visit in one.visits]
    assert sorted([*served, *planned.left_out]) == sorted(by_key)
    assert len({one.vehicle for one in planned.routes}) == len(planned.routes)


def test_who_is_about_to_be_sold_out_is_left_out_last():
    near = [Call(Spot(f"S{n}", 31.2, 121.4 + n / 100), 20, 0, 86_400, 300, n == 3) for n in range(1, 4)]
    planned = vehicle_routes.plan(DEPOT, near, [Vehicle("V", 40, 0, 86_400)], seconds=0.1)
    assert len(planned.left_out) == 1
    assert "S3" not in planned.left_out, "the farthest, but the one whose shelf is empty today"


def test_the_great_circle_is_the_textbook_s_and_a_measured_way_takes_its_place():
    paris, london = Spot("P", 48.8566, 2.3522), Spot("L", 51.5074, -0.1278)
    metres, seconds = Distances([paris, london]).between("P", "L")
    assert abs(metres / vehicle_routes.DETOUR - 343_556) < 500
    assert seconds == round(metres * 3.6 / vehicle_routes.SPEED_KMH)
    measured = Distances([paris, london], {("P", "L"): (470_000, 18_000)})
    assert measured.between("P", "L") == (470_000, 18_000)
    assert measured.between("L", "P") == (metres, seconds), "the way back was not measured"


# --- rows ---


def test_a_plan_takes_what_stands_loaded_once_and_planning_anew_begins_again(country):
    (first,) = plan(country)
    found = {stop.store_id: (stop.packs, stop.urgency) for stop in stops(country, first.id)}
    assert found == {"S1": (2, 3), "S2": (3, 0)}
    assert first.packs == 5
    (second,) = plan(country)
    with country.network.read() as session:
        assert session.get_one(routes.DeliveryRoute, first.id).state == "dropped"
        assert [row.id for row in routes.routes_of(session, WAREHOUSE)] == [second.id]
        assert routes.waiting_deliveries(session, WAREHOUSE) == []
    with country.network.write() as session:
        routes.send_off(Context(session, **BY), second.id, "Dora")
    assert plan(country) == [], "what is on the way is not planned again"


def put_on_the_ramp(country: Country, *stores: str) -> None:
    with country.network.write() as session:
        for store_id in stores:
            expect(
                Context(session, **BY),
                store_id,
                f"more-{store_id}",
                Advice(VAN, [Advised("bread", "Bread", 6, 6)], expected_day=DAY),
            )


def test_a_van_is_on_one_round_at_a_time(country):
    route_id, key = sent_off(country)
    put_on_the_ramp(country, "S1")
    (again,) = plan(country)
    with country.network.read() as session:
        first = session.get_one(routes.DeliveryRoute, route_id)
        assert again.vehicle_id == first.vehicle_id
        assert again.leaves_s >= first.back_s, "it leaves when it is back"
    with country.network.write() as session, pytest.raises(Refused, match="still on another route") as refused:
        routes.send_off(Context(session, **BY), again.id, "Dora")
    assert refused.value.code == "vehicle-away"
    with country.network.write() as session:
        for store in ("S1", "S2"):
            routes.confirm(session, key, store, "delivered", receiver="Kim", at=AT)
        routes.send_off(Context(session, **BY), again.id, "Dora")


def test_nothing_is_planned_into_the_past(country):
    yesterday, tomorrow = DAY - dt.timedelta(days=1), DAY + dt.timedelta(days=1)
    with country.network.write() as session, pytest.raises(Refused, match="has passed"):
        route_load.ask(Context(session, **BY), WAREHOUSE, yesterday)
    (today,) = plan(country)
    assert today.leaves_s >= AT.hour * HOUR, "no vehicle leaves before now"
    with country.network.write() as session, pytest.raises(Refused, match="Plan the routes again"):
        routes.send_off(Context(session, OPERATOR, later(days=1)), today.id, "Dora")
    late = AT.replace(hour=17, minute=59)
    assert plan(country, at=late, day=tomorrow) == [], "today's route stays, and what is on it"
    with country.network.write() as session:
        assert session.get_one(routes.DeliveryRoute, today.id).state == "planned"
        routes.drop(Context(session, **BY), today.id)
    (next_day,) = plan(country, at=late, day=tomorrow)
    assert next_day.day == tomorrow
    assert plan(country, at=later(days=2), day=DAY + dt.timedelta(days=2))[0].packs == next_day.packs
    with country.network.read() as session:
        assert session.get_one(routes.DeliveryRoute, next_day.id).state == "dropped", (
            "it never left, and its day is over"
        )


def test_a_shop_without_a_place_and_a_load_no_van_holds_are_left_out_by_name(country):
    with country.network.write() as session:
        session.execute(sa.delete(vehicles.MapPoint).where(vehicles.MapPoint.id == "S1"))
        session.execute(sa.update(vehicles.Vehicle).values(packs=2))
    assert plan(country) == []
    with country.network.read() as session:
        assert route_load.newest_plan(session, WAREHOUSE).left_out == [["S1", "no-place"], ["S2", "no-vehicle"]]


def test_a_shop_whose_deliveries_no_van_holds_together_is_called_at_by_several(country):
    country.order("S1", {"milk": 4})
    country.deliver()
    country.fill()
    with country.network.write() as session:
        dispatch.dispatch_day(Context(session, **BY), everything=True)
        session.execute(sa.update(vehicles.Vehicle).values(packs=5))
        vehicles.add_vehicle(Context(session, **BY), WAREHOUSE, "Vehicle 2", 5)
        vehicles.add_vehicle(Context(session, **BY), WAREHOUSE, "Vehicle 3", 5)
    made = plan(country, seconds=0.3)  # 4 and 2 packs to S1, 3 to S2
    reported = sorted((stop.store_id, stop.packs) for one in made for stop in stops(country, one.id))
    assert reported == [("S1", 2), ("S1", 4), ("S2", 3)]
    with country.network.read() as session:
        assert route_load.newest_plan(session, WAREHOUSE).left_out == []
        loads = [(row.store_id, row.route_id) for row in session.scalars(sa.select(routes.RouteLoad))]
        assert len(loads) == len(set(loads)) == 3, "each delivery once, and no vehicle carries two calls of a store"


def test_the_order_of_stops_is_the_person_s_and_what_comes_too_late_is_said(country):
    (one,) = plan(country)
    with country.network.write() as session:
        session.execute(sa.update(routes.RouteStop).where(routes.RouteStop.store_id == "S1").values(from_s=15 * HOUR))
    before = [stop.store_id for stop in stops(country, one.id)]
    with country.network.write() as session:
        routes.move_stop(Context(session, **BY), one.id, before[1], -1)
    after = stops(country, one.id)
    assert [stop.store_id for stop in after] == before[::-1]
    assert [stop.n for stop in after] == [1, 2]
    with country.network.write() as session:
        routes.move_stop(Context(session, **BY), one.id, "S1", -5)
    late = {stop.store_id: routes.out_of_window(stop) for stop in stops(country, one.id)}
    assert late == {"S1": False, "S2": True}, "S2 closes at ten, and the vehicle waits at S1 until three"


def test_a_stop_is_told_to_its_shop_and_confirmed_once(country):
    route_id, key = sent_off(country)
    coming = call_at(country, "S1")
    assert (coming.state, coming.vehicle, coming.driver) == ("on_the_way", "Vehicle 1", "Dora")
    with (
        country.network.write() as session,
        pytest.raises(Invalid, match="Enter the name of the person who received the delivery"),
    ):
        routes.confirm(session, key, "S1", "delivered", at=later(hours=1))
    word = {"receiver": "Wei", "done_at": later(minutes=30), "at": later(hours=2)}
    for _ in range(2):
        with country.network.write() as session:
            stop = routes.confirm(session, key, "S1", "delivered", **word)
    assert stop.done_at == later(minutes=30), "the phone was cut off; its own time counts"
    with country.network.write() as session, pytest.raises(Conflict):
        routes.confirm(session, key, "S1", "refused", note="late", at=later(hours=3))
    with country.network.write() as session, pytest.raises(NotFound):
        routes.confirm(session, key + "x", "S1", "delivered", receiver="Wei", at=later(hours=3))
    country.deliver(seed=3)
    assert (call_at(country, "S1").state, call_at(country, "S1").receiver) == ("delivered", "Wei")
    with country.stores["S1"].read() as session:
        assert session.scalars(sa.select(Delivery.state)).all() == ["expected"], "delivered is no count"
    country.take_in("S1", [("bread", 7, "Missing")])
    country.deliver()
    with country.network.write() as session:
        assert routes.counted_less(session, AT - dt.timedelta(days=1)) == [("S1", 5)], "somebody asks both"
        routes.confirm(session, key, "S2", "short", receiver="Mo", note="one case", at=later(hours=2))
    with country.network.read() as session:
        assert session.get_one(routes.DeliveryRoute, route_id).state == "done"


def test_what_is_refused_at_the_door_comes_back_by_the_shop_s_own_word(country):
    before = country.level("network", WAREHOUSE, "milk").on_hand
    _, key = sent_off(country)
    with country.network.write() as session:
        routes.confirm(session, key, "S2", "refused", note="Closed", at=later(hours=1))
    country.deliver(seed=5)
    for where in (country.stores["S2"], country.network):
        with where.read() as session:
            found = session.scalars(sa.select(Delivery).where(Delivery.store_id == "S2")).one()
            assert (found.state, found.posted_by) == ("refused", "Dora")
    assert country.level("network", WAREHOUSE, "milk").on_hand == before + 36
    rows = country.rows()
    country.reapply()
    assert country.rows() == rows


def states(country: Country, store: str) -> list[tuple[str, str]]:
    """Return (order, deliveries) of a store, at the store and at the network."""
    found = []
    for where in (country.stores[store], country.network):
        with where.read() as session:
            order = session.scalars(sa.select(ReplenishmentOrder).where(ReplenishmentOrder.store_id == store)).one()
            notes = session.scalars(sa.select(Delivery).where(Delivery.store_id == store).order_by(Delivery.id))
            found.append((order.state, " ".join(one.state for one in notes)))
    return found


@pytest.mark.parametrize("by", ["driver", "operator"])
def test_what_a_round_did_not_reach_is_stock_again_and_comes_with_a_later_van(country, by):
    milk = country.level("network", WAREHOUSE, "milk").on_hand
    route_id, key = sent_off(country)
    with country.network.write() as session:
        routes.confirm(session, key, "S1", "delivered", receiver="Wei", at=later(hours=1))
        with pytest.raises(Invalid, match="The stores will see it"):
            routes.end(Context(session, **BY), route_id, why=" ")
    for _ in range(2):
        with country.network.write() as session:
            if by == "driver":
                routes.confirm(session, key, "S2", "not_reached", note="The engine", at=later(hours=2))
            else:
                routes.end(Context(session, OPERATOR, later(hours=2)), route_id, why="The engine")
    country.deliver(seed=4)
    assert (call_at(country, "S2").state, call_at(country, "S2").note) == ("not_reached", "The engine")
    assert states(country, "S2") == [("acknowledged", "turned_back")] * 2
    assert country.on_the_way("S2") == {"milk": 36}, "it is promised still"
    assert country.level("network", WAREHOUSE, "milk").on_hand == milk + 36
    with country.network.read() as session:
        assert session.get_one(routes.DeliveryRoute, route_id).state == "done"
        assert dispatch.promised_of(session, WAREHOUSE) == {"milk": 36}
        assert stockouts.positions(session, DAY, skus=["milk"]) == {("S2", "milk"): 36}
    rows = country.rows()
    country.reapply()
    assert country.rows() == rows
    country.load()
    country.deliver(seed=6)
    (again,) = plan(country)
    assert [(stop.store_id, stop.packs) for stop in stops(country, again.id)] == [("S2", 3)]
    country.take_in("S2")
    country.deliver(seed=7)
    assert states(country, "S2") == [("received", "turned_back posted")] * 2
    assert country.level("network", WAREHOUSE, "milk").on_hand == milk
    assert country.findings() == []


def test_a_shop_that_took_its_goods_in_was_reached_whatever_the_driver_forgot(country):
    route_id, _key = sent_off(country)
    country.take_in("S1")
    country.carry("S1")
    with country.network.write() as session:
        routes.end(Context(session, **BY), route_id, why="Gone home")
    reported = {stop.store_id: (stop.outcome, stop.receiver, stop.note) for stop in stops(country, route_id)}
    assert reported == {"S1": ("delivered", "Wei", ""), "S2": ("not_reached", "", "Gone home")}


def test_an_offer_the_van_turned_back_with_is_accepted_again_and_a_replacement_stays_loaded(country):
    with country.network.write() as session:
        network_offers.offer(
            Context(session, **BY), "S1", NewOffer(sku="tea", packs=1, why="It sells", answer_by=DAY), id="push-1"
        )
    country.deliver()
    with country.stores["S1"].write() as session:
        network_offers.accept(Context(session, KEEPER["S1"], AT), "S1", "push-1")
    country.deliver()
    country.load()
    with country.network.write() as session:
        expect(
            Context(session, **BY),
            "S1",
            "replacement-c1",
            Advice(VAN, [Advised("bread", "Bread", 6, 6)], expected_day=DAY),
        )
    country.deliver()
    route_id, _key = sent_off(country)
    with country.network.write() as session:
        routes.end(Context(session, **BY), route_id, why="Snow")
    country.deliver(seed=2)
    assert country.on_the_way("S1") == {"bread": 12, "tea": 10}, "each promise once"
    with country.network.read() as session:
        assert session.get_one(network_offers.NetworkOffer, ("S1", "push-1")).state == "accepted"
        waits = routes.waiting_deliveries(session, WAREHOUSE)
        assert [one.id for one in waits] == ["replacement-c1"]
    country.load()
    country.deliver()
    assert country.on_the_way("S1")["tea"] == 10


def test_what_the_driver_left_with_somebody_does_not_go_back_at_the_door(country):
    bread = country.level("network", WAREHOUSE, "bread").on_hand
    _, key = sent_off(country)
    with country.network.write() as session:
        routes.confirm(session, key, "S1", "delivered", receiver="Wei", at=later(hours=1))
    country.deliver()
    delivery_id = country.delivery("S1")
    with country.stores["S1"].write() as session:
        with pytest.raises(Refused, match="Dora left this delivery with Wei"):
            vehicle_arrivals.send_back(Context(session, KEEPER["S1"], AT), "S1", delivery_id, why="No")
        receiving.refuse(
            Context(session, KEEPER["S1"], AT), "S1", delivery_id, why="No"
        )  # its node says so all the same
    with pytest.raises(AssertionError, match="as refused; its driver reports that someone"):  # set aside for a person
        country.carry("S1")
    assert country.level("network", WAREHOUSE, "bread").on_hand == bread


def test_a_delivery_being_counted_is_not_refused_from_the_van(country):
    _, key = sent_off(country)
    with country.stores["S2"].write() as session:
        delivery_id = session.scalars(sa.select(Delivery.id)).one()
        receiving.begin_count(Context(session, KEEPER["S2"], AT), "S2", delivery_id)
    with country.network.write() as session:
        routes.confirm(session, key, "S2", "refused", note="Closed", at=later(hours=1))
    country.deliver()
    with country.stores["S2"].read() as session:
        assert session.scalars(sa.select(Delivery.state)).one() == "counting"


def test_without_vans_or_a_warehouse_on_the_map_nothing_is_planned(tmp_path):
    country = make_country(tmp_path)
    with country.network.write() as session:
        with pytest.raises(Refused, match="no vehicle"):
            route_load.ask(Context(session, **BY), WAREHOUSE, DAY)
        vehicles.add_vehicle(Context(session, **BY), WAREHOUSE, "Vehicle 1", 40)
        with pytest.raises(Refused, match="The warehouse has no location yet"):
            route_load.ask(Context(session, **BY), WAREHOUSE, DAY)
        assert session.scalars(sa.select(OutboxMessage.id).where(OutboxMessage.topic == "stop.reported")).all() == []


def table(text: str) -> list[list[str]]:
    return [line.split(",") for line in text.splitlines()]


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("a,b\n1,2", "be the column names"),
        ("from,to,metres,seconds\nS1,S9,100,20", "Line 2: there is no store or warehouse S9"),
        ("from,to,metres,seconds\nS1,S2,far,20", "Line 2: metres and seconds"),
        ("from,to,metres,seconds\nS1,S2,-4,20", "Line 2: the distance is too large"),
    ],
)
def test_a_matrix_comes_in_whole_or_not_at_all(country, text, reported):
    with country.network.write() as session:
        assert vehicles.bring_in_legs(Context(session, **BY), table("from,to,metres,seconds\nS1,S2,900,80\n")) == 1
    with country.network.write() as session, pytest.raises(Invalid, match=reported):
        vehicles.bring_in_legs(Context(session, **BY), table(text))
    with country.network.read() as session:
        assert vehicles.legs_between(session, ["S1", "S2"]) == {("S1", "S2"): (900, 80)}
