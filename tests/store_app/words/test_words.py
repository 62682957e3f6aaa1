"""Codes become words: none that a person can meet lacks its own."""

import re
from pathlib import Path

import pytest

from config.nodes.facts import FACTS, STORE
from store_app.node import doctor
from store_app.web.presenting import STATE_WORDS, hour, minute, number, percent
from store_app.words.health import SENTENCES, health
from store_app.words.promotions import week
from store_app.words.words import TOPICS, decimal_text
from supply.sync import replica
from tests.test_documents import NOUNS, table_of


def test_every_fact_that_a_store_reports_has_a_name():
    assert replica.HEARING  # every fact is declared
    assert sorted(TOPICS) == sorted(topic for topic, kind in FACTS.items() if kind.SAID_BY == STORE)


def test_every_state_has_a_word():
    assert sorted({state for noun in NOUNS for state in table_of(noun).states} - {*STATE_WORDS}) == []


@pytest.mark.parametrize(
    ("language", "first", "time", "rate", "gain", "shares"),
    [
        ("en", "Sun", "2:05 PM", "1.3", "+1.5", "5.5% +5% −5% 0%"),
        ("de", "Mo", "14:05", "1,3", "+1,5", "5,5 % +5 % −5 % 0 %"),
        ("es", "dom", "2:05 p.m.", "1.3", "+1.5", "5.5% +5% −5% 0%"),
    ],
)
def test_the_week_the_clock_and_decimals_are_the_readers(house, language, first, time, rate, gain, shares):
    """The store stands in New York, where Spanish is written as there."""
    with house.app.test_request_context(f"/?lang={language}"):
        days = week()
        assert days[0][1].strip(".") == first
        assert sorted(n for n, _ in days) == list(range(7))
        assert {re.sub(r"\s", " ", text) for text in (minute(14 * 60 + 5), hour("14:05"))} == {time}
        assert (decimal_text(1.31), number(1.5, 1, plus=True), number(-1.5, 1, plus=True)[0]) == (rate, gain, "-")
        changes = [percent(rate_bp, 0, plus=True) for rate_bp in (500, -500, -49)]
        assert re.sub(r"\s", " ", " ".join([percent(550), *changes])) == shares


def test_what_a_store_says_of_itself_is_worded_by_known_codes_and_the_figures_their_sentences_have(house):
    odd = [
        ("disk", {"free": 1234.56, "until": 5, "currency": []}), ["backups", {"hours": {"a": 1}}], ("none", {}),
        ["%(x)999999999s", {"x": ""}], "disk", None, ("queue-fault", {"why": ["no", "line"]}),
    ]  # fmt: skip
    assert health(odd) == (
        "1,234.6 GB free. The last tested backup is {'a': 1} h old. The last contact failed: ['no', 'line']"
    )
    with house.app.test_request_context("/?lang=es"):
        assert health([("disk", {"free": 1234.5})]) == "1,234.5 GB libres."


def test_each_sentence_of_the_doctor_is_used_and_known():
    source = (Path(doctor.__file__)).read_text("utf-8")
    assert [code for code in SENTENCES if f'"{code}"' not in source] == []
