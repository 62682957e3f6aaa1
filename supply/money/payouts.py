"""Payouts of what the network owes its stores and agents: where the money goes, and what the bank sends back.

Rules
-----
1. A payout leaves the funds when its run is made (`payment_runs`). Confirmed, it is paid; what the bank returns is
   funds again.
2. Where a store's money goes is the store's word alone, journalled; the network's own account is the operator's. The
   last word counts: each bears a later moment than the one before, also when the store's clock was set back in between.
3. Whoever holds a store's key could say another account, so a changed one rests for BANK_RESTS by the network's clock
   before anything is paid to it; a word of the future shuts out no later one.
"""

import datetime as dt
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import as_utc, is_newer_word, reported_after
from config.database import Base, lock_rows
from config.errors import Invalid, NotFound, Refused, stated
from config.ids import new_id
from config.nodes import journal
from config.nodes.facts import STORE, Fact, Instant, applies
from config.nodes.journal import Context
from config.states import StateTable
from pos.store.store import send_fact, store_of
from supply.money import agent_commissions
from supply.money.ledger import Account, Booking, account_of, balances
from supply.money.pain001 import tidy_account

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


# --- verbs ---


def set_account(ctx: Context, store_id: str, *, payee: str, account: str, bic: str) -> Account:
    """Say where a store's money is paid out to, at the store, and tell the network (rule 2)."""
    found = account_of(ctx.session, store_id)
    reported_at = reported_after(found.bank_reported_at, ctx.at)
    write_bank(found, payee, account, bic, reported_at)
    journal.record(ctx, verb="account.bank_reported", subject=f"account:{store_id}", ends_with=found.bank_account[-4:])
    send_fact(
        ctx.session, BankReported.of_row(found, reported_at=reported_at), subject=f"account:{store_id}", at=ctx.at
    )
    return found


@applies(BankReported)
def take_bank(ctx: Context, fact: BankReported) -> None:
    """Keep where a store's money goes, at the network; an older word that arrives late changes nothing (rule 3)."""
    found = account_of(ctx.session, fact.store_id)
    if is_newer_word(fact.reported_at, found.bank_reported_at, ctx.at):
        before = found.bank_account
        write_bank(found, fact.payee, fact.bank_account, fact.bic, fact.reported_at)
        if before not in ("", found.bank_account):
            found.bank_rests_until = as_utc(ctx.at) + BANK_RESTS
        journal.record(
            ctx, verb="account.bank_reported",
            subject=f"account:{found.store_id}", ends_with=found.bank_account[-4:], before=before[-4:])  # fmt: skip


def returned(ctx: Context, store_id: str, payout_id: str, *, why: str) -> Payout:
    """Put a payout the bank sent back into the store's funds again, or to what its agent has coming (rule 1)."""
    query = lock_rows(ctx.session, sa.select(Payout).where(Payout.store_id == store_id, Payout.id == payout_id))
    payout: Payout | None = ctx.session.scalar(query)
    if payout is None:
        raise NotFound("unknown-payout", "Payout not found.", payout_id=payout_id)
    why = stated(why, Invalid("no-reason", "Enter the bank’s explanation."))
    journal.move(ctx, payout, "returned", subject=f"payout:{payout.id}", why=why)
    book = Booking(ctx, store_id)
    book.enter(
        "returned", payout.ledger_account, "bank", payout.amount_minor, source_id=payout.id, words=payout.agent or why
    )
    book.close("payout_returned", payout=payout.id, why=why)
    return payout


def returned_again(ctx: Context, store_id: str, payout_id: str, *, why: str) -> None:
    """Note again, in books put back from a copy, that a payout came back; its entry follows."""
    payout = ctx.session.get(Payout, (store_id, payout_id))
    if payout is not None and payout.state != "returned":
        journal.move(ctx, payout, "returned", subject=f"payout:{payout.id}", why=why or None)


def paid_again(ctx: Context, store_id: str, payout_id: str, amount_minor: int, *, agent: str) -> None:
    """Write a payout down again in books put back from a copy; its entry follows.

    Refuses one whose money is not here again, so that the funds are never less than nothing.
    """
    due = next((one for one in due_of(Booking(ctx, store_id)) if one.agent == agent), None)
    if due is None or due.amount_minor < amount_minor:
        raise Refused(
            "not-covered",
            "The money for this payout has not arrived. Restore incoming entries first, or wait for the store's sales.",
        )
    due.id, due.run_id, due.amount_minor = payout_id, f"again-{payout_id}", amount_minor
    due.currency, due.made_at = store_of(ctx.session, store_id).currency, ctx.at
    ctx.session.add(due)
    ctx.session.flush()
    journal.move(ctx, due, "paid", subject=f"payout:{payout_id}")


def write_bank(found: Account, payee: str, account: str, bic: str, at: dt.datetime) -> None:
    """Write down where money is paid out to; Invalid without a name, or where that is no account."""
    payee = stated(payee, Invalid("no-payee", "Enter the account holder’s name.", field="payee"), 140)
    found.bank_account, found.bic = tidy_account(account, bic)
    found.payee, found.bank_reported_at = payee, at


# --- questions ---


def latest(session: Session, limit: int = 40) -> list[Payout]:
    """Return the last payouts, the newest first."""
    return list(session.scalars(sa.select(Payout).order_by(Payout.made_at.desc(), Payout.store_id).limit(limit)))


def due_of(book: Booking) -> list[Payout]:
    """Return what a store's book would pay out now: its funds, then its agents' parts (`agent_commissions`)."""
    own = book.account
    wanted = [("", own.payee, own.bank_account, own.bic, -balances(book.session, book.store_id)["funds"])]
    parts = agent_commissions.parts_of(book.session, book.store_id)
    wanted += [(one.agent, one.agent, one.account, one.bic, one.due_minor) for one in parts]
    return [
        Payout(
            store_id=book.store_id, id=new_id(), agent=agent, payee=payee, bank_account=account, bic=bic,
            amount_minor=minor, state=STATES.first,
        )
        for agent, payee, account, bic, minor in wanted
    ]  # fmt: skip


def rests(book: Booking) -> bool:
    """Tell whether a store's account was changed too lately to pay to it (rule 3)."""
    until = book.account.bank_rests_until
    return until is not None and as_utc(book.at) < as_utc(until)
