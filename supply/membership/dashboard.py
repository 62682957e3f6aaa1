"""The operator's figures of a period, of the network, its regions, stores and departments, beside those before.

Rules
-----
1. Each figure is one property of `Figures`, and figures are added, never reckoned again: a region's are those of its
   stores. All is read from roll-ups (`history`), from what stores report of their days (`day_reports`) and from orders.
2. Sales, net sales and margin are those of the stores' own reports (`pos.reports.figures`, rules 1 to 3). What a
   department sold is what its lines came to with tax: cash rounding is nobody's. Days from a file have sales alone.
3. Out-of-stock rate: the share of the day's trade that met the empty shelf of a listed product, over all of them.
   Service level: the share of listed products that were not sold out at closing time.
4. Fill rate: the value of what came of the value ordered (`orders`, rule 11), of orders to the network that were for
   delivery in the period and are over.
5. WAPE: the differences of forecast and sales, of each product and day, over the sales; bias: forecast less sales, over
   the sales. The forecast is the last one made before the day.
6. Waste: what was written off, at shelf price, over the sales of the stores' days that were reported.
7. A period ends with the last whole day and is compared with the same weekdays: as many whole weeks before as it is
   long, or YEAR_DAYS before.
8. A store needs somebody when it is silent for SILENT, its sales fell by FELL_BP, or its out-of-stock rate, waste or
   fill rate is beyond EMPTY_BP, WASTED_BP, FILLED_BP.

Read-only. Units: *_minor minor units, *_bp basis points.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.node import Peer
from pos.catalogue.catalogue import Product
from pos.reports import figures
from pos.reports.figures import change_bp, share_bp
from pos.store.store import Region, Store
from supply.demand import day_reports, history
from supply.demand.day_reports import SHARE, DayReport
from supply.demand.history import MONEY, CategoryDay, RegionalDemand, StoreDay
from supply.membership.overview import behind_since, counted
from supply.orders.orders import ReplenishmentOrder

YEAR_DAYS = 364
SILENT = dt.timedelta(hours=24)
FELL_BP, EMPTY_BP, WASTED_BP, FILLED_BP = -2_000, 1_000, 500, 9_000
OVER = ("received", "closed_short", "rejected")
"""The states of an order of which nothing comes any more."""


@dataclass(frozen=True)
class Figures:
    """The figures of some stores and days (rules 2 to 6); None where there is nothing to reckon them from."""

    money: figures.Figures = field(default_factory=figures.Figures)
    file_minor: int = 0
    """Of the sales, those of days from a history file."""
    reporting_minor: int = 0
    """Of the sales, those of days that stores reported."""
    reported_days: int = 0
    ordered_minor: int = 0
    received_minor: int = 0
    listed: int = 0
    empty: int = 0
    empty_bp: int = 0
    waste_cost_minor: int = 0
    waste_value_minor: int = 0
    forecast_milli: int = 0
    sold_milli: int = 0
    missed_milli: int = 0

    @classmethod
    def added(cls, some: Iterable[Self]) -> Self:
        """Return the sum of figures."""
        found = list(some)
        names = [one.name for one in fields(cls) if one.name != "money"]
        sums = {name: sum(getattr(one, name) for one in found) for name in names}
        return cls(figures.added(one.money for one in found), **sums)

    @property
    def out_of_stock_bp(self) -> int | None:
        """The out-of-stock rate."""
        return share_bp(self.empty_bp, self.listed * SHARE)

    @property
    def service_bp(self) -> int | None:
        """The service level."""
        return share_bp(self.listed - self.empty, self.listed)

    @property
    def fill_bp(self) -> int | None:
        """The fill rate."""
        return share_bp(self.received_minor, self.ordered_minor)

    @property
    def wape_bp(self) -> int | None:
        """The forecast's weighted absolute percentage error."""
        return share_bp(self.missed_milli, self.sold_milli)

    @property
    def bias_bp(self) -> int | None:
        """The forecast's bias: above zero where it was too high."""
        return share_bp(self.forecast_milli - self.sold_milli, self.sold_milli)

    @property
    def waste_bp(self) -> int | None:
        """Waste at shelf price, over sales."""
        return share_bp(self.waste_value_minor, self.reporting_minor)


@dataclass(frozen=True)
class Beside:
    """Figures of a period and of the one before. region_id: of a store its region's."""

    id: str
    name: str
    now: Figures
    before: Figures
    region_id: str = ""
    needs: tuple[str, ...] = ()
    """Of a store, why it needs somebody: silent | fell | empty | wasted | unfilled (rule 8)."""

    @property
    def change_bp(self) -> int | None:
        """By how much sales are above those before."""
        return change_bp(self.now.money.sales_minor, self.before.money.sales_minor)


@dataclass(frozen=True)
class Part:
    """A department, category or product: what it came to in the period and before."""

    id: str
    name: str
    now: figures.Figures
    before: figures.Figures
    share_bp: int | None = None
    """Of the sales of all that stands beside it."""
    stock_unit: str = ""
    qty: int = 0

    @property
    def change_bp(self) -> int | None:
        """By how much its sales are above those before."""
        return change_bp(self.now.sales_minor, self.before.sales_minor)


