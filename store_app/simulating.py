"""Replaying anybody's sales history under our way of ordering and under others': the file in, the figures out."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from config.errors import Invalid, NotFound
from forecasting.panel import DemandPanel, Floats, PanelFault
from supply.simulate import (
    WARM_DAYS,
    Curve,
    History,
    Seen,
    Setting,
    curves,
    level_before,
    look_ahead,
    ours,
    replay,
)

NEEDED = ("store", "product", "day", "sold")
LEAST_BEFORE_DAYS = 56
"""So many days of history a forecast has at least before the first order."""
MOST_SERIES_DAYS = 20_000_000


def read_history(path: Path) -> History:
    """Read sales by store, product and day from Parquet, XLSX or CSV; refuses what cannot be replayed, with a sentence.

    A series begins with its first row; a day without a row after it is one on which nothing was sold. price, where it
    is there, weighs the products by their value; on_offer, category and region help the forecast.
    """
    table = _table(path)
    missing = [name for name in NEEDED if name not in table.columns]
    if missing:
        raise Invalid(
            "missing-columns",
            f"{path.name} has no column {' and none named '.join(missing)}. It needs store, product, day and sold.",
            columns=missing,
        )
    if not len(table):
        raise Invalid("empty-file", f"{path.name} has no rows. Export at least half a year of sales.")
    sold = pd.to_numeric(table["sold"], errors="coerce")
    days = pd.to_datetime(table["day"], errors="coerce", format="ISO8601" if table["day"].dtype.kind != "M" else None)
    for column, bad, wanted in (("sold", sold.isna(), "a number"), ("day", days.isna(), "a date like 2026-03-01")):
        if bad.any():
            row = int(np.flatnonzero(bad.to_numpy())[0])
            raise Invalid("bad-cell", f"Row {row + 2}, {column}: {table[column].iloc[row]!r} is not {wanted}.")
    if (sold < 0).any():
        row = int(np.flatnonzero((sold < 0).to_numpy())[0])
        raise Invalid("negative-sales", f"Row {row + 2}, sold: less than nothing. Leave returns out of the file.")
    table = table.assign(sold=sold, day=days.dt.normalize())
    axis = pd.date_range(table["day"].min(), table["day"].max())
    keys = table.groupby(["store", "product"], sort=True).size().index
    if len(axis) * len(keys) > MOST_SERIES_DAYS:
        raise Invalid("too-much", "So many products and days do not fit into memory at once. Replay a part of them.")
    y = _grid(table, "sold", keys, axis, "sum").fillna(0.0).to_numpy()
    began = table.groupby(["store", "product"])["day"].min().reindex(keys).to_numpy()
    y = np.where(axis.to_numpy()[None, :] < began[:, None], np.nan, y)
    offers = None
    if "on_offer" in table:
        offers = _grid(table, "on_offer", keys, axis, "max").fillna(0).to_numpy() > 0
    names = {
        name: tuple(table.groupby(["store", "product"])[name].last().reindex(keys).astype(str))
        for name in ("category", "region")
        if name in table
    }
    try:
        panel = DemandPanel(
            keys=tuple((str(store), str(product)) for store, product in keys), first_day=axis[0].date(), y=y,
            on_offer=offers, **names,
        )  # fmt: skip
    except PanelFault as fault:
        raise Invalid("bad-history", f"{path.name} cannot be replayed: {fault}.") from fault
    return History(panel, _values(table, keys))


def replay_all(
    history: History,
    setting: Setting,
    fill: float,
    *,
    country: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Replay every way of ordering and say what each needs for that fill; JSON types only.

    asked: what our rule delivers when asked for that fill, the service level being found on the days before the scored
    ones alone.
    """
    _refuse(history, setting, fill)
    seen = look_ahead(history, setting, country=country, progress=progress)
    found = curves(history, seen, setting)
    return {
        "ours": _at(found["ours"], fill),
        "rivals": {name: _at(curve, fill) for name, curve in found.items() if name != "ours"},
        "asked": delivered(history, seen, setting, fill),
        "curves": {
            name: [{"setting": at, **asdict(one)} for at, one in zip(curve.settings, curve.outcomes, strict=True)]
            for name, curve in found.items()
        },
        "settings": {
            **asdict(setting), "fill": fill, "warm_days": WARM_DAYS, "series": history.panel.n_series,
            "first_scored_day": str(history.panel.next_day - pd.Timedelta(days=setting.scored_days + setting.span - 1)),
        },
    }  # fmt: skip


def delivered(history: History, seen: Seen, setting: Setting, fill: float) -> dict[str, float]:
    """Ask our rule for a fill: find its level on the time before the scored days, then run it over them."""
    level = level_before(history, seen, setting, fill)
    outcome = replay(history, ours(seen, setting, level), setting)
    return {"fill": fill, "level": level, "delivered": outcome.fill, "cover_days": outcome.cover_days}


# --- inside ---


def _table(path: Path) -> pd.DataFrame:
    if not path.is_file():
        raise NotFound("no-such-file", f"There is no file {path}.")
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        elif path.suffix == ".xlsx":
            table = pd.read_excel(path)
        else:
            table = pd.read_csv(path)
    except (ValueError, OSError, UnicodeDecodeError) as fault:
        raise Invalid("unreadable", f"{path.name} is no readable Parquet, XLSX or CSV file.") from fault
    return table.rename(columns=lambda name: str(name).strip().lower())


def _grid(table: pd.DataFrame, column: str, keys: pd.MultiIndex, axis: pd.DatetimeIndex, how: str) -> pd.DataFrame:
    wide = table.pivot_table(index=["store", "product"], columns="day", values=column, aggfunc=how)
    return wide.reindex(index=keys, columns=axis)


def _values(table: pd.DataFrame, keys: pd.MultiIndex) -> Floats:
    """Return what a unit of each series is worth: its mean price, or 1 where the file tells none."""
    if "price" not in table:
        return np.ones(len(keys))
    price = pd.to_numeric(table["price"], errors="coerce")
    mean = price.where(price > 0).groupby([table["store"], table["product"]]).mean().reindex(keys)
    return mean.fillna(mean.mean() if mean.notna().any() else 1.0).to_numpy(dtype=np.float64)


def _refuse(history: History, setting: Setting, fill: float) -> None:
    if not 0.5 <= fill < 1:
        raise Invalid("bad-fill", "Ask for a fill of 0.5 to below 1, for instance 0.97: 97 of 100 wanted units sold.")
    if not 0 <= setting.lead_days <= 30 or not 1 <= setting.review_days <= 30 or setting.pack_qty < 1:
        raise Invalid("bad-setting", "Goods arrive 0 to 30 days after an order, orders are 1 to 30 days apart.")
    if setting.shelf_life_days is not None and setting.shelf_life_days < 1:
        raise Invalid("bad-setting", "A shelf life is one day or more.")
    if history.first_day(setting) < LEAST_BEFORE_DAYS:
        needed = setting.scored_days + WARM_DAYS + setting.span + LEAST_BEFORE_DAYS
        raise Invalid(
            "short-history",
            f"The file holds {history.panel.n_days} days; {needed} are needed to replay {setting.scored_days}.",
            days=history.panel.n_days, needed=needed,
        )  # fmt: skip
    if not float((history.y[:, -setting.scored_days :] * history.value[:, None]).sum()) > 0:
        raise Invalid("no-sales", "Nothing was sold in the days to be replayed.")


def _at(curve: Curve, fill: float) -> dict[str, float | None]:
    return {name: curve.at(fill, name) for name in ("cover_days", "waste", "order_lines", "stock_value")}
