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
        lazy("Customers and offers"),
        (
            Place("customers.people", "tab", "users", lazy("Customers"), lazy("Tabs, points and who owes most")),
            Place("offers.everything", "offers", "gift", lazy("Special offers"), lazy("Prices, 3 for 2, coupons")),
            Place(
                "customer_messages.listed",
                "offers",
                "envelope",
                lazy("Letters to customers"),
                lazy("Welcome, come back, and what it brought"),
            ),
            Place("vouchers.look_up", "sell", "ticket", lazy("Vouchers"), lazy("What a code is worth, its slip again")),
            Place(
                "campaigns.listed",
                "offers",
                "megaphone",
                lazy("Campaigns"),
                lazy("What the network asks, your yes or no"),
                of_network=True,
            ),
            Place(
                "groups.listed",
                "offers",
                "user-group",
                lazy("Group buys"),
                lazy("Cases shared by neighbours"),
                of_network=True,
            ),
            Place(
                "reviews.listed",
                "settings",
                "star",
                lazy("Reviews"),
                lazy("What customers say, your answers"),
                of_network=True,
            ),
            Place(
                "online_store.rules",
                "settings",
                "globe-alt",
                lazy("Online store"),
                lazy("Open or closed, times to collect"),
                of_network=True,
            ),
            Place(
                "home_deliveries.overview",
                "pickup",
                "truck",
                lazy("Home deliveries"),
                lazy("Online orders, brought to the door"),
            ),
        ),
    ),
    Group(
        lazy("Goods"),
        (
            Place(
                "check_these.list_today",
                "stock.count",
                "clipboard-document-check",
                lazy("Check these"),
                lazy("Products whose record looks wrong"),
            ),
            Place("stocktake.takes", "stock.count", "qr-code", lazy("Stock take"), lazy("Count the store by scanner")),
            Place(
                "expiry.calendar", "stock.look", "calendar-days", lazy("Dates"), lazy("What expires, reduced prices")
            ),
            Place("waste.tiles", "stock.waste", "trash", lazy("Write off"), lazy("Broken, expired, stolen")),
            Place(
                "goods_in.notes",
                "stock.receive",
                "arrow-down-on-square",
                lazy("Goods without an order"),
                lazy("From the market or a local supplier, by hand"),
            ),
            Place(
                "goods_back.notes",
                "stock.send_back",
                "arrow-up-on-square",
                lazy("Back to a supplier"),
                lazy("Damaged, expired, recalled; the driver signs"),
            ),
            Place(
                "produce.overview",
                "order",
                "sun",
                lazy("Local producers"),
                lazy("Their goods, lots, statements"),
            ),
            Place(
                "claims.listed", "receive", "hand-thumb-down", lazy("Claims"), lazy("What was wrong with a delivery")
            ),
            Place(
                "consigned.overview",
                "stock.send_back",
                "arrows-right-left",
                lazy("Goods of the network"),
                lazy("On sale or return: what sold, what goes back"),
                of_network=True,
            ),
            Place(
                "suppliers.listed",
                "order",
                "truck",
                lazy("Suppliers"),
                lazy("Prices, order days, how long they really take"),
            ),
            Place(
                "transfers.everything",
                "receive",
                "arrows-right-left",
                lazy("Between stores"),
                lazy("What a neighbour has too much of, or lacks"),
                of_network=True,
            ),
            Place("recall.listed", "recall", "no-symbol", lazy("Recalls"), lazy("What must not be sold")),
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
                lazy("What this store sells, its prices and codes"),
            ),
            Place(
                "prices.change_many",
                "catalogue",
                "arrows-up-down",
                lazy("Change prices"),
                lazy("Many at once, coming ones"),
            ),
            Place(
                "quick_keys.arrange",
                "catalogue",
                "squares-2x2",
                lazy("Quick keys"),
                lazy("What has no barcode, by touch"),
            ),
            Place("weighed.overview", "catalogue", "scale", lazy("Weighed goods"), lazy("Labels, scale and boxes")),
            Place("taxes.classes", "catalogue", "receipt-percent", lazy("Taxes"), lazy("Rates, with or without")),
        ),
    ),
    Group(
        lazy("Figures and money"),
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
                lazy("Closed shifts, over and short, what may pass"),
            ),
            Place(
                "payments.overview",
                "sell",
                "credit-card",
                lazy("Cards and wallets"),
                lazy("Money without a sale, without an answer, or on its way back"),
            ),
            Place(
                "compare.show",
                "reports",
                "arrows-right-left",
                lazy("Compare notes"),
                lazy("Your store beside its neighbours"),
                of_network=True,
            ),
            Place(
                "finance.overview",
                "reports.money",
                "building-library",
                lazy("Money with the network"),
                lazy("Credit, invoices, statements"),
                of_network=True,
            ),
            Place(
                "standing.show",
                "reports.money",
                "trophy",
                lazy("Your standing"),
                lazy("Your level, what counts, what is missing"),
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
                lazy("Short lessons on a practice store"),
            ),
            Place(
                "people.your_pin", "sell", "key", lazy("Your sign-in"), lazy("Your PIN, and where you are signed in")
            ),
            Place("people.everybody", "staff", "identification", lazy("People"), lazy("Names, roles, PINs and limits")),
            Place(
                "first_steps.overview",
                "settings",
                "rocket-launch",
                lazy("First steps"),
                lazy("What a new store does first"),
            ),
            Place(
                "support.show",
                "settings",
                "lifebuoy",
                lazy("Help from the network"),
                lazy("Let it look, for some hours"),
                of_network=True,
            ),
            Place(
                "signing_key.show",
                "settings",
                "finger-print",
                lazy("Signing key"),
                lazy("How the network knows this store"),
            ),
            Place(
                "store_settings.overview", "settings", "cog-6-tooth", lazy("Store"), lazy("Network, printer, the books")
            ),
        ),
    ),
)


