"""How a sale is paid: one signed row per tender, change a row of its own.

Rules
-----
1. A payment has its own state; only captured ones count. Σ captured (change being negative) = the sale's total.
2. Change is only ever cash, and never more than the cash given.
3. Cash is captured at once; a card or wallet is asked outside the transaction and may end unknown.
"""

import datetime as dt
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.states import StateTable

STATES = StateTable(
    "payment",
    "requested",
    {
        "requested": ["captured", "declined", "cancelled", "unknown"],
        "unknown": ["captured", "declined"],
        "captured": ["reversed"],
    },
    resting=["captured"],
)
TENDERS = ("cash", "card", "prepaid", "voucher")


class Payment(Base):
    """One tender's movement of money."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "payment"
    __table_args__ = (sa.Index("ix_payment_sale", "store_id", "sale_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    sale_id: Mapped[str]
    tender: Mapped[str]
    amount_minor: Mapped[int]
    is_change: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default=STATES.first)
    reference: Mapped[str] = mapped_column(default="")
    at: Mapped[dt.datetime]
