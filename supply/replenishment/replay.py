"""What a way of ordering would have done to a history: stock, lost sales, waste, orders, all products at once. PURE.

Rules
-----
1. The first trade of a day is the vehicle's arrival, then the order is decided, then customers come; who finds nothing
   leaves (lost sales). An order decided on day t arrives on t + lead_days; orders are decided every review_days.
2. Every rule sees the same: demand until yesterday as it was (also what was lost: no rule is helped by what the others
   hid), its own stock and what is on the way. Perfect foresight alone sees the days to come.
3. Days of cover = mean value of the stock, halfway between opening and closing / value of a day's demand. Fill = value
   sold / value wanted. Waste = value expired / value wanted. All over the last scored_days; WARM_DAYS before them run
   without being counted, and stock settles. Everybody starts with three days' demand.
4. Goods age and are wasted as `shelf_life` says.
5. Our rule is asked for a fill by the service level that would have brought it over the last LOOK_BACK_DAYS, found
   again every MEASURE_DAYS from what was known by then: how hard demand is to foresee changes with the season.

Letters: n products, T days; y (n, T) units wanted; arrays are float64 and hold whole units.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecasting.fit.state import CONTEXT_DAYS, HISTORY_DAYS, State, moved_on
from forecasting.run import measure, say
from forecasting.series.kernels import window_sums
from forecasting.series.panel import DemandPanel, Flags, Floats
from supply.demand.lead_time_demand import (
    FRESH_DAYS,
    LATELY_DAYS,
    Demand,
    lately_factor,
    least_chance,
    packs_to,
    reorder_point,
    spoiling_point,
)
from supply.demand.shelf_life import Shelves

WARM_DAYS = 56
SETTLE_DAYS = 14
LOOK_BACK_DAYS = WARM_DAYS - SETTLE_DAYS
RECENT_DAYS = 28
FILL = 0.97
MEASURE_DAYS = 7
"""The whole history is measured once a week, as a store does; the levels move every day."""
STEADY_DAYS = 182
MOST_LIFE_DAYS = 60
"""What lives longer keeps."""
KEEPING = 0.15
"""So much is added to the chance that a fresh unit spoils: a pack nobody misses costs its keeping."""
SPOILING_WEIGHT = 7.0
"""A short-lived pack is brought if its units sell in time with a chance above so many times 1 - level, a fresh one if
it is likelier wanted than so many times 1 - level spoilt: the fuller the shelf is wanted, the more waste is worth."""


@dataclass(frozen=True)
class Setting:
    """How goods come. pack_qty and shelf_life_days: one for all, or each product's (n,); None, or inf, keeps."""

    lead_days: int = 2
    review_days: int = 1
    pack_qty: int | Floats = 6
    shelf_life_days: int | Floats | None = None
    scored_days: int = 112

    @property
    def span(self) -> int:
        """Days an order must cover: until the one after it comes."""
        return self.lead_days + self.review_days


@dataclass(frozen=True)
class Look:
    """What a rule sees when it orders: the day, its stock, what is on the way, and what of both will expire unsold."""

    day: int
    on_hand: Floats
    coming: Floats
    outdating: Floats

    @property
    def position(self) -> Floats:
        """Stock and what is on the way."""
        return self.on_hand + self.coming


Rule = Callable[[Look], Floats]
"""Says how many packs of each product come."""


@dataclass(frozen=True)
class Outcome:
    """How a rule fared over the scored days (rule 3). The values are per day, in the unit of the prices."""

    fill: float
    cover_days: float
    waste: float
    order_lines: int
    stock_value: float
    lost_value: float
    waste_value: float


