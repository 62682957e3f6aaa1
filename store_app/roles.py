"""What each role of node opens: one table of pages, API and jobs.

A module named here exports `bp`, its Blueprint. Nothing else looks at the role.
"""

import importlib
from dataclasses import dataclass

from flask import Flask

from config.settings import Settings


@dataclass(frozen=True)
class Role:
    """The doors of one kind of node. home: the endpoint a signed-in person begins at, per staff role."""

    pages: tuple[str, ...]
    api: tuple[str, ...]
    jobs: tuple[str, ...]
    home: dict[str, str]
    """Staff role -> the endpoint a person begins at."""


ROLES: dict[str, Role] = {
    "store": Role(
        pages=(
            "signin",
            "look",
            "till",
            "shift",
            "drawer",
            "stock",
            "check_these",
            "stocktake",
            "expiry",
            "waste",
            "goods_in",
            "goods_back",
            "recall",
            "ordering",
            "suppliers",
            "order_letters",
            "replays",
            "receiving",
            "claims",
            "consigned",
            "push",
            "transfers",
            "finance",
            "standing",
            "compare",
            "shelf",
            "pickup",
            "pickup_returns",
            "home_deliveries",
            "counter_orders",
            "online_shop",
            "groups",
            "campaigns",
            "reviews",
            "offers",
            "products",
            "own_products",
            "bring_in",
            "past_sales",
            "prices",
            "taxes",
            "people",
            "badges",
            "shop_settings",
            "support",
            "signing_key",
            "produce",
            "letters",
            "selling_hours",
            "closed_days",
            "surroundings",
            "paper_looks",
            "slips",
            "printers",
            "payments",
            "customers",
            "statements",
            "vouchers",
            "loyalty",
            "quick_keys",
            "weighed",
            "first_steps",
            "training",
            "more",
            "reports",
            "sheets",
        ),
        api=(
            "catalogue",
            "look_up",
            "scale",
            "customers",
            "sales",
            "baskets",
            "approvals",
            "badge",
            "returns",
            "payments",
            "shifts",
            "print_agent",
            "status",
            "metrics",
            "document",
        ),
        jobs=(
            "print",
            "payments",
            "send",
            "letters",
            "shop-publish",
            "expire-pickups",
            "expire-offers",
            "shelf-live",
            "campaigns",
            "roll-up",
            "consigned",
            "forecast",
            "tell-counts",
            "suggest",
            "propose",
            "tell-spares",
            "shelf-swap",
            "thank-friends",
            "replay",
            "weeks-ahead",
            "forget-people",
            "seal",
            "backup",
            "backup-changes",
            "check",
            "watch",
        ),
        home={"cashier": "till.page", "supervisor": "till.page", "shopkeeper": "till.page"},
    ),
    "network": Role(
        pages=(
            "signin",
            "look",
            "console",
            "console_demand",
            "replays",
            "console_supply",
            "console_purchases",
            "console_upstream",
            "console_warehouse",
            "console_serving",
            "console_picking",
            "console_recalls",
            "console_prices",
            "console_outlook",
            "console_push",
            "console_claims",
            "console_transfers",
            "console_campaigns",
            "console_stores",
            "console_parked",
            "console_support",
            "console_care",
            "console_money",
            "console_points",
            "operators",
            "own_sign_in",
            "console_lessons",
            "surroundings",
            "console_rounds",
            "drive",
            "offers",
            "storefront",
            "basket",
            "shop_orders",
            "shop_account",
            "shop_groups",
            "e_receipt",
            "more",
            "demo",
        ),
        api=("sync", "join", "status", "metrics", "document"),
        jobs=(
            "warehouse",
            "plan-rounds",
            "notify",
            "escrow",
            "remind",
            "publish-terms",
            "purchase-letters",
            "weeks",
            "roll-fresh",
            "outlook",
            "groups",
            "campaigns-over",
            "roll-up",
            "limits",
            "credit",
            "points",
            "push-care",
            "returns",
            "compare",
            "purchase",
            "transfers",
            "forecast-regions",
            "forecast-stores",
            "replay-regions",
            "publish",
            "forget-people",
            "seal",
            "backup",
            "check",
            "watch",
            "notice-restore",
            "day-has-come",
        ),
        home={"operator": "console.home"},
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
