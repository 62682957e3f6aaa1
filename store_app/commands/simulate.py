"""Replaying anybody's sales history under our way of ordering and under others': the file in, the figures out."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from config.errors import Invalid
from config.words import language
from forecasting.series.panel import Floats
from store_app.files import sales
from store_app.pages.orders import curve_chart
from supply.replenishment.replay import (
    WARM_DAYS,
    Curve,
    History,
    Seen,
    Setting,
    curves,
    levels_asked,
    look_ahead,
    ours,
    replay,
)

LEAST_BEFORE_DAYS = 56
"""So many days of history a forecast has at least before the first order."""


def read_history(path: Path) -> History:
    """Read sales by store, product and day as `cornerstore backtest` does; a price, if told, is what a unit is worth.

    Sales are what was wanted: days on which the shelf was empty are taken as they are.
    """
    found = sales.read(path)
    return History(found.panel, _values(found.panel.price, found.panel.n_series), found.closed, found.negative)


def replay_all(
    past: History,
    setting: Setting,
    fill: float,
    *,
    country: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Replay every way of ordering and say what each needs for that fill; JSON types only.

    asked: what our rule delivers when asked for that fill, each day's service level being found on the days before it
    alone; `level` is their mean.
    """
    _refuse(past, setting, fill)
    seen = look_ahead(past, setting, country=country, progress=progress)
    found = curves(past, seen, setting)
    return {
        "ours": _at(found["ours"], fill),
        "rivals": {name: _at(curve, fill) for name, curve in found.items() if name != "ours"},
        "asked": delivered(past, seen, setting, [fill])[0],
        "curves": {
            name: [{"setting": at, **asdict(one)} for at, one in zip(curve.settings, curve.outcomes, strict=True)]
            for name, curve in found.items()
        },
        "settings": {
            **asdict(setting), "fill": fill, "warm_days": WARM_DAYS, "series": past.panel.n_series,
            "negative_rows": past.negative_rows,
            "first_scored_day": str(
                past.panel.next_day - dt.timedelta(days=setting.scored_days + setting.span - 1)
            ),
        },
    }  # fmt: skip


def delivered(past: History, seen: Seen, setting: Setting, fills: Sequence[float]) -> list[dict[str, float]]:
    """Ask our rule for each of these fills: at each day's level by the days before it, it runs over the scored ones."""
    found = []
    for fill, levels in zip(fills, levels_asked(past, seen, setting, fills), strict=True):
        outcome = replay(past, ours(past, seen, setting, levels), setting)
        level = float(levels[WARM_DAYS:].mean())
        found.append({"fill": fill, "level": level, "delivered": outcome.fill, "cover_days": outcome.cover_days})
    return found


def draw(reported: dict[str, Any], fill: float, path: Path) -> None:
    """Draw the curves of a replay into an SVG file: the days of stock each way keeps for the share sold."""
    curves = {name: [(row["fill"], row["cover_days"]) for row in rows] for name, rows in reported["curves"].items()}
    names = {"ours": "ours"} | {name: name.replace("_", " ") for name in reported["rivals"]}
    drawn = curve_chart.picture(curves, names, fill, lambda days: f"{days:.0f} days", language("en").percent)
    try:
        path.write_text(curve_chart.alone(drawn, "Days of stock for the share sold"), encoding="utf-8")
    except OSError as fault:
        raise Invalid(
            "no-chart", "%(path)s cannot be written: %(strerror)s.", strerror=fault.strerror, path=str(path)
        ) from fault


# --- inside ---


def _values(price: Floats | None, n: int) -> Floats:
    """Return what a unit of each series is worth: its mean price, or 1 where the file tells none."""
    if price is None:
        return np.ones(n)
    known = np.where(price > 0, price, np.nan)
    count = (~np.isnan(known)).sum(axis=1)
    mean = np.nansum(known, axis=1) / np.maximum(count, 1)
    usual = float(mean[count > 0].mean()) if (count > 0).any() else 1.0
    return np.where(count > 0, mean, usual)


def _refuse(past: History, setting: Setting, fill: float) -> None:
    if not 0.5 <= fill < 1:
        raise Invalid(
            "bad-fill", "Enter a fill rate from 0.5 to below 1. For example, 0.97 sells 97 of 100 units demanded."
        )
    if not 0 <= setting.lead_days <= 30 or not 1 <= setting.review_days <= 30 or setting.pack_qty < 1:
        raise Invalid("bad-setting", "Enter 0 to 30 days until delivery and 1 to 30 days between orders.")
    if setting.shelf_life_days is not None and setting.shelf_life_days < 1:
        raise Invalid("bad-setting", "Enter a shelf life of one day or more.")
    if past.first_day(setting) < LEAST_BEFORE_DAYS:
        needed = setting.scored_days + WARM_DAYS + setting.span + LEAST_BEFORE_DAYS
        raise Invalid(
            "short-history",
            "The file has %(days)s days; replaying %(scored_days)s needs %(needed)s. Use a longer history, or fewer "
            "days with --days.",
            scored_days=setting.scored_days, days=past.panel.n_days, needed=needed,
        )  # fmt: skip
    if not float((past.y[:, -setting.scored_days :] * past.value[:, None]).sum()) > 0:
        raise Invalid("no-sales", "Nothing was sold in the replay period.")


def _at(curve: Curve, fill: float) -> dict[str, float | None]:
    return {name: curve.at(fill, name) for name in ("cover_days", "waste", "order_lines", "stock_value")}
