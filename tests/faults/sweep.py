"""Kill a command at every source line it runs, and hold the books beside what they were before.

A child made by fork sends the command through the whole application and is killed (SIGKILL) when the n-th line of the
watched files runs; n rises until the command runs through. After every death the books must be either exactly what
they were, row by row, or those of the whole command: then every check is made. The shared tool `killsweep.py` does the
same to a server through its port, one start per line; this one takes hundredths of a second per line.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from store_app import checking
from store_app.extensions import Doors
from tests.conftest import ROOT

WATCHED = tuple(f"{ROOT}/{folder}/" for folder in ("pos", "config", "store_app/api"))
MOST_POINTS = 20_000


@dataclass
class Swept:
    """What a sweep found. points: lines at which the command died; done: deaths after which all of it was there."""

    points: int = 0
    done: int = 0
    lines: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    ran_through: bool = False


def sweep(
    doors: Doors, command: Callable[[], int], holds: Callable[[], int], *, first: int = 1, stride: int = 1
) -> Swept:
    """Kill `command` at every `stride`-th line it runs, from the `first` on.

    command: sends it and returns the answer's status; it is made again after every death, as a till does.
    holds: how many times the books hold what it is to bring about: 0 before, 1 after.
    """
    file, found = Path(str(doors.database.engine.url.database)), Swept()
    kept, note = file.with_suffix(".kept"), file.with_suffix(".note")
    _rest(doors)
    _settle(file)
    shutil.copyfile(file, kept)
    before, files = rows_of(file), {path: path.read_bytes() for path in file.parent.glob("*.json")}
    for n in range(first, MOST_POINTS, stride):
        note.unlink(missing_ok=True)
        ended = _die_at(n, note, command)
        if ended == 0:
            found.ran_through = True
            break
        where = note.read_text() if note.exists() else f"no line at all, the child ended with {ended}"
        if not note.exists():
            found.broken.append(where)
            break
        found.points += 1
        found.lines.add(where)
        after = rows_of(file)
        if after == before:
            continue
        found.done += 1
        found.broken += [f"{where}: {fault}" for fault in _whole(doors, command, holds)]
        _put_back(doors, file, kept, files)
    if found.ran_through:
        found.broken += [f"run through: {fault}" for fault in _whole(doors, command, holds)]
        _put_back(doors, file, kept, files)
    kept.unlink()
    return found


def rows_of(file: Path) -> str:
    """Return a hash over every row of every table: two equal ones are the same books."""
    book = sqlite3.connect(file)
    try:
        if (answer := book.execute("pragma integrity_check").fetchone()[0]) != "ok":
            return f"integrity_check: {answer}"
        tables = book.execute("select name from sqlite_master where type = 'table' order by name").fetchall()
        summed = hashlib.sha256()
        for (table,) in tables:
            for row in book.execute(f'select * from "{table}" order by rowid'):
                summed.update(repr((table, row)).encode())
        return summed.hexdigest()
    finally:
        book.close()


def _whole(doors: Doors, command: Callable[[], int], holds: Callable[[], int]) -> Sequence[str]:
    """Return what is wrong with the books of the whole command, and with sending it once more."""
    faults = []
    for when in ("", "sent again: "):
        if when and (status := command()) not in (200, 201):
            faults.append(f"{when}answered {status}")
        if (times := holds()) != 1:
            faults.append(f"{when}it is held {times} times")
        faults += [f"{when}{finding}" for finding in checking.findings(doors)]
        faults += [f"{when}{fault}" for fault in checking.chain_faults(doors)]
    return faults


def _die_at(n: int, note: Path, command: Callable[[], int]) -> int:
    """Run the command in a child that dies at its n-th watched line; 0: it ran through and was answered well."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return 0 if status == 0 else status
    try:
        _arm(n, note)
        status = command()
        sys.settrace(None)
        os._exit(0 if status in (200, 201) else 3)
    except BaseException:
        sys.settrace(None)
        import traceback

        traceback.print_exc()
        os._exit(4)


def _arm(n: int, note: Path) -> None:
    left, watched = n, dict[Any, bool]()

    def line(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                note.write_text(f"{frame.f_code.co_filename.removeprefix(str(ROOT) + '/')}:{frame.f_lineno}")
                os.kill(os.getpid(), signal.SIGKILL)
        return line

    def call(frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        if code not in watched:
            watched[code] = code.co_filename.startswith(WATCHED)
        return line if watched[code] else None

    sys.settrace(call)


def _rest(doors: Doors) -> None:
    """Close every connection: a child must not inherit one."""
    doors.database.engine.dispose()


def _settle(file: Path) -> None:
    """Bring the log into the file, so that one file is all of the books."""
    book = sqlite3.connect(file)
    book.execute("pragma wal_checkpoint(truncate)")
    book.close()


def _put_back(doors: Doors, file: Path, kept: Path, files: dict[Path, bytes]) -> None:
    """Bring the kept books back by SQLite's own copying: a file must not be swapped under an open connection."""
    _rest(doors)
    source, target = sqlite3.connect(kept), sqlite3.connect(file)
    source.backup(target)
    target.close()
    source.close()
    _settle(file)
    for path, content in files.items():
        path.write_bytes(content)
