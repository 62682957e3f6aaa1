"""A rehearsed restore says in a sentence whether the newest backup can be put back, and leaves nothing behind."""

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from config.database import AMENDING
from config.errors import Unreachable
from config.nodes import journal
from config.nodes.journal import Actor, Context
from pos.store.store import found_store
from store_app.jobs import keeping
from store_app.jobs.desk import Desk
from store_app.node import backup, doctor
from store_app.node.founding import set_up
from store_app.runtime.child_process import compute_here
from store_app.web import staff
from tests.builders import GOODS, OpenStore, fill_catalogue
from tests.store_app.conftest import NOON, STORE
from tests.store_app.house import House, open_house
from tests.store_app.office import send, words

ANA = Actor("ana", "Ana", "shopkeeper", STORE)


@pytest.fixture(scope="module")
def founded_file(tmp_path_factory) -> Path:
    """Give the file of a store as `cornerstore init` makes it, with products, an open till and two sales."""
    house = open_house(tmp_path_factory.mktemp("founded"), NOON, node_id=STORE)
    set_up(house.doors)
    with house.doors.write() as session:
        ctx = Context(session, ANA, NOON)
        found_store(session, STORE, "Store", region=("R", "R"), currency="EUR", tz="UTC", at=NOON)
        staff.add(ctx, STORE, "shopkeeper", "shopkeeper", staff.PRACTICE_PINS["shopkeeper"], weak=True)
        fill_catalogue(ctx, STORE, GOODS)
    counter = OpenStore(house.doors.database, house.clock, STORE)
    counter.open_till()
    for qty in (1, 2):
        counter.sell([("milk", qty)])
    house.doors.database.engine.dispose()
    return house.file


@pytest.fixture
def house(tmp_path, founded_file) -> House:
    """Give a store that has sold."""
    house = open_house(tmp_path, NOON, node_id=STORE)
    house.file.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(founded_file, house.file)
    yield house
    house.doors.database.engine.dispose()


def work(house: House, compute=compute_here) -> str:
    return keeping.rehearse(Desk(house.doors, compute=compute), NOON.date())


def rehearsed(house: House, compute=compute_here) -> str:
    """Ask for a rehearsal on the page, let the worker do it, and return what the page says then."""
    keeper = house.signed_in()
    assert send(keeper, "/settings/rehearse").status_code == 303
    page = keeper.get("/settings/")
    assert "The rehearsal runs in the background" in words(page)
    assert 'action="/settings/rehearse"' not in page.text
    work(house, compute)
    return words(keeper.get("/settings/"))


def test_the_page_says_that_the_newest_backup_can_be_restored_what_it_holds_and_when_that_was_tried(house):
    assert "A practice store makes no backups." in words(house.signed_in().get("/settings/"))
    backup.make(house.doors)
    house.clock.advance(3600)
    OpenStore(house.doors.database, house.clock, STORE).sell([("milk", 1)])
    backup.make(house.doors)
    house.clock.advance(3600)
    OpenStore(house.doors.database, house.clock, STORE).sell([("milk", 1)])
    said = rehearsed(house)
    assert "The backup from Mon, Mar 2 1:00 PM works: 3 sales, last receipt Mon, Mar 2 1:00 PM." in said
    assert "Rehearsed Mon, Mar 2 2:00 PM." in said


def test_a_rehearsal_leaves_the_books_the_backups_and_the_disk_as_they_were(house):
    backup.make(house.doors)
    folder = house.doors.settings.state_folder
    (folder / "rehearsal").mkdir()
    (folder / "rehearsal" / "S01.db").write_bytes(b"cut off by a crash")
    keeper = house.signed_in()
    send(keeper, "/settings/rehearse")
    with house.doors.read() as session:
        before = session.get_one(journal.JournalHead, STORE).n
    copies = {path.name: path.read_bytes() for path in backup.folder_of(house.doors).iterdir()}
    assert "can be restored" in work(house)
    with house.doors.read() as session:
        assert session.get_one(journal.JournalHead, STORE).n == before + 1, "its result is journalled, and nothing else"
    assert {path.name: path.read_bytes() for path in backup.folder_of(house.doors).iterdir()} == copies
    assert not (folder / "rehearsal").exists()
    assert work(house) == "nothing asked"


def _note(file: Path, **changed: object) -> None:
    path = file.with_name(f"{file.name}.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def _edit(file: Path) -> None:
    """Change a sale in a copy, as somebody does who writes its note again."""
    with closing(sqlite3.connect(file)) as copy, copy:
        copy.create_function(AMENDING, -1, lambda *_: 1)
        copy.execute("UPDATE sale SET total_minor = 1 WHERE receipt_no = 1")
    _note(file, sha256=hashlib.sha256(file.read_bytes()).hexdigest())


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda file: file.write_bytes(file.read_bytes()[:-1] + b"x"), "has changed since it was made."),
        (_edit, "The journal in the backup is broken: Receipt 1"),
        (partial(_note, sales=3), "The sales it was based on have changed."),
        (partial(_note, last_sale_at="2026-03-02T11:00:00+00:00"), "The sales it was based on have changed."),
        (partial(_note, journal_hash="0" * 64), "the note beside the backup remembers another entry"),
    ],
)
def test_a_backup_that_is_not_what_it_was_fails_the_rehearsal_with_what_to_do(house, spoil, why):
    spoil(backup.folder_of(house.doors) / backup.make(house.doors).file)
    said = rehearsed(house)
    assert "The backup from Mon, Mar 2 12:00 PM can’t be restored: " in said
    assert why in said
    assert "A new one will be made tonight: rehearse again tomorrow." in said
    assert not (house.doors.settings.state_folder / "rehearsal").exists()


def test_a_rehearsal_without_room_or_time_blames_no_backup(house, monkeypatch):
    backup.make(house.doors)
    monkeypatch.setattr(backup, "SPARE", 10**12)
    said = rehearsed(house)
    assert "MB are free for a backup. Free some space" in said
    assert "A new one is made tonight" not in said

    def too_slow(*_given):
        raise Unreachable("computing-stopped", "The computation stopped early.")

    assert "The computation stopped early." in rehearsed(house, too_slow)


def test_without_a_backup_there_is_nothing_to_rehearse(house):
    refused = send(house.signed_in(), "/settings/rehearse")
    assert refused.status_code == 404
    assert "A practice store makes no backups." in words(refused)


def test_the_doctor_says_when_no_restore_was_rehearsed_for_90_days(house):
    def sentence() -> str:
        backup.make(house.doors)
        return next(word for word in doctor.examine(house.doors, outside=False) if word.thing == "backups").sentence

    house.clock.advance(90 * 86_400)
    assert "rehearsed" not in sentence()
    house.clock.advance(60)
    assert "No restore has been rehearsed for 90 days." in sentence()
    rehearsed(house)
    assert "rehearsed" not in sentence()
