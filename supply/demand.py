"""What customers wanted, per shop, product and business day, and its sum over a region.

Rules
-----
1. DailyDemand is rolled up from sale lines; a late fact re-rolls its day. Returns lower the day of the return.
2. A day without a row on which the shop was open is a real zero; a day on which it was closed is not observed.
3. The region's row is the sum over its stores, rolled up in the same call.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base


class DailyDemand(Base):
    """One product's day in one shop."""

    __tablename__ = "daily_demand"
    __table_args__ = (sa.Index("ix_daily_demand_day", "business_day", "store_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    business_day: Mapped[dt.date] = mapped_column(primary_key=True)
    sold_qty: Mapped[int]
    revenue_minor: Mapped[int]
    sales: Mapped[int]
    """In how many sales it was."""
    pickup_qty: Mapped[int] = mapped_column(default=0)
    """Of sold_qty, how much was ordered online."""
    out_of_stock_bp: Mapped[int] = mapped_column(default=0)
    """Share of the open day the shelf was empty."""
    imported: Mapped[bool] = mapped_column(default=False)
    """Taken over from a history file; never re-rolled."""


class StoreDay(Base):
    """One shop's day: open or closed, and its sums. Where there is no row, nothing is known."""

    __tablename__ = "store_day"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    business_day: Mapped[dt.date] = mapped_column(primary_key=True)
    open: Mapped[bool]
    sales: Mapped[int]
    revenue_minor: Mapped[int]
    imported: Mapped[bool] = mapped_column(default=False)


class RegionalDemand(Base):
    """One product's day summed over a region's stores."""

    __tablename__ = "regional_demand"
    __table_args__ = (sa.Index("ix_regional_demand_day", "region_id", "business_day"),)

    region_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    business_day: Mapped[dt.date] = mapped_column(primary_key=True)
    sold_qty: Mapped[int]
    revenue_minor: Mapped[int]
    stores_open: Mapped[int]
    stores_selling: Mapped[int]
    pickup_qty: Mapped[int] = mapped_column(default=0)
