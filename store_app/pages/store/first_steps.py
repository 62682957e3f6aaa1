"""First steps: one page that leads a new member from the goods to the first online order."""

from typing import Any

import segno
from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from markupsafe import Markup

from pos.store.store import Store
from store_app.runtime.doors import doors, read
from store_app.web.presenting import page, place
from store_app.web.security import can, requires
from supply.demand import rollups, stated_sales
from supply.membership import first_steps

bp = Blueprint("first_steps", __name__, url_prefix="/first-steps")
WORDS: dict[str, tuple[str, str, Any, Any, Any]] = {
    "goods": (
        "products.listed", "tag", _l("Your goods are here"),
        _l("The network’s catalogue comes by itself a few seconds after joining. Goods of your own come from a list."),
        _l("Look at them"),
    ),
    "lesson": (
        "training.overview", "academic-cap", _l("Practise once"),
        _l("Three minutes on a practice store: ring up, take cash, give money back. Nothing of it is saved."),
        _l("To the lessons"),
    ),
    "stock": (
        "stock.levels", "archive-box", _l("Say what is on the shelves"),
        _l("Touch a product and count it, bestsellers first; or scan shelf by shelf with Stock take. "
           "Only that sells online."),
        _l("To the stock"),
    ),
    "till": (
        "shift.money", "banknotes", _l("Open the till"), _l("Count the cash in the drawer: it is your float."),
        _l("Open the till"),
    ),
    "sale": (
        "till.page", "calculator", _l("Make the first sale"), _l("Scan or touch a product, press Pay, take the money."),
        _l("To the till"),
    ),
    "proposal": (
        "ordering.orders", "clipboard-document-list", _l("See the first proposal"),
        _l("Press Propose now. Until your store has days of its own, it goes by what the stores around you sell."),
        _l("To the orders"),
    ),
    "online": (
        "online_store.rules", "globe-alt", _l("Open your online store"),
        _l("It opens by itself with what is on hand, within a minute. Look at its rules; print its code."),
        _l("To the online store"),
    ),
    "online-order": (
        "pickup.orders", "shopping-bag", _l("Take the first online order"),
        _l("Scan the code with your own phone and order something: it appears under Pickup."),
        _l("To the pickup counter"),
    ),
}  # fmt: skip
"""Step -> the page it is done on, its icon, its name, what to do, the button."""
ALONE: dict[str, tuple[Any, Any, Any]] = {
    "goods": (
        _l("Put your goods in"), _l("Bring in a list of what you sell, or type a first product."),
        _l("To the products"),
    ),
    "stock": (
        WORDS["stock"][2],
        _l("Touch a product and count it, bestsellers first; or scan shelf by shelf with Stock take."),
        WORDS["stock"][4],
    ),
    "proposal": (
        WORDS["proposal"][2], _l("Say who brings you goods, and at what prices; then press Propose now."),
        WORDS["proposal"][4],
    ),
}  # fmt: skip
"""Step -> its name, what to do and the button, at a store without a network."""


@bp.get("/")
@requires("settings")
def overview() -> ResponseReturnValue:
    """Show the steps with what is done ticked, the next one large."""
    settings = doors().settings
    in_network = bool(settings.network_url)
    words = WORDS if in_network else {name: (*row[:2], *ALONE.get(name, row[2:])) for name, row in WORDS.items()}
    with read() as session:
        found = first_steps.steps(session, str(place().store_id), in_network=in_network)
        store = session.get_one(Store, place().store_id)
        slug = store.slug
        young = stated_sales.counts(session, store.id)
        no_past = young and can("import") and rollups.imported_days(session, store.id) is None
        unsaid = in_network and not store.usual_sales_minor and young
    base = (settings.public_url or settings.network_url).rstrip("/")
    address = f"{base}/shop/{slug}/" if base else ""
    drawn = segno.make(address, error="m").svg_inline(scale=3, border=2, omitsize=True) if address else ""
    following = next((step for step in found if not step.done), None)
    return page(
        "store/first_steps.html", steps=found, words=words, following=following, done=sum(step.done for step in found),
        in_network=in_network, unsaid=unsaid, no_past=no_past, link=lambda step: url_for(WORDS[step.name][0]),
        address=address, code=Markup(drawn),  # noqa: S704  our own drawing
    )  # fmt: skip
