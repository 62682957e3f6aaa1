"""What a customer asks about a product, answered without selling it."""

from flask import Blueprint, Response, jsonify

from pos import scan, stock
from store_app import wording
from store_app.api.catalogue import as_json
from store_app.extensions import doors, read
from store_app.presenting import today
from store_app.security import requires
from supply import shelf

bp = Blueprint("api_look_up", __name__, url_prefix="/api")


@bp.get("/look-up/<path:code>")
@requires("sell")
def look_up(code: str) -> Response:
    """Answer a product's price, how many there are, and where.

    places: [{place, words, qty}], the shelf's with its slot. A label's own price, batch and last day are said too.
    """
    store_id, day = doors().settings.node_id, today()
    with read() as session:
        found = scan.read(session, store_id, code, day)
        product = found.product
        level = stock.levels(session, store_id, [product.sku])[product.sku]
        slot = shelf.ranks(session, store_id).get(product.sku)
    return jsonify(
        product=as_json(product),
        qty=found.qty,
        amount_minor=found.amount_minor,
        batch=found.batch,
        expires_on=found.expires_on.isoformat() if found.expires_on else None,
        available=level.available,
        on_hand=level.on_hand,
        places=[
            {"place": place, "words": wording.place_word(place), "qty": qty, "slot": slot if place == "shelf" else None}
            for place, qty in level.by_place.items()
            if qty > 0
        ],
    )
