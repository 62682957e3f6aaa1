"""The lessons there are: our own, Markdown files beside this one, and the network's; and how they are written out.

Markdown is rendered without HTML, pictures and links that leave the house: whoever writes a lesson writes words.
"""

import functools
from pathlib import Path
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session

from supply.membership import training
from supply.membership.training import Lesson

FOLDER = Path(__file__).with_name("lessons")
OURS = (
    "ring-up", "count-the-drawer", "receive-goods", "approve-an-order", "hand-out-an-order", "count-the-shelf",
)  # fmt: skip
"""In the order in which they are best done."""


@functools.cache
def ours(lesson_id: str, language: str) -> Lesson:
    """Return one of our own lessons in a language, in English where it is not written in it."""
    written = FOLDER / language / f"{lesson_id}.md"
    if not written.is_file():
        written = FOLDER / "en" / f"{lesson_id}.md"
    return training.read_lesson(lesson_id, written.read_text("utf-8"))


def everything(session: Session, language: str) -> list[Lesson]:
    """Return every lesson in a language: our own, then the network's."""
    own = [ours(lesson_id, language) for lesson_id in OURS]
    return own + [training.in_language(row, language) for row in training.lessons(session)]


def find(session: Session, lesson_id: str, language: str) -> Lesson | None:
    """Return a lesson; None where there is none of that id (any more)."""
    return next((lesson for lesson in everything(session, language) if lesson.id == lesson_id), None)


def written_out(markdown: str) -> Markup:
    """Return Markdown as a page shows it."""
    return Markup(_reader().render(markdown))  # noqa: S704  the reader escapes all HTML


def in_line(markdown: str) -> Markup:
    """Return a line of Markdown as a page shows it."""
    return Markup(_reader().renderInline(markdown))  # noqa: S704  the same


@functools.cache
def _reader() -> Any:
    from markdown_it import MarkdownIt  # read with the first lesson: the till starts without it

    reader = MarkdownIt("zero", {"html": False, "linkify": False})
    return reader.enable(["emphasis", "list", "heading", "blockquote", "hr", "newline", "escape", "backticks"])
