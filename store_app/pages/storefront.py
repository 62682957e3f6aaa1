"""The online shop of each store, as its customers see it on a phone; served by the network node.

Rules
-----
1. Everybody may look and order; a basket lives in the visitor's own signed cookie, per shop, for the last few shops.
2. Prices and what is left come from what the store published; the order takes from that allowance, all or nothing.
3. The order page's address carries the order's token: whoever has it sees the code, nobody else. The token is a keyed
   hash of the command's id, so that a double click, whichever copy of the cookie it carries, leads to the same order.
4. What the shop no longer offers leaves the basket by itself, and the page says so.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import segno
import sqlalchemy as sa
from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask import session as visitor
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, NotFound, ShopError
from pos.catalogue import Product
from pos.store import Store
from store_app.extensions import clock, read, write
from store_app.pages import form
from store_app.presenting import at_store, page
from store_app.presenting import qty as written_qty
from store_app.security import public
from store_app.sentences import sentence_of
from supply import placing, shop
from supply.pickup_order import OPEN

bp = Blueprint("storefront", __name__, url_prefix="/shop/<slug>")
PAGE_SIZE = 24
MOST_LINES = placing.MOST_LINES
KEPT_SHOPS = 3
"""Baskets a cookie has room for: browsers drop one of more than 4 kB."""
KEPT_ORDERS = 5
USUAL_STEPS = 5
"""Portions of weighed goods that one tap adds: half a kilo."""
_FIELDS = {"bad-name": "name", "bad-phone": "phone"}
STEPS_DONE = {"placed": 1, "accepted": 2, "picking": 2, "short": 2, "ready": 3, "collected": 4}


@dataclass(frozen=True)
class CartLine:
    """A product in the visitor's basket; steps count its smallest portion. is_short: fewer are left by now."""

    sku: str
    name: str
    qty: int
    steps: int
    total_minor: int
    ware: shop.Ware
    is_short: bool


@dataclass(frozen=True)
class Cart:
    """The visitor's basket at one shop. gone: what the shop no longer offers (rule 4)."""

    lines: tuple[CartLine, ...] = ()
    total_minor: int = 0
    gone: tuple[str, ...] = ()


@bp.get("/")
@public
def home(slug: str) -> Any:
    """Show the shop: bestsellers first, an aisle, or what was searched."""
    text, category = form.tidy(request.args.get("q", ""))[:60], form.tidy(request.args.get("category", ""))[:80]
    number = form.page_no()
    with read() as session:
        here = _shop(session, slug)
        names = [name for name, count in sorted(shop.categories(session, here.id), key=lambda row: (-row[1], row[0]))]
        offers = shop.listing(
            session,
            here.id,
            text=text,
            category=category or None,
            limit=PAGE_SIZE + 1,
            offset=(number - 1) * PAGE_SIZE,
        )
        around = _around(session, here)
    return page(
        "storefront/home.html",
        **around,
        text=text,
        category=category,
        categories=names,
        offers=offers[:PAGE_SIZE],
        more=len(offers) > PAGE_SIZE,
        page_no=number,
    )


@bp.get("/p/<sku>")
@public
def product(slug: str, sku: str, fault: ShopError | None = None) -> Any:
    """Show one product; where the label's QR leads."""
    with read() as session:
        here = _shop(session, slug)
        ware = shop.product(session, here.id, form.tidy(sku))
        around = _around(session, here)
    return page(
        "storefront/product.html",
        **around,
        ware=ware,
        steps=request.form.get("steps") or _usual(ware),
        fault=sentence_of(fault) if fault else None,
    )


@bp.post("/p/<sku>")
@public
@form.answers_on(product)
def put(slug: str, sku: str) -> Any:
    """Put a product into the basket: so many portions, or the usual amount."""
    steps = form.whole("steps", least=1, most=shop.LINE_STEPS) if "steps" in request.form else None
    with read() as session:
        here = _shop(session, slug)
        ware = shop.product(session, here.id, form.tidy(sku))
    kept = _kept(here.id)
    if ware.sku not in kept and len(kept) >= MOST_LINES:
        raise Invalid("full-basket", _("Forty different things are the most for one order. Order these first."))
    _keep(here.id, kept | {ware.sku: _bounded(ware, kept.get(ware.sku, 0) + (steps or _usual(ware)) * ware.step_qty)})
    flash(_("%(name)s is in your basket.", name=ware.name), "good")
    return redirect(_back(slug), 303)


