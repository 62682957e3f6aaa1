"""Every place of a store, and More: those needed now and then that this person may enter.

Rules
-----
1. A place that the store does not use yet stands folded under the others.
2. What a page leads to anyway is not under More (`ELSEWHERE`): the search finds it all the same.
"""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as lazy
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session

from config.database import Base
from pos.payments.payments import Payment
from pos.payments.providers import BANK_CODE
from pos.payments.vouchers import Voucher
from pos.producers.producers import Producer
from pos.stock.consignment_stock import Consignment
from pos.store.partner_keys import PartnerKey
from store_app.pages.common import lists, waiting
from store_app.pages.common.places import Place, may_enter
from store_app.runtime.doors import own_doors, read
from store_app.web.presenting import RAIL_COUNTS, page, place
from store_app.web.security import requires
from supply.demand.campaign_uplift import CampaignAsk
from supply.membership import first_steps
from supply.membership.support import SupportPermission
from supply.online.groups.groups import GroupOffer
from supply.online.messages.campaigns import Outreach
from supply.online.pickup import delivery
from supply.online.storefront.reviews import Review
from supply.orders import transfers
from supply.orders.claims import Claim
from supply.orders.transfers import Transfer
from supply.receiving.documents.supplier_documents import SupplierPaper

bp = Blueprint("more", __name__, url_prefix="/more")
RAIL_COUNTS["campaigns"] = waiting.campaigns
RAIL_COUNTS["transfers"] = transfers.unanswered


@dataclass(frozen=True)
class Group:
    """Places that belong together, under one heading."""

    name: LazyString
    places: tuple[Place, ...]


def has(noun: type[Base]) -> Callable[[Session, str], bool]:
    """Return the question whether a store has a row of a noun."""
    return lambda session, store_id: _exists(session, noun, noun.__table__.c.store_id == store_id)


def _exists(session: Session, noun: type[Base], condition: sa.ColumnElement[bool]) -> bool:
    return bool(session.scalar(sa.select(sa.exists(sa.select(noun).where(condition)))))


def _transfers(session: Session, store_id: str) -> bool:
    return _exists(session, Transfer, sa.or_(Transfer.giver_id == store_id, Transfer.taker_id == store_id))


def _transfers_taken(session: Session, store_id: str) -> bool:
    return _exists(session, Payment, sa.and_(Payment.store_id == store_id, Payment.way == BANK_CODE))


def _first_steps(session: Session, store_id: str) -> bool:
    steps = first_steps.steps(session, store_id, in_network=bool(own_doors().settings.network_url))
    return not all(step.done for step in steps)


