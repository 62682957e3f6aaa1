"""How much a series sells on an ordinary day now, and before each day of its past; what the last days leave to the
next.

Rules
-----
1. Discounted gamma-Poisson filters at several discounts, averaged by their recent squared errors of the week ahead;
   those of series of few sales by the errors of all such series, too.
2. Beside a series' own level stands its slow level times how its product moved in the region lately; in a panel of
   several stores the two are blended, the more of the region the less the store sold itself lately.
3. What the last weeks say of the weekdays is followed half-way (RECENT_TRUST): profiles drift, and weeks are noisy. A
   product of FIRST_DAYS follows its store's.
4. A closure of a store that ended, and a gap in which a product was not on sale, are not observed, not zero.
5. A store that sold nothing on the last three ordinary days of a weekday has stopped opening on it.
6. The step from the last fortnight to the days ahead that the category made a year ago is followed in part.
7. A gap ends, and a product begins, with a sale because it sold: that sale was waited for, and counts over the interval
   at which the product usually sells (`waited`), not over its own day. A day chosen for its sale tells of no rate.
8. Echo, a short wave beside the level that fades within days: a day's deviation is (sold - expected) / (expected +
   PSEUDO): of a slow seller's day it is chance and tells nothing. An unobserved day, or one with an empty shelf, has
   none.
9. The echo is the sum of past deviations, each worth ECHO_FADE of the day after it. A part of it is expected of the day
   ahead, and of each day after that WAVE_FADE of the one before.
10. That part is learnt from all series over a year, one for all, shrunk to none by RIDGE and never below it: where the
   level follows fast enough, or each day is on its own, it is nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forecasting.fit.effects import SCATTER, Days
from forecasting.series import kernels
from forecasting.series.classify import off_sale
from forecasting.series.panel import Flags, Floats, Ints
from forecasting.series.pools import Pools, ratio, sums

BUSY_FROM = 3.0
FIRST_DAYS = 28
SLOW_DISCOUNT, LONG_DISCOUNT = 0.99, 0.997
MOVE_DISCOUNT, MOVE_PSEUDO = 0.9, 20.0
REGION_WEIGHT, REGION_UNITS, UNITS_FADE = (0.05, 0.6), 5.0, 0.97
RECENT_DISCOUNT, RECENT_PSEUDO, RECENT_TRUST = 0.98, 30.0, 0.5
WAIT_PSEUDO = 20.0
STORE_GAP_DAYS, STORE_LEAST = 3, 10.0
YEAR_DAYS, YEAR_BEFORE, YEAR_HALF = 364, 14, 4
YEAR_PSEUDO, YEAR_TRUST, YEAR_WEIGHT = 100.0, 0.2, 8.0

PSEUDO = 10.0
ECHO_FADE, WAVE_FADE = 0.5, 0.65
SCATTER_A, SCATTER_B = 1.3, 0.1
MEMORY_DAYS, RIDGE = 364, 300.0
LEAST, MOST = 0.4, 2.0


def observed(y: Floats, off: Flags, pools: Pools) -> Floats:
    """Return y with the gaps of rule 4 as NaN, those of its products being `off`."""
    y = np.where(off, np.nan, y)
    seen = ~np.isnan(y)
    stores = sums(np.where(seen, y, 0.0), pools.store)
    opened = sums(seen.astype(np.float64), pools.store) > 0
    busy = stores.sum(axis=1) > STORE_LEAST * np.maximum(opened.sum(axis=1), 1)
    gap = off_sale(np.where(opened, stores, np.nan), STORE_GAP_DAYS) & busy[:, None]
    return np.where(gap[pools.store], np.nan, y)


def waited(y: Floats, off: Flags, pools: Pools) -> Floats:
    """Return (n, T) days over which each day's sale counts: 1, but of the first after a gap its product's interval.

    y : as sold, gaps as zeros, told by `off`. The product's days for each day with a sale in the region, shrunk to the
    whole panel's.
    """
    sold = np.nan_to_num(y) > 0
    days, sales = (grid.sum(axis=1).astype(np.float64) for grid in (~np.isnan(y) & ~off, sold))
    whole = ratio(days.sum(), sales.sum(), 1.0, 1.0)
    interval = ratio(sums(days, pools.product), sums(sales, pools.product), WAIT_PSEUDO, whole)
    first = sold & np.concatenate([np.zeros((len(y), 1), dtype=np.bool_), off[:, :-1]], axis=1)
    return np.where(first, np.maximum(interval, 1.0)[pools.product][:, None], 1.0)


@dataclass(frozen=True)
class Filter:
    """Discounted filters of n series as they stand after a day; what `moved_on` goes on from.

    discounts, a, b, each, mix : (D, n) discounts, units and exposure behind the levels, levels, weights
    """

    discounts: Floats
    a: Floats
    b: Floats
    each: Floats
    mix: Floats

    @property
    def level(self) -> Floats:
        """Return (n,) the level now, mixed over the discounts."""
        return np.asarray((self.mix * self.each).sum(axis=0))

    def moved_on(self, y: Floats, exposure: Floats) -> Filter:
        """Return the filters after the days of y (n, k); the discounts keep their weights."""
        levels, a, b = kernels.discounted(y, exposure, self.discounts, self.a, self.b, self.each)
        return replace(self, a=a, b=b, each=levels[:, :, -1])


def filtered(y: Floats, exposure: Floats) -> tuple[Filter, Floats]:
    """Return the filters now and (n, T + 1) the level known before each day, mixed over the discounts (rule 1)."""
    seen = ~np.isnan(y)
    recent = np.where(seen, y, 0.0)[:, -365:].sum(axis=1) / np.maximum(seen[:, -365:].sum(axis=1), 1)
    fast, slow = (np.array(row)[:, None] for row in (kernels.BUSY_DISCOUNTS, kernels.SPARSE_DISCOUNTS))
    sparse = recent < BUSY_FROM
    discounts = np.where(sparse[None, :], slow, fast)
    levels, a, b = kernels.gamma_poisson_levels(y, exposure, discounts, first_level(y, exposure), 3.0)
    weights = kernels.mix_weights(y, exposure, levels, sparse)
    return Filter(discounts, a, b, levels[:, :, -1], weights), np.einsum("dn,dnt->nt", weights, levels)


def first_level(y: Floats, exposure: Floats, days: int = FIRST_DAYS) -> Floats:
    """Return (n,) units to exposure over each series' first observed days."""
    use = ~np.isnan(y) & (np.cumsum(~np.isnan(y), axis=1) <= days)
    weight = np.where(use, exposure, 0.0).sum(axis=1)
    return np.asarray(np.where(use, np.nan_to_num(y), 0.0).sum(axis=1) / np.maximum(weight, 1e-9) * (weight > 0))


