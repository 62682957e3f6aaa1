"""Would our forecast have been right, and better than the others'? A rolling-origin backtest of a whole history.

Rules
-----
1. At each origin every model sees the days before it, and of the days after it only what was known in advance: offers,
   prices, features, announced closures; weather of the days before alone. Origins lie a horizon apart, or every_days,
   and end with the history.
2. All models get the same quantile layer: negative binomial sums whose variance law a mu + b mu^2 is measured on that
   model's own forecasts from earlier origins, with each series' own factor from its history. WARM_UP origins before the
   first scored one serve only that. Ours is scored with the quantiles a store gets, and beside it with this layer
   (`ours_same_layer`), which alone stands in the ratios.
3. Of a day on which the store was shut it is known that nothing was sold.
4. Everything is averaged over origins; per class (see `classify`, judged at the origin) and in total.
5. A day with an empty shelf enters these measures as what it sold, for its demand is not known: they favour who expects
   little. Days without one are judged apart (`clean_days`: error and bias of a week's sum of them over units), which
   are slow days; so besides as forecast, each model is judged as what its forecast lets expect of days that stay
   clean, by what earlier origins' clean days sold of its forecasts (`censoring` rule 4).
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from forecasting.accuracy import rivals
from forecasting.run import forecast
from forecasting.series.classify import classify
from forecasting.series.external_factors import WEATHER
from forecasting.series.history import History
from forecasting.series.panel import LEVELS, Ahead, DemandPanel, Floats, PanelFault
from forecasting.uncertainty import censoring, evaluate, intervals

WARM_UP = 3
SUM_DAYS = (1, 3, 7)
LEAST_DAYS = 28
OURS = "ours"
SAME_LAYER = "ours_same_layer"


@dataclass(frozen=True)
class Plan:
    """What to run: horizon, number of scored origins, the holidays' country, and which rivals."""

    horizon_days: int = 14
    origins: int = 8
    country: str | None = None
    models: tuple[str, ...] = ()
    """Names of rivals; empty: all that are installed."""
    skip: int = 0
    """Horizons to leave out at the end of the history: another window for judging."""
    every_days: int = 0
    """Days from one origin to the next; 0: a horizon."""

    @property
    def step_days(self) -> int:
        return self.every_days or self.horizon_days


@dataclass
class Score:
    """One model's measures over all origins, per series and origin, before they are averaged."""

    seconds: float = 0.0
    square: dict[int, list[Floats]] = field(default_factory=dict)
    loss: dict[int, list[Floats]] = field(default_factory=dict)
    cover: dict[int, list[Floats]] = field(default_factory=dict)
    within: dict[int, list[Floats]] = field(default_factory=dict)
    said: list[Floats] = field(default_factory=list)
    sold: list[Floats] = field(default_factory=list)
    clean: list[Floats] = field(default_factory=list)


@dataclass(frozen=True)
class _Said:
    """What one model said at an origin: (n, H) means, (n, Q, H) quantiles of their sums, and the law of these."""

    mean: Floats
    sums: Floats
    spread: intervals.Dispersion
    fate: intervals.Fate | None = None


Remember = MutableMapping[str, Floats]


def run(
    history: History,
    plan: Plan,
    *,
    remember: Remember | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    stopwatch: Callable[[], float] = float,
) -> dict[str, Any]:
    """Backtest ours and the rivals; returns plain JSON types, see `_report`.

    remember: keeps rivals' means by "model/origin", so that they are not computed twice; their seconds are then those
    of what was computed in this run. stopwatch: tells seconds of CPU; without one they stay 0.
    """
    origins = origins_of(history.panel.n_days, plan)
    warm = [day for day in _warm(origins, plan) if day >= LEAST_DAYS]
    field_of = {name: rival for name, rival in rivals.installed().items() if not plan.models or name in plan.models}
    scores = {name: Score() for name in (OURS, SAME_LAYER, *field_of)}
    pairs: dict[str, list[tuple[Floats, Floats]]] = {name: [] for name in scores}
    kinds, heavy = [], []
    empties = history.panel.out_of_stock is not None and bool(history.panel.out_of_stock.any())
    for step, origin in enumerate([*warm, *origins]):
        past, ahead, actual = _cut(history, origin, plan.horizon_days)
        means: dict[str, Floats] = {}
        began = stopwatch()
        said = forecast(past, horizon_days=plan.horizon_days, ahead=ahead, country=plan.country)
        assert said.spread is not None
        factor = said.spread.factor
        scores[OURS].seconds += stopwatch() - began
        means[OURS] = means[SAME_LAYER] = said.mean
        for name, rival in field_of.items():
            if progress:
                progress(name, step, len(warm) + len(origins))
            key = f"{name}/{origin}"
            if remember is None or key not in remember:
                began = stopwatch()
                mean = rival(past, plan.horizon_days, ahead)
                scores[name].seconds += stopwatch() - began
                if remember is not None:
                    remember[key] = mean
            means[name] = _shut(mean if remember is None else remember[key], ahead)
        if step >= len(warm):
            kinds.append(np.array(classify(past.y)))
            heavy.append(evaluate.weights(past.y, past.price))
            for name, mean in means.items():
                ours = _Said(mean, said.cumulative, said.spread, said.fate)
                one = ours if name == OURS else _same_layer(mean, pairs[name], factor, past)
                _note(scores[name], one, actual, past.y)
                if empties:
                    reported = [
                        (day, earlier) for day, (earlier, _) in zip([*warm, *origins], pairs[name], strict=False)
                    ]
                    scores[name].clean.append(_clean(history.panel, reported, origin, mean))
        for name, mean in means.items():
            pairs[name].append((mean, actual))
    return _report(scores, kinds, heavy, plan, history, origins)


