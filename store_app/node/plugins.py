"""Every door for plug-ins, and which plug-ins of a node do not work."""

from collections.abc import Iterator
from typing import Any

from config.errors import NotFound
from config.plugins import Door
from config.settings import Settings
from pos.payments.providers import PAYMENTS
from pos.printing.wires import PRINTERS
from pos.till.scale_drivers import SCALES
from store_app.files.plugged import EXPORTERS, IMPORTERS
from store_app.mail.envelopes import CARRIERS
from store_app.runtime import plugins
from store_app.runtime.plugins import Standing

DOORS: dict[str, Door[Any]] = {door.name: door for door in (PAYMENTS, PRINTERS, SCALES, CARRIERS, IMPORTERS, EXPORTERS)}


def door_of(name: str) -> Door[Any]:
    """Return a door; NotFound for none."""
    if name not in DOORS:
        raise NotFound("unknown-plugin", "The plug-in %(plugin)s is not installed.", plugin=name[:40])
    return DOORS[name]


def here(settings: Settings) -> list[Door[Any]]:
    """Return the doors that plug-ins are of use at on this node."""
    return [door for door in DOORS.values() if settings.role in door.at]


def faulty(settings: Settings) -> Iterator[Standing]:
    """Yield the plug-ins of this node that do not work."""
    for door in here(settings):
        yield from (one for one in plugins.standings(door, settings) if one.words)
