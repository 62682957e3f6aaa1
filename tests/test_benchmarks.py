"""Every benchmark at toy size on generated data: it runs, and answers what the contract of `run bench` says."""

import json
import math
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks import _weekly

HERE = Path(__file__).parent / "benchmarks"
NAMES = sorted(file.stem for file in HERE.glob("[!_]*.py"))
Asked = pytest.FixtureRequest
LONG = ("ingest", "pages")
"""They lay in a past and start PostgreSQL again and again: half a minute however small."""
LONG_PARTS = ("closed_loop", "cold_start", "cut_days", "cluster")
"""Parts of the forecast's that fit, or start other programs, again and again: half a minute however small."""


def _faults(bench: Any, asked: Asked) -> Any:
    races = replace(bench.SCENARIOS["race_online"], command=bench._own("online", "--rounds", "1"), level_r=5)
    return bench.measure([races], asked.getfixturevalue("tmp_path") / "faults.json", 1)


def _forecast(bench: Any, asked: Asked, parts: Sequence[str] = ()) -> Any:
    size = bench.Size(
        series={"m5_tiny_dev": 4, "bakery_dev": 4}, origins=1, speed_series=8, launches=1, loop_days=32,
        night_products=4, memory_stores=1, memory_products=4, cluster_products=4,
    )  # fmt: skip
    return bench.measure(["m5_tiny_dev"], parts or [one for one in bench.PARTS if one not in LONG_PARTS], size)


def _ingest(bench: Any, asked: Asked) -> Any:
    asked.getfixturevalue("postgres_url")
    return bench.measure({"1m": 40, "10m": 80}, 1, 1, stores=8, sales=4)


def _pages(bench: Any, asked: Asked) -> Any:
    asked.getfixturevalue("postgres_url")
    return bench.measure(80, 1, stores=8, rows=60)


def _replenish(bench: Any, asked: Asked) -> Any:
    return bench.measure(["m5_tiny_dev", "bakery_dev", bench.GROCER], series=2, scored_days=28, packs=[6])


def _shop(bench: Any, asked: Asked) -> Any:
    browser = asked.getfixturevalue("browser") if bench.chromium() else None
    return bench.measure(browser, products=20, rounds=1, views=8, orders=8, tries=112, races=1, loads=1)


TOYS: dict[str, Callable[[Any, Asked], Any]] = {
    "allocate": lambda bench, _: bench.measure(1, products=2, stores=9),
    "checkout": lambda bench, _: bench.measure(1, 4, products=8),
    "close": lambda bench, _: bench.measure(1, sales=6, few=2),
    "faults": _faults,
    "forecast": _forecast,
    "imports": lambda bench, _: bench.measure(1, products=6),
    "ingest": _ingest,
    "inventorybench": lambda bench, asked: bench.measure(asked.getfixturevalue("tmp_path")),
    "invmgmt": lambda bench, _: bench.measure(Chain, [1]),
    "lists": lambda bench, _: bench.measure(4, to_reference=2),
    "notes": lambda bench, _: bench.measure(1),
    "lookup": lambda bench, _: bench.measure(1, 8, products=8),
    "pages": _pages,
    "papers": lambda bench, _: bench.measure(2),
    "print": lambda bench, _: bench.measure(1, 2, products=60, days=60),
    "promotions": lambda bench, _: bench.measure(4),
    "ranking": lambda bench, _: bench.measure(["freshretail_daily_dev"], 3, 1),
    "reorder": lambda bench, _: bench.measure(1, 1, products=12, store_products=6, calm_sales=4),
    "replenish": _replenish,
    "rounds": lambda bench, _: bench.measure(0.2, stops=8, vehicles=2),
    "search": lambda bench, _: bench.measure(60, 4, to_reference=2),
    "shop": _shop,
    "till": lambda bench, asked: bench.measure(asked.getfixturevalue("browser"), 1, 1, products=40),
    "verify": lambda bench, _: bench.measure(8, 1, a_shift=4),
    "vn2": lambda bench, asked: bench.measure(asked.getfixturevalue("tmp_path"), 3),
}
"""How each is asked for as little as it can do."""


