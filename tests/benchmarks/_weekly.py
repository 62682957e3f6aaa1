"""Weekly ordering by the product's own modules: levels, lead times, demand until the goods come, order policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from forecasting.fit.levels import first_level
from forecasting.series import kernels
from forecasting.series.panel import Flags, Floats, Ints
from forecasting.series.pools import ratio, sums
from supply.orders.lead_times import LeadTime
from supply.replenishment.policy import PolicyLine, decide_basket, ready

WEEK = 7
FIRST_WEEKS = 4
DISCOUNTS = (0.4, 0.55, 0.7, 0.8, 0.9, 0.95, 0.98)
MIX_WEEKS, MEMORY_WEEKS = 4, 13
YEAR_WEEKS, HALF_YEAR, SEASON_PSEUDO = 52, 26, 400.0
"""A week's factor is its units over those of the year around it, shrunk to its parent's by so many units."""
SPREAD_DISCOUNT, SPREAD_PSEUDO, SPREAD_PRIOR = 0.9, 6.0, 0.1
"""Squared errors fade by the week; before there are any, a week's demand strays by a tenth of it beside chance."""
UNITS_A_PACK = 400.0
"""An order of no more than so many steps: big numbers go in packs."""


class Outlook(NamedTuple):
    """What is expected of the weeks ahead, (n, H): each week's mean, and the variance of the sum up to it."""

    mean: Floats
    variance: Floats


def outlook(y: Floats, horizon: int, season: Floats | None = None, together: Flags | None = None) -> Outlook:
    """Forecast weekly demand from y (n, T), NaN where it was not observed.

    season: (n, T + horizon) factor of each week. together: (n,) series of one retailer, which choose discounts jointly.
    """
    n, weeks = y.shape
    season = np.ones((n, weeks + horizon)) if season is None else season
    past, ahead = season[:, :weeks], season[:, weeks:]
    discounts = np.broadcast_to(np.array(DISCOUNTS)[:, None], (len(DISCOUNTS), n))
    levels, _, _ = kernels.gamma_poisson_levels(y, past, discounts, first_level(y, past, FIRST_WEEKS), 1.0)
    together = np.zeros(n, dtype=np.bool_) if together is None else together
    mix = kernels.mix_weights(y, past, levels, together, ahead_days=min(MIX_WEEKS, weeks), memory_days=MEMORY_WEEKS)
    level = np.einsum("dn,dnt->nt", mix, levels)
    mean = level[:, -1:] * ahead
    return Outlook(mean, _variances(y, level, past, mean))


def seasons(y: Floats, horizon: int, groups: Sequence[Ints]) -> Floats:
    """Return (n, T + horizon) each week's factor, as the same week of the years before: 1 until a year is known.

    A series counts the less, the more it scatters beyond chance around what all sold: its bursts are no season.
    groups: (n,) each series' group, the widest first.
    """
    n, weeks = y.shape
    if weeks <= YEAR_WEEKS:
        return np.ones((n, weeks + horizon))
    seen, at = ~np.isnan(y), np.arange(weeks)
    padded = [np.concatenate([np.zeros((n, 1)), np.cumsum(grid, axis=1)], axis=1) for grid in (np.nan_to_num(y), seen)]
    low, high = np.maximum(at - HALF_YEAR, 0), np.minimum(at + HALF_YEAR + 1, weeks)
    units, days = (grid[:, high] - grid[:, low] for grid in padded)
    sold, usual = np.nan_to_num(y), np.where(seen, units / np.maximum(days, 1), 0.0)
    due = usual * sold.sum(axis=0) / np.maximum(usual.sum(axis=0), 1e-9)
    scatter = ((sold - due) ** 2 - due).sum(axis=1) / np.maximum((due**2).sum(axis=1), 1e-9)
    calm = 1.0 / (1.0 + np.maximum(scatter, 0.0) * usual.mean(axis=1))
    week = np.eye(YEAR_WEEKS)[at % YEAR_WEEKS]
    sold, due = ((calm[:, None] * grid) @ week for grid in (sold, usual))
    factor: Floats = np.ones((n, YEAR_WEEKS))
    for group in (np.zeros(n, dtype=np.int64), *groups):
        factor = ratio(sums(sold, group)[group], sums(due, group)[group], SEASON_PSEUDO, factor)
    return factor[:, np.arange(weeks + horizon) % YEAR_WEEKS]


def _variances(y: Floats, level: Floats, past: Floats, mean: Floats) -> Floats:
    """Return (n, H) the variance of each sum of weeks, as sums of so many weeks strayed from the level known before.

    An error is judged beside what was due or what came, whichever is more: a launch tells nothing of the weeks after.
    """
    n, weeks = y.shape
    seen, whole = ~np.isnan(y), mean.cumsum(axis=1)
    one = np.zeros(n)
    found = np.zeros(mean.shape)
    for h in range(1, mean.shape[1] + 1):
        span = min(h, weeks)
        units, due = kernels.window_sums(np.nan_to_num(y), span), kernels.window_sums(np.where(seen, past, 0.0), span)
        due = due * level[:, : due.shape[1]]
        fade = SPREAD_DISCOUNT ** np.arange(due.shape[1])[::-1]
        due, error = due[:, 1:], ((units - due) ** 2)[:, 1:]
        usual = np.maximum(due, units[:, 1:])
        relative = error / np.maximum(usual + usual**2 * SPREAD_PRIOR**2, 1e-9)
        weight = fade[1:] * (due > 0)
        prior = 1.0 if h == 1 else one
        ratio = ((relative * weight).sum(axis=1) + SPREAD_PSEUDO * prior) / (weight.sum(axis=1) + SPREAD_PSEUDO)
        one = ratio if h == 1 else one
        found[:, h - 1] = ratio * (whole[:, h - 1] + whole[:, h - 1] ** 2 * SPREAD_PRIOR**2)
    return found


class Stand(NamedTuple):
    """One product's stock before an order: units here, units by the weeks until they come, and its lead time."""

    here: float
    coming: dict[int, float]
    lead: LeadTime


def orders(expected: Outlook, stands: Sequence[Stand], levels: Floats) -> Floats:
    """Return the units to order of each product now, for its service level."""
    mean, lines = expected.mean.cumsum(axis=1), []
    for row, one in enumerate(stands):
        weeks = round(one.lead.days / WEEK)
        before = float(mean[row, weeks - 1]) if weeks else 0.0
        whole = float(mean[row, weeks])
        late = (whole / (weeks + 1)) ** 2 * one.lead.variance / WEEK**2
        serves = ready(expected.mean[row, :weeks].tolist(), one.here, one.coming)
        pack = max(1, round(whole / UNITS_A_PACK))
        lines.append(
            PolicyLine(
                str(row), whole, float(expected.variance[row, weeks]) + late, before, WEEK * (weeks + 1.0), WEEK,
                round(one.here + sum(one.coming.values())), pack, 100 * pack, 200, service_level=float(levels[row]),
                ready_qty=serves,
            )
        )  # fmt: skip
    return np.array([one.packs * one.line.pack_qty for one in decide_basket(lines)], dtype=np.float64)
