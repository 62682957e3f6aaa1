"""What a region's shops will run out of, for all of them at once: looked at every few minutes, read as it was then.

Rules
-----
1. A product runs out where what a shop has is less than what it sells until then (`outlook`, rules 1 to 3). What shops
   sell is read as it is kept (`rates_kept`), and all is added up by the database. What nobody can sell is left out.
2. A look is kept whole until the next one and says of when it is; nothing is said of a region that was not looked at.
3. What stands in the warehouses is read when it is asked for.

Quantities in stock units.
"""

import datetime as dt
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from pos.catalogue.catalogue import Listing, Product
from pos.stock import batches
from pos.stock.ledger import INSIDE, MOST_QTY, StockLevel
from pos.store.store import Store
from supply.demand.rates_kept import SellingRate
from supply.orders import supply_routes
from supply.replenishment import stockouts

HORIZONS = (1, 3, 7)
"""So many days ahead each look goes."""
MOST = 40
"""Products a look names."""
NAMED = 3


class RegionOutlook(Base):
    """What a region's shops lack within so many days, as it was looked at."""

    __tablename__ = "region_outlook"

    region_id: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int] = mapped_column(primary_key=True)
    seen_at: Mapped[dt.datetime]
    rows: Mapped[list[Any]]
    """What most shops lack first: sku, short, of, missing_qty, shops."""


@dataclass(frozen=True)
class RunsOut:
    """A product that will be sold out in some shops of a region.

    shops: (name, days left) of the first NAMED to run out, the first first; short: how many shops will lack it, of: how
    many sell it; missing_qty: what all of them lack to last the days; warehouse_qty: what stands in the warehouses and
    can still be sold.
    """

    sku: str
    name: str
    stock_unit: str
    shops: tuple[tuple[str, float], ...]
    short: int
    of: int
    missing_qty: int
    warehouse_qty: int


# --- verbs ---


def look(session: Session, region_id: str, *, today: dt.date) -> dict[int, list[dict[str, Any]]]:
    """Look at what a region's shops will lack (rule 1): days ahead -> rows, to be kept by `keep`."""
    found: dict[int, list[dict[str, Any]]] = {days: [] for days in HORIZONS}
    for row in session.execute(_question(region_id, today)):
        if row.nth == 1:
            missing_qty = math.ceil(round(row.missing, 6))
            one = {"sku": row.sku, "short": int(row.short), "of": int(row.shops), "missing_qty": missing_qty}
            found[row.days].append(one | {"shops": []})
        found[row.days][-1]["shops"].append([row.shop, row.left])
    return found


def keep(session: Session, region_id: str, seen: dict[int, list[dict[str, Any]]], *, at: dt.datetime) -> None:
    """Keep a look instead of the one before (rule 2)."""
    for days, rows in seen.items():
        session.merge(RegionOutlook(region_id=region_id, days=days, seen_at=at, rows=rows))
    session.flush()


# --- questions ---


def runs_out(
    session: Session, region_id: str, *, days: int, today: dt.date, warehouses: Collection[str]
) -> tuple[dt.datetime | None, list[RunsOut]]:
    """Return when a region was looked at (None: never), and what will be sold out in its shops within `days`."""
    seen = session.get(RegionOutlook, (region_id, days))
    if seen is None:
        return None, []
    skus = [row["sku"] for row in seen.rows]
    products = {row.sku: row for row in session.scalars(sa.select(Product).where(Product.sku.in_(skus)))}
    there = _in_warehouses(session, skus, warehouses, today)
    return seen.seen_at, [
        RunsOut(
            sku=row["sku"], name=products[row["sku"]].name, stock_unit=products[row["sku"]].stock_unit,
            shops=tuple((name, left) for name, left in row["shops"]), short=row["short"], of=row["of"],
            missing_qty=row["missing_qty"], warehouse_qty=max(0, there.get(row["sku"], 0)),
        )
        for row in seen.rows
        if row["sku"] in products
    ]  # fmt: skip


def warehouses(session: Session, region_id: str) -> list[str]:
    """Return the warehouses that supply a region's shops (`serving`)."""
    house_of = supply_routes.served(session)
    shops = session.scalars(sa.select(Store.id).where(Store.region_id == region_id))
    return sorted({house_of[one] for one in shops if one in house_of})


# --- inside ---


def _question(region_id: str, today: dt.date) -> sa.Select[*tuple[Any, ...]]:
    """Ask what a region's shops will lack: a row for each horizon, product, and each of the first shops to lack it.

    All that is known of a place is laid side by side and summed once, which costs less than to join it.
    """
    of_region = sa.select(Store.id).where(Store.region_id == region_id)
    rate, listed, never = SellingRate, Listing, sa.literal(0)
    active = (listed.active, listed.store_id.in_(of_region))
    part = sa.union_all(
        sa.select(
            rate.store_id, rate.sku, stockouts.NONE.label("here"), stockouts.NONE.label("to_come"), rate.per_day,
            never.label("listed"),
        ).where(rate.store_id.in_(of_region), rate.per_day <= MOST_QTY),
        sa.select(listed.store_id, listed.sku, stockouts.NONE, stockouts.NONE, stockouts.NONE,
        sa.literal(1)).where(*active), *(there.add_columns(stockouts.NONE, never) for there in stockouts.there(today,
        of_region, None)),
    ).subquery()  # fmt: skip
    per_day, store_id, sku = sa.func.max(part.c.per_day), part.c.store_id, part.c.sku
    told = sa.select(listed.store_id).where(*active)
    place = (
        sa.select(
            store_id,
            sku,
            per_day.label("per_day"),
            stockouts.have(part).label("have"),
            (stockouts.have(part) / per_day).label("left"),
        )
        .group_by(store_id, sku)
        .having(per_day > 0, sa.or_(sa.func.max(part.c.listed) == 1, store_id.not_in(told)))
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
    selling = sa.select(place.c.sku, sa.func.count().label("shops")).group_by(place.c.sku).subquery()
    by_shop = (product.c.days, place.c.sku)
    nth = sa.func.row_number().over(partition_by=by_shop, order_by=(place.c.left, Store.name)).label("nth")
    first = (
        sa.select(product, selling.c.shops, Store.name.label("shop"), place.c.left, nth)
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
