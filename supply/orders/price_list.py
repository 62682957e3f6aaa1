"""A supplier's price list as people read it: what each pack costs now and from later days, and what a new list changes.

Rules
-----
1. A row shows the cost that holds on the day, and every later one that is written down already.
2. A new list is compared with what would hold without it on the day each of its rows begins. What it does not name
   stays as it is.
3. The terms of the network's own suppliers are settled at the network (`suppliers`, rule 4); shops hear of them with
   their next contact, and orders that are under way keep their days.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import NotFound, Refused
from config.nodes.journal import Actor, record
from config.nodes.publication import EVERYONE
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Product
from supply.orders import suppliers
from supply.orders.suppliers import Contact, Supplier, SupplierCost, SupplierProduct

KINDS = NEW, DEARER, CHEAPER, REPACKED, SAME = "new", "dearer", "cheaper", "repacked", "same"
AT_ONCE = 5_000


@dataclass(frozen=True)
class Priced:
    """A product as a supplier sells it. coming: (day, what a pack costs from then on), the next first (rule 1).

    price_minor: what shops sell its price quantity for; None: it has no price of the network's. begins: the day from
    which it can be ordered at all, where that is to come.
    """

    sku: str
    name: str
    stock_unit: str
    price_quantity: int
    article_no: str
    pack_qty: int
    pack_cost_minor: int
    minimum_packs: int
    coming: tuple[tuple[dt.date, int], ...]
    price_minor: int | None
    begins: dt.date | None


@dataclass(frozen=True)
class Listed:
    """A row of a new list. qty, amount_minor: a pack and its cost, or a price quantity and its price.

    qty 0, stock_unit '': as it is. from_day None: from today on.
    """

    row: int
    sku: str
    qty: int
    amount_minor: int
    from_day: dt.date | None = None
    name: str = ""
    stock_unit: str = ""


@dataclass(frozen=True)
class Change:
    """What a row of a new list does: kind is one of KINDS. before: (units, amount), None for what was not there."""

    row: int
    sku: str
    name: str
    stock_unit: str
    kind: str
    before: tuple[int, int] | None
    qty: int
    amount_minor: int
    from_day: dt.date


# --- verbs ---


def set_terms(session: Session, supplier_id: str, terms: Contact, *, actor: Actor, at: dt.datetime) -> Supplier:
    """Change the name, days and least order of a supplier of the network's (rule 3)."""
    row = network_supplier(session, supplier_id)
    terms = suppliers.sound(terms)
    row.name, row.lead_time_days = terms.name, terms.lead_time_days
    row.order_weekdays, row.minimum_minor = list(terms.order_weekdays), terms.minimum_minor
    session.flush()
    record(
        session, actor=actor, at=at, verb="supplier.written", subject=f"supplier:{row.id}", name=row.name,
        lead_time_days=row.lead_time_days, order_weekdays=row.order_weekdays, minimum_minor=row.minimum_minor,
    )  # fmt: skip
    return row


# --- questions ---


def network_suppliers(session: Session) -> list[Supplier]:
    """Return the suppliers of the network's, by name."""
    query = sa.select(Supplier).where(Supplier.owner_id == EVERYONE).order_by(Supplier.name, Supplier.id)
    return list(session.scalars(query))


def network_supplier(session: Session, supplier_id: str) -> Supplier:
    """Return a supplier of the network's; NotFound for any other."""
    row = session.get(Supplier, supplier_id)
    if row is None:
        raise NotFound("unknown-supplier", f"There is no supplier {supplier_id} here.", supplier_id=supplier_id)
    if row.owner_id != EVERYONE:
        raise Refused("not-the-network-s", f"{row.name} is a shop's own supplier: that shop settles its terms.")
    return row


