"""Rounds to 200 stores in a town: seconds to plan, and how much longer than after a minute's search."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np

from supply.routing import vehicle_routes
from supply.routing.distances import DETOUR
from supply.routing.vehicle_routes import Call, Spot, Vehicle

STOPS, VEHICLES, LOAD, LONG_S = 200, 14, 400, 60.0
HOUR = 3600


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help="compare with ten seconds instead of sixty")
    asked = parser.parse_args()
    result = measure(10.0 if asked.quick else LONG_S)
    reported = result["ours"]
    print(
        json.dumps(result) if asked.json else f"{reported['seconds']:.1f} s, {reported['km']:.0f} km, {result['ratio']}"
    )


def measure(long_s: float, stops: int = STOPS, vehicles: int = VEHICLES) -> dict[str, Any]:
    """Plan a town's day as the job does, and again with `long_s` of search."""
    depot, calls, fleet = town(np.random.default_rng(9), stops, vehicles)
    began = time.perf_counter()
    ours = vehicle_routes.plan(depot, calls, fleet)
    seconds = time.perf_counter() - began
    longer = vehicle_routes.plan(depot, calls, fleet, seconds=long_s)
    by_key, vehicle_of = {call.spot.key: call for call in calls}, {vehicle.key: vehicle for vehicle in fleet}
    faults = [fault for one in ours.routes for fault in vehicle_routes.faults(vehicle_of[one.vehicle], by_key, one)]
    return {
        "bench": "rounds",
        "ours": {
            "seconds": round(seconds, 2), "km": round(ours.metres / 1000, 1), "routes": len(ours.routes),
            "left_out": len(ours.left_out), "faults": len(faults),
        },
        "reference": {"search_s": long_s, "km": round(longer.metres / 1000, 1), "left_out": len(longer.left_out)},
        "ratio": {"distance": round(ours.metres / longer.metres, 4)},
        "settings": {"stops": stops, "vehicles": vehicles, "packs_a_vehicle": LOAD, "detour": DETOUR},
    }  # fmt: skip


def town(random: np.random.Generator, stops: int, vehicles: int) -> tuple[Spot, list[Call], list[Vehicle]]:
    """Return a made-up town: three quarters around a warehouse, windows of three to six hours."""
    quarters = [(31.10, 121.30), (31.25, 121.50), (31.30, 121.35)]
    calls = []
    for n in range(stops):
        lat, lon = quarters[random.integers(3)]
        first, packs = int(random.integers(6, 11)) * HOUR, int(random.integers(4, 41))
        spot = Spot(f"S{n:03d}", lat + float(random.normal(0, 0.04)), lon + float(random.normal(0, 0.04)))
        until = first + int(random.choice([3, 4, 6])) * HOUR
        calls.append(Call(spot, packs, first, until, 300 + 15 * packs, int(random.integers(0, 4))))
    return Spot("WH1", 31.2, 121.4), calls, [Vehicle(f"V{n}", LOAD, 5 * HOUR, 17 * HOUR) for n in range(vehicles)]


if __name__ == "__main__":
    main()
