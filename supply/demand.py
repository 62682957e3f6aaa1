"""What customers wanted, per shop, product and business day, and its sum over a region.

Rules
-----
1. DailyDemand is rolled up from sale lines; a late fact re-rolls its day. Returns lower the day of the return.
2. A day without a row on which the shop was open is a real zero; a day on which it was closed, or of which nothing is
   known, is not observed.
3. The region's row is the sum over its stores, rolled up in the same call; the network is its author, a store takes it
   over as an edition.
4. What was imported is never re-rolled.
5. A shelf that stood empty at closing time hid demand: the share of the day since its last sale is kept beside it.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import day_start
from config.database import Base, dialect_of, insert_into
from config.node import NETWORK, this_node
from pos.catalogue import Listing, Product
from pos.sale import Sale, SaleLine
from pos.shift import Shift
from pos.stock import INSIDE, StockLevel, StockMovement
from pos.store import Store

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from forecasting.panel import DemandPanel

LATE_DAYS = 60
"""So far back a roll-up looks for days whose sales have changed since."""
HISTORY_DAYS = 728
EDITION_DAYS = 120
EMPTY_FROM_BP = 500
ROWS_AT_ONCE = 20_000


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
    """Sales and returns rung up; of an imported day, at least so many."""
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


# --- verbs ---


def roll_up(session: Session, store_ids: Sequence[str] | None, day: dt.date, *, at: dt.datetime) -> list[dt.date]:
    """Add a day's sales up, and once more every day of LATE_DAYS before it whose sales have changed (rule 1).

    store_ids: None for every store here. Returns the days that were rolled up, rising.
    """
    stores = sorted(session.scalars(sa.select(Store.id)) if store_ids is None else store_ids)
    todo: dict[dt.date, list[str]] = {day: stores}
    for store_id, late_day in _changed(session, stores, day):
        if late_day != day:
            todo.setdefault(late_day, []).append(store_id)
    for each, ids in sorted(todo.items()):
        fixed = set(
            session.scalars(sa.select(StoreDay.store_id).where(StoreDay.business_day == each, StoreDay.imported))
        )
        own = [store_id for store_id in ids if store_id not in fixed]
        _roll_lines(session, own, each)
        _roll_stores(session, own, each)
        for store_id in own:
            _mark_empty(session, store_id, each, at)
        _roll_regions(session, ids, each, each)
    session.flush()
    return sorted(todo)


def import_history(session: Session, rows: Iterable[tuple[str, str, dt.date, int, int, int]]) -> int:
    """Lay in the past: (store_id, sku, day, sold_qty, revenue_minor, sales) a row; returns how many.

    A row that is here already and was imported is replaced; what was rung up here stands. Days on which a shop has
    any row count as open.
    """
    days: dict[tuple[str, dt.date], list[int]] = {}
    total, upsert = 0, _upsert(session, DailyDemand, ["sold_qty", "revenue_minor", "sales"])
    for part in _parts(rows, ROWS_AT_ONCE):
        batch = []
        for store_id, sku, day, sold, revenue, sales in part:
            batch.append(
                {"store_id": store_id, "sku": sku, "business_day": day, "sold_qty": int(sold), "pickup_qty": 0,
                 "revenue_minor": int(revenue), "sales": int(sales), "out_of_stock_bp": 0, "imported": True}
            )  # fmt: skip
            sums = days.setdefault((store_id, day), [0, 0])
            sums[0], sums[1] = max(sums[0], int(sales)), sums[1] + int(revenue)
        session.execute(upsert, batch)
        total += len(batch)
    opened = [
        {"store_id": store_id, "business_day": day, "open": True, "sales": sales, "revenue_minor": revenue,
         "imported": True}
        for (store_id, day), (sales, revenue) in sorted(days.items())
    ]  # fmt: skip
    for part in _parts(opened, ROWS_AT_ONCE):
        session.execute(_upsert(session, StoreDay, ["sales", "revenue_minor"]), part)
    if days:
        stores = sorted({store_id for store_id, _ in days})
        _roll_regions(session, stores, min(day for _, day in days), max(day for _, day in days))
    return total


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
    for part in _parts(fresh, ROWS_AT_ONCE):
        session.execute(sa.insert(RegionalDemand), part)


# --- questions ---


def edition(session: Session, region_id: str, last_day: dt.date, days: int = EDITION_DAYS) -> dict[str, Any]:
    """Return a region's demand up to last_day for its stores; {} where there is none.

    rows: [sku, unit, sold, over, selling, pickup], each a text of `days` numbers with nothing for a zero; revenue is
    sold x unit + over. open: stores open a day.
    """
    first = last_day - dt.timedelta(days=days - 1)
    grids: dict[str, list[list[int]]] = {}
    stores_open = [0] * days
    query = (
        sa.select(
            RegionalDemand.sku, RegionalDemand.business_day, RegionalDemand.sold_qty, RegionalDemand.revenue_minor,
            RegionalDemand.stores_selling, RegionalDemand.pickup_qty, RegionalDemand.stores_open,
        )
        .where(RegionalDemand.region_id == region_id, RegionalDemand.business_day.between(first, last_day))
        .order_by(RegionalDemand.sku)
    )  # fmt: skip
    for sku, day, *cells, opened in session.execute(query):
        grid = grids.setdefault(sku, [[0] * days for _ in range(4)])
        n = (day - first).days
        stores_open[n] = max(stores_open[n], opened)
        for row, value in zip(grid, cells, strict=True):
            row[n] = value
    rows = []
    for sku, (sold, revenue, selling, pickup) in sorted(grids.items()):
        prices = sorted(money // qty for qty, money in zip(sold, revenue, strict=True) if qty > 0)
        unit = prices[len(prices) // 2] if prices else 0
        over = [money - qty * unit for qty, money in zip(sold, revenue, strict=True)]
        rows.append([sku, unit, *(_text(numbers) for numbers in (sold, over, selling, pickup))])
    return {"region_id": region_id, "first_day": first.isoformat(), "open": stores_open, "rows": rows} if rows else {}


def panel(session: Session, store_id: str, last_day: dt.date, days: int = HISTORY_DAYS) -> "DemandPanel":
    """Return a store's demand of `days` days up to last_day: what it sold or lists (rule 2).

    A product that neither sold nor moved here yet is not observed at all.
    """
    import numpy as np

    from forecasting.panel import DemandPanel

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
    names = _aisles(session)
    skus = sorted(sku for sku in {row[0] for row in rows} | listed if sku in names)
    seen = np.zeros(days, dtype=np.bool_)
    seen[[(day - first).days for day in opened]] = True
    y, empty = _grid(skus, rows, days)
    known = np.broadcast_to(seen, y.shape).copy()
    moved: dict[str, dt.date] = dict(
        session.execute(
            sa.select(StockMovement.sku, sa.func.min(StockMovement.business_day))
            .where(StockMovement.store_id == store_id, StockMovement.business_day <= last_day)
            .group_by(StockMovement.sku)
        ).all()
    )  # fmt: skip
    sold = {row[0] for row in rows if row[2] > 0}
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
        out_of_stock=empty & known,
    )


def region_panel(session: Session, region_id: str, last_day: dt.date, days: int = HISTORY_DAYS) -> "DemandPanel":
    """Return a region's demand; a day on which none of its shops sold anything is not observed."""
    import numpy as np

    from forecasting.panel import DemandPanel

    first = last_day - dt.timedelta(days=days - 1)
    cells = session.execute(
        sa.select(RegionalDemand.sku, RegionalDemand.business_day, RegionalDemand.sold_qty).where(
            RegionalDemand.region_id == region_id, RegionalDemand.business_day.between(first, last_day)
        )
    )
    rows = [(sku, (day - first).days, qty, 0) for sku, day, qty in cells]
    names = _aisles(session)
    skus = sorted({row[0] for row in rows} & set(names))
    y, _ = _grid(skus, rows, days)
    seen = np.zeros(days, dtype=np.bool_)
    seen[[row[1] for row in rows]] = True
    return DemandPanel(
        keys=tuple((region_id, sku) for sku in skus),
        first_day=first,
        y=np.where(seen[None, :], y, np.nan),
        category=tuple(names[sku] for sku in skus),
        region=(region_id,) * len(skus),
    )


