"""What a store's history comes to: measured whole once a week, moved on by the days since in the nights between.

Rules
-----
1. `measure` looks at the whole history: factors of the days, weights of the discounts, dispersion, classes, the step of
   the year. All of this changes slowly and is kept for KEPT_DAYS.
2. `moved_on` takes in the days since and moves what changes daily: the levels and what stands behind them. Moving on
   from the same state over the same days gives the same numbers, however often and in however many steps.
3. A product that falls silent is taken for gone the more surely, the less likely so many days without a sale are at its
   long-run level (`alive`): each sale was the last with a chance learnt from the products that ended and the long gaps.
   What sells in bursts is silent longer. A day tells at most what MOST_A_DAY single sales expected would, for empty
   shelves and closures make short silences of good sellers; a day with an empty shelf tells nothing. What is gone may
   come back (`fate`): on each day with a chance that falls as one over the days of its silence (DEAD_DAYS at least),
   learnt from what returned after it stood dead (`returns`).
4. A product the state does not know comes in with its category's usual factors and no sales; one that had never sold,
   or had stopped, and sells again is `new`.
5. A state travels and is kept as bytes; one of another VERSION is measured again.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any

import numpy as np

from forecasting.fit import levels
from forecasting.fit.effects import Factors, Prior, days_of, fit_factors, known_days
from forecasting.fit.levels import Filter, Shared
from forecasting.series import classify, kernels
from forecasting.series.panel import SPREAD_DAYS, Ahead, DemandPanel, Flags, Floats, Ints, PanelFault
from forecasting.series.pools import Pools
from forecasting.uncertainty import censoring, intervals
from forecasting.uncertainty.evaluate import row_mean, sum_scale
from forecasting.uncertainty.intervals import Dispersion, Fate

VERSION = 15
HISTORY_DAYS = 730
KEPT_DAYS = 8
"""A week, and a night that failed."""
CONTEXT_DAYS = 56
"""Days before the new ones that `moved_on` wants to see: for the usual price, the plain mean, and the spread."""
LATELY_LEAST, LATELY_LEVEL = 14, 0.01
WORTH_FADE = 0.99
QUIT_SALES, QUIT_MOST = 1_000.0, 0.02
RETURN_WORTH = 5.0
MOST_A_DAY = 0.5
SUM_DAYS = 7


@dataclass(frozen=True)
class State:
    """n series after the last day that was seen.

    measured_day, day : the days after the last one measured, and after the last one taken in
    own, slow, shared : filters of the levels           units, exposure : (n,) faded units and ordinary days behind them
    recent (n, 7)     : what the last weeks say of the weekdays; 0 where the store no longer opens
    season (n, S)     : the step of the year from measured_day on
    observed, plain   : (n,) days observed, and the mean of those among the last 28
    silent, quiet     : (n,) -log of the chance of no sale since the last one, and days observed since then
    quits, returns    : (n,) chance that a sale is the last for long; of what is gone to be back on a day, times `quiet`
    size              : (n,) half the units of a usual day with a sale, with which what was gone begins again
    echo, echoed      : (n,) what the last days left, and the part of it that the next day brings (see `levels`, rule 8)
    scale             : (n,) what losses of SUM_DAYS are divided by (see `evaluate`)
    lately_spread     : (n,) variance over mean of the units of the last SPREAD_DAYS about what such days usually bring,
                        NaN with few of them observed
    """

    keys: tuple[tuple[str, str], ...]
    category: tuple[str, ...]
    region: tuple[str, ...]
    measured_day: date
    day: date
    country: str | None
    subdivision: str | None
    factors: Factors
    own: Filter
    slow: Filter
    shared: Shared | None
    spread: Dispersion
    units: Floats
    exposure: Floats
    recent: Floats
    season: Floats
    observed: Ints
    plain: Floats
    silent: Floats
    quiet: Ints
    quits: Floats
    returns: Floats
    size: Floats
    echo: Floats
    echoed: Floats
    scale: Floats
    lately_spread: Floats
    kind: tuple[str, ...]

    @property
    def pools(self) -> Pools:
        return Pools.of_names(self.keys, self.category, self.region)

    @property
    def level(self) -> Floats:
        """Return (n,) units on an ordinary day now."""
        return self.own.level if self.shared is None else self.shared.blended(self.own.level, self.pools)

    @property
    def alive(self) -> Floats:
        """Return (n,) the chance 0..1 that the product still sells (rule 3; Fader, Hardie and Lee 2005)."""
        return np.asarray(1.0 / (1.0 + self.quits / (1.0 - self.quits) * np.exp(np.minimum(self.silent, 50.0))))

    def fate(self, horizon_days: int) -> Fate:
        """Return what may be gone and what may come back in the days ahead (rule 3)."""
        alive = np.where(self.observed > 0, self.alive, 1.0)
        quiet = np.maximum(self.quiet, classify.DEAD_DAYS)[:, None]
        back = 1.0 - (quiet / (quiet + np.arange(1.0, horizon_days + 1.0))) ** self.returns[:, None]
        return Fate(alive, (1.0 - alive)[:, None] * back, self.size)

    def select(self, rows: Sequence[int]) -> State:
        """Return the state of these series, in this order."""
        return _rows(self, np.asarray(rows, dtype=np.int64))


def measure(
    panel: DemandPanel,
    horizon_days: int,
    *,
    country: str | None = None,
    subdivision: str | None = None,
    prior: Prior | None = None,
    kept_days: int = 0,
) -> State:
    """Measure a whole history (rule 1); the state can say horizon_days ahead for as many days more as it is kept."""
    panel = panel.between(panel.n_days - HISTORY_DAYS, panel.n_days)
    pools = Pools.of(panel)
    past = days_of(panel.first_day, panel.n_days, country, subdivision)
    known = known_days(panel, Ahead(), 0)
    off, short = classify.off_sale(panel.y), panel.out_of_stock
    y = levels.observed(panel.y, off, pools)
    reported = y if short is None else np.where(short, np.nan, y)
    lift = 1.0 if panel.lift is None else panel.lift
    factors = fit_factors(reported / lift, past, pools, prior or Prior(), known)
    usual = factors.over(past, known) * lift
    exposure = usual * levels.waited(panel.y, off, pools)
    if short is not None and short.any():
        # Twice: the first pass does not yet know what the empty shelf hid.
        demand = reported
        for _ in range(2):
            history = levels.filtered(demand, exposure)[1]
            mean = history[:, :-1] * exposure
            spread = intervals.fit_dispersion(reported, history, exposure, 1)
            demand = censoring.uncensor(y, short, mean, spread.variance(mean, 1.0), panel.out_share)
        y, part = censoring.counted(y, demand, short, mean, spread.variance(mean, 1.0), panel.out_share)
        exposure = exposure * part
    own, mixed = levels.filtered(y, exposure)
    shared, history = levels.with_region(y, exposure, mixed, pools)
    fade = WORTH_FADE ** np.arange(y.shape[1])[::-1]
    seen = ~np.isnan(y)
    drift = levels.recent_weekdays(y, history[:, :-1] * exposure, past.weekday, pools)
    kind = classify.classify(y)
    wave, echoed = levels.measure_echo(y if short is None else np.where(short, np.nan, y), history[:, :-1] * exposure)
    slow, long_run = levels.slow_levels(y, exposure, levels.LONG_DISCOUNT)
    spread = intervals.fit_dispersion(y, history, exposure, horizon_days, classify.number(kind), pools.product)
    return State(
        keys=panel.keys, category=panel.category, region=panel.region,
        measured_day=panel.next_day, day=panel.next_day, country=country, subdivision=subdivision,
        factors=factors, own=own, slow=slow, shared=shared,
        spread=spread,
        units=(np.nan_to_num(y) * fade).sum(axis=1), exposure=(np.where(seen, exposure, 0.0) * fade).sum(axis=1),
        recent=drift * levels.open_weekdays(y, past, pools),
        season=levels.year_ago(y, exposure, pools, horizon_days + kept_days),
        observed=(~np.isnan(panel.y)).sum(axis=1), plain=plain_mean(panel.y),
        silent=_silence(reported, long_run[:, :-1] * exposure, spread),
        quiet=classify.silent_days(panel.y if short is None else np.where(short, np.nan, panel.y)),
        quits=_quits(panel.y, off, kind), returns=_returns(panel.y),
        size=_size(panel.y), lately_spread=_lately_spread(panel, usual), echo=wave, echoed=echoed,
        scale=sum_scale(panel.y, SUM_DAYS), kind=kind,
    )  # fmt: skip


def moved_on(state: State, panel: DemandPanel) -> State:
    """Take in the days of the panel from state.day on (rule 2); its keys are the series to go on with (rule 4).

    The panel begins CONTEXT_DAYS before the new days, or with the history.
    """
    first = (state.day - panel.first_day).days
    if first < 0:
        raise PanelFault("gap", f"days from {state.day} on", f"days from {panel.first_day} on")
    state = _for_keys(state, panel)
    known = known_days(panel, Ahead(), 0, frozenset(state.factors.slopes))
    past = days_of(panel.first_day, panel.n_days, state.country, state.subdivision)
    exposure = state.factors.over(past, known) * (1.0 if panel.lift is None else panel.lift)
    y, pools, short = panel.y.copy(), state.pools, panel.out_of_stock
    own, slow, shared = state.own, state.slow, state.shared
    level, units, worth, wave = state.level, state.units, state.exposure, state.echo
    silent, quiet = state.silent, state.quiet
    for at in range(first, panel.n_days):
        day, due = slice(at, at + 1), exposure[:, at : at + 1]
        if short is not None and short[:, at].any():
            mean = level[:, None] * due
            hidden = None if panel.out_share is None else panel.out_share[:, day]
            variance = state.spread.variance(mean, 1.0)
            demand = censoring.uncensor(y[:, day], short[:, day], mean, variance, hidden)
            y[:, day], part = censoring.counted(y[:, day], demand, short[:, day], mean, variance, hidden)
            due = due * part
        now = y[:, day]
        heard = now if short is None else np.where(short[:, day], np.nan, now)
        silent = _silence(heard, slow.level[:, None] * due, state.spread, silent)
        quiet = np.where(heard[:, 0] > 0, 0, quiet + ~np.isnan(heard[:, 0]))
        wave = levels.echo_after(wave, heard[:, 0], level * due[:, 0])
        own, slow = own.moved_on(now, due), slow.moved_on(now, due)
        shared = None if shared is None else shared.moved_on(now, due, pools)
        level = own.level if shared is None else shared.blended(own.level, pools)
        units = units * WORTH_FADE + np.nan_to_num(now[:, 0])
        worth = worth * WORTH_FADE + np.where(np.isnan(now), 0.0, due)[:, 0]
    new = panel.y[:, first:]
    sold = np.nansum(new, axis=1) > 0
    awake = np.array([kind in (classify.NONE, classify.DEAD) for kind in state.kind], dtype=np.bool_) & sold
    days_seen = (~np.isnan(new)).sum(axis=1)
    return replace(
        state, day=panel.next_day, own=own, slow=slow, shared=shared, units=units, exposure=worth,
        observed=state.observed + days_seen, plain=plain_mean(panel.y), silent=silent, quiet=quiet, echo=wave,
        lately_spread=_lately_spread(panel, exposure),
        kind=tuple(classify.NEW if woke else kind for woke, kind in zip(awake, state.kind, strict=True)),
    )  # fmt: skip


def plain_mean(y: Floats) -> Floats:
    """Return (n,) the mean of the days observed among the last 28; 0 for none."""
    return np.asarray(np.nan_to_num(row_mean(y[:, -28:])))


# --- kept as bytes ---


def to_bytes(state: State) -> bytes:
    """Return the state as a compressed archive of arrays (rule 4)."""
    grids: dict[str, Any] = {}
    words: dict[str, Any] = {"version": VERSION}
    for name, value in _flat(state):
        if isinstance(value, np.ndarray):
            grids[name] = value
        else:
            words[name] = value.isoformat() if isinstance(value, date) else value
    store = io.BytesIO()
    np.savez_compressed(store, words=np.frombuffer(json.dumps(words).encode(), dtype=np.uint8), **grids)
    return store.getvalue()


def from_bytes(kept: bytes) -> State | None:
    """Return what `to_bytes` kept, None for another version."""
    with np.load(io.BytesIO(kept), allow_pickle=False) as archive:
        words = json.loads(archive["words"].tobytes())
        if words.pop("version") != VERSION:
            return None
        found = words | {name: archive[name] for name in archive.files if name != "words"}
    made: dict[str, Any] = {}
    for name, kind in _PARTS.items():
        inner = {key.removeprefix(f"{name}."): found[key] for key in found if key.startswith(f"{name}.")}
        made[name] = _part(kind, inner) if inner else None
    plain = {key: value for key, value in found.items() if "." not in key}
    for name in ("measured_day", "day"):
        plain[name] = date.fromisoformat(plain[name])
    plain["keys"] = tuple((scope, sku) for scope, sku in plain["keys"])
    for name in ("category", "region", "kind"):
        plain[name] = tuple(plain[name])
    return State(**plain, **made)


_PARTS: dict[str, type] = {
    "factors": Factors, "own": Filter, "slow": Filter, "shared": Shared, "spread": Dispersion,
}  # fmt: skip


def _flat(part: Any, before: str = "") -> list[tuple[str, Any]]:
    """Return (dotted name, array or plain value) of everything inside."""
    found: list[tuple[str, Any]] = []
    for each in fields(part):
        value, name = getattr(part, each.name), before + each.name
        if isinstance(value, dict):
            found += [(f"{name}.{key}", inner) for key, inner in value.items()] or [(f"{name}.", None)]
        elif isinstance(value, (Filter, Shared, Factors, Dispersion)):
            found += _flat(value, f"{name}.")
        elif name != "shared":
            found.append((name, value))
    return found


def _part(kind: type, inner: dict[str, Any]) -> Any:
    made: dict[str, Any] = {}
    for each in fields(kind):
        below = {key.removeprefix(f"{each.name}."): inner[key] for key in inner if key.startswith(f"{each.name}.")}
        if kind is Shared and each.name == "slow":
            made[each.name] = Filter(**below)
        elif below:
            made[each.name] = {key: value for key, value in below.items() if key}
        else:
            made[each.name] = inner[each.name]
    return kind(**made)


# --- inside ---


def _for_keys(state: State, panel: DemandPanel) -> State:
    """Return the state of the panel's series: those it knows, and newcomers with their category's factors (rule 4)."""
    if state.keys == panel.keys:
        return state
    place = {key: row for row, key in enumerate(state.keys)}
    rows = np.array([place.get(key, -1) for key in panel.keys], dtype=np.int64)
    fresh = rows < 0
    found = _rows(state, np.where(fresh, 0, rows)) if len(state.keys) else None
    if found is None:
        return _nobody(state, panel)
    if not fresh.any():
        return replace(found, category=panel.category, region=panel.region)
    own, slow = (_emptied(part, fresh) for part in (found.own, found.slow))
    shared = found.shared
    if shared is not None:
        none = {name: np.where(fresh, 0.0, getattr(shared, name)) for name in ("sold", "due", "units")}
        shared = Shared(_emptied(shared.slow, fresh), **none)
    usual = _usual_factors(state, panel.category)
    zero: dict[str, Any] = {
        name: np.where(fresh, 0.0, getattr(found, name)) for name in ("units", "exposure", "plain")
    }  # fmt: skip
    return replace(
        found, keys=panel.keys, category=panel.category, region=panel.region,
        factors=_mixed(found.factors, usual, fresh), own=own, slow=slow, shared=shared,
        spread=replace(
            found.spread, factor=np.where(fresh, 1.0, found.spread.factor),
            group=np.where(fresh, 0, found.spread.group),
        ),
        recent=np.where(fresh[:, None], 1.0, found.recent), season=np.where(fresh[:, None], 1.0, found.season),
        observed=np.where(fresh, 0, found.observed), silent=np.where(fresh, 0.0, found.silent),
        quiet=np.where(fresh, 0, found.quiet),
        scale=np.where(fresh, np.nan, found.scale), echo=np.where(fresh, 0.0, found.echo),
        kind=tuple(classify.NONE if new else kind for new, kind in zip(fresh, found.kind, strict=True)), **zero,
    )  # fmt: skip


def _nobody(state: State, panel: DemandPanel) -> State:
    """Return the state of series of which nothing was ever measured."""
    empty = panel.between(0, 0)
    horizon = state.season.shape[1]
    blank = measure(replace(empty, first_day=state.day), horizon, country=state.country, subdivision=state.subdivision)
    n = len(panel.keys)
    spread = replace(state.spread, factor=np.ones(n), group=np.zeros(n, dtype=np.int64))
    return replace(blank, measured_day=state.measured_day, spread=spread)


def _emptied(part: Filter, fresh: Flags) -> Filter:
    slowest = np.array(kernels.SPARSE_DISCOUNTS)[:, None] if len(part.discounts) > 1 else part.discounts
    none = {name: np.where(fresh, 0.0, getattr(part, name)) for name in ("a", "b", "each")}
    return Filter(np.where(fresh, slowest, part.discounts), **none, mix=np.where(fresh, 1.0 / len(part.mix), part.mix))


def _usual_factors(state: State, category: tuple[str, ...]) -> Factors:
    """Return for each wanted category its series' mean factors; of all where the category is new."""
    names = sorted(set(category))
    groups = [np.flatnonzero([name == each for each in state.category]) for name in names]
    rows = {name: (at if len(at) else np.arange(len(state.keys))) for name, at in zip(names, groups, strict=True)}

    def usual(grid: Floats) -> Floats:
        means = {name: grid[at].mean(axis=0) for name, at in rows.items()}
        return np.array([means[name] for name in category])

    known = state.factors
    return Factors(
        usual(known.weekday), usual(known.month), {code: usual(grid) for code, grid in known.events.items()},
        np.ones(len(category)), usual(known.like), {name: usual(grid) for name, grid in known.slopes.items()},
        {name: usual(grid) for name, grid in known.steps.items()},
        {name: np.zeros((len(category), 2)) for name in known.evidence},
    )  # fmt: skip


