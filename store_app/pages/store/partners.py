"""Partner access: keys for partners' programs, shown once, with what they open, until when, and when last used."""

from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as lazy

from config.errors import DomainError
from pos.store import partner_keys
from store_app.pages.common import form
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page, place
from store_app.web.security import requires

bp = Blueprint("partners", __name__, url_prefix="/partners")
WORDS = {
    "products": lazy("Products"), "prices": lazy("Prices"), "stock": lazy("Stock"), "sales": lazy("Sales"),
    "orders": lazy("Orders"), "deliveries": lazy("Deliveries"),
}  # fmt: skip


@bp.get("/")
@requires("settings")
def show(fault: DomainError | None = None, made: str = "", **_place: Any) -> ResponseReturnValue:
    """Show the keys there are. made: the one just created, this once."""
    store_id = str(place().store_id)
    with read() as session:
        keys = partner_keys.keys_of(session, store_id)
    return page(
        "store/settings/partners.html", keys=keys, now=doors().now(), words=WORDS, reads=partner_keys.READ,
        lasts=partner_keys.LASTS_DAYS, longest=partner_keys.LONGEST_NAME, fault=fault, made=made, typed=request.form,
    )  # fmt: skip


@bp.post("/keys")
@requires("settings")
@form.answers_on(show)
def make() -> ResponseReturnValue:
    """Create a key and show it."""
    name, days = form.text("name", most=partner_keys.LONGEST_NAME), form.whole("days", least=1, most=365)
    with write() as session:
        made = partner_keys.make(
            acting(session), str(place().store_id), form.command_id(), name, request.form.getlist("scope"), days
        )
    return show(made=made)


@bp.post("/keys/<key_id>/revoke")
@requires("settings")
@form.answers_on(show)
def revoke(key_id: str) -> ResponseReturnValue:
    """Make a key useless."""
    with write() as session:
        partner_keys.revoke(acting(session), str(place().store_id), key_id)
    return form.done(_("Key revoked. It opens nothing from now on."), ".show")
