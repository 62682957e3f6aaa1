"""What every shop has, sells and will run out of, as the network sees it.

Rules
-----
1. What a shop sells a day is the mean of the first week of its forecast where the network made it, else what it sold in
   the last LOOK_BACK_DAYS on the days it was open.
2. What a shop has is what its book says is there, never below nothing, and what is on its way to it: what was promised
   or accepted and waits to be loaded, and what was loaded until the shop has counted it. Of goods nobody has counted
   UNCONFIRMED_DAYS after they were due the network does not know whether they came: it counts on them no more.
3. A product runs out when what a shop has is less than what it sells until then.

Quantities in stock units.
"""

import datetime as dt
import math
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos import batches
from pos.catalogue import Listing, Product
from pos.ledger import INSIDE, StockLevel
from pos.store import Store
from supply.deliveries import ON_ITS_WAY, Delivery, DeliveryLine
from supply.demand import DailyDemand, StoreDay
from supply.forecasts import ForecastQuantile, ForecastRun
from supply.orders import OrderLine, ReplenishmentOrder
from supply.push import PushOffer

LOOK_BACK_DAYS = 28
WEEK_DAYS = 7
UNCONFIRMED_DAYS = 7
"""So long a shop may be cut off and its word still on the way; a shop itself waits for less (`to_come`, rule 3)."""
Place = tuple[str, str]
"""(store id, sku)"""


@dataclass(frozen=True)
class RunsOut:
    """A product that will be sold out in some shops of a region.

    shops: (name, days left), the first to run out first; of: how many shops sell it; missing_qty: what all of them lack
    to last `days`; warehouse_qty: what stands in the warehouses and can still be sold.
    """

    sku: str
    name: str
    stock_unit: str
    shops: tuple[tuple[str, float], ...]
    of: int
    missing_qty: int
    warehouse_qty: int


@dataclass(frozen=True)
class Lack:
    """A product a shop will be sold out of: what it has and awaits, and for how many days that lasts."""

    sku: str
    name: str
    stock_unit: str
    have_qty: int
    days_left: float


# --- questions ---


def rates(
    session: Session, today: dt.date, *, stores: Collection[str] | None = None, skus: Collection[str] | None = None
) -> dict[Place, float]:
    """Return what shops sell a day (rule 1); None means all shops, all products."""
    first = today - dt.timedelta(days=LOOK_BACK_DAYS)
    opened = sa.select(StoreDay.store_id, sa.func.count()).where(
        StoreDay.open, StoreDay.business_day >= first, StoreDay.business_day < today
    )
    days = {store_id: int(count) for store_id, count in session.execute(opened.group_by(StoreDay.store_id))}
    row = DailyDemand
    sold = sa.select(row.store_id, row.sku, sa.func.sum(row.sold_qty)).where(
        row.business_day >= first, row.business_day < today, *_among(row.store_id, stores), *_among(row.sku, skus)
    )
    found = {
        (store_id, sku): max(0, int(qty)) / days[store_id]
        for store_id, sku, qty in session.execute(sold.group_by(row.store_id, row.sku))
        if days.get(store_id)
    }
    return found | _forecast(session, stores, skus)


def positions(
    session: Session, today: dt.date, *, stores: Collection[str] | None = None, skus: Collection[str] | None = None
) -> dict[Place, int]:
    """Return what shops have and what is on its way to them (rule 2)."""
    level, line, order, offer = StockLevel, OrderLine, ReplenishmentOrder, PushOffer
    shops = sa.select(Store.id)
    there = sa.select(level.store_id, level.sku, sa.func.sum(level.qty)).where(
        level.store_id.in_(shops), level.place.in_(INSIDE), *_among(level.store_id, stores), *_among(level.sku, skus)
    )
    found = {
        (store_id, sku): max(0, int(qty))
        for store_id, sku, qty in session.execute(there.group_by(level.store_id, level.sku))
    }
    promised = (
        sa.select(line.store_id, line.sku, sa.func.sum(line.packs_acknowledged * line.pack_qty))
        .join(order, sa.and_(order.store_id == line.store_id, order.id == line.order_id))
        .where(order.state == "acknowledged", *_among(line.store_id, stores), *_among(line.sku, skus))
        .group_by(line.store_id, line.sku)
    )
    accepted = (
        sa.select(offer.store_id, offer.sku, sa.func.sum(offer.packs * offer.pack_qty))
        .where(offer.state == "accepted", *_among(offer.store_id, stores), *_among(offer.sku, skus))
        .group_by(offer.store_id, offer.sku)
    )
    note, loaded = Delivery, DeliveryLine
    on_its_way = (
        sa.select(loaded.store_id, loaded.sku, sa.func.sum(loaded.advised_qty))
        .join(note, sa.and_(note.store_id == loaded.store_id, note.id == loaded.delivery_id))
        .where(
            note.state.in_(ON_ITS_WAY), note.expected_day >= today - dt.timedelta(days=UNCONFIRMED_DAYS),
            *_among(loaded.store_id, stores), *_among(loaded.sku, skus),
        )
        .group_by(loaded.store_id, loaded.sku)
    )  # fmt: skip
    for query in (promised, accepted, on_its_way):
        for store_id, sku, qty in session.execute(query):
            found[store_id, sku] = found.get((store_id, sku), 0) + int(qty or 0)
    return found


