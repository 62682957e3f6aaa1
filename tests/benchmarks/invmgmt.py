"""gym-invmgmt (arXiv 2605.11355): thirty periods of a network of factories, distributors and one store.

Of its 22 core scenarios the 20 that need no M5 data, on its ten seeds. The blind view knows the network, its prices and
the demand until now; the informed one is told the mean demand of the periods ahead, too. The store orders as a store
does, whoever supplies it buys for the whole chain as a warehouse does, and no setting differs between scenarios.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import lil_array
from scipy.special import ndtri

from forecasting.series.panel import Floats
from supply.network.purchasing.requirements import MARGIN_BP, SERVICE_LEVEL
from supply.replenishment.policy import PolicyLine, decide_basket, ready, total_costs
from tests.benchmarks import _retail, _weekly
from tests.benchmarks._weekly import WEEK, Outlook

PACKAGE = "gym_invmgmt"
PERIODS, USUAL = 30, 20
SEEDS = (42, 123, 456, 789, 1011, 2022, 3033, 4044, 5055, 6066)
QUICK_SEEDS = 2
EFFECTS = {"stationary": [], "trend+seasonal": ["trend", "seasonal"],
           "trend+seasonal+shock": ["trend", "seasonal", "shock"]}  # fmt: skip
ROUNDS, SETTLED = 10, 1.0
"""Goodwill makes demand follow the service: the best plan and its demand take turns until that moves no more."""
RIVAL_LEVEL, RIVAL_LOT = 0.95, 10
CENTS = 100


@dataclass(frozen=True)
class Scenario:
    """One of the games: which network and demand, whether served customers come more often, and whether they wait."""

    network: str
    demand: str
    goodwill: bool
    waits: bool

    def options(self) -> dict[str, Any]:
        """Return what the package makes the game of."""
        demand = {"type": "stationary", "effects": EFFECTS[self.demand], "base_mu": USUAL}
        return {
            "scenario": self.network, "demand_config": demand | {"use_goodwill": self.goodwill},
            "num_periods": PERIODS, "backlog": self.waits,
        }  # fmt: skip


SCENARIOS = tuple(
    Scenario(*one)
    for demands, goodwill in ((list(EFFECTS)[1:], (False, True)), (["stationary"], (False,)))
    for one in itertools.product(("network", "serial"), demands, goodwill, (True, False))
)
Make = Callable[[Scenario], Any]


class Network:
    """What everybody knows of a game, and its books. links: (supplier, buyer), in the order of the game's orders.

    Links, places and customers are counted from none; `way[i]`: periods until what is ordered on a link can be sold.
    """

    def __init__(self, env: Any) -> None:
        own, graph = env.network, env.graph
        self.env, self.periods, self.waits = env, int(env.num_periods), bool(env.backlog)
        self.links: list[tuple[Any, Any]] = list(own.reorder_links)
        self.sales: list[tuple[Any, Any]] = list(own.retail_links)
        self.places: list[Any] = sorted(own.main_nodes)
        self.link, self.sale = [graph.edges[one] for one in self.links], [graph.edges[one] for one in self.sales]
        self.place = {one: graph.nodes[one] for one in self.places}
        self.stores, self.factories = {store for store, _ in self.sales}, set(own.factory)
        self.way = [one["L"] + self._onward(buyer) for one, (_, buyer) in zip(self.link, self.links, strict=True)]

    def into(self, place: Any) -> list[int]:
        """Return the links that supply a place."""
        return [i for i, (_, buyer) in enumerate(self.links) if buyer == place]

    def out_of(self, place: Any) -> list[int]:
        """Return the links a place supplies."""
        return [i for i, (supplier, _) in enumerate(self.links) if supplier == place]

    @cached_property
    def levels(self) -> list[list[Any]]:
        """The places by how many links they are from the customers, stores first."""
        far = {place: self._far(place) for place in self.places}
        return [[place for place in self.places if far[place] == n] for n in range(max(far.values()) + 1)]

    def on_hand(self, place: Any) -> float:
        """Return what is there before this period's deliveries."""
        return float(self.env.X[self.env.period, self.env.network.node_map[place]])

    def owed(self) -> float:
        """Return what customers wait for."""
        return float(self.env.U[self.env.period - 1].sum()) if self.waits and self.env.period else 0.0

    def under_way(self, link: int) -> dict[int, float]:
        """Return what was ordered on a link and did not come yet, by periods until it does."""
        now, days = self.env.period, self.link[link]["L"]
        return {days - ago: float(self.env.R[now - ago, link]) for ago in range(1, min(days, now) + 1)}

    def told(self, periods: int) -> Floats:
        """Return the mean demand of so many periods from this one on."""
        return np.array([self.env.demand_engine.get_current_mu(self.env.period + n) for n in range(periods)])

    def _onward(self, place: Any) -> int:
        """Return the periods from a place to the customers: what comes can leave a period later, save at a store."""
        ways = [1 + self.link[i]["L"] + self._onward(self.links[i][1]) for i in self.out_of(place)]
        return 0 if place in self.stores else min(ways)

    def _far(self, place: Any) -> int:
        return 0 if place in self.stores else 1 + min(self._far(self.links[i][1]) for i in self.out_of(place))


