"""Codes become words: none that a person can meet lacks its own."""

from config.nodes.facts import FACTS, STORE
from store_app.web.presenting import STATE_WORDS
from store_app.words.words import TOPICS
from supply.sync import replica
from tests.test_documents import NOUNS, table_of


def test_every_fact_that_a_store_reports_has_a_name():
    assert replica.HEARING  # every fact is declared
    assert sorted(TOPICS) == sorted(topic for topic, kind in FACTS.items() if kind.SAID_BY == STORE)


def test_every_state_has_a_word():
    assert sorted({state for noun in NOUNS for state in table_of(noun).states} - {*STATE_WORDS}) == []
