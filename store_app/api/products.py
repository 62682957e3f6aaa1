"""Adding products at the till: an unknown barcode is looked up and added; custom items get a department."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, Response, jsonify
from flask_babel import gettext as _
from pydantic import Field

from pos.catalogue import assortment, catalogue, public_products
from pos.catalogue.assortment import LONGEST, ProductDetails
from pos.catalogue.catalogue import LONGEST_CODE, Listing, Product, TaxClass
from store_app.api.bodies import LARGEST, Body, takes
from store_app.api.catalogue import as_json
from store_app.files import open_food_facts
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import language, percent, today
from store_app.web.security import requires
from store_app.words.refusals import sentence_of

bp = Blueprint("api_products", __name__, url_prefix="/api/products")


class NewBody(Body):
    """A product of the store's own with the code that was scanned. id is made by the page."""

    id: str = Field(min_length=8, max_length=40)
    code: str = Field(min_length=1, max_length=LONGEST_CODE)
    name: str = Field(min_length=1, max_length=LONGEST["name"])
    brand: str = Field(default="", max_length=LONGEST["brand"])
    pack_text: str = Field(default="", max_length=LONGEST["pack_text"])
    category: str = Field(min_length=1, max_length=LONGEST["category"])
    tax_class_id: str = Field(min_length=1, max_length=40)
    price_minor: int = Field(ge=0, le=LARGEST)


class OpenBody(Body):
    """A category or department that custom items are sold under, and their tax class."""

    category: str = Field(min_length=1, max_length=LONGEST["category"])
    tax_class_id: str = Field(min_length=1, max_length=40)


@bp.get("/known/<path:code>")
@requires("catalogue")
def known(code: str) -> Response:
    """Answer what is known of a barcode, and what a new product's category and tax class can be.

    products: what may be meant, often one; credit: the notice that stands where they are shown.
    """
    found = open_food_facts.look_up(doors(), code[:LONGEST_CODE], language())
    return jsonify(
        **_choices(),
        products=found.products,
        credit=_(public_products.CREDIT) if found.products else "",
        silent=sentence_of(found.unreachable) if found.unreachable else "",
    )


@bp.get("/open")
@requires("catalogue")
def open_choices() -> Response:
    """Answer the categories and tax classes that custom items can be sold under."""
    return jsonify(_choices())


@bp.post("/open")
@requires("catalogue")
@takes(OpenBody)
def open_priced(body: OpenBody) -> Response:
    """Answer the product without a fixed price for custom items of a category, taken in where there is none yet."""
    store_id, day = doors().settings.node_id, today()
    with write() as session:
        sku = assortment.open_priced(acting(session), store_id, body.category.strip(), body.tax_class_id)
        return jsonify(product=as_json(catalogue.to_sell(session, store_id, [sku], day)[sku]))


@bp.post("")
@requires("catalogue")
@takes(NewBody)
def add(body: NewBody) -> Response:
    """Take the product in, priced from today on; the same id again is the same product."""
    store_id, day = doors().settings.node_id, today()
    details = ProductDetails(body.name, body.category, body.tax_class_id, brand=body.brand, pack_text=body.pack_text)
    with write() as session:
        sku = assortment.add_for_sale(
            acting(session), store_id, details, code=body.code, price_minor=body.price_minor, today=day, command=body.id
        )
        answer = jsonify(product=as_json(catalogue.to_sell(session, store_id, [sku], day)[sku]))
    answer.status_code = 201
    return answer


# --- inside ---


def _choices() -> dict[str, Any]:
    """Return what a new product's category and tax class can be, and the tax class to propose."""
    store_id = doors().settings.node_id
    with read() as session:
        listed = sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id)
        categories = sa.select(Product.category).join(Listing, listed).where(Product.active).distinct()
        classes = session.execute(sa.select(TaxClass.id, TaxClass.name, TaxClass.rate_bp).order_by(TaxClass.name)).all()
        return {
            "categories": sorted(session.scalars(categories)),
            "tax_class_id": public_products.proposed(session, store_id, None)[1],
            "tax_classes": [{"id": one.id, "words": f"{one.name} · {percent(one.rate_bp)}"} for one in classes],
        }