def origins_of(n_days: int, plan: Plan) -> list[int]:
    """Return the scored origins, days counted from the first; PanelFault when the history is too short for any."""
    spared = plan.horizon_days * (1 + plan.skip)
    last = n_days - spared
    if last < LEAST_DAYS:
        wanted = f"at least {LEAST_DAYS + spared} days for a horizon of {plan.horizon_days} days"
        raise PanelFault("short", wanted, f"{n_days} {'day' if n_days == 1 else 'days'}")
    first = last - plan.step_days * (plan.origins - 1)
    return [day for day in range(first, last + 1, plan.step_days) if day >= LEAST_DAYS]


def _same_layer(mean: Floats, pairs: Sequence[tuple[Floats, Floats]], factor: Floats, past: DemandPanel) -> _Said:
    """Give a mean the quantiles of the layer all models share (rule 2)."""
    spread = intervals.law_of_pairs(pairs, factor) if pairs else replace(_by_naive(past, mean.shape[1]), factor=factor)
    return _Said(mean, intervals.quantiles(mean, spread, LEVELS)[1], spread)


def _by_naive(past: DemandPanel, horizon_days: int) -> intervals.Dispersion:
    """Measure a first law on the 28-day mean, where no earlier origin can tell more."""
    n, days = past.y.shape
    levels = np.zeros((n, days + 1))
    for day in range(1, days + 1):
        levels[:, day] = np.nan_to_num(evaluate.row_mean(past.y[:, max(0, day - 28) : day]))
    return intervals.fit_dispersion(past.y, levels, np.ones_like(past.y), horizon_days)


def _warm(origins: list[int], plan: Plan) -> list[int]:
    return [origins[0] - plan.step_days * back for back in range(WARM_UP, 0, -1)]


def _cut(history: History, origin: int, horizon_days: int) -> tuple[DemandPanel, Ahead, Floats]:
    """Return what is known at an origin, what is known of the days ahead, and what they brought (rules 1 and 3)."""
    panel, last = history.panel, origin + horizon_days
    ahead = replace(panel.ahead(origin, last), closed=history.closed[:, origin:last])
    planned = {name: grid for name, grid in ahead.features.items() if name not in WEATHER}
    ahead = replace(ahead, features=planned)
    actual = np.where(history.shut[:, origin:last], 0.0, panel.y[:, origin:last])
    return panel.between(0, origin), ahead, actual


def _shut(mean: Floats, ahead: Ahead) -> Floats:
    return mean if ahead.closed is None else np.where(ahead.closed, 0.0, mean)


def _note(score: Score, said: _Said, actual: Floats, past: Floats) -> None:
    horizon = actual.shape[1]
    for days in sorted({min(7, horizon), horizon}):
        errors = evaluate.squared_errors(said.mean[:, :days], actual[:, :days], past)
        score.square.setdefault(days, []).append(errors)
    total = np.cumsum(actual, axis=1)
    below, upto = (intervals.chances(total - less, said.mean, said.spread, said.fate) for less in (1.0, 0.0))
    for days in SUM_DAYS:
        if days <= horizon:
            at, sums = days - 1, said.sums[:, :, days - 1]
            score.loss.setdefault(days, []).append(evaluate.pinball(sums, actual[:, :days], past, LEVELS))
            score.cover.setdefault(days, []).append(evaluate.covered(sums, total[:, at]))
            inside = evaluate.covered_within(sums, total[:, at], below[:, at], upto[:, at], LEVELS)
            score.within.setdefault(days, []).append(inside)
    seen = ~np.isnan(actual)
    score.said.append(np.where(seen, said.mean, 0.0).sum(axis=1))
    score.sold.append(np.where(seen, actual, 0.0).sum(axis=1))


