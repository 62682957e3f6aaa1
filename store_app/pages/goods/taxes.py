"""Tax classes: what they are called, their rate, whether prices include the tax, and how many products use them."""

import re
from dataclasses import dataclass

import sqlalchemy as sa
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import Conflict, DomainError, Invalid, NotFound, Refused
from config.money import BASIS
from config.nodes.publication import EVERYONE
from pos.catalogue import assortment
from pos.catalogue.catalogue import Product, TaxClass
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from supply.online.storefront import product_stories

bp = Blueprint("taxes", __name__, url_prefix="/taxes")


@dataclass(frozen=True)
class ClassRow:
    """A tax class as the list shows it. used: by how many products; of_network: settled there, not here."""

    id: str
    name: str
    rate_bp: int
    rate_text: str
    inclusive: bool
    used: int
    of_network: bool


@bp.get("/", endpoint="classes")
@requires("catalogue")
def classes(fault: DomainError | None = None, tax_class_id: str = "") -> ResponseReturnValue:
    """List the tax classes; the one that is asked for is open to be changed."""
    with read() as session:
        rows = _rows(session)
    return page("goods/taxes.html", rows=rows, fault=fault, asked=tax_class_id or request.args.get("change", ""))


@bp.post("/")
@requires("catalogue")
@form.answers_on(classes)
def add() -> ResponseReturnValue:
    """Add a tax class of the store's own; its id is the store's and its name.

    The first one was asked for by a first product, and leads there.
    """
    name, rate_bp, inclusive = _typed()
    store_id = str(place().store_id)
    new_id = assortment.own_class_id(store_id, name)
    with write() as session:
        is_first = session.scalar(sa.select(TaxClass.id).limit(1)) is None
        known = session.get(TaxClass, new_id) or session.get(TaxClass, new_id.removeprefix(f"{store_id}-"))
        if known is not None and (known.name, known.rate_bp, known.inclusive) != (name, rate_bp, inclusive):
            raise Conflict("tax-class-exists", "A class with this name already exists. Change that one.", field="name")
        if known is None:
            assortment.set_tax_class(acting(session), new_id, name, rate_bp, inclusive=inclusive, owner_id=store_id)
    return form.done(_("%(name)s is ready to use.", name=name), "own_products.new" if is_first else "taxes.classes")


@bp.post("/<tax_class_id>")
@requires("catalogue")
@form.answers_on(classes)
def change(tax_class_id: str) -> ResponseReturnValue:
    """Change the name and rate of a class; a new rate counts from the next sale on."""
    name, rate_bp, inclusive = _typed()
    with write() as session:
        row = next((row for row in _rows(session) if row.id == tax_class_id), None)
        if row is None:
            raise NotFound("unknown-tax-class", "Tax class not found. Choose one from the list.")
        if row.of_network:
            raise Refused("network-tax-class", "The network sets this class and its rate.")
        assortment.set_tax_class(acting(session), tax_class_id, name, rate_bp, inclusive=inclusive)
        session.flush()
        product_stories.send_taxed(session, str(place().store_id), tax_class_id, at=doors().now())
        wake_worker_after(session)
    return form.done(_("Saved. The new rate will apply from the next sale."), "taxes.classes")


def rate(raw: str, name: str) -> int:
    """Return a typed rate in basis points: '19', '8.875' is refused, '8,88' is 888."""
    found = re.fullmatch(r"(\d{1,3})(?:[.,](\d{1,2}))?", raw.strip().rstrip("% "), re.ASCII)
    rate_bp = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else -1
    if not 0 <= rate_bp <= BASIS:
        raise Invalid("bad-rate", "Enter a rate from 0 to 100, such as 8.25.", field=name)
    return rate_bp


def rate_text(rate_bp: int) -> str:
    """Return a rate as it is typed: '19', '8.25'."""
    return f"{rate_bp / 100:.2f}".rstrip("0").rstrip(".")


# --- inside ---


def _typed() -> tuple[str, int, bool]:
    name = form.text("name", most=60, required=_("Name the class."))
    rate_bp = rate(request.form.get("rate", ""), "rate")
    said = form.one_of("prices", ("inclusive", "exclusive"), sentence=_("Choose whether prices include the tax."))
    return name, rate_bp, said == "inclusive"


def _rows(session: Session) -> list[ClassRow]:
    used = sa.select(Product.tax_class_id, sa.func.count()).group_by(Product.tax_class_id)
    used = used.where(Product.active, Product.owner_id.in_((EVERYONE, str(place().store_id))))
    uses = dict(session.execute(used).all())
    networked = bool(doors().settings.network_url)
    return [
        ClassRow(
            row.id, row.name, row.rate_bp, rate_text(row.rate_bp), row.inclusive, uses.get(row.id, 0),
            networked and row.owner_id == EVERYONE,
        )
        for row in session.scalars(sa.select(TaxClass).order_by(TaxClass.name, TaxClass.id))
    ]  # fmt: skip
