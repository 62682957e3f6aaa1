"""Cash that people put into a drawer or take out of it: pay-ins, drops, pay-outs, and how far each role goes alone."""

import datetime as dt
import json

import pytest
import sqlalchemy as sa

from config.errors import Invalid, Refused
from config.nodes.journal import Actor, Context, JournalEntry
from pos.documents.till_report import till_report
from pos.store import approvals, permissions
from pos.store.store import add_staff
from pos.till import hand_cash, shift, shift_book, shift_report
from pos.till.shift_book import CashMovement
from tests.builders import NOON, STORE
from tests.pos.till.test_shift import current, current_in
from tests.recount import recount


def test_expected_cash_is_float_and_sales_less_change_refunds_drops_and_pay_outs(store):
    sold = store.sell([("milk", 3)], cash_minor=1000)
    store.sell([("bread", 1)], tenders=[("card", 349)])
    store.take_back(sold.sale.id, [(1, 1)])
    with store.write() as session:
        found = shift.current(session, STORE, "T1")
        hand_cash.drop(Context(session, store.wei, NOON), found, 5000)
        hand_cash.pay_out(Context(session, store.ana, NOON), found, 250, why="window cleaner")
    assert current(store).expected_minor == 10_000 + 387 - 129 - 5000 - 250
    assert store.findings() == []


@pytest.mark.parametrize(("amount", "why"), [(10_001, "gold"), (0, "nothing"), (-5, "magic")])
def test_no_more_leaves_the_drawer_than_can_be_in_it(store, amount, why):
    with store.write() as session, pytest.raises((Refused, Invalid)):
        hand_cash.pay_out(Context(session, store.ana, NOON), shift.current(session, STORE, "T1"), amount, why=why)
    assert current(store).expected_minor == 10_000


def test_a_pay_out_needs_a_reason(store):
    with store.write() as session, pytest.raises(Invalid):
        hand_cash.pay_out(Context(session, store.ana, NOON), shift.current(session, STORE, "T1"), 100, why=" ")


def pay(store, amount_minor, actor=None, leave=(), id=None, verb=hand_cash.pay_out):
    with store.write() as session:
        ctx = Context(session, actor or store.ana, NOON)
        return verb(ctx, current_in(session), amount_minor, approvals=leave, why="window cleaner", id=id)


def pay_in(store, amount_minor, actor=None, leave=(), id=None):
    return pay(store, amount_minor, actor, leave, id, hand_cash.pay_in)


def test_cash_put_into_the_drawer_is_expected_there_and_makes_no_over_at_the_close(store):
    store.sell([("milk", 1)])
    moved = pay_in(store, 2000)
    assert (moved.kind, moved.amount_minor, moved.why) == ("pay_in", 2000, "window cleaner")
    assert store.read(lambda session: shift_report.x_report(session, current_in(session)))["cash"]["pay_in"] == 2000
    assert store.findings() == []
    closed = store.close_till(10_000 + 129 + 2000)
    assert (closed.over_short_minor, closed.z_report["cash"]["pay_in"]) == (0, 2000)
    reported = next(message.body for message in store.messages() if message.topic == "shift.closed")
    assert ["pay_in", 2000] in [row[1:3] for row in reported["cash"]]
    assert store.read(lambda session: recount(session, closed))["cash"] == closed.totals["cash"]


def test_a_pay_in_is_journalled_with_its_amount_and_where_it_came_from(store):
    moved = pay_in(store, 500)
    entry = store.read(lambda s: s.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "shift.pay_in")).one())
    assert json.loads(entry.body) == {"amount_minor": 500, "reason": "window cleaner", "movement": moved.id}
    assert entry.actor_id == store.ana.id


def test_a_z_from_before_the_first_pay_in_stays_as_it_was(store):
    before = store.close_till(10_000)
    store.open_till()
    pay_in(store, 700)
    after = store.close_till(10_700)
    kept = store.read(lambda session: session.get_one(shift_book.Shift, (STORE, before.id)).z_report)
    assert kept == before.z_report
    assert "pay_in" not in kept["cash"]
    for report in (kept, after.z_report):
        assert report["hash"] == shift_report.z_hash(report)
    assert after.z_report["z_before"] == kept["hash"]


