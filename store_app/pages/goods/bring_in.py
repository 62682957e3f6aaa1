"""A file of products brought in by the browser: looked at first (`uploads`), written whole or not at all, undone whole.

Rules
-----
1. What a person said of somebody else's list (`sheet.Sheet.answers`) goes along in the forms as hidden fields, until it
   is brought in: nothing of it is kept.
2. One form asks all that has to be known; every column can be chosen by hand besides.
"""

from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext

from config.errors import DomainError
from store_app.files import importing, product_imports
from store_app.files.product_columns import FIELDS
from store_app.files.sheet import Sheet
from store_app.pages.common import form, uploads
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires

bp = Blueprint("bring_in", __name__, url_prefix="/products/bring-in")
SHOWN = 20


@bp.get("/", endpoint="upload")
@requires("import")
def upload(fault: DomainError | None = None, **_file: str) -> ResponseReturnValue:
    """Ask for a file, say what it can hold, and list the last imports."""
    needed, possible = importing.COLUMNS["products"]
    with read() as session:
        imports = product_imports.recent(session, doors().settings.node_id)
    return page(
        "goods/products/bring_in.html", sheet=None, needed=list(needed), possible=list(possible), fault=fault,
        imports=imports, answers=_answers(),
    )  # fmt: skip


@bp.post("/")
@requires("import")
@form.answers_on(upload)
def look() -> ResponseReturnValue:
    """Keep the file and show its lines, all its faults, or what has to be said of it first."""
    sent = uploads.sent(_read)
    with read() as session:
        notes = importing.look_around(session, sent.sheet, str(place().store_id), at=doors().now())
    sent.keep()
    rows = list(zip(sent.sheet.numbers, sent.sheet.first(SHOWN), strict=False))
    return page(
        "goods/products/bring_in.html", rows=rows, notes=notes, labels=FIELDS if sent.sheet.found else {},
        fields=FIELDS, **sent.shown(),
    )  # fmt: skip


@bp.post("/<file_id>")
@requires("import")
@form.answers_on(upload)
def bring_in(file_id: str) -> ResponseReturnValue:
    """Write the file that was looked at."""
    sheet = uploads.kept(file_id, _read).sheet
    with write() as session:
        importing.write(acting(session), sheet, str(place().store_id))
    uploads.give_up(file_id)
    return form.done(ngettext("%(num)d product imported.", "%(num)d products imported.", sheet.rows), "bring_in.upload")


@bp.post("/<file_id>/give-up")
@requires("import")
@form.answers_on(upload)
def give_up(file_id: str) -> ResponseReturnValue:
    """Throw the file away that was looked at."""
    uploads.give_up(file_id)
    return redirect(url_for("bring_in.upload"), 303)


@bp.post("/imports/<import_id>/undo")
@requires("import")
@form.answers_on(upload)
def undo(import_id: str) -> ResponseReturnValue:
    """Take an import back as a whole."""
    with write() as session:
        count = product_imports.undo(acting(session), str(place().store_id), import_id)
    flash(ngettext("Undone: %(num)d product is as before.", "Undone: %(num)d products are as before.", count), "good")
    return redirect(url_for("bring_in.upload"), 303)


# --- inside ---


def _answers() -> dict[str, str]:
    """Return what a person said of the file (rule 1)."""
    known = ("outlet", "supplier")
    said = {
        key: form.tidy(value)[: form.WORDS]
        for key, value in request.form.items()
        if key in known or key.startswith(("column.", "tax."))
    }
    return {key: value for key, value in said.items() if value}


def _read(raw: bytes, name: str, **how: Any) -> Sheet:
    return importing.read("products", raw, name, answers=_answers() | {"store": place().name}, **how)
