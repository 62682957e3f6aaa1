"""How much of what fell due a shop has paid in time: one question that limits and standing both ask."""

import datetime as dt
from collections import Counter

import sqlalchemy as sa
from sqlalchemy.orm import Session

from supply.money.credit_limit import REPAID_DAYS
from supply.money.ledger import OPEN_AGAIN, Invoice, LedgerEntry


def repaid_of(session: Session, store_id: str, day: dt.date) -> tuple[int, int]:
    """Return what fell due in the last REPAID_DAYS days until `day`, and how much of it was paid by then.

    An invoice counts as far as it was paid by its own due day; a loss is no payment, nor is one that was taken back
    (`wrong_payments`).
    """
    since = day - dt.timedelta(days=REPAID_DAYS)
    invoices = session.scalars(
        sa.select(Invoice).where(Invoice.store_id == store_id, Invoice.due_day > since, Invoice.due_day <= day)
    ).all()
    row = LedgerEntry
    paid = sa.select(row.invoice_id, row.business_day, row.kind, row.amount_minor).where(
        row.store_id == store_id, row.kind.in_(["paid", OPEN_AGAIN]), row.invoice_id.in_([one.id for one in invoices])
    )
    due_days = {one.id: one.due_day for one in invoices}
    on_time = Counter[str]()
    for of_invoice, paid_day, kind, minor in session.execute(paid):
        invoice_id = str(of_invoice)
        if kind == OPEN_AGAIN:
            on_time[invoice_id] -= int(minor)
        elif paid_day <= due_days[invoice_id]:
            on_time[invoice_id] += int(minor)
    whole = sum(one.amount_minor for one in invoices)
    return whole, sum(max(0, min(one.amount_minor, on_time[one.id])) for one in invoices)
