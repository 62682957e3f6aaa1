"""A computer's first run: who may set the store up, what is kept, and that there is a whole store or none."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from werkzeug.test import Client, TestResponse

from config import settings
from config.database import Database, make_engine
from config.errors import Conflict, Refused
from config.nodes.journal import Actor, Context, JournalEntry
from config.settings import Settings
from pos.catalogue.catalogue import TaxClass
from pos.store import joining
from pos.store.store import Staff, Store
from store_app.app import create_app
from store_app.first_run.application import entrance_of
from store_app.first_run.entrance import PAGE, Entrance
from store_app.node import backup, founding
from store_app.node.founding import NewStore, found_store_node, settings_in
from store_app.runtime.doors import open_doors
from tests.benchmarks._node import free_port
from tests.journeys.test_new_member import STORE as MEMBER
from tests.journeys.test_new_member import network, url
from tests.store_app.conftest import NOON, House
from tests.store_app.office import words

__all__ = ["network", "url"]  # a network that has founded a store nobody has opened yet

STORE = {"name": "Eckladen", "country": "DE", "language": "de"}
PAPERS = {"address": "Hauptstr. 1", "tax_number": "DE123456789", "currency": "EUR", "tz": "Europe/Berlin",
          "rates": ["19", "7", ""], "prices": "inclusive"}  # fmt: skip
PERSON = {"person": "Wei", "pin": "8642"}
NEW = NewStore("Eckladen", "DE", "de", "EUR", "Europe/Berlin", rates_bp=(1900, 700))

PORT = free_port()
"""A store that runs on this computer is none of the tested ones."""


class Browser:
    """A browser at the entrance of a folder, on this computer unless told otherwise."""

    def __init__(self, door: Entrance, *, opened: bool = True, **origin: str) -> None:
        self.door, self._client = door, Client(door)
        self._origin = {"REMOTE_ADDR": "127.0.0.1"} | origin
        if opened:
            self.get(f"/?key={door.key}")

    def get(self, address: str) -> TestResponse:
        """Open a page."""
        return self._client.get(address, environ_base=self._origin)

    def send(self, screen: str, said: dict[str, object]) -> TestResponse:
        """Fill a screen in and send it."""
        token = re.search(r'name="csrf-token" content="([^"]+)"', self.get(f"/set-up/{screen}").text)
        assert token, screen
        return self._client.post(f"/set-up/{screen}", data={"csrf_token": token[1], **said}, environ_base=self._origin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder without a store, on a computer whose settings name none."""
    monkeypatch.delenv("CORNERSTORE_SETTINGS", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture
def door(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Entrance]:
    """Give the entrance of a computer without a store."""
    apps: list[Flask] = []

    def opened(file: Path) -> Flask:
        monkeypatch.setenv("CORNERSTORE_SETTINGS", str(file))
        apps.append(create_app(settings.load()))
        return apps[-1]

    yield entrance_of(folder, opened, port=PORT)
    for app in apps:
        app.extensions["cornerstore"].database.engine.dispose()


def books(folder: Path) -> Database:
    """Open the books of the store that was founded in a folder."""
    return Database(make_engine(f"sqlite:///{folder / founding.FINISHED / 'S01.db'}"))


@pytest.mark.parametrize(
    ("speaks", "zone", "country"),
    [("es-MX,es;q=0.9", "UTC", "MX"), ("es", "UTC", "ES"), ("xx-QQ,en", "UTC", "US"), ("es-MX", "Europe/Vienna", "AT")],
)
def test_the_country_proposed_is_the_computer_s_then_the_browser_s(door: Entrance, monkeypatch, speaks, zone, country):
    monkeypatch.setenv("TZ", zone)
    page = Browser(door, HTTP_ACCEPT_LANGUAGE=speaks).get("/set-up/store").text
    assert re.search(rf'<option value="{country}" selected', page)


def test_the_screens_found_a_store_with_what_its_country_needs(folder: Path, door: Entrance):
    browser = Browser(door)
    assert browser.send("store", STORE).location == "/set-up/papers?lang=de"
    proposed = browser.get("/set-up/papers").text
    assert [re.search(rf'id="rate-{n}"[^>]* value="([^"]*)"', proposed)[1] for n in (1, 2, 3)] == ["19", "7", ""]  # type: ignore[index]
    assert browser.send("papers", PAPERS).status_code == 303
    begun = browser.send("person", PERSON)
    assert begun.location == "/first-steps/printer"
    assert browser.get("/first-steps/printer").status_code == 200, "who set it up is signed in"
    with books(folder).read() as session:
        store, person = session.scalars(sa.select(Store)).one(), session.scalars(sa.select(Staff)).one()
        classes = session.scalars(sa.select(TaxClass).order_by(TaxClass.rate_bp)).all()
    assert (store.name, store.currency, store.tz, store.language) == ("Eckladen", "EUR", "Europe/Berlin", "de")
    assert (store.address, store.tax_number) == ("Hauptstr. 1", "DE123456789")
    assert (person.name, person.role) == ("Wei", "shopkeeper")
    assert [(one.name, one.rate_bp, one.inclusive) for one in classes] == [
        ("Ohne Steuer", 0, True), ("Ermäßigter Satz", 700, True), ("Regelsatz", 1900, True),
    ]  # fmt: skip
    assert settings.load().country == "DE"


@pytest.mark.parametrize(
    "origin",
    [{"REMOTE_ADDR": "192.168.1.20"}, {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.168.1.20"}],
)
def test_nobody_elsewhere_sets_the_store_up_even_with_the_key(door: Entrance, origin: dict[str, str]):
    stranger = Browser(door, **origin)
    assert [stranger.get(at).status_code for at in ("/", f"/?key={door.key}", "/set-up/store")] == [403] * 3


def test_on_this_computer_too_it_takes_the_key_that_the_program_showed(door: Entrance):
    other = Browser(door, opened=False)
    assert [other.get(at).status_code for at in ("/", "/?key=", "/?key=guess", "/set-up/person")] == [403] * 4
    assert "open the address Cornerstore shows" in words(other.get("/"))


def test_what_a_browser_is_started_with_opens_nothing_for_others_on_this_computer(folder: Path, tmp_path: Path):
    """The real program; its browser only says what it was started with, which everybody's list of processes shows."""
    own = {"XDG_DATA_HOME": str(folder), "BROWSER": "echo %s", "DISPLAY": ":0"}
    program = [sys.executable, "-m", "store_app", "--port", str(free_port())]
    with subprocess.Popen(program, env=os.environ | own, stdout=subprocess.PIPE, text=True) as running:
        try:
            address, opened = (running.stdout.readline().strip() for _ in range(2))  # type: ignore[union-attr]
            page = tmp_path / PAGE
            assert (opened, "key=" in address) == (page.as_uri(), True)
            assert (page.stat().st_mode & 0o077, f"url={address}" in page.read_text()) == (0, True)
        finally:
            running.terminate()
    assert not page.exists(), "it goes with the program"


def test_answers_outlive_browser_and_program_but_the_pin_is_kept_nowhere(folder: Path, door: Entrance):
    first = Browser(door)
    first.send("store", STORE)
    first.send("papers", PAPERS)
    first.send("person", PERSON | {"pin": "19901990"})
    again = Browser(entrance_of(folder, lambda _file: create_app(settings.load()), port=PORT))
    assert again.get("/").location == "/set-up/person"
    assert 'value="Wei"' in again.get("/set-up/person").text
    assert 'value="DE123456789"' in again.get("/set-up/papers").text
    assert all("19901990" not in file.read_text() for file in folder.iterdir() if file.is_file())


@pytest.mark.parametrize(
    ("screen", "said", "sentence", "kept"),
    [
        ("store", STORE | {"name": ""}, "Enter your store’s name.", "DE"),
        ("store", STORE | {"name": "Eck\u202eladen"}, "Enter a store name of 1 to 80", "DE"),
        ("store", STORE | {"country": "XX"}, "Choose your country.", "Eckladen"),
        ("store", STORE | {"language": "xx"}, "Choose a language.", "Eckladen"),
        ("papers", PAPERS | {"rates": ["19 or so"]}, "Enter a rate from 0 to 100", "DE123456789"),
        ("papers", PAPERS | {"currency": "XXX"}, "Choose your currency.", "DE123456789"),
        ("papers", PAPERS | {"tz": "America/New_York"}, "Choose your time zone.", "DE123456789"),
        ("papers", PAPERS | {"prices": ""}, "Choose whether prices include the tax.", "DE123456789"),
        ("person", PERSON | {"person": ""}, "Enter your name.", ""),
        ("person", PERSON | {"pin": "1234"}, "easy to guess", "Wei"),
        ("person", PERSON | {"pin": "12"}, "A PIN has 4 to 12 digits.", "Wei"),
    ],
)
def test_bad_input_is_a_sentence_on_its_screen_and_nothing_is_lost(
    folder: Path, door: Entrance, screen: str, said: dict[str, object], sentence: str, kept: str
):
    browser = Browser(door)
    for before, good in (("store", STORE | {"language": "en"}), ("papers", PAPERS)):
        if before != screen and screen != "store":
            browser.send(before, good)
    answer = browser.send(screen, said)
    assert answer.status_code == 422
    assert sentence in words(answer)
    assert kept in answer.text
    assert not settings_in(folder).exists()


def test_once_founded_the_screens_are_gone_and_nothing_founds_a_second_store(folder: Path, door: Entrance):
    browser, beside = Browser(door), Browser(door)
    door.page_to(f"http://127.0.0.1:{PORT}/")
    assert door.page.stat().st_mode & 0o077 == 0
    browser.send("store", STORE)
    browser.send("papers", PAPERS)
    browser.send("person", PERSON)
    for screen in ("store", "papers", "person", "move", f"store?key={door.key}"):
        assert beside.get(f"/set-up/{screen}").status_code == 404
    assert not door.page.exists()
    with pytest.raises(Refused, match="already has a store"):
        door.begin(lambda: found_store_node(folder, NEW, "Mallory", "8642", port=PORT))
    with pytest.raises(Conflict, match="already has a store"):
        found_store_node(folder, NEW, "Mallory", "8642", port=PORT)
    with books(folder).read() as session:
        assert [one.name for one in session.scalars(sa.select(Staff))] == ["Wei"]


KILLED = """
import os, sys
from pathlib import Path
from store_app.node.founding import NewStore, found_store_node
event, ends = sys.argv[2:]
def kill(name, given):
    if name == event and str(given[0]).endswith(ends):
        os._exit(9)
sys.addaudithook(kill)
new = NewStore("Eckladen", "DE", "de", "EUR", "Europe/Berlin", rates_bp=(1900, 700))
found_store_node(Path(sys.argv[1]), new, "Wei", "8642", port=8000)
"""


@pytest.mark.parametrize(("event", "ends"), [("sqlite3.connect", "S01.db"), ("os.rename", "store.part")])
def test_killed_while_it_is_founded_there_is_no_store_and_the_next_try_is_whole(folder: Path, event: str, ends: str):
    ended = subprocess.run([sys.executable, "-c", KILLED, folder, event, ends], check=False)
    assert ended.returncode == 9
    assert not settings_in(folder).exists()
    found_store_node(folder, NEW, "Wei", "8642", port=PORT)
    assert settings_in(folder).is_file()
    assert not (folder / founding.UNFINISHED).exists()
    with books(folder).read() as session:
        assert session.scalars(sa.select(Store.name)).one() == "Eckladen"


def test_a_store_moves_to_a_new_computer_from_its_copy_with_its_people(
    folder: Path, door: Entrance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old = tmp_path / "old"
    file = found_store_node(old, NEW, "Wei", "8642", port=PORT)
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(file))
    doors = open_doors(settings.load())
    note = backup.make(doors)
    copies = backup.folder_of(doors)
    doors.database.engine.dispose()
    monkeypatch.delenv("CORNERSTORE_SETTINGS")

    browser = Browser(door)
    assert "Step" not in words(browser.get("/set-up/move")), "a way of one screen counts none"
    assert "Name the backup" in words(browser.send("move", {"copy": "", "url": "", "code": ""}))
    nowhere = browser.send("move", {"copy": str(tmp_path / "none.db")})
    assert (nowhere.status_code, "cornerstore backup" in words(nowhere)) == (404, True)
    assert not settings_in(folder).exists()
    assert browser.send("move", {"copy": str(copies)}).location == "/"
    assert "Wei" in words(browser.get("/signin"))
    with books(folder).read() as session:
        put_back = session.scalars(sa.select(JournalEntry).where(JournalEntry.verb == "database.restored")).one()
    assert note.file in put_back.body
    assert isinstance(settings.load(), Settings)


def test_a_store_joins_its_network_by_the_code_and_its_first_person_begins(
    folder: Path,
    door: Entrance,
    network: House,
    url: str,
):
    with network.doors.write() as session:
        code = joining.invite(Context(session, Actor.system("test", "network"), NOON), MEMBER)
    browser = Browser(door)
    wrong = browser.send("move", {"url": url, "code": "AAAA-AAAA-AAAA", "copy": "", "fingerprint": ""})
    assert wrong.status_code == 409
    assert f'value="{url}"' in wrong.text, "what was typed is still there"
    assert not settings_in(folder).exists()
    assert browser.send("move", {"url": url, "code": code, "copy": "", "fingerprint": ""}).location == "/"
    assert "Welcome. Who are you?" in words(browser.get("/signin"))
    joined = settings.load()
    assert (joined.node_id, joined.network_url, joined.state_folder) == (MEMBER, url, folder / founding.FINISHED)
    assert joined.signing_key.is_file()
