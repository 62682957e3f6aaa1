"""A payment booked for the wrong store, or wrongly: how it leaves the store's book again.

Rules
-----
1. The booking stays; another entry answers it, once: `taken_back`, the whole amount from the bank out of the funds
   again, with the reason, which the store reads on its statement. Where it is said who paid, the money is entered
   there.
2. What the funds no longer hold of it has paid invoices since. They are open again, what is due last first, for that
   would not have been paid without it; an agent's part as far as the agent has not been paid out.
3. What went elsewhere (paid out, commission) is owed as an invoice on account.
4. The store was told that it had paid: an invoice open again is due no sooner than the terms' days for accounts from
   now, and counts as paid in time when it is paid by then.

Units: *_minor minor units of the store's currency.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, NotFound, stated
from config.nodes.journal import Context
from supply.money import agent_commissions, ledger, terms
from supply.money.ledger import OPEN_AGAIN, Booking, Invoice, LedgerEntry, Wanted, balances

PAID_IN, TAKEN_BACK = "paid_in", "taken_back"


def take_back(
    ctx: Context, store_id: str, entry_id: str, *, why: str, payer_id: str | None = None, day: dt.date | None = None
) -> None:
    """Take a payment back out of a store's book (rules 1 to 4), and enter it for payer_id where that is known.

    day: the business day it is of, where it is booked again (`lost_entries`).
    """
    why = stated(why, Invalid("no-reason", "Enter a reason. The shopkeeper will see it.", field="why"))
    if payer_id == store_id:
        raise Invalid(
            "same-store", "This payment is already recorded for this store. Choose the store that paid.", field="payer"
        )
    for one in sorted({store_id, payer_id or store_id}):  # one order of locks
        ledger.account_of(ctx.session, one)
    entry = ctx.session.get(LedgerEntry, (store_id, entry_id))
    if entry is None or entry.kind != PAID_IN:
        raise NotFound("unknown-payment", "This payment is not in the store's account. Reload the list.")
    book = Booking(ctx, store_id, day=day)
    if book.knows(_answer_id(entry_id)):
        raise Conflict("taken-back", "This payment was already reversed.")
    _make_room(book, entry)
    book.enter(TAKEN_BACK, "bank", "funds", entry.amount_minor, source_id=entry_id, id=_answer_id(entry_id), words=why)
    book.close(TAKEN_BACK, entry=entry_id, amount_minor=entry.amount_minor, why=why)
    if payer_id is not None:
        ledger.money_in(ctx, payer_id, entry.amount_minor, reference=entry.words, id=f"moved-{entry_id}")


# --- questions ---


def received(session: Session, store_id: str, first: dt.date, last: dt.date) -> list[tuple[LedgerEntry, bool]]:
    """Return a store's payments of some days, both included, the newest first, each with whether it was taken back."""
    row = LedgerEntry
    gone = set(session.scalars(sa.select(row.source_id).where(row.store_id == store_id, row.kind == TAKEN_BACK)))
    entries = ledger.entries_of(session, store_id, first, last)
    return [(one, one.id in gone) for one in reversed(entries) if one.kind == PAID_IN]


# --- inside ---


def _answer_id(entry_id: str) -> str:
    return f"back-{entry_id}"


def _make_room(book: Booking, entry: LedgerEntry) -> None:
    """Bring into the funds what a payment has left them for since (rules 2, 3)."""
    short = entry.amount_minor + balances(book.session, book.store_id)["funds"]
    again = book.day + dt.timedelta(days=terms.in_force(book.session)[1].account_days)
    for invoice, paid_minor in _paid_since(book.session, entry):
        part = min(short, agent_commissions.still_here(book.session, invoice, paid_minor))
        if part > 0:
            invoice.due_day = max(invoice.due_day, again)
            owed = "credit" if invoice.on_credit else "invoiced"
            book.enter(OPEN_AGAIN, "funds", owed, part, source_id=entry.id, invoice=invoice)
            short -= part
    if short > 0:
        lines = [["", entry.words, 1, short]]
        wanted = Wanted(
            f"payment-{entry.id}", short, again, False, None, None, lines, against="funds", words=entry.words
        )
        book.invoice(wanted)


def _paid_since(session: Session, entry: LedgerEntry) -> list[tuple[Invoice, int]]:
    """Return what was paid of each invoice and is not open again, what is due last first.

    Since the entry, or an earlier one that was taken back: what either paid may be open for the other.
    """
    row, mine = LedgerEntry, LedgerEntry.store_id == entry.store_id
    wrong = sa.select(row.source_id).where(mine, row.kind == TAKEN_BACK)
    since = session.scalar(sa.select(sa.func.min(row.n)).where(mine, sa.or_(row.id == entry.id, row.id.in_(wrong))))
    paid = sa.and_(row.kind == "paid", row.to_account == "funds")
    signed = sa.func.sum(sa.case((paid, row.amount_minor), else_=-row.amount_minor))
    query = sa.select(row.invoice_id, signed).where(mine, row.n > since, sa.or_(paid, row.kind == OPEN_AGAIN))
    sums = {str(invoice_id): int(minor) for invoice_id, minor in session.execute(query.group_by(row.invoice_id))}
    invoices = session.scalars(sa.select(Invoice).where(Invoice.store_id == entry.store_id, Invoice.id.in_(sums)))
    latest_first = sorted(invoices, key=lambda one: (one.due_day, one.no), reverse=True)
    return [(one, sums[one.id]) for one in latest_first]
