"""InventoryBench (arXiv 2602.12631): ordering games with a cold start and orders that may never come.

The honest view: whoever orders is not told that an order is lost; it stays in transit. Every period counts as a week,
each game is a store of its own, and no setting differs between games.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import json
import re
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import ndtri

from forecasting.series.panel import Flags, Floats, Ints
from supply.orders import lead_times
from supply.orders.lead_times import Trip
from tests.benchmarks import _folders, _retail, _weekly
from tests.benchmarks._weekly import WEEK, Stand

FILE = "inventorybench_dev.parquet"
PROMISED = {"0": 0, "4": 4, "uncertain": 2}
GIVEN, LONGEST = 5, 5
"""Periods of demand that are known before a game; orders are looked for on so many periods."""
FIRST_DAY = dt.date(2024, 1, 1)
SAMPLE, SEED = 60, 11


@dataclass(frozen=True)
class Games:
    """Games side by side: demand (n, GIVEN + T) with NaN after a game's end, lead (n, T) periods, inf = never."""

    names: tuple[str, ...]
    family: tuple[str, ...]
    lead_kind: tuple[str, ...]
    demand: Floats
    lead: Floats
    profit: Floats
    holding: Floats

    @property
    def promised(self) -> Ints:
        """The lead time each game promises."""
        return np.array([PROMISED[kind] for kind in self.lead_kind])


@dataclass(frozen=True)
class View:
    """What whoever orders sees in a period: all demand until before it, and the periods before it."""

    period: int
    demand: Floats
    on_hand: Floats
    in_transit: Floats
    last_order: Floats
    last_arrival: Floats


Rule = Callable[[View], Floats]


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=_folders.data(), help=f"the folder of {FILE}")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help=f"{SAMPLE} games, drawn with seed {SEED}")
    asked = parser.parse_args()
    result = measure(asked.data, SAMPLE if asked.quick else None)
    for who in ("ours", "reference", "ratio"):
        print(who, json.dumps(result[who]))
    if asked.json:
        print(json.dumps(result))
    _retail.stop_if_missing(result["settings"]["missing"])


def measure(folder: Path, games: int | None = None) -> dict[str, Any]:
    """Play all games, or so many of them, by our policy and by the benchmark's own capped base stock."""
    began = time.perf_counter()
    path = folder / FILE
    settings: dict[str, Any] = {"view": "honest", "sample": games, "seed": SEED, "missing": []}
    settings["settings_from"] = "order policy: other data; discounts: VN2; constants of the spread: all games in sight"
    result: dict[str, Any] = {"bench": "inventorybench", "ours": {}, "reference": {}, "ratio": {}, "settings": settings}
    if not path.exists():
        settings["missing"] = [f"no {FILE} in {folder} (--data names another folder)"]
        return result
    loaded = load(path, games)
    settings["games"] = len(loaded.names)
    result["ours"] = scores(loaded, play(loaded, ours(loaded)))
    result["reference"]["or"] = scores(loaded, play(loaded, capped_base_stock(loaded)))
    result["ratio"] = {"all": round(result["ours"]["all"] / max(result["reference"]["or"]["all"], 1e-9), 4)}
    settings["seconds"] = round(time.perf_counter() - began, 1)
    return result


def load(path: Path, games: int | None = None) -> Games:
    """Read the games, all or so many of them drawn with SEED."""
    table = pd.read_parquet(path).sort_values(["game", "period"])
    parts = [part for _, part in table.groupby("game", sort=True)]
    if games is not None and games < len(parts):
        chosen = np.random.default_rng(SEED).choice(len(parts), games, replace=False)
        parts = [parts[at] for at in sorted(chosen.tolist())]
    longest = max(len(part) for part in parts)
    demand, lead = np.full((len(parts), longest), np.nan), np.full((len(parts), longest - GIVEN), np.inf)
    for row, part in enumerate(parts):
        demand[row, : len(part)] = part["demand"]
        lead[row, : len(part) - GIVEN] = part["lead_time"].to_numpy()[GIVEN:]

    def column(name: str) -> list[Any]:
        return [part[name].iloc[-1] for part in parts]

    return Games(
        tuple(column("game")), tuple(column("family")), tuple(column("lead")), demand, lead,
        np.array(column("profit"), dtype=np.float64), np.array(column("holding_cost"), dtype=np.float64),
    )  # fmt: skip


