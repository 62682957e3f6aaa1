"""What stores sold of a category and are expected to sell of it; a region's and the network's figure is their sum.

Rules
-----
1. Expected of a store is what its own published forecast says, as the store tells it (`reported_forecasts`) or the
   network made it, at most OLDEST_DAYS older than the newest of all; else what its region's forecast expects, by the
   store's share of what the region's stores sell a day (`history`), and by their number where none of them is known to
   sell; else what it sells a day. So it is of single products of which the store's word is not believed.
2. A figure is rounded once, for a store and day, to a whole part of a unit (`Ahead`), what was rounded off going on to
   the next day: so days, stores and regions add up to the last part, and nothing said of many is forecast apart.
3. All that is said starts on the day after the newest forecast's last, and ends with the first forecast counted.
4. The region's own models stay what its stores borrow from (`forecasts`): what they say of all stores at once is not
   said beside the sum.

Read-only. Sums come from the daily roll-ups. Quantities in stock units, if not said otherwise.
"""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import among
from pos.catalogue.catalogue import Product
from pos.store.store import Region, Store
from supply.demand import history, reported_forecasts
from supply.demand.expected import OLDEST_DAYS
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.demand.history import RegionalDemand, SellingRate
from supply.demand.reported_forecasts import Reported

LATELY_DAYS = 28
BY_ITS_WORD = ""
PARTS_OF_A_PIECE = 10
"""Pieces are said in tenths; what is weighed or poured in whole grams and millilitres."""


@dataclass(frozen=True)
class StoreAhead:
    """What a store is expected to sell of a category. by: own | region | lately (rule 1); parts: of each day.

    unlikely: how many products are reckoned by what it sold, for its word is not believed; reported_until: the last day
    seen by the forecast it told, where that is too old to be used.
    """

    store_id: str
    name: str
    region_id: str
    by: str
    parts: tuple[int, ...]
    unlikely: int = 0
    reported_until: dt.date | None = None


@dataclass(frozen=True)
class Ahead:
    """What stores are expected to sell of a category on these days, in parts of a unit: so many parts are one."""

    days: tuple[dt.date, ...]
    parts_of_unit: int
    stores: tuple[StoreAhead, ...]

    @property
    def seen_day(self) -> dt.date | None:
        """The last day the newest forecast saw."""
        return self.days[0] - dt.timedelta(days=1) if self.days else None

    def total(self, region_id: str | None = None) -> tuple[int, ...]:
        """Return the parts of each day of a region's stores; of all where none is named."""
        some = [one.parts for one in self.stores if region_id in (None, one.region_id)]
        return tuple(map(sum, zip(*some, strict=True))) if some else (0,) * len(self.days)

    def units(self, parts: int) -> float:
        """Return parts as units."""
        return parts / self.parts_of_unit


# --- questions ---


def top_categories(session: Session, today: dt.date, region_id: str | None = None) -> list[str]:
    """List the groups demand is pooled in, by what they took in LATELY_DAYS: in a region, or in all."""
    newest = history.whole_day(session, today)
    if newest is None:
        return []
    first = newest - dt.timedelta(days=LATELY_DAYS - 1)
    regions = sa.select(Region.id) if region_id is None else [region_id]  # the index of days begins with the region
    rows = session.execute(
        sa.select(Product.department, Product.category, Product.stock_unit, sa.func.sum(RegionalDemand.revenue_minor))
        .join(RegionalDemand, RegionalDemand.sku == Product.sku)
        .where(RegionalDemand.region_id.in_(regions), RegionalDemand.business_day.between(first, newest))
        .group_by(Product.department, Product.category, Product.stock_unit)
    )
    taken: dict[str, int] = {}
    for department, category, unit, minor in rows:
        name = history.top_category(department, category, unit)
        taken[name] = taken.get(name, 0) + int(minor)
    return sorted(taken, key=lambda name: (-taken[name], name))


def sold(
    session: Session, region_id: str, top_category: str, today: dt.date, *, days: int = 91
) -> list[tuple[dt.date, int | None]]:
    """Return a category's units of each whole day in a region, oldest first; None where nothing is known."""
    newest = history.whole_day(session, today)
    if newest is None:
        return []
    first = newest - dt.timedelta(days=days - 1)
    rows = session.execute(
        sa.select(RegionalDemand.business_day, sa.func.sum(RegionalDemand.sold_qty))
        .where(RegionalDemand.region_id == region_id, RegionalDemand.business_day.between(first, newest))
        .where(RegionalDemand.sku.in_(_skus(session, top_category)))
        .group_by(RegionalDemand.business_day)
    )
    known = {day: int(qty) for day, qty in rows}
    axis = (first + dt.timedelta(days=n) for n in range(days))
    return [(day, known.get(day)) for day in axis]


