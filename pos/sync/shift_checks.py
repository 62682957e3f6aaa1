"""A shift's running totals beside the books they run along with: summing up again, and what does not agree.

Only sums that the books themselves hold are compared; events of the till (voids, reprints) live in the journal.
"""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.finding import Finding
from pos.customers.tab import TabEntry
from pos.payments.payments import Payment
from pos.payments.vouchers import Voucher
from pos.sold import Sale, SaleLine, set_aside
from pos.sync import archive
from pos.till import totals
from pos.till.shift_book import CashMovement, LateSale, Shift

COMPARED = ("kinds", "lines", "tax_minor", "rounding_minor", "tenders", "taxes", "cash", "top_categories", "tabs")
Sums = dict[tuple[str, str], totals.Totals]
"""(store id, shift id) -> totals"""


def findings(session: Session, store_id: str | None = None) -> Iterator[Finding]:
    """Yield every shift whose running totals are not the sums of its books (K6)."""
    of_store = [] if store_id is None else [Shift.store_id == store_id]
    of_store += [  # a shift of the evening before may have sold in a week that was put away
        sa.not_(Shift.business_day.between(week - archive.DAY, week + archive.WEEK - archive.DAY))
        for week in archive.weeks(session)
    ]
    summed = summed_up(session, *of_store)
    rows = session.execute(sa.select(Shift.store_id, Shift.id, Shift.totals).where(*of_store)).all()
    aside = {(store, body["shift_id"]) for store, body in set_aside(session, {row.store_id for row in rows})}
    for row in rows:
        if (row.store_id, row.id) in aside:
            continue  # what was set aside of a shift is in its Z alone
        found = summed.get((row.store_id, row.id)) or totals.opening()
        for name in COMPARED:
            if row.totals.get(name) is None:
                continue  # a shift that was opened before this was summed
            kept, there = _text(row.totals[name]), _text(found[name])
            if kept != there:
                yield Finding("K6", f"shift:{row.id}", f"{name} {kept}", f"the books hold {there}")


def summed_up(session: Session, *which: sa.ColumnElement[bool]) -> Sums:
    """Sum the totals of some shifts up from their books."""
    sums: Sums = {}
    _add_sales(session, sums, which)
    _add_lines(session, sums, which)
    _add_money(session, sums, which)
    return sums


# --- inside ---


def _of(sums: Sums, row: Any) -> totals.Totals:
    return sums.setdefault((row[0], row[1]), totals.opening())


def _sales(*columns: Any, which: tuple[sa.ColumnElement[bool], ...]) -> sa.Select[Any]:
    """Return a question about the completed sales of the shifts, those that came too late left out."""
    late = sa.exists().where(LateSale.store_id == Sale.store_id, LateSale.sale_id == Sale.id)
    query = sa.select(Sale.store_id, Sale.shift_id, *columns)
    query = query.join(Shift, sa.and_(Shift.store_id == Sale.store_id, Shift.id == Sale.shift_id))
    return query.where(Sale.state == "completed", ~late, *which)


def _add_sales(session: Session, sums: Sums, which: tuple[sa.ColumnElement[bool], ...]) -> None:
    many, total = sa.func.count(), sa.func.sum(Sale.total_minor)
    columns = (
        Sale.kind, Sale.cashier_id, Sale.cashier_name, many, total, sa.func.sum(Sale.tax_minor),
        sa.func.sum(Sale.rounding_minor), sa.func.min(Sale.receipt_no), sa.func.max(Sale.receipt_no),
        sa.func.max(Sale.epoch),
    )  # fmt: skip
    query = _sales(*columns, which=which)
    query = query.group_by(Sale.store_id, Sale.shift_id, Sale.kind, Sale.cashier_id, Sale.cashier_name)
    for row in session.execute(query):
        kind, cashier_id, cashier_name, count, minor, tax, rounding, first, last, epoch = row[2:]
        into = _of(sums, row)
        had = into["kinds"].get(kind, [0, 0])
        into["kinds"][kind] = [had[0] + count, had[1] + int(minor)]
        _, rung, taken = into["cashiers"].get(cashier_id, ["", 0, 0])
        into["cashiers"][cashier_id] = [cashier_name, rung + count, taken + int(minor)]
        into["tax_minor"] += int(tax)
        into["rounding_minor"] += int(rounding)
        into["first_receipt_no"] = min(first, into["first_receipt_no"] or first)
        into["last_receipt_no"] = max(last, into["last_receipt_no"] or last)
        into["epoch"] = epoch
    issued = _sales(sa.func.sum(Voucher.amount_minor), which=which)
    issued = issued.join(Voucher, sa.and_(Voucher.store_id == Sale.store_id, Voucher.sale_id == Sale.id))
    for row in session.execute(issued.group_by(Sale.store_id, Sale.shift_id)):
        _of(sums, row)["vouchers_minor"] += int(row[2])


