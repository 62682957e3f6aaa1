"""The practice store: the real screens on books of their own, for one browser and one lesson.

Rules
-----
1. Whoever begins a lesson gets a small database beside the store's: its people, tills, products and prices, and what
   the lesson needs (`scenes`). No secret is copied (`SECRET_COLUMNS`): a guess made in practice meets nothing.
   From then on every page of this browser works on it; other browsers notice nothing.
2. Nothing leaves it: it knows no network, no printer and no terminal but the practice one, and its worker's bell rings
   nobody. Signing in, and the pages about people and the store's settings, are closed meanwhile (`security`).
3. Beginning and leaving change the browser's token: a page opened before belongs to the other books and is refused.
   The till's sales say whose they are (`practice`); one that says the other is refused, not booked.
4. A lesson is done when the practice store's journal tells every task of its learner (`supply.membership.training`,
   rule 1).
5. A sale or return practised at the till over the store's own books wants the permission, is undone, and leaves an
   entry in the journal and a count in the shift's totals: real money taken for it would be missed nowhere else.
6. A practice store is deleted when its lesson or its session ends, at the latest after KEPT. One person has MOST_EACH
   at a time, however many cookies they replay: another one ends their oldest. A node has MOST, each of MOST_PAGES.
   The store's own journal records their beginning and end, and nothing in them.
"""

import datetime as dt
import hashlib
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask, current_app, g, session
from sqlalchemy.orm import Session

from config import private
from config.database import Base, Database, make_engine
from config.errors import Conflict, NotFound, Refused
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Actor, Context
from pos.till import hand_cash
from store_app.practice import lessons, scenes
from store_app.runtime import tables
from store_app.runtime.doors import Doors, db, own_doors, read, rehearse
from store_app.runtime.protection import SECRET_COLUMNS
from store_app.web.security import can
from supply.membership import training
from supply.membership.training import Lesson

KEPT = dt.timedelta(hours=12)
MOST_EACH, MOST, MOST_PAGES = 2, 20, 8192
"""Practice stores of a person, of a node; SQLite's pages (4 KiB) of one of them (rule 6)."""
KEY, FILE = "practice", "store.db"
_NAMED = re.compile(r"[0-9a-f]{12}\.[\w-]+")
COPIED = (
    "node", "region", "tax_class", "store", "till", "staff", "role_limit", "product", "barcode", "listing", "price",
    "quick_page", "quick_key", "scan_scheme", "product_tare", "points_terms",
)  # fmt: skip
"""What a practice store takes over: who works here, what is sold and for how much; no past, no plans, no customers."""


@dataclass(frozen=True)
class LessonStatus:
    """How far the lesson at this browser is. done: of each task, in order."""

    lesson: Lesson
    done: tuple[bool, ...]
    note: str

    @property
    def is_over(self) -> bool:
        """Whether every task is done."""
        return all(self.done)


class PracticeStores:
    """The practice stores of a node that are open: name -> its doors."""

    def __init__(self, own: Doors) -> None:
        self._own = own
        self._open: dict[str, Doors] = {}
        self._alone, self._making = threading.Lock(), threading.Lock()

    @property
    def folder(self) -> Path:
        """Where they lie."""
        return self._own.settings.state_folder / "practice"

    def doors(self, name: str) -> Doors | None:
        """Return the doors of a practice store; None where it is gone."""
        with self._alone:
            if not (self.folder / name / FILE).exists():
                self._open.pop(name, None)
            elif name not in self._open:
                self._open[name] = self._doors(name)
            return self._open.get(name)

    def make(self, lesson: Lesson, learner: Actor, language: str) -> tuple[str, int, str]:
        """Make a practice store laid out for a lesson; returns its name, where its journal stands, and the card's note.

        The node's own books must not be open just now.
        """
        name = self._room_for(learner)
        tables.known()
        there = self._doors(name)
        Base.metadata.create_all(there.database.engine)
        with self._own.read() as books:
            taken = _taken_over(books, self._own.settings.node_id)
        with there.write() as copy:
            for table, rows in taken:
                copy.execute(sa.insert(table), rows)
            note = scenes.lay_out(copy, lesson.scene, self._own.settings.node_id, learner, language, at=there.now())
        with there.read() as copy:
            after_n = training.end_of(copy, self._own.settings.node_id)
        with self._alone:
            self._open[name] = there
        return name, after_n, note

    def close(self, name: str) -> None:
        """Delete a practice store; renamed first, so that a request still on it opens nothing, and no new file."""
        gone = self.folder / f"gone.{name}"
        with self._alone:
            if found := self._open.pop(name, None):
                found.database.engine.dispose()
            with suppress(OSError):  # already gone, or in use: the next sweep tries again
                (self.folder / name).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def _doors(self, name: str) -> Doors:
        folder = self.folder / name
        private.folder(folder)
        settings = self._own.settings.model_copy(
            update={
                "database_url": f"sqlite:///{folder / FILE}", "state_folder": folder, "network_url": "",
                "network_key": "", "printer": "", "printer_search": "", "payment_service": "practice", "notify": "log",
            }
        )  # fmt: skip
        engine = make_engine(settings.database_url)

        @sa.event.listens_for(engine, "connect")
        def bound(connection: Any, _record: Any) -> None:
            connection.execute(f"PRAGMA max_page_count={MOST_PAGES}")

        return Doors(Database(engine, sessions=db.session), self._own.clock, settings, is_practice=True)

    def sweep(self) -> list[Path]:
        """Delete what is too old, or was made by an earlier version (rule 6); returns what is left, oldest first."""
        now, left = dt.datetime.now(dt.UTC).timestamp(), []
        for path in self.folder.glob("*"):
            begun = path.stat().st_ctime if path.exists() else 0
            written = max((one.stat().st_mtime for one in path.glob(f"{FILE}*")), default=begun)
            if written < now - KEPT.total_seconds() or not _NAMED.fullmatch(path.name):
                self.close(path.name)
            else:
                left.append(path)
        return sorted(left, key=lambda path: path.name.partition(".")[2])  # ids sort by time

    def _room_for(self, learner: Actor) -> str:
        """Make the folder of another practice store, within the bounds of rule 6; returns its name."""
        owner = hashlib.sha256(learner.id.encode()).hexdigest()[:12]
        with self._making:
            left = self.sweep()
            theirs = [path.name for path in left if path.name.startswith(owner)]
            for name in theirs[: max(0, len(theirs) - MOST_EACH + 1)]:
                self.close(name)
                left = [path for path in left if path.name != name]
            if len(left) >= MOST:
                raise Refused(
                    "too-many-practice",
                    "Too many people are practicing. Try again when someone has finished.",
                )
            name = f"{owner}.{new_id()}"
            private.folder(self.folder / name)
        return name


