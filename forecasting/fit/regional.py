"""The region: what the network fits for all its stores, and how a store borrows from it.

Rules
-----
1. The network fits region x category totals with statsmodels (`models.MENU`: level, damped trend, seasons of week and
   year) after taking public holidays and days of the month out; the mean of the models that did not refuse and of the
   discounted level with its weekday profile (`level_filter`) is published.
2. A model that refuses, or runs away beyond MOST_OF_USUAL times the best day, is named in the group's reason; if all
   do, `level_filter` stands alone.
3. Within a group each product has a share, shrunk to the category's even share by SHARE_PSEUDO sales, a level
   now and a slow level, so that a store can tell how the region moved since its own history was made.
4. A store borrows the more, the less it sold itself: the prior weighs PRIOR_UNITS sales, never days.
5. A signal may be days old: its path is entered at the right day, and after its end its last level holds.
6. A product is compared by what an average store sells that has it (`assortment`): what three of twenty sell says of a
   fourth a third of their sum, not a twentieth, and less where the three are large. Where the sellers are unknown
   all stores are taken for them.
7. What offers and prices make of a day, stores tell of their own days, as what it is worth and where it stands
   (`effects.Factors.evidence`). A category has their mean, drawn to the region's by RIDGE sales and this to nothing.
8. What is usual in a store was measured over weeks and is moved to the region's level now. It is a median, with a
   doubt that is known: the stores that have a product differ. DOUBT stands in where a signal does not tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import date
from typing import Any

import numpy as np

from forecasting.fit import models
from forecasting.fit.assortment import WINDOW_DAYS, Usual
from forecasting.fit.effects import MOST_SLOPE, PRICE, RIDGE, Days, Factors, Prior, days_of, fit_factors
from forecasting.fit.levels import LONG_DISCOUNT, filtered, slow_levels
from forecasting.fit.signal import RegionalSignal
from forecasting.series.classify import off_sale
from forecasting.series.panel import DemandPanel, Flags, Floats, Ints
from forecasting.series.pools import Pools
from forecasting.uncertainty.evaluate import row_mean

SHARE_PSEUDO = 5.0
SHARE_DISCOUNT = 0.985
PRIOR_UNITS = 24.0
PATH_TRUST = 0.5
"""Part of the region's expected movement that a store follows; the whole of it was worse on real stores."""
STEADY_WEIGHT = 0.1
"""Weight of region level x slow share even where a store's own history is long."""
MODEL_DAYS = 730
MOST_MOVED = 3.0
MOST_OF_USUAL = 5.0
DOUBT = 0.5
LEAST_WORTH = 0.01

Evidence = Mapping[tuple[str, str], Mapping[str, tuple[float, float]]]
"""(region, category) -> feature -> its days' worth in sales, and that times the slope."""


def fit_region(
    panel: DemandPanel,
    horizon_days: int,
    country: str | None = None,
    subdivision: str | None = None,
    *,
    stores: Mapping[str, int] | None = None,
    usual: Mapping[tuple[str, str], Usual] | None = None,
    evidence: Evidence | None = None,
) -> RegionalSignal:
    """Fit every region x category of the panel and the shares of its products.

    panel : keys (region, sku) with `category`; its `region` is ignored, the key's scope is the region
    stores: stores per region whose sales are in the panel, so that a store without a history knows its size
    usual : what is usual of a product in an average store of the region, by the panel's keys (rule 8)
    evidence: what the region's stores tell of offers and prices, summed (rule 7)
    """
    panel = panel.between(panel.n_days - MODEL_DAYS, panel.n_days)
    group_keys, group = _groups(panel)
    m, days = len(group_keys), panel.n_days
    spell = days_of(panel.first_day, days + horizon_days, country, subdivision)
    past, ahead = spell.part(0, days), spell.part(days, days + horizon_days)

    total = group_totals(panel.y, group, m)
    factors = fit_factors(total, past, Pools.apart(np.arange(m, dtype=np.int64)), Prior())
    level = filtered(total, factors.over(past))[0].level
    mean, used, why = _paths(total, factors.special(past), factors, past, level, horizon_days)
    mean = mean * factors.special(ahead)
    base, trend = _base_and_trend(_ordinary(mean, factors.over(ahead), level), level)
    on_sale = np.where(off_sale(panel.y), np.nan, panel.y)
    own = fit_factors(on_sale, past, Pools.apart(group), factors.prior(group))
    exposure = own.over(past)
    now = filtered(on_sale, exposure)[0].level
    return RegionalSignal(
        first_day=panel.next_day,
        keys=group_keys,
        mean=mean,
        weekday_profile=factors.weekday,
        month_profile=factors.month,
        holiday_like=factors.like,
        level=base,
        trend=trend,
        model=used,
        reason=why,
        stores=np.array([(stores or {}).get(key[0], 0) for key in group_keys], dtype=np.int64),
        products=panel.keys,
        product_group=group,
        product_share=_shares(panel.y, group, m),
        product_level=now,
        product_slow=slow_levels(on_sale, exposure, LONG_DISCOUNT)[0].level,
        product_weekday=own.weekday,
        **_usual(panel, now, usual or {}),
        events=factors.events,
        slopes=_slopes(evidence or {}, group_keys),
        country=country,
        subdivision=subdivision,
    )


