"""What one customer may have put aside without having paid, and that several at once make it no more."""

import contextlib
import threading

import pytest
import sqlalchemy as sa

from config.errors import Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.payments.providers import Outcome
from supply.money import escrow
from supply.online import orders
from supply.online.checkout import placing
from supply.online.checkout.placing import CUSTOMER, MOST_ORDERS, MOST_THINGS
from supply.online.orders import PickupOrder
from supply.online.pickup import pickup
from supply.online.storefront.availability import OnlineListing
from tests.supply.online_store import ANA, AT, STORE, later, make_town


@pytest.fixture
def town(tmp_path):
    return make_town(tmp_path)


def place(town, lines=(("milk", 1),), phone="+86 10 5550 123", at=AT, pay_with=""):
    with town.network.write() as session:
        asked = placing.OrderRequest(id=new_id(), name="Li", phone=phone, lines=list(lines), pay_with=pay_with)
        return placing.place(session, STORE, asked, at=at).order.id


def test_a_number_has_so_many_unpaid_orders_open_in_a_shop_however_it_is_written(town):
    first, *_ = [place(town) for _ in range(MOST_ORDERS)]
    with pytest.raises(Refused, match="3 unpaid orders waiting here"):
        place(town, phone="+86 (10) 5550-123")
    assert town.left("milk") == 36 - MOST_ORDERS, "the one refused took nothing"
    place(town, phone="+86 10 5550 124")
    town.deliver()
    with town.store.write() as session:
        pickup.refuse(Context(session, ANA, AT), STORE, first, why="Closed today.")
    town.deliver()
    place(town)


def test_several_orders_of_one_number_at_once_are_no_more_than_one_after_the_other(town):
    gate, placed = threading.Barrier(8), []

    def run():
        gate.wait()
        with contextlib.suppress(Refused):
            placed.append(place(town))

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(placed) == MOST_ORDERS
    assert town.faults() == []


def test_no_more_than_so_many_things_wait_unpaid_for_a_number_and_portions_count_as_things(town):
    with town.network.write() as session:
        session.execute(sa.update(OnlineListing).values(available_qty=9_000))
    with pytest.raises(Refused, match="up to 60 items"):
        place(town, [("milk", MOST_THINGS + 1)])
    place(town, [("milk", MOST_THINGS - 5)])
    with pytest.raises(Refused) as refusal:
        place(town, [("apple", 600)])
    assert refusal.value.facts["things"] == MOST_THINGS + 1
    place(town, [("apple", 500)])
    place(town, [("milk", 90)], pay_with="practice")


def test_who_let_an_order_expire_has_one_unpaid_at_a_time_for_a_month(town):
    def miss(at):
        order = place(town, at=at)
        town.deliver(at=at)
        town.make_ready(order, at=at)
        over = at + (later(days=3) - AT)
        with town.store.write() as session:
            assert [one.state for one in pickup.expire_due(Context(session, ANA, over), STORE)] == ["expired"]
        town.deliver(at=over)
        return over

    over = miss(AT)
    place(town, at=over)
    with pytest.raises(Refused, match="A recent order with this number was not picked"):
        place(town, at=over)
    place(town, at=over, pay_with="practice")
    with town.network.write() as session:
        session.execute(sa.update(PickupOrder).where(PickupOrder.state == "placed").values(state="collected"))
    month = over + (later(days=31) - AT)
    place(town, at=month)
    place(town, at=month)


def test_orders_that_wait_for_their_money_are_bounded_and_paid_ones_are_not(town):
    waiting = [place(town, pay_with="practice") for _ in range(MOST_ORDERS)]
    with pytest.raises(Refused, match="3 unpaid orders"):
        place(town, pay_with="practice")
    with town.network.write() as session:
        for order_id in waiting:
            escrow.settle_outcome(Context(session, CUSTOMER, AT), order_id, Outcome("captured", "P"))
            placing.paid(session, orders.order_for_update(session, STORE, order_id), at=AT)
    place(town, pay_with="practice")
    place(town)
