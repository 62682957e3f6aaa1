"""Parts of the forecast's benchmark that play a store's life: empty shelves in a closed loop, clean days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from forecasting import run
from forecasting.fit.state import CONTEXT_DAYS, HISTORY_DAYS, moved_on
from forecasting.series.panel import DemandPanel, Flags, Floats
from forecasting.uncertainty import censoring, evaluate

Way = Callable[[Floats, Flags, Floats], DemandPanel]
LOOP_DAYS, LOOP_WARM_DAYS, ORDER_LEVEL, SPAN_DAYS, LEAD_DAYS = 112, 28, 0.7, 3, 2
WEEK_DAYS, CLEAN_ORIGINS, WARM_UP = 7, 4, 4
CUT_ORIGINS, CUT_DAYS, CUT_SPREAD = 8, 364, (0.3, 0.45)
OPENS, SHUTS, LEAST_OPEN = 6.0, 22.0, 0.05


# --- a store that sees only what it sold ---


def closed_loop(panel: DemandPanel, country: str | None, loop_days: int = LOOP_DAYS) -> dict[str, Any]:
    """Let a store order by its own forecast for so many days and learn only from what its shelf let it sell.

    Every day what was ordered LEAD_DAYS ago arrives, customers come, unmet ones leave, and it is ordered up to
    the quantile ORDER_LEVEL of the sum of SPAN_DAYS. bias: forecast of the next day over demand; fill: of units; the
    first LOOP_WARM_DAYS are not counted. The oracle sees the demand that was lost, too; `hours` knows, as a store does,
    what part of a usual day's demand was still to come when the shelf was empty, `ours` only that it was.
    """
    panel = panel.between(panel.n_days - HISTORY_DAYS - loop_days, panel.n_days)
    ways: dict[str, Way] = {
        "ours": lambda sold, short, hidden: replace(panel, y=sold, out_of_stock=short),
        "hours": lambda sold, short, hidden: replace(panel, y=sold, out_of_stock=short, out_share=hidden),
        "raw": lambda sold, short, hidden: replace(panel, y=sold),
        "missing": lambda sold, short, hidden: replace(panel, y=np.where(short, np.nan, sold)),
        "oracle": lambda sold, short, hidden: panel,
    }
    found = {name: _loop(panel, way, country, loop_days) for name, way in ways.items()}
    for name in ("ours", "hours", "raw", "missing"):
        found[name]["fill_gap"] = round(found["oracle"]["fill"] - found[name]["fill"], 5)
    return found


def _loop(panel: DemandPanel, way: Way, country: str | None, loop_days: int) -> dict[str, float]:
    demand, first, rng = panel.y, panel.n_days - loop_days, np.random.default_rng(5)
    sold, short, hidden = demand.copy(), np.zeros(demand.shape, dtype=np.bool_), np.zeros(demand.shape)
    coming = np.zeros((panel.n_series, panel.n_days + LEAD_DAYS + 1))
    stock = np.nan_to_num(evaluate.row_mean(demand[:, first - 28 : first])) * SPAN_DAYS
    said = wanted = served = held = 0.0
    state: Any = None
    for day in range(first, panel.n_days - SPAN_DAYS + 1):
        seen = way(sold, short, hidden)
        if state is None or (day - first) % 7 == 0:
            past = seen.between(day - HISTORY_DAYS, day)
            state = run.measure(past, horizon_days=SPAN_DAYS, country=country, kept_days=7)
        else:
            past = seen.between(day - 1 - CONTEXT_DAYS, day)
            state = moved_on(state, past)
        forecast = run.say(state, horizon_days=SPAN_DAYS, panel=past, ahead=panel.ahead(day, day + SPAN_DAYS))
        level = np.array([np.interp(ORDER_LEVEL, forecast.levels, row) for row in forecast.cumulative[:, :, -1]])
        stock = stock + coming[:, day]
        position = stock + coming[:, day + 1 :].sum(axis=1)
        coming[:, day + LEAD_DAYS] += np.maximum(np.ceil(level - position), 0.0)
        come = np.nan_to_num(demand[:, day])
        sold[:, day] = np.where(np.isnan(demand[:, day]), np.nan, np.minimum(come, stock))
        short[:, day] = (come >= stock) & ~np.isnan(demand[:, day])
        hidden[:, day] = np.where(short[:, day], _expected_rest(come, stock, rng), 0.0)
        if day >= first + LOOP_WARM_DAYS:
            said += float(np.where(np.isnan(demand[:, day]), 0.0, forecast.mean[:, 0]).sum())
            wanted, served = wanted + float(come.sum()), served + float(np.minimum(come, stock).sum())
            held += float(stock.sum())
        stock = np.maximum(stock - come, 0.0)
    return {
        "bias": round(said / wanted - 1.0, 5),
        "fill": round(served / wanted, 5),
        "stock_days": round(held / wanted, 3),
    }


def _expected_rest(demand: Floats, shelf: Floats, rng: np.random.Generator) -> Floats:
    """Draw what part of the day's demand D was still to come when the last of S units went: less Beta(S, D - S + 1)."""
    come = rng.beta(np.maximum(shelf, 1e-9), np.maximum(demand - shelf, 0.0) + 1.0)
    return np.where(shelf > 0, 1.0 - come, 1.0)


