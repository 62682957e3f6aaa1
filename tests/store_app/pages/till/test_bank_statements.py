"""A sale paid by bank transfer: from the code at the till to the bank's statement, and what does not match."""

import datetime as dt
import io

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.append_only import declared
from pos.payments.bank_codes import reference_of
from pos.payments.payments import Payment
from pos.payments.providers import PAYMENTS
from pos.printing.queue import PrintJob
from pos.store.store import Store
from pos.till import shift, shift_report
from store_app.payments.amount_qr import NAME
from store_app.runtime import plugins
from supply.money.bank.statements import BankEntry, BankMatch, BankStatement
from tests.store_app.api.test_payments import browser, sell, stock_milk, work
from tests.store_app.conftest import NOON, STORE, post
from tests.store_app.office import words
from tests.supply.money.bank.made import IBAN, Booking, camt, mt940

TODAY = NOON.date()
ACCOUNT = {"holder": "Corner Café", "account": IBAN, "bic": "COBADEFFXXX"}


@pytest.fixture
def house(build):
    """Give a store in euros with an account and an open till."""
    house = build(payment_service="none")
    stock_milk(house)
    with house.doors.write() as session:
        session.execute(sa.update(Store).values(currency="EUR"))
    browser(house).post("/api/shifts", json={"till_id": "1", "float_minor": 5000})
    assert post(house.signed_in(), f"/plugins/payments/{NAME}", **ACCOUNT).status_code == 303
    return house


@pytest.fixture
def till(house):
    """Give the cashier's browser."""
    return browser(house)


@pytest.fixture
def desk(house):
    """Give the owner's browser."""
    return browser(house, "shopkeeper")


def ask(till, minor=300, **other):
    wish = {"id": new_id(), "sale_id": new_id(), "till_id": "1", "tender": "bank_transfer", "way": "bank_code"}
    answer = till.post("/api/payments", json=wish | {"amount_minor": minor} | other)
    assert answer.status_code == 201, answer.json
    return answer.json


def told(till, payment, *, paid=True):
    return till.post(f"/api/payments/{payment['id']}/told", json={"paid": paid})


def paid(till, minor=300):
    """Sell for a transfer that the cashier has seen; returns its payment."""
    payment = ask(till, minor)
    seen = told(till, payment).json
    assert sell(till, payment["sale_id"], seen).status_code == 201
    return payment


def upload(desk, raw):
    return post(desk, "/bank-statements/", command_id=new_id(), file=(io.BytesIO(raw), "statement.xml"))


def booked(payment, minor=300, **other):
    return Booking(minor, f"RE {reference_of(payment['id'])}", day=TODAY, ref=new_id()[-8:], **other)


def page(desk):
    return words(desk.get("/bank-statements/"))


def rows(house, table):
    with house.doors.read() as session:
        return session.scalars(sa.select(table)).all()


def test_a_transfer_is_shown_as_a_code_and_counts_when_the_cashier_has_seen_it(house, till):
    payment = ask(till)
    assert payment["qr"].startswith("<svg")
    assert payment["qr_text"].splitlines()[5:8] == ["Corner Café", IBAN, "EUR3.00"]
    work(house)
    assert till.get(f"/api/payments/{payment['id']}").json["state"] == "requested", "nobody but a person knows"
    seen = told(till, payment).json
    assert (seen["state"], seen["reference"]) == ("captured", reference_of(payment["id"]))
    assert told(till, payment).json == seen
    assert told(till, payment, paid=False).status_code == 409, "the first word counts"
    assert sell(till, payment["sale_id"], seen).status_code == 201
    (row,) = rows(house, Payment)
    assert (row.tender, row.claimed_by, row.reason) == ("bank_transfer", payment["sale_id"], "transfer-seen: cashier")