def slow_levels(y: Floats, exposure: Floats, discount: float = SLOW_DISCOUNT) -> tuple[Filter, Floats]:
    """Return the long-run filter now and (n, T + 1) the level known before each day."""
    slow = np.full((1, len(y)), discount)
    levels, a, b = kernels.gamma_poisson_levels(y, exposure, slow, first_level(y, exposure), 3.0)
    return Filter(slow, a, b, levels[:, :, -1], np.ones_like(a)), levels[0]


@dataclass(frozen=True)
class Shared:
    """How products move in the region, as it stands after a day (rule 2): only of products that several stores sell.

    slow : filters of the n series    sold, due : (n,) faded units of the product, and what the slow levels expected
    units : (n,) faded units of the series itself
    """

    slow: Filter
    sold: Floats
    due: Floats
    units: Floats

    def blended(self, own: Floats, pools: Pools) -> Floats:
        """Return (n,) own levels blended with the region's movement."""
        moved = (self.sold + MOVE_PSEUDO) / (self.due + MOVE_PSEUDO)
        weight = _weight_of_region(self.units, pools)
        return np.asarray((1 - weight) * own + weight * self.slow.level * moved)

    def moved_on(self, y: Floats, exposure: Floats, pools: Pools) -> Shared:
        """Return the same after one day, y and exposure (n, 1)."""
        seen = ~np.isnan(y)
        sold, due = (
            sums(np.where(seen, grid, 0.0), pools.product)[pools.product, 0]
            for grid in (y, exposure * self.slow.level[:, None])
        )
        return Shared(
            self.slow.moved_on(y, exposure),
            self.sold * MOVE_DISCOUNT + sold,
            self.due * MOVE_DISCOUNT + due,
            self.units * UNITS_FADE + np.where(seen, y, 0.0)[:, 0],
        )


