"""Goods back to a supplier: why, to whom, line by line with a scanner, and a slip the driver signs."""

from functools import partial

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import Conflict, DomainError, Invalid
from config.nodes.journal import Context
from pos.printing import queue
from pos.stock import delivery_notes
from store_app.pages.common import find_product, form
from store_app.pages.common.own_till import own_till
from store_app.pages.orders import note_pages
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from store_app.words import stock
from store_app.words.words import unit_word

bp = Blueprint("goods_back", __name__, url_prefix="/stock/back")


@bp.get("/")
@requires("stock.send_back")
def notes(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the notes being packed and those that are over, and the form that begins one.

    Another page may name what goes first: sku, qty, batch, expires_on and reason in the address.
    """
    sku = request.values.get("sku", "")
    with read() as session:
        rows, known = note_pages.rows(session, "back"), note_pages.suppliers(session)
        product = find_product.product_of(session, sku) if sku else None
    return page(
        "orders/delivery_notes/back.html",
        at_work=[row for row in rows if row.note.state == "open"],
        over=[row for row in rows if row.note.state != "open"],
        suppliers=known,
        product=product,
        reasons=stock.BACK_REASONS,
        icons=stock.BACK_ICONS,
        unit_word=unit_word(product.stock_unit if product else ""),
        fault=fault,
    )


@bp.post("/")
@requires("stock.send_back")
@form.answers_on(notes)
def begin() -> ResponseReturnValue:
    """Begin a note, with its first line when another page named one."""
    command = form.command_id()
    name = form.text("supplier", most=80, required=_("Enter who is taking it back."))
    reason = form.one_of("reason", delivery_notes.REASONS, sentence=_("Choose a reason for the return."))
    words, sku = form.text("words", most=80), request.form.get("sku", "")
    units = form.whole("qty", least=1) if sku else 0
    if reason == "other" and not words:
        raise Invalid("no-reason", "Enter a short reason for the return.", field="words")
    with write() as session:
        delivery_notes.begin(
            acting(session),
            str(place().store_id),
            id=command,
            way="back",
            supplier_name=name,
            reason=reason,
            why=words,
            paper_no=form.text("paper", most=80),
        )
        if sku:
            note_pages.put(session, command, command, sku, units)
    return redirect(url_for("goods_back.note", note_id=command), 303)


note = note_pages.serve(bp, "back", "stock.send_back")


@bp.post("/<note_id>/post")
@requires("stock.send_back")
@form.answers_on(note)
def post(note_id: str) -> ResponseReturnValue:
    """Book the note, with a slip to sign if it is wished, or give it up."""
    drop = request.form.get("then") == "drop"
    wants_slip = bool(request.form.get("slip")) and not drop
    note_pages.close("back", note_id, drop=drop, also=partial(_print, note_id=note_id) if wants_slip else None)
    if drop:
        return note_pages.dropped("back")
    return form.done(_("Sent back. The products have been removed from your stock."), ".note", note_id=note_id)


@bp.post("/<note_id>/slip")
@requires("stock.send_back")
@form.answers_on(note)
def slip(note_id: str) -> ResponseReturnValue:
    """Print what the driver signs; a second one is marked as a copy."""
    with write() as session:
        _print(session, note_id)
    return form.done(_("The slip is printing."), "goods_back.note", note_id=note_id)


# --- inside ---


def _print(session: Session, note_id: str) -> None:
    store_id, at = str(place().store_id), doors().now()
    found = delivery_notes.note_of(session, store_id, note_id)
    if found.way != "back" or found.state != "posted":
        raise Conflict("note-open", "Post the return first, then print its slip.")
    if queue.latest(session, store_id, note_id, note_pages.SLIP) is not None:
        queue.reprint(Context(session, g.actor, at), store_id, note_id, kind=note_pages.SLIP)
    else:
        till = own_till(session, store_id)
        printout = queue.Printout(note_pages.SLIP, note_id, delivery_notes.slip_of(session, found))
        queue.queue(session, store_id, till.id, printout, at=at)
