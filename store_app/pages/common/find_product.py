"""Which product a scan or a typed word means, for work in the store: also one that is not listed or has no price."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import Invalid, NotFound
from pos.catalogue import catalogue, gs1, scan
from pos.catalogue.catalogue import Barcode, Product
from store_app.pages.common import form
from store_app.web.presenting import place, today

MOST_CHOICES = 12


@dataclass(frozen=True)
class Hit:
    """What a scan means. qty: the stock units of the code, None: they must be typed (a weighed product)."""

    product: Product
    qty: int | None
    batch: str | None = None
    expires_on: dt.date | None = None


def find(session: Session, text: str) -> Hit:
    """Return what a scanned code, a SKU, or a name that fits one product means; refuses with a sentence."""
    text = form.tidy(text)
    if not text:
        raise NotFound("empty-scan", "Scan a product, or enter its name.", field="code")
    spellings = gs1.spellings(text)
    codes = {row.code: row for row in session.scalars(sa.select(Barcode).where(Barcode.code.in_(spellings)))}
    if (code := next((codes[one] for one in spellings if one in codes), None)) is not None:
        return _hit(session.get_one(Product, code.sku), code.qty)
    if (known := session.get(Product, text)) is not None:
        return _hit(known, 1)
    if any(letter.isdigit() for letter in text):
        try:
            scanned = scan.read(session, str(place().store_id), text, today())
            product = session.get_one(Product, scanned.product.sku)
            weighed = product.stock_unit != "each" and scanned.qty <= 1
            return Hit(product, None if weighed else scanned.qty, scanned.batch, scanned.expires_on)
        except NotFound:
            if text.isdigit():
                raise
    found = choices(session, text)
    if len(found) == 1:
        return _hit(found[0], 1)
    if found:
        raise NotFound("several-products", "Several products match. Choose one.", text=text)
    raise NotFound(
        "no-product-fits", _("No product matches “%(text)s”. Try a shorter word.", text=text[:40]), text=text
    )


def named(session: Session, text: str, *, field: str) -> Product:
    """Return the product of a SKU or of a whole name, for what is sent to others: a part of a name is no choice."""
    text = form.tidy(text)
    if (known := session.get(Product, text)) is not None:
        return known
    is_it = sa.func.lower(text).in_([sa.func.lower(Product.name), sa.func.lower(Product.shown)])
    query = sa.select(Product).where(Product.active, is_it).limit(2)
    fitting = list(session.scalars(query))
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise Invalid("several-products", "Several products match. Choose one.", field=field)
    raise Invalid(
        "unknown-product", "Product %(what)s not found. Enter its name or number.", what=text[:40], field=field
    )


def choices(session: Session, text: str) -> list[Product]:
    """Return the products that match every word, by name."""
    if not (text := form.tidy(text)):
        return []
    query = sa.select(Product).where(Product.active, Product.kind == "goods", catalogue.matches(text))
    return list(session.scalars(query.order_by(Product.name, Product.sku).limit(MOST_CHOICES)))


def product_of(session: Session, sku: str) -> Product:
    """Return a product; NotFound when there is none."""
    found = session.get(Product, sku)
    if found is None:
        raise NotFound("unknown-product", "Product not found. Search by name.")
    return found


def names(session: Session, skus: list[str]) -> dict[str, tuple[str, str]]:
    """Return name and stock unit of products by SKU."""
    found: dict[str, tuple[str, str]] = {}
    for start in range(0, len(skus), 500):
        query = sa.select(Product.sku, Product.shown, Product.stock_unit)
        for sku, name, unit in session.execute(query.where(Product.sku.in_(skus[start : start + 500]))):
            found[sku] = (name, unit)
    return found


def price_of(session: Session, sku: str) -> int | None:
    """Return the price of today."""
    return catalogue.price_on(session, str(place().store_id), sku, today())


def _hit(product: Product, qty: int) -> Hit:
    return Hit(product, None if product.stock_unit != "each" and qty <= 1 else qty)
