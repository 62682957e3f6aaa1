"""The chapter of the manual that helps with a page.

A chapter is a page of `docs/manual`. A page is found by its blueprint; a language that lacks the chapter gets English.
"""

from functools import cache
from pathlib import Path

from flask import Flask, current_app, request, url_for

from store_app.web.presenting import language

CHAPTERS = {
    "store/start": "first_steps more store_settings country look",
    "store/sign-in": "signin own_sign_in badges search",
    "store/people": "people",
    "store/sell": "till weighed",
    "store/pay": "payments plugins.payments bank_statements",
    "store/refund": "slips",
    "store/close": "shift drawer",
    "store/customers": "customers loyalty statements vouchers",
    "store/messages": "customer_messages reviews",
    "store/promotions": "offers campaigns",
    "store/products": "product product_photo products prices taxes selling_hours own_products",
    "store/import": "bring_in past_sales",
    "store/labels": "shelf_labels sheets quick_keys",
    "store/order": "ordering order_messages closed_days surroundings",
    "store/receive": "receiving claims invoices incoming paper_notes goods_in goods_back consigned",
    "store/stock": "stock check_these stocktake expiry waste recall",
    "store/shelf": "shelf",
    "store/pickup": "pickup pickup_returns counter_orders",
    "store/online": "online_store groups",
    "store/deliver": "home_deliveries drive",
    "store/network": "finance support leaving partners signing_key standing network_offers",
    "store/transfers": "transfers",
    "store/suppliers": "suppliers produce",
    "store/reports": "today reports compare replays",
    "store/printer": "printers paper_looks",
    "store/plugins": "plugins",
    "store/practice": "training demo",
    "network/today": "console console_dashboard console_more",
    "network/stores": "console_stores console_joining operators console_claims",
    "network/demand": "console_assortment console_demand console_outlook console_products",
    "network/purchasing": "console_purchases console_scorecards console_upstream console_warehouse console_picking "
    "console_serving",
    "network/allocate": "console_supply console_allocation",
    "network/offers": "console_promotions console_network_offers console_campaigns console_prices",
    "network/routes": "console_routes console_transfers",
    "network/money": "console_money",
    "network/points": "console_points console_care",
    "network/trust": "console_audit console_parked console_recalls console_support",
    "network/lessons": "console_lessons",
}
"""Chapter → the blueprints of the pages that it explains; or an endpoint, which comes first."""
_OF_PAGE = {blueprint: chapter for chapter, names in CHAPTERS.items() for blueprint in names.split()}


def help_address() -> str:
    """Return the address of the chapter for the page that is being made."""
    chapter = _OF_PAGE.get(request.endpoint or "") or _OF_PAGE.get(request.blueprint or "", "index")
    spoken = language() if _is_there(language(), chapter) else "en"
    return url_for("static", filename=f"manual/{spoken}/{chapter}.html")


def set_up(app: Flask) -> None:
    """Give templates the address."""
    app.jinja_env.globals.update(help_address=help_address)


@cache
def _is_there(language: str, chapter: str) -> bool:
    return (Path(str(current_app.static_folder)) / "manual" / language / f"{chapter}.html").exists()