def ahead(session: Session, top_category: str, region_id: str | None = None) -> Ahead:
    """Return what a region's stores, or all, are expected to sell of a category; no days while nobody forecast."""
    parts_of_unit = 1 if top_category.endswith((", gram", ", millilitre")) else PARTS_OF_A_PIECE
    stores = _stores(session, region_id)
    words = reported_forecasts.words(session, [one.id for one in _stores(session)])
    runs, days = _fresh(session, words)
    skus, ids = _skus(session, top_category), [one.id for one in stores]
    known = {one: runs["store", one] for one in ids if ("store", one) in runs}
    reported = {store_id: words[store_id] for store_id, run in known.items() if run == BY_ITS_WORD}
    own = _own(session, {run: store_id for store_id, run in known.items() if store_id not in reported}, days, skus)
    own |= _reported(session, reported, days, top_category)
    regions = {one.region_id for one in stores}
    signals = _signals(session, [runs["region", one] for one in regions if ("region", one) in runs], top_category, days)
    rates = _rates(session, ids, skus)
    unlikely = _unlikely(session, reported, skus)
    found = []
    for region in regions:
        here = [one for one in stores if one.region_id == region]
        shares = _shares([rates.get(one.id, 0.0) for one in here])
        for store, share in zip(here, shares, strict=True):
            odd, per_day = unlikely.get(store.id, (0, 0.0))
            if store.id in known:
                by, path = "own", own.get(store.id, {})
            elif region in signals:
                by, path = "region", {day: share * units for day, units in signals[region].items()}
            else:
                by, path = "lately", dict.fromkeys(days, rates.get(store.id, 0.0))
            parts = in_whole_parts([path.get(day, 0.0) + per_day for day in days], parts_of_unit)
            until = words[store.id].origin_day if store.id in words and store.id not in known else None
            found.append(StoreAhead(store.id, store.name, region, by, parts, odd, until))
    return Ahead(days, parts_of_unit, tuple(sorted(found, key=lambda one: (one.name, one.store_id))))


def in_whole_parts(units: Sequence[float], parts_of_unit: int) -> tuple[int, ...]:
    """Return units a day in whole parts whose sum up to any day is right to half a part (rule 2)."""
    reported, exact, parts = 0, 0.0, []
    for one in units:
        exact += max(0.0, one) * parts_of_unit
        parts.append(max(0, math.floor(exact + 0.5) - reported))
        reported += parts[-1]
    return tuple(parts)


# --- inside ---


def _shares(rates: Sequence[float]) -> list[float]:
    """Return each store's share of its region (rule 1)."""
    whole = sum(rates)
    return [rate / whole if whole > 0 else 1 / len(rates) for rate in rates]


def _stores(session: Session, region_id: str | None = None) -> Sequence[sa.Row[str, str, str]]:
    """Return id, name and region of a region's stores, or of all."""
    some = () if region_id is None else (region_id,)
    query = sa.select(Store.id, Store.name, Store.region_id).where(*(Store.region_id == one for one in some))
    return session.execute(query.order_by(Store.name, Store.id)).all()


def _fresh(session: Session, words: Mapping[str, Reported]) -> tuple[dict[tuple[str, str], str], tuple[dt.date, ...]]:
    """Return the runs that count, by what they are of, and the days all of them tell (rules 1, 3).

    BY_ITS_WORD stands for the run of a store that told one; a run the network made of it as well does not count.
    """
    run = ForecastRun
    made = session.execute(
        sa.select(run.scope_kind, run.scope_id, run.id, run.origin_day, run.horizon_days)
        .where(run.state == "published")
        .order_by(run.origin_day, run.started_at)
    ).all()
    reported = [
        ("store", one.store_id, BY_ITS_WORD, one.origin_day, one.horizon_days)
        for one in words.values()
        if one.origin_day is not None
    ]
    rows = [*made, *reported]
    if not rows:
        return {}, ()
    newest = max(origin for *_, origin, _ in rows)
    fresh = [row for row in rows if row[3] >= newest - dt.timedelta(days=OLDEST_DAYS)]
    last = min(origin + dt.timedelta(days=horizon) for *_, origin, horizon in fresh)
    days = tuple(newest + dt.timedelta(days=n + 1) for n in range(max(0, (last - newest).days)))
    return {(kind, scope_id): run_id for kind, scope_id, run_id, *_ in fresh}, days


