"""The bestseller shelf: what the region buys, in slots the shopkeeper agreed to.

Rules
-----
1. The ranking joins regional sales, online orders, the shop's own sales and what it does not carry yet; each
   place has its reason in words.
2. A plan is drafted by the system, approved by the shopkeeper, live from a day, retired by the next one.
3. The refill list is what the shelf should hold (facings x depth) less what it holds, as far as the backroom has it.
"""

import datetime as dt
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.states import StateTable

STATES = StateTable(
    "shelf plan",
    "drafted",
    {"drafted": ["approved", "dropped"], "approved": ["live", "dropped"], "live": ["retired"]},
)


class ShelfPlan(Base):
    """Which product is in which slot from which day."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "shelf_plan"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default=STATES.first)
    from_day: Mapped[dt.date]
    drafted_at: Mapped[dt.datetime]
    based_on_day: Mapped[dt.date]
    """The last business day the ranking saw."""


class ShelfSlot(Base):
    """A position on the shelf."""

    __tablename__ = "shelf_slot"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "plan_id"], ["shelf_plan.store_id", "shelf_plan.id"]),
        sa.UniqueConstraint("store_id", "plan_id", "sku"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    plan_id: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    facings: Mapped[int]
    fill_qty: Mapped[int]
    """Units the slot holds when full."""
    score: Mapped[int]
    why: Mapped[dict[str, Any]]
