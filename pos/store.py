"""The shop itself: regions, stores, tills, staff and what each of them may do.

Rules
-----
1. A store is one member shop; it keeps its currency, zone, rollover hour and language for ever in its facts.
2. A member of staff signs in by name and PIN; only the argon2 hash is kept.
3. What a role may do is one table here; a route names the permission, never the role.
4. A store speaks to the network with its own key, of which the network keeps only the SHA-256.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base

PERMISSIONS: dict[str, frozenset[str]] = {
    "cashier": frozenset({"sell", "shift", "pickup", "stock.look", "print"}),
    "shopkeeper": frozenset(
        {
            "sell",
            "shift",
            "pickup",
            "stock.look",
            "print",
            "take_back",
            "void",
            "stock.count",
            "order",
            "receive",
            "push",
            "shelf",
            "catalogue",
            "import",
            "staff",
            "settings",
            "reports",
        }
    ),
    "operator": frozenset(
        {
            "network.look",
            "network.demand",
            "network.supply",
            "network.push",
            "network.catalogue",
            "network.stores",
            "import",
            "settings",
        }
    ),
    "customer": frozenset({"shop"}),
    "system": frozenset(),
}


class Region(Base):
    """A set of stores whose demand is pooled."""

    __tablename__ = "region"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class Store(Base):
    """One member shop."""

    __tablename__ = "store"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    region_id: Mapped[str] = mapped_column(sa.ForeignKey("region.id"))
    address: Mapped[str] = mapped_column(default="")
    phone: Mapped[str] = mapped_column(default="")
    currency: Mapped[str]
    smallest_coin_minor: Mapped[int] = mapped_column(default=1)
    tz: Mapped[str]
    rollover_hour: Mapped[int] = mapped_column(default=4)
    language: Mapped[str] = mapped_column(default="en")
    opens: Mapped[str] = mapped_column(default="07:00")
    closes: Mapped[str] = mapped_column(default="22:00")
    pickup_hold_days: Mapped[int] = mapped_column(default=2)
    has_node: Mapped[bool] = mapped_column(default=True)
    """False: the store's facts reach the network by import, and the network forecasts for it."""
    joined_at: Mapped[dt.datetime]


class StoreKey(Base):
    """The key a store's node signs in with at the network; only its SHA-256 is kept."""

    __tablename__ = "store_key"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), index=True)
    made_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]


class Till(Base):
    """One counter position with a drawer and a printer; it numbers its own receipts."""

    __tablename__ = "till"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class ReceiptCounter(Base):
    """The last receipt number of a till in an epoch; gapless because it rises in the sale's own transaction."""

    __tablename__ = "receipt_counter"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    last_no: Mapped[int]


class Staff(Base):
    """A person who signs in at a node (node_id: a store's id or 'network')."""

    __tablename__ = "staff"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    pin_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    failed_tries: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[dt.datetime | None]


def may(role: str, permission: str) -> bool:
    """Tell whether a role has a permission; unknown roles have none."""
    return permission in PERMISSIONS.get(role, frozenset())


def snapshot(store: Store) -> dict[str, Any]:
    """Return what a document prints about the store, frozen."""
    return {
        "id": store.id,
        "name": store.name,
        "address": store.address,
        "phone": store.phone,
        "currency": store.currency,
        "tz": store.tz,
        "language": store.language,
    }
