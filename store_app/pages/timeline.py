"""What happened to one noun, told from the journal."""

import datetime as dt
import json
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.journal import JournalEntry
from pos.paper_words import WORDS, reason_word
from store_app.presenting import language, state_word

MOST = 60


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
        why = reason_word(str(facts.get("why", "")), WORDS[language()])
        steps.append(Step(word[:1].upper() + word[1:], row.at, row.actor_name, why))
    return steps