@pytest.fixture(autouse=True)
def _folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    sell(tmp_path)
    monkeypatch.setenv("RETAIL_DATA", str(tmp_path))
    with tempfile.TemporaryDirectory(prefix="cs-bench-") as kept:  # PostgreSQL's user may not enter pytest's folders
        monkeypatch.setenv("BENCH_FOLDER", kept)
        yield


@pytest.mark.parametrize("name", [pytest.param(one, marks=[pytest.mark.faults][: one in LONG]) for one in NAMES])
def test_a_benchmark_runs_at_toy_size_and_keeps_the_contract(name: str, request: pytest.FixtureRequest) -> None:
    keeps_the_contract(name, TOYS[name](import_module(f"tests.benchmarks.{name}"), request))


@pytest.mark.faults
def test_the_long_parts_of_the_forecasts_benchmark_keep_it_too(request: pytest.FixtureRequest) -> None:
    keeps_the_contract("forecast", _forecast(import_module("tests.benchmarks.forecast"), request, LONG_PARTS))


def keeps_the_contract(name: str, result: Any) -> None:
    """Check what `run bench NAME --json` has to answer."""
    assert json.loads(json.dumps(result)) == result
    assert result["bench"] == name
    assert {"ours", "reference", "ratio", "settings"} <= result.keys()
    assert not result["settings"].get("missing")
    figures = list(figures_of({"ours": result["ours"], "ratio": result["ratio"]}))
    assert figures
    assert [one for one in figures if not (isinstance(one[1], (int, float)) and math.isfinite(one[1]))] == []


