"""An order taken at the counter: held or ordered in, paid now or later, given back once, and known to the network."""

import datetime as dt

import pytest

from config.errors import Invalid, Refused
from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import offers
from pos.catalogue.offers import Coupon
from pos.customers import customers, points_terms
from pos.customers.customers import Particulars
from pos.pricing.promises import Choice, Offer, Part
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.stock import batches
from pos.store.store import store_of
from pos.till import shift, shift_report
from supply.online import orders
from supply.online.checkout import placing
from supply.online.pickup import counter_orders, pickup
from supply.online.pickup.counter_orders import For
from supply.online.storefront import coupons
from supply.sync import checks
from tests.supply.online_store import ANA, AT, STORE, TILL, later, make_town

ORDER = "order-00001"


@pytest.fixture
def town(tmp_path):
    town = make_town(tmp_path)
    town.open_till()
    return town


def take(town, *lines, id=ORDER, name="Grandma Wu", customer_id=None, coupons=(), **more):
    whose = For(name, customer_id=customer_id, coupons=tuple(coupons))
    with town.store.write() as session:
        asked = counter_orders.CounterRequest(**{"till_id": TILL, "whose": whose, "lines": lines} | more)
        return counter_orders.take(Context(session, ANA, AT), STORE, asked, id=id)


def back(town, id="back-00001", tender="cash"):
    with town.store.write() as session:
        return counter_orders.give_back(
            Context(session, ANA, AT), STORE, ORDER, id=id, till_id=TILL, tender=tender)  # fmt: skip


def verb(town, name, **named):
    with town.store.write() as session:
        return getattr(pickup, name)(Context(session, ANA, AT), STORE, ORDER, **named)


def drawer(town):
    with town.store.read() as session:
        return shift.current(session, STORE, TILL).expected_minor


def faults(town):
    with town.store.read() as session:
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
    with pytest.raises(Refused, match="has nothing to refund"):
        back(town)
    town.deliver()
    assert faults(town) == []


@pytest.mark.parametrize(("ended", "due"), [("cancel", 500), ("short", 250)])
def test_what_is_no_longer_owed_goes_back_once(town, ended, due):
    take(town, ("bread", 2), tender="card", reference="A17")
    if ended == "short":
        verb(town, "start_picking")
        with town.store.write() as session:
            pickup.pick_line(Context(session, ANA, AT), STORE, ORDER, "bread", 1)
        verb(town, "short")
    else:
        verb(town, "cancel", why="Changed her mind.")
    assert (back(town), back(town)) == (due, due)
    assert drawer(town) == 10_000 - due
    with pytest.raises(Refused):
        back(town, id="back-00002")
    assert faults(town) == []
    with town.store.write() as session:
        found = shift.current(session, STORE, TILL)
        assert shift_report.x_report(session, found)["in_all"] == {"card": 500, "cash": -due}
        found.totals = found.totals | {"orders": {"card": 1}}
    assert [fault for fault in faults(town) if "for orders by card" in fault]


def test_what_is_over_its_last_day_is_not_here_for_an_order(town):
    with town.store.write() as session:
        lot = batches.Lot("bread", 4, None, AT.date() - dt.timedelta(days=1))
        batches.lay_in(session, STORE, [lot], source_kind="delivery", source_id="D1", at=AT)
        assert counter_orders.products(session, STORE, ["bread"], at=AT)["bread"].here_qty == 10 - 4


def test_what_is_neither_here_nor_to_be_had_is_refused_by_name_and_money_needs_an_open_till(town):
    with pytest.raises(Refused, match=r"Green tea \(wanted 2, here 1\)"):
        take(town, ("tea", 2))
    with pytest.raises(Invalid, match="name"):
        take(town, ("bread", 1), name=" ")
    with pytest.raises(Refused, match="till is closed"):
        take(town, ("bread", 1), tender="cash", till_id="T9")
    assert town.level("bread").held == 0


# --- coupons and the prices for members ---


@pytest.fixture
def wu(town):
    """Let bread be a tenth off for members, and a code take a third off milk once; return a member's id."""
    bread, milk = ((Part(Choice(skus=frozenset([sku]))),) for sku in ("bread", "milk"))
    members = Offer("members-bread", "Members' bread", "percent", bread, percent_bp=1_000, members_only=True)
    third = Offer("third-off", "A third off", "percent", milk, percent_bp=3_333, codes=frozenset())
    with town.store.write() as session:
        for offer in (members, third):
            offers.make(Context(session, ANA, AT), STORE, offer)
        offers.make_coupons(Context(session, ANA, AT), STORE, third.id, codes=["SAVE"], most_uses=1)
        points_terms.set_terms(Context(session, ANA, AT), points_terms.terms_of(STORE, True, 1, 100, 5, 10))
        wished = Particulars("Wu", agreed=frozenset(["points"]))
        made = customers.add(Context(session, ANA, AT), store_of(session, STORE), new_id(), wished).id
    town.publish(later(minutes=1))
    return made