@dataclass(frozen=True)
class Days:
    """A replay day by day, (D,) each: values in the unit of the prices, and the lines ordered."""

    stock: Floats
    wanted: Floats
    lost: Floats
    wasted: Floats
    order_lines: Floats

    def fill(self, first: int, last: int) -> float:
        """Return the share of what was wanted that was sold from day `first` until before `last`."""
        return float(1 - self.lost[first:last].sum() / max(self.wanted[first:last].sum(), 1e-12))

    def outcome(self, count: int) -> Outcome:
        """Return how the last `count` days went (rule 3)."""
        stock, wanted, lost, waste = (
            float(one[-count:].mean()) for one in (self.stock, self.wanted, self.lost, self.wasted)
        )
        worth = max(wanted, 1e-12)
        lines = int(self.order_lines[-count:].sum())
        return Outcome(1 - lost / worth, stock / worth, waste / worth, lines, stock, lost, waste)


@dataclass(frozen=True)
class History:
    """Past demand to replay.

    panel: what is not observed counts as nothing wanted; value (n,): what a unit is worth; closed (n, T): days on which
    a store was known to stay shut; negative_rows: rows of returns, which count as none sold.
    """

    panel: DemandPanel
    value: Floats
    closed: Flags | None = None
    negative_rows: int = 0

    @property
    def y(self) -> Floats:
        """Whole units wanted."""
        return np.asarray(np.rint(np.nan_to_num(self.panel.y)))

    def first_day(self, setting: Setting) -> int:
        """The day the replay begins, counted from the panel's first."""
        return self.panel.n_days - setting.scored_days - WARM_DAYS - setting.span + 1


@dataclass(frozen=True)
class Loaded:
    """What a replay needs, read in one look; picklable, so that a child process can do it."""

    history: History
    setting: Setting
    country: str


@dataclass(frozen=True)
class Seen:
    """Our forecasts as they were on each order day, (D, n).

    demand: over the span; before: the mean of its part before the vehicle; lately_spread: of a product's last days.
    """

    first_day: int
    demand: Demand
    before: Floats
    lately_spread: Floats


def replay(history: History, rule: Rule, setting: Setting) -> Outcome:
    """Run a rule over the history and say how it fared (rules 1 to 4)."""
    return day_by_day(history, rule, setting).outcome(setting.scored_days)


def day_by_day(history: History, rule: Rule, setting: Setting) -> Days:
    """Run a rule over the history, the warm days included (rules 1, 2, 4)."""
    y, first = history.y, history.first_day(setting)
    n, last = len(y), y.shape[1] - setting.span
    shelves = Shelves(_life(setting, n), (n,))
    shelves.put(start_stock(history, setting))
    due = np.zeros((setting.lead_days + 1, n))
    found = np.zeros((5, last - first + 1))
    for day in range(first, last + 1):
        shelves.put(due[0])
        due = np.roll(due, -1, axis=0)
        due[-1] = 0.0
        if (day - first) % setting.review_days == 0:
            recent = y[:, max(0, day - RECENT_DAYS) : day].mean(axis=1)
            outdating = shelves.outdating(np.repeat(recent[:, None], setting.span, axis=1))
            packs = np.maximum(rule(Look(day, shelves.total, due.sum(axis=0), outdating)), 0.0)
            if setting.lead_days:
                due[setting.lead_days - 1] += packs * setting.pack_qty
            else:
                shelves.put(packs * setting.pack_qty)
            found[4, day - first] = (packs > 0).sum()
        opening = shelves.total
        sold = shelves.sell(y[:, day])
        wasted = shelves.end_day()
        found[:4, day - first] = np.stack((opening - sold / 2, y[:, day], y[:, day] - sold, wasted)) @ history.value
    return Days(*found)


def start_stock(history: History, setting: Setting) -> Floats:
    """Return everybody's first stock: three days' demand in whole packs."""
    first = history.first_day(setting)
    recent = history.y[:, max(0, first - RECENT_DAYS) : first].mean(axis=1)
    return np.asarray(np.ceil(3 * recent / setting.pack_qty) * setting.pack_qty)


# --- our rule ---


