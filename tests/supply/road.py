"""A network with a warehouse and two stores, each with its own database, and a courier that shuffles and repeats."""

import datetime as dt
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import sqlalchemy as sa

import pos.sync.checks
import supply.sync.checks
from config.database import Base, Database
from config.ids import NETWORK
from config.nodes import facts, inbox, node, outbox
from config.nodes.journal import Actor, Context
from config.nodes.outbox import Message
from pos.catalogue.catalogue import Barcode, Listing, Price, Product, TaxClass
from pos.stock import stock
from pos.store.store import Region, Store, Till
from supply.network.warehouse import dispatch
from supply.orders import orders
from supply.orders.deliveries import Delivery
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.receiving import receiving
from supply.replenishment.open_orders import to_come
from tests.empty import database_from, empty_database, lasting_folder, made_once

STORES = ("S1", "S2")
NODES = (NETWORK, *STORES)
AT = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
DAY = AT.date()
KEEPER = {store: Actor("wei", "Wei", "shopkeeper", store) for store in STORES}
OPERATOR = Actor("op", "Olivia", "operator", NETWORK)
WAREHOUSE, VAN, FARM = "WH1", "vehicle", "farm"
PRODUCTS = {
    # sku: name, unit, price quantity, price, pack, pack cost, warehouse stock
    "bread": ("Rye bread", "each", 1, 250, 6, 900, 60),
    "milk": ("Milk", "each", 1, 129, 12, 1100, 240),
    "apple": ("Apples", "gram", 1000, 499, 5000, 1500, 50_000),
    "tea": ("Green tea", "each", 1, 395, 10, 2500, 20),
}


def later(**spans: float) -> dt.datetime:
    return AT + dt.timedelta(**spans)


def batches(rows: list[tuple[str, Message]], seed: int | None) -> Iterator[tuple[str, list[Message]]]:
    """Yield what is carried as it arrives: an epoch's at once, or with a seed shuffled, twice and each for itself."""
    if seed is None:
        for epoch, some in groupby(rows, key=itemgetter(0)):
            yield epoch, [message for _, message in some]
        return
    bag = rows * 2
    random.Random(seed).shuffle(bag)
    for epoch, message in bag:
        yield epoch, [message]


