"""Products of the store's own: a new one on one screen, with its barcode and price at once, and changing one."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid
from config.money import exponent
from config.nodes.publication import EVERYONE
from pos.catalogue import assortment, catalogue, public_products
from pos.catalogue.assortment import KINDS, UNITS, ProductDetails
from pos.catalogue.catalogue import Barcode, Listing, Product, TaxClass
from pos.catalogue.public_products import CREDIT, SOURCE
from store_app.files import open_food_facts
from store_app.pages.common import form
from store_app.pages.goods import product_list
from store_app.pages.goods.products import KIND_WORDS, UNIT_WORDS, amount_text, beside
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import language, page, percent, place, today
from store_app.web.security import requires

bp = Blueprint("own_products", __name__, url_prefix="/products")
NUMBERS = {"minimum_age": 99, "maximum_qty": 1_000_000, "shelf_life_days": 10_000}


@bp.get("/new")
@requires("catalogue")
def new(fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask for a new product of the store's own; the address may bring a code that was scanned.

    What is known of an unknown code is filled in; of several products of one code the address says which.
    """
    code = form.tidy(request.values.get("code", ""))[: catalogue.LONGEST_CODE]
    values: dict[str, Any] = {"code": code, "stock_unit": "each", "kind": "goods"}
    with read() as session:
        known = session.get(Barcode, code) if code and request.method == "GET" else None
    if not code or known or request.method == "POST":
        return _form_page(None, values, fault, known_sku=known.sku if known else "")
    found = open_food_facts.look_up(doors(), code, language())
    which = request.args.get("which", "0" if len(found.products) == 1 else "")
    one = next((product for n, product in enumerate(found.products) if str(n) == which), None)
    return _form_page(None, values | (one or {}), fault, found=found, chosen=one, credit=CREDIT, source=SOURCE)


@bp.post("/new")
@requires("catalogue")
@form.answers_on(new)
def add() -> ResponseReturnValue:
    """Take a new product in, with its code, price and cost at once."""
    command, details = form.command_id(), _details()
    code = form.text("code", most=catalogue.LONGEST_CODE)
    currency, store_id, day = place().currency, str(place().store_id), today()
    price_minor = None if details.price_typed and not request.form.get("price") else form.amount("price", currency)
    cost_minor = form.amount("cost", currency) if request.form.get("cost", "").strip() else None
    try:
        with write() as session:
            known = assortment.add_for_sale(
                acting(session), store_id, details, code=code, price_minor=price_minor, cost_minor=cost_minor,
                today=day, command=command,
            )  # fmt: skip
    except DomainError as refusal:
        if refusal.code in ("wrong-check-digit", "code-taken", "bad-code"):
            beside(refusal, "code")
        raise
    return form.done(_("%(name)s is ready to sell.", name=details.name), "product.page", sku=known)


@bp.get("/<sku>/change")
@requires("catalogue")
def change_page(sku: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Ask what is to change of a product of the store's own."""
    with read() as session:
        product = assortment.own_product(session, str(place().store_id), sku)
        values = {name: getattr(product, name) for name in ProductDetails.__dataclass_fields__}
    return _form_page(product, values, fault)


@bp.post("/<sku>/change")
@requires("catalogue")
@form.answers_on(change_page)
def save(sku: str) -> ResponseReturnValue:
    """Change a product of the store's own."""
    details = _details()
    with write() as session:
        assortment.change(acting(session), str(place().store_id), sku, details)
    return form.done(_("Saved."), "product.page", sku=sku)


# --- inside ---


def _form_page(
    product: Product | None, values: dict[str, Any], fault: DomainError | None, known_sku: str = "", **looked_up: Any
) -> ResponseReturnValue:
    store_id = str(place().store_id)
    with read() as session:
        classes = session.scalars(sa.select(TaxClass).order_by(TaxClass.name, TaxClass.id)).all()
        deposits = _deposits(session, store_id)
        top_categories = product_list.named(session, store_id, Product.category)
        brands = product_list.named(session, store_id, Product.brand)
        usual = public_products.proposed(session, store_id, None)[1]
    shown = {name: "" if value is None else value for name, value in values.items()}
    shown.setdefault("tax_class_id", usual)
    if request.method == "POST":
        shown = {**shown, "price_typed": False} | {name: value for name, value in request.form.items()}  # noqa: C416
    return page(
        "goods/products/form.html",
        product=product,
        values=shown,
        classes=classes,
        class_words=[(one.id, f"{one.name} · {percent(one.rate_bp)}") for one in classes],
        deposits=deposits,
        top_categories=top_categories,
        brands=brands,
        units=[(unit, UNIT_WORDS[unit]) for unit in UNITS],
        kinds=[(kind, KIND_WORDS[kind]) for kind in KINDS],
        decimals=exponent(place().currency),
        known_sku=known_sku,
        fault=fault,
        **looked_up,
        typed=amount_text,
        longest=assortment.LONGEST,
        more_open=bool(fault and fault.facts.get("field") in (*NUMBERS, "deposit_sku", "brand", "department", "kind",
                                                              "pack_text")),
    )  # fmt: skip


def _deposits(session: Session, store_id: str) -> list[tuple[str, str]]:
    query = (
        sa.select(Product.sku, Product.shown)
        .join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
        .where(Product.active, Product.kind == "deposit", Product.owner_id.in_((EVERYONE, store_id)))
        .order_by(Product.name)
    )
    return [("", _("none")), *((sku, name) for sku, name in session.execute(query))]


def _details() -> ProductDetails:
    numbers: dict[str, Any] = {}
    for name, most in NUMBERS.items():
        numbers[name] = form.whole(name, least=1, most=most) if request.form.get(name, "").strip() else None
    tax_class_id = form.text("tax_class_id", most=40, required=_("Choose a tax class."))
    kind = form.one_of("kind", KINDS, sentence=_("Choose the type of product."))
    price_typed = request.form.get("price_typed") == "yes" or kind == "voucher"
    details = ProductDetails(
        name=form.text("name", most=assortment.LONGEST["name"], required=_("Enter the product’s name.")),
        category=form.text("category", most=assortment.LONGEST["category"], required=_("Choose its category.")),
        tax_class_id=tax_class_id,
        stock_unit=form.one_of("stock_unit", tuple(UNITS), sentence=_("Choose its unit.")),
        kind=kind,
        price_typed=price_typed,
        deposit_sku=form.text("deposit_sku", most=80) or None,
        brand=form.text("brand", most=assortment.LONGEST["brand"]),
        department=form.text("department", most=assortment.LONGEST["department"]),
        pack_text=form.text("pack_text", most=assortment.LONGEST["pack_text"]),
        **numbers,
    )
    if kind != "goods" and details.deposit_sku:
        raise Invalid("bad-deposit", "Only products can have a deposit.", field="deposit_sku")
    return details
