"""A store's and a network's web application on real SQLite files."""

import datetime as dt
import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import make_server

import supply.orders.orders  # noqa: F401  every table must be known before they are made
from config.database import Database
from config.nodes.journal import Actor, Context
from config.nodes.node import found
from pos.store.roles import NETWORK_ROLES
from pos.store.store import Region, Store, StoreKey, Till
from store_app.web import staff
from tests.empty import empty_database, made_once
from tests.store_app.house import House, Kept, open_house, post, token
from tests.store_app.mail_server import mail_server
from tests.store_app.town import market

__all__ = ["House", "mail_server", "market", "post", "token"]  # what most tests ask for beside the nodes
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
STORE, KEY = "S01", "a-key-of-the-first-store"


def add_store(session: Any, store_id: str, region_id: str = "north") -> None:
    session.merge(Region(id=region_id, name=region_id.title()))
    session.flush()
    session.add(
        Store(
            id=store_id,
            name=f"Store {store_id}",
            slug=store_id.lower(),
            region_id=region_id,
            currency="USD",
            tz="America/New_York",
            joined_at=NOON,
        )
    )
    session.flush()
    session.add(Till(store_id=store_id, id="1", name="Till 1"))


def add_team(network: House) -> None:
    """Let somebody of each role work at the network, who signs in by the role's name."""
    with network.doors.write() as session:
        ctx = Context(session, Actor.system("test", "network"), NOON)
        for role in NETWORK_ROLES[1:]:
            staff.add(ctx, "network", role, role, staff.PRACTICE_PINS["operator"], weak=True)


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Give the database file of a node as it is founded, made once for every kind of node and closed again."""
    folder, made = tmp_path_factory.mktemp("founded"), {}

    def file_of(role: str, node_id: str) -> Path:
        if (role, node_id) not in made:
            path = folder / f"{role}-{node_id}.db"
            with made_once():
                furnish(empty_database(path), role, node_id)
            made[role, node_id] = path
        return made[role, node_id]

    return file_of


def furnish(database: Database, role: str, node_id: str) -> None:
    """Found a node with its stores and its people in an empty database."""
    system = Actor.system("test", node_id)
    with database.write() as session:
        found(session, node_id, at=NOON)
        add_store(session, STORE)
        if role == "network":
            add_store(session, "S02", "south")
            session.add(StoreKey(sha256=hashlib.sha256(KEY.encode()).hexdigest(), store_id=STORE, made_at=NOON))
        for name in ("operator",) if role == "network" else ("cashier", "supervisor", "shopkeeper"):
            staff.add(Context(session, system, NOON), node_id, name, name, staff.PRACTICE_PINS[name], weak=True)


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Give the applications that stay open over the tests of a run."""
    return Kept(tmp_path_factory.mktemp("kept"))


@pytest.fixture
def build(tmp_path: Path, founded: Callable[[str, str], Path], kept: Kept) -> Iterator[Callable[..., House]]:
    """Give a maker of nodes, each with its own database file; closed after the test."""
    made: list[House] = []

    def make(role: str = "store", node_id: str = STORE, url: str = "", *, is_new: bool = False, **given: Any) -> House:
        if is_new or url or any(isinstance(value, Path) for value in given.values()):
            made.append(open_house(tmp_path, NOON, role=role, node_id=node_id, database_url=url, **given))
        else:
            made.append(kept.take(NOON, role=role, node_id=node_id, **given))
        if url:
            furnish(empty_database(url), role, node_id)
        else:
            made[-1].file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(founded(role, node_id), made[-1].file)
        return made[-1]

    yield make
    for house in made:
        kept.give_back(house)


@pytest.fixture
def house(build: Callable[..., House]) -> House:
    """Give a store's node."""
    return build()


@pytest.fixture
def network(build: Callable[..., House]) -> House:
    """Give the network's node."""
    return build(role="network", node_id="network")


@pytest.fixture
def served(network: House) -> Iterator[str]:
    """Serve the network on a port of its own; gives its address."""
    server = make_server("127.0.0.1", 0, network.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
