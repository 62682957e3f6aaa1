"""Part of the forecast's benchmark: how well what is new to a store, and a store that is new itself, is foreseen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from forecasting import run
from forecasting.fit import regional
from forecasting.fit.assortment import WINDOW_DAYS, Assortment, Usual, lines
from forecasting.fit.state import HISTORY_DAYS
from forecasting.fit.store_size import Stated
from forecasting.series.panel import DemandPanel, Flags, Floats, Ints
from forecasting.series.pools import Pools, sums
from forecasting.uncertainty import evaluate

FIRST_SCORED, LAST_SCORED, RATE_DAYS = 14, 28, 28
NEW_SHARE, DRAWS, LEAST_STORES = 0.1, 2, 2
STATED_ERROR = 0.25

Errors = tuple[Floats, Floats, Floats]
"""RMSSE of some products by a forecast, and by their own first days' mean, and what they took."""


def cold_start(panel: DemandPanel, country: str | None, launches: int) -> dict[str, dict[str, dict[str, float]]]:
    """Pretend that products, or a whole store, begin on a day; the RMSSE of days FIRST_SCORED..LAST_SCORED after it.

    Over that of the mean of the product's own first 7 days after 0 and 7 days, of its first 14 after 14: ratios of the
    means over a launch's products, and, named `_weighted`, of those weighted by their sales; the mean over launches.

    product : a random NEW_SHARE of each store's products, at least one, in DRAWS draws a launch; the region never saw
              what they sold there
    store    : all of one store's, the stores in turn, each alone and as many a launch as it takes to have all
              (LEAST_STORES at least); `store_stated`: it said what it takes (`_stated`); `store_past`: it brought its
              past sales, as `cornerstore import sales` takes them, and is new to nobody

    `ours`, and after 0 days the `reference`: the region's rate times the store's size (`_rate_by_size`).
    """
    found: dict[str, dict[str, dict[str, list[float]]]] = {"ours": {}, "reference": {}}
    rng, said = np.random.default_rng(11), np.random.default_rng(13)
    stores = _stores(panel)
    a_launch = max(LEAST_STORES, -(-len(stores) // launches))
    for launch in range(launches):
        day = panel.n_days - LAST_SCORED * (launches - launch)
        sold = np.nansum(panel.y[:, day : day + 7], axis=1) > 0  # on sale in those days
        stated = _stated(panel, day, said)
        kept: dict[tuple[str, str, int], list[Errors]] = {}
        for _ in range(DRAWS):
            hidden = _part(panel.n_series, stores, rng) & sold
            for (whose, days), errors in _products(panel, hidden, day, country):
                kept.setdefault((whose, "product", days), []).append(errors)
        for number in range(launch * a_launch, (launch + 1) * a_launch):
            rows, reported = stores[number % len(stores)], stated[number % len(stores)]
            if sold[rows].any():
                for (whose, kind, days), errors in _store(panel, rows, sold, day, country, reported):
                    kept.setdefault((whose, kind, days), []).append(errors)
        for (whose, kind, days), each in kept.items():
            ours, own, weight = (np.concatenate(parts) for parts in zip(*each, strict=True))
            plain = float(evaluate.row_mean(ours[None])[0] / evaluate.row_mean(own[None])[0])
            weighted = evaluate.weighted(ours, weight) / evaluate.weighted(own, weight)
            for name, ratio in ((kind, plain), (f"{kind}_weighted", weighted)):
                found[whose].setdefault(name, {}).setdefault(str(days), []).append(ratio)
    return {
        whose: {
            kind: {days: round(float(np.mean(each)), 4) for days, each in ratios.items()}
            for kind, ratios in kinds.items()
        }
        for whose, kinds in found.items()
    }


def _part(n_series: int, stores: list[list[int]], rng: np.random.Generator) -> Flags:
    """Draw a NEW_SHARE of each store's rows, at least one."""
    drawn = np.zeros(n_series, dtype=np.bool_)
    for rows in stores:
        drawn[rng.choice(rows, max(1, int(len(rows) * NEW_SHARE)), replace=False)] = True
    return drawn


def _products(
    panel: DemandPanel, new: Flags, day: int, country: str | None
) -> Iterator[tuple[tuple[str, int], Errors]]:
    """Yield by whose forecast it is and days since the launch the errors of what is new (n,)."""
    young = _unseen(panel, new, day)
    yield ("reference", 0), _errors(panel, new, day, 0, _flat(_rate_by_size(young.between(0, day))[new]))
    for days in (0, 7, 14):
        seen, horizon = young.between(0, day + days), LAST_SCORED - days
        mean, signal = np.zeros((panel.n_series, LAST_SCORED - FIRST_SCORED)), _region_of(seen, horizon, country)
        for rows in _stores(panel):
            if new[rows].any():
                mean[rows] = _Store(panel, seen, rows, horizon, signal, country).says()
        yield ("ours", days), _errors(panel, new, day, days, mean[new])


def _store(
    panel: DemandPanel, rows: list[int], sold: Flags, day: int, country: str | None, stated: Stated
) -> Iterator[tuple[tuple[str, str, int], Errors]]:
    """Yield by whose forecast it is, what the store told and days since it opened the errors of what it sells."""
    hidden = np.zeros(panel.n_series, dtype=np.bool_)
    hidden[rows] = True
    new, young = hidden & sold, _unseen(panel, hidden, day)

    def errors(days: int, mean: Floats) -> Errors:
        return _errors(panel, new, day, days, mean)

    yield ("reference", "store", 0), errors(0, _flat(_rate_by_size(young.between(0, day))[new]))
    for days in (0, 7, 14):
        seen, horizon = young.between(0, day + days), LAST_SCORED - days
        store = _Store(panel, seen, rows, horizon, _region_of(seen, horizon, country), country)
        yield ("ours", "store", days), errors(days, store.says()[sold[rows]])
        yield ("ours", "store_stated", days), errors(days, store.says(stated)[sold[rows]])
    past = panel.between(0, day)
    known = _Store(panel, past, rows, LAST_SCORED, _region_of(past, LAST_SCORED, country), country)
    yield ("ours", "store_past", 0), errors(0, known.says()[sold[rows]])


class _Store:
    """One store on the last day seen: what it says of the scored days."""

    def __init__(
        self,
        panel: DemandPanel,
        seen: DemandPanel,
        rows: list[int],
        horizon_days: int,
        signal: Any,
        country: str | None,
    ) -> None:
        today = seen.n_days
        self.horizon_days, self.signal = horizon_days, signal
        self.past = seen.select(rows).between(today - HISTORY_DAYS, today)
        self.ahead = panel.select(rows).ahead(today, today + self.horizon_days)
        self.state = run.measure(self.past, horizon_days=self.horizon_days, regional=signal, country=country)

    def says(self, stated: Stated | None = None) -> Floats:
        said = run.say(
            self.state, horizon_days=self.horizon_days, regional=self.signal, panel=self.past, ahead=self.ahead,
            stated=stated,
        )  # fmt: skip
        return said.mean[:, -(LAST_SCORED - FIRST_SCORED) :]


def _unseen(panel: DemandPanel, hidden: Flags, day: int) -> DemandPanel:
    """Return the panel of which nobody saw the hidden series before the day."""
    return replace(panel, y=np.where(hidden[:, None] & (np.arange(panel.n_days) < day)[None, :], np.nan, panel.y))


def _errors(panel: DemandPanel, new: Flags, day: int, days: int, mean: Floats) -> Errors:
    """Return the errors of a mean (of what is new, scored days), of their own first days' mean, and their sales."""
    actual, past = panel.y[new, day + FIRST_SCORED : day + LAST_SCORED], panel.y[new, :day]
    own = np.nan_to_num(evaluate.row_mean(panel.y[new, day : day + max(days, 7)]))
    weight = evaluate.weights(past, None if panel.price is None else panel.price[new, :day])
    ours, theirs = (evaluate.squared_errors(said, actual, past) for said in (mean, _flat(own)))
    return ours, theirs, weight


def _stated(panel: DemandPanel, day: int, rng: np.random.Generator) -> list[Stated]:
    """Return what each store took a day in the RATE_DAYS before, times exp N(0, STATED_ERROR); units without prices."""
    rate = np.nan_to_num(evaluate.row_mean(panel.y[:, day - RATE_DAYS : day]))
    price = np.ones(panel.n_series) if panel.price is None else panel.price[:, day - 1]
    return [
        Stated(float(np.nansum((rate * price)[rows])) * float(np.exp(rng.normal(0.0, STATED_ERROR))), price[rows])
        for rows in _stores(panel)
    ]


def _flat(level: Floats) -> Floats:
    return np.repeat(level[:, None], LAST_SCORED - FIRST_SCORED, axis=1)


def _rate_by_size(panel: DemandPanel) -> Floats:
    """Return (n,) units a day: a product's rate in its region's stores that have it, times this store's size over
    theirs.

    Of the last RATE_DAYS; from the whole chain where no store of the region has it. A store's size is what it sells
    over what stores sell on average of the same products, 1 where it sells nothing yet.
    """
    rate = np.nan_to_num(evaluate.row_mean(panel.y[:, -RATE_DAYS:]))
    has, store = (rate > 0).astype(np.float64), Pools.of(panel).store

    def by(product: Ints) -> Floats:
        sold, stores = sums(rate, product), sums(has, product)
        due = sums(np.where(has > 0, (sold / np.maximum(stores, 1.0))[product], 0.0), store)
        size = np.where(due > 0, sums(rate, store) / np.where(due > 0, due, 1.0), 1.0)[store]
        there = sums(has * size, product)
        return np.asarray((sold / np.maximum(there, 1e-9))[product] * size)

    chain, region = by(Pools.of(replace(panel, region=())).product), by(Pools.of(panel).product)
    return np.where(region > 0, region, chain)


def _stores(panel: DemandPanel) -> list[list[int]]:
    rows: dict[str, list[int]] = {}
    for row, (scope, _) in enumerate(panel.keys):
        rows.setdefault(scope, []).append(row)
    return list(rows.values())


def _region_of(panel: DemandPanel, horizon_days: int, country: str | None) -> Any:
    """Fit the regions' signal on the sums over their stores, as the network does where none opens (`growth`)."""
    rows: dict[tuple[str, str], list[int]] = {}
    for region in sorted(set(panel.region)):
        rows |= {(region, sku): [] for sku in sorted({sku for _, sku in panel.keys})}
    for row, ((_, sku), region) in enumerate(zip(panel.keys, panel.region, strict=True)):
        rows[region, sku].append(row)
    top_category = {sku: name for (_, sku), name in zip(panel.keys, panel.category, strict=True)}
    nothing = np.full(panel.n_days, np.nan)
    y = np.array([_total(panel.y[r]) if r else nothing for r in rows.values()])
    pooled = DemandPanel(
        keys=tuple(rows), first_day=panel.first_day, y=y, category=tuple(top_category[s] for _, s in rows)
    )
    usual, count = _usual(panel, top_category)
    return regional.fit_region(pooled, horizon_days, country, stores=count, usual=usual)


def _usual(panel: DemandPanel, top_category: dict[str, str]) -> tuple[dict[tuple[str, str], Usual], dict[str, int]]:
    """Read the chain's assortment and its regions' selling stores off the last days, as the network does."""
    stores, skus, names = sorted({scope for scope, _ in panel.keys}), sorted(top_category), sorted(set(panel.region))
    units = np.zeros((len(stores), len(skus)))
    silent = np.zeros(units.shape, dtype=np.int64)
    of_store = dict(zip((scope for scope, _ in panel.keys), panel.region, strict=True))
    for (scope, sku), sold in zip(panel.keys, np.nan_to_num(panel.y[:, -WINDOW_DAYS:]), strict=True):
        units[stores.index(scope), skus.index(sku)] = sold.sum()
        silent[stores.index(scope), skus.index(sku)] = int(np.argmax(sold > 0))
    region = np.array([names.index(of_store[store]) for store in stores])
    top_categories = np.unique([top_category[sku] for sku in skus], return_inverse=True)[1]
    found = Assortment.of(units, silent, region, lines(top_categories, _prices(panel, skus)))
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