Rule = Callable[[Network], Floats]
"""Says what to order on each link in a period."""


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a folder to look for the package in, where it is not installed")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} of {len(SEEDS)} seeds")
    asked = parser.parse_args()
    result = measure(packaged(asked.data), SEEDS[:QUICK_SEEDS] if asked.quick else SEEDS)
    for who in ("ours", "reference"):
        print(who, json.dumps(result[who]))
    if asked.json:
        print(json.dumps(result))
    _retail.stop_if_missing(result["settings"]["missing"])


def packaged(folder: Path | None = None) -> Make | None:
    """Return how the package makes a game; None where it is neither installed nor in the folder."""
    sys.path += [str(folder)] if folder else []
    try:
        package = importlib.import_module(PACKAGE)
    except ImportError:
        return None
    return lambda scenario: package.CoreEnv(**scenario.options())


def measure(make: Make | None, seeds: Sequence[int] = SEEDS) -> dict[str, Any]:
    """Play every scenario by our policy, blind and informed, and by the rivals, and compare with the best plan."""
    began = time.perf_counter()
    settings: dict[str, Any] = {"scenarios": len(SCENARIOS), "seeds": list(seeds), "missing": []}
    settings["settings_from"] = "the product's own; how a game is told to it was compared on the first two seeds"
    result: dict[str, Any] = {"bench": "invmgmt", "ours": {}, "reference": {}, "ratio": {}, "settings": settings}
    if make is None:
        settings["missing"] = ["no package gym-invmgmt (`pip install gym-invmgmt`; --data names a folder that has it)"]
        return result
    rules = {"blind": ours(informed=False), "informed": ours(informed=True), "sS_informed": order_up_to,
             "newsvendor_informed": newsvendor}  # fmt: skip
    gaps: dict[str, list[float]] = {name: [] for name in rules}
    for scenario in SCENARIOS:
        env = make(scenario)
        most = float(np.mean([oracle(env, seed) for seed in seeds]))
        for name, rule in rules.items():
            earned = float(np.mean([play(env, rule, seed) for seed in seeds]))
            gaps[name].append((most - earned) / abs(most))
    figures = {name: _figures(found) for name, found in gaps.items()}
    result["ours"] = {**figures.pop("blind"), "informed": figures.pop("informed")}
    result["reference"] = figures
    settings["seconds"] = round(time.perf_counter() - began, 1)
    return result


def _figures(gaps: list[float]) -> dict[str, float]:
    lost = [gap for gap, scenario in zip(gaps, SCENARIOS, strict=True) if not scenario.waits]
    return {"gap_mean": round(float(np.mean(gaps)), 4), "gap_lost_sales": round(float(np.mean(lost)), 4)}


def play(env: Any, rule: Rule, seed: int) -> float:
    """Play a game to its end and return what the whole network earned; its books stay with the game."""
    env.reset(seed=seed)
    network = Network(env)
    for _ in range(network.periods):
        env.step(rule(network))
    return float(env.P.sum())


# --- ours ---


def ours(*, informed: bool) -> Rule:
    """Order as a store does, and buy for the chain behind as a warehouse does. A period counts as a week."""

    def rule(network: Network) -> Floats:
        orders, now = np.zeros(len(network.links)), network.env.period
        if not informed and not now:
            return orders
        expected = _expected(network, informed)
        free = {
            place: min(network.on_hand(place), facts.get("C", np.inf)) // 1 for place, facts in network.place.items()
        }
        here, coming = sum(network.on_hand(store) for store in network.stores) - network.owed(), dict[int, float]()
        for level in network.levels:
            _count_in(network, level, coming)
            links = [i for place in level for i in network.into(place)]
            able = [
                i for i in links
                if now + network.way[i] < network.periods and free.get(network.links[i][0], np.inf) >= 1
            ]  # fmt: skip
            if not able:
                continue
            lines = [_line(network, i, expected, here, coming) for i in able]
            best = np.argsort(total_costs(lines), kind="stable").tolist()
            (decision,) = decide_basket([lines[best[0]]])
            units = float(decision.packs)
            for i in (able[n] for n in best):
                supplier = network.links[i][0]
                orders[i] = min(units, free.get(supplier, np.inf))
                free[supplier] = free.get(supplier, np.inf) - orders[i]
                units -= orders[i]
        return orders

    return rule


