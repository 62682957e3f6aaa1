"""What the operator sees of the network and of one store: regions, stores, orders, products; `attention`: what needs a
person.

Read-only. Sums come from the daily roll-ups, never from raw sales, so that a look stays cheap however much was sold.

Rules
-----
1. A store's sales are those of the last SHOWN_DAYS whole days (`history.whole_day`, as in the list of stores). Beside
   each stands what the region's other stores took that day, shared out over those that were open: what a store like
   this took.
2. Of what a store sells, a product runs out when what it has and awaits is sold within LACK_DAYS (`outlook`).
3. What needs somebody is what `attention` says of this store, in the words of the operator's first page.

Units: *_minor minor units; quantities in stock units.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import among
from config.nodes.inbox import InboxMessage
from config.nodes.node import Peer
from pos.catalogue.catalogue import Product
from pos.stock.ledger import INSIDE, StockLevel
from pos.store.store import Region, Store
from supply.demand import history
from supply.demand.forecasts import ForecastRun
from supply.demand.history import RegionalDemand, StoreDay
from supply.online.orders import OPEN, PickupOrder
from supply.orders.orders import TO_SEND, OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.replenishment import stockouts
from supply.replenishment.stockouts import Lack

SHOWN_DAYS = 28
"""So many days a region's small chart shows."""


@dataclass(frozen=True)
class RegionView:
    """A region's last week beside the week before."""

    id: str
    name: str
    stores: int
    revenue_minor: int
    revenue_before_minor: int
    sales: int
    days: tuple[int, ...]
    """What each of the last SHOWN_DAYS days took, in minor units, oldest first; empty while nothing has arrived."""


@dataclass(frozen=True)
class StoreView:
    """A store as the network knows it."""

    id: str
    name: str
    slug: str
    region: str
    has_node: bool
    left_on: dt.date | None
    heard_at: dt.datetime | None
    behind_since: dt.datetime | None
    """Since when something of it may be unknown here: it was silent since, or its oldest unsent message is of then."""
    waiting: int
    parked: int
    alarm: str | None
    last_day: dt.date | None
    week_minor: int
    open_orders: int


@dataclass(frozen=True)
class ProductView:
    """A product's last four weeks in a region."""

    sku: str
    name: str
    category: str
    sold_qty: int
    before_qty: int
    revenue_minor: int
    stores_selling: int
    stock_unit: str


@dataclass(frozen=True)
class OrderView:
    """An order as the warehouse sees it."""

    store_id: str
    store_name: str
    id: str
    order_no: int
    state: str
    delivery_day: dt.date
    cost_minor: int
    lines: int
    short_lines: int


@dataclass(frozen=True)
class ProductRow:
    """A product of the network's supply: what is left of it, and its pack."""

    sku: str
    name: str
    stock_unit: str
    qty: int
    pack_qty: int


LACK_DAYS = 3
UNDER_WAY = ("sent", "acknowledged", "dispatched", "part_received")
LISTED = 6


@dataclass(frozen=True)
class Day:
    """A day's sales, and what a usual store of the region took; None where nothing is known."""

    day: dt.date
    own_minor: int | None
    usual_minor: int | None


@dataclass(frozen=True)
class Sales:
    """The days with their sums: the last seven, the seven before, and how many sales the last seven were."""

    days: tuple[Day, ...]
    sales: int

    def week(self, ago: int = 0, *, usual: bool = False) -> int:
        """Return what seven days took; `ago` weeks before the last; of a usual store if so wished."""
        last = len(self.days) - 7 * ago
        part = self.days[max(0, last - 7) : last]
        return sum((one.usual_minor if usual else one.own_minor) or 0 for one in part)


@dataclass(frozen=True)
class Shelves:
    """How many products sell here, how many of them are sold out or run out soon, and which go first."""

    selling: int
    gone: int
    short: int
    first: tuple[Lack, ...]


