"""In which order a few doors are called at: window by window, each by the shortest way. Pure.

Rules
-----
1. A window that begins earlier is served earlier. Within one the way is the shortest there is from where the one before
   ended (and back to the store after the last), tried whole up to EXACT doors; of two as short the doors as given.
2. For more doors `many` says what is planned by PyVRP in a child process (`planning`); here they are then only put
   by the nearest next, for a list to look at.

Units: degrees, metres; instants aware.
"""

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from supply.routing.distances import Point, way_m

EXACT = 8


@dataclass(frozen=True)
class Door:
    """A door to call at. begins: its window's start; None: any time."""

    key: str
    at: Point
    begins: dt.datetime | None = None


def in_order(store: Point, doors: Sequence[Door]) -> list[Door]:
    """Return the doors in the order to call at them (rules 1, 2)."""
    early = dt.datetime.min.replace(tzinfo=dt.UTC)
    spells = sorted({door.begins or early for door in doors})
    found: list[Door] = []
    for spell in spells:
        some = [door for door in doors if (door.begins or early) == spell]
        here = found[-1].at if found else store
        last = store if spell == spells[-1] else None
        found += _shortest(here, some, last) if len(some) <= EXACT else _nearest_next(here, some)
    return found


def many(doors: Sequence[Door]) -> bool:
    """Tell whether a window has more doors than are tried whole (rule 2)."""
    return any(sum(door.begins == one.begins for door in doors) > EXACT for one in doors)


def length_m(store: Point, doors: Sequence[Door]) -> int:
    """Return the way from the store over the doors and back."""
    points = [store, *(door.at for door in doors), store]
    return sum(way_m(here, there) for here, there in itertools.pairwise(points)) if doors else 0


def _shortest(start: Point, doors: Sequence[Door], last: Point | None) -> list[Door]:
    """Return the shortest order (Held and Karp): the best way on from each door over each set of those left."""

    @cache
    def best(here: int, left: frozenset[int]) -> tuple[int, tuple[int, ...]]:
        at = doors[here].at if here >= 0 else start
        if not left:
            return (way_m(at, last) if last else 0), ()
        ways = []
        for n in sorted(left):
            rest, order = best(n, left - {n})
            ways.append((way_m(at, doors[n].at) + rest, (n, *order)))
        return min(ways)

    return [doors[n] for n in best(-1, frozenset(range(len(doors))))[1]]


def _nearest_next(start: Point, doors: Sequence[Door]) -> list[Door]:
    left, here, found = list(doors), start, []
    while left:
        nearest = min(left, key=lambda door: (way_m(here, door.at), door.key))
        left.remove(nearest)
        found.append(nearest)
        here = nearest.at
    return found


def planned(loaded: tuple[Point, tuple[Door, ...]]) -> list[str]:
    """Return the doors' keys in an order looked for by PyVRP, window by window; to be run in a child of its own."""
    from supply.routing.vehicle_routes import Call, Spot, Vehicle, plan

    store, doors = loaded
    found: list[str] = []
    for spell in sorted({door.begins for door in doors}, key=lambda one: one or dt.datetime.min.replace(tzinfo=dt.UTC)):
        some = [door for door in doors if door.begins == spell]
        calls = [Call(Spot(door.key, *door.at), 1, 0, 86_400, 0) for door in some]
        routes = plan(Spot("", *store), calls, [Vehicle("", len(calls), 0, 86_400)], seconds=1.0).routes
        order = [visit.key for one in routes for visit in one.visits]
        found += order + [door.key for door in some if door.key not in order]
    return found
