"""The doors of the database, and the libraries that hang on the application.

Rules
-----
1. `write()` and `read()` are the only transactions there are; opening one inside another raises. While one is open,
   `db.session` is its session, on the books it was opened on, a practice store's too; otherwise there is none.
2. Whatever has no web (worker, commands) opens the same doors with `open_doors()`; `db.session` is then its thread's.
3. After a request's commit that left work behind (paper, facts, messages: `bell.leave_work`), `ring()` wakes the
   worker; a lost ring costs seconds, never work, because the jobs look for themselves.
"""

import contextlib
import datetime as dt
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, Request, current_app, g, has_app_context, has_request_context, request
from flask import session as signed
from flask.json.provider import DefaultJSONProvider
from flask_babel import Babel
from flask_bootstrap import Bootstrap5
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy import session as flask_session
from flask_wtf import CSRFProtect
from jinja2.bccache import Bucket, FileSystemBytecodeCache
from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.orm import Session
from werkzeug.local import LocalProxy

from config import private, retry
from config.clock import Clock, PracticeClock, SystemClock
from config.database import Base, Database, after_commit, make_engine, set_up_sqlite
from config.errors import Unreachable
from config.nodes.bell import Bell
from config.nodes.journal import Actor, Context
from config.settings import Settings
from supply import isolation

MOST_TOKENS = 256
View = TypeVar("View", bound=Callable[..., Any])


class DoorSession(flask_session.Session):
    """The session of an open door: all of it is asked of the books that the door was opened on (rule 1)."""

    def __init__(self, db: SQLAlchemy, bind: Engine | Connection | None = None, **options: Any) -> None:
        if bind is None:
            raise RuntimeError("no transaction is open: open read() or write() first")
        super().__init__(db, bind=bind, **options)

    def get_bind(self, *_whose: Any, bind: Engine | Connection | None = None, **_what: Any) -> Any:
        """Return what the door was opened on; Flask-SQLAlchemy would look for an engine of the application's."""
        return self.bind if bind is None else bind


def _scope() -> int:
    """Return whose session `db.session` is: the application context's, else the thread's (rule 2)."""
    return flask_session._app_ctx_id() if has_app_context() else threading.get_ident()  # noqa: SLF001


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"class_": DoorSession, "scopefunc": _scope})


class KeptTokens(CSRFProtect):  # type: ignore[misc]  # Flask-WTF ships no types
    """Flask-WTF's protection, which verifies a session's token once: a till sends the same one all day."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: set[tuple[str, str]] = set()

    def protect(self, apply_exemptions: bool = False) -> None:
        """Refuse what carries no valid token of this very session."""
        known = self._token()
        if known is not None and known in self._kept:
            g.csrf_valid = True
            return
        super().protect(apply_exemptions)
        if known is not None and g.get("csrf_valid"):  # not so where the view is exempt
            if len(self._kept) >= MOST_TOKENS:
                self._kept.clear()
            self._kept.add(known)

    def exempt(self, view: View) -> View:
        """Let a view take what carries no token."""
        super().exempt(view)
        return view

    @staticmethod
    def _token() -> tuple[str, str] | None:
        """Return the token in a program's header with what the session holds, where nothing else is looked at."""
        if request.method != "POST" or request.mimetype != "application/json" or request.is_secure:
            return None  # a form carries its own token, and over HTTPS the referrer counts too
        token, own = request.headers.get("X-CSRF-Token"), signed.get("csrf_token")
        return (token, own) if token and own else None


csrf = KeptTokens()
babel = Babel()
bootstrap = Bootstrap5()


class PlainJson(DefaultJSONProvider):
    """JSON as our programs read it: days and instants in ISO form, keys in our order."""

    sort_keys = False

    @staticmethod
    def default(value: Any) -> Any:
        """Write days and instants in ISO form; the rest as Flask does."""
        return value.isoformat() if isinstance(value, dt.date) else DefaultJSONProvider.default(value)


@dataclass(frozen=True)
class Doors:
    """What an edge of the house works with: database, clock, settings. is_practice: the books of a practice store."""

    database: Database
    clock: Clock
    settings: Settings
    is_practice: bool = False

    def write(self) -> AbstractContextManager[Session]:
        """Open the transaction of one command."""
        return self.database.write()

    def read(self) -> AbstractContextManager[Session]:
        """Open a read-only look."""
        return self.database.read()

    def now(self) -> dt.datetime:
        """Return the present instant."""
        return self.clock.now()

    @property
    def server_lock(self) -> Path | None:
        """The file beside an SQLite database that its one server holds; None on PostgreSQL."""
        url = self.database.engine.url
        return Path(f"{url.database}.serve") if url.get_backend_name() == "sqlite" else None

    @property
    def bell(self) -> Bell:
        """The node's bell, which wakes the worker."""
        return Bell(self.settings.state_folder / f"{self.settings.node_id}.bell")

    def ring(self) -> None:
        """Wake the worker; safe to lose."""
        self.bell.ring()


def open_doors(settings: Settings, clock: Clock | None = None) -> Doors:
    """Open the database of a node without any web."""
    private.folder(settings.state_folder)
    database = Database(make_engine(settings.database_url), private.node_secret(settings), db.session)
    return Doors(database, clock or clock_for(settings), settings)


def clock_for(settings: Settings) -> Clock:
    """Return the clock the settings name: the machine's, or a practice network's shared one."""
    return PracticeClock(settings.practice_clock) if settings.practice_clock else SystemClock()


