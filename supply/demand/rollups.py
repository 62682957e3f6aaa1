"""Adding demand up: a store's day from its sales, a region's day from its stores.

Rules
-----
1. A day is always added up whole, from the sales of that store and day: however late a fact comes, and however often,
   the result is that of having known it from the start.
2. What arrives at the network marks its day (`pos.stock.changed_days`), and the marked days are added up every half
   minute (`roll_fresh`): nothing searches the sales for what is new. A store's own node adds its day up in the night
   and looks LATE_DAYS back.
3. What was imported is never re-rolled, nor a day whose sales were put away (`pos.sync.archive`).
4. A shelf that stood empty at closing time hid demand: the share of the day's trade since its last sale is kept beside
   it, told from when the store's sales of all products were rung.
5. A store's day that cannot be added up is left out (`isolation`) and tried again after PUT_OFF; the others' are added
   up.
6. What sales, net sales and their cost are, `pos.reports.figures` says: so the operator's figures are the shopkeepers'.
"""

import bisect
import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import Base, dialect_of, insert_into
from config.ids import NETWORK
from config.nodes.journal import Actor, Context
from config.nodes.node import this_node
from pos.catalogue.catalogue import Listing, Product
from pos.reports.figures import MARGIN, NET
from pos.sold import OF_PRODUCT, Sale, SaleLine
from pos.stock import changed_days
from pos.stock.ledger import INSIDE, StockLevel, StockMovement
from pos.store.store import Store
from pos.sync import archive
from pos.till.shift_book import Shift
from supply import isolation
from supply.demand import closed_days, forecast_state, history
from supply.demand.history import (
    MONEY,
    ROWS_AT_ONCE,
    CategoryDay,
    DailyDemand,
    RegionalDemand,
    StoreDay,
    in_parts,
)

LATE_DAYS = 60
"""So far back a roll-up looks for days whose sales have changed since."""
HOURS_WORTH = 20
"""A day with few sales is told from its hours, one with many from its sales."""
ROLLING_LOCK = 0x726F6C6C
PUT_OFF = dt.timedelta(days=1)
_PAIRWISE = ("nestloop", "mergejoin")
_NO_NET = dict.fromkeys(MONEY[1:], 0)
DAYS_AT_ONCE = 400
"""Stores' days that one transaction of `roll_fresh` adds up."""


def roll_up(session: Session, store_ids: Sequence[str] | None, day: dt.date, *, at: dt.datetime) -> list[dt.date]:
    """Add a day's sales up, and again every day whose sales have changed since (rules 1, 2).

    store_ids: None for every store here. Returns the days that were rolled up, rising.
    """
    _alone(session)
    stores = sorted(session.scalars(sa.select(Store.id)) if store_ids is None else store_ids)
    todo: dict[dt.date, list[str]] = {day: stores}
    is_network = this_node(session).id == NETWORK
    late = changed_days.take(session, ROWS_AT_ONCE, at=at) if is_network else _changed(session, stores, day)
    for store_id, late_day in late:
        if late_day != day:
            todo.setdefault(late_day, []).append(store_id)

    def whole(ids: Sequence[str], each: dt.date) -> None:
        _roll_day(session, ids, each, at)
        _sum_regions(session, ids, each, each)

    for each, ids in sorted(todo.items()):
        _together_or_apart(session, ids, each, whole, at=at)
    session.flush()
    return sorted(todo)


def roll_fresh(session: Session, *, at: dt.datetime, most: int = DAYS_AT_ONCE) -> int:
    """Add up what has arrived at the network since the last time (rule 2); returns how many stores' days it were.

    A region's row changes by the difference its stores' rows make, so that the cost is that of what arrived.
    """
    _alone(session)
    todo: dict[dt.date, list[str]] = {}
    for store_id, day in changed_days.take(session, most, at=at):
        todo.setdefault(day, []).append(store_id)

    def changed(ids: Sequence[str], day: dt.date) -> None:
        before = _shares(session, ids, day)
        _roll_day(session, ids, day, at, replaces=False)
        _shift_regions(session, day, before, _shares(session, ids, day))
        _sum_categories(session, ids, day, day)

    for day, ids in sorted(todo.items()):
        _together_or_apart(session, ids, day, changed, at=at)
    return sum(map(len, todo.values()))


