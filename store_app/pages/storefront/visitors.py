"""The visitor of an online store: the store at an address, the basket in the cookie, what every page shows around
itself.

Rules
-----
1. The basket and its coupons live in the visitor's own signed cookie, per store, for the last few stores.
2. What the store no longer offers leaves the basket by itself, and the page says so.
3. Which products a list shows, and in which order, is looked up once in LISTED_FOR_S; prices and what is left are
   always of this moment. A product's card, and the list they stand in, is drawn once for all who see the very same.
4. Who proved a phone here (`customer_sessions`) that is a member's has the prices for members; a coupon that cannot
   be used just now stays in the basket and says why.
"""

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import segno
import sqlalchemy as sa
from flask import current_app, request, url_for
from flask import session as visitor
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm import Session

from config.clock import business_day
from config.errors import Invalid, NotFound
from config.ids import NETWORK
from pos.catalogue import offers, search_index
from pos.catalogue.catalogue import Product
from pos.store.store import Store
from store_app.pages.common import form
from store_app.payments import order_tokens
from store_app.runtime.doors import clock
from store_app.web.page_cache import Drawings
from store_app.web.presenting import at_store, hour, language
from store_app.web.presenting import qty as written_qty
from store_app.words.words import day_or_weekday
from supply.money.held_payments import Escrow
from supply.online import customer_sessions
from supply.online.checkout import placing
from supply.online.groups import groups
from supply.online.storefront import availability, coupons, listing, members, storefront
from supply.online.storefront.time_slots import Hours

MOST_LINES = placing.MOST_LINES
MOST_COUPONS = 5
KEPT_STORES = 3
"""Baskets a cookie has room for: browsers drop one of more than 4 kB."""
LISTED_FOR_S = 2.0
MOST_LISTS = 500
CARDS, LISTS = Drawings(5_000), Drawings(500)
"""At a kilobyte a card and sixteen a list some ten megabytes."""
USUAL_STEPS = 5
"""Portions of weighed goods that one tap adds: half a kilo."""


@dataclass(frozen=True)
class CartLine:
    """A product in the visitor's basket; steps count its smallest portion. is_short: fewer are left by now.

    tax_minor: what comes on top of its price, 0 where the price includes it.
    """

    sku: str
    name: str
    qty: int
    steps: int
    total_minor: int
    saved_minor: int
    offer: str
    deposit_minor: int
    tax_minor: int
    product: listing.OnlineProduct
    is_short: bool
    comes_on: dt.date | None
    """The day it is here, where it has to be ordered in."""


@dataclass(frozen=True)
class OpenGroup:
    """A group buy as the store's first page tells of it."""

    id: str
    name: str
    closes_at: dt.datetime


@dataclass(frozen=True)
class CouponView:
    """A coupon in the basket. why: '' it saves, else 'used-up', 'ended', 'unknown' or 'unfit' (for other goods)."""

    code: str
    why: str
    until: dt.date | None = None
    """Its last day, where it has one."""


@dataclass(frozen=True)
class Cart:
    """The visitor's basket at one store. gone: what the store no longer offers (rule 2).

    member: it has the prices for members; members_offer: what a member would be offered for it, for whom is none.
    """

    lines: tuple[CartLine, ...] = ()
    total_minor: int = 0
    saved_minor: int = 0
    gone: tuple[str, ...] = ()
    comes_on: dt.date | None = None
    """The day all of it is here, where something has to be ordered in."""
    coupons: tuple[CouponView, ...] = ()
    member: bool = False
    members_offer: str = ""


def store_at(session: Session, slug: str) -> Store:
    """Return the store at an address; the answer then speaks from it."""
    found = session.scalar(_AT, {"slug": form.tidy(slug)})
    if found is None:
        raise NotFound("no-store", "There is no store at this address. Check the link or scan the label again.")
    at_store(found)
    return found


def kept(store_id: str) -> dict[str, int]:
    """Return the basket at a store: SKU -> quantity."""
    found = visitor.get("baskets", {}).get(store_id, {})
    return {str(sku): int(qty) for sku, qty in found.items()}


