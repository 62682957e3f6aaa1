"""The forecast beside naive rules, AutoETS and LightGBM on real sales, all with the same quantile layer.

Needs the group `bench` for the last two. Rivals' forecasts are kept in .bench by data, version and origin; their speed
never is. Origins lie four weeks apart over a year (completejourney, a year long: a fortnight). The last constants were
chosen on the fortnights between them (`--skip 1` shows those), those of holidays on the year before, too; first trials,
and the looks that found stores closing for weeks or on Sundays and carnival, saw some of the reported ones too. Ratios
are those of `ours_same_layer`; `ours` has the quantiles a store gets, measured on every past day. Coverage is told
plainly and within the unit (see `evaluate`); of a class with n sums it has a standard error of up to .3 / sqrt(n) at
.90, so that four points are two of them from 225 sums on.

Parts (--only): accuracy · speed (2,000 series of two years) · closed_loop (a store that sees only what its shelf let it
sell) · cold_start (new products, new stores; `store_stated`: they said what they take, `store_past`: they brought their
past; reference, on their first day: the region's rate times the store's size) · clean_days (freshretail: days without
an empty shelf, as forecast and as such days are expected to sell; all days' hours with goods) · cut_days (known demand,
cut at empty shelves) · night (3,000 products on SQLite) · memory (100,000 series, store after store) · cluster (two
Dask workers: the same numbers). --quick takes a sample of the series, a tenth of the store, one store of 3,000
products.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"))

from dataclasses import dataclass, replace
from importlib import metadata

import numpy as np

from forecasting import run
from forecasting.accuracy import backtest, rivals
from forecasting.fit.state import CONTEXT_DAYS, KEPT_DAYS, from_bytes, moved_on, to_bytes
from forecasting.series import history
from forecasting.series.panel import Ahead, DemandPanel, Forecast
from tests.benchmarks import _launches, _nights, _retail, _trade

DATA = ("m5_tiny_dev", "bakery_dev", "completejourney")
PARTS = ("accuracy", "speed", "closed_loop", "cold_start", "clean_days", "cut_days", "night", "memory", "cluster")
QUICK_PARTS = "accuracy,speed"


@dataclass(frozen=True)
class Size:
    """How much of each part is measured."""

    series: dict[str, int] | None = None
    """Of a set's series that many; None: the whole sets."""
    origins: int = 13
    speed_series: int = 2_000
    launches: int = 6
    loop_days: int = _trade.LOOP_DAYS
    clean_series: int | None = None
    night_products: int = _nights.PRODUCTS
    memory_stores: int = 34
    memory_products: int = _nights.PRODUCTS
    cluster_products: int = 300

    def of(self, name: str) -> int | None:
        """Return how many series of a set are taken; None: all."""
        return None if self.series is None else self.series[name]


QUICK = Size(
    series={"m5_tiny_dev": 48, "bakery_dev": 46, "completejourney": 80},
    origins=4, launches=1, clean_series=6_000, night_products=_nights.PRODUCTS // 10, memory_stores=1,
)  # fmt: skip


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--origins", type=int, default=13)
    parser.add_argument("--skip", type=int, default=0, help="origins to leave out at the end")
    parser.add_argument("--data", default=",".join(DATA))
    parser.add_argument(
        "--only", default="", help=f"parts, comma between: {','.join(PARTS)}; empty: all, --quick: {QUICK_PARTS}"
    )
    asked = parser.parse_args()
    parts = (asked.only or (QUICK_PARTS if asked.quick else ",".join(PARTS))).split(",")
    if unknown := sorted(set(parts) - set(PARTS)):
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    size = QUICK if asked.quick else Size(origins=asked.origins)
    result = measure(asked.data.split(","), parts, size, skip=asked.skip)
    if asked.json:
        print(json.dumps(result))
    else:
        show(result)
    _retail.stop_if_missing(result["settings"]["missing"])


