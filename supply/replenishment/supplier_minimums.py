"""What suppliers' minimums and the money there is leave of what is wanted, in many futures at once. PURE.

Rules
-----
1. In each future it is decided as `decide` decides of proposals, each product at one supplier: the packs worth most
   of the money come (`policy`, rule 6), a basket below its supplier's minimum is filled or waits (rule 7), and of those
   that wait the one farthest from its minimum gives its money to the others, which are decided again.
2. So much money is in one purse, and it pays for some baskets; without money nothing is bounded but by the minimums.

Letters: n lines, m futures. A step is the packs of a line that come or go together: first its minimum, then each alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from forecasting.series.panel import Floats
from supply.demand.lead_time_demand import Demand, Mask

MOST_FILLED = 60
"""At most so many packs are added to a line to reach a supplier's minimum."""
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Basket:
    """What is wanted of one supplier.

    packs, position, most: (n, m) packs that are wanted, units that count, packs that may come. Of each line, (n, 1):
    demand, pack_qty, minimum_packs, pack_cost_minor, and what a unit too few (under) or too many (over) costs.
    """

    packs: Floats
    position: Floats
    most: Floats
    demand: Demand
    pack_qty: Floats
    minimum_packs: Floats
    pack_cost_minor: Floats
    under: Floats
    over: Floats

    @property
    def cost(self) -> Floats:
        """What the packs cost in each future, (m,) minor units."""
        return np.asarray((self.packs * self.pack_cost_minor).sum(axis=0))

    def of(self, futures: Any) -> "Basket":
        """Return it in these futures alone."""
        reported = {name: getattr(self, name)[:, futures] for name in ("packs", "position", "most")}
        return replace(self, **reported)

    def gain(self, rows: Ints, futures: Ints, before: Floats, packs: Floats) -> Floats:
        """Return what so many packs on top of `before` bring, of one line in one future each, in minor units."""
        pack = self.pack_qty[rows, 0]
        units = self.position[rows, futures] + before * pack
        demand = Demand(self.demand.mean[rows, 0], self.demand.variance[rows, 0])
        sold = demand.lost(units) - demand.lost(units + packs * pack)
        return np.asarray(self.under[rows, 0] * sold - self.over[rows, 0] * (packs * pack - sold))


def joined(parts: Sequence[Basket]) -> Basket:
    """Return baskets of the same futures as one, their lines in order."""
    if len(parts) == 1:
        return parts[0]
    arrays = {
        name: np.concatenate([getattr(one, name) for one in parts])
        for name in Basket.__annotations__
        if name != "demand"
    }
    demand = Demand(*(np.concatenate([getattr(one.demand, name) for one in parts]) for name in ("mean", "variance")))
    return Basket(demand=demand, **arrays)


def within_limits(
    baskets: Sequence[Basket], minimums: Sequence[int], left: Floats | None = None, pays: Sequence[bool] = ()
) -> list[Floats]:
    """Return (n, m) packs that come of each basket (rules 1, 2).

    minimums: each supplier's, in minor units; left: (m,) what is in the purse, None where money does not limit; pays:
    whether it pays for each basket.
    """
    found = [one.packs.copy() for one in baskets]
    pays = pays if left is not None else [False] * len(baskets)
    gives = np.zeros((len(baskets), baskets[0].packs.shape[1] if baskets else 0), dtype=np.bool_)
    todo = np.arange(gives.shape[1])
    while todo.size:
        there = [
            replace(part, packs=np.where(given_up[todo], 0.0, part.packs))
            for part, given_up in ((one.of(todo), given) for one, given in zip(baskets, gives, strict=True))
        ]
        decided = _decided(there, minimums, None if left is None else np.maximum(left[todo], 0.0), pays)
        for packs, come in zip(found, decided.packs, strict=True):
            packs[:, todo] = come
        again = decided.bound & np.isfinite(decided.reached).any(axis=0)
        gives[decided.reached[:, again].argmin(axis=0), todo[again]] = True
        todo = todo[again]
    return found


# --- inside ---


class _Decided(NamedTuple):
    """packs: of each basket. reached: (baskets, m) share of its minimum of one that waits, else inf; bound: (m,)."""

    packs: list[Floats]
    reached: Floats
    bound: Mask


