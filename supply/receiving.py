"""Goods that arrive: advised, counted, posted.

Rules
-----
1. A delivery is expected (the supplier's advice), counted line by line, and posted once: supplier → backroom.
2. What was counted is what is booked; a difference from the advice is kept as a discrepancy with its reason.
3. Posting moves the order to received, or part_received while something is still to come.
4. A delivery belongs to one store; posting it twice or elsewhere is refused.
"""

import datetime as dt
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.states import StateTable

STATES = StateTable(
    "delivery",
    "expected",
    {"expected": ["counting", "refused"], "counting": ["posted", "refused"]},
)


class Delivery(Base):
    """Goods on their way or in the shop. source: the order or push offer they answer."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "delivery"
    __table_args__ = (sa.Index("ix_delivery_state", "store_id", "state"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    supplier_id: Mapped[str]
    order_id: Mapped[str | None]
    push_id: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=STATES.first)
    expected_day: Mapped[dt.date]
    advised_at: Mapped[dt.datetime]
    posted_at: Mapped[dt.datetime | None]
    posted_by: Mapped[str | None]


class DeliveryLine(Base):
    """One product of a delivery, in stock units."""

    __tablename__ = "delivery_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "delivery_id"], ["delivery.store_id", "delivery.id"]),
        sa.CheckConstraint("counted_qty is null or counted_qty >= 0", name="counted_not_negative"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    delivery_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    pack_qty: Mapped[int]
    advised_qty: Mapped[int]
    counted_qty: Mapped[int | None]
    difference_why: Mapped[str] = mapped_column(default="")
