"""Agents' parts of local producers' commissions and of group buys: owed in the store's ledger, paid out by the network.

Rules
-----
1. A part a statement tells makes an invoice of the store's against `agents`, due like goods. Every entry on `agents`
   names its agent, so the ledger alone says whose it is. A group leader's part comes out of escrow and is owed at once
   (`escrow_ledger`).
2. An agent is paid what stores have paid: the parts, less what is left of their invoices or was given up of them, less
   what was paid out.
3. A part below zero (goods came back after they were stated) lessens the agent's open invoices, then is the store's
   money again as far as it has paid such invoices and the agent has money waiting. What is beyond that is kept from the
   agent's next parts, whose invoices it lessens (`overpaid`): a store gets nothing back that only the agent has.
4. The payout goes with the stores' in one run and one file. An agent whose account nobody said is named and waits.

Units: *_minor minor units of the store's currency.
"""

import datetime as dt
from collections import Counter
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import is_newer_word
from config.errors import Invalid
from config.nodes.facts import applies
from config.nodes.journal import Context
from pos.producers.agents import Agent, AgentParts, AgentReported
from supply.money import terms
from supply.money.ledger import Booking, Invoice, LedgerEntry, Wanted, open_invoices
from supply.money.pain001 import tidy_account

_PART = "agent-"
"""How the invoice of a part begins."""


@dataclass(frozen=True)
class Part:
    """What an agent has coming from a store. due_minor: to be paid now (rule 2).

    waiting_minor: not paid by the store.
    """

    store_id: str
    agent: str
    account: str
    bic: str
    due_minor: int
    waiting_minor: int


# --- verbs, network ---


@applies(AgentReported)
def take_agent(ctx: Context, fact: AgentReported) -> None:
    """Keep where an agent's money goes; an older word that arrives late changes nothing."""
    known = ctx.session.get(Agent, (fact.store_id, fact.name))
    if known is not None and not is_newer_word(fact.reported_at, known.reported_at, ctx.at):
        return
    account, bic = tidy_account(fact.account, fact.bic) if fact.account else ("", "")
    ctx.session.merge(Agent(**vars(fact) | {"account": account, "bic": bic}))
    ctx.session.flush()


@applies(AgentParts)
def take_parts(ctx: Context, fact: AgentParts) -> None:
    """Book the agents' parts of a statement (rule 1); a second copy changes nothing."""
    book = Booking(ctx, fact.store_id)
    due = book.day + dt.timedelta(days=terms.in_force(ctx.session)[1].account_days)
    for name, minor in fact.parts:
        part_id = f"{_PART}{fact.statement_id}-{name}"
        if not name or not minor:
            raise Invalid(
                "bad-amount", "%(minor)s is not a valid agent's share.", minor=f"{minor}", sender=book.store_id
            )
        if book.knows(part_id) or ctx.session.get(Invoice, (book.store_id, part_id)) is not None:
            continue
        if minor > 0:
            lines = [["", name, 1, minor]]
            made = book.invoice(Wanted(part_id, minor, due, False, None, None, lines, against="agents", words=name))
            if kept := min(minor, _overpaid(ctx.session, book.store_id, name)):
                book.enter("paid", "invoiced", "overpaid", kept, source_id=part_id, invoice=made, words=name)
        else:
            _give_back(book, name, -minor, part_id)
    book.pay(by_day=book.day)
    book.close("agents", statement=fact.statement_id)


# --- questions ---


def parts_of(session: Session, store_id: str | None = None) -> list[Part]:
    """Return what agents have coming, of one store or of all, by store and name; those of nothing left out."""
    whose = [] if store_id is None else [LedgerEntry.store_id == store_id]
    signed = sa.func.sum(
        sa.case((LedgerEntry.from_account == "agents", LedgerEntry.amount_minor), else_=0)
        - sa.case((LedgerEntry.to_account == "agents", LedgerEntry.amount_minor), else_=0)
    )
    rows = session.execute(
        sa.select(LedgerEntry.store_id, LedgerEntry.words, signed)
        .where(sa.or_(LedgerEntry.from_account == "agents", LedgerEntry.to_account == "agents"), *whose)
        .group_by(LedgerEntry.store_id, LedgerEntry.words)
        .order_by(LedgerEntry.store_id, LedgerEntry.words)
    ).all()
    if not rows:
        return []
    unpaid: Counter[tuple[str, str]] = Counter()
    for one in open_invoices(session, store_id):
        if one.invoice.id.startswith(_PART):
            unpaid[one.invoice.store_id, one.invoice.lines[0][1]] += one.left_minor
    given_up, found = _given_up(session, store_id), []
    for store, name, minor in rows:
        known, waiting = session.get(Agent, (store, name)), unpaid[store, name]
        where = (known.account, known.bic) if known is not None else ("", "")
        found.append(Part(store, name, *where, int(minor) - waiting - given_up[store, name], waiting))
    return [one for one in found if one.due_minor or one.waiting_minor]


