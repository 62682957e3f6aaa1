"""The network's products: the list, and one product with all that is known of it in every region and store."""

import datetime as dt
import math
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, jsonify, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.nodes.publication import EVERYONE
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Price, Product
from pos.pricing.promises import Offer
from pos.reports.figures import share_bp
from pos.store.store import Store, usual_currency
from store_app.pages.common import form, lists
from store_app.pages.goods.product import Dated, price_steps
from store_app.runtime.doors import doors, read
from store_app.web import presenting
from store_app.web.presenting import page, qty, today
from store_app.web.security import requires
from store_app.words import forecast as forecast_words
from store_app.words import promotions as promotion_words
from supply.demand import forecasts
from supply.membership import overview, product_view

bp = Blueprint("console_products", __name__, url_prefix="/console/products")
STORES, SOON_DAYS, PRICES = 20, 3, 12


@bp.get("/")
@requires("network.demand")
def listed() -> ResponseReturnValue:
    """List the network's products."""
    with read() as session:
        categories = session.scalars(_shared(sa.select(Product.category)).distinct().order_by(Product.category))
        shown = lists.show(_table(lists.categories(categories)), _shared(sa.select(Product)))
    return shown.file or page("console/products.html", shown=shown)


@bp.get("/<sku>")
@requires("network.demand")
def one(sku: str) -> ResponseReturnValue:
    """Show one product: sales and forecast, stock everywhere, stock-outs coming, price, promotions and suppliers."""
    with read() as session:
        thing = _product(session, sku)
        region_id, store_id = _scope(session)
        everywhere = product_view.at_stores(session, thing, today())
        here = [one for one in everywhere if region_id in (None, one.region_id)]
        houses = product_view.at_warehouses(session, sku, today())
        sellers = product_view.sellers(session, thing, at=doors().now(), today=today())
        dated = product_view.prices(session, sku)
        price = next((one.price_minor for one in dated if one.from_day <= today()), None)
        cost = next((one.unit_minor for one in sellers if not one.upstream), None)
        bought = next((one.unit_minor for one in sellers if one.upstream), None)
        sold = product_view.sold(session, sku, today(), days=product_view.LATELY_DAYS, region_id=region_id)
        ahead = product_view.expected(session, sku, today(), region_id=region_id, store_id=store_id)
        asked = next((one for one in everywhere if one.store_id == store_id), None)
        seen = forecasts.as_seen(session, store_id, sku) if store_id else None
        facts: dict[str, Any] = {
            "regions": overview.regions(session, today()),
            "stores": form.paged(here, STORES),
            "promotions": [
                (row, promotion_words.sentence(offer, _names(session, offer)))
                for row, offer in product_view.promotions(session, thing, today())
            ],
            "own_prices": sorted({one.price_minor for one in here if one.price_minor not in (None, price)}),
            "margin_bp": product_view.margin(session, thing, price, cost),
            "network_margin_bp": _share(cost, bought),
            "currency": usual_currency(session),
            "store": session.get(Store, store_id) if store_id else None,
        }
    stores_qty = sum(max(0, one.here_qty) for one in here)
    per_day = sum(one.per_day for one in here)
    return page(
        "console/product.html",
        product=thing, region_id=region_id, store_id=store_id, asked=asked, houses=houses, sellers=sellers,
        price=price, cost=cost, bought=bought, sold=sold, ahead=ahead, dated=dated[:PRICES],
        days=product_view.LATELY_DAYS, soon_days=SOON_DAYS, shown_days=product_view.SHOWN_DAYS,
        chart=price_steps([_dated(one, dated) for one in dated], today()) if dated else None,
        week=sum(ahead.mean[: product_view.WEEK_DAYS]),
        stores_qty=stores_qty, coming_qty=sum(one.coming_qty for one in here), per_day=per_day,
        through_bp=share_bp(max(0, sold.qty), max(0, sold.qty) + stores_qty),
        days_left=(stores_qty + sum(one.coming_qty for one in here)) / per_day if per_day else None,
        selling=sum(one.per_day > 0 for one in here), carrying=sum(one.listed is not False for one in here),
        sold_out=sum(one.per_day > 0 and one.here_qty <= 0 for one in here),
        soon=sum(one.days_left is not None and one.days_left < SOON_DAYS for one in here),
        why=_why(ahead, seen, thing), sentence=_age(ahead),
        address=lambda **more: url_for(".one", sku=sku, **more),
        page_address=lambda number: url_for(".one", sku=sku, region=region_id, page=number, _anchor="stores-title"),
        out_on=lambda left: today() + dt.timedelta(days=math.floor(left)),
        **facts,
    )  # fmt: skip


