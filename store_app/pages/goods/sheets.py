"""Paper for any office printer: labels on sheets to peel off or cut, and every document as an A4 page."""

import datetime as dt
from collections.abc import Sequence

from flask import Blueprint, Response, g, make_response, request
from flask_babel import gettext as _
from flask_babel import ngettext

from config.errors import Invalid, NotFound
from pos.catalogue import catalogue
from pos.printing import queue
from pos.printing.queue import PrintJob
from pos.reports import slips
from pos.store.store import Store
from store_app.pages.common import form, labelling
from store_app.pages.common.waiting import stock_units
from store_app.pages.goods import product_list
from store_app.pages.goods.products import day_typed
from store_app.runtime.doors import doors, read
from store_app.web.presenting import day as day_words
from store_app.web.presenting import money, place, qty, today
from store_app.web.security import requires
from supply.shelf import plan as shelf_plan

bp = Blueprint("sheets", __name__)


@bp.get("/till/paper/<job_id>.pdf")
@requires("print")
def document(job_id: str) -> Response:
    """Give what was or will be printed as A4 pages, from the same frozen document, as this person may see it."""
    with read() as look:
        job = look.get(PrintJob, (doors().settings.node_id, job_id))
        seen = slips.seen_by(look, job, g.actor) if job is not None else {}
    if job is None:
        raise NotFound("no-paper", "There is no print with this number. Choose one from the list.")
    from pos.documents import pdf  # brings a drawing library along

    lines = queue.lay_out(job.kind, seen, columns=pdf.COLUMNS, copy_no=job.copy_no)
    return _pdf(pdf.document_pages(lines, job.kind), job.kind)


@bp.get("/prices/labels.pdf")
@requires("catalogue")
def price_labels() -> Response:
    """Give the labels of the prices that begin on a day."""
    day = day_typed("day") if request.args.get("day") else today()
    with read() as session:
        skus = product_list.beginning(session, str(place().store_id), day)
    return _labels(skus, day)


@bp.get("/shelf/labels.pdf")
@requires("shelf")
def shelf_labels() -> Response:
    """Give the labels of the bestseller shelf."""
    with read() as session:
        live = shelf_plan.live_plan(session, str(place().store_id))
        skus = [row.sku for row in shelf_plan.slots_of(session, live)] if live else []
    return _labels(skus, None)


@bp.get("/shelf/picture.pdf")
@requires("shelf")
def shelf_picture() -> Response:
    """Give the bestseller shelf as it should stand, with the labels of its places to cut out."""
    store_id = str(place().store_id)
    with read() as session:
        waiting = shelf_plan.plans(session, store_id, "approved")
        plan = shelf_plan.live_plan(session, store_id) or (waiting[0] if waiting else None)
        rows = shelf_plan.slots_of(session, plan) if plan else []
        prices = catalogue.prices_on(session, store_id, today(), [row.sku for row in rows])
        units = stock_units(session, [row.sku for row in rows])
        found = labelling.documents(session, [row.sku for row in rows if row.sku in prices])
        name = session.get_one(Store, store_id).name
    if plan is None:
        raise NotFound("no-plan", "There is no shelf plan to print. Accept one first.")
    from pos.documents import pdf

    places = [
        pdf.ShelfPlace(
            row.slot,
            row.name,
            row.facings,
            (
                ngettext("%(num)d facing", "%(num)d facings", row.facings),
                _("holds %(qty)s", qty=qty(row.fill_qty, units.get(row.sku, "each"))),
                *([money(prices[row.sku])] if row.sku in prices else []),
            ),
        )
        for row in rows
    ]
    below = _("%(store)s · from %(day)s", store=name, day=day_words(plan.from_day))
    return _pdf(pdf.shelf_picture(_("Bestseller shelf"), below, places, found), "shelf")


# --- inside ---


def _labels(skus: Sequence[str], day: dt.date | None) -> Response:
    from pos.documents import pdf

    sheet = pdf.SHEETS.get(request.args.get("sheet", "plain"))
    if sheet is None:
        raise Invalid("bad-choice", "Choose a label size from the list.", field="sheet")
    skip = form.number(request.args.get("skip") or "0", "skip", most=sheet.count - 1)
    if not skus:
        raise NotFound("no-label", "There is no label to print.")
    with read() as session:
        found = labelling.documents(session, skus[: labelling.MOST_LABELS], day)
    return _pdf(pdf.label_sheets(found, sheet, skip=skip), "labels")


def _pdf(made: bytes, name: str) -> Response:
    answer = make_response(made)
    answer.mimetype = "application/pdf"
    answer.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer
