"""One product over the whole network: what sold, what is expected, where it lies, what it costs and who sells it.

Read-only; sums come from the daily roll-ups and from what is kept of each store (`history`), never from sale lines.

Rules
-----
1. A store's expected sales of a day are its own published run's where the network made one that is at most OLDEST_DAYS
   old and the store told none; else the rate a day that is kept of it (`stockouts`, rule 1). A region's figure is the
   sum of its stores'.
2. The busy-day limit of one store is its run's 90 % quantile. That of several is the sum of their means and NINETY
   standard deviations of the sum, as if stores varied apart; a store without a run adds its mean alone, and `banded`
   says how many have one.
3. A day on which a store of the region was open and no row tells of the product is a real zero.
4. Days of supply are what a store has and awaits over what it sells a day; None where it sells none.

Units: quantities in stock units, *_minor minor units.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import among
from config.ids import NETWORK
from config.money import amount_for
from config.nodes.publication import EVERYONE
from pos.catalogue import offers
from pos.catalogue.catalogue import Listing, Price, Product, TaxClass
from pos.catalogue.offers import StandingOffer
from pos.catalogue.repricing import Priced, margin_bp
from pos.pricing.promises import Offer
from pos.stock.ledger import INSIDE, StockLevel
from pos.store.store import Region, Store
from supply.demand import history, reported_forecasts
from supply.demand.expected import OLDEST_DAYS
from supply.demand.forecasts import HORIZON_DAYS, ForecastQuantile, ForecastRun
from supply.demand.history import DailyDemand, RegionalDemand, SellingRate, StoreDay
from supply.orders import purchases
from supply.orders.lead_times import LeadTime
from supply.orders.purchases import Purchase, PurchaseLine
from supply.orders.suppliers import Supplier, SupplierProduct, costs_begun, warehouses
from supply.replenishment import stockouts

SHOWN_DAYS, LATELY_DAYS, WEEK_DAYS = 91, 28, 7
NINETY = 1.2816
"""So many standard deviations above the mean lies the 90 % quantile of a sum of many."""


@dataclass(frozen=True)
class AtStore:
    """A product in one store. listed None: the store told of no assortment."""

    store_id: str
    name: str
    region_id: str
    here_qty: int
    coming_qty: int
    per_day: float
    sold_qty: int
    revenue_minor: int
    listed: bool | None
    price_minor: int | None

    @property
    def days_left(self) -> float | None:
        """Days of supply (rule 4)."""
        return (max(0, self.here_qty) + self.coming_qty) / self.per_day if self.per_day > 0 else None


@dataclass(frozen=True)
class AtWarehouse:
    """A product in one warehouse. coming_on: the day the next purchase is expected."""

    warehouse_id: str
    qty: int
    coming_qty: int
    coming_on: dt.date | None


@dataclass(frozen=True)
class Seller:
    """Who sells the product. upstream: to the network, else to the stores; unit_minor: cost of a price quantity."""

    supplier: Supplier
    upstream: bool
    pack_qty: int
    pack_cost_minor: int
    unit_minor: int
    lead: LeadTime | None


@dataclass(frozen=True)
class Sold:
    """Units and sales of a span of whole days, and of the span before."""

    qty: int
    before_qty: int
    revenue_minor: int
    before_minor: int


@dataclass(frozen=True)
class Expected:
    """Expected sales of the days ahead (rules 1, 2). high: the busy-day limits, None without any run."""

    days: tuple[dt.date, ...]
    mean: tuple[float, ...]
    high: tuple[float | None, ...]
    stores: int
    banded: int
    seen_day: dt.date | None


# --- questions ---


def at_stores(session: Session, product: Product, today: dt.date, region_id: str | None = None) -> list[AtStore]:
    """Return how the product stands in each store that has, lists or sells it; the first to run out first."""
    stores = session.execute(_stores(region_id)).all()
    ids, sku = [one.id for one in stores], product.sku
    part = sa.union_all(*stockouts.there(today, ids, [sku])).subquery()
    sums = sa.select(part.c.store_id, sa.func.sum(part.c.here), sa.func.sum(part.c.to_come)).group_by(part.c.store_id)
    have = {store_id: (int(here), int(coming)) for store_id, here, coming in session.execute(sums)}
    rates = _rates(session, ids, sku)
    newest = history.whole_day(session, today)
    sold = _sold_by_store(session, ids, sku, newest) if newest else {}
    listed = _listed(session, ids, sku)
    prices = _prices(session, sku, today)
    found = []
    for one in stores:
        here, coming = have.get(one.id, (0, 0))
        rate, (qty, minor) = rates.get(one.id, 0.0), sold.get(one.id, (0, 0))
        if here or coming or qty or listed.get(one.id) or rate > 0:
            price = prices.get(one.id, prices.get(EVERYONE))
            found.append(
                AtStore(one.id, one.name, one.region_id, here, coming, rate, qty, minor, listed.get(one.id), price)
            )
    return sorted(found, key=lambda one: (math.inf if one.days_left is None else one.days_left, one.name))


def at_warehouses(session: Session, sku: str, today: dt.date) -> list[AtWarehouse]:
    """Return what stands in each warehouse, and what is bought for it."""
    houses = warehouses(session)
    level = sa.select(StockLevel.store_id, sa.func.sum(StockLevel.qty)).where(
        StockLevel.store_id.in_(houses), StockLevel.sku == sku, StockLevel.place.in_(INSIDE)
    )
    there = {house: int(qty) for house, qty in session.execute(level.group_by(StockLevel.store_id))}
    dated = (
        sa.select(Purchase.store_id, sa.func.min(Purchase.expected_day))
        .join(PurchaseLine, (PurchaseLine.store_id == Purchase.store_id) & (PurchaseLine.purchase_id == Purchase.id))
        .where(Purchase.state == "ordered", PurchaseLine.sku == sku, Purchase.store_id.in_(houses))
        .group_by(Purchase.store_id)
    )
    on = dict(session.execute(dated).all())
    return [
        AtWarehouse(one, there.get(one, 0), purchases.to_come(session, one, today).get(sku, 0), on.get(one))
        for one in houses
    ]


def sellers(session: Session, product: Product, *, at: dt.datetime, today: dt.date) -> list[Seller]:
    """Return who sells the product to the network and to its stores, the cheapest unit first."""
    rows = session.execute(
        sa.select(Supplier, SupplierProduct)
        .join(SupplierProduct, SupplierProduct.supplier_id == Supplier.id)
        .where(SupplierProduct.sku == product.sku, Supplier.active)
        .where(Supplier.owner_id.in_((EVERYONE, NETWORK)))
    ).all()
    leads = purchases.leads(session, [one for one, _ in rows if one.owner_id == NETWORK], at=at)
    begun = costs_begun(session, [one.id for one, _ in rows], today)
    found = []
    for one, terms in rows:
        cost = begun.get((one.id, product.sku), terms.pack_cost_minor)
        unit = amount_for(product.price_quantity, cost, terms.pack_qty)
        found.append(Seller(one, one.owner_id == NETWORK, terms.pack_qty, cost, unit, leads.get(one.id)))
    return sorted(found, key=lambda one: (not one.upstream, one.unit_minor, one.supplier.name))


def prices(session: Session, sku: str) -> list[Price]:
    """Return the network's prices of a product, the newest first."""
    query = sa.select(Price).where(Price.sku == sku, Price.scope_id == EVERYONE)
    return list(session.scalars(query.order_by(Price.from_day.desc())))