@pytest.mark.parametrize(("amount", "why"), [(0, "nothing"), (-5, "magic"), (True, "x"), (10**14, "gold"), (100, " ")])
def test_what_is_no_pay_in_is_refused_and_moves_nothing(store, amount, why):
    with store.write() as session, pytest.raises(Invalid):
        hand_cash.pay_in(Context(session, store.wei, NOON), current_in(session), amount, why=why)
    assert current(store).expected_minor == 10_000


def test_nothing_is_put_into_a_drawer_that_is_being_counted(store):
    with store.write() as session:
        shift.begin_count(Context(session, store.ana, NOON), current_in(session))
    with pytest.raises(Refused) as refusal:
        pay_in(store, 100)
    assert refusal.value.code == "no-open-shift"


def test_a_cashiers_pay_ins_end_at_a_limit_apart_from_that_of_pay_outs(store):
    pay_in(store, 1500)
    pay(store, 2000)
    with pytest.raises(Refused) as refusal:
        pay_in(store, 501)
    (need,) = refusal.value.facts["needs"]
    assert (need["permission"], need["covers"]) == ("pay_in", {"amount_minor": 2001})
    with store.write() as session:
        boss = add_staff(session, STORE, "bo", "Bo", "supervisor", "4444")
        given = {
            "sale_id": "pay-0002",
            "why": "",
            "covers": [{"amount_minor": 2001}],
            "asked_by": store.ana,
            "at": NOON,
        }
        of_out, of_in = (approvals.grant(session, boss, permission=kind, **given).id for kind in ("pay_out", "pay_in"))
    with pytest.raises(Refused):
        pay_in(store, 501, leave=[of_out], id="pay-0002")
    pay_in(store, 501, leave=[of_in], id="pay-0002")
    pay_in(store, 500)
    assert current(store).expected_minor == 10_000 + 2501 - 2000


def test_what_was_paid_in_can_be_paid_out_again_by_who_may(store):
    pay_in(store, 5000, store.wei)
    pay(store, 15_000, store.wei)
    assert current(store).expected_minor == 0
    rows = store.read(lambda session: session.scalars(sa.select(CashMovement.kind).order_by(CashMovement.id)).all())
    assert rows == ["float", "pay_in", "pay_out"]


def test_a_cashiers_pay_outs_of_one_drawer_end_at_the_limit_however_they_are_split(store):
    pay(store, 1500)
    with pytest.raises(Refused) as refusal:
        pay(store, 501)
    assert refusal.value.code == "needs-approval"
    assert refusal.value.facts["needs"][0]["covers"] == {"amount_minor": 2001}
    assert current(store).expected_minor == 8500
    with store.write() as session:
        boss = add_staff(session, STORE, "bo", "Bo", "supervisor", "4444")
        granted = approvals.grant(
            session,
            boss,
            permission="pay_out",
            sale_id="pay-0001",
            why="",
            covers=[{"amount_minor": 2001}],
            asked_by=store.ana,
            at=NOON,
        ).id
    pay(store, 501, leave=[granted], id="pay-0001")
    pay(store, 500)  # what had leave does not count against the limit
    with pytest.raises(Refused):
        pay(store, 1)
    assert current(store).expected_minor == 7499


def test_each_role_pays_out_up_to_its_own_limit_and_the_shop_settles_it(store):
    boss = Actor("bo", "Bo", "supervisor", STORE)
    with store.write() as session:
        permissions.set_pay_limit(Context(session, store.wei, NOON), STORE, "supervisor", "pay_out", 3000)
    with pytest.raises(Refused):
        pay(store, 3001, boss)
    pay(store, 3000, boss)
    pay(store, 7000, store.wei)
    assert current(store).expected_minor == 0


def test_who_needs_leave_for_a_pay_out_hears_the_same_whatever_the_drawer_holds(store):
    said = set()
    for amount_minor in (2001, 9999, 10_000, 10_001, 10**7):
        with pytest.raises(Refused) as refusal:
            pay(store, amount_minor)
        said.add((refusal.value.code, refusal.value.message))
    assert len(said) == 1
    assert said.pop()[0] == "needs-approval"