def look_ahead(
    history: History,
    setting: Setting,
    *,
    country: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Seen:
    """Forecast from every day of the replay, as the store would have; the slow part, to be done once a history."""
    panel, first = history.panel, history.first_day(setting)
    last = panel.n_days - setting.span
    means, quantiles, before, spread = [], [], [], []
    state: State | None = None
    for day in range(first, last + 1):
        ahead = panel.ahead(day, day + setting.span)
        if history.closed is not None:
            ahead = replace(ahead, closed=history.closed[:, day : day + setting.span])
        if state is None or (day - first) % MEASURE_DAYS == 0:
            past = panel.between(day - HISTORY_DAYS, day)
            state = measure(past, horizon_days=setting.span, country=country, kept_days=MEASURE_DAYS)
        else:
            past = panel.between(day - 1 - CONTEXT_DAYS, day)
            state = moved_on(state, past)
        found = say(state, horizon_days=setting.span, panel=past, ahead=ahead)
        means.append(found.mean.sum(axis=1))
        before.append(found.mean[:, : setting.lead_days].sum(axis=1))
        quantiles.append(found.cumulative[:, :, -1])
        spread.append(found.lately_spread)
        if progress:
            progress(day - first + 1, last - first + 1)
    shape = (len(means), panel.n_series)
    demand = Demand.of_quantiles(np.concatenate(means), np.concatenate(quantiles))
    demand = Demand(demand.mean.reshape(shape), demand.variance.reshape(shape))
    return Seen(first, demand, np.stack(before), np.stack(spread))


def ours(history: History, seen: Seen, setting: Setting, level: float | Floats) -> Rule:
    """Order by `lead_time_demand` at one service level for all: equal value of a unit's worth, where it helps most.

    level: one, or each order day's (D,).
    """
    pack, level = setting.pack_qty, np.reshape(level, (-1, 1))
    least = least_chance(
        seen.demand, np.float64(pack), level, days=setting.span, held_days=setting.review_days,
        usual=_usual(seen, setting), lately_spread=seen.lately_spread,
    )  # fmt: skip
    point = reorder_point(seen.demand, np.float64(pack), least)
    if setting.shelf_life_days is None:
        return lambda look: packs_to(point[look.day - seen.first_day], look.position, pack)
    life = np.broadcast_to(np.minimum(setting.shelf_life_days, MOST_LIFE_DAYS), point.shape[1:])
    risk = SPOILING_WEIGHT * (1 - level)
    sellable = reorder_point(_lasting(seen, life, setting), np.float64(pack), np.minimum(0.95, risk))
    fresh = life <= FRESH_DAYS
    lately = _as_lately(history, seen, setting)
    ripe = np.full(point.shape, np.inf)
    if fresh.any():
        reported = Demand(lately.demand.mean[:, fresh], lately.demand.variance[:, fresh])
        some = Seen(seen.first_day, reported, lately.before[:, fresh], seen.lately_spread[:, fresh])
        lasting = _lasting(some, life[fresh], setting)
        packs = np.broadcast_to(np.float64(pack), life.shape)[fresh]
        ripe[:, fresh] = spoiling_point(reported, lasting, packs, risk, KEEPING)

    def rule(look: Look) -> Floats:
        day = look.day - seen.first_day
        useful = look.position - look.outdating
        kept = np.minimum(packs_to(point[day], useful, pack), packs_to(sellable[day], useful, pack))
        return np.where(fresh, packs_to(ripe[day], np.maximum(look.position, lately.before[day]), pack), kept)

    return rule


def _lasting(seen: Seen, life: Floats, setting: Setting) -> Demand:
    """Return the demand until what comes with the next delivery is over."""
    mean = seen.before + (seen.demand.mean - seen.before) * (life / setting.review_days)
    return seen.demand.scaled(np.divide(mean, seen.demand.mean, out=np.zeros_like(mean), where=seen.demand.mean > 0))


def _as_lately(history: History, seen: Seen, setting: Setting) -> Seen:
    """Return the forecasts moved towards what the last LATELY_DAYS sold.

    For what is fresh (`supply.demand.expected`, rule 2).
    """
    count = len(seen.before)
    days = seen.first_day + np.arange(count)
    sums = np.cumsum(np.concatenate([np.zeros((history.panel.n_series, 1)), history.y], axis=1), axis=1)
    sold = ((sums[:, days] - sums[:, np.maximum(days - LATELY_DAYS, 0)]) / LATELY_DAYS).T
    factor = lately_factor(sold, _usual(seen, setting))
    return replace(seen, demand=seen.demand.scaled(factor), before=seen.before * factor)


def _usual(seen: Seen, setting: Setting) -> Floats:
    """Return the demand of a usual day: the mean of what was told in the last seven days."""
    count = len(seen.before)
    reported = np.cumsum(np.concatenate([np.zeros((1, seen.before.shape[1])), seen.demand.mean]), axis=0)
    since = np.maximum(np.arange(count) - 6, 0)
    return np.asarray((reported[1:] - reported[since]) / (np.arange(1, count + 1) - since)[:, None] / setting.span)


# --- what others do ---


def static_minmax(history: History, setting: Setting, days: float) -> Rule:
    """Below `days` days of the half year's mean, order up to twice that; set once, never changed."""
    first = history.first_day(setting)
    mean = history.y[:, max(0, first - STEADY_DAYS) : first].mean(axis=1)
    return lambda look: _minmax(look, mean * days, setting)


def rolling_minmax(history: History, setting: Setting, days: float) -> Rule:
    """Below `days` days of the last 28 days' mean, order up to twice that."""
    mean, _ = _recent(history)
    return lambda look: _minmax(look, mean[:, look.day] * days, setting)


def what_sold(history: History, setting: Setting, days: float) -> Rule:
    """Order what was sold since the last order, in whole packs; `days` of stock to begin with."""
    first = history.first_day(setting)
    level = np.ceil(history.y[:, max(0, first - STEADY_DAYS) : first].mean(axis=1) * days)
    return lambda look: np.floor((level - look.position) / setting.pack_qty)


def mean_normal(history: History, setting: Setting, score: float) -> Rule:
    """Order up to the 28-day mean over the span and `score` normal deviations of it, rounded up to packs."""
    mean, spread = _recent(history)

    def rule(look: Look) -> Floats:
        level = mean[:, look.day] * setting.span + score * spread[:, look.day] * np.sqrt(setting.span)
        return np.asarray(np.ceil((level - look.position) / setting.pack_qty))

    return rule


def perfect(history: History, setting: Setting) -> Rule:
    """Order exactly what will be wanted, in whole packs: what nobody can beat."""
    y = history.y
    return lambda look: np.ceil(
        (y[:, look.day : look.day + setting.span].sum(axis=1) - look.position + look.outdating) / setting.pack_qty
    )


_DAYS = (2, 2.5, 3, 3.5, 4, 4.5, 5, 5.5, 6, 7, 9, 11, 14, 18, 24)
RIVALS: dict[str, tuple[Callable[[History, Setting, float], Rule], tuple[float, ...]]] = {
    "static_minmax": (static_minmax, _DAYS),
    "rolling_minmax": (rolling_minmax, _DAYS),
    "what_sold": (what_sold, (3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 28)),
    "mean_normal": (mean_normal, (-1, -0.5, 0, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3, 4, 5)),
}
"""Each rival with the settings it is tried at, from the barest to the fullest shelf."""
LEVELS_TRIED = (
    0.6, 0.7, 0.8, 0.85, 0.88, 0.9, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97, 0.975,
    0.98, 0.985, 0.99, 0.993, 0.996, 0.998, 0.9995,
)  # fmt: skip
"""Ours, in steps about as fine in fill as the rivals'."""


@dataclass(frozen=True)
class Curve:
    """A rule at rising settings."""

    settings: tuple[float, ...]
    outcomes: tuple[Outcome, ...]

    def at(self, fill: float, name: str = "cover_days") -> float | None:
        """Return a measure at that fill, straight between the settings; None where it is never reached."""
        points = sorted((one.fill, float(getattr(one, name))) for one in self.outcomes)
        fills = np.array([point[0] for point in points])
        # a setting that fills more for less makes the poorer ones pointless
        best = np.minimum.accumulate(np.array([point[1] for point in points])[::-1])[::-1]
        if fill > fills[-1]:
            return None
        return float(np.interp(fill, fills, best))


def curves(history: History, seen: Seen, setting: Setting, levels: Sequence[float] = LEVELS_TRIED) -> dict[str, Curve]:
    """Replay ours, every rival and perfect foresight at all their settings."""
    found = {
        "ours": Curve(
            tuple(levels), tuple(replay(history, ours(history, seen, setting, one), setting) for one in levels)
        )
    }
    for name, (make, tried) in RIVALS.items():
        found[name] = Curve(tried, tuple(replay(history, make(history, setting, one), setting) for one in tried))
    found["perfect"] = Curve((0.0,), (replay(history, perfect(history, setting), setting),))
    return found


def levels_asked(history: History, seen: Seen, setting: Setting, fills: Sequence[float]) -> list[Floats]:
    """Return the service level of each order day with which our rule is to deliver each of these fills (rule 5).

    The warm days, which are not scored, have that of the first scored one.
    """
    tried = [day_by_day(history, ours(history, seen, setting, level), setting) for level in LEVELS_TRIED]
    count, found = len(seen.before), [np.zeros(len(seen.before)) for _ in fills]
    for day in range(WARM_DAYS, count, MEASURE_DAYS):
        past = np.maximum.accumulate([one.fill(day - LOOK_BACK_DAYS, day) for one in tried])
        for levels, fill in zip(found, fills, strict=True):
            levels[0 if day == WARM_DAYS else day :] = np.interp(fill, past, LEVELS_TRIED)
    return found


def compute(loaded: Loaded) -> dict[str, Any]:
    """Replay every way of ordering; money in minor units a day. No database."""
    history, setting = loaded.history, loaded.setting
    seen = look_ahead(history, setting, country=loaded.country)
    found = curves(history, seen, setting)

    def reported(curve: Curve, fill: float) -> dict[str, float | None]:
        names = ("cover_days", "stock_value", "waste_value", "lost_value", "order_lines")
        return {name: curve.at(fill, name) for name in names}

    reached = [max(one.fill for one in found[name].outcomes) for name in ("ours", "rolling_minmax", "mean_normal")]
    fill = min([FILL, *reached])
    return {
        "fill": fill,
        "ways": {name: reported(curve, fill) for name, curve in found.items()},
        "curves": {
            name: [(round(one.fill, 4), round(one.stock_value)) for one in curve.outcomes]
            for name, curve in found.items()
        },
        "products": history.panel.n_series,
        "stores": len({store for store, _ in history.panel.keys}),
        "days": setting.scored_days, "lead_days": setting.lead_days, "review_days": setting.review_days,
    }  # fmt: skip


# --- inside ---


def _life(setting: Setting, n: int) -> Floats:
    """Return each product's shelf life in days; inf for what keeps."""
    given = np.inf if setting.shelf_life_days is None else setting.shelf_life_days
    life = np.broadcast_to(np.asarray(given, dtype=np.float64), (n,))
    return np.where(life > MOST_LIFE_DAYS, np.inf, np.maximum(life, 1.0))


def _minmax(look: Look, least: Floats, setting: Setting) -> Floats:
    packs = np.ceil((2 * least - look.position) / setting.pack_qty)
    return np.where(look.position <= least, packs, 0.0)


def _recent(history: History) -> tuple[Floats, Floats]:
    """Return mean and standard deviation of the RECENT_DAYS before each day, (n, T + 1)."""
    y = history.y
    padded = np.concatenate([np.zeros((len(y), RECENT_DAYS)), y], axis=1)
    mean = window_sums(padded, RECENT_DAYS) / RECENT_DAYS
    square = window_sums(padded**2, RECENT_DAYS) / RECENT_DAYS
    return mean, np.sqrt(np.maximum(square - mean**2, 0.0) * RECENT_DAYS / (RECENT_DAYS - 1))
