"""The online store of each store, as its customers see it on a phone; served by the network node.

Rules
-----
1. Everybody may look and order; a basket lives in the visitor's own signed cookie, per store, for the last few stores.
2. Prices, offers and what is left come from what the store published; what it costs is what the till would charge.
3. A page weighs at most 60 KB without pictures and needs no script.
"""

from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, Invalid, NotFound
from config.nodes.journal import Context
from pos.catalogue import photos as product_photos
from store_app.pages.common import form
from store_app.pages.storefront import described, visitors
from store_app.runtime.doors import clock, read, write
from store_app.web import assets
from store_app.web.page_cache import Pictures
from store_app.web.presenting import page, speak, today
from store_app.web.security import public
from store_app.words import words
from store_app.words.refusals import sentence_of
from supply.online.checkout import placing
from supply.online.storefront import listing, product_stories, reviews, storefront

bp = Blueprint("storefront", __name__, url_prefix="/shop/<slug>")
PAGE_SIZE = 24
PICTURES = Pictures(most=500, a_minute=60)
"""At some ten kilobytes a picture five megabytes."""
TOP_CATEGORIES_AHEAD = 12
"""So many of the largest stand above a list; a slow line must not carry all of them every time."""


@bp.get("/")
@public
def home(slug: str) -> ResponseReturnValue:
    """Show the store: bestsellers first, a category, or what was searched."""
    text, category = form.tidy(request.args.get("q", ""))[:60], form.tidy(request.args.get("category", ""))[:80]
    with read() as session:
        here = visitors.store_at(session, slug)
        names = visitors.top_categories(session, here.id)
        shown = form.paged(visitors.listed(session, here.id, text, category), PAGE_SIZE)
        found = {product.sku: product for product in listing.products(session, here.id, shown.items, at=clock.now())}
        goods = [found[sku] for sku in shown if sku in found]
        around = visitors.around(session, here)
        promised = visitors.promised(session, here, goods)
        photos = product_photos.marks(session, here.id, list(found))
        open_groups = () if text or category else tuple(visitors.open_groups(session, here.id))
    cards = visitors.cards(here, goods, promised, photos, is_closed=around["is_closed"])
    ahead = tuple(names[: TOP_CATEGORIES_AHEAD + 1])
    shows = (
        visitors.head_of(here), today(), assets.is_known(), around["is_closed"], around["opens_again"],
        around["open_now"], open_groups, ahead, cards, shown.pages, around["closed"], described.base(),
    )  # fmt: skip
    return visitors.LISTS.page(
        None if around["cart"] != visitors.Cart() else shows,
        "storefront/home.html",
        **around,
        describe=None if text else lambda: described.of_list(here, goods, around["closed"], category, shown.page),
        open_groups=open_groups,
        text=text,
        category=category,
        at=request.full_path if request.query_string else request.path,
        categories=ahead[:TOP_CATEGORIES_AHEAD],
        has_more_top_categories=len(ahead) > TOP_CATEGORIES_AHEAD,
        cards=cards,
        shown=shown,
        page_address=lambda n: url_for(".home", slug=slug, q=text or None, category=category or None, page=n),
    )


@bp.get("/categories")
@public
def top_categories(slug: str) -> ResponseReturnValue:
    """Show every category by name, with how many products it has."""
    with read() as session:
        here = visitors.store_at(session, slug)
        around = visitors.around(session, here)
        found = listing.categories(session, here.id)
    return page("storefront/categories.html", **around, top_categories=found)


