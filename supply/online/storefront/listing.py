"""What customers see of a store's online store: its products with price, promise and place on the shelf.

Rules
-----
1. Everything shown was published by the store; what is left is the allowance less what was taken since. `at` says when
   that is asked: it falls with the store's silence (`availability.safe_qty`); without it, it is as promised last.
2. A basket costs what the till would charge for it now: the same prices, the store's offers, the deposits.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.nodes.node import Peer
from config.prepared import PreparedForSome
from config.words import called
from pos.catalogue.catalogue import Product
from pos.sale.quoting import Quote
from pos.store.store import store_of
from supply.online.storefront import price
from supply.online.storefront.availability import (
    OnlineListing,
    OpenStore,
    portion,
    safe_left,
    safe_qty,
    silence_of,
    silence_since,
)


class OnlineProduct(NamedTuple):
    """A product as a customer sees it. left_qty: what can still be ordered; step_qty: the smallest portion."""

    sku: str
    name: str
    brand: str
    category: str
    department: str
    pack_text: str
    stock_unit: str
    price_minor: int
    price_quantity: int
    minimum_age: int | None
    maximum_qty: int | None
    left_qty: int
    step_qty: int
    shelf_rank: int | None
    order_days: int | None = None
    """So many days after ordering it can be collected, where the store orders it in."""

    def days_for(self, qty: int) -> int | None:
        """Return how many days so many have to be waited for; None: they are here, or cannot be ordered in."""
        return self.order_days if qty > self.left_qty else None


# --- questions ---


def listed_skus(
    session: Session, store_id: str, *, category: str | None = None, at: dt.datetime | None = None
) -> list[str]:
    """Return the SKUs the online store shows: in stock, then ordered in, then the rest; bestsellers first, by name."""
    query = _LISTED.where(OnlineListing.store_id == store_id).with_only_columns(OnlineListing.sku)
    return list(session.scalars(_ordered(query, category, _silence(session, store_id, at))))


def categories(session: Session, store_id: str) -> list[tuple[str, int]]:
    """Return the categories of the online store with how many products each has, by name."""
    rows = session.execute(
        sa.select(Product.category, sa.func.count())
        .join(OnlineListing, OnlineListing.sku == Product.sku)
        .where(OnlineListing.store_id == store_id, OnlineListing.listed)
        .group_by(Product.category)
        .order_by(Product.category)
    )
    return [(name, count) for name, count in rows]


def product(session: Session, store_id: str, sku: str, *, at: dt.datetime | None = None) -> OnlineProduct:
    """Return one product of the online store."""
    found = products(session, store_id, [sku], at=at)
    if not found:
        raise NotFound("not-sold-online", "This product is not in this online store. Choose another one.", sku=sku)
    return found[0]


def products(
    session: Session, store_id: str, skus: Iterable[str], *, at: dt.datetime | None = None
) -> list[OnlineProduct]:
    """Return the named products, those that are in the online store, by SKU."""
    rows = _NAMED.all(session, {"store": store_id}, sorted(skus))
    silence = silence_since(rows[0][-1], at) if rows else dt.timedelta(0)
    return [_shown(row[:-1], silence) for row in rows]


def offered_at(
    session: Session, stores: Sequence[OpenStore], skus: Sequence[str], *, at: dt.datetime
) -> dict[str, list[OnlineProduct]]:
    """Return store id -> which of these products can be ordered there now, in the order of `skus`."""
    heard_at, order = {one.id: one.heard_at for one in stores}, {sku: n for n, sku in enumerate(skus)}
    query = _LISTED.add_columns(OnlineListing.store_id).where(
        OnlineListing.store_id.in_(list(heard_at)), OnlineListing.sku.in_(list(order))
    )
    found: dict[str, list[OnlineProduct]] = {}
    for *row, store_id in session.execute(query):
        product = _shown(row, silence_since(heard_at[store_id], at))
        if product.left_qty >= product.step_qty or product.order_days is not None:
            found.setdefault(store_id, []).append(product)
    return {store_id: sorted(products, key=lambda one: order[one.sku]) for store_id, products in found.items()}


def quote(
    session: Session,
    store_id: str,
    lines: Sequence[tuple[str, int]],
    *,
    coupons: Sequence[str] = (),
    member: bool = False,
    at: dt.datetime,
) -> Quote:
    """Return lines, savings, deposits, tax and total at the published prices, as the till would ring them (rule 2)."""
    rows = session.execute(
        sa.select(OnlineListing.sku, OnlineListing.price_minor, OnlineListing.listed).where(
            OnlineListing.store_id == store_id,
            sa.or_(OnlineListing.sku.in_([sku for sku, _ in lines]), ~OnlineListing.listed),
        )
    )
    wanted = {sku for sku, _ in lines}
    prices = {sku: price_minor for sku, price_minor, listed in rows if listed or sku not in wanted}
    store = store_of(session, store_id)
    return price.quote(session, store, lines, prices, coupons=coupons, member=member, at=at)


def comes_on(today: dt.date, days: Iterable[int | None]) -> dt.date | None:
    """Return the day the last of what is ordered in can be collected; None where nothing is."""
    longest = max((one for one in days if one is not None), default=None)
    return None if longest is None else today + dt.timedelta(days=longest)


# --- inside ---

Query = TypeVar("Query", bound=sa.Select[*tuple[Any, ...]])


def _silence(session: Session, store_id: str, at: dt.datetime | None) -> dt.timedelta:
    return silence_of(session, store_id, at) if at is not None else dt.timedelta(0)


def _ordered(query: Query, category: str | None, silence: dt.timedelta) -> Query:
    """Narrow a listing to a category, and put it in its order."""
    if category:
        query = query.where(Product.category == category)
    left = safe_left(silence)
    return query.order_by(
        sa.case((left > 0, 0), (OnlineListing.order_days.is_not(None), 1), else_=2),
        sa.case((OnlineListing.shelf_rank.is_(None), 1), else_=0),
        OnlineListing.shelf_rank,
        Product.name,
        Product.sku,
    )


_LISTED = sa.select(
    Product.sku, Product.name, Product.names, Product.brand, Product.category, Product.department, Product.pack_text,
    Product.stock_unit, Product.price_quantity, Product.minimum_age, Product.maximum_qty, OnlineListing.price_minor,
    OnlineListing.available_qty, OnlineListing.taken_qty, OnlineListing.shelf_rank, OnlineListing.order_days,
).join_from(OnlineListing, Product, Product.sku == OnlineListing.sku).where(OnlineListing.listed)  # fmt: skip
"""The columns alone: a list page is read often, and rows of the session's own cost three times as much."""
_NAMED = PreparedForSome(
    lambda some: (
        _LISTED.add_columns(Peer.heard_at)
        .outerjoin(Peer, Peer.id == OnlineListing.store_id)
        .where(OnlineListing.store_id == sa.bindparam("store"), OnlineListing.sku.in_(some))
        .order_by(OnlineListing.sku)
    )
)


def _shown(row: Sequence[Any], silence: dt.timedelta) -> OnlineProduct:
    *shown, price_minor, available_qty, taken_qty, shelf_rank, order_days = row
    sku, name, names, *alike, minimum_age, maximum_qty = shown
    brand, category, department, pack_text, stock_unit, price_quantity = alike
    left, step = max(0, safe_qty(available_qty, silence) - taken_qty), portion(stock_unit, price_quantity)
    return OnlineProduct(
        sku, called(name, names), brand, category, department, pack_text, stock_unit, price_minor, price_quantity,
        minimum_age, maximum_qty, left - left % step, step, shelf_rank, order_days,
    )  # fmt: skip
