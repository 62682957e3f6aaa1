"""Asking about money that is to come, at providers that do not answer, answer late, or are not there at all."""

import datetime as dt

import pytest

from pos.terminal import Outcome
from store_app import escrow_asking
from supply import escrow, pickup, placing
from supply.escrow import Escrow
from supply.pickup_order import PickupOrder, order_for_update
from tests.store_app.town import Market
from tests.supply.online import AT, STORE, later

ONE = "order-00001"
TWELVE = [("milk", 8), ("beer", 1)]
"""12.12: at the scripted terminal it times out, and again when cancelled, but the customer has paid."""


@pytest.fixture
def house(market: Market):
    return market.house


def place(house, lines, provider):
    with house.doors.write() as session:
        pickup.place(session, STORE, id=ONE, name="Li", phone="555 0100", lines=lines, at=AT, pay_with=provider)


def ask_at(house, at):
    """Ask about all that is due then; returns the states of escrow and order."""
    house.clock.set(at)
    escrow_asking.ask_due(house.doors)
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
        placing.unpaid(session, order_for_update(session, STORE, ONE), why="late", actor=escrow_asking.ACTOR, at=AT)
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
        escrow.lapse(session, ONE, actor=escrow_asking.ACTOR, at=AT)
    while len(asked) < 20:
        with house.doors.read() as session:
            due = session.get_one(Escrow, ONE).ask_again_at
        if due is None:
            break
        asked.append(due)
        ask_at(house, due)
    assert dt.timedelta(hours=2) < asked[-1] - AT < dt.timedelta(hours=3)
    assert due is None


def test_what_cannot_go_back_keeps_no_other_refund_waiting_and_is_shown(house):
    with house.doors.write() as session:
        for n in range(7):
            one = f"refund-{n:05d}"
            escrow.open_for(
                session, one, STORE, "pickup", 500, currency="CNY", provider="gone", actor=escrow_asking.ACTOR, at=AT
            )
            outcome = Outcome("captured", "P")
            escrow.settle_outcome(session, one, outcome, actor=escrow_asking.ACTOR, at=AT)
            escrow.refund(session, one, None, why="race", actor=escrow_asking.ACTOR, at=later(seconds=n))
        rounds = [{entry.escrow_id for entry in escrow.due_refunds(session, 3, turn=turn)} for turn in range(3)]
        assert [len(one) for one in rounds] == [3, 3, 3]
        assert len(set.union(*rounds)) == 7
        assert escrow.waits_too_long(session, later(hours=23)) == []
        assert [why for why, _, _ in escrow.waits_too_long(session, later(days=2))] == ["refund"] * 7