def _add_lines(session: Session, sums: Sums, which: tuple[sa.ColumnElement[bool], ...]) -> None:
    mine = sa.and_(SaleLine.store_id == Sale.store_id, SaleLine.sale_id == Sale.id)
    columns = (
        SaleLine.tax_class_id, SaleLine.rate_bp, sa.func.count(), sa.func.sum(SaleLine.net_minor),
        sa.func.sum(SaleLine.tax_minor), sa.func.sum(SaleLine.discount_minor),
        sa.func.sum(SaleLine.manual_discount_minor),
    )  # fmt: skip
    query = _sales(*columns, which=which).join(SaleLine, mine)
    for row in session.execute(query.group_by(Sale.store_id, Sale.shift_id, SaleLine.tax_class_id, SaleLine.rate_bp)):
        tax_class_id, rate_bp, count, net, tax, off, by_hand = row[2:]
        into = _of(sums, row)
        into["taxes"][f"{tax_class_id}|{rate_bp}"] = [int(net), int(tax)]
        into["lines"] += count
        into["by_hand_minor"] += int(by_hand)
        into["offers_minor"] += int(off) - int(by_hand)
    by_top_category = _sales(SaleLine.top_category, sa.func.sum(SaleLine.total_minor), which=which).join(SaleLine, mine)
    for row in session.execute(by_top_category.group_by(Sale.store_id, Sale.shift_id, SaleLine.top_category)):
        _of(sums, row)["top_categories"][row[2]] = int(row[3])
    labelled = sa.and_(SaleLine.price_type == "label", SaleLine.stock_unit != "gram")
    special = sa.or_(SaleLine.kind == "deposit", SaleLine.price_type == "override", labelled)
    reported = (
        SaleLine.kind, SaleLine.price_type, SaleLine.total_minor, SaleLine.qty, SaleLine.list_price_minor,
        SaleLine.unit_price_minor, SaleLine.price_quantity, SaleLine.stock_unit, SaleLine.amount_minor,
    )  # fmt: skip
    for row in session.execute(_sales(*reported, which=which).join(SaleLine, mine).where(special)):
        into = _of(sums, row)
        if row.kind == "deposit":
            into["empties_minor" if row.price_type == "empties" else "deposits_minor"] += row.total_minor
        else:
            into["overrides"] = totals.with_override(into["overrides"], row)


def _add_money(session: Session, sums: Sums, which: tuple[sa.ColumnElement[bool], ...]) -> None:
    own = sa.and_(Payment.provider.is_(None), Payment.state.in_(("captured", "reversed")))
    paid = _sales(Payment.tender, sa.func.sum(Payment.amount_minor), which=which)
    paid = paid.join(Payment, sa.and_(Payment.store_id == Sale.store_id, Payment.sale_id == Sale.id))
    paid = paid.where(sa.or_(own, Payment.claimed_by == Sale.id))
    for row in session.execute(paid.group_by(Sale.store_id, Sale.shift_id, Payment.tender)):
        _of(sums, row)["tenders"][row[2]] = int(row[3])
    late = sa.exists().where(LateSale.store_id == CashMovement.store_id, LateSale.sale_id == CashMovement.source_id)
    cash = sa.select(
        CashMovement.store_id, CashMovement.shift_id, CashMovement.kind, sa.func.sum(CashMovement.amount_minor)
    )
    cash = cash.join(Shift, sa.and_(Shift.store_id == CashMovement.store_id, Shift.id == CashMovement.shift_id))
    cash = cash.where(~late, *which)
    for row in session.execute(cash.group_by(CashMovement.store_id, CashMovement.shift_id, CashMovement.kind)):
        _of(sums, row)["cash"][row[2]] = int(row[3])
    repaid = sa.select(TabEntry.store_id, TabEntry.shift_id, TabEntry.tender, -sa.func.sum(TabEntry.amount_minor))
    repaid = repaid.join(Shift, sa.and_(Shift.store_id == TabEntry.store_id, Shift.id == TabEntry.shift_id))
    repaid = repaid.where(TabEntry.kind == "repayment", *which)
    for row in session.execute(repaid.group_by(TabEntry.store_id, TabEntry.shift_id, TabEntry.tender)):
        _of(sums, row)["tabs"][row[2]] = int(row[3])


def _text(value: Any) -> str:
    """Return a sum as text; what comes to nothing is left out, so that a nought and nothing are the same."""
    if isinstance(value, dict):
        value = {key: one for key, one in value.items() if one not in (0, [0, 0])}
    return json.dumps(value, sort_keys=True)
