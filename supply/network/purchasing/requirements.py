"""What a warehouse needs of upstream suppliers, from what the stores it supplies sell and have.

Rules
-----
1. A warehouse buys for the whole chain behind it (echelon): what counts is what stands in it and is not over, what is
   ordered upstream, and what stands in the stores it supplies (`serving`) or is on its way to them, of each as much as
   it will sell until then. So a full store is not bought for twice, one that runs out is bought for whatever the others
   have, and an order a store inflates buys nothing. What is wholly recalled is not bought.
2. Demand is the sum of what those stores sell, until the delivery after next and over the way to the store until the
   vehicle after; its variance is the sum of theirs, by chance in whole units at least. Each product is bought of one
   upstream supplier (`supply_routes`), in its packs, on its order days; its days are those its deliveries took, whose
   spread widens demand (`lead_times`). What none of them sells is bought of nobody known here, in the warehouse's own
   packs, after UPSTREAM_DAYS.
3. A store whose figures nobody can reckon with is left out of the sums (`isolation`), and the others are bought for.

Quantities in stock units.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product
from pos.stock import batches, recall
from pos.stock.ledger import INSIDE, MOST_QTY, StockLevel
from pos.store.store import day_of
from supply import isolation
from supply.orders import order_days, purchases, supply_routes
from supply.orders.delivery_calendar import next_cycle
from supply.orders.lead_times import LeadTime
from supply.orders.suppliers import Supplier, SupplierProduct, Terms, require_warehouse
from supply.replenishment import stockouts

UPSTREAM_DAYS = 1
SERVICE_LEVEL = 0.98
MARGIN_BP = 2_500
"""What a unit is taken to earn the network on its cost, where the policy weighs a pack."""


@dataclass(frozen=True)
class Source:
    """Whom something is bought from, and its days.

    interval_days: until the delivery after this one; lead_variance: of the days until goods come, squared.
    """

    supplier_id: str | None
    order_day: dt.date | None
    delivery_day: dt.date
    lead_days: int
    interval_days: int
    minimum_minor: int
    lead_variance: float = 0.0

    @classmethod
    def of(cls, seller: Supplier, took: LeadTime, today: dt.date, minute: int) -> "Source":
        """Return a supplier with the days of the next order it takes, as long as its goods really take."""
        days = next_cycle(seller.calendar, today, took.days, minute=minute)
        lead, interval = (days.delivery_day - today).days, (days.next_delivery_day - today).days
        return cls(seller.id, days.order_day, days.delivery_day, lead, interval, seller.minimum_minor, took.variance)

    @classmethod
    def unknown(cls, today: dt.date) -> "Source":
        """Return whoever sells what no upstream supplier does."""
        return cls(None, None, today + dt.timedelta(days=UPSTREAM_DAYS), UPSTREAM_DAYS, UPSTREAM_DAYS + 1, 0)


@dataclass(frozen=True)
class Requirement:
    """A product to decide on. line: for the policy; why: what it was worked out from."""

    name: str
    line: Any
    why: dict[str, Any]


@dataclass(slots=True)
class _Stores:
    """What stores sell of a product a day, and have; counted: of each as much as it sells in the days that count."""

    per_day: float = 0.0
    have: float = 0.0
    counted: float = 0.0


# --- questions ---


def required(ctx: Context, warehouse_id: str) -> list[tuple[Source, list[Requirement]]]:
    """Return of whom a warehouse buys what, of every product it carries that somebody sells (rules 1, 2)."""
    require_warehouse(ctx.session, warehouse_id)
    vehicles = ctx.session.scalars(sa.select(Supplier).where(Supplier.warehouse_id == warehouse_id)).all()
    today = day_of(ctx.session, warehouse_id, ctx.at)
    way = max(
        (one.next_delivery_day - one.order_day).days
        for one in (next_cycle(vehicle.calendar, today) for vehicle in vehicles)
    )
    sellers = [one for one in supply_routes.upstream_suppliers(ctx.session) if one.active]
    took = purchases.leads(ctx.session, sellers, at=ctx.at)
    minute = order_days.minute_at(ctx.session, warehouse_id, today, ctx.at)
    sources = {one.id: Source.of(one, took[one.id], today, minute) for one in sellers}
    unknown = Source.unknown(today)
    sold = supply_routes.cheapest_upstream(ctx.session, today)
    listed = [
        (sku, name, sold.get(sku, own)) for sku, name, own in _listed(ctx.session, [vehicle.id for vehicle in vehicles])
    ]
    of = {sku: sources.get(terms.supplier_id, unknown) for sku, _name, terms in listed}
    days = {sku: source.interval_days + way for sku, source in of.items()}
    of_stores = _of_stores(ctx, warehouse_id, days, today)
    there, coming = _standing(ctx.session, warehouse_id, today), purchases.to_come(ctx.session, warehouse_id, today)
    called_back = {row.sku for row in recall.in_force(ctx.session, warehouse_id) if row.batch is None}
    found: dict[str | None, list[Requirement]] = {}
    for sku, name, terms in listed:
        stores, source = of_stores[sku], of[sku]
        if stores.per_day <= 0 or sku in called_back:
            continue
        counted = round(stores.counted)
        why = {
            "per_day": round(stores.per_day, 2), "days": days[sku], "in_warehouse": there.get(sku, 0),
            "in_stores": round(stores.have), "counted": counted, "coming": coming.get(sku, 0),
        }  # fmt: skip
        position = there.get(sku, 0) + coming.get(sku, 0) + counted
        line = _policy_line(terms, source, stores.per_day, way, position=position)
        found.setdefault(source.supplier_id, []).append(Requirement(name, line, why))
    return [(one, found[one.supplier_id]) for one in (*sources.values(), unknown) if one.supplier_id in found]


# --- inside ---


def _listed(session: Session, vehicle_ids: Sequence[str]) -> list[tuple[str, str, Terms]]:
    """Return what a warehouse carries, (SKU, name, its own largest pack at its own cost)."""
    packed = (
        sa.select(
            SupplierProduct.sku, Product.name, sa.func.max(SupplierProduct.pack_qty),
            sa.func.max(SupplierProduct.pack_cost_minor * 1.0 / SupplierProduct.pack_qty),
        )
        .join(Product, Product.sku == SupplierProduct.sku)
        .where(SupplierProduct.supplier_id.in_(vehicle_ids))
        .group_by(SupplierProduct.sku, Product.name)
        .order_by(SupplierProduct.sku)
    )  # fmt: skip
    return [
        (sku, name, Terms("", sku, pack_qty, max(1, round(unit_cost * pack_qty)), 1))
        for sku, name, pack_qty, unit_cost in session.execute(packed)
    ]


def _policy_line(terms: Terms, source: Source, rate: float, way: int, *, position: int) -> Any:
    from supply.replenishment.policy import PolicyLine

    interval, cost = source.interval_days + way, max(1, terms.pack_cost_minor)
    return PolicyLine(
        sku=terms.sku, mean=rate * interval, variance=rate * interval * 1.5 + rate**2 * source.lead_variance,
        mean_before=rate * source.lead_days,
        interval_days=float(interval), held_days=1.0, position_qty=position, pack_qty=terms.pack_qty,
        pack_cost_minor=cost, price_minor=round(cost * (10_000 + MARGIN_BP) / 10_000), price_quantity=terms.pack_qty,
        service_level=SERVICE_LEVEL, minimum_packs=terms.minimum_packs,
    )  # fmt: skip


def _of_stores(ctx: Context, warehouse_id: str, days: Mapping[str, int], today: dt.date) -> dict[str, _Stores]:
    """Return what a warehouse's stores sell and have of each product, for so many days (rules 1, 3)."""
    found = {sku: _Stores() for sku in days}

    def add(selling: Sequence[str]) -> None:
        rates = stockouts.rates(ctx.session, today, stores=selling)
        have = stockouts.positions(ctx.session, today, stores=selling)
        for (store_id, sku), units in chain(rates.items(), have.items()):
            if not 0 <= units <= MOST_QTY:
                raise Invalid(
                    "not-a-number", "%(sku)s in %(store_id)s is %(units)s, which is not valid.",
                    store_id=store_id, units=units, sku=sku,
                )  # fmt: skip
        for (_, sku), units in have.items():
            if sku in found:
                found[sku].have += units
        for place, per_day in rates.items():
            if (stores := found.get(place[1])) is not None:
                stores.per_day += per_day
                stores.counted += min(have.get(place, 0), per_day * days[place[1]])

    isolation.together(ctx, "purchasing", supply_routes.stores_of(ctx.session, warehouse_id), add)
    return found


def _standing(session: Session, warehouse_id: str, today: dt.date) -> dict[str, int]:
    """Return what stands in a warehouse, is sound, and is promised to no store, which counts it as on its way."""
    from supply.network.warehouse.dispatch import promised_of

    query = sa.select(StockLevel.sku, sa.func.sum(StockLevel.qty)).where(
        StockLevel.store_id == warehouse_id, StockLevel.place.in_(INSIDE)
    )
    promised, unsound = promised_of(session, warehouse_id), batches.unsound(session, warehouse_id, day=today)
    rows = session.execute(query.group_by(StockLevel.sku))
    return {sku: int(qty) - promised.get(sku, 0) - unsound.get(sku, 0) for sku, qty in rows}
