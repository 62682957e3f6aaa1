"""How many packs to order: pure arithmetic over a product's demand, its packs, and what empty and full shelves cost.

Rules
-----
1. Demand until the delivery after the next is known by five quantiles and its mean. Between the levels the quantile
   runs straight over the normal score, beyond the last level it goes on as before it; below the median what is lost
   runs straight to the mean. Normal demand is met exactly, and expected lost sales stay convex in the stock.
2. Service level = margin / (margin + holding + waste), within .75 and .98 (the newsvendor's critical
   ratio, Snyder & Shen eq. 4.30), unless the shopkeeper set it. What sells at no margin is worth LEAST_MARGIN_BP of its
   cost, for an empty shelf sends the customer away. A unit too many is held from one delivery to the next; its waste
   is the square of the share of its shelf life that takes, for what is left over is sold first the next time.
3. Order-up-to level = the quantile at the service level. Whoever wants what is not there goes without (lost sales), so
   the position that counts is never below the demand until the goods come. At or above the level nothing is ordered.
4. Below it the pack count is the floor or the ceiling, whichever costs less in lost margin, holding and waste, in the
   proportion the service level stands for; below the line's minimum it is none or the minimum, by the same measure.
   Where the shelf would stand empty when the goods come, the smallest order comes if its margin exceeds its holding
   until it is sold: waiting would never end.
5. No more packs come than sell within their shelf life; one beyond only if the margin of its units that sell exceeds
   the cost of those that do not. Where the line's minimum exceeds that, none comes.
6. A basket below the supplier's minimum is filled with the packs worth most per money, or postponed to the next order
   day, whichever costs less.
"""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist

LEVELS = (0.5, 0.75, 0.9, 0.95, 0.99)
MOST_PACKS = 999
LEAST_MARGIN_BP = 500
_NORMAL = NormalDist()
_SCORES = tuple(_NORMAL.inv_cdf(level) for level in LEVELS)


@dataclass(frozen=True)
class OrderPolicy:
    """What a shop's orders weigh. holding_bp_a_day: of a unit's cost, for money, room and loss while it lies there."""

    holding_bp_a_day: float = 30.0
    lowest_level: float = 0.75
    highest_level: float = 0.98


@dataclass(frozen=True)
class Demand:
    """Demand summed over an interval, in stock units (rule 1). quantiles: at LEVELS, rising."""

    mean: float
    quantiles: tuple[float, ...]

    def quantile(self, level: float) -> float:
        """Return the units not exceeded with this probability, from the median up."""
        return self._at(_NORMAL.inv_cdf(max(level, LEVELS[0])))

    def beyond(self, units: float) -> float:
        """Return the probability that more than `units` are wanted."""
        if units < self.quantiles[0]:
            return self._low_slope
        return 1.0 - _NORMAL.cdf(self._score(units))

    def lost(self, units: float) -> float:
        """Return the units expected to be wanted in vain when there are `units`: E[(D - units)+]."""
        median = self.quantiles[0]
        if units < median:
            return self._upper_lost(median) + self._low_slope * (median - units)
        return self._upper_lost(units)

    def left(self, units: float) -> float:
        """Return the units expected to be left of `units`: E[(units - D)+]."""
        return units - self.lost(0.0) + self.lost(units)

    @cached_property
    def _low_slope(self) -> float:
        """P(D > units) below the median, on average: what carries the loss from the median to the mean."""
        median = self.quantiles[0]
        if median <= 0:
            return 1.0
        return min(1.0, max(0.5, (self.mean - self._upper_lost(median)) / median))

    @cached_property
    def _segments(self) -> tuple[tuple[float, float, float, float], ...]:
        """(score from, score to, units at 0, units per score) of each straight piece from the median up."""
        pieces = []
        for n in range(len(LEVELS) - 1):
            low, high = _SCORES[n], _SCORES[n + 1]
            slope = (self.quantiles[n + 1] - self.quantiles[n]) / (high - low)
            pieces.append((low, math.inf if n == len(LEVELS) - 2 else high, self.quantiles[n] - slope * low, slope))
        return tuple(pieces)

    def _at(self, score: float) -> float:
        for low, high, base, slope in self._segments:
            if low <= score < high:
                return base + slope * score
        return self.quantiles[0]

    def _score(self, units: float) -> float:
        """Return the highest score whose quantile is `units` or less."""
        found = math.inf
        for low, high, base, slope in reversed(self._segments):
            if units >= base + slope * low:
                if slope > 0:
                    found = min(found, (units - base) / slope, high)
                return min(found, high)
            found = low
        return _SCORES[0]

    def _upper_lost(self, units: float) -> float:
        """Sum (quantile - units) over the levels above `units`: per piece, (base - units) dΦ - slope dφ."""
        start, total = self._score(units), 0.0
        for low, high, base, slope in self._segments:
            low = max(low, start)
            if low < high:
                total += (base - units) * (_cdf(high) - _cdf(low)) - slope * (_pdf(high) - _pdf(low))
        return max(0.0, total)


