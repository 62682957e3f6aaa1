"""The two doors: one transaction at a time, writers that queue, reads that change nothing."""

import datetime as dt
import sqlite3
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import Base, Database, Turns, after_commit, make_engine
from config.nodes.node import Node
from config.prepared import Prepared
from tests.builders import NOON


@pytest.fixture
def database(tmp_path):
    """Give an empty database in a file."""
    found = Database(make_engine(f"sqlite:///{tmp_path / 'ground.db'}"))
    Base.metadata.create_all(found.engine)
    yield found
    found.engine.dispose()


def node(id: str) -> Node:
    return Node(id=id, epoch="e", born_at=NOON)


@pytest.mark.parametrize(
    ("outer", "inner"), [("write", "write"), ("write", "read"), ("read", "write"), ("read", "read")]
)
def test_a_door_inside_a_door_is_refused_and_the_outer_one_still_works(database, outer, inner):
    with getattr(database, outer)() as session:
        with pytest.raises(RuntimeError, match="was opened inside"), getattr(database, inner)():
            pass
        assert session.scalar(sa.select(sa.func.count()).select_from(Node)) == 0
    with database.write() as session:
        session.add(node("a"))


def test_a_write_is_whole_or_nothing(database):
    def half() -> None:
        with database.write() as session:
            session.add(node("a"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    with database.read() as session:
        assert session.get(Node, "a") is None


def test_what_is_changed_while_reading_is_thrown_away(database):
    with database.read() as session:
        session.add(node("a"))
        session.flush()
    with database.read() as session:
        assert session.get(Node, "a") is None


def test_a_look_sees_one_moment_however_it_asks(database):
    count = sa.select(sa.func.count()).select_from(Node)
    asked = Prepared(count)
    with database.write() as session:
        session.add(node("a"))
    with database.read() as session:
        assert asked.first(session, {})[0] == 1
        with Session(database.engine) as another:
            another.add(node("b"))
            another.commit()
        assert (asked.first(session, {})[0], session.scalar(count)) == (1, 1)
    with database.read() as session:
        assert (session.scalar(count), asked.first(session, {})[0]) == (2, 2)


def test_a_look_that_broke_off_holds_nothing_up(database):
    with suppress(ZeroDivisionError), database.read() as session:
        session.scalar(sa.select(Node.id))
        raise ZeroDivisionError
    with database.write() as session:
        session.add(node("a"))
    with database.engine.connect() as line:
        busy = line.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]
    assert busy == 0


def test_a_look_after_opening_anew_reads_the_file_that_lies_there_now(database):
    with database.read() as session:
        held = session.connection().connection.dbapi_connection
        database.reopen()
    with database.read() as session:
        assert session.connection().connection.dbapi_connection is not held
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        held.execute("SELECT 1")


def test_writers_begin_immediate_and_queue_instead_of_failing(database):
    with database.write() as session:
        session.add(Node(id="a", epoch="0", born_at=NOON))
    begun: list[str] = []
    database.engine.dispose()
    sa.event.listen(database.engine, "connect", lambda line, _record: line.set_trace_callback(begun.append))
    faults: list[BaseException] = []

    def count_up() -> None:
        try:
            for _ in range(20):
                with database.write() as session:
                    row = session.get_one(Node, "a")
                    row.epoch = str(int(row.epoch) + 1)
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    with database.read() as session:
        assert session.get_one(Node, "a").epoch == "80"
    assert begun.count("BEGIN IMMEDIATE") == 80


def test_two_processes_doors_on_one_file_queue_too(database, tmp_path):
    other = Database(make_engine(f"sqlite:///{tmp_path / 'ground.db'}"))
    with database.write() as session:
        session.add(Node(id="a", epoch="0", born_at=NOON))

    def count_up(door: Database) -> None:
        for _ in range(20):
            with door.write() as session:
                row = session.get_one(Node, "a")
                row.epoch = str(int(row.epoch) + 1)

    threads = [threading.Thread(target=count_up, args=(door,)) for door in (database, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as session:
        assert session.get_one(Node, "a").epoch == "40"
    other.engine.dispose()


def test_writers_get_their_turn_in_the_order_in_which_they_came(database):
    order: list[int] = []

    def write(n: int) -> None:
        with database.write():
            order.append(n)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
    with database.write():
        for waiting, thread in enumerate(threads, 1):
            thread.start()
            while len(database._turns._waiting) < waiting:
                pass
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4, 5]


def test_a_writer_of_another_program_waits_for_its_turn_without_asking_again(database, tmp_path):
    program = (
        "import sys; from config.database import Database, make_engine; from config.nodes.node import Node\n"
        "door = Database(make_engine(sys.argv[1])); print('there', flush=True)\n"
        "with door.write() as session: session.get_one(Node, 'a').epoch += 'b'"
    )
    with database.write() as session:
        session.add(node("a"))
    with database.write() as session:
        other = subprocess.Popen(
            [sys.executable, "-c", program, str(database.engine.url)], stdout=subprocess.PIPE, text=True
        )
        assert other.stdout.readline() == "there\n"
        session.get_one(Node, "a").epoch += "a"
    assert other.wait(120) == 0
    other.stdout.close()
    with database.read() as session:
        assert session.get_one(Node, "a").epoch == "eab"


def test_a_turn_nobody_could_take_is_given_to_the_next(tmp_path):
    turns = Turns(tmp_path / "no such folder" / "turn")
    for _ in range(2):
        with pytest.raises(FileNotFoundError), turns:
            pass


def test_what_is_remembered_is_asked_again_once_anybody_has_committed(database, tmp_path):
    asked: list[int] = []

    def epoch(look: Session) -> str | None:
        asked.append(1)
        return look.scalar(sa.select(Node.epoch))

    assert [database.remembered("epoch", epoch) for _ in range(3)] == [None] * 3
    assert len(asked) == 1
    with database.write() as session:
        session.add(node("a"))
    assert [database.remembered("epoch", epoch) for _ in range(3)] == ["e"] * 3
    assert len(asked) == 2
    other = Database(make_engine(f"sqlite:///{tmp_path / 'ground.db'}"))
    with other.write() as session:
        session.get_one(Node, "a").epoch = "f"
    other.engine.dispose()
    assert [database.remembered("epoch", epoch) for _ in range(3)] == ["f"] * 3
    assert len(asked) == 3


def test_books_are_written_on_after_a_command_fell_over_and_after_they_were_closed(database):
    def fall_over() -> None:
        with database.write() as session:
            session.add(node("lost"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fall_over()
    with database.write() as session:
        session.add(node("a"))
    database.engine.dispose()
    with database.write() as session:
        session.add(node("b"))
    with database.read() as session:
        assert sorted(session.scalars(sa.select(Node.id))) == ["a", "b"]


def test_an_sqlite_file_is_durable_and_keeps_its_foreign_keys(database):
    with database.read() as session:
        pragmas = [
            session.execute(sa.text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert pragmas == ["wal", 2, 1]


def test_effects_run_after_the_commit_and_never_without_it(database):
    seen: list[bool] = []

    def look() -> None:
        with database.read() as session:
            seen.append(session.get(Node, "a") is not None)

    def fail() -> None:
        with database.write() as session:
            after_commit(session, look)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert seen == []
    with database.write() as session:
        session.add(node("a"))
        after_commit(session, look)
    assert seen == [True]


def test_times_come_back_aware_in_utc_and_naive_ones_are_refused(database):
    there = dt.datetime(2026, 3, 2, 14, 30, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    with database.write() as session:
        session.add(Node(id="a", epoch="e", born_at=there))
    with database.read() as session:
        born = session.get_one(Node, "a").born_at
        assert (born, born.tzinfo) == (there, dt.UTC)
    with pytest.raises(sa.exc.StatementError, match="without a zone"), database.write() as session:
        session.add(Node(id="b", epoch="e", born_at=dt.datetime(2026, 3, 2)))  # noqa: DTZ001