def rows(session: Session, supplier_id: str, day: dt.date, *, text: str = "", most: int = 100) -> list[Priced]:
    """Return a supplier's products by name (rule 1); text: only those named or numbered so."""
    query = (
        sa.select(SupplierProduct, Product)
        .join(Product, Product.sku == SupplierProduct.sku)
        .where(SupplierProduct.supplier_id == supplier_id)
        .order_by(Product.name, Product.sku)
    )
    if text:
        named = Product.search_text.contains(text.casefold(), autoescape=True)
        query = query.where(sa.or_(named, Product.sku == text, SupplierProduct.article_no == text))
    found = session.execute(query.limit(most)).all()
    skus = [product.sku for _, product in found]
    now = {one.sku: one.pack_cost_minor for one in suppliers.terms_for(session, supplier_id, skus, day)}
    coming = _coming(session, supplier_id, skus, day)
    prices = catalogue.prices_on(session, EVERYONE, day, skus)
    return [
        Priced(
            product.sku, product.name, product.stock_unit, product.price_quantity, row.article_no, row.pack_qty,
            now[product.sku], row.minimum_packs, tuple(coming.get(product.sku, ())), prices.get(product.sku),
            row.valid_from if row.valid_from is not None and row.valid_from > day else None,
        )
        for row, product in found
    ]  # fmt: skip


def count(session: Session, supplier_id: str) -> int:
    """Return how many products a supplier sells."""
    query = sa.select(sa.func.count()).where(SupplierProduct.supplier_id == supplier_id)
    return int(session.scalar(query) or 0)


def changes(session: Session, supplier_id: str, listed: Sequence[Listed], *, today: dt.date) -> list[Change]:
    """Return what a new list does, row by row (rule 2); rows of unknown products are left out."""
    found = []
    for some in _parts(listed):
        skus = [one.sku for one in some]
        known = _products(session, skus)
        before = {
            (one.sku, day): (one.pack_qty, one.pack_cost_minor)
            for day in {max(one.from_day or today, today) for one in some}
            for one in suppliers.terms_for(session, supplier_id, skus, day)
        }
        for one in some:
            product, day = known.get(one.sku), max(one.from_day or today, today)
            if product is not None:
                found.append(_change(one, product.name, product.stock_unit, before.get((one.sku, day)), day))
    return found


def product_changes(session: Session, listed: Sequence[Listed], *, today: dt.date) -> list[Change]:
    """Return what a new list of the network's products does to their prices, row by row."""
    found = []
    for some in _parts(listed):
        skus = [one.sku for one in some]
        known, prices = _products(session, skus), catalogue.prices_on(session, EVERYONE, today, skus)
        for one in some:
            product, price = known.get(one.sku), prices.get(one.sku)
            per = one.qty or (product.price_quantity if product else 1)
            before = (product.price_quantity, price) if product is not None and price is not None else None
            unit = one.stock_unit or (product.stock_unit if product else "each")
            found.append(_change(replace(one, qty=per), one.name, unit, before, today))
    return found


# --- inside ---


def _parts(listed: Sequence[Listed]) -> Iterator[Sequence[Listed]]:
    for start in range(0, len(listed), AT_ONCE):
        yield listed[start : start + AT_ONCE]


def _products(session: Session, skus: Sequence[str]) -> dict[str, Product]:
    return {row.sku: row for row in session.scalars(sa.select(Product).where(Product.sku.in_(skus)))}


def _change(one: Listed, name: str, unit: str, before: tuple[int, int] | None, day: dt.date) -> Change:
    kind = _kind(before, (one.qty, one.amount_minor))
    return Change(one.row, one.sku, name, unit, kind, before, one.qty, one.amount_minor, day)


def _kind(before: tuple[int, int] | None, after: tuple[int, int]) -> str:
    """Return what becomes of a pack; another pack is told apart from another cost, by the unit."""
    if before is None:
        return NEW
    if before == after:
        return SAME
    was, now = before[1] * after[0], after[1] * before[0]
    if was == now:
        return REPACKED
    return DEARER if now > was else CHEAPER


def _coming(
    session: Session, supplier_id: str, skus: Sequence[str], day: dt.date
) -> dict[str, list[tuple[dt.date, int]]]:
    query = sa.select(SupplierCost).where(
        SupplierCost.supplier_id == supplier_id, SupplierCost.sku.in_(skus), SupplierCost.from_day > day
    )
    found: dict[str, list[tuple[dt.date, int]]] = {}
    for cost in session.scalars(query.order_by(SupplierCost.from_day)):
        found.setdefault(cost.sku, []).append((cost.from_day, cost.pack_cost_minor))
    return found
