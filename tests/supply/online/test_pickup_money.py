"""Orders paid online: the money waits in escrow and follows the goods."""

import datetime as dt
import json

import pytest

from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import NETWORK, new_id
from config.nodes import node, outbox
from config.nodes.inbox import InboxHead
from config.nodes.journal import Actor, Context
from pos import messages
from pos.catalogue.catalogue import Listing, Price, Product
from pos.messages import OutgoingMessage
from pos.payments.payments import Payment
from pos.payments.providers import Outcome
from pos.sale import returns
from pos.sale.sale_request import ReturnRequest, SaleRequest
from pos.stock import stock
from pos.store.store import Store
from supply.money import escrow, refunds
from supply.money import ledger as settlement
from supply.money.held_payments import EscrowEntry
from supply.online.checkout import placing
from supply.online.orders import order_for_update
from supply.online.pickup import escrow_release, handover, no_shows, order_copy, pickup
from supply.online.pickup import returns as pickup_returns
from supply.online_facts import PickupMoved
from supply.sync import checks, online
from tests.supply.online_store import ANA, AT, OTHER, STORE, TILL, later, make_town

ONE = "order-00001"
SYSTEM = Actor.system("escrow", "network")


@pytest.fixture
def town(tmp_path):
    found = make_town(tmp_path)
    found.open_till()
    return found


def place_online(town, lines=(("milk", 3),), at=AT):
    with town.network.write() as session:
        asked = placing.OrderRequest(id=ONE, name="Li Wei", phone="555 0100", lines=list(lines), pay_with="practice")
        return placing.place(session, STORE, asked, at=at)


def pay(town, state="captured", at=AT):
    with town.network.write() as session:
        came = escrow.settle_outcome(Context(session, SYSTEM, at), ONE, Outcome(state, "P1"))
        if came == "held":
            placing.paid(session, order_for_update(session, STORE, ONE), at=at)
        if came == "lapsed":
            placing.unpaid(Context(session, SYSTEM, at), order_for_update(session, STORE, ONE), why="not paid")
    town.deliver(at=at)


def money(town):
    """Return what of the order's money is where: escrow, due to the customer, with the store."""
    with town.network.read() as session:
        assert escrow.findings(session) == []
        return tuple(escrow.total_of(session, [ONE], account) for account in ("escrow", "due", "store"))


def release(town, at):
    """Pass on what may be; returns how many."""
    with town.network.write() as session:
        rows = escrow.to_release(session, at)
        for row in rows:
            escrow.release(Context(session, SYSTEM, at), row.id, why="collected")
    return len(rows)


def ask_return(town, placed, at):
    with town.network.write() as session:
        order_copy.ask_return(session, STORE, placed.token, "Sour.", at=at)


def take_back(town, qty, at):
    with town.store.write() as session:
        pickup_returns.take_back(
            Context(session, ANA, at), STORE, ONE, [("milk", qty, False)], return_id=new_id(), till_id=TILL
        )


def ledger(town):
    """Return what the network owes the store, and what the store owes it."""
    with town.network.read() as session:
        assert checks.findings(session, STORE) == []
        balances = settlement.balances(session, STORE)
        return -balances["funds"], balances["invoiced"]


def collected(town):
    placed = place_online(town)
    pay(town)
    town.make_ready(ONE)
    handed = town.collect(placed.token, new_id(), 387)
    town.deliver()
    return placed, handed.completed.sale


def test_the_store_gets_the_order_once_its_money_is_there(town):
    place_online(town)
    town.deliver()
    assert town.state(ONE) == ("unknown", "placed")
    assert town.left("milk") == 36 - 3
    pay(town)
    assert town.state(ONE) == ("placed", "placed")
    assert money(town) == (387, 0, 0)


def test_an_order_that_was_not_paid_gives_its_units_back_and_leaves_no_gap_in_the_numbers(town):
    place_online(town)
    pay(town, "declined")
    assert town.state(ONE) == ("cancelled", "cancelled")
    assert town.left("milk") == 36
    town.place("order-00002", [("milk", 1)])
    town.deliver()
    town.publish(later(minutes=5))
    assert town.faults() == []
    assert money(town) == (0, 0, 0)


