"""Files by plug-ins: what reads a form of file that we do not know, and what writes tables in one.

Rules
-----
1. A plug-in reads and writes in a child process (`child_process`) with its limits, and ends there whatever it does.
2. An importer is asked whether a file is its own, by the content alone, before the program reads it as a table. One
   that raises or keeps silent then has said no. What it reads goes on as any table does: the heading first, then rows
   of text or numbers.
3. An exporter gets a table as the other forms of file get it (`exporting`): texts, whole numbers, Decimals, days.
4. What fails ends in a sentence that names the plug-in, and nothing is written.
"""

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from config import private
from config.errors import DomainError, Refused
from config.plugins import Door, Plugin, TakingPart, label, load, make
from config.words import N_
from store_app.runtime.child_process import read_apart

RECOGNIZE_S = 5.0
MOST_BYTES = 50_000_000
_SUFFIX, _MEDIA = re.compile(r"[a-z0-9]{1,8}"), re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}")
_LIMITS = ("file-too-slow", "file-takes-too-much", "unreadable-file")


class Importer(Protocol):
    """What a plug-in for importing makes (rule 2)."""

    def recognizes(self, raw: bytes) -> bool:
        """Tell whether a file is of its form."""
        ...

    def rows(self, raw: bytes) -> Iterable[Sequence[str | int | Decimal]]:
        """Yield the heading, then the rows; raises Invalid with a sentence for a file that is broken."""
        ...


class Exporter(Protocol):
    """What a plug-in for exporting makes (rule 3)."""

    @property
    def suffix(self) -> str:
        """Return how the file's name ends, without the dot."""
        ...

    @property
    def media(self) -> str:
        """Return the media type."""
        ...

    def write(self, title: str, head: Sequence[str], rows: Iterable[Sequence[str | int | Decimal | dt.date | None]]
              ) -> bytes:  # fmt: skip
        """Return the file."""
        ...


def whose(raw: bytes, importers: TakingPart) -> str:
    """Return the plug-in that says a file is its own, '' where none does (rule 2)."""
    for name, entered in importers.entered.items():
        try:
            if next(read_apart(recognize, name, entered, importers.folder, raw, limit_s=RECOGNIZE_S), False) is True:
                return name
        except DomainError:
            continue
    return ""


def asked(door: Door[Any], name: str, part: TakingPart, call: Any, *given: Any, **how: Any) -> Iterator[Any]:
    """Ask a plug-in in a child; what its limits ended is said of the plug-in (rule 4). how: `read_apart`'s."""
    try:
        return read_apart(call, name, part.entered[name], part.folder, *given, **how)
    except DomainError as fault:
        raise (_refusal(door, name) if fault.code in _LIMITS else fault) from None


def written(
    name: str, exporters: TakingPart, title: str, head: Sequence[str], table: Sequence[Any]
) -> tuple[str, str, bytes]:
    """Return (suffix, media type, content) of a table as an exporter writes it (rules 3, 4)."""
    said = list(asked(EXPORTERS, name, exporters, export, title, list(head), list(table)))
    match said:
        case [str(suffix), str(media), bytes(content)] if (
            _SUFFIX.fullmatch(suffix) and _MEDIA.fullmatch(media) and len(content) <= MOST_BYTES
        ):
            return suffix, media, content
    raise _refusal(EXPORTERS, name)


# --- in the child ---


def recognize(name: str, entered: Mapping[str, Any], folder: Path, raw: bytes) -> Iterator[bool]:
    """Yield whether a file is a plug-in's own."""
    try:
        yield _made(IMPORTERS, name, entered, folder).recognizes(raw) is True
    except (Exception, SystemExit):  # rule 2
        yield False


def rows(name: str, entered: Mapping[str, Any], folder: Path, raw: bytes) -> Iterator[list[str | int | Decimal]]:
    """Yield the rows a plug-in reads, of texts and numbers alone."""
    try:
        for row in _made(IMPORTERS, name, entered, folder).rows(raw):
            yield _cells(row)
    except (DomainError, MemoryError):
        raise
    except (Exception, SystemExit) as fault:
        raise _refusal(IMPORTERS, name) from fault


def export(
    name: str, entered: Mapping[str, Any], folder: Path, title: str, head: Sequence[str], table: Sequence[Any]
) -> Iterator[Any]:
    """Yield suffix, media type and content of a plug-in's file."""
    try:
        made = _made(EXPORTERS, name, entered, folder)
        yield from (made.suffix, made.media, made.write(title, head, table))
    except (DomainError, MemoryError):
        raise
    except (Exception, SystemExit) as fault:
        raise _refusal(EXPORTERS, name) from fault


# --- inside ---


def _refusal(door: Door[Any], name: str) -> Refused:
    words = N_("%(plugin)s could not read this file. Save the file again, or as CSV.")
    if door is EXPORTERS:
        words = N_("%(plugin)s could not write the file. Choose CSV instead.")
    return Refused("plugin-fault", words, plugin=label(door, name))


def _made(door: Door[Any], name: str, entered: Mapping[str, Any], folder: Path) -> Any:
    found = load(door.group, name)
    if not isinstance(found, Plugin):
        raise _refusal(door, name)
    return make(door, found, found.settings.model_validate(entered), private.folder(folder / name))


def _cells(row: Any) -> list[str | int | Decimal]:
    if isinstance(row, str):
        raise TypeError("a text is no row")
    return list(map(_plain, row))


def _plain(cell: Any) -> str | int | Decimal:
    if isinstance(cell, bool) or not isinstance(cell, str | int | Decimal):
        raise TypeError("neither a text nor a number")
    return cell


def _importer(_name: str, made: Any) -> Importer:
    if not (callable(made.recognizes) and callable(made.rows)):
        raise TypeError("no importer")
    importer: Importer = made
    return importer


def _exporter(_name: str, made: Any) -> Exporter:
    if not (_SUFFIX.fullmatch(made.suffix) and _MEDIA.fullmatch(made.media) and callable(made.write)):
        raise TypeError("no exporter")
    exporter: Exporter = made
    return exporter


IMPORTERS = Door("importers", N_("Imports"), _importer)
EXPORTERS = Door("exporters", N_("Exports"), _exporter, at=("store",))
