"""Another node's journal only grows: what went back or became another is a doubt, and is followed on from there."""

import pytest
import sqlalchemy as sa

from config.database import Base, Database, make_engine
from config.nodes import anchor
from config.nodes.anchor import JournalAnchor
from config.nodes.journal import Actor, Context, JournalEntry
from tests.builders import NOON

NETWORK = Actor.system("sync", "network")


@pytest.fixture
def database(tmp_path) -> Database:
    found = Database(make_engine(f"sqlite:///{tmp_path / 'network.db'}"))
    Base.metadata.create_all(found.engine)
    return found


def hear(database: Database, n: int, hash: str, *, epoch: str = "e1", proof=None) -> str | None:
    with database.write() as session:
        doubt = anchor.hear(Context(session, NETWORK, NOON), "S01", n, hash, epoch=epoch, proof=proof)
        return doubt.what if doubt else None


def findings(database: Database) -> list[str]:
    with database.read() as session:
        return [row.found for row in anchor.findings(session)]


def test_a_journal_that_grows_raises_no_doubt_and_the_ends_it_may_still_prove_are_remembered(database):
    for n in range(1, 70):
        assert hear(database, n, f"h{n}") is None
    assert hear(database, 69, "h69") is None, "the same end again"
    with database.read() as session:
        kept = session.scalars(sa.select(JournalAnchor.n).order_by(JournalAnchor.n)).all()
        assert anchor.last(session, "S01").n == 69
        assert anchor.last(session, "S02") is None
    assert kept == list(range(70 - anchor.KEPT, 70))
    assert hear(database, 70, "h70", proof=(60, "h60")) is None
    with database.read() as session:
        assert session.scalars(sa.select(JournalAnchor.n).order_by(JournalAnchor.n)).all() == list(range(60, 71))
    assert findings(database) == []


def test_a_journal_without_an_entry_is_no_anchor(database):
    assert hear(database, 0, "0") is None
    assert hear(database, 3, "h3") is None


@pytest.mark.parametrize(
    ("n", "hash", "epoch", "proof", "what"),
    [
        (7, "h7", "e1", None, "it went back from entry 9 to entry 7"),
        (7, "h7", "e2", None, "it went back from entry 9 to entry 7: its database was put back from a copy"),
        (9, "other", "e1", None, "its entry 9 is not the one it was"),
        (12, "h12", "e1", (9, "other"), "its entry 9 is not the one it was"),
        (12, "h12", "e1", (5, ""), "its entry 5 is not the one it was"),
    ],
)
def test_a_tail_cut_off_or_a_chain_written_anew_is_doubted_journalled_and_found(database, n, hash, epoch, proof, what):
    hear(database, 5, "h5")
    hear(database, 9, "h9")
    assert hear(database, n, hash, epoch=epoch, proof=proof) == what
    assert len(findings(database)) == 1
    assert findings(database)[0].startswith(what)
    with database.read() as session:
        entry = session.scalars(sa.select(JournalEntry)).one()
    assert (entry.verb, entry.subject) == ("journal.doubted", "node:S01")
    assert hear(database, n + 1, "on", epoch=epoch, proof=(n, hash)) is None, "each break is told once"


def test_a_doubt_is_a_finding_until_a_person_has_looked_into_it(database):
    hear(database, 9, "h9")
    hear(database, 7, "h7")
    with database.write() as session:
        anchor.settle(Context(session, NETWORK, NOON), "S02")
    assert len(findings(database)) == 1, "of another store"
    with database.write() as session:
        anchor.settle(Context(session, NETWORK, NOON), "S01")
    assert findings(database) == []
