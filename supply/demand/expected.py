"""What is expected to be wanted of a store's products until a day: by its forecast, else by its last weeks, all at
once.

Rules
-----
1. Demand is that of `supply/replenishment/proposals.py`, rules 2 and 3: of the store's own published run, at most
   OLDEST_DAYS old, else the mean of the last RECENT_DAYS, else what a store of its region sold, as large as it says it
   is (`stated_sales`).
2. Of what is fresh (`lead_time_demand`, FRESH_DAYS) it is moved towards what the last LATELY_DAYS sold as far as chance
   does not explain the distance: levels of fruit move faster than a forecast follows, and too much is thrown away.
3. On days the store settled to stay closed nothing is wanted, also where the forecast did not know of them
   (`closed_days`).
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
from pos.catalogue.catalogue import Product
from pos.store.store import Store
from supply.demand import closed_days, stated_sales
from supply.demand.forecasts import ForecastQuantile, ForecastRun, ForecastSeries, published
from supply.demand.history import DailyDemand, RegionalDemand, StoreDay

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from forecasting.series.panel import Floats

OLDEST_DAYS = 3
RECENT_DAYS = 28
LEAST_SEEN_DAYS = 7


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
class Expected:
    """Demand of n products over one interval: its days' means, and how it spreads.

    daily: (n, days), the first day what is left of today; variance, usual: (n,), usual of a usual day, 0 where nobody
    tells. lately_spread: (n,) variance over mean of its last days, NaN where nobody tells. how: of each product its
    method (forecast | mean28 | region28), the model and the share of the region.
    """

    daily: "Floats"
    variance: "Floats"
    usual: "Floats"
    lately_spread: "Floats"
    how: list[tuple[str, str, float]]


def expect(
    session: Session, store: Store, wanted: Mapping[str, tuple[Sequence[str], dt.date]], *, at: dt.datetime
) -> tuple[Basis, dict[str, Expected]]:
    """Return what demand stands on in a store now, and what is expected of each of these lists of products.

    wanted: by any name, SKUs and the day until which, from what is left of today.
    """
    import numpy as np

    basis = _basis(session, store, at)
    lasts = {last for _, last in wanted.values()} or {basis.today}
    closed = closed_days.shut(session, store, basis.today, max(lasts))
    run = _Run(session, store.id, basis, lasts, closed)
    recent, every = _Recent(session, store.id, basis), dict[str, Expected]()
    for name, (skus, last) in wanted.items():
        every[name] = found = recent.expected(skus, basis, last)
        reported = np.array([n for n, sku in enumerate(skus) if run.knows(sku, basis, last)], dtype=np.int64)
        if reported.size:
            own = run.expected([skus[n] for n in reported.tolist()], basis, last)
            found.daily[reported], found.variance[reported] = own.daily, own.variance
            found.usual[reported], found.lately_spread[reported] = own.usual, own.lately_spread
            for n, how in zip(reported.tolist(), own.how, strict=True):
                found.how[n] = how
        shut = [(day - basis.today).days for day in closed if day <= last]
        if shut:
            whole = _total(found.daily)
            found.daily[:, shut] = 0.0
            left = np.divide(_total(found.daily), whole, out=np.zeros_like(whole), where=whole > 0)
            found.variance[:] *= left
    return basis, every


def lately(session: Session, store_id: str, basis: Basis) -> dict[str, float]:
    """Return what fresh products sold a day over the last LATELY_DAYS, by SKU (rule 2).

    A day on which the shelf was empty tells nothing; with fewer than LEAST_SEEN_DAYS others the forecast stands alone.
    """
    from supply.demand.lead_time_demand import FRESH_DAYS, LATELY_DAYS

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


# --- inside ---


_row, _series = table_of(ForecastQuantile).c, table_of(ForecastSeries).c
_reported = (
    _series.run_id == sa.bindparam("run"), _row.run_id == _series.run_id, _row.sku == _series.sku,
    _row.first_day == sa.bindparam("first"),
)  # fmt: skip
_in_order = (_series.sku, _row.first_day, _row.last_day)
"""The key's own order: the books are looked up product by product, and never sorted."""
_MEANS = Prepared(
    sa.select(_series.sku, _row.mean).where(*_reported, _row.last_day <= sa.bindparam("last")).order_by(*_in_order)
)
_SPREAD = Prepared(
    sa.select(
        _series.sku, _series.model, _series.regional_share, _series.level, _series.lately_spread,
        _row.q50, _row.q75, _row.q90, _row.q95, _row.q99,
    ).where(*_reported, _row.last_day == sa.bindparam("last")).order_by(*_in_order)
)  # fmt: skip