def _expected(network: Network, informed: bool) -> Outlook:
    """Return the demand of the periods ahead: as told, by chance alone, or forecast from what was seen."""
    periods = max(network.way) + 1
    if not informed:
        return _weekly.outlook(network.env.D[: network.env.period].sum(axis=1)[None], periods)
    mean = network.told(periods)[None]
    return Outlook(mean, mean.cumsum(axis=1))


def _count_in(network: Network, level: Sequence[Any], coming: dict[int, float]) -> None:
    """Add what lies at places before the stores, and what is on its way to them, by periods until it can be sold."""
    for place in level:
        for i in network.into(place):
            onward = network.way[i] - network.link[i]["L"]
            for periods, units in network.under_way(i).items():
                coming[periods + onward] = coming.get(periods + onward, 0.0) + units
        if place not in network.stores:
            coming[onward] = coming.get(onward, 0.0) + network.on_hand(place)


def _line(network: Network, link: int, expected: Outlook, here: float, coming: dict[int, float]) -> PolicyLine:
    """Return what is decided on a link: of the demand until the next order on it could be sold, its chain has so much.

    Where customers wait nothing is lost before the order comes, so that demand is wholly taken off.
    """
    mean, variance = expected.mean[0], expected.variance[0]
    way, until = network.way[link], mean.cumsum()
    cost, store = round(CENTS * network.link[link]["p"]), network.links[link][1] in network.stores
    price = round(CENTS * network.sale[0]["p"]) if store else round(cost * (1 + MARGIN_BP / 10_000))
    before = 0.0 if network.waits or not way else float(until[way - 1])
    serves = ready(mean[:way].tolist(), here, {n: units for n, units in coming.items() if n <= way})
    return PolicyLine(
        str(link), float(until[way]), float(variance[way]), before, WEEK * (way + 1.0), WEEK,
        round(here + sum(coming.values())), 1, cost, price, service_level=None if store else SERVICE_LEVEL,
        ready_qty=None if network.waits else serves,
    )  # fmt: skip


# --- the best plan ---


def oracle(env: Any, seed: int) -> float:
    """Return what the best plan earns that knows all demand; with goodwill the best one found in turns."""
    network = Network(env)
    plan = _Plan(network)
    none = np.zeros((network.periods, len(network.links)))
    play(env, _as_planned(none), seed)
    starts = [np.array(env.D)]
    if env.demand_engine.use_goodwill:
        starts.append(_unspoilt(env, seed))
    best = -np.inf
    for demand in starts:
        for _ in range(ROUNDS):
            best = max(best, play(env, _as_planned(plan.best(demand)[0]), seed))
            moved, demand = float(np.abs(env.D - demand).sum()), np.array(env.D)
            if moved <= SETTLED:
                break
    return best


def _as_planned(orders: Floats) -> Rule:
    return lambda network: np.asarray(orders[network.env.period])


def _unspoilt(env: Any, seed: int) -> Floats:
    """Return the demand of customers whom nothing ever disappoints."""
    env.reset(seed=seed)
    for period in range(env.num_periods):
        env.step(np.zeros(len(env.network.reorder_links)))
        env.U[period] = 0.0
    return np.array(env.D)


class Row(NamedTuple):
    """One condition: factors by variable, and what their sum is or is at most."""

    factors: dict[int, float]
    limit: float


