"""A watched folder: each file in it is read once and then moved aside, with a sentence where it was not added.

Rules
-----
1. Only XML and PDF files that lie in it themselves, unchanged for SETTLED_S; no links.
2. What was added goes to `done`, all else to `rejected`, with its sentence in a text file of the same name. Nothing is
   overwritten.
"""

import os
import sys
import time
from pathlib import Path

from sqlalchemy.orm import Session

from config.errors import Unreachable, cause
from config.words import Language, language
from pos.store.store import store_of
from store_app.inbound.sources import FOLDER, MOST_FILES, Take, hash_of
from supply.receiving.documents import reading
from supply.receiving.documents.incoming import Arrival

KINDS = (".xml", ".pdf")
SETTLED_S = 3.0
DONE, REJECTED = "done", "rejected"


def look(path: Path, take: Take, say: Language) -> None:
    """Take in what lies in a folder (rules 1, 2)."""
    try:
        for file in _settled(path)[:MOST_FILES]:
            raw = _bytes(file)
            row = take(Arrival(hash_of(raw), file.name, FOLDER), raw)
            _put_aside(file, path, "" if row.state == "taken" else row.why.said(say))
    except OSError as fault:
        raise Unreachable(
            "folder-away", "The folder can’t be read or written: %(cause)s.", cause=cause(fault)
        ) from fault


def language_here(session: Session, store_id: str) -> Language:
    """Return the language sentences are left in."""
    return language(store_of(session, store_id).language)


# --- inside ---


def _settled(path: Path) -> list[Path]:
    latest = time.time() - SETTLED_S
    found = (one for one in path.iterdir() if one.suffix.lower() in KINDS and not one.is_symlink() and one.is_file())
    return sorted(one for one in found if one.stat().st_mtime <= latest)


def _bytes(file: Path) -> bytes:
    flags = os.O_RDONLY | (0 if sys.platform == "win32" else os.O_NOFOLLOW) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(file, flags), "rb") as opened:
        return opened.read(reading.MOST_BYTES + 1)


def _put_aside(file: Path, path: Path, sentence: str) -> None:
    aside = path / (REJECTED if sentence else DONE)
    aside.mkdir(exist_ok=True)
    n, target = 1, aside / file.name
    while target.exists():
        n += 1
        target = aside / f"{file.stem}-{n}{file.suffix}"
    file.rename(target)
    if sentence:
        target.with_name(f"{target.name}.txt").write_text(f"{sentence}\n", "utf-8")
