"""Payment services: which are installed, which take part, and the form that each one's settings make."""

from typing import Any, Literal, get_args, get_origin

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from config.errors import DomainError, Invalid
from store_app.pages.common import form
from store_app.payments import services
from store_app.runtime.doors import acting, doors, write
from store_app.web.presenting import page
from store_app.web.security import requires

bp = Blueprint("payment_services", __name__, url_prefix="/payment-services")


@bp.get("/")
@requires("settings")
def listed() -> ResponseReturnValue:
    """Show the services there are."""
    return page("store/settings/payment_services.html", services=services.services(doors().settings))


@bp.get("/<name>")
@requires("settings")
def service(name: str, fault: DomainError | None = None) -> ResponseReturnValue:
    """Show one service's settings; secrets are not among them."""
    found, entered = services.plugin(name), services.values(doors().settings, name)
    is_on = name in services.drawer(doors().settings).names()
    fields = [_field(key, one, entered) for key, one in found.settings.model_fields.items() if one.title]
    return page(
        "store/settings/payment_service.html", service=found, fields=fields, is_on=is_on, fault=fault,
        longest=services.LONGEST, typed=request.form,
    )  # fmt: skip


@bp.post("/<name>")
@requires("settings")
@form.answers_on(service)
def save(name: str) -> ResponseReturnValue:
    """Keep what was entered and let the service take part."""
    fields = services.plugin(name).settings.model_fields
    typed = {key: _typed(key, one) for key, one in fields.items() if one.title}
    with write() as session:
        services.set_up(acting(session), doors().settings, name, typed)
    return form.done(_("Saved. Payments can be made with this service now."), ".listed")


@bp.post("/<name>/remove")
@requires("settings")
@form.answers_on(service)
def remove(name: str) -> ResponseReturnValue:
    """Forget a service's settings."""
    with write() as session:
        services.remove(acting(session), doors().settings, name)
    return form.done(_("Settings deleted. This service is no longer used."), ".listed")


# --- inside ---


def _field(key: str, one: Any, entered: dict[str, Any]) -> dict[str, Any]:
    """Return a field as the page draws it."""
    choices = get_args(one.annotation) if get_origin(one.annotation) is Literal else ()
    sort = "secret" if services.is_secret(one) else "switch" if one.annotation is bool else "choice" if choices else ""
    default = "" if one.is_required() or sort == "secret" else one.default
    return {
        "name": key, "sort": sort, "label": _(one.title), "hint": _(one.description) if one.description else "",
        "choices": choices, "value": entered.get(key, default), "required": one.is_required(),
    }  # fmt: skip


def _typed(key: str, one: Any) -> str | bool:
    if one.annotation is bool:
        return key in request.form
    found = request.form.get(key, "").replace("\r\n", "\n").strip()
    if len(found) > services.LONGEST or "\x00" in found:
        raise Invalid("bad-setting", "This is too long.", field=key)
    return found
