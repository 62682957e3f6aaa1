"""Anyone's sales history as a panel: one row per store, product and day, whatever the file was.

Rules
-----
1. Columns `store, product, day, sold`; optional `price, on_offer, out_of_stock_share, open, category, region`. Every
   other numeric column is a feature known in advance. A temperature (Celsius) and a rain (millimetres) are known of
   days gone by alone, as a store has them (`surroundings`); other weather is left aside.
2. A day is written year first (2026-03-01, 20260301, 2026年3月1日) or with its year last in four digits: day first with
   points, otherwise as the file's days tell. Of a time with its zone the date as written counts.
3. A series begins with its first row. After it a day without a row is a day on which nothing was sold, unless no
   product of the store has one that day: then the store was shut, demand was not observed, and nothing was sold.
4. `open` = 0 says so of a day in advance; only such closures are told to a forecast.
5. Negative sales (returns) count as none; the rows are counted and said. Two rows of one day are added up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.series import external_factors
from forecasting.series.panel import LARGEST_DAY, DemandPanel, Flags, Floats, PanelFault

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("store", "product", "day", "sold")
OPTIONAL = ("price", "on_offer", "out_of_stock_share", "open", "category", "region")
WEATHER = ("rain", "temperature", "snow", "wind", "humidity", "sunshine", "weather", "precipitation")
AFTERWARDS = {
    "temperature": external_factors.TEMPERATURE,
    "rain": external_factors.RAIN,
    "precipitation": external_factors.RAIN,
}
MOST_DAYS = 366 * 20
MOST_CELLS = 400_000_000
A_DAY = "a day like 2026-03-01 in every row"
YEAR_FIRST = re.compile(r"(\d{4})([-/.年]?)(\d{1,2})(?:\2|月)(\d{1,2})日?(?:[T ].*)?")
YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:[T ].*)?")


@dataclass(frozen=True)
class History:
    """A panel of every series of the file, the days each store was known to be shut, and what was set right.

    closed   : (n, T) bool, announced by `open` = 0
    shut     : (n, T) bool, closed or without any row of the store: sales are known to be none
    negative : rows of negative sales that count as none
    weather  : columns that nobody knows in advance; a feature of the panel is made of the first of each AFTERWARDS
    """

    panel: DemandPanel
    closed: Flags
    shut: Flags
    negative: int
    weather: tuple[str, ...]


def read(frame: pd.DataFrame) -> History:
    """Turn a table of sales into a panel; PanelFault says what is missing or cannot be right."""
    import pandas as pd

    frame = frame.rename(columns={name: str(name).strip().lower() for name in frame.columns})
    _refuse_twice([str(name) for name in frame.columns])
    if missing := [name for name in REQUIRED if name not in frame.columns]:
        raise PanelFault("columns", f"the columns {', '.join(REQUIRED)}", f"no {', '.join(missing)}")
    if not len(frame):
        raise PanelFault("rows", "at least one row", "none")
    days = _days(frame["day"])
    sold = _numbers(frame, "sold")
    if (sold > LARGEST_DAY).any():
        raise PanelFault("sold", f"at most {LARGEST_DAY:,.0f} sold a day", f"{np.nanmax(sold):g}")
    labels, row = _series(frame)
    first = int(days.min())
    at, width = days - first, int(days.max()) - first + 1
    if width > MOST_DAYS:
        ends = [str(np.datetime64(int(day), "D")) for day in (first, first + width - 1)]
        raise PanelFault("size", f"days of at most {MOST_DAYS // 366} years", f"days from {ends[0]} to {ends[1]}")
    if width * len(labels) > MOST_CELLS:
        raise PanelFault("size", f"at most {MOST_CELLS:,} days of products", f"{len(labels)} products of {width} days")
    y, closed, shut = _sold(np.maximum(sold, 0.0), row, at, labels, width, _column(frame, "open"))
    stores = np.unique([store for store, _ in labels], return_inverse=True)[1]
    grids = _Grids(frame, row, at, y.shape, stores)
    share = grids.optional("out_of_stock_share", 0.0)
    offer, price = grids.optional("on_offer", 0.0), grids.optional("price", np.nan)
    features, weather = grids.features()
    given = [name for name in ("category", "region") if name in frame.columns]
    heads = frame[given].assign(row=row).drop_duplicates("row").set_index("row")
    names: dict[str, Any] = {
        name: tuple(str(value) for value in heads[name].reindex(range(len(labels)))) for name in given
    }
    panel = DemandPanel(
        keys=labels, first_day=pd.Timestamp(first, unit="D").date(), y=y, price=price, features=features,
        on_offer=None if offer is None else offer > 0, out_share=share,
        out_of_stock=None if share is None else share > 0, **names,
    )  # fmt: skip
    return History(panel, closed, shut, int((sold < 0).sum()), weather)


def _days(column: Any) -> Any:
    """Return whole days since 1970 as integers (rule 2)."""
    import pandas as pd

    if missing := int(column.isna().sum()):
        raise PanelFault("day", A_DAY, f"{missing} without one")
    if column.dtype.kind == "M" or isinstance(column.dtype, pd.DatetimeTZDtype):
        return column.dt.tz_localize(None).to_numpy().astype("datetime64[D]").astype(np.int64)
    codes, written = pd.factorize(column)
    if all(isinstance(day, date) for day in written):
        found = np.array([day.strftime("%Y-%m-%d") for day in written], dtype="datetime64[D]")
    else:
        found = np.array(_reported([str(day).strip() for day in written]), dtype="datetime64[D]")
    return found.astype(np.int64)[codes]


def _reported(written: list[str]) -> list[date]:
    """Return the days these words tell (rule 2)."""
    forms = [(YEAR_FIRST.fullmatch(word), YEAR_LAST.fullmatch(word)) for word in written]
    if odd := [word for word, form in zip(written, forms, strict=True) if not any(form)]:
        raise PanelFault("day", A_DAY, repr(odd[0]))
    slashed = [last for _, last in forms if last is not None and last[2] != "."]
    day_first = any(int(last[1]) > 12 for last in slashed)
    if slashed and not day_first and all(int(last[3]) <= 12 for last in slashed):
        raise PanelFault("day", f"{A_DAY}, for day and month cannot be told apart", repr(slashed[0][0]))
    days = []
    for word, (first, last) in zip(written, forms, strict=True):
        if first is not None:
            parts = first[1], first[3], first[4]
        else:
            assert last is not None
            parts = (last[4], last[3], last[1]) if day_first or last[2] == "." else (last[4], last[1], last[3])
        try:
            days.append(date(*(int(part) for part in parts)))
        except ValueError as impossible:
            raise PanelFault("day", A_DAY, repr(word)) from impossible
    return days


def _series(frame: pd.DataFrame) -> tuple[tuple[tuple[str, str], ...], Any]:
    """Return the sorted (store, product) pairs, and each row's place among them."""
    import pandas as pd

    for name in ("store", "product"):
        if missing := int(frame[name].isna().sum()):
            raise PanelFault(name, f"a {name} in every row", f"{missing} without one")
    pairs = pd.MultiIndex.from_arrays([frame["store"].astype(str), frame["product"].astype(str)])
    row, labels = pd.factorize(pairs, sort=True)
    return tuple((str(store), str(product)) for store, product in labels), row.astype(np.int64)


