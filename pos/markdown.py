"""Near its date: how much to take off, the price that stands on the label, and a code the till reads it from.

Rules
-----
1. The nearer the last day, the more is proposed; a person decides.
2. A reduced price is set for the pieces of one product with one last day (`offers.mark_down`); it ends with that day.
3. The label's square code is a GS1 element string: product, batch and last day. The plain barcode is not on it: the
   till would charge the full price for it.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid, NotFound, Refused
from config.journal import Actor
from config.money import divide_half_up
from pos import batches, catalogue, gtin, offers
from pos.catalogue import Barcode, Product
from pos.recall import tidy_batch
from pos.store import day_of, store_of

PROPOSED_BP = {0: 5000, 1: 3000, 2: 2000, 3: 2000}
"""Days left -> what is taken off."""
EARLY_BP = 1000
_UNTIL = {"en": "Reduced · until {day}", "zh": "临期特价 · 至 {day}"}


def propose_bp(days_left: int) -> int:
    """Return the share to take off, in basis points (rule 1)."""
    return PROPOSED_BP.get(max(0, days_left), EARLY_BP)


def reduced_minor(price_minor: int, percent_bp: int) -> int:
    """Return a price with a share taken off, at least one minor unit while it costs anything."""
    return max(min(1, price_minor), price_minor - divide_half_up(price_minor * percent_bp, 10_000))


def mark_down(
    session: Session,
    store_id: str,
    sku: str,
    *,
    expires_on: dt.date,
    percent_bp: int,
    batch: str | None = None,
    actor: Actor,
    at: dt.datetime,
) -> dict[str, Any]:
    """Reduce what expires on a day and return the label that says so (rules 2, 3)."""
    store, day = store_of(session, store_id), day_of(session, store_id, at)
    batches.refuse_strange_day(expires_on, day)
    if not 100 <= percent_bp <= 9900:
        raise Invalid("bad-percent", "Take off between 1 and 99 percent.", field="percent")
    if expires_on < day:
        raise Refused("expired", "Its last day is over. Do not sell it: write it off.", sku=sku)
    product, price_minor = session.get(Product, sku), catalogue.price_on(session, store_id, sku, day)
    if product is None:
        raise NotFound("unknown-product", f"There is no product {sku}.", skus=[sku])
    if price_minor is None:
        raise Refused("price-missing", "This product has no price yet: set one first.", names=[product.name])
    now_minor = reduced_minor(price_minor, percent_bp)
    offers.mark_down(session, store_id, sku, expires_on=expires_on, price_minor=now_minor, actor=actor, at=at)
    until = _UNTIL.get(store.language, _UNTIL["en"]).format(day=f"{expires_on:%Y-%m-%d}")
    document: dict[str, Any] = {
        "sku": sku,
        "name": product.name,
        "brand": "",
        "pack_text": until,
        "price_minor": now_minor,
        "was_minor": price_minor,
        "price_quantity": product.price_quantity,
        "stock_unit": product.stock_unit,
        "currency": store.currency,
        "language": store.language,
        "barcode": None,
        "place": "",
    }
    if code := code_of(session, sku, batch, expires_on):
        document["url"] = code
    return document


def code_of(session: Session, sku: str, batch: str | None, expires_on: dt.date) -> str | None:
    """Return the GS1 element string of a product's piece, None for a product without a GTIN of a single piece."""
    codes = session.scalars(sa.select(Barcode.code).where(Barcode.sku == sku, Barcode.qty == 1).order_by(Barcode.code))
    number = next((code for code in codes if gtin.is_gtin(code)), None)
    if number is None:
        return None
    known = tidy_batch(batch)
    lot = f"(10){known}" if known and known.isascii() and known.isalnum() and len(known) <= 20 else ""
    return f"(01){number.zfill(14)}(17){expires_on:%y%m%d}{lot}"
