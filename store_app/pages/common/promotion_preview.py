"""What a new promotion is expected to bring, shown before it is saved.

Rules
-----
1. A form saves what its person has seen: the page that shows the figures carries a mark of all that was typed, and a
   form without it, or typed over since, is shown again with the figures of what it says now.
2. A network promotion may name whole categories; reckoned is with the BEST best sellers of what it names.
"""

import datetime as dt
import hashlib

import sqlalchemy as sa
from flask import request
from sqlalchemy.orm import Session

from config.money import BASIS
from pos.catalogue.catalogue import Product
from pos.pricing.promises import Choice, Offer
from pos.store.store import Store
from supply.demand.history import SellingRate
from supply.network.offers import expectation
from supply.network.offers.expectation import Expectation, Promoted

BEST, USUAL_DAYS = 30, 28
UNSEEN = ("csrf_token", "command_id", "seen", "do")


def mark() -> str:
    """Return the mark of what the form says (rule 1)."""
    said = sorted(
        (name, value)
        for name, values in request.form.lists()
        if name not in UNSEEN and not name.startswith(("q", "sought"))
        for value in values
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


def is_seen() -> bool:
    """Tell whether the figures of what the form says were shown (rule 1)."""
    return request.form.get("seen", "") == mark()


def of_offer(session: Session, offer: Offer, saved_bp: int, at: dt.datetime) -> Expectation | None:
    """Return what a promotion in all stores is expected to bring; saved_bp: off the price, as its example says.

    None where no store sells anything of it.
    """
    today = at.date()
    first, last = max(offer.from_day or today, today), offer.until_day
    days = (last - first).days + 1 if last else USUAL_DAYS
    skus = _best(session, [part.choice for part in offer.parts])
    if days < 1 or not skus:
        return None
    stores = list(session.scalars(sa.select(Store.id).where(Store.left_on.is_(None))))
    promoted = [Promoted(sku, min(BASIS, saved_bp)) for sku in skus]
    return expectation.expected(session, promoted, stores, days=days, at=at)


# --- inside ---


def _best(session: Session, choices: list[Choice]) -> list[str]:
    """Return the best sellers of some choices (rule 2)."""
    named = [
        sa.and_(
            sa.or_(
                Product.sku.in_(one.skus), Product.category.in_(one.categories),
                Product.department.in_(one.departments), Product.brand.in_(one.brands),
                sa.true() if one.everything else sa.false(),
            ),
            Product.sku.not_in(one.but_skus), Product.category.not_in(one.but_categories),
        )
        for one in choices
    ]  # fmt: skip
    query = (
        sa.select(Product.sku)
        .join(SellingRate, SellingRate.sku == Product.sku)
        .where(sa.or_(*named), Product.active, SellingRate.per_day > 0)
        .group_by(Product.sku)
        .order_by(sa.func.sum(SellingRate.per_day / Product.price_quantity).desc(), Product.sku)
    )
    return list(session.scalars(query.limit(BEST)))