def reported(category: Sequence[str], factors: Factors) -> dict[str, dict[str, list[float]]]:
    """Return what a store has to tell its region (rule 7): category -> feature -> worth, and that times the slope."""
    found: dict[str, dict[str, list[float]]] = {}
    names = np.array(category)
    for name, grid in factors.evidence.items():
        for each in sorted(set(category)):
            worth, moved = (float(one) for one in grid[names == each].sum(axis=0))
            if worth >= LEAST_WORTH:
                found.setdefault(each, {})[name] = [round(worth, 3), round(moved, 3)]
    return found


def _slopes(evidence: Evidence, group_keys: Sequence[tuple[str, str]]) -> dict[str, Floats]:
    """Return each feature's (m,) slopes (rule 7)."""
    found: dict[str, Floats] = {}
    for name in sorted({name for reported in evidence.values() for name in reported}):
        reported = np.array([evidence.get(key, {}).get(name, (0.0, 0.0)) for key in group_keys]).reshape(-1, 2)
        regions = {key[0]: [at for at, other in enumerate(group_keys) if other[0] == key[0]] for key in group_keys}
        whole = np.zeros(len(group_keys))
        for rows in regions.values():
            whole[rows] = reported[rows, 1].sum() / (reported[rows, 0].sum() + RIDGE)
        slopes = (reported[:, 1] + RIDGE * whole) / (reported[:, 0] + RIDGE)
        found[name] = np.clip(slopes, -MOST_SLOPE, 0.0 if name == PRICE else MOST_SLOPE)
    return found


def _groups(panel: DemandPanel) -> tuple[tuple[tuple[str, str], ...], Ints]:
    """Return the panel's (region, category) pairs, and the row among them of each of its series."""
    found = [(key[0], name) for key, name in zip(panel.keys, panel.category, strict=True)]
    group_keys = tuple(sorted(set(found)))
    place = {key: row for row, key in enumerate(group_keys)}
    return group_keys, np.array([place[one] for one in found], dtype=np.int64)


def _usual(panel: DemandPanel, now: Floats, usual: Mapping[tuple[str, str], Usual]) -> dict[str, Any]:
    """Return the signal's columns of what is usual in a store (rule 8); 0 = unknown."""
    nobody = Usual(0.0, 0.0)
    reported = np.array([astuple(usual.get(key, nobody)) for key in panel.keys], dtype=np.float64).reshape(-1, 5)
    lately = np.nan_to_num(row_mean(panel.y[:, -WINDOW_DAYS:]))
    moved = np.where((lately > 0) & (now > 0), now / np.maximum(lately, 1e-9), 1.0)
    rate = reported[:, 1] * np.clip(moved, 1 / MOST_MOVED, MOST_MOVED)
    return {
        "product_stores": reported[:, 0],
        "product_rate": rate,
        "product_slope": reported[:, 2],
        "product_doubt": reported[:, 3],
        "product_line": reported[:, 4].astype(np.int64),
    }


def group_totals(y: Floats, group: Ints, groups: int) -> Floats:
    """Return (m, T) sums over each group's observed series; NaN where none was observed."""
    units, seen = np.zeros((groups, y.shape[1])), np.zeros((groups, y.shape[1]))
    np.add.at(units, group, np.nan_to_num(y))
    np.add.at(seen, group, ~np.isnan(y))
    return np.where(seen > 0, units, np.nan)