def forecast_days(session: Session) -> dict[str, dt.date]:
    """Return the last day that each region's published forecast saw, by region."""
    query = (
        sa.select(ForecastRun.scope_id, sa.func.max(ForecastRun.origin_day))
        .where(ForecastRun.scope_kind == "region", ForecastRun.state == "published")
        .group_by(ForecastRun.scope_id)
    )
    return dict(session.execute(query).all())


def names(session: Session, store_ids: Iterable[str]) -> dict[str, str]:
    """Return what these stores are called, by id."""
    return dict(session.execute(sa.select(Store.id, Store.name).where(among(session, Store.id, store_ids))).all())


def regions(session: Session, today: dt.date) -> list[RegionView]:
    """List the regions with their last seven whole days beside the seven before."""
    newest = history.whole_day(session, today)
    stores: dict[str, int] = dict(
        session.execute(sa.select(Store.region_id, sa.func.count()).group_by(Store.region_id)).all()
    )
    traded = _traded(session, newest)
    found = []
    for region in session.scalars(sa.select(Region).order_by(Region.name)):
        days = traded.get(region.id, [])
        found.append(
            RegionView(
                id=region.id,
                name=region.name,
                stores=stores.get(region.id, 0),
                revenue_minor=sum(minor for minor, _ in days[-7:]),
                revenue_before_minor=sum(minor for minor, _ in days[-14:-7]),
                sales=sum(sales for _, sales in days[-7:]),
                days=tuple(minor for minor, _ in days),
            )
        )
    return found


def stores(session: Session, today: dt.date) -> list[StoreView]:
    """List the stores, those that were silent longest first; last_day and week_minor: up to the last whole day."""
    newest = history.whole_day(session, today)
    peers = {peer.id: peer for peer in session.scalars(sa.select(Peer))}
    names: dict[str, str] = dict(session.execute(sa.select(Region.id, Region.name)).all())
    parked: dict[str, int] = dict(
        session.execute(
            sa.select(InboxMessage.from_node, sa.func.count())
            .where(InboxMessage.state == "parked")
            .group_by(InboxMessage.from_node)
        ).all()
    )
    week = {
        store_id: (minor, day)
        for store_id, minor, day in session.execute(
            sa.select(
                StoreDay.store_id,
                sa.func.sum(StoreDay.revenue_minor),
                sa.func.max(StoreDay.business_day),
            )
            .where(StoreDay.business_day.between((newest or today) - dt.timedelta(days=6), newest or today))
            .group_by(StoreDay.store_id)
        )
    }
    orders: dict[str, int] = dict(
        session.execute(
            sa.select(ReplenishmentOrder.store_id, sa.func.count())
            .where(ReplenishmentOrder.state.in_(["sent", "acknowledged", "dispatched", "part_received"]))
            .group_by(ReplenishmentOrder.store_id)
        ).all()
    )
    views = []
    for store in session.scalars(sa.select(Store).order_by(Store.id)):
        peer = peers.get(store.id)
        minor, day = week.get(store.id, (0, None))
        views.append(
            StoreView(
                id=store.id,
                name=store.name,
                slug=store.slug,
                region=names.get(store.region_id, store.region_id),
                has_node=store.has_node,
                left_on=store.left_on,
                heard_at=peer.heard_at if peer else None,
                behind_since=behind_since(peer) if peer and store.has_node else None,
                waiting=peer.waiting if peer else 0,
                parked=parked.get(store.id, 0),
                alarm=peer.alarm if peer else None,
                last_day=day,
                week_minor=int(minor or 0),
                open_orders=orders.get(store.id, 0),
            )
        )
    return views


def behind_since(peer: Peer) -> dt.datetime:
    """Return since when something of a store may be unknown here."""
    return min(peer.heard_at, peer.oldest_at or peer.heard_at)


