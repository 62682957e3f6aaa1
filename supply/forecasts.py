"""Forecasts as they were made: dated, reproducible, and with one author each.

Rules
-----
1. The network is the author of regional forecasts, a store of its own store x product forecast; the network makes
   it only for shops without a node of their own.
2. A run is dated by its origin day (the last day it saw) and kept; a newer published run supersedes it.
3. Quantiles rise with q, are finite and not negative (K12). A period is [first_day, last_day], both included: a
   single day, or the protection interval whose sum ordering needs.
"""

import datetime as dt
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from config.database import Base
from config.states import StateTable

STATES = StateTable(
    "forecast run",
    "queued",
    {
        "queued": ["running"],
        "running": ["ready", "failed"],
        "ready": ["published", "failed"],
        "published": ["superseded"],
    },
    resting=["published"],
)


class ForecastRun(Base):
    """One dated computation. scope_id is a store's or a region's id."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "forecast_run"
    __table_args__ = (sa.Index("ix_forecast_run_scope", "scope_id", "state", "origin_day"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    scope_kind: Mapped[str]
    """store | region"""
    scope_id: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    origin_day: Mapped[dt.date]
    horizon_days: Mapped[int]
    started_at: Mapped[dt.datetime]
    seconds: Mapped[float] = mapped_column(sa.Double, default=0.0)
    series: Mapped[int] = mapped_column(default=0)
    region_origin_day: Mapped[dt.date | None]
    """A store's run: how old the regional signal was that it borrowed from."""
    signal: Mapped[dict[str, Any] | None]
    """A region's run: the regional signal as it is published."""
    reason: Mapped[str | None]


class ForecastSeries(Base):
    """How one product was forecast, for explaining it."""

    __tablename__ = "forecast_series"

    run_id: Mapped[str] = mapped_column(sa.ForeignKey("forecast_run.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    model: Mapped[str]
    reason: Mapped[str]
    level: Mapped[float] = mapped_column(sa.Double)
    """Units a day."""
    regional_share: Mapped[float] = mapped_column(sa.Double)
    weekday_profile: Mapped[list[Any]]


class ForecastQuantile(Base):
    """Demand of one product over one period."""

    __tablename__ = "forecast_quantile"

    run_id: Mapped[str] = mapped_column(sa.ForeignKey("forecast_run.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    first_day: Mapped[dt.date] = mapped_column(primary_key=True)
    last_day: Mapped[dt.date] = mapped_column(primary_key=True)
    mean: Mapped[float] = mapped_column(sa.Double)
    q50: Mapped[float] = mapped_column(sa.Double)
    q75: Mapped[float] = mapped_column(sa.Double)
    q90: Mapped[float] = mapped_column(sa.Double)
    q95: Mapped[float] = mapped_column(sa.Double)
    q99: Mapped[float] = mapped_column(sa.Double)