def _paths(
    total: Floats, special: Floats, factors: Factors, past: Days, level: Floats, horizon_days: int
) -> tuple[Floats, tuple[str, ...], tuple[str, ...]]:
    """Fit the menu to each group's total without its special days; (m, H), models, reasons."""
    ahead_weekday = (past.weekday[-1] + 1 + np.arange(horizon_days)) % 7 if len(past.weekday) else None
    paths, used, why = [], [], []
    for row in range(len(total)):
        week = factors.weekday[row]
        weekday = np.arange(horizon_days) % 7 if ahead_weekday is None else ahead_weekday
        stand_in = level[row] * week[weekday]
        calm = total[row] / np.maximum(special[row], 0.1)
        gap = np.isnan(calm) | (special[row] < 0.1)
        seen = np.flatnonzero(~gap)
        calm = calm[seen[0] :] if len(seen) else calm[:0]
        gap = gap[len(gap) - len(calm) :]
        filler = level[row] * week[past.weekday[len(past.weekday) - len(calm) :]]
        if len(calm) and gap.mean() < 0.5:
            filler = filler / max(filler[~gap].mean(), 1e-12) * calm[~gap].mean()
        calm = np.where(gap, filler, calm)
        fits, refusals = _fitted(calm, stand_in)
        path = np.mean([stand_in, *(fit.mean for fit in fits)], axis=0)
        paths.append(np.where(week[weekday] == 0, 0.0, path))
        used.append("+".join(["level_filter", *(fit.model for fit in fits)]))
        why.append(",".join(refusals) or "fitted")
    return np.array(paths).reshape(len(total), horizon_days), tuple(used), tuple(why)


def _fitted(calm: Floats, stand_in: Floats) -> tuple[list[models.Fit], list[str]]:
    """Return what the menu says of the days of stand_in (H,), and who refused or ran away (rule 2)."""
    bound = MOST_OF_USUAL * max(calm.max(initial=0.0), stand_in.max(initial=0.0))
    fits, refusals = [], []
    for name, model in models.MENU if len(stand_in) else ():
        try:
            fit = model(calm, len(stand_in))
        except models.Refused as refused:
            refusals.append(f"{refused.model}:{refused.code}")
            continue
        if fit.mean.max() > bound:
            refusals.append(f"{name}:runaway")
        else:
            fits.append(fit)
    return fits, refusals


def _ordinary(mean: Floats, factor: Floats, level: Floats) -> Floats:
    """Return (m, H) the path as an ordinary day's level; closed days carry the level before them."""
    grid = np.where(factor > 0.05, mean / np.maximum(factor, 0.05), np.nan)
    held = level.copy()
    out = np.empty_like(grid)
    for day in range(grid.shape[1]):
        held = np.where(np.isnan(grid[:, day]), held, grid[:, day])
        out[:, day] = held
    return out


def _base_and_trend(ordinary: Floats, level: Floats) -> tuple[Floats, Floats]:
    """Return (m,) the mean of the first week's ordinary days, and the change a day over all of them."""
    horizon = ordinary.shape[1]
    if not horizon:
        return level, np.zeros(len(level))
    return ordinary[:, :7].mean(axis=1), (ordinary[:, -1] - ordinary[:, 0]) / max(horizon - 1, 1)


def _shares(y: Floats, group: Ints, groups: int) -> Floats:
    fade = SHARE_DISCOUNT ** np.arange(y.shape[1])[::-1]
    units = (np.nan_to_num(y) * fade).sum(axis=1)
    count = np.bincount(group, minlength=groups)[group]
    whole = np.bincount(group, weights=units, minlength=groups)[group]
    return np.asarray((units + SHARE_PSEUDO / count) / (whole + SHARE_PSEUDO))


@dataclass(frozen=True)
class Borrowed:
    """What a region tells the n series of a store.

    prior    : weekday, month and event factors, and slopes, to shrink to
    level    : (n,) of the product in an average store that has it, NaN = the region does not know it
    slope    : (n,) how its logarithm grows with the store's size    doubt: (n,) its variance in a store that begins
    movement : (n,) region's level now over its slow level; 1 = unknown
    even     : (n,) level of an average product of that category in such a store, NaN = unknown
    path     : (n, H) the region's expected movement ahead, 1 = as now
    counted  : (n,) whether it is known how many stores `level` is of; if not, it is the whole region's
    elsewhere: (n,) whether no store of the region ever sold it: `level` is the chain's
    line     : (n,) number of the product's line, 0 = unknown
    """

    prior: Prior
    level: Floats
    slope: Floats
    doubt: Floats
    movement: Floats
    even: Floats
    path: Floats
    counted: Flags
    elsewhere: Flags
    line: Ints


