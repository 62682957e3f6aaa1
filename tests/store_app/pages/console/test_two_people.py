"""What moves the network's money: one proposes, another approves, and one alone can't."""

import json

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import JournalEntry
from pos.store.store import Staff
from supply.money import credit, ledger
from supply.money import terms as money_terms
from supply.money.ledger import Account
from supply.money.payouts import Payout
from supply.money.proposals import MoneyProposal
from supply.money.terms import BOUNDS
from tests.store_app import money
from tests.store_app.conftest import NOON, STORE, House, add_team
from tests.store_app.office import send, words

IBAN = "DE89370400440532013000"


@pytest.fixture
def pair(network: House):
    """Give a network with a store that owes it and has money there, and the browsers of finance and an operator."""
    money.lend(network)
    money.owe(network)
    with network.doors.write() as session:
        account = ledger.account_of(session, STORE)
        account.payee, account.bank_account, account.bic = "Li Wei", IBAN, ""
    add_team(network)
    return network, network.signed_in("finance"), network.signed_in("operator")


def proposed(network: House) -> list[MoneyProposal]:
    with network.doors.read() as session:
        return list(session.scalars(sa.select(MoneyProposal).order_by(MoneyProposal.id)))


def books(network: House) -> tuple:
    """Return all that a proposal could change."""
    with network.doors.read() as session:
        payer = session.get(Account, "network")
        line = session.get(credit.CreditLine, STORE)
        return (
            ledger.balances(session, STORE), payer.bank_account if payer else "", money_terms.in_force(session)[0],
            session.scalar(sa.select(sa.func.count()).select_from(Payout)), line.state,
        )  # fmt: skip


def asked(network: House, kind: str) -> tuple[str, dict[str, str]]:
    """Return the form of a proposal of a kind, ready to be sent."""
    if kind == "credit_note":
        return "/console/money/payments", {
            "way": "credited", "store": STORE, "amount": "5.00", "words": "Broken", "command_id": new_id(),
        }  # fmt: skip
    if kind == "terms":
        with network.doors.read() as session:
            now = money_terms.in_force(session)[1]
        scales = {"weeks_bp": 10_000, "_minor": 100, "_bp": 100, "_ppm": 10_000}
        typed = {
            name: str(getattr(now, name) / next((by for end, by in scales.items() if name.endswith(end)), 1))
            for name in BOUNDS
        }
        return "/console/money/terms", {
            **{name: one.removesuffix(".0") for name, one in typed.items()},
            "cap_minor": "1",
        }
    if kind == "payer":
        return "/console/money/payer", {"payee": "The network", "account": "GB82WEST12345698765432", "bic": ""}
    if kind == "release":
        with network.doors.write() as session:
            credit.hold(money.Context(session, money.OPERATOR, NOON), STORE, why="Papers are missing")
        return f"/console/money/stores/{STORE}/hold", {"release": "yes"}
    with network.doors.write() as session:
        session.add(Account(store_id="network", last_n=0, last_invoice_no=0, payee="N", bank_account=IBAN, bic=""))
    return "/console/money/payouts", {"command_id": new_id()}


KINDS = ("credit_note", "terms", "payer", "release", "payouts")


