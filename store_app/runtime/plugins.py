"""The plug-ins of a node's doors: what is entered for them, and what is made of it.

Rules
-----
1. A plug-in takes part once its settings are valid and what the door takes could be made of them.
2. One that can no longer be had, or made, takes no part and says why; the others and the till go on. It is tried again
   after AGAIN_S, and at once when its page is opened or something is entered.
3. A secret is written and never shown; left empty it stays as it is, but where it is sent to another address it has to
   be entered again: nobody who does not know it gets it sent to them.
4. The journal says who changed which fields, never what they hold.
"""

import re
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from config import private
from config.errors import DomainError, Invalid, NotFound, Refused
from config.nodes import journal
from config.nodes.journal import Context
from config.plugins import (
    MAKE_S,
    Door,
    Drawer,
    Fault,
    Guard,
    Made,
    Plugin,
    Stumble,
    TakingPart,
    load,
    make,
    offered,
    stamps,
)
from config.settings import Settings
from config.words import N_

LONGEST = 8_000
AGAIN_S, AGAIN = 60.0, "plugin again"
"""After so long what could not be made is tried again, in a thread of this name."""
UNMADE = N_("The settings no longer work. Enter them again.")
UNREADABLE = N_("These settings belong to another installation. Enter them again.")
GONE = N_("Its package is no longer installed.")
_ADDRESS = re.compile(r"://|\w\.\w|:\d")
"""What a text has that could be an address: a host, or one with its port."""
_SAID = {
    "missing": N_("Fill in this field."),
    "string_too_short": N_("Fill in this field."),
    "string_too_long": N_("This is too long."),
    "int_parsing": N_("Enter a whole number."),
}


@dataclass(frozen=True)
class Standing:
    """A plug-in as its page shows it. is_on: something was entered. words: why it takes no part, '' where it does."""

    name: str
    label: str
    is_on: bool
    words: str = ""


@dataclass(frozen=True)
class Tried:
    """What became of making a plug-in. made: None where words say why. at: on the steady clock."""

    stamp: tuple[int, int]
    made: Any
    words: str
    at: float


def drawer(door: Door[Any], settings: Settings) -> Drawer:
    """Return where this node keeps what was entered for a door's plug-ins."""
    return Drawer(door.name, settings.state_folder, private.node_secret(settings))


def standings(door: Door[Any], settings: Settings) -> list[Standing]:
    """Return the plug-ins that can be set up here, and those that were and are gone; each is tried again (rule 2)."""
    on = stamps(door, settings.state_folder)
    found = (load(door.group, name) for name in offered(door.group))
    here = {one.name for one in found if isinstance(one, Fault) or (one and settings.role in one.at)}
    return [_standing(door, settings, name, on) for name in sorted({*here, *on})]


def plugin(door: Door[Made], name: str) -> Plugin[Made]:
    """Return a plug-in; NotFound for none, Refused where it cannot be used."""
    found = load(door.group, name)
    if found is None:
        raise NotFound("unknown-plugin", "The plug-in %(plugin)s is not installed.", plugin=name[:40])
    if isinstance(found, Fault):
        raise Refused("plugin-fault", found.words)
    return found


def values(door: Door[Any], settings: Settings, name: str) -> dict[str, Any]:
    """Return what was entered, without the secrets."""
    fields = plugin(door, name).settings.model_fields
    found = _entered(door, settings, name)
    return {key: value for key, value in found.items() if key in fields and not is_secret(fields[key])}


def is_secret(field: FieldInfo) -> bool:
    """Tell whether a field's value is never shown (rule 3)."""
    return SecretStr in (field.annotation, *get_args(field.annotation))


def set_up(ctx: Context, door: Door[Any], settings: Settings, name: str, typed: Mapping[str, Any]) -> None:
    """Check what was entered, make the plug-in of it and keep it (rules 1, 3, 4). typed: field -> text, or bool."""
    found, kept = plugin(door, name), drawer(door, settings)
    fields, before = found.settings.model_fields, _entered(door, settings, name)
    wanted = {key: value for key, value in typed.items() if key in fields and value != ""}
    unsaid = {key: before[key] for key in fields if key in before and key not in wanted and is_secret(fields[key])}
    if unsaid and any(_is_elsewhere(value, before.get(key)) for key, value in wanted.items()):
        raise Invalid(
            "secret-again", "The address has changed. Enter this again to confirm that it may be sent there.",
            field=next(iter(unsaid)),
        )  # fmt: skip
    wanted |= unsaid
    try:
        make(door, found, checked(found, wanted), kept.own_folder(name))
    except ValidationError as fault:
        raise _said(fault) from None  # the fault itself holds what was typed
    except Stumble as fault:
        if fault.lacks:
            raise Refused(
                "plugin-extra", "%(plugin)s needs the package %(package)s. Install it, then try again.",
                plugin=found.label, package=fault.lacks,
            ) from None  # fmt: skip
        raise Refused("plugin-unmade", "%(plugin)s can’t be used with these settings.", plugin=found.label) from None
    changed = sorted(key for key in {*wanted, *before} if wanted.get(key) != before.get(key))
    journal.record(ctx, verb="plugin.set_up", subject=f"plugin:{door.name}/{name}", fields=changed)
    kept.write(name, wanted)