@dataclass
class Country:
    """The network's database and the stores'."""

    network: Database
    stores: dict[str, Database]

    def nodes(self) -> dict[str, Database]:
        return {NETWORK: self.network, **self.stores}

    def deliver(self, *, seed: int | None = None, at: dt.datetime = AT) -> int:
        """Carry what waits until nothing waits; with a seed every batch is shuffled and comes twice."""
        carried = 0
        while True:
            moved = 0
            for store, database in self.stores.items():
                moved += self._carry(database, self.network, store, NETWORK, seed, at)
                moved += self._carry(self.network, database, NETWORK, store, seed, at)
            if not moved:
                return carried
            carried += moved

    def send_out(self) -> None:
        """Take the orders in, load what they ask for, and let the stores hear of it."""
        self.deliver()
        self.fill()
        self.load()
        self.deliver()

    def carry(self, store: str, *, at: dt.datetime = AT) -> None:
        """Carry what waits at one store to the network."""
        self._carry(self.stores[store], self.network, store, NETWORK, None, at)

    def _carry(self, source, target, sender: str, receiver: str, seed: int | None, at: dt.datetime) -> int:
        with source.read() as session:
            rows = [(row.epoch, Message(**outbox.to_wire(row))) for row in outbox.due(session, receiver)]
        if not rows:
            return 0
        for epoch, batch in batches(rows, seed):
            with target.write() as session:
                outcomes = inbox.take(
                    session,
                    inbox.Arrival(sender, epoch, batch),
                    lambda inner, fact: facts.apply(inner, fact, sender, at),
                    at=at,
                )
            parked = [outcome.reason for outcome in outcomes if outcome.state == "parked"]
            assert not parked, parked
        with source.write() as session:
            outbox.acknowledge(session, [message.id for _, message in rows], at=at)
        return len(rows)

    def order(
        self,
        store: str,
        packs: dict[str, int],
        *,
        supplier: str = VAN,
        id: str = "",
        at: dt.datetime = AT,
        **why: float,
    ) -> str:
        """Write an order as the shopkeeper approved it, and send it; returns its id."""
        with self.stores[store].write() as session:
            order_id = id or f"order-{store}-{orders.next_no(session, store)}"
            write_order(session, store, order_id, packs, supplier, at, why)
            orders.send(Context(session, KEEPER[store], at), store, order_id)
        return order_id

    def state(self, store: str, order_id: str) -> tuple[str, str]:
        """Return the order's state at the store and at the network."""
        found = []
        for database in (self.stores[store], self.network):
            with database.read() as session:
                order = session.get(ReplenishmentOrder, (store, order_id))
                found.append(order.state if order else "unknown")
        return found[0], found[1]

    def lines(self, where: str, store: str, order_id: str) -> dict[str, OrderLine]:
        with self.nodes()[where].read() as session:
            order = session.get_one(ReplenishmentOrder, (store, order_id))
            return {line.sku: line for line in orders.lines_of(session, order)}

    def delivery(self, store: str) -> str:
        """Return the one delivery that is on its way to a store."""
        with self.stores[store].read() as session:
            (found,) = session.scalars(sa.select(Delivery.id).where(Delivery.state.in_(["expected", "counting"]))).all()
        return found

    def level(self, where: str, place: str, sku: str) -> stock.Level:
        with self.nodes()[where].read() as session:
            return stock.levels(session, place, [sku])[sku]

    def reapply(self) -> None:
        """Apply every message that was ever taken again, at every node."""
        for here, database in self.nodes().items():
            with database.write() as session:
                for row in session.scalars(sa.select(inbox.InboxMessage)).all():
                    facts.apply(session, inbox.inbox_message(row), row.from_node, AT)
            assert here

    def rows(self) -> dict[str, list[tuple]]:
        """Return every row of every table of every node, for comparing."""
        found = {}
        for here, database in self.nodes().items():
            with database.engine.connect() as connection:
                for table in Base.metadata.sorted_tables:
                    found[f"{here}.{table.name}"] = sorted(map(tuple, connection.execute(table.select())), key=repr)
        return found

    def on_the_way(self, store: str, at: dt.datetime = AT) -> dict[str, int]:
        with self.stores[store].read() as session:
            return {sku: sum(days.values()) for sku, days in to_come(session, store, at=at).coming.items()}

    def fill(self, at: dt.datetime = AT) -> list[str]:
        with self.network.write() as session:
            return [order.id for order in dispatch.fill(Context(session, OPERATOR, at))]

    def load(self, day: dt.date | None = None, at: dt.datetime = AT) -> list[str]:
        """Load what is due on a day; None: everything."""
        at = at if day is None else dt.datetime.combine(day, at.timetz())
        with self.network.write() as session:
            gone = dispatch.dispatch_day(Context(session, OPERATOR, at), everything=day is None)
            return [order.id for order in gone]

    def take_in(self, store: str, counts: Sequence[tuple[str, int, str]] = (), at: dt.datetime = AT) -> str:
        """Count and post the delivery that is on its way. counts: (sku, counted, why)."""
        delivery_id = self.delivery(store)
        with self.stores[store].write() as session:
            receiving.begin_count(Context(session, KEEPER[store], at), store, delivery_id)
            for sku, counted, why in counts:
                receiving.count_line(Context(session, KEEPER[store], at), store, delivery_id, sku, counted, why=why)
            receiving.post(Context(session, KEEPER[store], at), store, delivery_id)
        return delivery_id

    def findings(self) -> list[str]:
        """Return what is wrong at any node, and where the network's copy of a store's stock differs from the
        store's."""
        found = []
        for here, database in self.nodes().items():
            with database.read() as session:
                found += [
                    f"{here}: {one}" for one in pos.sync.checks.findings(session) + supply.sync.checks.findings(session)
                ]
        for store, database in self.stores.items():
            copies = []
            for one in (database, self.network):
                with one.read() as session:
                    copies.append({sku: level.by_place for sku, level in stock.levels(session, store).items()})
            found += [] if copies[0] == copies[1] else [f"{store}: {copies[0]}, at the network {copies[1]}"]
        return found