@pytest.mark.parametrize("kind", KINDS)
def test_one_person_alone_moves_no_money_and_a_second_one_does(pair, kind):
    network, finance, operator = pair
    address, given = asked(network, kind)
    before = books(network)
    for _again in range(2 if "command_id" in given else 1):
        assert send(finance, address, **given).status_code == 303
    assert books(network) == before, "nothing moves before a second person has agreed"
    (waits,) = proposed(network)
    assert (waits.kind, waits.state, waits.proposed_by) == (kind, "proposed", "finance")
    confirm = f"/console/money/proposals/{waits.id}/confirm"
    refused = send(finance, confirm)
    assert (refused.status_code, "You proposed this" in words(refused)) == (409, True)
    assert send(network.signed_in("reader"), confirm).status_code == 403
    assert send(network.signed_in("support"), confirm).status_code == 403
    assert books(network) == before
    assert "Waiting for a second person" in words(operator.get("/console/money/"))
    assert "waiting for a second person" in words(operator.get("/console/"))
    assert send(operator, confirm).status_code == 303
    assert books(network) != before
    after = books(network)
    assert send(operator, confirm).status_code == 409, "once"
    assert books(network) == after
    with network.doors.read() as session:
        said = sa.select(JournalEntry.verb, JournalEntry.actor_id).where(JournalEntry.subject == f"money:{waits.id}")
        assert session.execute(said.order_by(JournalEntry.n)).all() == [
            ("money proposal.proposed", "finance"), ("money proposal.confirmed", "operator"),
        ]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_turned_down_or_withdrawn_changes_nothing_and_is_not_approved_after(pair, kind):
    network, finance, operator = pair
    address, given = asked(network, kind)
    before = books(network)
    for decides, state in ((operator, "turned_down"), (finance, "withdrawn")):
        known = {one.id for one in proposed(network)}
        assert (
            send(finance, address, **given | ({"command_id": new_id()} if "command_id" in given else {})).status_code
            == 303
        )
        (waits,) = [one for one in proposed(network) if one.id not in known]
        assert send(decides, f"/console/money/proposals/{waits.id}/drop").status_code == 303
        assert send(operator, f"/console/money/proposals/{waits.id}/confirm").status_code == 409
        with network.doors.read() as session:
            assert session.get_one(MoneyProposal, waits.id).state == state
    assert books(network) == before


@pytest.mark.parametrize("change", [{"active": False}, {"role": "support"}])
def test_what_somebody_proposed_who_may_no_longer_do_it_is_not_approved(pair, change):
    network, finance, operator = pair
    address, given = asked(network, "payer")
    send(finance, address, **given)
    (waits,), before = proposed(network), books(network)
    with network.doors.write() as session:
        session.execute(sa.update(Staff).where(Staff.id == "finance").values(change))
    refused = send(operator, f"/console/money/proposals/{waits.id}/confirm")
    assert (refused.status_code, "may no longer do this" in words(refused), books(network)) == (409, True, before)
    assert send(operator, f"/console/money/proposals/{waits.id}/drop").status_code == 303


def test_a_payout_run_is_approved_as_it_was_seen_or_not_at_all(pair):
    network, finance, operator = pair
    address, given = asked(network, "payouts")
    send(finance, address, **given)
    (waits,) = proposed(network)
    shown = words(operator.get("/console/money/"))
    assert IBAN in shown
    with network.doors.write() as session:  # who proposed lets the account change before it is approved
        ledger.account_of(session, STORE).bank_account = "GB82WEST12345698765432"
    refused = send(operator, f"/console/money/proposals/{waits.id}/confirm")
    assert (refused.status_code, "have changed since" in words(refused)) == (409, True)
    assert books(network)[3] == 0


def test_what_cannot_be_is_said_to_who_proposes_it_and_does_not_wait(pair):
    network, finance, _operator = pair
    address, given = asked(network, "credit_note")
    refused = send(finance, address, **given | {"amount": "999999"})
    assert 400 <= refused.status_code < 500
    refused = send(finance, "/console/money/payouts", command_id=new_id())
    assert (refused.status_code, "First enter the account you pay from" in words(refused)) == (409, True)
    assert proposed(network) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_only_person_who_may_does_it_at_once_is_told_so_and_the_journal_marks_it(network, kind):
    money.lend(network)
    money.owe(network)
    with network.doors.write() as session:
        account = ledger.account_of(session, STORE)
        account.payee, account.bank_account, account.bic = "Li Wei", IBAN, ""
    operator = network.signed_in("operator")
    assert "You are the only person who may move money here" in words(operator.get("/console/money/"))
    address, given = asked(network, kind)
    before = books(network)
    assert send(operator, address, **given).status_code == 303
    assert books(network) != before
    with network.doors.read() as session:
        marked = session.scalars(sa.select(JournalEntry.body).where(JournalEntry.verb == "money proposal.alone")).all()
    assert [json.loads(one)["kind"] for one in marked] == [kind]
