"""Goods of an online order that come back at the counter: begun, taken back, or refused with a reason."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from pos.payments.tenders import CASH
from store_app.pages.common import form
from store_app.pages.common.own_till import till_of
from store_app.pages.customers import pickup
from store_app.runtime.doors import acting, write
from store_app.web.presenting import place
from store_app.web.security import requires
from supply.online.orders import lines_of, order_for_update
from supply.online.pickup import returns

bp = Blueprint("pickup_returns", __name__, url_prefix="/pickup/<order_id>/return")


@bp.post("/ask")
@requires("pickup")
@form.answers_on(pickup.order)
def ask(order_id: str) -> ResponseReturnValue:
    """Begin to take goods back, the customer standing at the counter."""
    why = form.text("why", required=_("Describe what is wrong with the products."))
    with write() as session:
        row = order_for_update(session, str(place().store_id), order_id)
        if row.state != "return_asked":
            returns.ask(acting(session), row.store_id, order_id, why=why)
    return redirect(url_for("pickup.order", order_id=order_id), 303)


@bp.post("/take-back")
@requires("take_back")
@form.answers_on(pickup.order)
def take_back(order_id: str) -> ResponseReturnValue:
    """Take goods back; the same command twice is one return."""
    command, store_id = form.command_id(), str(place().store_id)
    tender = request.form.get("tender") or CASH
    with write() as session:
        row = order_for_update(session, store_id, order_id)
        lines = [
            (line.sku, qty, request.form.get(f"whole-{line.sku}") == "yes")
            for line in lines_of(session, row)
            if (qty := form.number(request.form.get(f"back-{line.sku}") or "0", f"back-{line.sku}", most=line.qty))
        ]
        returns.take_back(
            acting(session),
            store_id,
            order_id,
            lines,
            return_id=command,
            till_id=till_of(session, store_id),
            tender=tender,
        )
    return form.done(_("Refunded. The receipt is printing."), "pickup.order", order_id=order_id)


@bp.post("/refuse")
@requires("pickup")
@form.answers_on(pickup.order)
def refuse(order_id: str) -> ResponseReturnValue:
    """Say no to goods that should come back; the customer reads why."""
    why = form.text("why", required=_("Enter a reason. The customer will see it."))
    with write() as session:
        row = order_for_update(session, str(place().store_id), order_id)
        if row.state != "return_refused":
            returns.refuse(acting(session), row.store_id, order_id, why=why)
    return redirect(url_for("pickup.order", order_id=order_id), 303)
