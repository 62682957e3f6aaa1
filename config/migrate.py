"""Bring a database to today's tables, or back: Alembic without any web.

Rules
-----
1. One history serves SQLite and PostgreSQL.
2. Before an SQLite file is changed it is copied beside itself, so that a failed upgrade loses nothing.
3. Asking for the difference (`check`) or writing a revision needs every package's tables imported by the caller;
   upgrading does not.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine

from config.database import make_engine

FOLDER = Path(__file__).resolve().parent / "migrations"


def upgrade(database: str | Engine, revision: str = "head") -> str | None:
    """Bring a database up; returns the revision it has now. An SQLite file that must change is copied first."""
    engine = _engine(database)
    if current(engine) != newest():
        keep_copy(engine)
    _with(engine, lambda configuration: command.upgrade(configuration, revision))
    return current(engine)


def downgrade(database: str | Engine, revision: str = "base") -> str | None:
    """Bring a database back to a revision; returns the revision it has now."""
    engine = _engine(database)
    keep_copy(engine)
    _with(engine, lambda configuration: command.downgrade(configuration, revision))
    return current(engine)


def current(database: str | Engine) -> str | None:
    """Return the revision of a database; None for an empty one."""
    with _engine(database).connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str | None:
    """Return the newest revision there is."""
    return ScriptDirectory.from_config(_configuration()).get_current_head()


def knows(revision: str) -> bool:
    """Tell whether a revision is one of this program's; a newer program's is not."""
    return any(script.revision == revision for script in ScriptDirectory.from_config(_configuration()).walk_revisions())


def check(database: str | Engine) -> str | None:
    """Return how a database differs from today's tables, in Alembic's words; None when it does not."""
    try:
        _with(_engine(database), command.check)
    except CommandError as fault:
        return str(fault)
    return None


def write_revision(database: str | Engine, number: str, message: str) -> None:
    """Write the next revision from the difference between a database and today's tables (rule 3)."""
    _with(
        _engine(database),
        lambda configuration: command.revision(configuration, message, autogenerate=True, rev_id=number),
    )


def keep_copy(engine: Engine) -> Path | None:
    """Copy an SQLite file as `NAME.before-REVISION`; None where there is nothing to copy."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:" or not Path(name).exists():
        return None
    before = current(engine)
    if before is None:
        return None
    copy = Path(f"{name}.before-{newest() if before != newest() else 'downgrade'}")
    source, target = sqlite3.connect(name), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        source.close()
        target.close()
    return copy


def _configuration() -> Config:
    configuration = Config()
    configuration.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return configuration


def _engine(database: str | Engine) -> Engine:
    return make_engine(database) if isinstance(database, str) else database


def _with(engine: Engine, act: Callable[[Config], Any]) -> None:
    configuration = _configuration()
    configuration.attributes["connection"] = engine
    act(configuration)
