"""An empty database with every table; quick, because an SQLite file is copied from one made once in a run."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from config.database import Base, Database, make_engine
from store_app import tables


def empty_database(where: Path | str) -> Database:
    """Open a new database at a path, or at an address."""
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
