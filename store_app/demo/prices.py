"""The demonstration's shelf prices: dated, and moving as the panel's own prices moved.

Rules
-----
1. The regular price of a line is what was paid plus the store's own discounts, divided by its quantity:
   (sales_value + retail_disc + coupon_match_disc) / quantity.
2. A product's base price is the lower median of those over the year, so it is a price someone was asked.
   A weighed product has no quantity in grams in the panel; its base price per 1000 g is stated in
   `products.PRICE_PER_LB_CENTS`, and a line's grams are its regular value at that price.
3. A product is many articles. Its price of a window of 28 days is base x the median, over the window's
   lines, of the line's regular price by its own article's median of the year: articles are compared with
   themselves, so a change of the mix is no change of price.
4. The price changes only where that moves it 3 % or more (8 % if weighed, for a piece's weight varies too)
   and the window has 20 lines or more. The last day of the year belongs to the thirteenth window.

Units: US cents per price quantity (1 each, 1000 g).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

import numpy as np
import pandas as pd

WINDOW_DAYS = 28
LEAST_MOVE = 0.03
LEAST_MOVE_WEIGHED = 0.08
LEAST_LINES = 20


def dated_prices(
    lines: pd.DataFrame, base_minor: pd.Series, first_day: date, last_day: date, *, weighed: Collection[str] = ()
) -> pd.DataFrame:
    """Make the dated prices (rules 3, 4); `weighed` names the skus that need the larger move.

    lines: columns sku, article, unit_price (cents, float), window (int). base_minor: indexed by sku.
    Returns sku, from_day, price_minor; every sku has a row from first_day.
    """
    own = lines.groupby("article")["unit_price"].transform("median")
    moves = lines.assign(ratio=lines["unit_price"] / own).groupby(["sku", "window"], observed=True)["ratio"]
    table = moves.agg(["median", "size"]).reset_index()
    seen = {
        (sku, window): float(ratio) for sku, window, ratio, size in table.itertuples(index=False) if size >= LEAST_LINES
    }
    rows: list[tuple[str, date, int]] = []
    for sku, base in base_minor.items():
        current = 0
        least = LEAST_MOVE_WEIGHED if sku in weighed else LEAST_MOVE
        for window in range(window_of(last_day, first_day, last_day) + 1):
            ratio = seen.get((sku, window), 1.0 if window == 0 else None)
            if ratio is None:
                continue
            wanted = max(1, int(np.floor(base * ratio + 0.5)))
            if current == 0 or abs(wanted - current) >= least * current:
                rows.append((str(sku), first_day + timedelta(days=window * WINDOW_DAYS), wanted))
                current = wanted
    return pd.DataFrame(rows, columns=["sku", "from_day", "price_minor"])


def window_of(day: date, first_day: date, last_day: date) -> int:
    """Say which window a day falls in; a last window shorter than half joins the one before."""
    days = (last_day - first_day).days + 1
    windows = max(1, int(days / WINDOW_DAYS + 0.5))
    return min((day - first_day).days // WINDOW_DAYS, windows - 1)


def price_table(prices: pd.DataFrame, skus: list[str], first_day: date, last_day: date) -> np.ndarray:
    """Spread the dated prices over the days: (n_skus, n_days) int64 cents, every day filled."""
    days = (last_day - first_day).days + 1
    table = np.zeros((len(skus), days), dtype=np.int64)
    place = {sku: row for row, sku in enumerate(skus)}
    for sku, from_day, price in prices.sort_values(["sku", "from_day"]).itertuples(index=False):
        table[place[sku], max(0, (from_day - first_day).days) :] = price
    return table
