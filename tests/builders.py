"""Builders of a store: a real database with a store, a till, people and products people know.

store = open_store(tmp_path)                      an SQLite file of its own
store = open_store(tmp_path, database_url=url)    the same on PostgreSQL
shop.sell([("milk", 2)])
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from config.clock import FrozenClock
from config.database import Database
from config.finding import Finding
from config.ids import NETWORK, new_id
from config.nodes import facts, outbox
from config.nodes.journal import Actor, Context
from config.nodes.node import found, this_node
from config.nodes.outbox import Message
from pos.catalogue import catalogue
from pos.catalogue.catalogue import TaxClass
from pos.payments import vouchers
from pos.sale import returns, sale
from pos.sale.sale_request import ReturnRequest, SaleRequest
from pos.sold import Completed
from pos.stock import stock
from pos.store.store import Region, Store, found_store
from pos.sync import checks
from pos.till import shift, shift_book
from tests.arriving import apply_once
from tests.empty import empty_database

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
"""A Monday; 13:00 on the wall in Berlin."""
STORE, TILL = "S01", "T1"
FLOAT_MINOR = 10_000
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Goods:
    """A product of the practice store. price_minor is per price_quantity."""

    sku: str
    name: str
    price_minor: int
    code: str
    tax_class: str = "food"
    opening_qty: int = 20
    wishes: Mapping[str, Any] = field(default_factory=dict)


GOODS = (
    Goods("milk", "Whole milk 1 l", 129, "4006381333931"),
    Goods("bread", "Rye bread 500 g", 349, "4012345678901"),
    Goods("tea", "Green tea 绿茶", 450, "96385074"),
    Goods("wine", "Red wine 0.75 l", 699, "5901234123457", "drinks", wishes={"minimum_age": 18}),
    Goods(
        "cheese",
        "Mountain cheese, cut",
        1899,
        "2000000000015",
        opening_qty=5000,
        wishes={"stock_unit": "gram", "price_quantity": 1000},
    ),
)


@dataclass
class OpenStore:
    """A store node under test: its database, its clock and the people at its counter."""

    database: Database
    clock: FrozenClock
    store_id: str = STORE
    till_id: str = TILL

    @property
    def ana(self) -> Actor:
        """The cashier."""
        return Actor(id="ana", name="Ana", role="cashier", node=self.store_id)

    @property
    def wei(self) -> Actor:
        """The shopkeeper."""
        return Actor(id="wei", name="Wei", role="shopkeeper", node=self.store_id)

    @property
    def now(self) -> dt.datetime:
        """What the store's clock shows."""
        return self.clock.now()

    @contextmanager
    def write(self) -> Iterator[Session]:
        """Open one command's transaction."""
        with self.database.write() as session:
            yield session

    def read(self, look: Callable[[Session], Answer]) -> Answer:
        """Ask one question."""
        with self.database.read() as session:
            return look(session)

    def request(
        self, lines: Sequence[tuple[str, int]], *, id: str | None = None, cash_minor: int | None = None, **wishes: Any
    ) -> SaleRequest:
        """Return a sale as the page would send it: paid in cash, the total shown, the age confirmed."""
        priced = self.read(lambda session: sale.quote(session, self.store_id, lines, at=self.now, cash=True)).basket
        due_minor = priced.total_minor if cash_minor is None else cash_minor
        return SaleRequest(
            **{
                "id": id or new_id(),
                "store_id": self.store_id,
                "till_id": self.till_id,
                "lines": list(lines),
                "tenders": [("cash", due_minor)],
                "shown_total_minor": priced.lines_minor,
                "age_confirmed": priced.minimum_age,
            }
            | wishes
        )

    def complete(self, request: SaleRequest) -> Completed:
        """Complete a sale."""
        with self.write() as session:
            return sale.complete(Context(session, self.ana, self.now), request)

    def sell(self, lines: Sequence[tuple[str, int]], **wishes: Any) -> Completed:
        """Sell in cash."""
        return self.complete(self.request(lines, **wishes))

    def take_back(self, sale_id: str, lines: Sequence[tuple[int, int]], **wishes: Any) -> Completed:
        """Take goods back."""
        given = {"id": new_id(), "store_id": self.store_id, "till_id": self.till_id, "sale_id": sale_id}
        with self.write() as session:
            request = ReturnRequest(**given | {"lines": list(lines)} | wishes)
            return returns.take_back(Context(session, self.wei, self.now), request)

    def open_till(self, float_minor: int = FLOAT_MINOR) -> None:
        """Open the till with its float."""
        with self.write() as session:
            shift.open_shift(Context(session, self.ana, self.now), self.store_id, self.till_id, float_minor)

    def close_till(self, counted_minor: int | None = None) -> shift_book.Shift:
        """Count and close the till; to the cent unless told otherwise, and then with a reason."""
        with self.write() as session:
            found_shift = shift.current(session, self.store_id, self.till_id)
            assert found_shift is not None
            counted = found_shift.expected_minor if counted_minor is None else counted_minor
            return shift.close(Context(session, self.wei, self.now), found_shift, counted, why="as counted")

    def level(self, sku: str) -> stock.Level:
        """Return how much there is of a product."""
        return self.read(lambda session: stock.levels(session, self.store_id, [sku])[sku])

    def findings(self) -> list[Finding]:
        """Return every invariant of the counter that does not hold."""
        return self.read(checks.findings)

    def messages(self) -> list[Message]:
        """Return the facts on their way to the network, oldest first."""

        def look(session: Session) -> list[Message]:
            rows: list[outbox.OutboxMessage] = []
            while batch := outbox.after(session, NETWORK, this_node(session).epoch, len(rows)):
                rows += batch
            return [Message(**outbox.to_wire(row)) for row in rows]

        return self.read(look)


