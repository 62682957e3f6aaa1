"""The network's own lessons: written in Markdown, read as the stores will, published with the next editions."""

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, NotFound
from config.nodes import publication
from config.nodes.publication import EVERYONE
from config.words import N_, names
from config.words import language as said
from store_app.pages.common import form
from store_app.practice import lessons
from store_app.runtime.doors import acting, clock, read, write
from store_app.web.presenting import language, page
from store_app.web.security import requires
from supply.membership import training

bp = Blueprint("console_lessons", __name__, url_prefix="/console/lessons")
PATTERN = N_(
    "title: Weigh fruit\nscene: till\nminutes: 3\nlanguage: {language}\nneeds: sell\n\n"
    "Why it matters, in two sentences.\n\n1. First **this**.\n2. Then that.\n\n- [ ] sale: Sell two apples for cash.\n"
)


@bp.get("/")
@requires("network.stores")
def listed() -> ResponseReturnValue:
    """List the network's lessons with the languages they are written in."""
    with read() as session:
        rows = training.lessons(session)
        found = [(row, training.in_language(row, language())) for row in rows]
    return page("console/lessons.html", found=found, languages=names())


@bp.get("/write")
@bp.get("/write/<lesson_id>")
@requires("network.stores")
def writing(lesson_id: str = "", fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a lesson's text in one language, and how it will look."""
    chosen = request.args.get("text", language())
    with read() as session:
        row = next((one for one in training.lessons(session) if one.id == lesson_id), None)
    if lesson_id and row is None:
        raise NotFound("no-lesson", "Lesson not found. Choose one from the list.")
    text = (row.texts.get(chosen) if row else None) or said(chosen)(PATTERN).format(language=said(chosen).code)
    text = request.form.get("text", text)
    shown = None if fault else training.read_lesson(lesson_id or "new", text)
    return page(
        "console/lesson.html", row=row, lesson_id=lesson_id, text=text, chosen=chosen, languages=names(),
        shown=shown, body=lessons.written_out(shown.body) if shown else "", in_line=lessons.in_line, fault=fault,
        scenes=training.SCENES, tasks=training.TASKS,
    )  # fmt: skip


@bp.post("/write")
@bp.post("/write/<lesson_id>")
@requires("network.stores.change")
@form.answers_on(writing)
def save(lesson_id: str = "") -> ResponseReturnValue:
    """Keep a lesson's text and publish it to the stores."""
    form.command_id()
    with write() as session:
        row = training.write(acting(session), request.form.get("text", ""), lesson_id=lesson_id or None)
        publication.publish(session, "lessons", EVERYONE, training.edition(session), at=clock.now())
    return form.done(_("Published. Stores get it at their next sync."), "console_lessons.writing", lesson_id=row.id)


@bp.post("/take-back/<lesson_id>")
@requires("network.stores.change")
def take_back(lesson_id: str) -> ResponseReturnValue:
    """Show a lesson to the stores no longer."""
    with write() as session:
        training.take_back(acting(session), lesson_id)
        publication.publish(session, "lessons", EVERYONE, training.edition(session), at=clock.now())
    return form.done(_("Withdrawn. Completed lessons stay on record."), "console_lessons.listed")
