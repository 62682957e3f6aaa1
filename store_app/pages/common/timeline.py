"""What happened to one noun, told from the journal."""

import datetime as dt
import json
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy
from sqlalchemy.orm import Session

from config.nodes.journal import JournalEntry
from store_app.web.presenting import state_word, why_words

MOST = 60
JOB = "job:"
JOBS = {"supply": lazy("the network"), "pickup": lazy("the online store")}
"""Whose word a job wrote down; any other job is the computer's own."""


@dataclass(frozen=True)
class Step:
    """One move: what it became, when, by whom, and why if somebody said so."""

    words: str
    at: dt.datetime
    who: str
    why: str


def timeline(session: Session, subject: str) -> list[Step]:
    """Return the moves of a subject ('order:01H…'), the first one first."""
    rows = session.scalars(
        sa.select(JournalEntry).where(JournalEntry.subject == subject).order_by(JournalEntry.n).limit(MOST)
    )
    steps = []
    for row in rows:
        facts = json.loads(row.body)
        if "before" not in facts:
            continue
        word = state_word(row.verb.rpartition(".")[2])
        steps.append(Step(word[:1].upper() + word[1:], row.at, _who(row), why_words(facts.get("why"))))
    return steps


def _who(row: JournalEntry) -> str:
    """Name who did it: a person as in the journal, a job by whose word it was."""
    if row.actor_id == "order-rule":
        return _("the rule of %(name)s", name=row.actor_name.removeprefix("rule of "))
    if row.actor_id.startswith(JOB):
        return str(JOBS.get(row.actor_id.removeprefix(JOB), _("the computer")))
    return row.actor_name