@bp.get("/p/<sku>")
@public
def product(slug: str, sku: str, fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show one product; where the label's QR leads."""
    with read() as session:
        here = visitors.store_at(session, slug)
        product = listing.product(session, here.id, form.tidy(sku), at=clock.now())
        around = visitors.around(session, here)
        promised = visitors.promised(session, here, [product])
        said = reviews.of_product(session, here.id, product.sku)
        story = product_stories.story_of(session, here.id, product.sku)
        stars = reviews.stars_of(session, here.id, [product.sku]).get(product.sku)
        photo = product_photos.marks(session, here.id, [product.sku]).get(product.sku, "")
    return page(
        "storefront/product.html",
        **around,
        photo=photo,
        promised=promised,
        product=product,
        from_day=listing.comes_on(visitors.day_here(here), [product.order_days]),
        reviews=said,
        stars=stars,
        describe=lambda: described.of_product(here, product, stars),
        story=story,
        kinds=words.PRODUCER_KINDS,
        qr=visitors.square(url_for(".product", slug=slug, sku=product.sku, _external=True)),
        steps=request.form.get("steps") or visitors.usual(product),
        fault=sentence_of(fault) if fault else None,
    )


@bp.post("/p/<sku>")
@public
@form.answers_on(product)
def put(slug: str, sku: str) -> ResponseReturnValue:
    """Put a product into the basket: so many portions, or the usual amount."""
    steps = form.whole("steps", least=1, most=storefront.LINE_STEPS) if "steps" in request.form else None
    with read() as session:
        here = visitors.store_at(session, slug)
        product = listing.product(session, here.id, form.tidy(sku), at=clock.now())
    kept = visitors.kept(here.id)
    if product.sku not in kept and len(kept) >= visitors.MOST_LINES:
        raise Invalid("full-basket", "One order can have up to forty products. Place this order first.")
    visitors.keep(
        here.id,
        kept
        | {
            product.sku: visitors.bounded(
                product, kept.get(product.sku, 0) + (steps or visitors.usual(product)) * product.step_qty
            )
        },
    )
    flash(_("%(name)s is in your basket.", name=product.name), "good")
    return redirect(visitors.back(slug), 303)


@bp.post("/p/<sku>/reviews/<order_id>/report")
@public
@form.answers_on(product)
def report(slug: str, sku: str, order_id: str) -> ResponseReturnValue:
    """Report a review to the operator."""
    why = form.text("why", required=_("Explain what is wrong."))
    with write() as session:
        here = visitors.store_at(session, slug)
        row = reviews.review_of(session, here.id, order_id, form.tidy(sku))
        reviews.report(Context(session, placing.CUSTOMER, clock.now()), row, why)
    flash(_("Reported. The network will check it."), "good")
    return redirect(url_for(".product", slug=slug, sku=sku), 303)


@bp.get("/p/<sku>/picture/<id>")
@public
def picture(slug: str, sku: str, id: str) -> Response:
    """Answer a picture of a product's story; its id is its fingerprint, so it may be kept for good."""
    with read() as session:
        here = visitors.store_at(session, slug)
        row = session.get(product_stories.ProducerPicture, (here.id, form.tidy(sku), form.tidy(id)))
    if row is None:
        raise NotFound("not-found-here", "Picture not found.")
    answer = Response(row.jpeg, mimetype="image/jpeg")
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


@bp.get("/p/<sku>/photo/<mark>.webp")
@public
def photo(slug: str, sku: str, mark: str) -> Response:
    """Answer the store's photo of a product; its mark is its content's, so it may be kept for good."""
    with read() as session:
        webp = product_photos.photo(session, visitors.store_at(session, slug).id, form.tidy(sku), mark)
    answer = Response(webp, mimetype="image/webp")
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


@bp.get("/p/<sku>/share/<tag>/<digest>.png")
@public
def share_picture(slug: str, sku: str, tag: str, digest: str) -> ResponseReturnValue:
    """Answer the picture of a product that its shared link shows; an older address leads to that of today.

    Each is drawn once; where strangers ask for too many new ones, the rest get the plain sign (`Pictures`).
    """
    speak(tag)
    with read() as session:
        here = visitors.store_at(session, slug)
        product = listing.product(session, here.id, form.tidy(sku), at=clock.now())
    now = described.picture_of(here, product)
    if digest != now["digest"] or tag != now["tag"]:
        return redirect(url_for(".share_picture", slug=slug, sku=product.sku, tag=now["tag"], digest=now["digest"]))
    from pos.documents.share_picture import draw  # brings a drawing library along

    png = PICTURES.get(digest, lambda: draw(here.name, product.name, described.price_text(here, product)))
    if png is None:
        return redirect(url_for("static", filename="img/icon-512.png"))
    answer = Response(png, mimetype="image/png")
    answer.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    return answer


@bp.get("/worker.js")
@public
def worker(**_place: Any) -> Response:
    """Answer the script that stands in for the store without a line; from here, so that it is of this store alone."""
    answer = Response(assets.text("storefront/worker.js"), mimetype="text/javascript")
    answer.headers["Cache-Control"] = "no-cache"
    return answer


@bp.get("/no-line")
@public
def no_line(slug: str) -> ResponseReturnValue:
    """Show what a phone without a line shows instead of the store."""
    with read() as session:
        here = visitors.store_at(session, slug)
    return page("storefront/no_line.html", store=here, cart=visitors.Cart(), is_closed=False)


@bp.get("/manifest.webmanifest")
@public
def manifest(slug: str) -> ResponseReturnValue:
    """Let a phone keep the store on its first screen."""
    with read() as session:
        here = visitors.store_at(session, slug)
    icons = [
        {"src": url_for("static", filename="img/icon.svg"), "sizes": "any", "type": "image/svg+xml"},
        {"src": url_for("static", filename="img/icon-512.png"), "sizes": "512x512", "type": "image/png",
         "purpose": "any maskable"},
    ]  # fmt: skip
    start = url_for(".home", slug=slug)
    body = {
        "name": here.name, "short_name": here.name[:12], "start_url": start, "scope": start, "display": "standalone",
        "background_color": "#fbfaf7", "theme_color": "#0b7a5b", "icons": icons,
    }  # fmt: skip
    return body, 200, {"Content-Type": "application/manifest+json"}


@bp.get("/<path:elsewhere>")
@public
def nothing(slug: str, **_elsewhere: Any) -> ResponseReturnValue:
    """Answer that the store has nothing at this address, with the way back into it."""
    with read() as session:
        visitors.store_at(session, slug)
    raise NotFound("not-found", "Page not found.")
