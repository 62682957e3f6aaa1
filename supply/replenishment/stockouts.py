"""What every store has, sells and will run out of, as the network sees it, and whole regions at once.

Rules
-----
1. What a store sells a day is the mean of the first week of its forecast, as the store tells it (`reported_forecasts`)
   or the network made it, else what it sold in the last LOOK_BACK_DAYS on the days it was open.
2. What a store has is what its book says is there, never below nothing, and what is on its way to it: what was promised
   or accepted and waits to be loaded, and what was loaded until the store has counted it. Of goods nobody has counted
   UNCONFIRMED_DAYS after they were due the network does not know whether they came: it counts on them no more.
3. A product runs out when what a store has is less than what it sells until then. Of a store that told what it lists,
   only that counts, but for what it orders no more.
4. For a region what stores sell is read as it is kept (`history`), and all is added up by the database. What nobody can
   sell is left out.
5. A look is kept whole until the next one and says of when it is; nothing is said of a region that was not looked at.
6. What stands in the warehouses is read when it is asked for.

Quantities in stock units.
"""

import datetime as dt
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into
from config.finding import Finding
from config.nodes.journal import Context
from pos.catalogue.catalogue import Listing, Product
from pos.stock import batches
from pos.stock.ledger import INSIDE, MOST_QTY, StockLevel
from pos.store.store import Store
from supply import isolation
from supply.demand import history, reported_forecasts
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.demand.history import DailyDemand, RatesKept, SellingRate, StoreDay
from supply.orders import supply_routes
from supply.orders.deliveries import ON_ITS_WAY, Delivery, DeliveryLine
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import OrderLine, ReplenishmentOrder

LOOK_BACK_DAYS = 28
WEEK_DAYS = 7
UNCONFIRMED_DAYS = 7
"""So long a store may be cut off and its word still on the way; a store itself waits for less (`to_come`, rule 3)."""
STORES_AT_ONCE = 50
"""Stores whose rates one transaction keeps."""
NONE = sa.literal_column("CAST(0 AS DOUBLE PRECISION)", sa.Double)
Place = tuple[str, str]
"""(store id, sku)"""
Stores = Collection[str] | sa.Select[str]


@dataclass(frozen=True)
class Lack:
    """A product a store will be sold out of: what it has and awaits, and for how many days that lasts."""

    sku: str
    name: str
    stock_unit: str
    have_qty: int
    days_left: float


HORIZONS = (1, 3, 7)
"""So many days ahead each look goes."""
MOST = 40
"""Products a look names."""
NAMED = 3


class RegionOutlook(Base):
    """What a region's stores lack within so many days, as it was looked at."""

    __tablename__ = "region_outlook"

    region_id: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True)
    seen_at: Mapped[dt.datetime]
    rows: Mapped[list[Any]]
    """What most stores lack first: sku, short, of, missing_qty, stores."""


@dataclass(frozen=True)
class RunsOut:
    """A product that will be sold out in some stores of a region.

    stores: (name, days left) of the first NAMED to run out, the first first; short: how many stores will lack it, of:
    how many sell it; missing_qty: what all of them lack to last the days; warehouse_qty: what stands in the warehouses
    and can still be sold.
    """

    sku: str
    name: str
    stock_unit: str
    stores: tuple[tuple[str, float], ...]
    short: int
    of: int
    missing_qty: int
    warehouse_qty: int


# --- verbs ---


def keep_rates(ctx: Context, today: dt.date) -> int:
    """Keep again what some stores sell a day, where what is kept is of another day; returns how many stores' it was."""
    stores = history.rates_due(ctx.session, today, STORES_AT_ONCE)

    def keep(some: Sequence[str]) -> None:
        ctx.session.execute(sa.delete(SellingRate).where(SellingRate.store_id.in_(some)))
        by = (reported_forecasts.rates(today, some, None), _forecast(ctx.session, some, None), _sold(today, some, None))
        for reported in by:
            if reported is not None:
                insert = insert_into(SellingRate, dialect_of(ctx.session)).from_select(
                    ["store_id", "sku", "per_day"], reported
                )
                ctx.session.execute(insert.on_conflict_do_nothing())  # who told first is believed

    if stores:
        isolation.together(ctx, "outlook", stores, keep)
    return len(stores)


# --- questions ---


def rates(
    session: Session, today: dt.date, *, stores: Collection[str] | None = None, skus: Collection[str] | None = None,
    by_their_word: bool = True,
) -> dict[Place, float]:  # fmt: skip
    """Return what stores sell a day (rule 1); None means all stores, all products.

    by_their_word: False leaves out what stores tell of their forecasts.
    """
    found: dict[Place, float] = {}
    by_word = reported_forecasts.rates(today, stores, skus) if by_their_word else None
    for reported in (_sold(today, stores, skus), _forecast(session, stores, skus), by_word):
        if reported is not None:
            found.update({(store_id, sku): per_day for store_id, sku, per_day in session.execute(reported)})
    return found


