"""The database doors: one declarative base, exact column types, and the only two ways in.

Rules
-----
1. A transaction is opened once, at the edge, by `Database.write()` or `Database.read()`; opening one inside
   another raises. Its session is in a registry of sessions (`sessions`) until it ends: the house's is `db.session`
   (`store_app/runtime/doors.py`).
2. On SQLite every transaction that may write begins IMMEDIATE (a deferred read that later writes fails at once
   when another writer has committed), in WAL mode with synchronous=FULL. Writers queue at `Turns`, first come first
   served, and the programs of a machine at a file lock, instead of SQLite's sleeping retry.
3. Effects outside the database are registered with `after_commit()`; they run after the commit and are safe to
   lose, because a job finds the row again.
4. Times are stored in UTC and come back aware; naive ones are refused.
5. A look at an SQLite file is begun at the driver, on a connection kept for looks: prepared statements and the ORM
   share its moment.
6. What every request asks (who is this, which store) is `remembered()` until anybody, in this program or another, has
   committed; only plain values are.
7. A fault says which statement failed and none of its values: they are people's, and a log is read by others.
8. A session knows the node's secret (`secret_of`), which is in no table and in no copy of the books.
"""

import datetime as dt
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.orm import DeclarativeBase, Session, registry, scoped_session, sessionmaker

from config.errors import Invalid

try:
    import fcntl
except ImportError:  # Windows: the programs of a machine meet at SQLite's own retry
    fcntl = None  # type: ignore[assignment]

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
BUSY_MS = 10_000
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    f"busy_timeout={BUSY_MS}",
    "wal_autocheckpoint=4000",
    "journal_size_limit=67108864",
    "recursive_triggers=ON",
)
"""How every SQLite connection is opened. A page changed by many sales is copied back once per checkpoint, so fewer of
them save work; what is committed lies in the log, synchronised, all the same. An INSERT OR REPLACE deletes: only with
recursive triggers does it meet the one that refuses."""
AMENDING = "amending"
"""What an SQLite file's triggers ask their connection: may this transaction change append-only rows? (`append_only`)"""
KEEPING = {"journal_mode": ("wal",), "synchronous": ("2",), "foreign_keys": ("1",)}
_KEPT_HERE = ("on", "remote_apply", "remote_write", "local")
KEEPING_ON_POSTGRES = {"fsync": ("on",), "full_page_writes": ("on",), "synchronous_commit": _KEPT_HERE}
"""Without these a power cut takes confirmed sales along, and a disk that cannot have them is no place for books."""
MOST_REMEMBERED = 256

Answer = TypeVar("Answer")
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
    """Return an engine for an SQLite or PostgreSQL address, set up by rule 2; its faults name no values (rule 7)."""
    if not url.startswith("sqlite"):
        return sa.create_engine(url, pool_pre_ping=True, hide_parameters=True)
    same = {"check_same_thread": False}
    # the last connection used goes out first: its pages are the freshest, every other one's were changed meanwhile
    return set_up_sqlite(sa.create_engine(url, connect_args=same, pool_use_lifo=True, hide_parameters=True))


def set_up_sqlite(engine: Engine) -> Engine:
    """Give an SQLite engine our pragmas and our own BEGIN; other engines are returned as they are."""
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()
        connection.create_function(AMENDING, -1, _door())

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # straight to the driver: every command begins here, and a look that was not begun for it (`Database.read`)
        kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        driver: Any = connection.connection.dbapi_connection
        if not driver.in_transaction:
            driver.execute(f"BEGIN {kind}")

    return engine


def _door() -> Callable[..., int]:
    """Return the function that a connection's triggers ask, shut; called with 1 it opens, with 0 it shuts again."""
    is_open = 0

    def amending(*wanted: int) -> int:
        nonlocal is_open
        is_open = wanted[0] if wanted else is_open
        return is_open

    return amending


def refuse_unsafe(engine: Engine) -> None:
    """Raise Invalid where a database would not keep what it confirms: no store may sell, no network take, on it."""
    is_sqlite = engine.dialect.name == "sqlite"
    word, wanted = ("PRAGMA", KEEPING) if is_sqlite else ("SHOW", KEEPING_ON_POSTGRES)
    with engine.connect() as connection:
        found = {name: str(connection.exec_driver_sql(f"{word} {name}").scalar()) for name in wanted}
    off = {name: value for name, value in found.items() if value not in wanted[name]}
    if off:
        reported = ", ".join(f"{name} is {value}, not {wanted[name][0]}" for name, value in off.items())
        advice = (
            "Put it on a disk of this computer: no network drive and no USB stick."
            if is_sqlite
            else "Set this for the server, the database and its role, let PostgreSQL read it, and start again."
        )
        raise Invalid(
            "unsafe-database", "The database could not save every sale (%(reported)s). %(advice)s", reported=reported,
            advice=advice, **off,
        )  # fmt: skip


