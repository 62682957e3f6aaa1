"""What makes one day sell more than another: weekday, day of the month, event, offer, price, feature; as factors.

Rules
-----
1. Every factor is a ratio of units sold to units expected, shrunk towards its parent by pseudo-sales
   (gamma-Poisson): series -> product in the region and store -> category -> whole panel. Never a region's profile
   times a share: a store's own Saturday is its own, so what a region tells is moved by how all the store sells differs.
2. A day weighs 1 / (1 + b mu): demand scatters more than by chance, so a busy series does not decide for all.
   Units are counted in a series' own grains (variance over mean), so grams and pieces shrink alike.
3. Offer, price (log ratio to its mean of the last eight weeks) and the panel's features: one Poisson regression of the
   panel, one per category with a ridge towards it, and for features of yes and no a shrunk ratio of each series; what
   comes in degrees (a price, how much of a line is in the leaflet) moves each product by its own slope, too. What a
   region tells of a category is where its slopes begin; of what never changed here it stands as told. A higher price
   sells no more: what seems so is chance.
4. A known closure is a hard zero: a weekday, event or feature on which a store sold nothing though much was expected.
5. Of days on which the store's other products of the category stood empty a part of the sales was meant for those: what
   part of them was missing is a feature like others, and expected to be none (`NEIGHBOUR`).
6. What surrounds a store (`surroundings`) is the same for all its products on a day: its slopes are drawn towards their
   parents' by what weeks scatter by chance (`_believed`), and a series' own step begins at none.
7. Weekday factors have mean 1 over the week, month factors over the month; long ago weighs less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np

from forecasting.fit.events import CLOSED_BELOW, borrow_weekdays, event_days, expected, fit_events, likeness
from forecasting.series import calendar
from forecasting.series.external_factors import SURROUNDINGS
from forecasting.series.panel import Ahead, DemandPanel, Flags, Floats, Ints
from forecasting.series.pools import Pools, ratio, sums

WEEKDAY_OWN, WEEKDAY_POOL, WEEKDAY_STORE = 480.0 / 7, 600.0 / 7, 200.0 / 7
MONTH_PSEUDO, FEATURE_PSEUDO = 300.0, 60.0
RIDGE, PRODUCT_RIDGE = 20.0, 60.0
SCATTER = 0.15
CHANCE, STEP_PSEUDO = 4.0, 300.0
FADE = 0.999
LEVEL_HALF_DAYS = 28
PRICE_DAYS = 56
ROUNDS, PRODUCT_ROUNDS = 3, 4
OFFER, PRICE, NEIGHBOUR = "on_offer", "price", "neighbours out"
HANDED_ON = (OFFER, PRICE)
MOST_SLOPE = 4.0


@dataclass(frozen=True)
class Days:
    """The calendar of a stretch of days: weekday (T,), day of month (T,), event code per day."""

    weekday: Ints
    month_day: Ints
    events: tuple[str, ...]

    def part(self, first: int, last: int) -> Days:
        return Days(self.weekday[first:last], self.month_day[first:last], self.events[first:last])


def days_of(first_day: date, n_days: int, country: str | None, subdivision: str | None) -> Days:
    """Return the calendar of a stretch of days."""
    return Days(
        calendar.weekdays(first_day, n_days),
        calendar.month_days(first_day, n_days),
        tuple(calendar.event_codes(first_day, n_days, country, subdivision)),
    )


@dataclass(frozen=True)
class Prior:
    """What a region already knows, one row per series; None = nothing. Events are factors beyond this `like`."""

    weekday: Floats | None = None
    month: Floats | None = None
    events: dict[str, Floats] = field(default_factory=dict)
    slopes: dict[str, Floats] = field(default_factory=dict)
    like: Floats | None = None


@dataclass(frozen=True)
class Factors:
    """Day factors of n series.

    weekday (n, 7), month (n, 31), events code -> (n,), grain (n,)
    slopes  : feature -> (n,) change of log demand per unit of the feature
    steps   : feature of yes and no -> (n,) further factor on its days; 0 = closed
    evidence: feature of HANDED_ON -> (n, 2) what its days here tell of a series' whole slope without any prior: its
              worth in sales, and that times the slope; both add up
    like    : (n, 2) how far, 0..1, a holiday is like a Sunday and its eve like a Saturday (see `events`)
    """

    weekday: Floats
    month: Floats
    events: dict[str, Floats]
    grain: Floats
    like: Floats
    slopes: dict[str, Floats] = field(default_factory=dict)
    steps: dict[str, Floats] = field(default_factory=dict)
    evidence: dict[str, Floats] = field(default_factory=dict)

    def prior(self, rows: Ints) -> Prior:
        """Return what these rows' calendar factors tell their parts."""
        events = {code: grid[rows] for code, grid in self.events.items()}
        return Prior(self.weekday[rows], self.month[rows], events, like=self.like[rows])

    def reported(self, slopes: Mapping[str, Floats]) -> Factors:
        """Return the same with what the region says now of what never changed here (rule 3)."""
        return replace(self, slopes=self.slopes | {name: s for name, s in slopes.items() if name not in self.evidence})

    def special(self, days: Days) -> Floats:
        """Return (n, T): month and event factors, without weekday and features."""
        grid = self.month[:, days.month_day].copy()
        borrow_weekdays(grid, days, self.weekday, self.like)
        for code, at in event_days(days).items():
            grid[:, at] *= expected(code, self.events, len(grid))[:, None]
        return grid

    def over(self, days: Days, known: Mapping[str, Floats] | None = None) -> Floats:
        """Return (n, T): the factor of each day against an ordinary one."""
        grid = self.special(days) * self.weekday[:, days.weekday]
        return grid if not known else grid * self.moved(known)

    def moved(self, known: Mapping[str, Floats]) -> Floats:
        """Return (n, T): what offers, prices and features make of a day."""
        names = [name for name in known if name in self.slopes]
        grid = np.zeros(next(iter(known.values())).shape)
        for name in names:
            grid += self.slopes[name][:, None] * known[name]
        grid = np.exp(np.clip(grid, -5.0, 4.0))
        for name in names:
            if name in self.steps:
                grid *= np.where(known[name] > 0, self.steps[name][:, None], 1.0)
        return np.asarray(grid)