def aisle(department: str, category: str, stock_unit: str) -> str:
    """Return the group whose demand is pooled: the department, weighed goods apart (grams are no pieces)."""
    name = department or category
    return name if stock_unit == "each" else f"{name}, {stock_unit}"


# --- inside ---


def _changed(session: Session, stores: list[str], day: dt.date) -> list[tuple[str, dt.date]]:
    """Return the store days whose number of sales is not the rolled-up one: sales are never changed, only added."""
    since = day - dt.timedelta(days=LATE_DAYS)
    counts = sa.select(StoreDay.store_id, StoreDay.business_day, StoreDay.sales, StoreDay.imported)
    rolled = {
        (store_id, each): (sales, imported)
        for store_id, each, sales, imported in session.execute(counts.where(StoreDay.business_day.between(since, day)))
    }
    rung = session.execute(
        sa.select(Sale.store_id, Sale.business_day, sa.func.count())
        .where(Sale.store_id.in_(stores), Sale.business_day.between(since, day), Sale.state == "completed")
        .group_by(Sale.store_id, Sale.business_day)
    )
    changed = []
    for store_id, each, count in rung:
        sales, imported = rolled.get((store_id, each), (0, False))
        if count != sales and not imported:
            changed.append((store_id, each))
    return changed


def _roll_lines(session: Session, stores: list[str], day: dt.date) -> None:
    here = sa.and_(DailyDemand.store_id.in_(stores), DailyDemand.business_day == day)
    session.execute(sa.delete(DailyDemand).where(here, sa.not_(DailyDemand.imported)))
    kept = sa.exists().where(
        DailyDemand.store_id == SaleLine.store_id, DailyDemand.sku == SaleLine.sku, DailyDemand.business_day == day
    )
    sold = sa.case((Sale.kind == "sale", Sale.id))
    query = (
        sa.select(
            SaleLine.store_id, SaleLine.sku, Sale.business_day, sa.func.sum(SaleLine.qty),
            sa.func.sum(SaleLine.total_minor), sa.func.count(sa.distinct(sold)),
            sa.func.sum(sa.case((Sale.channel == "pickup", SaleLine.qty), else_=0)), sa.literal(0), sa.false(),
        )
        .join(Sale, sa.and_(Sale.store_id == SaleLine.store_id, Sale.id == SaleLine.sale_id))
        .where(Sale.store_id.in_(stores), Sale.business_day == day, Sale.state == "completed", ~kept)
        .group_by(SaleLine.store_id, SaleLine.sku, Sale.business_day)
    )  # fmt: skip
    names = ["store_id", "sku", "business_day", "sold_qty", "revenue_minor", "sales", "pickup_qty", "out_of_stock_bp",
             "imported"]  # fmt: skip
    session.execute(sa.insert(DailyDemand).from_select(names, query))