def remove(ctx: Context, door: Door[Any], settings: Settings, name: str) -> None:
    """Forget what was entered for a plug-in: it is asked for nothing more."""
    kept = drawer(door, settings)
    if name not in kept.names():
        raise NotFound("unknown-plugin", "The plug-in %(plugin)s is not set up here.", plugin=name[:40])
    journal.record(ctx, verb="plugin.removed", subject=f"plugin:{door.name}/{name}")
    kept.remove(name)


def made(door: Door[Made], settings: Settings) -> dict[str, Made]:
    """Return what was made of the plug-ins that were set up and can be made, by their names (rule 2)."""
    on = stamps(door, settings.state_folder)
    tried = ((name, _tried(door, settings, name, stamp)) for name, stamp in on.items())
    return {name: one.made for name, one in tried if not one.words}


def taking_part(door: Door[Any], settings: Settings) -> TakingPart:
    """Return the plug-ins that were set up and can be loaded here, with their secrets: for a child."""
    names, kept = list(stamps(door, settings.state_folder)), {}
    for name in names:
        one = load(door.group, name)
        if isinstance(one, Plugin) and settings.role in one.at:
            kept[name] = _entered(door, settings, name)
    return TakingPart(kept, drawer(door, settings).folder) if kept else TakingPart()


def checked(one: Plugin[Any], entered: Mapping[str, Any]) -> BaseModel:
    """Return a plug-in's settings; ValidationError, or Stumble, where they are none."""

    def check() -> BaseModel | ValidationError:
        try:
            return one.settings.model_validate(entered)
        except ValidationError as fault:
            return fault

    found: BaseModel | ValidationError = Guard(one.name).ask(MAKE_S, check)
    if isinstance(found, ValidationError):
        raise found
    return found


# --- inside ---

_all_tried: dict[tuple[Path, str, str], Tried] = {}
_locks: dict[tuple[Path, str, str], threading.Lock] = defaultdict(threading.Lock)


def _standing(door: Door[Any], settings: Settings, name: str, on: Mapping[str, tuple[int, int]]) -> Standing:
    found = load(door.group, name)
    if isinstance(found, Plugin):
        words = _tried(door, settings, name, on[name], again=True).words if name in on else ""
        return Standing(name, found.label, name in on, words)
    return Standing(name, name, name in on, found.words if found else GONE)


def _tried(
    door: Door[Any], settings: Settings, name: str, stamp: tuple[int, int], *, again: bool = False
) -> Tried:  # fmt: skip
    """Return what became of a plug-in, made once as it was entered; only a page waits for another try (rule 2)."""
    key = settings.state_folder, door.name, name
    known = _all_tried.get(key)
    if known is not None and known.stamp == stamp and not (known.words and again):
        if known.words and time.monotonic() > known.at + AGAIN_S:
            _all_tried[key] = replace(known, at=time.monotonic())
            asked = door, settings, name, stamp
            threading.Thread(target=_tried, args=asked, kwargs={"again": True}, name=AGAIN, daemon=True).start()
        return known
    with _locks[key]:
        if (now := _all_tried.get(key)) is None or now is known:
            now = _all_tried[key] = _made(door, settings, name, stamp)
        return now


def _made(door: Door[Any], settings: Settings, name: str, stamp: tuple[int, int]) -> Tried:
    thing, words = None, ""
    try:
        kept, one = drawer(door, settings), plugin(door, name)
        typed = kept.read(name)
    except NotFound:
        words = GONE
    except Refused as fault:
        words = fault.sentence
    except (DomainError, OSError, ValueError):
        words = UNREADABLE
    else:
        try:
            thing = make(door, one, checked(one, typed), kept.own_folder(name))
        except (Stumble, ValidationError, DomainError, OSError):
            words = UNMADE
    return Tried(stamp, thing, words, time.monotonic())


def _entered(door: Door[Any], settings: Settings, name: str) -> dict[str, Any]:
    """Return what was entered, {} where there is nothing or it cannot be read."""
    try:
        return drawer(door, settings).read(name)
    except (DomainError, OSError, ValueError):
        return {}


def _is_elsewhere(value: Any, before: Any) -> bool:
    return isinstance(value, str) and value != before and _ADDRESS.search(value) is not None


def _said(fault: ValidationError) -> Invalid:
    first = fault.errors(include_url=False, include_input=False)[0]
    field = str(first["loc"][0]) if first["loc"] else ""
    own = first.get("ctx", {}).get("error")
    words = str(own) if own else _SAID.get(first["type"], N_("This is not a valid value."))
    return Invalid("bad-setting", words, field=field)
