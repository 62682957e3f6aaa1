"""What a public holiday, its eve and the day after it do to the trade, beyond the weekday.

Rules
-----
1. A holiday is more like a Sunday than like the weekday it falls on, its eve more like a Saturday where that sells
   more: how far (`likeness`, 0..1) is learnt from all occasions of the panel and is 0 until they tell. What an event
   does beyond that is its own factor, so that a feast of fixed date keeps it when it falls on another weekday.
2. An event comes once a year, and one year is not like another: its factor is drawn towards those of its kind
   (`pulls`), the more so the more the same event differed between years against the events of its kind.
3. An event on which a store, or every store, was shut is a hard zero.
4. A holiday that nobody saw yet is expected to sell as those that were seen (ANY_HOLIDAY), closures among them, with
   one that was like no holiday at all; Christmas Day half of that, for on it most stores are shut.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from forecasting.series.panel import Flags, Floats, Ints
from forecasting.series.pools import Pools, ratio

if TYPE_CHECKING:
    from forecasting.fit.effects import Days

EVENT_PSEUDO = 30.0
CLOSED_BELOW = 0.03
LEAST_DUE = 5.0
LIKE_RIDGE = 0.2
YEARS_PRIOR, YEARS_SCATTER = 4.0, 0.01
HOLIDAY, EVE, AFTER, SEASON = 0, 1, 2, 3
ANY_HOLIDAY = "any holiday"
CHRISTMAS, CHRISTMAS_OPEN = "Christmas Day", 0.5


def kind_of(code: str) -> int:
    """Return HOLIDAY, EVE, AFTER or SEASON of an event's code (see `calendar`)."""
    before = code.partition(": ")[0]
    return {"eve": EVE, "after": AFTER, "season": SEASON}.get(before, HOLIDAY)


def event_days(days: Days) -> dict[str, Ints]:
    """Return each event's days; ordinary ones have none."""
    found: dict[str, list[int]] = {}
    for at, code in enumerate(days.events):
        if code:
            found.setdefault(code, []).append(at)
    return {code: np.array(at, dtype=np.int64) for code, at in sorted(found.items())}


def expected(code: str, factors: Mapping[str, Floats], series: int) -> Floats:
    """Return (series,) an event's factor; of one that is not among these factors what rule 4 says."""
    if code in factors:
        return factors[code]
    usual = np.ones(series)
    if kind_of(code) == HOLIDAY:
        usual = factors.get(ANY_HOLIDAY, usual)
    return usual * CHRISTMAS_OPEN if code == CHRISTMAS else usual


def borrow_weekdays(grid: Floats, days: Days, profile: Floats, like: Floats) -> None:
    """Multiply the events' days of a grid (n, T) of factors by what they take over from the weekday they are like.

    profile : (n, 7) weekday factors    like : (n, 2) likeness of holidays and of eves (rule 1)
    """
    for kind in (HOLIDAY, EVE):
        at = _days_of_kind(days, kind)
        if len(at) and like[:, kind].any():
            taken = _model_day(profile, kind) ** like[:, [kind]]
            grid[:, at] *= taken[:, days.weekday[at]]


def likeness(units: Floats, wanted: Floats, profile: Floats, days: Days) -> Floats:
    """Return (n, 2): how far the panel's holidays are like Sundays, and eves like Saturdays; one answer for all series.

    units, wanted : (n, T) weighted sales, and what the weekday's own factor let expect
    """
    like = np.zeros((len(units), 2))
    for kind in (HOLIDAY, EVE):
        at = _days_of_kind(days, kind)
        weekday = days.weekday[at]
        trades = (profile[:, [6 - kind]] > 0) & (profile[:, weekday] > 0)
        expected = np.where(trades, wanted[:, at], 0.0)
        own, due = np.where(trades, units[:, at], 0.0).sum(axis=0), expected.sum(axis=0)
        moved = (expected * _model_day(profile, kind)[:, weekday]).sum(axis=0)
        reported = (due > LEAST_DUE) & (own > CLOSED_BELOW * due)
        if reported.sum() > 2:
            x, y = np.log(moved[reported] / due[reported]), np.clip(np.log(own[reported] / due[reported]), -1.5, 1.5)
            x, y = x - x.mean(), y - y.mean()
            like[:, kind] = np.clip(x @ y / (x @ x + LIKE_RIDGE), 0.0, 1.0)
    return like


