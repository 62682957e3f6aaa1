"""The database doors: one declarative base, exact column types, and the only two ways in.

Rules
-----
1. A transaction is opened once, at the edge, by `Database.write()` or `Database.read()`; opening one inside
   another raises.
2. On SQLite every transaction that may write begins IMMEDIATE (a deferred read that later writes fails at once
   when another writer has committed), in WAL mode with synchronous=FULL, writers of one process queueing at a lock
   instead of SQLite's sleeping retry.
3. Effects outside the database are registered with `after_commit()`; they run after the commit and are safe to
   lose, because a job finds the row again.
4. Times are stored in UTC and come back aware; naive ones are refused.
"""

import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.orm import DeclarativeBase, Session, registry

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
BUSY_MS = 10_000

Query = TypeVar("Query", bound=sa.Select[*tuple[Any, ...]])


class UtcDateTime(sa.TypeDecorator[dt.datetime]):
    """An aware instant: UTC in the database, aware UTC in Python (SQLite itself keeps no zone)."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Refuse naive times; store UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without a zone: {value}")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Give the zone back."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class Base(DeclarativeBase):
    """The base of every table."""

    # A registry of our own, not type_annotation_map on the class: Flask-SQLAlchemy copies the class body.
    registry = registry(
        metadata=sa.MetaData(naming_convention=NAMES),
        type_annotation_map={
            dt.datetime: UtcDateTime(),
            dt.date: sa.Date(),
            int: sa.BigInteger(),
            str: sa.Text(),
            dict[str, Any]: sa.JSON(),
            list[Any]: sa.JSON(),
        },
    )


def make_engine(url: str) -> Engine:
    """Return an engine for an SQLite or PostgreSQL address, set up by rule 2."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True)
    return set_up_sqlite(sa.create_engine(url, connect_args={"check_same_thread": False}))


def set_up_sqlite(engine: Engine) -> Engine:
    """Give an SQLite engine our pragmas and our own BEGIN; other engines are returned as they are."""
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}")

    return engine


_inside: ContextVar[str | None] = ContextVar("transaction", default=None)


class Database:
    """One database and its two doors."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._writer = threading.Lock()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open the transaction of one command; commits at the end, rolls back on any exception."""
        sqlite = self.engine.dialect.name == "sqlite"
        with _only_one("write"), Session(self.engine, expire_on_commit=False) as session:
            if sqlite:
                self._writer.acquire()
            try:
                if sqlite:
                    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
                yield session
                session.commit()
            except BaseException:
                session.rollback()
                raise
            finally:
                if sqlite:
                    self._writer.release()
        for effect in session.info.pop("after_commit", []):
            effect()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a read-only look; whatever is changed in it is thrown away."""
        with _only_one("read"), Session(self.engine, expire_on_commit=False, autoflush=False) as session:
            try:
                yield session
            finally:
                session.expunge_all()  # a rollback would empty what the page is about to show
                session.rollback()


def after_commit(session: Session, effect: Callable[[], None]) -> None:
    """Run `effect` once this transaction is committed; never if it is not."""
    session.info.setdefault("after_commit", []).append(effect)


def lock_rows(session: Session, query: Query) -> Query:
    """Add FOR UPDATE where the database has it (SQLite's writer is alone anyway)."""
    return query if session.get_bind().dialect.name == "sqlite" else query.with_for_update()


@contextmanager
def _only_one(kind: str) -> Iterator[None]:
    if already := _inside.get():
        raise RuntimeError(f"a {kind} transaction was opened inside a {already} transaction")
    token = _inside.set(kind)
    try:
        yield
    finally:
        _inside.reset(token)
