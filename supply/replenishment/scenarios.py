"""How the coming weeks may go: a store's own orders, played on many futures drawn from its forecast. PURE.

Rules
-----
1. A day goes as in `ordering`, rule 1: the vehicle comes, then it is ordered where the supplier takes orders, then
   customers come, and who finds nothing leaves. Goods age and are wasted as `shelf_life` says.
2. It is ordered by the rule of the proposals (`policy.wanted`), from the stock of that future and what is on its way
   there, within the suppliers' minimums and the week's money (`supplier_minimums`). The forecast stays today's, and
   each product comes of the supplier that serves it best today.
3. Where the week's money limits, the next order of each supplier has its share of it as its proposal would, before its
   day has come; what is spent is what was ordered on that day and the WEEK_DAYS - 1 before.
4. Every service level meets the same futures: what differs between two is the level's doing.
5. Nothing is lost sight of: start + received = sold + wasted + left, and lost = wanted - sold.

Letters: n products, m futures, D days played; the days are counted from today, 0. Units in float64, whole ones.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from forecasting.series.panel import Floats
from forecasting.uncertainty.intervals import Dispersion
from supply.demand.shelf_life import Shelves
from supply.replenishment.policy import OrderPolicy, PolicyLine, Stands
from supply.replenishment.policy import wanted as wanted_of
from supply.replenishment.supplier_minimums import Basket, joined, within_limits

WEEK_DAYS = 7


@dataclass(frozen=True)
class Round:
    """An order's days: when it is placed, comes, and when the one after it comes."""

    order: int
    delivery: int
    next_delivery: int


@dataclass(frozen=True)
class Week:
    """The week's money: minor units, what orders cost of it already by their day, and the suppliers it pays for."""

    minor: int
    spent: Mapping[int, int]
    suppliers: frozenset[str]