@dataclass(frozen=True)
class PolicyLine:
    """A product as ordering sees it, quantities in stock units.

    demand: from now until the delivery after the next, interval_days long. mean_before: the part of its mean that is
    wanted before the next delivery comes. held_days: from that delivery to the one after. position_qty: what is
    available and on the way. price_minor: for price_quantity units, without tax. service_level: the shopkeeper's own.
    """

    sku: str
    demand: Demand
    mean_before: float
    interval_days: float
    held_days: float
    position_qty: int
    pack_qty: int
    pack_cost_minor: int
    price_minor: int
    price_quantity: int = 1
    minimum_packs: int = 1
    shelf_life_days: int | None = None
    service_level: float | None = None


@dataclass(frozen=True)
class Decision:
    """What is ordered of a line and why.

    reason: enough | needed | not-worth-a-pack | short-lived | minimum | filled-up | postponed; target_qty: the
    order-up-to level.
    """

    line: PolicyLine
    packs: int
    service_level: float
    target_qty: int
    reason: str

    @property
    def cost_minor(self) -> int:
        """What the packs cost."""
        return self.packs * self.line.pack_cost_minor

    @property
    def risk_bp(self) -> int:
        """How likely it sells out before the delivery after the next, in 1/10,000."""
        return risk_bp(self.line.demand, counted_position(self.line) + self.packs * self.line.pack_qty)


@dataclass(frozen=True)
class Costs:
    """What one unit too few and one unit too many cost until the next delivery, in minor units."""

    under: float
    over: float

    @classmethod
    def of(cls, line: PolicyLine, policy: OrderPolicy) -> "Costs":
        """Weigh a line (rule 2)."""
        unit_cost = line.pack_cost_minor / line.pack_qty
        margin = max(line.price_minor / line.price_quantity - unit_cost, unit_cost * LEAST_MARGIN_BP / 10_000)
        holding = unit_cost * line.held_days * policy.holding_bp_a_day / 10_000
        life = line.shelf_life_days
        waste = 0.0 if life is None else unit_cost * min(1.0, line.held_days / max(life, 1)) ** 2
        return cls(margin, holding + waste)

    def fitting(self, level: float) -> "Costs":
        """Return costs of which `level` is the critical ratio: a level that was set, or held in bounds, is meant."""
        return Costs(self.under, self.under * (1.0 - level) / max(level, 0.01))

    def expected(self, demand: Demand, units: float) -> float:
        """Return what a stock of `units` costs over the interval; convex in `units`."""
        return self.under * demand.lost(units) + self.over * demand.left(units)


def critical_ratio(under: float, over: float) -> float:
    """Return the newsvendor's service level; 1 when nothing costs anything."""
    return under / (under + over) if under + over > 0 else 1.0


def poisson_demand(mean: float, units_a_sale: float = 1.0) -> Demand:
    """Return Poisson demand for when there is no forecast: sales come by chance, each of so many units."""
    # slow to load, and wanted only without a forecast
    import numpy as np
    from scipy.special import pdtrik

    size = max(1.0, units_a_sale)
    if mean <= 0:
        return Demand(0.0, (0.0,) * len(LEVELS))
    counts = np.ceil(np.nan_to_num(pdtrik(np.array(LEVELS), mean / size)) - 1e-9).clip(0)
    return Demand(mean, tuple(float(count) * size for count in counts))


def counted_position(line: PolicyLine) -> float:
    """Return the position that counts (rule 3): what is promised beyond what is there is still owed."""
    return max(float(line.position_qty), line.mean_before + min(0, line.position_qty))


def risk_bp(demand: Demand, units: float) -> int:
    """Return the probability that more than `units` are wanted, in 1/10,000; zero where nothing is wanted."""
    return 0 if demand.quantiles[-1] <= 0 else round(10_000 * demand.beyond(units))


def decide(line: PolicyLine, policy: OrderPolicy = OrderPolicy()) -> Decision:
    """Decide how many packs of one product to order (rules 2 to 5)."""
    costs = Costs.of(line, policy)
    level = line.service_level
    if level is None:
        level = min(policy.highest_level, max(policy.lowest_level, critical_ratio(costs.under, costs.over)))
    costs = costs.fitting(level)
    target = line.demand.quantile(level)
    position = counted_position(line)

    def decided(packs: int, reason: str) -> Decision:
        return Decision(line, packs, level, max(0, math.ceil(target - 1e-6)), reason)

    if position >= target:
        return decided(0, "enough")
    wanted = (target - position) / line.pack_qty
    low, high = math.floor(wanted), min(math.ceil(wanted), MOST_PACKS)
    packs, reason = _cheaper(line, costs, position, min(low, MOST_PACKS), high), "needed"
    cap = _sellable_packs(line, costs)
    if packs > cap:
        packs, reason = cap, "short-lived"
    if 0 < packs < line.minimum_packs:
        reason = "minimum"
        packs = 0 if line.minimum_packs > cap else _cheaper(line, costs, position, 0, line.minimum_packs)
    if packs == 0 and line.minimum_packs <= cap and _worth_its_shelf(line, costs, policy):
        packs, reason = line.minimum_packs, "needed"
    if packs == 0 and reason != "short-lived":
        reason = "not-worth-a-pack"
    return decided(packs, reason)


