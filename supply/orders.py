"""A replenishment order from proposal to goods on the shelf, as the shop and as the network sees it.

Rules
-----
1. The shop proposes, changes, approves and sends; the supplier acknowledges, dispatches or rejects; goods received
   move it to part_received or received.
2. A line keeps what was proposed beside what was ordered, with the reason for a change; quantities are whole packs,
   at least the minimum, unless a person overrode it by name (K11).
3. Received over all deliveries = the line's received quantity (K10).
4. A supplier on paper or e-mail never acknowledges; goods may simply arrive.
"""

import datetime as dt
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.states import StateTable

STATES = StateTable(
    "order",
    "proposed",
    {
        "proposed": ["approved", "dropped"],
        "approved": ["sent", "dropped"],
        "sent": ["acknowledged", "rejected", "part_received", "received", "cancelled", "closed_short"],
        "acknowledged": ["dispatched", "part_received", "received", "cancelled", "closed_short"],
        "dispatched": ["part_received", "received", "closed_short"],
        "part_received": ["received", "closed_short"],
    },
)
ON_THE_WAY = ("approved", "sent", "acknowledged", "dispatched", "part_received")


class ReplenishmentOrder(Base):
    """Our order to a supplier or the network. order_no is the human number, per store."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "replenishment_order"
    __table_args__ = (
        sa.UniqueConstraint("store_id", "order_no"),
        sa.Index("ix_replenishment_order_state", "store_id", "state"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    order_no: Mapped[int]
    supplier_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    order_day: Mapped[dt.date]
    delivery_day: Mapped[dt.date]
    next_delivery_day: Mapped[dt.date]
    """The delivery after this one: stock must last until then."""
    cost_minor: Mapped[int] = mapped_column(default=0)
    proposed_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    forecast_run_id: Mapped[str | None]
    forecast_age_days: Mapped[int | None]


class OrderLine(Base):
    """One product of an order. why: the facts behind the proposal, as the page's sentence tells them."""

    __tablename__ = "order_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "order_id"], ["replenishment_order.store_id", "replenishment_order.id"]),
        sa.CheckConstraint("packs >= 0", name="packs_not_negative"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    minimum_packs: Mapped[int] = mapped_column(default=1)
    packs_proposed: Mapped[int]
    packs: Mapped[int]
    changed_why: Mapped[str] = mapped_column(default="")
    changed_by: Mapped[str] = mapped_column(default="")
    packs_acknowledged: Mapped[int | None]
    qty_received: Mapped[int] = mapped_column(default=0)
    why: Mapped[dict[str, Any]]
