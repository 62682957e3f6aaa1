"""What the store is out of or does not carry: ordered in, held when it comes, collected as any order."""

import datetime as dt

import pytest

from config.errors import Refused
from config.nodes.journal import Context
from pos.catalogue.catalogue import Listing, Price, Product
from pos.stock import stock
from pos.store.store import Store
from supply.demand import known_events
from supply.online import orders
from supply.online.checkout import placing
from supply.online.pickup import pickup
from supply.online.storefront import availability, order_in, storefront
from supply.online.storefront.time_slots import PickupRules
from supply.orders import suppliers
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.orders import lines_of as ordered
from supply.orders.suppliers import CasePack, Contact
from supply.replenishment import proposals
from supply.sync import checks
from tests.supply.online_store import ANA, AT, STORE, later, make_town

ORDER, LATER = "order-00001", "order-00002"
COMES = dt.date(2026, 3, 12)
"""Orders are taken on Wednesdays, the vehicle comes two days later: from a Wednesday it is nine days, and one to
unpack."""


@pytest.fixture
def town(tmp_path):
    town = make_town(tmp_path)
    for database in (town.store, town.network):
        with database.write() as session:
            session.add(Product(sku="robot", name="Toy robot", category="Toys", tax_class_id="std", search_text="toy"))
            session.flush()
            session.add(Price(sku="robot", scope_id="*", from_day=dt.date(2026, 1, 1), price_minor=2_000))
    with town.store.write() as session:
        suppliers.add_supplier(
            Context(session, ANA, AT), "*", Contact("Depot", DeliveryCalendar(frozenset({2}), 2)), id="depot"
        )
        for sku in ("robot", "tea", "bread"):
            suppliers.offer_product(Context(session, ANA, AT), "depot", sku, CasePack(pack_qty=6, pack_cost_minor=900))
    town.publish()
    return town


def verb(town, name, *args, id=ORDER, at=AT, **named):
    with town.store.write() as session:
        return getattr(pickup, name)(Context(session, ANA, at), STORE, id, *args, **named)


def come(town, sku, qty, at=AT):
    with town.store.write() as session:
        stock.receive(
            Context(session, ANA, at), STORE, [(sku, qty)], source_kind="delivery", source_id=f"van-{sku}-{qty}"
        )
        return [order.id for order in order_in.goods_received(Context(session, ANA, at), STORE)]


def faults(town):
    with town.store.read() as session:
        found = [str(one) for one in checks.findings(session, STORE)]
    return town.faults() + found


def needed(town):
    with town.store.read() as session:
        return known_events.until(session, STORE, dt.date(2026, 12, 31))


def test_what_the_shop_does_not_carry_is_offered_with_the_days_it_takes(town):
    with town.network.read() as session:
        robot = session.get_one(availability.OnlineListing, (STORE, "robot"))
        assert (robot.available_qty, robot.order_days, robot.listed) == (0, 10, True)
        assert session.get_one(availability.OnlineListing, (STORE, "apple")).order_days is None  # no supplier sells it


def test_the_shopkeeper_may_sell_only_what_is_there(town):
    with town.store.write() as session:
        storefront.set_rules(Context(session, ANA, AT), STORE, PickupRules(order_in=False))
    town.publish()
    with town.network.read() as session:
        assert not session.get_one(availability.OnlineListing, (STORE, "robot")).listed
    with pytest.raises(Refused, match="The store does not have that many available"):
        town.place(ORDER, [("tea", 3)])


def test_an_order_for_what_is_not_here_is_collected_from_the_day_it_comes_on(town):
    placed = town.place(ORDER, [("bread", 2), ("robot", 1)])
    assert placed.order.comes_on == COMES
    assert placed.order.window_from.astimezone(dt.timezone(dt.timedelta(hours=8))).date() == placed.order.comes_on
    town.deliver()
    assert (town.level("bread").held, town.left("bread")) == (2, 7)
    assert needed(town) == {}
    verb(town, "accept")
    assert needed(town) == {"robot": 1}
    with town.store.read() as session:
        assert session.get_one(Listing, (STORE, "robot")).active
    assert faults(town) == []


def test_the_next_order_of_its_supplier_carries_it_in_whole_packs(town):
    town.place(ORDER, [("robot", 7)])
    town.deliver()
    verb(town, "accept")
    with town.store.write() as session:
        [order] = proposals.propose(Context(session, ANA, AT), STORE)
        assert [(line.sku, line.packs) for line in ordered(session, order) if line.sku == "robot"] == [("robot", 2)]


def test_what_comes_is_held_for_who_waits_longest_and_then_it_can_be_gathered(town):
    codes = {}
    for one, qty, at in ((ORDER, 4, AT), (LATER, 3, later(minutes=1))):
        codes[one] = town.place(one, [("bread", 1), ("robot", qty)], at=at).code
        town.deliver(at=at)
        verb(town, "accept", id=one, at=at)
    with pytest.raises(Refused, match="Not here yet: Toy robot"):
        verb(town, "start_picking")
    assert come(town, "robot", 6) == [ORDER]
    assert (town.level("robot").held, town.level("bread").held, needed(town)) == (4, 2, {"robot": 3})
    assert faults(town) == []
    verb(town, "start_picking")
    verb(town, "ready")
    town.open_till()
    town.collect(codes[ORDER], "sale-000001", 8_250)
    town.deliver()
    assert town.state(ORDER) == ("collected", "collected")
    assert faults(town) == []


def test_what_does_not_come_is_left_out_or_the_order_is_called_off(town):
    for one in (ORDER, LATER):
        town.place(one, [("bread", 1), ("robot", 2)])
        town.deliver()
        verb(town, "accept", id=one)
    verb(town, "start_picking", without=True)
    with pytest.raises(Refused, match="Hand over less, or pick the rest"):
        verb(town, "ready")
    verb(town, "short")
    verb(town, "cancel", id=LATER, why="It did not arrive.")
    with town.store.read() as session:
        assert session.get_one(orders.PickupOrder, (STORE, ORDER)).total_minor == 250
    assert needed(town) == {}
    assert faults(town) == []


def test_a_last_unit_taken_meanwhile_becomes_an_order_in_only_with_a_later_window(town):
    with town.network.read() as session:
        first = placing.free_windows(session, session.get_one(Store, STORE), AT)[0]
    asked = placing.OrderRequest(
        id=ORDER, name="Li", phone="55501", lines=[("tea", 2)], preferences=placing.Preferences(window_from=first.start)
    )
    with pytest.raises(Refused) as refused, town.network.write() as session:
        placing.place(session, STORE, asked, at=AT)
    assert refused.value.code == "window-full"