def test_money_that_comes_after_the_order_was_given_up_goes_back(town):
    place_online(town)
    with town.network.write() as session:
        placing.unpaid(Context(session, SYSTEM, AT), order_for_update(session, STORE, ONE), why="late")
    pay(town, "captured", at=later(minutes=20))
    assert money(town) == (0, 387, 0)


def test_a_paid_order_is_handed_over_without_more_money_and_paid_on_after_the_return_window(town):
    _, sale = collected(town)
    with town.store.read() as session:
        payments = session.query(Payment).filter_by(sale_id=sale.id).all()
        assert [(row.tender, row.amount_minor) for row in payments] == [("prepaid", 387)]
    assert money(town) == (387, 0, 0)
    town.hear(at=later(days=7))
    assert (release(town, later(days=6)), release(town, later(days=7))) == (0, 1)
    assert money(town) == (0, 0, 387)


@pytest.mark.parametrize("way", ["refuse", "cancel", "expire"])
def test_what_ends_without_a_collection_goes_back_in_full_and_the_customer_is_told(town, way):
    place_online(town)
    pay(town)
    with town.store.write() as session:
        if way == "refuse":
            pickup.refuse(Context(session, ANA, AT), STORE, ONE, why="We are closing.")
        elif way == "cancel":
            pickup.cancel(Context(session, ANA, AT), STORE, ONE, why="Sorry.")
        else:
            pickup.expire_due(Context(session, ANA, later(days=1)), STORE)
    town.deliver()
    assert money(town) == (0, 387, 0)
    with town.network.read() as session:
        kinds = {row.kind for row in session.query(OutgoingMessage)}
        assert {"refunded"} < kinds


def test_of_a_short_order_the_difference_goes_back(town):
    place_online(town)
    pay(town)
    with town.store.write() as session:
        pickup.accept(Context(session, ANA, AT), STORE, ONE)
        pickup.start_picking(Context(session, ANA, AT), STORE, ONE)
        pickup.pick_line(Context(session, ANA, AT), STORE, ONE, "milk", 1)
        pickup.short(Context(session, ANA, AT), STORE, ONE)
    town.deliver()
    assert money(town) == (129, 258, 0)


def with_bottled_juice(town, deposit_minor):
    """List a juice at the price of milk, in a bottle with a deposit."""
    with town.store.write() as session:
        for sku, kind, price_minor, deposit_sku in (
            ("bottle", "deposit", deposit_minor, None), ("juice", "goods", 129, "bottle"),
        ):  # fmt: skip
            session.add(
                Product(sku=sku, name=sku.title(), category="Food", stock_unit="each", price_quantity=1, kind=kind,
                        tax_class_id="std", search_text=sku, deposit_sku=deposit_sku)
            )  # fmt: skip
            session.flush()
            session.add(Price(sku=sku, scope_id="*", from_day=dt.date(2026, 1, 1), price_minor=price_minor))
            session.add(Listing(store_id=STORE, sku=sku))
        stock.receive(Context(session, ANA, AT), STORE, [("juice", 10)], source_kind="delivery", source_id="juice")


def juice_for_milk(town):
    with town.store.write() as session:
        pickup.accept(Context(session, ANA, AT), STORE, ONE)
        pickup.start_picking(Context(session, ANA, AT), STORE, ONE)
        pickup.pick_line(Context(session, ANA, AT), STORE, ONE, "milk", 1)
        return pickup.short(Context(session, ANA, AT), STORE, ONE, instead={"milk": "juice"}, agreed=True).total_minor


def test_what_stands_in_costs_no_more_with_its_deposit_than_what_it_stands_in_for(town):
    with_bottled_juice(town, 25)
    placed = place_online(town)
    pay(town)
    assert juice_for_milk(town) == 387
    with town.store.write() as session:
        pickup.ready(Context(session, ANA, AT), STORE, ONE)
    handed = town.collect(placed.code, new_id(), 387)
    assert handed.completed.sale.total_minor == 387  # 129 + 2 × (104 + 25)
    town.deliver()
    assert money(town) == (387, 0, 0)


def test_what_is_dearer_by_its_deposit_alone_stands_in_for_nothing(town):
    with_bottled_juice(town, 130)
    place_online(town)
    pay(town)
    with pytest.raises(Refused, match="Choose another substitute, or"):
        juice_for_milk(town)
    assert town.state(ONE) == ("placed", "placed")