@dataclass(frozen=True)
class Goods:
    """Products that come of one supplier, by its rounds; several may be of the same.

    lines: as they are ordered today. daily: (n, H) mean demand, today's what is left of it, until the last round's next
    delivery; spread: its law. today_left: share of today that is still to come. here: (n,) units; lots: those of `here`
    that do not live as long as what comes now, as (row, units, days left after today). coming: units on the way by the
    day they come, (n,) each. slack: variance of the supplier's lead time. minimum_minor: what it asks of an order.
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
    supplier_id: str = ""
    minimum_minor: int = 0

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


def play(
    goods: Sequence[Goods],
    wanted: Sequence[Floats],
    policies: Sequence[OrderPolicy],
    week: Week | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[list[Played]]:
    """Play (n, m, D) units wanted of each goods under each of these policies, and yield what each comes to.

    progress: told (days played, of how many).
    """
    lines = cache(lambda n, one, day: _lines(goods[n], one, day))
    days = wanted[0].shape[2] if wanted else 0
    for n, policy in enumerate(policies):
        store = _Store(goods, wanted, policy, week, lines)
        for day in range(days):
            store.play(day)
            if progress:
                progress(n * days + day + 1, days * len(policies))
        yield store.played()


# --- inside ---


class _Store:
    """A store's days under one policy, in m futures. lines: of goods n, as a round orders them seen from a day."""

    def __init__(
        self,
        goods: Sequence[Goods],
        wanted: Sequence[Floats],
        policy: OrderPolicy,
        week: Week | None,
        lines: Callable[[int, Round, int], list[PolicyLine]],
    ) -> None:
        self.goods, self.wanted, self.policy, self.week, self.lines = goods, wanted, policy, week, lines
        self.futures, self.days = (wanted[0].shape[1:]) if wanted else (0, 0)
        self.shelves = [_laid_in(one, self.futures, self.days) for one in goods]
        self.due = [
            {day: np.repeat(units[:, None], self.futures, axis=1) for day, units in one.coming.items()} for one in goods
        ]
        self.pack = [np.array([[line.pack_qty] for line in one.lines], dtype=np.float64) for one in goods]
        self.start = [one.total for one in self.shelves]
        self.received, self.sold, self.wasted, self.stock = (
            [np.zeros_like(one) for one in self.start] for _ in range(4)
        )
        self.spent: dict[int, Floats] = {}

    def play(self, day: int) -> None:
        """Play a day (rule 1)."""
        for n, due in enumerate(self.due):
            if day in due:
                self._come(n, due.pop(day))
        for n, (one, packs) in self.ordered(day).items():
            come = packs * self.pack[n]
            if one.delivery > day:
                self.due[n][one.delivery] = self.due[n].get(one.delivery, 0.0) + come
            else:
                self._come(n, come)
        for n, shelves in enumerate(self.shelves):
            opening = shelves.total
            today = shelves.sell(self.wanted[n][:, :, day].astype(np.float64))
            self.sold[n] += today
            self.stock[n] += (opening - today / 2) / self.days
            self.wasted[n] += shelves.end_day()

    def ordered(self, day: int) -> dict[int, tuple[Round, Floats]]:
        """Order what the suppliers of the day bring: its round and the packs, by goods (rules 2, 3)."""
        rounds: dict[int, Round] = {}
        for n, of in enumerate(self.goods):
            if (one := next((one for one in of.rounds if one.order >= day), None)) is not None:
                rounds[n] = one
        due = {n for n, one in rounds.items() if one.order == day}
        looked = sorted(rounds if self.week else due, key=lambda n: (rounds[n].delivery, self.goods[n].supplier_id, n))
        if not due:
            return {}
        parts: dict[str, list[int]] = defaultdict(list)
        for n in looked:
            parts[self.goods[n].supplier_id].append(n)
        packs = self._within([*parts.values()], {n: self._asked(n, rounds[n], day) for n in looked}, day)
        for n in due:
            if self.week and self.goods[n].supplier_id in self.week.suppliers:
                cost = packs[n] * self.pack[n] * self.goods[n].cost
                self.spent[day] = self.spent.get(day, 0.0) + np.rint(cost).sum(axis=0)
        return {n: (rounds[n], packs[n]) for n in due}

    def played(self) -> list[Played]:
        """Return what the days came to."""
        whole = [one.sum(axis=2, dtype=np.float64) for one in self.wanted]
        left = [one.total for one in self.shelves]
        columns = (self.start, self.received, whole, self.sold, self.wasted, left, self.stock)
        return [Played(*one) for one in zip(*columns, strict=True)]

    def _come(self, n: int, units: Floats) -> None:
        self.received[n] += units
        self.shelves[n].put(units)

    def _asked(self, n: int, one: Round, day: int) -> Basket:
        """Return what is wanted of goods in a round, seen from a day."""
        stands = _stands(self.goods[n], one, self.shelves[n], self.due[n], day)
        return wanted_of(self.lines(n, one, day), stands, self.policy)

    def _within(self, suppliers: Sequence[Sequence[int]], asked: Mapping[int, Basket], day: int) -> dict[int, Floats]:
        """Return the packs that come of each goods within minimums and money; suppliers: the goods of each."""
        minimums = [self.goods[first].minimum_minor for first, *_ in suppliers]
        if self.week is None and not any(minimums):
            return {n: one.packs for n, one in asked.items()}
        baskets = [joined([asked[n] for n in some]) for some in suppliers]
        pays = [
            self.week is not None and self.goods[first].supplier_id in self.week.suppliers for first, *_ in suppliers
        ]
        packs = within_limits(baskets, minimums, self._left(day), pays)
        return {
            n: part
            for some, whole in zip(suppliers, packs, strict=True)
            for n, part in zip(
                some, np.split(whole, np.cumsum([len(self.goods[n].lines) for n in some])[:-1]), strict=True
            )
        }

    def _left(self, day: int) -> Floats | None:
        """Return what the week's money leaves for today's orders in each future (rule 3)."""
        if self.week is None:
            return None
        known = sum(minor for ordered, minor in self.week.spent.items() if ordered > day - WEEK_DAYS)
        played = sum(minor for ordered, minor in self.spent.items() if ordered > day - WEEK_DAYS)
        return np.full(self.futures, float(self.week.minor - known)) - played


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


def _lines(goods: Goods, one: Round, day: int) -> list[PolicyLine]:
    """Return the lines as they are ordered in a round, seen from a day, from today's forecast (rule 2)."""
    until = goods.daily[:, : one.next_delivery]
    daily = until[:, day:]
    mean, before = daily.sum(axis=1), daily[:, : one.delivery - day].sum(axis=1)
    interval = one.next_delivery - day - (0.0 if day else 1.0 - goods.today_left)
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


def _stands(goods: Goods, one: Round, shelves: Shelves, due: dict[int, Floats], day: int) -> Stands:
    """Return what a round, seen from a day, counts on in each future: `PolicyLine`'s position, outdating and ready."""
    here, daily = shelves.total, goods.daily[:, day : one.next_delivery]
    coming = {comes: units for comes, units in due.items() if comes < one.next_delivery}
    left, come, lost = here.copy(), here.copy(), np.zeros_like(here)
    for at in range(day, one.delivery):
        if at in coming:
            left += coming[at]
            come += coming[at]
        sold = np.minimum(left, goods.daily[:, at, None])
        left -= sold
        lost += goods.daily[:, at, None] - sold
    before = daily[:, : one.delivery - day].sum(axis=1, keepdims=True)
    ready = np.where(lost <= 1e-9, come, before - lost)
    return Stands(here + sum(coming.values()), shelves.outdating(daily), ready)