def _clean(panel: DemandPanel, reported: Sequence[tuple[int, Floats]], origin: int, mean: Floats) -> Floats:
    """Return (3, n) of the week's days without an empty shelf: forecast, expected of such days, and sold (rule 5).

    told: earlier origins and what was said there.
    """
    assert panel.out_of_stock is not None
    first = reported[0][0] if reported else origin
    said = np.full((panel.n_series, origin - first), np.nan)
    for start, earlier in reported:
        until = min(start + earlier.shape[1], origin)
        said[:, start - first : until - first] = earlier[:, : until - start]
    sold = np.where(np.isnan(said), np.nan, panel.y[:, first:origin])
    part = censoring.clean_part(said, sold, panel.out_of_stock[:, first:origin])
    week = slice(origin, origin + min(7, mean.shape[1]))
    clean = ~panel.out_of_stock[:, week] & ~np.isnan(panel.y[:, week])
    due, came = (np.where(clean, grid, 0.0).sum(axis=1) for grid in (mean[:, :7], panel.y[:, week]))
    return np.array([due, due * part, came])


def _report(
    scores: dict[str, Score], kinds: list[Any], heavy: list[Floats], plan: Plan, history: History, origins: list[int]
) -> dict[str, Any]:
    """Return {"settings", "models": {name: measures, "classes": {...}}, "ratios": {rival: {measure: ours / rival}}}."""
    names = sorted({str(name) for kind in kinds for name in kind})
    models: dict[str, Any] = {}
    for name, score in scores.items():
        everything = [np.ones(len(kind), dtype=np.bool_) for kind in kinds]
        models[name] = _measures(score, everything, heavy) | {"seconds": round(score.seconds, 3)}
        models[name]["classes"] = {
            kind: _measures(score, [known == kind for known in kinds], heavy)
            | {"series": round(float(np.mean([(known == kind).sum() for known in kinds])), 1)}
            for kind in names
        }
    ours = models[SAME_LAYER]
    ratios = {
        name: {
            key: round(ours[key] / value, 4)
            for key, value in measures.items()
            if key.startswith(("wrmsse", "pinball")) and value
        }
        for name, measures in models.items()
        if name not in (OURS, SAME_LAYER)
    }
    panel = history.panel
    settings = {
        "series": panel.n_series, "days": panel.n_days, "first_day": panel.first_day.isoformat(),
        "horizon_days": plan.horizon_days, "origins": len(origins), "every_days": plan.step_days,
        "skipped": plan.skip, "country": plan.country,
        "levels": list(LEVELS), "features": list(panel.features), "not_known_in_advance": list(history.weather),
        "negative_rows": history.negative,
    }  # fmt: skip
    return {"settings": settings, "models": models, "ratios": ratios}


def _measures(score: Score, use: list[Any], heavy: list[Floats]) -> dict[str, Any]:
    """Average one model's measures over the series in `use` and all origins."""

    def mean(values: list[float]) -> float | None:
        finite = [value for value in values if np.isfinite(value)]
        return round(float(np.mean(finite)), 5) if finite else None

    found: dict[str, Any] = {}
    for days, rounds in score.square.items():
        each = [evaluate.weighted(e[u], w[u]) for e, u, w in zip(rounds, use, heavy, strict=True)]
        found[f"wrmsse{days}"] = mean(each)
    for days, losses in score.loss.items():
        each = [float(evaluate.row_mean(x[u][None])[0]) for x, u in zip(losses, use, strict=True)]
        found[f"pinball{days}"] = mean(each)
    for measure, routes_of in (("coverage", score.cover), ("coverage_within", score.within)):
        for days, covers in routes_of.items():
            pooled = np.concatenate([c[u] for c, u in zip(covers, use, strict=True)])
            shares = evaluate.row_mean(pooled.T) if len(pooled) else np.full(len(LEVELS), np.nan)
            found[f"{measure}{days}"] = {
                f"{level:g}": round(float(share), 4)
                for level, share in zip(LEVELS, shares, strict=True)
                if np.isfinite(share)
            }
    said = sum(float(s[u].sum()) for s, u in zip(score.said, use, strict=True))
    sold = sum(float(s[u].sum()) for s, u in zip(score.sold, use, strict=True))
    found["bias"] = round(said / sold - 1.0, 5) if sold else None
    if score.clean:
        found["clean_days"] = _clean_days(
            np.concatenate([c[:, u] for c, u in zip(score.clean, use, strict=True)], axis=1)
        )
    return found


def _clean_days(sums: Floats) -> dict[str, float | None]:
    """Return error and bias over units, as forecast and as expected of clean days, of what `_clean` found."""
    said, given, sold = sums
    units = float(sold.sum())

    def over(gap: Floats) -> float | None:
        return round(float(gap.sum()) / units, 5) if units else None

    return {
        "error": over(np.abs(said - sold)), "bias": over(said - sold),
        "error_given_clean": over(np.abs(given - sold)), "bias_given_clean": over(given - sold),
    }  # fmt: skip
