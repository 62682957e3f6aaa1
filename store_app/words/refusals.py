"""A refusal in the reader's language: the catalogue has its sentence, this place knows how its facts are written."""

from collections.abc import Callable
from typing import Any

from flask import has_request_context

from config.errors import DomainError
from store_app.web.presenting import clock_time, place, speech, state_word, why_words
from store_app.words.words import edition_word, permission_word, tender_word


def sentence_of(fault: DomainError) -> str:
    """Return a refusal as its reader is told it; a command is told it in English."""
    if not has_request_context():
        return fault.message
    written = {name: write(fault.facts[name]) for name, write in _WRITERS.items() if fault.facts.get(name)}
    return fault.said(speech(), currency=place().currency, **written)


def _until(at: str) -> str:
    return clock_time(at) if "T" in at else speech().moment(at)


def _permissions(names: list[str]) -> str:
    return speech()(", ").join(map(permission_word, names))


_WRITERS: dict[str, Callable[[Any], str]] = {
    "until": _until, "state": state_word, "edition": edition_word, "permissions": _permissions, "tender": tender_word,
    "why": why_words,
}  # fmt: skip
