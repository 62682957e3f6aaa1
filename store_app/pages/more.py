"""More: the places a shopkeeper needs now and then, those this person may enter."""

from dataclasses import dataclass

from flask import Blueprint, Response
from flask_babel import lazy_gettext as lazy

from store_app.presenting import page
from store_app.security import can, requires

bp = Blueprint("more", __name__, url_prefix="/more")


@dataclass(frozen=True)
class Place:
    """A place under More: its endpoint, who may enter, icon, name and what is done there."""

    endpoint: str
    permission: str
    icon: str
    name: str
    about: str


PLACES: tuple[Place, ...] = (
    Place("customers.people", "tab", "users", lazy("Customers"), lazy("Tabs, points and who owes most")),
    Place("quick_keys.arrange", "catalogue", "squares-2x2", lazy("Quick keys"), lazy("What has no barcode, by touch")),
    Place(
        "payments.overview", "sell", "credit-card", lazy("Cards and wallets"),
        lazy("Money without a sale, without an answer, or on its way back"),
    ),
    Place("shop_settings.overview", "settings", "cog-6-tooth", lazy("Shop"), lazy("Network, printer, people, the books")),
)


@bp.get("/")
@requires("sell")
def places() -> Response:
    """List the places this person may enter."""
    return page("more/places.html", places=[place for place in PLACES if can(place.permission)])
