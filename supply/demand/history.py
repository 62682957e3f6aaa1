"""What customers wanted, per store, product and business day, and its sum over a region.

Rules
-----
1. DailyDemand is rolled up from sale lines (`rollups`); a late fact re-rolls its day. Returns lower the day of the
   return.
2. A day without a row on which the store was open is a real zero; a day on which it was closed (`closed_days`, or no
   till was opened), or of which nothing is known, is not observed.
3. The region's row is the sum over its stores, rolled up in the same call; the network is its author, a store takes it
   over as an edition. No store is told what few others sold (`edition`).
4. What was imported is never re-rolled.
5. A shelf that stood empty at closing time hid demand: the share of the day's trade since its last sale is kept beside.
6. A region is forecast by its sums as the stores of today would have sold them (`forecasting.series.growth`): who
   opens, or whose past is brought in, is no step in what customers want. A store trades today that sold in SIZE_DAYS.
7. What stores sell a day is kept for the questions that are asked of a whole region at once: a cache beside the
   roll-ups and the published forecasts: what is kept of a store is what `outlook.rates` tells of it for the day it was
   kept for (K21), and is kept again, whole, by `outlook.keep_rates` once that day is over.
8. Whoever changes a day before that one, or publishes a forecast, forgets what is kept of the store in the same
   transaction (`forget_rates`): it is kept again before the next look, and is as it was until then.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, days_later
from pos.catalogue.catalogue import Listing, Product
from pos.stock.ledger import StockMovement
from pos.store.store import Region, Store

if TYPE_CHECKING:
    from forecasting.fit.assortment import Usual
    from forecasting.series.panel import DemandPanel

from config.database import dialect_of, insert_into

HISTORY_DAYS = 728
EDITION_DAYS = 120
EMPTY_FROM_BP = 500
REPORTED_DAYS = 28
SIZE_DAYS = 28
LEAST_STORES = 5
"""Fewer stores together would let one of them read off another's sales."""
ROWS_AT_ONCE = 20_000


