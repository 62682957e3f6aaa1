"""Who we buy from, in what packs, at what cost, and on which days.

Rules
-----
1. A supplier belongs to the network ('*') or to one store. The network itself is a supplier of kind 'network'.
2. Orders are taken on the supplier's order days and arrive lead_time_days later.
3. A product comes in packs of pack_qty stock units at pack_cost_minor a pack.
4. The network's suppliers reach a store as an edition; a store's own ones never travel.
5. A store orders a product from whoever sells a unit of it cheapest; at the same cost from its own supplier.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Conflict, Invalid, NotFound
from config.ids import new_id
from config.journal import Actor, record
from config.money import MAX_MINOR
from config.publication import EVERYONE
from pos.catalogue import Product

LONGEST_LEAD_DAYS = 60
MOST_PACK_QTY = 1_000_000
MOST_PACKS = 999
"""So many packs of one product at most are on an order."""


class Supplier(Base):
    """Somebody we order from."""

    __tablename__ = "supplier"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    """network | own"""
    owner_id: Mapped[str] = mapped_column(default=EVERYONE)
    lead_time_days: Mapped[int]
    order_weekdays: Mapped[list[Any]]
    """Weekdays (0 = Monday) on which an order is taken."""
    minimum_minor: Mapped[int] = mapped_column(default=0)
    warehouse_id: Mapped[str | None]
    """A network supplier's warehouse: its stock is kept in the stock ledger under this id."""


