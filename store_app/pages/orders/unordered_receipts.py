"""Goods without an order: in by hand, line by line with a scanner."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError
from pos.stock import delivery_notes
from store_app.pages.common import form
from store_app.pages.orders import note_pages
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires

bp = Blueprint("goods_in", __name__, url_prefix="/stock/in")


@bp.get("/")
@requires("stock.receive")
def notes(fault: DomainError | None = None) -> ResponseReturnValue:
    """Show the notes being scanned and those that are over, and the form that begins one."""
    with read() as session:
        rows, known = note_pages.rows(session, "in"), note_pages.suppliers(session)
    return page(
        "orders/delivery_notes/in.html",
        at_work=[row for row in rows if row.note.state == "open"],
        over=[row for row in rows if row.note.state != "open"],
        suppliers=known,
        fault=fault,
    )


@bp.post("/")
@requires("stock.receive")
@form.answers_on(notes)
def begin() -> ResponseReturnValue:
    """Begin a note."""
    command = form.command_id()
    name = form.text("supplier", most=80, required=_("Enter who is bringing it in."))
    with write() as session:
        delivery_notes.begin(
            acting(session),
            str(place().store_id),
            id=command,
            way="in",
            supplier_name=name,
            why=form.text("words", most=80),
            paper_no=form.text("paper", most=80),
        )
    return redirect(url_for("goods_in.note", note_id=command), 303)


note = note_pages.serve(bp, "in", "stock.receive")


@bp.post("/<note_id>/post")
@requires("stock.receive")
@form.answers_on(note)
def post(note_id: str) -> ResponseReturnValue:
    """Book the note, or give it up."""
    drop = request.form.get("then") == "drop"
    note_pages.close("in", note_id, drop=drop)
    if drop:
        return note_pages.dropped("in")
    return form.done(_("Received. The products are in the backroom and in your stock."), ".note", note_id=note_id)
