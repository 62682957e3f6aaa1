"""Plug-ins: which are installed, which take part, and the form that each one's settings make.

At the network a payment service's settings say whose account takes customers' money: where two operators work there,
both type their passphrases.
"""

from typing import Any, Literal, get_args, get_origin

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, Invalid
from config.ids import NETWORK
from config.plugins import Door
from pos.payments.providers import PAYMENTS
from pos.store.store import Staff
from store_app.node.plugins import door_of, here
from store_app.pages.common import form, two_operators
from store_app.runtime import plugins
from store_app.runtime.doors import acting, doors, read, write
from store_app.web.presenting import page
from store_app.web.security import requires

bp = Blueprint("plugins", __name__, url_prefix="/plugins")


@bp.get("/")
@requires("settings")
def listed(fault: DomainError | None = None, **_one: str) -> ResponseReturnValue:
    """Show the plug-ins there are, door by door."""
    settings = doors().settings
    groups = [(door, plugins.standings(door, settings)) for door in here(settings)]
    return page("store/settings/plugins.html", groups=groups, title=_("Plug-ins"), fault=fault)


@bp.get("/payments/")
@requires("settings")
def payments() -> ResponseReturnValue:
    """Show the payment services alone."""
    groups = [(PAYMENTS, plugins.standings(PAYMENTS, doors().settings))]
    return page("store/settings/plugins.html", groups=groups, title=_("Payment services"), fault=None)


@bp.get("/<group>/<name>")
@requires("settings")
def one(group: str, name: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one plug-in's settings; secrets are not among them."""
    door, settings = door_of(group), doors().settings
    found, entered = plugins.plugin(door, name), plugins.values(door, settings, name)
    is_on = name in plugins.drawer(door, settings).names()
    fields = [_field(key, one, entered) for key, one in found.settings.model_fields.items() if one.title]
    return page(
        "store/settings/plugin.html", door=door, plugin=found, fields=fields, is_on=is_on, fault=fault,
        longest=plugins.LONGEST, typed=request.form, others=_who_agree(door),
    )  # fmt: skip


@bp.post("/<group>/<name>")
@requires("settings")
@form.answers_on(one)
def save(group: str, name: str) -> ResponseReturnValue:
    """Keep what was entered and let the plug-in take part."""
    door = door_of(group)
    fields = plugins.plugin(door, name).settings.model_fields
    typed = {key: _typed(key, one) for key, one in fields.items() if one.title}
    if _who_agree(door):
        two_operators.agree()
    with write() as session:
        plugins.set_up(acting(session), door, doors().settings, name, typed)
    return form.done(_("Saved. This plug-in is in use."), ".payments" if door is PAYMENTS else ".listed")


@bp.post("/<group>/<name>/remove")
@requires("settings")
@form.answers_on(listed)
def remove(group: str, name: str) -> ResponseReturnValue:
    """Forget a plug-in's settings."""
    door = door_of(group)
    with write() as session:
        plugins.remove(acting(session), door, doors().settings, name)
    done = _("Settings deleted. This plug-in is no longer used.")
    return form.done(done, ".payments" if door is PAYMENTS else ".listed")


# --- inside ---


def _who_agree(door: Door[Any]) -> list[Staff]:
    """Return the operators of whom one has to agree: to payment services of the network, where there are others."""
    if door is not PAYMENTS or doors().settings.node_id != NETWORK:
        return []
    with read() as session:
        return two_operators.others(session)


def _field(key: str, one: Any, entered: dict[str, Any]) -> dict[str, Any]:
    """Return a field as the page draws it."""
    choices = get_args(one.annotation) if get_origin(one.annotation) is Literal else ()
    sort = "secret" if plugins.is_secret(one) else "switch" if one.annotation is bool else "choice" if choices else ""
    default = "" if one.is_required() or sort == "secret" else one.default
    return {
        "name": key, "sort": sort, "label": _(one.title), "hint": _(one.description) if one.description else "",
        "choices": choices, "value": entered.get(key, default), "required": one.is_required(),
    }  # fmt: skip


def _typed(key: str, one: Any) -> str | bool:
    if one.annotation is bool:
        return key in request.form
    found = request.form.get(key, "").replace("\r\n", "\n").strip()
    if len(found) > plugins.LONGEST or "\x00" in found:
        raise Invalid("bad-setting", "This is too long.", field=key)
    return found
