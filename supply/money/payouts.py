"""Paying out what the network owes its stores and agents: runs of transfers, their file, and what the bank sends back.

Rules
-----
1. A run pays each store whose funds hold at least the terms' least amount after everything due was paid from them.
   Stores that have not said where to are named, and keep their money in their funds. Left out are those whose account
   is not whole again since the network was put back from a copy (`lost_entries`).
2. A payout leaves the funds when its run is made. Confirmed, it is paid; what the bank returns is funds again.
3. Where a store's money goes is the store's word alone, journalled; the network's own account is the operator's. The
   last word counts: each bears a later moment than the one before, also when the store's clock was set back in between.
4. Agents' parts that their stores have paid, and what groups' leaders earned, go out in the same run, each from its
   store's book (`agent_commissions`).
5. Whoever holds a store's key could say another account, so a changed one rests for BANK_RESTS by the network's clock
   before anything is paid to it; a word of the future shuts out no later one.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import as_utc, is_newer_word, reported_after
from config.database import Base, lock_rows
from config.errors import Invalid, NotFound, Refused
from config.ids import NETWORK, new_id
from config.nodes import journal
from config.nodes.facts import STORE, Fact, Instant, applies
from config.nodes.journal import Context
from config.states import StateTable
from pos.store.store import Store, send_fact, store_of
from supply.money import agent_commissions, lost_entries, terms
from supply.money.ledger import Account, Booking, LedgerEntry, account_of, balances
from supply.money.lost_entries import LostEntry
from supply.money.pain001 import Party, Transfer, tidy_account

STATES = StateTable("payout", "made", {"made": ["paid", "returned"], "paid": ["returned"]}, resting=["paid"])
BANK_RESTS = dt.timedelta(days=3)


class BankReported(Fact, topic="account.bank_reported", said_by=STORE):
    """Where a store's money is paid out to."""

    store_id: str
    payee: str
    bank_account: str
    bic: str
    reported_at: Instant


class Payout(Base):
    """A transfer to a store, or from its book to an agent. payee, bank_account, bic: as they stood when it was made."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "payout"
    __table_args__ = (sa.Index("ix_payout_run", "run_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str]
    agent: Mapped[str] = mapped_column(default="", server_default="")
    """The agent it is for; '' for the store itself."""
    amount_minor: Mapped[int]
    currency: Mapped[str]
    payee: Mapped[str]
    bank_account: Mapped[str]
    bic: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    made_at: Mapped[dt.datetime]

    @property
    def ledger_account(self) -> str:
        """The account of the store's book it is paid from."""
        return "agents" if self.agent else "funds"


@dataclass(frozen=True)
class Run:
    """A run made: its payouts, and the stores and agents that are owed money and of whom nobody said where to."""

    id: str
    payouts: list[Payout]
    unknown: list[str]


# --- verbs ---


def set_account(ctx: Context, store_id: str, *, payee: str, account: str, bic: str) -> Account:
    """Say where a store's money is paid out to, at the store, and tell the network (rule 3)."""
    found = account_of(ctx.session, store_id)
    reported_at = reported_after(found.bank_reported_at, ctx.at)
    _write_bank(found, payee, account, bic, reported_at)
    journal.record(
        ctx, verb="account.bank_reported", subject=f"account:{store_id}",
        ends_with=found.bank_account[-4:])  # fmt: skip
    send_fact(
        ctx.session, BankReported.of_row(found, reported_at=reported_at), subject=f"account:{store_id}", at=ctx.at
    )
    return found


@applies(BankReported)
def take_bank(ctx: Context, fact: BankReported) -> None:
    """Keep where a store's money goes, at the network; an older word that arrives late changes nothing (rule 5)."""
    found = account_of(ctx.session, fact.store_id)
    if is_newer_word(fact.reported_at, found.bank_reported_at, ctx.at):
        before = found.bank_account
        _write_bank(found, fact.payee, fact.bank_account, fact.bic, fact.reported_at)
        if before not in ("", found.bank_account):
            found.bank_rests_until = as_utc(ctx.at) + BANK_RESTS
        journal.record(
            ctx, verb="account.bank_reported",
            subject=f"account:{found.store_id}", ends_with=found.bank_account[-4:], before=before[-4:])  # fmt: skip


def say_payer(ctx: Context, *, payee: str, account: str, bic: str) -> Account:
    """Say which account the network pays from (rule 3)."""
    found = ctx.session.get(Account, NETWORK)
    if found is None:
        found = Account(store_id=NETWORK, last_n=0, last_invoice_no=0, payee="", bank_account="", bic="")
        ctx.session.add(found)
    _write_bank(found, payee, account, bic, ctx.at)
    journal.record(ctx, verb="account.payer_reported", subject="account:network",
                   ends_with=found.bank_account[-4:])  # fmt: skip
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
        for due in _due(ctx.session, book):
            if due.amount_minor < least_minor:
                continue
            if not due.bank_account or (not due.agent and _rests(book, ctx.at)):
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
    waiting = list(
        ctx.session.scalars(lock_rows(ctx.session, query))
    )  # the bank may be sending one of them back just now
    for payout in waiting:
        journal.move(ctx, payout, "paid", subject=f"payout:{payout.id}")
    return len(waiting)


