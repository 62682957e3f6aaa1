"""Which warehouse supplies which store, whom a store therefore orders from, and whom the network buys from itself.

Rules
-----
1. Every store is supplied by one warehouse: the one settled for it, else the one settled for its region, else the usual
   one: the first by id with a supplier that is not put aside, of those that sell something if any does. So every store
   is one warehouse's, and none is two's.
2. A store orders from its own suppliers, from its warehouse's, and from those of the network's that have none.
3. Another warehouse takes effect for what is ordered, offered and bought from then on. What was ordered before stays
   where it was ordered; on its way it counts as the store's, and so for its new warehouse.
4. The warehouse of every region, and of every store that has its own, and by whose clock a warehouse keeps its days, is
   told to all stores with the edition of the network's suppliers; an edition replaces what was known of the network's,
   and leaves a store's own suppliers.
5. A new warehouse takes no store from another: before it is founded every region is settled to the one it has. What is
   recalled is so in its book from the first day.
6. An upstream supplier is a supplier whose owner is the network node ('network'). Its terms, its price list and its
   dated costs are those of any supplier (`suppliers`); stores never hear of it.
7. A product is bought where a unit of it costs least on the day, of suppliers that are not put aside and sell it
   already; at the same cost the first by id.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import NotFound
from config.ids import NETWORK
from config.nodes.journal import Context, record
from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Product
from pos.store.store import BookClock, Region, Store
from supply.orders.delivery_calendar import read, written
from supply.orders.suppliers import (
    Supplier,
    SupplierProduct,
    Terms,
    costs_begun,
    require_warehouse,
)


class SupplyRoute(Base):
    """The warehouse settled for a store or for a region (rule 1)."""

    __tablename__ = "supply_route"
    __table_args__ = (sa.CheckConstraint("kind in ('store', 'region')", name="kind_known"),)

    kind: Mapped[str] = mapped_column(primary_key=True)
    """store | region"""
    of_id: Mapped[str] = mapped_column(primary_key=True)
    warehouse_id: Mapped[str]


# --- verbs ---


def supply_store(ctx: Context, store_id: str, warehouse_id: str | None) -> None:
    """Settle from where a store is supplied (rules 1, 3); None: from where its region is."""
    if ctx.session.get(Store, store_id) is None:
        raise NotFound("unknown-store", "Store not found in this network.", store_id=store_id)
    _settle(ctx, "store", store_id, warehouse_id)


def supply_region(ctx: Context, region_id: str, warehouse_id: str | None) -> None:
    """Settle from where a region's stores are supplied that have no warehouse of their own.

    None: from the usual one.
    """
    if ctx.session.get(Region, region_id) is None:
        raise NotFound("unknown-region", "Region %(region_id)s not found.", region_id=region_id)
    _settle(ctx, "region", region_id, warehouse_id)


def take_edition(session: Session, body: dict[str, Any]) -> None:
    """Take over the network's suppliers as `edition` wrote them (rule 4); what is no longer sold is gone."""
    for row in body["suppliers"]:
        session.merge(Supplier(**row | {"calendar": read(row["calendar"]), "owner_id": EVERYONE}))
    session.flush()
    ours = sa.select(Supplier.id).where(Supplier.owner_id == EVERYONE)
    session.execute(sa.delete(SupplierProduct).where(SupplierProduct.supplier_id.in_(ours)))
    rows = [
        {"supplier_id": supplier_id, "sku": sku, "pack_qty": pack_qty, "pack_cost_minor": cost,
         "minimum_packs": minimum, "valid_from": dt.date.fromisoformat(since) if since else None}
        for supplier_id, sku, pack_qty, cost, minimum, since in body["products"]
    ]  # fmt: skip
    if rows:
        session.execute(sa.insert(SupplierProduct), rows)
    clocks = body.get("clocks", ())  # an edition of before told none
    session.execute(sa.delete(BookClock))
    session.add_all(BookClock(book_id=house, tz=tz) for house, tz in clocks)
    reported = body.get("served", ())  # an edition of before told none
    session.execute(sa.delete(SupplyRoute))
    session.add_all(SupplyRoute(kind=kind, of_id=of_id, warehouse_id=house) for kind, of_id, house in reported)
    session.flush()


