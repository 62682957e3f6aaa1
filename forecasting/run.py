"""One store's forecast: classify, take the calendar out, find the level, borrow from the region, spread it.

Models : level_filter · level_filter+region · region_share · category_level · tsb · zero · mean_28
Reasons: own_history              a long history of its own
         thin_history_borrowed    few sales of its own: mostly the region's level
         new_product_borrowed     never sold here: the region's level times this shop's size
         new_in_region            the region does not know it either: an average product of its category
         no_regional_signal       own history only, for no region was given (or it does not know the product)
         no_history_category      never observed, no region: the shop's usual level for its category
         stopped_selling          dead: fades out
         never_sold               on sale for at least 28 days and nobody bought
         no_history               nothing known anywhere: zero
         not_finite               arithmetic failed: the 28-day mean stands in

Without a random number anywhere: the same panel gives the same forecast. `seed` is kept in the signature for
the simulated models a caller may choose later, and changes nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from forecasting import censoring, classify, intervals, kernels, levels, regional
from forecasting.effects import Days, Factors, Prior, fit_factors, known_days
from forecasting.panel import LEVELS, Ahead, DemandPanel, Flags, Floats, Forecast, Ints, PanelFault
from forecasting.pools import Pools
from forecasting.signal import RegionalSignal

HISTORY_DAYS = 730
NEVER_SOLD_DAYS = 28


def forecast(
    panel: DemandPanel,
    *,
    horizon_days: int,
    regional: RegionalSignal | None = None,
    seed: int = 0,  # noqa: ARG001 - part of the signature, see above
    country: str | None = None,
    subdivision: str | None = None,
    on_offer_ahead: Flags | None = None,
    ahead: Ahead | None = None,
    factors: Factors | None = None,
) -> Forecast:
    """Forecast each series of a store for the horizon_days after the panel.

    The panel's `region` and `category` find the series in the signal. Holidays are those of `country`, or the
    signal's. `ahead` is what is known of the days to come; without it no offer, no change of price, no closure is
    expected (on_offer_ahead is the same for offers alone). `factors` of an earlier forecast of the same series, at most
    a week old, spare measuring them again: what is left is the nightly update.
    """
    ahead = ahead or Ahead(on_offer=on_offer_ahead)
    _refuse(panel, horizon_days, ahead)
    panel = panel.between(panel.n_days - HISTORY_DAYS, panel.n_days)
    if panel.n_series == 0:
        return _empty(panel.next_day, horizon_days)
    if regional is not None:
        country, subdivision = country or regional.country, subdivision or regional.subdivision
    scene = _scene(panel, horizon_days, ahead, country, subdivision)
    borrowed = None if regional is None else _borrow(regional, panel, horizon_days)
    own = _own_level(panel, scene, Prior() if borrowed is None else borrowed.prior, factors)
    blend = _blend(panel, own, borrowed, scene.pools.category)
    mean = blend.level[:, None] * _factors_ahead(own, scene, horizon_days)
    if borrowed is not None:
        mean = mean * borrowed.path
    if ahead.closed is not None:
        mean = np.where(ahead.closed, 0.0, mean)
    mean, blend = _finite(panel.y, mean, blend)
    spread = intervals.fit_dispersion(own.demand, own.history, own.expected, horizon_days)
    daily, sums = intervals.quantiles(mean, spread, LEVELS)
    return Forecast(
        keys=panel.keys, first_day=panel.next_day, mean=mean, quantiles=daily, cumulative=sums,
        model=tuple(blend.model), reason=tuple(blend.reason), kind=own.kind, level=blend.level,
        weekday_profile=own.factors.weekday, regional_share=blend.share, spread=spread, factors=own.factors,
    )  # fmt: skip


def explain(forecast: Forecast, key: tuple[str, str]) -> dict[str, Any]:
    """Return why a series is forecast as it is, as plain JSON types."""
    row = forecast.row(key)
    return {
        "level_per_day": float(forecast.level[row]),
        "weekday_factors": [float(value) for value in forecast.weekday_profile[row]],
        "regional_share": float(forecast.regional_share[row]),
        "kind": forecast.kind[row],
        "model": forecast.model[row],
        "reason": forecast.reason[row],
        "first_day": forecast.first_day.isoformat(),
        "mean_per_day": [float(value) for value in forecast.mean[row]],
        "levels": list(forecast.levels),
        "total_quantiles": [float(value) for value in forecast.cumulative[row, :, -1]],
    }


@dataclass(frozen=True)
class _Scene:
    """The calendar before and after, what was and is known of the days, and who belongs together."""

    past: Days
    coming: Days
    then: dict[str, Floats]
    soon: dict[str, Floats]
    pools: Pools


@dataclass
class _Own:
    """What the shop's own history says: level now, level before each day, units behind it, factors.

    expected : (n, T) factor of each past day         recent : (n, 7) what the last weeks say of the weekdays
    """

    demand: Floats
    level: Floats
    history: Floats
    slow: Floats
    units: Floats
    exposure: Floats
    expected: Floats
    recent: Floats
    factors: Factors
    kind: tuple[str, ...]


@dataclass
class _Blend:
    level: Floats
    share: Floats
    model: list[str]
    reason: list[str]


def _refuse(panel: DemandPanel, horizon_days: int, ahead: Ahead) -> None:
    if horizon_days < 1:
        raise PanelFault("horizon", "a horizon of at least 1 day", str(horizon_days))
    wanted = (panel.n_series, horizon_days)
    grids = {"on_offer_ahead": ahead.on_offer, "price": ahead.price, "closed": ahead.closed, **ahead.features}
    for name, grid in grids.items():
        if grid is not None and grid.shape != wanted:
            raise PanelFault("shape", f"{name} of shape {wanted}", str(grid.shape))


def _scene(panel: DemandPanel, horizon_days: int, ahead: Ahead, country: str | None, subdivision: str | None) -> _Scene:
    days = panel.n_days
    spell = regional.days_of(panel.first_day, days + horizon_days, country, subdivision)
    known = known_days(panel, ahead, horizon_days)
    then, soon = ({name: grid[:, part] for name, grid in known.items()} for part in (slice(days), slice(days, None)))
    return _Scene(spell.part(0, days), spell.part(days, days + horizon_days), then, soon, Pools.of(panel))


def _own_level(panel: DemandPanel, scene: _Scene, prior: Prior, factors: Factors | None) -> _Own:
    pools, past, known = scene.pools, scene.past, scene.then
    y = levels.observed(panel.y, pools)
    short = panel.out_of_stock
    if factors is None:
        factors = fit_factors(y if short is None else np.where(short, np.nan, y), past, pools, prior, known)
    exposure = factors.over(past, known)
    if short is not None and short.any():
        # Twice: the first pass does not yet know what the empty shelf hid.
        demand = np.where(short, np.nan, y)
        for _ in range(2):
            history = levels.filtered(demand, exposure)[1]
            mean = history[:, :-1] * exposure
            spread = intervals.fit_dispersion(np.where(short, np.nan, y), history, exposure, 1)
            demand = censoring.uncensor(y, short, mean, spread.variance(mean, 1.0))
        y = demand
    history = levels.with_region(y, exposure, levels.filtered(y, exposure)[1], pools)
    fade = 0.99 ** np.arange(y.shape[1])[::-1]
    seen = ~np.isnan(y)
    units = (np.nan_to_num(y) * fade).sum(axis=1) / factors.grain
    weight = (np.where(seen, exposure, 0.0) * fade).sum(axis=1)
    slow = levels.slow_levels(y, exposure, regional.SLOW_DISCOUNT)[:, -1]
    recent = levels.recent_weekdays(y, history[:, :-1] * exposure, past.weekday, pools)
    return _Own(y, history[:, -1], history, slow, units, weight, exposure, recent, factors, classify.classify(y))


def _factors_ahead(own: _Own, scene: _Scene, horizon_days: int) -> Floats:
    """Return (n, H) each coming day's factor: measured, corrected by the last weeks, and as the last year moved."""
    opened = levels.open_weekdays(own.demand, scene.past, scene.pools)
    week = (own.recent * opened)[:, scene.coming.weekday]
    season = levels.year_ago(own.demand, own.expected, scene.pools, horizon_days)
    return own.factors.over(scene.coming, scene.soon) * week * season


