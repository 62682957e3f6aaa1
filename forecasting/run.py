"""One store's forecast: classify, take the calendar out, find the level, borrow from the region, spread it.

Models : level_filter · level_filter+region · region_share · category_level · zero · mean_28
Reasons: own_history              a long history of its own
         thin_history_borrowed    few sales of its own: mostly the region's level
         new_product_borrowed     never sold here: the region's level times this store's size
         new_in_region_borrowed   never sold in this region: the other regions' level times this store's size
         new_in_region            nobody knows it: an average product of its category
         no_regional_signal       own history only, for no region was given (or it does not know the product)
         no_history_category      never observed, no region: the store's usual level for its category
         stopped_selling          silent for so long that it is probably gone
         silent_longer            silent for longer than usual: perhaps gone, less is expected
         selling_less             less than half of what it sold over the year; the level follows
         never_sold               on sale for at least 28 days and nobody bought
         no_history               nothing known anywhere: zero
         not_finite               arithmetic failed: the 28-day mean stands in

`measure` and `say` are the two halves: a state is measured once a week and moved on in the nights between (see
`forecasting.fit.state`); what is said from it is the nightly forecast. Without a random number anywhere: the same panel
gives the same forecast.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from forecasting.fit import assortment, levels, regional, state
from forecasting.fit.effects import HANDED_ON, days_of, known_days
from forecasting.fit.signal import RegionalSignal
from forecasting.fit.state import State
from forecasting.fit.store_size import Stated, store_size
from forecasting.series import classify
from forecasting.series.external_factors import SURROUNDINGS
from forecasting.series.panel import LEVELS, Ahead, DemandPanel, Flags, Floats, Forecast, Ints, PanelFault
from forecasting.uncertainty import intervals

NEVER_SOLD_DAYS = 28
GONE, SILENT = 0.5, 0.9
ENOUGH = 20.0
EVEN_DOUBT = 1.0
"""Variance of the logarithm of a product's level of which only the category is known."""


def forecast(
    panel: DemandPanel,
    *,
    horizon_days: int,
    regional: RegionalSignal | None = None,
    country: str | None = None,
    subdivision: str | None = None,
    ahead: Ahead | None = None,
    stated: Stated | None = None,
) -> Forecast:
    """Forecast each series of a store for the horizon_days after the panel, from its whole history.

    The panel's `region` and `category` find the series in the signal. Holidays are those of `country`, or the
    signal's. `ahead` is what is known of the days to come; without it no offer, no change of price, no closure is
    expected. `stated` is what a store says it takes, for as long as little was sold.
    """
    _refuse(panel, horizon_days, ahead or Ahead())
    panel = panel.between(panel.n_days - state.HISTORY_DAYS, panel.n_days)
    if panel.n_series == 0:
        return _empty(panel.next_day, horizon_days)
    found = measure(panel, horizon_days=horizon_days, regional=regional, country=country, subdivision=subdivision)
    return say(found, horizon_days=horizon_days, regional=regional, panel=panel, ahead=ahead, stated=stated)


def measure(
    panel: DemandPanel,
    *,
    horizon_days: int,
    regional: RegionalSignal | None = None,
    country: str | None = None,
    subdivision: str | None = None,
    kept_days: int = 0,
) -> State:
    """Measure a store's whole history, shrunk to what its region knows; the state is good for so many days more."""
    prior = None
    if regional is not None:
        country, subdivision = country or regional.country, subdivision or regional.subdivision
        prior = _borrow(regional, panel.keys, panel.category, panel.region, panel.next_day, horizon_days).prior
    return state.measure(
        panel, horizon_days, country=country, subdivision=subdivision, prior=prior, kept_days=kept_days
    )


