"""State tables: every state is reached and can end, whatever noun it belongs to."""

import importlib
import pkgutil

import pytest

import pos
import supply
from config.errors import Conflict
from config.nodes import outbox
from config.states import StateTable


def tables() -> dict[str, StateTable]:
    """Return every state table of the house, by its noun."""
    found = {outbox.STATES.noun: outbox.STATES}
    for package in (pos, supply):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, StateTable):
                    found[value.noun] = value
    return found


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
    with pytest.raises(Conflict, match="it cannot become nonsense") as refused:
        table.require(end, "nonsense")
    assert refused.value.message.endswith(f"{', '.join(table.moves[end]) or 'nothing: it is finished'}.")
    assert f"{table.first} →" in table.diagram()


def test_a_state_nobody_reaches_and_one_that_never_ends_are_found():
    table = StateTable("thing", "a", {"a": ["b"], "b": ["a"], "c": ["d"]})
    assert table.validate() == [
        "c is never reached",
        "d is never reached",
        "a never ends",
        "b never ends",
    ]
