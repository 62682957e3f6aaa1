"""VN2 (arXiv 2601.18919): weekly orders for 599 products of stores, two weeks under way, lost sales.

An order placed at the end of week X, before the next one's sales, is on the shelf at the start of week X + 3. Each unit
left at the end of a week costs .20, each unit lost 1. The service level is chosen on as many weeks before the counted
ones.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasting.series.panel import Floats, Ints
from supply.orders.lead_times import LeadTime
from tests.benchmarks import _folders, _retail, _weekly
from tests.benchmarks._weekly import WEEK, Stand

FILES = ("vn2_weekly.parquet", "vn2_master.parquet")
GROUPS = ("DepartmentGroup", "Department", "ProductGroup", "Product")
HOLDING, SHORTAGE = 0.2, 1.0
LEAD_WEEKS, COVER_WEEKS, SETTLE_WEEKS, RECENT_WEEKS = 2, 4, 10, 13
LEVELS = (0.5, 0.6, 0.65, 0.7, 0.75)
SAMPLE, QUICK_WEEKS, SEED = 60, 12, 11


@dataclass(frozen=True)
class Sales:
    """Weekly sales (n, T), whether the product was in stock (n, T), and its groups, the widest first."""

    y: Floats
    in_stock: Any
    groups: tuple[Ints, ...]
    weeks: tuple[dt.date, ...]


Rule = Callable[[int, Floats, Floats], Floats]
"""Says what to order before a week's sales: (its index, units here, units (n, 1) that come in a week)."""


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=_folders.data(), help=f"the folder of {' and '.join(FILES)}")
    parser.add_argument("--last-week", type=dt.date.fromisoformat, help="the Monday of the last week that counts")
    parser.add_argument("--weeks", type=int, default=52, help="how many weeks count")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true", help=f"{SAMPLE} products, {QUICK_WEEKS} weeks, seed {SEED}")
    asked = parser.parse_args()
    weeks, products = (QUICK_WEEKS, SAMPLE) if asked.quick else (asked.weeks, None)
    result = measure(asked.data, weeks, asked.last_week, products)
    for who in ("ours", "reference", "ratio"):
        print(who, json.dumps(result[who]))
    if asked.json:
        print(json.dumps(result))
    _retail.stop_if_missing(result["settings"]["missing"])


def measure(folder: Path, weeks: int, last_week: dt.date | None = None, products: int | None = None) -> dict[str, Any]:
    """Order week by week until last_week and say what the last so many weeks cost."""
    began = time.perf_counter()
    settings: dict[str, Any] = {"weeks": weeks, "sample": products, "seed": SEED, "settle_weeks": SETTLE_WEEKS}
    settings["missing"] = [f"no {name} in {folder} (--data names another folder)" for name in FILES
                           if not (folder / name).exists()]  # fmt: skip
    result: dict[str, Any] = {"bench": "vn2", "ours": {}, "reference": {}, "ratio": {}, "settings": settings}
    if settings["missing"]:
        return result
    sales = load(folder, products)
    end = len(sales.weeks) if last_week is None else sales.weeks.index(last_week) + 1
    first = end - weeks
    before = (max(2 * SETTLE_WEEKS, first - weeks), first)
    tried = {level: cost_per_week(sales, ours(sales, level), *before) for level in LEVELS}
    level = min(tried, key=lambda one: tried[one])
    rules = {"ours": ours(sales, level), "organisers": organisers(sales), "perfect": perfect(sales)}
    found = {name: cost_per_week(sales, rule, first, end) for name, rule in rules.items()}
    figures = {name: {"cost_per_week": round(one, 1), "cost": round(one * weeks)} for name, one in found.items()}
    result["ours"], result["reference"] = figures.pop("ours"), figures
    result["ratio"] = {"organisers": round(found["ours"] / found["organisers"], 4)}
    settings |= {
        "last_week": sales.weeks[end - 1].isoformat(), "products": len(sales.y), "service_level": level,
        "settings_from": f"the {before[1] - before[0]} weeks before",
        "tried": {str(one): round(cost, 1) for one, cost in tried.items()},
        "seconds": round(time.perf_counter() - began, 1),
    }  # fmt: skip
    return result