FROM_THE_RAIL: tuple[Place, ...] = (
    Place("ordering.orders", "order", "clipboard-document-list", lazy("Orders"), lazy("What to order, and why")),
    Place("receiving.deliveries", "receive", "truck", lazy("Goods in"), lazy("Deliveries to count")),
    Place("shelf.plan", "shelf", "star", lazy("Shelf"), lazy("The bestsellers, what to refill")),
)
"""What stands in the rail beside a desk, and here on a phone."""
OF_NETWORK: tuple[Place, ...] = (
    Place(
        "console_claims.listed",
        "network.supply",
        "hand-thumb-down",
        lazy("Claims and returns"),
        lazy("What was wrong, what comes back"),
    ),
    Place(
        "console_campaigns.listed",
        "network.push",
        "megaphone",
        lazy("Campaigns"),
        lazy("Many stores at once, measured"),
    ),
    Place(
        "console_transfers.everything",
        "network.supply",
        "arrows-right-left",
        lazy("Between stores"),
        lazy("Goods one store gives another"),
    ),
    Place(
        "console_routes.overview", "network.supply", "map", lazy("Routes"), lazy("Vehicles, stops, what was delivered")
    ),
    Place("offers.everything", "offers", "gift", lazy("Special offers"), lazy("Prices, 3 for 2, coupons")),
    Place(
        "console_stores.stores",
        "network.stores",
        "building-storefront",
        lazy("Stores"),
        lazy("How each of them stands"),
    ),
    Place(
        "console_parked.listed",
        "network.facts",
        "inbox-arrow-down",
        lazy("Held for review"),
        lazy("Figures larger than usual: accept or reject them"),
    ),
    Place(
        "console_care.overview_page",
        "network.stores",
        "users",
        lazy("Customers and shelves"),
        lazy("Disputes, reports, what the shelves bring"),
    ),
    Place(
        "console_money.overview", "network.money", "banknotes", lazy("Money"), lazy("Credit, accounts, payouts, terms")
    ),
    Place(
        "console_points.overview_page",
        "network.money",
        "gift",
        lazy("Shared points"),
        lazy("One scheme for all stores, what is outstanding"),
    ),
    Place(
        "own_sign_in.page",
        "network.look",
        "key",
        lazy("Your sign-in"),
        lazy("Passphrase, authenticator app, where you are signed in"),
    ),
    Place("operators.everybody", "staff", "identification", lazy("People"), lazy("Who may sign in here")),
    Place(
        "surroundings.listed",
        "settings",
        "sun",
        lazy("School holidays and weather"),
        lazy("Told to the forecasts of a region"),
    ),
    Place(
        "console_lessons.listed",
        "network.stores",
        "academic-cap",
        lazy("Lessons"),
        lazy("What the stores can practise"),
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
