"""One spell at a till: the drawer is a ledger, counting is blind, Z is frozen."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from pos import shift
from pos.printer import PrintJob
from pos.shift import CashMovement, Shift
from tests.builders import NOON, STORE, Shop, open_shop


def current(shop: Shop) -> Shift:
    found = shop.read(lambda session: shift.current(session, STORE, "T1"))
    assert found is not None
    return found


def test_one_shift_is_open_at_a_till(shop):
    with pytest.raises(Conflict) as refusal:
        shop.open_till()
    assert refusal.value.code == "shift-open"


def test_the_database_itself_refuses_a_second_open_shift(shop):
    row = {"store_id": STORE, "till_id": "T1", "opened_by": "x", "opened_by_name": "X", "business_day": NOON.date()}
    with pytest.raises(sa.exc.IntegrityError), shop.write() as session:
        session.add(Shift(id="second-shift", state="open", opened_at=NOON, expected_minor=0, **row))


def test_a_till_nobody_knows_is_not_opened(tmp_path):
    shop = open_shop(tmp_path, till_open=False)
    shop.till_id = "T9"
    with pytest.raises(NotFound):
        shop.open_till()


@pytest.mark.parametrize("amount", [-1, 1.5, True, 10**13])
def test_an_odd_float_is_refused(tmp_path, amount):
    with pytest.raises(Invalid):
        open_shop(tmp_path, till_open=False).open_till(amount)


def test_expected_cash_is_float_and_sales_less_change_refunds_drops_and_pay_outs(shop):
    sold = shop.sell([("milk", 3)], cash_minor=1000)
    shop.sell([("bread", 1)], tenders=[("card", 349)])
    shop.take_back(sold.sale.id, [(1, 1)])
    with shop.write() as session:
        found = shift.current(session, STORE, "T1")
        shift.drop(session, found, 5000, actor=shop.wei, at=NOON)
        shift.pay_out(session, found, 250, why="window cleaner", actor=shop.ana, at=NOON)
    assert current(shop).expected_minor == 10_000 + 387 - 129 - 5000 - 250
    assert shop.findings() == []


@pytest.mark.parametrize(("amount", "why"), [(10_001, "gold"), (0, "nothing"), (-5, "magic")])
def test_no_more_leaves_the_drawer_than_can_be_in_it(shop, amount, why):
    with shop.write() as session, pytest.raises((Refused, Invalid)):
        shift.pay_out(session, shift.current(session, STORE, "T1"), amount, why=why, actor=shop.ana, at=NOON)
    assert current(shop).expected_minor == 10_000


def test_a_pay_out_needs_a_reason(shop):
    with shop.write() as session, pytest.raises(Invalid):
        shift.pay_out(session, shift.current(session, STORE, "T1"), 100, why=" ", actor=shop.ana, at=NOON)


def test_counting_is_blind_until_the_shift_is_closed(shop):
    shop.sell([("milk", 1)])
    report = shop.read(lambda s: shift.x_report(s, current_in(s)))
    assert report["sales_count"] == 1
    assert (report["expected_minor"], report["counted_minor"], report["z_no"]) == (None, None, None)
    closed = shop.close_till(10_100)
    assert closed.z_report["expected_minor"] == 10_129
    assert closed.z_report["over_short_minor"] == closed.over_short_minor == -29


def current_in(session):
    return shift.current(session, STORE, "T1")


def test_z_says_what_was_sold_returned_and_paid_and_goes_to_paper(shop):
    sold = shop.sell([("milk", 3), ("wine", 1)])
    shop.sell([("bread", 1)], tenders=[("card", 349)])
    shop.take_back(sold.sale.id, [(1, 1)])
    closed = shop.close_till()
    report = closed.z_report
    assert (report["sales_count"], report["sales_minor"]) == (2, 387 + 699 + 349)
    assert (report["returns_count"], report["returns_minor"]) == (1, -129)
    assert report["tenders"] == {"card": 349, "cash": 387 + 699 - 129}
    assert sum(row["gross_minor"] for row in report["taxes"]) == report["total_minor"]
    assert (report["first_receipt_no"], report["last_receipt_no"], report["z_no"]) == (1, 3, 1)
    with shop.database.read() as session:
        job = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "z")).one()
        assert (job.document, job.opens_drawer) == (report, False)
    assert shop.messages()[-1].topic == "shift.closed"
    assert shop.findings() == []


def test_a_closed_shift_never_changes_and_the_next_z_has_the_next_number(shop):
    with shop.write() as session:
        first = shift.close(session, current_in(session), 9_000, why="a note was missing", actor=shop.wei, at=NOON)
    shop.open_till(5_000)
    shop.sell([("milk", 1)])
    assert shop.close_till().z_no == 2
    kept = shop.read(lambda s: s.get_one(Shift, (STORE, first.id)))
    assert (kept.state, kept.expected_minor, kept.counted_minor, kept.over_short_minor) == (
        "closed",
        10_000,
        9_000,
        -1_000,
    )
    with pytest.raises(Conflict), shop.write() as session:
        shift.close(session, session.get_one(Shift, (STORE, first.id)), 10_000, actor=shop.wei, at=NOON)
    assert shop.findings() == []


def test_a_count_can_be_put_off(shop):
    with shop.write() as session:
        found = shift.current(session, STORE, "T1")
        shift.begin_count(session, found, actor=shop.wei, at=NOON)
        shift.go_back(session, found, actor=shop.wei, at=NOON)
    assert shop.sell([("milk", 1)]).sale.receipt_no == 1


def test_a_sale_after_midnight_belongs_to_the_evening_before(shop):
    shop.clock.set(dt.datetime(2026, 3, 3, 0, 30, tzinfo=dt.UTC))
    assert shop.sell([("milk", 1)]).sale.business_day == dt.date(2026, 3, 2)
    shop.clock.set(dt.datetime(2026, 3, 3, 3, 0, tzinfo=dt.UTC))
    assert shop.sell([("milk", 1)]).sale.business_day == dt.date(2026, 3, 3)


def test_every_cash_movement_names_its_source(shop):
    done = shop.sell([("milk", 1)], cash_minor=500)
    rows = shop.read(lambda s: s.scalars(sa.select(CashMovement).where(CashMovement.source_id == done.sale.id)).all())
    assert sorted((row.kind, row.amount_minor) for row in rows) == [("change", -371), ("sale", 500)]