def measure(names: Sequence[str], parts: Sequence[str], size: Size, *, skip: int = 0) -> dict[str, Any]:
    """Run the parts that are asked for; what is missing is named in settings.missing."""
    result: dict[str, Any] = {"bench": "forecast", "ours": {}, "reference": {}, "ratio": {}}
    missing: list[str] = []

    def table_of(name: str) -> Any:
        try:
            return _retail.frame(name)
        except (FileNotFoundError, ImportError) as gone:
            missing.append(str(gone))
            return None

    for name in names if "accuracy" in parts else ():
        if (table := table_of(name)) is not None:
            _accuracy(result, name, table, size, skip)
    _parts_of_a_store(result, parts, table_of, size)
    ours = result["ours"]
    if "night" in parts:
        ours["night"] = _nights.nights(size.night_products)
    if "memory" in parts:
        ours["memory"] = _nights.memory(size.memory_stores, size.memory_products)
    if "cluster" in parts:
        ours["cluster"] = _nights.cluster(products=size.cluster_products)
    absent = [name for name in ("statsforecast", "lightgbm") if not _installed(name)]
    result["settings"] = {
        "parts": list(parts), "origins": size.origins, "skip": skip, "horizon_days": 14,
        "missing": sorted(set(missing)), "not_installed": absent, "sample": size.series or "whole sets",
        "new": f"{_launches.NEW_SHARE:.0%} of a store's products, drawn {_launches.DRAWS} times; stores in turn, alone",
        "store_stated": f"sales of {_launches.RATE_DAYS} days before x exp N(0, {_launches.STATED_ERROR}), seed 13",
        "tuned_on": "the fortnights between the reported origins (--skip 1), holidays on the year before, too; "
        "first trials, and the look that found carnival, saw some of the reported",
    }  # fmt: skip
    return result


def _parts_of_a_store(result: dict[str, Any], parts: Sequence[str], table_of: Callable[[str], Any], size: Size) -> None:
    """Run the parts that need real sales but no rivals."""
    ours = result["ours"]
    whole = {"speed", "closed_loop", "cold_start", "cut_days"} & set(parts)
    m5 = table_of("m5_tiny_dev") if whole else None
    bakery = table_of("bakery_dev") if {"cold_start", "cut_days"} & set(parts) else None
    stores = {name: table for name, table in (("m5_tiny_dev", m5), ("bakery_dev", bakery)) if table is not None}
    if "speed" in parts and m5 is not None:
        ours["speed"], result["reference"]["speed"], result["ratio"]["speed"] = speed(
            history.read(m5), size.speed_series
        )
    if "closed_loop" in parts and m5 is not None:
        few = history.read(_retail.sample(m5, size.of("m5_tiny_dev"))).panel
        ours["closed_loop"] = _trade.closed_loop(few, "US", size.loop_days)
    for name, table in stores.items():
        country = _retail.COUNTRY[name]
        if "cold_start" in parts:
            found = _launches.cold_start(history.read(table).panel, country, size.launches)
            ours.setdefault("cold_start", {})[name] = found["ours"]
            result["reference"].setdefault("cold_start", {})[name] = found["reference"]
            result["ratio"].setdefault("cold_start", {}).update(
                (f"{name}_{kind}", round(found["ours"][kind]["0"] / row["0"], 4))
                for kind, row in found["reference"].items()
            )
        if "cut_days" in parts:
            few = history.read(_retail.sample(table, size.of(name))).panel
            ours.setdefault("cut_days", {})[name] = _trade.cut_days(few, country)
    if "clean_days" in parts:
        daily, hourly = table_of("freshretail_daily_dev"), table_of("freshretail_hourly_dev")
        if daily is not None and hourly is not None:
            panel = history.read(_retail.sample(daily, size.clean_series)).panel
            days = _trade.clean_days(panel, _trade.hours_profile(hourly), "CN")
            ours["clean_days"], ours["open_hours"] = days["clean"], days["open"]


