"""Payment services added as plug-ins: what is entered for them, and the providers that are made of it.

Rules
-----
1. A service takes part once its settings are valid and it could be made of them.
2. One that can no longer be had, or made, takes no part and says why; the others and the till go on. What was asked of
   it stays open until it is back. What it raises while it is asked, and an answer that is none, is no answer
   (Unreachable).
3. A secret is written and never shown; left empty it stays as it is.
4. The journal says who changed which fields, never what they hold.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import structlog
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from config import private
from config.errors import DomainError, Invalid, NotFound, Refused, Unreachable
from config.nodes import journal
from config.nodes.journal import Context
from config.plugins import Drawer, Fault, Plugin, load, offered, stamp_of
from config.settings import Settings
from config.words import N_
from pos.payments.providers import ONLINE, WAYS, Notifying, Outcome, Provider

GROUP = "cornerstore.payments"
LONGEST = 8_000
UNMADE = N_("The settings no longer work. Enter them again.")
UNREADABLE = N_("These settings belong to another installation. Enter them again.")
_SAID = {
    "missing": N_("Fill in this field."),
    "string_too_short": N_("Fill in this field."),
    "string_too_long": N_("This is too long."),
    "int_parsing": N_("Enter a whole number."),
}
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Service:
    """A service as its page shows it. is_on: something was entered. words: why it takes no part, '' where it does."""

    name: str
    label: str
    is_on: bool
    words: str = ""


def drawer(settings: Settings) -> Drawer:
    """Return where this node keeps its services' settings."""
    return Drawer(GROUP, settings.state_folder, private.node_secret(settings))


def stamp(settings: Settings) -> tuple[tuple[str, int], ...]:
    """Return what changes when anything is entered or forgotten."""
    return stamp_of(GROUP, settings.state_folder)


def services(settings: Settings) -> list[Service]:
    """Return the services that can be set up here, and those that were and are gone."""
    kept = drawer(settings)
    found = (load(GROUP, name) for name in offered(GROUP))
    here = {one.name for one in found if isinstance(one, Fault) or (one and settings.role in one.at)}
    return [_service(kept, name) for name in sorted({*here, *kept.names()})]


def plugin(name: str) -> Plugin[Provider]:
    """Return a service's plug-in; NotFound for none, Refused where it cannot be used."""
    found = load(GROUP, name)
    if found is None:
        raise NotFound("unknown-provider", "The payment service %(provider)s is not installed.", provider=name[:40])
    if isinstance(found, Fault):
        raise Refused("plugin-fault", found.words)
    return found


def values(settings: Settings, name: str) -> dict[str, Any]:
    """Return what was entered, without the secrets."""
    kept, fields = drawer(settings), plugin(name).settings.model_fields
    if name not in kept.names():
        return {}
    try:
        found = kept.read(name)
    except DomainError:
        return {}
    return {key: value for key, value in found.items() if key in fields and not is_secret(fields[key])}


def is_secret(field: FieldInfo) -> bool:
    """Tell whether a field's value is never shown (rule 3)."""
    return SecretStr in (field.annotation, *get_args(field.annotation))


def set_up(ctx: Context, settings: Settings, name: str, typed: Mapping[str, Any]) -> None:
    """Check what was entered, make the service of it and keep it (rules 1, 3, 4). typed: field -> text, or bool."""
    found, kept = plugin(name), drawer(settings)
    fields = found.settings.model_fields
    try:
        before = kept.read(name) if name in kept.names() else {}
    except DomainError:
        before = {}
    wanted = {key: value for key, value in typed.items() if key in fields and value != ""}
    wanted |= {key: before[key] for key in fields if key in before and key not in wanted and is_secret(fields[key])}
    try:
        made = found.settings.model_validate(wanted)
    except ValidationError as fault:
        raise _said(fault) from None  # the fault itself holds what was typed
    try:
        _make(found, made, kept)
    except ModuleNotFoundError as fault:
        raise Refused(
            "plugin-extra", "%(service)s needs the package %(package)s. Install it, then try again.",
            service=found.label, package=fault.name,
        ) from fault  # fmt: skip
    except DomainError:
        raise
    except (Exception, SystemExit) as fault:  # somebody else's package
        _log.warning("payment_service.unmade", service=name, kind=type(fault).__name__)
        raise Refused("plugin-unmade", "%(service)s can’t be used with these settings.", service=found.label) from None
    changed = sorted(key for key in {*wanted, *before} if wanted.get(key) != before.get(key))
    journal.record(ctx, verb="payment_service.set_up", subject=f"payment_service:{name}", fields=changed)
    kept.write(name, wanted)