@bp.get("/basket")
@public
def cart(slug: str, sku: str = "", fault: ShopError | None = None) -> Any:
    """Show the basket and ask who will collect it."""
    with read() as session:
        here = _shop(session, slug)
        around = _around(session, here)
        gone = _names(session, around["cart"].gone)
    if gone:
        _keep(here.id, {line.sku: line.qty for line in around["cart"].lines})
    return page(
        "storefront/cart.html",
        **around,
        gone=gone,
        changed_sku=sku,
        # an id that was used for another order would be refused for ever
        order_id=None if isinstance(fault, Conflict) else request.form.get("command_id"),
        fault=sentence_of(fault) if fault else None,
        field=fault.facts.get("field", _FIELDS.get(fault.code)) if fault else None,
        name=request.form.get("name"),
        phone=request.form.get("phone"),
    )


@bp.post("/basket/<sku>")
@public
@form.answers_on(cart)
def change(slug: str, sku: str) -> Any:
    """Change how much of a product is in the basket; nothing takes it out."""
    steps = form.whole("steps", least=0, most=shop.LINE_STEPS)
    sku = form.tidy(sku)
    with read() as session:
        here = _shop(session, slug)
        kept = _kept(here.id)
        if steps == 0:
            kept.pop(sku, None)
        else:
            ware = shop.product(session, here.id, sku)
            kept[sku] = _bounded(ware, steps * ware.step_qty)
    if len(kept) > MOST_LINES:
        raise Invalid("full-basket", _("Forty different things are the most for one order. Order these first."))
    _keep(here.id, kept)
    return redirect(url_for(".cart", slug=slug), 303)


@bp.post("/order")
@public
@form.answers_on(cart)
def place(slug: str) -> Any:
    """Order the basket for collection."""
    command = form.command_id()
    name = form.text("name", most=80, required=_("Please tell the shop your name."))
    phone = form.text("phone", most=20, required=_("Please leave a phone number for the shop."))
    with write() as session:
        here = _shop(session, slug)
        token, placed = _token_for(here.id, command), f"{here.id} {command}"
        if placed not in _placed():
            lines = sorted(_kept(here.id).items())
            if not lines:
                raise Invalid("empty-basket", _("Put something into the basket first."))
            at = clock.now()
            placing.place(session, here.id, id=command, name=name, phone=phone, lines=lines, at=at, token=token)
    if placed not in _placed():
        visitor["placed"] = [*_placed(), placed][-KEPT_ORDERS:]
        _keep(here.id, {})
    return redirect(url_for(".order", slug=slug, token=token), 303)


@bp.get("/order/<token>")
@public
def order(slug: str, token: str, fault: ShopError | None = None) -> Any:
    """Show an order's code and how far it is."""
    with read() as session:
        here = _shop(session, slug)
        found = placing.status(session, here.id, token)
        units = dict(
            session.execute(
                sa.select(Product.sku, Product.stock_unit).where(Product.sku.in_([line.sku for line in found.lines]))
            ).all()
        )
    done = ("placed", "accepted", "ready", "collected")[: STEPS_DONE.get(found.order.state, 1)]
    return page(
        "storefront/order.html",
        "order_card",
        shop=here,
        cart=Cart(),
        order=found.order,
        found=found,
        units=units,
        steps_done=done,
        is_open=found.order.state in OPEN,
        qr=_qr(found.token),
        fault=sentence_of(fault) if fault else None,
    )


@bp.post("/order/<token>/cancel")
@public
@form.answers_on(order)
def cancel(slug: str, token: str) -> Any:
    """Ask the shop to cancel an order that is not ready yet."""
    with write() as session:
        here = _shop(session, slug)
        placing.ask_to_cancel(session, here.id, token, at=clock.now())
    flash(_("The shop is told to cancel the order."), "good")
    return redirect(url_for(".order", slug=slug, token=token), 303)


