"""What a store's online store rests on: the front as a whole, and the promise about each product.

While a store is silent it goes on selling at its till, so what it promised last is worth less by the hour. For SURE all
of it is sold on; from then on it falls evenly, to nothing at SILENT (`safe_qty`).
"""

import datetime as dt
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import business_day
from config.database import Base, table_of
from config.nodes.node import Peer
from config.prepared import Prepared
from pos.catalogue.catalogue import Product
from pos.store.opening_hours import Week, week
from pos.store.store import Region, Store
from supply.demand import closed_days
from supply.online.storefront.time_slots import Hours, PickupRules

SURE = dt.timedelta(hours=1)
SILENT = dt.timedelta(hours=48)
"""A store without a line for longer takes no orders: what it has left is not known any more."""
_FALLS_S = int((SILENT - SURE).total_seconds())


class Storefront(Base):
    """One store's online store as a whole: open or not, its editions, its order numbers."""

    __tablename__ = "storefront"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    taking_orders: Mapped[bool] = mapped_column(default=True)
    edition: Mapped[int] = mapped_column(default=0)
    """At the store: the last edition published. At the network: the newest one taken."""
    last_order_no: Mapped[int] = mapped_column(default=0)
    """At the network: the number of the last order placed."""
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """The store's rules for online orders, as `time_slots` reads them."""
    promotions_token: Mapped[str] = mapped_column(default="", server_default="")
    """At the store: which of its offers the network was told last."""
    promotions_edition: Mapped[int] = mapped_column(default=0, server_default="0")
    """At the network: the publication the store's offers are from."""


class OnlineListing(Base):
    """A product in a store's online store: price, allowance, and how much of it was taken since."""

    __tablename__ = "online_listing"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    price_minor: Mapped[int]
    available_qty: Mapped[int]
    taken_qty: Mapped[int] = mapped_column(default=0)
    shelf_rank: Mapped[int | None]
    """Slot on the live bestseller shelf."""
    published_at: Mapped[dt.datetime]
    listed: Mapped[bool] = mapped_column(default=True)
    edition: Mapped[int] = mapped_column(default=0)
    """The publication this offer is from; a late older one is passed over."""
    seen_through: Mapped[int] = mapped_column(default=0)
    """The allowance leaves out the orders numbered up to here …"""
    seen_also: Mapped[list[Any]] = mapped_column(default=list)
    """… and these."""
    order_days: Mapped[int | None]
    """So many days after ordering it can be collected, where the store orders it in; None: only from stock."""


class OpenStore(NamedTuple):
    """A store that takes orders online, as a stranger may know it. heard_at: as `silence_since` asks."""

    id: str
    slug: str
    name: str
    address: str
    opening_hours: str
    currency: str
    region: str
    heard_at: dt.datetime | None

    @property
    def week(self) -> Week:
        """When it is open."""
        return week(self.opening_hours)


# --- questions ---


def is_taking_orders(session: Session, store_id: str, at: dt.datetime) -> bool:
    """Tell whether customers may order here.

    The shopkeeper has published offers and has not closed the store, which has not left the network, and the network
    heard of it less than SILENT ago.
    """
    edition, taking_orders, heard_at = _FRONT.first(session, {"store": store_id}) or (0, False, None)
    return bool(edition and taking_orders) and silence_since(heard_at, at) < SILENT


def edition_of(session: Session, store_id: str) -> int:
    """Return the store's newest publication."""
    edition, _taking, _heard = _FRONT.first(session, {"store": store_id}) or (0, False, None)
    return int(edition)


def open_stores(session: Session, at: dt.datetime) -> list[OpenStore]:
    """Return the stores that take orders online and have something to sell there, by name."""
    rows = session.execute(
        sa.select(
            Store.id, Store.slug, Store.name, Store.address, Store.opening_hours, Store.currency, Region.name,
            Peer.heard_at,
        )
        .join(Storefront, Storefront.store_id == Store.id)
        .join(Region, Region.id == Store.region_id)
        .outerjoin(Peer, Peer.id == Store.id)
        .where(
            Storefront.edition > 0,
            Storefront.taking_orders,
            Store.left_on.is_(None),
            sa.exists().where(OnlineListing.store_id == Store.id, OnlineListing.listed),
        )
        .order_by(Store.name, Store.id)
    )  # fmt: skip
    found = (OpenStore._make(row) for row in rows)
    return [one for one in found if silence_since(one.heard_at, at) < SILENT]


def silence_of(session: Session, store_id: str, at: dt.datetime) -> dt.timedelta:
    """Return how long a store has been silent; nothing for one that was never heard: it is kept by hand."""
    heard = _HEARD.first(session, {"store": store_id})
    return silence_since(heard[0] if heard else None, at)


def silence_since(heard_at: dt.datetime | None, at: dt.datetime | None) -> dt.timedelta:
    """Return the silence of a store heard of then; nothing where one of the two is not said."""
    return max(dt.timedelta(0), at - heard_at) if heard_at is not None and at is not None else dt.timedelta(0)


def safe_qty(promised_qty: int, silence: dt.timedelta) -> int:
    """Return how much of what a silent store promised last is still sold, to the nearest unit; half a unit counts."""
    return (2 * promised_qty * worth_s_of(silence) + _FALLS_S) // (2 * _FALLS_S)


def safe_left(silence: dt.timedelta) -> sa.ColumnElement[int]:
    """Return what can still be ordered of an offer, for a query: `safe_qty` less what was taken."""
    return left_of(table_of(OnlineListing).c, sa.literal(worth_s_of(silence), sa.BigInteger))


def left_of(offer: Any, worth_s: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    """Return what can still be ordered of an offer's columns, for a query, where its promise is worth so much."""
    promised: sa.ColumnElement[int] = sa.type_coerce(offer.available_qty, sa.BigInteger)
    taken: sa.ColumnElement[int] = offer.taken_qty
    return (2 * promised * worth_s + _FALLS_S) // (2 * _FALLS_S) - taken


def worth_s_of(silence: dt.timedelta) -> int:
    """Return what a promise is still worth after a silence, as the seconds of SILENT - SURE that are left."""
    return min(_FALLS_S, max(0, int((SILENT - silence).total_seconds())))


def rules_of(session: Session, store_id: str) -> PickupRules:
    """Return the store's rules for online orders."""
    front = session.get(Storefront, store_id)
    return PickupRules.read(front.rules if front is not None else {})


def hours_of(session: Session, store: Store, at: dt.datetime) -> Hours:
    """Return when a store is open from then on."""
    yesterday = business_day(at, store.tz, 0) - dt.timedelta(days=1)  # its night may reach into today
    return Hours(store.week, store.tz, closed_days.since(session, store.id, yesterday))


def step_of(product: Product) -> int:
    """Return the smallest portion of a product sold online (`storefront.storefront`, rule 4)."""
    return portion(product.stock_unit, product.price_quantity)


def portion(stock_unit: str, price_quantity: int) -> int:
    """Return the smallest portion sold online of what is sold in a unit: a piece, or a tenth of what a price is for."""
    return 1 if stock_unit == "each" else max(1, price_quantity // 10)


_FRONT = Prepared(
    sa.select(Storefront.edition, sa.and_(Storefront.taking_orders, Store.left_on.is_(None)), Peer.heard_at)
    .join(Store, Store.id == Storefront.store_id)
    .outerjoin(Peer, Peer.id == Storefront.store_id)
    .where(Storefront.store_id == sa.bindparam("store"))
)
_HEARD = Prepared(sa.select(Peer.heard_at).where(Peer.id == sa.bindparam("store")))