_inside: ContextVar[str | None] = ContextVar("transaction", default=None)
_commits: ContextVar[int] = ContextVar("commits", default=0)


class Turns:
    """A lock whose waiters get it in the order in which they came; with a file, among all programs of the machine."""

    def __init__(self, file: Path | None = None) -> None:
        self._door = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Lock] = deque()
        self._file = file if fcntl is not None else None
        self._opened: tuple[int, int] | None = None  # process, descriptor: a forked child must open its own

    def __enter__(self) -> None:
        with self._door:
            mine = threading.Lock() if self._taken else None
            if mine is not None:
                mine.acquire()
                self._waiting.append(mine)
            self._taken = True
        if mine is not None:
            try:
                mine.acquire()  # whoever leaves hands the turn over
            except BaseException:
                self._give_up(mine)
                raise
        try:
            self._among_programs()
        except BaseException:
            self._hand_over()
            raise

    def __exit__(self, *_: object) -> None:
        try:
            if self._opened is not None:
                fcntl.flock(self._opened[1], fcntl.LOCK_UN)
        finally:
            self._hand_over()

    def close(self) -> None:
        """Let the file go."""
        if self._opened is not None and self._opened[0] == os.getpid():
            os.close(self._opened[1])
        self._opened = None

    def _among_programs(self) -> None:
        if self._file is None:
            return
        if self._opened is None or self._opened[0] != os.getpid():
            self._opened = os.getpid(), os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._opened[1], fcntl.LOCK_EX)

    def _hand_over(self) -> None:
        with self._door:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def _give_up(self, mine: threading.Lock) -> None:
        with self._door:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return
        self._hand_over()


class Database:
    """One database, its two doors, and what is remembered of it."""

    def __init__(self, engine: Engine, secret: str = "", sessions: scoped_session[Any] | None = None) -> None:
        self.engine = engine
        self._sessions: scoped_session[Any] = scoped_session(sessionmaker()) if sessions is None else sessions
        self.secret = secret or secrets.token_hex(32)
        self._sqlite = engine.dialect.name == "sqlite"
        file = engine.url.database if self._sqlite else None
        on_disk = bool(file) and file != ":memory:" and not str(file).startswith("file:")
        self._turns = Turns(Path(f"{file}.turn") if on_disk else None)
        self._watching = on_disk
        self._watch: Session | None = None
        self._writes: Connection | None = None
        self._idle: list[Connection] = []
        self._watching_alone = threading.Lock()
        self._memory: dict[Hashable, tuple[Any, Any]] = {}
        event.listen(engine, "engine_disposed", self._let_go)

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open the transaction of one command; commits at the end, rolls back on any exception."""
        turn = self._turns if self._sqlite else nullcontext()
        with _only_one("write"), turn:
            session: Session = self._sessions(bind=self._pen(), expire_on_commit=False)
            try:
                if self._sqlite:
                    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
                session.info["driver"], session.info["secret"] = None, self.secret
                yield session
                session.commit()
                _commits.set(_commits.get() + 1)
            except BaseException:
                session.rollback()
                raise
            finally:
                self._sessions.registry.clear()
                session.close()
        for effect in session.info.pop("after_commit", []):
            effect()

    @contextmanager
    def read(self) -> Iterator[Session]:
        """Open a read-only look; whatever is changed in it is thrown away."""
        with _only_one("read"):
            idle, line = self._idle, self._look()
            session: Session = self._sessions(bind=line or self.engine, expire_on_commit=False, autoflush=False)
            driver: Any = line.connection.dbapi_connection if line is not None else None
            try:
                if line is not None:
                    driver.execute("BEGIN")
                session.info["driver"], session.info["secret"] = driver, self.secret
                yield session
            finally:
                self._sessions.registry.clear()
                session.close()  # a rollback before it would empty what the page is about to show
                if line is not None:
                    driver.rollback()
                    self._keep(line, idle)

    def remembered(self, key: Hashable, question: Callable[[Session], Answer]) -> Answer:
        """Return what `question` answers on a line of its own, asked again once anything was committed (rule 6)."""
        if not self._watching:
            with Session(self.engine, autoflush=False) as look:
                return question(look)
        with self._watching_alone:
            look = self._watch or self._begin_watching()
            version = look.info["driver"].execute("PRAGMA data_version").fetchone()
            known = self._memory.get(key)
            if known is not None and known[0] == version:
                answer: Answer = known[1]
                return answer
            answer = question(look)
            look.rollback()  # nothing it read may be held: the log could not be copied back
            if len(self._memory) >= MOST_REMEMBERED:
                self._memory.clear()
            self._memory[key] = (version, answer)
            return answer

    def reopen(self) -> None:
        """Let every handle go while nobody writes: what comes next reads the file from the disk."""
        with self._turns if self._sqlite else nullcontext():
            self.engine.dispose()

    def _pen(self) -> Engine | Connection:
        """Return what writes are bound to: on SQLite's file, where they queue, one connection that is kept for them."""
        if not self._watching:
            return self.engine
        if self._writes is None or self._writes.closed or self._writes.invalidated:
            self._writes = self.engine.connect()
            self._writes.detach()
        return self._writes

    def _look(self) -> Connection | None:
        """Return what a look is bound to: on SQLite's file a connection kept for looks, the one used last first."""
        if not self._watching:
            return None
        try:
            return self._idle.pop()  # its pages are the freshest, every other one's were changed meanwhile
        except IndexError:
            line = self.engine.connect()
            line.detach()
            return line

    def _keep(self, line: Connection, idle: list[Connection]) -> None:
        if idle is self._idle:
            idle.append(line)
        else:  # the file was opened again meanwhile
            line.close()

    def _begin_watching(self) -> Session:
        """Open the one connection that never writes: SQLite's data version, as it sees it, moves at every commit."""
        line = self.engine.connect()
        line.detach()
        self._watch = Session(line, autoflush=False)
        self._watch.info["driver"] = line.connection.dbapi_connection
        return self._watch

    def _let_go(self, _engine: Engine) -> None:
        with self._watching_alone:
            if self._watch is not None:
                self._watch.get_bind().close()  # type: ignore[union-attr]
            self._watch = None
            self._memory.clear()
        kept, self._writes = self._writes, None
        looks, self._idle = self._idle, []
        for line in looks:
            line.close()
        if kept is not None and not kept.in_transaction():
            kept.close()
        self._turns.close()


