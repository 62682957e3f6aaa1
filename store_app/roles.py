"""What each role of node opens: one table of pages and API. Its jobs: `store_app.jobs.jobs`.

A module named here exports `bp`, its Blueprint. Nothing else looks at the role.
"""

import importlib
from dataclasses import dataclass

from flask import Flask

from config.settings import Settings
from pos.store.roles import NETWORK_ROLES


@dataclass(frozen=True)
class Role:
    """The doors of one kind of node. home: the endpoint a signed-in person begins at, per staff role."""

    pages: tuple[str, ...]
    api: tuple[str, ...]
    home: dict[str, str]
    """Staff role -> the endpoint a person begins at."""


ROLES: dict[str, Role] = {
    "store": Role(
        pages=(
            "store.signin",
            "store.theme",
            "store.today",
            "till.till",
            "till.shift",
            "till.drawer",
            "goods.stock",
            "goods.items_to_count",
            "goods.stocktake",
            "goods.expiry",
            "goods.waste",
            "orders.unordered_receipts",
            "orders.supplier_returns",
            "goods.recall",
            "orders.ordering",
            "orders.suppliers",
            "orders.order_messages",
            "orders.replays",
            "orders.receiving",
            "orders.claims",
            "orders.invoices",
            "orders.incoming",
            "orders.paper_notes",
            "orders.consignment_pages",
            "orders.network_offers",
            "orders.transfers",
            "store.finance",
            "store.membership_level",
            "store.benchmarks",
            "goods.shelf",
            "customers.pickup",
            "customers.pickup_returns",
            "customers.home_deliveries",
            "customers.counter_orders",
            "customers.online_store",
            "customers.groups",
            "orders.campaigns",
            "customers.reviews",
            "goods.promotions",
            "goods.product",
            "goods.product_photo",
            "goods.products",
            "goods.own_products",
            "goods.bring_in",
            "orders.past_sales",
            "goods.prices",
            "goods.shelf_labels",
            "goods.taxes",
            "store.people",
            "store.badges",
            "store.settings",
            "store.country",
            "store.support",
            "store.partners",
            "store.plugins",
            "store.signing_key",
            "store.leaving",
            "goods.producers",
            "customers.customer_messages",
            "goods.selling_hours",
            "orders.closed_days",
            "orders.surroundings",
            "store.paper_looks",
            "till.slips",
            "store.printers",
            "till.payments",
            "till.bank_statements",
            "customers.customers",
            "customers.statements",
            "customers.vouchers",
            "customers.loyalty",
            "till.quick_keys",
            "till.weighed",
            "store.first_steps",
            "store.training",
            "store.more",
            "store.search",
            "store.reports",
            "goods.sheets",
        ),
        api=(
            "catalogue",
            "look_up",
            "favorites",
            "products",
            "scale",
            "customers",
            "sales",
            "baskets",
            "approvals",
            "badge",
            "returns",
            "payments",
            "notices",
            "shifts",
            "print_agent",
            "v1.routes",
            "status",
            "metrics",
            "document",
        ),
        home={"cashier": "till.page", "supervisor": "till.page", "shopkeeper": "today.show"},
    ),
    "network": Role(
        pages=(
            "store.signin",
            "store.theme",
            "console.console",
            "console.dashboard",
            "console.demand",
            "console.products",
            "console.assortment",
            "orders.replays",
            "warehouse.supply",
            "warehouse.allocation",
            "warehouse.purchases",
            "warehouse.upstream",
            "warehouse.scorecards",
            "warehouse.warehouse",
            "warehouse.supply_routes",
            "warehouse.picking",
            "warehouse.recalls",
            "console.prices",
            "console.outlook",
            "console.promotions",
            "console.network_offers",
            "console.claims",
            "warehouse.transfers",
            "console.campaigns",
            "console.stores",
            "console.joining",
            "console.held",
            "console.support",
            "console.care",
            "console.money",
            "console.points",
            "console.operators",
            "console.audit",
            "store.plugins",
            "store.own_sign_in",
            "console.lessons",
            "orders.surroundings",
            "warehouse.routes",
            "warehouse.drive",
            "goods.promotions",
            "storefront.storefront",
            "storefront.finder",
            "storefront.feeds",
            "storefront.shopping_list",
            "storefront.cart",
            "storefront.orders",
            "storefront.account",
            "storefront.groups",
            "storefront.e_receipt",
            "console.more",
            "store.more",
            "store.demo",
        ),
        api=("sync", "join", "notices", "status", "metrics", "document"),
        home=dict.fromkeys(NETWORK_ROLES, "console.home"),
    ),
}


def register(app: Flask, settings: Settings) -> None:
    """Open the pages and the API of this node's role."""
    role = ROLES[settings.role]
    for room, names in (("pages", role.pages), ("api", role.api)):
        for name in names:
            app.register_blueprint(importlib.import_module(f"store_app.{room}.{name}").bp)


def role_of(settings: Settings) -> Role:
    """Return the row of this node's role."""
    return ROLES[settings.role]


def is_network(settings: Settings) -> bool:
    """Tell whether this node is the operator's: for the page frame alone."""
    return settings.role == "network"