def fit_events(
    units: Floats, wanted: Floats, seen: Flags, days: Days, pools: Pools, prior: Mapping[str, Floats]
) -> dict[str, Floats]:
    """Return each event's factor of each series; those of `prior` for what did not occur, and as parents.

    Beside them that of ANY_HOLIDAY, once one was seen (rule 4).
    """
    anyone = np.asarray(seen.any(axis=0), dtype=np.bool_)
    factors, pull = dict(prior), pulls(units, wanted, days)
    for code, at in event_days(days).items():
        parent = prior.get(code)
        if not anyone[at].any():
            if _traded_around(anyone, at):
                factors[code] = np.zeros(len(units))
            continue
        own, due = units[:, at].sum(axis=1), wanted[:, at].sum(axis=1)
        nearer = 1.0
        if parent is None:
            whole = ratio(own.sum(), due.sum(), EVENT_PSEUDO / 3, 1.0)
            parent = pools.parent(own[:, None], due[:, None], EVENT_PSEUDO, np.array([whole]))[:, 0]
            nearer = pull.get(code, 1.0)
        else:
            parent = ratio(pools.of_store(own), pools.of_store(due), EVENT_PSEUDO, parent)
        store_own, store_due = pools.of_store(own), pools.of_store(due)
        closed = (store_due > 2.0) & (store_own < CLOSED_BELOW * store_due)
        factors[code] = np.where(closed, 0.0, np.clip(ratio(own, due, EVENT_PSEUDO, parent) * nearer, 0.0, 20.0))
    reported = _any_holiday(units, wanted, days, pools, prior.get(ANY_HOLIDAY))
    return factors if reported is None else factors | {ANY_HOLIDAY: reported}


def _any_holiday(units: Floats, wanted: Floats, days: Days, pools: Pools, prior: Floats | None) -> Floats | None:
    """Return (n,) what a holiday that nobody saw is expected to sell (rule 4); None while none was seen."""
    at = _days_of_kind(days, HOLIDAY)
    names = {days.events[day] for day in at[(wanted[:, at] > 0).any(axis=0)]}
    if not names:
        return None
    own, due = units[:, at].sum(axis=1), wanted[:, at].sum(axis=1)
    if prior is not None:
        parent = ratio(pools.of_store(own), pools.of_store(due), EVENT_PSEUDO, prior)
        return np.asarray(ratio(own, due, EVENT_PSEUDO, parent))
    whole = ratio(own.sum(), due.sum(), EVENT_PSEUDO / 3, 1.0)
    parent = pools.parent(own[:, None], due[:, None], EVENT_PSEUDO, np.array([whole]))[:, 0]
    usual = ratio(own, due, EVENT_PSEUDO, parent)
    return np.asarray((len(names) * usual + 1.0) / (len(names) + 1.0))


def pulls(units: Floats, wanted: Floats, days: Days) -> dict[str, float]:
    """Return for each event the factor that brings its own nearer to those of its kind (rule 2), after Stein.

    Of two or more events of a kind that were traded on; the others are left as they are.
    """
    reported: dict[str, Floats] = {}
    sold, expected = units.sum(axis=0), wanted.sum(axis=0)
    for code, at in event_days(days).items():
        own, due = sold[at], expected[at]
        traded = (due > LEAST_DUE) & (own > CLOSED_BELOW * due)
        if traded.any():
            reported[code] = np.clip(np.log(own[traded] / due[traded]), -2.0, 2.0)
    within = sum(float(((logs - logs.mean()) ** 2).sum()) for logs in reported.values())
    freedom = sum(len(logs) - 1 for logs in reported.values())
    scatter = (within + YEARS_PRIOR * YEARS_SCATTER) / (freedom + YEARS_PRIOR)
    found: dict[str, float] = {}
    for kind in (HOLIDAY, EVE, AFTER):
        codes = [code for code in reported if kind_of(code) == kind]
        if len(codes) < 2:
            continue
        mean = np.array([reported[code].mean() for code in codes])
        noise = scatter / np.array([len(reported[code]) for code in codes])
        centre = mean.sum() / (len(mean) + 1.0)
        apart = max(((mean - centre) ** 2).mean() - noise.mean(), 0.1 * scatter)
        nearer = np.exp((centre - mean) * noise / (noise + apart))
        found.update(zip(codes, nearer.tolist(), strict=True))
    return found


def _days_of_kind(days: Days, kind: int) -> Ints:
    return np.array([at for at, code in enumerate(days.events) if code and kind_of(code) == kind], dtype=np.int64)


def _model_day(profile: Floats, kind: int) -> Floats:
    """Return (n, 7) Sunday's (of eves Saturday's, at least 1) factor over each weekday's; 1 where one of them is 0."""
    wanted = profile[:, [6 - kind]]
    both = (wanted > 0) & (profile > 0)
    least = 1.0 if kind == EVE else 0.2
    return np.where(both, np.clip(wanted / np.where(both, profile, 1.0), least, 5.0), 1.0)


def _traded_around(anyone: Flags, when: Ints) -> bool:
    """Tell whether the store was observed on most of the six days around each of these days."""
    for day in when:
        around = np.concatenate([anyone[max(day - 3, 0) : day], anyone[day + 1 : day + 4]])
        if len(around) < 3 or around.mean() < 0.5:
            return False
    return True
