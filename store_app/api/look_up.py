"""What a customer asks about a product, answered without selling it."""

from zoneinfo import ZoneInfo

from flask import Blueprint, Response, jsonify

from pos.catalogue import offers, scan
from pos.pricing.pricing import ProductView
from pos.pricing.promises import Offer
from pos.pricing.promotions import holds_at
from pos.stock import stock
from pos.store.store import store_of
from store_app.api.catalogue import as_json
from store_app.runtime.doors import doors, read
from store_app.web.presenting import today
from store_app.web.security import requires
from store_app.words import words
from supply.shelf import plan

bp = Blueprint("api_look_up", __name__, url_prefix="/api")


@bp.get("/look-up/<path:code>")
@requires("sell")
def look_up(code: str) -> Response:
    """Answer a product's price, the offers that hold for it now, how many there are, and where.

    places: [{place, words, qty}], the shelf's with its slot. A label's own price, batch and last day are said too.
    """
    store_id, day, at = doors().settings.node_id, today(), doors().now()
    with read() as session:
        found = scan.read(session, store_id, code, day)
        product = found.product
        level = stock.levels(session, store_id, [product.sku])[product.sku]
        slot = plan.ranks(session, store_id).get(product.sku)
        store = store_of(session, store_id)
        now_there = at.astimezone(ZoneInfo(store.tz))
        names = [
            offer.name
            for offer in offers.live(session, store_id, day)
            if _is_for(offer, product) and holds_at(offer, now_there, day)
        ]
    return jsonify(
        product=as_json(product),
        qty=found.qty,
        amount_minor=found.amount_minor,
        batch=found.batch,
        expires_on=found.expires_on.isoformat() if found.expires_on else None,
        offers=names,
        available=level.available,
        on_hand=level.on_hand,
        places=[
            {"place": place, "words": words.place_word(place), "qty": qty, "slot": slot if place == "shelf" else None}
            for place, qty in level.by_place.items()
            if qty > 0
        ],
    )


def _is_for(offer: Offer, product: ProductView) -> bool:
    key = (product.sku, product.category, product.department, product.brand)
    return any(part.choice.holds(*key) for part in offer.parts)