def known_days(
    panel: DemandPanel, ahead: Ahead, horizon_days: int, names: frozenset[str] | None = None
) -> dict[str, Floats]:
    """Return what was and is known of each day, (n, T + H): offers, log price ratios, features.

    Those of these names; without names, those that ever change in the panel.
    """
    n, days = panel.y.shape
    found: dict[str, Floats] = {}
    if panel.on_offer is not None:
        later = np.zeros((n, horizon_days)) if ahead.on_offer is None else ahead.on_offer
        found[OFFER] = np.concatenate([panel.on_offer, later], axis=1).astype(np.float64)
    if panel.price is not None and days:
        found[PRICE] = _price_ratios(panel.price, ahead.price, horizon_days)
    if panel.out_of_stock is not None and panel.out_of_stock.any():
        found[NEIGHBOUR] = np.concatenate([_neighbours_out(panel), np.zeros((n, horizon_days))], axis=1)
    for name, grid in panel.features.items():
        later = ahead.features.get(name, np.zeros((n, horizon_days)))
        found[name] = np.nan_to_num(np.concatenate([grid, later], axis=1))
    if names is not None:
        return {name: grid for name, grid in found.items() if name in names}
    return {name: grid for name, grid in found.items() if grid[:, :days].size and np.ptp(grid[:, :days]) > 1e-9}