def test_what_was_not_paid_or_stopped_pays_for_nothing_and_card_payments_are_not_told(house, till):
    unseen, stopped = ask(till), ask(till)
    assert told(till, unseen, paid=False).json["state"] == "declined"
    assert till.post(f"/api/payments/{stopped['id']}/cancel", json={}).json["state"] == "cancelled"
    assert told(till, stopped).status_code == 409
    assert sell(till, unseen["sale_id"], unseen).status_code == 409


def test_another_currency_is_offered_no_transfer(house, till):
    assert '"bank_code"' in till.get("/till/").text
    with house.doors.write() as session:
        session.execute(sa.update(Store).values(currency="USD"))
    assert '"bank_code"' not in till.get("/till/").text
    assert ask(till)["state"] == "declined"


@pytest.mark.parametrize("make", [camt, mt940])
def test_a_statement_matches_by_reference_once_however_often_it_comes(house, till, desk, make):
    payment = paid(till)
    assert "Not yet in a statement" in page(desk)
    raw = make([booked(payment), Booking(9_900, "Rent", day=TODAY)])
    assert upload(desk, raw).status_code == 303
    found = page(desk)
    assert "New entries: 2. Matched with sales: 1." in found
    assert "By reference" in found
    assert "Not yet in a statement" not in found
    again = upload(desk, raw)
    assert again.status_code == 409
    assert "This file was uploaded before" in words(again)
    other = upload(desk, raw + b"\r\n")  # the same statement in another file
    assert other.status_code == 303
    assert "Entries already on record, not added again: 2." in page(desk)
    assert len(rows(house, BankEntry)) == 2
    assert len(rows(house, BankMatch)) == 1


def test_a_file_of_another_account_or_currency_or_of_days_to_come_books_nothing(house, till, desk):
    payment = paid(till)
    for raw, sentence in (
        (camt([booked(payment)], account="DE02120300000000202051"), "of account …2051, not of the store"),
        (camt([booked(payment)], currency="USD"), "This statement is in USD"),
        (camt([Booking(300, day=TODAY + dt.timedelta(days=9))]), "of days to come"),
        (camt([booked(payment)], closing=1), "do not add up"),
        (b"<a/>", "no bank statement in this file"),
    ):
        answer = upload(desk, raw)
        assert answer.status_code in (409, 422)
        assert sentence in words(answer)
    assert not rows(house, BankStatement)
    assert not rows(house, BankMatch)


def test_equal_entries_of_overlapping_and_continuing_statements_come_once_each(house, desk):
    equal = Booking(500, "tip", day=TODAY)
    assert upload(desk, camt([equal, equal], number="1", opening=0)).status_code == 303
    assert upload(desk, camt([equal, equal, Booking(1, day=TODAY)], number="9", opening=0)).status_code == 303
    assert sorted(one.amount_minor for one in rows(house, BankEntry)) == [1, 500, 500]
    assert upload(desk, camt([equal], number="10", opening=1001)).status_code == 303
    assert sorted(one.amount_minor for one in rows(house, BankEntry)) == [1, 500, 500, 500]


def test_a_missing_statement_is_named_until_it_comes(house, desk):
    days = [TODAY - dt.timedelta(days=n) for n in (3, 2, 1)]
    files = [camt([Booking(100, day=day)], opening=100 * n, number=str(n)) for n, day in enumerate(days, 1)]
    upload(desk, files[0])
    upload(desk, files[2])
    assert "are missing: the balances do not continue" in page(desk)
    upload(desk, files[1])
    assert "are missing" not in page(desk)


def test_short_double_and_called_off_transfers_are_shown_with_what_to_do(house, till, desk):
    short, twice, stopped = paid(till), paid(till, 500), ask(till, 700)
    told(till, stopped, paid=False)
    upload(desk, camt([booked(short, 200), booked(twice, 500), booked(twice, 500), booked(stopped, 700)]))
    found = page(desk)
    assert "The bank has 2.00 of 3.00. Ask the customer for the rest." in found.replace("€", "")
    assert "Too much, or twice" in found
    assert "Paid, but not counted at the till" in found
    assert len(rows(house, BankMatch)) == 3


