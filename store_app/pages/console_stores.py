"""The shops as the network knows them."""

from typing import Any

from flask import Blueprint

from store_app.extensions import read
from store_app.presenting import page
from store_app.security import requires
from supply import overview

bp = Blueprint("console_stores", __name__, url_prefix="/console/shops")


@bp.get("/")
@requires("network.stores")
def stores() -> Any:
    """List the shops with when they were heard and how they trade."""
    with read() as session:
        found = overview.stores(session)
        currency = overview.currency(session)
    return page("console/stores.html", stores=found, currency=currency)