def load(folder: Path, products: int | None = None) -> Sales:
    """Read the sales, of all products of stores or of so many drawn with SEED."""
    keys = ["Store", "Product"]
    table, master = (pd.read_parquet(folder / name) for name in FILES)
    sold, there = (table.pivot(index=keys, columns="week", values=name) for name in ("sold", "in_stock"))
    if products is not None and products < len(sold):
        rows = np.sort(np.random.default_rng(SEED).choice(len(sold), products, replace=False))
        sold, there = sold.iloc[rows], there.iloc[rows]
    kinds = master.set_index(keys).loc[sold.index].reset_index()
    groups = tuple(pd.factorize(kinds[name])[0].astype(np.int64) for name in GROUPS)
    weeks = tuple(pd.Timestamp(week).date() for week in sold.columns)
    return Sales(sold.to_numpy(dtype=np.float64), there.to_numpy(dtype=np.bool_), groups, weeks)


def cost_per_week(sales: Sales, rule: Rule, first: int, end: int) -> float:
    """Return what a week from `first` until before `end` cost, after SETTLE_WEEKS that are not counted."""
    start = first - SETTLE_WEEKS
    usual = np.ceil(sales.y[:, max(0, start - RECENT_WEEKS) : start].mean(axis=1))
    here, due = 2 * usual, np.stack([usual, 0 * usual], axis=1)
    total = 0.0
    for week in range(start, end):
        here = here + due[:, 0]
        due = np.concatenate([due[:, 1:], np.zeros((len(due), 1))], axis=1)
        due[:, 1] = np.maximum(np.rint(rule(week, here, due[:, :1])), 0.0)
        sold = np.minimum(here, sales.y[:, week])
        here = here - sold
        if week >= first:
            total += HOLDING * float(here.sum()) + SHORTAGE * float((sales.y[:, week] - sold).sum())
    return total / (end - first)


def ours(sales: Sales, level: float) -> Rule:
    """Order as a store does whose supplier takes two weeks."""
    lead, levels = LeadTime(LEAD_WEEKS * WEEK, LEAD_WEEKS * WEEK, 0.0), np.full(len(sales.y), level)

    def rule(week: int, here: Floats, due: Floats) -> Floats:
        y = np.where(sales.in_stock[:, :week], sales.y[:, :week], np.nan)
        season = _weekly.seasons(y, LEAD_WEEKS + 1, sales.groups)
        expected = _weekly.outlook(y, LEAD_WEEKS + 1, season, np.ones(len(y), dtype=np.bool_))
        rows = zip(here.tolist(), due[:, 0].tolist(), strict=True)
        stands = [Stand(there, {1: units}, lead) for there, units in rows]
        return _weekly.orders(expected, stands, levels)

    return rule


def organisers(sales: Sales) -> Rule:
    """Order as the competition's benchmark does: four weeks of the 13 weeks' mean, times the factor of the week."""
    number = np.array([day.isocalendar().week for day in sales.weeks])
    ahead = [(sales.weeks[-1] + dt.timedelta(weeks=n)).isocalendar().week for n in range(1, COVER_WEEKS)]
    number = np.concatenate([number, np.array(ahead)])

    def rule(week: int, here: Floats, due: Floats) -> Floats:
        total = sales.y[:, :week].sum(axis=0)
        factor = np.ones(54)
        for one in np.unique(number[:week]):
            factor[one] = max(total[number[:week] == one].mean() / max(total.mean(), 1e-9), 1e-9)
        recent = slice(week - RECENT_WEEKS, week)
        level = (sales.y[:, recent] / factor[number[recent]]).mean(axis=1)
        coming = level * factor[number[week : week + COVER_WEEKS]].sum()
        return np.asarray(coming - here - due.sum(axis=1))

    return rule


def perfect(sales: Sales) -> Rule:
    """Order what will be sold in the week the order comes, less what will be left then."""
    y = np.concatenate([sales.y, np.zeros((len(sales.y), LEAD_WEEKS))], axis=1)

    def rule(week: int, here: Floats, due: Floats) -> Floats:
        left = np.maximum(here - y[:, week], 0.0)
        for n in range(LEAD_WEEKS - 1):
            left = np.maximum(left + due[:, n] - y[:, week + 1 + n], 0.0)
        return np.asarray(y[:, week + LEAD_WEEKS] - left)

    return rule


if __name__ == "__main__":
    main()