def _roll_stores(session: Session, stores: list[str], day: dt.date) -> None:
    """Write the stores' days: with sales, or opened without any; of the others nothing is known (rule 2)."""
    session.execute(sa.delete(StoreDay).where(StoreDay.store_id.in_(stores), StoreDay.business_day == day))
    sums = {
        store_id: (int(count), int(minor))
        for store_id, count, minor in session.execute(
            sa.select(Sale.store_id, sa.func.count(), sa.func.sum(Sale.lines_minor))
            .where(Sale.store_id.in_(stores), Sale.business_day == day, Sale.state == "completed")
            .group_by(Sale.store_id)
        )
    }
    manned = session.scalars(sa.select(Shift.store_id).where(Shift.store_id.in_(stores), Shift.business_day == day))
    rows = [
        {"store_id": store_id, "business_day": day, "open": True, "sales": sums.get(store_id, (0, 0))[0],
         "revenue_minor": sums.get(store_id, (0, 0))[1], "imported": False}
        for store_id in sorted({*sums, *manned})
    ]  # fmt: skip
    if rows:
        session.execute(sa.insert(StoreDay), rows)


def _mark_empty(session: Session, store_id: str, day: dt.date, at: dt.datetime) -> None:
    """Note how long listed products were sold out at the end of a day that is over (rule 5)."""
    store = session.get_one(Store, store_id)
    midnight = day_start(day, store.tz, 0)
    opens, closes = (midnight + dt.timedelta(hours=int(text[:2]), minutes=int(text[3:5]))
                     for text in (store.opens, store.closes))  # fmt: skip
    if closes <= opens:
        closes += dt.timedelta(days=1)
    if session.get(StoreDay, (store_id, day)) is None or at < closes:
        return
    places = [str(place) for place in INSIDE]
    listed = sa.select(Listing.sku).where(Listing.store_id == store_id, Listing.active)
    since = (StockMovement.store_id == store_id, StockMovement.sku.in_(listed), StockMovement.business_day > day)
    moved: dict[str, int] = {}
    for column, sign in ((StockMovement.to_place, -1), (StockMovement.from_place, 1)):
        later = sa.select(StockMovement.sku, sa.func.sum(StockMovement.qty)).where(*since, column.in_(places))
        for sku, qty in session.execute(later.group_by(StockMovement.sku)):
            moved[sku] = moved.get(sku, 0) + sign * int(qty)
    levels = session.execute(
        sa.select(StockLevel.sku, sa.func.sum(StockLevel.qty))
        .join(Listing, sa.and_(Listing.store_id == StockLevel.store_id, Listing.sku == StockLevel.sku, Listing.active))
        .where(StockLevel.store_id == store_id, StockLevel.place.in_(places))
        .group_by(StockLevel.sku)
    )
    empty = [sku for sku, qty in levels if int(qty) + moved.get(sku, 0) <= 0]
    if not empty:
        return
    last: dict[str, dt.datetime] = dict(
        session.execute(
            sa.select(StockMovement.sku, sa.func.max(StockMovement.at))
            .where(StockMovement.store_id == store_id, StockMovement.business_day == day, StockMovement.sku.in_(empty))
            .group_by(StockMovement.sku)
        ).all()
    )  # fmt: skip
    whole = (closes - opens).total_seconds()
    rows = []
    for sku in sorted(empty):
        share = (closes - max(opens, last.get(sku, opens))).total_seconds() / whole
        rows.append(
            {"store_id": store_id, "sku": sku, "business_day": day, "sold_qty": 0, "revenue_minor": 0, "sales": 0,
             "pickup_qty": 0, "out_of_stock_bp": round(min(1.0, max(0.0, share)) * 10_000), "imported": False}
        )  # fmt: skip
    session.execute(_upsert(session, DailyDemand, ["out_of_stock_bp"], only_imported=False), rows)