# --- days without an empty shelf ---


def hours_profile(table: Any) -> Floats:
    """Return (24,) pooled sales by the hour of series' days on which no hour was without goods."""
    names = ["store_id", "product_id", "dt"]
    short = table.groupby(names)["hourly_stockout"].transform("max")
    by_hour = table[short == 0].groupby("hour")["hourly_sale"].sum()
    return np.asarray(by_hour.reindex(range(24), fill_value=0.0).to_numpy(dtype=np.float64))


def clean_days(panel: DemandPanel, profile: Floats, country: str | None) -> dict[str, dict[str, float]]:
    """Forecast seven days and compare sums with what was sold; error over units, summed up.

    clean: of the days without an empty shelf, which are slow days: nobody emptied it. `ours` is the forecast of demand
    by which is ordered. NAME_given_clean is told which days stayed clean, as this measure is: that way's forecast,
    times what earlier weeks' clean days sold of its forecasts (`censoring.clean_part`). open: of all days' hours with
    goods, for which the forecast is taken by the profile; whatever emptied the shelf, it sells there what is wanted.
    profile_only scales an empty day up by the hours it lacked; hours are empty at the end of the day.
    """
    assert panel.out_share is not None
    assert panel.out_of_stock is not None
    before = np.concatenate([[0.0], np.cumsum(profile / profile.sum())])
    hidden = 1.0 - np.interp(SHUTS - panel.out_share * (SHUTS - OPENS), np.arange(25.0), before)
    origins = range(panel.n_days - (WARM_UP + CLEAN_ORIGINS) * WEEK_DAYS, panel.n_days, WEEK_DAYS)
    seen = np.where(panel.out_of_stock, 1.0 - hidden, 1.0)
    parts = {"clean": (~panel.out_of_stock).astype(np.float64), "open": np.where(seen >= LEAST_OPEN, seen, 0.0)}
    return _weeks(_ways(replace(panel, out_share=hidden)), panel.y, parts, origins, country)


def cut_days(panel: DemandPanel, country: str | None) -> dict[str, dict[str, float]]:
    """Cut a known demand at shelves that held by chance more or less than usual, and forecast it: error over units.

    demand: of the seven-day sums of what was wanted; clean: of what was wanted on the days that were not cut, as
    `clean_days` has to measure it, NAME_given_clean as there. The oracle saw the whole demand.
    """
    cut = _cut(panel)
    assert cut.out_of_stock is not None
    origins = range(panel.n_days - (WARM_UP + CUT_ORIGINS) * 2 * WEEK_DAYS, panel.n_days, 2 * WEEK_DAYS)
    parts = {"demand": np.ones(panel.y.shape), "clean": (~cut.out_of_stock).astype(np.float64)}
    return _weeks(_ways(cut) | {"oracle": panel}, panel.y, parts, origins, country)


