"""One store's account at the network, entry by entry: what is invoiced, paid, credited, given and given up."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from config.money import MAX_MINOR
from config.nodes.journal import Context
from supply.money import ledger
from supply.money.ledger import Account, Booking, Invoice, Stocked, Wanted, balances, day_fee, open_invoices
from tests.supply.road import AT, DAY, OPERATOR

DAYS = dt.timedelta(days=1)


def at(session, when: dt.datetime = AT) -> Context:
    return Context(session, OPERATOR, when)


def invoiced(session, id: str, minor: int, due: dt.date = DAY, *, on_credit: bool = False, against="goods") -> Invoice:
    book = Booking(at(session), "S1")
    made = book.invoice(Wanted(id, minor, due, on_credit, None, None, [], against=against))
    book.close("invoiced")
    return made


def pay_in(session, minor: int, id: str = "bank-1") -> int:
    return ledger.money_in(at(session), "S1", minor, reference="RF18", id=id)


def left(session) -> dict[str, int]:
    return {one.invoice.id: one.left_minor for one in open_invoices(session, "S1")}


def test_entries_are_numbered_without_a_gap_and_say_what_they_change_of_what_is_owed(session):
    invoiced(session, "i1", 500)
    invoiced(session, "i2", 300, on_credit=True)
    assert pay_in(session, 600) == 600
    assert left(session) == {"i2": 200}
    entries = ledger.entries_of(session, "S1")
    assert [entry.n for entry in entries] == list(range(1, len(entries) + 1))
    told = [(entry.kind, entry.from_account, entry.to_account, ledger.effect(entry)) for entry in entries]
    assert told == [
        ("goods", "goods", "invoiced", 500), ("goods", "goods", "credit", 300), ("paid_in", "funds", "bank", -600),
        ("paid", "invoiced", "funds", 0), ("paid", "credit", "funds", 0),
    ]  # fmt: skip
    assert sum(map(ledger.effect, entries)) == ledger.owed(balances(session, "S1")) == 200
    assert [ledger.invoice_of(session, "S1", one).left_minor for one in ("i1", "i2")] == [0, 200]
    with pytest.raises(NotFound):
        ledger.invoice_of(session, "S2", "i1")


def test_money_that_came_once_is_booked_once_and_an_account_nobody_used_is_even(session):
    assert set(balances(session, "S1").values()) == {0}
    assert ledger.balances_by_store(session) == {}
    assert [pay_in(session, 700) for _ in range(2)] == [0, 0]
    assert (balances(session, "S1")["funds"], balances(session, "S1")["bank"]) == (-700, 700)
    assert set(ledger.balances_by_store(session)["S1"].values()) == {-700, 0, 700}


@pytest.mark.parametrize("minor", [0, -1, True, MAX_MINOR + 1])
def test_an_odd_amount_is_neither_paid_in_nor_credited(session, minor):
    for verb, more in ((ledger.money_in, {"reference": "RF18"}), (ledger.credit_note, {"why": "Squashed"})):
        with pytest.raises(Invalid) as refusal:
            verb(at(session), "S1", minor, id="x", **more)
        assert refusal.value.code == "bad-amount"
    assert ledger.entries_of(session, "S1") == []


@pytest.mark.parametrize("words", ["", "  \n "])
def test_what_is_booked_by_hand_says_why(session, words):
    for verb, more in ((ledger.money_in, {"reference": words}), (ledger.credit_note, {"why": words})):
        with pytest.raises(Invalid) as refusal:
            verb(at(session), "S1", 1, id="x", **more)
        assert refusal.value.code == "no-reason"
    ledger.money_in(at(session), "S1", 1, id="x", reference=" a\n b " * 99)
    (entry,) = ledger.entries_of(session, "S1")
    assert entry.words == ("a b " * 99)[:200]


def test_only_what_is_due_by_a_day_is_paid_where_a_day_is_named_and_no_more_than_is_said(session):
    for n in range(3):
        invoiced(session, f"i{n}", 100, DAY + n * DAYS)
    book = Booking(at(session), "S1")
    book.enter("paid_in", "funds", "bank", 1_000, source_id="x")
    assert book.pay(by_day=DAY + DAYS, most_minor=150) == 150
    assert left(session) == {"i1": 50, "i2": 100}
    assert book.pay(by_day=DAY + DAYS) == 50
    assert book.pay(by_day=DAY + DAYS) == 0
    assert book.pay() == 100


def test_of_a_day_that_is_over_only_what_was_there_at_its_end_pays_and_is_paid(session):
    invoiced(session, "old", 100)
    pay_in(session, 30)
    for minor, id_ in ((50, "today"), (900, "later")):
        ledger.money_in(at(session, AT + DAYS), "S1", minor, reference="RF18", id=id_)
    assert left(session) == {}
    late = Booking(at(session, AT + DAYS), "S1")
    late.invoice(Wanted("new", 200, DAY, False, None, None, []))
    night = Booking(at(session, AT + DAYS), "S1", day=DAY)
    assert (night.day, night.day_is_over) == (DAY, True)
    assert night.pay() == 0, "neither was here at the day's end"
    assert late.pay() == 200
    pay_in(session, 60, "at its end")
    invoiced(session, "its own", 40)
    assert (night.pay(), left(session)) == (40, {})


def test_an_advance_nothing_is_held_for_any_more_is_asked_back_on_account_and_paid_before_it_is_due(session):
    book = Booking(at(session), "S1")
    book.enter("advance", "bank", "advance", 400, source_id="a1")
    assert book.pay() == 0
    (called_in,) = open_invoices(session, "S1")
    assert ledger.is_called_in(called_in.invoice)
    assert (called_in.left_minor, called_in.invoice.on_credit) == (400, False)
    assert called_in.invoice.due_day > DAY
    assert (balances(session, "S1")["advance"], balances(session, "S1")["invoiced"]) == (0, 400)
    assert ledger.called_in_left(session, "S1") == 400
    book.enter("paid_in", "funds", "bank", 150, source_id="x")
    assert book.pay(by_day=DAY) == 150
    assert ledger.called_in_left(session, "S1") == 250


def test_no_more_is_credited_than_was_charged_for_goods_and_not_given_up(session):
    invoiced(session, "i1", 500)
    invoiced(session, "i2", 300)
    invoiced(session, "taken", 50, against="transfers")
    assert ledger.write_off(at(session), "S1", "i1", why="Closed down") == 500
    assert left(session) == {"i2": 300, "taken": 50}
    for gone in ("i1", "never was"):
        with pytest.raises(Conflict) as none:
            ledger.write_off(at(session), "S1", gone, why="Again")
        assert none.value.code == "nothing-left"
    assert ledger.left_to_credit(session, "S1") == 300
    ledger.write_off(at(session), "S1", "taken", why="Goodwill")
    assert ledger.left_to_credit(session, "S1") == 300, "what came from another store was not credited as goods"
    with pytest.raises(Refused) as refusal:
        ledger.credit_note(at(session), "S1", 301, why="Squashed", id="c1")
    assert (refusal.value.code, refusal.value.facts) == ("more-than-delivered", {"most_minor": 300})
    for _ in range(2):  # once
        ledger.credit_note(at(session), "S1", 300, why="Squashed", id="c1")
    assert (left(session), ledger.left_to_credit(session, "S1")) == ({}, 0)


def test_what_the_network_gives_for_goods_is_held_to_their_cost_and_what_it_gives_else_is_not(session):
    invoiced(session, "i1", 100, DAY + 9 * DAYS)
    for kind in ("care", "goodwill"):
        with pytest.raises(Refused):
            ledger.given(at(session), "S1", kind, 101, why="Slow", id="g")
    for kind in ("slot", "shelf"):
        with pytest.raises(Invalid):
            ledger.given(at(session), "S1", kind, MAX_MINOR + 1, why="", id="g")
        assert not ledger.given(at(session), "S1", kind, 0, why="", id="g")
        assert ledger.given(at(session), "S1", kind, 101, why="", id=f"{kind}-1")
    assert left(session) == {"i1": 100}, "it is not due yet"
    assert [ledger.given(at(session), "S1", "care", 40, why="Slow", id="care-1") for _ in range(2)] == [True, False]
    assert left(session) == {"i1": 60}, "what was given for goods pays them at once"
    assert [ledger.shelf_paid(at(session), "S1", 10, week="2026-W09") for _ in range(2)] == [True, False]
    found = balances(session, "S1")
    assert (found["shelf"], found["care"], found["funds"]) == (212, 40, -212)


def test_an_account_is_locked_as_it_stands_whatever_was_read_of_it_before(session):
    read = ledger.account_of(session, "S1")
    assert ledger.account_of(session, "S1") is read
    another_s = sa.update(Account).values(last_n=5).execution_options(synchronize_session=False)
    session.execute(another_s)
    assert ledger.account_of(session, "S1").last_n == 5
    with pytest.raises(NotFound):
        ledger.account_of(session, "nowhere")


def test_a_day_late_costs_its_millionths_half_up():
    fees = {(5_000, 100): 1, (4_999, 100): 0, (10**12, 1): 10**6, (12_345, 300): 4, (0, 300): 0}
    assert {asked: day_fee(*asked) for asked in fees} == fees


def test_credit_falls_due_on_the_day_the_last_unit_is_sold_and_never_where_none_is():
    to_the_unit = Stocked(cost_minor=100, qty=6, before_milli=0, per_day_milli=3_000)
    free = Stocked(cost_minor=0, qty=99, before_milli=0, per_day_milli=1)
    oversold = Stocked(cost_minor=100, qty=6, before_milli=-3_000, per_day_milli=3_000)
    assert [ledger.sell_through_days([one, free], least_days=0, most_days=9) for one in (to_the_unit, oversold)] == [
        2,
        2,
    ]
    still = Stocked(cost_minor=100, qty=6, before_milli=0, per_day_milli=0)
    assert ledger.sell_through_days([still], least_days=0, most_days=9) == 9
