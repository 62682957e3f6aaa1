"""Reports: what was sold, from every side, as a chart and a table, down to the receipts; out as CSV, XLSX and PDF."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from babel.dates import get_day_names
from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.errors import Invalid, NotFound
from pos.reports import figures, reports
from pos.reports.figures import Figures, Overview
from pos.reports.reports import Report, Row
from pos.sold import NEWEST_FIRST, Sale
from pos.store.store import store_of
from store_app.files import exporting
from store_app.pages.common import charts, form, lists
from store_app.runtime.doors import doors, read
from store_app.web import presenting
from store_app.web.days import day_of
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words import stock
from store_app.words.reports import BEFORE, FIGURES, MEANINGS
from store_app.words.words import tender_word

bp = Blueprint("reports", __name__, url_prefix="/reports")
KIND_WORDS = {
    "day": _l("Days"), "hour": _l("Hours"), "product": _l("Products"), "category": _l("Categories"),
    "margin": _l("Margin"), "cashier": _l("Cashiers"), "tender": _l("Tenders"), "tax": _l("Tax"),
    "shrink": _l("Shrink"),
}  # fmt: skip
COLUMN_WORDS = {
    "day": _l("Day"), "hour": _l("Hour"), "name": _l("Name"), "sku": _l("SKU"), "qty": _l("Quantity"),
    "sales_count": _l("Number of sales"),
    "returns_count": _l("Returns"), "lines_count": _l("Lines"),
    "products_count": _l("Products"), "overrides_count": _l("Prices overridden"),
    "corrections_count": _l("Removed lines"), "corrections_minor": _l("Value removed"),
    "basket_minor": _l("Per basket"), "tax_minor": _l("Tax"),
    "base_minor": _l("Net"), "other_minor": _l("Deposits and vouchers"), "rounding_minor": _l("Rounding"),
    "gross_minor": _l("Gross"),
    "discount_minor": _l("Discounts"), "by_hand_minor": _l("Manual discounts"),
    "margin_bp": _l("Margin %"), "costed_minor": _l("Net sales with known cost"), "cost_minor": _l("At cost"),
    "share_bp": _l("Share"), "rate_bp": _l("Rate"), "tender": _l("Tender"), "tax_class": _l("Tax class"),
    "taken_minor": _l("Taken"), "typed_minor": _l("Including typed slips"), "given_minor": _l("Refunded"),
    "reason": _l("Reason"),
    "value_minor": _l("At shelf price"),
} | {name: _l(word) for name, word in FIGURES.items()}  # fmt: skip
PERIOD_WORDS = {
    "today": _l("Today"), "yesterday": _l("Yesterday"), "week": _l("Last 7 days"), "month": _l("This month"),
    "last-month": _l("Last month"), "own": _l("Custom period"),
}  # fmt: skip
SHOWN, MOST = 25, 1000
"""Rows on the page, and as many when all are asked for; the files hold every one."""
BARS, BEST, HEATS = 12, 5, 5
RECEIPTS_LIST = lists.Table(
    "receipts",
    (
        lists.Column("receipt_no", _l("Receipt"), "plain", by=Sale.receipt_no, look="lead"),
        lists.Column("business_day", _l("Day"), "date", by=Sale.business_day),
        lists.Column("completed_at", _l("Time"), "time", by=Sale.completed_at),
        lists.Column("cashier_name", _l("Cashier"), by=Sale.cashier_name),
        lists.Column("total_minor", _l("Total"), "money", by=Sale.total_minor, look="sum"),
    ),
    order=NEWEST_FIRST,
    keeps=("from", "to", *reports.COMMON),
)
"""A period's receipts that have something in common."""
DEFINITIONS = {name: _l(words) for name, words in MEANINGS.items()}
"""The figures of a period, each with what it means (`pos.reports.figures`)."""
RECEIPTS_BY = {"day": "day", "hour": "hour", "product": "sku", "margin": "sku", "category": "name",
               "cashier": "cashier", "tender": "tender", "tax": "tax"}  # fmt: skip
"""Report -> what its rows' receipts have in common."""
EMPTY_WORDS = {
    "day": (_l("Nothing was sold in this period"), _l("Choose another period, or ring up the first sale.")),
    "shrink": (
        _l("Nothing was lost in this period"),
        _l("Write-offs and missing stock appear here."),
    ),
}
"""Title and words of a report without rows."""


@dataclass(frozen=True)
class Period:
    """The days a report is asked for."""

    name: str
    first_day: dt.date
    last_day: dt.date


