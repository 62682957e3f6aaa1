"""A sale: rung up, paid, and from then on immutable.

Rules
-----
1. Everything that must be true together is written in one transaction: sale, lines, tax, payments, stock
   movements, the shift's cash, receipt number, journal, the fact in the outbox and the print job (I4).
2. The id is made by the page and is the idempotency key: the same id with the same basket answers the same
   receipt (I2); with another basket it is a Conflict (I3).
3. The server's total is the one charged: if it is not the one shown, nothing is written and the page asks again.
4. Receipt numbers per till and epoch rise without gaps, in commit order (K7).
5. Σ lines = total; Σ captured - change = total; the lines' taxes sum to the sale's tax (K1).
6. A return is another sale of negative lines that point at the originals; never more than was sold (I9).
"""

import datetime as dt
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.states import StateTable

STATES = StateTable(
    "sale",
    "open",
    {
        "open": ["parked", "tendering", "voided"],
        "parked": ["open", "voided"],
        "tendering": ["open", "completed"],
        "completed": [],
        "voided": [],
    },
)


class Sale(Base):
    """A completed (or open, parked, voided) basket."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "sale"
    __table_args__ = (
        sa.UniqueConstraint("store_id", "till_id", "epoch", "receipt_no"),
        sa.Index("ix_sale_day", "store_id", "business_day"),
        sa.Index("ix_sale_shift", "store_id", "shift_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[str]
    shift_id: Mapped[str]
    epoch: Mapped[str]
    receipt_no: Mapped[int]
    state: Mapped[str] = mapped_column(default=STATES.first)
    kind: Mapped[str] = mapped_column(default="sale")
    """sale | return"""
    channel: Mapped[str] = mapped_column(default="counter")
    """counter | pickup"""
    order_id: Mapped[str | None]
    """The pickup order that was collected."""
    business_day: Mapped[dt.date]
    completed_at: Mapped[dt.datetime]
    cashier_id: Mapped[str]
    cashier_name: Mapped[str]
    currency: Mapped[str]
    lines_minor: Mapped[int]
    rounding_minor: Mapped[int] = mapped_column(default=0)
    total_minor: Mapped[int]
    """lines + rounding: what was paid."""
    tax_minor: Mapped[int]
    age_checked: Mapped[int | None]
    """The highest minimum age confirmed for this sale."""
    request_hash: Mapped[str]


class SaleLine(Base):
    """Product, quantity, price, discount and tax, all as charged."""

    __tablename__ = "sale_line"
    __table_args__ = (
        sa.ForeignKeyConstraint(["store_id", "sale_id"], ["sale.store_id", "sale.id"]),
        sa.Index("ix_sale_line_sku", "store_id", "sku"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sale_id: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    stock_unit: Mapped[str]
    qty: Mapped[int]
    unit_price_minor: Mapped[int]
    price_quantity: Mapped[int]
    discount_minor: Mapped[int] = mapped_column(default=0)
    offer: Mapped[str] = mapped_column(default="")
    total_minor: Mapped[int]
    """What the customer pays for the line, tax included."""
    net_minor: Mapped[int]
    tax_minor: Mapped[int]
    tax_class_id: Mapped[str]
    rate_bp: Mapped[int]
    returns_sale_id: Mapped[str | None]
    returns_n: Mapped[int | None]
