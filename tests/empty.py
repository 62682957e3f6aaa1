"""An empty database with every table; quick, because an SQLite file is copied from one made once in a run."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from config.database import Base, Database, make_engine
from store_app import tables

OPENED: list[Database] = []
"""Every empty database that was opened and not closed again by the end of its test."""


def empty_database(where: Path | str) -> Database:
    """Open a new database at a path, or at an address; closed after the test that opened it."""
    database = _open(where)
    OPENED.append(database)
    return database


def close_those_since(count: int) -> None:
    """Close what was opened after the first `count`."""
    for database in OPENED[count:]:
        database.engine.dispose()
    del OPENED[count:]


def _open(where: Path | str) -> Database:
    if isinstance(where, Path):
        where.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(_empty_file(), where)
        return Database(make_engine(f"sqlite:///{where}"))
    tables.known()
    database = Database(make_engine(where))
    Base.metadata.create_all(database.engine)
    return database


@cache
def _empty_file() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="cornerstore-empty-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    tables.known()
    engine = make_engine(f"sqlite:///{folder / 'empty.db'}")
    Base.metadata.create_all(engine)
    engine.dispose()
    return folder / "empty.db"
