"""A customer's shopping list, pasted, typed or dictated: each line with its products, and one button into the basket.

What can be had, how much of it and at which age is decided where a product is put into the basket one by one.
"""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid
from pos.lists.amounts import Ware
from pos.lists.matching import Line, match
from pos.store.store import Store
from store_app.pages.common import form, shopping_list
from store_app.pages.storefront import visitors
from store_app.runtime.doors import clock, read
from store_app.web.presenting import page
from store_app.web.security import public
from store_app.words.refusals import sentence_of
from supply.online.orders import bought_with
from supply.online.storefront import listing
from supply.online.storefront.listing import OnlineProduct

bp = Blueprint("storefront_list", __name__, url_prefix="/shop/<slug>/list")


@bp.get("")
@public
def ask(slug: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask for the list; a message that was sent stays in its field."""
    lines: list[Line] = []
    with read() as session:
        here = visitors.store_at(session, slug)
        if request.method == "POST" and (fault is None or fault.facts.get("field") != "list"):
            lines = _match(session, here)
        named = shopping_list.named_by(lines)
        found = {product.sku: product for product in _products(session, here, named)}
        names = dict(zip(named, visitors.names_of(session, named), strict=True))
        around = visitors.around(session, here)
        phone = visitors.signed_in(session)
    return page(
        "storefront/list.html",
        **around,
        **shopping_list.AROUND,
        text=shopping_list.message(),
        lines=lines,
        found=found,
        names=names,
        phone=phone,
        fault=sentence_of(fault) if fault else None,
    )


@bp.post("")
@public
@form.answers_on(ask)
def find(slug: str) -> ResponseReturnValue:
    """Answer a list line by line."""
    return ask(slug=slug)


@bp.post("/basket")
@public
@form.answers_on(ask)
def put(slug: str) -> ResponseReturnValue:
    """Put what was found and chosen into the basket; what cannot go in is named."""
    picked = shopping_list.picked()
    with read() as session:
        here = visitors.store_at(session, slug)
        found = {product.sku: product for product in _products(session, here, list(picked))}
    kept, refused = visitors.kept(here.id), list[str]()
    for sku, qty in picked.items():
        try:
            kept[sku] = _bounded(found.get(sku), kept.get(sku, 0), qty)
        except Invalid as fault:
            refused.append(sentence_of(fault))
    if len(kept) > visitors.MOST_LINES:
        raise Invalid("full-basket", "One order can have up to forty products. Place this order first.")
    visitors.keep(here.id, kept)
    if done := len(picked) - len(refused):
        flash(ngettext("%(num)d product added.", "%(num)d products added.", done), "good")
    for sentence in refused:
        flash(sentence, "warn")
    return redirect(url_for("basket.cart", slug=slug), 303)


# --- inside ---


def _bounded(product: OnlineProduct | None, kept_qty: int, qty: int) -> int:
    """Return how much of a product the basket then has, or refuse it as everywhere."""
    if product is None:
        raise Invalid("not-sold-online", "This product is not in this online store. Choose another one.")
    step = product.step_qty
    return visitors.bounded(product, kept_qty + max(step, qty - qty % step))


def _match(session: Session, here: Store) -> list[Line]:
    def wares(skus: Sequence[str]) -> dict[str, Ware]:
        left: dict[str, tuple[int | None, int]] = {
            product.sku: (product.left_qty if product.order_days is None else None, product.step_qty)
            for product in _products(session, here, skus)
        }
        return shopping_list.wares(session, left)

    phone = visitors.signed_in(session)
    earlier = bought_with(session, here.id, phone, shopping_list.EARLIER) if phone else []
    among = visitors.listed(session, here.id, "", "")
    return match(shopping_list.message(), visitors.index(session), among, wares, earlier)


def _products(session: Session, here: Store, skus: Sequence[str]) -> list[OnlineProduct]:
    return listing.products(session, here.id, skus, at=clock.now()) if skus else []
