"""The message of an order: seen again as PDF or table, printed, sent again, or handed over."""

from typing import Any

from flask import Blueprint, Response, g, make_response, request
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
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import place
from store_app.web.security import requires
from supply.orders import supplier_messages, ubl

bp = Blueprint("order_messages", __name__, url_prefix="/orders/messages")


def _on_order(message_id: str, fault: DomainError | None = None) -> Any:
    return ordering.order(_order_id(message_id), fault=fault)


@bp.get("/<message_id>.<kind>")
@requires("order")
def paper(message_id: str, kind: str) -> Response:
    """Give a message as it was sent: `pdf` for people, `csv` and, of an order, `xml` for a supplier's program."""
    with read() as session:
        document = _message(session, message_id).body
    return as_paper(document, kind)


def as_paper(document: dict[str, Any], kind: str) -> Response:
    """Answer with a message's page or table."""
    if kind not in ("pdf", "csv", "xml") or (kind == "xml" and document.get("called_off")):
        raise NotFound("no-paper", "Document not found. Choose the page (PDF) or the spreadsheet (CSV).")
    is_order = "delivery_day" in document
    if kind != "pdf" and not is_order:
        raise NotFound("no-paper", "Document not found. Choose the page (PDF) or the spreadsheet (CSV).")
    if kind == "csv":
        made, mimetype = supplier_messages.as_csv(document), "text/csv"
    elif kind == "xml":
        made, mimetype = ubl.order(document), "application/xml"
    else:
        from supply.network.purchasing import message_pages  # brings a drawing library along

        made, mimetype = message_pages.pages(document), "application/pdf"
    answer = make_response(made)
    answer.mimetype = mimetype
    name = "order" if is_order else "return"
    shown = "inline" if kind == "pdf" else "attachment"
    answer.headers["Content-Disposition"] = f'{shown}; filename="{name}-{document["order_no"]}.{kind}"'
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@bp.post("/<message_id>/print")
@requires("order")
@form.answers_on(_on_order)
def slip(message_id: str) -> ResponseReturnValue:
    """Print the order on the till's printer, to be handed over."""
    command, store_id, at = form.command_id(), str(place().store_id), doors().now()
    with write() as session:
        message = _message(session, message_id)
        document = dict(message.body)
        enqueue_once(
            session, own_till(session, store_id), "supplier_order", message_id, document, command=command, at=at
        )
        if message.carrier == "paper" and message.state == "waiting":
            supplier_messages.left(Context(session, g.actor, at), store_id, message_id)
        order_id = message.about
    return form.done(_("The order is printing. Hand it to the supplier."), "ordering.order", order_id=order_id)


@bp.post("/<message_id>/left")
@requires("order")
@form.answers_on(_on_order)
def left(message_id: str) -> ResponseReturnValue:
    """Note that the order was handed over by hand, or told by telephone."""
    with write() as session:
        message = supplier_messages.left(acting(session), str(place().store_id), message_id)
        order_id = message.about
    return form.done(_("Saved. The supplier has it."), "ordering.order", order_id=order_id)


@bp.post("/<message_id>/again")
@requires("order")
@form.answers_on(_on_order)
def again(message_id: str) -> ResponseReturnValue:
    """Send it again, to the address typed."""
    with write() as session:
        message = supplier_messages.again(
            acting(session),
            str(place().store_id),
            message_id,
            how="email",
            address=request.form.get("email", ""),
        )
        order_id = message.about
    return form.done(_("Resent."), "ordering.order", order_id=order_id)


# --- inside ---


def _message(session: Session, message_id: str) -> OutgoingMessage:
    message = supplier_messages.message_of(session, str(place().store_id), message_id)
    if message.kind == "claim":
        raise NotFound("no-paper", "Document not found. Choose the page (PDF) or the spreadsheet (CSV).")
    return message


def _order_id(message_id: str) -> str:
    with read() as session:
        return supplier_messages.message_of(session, str(place().store_id), message_id).about
