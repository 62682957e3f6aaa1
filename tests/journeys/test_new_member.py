"""A new member's computer: it joins by the code on the invitation, lets its first person in, and gets its first goods.

The network it joins is founded by its commands alone, or written row by row where only the joining is looked at.
"""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

import pos.sync.checks
import supply.sync.checks
from config import settings
from config.clock import FrozenClock
from config.database import Base
from config.ids import new_id
from config.nodes.journal import Actor, Context
from config.nodes.node import found
from config.nodes.signing import Signer
from config.settings import Settings
from pos.catalogue import catalogue
from pos.catalogue.catalogue import TaxClass
from pos.stock import stock
from pos.store import joining as store_joining
from pos.store.store import found_as_reported, found_store
from store_app.app import create_app
from store_app.commands.cli import main
from store_app.jobs.desk import Desk
from store_app.jobs.jobs import JOBS
from store_app.node import joining
from store_app.sync import sender
from supply.demand.history import LEAST_STORES, RegionalDemand
from supply.orders import orders
from supply.orders.deliveries import Delivery
from supply.orders.orders import ReplenishmentOrder
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.receiving import receiving
from tests.browser.served import serve
from tests.store_app.conftest import NOON, House, token
from tests.store_app.office import words

STORE = "S77"
GOODS = {"milk": ("Whole milk", 149, 9), "bread": ("Rye bread", 299, 6), "tea": ("Green tea", 349, 2)}


@pytest.fixture
def network(build: Any) -> House:
    """Give a network that sells, and has founded a store nobody has opened yet."""
    house = build(role="network", node_id="network", public_url="http://127.0.0.1")
    actor = Actor.system("test", "network")
    with house.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=0, inclusive=True))
        session.add(
            Supplier(
                id="net", name="Cornerstore Supply", kind="network", warehouse_id="WH1",
            )
        )  # fmt: skip
        session.flush()
        for sku, (name, price, sold) in GOODS.items():
            catalogue.add_product(Context(session, actor, NOON), sku, name, category="Food", tax_class_id="food")
            catalogue.set_price(Context(session, actor, NOON), sku, price, dt.date(2025, 1, 1))
            session.add(SupplierProduct(supplier_id="net", sku=sku, pack_qty=6, pack_cost_minor=price * 4))
            for back in range(1, 29):
                session.add(
                    RegionalDemand(
                        region_id="north", sku=sku, business_day=NOON.date() - dt.timedelta(days=back),
                        sold_qty=LEAST_STORES * sold, stores_open=LEAST_STORES, stores_selling=LEAST_STORES,
                        revenue_minor=LEAST_STORES * sold * price,
                    )
                )  # fmt: skip
        found_store(
            session, STORE, "Harbour 7", region=("north", "North"), currency="USD", tz="UTC", slug="harbour-7",
            has_node=True, at=NOON,
        )  # fmt: skip
    desk = Desk(house.doors)
    JOBS["publish"].run(desk, NOON.date() - dt.timedelta(days=1))
    return house


@pytest.fixture
def url(network: House) -> Iterator[str]:
    """Serve the network."""
    with serve(network) as address:
        yield address


class Member:
    """The new store's computer and whoever sits at it."""

    def __init__(self, url: str, code: str, network: House, folder: Any) -> None:
        signer = Signer.make()
        reported = joining.exchange(url, code, None, signer)
        self.settings = Settings(
            node_id=reported.store_id, network_url=url, network_key=reported.key, public_url=reported.public_url,
            state_folder=folder, secret_key="of-one-shop-" * 4, port=0,
        )  # fmt: skip
        signer.keep(self.settings.signing_key)
        app = create_app(self.settings, network.clock)
        self.house = House(app, app.extensions["cornerstore"], network.clock)
        Base.metadata.create_all(self.house.doors.database.engine)
        with self.house.doors.write() as session:
            found(session, reported.store_id, at=NOON)
            found_as_reported(session, reported.store, at=NOON)
        self.browser = self.house.visitor()

    def contact(self) -> None:
        """Let the worker speak with the network, and publish the online store."""
        JOBS["storefront-publish"].run(Desk(self.house.doors), NOON.date())
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
        code = store_joining.invite(Context(session, Actor.system("test", "network"), NOON), STORE)
    made = Member(url, code, network, tmp_path / "store")
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


FILES = {
    "products": "sku,name,category,tax_class,price\nmilk,Whole milk,Dairy,food,1.49\ntea,Green tea,Hot,food,3.49\n",
    "price-list": "sku,pack_qty,pack_cost,minimum_packs\nmilk,12,10.80,1\ntea,6,12.00,2\n",
    "stock": "sku,qty\nmilk,480\ntea,120\n",
}


