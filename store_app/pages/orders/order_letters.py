"""The letter of an order: seen again as PDF or table, printed, sent again, or handed over."""

from typing import Any

from flask import Blueprint, Response, flash, g, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, NotFound
from config.nodes.journal import Context
from pos.messages import OutgoingMessage
from pos.reports.slips import enqueue_once
from store_app.pages.common import form
from store_app.pages.common.own_till import own_till
from store_app.pages.orders import ordering
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.web.presenting import place
from store_app.web.security import requires
from supply.orders import letters

bp = Blueprint("order_letters", __name__, url_prefix="/orders/letters")
bp.before_request(form.know_the_place)


def _on_order(letter_id: str, fault: DomainError | None = None) -> Any:
    return ordering.order(_order_id(letter_id), fault=fault)


@bp.get("/<letter_id>.<kind>")
@requires("order")
def paper(letter_id: str, kind: str) -> Response:
    """Give a letter as it was sent: `pdf` for people, `csv` for a supplier's program."""
    with read() as session:
        document = _letter(session, letter_id).body
    return as_paper(document, kind)


def as_paper(document: dict[str, Any], kind: str) -> Response:
    """Answer with a letter's page or table."""
    if kind not in ("pdf", "csv"):
        raise NotFound("no-paper", "There is no such paper. Choose the page or the table.")
    is_order = "delivery_day" in document
    if kind == "csv" and not is_order:
        raise NotFound("no-paper", "There is no such paper. Choose the page or the table.")
    if kind == "csv":
        made, mimetype = letters.as_csv(document), "text/csv"
    else:
        from supply.network.purchasing import letter_pages  # brings a drawing library along

        made, mimetype = letter_pages.pages(document), "application/pdf"
    answer = make_response(made)
    answer.mimetype = mimetype
    name = "order" if is_order else "return"
    shown = "inline" if kind == "pdf" else "attachment"
    answer.headers["Content-Disposition"] = f'{shown}; filename="{name}-{document["order_no"]}.{kind}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.post("/<letter_id>/print")
@requires("order")
@form.answers_on(_on_order)
def slip(letter_id: str) -> ResponseReturnValue:
    """Print the order on the till's printer, to be handed over."""
    command, store_id, at = form.command_id(), str(place().store_id), doors().now()
    with write() as session:
        letter = _letter(session, letter_id)
        document = dict(letter.body)
        enqueue_once(
            session, own_till(session, store_id), "supplier_order", letter_id, document, command=command, at=at
        )
        if letter.carrier == "paper" and letter.state == "waiting":
            letters.left(Context(session, g.actor, at), store_id, letter_id)
        order_id = letter.about
        wake_worker_after(session)
    flash(_("The order is being printed. Hand it over."), "good")
    return redirect(url_for("ordering.order", order_id=order_id), 303)


@bp.post("/<letter_id>/left")
@requires("order")
@form.answers_on(_on_order)
def left(letter_id: str) -> ResponseReturnValue:
    """Note that the order was handed over by hand, or told by telephone."""
    with write() as session:
        letter = letters.left(acting(session), str(place().store_id), letter_id)
        order_id = letter.about
    flash(_("Noted: the supplier has it."), "good")
    return redirect(url_for("ordering.order", order_id=order_id), 303)


@bp.post("/<letter_id>/again")
@requires("order")
@form.answers_on(_on_order)
def again(letter_id: str) -> ResponseReturnValue:
    """Send it again, to the address typed."""
    with write() as session:
        letter = letters.again(
            acting(session),
            str(place().store_id),
            letter_id,
            how="email",
            address=request.form.get("email", ""),
        )
        order_id = letter.about
        wake_worker_after(session)
    flash(_("It is sent again."), "good")
    return redirect(url_for("ordering.order", order_id=order_id), 303)


# --- inside ---


def _letter(session: Session, letter_id: str) -> OutgoingMessage:
    letter = letters.letter_of(session, str(place().store_id), letter_id)
    if letter.kind == "claim":
        raise NotFound("no-paper", "There is no such paper. Choose the page or the table.")
    return letter


def _order_id(letter_id: str) -> str:
    with read() as session:
        return letters.letter_of(session, str(place().store_id), letter_id).about