def at_the_till(town, lines, customer_id, coupons):
    with town.store.read() as session:
        return sale.quote(session, STORE, lines, customer_id=customer_id, coupons=coupons, at=AT).basket.total_minor


def uses(town):
    """Return how often SAVE was used at the store, and at its counter and by its own orders as the network knows."""
    with town.network.read() as session:
        row = session.get(coupons.OnlineCoupon, (STORE, STORE, "SAVE"))
        heard = (row.counter_uses, row.taken) if row else (0, 0)
    with town.store.read() as session:
        return session.get_one(Coupon, (STORE, "SAVE")).uses, heard


@pytest.mark.parametrize("member", [False, True])
@pytest.mark.parametrize("coupons", [(), ("save",)])
def test_it_costs_what_the_till_would_charge_this_customer_with_these_coupons(town, wu, member, coupons):
    lines = [("bread", 1), ("milk", 3)]
    customer_id = wu if member else None
    wanted = at_the_till(town, lines, customer_id, coupons)
    order = take(town, *lines, customer_id=customer_id, coupons=coupons, shown_total_minor=wanted).order
    assert (order.total_minor, order.member, order.coupons) == (wanted, member, [one.upper() for one in coupons])
    assert len({at_the_till(town, lines, who, with_) for who in (None, wu) for with_ in ((), ("save",))}) == 4


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_limited_code_is_used_once_and_given_back_by_an_order_that_ends_without_goods(town, wu, seed):
    take(town, ("milk", 1), coupons=["SAVE"])
    with pytest.raises(Refused, match="SAVE is no longer valid"):
        take(town, ("milk", 1), id="order-00002", coupons=["SAVE"])
    request = SaleRequest(id=new_id(), store_id=STORE, till_id=TILL, lines=[("milk", 1)], coupons=("SAVE",),
                          tenders=[("cash", 86)], shown_total_minor=86)  # fmt: skip
    with town.store.write() as session, pytest.raises(Refused, match="SAVE is no longer valid"):
        sale.complete(Context(session, ANA, AT), request)
    town.deliver(seed=seed)
    town.publish(later(minutes=2))
    assert uses(town) == (1, (1, 0))
    asked = placing.OrderRequest(
        id="online-0001",
        name="Li",
        phone="555 0100",
        lines=[("milk", 1)],
        preferences=placing.Preferences(coupons=("SAVE",)),
    )
    with town.network.write() as session, pytest.raises(Refused, match="SAVE is no longer valid"):
        placing.place(session, STORE, asked, at=later(minutes=3))
    verb(town, "cancel", why="Changed her mind.")
    town.deliver(seed=seed)
    town.publish(later(minutes=4))
    assert uses(town) == (0, (0, 0))
    assert faults(town) == []


def test_a_members_order_keeps_its_price_and_its_points_are_the_members_without_a_phone(town, wu):
    lines = [("bread", 1), ("milk", 3)]
    code, total = take(town, *lines, customer_id=wu, coupons=["SAVE"]).code, at_the_till(town, lines, wu, ["save"])
    with town.store.write() as session:
        offers.end(Context(session, ANA, AT), STORE, "third-off")
    for name in ("start_picking", "ready"):
        verb(town, name)
    town.collect(code, "sale-000001", total)
    with town.store.read() as session:
        assert customers.standing(session, store_of(session, STORE), wu, at=AT).points == total // 100
    town.deliver(seed=5)
    assert faults(town) == []
    with town.network.read() as session:
        assert session.get_one(orders.PickupOrder, (STORE, ORDER)).customer_id is None  # it stays in the store


def test_who_was_forgotten_while_the_order_waited_still_collects_it(town, wu):
    taken = take(town, ("milk", 1), customer_id=wu)
    with town.store.write() as session:
        customers.erase(Context(session, ANA, AT), store_of(session, STORE), wu)
    for name in ("start_picking", "ready"):
        verb(town, name)
    assert town.collect(taken.code, "sale-000001", taken.order.total_minor).completed is not None