def test_no_more_is_handed_over_than_was_paid(town):
    placed = place_online(town)
    pay(town)
    town.make_ready(ONE)
    with town.store.write() as session:
        order_for_update(session, STORE, ONE).total_minor = 400
    with pytest.raises(Refused, match="was prepaid and would now cost more"):
        town.collect(placed.code, new_id(), 400)


def test_the_till_gives_no_cash_for_what_was_paid_online(town):
    _, sale = collected(town)
    request = ReturnRequest(new_id(), STORE, TILL, sale.id, [(1, 1)])
    with town.store.write() as session, pytest.raises(Refused, match="Pickup page"):
        returns.take_back(Context(session, ANA, AT), request)


def test_goods_brought_back_in_time_send_their_part_of_the_escrow_back_and_the_rest_goes_on(town):
    placed, _ = collected(town)
    with town.network.write() as session:
        for _ in range(2):
            order_copy.ask_return(session, STORE, placed.token, "Sour.", at=later(days=2))
    town.deliver(at=later(days=2))
    assert town.state(ONE) == ("return_asked", "return_asked")
    with town.store.write() as session:
        pickup_returns.take_back(
            Context(session, ANA, later(days=2)), STORE, ONE, [("milk", 1, False)], return_id=new_id(), till_id=TILL
        )
    town.deliver(at=later(days=2))
    assert money(town) == (258, 129, 0)
    town.hear(at=later(days=8))
    assert release(town, later(days=8)) == 1
    assert money(town) == (0, 129, 258)
    assert town.faults() == []


def test_a_return_asked_in_the_last_hour_keeps_the_money_until_the_shop_has_answered(town):
    placed, _ = collected(town)
    ask_return(town, placed, later(days=6, hours=23))
    assert release(town, later(days=60)) == 0  # also while the store has not heard of it
    town.hear(at=later(days=7))
    assert (town.state(ONE)[1], release(town, later(days=60))) == ("return_asked", 0)
    take_back(town, 3, later(days=7, hours=1))
    town.hear(at=later(days=7, hours=1))
    assert money(town) == (0, 387, 0)


def test_after_a_refused_return_the_customer_has_two_days_to_let_the_network_decide(town):
    placed, _ = collected(town)
    ask_return(town, placed, later(days=6, hours=23))
    town.deliver(at=later(days=6, hours=23))
    with town.store.write() as session:
        pickup_returns.refuse(Context(session, ANA, later(days=6, hours=23)), STORE, ONE, why="It was fine.")
    town.hear(at=later(days=8))  # the store was cut off: the customer reads it only now
    assert release(town, later(days=9, hours=23)) == 0
    with town.network.write() as session:
        order_copy.dispute(session, STORE, placed.token, "It was not.", at=later(days=9, hours=23))
    assert money(town) == (387, 0, 0)


def test_money_is_passed_on_only_once_the_shop_was_heard_from_or_has_been_silent_too_long(town):
    collected(town)
    town.hear(at=later(days=6, hours=23))
    assert [release(town, later(days=days)) for days in (7, 20, 21)] == [0, 0, 1]


def test_money_waits_for_what_a_shop_says_is_still_on_its_way(town):
    collected(town)
    town.hear(at=later(days=8))
    with town.network.write() as session:
        session.add(InboxHead(from_node=STORE, epoch="", count=4, n=4, head="", sent=5))
    assert release(town, later(days=8)) == 0
    with town.network.write() as session:
        session.get(InboxHead, (STORE, "")).count = 5
    assert release(town, later(days=8)) == 1


