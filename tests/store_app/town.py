"""A network's node in front of a customer or the operator, and the store behind it, with a courier between them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from config.ids import new_id
from config.nodes.journal import Context
from store_app.web import staff
from tests.empty import database_from, lasting_folder, made_once
from tests.store_app.house import House, Kept, open_house, token
from tests.supply.online_store import ANA, AT, STORE, Town, make_town

ONLINE, OTHER_ONLINE = "/shop/harbour-7", "/shop/harbour-8"


@dataclass
class Market:
    """The town's databases, and the network's pages on them."""

    town: Town
    house: House

    def customer(self) -> "Customer":
        """Return a customer with an empty basket."""
        return Customer(self.house.app.test_client())


@dataclass
class Customer:
    """A browser in front of an online store, which sends forms as their pages show them."""

    browser: FlaskClient

    def look(self, address: str = f"{ONLINE}/") -> Any:
        """Open a page."""
        return self.browser.get(address)

    def send(self, address: str, *, command_id: str = "", **fields: Any) -> Any:
        """Send a form."""
        given = {"csrf_token": token(self.browser), "command_id": command_id or new_id(), **fields}
        return self.browser.post(address, data=given)

    def order(self, *lines: tuple[str, int], command_id: str = "", **fields: Any) -> Any:
        """Fill the basket and order it."""
        for sku, steps in lines:
            assert self.send(f"{ONLINE}/p/{sku}", steps=steps).status_code == 303
        given = {"name": "Li Wei", "phone": "+1 555 0100", **fields}
        answer = self.send(f"{ONLINE}/order", command_id=command_id, **given)
        if not (answer.location or "").endswith("/code"):
            return answer
        code = re.search(r"code is (\d{6})", self.look(f"{ONLINE}/code").text) or re.search(
            r"验证码是 (\d{6})", self.look(f"{ONLINE}/code").text
        )
        if code is None:  # no code was sent: the store said why
            return answer
        return self.send(f"{ONLINE}/code", code=code[1])

    def basket(self, store: str = ONLINE) -> str:
        """Return the basket's page."""
        return str(self.look(f"{store}/basket").text)


@pytest.fixture
def market(tmp_path: Path, kept: Kept) -> Iterator[Market]:
    """Give a town whose offers have reached the network, and an operator."""
    house = kept.take(AT, role="network", node_id="network")
    network, store = _town_with_an_operator()
    yield Market(Town(database_from(network, house.file), database_from(store, tmp_path / "store.db")), house)
    kept.give_back(house)


@contextmanager
def open_market(folder: Path, **given: Any) -> Iterator[Market]:
    """Open such a town on a node with settings of its own."""
    network, store = _town_with_an_operator()
    books = database_from(network, folder / "network.db"), database_from(store, folder / "store.db")
    address = books[0].engine.url.render_as_string(hide_password=False)
    house = open_house(folder, AT, role="network", node_id="network", database_url=address, **given)
    yield Market(Town(*books), house)
    house.doors.database.engine.dispose()


@pytest.fixture
def store_house(market: Market, tmp_path: Path) -> Iterator[House]:
    """Give the node of the town's store, its till open and its shopkeeper known."""
    with market.town.store.write() as session:
        staff.add(
            Context(session, ANA, AT), STORE, "shopkeeper", "shopkeeper", staff.PRACTICE_PINS["shopkeeper"], weak=True
        )
    market.town.open_till()
    address = market.town.store.engine.url.render_as_string(hide_password=False)
    house = open_house(tmp_path, AT, node_id=STORE, database_url=address)
    yield house
    house.doors.database.engine.dispose()


@cache
def _town_with_an_operator() -> tuple[Path, Path]:
    folder = lasting_folder()
    with made_once():
        town = make_town(folder)
        town.deliver()
        with town.network.write() as session:
            staff.add(
                Context(session, ANA, AT), "network", "operator", "operator", staff.PRACTICE_PINS["operator"], weak=True
            )
    return folder / "network.db", folder / "store.db"


def code_on(page: Any) -> str:
    """Return the collection code an order page shows."""
    found = re.search(r"code-large[^>]*>(?:<span[^>]*>[^<]*</span>)?([0-9A-Z]{8})<", page.text)
    assert found, page.text
    return found[1]
