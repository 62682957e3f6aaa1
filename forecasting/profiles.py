"""What makes one day sell more than another: weekday, day of the month, event and offer, as factors.

Rules
-----
1. Every factor is a ratio of units sold to units expected, shrunk towards its parent by pseudo-sales
   (gamma-Poisson): series -> product in the region -> category -> whole panel. Never a region's profile
   times a share: a shop's own Saturday is its own.
2. Pseudo-sales are counted in a series' own grains (variance over mean), so grams and pieces shrink alike.
3. A known closure is a hard zero: a weekday or event on which nothing at all is observed or sold.
4. Factors of ordinary days have mean 1 over the week and over the month.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from forecasting.panel import Flags, Floats, Ints

WEEKDAY_OWN, WEEKDAY_CATEGORY = 60.0, 200.0
EVENT_PSEUDO, MONTH_PSEUDO, OFFER_PSEUDO = 30.0, 300.0, 50.0
CLOSED_BELOW = 0.03
LEVEL_WINDOW = 35
OFFER_DEPTH = 0.93


@dataclass(frozen=True)
class Days:
    """The calendar of a stretch of days: weekday (T,), day of month (T,), event code per day."""

    weekday: Ints
    month_day: Ints
    events: tuple[str, ...]

    def part(self, first: int, last: int) -> Days:
        return Days(self.weekday[first:last], self.month_day[first:last], self.events[first:last])


@dataclass(frozen=True)
class Prior:
    """What a region already knows, one row per series; None = nothing."""

    weekday: Floats | None = None
    month: Floats | None = None
    events: dict[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True)
class Factors:
    """Day factors: weekday (n, 7), month (n, 31), events code -> (n,), offer (n,), grain (n,)."""

    weekday: Floats
    month: Floats
    events: dict[str, Floats]
    offer: Floats
    grain: Floats

    def special(self, days: Days) -> Floats:
        """Return (n, T): month and event factors, without weekday and offer."""
        grid = self.month[:, days.month_day].copy()
        for day, code in enumerate(days.events):
            if code and code in self.events:
                grid[:, day] *= self.events[code]
        return grid

    def over(self, days: Days, on_offer: Flags | None = None) -> Floats:
        """Return (n, T): the factor of each day against an ordinary one."""
        grid = self.special(days) * self.weekday[:, days.weekday]
        return grid if on_offer is None else grid * np.where(on_offer, self.offer[:, None], 1.0)


def fit_factors(y: Floats, days: Days, group: Ints, prior: Prior, on_offer: Flags | None = None) -> Factors:
    """Measure the factors of y (n, T), pooling the series of one group (n,) category numbers."""
    n = len(y)
    groups = int(group.max()) + 1 if n else 0
    eventful = np.array([bool(code) for code in days.events], dtype=np.bool_)
    ordinary = np.where(eventful[None, :], np.nan, y)
    if on_offer is not None:
        usual = np.where(on_offer, np.nan, ordinary)
        ordinary = np.where((~np.isnan(usual)).any(axis=1, keepdims=True), usual, ordinary)
    level = moving_level(ordinary)
    grain = grains(ordinary, level)
    pool = np.zeros((groups, n))
    pool[group, np.arange(n)] = 1.0

    seen = ~np.isnan(ordinary)
    sold = np.where(seen, ordinary, 0.0) / grain[:, None]
    expected = np.where(seen, level, 0.0) / grain[:, None]
    weekday = _weekday_factors(sold, expected, days.weekday, pool, group, prior.weekday)
    expected = expected * weekday[:, days.weekday]
    month = _month_factors(sold, expected, days.month_day, pool, group, prior.month)

    base = level * weekday[:, days.weekday] * month[:, days.month_day]
    events = _event_factors(y, base, grain, days, pool, group, prior.events)
    factors = Factors(weekday, month, events, np.ones(n), grain)
    if on_offer is None or not on_offer.any():
        return factors
    base = base * factors.special(days) / np.maximum(month[:, days.month_day], 1e-9)
    use = on_offer & ~np.isnan(y)
    units = pool @ (np.where(use, np.nan_to_num(y), 0.0) / grain[:, None]).sum(axis=1)
    wanted = pool @ (np.where(use, base, 0.0) / grain[:, None]).sum(axis=1)
    offer = np.clip((units + OFFER_PSEUDO) / (wanted + OFFER_PSEUDO), 0.7, 8.0)
    return Factors(weekday, month, events, offer[group], grain)


def moving_level(y: Floats, width: int = LEVEL_WINDOW) -> Floats:
    """Return (n, T): the mean of the observed days within a centred window, else of the whole series, else 0."""
    n, days = y.shape
    if days == 0:
        return np.zeros((n, 0))
    seen = ~np.isnan(y)
    units = np.concatenate([np.zeros((n, 1)), np.cumsum(np.where(seen, y, 0.0), axis=1)], axis=1)
    count = np.concatenate([np.zeros((n, 1)), np.cumsum(seen, axis=1)], axis=1)
    first = np.maximum(np.arange(days) - width // 2, 0)
    last = np.minimum(np.arange(days) + width // 2 + 1, days)
    total, number = units[:, last] - units[:, first], count[:, last] - count[:, first]
    whole = units[:, -1] / np.maximum(count[:, -1], 1)
    return np.asarray(np.maximum(np.where(number > 0, total / np.maximum(number, 1), whole[:, None]), 0.0))


def grains(y: Floats, level: Floats) -> Floats:
    """Return (n,) units that move together: variance over mean around the level, at least 1.

    About 1 for loaves sold one by one, hundreds for grams. Fewer than 8 observed days: the panel's median.
    """
    use = ~np.isnan(y) & (level > 0)
    chi = np.where(use, (np.nan_to_num(y) - level) ** 2 / np.maximum(level, 1e-12), 0.0).sum(axis=1)
    count = use.sum(axis=1)
    raw = chi / np.maximum(count - 1, 1)
    known = count >= 8
    usual = float(np.median(raw[known])) if known.any() else 1.0
    return np.asarray(np.maximum(np.where(known, raw, usual), 1.0))


def offers_from_prices(price: Floats) -> Flags:
    """Return (n, T): the price is at least 7 % below the highest of the last 28 days."""
    days = price.shape[1]
    known = np.nan_to_num(price)
    highest = known.copy()
    for back in range(1, min(28, days)):
        highest[:, back:] = np.maximum(highest[:, back:], known[:, :-back])
    return np.asarray((known > 0) & (known < OFFER_DEPTH * highest))


def _weekday_factors(
    sold: Floats, expected: Floats, weekday: Ints, pool: Floats, group: Ints, prior: Floats | None
) -> Floats:
    one_hot = (weekday[:, None] == np.arange(7)[None, :]).astype(np.float64)
    own_units, own_wanted = sold @ one_hot, expected @ one_hot
    shop_units, shop_wanted = own_units.sum(axis=0), own_wanted.sum(axis=0)
    shop = (shop_units + 1.0) / (shop_wanted + 1.0)
    weight = WEEKDAY_CATEGORY / 7
    category = (pool @ own_units + weight * shop) / (pool @ own_wanted + weight)
    parent = category[group]
    if prior is not None:
        parent = (pool @ own_units)[group] + weight * prior
        parent = parent / ((pool @ own_wanted)[group] + weight)
    weight = WEEKDAY_OWN / 7
    factors = (own_units + weight * parent) / (own_wanted + weight)
    seen_days = one_hot.sum(axis=0)
    shut = (shop_wanted > 20) & (shop_units < CLOSED_BELOW * shop_wanted)
    never = (shop_wanted == 0) & (seen_days >= 4) & (shop_wanted.sum() > 0)
    factors[:, shut | never] = 0.0
    return _mean_one(factors)


def _month_factors(
    sold: Floats, expected: Floats, month_day: Ints, pool: Floats, group: Ints, prior: Floats | None
) -> Floats:
    """Return (n, 31): each day of the month pooled with its neighbours, for pay-day waves are wide."""
    one_hot = (month_day[:, None] == np.arange(31)[None, :]).astype(np.float64)
    units, wanted = pool @ (sold @ one_hot), pool @ (expected @ one_hot)
    near = np.abs(np.arange(31)[:, None] - np.arange(31)[None, :])
    near = np.maximum(0.0, 1.0 - np.minimum(near, 31 - near) / 3.0)
    parent = np.ones((len(group), 31)) if prior is None else prior
    grid = ((units @ near)[group] + MONTH_PSEUDO * parent) / ((wanted @ near)[group] + MONTH_PSEUDO)
    return _mean_one(grid)


def _event_factors(
    y: Floats, base: Floats, grain: Floats, days: Days, pool: Floats, group: Ints, prior: dict[str, Floats]
) -> dict[str, Floats]:
    n = len(y)
    seen = ~np.isnan(y)
    anyone = np.asarray(seen.any(axis=0), dtype=np.bool_)
    factors = dict(prior)
    for code in sorted({code for code in days.events if code}):
        when = np.array([at for at, name in enumerate(days.events) if name == code], dtype=np.int64)
        when = when[base[:, when].sum(axis=0) > 0]
        if not len(when):
            continue
        parent = prior.get(code, np.ones(n))
        if not anyone[when].any() and _traded_around(anyone, when):
            factors[code] = np.zeros(n)
            continue
        units = np.where(seen[:, when], y[:, when], 0.0).sum(axis=1) / grain
        wanted = np.where(seen[:, when], base[:, when], 0.0).sum(axis=1) / grain
        all_units, all_wanted = units.sum(), wanted.sum()
        if all_wanted > 20 and all_units < CLOSED_BELOW * all_wanted:
            factors[code] = np.zeros(n)
            continue
        shop = (all_units + EVENT_PSEUDO * parent) / (all_wanted + EVENT_PSEUDO)
        grid = ((pool @ units)[group] + EVENT_PSEUDO * shop) / ((pool @ wanted)[group] + EVENT_PSEUDO)
        factors[code] = np.clip(grid, 0.0, 20.0)
    return factors


def _traded_around(anyone: Flags, when: Ints) -> bool:
    """Tell whether the shop was observed on most of the six days around each of these days."""
    for day in when:
        around = np.concatenate([anyone[max(day - 3, 0) : day], anyone[day + 1 : day + 4]])
        if len(around) < 3 or around.mean() < 0.5:
            return False
    return True


def _mean_one(factors: Floats) -> Floats:
    mean = factors.mean(axis=1, keepdims=True)
    return np.asarray(np.where(mean > 0, factors / np.maximum(mean, 1e-300), 1.0))
