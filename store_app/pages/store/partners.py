"""Partner access: keys for partners' programs and addresses that receive events, with what became of them.

A key opens, and an address hears of, nothing that whoever creates it may not do: NEEDS.
"""

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy

from config.clock import day_start
from config.errors import DomainError, Invalid, Refused
from pos.store import partner_keys, webhooks
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, wake_worker_after, write
from store_app.web.presenting import RAIL_COUNTS, page, place, today
from store_app.web.security import can, requires

bp = Blueprint("partners", __name__, url_prefix="/partners")
RAIL_COUNTS["partners"] = webhooks.paused
SHOWN = 50
WORDS = {
    "products": lazy("Products"), "prices": lazy("Prices"), "stock": lazy("Stock"), "sales": lazy("Sales"),
    "orders": lazy("Orders"), "deliveries": lazy("Deliveries"), "customers": lazy("Customers who agree"),
}  # fmt: skip
NEEDS = {
    "products": "catalogue", "prices": "catalogue", "stock": "stock.look", "sales": "reports", "orders": "order",
    "deliveries": "receive", "customers": "customers",
}  # fmt: skip
"""Resource -> the permission to open it to a partner."""
TOLD = [name for name in WORDS if name != "customers"]
"""What events tell of: not of customers, for a customer can take a yes back, and a posted event stays posted."""


@bp.get("/")
@requires("settings")
def show(fault: DomainError | None = None, made: str = "", secret: str = "", **_place: Any) -> ResponseReturnValue:
    """Show the keys and addresses there are. made, secret: of the one just created, this once."""
    store_id = str(place().store_id)
    with read() as session:
        keys, endpoints = partner_keys.keys_of(session, store_id), webhooks.endpoints_of(session, store_id)
    return page(
        "store/settings/partners.html", keys=keys, endpoints=endpoints, now=doors().now(), words=WORDS, told=TOLD,
        reads=partner_keys.READ, writes=partner_keys.WRITE, may=set(filter(_may, WORDS)), lasts=partner_keys.LASTS_DAYS,
        longest=partner_keys.LONGEST_NAME, longest_url=webhooks.LONGEST_URL, fault=fault, made=made, secret=secret,
        typed=request.form,
    )  # fmt: skip


@bp.post("/keys")
@requires("settings")
@form.answers_on(show)
def make() -> ResponseReturnValue:
    """Create a key and show it."""
    name, days = form.text("name", most=partner_keys.LONGEST_NAME), form.whole("days", least=1, most=365)
    scopes = request.form.getlist("scope")
    _refuse_beyond(scope.partition(":")[0] for scope in scopes)
    with write() as session:
        made = partner_keys.make(acting(session), str(place().store_id), form.command_id(), name, scopes, days)
    return show(made=made)


@bp.post("/keys/<key_id>/revoke")
@requires("settings")
@form.answers_on(show)
def revoke(key_id: str) -> ResponseReturnValue:
    """Make a key useless."""
    with write() as session:
        partner_keys.revoke(acting(session), str(place().store_id), key_id)
    return form.done(_("Key revoked. It no longer works."), ".show")


@bp.post("/webhooks")
@requires("settings")
@form.answers_on(show)
def add_webhook() -> ResponseReturnValue:
    """Add an address that receives events, and show its secret."""
    url, resources = form.text("url", most=webhooks.LONGEST_URL), request.form.getlist("resource")
    if not set(resources) <= set(TOLD):
        raise Invalid("no-events", "Choose what the address receives.", field="resource")
    _refuse_beyond(resources)
    with write() as session:
        secret = webhooks.make(acting(session), str(place().store_id), form.command_id(), url, resources)
    return show(secret=secret)


@bp.get("/webhooks/<id>")
@requires("settings")
def webhook(id: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show an address and what became of its last events."""
    with read() as session:
        row = webhooks.endpoint_of(session, str(place().store_id), id)
        events, waiting = webhooks.newest(session, row, SHOWN), len(webhooks.waiting(session, row))
    return page(
        "store/settings/webhook.html", row=row, events=events, waiting=waiting, words=WORDS, fault=fault,
        last=today(),
    )  # fmt: skip


@bp.post("/webhooks/<id>/replay")
@requires("settings")
@form.answers_on(webhook)
def replay(id: str) -> ResponseReturnValue:
    """Send again what changed since the beginning of a day."""
    here = place()
    since = day_start(form.day("since", _("Choose a day.")), here.tz, here.rollover_hour)
    with write() as session:
        webhooks.replay(acting(session), webhooks.endpoint_of(session, str(here.store_id), id), since)
        wake_worker_after(session)
    return form.done(_("Everything that changed since then will be sent again."), ".webhook", id=id)


@bp.post("/webhooks/<id>/resume")
@requires("settings")
@form.answers_on(webhook)
def resume(id: str) -> ResponseReturnValue:
    """Go on sending to a paused address."""
    with write() as session:
        webhooks.resume(acting(session), webhooks.endpoint_of(session, str(place().store_id), id))
        wake_worker_after(session)
    return form.done(_("Resumed. Waiting events will be sent now."), ".webhook", id=id)


@bp.post("/webhooks/<id>/remove")
@requires("settings")
@form.answers_on(webhook)
def remove(id: str) -> ResponseReturnValue:
    """Remove an address."""
    with write() as session:
        webhooks.remove(acting(session), webhooks.endpoint_of(session, str(place().store_id), id))
    return form.done(_("Address removed. Nothing more will be sent to it."), ".show")


# --- inside ---


def _may(resource: str) -> bool:
    return can(NEEDS[resource])


def _refuse_beyond(resources: Iterable[str]) -> None:
    if not all(_may(one) for one in resources if one in NEEDS):
        raise Refused(
            "not-allowed", "%(name)s can’t do this. Ask someone who can, or sign in as someone else.", name=g.actor.name
        )
