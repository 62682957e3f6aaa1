"""A refusal that is kept is the same when it is read again: its kind, its code, and what it says in each language."""

import datetime as dt
import json

import pytest

from config import errors, words
from config.errors import DomainError, kept, kept_again
from pos.printing.wires import Unconfirmed

FACTS = {
    "on": dt.date(2026, 3, 2), "from_day": dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC), "over_minor": 1250,
    "rate_bp": 550, "share": 1.25, "names": ("Tea", "Milk"), "odd": {1},
    "lines": [{"name": "Milk", "left": 2, "wanted": 5}],
}  # fmt: skip


@pytest.mark.parametrize("kind", [DomainError, *DomainError.__subclasses__()])
def test_a_refusal_is_kept_as_json_and_worded_again_as_it_was(kind):
    fault = kind("odd", " ".join(f"%({name})s" for name in FACTS), **FACTS)
    again = kept_again(json.loads(json.dumps(kept(fault))))
    assert (type(again), again.code) == (kind, "odd")
    for code in words.LANGUAGES:
        assert again.said(words.language(code), currency="EUR") == fault.said(words.language(code), currency="EUR")
    assert again.said(words.language("de"), currency="EUR").startswith("02.03.2026 01.03.2026 12,50\xa0€ ")


def test_what_is_kept_is_read_as_one_of_the_five_kinds_whatever_it_says():
    assert type(kept_again(kept(Unconfirmed("silent", "No answer.")))) is errors.Unreachable
    for said in ({"kind": "language", "code": "x", "why": "Words.", "facts": {}}, {"why": "Words."}):
        assert (type(kept_again(said)), kept_again(said).message) == (DomainError, "Words.")


def test_of_a_fault_that_is_no_refusal_the_first_line_is_kept_and_a_sentence_is_never_cut():
    assert kept_again(kept(ValueError("100 % odd\nat line 3"))).message == "ValueError: 100 % odd"
    assert len(kept(ValueError("x" * 999))["why"]) == 200
    assert kept(DomainError("long", "x" * 999))["why"] == "x" * 999