def top_products(session: Session, region_id: str, today: dt.date, *, limit: int = 12) -> list[ProductView]:
    """List what a region sold most in 28 whole days (by money), with the 28 days before for comparison."""
    newest = history.whole_day(session, today)
    if newest is None:
        return []
    recent = RegionalDemand.business_day > newest - dt.timedelta(days=28)
    rows = session.execute(
        sa.select(
            Product.sku,
            Product.shown,
            Product.category,
            sa.func.sum(sa.case((recent, RegionalDemand.sold_qty), else_=0)),
            sa.func.sum(sa.case((recent, 0), else_=RegionalDemand.sold_qty)),
            sa.func.sum(sa.case((recent, RegionalDemand.revenue_minor), else_=0)).label("money"),
            sa.func.max(sa.case((recent, RegionalDemand.stores_selling), else_=0)),
            Product.stock_unit,
        )
        .join(Product, Product.sku == RegionalDemand.sku)
        .where(
            RegionalDemand.region_id == region_id,
            RegionalDemand.business_day.between(newest - dt.timedelta(days=55), newest),
        )
        .group_by(Product.sku)
        .order_by(sa.desc("money"))
        .limit(limit)
    )
    return [
        ProductView(sku, name, category, int(sold), int(before), int(money), int(selling), unit)
        for sku, name, category, sold, before, money, selling, unit in rows
    ]


def orders(session: Session, *, limit: int = 100) -> list[OrderView]:
    """List the stores' orders that were sent, open ones first, then the newest."""
    short = sa.and_(OrderLine.packs_acknowledged.is_not(None), OrderLine.packs_acknowledged < OrderLine.packs)
    rows = session.execute(
        sa.select(
            ReplenishmentOrder,
            Store.name,
            sa.func.count(),
            sa.func.coalesce(sa.func.sum(sa.case((short, 1), else_=0)), 0),
        )
        .join(Store, Store.id == ReplenishmentOrder.store_id)
        .join(
            OrderLine,
            sa.and_(OrderLine.store_id == ReplenishmentOrder.store_id, OrderLine.order_id == ReplenishmentOrder.id),
        )
        .where(ReplenishmentOrder.state.not_in((*TO_SEND, "dropped")), OrderLine.packs > 0)
        .group_by(*sa.inspect(ReplenishmentOrder).columns, Store.name)
        .order_by(
            sa.case((ReplenishmentOrder.state == "sent", 0), (ReplenishmentOrder.state == "acknowledged", 1), else_=2),
            ReplenishmentOrder.order_day.desc(),
            ReplenishmentOrder.store_id,
        )
        .limit(limit)
    )
    return [
        OrderView(
            store_id=order.store_id,
            store_name=name,
            id=order.id,
            order_no=order.order_no,
            state=order.state,
            delivery_day=order.delivery_day,
            cost_minor=order.cost_minor,
            lines=lines,
            short_lines=int(short_lines),
        )
        for order, name, lines, short_lines in rows
    ]


def offerable(session: Session) -> list[ProductRow]:
    """List what the network supplies, the best stocked first."""
    return _products(session, most_first=True)


def scarcest(session: Session, *, limit: int = 8) -> list[ProductRow]:
    """List what the warehouses have least of, in packs."""
    return _products(session, most_first=False)[:limit]


def counted() -> sa.ColumnElement[int]:
    """Return the day's sales; a history file tells units and money, not how many baskets there were."""
    return sa.case((StoreDay.imported, 0), else_=StoreDay.sales)


# --- questions ---


