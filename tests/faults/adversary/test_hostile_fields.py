"""A node that leaves fields out of its facts or fills them with nonsense: each is set aside in a plain sentence."""

import re

import pytest

from config.ids import NETWORK, new_id
from config.nodes import inbox
from config.nodes.facts import FACTS
from config.nodes.outbox import Message
from store_app.sync import receiver
from store_app.words import held
from tests.builders import NOON, STORE, open_store

TOPICS = sorted(FACTS)
NONSENSE = ([], "x", 7, {"x": 1}, None, True)
MISSING = re.compile(r"field-missing: ([\w.]+): the field “(\w+)” is missing\.")
PLAIN = re.compile(r"[a-z-]+: [^\n]+")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return open_store(tmp_path_factory.mktemp("store"))


@pytest.mark.filterwarnings("ignore:fully NULL primary key", "ignore:Column '.*' is marked as a member of the primary")
@pytest.mark.parametrize("topic", TOPICS)
def test_a_field_that_is_missing_or_nonsense_is_named_with_its_topic_and_never_a_fault_of_python(store, topic):
    """Fill a body field by field, as each is missed, with one kind of nonsense after the other."""
    for sender in (STORE, NETWORK):
        for odd in NONSENSE:
            body, named = {}, set()
            for _ in range(60):
                message = Message(new_id(), 1, topic, 1, NOON.isoformat(), "2026-03-02", dict(body), "")
                with store.write() as session:
                    said = inbox._try(session, message, receiver.effect_of(sender, NOON))
                    session.rollback()
                reason = said.reason or ""
                assert said.state == "taken" or (PLAIN.fullmatch(reason) and "Error" not in reason), (body, reason)
                missing = MISSING.fullmatch(reason)
                if missing is None or missing[2] in named:
                    break
                assert missing[1] == topic
                named.add(missing[2])
                body[missing[2]] = odd


def test_store_and_operator_read_which_field_it_is():
    reason = "field-missing: sale.completed: the field “lines” is missing."
    assert held.to_store(reason) == "Sale: the field “lines” is missing."
    assert held.to_store("not-kept: sale.completed: one of its fields cannot be kept.") == (
        "Sale: one of its fields can’t be saved."
    )
