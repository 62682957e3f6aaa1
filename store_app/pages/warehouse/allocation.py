"""Allocation: what stores get of a product and why, and what an operator sets instead."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, NotFound
from pos.catalogue.catalogue import Product
from pos.store.store import usual_currency
from store_app.pages.common import form
from store_app.runtime.doors import acting, clock, read, write
from store_app.web.presenting import page
from store_app.web.security import requires
from store_app.words import supply as supply_words
from supply.network.warehouse import dispatch, preview, promising
from supply.orders.suppliers import MOST_PACKS

bp = Blueprint("console_allocation", __name__, url_prefix="/console/supply/allocation")
ROWS, LINES = 50, 50


@bp.get("/")
@requires("network.supply")
def listed() -> ResponseReturnValue:
    """List the products that orders wait for, what is shortest first."""
    text = form.tidy(request.args.get("q", ""))[: form.WORDS]
    with read() as session:
        rows = [tuple(row) for row in session.execute(preview.products())]
        if text:
            rows = [row for row in rows if text.casefold() in row[2].casefold() or text == row[1]]
        found = form.paged(rows, ROWS)
        skus = {row[1] for row in found.items}
        free = dispatch.free_stock(session, clock.now(), skus)
        units = dict(session.execute(sa.select(Product.sku, Product.stock_unit).where(Product.sku.in_(skus))).all())
    return page(
        "warehouse/allocation.html", found=found, free=free, units=units, text=text,
        houses=len({row[0] for row in rows}),
        page_address=lambda number: url_for(".listed", q=text or None, page=number),
    )  # fmt: skip


@bp.get("/<sku>")
@requires("network.supply")
def one(sku: str, fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show who gets what of a product and why, what is kept for whom, and what is left."""
    with read() as session:
        product = _product(session, sku)
        found = preview.of_product(session, product, at=clock.now())
        currency = usual_currency(session)
    lines = form.paged([(house, line) for house in found for line in house.lines], LINES)
    return page(
        "warehouse/allocation_product.html", product=product, found=found, lines=lines, currency=currency,
        why=supply_words.allocation_why, shortage=supply_words.shortage, most_packs=MOST_PACKS, fault=fault,
        at_fault=request.form.get("order_id", ""),
        page_address=lambda number: url_for(".one", sku=sku, page=number),
    )  # fmt: skip


@bp.post("/<sku>/set")
@requires("network.supply.change")
@form.answers_on(one)
def set_packs(sku: str) -> ResponseReturnValue:
    """Set the packs of a line, with a reason its store reads."""
    why = form.text("why", most=promising.LONGEST_WHY, required=_("Enter a reason. The shopkeeper will see it."))
    packs = form.whole("packs", most=MOST_PACKS)
    with write() as session:
        promising.set_packs(
            acting(session), _key(sku), packs, why=why, step=form.whole("step"),
            more_than_ordered=request.form.get("more") == "yes",
        )  # fmt: skip
    return form.done(_("Packs set. The store will see the reason."), ".one", sku=sku)


@bp.post("/<sku>/take-back")
@requires("network.supply.change")
@form.answers_on(one)
def take_back(sku: str) -> ResponseReturnValue:
    """Let a line get what the rule gives again."""
    with write() as session:
        promising.take_back(acting(session), _key(sku), step=form.whole("step"))
    return form.done(_("The line is allocated by need again."), ".one", sku=sku)


# --- inside ---


def _product(session: Session, sku: str) -> Product:
    found = session.get(Product, sku)
    if found is None:
        raise NotFound("unknown-product", "Product %(sku)s not found.", sku=sku, skus=[sku])
    return found


def _key(sku: str) -> dispatch.Key:
    return form.text("store_id", most=64), form.text("order_id", most=64), sku
