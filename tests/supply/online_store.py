"""A store and the network, each with its own database, and a courier between them that shuffles and repeats."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from zlib import crc32

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import Database
from config.ids import NETWORK
from config.nodes import facts, inbox, node, outbox
from config.nodes.journal import Actor, Context
from config.nodes.outbox import Message
from pos.catalogue.catalogue import Barcode, Listing, Price, Product, TaxClass
from pos.sale.sale_request import SaleRequest
from pos.stock import stock
from pos.stock.ledger import INSIDE, Place, Reservation, StockLevel, StockMovement
from pos.store.store import Region, Store, Till
from pos.till import shift
from supply.online import orders
from supply.online.checkout import placing
from supply.online.checkout.placing import Placed
from supply.online.groups.groups import GroupOffer
from supply.online.groups.holding import HOLDING
from supply.online.pickup import handover, pickup
from supply.online.storefront import availability, listing, storefront
from supply.online_facts import StorefrontPublished
from tests.arriving import apply_once
from tests.empty import database_from, empty_database, lasting_folder, made_once
from tests.supply.road import batches

ONLINE = ("storefront.", "pickup.", "shelf.", "refund.", "group.", "campaign.", "review.")
"""The facts that are carried here."""
STORE = "S07"
OTHER = "S08"
AT = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
ANA = Actor("ana", "Ana", "shopkeeper", STORE)
TILL = "T1"
PRODUCTS = {
    # sku: name, unit, price quantity, price, minimum age, stock
    "bread": ("Rye bread", "each", 1, 250, None, 10),
    "milk": ("Milk", "each", 1, 129, None, 40),
    "apple": ("Apples", "gram", 1000, 499, None, 5000),
    "beer": ("Beer", "each", 1, 180, 18, 24),
    "tea": ("Green tea", "each", 1, 395, None, 1),
}


def later(**spans: float) -> dt.datetime:
    return AT + dt.timedelta(**spans)


def reported(session: Session, at: dt.datetime) -> StorefrontPublished | None:
    """Look for what the store has to tell, and tell it."""
    news = storefront.look(session, STORE, at=at)
    return None if news is None else storefront.publish(session, STORE, news, at=at)


@dataclass
class Town:
    """The network's database and one store's."""

    network: Database
    store: Database

    def deliver(self, *, seed: int | None = None, at: dt.datetime = AT) -> int:
        """Carry what waits, both ways, until nothing waits; with a seed every batch is shuffled and comes twice."""
        carried = 0
        while moved := self._carry(self.store, self.network, STORE, NETWORK, seed, at) + self._carry(
            self.network, self.store, NETWORK, STORE, seed, at
        ):
            carried += moved
        return carried

    def _carry(
        self, source: Database, target: Database, sender: str, receiver: str, seed: int | None, at: dt.datetime
    ) -> int:
        with source.read() as session:
            rows = [(row.epoch, Message(**outbox.to_wire(row))) for row in outbox.due(session, receiver)]
        if not rows:
            return 0
        for epoch, batch in batches([row for row in rows if row[1].topic.startswith(ONLINE)], seed):
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

    def fetch_saying_nothing(self, *, at: dt.datetime) -> None:
        """Let the store take in what the network has for it; that it has done so is never heard."""
        with self.network.read() as session:
            rows = [(row.epoch, Message(**outbox.to_wire(row))) for row in outbox.due(session, STORE)]
        for epoch, message in rows:
            with self.store.write() as session:
                apply_once(
                    session, NETWORK, epoch, message,
                    lambda inner, fact: facts.apply(inner, fact, NETWORK, at), at=at,
                )  # fmt: skip

    def hear(self, *, at: dt.datetime) -> None:
        """Carry what waits, and let the network know that the store was there then."""
        self.deliver(at=at)
        with self.network.write() as session:
            session.merge(node.Peer(id=STORE, epoch="", nonce="", heard_at=at))

    def publish(self, at: dt.datetime = AT) -> None:
        with self.store.write() as session:
            reported(session, at)
        self.deliver(at=at)

    def place(self, id: str, lines: Sequence[tuple[str, int]], *, at: dt.datetime = AT) -> Placed:
        with self.network.write() as session:
            phone = f"+86 10 {crc32(id.encode()) % 10**8:08d}"  # each order is a customer's of their own
            return placing.place(
                session, STORE, placing.OrderRequest(id=id, name="Li Wei", phone=phone, lines=lines), at=at
            )

    def make_ready(self, id: str, *, at: dt.datetime = AT) -> None:
        with self.store.write() as session:
            if orders.order_for_update(session, STORE, id).state == "placed":  # a share of a group is accepted already
                pickup.accept(Context(session, ANA, at), STORE, id)
            pickup.start_picking(Context(session, ANA, at), STORE, id)
            pickup.ready(Context(session, ANA, at), STORE, id)

    def ready_order(self, id: str, lines: Sequence[tuple[str, int]], *, at: dt.datetime = AT) -> Placed:
        placed = self.place(id, lines, at=at)
        self.deliver(at=at)
        self.make_ready(id, at=at)
        self.deliver(at=at)
        return placed

    def collect(self, code: str, sale_id: str, total: int, *, at: dt.datetime = AT, age: int | None = None):
        with self.store.write() as session:
            request = SaleRequest(sale_id, STORE, TILL, [], [("cash", total)], total, age)
            handed = handover.collect(Context(session, ANA, at), code, request)
        return handed.or_raise()

    def open_till(self) -> None:
        with self.store.write() as session:
            shift.open_shift(Context(session, ANA, AT), STORE, TILL, 10_000)

    def state(self, id: str) -> tuple[str, str]:
        """Return the order's state at the store and at the network."""
        states = []
        for database in (self.store, self.network):
            with database.read() as session:
                order = session.get(orders.PickupOrder, (STORE, id))
                states.append(order.state if order else "unknown")
        return states[0], states[1]

    def left(self, sku: str) -> int:
        with self.network.read() as session:
            return listing.product(session, STORE, sku).left_qty

    def level(self, sku: str) -> stock.Level:
        with self.store.read() as session:
            return stock.levels(session, STORE, [sku])[sku]

    def faults(self) -> list[str]:
        """Return what is wrong with the store's books: K3, K4, K5, and the network's count of what was taken."""
        with self.store.read() as session:
            found = _stock_faults(session)
        with self.network.read() as session:
            offers = {row.sku: row for row in session.scalars(sa.select(availability.OnlineListing))}
            taken = storefront.taken_by_orders(session, STORE, offers)
            found += [f"taken {sku}: {row.taken_qty} is {taken.get(sku, 0)}" for sku, row in offers.items()
                      if row.taken_qty != taken.get(sku, 0)]  # fmt: skip
            found += [f"oversold {sku}" for sku, row in offers.items() if row.taken_qty > row.available_qty]
        return found


