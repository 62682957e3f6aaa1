"""Kill a command at every source line it runs, and hold the books beside what they were before.

The command runs once to hear its lines. Then a child made by fork sends it through the whole application and is killed
(SIGKILL) as it reaches a line of the watched files for the first time, another as it does so for the last time, and so
on for every line. After every death the books must be either exactly what they were, row by row, or those of the whole
command: then every check is made. The shared tool `killsweep.py` does the same to a server through its port, one start
per line; this one takes hundredths of a second per line.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from store_app.node import checking
from store_app.runtime.doors import Doors
from tests.conftest import ROOT

WATCHED = tuple(f"{ROOT}/{folder}/" for folder in ("pos", "supply", "config", "store_app/api"))
Point = tuple[str, int]
"""A line, "file:number", and which of its runs."""


@dataclass
class Swept:
    """What a sweep found. points: deaths; done: deaths after which all of it was there; missed: not reached again."""

    points: int = 0
    done: int = 0
    lines: set[str] = field(default_factory=set)
    broken: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)


def sweep(doors: Doors, command: Callable[[], int], holds: Callable[[], int], *, stride: int = 1) -> Swept:
    """Kill `command` at the first and at the last run of every line, or of every `stride`-th.

    command: sends it and returns the answer's status; it is made again after every death, as a till does.
    holds: how many times the books hold what it is to bring about: 0 before, 1 after.
    """
    file, found = Path(str(doors.database.engine.url.database)), Swept()
    kept, note = file.with_suffix(".kept"), file.with_suffix(".note")
    _rest(doors)
    _settle(file)
    shutil.copyfile(file, kept)
    before, files = rows_of(file), {path: path.read_bytes() for path in file.parent.glob("*.json")}
    if (status := command()) not in (200, 201):  # in this process, so that every child has its caches
        found.broken.append(f"the command answered {status} when nothing killed it")
    found.broken += [f"run through: {fault}" for fault in _whole(doors, command, holds)]
    _put_back(doors, file, kept, files)
    ended = _run(command, lambda: _hear(note))
    found.broken += [] if ended == 0 else [f"the command ended with {ended} when nothing killed it"]
    points = _points(note.read_text().splitlines()) if ended == 0 else []
    _put_back(doors, file, kept, files)
    untouched = _stamp(file)
    for point in points[stride - 1 :: stride]:
        note.unlink(missing_ok=True)
        ended = _run(command, lambda at=point: _die_at(at, note))
        where = "{} ({})".format(*point)
        if note.exists():
            found.points += 1
            found.lines.add(point[0])
        elif ended == 0:
            found.missed.append(where)
        else:
            found.broken.append(f"{where}: not reached, the child ended with {ended}")
        if _stamp(file) == untouched or rows_of(file) == before:
            continue
        found.done += 1
        found.broken += [f"{where}: {fault}" for fault in _whole(doors, command, holds)]
        _put_back(doors, file, kept, files)
        untouched = _stamp(file)
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
    """Return what is wrong with the books of the whole command, and with sending it again."""
    faults = []
    for when in ("", "sent again: "):
        if when and (status := command()) not in (200, 201):
            faults.append(f"{when}answered {status}")
        if (times := holds()) != 1:
            faults.append(f"{when}it is held {times} times")
        faults += [f"{when}{finding}" for finding in checking.findings(doors)]
        faults += [f"{when}{fault}" for fault in checking.chain_faults(doors)]
    return faults


def _points(heard: Sequence[str]) -> list[Point]:
    """Return the first and the last run of every line, in the order in which they come."""
    runs, last = Counter[str](), dict[str, int]()
    points: dict[Point, int] = {}
    for n, place in enumerate(heard):
        runs[place] += 1
        last[place] = n
        points.setdefault((place, 1), n)
    points |= {(place, times): last[place] for place, times in runs.items()}
    return sorted(points, key=lambda point: points[point])


def _stamp(file: Path) -> tuple[int, ...]:
    """Return what changes when the books do: the file's size and time, and how long its log is."""
    log = file.with_name(file.name + "-wal")
    reported = file.stat()
    return reported.st_size, reported.st_mtime_ns, log.stat().st_size if log.exists() else 0


def _run(command: Callable[[], int], arm: Callable[[], Any]) -> int:
    """Run the command in a child that traces itself as `arm` says; 0: it ran through and was answered well."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1]
    try:
        finish = arm()
        status = command()
        sys.settrace(None)
        if finish is not None:
            finish()
        os._exit(0 if status in (200, 201) else 3)
    except BaseException:
        sys.settrace(None)
        import traceback

        traceback.print_exc()
        os._exit(4)


def _hear(note: Path) -> Callable[[], object]:
    """Write every watched line down as it runs; returns what ends it."""
    heard: list[str] = []
    _trace(heard.append)
    return lambda: note.write_text("\n".join(heard))


def _die_at(point: Point, note: Path) -> None:
    place, left = point

    def at(here: str) -> None:
        nonlocal left
        if here == place:
            left -= 1
            if left == 0:
                note.write_text(here)
                os.kill(os.getpid(), signal.SIGKILL)

    _trace(at, only=place)


def _trace(at: Callable[[str], object], only: str = "") -> None:
    """Call `at` with every watched line as it runs; only: with those of its file alone."""
    names = dict[Any, str]()
    wanted = only.rpartition(":")[0]

    def line(frame: FrameType, event: str, _: Any) -> Any:
        if event == "line":
            at(f"{names[frame.f_code]}:{frame.f_lineno}")
        return line

    def call(frame: FrameType, event: str, _: Any) -> Any:
        code = frame.f_code
        if code not in names:
            name = code.co_filename.removeprefix(f"{ROOT}/") if code.co_filename.startswith(WATCHED) else ""
            names[code] = name if not wanted or name == wanted else ""
        return line if names[code] else None

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