@bp.get("/")
@requires("reports")
def overview() -> Response:
    """Show one report; which and when stands in the address."""
    fault = None
    now = today()
    try:
        period = _period(now)
        found = _report(request.args.get("kind", "day"), period)
    except Invalid as refusal:
        fault, period = refusal, Period("week", now - dt.timedelta(days=6), now)
        found = _report("day", period)
    beside = _beside(period) if found.kind == "day" and found.rows else {}
    return page(
        "store/reports.html",
        ["report"],
        status=422 if fault else 200,
        fault=fault,
        kinds=KIND_WORDS,
        forms=[(suffix, suffix.upper()) for suffix in ("csv", "xlsx", "pdf")] + exporting.offered(doors().settings),
        periods=PERIOD_WORDS,
        period=period,
        report=found,
        rows=found.rows[: MOST if request.args.get("rows") == "all" else SHOWN],
        heads=[(name, COLUMN_WORDS[name], shape) for name, shape in found.columns if name not in _hidden(found.kind)],
        drawing=_drawing(found, beside.get("overview")),
        measure_word=COLUMN_WORDS[found.measure],
        margin_word=COLUMN_WORDS["margin_bp"],
        empty=EMPTY_WORDS.get(found.kind, EMPTY_WORDS["day"]),
        figure=_figure,
        receipts_of=_receipts_of,
        definitions=DEFINITIONS,
        columns=COLUMN_WORDS,
        **beside,
    )


@bp.get("/receipts")
@requires("reports")
def receipts() -> Response:
    """List a period's receipts that have in common what was clicked."""
    now = today()
    first_day, last_day = _day("from", now), _day("to", now)
    reports.check_period(first_day, last_day)
    only = {name: form.tidy(request.args[name]) for name in reports.COMMON if request.args.get(name)}
    numbers: dict[str, Any] = {
        name: form.number(only[name], name, most=most) for name, most in (("hour", 23), ("weekday", 6)) if name in only
    }
    with read() as look:
        store = store_of(look, str(place().store_id))
        shown = lists.show(RECEIPTS_LIST, reports.receipts(store, first_day, last_day, only | numbers))
        row = look.scalar(reports.named(only)) if {"sku", "cashier", "tax"} & only.keys() else None
    return shown.file or page(
        "store/report_receipts.html",
        period=Period("own", first_day, last_day),
        shown=shown,
        common=_common(only | numbers, row),
    )


@bp.get("/<kind>.<suffix>")
@requires("reports")
def export(kind: str, suffix: str) -> Response:
    """Give the whole report as a file: csv, xlsx, pdf or a plug-in's."""
    if kind not in reports.KINDS:
        raise NotFound("unknown-report", "Report not found. Choose one from the list.", kind=kind)
    found = _report(kind, _period(today()))
    name = f"{kind}-{found.first_day.isoformat()}-{found.last_day.isoformat()}"
    if suffix == "pdf":
        return _pdf(found, name)
    currency = place().currency
    head = [str(COLUMN_WORDS[name]) for name, _shape in found.columns]
    rows = [[exporting.cell(_plain(row, name), shape, currency) for name, shape in found.columns] for row in found.rows]
    return exporting.table_answer(doors().settings, suffix, name, head, rows)


# --- inside ---


def _pdf(found: Report, name: str) -> Response:
    """Return the page's table with its totals, on paper."""
    shown = [(name, shape) for name, shape in found.columns if name not in _hidden(found.kind)]
    rows = [[_figure(row, name, shape) for name, shape in shown] for row in found.rows]
    totals = [_figure(found.totals, *one) if one[0] in found.totals else "" for one in shown[1:]]
    days = " – ".join(dict.fromkeys(map(presenting.day, (found.first_day, found.last_day))))
    title = f"{place().name} · {KIND_WORDS[found.kind]} · {days}"
    head = [str(COLUMN_WORDS[name]) for name, _shape in shown]
    return exporting.pdf_answer(name, title, head, [*rows, [_("Total"), *totals]], presenting.speech())


def _beside(period: Period) -> dict[str, Any]:
    """Return what stands beside a period's days: the comparison, the hours of the week, the best and the worst."""
    with read() as look:
        store = store_of(look, str(place().store_id))
        found = figures.overview(look, store, period.first_day, period.last_day, at=doors().now())
        products = reports.report(look, store, "product", period.first_day, period.last_day)
        best, worst = reports.best_and_worst(look, store, products, BEST)
        hours = figures.hours(look, store, period.first_day, period.last_day)
    return {
        "overview": found, "best": best, "worst": worst,
        "compared": [(name, _value(found.figures, name), _changes(found, name)) for name in DEFINITIONS],
        "heat": _heat(hours), "weekdays": get_day_names("abbreviated", locale=presenting.speech().locale),
    }  # fmt: skip


def _of(found: Figures, name: str) -> int:
    """Return one of DEFINITIONS."""
    return found.sales_minor if name == "total_minor" else int(getattr(found, name))


def _value(found: Figures, name: str) -> str:
    value = _of(found, name)
    return presenting.money(value) if name.endswith("_minor") else presenting.number(value)


def _changes(found: Overview, name: str) -> list[tuple[str, int | None, str]]:
    """Return (before what, by how much, what it was) of a figure."""
    return [
        (_(BEFORE[key]), figures.change_bp(_of(found.figures, name), _of(one.figures, name)), _value(one.figures, name))
        for key, one in found.before.items()
    ]


