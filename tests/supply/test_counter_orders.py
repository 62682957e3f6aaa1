"""An order taken at the counter: held or ordered in, paid now or later, given back once, and known to the network."""

import pytest

from config.errors import Invalid, Refused
from pos import shift
from supply import checks, counter_orders, pickup, placing
from tests.supply.online import ANA, AT, STORE, TILL, make_town

ORDER = "order-00001"


@pytest.fixture
def town(tmp_path):
    town = make_town(tmp_path)
    town.open_till()
    return town


def take(town, *lines, id=ORDER, **more):
    given = {"name": "Grandma Wu", "till_id": TILL} | more
    with town.shop.write() as session:
        return counter_orders.take(session, STORE, id=id, lines=lines, actor=ANA, at=AT, **given)


def back(town, id="back-00001", tender="cash"):
    with town.shop.write() as session:
        return counter_orders.give_back(
            session, STORE, ORDER, id=id, till_id=TILL, tender=tender, actor=ANA, at=AT
        )  # fmt: skip


def verb(town, name, **named):
    with town.shop.write() as session:
        return getattr(pickup, name)(session, STORE, ORDER, actor=ANA, at=AT, **named)


def drawer(town):
    with town.shop.read() as session:
        return shift.current(session, STORE, TILL).expected_minor


def faults(town):
    with town.shop.read() as session:
        found = [str(one) for one in checks.findings(session, STORE)]
    return town.faults() + found


def test_it_holds_its_goods_is_accepted_at_once_and_needs_no_phone(town):
    taken = take(town, ("bread", 2))
    assert (taken.order.state, taken.order.order_no, taken.order.number) == ("accepted", "S07-C0001", -1)
    assert town.level("bread").held == 2
    town.deliver(seed=3)
    assert town.state(ORDER) == ("accepted", "accepted")
    with town.network.read() as session:
        found = placing.status(session, STORE, taken.token)
        assert (found.order.customer_name, found.code) == ("Grandma Wu", taken.code)
    assert town.place("online-0001", [("milk", 1)]).order.order_no == "S07-0001"  # the network's numbers are its own
    town.deliver()
    town.publish()
    assert town.left("bread") == 8  # 10, less 2 held
    assert faults(town) == []


def test_the_same_page_sent_twice_is_one_order(town):
    assert take(town, ("bread", 2), tender="cash").code
    assert take(town, ("bread", 2), tender="cash").code is None
    assert drawer(town) == 10_500
    assert town.level("bread").held == 2


def test_paid_now_the_hand_over_takes_nothing_more(town):
    code = take(town, ("bread", 2), tender="cash").code
    for name in ("start_picking", "ready"):
        verb(town, name)
    town.collect(code, "sale-000001", 500)
    assert drawer(town) == 10_500
    with pytest.raises(Refused, match="Nothing of order"):
        back(town)
    town.deliver()
    assert faults(town) == []


@pytest.mark.parametrize(("ended", "due"), [("cancel", 500), ("short", 250)])
def test_what_is_no_longer_owed_goes_back_once(town, ended, due):
    take(town, ("bread", 2), tender="cash")
    if ended == "short":
        verb(town, "start_picking")
        with town.shop.write() as session:
            pickup.pick_line(session, STORE, ORDER, "bread", 1, actor=ANA, at=AT)
        verb(town, "short")
    else:
        verb(town, "cancel", why="Changed her mind.")
    assert (back(town), back(town)) == (due, due)
    assert drawer(town) == 10_500 - due
    with pytest.raises(Refused):
        back(town, id="back-00002")
    assert faults(town) == []


def test_what_is_neither_here_nor_to_be_had_is_refused_by_name_and_money_needs_an_open_till(town):
    with pytest.raises(Refused, match=r"Green tea \(wanted 2, here 1\)"):
        take(town, ("tea", 2))
    with pytest.raises(Invalid, match="name"):
        take(town, ("bread", 1), name=" ")
    with pytest.raises(Refused, match="not open"):
        take(town, ("bread", 1), tender="cash", till_id="T9")
    assert town.level("bread").held == 0