def _cut(panel: DemandPanel) -> DemandPanel:
    """Return the panel as a store saw it: in the last CUT_DAYS the shelf held exp N(CUT_SPREAD) usual days' demand."""
    rng, demand = np.random.default_rng(3), np.nan_to_num(panel.y)
    usual = np.apply_along_axis(np.convolve, 1, demand, np.ones(28) / 28, "same")
    shelf = np.ceil(usual * np.exp(rng.normal(*CUT_SPREAD, demand.shape)))
    short = (demand >= shelf) & ~np.isnan(panel.y) & (np.arange(panel.n_days) >= panel.n_days - CUT_DAYS)
    hidden = np.where(short, _expected_rest(demand, shelf, rng), 0.0)
    return replace(panel, y=np.where(short, shelf, panel.y), out_of_stock=short, out_share=hidden)


def _ways(panel: DemandPanel) -> dict[str, DemandPanel]:
    """Return what a panel with out_share, the part of a usual day's demand that met no goods, may be taken for."""
    assert panel.out_of_stock is not None
    assert panel.out_share is not None
    whole = np.maximum(1.0 - np.where(panel.out_of_stock, panel.out_share, 0.0), 0.1)
    plain = replace(panel, out_of_stock=None, out_share=None)
    return {
        "ours": panel,
        "flag_only": replace(panel, out_share=None),
        "raw": plain,
        "missing": replace(plain, y=np.where(panel.out_of_stock, np.nan, panel.y)),
        "profile_only": replace(plain, y=panel.y / whole),
    }


def _weeks(
    ways: dict[str, DemandPanel], sold: Floats, parts: dict[str, Floats], origins: range, country: str | None
) -> dict[str, dict[str, float]]:
    """Return each way's error and bias of the sums over these parts of the days of the weeks after the origins.

    sold: what each day's part brought; a part of 0 is left out. The weeks after the first WARM_UP origins only teach
    what clean days sell.
    """
    weeks = [slice(origin, origin + WEEK_DAYS) for origin in origins]
    said = {
        name: [
            run.forecast(
                way.between(0, week.start), horizon_days=WEEK_DAYS, country=country,
                ahead=way.ahead(week.start, week.stop),
            ).mean
            for week in weeks
        ]
        for name, way in ways.items()
    }  # fmt: skip
    judged = list(enumerate(weeks))[WARM_UP:]
    found: dict[str, dict[str, float]] = {kind: {} for kind in parts}
    for name, means in said.items():
        for kind, part in parts.items():
            found[kind] |= _errors(name, [(means[at], sold[:, week], part[:, week]) for at, week in judged])
        given = [means[at] * _clean_part(means[:at], weeks[:at], sold, parts["clean"])[:, None] for at, _ in judged]
        clean = [(mean, sold[:, w], parts["clean"][:, w]) for mean, (_, w) in zip(given, judged, strict=True)]
        found["clean"] |= _errors(f"{name}_given_clean", clean)
    return found


def _errors(name: str, weeks: list[tuple[Floats, Floats, Floats]]) -> dict[str, float]:
    """Return error and bias over units of what is (said, sold, part) of weeks."""
    gaps, units = [], 0.0
    for said, sold, part in weeks:
        use = np.where(np.isnan(sold), 0.0, part)
        come = np.where(use > 0, sold, 0.0)
        gaps.append((said * use - come).sum(axis=1))
        units += float(come.sum())
    sums = np.concatenate(gaps)
    return {
        name: round(float(np.abs(sums).sum()) / units, 5),
        f"bias_{name}": round(float(sums.sum()) / units, 5),
    }


def _clean_part(said: list[Floats], weeks: list[slice], sold: Floats, clean: Floats) -> Floats:
    come, whole = (np.concatenate([grid[:, week] for week in weeks], axis=1) for grid in (sold, clean))
    return censoring.clean_part(np.concatenate(said, axis=1), come, whole == 0)