@bp.get("/<sku>/outlook.json")
@requires("network.demand")
def outlook(sku: str) -> ResponseReturnValue:
    """Give the chart its numbers, as a store's product page does; weighed goods count in kilograms and liters."""
    with read() as session:
        thing = _product(session, sku)
        region_id, store_id = _scope(session)
        past = dict(product_view.history_of(session, sku, today(), region_id=region_id, store_id=store_id))
        ahead = product_view.expected(session, sku, today(), region_id=region_id, store_id=store_id)
    size = 1 if thing.stock_unit == "each" else 1000
    coming = dict(zip(ahead.days, zip(ahead.mean, ahead.high, strict=True), strict=True)) if past else {}
    days = sorted({*past, *coming})
    named = {"gram": _("Sold, kg"), "millilitre": _("Sold, l")}

    def scaled(value: float | None) -> float | None:
        return None if value is None else value / size

    return jsonify(
        days=[int(dt.datetime.combine(day, dt.time(12), dt.UTC).timestamp()) for day in days],
        sold=[scaled(past.get(day)) for day in days],
        empty=[None] * len(days),
        high=[scaled(coming[day][1]) if day in coming else None for day in days],
        expected=[scaled(coming[day][0]) if day in coming else None for day in days],
        today=int(dt.datetime.combine(today(), dt.time(12), dt.UTC).timestamp()),
        words={
            "language": presenting.language(),
            "day": _("Day"),
            "sold": named.get(thing.stock_unit, _("Sold")),
            "empty": _("Shelf empty part of the day"),
            "high": _("Busy-day limit"),
            "expected": _("Expected"),
            "today": _("today"),
        },
    )


# --- inside ---


def _table(categories: lists.Choices) -> lists.Table:
    return lists.Table(
        "products",
        (
            lists.Column("shown", _("Product"), by=Product.name, look="lead"),
            lists.Column("sku", _("SKU"), by=Product.sku, shown=False, look="said"),
            lists.Column("category", _("Category"), by=Product.category),
            lists.Column("department", _("Department"), by=Product.department, shown=False),
            lists.Column("brand", _("Brand"), by=Product.brand),
            lists.Column("pack_text", _("Pack"), by=Product.pack_text, look="said"),
            lists.Column("shelf_life_days", _("Shelf life, days"), "number", by=Product.shelf_life_days, shown=False),
        ),
        (
            lists.Filter("q", _("Name or number"), "text", catalogue.matches_or_code),
            lists.Filter("category", _("Category"), "choice", lambda one: Product.category == one, categories),
        ),
        (Product.name, Product.sku),
    )


def _shared(query: sa.Select[Any]) -> sa.Select[Any]:
    """Keep the network's own products: a store's own stay the store's."""
    return query.where(Product.owner_id == EVERYONE, Product.active, Product.kind == "goods")


def _product(session: Session, sku: str) -> Product:
    found = session.get(Product, sku)
    if found is None:
        raise NotFound("unknown-product", "Product not found. Search by name.")
    return found


def _scope(session: Session) -> tuple[str | None, str | None]:
    """Return the region and the store that are asked for; a store's region goes with it."""
    store = session.get(Store, request.args.get("store", ""))
    if store is not None:
        return store.region_id, store.id
    region_id = request.args.get("region", "")
    return (region_id if any(one.id == region_id for one in overview.regions(session, today())) else None), None


def _names(session: Session, offer: Offer) -> dict[str, str]:
    skus = {sku for part in offer.parts for sku in (*part.choice.skus, *part.choice.but_skus)}
    return dict(session.execute(sa.select(Product.sku, Product.shown).where(Product.sku.in_(skus))).all())


def _share(cost: int | None, bought: int | None) -> int | None:
    """Return what the network keeps of what stores pay it, in basis points; None where either is unknown."""
    return round(10_000 * (cost - bought) / cost) if cost and bought is not None else None


def _dated(one: Price, every: list[Price]) -> Dated:
    """Return a price as the chart of dated prices reads it."""
    now = next((each for each in every if each.from_day <= today()), None)
    state = "coming" if one.from_day > today() else "now" if one is now else "past"
    return Dated(one.from_day, one.price_minor, False, state)


def _age(ahead: product_view.Expected) -> str:
    """Say how many of the forecasts behind the figure are forecasts, and what stands in for the others."""
    if not ahead.stores:
        return _("No store is connected yet.")
    words = ngettext(
        "Sum of %(num)d store.", "Sum of %(num)d stores.", ahead.stores
    ) if ahead.stores > 1 else ""  # fmt: skip
    own = ngettext(
        "%(num)d has a forecast day by day; the others count with what they report or sold lately.",
        "%(num)d have a forecast day by day; the others count with what they report or sold lately.",
        ahead.banded,
    )
    return " ".join(one for one in (words, own if ahead.banded < ahead.stores else "") if one)


def _why(ahead: product_view.Expected, seen: dict[str, Any] | None, thing: Product) -> list[str]:
    """Say why so much is expected: of one store its forecast's reasons, of several what the sum is made of."""

    def shown(units: float) -> str:
        return qty(round(units) if units >= 10 else round(units, 1), thing.stock_unit)

    if seen is not None:
        said = forecast_words.forecast_sentences(seen, shown)
        return said or [_("This store forecasts itself and reports its expected sales a day, without reasons.")]
    if ahead.banded > 1:
        return [_("The limit holds on 9 of 10 days if stores vary independently of each other.")]
    return []
