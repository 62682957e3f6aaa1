"""The operator's figures, counted again from exported tables: plain CSV in, JSON out, nothing of the product imported.

python -m tests.tools.recount FOLDER FIRST LAST AGO_DAYS
"""

import csv
import datetime as dt
import json
import sys
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

INSIDE = ("backroom", "floor", "shelf", "bin")


def recount(folder: Path, first: dt.date, last: dt.date) -> dict[str, Any]:
    """Return the figures of all stores together, of each store and of each department, of these days."""
    tables = {path.stem: list(csv.DictReader(path.open(encoding="utf-8"))) for path in sorted(folder.glob("*.csv"))}
    within = [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
    days = {day.isoformat() for day in within}
    total: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    departments: dict[str, int] = defaultdict(int)
    for sale in tables["sale"]:
        if sale["state"] == "completed" and sale["business_day"] in days:
            total[sale["store_id"]]["sales"] += int(sale["total_minor"])
            total[sale["store_id"]]["baskets"] += 1
    for day in tables["store_day"]:
        if day["imported"] == "True" and day["business_day"] in days:
            total[day["store_id"]]["sales"] += int(day["revenue_minor"])
            total[day["store_id"]]["file"] += int(day["revenue_minor"])
    department = {row["sku"]: row["department"] or row["category"] for row in tables["product"]}
    for line in tables["sale_line"]:
        if line["business_day"] not in days:
            continue
        departments[department[line["sku"]]] += int(line["total_minor"])
        if line["kind"] in ("goods", "service"):
            total[line["store_id"]]["net"] += int(line["net_minor"])
            if line["cost_minor"] != "":
                total[line["store_id"]]["costed"] += int(line["net_minor"])
                total[line["store_id"]]["cost"] += int(line["cost_minor"])
    for row in tables["daily_demand"]:
        if row["imported"] == "True" and row["business_day"] in days:
            departments[department[row["sku"]]] += int(row["revenue_minor"])
    for order in tables["replenishment_order"]:
        if order["delivery_day"] in days and order["state"] in ("received", "closed_short", "rejected"):
            for line in tables["order_line"]:
                if (line["store_id"], line["order_id"]) == (order["store_id"], order["id"]):
                    came, asked = _received(tables, line), int(line["packs"]) * int(line["pack_qty"])
                    cost, pack = int(line["pack_cost_minor"]), int(line["pack_qty"])
                    total[order["store_id"]]["ordered"] += int(line["packs"]) * cost
                    total[order["store_id"]]["received"] += min(came, asked) * cost // pack
    reported = {(row["store_id"], row["business_day"]) for row in tables["day_report"]}
    for sale in tables["sale"]:
        if sale["business_day"] in days and (sale["store_id"], sale["business_day"]) in reported:
            total[sale["store_id"]]["basis"] += int(sale["total_minor"])
    for day in within:
        _day(tables, day, total)
    return {"stores": total, "departments": departments}


def _received(tables: dict[str, list[dict[str, str]]], line: dict[str, str]) -> int:
    posted = {
        row["id"] for row in tables["delivery"] if row["state"] == "posted" and row["order_id"] == line["order_id"]
    }
    return sum(
        int(row["counted_qty"] or 0)
        for row in tables["delivery_line"]
        if row["delivery_id"] in posted and row["sku"] == line["sku"] and row["store_id"] == line["store_id"]
    )


def _day(tables: dict[str, list[dict[str, str]]], day: dt.date, total: dict[str, dict[str, int]]) -> None:
    """Add what a store's day says of its shelves, waste and forecast."""
    opened = {
        row["store_id"] for row in tables["store_day"]
        if (row["business_day"], row["open"], row["imported"]) == (day.isoformat(), "True", "False")
    }  # fmt: skip
    for row in tables["waste"]:
        if row["business_day"] == day.isoformat():
            total[row["store_id"]]["wasted_cost"] += int(row["cost_minor"] or 0)
            total[row["store_id"]]["wasted"] += int(row["value_minor"] or 0)
    stood: dict[tuple[str, str], int] = defaultdict(int)
    for move in tables["stock_movement"]:
        if move["business_day"] <= day.isoformat():
            stood[move["store_id"], move["sku"]] += int(move["qty"]) * (
                (move["to_place"] in INSIDE) - (move["from_place"] in INSIDE)
            )
    kept = {(move["store_id"], move["sku"]) for move in tables["stock_movement"]}
    listed = {(row["store_id"], row["sku"]) for row in tables["listing"] if row["active"] == "True"} & kept
    for store, sku in sorted(listed):
        if store in opened:
            total[store]["listed"] += 1
            total[store]["empty"] += stood[store, sku] <= 0
    unit = {row["sku"]: row["stock_unit"] for row in tables["product"]}
    runs = sorted((run["scope_id"], run["origin_day"], run["id"]) for run in tables["forecast_run"])
    for store in sorted(opened):
        newest = [run_id for scope, origin, run_id in runs if scope == store and origin < day.isoformat()][-1:]
        for row in tables["forecast_quantile"]:
            if [row["run_id"]] == newest and row["first_day"] == row["last_day"] == day.isoformat():
                size = 1000 if unit[row["sku"]] == "each" else 1
                said = round(Fraction(row["mean"]) * size)
                sold = size * max(0, _sold(tables, store, row["sku"], day))
                total[store]["forecast"] += said
                total[store]["sold"] += sold
                total[store]["missed"] += abs(said - sold)


def _sold(tables: dict[str, list[dict[str, str]]], store: str, sku: str, day: dt.date) -> int:
    return sum(
        int(line["qty"])
        for line in tables["sale_line"]
        if (line["store_id"], line["sku"], line["business_day"]) == (store, sku, day.isoformat())
    )


if __name__ == "__main__":
    folder, first, last, ago = sys.argv[1:]
    span = [dt.date.fromisoformat(day) for day in (first, last)]
    back = dt.timedelta(days=int(ago))
    found = {"now": recount(Path(folder), *span), "before": recount(Path(folder), *(day - back for day in span))}
    json.dump(found, sys.stdout)