class Asked(Request):
    """A request, whose fields come from one place: a form's from its body, a page's from its address."""

    @property
    def values(self) -> Any:
        """Return what was typed; an address adds nothing to a form and replaces nothing in it."""
        return self.form if self.method == "POST" else self.args


class Web(Flask):
    """The application; a command the database gave up for another's sake is done again (`config/retry.py`)."""

    request_class = Asked

    def dispatch_request(self) -> Any:
        """Answer the request, begun again where nothing of it was committed."""
        return retry.until_done(self._dispatch)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a view as it is: none of ours is a coroutine, and Flask looks at every request whether it is."""
        return func

    def _dispatch(self) -> Any:
        for upload in request.files.values() if "multipart" in (request.mimetype or "") else ():
            upload.seek(0)
        return super().dispatch_request()


class KeptTemplates(FileSystemBytecodeCache):
    """Templates compiled once and kept beside the books; a disk that will not take or give them costs time alone."""

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill the bucket where its template is kept."""
        with contextlib.suppress(OSError):
            super().load_bytecode(bucket)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template; its name and text tell later whether it is still the same."""
        with contextlib.suppress(OSError):
            Path(self.directory).mkdir(exist_ok=True)
            super().dump_bytecode(bucket)


def set_up(app: Flask, settings: Settings, clock: Clock | None) -> None:
    """Bind the libraries to the application and open its doors on the one engine there is."""
    private.folder(settings.state_folder)
    app.jinja_options = {"bytecode_cache": KeptTemplates(str(settings.state_folder / "templates")), **app.jinja_options}
    app.config["SQLALCHEMY_DATABASE_URI"] = _absolute(settings.database_url)
    db.init_app(app)
    with app.app_context():
        engine = set_up_sqlite(db.engine)
    database = Database(engine, app.config["SECRET_KEY"], db.session)
    app.extensions["cornerstore"] = Doors(database, clock or clock_for(settings), settings)
    csrf.init_app(app)
    bootstrap.init_app(app)


def own_doors() -> Doors:
    """Return the doors of the node's own books."""
    found: Doors = current_app.extensions["cornerstore"]
    return found


def doors() -> Doors:
    """Return the doors of the application that answers now; those of its practice store, where a browser practices.

    A request keeps the practice store it began on, though it is deleted meanwhile: it never goes on with the store's
    own books.
    """
    name = signed.get("practice") if has_request_context() else None
    if not name:
        return own_doors()
    kept: dict[str, Doors] = g.setdefault("practice_doors", {})
    found: Doors | None = kept.get(name) or current_app.extensions["cornerstore_practice"].doors(name)
    if found is None:
        _end_practice()
        return own_doors()
    kept[name] = found
    return found


def is_practice_over() -> bool:
    """Tell whether this request's practice store was deleted while it was answered, and end the practice if so."""
    name = signed.get("practice")
    is_over = name is not None and current_app.extensions["cornerstore_practice"].doors(name) is None
    if is_over:
        _end_practice()
    return is_over


def _end_practice() -> None:
    """Let no page of the practice store write into the store's own books."""
    for key in ("practice", "csrf_token"):
        signed.pop(key, None)


@contextmanager
def write() -> Iterator[Session]:
    """Open the transaction of one command; commits at the end, rolls back on any exception (rule 3)."""
    here = doors()
    with here.write() as session:
        session.info["ring"] = here.ring
        yield session


@contextlib.contextmanager
def rehearse(*, for_real: bool) -> Iterator[Session]:
    """Open a transaction whose work is undone at the end unless it is for real: practice runs the very same code."""
    with contextlib.suppress(_Undone), doors().write() as session:
        yield session
        if not for_real:
            raise _Undone


class _Undone(Exception):
    """Practice is over."""


def acting(session: Session) -> Context:
    """Return what a command needs: its transaction, who asks, and now."""
    return Context(session, g.actor, doors().now())


def read() -> AbstractContextManager[Session]:
    """Open a read-only look."""
    return doors().read()


clock: Clock = LocalProxy(lambda: doors().clock)  # type: ignore[assignment]
"""The node's clock: `clock.now()`."""


def wake_worker_after(session: Session) -> None:
    """Ring for the worker once this transaction is committed, for what it does not see: settings, plans, payments."""
    after_commit(session, doors().ring)


def _absolute(url: str) -> str:
    # Flask-SQLAlchemy would put a relative SQLite file into its instance folder
    parts = make_url(url)
    if parts.get_backend_name() != "sqlite" or not parts.database or parts.database == ":memory:":
        return url
    return parts.set(database=str(Path(parts.database).resolve())).render_as_string(hide_password=False)


@contextmanager
def alone(doors: Doors, work: str, scope_id: str, *, actor: Actor) -> Iterator[None]:
    """Do a store's or region's part of some work; what fails in it is noted and goes no further.

    It is `supply.isolation` for work that computes or reads between its transactions, where no savepoint can stand.

    Books that are away, and what is outside and does not answer, are nobody's odd row: the whole work waits.
    """
    try:
        yield
    except Unreachable:
        raise
    except Exception as fault:  # whatever one's rows are, the others' work is done
        if isolation.is_away(fault):
            raise
        with doors.write() as session:
            isolation.note(Context(session, actor, doors.now()), work, scope_id, fault)
