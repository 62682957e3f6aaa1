"""More: the places needed now and then, those this person may enter; on a phone also what its bar has no room for."""

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, Response
from flask_babel import lazy_gettext as lazy
from flask_babel.speaklater import LazyString

from store_app.runtime.doors import own_doors
from store_app.web.presenting import page
from store_app.web.security import can, requires, while_setting_up

bp = Blueprint("more", __name__, url_prefix="/more")


@dataclass(frozen=True)
class Place:
    """A place under More: its endpoint, who may enter, icon, name and what is done there."""

    endpoint: str
    permission: str
    icon: str
    name: LazyString
    about: LazyString
    of_network: bool = False
    """Of no use to a store on its own."""


@dataclass(frozen=True)
class Group:
    """Places that belong together, under one heading."""

    name: LazyString
    places: tuple[Place, ...]


GROUPS: tuple[Group, ...] = (
    Group(
        lazy("Customers and promotions"),
        (
            Place("customers.people", "tab", "users", lazy("Customers"), lazy("Tabs, points and balances")),
            Place("offers.everything", "offers", "gift", lazy("Promotions"), lazy("Special prices, 3 for 2, coupons")),
            Place(
                "customer_messages.listed",
                "offers",
                "envelope",
                lazy("Customer messages"),
                lazy("Welcome, win back, and results"),
            ),
            Place("vouchers.look_up", "sell", "ticket", lazy("Vouchers"), lazy("Check a code’s value, reprint it")),
            Place(
                "campaigns.listed",
                "offers",
                "megaphone",
                lazy("Campaigns"),
                lazy("Requests from the network to answer"),
                of_network=True,
            ),
            Place(
                "groups.listed",
                "offers",
                "user-group",
                lazy("Group buys"),
                lazy("Cases shared by neighbors"),
                of_network=True,
            ),
            Place(
                "reviews.listed",
                "settings",
                "star",
                lazy("Reviews"),
                lazy("Reviews and your answers"),
                of_network=True,
            ),
            Place(
                "online_store.rules",
                "settings",
                "globe-alt",
                lazy("Online store"),
                lazy("Opening and pickup times"),
                of_network=True,
            ),
            Place(
                "home_deliveries.overview",
                "pickup",
                "truck",
                lazy("Home deliveries"),
                lazy("Online orders to the door"),
            ),
        ),
    ),
    Group(
        lazy("Stock"),
        (
            Place(
                "check_these.list_today",
                "stock.count",
                "clipboard-document-check",
                lazy("Items to count"),
                lazy("Products whose stock looks wrong"),
            ),
            Place(
                "stocktake.takes",
                "stock.count",
                "qr-code",
                lazy("Stock take"),
                lazy("Count the whole store by scanner"),
            ),
            Place(
                "expiry.calendar", "stock.look", "calendar-days", lazy("Expiry"), lazy("Expiring products, markdowns")
            ),
            Place("waste.tiles", "stock.waste", "trash", lazy("Write off"), lazy("Damaged, expired, stolen")),
            Place(
                "goods_in.notes",
                "stock.receive",
                "arrow-down-on-square",
                lazy("Receive without an order"),
                lazy("From a market or local supplier"),
            ),
            Place(
                "goods_back.notes",
                "stock.send_back",
                "arrow-up-on-square",
                lazy("Supplier returns"),
                lazy("Damaged, expired or recalled products"),
            ),
            Place(
                "produce.overview",
                "order",
                "sun",
                lazy("Local producers"),
                lazy("Their products, lots and statements"),
            ),
            Place("claims.listed", "receive", "hand-thumb-down", lazy("Claims"), lazy("Problems with a delivery")),
            Place(
                "consigned.overview",
                "stock.send_back",
                "arrows-right-left",
                lazy("Consignment"),
                lazy("Network products on consignment"),
                of_network=True,
            ),
            Place(
                "suppliers.listed",
                "order",
                "truck",
                lazy("Suppliers"),
                lazy("Prices, order days, actual lead times"),
            ),
            Place(
                "transfers.everything",
                "receive",
                "arrows-right-left",
                lazy("Transfers"),
                lazy("Neighbors’ surplus and shortages"),
                of_network=True,
            ),
            Place("recall.listed", "recall", "no-symbol", lazy("Recalls"), lazy("Products that must not be sold")),
        ),
    ),
    Group(
        lazy("Products and prices"),
        (
            Place(
                "products.listed",
                "catalogue",
                "tag",
                lazy("Products"),
                lazy("Your range, prices and codes"),
            ),
            Place(
                "prices.change_many",
                "catalogue",
                "arrows-up-down",
                lazy("Change prices"),
                lazy("Many at once, or for a later day"),
            ),
            Place(
                "quick_keys.arrange",
                "catalogue",
                "squares-2x2",
                lazy("Quick keys"),
                lazy("Touch keys for products without a barcode"),
            ),
            Place(
                "weighed.overview",
                "catalogue",
                "scale",
                lazy("Weighed products"),
                lazy("Label formats, scale and tare"),
            ),
            Place("taxes.classes", "catalogue", "receipt-percent", lazy("Taxes"), lazy("Rates, included or added")),
        ),
    ),
    Group(
        lazy("Reports and money"),
        (
            Place(
                "reports.overview",
                "reports",
                "chart-bar",
                lazy("Reports"),
                lazy("Days, products, margin, cashiers, tax"),
            ),
            Place(
                "drawer.reports",
                "shift",
                "document-chart-bar",
                lazy("Z reports"),
                lazy("Closed shifts, cash differences, tolerance"),
            ),
            Place(
                "payments.overview",
                "sell",
                "credit-card",
                lazy("Cards and wallets"),
                lazy("Unclear and unassigned payments, refunds"),
            ),
            Place(
                "compare.show",
                "reports",
                "arrows-right-left",
                lazy("Benchmarks"),
                lazy("Your store compared with nearby stores"),
                of_network=True,
            ),
            Place(
                "finance.overview",
                "reports.money",
                "building-library",
                lazy("Network account"),
                lazy("Credit, invoices, statements"),
                of_network=True,
            ),
            Place(
                "standing.show",
                "reports.money",
                "trophy",
                lazy("Membership level"),
                lazy("Your level and how to reach the next"),
                of_network=True,
            ),
        ),
    ),
    Group(
        lazy("People and store"),
        (
            Place(
                "training.overview",
                "practice",
                "academic-cap",
                lazy("Training"),
                lazy("Short lessons in a practice store"),
            ),
            Place("people.your_pin", "sell", "key", lazy("Your sign-in"), lazy("Your PIN and your devices")),
            Place("people.everybody", "staff", "identification", lazy("People"), lazy("Names, roles, PINs and limits")),
            Place(
                "first_steps.overview",
                "settings",
                "rocket-launch",
                lazy("First steps"),
                lazy("Setting up a new store"),
            ),
            Place(
                "support.show",
                "settings",
                "lifebuoy",
                lazy("Network support"),
                lazy("Grant read access for some hours"),
                of_network=True,
            ),
            Place(
                "signing_key.show",
                "settings",
                "finger-print",
                lazy("Signing key"),
                lazy("How the network recognizes this store"),
            ),
            Place(
                "store_settings.overview", "settings", "cog-6-tooth", lazy("Store"), lazy("Network, printers, settings")
            ),
        ),
    ),
)