def _heat(hours: Mapping[tuple[int, int], Figures]) -> dict[str, Any]:
    """Return the hours that had sales, and of each weekday and hour its figures and its heat, 0 to HEATS."""
    most = max((one.sales_minor for one in hours.values()), default=0)
    busy = [hour for _weekday, hour in hours]
    return {
        "hours": range(min(busy), max(busy) + 1) if busy else (),
        "cells": {
            key: (one, -(-HEATS * max(0, one.sales_minor) // most) if most > 0 else 0) for key, one in hours.items()
        },
    }


def _receipts_of(found: Report, row: Row | None = None, **only: Any) -> str:
    """Return the address of a period's receipts, of those of a row; '' where it has none."""
    days = {"from": found.first_day, "to": found.last_day}
    if row is not None:
        if found.kind not in RECEIPTS_BY:
            return ""
        value = row[RECEIPTS_BY[found.kind]]
        if found.kind == "day":
            days = {"from": value, "to": value}
        else:
            only = {"category" if found.kind == "category" else RECEIPTS_BY[found.kind]: value}
    return _receipts_at(days | only)


def _receipts_at(asked: dict[str, Any]) -> str:
    return url_for(".receipts", **asked)


def _common(only: Mapping[str, Any], name: str | None) -> str:
    """Say what receipts have in common."""
    said = [
        name if key in ("sku", "cashier", "tax") else tender_word(value) if key == "tender"
        else f"{value:02d}:00" if key == "hour"
        else get_day_names("wide", locale=presenting.speech().locale)[value] if key == "weekday" else value
        for key, value in only.items()
    ]  # fmt: skip
    return " · ".join(str(one) for one in said if one)


def _figure(row: Row, name: str, shape: str) -> str:
    """Write a figure of a row as people read it."""
    value = row[name]
    if value is None:
        return "–"
    written: dict[str, Any] = {
        "money": presenting.money, "share": lambda bp: presenting.percent(bp, 1), "day": presenting.day,
        "qty": lambda units: presenting.qty(units, row["stock_unit"]), "hour": lambda hour: f"{hour:02d}:00",
        "count": presenting.number,
    }  # fmt: skip
    return str(written[shape](value) if shape in written else _label(row, name))


def _report(kind: str, period: Period) -> Report:
    with read() as look:
        return reports.report(look, store_of(look, str(place().store_id)), kind, period.first_day, period.last_day)


def _period(now: dt.date) -> Period:
    name = request.args.get("period", "week")
    month = now.replace(day=1)
    known = {
        "today": (now, now),
        "yesterday": (now - dt.timedelta(days=1), now - dt.timedelta(days=1)),
        "week": (now - dt.timedelta(days=6), now),
        "month": (month, now),
        "last-month": ((month - dt.timedelta(days=1)).replace(day=1), month - dt.timedelta(days=1)),
    }
    if name in known:
        return Period(name, *known[name])
    return Period("own", _day("from", now), _day("to", now))


def _day(name: str, default: dt.date) -> dt.date:
    text = form.tidy(request.args.get(name, ""))[:10]
    if not text:
        return default
    if (found := day_of(text)) is None:
        raise Invalid("bad-day", "Enter a date such as 2026-03-02.", field=name)
    return found


def _plain(row: dict[str, Any], name: str) -> Any:
    return str(_label(row, name)) if name in ("tender", "reason") else row[name]


def _label(row: dict[str, Any], name: str) -> Any:
    """Return a name as people read it: a tender's or a reason's word."""
    if name == "tender":
        return tender_word(row[name])
    return stock.WASTE_REASONS.get(row[name], row[name]) if name == "reason" else row[name]


def _hidden(kind: str) -> tuple[str, ...]:
    """Return what the page says elsewhere than in a column of its own; the files hold every column."""
    of_days = ("other_minor", "rounding_minor", "discount_minor", "tax_minor", "returns_count") if kind == "day" else ()
    return ("sku",) if kind == "margin" else ("sku", "costed_minor", *of_days)


def _drawing(found: Report, beside: Overview | None) -> dict[str, Any] | None:
    """Return a report as its chart (`common/charts.js`): over time standing, the first rows of any other lying."""
    over_time = found.kind in ("day", "hour")
    rows = found.rows if over_time else [row for row in found.rows if row[found.measure] is not None][:BARS]
    if len(rows) < 2 and over_time:
        return None
    name, shape = found.columns[0]
    lines = [charts.amounts(str(COLUMN_WORDS[found.measure]), (row[found.measure] for row in rows))]
    for key, one in list(beside.before.items())[:1] if beside else ():
        before = (one.by_day[row["day"]].sales_minor if row["day"] in one.by_day else None for row in rows)
        lines.append(charts.amounts(_(BEFORE[key]), before))
    return charts.drawing(
        str(COLUMN_WORDS[name]), [_figure(row, name, shape) for row in rows], *lines,
        hrefs=[_receipts_of(found, row) for row in rows], lying=not over_time,
    )  # fmt: skip