def write_order(session, store: str, order_id: str, packs: dict[str, int], supplier: str, at, why) -> None:
    needs, lead = why.pop("needs", {}), why.pop("lead", 1)
    order = ReplenishmentOrder(
        store_id=store, id=order_id, order_no=orders.next_no(session, store), supplier_id=supplier,
        state="approved", order_day=at.date(), delivery_day=at.date() + dt.timedelta(days=lead),
        next_delivery_day=at.date() + dt.timedelta(days=lead + 1), proposed_at=at,
    )  # fmt: skip
    session.add(order)
    session.flush()
    lines = [
        OrderLine(
            store_id=store, order_id=order_id, sku=sku, name=PRODUCTS[sku][0], pack_qty=PRODUCTS[sku][4],
            pack_cost_minor=PRODUCTS[sku][5], packs_proposed=needs.get(sku, count), packs=count,
            changed_by="Wei", why={"per_day": 3.0, "on_hand": 0, **why},
        )
        for sku, count in packs.items()
    ]  # fmt: skip
    order.cost_minor = orders.cost_of(lines)
    session.add_all(lines)


def make_country(folder: Path, network_url: str = "", *, lay_in: Callable[[Country], object] | None = None) -> Country:
    """Set up all three nodes with the same catalogue and suppliers; the warehouse has goods.

    network_url: the database the network keeps, else a file like the stores'. lay_in: what else happened before the
    test begins, done once in a run.
    """
    if network_url:
        return _build_country(folder, network_url)
    made = _country_folder(lay_in)
    network, *stores = (database_from(made / f"{name}.db", folder / f"{name}.db") for name in NODES)
    return Country(network, dict(zip(STORES, stores, strict=True)))


@cache
def _country_folder(lay_in: Callable[[Country], object] | None = None) -> Path:
    """Build a country once in a run."""
    folder = lasting_folder()
    with made_once():
        if lay_in is None:
            _build_country(folder)
        else:
            lay_in(make_country(folder))
    return folder


def _build_country(folder: Path, network_url: str = "") -> Country:
    databases = {}
    for here in NODES:
        at_url = network_url if here == NETWORK else ""
        database = databases[here] = empty_database(at_url or folder / f"{here}.db")
        with database.write() as session:
            node.found(session, here, at=AT)
            add_catalogue(session, STORES if here == NETWORK else [here])
    network = databases.pop(NETWORK)
    with network.write() as session:
        goods = [(sku, entry[-1]) for sku, entry in PRODUCTS.items()]
        stock.open_stock(Context(session, OPERATOR, AT), WAREHOUSE, goods, source_id="opening")
    return Country(network, databases)


def add_catalogue(session, stores) -> None:
    """Write region, stores, tills, products, prices and suppliers."""
    session.add_all([Region(id="R1", name="Harbour"), TaxClass(id="std", name="Standard", rate_bp=900, inclusive=True)])
    session.flush()
    for store_id in stores:
        session.add(
            Store(id=store_id, name=f"Store {store_id}", slug=store_id.lower(), region_id="R1", currency="EUR",
                  tz="UTC", rollover_hour=4, joined_at=AT)
        )  # fmt: skip
        session.flush()
        session.add(Till(store_id=store_id, id="T1", name="Till 1"))
    session.add_all(
        [
            Supplier(id=VAN, name="Network vehicle", kind="network", warehouse_id=WAREHOUSE),
            Supplier(id=FARM, name="Farm", kind="own", owner_id=stores[0],
                     calendar=DeliveryCalendar(frozenset({0, 3}), 2)),
        ]
    )  # fmt: skip
    for sku, (name, unit, per, price, pack, cost, _) in PRODUCTS.items():
        session.add(
            Product(sku=sku, name=name, category="Food", stock_unit=unit, price_quantity=per, tax_class_id="std",
                    search_text=name.casefold())
        )  # fmt: skip
        session.flush()
        session.add(Price(sku=sku, scope_id="*", from_day=dt.date(2025, 1, 1), price_minor=price))
        session.add_all(Listing(store_id=store_id, sku=sku) for store_id in stores)
        session.add(SupplierProduct(supplier_id=VAN, sku=sku, pack_qty=pack, pack_cost_minor=cost))
    session.add(Barcode(code="4006381333931", sku="bread"))