def import_history(session: Session, rows: Iterable[tuple[str, str, dt.date, int, int, int]]) -> int:
    """Lay in the past: (store_id, sku, day, sold_qty, revenue_minor, sales) a row; returns how many.

    A row that is here already and was imported is replaced; what was rung up here stands. Days on which a store has
    any row count as open.
    """
    days: dict[tuple[str, dt.date], list[int]] = {}
    total, upsert = 0, _upsert(session, DailyDemand, ["sold_qty", "revenue_minor", "sales"])
    for part in in_parts(rows, ROWS_AT_ONCE):
        batch = []
        for store_id, sku, day, sold, revenue, sales in part:
            batch.append(
                {"store_id": store_id, "sku": sku, "business_day": day, "sold_qty": int(sold), "pickup_qty": 0,
                 "revenue_minor": int(revenue), **_NO_NET, "sales": int(sales), "out_of_stock_bp": 0, "imported": True}
            )  # fmt: skip
            sums = days.setdefault((store_id, day), [0, 0])
            sums[0], sums[1] = max(sums[0], int(sales)), sums[1] + int(revenue)
        session.execute(upsert, batch)
        total += len(batch)
    opened = [
        {"store_id": store_id, "business_day": day, "open": True, "sales": sales, "revenue_minor": revenue,
         **_NO_NET, "imported": True}
        for (store_id, day), (sales, revenue) in sorted(days.items())
    ]  # fmt: skip
    for part in in_parts(opened, ROWS_AT_ONCE):
        session.execute(_upsert(session, StoreDay, ["sales", "revenue_minor"]), part)
    if days:
        stores = sorted({store_id for store_id, _ in days})
        forecast_state.forget(session, stores)
        history.forget_rates(session, stores, min(day for _, day in days))
        _sum_regions(session, stores, min(day for _, day in days), max(day for _, day in days))
    return total


def forget_history(session: Session, store_id: str) -> int:
    """Take back all that was laid in of a store's past; returns of how many days."""
    spell = imported_days(session, store_id)
    if spell is None:
        return 0
    first, last, count = spell
    for table in (DailyDemand, StoreDay):
        session.execute(sa.delete(table).where(table.store_id == store_id, table.imported))
    forecast_state.forget(session, [store_id])
    history.forget_rates(session, [store_id], first)
    _sum_regions(session, [store_id], first, last)
    return count


def imported_days(session: Session, store_id: str) -> tuple[dt.date, dt.date, int] | None:
    """Return the first and last day of a store's past that was laid in, and how many there are; None = none."""
    day = StoreDay.business_day
    query = sa.select(sa.func.min(day), sa.func.max(day), sa.func.count())
    first, last, count = session.execute(query.where(StoreDay.store_id == store_id, StoreDay.imported)).one()
    return (first, last, count) if count else None


# --- inside ---


def _together_or_apart(
    session: Session, ids: Sequence[str], day: dt.date, add_up: Callable[[Sequence[str], dt.date], None], *,
    at: dt.datetime,
) -> None:  # fmt: skip
    """Add stores' day up all at once; where that trips, each by itself, and who still trips is left out (rule 5)."""
    node_id = this_node(session).id
    actor = Actor.system("roll-up", node_id)
    left = isolation.together(Context(session, actor, at), "demand", ids, lambda some: add_up(some, day))
    for store_id in left if node_id == NETWORK else ():
        changed_days.mark(session, store_id, [day], at=at + PUT_OFF)


def _alone(session: Session) -> None:
    """Let one roll-up after the other write, whichever process they run in."""
    if dialect_of(session) == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(ROLLING_LOCK)))
        # a week that has just begun has no statistics yet, and any other join would compare every pair of its rows
        session.execute(sa.select(*(sa.func.set_config(f"enable_{join}", "off", True) for join in _PAIRWISE)))