def test_a_match_by_hand_is_undone_by_another_row_and_not_made_again(house, till, desk):
    payment = paid(till)
    upload(desk, camt([Booking(299, "no reference", day=TODAY)]))
    (entry,) = rows(house, BankEntry)
    assert post(desk, "/bank-statements/match", entry=entry.id, payment=payment["id"]).status_code == 303
    assert post(desk, "/bank-statements/match", entry=entry.id, payment=payment["id"]).status_code == 409
    (match,) = rows(house, BankMatch)
    assert (match.amount_minor, match.how) == (299, "hand")
    assert post(desk, "/bank-statements/undo", match=match.id).status_code == 303
    assert post(desk, "/bank-statements/undo", match=match.id).status_code == 409
    assert sum(one.amount_minor for one in rows(house, BankMatch)) == 0
    assert post(desk, "/bank-statements/aside", entry=entry.id).status_code == 422
    assert post(desk, "/bank-statements/aside", entry=entry.id, why="Owner's money").status_code == 303
    assert post(desk, "/bank-statements/aside", payment=payment["id"], why="Never came").status_code == 303
    assert "Every transfer is at your bank" in page(desk)
    assert {"bank_entry", "bank_match", "bank_statement"} <= declared().keys()


def test_a_transfer_no_statement_has_is_called_overdue_with_who_saw_it(house, till, desk):
    paid(till)
    house.clock.advance(6 * 86_400)
    desk = browser(house, "shopkeeper")
    found = page(desk)
    assert "overdue" in found
    assert "Seen by cashier" in found


def test_only_who_may_see_the_money_sees_statements(house, till):
    assert till.get("/bank-statements/").status_code == 403
    assert upload(till, camt([Booking(1)])).status_code == 403


@pytest.mark.parametrize(("wrong", "sentence"), [
    ({"account": "DE89370400440532013001"}, "This IBAN has a typo"), ({"bic": "XX"}, "This BIC has a typo"),
    ({"account": "12345"}, "Enter an IBAN, a UPI ID or a Pix key"), ({"upi_id": "kirana"}, "looks like name@bank"),
    ({"pix_key": "12"}, "A Pix key is"),
])  # fmt: skip
def test_an_account_with_a_typo_is_not_kept(house, wrong, sentence):
    owner = house.signed_in()
    answer = post(owner, f"/plugins/payments/{NAME}", **ACCOUNT | wrong)
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert plugins.values(PAYMENTS, house.doors.settings, NAME)["account"] == IBAN


def test_the_code_is_printed_once_per_press_while_it_is_waited_for(house, till):
    payment, command = ask(till), {"id": new_id(), "till_id": "1"}
    first = till.post(f"/api/payments/{payment['id']}/print", json=command)
    assert first.status_code == 200
    assert till.post(f"/api/payments/{payment['id']}/print", json=command).json == first.json
    (job,) = [one for one in rows(house, PrintJob) if one.kind == "transfer"]
    assert job.document["code"] == payment["qr_text"]
    told(till, payment)
    assert till.post(f"/api/payments/{payment['id']}/print", json=command | {"id": new_id()}).status_code == 409


def test_a_transfer_has_its_line_in_the_close_and_its_refund_goes_out_in_cash(house, till):
    payment = paid(till)
    with house.doors.read() as session:
        now_open = shift.current(session, STORE, "1")
        totals = shift_report.x_report(session, now_open)
    assert totals["tenders"]["bank_transfer"] == 300
    supervisor = browser(house, "supervisor")
    body = {"id": new_id(), "sale_id": payment["sale_id"], "till_id": "1", "lines": [{"n": 1, "qty": 3}],
            "why": "sour", "tender": "cash"}  # fmt: skip
    answer = supervisor.post("/api/returns", json=body)
    assert answer.status_code == 201, answer.json
    back = [row for row in rows(house, Payment) if row.amount_minor < 0]
    assert [(row.tender, row.amount_minor) for row in back] == [("cash", -300)]