def with_region(y: Floats, exposure: Floats, own: Floats, pools: Pools) -> tuple[Shared | None, Floats]:
    """Return the region's movement now and (n, T + 1) own levels blended with it (rule 2); None = nothing is shared."""
    if not _is_shared(pools).any():
        return None, own
    now, slow = slow_levels(y, exposure)
    seen = ~np.isnan(y)
    sold = sums(np.where(seen, y, 0.0), pools.product)
    due = sums(np.where(seen, exposure * slow[:, :-1], 0.0), pools.product)
    moved = np.ones((len(sold), y.shape[1] + 1))
    a, b = np.zeros(len(sold)), np.zeros(len(sold))
    for day in range(y.shape[1]):
        a = a * MOVE_DISCOUNT + sold[:, day]
        b = b * MOVE_DISCOUNT + due[:, day]
        moved[:, day + 1] = (a + MOVE_PSEUDO) / (b + MOVE_PSEUDO)
    fade = UNITS_FADE ** np.arange(y.shape[1])[::-1]
    units = (np.where(seen, y, 0.0) * fade).sum(axis=1)
    weight = _weight_of_region(units, pools)[:, None]
    shared = Shared(now, a[pools.product], b[pools.product], units)
    return shared, np.asarray((1 - weight) * own + weight * slow * moved[pools.product])


def _is_shared(pools: Pools) -> Flags:
    return np.asarray(np.bincount(pools.product, minlength=1)[pools.product] > 1)


def _weight_of_region(units: Floats, pools: Pools) -> Floats:
    least, most = REGION_WEIGHT
    return np.where(_is_shared(pools), least + (most - least) * REGION_UNITS / (REGION_UNITS + units), 0.0)


def recent_weekdays(y: Floats, mean: Floats, weekday: Ints, pools: Pools) -> Floats:
    """Return (n, 7) what the last weeks say of each weekday, beyond the factors in `mean` (rule 3).

    mean : (n, T) units expected of each day by the level known then
    """
    n, days = y.shape
    if not n or not days:
        return np.ones((n, 7))
    spell = min(days, 180)
    y, mean, weekday = y[:, -spell:], mean[:, -spell:], weekday[-spell:]
    fade = RECENT_DISCOUNT ** np.arange(spell)[::-1]
    weight = np.where(np.isnan(y), 0.0, fade / (1.0 + SCATTER * mean))
    one_hot = (weekday[:, None] == np.arange(7)[None, :]).astype(np.float64)
    own, due = (np.nan_to_num(y) * weight) @ one_hot, (mean * weight) @ one_hot
    ones = np.ones_like(own)
    product, store = (
        np.clip(ratio(sums(own, group), sums(due, group), RECENT_PSEUDO, 1.0), 0.3, 3.0)[group]
        if int(group.max()) + 1 < n
        else ones
        for group in (pools.product, pools.store)
    )
    parent = np.clip(product * store, 0.3, 3.0)
    whole = ratio(own.sum(axis=1), due.sum(axis=1), 1.0, 1.0)[:, None]
    young = ((~np.isnan(y)).sum(axis=1) <= FIRST_DAYS)[:, None]
    following = parent / parent.mean(axis=1, keepdims=True)
    drift = np.where(young, following, ratio(own, due, RECENT_PSEUDO, parent) / whole)
    return np.asarray(np.clip(drift, 0.2, 5.0) ** RECENT_TRUST)


def open_weekdays(y: Floats, days: Days, pools: Pools) -> Flags:
    """Return (n, 7) False where the store has stopped opening on that weekday (rule 5)."""
    seen = ~np.isnan(y)
    stores = sums(np.where(seen, y, 0.0), pools.store)
    opened = sums(seen.astype(np.float64), pools.store) > 0
    usual = stores[:, -56:].sum(axis=1) / np.maximum(opened[:, -56:].sum(axis=1), 1)
    ordinary = np.array([not code for code in days.events], dtype=np.bool_)
    answer = np.ones((len(stores), 7), dtype=np.bool_)
    for weekday in range(7):
        at = np.flatnonzero((days.weekday == weekday) & ordinary)[-4:]
        if len(at) >= 3:
            last = at[-3:]
            answer[:, weekday] = (
                ~opened[:, last].all(axis=1) | (stores[:, last].sum(axis=1) > 0) | (usual < STORE_LEAST)
            )
    return answer[pools.store]


