"""The buttons that put a slip into the printer's queue: each belongs to the page it stands on, and leads back there."""

from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import NotFound
from pos import messages
from pos.reports import receipt_mail
from pos.reports import slips as store_slips
from pos.store.store import Till
from store_app.mail import envelopes
from store_app.pages.common import form
from store_app.pages.common.own_till import own_till
from store_app.pages.goods import product_list
from store_app.pages.goods.products import day_typed
from store_app.pages.goods.stocktake import number_of
from store_app.pages.till import shift
from store_app.runtime.doors import acting, doors, write
from store_app.web.presenting import place
from store_app.web.security import requires
from supply.online.pickup import slips
from supply.shelf import plan

bp = Blueprint("slips", __name__, url_prefix="/slips")


@bp.post("/gift/<sale_id>")
@requires("print")
def gift(sale_id: str) -> ResponseReturnValue:
    """Print the gift receipt of a sale."""
    command = form.command_id()
    with write() as session:
        store_slips.gift_receipt(session, _till(session), sale_id, command=command, at=doors().now())
    return _back(_("The gift receipt is printing."), "shift.receipt", sale_id=sale_id)


@bp.post("/mail/<sale_id>")
@requires("print")
@form.answers_on(shift.receipt)
def mail(sale_id: str) -> ResponseReturnValue:
    """Send a receipt by e-mail as soon as there is a line."""
    command, settings = form.command_id(), doors().settings
    with write() as session:
        receipt_mail.ask(
            acting(session),
            settings.node_id,
            sale_id,
            form.text("email", most=messages.LONGEST),
            command=command,
            sends_mail=envelopes.sends_mail(settings),
        )
    return _back(_("The receipt will go out by email once you’re online."), "shift.receipt", sale_id=sale_id)


@bp.post("/pick-list")
@requires("pickup")
def pick_list() -> ResponseReturnValue:
    """Print what all accepted orders want, by where it lies."""
    command = form.command_id()
    with write() as session:
        slips.pick_list(acting(session), _till(session), command=command)
    return _back(_("The pick list is printing."), "pickup.orders")


@bp.post("/orders/<order_id>")
@requires("pickup")
def order(order_id: str) -> ResponseReturnValue:
    """Print the slip of one order, or the label of its bag."""
    command = form.command_id()
    with write() as session:
        slips.order_slip(session, _till(session), order_id, command=command, at=doors().now())
    return _back(_("The slip is printing."), "pickup.order", order_id=order_id)


@bp.post("/deliveries/<delivery_id>/<kind>")
@requires("receive")
def delivery(delivery_id: str, kind: str) -> ResponseReturnValue:
    """Print what came against what was ordered, or the claim to the supplier."""
    if kind not in ("delivery", "claim"):
        raise NotFound("no-such-slip", "Slip not found.")
    command = form.command_id()
    with write() as session:
        slips.delivery_slip(acting(session), _till(session), delivery_id, kind, command=command)
    return _back(_("The slip is printing."), "receiving.delivery", delivery_id=delivery_id)


@bp.post("/takes/<take_id>/<n>")
@requires("stock.count")
def count_sheet(take_id: str, n: str) -> ResponseReturnValue:
    """Print the sheet to count a section on."""
    command, top_category = form.command_id(), form.tidy(request.form.get("top_category", ""))
    with write() as session:
        store_slips.count_sheet(
            acting(session),
            _till(session),
            take_id,
            number_of(n),
            top_category,
            command=command,
        )
    return _back(_("The count sheet is printing."), "stocktake.section", take_id=take_id, n=n)


@bp.post("/prices")
@requires("catalogue")
def price_batch() -> ResponseReturnValue:
    """Print the list of the prices that begin on a day."""
    command, day, store_id = form.command_id(), day_typed("day"), str(place().store_id)
    with write() as session:
        skus = product_list.beginning(session, store_id, day)
        store_slips.price_batch(
            acting(session),
            _till(session),
            skus,
            day,
            plan.ranks(session, store_id),
            command=command,
        )
    return _back(_("The list of new prices is printing."), "prices.labels", day=day.isoformat())


# --- inside ---


def _till(session: Session) -> Till:
    """Return the till whose printer the slip goes to; the worker is woken for it."""
    return own_till(session, str(place().store_id))


def _back(sentence: str, endpoint: str, **where: Any) -> ResponseReturnValue:
    return form.done(sentence, endpoint, **where)