def say(
    found: State,
    *,
    horizon_days: int,
    regional: RegionalSignal | None = None,
    panel: DemandPanel | None = None,
    ahead: Ahead | None = None,
    stated: Stated | None = None,
) -> Forecast:
    """Forecast from a state. panel: its last days, needed only where something is known of the days ahead."""
    ahead = ahead or Ahead()
    if panel is not None:
        _refuse(panel, horizon_days, ahead)
    if not found.keys:
        return _empty(found.day, horizon_days)
    borrowed = None
    if regional is not None:
        borrowed = _borrow(regional, found.keys, found.category, found.region, found.day, horizon_days)
        found = replace(found, factors=found.factors.reported(borrowed.prior.slopes))
    blend = _blend(found, borrowed, found.pools.category, stated)
    fate = found.fate(horizon_days)
    blend.level = blend.level * fate.alive
    soon = _known_ahead(found, horizon_days, panel, ahead)
    mean = blend.level[:, None] * _factors_ahead(found, horizon_days, soon)
    if borrowed is not None:
        mean = mean * borrowed.path
    if ahead.lift is not None:
        mean = mean * ahead.lift
    if ahead.closed is not None:
        mean = np.where(ahead.closed, 0.0, mean)
    mean, blend = _finite(found.plain, mean, blend)
    spread = replace(found.spread, doubt=blend.doubt)
    daily, sums = intervals.quantiles(mean, spread, LEVELS, fate)
    return Forecast(
        keys=found.keys, first_day=found.day, mean=mean, quantiles=daily, cumulative=sums,
        model=tuple(blend.model), reason=tuple(blend.reason), kind=found.kind, level=blend.level,
        weekday_profile=found.factors.weekday, regional_share=blend.share, spread=spread, fate=fate,
        lately_spread=found.lately_spread,
        moved={name: found.factors.moved({name: soon[name]}) for name in (*SURROUNDINGS, *HANDED_ON) if name in soon},
    )  # fmt: skip


@dataclass
class _Blend:
    level: Floats
    share: Floats
    doubt: Floats
    model: list[str]
    reason: list[str]


def _refuse(panel: DemandPanel, horizon_days: int, ahead: Ahead) -> None:
    if horizon_days < 1:
        raise PanelFault("horizon", "a horizon of at least 1 day", str(horizon_days))
    wanted = (panel.n_series, horizon_days)
    grids = {"on_offer_ahead": ahead.on_offer, "price": ahead.price, "closed": ahead.closed, "lift": ahead.lift,
             **ahead.features}  # fmt: skip
    for name, grid in grids.items():
        if grid is not None and grid.shape != wanted:
            raise PanelFault("shape", f"{name} of shape {wanted}", str(grid.shape))


def _known_ahead(found: State, horizon_days: int, panel: DemandPanel | None, ahead: Ahead) -> dict[str, Floats]:
    """Return name -> (n, H) of what is known of the coming days and was measured."""
    if panel is None or not found.factors.slopes:
        return {}
    known = known_days(panel, ahead, horizon_days, frozenset(found.factors.slopes))
    return {name: grid[:, panel.n_days :] for name, grid in known.items()}


def _factors_ahead(found: State, horizon_days: int, soon: dict[str, Floats]) -> Floats:
    """Return (n, H) each coming day's factor: measured, corrected by the last weeks, and as the last year moved."""
    coming = days_of(found.day, horizon_days, found.country, found.subdivision)
    since = (found.day - found.measured_day).days
    steps = np.minimum(since + np.arange(horizon_days), found.season.shape[1] - 1)
    wave = levels.ahead(found.echo, found.echoed, horizon_days)
    return found.factors.over(coming, soon) * found.recent[:, coming.weekday] * found.season[:, steps] * wave


def _blend(own: State, borrowed: regional.Borrowed | None, group: Ints, stated: Stated | None) -> _Blend:
    """Join own level and regional level, by the units behind the own one (regional rule 4)."""
    n, level = len(own.keys), own.level
    target, reported = _category_level(own, level, group), np.zeros(n, dtype=bool)
    known = np.zeros(n, dtype=bool)
    prior_units, doubt = np.ones(n), np.full(n, EVEN_DOUBT)
    if borrowed is not None:
        size, unsure = store_size(own, level, borrowed, group, stated)
        # A region that never sold it (level 0) knows nothing of it either.
        known = (np.nan_to_num(borrowed.level) > 0) & np.isfinite(size)
        even = ~known & (np.nan_to_num(borrowed.even) > 0) & np.isfinite(size)
        target = np.where(even, borrowed.even * np.exp(size), target)
        target = np.where(known, borrowed.level * np.exp(borrowed.slope * size), target)
        reported = known | even
        doubt = np.where(known, borrowed.doubt, EVEN_DOUBT) + np.where(reported, unsure * borrowed.slope**2, 0.0)
        prior_units = np.where(known, regional.PRIOR_UNITS, np.where(even, 2.0, 1.0))
    usable = np.isfinite(target) & (target > 0)
    expected = own.exposure * np.where(usable, target, 0.0) / own.factors.grain
    # The prior weighs as many sales as it is worth: a week without a sale of a slow product says little.
    own_weight = np.where(usable, np.maximum(own.units / own.factors.grain, expected), 1.0)
    own_weight = own_weight / (own_weight + np.where(usable, prior_units, 0.0))
    own_weight = np.where(own.exposure > 0, own_weight, 0.0)
    mixed = np.where(usable, own_weight * level + (1 - own_weight) * np.where(usable, target, 0.0), level)
    share = np.where(usable & reported, 1 - own_weight, 0.0)
    if borrowed is not None:
        steady = np.where(known & (own.exposure > 0), regional.STEADY_WEIGHT * own_weight, 0.0)
        mixed = mixed + steady * (own.slow.level * borrowed.movement - level)
        share = share + steady
    elsewhere = np.zeros(n, dtype=bool) if borrowed is None else borrowed.elsewhere
    doubt = np.where(usable, np.expm1(np.minimum(doubt, assortment.MOST_DOUBT)) * (1.0 - own_weight) ** 2, 0.0)
    return _name(own, _Blend(np.maximum(mixed, 0.0), share, doubt, [], []), usable, reported, known, elsewhere)


