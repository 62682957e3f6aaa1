"""The shopkeeper's yes or no to goods the network offers; they are shown with the orders."""

from typing import Any

from flask import Blueprint, flash, g, redirect, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import NotFound, ShopError
from store_app import wording
from store_app.extensions import doors, wake_worker_after, write
from store_app.pages import form, ordering
from store_app.presenting import place
from store_app.security import requires
from supply import push
from supply.push import PushOffer

bp = Blueprint("push", __name__, url_prefix="/offers")
bp.before_request(form.know_the_place)


def _with_orders(fault: ShopError, **_place: Any) -> Any:
    return ordering.orders(fault=fault)


@bp.post("/<push_id>/accept")
@requires("push")
@form.answers_on(_with_orders)
def accept(push_id: str) -> Any:
    """Take the goods: they come as a delivery."""
    with write() as session:
        offer = _offer(session, push_id)
        if offer.state != "accepted":
            push.accept(session, str(place().store_id), push_id, actor=g.actor, at=doors().now())
        wake_worker_after(session)
    flash(_("Accepted: %(name)s comes with the next van.", name=offer.name), "good")
    return redirect(url_for("ordering.orders"), 303)


@bp.post("/<push_id>/decline")
@requires("push")
@form.answers_on(_with_orders)
def decline(push_id: str) -> Any:
    """Say no, with a reason the network reads."""
    why = form.reason(wording.DECLINE_REASONS)
    with write() as session:
        offer = _offer(session, push_id)
        if offer.state != "declined":
            push.decline(session, str(place().store_id), push_id, why=why, actor=g.actor, at=doors().now())
        wake_worker_after(session)
    flash(_("Declined: %(name)s does not come.", name=offer.name), "info")
    return redirect(url_for("ordering.orders"), 303)


def _offer(session: Session, push_id: str) -> PushOffer:
    found = session.get(PushOffer, (str(place().store_id), push_id))
    if found is None:
        raise NotFound("unknown-offer", _("There is no such offer to this shop."))
    return found