@pytest.fixture
def founded_by_hand(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> House:
    """Found a network by its commands from nothing, with four weeks' sales of enough stores; what cannot be is said."""
    monkeypatch.setenv("CORNERSTORE_SETTINGS", str(tmp_path / "network.toml"))
    now = dt.datetime.now(dt.UTC)
    days = [(now - dt.timedelta(days=back)).date() for back in range(1, 29)]
    stores = [f"S0{n}" for n in range(1, LEAST_STORES + 1)]  # fewer tell a new one nothing of each other
    sold = [f"{store},{sku},{day},{qty}" for store in stores for day in days for sku, qty in (("milk", 9), ("tea", 2))]

    def run(*typed: str, refused: str = "") -> str:
        done = CliRunner().invoke(main, list(typed))
        assert (done.exit_code in ((1, 2) if refused else (0,)), refused in done.output) == (True, True), (
            typed,
            done.output,
        )
        return str(done.output)

    def bring(kind: str, table: str, *typed: str, refused: str = "") -> None:
        (tmp_path / f"{kind}.csv").write_text(table, encoding="utf-8")
        run("import", kind, str(tmp_path / f"{kind}.csv"), *typed, "--yes", refused=refused)

    run("init", "--role", "network", "--folder", str(tmp_path / "network"))
    run("warehouse", "add", "WH1", "--name", "Early", refused="Add a store first")
    for store_id in (*stores, STORE):
        run("store", "add", store_id, "--name", f"Store {store_id}")
    run("tax", "add", "food", "--name", "Food", "--percent", "7")
    run("warehouse", "add", "WH1", "--name", "Cornerstore Supply", "--minimum", "20.00")
    for taken in (("warehouse", "add", "S01"), ("store", "add", "WH1")):
        run(*taken, "--name", "Twin", refused="Choose another ID")
    bring("products", FILES["products"].replace("Whole milk", "Mlik"))
    bring("products", FILES["products"])  # a slip is put right by the file brought in again
    bring(
        "products",
        "sku,name,category,tax_class,price,cost\na,A,B,food,1,1\n",
        refused="Row 2, cost: Costs are set per store",
    )
    bring("price-list", FILES["price-list"] + "beer,6,9.00,1\n", refused="Row 4, sku: Product beer not found.")
    bring("price-list", FILES["price-list"])
    bring("stock", FILES["stock"], refused="Enter the reason for the count: --why")
    bring("stock", FILES["stock"], "--why", "opening", "--warehouse", "WH2", refused="Available: WH1.")
    bring("stock", FILES["stock"].replace("120", "12.5"), "--why", "opening", refused="Row 3, qty: '12.5' is not")
    bring("stock", FILES["stock"], "--why", "opening stock")
    bring(
        "sales",
        "sku,business_day,sold_qty\nmilk,2026-03-01,1\n",
        refused="Row 2, store_id: is empty: enter the store",
    )
    bring("sales", "store_id,sku,business_day,sold_qty\n" + "\n".join(sold))
    assert "Cornerstore Supply" in run("warehouse", "list")
    run("job", "publish")
    app = create_app(settings.load(), clock := FrozenClock(now))
    return House(app, app.extensions["cornerstore"], clock)


def test_a_network_founded_by_its_commands_alone_delivers_a_new_shop_s_first_order(founded_by_hand, tmp_path):
    network = founded_by_hand
    with serve(network) as url:
        with network.doors.write() as session:
            code = store_joining.invite(Context(session, Actor.system("test", "network"), network.clock.now()), STORE)
        member = Member(url, code, network, tmp_path / "store")
        member.contact()
        member.send("/first", name="Wei", pin="8642")
        member.send("/orders/propose")
        with member.house.doors.read() as session:
            order = session.scalars(sa.select(ReplenishmentOrder)).one()
            wanted = {line.sku: line.packs * line.pack_qty for line in orders.lines_of(session, order)}
            assert {line.name for line in orders.lines_of(session, order)} == {"Whole milk", "Green tea"}
        assert set(wanted) == {"milk", "tea"}, "proposed by what the region sells, in the network's packs"
        member.send(f"/orders/{order.id}/approve")
        member.contact()
        JOBS["warehouse"].run(Desk(network.doors), network.clock.now().date())
        member.contact()
        with member.house.doors.write() as session:
            came = session.scalars(sa.select(Delivery)).one()
            wei = Actor("wei", "Wei", "shopkeeper", STORE)
            receiving.begin_count(Context(session, wei, network.clock.now()), STORE, came.id)
            receiving.post(Context(session, wei, network.clock.now()), STORE, came.id)
        member.contact()
    member.house.doors.database.engine.dispose()
    with network.doors.read() as session:
        assert session.get_one(ReplenishmentOrder, (STORE, order.id)).state == "received"
        there = {sku: level.on_hand for sku, level in stock.levels(session, STORE).items()}
        left = {sku: level.on_hand for sku, level in stock.levels(session, "WH1").items()}
        assert there == wanted
        assert left == {"milk": 480 - wanted["milk"], "tea": 120 - wanted["tea"]}
        assert pos.sync.checks.findings(session) + supply.sync.checks.findings(session) == []
    network.doors.database.engine.dispose()