def positions(
    session: Session, today: dt.date, *, stores: Collection[str] | None = None, skus: Collection[str] | None = None
) -> dict[Place, int]:
    """Return what stores have and what is on its way to them (rule 2)."""
    part = sa.union_all(*there(today, stores, skus)).subquery()
    place = (part.c.store_id, part.c.sku)
    found = session.execute(sa.select(*place, have(part)).group_by(*place))
    return {(store_id, sku): int(qty) for store_id, sku, qty in found}


def lacks(session: Session, store_id: str, *, days: int, today: dt.date) -> tuple[int, list[Lack]]:
    """Return how many products sell in a store, and those that will be sold out within `days`, the first first."""
    have = positions(session, today, stores=[store_id])
    carried = sa.select(Listing.sku, Listing.ordered).where(Listing.store_id == store_id, Listing.active)
    listed = dict(session.execute(carried).all())
    sells = {
        sku: rate
        for (_, sku), rate in rates(session, today, stores=[store_id]).items()
        if rate > 0 and (not listed or listed.get(sku))
    }
    held = {sku: have.get((store_id, sku), 0) for sku in sells}
    short = {sku: (held[sku], held[sku] / rate) for sku, rate in sells.items() if held[sku] / rate < days}
    products = session.execute(
        sa.select(Product.sku, Product.shown, Product.stock_unit).where(Product.sku.in_(list(short)))
    )
    found = [Lack(sku, name, unit, *short[sku]) for sku, name, unit in products]
    return len(sells), sorted(found, key=lambda one: (one.days_left, one.name))


def findings(session: Session, store_id: str | None) -> Iterator[Finding]:
    """K21: what is kept of a store is what is told of it for that day."""
    kept = sa.select(RatesKept.store_id, RatesKept.day).where(RatesKept.day > history.NEVER)
    if store_id is not None:
        kept = kept.where(RatesKept.store_id == store_id)
    for store, day in session.execute(kept.order_by(RatesKept.store_id)).all():
        rows = sa.select(SellingRate.sku, SellingRate.per_day).where(SellingRate.store_id == store)
        have = {(store, sku): per_day for sku, per_day in session.execute(rows)}
        reported = rates(session, day, stores=[store])
        for place in sorted(have.keys() | reported.keys()):
            if not math.isclose(have.get(place, -1), reported.get(place, -1), rel_tol=1e-9):
                yield Finding("K21", "rate:" + "/".join(place), str(reported.get(place)), str(have.get(place)))


# --- parts of other questions ---


def there(
    today: dt.date, stores: Stores | None, skus: Collection[str] | None
) -> list[sa.Select[str, str, float, float]]:
    """What stores have and what is on its way to them (rule 2): store, SKU, units here, units to come."""
    level, line, order, offer = StockLevel, OrderLine, ReplenishmentOrder, NetworkOffer
    note, loaded = Delivery, DeliveryLine
    here = sa.select(level.store_id, level.sku, _units(level.qty).label("here"), NONE.label("to_come")).where(
        level.store_id.in_(sa.select(Store.id) if stores is None else stores), level.place.in_(INSIDE),
        *_among(level.sku, skus),
    )  # fmt: skip
    promised = (
        sa.select(line.store_id, line.sku, NONE, _units(line.packs_acknowledged * line.pack_qty))
        .join(order, sa.and_(order.store_id == line.store_id, order.id == line.order_id))
        .where(order.state == "acknowledged", *_among(line.store_id, stores), *_among(line.sku, skus))
    )
    accepted = sa.select(offer.store_id, offer.sku, NONE, _units(offer.packs * offer.pack_qty)).where(
        offer.state == "accepted", *_among(offer.store_id, stores), *_among(offer.sku, skus)
    )
    on_its_way = (
        sa.select(loaded.store_id, loaded.sku, NONE, _units(loaded.advised_qty))
        .join(note, sa.and_(note.store_id == loaded.store_id, note.id == loaded.delivery_id))
        .where(note.state.in_(ON_ITS_WAY), note.expected_day >= today - dt.timedelta(days=UNCONFIRMED_DAYS))
        .where(*_among(loaded.store_id, stores), *_among(loaded.sku, skus))
    )
    return [here, promised, accepted, on_its_way]


def have(part: Any) -> sa.ColumnElement[float]:
    """Sum what is here, never below nothing, and what is to come (rule 2)."""
    here = sa.func.sum(part.c.here)
    return sa.case((here > 0, here), else_=NONE) + sa.func.sum(part.c.to_come)


# --- verbs ---


