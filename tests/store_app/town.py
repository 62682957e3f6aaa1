"""A network's node in front of a customer or the operator, and the shop behind it, with a courier between them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from config.clock import FrozenClock
from config.ids import new_id
from config.settings import Settings
from store_app import create_app, staff
from tests.store_app.conftest import House, token
from tests.supply.online import ANA, AT, Town, make_town

SHOP, OTHER_SHOP = "/shop/harbour-7", "/shop/harbour-8"


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
    """A browser in front of an online shop, which sends forms as their pages show them."""

    browser: FlaskClient

    def look(self, address: str = f"{SHOP}/") -> Any:
        """Open a page."""
        return self.browser.get(address)

    def send(self, address: str, *, command_id: str = "", **fields: Any) -> Any:
        """Send a form."""
        given = {"csrf_token": token(self.browser), "command_id": command_id or new_id(), **fields}
        return self.browser.post(address, data=given)

    def order(self, *lines: tuple[str, int], command_id: str = "", **fields: Any) -> Any:
        """Fill the basket and order it."""
        for sku, steps in lines:
            assert self.send(f"{SHOP}/p/{sku}", steps=steps).status_code == 303
        given = {"name": "Li Wei", "phone": "+1 555 0100", **fields}
        answer = self.send(f"{SHOP}/order", command_id=command_id, **given)
        if not (answer.location or "").endswith("/code"):
            return answer
        code = re.search(r"code is (\d{6})", self.look(f"{SHOP}/code").text) or re.search(
            r"验证码是 (\d{6})", self.look(f"{SHOP}/code").text
        )
        if code is None:  # no code was sent: the shop said why
            return answer
        return self.send(f"{SHOP}/code", code=code[1])

    def basket(self, shop: str = SHOP) -> str:
        """Return the basket's page."""
        return str(self.look(f"{shop}/basket").text)


def make_market(folder: Path) -> Market:
    """Set up a town whose offers have reached the network, and an operator."""
    town = make_town(folder)
    town.deliver()
    settings = Settings(
        role="network", node_id="network", state_folder=folder / "state", practice=True,
        database_url=town.network.engine.url.render_as_string(hide_password=False),
    )  # fmt: skip
    clock = FrozenClock(AT)
    app = create_app(settings, clock)
    with town.network.write() as session:
        staff.add(session, "network", "operator", "operator", staff.PRACTICE_PINS["operator"], actor=ANA, at=AT)
    return Market(town, House(app, app.extensions["cornerstore"], clock))


def code_on(page: Any) -> str:
    """Return the collection code an order page shows."""
    found = re.search(r"code-large[^>]*>(?:<span[^>]*>[^<]*</span>)?([0-9A-Z]{8})<", page.text)
    assert found, page.text
    return found[1]
