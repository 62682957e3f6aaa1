"""What leaves an escrow, in the ledger of the store it goes on to, and what comes back out of it for the customer.

Rules
-----
1. What is passed on enters the store's funds less the network's commission, and repays advances first.
2. A group's leader's part is the leader's from the start: it enters `agents` under the leader's name, without
   commission, and is paid out from there (`agent_commissions`).
3. Money that turns out to be the customer's after all is taken back: the leader's share of it from what the leader has
   coming, the store's with its share of the commission from the funds as far as they reach, the rest as an invoice on
   account.

Units: *_minor minor units of the store's currency, *_bp basis points.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.ids import NETWORK
from config.nodes.journal import Actor, Context
from supply.money import terms
from supply.money.ledger import Booking, Invoice, LedgerEntry, Wanted, balances

_SYSTEM = Actor.system("settlement", NETWORK)


@dataclass(frozen=True)
class LeaderPart:
    """What a group's leader earned, by the name the store knows."""

    amount_minor: int
    name: str
    group_id: str


def passed_on(
    session: Session, store_id: str, entry_id: str, amount_minor: int, commission_bp: int, *, at: dt.datetime
) -> None:
    """Pass what a customer paid online into a store's funds (rule 1), once per entry."""
    book = Booking(Context(session, _SYSTEM, at), store_id)
    if book.knows(entry_id):
        return
    book.enter("escrow", "funds", "escrow", amount_minor, source_id=entry_id, id=entry_id)
    fee = amount_minor * commission_bp // 10_000
    if fee:
        book.enter("commission", "commission", "funds", fee, source_id=entry_id)
    back = min(amount_minor - fee, balances(session, store_id)["advance"])
    if back:
        book.enter("repaid", "advance", "funds", back, source_id=entry_id)
    book.pay(by_day=book.day)
    book.close("escrow", amount_minor=amount_minor, commission_minor=fee)


def leader_earned(session: Session, store_id: str, entry_id: str, part: LeaderPart, *, at: dt.datetime) -> None:
    """Give a group's leader the part that was earned (rule 2), once per entry."""
    book = Booking(Context(session, _SYSTEM, at), store_id)
    if book.knows(entry_id):
        return
    book.enter("leader", "agents", "escrow", part.amount_minor, source_id=part.group_id, id=entry_id, words=part.name)
    book.close("leader", amount_minor=part.amount_minor)


def taken_back(
    session: Session,
    store_id: str,
    entry_id: str,
    amount_minor: int,
    passed_ids: Sequence[str],
    words: str,
    *,
    leader_minor: int = 0,
    at: dt.datetime,
) -> None:
    """Take back what was passed on by some entries (rule 3), once per entry_id.

    words: of which order. leader_minor: what of it the leader had.
    """
    book = Booking(Context(session, _SYSTEM, at), store_id)
    invoice_id, leader_id = f"escrow-{entry_id}", f"leader-{entry_id}"
    if (
        any(book.knows(one) for one in (entry_id, leader_id))
        or session.get(Invoice, (store_id, invoice_id)) is not None
    ):
        return
    passed = _passed(session, store_id, passed_ids)
    leader_minor = leader_minor if passed.leader else 0  # earlier on the store had it, to hand on
    if leader_minor:
        book.enter(
            "brought_back", "escrow", "agents", leader_minor, source_id=passed.group_id, id=leader_id,
            words=passed.leader,
        )  # fmt: skip
    store_minor = amount_minor - leader_minor
    fee = passed.fee_minor * store_minor // passed.store_minor if passed.store_minor else 0
    if fee:
        book.enter("commission", "funds", "commission", fee, source_id=entry_id)
    there = min(store_minor, max(0, -balances(session, store_id)["funds"]))
    if there:
        book.enter("brought_back", "escrow", "funds", there, source_id=entry_id, id=entry_id, words=words)
    if rest := store_minor - there:
        due = book.day + dt.timedelta(days=terms.in_force(session)[1].account_days)
        lines = [["", words, 1, rest]]
        book.invoice(Wanted(invoice_id, rest, due, False, None, None, lines, against="escrow", words=words))
    book.close("brought_back", amount_minor=amount_minor, commission_minor=fee)


# --- inside ---


@dataclass(frozen=True)
class _Passed:
    """What some entries passed on, as the ledger has it."""

    store_minor: int = 0
    fee_minor: int = 0
    leader: str = ""
    group_id: str = ""


def _passed(session: Session, store_id: str, passed_ids: Sequence[str]) -> _Passed:
    """Return what was passed on by some entries, to whom, and what was kept of it."""
    found = _Passed()
    query = sa.select(LedgerEntry).where(
        LedgerEntry.store_id == store_id,
        sa.or_(LedgerEntry.id.in_(passed_ids), LedgerEntry.source_id.in_(passed_ids)),
    )
    for one in session.scalars(query):
        if one.from_account == "agents":
            found = replace(found, leader=one.words, group_id=one.source_id)
        elif one.from_account == "funds" and one.to_account == "escrow":
            found = replace(found, store_minor=found.store_minor + one.amount_minor)
        elif one.from_account == "commission":
            found = replace(found, fee_minor=found.fee_minor + one.amount_minor)
    return found