def set_up(app: Flask) -> None:
    """Let this node's browsers practise."""
    app.extensions["cornerstore_practice"] = PracticeStores(app.extensions["cornerstore"])
    app.extensions["cornerstore_practice"].sweep()
    app.jinja_env.globals["practising"] = lambda: session.get("lesson") if session.get(KEY) else None


def begin(lesson: Lesson, language: str) -> None:
    """Let this browser practise a lesson from now on."""
    if session.get(KEY):
        leave()
    name, after_n, note = _stores().make(lesson, g.actor, language)
    session[KEY], session["lesson"] = name, lesson.id
    session["lesson_after"], session["lesson_note"] = str(after_n), note
    session.pop("csrf_token", None)
    _send("practice.begun", lesson=lesson.id)


def leave() -> None:
    """Go back to the store's own books."""
    name, lesson_id = session.pop(KEY, None), session.get("lesson")
    for key in ("lesson", "lesson_after", "lesson_note", "lesson_noted", "csrf_token"):
        session.pop(key, None)
    if name:
        _stores().close(name)
        _send("practice.ended", lesson=lesson_id)


def is_practising() -> bool:
    """Tell whether this browser stands in a practice store."""
    return bool(session.get(KEY))


def status(language: str) -> LessonStatus | None:
    """Return how far this browser's lesson is, and write it down once it is over; None where nobody practises."""
    if not is_practising():
        return None
    with own_doors().read() as books:
        lesson = lessons.find(books, session["lesson"], language)
    if lesson is None:
        raise NotFound("no-lesson", "Lesson not found. Choose one from the list.")
    node_id = own_doors().settings.node_id
    with read() as copy:
        done = training.done_of(
            copy, lesson.tasks, node_id=node_id, staff_id=g.actor.id, after_n=int(session["lesson_after"])
        )
    found = LessonStatus(lesson, tuple(done), session["lesson_note"])
    if found.is_over and not session.get("lesson_noted"):
        with own_doors().write() as books:
            training.note_done(Context(books, g.actor, own_doors().now()), node_id, lesson.id)
        session["lesson_noted"] = "yes"
    return found


@contextmanager
def booked(till_id: str, *, practice: bool) -> Iterator[Session]:
    """Open the transaction of a sale: undone at the end where it is practised over the store's own books (3, 5)."""
    if is_practising() and not practice:
        raise Conflict("practising", "This browser is in practice mode. Stop practicing, then take payment again.")
    over_own_books = practice and not is_practising()
    if over_own_books and not can("practice"):
        raise Refused("may-not-practise", "Your role can’t practice. Turn off practice mode, then take payment again.")
    with rehearse(for_real=not over_own_books) as books:
        yield books
    if over_own_books:
        _note(till_id)


# --- inside ---


def _send(verb: str, **facts: str | None) -> None:
    with own_doors().write() as books:
        subject, at = f"staff:{g.actor.id}", own_doors().now()
        journal.record(Context(books, g.actor, at), verb=verb, subject=subject, **facts)


def _note(till_id: str) -> None:
    """Journal and count what was practised (rule 5)."""
    with own_doors().write() as books:
        hand_cash.note_event(books, own_doors().settings.node_id, till_id, "practised")
        at = own_doors().now()
        journal.record(Context(books, g.actor, at), verb="practice.rung", subject=f"till:{till_id}")


def _stores() -> PracticeStores:
    found: PracticeStores = current_app.extensions["cornerstore_practice"]
    return found


def _taken_over(books: Session, store_id: str) -> list[tuple[sa.Table, list[dict[str, Any]]]]:
    """Return the rows of COPIED, of this store alone where a table knows stores."""
    taken = []
    for table in Base.metadata.sorted_tables:
        if table.name not in COPIED:
            continue
        query = table.select()
        for column in ("store_id", "node_id", "scope"):
            if column in table.c:
                query = query.where(table.c[column] == store_id)
        rows = [_without_secrets(table, row) for row in books.execute(query).mappings()]
        if rows:
            taken.append((table, rows))
    return taken


def _without_secrets(table: sa.Table, row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row whose secrets are empty (rule 1)."""
    return {name: ("" if not table.c[name].nullable else None) if name in SECRET_COLUMNS else value
            for name, value in row.items()}  # fmt: skip
