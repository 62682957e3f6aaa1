"""Training: lessons as the network writes them, how far each member of staff has come, and which helps next.

Rules
-----
1. A lesson is done when every task was done in practice by the learner: the practice store's journal says so, and
   nothing else. Doing it again counts the times; the first day stays.
2. The network's lessons are published to the stores, one text per language. A lesson taken back is no longer shown;
   what was learnt with it stays.
3. Progress is the person's and the store's: it is no fact and does not leave the store.
4. A lesson begins with `name: value` lines (title, scene, minutes, language, needs), then an empty line, then Markdown.
5. A line `- [ ] task: words` is a task. What a task asks for is one of TASKS: things a person does with the real
   screens, and which the journal tells.
6. A lesson has 1 to 8 tasks; each of them stands once. Its scene says what is laid ready in the practice store.
7. A trouble is counted over the last LOOK_BACK_DAYS, and only its share of the chances there were: twelve prices typed
   by hand of two hundred lines weigh more than twelve of two thousand.
8. It is a trouble from FEWEST on, and when its share reaches its limit. The worst is the one furthest above its limit.
9. A person who has done its lesson within the look back is not sent there again; then the next trouble counts, and
   without any the first lesson not done yet.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, NotFound
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Context, JournalEntry
from config.words import LANGUAGES, N_
from pos.sold import Sale, SaleLine
from pos.stock.ledger import CountTask
from pos.till import shift
from pos.till.shift_book import Shift
from supply.online.orders import PickupOrder
from supply.orders.deliveries import Delivery
from supply.orders.orders import ReplenishmentOrder


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


SCENES = ("till", "drawer", "delivery", "order", "pickup", "shelf")
"""What is laid ready: an open till; one with money in it; goods at the door; a proposal; an online order; a wrong
record."""
TASKS: dict[str, tuple[str, ...]] = {
    "open-till": ("shift.opened",),
    "sale": ("sale.completed",),
    "return": ("return.completed", "exchange.completed"),
    "count-drawer": ("shift.drawer_counted",),
    "close-till": ("shift.closed",),
    "count-delivery": ("delivery.counting",),
    "post-delivery": ("delivery.posted",),
    "change-order": ("order.changed", "order.line_added"),
    "send-order": ("order.sent",),
    "accept-pickup": ("pickup order.accepted",),
    "pack-pickup": ("pickup order.ready",),
    "hand-over": ("pickup order.collected",),
    "count-stock": ("stock.counted",),
    "write-off": ("waste.written",),
}
"""Task -> the journal's verbs, any of which does it."""
MOST_TASKS = 8
MOST_LETTERS = 12_000
_TASK = re.compile(r"\s*[-*] \[ \] ([a-z-]+): (.+)")


@dataclass(frozen=True)
class Task:
    """One thing to do. does: a key of TASKS; words: Markdown on one line."""

    does: str
    words: str


@dataclass(frozen=True)
class Lesson:
    """A lesson in one language. body: Markdown without its tasks; needs: the permission that whoever learns it has."""

    id: str
    language: str
    title: str
    scene: str
    minutes: int
    needs: str
    tasks: tuple[Task, ...]
    body: str


LOOK_BACK_DAYS = 28
FEWEST = 3
OVERDUE_DAYS = 2
"""A count that was asked for, goods at the door: after so long they are late."""
LIMITS = {
    "overrides": ("ring-up", 0.02),
    "over-short": ("count-the-drawer", 0.15),
    "late-goods": ("receive-goods", 0.15),
    "orders-unanswered": ("approve-an-order", 0.3),
    "pickups-late": ("hand-out-an-order", 0.1),
    "counts-overdue": ("count-the-shelf", 0.3),
}
"""Trouble -> the lesson against it, and the share from which on it is one."""


@dataclass(frozen=True)
class Trouble:
    """So many times of so many chances something went wrong."""

    kind: str
    times: int
    chances: int

    @property
    def weight(self) -> float:
        """How far above its limit it is; 1 is at the limit."""
        return self.times / max(1, self.chances) / LIMITS[self.kind][1]


@dataclass(frozen=True)
class Next:
    """The lesson to do next; trouble: why, None where it is simply the next one."""

    lesson_id: str
    trouble: Trouble | None


# --- verbs, network ---


def write(ctx: Context, text: str, *, lesson_id: str | None = None) -> NetworkLesson:
    """Write a lesson, or its text in another language, or again; Invalid names the line to mend."""
    row = ctx.session.get(NetworkLesson, lesson_id) if lesson_id else None
    if lesson_id and row is None:
        raise NotFound("no-lesson", "Lesson not found. Choose one from the list.")
    if row is None:
        row = NetworkLesson(id=f"n-{new_id()}", texts={})
        ctx.session.add(row)
    lesson = read_lesson(row.id, text)
    row.texts = {**row.texts, lesson.language: text.replace("\r\n", "\n")}
    row.written_by, row.written_at, row.taken_back_at = ctx.actor.name, ctx.at, None
    journal.record(ctx, verb="lesson.written", subject=f"lesson:{row.id}", language=lesson.language)
    ctx.session.flush()
    return row