def _mixed(found: Factors, usual: Factors, fresh: Flags) -> Factors:
    def pick(old: Floats, new: Floats) -> Floats:
        return np.where(fresh.reshape(-1, *(1,) * (old.ndim - 1)), new, old)

    return Factors(
        pick(found.weekday, usual.weekday), pick(found.month, usual.month),
        {code: pick(grid, usual.events[code]) for code, grid in found.events.items()},
        pick(found.grain, usual.grain), pick(found.like, usual.like),
        {name: pick(grid, usual.slopes[name]) for name, grid in found.slopes.items()},
        {name: pick(grid, usual.steps[name]) for name, grid in found.steps.items()},
        {name: pick(grid, usual.evidence[name]) for name, grid in found.evidence.items()},
    )  # fmt: skip


def _rows(state: State, rows: Ints) -> State:
    def taken(part: Filter) -> Filter:
        return Filter(*(getattr(part, each.name)[:, rows] for each in fields(part)))

    def named(names: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(names[row] for row in rows)

    known, shared = state.factors, state.shared
    if shared is not None:
        shared = Shared(taken(shared.slow), shared.sold[rows], shared.due[rows], shared.units[rows])
    named_grids = known.events, known.slopes, known.steps, known.evidence
    inner = [{name: grid[rows] for name, grid in each.items()} for each in named_grids]
    plain_rows = known.weekday[rows], known.month[rows], inner[0], known.grain[rows], known.like[rows]
    factors = Factors(*plain_rows, *inner[1:])
    plain = (
        "units",
        "exposure",
        "recent",
        "season",
        "observed",
        "plain",
        "silent",
        "quiet",
        "quits",
        "returns",
        "echo",
        "echoed",
        "size",
        "scale",
        "lately_spread",
    )
    return replace(
        state, keys=named(state.keys), category=named(state.category), region=named(state.region),
        kind=named(state.kind), factors=factors, own=taken(state.own), slow=taken(state.slow), shared=shared,
        spread=state.spread.select(rows),
        **{name: getattr(state, name)[rows] for name in plain},
    )  # fmt: skip


def _silence(y: Floats, mean: Floats, spread: Dispersion, before: Floats | None = None) -> Floats:
    """Return (n,) -log of the chance of the days without a sale since the last one; NaN tells nothing (rule 3)."""
    silent = np.zeros(len(y)) if before is None else before
    mean = np.where(np.isnan(y), 0.0, mean)
    expected = np.minimum(intervals.surprise_of_none(mean, spread.variance(mean, 1.0)), MOST_A_DAY)
    for day in range(y.shape[1]):
        silent = np.where(y[:, day] > 0, 0.0, silent + expected[:, day])
    return silent


def _quits(y: Floats, off: Flags, kinds: tuple[str, ...]) -> Floats:
    """Return (n,) the chance that a sale is the last for long, one for all series (rule 3)."""
    sold = np.nan_to_num(y) > 0
    gaps = (off[:, 1:] & ~off[:, :-1]).sum()
    ended = sum(kind == classify.DEAD for kind in kinds)
    return np.full(len(y), min((1.0 + gaps + ended) / (QUIT_SALES + sold.sum()), QUIT_MOST))


def _returns(y: Floats) -> Floats:
    """Return (n,) the chance that what stands dead sells again on a day, times its days of silence, one for all."""
    worth, again = classify.returns(y)
    return np.full(len(y), (1.0 + again) / (RETURN_WORTH + worth))


def _size(y: Floats) -> Floats:
    """Return (n,) half the mean units of the days with a sale; 0 without any."""
    units = np.nan_to_num(y)
    return np.asarray(0.5 * units.sum(axis=1) / np.maximum((units > 0).sum(axis=1), 1))


def _lately_spread(panel: DemandPanel, exposure: Floats) -> Floats:
    """Return (n,) variance of the last days' units about what such days bring, over mean, LATELY_LEVEL at least.

    exposure: (n, T) units of each day for one of an ordinary day, so that weekdays, holidays and discounts count for no
    surprise; empty shelves tell nothing.
    """
    y = panel.y if panel.out_of_stock is None else np.where(panel.out_of_stock, np.nan, panel.y)
    y = y[:, -SPREAD_DAYS:]
    due = np.where(np.isnan(y), np.nan, exposure[:, -SPREAD_DAYS:])
    mean, usual = row_mean(y), row_mean(due)
    level = np.divide(mean, usual, out=np.zeros_like(mean), where=usual > 0)
    found = row_mean((y - level[:, None] * due) ** 2) / np.maximum(mean, LATELY_LEVEL)
    return np.where((~np.isnan(y)).sum(axis=1) >= LATELY_LEAST, found, np.nan)
