"""What a store needs of each supplier: demand, stock, prices and packs, loaded for all its products at once.

Rules
-----
1. Only what the store lists and has priced is needed; a price counts without its tax.
2. Demand is what is `expected`; the position is that of `supply/replenishment/proposals.py`, rule 4, with what is
   `to_come` until the interval's last day.
3. What is kept for show, room and service are the shopkeeper's wishes (`service_targets`). What has a slot of the shelf
   plan that stands when the goods come keeps its front row for show, one portion a facing, unless the shopkeeper wishes
   otherwise, and the slot is its place on the shelf (`shelf`).
4. What is wholly recalled is not needed, and units of a recalled lot are not there. Of dated lots, what will expire
   unsold within the interval does not count; what is on the way counts from its day on; a lead time's spread widens
   demand (`lead_times`).
5. So many queries as there are tables, never one per product.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.database import table_of
from config.prepared import Prepared
from pos.catalogue.catalogue import Listing, Product, TaxClass, prices_on
from pos.stock import batches, consignment_stock, recall, stock
from pos.stock.batches import Batch
from pos.store.store import Store
from supply.demand import known_events
from supply.demand.expected import Basis, Expected, Expecting
from supply.orders.delivery_calendar import OrderCycle
from supply.orders.lead_times import LeadTime
from supply.orders.suppliers import Terms
from supply.replenishment import auto_approval, service_targets
from supply.replenishment.open_orders import Missed, to_come
from supply.shelf import plan

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from supply.replenishment.policy import PolicyLine


@dataclass(frozen=True)
class Alternative:
    """Another supplier of a product: what a pack holds and costs there, and when it would come."""

    supplier_id: str
    name: str
    pack_qty: int
    pack_cost_minor: int
    delivery_day: dt.date

    def reported(self) -> list[Any]:
        """Return it as a line keeps it."""
        return [self.name, self.pack_qty, self.pack_cost_minor, self.delivery_day.isoformat()]


class Need(NamedTuple):
    """A product as a proposal sees it.

    daily: mean demand of each day of the interval, the first one what is left of today.
    on_the_way: what comes on each day of it. method: forecast | mean28 | region28. missed: what should be here and did
    not come (`to_come`). consigned: units of on_hand that are somebody else's, and the last day they may go back.
    """

    line: "PolicyLine"
    name: str
    stock_unit: str
    on_hand: int
    reserved: int
    on_the_way: dict[dt.date, int]
    first_day: dt.date
    daily: tuple[float, ...]
    method: str
    model: str = ""
    regional_share_bp: int = 0
    adjusted_qty: int = 0
    others: tuple[Alternative, ...] = ()
    missed: tuple[Missed, ...] = ()
    consigned: tuple[int, dt.date] | None = None


def needs_of(
    session: Session,
    store: Store,
    offered: Mapping[str, Sequence[Terms]],
    days: Mapping[str, OrderCycle],
    leads: Mapping[str, LeadTime],
    *,
    at: dt.datetime,
) -> tuple[Basis, dict[str, list[Need]]]:
    """Return what the store needs to know of every product of these suppliers, and what its demand stands on."""
    today = business_day(at, store.tz, store.rollover_hour)
    last = {one: max(today, days[one].next_delivery_day - dt.timedelta(days=1)) for one in offered}
    lasts = set(last.values()) or {today}
    expecting = Expecting(session, store, lasts, at=at)
    comes = {one: days[one].delivery_day for one in offered}
    shelves = _Shelves(session, store.id, expecting.basis, lasts, set(comes.values()), at=at)
    needs = {}
    for supplier_id, products in offered.items():
        known = shelves.articles.keys() & shelves.prices.keys() - shelves.called_back
        sold_here = [one for one in products if one.sku in known]
        expected = expecting.until([one.sku for one in sold_here], last[supplier_id])
        order_cycle = (days[supplier_id], last[supplier_id], leads[supplier_id].variance)
        needs[supplier_id] = shelves.needs(sold_here, expected, expecting.basis, *order_cycle)
    return expecting.basis, needs


def dated_lots(session: Session, store_id: str, today: dt.date, last: dt.date) -> dict[str, list[tuple[int, float]]]:
    """Return the lots on hand whose last day lies within the interval or is over: SKU -> (days left, units).

    What is recalled is not there (rule 4), and does not expire.
    """
    since = today - dt.timedelta(days=batches.FORGET_DAYS)
    dated = sa.select(Batch.sku).where(
        Batch.store_id == store_id, Batch.expires_on.between(since, last), Batch.gone_qty < Batch.received_qty
    )
    skus = sorted(session.scalars(dated.distinct()))
    called = recall.in_force(session, store_id, skus)
    return {
        sku: [
            ((held.expires_on - today).days, float(held.qty))
            for held in lots
            if held.expires_on is not None
            and held.expires_on <= last
            and not any(row.sku == sku and row.means(held.batch) for row in called)
        ]
        for sku, lots in batches.standing(session, store_id, skus, day=today).items()
    }


# --- inside ---


class _Article(NamedTuple):
    name: str
    stock_unit: str
    price_quantity: int
    shelf_life_days: int | None
    tax_divisor_bp: int


class _Shelves:
    """What a store has, waits for, promised, and was asked to keep, by SKU."""

    def __init__(
        self, session: Session, store_id: str, basis: Basis, lasts: set[dt.date], comes: set[dt.date], *,
        at: dt.datetime,
    ) -> None:  # fmt: skip
        today = basis.today
        self.articles, self.prices = _articles(session, store_id), prices_on(session, store_id, today)
        self.taught, self.wishes = (
            auto_approval.lessons(session, store_id, at),
            service_targets.wishes(session, store_id),
        )
        self.lots, self.waited = dated_lots(session, store_id, today, max(lasts)), to_come(session, store_id, at=at)
        self.levels, self.consigned = stock.levels(session, store_id), consignment_stock.standing(session, store_id)
        self.recalled = batches.recalled(session, store_id, day=today)
        self.called_back = {row.sku for row in recall.in_force(session, store_id) if row.batch is None}
        self.slots = {day: plan.standing_on(session, store_id, day) for day in comes}
        self.spoken_for = {day: known_events.until(session, store_id, day, beside=basis.run_id) for day in lasts}

    def needs(
        self,
        products: Sequence[Terms],
        expected: Expected,
        basis: Basis,
        order_cycle: OrderCycle,
        last: dt.date,
        slack: float,
    ) -> list[Need]:
        """Return what is needed of these products until `last`. slack: the variance of the supplier's lead time."""
        from supply.replenishment.policy import PolicyLine, expected_outdating, ready

        until = expected.daily.cumsum(axis=1)
        mean, before_days = until[:, -1], max(0, (order_cycle.delivery_day - basis.today).days)
        before = until[:, min(before_days, until.shape[1]) - 1] if before_days else 0.0 * mean
        interval = (last - basis.today).days + basis.today_left
        variance = expected.variance + (mean / interval if interval > 0 else 0.0 * mean) ** 2 * slack
        held_days, spoken_for = (
            float((order_cycle.next_delivery_day - order_cycle.delivery_day).days),
            self.spoken_for[last],
        )
        slots = self.slots[order_cycle.delivery_day]
        found = []
        columns = zip(
            products, mean.tolist(), variance.tolist(), before.tolist(), expected.usual.tolist(),
            expected.lately_spread.tolist(), expected.daily.tolist(), expected.how, strict=True,
        )  # fmt: skip
        for terms, mean, variance, before, usual, lately, daily, (method, model, share) in columns:
            _, sku, pack_qty, cost, minimum = terms
            article, wish, taught = self.articles[sku], self.wishes.get(sku), self.taught.get(sku, 0)
            on_way = {day: qty for day, qty in self.waited.coming.get(sku, {}).items() if day <= last}
            level = self.levels.get(sku)
            on_hand, reserved = (max(0, level.on_hand), level.held) if level else (0, 0)
            free, slot = on_hand - reserved - spoken_for.get(sku, 0) - self.recalled.get(sku, 0), slots.get(sku)
            line = PolicyLine(
                sku, mean, variance, before, interval, held_days, free + sum(on_way.values()), pack_qty, cost,
                self.prices[sku] * 10_000 // article.tax_divisor_bp, article.price_quantity, minimum,
                article.shelf_life_days, wish.service_bp / 10_000 if wish and wish.service_bp else None,
                expected_outdating(self.lots[sku], daily) if sku in self.lots else 0.0,
                taught + (wish.show_qty if wish and wish.show_qty else slot.front_qty if slot else 0),
                wish.room_qty if wish else None, usual,
                ready(daily[:before_days], free, {(day - basis.today).days: qty for day, qty in on_way.items()})
                if on_way else None,
                slot.fill_qty if slot else None, lately,
            )  # fmt: skip
            found.append(
                Need(line, article.name, article.stock_unit, on_hand, reserved, on_way, basis.today, tuple(daily),
                     method, model, round(10_000 * share), taught, missed=tuple(self.waited.missed.get(sku, ())),
                     consigned=self.consigned.get(sku))
            )  # fmt: skip
        return found


def _articles(session: Session, store_id: str) -> dict[str, _Article]:
    """Return the products the store lists."""
    return {sku: _Article._make(row) for sku, *row in _ARTICLES.all(session, {"store": store_id})}


_product, _tax, _listing = table_of(Product).c, table_of(TaxClass).c, table_of(Listing).c
_ARTICLES = Prepared(
    sa.select(
        _product.sku, _product.name, _product.stock_unit, _product.price_quantity, _product.shelf_life_days,
        10_000 + sa.case((_tax.inclusive, _tax.rate_bp), else_=0),
    ).where(
        _listing.store_id == sa.bindparam("store"), _product.sku == _listing.sku, _tax.id == _product.tax_class_id,
        _product.active, _listing.active,
    )
)  # fmt: skip