def still_here(session: Session, invoice: Invoice, paid_minor: int) -> int:
    """Return what of a sum that paid an invoice is the network's still: of an agent's part what was not paid out."""
    if not invoice.id.startswith(_PART):
        return paid_minor
    parts = parts_of(session, invoice.store_id)
    return min(paid_minor, sum(max(0, one.due_minor) for one in parts if one.agent == invoice.lines[0][1]))


# --- inside ---


def _give_back(book: Booking, name: str, minor: int, part_id: str) -> None:
    """Book a part below zero (rule 3): first what is not paid, then what waits for the agent, then what it has."""
    store = book.store_id
    waiting = next((one.due_minor for one in parts_of(book.session, store) if one.agent == name), 0)
    left, steps = minor, list[tuple[str, str, int, Invoice | None]]()
    for one in open_invoices(book.session, store):
        if one.invoice.id.startswith(_PART) and one.invoice.lines[0][1] == name and left:
            less = min(left, one.left_minor)
            steps.append(("paid", "invoiced", less, one.invoice))
            left -= less
    again = max(0, min(left, waiting, _paid_for(book.session, store, name)))
    steps += [("agent", source, part, None) for source, part in (("funds", again), ("overpaid", left - again)) if part]
    for n, (kind, source, part, invoice) in enumerate(steps):
        once = "" if n else part_id  # the first bears the part's id, so that it is booked once
        book.enter(kind, source, "agents", part, source_id=part_id, id=once, invoice=invoice, words=name)


def _paid_for(session: Session, store_id: str, name: str) -> int:
    """Return what a store has paid of an agent's invoices and not got back."""
    invoices = session.scalars(
        sa.select(Invoice).where(Invoice.store_id == store_id, Invoice.id.startswith(_PART, autoescape=True))
    )
    ids = [one.id for one in invoices if one.lines[0][1] == name]
    row = LedgerEntry
    paid = sa.and_(row.from_account == "invoiced", row.to_account == "funds", row.invoice_id.in_(ids))
    open_again = sa.and_(row.from_account == "funds", row.to_account == "invoiced", row.invoice_id.in_(ids))
    of_agent = sa.and_(row.from_account == "funds", row.to_account == "agents", row.words == name)
    back = sa.or_(open_again, of_agent)
    signed = sa.case((paid, row.amount_minor), else_=-row.amount_minor)
    query = sa.select(sa.func.coalesce(sa.func.sum(signed), 0))
    return int(session.scalar(query.where(LedgerEntry.store_id == store_id, sa.or_(paid, back))) or 0)


def _overpaid(session: Session, store_id: str, name: str) -> int:
    """Return what an agent was paid out that the store has not got back (rule 3)."""
    signed = sa.case(
        (LedgerEntry.from_account == "overpaid", LedgerEntry.amount_minor), else_=-LedgerEntry.amount_minor
    )
    query = sa.select(sa.func.coalesce(sa.func.sum(signed), 0)).where(
        LedgerEntry.store_id == store_id, LedgerEntry.words == name,
        sa.or_(LedgerEntry.from_account == "overpaid", LedgerEntry.to_account == "overpaid"),
    )  # fmt: skip
    return int(session.scalar(query) or 0)


def _given_up(session: Session, store_id: str | None) -> Counter[tuple[str, str]]:
    """Return what of the parts' invoices was given up: no store has paid it, so no agent has it coming."""
    query = (
        sa.select(Invoice, LedgerEntry.amount_minor)
        .join(Invoice, sa.and_(Invoice.store_id == LedgerEntry.store_id, Invoice.id == LedgerEntry.invoice_id))
        .where(
            LedgerEntry.kind == "loss", LedgerEntry.invoice_id.startswith(_PART, autoescape=True),
            *([] if store_id is None else [LedgerEntry.store_id == store_id]),
        )
    )  # fmt: skip
    found: Counter[tuple[str, str]] = Counter()
    for invoice, minor in session.execute(query):
        found[invoice.store_id, invoice.lines[0][1]] += int(minor)
    return found