def remove(ctx: Context, settings: Settings, name: str) -> None:
    """Forget what was entered for a service: it is asked for nothing more."""
    kept = drawer(settings)
    if name not in kept.names():
        raise NotFound("unknown-provider", "The payment service %(provider)s is not set up here.", provider=name[:40])
    journal.record(ctx, verb="payment_service.removed", subject=f"payment_service:{name}")
    kept.remove(name)


def made(settings: Settings) -> dict[str, Provider]:
    """Return the providers of the services that were set up and can be made (rule 2)."""
    kept, found = drawer(settings), {}
    for name in kept.names():
        try:
            one = plugin(name)
            found[name] = _make(one, one.settings.model_validate(kept.read(name)), kept)
        except (Exception, SystemExit) as fault:  # somebody else's package, or settings it no longer takes
            _log.warning("payment_service.unmade", service=name, kind=type(fault).__name__)
    return found


# --- inside ---


def _service(kept: Drawer, name: str) -> Service:
    found, is_on = load(GROUP, name), name in kept.names()
    if found is None:
        return Service(name, name, is_on, N_("Its package is no longer installed."))
    if isinstance(found, Fault):
        return Service(name, name, is_on, found.words)
    return Service(name, found.label, is_on, _why_not(found, kept) if is_on else "")


def _why_not(one: Plugin[Provider], kept: Drawer) -> str:
    try:
        typed = kept.read(one.name)
    except DomainError:
        return UNREADABLE
    try:
        _make(one, one.settings.model_validate(typed), kept)
    except (Exception, SystemExit):  # somebody else's package
        return UNMADE
    return ""


def _make(one: Plugin[Provider], made: BaseModel, kept: Drawer) -> Provider:
    """Make the provider, and let nothing out of it but answers and our own errors (rule 2)."""
    provider = one.make(made, kept.own_folder(one.name))
    if provider.name != one.name or not set(provider.ways) <= {*WAYS, ONLINE}:
        raise TypeError("another name, or ways that are none")
    for step in ("begin", "query", "cancel", "reverse"):
        setattr(provider, step, _guarded(one.name, getattr(provider, step), Outcome))
    if isinstance(provider, Notifying):
        setattr(provider, "noticed", _guarded(one.name, provider.noticed, str))  # noqa: B010
    return provider


def _guarded(name: str, ask: Callable[..., Any], kind: type) -> Callable[..., Any]:
    @functools.wraps(ask)
    def asked(*words: Any, **named: Any) -> Any:
        try:
            answer = ask(*words, **named)
        except DomainError:
            raise
        except (Exception, SystemExit) as fault:  # somebody else's package
            _log.warning("payment_service.fault", service=name, kind=type(fault).__name__)
            raise Unreachable("provider-fault", "The payment service is not responding.") from fault
        if not isinstance(answer, kind):
            raise Unreachable("provider-fault", "The payment service is not responding.")
        return answer

    return asked


def _said(fault: ValidationError) -> Invalid:
    first = fault.errors(include_url=False, include_input=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    own = first.get("ctx", {}).get("error")
    words = str(own) if own else _SAID.get(first["type"], N_("This is not a valid value."))
    return Invalid("bad-setting", words, field=field)
