"""A file of products brought in by the browser: looked at first (`uploads`), written whole or not at all."""

from functools import partial

from flask import Blueprint, flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from config.errors import DomainError
from store_app.files import importing
from store_app.pages.common import form, uploads
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires

bp = Blueprint("bring_in", __name__, url_prefix="/products/bring-in")
bp.before_request(form.know_the_place)
SHOWN = 20
READ = partial(importing.read, "products")


@bp.get("/", endpoint="upload")
@requires("import")
def upload(fault: DomainError | None = None, **_file: str) -> ResponseReturnValue:
    """Ask for a file and say what it has to hold."""
    needed, possible = importing.COLUMNS["products"]
    return page("goods/products/bring_in.html", sheet=None, needed=list(needed), possible=list(possible), fault=fault)


@bp.post("/")
@requires("import")
@form.answers_on(upload)
def look() -> ResponseReturnValue:
    """Keep the file and show its lines and all its faults."""
    sent = uploads.sent(READ)
    with read() as session:
        importing.look_around(session, sent.sheet, str(place().store_id), at=doors().now())
    sent.keep()
    rows = list(zip(sent.sheet.numbers, sent.sheet.first(SHOWN), strict=False))
    return page("goods/products/bring_in.html", rows=rows, **sent.shown())


@bp.post("/<file_id>")
@requires("import")
@form.answers_on(upload)
def bring_in(file_id: str) -> ResponseReturnValue:
    """Write the file that was looked at."""
    sheet = uploads.kept(file_id, READ).sheet
    with write() as session:
        importing.write(acting(session), sheet, str(place().store_id))
    uploads.give_up(file_id)
    flash(ngettext("%(num)d product imported.", "%(num)d products imported.", sheet.rows), "good")
    return redirect(url_for("products.listed"), 303)


@bp.post("/<file_id>/give-up")
@requires("import")
@form.answers_on(upload)
def give_up(file_id: str) -> ResponseReturnValue:
    """Throw the file away that was looked at."""
    uploads.give_up(file_id)
    return redirect(url_for("bring_in.upload"), 303)