def look_at_regions(session: Session, region_id: str, *, today: dt.date) -> dict[int, list[dict[str, Any]]]:
    """Look at what a region's stores will lack (rule 4): days ahead -> rows, to be kept by `keep`."""
    found: dict[int, list[dict[str, Any]]] = {days: [] for days in HORIZONS}
    for row in session.execute(_question(region_id, today)):
        if row.nth == 1:
            missing_qty = math.ceil(round(row.missing, 6))
            one = {"sku": row.sku, "short": int(row.short), "of": int(row.stores), "missing_qty": missing_qty}
            found[row.days].append(one | {"stores": []})
        found[row.days][-1]["stores"].append([row.store, row.left])
    return found


def keep_outlook(session: Session, region_id: str, seen: dict[int, list[dict[str, Any]]], *, at: dt.datetime) -> None:
    """Keep a look instead of the one before (rule 5)."""
    for days, rows in seen.items():
        session.merge(RegionOutlook(region_id=region_id, days=days, seen_at=at, rows=rows))
    session.flush()


# --- questions ---


def runs_out(
    session: Session, regions: Collection[str], *, days: int, today: dt.date, warehouses: Collection[str]
) -> tuple[dt.datetime | None, list[RunsOut]]:
    """Return when regions were looked at (None: one never was), and what their stores will be out of within `days`.

    What most stores lack stands first. Of several regions a product counts where it is among the MOST of a look.
    """
    seen = [session.get(RegionOutlook, (region_id, days)) for region_id in regions]
    looks = [one for one in seen if one is not None]
    merged: dict[str, dict[str, Any]] = {}
    for row in (row for one in looks for row in one.rows):
        known = merged.setdefault(row["sku"], {"short": 0, "of": 0, "missing_qty": 0, "stores": []})
        for name in known:
            known[name] = known[name] + row[name]
    products = {row.sku: row for row in session.scalars(sa.select(Product).where(Product.sku.in_(merged)))}
    there = _in_warehouses(session, merged, warehouses, today)
    found = [
        RunsOut(
            sku=sku, name=products[sku].name, stock_unit=products[sku].stock_unit,
            stores=tuple((name, left) for name, left in sorted(row["stores"], key=lambda one: one[1])[:NAMED]),
            short=row["short"], of=row["of"], missing_qty=row["missing_qty"],
            warehouse_qty=max(0, there.get(sku, 0)),
        )
        for sku, row in merged.items()
        if sku in products
    ]  # fmt: skip
    if len(looks) > 1:
        found.sort(key=lambda one: (-one.short, one.stores[0][1], one.sku))
    return min((one.seen_at for one in looks), default=None) if len(looks) == len(seen) else None, found


def warehouses(session: Session, regions: Collection[str]) -> list[str]:
    """Return the warehouses that supply some regions' stores (`serving`)."""
    house_of = supply_routes.served(session)
    stores = session.scalars(sa.select(Store.id).where(Store.region_id.in_(regions)))
    return sorted({house_of[one] for one in stores if one in house_of})


# --- inside ---


def _sold(today: dt.date, stores: Stores | None, skus: Collection[str] | None) -> sa.Select[str, str, float]:
    """What stores sold on an open day of the last weeks, where they were open at all: store, SKU, units a day."""
    row, first = DailyDemand, today - dt.timedelta(days=LOOK_BACK_DAYS)
    opened = (
        sa.select(StoreDay.store_id, sa.func.count().label("days"))
        .where(StoreDay.open, StoreDay.business_day >= first, StoreDay.business_day < today)
        .where(*_among(StoreDay.store_id, stores))
        .group_by(StoreDay.store_id)
        .subquery()
    )
    total = sa.func.sum(row.sold_qty)
    per_day = sa.type_coerce(sa.cast(sa.case((total > 0, total), else_=0), sa.Double) / opened.c.days, sa.Double)
    return (
        sa.select(row.store_id, row.sku, per_day)
        .join(opened, opened.c.store_id == row.store_id)
        .where(row.business_day >= first, row.business_day < today)
        .where(*_among(row.store_id, stores), *_among(row.sku, skus))
        .group_by(row.store_id, row.sku, opened.c.days)
    )


def _forecast(
    session: Session, stores: Collection[str] | None, skus: Collection[str] | None
) -> sa.Select[str, str, float] | None:
    """The means of the first week of the stores' own forecasts: store, SKU, units a day; None where there are none."""
    run, row = ForecastRun, ForecastQuantile
    published = (run.scope_kind == "store", run.state == "published", *_among(run.scope_id, stores))
    weeks = session.execute(sa.select(run.origin_day, run.horizon_days).where(*published).distinct()).all()
    if not weeks:
        return None
    first_week = [
        sa.and_(
            run.origin_day == origin, run.horizon_days == horizon, row.first_day == origin + dt.timedelta(days=1),
            row.last_day == origin + dt.timedelta(days=min(WEEK_DAYS, horizon)),
        )
        for origin, horizon in weeks
    ]  # fmt: skip
    days = sa.cast(sa.case((run.horizon_days < WEEK_DAYS, run.horizon_days), else_=WEEK_DAYS), sa.Double)
    return (
        sa.select(run.scope_id, row.sku, row.mean / days)
        .join(row, row.run_id == run.id)
        .where(*published, sa.or_(*first_week), *_among(row.sku, skus))
    )


