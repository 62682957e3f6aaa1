"""What partners read: one row of `RESOURCES` each, with its shape, its keys in order, and what changes it.

Rules
-----
1. A resource changes only in a transaction that leaves an entry in the journal; `touched` finds the rows from the
   subjects of entries. Units being counted leave none, so a delivery shows them once it is closed.
2. No row names a cashier or what a product cost. A customer is named by `customers` alone, as far and as long as the
   customer agrees; one who stops agreeing comes again without a name, so that copies can be deleted.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, create_model
from sqlalchemy.orm import Session

from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Barcode, Listing, Price, Product
from pos.customers import consent
from pos.customers.consent import Consent
from pos.customers.customers import Customer
from pos.payments.payments import Payment
from pos.sold import Sale, SaleLine
from pos.stock import stock
from pos.stock.ledger import Reservation, StockLevel, StockMovement
from supply.orders.deliveries import CLOSED, Delivery, DeliveryLine
from supply.orders.orders import OrderLine, ReplenishmentOrder


class Shown(BaseModel):
    """A row as it is answered; amounts in the currency's minor units, quantities in the product's stock unit."""

    model_config = ConfigDict(from_attributes=True)


class BarcodeOut(Shown):
    """A code and the stock units it stands for."""

    code: str
    qty: int


class ProductOut(Shown):
    """A product. sold: this store sells it; own: it is the store's own, not the network's."""

    sku: str
    name: str
    names: dict[str, str] | None
    brand: str
    category: str
    department: str
    pack_text: str
    stock_unit: str
    price_quantity: int
    tax_class_id: str
    kind: str
    deposit_sku: str | None
    minimum_age: int | None
    maximum_qty: int | None
    shelf_life_days: int | None
    price_typed: bool
    sold: bool
    own: bool
    barcodes: list[BarcodeOut]


class PriceOut(Shown):
    """Minor units per price quantity from a day on. own: the store's, which goes before the network's."""

    from_day: dt.date
    price_minor: int
    own: bool


class PricesOut(Shown):
    """A product's prices, the newest first."""

    sku: str
    prices: list[PriceOut]


class StockOut(Shown):
    """How much of a product there is. available: on hand, less what is held for customers."""

    sku: str
    on_hand: int
    held: int
    available: int
    by_place: dict[str, int]


class SaleLineOut(Shown):
    """A line of a sale; below zero where goods came back."""

    n: int
    sku: str
    name: str
    qty: int
    unit_price_minor: int
    price_quantity: int
    discount_minor: int
    total_minor: int
    tax_minor: int
    tax_class_id: str
    kind: str


class PaymentOut(Shown):
    """What was paid by one tender; change is below zero."""

    tender: str
    amount_minor: int


class SaleOut(Shown):
    """A completed sale, return or exchange; it never changes."""

    id: str
    kind: str
    channel: str
    till_id: str
    receipt_no: int
    business_day: dt.date
    completed_at: dt.datetime
    currency: str
    rounding_minor: int
    total_minor: int
    tax_minor: int
    lines: list[SaleLineOut]
    payments: list[PaymentOut]


class OrderLineOut(Shown):
    """A product of an order. packs_acknowledged: null until the supplier answers."""

    sku: str
    name: str
    pack_qty: int
    pack_cost_minor: int
    packs: int
    packs_acknowledged: int | None
    qty_received: int


class OrderOut(Shown):
    """An order to a supplier."""

    id: str
    order_no: int
    supplier_id: str
    state: str
    order_day: dt.date
    delivery_day: dt.date
    sent_at: dt.datetime | None
    cost_minor: int
    lines: list[OrderLineOut]


class DeliveryLineOut(Shown):
    """A product of a delivery. counted_qty: null until the delivery is closed."""

    sku: str
    name: str
    advised_qty: int
    counted_qty: int | None
    difference_why: str


class DeliveryOut(Shown):
    """Products that a supplier brings."""

    id: str
    supplier_id: str
    order_id: str | None
    state: str
    expected_day: dt.date
    posted_at: dt.datetime | None
    lines: list[DeliveryLineOut]


