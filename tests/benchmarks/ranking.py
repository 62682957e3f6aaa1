"""The bestseller shelf on weeks it has not seen: what its places sold, beside the store's own list of four weeks.

Each store is ranked on real sales up to a day, by the very ranking that plans shelves, and by what the store itself
sold in the four weeks before. Both lists are of the same length; what their products sold in the week that followed is
compared, summed over stores and weeks. A product that a store does not carry sells nothing in such a history, so a
place given to it counts as empty: the figure of all places is therefore a lower bound, and beside it stands that of the
products the store carried.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import Database, make_engine
from config.migrate import upgrade
from pos.catalogue.catalogue import Listing, Price, Product, TaxClass
from pos.store.store import Region, Store
from supply.demand.history import DailyDemand, RegionalDemand, StoreDay
from supply.shelf import ranking
from tests.benchmarks import _retail

SETS = ("freshretail_daily_dev", "completejourney")
WEEKS, STORES, GRAIN = 4, 40, 10
"""Weeks held out, stores looked at, and parts of a piece that are counted: some histories sell halves."""


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--slots", type=int, default=12)
    asked = parser.parse_args()
    result = measure(SETS[:1] if asked.quick else SETS, asked.slots, 2 if asked.quick else WEEKS)
    if asked.json:
        print(json.dumps(result))
    else:
        for name, one in result["ours"].items():
            print(f"{name}: {one}")
    _retail.stop_if_missing(result["settings"]["missing"])


def measure(names: Sequence[str], slots: int, weeks: int) -> dict[str, Any]:
    """Rank on each of these histories; what is missing is named in settings.missing."""
    found, missing = dict[str, Any](), list[str]()
    for name in names:
        try:
            found[name] = _ranked(_retail.frame(name), slots, weeks)
        except (FileNotFoundError, ImportError) as gone:
            missing.append(str(gone))
    settings = {"slots": slots, "weeks": weeks, "missing": missing}
    return {"bench": "ranking", "ours": found, "reference": {}, "ratio": {}, "settings": settings}


def _ranked(table: pd.DataFrame, slots: int, weeks: int) -> dict[str, float]:
    """Return how many times the units of the store's own list the planned places sold in the weeks held out."""
    table = table.assign(day=pd.to_datetime(table["day"]).dt.date, sold=(table["sold"] * GRAIN).round().astype(int))
    sold = table.pivot_table(index=["store", "product"], columns="day", values="sold", aggfunc="sum")
    days: list[dt.date] = sorted(table["day"].unique())
    last = days[-1]
    stores = [str(one) for one in np.random.default_rng(7).permutation(sorted(table["store"].unique()))[:STORES]]
    with tempfile.TemporaryDirectory(prefix="cornerstore-bench-") as folder:
        database = _laid_in(f"sqlite:///{folder}/ranking.db", table)
        ours: list[float] = []
        theirs: list[float] = []
        carried: list[float] = []
        same: list[float] = []
        with database.read() as session:
            for store, origin, week in _weeks(stores, days, last, weeks):
                own = _of_store(sold, store)
                month = own[[day for day in days if origin - dt.timedelta(days=28) < day <= origin]].sum(axis=1)
                came = own[week].sum(axis=1)
                here = set(month.index[month > 0])
                plan = [one.sku for one in ranking.rank(session, store, day=origin, slots=5 * slots)]
                best = list(month[month > 0].sort_values(ascending=False, kind="stable").index[:slots])
                kept = [sku for sku in plan if sku in here][:slots]
                ours.append(float(came.reindex(plan[:slots]).sum()))
                carried.append(float(came.reindex(kept).sum()))
                theirs.append(float(came.reindex(best).sum()))
                same.append(len(set(kept) & set(best)) / max(1, len(best)))
        database.engine.dispose()
    ceiling = sum(carried) / sum(theirs)
    return {
        "all_places": round(sum(ours) / sum(theirs), 3), "carried": round(ceiling, 3),
        "same_products": round(float(np.mean(same)), 2), "stores": len(stores), "weeks": weeks,
        "best_possible": round(_best_possible(sold, stores, days, last, weeks, slots) / sum(theirs), 3),
    }  # fmt: skip