@bp.get("/manifest.webmanifest")
@public
def manifest(slug: str) -> Any:
    """Let a phone keep the shop on its first screen."""
    with read() as session:
        here = _shop(session, slug)
    icon = {"src": url_for("static", filename="img/icon.svg"), "sizes": "any", "type": "image/svg+xml"}
    start = url_for(".home", slug=slug)
    body = {
        "name": here.name, "short_name": here.name[:12], "start_url": start, "scope": start, "display": "standalone",
        "background_color": "#fbfaf7", "theme_color": "#0b7a5b", "icons": [icon],
    }  # fmt: skip
    return body, 200, {"Content-Type": "application/manifest+json"}


# --- inside ---


def _qr(token: str) -> str:
    """Draw what the counter scans: the order's token."""
    return segno.make(token, error="m", micro=False).svg_inline(border=2, svgclass=None, lineclass=None, omitsize=True)


def _token_for(store_id: str, command: str) -> str:
    """Return the order's token: 128 bits nobody can guess, the same for a repeated click (rule 3)."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    digest = hmac.digest(key, f"order token {store_id} {command}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")


def _shop(session: Session, slug: str) -> Store:
    found = session.scalar(sa.select(Store).where(Store.slug == form.tidy(slug)))
    if found is None:
        raise NotFound("no-shop", _("There is no shop at this address. Check the link or scan the label again."))
    at_store(found)
    return found


def _kept(store_id: str) -> dict[str, int]:
    kept = visitor.get("baskets", {}).get(store_id, {})
    return {str(sku): int(qty) for sku, qty in kept.items()}


def _placed() -> list[str]:
    """Return the orders this browser has placed lately: a late second click leads to the first one's page."""
    return list(visitor.get("placed", []))


def _keep(store_id: str, kept: Mapping[str, int]) -> None:
    baskets = {key: value for key, value in visitor.get("baskets", {}).items() if key != store_id}
    if kept:
        baskets[store_id] = dict(kept)
    visitor["baskets"] = dict(list(baskets.items())[-KEPT_SHOPS:])


def _usual(ware: shop.Ware) -> int:
    """Return how many portions one tap adds: a piece, or half a kilo where there is as much."""
    return 1 if ware.step_qty == 1 else max(1, min(USUAL_STEPS, ware.left_qty // ware.step_qty))


def _bounded(ware: shop.Ware, qty: int) -> int:
    if qty > ware.left_qty:
        raise Invalid(
            "not-available",
            _("There are not that many of %(name)s left in the shop.", name=ware.name),
            available=ware.left_qty,
        )
    if qty > (most := ware.maximum_qty or shop.LINE_STEPS * ware.step_qty):
        raise Invalid(
            "bad-quantity",
            _("At most %(most)s of %(name)s in one order.", most=written_qty(most, ware.stock_unit), name=ware.name),
        )
    return qty


def _around(session: Session, here: Store) -> dict[str, Any]:
    """Return what every page of the shop shows around itself."""
    return {"shop": here, "cart": _cart(session, here.id), "is_closed": not shop.is_taking_orders(session, here.id)}


def _cart(session: Session, store_id: str) -> Cart:
    kept = _kept(store_id)
    wares = {ware.sku: ware for ware in shop.wares(session, store_id, kept)}
    lines = [(sku, qty) for sku, qty in sorted(kept.items()) if sku in wares]
    gone = tuple(sorted(kept.keys() - wares.keys()))
    if not lines:
        return Cart(gone=gone)
    priced = shop.quote(session, store_id, lines)
    shown = []
    for line in priced.lines:
        ware = wares[line.product.sku]
        shown.append(
            CartLine(
                sku=ware.sku,
                name=ware.name,
                qty=line.qty,
                steps=line.qty // ware.step_qty,
                total_minor=line.total_minor,
                ware=ware,
                is_short=line.qty > ware.left_qty,
            )
        )
    return Cart(tuple(shown), priced.total_minor, gone)


def _names(session: Session, skus: tuple[str, ...]) -> list[str]:
    known = dict(session.execute(sa.select(Product.sku, Product.name).where(Product.sku.in_(skus))).all())
    return [known.get(sku, sku) for sku in skus]


def _back(slug: str) -> str:
    """Return the page the visitor came from, when it is one of this shop's."""
    here = form.tidy(request.form.get("here", ""))
    start = url_for(".home", slug=slug)
    return here if here.startswith(start) and len(here) <= 400 else start