class _Plan:
    """The linear program of the orders that earn most: variables order, sold, left and short, each by period."""

    def __init__(self, network: Network) -> None:
        sizes = [len(network.links), len(network.sales), len(network.places), len(network.sales)]
        ends = np.cumsum([0, *(network.periods * size for size in sizes)])
        self.network, self.size = network, int(ends[-1])
        self.order, self.sold, self.left, self.short = (
            np.arange(low, high, dtype=np.int64).reshape(network.periods, size)
            for low, high, size in zip(ends[:-1], ends[1:], sizes, strict=True)
        )
        self.equal: list[Row] = []
        self.most: list[Row] = []
        for period in range(network.periods):
            for n, place in enumerate(network.places):
                self._balance(period, n, place)
        for period in range(network.periods):
            for n in range(len(network.sales)):
                waited = {int(self.short[period - 1, n]): -1.0} if period and network.waits else {}
                self.equal.append(Row({int(self.sold[period, n]): 1.0, int(self.short[period, n]): 1.0} | waited, 0.0))
        self.equalities, self.start = self._matrix(self.equal)
        self.inequalities, self.limit = self._matrix(self.most)
        self.earns = self._earns()

    def best(self, demand: Floats) -> tuple[Floats, float]:
        """Return the (T, links) orders that earn most of this demand (T, customers), and how much."""
        start = np.concatenate([self.start[: -demand.size], demand.ravel()])
        found = linprog(-self.earns, self.inequalities, self.limit, self.equalities, start, method="highs")
        return np.maximum(found.x[self.order], 0.0), -float(found.fun)

    def _balance(self, period: int, n: int, place: Any) -> None:
        """Add what is left at a place, and that it ships only what was there before, a factory at most its capacity."""
        network = self.network
        before = {int(self.left[period - 1, n]): -1.0} if period else {}
        start = 0.0 if period else float(network.place[place]["I0"])
        ships = {int(self.order[period, i]): 1.0 for i in network.out_of(place)}
        came = {
            int(self.order[period - network.link[i]["L"], i]): -1.0
            for i in network.into(place) if network.link[i]["L"] <= period
        }  # fmt: skip
        sells = {int(self.sold[period, m]): 1.0 for m, (store, _) in enumerate(network.sales) if store == place}
        self.equal.append(Row({int(self.left[period, n]): 1.0} | before | came | ships | sells, start))
        if ships:
            self.most.append(Row(ships | before, start))
        if place in network.factories:
            self.most.append(Row(ships, float(network.place[place]["C"])))

    def _earns(self) -> Floats:
        """Return what a unit of each variable earns; what one place pays another cancels out."""
        network, earns = self.network, np.zeros(self.size)
        for i, (supplier, _) in enumerate(network.links):
            facts = network.place.get(supplier)
            once = network.link[i]["p"] if facts is None else facts.get("o", 0.0)
            ahead = np.arange(network.periods, 0, -1)
            earns[self.order[:, i]] = -once - network.link[i]["g"] * np.minimum(network.link[i]["L"], ahead)
        for n, facts in enumerate(network.sale):
            earns[self.sold[:, n]], earns[self.short[:, n]] = facts["p"], -facts["b"]
        for n, place in enumerate(network.places):
            earns[self.left[:, n]] = -network.place[place]["h"]
        return earns

    def _matrix(self, rows: Sequence[Row]) -> tuple[Any, Floats]:
        matrix = lil_array((len(rows), self.size))
        for n, row in enumerate(rows):
            for column, factor in row.factors.items():
                matrix[n, column] = factor
        return matrix.tocsr(), np.array([row.limit for row in rows])


# --- rivals, as the benchmark's authors have them ---


def order_up_to(network: Network) -> Floats:
    """Order by (s, S), told the means ahead: normal safety stock of the place's own lead time, and an economic lot."""

    def order(place: Any, mean: Floats, position: float) -> float:
        facts = network.place[place]
        fixed = RIVAL_LOT * (facts["o"] if place in network.factories else facts["h"])
        point = mean.sum() + ndtri(RIVAL_LEVEL) * np.sqrt(mean.sum())
        return float(point + np.sqrt(2 * mean[0] * fixed / facts["h"]) - position) if position < point else 0.0

    return _each_place(network, order)


def newsvendor(network: Network) -> Floats:
    """Order up to the critical ratio of each place's own lead time, told the means ahead."""

    def order(place: Any, mean: Floats, position: float) -> float:
        holding = network.place[place]["h"]
        if place in network.stores:
            short = max(one["b"] for (store, _), one in zip(network.sales, network.sale, strict=True) if store == place)
        else:
            sells = max(network.link[i]["p"] for i in network.out_of(place))
            short = max(sells - min(network.link[i]["p"] for i in network.into(place)), 0.5)
        level = mean.sum() + ndtri(short / (short + holding)) * np.sqrt(mean.sum())
        return max(float(level - position), 0.0)

    return _each_place(network, order)


def _each_place(network: Network, order: Callable[[Any, Floats, float], float]) -> Floats:
    """Return the orders of places that look at themselves alone, split by price and lead time of their suppliers."""
    orders = np.zeros(len(network.links))
    for place in network.places:
        links = network.into(place)
        mean = network.told(1 + max(network.link[i]["L"] for i in links))
        coming = sum(sum(network.under_way(i).values()) for i in links)
        position = network.on_hand(place) + coming - (network.owed() if place in network.stores else 0.0)
        shares = np.array([1.0 / (1.0 + network.link[i]["p"] + 0.1 * network.link[i]["L"]) for i in links])
        orders[links] = order(place, mean, position) * shares / shares.sum()
    return orders


if __name__ == "__main__":
    main()