def borrow(
    signal: RegionalSignal,
    keys: Sequence[tuple[str, str]],
    category: Sequence[str],
    region: Sequence[str],
    first_day: date,
    horizon_days: int,
) -> Borrowed:
    """Look series up in their region's signal, for the days from first_day on (rule 5)."""
    n = len(keys)
    groups = {key: row for row, key in enumerate(signal.keys)}
    products = {key: row for row, key in enumerate(signal.products)}
    names = list(zip(region, category, strict=True))
    of_group = np.array([groups.get(name, -1) for name in names], dtype=np.int64)
    of_product = np.array(
        [products.get((scope, key[1]), -1) for scope, key in zip(region, keys, strict=True)],
        dtype=np.int64,
    )
    of_group = np.where(of_product >= 0, _pick(signal.product_group, of_product, -1), of_group).astype(np.int64)
    known, placed = of_product >= 0, of_group >= 0
    now, slow = _pick(signal.product_level, of_product, np.nan), _pick(signal.product_slow, of_product, np.nan)
    movement = np.ones(n)
    sold = known & (np.nan_to_num(slow) > 0)
    movement[sold] = np.clip(now[sold] / slow[sold], 0.2, 5.0)
    weekday = np.ones((n, 7))
    weekday[placed] = signal.weekday_profile[of_group[placed]]
    weekday[known] = signal.product_weekday[of_product[known]]
    month = np.ones((n, 31))
    month[placed] = signal.month_profile[of_group[placed]]
    like = np.zeros((n, 2))
    like[placed] = signal.holiday_like[of_group[placed]]
    events = {code: _pick(factors, of_group, 1.0) for code, factors in signal.events.items()}
    stores = np.where(signal.product_stores > 0, signal.product_stores, signal.stores[signal.product_group])
    rate = _pick(signal.product_rate, of_product, 0.0)
    counted, stores = (_pick(stores, of_product, 0.0) > 0) | (rate > 0), np.where(stores > 0, stores, 1.0)
    sellers = np.where(signal.product_level > 0, stores, 0.0)
    each = np.bincount(signal.product_group, weights=sellers, minlength=len(signal.keys))
    even = _pick(signal.level / np.maximum(each, 1.0), of_group, np.nan)
    path = np.ones((n, horizon_days))
    path[placed] = _movement_ahead(signal, first_day, horizon_days)[of_group[placed]]
    counted |= ~known & (_pick(signal.stores, of_group, 0.0) > 0)
    level = np.where(rate > 0, rate, now / _pick(stores, of_product, 1.0))
    elsewhere = np.asarray((rate > 0) & ~sold)
    slope, doubt = _pick(signal.product_slope, of_product, 0.0), _pick(signal.product_doubt, of_product, 0.0)
    slope, doubt = np.where(slope > 0, slope, 1.0), np.where(doubt > 0, doubt, DOUBT)
    line = _pick(signal.product_line, of_product, 0.0).astype(np.int64)
    slopes = {
        name: _pick(values, of_group, float(values.mean())) for name, values in signal.slopes.items() if len(values)
    }
    prior = Prior(weekday, month, events, slopes, like)
    return Borrowed(prior, level, slope, doubt, movement, even, path, counted, elsewhere, line)


def _pick(values: Floats | Ints, rows: Ints, missing: float) -> Floats:
    out = np.full(len(rows), missing, dtype=np.float64)
    out[rows >= 0] = values[rows[rows >= 0]]
    return out


def _movement_ahead(signal: RegionalSignal, first_day: date, horizon_days: int) -> Floats:
    """Return (m, H): the region's ordinary-day path over its level, from first_day on."""
    m, length = signal.mean.shape
    if not length or not horizon_days:
        return np.ones((m, horizon_days))
    spell = days_of(signal.first_day, length, signal.country, signal.subdivision)
    factors = Factors(signal.weekday_profile, signal.month_profile, signal.events, np.ones(m), signal.holiday_like)
    ordinary = _ordinary(signal.mean, factors.over(spell), signal.level)
    week = np.ones(min(7, length)) / min(7, length)
    smooth = np.stack([np.convolve(np.pad(line, (3, 3), mode="edge"), week, mode="same")[3:-3] for line in ordinary])
    steps = np.clip((first_day - signal.first_day).days + np.arange(horizon_days), 0, length - 1)
    ahead = smooth[:, steps] / np.maximum(smooth[:, steps[:1]], 1e-9)
    return np.where(smooth[:, steps[:1]] > 1e-9, 1.0 + PATH_TRUST * (np.clip(ahead, 0.7, 1.4) - 1.0), 1.0)
