"""Somebody with the database in hand: what is on record can't be changed, and what was changed is found."""

import datetime as dt
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from config import migrate
from config.clock import FrozenClock
from config.database import Base, Database, make_engine
from config.errors import Conflict
from config.nodes import append_only, day_seals, journal
from config.nodes.anchor import JournalDoubt
from config.nodes.journal import Actor, Context, JournalEntry
from config.nodes.node import found, read_sidecar, this_node
from config.settings import Settings
from store_app.app import create_app
from store_app.commands import serve
from store_app.commands.cli import main
from store_app.jobs import keeping
from store_app.jobs.desk import Desk
from store_app.node import backup, checking, doctor, verifying
from store_app.runtime import tables
from store_app.runtime.doors import Doors
from store_app.sync import restored
from tests.builders import NOON
from tests.empty import empty_database, made_once
from tests.tampering import thief

tables.known()
PROTECTED = sorted(append_only.declared())
WE = Actor.system("test", "S01")


@pytest.fixture
def store(tmp_path: Path) -> Doors:
    """Give the doors of a store's node with nothing in its books but the node itself."""
    database = empty_database(tmp_path / "S01.db")
    with database.write() as session:
        found(session, "S01", at=NOON)
        session.execute(sa.text("CREATE TABLE alembic_version (version_num TEXT)"))
        session.execute(sa.text("INSERT INTO alembic_version VALUES (:newest)"), {"newest": migrate.newest()})
    address = f"sqlite:///{tmp_path / 'S01.db'}"
    settings = Settings(
        role="store", node_id="S01", state_folder=tmp_path, secret_key="k" * 40, database_url=address, port=0
    )
    return Doors(database, FrozenClock(NOON), settings)


@pytest.fixture(scope="module")
def on_postgres(postgres_url: str) -> Iterator[Engine]:
    """Give the network's books by weeks, brought up by the migrations."""
    server = sa.create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(sa.text("CREATE DATABASE protected TEMPLATE template0 ENCODING 'UTF8'"))
    engine = make_engine(sa.make_url(postgres_url).set(database="protected").render_as_string(hide_password=False))
    migrate.upgrade(engine)
    yield engine
    engine.dispose()
    with server.connect() as connection:
        connection.execute(sa.text("DROP DATABASE protected WITH (FORCE)"))
    server.dispose()


@pytest.fixture(scope="module")
def on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Give a store's empty books."""
    path = tmp_path_factory.mktemp("protected") / "books.db"
    with made_once():
        empty_database(path)
    engine = make_engine(f"sqlite:///{path}")
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def books(request) -> Iterator[sa.Connection]:
    """Give a connection to empty books, in a transaction that is thrown away; keys to other tables do not count."""
    engine = request.getfixturevalue("on_postgres" if request.param == "postgresql" else "on_sqlite")
    with engine.connect() as connection:
        if request.param == "sqlite":
            connection.connection.dbapi_connection.execute("PRAGMA foreign_keys=OFF")
            connection.connection.dbapi_connection.execute("PRAGMA ignore_check_constraints=ON")
        yield connection
        connection.rollback()


def value_of(column: sa.Column[Any], n: int) -> Any:
    """Return a value of a column's type, another one for each n; those for 1 pass every check of a table."""
    if isinstance(column.type, sa.JSON):
        return {"n": n}
    kind = getattr(column.type, "impl_instance", column.type).python_type
    values = {
        str: f"{column.name} {n}", int: n + (column.name == "net_minor"), bool: bool(n % 2),
        dt.datetime: NOON + dt.timedelta(hours=n), dt.date: NOON.date() + dt.timedelta(days=n), bytes: bytes([n]),
    }  # fmt: skip
    return values[kind]


def refused(connection: sa.Connection, statement: Any) -> bool:
    try:
        with connection.begin_nested():
            connection.execute(statement)
    except sa.exc.IntegrityError as fault:
        return "is append-only" in str(fault)
    return False


@pytest.mark.parametrize("name", PROTECTED)
def test_no_row_of_an_append_only_table_is_deleted_and_only_its_later_columns_change(books, name):
    table = Base.metadata.tables[name]
    for key in table.foreign_key_constraints if books.dialect.name == "postgresql" else ():
        books.exec_driver_sql(f"ALTER TABLE {name} DROP CONSTRAINT {key.name}")
    books.execute(sa.insert(table).values({column.name: value_of(column, 1) for column in table.columns}))
    changed = {column.name for column in table.columns if not refused(books, sa.update(table).values(
        {column.name: value_of(column, 2)}))}  # fmt: skip
    assert changed == set(table.info["append_only"])
    assert refused(books, sa.delete(table))
    assert refused(books, sa.text(f"TRUNCATE {name}" if books.dialect.name == "postgresql" else f"DELETE FROM {name}"))
    if books.dialect.name == "sqlite":
        assert refused(books, sa.text(f"INSERT OR REPLACE INTO {name} SELECT * FROM {name}"))
    assert books.scalar(sa.select(sa.func.count()).select_from(table)) == 1


