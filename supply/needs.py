"""What a shop needs of each supplier: demand, stock, prices and packs, loaded for all its products at once.

Rules
-----
1. Only what the shop lists and has priced is needed; a price counts without its tax.
2. Demand is that of `supply/replenishment.py`, rules 2 and 3; the position is its rule 4, with what is `to_come`.
   Of what is fresh (`next_pack`, FRESH_DAYS) it is moved towards what the last LATELY_DAYS sold as far as chance does
   not explain the distance: levels of fruit move faster than a forecast follows, and too much is thrown away.
3. What is kept for show, room and service are the shopkeeper's wishes (`order_wishes`); of dated lots, what will expire
   unsold within the interval does not count; a lead time's spread widens demand (`lead_times`).
4. So many queries as there are tables, never one per product.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.database import table_of
from config.prepared import Prepared
from pos import batches, stock
from pos.batches import Batch
from pos.catalogue import Listing, Product, TaxClass, prices_on
from pos.store import Store
from supply import order_rules, order_wishes, planned
from supply.demand import DailyDemand, RegionalDemand, StoreDay
from supply.forecasts import ForecastQuantile, ForecastRun, ForecastSeries, published
from supply.lead_times import LeadTime
from supply.suppliers import Rhythm, Terms
from supply.to_come import Missed, to_come

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from supply.policy import PolicyLine

OLDEST_DAYS = 3
RECENT_DAYS = 28
LEAST_SEEN_DAYS = 7


@dataclass(frozen=True)
class Alternative:
    """Another supplier of a product: what a pack holds and costs there, and when it would come."""

    supplier_id: str
    name: str
    pack_qty: int
    pack_cost_minor: int
    delivery_day: dt.date

    def told(self) -> list[Any]:
        """Return it as a line keeps it."""
        return [self.name, self.pack_qty, self.pack_cost_minor, self.delivery_day.isoformat()]


@dataclass(frozen=True)
class Need:
    """A product as a proposal sees it.

    daily: mean demand of each day of the interval, the first one what is left of today.
    method: forecast | mean28 | region28. missed: what should be here and did not come (`to_come`).
    """

    line: "PolicyLine"
    name: str
    stock_unit: str
    on_hand: int
    reserved: int
    on_the_way: int
    first_day: dt.date
    daily: tuple[float, ...]
    method: str
    model: str = ""
    regional_share_bp: int = 0
    taught_qty: int = 0
    others: tuple[Alternative, ...] = ()
    missed: tuple[Missed, ...] = ()


@dataclass(frozen=True)
class Basis:
    """What demand stands on. run_id, age_days: of the forecast, None where there is none to use."""

    today: dt.date
    today_left: float
    run_id: str | None
    origin_day: dt.date | None
    age_days: int | None
    horizon_days: int = 0


@dataclass(frozen=True)
class _Article:
    name: str
    stock_unit: str
    price_quantity: int
    shelf_life_days: int | None
    tax_divisor_bp: int


@dataclass(frozen=True)
class _Expected:
    """Demand of a product over one interval: its days' means, and how it spreads.

    quantiles: of a sum whose mean is `whole`, of which the interval has its share; () where `variance` is known. usual:
    of a usual day, 0 where nobody tells.
    """

    daily: tuple[float, ...]
    method: str
    quantiles: tuple[float, ...] = ()
    whole: float = 0.0
    variance: float = 0.0
    usual: float = 0.0

    @property
    def mean(self) -> float:
        return sum(self.daily)


_row, _series = table_of(ForecastQuantile).c, table_of(ForecastSeries).c
_of_run = sa.and_(_row.run_id == sa.bindparam("run"), _row.first_day == sa.bindparam("first"))
_MEANS = Prepared(
    sa.select(_row.sku, _row.mean)
    .where(_of_run, _row.last_day <= sa.bindparam("last"))
    .order_by(_row.sku, _row.last_day)
)
_LEVELS = Prepared(
    sa.select(_row.sku, _row.q50, _row.q75, _row.q90, _row.q95, _row.q99).where(
        _of_run, _row.last_day == sa.bindparam("last")
    )
)
_SERIES = Prepared(
    sa.select(_series.sku, _series.model, _series.regional_share, _series.level).where(
        _series.run_id == sa.bindparam("run")
    )
)


class _Run:
    """A forecast run's numbers: daily means from the day after its origin, and quantiles of sums."""

    def __init__(self, session: Session, store_id: str, basis: Basis, lasts: set[dt.date]) -> None:
        self.first = basis.today if basis.origin_day is None else basis.origin_day + dt.timedelta(days=1)
        self.sums: dict[str, list[float]] = {}
        self.quantiles: dict[tuple[str, dt.date], tuple[float, ...]] = {}
        self.series: dict[str, tuple[str, float, float]] = {}
        self.lately: dict[str, float] = {}
        self.horizon_last = self.first + dt.timedelta(days=basis.horizon_days - 1)
        if basis.run_id is None:
            return
        last = min(max(lasts), self.horizon_last)
        mine = {"run": basis.run_id, "first": self.first}
        for sku, mean in _MEANS.all(session, mine | {"last": last}):
            self.sums.setdefault(sku, []).append(mean)
        for end in {min(one, self.horizon_last) for one in lasts}:
            for sku, *values in _LEVELS.all(session, mine | {"last": end}):
                self.quantiles[sku, end] = tuple(values)
        for sku, *how in _SERIES.all(session, {"run": basis.run_id}):
            self.series[sku] = (how[0], how[1], how[2])
        self.lately = _lately(session, store_id, basis)

    def expected(self, sku: str, basis: Basis, last: dt.date) -> _Expected | None:
        """Return demand from what is left of today until `last`; None where the run does not know the product."""
        end = min(last, self.horizon_last)
        levels, sums = self.quantiles.get((sku, end)), self.sums.get(sku)
        if levels is None or sums is None or end < basis.today:
            return None
        days = (end - self.first).days + 1
        skipped = (basis.today - self.first).days
        daily = [high - low for low, high in zip([0.0, *sums[: days - 1]], sums[:days], strict=True)]
        usual = sum(daily[-7:]) / len(daily[-7:])
        seen_today = [0.0] * -skipped
        daily = seen_today + [max(0.0, units) for units in daily[max(0, skipped) :]] + [usual] * (last - end).days
        daily[0] *= basis.today_left
        _, _, level = self.series.get(sku, ("", 0.0, 0.0))
        if sku in self.lately and level > 0:
            from supply.next_pack import lately_factor

            factor = lately_factor(self.lately[sku], level)
            daily, level = [units * factor for units in daily], level * factor
        return _Expected(tuple(daily), "forecast", levels, sums[days - 1], usual=level)


