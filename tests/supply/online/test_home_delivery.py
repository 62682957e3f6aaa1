"""Home delivery: who is brought what for how much, the stops in order, the door, and what comes back."""

import dataclasses
import datetime as dt
import itertools

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import DomainError, Invalid, Refused
from config.ids import NETWORK, new_id
from config.nodes import facts, inbox, outbox
from config.nodes.inbox import InboxMessage
from config.nodes.journal import Context
from config.nodes.node import epoch_of
from config.nodes.outbox import Message, OutboxMessage
from pos.payments.providers import Outcome
from pos.sold import SaleLine
from pos.store.store import Store
from supply.money import escrow, refunds
from supply.online import home_delivery, orders
from supply.online.checkout import placing
from supply.online.checkout.placing import CUSTOMER, Preferences
from supply.online.orders import PickupTry
from supply.online.pickup import delivery, pickup
from supply.online.storefront import delivery_rules, storefront
from supply.online.storefront.delivery_rules import Address, DeliveryRules, NamedPlace
from supply.routing import stop_order
from supply.routing.stop_order import Door
from tests.arriving import reapply
from tests.readable import readable
from tests.supply.online_store import ANA, AT, STORE, TILL, Town, later, make_town

STORE_AT = (31.2304, 121.4737)
ESTATE = NamedPlace("Sunrise Estate", 31_238_000, 121_480_000)
FAR = NamedPlace("Far Village", 31_400_000, 121_480_000)
RULES = DeliveryRules(
    on=True, lat_e6=31_230_400, lon_e6=121_473_700, radius_m=2_000, fee_minor=500, free_from_minor=4_000,
    minimum_minor=200, windows=((18 * 60, 20 * 60),), window_orders=2, places=(ESTATE, FAR),
)  # fmt: skip
HOME = Address("Sunrise Estate", "Building 4, 1202")
WITH_PERSON = sa.select(OutboxMessage).where(OutboxMessage.body.contains("Li Wei"))


@pytest.fixture
def town(tmp_path) -> Town:
    made = make_town(tmp_path)
    with made.store.write() as session:
        delivery_rules.settle_fee(Context(session, ANA, AT), STORE, RULES, "Delivery", "std")
    made.open_till()
    made.publish()
    return made


def place(town: Town, lines=(("milk", 2),), *, address: Address = HOME, pay_with: str = "", at: dt.datetime = AT):
    with town.network.write() as session:
        asked = placing.OrderRequest(
            id=new_id(),
            name="Li Wei",
            phone="+86 10 5550 123",
            lines=lines,
            pay_with=pay_with,
            preferences=Preferences(deliver_to=address),
        )
        placed = placing.place(session, STORE, asked, at=at)
    town.deliver(at=at)
    return placed


def status(town: Town, placed) -> placing.OrderStatus:
    with town.network.read() as session:
        return placing.status(session, STORE, placed.token)


def on_the_way(town: Town, *orders) -> None:
    for placed in orders:
        town.make_ready(placed.order.id)
    with town.store.write() as session:
        delivery.set_out(Context(session, ANA, AT), STORE, [placed.order.id for placed in orders])
    town.deliver()


def at_door(town: Town, placed, **said) -> orders.PickupOrder:
    with town.store.write() as session:
        handed = delivery.hand_over(
            Context(session, ANA, later(hours=1)), STORE, placed.order.id, sale_id=new_id(), till_id=TILL, **said
        )
    town.deliver()
    return handed.or_raise().order


def test_the_fee_is_a_line_of_its_own_in_the_sale_and_in_the_total(town):
    placed = place(town)
    assert placed.order.total_minor == 2 * 129 + 500
    on_the_way(town, placed)
    order = at_door(town, placed, code=placed.code)
    with town.store.read() as session:
        lines = session.scalars(sa.select(SaleLine).where(SaleLine.sale_id == order.sale_id)).all()
    assert {(line.name, line.total_minor) for line in lines} == {("Milk", 258), ("Delivery", 500)}
    assert status(town, placed).home.state == "delivered"
    assert town.state(order.id) == ("collected", "collected")
    assert not town.faults()


def test_nothing_below_the_minimum_is_brought_and_from_a_total_on_it_is_free(town):
    with pytest.raises(Refused, match="Your order is below the store"):
        place(town, [("milk", 1)])
    assert place(town, [("milk", 32)]).order.total_minor == 32 * 129


@pytest.mark.parametrize(
    ("address", "code"),
    [
        (Address("Far Village", "1"), "too-far"),
        (Address("Nowhere", "1"), "no-address"),
        (Address("", "1"), "no-address"),
        (Address("", "1", lat_e6=31_500_000, lon_e6=121_473_700), "too-far"),
        (Address("Sunrise Estate", " "), "no-door"),
    ],
)
def test_an_address_is_never_guessed_and_lies_within_the_radius(town, address, code):
    with pytest.raises(DomainError) as refusal:
        place(town, address=address)
    assert refusal.value.code == code
    assert town.left("milk") == 36, "a refused order takes nothing"