def _name(own: State, blend: _Blend, usable: Flags, reported: Flags, known: Flags, elsewhere: Flags) -> _Blend:
    """Give each series its model and reason, and the two kinds that need another level theirs."""
    observed, alive, falling = own.observed, own.alive, _falling(own)
    for row, kind in enumerate(own.kind):
        if observed[row] == 0 and not usable[row]:
            model, reason = "zero", "no_history"
        elif observed[row] == 0:
            model = "region_share" if reported[row] else "category_level"
            first = "new_in_region_borrowed" if elsewhere[row] else "new_product_borrowed"
            reason = (first if known[row] else "new_in_region") if reported[row] else "no_history_category"
        elif alive[row] < GONE:
            model, reason = "level_filter", "stopped_selling"
            blend.share[row] = 0.0
        elif kind == classify.NONE and observed[row] >= NEVER_SOLD_DAYS:
            model, reason = "level_filter", "never_sold"
            blend.level[row] = min(blend.level[row], 0.5 / observed[row])
            blend.share[row] = 0.0
        elif reported[row]:
            thin = blend.share[row] > 0.5
            model = "level_filter+region"
            reason = "thin_history_borrowed" if thin else "own_history"
        else:
            model, reason = "level_filter", "no_regional_signal"
        if alive[row] < SILENT and reason in ("own_history", "no_regional_signal", "thin_history_borrowed"):
            reason = "silent_longer"
        elif falling[row] and reason in ("own_history", "no_regional_signal"):
            reason = "selling_less"
        blend.model.append(model)
        blend.reason.append(reason)
    return blend


def _falling(own: State) -> Flags:
    """Return (n,) whether a series sells less than half of its long-run level, beyond what chance does to a month."""
    usual = 28.0 * own.slow.level / own.factors.grain
    fallen = own.own.level < 0.5 * own.slow.level
    return np.asarray(fallen & (usual > ENOUGH) & (own.exposure > 28.0))


def _category_level(own: State, level: Floats, group: Ints) -> Floats:
    """Return (n,) the median level of the store's sold products of that category, of all if it has none."""
    usual = np.full(len(group), np.nan)
    sold = (own.observed > 0) & (level > 0)
    for name in np.unique(group):
        rows = (group == name) & sold
        pool = level[rows] if rows.any() else level[sold]
        usual[group == name] = np.median(pool) if len(pool) else np.nan
    return usual


def _finite(plain: Floats, mean: Floats, blend: _Blend) -> tuple[Floats, _Blend]:
    """Replace what is not finite by the 28-day mean, and say so."""
    bad = ~np.isfinite(mean).all(axis=1) | ~np.isfinite(blend.level)
    for row in np.flatnonzero(bad):
        blend.level[row] = mean[row] = plain[row]
        blend.model[row], blend.reason[row], blend.share[row] = "mean_28", "not_finite", 0.0
    return np.maximum(mean, 0.0), blend


def _borrow(
    signal: RegionalSignal,
    keys: tuple[tuple[str, str], ...],
    category: tuple[str, ...],
    region: tuple[str, ...],
    first_day: date,
    horizon_days: int,
) -> regional.Borrowed:
    return regional.borrow(signal, keys, category, region, first_day, horizon_days)


def _empty(first_day: date, horizon_days: int) -> Forecast:
    grid = np.zeros((0, len(LEVELS), horizon_days))
    nothing = np.zeros(0)
    return Forecast(
        keys=(), first_day=first_day, mean=np.zeros((0, horizon_days)), quantiles=grid, cumulative=grid, model=(),
        reason=(), kind=(), level=nothing, weekday_profile=np.zeros((0, 7)), regional_share=nothing,
    )  # fmt: skip
