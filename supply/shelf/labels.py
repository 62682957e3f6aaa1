"""What a label at the shelf says of a product: its name and price of a day, and where it is to be found online."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.database import among
from config.errors import NotFound
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Barcode, Product
from pos.store.store import Store
from supply.shelf.plan import ranks


def documents(
    session: Session, store_id: str, skus: Sequence[str], public_url: str, *, at: dt.datetime
) -> dict[str, dict[str, Any]]:
    """Return SKU -> what its shelf label prints: name, price, unit, barcode, and the address its QR opens.

    A product without a price has no label.
    """
    store = session.get(Store, store_id)
    if store is None:
        raise NotFound("unknown-shop", "There is no such shop.", store=store_id)
    prices = catalogue.prices_on(session, store_id, business_day(at, store.tz, store.rollover_hour), skus)
    codes = sa.select(Barcode.sku, Barcode.code).where(among(session, Barcode.sku, skus))
    first: dict[str, str] = dict(session.execute(codes.order_by(Barcode.qty.desc(), Barcode.code.desc())).all())
    slots, address = ranks(session, store_id), public_url.rstrip("/")
    return {
        product.sku: {
            "sku": product.sku,
            "name": product.name,
            "brand": product.brand,
            "pack_text": product.pack_text,
            "price_minor": prices[product.sku],
            "price_quantity": product.price_quantity,
            "stock_unit": product.stock_unit,
            "currency": store.currency,
            "language": store.language,
            "barcode": first.get(product.sku),
            "place": str(slots.get(product.sku, "")),
            "url": f"{address}/shop/{store.slug}/p/{product.sku}",
        }
        for product in session.scalars(sa.select(Product).where(among(session, Product.sku, [*prices])))
    }