def decide_basket(
    lines: Sequence[PolicyLine],
    minimum_minor: int = 0,
    policy: OrderPolicy = OrderPolicy(),
) -> list[Decision]:
    """Decide on everything one supplier sells, its minimum order included (rule 6); in the order of `lines`."""
    decisions = [decide(line, policy) for line in lines]
    total_minor = sum(decision.cost_minor for decision in decisions)
    if not total_minor or total_minor >= minimum_minor:
        return decisions
    filled, filling_cost = _fill_up(decisions, minimum_minor - total_minor, policy)
    if filled is not None and filling_cost <= _cost_of_waiting(decisions, policy):
        return filled
    return [replace(one, packs=0, reason="postponed") if one.packs else one for one in decisions]


# --- inside ---


def _cheaper(line: PolicyLine, costs: Costs, position: float, low: int, high: int) -> int:
    few = costs.expected(line.demand, position + low * line.pack_qty)
    many = costs.expected(line.demand, position + high * line.pack_qty)
    return high if many < few else low


def _worth_its_shelf(line: PolicyLine, costs: Costs, policy: OrderPolicy) -> bool:
    """Tell whether the smallest order earns more than its holding until it is sold, on a shelf that is empty."""
    rate = line.demand.mean / line.interval_days if line.interval_days > 0 else 0.0
    if rate <= 0 or line.position_qty - line.mean_before >= 1:
        return False
    units = line.minimum_packs * line.pack_qty
    unit_cost = line.pack_cost_minor / line.pack_qty
    return costs.under > unit_cost * policy.holding_bp_a_day / 10_000 * units / (2 * rate)


def _sellable_packs(line: PolicyLine, costs: Costs) -> int:
    """Return how many packs may come at most (rule 5)."""
    if line.shelf_life_days is None:
        return MOST_PACKS
    rate = line.demand.mean / line.interval_days if line.interval_days > 0 else 0.0
    room = rate * line.shelf_life_days - max(0.0, line.position_qty - line.mean_before)
    if room <= 0:
        return 0
    packs = math.floor(room / line.pack_qty)
    rest = room - packs * line.pack_qty
    unit_cost = line.pack_cost_minor / line.pack_qty
    return min(MOST_PACKS, packs + (costs.under * rest > unit_cost * (line.pack_qty - rest)))


def _fill_up(
    decisions: Sequence[Decision], missing_minor: int, policy: OrderPolicy
) -> tuple[list[Decision] | None, float]:
    """Add the packs worth most per money until the minimum is met; None where no pack is left to add."""
    chosen = list(decisions)
    weights = [Costs.of(one.line, policy).fitting(one.service_level) for one in decisions]
    caps = [_sellable_packs(one.line, weight) for one, weight in zip(decisions, weights, strict=True)]
    best: list[tuple[float, int, int, float]] = []

    def offer(n: int) -> None:
        line, packs = chosen[n].line, chosen[n].packs
        step = line.minimum_packs if packs == 0 else 1
        if packs + step > caps[n] or line.pack_cost_minor <= 0 or line.demand.mean <= 0:
            return
        stock = counted_position(line) + packs * line.pack_qty
        cost = weights[n].expected(line.demand, stock + step * line.pack_qty) - weights[n].expected(line.demand, stock)
        heapq.heappush(best, (cost / (step * line.pack_cost_minor), n, step, cost))

    for n in range(len(chosen)):
        offer(n)
    total = 0.0
    while missing_minor > 0:
        if not best:
            return None, math.inf
        _, n, step, cost = heapq.heappop(best)
        chosen[n] = replace(chosen[n], packs=chosen[n].packs + step, reason="filled-up")
        missing_minor -= step * chosen[n].line.pack_cost_minor
        total += cost
        offer(n)
    return chosen, total


def _cost_of_waiting(decisions: Sequence[Decision], policy: OrderPolicy) -> float:
    """Return what ordering nothing now costs more than ordering as decided."""
    total = 0.0
    for one in decisions:
        if one.packs:
            costs, stock = Costs.of(one.line, policy).fitting(one.service_level), counted_position(one.line)
            with_packs = costs.expected(one.line.demand, stock + one.packs * one.line.pack_qty)
            total += costs.expected(one.line.demand, stock) - with_packs
    return total


def _cdf(score: float) -> float:
    return 1.0 if score == math.inf else _NORMAL.cdf(score)


def _pdf(score: float) -> float:
    return 0.0 if score == math.inf else _NORMAL.pdf(score)
