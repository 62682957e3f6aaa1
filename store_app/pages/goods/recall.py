"""Recalls: call one, take the pieces off the shelf, see who may have bought them, and lift it."""

import datetime as dt
from typing import Any

from flask import Blueprint, flash, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import Conflict, DomainError, Refused
from config.nodes.journal import Context
from pos.stock import batches, recall, stock
from store_app.pages.common import find_product, form
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import RAIL_COUNTS, page, place, qty, today
from store_app.web.security import requires
from store_app.words import stock as stock_words
from store_app.words.words import unit_word
from supply.network.recalls import recalls

bp = Blueprint("recall", __name__, url_prefix="/stock/recalls")
SOLD_DAYS = 90
RAIL_COUNTS["recalls"] = recall.to_look_through


@bp.get("/")
@requires("recall")
def listed(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the recalls, and the form that calls one once its product is known."""
    text = form.tidy(request.values.get("code", ""))[: form.WORDS]
    sku, options, hit = request.values.get("sku", ""), [], None
    with read() as session:
        if text and not sku:
            try:
                hit = find_product.find(session, text)
            except DomainError as refused:
                fault = fault or refused
                options = find_product.choices(session, text) if refused.code == "several-products" else []
        product = hit.product if hit else find_product.product_of(session, sku) if sku else None
        rows = recall.recalls(session, str(place().store_id))
        known = find_product.names(session, sorted({row.sku for row in rows}))
    return page(
        "goods/recall/recalls.html",
        product=product,
        batch=request.form.get("batch") or (hit.batch if hit and hit.batch else ""),
        options=options,
        text=text,
        in_force=[(row, known[row.sku][0]) for row in rows if row.state != "lifted"],
        over=[(row, known[row.sku][0]) for row in rows if row.state == "lifted"],
        fault=fault,
    )


@bp.post("/")
@requires("recall")
@form.answers_on(listed)
def call() -> ResponseReturnValue:
    """Stop a product or a batch from being sold, at once and on every till."""
    command, store_id = form.command_id(), str(place().store_id)
    why = form.text("why", required=_("Enter a reason for the recall."))
    with write() as session:
        product = find_product.product_of(session, request.form.get("sku", ""))
        if _known(session, store_id, command) is None:
            recall.call(
                acting(session),
                store_id,
                product.sku,
                form.text("batch", most=40) or None,
                id=command,
                why=why,
                called_by=form.text("called_by"),
            )
    flash(_("Every till now blocks %(name)s. Take it off the shelf.", name=product.shown), "warn")
    return redirect(url_for("recall.one", recall_id=command), 303)


@bp.get("/<recall_id>")
@requires("recall")
def one(recall_id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show a recall: what to do, what is here, and what was sold of it."""
    store_id = str(place().store_id)
    with read() as session:
        row = recall.recall_of(session, store_id, recall_id)
        product = find_product.product_of(session, row.sku)
        on_hand = stock.levels(session, store_id, [row.sku])[row.sku].on_hand
        lots = batches.standing(session, store_id, [row.sku], day=today())[row.sku]
        since = today() - dt.timedelta(days=SOLD_DAYS)
        sold = recall.sold_of(session, row, since=since)
    of_batch = sum(lot.qty for lot in lots if lot.batch == row.batch)
    return page(
        "goods/recall/recall.html",
        recall=row,
        product=product,
        on_hand=on_hand,
        of_batch=of_batch if row.batch else on_hand,
        sure=[line for line in sold if line.sure],
        maybe=[line for line in sold if not line.sure],
        sold_text=qty(sum(line.qty for line in sold if line.sure), product.stock_unit),
        days=SOLD_DAYS,
        lift_reasons=stock_words.LIFT_REASONS,
        unit_word=unit_word(product.stock_unit),
        fault=fault,
        asked="taken",
    )


@bp.post("/<recall_id>/clear")
@requires("recall")
@form.answers_on(one)
def clear(recall_id: str) -> ResponseReturnValue:
    """Say that the shelf was looked through; what was taken away is written off."""
    command, store_id, at = form.command_id(), str(place().store_id), doors().now()
    taken = form.whole("qty")
    with write() as session:
        row = recall.recall_of(session, store_id, recall_id)
        if row.state == "called":
            recalls.clear(Context(session, g.actor, at), store_id, recall_id, taken, waste_id=command)
    return form.done(_("Thanks. The recalled units have been removed from your stock."), ".one", recall_id=recall_id)


@bp.post("/<recall_id>/lift")
@requires("recall")
@form.answers_on(one)
def lift(recall_id: str) -> ResponseReturnValue:
    """Let it be sold again."""
    why = form.reason(stock_words.LIFT_REASONS)
    with write() as session:
        if recall.recall_of(session, str(place().store_id), recall_id).afterwards:
            raise Refused("network-recall", "The network issued this recall, and only the network can lift it.")
        try:
            recall.lift(acting(session), str(place().store_id), recall_id, why=why)
        except Conflict as fault:
            if fault.code != "illegal-move":
                raise
    return form.done(_("Recall lifted. You can sell the product again."), "recall.one", "info", recall_id=recall_id)


# --- inside ---


def _known(session: Any, store_id: str, recall_id: str) -> recall.Recall | None:
    found: recall.Recall | None = session.get(recall.Recall, (store_id, recall_id))
    return found