def _units(qty: Any) -> sa.ColumnElement[float]:
    """Return whole units as a number whose sum PostgreSQL has at once."""
    return sa.cast(qty, sa.Double)


def _among(column: sa.SQLColumnExpression[str], wanted: Stores | None) -> list[sa.ColumnElement[bool]]:
    if wanted is None:
        return []
    return [column.in_(wanted if isinstance(wanted, sa.Select) else list(wanted))]


def _question(region_id: str, today: dt.date) -> sa.Select[*tuple[Any, ...]]:
    """Ask what a region's stores will lack: a row for each horizon, product, and each of the first stores to lack it.

    All that is known of a place is laid side by side and summed once, which costs less than to join it.
    """
    of_region = sa.select(Store.id).where(Store.region_id == region_id)
    rate, listed, never = SellingRate, Listing, sa.literal(0)
    active = (listed.active, listed.store_id.in_(of_region))
    ending = sa.case((listed.ordered, 1), else_=0)
    part = sa.union_all(
        sa.select(
            rate.store_id, rate.sku, NONE.label("here"), NONE.label("to_come"), rate.per_day,
            never.label("listed"),
        ).where(rate.store_id.in_(of_region), rate.per_day <= MOST_QTY),
        sa.select(listed.store_id, listed.sku, NONE, NONE, NONE,
        ending).where(*active), *(there.add_columns(NONE, never) for there in there(today,
        of_region, None)),
    ).subquery()  # fmt: skip
    per_day, store_id, sku = sa.func.max(part.c.per_day), part.c.store_id, part.c.sku
    reported = sa.select(listed.store_id).where(*active)
    place = (
        sa.select(
            store_id,
            sku,
            per_day.label("per_day"),
            have(part).label("have"),
            (have(part) / per_day).label("left"),
        )
        .group_by(store_id, sku)
        .having(per_day > 0, sa.or_(sa.func.max(part.c.listed) == 1, store_id.not_in(reported)))
        .cte("place")
    )
    ahead = sa.union_all(*(sa.select(sa.literal(days).label("days")) for days in HORIZONS)).subquery()
    short, soonest = sa.func.count(), sa.func.min(place.c.left)
    wanted = sa.func.sum(ahead.c.days * place.c.per_day - place.c.have)
    rank = sa.func.row_number().over(partition_by=ahead.c.days, order_by=(short.desc(), soonest, place.c.sku))
    lacking = (
        sa.select(ahead.c.days, place.c.sku, short.label("short"), wanted.label("missing"), rank.label("rank"))
        .join(ahead, place.c.left < ahead.c.days)
        .group_by(ahead.c.days, place.c.sku)
        .subquery()
    )
    product = sa.select(lacking).where(lacking.c.rank <= MOST).cte("product")
    selling = sa.select(place.c.sku, sa.func.count().label("stores")).group_by(place.c.sku).subquery()
    by_store = (product.c.days, place.c.sku)
    nth = sa.func.row_number().over(partition_by=by_store, order_by=(place.c.left, Store.name)).label("nth")
    first = (
        sa.select(product, selling.c.stores, Store.name.label("store"), place.c.left, nth)
        .join(selling, selling.c.sku == product.c.sku)
        .join(place, sa.and_(place.c.sku == product.c.sku, place.c.left < product.c.days))
        .join(Store, Store.id == place.c.store_id)
        .subquery()
    )
    row = first.c
    return sa.select(first).where(row.nth <= NAMED).order_by(row.days, row.rank, row.nth)


def _in_warehouses(
    session: Session, skus: Collection[str], warehouses: Collection[str], today: dt.date
) -> dict[str, int]:
    """Return what stands in the warehouses and can still be sold."""
    stands = sa.select(StockLevel.sku, sa.func.sum(StockLevel.qty)).where(
        StockLevel.store_id.in_(list(warehouses)), StockLevel.sku.in_(skus), StockLevel.place.in_(INSIDE)
    )
    there = {sku: int(qty) for sku, qty in session.execute(stands.group_by(StockLevel.sku))}
    for house in warehouses:
        for sku, qty in batches.unsound(session, house, day=today).items():
            there[sku] = there.get(sku, 0) - qty
    return there