def test_a_time_takes_so_many_orders_and_those_brought_fill_no_time_to_collect(town):
    first, second, third = place(town), place(town), place(town)
    assert {one.order.window_from.hour for one in (first, second)} == {10}, "18:00 in Shanghai"
    assert third.order.window_from.date() > first.order.window_from.date()
    with town.network.read() as session:
        free = placing.free_windows(session, session.get_one(Store, STORE), AT)
    assert {one.left for one in free} == {storefront.PickupRules().window_orders}


def test_the_customer_reads_how_many_stops_come_first(town):
    near, far = place(town), place(town, address=Address("", "2", lat_e6=31_241_000, lon_e6=121_482_000))
    on_the_way(town, near, far)
    assert (status(town, near).home.before, status(town, far).home.before) == (0, 1)
    assert status(town, near).home.comes_at < status(town, far).home.comes_at
    at_door(town, near, receiver="The neighbour")
    assert status(town, far).home.before == 0


def test_a_code_of_another_order_is_refused_and_counted(town):
    one, other = place(town), place(town)
    on_the_way(town, one, other)
    with pytest.raises(Refused, match="belongs to order"):
        at_door(town, one, code=other.code)
    with pytest.raises(Invalid, match="s code, or the name of the person who takes it"):
        at_door(town, one)
    with town.store.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PickupTry)) == 1


@pytest.mark.parametrize(("shows", "days"), [("square", 7), ("code", 14), ("name", 14)])
def test_the_square_scanned_at_the_door_brings_the_money_sooner_than_a_code_or_a_name(town, shows, days):
    placed = place(town, pay_with="practice")
    with town.network.write() as session:
        escrow.settle_outcome(Context(session, CUSTOMER, AT), placed.order.id, Outcome("captured", reference="r"))
        placing.paid(session, session.get_one(orders.PickupOrder, (STORE, placed.order.id)), at=AT)
    town.deliver()
    on_the_way(town, placed)
    said = {"square": {"code": placed.token}, "code": {"code": placed.code}, "name": {"receiver": "Li"}}
    at_door(town, placed, **said[shows])
    with town.network.read() as session:
        kept = escrow.escrow_of(session, placed.order.id)
        from_then = AT if shows == "square" else placed.order.window_until
        assert (kept.release_at, kept.proved) == (from_then + dt.timedelta(days=days), shows == "square")


def test_who_was_not_met_collects_without_the_fee_and_gets_its_money_back(town):
    placed = place(town, pay_with="practice")
    with town.network.write() as session:
        escrow.settle_outcome(Context(session, CUSTOMER, AT), placed.order.id, Outcome("captured", reference="r"))
        placing.paid(session, session.get_one(orders.PickupOrder, (STORE, placed.order.id)), at=AT)
    town.deliver()
    on_the_way(town, placed)
    with town.store.write() as session:
        delivery.fail(Context(session, ANA, AT), STORE, placed.order.id, why="Nobody there")
    with pytest.raises(Refused, match="is for delivery"):
        town.collect(placed.code, new_id(), placed.order.total_minor)
    with town.store.write() as session:
        delivery.to_collect(Context(session, ANA, AT), STORE, placed.order.id)
    town.deliver()
    with town.network.read() as session:
        assert escrow.balance(session, placed.order.id) == 258
        assert [row.amount_minor for row in refunds.due(session, AT)] == [500]
    assert town.collect(placed.code, new_id(), 258).completed.sale.total_minor == 258


def test_an_order_called_off_on_its_way_gives_its_goods_back(town):
    placed = place(town)
    on_the_way(town, placed)
    with town.store.write() as session:
        pickup.cancel(Context(session, ANA, AT), STORE, placed.order.id, why="Nobody there")
    town.deliver()
    assert status(town, placed).home.state == "called_off"
    assert town.level("milk").on_hand == 40
    assert not town.faults()


def test_what_is_on_its_way_does_not_expire_and_who_was_not_met_has_the_whole_time_again(town):
    placed = place(town)
    on_the_way(town, placed)
    with town.store.write() as session:
        assert not pickup.expire_due(Context(session, ANA, later(days=5)), STORE)
        assert [delivery.is_overdue(way, later(days=5)) for way in delivery.ways_of(session, STORE)] == [True]
        delivery.fail(Context(session, ANA, later(days=5)), STORE, placed.order.id, why="Nobody there")
        assert not pickup.expire_due(Context(session, ANA, later(days=6)), STORE)
        delivery.try_again(Context(session, ANA, later(days=6)), STORE, placed.order.id)
        delivery.set_out(Context(session, ANA, later(days=6)), STORE, [placed.order.id])
        delivery.hand_over(
            Context(session, ANA, later(days=9)),
            STORE,
            placed.order.id,
            code=placed.code,
            sale_id=new_id(),
            till_id=TILL,
        ).or_raise()
    town.deliver(at=later(days=9))
    assert town.state(placed.order.id) == ("collected", "collected")
    assert town.level("milk").on_hand == 38
    assert not town.faults()