def _blend(panel: DemandPanel, own: _Own, borrowed: regional.Borrowed | None, group: Ints) -> _Blend:
    """Join own level and regional level, by the units behind the own one (regional rule 4)."""
    n = panel.n_series
    observed = (~np.isnan(panel.y)).sum(axis=1)
    target, told = _category_level(own, observed, group), np.zeros(n, dtype=bool)
    known = np.zeros(n, dtype=bool)
    prior_units = np.ones(n)
    if borrowed is not None:
        size = _shop_size(own, borrowed, group)
        known = np.isfinite(borrowed.level) & np.isfinite(size)
        even = ~known & np.isfinite(borrowed.even) & np.isfinite(size)
        target = np.where(known, borrowed.level * size, np.where(even, borrowed.even * size, target))
        told = known | even
        prior_units = np.where(known, regional.PRIOR_UNITS, np.where(even, 2.0, 1.0))
    usable = np.isfinite(target) & (target > 0)
    expected = own.exposure * np.where(usable, target, 0.0) / own.factors.grain
    # The prior weighs as many sales as it is worth: a week without a sale of a slow product says little.
    own_weight = np.where(usable, np.maximum(own.units, expected), 1.0)
    own_weight = own_weight / (own_weight + np.where(usable, prior_units, 0.0))
    own_weight = np.where(own.exposure > 0, own_weight, 0.0)
    level = np.where(usable, own_weight * own.level + (1 - own_weight) * np.where(usable, target, 0.0), own.level)
    share = np.where(usable & told, 1 - own_weight, 0.0)
    if borrowed is not None:
        steady = np.where(known & (own.exposure > 0), regional.STEADY_WEIGHT * own_weight, 0.0)
        level = level + steady * (own.slow * borrowed.movement - own.level)
        share = share + steady
    return _name(panel, own, _Blend(np.maximum(level, 0.0), share, [], []), observed, usable, told, known)


