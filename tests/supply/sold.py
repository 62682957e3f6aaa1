"""A node with stores and products, and sales written straight into its books."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from config.database import Database
from config.ids import NETWORK, new_id
from config.nodes import node
from config.nodes.journal import Actor
from pos.catalogue.catalogue import Listing, Price, Product, TaxClass
from pos.sold import Sale, SaleLine
from pos.stock import changed_days
from pos.store.opening_hours import every_day
from pos.store.store import Region, Store
from pos.till.shift_book import Shift
from tests.empty import empty_database

AT = dt.datetime(2026, 3, 3, 6, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 3, 2)
SYSTEM = Actor.system("test", NETWORK)
STORES = {"S1": "R1", "S2": "R1", "S3": "R2"}
PRODUCTS = {"bread": ("Bakery", "each", 250), "milk": ("Dairy", "each", 129), "apple": ("Produce", "gram", 499)}


def day(n: int) -> dt.date:
    """Return the n-th day after DAY (before it, when negative)."""
    return DAY + dt.timedelta(days=n)


def make_node(url: str | Path, here: str = NETWORK, stores: Sequence[str] = tuple(STORES)) -> Database:
    """Set up a node that keeps these stores."""
    database = empty_database(url)
    with database.write() as session:
        node.found(session, here, at=AT)
        session.add(TaxClass(id="std", name="Standard", rate_bp=900, inclusive=True))
        session.add_all(Region(id=region, name=region) for region in sorted({STORES[store] for store in stores}))
        session.flush()
        for store in stores:
            session.add(
                Store(id=store, name=store, slug=store.lower(), region_id=STORES[store], currency="EUR", tz="UTC",
                      rollover_hour=4, opening_hours=every_day("08:00", "20:00"), joined_at=AT)
            )  # fmt: skip
        for sku, (department, unit, price) in PRODUCTS.items():
            session.add(
                Product(sku=sku, name=sku.title(), category=f"{sku} things", department=department, stock_unit=unit,
                        price_quantity=1 if unit == "each" else 1000, tax_class_id="std", search_text=sku)
            )  # fmt: skip
            session.flush()
            session.add(Price(sku=sku, scope_id="*", from_day=dt.date(2025, 1, 1), price_minor=price))
            session.add_all(Listing(store_id=store, sku=sku) for store in stores)
    return database


def sell(
    session, store: str, on: dt.date, lines: dict[str, int], *, kind: str = "sale", channel: str = "counter"
) -> None:
    """Write one completed sale, or return, of these quantities; at a network as if it had just arrived."""
    sale_id = new_id()
    sign = 1 if kind == "sale" else -1
    totals = {sku: sign * qty * PRODUCTS[sku][2] // (1 if PRODUCTS[sku][1] == "each" else 1000)
              for sku, qty in lines.items()}  # fmt: skip
    count = len(session.new) + session.query(Sale).count()
    session.add(
        Sale(store_id=store, id=sale_id, till_id="T1", shift_id="shift", epoch="e", receipt_no=count + 1,
             state="completed", kind=kind, channel=channel, business_day=on, completed_at=AT, cashier_id="ana",
             cashier_name="Ana", currency="EUR", lines_minor=sum(totals.values()), total_minor=sum(totals.values()),
             tax_minor=0, request_hash=sale_id)
    )  # fmt: skip
    session.flush()
    session.add_all(
        SaleLine(store_id=store, sale_id=sale_id, n=n, sku=sku, name=sku, stock_unit=PRODUCTS[sku][1], qty=sign * qty,
                 unit_price_minor=PRODUCTS[sku][2], price_quantity=1, total_minor=totals[sku], net_minor=0,
                 tax_minor=0, tax_class_id="std", rate_bp=900, business_day=on)
        for n, (sku, qty) in enumerate(lines.items(), 1)
    )  # fmt: skip
    session.flush()
    changed_days.mark(session, store, [on], at=AT)


def open_store(session, store: str, on: dt.date) -> None:
    """Write a shift that was manned that day and sold nothing."""
    session.add(
        Shift(store_id=store, id=new_id(), till_id="T1", state="closed", opened_by="ana", opened_by_name="Ana",
              opened_at=AT, business_day=on)
    )  # fmt: skip
    session.flush()
