"""Writing off: choose the product, tap the reason. And what was lost, by reason."""

import datetime as dt
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, Invalid
from pos.catalogue.catalogue import Product
from pos.stock import batches, stock, waste
from store_app.pages.common import find_product, form
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place, qty, today
from store_app.web.security import can, requires
from store_app.words import stock as stock_words
from store_app.words.words import unit_word

bp = Blueprint("waste", __name__, url_prefix="/stock/waste")
SHRINK_DAYS = 30
MOST_TILES = 8
SOON = 1
"""How many days ahead of its last day a lot is offered."""


@bp.get("/")
@requires("stock.waste")
def tiles(fault: DomainError | None = None, **_refused: str) -> ResponseReturnValue:
    """Ask which product, or, when it is known, why; what was written off lately stands below."""
    text = form.tidy(request.values.get("code", ""))[: form.WORDS]
    sku, store_id, options, hit = request.values.get("sku", ""), str(place().store_id), [], None
    with read() as session:
        if text and not sku:
            try:
                hit = find_product.find(session, text)
            except DomainError as refused:
                fault = fault or refused
                options = find_product.choices(session, text) if refused.code == "several-products" else []
        product = hit.product if hit else find_product.product_of(session, sku) if sku else None
        likely = _likely(session, store_id) if product is None else []
        rows = waste.written_off(session, store_id, 20)
        lost = waste.shrink(session, store_id, today() - dt.timedelta(days=SHRINK_DAYS), today())
        on_hand = stock.levels(session, store_id, [product.sku])[product.sku].on_hand if product else 0
    return page(
        "goods/waste.html",
        product=product,
        on_hand=on_hand,
        qty_typed=request.values.get("qty") or (hit.qty if hit and hit.qty else _one(product)),
        batch=request.values.get("batch") or (hit.batch if hit and hit.batch else ""),
        unit_word=unit_word(product.stock_unit if product else ""),
        reasons=stock_words.WASTE_REASONS,
        icons=stock_words.REASON_ICONS,
        likely=likely,
        options=options,
        rows=[
            (row, name, qty(row.qty, unit), stock_words.waste_word(row.reason), stands)
            for row, name, unit, stands in rows
        ],
        lost=[(stock_words.waste_word(row.reason), row) for row in lost] if can("reports.money") else [],
        days=SHRINK_DAYS,
        text=text,
        fault=fault,
    )  # fmt: skip


@bp.post("/")
@requires("stock.waste")
@form.answers_on(tiles)
def write_off() -> ResponseReturnValue:
    """Write off for the reason whose tile was tapped."""
    command, store_id = form.command_id(), str(place().store_id)
    reason = form.one_of("reason", waste.REASONS, sentence=_("Choose a reason."))
    units, note, batch = form.whole("qty", least=1), form.text("note"), form.text("batch", most=40)
    if reason == "other" and not note:
        raise Invalid("no-reason", "Enter a short reason.", field="note")
    with write() as session:
        product = find_product.product_of(session, request.form.get("sku", ""))
        with form.once():
            what = waste.WriteOff(product.sku, units, reason, note, batch or None)
            waste.write_off(acting(session), store_id, what, id=command)
    flash(_("Written off: %(qty)s of %(name)s.", qty=qty(units, product.stock_unit), name=product.shown), "good")
    return redirect(url_for("waste.tiles", written=command), 303)


@bp.post("/<waste_id>/undo")
@requires("stock.waste")
@form.answers_on(tiles)
def undo(waste_id: str) -> ResponseReturnValue:
    """Undo a write-off, once."""
    with write() as session, form.once():
        waste.undo(acting(session), str(place().store_id), waste_id)
    flash(_("Write-off undone. The stock is back."), "good")
    return redirect(form.inside(request.form.get("next", "")) or url_for("waste.tiles"), 303)


# --- inside ---


def _likely(session: Any, store_id: str) -> list[tuple[str, str, int, str]]:
    """Return what most likely is to be written off now: what is over or soon will be, what went last, what spoils."""
    rows: dict[str, tuple[str, str, int, str]] = {}
    for lot in batches.expiring(session, store_id, day=today(), within_days=SOON):
        about = f"{qty(lot.qty, lot.stock_unit)} · {stock_words.days_left(lot.days_left)}"
        rows.setdefault(lot.sku, (lot.sku, lot.name, lot.qty, about))
    for row, name, unit, _stands in waste.written_off(session, store_id, 40):
        rows.setdefault(row.sku, (row.sku, name, 1 if unit == "each" else row.qty, stock_words.waste_word(row.reason)))
    for product, on_hand in waste.likely(session, store_id, MOST_TILES):
        about = _("%(qty)s in the store", qty=qty(on_hand, product.stock_unit))
        rows.setdefault(product.sku, (product.sku, product.shown, 1 if product.stock_unit == "each" else 0, about))
    return list(rows.values())[:MOST_TILES]


def _one(product: Product | None) -> str:
    """Return what the quantity begins with: one piece; a weight is typed."""
    return "1" if product is not None and product.stock_unit == "each" else ""