class _Recent:
    """The last weeks' mean, for what no forecast knows."""

    def __init__(self, session: Session, store_id: str, basis: Basis) -> None:
        last = basis.today - dt.timedelta(days=1)
        first = last - dt.timedelta(days=RECENT_DAYS - 1)
        opened = sa.select(sa.func.count()).select_from(StoreDay)
        opened = opened.where(StoreDay.store_id == store_id, StoreDay.open, StoreDay.business_day.between(first, last))
        self.days = session.scalar(opened) or 0
        sums = sa.select(DailyDemand.sku, sa.func.sum(DailyDemand.sold_qty), sa.func.sum(DailyDemand.sales))
        sums = sums.where(DailyDemand.store_id == store_id, DailyDemand.business_day.between(first, last))
        self.sold = {
            sku: (max(0, int(qty)), max(0, int(sales)))
            for sku, qty, sales in session.execute(sums.group_by(DailyDemand.sku))
        }
        self.around = {} if self.days else _around(session, store_id, first, last)

    def expected(self, sku: str, basis: Basis, last: dt.date) -> _Expected:
        """Return demand from what is left of today until `last`."""
        sold, sales = self.sold.get(sku, (0, 0))
        if not self.days:
            rate = self.around.get(sku, 0.0)
            daily = [rate] * ((last - basis.today).days + 1)
            daily[0] *= basis.today_left
            return _Expected(tuple(daily), "region28", variance=2 * sum(daily))
        rate = sold / self.days
        daily = [rate] * ((last - basis.today).days + 1)
        daily[0] *= basis.today_left
        return _Expected(tuple(daily), "mean28", variance=sum(daily) * max(1.0, sold / max(1, sales)))


