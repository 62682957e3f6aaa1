"""A file of products brought in by the browser: looked at line by line first, written whole or not at all.

Rules
-----
1. Uploading writes nothing into the books: the file lies beside the database until it is brought in, given up, or a
   day old.
2. The file is checked again when it is brought in; a second click finds it gone and says so without a fault.
"""

import contextlib
import datetime as dt
from pathlib import Path
from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from config.errors import Invalid, NotFound, ShopError
from config.ids import is_id
from store_app import importing
from store_app.extensions import doors, write
from store_app.pages import form
from store_app.presenting import page, place
from store_app.security import requires

bp = Blueprint("bring_in", __name__, url_prefix="/products/bring-in")
bp.before_request(form.know_the_place)
SHOWN, FAULTS_SHOWN = 20, 200
KEPT_FOR = dt.timedelta(days=1)
KINDS = (".csv", ".xlsx", ".parquet")


@bp.get("/", endpoint="upload")
@requires("import")
def upload(fault: ShopError | None = None, **_file: str) -> Any:
    """Ask for a file and say what it has to hold."""
    needed, possible = importing.COLUMNS["products"]
    return page("products/bring_in.html", sheet=None, needed=list(needed), possible=list(possible), fault=fault)


@bp.post("/")
@requires("import")
@form.answers_on(upload)
def look() -> Any:
    """Keep the file and show its lines and all its faults."""
    command, sent = form.command_id(), request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("no-file", _("Choose a file first."), field="file")
    suffix = next((kind for kind in KINDS if sent.filename.lower().endswith(kind)), ".csv")
    raw = sent.read()
    try:
        sheet = importing.read("products", raw, f"file{suffix}")
    except ShopError as refusal:
        refusal.facts["field"] = "file"
        raise
    if not sheet.faults:
        kept = _folder() / f"{command}{suffix}"
        kept.write_bytes(raw)
        _forget_before(kept)
    return _preview(sheet, command)


@bp.post("/<file_id>")
@requires("import")
@form.answers_on(upload)
def bring_in(file_id: str) -> Any:
    """Write the file that was looked at."""
    path = _kept(file_id)
    sheet = importing.read("products", path)
    with write() as session:
        importing.write(session, sheet, str(place().store_id), actor=g.actor, at=doors().now())
    path.unlink(missing_ok=True)
    flash(ngettext("%(num)d product is in.", "%(num)d products are in.", sheet.rows), "good")
    return redirect(url_for("products.listed"), 303)


@bp.post("/<file_id>/give-up")
@requires("import")
@form.answers_on(upload)
def give_up(file_id: str) -> Any:
    """Throw the file away that was looked at."""
    with contextlib.suppress(NotFound):
        _kept(file_id).unlink(missing_ok=True)
    return redirect(url_for("bring_in.upload"), 303)


# --- inside ---


def _preview(sheet: importing.Sheet, file_id: str) -> Any:
    return page(
        "products/bring_in.html",
        status=422 if sheet.faults else 200,
        sheet=sheet,
        file_id=file_id,
        rows=list(zip(sheet.numbers, sheet.first(SHOWN), strict=False)),
        faults=sheet.faults[:FAULTS_SHOWN],
        fault=None,
    )


def _folder() -> Path:
    folder = doors().settings.state_folder / "brought"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _kept(file_id: str) -> Path:
    found = [path for kind in KINDS if (path := _folder() / f"{file_id}{kind}").is_file()] if is_id(file_id) else []
    if not found:
        raise NotFound(
            "file-gone", _("This file is not here any more: it was brought in or given up. Look at the list.")
        )
    return found[0]


def _forget_before(fresh: Path) -> None:
    """Throw away what is a day older than a fresh file, by the file system's own time."""
    before = fresh.stat().st_mtime - KEPT_FOR.total_seconds()
    for path in fresh.parent.iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()
