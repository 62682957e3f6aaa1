"""An empty database with every table; quick, because an SQLite file is copied from one made once in a run."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from config.database import Base, Database, make_engine
from store_app.runtime import tables

OPENED: list[Database] = []
"""Every empty database that was opened and not closed again by the end of its test."""


def empty_database(where: Path | str) -> Database:
    """Open a new database at a path, or at an address; closed after the test that opened it."""
    if isinstance(where, Path):
        return database_from(_empty_file(), where)
    tables.known()
    OPENED.append(Database(make_engine(where)))
    Base.metadata.create_all(OPENED[-1].engine)
    return OPENED[-1]


def close_those_since(count: int) -> None:
    """Close what was opened after the first `count`."""
    for database in OPENED[count:]:
        database.engine.dispose()
    del OPENED[count:]


@contextmanager
def made_once() -> Iterator[None]:
    """Close what is opened inside: its files are the ones that others begin as a copy of."""
    opened = len(OPENED)
    yield
    close_those_since(opened)


def database_from(made: Path, where: Path) -> Database:
    """Open a copy of an SQLite file that was made once and closed; closed after the test that opened it."""
    where.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(made, where)
    OPENED.append(Database(make_engine(f"sqlite:///{where}")))
    return OPENED[-1]


def lasting_folder() -> Path:
    """Make a folder that lies until the program ends."""
    folder = Path(tempfile.mkdtemp(prefix="cornerstore-made-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@cache
def _empty_file() -> Path:
    folder = lasting_folder()
    tables.known()
    engine = make_engine(f"sqlite:///{folder / 'empty.db'}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return folder / "empty.db"
