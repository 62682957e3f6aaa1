"""Builds the demonstration network's databases: one network node and twenty store nodes, each its own file.

Rules
-----
1. Each store is a real store node with its own database, key, till and stock. The live stores learn the catalogue,
   prices and the region's figures by pulling them, like any member; the others get the same catalogue edition at
   founding.
2. Opening stock is made up and said so: about ten days of what the store sold a day over the last four weeks
   before the cut-off, at least four pieces or two kilos; of a dozen products the second live store has none, of which
   its neighbour has too many.
3. The warehouse opens with eight days of all stores' sales of each product, so that something is always scarce.
4. Practice sign-ins are known to everybody and exist only in practice.
5. What a product costs a store is its supplier's pack cost; each live store has goods, offers and customers of
   its own beside (`counter`).
"""

from __future__ import annotations

import datetime as dt
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import make_url
from sqlalchemy.orm import Session

from config.database import Database, make_engine
from config.ids import NETWORK
from config.migrate import upgrade
from config.nodes.journal import Actor, Context
from config.nodes.node import found
from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Barcode, CategoryNames, Listing, Price, Product, TaxClass, search_text_for
from pos.catalogue.edition import edition as edition_of
from pos.catalogue.edition import take_edition
from pos.stock import stock
from pos.store.opening_hours import every_day
from pos.store.store import Region, Store, Till, add_staff, give_key
from store_app.demo import counter
from store_app.demo.panel import CURRENCY, ROLLOVER_HOUR, ZONE, DemoPanel
from store_app.demo.products import TAX_CLASSES, categories
from store_app.demo.stores import DemoStore
from supply.demand import rollups
from supply.network import founding
from supply.network.routes import vehicles
from supply.orders import suppliers
from supply.orders.suppliers import CasePack, Contact

WAREHOUSE = "WH1"
CENTRE_E6 = (39_099_700, -94_578_600)
"""Where the made-up town lies, in millionths of a degree."""
SUPPLIER = "network-supply"
TILL = "T1"
PINS = {"cashier": "1111", "supervisor": "4444", "shopkeeper": "2222", "operator": "3333"}
COVER_DAYS = 10
WAREHOUSE_COVER_DAYS = 8
RECENT_DAYS = 28
QUICK_KEYS = 24


@dataclass(frozen=True)
class Place:
    """Where a node of the demonstration lives: its id, folder and database address."""

    node_id: str
    folder: Path
    database_url: str

    def open(self) -> Database:
        """Open the node's database."""
        return Database(make_engine(self.database_url))


def place_of(state: Path, node_id: str, database_url: str | None = None) -> Place:
    """Return where a node lives under the state folder."""
    folder = state / node_id
    return Place(node_id, folder, database_url or f"sqlite:///{folder / (node_id + '.db')}")


def build_network(
    panel: DemoPanel, place: Place, *, at: dt.datetime, progress: Callable[[str], None]
) -> dict[str, str]:
    """Found the network node with its catalogue, stores, warehouse and a year of daily sales.

    Returns each store's key, which the network itself keeps only as a hash.
    """
    database = _empty(place)
    actor = Actor.system("demo", NETWORK)
    with database.write() as session:
        found(session, NETWORK, at=at)
        _found_regions(session, panel)
        _fill_catalogue(session, panel)
        ctx = Context(session, actor, at)
        _found_supply(ctx, panel)
        keys = {}
        for store in panel.stores:
            session.add(_store(store, has_node=store.is_live, at=at))
            session.flush()
            keys[store.id] = give_key(session, store.id, at=at)
        add_staff(session, NETWORK, "op", "Olivia (operator)", "operator", PINS["operator"])
        _open_warehouse(ctx, panel)
        _place_stores(ctx, panel)
    progress("Laying in the network's past, day by day …")
    with database.write() as session:
        rollups.import_history(session, panel.history.itertuples(index=False, name=None))
    database.engine.dispose()
    return keys


