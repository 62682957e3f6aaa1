"""The invariants of the customers' books: K13 tab, K14 points, K15 vouchers. Read-only.

A cache beside a book is allowed because these statements recompute it. The books of customers stay at their store;
where there are none, nothing is found.
"""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from config.finding import Finding
from pos.customers.loyalty import PointsAccount, PointsEntry
from pos.customers.tab import TabAccount, TabEntry, TabSettlement
from pos.payments.tenders import CASH
from pos.payments.vouchers import Voucher, VoucherMovement
from pos.till.shift_book import CashMovement, Shift


def findings(session: Session, store_id: str | None = None) -> list[Finding]:
    """Return every invariant of the customers' books that does not hold, for one store or for all."""
    checks = (_tab_balances, _tab_lines, _tab_paid, _tab_cash, _points, _vouchers)
    return [finding for check in checks for finding in check(session, store_id)]


def _tab_balances(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K13: what a customer owes is the sum of the entries, and their number is the last one's."""
    mine = TabEntry.store_id == TabAccount.store_id, TabEntry.customer_id == TabAccount.customer_id
    lines = sa.select(sa.func.coalesce(sa.func.sum(TabEntry.amount_minor), 0)).where(*mine).correlate(TabAccount)
    total, many = lines.scalar_subquery(), lines.with_only_columns(sa.func.count()).scalar_subquery()
    query = sa.select(
        TabAccount.customer_id, TabAccount.balance_minor, TabAccount.lines, total.label("sum"), many.label("many")
    ).where(sa.or_(total != TabAccount.balance_minor, many != TabAccount.lines), *_of(TabAccount, store_id))
    for row in session.execute(query):
        expected, found = f"the sum of its {row.lines} lines", f"{row.balance_minor}, {row.many} lines sum to {row.sum}"
        yield Finding("K13", f"tab:{row.customer_id}", expected, found)


def _tab_lines(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K13: each line's balance is the one before it and its own amount."""
    before = aliased(TabEntry)
    query = (
        sa.select(TabEntry.id, TabEntry.balance_minor, TabEntry.amount_minor, before.balance_minor.label("before"))
        .outerjoin(
            before,
            sa.and_(
                before.store_id == TabEntry.store_id,
                before.customer_id == TabEntry.customer_id,
                before.n == TabEntry.n - 1,
            ),
        )
        .where(
            sa.or_(
                sa.func.coalesce(before.balance_minor, 0) + TabEntry.amount_minor != TabEntry.balance_minor,
                sa.and_(before.id.is_(None), TabEntry.n != 1),
            ),
            *_of(TabEntry, store_id),
        )
    )
    for row in session.execute(query):
        expected = f"{row.before or 0} and {row.amount_minor} after the line before"
        yield Finding("K13", f"tab entry:{row.id}", expected, f"{row.balance_minor}")


def _tab_paid(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K13: what a credit has paid is its amount, and no charge is paid more than once over."""
    for column, sign in ((TabSettlement.credit_id, -1), (TabSettlement.charge_id, 1)):
        paid = sa.select(sa.func.sum(TabSettlement.amount_minor)).where(
            TabSettlement.store_id == TabEntry.store_id, column == TabEntry.id
        )
        sums = sa.func.coalesce(paid.correlate(TabEntry).scalar_subquery(), 0)
        whole = TabEntry.amount_minor * sign
        wrong = sums != whole if sign < 0 else sums > whole
        query = sa.select(TabEntry.id, whole.label("whole"), sums.label("paid"))
        for row in session.execute(query.where(TabEntry.amount_minor * sign > 0, wrong, *_of(TabEntry, store_id))):
            expected = f"pays {row.whole}" if sign < 0 else f"at most {row.whole} paid"
            yield Finding("K13", f"tab entry:{row.id}", expected, f"{row.paid} written down")


def _tab_cash(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K13: cash for the tab is in the drawer of its shift, where that is here."""
    there = sa.exists().where(
        CashMovement.store_id == TabEntry.store_id,
        CashMovement.source_id == TabEntry.id,
        CashMovement.shift_id == TabEntry.shift_id,
        CashMovement.kind == "tab_paid",
        CashMovement.amount_minor == -TabEntry.amount_minor,
    )
    query = sa.select(TabEntry.id, TabEntry.amount_minor).where(
        TabEntry.kind == "repayment", TabEntry.tender == CASH, ~there, *_of(TabEntry, store_id)
    )
    query = query.join(Shift, sa.and_(Shift.store_id == TabEntry.store_id, Shift.id == TabEntry.shift_id))
    for row in session.execute(query):
        yield Finding("K13", f"tab entry:{row.id}", f"{-row.amount_minor} cash into the drawer", "no such movement")


def _points(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K14: a customer's points are what the network reported last and the entries it has not counted."""
    uncounted = sa.select(sa.func.coalesce(sa.func.sum(PointsEntry.points), 0)).where(
        PointsEntry.store_id == PointsAccount.store_id, PointsEntry.customer_id == PointsAccount.customer_id,
        PointsEntry.scope == PointsAccount.scope, PointsEntry.n == 0,
    )  # fmt: skip
    sums = PointsAccount.reported_points + uncounted.correlate(PointsAccount).scalar_subquery()
    query = sa.select(PointsAccount.customer_id, PointsAccount.points, sums.label("sum"))
    for row in session.execute(query.where(sums != PointsAccount.points, *_of(PointsAccount, store_id))):
        yield Finding("K14", f"points:{row.customer_id}", f"{row.sum}, as its entries say", f"{row.points}")


def _vouchers(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K15: a voucher is worth what its movements leave, between nothing and what it was issued for."""
    moved = sa.select(sa.func.sum(VoucherMovement.amount_minor)).where(
        VoucherMovement.store_id == Voucher.store_id, VoucherMovement.mark == Voucher.mark
    )
    sums = sa.func.coalesce(moved.correlate(Voucher).scalar_subquery(), 0)
    wrong = sa.or_(
        sums != Voucher.balance_minor, Voucher.balance_minor < 0, Voucher.balance_minor > Voucher.amount_minor
    )
    query = sa.select(Voucher.mark, Voucher.balance_minor, sums.label("moved"))
    for row in session.execute(query.where(wrong, *_of(Voucher, store_id))):
        yield Finding(
            "K15", f"voucher:…{row.mark[-4:]}", f"{row.moved}, what its movements leave", f"{row.balance_minor}"
        )


def _of(table: Any, store_id: str | None) -> list[sa.ColumnElement[bool]]:
    return [] if store_id is None else [table.store_id == store_id]
