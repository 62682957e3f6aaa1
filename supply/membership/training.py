"""Training: lessons the network wrote, and how far each member of staff has come.

Rules
-----
1. A lesson is done when every task was done in practice by the learner: the practice shop's journal says so, and
   nothing else. Doing it again counts the times; the first day stays.
2. The network's lessons are published to the shops, one text per language. A lesson taken back is no longer shown;
   what was learnt with it stays.
3. Progress is the person's and the shop's: it is no fact and does not leave the shop.
"""

import datetime as dt
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import NotFound
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Actor, JournalEntry
from supply.membership import lesson_text
from supply.membership.lesson_text import TASKS, Lesson, Task


class NetworkLesson(Base):
    """A lesson of the network, as it is written. texts: language -> text."""

    __tablename__ = "network_lesson"

    id: Mapped[str] = mapped_column(primary_key=True)
    texts: Mapped[dict[str, Any]]
    written_by: Mapped[str]
    written_at: Mapped[dt.datetime]
    taken_back_at: Mapped[dt.datetime | None]


class LessonDone(Base):
    """That a person has done a lesson: when first, when last, how often."""

    __tablename__ = "lesson_done"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(primary_key=True)
    lesson_id: Mapped[str] = mapped_column(primary_key=True)
    first_at: Mapped[dt.datetime]
    last_at: Mapped[dt.datetime]
    times: Mapped[int]


# --- verbs, network ---


def write(session: Session, text: str, *, lesson_id: str | None = None, actor: Actor, at: dt.datetime) -> NetworkLesson:
    """Write a lesson, or its text in another language, or anew; Invalid names the line to mend."""
    row = session.get(NetworkLesson, lesson_id) if lesson_id else None
    if lesson_id and row is None:
        raise NotFound("no-lesson", "There is no such lesson. Choose one from the list.")
    if row is None:
        row = NetworkLesson(id=f"n-{new_id()}", texts={})
        session.add(row)
    lesson = lesson_text.read(row.id, text)
    row.texts = {**row.texts, lesson.language: text.replace("\r\n", "\n")}
    row.written_by, row.written_at, row.taken_back_at = actor.name, at, None
    journal.record(
        session, actor=actor, at=at, verb="lesson.written", subject=f"lesson:{row.id}", language=lesson.language
    )
    session.flush()
    return row


def take_back(session: Session, lesson_id: str, *, actor: Actor, at: dt.datetime) -> None:
    """Show a lesson no longer (rule 2)."""
    row = session.get(NetworkLesson, lesson_id)
    if row is None:
        raise NotFound("no-lesson", "There is no such lesson. Choose one from the list.")
    if row.taken_back_at is None:
        row.taken_back_at = at
        journal.record(session, actor=actor, at=at, verb="lesson.taken_back", subject=f"lesson:{row.id}")


def edition(session: Session) -> dict[str, Any]:
    """Return the network's lessons as the shops take them over; nothing before there is any."""
    rows = session.scalars(sa.select(NetworkLesson).order_by(NetworkLesson.id)).all()
    shown = [
        [row.id, row.texts, row.written_by, row.written_at.isoformat()] for row in rows if row.taken_back_at is None
    ]
    return {"lessons": shown} if rows else {}


# --- verbs, store ---


def take_edition(session: Session, body: dict[str, Any]) -> None:
    """Take over the network's lessons in place of those there were; a text that cannot be read leaves the old ones."""
    rows = []
    for lesson_id, texts, written_by, written_at in body["lessons"]:
        for text in texts.values():
            lesson_text.read(lesson_id, text)
        at = dt.datetime.fromisoformat(written_at)
        rows.append(NetworkLesson(id=lesson_id, texts=texts, written_by=written_by, written_at=at))
    session.execute(sa.delete(NetworkLesson))
    session.add_all(rows)


def note_done(session: Session, store_id: str, lesson_id: str, *, actor: Actor, at: dt.datetime) -> LessonDone:
    """Write down that a person has done a lesson (rule 1); whoever calls has asked `done_of` in the practice shop."""
    row = session.get(LessonDone, (store_id, actor.id, lesson_id))
    if row is None:
        row = LessonDone(store_id=store_id, staff_id=actor.id, lesson_id=lesson_id, first_at=at, times=0)
        session.add(row)
    row.last_at, row.times = at, row.times + 1
    journal.record(session, actor=actor, at=at, verb="lesson.done", subject=f"lesson:{lesson_id}", times=row.times)
    session.flush()
    return row


# --- questions ---


def lessons(session: Session) -> list[NetworkLesson]:
    """Return the network's lessons that are shown, the oldest first."""
    query = sa.select(NetworkLesson).where(NetworkLesson.taken_back_at.is_(None))
    return list(session.scalars(query.order_by(NetworkLesson.id)))


def in_language(row: NetworkLesson, language: str) -> Lesson:
    """Return a network lesson in a language, or in the one it has."""
    texts = row.texts
    return lesson_text.read(row.id, texts.get(language) or next(iter(texts.values())))


def done_by(session: Session, store_id: str) -> dict[tuple[str, str], LessonDone]:
    """Return what each person of a shop has done: (staff id, lesson id) -> row."""
    query = sa.select(LessonDone).where(LessonDone.store_id == store_id)
    return {(row.staff_id, row.lesson_id): row for row in session.scalars(query)}


def end_of(session: Session, node_id: str) -> int:
    """Return how far a node's journal has come."""
    return session.scalar(sa.select(sa.func.max(JournalEntry.n)).where(JournalEntry.node_id == node_id)) or 0


def done_of(session: Session, tasks: Iterable[Task], *, node_id: str, staff_id: str, after_n: int) -> list[bool]:
    """Tell of each task whether this person did it since the journal's `after_n`."""
    query = sa.select(JournalEntry.verb).where(
        JournalEntry.node_id == node_id, JournalEntry.n > after_n, JournalEntry.actor_id == staff_id
    )
    verbs = set(session.scalars(query.distinct()))
    return [not verbs.isdisjoint(TASKS[task.does]) for task in tasks]
