"""Addresses that programs read: robots.txt, the maps of the site, and each store's products for Google and Meta.

Rules
-----
1. Only a store that takes orders online is in any of them, with the products it lists and the prices its pages show.
2. A file is made at most once in KEPT_S for each publication of a store, however often it is asked for.
3. Its words are in the store's own language.
"""

import csv
import io
import time
from collections.abc import Callable, Iterable
from xml.sax.saxutils import escape

from flask import Blueprint, Response, current_app
from sqlalchemy.orm import Session

from config.errors import NotFound
from pos.store.store import Store
from store_app.pages.storefront import described, visitors
from store_app.runtime.doors import clock, read
from store_app.web.presenting import as_paper
from store_app.web.security import public
from supply.online.storefront import availability, listing
from supply.online.storefront.listing import OnlineProduct

bp = Blueprint("storefront_feeds", __name__)
KEPT_S = 300.0
MOST_KEPT = 64
MOST_ADDRESSES = 50_000
"""What the protocol allows in one map."""
GOOGLE = ("store_code", "id", "availability", "price")
META = ("id", "title", "description", "availability", "condition", "price", "link", "image_link", "brand")
_GOOGLE_WORDS = {
    "InStock": "in_stock", "LimitedAvailability": "limited_availability", "BackOrder": "on_display_to_order",
    "OutOfStock": "out_of_stock",
}  # fmt: skip
_META_WORDS = {
    "InStock": "in stock", "LimitedAvailability": "in stock", "BackOrder": "available for order",
    "OutOfStock": "out of stock",
}  # fmt: skip
_MAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
_LONGEST = {"title": 200, "description": 5_000, "brand": 100}


@bp.get("/robots.txt")
@public
def robots() -> Response:
    """Say what search engines may read: the online stores, and nothing of the network's own."""
    lines = ("User-agent: *", "Allow: /shop/", "Allow: /static/", "Disallow: /",
             f"Sitemap: {described.absolute('.all_maps')}")  # fmt: skip
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@bp.get("/sitemap.xml")
@public
def all_maps() -> Response:
    """Name the map of each store that takes orders."""
    with read() as session:
        slugs = [one.slug for one in availability.open_stores(session, clock.now())]
    named = [described.absolute(".store_map", slug=slug) for slug in slugs[:MOST_ADDRESSES]]
    return _xml("sitemapindex", "sitemap", named)


@bp.get("/shop/<slug>/sitemap.xml")
@public
def store_map(slug: str) -> Response:
    """Name every page of a store that anybody may find."""
    with read() as session:
        here = _open_store(session, slug)
        skus = visitors.listed(session, here.id, "", "")
        names = visitors.top_categories(session, here.id)
    home = described.absolute("storefront.home", slug=slug)
    aisles = [described.absolute("storefront.home", slug=slug, category=name) for name in names if name]
    goods = [described.absolute("storefront.product", slug=slug, sku=sku) for sku in skus]
    return _xml("urlset", "url", [home, *aisles, *goods][:MOST_ADDRESSES])


@bp.get("/shop/<slug>/google-local-inventory.tsv")
@public
def google(slug: str) -> Response:
    """Answer what a store has, as Google's local inventory wants it."""

    def row(here: Store, one: OnlineProduct) -> tuple[str, ...]:
        price = f"{described.plain(one.price_minor, here.currency)} {here.currency}"
        return here.id, one.sku, _GOOGLE_WORDS[described.promise_of(one)], price

    return _feed(slug, "text/tab-separated-values", GOOGLE, row, delimiter="\t")


@bp.get("/shop/<slug>/meta-catalog.csv")
@public
def meta(slug: str) -> Response:
    """Answer a store's products, as Meta's catalog wants them."""

    def row(here: Store, one: OnlineProduct) -> tuple[str, ...]:
        said = described.of_product(here, one, None)
        named = {"title": one.name, "description": said.description, "brand": one.brand or here.name}
        title, description, brand = (text[: _LONGEST[name]] for name, text in named.items())
        price = f"{described.plain(one.price_minor, here.currency)} {here.currency}"
        promise = _META_WORDS[described.promise_of(one)]
        return one.sku, title, description, promise, "new", price, said.address, said.picture, brand

    return _feed(slug, "text/csv", META, row)


# --- inside ---


def _open_store(session: Session, slug: str) -> Store:
    """Return the store at an address, if it is to be found (rule 1)."""
    here = visitors.store_at(session, slug)
    as_paper()
    if not availability.is_taking_orders(session, here.id, clock.now()):
        raise NotFound("not-found", "Page not found.")
    return here


def _feed(
    slug: str, kind: str, head: tuple[str, ...], row: Callable[[Store, OnlineProduct], tuple[str, ...]],
    delimiter: str = ",",
) -> Response:  # fmt: skip
    with read() as session:
        here = _open_store(session, slug)
        edition = availability.edition_of(session, here.id)
    kept: dict[tuple[object, ...], tuple[float, str]] = current_app.extensions.setdefault("feeds", {})
    key = here.id, kind, described.base(), edition
    made_at, text = kept.get(key, (-KEPT_S, ""))
    if time.monotonic() - made_at >= KEPT_S:
        with read() as session:
            skus = visitors.listed(session, here.id, "", "")
            goods = listing.products(session, here.id, skus, at=clock.now())
        text = _table(head, (row(here, one) for one in goods), delimiter)
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[key] = time.monotonic(), text
    answer = Response(text, content_type=f"{kind}; charset=utf-8")
    answer.headers["Cache-Control"] = f"public, max-age={KEPT_S:.0f}"
    return answer


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]], delimiter: str) -> str:
    with io.StringIO(newline="") as file:
        pen = csv.writer(file, delimiter=delimiter, lineterminator="\n")
        pen.writerow(head)
        pen.writerows([" ".join(cell.split()) for cell in row] for row in rows)
        return file.getvalue()


def _xml(root: str, each: str, found: Iterable[str]) -> Response:
    rows = "".join(f"<{each}><loc>{escape(one)}</loc></{each}>\n" for one in found)
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{_MAPS}">\n{rows}</{root}>\n'
    return Response(text, mimetype="application/xml")
