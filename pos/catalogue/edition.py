"""The catalogue as an edition: what the network publishes of it, and how a store takes it over.

Rules
-----
1. An edition is whole: products that are in it no more are no longer active at the store. One without any product takes
   none away: a network that has lost its catalogue, or begins without one, closes no store.
2. What is a store's own, products, prices, listings and tax classes, never travels and is never touched.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import Base
from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Barcode, CategoryNames, Listing, Price, Product, TaxClass, shared_tax_classes


def edition(session: Session, store_id: str, *, day: dt.date | None = None) -> dict[str, Any]:
    """Return the network's catalogue as `store_id` pulls it: tax classes, products, codes and network prices.

    day: leave out prices that a newer one has replaced by that day. A store's own products and prices never travel.
    """
    shared = sa.select(Product).where(Product.owner_id == EVERYONE, Product.active).order_by(Product.sku)
    codes = sa.select(Barcode.code, Barcode.sku, Barcode.qty).join(Product, Product.sku == Barcode.sku)
    prices = sa.select(Price.sku, Price.from_day, Price.price_minor).where(Price.scope_id == EVERYONE)
    if day is not None:
        newer = sa.orm.aliased(Price)
        latest = sa.select(sa.func.max(newer.from_day)).where(
            newer.sku == Price.sku, newer.scope_id == EVERYONE, newer.from_day <= day
        )
        prices = prices.where(Price.from_day >= sa.func.coalesce(latest.scalar_subquery(), day))
    prices = prices.join(Product, Product.sku == Price.sku).where(Product.owner_id == EVERYONE)
    named = sa.select(CategoryNames).where(CategoryNames.owner_id == EVERYONE).order_by(CategoryNames.name)
    return {
        "store_id": store_id,
        # a store of an earlier version has no column for the owner, and every row of an edition is the network's
        "tax_classes": [_columns(row, but="owner_id") for row in session.scalars(shared_tax_classes())],
        "products": [_columns(row) for row in session.scalars(shared)],
        "category_names": [_columns(row) for row in session.scalars(named)],
        "barcodes": [
            list(row) for row in session.execute(codes.where(Product.owner_id == EVERYONE).order_by(Barcode.code))
        ],
        "prices": [
            [sku, from_day.isoformat(), price_minor]
            for sku, from_day, price_minor in session.execute(prices.order_by(Price.sku, Price.from_day))
        ],
    }


def take_edition(session: Session, body: dict[str, Any]) -> list[str]:
    """Take over the network's catalogue edition; what is the store's own stays as it is.

    Products new to the store are listed; a listing the store changed is never touched. A network product that is in
    the edition no more is no longer active. Returns the products it changes, with their codes and prices.
    """
    store_id = body["store_id"]
    _merge(session, TaxClass, body["tax_classes"])
    changed = {row["sku"] for row in _merge(session, Product, body["products"])}
    session.execute(sa.delete(CategoryNames).where(CategoryNames.owner_id == EVERYONE))
    _merge(session, CategoryNames, body["category_names"])
    published = {product["sku"] for product in body["products"]}
    ours = session.scalars(sa.select(Product.sku).where(Product.owner_id == EVERYONE, Product.active)).all()
    if published and (gone := sorted(set(ours) - published)):
        session.execute(sa.update(Product), [{"sku": sku, "active": False} for sku in gone])
        changed.update(gone)
    codes = [{"code": code, "sku": sku, "qty": qty} for code, sku, qty in body["barcodes"]]
    prices = [
        {"sku": sku, "scope_id": EVERYONE, "from_day": dt.date.fromisoformat(day), "price_minor": price_minor}
        for sku, day, price_minor in body["prices"]
    ]
    changed.update(row["sku"] for row in [*_merge(session, Barcode, codes), *_merge(session, Price, prices)])
    known = set(session.scalars(sa.select(Listing.sku).where(Listing.store_id == store_id)))
    if fresh := sorted(published - known):
        rows = [{"store_id": store_id, "sku": sku, "active": True, "hold_back_qty": 0} for sku in fresh]
        session.execute(sa.insert(Listing), rows)
    return sorted(changed.union(fresh))


# --- inside ---


def _merge(session: Session, table: Any, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Insert what is new and update what differs, by primary key, in at most three statements; returns both."""
    if not rows:
        return []
    keys = [column.name for column in sa.inspect(table).primary_key]
    names = list(rows[0])
    stored = session.execute(sa.select(*(getattr(table, name) for name in names))).mappings()
    known = {tuple(row[key] for key in keys): dict(row) for row in stored}
    fresh, changed = [], []
    for row in rows:
        before = known.get(tuple(row[key] for key in keys))
        if before is None:
            fresh.append(row)
        elif before != row:
            changed.append(row)
    if fresh:
        session.execute(sa.insert(table), fresh)
    if changed:
        session.execute(sa.update(table), changed)
    return fresh + changed


def _columns(row: Base, but: str = "") -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in row.__table__.columns if column.name != but}