def take_back(ctx: Context, lesson_id: str) -> None:
    """Show a lesson no longer (rule 2)."""
    row = ctx.session.get(NetworkLesson, lesson_id)
    if row is None:
        raise NotFound("no-lesson", "Lesson not found. Choose one from the list.")
    if row.taken_back_at is None:
        row.taken_back_at = ctx.at
        journal.record(ctx, verb="lesson.taken_back", subject=f"lesson:{row.id}")


def edition(session: Session) -> dict[str, Any]:
    """Return the network's lessons as the stores take them over; nothing before there is any."""
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
            read_lesson(lesson_id, text)
        at = dt.datetime.fromisoformat(written_at)
        rows.append(NetworkLesson(id=lesson_id, texts=texts, written_by=written_by, written_at=at))
    session.execute(sa.delete(NetworkLesson))
    session.add_all(rows)


def note_done(ctx: Context, store_id: str, lesson_id: str) -> LessonDone:
    """Write down that a person has done a lesson (rule 1); whoever calls has asked `done_of` in the practice store."""
    row = ctx.session.get(LessonDone, (store_id, ctx.actor.id, lesson_id))
    if row is None:
        row = LessonDone(store_id=store_id, staff_id=ctx.actor.id, lesson_id=lesson_id, first_at=ctx.at, times=0)
        ctx.session.add(row)
    row.last_at, row.times = ctx.at, row.times + 1
    journal.record(ctx, verb="lesson.done", subject=f"lesson:{lesson_id}", times=row.times)
    ctx.session.flush()
    return row


# --- questions ---


def lessons(session: Session) -> list[NetworkLesson]:
    """Return the network's lessons that are shown, the oldest first."""
    query = sa.select(NetworkLesson).where(NetworkLesson.taken_back_at.is_(None))
    return list(session.scalars(query.order_by(NetworkLesson.id)))


def in_language(row: NetworkLesson, language: str) -> Lesson:
    """Return a network lesson in a language, or in the one it has."""
    texts = row.texts
    return read_lesson(row.id, texts.get(language) or next(iter(texts.values())))


def done_by(session: Session, store_id: str) -> dict[tuple[str, str], LessonDone]:
    """Return what each person of a store has done: (staff id, lesson id) -> row."""
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


def read_lesson(id: str, text: str) -> Lesson:
    """Read a lesson's text; raises Invalid with the line to mend."""
    if len(text) > MOST_LETTERS:
        raise _fault(N_("A lesson can have up to %(letters)s characters; this one is longer."), letters=MOST_LETTERS)
    heading, _, rest = text.replace("\r\n", "\n").lstrip("\ufeff\n").partition("\n\n")
    named = _heading(heading)
    tasks, kept = [], []
    for line in rest.split("\n"):
        found = _TASK.fullmatch(line)
        if found is None:
            kept.append(line)
            continue
        if found[1] not in TASKS:
            raise _fault(N_("Task %(task)s not found. Choose one of %(tasks)s."), task=found[1], tasks=_list(TASKS))
        tasks.append(Task(found[1], found[2].strip()))
    if not 1 <= len(tasks) <= MOST_TASKS:
        raise _fault(
            N_("Write 1 to %(most)s tasks, in lines such as “- [ ] sale: Sell two products”."), most=MOST_TASKS
        )
    if len({task.does for task in tasks}) < len(tasks):
        raise _fault(N_("The same task appears twice. Keep one."))
    return Lesson(
        id, named["language"], named["title"], named["scene"], int(named["minutes"]), named.get("needs", "sell"),
        tuple(tasks), "\n".join(kept).strip(),
    )  # fmt: skip


def _heading(text: str) -> dict[str, str]:
    named = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if not colon or not value.strip():
            raise _fault(N_("“%(line)s” is not a valid heading line. Write “title: Ring up and pay”."), line=line[:40])
        named[name.strip().lower()] = value.strip()
    missing = [name for name in ("title", "scene", "minutes", "language") if name not in named]
    if missing:
        raise _fault(N_("The heading has no line “%(missing)s: …”."), missing=missing[0])
    for name, choices in (("scene", SCENES), ("language", tuple(LANGUAGES))):
        if named[name] not in choices:
            word = named[name][:40]
            words = N_("“%(word)s” is not valid. Choose %(choices)s.")
            raise _fault(words, word=f"{name}: {word}", choices=_list(choices))
    if not re.fullmatch(r"[1-9]|[1-5]\d", named["minutes"]):
        raise _fault(N_("minutes: enter the length, 1 to 59 (not %(minutes)s)."), minutes=named["minutes"][:40])
    return named


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)


