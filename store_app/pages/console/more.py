"""More of the network: every place of the operator's beyond the bar."""

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as lazy

from store_app.pages.common import lists
from store_app.pages.common.places import Place, may_enter
from store_app.web.presenting import page
from store_app.web.security import requires, while_setting_up

bp = Blueprint("console_more", __name__, url_prefix="/more")
PLACES: tuple[Place, ...] = (
    Place(
        "console_dashboard.overview",
        "network.look",
        "presentation-chart-line",
        lazy("Dashboard"),
        lazy("Sales, margin, stock and forecast figures of a period"),
    ),
    Place(
        "console_products.listed",
        "network.demand",
        "archive-box",
        lazy("Products"),
        lazy("Sales, forecast, stock and price over all stores"),
    ),
    Place(
        "console_assortment.overview",
        "network.demand",
        "squares-2x2",
        lazy("Assortment"),
        lazy("What stores carry, gaps, dead stock and proposals"),
    ),
    Place(
        "console_scorecards.listed",
        "network.buying",
        "chart-bar",
        lazy("Supplier scorecards"),
        lazy("Lead time, fill rate, price changes, claims"),
    ),
    Place(
        "console_claims.listed",
        "network.claims",
        "hand-thumb-down",
        lazy("Claims and returns"),
        lazy("Problems and returned products"),
    ),
    Place(
        "console_promotions.listed",
        "network.push",
        "gift",
        lazy("Promotions"),
        lazy("For customers, offers to stores, campaigns"),
    ),
    Place(
        "console_transfers.everything",
        "network.supply",
        "arrows-right-left",
        lazy("Transfers"),
        lazy("Between nearby stores"),
    ),
    Place("console_routes.overview", "network.supply", "map", lazy("Routes"), lazy("Vehicles, stops and deliveries")),
    Place(
        "console_stores.stores",
        "network.stores",
        "building-storefront",
        lazy("Stores"),
        lazy("Health and sales of each store"),
    ),
    Place(
        "console_parked.listed",
        "network.facts",
        "inbox-arrow-down",
        lazy("Held for review"),
        lazy("Unusually large figures to accept or reject"),
    ),
    Place(
        "console_care.overview_page",
        "network.customers",
        "users",
        lazy("Customers and shelves"),
        lazy("Disputes, reports, shelf results"),
    ),
    Place(
        "console_money.overview", "network.money", "banknotes", lazy("Money"), lazy("Credit, accounts, payouts, terms")
    ),
    Place(
        "console_points.overview_page",
        "network.money",
        "gift",
        lazy("Shared points"),
        lazy("One points program for all stores"),
    ),
    Place(
        "plugins.payments",
        "settings",
        "credit-card",
        lazy("Payment services"),
        lazy("Who takes online payments"),
    ),
    Place("plugins.listed", "settings", "squares-plus", lazy("Plug-ins"), lazy("Messages and files by other programs")),
    Place(
        "own_sign_in.page",
        "network.look",
        "key",
        lazy("Your sign-in"),
        lazy("Passphrase, authenticator app, your devices"),
    ),
    Place(
        "console_audit.listed",
        "network.audit",
        "document-magnifying-glass",
        lazy("Audit log"),
        lazy("Who did what, and when"),
    ),
    Place("operators.everybody", "staff", "identification", lazy("People"), lazy("Who can sign in here")),
    Place(
        "surroundings.listed",
        "settings",
        "sun",
        lazy("School holidays and weather"),
        lazy("School holidays and weather for regional forecasts"),
    ),
    Place("console_lessons.listed", "network.stores", "academic-cap", lazy("Lessons"), lazy("Practice for the stores")),
)


@bp.get("/network")
@requires("network.look")
@while_setting_up
def listed() -> Response:
    """List every place of the operator's beyond the bar: some stand nowhere else, more of them on a phone."""
    return page("store/more.html", rail_places=may_enter(PLACES), groups=[], unused=[])


@bp.post("/network/view")
@requires("network.look")
def view() -> ResponseReturnValue:
    """Save or delete a view of one of the operator's lists: also who changes nothing else has views."""
    return lists.keep_view()
