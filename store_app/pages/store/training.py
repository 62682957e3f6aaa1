"""Training: the lessons, what each person has done of them, and the practice store a lesson is done in."""

from typing import Any

from flask import Blueprint, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from config.errors import NotFound
from pos.store.permissions import permitted
from pos.store.store import staff_of
from store_app.practice import lessons, practice
from store_app.runtime.doors import doors, own_doors
from store_app.web.presenting import language, money, page, today
from store_app.web.security import can, requires
from store_app.web.staff import LESSON_PIN
from supply.membership import training
from supply.membership.training import Lesson, Next, Trouble

bp = Blueprint("training", __name__, url_prefix="/training")
START = {
    "till": "till.page", "drawer": "shift.money", "delivery": "receiving.deliveries", "order": "ordering.orders",
    "pickup": "pickup.orders", "shelf": "check_these.list_today",
}  # fmt: skip
"""Scene -> the page a lesson begins on."""
WHY = {
    "overrides": _l("In the last four weeks, %(times)s of %(chances)s lines at the till had a manually entered price."),
    "over-short": _l("In the last four weeks, %(times)s of %(chances)s drawers were off by more than the tolerance."),
    "late-goods": _l("In the last four weeks, %(times)s of %(chances)s deliveries were counted days late."),
    "orders-unanswered": _l(
        "In the last four weeks, %(times)s of %(chances)s vehicles left without this store’s order."
    ),
    "pickups-late": _l(
        "In the last four weeks, %(times)s of %(chances)s online orders were late, declined or expired."
    ),
    "counts-overdue": _l("%(times)s of the %(chances)s counts requested in the last four weeks are overdue."),
}


@bp.get("/")
@requires("practice")
def overview() -> ResponseReturnValue:
    """Show the lessons, the next one first with its reason, and how far everybody is."""
    store_id = own_doors().settings.node_id
    with own_doors().read() as session:
        offered = [lesson for lesson in lessons.everything(session, language()) if can(lesson.needs)]
        done = training.done_by(session, store_id)
        troubles = training.troubles(session, store_id, day=today(), at=doors().now())
        people = staff_of(session, store_id) if can("staff") else []
        may_do = {one.role: permitted(session, store_id, one.role) for one in people}
    mine = {lesson_id: row for (staff_id, lesson_id), row in done.items() if staff_id == g.actor.id}
    following = training.suggest(troubles, [one.id for one in offered], mine, at=doors().now())
    return page(
        "store/training/lessons.html",
        offered=offered,
        mine=mine,
        done=done,
        next_lesson=next((one for one in offered if following and one.id == following.lesson_id), None),
        why=_why(following),
        people=people,
        may_do=lambda person, lesson: lesson.needs in may_do[person.role],
        in_line=lessons.in_line,
    )


@bp.get("/<lesson_id>")
@requires("practice")
def lesson(lesson_id: str) -> ResponseReturnValue:
    """Show one lesson: what it says, its tasks, and the button that begins it."""
    found = _lesson(lesson_id)
    with own_doors().read() as session:
        done = training.done_by(session, own_doors().settings.node_id).get((g.actor.id, lesson_id))
    body = lessons.written_out(found.body)
    return page("store/training/lesson.html", lesson=found, body=body, in_line=lessons.in_line, done=done)


@bp.post("/<lesson_id>/begin")
@requires("practice")
def begin(lesson_id: str) -> ResponseReturnValue:
    """Lay a practice store out and go to the lesson's first page."""
    found = _lesson(lesson_id)
    practice.begin(found, language())
    return redirect(url_for(START[found.scene]), 303)


@bp.post("/leave")
@requires("practice")
def leave() -> ResponseReturnValue:
    """Throw the practice store away and go back to the lessons."""
    practice.leave()
    return redirect(url_for("training.overview"), 303)


@bp.get("/coach")
@requires("practice")
def coach() -> ResponseReturnValue:
    """Answer the card of the lesson being done, for the page that shows it; nothing once the practice is over."""
    return page("store/training/coach.html") if practice.is_practising() else ("", 204)


@bp.app_template_global("lesson_card")
def card() -> dict[str, Any]:
    """Return what the card says: the lesson, its tasks with what is done, the note."""
    status = practice.status(language())
    assert status is not None
    kind, _sign, value = status.note.partition(":")
    note = ""
    if kind == "money":
        note = _("In the drawer: %(amount)s", amount=money(int(value)))
    elif kind == "code":
        note = _("The customer’s code: %(code)s", code=f"{value[:4]} {value[4:]}")
    tasks = [
        {"words": lessons.in_line(task.words), "done": done}
        for task, done in zip(status.lesson.tasks, status.done, strict=True)
    ]
    return {
        "lesson": status.lesson,
        "tasks": tasks,
        "note": note,
        "is_over": status.is_over,
        "pin": LESSON_PIN,
        "start": url_for(START[status.lesson.scene]),
        "left": sum(not task["done"] for task in tasks),
    }


# --- inside ---


def _lesson(lesson_id: str) -> Lesson:
    with own_doors().read() as session:
        found = lessons.find(session, lesson_id, language())
    if found is None or not can(found.needs):
        raise NotFound("no-lesson", "Lesson not found. Choose one from the list.")
    return found


def _why(following: Next | None) -> str:
    trouble: Trouble | None = following.trouble if following else None
    return str(WHY[trouble.kind]) % {"times": trouble.times, "chances": trouble.chances} if trouble else ""