GROUPS: tuple[Group, ...] = (
    Group(
        lazy("Customers and promotions"),
        (
            Place(
                "customers.people",
                "tab",
                "users",
                lazy("Customers"),
                lazy("Tabs, points and balances"),
                words=lazy("tab, points, loyalty, debt"),
            ),
            Place(
                "offers.everything",
                "offers",
                "gift",
                lazy("Promotions"),
                lazy("Special prices, 3 for 2, coupons"),
                words=lazy("offers, discounts, sale"),
            ),
            Place(
                "customer_messages.listed",
                "offers",
                "envelope",
                lazy("Customer messages"),
                lazy("Welcome offers, win-back offers, results"),
                used=has(Outreach),
                words=lazy("newsletter, mail, win back"),
            ),
            Place(
                "vouchers.look_up",
                "sell",
                "ticket",
                lazy("Vouchers"),
                lazy("Check a code’s value, reprint it"),
                used=has(Voucher),
                words=lazy("gift cards, store credit"),
            ),
            Place(
                "campaigns.listed",
                "offers",
                "megaphone",
                lazy("Campaigns"),
                lazy("Requests from the network awaiting your response"),
                of_network=True,
                used=has(CampaignAsk),
                waits="campaigns",
            ),
            Place(
                "groups.listed",
                "offers",
                "user-group",
                lazy("Group buys"),
                lazy("Cases shared by neighbors"),
                of_network=True,
                used=has(GroupOffer),
            ),
            Place(
                "reviews.listed",
                "settings",
                "star",
                lazy("Reviews"),
                lazy("Reviews and your replies"),
                of_network=True,
                used=has(Review),
            ),
            Place(
                "online_store.rules",
                "settings",
                "globe-alt",
                lazy("Online store"),
                lazy("Opening and pickup times"),
                of_network=True,
                words=lazy("storefront, web shop, opening hours"),
            ),
            Place(
                "home_deliveries.overview",
                "pickup",
                "truck",
                lazy("Home deliveries"),
                lazy("Online orders delivered to the door"),
                used=lambda session, store_id: delivery.rules_of(session, store_id).on,
            ),
        ),
    ),
    Group(
        lazy("Stock"),
        (
            Place(
                "produce.overview",
                "order",
                "sun",
                lazy("Local producers"),
                lazy("Their products, lots and statements"),
                used=has(Producer),
            ),
            Place(
                "claims.listed",
                "receive",
                "hand-thumb-down",
                lazy("Claims"),
                lazy("Problems with a delivery"),
                used=has(Claim),
            ),
            Place(
                "invoices.listed",
                "order",
                "document-text",
                lazy("Invoices"),
                lazy("Compare with orders and deliveries"),
                used=has(SupplierPaper),
                words=lazy("bills, credit notes, e-invoice, despatch advice, ASN"),
            ),
            Place(
                "consigned.overview",
                "stock.send_back",
                "arrows-right-left",
                lazy("Consignment"),
                lazy("Network products on consignment"),
                of_network=True,
                used=has(Consignment),
            ),
            Place(
                "suppliers.listed", "order", "truck", lazy("Suppliers"), lazy("Prices, order days, actual lead times")
            ),
            Place(
                "transfers.everything",
                "receive",
                "arrows-right-left",
                lazy("Transfers"),
                lazy("Neighbors’ surplus and shortages"),
                of_network=True,
                used=_transfers,
                waits="transfers",
            ),
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
                words=lazy("catalog, range, assortment"),
            ),
            Place(
                "prices.change_many",
                "catalogue",
                "arrows-up-down",
                lazy("Change prices"),
                lazy("Many at once, or for a later day"),
                words=lazy("reprice, markup, margin"),
            ),
            Place(
                "shelf_labels.walk",
                "shelf",
                "qr-code",
                lazy("Label check"),
                lazy("Scan shelf labels, inspect prices"),
                words=lazy("price tags, shelf labels, price accuracy"),
            ),
            Place(
                "quick_keys.arrange",
                "catalogue",
                "squares-2x2",
                lazy("Quick keys"),
                lazy("Touch keys for products without a barcode"),
                words=lazy("touch keys, favorites, tiles"),
            ),
            Place(
                "weighed.overview",
                "catalogue",
                "scale",
                lazy("Weighed products"),
                lazy("Label formats, scale and tare"),
                words=lazy("scale, tare, weight"),
            ),
            Place(
                "taxes.classes",
                "catalogue",
                "receipt-percent",
                lazy("Taxes"),
                lazy("Rates, included or added"),
                words=lazy("VAT, sales tax"),
            ),
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
                words=lazy("sales, yesterday, takings, bestsellers, export"),
            ),
            Place(
                "drawer.reports",
                "shift",
                "document-chart-bar",
                lazy("Z reports"),
                lazy("Closed shifts, cash differences, tolerance"),
                words=lazy("close of day, yesterday, over and short"),
            ),
            Place(
                "payments.overview",
                "sell",
                "credit-card",
                lazy("Cards and wallets"),
                lazy("Unclear and unassigned payments, refunds"),
            ),
            Place(
                "bank_statements.overview",
                "reports.money",
                "building-library",
                lazy("Bank statements"),
                lazy("Transfers of customers, matched with your bank"),
                used=_transfers_taken,
                words=lazy("camt, MT940, bank, transfer"),
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
                words=lazy("practice, lessons, learn"),
            ),
            Place(
                "people.your_pin",
                "sell",
                "key",
                lazy("Your sign-in"),
                lazy("Your PIN and your devices"),
                words=lazy("PIN, password, badge"),
            ),
            Place(
                "people.everybody",
                "staff",
                "identification",
                lazy("People"),
                lazy("Names, roles, PINs and limits"),
                words=lazy("staff, employees, cashiers, roles, permissions, limits"),
            ),
            Place(
                "first_steps.overview",
                "settings",
                "rocket-launch",
                lazy("First steps"),
                lazy("Setting up a new store"),
                used=_first_steps,
            ),
            Place(
                "support.show",
                "settings",
                "lifebuoy",
                lazy("Network support"),
                lazy("Grant read access for a few hours"),
                of_network=True,
                words=lazy("remote help"),
                used=has(SupportPermission),
            ),
            Place(
                "partners.show",
                "settings",
                "puzzle-piece",
                lazy("Partner access"),
                lazy("Keys for other programs"),
                words=lazy("API, interface, bookkeeping, integration"),
                used=has(PartnerKey),
                waits="partners",
            ),
            Place(
                "plugins.payments",
                "settings",
                "credit-card",
                lazy("Payment services"),
                lazy("Card terminals and mobile pay"),
                words=lazy("Stripe, WeChat Pay, Alipay, ZVT, terminal"),
            ),
            Place(
                "plugins.listed",
                "settings",
                "squares-plus",
                lazy("Plug-ins"),
                lazy("Printers, scales, messages and files by other programs"),
            ),
            Place(
                "signing_key.show",
                "settings",
                "finger-print",
                lazy("Signing key"),
                lazy("How the network recognizes this store"),
                of_network=True,
            ),
            Place(
                "store_settings.overview",
                "settings",
                "cog-6-tooth",
                lazy("Store"),
                lazy("Network, printers, settings"),
                words=lazy("settings, setup, options"),
            ),
        ),
    ),
)