def fit_factors(
    y: Floats, days: Days, pools: Pools, prior: Prior, known: Mapping[str, Floats] | None = None
) -> Factors:
    """Measure the factors of y (n, T); known: of the same days."""
    n, length = y.shape
    if not n or not length:
        nothing = np.ones((n, 7)), np.ones((n, 31)), dict(prior.events), np.ones(n), np.zeros((n, 2))
        return Factors(*nothing, slopes=dict(prior.slopes))
    known = dict(known or {})
    grain = grains(y, days)
    seen = ~np.isnan(y)
    units = np.where(seen, y, 0.0) / grain[:, None]
    fade = FADE ** np.arange(length)[::-1]
    weekday, month, events = np.ones((n, 7)), np.ones((n, 31)), dict(prior.events)
    if prior.weekday is not None:
        weekday = prior.weekday
    if prior.month is not None:
        month = prior.month
    like = np.zeros((n, 2)) if prior.like is None else prior.like
    fitted = Factors(weekday, month, events, grain, like)
    before: dict[str, Floats] = {}
    for turn in range(ROUNDS):
        moved = fitted.moved(known) if known else 1.0
        special = fitted.special(days)
        week = fitted.weekday[:, days.weekday]
        level = moving_level(units, np.where(seen, special * week * moved, 0.0), seen)
        weight = np.where(seen, fade / (1.0 + SCATTER * level), 0.0)
        calm = weight * ((special > 0.5 * month[:, days.month_day]) & (special < 2.0 * month[:, days.month_day]))
        other = level * special * moved
        weekday = _weekdays(units * calm, other * calm, days.weekday, pools, prior.weekday)
        week = weekday[:, days.weekday]
        eventful = special / np.maximum(fitted.month[:, days.month_day], 1e-9)
        month = _months(units * calm, level * week * eventful * moved * calm, days.month_day, pools, prior.month)
        plain = level * week * month[:, days.month_day] * moved * weight
        if prior.like is None:
            like = likeness(units * weight, plain, weekday, days)
        borrow_weekdays(plain, days, weekday, like)
        events = fit_events(units * weight, plain, seen, days, pools, prior.events)
        fitted = Factors(weekday, month, events, grain, like)
        if known:
            base = level * week * fitted.special(days)
            before = _slopes(units, base, weight, known, pools, prior.slopes, before)
            slopes = _by_product(units, base, weight, known, pools, before) if turn == ROUNDS - 1 else before
            if PRICE in slopes:
                slopes = slopes | {PRICE: np.minimum(slopes[PRICE], 0.0)}
            fitted = Factors(weekday, month, events, grain, like, slopes)
            steps = _steps(units * weight, base * weight, fitted.moved(known), known, pools)
            fitted = Factors(weekday, month, events, grain, like, slopes, steps)
    evidence = _evidence(fitted, units, base, weight, known) if known else {}
    return replace(fitted, slopes=dict(prior.slopes) | fitted.slopes, evidence=evidence)


def moving_level(y: Floats, exposure: Floats, seen: Flags | None = None) -> Floats:
    """Return (n, T): units to exposure of the days observed within LEVEL_HALF_DAYS, with one day of the whole."""
    days = y.shape[1]
    seen = ~np.isnan(y) if seen is None else seen
    units = _running(np.where(seen, y, 0.0))
    weight = _running(np.where(seen, exposure, 0.0))
    first = np.maximum(np.arange(days) - LEVEL_HALF_DAYS, 0)
    last = np.minimum(np.arange(days) + LEVEL_HALF_DAYS + 1, days)
    whole = units[:, -1:] / np.maximum(weight[:, -1:], 1e-9) * (weight[:, -1:] > 0)
    near, due = units[:, last] - units[:, first], weight[:, last] - weight[:, first]
    return np.asarray(np.maximum((near + whole) / (due + 1.0), 0.0))