class CustomerOut(Shown):
    """A customer who agrees that partners know it, since when. agrees: false no more, delete your copy."""

    id: str
    agrees: bool
    since: dt.datetime | None
    name: str
    phone: str
    language: str


class Page(Shown):
    """A part of a list. cursor: asks for what comes next, now or later; more: there is something now."""

    cursor: str
    more: bool


Touched = Mapping[str, list[str]]
"""Kind of subject -> ids, of the entries of a part of the journal."""


@dataclass(frozen=True)
class Resource:
    """One thing to read. keys: the query of all its keys; touched: which of them some entries are about."""

    name: str
    shape: type[Shown]
    keys: Callable[[str], sa.Select[Any]]
    touched: Callable[[Session, str, Touched], set[str]]
    read: Callable[[Session, str, Sequence[str]], Iterable[Shown]]
    key: str = "id"
    kinds: tuple[str, ...] = ()
    """The kinds of subjects that may touch it; empty: every one."""

    @property
    def scope(self) -> str:
        """Return the scope that opens it."""
        return f"{self.name}:read"

    @property
    def page(self) -> type[BaseModel]:
        """Return the shape of a part of its list."""
        return _PAGES[self.name]


# --- inside ---


def _named(kind: str) -> Callable[[Session, str, Touched], set[str]]:
    return lambda _session, _store_id, touched: set(touched.get(kind, ()))


def _moved(session: Session, store_id: str, touched: Touched) -> set[str]:
    """Return what moved or was promised: each movement's source, and each promise's order, is an entry's subject."""
    sources = [(kind, one) for kind, ids in touched.items() for one in ids]
    movement, promise = StockMovement, Reservation
    found = set(touched.get("product", ()))
    for start in range(0, len(sources), 400):
        some = sources[start : start + 400]
        by_source = sa.tuple_(movement.source_kind, movement.source_id).in_(some)
        found.update(session.scalars(sa.select(movement.sku).where(movement.store_id == store_id, by_source)))
        by_order = promise.order_id.in_([one for _, one in some])
        found.update(session.scalars(sa.select(promise.sku).where(promise.store_id == store_id, by_order)))
    return found


def _ordered(session: Session, store_id: str, touched: Touched) -> set[str]:
    came = sa.select(Delivery.order_id).where(Delivery.store_id == store_id, Delivery.order_id.is_not(None))
    delivered = session.scalars(came.where(Delivery.id.in_(touched.get("delivery", ()))))
    return {*touched.get("order", ()), *map(str, delivered)}


def _rows(session: Session, key: Any, keys: Sequence[str], *which: sa.ColumnElement[bool]) -> dict[str, list[Any]]:
    """Return a table's rows by one of its columns."""
    found: dict[str, list[Any]] = {}
    order = sa.inspect(key.class_).primary_key
    for row in session.scalars(sa.select(key.class_).where(key.in_(keys), *which).order_by(*order)):
        found.setdefault(getattr(row, key.key), []).append(row)
    return found


def _columns(row: Any) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in sa.inspect(type(row)).column_attrs}


def _products(session: Session, store_id: str, keys: Sequence[str]) -> Iterable[Shown]:
    codes, listed = _rows(session, Barcode.sku, keys), _rows(session, Listing.sku, keys, Listing.store_id == store_id)
    for sku, (row,) in _rows(session, Product.sku, keys).items():
        sold = row.active and any(one.active for one in listed.get(sku, ()))
        more = {"sold": sold, "own": row.owner_id == store_id, "barcodes": codes.get(sku, [])}
        yield ProductOut.model_validate(_columns(row) | more)


def _prices(session: Session, store_id: str, keys: Sequence[str]) -> Iterable[Shown]:
    dated = _rows(session, Price.sku, keys, Price.scope_id.in_((store_id, EVERYONE)))
    for sku in session.scalars(sa.select(Product.sku).where(Product.sku.in_(keys)).order_by(Product.sku)):
        rows = sorted(dated.get(sku, ()), key=lambda row: (row.from_day, row.scope_id), reverse=True)
        yield PricesOut(sku=sku, prices=[
            PriceOut(from_day=row.from_day, price_minor=row.price_minor, own=row.scope_id == store_id) for row in rows
        ])  # fmt: skip