def needs_of(
    session: Session,
    store: Store,
    offered: Mapping[str, Sequence[Terms]],
    days: Mapping[str, Rhythm],
    leads: Mapping[str, LeadTime],
    *,
    at: dt.datetime,
) -> tuple[Basis, dict[str, list[Need]]]:
    """Return what the shop needs to know of every product of these suppliers, and what its demand stands on."""
    from supply.policy import PolicyLine, expected_outdating

    basis = _basis(session, store, at)
    last = {
        supplier_id: max(basis.today, days[supplier_id].next_delivery_day - dt.timedelta(days=1))
        for supplier_id in offered
    }
    lasts = {one.next_delivery_day - dt.timedelta(days=1) for one in days.values()} | {basis.today}
    run, recent = _Run(session, store.id, basis, lasts), _Recent(session, store.id, basis)
    articles = _articles(session, store.id)
    prices = prices_on(session, store.id, basis.today)
    taught = order_rules.lessons(session, store.id, at)
    wishes, lots = order_wishes.wishes(session, store.id), dated_lots(session, store.id, basis.today, max(lasts))
    levels, waited = stock.levels(session, store.id), to_come(session, store.id, at=at)
    spoken_for = {day: planned.until(session, store.id, day) for day in lasts}
    found = [
        (supplier_id, product, article, price, run.expected(product.sku, basis, last[supplier_id])
         or recent.expected(product.sku, basis, last[supplier_id]))
        for supplier_id, products in offered.items()
        for product in products
        if (article := articles.get(product.sku)) and (price := prices.get(product.sku)) is not None
    ]  # fmt: skip
    variances = _variances([one[-1] for one in found])
    needs: dict[str, list[Need]] = {supplier_id: [] for supplier_id in offered}
    for (supplier_id, product, article, price, expected), variance in zip(found, variances, strict=True):
        rhythm = days[supplier_id]
        level = levels.get(product.sku)
        on_hand, reserved = (max(0, level.on_hand), level.held) if level else (0, 0)
        on_way = waited.coming.get(product.sku, 0)
        interval = (last[supplier_id] - basis.today).days + basis.today_left
        rate = expected.mean / interval if interval > 0 else 0.0
        wish = wishes.get(product.sku)
        line = PolicyLine(
            sku=product.sku, mean=expected.mean, variance=variance + rate**2 * leads[supplier_id].variance,
            mean_before=sum(expected.daily[: max(0, (rhythm.delivery_day - basis.today).days)]), interval_days=interval,
            held_days=float((rhythm.next_delivery_day - rhythm.delivery_day).days),
            position_qty=on_hand - reserved + on_way - spoken_for[last[supplier_id]].get(product.sku, 0),
            pack_qty=product.pack_qty, pack_cost_minor=product.pack_cost_minor, minimum_packs=product.minimum_packs,
            price_minor=price * 10_000 // article.tax_divisor_bp, price_quantity=article.price_quantity,
            shelf_life_days=article.shelf_life_days, usual_a_day=expected.usual,
            outdating_qty=expected_outdating(lots.get(product.sku, ()), expected.daily),
            presentation_qty=taught.get(product.sku, 0) + (wish.show_qty if wish else 0), **_limits(wish),
        )  # fmt: skip
        model, share = run.series.get(product.sku, ("", 0.0, 0.0))[:2] if expected.method == "forecast" else ("", 0.0)
        needs[supplier_id].append(
            Need(line, article.name, article.stock_unit, on_hand, reserved, on_way, basis.today, expected.daily,
                 expected.method, model, round(10_000 * share), taught.get(product.sku, 0),
                 missed=tuple(waited.missed.get(product.sku, ())))
        )  # fmt: skip
    return basis, needs


def dated_lots(session: Session, store_id: str, today: dt.date, last: dt.date) -> dict[str, list[tuple[int, float]]]:
    """Return the lots on hand whose last day lies within the interval or is over: SKU -> (days left, units)."""
    since = today - dt.timedelta(days=batches.FORGET_DAYS)
    dated = sa.select(Batch.sku).where(
        Batch.store_id == store_id, Batch.expires_on.between(since, last), Batch.gone_qty < Batch.received_qty
    )
    skus = sorted(session.scalars(dated.distinct()))
    return {
        sku: [
            ((held.expires_on - today).days, float(held.qty))
            for held in lots
            if held.expires_on is not None and held.expires_on <= last
        ]
        for sku, lots in batches.standing(session, store_id, skus, day=today).items()
    }


# --- inside ---


def _limits(wish: order_wishes.OrderWish | None) -> dict[str, Any]:
    """Return what a shopkeeper's wish sets of a line: its room and its service level."""
    level = wish.service_bp / 10_000 if wish and wish.service_bp else None
    return {"capacity_qty": wish.room_qty if wish else None, "service_level": level}


def _variances(expected: Sequence[_Expected]) -> list[float]:
    """Return the variance of each product's demand, the forecasts' told from their quantiles all at once."""
    import numpy as np

    from supply.chances import Demand

    variances = [one.variance for one in expected]
    told = [n for n, one in enumerate(expected) if one.quantiles]
    if told:
        whole = np.array([expected[n].whole for n in told])
        demand = Demand.of_quantiles(whole, np.array([expected[n].quantiles for n in told]))
        wanted = np.array([expected[n].mean for n in told])
        share = np.divide(wanted, whole, out=np.ones_like(whole), where=whole > 0)
        for n, variance in zip(told, (demand.variance * share).tolist(), strict=True):
            variances[n] = variance
    return variances