def _roll_day(session: Session, stores: Sequence[str], day: dt.date, at: dt.datetime, *, replaces: bool = True) -> None:
    fixed = set(session.scalars(sa.select(StoreDay.store_id).where(StoreDay.business_day == day, StoreDay.imported)))
    own = [] if archive.is_away(session, day) else [store_id for store_id in stores if store_id not in fixed]
    if day < at.astimezone(dt.UTC).date():  # what is sold today tells only from tomorrow on
        history.forget_rates(session, own, day)
    _roll_lines(session, own, day, replaces=replaces)
    _roll_stores(session, own, day)
    for store in session.scalars(sa.select(Store).where(Store.id.in_(own)).order_by(Store.id)).all():
        _mark_empty(session, store, day, at)


_SHARED: dict[str, sa.ColumnElement[int]] = {
    **{name: sa.func.sum(getattr(DailyDemand, name)) for name in ("sold_qty", *MONEY)},
    "stores_selling": sa.func.sum(sa.case((DailyDemand.sold_qty > 0, 1), else_=0)),
    "pickup_qty": sa.func.sum(DailyDemand.pickup_qty),
}
"""What a region's row sums of its stores'."""


def _shares(session: Session, stores: Sequence[str], day: dt.date) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return what stores give to their regions' rows of a day: (region, sku) -> the sums of _SHARED."""
    query = (
        sa.select(Store.region_id, DailyDemand.sku, *_SHARED.values())
        .join(Store, Store.id == DailyDemand.store_id)
        .where(DailyDemand.store_id.in_(stores), DailyDemand.business_day == day)
        .group_by(Store.region_id, DailyDemand.sku)
    )
    return {(region, sku): tuple(map(int, sums)) for region, sku, *sums in session.execute(query)}


def _shift_regions(
    session: Session,
    day: dt.date,
    before: dict[tuple[str, str], tuple[int, ...]],
    after: dict[tuple[str, str], tuple[int, ...]],
) -> None:
    """Change the regions' rows of a day by what their stores' shares became (rule 3 of `demand`)."""
    nothing, names = (0,) * len(_SHARED), tuple(_SHARED)
    rows = [
        {"region_id": key[0], "sku": key[1], "business_day": day, "stores_open": 0,
         **{name: new - old for name, new, old in zip(names, share, before.get(key, nothing), strict=True)}}
        for key, share in sorted(after.items())
        if share != before.get(key)
    ]  # fmt: skip
    if not rows:
        return
    insert, columns = insert_into(RegionalDemand, dialect_of(session)), RegionalDemand.__table__.c
    added = {name: columns[name] + insert.excluded[name] for name in names}
    session.execute(insert.on_conflict_do_update(index_elements=["region_id", "sku", "business_day"], set_=added), rows)
    open_here = (
        sa.select(Store.region_id, sa.func.count())
        .join(StoreDay, StoreDay.store_id == Store.id)
        .where(StoreDay.business_day == day, StoreDay.open, Store.region_id.in_({key[0] for key in after}))
        .group_by(Store.region_id)
    )
    for region_id, count in session.execute(open_here).all():
        here = (RegionalDemand.region_id == region_id, RegionalDemand.business_day == day)
        session.execute(
            sa.update(RegionalDemand).where(*here, RegionalDemand.stores_open != count).values(stores_open=count)
        )


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