def margin(session: Session, product: Product, price_minor: int | None, cost_minor: int | None) -> int | None:
    """Return the margin of a price on its net in basis points (`pos.catalogue.repricing`); None where unknown."""
    tax = session.get(TaxClass, product.tax_class_id)
    if price_minor is None or tax is None:
        return None
    return margin_bp(Priced(price_minor, cost_minor, tax.rate_bp, tax.inclusive), price_minor)


def promotions(session: Session, product: Product, day: dt.date) -> list[tuple[StandingOffer, Offer]]:
    """Return the network's promotions of a product that hold or are to come."""
    return [
        (row, offer)
        for row, offer in offers.all_of(session, EVERYONE)
        if offers.standing(row, day) != "ended"
        and any(
            part.choice.holds(product.sku, product.category, product.department, product.brand) for part in offer.parts
        )
    ]


def sold(session: Session, sku: str, today: dt.date, *, days: int, region_id: str | None = None) -> Sold:
    """Return what so many whole days sold in a region or everywhere, beside as many days before."""
    newest = history.whole_day(session, today)
    if newest is None:
        return Sold(0, 0, 0, 0)
    row, since = RegionalDemand, newest - dt.timedelta(days=days - 1)
    now = row.business_day >= since
    sums = [
        sa.func.coalesce(sa.func.sum(sa.case((is_now, value), else_=0)), 0)
        for value in (row.sold_qty, row.revenue_minor) for is_now in (now, sa.not_(now))
    ]  # fmt: skip
    query = sa.select(*sums).where(row.sku == sku, row.region_id.in_(_regions(region_id)))
    within = row.business_day.between(since - dt.timedelta(days=days), newest)
    return Sold(*map(int, session.execute(query.where(within)).one()))