def commits() -> int:
    """Return how many transactions this thread (or request) has committed through the doors."""
    return _commits.get()


def after_commit(session: Session, effect: Callable[[], None]) -> None:
    """Run `effect` once this transaction is committed; never if it is not."""
    session.info.setdefault("after_commit", []).append(effect)


def lock_rows(session: Session, query: Query) -> Query:
    """Add FOR UPDATE where the database has it (SQLite's writer is alone anyway)."""
    return query if dialect_of(session) == "sqlite" else query.with_for_update()


def secret_of(session: Session) -> str:
    """Return the node's secret, from which codes are derived (rule 8)."""
    secret: str = session.info["secret"]
    return secret


def dialect_of(session: Session) -> str:
    """Return the name of the session's database: 'sqlite' or 'postgresql'."""
    name: str | None = session.info.get("dialect")
    if name is None:
        name = session.info["dialect"] = session.get_bind().dialect.name
    return name


def insert_into(noun: type[Base], dialect: str) -> Any:
    """Return an INSERT that knows `on_conflict_do_update`, in the words of a database."""
    if dialect == "sqlite":
        return sqlite.insert(table_of(noun))
    from sqlalchemy.dialects import postgresql  # takes its time, and a store does without

    return postgresql.insert(table_of(noun))


def among(session: Session, column: Any, values: Iterable[str | int]) -> sa.ColumnElement[bool]:
    """Return the condition that a column is one of many values, which PostgreSQL gets as one array.

    A list of hundreds takes longer to write out, value by value, than to look up.
    """
    if dialect_of(session) == "sqlite":
        return cast("sa.ColumnElement[bool]", column.in_(values))
    return cast("sa.ColumnElement[bool]", column == sa.any_(sa.bindparam(None, list(values), sa.ARRAY(column.type))))


def days_later(session: Session, day: sa.ColumnElement[dt.date], days: int) -> sa.ColumnElement[dt.date]:
    """Return the day so many days after another one, or before it, reckoned by the database."""
    if dialect_of(session) == "sqlite":
        return sa.func.date(day, f"{days:+d} days", type_=sa.Date())
    return day + days


def driver_of(session: Session) -> Any:
    """Return the driver's own connection of the session's transaction; kept where the session ends with it."""
    found = session.info.get("driver")
    if found is None or session.get_nested_transaction() is not None:  # a savepoint begins when it is first asked
        found = session.connection().connection.dbapi_connection
        if "driver" in session.info:
            session.info["driver"] = found
    return found


def table_of(noun: type[Base]) -> sa.Table:
    """Return the table of a noun: statements on it, made once, cost a third of the same through the ORM."""
    return cast("sa.Table", noun.__table__)


def is_writing() -> bool:
    """Tell whether a command's transaction is open here."""
    return _inside.get() == "write"


@contextmanager
def _only_one(kind: str) -> Iterator[None]:
    if already := _inside.get():
        raise RuntimeError(f"a {kind} transaction was opened inside a {already} transaction")
    token = _inside.set(kind)
    try:
        yield
    finally:
        _inside.reset(token)