def _roll_lines(session: Session, stores: list[str], day: dt.date, *, replaces: bool) -> None:
    """Write a day's rows of products: all of them again, or only those that changed, since sales only grow."""
    if replaces:
        here = sa.and_(DailyDemand.store_id.in_(stores), DailyDemand.business_day == day)
        session.execute(sa.delete(DailyDemand).where(here, sa.not_(DailyDemand.imported)))
    kept = sa.exists().where(
        DailyDemand.store_id == SaleLine.store_id,
        DailyDemand.sku == SaleLine.sku,
        DailyDemand.business_day == day,
        DailyDemand.imported,
    )
    sold = sa.case((Sale.kind == "sale", Sale.id))
    # by these PostgreSQL finds the week's partition; by these, or by a day alone, SQLite would read all lines there are
    is_one_book = dialect_of(session) == "sqlite"
    of_its_week = () if is_one_book else (SaleLine.store_id.in_(stores), SaleLine.business_day == day)
    query = (
        sa.select(
            Sale.store_id, OF_PRODUCT, Sale.business_day, sa.func.sum(SaleLine.qty),
            sa.func.sum(SaleLine.total_minor), NET, *MARGIN, sa.func.count(sa.distinct(sold)),
            sa.func.sum(sa.case((Sale.channel == "pickup", SaleLine.qty), else_=0)), sa.literal(0), sa.false(),
        )
        .join(Sale, sa.and_(Sale.store_id == SaleLine.store_id, Sale.id == SaleLine.sale_id))
        .where(
            Sale.store_id.in_(stores), Sale.business_day.between(day, day), Sale.state == "completed", ~kept,
            *of_its_week,
        )
        .group_by(Sale.store_id, OF_PRODUCT, Sale.business_day)
    )  # fmt: skip
    names = ["store_id", "sku", "business_day", "sold_qty", *MONEY, "sales", "pickup_qty", "out_of_stock_bp",
             "imported"]  # fmt: skip
    insert = insert_into(DailyDemand, dialect_of(session)).from_select(names, query)
    columns, sums = DailyDemand.__table__.c, ("sold_qty", *MONEY, "sales", "pickup_qty")
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["store_id", "sku", "business_day"],
            set_={name: insert.excluded[name] for name in sums},
            where=sa.or_(*(columns[name] != insert.excluded[name] for name in sums)),
        )
    )


def _roll_stores(session: Session, stores: list[str], day: dt.date) -> None:
    """Write the stores' days: with sales, or opened without any and not closed; of the others nothing is known."""
    session.execute(sa.delete(StoreDay).where(StoreDay.store_id.in_(stores), StoreDay.business_day == day))
    sums = {
        store_id: (int(count), int(minor))
        for store_id, count, minor in session.execute(
            sa.select(Sale.store_id, sa.func.count(), sa.func.sum(Sale.total_minor))
            .where(Sale.store_id.in_(stores), Sale.business_day == day, Sale.state == "completed")
            .group_by(Sale.store_id)
        )
    }
    opened = session.scalars(sa.select(Shift.store_id).where(Shift.store_id.in_(stores), Shift.business_day == day))
    manned = set(opened) - closed_days.shut_on(session, stores, day)
    row = DailyDemand
    products = sa.select(row.store_id, *(sa.func.sum(getattr(row, name)) for name in _NO_NET))
    products = products.where(row.store_id.in_(stores), row.business_day == day).group_by(row.store_id)
    nets = {store_id: dict(zip(_NO_NET, map(int, some), strict=True)) for store_id, *some in session.execute(products)}
    rows = [
        {"store_id": store_id, "business_day": day, "open": True, "sales": sums.get(store_id, (0, 0))[0],
         "revenue_minor": sums.get(store_id, (0, 0))[1], **nets.get(store_id, _NO_NET), "imported": False}
        for store_id in sorted({*sums, *manned})
    ]  # fmt: skip
    if rows:
        session.execute(sa.insert(StoreDay), rows)


def _rung_at(session: Session, store_id: str, day: dt.date) -> list[dt.datetime]:
    """Return when a day's sales were rung up, in order."""
    of_day = (Sale.store_id == store_id, Sale.business_day == day, Sale.state == "completed", Sale.kind == "sale")
    return sorted(session.scalars(sa.select(Sale.completed_at).where(*of_day)))


def _expected_rest(since: dt.datetime, hours: float, rung: list[dt.datetime]) -> float:
    """Return the part of a day's trade that came after `since`: of its sales, the hours weighing as HOURS_WORTH.

    hours: the share of the day's hours after it.
    """
    after = len(rung) - bisect.bisect_right(rung, since)
    return (after + HOURS_WORTH * hours) / (len(rung) + HOURS_WORTH)


