"""Forecasts as they were made: dated, reproducible, and with one author each.

Rules
-----
1. The network is the author of regional forecasts, a store of its own store x product forecast; the network makes
   it only for stores without a node of their own.
2. A run is dated by its origin day (the last day it saw) and kept; a newer published run supersedes it.
3. A store is measured whole once a week and moved on in the nights between (`forecast_state`); a run says by which
   version of the method, and from a state measured when.
4. Each night the forecast of WATCHED_DAYS ago is judged by what came: classes that did worse than the mean of four
   weeks fall back to it, and those that drift are named.
5. A day of a campaign the store said yes to is forecast with what the campaign is expected to bring, and what sold then
   is read without it (`campaign_uplift`). Offers and changes of price are told of both (`offer_days`), school holidays
   and weather where somebody tells them (`surroundings`), and nothing is expected on days the store settled to stay
   closed (`closed_days`).
6. Quantiles rise with q, are finite and not negative (K12). A period is [first_day, last_day], both included: a
   single day, or the protection interval whose sum ordering needs.
"""

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.money import BASIS
from config.nodes.node import this_node
from config.states import StateTable
from pos.store import countries
from pos.store.store import Store
from supply.demand import (
    campaign_uplift,
    closed_days,
    forecast_state,
    history,
    promotion_days,
    stated_sales,
    surroundings,
)
from supply.demand.history import DailyDemand, StoreDay

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from forecasting.fit.assortment import Usual
    from forecasting.fit.regional import Evidence
    from forecasting.fit.state import State
    from forecasting.fit.store_size import Stated
    from forecasting.series.panel import Ahead, DemandPanel, Forecast

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
HORIZON_DAYS = 14
WATCHED_DAYS = 7
COUNTRY = "US"


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
    version: Mapped[int | None]
    """The method's, `forecasting.fit.state.VERSION`; None for a region's."""
    measured_day: Mapped[dt.date | None]
    """The first day its state had not seen: the day after origin_day where all was measured that night."""
    said: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True), deferred=True)
    """A store's: what it said of the week ahead, to be judged (`forecasting.accuracy.watch.Said`)."""
    effects: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True), deferred=True)
    """A store's: what offers and prices made of its days, to be told (`offer_days`)."""


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
    quiet_days: Mapped[int | None]
    """Days since its last sale, if chance alone hardly explains them while the shelf holds some."""
    lately_spread: Mapped[float | None] = mapped_column(sa.Double)
    """Variance over mean of its last days' units, about what such days usually bring; None where few were observed."""
    moved: Mapped[list[Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    """What moves its days ahead (`forecast_store`): [name of what surrounds the store, an offer or a price, [days],
    factor, whether it is more of it than usual]; None for nothing."""


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


@dataclass(frozen=True)
class Loaded:
    """Everything a computation needs, read in one look; plain and picklable, so that a child process can do it.

    signal: what the region published (None: none has come yet), signal_day: the last day it saw.
    stores: how many stores are in a region's panel. state: a store's that is moved on; None: all is measured again.
    said: what the forecast of WATCHED_DAYS ago said. usual: a region's (`demand.usual`). ahead: a store's, what offers,
    prices and campaigns let expect of the horizon_days. stated: what a store says it takes.
    evidence: a region's, what its stores tell of offers and prices (`offer_days`).
    """

    scope_kind: str
    scope_id: str
    day: dt.date
    panel: "DemandPanel"
    country: str
    stores: int = 0
    signal: dict[str, Any] | None = None
    signal_day: dt.date | None = None
    state: "State | None" = None
    said: dict[str, Any] | None = None
    usual: "dict[tuple[str, str], Usual] | None" = None
    ahead: "Ahead | None" = None
    stated: "Stated | None" = None
    evidence: "Evidence | None" = None
    horizon_days: int = HORIZON_DAYS


@dataclass(frozen=True)
class Computed:
    """A forecast as it was computed, not yet written: a store's forecast, or a region's signal."""

    loaded: Loaded
    seconds: float
    forecast: "Forecast | None" = None
    signal: dict[str, Any] | None = None
    series: int = 0
    reason: str | None = None
    """Which classes drift or fell back, as `forecasting.accuracy.watch.reported` says it; None: all is well."""
    state: "State | None" = None
    """What was measured, to be kept; None where a kept state was moved on."""
    measured_day: dt.date | None = None
    said: dict[str, Any] | None = None
    effects: dict[str, Any] | None = None
    quiet: "dict[str, int] | None" = None


# --- the region, at the network ---


def load_region(session: Session, region_id: str, day: dt.date, *, country: str = COUNTRY) -> Loaded:
    """Read what a region's forecast needs: its demand up to `day`, its stores."""
    stores = session.scalar(sa.select(sa.func.count()).select_from(Store).where(Store.region_id == region_id)) or 0
    usual = history.usual(session, region_id, day)
    panel = history.region_panel(session, region_id, day, also={sku for _, sku in usual})
    evidence = promotion_days.effects_of_region(session, region_id, day)
    return Loaded("region", region_id, day, panel, country, stores, usual=usual, evidence=evidence)


def compute_region(loaded: Loaded) -> Computed:
    """Fit a region's statsmodels models; no database, no clock but the stop watch."""
    from forecasting.fit import regional

    began = time.perf_counter()
    signal = regional.fit_region(
        loaded.panel,
        HORIZON_DAYS,
        loaded.country,
        stores={loaded.scope_id: loaded.stores},
        usual=loaded.usual,
        evidence=loaded.evidence,
    ).for_region(loaded.scope_id)
    return Computed(loaded, time.perf_counter() - began, signal=signal.to_json(), series=len(signal.keys))


# --- a store's products ---


def load_store(
    session: Session,
    store_id: str,
    day: dt.date,
    *,
    country: str = COUNTRY,
    horizon_days: int = HORIZON_DAYS,
    again: bool = False,
) -> Loaded:
    """Read what a store's forecast needs: its demand up to `day`, and its region's newest signal (age and all).

    again: as in `forecast_state.remember`.
    """
    from forecasting.series.panel import Ahead

    store = session.get_one(Store, store_id)
    region = published(session, "region", store.region_id)
    known = forecast_state.remember(session, store_id, day, again=again)
    past, coming = campaign_uplift.split(session, store_id, known.panel, horizon_days)
    panel, ahead = promotion_days.reported(
        session, store_id, replace(known.panel, lift=past), Ahead(lift=coming), horizon_days
    )
    panel, ahead = surroundings.reported(session, store_id, panel, ahead, horizon_days)
    ahead = closed_days.reported(session, store_id, ahead, panel.next_day, (panel.n_series, horizon_days))
    return Loaded(
        "store", store_id, day, panel, countries.holidays_of(country, store.tz), ahead=ahead,
        signal=region.signal if region else None, signal_day=region.origin_day if region else None, state=known.state,
        said=session.scalar(_runs_of(store_id, day - dt.timedelta(days=WATCHED_DAYS)).limit(1)),
        stated=stated_sales.reported(session, store_id, panel, day), horizon_days=horizon_days,
    )  # fmt: skip


def compute_store(loaded: Loaded) -> Computed:
    """Forecast every product of a store with its region's signal, and judge an older forecast (rule 4); no database."""
    from forecasting import run
    from forecasting.accuracy import watch
    from forecasting.fit import regional
    from forecasting.fit.signal import RegionalSignal
    from forecasting.fit.state import KEPT_DAYS, moved_on

    began = time.perf_counter()
    signal = RegionalSignal.from_json(loaded.signal) if loaded.signal else None
    panel = loaded.panel
    if loaded.state is None:
        state = run.measure(
            panel, horizon_days=HORIZON_DAYS, regional=signal, country=loaded.country, kept_days=KEPT_DAYS
        )
    else:
        state = moved_on(loaded.state, panel)
    found = run.say(
        state, horizon_days=loaded.horizon_days, regional=signal, panel=panel, ahead=loaded.ahead, stated=loaded.stated
    )
    watched = watch.judge(watch.Said.from_json(loaded.said), panel) if loaded.said else ()
    days, chance = watch.quiet(state, panel)
    kinds = frozenset(one.kind for one in watched if one.falls_back)
    fallen = watch.fall_back(found, state, kinds, loaded.ahead.lift if loaded.ahead else None)
    return Computed(
        loaded,
        time.perf_counter() - began,
        forecast=fallen,
        series=len(fallen.keys),
        reason=watch.reported(watched),
        state=state if loaded.state is None else None,
        measured_day=state.measured_day,
        said=watch.note(found, state).to_json() if found.keys else None,
        effects=regional.reported(state.category, state.factors),
        quiet={panel.keys[row][1]: int(days[row]) for row in (chance < watch.RARE).nonzero()[0]},
    )


def compute_stores(loaded: Iterable[Loaded], *, cluster: str = "") -> list[Computed]:
    """Forecast several stores, here or on the Dask cluster of this address; the numbers are the same."""
    from forecasting import many

    with many.at(cluster):
        return list(many.each(compute_store, loaded))


# --- between nodes ---


def edition(session: Session, region_id: str) -> dict[str, Any]:
    """Return a region's published signal for its stores; {} where there is none."""
    run = published(session, "region", region_id)
    if run is None or run.signal is None:
        return {}
    return {"region_id": region_id, "origin_day": run.origin_day.isoformat(), "run_id": run.id, "signal": run.signal}


def take_edition(session: Session, body: dict[str, Any]) -> None:
    """Keep the region's signal at a store; the network is its author, so it is written as it came."""
    from forecasting.fit.signal import RegionalSignal

    run_id, region_id = body["run_id"], body["region_id"]
    signal = RegionalSignal.from_json(body["signal"])
    for old in session.scalars(
        sa.select(ForecastRun).where(ForecastRun.scope_kind == "region", ForecastRun.scope_id == region_id)
    ):
        session.delete(old)
    session.flush()
    node = this_node(session)
    session.execute(
        sa.insert(ForecastRun).values(
            id=run_id,
            scope_kind="region",
            scope_id=region_id,
            state="published",
            origin_day=dt.date.fromisoformat(body["origin_day"]),
            horizon_days=int(signal.mean.shape[1]),
            started_at=node.last_contact_at or node.born_at,
            seconds=0.0,
            series=len(signal.keys),
            signal=body["signal"],
        )
    )


# --- questions ---


def published(session: Session, scope_kind: str, scope_id: str) -> ForecastRun | None:
    """Return the run in use of a store or a region."""
    return session.scalar(
        sa.select(ForecastRun)
        .where(ForecastRun.scope_kind == scope_kind, ForecastRun.scope_id == scope_id, ForecastRun.state == "published")
        .order_by(ForecastRun.origin_day.desc(), ForecastRun.started_at.desc())
        .limit(1)
    )


def has_run(session: Session, store_id: str, day: dt.date) -> bool:
    """Tell whether a store's forecast of that night is there."""
    here = (ForecastRun.scope_kind == "store", ForecastRun.scope_id == store_id, ForecastRun.origin_day == day)
    return session.scalar(sa.select(ForecastRun.id).where(*here, ForecastRun.state != "failed").limit(1)) is not None


def silent(session: Session, store_id: str) -> dict[str, tuple[int, float]]:
    """Return products silent for so many days that their shelf is probably empty: sku -> (days, units a day)."""
    run = published(session, "store", store_id)
    if run is None:
        return {}
    query = sa.select(ForecastSeries.sku, ForecastSeries.quiet_days, ForecastSeries.level).where(
        ForecastSeries.run_id == run.id, ForecastSeries.quiet_days > 0
    )
    return {sku: (days or 0, level) for sku, days, level in session.execute(query)}


def as_seen(session: Session, store_id: str, sku: str, *, days: int = 56) -> dict[str, Any]:
    """Return a product's history and forecast for a chart, and how it was forecast.

    history: [(day, sold or None where closed)] of the days known; empty: {day: share of the day's trade that met an
    empty shelf}; ahead: [(day, mean, q50, q90)]; why: model, reason, level, weekdays, the region's share, and the
    campaigns ahead as (name, first, last, factor), offers as (name, first, last), `ForecastSeries.moved`; all empty
    without a forecast.
    """
    run = published(session, "store", store_id)
    seen: dict[str, Any] = {
        "history": [], "empty": {}, "ahead": [], "why": {}, "origin_day": run.origin_day if run else None
    }  # fmt: skip
    last = session.scalar(sa.select(sa.func.max(StoreDay.business_day)).where(StoreDay.store_id == store_id))
    if last is not None:
        seen |= _history(session, store_id, sku, last, days)
    if run is None:
        return seen
    rows = session.execute(
        sa.select(ForecastQuantile)
        .where(
            ForecastQuantile.run_id == run.id,
            ForecastQuantile.sku == sku,
            ForecastQuantile.first_day == ForecastQuantile.last_day,
        )
        .order_by(ForecastQuantile.first_day)
    ).scalars()
    seen["ahead"] = [(row.first_day, row.mean, row.q50, row.q90) for row in rows]
    if (how := session.get(ForecastSeries, (run.id, sku))) is not None:
        begins, ends = run.origin_day + dt.timedelta(days=1), run.origin_day + dt.timedelta(days=HORIZON_DAYS)
        seen["why"] = {
            "model": how.model,
            "reason": how.reason,
            "level": how.level,
            "weekday_profile": how.weekday_profile,
            "regional_share": how.regional_share,
            "watched": run.reason,
            "region_origin_day": run.region_origin_day,
            "campaigns": campaign_uplift.reported(session, store_id, run.id, sku, begins, ends),
            "moved": how.moved or [],
            "offers": promotion_days.named(session, store_id, sku, begins, ends, made_by=run.started_at),
        }
    return seen


# --- inside ---


def _runs_of(store_id: str, day: dt.date) -> sa.Select[tuple[dict[str, Any] | None]]:
    return (
        sa.select(ForecastRun.said)
        .where(ForecastRun.scope_kind == "store", ForecastRun.scope_id == store_id, ForecastRun.origin_day == day)
        .where(ForecastRun.said.is_not(None))
        .order_by(ForecastRun.started_at.desc())
    )


def _history(session: Session, store_id: str, sku: str, last: dt.date, days: int) -> dict[str, Any]:
    first = last - dt.timedelta(days=days - 1)
    opened = set(
        session.scalars(
            sa.select(StoreDay.business_day).where(
                StoreDay.store_id == store_id, StoreDay.open, StoreDay.business_day.between(first, last)
            )
        )
    )
    rows = session.execute(
        sa.select(DailyDemand.business_day, DailyDemand.sold_qty, DailyDemand.out_of_stock_bp).where(
            DailyDemand.store_id == store_id,
            DailyDemand.sku == sku,
            DailyDemand.business_day.between(first, last),
        )
    ).all()
    sold = {day: max(0, qty) for day, qty, _ in rows}
    axis = [first + dt.timedelta(days=n) for n in range(days)]
    return {
        "history": [(day, sold.get(day, 0) if day in opened else None) for day in axis],
        "empty": {day: share / BASIS for day, _, share in rows if share >= history.EMPTY_FROM_BP and day in opened},
    }