def year_ago(y: Floats, exposure: Floats, pools: Pools, horizon_days: int) -> Floats:
    """Return (n, H) how ordinary days moved at this time last year, against the fortnight before (rule 6).

    Pooled over the category, shrunk to the whole panel. How far it is followed is learnt: as far as the last year
    followed the one before it, shrunk to YEAR_TRUST; 1 without a year.
    """
    n, days = y.shape
    start = days - YEAR_DAYS
    if start < YEAR_BEFORE + 28 or not n:
        return np.ones((n, horizon_days))
    seen = ~np.isnan(y) & (exposure > 0.05)
    scale = 1.0 / (1.0 + SCATTER * np.nan_to_num(y).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))[:, None]
    sold, due = np.where(seen, y, 0.0) * scale, np.where(seen, exposure, 0.0) * scale
    # a series' own level in its year, so that listing and delisting do not look like season
    near = slice(start - YEAR_BEFORE, min(start + horizon_days + YEAR_HALF, days))
    level = sold[:, near].sum(axis=1) / np.maximum(due[:, near].sum(axis=1), 1e-9)
    trust = _followed(sold, due, horizon_days)
    moved = np.ones((n, horizon_days))
    for group in (np.zeros(n, dtype=np.int64), pools.category):
        a, b = sums(sold[:, near], group), sums(due[:, near] * level[:, None], group)
        before = ratio(a[:, :YEAR_BEFORE].sum(axis=1), b[:, :YEAR_BEFORE].sum(axis=1), YEAR_PSEUDO, 1.0)[group]
        for step in range(horizon_days):
            window = slice(max(YEAR_BEFORE + step - YEAR_HALF, 0), YEAR_BEFORE + step + YEAR_HALF + 1)
            units, wanted = (grid[:, window].sum(axis=1)[group] for grid in (a, b))
            moved[:, step] = ratio(units, wanted, YEAR_PSEUDO, before * moved[:, step]) / np.maximum(before, 1e-9)
    return np.asarray(np.clip(moved, 0.5, 2.0) ** trust)


def _followed(sold: Floats, due: Floats, horizon_days: int) -> float:
    """Return 0..1: the part of the steps of the year before last that the last year repeated, shrunk to YEAR_TRUST."""
    days = sold.shape[1]
    level = (sold.sum(axis=1) / np.maximum(due.sum(axis=1), 1e-9))[:, None]
    index = kernels.window_sums(np.stack([sold.sum(axis=0), (due * level).sum(axis=0)]), 1)
    width = max(horizon_days, 7)

    def step(at: int) -> float:
        (a, b), (c, d) = index[:, at - YEAR_BEFORE : at].sum(axis=1), index[:, at : at + width].sum(axis=1)
        return float(np.log((c + 1.0) / (d + 1.0)) - np.log((a + 1.0) / (b + 1.0)))

    pairs = [
        (step(at - YEAR_DAYS), step(at)) for at in range(days - width, YEAR_DAYS + YEAR_BEFORE, -7) if at > YEAR_BEFORE
    ]
    then, now = (np.array(side) for side in zip(*pairs, strict=True)) if pairs else (np.zeros(1), np.zeros(1))
    strength = YEAR_WEIGHT * 0.01
    return float(np.clip(((then * now).sum() + strength * YEAR_TRUST) / ((then**2).sum() + strength), 0.0, 1.0))


def echo_after(echo: Floats, y: Floats, mean: Floats) -> Floats:
    """Return (n,) the echo after one day more: y (n,) units, NaN = not observed; mean (n,) units expected of it."""
    return np.asarray(ECHO_FADE * echo + np.where(np.isnan(y), 0.0, (np.nan_to_num(y) - mean) / (mean + PSEUDO)))


def measure_echo(y: Floats, mean: Floats) -> tuple[Floats, Floats]:
    """Return (n,) the echo after the days of y (n, T), and (n,) the part of it that the day after brought, one for all.

    mean : (n, T) units expected of each day by the level known before it
    """
    n, days = y.shape
    echo, pull, bend = np.zeros(n), 0.0, RIDGE
    for day in range(max(0, days - MEMORY_DAYS), days):
        sold, due = y[:, day], mean[:, day]
        seen = ~np.isnan(sold) & (due > 0)
        wave, weight = due * echo, seen / np.maximum(due * (SCATTER_A + SCATTER_B * due), 1e-9)
        pull += float((weight * wave * np.where(seen, sold - due, 0.0)).sum())
        bend += float((weight * wave**2).sum())
        echo = echo_after(echo, sold, due)
    return echo, np.full(n, max(pull / bend, 0.0))


def ahead(echo: Floats, part: Floats, horizon_days: int) -> Floats:
    """Return (n, H) the factors of the days ahead (rule 9)."""
    wave = WAVE_FADE ** np.arange(float(horizon_days))
    return np.clip(1.0 + (part * echo)[:, None] * wave, LEAST, MOST)
