"""State tables: every state is reached and can end, whatever noun it belongs to."""

import sys

import pytest

from config.errors import Conflict
from config.states import StateTable
from store_app.runtime.tables import known


def tables() -> dict[str, StateTable]:
    """Return every state table of the house, by its noun."""
    known()
    modules = [
        module for name, module in sorted(sys.modules.items()) if name.startswith(("config.", "pos.", "supply."))
    ]
    every = [value for module in modules for value in vars(module).values() if isinstance(value, StateTable)]
    return {value.noun: value for value in every}


TABLES = tables()


@pytest.mark.parametrize("noun", sorted(TABLES))
def test_every_state_is_reached_and_can_end(noun):
    assert TABLES[noun].validate() == []


def test_the_nouns_of_the_house_have_tables():
    assert {"basket", "payment", "shift", "print job", "message", "pickup order", "order", "delivery"} <= set(TABLES)


@pytest.mark.parametrize("noun", sorted(TABLES))
def test_an_illegal_move_says_what_is_possible(noun):
    table = TABLES[noun]
    end = next(iter(sorted(table.ends)))
    with pytest.raises(Conflict, match=f"It is {end} now") as refused:
        table.require(end, "nonsense")
    assert refused.value.facts["allowed"] == table.moves[end]
    assert f"{table.first} →" in table.diagram()


def test_a_state_nobody_reaches_and_one_that_never_ends_are_found():
    table = StateTable("thing", "a", {"a": ["b"], "b": ["a"], "c": ["d"]})
    assert table.validate() == [
        "c is never reached",
        "d is never reached",
        "a never ends",
        "b never ends",
    ]
