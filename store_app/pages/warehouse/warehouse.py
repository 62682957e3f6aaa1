"""A warehouse's goods: lot by lot with what cannot be sold, and product by product with what was counted."""

import datetime as dt
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from pos.catalogue.catalogue import Product, matches
from pos.stock import waste
from pos.stock.waste import WriteOff
from pos.store.store import usual_currency
from store_app.pages.common import find_product, form, lists
from store_app.runtime.doors import acting, clock, read, write
from store_app.web.presenting import page, qty, today
from store_app.web.security import requires
from store_app.words import stock as stock_words
from supply.network.warehouse import lots, pick_lists
from supply.orders.suppliers import warehouses

bp = Blueprint("console_warehouse", __name__, url_prefix="/console/warehouse")
LOST_DAYS = 30


@bp.get("/")
@requires("network.supply")
def goods(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what is over or soon will be, or the products searched for, and what was written off lately."""
    text = form.tidy(request.args.get("q", ""))[: form.WORDS]
    with read() as session:
        house, houses = _house(session)
        rows = lots.lots(session, house, text=text, at=clock.now())
        gone = waste.written_off(session, house, 20)
        lost = lots.lost(session, house, today() - dt.timedelta(days=LOST_DAYS), today())
        currency = usual_currency(session)
    return page(
        "warehouse/warehouse.html",
        house=house, houses=houses, text=text, rows=rows, gone=gone, lost=lost, days=LOST_DAYS, currency=currency,
        over_minor=sum(row.cost_minor or 0 for row in rows if row.is_over), word=stock_words.waste_word,
        reasons={key: stock_words.waste_word(key) for key in lots.REASONS},
        fault=fault, at_fault=request.form.get("lot_id", "") + request.form.get("sku", ""),
    )  # fmt: skip


@bp.post("/<warehouse_id>/write-off")
@requires("network.supply.change")
@form.answers_on(goods)
def write_off(warehouse_id: str) -> ResponseReturnValue:
    """Write units of a lot off; a second click changes nothing."""
    command, sku = form.command_id(), form.text("sku", most=40)
    units, note = form.whole("qty", least=1), form.text("note")
    reason = form.one_of("reason", lots.REASONS, sentence=_("Choose a reason for the write-off."))
    if reason == "other" and not note:
        raise Invalid("no-reason", "Enter a short reason.", field="note")
    with write() as session:
        product = find_product.product_of(session, sku)
        with form.once():
            what = WriteOff(sku, units, reason, note, lot_id=form.text("lot_id", most=40) or None)
            lots.write_off(acting(session), warehouse_id, what, id=command)
        words = _("Written off: %(qty)s of %(name)s.", qty=qty(units, product.stock_unit), name=product.shown)
    return form.done(words, "console_warehouse.goods", warehouse=warehouse_id, q=request.args.get("q") or None)


@bp.get("/stock")
@requires("network.supply")
def stock(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show what stands in a warehouse product by product, and what of it is promised."""
    with read() as session:
        house, houses = _house(session)
        keeping = lots.keeping(house)
        categories = session.scalars(
            keeping.query.with_only_columns(Product.category).distinct().order_by(Product.category)
        )
        bays: dict[str, str] = {}

        def filled(skus: list[str]) -> list[lots.Kept]:
            bays.update(pick_lists.bays(session, house, skus))
            return lots.kept(session, house, skus)

        shown = lists.show(
            _table(keeping, lists.categories(categories), bays), keeping.query, filled, at=url_for(".stock")
        )
    return shown.file or page(
        "warehouse/stock.html",
        house=house, houses=houses, shown=shown, bays=bays, fault=fault, at_fault=request.form.get("sku", ""),
    )  # fmt: skip


@bp.post("/<warehouse_id>/count")
@requires("network.supply.change")
@form.answers_on(stock)
def count(warehouse_id: str) -> ResponseReturnValue:
    """Put right what stands of a product; a second click changes nothing."""
    command, sku = form.command_id(), form.text("sku", most=64)
    counted, why = (
        form.whole("qty"),
        form.text("why", required=_("Enter a reason for the count. It will be recorded in the journal.")),
    )
    change = 0
    with write() as session:
        with form.once():
            change = lots.count(acting(session), warehouse_id, sku, counted, why=why, id=command)
        product = session.get_one(Product, sku)
        name, unit = product.shown, product.stock_unit
    words = _("%(name)s: %(qty)s now on record.", name=name, qty=qty(counted, unit))
    if change:
        put = _("%(qty)s more than before.") if change > 0 else _("%(qty)s less than before.")
        words += " " + put % {"qty": qty(abs(change), unit)}
    return form.done(words, "console_warehouse.stock", **_back(warehouse_id))


@bp.post("/<warehouse_id>/bay")
@requires("network.supply.change")
@form.answers_on(stock)
def settle_bay(warehouse_id: str) -> ResponseReturnValue:
    """Note where a product stands: pick lists lead there."""
    sku, bay = form.text("sku", most=64), form.text("bay", most=pick_lists.LONGEST_BAY)
    with write() as session:
        pick_lists.settle_bay(acting(session), warehouse_id, sku, bay)
    flash(_("Pick lists now use that location."), "good")
    return redirect(url_for("console_warehouse.stock", **_back(warehouse_id)), 303)


def _table(of: lots.Keeping, categories: lists.Choices, bays: dict[str, str]) -> lists.Table:
    return lists.Table(
        "warehouse",
        (
            lists.Column("name", _("Product"), by=Product.shown, look="lead"),
            lists.Column("sku", _("SKU"), by=Product.sku, shown=False, look="said"),
            lists.Column("bay", _("Location"), value=lambda one: bays.get(one.sku), look="said"),
            lists.Column("pack_qty", _("Pack size"), "qty", by=of.pack_qty, look="said"),
            lists.Column("promised_qty", _("Reserved"), "qty", look="said"),
            lists.Column("coming_on", _("Next arrival"), "date", look="said"),
            lists.Column("qty", _("In the warehouse"), "qty", by=of.qty, look="sum"),
            lists.Column("edit", _("Enter count"), "act", look="whole"),
        ),
        (
            lists.Filter("q", _("Name or number"), "text", matches),
            lists.Filter("category", _("Category"), "choice", lambda one: Product.category == one, categories),
            lists.Filter(
                "gone", _("Stock"), "choice", lambda _gone: of.is_gone,
                [("", _("All products")), ("1", _("Out of stock"))],
            ),
        ),
        (Product.name, Product.sku),
        keeps=("warehouse",),
    )  # fmt: skip


def _back(warehouse_id: str) -> dict[str, Any]:
    """Return the values of the stock list's address as the form's address had them."""
    return request.args.to_dict(flat=False) | {"warehouse": warehouse_id}


def _house(session: Session) -> tuple[str, list[str]]:
    """Return the warehouse that is asked for, else the first, and all there are."""
    houses = warehouses(session)
    if not houses:
        raise NotFound("no-warehouse", "No warehouse yet. Create one on this node: cornerstore warehouse add.")
    asked = request.args.get("warehouse")
    return (asked if asked in houses else houses[0]), houses