ELSEWHERE: tuple[Place, ...] = (
    Place(
        "leaving.show",
        "staff",
        "arrow-right-start-on-rectangle",
        lazy("Leave the network"),
        of_network=True,
        words=lazy("resign, export all data"),
    ),
    Place("today.show", "reports", "home", lazy("Today"), words=lazy("yesterday, start page, what waits")),
    Place("till.page", "sell", "calculator", lazy("Till")),
    Place(
        "till.page",
        "sell",
        "arrow-uturn-left",
        lazy("Refund"),
        lazy("At the till: press Refund"),
        words=lazy("return, exchange, money back, bring back"),
    ),
    Place("stock.levels", "stock.look", "archive-box", lazy("Stock"), waits="stock", words=lazy("inventory")),
    Place("pickup.orders", "pickup", "shopping-bag", lazy("Pickup"), waits="pickups", words=lazy("click and collect")),
    Place(
        "shift.money",
        "shift",
        "receipt-percent",
        lazy("Today’s receipts"),
        anchor="receipts",
        words=lazy("sales slip, refund"),
    ),
    Place("drawer.x_report", "over_short", "document-chart-bar", lazy("X report")),
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
        words=lazy("inventory, count everything"),
    ),
    Place(
        "expiry.calendar",
        "stock.look",
        "calendar-days",
        lazy("Expiry"),
        lazy("Expiring products, markdowns"),
        words=lazy("best before, expired, dates"),
    ),
    Place(
        "waste.tiles",
        "stock.waste",
        "trash",
        lazy("Write off"),
        lazy("Damaged, expired, stolen"),
        words=lazy("waste, damaged, theft, shrinkage"),
    ),
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
        words=lazy("send back"),
    ),
    Place("recall.listed", "recall", "no-symbol", lazy("Recalls"), lazy("Products that must not be sold")),
    Place("own_products.new", "catalogue", "plus", lazy("New product"), words=lazy("add, item, article")),
    Place("bring_in.upload", "import", "arrow-up-tray", lazy("Import products"), words=lazy("upload, spreadsheet")),
    Place("past_sales.upload", "import", "arrow-up-tray", lazy("Import past sales")),
    Place("prices.labels", "catalogue", "tag", lazy("Labels for new prices"), words=lazy("price tags")),
    Place("shelf_labels.inspections", "shelf", "clipboard-document-check", lazy("Price inspections")),
    Place("replays.store", "order", "beaker", lazy("Order simulation")),
    Place("loyalty.points", "settings", "gift", lazy("Points"), words=lazy("loyalty program, members")),
    Place("printers.all", "settings", "printer", lazy("Printers"), words=lazy("receipt printer, label printer, paper")),
    Place("paper_looks.show", "settings", "document-text", lazy("Receipt layout")),
    Place("till.paper", "print", "document-text", lazy("Printed receipts")),
    Place(
        "selling_hours.listed",
        "settings",
        "clock",
        lazy("Hours of sale"),
        lazy("For example, no beer at night."),
        words=lazy("alcohol, age"),
    ),
    Place("closed_days.listed", "settings", "calendar-days", lazy("Closed days")),
    Place(
        "country.show",
        "settings",
        "globe-alt",
        lazy("Opening hours, country, currency"),
        words=lazy("time zone, language, clock"),
    ),
    Place("surroundings.listed", "settings", "sun", lazy("School holidays and weather")),
    Place("store_settings.overview", "settings", "lock-closed", lazy("Auto-lock"), anchor="lock-title"),
    Place("store_settings.overview", "settings", "no-symbol", lazy("Out-of-stock items"), anchor="beyond-title"),
    Place(
        "store_settings.overview",
        "settings",
        "device-phone-mobile",
        lazy("Receipts on the phone"),
        anchor="online-title",
        words=lazy("e-receipt"),
    ),
    Place("store_settings.overview", "settings", "shield-check", lazy("Check the books"), anchor="checks-title"),
)
"""What the rail or another page leads to (rule 2)."""

