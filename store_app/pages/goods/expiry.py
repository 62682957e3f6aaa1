"""Dates: what expires when, what to take off its price, the labels for it, and the way to write it off."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid
from config.nodes.journal import Context
from pos.documents import labels
from pos.printing import queue
from pos.stock import batches, markdown, waste
from pos.stock.batches import Expiring
from pos.stock.markdown import Marking
from pos.store.store import Till
from store_app.pages.common import find_product, form
from store_app.runtime.doors import doors, read, write
from store_app.web.days import day_of
from store_app.web.presenting import page, place, speech, today
from store_app.web.security import requires
from store_app.words import stock

bp = Blueprint("expiry", __name__, url_prefix="/stock/dates")
SPANS = (3, 7, 14, 30)
PERCENTS = (10, 20, 30, 40, 50, 60, 70, 80, 90)
MOST_LABELS = 50


@dataclass(frozen=True)
class LotView:
    """A lot that leaves soon, and what a reduced price would be."""

    lot: Expiring
    price_minor: int | None
    proposed: int
    marked: Marking | None
    prices: list[tuple[int, int]]


@bp.get("/")
@requires("stock.look")
def calendar(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show what leaves within some days, by day, the earliest first."""
    asked = request.args.get("days", "7")
    days = int(asked) if asked in {str(one) for one in SPANS} else 7
    store_id = str(place().store_id)
    with read() as session:
        rows = batches.expiring(session, store_id, day=today(), within_days=days)
        worth = waste.worths(session, store_id, sorted({row.sku for row in rows}), today())
        marked = markdown.running(session, store_id, today())
    views = [_view(row, worth[row.sku].price_minor, marked.get((row.sku, row.expires_on))) for row in rows]
    groups: dict[dt.date, list[LotView]] = {}
    for view in views:
        groups.setdefault(view.lot.expires_on, []).append(view)
    return page(
        "goods/expiry/calendar.html",
        groups=[(day, stock.days_left((day - today()).days), some) for day, some in groups.items()],
        days=days,
        spans=SPANS,
        today_day=today(),
        percents=PERCENTS,
        fault=fault,
    )


@bp.post("/reduce")
@requires("offers")
@form.answers_on(calendar)
def reduce() -> ResponseReturnValue:
    """Reduce a lot's price until its last day, and print a label for every piece."""
    command, store_id, at = form.command_id(), str(place().store_id), doors().now()
    percent = form.whole("percent", least=1, most=99)
    number = form.whole("labels", least=1, most=MOST_LABELS)
    qty = form.whole("qty", least=1) if "qty" in request.form else number
    last_day = form.date_on_pack("expires_on")
    if last_day is None:
        raise Invalid("bad-date", "Check the date on the pack.", field="expires_on")
    with write() as session:
        product = find_product.product_of(session, request.form.get("sku", ""))
        if not _is_queued(session, store_id, command):
            document = markdown.mark_down(
                Context(session, g.actor, at),
                store_id,
                product.sku,
                expires_on=last_day,
                percent_bp=percent * 100,
                qty=qty,
                batch=form.text("batch", most=40) or None,
            )
            _print(session, store_id, command, document, number, at)
    flash(
        ngettext(
            "%(name)s marked down. Printing %(num)d label.",
            "%(name)s marked down. Printing %(num)d labels.",
            number,
            name=product.shown,
        ),
        "good",
    )
    return redirect(url_for("expiry.calendar", days=request.args.get("days")), 303)


@bp.get("/label/<sku>/<expires_on>/<percent>")
@requires("stock.look")
def label(sku: str, expires_on: str, percent: str) -> ResponseReturnValue:
    """Show the label as it would print."""
    share = form.number(percent, "percent", least=1, most=99)
    with read() as session:
        product, price_minor = find_product.product_of(session, sku), find_product.price_of(session, sku)
        if (last_day := day_of(expires_on)) is None:
            raise Invalid("bad-date", "Check the date on the pack.", field="expires_on")
        code = markdown.code_of(session, sku, None, last_day)
    document = {
        "sku": product.sku,
        "name": product.called(place().language),
        "pack_text": _("Marked down · until %(day)s", day=speech().day(last_day)),
        "price_minor": markdown.reduced_minor(price_minor or 0, share * 100),
        "was_minor": price_minor,
        "price_quantity": product.price_quantity,
        "stock_unit": product.stock_unit,
        "currency": place().currency,
        "language": place().language,
        "barcode": None,
    } | ({"url": code} if code else {})
    return page(
        "goods/expiry/label.html",
        svg=labels.label_svg(document, place().language),
        product=product,
        has_code=bool(code),
    )


# --- inside ---


def _view(row: Expiring, price_minor: int | None, marked: Marking | None) -> LotView:
    prices = [] if price_minor is None else [
        (percent, markdown.reduced_minor(price_minor, percent * 100)) for percent in PERCENTS
    ]  # fmt: skip
    return LotView(row, price_minor, markdown.propose_bp(row.days_left) // 100, marked, prices)


def _is_queued(session: Session, store_id: str, command: str) -> bool:
    query = sa.select(queue.PrintJob.id).where(queue.PrintJob.store_id == store_id, queue.PrintJob.source_id == command)
    return session.scalar(query.limit(1)) is not None


def _print(
    session: Session, store_id: str, command: str, document: dict[str, Any], number: int, at: dt.datetime
) -> None:
    till_id = session.scalar(sa.select(Till.id).where(Till.store_id == store_id).order_by(Till.id).limit(1))
    for _n in range(number if till_id else 0):
        queue.queue(session, store_id, str(till_id), queue.Printout("label", command, document), at=at)
