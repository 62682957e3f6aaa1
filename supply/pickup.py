"""An online order to be collected in the shop, from placing to handing over.

Rules
-----
1. Placing takes from the network's allowance; the order is a message the store pulls, once. Arriving it is
   reserved; accepting confirms; refusing, cancelling, falling short and expiring give the units back.
2. Collecting fulfils the reservation and rings a sale; it needs the right code at the right store, and one of many
   at once wins.
3. The code is kept hashed together with the order; the short form is typed, the long token is in the QR. Tries are
   counted and limited.
4. After `hold until` an uncollected order expires and its units return.
5. Name and phone are kept for open orders only.
"""

import datetime as dt
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.states import StateTable

STATES = StateTable(
    "pickup order",
    "placed",
    {
        "placed": ["accepted", "refused", "cancelled"],
        "accepted": ["picking", "cancelled"],
        "picking": ["ready", "short", "cancelled"],
        "short": ["ready", "cancelled"],
        "ready": ["collected", "expired", "cancelled"],
        "collected": ["return_asked"],
        "return_asked": ["returned", "return_refused"],
    },
    resting=["collected"],
)
OPEN = ("placed", "accepted", "picking", "short", "ready")


class PickupOrder(Base):
    """An order of a customer for one store. order_no: 'S07-1042', shown to people."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "pickup_order"
    __table_args__ = (
        sa.UniqueConstraint("store_id", "order_no"),
        sa.Index("ix_pickup_order_state", "store_id", "state"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    order_no: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    customer_name: Mapped[str]
    customer_phone: Mapped[str]
    code_hash: Mapped[str]
    """SHA-256 of order id and the 8-character code."""
    token_hash: Mapped[str]
    """SHA-256 of the 128-bit token in the QR and the status page's address."""
    tries: Mapped[int] = mapped_column(default=0)
    total_minor: Mapped[int]
    currency: Mapped[str]
    placed_at: Mapped[dt.datetime]
    ready_by: Mapped[dt.datetime | None]
    ready_at: Mapped[dt.datetime | None]
    hold_until: Mapped[dt.datetime | None]
    collected_at: Mapped[dt.datetime | None]
    collected_by: Mapped[str | None]
    sale_id: Mapped[str | None]


class PickupLine(Base):
    """One product of an order, at the price promised."""

    __tablename__ = "pickup_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "order_id"], ["pickup_order.store_id", "pickup_order.id"]),
        sa.CheckConstraint("qty > 0", name="qty_positive"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    qty: Mapped[int]
    picked_qty: Mapped[int | None]
    price_minor: Mapped[int]
    price_quantity: Mapped[int]
