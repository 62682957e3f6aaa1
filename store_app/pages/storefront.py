"""The online shop of each store, as its customers see it on a phone; served by the network node.

Rules
-----
1. Everybody may look and order; a basket lives in the visitor's own signed cookie, per shop.
2. Prices and what is left come from what the store published; the order takes from that allowance, all or nothing.
3. The order page's address carries the order's token: whoever has it sees the code, nobody else.
"""

from dataclasses import dataclass
from typing import Any

import segno
import sqlalchemy as sa
from flask import Blueprint, flash, redirect, request, url_for
from flask import session as visitor
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import Invalid, NotFound, ShopError
from pos.catalogue import Product
from pos.store import Store
from store_app.extensions import clock, read, write
from store_app.pages import form
from store_app.presenting import at_store, page
from store_app.security import public
from store_app.sentences import sentence_of
from supply import placing, shop
from supply.pickup_order import OPEN

bp = Blueprint("storefront", __name__, url_prefix="/shop/<slug>")
PAGE_SIZE = 24
MOST_LINES = 40
STEPS_DONE = {"placed": 1, "accepted": 2, "picking": 2, "short": 2, "ready": 3, "collected": 4}


@dataclass(frozen=True)
class CartLine:
    """A product in the visitor's basket; steps count its smallest portion."""

    sku: str
    name: str
    qty: int
    steps: int
    stock_unit: str
    price_minor: int
    total_minor: int


@dataclass(frozen=True)
class Cart:
    """The visitor's basket at one shop."""

    lines: tuple[CartLine, ...]
    total_minor: int


@bp.get("/")
@public
def home(slug: str) -> Any:
    """Show the shop: bestsellers first, an aisle, or what was searched."""
    text, category = form.tidy(request.args.get("q", ""))[:60], request.args.get("category", "")[:80]
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
        cart = _cart(session, here.id)
    return page(
        "storefront/home.html",
        shop=here,
        cart=cart,
        text=text,
        category=category,
        categories=names,
        offers=offers[:PAGE_SIZE],
        more=len(offers) > PAGE_SIZE,
        page_no=number,
    )


@bp.get("/p/<sku>")
@public
def product(slug: str, sku: str) -> Any:
    """Show one product; where the label's QR leads."""
    with read() as session:
        here = _shop(session, slug)
        ware = shop.product(session, here.id, sku)
        cart = _cart(session, here.id)
    return page("storefront/product.html", shop=here, cart=cart, ware=ware)


@bp.post("/p/<sku>")
@public
def put(slug: str, sku: str) -> Any:
    """Put a product into the basket."""
    steps = form.whole("steps", least=1, most=99) if "steps" in request.form else 1
    with read() as session:
        here = _shop(session, slug)
        ware = shop.product(session, here.id, sku)
        kept = _kept(here.id)
        if sku not in kept and len(kept) >= MOST_LINES:
            raise Invalid("full-basket", _("Forty different things are the most for one order. Order these first."))
        kept[sku] = _bounded(ware, kept.get(sku, 0) + steps * ware.step_qty)
    _keep(here.id, kept)
    flash(_("%(name)s is in your basket.", name=ware.name), "good")
    return redirect(_back(slug), 303)


@bp.get("/basket")
@public
def cart(slug: str, fault: ShopError | None = None) -> Any:
    """Show the basket and ask who will collect it."""
    with read() as session:
        here = _shop(session, slug)
        found = _cart(session, here.id)
    return page(
        "storefront/cart.html",
        shop=here,
        cart=found,
        order_id=request.form.get("command_id"),
        fault=sentence_of(fault) if fault else None,
        name=request.form.get("name"),
        phone=request.form.get("phone"),
    )


@bp.post("/basket/<sku>")
@public
def change(slug: str, sku: str) -> Any:
    """Change how much of a product is in the basket; nothing takes it out."""
    steps = form.whole("steps", least=0, most=99)
    with read() as session:
        here = _shop(session, slug)
        kept = _kept(here.id)
        if steps == 0:
            kept.pop(sku, None)
        else:
            ware = shop.product(session, here.id, sku)
            kept[sku] = _bounded(ware, steps * ware.step_qty)
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
        lines = sorted(_kept(here.id).items())
        if not lines:
            raise Invalid("empty-basket", _("Put something into the basket first."))
        token = _token_for(command)
        placing.place(session, here.id, id=command, name=name, phone=phone, lines=lines, at=clock.now(), token=token)
    _keep(here.id, {})
    return redirect(url_for(".order", slug=slug, token=token), 303)


@bp.get("/order/<token>")
@public
def order(slug: str, token: str) -> Any:
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
        cart=Cart((), 0),
        order=found.order,
        found=found,
        units=units,
        steps_done=done,
        is_open=found.order.state in OPEN,
        qr=_qr(found.token),
    )


@bp.post("/order/<token>/cancel")
@public
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


def _token_for(command: str) -> str:
    """Return the order's token: the same for a repeated click, so that the page after it can be opened."""
    tokens: dict[str, str] = visitor.get("tokens", {})
    if command not in tokens:
        tokens = {**dict(list(tokens.items())[-4:]), command: placing.new_token()}
        visitor["tokens"] = tokens
    return tokens[command]


def _shop(session: Session, slug: str) -> Store:
    found = session.scalar(sa.select(Store).where(Store.slug == slug))
    if found is None:
        raise NotFound("no-shop", _("There is no shop at this address. Check the link or scan the label again."))
    at_store(found)
    return found


def _kept(store_id: str) -> dict[str, int]:
    kept = visitor.get("baskets", {}).get(store_id, {})
    return {str(sku): int(qty) for sku, qty in kept.items()}


def _keep(store_id: str, kept: dict[str, int]) -> None:
    baskets = {**visitor.get("baskets", {}), store_id: kept}
    visitor["baskets"] = {key: value for key, value in baskets.items() if value}


def _bounded(ware: shop.Ware, qty: int) -> int:
    if qty > ware.left_qty:
        raise Invalid(
            "not-available",
            _("There are not that many of %(name)s left in the shop.", name=ware.name),
            available=ware.left_qty,
        )
    return qty


def _cart(session: Session, store_id: str) -> Cart:
    kept = _kept(store_id)
    wares = {ware.sku: ware for ware in shop.wares(session, store_id, kept)}
    lines = [(sku, qty) for sku, qty in sorted(kept.items()) if sku in wares]
    if not lines:
        return Cart((), 0)
    priced = shop.quote(session, store_id, lines)
    shown = tuple(
        CartLine(
            sku=line.product.sku,
            name=wares[line.product.sku].name,
            qty=line.qty,
            steps=line.qty // wares[line.product.sku].step_qty,
            stock_unit=wares[line.product.sku].stock_unit,
            price_minor=wares[line.product.sku].price_minor,
            total_minor=line.total_minor,
        )
        for line in priced.lines
    )
    return Cart(shown, priced.total_minor)


def _back(slug: str) -> str:
    here = request.form.get("here", "")
    return here if here.startswith(f"/shop/{slug}/") else url_for(".home", slug=slug)