def history_of(
    session: Session, sku: str, today: dt.date, *, region_id: str | None = None, store_id: str | None = None
) -> list[tuple[dt.date, int | None]]:
    """Return the units of each of SHOWN_DAYS whole days, oldest first; None where nobody was open (rule 3)."""
    newest = history.whole_day(session, today)
    if newest is None:
        return []
    first = newest - dt.timedelta(days=SHOWN_DAYS - 1)
    of_store = [] if store_id is None else [StoreDay.store_id == store_id]
    of_region = (
        [] if region_id is None else [StoreDay.store_id.in_(sa.select(Store.id).where(Store.region_id == region_id))]
    )
    opened = set(
        session.scalars(
            sa.select(StoreDay.business_day)
            .where(StoreDay.open, StoreDay.business_day.between(first, newest), *of_store, *of_region)
            .group_by(StoreDay.business_day)
        )
    )
    row: type[DailyDemand | RegionalDemand] = RegionalDemand if store_id is None else DailyDemand
    here = DailyDemand.store_id == store_id if store_id else RegionalDemand.region_id.in_(_regions(region_id))
    query = sa.select(row.business_day, sa.func.sum(row.sold_qty)).where(here, row.sku == sku)
    query = query.where(row.business_day.between(first, newest)).group_by(row.business_day)
    known = {day: int(qty) for day, qty in session.execute(query)}
    axis = (first + dt.timedelta(days=n) for n in range(SHOWN_DAYS))
    return [(day, known.get(day, 0 if day in opened else None)) for day in axis]


def expected(
    session: Session, sku: str, today: dt.date, *, region_id: str | None = None, store_id: str | None = None
) -> Expected:
    """Return what a store, a region's stores or all are expected to sell in the HORIZON_DAYS from today on."""
    ids = [store_id] if store_id is not None else [one.id for one in session.execute(_stores(region_id))]
    oldest = today - dt.timedelta(days=OLDEST_DAYS + 1)
    run = ForecastRun
    made = sa.select(run.scope_id, run.id, run.origin_day).where(
        run.scope_kind == "store", run.state == "published", run.origin_day.between(oldest, today),
        among(session, run.scope_id, ids),
    )  # fmt: skip
    by_word = reported_forecasts.words(session, ids)
    told = {one for one, word in by_word.items() if word.origin_day is not None and word.origin_day >= oldest}
    runs = {run_id: (store, origin) for store, run_id, origin in session.execute(made) if store not in told}
    days = tuple(today + dt.timedelta(days=n) for n in range(HORIZON_DAYS))
    row = ForecastQuantile
    query = sa.select(row.run_id, row.first_day, row.mean, row.q50, row.q90).where(
        among(session, row.run_id, runs), row.sku == sku, row.first_day == row.last_day, row.first_day >= today
    )
    paths: dict[str, dict[dt.date, tuple[float, float, float]]] = {}
    for run_id, day, *said in session.execute(query) if runs else ():
        paths.setdefault(runs[run_id][0], {})[day] = (said[0], said[1], said[2])
    rates = _rates(session, ids, sku)
    means, highs = [], []
    for day in days:
        total = variance = 0.0
        single: float | None = None
        for one in ids:
            if (known := paths.get(one, {}).get(day)) is not None:
                total += known[0]
                variance += ((known[2] - known[1]) / NINETY) ** 2
                single = known[2]
            else:
                total += rates.get(one, 0.0)
        means.append(total)
        highs.append(None if not paths else single if len(ids) == 1 else total + NINETY * math.sqrt(variance))
    seen = max((origin for _, origin in runs.values()), default=None)
    return Expected(days, tuple(means), tuple(highs), len(ids), len(paths), seen)


# --- inside ---


def _stores(region_id: str | None) -> sa.Select[str, str, str]:
    query = sa.select(Store.id, Store.name, Store.region_id).where(Store.left_on.is_(None))
    return query if region_id is None else query.where(Store.region_id == region_id)


def _regions(region_id: str | None) -> sa.Select[str] | list[str]:
    """Return the regions asked for: the index of days and products begins with them."""
    return sa.select(Region.id) if region_id is None else [region_id]


def _rates(session: Session, ids: Sequence[str], sku: str) -> dict[str, float]:
    rate = SellingRate
    query = sa.select(rate.store_id, rate.per_day).where(rate.sku == sku, among(session, rate.store_id, ids))
    return {store_id: float(per_day) for store_id, per_day in session.execute(query)}


def _sold_by_store(session: Session, ids: Sequence[str], sku: str, newest: dt.date) -> dict[str, tuple[int, int]]:
    row = DailyDemand
    query = sa.select(row.store_id, sa.func.sum(row.sold_qty), sa.func.sum(row.revenue_minor)).where(
        among(session, row.store_id, ids), row.sku == sku,
        row.business_day.between(newest - dt.timedelta(days=LATELY_DAYS - 1), newest),
    )  # fmt: skip
    return {store: (int(qty), int(minor)) for store, qty, minor in session.execute(query.group_by(row.store_id))}


def _listed(session: Session, ids: Sequence[str], sku: str) -> dict[str, bool]:
    query = sa.select(Listing.store_id, Listing.active).where(Listing.sku == sku, among(session, Listing.store_id, ids))
    return dict(session.execute(query).all())


def _prices(session: Session, sku: str, day: dt.date) -> dict[str, int]:
    """Return the price in force by scope: stores with a price of their own, and EVERYONE."""
    query = sa.select(Price.scope_id, Price.price_minor).where(Price.sku == sku, Price.from_day <= day)
    return dict(session.execute(query.order_by(Price.from_day)).all())
