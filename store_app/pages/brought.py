"""Files that were brought by the browser and are looked at before anything is written.

Rules
-----
1. An uploaded file lies beside the database until it is brought in, given up, or a day old.
2. It is checked again when it is brought in; a second click finds it gone and says so without a fault.
"""

import contextlib
import datetime as dt
from pathlib import Path

from flask import request
from flask_babel import gettext as _

from config.errors import Invalid, NotFound, ShopError
from config.ids import is_id
from store_app import importing
from store_app.extensions import doors

SUFFIXES = (".csv", ".xlsx", ".parquet", ".ics")
KEPT_FOR = dt.timedelta(days=1)


def sent_file() -> tuple[str, bytes]:
    """Return the file of the form as (suffix, content)."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        raise Invalid("no-file", _("Choose a file first."), field="file")
    return next((kind for kind in SUFFIXES if sent.filename.lower().endswith(kind)), ".csv"), sent.read()


def sent_sheet(kind: str) -> tuple[importing.Sheet, str, bytes]:
    """Return the file of the form as (sheet of that kind, suffix, content); a refusal stands beside its field."""
    suffix, raw = sent_file()
    try:
        return importing.read(kind, raw, f"file{suffix}"), suffix, raw
    except ShopError as refusal:
        refusal.facts["field"] = "file"
        raise


def keep(file_id: str, suffix: str, raw: bytes) -> None:
    """Keep a file to be brought in later (rule 1)."""
    kept = _folder() / f"{file_id}{suffix}"
    kept.write_bytes(raw)
    before = kept.stat().st_mtime - KEPT_FOR.total_seconds()  # by the file system's own time
    for path in kept.parent.iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()


def kept_file(file_id: str) -> Path:
    """Return the file that was kept; NotFound once it is gone (rule 2)."""
    found = [path for kind in SUFFIXES if (path := _folder() / f"{file_id}{kind}").is_file()] if is_id(file_id) else []
    if not found:
        raise NotFound(
            "file-gone", _("This file is not here any more: it was brought in or given up. Look at the list.")
        )
    return found[0]


def give_up(file_id: str) -> None:
    """Throw a file away; one that is gone already stays so."""
    with contextlib.suppress(NotFound):
        kept_file(file_id).unlink(missing_ok=True)


def _folder() -> Path:
    folder = doors().settings.state_folder / "brought"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
