"""A lesson as it is written: a heading in a few lines, tasks, and Markdown in between. Pure.

Rules
-----
1. A lesson begins with `name: value` lines (title, scene, minutes, language, needs), then an empty line, then Markdown.
2. A line `- [ ] task: words` is a task. What a task asks for is one of TASKS: things a person does with the real
   screens, and which the journal tells.
3. A lesson has 1 to 8 tasks; each of them stands once. Its scene says what is laid ready in the practice shop.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from config.errors import Invalid

LANGUAGES = ("en", "zh")
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


def read(id: str, text: str) -> Lesson:
    """Read a lesson's text; raises Invalid with the line to mend."""
    if len(text) > MOST_LETTERS:
        raise _fault(f"A lesson has at most {MOST_LETTERS} letters; this one is longer.", letters=MOST_LETTERS)
    heading, _, rest = text.replace("\r\n", "\n").lstrip("\ufeff\n").partition("\n\n")
    named = _heading(heading)
    tasks, kept = [], []
    for line in rest.split("\n"):
        found = _TASK.fullmatch(line)
        if found is None:
            kept.append(line)
            continue
        if found[1] not in TASKS:
            raise _fault(
                f"There is no task {found[1]}; choose one of {_list(TASKS)}.", task=found[1], tasks=_list(TASKS)
            )
        tasks.append(Task(found[1], found[2].strip()))
    if not 1 <= len(tasks) <= MOST_TASKS:
        raise _fault(
            f"A lesson has 1 to {MOST_TASKS} tasks, lines such as “- [ ] sale: Sell two products”.", most=MOST_TASKS
        )
    if len({task.does for task in tasks}) < len(tasks):
        raise _fault("The same task stands there twice; each is asked for once.", twice=True)
    return Lesson(
        id, named["language"], named["title"], named["scene"], int(named["minutes"]), named.get("needs", "sell"),
        tuple(tasks), "\n".join(kept).strip(),
    )  # fmt: skip


# --- inside ---


def _heading(text: str) -> dict[str, str]:
    named = {}
    for line in text.split("\n"):
        name, colon, value = line.partition(":")
        if not colon or not value.strip():
            raise _fault(
                f"“{line[:40]}” is no line of the heading; write it as “title: Ring up and pay”.", line=line[:40]
            )
        named[name.strip().lower()] = value.strip()
    missing = [name for name in ("title", "scene", "minutes", "language") if name not in named]
    if missing:
        raise _fault(f"The heading has no line “{missing[0]}: …”.", missing=missing[0])
    for name, choices in (("scene", SCENES), ("language", LANGUAGES)):
        if named[name] not in choices:
            word = named[name][:40]
            raise _fault(f"{name}: {word} is not known; choose {_list(choices)}.", word=word, choices=_list(choices))
    if not re.fullmatch(r"[1-9]|[1-5]\d", named["minutes"]):
        raise _fault("minutes: write how long it takes, 1 to 59.", minutes=named["minutes"][:40])
    return named


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)


def _fault(sentence: str, **facts: object) -> Invalid:
    return Invalid("lesson-text", sentence, field="text", **facts)
