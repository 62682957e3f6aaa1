"""What the store sold, seen from every side: by day, hour, product, category, margin, cashier, tender, tax; and shrink.

Rules
-----
1. Every figure is a sum over completed sales of a period, both days included, returns counted negative; so the totals
   of all reports of one period agree with each other and with the Z reports.
2. `pos.reports.figures` defines sales, net sales, margin, pieces, baskets and hours. What has no cost is named beside
   the margin, never counted as free.
3. Best and worst products are those that sold, or are in stock and did not.
4. A share is in basis points of the column's total.
5. What a tender took is what stayed of it: change is no money given back, a refund is.
6. What a cashier took off baskets before they were paid or given up is told by the shifts, on their business day.

Amounts are minor units, quantities stock units.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid
from pos.catalogue.catalogue import Listing, Product, TaxClass
from pos.payments.payments import Payment
from pos.payments.tenders import on_slips
from pos.reports import figures
from pos.reports.figures import BASKETS, JOINED, MARGIN, OF_GOODS, of_lines, of_period, share_bp
from pos.sold import OF_PRODUCT, Sale, SaleLine, newest_first
from pos.stock import waste
from pos.stock.ledger import INSIDE, StockLevel
from pos.store.store import Store
from pos.till.shift_book import Shift

Shape = Literal["text", "day", "hour", "money", "qty", "count", "share"]
MOST_DAYS = 1100
COMMON = ("hour", "weekday", "cashier", "tender", "sku", "category", "tax")
"""What receipts may have in common."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """A table of figures. columns: (name, shape); measure: the column a chart shows."""

    kind: str
    first_day: dt.date
    last_day: dt.date
    columns: tuple[tuple[str, Shape], ...]
    rows: list[Row]
    measure: str
    totals: Row = field(default_factory=dict)


def report(session: Session, store: Store, kind: str, first_day: dt.date, last_day: dt.date) -> Report:
    """Return a report of KINDS over a period; Invalid for a period that ends before it begins or is too long."""
    if kind not in KINDS:
        raise Invalid("unknown-report", "Report not found. Choose one from the list.", kind=kind)
    check_period(first_day, last_day)
    made = KINDS[kind](session, store, first_day, last_day)
    for name, shape in made.columns:
        if shape in ("money", "count") and name not in _NEVER_SUMMED:
            made.totals[name] = sum(row[name] or 0 for row in made.rows)
    if "margin_bp" in dict(made.columns):
        made.totals["margin_bp"] = share_bp(made.totals["margin_minor"], made.totals["costed_minor"])
    return made


def check_period(first_day: dt.date, last_day: dt.date) -> None:
    """Refuse a period that ends before it begins or is too long."""
    if not dt.timedelta(0) <= last_day - first_day <= dt.timedelta(days=MOST_DAYS):
        raise Invalid("bad-report-period", "Choose an end after the start, within three years.", field="from")


def best_and_worst(session: Session, store: Store, found: Report, many: int) -> tuple[list[Row], list[Row]]:
    """Return the products that sold most and those in stock that sold least, unsold ones too, each with its stock.

    found: the report by product of the period.
    """
    stock_of = sa.select(StockLevel.sku, sa.func.sum(StockLevel.qty)).where(
        StockLevel.store_id == store.id, StockLevel.place.in_(INSIDE)
    )
    stocks: dict[str, int] = dict(session.execute(stock_of.group_by(StockLevel.sku)).all())
    sold = {row["sku"]: row for row in found.rows}
    listed = sa.select(Product).join(Listing, Listing.sku == Product.sku)
    listed = listed.where(Listing.store_id == store.id, Listing.active, Product.active)
    least: list[Row] = [
        {"sku": one.sku, "name": one.shown, "stock_unit": one.stock_unit, "qty": 0, "total_minor": 0}
        | sold.get(one.sku, {})
        for one in session.scalars(listed.where(Product.sku.in_([sku for sku, qty in stocks.items() if qty > 0])))
    ]
    least.sort(key=lambda row: (row["total_minor"], -stocks[row["sku"]], row["sku"]))
    best = [row | {"stock": stocks.get(row["sku"])} for row in found.rows[:many] if row["total_minor"] > 0]
    seen = {row["sku"] for row in best}
    return best, [row | {"stock": stocks[row["sku"]]} for row in least if row["sku"] not in seen][:many]


def receipts(store: Store, first_day: dt.date, last_day: dt.date, only: Row) -> sa.Select[tuple[Sale]]:
    """Return how to ask for a period's receipts, the newest first.

    only: what they have in common, by names of COMMON.
    """
    line = sa.select(SaleLine.sale_id).where(*of_lines(store.id, first_day, last_day))
    of_category = sa.select(Product.sku).where(_TOP_CATEGORY.in_([only.get("category")]))
    paid = sa.select(Payment.sale_id).where(Payment.store_id == store.id, Payment.state == "captured")
    asked: dict[str, Callable[[Any], sa.ColumnElement[bool]]] = {
        "hour": lambda hour: figures.wall_hour(store, first_day, last_day) == hour,
        "weekday": lambda weekday: weekday == figures.WEEKDAY,
        "cashier": lambda key: Sale.cashier_id == key,
        "tender": lambda tender: Sale.id.in_(paid.where(Payment.tender == tender)),
        "sku": lambda sku: Sale.id.in_(line.where(SaleLine.sku == sku)),
        "category": lambda _name: Sale.id.in_(line.where(SaleLine.sku.in_(of_category), OF_GOODS)),
        "tax": lambda key: Sale.id.in_(line.where(SaleLine.tax_class_id == key)),
    }
    wanted = [asked[name](value) for name, value in only.items()]
    return newest_first(sa.select(Sale).where(*of_period(store.id, first_day, last_day), *wanted))


def named(only: Row) -> sa.Select[str]:
    """Return how to ask for the name of a product, a cashier or a tax class that receipts have in common."""
    if "sku" in only:
        return sa.select(Product.name).where(Product.sku == only["sku"])
    if "tax" in only:
        return sa.select(TaxClass.name).where(TaxClass.id == only["tax"])
    return sa.select(Sale.cashier_name).where(Sale.cashier_id == only["cashier"]).limit(1)


# --- the kinds ---


def _by_day(session: Session, store: Store, first_day: dt.date, last_day: dt.date) -> Report:
    returns = sa.func.sum(sa.case((Sale.kind == "return", 1), else_=0))
    counts = sa.select(Sale.business_day, returns).where(*of_period(store.id, first_day, last_day))
    back: dict[dt.date, int] = dict(session.execute(counts.group_by(Sale.business_day)).all())
    off = sa.select(SaleLine.business_day, sa.func.sum(SaleLine.discount_minor))
    off = off.where(*of_lines(store.id, first_day, last_day)).group_by(SaleLine.business_day)
    discounts: dict[dt.date, int] = dict(session.execute(off).all())
    rows = [
        {
            "day": day, "baskets": one.baskets, "returns_count": int(back[day]), "units": one.units,
            "total_minor": one.sales_minor, "net_minor": one.net_minor, "other_minor": one.other_minor,
            "tax_minor": one.tax_minor, "rounding_minor": one.rounding_minor,
            "basket_minor": one.basket_minor, "discount_minor": int(discounts.get(day) or 0),
        } | _earned(one.costed_minor, one.cost_minor)
        for day, one in figures.daily(session, store, first_day, last_day).items()
    ]  # fmt: skip
    columns: tuple[tuple[str, Shape], ...] = (
        ("day", "day"), ("total_minor", "money"), ("net_minor", "money"), ("other_minor", "money"),
        ("tax_minor", "money"), ("rounding_minor", "money"), ("margin_minor", "money"), ("margin_bp", "share"),
        ("units", "count"), ("baskets", "count"), ("basket_minor", "money"), ("returns_count", "count"),
        ("discount_minor", "money"), ("costed_minor", "money"),
    )  # fmt: skip
    return Report("day", first_day, last_day, columns, rows, "total_minor")


def _by_hour(session: Session, store: Store, first_day: dt.date, last_day: dt.date) -> Report:
    rows = {hour: {"hour": hour, "sales_count": 0, "total_minor": 0} for hour in range(24)}
    for (_weekday, hour), found in figures.hours(session, store, first_day, last_day).items():
        rows[hour]["sales_count"] += found.baskets
        rows[hour]["total_minor"] += found.sales_minor
    busy = [hour for hour, row in rows.items() if row["sales_count"] or row["total_minor"]]
    shown = [rows[hour] for hour in range(min(busy), max(busy) + 1)] if busy else []
    columns: tuple[tuple[str, Shape], ...] = (("hour", "hour"), ("sales_count", "count"), ("total_minor", "money"))
    return Report("hour", first_day, last_day, columns, shown, "total_minor")


def _by_product(session: Session, store: Store, first_day: dt.date, last_day: dt.date) -> Report:
    query = sa.select(
        OF_PRODUCT,
        sa.func.max(SaleLine.name),
        sa.func.max(SaleLine.stock_unit),
        sa.func.sum(SaleLine.qty),
        sa.func.sum(SaleLine.total_minor),
        sa.func.sum(SaleLine.discount_minor),
        *MARGIN,
    )
    query = query.where(*of_lines(store.id, first_day, last_day), OF_GOODS)
    named: dict[str, str] = dict(session.execute(sa.select(Product.sku, Product.name)).all())
    rows = [
        {"sku": sku, "name": named.get(sku, name), "stock_unit": unit, "qty": int(qty), "total_minor": int(total)}
        | {"discount_minor": int(discount)}
        | _earned(costed, cost)
        for sku, name, unit, qty, total, discount, costed, cost in session.execute(query.group_by(OF_PRODUCT))
    ]
    rows.sort(key=lambda row: (-row["total_minor"], row["sku"]))
    _share(rows, "total_minor")
    columns: tuple[tuple[str, Shape], ...] = (
        ("name", "text"), ("sku", "text"), ("qty", "qty"), ("total_minor", "money"), ("share_bp", "share"),
        ("discount_minor", "money"), ("margin_minor", "money"), ("margin_bp", "share"), ("costed_minor", "money"),
    )  # fmt: skip
    return Report("product", first_day, last_day, columns, rows, "total_minor")


def _by_category(session: Session, store: Store, first_day: dt.date, last_day: dt.date) -> Report:
    top_categories: dict[str, str] = dict(session.execute(sa.select(Product.sku, _TOP_CATEGORY)).all())
    query = sa.select(OF_PRODUCT, sa.func.sum(SaleLine.total_minor), *MARGIN)
    query = query.where(*of_lines(store.id, first_day, last_day), OF_GOODS)
    sums: dict[str, list[int]] = {}
    for sku, *reported in session.execute(query.group_by(OF_PRODUCT)):
        if sku in top_categories:
            so_far = sums.get(top_categories[sku], [0] * 4)
            sums[top_categories[sku]] = [one + int(more or 0) for one, more in zip(so_far, (1, *reported), strict=True)]
    rows: list[Row] = [
        {"name": name, "products_count": many, "total_minor": total} | _earned(costed, cost)
        for name, (many, total, costed, cost) in sums.items()
    ]
    rows.sort(key=lambda row: (-row["total_minor"], row["name"]))
    _share(rows, "total_minor")
    columns: tuple[tuple[str, Shape], ...] = (
        ("name", "text"), ("products_count", "count"), ("total_minor", "money"), ("share_bp", "share"),
        ("margin_minor", "money"), ("margin_bp", "share"), ("costed_minor", "money"),
    )  # fmt: skip
    return Report("category", first_day, last_day, columns, rows, "total_minor")


def _by_margin(session: Session, store: Store, first_day: dt.date, last_day: dt.date) -> Report:
    """The products again, those that earn least first; whatever has no cost comes last, because nobody knows."""
    made = _by_product(session, store, first_day, last_day)
    rows = sorted(made.rows, key=lambda row: (not row["costed_minor"], row["margin_minor"], row["sku"]))
    columns: tuple[tuple[str, Shape], ...] = (
        ("name", "text"), ("sku", "text"), ("qty", "qty"), ("costed_minor", "money"), ("cost_minor", "money"),
        ("margin_minor", "money"), ("margin_bp", "share"),
    )  # fmt: skip
    return Report("margin", first_day, last_day, columns, rows, "margin_minor")


def _by_cashier(session: Session, store: Store, first_day: dt.date, last_day: dt.date) -> Report:
    period = of_period(store.id, first_day, last_day)
    sales = sa.select(
        Sale.cashier_id,
        sa.func.max(Sale.cashier_name),
        BASKETS,
        sa.func.sum(sa.case((Sale.kind == "return", 1), else_=0)),
        sa.func.sum(Sale.total_minor),
    )
    rows: dict[str, Row] = {}
    for key, name, sold, back, total in session.execute(sales.where(*period).group_by(Sale.cashier_id)):
        rows[key] = _cashier(key, name)
        rows[key] |= {"sales_count": int(sold), "returns_count": int(back), "total_minor": int(total)}
    lines = sa.select(
        Sale.cashier_id,
        sa.func.count(),
        sa.func.sum(SaleLine.manual_discount_minor),
        sa.func.sum(sa.case((sa.or_(SaleLine.price_type == "override", _LABELLED_LOWER), 1), else_=0)),
    ).join(SaleLine, JOINED)
    lines = lines.where(*period, SaleLine.qty > 0).group_by(Sale.cashier_id)
    for key, many, by_hand, overrides in session.execute(lines):
        rows[key] |= {"lines_count": int(many), "by_hand_minor": int(by_hand), "overrides_count": int(overrides)}
    shifts = sa.select(Shift.totals).where(Shift.store_id == store.id, Shift.business_day.between(first_day, last_day))
    for sums in session.scalars(shifts):
        for key, (name, count, minor) in (sums.get("corrections") or {}).items():
            row = rows.setdefault(key, _cashier(key, name))
            row["corrections_count"] += count
            row["corrections_minor"] += minor
    ordered = sorted(rows.values(), key=lambda row: (-row["total_minor"], row["name"]))
    columns: tuple[tuple[str, Shape], ...] = (
        ("name", "text"), ("sales_count", "count"), ("lines_count", "count"), ("total_minor", "money"),
        ("returns_count", "count"), ("by_hand_minor", "money"), ("overrides_count", "count"),
        ("corrections_count", "count"), ("corrections_minor", "money"),
    )  # fmt: skip
    return Report("cashier", first_day, last_day, columns, ordered, "total_minor")


def _cashier(key: str, name: str) -> Row:
    counts = ("sales_count", "returns_count", "total_minor", "lines_count", "by_hand_minor", "overrides_count")
    return {"cashier": key, "name": name} | dict.fromkeys((*counts, "corrections_count", "corrections_minor"), 0)


def _by_tender(session: Session, store: Store, first_day: dt.date, last_day: dt.date) -> Report:
    typed = sa.and_(Payment.provider.is_(None), Payment.tender.in_(on_slips()))
    taken = sa.case((sa.or_(Payment.amount_minor > 0, Payment.is_change), Payment.amount_minor), else_=0)
    query = sa.select(
        Payment.tender,
        sa.func.count(sa.distinct(Payment.sale_id)),
        sa.func.sum(taken),
        sa.func.sum(Payment.amount_minor),
        sa.func.sum(sa.case((typed, Payment.amount_minor), else_=0)),
    )
    counts = sa.or_(Payment.provider.is_(None), Payment.claimed_by == Payment.sale_id)
    same = sa.and_(Sale.store_id == Payment.store_id, Sale.id == Payment.sale_id)
    query = query.join(Sale, same).where(*of_period(store.id, first_day, last_day), Payment.state == "captured", counts)
    rows = [
        {
            "tender": tender,
            "sales_count": int(many),
            "taken_minor": int(taken),
            "total_minor": int(total),
            "typed_minor": int(typed),
        }
        for tender, many, taken, total, typed in session.execute(query.group_by(Payment.tender))
    ]
    for row in rows:
        row["given_minor"] = row["total_minor"] - row["taken_minor"]
    rows.sort(key=lambda row: (-row["total_minor"], row["tender"]))
    _share(rows, "total_minor")
    columns: tuple[tuple[str, Shape], ...] = (
        ("tender", "text"), ("sales_count", "count"), ("taken_minor", "money"), ("given_minor", "money"),
        ("total_minor", "money"), ("typed_minor", "money"), ("share_bp", "share"),
    )  # fmt: skip
    return Report("tender", first_day, last_day, columns, rows, "total_minor")


def _by_tax(session: Session, store: Store, first_day: dt.date, last_day: dt.date) -> Report:
    query = sa.select(
        SaleLine.tax_class_id,
        sa.func.coalesce(sa.func.max(TaxClass.name), SaleLine.tax_class_id),
        SaleLine.rate_bp,
        sa.func.sum(SaleLine.net_minor),
        sa.func.sum(SaleLine.tax_minor),
    )
    query = query.join(Sale, JOINED).outerjoin(TaxClass, TaxClass.id == SaleLine.tax_class_id)
    query = query.where(*of_period(store.id, first_day, last_day))
    query = query.group_by(SaleLine.tax_class_id, SaleLine.rate_bp).order_by(SaleLine.tax_class_id, SaleLine.rate_bp)
    rows = [
        {
            "tax": key,
            "tax_class": name,
            "rate_bp": rate_bp,
            "base_minor": int(net),
            "tax_minor": int(tax),
            "gross_minor": int(net + tax),
        }
        for key, name, rate_bp, net, tax in session.execute(query)
    ]
    columns: tuple[tuple[str, Shape], ...] = (
        ("tax_class", "text"), ("rate_bp", "share"), ("base_minor", "money"), ("tax_minor", "money"),
        ("gross_minor", "money"),
    )  # fmt: skip
    return Report("tax", first_day, last_day, columns, rows, "gross_minor")


def _shrink(session: Session, store: Store, first_day: dt.date, last_day: dt.date) -> Report:
    rows = [
        {"reason": row.reason, "lines_count": row.lines, "cost_minor": row.cost_minor, "value_minor": row.value_minor}
        for row in waste.shrink(session, store.id, first_day, last_day)
    ]
    columns: tuple[tuple[str, Shape], ...] = (
        ("reason", "text"), ("lines_count", "count"), ("cost_minor", "money"), ("value_minor", "money")
    )  # fmt: skip
    return Report("shrink", first_day, last_day, columns, rows, "value_minor")


KINDS: dict[str, Callable[[Session, Store, dt.date, dt.date], Report]] = {
    "day": _by_day,
    "hour": _by_hour,
    "product": _by_product,
    "category": _by_category,
    "margin": _by_margin,
    "cashier": _by_cashier,
    "tender": _by_tender,
    "tax": _by_tax,
    "shrink": _shrink,
}
"""The reports there are, in the order they are offered."""


# --- inside ---

_NEVER_SUMMED = frozenset({"basket_minor"})
_TOP_CATEGORY = sa.case((Product.department != "", Product.department), else_=Product.category)
_LABELLED_LOWER = sa.and_(
    SaleLine.price_type == "label",
    SaleLine.stock_unit != "gram",
    SaleLine.amount_minor * SaleLine.price_quantity < SaleLine.list_price_minor * SaleLine.qty,
)


def _earned(costed_minor: Any, cost_minor: Any) -> Row:
    costed, cost = int(costed_minor or 0), int(cost_minor or 0)
    return {
        "costed_minor": costed,
        "cost_minor": cost,
        "margin_minor": costed - cost,
        "margin_bp": share_bp(costed - cost, costed),
    }


def _share(rows: list[Row], measure: str) -> None:
    whole = sum(row[measure] for row in rows)
    for row in rows:
        row["share_bp"] = share_bp(row[measure], whole)