def _sold(
    sold: Floats, row: Any, at: Any, labels: tuple[tuple[str, str], ...], width: int, opened: Floats | None
) -> tuple[Floats, Flags, Flags]:
    """Return (n, T) units, NaN where demand was not observed, and the closures (rules 3 and 4)."""
    n = len(labels)
    y = np.zeros((n, width))
    np.add.at(y, (row, at), np.nan_to_num(sold))
    written = np.zeros((n, width), dtype=np.bool_)
    written[row, at] = True
    names = {name: place for place, name in enumerate(sorted({store for store, _ in labels}))}
    store = np.array([names[name] for name, _ in labels], dtype=np.int64)
    trading = np.zeros((len(names), width), dtype=np.bool_)
    np.logical_or.at(trading, store, written)
    listed = np.cumsum(written, axis=1) > 0
    known = listed & trading[store]
    known[row[np.isnan(sold)], at[np.isnan(sold)]] = False
    closed = np.zeros((n, width), dtype=np.bool_)
    if opened is not None:
        shut = opened == 0
        closed[row[shut], at[shut]] = True
    return np.where(known & ~closed, y, np.nan), closed, listed & (closed | ~trading[store])


def _refuse_twice(names: list[str]) -> None:
    """Refuse a column that stands twice; a reader of tables calls the second NAME.1."""
    for name in names:
        if names.count(name) > 1 or re.sub(r"\.\d+$", "", name) in set(names) - {name}:
            raise PanelFault("columns", "every column once", f"{re.sub(r'[.][0-9]+$', '', name)} twice")


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    """Return a column's numbers, NaN where its cells are empty."""
    import pandas as pd

    column = frame[name]
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    if (bad := np.isnan(numbers) & column.notna().to_numpy()).any():
        raise PanelFault(name, f"numbers in {name}", repr(column.iloc[int(np.argmax(bad))]))
    return np.asarray(numbers)


