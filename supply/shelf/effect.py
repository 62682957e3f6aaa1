"""What the bestseller shelf brings: before and since in one store, and over the region against stores without it.

Rules
-----
1. In the store each slot shows what its product sold a day before the plan and since, how the same product changed in
   the region's other stores meanwhile, and revenue and contribution of it, by facing too. That is a comparison, never a
   claim.
2. Over stores the effect is measured against those without a live plan (hold-outs): the same products, the same number
   of days before and since, store by store (`forecasting.experiments.uplift`). Without enough hold-outs there is no
   number.
3. A store keeps to its plan as far as its slots' products sold in the last week: its compliance.
4. What the operator sees of stores is counted over at least `ranking.ANONYMOUS` of them, or not shown.
"""

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import among, days_later
from config.money import BASIS, divide_half_up
from pos.catalogue.catalogue import Listing, Product
from pos.store.store import Region, Store, store_of
from supply.demand.history import DailyDemand, RegionalDemand
from supply.shelf.plan import ShelfPlan, ShelfSlot, live_plan, slots_of
from supply.shelf.ranking import MILLI

if TYPE_CHECKING:  # arithmetic is loaded where an effect is worked out, not with every page
    from forecasting.experiments.uplift import Uplift

WINDOW_DAYS = 28
LEAST_DAYS = 7
KEPT_TO_DAYS = 7
CHANGE_LEAST_BP, CHANGE_MOST_BP = 2_500, 40_000
"""A region's change beyond a quarter and four times is taken as that."""


@dataclass(frozen=True)
class SlotResult:
    """A slot since its plan began. Rates are thousandths of a portion a day; contribution None: the cost is unknown.

    elsewhere_bp: since as a part of before, in the region's other stores; None where too few sell it.
    """

    slot: int
    sku: str
    name: str
    facings: int
    before_milli: int
    since_milli: int
    elsewhere_bp: int | None
    revenue_minor: int
    contribution_minor: int | None

    @property
    def revenue_per_facing_minor(self) -> int:
        """What one facing took in."""
        return divide_half_up(self.revenue_minor, self.facings)

    @property
    def contribution_per_facing_minor(self) -> int | None:
        """What one facing contributed; None: the cost is unknown."""
        return None if self.contribution_minor is None else divide_half_up(self.contribution_minor, self.facings)


@dataclass(frozen=True)
class RegionEffect:
    """The shelves of a region. effect: None without enough hold-outs; compliance_bp: of the stores with a shelf."""

    region_id: str
    name: str
    stores: int
    with_shelf: int
    compliance_bp: int
    days: int
    effect: "Uplift | None"


# --- questions ---


