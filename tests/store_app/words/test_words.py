"""Codes become words: none that a person can meet lacks its own."""

import ast
import re
from pathlib import Path

import pytest

from config import words
from config.nodes.facts import FACTS, STORE
from config.words import LANGUAGES, language
from store_app.node import doctor
from store_app.web.presenting import STATE_WORDS, hour, minute, number, percent, weekdays
from store_app.words.health import SENTENCES, health
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
        days = weekdays()
        assert days[0][1].strip(".") == first
        assert sorted(n for n, _ in days) == list(range(7))
        assert {re.sub(r"\s", " ", text) for text in (minute(14 * 60 + 5), hour("14:05"))} == {time}
        assert (decimal_text(1.31), number(1.5, 1, plus=True), number(-1.5, 1, plus=True)[0]) == (rate, gain, "−")
        changes = [percent(rate_bp, 0, plus=True) for rate_bp in (500, -500, -49)]
        assert re.sub(r"\s", " ", " ".join([percent(550), *changes])) == shares


def test_what_a_store_says_of_itself_is_worded_by_known_codes_and_the_figures_their_sentences_have(house):
    odd = [
        ("disk", {"free": 1234.56, "until": "T", "currency": 5}), ("none", {}), ("%(x)999999999s", {"x": ""}),
        ("queue-fault", {"why": 5}),
    ]  # fmt: skip
    assert health(odd) == "1,234.6 GB free. The last contact failed: 5"
    with house.app.test_request_context("/?lang=es"):
        assert health(odd) == "1,234.6 GB libres. La última sincronización falló: 5"


@pytest.fixture(scope="module")
def said_by_the_doctor() -> list[tuple[str, str, set[str]]]:
    """Give what the doctor's functions say: (function, code, names of its facts)."""
    said = []
    for function in ast.parse(Path(doctor.__file__).read_text("utf-8")).body:
        for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
            place = {"_word": 2, "also": 0}.get(ast.unparse(call.func).rpartition(".")[2])
            if place is not None:
                facts = {one.arg for one in call.keywords}
                said += [(function.name, code, facts) for code in codes_of(call.args[place])]
    return said


def codes_of(node: ast.expr) -> list[str]:
    """Return the codes that an argument stands for: itself, one of two, or one of QUEUE_LATE."""
    if isinstance(node, ast.IfExp):
        return [*codes_of(node.body), *codes_of(node.orelse)]
    return list(doctor.QUEUE_LATE.values()) if isinstance(node, ast.Subscript) else [ast.literal_eval(node)]


def test_each_sentence_of_the_doctor_is_used_and_has_its_figures(said_by_the_doctor):
    assert {code for _function, code, _facts in said_by_the_doctor} == set(SENTENCES)
    odd = [code for _, code, facts in said_by_the_doctor if set(re.findall(r"%\((\w+)\)", SENTENCES[code])) != facts]
    assert odd == []


def test_each_sentence_that_a_store_reports_is_in_every_catalogue(said_by_the_doctor):
    """A store has no PostgreSQL, no cookies of the network's, and reports without asking the network."""
    of_stores = {code for function, code, _ in said_by_the_doctor if function not in ("_line", "_parked", "_rolling")}
    of_stores -= {"database-rights", "database-postgresql", "worker-several", "settings-cookies"}
    for code in LANGUAGES.keys() - {"en"}:
        assert [one for one in of_stores if language(code)(SENTENCES[one]) == SENTENCES[one]] == []


def test_naming_the_languages_reads_no_catalogue():
    words.catalogue.cache_clear()
    words._language.cache_clear()
    assert [(one.name, one.tag) for one in map(language, LANGUAGES)][1] == ("中文", "zh-Hans-CN")
    assert words.catalogue.cache_info().currsize == 0
    assert language("de")("Cancel") == "Zurücknehmen"
    assert words.catalogue.cache_info().currsize == 1
