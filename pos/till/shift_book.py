"""The shift's tables: the spell itself, its drawer's movements, its counts, and the sales that came too late.

`shift` has the verbs and the rules 1 to 7; this file holds them.
"""

import datetime as dt
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.nodes.append_only import append_only
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
        ),
        sa.Index("uq_shift_z_no", "store_id", "till_id", "z_no", unique=True),
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
    totals: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    """Running totals of the shift, so that closing reads no sale: `totals`."""
    held_by: Mapped[str | None]
    held_by_name: Mapped[str | None]
    """Who answers for the drawer now; None: who opened it."""
    counted_times: Mapped[int] = mapped_column(default=0, server_default="0")
    """How often the drawer was counted since selling stopped."""

    @property
    def holder(self) -> str:
        """The name of who answers for the drawer now."""
        return self.held_by_name or self.opened_by_name

    @property
    def is_settled(self) -> bool:
        """Whether its count stands and is shown."""
        return self.counted_minor is not None


@append_only()
class CashMovement(Base):
    """Signed cash in (+) or out (-) of a drawer."""

    __tablename__ = "cash_movement"
    __table_args__ = (
        sa.Index("ix_cash_movement_shift", "store_id", "shift_id"),
        sa.Index(
            "ix_cash_movement_apart",
            "store_id",
            "shift_id",
            "kind",
            sqlite_where=sa.text("kind NOT IN ('sale', 'change', 'refund')"),
        ),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    shift_id: Mapped[str]
    kind: Mapped[str]
    """float | sale | change | refund | drop | pay_in | pay_out | tab_paid | order_paid"""
    amount_minor: Mapped[int]
    source_id: Mapped[str]
    why: Mapped[str] = mapped_column(default="")
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


@append_only()
class CashCount(Base):
    """A drawer or a float as somebody counted it: in pieces, or as one sum."""

    __tablename__ = "cash_count"
    __table_args__ = (sa.Index("ix_cash_count_shift", "store_id", "shift_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    shift_id: Mapped[str]
    kind: Mapped[str]
    """float | count"""
    pieces: Mapped[dict[str, Any]]
    """Denomination -> how many; empty where only the sum was typed."""
    total_minor: Mapped[int]
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]
    actor_name: Mapped[str]


@append_only("reported_by")
class LateSale(Base):
    """A sale that arrived for a shift whose Z report was frozen without it."""

    __tablename__ = "late_sale"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sale_id: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[str] = mapped_column(index=True)
    shift_id: Mapped[str]
    receipt_no: Mapped[int]
    total_minor: Mapped[int]
    noted_at: Mapped[dt.datetime]
    reported_by: Mapped[str | None]
    """The shift whose Z lists it."""