def grains(y: Floats, days: Days) -> Floats:
    """Return (n,) units that are bought together, never less than 1: about 1 for loaves, hundreds for grams.

    Told from the days without a sale on a usual weekday: with a chance of p of none, -log p purchases were made on an
    average day. A series that sells every day needs no grain, for rule 2 limits what its days weigh.
    """
    none, level = [], []
    for weekday in range(7):
        part = y[:, days.weekday == weekday]
        seen = ~np.isnan(part)
        count = np.maximum(seen.sum(axis=1), 1)
        none.append(np.where(seen.any(axis=1), (seen & (part == 0)).sum(axis=1) / count, np.nan))
        level.append(np.where(seen.any(axis=1), np.nan_to_num(part).sum(axis=1) / count, np.nan))
    at = np.argsort(np.stack(none), axis=0)[3]
    empty, mean = (np.nan_to_num(np.stack(grid)[at, np.arange(len(y))]) for grid in (none, level))
    purchases = -np.log(np.clip(empty, 0.02, 0.999))
    return np.asarray(np.where(empty > 0.02, np.maximum(mean / purchases, 1.0), 1.0))


def _weekdays(units: Floats, wanted: Floats, weekday: Ints, pools: Pools, prior: Floats | None) -> Floats:
    one_hot = (weekday[:, None] == np.arange(7)[None, :]).astype(np.float64)
    own, due = units @ one_hot, wanted @ one_hot
    whole = ratio(own.sum(axis=0), due.sum(axis=0), 1.0, 1.0)
    if prior is None:
        parent = pools.parent(own, due, WEEKDAY_POOL, whole)
    else:
        store = ratio(pools.of_store(own), pools.of_store(due * prior), WEEKDAY_STORE, 1.0)
        parent = prior * np.clip(store, 0.0, 5.0)
    factors = ratio(own, due, WEEKDAY_OWN, parent / np.maximum(parent.mean(axis=1, keepdims=True), 1e-9))
    store_own, store_due = pools.of_store(own), pools.of_store(due)
    factors = np.where((store_due > 5.0) & (store_own < CLOSED_BELOW * store_due), 0.0, factors)
    seen = one_hot.sum(axis=0)
    never = (store_due == 0) & (seen >= 4) & (store_due.sum(axis=1, keepdims=True) > 0)
    return _mean_one(np.where(never, 0.0, factors))


def _months(units: Floats, wanted: Floats, month_day: Ints, pools: Pools, prior: Floats | None) -> Floats:
    """Return (n, 31): each day of the month pooled with its neighbours, for pay-day waves are wide."""
    one_hot = (month_day[:, None] == np.arange(31)[None, :]).astype(np.float64)
    near = np.abs(np.arange(31)[:, None] - np.arange(31)[None, :])
    near = np.maximum(0.0, 1.0 - np.minimum(near, 31 - near) / 3.0)
    own, due = pools.of_category(units @ one_hot) @ near, pools.of_category(wanted @ one_hot) @ near
    return _mean_one(ratio(own, due, MONTH_PSEUDO, np.ones_like(own) if prior is None else prior))


def _slopes(
    units: Floats,
    base: Floats,
    weight: Floats,
    known: Mapping[str, Floats],
    pools: Pools,
    prior: Mapping[str, Floats],
    before: Mapping[str, Floats],
) -> dict[str, Floats]:
    """Return each feature's slopes (rule 3); before: those of the last round, where the search begins."""
    names = list(known)
    grid = np.stack([known[name] for name in names])
    use = weight * (base > 1e-9)
    reported = np.stack([prior.get(name, np.zeros(len(units))) for name in names])
    centre = reported.mean(axis=1)
    begin = np.stack([before[name] for name in names]) if before else np.tile(centre[:, None], (1, len(units)))
    shared = np.array([name in SURROUNDINGS for name in names])
    whole = _regress(units, base, grid, use, centre, begin.mean(axis=1))
    whole = _believed(whole, centre, shared, units, base, grid, use)
    out = np.tile(whole[:, None], (1, len(units)))
    if pools.categories > 1:
        for number in range(pools.categories):
            rows = np.flatnonzero(pools.category == number)
            first = begin[:, rows].mean(axis=1) if before else whole
            part = units[rows], base[rows], grid[:, rows], use[rows]
            parent = whole + reported[:, rows[0]] - centre
            out[:, rows] = _believed(_regress(*part, parent, first), parent, shared, *part)[:, None]
    return {name: out[at] for at, name in enumerate(names)}