def slot_results(session: Session, store_id: str, day: dt.date) -> list[SlotResult]:
    """Return what each slot of the live shelf sold before its plan and since, until a day (rule 1)."""
    plan = live_plan(session, store_id)
    if plan is None or day < plan.from_day:
        return []
    rows, days = slots_of(session, plan), (day - plan.from_day).days + 1
    skus = [row.sku for row in rows]
    old, start, until = plan.from_day - dt.timedelta(days=WINDOW_DAYS), plan.from_day, day + dt.timedelta(days=1)
    before = _sold(session, store_id, skus, old, start)
    since = _sold(session, store_id, skus, start, until)
    elsewhere = changes_elsewhere(session, store_of(session, store_id), skus, old, start, until)
    revenue = dict(
        session.execute(
            sa.select(DailyDemand.sku, sa.func.sum(DailyDemand.revenue_minor))
            .where(DailyDemand.store_id == store_id, DailyDemand.sku.in_(skus),
                   DailyDemand.business_day.between(plan.from_day, day))
            .group_by(DailyDemand.sku)
        ).all()
    )  # fmt: skip
    goods = {
        sku: (per, cost)
        for sku, per, cost in session.execute(
            sa.select(Product.sku, Product.price_quantity, Listing.cost_minor)
            .outerjoin(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
            .where(Product.sku.in_(skus))
        )
    }
    found = []
    for row in rows:
        per, cost_minor = goods.get(row.sku, (1, None))
        sold = since.get(row.sku, 0)
        taken = int(revenue.get(row.sku) or 0)
        spent = None if cost_minor is None else divide_half_up(sold * cost_minor, per)
        found.append(
            SlotResult(
                slot=row.slot, sku=row.sku, name=row.name, facings=row.facings,
                before_milli=before.get(row.sku, 0) * MILLI // (WINDOW_DAYS * per),
                since_milli=sold * MILLI // (days * per), elsewhere_bp=elsewhere.get(row.sku),
                revenue_minor=taken, contribution_minor=None if spent is None else taken - spent,
            )
        )  # fmt: skip
    return found


def changes_elsewhere(
    session: Session, store: Store, skus: list[str], old: dt.date, start: dt.date, until: dt.date
) -> dict[str, int]:
    """Return SKU -> what the region's other stores sell a day since the start as a part of before, in basis points.

    old, start, until: before is [old, start), since is [start, until). What too few stores sold is left out.
    """
    region = RegionalDemand
    rates: list[dict[str, int]] = []
    for first, end in ((old, start), (start, until)):
        rows = session.execute(
            sa.select(region.sku, region.business_day, region.sold_qty, region.stores_open).where(
                region.region_id == store.region_id, region.sku.in_(skus), region.business_day >= first,
                region.business_day < end, region.stores_open > 1,
            )
        ).all()  # fmt: skip
        own, sold, stores = _sold(session, store.id, skus, first, end), Counter[str](), Counter[dt.date]()
        for sku, day, qty, stores_open in rows:
            sold[sku] += qty
            stores[day] = max(stores[day], stores_open - 1)  # who sold none of one product was open all the same
        store_days = stores.total()
        rates.append({sku: (qty - own.get(sku, 0)) * MILLI // store_days for sku, qty in sold.items()})
    before, since = rates
    return {
        sku: max(CHANGE_LEAST_BP, min(CHANGE_MOST_BP, since.get(sku, 0) * BASIS // rate))
        for sku, rate in before.items()
        if rate > 0
    }


def region_effects(session: Session, day: dt.date) -> list[RegionEffect]:
    """Return the shelves of every region with their effect and compliance until a day (rules 2 to 4)."""
    return [
        _of_region(session, region, day)
        for region in session.scalars(sa.select(Region).order_by(Region.name, Region.id))
    ]


def effect_over(session: Session, store_ids: Iterable[str], day: dt.date) -> tuple["Uplift | None", int]:
    """Return the effect of the shelf over some stores, and over how many days before and since (rule 2)."""
    stores = sorted(store_ids)
    plans = {plan.store_id: plan for plan in session.scalars(_live(stores))}
    begun = {store: plan for store, plan in plans.items() if (day - plan.from_day).days + 1 >= LEAST_DAYS}
    if not begun:
        return None, 0
    usual = dt.date.fromordinal(int(statistics.median_low(plan.from_day.toordinal() for plan in begun.values())))
    days = min(WINDOW_DAYS, *((day - plan.from_day).days + 1 for plan in begun.values()))
    shown = [(one.store_id, one.id) for one in begun.values()]
    on_it = sa.select(ShelfSlot.sku).where(sa.tuple_(ShelfSlot.store_id, ShelfSlot.plan_id).in_(shown))
    skus = sorted(session.scalars(on_it.distinct()))
    import numpy as np

    from forecasting.experiments.uplift import uplift

    with_shelf = _around(session, ShelfPlan.from_day, skus, days).join(
        ShelfPlan, (ShelfPlan.store_id == DailyDemand.store_id) & sa.tuple_(ShelfPlan.store_id, ShelfPlan.id).in_(shown)
    )
    others = [store for store in stores if store not in plans]
    without = _around(session, sa.literal(usual), skus, days).where(among(session, DailyDemand.store_id, others))
    rows = [(*row, True) for row in session.execute(with_shelf)] + [(*row, False) for row in session.execute(without)]
    before, after, changed = (np.array([row[at] for row in rows], dtype=np.float64) for at in (1, 2, 3))
    return uplift(before, after, changed == 1), days


# --- inside ---


def _of_region(session: Session, region: Region, day: dt.date) -> RegionEffect:
    stores = list(session.scalars(sa.select(Store.id).where(Store.region_id == region.id).order_by(Store.id)))
    plans = list(session.scalars(_live(stores)))
    effect, days = effect_over(session, stores, day)
    kept = _kept_to(session, plans, day)
    share = sum(kept) // len(kept) if kept else 0
    return RegionEffect(region.id, region.name, len(stores), len(plans), share, days, effect)


def _live(stores: list[str]) -> sa.Select[ShelfPlan]:
    return (
        sa.select(ShelfPlan)
        .where(ShelfPlan.store_id.in_(stores), ShelfPlan.state == "live")
        .order_by(ShelfPlan.store_id)
    )


def _kept_to(session: Session, plans: list[ShelfPlan], day: dt.date) -> list[int]:
    """Return of each plan the share of its slots whose product sold in the last week, in basis points (rule 3)."""
    first, row = day - dt.timedelta(days=KEPT_TO_DAYS - 1), DailyDemand
    is_its = (row.store_id == ShelfSlot.store_id) & (row.sku == ShelfSlot.sku) & row.business_day.between(first, day)
    slots = session.execute(
        sa.select(ShelfSlot.store_id, sa.func.coalesce(sa.func.sum(row.sold_qty), 0) > 0)
        .outerjoin(row, is_its)
        .where(sa.tuple_(ShelfSlot.store_id, ShelfSlot.plan_id).in_([(plan.store_id, plan.id) for plan in plans]))
        .group_by(ShelfSlot.store_id, ShelfSlot.plan_id, ShelfSlot.slot)
    )
    sold: dict[str, list[bool]] = {plan.store_id: [] for plan in plans}
    for store_id, one in slots:
        sold[store_id].append(one)
    return [BASIS * sum(some) // max(1, len(some)) for some in sold.values()]


def _around(session: Session, start: Any, skus: list[str], days: int) -> sa.Select[Any, Any, Any]:
    """Ask of each store what it sold of some products in so many days before a start, a day or a column, and since."""
    row = DailyDemand
    before = sa.func.sum(sa.case((row.business_day < start, row.sold_qty), else_=0))
    since = sa.func.sum(sa.case((row.business_day < start, 0), else_=row.sold_qty))
    return (
        sa.select(row.store_id, before, since)
        .where(row.sku.in_(skus), row.business_day >= days_later(session, start, -days))
        .where(row.business_day < days_later(session, start, days))
        .group_by(row.store_id)
    )


def _sold(session: Session, store_id: str, skus: list[str], first: dt.date, until: dt.date) -> dict[str, int]:
    """Return what a store sold from a day until before another, by SKU."""
    query = sa.select(DailyDemand.sku, sa.func.sum(DailyDemand.sold_qty)).where(
        DailyDemand.store_id == store_id, DailyDemand.sku.in_(skus), DailyDemand.business_day >= first,
        DailyDemand.business_day < until,
    )  # fmt: skip
    return {sku: int(qty) for sku, qty in session.execute(query.group_by(DailyDemand.sku))}