@dataclass(frozen=True)
class Period:
    """Days, both included, and how many days ago those stand that they are compared with (rule 7)."""

    first_day: dt.date
    last_day: dt.date
    ago_days: int

    @classmethod
    def until(cls, last_day: dt.date, days: int, *, year: bool = False) -> Self:
        """Return so many days up to one."""
        return cls.between(last_day - dt.timedelta(days=days - 1), last_day, year=year)

    @classmethod
    def between(cls, first_day: dt.date, last_day: dt.date, *, year: bool = False) -> Self:
        """Return a period of these days."""
        weeks = -(-((last_day - first_day).days + 1) // 7)
        return cls(first_day, last_day, max(YEAR_DAYS, 7 * weeks) if year else 7 * weeks)

    @property
    def spans(self) -> tuple[tuple[dt.date, dt.date], tuple[dt.date, dt.date]]:
        """First and last day of the period, and of the one before."""
        ago = dt.timedelta(days=self.ago_days)
        return (self.first_day, self.last_day), (self.first_day - ago, self.last_day - ago)


@dataclass(frozen=True)
class Dashboard:
    """A period's figures: of all stores asked for, and of its regions and stores (those that need somebody first)."""

    total: Beside
    regions: tuple[Beside, ...]
    stores: tuple[Beside, ...]


# --- questions ---


def look(session: Session, period: Period, region_id: str | None = None, *, at: dt.datetime) -> Dashboard:
    """Return the figures of a period: of a region's stores, or of all; every region stands beside the others."""
    now, before = (_by_store(session, *span) for span in period.spans)
    silent = {peer.id for peer in session.scalars(sa.select(Peer)) if at - behind_since(peer) >= SILENT}
    stores, none = [], Figures()
    for one in session.execute(
        sa.select(Store.id, Store.name, Store.region_id, Store.has_node, Store.left_on).order_by(Store.name, Store.id)
    ):
        row = Beside(one.id, one.name, now.get(one.id, none), before.get(one.id, none), one.region_id)
        stays = one.left_on is None
        needs = _needs(row, is_silent=one.has_node and one.id in silent) if stays else ()
        stores.append(Beside(row.id, row.name, row.now, row.before, row.region_id, needs))
    by_region: dict[str, list[Beside]] = {}
    for store in stores:
        by_region.setdefault(store.region_id, []).append(store)
    regions = tuple(
        _summed(one.id, one.name, by_region.get(one.id, []))
        for one in session.execute(sa.select(Region.id, Region.name).order_by(Region.name, Region.id))
    )
    asked = [store for store in stores if region_id in (None, store.region_id)]
    first = sorted(asked, key=lambda store: (-len(store.needs), -store.now.money.sales_minor, store.name))
    whole = [one for one in regions if region_id in (None, one.id)]
    return Dashboard(_summed("", "", whole), regions, tuple(first))


def days(
    session: Session, period: Period, region_id: str | None = None
) -> list[tuple[dt.date, int | None, int | None]]:
    """Return the sales of each day of a period and of the one before; None where nothing is known."""
    query = sa.select(StoreDay.business_day, sa.func.sum(StoreDay.revenue_minor)).group_by(StoreDay.business_day)
    if region_id is not None:
        query = query.where(StoreDay.store_id.in_(sa.select(Store.id).where(Store.region_id == region_id)))
    known: dict[dt.date, int] = {}
    for span in period.spans:
        for day, minor in session.execute(query.where(StoreDay.business_day.between(*span))):
            known[day] = int(minor)
    ago, count = dt.timedelta(days=period.ago_days), (period.last_day - period.first_day).days + 1
    axis = (period.first_day + dt.timedelta(days=n) for n in range(count))
    return [(day, known.get(day), known.get(day - ago)) for day in axis]


def departments(session: Session, period: Period, region_id: str | None = None) -> list[Part]:
    """Return what each department came to, the largest first."""
    return _parts(session, period, region_id, CategoryDay.department)


def categories(session: Session, period: Period, department: str, region_id: str | None = None) -> list[Part]:
    """Return what each category of a department came to, the largest first."""
    return _parts(session, period, region_id, CategoryDay.category, CategoryDay.department == department)


def products(session: Session, period: Period, department: str, region_id: str | None = None) -> list[Part]:
    """Return what each product of a department came to, the largest first."""
    row = RegionalDemand
    sums = (*(getattr(row, name) for name in MONEY), row.sold_qty)
    found: dict[str, list[tuple[int, ...]]] = {}
    names: dict[str, tuple[str, str]] = {}
    skus = {
        sku: (name, unit)
        for sku, name, unit in session.execute(
            sa.select(Product.sku, Product.shown, Product.stock_unit).where(history.department() == department)
        )
    }
    for n, span in enumerate(period.spans):
        query = sa.select(row.sku, *map(sa.func.sum, sums)).where(
            row.region_id.in_(regions(region_id)), row.sku.in_(skus), row.business_day.between(*span)
        )
        for sku, *values in session.execute(query.group_by(row.sku)):
            names[sku] = skus[sku]
            found.setdefault(sku, [(0,) * 5, (0,) * 5])[n] = tuple(map(int, values))
    parts = [
        Part(sku, names[sku][0], _money(now), _money(before), stock_unit=names[sku][1], qty=now[-1])
        for sku, (now, before) in found.items()
    ]
    return sorted(parts, key=lambda one: (-one.now.sales_minor, one.name))


def last_day(session: Session, today: dt.date) -> dt.date | None:
    """Return the day a period ends with; None while nothing has arrived."""
    return history.whole_day(session, today)


def regions(region_id: str | None) -> sa.Select[str] | list[str]:
    """Return the regions asked for: the index of days and products begins with them."""
    return sa.select(Region.id) if region_id is None else [region_id]


# --- inside ---


def _needs(row: Beside, *, is_silent: bool) -> tuple[str, ...]:
    """Return why a store needs somebody (rule 8)."""
    now, change = row.now, row.change_bp
    said = {
        "silent": is_silent,
        "fell": change is not None and change <= FELL_BP,
        "empty": (now.out_of_stock_bp or 0) >= EMPTY_BP,
        "wasted": (now.waste_bp or 0) >= WASTED_BP,
        "unfilled": now.fill_bp is not None and now.fill_bp < FILLED_BP,
    }
    return tuple(name for name, is_so in said.items() if is_so)


def _summed(id: str, name: str, some: list[Beside]) -> Beside:
    now, before = (Figures.added(getattr(one, which) for one in some) for which in ("now", "before"))
    return Beside(id, name, now, before)


def _by_store(session: Session, first: dt.date, last: dt.date) -> dict[str, Figures]:
    """Return each store's figures of some days."""
    row, report, order = StoreDay, DayReport, ReplenishmentOrder
    from_file = _sum(sa.case((row.imported, row.revenue_minor), else_=0))
    sums = (*(_sum(getattr(row, name)) for name in MONEY), _sum(counted()), from_file)
    found: dict[str, dict[str, Any]] = {}
    query = sa.select(row.store_id, *sums).where(row.business_day.between(first, last)).group_by(row.store_id)
    for store_id, *values in session.execute(query):
        *money, baskets, file_minor = map(int, values)
        found[store_id] = {"money": _money(money, baskets), "file_minor": file_minor}
    of_day = (row.store_id == report.store_id) & (row.business_day == report.business_day)
    names = ("reporting_minor", "reported_days", *day_reports.SUMS)
    reported = (
        sa.select(
            report.store_id, sa.func.coalesce(_sum(row.revenue_minor), 0), sa.func.count(),
            *(_sum(getattr(report, name)) for name in day_reports.SUMS),
        )
        .outerjoin(row, of_day)
        .where(report.business_day.between(first, last))
        .group_by(report.store_id)
    )  # fmt: skip
    for store_id, *values in session.execute(reported):
        known = found.setdefault(store_id, {"money": figures.Figures()})
        known |= dict(zip(names, map(int, values), strict=True))
    filled = (
        sa.select(order.store_id, _sum(order.ordered_minor), _sum(order.received_minor))
        .where(order.delivery_day.between(first, last), order.state.in_(OVER), order.ordered_minor.is_not(None))
        .group_by(order.store_id)
    )
    for store_id, ordered, received in session.execute(filled):
        known = found.setdefault(store_id, {"money": figures.Figures()})
        known |= {"ordered_minor": int(ordered or 0), "received_minor": int(received or 0)}
    return {store_id: Figures(**values) for store_id, values in found.items()}


def _sum(value: Any) -> sa.ColumnElement[int]:
    """Return a sum as a whole number: PostgreSQL's own would be a decimal, which costs more to read than to add up."""
    return sa.cast(sa.func.sum(value), sa.BigInteger)


def _money(sums: Iterable[int], baskets: int = 0) -> figures.Figures:
    """Return sums in the order of MONEY as figures."""
    sales, net, costed, cost, *_ = sums
    return figures.Figures(
        sales_minor=sales, net_minor=net, costed_minor=costed, cost_minor=cost, baskets=baskets
    )  # fmt: skip


def _parts(
    session: Session, period: Period, region_id: str | None, name: Any, *only: sa.ColumnElement[bool]
) -> list[Part]:
    row = CategoryDay
    sums = [sa.func.sum(getattr(row, one)) for one in MONEY]
    found: dict[str, list[figures.Figures]] = {}
    for n, span in enumerate(period.spans):
        query = sa.select(name, *sums).where(
            row.region_id.in_(regions(region_id)), row.business_day.between(*span), *only
        )
        for key, *values in session.execute(query.group_by(name)):
            found.setdefault(key, [figures.Figures(), figures.Figures()])[n] = _money(map(int, values))
    whole = sum(now.sales_minor for now, _ in found.values())
    parts = [Part(key, key, now, before, share_bp(now.sales_minor, whole)) for key, (now, before) in found.items()]
    return sorted(parts, key=lambda one: (-one.now.sales_minor, one.name))
