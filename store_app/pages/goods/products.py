"""What this store sells: the list, filtered, and as a file."""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid
from config.money import exponent
from pos.catalogue import catalogue, photos
from pos.catalogue.catalogue import Listing, Product, TaxClass
from store_app.files import exporting
from store_app.pages.common import form, lists
from store_app.pages.goods import product_list
from store_app.pages.goods.product_list import FILTERS, Asked
from store_app.runtime.doors import doors, read
from store_app.web.days import day_of
from store_app.web.presenting import page, place, today
from store_app.web.security import requires

bp = Blueprint("products", __name__, url_prefix="/products")
FILTER_WORDS = {
    "all": lazy("All"),
    "own": lazy("Our own"),
    "priceless": lazy("No price"),
    "codeless": lazy("No barcode"),
    "costless": lazy("No cost"),
    "unlisted": lazy("Not sold here"),
}
KIND_WORDS = {
    "goods": lazy("Product"),
    "deposit": lazy("Container deposit"),
    "service": lazy("Service (no stock)"),
    "voucher": lazy("Gift voucher"),
}
UNIT_WORDS = {"each": lazy("units"), "gram": lazy("weight, in grams"), "millilitre": lazy("volume, in milliliters")}
PER_WORDS = {"each": lazy("each"), "gram": lazy("per kg"), "millilitre": lazy("per liter")}


@bp.get("/", endpoint="listed")
@requires("catalogue")
def listed() -> ResponseReturnValue:
    """List what this store sells."""
    store_id, day = str(place().store_id), today()
    with read() as session:
        query = product_list.every(store_id).with_only_columns(Product.sku)
        shown = lists.show(
            _table(session, store_id, day), query, lambda skus: product_list.rows(session, store_id, skus, day)
        )
        pictured = photos.marks(session, store_id)
    return shown.file or page(
        "goods/products/list.html", photos=pictured, shown=shown, per_words=PER_WORDS, here=address_of(asked_for())
    )


@bp.get("/products.<suffix>")
@requires("catalogue")
def export(suffix: str) -> Response:
    """Give the list as a file: csv, xlsx or a plug-in's, with the columns that can be brought in again."""
    store_id, currency = str(place().store_id), place().currency
    money_columns = ("price", "cost")
    with read() as session:
        query = product_list.products(store_id, asked_for(), today())
        rows = [
            [
                exporting.cell(value, "money" if name in money_columns else "", currency)
                for name, value in zip(product_list.TABLE, row, strict=True)
            ]
            for row in product_list.table(session, store_id, query, today())
        ]
    return exporting.table_answer(doors().settings, suffix, f"products-{today().isoformat()}", product_list.TABLE, rows)


def _table(session: Session, store_id: str, day: dt.date) -> lists.Table:
    numbers = product_list.counts(session, store_id, day)
    taxes = session.execute(sa.select(TaxClass.id, TaxClass.name).order_by(TaxClass.name)).all()
    return lists.Table(
        "products",
        (
            lists.Column("name", _("Product"), by=Product.shown, look="lead"),
            lists.Column("sku", _("SKU"), by=Product.sku, shown=False, look="said"),
            lists.Column("category", _("Category"), by=Product.category, look="muted small"),
            lists.Column("brand", _("Brand"), by=Product.brand, shown=False, look="said"),
            lists.Column("price_minor", _("Price"), "money", by=catalogue.price_of(store_id, day), look="sum"),
            lists.Column("cost_minor", _("Cost"), "money", by=Listing.cost_minor, look="said"),
            lists.Column("margin_bp", _("Margin"), "share", look="said"),
        ),
        (
            lists.Filter("q", _("Scan, or search by name, pinyin or number"), "text", product_list.named_so),
            lists.Filter(
                "top_category", _("Category"), "choice", lambda one: Product.category == one,
                lists.categories(product_list.named(session, store_id, Product.category)),
            ),
            lists.Filter(
                "tax", _("Tax"), "choice", lambda one: TaxClass.id == one,
                [("", _("All")), *((one.id, one.name) for one in taxes)],
            ),
            lists.Filter(
                "show", _("Filter"), "chips", lambda show: product_list.condition(show, store_id, day),
                [(show, FILTER_WORDS[show], numbers[show]) for show in FILTERS], "all",
            ),
        ),
        (Product.name, Product.sku),
    )  # fmt: skip


# --- shared with the other pages of products ---


def asked_for() -> Asked:
    """Return what the address asks for."""
    given = {name: form.tidy(request.values.get(name, ""))[:120] for name in ("top_category", "brand", "tax")}
    show = request.values.get("show", "all")
    text = form.tidy(request.values.get("q", ""))[: form.WORDS]
    return Asked(text=text, show=show if show in FILTERS else "all", **given)


def address_of(asked: Asked) -> dict[str, Any]:
    """Return the arguments of an address that asks for the same."""
    show = "" if asked.show == "all" else asked.show
    found = {"q": asked.text, "top_category": asked.top_category, "brand": asked.brand, "tax": asked.tax, "show": show}
    return {name: value for name, value in found.items() if value}


def day_typed(name: str) -> dt.date:
    """Return the day of the form; Invalid beside its field."""
    if (found := day_of(form.tidy(request.values.get(name, ""))[:10])) is None:
        raise beside(Invalid("bad-day", "That is not a date. Choose one from the calendar."), name)
    return found


def beside(fault: DomainError, field: str) -> DomainError:
    """Return a refusal that is said beside a field, unless it names one itself."""
    fault.facts.setdefault("field", field)
    return fault


def amount_text(amount_minor: int | None) -> str:
    """Return an amount as it is typed: '12.50'; '' for none."""
    decimals = exponent(place().currency)
    return "" if amount_minor is None else f"{amount_minor / 10**decimals:.{decimals}f}"
