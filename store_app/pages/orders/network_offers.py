"""The shopkeeper's yes, no or later to what the network offers or proposes; it is shown with the orders."""

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import DomainError, NotFound
from store_app.pages.common import form
from store_app.pages.orders import ordering
from store_app.runtime.doors import acting, write
from store_app.web.presenting import day, place
from store_app.web.security import requires
from store_app.words import words
from supply.orders import network_offers
from supply.orders.network_offers import NetworkOffer

bp = Blueprint("network_offers", __name__, url_prefix="/offers")


def _with_orders(fault: DomainError, **_place: Any) -> Any:
    return ordering.orders(fault=fault)


@bp.post("/<network_offer_id>/accept")
@requires("network_offer")
@form.answers_on(_with_orders)
def accept(network_offer_id: str) -> ResponseReturnValue:
    """Take the goods: they come as a delivery."""
    with write() as session:
        offer = _offer(session, network_offer_id)
        if offer.state not in ("accepted", "agreed"):
            network_offers.accept(acting(session), str(place().store_id), network_offer_id)
        kind = network_offers.terms_from(offer.terms).kind
    if network_offers.is_proposal(offer):
        words_of = {"list": _("%(name)s is now listed here.", name=offer.name),
                    "delist": _("%(name)s is not ordered again.", name=offer.name)}  # fmt: skip
        return form.done(words_of[kind], "ordering.orders")
    return form.done(_("Accepted. %(name)s will come with the next vehicle.", name=offer.name), "ordering.orders")


@bp.post("/<network_offer_id>/decline")
@requires("network_offer")
@form.answers_on(_with_orders)
def decline(network_offer_id: str) -> ResponseReturnValue:
    """Say no, with a reason the network reads."""
    why = form.reason(words.DECLINE_REASONS)
    with write() as session:
        offer = _offer(session, network_offer_id)
        if offer.state != "declined":
            network_offers.decline(acting(session), str(place().store_id), network_offer_id, why=why)
    if network_offers.is_proposal(offer):
        return form.done(_("Declined. Nothing changes for %(name)s.", name=offer.name), "ordering.orders", "info")
    return form.done(_("Declined. %(name)s will not be delivered.", name=offer.name), "ordering.orders", "info")


@bp.post("/<network_offer_id>/later")
@requires("network_offer")
@form.answers_on(_with_orders)
def later(network_offer_id: str) -> ResponseReturnValue:
    """Put the answer off until its last day."""
    with write() as session:
        offer = network_offers.postpone(acting(session), str(place().store_id), network_offer_id)
    words_of = _("Put off. Respond by %(day)s; you are reminded on that day.", day=day(offer.answer_by))
    return form.done(words_of, "ordering.orders", "info")


def _offer(session: Session, network_offer_id: str) -> NetworkOffer:
    found = session.get(NetworkOffer, (str(place().store_id), network_offer_id))
    if found is None:
        raise NotFound("unknown-offer", "Offer not found for this store.")
    return found
