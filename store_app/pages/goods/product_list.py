"""What the pages of products and prices ask: the list with its filters, one product, and the table that leaves.

Rules
-----
1. Listed is what this store sells now; the network's other products are found under "not listed".
2. A product lacks a price when none is in force today and none is typed at the till.
"""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.publication import EVERYONE
from config.words import LANGUAGES
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Barcode, Listing, Price, Product, TaxClass
from pos.catalogue.repricing import Priced, margin_bp
from store_app.files.products import NAMED

FILTERS = ("all", "own", "priceless", "codeless", "costless", "unlisted")


@dataclass(frozen=True)
class Asked:
    """What the address asks for. show: one of FILTERS."""

    text: str = ""
    top_category: str = ""
    brand: str = ""
    tax: str = ""
    show: str = "all"


@dataclass(frozen=True)
class Row:
    """One product as the list shows it."""

    sku: str
    name: str
    brand: str
    category: str
    department: str
    pack_text: str
    stock_unit: str
    price_quantity: int
    kind: str
    price_typed: bool
    is_own: bool
    listed: bool
    has_code: bool
    price_minor: int | None
    cost_minor: int | None
    margin_bp: int | None
    tax_class_id: str


Query = sa.Select[Product, Listing, TaxClass, bool]


def every(store_id: str) -> Query:
    """Return the query of the products a store knows: Product, Listing, TaxClass, whether it has a code."""
    return (
        sa.select(Product, Listing, TaxClass, _has_code().label("has_code"))
        .join(TaxClass, TaxClass.id == Product.tax_class_id)
        .outerjoin(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
        .where(*_known(store_id))
    )


def named_so(text: str) -> sa.ColumnElement[bool]:
    """Return the condition that each word is of a product's name or its code."""
    return sa.and_(sa.true(), *map(catalogue.matches_or_code, text.casefold().split()))


def products(store_id: str, asked: Asked, day: dt.date) -> Query:
    """Return the query of the products asked for, by name, as `every` does."""
    query = every(store_id).where(condition(asked.show, store_id, day), named_so(asked.text))
    for column, wanted in (
        (Product.category, asked.top_category),
        (Product.brand, asked.brand),
        (TaxClass.id, asked.tax),
    ):
        if wanted:
            query = query.where(column == wanted)
    return query.order_by(Product.name, Product.sku)


def rows(session: Session, store_id: str, skus: Sequence[str], day: dt.date) -> list[Row]:
    """Return products in their order, with today's price, cost and margin."""
    found = {one.Product.sku: one for one in session.execute(every(store_id).where(Product.sku.in_(skus)))}
    prices = _prices(session, store_id, day, skus)
    return [_row(found[sku], prices.get(sku), store_id) for sku in skus if sku in found]


def counts(session: Session, store_id: str, day: dt.date) -> dict[str, int]:
    """Return how many products each filter finds."""
    many = [sa.func.sum(sa.case((condition(show, store_id, day), 1), else_=0)).label(show) for show in FILTERS]
    query = (
        sa.select(*many)
        .select_from(Product)
        .outerjoin(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
        .where(*_known(store_id))
    )
    found = session.execute(query).one()
    return {show: int(found._mapping[show] or 0) for show in FILTERS}  # noqa: SLF001 - SQLAlchemy's public name


def named(session: Session, store_id: str, column: sa.orm.InstrumentedAttribute[str]) -> list[str]:
    """Return the categories, or the brands, of what this store sells."""
    query = (
        sa.select(column)
        .join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
        .where(*_known(store_id), Listing.active, column != "")
    )
    return list(session.scalars(query.distinct().order_by(column)))


def one(
    session: Session, store_id: str, sku: str, day: dt.date
) -> tuple[Row, Product, TaxClass, Listing | None] | None:
    """Return one product as this store knows it; None for one it does not know."""
    query = (
        sa.select(Product, Listing, TaxClass, _has_code().label("has_code"))
        .join(TaxClass, TaxClass.id == Product.tax_class_id)
        .outerjoin(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
        .where(Product.sku == sku, Product.owner_id.in_((EVERYONE, store_id)))
    )
    found = session.execute(query).first()
    if found is None:
        return None
    price_minor = catalogue.price_on(session, store_id, sku, day)
    return _row(found, price_minor, store_id), found.Product, found.TaxClass, found.Listing


def coming(session: Session, store_id: str, day: dt.date, *, most: int) -> list[Any]:
    """Return the store's own prices that begin after a day: sku, name, from_day, price_minor, price_quantity."""
    query = (
        sa.select(Price.sku, Product.shown.label("name"), Price.from_day, Price.price_minor)
        .add_columns(Product.price_quantity, Product.stock_unit)
        .join(Product, Product.sku == Price.sku)
        .where(Price.scope_id == store_id, Price.from_day > day)
        .order_by(Price.from_day, Product.name, Price.sku)
    )
    return list(session.execute(query.limit(most)))


def beginning(session: Session, store_id: str, day: dt.date) -> list[str]:
    """Return the SKUs whose own price begins on a day and that this store sells, by name: what needs a new label."""
    query = (
        sa.select(Price.sku)
        .join(Product, Product.sku == Price.sku)
        .join(Listing, sa.and_(Listing.sku == Price.sku, Listing.store_id == store_id, Listing.active))
        .where(Price.scope_id == store_id, Price.from_day == day, Product.active, ~Product.price_typed)
        .order_by(Product.name, Price.sku)
    )
    return list(session.scalars(query))


TABLE = (
    "sku", "name", "category", "tax_class", "price", "barcode", "brand", "department", "pack_text", "stock_unit",
    "price_quantity", "minimum_age", "maximum_qty", "shelf_life_days", "cost",
    *(f"{of}_{code}" for of in NAMED for code in LANGUAGES),
)  # fmt: skip
"""The columns of the table that leaves: those of a file of products that is brought in."""


def table(session: Session, store_id: str, query: Query, day: dt.date) -> Iterator[list[Any]]:
    """Yield the rows of TABLE: text, whole numbers, and minor units for price and cost."""
    by_length = sa.select(Barcode.sku, Barcode.code).order_by(Barcode.qty.desc(), Barcode.code.desc())
    codes = {row.sku: row.code for row in session.execute(by_length)}  # the shortest pack's code wins
    prices, called = catalogue.prices_on(session, store_id, day), catalogue.category_names(session)
    for found in session.execute(query):
        product = found.Product
        yield [
            product.sku, product.name, product.category, product.tax_class_id, prices.get(product.sku),
            codes.get(product.sku), product.brand, product.department, product.pack_text, product.stock_unit,
            product.price_quantity, product.minimum_age, product.maximum_qty, product.shelf_life_days,
            found.Listing.cost_minor if found.Listing else None,
            *(names.get(code) for names in other_names(product, called).values() for code in LANGUAGES),
        ]  # fmt: skip


def other_names(product: Product, called: Mapping[str, Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Return the other names of a product, its category and its department, by NAMED; called: `category_names`."""
    return {
        "name": product.names or {},
        "category": called.get(product.category, {}),
        "department": called.get(product.department, {}),
    }


def condition(show: str, store_id: str, day: dt.date) -> sa.ColumnElement[bool]:
    """Return what one of FILTERS keeps."""
    listed = sa.and_(Listing.sku.is_not(None), Listing.active)
    if show == "unlisted":
        return sa.or_(Listing.sku.is_(None), ~Listing.active)
    if show == "own":
        return sa.and_(listed, Product.owner_id == store_id)
    if show == "priceless":
        priced = sa.exists().where(
            Price.sku == Product.sku, Price.scope_id.in_((EVERYONE, store_id)), Price.from_day <= day
        )
        return sa.and_(listed, ~Product.price_typed, ~priced)
    if show == "codeless":
        return sa.and_(listed, ~_has_code())
    if show == "costless":
        return sa.and_(listed, Listing.cost_minor.is_(None), Product.kind == "goods")
    return listed


# --- inside ---


def _known(store_id: str) -> tuple[sa.ColumnExpressionArgument[bool], ...]:
    return Product.active, Product.owner_id.in_((EVERYONE, store_id))


def _has_code() -> sa.ColumnElement[bool]:
    return sa.exists().where(Barcode.sku == Product.sku)


def _prices(session: Session, store_id: str, day: dt.date, skus: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(skus), 500):
        found |= catalogue.prices_on(session, store_id, day, skus[start : start + 500])
    return found


def _row(found: Any, price_minor: int | None, store_id: str) -> Row:
    product, listing, tax = found.Product, found.Listing, found.TaxClass
    cost_minor = listing.cost_minor if listing is not None else None
    priced = Priced(price_minor or 0, cost_minor, tax.rate_bp, tax.inclusive)
    return Row(
        product.sku, product.shown, product.brand, product.category, product.department, product.pack_text,
        product.stock_unit, product.price_quantity, product.kind, product.price_typed, product.owner_id == store_id,
        listing is not None and listing.active, bool(found.has_code), price_minor, cost_minor,
        margin_bp(priced, price_minor) if price_minor else None, product.tax_class_id,
    )  # fmt: skip