@pytest.mark.parametrize("paid_out", [False, True])
def test_goods_brought_back_at_a_shop_that_was_cut_off_pay_the_customer_at_the_shops_cost(town, paid_out):
    collected(town)
    with town.store.write() as session:
        pickup_returns.ask(Context(session, ANA, later(days=6)), STORE, ONE, why="Sour.")
    take_back(town, 2, later(days=6))
    assert release(town, later(days=21)) == 1
    assert (money(town), ledger(town)) == ((0, 0, 387), (376, 0))  # 3 % commission
    if paid_out:
        with town.network.write() as session:
            book = settlement.Booking(Context(session, SYSTEM, later(days=22)), STORE)
            book.enter("payout", "bank", "funds", 376, source_id="run")
    town.hear(at=later(days=23))
    assert money(town) == ((258, 0, 129) if paid_out else (0, 258, 129))
    if paid_out:  # the store has nothing with the network any more: the operator decides
        with town.network.write() as session:
            escrow_release.decide(Context(session, SYSTEM, later(days=23)), ONE, 258, why="We pay it.")
    assert ledger(town) == ((0, 251) if paid_out else (125, 0))  # 258 less 7 of commission
    town.deliver(at=later(days=24), seed=3)
    assert money(town) == (0, 258, 129)


def test_what_is_left_may_come_back_another_time_and_each_return_is_booked_once(town):
    collected(town)

    def back(qty, id, at):
        with town.store.write() as session:
            return pickup_returns.take_back(
                Context(session, ANA, at), STORE, ONE, [("milk", qty, True)], return_id=id, till_id=TILL
            )

    def ask(at):
        with town.store.write() as session:
            pickup_returns.ask(Context(session, ANA, at), STORE, ONE, why="Sour.")

    first, second = new_id(), new_id()
    ask(later(days=1))
    for _ in range(2):
        assert back(1, first, later(days=1)).sale.total_minor == -129
    with pytest.raises(Conflict):  # an old tab, and nobody asked
        back(2, second, later(days=1))
    ask(later(days=2))
    back(2, second, later(days=2))
    town.deliver(at=later(days=2))
    assert town.state(ONE) == ("returned", "returned")
    assert money(town) == (0, 387, 0)
    with pytest.raises(Refused, match="has already been fully refunded"):
        ask(later(days=2))
    assert town.faults() == []


def test_a_customer_asks_again_for_what_is_left_once_the_shop_has_answered(town):
    placed, _ = collected(town)
    for n, days in enumerate((1, 2)):
        ask_return(town, placed, later(days=days))
        ask_return(town, placed, later(days=days, hours=1))  # nobody has answered yet: the same wish
        town.deliver(at=later(days=days), seed=n)
        assert town.state(ONE) == ("return_asked", "return_asked")
        take_back(town, 1, later(days=days))
        town.deliver(at=later(days=days))
    assert (money(town), town.state(ONE)) == ((129, 258, 0), ("returned", "returned"))
    ask_return(town, placed, later(days=6, hours=23))
    assert release(town, later(days=60)) == 0  # the rest waits for the answer to the third wish too
    town.deliver(at=later(days=6, hours=23))
    with town.store.write() as session:
        pickup_returns.refuse(Context(session, ANA, later(days=7)), STORE, ONE, why="It was fine.")
    town.hear(at=later(days=7))
    with town.network.read() as session:
        reported = [row.kind for row in messages.due(session, later(days=9))]
    assert reported[-1] == "return_refused"
    with town.network.write() as session, pytest.raises(Refused, match=r"return period .* has ended"):
        order_copy.ask_return(session, STORE, placed.token, "Sour.", at=later(days=6, hours=23))


def test_a_wish_the_shop_let_pass_can_be_disputed(town):
    placed, _ = collected(town)
    with town.store.write() as session:
        order_for_update(session, STORE, ONE).return_until = later(days=5)  # a clock that went wrong
    ask_return(town, placed, later(days=6))
    town.hear(at=later(days=6))
    with town.network.write() as session:
        order = order_for_update(session, STORE, ONE)
        assert (order.state, order_copy.is_declined(order)) == ("collected", True)
        assert escrow.escrow_of(session, ONE).release_at == later(days=8)
        order_copy.dispute(session, STORE, placed.token, "They said nothing.", at=later(days=7))


@pytest.mark.parametrize("step", ["accepted", "picking"])
def test_an_accepted_order_that_was_forgotten_ends_with_the_money_back(town, step):
    placed = place_online(town)
    pay(town)
    with town.store.write() as session:
        pickup.accept(Context(session, ANA, AT), STORE, ONE)
        if step == "picking":
            pickup.start_picking(Context(session, ANA, AT), STORE, ONE)
        days = session.get(Store, STORE).pickup_hold_days
        over = placed.order.window_until + dt.timedelta(days=days)
        assert pickup.expire_due(Context(session, ANA, over - dt.timedelta(minutes=1)), STORE) == []
        assert [one.id for one in pickup.expire_due(Context(session, ANA, over), STORE)] == [ONE]
    town.deliver(at=over)
    assert (town.state(ONE), money(town), town.faults()) == (("cancelled", "cancelled"), (0, 387, 0), [])


