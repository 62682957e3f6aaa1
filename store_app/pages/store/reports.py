"""Reports: what was sold, from every side, as a chart first and a table behind it; out as CSV and XLSX."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import lazy_gettext as _l

from config.errors import Invalid, NotFound
from pos.reports import reports
from pos.reports.reports import Report
from pos.store.store import store_of
from store_app.files import exporting
from store_app.pages.common import form
from store_app.runtime.doors import read
from store_app.web.days import day_of
from store_app.web.presenting import page, place, today
from store_app.web.security import requires
from store_app.words import stock
from store_app.words.words import tender_word

bp = Blueprint("reports", __name__, url_prefix="/reports")
KIND_WORDS = {
    "day": _l("Days"), "hour": _l("Hours"), "product": _l("Products"), "category": _l("Categories"),
    "margin": _l("Margin"), "cashier": _l("Cashiers"), "tender": _l("Tenders"), "tax": _l("Tax"),
    "shrink": _l("Shrink"),
}  # fmt: skip
COLUMN_WORDS = {
    "day": _l("Day"), "hour": _l("Hour"), "name": _l("Name"), "sku": _l("SKU"), "qty": _l("Quantity"),
    "sales_count": _l("Number of sales"), "returns_count": _l("Returns"), "lines_count": _l("Lines"),
    "products_count": _l("Products"), "overrides_count": _l("Prices overridden"),
    "corrections_count": _l("Removed lines"), "corrections_minor": _l("Value removed"),
    "total_minor": _l("Sales"),
    "basket_minor": _l("Per basket"), "tax_minor": _l("Tax"), "net_minor": _l("Net"), "gross_minor": _l("Gross"),
    "discount_minor": _l("Discounts"), "by_hand_minor": _l("Manual discounts"), "margin_minor": _l("Margin"),
    "margin_bp": _l("Margin %"), "costed_minor": _l("Net sales with known cost"), "cost_minor": _l("At cost"),
    "share_bp": _l("Share"), "rate_bp": _l("Rate"), "tender": _l("Tender"), "tax_class": _l("Tax class"),
    "taken_minor": _l("Taken"), "typed_minor": _l("Including typed slips"), "given_minor": _l("Refunded"),
    "reason": _l("Reason"),
    "value_minor": _l("At shelf price"),
}  # fmt: skip
PERIOD_WORDS = {
    "today": _l("Today"), "yesterday": _l("Yesterday"), "week": _l("Last 7 days"), "month": _l("This month"),
    "last-month": _l("Last month"), "own": _l("Custom period"),
}  # fmt: skip
SHOWN, MOST = 25, 1000
"""Rows on the page, and as many when all are asked for; the files hold every one."""
BARS = 12
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
    return page(
        "store/reports.html",
        ["report"],
        status=422 if fault else 200,
        fault=fault,
        kinds=KIND_WORDS,
        periods=PERIOD_WORDS,
        period=period,
        report=found,
        rows=found.rows[: MOST if request.args.get("rows") == "all" else SHOWN],
        heads=[(name, COLUMN_WORDS[name], shape) for name, shape in found.columns if name not in _hidden(found.kind)],
        chart=_chart(found),
        bars=_bars(found),
        measure_word=COLUMN_WORDS[found.measure],
        margin_word=COLUMN_WORDS["margin_bp"],
        empty=EMPTY_WORDS.get(found.kind, EMPTY_WORDS["day"]),
        label=_label,
    )


@bp.get("/<kind>.<suffix>")
@requires("reports")
def export(kind: str, suffix: str) -> Response:
    """Give the whole report as a file: csv or xlsx."""
    if kind not in reports.KINDS or suffix not in ("csv", "xlsx"):
        raise NotFound("unknown-report", "Report not found. Choose one from the list.", kind=kind)
    found = _report(kind, _period(today()))
    currency = place().currency
    head = [str(COLUMN_WORDS[name]) for name, _shape in found.columns]
    rows = [[exporting.cell(_plain(row, name), shape, currency) for name, shape in found.columns] for row in found.rows]
    name = f"{kind}-{found.first_day.isoformat()}-{found.last_day.isoformat()}"
    return exporting.csv_answer(name, head, rows) if suffix == "csv" else exporting.xlsx_answer(name, head, rows)


# --- inside ---


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
    return ("sku",) if kind == "margin" else ("sku", "costed_minor")


def _bars(found: Report) -> list[dict[str, Any]]:
    """Return the first rows as lying bars, its width in percent of the longest; none for a report over time."""
    if found.kind in ("day", "hour"):
        return []
    rows = [row for row in found.rows if row[found.measure] is not None][:BARS]
    most = max((abs(row[found.measure]) for row in rows), default=0)
    name = found.columns[0][0]
    return [
        {
            "name": _label(row, name),
            "minor": row[found.measure],
            "width": round(abs(row[found.measure]) * 100 / most, 1) if most else 0,
        }
        for row in rows
    ]


def _chart(found: Report) -> list[dict[str, Any]] | None:
    """Return the bars over time, each with its height in per mille; None where a table's own bars say it better."""
    if found.kind not in ("day", "hour") or len(found.rows) < 2:
        return None
    most = max((row[found.measure] for row in found.rows), default=0)
    if most <= 0:
        return None
    return [
        {
            "name": f"{row['hour']:02d}" if found.kind == "hour" else row["day"],
            "minor": row[found.measure],
            "height": max(0, row[found.measure]) * 1000 // most,
        }
        for row in found.rows
    ]
