"""What leaves an escrow, in the ledger of the shop it goes on to, and what comes back out of it for the customer.

Rules
-----
1. What is passed on enters the shop's funds less the network's commission, and repays advances first.
2. A group's leader has no account with the network: the leader's part enters the funds of the shop without commission,
   as an entry of its own, and the shop hands it on.
3. Money that turns out to be the customer's after all is taken back with its share of the commission: from the funds
   as far as they reach, the rest as an invoice on account.

Units: *_minor minor units of the shop's currency, *_bp basis points.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.journal import Actor
from config.node import NETWORK
from supply import network_terms
from supply.settlement import Booking, Invoice, LedgerEntry, Wanted, balances

_SYSTEM = Actor.system("settlement", NETWORK)


def passed_on(
    session: Session, store_id: str, entry_id: str, amount_minor: int, commission_bp: int, *, at: dt.datetime
) -> None:
    """Pass what a customer paid online into a shop's funds (rule 1), once per entry."""
    book = Booking(session, store_id, actor=_SYSTEM, at=at)
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


def leader_earned(
    session: Session, store_id: str, entry_id: str, amount_minor: int, words: str, *, at: dt.datetime
) -> None:
    """Give a shop the part its group's leader earned, to hand on (rule 2), once per entry. words: which group."""
    book = Booking(session, store_id, actor=_SYSTEM, at=at)
    if book.knows(entry_id):
        return
    book.enter("leader", "funds", "escrow", amount_minor, source_id=entry_id, id=entry_id, words=words[:200])
    book.close("leader", amount_minor=amount_minor)


def taken_back(
    session: Session,
    store_id: str,
    entry_id: str,
    amount_minor: int,
    passed_ids: Sequence[str],
    words: str,
    *,
    at: dt.datetime,
) -> None:
    """Take back from a shop what was passed on by some entries (rule 3), once per entry_id. words: of which order."""
    book = Booking(session, store_id, actor=_SYSTEM, at=at)
    invoice_id = f"escrow-{entry_id}"
    if book.knows(entry_id) or session.get(Invoice, (store_id, invoice_id)) is not None:
        return
    fee = _commission_of(session, store_id, passed_ids, amount_minor)
    if fee:
        book.enter("commission", "funds", "commission", fee, source_id=entry_id)
    there = min(amount_minor, max(0, -balances(session, store_id)["funds"]))
    if there:
        book.enter("brought_back", "escrow", "funds", there, source_id=entry_id, id=entry_id, words=words)
    if rest := amount_minor - there:
        due = book.day + dt.timedelta(days=network_terms.in_force(session)[1].account_days)
        lines = [["", words, 1, rest]]
        book.invoice(Wanted(invoice_id, rest, due, False, None, None, lines, against="escrow", words=words))
    book.close("brought_back", amount_minor=amount_minor, commission_minor=fee)


# --- inside ---


def _commission_of(session: Session, store_id: str, passed_ids: Sequence[str], amount_minor: int) -> int:
    """Return the share of the commission that was kept of an amount among what was passed on."""
    query = sa.select(LedgerEntry.kind, sa.func.sum(LedgerEntry.amount_minor)).where(
        LedgerEntry.store_id == store_id, LedgerEntry.source_id.in_(passed_ids),
        LedgerEntry.kind.in_(["escrow", "leader", "commission"]), LedgerEntry.to_account.in_(["escrow", "funds"]),
    )  # fmt: skip
    sums = {kind: int(minor) for kind, minor in session.execute(query.group_by(LedgerEntry.kind))}
    whole = sums.get("escrow", 0) + sums.get("leader", 0)
    return sums.get("commission", 0) * amount_minor // whole if whole else 0
