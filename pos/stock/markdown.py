"""Near its date: how much to take off, the price that stands on the label, and a code the till reads it from.

Rules
-----
1. The nearer the last day, the more is proposed; a person decides.
2. A reduced price is set for the pieces of one product with one last day (`offers.mark_down`); it ends with that day.
3. It is for as many stock units as were marked: pieces, or what goods by weight weigh. Marked at the same price again,
   they are more; at another price the label is new, and only what is marked now counts. A sale takes them in its own
   transaction; what is scanned beyond them costs the shelf's price, unless somebody with leave types another. What a
   customer brings back is marked again before it is sold reduced.
4. The label's square code is a GS1 element string: product, batch and last day. The plain barcode is not on it: the
   till would charge the full price for it.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Conflict, Invalid, NotFound, Refused
from config.money import divide_half_up
from config.nodes.journal import Context
from config.words import language
from pos.catalogue import catalogue, gs1, offers
from pos.catalogue.catalogue import Barcode, Product
from pos.pricing.promises import Offer
from pos.stock import batches
from pos.stock.ledger import MOST_QTY
from pos.stock.recall import tidy_batch
from pos.store.store import day_of, store_of

PROPOSED_BP = {0: 5000, 1: 3000, 2: 2000, 3: 2000}
"""Days left -> what is taken off."""
EARLY_BP = 1000


class Markdown(Base):
    """How many stock units one markdown is for, and how many of them are sold (rule 3)."""

    __tablename__ = "markdown"
    __table_args__ = (sa.CheckConstraint("sold_qty between 0 and marked_qty", name="sold_of_marked"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    offer_id: Mapped[str] = mapped_column(sa.ForeignKey("offer.id"), primary_key=True)
    marked_qty: Mapped[int]
    sold_qty: Mapped[int] = mapped_column(default=0, server_default="0")


@dataclass(frozen=True)
class Marking:
    """A running markdown: the price on its labels, what was marked and what of it is not sold."""

    price_minor: int
    marked_qty: int
    left_qty: int


class Scanned(Protocol):
    """What of a line decides whether a markdown is for it."""

    @property
    def sku(self) -> str: ...
    @property
    def expires_on(self) -> dt.date | None: ...


def propose_bp(days_left: int) -> int:
    """Return the share to take off, in basis points (rule 1)."""
    return PROPOSED_BP.get(max(0, days_left), EARLY_BP)


def reduced_minor(price_minor: int, percent_bp: int) -> int:
    """Return a price with a share taken off, at least one minor unit while it costs anything."""
    return max(min(1, price_minor), price_minor - divide_half_up(price_minor * percent_bp, 10_000))


def mark_down(
    ctx: Context, store_id: str, sku: str, *, expires_on: dt.date, percent_bp: int, qty: int, batch: str | None = None
) -> dict[str, Any]:
    """Reduce `qty` stock units of what expires on a day and return the label that says so (rules 2 to 4)."""
    store, day = store_of(ctx.session, store_id), day_of(ctx.session, store_id, ctx.at)
    batches.refuse_strange_day(expires_on, day)
    if not 100 <= percent_bp <= 9900:
        raise Invalid("bad-percent", "Enter a discount of 1 to 99 percent.", field="percent")
    if not 0 < qty <= MOST_QTY:
        raise Invalid("bad-quantity", "Enter how many units to mark down.", field="qty", sku=sku, qty=qty)
    if expires_on < day:
        raise Refused("expired", "It has expired. Do not sell it: write it off.", sku=sku)
    product, price_minor = ctx.session.get(Product, sku), catalogue.price_on(ctx.session, store_id, sku, day)
    if product is None:
        raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
    if price_minor is None:
        raise Refused("price-missing", "This product has no price. Set one first.", names=[product.shown])
    now_minor = reduced_minor(price_minor, percent_bp)
    before = next(iter(offers.markdowns(ctx.session, store_id, sku, expires_on)), None)
    still = (
        left(ctx.session, store_id, [before]).get(before.id, 0) if before and before.amount_minor == now_minor else 0
    )
    row = offers.mark_down(ctx, store_id, sku, expires_on=expires_on, price_minor=now_minor)
    ctx.session.add(Markdown(store_id=store_id, offer_id=row.id, marked_qty=min(MOST_QTY, still + qty), sold_qty=0))
    say = language(store.language, store.tz)
    until = say("Marked down · until {day}").format(day=say.day(expires_on))
    document: dict[str, Any] = {
        "sku": sku,
        "name": product.called(store.language),
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
    if code := code_of(ctx.session, sku, batch, expires_on):
        document["url"] = code
    return document


def take(session: Session, store_id: str, units: Mapping[str, int]) -> None:
    """Take marked units for a sale, in its transaction; refused where another sale has just had them (rule 3)."""
    for offer_id, qty in sorted(units.items()):
        taken = sa.update(Markdown).where(
            Markdown.store_id == store_id,
            Markdown.offer_id == offer_id,
            Markdown.sold_qty + qty <= Markdown.marked_qty,
        )
        result = session.execute(
            taken.values(sold_qty=Markdown.sold_qty + qty).execution_options(synchronize_session=False)
        )
        assert isinstance(result, CursorResult)
        if not result.rowcount:
            raise Conflict(
                "marked-sold-out",
                "Another till just sold the last marked-down ones. Check the new total, then take payment.",
                offer_id=offer_id,
                qty=qty,
            )


# --- questions ---


def is_of(offer: Offer, line: Scanned) -> bool:
    """Tell whether a line was scanned from a label of this markdown."""
    return (
        offer.expires_on is not None and line.expires_on == offer.expires_on and line.sku in offer.parts[0].choice.skus
    )


def left(session: Session, store_id: str, live: Iterable[Offer]) -> dict[str, int]:
    """Return how many units each markdown is still for; other offers have no end."""
    bound = [offer.id for offer in live if offer.expires_on is not None]
    if not bound:
        return {}
    query = sa.select(Markdown.offer_id, Markdown.marked_qty - Markdown.sold_qty)
    rows = session.execute(query.where(Markdown.store_id == store_id, Markdown.offer_id.in_(bound)))
    return {offer_id: int(units) for offer_id, units in rows}


def running(session: Session, store_id: str, day: dt.date) -> dict[tuple[str, dt.date], Marking]:
    """Return the running markdowns of a store by product and last day."""
    counts = sa.select(Markdown.offer_id, Markdown.marked_qty, Markdown.sold_qty)
    known = {row.offer_id: row for row in session.execute(counts.where(Markdown.store_id == store_id))}
    return {
        (sku, offer.expires_on): Marking(offer.amount_minor, row.marked_qty, row.marked_qty - row.sold_qty)
        for offer in offers.live(session, store_id, day)
        if offer.expires_on is not None and (row := known.get(offer.id)) is not None
        for sku in offer.parts[0].choice.skus
    }


def code_of(session: Session, sku: str, batch: str | None, expires_on: dt.date) -> str | None:
    """Return the GS1 element string of a product's piece, None for a product without a GTIN of a single piece."""
    codes = session.scalars(sa.select(Barcode.code).where(Barcode.sku == sku, Barcode.qty == 1).order_by(Barcode.code))
    number = next((code for code in codes if gs1.is_gtin(code)), None)
    if number is None:
        return None
    known = tidy_batch(batch)
    lot = f"(10){known}" if known and known.isascii() and known.isalnum() and len(known) <= 20 else ""
    return f"(01){number.zfill(14)}(17){expires_on:%y%m%d}{lot}"
