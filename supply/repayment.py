"""How much of what fell due a shop has paid in time: one question that limits and standing both ask."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from supply.credit_limit import REPAID_DAYS
from supply.settlement import Invoice, LedgerEntry


def repaid_of(session: Session, store_id: str, day: dt.date) -> tuple[int, int]:
    """Return what fell due in the last REPAID_DAYS days until `day`, and how much of it was paid by then.

    An invoice counts as far as it was paid by its own due day; a loss is no payment.
    """
    since = day - dt.timedelta(days=REPAID_DAYS)
    invoices = session.scalars(
        sa.select(Invoice).where(Invoice.store_id == store_id, Invoice.due_day > since, Invoice.due_day <= day)
    ).all()
    paid = sa.select(LedgerEntry.invoice_id, LedgerEntry.business_day, LedgerEntry.amount_minor).where(
        LedgerEntry.store_id == store_id, LedgerEntry.kind == "paid",
        LedgerEntry.invoice_id.in_([one.id for one in invoices]),
    )  # fmt: skip
    due_days = {one.id: one.due_day for one in invoices}
    on_time: dict[str, int] = {}
    for of_invoice, paid_day, minor in session.execute(paid):
        invoice_id = str(of_invoice)
        if paid_day <= due_days[invoice_id]:
            on_time[invoice_id] = on_time.get(invoice_id, 0) + int(minor)
    whole = sum(one.amount_minor for one in invoices)
    return whole, sum(min(one.amount_minor, on_time.get(one.id, 0)) for one in invoices)