def test_a_return_counted_short_can_be_disputed(town):
    placed, _ = collected(town)
    ask_return(town, placed, later(days=1))
    town.deliver(at=later(days=1))
    take_back(town, 1, later(days=1))  # of the three that were brought
    town.deliver(at=later(days=1))
    with town.network.write() as session:
        order_copy.dispute(session, STORE, placed.token, "I brought three.", at=later(days=2))
        escrow_release.decide(Context(session, SYSTEM, later(days=3)), ONE, 258, why="three")
    assert money(town) == (0, 387, 0)


def test_after_the_time_nothing_comes_back(town):
    placed, _ = collected(town)
    with town.network.write() as session, pytest.raises(Refused, match=r"return period .* has ended"):
        order_copy.ask_return(session, STORE, placed.token, "Sour.", at=later(days=8))
    with town.store.write() as session, pytest.raises(Refused):
        pickup_returns.ask(Context(session, ANA, later(days=8)), STORE, ONE, why="Sour.")


def test_a_refused_return_can_be_disputed_and_is_decided_once(town):
    placed, _ = collected(town)
    with town.network.write() as session:
        order_copy.ask_return(session, STORE, placed.token, "Sour.", at=later(days=1))
    town.deliver()
    with town.store.write() as session:
        pickup_returns.refuse(Context(session, ANA, later(days=1)), STORE, ONE, why="It was fine.")
    town.deliver()
    with town.network.write() as session:
        order_copy.dispute(session, STORE, placed.token, "It was not.", at=later(days=2))
        assert escrow.to_release(session, later(days=30)) == []
        escrow_release.decide(Context(session, SYSTEM, later(days=3)), ONE, 200, why="half")
    assert money(town) == (0, 200, 187)
    with town.network.write() as session, pytest.raises(Exception, match="there is nothing to decide"):
        escrow_release.decide(Context(session, SYSTEM, later(days=3)), ONE, 10, why="again")


@pytest.mark.parametrize("step", ["placed", "ready"])
def test_what_no_shop_answers_can_be_decided_and_a_shop_that_comes_back_hands_nothing_over(town, step):
    placed = place_online(town)
    pay(town)
    if step == "ready":
        town.make_ready(ONE)  # and nobody hears of it: the store is cut off
    with town.network.write() as session:
        asked = order_copy.dispute, session, STORE, placed.token, "Nobody is there."
        with pytest.raises(Refused, match="long overdue"):
            asked[0](*asked[1:], at=later(hours=20))
        order_copy.dispute(*asked[1:], at=later(days=3))
        escrow_release.decide(Context(session, SYSTEM, later(days=4)), ONE, 387, why="closed")
    assert money(town) == (0, 387, 0)
    town.deliver(at=later(days=5))
    assert town.state(ONE) == ("cancelled", "cancelled")
    assert (money(town), town.faults()) == ((0, 387, 0), [])


def test_what_a_shop_without_a_line_did_not_fetch_in_time_is_called_off_and_paid_back(town):
    place_online(town)
    with town.network.write() as session:
        came = escrow.settle_outcome(Context(session, SYSTEM, AT), ONE, Outcome("captured", "P1"))
        assert came == "held"
        order = order_for_update(session, STORE, ONE)
        placing.paid(session, order, at=AT)
        comes = order.window_from
        assert no_shows.call_off(session, at=comes - dt.timedelta(minutes=1)) == []
        assert no_shows.call_off(session, at=comes) == [order]
        assert no_shows.call_off(session, at=comes) == []
        reported = [row.kind for row in messages.due(session, comes)]
    assert reported == ["cancelled", "refunded"]
    assert (money(town), town.left("milk")) == ((0, 387, 0), 36)
    town.deliver(at=later(days=2))  # the line is back
    assert town.state(ONE) == ("cancelled", "cancelled")
    assert (money(town), town.faults()) == ((0, 387, 0), [])