def keep(store_id: str, lines: Mapping[str, int]) -> None:
    """Keep the basket at a store (rule 1)."""
    baskets = {key: value for key, value in visitor.get("baskets", {}).items() if key != store_id}
    if lines:
        baskets[store_id] = dict(lines)
    visitor["baskets"] = dict(list(baskets.items())[-KEPT_STORES:])


def kept_codes(store_id: str) -> list[str]:
    """Return the coupons put into the basket at a store."""
    return [str(code) for code in visitor.get("coupons", {}).get(store_id, [])]


def keep_codes(store_id: str, codes: Sequence[str]) -> None:
    """Keep the coupons of the basket at a store (rule 1)."""
    others = {key: value for key, value in visitor.get("coupons", {}).items() if key != store_id}
    visitor["coupons"] = dict(list((others | ({store_id: list(codes)} if codes else {})).items())[-KEPT_STORES:])


def signed_in(session: Session) -> str:
    """Return the phone (E.164) of whoever proved it in this browser lately; '' for a guest."""
    mark = visitor.get("mark")
    return customer_sessions.number_of(session, mark, at=clock.now()) if mark else ""


def is_member(session: Session, here: Store) -> bool:
    """Tell whether the visitor has the prices for members here (rule 4)."""
    return members.is_member(session, here.id, signed_in(session))


def points_key(here: Store, phone: str) -> str:
    """Return the key by which the network knows a number's shared points."""
    return members.key_for(NETWORK, here.tz, phone)


def keys_of(kind: str, store_id: str, command: str) -> tuple[str, str]:
    """Return id and token of the order or membership (kind) that this visitor's command makes at a store.

    The visitor's secret is the one in the signed cookie that the form's own token is checked against: without it no
    form came this far, and every copy of the cookie carries the same.
    """
    secret = str(current_app.config["SECRET_KEY"])
    made = order_tokens.id_for(secret, kind, store_id, command, str(visitor["csrf_token"]))
    return made, order_tokens.token_for(secret, store_id, made)