def _by_product(
    units: Floats, base: Floats, weight: Floats, known: Mapping[str, Floats], pools: Pools, slopes: dict[str, Floats]
) -> dict[str, Floats]:
    """Return the slopes with those of what comes in degrees as each product has them (rule 3)."""
    gradual = [name for name, grid in known.items() if name not in SURROUNDINGS and not _yes_or_no(grid)]
    if not gradual:
        return slopes
    log = sum(slopes[name][:, None] * grid for name, grid in known.items())
    mean, use = base * np.exp(np.clip(log, -5.0, 4.0)), weight * (base > 1e-9)
    further = _product_slopes(units, mean, use, np.stack([known[name] for name in gradual]), pools.product)
    moved = zip(gradual, further, strict=True)
    return slopes | {name: np.clip(slopes[name] + more, -MOST_SLOPE, MOST_SLOPE) for name, more in moved}


def _product_slopes(units: Floats, mean: Floats, weight: Floats, grid: Floats, product: Ints) -> Floats:
    """Return (F, n) what products' slopes differ by from those that made `mean`, drawn to nothing by PRODUCT_RIDGE."""
    further = np.zeros(grid.shape[:2])
    for _ in range(PRODUCT_ROUNDS):
        due = mean * np.exp(np.clip(np.einsum("fn,fnt->nt", further, grid), -3.0, 3.0)) * weight
        pull = sums(np.einsum("fnt,nt->nf", grid, units * weight - due), product)[product] - PRODUCT_RIDGE * further.T
        bend = sums(np.einsum("fnt,gnt->nfg", grid * due, grid, optimize=True), product)[product]
        step = np.linalg.solve(bend + PRODUCT_RIDGE * np.eye(len(grid)), pull[:, :, None])[:, :, 0]
        further += np.clip(step, -1.0, 1.0).T
    return further


def _yes_or_no(grid: Floats) -> bool:
    return bool(np.isin(grid, (0.0, 1.0)).all())


def _regress(units: Floats, base: Floats, grid: Floats, weight: Floats, centre: Floats, begin: Floats) -> Floats:
    """Return (F,) slopes of a Poisson regression with offset log(base) and a ridge of RIDGE towards `centre`."""
    slope, ridge = begin.copy(), np.full(len(centre), RIDGE)
    for _ in range(6):
        mean = base * np.exp(np.clip(np.einsum("f,fnt->nt", slope, grid), -5.0, 4.0))
        pull = np.einsum("fnt,nt->f", grid, (units - mean) * weight) - ridge * (slope - centre)
        bend = np.einsum("fnt,gnt->fg", grid * (mean * weight), grid, optimize=True) + np.diag(ridge)
        step = np.clip(np.linalg.solve(bend, pull), -1.0, 1.0)
        slope = slope + step
        if np.abs(step).max() < 1e-3:
            break
    return np.clip(slope, -MOST_SLOPE, MOST_SLOPE)


def _believed(
    slope: Floats, parent: Floats, shared: Flags, units: Floats, base: Floats, grid: Floats, weight: Floats
) -> Floats:
    """Return (F,) slopes, those of `shared` features as near to the parent's as chance makes them (rule 6).

    Of a slope t standard errors away CHANCE / t^2 of the way is taken back; the errors are those of a sum over weeks
    (White's, clustered), for what upsets a day upsets all products, and the days around it.
    """
    if not shared.any():
        return slope
    at = np.flatnonzero(shared)
    mean = base * np.exp(np.clip(np.einsum("f,fnt->nt", slope, grid), -5.0, 4.0)) * weight
    gap = units * weight - mean
    pull = np.stack([(grid[f] * gap).sum(axis=0) for f in at])
    bend = np.array([float((grid[f] ** 2 * mean).sum()) for f in at]) + RIDGE
    weeks = np.add.reduceat(pull, np.arange(0, pull.shape[1], 7), axis=1)
    error = (weeks**2).sum(axis=1) / bend**2
    away = slope[at] - parent[at]
    kept = np.clip(1.0 - CHANCE * error / np.maximum(away**2, 1e-300), 0.0, 1.0)
    slope = slope.copy()
    slope[at] = parent[at] + kept * away
    return slope


