"""Payment runs: the transfers by which the network pays out what it owes its stores and agents, and the bank's file.

Rules
-----
1. A run pays each store whose funds hold at least the terms' least amount after everything due was paid from them.
   Stores that have not said where to are named, and keep their money in their funds. Left out are those whose account
   is not whole again since the network was put back from a copy (`lost_entries`).
2. Agents' parts that their stores have paid, and what groups' leaders earned, go out in the same run, each from its
   store's book (`agent_commissions`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.errors import Refused
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.journal import Context
from pos.store.store import Store
from supply.money import agent_commissions, lost_entries, terms
from supply.money.ledger import Account, Booking, LedgerEntry
from supply.money.pain001 import Party, Transfer
from supply.money.payouts import Payout, due_of, rests, write_bank


@dataclass(frozen=True)
class Run:
    """A run's payouts, and the stores and agents that are owed money but have given no account."""

    id: str
    payouts: list[Payout]
    unknown: list[str]


# --- verbs ---


def say_payer(ctx: Context, *, payee: str, account: str, bic: str) -> Account:
    """Say which account the network pays from (`payouts`, rule 2)."""
    found = ctx.session.get(Account, NETWORK)
    if found is None:
        found = Account(store_id=NETWORK, last_n=0, last_invoice_no=0, payee="", bank_account="", bic="")
        ctx.session.add(found)
    write_bank(found, payee, account, bic, ctx.at)
    journal.record(ctx, verb="account.payer_reported", subject="account:network", ends_with=found.bank_account[-4:])
    return found


def make_run(ctx: Context, *, id: str) -> Run:
    """Pay out what the stores' funds hold (rule 1); the same id again is the run that is there."""
    known = of_run(ctx.session, id)
    if known:
        return Run(id, known, [])
    least_minor = max(1, terms.in_force(ctx.session)[1].payout_least_minor)
    made, unknown = [], []
    waiting = {one.store_id for one in agent_commissions.parts_of(ctx.session)}
    left_out = lost_entries.unsettled(ctx.session)
    for store in [one for one in owed_stores(ctx.session, waiting) if one.id not in left_out]:
        book = Booking(ctx, store.id)
        book.pay(by_day=book.day)
        for due in due_of(book):
            if due.amount_minor < least_minor:
                continue
            if not due.bank_account or (not due.agent and rests(book)):
                unknown.append(due.agent or store.id)
                continue
            due.run_id, due.currency, due.made_at = id, store.currency, ctx.at
            ctx.session.add(due)
            book.enter(
                "payout", "bank", due.ledger_account, due.amount_minor, source_id=due.id, id=due.id, words=due.agent
            )
            made.append(due)
        book.close("paid_out", run=id)
    return Run(id, made, unknown)


def confirm(ctx: Context, run_id: str) -> int:
    """Note that the bank has carried a run out; returns how many payouts moved."""
    query = (
        sa.select(Payout).where(Payout.run_id == run_id, Payout.state == "made").order_by(Payout.store_id, Payout.id)
    )
    waiting = ctx.session.scalars(lock_rows(ctx.session, query)).all()  # the bank may just now send one of them back
    for payout in waiting:
        journal.move(ctx, payout, "paid", subject=f"payout:{payout.id}")
    return len(waiting)


# --- questions ---


def payer_of(session: Session) -> Party:
    """Return whom a run is paid by; refused while the operator has not said so."""
    found = session.get(Account, NETWORK)
    if found is None or not found.bank_account:
        raise Refused("no-payer", "First enter the account you pay from.")
    return Party(found.payee, found.bank_account, found.bic)


def of_run(session: Session, run_id: str) -> list[Payout]:
    """Return a run's payouts, by store."""
    return list(session.scalars(sa.select(Payout).where(Payout.run_id == run_id).order_by(Payout.store_id)))


def transfers_of(payouts: list[Payout]) -> list[Transfer]:
    """Return payouts as the bank's file takes them; what came back is none."""
    return [
        Transfer(
            one.id, one.store_id, Party(one.payee, one.bank_account, one.bic), one.amount_minor, one.currency,
            f"{'Commission part' if one.agent else 'Settlement'} {one.store_id} {one.made_at:%Y-%m-%d}",
        )
        for one in payouts
        if one.state != "returned"
    ]  # fmt: skip


def owed_stores(session: Session, also: Iterable[str] = ()) -> list[Store]:
    """Return the stores whose funds hold anything, and those named beside, by id."""
    signed = sa.func.sum(
        sa.case((LedgerEntry.from_account == "funds", LedgerEntry.amount_minor), else_=0)
        - sa.case((LedgerEntry.to_account == "funds", LedgerEntry.amount_minor), else_=0)
    )
    held = sa.select(LedgerEntry.store_id).group_by(LedgerEntry.store_id).having(signed > 0)
    query = sa.select(Store).where(sa.or_(Store.id.in_(held), Store.id.in_(list(also))))
    return list(session.scalars(query.order_by(Store.id)))
