"""Anyone's sales history as a panel: one row per store, product and day, whatever the file was.

Rules
-----
1. Columns `store, product, day, sold`; optional `price, on_offer, out_of_stock_share, open, category, region`. Every
   other numeric column is a feature known in advance, except weather, which nobody knows a fortnight before.
2. A series begins with its first row. After it a day without a row is a day on which nothing was sold, unless no
   product of the store has one that day: then the shop was shut, demand was not observed, and nothing was sold.
3. `open` = 0 says so of a day in advance; only such closures are told to a forecast.
4. Negative sales (returns) count as none; the rows are counted and said. Two rows of one day are added up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasting.panel import DemandPanel, Flags, Floats, PanelFault

if TYPE_CHECKING:
    import pandas as pd

REQUIRED = ("store", "product", "day", "sold")
OPTIONAL = ("price", "on_offer", "out_of_stock_share", "open", "category", "region")
WEATHER = ("rain", "temperature", "snow", "wind", "humidity", "sunshine", "weather", "precipitation")
MOST_DAYS = 366 * 20
MOST_CELLS = 400_000_000


@dataclass(frozen=True)
class History:
    """A panel of every series of the file, the days each shop was known to be shut, and what was set right.

    closed   : (n, T) bool, announced by `open` = 0
    shut     : (n, T) bool, closed or without any row of the shop: sales are known to be none
    negative : rows of negative sales that count as none
    weather  : columns left aside because nobody knows them in advance
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
    if missing := [name for name in REQUIRED if name not in frame.columns]:
        found = ", ".join(str(name) for name in frame.columns[:12]) or "nothing"
        raise PanelFault("columns", f"the columns {', '.join(REQUIRED)}", f"no {', '.join(missing)} among {found}")
    if not len(frame):
        raise PanelFault("rows", "at least one row", "none")
    for name in ("store", "product"):
        if (none := frame[name].isna().to_numpy()).any():
            raise PanelFault(name, f"a {name} in every row", f"none in {_row(none)}")
    days = _days(frame["day"])
    sold = pd.to_numeric(frame["sold"], errors="coerce").to_numpy(dtype=np.float64)
    if (bad := np.isnan(sold) & frame["sold"].notna().to_numpy()).any():
        raise PanelFault("sold", "numbers in sold", f"{str(frame['sold'].iloc[int(np.argmax(bad))])!r} in {_row(bad)}")
    if (endless := np.isinf(sold)).any():
        raise PanelFault("sold", "finite numbers in sold", f"an infinite one in {_row(endless)}")
    labels, row = _series(frame)
    first = int(days.min())
    at, width = days - first, int(days.max()) - first + 1
    if width > MOST_DAYS or width * len(labels) > MOST_CELLS:
        raise PanelFault("size", f"at most {MOST_DAYS} days and {MOST_CELLS:,} cells", f"{width} x {len(labels)}")
    y, closed, shut = _sold(np.maximum(sold, 0.0), row, at, labels, width, _column(frame, "open"))
    grids = _Grids(frame, row, at, y.shape)
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
    """Return whole days since 1970 as integers."""
    import pandas as pd

    try:
        stamps = pd.to_datetime(column)
    except (ValueError, TypeError) as unreadable:
        read = pd.to_datetime(column, errors="coerce")
        wrong = (read.isna() & column.notna()).to_numpy()
        got = (
            f"{str(column.iloc[int(np.argmax(wrong))])!r} in {_row(wrong)}" if wrong.any() else "several kinds of dates"
        )
        raise PanelFault("day", "dates like 2026-03-01 in day", got) from unreadable
    if (none := stamps.isna().to_numpy()).any():
        raise PanelFault("day", "a date in every row", f"none in {_row(none)}")
    return stamps.to_numpy().astype("datetime64[D]").astype(np.int64)


def _row(wrong: Any) -> str:
    """Name the first row that is wrong, as a spreadsheet counts: the names of the columns stand in row 1."""
    return f"row {int(np.argmax(wrong)) + 2}"


def _series(frame: pd.DataFrame) -> tuple[tuple[tuple[str, str], ...], Any]:
    """Return the sorted (store, product) pairs, and each row's place among them."""
    import pandas as pd

    pairs = pd.MultiIndex.from_arrays([frame["store"].astype(str), frame["product"].astype(str)])
    row, labels = pd.factorize(pairs, sort=True)
    return tuple((str(store), str(product)) for store, product in labels), row.astype(np.int64)


def _sold(
    sold: Floats, row: Any, at: Any, labels: tuple[tuple[str, str], ...], width: int, opened: Floats | None
) -> tuple[Floats, Flags, Flags]:
    """Return (n, T) units, NaN where demand was not observed, and the closures (rules 2 and 3)."""
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


def _column(frame: pd.DataFrame, name: str) -> Floats | None:
    import pandas as pd

    if name not in frame.columns:
        return None
    column = frame[name]
    numbers = pd.to_numeric(column, errors="coerce") if column.dtype != bool else column
    return np.asarray(numbers.to_numpy(dtype=np.float64))


@dataclass(frozen=True)
class _Grids:
    """Columns as (n, T) arrays; days without a row take `missing`, or the last known value."""

    frame: pd.DataFrame
    row: Any
    at: Any
    shape: tuple[int, int]

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
                continue
            column = _column(self.frame, name)
            assert column is not None
            column = np.where(np.isfinite(column), column, 0.0)
            if np.ptp(column) > 0:
                found[name] = self._grid(column, 0.0)
        return found, tuple(weather)

    def _grid(self, column: Floats, missing: float) -> Floats:
        grid = np.full(self.shape, missing)
        grid[self.row, self.at] = column
        return grid
