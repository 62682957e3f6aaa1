"""The shopkeeper's yes or no to goods the network offers; they are shown with the orders."""

from typing import Any

from flask import Blueprint, flash, g, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, NotFound
from store_app.pages.common import form
from store_app.pages.orders import ordering
from store_app.runtime.doors import doors, wake_worker_after, write
from store_app.web.presenting import place
from store_app.web.security import requires
from store_app.words import words
from supply.orders import network_offers
from supply.orders.network_offers import PushOffer

bp = Blueprint("push", __name__, url_prefix="/offers")
bp.before_request(form.know_the_place)


def _with_orders(fault: DomainError, **_place: Any) -> Any:
    return ordering.orders(fault=fault)


@bp.post("/<push_id>/accept")
@requires("push")
@form.answers_on(_with_orders)
def accept(push_id: str) -> ResponseReturnValue:
    """Take the goods: they come as a delivery."""
    with write() as session:
        offer = _offer(session, push_id)
        if offer.state != "accepted":
            network_offers.accept(session, str(place().store_id), push_id, actor=g.actor, at=doors().now())
        wake_worker_after(session)
    flash(_("Accepted: %(name)s comes with the next van.", name=offer.name), "good")
    return redirect(url_for("ordering.orders"), 303)


@bp.post("/<push_id>/decline")
@requires("push")
@form.answers_on(_with_orders)
def decline(push_id: str) -> ResponseReturnValue:
    """Say no, with a reason the network reads."""
    why = form.reason(words.DECLINE_REASONS)
    with write() as session:
        offer = _offer(session, push_id)
        if offer.state != "declined":
            network_offers.decline(session, str(place().store_id), push_id, why=why, actor=g.actor, at=doors().now())
        wake_worker_after(session)
    flash(_("Declined: %(name)s does not come.", name=offer.name), "info")
    return redirect(url_for("ordering.orders"), 303)


def _offer(session: Session, push_id: str) -> PushOffer:
    found = session.get(PushOffer, (str(place().store_id), push_id))
    if found is None:
        raise NotFound("unknown-offer", _("There is no such offer to this shop."))
    return found