@pytest.mark.parametrize(
    ("heard", "fetched"),
    [
        (later(minutes=-5), False),
        (later(seconds=-20), True),  # the contact that began a moment before carried it, and nothing was said since
        (later(minutes=5), True),
    ],
)
def test_goods_a_shop_may_hand_over_without_a_line_are_not_called_off_and_paid_back_too(town, heard, fetched):
    town.hear(at=heard)
    placed = place_online(town)
    with town.network.write() as session:
        escrow.settle_outcome(Context(session, SYSTEM, AT), ONE, Outcome("captured", "P1"))
        placing.paid(session, order_for_update(session, STORE, ONE), at=AT)
    with town.network.write() as session:
        session.merge(node.Peer(id=STORE, epoch="", nonce="", heard_at=heard))
    if fetched:
        town.fetch_saying_nothing(at=heard)
        town.make_ready(ONE)
    with town.network.write() as session:
        assert bool(no_shows.call_off(session, at=placed.order.window_from)) is not fetched
    if fetched:
        assert town.collect(placed.token, new_id(), 387).completed is not None
    else:
        with pytest.raises(NotFound, match="has not arrived yet"):
            town.collect(placed.token, new_id(), 387)
    town.deliver(at=later(days=1))
    assert (money(town), town.faults()) == ((387, 0, 0) if fetched else (0, 387, 0), [])
    with pytest.raises(Refused, match="was handed over" if fetched else "and its payment is being refunded. If the"):
        town.collect(placed.token, new_id(), 387)


def test_a_shop_not_heard_of_for_two_days_takes_no_orders(town):
    town.hear(at=AT)
    town.place("order-00002", [("milk", 1)], at=later(hours=47))
    with pytest.raises(Refused, match="is closed for online orders"):
        town.place("order-00003", [("milk", 1)], at=later(hours=48))
    town.hear(at=later(hours=48))
    town.place("order-00003", [("milk", 1)], at=later(hours=48))


def test_what_a_shop_has_fetched_is_its_own_to_answer(town):
    placed = town.place(ONE, [("milk", 1)])
    town.deliver()
    with town.network.write() as session:
        assert no_shows.call_off(session, at=placed.order.window_from + dt.timedelta(days=9)) == []


def test_a_wish_to_bring_goods_back_that_no_shop_answers_can_be_disputed(town):
    placed, _ = collected(town)
    ask_return(town, placed, later(days=2))
    town.deliver(at=later(days=2))
    with town.network.write() as session:
        with pytest.raises(Refused):
            order_copy.dispute(session, STORE, placed.token, "No answer.", at=later(days=2, hours=23))
        order_copy.dispute(session, STORE, placed.token, "No answer.", at=later(days=3))
        escrow_release.decide(Context(session, SYSTEM, later(days=4)), ONE, 387, why="no answer")
    take_back(town, 3, later(days=5))  # it comes all the same: nothing goes back twice
    town.hear(at=later(days=5))
    assert money(town) == (0, 387, 0)


def test_no_other_shop_moves_the_money_of_an_order(town):
    placed = place_online(town)
    pay(town)
    town.make_ready(ONE)
    with town.store.read() as session:
        reported = json.loads(outbox.due(session, NETWORK)[-1].body)
    town.deliver()
    for state in ("collected", "refused"):
        fact = PickupMoved.from_body(reported | {"store_id": OTHER, "state": state, "step": 99, "order_no": "x"})
        with town.network.write() as session, pytest.raises(Refused, match="only S07 can send"):
            order_copy.mirror(Context(session, SYSTEM, AT), fact)
    assert (money(town), town.state(ONE)[1]) == ((387, 0, 0), "ready")
    assert placed.order.id == ONE


@pytest.mark.parametrize("off_days", [-60, 1_000])
def test_a_shops_clock_gone_wrong_neither_passes_money_on_at_once_nor_keeps_it_for_years(town, off_days):
    placed = place_online(town)
    pay(town)
    town.make_ready(ONE)
    town.deliver()
    with town.store.write() as session:
        request = SaleRequest(new_id(), STORE, TILL, [], [], 387)
        handover.collect(Context(session, ANA, later(days=off_days, hours=2)), placed.token, request).or_raise()
    town.hear(at=later(hours=2))
    with town.network.read() as session:
        assert escrow.escrow_of(session, ONE).release_at == later(days=7, hours=2)
    ask_return(town, placed, later(days=6))


