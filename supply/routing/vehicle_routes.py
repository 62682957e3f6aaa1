"""Routes: which vehicle calls at which stores in which order, within loads and windows. Pure.

Rules
-----
1. A vehicle never carries more packs than it holds, and no call begins outside its store's window or the vehicle's day.
   What cannot be served so is left out, by name.
2. Whom a vehicle cannot reach is chosen by urgency: a store about to be sold out is left out last. Leaving out costs
   more than any way to drive.
3. Among plans that serve the same stores the shortest is looked for (PyVRP, hybrid genetic search), for a given time.
4. Distances are great circles times DETOUR, driven at SPEED; a measured matrix takes their place where it is known.

Units: metres, seconds of the day, degrees.
"""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from supply.routing.distances import DETOUR, EARTH_M

SPEED_KMH = 30
LONGEST_S = 7.0
"""So long at most is searched."""
MOST_URGENT = 3
Legs = Mapping[tuple[str, str], tuple[int, int]]
"""(from, to) -> (metres, seconds), as measured."""


@dataclass(frozen=True)
class Spot:
    """A place on the map. key: the store's or the warehouse's id."""

    key: str
    lat: float
    lon: float


@dataclass(frozen=True)
class Call:
    """A store to call at. urgency: 0, or up to MOST_URGENT for one that is about to be sold out."""

    spot: Spot
    packs: int
    from_s: int
    until_s: int
    service_s: int
    urgency: int = 0


@dataclass(frozen=True)
class Vehicle:
    """A vehicle and its day."""

    key: str
    packs: int
    from_s: int
    until_s: int


@dataclass(frozen=True)
class Visit:
    """A call as planned. metres: from the place before."""

    key: str
    metres: int
    begins_s: int
    leaves_s: int


@dataclass(frozen=True)
class Route:
    """What one vehicle does in a day. metres: with the way back."""

    vehicle: str
    visits: tuple[Visit, ...]
    metres: int
    leaves_s: int
    back_s: int
    packs: int


@dataclass(frozen=True)
class Day:
    """Everything a day's routes are planned from; picklable, so that a child process can do it."""

    depot: Spot
    calls: tuple[Call, ...]
    vehicles: tuple[Vehicle, ...]
    legs: dict[tuple[str, str], tuple[int, int]]


@dataclass(frozen=True)
class Loaded:
    """What a plan is made from. parts: call key -> (store, ids of its deliveries); nowhere: stores without a place."""

    day: Day
    parts: dict[str, tuple[str, frozenset[str]]]
    nowhere: tuple[str, ...]


@dataclass(frozen=True)
class Planned:
    """The routes, and which stores no vehicle can reach in time."""

    routes: tuple[Route, ...]
    left_out: tuple[str, ...]

    @property
    def metres(self) -> int:
        """How far all vehicles drive."""
        return sum(one.metres for one in self.routes)


class Distances:
    """How far and how long it is between places (rule 4), worked out once; the first one is the depot."""

    def __init__(self, spots: Sequence[Spot], legs: Legs | None = None) -> None:
        import numpy as np  # large, and only who plans measures ways

        self.at = {spot.key: n for n, spot in enumerate(spots)}
        lat, lon = (np.radians([getattr(spot, name) for spot in spots]) for name in ("lat", "lon"))
        turn = np.sin((lat[:, None] - lat) / 2) ** 2
        turn += np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
        flight = 2 * EARTH_M * np.arcsin(np.minimum(1, np.sqrt(turn)))
        self.metres = np.rint(DETOUR * flight).astype(np.int64)
        self.seconds = np.rint(self.metres * 3.6 / SPEED_KMH).astype(np.int64)
        for (here, there), (metres, seconds) in (legs or {}).items():
            if here in self.at and there in self.at and here != there:
                self.metres[self.at[here], self.at[there]] = metres
                self.seconds[self.at[here], self.at[there]] = seconds

    def between(self, here: str, there: str) -> tuple[int, int]:
        """Return metres and seconds from one place to another."""
        n = self.at[here], self.at[there]
        return int(self.metres[n]), int(self.seconds[n])


def split(packs: Mapping[str, int], most: int) -> list[list[str]]:
    """Return deliveries in parts of at most `most` packs, first fit, the largest first; one beyond it stands alone.

    Any two parts together are more than `most`, so that no vehicle holds two of them. packs: by the delivery's id.
    """
    parts: list[tuple[int, list[str]]] = []
    for one, own in sorted(packs.items(), key=lambda row: (-row[1], row[0])):
        n = next((n for n, (held, _) in enumerate(parts) if held + own <= most), None)
        if n is None:
            parts.append((own, [one]))
        else:
            parts[n] = (parts[n][0] + own, [*parts[n][1], one])
    return [part for _, part in parts]


def legs_of_calls(measured: Legs, at: Mapping[str, str]) -> dict[tuple[str, str], tuple[int, int]]:
    """Return measured ways between calls. at: call -> place; several calls may be at one."""
    calls: dict[str, list[str]] = {}
    for key, place in at.items():
        calls.setdefault(place, []).append(key)
    return {
        (one, other): way
        for (here, there), way in measured.items()
        for one in calls.get(here, ())
        for other in calls.get(there, ())
    }