def _best_possible(
    sold: pd.DataFrame, stores: list[str], days: list[dt.date], last: dt.date, weeks: int, slots: int
) -> float:
    """Return the units of the places somebody would have chosen who knew the week."""
    return sum(float(_of_store(sold, store)[week].sum(axis=1).nlargest(slots).sum()) for store, _, week in
               _weeks(stores, days, last, weeks))  # fmt: skip


def _of_store(sold: pd.DataFrame, store: str) -> pd.DataFrame:
    return sold.loc[[store]].droplevel("store")


def _weeks(
    stores: list[str], days: list[dt.date], last: dt.date, weeks: int
) -> Iterator[tuple[str, dt.date, list[dt.date]]]:
    """Yield (store, the last day that is known, the days of the week that follows)."""
    for store in stores:
        for back in range(weeks, 0, -1):
            origin = last - dt.timedelta(days=7 * back)
            yield store, origin, [day for day in days if origin < day <= origin + dt.timedelta(days=7)]


def _laid_in(url: str, table: pd.DataFrame) -> Database:
    """Return a network's database with these sales as daily demand of stores and regions."""
    upgrade(url)
    database = Database(make_engine(url))
    with database.write() as session:
        _catalogue(session, table)
        bought = table[table["sold"] > 0]
        for first in range(0, len(bought), 50_000):
            session.execute(
                sa.insert(DailyDemand),
                [{"store_id": str(row.store), "sku": str(row.product), "business_day": row.day, "sold_qty": row.sold,
                  "sales": 1, "revenue_minor": 0} for row in bought.iloc[first : first + 50_000].itertuples()],
            )  # fmt: skip
        _days(session, table)
    return database


def _catalogue(session: Session, table: pd.DataFrame) -> None:
    first = min(table["day"])
    session.add(TaxClass(id="x", name="x", rate_bp=0, inclusive=True))
    session.add_all(Region(id=str(one), name=str(one)) for one in sorted(table["region"].unique()))
    session.flush()
    for row in table.drop_duplicates("store").itertuples():
        session.add(Store(id=str(row.store), name=str(row.store), slug=f"s-{row.store}", region_id=str(row.region),
                          currency="USD", tz="UTC", joined_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC)))  # fmt: skip
    session.flush()
    for row in table.drop_duplicates("product").itertuples():
        session.add(Product(sku=str(row.product), name=str(row.product), category=str(row.category), tax_class_id="x",
                            search_text="x"))  # fmt: skip
    session.flush()
    session.add_all(
        Price(sku=str(one), scope_id="*", from_day=first, price_minor=100) for one in table["product"].unique()
    )
    pairs = table[table["sold"] > 0].drop_duplicates(["store", "product"])
    session.add_all(Listing(store_id=str(row.store), sku=str(row.product)) for row in pairs.itertuples())
    session.flush()


def _days(session: Session, table: pd.DataFrame) -> None:
    opened = table.groupby(["store", "day"])["sold"].sum().reset_index()
    session.execute(
        sa.insert(StoreDay),
        [{"store_id": str(row.store), "business_day": row.day, "open": True, "sales": 1, "revenue_minor": 0}
         for row in opened.itertuples()],
    )  # fmt: skip
    region = opened.merge(table.drop_duplicates("store")[["store", "region"]], on="store")
    stores = region.groupby(["region", "day"])["store"].nunique()
    sums = table.groupby(["region", "product", "day"])["sold"].agg(["sum", _selling]).reset_index()
    session.execute(
        sa.insert(RegionalDemand),
        [{"region_id": str(name), "sku": str(sku), "business_day": day, "sold_qty": int(sold),
          "revenue_minor": 0, "stores_open": int(stores[name, day]), "stores_selling": int(selling)}
         for name, sku, day, sold, selling in sums.itertuples(index=False, name=None) if sold > 0],
    )  # fmt: skip


def _selling(sold: pd.Series[int]) -> int:
    return int((sold > 0).sum())


if __name__ == "__main__":
    main()