FROM_THE_RAIL: tuple[Place, ...] = (
    Place(
        "ordering.orders",
        "order",
        "clipboard-document-list",
        lazy("Orders"),
        lazy("Suggested orders and their reasons"),
    ),
    Place("receiving.deliveries", "receive", "truck", lazy("Receiving"), lazy("Deliveries to count")),
    Place("shelf.plan", "shelf", "star", lazy("Shelf"), lazy("Bestsellers and what to refill")),
    Place("shift.money", "reports", "banknotes", lazy("Cash drawer"), lazy("Open, count and close the till")),
)
"""What stands in the rail beside a desk, and here on a phone."""
OF_NETWORK: tuple[Place, ...] = (
    Place(
        "console_claims.listed",
        "network.supply",
        "hand-thumb-down",
        lazy("Claims and returns"),
        lazy("Problems and returned products"),
    ),
    Place(
        "console_campaigns.listed",
        "network.push",
        "megaphone",
        lazy("Campaigns"),
        lazy("Across stores, with measured results"),
    ),
    Place(
        "console_transfers.everything",
        "network.supply",
        "arrows-right-left",
        lazy("Transfers"),
        lazy("Between nearby stores"),
    ),
    Place("console_routes.overview", "network.supply", "map", lazy("Routes"), lazy("Vehicles, stops and deliveries")),
    Place("offers.everything", "offers", "gift", lazy("Promotions"), lazy("Special prices, 3 for 2, coupons")),
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
        "network.stores",
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
        lazy("One program for all stores"),
    ),
    Place(
        "own_sign_in.page",
        "network.look",
        "key",
        lazy("Your sign-in"),
        lazy("Passphrase, authenticator app, your devices"),
    ),
    Place("operators.everybody", "staff", "identification", lazy("People"), lazy("Who may sign in here")),
    Place(
        "surroundings.listed",
        "settings",
        "sun",
        lazy("School holidays and weather"),
        lazy("School holidays and weather for regional forecasts"),
    ),
    Place(
        "console_lessons.listed",
        "network.stores",
        "academic-cap",
        lazy("Lessons"),
        lazy("Practice for the stores"),
    ),
)


@bp.get("/")
@requires("sell")
def places() -> Response:
    """List the places this person may enter."""
    in_network = bool(own_doors().settings.network_url)
    groups = [
        (group.name, _open(place for place in group.places if in_network or not place.of_network)) for group in GROUPS
    ]
    return page("store/more.html", rail_places=_open(FROM_THE_RAIL), groups=groups)


@bp.get("/network")
@requires("network.look")
@while_setting_up
def of_network() -> Response:
    """List every place of the operator's beyond the bar: some stand nowhere else, more of them on a phone."""
    return page("store/more.html", rail_places=_open(OF_NETWORK), groups=[])


# --- inside ---


def _open(places: Iterable[Place]) -> list[Place]:
    return [place for place in places if can(place.permission)]
