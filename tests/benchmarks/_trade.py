"""Parts of the forecast's benchmark that play a shop's life: empty shelves in a closed loop, clean days, launches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from forecasting import DemandPanel, evaluate, regional, run
from forecasting.panel import Flags, Floats
from forecasting.state import CONTEXT_DAYS, HISTORY_DAYS, moved_on

LOOP_DAYS, LOOP_WARM_DAYS, ORDER_LEVEL, SPAN_DAYS, LEAD_DAYS = 112, 28, 0.7, 3, 2
CLEAN_ORIGINS, CLEAN_DAYS = 4, 7
OPENS, SHUTS = 6.0, 22.0
FIRST_SCORED, LAST_SCORED = 14, 28


# --- a shop that sees only what it sold ---


def closed_loop(panel: DemandPanel, country: str | None) -> dict[str, Any]:
    """Let a shop order by its own forecast for LOOP_DAYS and learn only from what its shelf let it sell.

    Every day the van brings what was ordered LEAD_DAYS ago, customers come, unmet ones leave, and it is ordered up to
    the quantile ORDER_LEVEL of the sum of SPAN_DAYS. bias: forecast of the next day over demand; fill: of units; the
    first LOOP_WARM_DAYS are not counted. The oracle sees the demand that was lost, too.
    """
    panel = panel.between(panel.n_days - HISTORY_DAYS - LOOP_DAYS, panel.n_days)
    ways: dict[str, Callable[[Floats, Flags], DemandPanel]] = {
        "ours": lambda sold, short: replace(panel, y=sold, out_of_stock=short),
        "raw": lambda sold, short: replace(panel, y=sold),
        "missing": lambda sold, short: replace(panel, y=np.where(short, np.nan, sold)),
        "oracle": lambda sold, short: panel,
    }
    found = {name: _loop(panel, way, country) for name, way in ways.items()}
    for name in ("ours", "raw", "missing"):
        found[name]["fill_gap"] = round(found["oracle"]["fill"] - found[name]["fill"], 5)
    return found


def _loop(panel: DemandPanel, way: Callable[[Floats, Flags], DemandPanel], country: str | None) -> dict[str, float]:
    demand, first = panel.y, panel.n_days - LOOP_DAYS
    sold, short = demand.copy(), np.zeros(demand.shape, dtype=np.bool_)
    coming = np.zeros((panel.n_series, panel.n_days + LEAD_DAYS + 1))
    stock = np.nan_to_num(evaluate.row_mean(demand[:, first - 28 : first])) * SPAN_DAYS
    said = wanted = served = held = 0.0
    state: Any = None
    for day in range(first, panel.n_days - SPAN_DAYS + 1):
        seen = way(sold, short)
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


# --- days without an empty shelf ---


def hours_profile(table: Any) -> Floats:
    """Return (24,) pooled sales by the hour of series' days on which no hour was without goods."""
    names = ["store_id", "product_id", "dt"]
    short = table.groupby(names)["hourly_stockout"].transform("max")
    by_hour = table[short == 0].groupby("hour")["hourly_sale"].sum()
    return np.asarray(by_hour.reindex(range(24), fill_value=0.0).to_numpy(dtype=np.float64))


def clean_days(panel: DemandPanel, profile: Floats, country: str | None) -> dict[str, float]:
    """Forecast seven days and compare their clean ones' sum with what was sold on them; error over units, summed up.

    profile_only scales an empty day up by the hours it lacked; hours are empty at the end of the day.
    """
    assert panel.out_share is not None
    assert panel.out_of_stock is not None
    before = np.concatenate([[0.0], np.cumsum(profile / profile.sum())])
    hidden = 1.0 - np.interp(SHUTS - panel.out_share * (SHUTS - OPENS), np.arange(25.0), before)
    whole = np.maximum(1.0 - np.where(panel.out_of_stock, hidden, 0.0), 0.1)
    ways = {
        "ours": replace(panel, out_share=hidden),
        "flag_only": replace(panel, out_share=None),
        "raw": replace(panel, out_of_stock=None, out_share=None),
        "missing": replace(panel, y=np.where(panel.out_of_stock, np.nan, panel.y), out_of_stock=None, out_share=None),
        "profile_only": replace(panel, y=panel.y / whole, out_of_stock=None, out_share=None),
    }
    error, units = dict.fromkeys(ways, 0.0), 0.0
    bias = dict.fromkeys(ways, 0.0)
    for back in range(CLEAN_ORIGINS, 0, -1):
        origin = panel.n_days - back * CLEAN_DAYS
        after = slice(origin, origin + CLEAN_DAYS)
        clean = ~panel.out_of_stock[:, after] & ~np.isnan(panel.y[:, after])
        sold = np.where(clean, panel.y[:, after], 0.0).sum(axis=1)
        units += float(sold.sum())
        for name, way in ways.items():
            ahead = panel.ahead(origin, origin + CLEAN_DAYS)
            said = run.forecast(way.between(0, origin), horizon_days=CLEAN_DAYS, country=country, ahead=ahead)
            gap = np.where(clean, said.mean, 0.0).sum(axis=1) - sold
            error[name] += float(np.abs(gap).sum())
            bias[name] += float(gap.sum())
    answer = {name: round(value / units, 5) for name, value in error.items()}
    return answer | {f"bias_{name}": round(value / units, 5) for name, value in bias.items()}


# --- new products and new shops ---


