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
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from forecasting.series.panel import Floats, Forecast
from forecasting.uncertainty import paths
from forecasting.uncertainty.intervals import Dispersion
from supply.demand import forecasts
from supply.demand.lead_time_demand import lately_factor
from supply.demand.shelf_life import Shelves
from supply.replenishment.decide import Requirement, ranked, source_of
from supply.replenishment.decide import requirements as requirements_of
from supply.replenishment.look import Candidate, Situation
from supply.replenishment.order_simulation import DAYS, Loaded
from supply.replenishment.policy import LEAST_MARGIN_BP, OrderPolicy, PolicyLine, Stands, storefront_policy
from supply.replenishment.policy import wanted as wanted_of
from supply.replenishment.supplier_minimums import Basket, joined, within_limits

WEEK_DAYS = 7
FUTURES = 200
SEED = 1
LEVELS_BP = (8_500, 9_000, 9_500, 9_800, 9_900, 9_950)
NAMED = 8
CELLS = 200_000
"""So many units of shelves times futures are reckoned with at once."""
BETWEEN = (0.1, 0.9)


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
class SupplierProducts:
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


def compute(
    loaded: Loaded, *, futures: int = FUTURES, seed: int = SEED, progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Play the weeks ahead at every level (rules 1 to 5); the same for a seed. No database. Returns JSON types only.

    A range is [low, mean, high]. matters: the products of rule 5. progress: told (days played, of how many).
    """
    forecast = forecasts.compute_store(loaded.forecast).forecast
    assert forecast is not None
    present_bp = loaded.situation.service_bp
    levels = sorted({*LEVELS_BP, present_bp})
    policies, present = [storefront_policy(bp) for bp in levels], levels.index(present_bp)
    sums, named = [_Sums(futures) for _ in levels], list[dict[str, Any]]()
    parts, drawn = list(_parts(loaded, forecast, futures)), []
    for keys, products in parts:
        units = paths.draw(keys, products.daily[:, :DAYS], products.spread, futures, seed=seed)
        drawn.append(units.astype(np.min_scalar_type(int(units.max(initial=0.0)))))
    every = play(
        [products for _, products in parts], drawn, policies, Week(*loaded.week) if loaded.week else None, progress
    )
    for n, (played, policy) in enumerate(zip(every, policies, strict=True)):
        for (keys, products), one in zip(parts, played, strict=True):
            sums[n].add(products, one, policy)
            if n == present:
                named = _worst(named + _named(keys, products, one))
    done = sum(len(keys) for keys, _ in parts)
    reported = [one.reported(sums[present]) | {"service_bp": bp} for bp, one in zip(levels, sums, strict=True)]
    return {
        "first_day": forecast.first_day.isoformat(), "days": DAYS, "futures": futures, "seed": seed, "products": done,
        "present_bp": present_bp, "best_bp": levels[_best(sums, present)], "levels": reported, "matters": named,
    }  # fmt: skip


def play(
    products: Sequence[SupplierProducts],
    wanted: Sequence[Floats],
    policies: Sequence[OrderPolicy],
    week: Week | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[list[Played]]:
    """Play (n, m, D) units wanted of each goods under each of these policies, and yield what each comes to.

    progress: told (days played, of how many).
    """
    lines = cache(lambda n, one, day: _lines(products[n], one, day))
    days = wanted[0].shape[2] if wanted else 0
    for n, policy in enumerate(policies):
        store = _Store(products, wanted, policy, week, lines)
        for day in range(days):
            store.play(day)
            if progress:
                progress(n * days + day + 1, days * len(policies))
        yield store.played()


# --- inside ---


class _Sums:
    """What one level comes to in each future, (m,), over all products."""

    def __init__(self, futures: int) -> None:
        self.wanted, self.lost, self.waste, self.stock, self.brings, self.a_day = np.zeros((6, futures))

    def add(self, products: SupplierProducts, one: Played, policy: OrderPolicy) -> None:
        """Add some products (rule 3)."""
        cost, price = products.cost, products.price
        margin = np.maximum(price - cost, cost * LEAST_MARGIN_BP / 10_000)
        keeping = one.stock * cost * DAYS * policy.holding_bp_a_day / 10_000
        self.wanted += (one.wanted * price).sum(axis=0)
        self.lost += (one.lost * price).sum(axis=0)
        self.waste += (one.wasted * cost).sum(axis=0)
        self.stock += (one.stock * cost).sum(axis=0)
        self.a_day += (one.wanted * cost).sum(axis=0) / DAYS
        self.brings += (one.sold * margin - one.wasted * cost - keeping).sum(axis=0)

    def reported(self, present: "_Sums") -> dict[str, Any]:
        """Return the ranges of a level, and of what it brings beyond the present one on the same futures."""
        fill = 1 - self.lost / np.maximum(self.wanted, 1e-9)
        cover = self.stock / np.maximum(self.a_day, 1e-9)
        return {
            "fill": [round(one, 4) for one in _between(fill)], "cover_days": [round(one, 2) for one in _between(cover)],
            "stock_minor": _minor(self.stock), "lost_minor": _minor(self.lost), "waste_minor": _minor(self.waste),
            "brings_minor": _minor(self.brings - present.brings),
        }  # fmt: skip


def _best(sums: list[_Sums], present: int) -> int:
    """Return which level serves best (rule 4); sums: by rising level."""

    def surely_more(one: _Sums, other: _Sums) -> bool:
        return bool(np.quantile(one.brings - other.brings, BETWEEN[0]) > 0)

    most = max(sums, key=lambda one: float(one.brings.mean()))
    better = [n for n, one in enumerate(sums) if surely_more(one, sums[present]) and not surely_more(most, one)]
    return min(better, default=present)


def _parts(
    loaded: Loaded, forecast: Forecast, futures: int
) -> Iterator[tuple[list[tuple[str, str]], SupplierProducts]]:
    """Yield the products that are expected to sell, so many of one supplier at once as fit the memory (`CELLS`)."""
    assert forecast.spread is not None
    daily, place = forecast.mean.copy(), {sku: row for row, (_, sku) in enumerate(forecast.keys)}
    for sku, sold in loaded.lately.items():
        if (row := place.get(sku)) is not None and forecast.level[row] > 0:
            daily[row] *= lately_factor(sold, float(forecast.level[row]))
    daily[:, 0] *= loaded.situation.basis.today_left
    for candidate, requirements in _best_sources(loaded.situation):
        sells = [
            item for item in requirements if item.line.sku in place and daily[place[item.line.sku], :DAYS].sum() > 0
        ]
        for mortal in (False, True):
            some = [item for item in sells if (item.line.shelf_life_days is not None) == mortal]
            size = max(1, CELLS // (futures * (1 + mortal * DAYS)))
            for start in range(0, len(some), size):
                part = some[start : start + size]
                rows = np.array([place[item.line.sku] for item in part])
                yield (
                    [forecast.keys[row] for row in rows],
                    _products(
                        loaded, candidate, part, daily[rows], replace(forecast, spread=forecast.spread.select(rows))
                    ),
                )


def _best_sources(situation: Situation) -> list[tuple[Candidate, list[Requirement]]]:
    """Return each supplier, by id, with what is needed of it that no other serves better."""
    wanted = requirements_of(situation)
    ranks = ranked([source_of(one, wanted) for one in situation.candidates])
    found = [
        (one, [item for item in wanted[one.supplier_id] if ranks[item.line.sku][0] == one.supplier_id])
        for one in situation.candidates
    ]
    return sorted(found, key=lambda one: one[0].supplier_id)


def _products(
    loaded: Loaded, candidate: Candidate, requirements: list[Requirement], daily: Floats, reported: Forecast
) -> SupplierProducts:
    assert reported.spread is not None
    free = [max(0.0, float(item.line.position_qty - sum(item.on_the_way.values()))) for item in requirements]
    situation, lots, coming = loaded.situation, [], dict[int, Any]()
    for row, item in enumerate(requirements):
        rest = free[row]
        for days_left, units in loaded.lots.get(item.line.sku, ()):
            part = min(units, rest)
            rest -= part
            if days_left < 0:
                free[row] -= part  # over already: it is not sold any more
            elif part:
                lots.append((row, part, days_left))
        for day, qty in situation.waited.coming.get(item.line.sku, {}).items():
            coming.setdefault((day - situation.basis.today).days, np.zeros(len(requirements)))[row] += qty
    return SupplierProducts(
        tuple(item.line for item in requirements), [Round(*days) for days in loaded.rounds[candidate.supplier_id]],
        daily, reported.spread, situation.basis.today_left, np.array(free), lots, coming, candidate.lead.variance,
        candidate.supplier_id, candidate.minimum_minor,
    )  # fmt: skip


def _named(keys: list[tuple[str, str]], products: SupplierProducts, one: Played) -> list[dict[str, Any]]:
    """Return what the present level loses on these products (rule 5)."""
    lost, waste = one.lost * products.price, one.wasted * products.cost
    rows = (lost.mean(axis=1) + waste.mean(axis=1)).argsort()[::-1][:NAMED]
    return [
        {
            "sku": keys[row][1], "fill": round(1 - float(one.lost[row].sum() / max(one.wanted[row].sum(), 1e-9)), 4),
            "lost_qty": [round(each) for each in _between(one.lost[row])], "lost_minor": _minor(lost[row]),
            "waste_qty": [round(each) for each in _between(one.wasted[row])], "waste_minor": _minor(waste[row]),
        }
        for row in rows
        if lost[row].any() or waste[row].any()
    ]  # fmt: skip


def _worst(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda one: (-one["lost_minor"][1] - one["waste_minor"][1], one["sku"]))[:NAMED]


def _between(figures: Floats) -> list[float]:
    """Return between which figures eight of ten lie, and their mean between (rule 2)."""
    low, high = np.quantile(figures, BETWEEN)
    return [float(low), float(figures.mean()), float(high)]


def _minor(figures: Floats) -> list[int]:
    return [round(one) for one in _between(figures)]


class _Store:
    """A store's days under one policy, in m futures. lines: of goods n, as a round orders them seen from a day."""

    def __init__(
        self,
        products: Sequence[SupplierProducts],
        wanted: Sequence[Floats],
        policy: OrderPolicy,
        week: Week | None,
        lines: Callable[[int, Round, int], list[PolicyLine]],
    ) -> None:
        self.products, self.wanted, self.policy, self.week, self.lines = products, wanted, policy, week, lines
        self.futures, self.days = (wanted[0].shape[1:]) if wanted else (0, 0)
        self.shelves = [_laid_in(one, self.futures, self.days) for one in products]
        self.due = [
            {day: np.repeat(units[:, None], self.futures, axis=1) for day, units in one.coming.items()}
            for one in products
        ]
        self.pack = [np.array([[line.pack_qty] for line in one.lines], dtype=np.float64) for one in products]
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
        for n, of in enumerate(self.products):
            if (one := next((one for one in of.rounds if one.order >= day), None)) is not None:
                rounds[n] = one
        due = {n for n, one in rounds.items() if one.order == day}
        looked = sorted(
            rounds if self.week else due, key=lambda n: (rounds[n].delivery, self.products[n].supplier_id, n)
        )
        if not due:
            return {}
        parts: dict[str, list[int]] = defaultdict(list)
        for n in looked:
            parts[self.products[n].supplier_id].append(n)
        packs = self._within([*parts.values()], {n: self._asked(n, rounds[n], day) for n in looked}, day)
        for n in due:
            if self.week and self.products[n].supplier_id in self.week.suppliers:
                cost = packs[n] * self.pack[n] * self.products[n].cost
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
        stands = _stands(self.products[n], one, self.shelves[n], self.due[n], day)
        return wanted_of(self.lines(n, one, day), stands, self.policy)

    def _within(self, suppliers: Sequence[Sequence[int]], asked: Mapping[int, Basket], day: int) -> dict[int, Floats]:
        """Return the packs that come of each goods within minimums and money; suppliers: the goods of each."""
        minimums = [self.products[first].minimum_minor for first, *_ in suppliers]
        if self.week is None and not any(minimums):
            return {n: one.packs for n, one in asked.items()}
        baskets = [joined([asked[n] for n in some]) for some in suppliers]
        pays = [
            self.week is not None and self.products[first].supplier_id in self.week.suppliers for first, *_ in suppliers
        ]
        packs = within_limits(baskets, minimums, self._left(day), pays)
        return {
            n: part
            for some, whole in zip(suppliers, packs, strict=True)
            for n, part in zip(
                some, np.split(whole, np.cumsum([len(self.products[n].lines) for n in some])[:-1]), strict=True
            )
        }

    def _left(self, day: int) -> Floats | None:
        """Return what the week's money leaves for today's orders in each future (rule 3)."""
        if self.week is None:
            return None
        known = sum(minor for ordered, minor in self.week.spent.items() if ordered > day - WEEK_DAYS)
        played = sum(minor for ordered, minor in self.spent.items() if ordered > day - WEEK_DAYS)
        return np.full(self.futures, float(self.week.minor - known)) - played


def _laid_in(products: SupplierProducts, m: int, days: int) -> Shelves:
    """Return the shelves as they stand today, in m futures; what outlives the days played is not told apart."""
    life = np.array([np.inf if line.shelf_life_days is None else line.shelf_life_days for line in products.lines])
    shelves = Shelves(np.where(np.isfinite(life), np.clip(life, 1, days + 1), np.inf), (len(life), m))
    fresh = products.here.copy()
    for row, units, days_left in products.lots:
        shelves.put_old(row, units, days_left)
        fresh[row] -= units
    shelves.put(np.repeat(np.maximum(fresh, 0.0)[:, None], m, axis=1))
    return shelves


def _lines(products: SupplierProducts, one: Round, day: int) -> list[PolicyLine]:
    """Return the lines as they are ordered in a round, seen from a day, from today's forecast (rule 2)."""
    until = products.daily[:, : one.next_delivery]
    daily = until[:, day:]
    mean, before = daily.sum(axis=1), daily[:, : one.delivery - day].sum(axis=1)
    interval = one.next_delivery - day - (0.0 if day else 1.0 - products.today_left)
    variance = (
        products.spread.variance(mean[:, None], interval)[:, 0] + (mean / max(interval, 1e-9)) ** 2 * products.slack
    )
    open_days = np.flatnonzero((until > 0).any(axis=0))[-WEEK_DAYS:]
    usual = until[:, open_days].mean(axis=1) if open_days.size else 0.0 * mean
    columns = zip(products.lines, mean.tolist(), variance.tolist(), before.tolist(), usual.tolist(), strict=True)
    return [
        line._replace(
            mean=mean, variance=variance, mean_before=before, usual_a_day=usual, interval_days=interval,
            held_days=float(one.next_delivery - one.delivery),
        )
        for line, mean, variance, before, usual in columns
    ]  # fmt: skip


def _stands(products: SupplierProducts, one: Round, shelves: Shelves, due: dict[int, Floats], day: int) -> Stands:
    """Return what a round, seen from a day, counts on in each future: `PolicyLine`'s position, outdating and ready."""
    here, daily = shelves.total, products.daily[:, day : one.next_delivery]
    coming = {comes: units for comes, units in due.items() if comes < one.next_delivery}
    left, come, lost = here.copy(), here.copy(), np.zeros_like(here)
    for at in range(day, one.delivery):
        if at in coming:
            left += coming[at]
            come += coming[at]
        sold = np.minimum(left, products.daily[:, at, None])
        left -= sold
        lost += products.daily[:, at, None] - sold
    before = daily[:, : one.delivery - day].sum(axis=1, keepdims=True)
    ready = np.where(lost <= 1e-9, come, before - lost)
    return Stands(here + sum(coming.values()), shelves.outdating(daily), ready)
