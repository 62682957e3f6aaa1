"""A place that a person can go to, and which they may enter: for the rail, More, Today and the search.

A place of a network is nowhere in a store on its own.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from flask import url_for
from flask_babel.speaklater import LazyString
from sqlalchemy.orm import Session

from store_app.roles import is_network
from store_app.runtime.doors import own_doors
from store_app.web.security import can


@dataclass(frozen=True)
class Place:
    """A place: its endpoint, who may enter, icon, name and what is done there."""

    endpoint: str
    permission: str
    icon: str
    name: LazyString
    about: LazyString | str = ""
    of_network: bool = False
    """Of no use to a store on its own."""
    used: Callable[[Session, str], bool] | None = None
    """Whether the store uses it; None: every store does."""
    waits: str = ""
    """The number of `RAIL_COUNTS` that waits there."""
    words: LazyString | str = ""
    """What else a person may call it."""
    anchor: str = ""
    """The part of the page where it is."""

    @property
    def address(self) -> str:
        """Return where it is."""
        return url_for(self.endpoint, _anchor=self.anchor or None)


def may_enter(places: Iterable[Place]) -> list[Place]:
    """Return the places that this person may enter and this store has."""
    in_network = is_network(own_doors().settings) or bool(own_doors().settings.network_url)
    return [one for one in places if can(one.permission) and (in_network or not one.of_network)]
