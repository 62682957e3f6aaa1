"""How the customer's shop is dressed: its few stylesheets as one, small, and no request before the first paint.

Rules
-----
1. A browser that was never here gets sheet and look inside its first page: on a slow line each request before the
   first paint costs more than these kilobytes. Whoever comes with our cookie gets an address instead, which changes
   with the sheet, so that a browser asks for it once.
"""

import hashlib
from functools import cache
from pathlib import Path

from flask import current_app, request, url_for
from markupsafe import Markup

from store_app.web.bundling import sheet
from store_app.web.security import csp_nonce

SHEETS = ("storefront/base.css", "common/cornerstore.css", "storefront/storefront.css")
KEPT_S = 31_536_000


def dress(slug: str) -> Markup:
    """Return what stands in the head of a shop's page: the look, then the sheet or its address (rule 1)."""
    nonce = csp_nonce()
    look = Markup('<script nonce="{}">{}</script>').format(nonce, Markup(_look()))  # noqa: S704  our own script
    if is_known():
        address = url_for("storefront.shop_sheet", slug=slug, mark=shop_sheet()[1])
        return look + Markup('<link rel="stylesheet" href="{}">').format(address)
    return look + Markup('<style nonce="{}">{}</style>').format(nonce, Markup(shop_sheet()[0]))  # noqa: S704  our own


def is_known() -> bool:
    """Tell whether this browser was here before, and has the sheet."""
    return current_app.config["SESSION_COOKIE_NAME"] in request.cookies


@cache
def shop_sheet() -> tuple[str, str]:
    """Return the one sheet and its mark."""
    body = sheet([_folder() / name for name in SHEETS])
    return body, hashlib.sha256(body.encode()).hexdigest()[:16]


@cache
def worker() -> str:
    """Return the script that stands in for the shop without a line."""
    return (_folder() / "storefront" / "worker.js").read_text("utf-8")


@cache
def _look() -> str:
    return (_folder() / "common" / "look.js").read_text("utf-8").split("\n", 1)[1]


def _folder() -> Path:
    return Path(str(current_app.static_folder))