def build_store(panel: DemoPanel, store: DemoStore, place: Place, *, at: dt.datetime, edition: dict[str, Any]) -> None:
    """Found one store node: its store, till and staff; a live one's own past, another's catalogue and stock."""
    database = _empty(place)
    with database.write() as session:
        found(session, store.id, at=at)
        _found_regions(session, panel)
        session.add(_store(store, has_node=store.is_live, at=at))
        session.flush()
        session.add(Till(store_id=store.id, id=TILL, name="Till 1"))
        add_staff(session, store.id, "ana", "Ana", "cashier", PINS["cashier"])
        add_staff(session, store.id, "sue", "Sue", "supervisor", PINS["supervisor"])
        add_staff(session, store.id, "wei", "Wei", "shopkeeper", PINS["shopkeeper"])
        if store.is_live:
            own = panel.history[panel.history["store_id"] == store.id]
            rollups.import_history(session, own.itertuples(index=False, name=None))
        else:
            take_edition(session, edition | {"store_id": store.id})
            lay_in(session, panel, store, at=at)
    database.engine.dispose()


def lay_in(session: Session, panel: DemoPanel, store: DemoStore, *, at: dt.datetime) -> None:
    """Lay in a store's opening stock (rule 2); its catalogue must be there."""
    rates = per_day(panel, store.id)
    gone = counter.sold_out(panel, store.id)
    lines = [
        (product.sku, _opening_qty(rates.get(product.sku, 0.0), product.stock_unit))
        for product in panel.products
        if product.sku not in gone
    ]
    stock.open_stock(Context(session, Actor.system("demo", store.id), at), store.id, lines, source_id="opening")
    best = panel.products[:QUICK_KEYS]  # the panel's products are ranked by what sells
    session.execute(
        sa.update(Listing),
        [{"store_id": store.id, "sku": product.sku, "quick_key": n} for n, product in enumerate(best)],
    )
    counter.know_costs(session, panel, store.id)
    if store.is_live:
        counter.set_up(session, panel, store.id, at=at)


def spot(panel: DemoPanel, store_id: str) -> tuple[int, int]:
    """Return where a store lies, in millionths of a degree: around the warehouse, the live ones side by side."""
    ids = [store.id for store in panel.stores]
    live = [store.id for store in panel.live_stores()]
    n = ids.index(live[0] if store_id in live else store_id)
    turn, far = n * 2.4, 12_000 + 9_000 * (n % 5)  # around and around, none behind another
    aside = 4_000 * live.index(store_id) if store_id in live else 0
    return CENTRE_E6[0] + round(far * math.sin(turn)) + aside, CENTRE_E6[1] + round(far * 1.3 * math.cos(turn)) + aside


def per_day(panel: DemoPanel, store_id: str | None) -> dict[str, float]:
    """Return SKU -> units sold a day lately, in a store or (None) in all."""
    since = panel.cut_off - dt.timedelta(days=RECENT_DAYS)
    recent = panel.history[panel.history["business_day"] >= since]
    if store_id is not None:
        recent = recent[recent["store_id"] == store_id]
    sold = recent.groupby("sku", observed=True)["sold_qty"].sum()
    return {str(sku): float(qty) / RECENT_DAYS for sku, qty in sold.items()}


def catalogue_edition(place: Place, store_id: str, day: dt.date) -> dict[str, Any]:
    """Return the network's catalogue as a store takes it over."""
    database = place.open()
    with database.read() as session:
        found = edition_of(session, store_id, day=day)
    database.engine.dispose()
    return found


# --- inside ---


def _empty(place: Place) -> Database:
    """Open a node's books with nothing in them; files are copies of one: bringing one up takes most of a second."""
    place.folder.mkdir(parents=True, exist_ok=True)
    url = make_url(place.database_url)
    if url.get_backend_name() == "sqlite":
        made = place.folder.parent / "empty.db"
        if not made.exists():
            engine = make_engine(f"sqlite:///{made}")
            upgrade(engine)
            engine.dispose()
        shutil.copyfile(made, str(url.database))
    else:
        upgrade(place.database_url)
    return place.open()