# --- questions ---


def edition(session: Session, on: dt.date) -> dict[str, Any]:
    """Return the network's suppliers, what they sell and what it costs on a day, as stores pull them (rule 4)."""
    shared = session.scalars(sa.select(Supplier).where(Supplier.owner_id == EVERYONE).order_by(Supplier.id)).all()
    products = session.execute(
        sa.select(
            SupplierProduct.supplier_id, SupplierProduct.sku, SupplierProduct.pack_qty,
            SupplierProduct.pack_cost_minor, SupplierProduct.minimum_packs, SupplierProduct.valid_from,
        )
        .join(Product, Product.sku == SupplierProduct.sku)
        .where(
            SupplierProduct.supplier_id.in_([row.id for row in shared]), Product.owner_id == EVERYONE, Product.active
        )
        .order_by(SupplierProduct.supplier_id, SupplierProduct.sku)
    )  # fmt: skip
    names = ("id", "name", "kind", "minimum_minor", "warehouse_id")
    begun = costs_begun(session, [row.id for row in shared], on)
    known, usual = settled(session), usual_warehouse(session)
    regions = session.scalars(sa.select(Region.id)).all() if usual is not None else []
    reported = {("region", region_id): usual for region_id in regions} | known
    clocks = sa.select(BookClock.book_id, BookClock.tz).order_by(BookClock.book_id)
    return {
        "suppliers": [
            {name: getattr(row, name) for name in names} | {"calendar": written(row.calendar)} for row in shared
        ],
        "products": [
            [*row[:3], begun.get((row[0], row[1]), row[3]), row[4], row[5].isoformat() if row[5] else None]
            for row in products
        ],
        "clocks": [list(row) for row in session.execute(clocks)],
        "served": [[*whom, house] for whom, house in sorted(reported.items())],
    }


def warehouse_of(session: Session, store_id: str) -> str | None:
    """Return the warehouse a store is supplied by (rule 1); None where there is no warehouse, or no such store."""
    store = session.get(Store, store_id)
    return None if store is None else _house(store.id, store.region_id, settled(session), usual_warehouse(session))


def served(session: Session) -> dict[str, str]:
    """Return every store's warehouse (rule 1); empty where there is none."""
    known, usual = settled(session), usual_warehouse(session)
    rows = session.execute(sa.select(Store.id, Store.region_id).order_by(Store.id))
    found = {store_id: _house(store_id, region_id, known, usual) for store_id, region_id in rows}
    return {store_id: house for store_id, house in found.items() if house is not None}


def usual_warehouse(session: Session) -> str | None:
    """Return the warehouse of stores for which none is settled (rule 1); None where no supplier of one is left."""
    sells = sa.exists().where(SupplierProduct.supplier_id == Supplier.id)
    alive = sa.select(Supplier.warehouse_id).where(Supplier.warehouse_id.is_not(None), Supplier.active)
    return session.scalar(alive.order_by(sells.desc(), Supplier.warehouse_id).limit(1))


def stores_of(session: Session, warehouse_id: str) -> list[str]:
    """Return the stores a warehouse supplies, by id."""
    return [store_id for store_id, house in served(session).items() if house == warehouse_id]


def settled(session: Session) -> dict[tuple[str, str], str]:
    """Return what is settled: ('store' | 'region', its id) -> warehouse."""
    return {(row.kind, row.of_id): row.warehouse_id for row in session.scalars(sa.select(SupplyRoute))}


def unlisted(session: Session, store_id: str, warehouse_id: str) -> int:
    """Return how many products a store can order from its warehouse that another one does not list."""
    missed = _listed_at(warehouse_of(session, store_id) or "").except_(_listed_at(warehouse_id)).subquery()
    return int(session.scalar(sa.select(sa.func.count()).select_from(missed)) or 0)


def suppliers_for(session: Session, store_id: str) -> list[Supplier]:
    """Return whom a store may order from (rule 2), by id; for '*' everybody of the network's."""
    query = sa.select(Supplier).where(Supplier.owner_id.in_([EVERYONE, store_id])).order_by(Supplier.id)
    found, house = session.scalars(query).all(), warehouse_of(session, store_id)
    return [one for one in found if one.warehouse_id is None or house is None or one.warehouse_id == house]