def _fault(sentence: str, **facts: object) -> Invalid:
    return Invalid("lesson-text", sentence, field="text", **facts)


def suggest(
    troubles: Iterable[Trouble], offered: Sequence[str], done: dict[str, LessonDone], *, at: dt.datetime
) -> Next | None:
    """Return the next lesson of those offered (rules 8, 9); None when all are done and nothing goes wrong. Pure."""
    fresh = {lesson_id for lesson_id, row in done.items() if row.last_at > at - dt.timedelta(days=LOOK_BACK_DAYS)}
    worst = sorted(
        (one for one in troubles if one.times >= FEWEST and one.weight >= 1), key=lambda one: (-one.weight, one.kind)
    )
    for trouble in worst:
        lesson_id = LIMITS[trouble.kind][0]
        if lesson_id in offered and lesson_id not in fresh:
            return Next(lesson_id, trouble)
    left = [lesson_id for lesson_id in offered if lesson_id not in done]
    return Next(left[0], None) if left else None


def troubles(session: Session, store_id: str, *, day: dt.date, at: dt.datetime) -> list[Trouble]:
    """Return what a store's books say of the last weeks (rule 7), as it is."""
    since_day, since = day - dt.timedelta(days=LOOK_BACK_DAYS), at - dt.timedelta(days=LOOK_BACK_DAYS)
    late = dt.timedelta(days=OVERDUE_DAYS)
    tolerance_minor = shift.tolerance_minor(session, store_id)
    off = session.scalars(
        sa.select(Shift.over_short_minor).where(
            Shift.store_id == store_id, Shift.state == "closed", Shift.business_day > since_day
        )
    ).all()
    came = session.scalars(
        sa.select(Delivery).where(
            Delivery.store_id == store_id, Delivery.state.not_in(["refused", "turned_back"]),
            Delivery.expected_day > since_day, Delivery.expected_day < day,
        )
    ).all()  # fmt: skip
    pickups = session.scalars(
        sa.select(PickupOrder).where(
            PickupOrder.store_id == store_id, PickupOrder.placed_at > since, PickupOrder.state != "placed"
        )
    ).all()
    asked = session.scalars(
        sa.select(CountTask).where(CountTask.store_id == store_id, CountTask.opened_at.between(since, at - late))
    ).all()
    return [
        _by_hand(session, store_id, since_day),
        Trouble("over-short", sum(abs(one or 0) > tolerance_minor for one in off), len(off)),
        Trouble("late-goods", sum(_days_late(one, day) >= OVERDUE_DAYS for one in came), len(came)),
        _missed_vehicles(session, store_id, since, day),
        Trouble("pickups-late", sum(map(_kept_waiting, pickups)), len(pickups)),
        Trouble("counts-overdue", sum((one.done_at or at) - one.opened_at > late for one in asked), len(asked)),
    ]


def _by_hand(session: Session, store_id: str, since_day: dt.date) -> Trouble:
    """Count the lines at the counter whose price a person typed over, or took something off."""
    query = (
        sa.select(sa.func.count())
        .select_from(SaleLine)
        .join(Sale, sa.and_(Sale.store_id == SaleLine.store_id, Sale.id == SaleLine.sale_id))
        .where(
            SaleLine.store_id == store_id, SaleLine.business_day > since_day, Sale.channel == "counter",
            SaleLine.kind == "goods", SaleLine.qty > 0,
        )
    )  # fmt: skip
    typed = sa.or_(SaleLine.price_type == "override", SaleLine.manual_discount_minor > 0)
    return Trouble("overrides", session.scalar(query.where(typed)) or 0, session.scalar(query) or 0)


def _days_late(delivery: Delivery, day: dt.date) -> int:
    taken_in = delivery.posted_at.date() if delivery.posted_at else day
    return (taken_in - delivery.expected_day).days


def _missed_vehicles(session: Session, store_id: str, since: dt.datetime, day: dt.date) -> Trouble:
    """Count the order days that passed with a proposal and without an order."""
    rows = session.execute(
        sa.select(ReplenishmentOrder.supplier_id, ReplenishmentOrder.order_day, ReplenishmentOrder.sent_at).where(
            ReplenishmentOrder.store_id == store_id, ReplenishmentOrder.proposed_at > since,
            ReplenishmentOrder.order_day < day,
        )
    ).all()  # fmt: skip
    vehicles = {(supplier_id, order_day) for supplier_id, order_day, _ in rows}
    met = {(supplier_id, order_day) for supplier_id, order_day, sent_at in rows if sent_at is not None}
    return Trouble("orders-unanswered", len(vehicles - met), len(vehicles))


def _kept_waiting(order: PickupOrder) -> bool:
    if order.state in ("refused", "expired"):
        return True
    return bool(order.ready_at and order.window_from and order.ready_at > order.window_from)