def flipped(value: Any) -> Any:
    """Return a stored value with its smallest bit the other way."""
    if isinstance(value, str):
        return value[:-1] + chr(ord(value[-1]) ^ 1)
    if isinstance(value, bytes):
        return value[:-1] + bytes([value[-1] ^ 1])
    steps = {dt.datetime: dt.timedelta(microseconds=1), dt.date: dt.timedelta(days=1)}
    return value + steps[type(value)] if type(value) in steps else {"n": 3} if value == {"n": 2} else value ^ 1


def flaws(session: Session, reported: dict[str, dict[str, list[Any]]]) -> list[str]:
    digests = {(name, day): digest for name, days in reported.items() for day, digest in days.items()}
    return list(day_seals.faults(session, digests, away={}, is_gone=lambda *_: False))


@pytest.mark.parametrize("name", sorted(day_seals.covered()))
def test_one_bit_that_flips_in_a_sealed_row_is_named_with_its_table_and_day(books, name):
    table = Base.metadata.tables[name]
    checks = [one for one in table.constraints if isinstance(one, sa.CheckConstraint | sa.ForeignKeyConstraint)]
    for key in checks if books.dialect.name == "postgresql" else ():
        books.exec_driver_sql(f"ALTER TABLE {name} DROP CONSTRAINT {key.name}")
    kept = {column.name: value_of(column, 2 - isinstance(column.type, sa.Date)) for column in table.columns}
    with Session(books) as session:
        books.execute(sa.insert(table).values({column.name: value_of(column, 1) for column in table.columns}))
        day_seals.seal(session, day_seals.unsealed(session, "2026-03-31")[0])
        books.execute(sa.insert(table).values(kept))  # it comes late, where its day is sealed already
        day_seals.seal(session, day_seals.unsealed(session, "2026-03-31")[0])
        reported = {name: {one.day: one.digest for one in session.scalars(sa.select(day_seals.DaySeal))}}
        assert (day_seals.unsealed(session, "2026-03-31"), flaws(session, reported)) == ([], [])
        assert sum(rows for rows, _ in reported[name].values()) == 2
        which = sa.and_(*(column == kept[column.name] for column in table.primary_key))
        for column in table.columns:
            if column.name in table.info["append_only"]:
                continue
            before = books.begin_nested()
            with append_only.unlocked(session):
                books.execute(sa.update(table).where(which).values({column.name: flipped(kept[column.name])}))
                said = flaws(session, reported)
            before.rollback()
            assert len(said) == 1, f"{column.name}: {said}"
            assert said[0].startswith(f"1 row of {name}"), said
        session.execute(sa.update(day_seals.DaySeal).values(hashes=b"x" * 16))
        assert all("is not the one in the journal" in said for said in flaws(session, reported))
        session.execute(sa.delete(day_seals.DaySeal))
        assert all("was taken out of the books" in said for said in flaws(session, reported))


@pytest.mark.postgres
@pytest.mark.parametrize("name", ["sale", "sale_line", "stock_movement"])
def test_a_week_s_partition_asked_by_its_own_name_refuses_too(on_postgres, name):
    table = Base.metadata.tables[name]
    with on_postgres.connect() as connection:
        for key in table.foreign_key_constraints:
            connection.exec_driver_sql(f"ALTER TABLE {name} DROP CONSTRAINT {key.name}")
        connection.execute(sa.insert(table).values({column.name: value_of(column, 1) for column in table.columns}))
        assert refused(connection, sa.text(f"DELETE FROM weeks.{name}_rest"))
        assert refused(connection, sa.text(f"UPDATE weeks.{name}_rest SET store_id = 'another'"))
        connection.rollback()


def test_what_is_said_to_be_never_changed_is_declared_append_only():
    said = {
        mapper.local_table.name for mapper in Base.registry.mappers if "never changed" in (mapper.class_.__doc__ or "")
    }
    assert len(said) > 8
    assert said <= set(PROTECTED)