def offered(session: Session, store_id: str, day: dt.date) -> dict[str, list[Terms]]:
    """Return what a store can order on a day, as it costs then: supplier id -> products (`suppliers`, rules 3, 6)."""
    active = [supplier.id for supplier in suppliers_for(session, store_id) if supplier.active]
    row = SupplierProduct
    query = sa.select(row.supplier_id, row.sku, row.pack_qty, row.pack_cost_minor, row.minimum_packs).where(
        row.supplier_id.in_(active), sa.or_(row.valid_from.is_(None), row.valid_from <= day)
    )
    begun = costs_begun(session, active, day)
    found: dict[str, list[Terms]] = {}
    for one in map(Terms._make, session.execute(query.order_by(row.supplier_id, row.sku))):
        cost = begun.get((one.supplier_id, one.sku))
        found.setdefault(one.supplier_id, []).append(one if cost is None else one._replace(pack_cost_minor=cost))
    return found


def sources(session: Session, store_id: str, day: dt.date) -> dict[str, list[Terms]]:
    """Return each product once, at whoever sells a unit of it cheapest: at the same cost the store's own supplier."""
    own = {supplier.id: supplier.owner_id == store_id for supplier in suppliers_for(session, store_id)}
    best: dict[str, Terms] = {}
    for one in (terms for found in offered(session, store_id, day).values() for terms in found):
        other = best.get(one.sku)
        if other is None or _rank(one, own) < _rank(other, own):
            best[one.sku] = one
    chosen: dict[str, list[Terms]] = {}
    for sku in sorted(best):
        chosen.setdefault(best[sku].supplier_id, []).append(best[sku])
    return chosen


def upstream_suppliers(session: Session) -> list[Supplier]:
    """Return whom the network buys from, by name; those put aside last."""
    query = sa.select(Supplier).where(Supplier.owner_id == NETWORK)
    return list(session.scalars(query.order_by(Supplier.active.desc(), Supplier.name, Supplier.id)))


def cheapest_upstream(session: Session, day: dt.date) -> dict[str, Terms]:
    """Return where each product is bought on a day, by SKU (rule 7)."""
    ours = {one.id for one in upstream_suppliers(session)}
    found: dict[str, Terms] = {}
    for supplier_id, terms in sorted(offered(session, NETWORK, day).items()):
        for one in terms if supplier_id in ours else ():
            known = found.get(one.sku)
            if known is None or one.pack_cost_minor * known.pack_qty < known.pack_cost_minor * one.pack_qty:
                found[one.sku] = one
    return found


# --- inside ---


def _settle(ctx: Context, kind: str, of_id: str, warehouse_id: str | None) -> None:
    if warehouse_id is not None:
        require_warehouse(ctx.session, warehouse_id)
    row = ctx.session.get(SupplyRoute, (kind, of_id))
    if (row.warehouse_id if row else None) == warehouse_id:
        return
    if warehouse_id is None:
        ctx.session.delete(row)
    elif row is None:
        ctx.session.add(SupplyRoute(kind=kind, of_id=of_id, warehouse_id=warehouse_id))
    else:
        row.warehouse_id = warehouse_id
    ctx.session.flush()
    record(ctx, verb="supply.settled", subject=f"{kind}:{of_id}", warehouse=warehouse_id or "")


def _house(store_id: str, region_id: str, known: Mapping[tuple[str, str], str], usual: str | None) -> str | None:
    """Return a store's warehouse (rule 1)."""
    return known.get(("store", store_id)) or known.get(("region", region_id)) or usual


def _listed_at(warehouse_id: str) -> sa.Select[str]:
    query = sa.select(SupplierProduct.sku).join(Supplier, Supplier.id == SupplierProduct.supplier_id)
    return query.where(Supplier.warehouse_id == warehouse_id)


def _rank(terms: Terms, own: dict[str, bool]) -> tuple[float, bool, str]:
    return (terms.pack_cost_minor / terms.pack_qty, not own[terms.supplier_id], terms.supplier_id)
