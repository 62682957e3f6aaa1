"""How the coming weeks may go: a shop's own orders, played on many futures drawn from its forecast. PURE.

Rules
-----
1. A day goes as in `simulate`, rule 1: the van comes, then it is ordered where the supplier takes orders, then
   customers come, and who finds nothing leaves. Goods age and are wasted as `ageing` says.
2. It is ordered by the rule of the proposals (`policy.wanted_packs`), from the stock of that future and what is on its
   way there. The forecast stays today's. Neither money nor a supplier's minimum limits, and each product comes of the
   supplier that serves it best today.
3. Every service level meets the same futures: what differs between two is the level's doing.
4. Nothing is lost sight of: start + received = sold + wasted + left, and lost = wanted - sold.

Letters: n products, m futures, D days played; the days are counted from today, 0. Units in float64, whole ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from forecasting.intervals import Dispersion
from forecasting.panel import Floats
from supply.ageing import Shelves
from supply.policy import OrderPolicy, PolicyLine, Stands, wanted_packs

WEEK_DAYS = 7


@dataclass(frozen=True)
class Round:
    """An order's days: when it is placed, comes, and when the one after it comes."""

    order: int
    delivery: int
    next_delivery: int


@dataclass(frozen=True)
class Goods:
    """Products that come of one supplier, by its rounds.

    lines: as they are ordered today. daily: (n, H) mean demand, today's what is left of it, until the last round's next
    delivery; spread: its law. today_left: share of today that is still to come. here: (n,) units; lots: those of `here`
    that do not live as long as what comes now, as (row, units, days left after today). coming: units on the way by the
    day they come, (n,) each. slack: variance of the supplier's lead time.
    """

    lines: Sequence[PolicyLine]
    rounds: Sequence[Round]
    daily: Floats
    spread: Dispersion
    today_left: float
    here: Floats
    lots: Sequence[tuple[int, float, int]]
    coming: dict[int, Floats]
    slack: float = 0.0

    @property
    def cost(self) -> Floats:
        """What a unit costs, (n, 1) minor units."""
        return np.array([[line.pack_cost_minor / line.pack_qty] for line in self.lines])

    @property
    def price(self) -> Floats:
        """What a unit brings, (n, 1) minor units."""
        return np.array([[line.price_minor / line.price_quantity] for line in self.lines])


@dataclass(frozen=True)
class Played:
    """Units of each product in each future, (n, m). stock: a day's, halfway between opening and closing."""

    start: Floats
    received: Floats
    wanted: Floats
    sold: Floats
    wasted: Floats
    left: Floats
    stock: Floats

    @property
    def lost(self) -> Floats:
        """Units that were wanted in vain."""
        return self.wanted - self.sold


def play(goods: Goods, wanted: Floats, policies: Sequence[OrderPolicy]) -> list[Played]:
    """Play (n, m, D) units wanted under each of these policies."""
    lines = {one.order: _lines(goods, one) for one in goods.rounds}
    return [_play(goods, wanted, lines, policy) for policy in policies]


# --- inside ---


def _play(goods: Goods, wanted: Floats, lines: dict[int, list[PolicyLine]], policy: OrderPolicy) -> Played:
    n, m, days = wanted.shape
    rounds = {one.order: one for one in goods.rounds}
    pack = np.array([[line.pack_qty] for line in goods.lines], dtype=np.float64)
    shelves = _laid_in(goods, m, days)
    start, received, sold, wasted, stock = shelves.total, *(np.zeros((n, m)) for _ in range(4))
    due = {day: np.repeat(units[:, None], m, axis=1) for day, units in goods.coming.items()}
    for day in range(days):
        if day in due:
            received += (come := due.pop(day))
            shelves.put(come)
        if day in rounds:
            one = rounds[day]
            come = wanted_packs(lines[day], _stands(goods, one, shelves, due), policy) * pack
            if one.delivery > day:
                due[one.delivery] = due.get(one.delivery, 0.0) + come
            else:
                received += come
                shelves.put(come)
        opening = shelves.total
        today = shelves.sell(wanted[:, :, day])
        sold += today
        stock += (opening - today / 2) / days
        wasted += shelves.end_day()
    return Played(start, received, wanted.sum(axis=2), sold, wasted, shelves.total, stock)


def _laid_in(goods: Goods, m: int, days: int) -> Shelves:
    """Return the shelves as they stand today, in m futures; what outlives the days played is not told apart."""
    life = np.array([np.inf if line.shelf_life_days is None else line.shelf_life_days for line in goods.lines])
    shelves = Shelves(np.where(np.isfinite(life), np.clip(life, 1, days + 1), np.inf), (len(life), m))
    fresh = goods.here.copy()
    for row, units, days_left in goods.lots:
        shelves.put_old(row, units, days_left)
        fresh[row] -= units
    shelves.put(np.repeat(np.maximum(fresh, 0.0)[:, None], m, axis=1))
    return shelves


def _lines(goods: Goods, one: Round) -> list[PolicyLine]:
    """Return the lines as they are ordered in a round, from today's forecast (rule 2)."""
    until = goods.daily[:, : one.next_delivery]
    daily = until[:, one.order :]
    mean, before = daily.sum(axis=1), daily[:, : one.delivery - one.order].sum(axis=1)
    interval = one.next_delivery - one.order - (0.0 if one.order else 1.0 - goods.today_left)
    variance = goods.spread.variance(mean[:, None], interval)[:, 0] + (mean / max(interval, 1e-9)) ** 2 * goods.slack
    open_days = np.flatnonzero((until > 0).any(axis=0))[-WEEK_DAYS:]
    usual = until[:, open_days].mean(axis=1) if open_days.size else 0.0 * mean
    columns = zip(goods.lines, mean.tolist(), variance.tolist(), before.tolist(), usual.tolist(), strict=True)
    return [
        line._replace(
            mean=mean, variance=variance, mean_before=before, usual_a_day=usual, interval_days=interval,
            held_days=float(one.next_delivery - one.delivery),
        )
        for line, mean, variance, before, usual in columns
    ]  # fmt: skip


def _stands(goods: Goods, one: Round, shelves: Shelves, due: dict[int, Floats]) -> Stands:
    """Return what a round counts on in each future: `PolicyLine`'s position, outdating and ready."""
    here, daily = shelves.total, goods.daily[:, one.order : one.next_delivery]
    coming = {day: units for day, units in due.items() if day < one.next_delivery}
    left, come, lost = here.copy(), here.copy(), np.zeros_like(here)
    for day in range(one.order, one.delivery):
        if day in coming:
            left += coming[day]
            come += coming[day]
        sold = np.minimum(left, goods.daily[:, day, None])
        left -= sold
        lost += goods.daily[:, day, None] - sold
    before = daily[:, : one.delivery - one.order].sum(axis=1, keepdims=True)
    ready = np.where(lost <= 1e-9, come, before - lost)
    return Stands(here + sum(coming.values()), shelves.outdating(daily), ready)
