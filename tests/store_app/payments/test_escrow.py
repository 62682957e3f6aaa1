"""Asking about money that is to come, at providers that do not answer, answer late, or are not there at all."""

import datetime as dt

import pytest

from config.nodes.journal import Context
from pos.payments.providers import Outcome
from store_app.payments import escrow as escrow_payments
from supply.money import escrow, refunds
from supply.money.held_payments import Escrow
from supply.money.refunds import Refund
from supply.online.checkout import placing
from supply.online.orders import PickupOrder, order_for_update
from tests.store_app.pages.console.test_care import operator
from tests.store_app.town import Market
from tests.supply.online_store import AT, STORE, later

ONE = "order-00001"
TWELVE = [("milk", 8), ("beer", 1)]
"""12.12: at the scripted terminal it times out, and again when cancelled, but the customer has paid."""


@pytest.fixture
def house(market: Market):
    return market.house


def place(house, lines, provider):
    with house.doors.write() as session:
        asked = placing.OrderRequest(id=ONE, name="Li", phone="555 0100", lines=lines, pay_with=provider)
        placing.place(session, STORE, asked, at=AT)


def ask_at(house, at):
    """Ask about all that is due then; returns the states of escrow and order."""
    house.clock.set(at)
    escrow_payments.ask_due(house.doors)
    with house.doors.read() as session:
        return session.get_one(Escrow, ONE).state, session.get_one(PickupOrder, (STORE, ONE)).state


def test_a_service_that_is_not_there_has_declined_nothing(house):
    place(house, [("milk", 1)], "gone")
    assert ask_at(house, AT) == ("awaited", "placed")
    assert ask_at(house, later(minutes=16)) == ("lapsed", "cancelled")
    for days in (1, 2, 30):
        with house.doors.read() as session:
            assert [row.id for row in escrow.to_ask(session, later(days=days))] == [ONE]
        ask_at(house, later(days=days))


def test_money_captured_while_the_service_was_silent_is_found_days_later_and_goes_back(house):
    place(house, TWELVE, "practice-scripted")
    assert ask_at(house, AT) == ("awaited", "placed")
    with house.doors.write() as session:
        placing.unpaid(Context(session, escrow_payments.ACTOR, AT), order_for_update(session, STORE, ONE), why="late")
    assert ask_at(house, later(days=3)) == ("settled", "cancelled")  # nobody could ask any sooner
    ask_at(house, later(days=3))
    with house.doors.read() as session:
        assert escrow.total_of(session, [ONE], "customer") == 0
        assert escrow.findings(session) == []


def test_a_final_no_ends_the_questions_and_until_then_they_grow_rare(house):
    place(house, [("milk", 1)], "practice")
    at, asked = AT, []
    house.clock.set(at)
    with house.doors.write() as session:  # the service never saw it
        escrow.lapse(Context(session, escrow_payments.ACTOR, AT), ONE)
    while len(asked) < 20:
        with house.doors.read() as session:
            due = session.get_one(Escrow, ONE).ask_again_at
        if due is None:
            break
        asked.append(due)
        ask_at(house, due)
    assert dt.timedelta(hours=2) < asked[-1] - AT < dt.timedelta(hours=3)
    assert due is None


def test_what_cannot_go_back_is_asked_for_ever_less_and_paid_by_hand_by_the_operator(market, house):
    ids = [f"refund-{n:05d}" for n in range(2)]
    with house.doors.write() as session:
        for n, (one, name) in enumerate(zip(ids, ("gone", "practice"), strict=True)):
            escrow.open_for(
                Context(session, escrow_payments.ACTOR, AT), one, STORE, "pickup", 500, currency="CNY", provider=name
            )
            outcome = Outcome("captured", "P")
            escrow.settle_outcome(Context(session, escrow_payments.ACTOR, AT), one, outcome)
            escrow.refund(Context(session, escrow_payments.ACTOR, later(seconds=n)), one, None, why="race")
    for minutes in (1, 1, 2, 9):
        house.clock.set(later(minutes=minutes))
        escrow_payments.ask_due(house.doors)
    with house.doors.read() as session:
        states = {row.escrow_id: (row.id, row.tries) for row in refunds.not_back(session)}
    client = market.customer()
    client.browser = operator(market)
    assert states[ids[0]][1] == 3  # not four: it was asked twice within its pause
    assert "asked 3 times" in client.look("/console/customers/").text
    address = f"/console/customers/refunds/{states[ids[0]][0]}"
    assert "Not yet:" in client.browser.get(client.send(address).location).text
    assert client.send(f"{address}/by-hand", reference="Transfer 7").status_code == 409
    assert client.send(f"{address}/by-hand", reference="Transfer 7", looked="yes").status_code == 303
    assert "asked 4 times" not in client.look("/console/customers/").text
    with house.doors.read() as session:
        assert session.get_one(Refund, states[ids[0]][0]).reference == "Transfer 7"
        assert escrow.findings(session) == []
