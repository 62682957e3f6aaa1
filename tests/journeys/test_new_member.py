"""A new member's computer: it joins by the code on the invitation, and lets its first person in."""

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from config.database import Base
from config.ids import new_id
from config.node import found
from config.settings import Settings
from pos import catalogue, invitation
from pos.catalogue import TaxClass
from pos.store import found_as_told, found_store
from store_app import create_app, joining
from store_app.jobs import JOBS, Desk
from store_app.sync import sender
from supply.demand import RegionalDemand
from supply.suppliers import Supplier, SupplierProduct
from tests.browser.conftest import Quiet
from tests.store_app.conftest import NOON, House, token
from tests.store_app.office import words

SHOP = "S77"
GOODS = {"milk": ("Whole milk", 149, 9), "bread": ("Rye bread", 299, 6), "tea": ("Green tea", 349, 2)}


@pytest.fixture
def network(build: Any) -> House:
    """Give a network that sells, and has founded a shop nobody has opened yet."""
    house = build(role="network", node_id="network", public_url="http://127.0.0.1")
    actor = catalogue.Actor.system("test", "network")
    with house.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=0, inclusive=True))
        session.add(
            Supplier(
                id="net", name="Cornerstore Supply", kind="network", lead_time_days=1, minimum_minor=0,
                order_weekdays=[0, 1, 2, 3, 4, 5, 6], warehouse_id="WH1",
            )
        )  # fmt: skip
        session.flush()
        for sku, (name, price, sold) in GOODS.items():
            catalogue.add_product(session, sku, name, category="Food", tax_class_id="food", actor=actor, at=NOON)
            catalogue.set_price(session, sku, price, dt.date(2025, 1, 1), actor=actor, at=NOON)
            session.add(SupplierProduct(supplier_id="net", sku=sku, pack_qty=6, pack_cost_minor=price * 4))
            for back in range(1, 29):
                session.add(
                    RegionalDemand(
                        region_id="north", sku=sku, business_day=NOON.date() - dt.timedelta(days=back),
                        sold_qty=4 * sold, stores_open=4, stores_selling=4, revenue_minor=4 * sold * price,
                    )
                )  # fmt: skip
        found_store(
            session, SHOP, "Harbour 7", region=("north", "North"), currency="USD", tz="UTC", slug="harbour-7",
            has_node=True, at=NOON,
        )  # fmt: skip
    desk = Desk(house.doors)
    JOBS["publish"].run(desk, NOON.date() - dt.timedelta(days=1))
    return house


@pytest.fixture
def url(network: House) -> Iterator[str]:
    """Serve the network."""
    server = make_server("127.0.0.1", 0, network.app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class Member:
    """The new shop's computer and whoever sits at it."""

    def __init__(self, url: str, code: str, network: House, folder: Any) -> None:
        store_id, key, public_url, told = joining.exchange(url, code, None)
        self.settings = Settings(
            node_id=store_id, network_url=url, network_key=key, public_url=public_url, state_folder=folder,
            secret_key="of-one-shop-" * 4, port=0,
        )  # fmt: skip
        app = create_app(self.settings, network.clock)
        self.house = House(app, app.extensions["cornerstore"], network.clock)
        Base.metadata.create_all(self.house.doors.database.engine)
        with self.house.doors.write() as session:
            found(session, store_id, at=NOON)
            found_as_told(session, told, at=NOON)
        self.browser = self.house.visitor()

    def contact(self) -> None:
        """Let the worker speak with the network, and publish the online shop."""
        JOBS["shop-publish"].run(Desk(self.house.doors), NOON.date())
        with sender.client_for(self.settings) as client:
            done = sender.contact(self.house.doors.database, self.settings, client, self.house.clock)
        assert done.fault is None, done.fault

    def send(self, address: str, **fields: Any) -> Any:
        """Send a page's form; the page it leads to is not looked at."""
        given = {"csrf_token": token(self.browser), "command_id": new_id(), **fields}
        answer = self.browser.post(address, data=given)
        assert answer.status_code == 303, (address, answer.status_code, words(answer)[:600])
        return answer


@pytest.fixture
def member(network: House, url: str, tmp_path: Any) -> Iterator[Member]:
    with network.doors.write() as session:
        code = invitation.invite(session, SHOP, actor=catalogue.Actor.system("test", "network"), at=NOON)
    made = Member(url, code, network, tmp_path / "shop")
    yield made
    made.house.doors.database.engine.dispose()


def test_only_the_first_one_at_the_shop_s_own_computer_is_let_in_without_a_pin(member: Member):
    elsewhere = member.house.visitor()
    given = {"csrf_token": token(elsewhere), "name": "Eve", "pin": "1234"}
    for outside in ({"REMOTE_ADDR": "192.168.1.9"}, {"HTTP_X_FORWARDED_FOR": "203.0.113.7"}):
        assert elsewhere.post("/first", data=given, environ_overrides=outside).status_code == 409
    assert "Welcome" not in elsewhere.get("/signin", environ_overrides={"REMOTE_ADDR": "192.168.1.9"}).text
    assert elsewhere.post("/first", data=given | {"pin": "12"}).status_code == 422
    member.send("/first", name="Wei", pin="8642")
    assert elsewhere.post("/first", data=given).status_code == 409, "somebody works here now"