def _name(
    panel: DemandPanel, own: _Own, blend: _Blend, observed: Ints, usable: Flags, told: Flags, known: Flags
) -> _Blend:
    """Give each series its model and reason, and the two kinds that need another level theirs."""
    faded = _fading(panel.y, own)
    for row, kind in enumerate(own.kind):
        if observed[row] == 0 and not usable[row]:
            model, reason = "zero", "no_history"
        elif observed[row] == 0:
            model = "region_share" if told[row] else "category_level"
            borrowed_reason = "new_product_borrowed" if known[row] else "new_in_region"
            reason = borrowed_reason if told[row] else "no_history_category"
        elif kind == classify.DEAD:
            model, reason = "tsb", "stopped_selling"
            blend.level[row] = min(blend.level[row], faded[row])
            blend.share[row] = 0.0
        elif kind == classify.NONE and observed[row] >= NEVER_SOLD_DAYS:
            model, reason = "level_filter", "never_sold"
            blend.level[row] = min(blend.level[row], 0.5 / observed[row])
            blend.share[row] = 0.0
        elif told[row]:
            thin = blend.share[row] > 0.5
            model = "level_filter+region"
            reason = "thin_history_borrowed" if thin else "own_history"
        else:
            model, reason = "level_filter", "no_regional_signal"
        blend.model.append(model)
        blend.reason.append(reason)
    return blend


def _category_level(own: _Own, observed: Ints, group: Ints) -> Floats:
    """Return (n,) the median level of the shop's sold products of that category, of all if it has none."""
    usual = np.full(len(group), np.nan)
    sold = (observed > 0) & (own.level > 0)
    for name in np.unique(group):
        rows = (group == name) & sold
        pool = own.level[rows] if rows.any() else own.level[sold]
        usual[group == name] = np.median(pool) if len(pool) else np.nan
    return usual


def _shop_size(own: _Own, borrowed: regional.Borrowed, group: Ints) -> Floats:
    """Return (n,) this shop's part of the region's sales, in the category, shrunk to the whole shop's.

    A shop with nothing sold takes an even part of the region's shops; NaN if their number is unknown.
    """
    both = np.isfinite(borrowed.level) & (borrowed.level > 0) & (own.exposure >= 7.0)
    mine, theirs = np.where(both, own.level, 0.0), np.where(both, np.nan_to_num(borrowed.level), 0.0)
    even = np.where(borrowed.stores > 0, 1.0 / np.maximum(borrowed.stores, 1), np.nan)
    if theirs.sum() <= 0:
        return np.asarray(even)
    whole = mine.sum() / theirs.sum()
    strength = 0.1 * theirs.sum()
    part = np.bincount(group, weights=mine)[group] + strength * whole
    return np.asarray(part / (np.bincount(group, weights=theirs)[group] + strength))


def _fading(y: Floats, own: _Own) -> Floats:
    """Return (n,) the TSB level, for series that stopped selling."""
    sold = np.nan_to_num(y) > 0
    size = np.where(sold, np.nan_to_num(y), 0.0).sum(axis=1) / np.maximum(sold.sum(axis=1), 1)
    chance = sold.sum(axis=1) / np.maximum((~np.isnan(y)).sum(axis=1), 1)
    dead = np.array([kind == classify.DEAD for kind in own.kind])
    faded = np.full(len(y), np.inf)
    if dead.any():
        faded[dead] = kernels.tsb(y[dead], 0.1, 0.1, size[dead], chance[dead])[:, -1]
    return faded


def _finite(y: Floats, mean: Floats, blend: _Blend) -> tuple[Floats, _Blend]:
    """Replace what is not finite by the 28-day mean, and say so."""
    bad = ~np.isfinite(mean).all(axis=1) | ~np.isfinite(blend.level)
    for row in np.flatnonzero(bad):
        recent = y[row, -28:]
        recent = recent[~np.isnan(recent)]
        blend.level[row] = float(recent.mean()) if len(recent) else 0.0
        mean[row] = blend.level[row]
        blend.model[row], blend.reason[row], blend.share[row] = "mean_28", "not_finite", 0.0
    return np.maximum(mean, 0.0), blend


def _borrow(signal: RegionalSignal, panel: DemandPanel, horizon_days: int) -> regional.Borrowed:
    return regional.borrow(signal, panel, horizon_days)


def _empty(first_day: date, horizon_days: int) -> Forecast:
    grid = np.zeros((0, len(LEVELS), horizon_days))
    nothing = np.zeros(0)
    return Forecast(
        keys=(), first_day=first_day, mean=np.zeros((0, horizon_days)), quantiles=grid, cumulative=grid, model=(),
        reason=(), kind=(), level=nothing, weekday_profile=np.zeros((0, 7)), regional_share=nothing,
    )  # fmt: skip
