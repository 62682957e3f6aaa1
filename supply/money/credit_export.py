"""What a shop takes along of its money with the network: every figure behind its limit and its account, to recompute.

Amounts are minor units, days ISO dates; what stands here is enough to work the limit out again (`credit_limit` rules 1
to 4), and the standing of every invoice.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from supply.demand.history import StoreDay
from supply.money.credit import CreditDraw, CreditLine
from supply.money.credit_limit import REPAID_DAYS, WEEKS
from supply.money.ledger import Invoice, entries_of, open_invoices

DAYS = 7 * (WEEKS + 1)


def everything(session: Session, store_id: str) -> dict[str, Any]:
    """Return a shop's line, the sales and invoices it stands on, and its whole ledger, as plain JSON values."""
    line = session.get(CreditLine, store_id)
    day = line.worked_out_on if line else None
    left = {one.invoice.id: one.left_minor for one in open_invoices(session, store_id)}
    invoices = session.scalars(sa.select(Invoice).where(Invoice.store_id == store_id).order_by(Invoice.no))
    draws = session.scalars(sa.select(CreditDraw).where(CreditDraw.store_id == store_id).order_by(CreditDraw.asked_at))
    return {
        "store": store_id,
        "line": _line(line) if line else None,
        "repaid_days": REPAID_DAYS,
        "weeks": WEEKS,
        "sales_by_day": _sales(session, store_id, day) if day else [],
        "invoices": [
            {
                "id": one.id, "no": one.no, "made_day": one.made_day.isoformat(), "due_day": one.due_day.isoformat(),
                "on_credit": one.on_credit, "amount_minor": one.amount_minor, "left_minor": left.get(one.id, 0),
                "order": one.order_id, "delivery": one.delivery_id, "lines": one.lines,
            }
            for one in invoices
        ],
        "draws": [
            {"order_no": one.order_no, "amount_minor": one.amount_minor, "state": one.state, "why": one.why}
            for one in draws
        ],
        "entries": [
            {
                "n": one.n, "day": one.business_day.isoformat(), "kind": one.kind, "from": one.from_account,
                "to": one.to_account, "amount_minor": one.amount_minor, "invoice": one.invoice_id, "words": one.words,
            }
            for one in entries_of(session, store_id)
        ],
    }  # fmt: skip


def _line(line: CreditLine) -> dict[str, Any]:
    names = ("state", "limit_minor", "level", "held_by", "held_why", "facts", "terms", "terms_n", "steps")
    return {name: getattr(line, name) for name in names} | {"worked_out_on": line.worked_out_on.isoformat()}


def _sales(session: Session, store_id: str, day: dt.date) -> list[list[Any]]:
    since = day - dt.timedelta(days=DAYS)
    rows = session.execute(
        sa.select(StoreDay.business_day, StoreDay.revenue_minor)
        .where(StoreDay.store_id == store_id, StoreDay.business_day.between(since, day))
        .order_by(StoreDay.business_day)
    )
    return [[one.isoformat(), int(minor or 0)] for one, minor in rows]
