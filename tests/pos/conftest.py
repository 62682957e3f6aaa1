"""A store of its own for every test; fast, because its file is copied from one made once."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.clock import FrozenClock
from config.database import Database, make_engine
from tests.builders import NOON, STORE, Network, OpenStore, open_network, open_store


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file of a store with an open till, closed again."""
    folder = tmp_path_factory.mktemp("founded")
    store = open_store(folder)
    store.database.engine.dispose()
    return folder / f"{STORE}.db"


@pytest.fixture
def another_store(founded: Path, tmp_path: Path) -> Iterator[Callable[[str], OpenStore]]:
    """Give a way to more stores of one's own, each by a file name; closed after the test."""
    made: list[OpenStore] = []

    def make(name: str) -> OpenStore:
        path = tmp_path / f"{name}.db"
        shutil.copy(founded, path)
        made.append(OpenStore(Database(make_engine(f"sqlite:///{path}")), FrozenClock(NOON)))
        return made[-1]

    yield make
    for store in made:
        store.database.engine.dispose()


@pytest.fixture
def store(another_store: Callable[[str], OpenStore]) -> OpenStore:
    """Give a store with five products and an open till."""
    return another_store("store")


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Network]:
    """Give the network's node, which knows the store; closed after the test."""
    network = open_network(tmp_path)
    yield network
    network.database.engine.dispose()