def _lately(session: Session, store_id: str, basis: Basis) -> dict[str, float]:
    """Return what fresh products sold a day over the last LATELY_DAYS, by SKU (rule 2).

    A day on which the shelf was empty tells nothing; with fewer than LEAST_SEEN_DAYS others the forecast stands alone.
    """
    from supply.next_pack import FRESH_DAYS, LATELY_DAYS

    last = basis.today - dt.timedelta(days=1)
    between = (last - dt.timedelta(days=LATELY_DAYS - 1), last)
    opened = sa.select(sa.func.count()).select_from(StoreDay)
    days = session.scalar(
        opened.where(StoreDay.store_id == store_id, StoreDay.open, StoreDay.business_day.between(*between))
    )
    empty = sa.case((DailyDemand.out_of_stock_bp > 0, 1), else_=0)
    sums = (
        sa.select(DailyDemand.sku, sa.func.sum((1 - empty) * DailyDemand.sold_qty), sa.func.sum(empty))
        .join(Product, Product.sku == DailyDemand.sku)
        .where(
            DailyDemand.store_id == store_id, DailyDemand.business_day.between(*between),
            Product.shelf_life_days <= FRESH_DAYS,
        )
        .group_by(DailyDemand.sku)
    )  # fmt: skip
    seen = [(sku, max(0, int(qty)), (days or 0) - int(hidden)) for sku, qty, hidden in session.execute(sums)]
    return {sku: qty / count for sku, qty, count in seen if count >= LEAST_SEEN_DAYS}


def _around(session: Session, store_id: str, first: dt.date, last: dt.date) -> dict[str, float]:
    """Return what a shop of the region sold a day in these weeks, by SKU: for a shop that has no day of its own."""
    region_id = sa.select(Store.region_id).where(Store.id == store_id).scalar_subquery()
    here = (RegionalDemand.region_id == region_id, RegionalDemand.business_day.between(first, last))
    opened = sa.select(RegionalDemand.business_day, sa.func.max(RegionalDemand.stores_open).label("open")).where(*here)
    days = opened.group_by(RegionalDemand.business_day).subquery()
    shop_days = session.scalar(sa.select(sa.func.sum(days.c.open))) or 0
    sums = sa.select(RegionalDemand.sku, sa.func.sum(RegionalDemand.sold_qty)).where(*here)
    found = session.execute(sums.group_by(RegionalDemand.sku))
    return {sku: max(0, int(qty)) / int(shop_days) for sku, qty in found} if shop_days else {}


def _basis(session: Session, store: Store, at: dt.datetime) -> Basis:
    today = business_day(at, store.tz, store.rollover_hour)
    run: ForecastRun | None = published(session, "store", store.id)
    age = max(0, (today - run.origin_day).days - 1) if run else None
    if run is None or age is None or age > OLDEST_DAYS or run.origin_day > today:
        return Basis(today, today_left(store, at), None, None, None)
    return Basis(today, today_left(store, at), run.id, run.origin_day, age, run.horizon_days)


def today_left(store: Store, at: dt.datetime) -> float:
    """Return the share of the business day's opening hours that is still to come, 0 to 1."""
    local = at.astimezone(ZoneInfo(store.tz))
    opens, closes, now = _minutes(store.opens), _minutes(store.closes), local.hour * 60 + local.minute
    if closes <= opens:
        closes += 24 * 60
    if local.hour < store.rollover_hour:
        now += 24 * 60
    return min(1.0, max(0.0, (closes - now) / (closes - opens)))


def _minutes(clock: str) -> int:
    hour, minute = clock.split(":")[:2]
    return int(hour) * 60 + int(minute)


def _articles(session: Session, store_id: str) -> dict[str, _Article]:
    """Return the products the shop lists."""
    query = (
        sa.select(
            Product.sku, Product.name, Product.stock_unit, Product.price_quantity, Product.shelf_life_days,
            TaxClass.rate_bp, TaxClass.inclusive,
        )
        .join(TaxClass, TaxClass.id == Product.tax_class_id)
        .join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
        .where(Product.active, Listing.active)
    )  # fmt: skip
    return {
        sku: _Article(name, unit, quantity, life, 10_000 + (rate_bp if inclusive else 0))
        for sku, name, unit, quantity, life, rate_bp, inclusive in session.execute(query)
    }