class DailyDemand(Base):
    """One product's day in one store."""

    __tablename__ = "daily_demand"
    __table_args__ = (sa.Index("ix_daily_demand_day", "business_day", "store_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    business_day: Mapped[dt.date] = mapped_column(primary_key=True)
    sold_qty: Mapped[int]
    revenue_minor: Mapped[int]
    """What its lines came to, with tax."""
    net_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    """Of goods and services, without tax (`pos.reports.figures`, rule 2), as the two below; of imported days none."""
    costed_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    """Of net_minor, what has a known cost; cost_minor is that cost."""
    cost_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    sales: Mapped[int]
    """In how many sales it was."""
    pickup_qty: Mapped[int] = mapped_column(default=0)
    """Of sold_qty, how much was ordered online."""
    out_of_stock_bp: Mapped[int] = mapped_column(default=0)
    """Share of the day's trade that met an empty shelf."""
    imported: Mapped[bool] = mapped_column(default=False)
    """Taken over from a history file; never re-rolled."""


class StoreDay(Base):
    """One store's day: open or closed, and its sums. Where there is no row, nothing is known."""

    __tablename__ = "store_day"
    __table_args__ = (sa.Index("ix_store_day_day", "business_day", "store_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    business_day: Mapped[dt.date] = mapped_column(primary_key=True)
    open: Mapped[bool]
    sales: Mapped[int]
    """Sales and returns rung up; of an imported day, at least so many."""
    revenue_minor: Mapped[int]
    """Sales, tax and cash rounding included (`pos.reports.figures`, rule 1)."""
    net_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    costed_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    cost_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    """The sums of the products' rows; of imported days none."""
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
    net_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    costed_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    cost_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    """Only the network has these three: no store is told what others pay (`edition`)."""
    stores_open: Mapped[int]
    stores_selling: Mapped[int]
    pickup_qty: Mapped[int] = mapped_column(default=0)


class CategoryDay(Base):
    """A category's day in a region: the sums of its products' rows, as they were filed when the day was added up."""

    __tablename__ = "category_day"
    __table_args__ = (sa.Index("ix_category_day_day", "business_day"),)

    region_id: Mapped[str] = mapped_column(primary_key=True)
    business_day: Mapped[dt.date] = mapped_column(primary_key=True)
    department: Mapped[str] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(primary_key=True)
    revenue_minor: Mapped[int]
    net_minor: Mapped[int]
    costed_minor: Mapped[int]
    cost_minor: Mapped[int]


MONEY = ("revenue_minor", "net_minor", "costed_minor", "cost_minor")
"""The sums of money every roll-up has."""
NEVER = dt.date.min


class SellingRate(Base):
    """What a store sells of a product a day."""

    __tablename__ = "selling_rate"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    per_day: Mapped[float] = mapped_column(sa.Double)
    """Stock units."""


class RatesKept(Base):
    """For which day a store's rates are kept; NEVER: they want to be kept again."""

    __tablename__ = "rates_kept"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date]


# --- verbs ---


def take_edition(session: Session, body: dict[str, Any]) -> None:
    """Take over a region's demand as `edition` wrote it: the days it covers become what it says.

    Only what differs is written, mostly the newest day, so that the till does not wait for it.
    """
    first, stores_open = dt.date.fromisoformat(body["first_day"]), body["open"]
    region_id, days = str(body["region_id"]), [first + dt.timedelta(days=n) for n in range(len(body["open"]))]
    columns = (
        RegionalDemand.sku, RegionalDemand.business_day, RegionalDemand.sold_qty, RegionalDemand.revenue_minor,
        RegionalDemand.stores_open, RegionalDemand.stores_selling, RegionalDemand.pickup_qty,
    )  # fmt: skip
    here = (RegionalDemand.region_id == region_id, RegionalDemand.business_day.between(days[0], days[-1]))
    have: set[tuple[Any, ...]] = {tuple(row) for row in session.execute(sa.select(*columns).where(*here))}
    come: set[tuple[Any, ...]] = set()
    for sku, unit, *texts in body["rows"]:
        sold, over, selling, pickup = (_numbers(text, len(days)) for text in texts)
        come.update(
            (sku, day, sold[n], sold[n] * unit + over[n], stores_open[n], selling[n], pickup[n])
            for n, day in enumerate(days)
            if sold[n] or over[n] or selling[n]
        )
    stale: dict[dt.date, list[str]] = {}
    for sku, day, *_ in have - come:
        stale.setdefault(day, []).append(sku)
    for day, skus in stale.items():
        gone = sa.delete(RegionalDemand).where(
            RegionalDemand.region_id == region_id, RegionalDemand.business_day == day
        )
        session.execute(gone.where(RegionalDemand.sku.in_(skus)))
    names = ["region_id", *(column.key for column in columns)]
    fresh = [dict(zip(names, (region_id, *row), strict=True)) for row in sorted(come - have)]
    for part in in_parts(fresh, ROWS_AT_ONCE):
        session.execute(sa.insert(RegionalDemand), part)


# --- questions ---


class Chain:
    """What all regions sold together, summed when it is first asked for and kept for the next region."""

    def __init__(self) -> None:
        self._kept: tuple[Any, ...] | None = None

    def summed(self, session: Session, first: dt.date, days: int) -> tuple[dict[str, list[list[int]]], list[int]]:
        """Return the sums as `_summed` does."""
        if self._kept is None or self._kept[0] != (first, days):
            self._kept = (first, days), _summed(session, first, days, list(session.scalars(sa.select(Region.id))))
        found: tuple[dict[str, list[list[int]]], list[int]] = self._kept[1]
        return found


def edition(
    session: Session, region_id: str, last_day: dt.date, days: int = EDITION_DAYS, *, chain: Chain | None = None
) -> dict[str, Any]:
    """Return what a region's stores may know of its demand up to last_day; {} where there is none.

    No store can read another's day off it: a product's four weeks stand there only where LEAST_STORES or more sold it
    on one of the days, at the middle price and without what was picked up; for a region with fewer stores than that the
    whole chain stands. Single days left out would make slow goods look slower than they are. rows: [sku, unit, sold,
    over, selling, pickup], each a text of `days` numbers with nothing for a zero; revenue is sold x unit + over. open:
    stores open a day. chain: who makes several at once gives each the same.
    """
    first = last_day - dt.timedelta(days=days - 1)
    grids, stores_open = _summed(session, first, days, [region_id])
    if not grids:
        return {}
    if max(stores_open) < LEAST_STORES:
        grids, stores_open = (chain or Chain()).summed(session, first, days)
    rows, nothing = [], _text([0] * days)
    for sku, (sold, revenue, selling) in sorted(grids.items()):
        reported = _reported(sold, selling)
        prices = sorted(money // qty for qty, shown, money in zip(sold, reported, revenue, strict=True) if shown > 0)
        if prices:
            many = [count if qty else 0 for qty, count in zip(reported, selling, strict=True)]
            rows.append([sku, prices[len(prices) // 2], _text(reported), nothing, _text(many), nothing])
    return {"region_id": region_id, "first_day": first.isoformat(), "open": stores_open, "rows": rows}


def _reported(sold: list[int], selling: list[int]) -> list[int]:
    """Return a product's days as they may be reported; each REPORTED_DAYS, back from the last day, wholly or not."""
    reported: list[int] = []
    for end in range(len(sold), 0, -REPORTED_DAYS):
        part = slice(max(0, end - REPORTED_DAYS), end)
        enough = max(selling[part]) >= LEAST_STORES
        reported[:0] = sold[part] if enough else [0] * len(sold[part])
    return reported


def _summed(
    session: Session, first: dt.date, days: int, regions: list[str]
) -> tuple[dict[str, list[list[int]]], list[int]]:
    """Return SKU -> [sold, revenue, stores selling] by day, and the stores open by day, over some regions."""
    row, last = RegionalDemand, first + dt.timedelta(days=days - 1)
    here = row.region_id.in_(regions) & row.business_day.between(first, last)
    reported = map(sa.func.sum, (row.sold_qty, row.revenue_minor, row.stores_selling))
    cells = sa.select(row.sku, row.business_day, *reported)
    grids: dict[str, list[list[int]]] = {}
    for sku, day, *sums in session.execute(cells.where(here).group_by(row.sku, row.business_day)):
        for numbers, value in zip(grids.setdefault(sku, [[0] * days for _ in range(3)]), sums, strict=True):
            numbers[(day - first).days] = int(value)
    opened, stores_open = sa.select(row.business_day, sa.func.max(row.stores_open)), [0] * days
    for day, count in session.execute(opened.where(here).group_by(row.business_day, row.region_id)):
        stores_open[(day - first).days] += count
    return grids, stores_open


def panel(
    session: Session,
    store_id: str,
    last_day: dt.date,
    days: int = HISTORY_DAYS,
    *,
    lived: frozenset[str] = frozenset(),
) -> "DemandPanel":
    """Return a store's demand of `days` days up to last_day: what it sold or lists (rule 2).

    A product that neither sold nor moved here yet is not observed at all. lived: those known to have sold before.
    """
    import numpy as np

    from forecasting.series.panel import DemandPanel

    first = last_day - dt.timedelta(days=days - 1)
    store = session.get_one(Store, store_id)
    opened = session.scalars(
        sa.select(StoreDay.business_day).where(
            StoreDay.store_id == store_id, StoreDay.open, StoreDay.business_day.between(first, last_day)
        )
    ).all()
    cells = session.execute(
        sa.select(DailyDemand.sku, DailyDemand.business_day, DailyDemand.sold_qty, DailyDemand.out_of_stock_bp).where(
            DailyDemand.store_id == store_id, DailyDemand.business_day.between(first, last_day)
        )
    )
    rows = [(sku, (day - first).days, qty, empty) for sku, day, qty, empty in cells]
    listed = set(session.scalars(sa.select(Listing.sku).where(Listing.store_id == store_id, Listing.active)))
    names = _top_categories(session)
    skus = sorted(sku for sku in {row[0] for row in rows} | listed if sku in names)
    seen = np.zeros(days, dtype=np.bool_)
    seen[[(day - first).days for day in opened]] = True
    y, hidden = _grid(skus, rows, days)
    known = np.broadcast_to(seen, y.shape).copy()
    moved: dict[str, dt.date] = dict(
        session.execute(
            sa.select(StockMovement.sku, sa.func.min(StockMovement.business_day))
            .where(StockMovement.store_id == store_id, StockMovement.business_day <= last_day)
            .group_by(StockMovement.sku)
        ).all()
    )  # fmt: skip
    sold = lived | {row[0] for row in rows if row[2] > 0}
    for row, sku in enumerate(skus):
        if sku not in sold:
            since = (moved[sku] - first).days if sku in moved else days
            known[row, : max(0, since)] = False
    return DemandPanel(
        keys=tuple((store_id, sku) for sku in skus),
        first_day=first,
        y=np.where(known, y, np.nan),
        category=tuple(names[sku] for sku in skus),
        region=(store.region_id,) * len(skus),
        out_of_stock=(hidden >= EMPTY_FROM_BP) & known,
        out_share=hidden / 10_000,
    )


def region_panel(
    session: Session, region_id: str, last_day: dt.date, days: int = HISTORY_DAYS, *, also: Collection[str] = ()
) -> "DemandPanel":
    """Return a region's demand, in units of its stores of today (rule 6); a day on which none sold is not observed.

    also: products other regions sell; of one that this region never sold nothing is observed.
    """
    import numpy as np

    from forecasting.series.panel import DemandPanel

    first = last_day - dt.timedelta(days=days - 1)
    cells = session.execute(
        sa.select(RegionalDemand.sku, RegionalDemand.business_day, RegionalDemand.sold_qty).where(
            RegionalDemand.region_id == region_id, RegionalDemand.business_day.between(first, last_day)
        )
    )
    rows = [(sku, (day - first).days, qty, 0) for sku, day, qty in cells]
    names = _top_categories(session)
    here = {row[0] for row in rows}
    skus = sorted((here | set(also)) & set(names))
    y, _ = _grid(skus, rows, days)
    part = _part_then(session, region_id, first, days)
    seen = np.zeros(days, dtype=np.bool_)
    seen[[row[1] for row in rows]] = True
    sold = np.array([sku in here for sku in skus], dtype=np.bool_)
    return DemandPanel(
        keys=tuple((region_id, sku) for sku in skus),
        first_day=first,
        y=np.where(seen[None, :] & sold[:, None], y / part, np.nan),
        category=tuple(names[sku] for sku in skus),
        region=(region_id,) * len(skus),
    )


def usual(session: Session, region_id: str, last_day: dt.date) -> "dict[tuple[str, str], Usual]":
    """Read what the chain's last weeks let a store of the region expect of each product, by region and sku."""
    import numpy as np

    from forecasting.fit.assortment import WINDOW_DAYS, Assortment, lines

    first, units = last_day - dt.timedelta(days=WINDOW_DAYS - 1), sa.func.sum(DailyDemand.sold_qty)
    sales_amount = sa.func.sum(DailyDemand.revenue_minor)
    since = sa.func.min(sa.case((DailyDemand.sold_qty > 0, DailyDemand.business_day)))
    cells = session.execute(
        sa.select(DailyDemand.store_id, Store.region_id, DailyDemand.sku, units, since, sales_amount)
        .join(Store, Store.id == DailyDemand.store_id)
        .where(DailyDemand.business_day.between(first, last_day))
        .group_by(DailyDemand.store_id, Store.region_id, DailyDemand.sku)
        .having(units > 0)
    ).all()
    names = _top_categories(session)
    region_of = {store: region for store, region, *_ in cells}
    stores = {name: at for at, name in enumerate(sorted(region_of))}
    regions = {name: at for at, name in enumerate(sorted({region_id, *region_of.values()}))}
    skus = {name: at for at, name in enumerate(sorted({row[2] for row in cells}))}
    top_categories = {name: at for at, name in enumerate(sorted({names.get(sku, "") for sku in skus}))}
    sold, silent = np.zeros((len(stores), len(skus))), np.zeros((len(stores), len(skus)), dtype=np.int64)
    taken = np.zeros(len(skus))
    for store, _, sku, qty, day, paid in cells:
        sold[stores[store], skus[sku]] = qty
        silent[stores[store], skus[sku]] = (day - first).days
        taken[skus[sku]] += float(paid)
    price = np.where(taken > 0, taken, np.nan) / sold.sum(axis=0)
    table = Assortment.of(
        sold,
        silent,
        np.array([regions[region_of[store]] for store in stores], dtype=np.int64),
        lines(np.array([top_categories[names.get(sku, "")] for sku in skus], dtype=np.int64), price),
    )
    reported = zip(skus, table.usual(regions[region_id]) if stores else (), strict=True)
    return {(region_id, sku): one for sku, one in reported}


def top_category(department: str, category: str, stock_unit: str) -> str:
    """Return the group whose demand is pooled: the department, weighed goods apart (grams are no pieces)."""
    name = department or category
    return name if stock_unit == "each" else f"{name}, {stock_unit}"


def in_parts(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield lists of at most `size` rows."""
    source = iter(rows)
    while part := list(islice(source, size)):
        yield part


def department() -> sa.ColumnElement[str]:
    """Return under which department a product is added up: its category, where it has none."""
    return sa.func.coalesce(sa.func.nullif(Product.department, ""), Product.category)


def whole_day(session: Session, today: dt.date) -> dt.date | None:
    """Return the newest business day of rolled-up sales that is over: a day that has just begun would look poor.

    Every "seven days" and "28 days" the operator sees, of all stores or of one, ends with it.
    """
    day: dt.date | None = session.scalar(
        sa.select(sa.func.max(StoreDay.business_day)).where(StoreDay.business_day < today)
    )
    return day


def forget_rates(session: Session, stores: Collection[str], changed: dt.date = NEVER) -> None:
    """Let what is kept of stores be kept again, where it was made of that day: of any, where none is named."""
    if stores:
        # not a delete: that would not wait for who is just keeping them, and leave what it read before
        _write(session, stores, NEVER, only_after=changed)


def rates_due(session: Session, today: dt.date, most: int) -> list[str]:
    """Return the stores whose rates are to be kept, and note them as kept: the caller does so in this transaction."""
    kept = RatesKept
    query = (
        sa.select(Store.id)
        .outerjoin(kept, kept.store_id == Store.id)
        .where(sa.or_(kept.day.is_(None), kept.day < today))
        .order_by(Store.id)
        .limit(most)
    )
    stores = list(session.scalars(query))
    if stores:
        _write(session, stores, today)
    return stores


# --- inside ---


def _part_then(session: Session, region_id: str, first: dt.date, days: int) -> Any:
    """Return (days,) what part of a region's stores of today traded on each day (rule 6)."""
    import numpy as np

    from forecasting.series.growth import part_then

    store, day, today = StoreDay.store_id, StoreDay.business_day, first + dt.timedelta(days=days)
    lately = today - dt.timedelta(days=SIZE_DAYS)
    spans = (
        sa.select(store, sa.func.min(day).label("began"), sa.func.max(day).label("ended"))
        .join(Store, Store.id == store)
        .where(Store.region_id == region_id, StoreDay.sales > 0, day < today)
        .group_by(store)
        .subquery()
    )
    trades = spans.c.ended >= lately
    since = sa.case((trades, lately), else_=days_later(session, spans.c.ended, 1 - SIZE_DAYS))
    query = (
        sa.select(spans.c.began, spans.c.ended, trades, sa.func.sum(StoreDay.revenue_minor))
        .join(StoreDay, (store == spans.c.store_id) & day.between(since, spans.c.ended))
        .group_by(spans.c.store_id, spans.c.began, spans.c.ended)
        .order_by(spans.c.store_id)
    )
    opened, closed, size = [], [], []
    for began, last_day, is_open, taken in session.execute(query):
        end = today if is_open else last_day + dt.timedelta(days=1)
        opened.append((began - first).days)
        closed.append((end - first).days - 1)
        size.append(max(0, taken) / min(SIZE_DAYS, (end - began).days))
    return part_then(np.array(opened, np.int64), np.array(closed, np.int64), np.array(size, np.float64), days)


def _grid(skus: list[str], rows: list[tuple[str, int, int, int]], days: int) -> tuple[Any, Any]:
    import numpy as np

    place = {sku: row for row, sku in enumerate(skus)}
    y = np.zeros((len(skus), days))
    hidden = np.zeros((len(skus), days))
    for sku, day, qty, share in rows:
        if sku in place:
            y[place[sku], day] = max(0, qty)
            hidden[place[sku], day] = share
    return y, hidden


def _top_categories(session: Session) -> dict[str, str]:
    rows = session.execute(sa.select(Product.sku, Product.department, Product.category, Product.stock_unit))
    return {sku: top_category(department, category, unit) for sku, department, category, unit in rows}


def _text(numbers: Iterable[int]) -> str:
    return " ".join(str(number) if number else "" for number in numbers)


def _numbers(text: str, days: int) -> list[int]:
    numbers = [int(part) if part else 0 for part in text.split(" ")]
    if len(numbers) != days:
        raise ValueError(f"{len(numbers)} numbers for {days} days")
    return numbers


def _write(session: Session, stores: Collection[str], day: dt.date, *, only_after: dt.date | None = None) -> None:
    insert = insert_into(RatesKept, dialect_of(session))
    there = None if only_after is None else RatesKept.__table__.c.day > only_after
    upsert = insert.on_conflict_do_update(index_elements=["store_id"], set_={"day": insert.excluded.day}, where=there)
    session.execute(upsert, [{"store_id": store_id, "day": day} for store_id in sorted(stores)])
