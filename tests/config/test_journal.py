"""The journal: whatever is done to it afterwards shows."""

import json

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Conflict
from config.nodes.journal import Actor, Context, JournalEntry, JournalHead, canonical, move, record, verify
from config.nodes.outbox import OutboxMessage
from tests.builders import NOON, open_database
from tests.tampering import unlocked

ANA = Actor("ana", "Ana", "cashier", "S01")


@pytest.fixture
def database(tmp_path):
    """Give a database whose journal has ten entries of one node and three of another."""
    found = open_database(tmp_path / "journal.db")
    with found.write() as session:
        for n in range(10):
            record(Context(session, ANA, NOON), verb="sale.completed", subject=f"sale:{n}", total_minor=n)
        for n in range(3):
            record(Context(session, Actor.system("roll-up", "network"), NOON), verb="rolled", subject=f"day:{n}")
    return found


def broken(database, *statements) -> list[str]:
    with database.write() as session, unlocked(session):
        for statement in statements:
            session.execute(statement)
    with database.read() as session:
        assert verify(session, "network") == [], "the other chain was not touched"
        return verify(session, "S01")


def entry(n: int):
    return sa.and_(JournalEntry.node_id == "S01", JournalEntry.n == n)


def test_an_untouched_chain_holds(database):
    assert broken(database) == []


@pytest.mark.parametrize("n", [1, 5, 10])
@pytest.mark.parametrize("values", [{"body": "{}"}, {"actor_name": "Eve"}, {"verb": "x"}, {"subject": "sale:99"}])
def test_an_edit_shows(database, n, values):
    assert f"entry {n} " in broken(database, sa.update(JournalEntry).where(entry(n)).values(**values))[0]


@pytest.mark.parametrize("n", [1, 5, 9])
def test_a_deletion_shows(database, n):
    assert broken(database, sa.delete(JournalEntry).where(entry(n)))[0].startswith(f"entry {n} is missing")


def test_a_deletion_with_the_rest_moved_up_shows(database):
    later = sa.and_(JournalEntry.node_id == "S01", JournalEntry.n > 5)
    up = sa.update(JournalEntry).where(later).values(n=JournalEntry.n - 1)
    head = sa.update(JournalHead).where(JournalHead.node_id == "S01").values(n=9)
    assert "entry 5 " in broken(database, sa.delete(JournalEntry).where(entry(5)), up, head)[0]


def test_a_swap_shows(database):
    def renumber(a, b):
        return sa.update(JournalEntry).where(entry(a)).values(n=b)

    assert broken(database, renumber(3, 99), renumber(4, 3), renumber(99, 4)) != []


@pytest.mark.parametrize("kept", [0, 1, 9])
def test_a_cut_off_tail_shows(database, kept):
    tail = sa.delete(JournalEntry).where(JournalEntry.node_id == "S01", JournalEntry.n > kept)
    assert broken(database, tail) == [f"the journal ends at entry {kept}, but 10 were written"]


def test_a_head_that_was_set_back_with_the_tail_shows_by_its_hash(database):
    tail = sa.delete(JournalEntry).where(JournalEntry.node_id == "S01", JournalEntry.n > 8)
    head = sa.update(JournalHead).where(JournalHead.node_id == "S01").values(n=8)
    assert broken(database, tail, head) == ["the head of the chain does not fit the last entry"]


def test_a_move_is_written_down_and_an_illegal_one_writes_nothing(database):
    message = OutboxMessage(id="m1", state="pending")
    with database.write() as session:
        move(Context(session, ANA, NOON), message, "stuck", subject="message:m1", why="no answer")
        with pytest.raises(Conflict):
            move(Context(session, ANA, NOON), message, "written_off_twice", subject="message:m1")
    with database.read() as session:
        rows = session.scalars(sa.select(JournalEntry).where(JournalEntry.subject == "message:m1")).all()
        assert [(row.verb, row.body) for row in rows] == [("message.stuck", '{"before":"pending","why":"no answer"}')]
        assert verify(session, "S01") == []
    assert message.state == "stuck"


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()) | st.sampled_from([0.5, 2.25, 1e15, "\ud800"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
)


@given(_VALUES)
def test_the_canonical_text_is_the_standard_s_with_sorted_keys(value):
    """Also for whole numbers over 64 bits and half a letter, which a stranger may send."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical(value) == text
