"""One spell at a till: from the float to the count.

Rules
-----
1. One shift is open per till at a time (a unique index says so); a sale belongs to the open shift of its till.
2. The drawer is a ledger of signed cash movements: float, sale, change, refund, drop, pay-out. Expected cash is
   their sum; change is its own negative row.
3. Counting is blind: expected is shown after the count. Closing freezes Z with a number of its own; a closed
   shift never changes. A fact that arrives late is kept under its own shift and listed as late on the next Z.
4. over/short = counted - expected (K6).
"""

import datetime as dt
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.states import StateTable

STATES = StateTable("shift", "open", {"open": ["counting"], "counting": ["open", "closed"]})


class Shift(Base):
    """A spell at a till."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "shift"
    __table_args__ = (
        sa.Index(
            "uq_shift_one_open",
            "store_id",
            "till_id",
            unique=True,
            sqlite_where=sa.text("state <> 'closed'"),
            postgresql_where=sa.text("state <> 'closed'"),
        ),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    opened_by: Mapped[str]
    opened_by_name: Mapped[str]
    opened_at: Mapped[dt.datetime]
    business_day: Mapped[dt.date]
    expected_minor: Mapped[int] = mapped_column(default=0)
    """Running sum of the shift's cash movements, float included."""
    counted_minor: Mapped[int | None]
    over_short_minor: Mapped[int | None]
    closed_at: Mapped[dt.datetime | None]
    z_no: Mapped[int | None]
    z_report: Mapped[dict[str, Any] | None]


class CashMovement(Base):
    """Signed cash in (+) or out (-) of a drawer."""

    __tablename__ = "cash_movement"
    __table_args__ = (sa.Index("ix_cash_movement_shift", "store_id", "shift_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    shift_id: Mapped[str]
    kind: Mapped[str]
    """float | sale | change | refund | drop | pay_out"""
    amount_minor: Mapped[int]
    source_id: Mapped[str]
    why: Mapped[str] = mapped_column(default="")
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]
