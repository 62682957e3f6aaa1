"""A prepared statement does what SQLAlchemy's own execution of it does: values, rows, faults, transaction."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.database import table_of
from config.nodes.journal import JournalEntry
from config.nodes.node import Node
from config.nodes.outbox import OutboxMessage
from config.prepared import Prepared, PreparedForSome
from tests.builders import NOON, open_database

ENTRY, MESSAGE = table_of(JournalEntry), table_of(OutboxMessage)
ELSEWHERE = NOON.astimezone(dt.timezone(dt.timedelta(hours=8)))
INSERT = Prepared(sa.insert(ENTRY))
READ = Prepared(sa.select(ENTRY.c.n, ENTRY.c.at).where(ENTRY.c.n >= sa.bindparam("least")).order_by(ENTRY.c.n))


@pytest.fixture
def database(tmp_path):
    """Give a database with every table."""
    found = open_database(tmp_path / "prepared.db")
    yield found
    found.engine.dispose()


def entry(n: int) -> dict:
    values = {"actor_id": "a", "actor_name": "A", "verb": "v", "subject": "s", "body": "{}", "hash": "h"}
    return {"node_id": "S01", "n": n, "at": ELSEWHERE, **values}


def test_values_are_written_and_read_as_the_orm_does(database):
    with database.write() as session:
        INSERT.run(session, entry(1))
        INSERT.run(session, [entry(2), entry(3)])
        INSERT.run(session, [])
        session.add(JournalEntry(**entry(4)))
    with database.read() as session:
        rows = READ.all(session, {"least": 2})
        assert rows == session.execute(sa.select(ENTRY.c.n, ENTRY.c.at).where(ENTRY.c.n >= 2)).all()
        assert rows[0][1] == NOON
        assert rows[0][1].tzinfo is not None
        assert READ.first(session, {"least": 4})[0] == 4
        assert READ.first(session, {"least": 5}) is None
        written = session.execute(sa.text("select distinct at from journal_entry")).all()
    assert len(written) == 1


def test_a_time_without_a_zone_is_refused_here_too(database):
    with pytest.raises(ValueError, match="without a zone"), database.write() as session:
        INSERT.run(session, entry(1) | {"at": NOON.replace(tzinfo=None)})


def test_a_column_that_is_not_named_gets_its_default(database):
    names = ("to_node", "epoch", "topic", "subject", "body", "hash", "head")
    row = {"id": "m", "n": 1, "version": 1, "made_at": NOON, "business_day": NOON.date()} | dict.fromkeys(names, "x")
    with database.write() as session:
        Prepared(sa.insert(MESSAGE)).run(session, row)
    with database.read() as session:
        found = session.get_one(OutboxMessage, "m")
        assert (found.state, found.attempts, found.reason) == ("pending", 0, None)


def test_it_is_part_of_the_transaction_and_follows_what_the_session_holds(database):
    count = Prepared(sa.select(sa.func.count()).select_from(table_of(Node)))

    def fail() -> None:
        with database.write() as session:
            session.add(Node(id="a", epoch="e", born_at=NOON))
            assert count.first(session, {})[0] == 1
            INSERT.run(session, entry(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as session:
        assert READ.all(session, {"least": 0}) == []
        assert count.first(session, {})[0] == 0


def test_a_savepoint_that_is_undone_takes_it_along(database):
    with database.write() as session:
        INSERT.run(session, entry(1))
        savepoint = session.begin_nested()
        INSERT.run(session, entry(2))
        savepoint.rollback()
        INSERT.run(session, entry(3))
    with database.read() as session:
        assert [row[0] for row in READ.all(session, {"least": 0})] == [1, 3]


def test_a_fault_is_sqlalchemy_s_own_and_names_no_value(database):
    secret = entry(1) | {"body": "secret"}
    with pytest.raises(sa.exc.IntegrityError, match="INSERT") as fault, database.write() as session:
        INSERT.run(session, [secret, secret])
    assert "secret" not in str(fault.value)


def test_a_list_is_no_value(database):
    some = Prepared(sa.select(ENTRY.c.n).where(ENTRY.c.n.in_(sa.bindparam("some", expanding=True))))
    with database.read() as session, pytest.raises(ValueError, match="takes no list"):
        some.all(session, {"some": [1, 2]})


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 9])
def test_some_are_asked_about_whatever_their_number(database, count):
    some = PreparedForSome(lambda numbers: sa.select(ENTRY.c.n).where(ENTRY.c.n.in_(numbers)).order_by(ENTRY.c.n))
    with database.write() as session:
        INSERT.run(session, [entry(n) for n in range(1, 12)])
    with database.read() as session:
        found = some.all(session, {}, list(range(1, count + 1)))
    assert [n for (n,) in found] == list(range(1, count + 1))