def test_another_program_can_t_change_what_is_on_record(tmp_path):
    database = empty_database(tmp_path / "books.db")
    with database.write() as session:
        journal.record(Context(session, WE, NOON), verb="done", subject="thing:1")
    with closing(sqlite3.connect(tmp_path / "books.db")) as other:
        for attack in ("UPDATE journal_entry SET verb = 'undone'", "DELETE FROM journal_entry"):
            with pytest.raises(sqlite3.Error, match=r"append-only|no such function"):
                other.execute(attack)
    with database.read() as session:
        assert journal.verify(session, "S01") == []


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
@pytest.mark.parametrize("ends", ["commits", "fails"])
def test_the_one_door_leaves_an_entry_and_is_shut_with_its_transaction(request, tmp_path, url, ends):
    database = empty_database(tmp_path / "b.db" if url == "sqlite" else request.getfixturevalue("postgres_database"))
    with database.write() as session:
        journal.record(Context(session, WE, NOON), verb="done", subject="thing:1")
    change = sa.update(journal.JournalEntry).where(journal.JournalEntry.n == 1)
    try:
        with database.write() as session, journal.amending(Context(session, WE, NOON), "thing:1", "a test", rows=()):
            session.execute(change.values(body='{"kept": 1}'))
            if ends == "fails":
                session.execute(sa.text("SELECT nothing FROM nowhere"))
    except sa.exc.DBAPIError:
        assert ends == "fails"
    with database.read() as session:
        rows = session.execute(
            sa.select(journal.JournalEntry.verb, journal.JournalEntry.body).order_by(sa.text("n"))
        ).all()
    amended = [("done", '{"kept": 1}'), ("books.amended", '{"why":"a test"}')]
    assert rows == (amended if ends == "commits" else [("done", "{}")])
    with pytest.raises(sa.exc.IntegrityError, match="is append-only"), database.write() as session:
        session.execute(change.values(body="changed"))