def _steps(units: Floats, base: Floats, moved: Floats, known: Mapping[str, Floats], pools: Pools) -> dict[str, Floats]:
    """Return each yes-or-no feature's further factor of each series (rule 3) and its closures (rule 4)."""
    steps: dict[str, Floats] = {}
    for name, grid in known.items():
        if not _yes_or_no(grid):
            continue
        on = grid > 0
        own = np.where(on, units, 0.0).sum(axis=1)
        due = np.where(on, base * moved, 0.0).sum(axis=1)
        plain = pools.of_store(np.where(on, base, 0.0).sum(axis=1))
        parent = pools.parent(own[:, None], due[:, None], FEATURE_PSEUDO, np.ones(1))[:, 0]
        factor = ratio(own, due, FEATURE_PSEUDO, np.clip(parent, 0.2, 5.0))
        if name in SURROUNDINGS:
            factor = ratio(own, due, STEP_PSEUDO, 1.0)
        steps[name] = np.where((plain > 2.0) & (pools.of_store(own) < CLOSED_BELOW * plain), 0.0, factor)
        moved = moved * np.where(on, steps[name][:, None], 1.0)
    return steps


def _evidence(
    fitted: Factors, units: Floats, base: Floats, weight: Floats, known: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Return each handed-on feature's `Factors.evidence`: one step without a ridge from what was fitted with it."""
    mean = base * fitted.moved(known) * weight
    found: dict[str, Floats] = {}
    for name in HANDED_ON:
        if name not in known:
            continue
        worth = (known[name] ** 2 * mean).sum(axis=1)
        pull = (known[name] * (units * weight - mean)).sum(axis=1)
        step = np.log(np.clip(fitted.steps.get(name, np.ones(len(units))), 0.05, 20.0))
        found[name] = np.stack([worth, worth * (fitted.slopes[name] + step) + pull], axis=1)
    return found


def _neighbours_out(panel: DemandPanel) -> Floats:
    """Return (n, T) 0..1: what part of the store's other products of the category stood empty that day (rule 5)."""
    short = panel.out_of_stock
    assert short is not None
    share = short.astype(np.float64) if panel.out_share is None else np.where(short, panel.out_share, 0.0)
    group = Pools.of_shelf(panel)
    there = (~np.isnan(panel.y) | short).astype(np.float64)
    gone, others = (sums(grid, group)[group] - grid for grid in (np.nan_to_num(share), there))
    return np.asarray(gone / np.maximum(others, 1.0))


def _price_ratios(price: Floats, later: Floats | None, horizon_days: int) -> Floats:
    """Return (n, T + H) log of the price over its mean of the last PRICE_DAYS known ones, in -1..1; 0 = unknown."""
    coming = np.full((len(price), horizon_days), np.nan) if later is None else later
    logs = np.log(np.maximum(np.concatenate([price, coming], axis=1), 1e-9))
    seen = np.isfinite(logs) & (logs > -20)
    total = _running(np.where(seen, logs, 0.0))
    count = _running(seen.astype(np.float64))
    first = np.maximum(np.arange(logs.shape[1]) + 1 - PRICE_DAYS, 0)
    usual = (total[:, 1:] - total[:, first]) / np.maximum(count[:, 1:] - count[:, first], 1.0)
    return np.clip(np.where(seen, logs - usual, 0.0), -1.0, 1.0)


def _running(grid: Floats) -> Floats:
    return np.concatenate([np.zeros((len(grid), 1)), np.cumsum(grid, axis=1)], axis=1)


def _mean_one(factors: Floats) -> Floats:
    mean = factors.mean(axis=1, keepdims=True)
    return np.asarray(np.where(mean > 0, factors / np.maximum(mean, 1e-300), 1.0))