def _decided(baskets: Sequence[Basket], minimums: Sequence[int], left: Floats | None, pays: Sequence[bool]) -> _Decided:
    """Decide on baskets; bound: whether money kept something from coming."""
    baskets, m = list(baskets), baskets[0].packs.shape[1]
    bound, reached = np.zeros(m, dtype=np.bool_), np.full((len(baskets), m), np.inf)
    paid = [n for n, one in enumerate(pays) if one]
    if left is not None and paid:
        whole = joined([baskets[n] for n in paid])
        bound = whole.cost > left
        if bound.any():
            packs = whole.packs.copy()
            packs[:, bound] = _cut(whole.of(bound), left[bound])
            parts = np.split(packs, np.cumsum([len(baskets[n].packs) for n in paid])[:-1])
            for n, part in zip(paid, parts, strict=True):
                baskets[n] = replace(baskets[n], packs=part)
    spare = np.full(m, np.inf) if left is None else left - sum(baskets[n].cost for n in paid)
    for n, (one, minimum) in enumerate(zip(baskets, minimums, strict=True)):
        total = one.cost
        below = np.flatnonzero((total > 0) & (total < minimum))
        if not below.size:
            continue
        some = one.of(below)
        added, costs, minor = _filled(some, minimum - total[below])
        cheaper = costs <= _waiting(some)
        fits = minor <= spare[below] if pays[n] else np.ones_like(cheaper)
        come = cheaper & fits
        packs = one.packs.copy()
        packs[:, below] = np.where(come, some.packs + added, 0.0)
        baskets[n] = replace(one, packs=packs)
        if pays[n]:
            spare[below] -= np.where(come, minor, 0.0)
            bound[below] |= ~fits
        reached[n, below] = np.where(come, np.inf, total[below] / minimum)
    return _Decided([one.packs for one in baskets], reached, bound)


def _waiting(basket: Basket) -> Floats:
    """Return what is lost in each future where all packs wait."""
    futures, rows = np.nonzero(basket.packs.T)
    gain = basket.gain(rows, futures, np.zeros(len(rows)), basket.packs[rows, futures])
    return _summed(futures, np.maximum(gain, 0.0), basket.packs.shape[1])


def _cut(basket: Basket, left: Floats) -> Floats:
    """Return the packs the money pays for, those worth most of it first; one that does not fit ends its line."""
    kept, over = np.zeros_like(basket.packs), basket.cost - left
    few = over < left  # what goes is less than what stays: look from the other end
    for some, sign in ((few, -1.0), (~few, 1.0)):
        part = basket.of(some)
        none = np.zeros_like(part.packs)
        steps = _best(part, none, part.packs, over[some] if sign < 0 else left[some], worst=sign < 0)
        packs = none if sign > 0 else part.packs.copy()
        np.add.at(packs, (steps.rows, steps.futures), sign * steps.packs)
        kept[:, some] = packs
    left = left - (kept * basket.pack_cost_minor).sum(axis=0)
    steps = _small(basket, kept, left)
    steps = steps.take(np.lexsort((steps.rows, steps.before, steps.a_minor, steps.futures)))
    place = _place(steps.futures)
    rows, minor, packs = (
        np.zeros((int(place.max(initial=-1)) + 1, len(left)), kind) for kind in (np.int64, float, float)
    )
    minor[:] = np.nan  # no step: it never fits, and ends nothing
    for table, column in ((rows, steps.rows), (minor, steps.minor), (packs, steps.packs)):
        table[place, steps.futures] = column
    ended, futures = np.zeros(kept.shape, dtype=np.bool_), np.arange(len(left))
    for row, cost, step in zip(rows, minor, packs, strict=True):
        fits = ~ended[row, futures] & (cost <= left)
        kept[row, futures] += np.where(fits, step, 0.0)
        left -= np.where(fits, cost, 0.0)
        ended[row, futures] |= ~fits & ~np.isnan(cost)
    return kept


