"""Parts of the forecast's benchmark that play a shop's life: empty shelves in a closed loop, clean days, launches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from forecasting import DemandPanel, censoring, evaluate, regional, run
from forecasting.assortment import WINDOW_DAYS, Assortment, Usual, lines
from forecasting.panel import Flags, Floats, Ints
from forecasting.pools import Pools, sums
from forecasting.shop_size import Stated
from forecasting.state import CONTEXT_DAYS, HISTORY_DAYS, moved_on

Way = Callable[[Floats, Flags, Floats], DemandPanel]
LOOP_DAYS, LOOP_WARM_DAYS, ORDER_LEVEL, SPAN_DAYS, LEAD_DAYS = 112, 28, 0.7, 3, 2
WEEK_DAYS, CLEAN_ORIGINS, WARM_UP = 7, 4, 4
CUT_ORIGINS, CUT_DAYS, CUT_SPREAD = 8, 364, (0.3, 0.45)
OPENS, SHUTS, LEAST_OPEN = 6.0, 22.0, 0.05
FIRST_SCORED, LAST_SCORED, RATE_DAYS = 14, 28, 28
STATED_ERROR = 0.25


# --- a shop that sees only what it sold ---


def closed_loop(panel: DemandPanel, country: str | None) -> dict[str, Any]:
    """Let a shop order by its own forecast for LOOP_DAYS and learn only from what its shelf let it sell.

    Every day the van brings what was ordered LEAD_DAYS ago, customers come, unmet ones leave, and it is ordered up to
    the quantile ORDER_LEVEL of the sum of SPAN_DAYS. bias: forecast of the next day over demand; fill: of units; the
    first LOOP_WARM_DAYS are not counted. The oracle sees the demand that was lost, too; `hours` knows, as a shop does,
    what part of a usual day's demand was still to come when the shelf was empty, `ours` only that it was.
    """
    panel = panel.between(panel.n_days - HISTORY_DAYS - LOOP_DAYS, panel.n_days)
    ways: dict[str, Way] = {
        "ours": lambda sold, short, hidden: replace(panel, y=sold, out_of_stock=short),
        "hours": lambda sold, short, hidden: replace(panel, y=sold, out_of_stock=short, out_share=hidden),
        "raw": lambda sold, short, hidden: replace(panel, y=sold),
        "missing": lambda sold, short, hidden: replace(panel, y=np.where(short, np.nan, sold)),
        "oracle": lambda sold, short, hidden: panel,
    }
    found = {name: _loop(panel, way, country) for name, way in ways.items()}
    for name in ("ours", "hours", "raw", "missing"):
        found[name]["fill_gap"] = round(found["oracle"]["fill"] - found[name]["fill"], 5)
    return found


def _loop(panel: DemandPanel, way: Way, country: str | None) -> dict[str, float]:
    demand, first, rng = panel.y, panel.n_days - LOOP_DAYS, np.random.default_rng(5)
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
        hidden[:, day] = np.where(short[:, day], _still_to_come(come, stock, rng), 0.0)
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


def _still_to_come(demand: Floats, shelf: Floats, rng: np.random.Generator) -> Floats:
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
    """Return the panel as a shop saw it: in the last CUT_DAYS the shelf held exp N(CUT_SPREAD) usual days' demand."""
    rng, demand = np.random.default_rng(3), np.nan_to_num(panel.y)
    usual = np.apply_along_axis(np.convolve, 1, demand, np.ones(28) / 28, "same")
    shelf = np.ceil(usual * np.exp(rng.normal(*CUT_SPREAD, demand.shape)))
    short = (demand >= shelf) & ~np.isnan(panel.y) & (np.arange(panel.n_days) >= panel.n_days - CUT_DAYS)
    hidden = np.where(short, _still_to_come(demand, shelf, rng), 0.0)
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


# --- new products and new shops ---