def play(games: Games, rule: Rule) -> Floats:
    """Play every game to its end and return (n,) scores: profit over that of perfect foresight, none below zero."""
    n, periods = games.lead.shape
    on_hand, in_transit, reward = np.zeros(n), np.zeros(n), np.zeros(n)
    order, arrival = np.zeros(n), np.zeros(n)
    due = np.zeros((n, 2 * periods + LONGEST))
    for t in range(periods):
        wanted = games.demand[:, GIVEN + t]
        live = ~np.isnan(wanted)
        view = View(t, games.demand[:, : GIVEN + t], on_hand, in_transit, order, arrival)
        order = np.where(live, np.maximum(np.rint(rule(view)), 0.0), 0.0)
        comes = np.flatnonzero(live & np.isfinite(games.lead[:, t]))
        due[comes, t + games.lead[comes, t].astype(np.int64)] += order[comes]
        arrival = due[:, t]
        in_transit = in_transit + order - arrival
        sold = np.minimum(on_hand + arrival, np.nan_to_num(wanted))
        on_hand = on_hand + arrival - sold
        reward += np.where(live, games.profit * sold - games.holding * on_hand, 0.0)
    best = games.profit * np.nansum(games.demand[:, GIVEN:], axis=1)
    return np.asarray(np.maximum(reward / np.maximum(best, 1e-9), 0.0))


def scores(games: Games, found: Floats) -> dict[str, float]:
    """Return the mean score of all games, by kind, and of two halves that share no series."""
    family, kind = np.array(games.family), np.array(games.lead_kind)
    half = np.array([zlib.crc32(series(name).encode()) % 2 for name in games.names])
    uncertain = kind == "uncertain"
    parts: dict[str, Flags] = {
        "all": family == family, "real": family == "real", "synthetic": family == "synthetic",
        "lead_0": kind == "0", "lead_4": kind == "4", "uncertain": uncertain,
        "half_a": half == 0, "half_b": half == 1, "uncertain_a": uncertain & (half == 0),
        "uncertain_b": uncertain & (half == 1),
    }  # fmt: skip
    return {name: round(float(found[rows].mean()), 4) for name, rows in parts.items() if rows.any()}


def series(game: str) -> str:
    """Return what names a game's demand: neither its lead time nor its profit."""
    return re.sub(r"_(low|med|high)$", "", re.sub(r"lead_time_\w+?/", "", game))


def ours(games: Games) -> Rule:
    """Order as a store does: a service level of profit against holding, lead times as they were found to be."""
    names, promised = (
        games.names,
        {name: WEEK * int(one) for name, one in zip(games.names, games.promised, strict=True)},
    )
    level = games.profit / (games.profit + games.holding)
    horizon = LONGEST + 1
    open_orders: list[dict[int, float]] = [{} for _ in names]
    trips: list[Trip] = []
    lost: dict[str, int] = {}

    def rule(view: View) -> Floats:
        t, leads = view.period, lead_times.from_trips(promised, reversed(trips), lost)
        for row in np.flatnonzero(view.last_order > 0).tolist():
            open_orders[row][t - 1] = float(view.last_order[row])
        for row in np.flatnonzero(view.last_arrival > 0).tolist():
            name = names[row]
            for placed in arrived(open_orders[row], float(view.last_arrival[row]), t - 1, leads[name].days / WEEK):
                del open_orders[row][placed]
                trips.append(Trip(name, _day(placed), _day(t - 1), _day(placed) + dt.timedelta(promised[name])))
        leads = lead_times.from_trips(promised, reversed(trips), lost)
        stands = []
        for row, name in enumerate(names):
            lead, coming = leads[name], dict[int, float]()
            for placed, units in list(open_orders[row].items()):
                waited = WEEK * (t - placed)
                if waited - lead.days > lead_times.patience_days(lead):
                    lost[name] = lost.get(name, 0) + 1
                    del open_orders[row][placed]
                else:
                    week = max(0, round((lead.days - waited) / WEEK))
                    coming[week] = coming.get(week, 0.0) + units * lead.chance(waited)
            stands.append(Stand(float(view.on_hand[row]), coming, lead))
        return _weekly.orders(_weekly.outlook(view.demand, horizon), stands, level)

    return rule


def arrived(waits: dict[int, float], units: float, period: int, lead: float) -> tuple[int, ...]:
    """Return the orders that came with these units: those that add up to them, nearest to the lead time."""
    recent = [placed for placed in waits if period - placed < LONGEST]
    sets = (some for size in range(1, len(recent) + 1) for some in itertools.combinations(recent, size))
    fits = [some for some in sets if abs(sum(waits[placed] for placed in some) - units) < 0.5]
    return min(fits, key=lambda some: sum(abs(period - placed - lead) for placed in some), default=())


def capped_base_stock(games: Games) -> Rule:
    """Order as the benchmark's own base stock does: mean and deviation of all demand, an order at most a cap."""
    lead = games.promised
    score = ndtri(games.profit / (games.profit + games.holding))

    def rule(view: View) -> Floats:
        mean, spread = view.demand.mean(axis=1), view.demand.std(axis=1, ddof=1)
        base = (1 + lead) * mean + score * np.sqrt(1 + lead) * spread
        cap = mean + ndtri(0.95) * spread
        return np.asarray(np.clip(base - view.on_hand - view.in_transit, 0.0, cap))

    return rule


def _day(period: int) -> dt.date:
    return FIRST_DAY + dt.timedelta(days=WEEK * period)


if __name__ == "__main__":
    main()
