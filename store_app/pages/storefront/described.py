"""What a page of an online store says of itself to search engines and messengers: its description, its one address, a
picture, and schema.org's words for what it shows.

Rules
-----
1. Nothing is said that the page does not show: the same name and promise, and the page's price to the cent.
2. A page that says nothing here is for one person, or nobody's to find, and asks not to be indexed.
3. A made picture stands at an address with its content's fingerprint, so that it may be kept for good.
"""

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from config.money import exponent
from pos.store.opening_hours import Span, Week
from pos.store.store import Store
from store_app.runtime.doors import doors
from store_app.web.presenting import category, language, money, opening_hours, qty
from supply.online.storefront.listing import OnlineProduct
from supply.online.storefront.reviews import Stars

CONTEXT = "https://schema.org"
_UNITS = {"gram": "GRM", "millilitre": "MLT"}
_LOOKS = "1"
"""Another one where the picture's looks change."""


@dataclass(frozen=True)
class Described:
    """What a page says of itself. made: the address of its made picture; graph: what it shows, as schema.org has it."""

    description: str
    address: str
    made: str = ""
    graph: list[dict[str, Any]] = field(default_factory=list)

    @property
    def picture(self) -> str:
        """The address of its picture: the plain icon, which a small card shows, where none was made for it."""
        return self.made or absolute("static", filename="img/icon-512.png")

    @property
    def document(self) -> Markup:
        """What it shows, as JSON in which no name can end the element it stands in."""
        return htmlsafe_json_dumps({"@context": CONTEXT, "@graph": self.graph}, separators=(",", ":"))


def base() -> str:
    """Return the network's address as customers reach it."""
    return (doors().settings.public_url or request.host_url).rstrip("/")


def absolute(endpoint: str, **values: Any) -> str:
    """Return the whole address of a page."""
    return base() + url_for(endpoint, **values)


def of_list(
    store: Store, products: Sequence[OnlineProduct], closed: Iterable[dt.date], name: str = "", number: int = 1
) -> Described:
    """Describe a page of a store's products: of a category, or of all."""
    start = absolute("storefront.home", slug=store.slug)
    here = absolute("storefront.home", slug=store.slug, category=name or None, page=number if number > 1 else None)
    shown = {
        "@type": "ItemList",
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": n,
                "url": absolute("storefront.product", slug=store.slug, sku=one.sku),
            }
            for n, one in enumerate(products, 1)
        ],
    }
    trail = [trail_of((store.name, start), (category(name), here))] if name else []
    said = _("%(category)s at %(store)s.", category=category(name), store=store.name) if name else _about(store)
    return Described(said, here, graph=[business(store, closed), shown, *trail])


def of_product(store: Store, product: OnlineProduct, stars: Stars | None) -> Described:
    """Describe a product's page."""
    here = absolute("storefront.product", slug=store.slug, sku=product.sku)
    picture = absolute("storefront.share_picture", slug=store.slug, sku=product.sku, **picture_of(store, product))
    of = {"category": product.category} if product.category else {}
    shown = {
        "@type": "Product",
        "name": product.name,
        "sku": product.sku,
        "url": here,
        "image": [picture],
        "description": _described(store, product),
        "offers": _offer(store, product, here),
        **of,
    }
    if product.brand:
        shown["brand"] = {"@type": "Brand", "name": product.brand}
    if stars:
        shown["aggregateRating"] = {
            "@type": "AggregateRating", "ratingValue": f"{stars.tenths / 10:.1f}", "reviewCount": stars.count,
        }  # fmt: skip
    steps = [(store.name, absolute("storefront.home", slug=store.slug))]
    if product.category:
        aisle = absolute("storefront.home", slug=store.slug, category=product.category)
        steps.append((category(product.category), aisle))
    return Described(_described(store, product), here, picture, [shown, trail_of(*steps, (product.name, here))])


def of_basket(store: Store) -> Described:
    """Describe the basket's page: whoever finds it finds the store."""
    return Described(_about(store), absolute("storefront.home", slug=store.slug))


def of_finder() -> Described:
    """Describe the page on which stores are found."""
    said = _("Find a store near you, see who has what you need, and order online for pickup.")
    return Described(said, absolute("finder.stores"))