class SupplierProduct(Base):
    """A product as one supplier sells it."""

    __tablename__ = "supplier_product"
    __table_args__ = (sa.CheckConstraint("pack_qty > 0", name="pack_qty_positive"),)

    supplier_id: Mapped[str] = mapped_column(sa.ForeignKey("supplier.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(sa.ForeignKey("product.sku"), primary_key=True)
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    minimum_packs: Mapped[int] = mapped_column(default=1)
    valid_from: Mapped[dt.date | None]


class Terms(NamedTuple):
    """A product as a shop would order it of one supplier."""

    supplier_id: str
    sku: str
    pack_qty: int
    pack_cost_minor: int
    minimum_packs: int


@dataclass(frozen=True)
class Rhythm:
    """The days of an order: when it is placed, when it arrives, and when the one after it arrives."""

    order_day: dt.date
    delivery_day: dt.date
    next_delivery_day: dt.date


# --- verbs ---


def add_supplier(
    session: Session,
    owner_id: str,
    name: str,
    *,
    lead_time_days: int,
    order_weekdays: Sequence[int],
    minimum_minor: int = 0,
    kind: str = "own",
    warehouse_id: str | None = None,
    id: str | None = None,
    actor: Actor,
    at: dt.datetime,
) -> Supplier:
    """Add somebody to order from. owner_id: the store whose own supplier it is, or '*' for the network's."""
    name = " ".join(name.split())
    if not name:
        raise Invalid("no-name", "Give the supplier a name.")
    if not 0 <= lead_time_days <= LONGEST_LEAD_DAYS:
        raise Invalid("bad-lead-time", f"Goods arrive 0 to {LONGEST_LEAD_DAYS} days after the order.")
    weekdays = sorted(set(order_weekdays))
    if not weekdays or not all(0 <= day <= 6 for day in weekdays):
        raise Invalid("bad-order-days", "Choose at least one weekday on which this supplier takes orders.")
    if not 0 <= minimum_minor <= MAX_MINOR:
        raise Invalid("bad-minimum", "The minimum order must be zero or more.")
    if id is not None and session.get(Supplier, id) is not None:
        raise Conflict("supplier-exists", f"The supplier {id} is already here.", supplier_id=id)
    supplier = Supplier(
        id=id or new_id(), name=name, kind=kind, owner_id=owner_id, lead_time_days=lead_time_days,
        order_weekdays=weekdays, minimum_minor=minimum_minor, warehouse_id=warehouse_id,
    )  # fmt: skip
    session.add(supplier)
    session.flush()
    record(session, actor=actor, at=at, verb="supplier.added", subject=f"supplier:{supplier.id}", name=name)
    return supplier


def offer_product(
    session: Session,
    supplier_id: str,
    sku: str,
    *,
    pack_qty: int,
    pack_cost_minor: int,
    minimum_packs: int = 1,
    valid_from: dt.date | None = None,
    actor: Actor,
    at: dt.datetime,
) -> SupplierProduct:
    """Note, or renew, how a supplier sells a product (rule 3)."""
    if session.get(Supplier, supplier_id) is None:
        raise NotFound("unknown-supplier", f"There is no supplier {supplier_id}.", supplier_id=supplier_id)
    if session.get(Product, sku) is None:
        raise NotFound("unknown-product", f"There is no product {sku}.", skus=[sku])
    if not 1 <= pack_qty <= MOST_PACK_QTY or not 1 <= minimum_packs <= MOST_PACKS:
        raise Invalid("bad-pack", "A pack holds 1 unit or more, and at least 1 pack is ordered.", sku=sku)
    if not 0 <= pack_cost_minor <= MAX_MINOR:
        raise Invalid("bad-cost", "A pack costs zero or more.", sku=sku)
    row = session.get(SupplierProduct, (supplier_id, sku)) or SupplierProduct(supplier_id=supplier_id, sku=sku)
    row.pack_qty, row.pack_cost_minor, row.minimum_packs = pack_qty, pack_cost_minor, minimum_packs
    row.valid_from = valid_from
    session.add(row)
    session.flush()
    facts = {"supplier": supplier_id, "pack_qty": pack_qty, "pack_cost_minor": pack_cost_minor}
    record(session, actor=actor, at=at, verb="supplier.offers", subject=f"product:{sku}", **facts)
    return row


def take_edition(session: Session, body: dict[str, Any]) -> None:
    """Take over the network's suppliers as `edition` wrote them; what is no longer sold is gone, own ones stay."""
    for row in body["suppliers"]:
        session.merge(Supplier(**row, owner_id=EVERYONE))
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


# --- questions ---


def edition(session: Session) -> dict[str, Any]:
    """Return the network's suppliers and what they sell, as stores pull them."""
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
    names = ("id", "name", "kind", "lead_time_days", "order_weekdays", "minimum_minor", "warehouse_id")
    return {
        "suppliers": [{name: getattr(row, name) for name in names} for row in shared],
        "products": [[*row[:5], row[5].isoformat() if row[5] else None] for row in products],
    }


def supplier_of(session: Session, supplier_id: str) -> Supplier:
    """Return a supplier; NotFound when there is none of that id."""
    supplier = session.get(Supplier, supplier_id)
    if supplier is None:
        raise NotFound("unknown-supplier", f"There is no supplier {supplier_id} here.", supplier_id=supplier_id)
    return supplier


def suppliers_for(session: Session, store_id: str) -> list[Supplier]:
    """Return whom a store may order from, by id: the network's suppliers and its own."""
    query = sa.select(Supplier).where(Supplier.owner_id.in_([EVERYONE, store_id])).order_by(Supplier.id)
    return list(session.scalars(query))


def sources(session: Session, store_id: str, day: dt.date) -> dict[str, list[Terms]]:
    """Return what a store orders from whom: supplier id -> its products, each product once (rule 5)."""
    own = {supplier.id: supplier.owner_id == store_id for supplier in suppliers_for(session, store_id)}
    row = SupplierProduct
    query = sa.select(row.supplier_id, row.sku, row.pack_qty, row.pack_cost_minor, row.minimum_packs).where(
        row.supplier_id.in_(list(own)), sa.or_(row.valid_from.is_(None), row.valid_from <= day)
    )
    best: dict[str, Terms] = {}
    for one in map(Terms._make, session.execute(query)):
        other = best.get(one.sku)
        if other is None or _rank(one, own) < _rank(other, own):
            best[one.sku] = one
    chosen: dict[str, list[Terms]] = {}
    for sku in sorted(best):
        chosen.setdefault(best[sku].supplier_id, []).append(best[sku])
    return chosen


def terms_of(session: Session, supplier_id: str, sku: str) -> Terms | None:
    """Return how a supplier sells a product; None where it does not."""
    row = session.get(SupplierProduct, (supplier_id, sku))
    if row is None:
        return None
    return Terms(row.supplier_id, row.sku, row.pack_qty, row.pack_cost_minor, row.minimum_packs)


def rhythm(supplier: Supplier, day: dt.date) -> Rhythm | None:
    """Return the days of an order placed on `day`; None when that is no order day (rule 2)."""
    weekdays = set(supplier.order_weekdays)
    if day.weekday() not in weekdays:
        return None
    following = next(step for step in range(1, 8) if (day.weekday() + step) % 7 in weekdays)
    lead = dt.timedelta(days=supplier.lead_time_days)
    return Rhythm(day, day + lead, day + lead + dt.timedelta(days=following))


def next_rhythm(supplier: Supplier, day: dt.date) -> Rhythm:
    """Return the days of the next order that can be placed, from `day` on, which counts (rule 2)."""
    found = (rhythm(supplier, day + dt.timedelta(days=step)) for step in range(7))
    return next(days for days in found if days is not None)


# --- inside ---


def _rank(terms: Terms, own: dict[str, bool]) -> tuple[float, bool, str]:
    return (terms.pack_cost_minor / terms.pack_qty, not own[terms.supplier_id], terms.supplier_id)
