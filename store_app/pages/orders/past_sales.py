"""What the store sold before it sold here: a file of its old till, looked at first, laid in whole, taken back whole."""

from functools import partial
from typing import Any

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from config.errors import DomainError
from config.nodes import journal
from store_app.files import importing, past_sales
from store_app.files.past_sales import Past
from store_app.pages.common import charts, form, uploads
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import day, page, place
from store_app.web.security import requires
from supply.demand import rollups

bp = Blueprint("past_sales", __name__, url_prefix="/products/past-sales")
READ = partial(importing.read, "sales")
GOODS_SHOWN = 8


@bp.get("/", endpoint="upload")
@requires("import")
def upload(fault: DomainError | None = None, **_file: str) -> ResponseReturnValue:
    """Ask for a file, say what it has to hold, and what is here already."""
    with read() as session:
        here = rollups.imported_days(session, str(place().store_id))
    return page("goods/products/past_sales.html", sheet=None, here=here, fault=fault)


@bp.post("/")
@requires("import")
@form.answers_on(upload)
def look() -> ResponseReturnValue:
    """Keep the file and show what it tells, or all its faults."""
    sent, past = uploads.sent(READ), None
    if not sent.sheet.faults:
        with read() as session:
            past = past_sales.match(session, sent.sheet, str(place().store_id), at=doors().now())
    sent.keep()
    return page("goods/products/past_sales.html", **sent.shown(), **_reported(past))


@bp.post("/<file_id>")
@requires("import")
@form.answers_on(upload)
def bring_in(file_id: str) -> ResponseReturnValue:
    """Lay in what the file tells."""
    sheet = uploads.kept(file_id, READ).sheet
    with write() as session:
        said = importing.write(acting(session), sheet, str(place().store_id))
    uploads.give_up(file_id)
    return form.done(_("%(said)s Tonight’s forecast uses them.", said=said), "past_sales.upload")


@bp.post("/<file_id>/give-up")
@requires("import")
@form.answers_on(upload)
def give_up(file_id: str) -> ResponseReturnValue:
    """Throw the file away that was looked at."""
    uploads.give_up(file_id)
    return redirect(url_for("past_sales.upload"), 303)


@bp.post("/take-back")
@requires("import")
@form.answers_on(upload)
def take_back() -> ResponseReturnValue:
    """Take all of it back: what was rung up here stays."""
    store_id = str(place().store_id)
    with write() as session:
        days = rollups.forget_history(session, store_id)
        if days:
            journal.record(
                acting(session),
                verb="sales.taken_back",
                subject=f"store:{store_id}",
                days=days,
            )
    return form.done(ngettext("%(num)d day removed.", "%(num)d days removed.", days), "past_sales.upload")


# --- inside ---


def _reported(past: Past | None) -> dict[str, Any]:
    """Return what the page says of what a file tells."""
    if past is None:
        return {"past": None}
    weeks = past.weeks() if past.rows else []
    sold = charts.numbers(_("Sold"), (sold for _monday, sold in weeks), 1)
    return {
        "past": past, "stays_out": past_sales.stays_out(past), "most_sold": past.most_sold(GOODS_SHOWN),
        "weeks": weeks, "drawing": charts.drawing(_("Week"), [day(monday) for monday, _sold in weeks], sold),
    }  # fmt: skip
