"""A store's and a network's web application on real SQLite files."""

import datetime as dt
import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import make_url

import supply.orders  # noqa: F401  every table must be known before they are made
from config.clock import FrozenClock
from config.database import Base, Database, make_engine
from config.journal import Actor
from config.node import found
from config.settings import Settings
from pos.store import Region, Store, StoreKey, Till
from store_app import create_app, staff, tables
from store_app.extensions import Doors

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
STORE, KEY = "S01", "a-key-of-the-first-store"


@dataclass
class House:
    """One node under test."""

    app: Flask
    doors: Doors
    clock: FrozenClock

    def visitor(self) -> FlaskClient:
        """Return a browser nobody has signed in with."""
        return self.app.test_client()

    def signed_in(self, role: str = "shopkeeper") -> FlaskClient:
        """Return a browser in which the person of this role has signed in."""
        client = self.app.test_client()
        answer = post(client, f"/signin/{role}", pin=staff.PRACTICE_PINS[role])
        assert answer.status_code == 303, answer.text
        return client


def post(client: FlaskClient, address: str, **fields: Any) -> Any:
    """Send a form as a browser would, with the token of the sign-in page."""
    return client.post(address, data={"csrf_token": token(client), **fields})


def token(client: FlaskClient) -> str:
    """Return the CSRF token of this browser's session."""
    found = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/signin").text)
    assert found
    return found[1]


def add_store(session: Any, store_id: str, region_id: str = "north") -> None:
    session.merge(Region(id=region_id, name=region_id.title()))
    session.flush()
    session.add(
        Store(
            id=store_id,
            name=f"Shop {store_id}",
            slug=store_id.lower(),
            region_id=region_id,
            currency="USD",
            tz="America/New_York",
            joined_at=NOON,
        )
    )
    session.flush()
    session.add(Till(store_id=store_id, id="1", name="Till 1"))


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Give the database file of a node as it is founded, made once for every kind of node and closed again."""
    folder, made = tmp_path_factory.mktemp("founded"), {}

    def file_of(role: str, node_id: str) -> Path:
        if (role, node_id) not in made:
            path = folder / f"{role}-{node_id}.db"
            database = Database(make_engine(f"sqlite:///{path}"))
            furnish(database, role, node_id)
            database.engine.dispose()
            made[role, node_id] = path
        return made[role, node_id]

    return file_of


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Keep compiled templates for all applications of a run."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


def furnish(database: Database, role: str, node_id: str) -> None:
    """Make every table of a node, its shops and its people."""
    tables.known()
    Base.metadata.create_all(database.engine)
    system = Actor.system("test", node_id)
    with database.write() as session:
        found(session, node_id, at=NOON)
        add_store(session, STORE)
        if role == "network":
            add_store(session, "S02", "south")
            session.add(StoreKey(sha256=hashlib.sha256(KEY.encode()).hexdigest(), store_id=STORE, made_at=NOON))
        for name in ("operator",) if role == "network" else ("cashier", "supervisor", "shopkeeper"):
            staff.add(session, node_id, name, name, staff.PRACTICE_PINS[name], actor=system, at=NOON)


@pytest.fixture
def build(
    tmp_path: Path, founded: Callable[[str, str], Path], compiled: FileSystemBytecodeCache
) -> Iterator[Callable[..., House]]:
    """Give a maker of nodes, each with its own database file; closed after the test."""
    made: list[House] = []

    def make(role: str = "store", node_id: str = STORE, url: str = "", **given: Any) -> House:
        settings = Settings(
            role=role, node_id=node_id, state_folder=tmp_path / node_id, practice=True, database_url=url, **given
        )
        if not url:
            settings.state_folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(founded(role, node_id), make_url(settings.database_url).database)
        clock = FrozenClock(NOON)
        app = create_app(settings, clock)
        app.jinja_env.bytecode_cache = compiled
        doors = app.extensions["cornerstore"]
        if url:
            furnish(doors.database, role, node_id)
        made.append(House(app, doors, clock))
        return made[-1]

    yield make
    for house in made:
        house.doors.database.engine.dispose()


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    """Give a store's node."""
    return build()


@pytest.fixture
def network(build: Callable[..., House]) -> House:
    """Give the network's node."""
    return build(role="network", node_id="network")
