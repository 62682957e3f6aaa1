"""Statements and slips of the customers' books: frozen documents, and their way to the printer.

Rules
-----
1. A document is frozen when it is asked for; its layout (`accounts`) reads nothing else.
2. It speaks the customer's language; a voucher, which is anybody's, the store's.
3. Every slip and statement in the queue is filed under its customer, so that forgetting a person finds it.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.errors import Invalid
from config.nodes import journal
from config.nodes.journal import Context
from pos.customers import customers, tab
from pos.customers.customers import Customer
from pos.customers.tab import Repayment, TabEntry
from pos.documents import accounts
from pos.payments import vouchers
from pos.payments.tenders import CASH
from pos.payments.vouchers import Voucher
from pos.printing import queue
from pos.printing.queue import Queued
from pos.store.store import Store, snapshot

MOST_DAYS = 3_700


def statement_of(
    session: Session, store: Store, customer_id: str, first_day: dt.date, last_day: dt.date
) -> dict[str, Any]:
    """Return a customer's statement over the business days [first_day, last_day], both included.

    Ages are those of the last day's debt as it is paid by now, so they are there only when the period reaches today.
    """
    if not 0 <= (last_day - first_day).days <= MOST_DAYS:
        raise Invalid("bad-period", "The first day must not be after the last.", field="first_day")
    customer = customers.known(session, store.id, customer_id)
    before = session.scalar(
        sa.select(sa.func.sum(TabEntry.amount_minor)).where(
            TabEntry.store_id == store.id, TabEntry.customer_id == customer_id, TabEntry.business_day < first_day
        )
    )
    opening_minor = running_minor = int(before or 0)
    rows = sorted(
        tab.entries(session, store.id, customer_id, first_day, last_day), key=lambda row: (row.business_day, row.n)
    )
    numbers = receipt_numbers(session, store.id, (row.sale_id for row in rows))
    lines = []
    for row in rows:
        running_minor += row.amount_minor
        lines.append(
            {
                "day": row.business_day.isoformat(),
                "kind": row.kind,
                "receipt_no": numbers.get(row.sale_id or ""),
                "amount_minor": row.amount_minor,
                "balance_minor": running_minor,
            }
        )
    debt = next(iter(tab.debts(session, store.id, last_day, customer_id)), None)
    agrees = debt is not None and debt.owed_minor == running_minor
    return _common(store, customer) | {
        "first_day": first_day.isoformat(),
        "last_day": last_day.isoformat(),
        "opening_minor": opening_minor,
        "lines": lines,
        "closing_minor": running_minor,
        "ages_minor": list(debt.ages_minor) if debt is not None and agrees else [0, 0, 0, 0],
    }


def print_statement(
    ctx: Context, store: Store, customer_id: str, first_day: dt.date, last_day: dt.date, *, till_id: str
) -> Queued:
    """Queue a statement for the printer of a till."""
    document = statement_of(ctx.session, store, customer_id, first_day, last_day)
    job = queue.queue(ctx.session, store.id, till_id, queue.Printout("statement", customer_id, document), at=ctx.at)
    facts = {"first_day": first_day, "last_day": last_day}
    journal.record(ctx, verb="statement.printed", subject=f"customer:{customer_id}", **facts)
    return job


def print_repayment(session: Session, store: Store, done: Repayment, *, till_id: str, at: dt.datetime) -> Queued | None:
    """Queue the slip of a repayment; the drawer opens for cash. Nothing for one that was booked before."""
    if done.repeated:
        return None
    document = repayment_document(session, store, done)
    printout = queue.Printout("tab_paid", done.entry.customer_id, document, opens_drawer=done.entry.tender == CASH)
    return queue.queue(session, store.id, till_id, printout, at=at)


def print_voucher(session: Session, store: Store, voucher: Voucher, *, till_id: str, at: dt.datetime) -> Queued:
    """Queue the slip a voucher is handed over as, in the store's language; filed under the sale that issued it.

    Refused where this node cannot derive its code: a slip without one is worth nothing.
    """
    if vouchers.whole_of(session, store.id, voucher.sale_id, voucher.mark) is None:
        raise vouchers.not_derived()
    document = {
        "store": snapshot(store),
        "language": store.language,
        "code": voucher.mark,
        "spoken": "",
        "sale_id": voucher.sale_id,
        "kind": voucher.kind,
        "amount_minor": voucher.balance_minor,
        "expires_on": voucher.expires_on.isoformat() if voucher.expires_on else None,
        "local_time": _local(at, store),
    }
    return queue.queue(session, store.id, till_id, queue.Printout("voucher", voucher.sale_id, document), at=at)


def repayment_document(session: Session, store: Store, done: Repayment) -> dict[str, Any]:
    """Return the frozen document of a repayment's slip."""
    customer = customers.known(session, store.id, done.entry.customer_id)
    numbers = receipt_numbers(session, store.id, (row.sale_id for row in done.paid))
    return _common(store, customer) | {
        "local_time": _local(done.entry.at, store),
        "cashier_name": done.entry.actor_name,
        "tender": done.entry.tender,
        "reference": done.entry.reference,
        "amount_minor": -done.entry.amount_minor,
        "before_minor": done.entry.balance_minor - done.entry.amount_minor,
        "balance_minor": done.entry.balance_minor,
        "paid": [
            {
                "day": row.day.isoformat(),
                "kind": "charge" if row.sale_id else "carried_over",
                "receipt_no": numbers.get(row.sale_id or ""),
                "amount_minor": row.amount_minor,
                "left_minor": row.left_minor,
            }
            for row in done.paid
        ],
    }


def reminder(session: Session, store: Store, customer_id: str, *, at: dt.datetime) -> str:
    """Return the text that reminds a customer of the tab, in the customer's language."""
    customer = customers.known(session, store.id, customer_id)
    today = business_day(at, store.tz, store.rollover_hour)
    debt = next(iter(tab.debts(session, store.id, today, customer_id)), None)
    return accounts.reminder(
        name=customer.name,
        store=store.name,
        owed_minor=debt.owed_minor if debt else 0,
        since=debt.since if debt else None,
        currency=store.currency,
        tz=store.tz,
        language=customer.language,
    )


def receipt_numbers(session: Session, store_id: str, sale_ids: Iterable[str | None]) -> dict[str, int]:
    """Return the receipt numbers of these sales; what is no sale of this store is left out."""
    from pos.sold import Sale  # a sale charges the tab; only paper looks back at it

    wanted = sorted({sale_id for sale_id in sale_ids if sale_id})
    if not wanted:
        return {}
    query = sa.select(Sale.id, Sale.receipt_no).where(Sale.store_id == store_id, Sale.id.in_(wanted))
    return {sale_id: no for sale_id, no in session.execute(query) if no is not None}


# --- inside ---


def _common(store: Store, customer: Customer) -> dict[str, Any]:
    return {
        "store": snapshot(store),
        "language": customer.language,
        "customer": {"id": customer.id, "name": customer.name},
    }


def _local(at: dt.datetime, store: Store) -> str:
    return f"{at.astimezone(ZoneInfo(store.tz)):%Y-%m-%d %H:%M}"