def _filled(basket: Basket, missing: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the packs that reach the minimums at least cost, what they cost, inf where none do, and their money."""
    packs, cost = basket.packs, np.maximum(basket.pack_cost_minor, 1.0)
    most = np.maximum(np.minimum(np.ceil(missing / cost), MOST_FILLED), np.where(packs == 0, basket.minimum_packs, 0.0))
    goal = np.minimum(packs + most, basket.most)
    goal = np.where((basket.demand.mean > 0) & (basket.pack_cost_minor > 0), goal, packs)
    goal = np.where((packs == 0) & (goal < basket.minimum_packs), packs, goal)
    taken = _best(basket, packs, goal, missing, reach=True)
    added = np.zeros_like(packs)
    np.add.at(added, (taken.rows, taken.futures), taken.packs)
    minor = _summed(taken.futures, taken.minor, len(missing))
    costs = _summed(taken.futures, taken.a_minor * taken.minor, len(missing))
    return added, np.where(minor >= missing, costs, np.inf), minor


def _best(
    basket: Basket, have: Floats, goal: Floats, money: Floats, *, reach: bool = False, worst: bool = False
) -> "_Steps":
    """Return the steps from `have` to `goal` that cost least of their money, until the first that passes `money`.

    worst: those that cost most of it, of each line the last one first. Either that and reach: until `money` is reached.
    A line's next step never costs less of its money than the one before: so only beside a step that is taken the next
    ones are looked at, ever more at once.
    """
    futures, rows = np.nonzero((goal > have).T)
    before, end = have[rows, futures], goal[rows, futures]
    first = np.where(before == 0, np.minimum(end, basket.minimum_packs[rows, 0]), 1.0)
    count = (1 + end - before - first).astype(np.int64)

    def seen(line: Ints, at: Ints) -> _Steps:
        n = count[line] - 1 - at if worst else at
        on_top = before[line] + np.where(n == 0, 0.0, first[line] + n - 1)
        steps = _priced(basket, rows[line], futures[line], on_top, np.where(n == 0, first[line], 1.0))
        return steps._replace(a_minor=-steps.a_minor) if worst else steps

    line, at, many = np.arange(len(rows)), np.zeros(len(rows), dtype=np.int64), 1
    taken = seen(line, at)
    reach = reach or worst
    cheap = np.flatnonzero(_cheap(taken, money))
    taken, line, at = taken.take(cheap), line[cheap], at[cheap]
    last = np.ones(len(line), dtype=np.bool_)
    while True:
        order = np.lexsort((taken.rows, -taken.before if worst else taken.before, taken.a_minor, taken.futures))
        taken, line, at, last = taken.take(order), line[order], at[order], last[order]
        so_far = _sum_before(taken.futures, taken.minor)
        # the step that passes stays as long as others may come before it: none after it comes
        reached = so_far < money[taken.futures]
        taken, line, at, last, so_far = taken.take(reached), line[reached], at[reached], last[reached], so_far[reached]
        fits = np.ones_like(last) if reach else so_far + taken.minor <= money[taken.futures]
        more = np.flatnonzero(last & fits & (at + 1 < count[line]))
        if not more.size:
            return taken.take(np.flatnonzero(fits))
        counts = np.minimum(count[line[more]] - at[more] - 1, many)
        nth = _counted(counts)
        lines, ats = np.repeat(line[more], counts), np.repeat(at[more] + 1, counts) + nth
        taken = _Steps(*(np.concatenate(both) for both in zip(taken, seen(lines, ats), strict=True)))
        last = np.concatenate([np.zeros_like(last), nth == np.repeat(counts, counts) - 1])
        line, at, many = np.concatenate([line, lines]), np.concatenate([at, ats]), 2 * many


def _cheap(steps: "_Steps", money: Floats) -> Mask:
    """Tell which of single steps, future by future, could come before the money is passed."""
    place = _place(steps.futures)
    cost, minor = (np.full((len(money), int(place.max(initial=-1)) + 1), fill) for fill in (np.inf, 0.0))
    cost[steps.futures, place], minor[steps.futures, place] = steps.a_minor, steps.minor
    order = cost.argsort(axis=1)
    cost, minor = np.take_along_axis(cost, order, 1), np.take_along_axis(minor, order, 1)
    reached = np.cumsum(minor, axis=1) - minor < money[:, None]
    dearest = np.max(cost, axis=1, where=reached & np.isfinite(cost), initial=-np.inf)
    return np.asarray(steps.a_minor <= dearest[steps.futures])


def _small(basket: Basket, have: Floats, left: Floats) -> "_Steps":
    """Return the steps from `have` to the packs that are wanted which `left` could pay for, future by future."""
    step = np.where(have == 0, np.minimum(basket.packs, basket.minimum_packs), 1.0)
    futures, rows = np.nonzero(((basket.packs > have) & (step * basket.pack_cost_minor <= left)).T)
    first, before = step[rows, futures], have[rows, futures]
    more = (left[futures] - first * basket.pack_cost_minor[rows, 0]) // np.maximum(
        basket.pack_cost_minor[rows, 0], 1e-9
    )
    count = 1 + np.minimum(more, basket.packs[rows, futures] - before - first).astype(np.int64)
    at = _counted(count)
    futures, rows = np.repeat(futures, count), np.repeat(rows, count)
    first, before = np.repeat(first, count), np.repeat(before, count)
    packs = np.where(at == 0, first, 1.0)
    return _priced(basket, rows, futures, np.where(at == 0, before, before + first + at - 1), packs)


class _Steps(NamedTuple):
    """Single steps, each of a line in a future: packs before it, its packs, their money, what a unit of it costs."""

    rows: Ints
    futures: Ints
    before: Floats
    packs: Floats
    minor: Floats
    a_minor: Floats

    def take(self, which: Any) -> "_Steps":
        return _Steps(*(column[which] for column in self))


def _priced(basket: Basket, rows: Ints, futures: Ints, before: Floats, packs: Floats) -> _Steps:
    minor = packs * basket.pack_cost_minor[rows, 0]
    cost = -basket.gain(rows, futures, before, packs)
    return _Steps(rows, futures, before, packs, minor, cost / np.maximum(minor, 1e-9))


def _counted(counts: Ints) -> Ints:
    """Return 0, 1, 2 ... for each of these counts, one after another."""
    return np.asarray(np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts))


def _place(groups: Ints) -> Ints:
    """Return the place of each in its group; groups: sorted."""
    at = np.arange(len(groups))
    begins = np.r_[True, groups[1:] != groups[:-1]] if len(groups) else np.zeros(0, dtype=np.bool_)
    return np.asarray(at - np.maximum.accumulate(np.where(begins, at, 0)))


def _summed(groups: Ints, figures: Floats, count: int) -> Floats:
    """Return the sum of each group."""
    return np.asarray(np.bincount(groups, figures, minlength=count), dtype=np.float64)


def _sum_before(groups: Ints, figures: Floats) -> Floats:
    """Return the sum of those before each in its group; groups: sorted."""
    so_far = np.cumsum(figures) - figures
    return np.asarray(so_far - so_far[np.arange(len(groups)) - _place(groups)])
