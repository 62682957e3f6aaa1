"""Campaigns of the network at this store: what each asks, the shopkeeper's yes or no, and what was paid for it."""

from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError
from store_app.pages.common import form
from store_app.runtime.doors import acting, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires
from store_app.words import words
from supply.demand import campaign_uplift
from supply.network.offers import campaign_requests
from supply.shelf import plan

bp = Blueprint("campaigns", __name__, url_prefix="/campaigns")


@bp.get("/")
@requires("offers")
def listed(fault: DomainError | None = None, **_place: Any) -> ResponseReturnValue:
    """Show the campaigns, those that want an answer first, with what a yes would do."""
    store_id = str(place().store_id)
    with read() as session:
        rows = campaign_requests.asks(session, store_id)
        extra = {
            row.campaign_id: campaign_requests.expected_extra(session, row)
            for row in rows
            if row.state in ("asked", "accepted")
        }
        has_shelf = plan.live_plan(session, store_id) is not None
    return page(
        "orders/campaigns.html",
        rows=rows,
        lines_of=campaign_uplift.lines_of,
        extra=extra,
        has_shelf=has_shelf,
        reasons=words.DECLINE_REASONS,
        currency=place().currency,
        fault=fault,
    )


@bp.post("/<campaign_id>/accept")
@requires("offers")
@form.answers_on(listed)
def accept(campaign_id: str) -> ResponseReturnValue:
    """Say yes."""
    store_id = str(place().store_id)
    with write() as session:
        if not _is(session, store_id, campaign_id, "accepted"):
            campaign_requests.accept(acting(session), store_id, campaign_id)
    return form.done(_("Accepted. The promotion, products and shelf space will be set up automatically."), ".listed")


@bp.post("/<campaign_id>/decline")
@requires("offers")
@form.answers_on(listed)
def decline(campaign_id: str) -> ResponseReturnValue:
    """Say no, with a reason the network reads."""
    why, store_id = form.reason(words.DECLINE_REASONS), str(place().store_id)
    with write() as session:
        if not _is(session, store_id, campaign_id, "declined"):
            campaign_requests.decline(acting(session), store_id, campaign_id, why=why)
    return form.done(_("Declined. Nothing changes in your store."), ".listed", "info")


def _is(session: Any, store_id: str, campaign_id: str, state: str) -> bool:
    row = session.get(campaign_uplift.CampaignAsk, (store_id, campaign_id))
    return row is not None and row.state == state