@dataclass
class Network:
    """The operator's node under test."""

    database: Database

    def take(self, message: Message, from_node: str = STORE, *, at: dt.datetime = NOON) -> tuple[str, str | None]:
        """Take one arrived fact as the receiver does."""

        def effect(session: Session, arrived: Message) -> None:
            facts.apply(session, arrived, from_node, at)

        with self.database.write() as session:
            return apply_once(session, from_node, "epoch", message, effect, at=at)


def open_store(
    folder: Path,
    *,
    database_url: str | None = None,
    goods: Sequence[Goods] = GOODS,
    smallest_coin_minor: int = 1,
    till_open: bool = True,
    store_id: str = STORE,
) -> OpenStore:
    """Found a store with products on its floor, in a database of its own."""
    store = OpenStore(open_database(folder / f"{store_id}.db", database_url), FrozenClock(NOON), store_id)
    with store.write() as session:
        found(session, store_id, at=NOON)
        found_store(
            session,
            store_id,
            "Corner of Elm Street",
            region=("north", "North"),
            currency="EUR",
            tz="Europe/Berlin",
            smallest_coin_minor=smallest_coin_minor,
            at=NOON,
        )
        fill_catalogue(Context(session, store.wei, NOON), store_id, goods)
        lines = [(one.sku, one.opening_qty) for one in goods if one.opening_qty]
        stock.open_stock(Context(session, store.wei, NOON), store_id, lines, source_id="opening")
    if till_open:
        store.open_till()
    return store


def open_network(folder: Path, stores: Sequence[str] = (STORE,), *, database_url: str | None = None) -> Network:
    """Found the network's node, which knows the stores but has none of their books yet."""
    network = Network(open_database(folder / "network.db", database_url))
    with network.database.write() as session:
        found(session, NETWORK, at=NOON)
        session.add(Region(id="north", name="North"))
        session.flush()
        for store_id in stores:
            session.add(
                Store(
                    id=store_id,
                    name=store_id,
                    slug=store_id.lower(),
                    region_id="north",
                    currency="EUR",
                    tz="Europe/Berlin",
                    joined_at=NOON,
                )
            )
    return network


def open_database(path: Path, database_url: str | None = None) -> Database:
    """Make an empty database with every table."""
    return empty_database(database_url or path)


def fill_catalogue(ctx: Context, store_id: str, goods: Sequence[Goods]) -> None:
    """Put products, codes, prices and listings into a database."""
    ctx.session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
    ctx.session.add(TaxClass(id="drinks", name="Drinks", rate_bp=1900, inclusive=True))
    ctx.session.add(TaxClass(id="us", name="Sales tax", rate_bp=825, inclusive=False))
    ctx.session.flush()
    for place, one in enumerate(goods):
        catalogue.add_product(
            ctx,
            one.sku,
            one.name,
            category="Groceries",
            tax_class_id=one.tax_class,
            codes=[(one.code, 1)] if one.code else [],
            **one.wishes,
        )
        day = ctx.at.date() - dt.timedelta(days=7)
        catalogue.set_price(ctx, one.sku, one.price_minor, day)
        catalogue.list_product(ctx, store_id, one.sku, quick_key=place)


def voucher_code() -> str:
    """Return the code of a voucher nobody was issued."""
    return vouchers.code_of("secret", "S1", new_id(), 1)
