"""The terminals and wallets of this node, as its settings name them, and the network that grants points."""

import functools
from pathlib import Path

from config.settings import Settings
from pos.payments.asking import Asker
from pos.payments.practice_terminal import PRACTICE, SCRIPTED, PracticeTerminal
from pos.payments.providers import Providers
from store_app.payments.network_points import NetworkPoints
from store_app.runtime.doors import Doors


def asker(doors: Doors) -> Asker:
    """Return who asks for money at this node: the same for the till's door, the pages and the worker."""
    settings = doors.settings
    return Asker(doors.database, providers(settings), settings.node_id, settings.nation, doors.now)


def providers(settings: Settings) -> Providers:
    """Return the providers of a node; a demonstration practises unless its settings say otherwise."""
    chosen = settings.payment_service or (PRACTICE if settings.practice else "")
    known = _providers(chosen, settings.state_folder)
    if settings.network_url:
        known.add(NetworkPoints.name, lambda: NetworkPoints(settings))
    return known


@functools.cache
def _providers(chosen: str, folder: Path) -> Providers:
    known = Providers()
    if chosen in (PRACTICE, SCRIPTED):
        # one file, two tempers: what one of them was asked, the other can still answer
        for name in sorted((PRACTICE, SCRIPTED), key=lambda name: name != chosen):
            known.add(name, lambda name=name: PracticeTerminal(folder, scripted=name == SCRIPTED))  # type: ignore[misc]
    return known
