"""The way to a store: which ones there are around a place, and who has a product.

Rules
-----
1. Only a store that takes orders online is found, and a product where it can be ordered now.
2. Where the reader is stays in their browser: the page sorts itself by distance there, once they ask for it.
"""

from typing import NamedTuple

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from store_app.pages.common import form
from store_app.pages.storefront import described, visitors
from store_app.runtime.doors import clock, read
from store_app.web.presenting import language, page
from store_app.web.security import public
from supply.network.routes import vehicles
from supply.network.routes.vehicles import MapPoint
from supply.online.storefront import availability, listing
from supply.online.storefront.availability import OpenStore
from supply.online.storefront.listing import OnlineProduct

bp = Blueprint("finder", __name__, url_prefix="/shop")
MOST_STORES = 200
LOOKED_FOR, SHOWN = 24, 3
"""Products that fit best are looked for everywhere; so many are named at a store."""


class Place(NamedTuple):
    """A store that was found, with what it has of what was looked for; point: where it is, if that is known."""

    store: OpenStore
    products: list[OnlineProduct]
    point: MapPoint | None


@bp.get("/")
@public
def stores() -> ResponseReturnValue:
    """Show the stores around a place, or those that have a product."""
    where, what = (form.tidy(request.args.get(name, ""))[:60] for name in ("where", "q"))
    with read() as session:
        key = ("finder", language(), where.casefold(), what.casefold())
        found = visitors.ready(key, lambda: _found(session, where, what))
    return page(
        "storefront/finder.html",
        where=where,
        what=what,
        found=found,
        describe=None if where or what else described.of_finder,
    )


# --- inside ---


def _found(session: Session, where: str, what: str) -> list[Place]:
    wanted, at = where.casefold().split(), clock.now()
    there = [
        one
        for one in availability.open_stores(session, at)
        if all(word in f"{one.name} {one.address} {one.region}".casefold() for word in wanted)
    ]
    goods: dict[str, list[OnlineProduct]] = {}
    if what:
        fits = visitors.index(session).search(what, None, LOOKED_FOR)
        goods = listing.offered_at(session, there, [one.sku for one in fits], at=at)
        there = [one for one in there if one.id in goods]
    there = there[:MOST_STORES]
    points = vehicles.places_of(session, [one.id for one in there])
    return [Place(one, goods.get(one.id, [])[:SHOWN], points.get(one.id)) for one in there]