FROM_THE_RAIL: tuple[Place, ...] = (
    Place(
        "ordering.orders",
        "order",
        "clipboard-document-list",
        lazy("Orders"),
        lazy("Suggested orders and their reasons"),
        waits="orders",
        words=lazy("reorder, replenishment, purchase"),
    ),
    Place(
        "receiving.deliveries",
        "receive",
        "truck",
        lazy("Receiving"),
        lazy("Deliveries to count"),
        waits="deliveries",
        words=lazy("goods receipt, delivery"),
    ),
    Place("shelf.plan", "shelf", "star", lazy("Shelf"), lazy("Bestsellers and what to refill")),
    Place(
        "shift.money",
        "shift",
        "banknotes",
        lazy("Cash drawer"),
        lazy("Open, count and close the till"),
        words=lazy("shift, close the till, safe"),
    ),
)
"""What stands in the rail beside a desk, and here on a phone."""
PLACES = (*(one for group in GROUPS for one in group.places), *FROM_THE_RAIL, *ELSEWHERE)
"""Every place of a store."""
BY_ENDPOINT = {one.endpoint: one for one in reversed(PLACES)}
"""A page's own place: its icon and permission in the rail and on Today."""


@bp.get("/")
@requires("sell")
def places() -> Response:
    """List the places this person may enter: in use, and folded those the store does not use yet."""
    store_id = str(place().store_id)
    groups: list[tuple[LazyString, list[Place]]] = []
    unused: list[Place] = []
    with read() as session:
        for group in GROUPS:
            own = may_enter(group.places)
            used = [one for one in own if one.used is None or one.used(session, store_id)]
            groups.append((group.name, used))
            unused += [one for one in own if one not in used]
    return page("store/more.html", rail_places=may_enter(FROM_THE_RAIL), groups=groups, unused=unused)


@bp.post("/view")
@requires("sell")
def view() -> ResponseReturnValue:
    """Save or delete a view of one of the store's lists."""
    return lists.keep_view()


@bp.app_template_global()
def place_of(endpoint: str) -> Place:
    """Return the place of a store's page: of several on it, the page as a whole."""
    return BY_ENDPOINT[endpoint]