def figures_of(part: Any, where: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every figure with its place."""
    inside = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else None
    if inside is None:
        yield where, part
        return
    for name, one in inside:
        yield from figures_of(one, f"{where}/{name}")


def sell(folder: Path) -> None:
    """Write a short history of two stores and two products under each real set's name, in the columns it has."""
    dice = np.random.default_rng(1)

    def daily(days: int) -> pd.DataFrame:
        rows = [("S1", "bread"), ("S1", "milk"), ("S2", "bread"), ("S2", "milk")]
        table = pd.MultiIndex.from_product([range(4), pd.date_range("2024-01-01", periods=days)], names=["row", "day"])
        sold = table.to_frame(index=False)
        sold["store"], sold["product"] = ([rows[row][n] for row in sold["row"]] for n in (0, 1))
        sold["sold"] = dice.poisson(6, len(sold))
        return sold.drop(columns="row").assign(category="food", region="all")

    daily(900).assign(price=2.5).to_parquet(folder / "m5_tiny_dev.parquet")
    daily(900).assign(on_offer=0).to_parquet(folder / "bakery_dev.parquet")
    short = daily(120).assign(on_offer=0)
    short["out_of_stock_share"] = np.where(np.arange(len(short)) % 9, 0.0, 0.25)
    short.to_parquet(folder / "freshretail_daily_dev.parquet")
    hours = pd.DataFrame({"hour": range(24), "hourly_sale": 0.5, "hourly_stockout": 0})
    hours.assign(store_id=1, product_id=1, dt=pd.Timestamp("2024-01-01")).to_parquet(
        folder / "freshretail_hourly_dev.parquet"
    )
    grocer = daily(200)
    pd.DataFrame(
        {"date": grocer["day"].astype(str), "item_code": grocer["product"].map({"bread": 1, "milk": 2}),
         "qty_kg": grocer["sold"] * 1.0, "avg_price": 6.0, "category": "food"}
    ).drop_duplicates(["date", "item_code"]).to_parquet(folder / "greengrocer_daily.parquet")  # fmt: skip
    games = pd.MultiIndex.from_product([["0", "4", "uncertain"], range(-5, 12)], names=["lead", "period"])
    played = games.to_frame(index=False).assign(family="real", profit=4.0, holding_cost=1.0)
    played["game"], played["demand"] = "lead_" + played["lead"], dice.poisson(20, len(played)).astype(float)
    late = np.where(played["period"] % 3 == 2, np.inf, 1.0 + played["period"] % 3)
    played["lead_time"] = np.select([played["lead"] == "0", played["lead"] == "4"], [0.0, 4.0], late)
    played.to_parquet(folder / "inventorybench_dev.parquet")
    shelf = pd.MultiIndex.from_product(
        [range(2), range(3), pd.date_range("2022-01-03", periods=70, freq="7D")], names=["Store", "Product", "week"]
    ).to_frame(index=False)
    shelf.assign(sold=dice.poisson(3, len(shelf)).astype(float), in_stock=True).to_parquet(
        folder / "vn2_weekly.parquet"
    )
    kinds = (("Whole milk", "Meadow"), ("Rye bread", "Crumble"), ("Peanut butter", "Alpine"))
    named = [(f"{kind} {n:02d}", brand) for n in range(20) for kind, brand in kinds]
    pd.DataFrame(named, columns=["product_name", "brands"]).to_csv(
        folder / "openfoodfacts_products.csv.gz", index=False
    )
    pairs = shelf[["Store", "Product"]].drop_duplicates()
    pairs.assign(ProductGroup=pairs["Product"], Department=1, DepartmentGroup=1).to_parquet(
        folder / "vn2_master.parquet"
    )


class Chain:
    """A game in the shape of gym-invmgmt's: a warehouse, the store it supplies, six periods; all takes one of them."""

    def __init__(self, scenario: Any) -> None:
        self.num_periods, self.backlog = 6, scenario.waits
        self.network = SimpleNamespace(
            reorder_links=[("maker", "hub"), ("hub", "shop")], retail_links=[("shop", "all")],
            main_nodes=["hub", "shop"], factory=[], node_map={"hub": 0, "shop": 1},
        )  # fmt: skip
        links = {("maker", "hub"): {"L": 1, "p": 1.0, "g": 0.01}, ("hub", "shop"): {"L": 1, "p": 1.5, "g": 0.01}}
        places = {"hub": {"I0": 9, "h": 0.02}, "shop": {"I0": 9, "h": 0.03}}
        self.graph = SimpleNamespace(edges=links | {("shop", "all"): {"p": 2.0, "b": 0.1}}, nodes=places)
        self.demand_engine = SimpleNamespace(use_goodwill=scenario.goodwill, get_current_mu=lambda period: 4.0)

    def reset(self, seed: int) -> None:
        self.period, self.D = 0, np.random.default_rng(seed).poisson(4, (6, 1)).astype(float)
        self.X, self.R, self.U, self.P = np.full((7, 2), 9.0), np.zeros((6, 2)), np.zeros((6, 1)), np.zeros(6)

    def step(self, orders: Any) -> None:
        now = self.period
        self.R[now] = orders[0], min(orders[1], self.X[now, 0])
        came = self.R[now - 1] if now else np.zeros(2)
        wanted = self.D[now, 0] + (self.U[now - 1, 0] if now and self.backlog else 0.0)
        sold = min(wanted, self.X[now, 1] + came[1])
        self.X[now + 1], self.U[now] = self.X[now] + came - (self.R[now, 1], sold), wanted - sold
        costs = self.R[now, 0] + 0.01 * self.R[now].sum() + self.X[now + 1] @ (0.02, 0.03) + 0.1 * self.U[now, 0]
        self.P[now], self.period = 2.0 * sold - costs, now + 1


@pytest.mark.parametrize("waits", [True, False])
def test_the_best_plan_of_a_network_is_what_it_earns_and_no_rule_earns_more(waits: bool) -> None:
    bench = import_module("tests.benchmarks.invmgmt")
    env = Chain(bench.Scenario("serial", "stationary", False, waits))
    for seed in range(4):
        best = bench.oracle(env, seed)
        _, counted = bench._Plan(bench.Network(env)).best(env.D)
        assert best == pytest.approx(counted), "the game pays what the plan counts on"
        for rule in (bench.ours(informed=False), bench.ours(informed=True), bench.order_up_to, bench.newsvendor):
            assert bench.play(env, rule, seed) <= best + 1e-6


def test_what_lies_or_travels_between_maker_and_store_is_counted_and_nothing_comes_after_the_end() -> None:
    bench = import_module("tests.benchmarks.invmgmt")
    env = Chain(bench.Scenario("serial", "stationary", False, False))
    rule = bench.ours(informed=True)
    env.reset(seed=1)
    few = rule(bench.Network(env))[0]
    env.X[0] = 99.0, 9.0
    assert few > 0
    assert rule(bench.Network(env))[0] == 0.0, "a full warehouse buys nothing"
    env.X[:] = 0.0
    env.period = 3
    assert rule(bench.Network(env))[0] == 0.0, "what comes and is shipped on after the sixth period is not bought"


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = import_module("tests.benchmarks.invmgmt")
    monkeypatch.setitem(sys.modules, bench.PACKAGE, None)
    (said,) = bench.measure(bench.packaged())["settings"]["missing"]
    assert "gym-invmgmt" in said


def test_what_arrives_in_a_game_is_traced_to_the_orders_that_add_up_to_it_and_a_lost_one_stays_in_transit() -> None:
    bench = import_module("tests.benchmarks.inventorybench")
    assert bench.arrived({3: 20.0, 4: 30.0, 5: 50.0}, 50.0, 5, 2.0) == (3, 4), "nearer to two periods than one in none"
    assert bench.arrived({3: 20.0, 4: 30.0}, 7.0, 5, 2.0) == ()
    game = bench.Games(
        ("a",), ("real",), ("uncertain",), np.full((1, 9), 10.0), np.array([[np.inf, 1.0, np.inf, 2.0]]),
        np.ones(1), np.ones(1),
    )  # fmt: skip
    seen = []
    score = bench.play(game, lambda view: seen.append(view) or np.array([10.0]))
    assert [view.in_transit.item() for view in seen] == [0.0, 10.0, 20.0, 20.0]
    assert [view.last_arrival.item() for view in seen] == [0.0, 0.0, 0.0, 10.0]
    assert score.item() == pytest.approx(10 / 40), "ten of forty are sold, and nothing is left"


def test_an_order_of_the_vn2_challenge_misses_two_weeks_of_sales_and_each_unit_left_or_lost_costs() -> None:
    bench = import_module("tests.benchmarks.vn2")
    weeks = tuple(pd.Timestamp("2022-01-03").date() + pd.Timedelta(weeks=n) for n in range(40))
    y = np.full((1, 40), 4.0)
    sales = bench.Sales(y, np.ones_like(y, dtype=bool), (), weeks)
    assert bench.cost_per_week(sales, lambda week, here, due: np.array([5.0 * (week == 28)]), 30, 34) == pytest.approx(
        (0.2 * 1 + 3 + 4 + 4) / 4
    )
    assert bench.cost_per_week(sales, bench.perfect(sales), 30, 34) == 0.0


def test_a_launch_does_not_widen_the_weeks_after_it() -> None:
    expected = _weekly.outlook(np.array([[1.0] * 40 + [60.0] * 8]), 3)
    assert expected.mean[0, 0] > 40
    assert (expected.variance[0] < expected.mean[0].cumsum() ** 2).all(), "a lead time with no demand is no worry"


def test_the_bursts_of_one_series_are_no_season_of_its_group() -> None:
    y = np.full((31, 100), 10.0)
    y[:, 10] = 25.0
    y[0] *= np.where(np.arange(100) % 13 == 7, 20.0, 2.0)
    factor = _weekly.seasons(y, 3, (np.zeros(31, dtype=np.int64),))
    assert factor[1, 10] > 1.55
    assert factor[1, 20] < 1.05


def test_series_of_one_retailer_choose_how_fast_they_follow_together() -> None:
    y = np.random.default_rng(3).poisson(1.0, (40, 60)).astype(float)
    apart, together = (
        np.abs(_weekly.outlook(y, 1, together=np.full(40, chosen)).mean - 1.0).mean() for chosen in (False, True)
    )
    assert together < 0.8 * apart