LIMITS = {"price": (0.0, LARGEST_DAY), "on_offer": (0.0, 1.0), "out_of_stock_share": (0.0, 1.0), "open": (0.0, 1.0)}


def _column(frame: pd.DataFrame, name: str) -> Floats | None:
    """Return a column that may be there, within its limits."""
    if name not in frame.columns:
        return None
    numbers = _numbers(frame, name)
    least, most = LIMITS.get(name, (-LARGEST_DAY, LARGEST_DAY))
    if (bad := (numbers < least) | (numbers > most)).any():
        raise PanelFault(name, f"{name} between {least:g} and {most:g}", f"{numbers[int(np.argmax(bad))]:g}")
    return numbers


@dataclass(frozen=True)
class _Grids:
    """Columns as (n, T) arrays; days without a row take `missing`, or the last known value."""

    frame: pd.DataFrame
    row: Any
    at: Any
    shape: tuple[int, int]
    stores: Any
    """(n,) the number of each series' store."""

    def optional(self, name: str, missing: float) -> Floats | None:
        column = _column(self.frame, name)
        return None if column is None else self._grid(column, missing)

    def features(self) -> tuple[dict[str, Floats], tuple[str, ...]]:
        found: dict[str, Floats] = {}
        weather = []
        for name in self.frame.columns:
            if name in REQUIRED + OPTIONAL or self.frame[name].dtype.kind not in "iufb":
                continue
            if any(word in name for word in WEATHER):
                weather.append(name)
                reported = next((feature for word, feature in AFTERWARDS.items() if word in name), None)
                if reported is not None and reported not in found:
                    apart = (
                        external_factors.temperature
                        if reported == external_factors.TEMPERATURE
                        else external_factors.rain
                    )
                    if (grid := apart(self._of_stores(_numbers(self.frame, name)))).any():
                        found[reported] = grid
                continue
            column = _column(self.frame, name)
            assert column is not None
            column = np.nan_to_num(column)
            if np.ptp(column) > 0:
                found[name] = self._grid(column, 0.0)
        return found, tuple(weather)

    def _of_stores(self, column: Floats) -> Floats:
        """Return what is the same for all of a store on a day; NaN where no row of it tells."""
        total, count = np.zeros((2, self.stores.max() + 1, self.shape[1]))
        reported = np.isfinite(column)
        there = self.stores[self.row[reported]], self.at[reported]
        np.add.at(total, there, column[reported])
        np.add.at(count, there, 1.0)
        return np.asarray(np.where(count > 0, total / np.maximum(count, 1.0), np.nan)[self.stores])

    def _grid(self, column: Floats, missing: float) -> Floats:
        grid = np.full(self.shape, missing)
        grid[self.row, self.at] = column
        return grid