def sales_amount(session: Session, store: Store, today: dt.date) -> Sales:
    """Return a store's sales beside its region's (rule 1); no days while nothing of it has arrived."""
    newest = history.whole_day(session, today)
    of_this = sa.select(StoreDay.store_id).where(StoreDay.store_id == store.id, StoreDay.business_day < today)
    if newest is None or session.scalar(of_this.limit(1)) is None:
        return Sales((), 0)
    first = newest - dt.timedelta(days=SHOWN_DAYS - 1)
    within = StoreDay.business_day.between(first, newest)
    own = {
        day: (int(minor), int(sales or 0))
        for day, minor, sales in session.execute(
            sa.select(StoreDay.business_day, StoreDay.revenue_minor, counted()).where(
                StoreDay.store_id == store.id, within
            )
        )
    }
    others = session.execute(
        sa.select(StoreDay.business_day, sa.func.sum(StoreDay.revenue_minor), sa.func.count())
        .join(Store, Store.id == StoreDay.store_id)
        .where(Store.region_id == store.region_id, Store.id != store.id, StoreDay.open, within)
        .group_by(StoreDay.business_day)
    )
    usual = {day: int(minor or 0) // stores for day, minor, stores in others}
    axis = [first + dt.timedelta(days=n) for n in range(SHOWN_DAYS)]
    days = tuple(Day(day, own[day][0] if day in own else None, usual.get(day)) for day in axis)
    return Sales(days, sum(own[day][1] for day in axis[-7:] if day in own))


def shelves(session: Session, store_id: str, today: dt.date) -> Shelves:
    """Return how a store's shelves stand (rule 2)."""
    selling, lacks = stockouts.lacks(session, store_id, days=LACK_DAYS, today=today)
    gone = sum(one.have_qty <= 0 for one in lacks)
    return Shelves(selling, gone, len(lacks) - gone, tuple(lacks[:LISTED]))


def store_orders(session: Session, store_id: str) -> list[ReplenishmentOrder]:
    """Return a store's orders that are under way, what comes first first."""
    row = ReplenishmentOrder
    query = sa.select(row).where(row.store_id == store_id, row.state.in_(UNDER_WAY))
    return list(session.scalars(query.order_by(row.delivery_day, row.order_no)))


def store_online_orders(session: Session, store_id: str) -> int:
    """Return how many of its customers' online orders are open."""
    query = sa.select(sa.func.count()).where(PickupOrder.store_id == store_id, PickupOrder.state.in_(OPEN))
    return int(session.scalar(query) or 0)


# --- inside ---


def _traded(session: Session, newest: dt.date | None) -> dict[str, list[tuple[int, int]]]:
    """Return region -> (revenue in minor units, sales) of each of the last SHOWN_DAYS days, oldest first."""
    if newest is None:
        return {}
    first = newest - dt.timedelta(days=SHOWN_DAYS - 1)
    rows = session.execute(
        sa.select(Store.region_id, StoreDay.business_day, sa.func.sum(StoreDay.revenue_minor), sa.func.sum(counted()))
        .join(Store, Store.id == StoreDay.store_id)
        .where(StoreDay.business_day.between(first, newest))
        .group_by(Store.region_id, StoreDay.business_day)
    )
    days: dict[str, list[tuple[int, int]]] = {}
    for region_id, day, minor, sales in rows:
        days.setdefault(region_id, [(0, 0)] * SHOWN_DAYS)[(day - first).days] = (int(minor or 0), int(sales or 0))
    return days


def _products(session: Session, *, most_first: bool) -> list[ProductRow]:
    level = (
        sa.select(StockLevel.store_id, StockLevel.sku, sa.func.sum(StockLevel.qty).label("qty"))
        .where(
            StockLevel.place.in_([place.value for place in INSIDE]),
            StockLevel.store_id.in_(sa.select(Supplier.warehouse_id).where(Supplier.kind == "network")),
        )
        .group_by(StockLevel.store_id, StockLevel.sku)
        .subquery()
    )
    qty = sa.func.coalesce(level.c.qty, 0)
    packs = qty * 1.0 / SupplierProduct.pack_qty
    rows = session.execute(
        sa.select(Product.sku, Product.shown, Product.stock_unit, qty, SupplierProduct.pack_qty)
        .join(SupplierProduct, SupplierProduct.sku == Product.sku)
        .join(Supplier, sa.and_(Supplier.id == SupplierProduct.supplier_id, Supplier.kind == "network"))
        .outerjoin(level, sa.and_(level.c.sku == Product.sku, level.c.store_id == Supplier.warehouse_id))
        .order_by(packs.desc() if most_first else packs, Product.name)
    )
    return [ProductRow(sku, name, unit, int(left), pack) for sku, name, unit, left, pack in rows]