def returned(ctx: Context, store_id: str, payout_id: str, *, why: str) -> Payout:
    """Put a payout the bank sent back into the store's funds again, or to what its agent has coming (rule 2)."""
    query = lock_rows(ctx.session, sa.select(Payout).where(Payout.store_id == store_id, Payout.id == payout_id))
    payout: Payout | None = ctx.session.scalar(query)
    if payout is None:
        raise NotFound("unknown-payout", "There is no such payout.", payout_id=payout_id)
    why = " ".join(why.split())[:200]
    if not why:
        raise Invalid("no-reason", "Say what the bank says.")
    journal.move(ctx, payout, "returned", subject=f"payout:{payout.id}", why=why)
    book = Booking(ctx, store_id)
    book.enter(
        "returned", payout.ledger_account, "bank", payout.amount_minor, source_id=payout.id, words=payout.agent or why
    )
    book.close("payout_returned", payout=payout.id, why=why)
    return payout


def enter_again(ctx: Context, lost: LostEntry) -> None:
    """Write a payout, or that it came back, down again after the network was put back from a copy; its entry follows.

    Refuses a payout whose money is not here again, so that the funds are never less than nothing.
    """
    agent = lost.words if "agents" in (lost.from_account, lost.to_account) else ""
    if lost.kind == "returned":
        payout = ctx.session.get(Payout, (lost.store_id, lost.source_id))
        if payout is not None and payout.state != "returned":
            subject = f"payout:{payout.id}"
            journal.move(ctx, payout, "returned", subject=subject, why=lost.words or None)
        return
    book = Booking(ctx, lost.store_id)
    due = next((one for one in _due(ctx.session, book) if one.agent == agent), None)
    if due is None or due.amount_minor < lost.amount_minor:
        raise Refused(
            "not-covered",
            "The money it was paid out from is not here yet. Take over first what came in, or wait for its sales.",
        )
    due.id, due.run_id, due.amount_minor = lost.id, f"again-{lost.id}", lost.amount_minor
    due.currency, due.made_at = store_of(ctx.session, lost.store_id).currency, ctx.at
    ctx.session.add(due)
    ctx.session.flush()
    journal.move(ctx, due, "paid", subject=f"payout:{lost.id}")


# --- questions ---


def payer_of(session: Session) -> Party:
    """Return whom a run is paid by; refused while the operator has not said so."""
    found = session.get(Account, NETWORK)
    if found is None or not found.bank_account:
        raise Refused("no-payer", "Say first which account the network pays from.")
    return Party(found.payee, found.bank_account, found.bic)


def of_run(session: Session, run_id: str) -> list[Payout]:
    """Return a run's payouts, by store."""
    return list(session.scalars(sa.select(Payout).where(Payout.run_id == run_id).order_by(Payout.store_id)))


def latest(session: Session, limit: int = 40) -> list[Payout]:
    """Return the last payouts, the newest first."""
    return list(session.scalars(sa.select(Payout).order_by(Payout.made_at.desc(), Payout.store_id).limit(limit)))


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


# --- inside ---


def _due(session: Session, book: Booking) -> list[Payout]:
    """Return what a store's book would pay out now: its funds, then its agents' parts (rules 1, 4)."""
    own = book.account
    wanted = [("", own.payee, own.bank_account, own.bic, -balances(session, book.store_id)["funds"])]
    parts = agent_commissions.parts_of(session, book.store_id)
    wanted += [(one.agent, one.agent, one.account, one.bic, one.due_minor) for one in parts]
    return [
        Payout(
            store_id=book.store_id, id=new_id(), agent=agent, payee=payee, bank_account=account, bic=bic,
            amount_minor=minor, state=STATES.first,
        )
        for agent, payee, account, bic, minor in wanted
    ]  # fmt: skip


def _rests(book: Booking, at: dt.datetime) -> bool:
    """Tell whether a store's account was changed too lately to pay to it (rule 5)."""
    until = account_of(book.session, book.store_id).bank_rests_until
    return until is not None and as_utc(at) < as_utc(until)


def _write_bank(found: Account, payee: str, account: str, bic: str, at: dt.datetime) -> None:
    payee = " ".join(payee.split())[:140]
    if not payee:
        raise Invalid("no-payee", "Write whose account it is.", field="payee")
    found.bank_account, found.bic = tidy_account(account, bic)
    found.payee, found.bank_reported_at = payee, at
