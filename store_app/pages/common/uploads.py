"""The road of a file that a browser sends: read, looked at, kept until it is confirmed, written once.

Rules
-----
1. A file lies beside the database until it is brought in, given up, or a day old; one with faults or questions, too,
   for it may be read in another way.
2. It is read and checked again when it is brought in; a second click finds it gone and says so without a fault.
3. A page gives the reading of its kind of file, says what it would do, and writes it.
4. What only a person can tell, the decimal mark or the encoding of a text, is asked while the file is kept (`facts` of
   the refusal: kept). The answer goes with the file, in the end of its name: `.comma.cp1250.csv`.
"""

import contextlib
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import request

from config.errors import DomainError, Invalid, NotFound
from config.ids import is_id
from pos.store import pictures
from pos.store.countries import country_of
from store_app.files.encodings import ENCODINGS
from store_app.files.plugged import IMPORTERS
from store_app.files.sheet import Sheet
from store_app.pages.common import form
from store_app.runtime import plugins
from store_app.runtime.doors import doors
from store_app.web import marks
from store_app.web.presenting import language, place

SUFFIXES = (".csv", ".xlsx", ".parquet", ".pq", ".ics")
KEPT_FOR = dt.timedelta(days=1)
FAULTS_SHOWN = 200
Reading = Callable[..., Sheet]
"""A page's reading of a file, as `importing.read` has it: its content, its name, and what somebody said of it."""
_FAULTY = ".faulty"
"""In the end of the name of a file that cannot be brought in as it was read."""
_ASKED = ("which-mark", "wrong-columns", "wrong-encoding", "unknown-encoding", "no-rows")
"""Refusals of a file that may be right, read in another way (rule 4)."""


@dataclass(frozen=True)
class Sent:
    """A file on its road: what was read of it, and as what it came. suffix: the end of its name (rule 4)."""

    id: str
    sheet: Sheet
    suffix: str
    raw: bytes

    def keep(self) -> None:
        """Keep it to be brought in later, or read in another way (rule 1)."""
        is_faulty = self.sheet.faults or self.sheet.asks
        _keep(self.id, f"{_FAULTY}{self.suffix}" if is_faulty else self.suffix, self.raw)

    def shown(self) -> dict[str, Any]:
        """Return what every page says of a file that is looked at."""
        faults = self.sheet.faults
        said = {"sheet": self.sheet, "file_id": self.id, "faults": faults[:FAULTS_SHOWN], "fault": None}
        return said | {"status": 422 if faults else 200, "encodings": ENCODINGS}


def sent(read: Reading) -> Sent:
    """Return the file of the form, or the one that it answers a question about; a refusal stands beside its field."""
    file_id, file = form.command_id(), request.files.get("file")
    if file is not None and file.filename:
        suffix = next((kind for kind in SUFFIXES if file.filename.lower().endswith(kind)), ".csv")
        raw = file.read()
    elif file_id := request.form.get("kept", ""):
        path = _path(file_id)
        mark, encoding, kind = _parts(path.name)
        said_mark, said_encoding = request.form.get("decimal", ""), request.form.get("encoding", "")
        mark = said_mark if said_mark in marks.MARKS else mark
        suffix = _suffix(mark, said_encoding if said_encoding in ENCODINGS else encoding, kind)
        raw = _bytes(path)
    else:
        raise Invalid("no-file", "Choose a file first.", field="file")
    try:
        sheet = read_as(read, raw, suffix)
    except DomainError as refusal:
        refusal.facts["field"] = "file"
        if refusal.code in _ASKED and suffix.endswith(".csv"):
            _keep(file_id, f"{_FAULTY}{suffix}", raw)
            refusal.facts |= {"kept": file_id, "encodings": ENCODINGS}
        raise
    mark, _encoding, kind = _parts(suffix)
    return Sent(file_id, sheet, _suffix(mark, sheet.encoding, kind), raw)


def photo() -> bytes:
    """Return the photo of the camera's field or of the file's, whichever was filled in; it is not opened here."""
    found = b""
    for one in request.files.getlist("photo"):
        with contextlib.closing(one):
            found = found or one.read(pictures.PHOTO_BYTES + 1)
    if not found:
        raise Invalid("no-file", "Take or choose a photo first.", field="photo")
    return found


def kept(file_id: str, read: Reading) -> Sent:
    """Return a file that was kept, read again; NotFound once it is gone (rule 2)."""
    path = _path(file_id)
    if _FAULTY in path.suffixes:
        raise _gone()
    suffix, raw = path.name.removeprefix(file_id), _bytes(path)
    return Sent(file_id, read_as(read, raw, suffix), suffix, raw)


def read_as(read: Reading, raw: bytes, suffix: str) -> Sheet:
    """Read a file as the end of its name says: its kind, before it what somebody said (rule 4)."""
    mark, encoding, kind = _parts(suffix)
    home = country_of(place().tz) or doors().settings.nation, language()
    importers = plugins.taking_part(IMPORTERS, doors().settings)
    return read(raw, f"file{kind}", mark=mark, encoding=encoding, home=home, importers=importers)


def give_up(file_id: str) -> None:
    """Throw a file away, one that was brought in too; one that is gone already stays so."""
    with contextlib.suppress(NotFound):
        _path(file_id).unlink(missing_ok=True)


# --- inside ---


def _parts(name: str) -> tuple[str, str, str]:
    """Return the mark, the encoding and the kind that the end of a name tells, '' for what it does not."""
    *said, kind = name.split(".")
    mark = next((one for one in said if one in marks.MARKS), "")
    return mark, next((one for one in said if one in ENCODINGS), ""), f".{kind}"


def _suffix(mark: str, encoding: str, kind: str) -> str:
    return "".join(f".{one}" for one in (mark, encoding) if one) + kind


def _keep(file_id: str, suffix: str, raw: bytes) -> None:
    give_up(file_id)
    kept = _folder() / f"{file_id}{suffix}"
    kept.write_bytes(raw)
    before = kept.stat().st_mtime - KEPT_FOR.total_seconds()  # by the file system's own time
    for path in kept.parent.iterdir():
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < before:
                path.unlink()


def _path(file_id: str) -> Path:
    found = [path for path in _folder().glob(f"{file_id}.*") if path.suffix in SUFFIXES] if is_id(file_id) else []
    if not found:
        raise _gone()
    return found[0]


def _bytes(path: Path) -> bytes:
    """Return a file's bytes; NotFound where somebody threw it away just now."""
    try:
        return path.read_bytes()
    except FileNotFoundError as gone:
        raise _gone() from gone


def _gone() -> NotFound:
    return NotFound("file-gone", "This file is no longer here: it was imported or discarded. Check the list.")


def _folder() -> Path:
    folder = doors().settings.state_folder / "brought"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