def business(store: Store, closed: Iterable[dt.date] = ()) -> dict[str, Any]:
    """Return a store in schema.org's words, with when it is open; closed: days on which it is not."""
    start = absolute("storefront.home", slug=store.slug)
    said: dict[str, Any] = {
        "@type": "ConvenienceStore",
        "@id": f"{start}#store",
        "name": store.name,
        "url": start,
        "openingHoursSpecification": [
            *_hours(store.week),
            *(
                {
                    "@type": "OpeningHoursSpecification", "opens": "00:00", "closes": "00:00",
                    "validFrom": day.isoformat(), "validThrough": day.isoformat(),
                }
                for day in sorted(closed)
            ),
        ],
    }  # fmt: skip
    if store.address:
        said["address"] = {"@type": "PostalAddress", "streetAddress": store.address}
    if store.phone:
        said["telephone"] = store.phone
    return said


def trail_of(*steps: tuple[str, str]) -> dict[str, Any]:
    """Return the way to a page, (name, address) each, the page last."""
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": n, "name": name, "item": address}
            for n, (name, address) in enumerate(steps, 1)
        ],
    }


def picture_of(store: Store, product: OnlineProduct) -> dict[str, str]:
    """Return the parts of the address of a product's made picture: language and fingerprint (rule 3)."""
    said = "\n".join((_LOOKS, store.name, product.name, price_text(store, product)))
    return {"tag": language(), "digest": hashlib.sha256(said.encode()).hexdigest()[:16]}


def price_text(store: Store, product: OnlineProduct) -> str:
    """Write a price as the page does."""
    each = money(product.price_minor, store.currency)
    return each if product.stock_unit == "each" else f"{each} / {qty(product.price_quantity, product.stock_unit)}"


def plain(amount_minor: int, currency: str) -> str:
    """Write an amount for programs: '12.50'."""
    places = exponent(currency)
    return f"{amount_minor // 10**places}" + (f".{amount_minor % 10**places:0{places}}" if places else "")


def promise_of(product: OnlineProduct) -> str:
    """Return what the page promises, in schema.org's words: InStock, LimitedAvailability, BackOrder or OutOfStock."""
    if product.left_qty >= product.step_qty:
        return "LimitedAvailability" if product.left_qty <= 5 * product.step_qty else "InStock"
    return "OutOfStock" if product.order_days is None else "BackOrder"


# --- inside ---

_WEEK = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def _about(store: Store) -> str:
    where = store.address or store.name
    hours = opening_hours(store.week)
    return _("Order groceries online at %(store)s for pickup: %(where)s. %(hours)s.", store=store.name,
             where=where, hours=hours)  # fmt: skip


def _hours(week: Week) -> list[dict[str, Any]]:
    """Return when a store opens in schema.org's words: days with the same span together, closed ones in none."""
    found: dict[Span, list[str]] = {}
    for name, spans in zip(_WEEK, week.days, strict=True):
        for span in spans:
            found.setdefault(span, []).append(name)
    return [
        {"@type": "OpeningHoursSpecification", "dayOfWeek": days, "opens": opens if opens != closes else "00:00",
         "closes": closes if opens != closes else "23:59"}
        for (opens, closes), days in found.items()
    ]  # fmt: skip


def _described(store: Store, product: OnlineProduct) -> str:
    named = ", ".join(filter(None, (product.name, product.brand, product.pack_text)))
    price = price_text(store, product)
    return _("%(product)s for %(price)s at %(store)s. Order online, pick up here.", product=named, price=price,
             store=store.name)  # fmt: skip


def _offer(store: Store, product: OnlineProduct, here: str) -> dict[str, Any]:
    price = plain(product.price_minor, store.currency)
    said: dict[str, Any] = {
        "@type": "Offer",
        "url": here,
        "price": price,
        "priceCurrency": store.currency,
        "availability": f"{CONTEXT}/{promise_of(product)}",
        "itemCondition": f"{CONTEXT}/NewCondition",
        "seller": {"@type": "ConvenienceStore", "@id": f"{absolute('storefront.home', slug=store.slug)}#store",
                   "name": store.name},
    }  # fmt: skip
    if product.stock_unit != "each":
        said["priceSpecification"] = {
            "@type": "UnitPriceSpecification", "price": price, "priceCurrency": store.currency,
            "referenceQuantity": {
                "@type": "QuantitativeValue", "value": product.price_quantity, "unitCode": _UNITS[product.stock_unit],
            },
        }  # fmt: skip
    return said