def test_a_refund_is_confirmed_once(town):
    place_online(town)
    pay(town)
    with town.store.write() as session:
        pickup.refuse(Context(session, ANA, AT), STORE, ONE, why="We are closing.")
    town.deliver()
    with town.network.write() as session:
        (one,) = refunds.due(session, AT)
        assert escrow.refunded(Context(session, SYSTEM, AT), one.id)
        assert not escrow.refunded(Context(session, SYSTEM, AT), one.id)
        assert not escrow.paid_by_hand(Context(session, SYSTEM, AT), one.id, "Transfer 7")
        assert (one.state, refunds.due(session, later(days=9))) == ("done", [])
    assert money(town) == (0, 0, 0)
    with town.network.read() as session:
        assert session.query(EscrowEntry).count() == 3


def test_the_shop_hears_of_money_that_did_not_go_back_at_once_and_when_it_has(town):
    place_online(town)
    pay(town)
    with town.network.write() as session:
        one = escrow.refund(Context(session, SYSTEM, AT), ONE, 100, why="short")
        for n in range(3):
            refunds.not_yet(session, one.id, Outcome("declined", reason="Card closed."), at=later(hours=n))
            online.send_refund(session, refunds.of_entry(session, one.id), later(hours=n))
    town.deliver(seed=1)

    def there():
        with town.store.read() as session:
            return [(row.state, row.amount_minor) for row in refunds.of_escrow(session, ONE)]

    assert there() == [("waiting", 100)]
    with town.network.write() as session:
        escrow.paid_by_hand(Context(session, ANA, later(hours=4)), one.id, "Transfer 7")
        online.send_refund(session, refunds.of_entry(session, one.id), later(hours=4))
    town.deliver(seed=2)
    assert there() == [("by_hand", 100)]


def test_a_refund_is_asked_for_at_growing_pauses_until_a_person_pays_what_the_service_refused(town):
    place_online(town)
    pay(town)
    with town.network.write() as session:
        escrow.refund(Context(session, SYSTEM, AT), ONE, 100, why="short")
        (one,) = refunds.due(session, AT)
        pauses, at = [], AT
        for _ in range(14):
            refunds.not_yet(session, one.id, Outcome.unknown("No line."), at=at)
            pauses.append(int((one.try_at - at).total_seconds()))
            assert refunds.due(session, one.try_at - dt.timedelta(seconds=1)) == []
            at = one.try_at
        assert (pauses[:4], pauses[-2:]) == ([30, 60, 120, 240], [86_400, 86_400])
        assert [(row.tries, row.reason) for row in refunds.not_back(session)] == [(14, "No line.")]
        refunds.ask_now(Context(session, ANA, AT), one.id)
        assert refunds.due(session, AT) == [one]
        with pytest.raises(Refused, match="The payment service has not refused it, so it"):
            escrow.paid_by_hand(Context(session, ANA, at), one.id, "Transfer 7")
        refunds.not_yet(session, one.id, Outcome("declined", reason="Card closed."), at=at)
        with pytest.raises(Invalid, match="how it was paid"):
            escrow.paid_by_hand(Context(session, ANA, at), one.id, " ")
        assert escrow.paid_by_hand(Context(session, ANA, at), one.id, "Transfer 7")
        assert not escrow.refunded(Context(session, SYSTEM, at), one.id)
        assert (one.state, one.reference, refunds.not_back(session)) == ("by_hand", "Transfer 7", [])
        assert escrow.gone_back(session, ONE) == 100
    assert money(town) == (287, 0, 0)


def test_who_has_not_come_is_reminded_once(town):
    town.ready_order(ONE, [("bread", 1)])
    with town.network.write() as session:
        order = order_for_update(session, STORE, ONE)
        assert order_copy.remind(session, at=AT) == 0
        soon = order.hold_until - dt.timedelta(hours=3)
        assert [order_copy.remind(session, at=soon) for _ in range(2)] == [1, 0]
        waiting = [row.kind for row in messages.due(session, later(days=9))]
    assert waiting == ["accepted", "ready", "reminder"]