def _accuracy(result: dict[str, Any], name: str, table: Any, size: Size, skip: int) -> None:
    past = history.read(_retail.sample(table, size.of(name)))
    count, every = (min(8, size.origins), 14) if past.panel.n_days < 2 * 364 else (size.origins, 28)
    plan = backtest.Plan(14, count, _retail.COUNTRY[name], skip=skip, every_days=every)
    report = backtest.run(
        past, plan, remember=_retail.Kept(past, version()), progress=_progress(name), stopwatch=time.process_time
    )
    models = report["models"]
    result["ours"][name] = models[backtest.OURS]
    result["reference"][name] = {rival: models[rival] for rival in models if rival != backtest.OURS}
    result["ratio"][name] = {
        f"{key}_{rival}": value for rival, measures in report["ratios"].items() for key, value in measures.items()
    }


def speed(past: history.History, series: int) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """Time refit, nightly update and AutoETS on two years of some 2,000 series, warm, CPU, medians of three.

    The night's update reads the kept bytes and moves them on by three days, the middle of the week.
    """
    panel = _many(past.panel.between(past.panel.n_days - 728, past.panel.n_days), series)
    kept = to_bytes(run.measure(panel.between(0, 725), horizon_days=14, country="US", kept_days=KEPT_DAYS))
    recent = panel.between(725 - CONTEXT_DAYS, 728)
    few = panel.select(list(range(0, panel.n_series, max(1, panel.n_series // 12)))[:12])
    tried: dict[str, Any] = {
        "refit": lambda: run.forecast(panel, horizon_days=14, country="US"),
        "update": lambda: _update(kept, recent),
    }
    if _installed("statsforecast"):
        tried["autoets"] = lambda: rivals.auto_ets(few, 14, Ahead())
    times: dict[str, list[float]] = {name: [] for name in tried}
    for _ in range(3):
        for name, work in tried.items():
            began = time.process_time()
            work()
            times[name].append((time.process_time() - began) / (few if name == "autoets" else panel).n_series)
    per_s = {name: round(1.0 / sorted(spent)[1], 1) for name, spent in times.items()}
    ours = {"series_per_s_core": per_s["update"], "refit_series_per_s_core": per_s["refit"]}
    if "autoets" not in per_s:
        return ours, {}, {}
    ets = per_s["autoets"]
    beside = {
        "speed_autoets": round(per_s["update"] / ets, 1),
        "speed_refit_autoets": round(per_s["refit"] / ets, 1),
    }
    return ours, {"autoets_series_per_s_core": ets}, beside


def _update(kept: bytes, recent: DemandPanel) -> Forecast:
    state = from_bytes(kept)
    assert state is not None
    return run.say(moved_on(state, recent), horizon_days=14, panel=recent)


def _many(panel: DemandPanel, series: int) -> DemandPanel:
    """Return the panel's stores again and again under other names, until there are so many series."""
    times = max(1, series // panel.n_series)
    grids: dict[str, Any] = {
        name: np.tile(grid, (times, 1))
        for name in ("y", "on_offer", "price")
        if (grid := getattr(panel, name)) is not None
    }
    return replace(
        panel,
        keys=tuple((f"{scope}-{n}", sku) for n in range(times) for scope, sku in panel.keys),
        category=panel.category * times,
        region=panel.region * times,
        features={name: np.tile(grid, (times, 1)) for name, grid in panel.features.items()},
        **grids,
    )


def version() -> str:
    """Name what rivals' forecasts depend on besides the data."""
    parts = [f"{name} {metadata.version(name)}" for name in ("statsforecast", "lightgbm") if _installed(name)]
    return " ".join(["1", *parts])


def show(result: dict[str, Any]) -> None:
    """Print for people."""
    for name, measures in result["ours"].items():
        print(name, {key: value for key, value in measures.items() if key != "classes"})
        for key, value in sorted(result["ratio"].get(name, {}).items()):
            print(f"  {key:<24} {value:.3f}")
    print(result["settings"])


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _progress(name: str) -> Any:
    def say(model: str, step: int, of: int) -> None:
        print(f"\r{name}: {model} {step + 1}/{of}        ", end="", file=sys.stderr, flush=True)

    return say


if __name__ == "__main__":
    main()