def _own(
    session: Session, store_of: Mapping[str, str], days: Sequence[dt.date], skus: sa.Select[str]
) -> dict[str, dict[dt.date, float]]:
    """Return what the stores' own runs say of a category: store -> day -> units."""
    if not store_of or not days:
        return {}
    row = ForecastQuantile
    rows = session.execute(
        sa.select(row.run_id, row.first_day, sa.func.sum(row.mean))
        .where(among(session, row.run_id, store_of), row.sku.in_(skus))
        .where(row.first_day == row.last_day, row.first_day.between(days[0], days[-1]))
        .group_by(row.run_id, row.first_day)
    )
    found: dict[str, dict[dt.date, float]] = {}
    for run_id, day, units in rows:
        found.setdefault(store_of[run_id], {})[day] = float(units)
    return found


def _reported(
    session: Session, reported: Mapping[str, Reported], days: Sequence[dt.date], top_category: str
) -> dict[str, dict[dt.date, float]]:
    """Return what stores tell that they will sell of a category, where they are believed: store -> day -> units."""
    found = {}
    for store_id, parts in reported_forecasts.paths(session, list(reported), top_category) if days else ():
        origin = reported[store_id].origin_day
        if origin is not None:
            axis = (origin + dt.timedelta(days=n + 1) for n in range(len(parts)))
            found[store_id] = dict(zip(axis, (one / reported_forecasts.PARTS for one in parts), strict=True))
    return found


def _rates(session: Session, stores: Sequence[str], skus: sa.Select[str]) -> dict[str, float]:
    """Return what stores sell a day of a category."""
    rate = SellingRate
    query = sa.select(rate.store_id, sa.func.sum(rate.per_day))
    query = query.where(among(session, rate.store_id, stores), rate.sku.in_(skus)).group_by(rate.store_id)
    return {store_id: float(units) for store_id, units in session.execute(query)}


def _unlikely(session: Session, reported: Mapping[str, Reported], skus: sa.Select[str]) -> dict[str, tuple[int, float]]:
    """Return of how many products of a category stores are not believed, and what they sell of them a day."""
    odd = {store_id: one.unlikely for store_id, one in reported.items() if one.unlikely}
    if not odd:
        return {}
    here = set(session.scalars(skus))
    rate = SellingRate
    query = sa.select(rate.store_id, rate.sku, rate.per_day).where(among(session, rate.store_id, odd))
    query = query.where(among(session, rate.sku, {sku for some in odd.values() for sku in some}))
    per_day = {(store_id, sku): units for store_id, sku, units in session.execute(query)}
    found = {store_id: here.intersection(some) for store_id, some in odd.items()}
    return {
        store_id: (len(some), sum(per_day.get((store_id, sku), 0.0) for sku in sorted(some)))
        for store_id, some in found.items()
    }


def _signals(
    session: Session, run_ids: Sequence[str], top_category: str, days: Sequence[dt.date]
) -> dict[str, dict[dt.date, float]]:
    """Return what the regions' forecasts expect of a category: region -> day -> units."""
    signal = ForecastRun.signal
    rows = session.execute(
        sa.select(ForecastRun.scope_id, signal["first_day"], signal["keys"], signal["mean"])
        .where(ForecastRun.id.in_(run_ids))
        .where(signal["first_day"].as_string().is_not(None))
    )
    found: dict[str, dict[dt.date, float]] = {}
    for region_id, first, keys, mean in rows if days else ():
        begins = dt.date.fromisoformat(first)
        for key, path in zip(keys, mean, strict=True):
            if key == [region_id, top_category]:
                found[region_id] = {begins + dt.timedelta(days=n): float(units) for n, units in enumerate(path)}
    return found


def _skus(session: Session, top_category: str) -> sa.Select[str]:
    """Return the question for a category's products."""
    kinds = session.execute(sa.select(Product.department, Product.category, Product.stock_unit).distinct())
    column = sa.tuple_(Product.department, Product.category, Product.stock_unit)
    return sa.select(Product.sku).where(
        column.in_([tuple(kind) for kind in kinds if history.top_category(*kind) == top_category])
    )