def compute(day: Day) -> Planned:
    """Plan a day as it was loaded."""
    return plan(day.depot, day.calls, day.vehicles, legs=day.legs)


def plan(
    depot: Spot,
    calls: Sequence[Call],
    vehicles: Sequence[Vehicle],
    *,
    legs: Legs | None = None,
    seconds: float | None = None,
    seed: int = 1,
) -> Planned:
    """Plan the routes of a day (rules 1 to 3). seconds: how long to search, else by the number of calls."""
    if not calls or not vehicles:
        return Planned((), tuple(call.spot.key for call in calls))
    ways = Distances([depot, *(call.spot for call in calls)], legs)
    longest = min(LONGEST_S, 0.5 + len(calls) / 20) if seconds is None else seconds
    found = _searched(ways, calls, vehicles, longest, seed)
    tried = [_within(ways, depot.key, vehicles[vehicle], [calls[n] for n in order]) for vehicle, order in found]
    kept = [one for one in tried if one.visits]
    served = {visit.key for one in kept for visit in one.visits}
    return Planned(tuple(kept), tuple(call.spot.key for call in calls if call.spot.key not in served))


def timed(ways: Distances, depot: str, vehicle: Vehicle, calls: Sequence[Call]) -> Route:
    """Return the times of calls in a given order, leaving so late that nobody waits at the first; keeps no rule."""
    leaves = vehicle.from_s
    if calls:
        _, takes = ways.between(depot, calls[0].spot.key)
        leaves = max(leaves, calls[0].from_s - takes)
    visits, here, at, driven = [], depot, leaves, 0
    for call in calls:
        metres, takes = ways.between(here, call.spot.key)
        begins = max(at + takes, call.from_s)
        visits.append(Visit(call.spot.key, metres, begins, begins + call.service_s))
        here, at, driven = call.spot.key, begins + call.service_s, driven + metres
    metres, takes = ways.between(here, depot)
    packs = sum(call.packs for call in calls)
    return Route(vehicle.key, tuple(visits), driven + metres, leaves, at + takes, packs)


def faults(vehicle: Vehicle, calls: Mapping[str, Call], one: Route) -> list[str]:
    """Return what of rule 1 a route does not keep: 'load', 'day', and the keys of the stores called at out of time."""
    found = ["load"] if one.packs > vehicle.packs else []
    if one.back_s > vehicle.until_s or one.leaves_s < vehicle.from_s:
        found.append("day")
    return found + [
        visit.key for visit in one.visits if not calls[visit.key].from_s <= visit.begins_s <= calls[visit.key].until_s
    ]


# --- inside ---


def _within(ways: Distances, depot: str, vehicle: Vehicle, calls: list[Call]) -> Route:
    """Return a route that keeps rule 1: a search cut short may end with calls out of time, and those are left out."""
    by_key = {call.spot.key: call for call in calls}
    while wrong := faults(vehicle, by_key, one := timed(ways, depot, vehicle, calls)):
        late = [call for call in calls if call.spot.key in wrong] or calls
        calls = [call for call in calls if call is not min(late, key=lambda call: (call.urgency, -call.packs))]
    return one


def _searched(
    ways: Distances, calls: Sequence[Call], vehicles: Sequence[Vehicle], seconds: float, seed: int
) -> list[tuple[int, list[int]]]:
    """Return (vehicle, calls in order) of the best plan found.

    Vehicles that are alike are one kind: that searches faster.
    """
    from pyvrp import Client, Depot, Location, ProblemData, VehicleType, solve
    from pyvrp.exceptions import PenaltyBoundWarning
    from pyvrp.stop import MaxRuntime

    dear = 3 * int(ways.metres.max()) + 1  # more than there and back
    clients = [
        Client(
            n, delivery=[call.packs], service_duration=call.service_s, tw_early=call.from_s, tw_late=call.until_s,
            prize=dear * (1 + 4 * call.urgency), required=False,
        )
        for n, call in enumerate(calls, 1)
    ]  # fmt: skip
    alike: dict[tuple[int, int, int], list[int]] = {}
    for n, vehicle in enumerate(vehicles):
        alike.setdefault((vehicle.packs, vehicle.from_s, vehicle.until_s), []).append(n)
    kinds = [
        VehicleType(len(some), capacity=[packs], tw_early=from_s, tw_late=until_s)
        for (packs, from_s, until_s), some in alike.items()
    ]
    places = [Location(0, 0) for _ in ways.at]
    problem = ProblemData(places, clients, [Depot(0)], kinds, [ways.metres], [ways.seconds])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PenaltyBoundWarning)  # what cannot be served in time is left out
        best = solve(problem, MaxRuntime(seconds), seed=seed, collect_stats=False, display=False).best
    free = list(alike.values())
    return [
        (free[route.vehicle_type()].pop(0), [one.idx for one in route.schedule() if one.is_client()])
        for route in best.routes()
    ]
