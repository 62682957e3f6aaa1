"""Bring a database to today's tables, or back: Alembic without any web, and only where there is something to do.

Rules
-----
1. One history serves SQLite and PostgreSQL.
2. All steps of an upgrade are one transaction: killed anywhere, or with a full disk, it leaves the tables it began
   with. Before an SQLite file is changed it is copied beside itself all the same.
3. Asking for the difference (`check`) needs every package's tables imported by the caller; upgrading does not.
4. A migration's file begins with its number, and the newest has the highest. So a start reads one folder and one row:
   Alembic, its scripts and a look through every foreign key took a fifth of it, and more the larger the books.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import Engine

from config.database import make_engine
from config.errors import Refused
from config.words import N_

if TYPE_CHECKING:
    from alembic.config import Config

NEWER = N_("A newer version created this database. Update the software first.")
FOLDER = Path(__file__).resolve().parent / "migrations"


def upgrade(database: str | Engine, revision: str = "head") -> str | None:
    """Bring a database up; returns the revision it has now. An SQLite file that must change is copied first.

    Books of a newer program are Refused.
    """
    engine = _engine(database)
    now, goal = current(engine), newest() if revision == "head" else revision
    if now == goal:
        return now
    if now is not None and not knows(now):
        raise Refused(
            "newer-books",
            NEWER,
            found=now,
        )
    from alembic import command

    keep_copy(engine)
    _with(engine, lambda configuration: command.upgrade(configuration, revision))
    return current(engine)


def downgrade(database: str | Engine, revision: str = "base") -> str | None:
    """Bring a database back to a revision; returns the revision it has now."""
    from alembic import command

    engine = _engine(database)
    keep_copy(engine)
    _with(engine, lambda configuration: command.downgrade(configuration, revision))
    return current(engine)


def current(database: str | Engine) -> str | None:
    """Return the revision of a database; None for an empty one."""
    with _engine(database).connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return found


def newest() -> str:
    """Return the newest revision there is."""
    return max(_revisions())


def knows(revision: str) -> bool:
    """Tell whether a revision is one of this program's; a newer program's is not."""
    return revision in _revisions()


def check(database: str | Engine) -> str | None:
    """Return how a database differs from today's tables, in Alembic's words; None when it does not."""
    from alembic import command
    from alembic.util import CommandError

    try:
        _with(_engine(database), command.check)
    except CommandError as fault:
        return str(fault)
    return None


def keep_copy(engine: Engine) -> Path | None:
    """Copy an SQLite file as `NAME.before-REVISION`; None where there is nothing to copy."""
    name = engine.url.database
    if engine.dialect.name != "sqlite" or not name or name == ":memory:" or not Path(name).exists():
        return None
    before = current(engine)
    if before is None:
        return None
    copy = Path(f"{name}.before-{newest() if before != newest() else 'downgrade'}")
    partly = copy.with_name(f"{copy.name}.part")
    try:
        with closing(sqlite3.connect(name)) as source, closing(sqlite3.connect(partly)) as target:
            source.backup(target)
        partly.replace(copy)
    finally:
        for rest in (partly, partly.with_name(f"{partly.name}-journal")):
            rest.unlink(missing_ok=True)  # half a copy is none, and takes the room it lacked
    return copy


def _revisions() -> set[str]:
    return {file.name.partition("_")[0] for file in (FOLDER / "versions").glob("[0-9]*_*.py")}


def _configuration() -> "Config":
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    return configuration


def _engine(database: str | Engine) -> Engine:
    return make_engine(database) if isinstance(database, str) else database


def _with(engine: Engine, act: Callable[["Config"], Any]) -> None:
    configuration = _configuration()
    configuration.attributes["connection"] = engine
    act(configuration)