def cold_start(panel: DemandPanel, country: str | None, launches: int) -> dict[str, dict[str, float]]:
    """Pretend that products, or whole shops, begin on a day; our RMSSE of days FIRST_SCORED..LAST_SCORED after it.

    Over that of the mean of the product's own first 7 days after 0 and 7 days, of its first 14 after 14. New are a
    random third of each shop's products, so that every shop has others beside them, or all of each region's last shop;
    the region never saw their sales there.
    """
    found: dict[str, dict[str, list[float]]] = {"product": {}, "shop": {}}
    rng = np.random.default_rng(11)
    scopes = np.array([scope for scope, _ in panel.keys])
    last_shops = {name: max(s for s, r in zip(scopes, panel.region, strict=True) if r == name) for name in panel.region}
    for launch in range(launches):
        day = panel.n_days - LAST_SCORED * (launches - launch)
        sold = np.nansum(panel.y[:, day : day + 7], axis=1) > 0  # on sale in those days
        third = np.zeros(panel.n_series, dtype=np.bool_)
        for rows in _shops(panel):
            third[rng.choice(rows, max(1, len(rows) // 3), replace=False)] = True
        picks = {
            "product": third & sold,
            "shop": np.array([s == last_shops[r] for s, r in zip(scopes, panel.region, strict=True)]) & sold,
        }
        for kind, new in picks.items():
            for days, ratio in _launch(panel, new, day, country).items():
                found[kind].setdefault(str(days), []).append(ratio)
    return {kind: {days: round(float(np.mean(r)), 4) for days, r in ratios.items()} for kind, ratios in found.items()}


def _launch(panel: DemandPanel, new: Flags, day: int, country: str | None) -> dict[int, float]:
    hidden = np.where(new[:, None] & (np.arange(panel.n_days) < day)[None, :], np.nan, panel.y)
    young = replace(panel, y=hidden)
    actual, past = panel.y[new, day + FIRST_SCORED : day + LAST_SCORED], panel.y[new, :day]
    weight = evaluate.weights(past, None if panel.price is None else panel.price[new, :day])

    def score(mean: Floats) -> float:
        return evaluate.weighted(evaluate.squared_errors(mean, actual, past), weight)

    ratios = {}
    for days in (0, 7, 14):
        seen = young.between(0, day + days)
        signal = _region_of(seen, LAST_SCORED - days, country)
        horizon = LAST_SCORED - days
        mean = np.zeros((panel.n_series, horizon))
        for rows in _shops(panel):
            shop = seen.select(rows)
            ahead = panel.select(rows).ahead(day + days, day + LAST_SCORED)
            mean[rows] = run.forecast(shop, horizon_days=horizon, regional=signal, country=country, ahead=ahead).mean
        own = np.nan_to_num(evaluate.row_mean(panel.y[new, day : day + max(days, 7)]))
        ours = score(mean[new][:, FIRST_SCORED - days :])
        ratios[days] = ours / score(np.repeat(own[:, None], LAST_SCORED - FIRST_SCORED, axis=1))
    return ratios


def _shops(panel: DemandPanel) -> list[list[int]]:
    rows: dict[str, list[int]] = {}
    for row, (scope, _) in enumerate(panel.keys):
        rows.setdefault(scope, []).append(row)
    return list(rows.values())


def _region_of(panel: DemandPanel, horizon_days: int, country: str | None) -> Any:
    """Fit the regions' signal on the sums over their shops, as the network does."""
    rows: dict[tuple[str, str], list[int]] = {}
    for region in sorted(set(panel.region)):
        rows |= {(region, sku): [] for sku in sorted({sku for _, sku in panel.keys})}
    for row, ((_, sku), region) in enumerate(zip(panel.keys, panel.region, strict=True)):
        rows[region, sku].append(row)
    aisle = {sku: name for (_, sku), name in zip(panel.keys, panel.category, strict=True)}
    nothing = np.full(panel.n_days, np.nan)
    y = np.array([_total(panel.y[r]) if r else nothing for r in rows.values()])
    pooled = DemandPanel(keys=tuple(rows), first_day=panel.first_day, y=y, category=tuple(aisle[s] for _, s in rows))
    shops = sorted({scope for scope, _ in panel.keys})
    skus = sorted(aisle)
    sold = np.zeros((len(shops), len(skus)))
    for row, (scope, sku) in enumerate(panel.keys):
        sold[shops.index(scope), skus.index(sku)] = np.nansum(panel.y[row, -regional.SELLERS_DAYS :])
    table = regional.Assortment.of(sold / regional.SELLERS_DAYS)
    of_shop = dict(zip((scope for scope, _ in panel.keys), panel.region, strict=True))
    count: dict[str, int] = {}
    sellers: dict[tuple[str, str], float] = {}
    chain: dict[tuple[str, str], float] = {}
    for region in sorted(set(panel.region)):
        here = np.array([of_shop[shop] == region for shop in shops]) & (sold.sum(axis=1) > 0)
        count[region] = int(here.sum())
        keys = [(region, sku) for sku in skus]
        sellers.update(zip(keys, table.sellers(here).tolist(), strict=True))
        chain.update(zip(keys, table.usual(here).tolist(), strict=True))
    return regional.fit_region(pooled, horizon_days, country, stores=count, sellers=sellers, chain=chain)


def _total(y: Floats) -> Floats:
    return np.where(np.isnan(y).all(axis=0), np.nan, np.nansum(y, axis=0))