def _stock_faults(session) -> list[str]:
    sums: dict[tuple[str, str], int] = {}
    for move in session.scalars(sa.select(StockMovement)):
        sums[move.sku, move.from_place] = sums.get((move.sku, move.from_place), 0) - move.qty
        sums[move.sku, move.to_place] = sums.get((move.sku, move.to_place), 0) + move.qty
    levels = {(row.sku, row.place): row.qty for row in session.scalars(sa.select(StockLevel))}
    inside = {place.value for place in INSIDE}
    found = [f"K3 {key}" for key in {*levels, *sums} if key[1] in inside and levels.get(key, 0) != sums.get(key, 0)]
    found += [f"K4 {sku}" for sku in PRODUCTS if sum(qty for key, qty in sums.items() if key[0] == sku)]
    promises = session.scalars(sa.select(Reservation)).all()
    answers = [row.answers_id for row in promises if row.answers_id]
    found += ["K5 answered twice"] if len(answers) != len(set(answers)) else []
    held: dict[str, int] = {}
    for row in promises:
        if row.kind == "held" and row.id not in answers:
            held[row.sku] = held.get(row.sku, 0) + row.qty
            order = session.get(orders.PickupOrder, (STORE, row.order_id))
            group = session.get(GroupOffer, row.order_id)
            state = order.state if order else group.state
            fits = state in (orders.OPEN if order else HOLDING)
            found += [] if fits else [f"K5 held for {state}"]
    for sku, qty in held.items():
        on_hand = sum(levels.get((sku, place), 0) for place in inside)
        found += [f"K5 {sku}: {qty} held, {on_hand} there"] if qty > on_hand else []
    in_bin = {sku: qty for (sku, place), qty in levels.items() if place == Place.BIN and qty}
    ready: dict[str, int] = {}
    for order in session.scalars(sa.select(orders.PickupOrder).where(orders.PickupOrder.state == "ready")):
        for sku, qty in orders.kept_lines(orders.lines_of(session, order)):
            ready[sku] = ready.get(sku, 0) + qty
    return found if in_bin == ready else [*found, f"bin {in_bin}, ready orders {ready}"]


def make_town(folder: Path, network_url: str | None = None) -> Town:
    """Set up both nodes with the same catalogue; the store has goods and its offers published."""
    if network_url:
        return _build_town(folder, network_url)
    return Town(*(database_from(_town_folder() / name, folder / name) for name in ("network.db", "store.db")))


@cache
def _town_folder() -> Path:
    """Build a town once in a run."""
    folder = lasting_folder()
    with made_once():
        _build_town(folder)
    return folder


def _build_town(folder: Path, network_url: str | None = None) -> Town:
    databases = []
    for name, here in (("network", NETWORK), ("store", STORE)):
        given = network_url if here == NETWORK else None
        database = empty_database(given or folder / f"{name}.db")
        with database.write() as session:
            node.found(session, here, at=AT)
            add_catalogue(session)
        databases.append(database)
    town = Town(*databases)
    with town.store.write() as session:
        goods = [(sku, entry[-1]) for sku, entry in PRODUCTS.items()]
        stock.receive(Context(session, ANA, AT), STORE, goods, source_kind="delivery", source_id="first")
    town.publish()
    return town


def add_catalogue(session) -> None:
    """Write region, stores, till, products and prices."""
    session.add_all([Region(id="R1", name="Harbour"), TaxClass(id="std", name="Standard", rate_bp=900, inclusive=True)])
    session.flush()
    for store_id, slug in ((STORE, "harbour-7"), (OTHER, "harbour-8")):
        session.add(
            Store(id=store_id, name=f"Store {store_id}", slug=slug, region_id="R1", currency="CNY", tz="Asia/Shanghai",
                  rollover_hour=4, joined_at=AT)
        )  # fmt: skip
    session.flush()
    session.add(Till(store_id=STORE, id=TILL, name="Till 1"))
    for sku, (name, unit, per, price, age, _) in PRODUCTS.items():
        session.add(
            Product(sku=sku, name=name, category="Food", stock_unit=unit, price_quantity=per, tax_class_id="std",
                    minimum_age=age, search_text=name.casefold())
        )  # fmt: skip
        session.flush()
        session.add(Price(sku=sku, scope_id="*", from_day=dt.date(2026, 1, 1), price_minor=price))
        session.add(Listing(store_id=STORE, sku=sku))
    session.add(Barcode(code="4006381333931", sku="bread"))