def _stock(session: Session, store_id: str, keys: Sequence[str]) -> Iterable[Shown]:
    there = _rows(session, StockLevel.sku, keys, StockLevel.store_id == store_id)
    for sku, level in stock.levels(session, store_id, sorted(there)).items():
        yield StockOut(sku=sku, **vars(level))


def _whole(noun: Any, shape: type[Shown], **parts: Any) -> Callable[[Session, str, Sequence[str]], Iterable[Shown]]:
    """Return how rows are read with their parts: name -> the column that names the row, and which parts count."""

    def read(session: Session, store_id: str, keys: Sequence[str]) -> Iterable[Shown]:
        found = {
            name: _rows(session, part, keys, part.class_.store_id == store_id, *which)
            for name, (part, *which) in parts.items()
        }
        for key, (row,) in _rows(session, noun.id, keys, noun.store_id == store_id).items():
            yield shape.model_validate(_columns(row) | {name: rows.get(key, []) for name, rows in found.items()})

    return read


def _deliveries(session: Session, store_id: str, keys: Sequence[str]) -> Iterable[Shown]:
    read = _whole(Delivery, DeliveryOut, lines=(DeliveryLine.delivery_id,))
    for one in read(session, store_id, keys):
        if isinstance(one, DeliveryOut) and one.state not in CLOSED:  # rule 1
            for line in one.lines:
                line.counted_qty, line.difference_why = None, ""
        yield one


def _customers(session: Session, store_id: str, keys: Sequence[str]) -> Iterable[Shown]:
    agreed = consent.consented(session, store_id, "partners")
    for key, (row,) in _rows(session, Customer.id, keys, Customer.store_id == store_id, *_ASKED).items():
        known = {"name": row.name, "phone": row.phone, "language": row.language}
        shown = known if key in agreed else dict.fromkeys(known, "")
        yield CustomerOut(id=key, agrees=key in agreed, since=agreed.get(key), **shown)


def _keys(column: Any) -> Callable[[str], sa.Select[Any]]:
    own = getattr(column.class_, "store_id", None)
    return lambda store_id: sa.select(column).where(sa.true() if own is None else own == store_id).distinct()


_ASKED = (
    sa.exists().where(
        Consent.store_id == Customer.store_id, Consent.customer_id == Customer.id, Consent.purpose == "partners"
    ),
)
"""Of customers, those who ever agreed."""
_PAID = Payment.sale_id, Payment.state == "captured"
RESOURCES = (
    Resource("products", ProductOut, _keys(Product.sku), _named("product"), _products, "sku", ("product",)),
    Resource("prices", PricesOut, _keys(Product.sku), _named("product"), _prices, "sku", ("product",)),
    Resource("stock", StockOut, _keys(StockLevel.sku), _moved, _stock, "sku"),
    Resource(
        "sales", SaleOut, _keys(Sale.id), _named("sale"),
        _whole(Sale, SaleOut, lines=(SaleLine.sale_id,), payments=_PAID), kinds=("sale",),
    ),
    Resource(
        "orders", OrderOut, _keys(ReplenishmentOrder.id), _ordered,
        _whole(ReplenishmentOrder, OrderOut, lines=(OrderLine.order_id,)), kinds=("order", "delivery"),
    ),
    Resource("deliveries", DeliveryOut, _keys(Delivery.id), _named("delivery"), _deliveries, kinds=("delivery",)),
    Resource(
        "customers", CustomerOut, lambda store_id: _keys(Customer.id)(store_id).where(*_ASKED), _named("customer"),
        _customers, kinds=("customer",),
    ),
)  # fmt: skip
_PAGES = {
    row.name: create_model(f"{row.name.title()}Page", __base__=Page, items=(list[row.shape], ...))  # type: ignore[name-defined]
    for row in RESOURCES
}