def test_an_order_nobody_paid_gives_its_time_back_while_the_shop_is_away(town):
    unpaid = [place(town, pay_with="practice") for _ in range(RULES.window_orders)]
    evening = unpaid[0].order.window_from
    with town.network.write() as session:
        free = placing.delivery_windows(session, session.get_one(Store, STORE), AT)
        assert {one.start: one.left for one in free}[evening] == 0
        for placed in unpaid:
            order = session.get_one(orders.PickupOrder, (STORE, placed.order.id))
            placing.unpaid(Context(session, CUSTOMER, AT), order, why="Not paid")
        free = placing.delivery_windows(session, session.get_one(Store, STORE), AT)
        assert {one.start: one.left for one in free}[evening] == RULES.window_orders
    town.deliver()
    assert {status(town, placed).home.state for placed in unpaid} == {"called_off"}
    assert not town.faults()


def test_the_address_does_not_travel_back_and_is_forgotten_with_the_name(town):
    placed = place(town)
    with town.store.read() as session:
        reported = home_delivery.as_reported(session, STORE, placed.order.id)
    assert not {"place", "street", "note", "lat_e6", "lon_e6"} & reported.keys()
    on_the_way(town, placed)
    at_door(town, placed, receiver="Li Wei")
    with town.store.write() as session:
        assert pickup.forget_people(session, STORE, at=later(days=31)) == 1
    with town.store.read() as session:
        row = home_delivery.of_order(session, STORE, placed.order.id)
        assert (row.place, row.street, row.note, row.receiver, row.lat_e6, row.lon_e6) == ("", "", "", "", 0, 0)


def test_the_facts_of_an_order_forget_its_person_too_and_are_whole_as_before(town):
    placed, unpaid = place(town), place(town, pay_with="practice")
    on_the_way(town, placed)
    at_door(town, placed, code=placed.code)
    with town.network.write() as session:
        order = session.get_one(orders.PickupOrder, (STORE, unpaid.order.id))
        placing.unpaid(Context(session, CUSTOMER, AT), order, why="Not paid")
        assert "1202" not in readable(session.get_one(OutboxMessage, f"unpaid-{order.id}").body), (
            "the address travels once"
        )
    with town.network.read() as session:
        epoch = epoch_of(session)
        heads = outbox.sent_head(session, STORE, epoch)
    for days, left in ((29, {"placed", "unpaid"}), (31, {"unpaid"})):
        for side in (town.network, town.store):
            with side.write() as session:
                pickup.forget_people(session, at=later(days=days))
        with town.network.read() as session:
            assert {row.id.split("-")[0] for row in session.scalars(WITH_PERSON)} == left, "what is on its way is whole"
    town.deliver(at=later(days=31))
    for side, days in ((town.network, 32), (town.store, 63)):
        with side.write() as session:
            pickup.forget_people(session, at=later(days=days))
            for kind in (OutboxMessage, InboxMessage):
                texts = readable(" ".join(session.scalars(sa.select(kind.body))))
                assert not any(word in texts for word in ("Li Wei", "5550", "1202"))
    with town.network.write() as session:
        assert outbox.sent_head(session, STORE, epoch) == heads
        assert outbox.rewind(session, STORE, epoch, 0)
        rows = [Message(**outbox.to_wire(row)) for row in outbox.due(session, STORE)]
    assert all(row.is_whole() for row in rows)
    forged = next(row for row in rows if outbox.FORGOTTEN in row.body)
    assert not dataclasses.replace(forged, body=forged.body | {"total_minor": 1}).is_whole()
    with town.store.write() as session:
        assert inbox.received_head(session, NETWORK, epoch)[1:] == heads
        reapply(session, lambda inner, fact: facts.apply(inner, fact, NETWORK, AT))
    town.deliver(at=later(days=63))
    assert town.state(placed.order.id) == ("collected", "collected")
    assert not town.faults()


@given(st.lists(st.tuples(st.integers(-90, 90), st.integers(-90, 90)), min_size=1, max_size=5, unique=True))
@settings(max_examples=40, deadline=None)
def test_no_order_of_the_stops_is_shorter(steps):
    doors = [Door(str(n), (STORE_AT[0] + y / 9_000, STORE_AT[1] + x / 9_000)) for n, (y, x) in enumerate(steps)]
    shortest = min(stop_order.length_m(STORE_AT, some) for some in itertools.permutations(doors))
    assert stop_order.length_m(STORE_AT, stop_order.in_order(STORE_AT, doors)) == shortest


def test_an_earlier_time_is_served_first_however_far_it_is():
    far = Door("far", (31.25, 121.49), AT)
    near = Door("near", (31.231, 121.474), AT + dt.timedelta(hours=2))
    assert [door.key for door in stop_order.in_order(STORE_AT, [near, far])] == ["far", "near"]


@pytest.mark.parametrize("windows", [(), ((780, 660),), ((660, 660),), ((660, 780), (720, 840)), ((0, 1),) * 9])
def test_times_that_are_none_are_refused(windows):
    with pytest.raises(Invalid):
        DeliveryRules(windows=windows)