class _Run:
    """A forecast run's numbers: sums of the days after its origin, and how the sums until some of them spread."""

    def __init__(
        self, session: Session, store_id: str, basis: Basis, lasts: set[dt.date], closed: frozenset[dt.date]
    ) -> None:
        self.closed = closed
        self.first = basis.today if basis.origin_day is None else basis.origin_day + dt.timedelta(days=1)
        self.sums: dict[str, list[float]] = {}
        self.spread: dict[dt.date, dict[str, Sequence[Any]]] = {}
        self.lately: dict[str, float] = {}
        self.horizon_last = self.first + dt.timedelta(days=basis.horizon_days - 1)
        if basis.run_id is None:
            return
        mine = {"run": basis.run_id, "first": self.first}
        for sku, mean in _MEANS.all(session, mine | {"last": min(max(lasts), self.horizon_last)}):
            self.sums.setdefault(sku, []).append(mean)
        for end in {min(one, self.horizon_last) for one in lasts}:
            self.spread[end] = {row[0]: row for row in _SPREAD.all(session, mine | {"last": end})}
        self.lately = lately(session, store_id, basis)

    def knows(self, sku: str, basis: Basis, last: dt.date) -> bool:
        """Tell whether the run says what is wanted of a product from today on."""
        end = min(last, self.horizon_last)
        return end >= basis.today and sku in self.spread.get(end, ())

    def expected(self, skus: Sequence[str], basis: Basis, last: dt.date) -> Expected:
        """Return the demand of products it knows from what is left of today until `last`."""
        import numpy as np

        from supply.demand.lead_time_demand import Demand, lately_factor

        end = min(last, self.horizon_last)
        rows = [self.spread[end][sku] for sku in skus]
        days, skipped = (end - self.first).days + 1, (basis.today - self.first).days
        sums = np.array([self.sums[sku][:days] for sku in skus])
        daily = np.diff(sums, axis=1, prepend=0.0)
        level, lately = np.array([row[3:5] for row in rows], dtype=np.float64).reshape(-1, 2).T
        open_days = [n for n in range(days) if self.first + dt.timedelta(days=n) not in self.closed][-7:]
        usual = daily[:, open_days].sum(axis=1, keepdims=True) / len(open_days) if open_days else level[:, None]
        unsaid, beyond = np.zeros((len(skus), max(0, -skipped))), np.repeat(usual, (last - end).days, axis=1)
        daily = np.hstack([unsaid, np.maximum(0.0, daily[:, max(0, skipped) :]), beyond])
        daily[:, 0] *= basis.today_left
        sold = np.array([self.lately.get(sku, np.nan) for sku in skus])
        fresh = ~np.isnan(sold) & (level > 0)
        factor = np.ones(len(skus))
        factor[fresh] = lately_factor(sold[fresh], level[fresh])
        daily *= factor[:, None]
        whole = sums[:, -1]
        share = np.divide(_total(daily), whole, out=np.ones_like(whole), where=whole > 0)
        spread = Demand.of_quantiles(whole, np.array([row[5:] for row in rows]))
        how = [("forecast", row[1], row[2]) for row in rows]
        return Expected(daily, spread.variance * share, level * factor, lately, how)


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
        around = {} if self.days else _around(session, store_id, first, last)
        times = stated_sales.times(session, store_id, around, basis.today) if around else 1.0
        self.around = {sku: rate * times for sku, rate in around.items()}

    def expected(self, skus: Sequence[str], basis: Basis, last: dt.date) -> Expected:
        """Return the demand from what is left of today until `last`; sales that come by chance in their usual size."""
        import numpy as np

        sold, sales = np.array([self.sold.get(sku, (0, 0)) for sku in skus], dtype=np.float64).reshape(-1, 2).T
        if self.days:
            method, rate, spread = "mean28", sold / self.days, np.maximum(1.0, sold / np.maximum(1.0, sales))
        else:
            rate = np.array([self.around.get(sku, 0.0) for sku in skus])
            method, spread = "region28", np.full(len(skus), 2.0)
        daily = np.repeat(rate[:, None], (last - basis.today).days + 1, axis=1)
        daily[:, 0] *= basis.today_left
        n = len(skus)
        return Expected(daily, _total(daily) * spread, np.zeros(n), np.full(n, np.nan), [(method, "", 0.0)] * n)


def _around(session: Session, store_id: str, first: dt.date, last: dt.date) -> dict[str, float]:
    """Return what a store of the region sold a day in these weeks, by SKU: for a store that has no day of its own."""
    region_id = sa.select(Store.region_id).where(Store.id == store_id).scalar_subquery()
    here = (RegionalDemand.region_id == region_id, RegionalDemand.business_day.between(first, last))
    opened = sa.select(RegionalDemand.business_day, sa.func.max(RegionalDemand.stores_open).label("open")).where(*here)
    days = opened.group_by(RegionalDemand.business_day).subquery()
    store_days = session.scalar(sa.select(sa.func.sum(days.c.open))) or 0
    sums = sa.select(RegionalDemand.sku, sa.func.sum(RegionalDemand.sold_qty)).where(*here)
    found = session.execute(sums.group_by(RegionalDemand.sku))
    return {sku: max(0, int(qty)) / int(store_days) for sku, qty in found} if store_days else {}


def _basis(session: Session, store: Store, at: dt.datetime) -> Basis:
    today = business_day(at, store.tz, store.rollover_hour)
    run: ForecastRun | None = published(session, "store", store.id)
    age = max(0, (today - run.origin_day).days - 1) if run else None
    if run is None or age is None or age > OLDEST_DAYS or run.origin_day > today:
        return Basis(today, today_left(store, at), None, None, None)
    return Basis(today, today_left(store, at), run.id, run.origin_day, age, run.horizon_days)


def today_left(store: Store, at: dt.datetime) -> float:
    """Return the share of the business day's opening hours that is still to come, 0 to 1."""
    day = business_day(at, store.tz, store.rollover_hour)
    return store.week.left(day, ZoneInfo(store.tz), at)


def _total(daily: "Floats") -> "Floats":
    """Return the sum of each product's days, one after the other."""
    found: Floats = daily.cumsum(axis=1)[:, -1]
    return found