def _mark_empty(session: Session, store: Store, day: dt.date, at: dt.datetime) -> None:
    """Note how long listed products were sold out at the end of a day that is over (rule 5)."""
    store_id = store.id
    zone = ZoneInfo(store.tz)
    if not (spans := store.week.instants(day, zone)):
        return
    opens, closes = spans[0][0], spans[-1][1]
    if at < closes or session.get(StoreDay, (store_id, day)) is None:
        return
    if session.scalar(sa.select(Listing.sku).where(Listing.store_id == store_id, Listing.active).limit(1)) is None:
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
    session.execute(
        sa.update(DailyDemand)
        .where(
            DailyDemand.store_id == store_id,
            DailyDemand.business_day == day,
            DailyDemand.out_of_stock_bp > 0,
            DailyDemand.sku.not_in(empty),
            sa.not_(DailyDemand.imported),
        )
        .values(out_of_stock_bp=0)
    )
    if not empty:
        return
    last: dict[str, dt.datetime] = dict(
        session.execute(
            sa.select(StockMovement.sku, sa.func.max(StockMovement.at))
            .where(StockMovement.store_id == store_id, StockMovement.business_day == day, StockMovement.sku.in_(empty))
            .group_by(StockMovement.sku)
        ).all()
    )  # fmt: skip
    rung = _rung_at(session, store_id, day)
    rows = []
    for sku in sorted(empty):
        gone_at = max(opens, last.get(sku, opens))
        share = _expected_rest(gone_at, store.week.left(day, zone, gone_at), rung)
        rows.append(
            {"store_id": store_id, "sku": sku, "business_day": day, "sold_qty": 0, "revenue_minor": 0, **_NO_NET,
             "sales": 0, "pickup_qty": 0, "out_of_stock_bp": round(min(1.0, max(0.0, share)) * 10_000),
             "imported": False}
        )  # fmt: skip
    session.execute(_upsert(session, DailyDemand, ["out_of_stock_bp"], only_imported=False), rows)


def _sum_regions(session: Session, stores: Sequence[str], first: dt.date, last: dt.date) -> None:
    """Sum the regions of `stores` again; only the network does (rule 3)."""
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
            Store.region_id, DailyDemand.sku, day, sa.func.coalesce(sa.func.max(opened.c.stores), 0), *_SHARED.values(),
        )
        .join(Store, Store.id == DailyDemand.store_id)
        .outerjoin(opened, sa.and_(opened.c.region_id == Store.region_id, opened.c.business_day == day))
        .where(Store.region_id.in_(regions), day.between(first, last))
        .group_by(Store.region_id, DailyDemand.sku, day)
    )  # fmt: skip
    names = ["region_id", "sku", "business_day", "stores_open", *_SHARED]
    session.execute(sa.insert(RegionalDemand).from_select(names, query))
    _sum_categories(session, stores, first, last)


def _sum_categories(session: Session, stores: Sequence[str], first: dt.date, last: dt.date) -> None:
    """Sum the categories' days of the stores' regions again."""
    regions = sa.select(Store.region_id).where(Store.id.in_(stores))
    here = [
        (row.region_id.in_(regions), row.business_day.between(first, last)) for row in (CategoryDay, RegionalDemand)
    ]
    session.execute(sa.delete(CategoryDay).where(*here[0]))
    key = (RegionalDemand.region_id, RegionalDemand.business_day, history.department(), Product.category)
    query = (
        sa.select(*key, *(sa.func.sum(getattr(RegionalDemand, name)) for name in MONEY))
        .join(Product, Product.sku == RegionalDemand.sku)
        .where(*here[1])
        .group_by(*key)
    )
    names = ["region_id", "business_day", "department", "category", *MONEY]
    session.execute(sa.insert(CategoryDay).from_select(names, query))


def _upsert(session: Session, table: type[Base], values: list[str], *, only_imported: bool = True) -> Any:
    """Return an insert that renews `values` of a row that is there; of an imported one alone, if so wished."""
    insert = insert_into(table, dialect_of(session))
    columns = table.__table__.c
    return insert.on_conflict_do_update(
        index_elements=[column.name for column in table.__table__.primary_key],
        set_={name: insert.excluded[name] for name in values},
        where=columns.imported if only_imported else None,
    )