def runs_out(
    session: Session, region_id: str, *, days: int = 3, today: dt.date, warehouses: Collection[str], most: int = 40
) -> list[RunsOut]:
    """Return what will be sold out within `days` in shops of a region, what most shops will lack first (rule 3)."""
    names = dict(session.execute(sa.select(Store.id, Store.name).where(Store.region_id == region_id)).all())
    if not names:
        return []
    lacking: dict[str, list[tuple[str, float]]] = {}
    selling: dict[str, int] = {}
    missing: dict[str, float] = {}
    for (store_id, sku), rate, have in _selling(session, list(names), today):
        selling[sku] = selling.get(sku, 0) + 1
        if have / rate < days:
            lacking.setdefault(sku, []).append((names[store_id], have / rate))
            missing[sku] = missing.get(sku, 0.0) + days * rate - have
    first = sorted(lacking, key=lambda sku: (-len(lacking[sku]), min(left for _, left in lacking[sku]), sku))[:most]
    products = {row.sku: row for row in session.scalars(sa.select(Product).where(Product.sku.in_(first)))}
    stands = sa.select(StockLevel.sku, sa.func.sum(StockLevel.qty)).where(
        StockLevel.store_id.in_(list(warehouses)), StockLevel.sku.in_(first), StockLevel.place.in_(INSIDE)
    )
    there = {sku: int(qty) for sku, qty in session.execute(stands.group_by(StockLevel.sku))}
    for house in warehouses:
        for sku, qty in batches.over(session, house, day=today).items():
            there[sku] = there.get(sku, 0) - qty
    return [
        RunsOut(
            sku=sku, name=products[sku].name, stock_unit=products[sku].stock_unit,
            shops=tuple(sorted(lacking[sku], key=lambda one: (one[1], one[0]))), of=selling[sku],
            missing_qty=math.ceil(missing[sku]), warehouse_qty=max(0, there.get(sku, 0)),
        )
        for sku in first
        if sku in products
    ]  # fmt: skip


def lacks(session: Session, store_id: str, *, days: int, today: dt.date) -> tuple[int, list[Lack]]:
    """Return how many products sell in a shop, and those that will be sold out within `days`, the first first."""
    rows = _selling(session, [store_id], today)
    short = {sku: (have, have / rate) for (_, sku), rate, have in rows if have / rate < days}
    products = session.execute(
        sa.select(Product.sku, Product.name, Product.stock_unit).where(Product.sku.in_(list(short)))
    )
    found = [Lack(sku, name, unit, *short[sku]) for sku, name, unit in products]
    return len(rows), sorted(found, key=lambda one: (one.days_left, one.name))


# --- inside ---


def _selling(session: Session, stores: Collection[str], today: dt.date) -> list[tuple[Place, float, int]]:
    """Return what shops sell: place, units a day, and what is there and on its way; of what they list, if they told."""
    have = positions(session, today, stores=stores)
    sold_here = sa.select(Listing.store_id, Listing.sku).where(Listing.store_id.in_(stores), Listing.active)
    listed = {(store_id, sku) for store_id, sku in session.execute(sold_here)}
    return [
        (place, rate, have.get(place, 0))
        for place, rate in rates(session, today, stores=stores).items()
        if rate > 0 and (not listed or place in listed)
    ]


def _forecast(session: Session, stores: Collection[str] | None, skus: Collection[str] | None) -> dict[Place, float]:
    """Return the means of the first week of the shops' own forecasts, a day."""
    run, row = ForecastRun, ForecastQuantile
    runs = session.execute(
        sa.select(run.id, run.scope_id, run.origin_day, run.horizon_days).where(
            run.scope_kind == "store", run.state == "published", *_among(run.scope_id, stores)
        )
    )
    found: dict[Place, float] = {}
    for run_id, store_id, origin, horizon in runs:
        days = min(WEEK_DAYS, horizon)
        first = origin + dt.timedelta(days=1)
        sums = sa.select(row.sku, row.mean).where(
            row.run_id == run_id, row.first_day == first, row.last_day == origin + dt.timedelta(days=days),
            *_among(row.sku, skus),
        )  # fmt: skip
        found.update({(store_id, sku): mean / days for sku, mean in session.execute(sums)})
    return found


def _among(column: sa.SQLColumnExpression[str], wanted: Collection[str] | None) -> list[sa.ColumnElement[bool]]:
    return [] if wanted is None else [column.in_(list(wanted))]