def _roll_regions(session: Session, stores: Sequence[str], first: dt.date, last: dt.date) -> None:
    """Sum the regions of `stores` once more; only the network does (rule 3)."""
    if this_node(session).id != NETWORK:
        return
    regions = session.scalars(sa.select(Store.region_id).where(Store.id.in_(stores)).distinct()).all()
    here = sa.and_(RegionalDemand.region_id.in_(regions), RegionalDemand.business_day.between(first, last))
    session.execute(sa.delete(RegionalDemand).where(here))
    opened = (
        sa.select(Store.region_id, StoreDay.business_day, sa.func.count().label("stores"))
        .join(Store, Store.id == StoreDay.store_id)
        .where(StoreDay.open, StoreDay.business_day.between(first, last))
        .group_by(Store.region_id, StoreDay.business_day)
        .subquery()
    )
    day = DailyDemand.business_day
    query = (
        sa.select(
            Store.region_id, DailyDemand.sku, day, sa.func.sum(DailyDemand.sold_qty),
            sa.func.sum(DailyDemand.revenue_minor), sa.func.coalesce(sa.func.max(opened.c.stores), 0),
            sa.func.sum(sa.case((DailyDemand.sold_qty > 0, 1), else_=0)), sa.func.sum(DailyDemand.pickup_qty),
        )
        .join(Store, Store.id == DailyDemand.store_id)
        .outerjoin(opened, sa.and_(opened.c.region_id == Store.region_id, opened.c.business_day == day))
        .where(Store.region_id.in_(regions), day.between(first, last))
        .group_by(Store.region_id, DailyDemand.sku, day)
    )  # fmt: skip
    names = ["region_id", "sku", "business_day", "sold_qty", "revenue_minor", "stores_open", "stores_selling",
             "pickup_qty"]  # fmt: skip
    session.execute(sa.insert(RegionalDemand).from_select(names, query))


def _upsert(session: Session, table: type[Base], values: list[str], *, only_imported: bool = True) -> Any:
    """Return an insert that renews `values` of a row that is there; of an imported one alone, if so wished."""
    insert = insert_into(table, dialect_of(session))
    columns = table.__table__.c
    return insert.on_conflict_do_update(
        index_elements=[column.name for column in table.__table__.primary_key],
        set_={name: insert.excluded[name] for name in values},
        where=columns.imported if only_imported else None,
    )


def _grid(skus: list[str], rows: list[tuple[str, int, int, int]], days: int) -> tuple[Any, Any]:
    import numpy as np

    place = {sku: row for row, sku in enumerate(skus)}
    y = np.zeros((len(skus), days))
    empty = np.zeros((len(skus), days), dtype=np.bool_)
    for sku, day, qty, share in rows:
        if sku in place:
            y[place[sku], day] = max(0, qty)
            empty[place[sku], day] = share >= EMPTY_FROM_BP
    return y, empty


def _aisles(session: Session) -> dict[str, str]:
    rows = session.execute(sa.select(Product.sku, Product.department, Product.category, Product.stock_unit))
    return {sku: aisle(department, category, unit) for sku, department, category, unit in rows}


def _parts(rows: Iterable[Any], size: int) -> Iterator[list[Any]]:
    source = iter(rows)
    while part := list(islice(source, size)):
        yield part


def _text(numbers: Iterable[int]) -> str:
    return " ".join(str(number) if number else "" for number in numbers)


def _numbers(text: str, days: int) -> list[int]:
    numbers = [int(part) if part else 0 for part in text.split(" ")]
    if len(numbers) != days:
        raise ValueError(f"{len(numbers)} numbers for {days} days")
    return numbers