def _found_regions(session: Session, panel: DemoPanel) -> None:
    session.add_all(Region(id=region.id, name=region.name) for region in panel.regions)
    session.flush()


def _store(store: DemoStore, *, has_node: bool, at: dt.datetime) -> Store:
    return Store(
        id=store.id,
        name=store.name,
        slug=store.slug,
        region_id=store.region_id,
        address=store.address,
        phone="",
        currency=CURRENCY,
        smallest_coin_minor=1,
        tz=ZONE,
        rollover_hour=ROLLOVER_HOUR,
        language="en",
        opening_hours=every_day("06:00", "23:30"),
        pickup_hold_days=2,
        has_node=has_node,
        joined_at=at,
    )


def _fill_catalogue(session: Session, panel: DemoPanel) -> None:
    session.add_all(
        TaxClass(id=key, name=name, rate_bp=rate_bp, inclusive=False) for key, (name, rate_bp) in TAX_CLASSES.items()
    )
    session.flush()
    for name, names in categories().items():
        session.add(CategoryNames(name=name, names=names, search_text=search_text_for(*names.values())))
    session.execute(
        sa.insert(Product),
        [
            {
                "sku": product.sku,
                "name": product.name,
                "brand": "",
                "category": product.category,
                "department": product.department,
                "pack_text": product.pack_text,
                "stock_unit": product.stock_unit,
                "price_quantity": product.price_quantity,
                "tax_class_id": product.tax_class,
                "minimum_age": product.minimum_age,
                "search_text": search_text_for(product.name, "", product.category),
                "active": True,
                "owner_id": EVERYONE,
            }
            for product in panel.products
        ],
    )
    session.execute(
        sa.insert(Barcode),
        [
            {"code": code, "sku": product.sku, "qty": qty}
            for product in panel.products
            for code, qty in ((product.gtin, 1), (product.case_gtin, product.pack_qty))
            if product.stock_unit == "each" or code == product.gtin
        ],
    )
    session.execute(
        sa.insert(Price),
        [
            {"sku": sku, "scope_id": EVERYONE, "from_day": day, "price_minor": int(minor)}
            for sku, day, minor in panel.prices[["sku", "from_day", "price_minor"]].itertuples(index=False, name=None)
        ],
    )


def _found_supply(ctx: Context, panel: DemoPanel) -> None:
    founding.found_warehouse(ctx, WAREHOUSE, Contact("Cornerstore Network Supply", minimum_minor=5_000), id=SUPPLIER)
    for product in panel.products:
        pack = CasePack(product.pack_qty, product.pack_cost_minor)
        suppliers.offer_product(ctx, SUPPLIER, product.sku, pack)


def _place_stores(ctx: Context, panel: DemoPanel) -> None:
    """Make places up around a warehouse, and give it two vehicles.

    A page that shows them says that they are made up.
    """
    vehicles.place(ctx, WAREHOUSE, *CENTRE_E6, source="generated")
    for n, store in enumerate(panel.stores):
        lat_e6, lon_e6 = spot(panel, store.id)
        window = (6 * 60 + 30 * (n % 4), 11 * 60 + 60 * (n % 3))
        vehicles.place(ctx, store.id, lat_e6, lon_e6, window=window, source="generated")
    for n in (1, 2):
        vehicles.add_vehicle(ctx, WAREHOUSE, f"Vehicle {n}", 400)


def _opening_qty(per_day: float, stock_unit: str) -> int:
    least = 4 if stock_unit == "each" else 2_000
    return max(least, math.ceil(per_day * COVER_DAYS))


def _open_warehouse(ctx: Context, panel: DemoPanel) -> None:
    rates = per_day(panel, None)
    lines = [
        (
            product.sku,
            product.pack_qty * max(2, math.ceil(rates.get(product.sku, 0.0) * WAREHOUSE_COVER_DAYS / product.pack_qty)),
        )
        for product in panel.products
    ]
    stock.open_stock(ctx, WAREHOUSE, lines, source_id="opening")