def cold_start(panel: DemandPanel, country: str | None, launches: int) -> dict[str, dict[str, dict[str, float]]]:
    """Pretend that products, or whole shops, begin on a day; the RMSSE of days FIRST_SCORED..LAST_SCORED after it.

    Over that of the mean of the product's own first 7 days after 0 and 7 days, of its first 14 after 14; the mean over
    the products, and, named `_weighted`, weighted by their takings. New are a random third of each shop's products, so
    that every shop has others beside them, or all of each region's last shop; the region never saw their sales there.
    `ours`, and after 0 days the `reference`: the region's rate times the shop's size (`_rate_by_size`). `shop_stated`:
    shops that said what they take (`_stated`).
    """
    found: dict[str, dict[str, dict[str, list[float]]]] = {"ours": {}, "reference": {}}
    rng, said = np.random.default_rng(11), np.random.default_rng(13)
    scopes = np.array([scope for scope, _ in panel.keys])
    last_shops = {name: max(s for s, r in zip(scopes, panel.region, strict=True) if r == name) for name in panel.region}
    last = np.array([s == last_shops[r] for s, r in zip(scopes, panel.region, strict=True)])
    for launch in range(launches):
        day = panel.n_days - LAST_SCORED * (launches - launch)
        sold = np.nansum(panel.y[:, day : day + 7], axis=1) > 0  # on sale in those days
        third = np.zeros(panel.n_series, dtype=np.bool_)
        for rows in _shops(panel):
            third[rng.choice(rows, max(1, len(rows) // 3), replace=False)] = True
        for kind, hidden in (("product", third & sold), ("shop", last)):
            stated = _stated(panel, day, said) if kind == "shop" else None
            for (whose, name, days), both in _launch(panel, hidden, hidden & sold, day, country, stated).items():
                for told, ratio in zip((kind + name, f"{kind}{name}_weighted"), both, strict=True):
                    found[whose].setdefault(told, {}).setdefault(str(days), []).append(ratio)
    return {
        whose: {
            kind: {days: round(float(np.mean(each)), 4) for days, each in ratios.items()}
            for kind, ratios in kinds.items()
        }
        for whose, kinds in found.items()
    }


def _launch(
    panel: DemandPanel, hide: Flags, new: Flags, day: int, country: str | None, stated: list[Stated] | None
) -> dict[tuple[str, str, int], tuple[float, float]]:
    """Return by whose forecast it is, how it was told and days since the launch the errors' ratios, plain and weighted.

    hide: (n,) what nobody saw before the day    new: (n,) what is scored    stated: each shop's, see `_stated`
    """
    hidden = np.where(hide[:, None] & (np.arange(panel.n_days) < day)[None, :], np.nan, panel.y)
    young = replace(panel, y=hidden)
    actual, past = panel.y[new, day + FIRST_SCORED : day + LAST_SCORED], panel.y[new, :day]
    weight = evaluate.weights(past, None if panel.price is None else panel.price[new, :day])

    def score(mean: Floats) -> Floats:
        errors = evaluate.squared_errors(mean, actual, past)
        return np.array([float(evaluate.row_mean(errors[None])[0]), evaluate.weighted(errors, weight)])

    def over_own(mean: Floats, days: int) -> tuple[float, float]:
        own = np.nan_to_num(evaluate.row_mean(panel.y[new, day : day + max(days, 7)]))
        plain, weighted = score(mean[new]) / score(_flat(own))
        return float(plain), float(weighted)

    ratios = {("reference", "", 0): over_own(_flat(_rate_by_size(young.between(0, day))), 0)}
    for days in (0, 7, 14):
        seen, horizon = young.between(0, day + days), LAST_SCORED - days
        signal = _region_of(seen, horizon, country)
        told = {name: np.zeros((panel.n_series, horizon)) for name in ("", "_stated")[: 1 if stated is None else 2]}
        for number, rows in enumerate(_shops(panel)):
            if not new[rows].any():
                continue
            shop, ahead = seen.select(rows), panel.select(rows).ahead(day + days, day + LAST_SCORED)
            past_days = shop.between(shop.n_days - HISTORY_DAYS, shop.n_days)
            state = run.measure(past_days, horizon_days=horizon, regional=signal, country=country)
            for name, mean in told.items():
                size = stated[number] if stated is not None and name else None
                mean[rows] = run.say(
                    state, horizon_days=horizon, regional=signal, panel=past_days, ahead=ahead, stated=size
                ).mean
        for name, mean in told.items():
            ratios["ours", name, days] = over_own(mean[:, FIRST_SCORED - days :], days)
    return ratios


def _stated(panel: DemandPanel, day: int, rng: np.random.Generator) -> list[Stated]:
    """Return what each shop took a day in the RATE_DAYS before, times exp N(0, STATED_ERROR); units without prices."""
    rate = np.nan_to_num(evaluate.row_mean(panel.y[:, day - RATE_DAYS : day]))
    price = np.ones(panel.n_series) if panel.price is None else panel.price[:, day - 1]
    return [
        Stated(float(np.nansum((rate * price)[rows])) * float(np.exp(rng.normal(0.0, STATED_ERROR))), price[rows])
        for rows in _shops(panel)
    ]


def _flat(level: Floats) -> Floats:
    return np.repeat(level[:, None], LAST_SCORED - FIRST_SCORED, axis=1)


def _rate_by_size(panel: DemandPanel) -> Floats:
    """Return (n,) units a day: a product's rate in its region's shops that have it, times this shop's size over theirs.

    Of the last RATE_DAYS; from the whole chain where no shop of the region has it. A shop's size is what it sells over
    what shops sell on average of the same products, 1 where it sells nothing yet.
    """
    rate = np.nan_to_num(evaluate.row_mean(panel.y[:, -RATE_DAYS:]))
    has, shop = (rate > 0).astype(np.float64), Pools.of(panel).shop

    def by(product: Ints) -> Floats:
        sold, shops = sums(rate, product), sums(has, product)
        due = sums(np.where(has > 0, (sold / np.maximum(shops, 1.0))[product], 0.0), shop)
        size = np.where(due > 0, sums(rate, shop) / np.where(due > 0, due, 1.0), 1.0)[shop]
        there = sums(has * size, product)
        return np.asarray((sold / np.maximum(there, 1e-9))[product] * size)

    chain, region = by(Pools.of(replace(panel, region=())).product), by(Pools.of(panel).product)
    return np.where(region > 0, region, chain)


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
    usual, count = _usual(panel, aisle)
    return regional.fit_region(pooled, horizon_days, country, stores=count, usual=usual)


def _usual(panel: DemandPanel, aisle: dict[str, str]) -> tuple[dict[tuple[str, str], Usual], dict[str, int]]:
    """Read the chain's assortment and its regions' selling shops off the last days, as the network does."""
    shops, skus, names = sorted({scope for scope, _ in panel.keys}), sorted(aisle), sorted(set(panel.region))
    units = np.zeros((len(shops), len(skus)))
    silent = np.zeros(units.shape, dtype=np.int64)
    of_shop = dict(zip((scope for scope, _ in panel.keys), panel.region, strict=True))
    for (scope, sku), sold in zip(panel.keys, np.nan_to_num(panel.y[:, -WINDOW_DAYS:]), strict=True):
        units[shops.index(scope), skus.index(sku)] = sold.sum()
        silent[shops.index(scope), skus.index(sku)] = int(np.argmax(sold > 0))
    region = np.array([names.index(of_shop[shop]) for shop in shops])
    aisles = np.unique([aisle[sku] for sku in skus], return_inverse=True)[1]
    found = Assortment.of(units, silent, region, lines(aisles, _prices(panel, skus)))
    usual = {
        (name, sku): one for row, name in enumerate(names) for sku, one in zip(skus, found.usual(row), strict=True)
    }
    selling = units.sum(axis=1) > 0
    return usual, {name: int((selling & (region == row)).sum()) for row, name in enumerate(names)}


def _prices(panel: DemandPanel, skus: list[str]) -> Floats:
    """Return what a unit of each product brought in the last days; NaN where no price is known."""
    sold, paid = np.zeros(len(skus)), np.full(len(skus), np.nan)
    if panel.price is not None:
        taken = np.zeros(len(skus))
        for (_, sku), units, price in zip(
            panel.keys, panel.y[:, -WINDOW_DAYS:], panel.price[:, -WINDOW_DAYS:], strict=True
        ):
            sold[skus.index(sku)] += np.nansum(units)
            taken[skus.index(sku)] += np.nansum(units * price)
        np.divide(taken, sold, out=paid, where=sold > 0)
    return paid


def _total(y: Floats) -> Floats:
    return np.where(np.isnan(y).all(axis=0), np.nan, np.nansum(y, axis=0))