@pytest.mark.parametrize("url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_a_seal_follows_what_goes_through_the_one_door_and_nothing_that_goes_round_it(request, store, url):
    if url == "postgresql":
        store = Doors(empty_database(request.getfixturevalue("postgres_database")), store.clock, store.settings)
    first, second, third = (
        JournalDoubt(id=f"d{n}", node_id="S02", n=n, what="odd", heard_at=NOON, seen_at=None) for n in range(3)
    )
    with store.write() as session:
        session.add_all([first, second, third])

    def sealed() -> str:
        return keeping.seal(Desk(store), NOON.date())

    def faults() -> list[str]:
        with store.read() as session:
            return verifying.verify_in(session, "S01").faults

    assert (sealed(), sealed()) == ("1 days of tables sealed", "0 days of tables sealed")
    with store.write() as session:
        first, second = (session.get_one(JournalDoubt, one.id) for one in (first, second))
        with journal.amending(Context(session, WE, NOON), "thing:1", "forgotten by law", rows=[first, second]):
            first.what = ""
            session.delete(second)
    with store.read() as session:
        kept = session.scalars(sa.select(JournalEntry.body).where(JournalEntry.verb == day_seals.SEALED)).all()
    assert "forgotten by law" in kept[-1]
    assert faults() == []
    with store.write() as session, journal.amending(Context(session, WE, NOON), "thing:1", "silently", rows=()):
        session.execute(sa.update(JournalDoubt).where(JournalDoubt.id == "d2").values(what="even"))
    assert sealed() == "0 days of tables sealed"
    assert faults() == ["1 row of journal_doubt of 2026-03-02 changed or went after the day was sealed"]


ATTACKS = {
    "dropped": "DROP TRIGGER append_only_payment_update",
    "hollow": "DROP TRIGGER append_only_payment_update; "
    "CREATE TRIGGER append_only_payment_update BEFORE UPDATE ON payment WHEN 0 BEGIN SELECT 1; END",
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_table_that_lost_its_protection_is_named_by_check_and_doctor_and_migrate_lays_it_again(store, attack):
    with closing(sqlite3.connect(str(store.database.engine.url.database))) as other:
        other.executescript(ATTACKS[attack])
    assert [(one.code, one.subject) for one in checking.findings(store)] == [("J2", "table:payment")]
    word = next(word for word in doctor.examine(store, outside=False) if word.thing == "protection")
    assert word.light == doctor.BAD
    assert "Rows of payment can be changed" in word.sentence
    with store.write() as session:
        assert append_only.protect(session) == ["payment"]
    assert checking.findings(store) == []


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("attack", "name"),
    [
        ("DROP TRIGGER append_only_payment_delete ON payment", "payment"),
        ("ALTER TABLE waste DISABLE TRIGGER ALL", "waste"),
        ("ALTER TABLE weeks.sale_line_rest DISABLE TRIGGER append_only_sale_line_update", "sale_line"),
    ],
)
def test_on_postgresql_a_trigger_that_is_gone_or_off_in_one_partition_is_named(on_postgres, attack, name):
    with Database(on_postgres).read() as session:
        assert list(append_only.findings(session)) == []
        session.execute(sa.text(attack))
        assert append_only.unprotected(session) == [name]


# --- a damaged file ---

COMMANDS = ["check", "verify", "status", "doctor", "migrate"]
DAMAGES = [(at, 0xFF) for at in range(16, 100)] + [(0, 0xFF), (47, 0x01), (59, 0x03), (100, 0xFF), (103, 0xFF)]


@pytest.mark.parametrize("part", range(8))
def test_a_byte_of_the_file_s_header_that_is_damaged_is_said_in_a_sentence(store, monkeypatch, part):
    file = store.settings.database_url.removeprefix("sqlite:///")
    store.database.engine.dispose()
    whole = Path(file).read_bytes()
    for name, value in {"ROLE": "store", "NODE_ID": "S01", "STATE_FOLDER": str(store.settings.state_folder)}.items():
        monkeypatch.setenv(f"CORNERSTORE_{name}", value)
    for at, flip in DAMAGES[part::8]:
        damaged = bytearray(whole)
        damaged[at] ^= flip
        command = COMMANDS[at % len(COMMANDS)]
        for end in ("-wal", "-shm"):
            Path(file + end).unlink(missing_ok=True)
        Path(file).write_bytes(damaged)
        done = CliRunner().invoke(main, [command, *(["--alone"] if command in ("verify", "doctor") else [])])
        assert isinstance(done.exception, SystemExit | None), f"byte {at} with {command}: {done.exception!r}"
        assert done.exit_code == 0 or done.output.strip(), f"byte {at} with {command} says nothing"
        if "The database file is damaged. Stop selling on" in done.output:
            assert done.exit_code == 2, f"byte {at} with {command}"


@pytest.mark.parametrize("at", [16, 22, 47, 100])
def test_a_server_over_a_file_whose_header_is_damaged_answers_503_in_words(store, at):
    file = Path(str(store.database.engine.url.database))
    app = create_app(store.settings, store.clock)
    store.database.engine.dispose()
    damaged = bytearray(file.read_bytes())
    damaged[at] ^= 0xFF
    file.write_bytes(damaged)
    answer = app.test_client().get("/signin")
    assert answer.status_code == 503
    assert "damaged" in answer.text


# --- two servers, and one without a worker ---


def test_a_second_server_over_the_same_books_is_refused_in_words_and_one_that_was_killed_leaves_no_lock(store):
    held = threading.Event()
    ended = threading.Event()

    def first() -> None:
        with serve.alone(store):
            held.set()
            ended.wait()

    serves = threading.Thread(target=first)
    serves.start()
    held.wait()
    with pytest.raises(Conflict, match="already uses this database"):
        serve.serve(store)
    assert backup.is_running(store), "nor is a copy put back under a server on another port"
    ended.set()
    serves.join()
    hold = f"from filelock import FileLock; import os, signal; FileLock({str(store.server_lock)!r}).acquire(); "
    killed = subprocess.run([sys.executable, "-c", hold + "os.kill(os.getpid(), signal.SIGKILL)"], check=False)
    assert killed.returncode == -signal.SIGKILL
    with serve.alone(store):
        assert store.server_lock is not None


def test_without_a_worker_the_server_keeps_the_sidecar_and_numbers_lost_with_the_log_are_not_given_again(
    store, monkeypatch
):
    monkeypatch.setattr(serve, "SIDECAR_S", 0.01)
    kept = store.settings.sidecar
    with serve.sidecar_kept(store):
        with store.write() as session:
            journal.record(Context(session, WE, NOON), verb="sold", subject="sale:1")
            end = session.get_one(journal.JournalHead, "S01").n
        for _ in range(2000):
            if (there := read_sidecar(kept)) is not None and there["n"] == end:
                break
            threading.Event().wait(0.01)
    assert read_sidecar(kept)["n"] == end
    with thief(store.database) as connection:  # what was lost with the log
        connection.execute("DELETE FROM journal_entry WHERE n = ?", (end,))
        connection.execute("UPDATE journal_head SET n = n - 1")
    before = this_epoch(store)
    assert restored.restart_if_restored(store), "the sidecar knows of a sale that the books have lost"
    assert this_epoch(store) != before


def this_epoch(store: Doors) -> str:
    with store.read() as session:
        return this_node(session).epoch
