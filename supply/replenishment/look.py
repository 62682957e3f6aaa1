"""Everything an order is decided on, read once: suppliers and packs, demand, stock, shelves, preferences, money.

Rules
-----
1. Of every supplier that serves the store, for its next order day, planned with the lead time that was measured.
2. Demand is what is `expected` until the day before the delivery after the next; the position is that of
   `supply/replenishment/proposals.py`, rule 4, with what is `to_come` until then.
3. So many queries as there are tables, never one per product; nothing is decided here (`decide`).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import table_of
from config.prepared import Prepared
from pos.catalogue.catalogue import Listing, Product, TaxClass, prices_on
from pos.stock import batches, consignment_stock, recall, stock
from pos.store.store import day_of, store_of
from supply.demand import known_events
from supply.demand.expected import Basis, Expected, expect
from supply.orders import order_days, orders
from supply.orders.delivery_calendar import DeliveryCalendar, OrderCycle
from supply.orders.lead_times import LeadTime, measured
from supply.orders.suppliers import Terms, supplier_of
from supply.orders.supply_routes import offered
from supply.replenishment import budget, service_targets
from supply.replenishment.budget import Budget
from supply.replenishment.open_orders import ToCome, to_come
from supply.replenishment.service_targets import Preference
from supply.shelf import plan


@dataclass(frozen=True)
class Candidate:
    """A supplier as a store sees it on a day. terms, expected: of what the store lists and has priced of it, in order.

    days: of the next order; last: the last day it has to last.
    """

    supplier_id: str
    name: str
    minimum_minor: int
    is_own: bool
    calendar: DeliveryCalendar
    lead: LeadTime
    days: OrderCycle
    last: dt.date
    terms: Sequence[Terms]
    expected: Expected


class Article(NamedTuple):
    """A product the store lists and orders. tax_divisor_bp: its price divided by this is without tax."""

    name: str
    stock_unit: str
    price_quantity: int
    shelf_life_days: int | None
    tax_divisor_bp: int


@dataclass(frozen=True)
class Situation:
    """What a store's order is decided on. candidates: the next vehicle first; most else is by SKU.

    levels: on hand and reserved; lots: (days left, units) of those whose last day lies ahead; slots: front row and
    place of the shelf plan that stands on a delivery day; spoken_for: units promised until a last day; on_the_way: the
    orders that were counted.
    """

    basis: Basis
    candidates: Sequence[Candidate]
    articles: Mapping[str, Article]
    prices: Mapping[str, int]
    preferences: Mapping[str, Preference]
    taught: Mapping[str, int]
    levels: Mapping[str, tuple[int, int]]
    lots: Mapping[str, Sequence[tuple[int, float]]]
    waited: ToCome
    consigned: Mapping[str, tuple[int, dt.date]]
    recalled: Mapping[str, int]
    slots: Mapping[dt.date, Mapping[str, tuple[int, int]]]
    spoken_for: Mapping[dt.date, Mapping[str, int]]
    service_bp: int
    budgets: Sequence[Budget]
    on_the_way: frozenset[str]


def look(
    session: Session,
    store_id: str,
    *,
    terms: Mapping[str, Sequence[Terms]] | None = None,
    days: Mapping[str, OrderCycle] | None = None,
    at: dt.datetime,
) -> Situation:
    """Read what a store's orders are decided on now (rules 1 to 3).

    terms: what each supplier sells, None: all that can be ordered; days: of an order that is there, None: the next's.
    """
    store, today = store_of(session, store_id), day_of(session, store_id, at)
    terms = offered(session, store_id, today) if terms is None else terms
    suppliers = {supplier_id: supplier_of(session, supplier_id) for supplier_id in terms}
    leads = measured(session, store_id, list(suppliers.values()), at=at)
    days = days or {
        one.id: order_days.next_days(session, one, store_id, leads[one.id].days, at) for one in suppliers.values()
    }
    last = {one: max(today, days[one].next_delivery_day - dt.timedelta(days=1)) for one in terms}
    articles = {sku: Article._make(row) for sku, *row in _ARTICLES.all(session, {"store": store_id})}
    prices = prices_on(session, store_id, today)
    called_back = {row.sku for row in recall.in_force(session, store_id) if row.batch is None}
    known = articles.keys() & prices.keys() - called_back
    here = {one: [each for each in terms[one] if each.sku in known] for one in terms}
    wanted = {one: ([each.sku for each in here[one]], last[one]) for one in terms}
    basis, expected = expect(session, store, wanted, at=at)
    candidates = [
        Candidate(one.id, one.name, one.minimum_minor, one.owner_id == store_id, one.calendar, leads[one.id],
                  days[one.id], last[one.id], here[one.id], expected[one.id])
        for one in sorted(suppliers.values(), key=lambda one: (days[one.id].delivery_day, one.id))
    ]  # fmt: skip
    lasts = set(last.values()) or {today}
    return Situation(
        basis=basis, candidates=candidates, articles=articles, prices=prices,
        preferences=service_targets.preferences(session, store_id),
        taught=service_targets.lessons(session, store_id, at), consigned=consignment_stock.standing(session, store_id),
        levels={sku: (max(0, one.on_hand), one.held) for sku, one in stock.levels(session, store_id).items()},
        lots=batches.dated(session, store_id, today, max(lasts)),
        recalled=batches.recalled(session, store_id, day=today), waited=to_come(session, store_id, at=at),
        slots={day: plan.places_on(session, store_id, day) for day in {one.days.delivery_day for one in candidates}},
        spoken_for={
            day: known_events.until(session, store_id, day, beside=basis.run_id) for day in lasts
        },
        service_bp=service_targets.service_of(session, store_id), budgets=budget.budgets(session, store_id, today),
        on_the_way=orders.on_the_way(session, store_id),
    )  # fmt: skip


# --- inside ---

_product, _tax, _listing = table_of(Product).c, table_of(TaxClass).c, table_of(Listing).c
_ARTICLES = Prepared(
    sa.select(
        _product.sku, _product.name, _product.stock_unit, _product.price_quantity, _product.shelf_life_days,
        10_000 + sa.case((_tax.inclusive, _tax.rate_bp), else_=0),
    ).where(
        _listing.store_id == sa.bindparam("store"), _product.sku == _listing.sku, _tax.id == _product.tax_class_id,
        _product.active, _listing.active, _listing.ordered,
    )
)  # fmt: skip
