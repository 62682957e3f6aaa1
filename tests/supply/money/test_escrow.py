"""One payment kept apart: once in, once out, asked about in time, and found where its book does not add up."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, Refused
from config.nodes.journal import Context
from supply.money import escrow
from supply.money.escrow import Outcome
from supply.money.held_payments import Escrow, EscrowEntry
from tests.supply.road import AT, OPERATOR, later

MINUTE = dt.timedelta(minutes=1)


def at(session, when: dt.datetime = AT) -> Context:
    return Context(session, OPERATOR, when)


def opened(session, id: str = "e1", minor: int = 1_000, when: dt.datetime = AT) -> Escrow:
    return escrow.open_for(at(session, when), id, "S1", "pickup", minor, currency="EUR", provider="practice")


def held(session, id: str = "e1", minor: int = 1_000, when: dt.datetime = AT) -> Escrow:
    row = opened(session, id, minor, when)
    assert escrow.settle_outcome(at(session, when), id, Outcome("captured", "P")) == "held"
    return row


def test_a_payment_is_opened_once_for_more_than_nothing_and_for_one_amount(session):
    for minor in (0, -1):
        with pytest.raises(Invalid):
            opened(session, minor=minor)
    assert opened(session) is opened(session)
    with pytest.raises(Conflict):
        opened(session, minor=1_001)
    assert opened(session, "e2", minor=1).amount_minor == 1


def test_a_payment_service_is_asked_ever_later_then_hourly_and_after_a_day_daily(session):
    row = opened(session)
    waits = []
    for _ in range(12):
        escrow.settle_outcome(at(session), "e1", Outcome("unknown"))
        waits.append((row.ask_again_at - AT).total_seconds())
    assert waits == [4, 8, 16, 32, 64, 128, 256, 512, 1024, 1800, 1800, 1800]
    row.tries = 0
    for over, wait in ((119, 4), (120, 3600), (24 * 60 - 1, 3600), (24 * 60, 86_400), (9_999, 86_400)):
        row.tries = 0
        when = row.pay_by + over * MINUTE
        escrow.settle_outcome(at(session, when), "e1", Outcome("unknown"))
        assert (row.ask_again_at - when).total_seconds() == wait


def test_who_is_asked_first_is_who_waits_and_each_as_its_time_comes(session):
    for n, name in enumerate(("late", "lapsed-late", "lapsed", "soon")):
        opened(session, name).ask_again_at = AT + n * MINUTE
    for name, minutes in (("lapsed-late", 0), ("lapsed", -3)):
        assert escrow.lapse(at(session, AT + minutes * MINUTE), name)
        assert not escrow.lapse(at(session), name), "it is given up once"
    held(session, "held")
    session.flush()
    assert [row.id for row in escrow.to_ask(session, AT + 3 * MINUTE)] == ["late", "soon", "lapsed", "lapsed-late"]
    assert [row.id for row in escrow.to_ask(session, AT + 2 * MINUTE)] == ["late", "lapsed", "lapsed-late"]


def test_a_no_ends_a_payment_that_waits_and_one_given_up_only_after_the_time_of_late_answers(session):
    row = opened(session)
    assert escrow.settle_outcome(at(session), "e1", Outcome("unknown")) == ""
    assert escrow.settle_outcome(at(session), "e1", Outcome("declined")) == "lapsed"
    for when, is_asked in ((row.pay_by + 119 * MINUTE, True), (row.pay_by + 120 * MINUTE, False)):
        assert escrow.settle_outcome(at(session, when), "e1", Outcome("cancelled")) == ""
        assert (row.ask_again_at is not None) is is_asked
    assert escrow.settle_outcome(at(session), "e1", Outcome("captured", "P")) == "settled"
    session.flush()
    assert (row.state, escrow.balance(session, "e1"), escrow.total_of(session, ["e1"], "due")) == ("settled", 0, 1000)
    assert escrow.findings(session) == []


def test_a_person_looks_at_what_is_unanswered_after_two_hours_and_kept_after_a_month(session):
    month = dt.timedelta(days=30)
    for name, when in (("kept", AT - month), ("newer", AT - month + MINUTE)):
        held(session, name, when=when)
    held(session, "on its clock", when=AT - 2 * month).release_at = AT
    for name, pay_by in (("unanswered", AT - escrow.LATE_ANSWERS), ("open", AT - escrow.LATE_ANSWERS + MINUTE)):
        row = opened(session, name, when=AT - dt.timedelta(days=1))
        row.pay_by = pay_by
        escrow.lapse(at(session), name)
    session.flush()
    found = [(why, row.id) for why, _, row in escrow.waits_too_long(session, AT)]
    assert found == [("kept", "kept"), ("unanswered", "unanswered")]


def test_a_clock_is_set_for_what_is_held_alone_and_what_was_proved_once_stays_proved(session):
    row = held(session)
    escrow.set_clock(at(session), "e1", later(days=1), proved=True)
    escrow.set_clock(at(session), "e1", later(days=2))
    assert (row.release_at, row.proved) == (later(days=2), True)
    escrow.release(at(session), "e1", why="collected")
    assert (row.state, row.release_at) == ("settled", None)
    escrow.set_clock(at(session), "e1", later(days=3))
    assert row.release_at is None, "nothing of it is kept any more"


def test_more_than_is_held_never_leaves_and_nothing_is_no_entry(session):
    held(session)
    for minor in (-1, 1_001):
        with pytest.raises(Refused) as refusal:
            escrow.refund(at(session), "e1", minor, why="Sour")
        assert (refusal.value.code, refusal.value.facts["left_minor"]) == ("more-than-held", 1_000)
    assert escrow.refund(at(session), "e1", 0, why="Sour") is None
    assert escrow.holds(session, "e1")
    entry = escrow.refund(at(session), "e1", 400, why="Sour " * 99)
    assert (entry.amount_minor, len(entry.why)) == (400, 300)
    assert (escrow.balance(session, "e1"), escrow.gone_back(session, "e1")) == (600, 0)
    assert [escrow.refunded(at(session), entry.id) for _ in range(2)] == [True, False]
    assert (escrow.gone_back(session, "e1"), escrow.balance(session, "e1")) == (400, 600)
    assert escrow.release(at(session), "e1", why="collected") == 600
    assert not escrow.holds(session, "e1")
    assert not escrow.holds(session, "never paid online")
    assert escrow.findings(session) == []


def test_a_dispute_is_of_what_is_held_and_has_a_reason(session):
    row = held(session)
    with pytest.raises(Invalid):
        escrow.dispute(at(session), "e1", why=" ")
    assert escrow.dispute(at(session), "e1", why=f" {'Sour ' * 99}").disputed_why == ("Sour " * 99)[:300]
    assert escrow.dispute(at(session), "e1", why="Again").disputed_why == row.disputed_why, "asked twice is once"
    escrow.refund(at(session), "e1", None, why="Sour")
    with pytest.raises(Refused) as refusal:
        escrow.dispute(at(session), "e1", why="Sour")
    assert refusal.value.code == "nothing-held"
    opened(session, "waits")
    with pytest.raises(Refused) as refusal:
        escrow.release(at(session), "waits", why="collected")
    assert refusal.value.code == "nothing-held"


def test_what_was_passed_on_is_disputed_within_a_month_once(session):
    row = held(session)
    escrow.release(at(session), "e1", why="collected")
    month = AT + escrow.LATE_DISPUTE
    assert [escrow.may_dispute_late(session, row, when) for when in (month, month + MINUTE)] == [True, False]
    with pytest.raises(Refused) as refusal:
        escrow.dispute_late(at(session, month + MINUTE), "e1", why="Sour", words="order 1")
    assert refusal.value.code == "nothing-held"
    with pytest.raises(Invalid):
        escrow.dispute_late(at(session, month), "e1", why=" ", words="order 1")
    assert escrow.dispute_late(at(session, month), "e1", why="Sour", words="order 1").state == "disputed"
    assert (escrow.was_taken_back(session, "e1"), escrow.balance(session, "e1")) == (True, 1_000)
    escrow.release(at(session, month), "e1", why="decided")
    assert not escrow.may_dispute_late(session, row, month)
    with pytest.raises(Refused) as refusal:
        escrow.dispute_late(at(session, month), "e1", why="Sour", words="order 1")
    assert refusal.value.code == "decided-already"
    assert escrow.findings(session) == []


def test_what_the_bank_takes_back_waits_for_the_operator_once_however_late(session):
    years = AT + dt.timedelta(days=700)
    for name, release in (("held", False), ("passed on", True), ("disputed", False)):
        row = held(session, name)
        if release:
            escrow.release(at(session), name, why="collected")
        elif name == "disputed":
            escrow.dispute(at(session), name, why="Sour")
        assert escrow.charged_back(at(session, years), name, words="order 1")
        assert (row.state, row.disputed_why, escrow.balance(session, name)) == ("disputed", escrow.CHARGEBACK, 1_000)
        escrow.release(at(session, years), name, why="decided")
        assert not escrow.charged_back(at(session, years), name, words="order 1"), "it was decided"
        assert row.state == "settled"
    assert [escrow.was_taken_back(session, name) for name in ("held", "passed on", "disputed")] == [False, True, False]
    refunded = held(session, "refunded")
    escrow.refund(at(session), "refunded", None, why="Sour")
    assert not escrow.charged_back(at(session, years), "refunded", words="order 1"), "nothing is left of it"
    assert (refunded.state, escrow.findings(session)) == ("settled", [])


@pytest.mark.parametrize(("keep", "covered", "back"), [(0, True, 1_000), (700, True, 300), (1_000, True, None),
                                                       (700, False, None)])  # fmt: skip
def test_what_is_the_customer_s_after_all_is_taken_back_as_far_as_the_store_is_good_for_it(
    session, keep, covered, back
):
    row = held(session)
    assert escrow.take_back(at(session), "e1", 0, is_covered=lambda: True, why="Sour", words="") is None, "it is here"
    escrow.release(at(session), "e1", why="collected")
    entry = escrow.take_back(at(session), "e1", keep, is_covered=lambda: covered, why="Sour", words="order 1")
    assert (entry.amount_minor if entry else None) == back
    assert row.state == ("settled" if covered else "disputed")
    assert escrow.balance(session, "e1") == (0 if covered else 300)
    assert escrow.findings(session) == []


@pytest.mark.parametrize(
    ("state", "minor", "says"),
    [("held", -1, ["0 to 1000 left", "-1 left"]), ("held", 1_001, ["0 to 1000 left", "1001 left"]),
     ("disputed", 1_001, ["0 to 1000 left", "1001 left"]), ("settled", 1, ["0 to 0 left", "1 left"]),
     ("lapsed", 1, ["0 to 0 left", "1 left"]), ("awaited", 1, ["0 to 0 left", "1 left"]),
     ("held", 1_000, None), ("held", 0, None), ("settled", 0, None)],
)  # fmt: skip
def test_an_escrow_whose_book_does_not_fit_its_state_is_found(session, state, minor, says):
    row = opened(session)
    session.execute(sa.update(Escrow).values(state=state))
    if minor:
        way = ("customer", "escrow") if minor > 0 else ("escrow", "store")
        session.add(
            EscrowEntry(id="x", escrow_id=row.id, from_account=way[0], to_account=way[1], amount_minor=abs(minor),
                        why="", at=AT)
        )  # fmt: skip
    session.flush()
    session.expire_all()
    found = [[one.expected, one.found] for one in escrow.findings(session)]
    assert found == ([says] if says else [])
    assert escrow.findings(session, "S2") == []


def test_money_that_is_due_without_a_refund_under_way_is_found(session):
    held(session)
    session.add(
        EscrowEntry(id="x", escrow_id="e1", from_account="escrow", to_account="due", amount_minor=7, why="", at=AT)
    )
    session.flush()
    assert [(one.expected, one.found) for one in escrow.findings(session)] == [("7 going back", "0 asked for")]