def test_no_leave_takes_more_out_than_the_drawer_holds(store):
    with store.write() as session:
        boss = add_staff(session, STORE, "bo", "Bo", "shopkeeper", "4444")
        granted = approvals.grant(
            session,
            boss,
            permission="pay_out",
            sale_id="pay-0001",
            why="",
            covers=[{"amount_minor": 10_001}],
            asked_by=store.ana,
            at=NOON,
        ).id
    with pytest.raises(Refused) as refusal:
        pay(store, 10_001, leave=[granted], id="pay-0001")
    assert (refusal.value.code, dict(refusal.value.facts)) == ("not-in-drawer", {})
    assert current(store).expected_minor == 10_000


def test_whoever_counts_blind_learns_nothing_of_the_drawer_by_a_drop_and_z_names_what_was_beyond(store):
    with store.write() as session, pytest.raises(Refused) as refusal:
        hand_cash.drop(Context(session, store.wei, NOON), current_in(session), 10_001)
    assert refusal.value.code == "not-in-drawer", "who sees the drawer is told"
    for amount_minor in (10_000, 1):
        pay(store, amount_minor, verb=hand_cash.drop)
    assert current(store).expected_minor == -1
    report = store.read(lambda session: shift_report.x_report(session, current_in(session)))
    assert report["beyond"] == [["Ana", "2026-03-02 13:00", "drop", 1]]
    assert shift_report.blinded(report)["beyond"] == []
    found = store.read(lambda session: session.scalars(sa.select(JournalEntry).where(
        JournalEntry.verb == "shift.beyond_drawer")).one())  # fmt: skip
    assert (found.actor_name, json.loads(found.body)) == ("Ana", {"kind": "drop", "amount_minor": 1})
    closed = store.close_till(0)
    assert (closed.over_short_minor, closed.z_report["beyond"]) == (1, report["beyond"])
    said = [(line.text.strip(), line.right) for line in till_report(closed.z_report, columns=42)]
    assert ("13:00 Ana, Moved to safe", "-0,01") in said
    assert store.findings() == []


def test_a_cashiers_drops_of_one_drawer_end_at_the_limit_however_they_are_split(store):
    pay(store, 9_000, verb=hand_cash.drop)
    said = set()
    for amount_minor in (41_001, 10**6):
        with pytest.raises(Refused) as refusal:
            pay(store, amount_minor, verb=hand_cash.drop)
        said.add((refusal.value.code, refusal.value.message))
    assert [code for code, _ in said] == ["needs-approval"]
    with store.write() as session:
        permissions.set_pay_limit(Context(session, store.wei, NOON), STORE, "cashier", "drop", 9_000)
    with pytest.raises(Refused):
        pay(store, 1, verb=hand_cash.drop)


def test_z_names_each_drop_to_the_safe_with_who_and_when(store):
    before = store.close_till(10_000).z_report
    store.open_till()
    with store.write() as session:
        add_staff(session, STORE, "ana", "Ana", "cashier", "1111")
        for minutes, amount_minor, who in ((0, 3000, store.ana), (90, 1000, Actor("gone", "Gone", "cashier", STORE))):
            at = NOON + dt.timedelta(minutes=minutes)
            hand_cash.drop(Context(session, who, at), current_in(session), amount_minor)
    report = store.close_till(6000).z_report
    assert report["drops"] == [["Ana", "2026-03-02 13:00", -3000], ["gone", "2026-03-02 14:30", -1000]]
    assert report["cash"]["drop"] == -4000
    said = [(line.text.strip(), line.right) for line in till_report(report, columns=42)]
    at_first = said.index(("13:00 Ana", "-30,00"))
    assert said[at_first + 1] == ("14:30 gone", "-10,00")
    assert report["hash"] == shift_report.z_hash(report)
    assert before["drops"] == []
    assert till_report({name: value for name, value in before.items() if name != "drops"}, columns=42), "an older Z"
