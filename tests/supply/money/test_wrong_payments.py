"""A payment booked for the wrong store leaves its book again: to the cent, once, and at no harm to the store."""

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import Conflict, Invalid, NotFound
from config.nodes.journal import Context
from supply.money import agent_commissions, ledger, lost_entries, payment_runs, wrong_payments
from supply.money.credit_limit import repaid_of
from supply.money.ledger import Booking, Wanted, balances, open_invoices
from tests.arriving import hear
from tests.supply.road import AT, DAY, OPERATOR, later, make_country

STORE, PAYER = "S1", "S2"
BY = {"actor": OPERATOR, "at": AT}
SCRIPT = Path(__file__).parents[1] / "independent" / "credit_limit.py"


@pytest.fixture
def country(tmp_path):
    return make_country(tmp_path)


def owe(session, *bills: tuple[str, int, int, bool], store: str = STORE) -> None:
    """Make invoices: (id, amount, days until it is due, whether on credit)."""
    book = Booking(Context(session, **BY), store)
    for name, minor, days, on_credit in bills:
        book.invoice(Wanted(name, minor, DAY + dt.timedelta(days=days), on_credit, None, None, []))
    book.close("invoiced")


def pay(session, minor: int, id: str = "pay", at=AT) -> None:
    ledger.money_in(Context(session, OPERATOR, at), STORE, minor, reference="Bank 17", id=id)


def left(session, store: str = STORE) -> dict[str, int]:
    return {one.invoice.id: one.left_minor for one in open_invoices(session, store)}


def test_what_a_wrong_payment_paid_is_open_again_and_who_paid_has_it(country):
    with country.network.write() as session:
        owe(session, ("early", 3_000, 3, True), ("late", 4_000, 20, False))
        owe(session, ("theirs", 9_000, 5, False), store=PAYER)
        pay(session, 1_000, "right")
        pay(session, 5_500)
        wrong_payments.take_back(Context(session, **BY), STORE, "pay", why="The other Wei", payer_id=PAYER)
        assert left(session) == {"early": 2_000, "late": 4_000}, "what is due last is open first"
        assert left(session, PAYER) == {"theirs": 3_500}
        with pytest.raises(Conflict):
            wrong_payments.take_back(Context(session, **BY), STORE, "pay", why="Again")
        with pytest.raises(NotFound):
            wrong_payments.take_back(Context(session, **BY), PAYER, "pay", why="Not theirs")
        with pytest.raises(Invalid):
            wrong_payments.take_back(Context(session, **BY), STORE, "right", why=" ")
        wrong_payments.take_back(Context(session, **BY), STORE, "right", why="Theirs too")
        assert left(session) == {"early": 3_000, "late": 4_000}, "nothing is owed beyond the invoices"
    country.deliver()
    assert country.findings() == []
    for database in (country.network, country.stores[STORE]):
        with database.read() as session:
            known = balances(session, STORE)
            assert (known["credit"], known["invoiced"], known["funds"], known["bank"]) == (3_000, 4_000, 0, 0)
            entries = ledger.entries_of(session, STORE)
            assert [one.words for one in entries if one.kind == "taken_back"] == ["The other Wei", "Theirs too"]


def test_a_shop_is_not_late_because_a_payment_was_booked_for_it(country):
    after = later(days=20)
    with country.network.write() as session:
        owe(session, ("bill", 3_000, 10, True))
        pay(session, 3_000)
        wrong_payments.take_back(Context(session, OPERATOR, after), STORE, "pay", why="Not theirs")
        (one,) = open_invoices(session, STORE)
        assert one.invoice.due_day == after.date() + dt.timedelta(days=7)
        assert repaid_of(session, STORE, one.invoice.due_day) == (3_000, 0), "what was taken back is no payment"
        pay(session, 3_000, "their-own", at=later(days=27))
        assert repaid_of(session, STORE, one.invoice.due_day) == (3_000, 3_000)


def test_what_was_paid_out_of_it_is_owed_and_an_agent_keeps_what_it_has(country):
    with country.network.write() as session:
        said = {"store_id": STORE, "bic": "", "reported_at": AT.isoformat()}
        hear(session, "account.bank_reported", said | {"payee": "Wei", "bank_account": "12345678"}, at=AT)
        hear(session, "agent.reported", said | {"name": "Mei", "account": "6222021234567890"}, at=AT)
        parts = {"store_id": STORE, "statement_id": "s", "parts": [["Mei", 2_000]]}
        hear(session, "agent.parts", parts, at=BY["at"])
        pay(session, 5_000)
        payment_runs.make_run(Context(session, **BY), id="run")
        parts = {"store_id": STORE, "statement_id": "t", "parts": [["Mei", 700]]}
        hear(session, "agent.parts", parts, at=BY["at"])
        pay(session, 700, "second")
        wrong_payments.take_back(Context(session, **BY), STORE, "second", why="Not theirs")
        wrong_payments.take_back(Context(session, **BY), STORE, "pay", why="Not theirs")
        assert left(session) == {"agent-t-Mei": 700, "payment-pay": 5_000}
        (part,) = agent_commissions.parts_of(session)
        assert (part.due_minor, part.waiting_minor) == (0, 700)
        assert balances(session, STORE)["bank"] == -5_000, "what left the bank for this store"


def test_a_payment_taken_back_is_so_again_in_a_network_put_back_from_a_copy(country):
    with country.network.write() as session:
        owe(session, ("bill", 3_000, 10, True))
        pay(session, 2_000)
        row = {
            "id": "back-pay", "n": 9, "kind": "taken_back", "from_account": "bank", "to_account": "funds",
            "amount_minor": 2_000, "invoice_id": None, "source_id": "pay", "words": "Not theirs",
            "day": DAY.isoformat(),
        }  # fmt: skip
        reported = {"store_id": STORE, "reported_at": AT.isoformat(), "entries": [row]}
        ledger.account_of(session, STORE).put_back_waits = True
        hear(session, "account.lost", reported, at=AT)
        for _ in range(2):
            lost_entries.take_over(Context(session, OPERATOR, later(days=2)), STORE, "back-pay")
        assert left(session) == {"bill": 3_000}
        (back,) = [one for one in ledger.entries_of(session, STORE) if one.kind == "taken_back"]
        assert (back.id, back.business_day) == ("back-pay", DAY)


def test_the_independent_script_counts_no_payment_that_was_taken_back(tmp_path):
    terms = {"weeks_bp": 10_000, "first_bp": 5_000, "cap_minor": 10**9, "first_most_minor": 10**9, "whole_minor": 1}
    bill = {"id": "bill", "due_day": "2026-02-20", "amount_minor": 1_000}
    entry = {"invoice": "bill", "day": "2026-02-10", "amount_minor": 1_000}
    days = [[(dt.date(2026, 1, 4) + dt.timedelta(days=7 * n)).isoformat(), 9_000] for n in range(8)]
    data = {
        "line": {"worked_out_on": "2026-03-02", "terms": terms, "facts": {"standing_bp": 10_000}}, "weeks": 13,
        "repaid_days": 180, "sales_by_day": days, "invoices": [bill],
        "entries": [entry | {"kind": "paid"}, entry | {"kind": "unpaid", "amount_minor": 250}],
    }  # fmt: skip
    file = tmp_path / "export.json"
    file.write_text(json.dumps(data))
    reported = subprocess.run([sys.executable, str(SCRIPT), str(file)], capture_output=True, text=True, check=True)
    assert int(reported.stdout) == 4_500, "three quarters paid in time count half"