def usual(product: listing.OnlineProduct) -> int:
    """Return how many portions one tap adds: a piece, or half a kilo where there is as much."""
    return 1 if product.step_qty == 1 else max(1, min(USUAL_STEPS, product.left_qty // product.step_qty))


def bounded(product: listing.OnlineProduct, qty: int) -> int:
    """Return the quantity, or refuse what the store has not left or does not sell to one customer."""
    if qty > product.left_qty and product.order_days is None:
        raise Invalid(
            "not-available", "The store does not have that many of %(name)s.", name=product.name,
            available=product.left_qty,
        )  # fmt: skip
    if qty > (most := product.maximum_qty or storefront.LINE_STEPS * product.step_qty):
        raise Invalid(
            "bad-quantity", "Limit: %(most)s of %(name)s per order.", most=written_qty(most, product.stock_unit),
            name=product.name,
        )  # fmt: skip
    return qty


def around(session: Session, here: Store) -> dict[str, Any]:
    """Return what every page of the store shows around itself."""
    is_closed, day = not availability.is_taking_orders(session, here.id, clock.now()), day_here(here)
    hours = availability.hours_of(session, here, clock.now())
    return {
        "store": here, "cart": cart_at(session, here), "is_closed": is_closed, "opens_again": hours.opens_again(day),
        "closed": frozenset(one for one in hours.closed if one >= day), "open_now": open_now(hours, clock.now()),
    }  # fmt: skip


def open_now(hours: Hours, at: dt.datetime) -> str:
    """Write until when a store is open, else when it opens next."""
    is_open, change = hours.changes(at)
    there, here = (one.astimezone(ZoneInfo(hours.tz)) for one in (change, at))
    at_hour = hour(f"{there:%H:%M}")
    if is_open:
        return _("open until %(time)s", time=at_hour) if change < at + dt.timedelta(days=1) else _("open 24 hours")
    if there.date() == here.date():
        return _("opens at %(time)s", time=at_hour)
    return _("opens %(day)s at %(time)s", day=day_or_weekday(there.date(), here.date()), time=at_hour)


def cart_at(session: Session, here: Store) -> Cart:
    """Return the visitor's basket at a store, priced as the till would."""
    there = kept(here.id)
    if not there:
        return Cart()
    products = {product.sku: product for product in listing.products(session, here.id, there, at=clock.now())}
    lines = [(sku, qty) for sku, qty in sorted(there.items()) if sku in products]
    gone = tuple(sorted(there.keys() - products.keys()))
    if not lines:
        return Cart(gone=gone)
    today, member, typed = day_here(here), is_member(session, here), kept_codes(here.id)
    wrong = coupons.usable(session, here.id, typed, today) if typed else {}
    last = offers.last_days(session, here.id, typed) if typed else {}
    good = [code for code, why in wrong.items() if not why]
    quoted = listing.quote(session, here.id, lines, coupons=good, member=member, at=clock.now())
    priced = quoted.basket
    deposits = {row.line.deposit_of: row for row in priced.lines if row.line and row.line.deposit_of is not None}
    shown = []
    for n, line in enumerate(priced.lines, 1):
        if line.line is None or line.line.deposit_of is not None:
            continue
        product = products[line.product.sku]
        shown.append(
            CartLine(
                sku=product.sku,
                name=product.name,
                qty=line.qty,
                steps=line.qty // product.step_qty,
                total_minor=line.total_minor,
                saved_minor=line.discount_minor,
                offer=line.offer,
                deposit_minor=deposits[n].total_minor if n in deposits else 0,
                tax_minor=0 if line.product.inclusive else line.tax_minor,
                product=product,
                is_short=line.qty > product.left_qty and product.order_days is None,
                comes_on=listing.comes_on(today, [product.days_for(line.qty)]),
            )
        )
    saved_minor = sum(line.saved_minor for line in shown)
    comes_on = max((line.comes_on for line in shown if line.comes_on), default=None)
    return Cart(
        tuple(shown), priced.total_minor, saved_minor, gone, comes_on,
        coupons=tuple(
            CouponView(code, why or ("" if code in quoted.coupons_used else "unfit"), last.get(code))
            for code, why in wrong.items()
        ),
        member=member,
        members_offer="" if member else _members_offer(session, here, products.values()),
    )  # fmt: skip


def _members_offer(session: Session, here: Store, products: Iterable[listing.OnlineProduct]) -> str:
    """Return the name of an offer for members alone that these take part in today."""
    live = offers.live(session, here.id, day_here(here))
    named = (
        row[2]
        for product in products
        for row in live.of(product.sku, product.category, product.department, product.brand)
    )
    return next((offer.name for offer in named if offer.members_only and offer.codes is None), "")


def promised(session: Session, here: Store, products: Sequence[listing.OnlineProduct]) -> dict[str, str]:
    """Return SKU -> the names of the offers it takes part in today, without a coupon; members' to members."""
    live = offers.live(session, here.id, day_here(here))
    if not len(live):
        return {}
    member = is_member(session, here)
    found = {}
    for product in products:
        named = live.of(product.sku, product.category, product.department, product.brand)
        names = [
            offer.name
            for _, _, offer, _, _ in named
            if offer.codes is None and not offer.is_bound and (member or not offer.members_only)
        ]
        if names:
            found[product.sku] = names[0]
    return found


def day_here(here: Store) -> dt.date:
    """Return the store's business day now."""
    return business_day(clock.now(), here.tz, here.rollover_hour)


def top_categories(session: Session, store_id: str) -> list[str]:
    """Return the categories of a store, the largest first; kept ready for a moment."""
    return ready(
        ("top_categories", store_id),
        lambda: [name for name, _ in sorted(listing.categories(session, store_id), key=lambda row: (-row[1], row[0]))],
    )


def open_groups(session: Session, store_id: str) -> list[OpenGroup]:
    """Return the group buys somebody may join at a store; kept ready for a moment."""
    return ready(
        ("groups", store_id),
        lambda: [OpenGroup(one.id, one.name, one.closes_at) for one in groups.of_store(session, store_id)],
    )


def listed(session: Session, store_id: str, text: str, category: str) -> list[str]:
    """Return the SKUs of a list in its order; kept ready for a moment (rule 3)."""
    skus: list[str] = ready(
        ("listed", store_id, category),
        lambda: listing.listed_skus(session, store_id, category=category or None, at=clock.now()),
    )
    if not text.strip():
        return skus
    return ready(
        ("found", store_id, category, text),
        lambda: [one.sku for one in index(session).search(text, skus)],
    )


def cards(
    here: Store, products: Sequence[listing.OnlineProduct], offered: Mapping[str, str], photos: Mapping[str, str], *,
    is_closed: bool,
) -> Markup:  # fmt: skip
    """Draw the products of a list (rule 3). photos: SKU -> the mark of the store's photo."""
    drawn, around = [], (here.slug, here.currency, language(), is_closed)
    for product in products:
        offer, photo = offered.get(product.sku, ""), photos.get(product.sku, "")
        drawn.append(
            CARDS.part(
                (around, product, offer, photo), "storefront/card.html", store=here, product=product, offer=offer,
                photo=photo, is_closed=is_closed,
            )
        )  # fmt: skip
    return Markup("".join(drawn))  # noqa: S704  drawn by templates


def head_of(here: Store) -> tuple[Any, ...]:
    """Return what the head of a store's page shows of it."""
    return (
        here.slug, here.name, here.address, here.phone, here.tax_number, here.opening_hours, here.currency,
        here.tz,
    )  # fmt: skip


def index(session: Session) -> search_index.SearchIndex:
    """Return the index of the catalogue as it is, read again where it changed."""
    now = search_index.stamp(session)
    kept: tuple[tuple[int, ...], search_index.SearchIndex] | None = current_app.extensions.get("product_index")
    if kept is None or kept[0] != now:
        kept = current_app.extensions["product_index"] = now, search_index.read(session)
    return kept[1]


def ready(key: tuple[str, ...], make: Callable[[], list[Any]]) -> list[Any]:
    """Return a list made at most once in LISTED_FOR_S for all who ask (rule 3)."""
    lists: dict[tuple[str, ...], tuple[float, list[Any]]] = current_app.extensions.setdefault("visitors_lists", {})
    now = time.monotonic()
    kept_at, found = lists.get(key, (-LISTED_FOR_S, []))
    if now - kept_at >= LISTED_FOR_S:
        if len(lists) >= MOST_LISTS:
            lists.clear()
        found = make()
        lists[key] = (now, found)
    return found


def paying(money: Escrow | None) -> dict[str, Any]:
    """Return how a payment that is awaited is made: at the service's page, or by the code it shows."""
    shown = money.shown_code if money is not None and money.state == "awaited" else ""
    is_page = shown.startswith(("https://", "http://"))
    return {"pay_address": shown if is_page else "", "pay_square": square(shown) if shown and not is_page else ""}


def square(text: str) -> str:
    """Draw a QR code."""
    return segno.make(text, error="m", micro=False).svg_inline(border=2, svgclass=None, lineclass=None, omitsize=True)


def names_of(session: Session, skus: Sequence[str]) -> list[str]:
    """Return the names of products, by SKU where there is none."""
    known = dict(session.execute(sa.select(Product.sku, Product.shown).where(Product.sku.in_(skus))).all())
    return [known.get(sku, sku) for sku in skus]


def back(slug: str) -> str:
    """Return the page the visitor came from, when it is one of this store's."""
    here = form.tidy(request.form.get("here", ""))
    start = url_for("storefront.home", slug=slug)
    return here if here.startswith(start) and len(here) <= 400 else start


_AT = sa.select(Store).where(Store.slug == sa.bindparam("slug"))
