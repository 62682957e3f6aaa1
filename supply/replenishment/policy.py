"""How many packs to order: all lines of a basket at once, from demand, packs, shelves and money. PURE.

Rules
-----
1. Demand is that until the delivery after the next (`lead_time_demand`). Service level = margin / (margin + holding +
   waste), within .75 and .98 (the newsvendor's critical ratio, Snyder & Shen eq. 4.30), unless the shopkeeper set it.
   What sells at no margin is worth LEAST_MARGIN_BP of its cost, for an empty shelf sends the customer away. A unit too
   many is held from one delivery to the next; its waste is the square of the share of its shelf life that takes.
2. The next pack comes up to the reorder point of `lead_time_demand`, whose least chance is 1 - service level where a
   person set that. What stands for show, or a person taught to hold (presentation), is added to the point; less than
   none is taken off.
3. Whoever wants what is not there goes without (lost sales): of the demand until the goods come, only what is expected
   to find something is taken off the position (projected inventory; van Jaarsveld & Arts 2024). So the position that
   counts is never below that demand. What is on the way serves from its day on (ready); what will expire before it
   sells does not count.
4. No pack comes of which the chance to sell within its shelf life, on average over its units, is below cost / (cost +
   margin), and of what lives FRESH_DAYS or less none whose chance to be wanted, times its margin, is below its chance
   to spoil, times its cost; none that finds no room in the store when it comes. Of what has its place on a shelf that
   was planned (slot) no more packs come than fill it, or cover the target, whichever is more: to reach a supplier's
   minimum nothing is bought past its place.
5. Below the line's minimum it is none or the minimum, whichever costs less; where the minimum exceeds rule 4, none.
   Where the shelf would stand empty when the goods come, the smallest order comes if its margin exceeds its holding
   until it is sold: waiting would never end.
6. Money may limit what comes, out of one purse or several (cash, the network's line), each paying for some baskets. The
   packs worth most per money come, each line's in turn; one that does not fit every purse that pays for it ends its
   line. What did not fit is told (cut_packs), with the purse that was short (reason).
7. A basket below the supplier's minimum is filled with the packs that cost least per money, or postponed to the next
   order day, whichever costs less. So lines that need nothing yet can join those that do.
8. Of several suppliers the one with the least total cost sells a product: what its demand costs until all of them have
   come twice, the margin of what is lost until its goods come, day by day as other goods come, and the holding of half
   of its smallest lot.
9. What stands in a store is worth the margin of what will be sold until the delivery after the next, while it orders on
   by these rules, less the keeping of what is left until that is sold (KEPT_DAYS at most) and the cost of what expires.

Letters: x position, Q pack, all arrays (n,).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from forecasting.series.panel import Floats
from supply.demand.lead_time_demand import (
    FRESH_DAYS,
    KEPT_DAYS,
    Demand,
    Mask,
    critical_ratio,
    least_chance,
    packs_to,
    reorder_point,
    spoiling_point,
)
from supply.orders.suppliers import MOST_PACKS
from supply.replenishment.supplier_minimums import MOST_FILLED, Basket, Ints

LEAST_MARGIN_BP = 500
SHOWN_PACKS = 13
"""For so many pack counts, from none, a decision tells its risk."""


@dataclass(frozen=True)
class OrderPolicy:
    """What a store's orders weigh. holding_bp_a_day: of a unit's cost, for money, room and loss while it lies there."""

    holding_bp_a_day: float = 30.0
    lowest_level: float = 0.75
    highest_level: float = 0.98


def storefront_policy(service_bp: int) -> OrderPolicy:
    """Return what orders weigh in a store that aims at this service at most (`service_targets`, rule 3)."""
    level = service_bp / 10_000
    return OrderPolicy(lowest_level=min(level, OrderPolicy.lowest_level), highest_level=level)


class PolicyLine(NamedTuple):
    """A product as ordering sees it, quantities in stock units.

    mean, variance: of the demand from now until the delivery after the next, interval_days long. mean_before: the part
    of it that is wanted before the next delivery comes. held_days: from that delivery to the one after. position_qty:
    what is available and on the way; outdating_qty: what of it will expire unsold. price_minor: for price_quantity
    units, without tax. capacity_qty: what there is room for. service_level: the shopkeeper's own. usual_a_day: demand
    of a usual day, 0 where it is not known. ready_qty: what of the position serves the demand before the next delivery
    (`ready`), None where all of it is there. slot_qty: what its place on a planned shelf holds. lately_spread: variance
    over mean of its last days' units, about what such days usually bring.
    """

    sku: str
    mean: float
    variance: float
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
    outdating_qty: float = 0.0
    presentation_qty: int = 0
    capacity_qty: int | None = None
    usual_a_day: float = 0.0
    ready_qty: float | None = None
    slot_qty: int | None = None
    lately_spread: float | None = None


class Stands(NamedTuple):
    """Several positions of the same lines, (n, m) each, in place of those that stand on them; see `PolicyLine`."""

    position: Floats
    outdating: Floats
    ready: Floats


class Decision(NamedTuple):
    """What is ordered of a line and why.

    reason: enough | needed | not-worth-a-pack | short-lived | no-room | minimum | filled-up | postponed, or the name of
    the purse that was short. target_qty: the units that cover the service level. wanted_packs: what would come if the
    basket were not postponed. cut_packs: what would come beyond that if cut_by, the purse, held more.
    risks_bp: how likely it sells out before the delivery after the
    next with 0, 1, 2 ... SHOWN_PACKS - 1 packs, in 1/10,000. counted_qty: the position that counts. value_minor: what
    the last pack brings beyond its costs.
    """

    line: PolicyLine
    packs: int
    service_level: float
    target_qty: int
    reason: str
    wanted_packs: int
    risks_bp: tuple[int, ...]
    counted_qty: float
    value_minor: float
    cut_packs: int = 0
    cut_by: str = ""

    @property
    def cost_minor(self) -> int:
        """What the packs cost."""
        return self.packs * self.line.pack_cost_minor

    @property
    def risk_bp(self) -> int:
        """How likely it sells out with what is ordered, as far as `risks_bp` tells."""
        return self.risks_bp[min(self.packs, SHOWN_PACKS - 1)]


def decide(line: PolicyLine, policy: OrderPolicy = OrderPolicy()) -> Decision:
    """Decide how many packs of one product to order (rules 1 to 5)."""
    return decide_basket([line], policy=policy)[0]


def decide_basket(
    lines: Sequence[PolicyLine],
    minimum_minor: int = 0,
    budget_minor: int | None = None,
    policy: OrderPolicy = OrderPolicy(),
    budget: str = "budget",
) -> list[Decision]:
    """Decide on everything one supplier sells, its minimum order and the money there is included (rules 1 to 7).

    Returns one decision a line, in the order of `lines`. A negative budget counts as none at all; purse: its name.
    """
    if not lines:
        return []
    basket = _Basket(lines, policy)
    packs, reasons = basket.wanted()
    if budget_minor is not None:
        basket.within([(budget_minor, np.ones(len(lines), dtype=np.bool_))], packs)
        basket.send_cut(budget, reasons)
    basket.reach(minimum_minor, budget_minor, packs, reasons)
    return basket.decisions(packs, reasons)


def wanted(lines: Sequence[PolicyLine], stands: Stands, policy: OrderPolicy = OrderPolicy()) -> Basket:
    """Return what comes of each line for itself (rules 1 to 5) at m positions, before its supplier's minimum."""
    one = _Basket(lines, policy, stands)
    packs = one.packs()
    over = np.broadcast_to(one.over, one.under.shape)
    return Basket(packs, one.x, one.caps, one.demand, one.pack, one.minimum, one.pack_cost, one.under, over)


def share_money(
    baskets: Sequence[Sequence[PolicyLine]],
    budgets: Sequence[tuple[int, Sequence[bool]]],
    policy: OrderPolicy = OrderPolicy(),
) -> list[int]:
    """Return what each supplier's basket may cost: the packs worth most per money, wherever they are (rule 6).

    purses: what is left in each, in minor units, and whether it pays for each basket. A basket no purse pays for gets
    what it wants.
    """
    lines = [line for basket in baskets for line in basket]
    if not lines:
        return [0 for _ in baskets]
    whole, sizes = _Basket(lines, policy), [len(basket) for basket in baskets]
    packs, _ = whole.wanted()
    whole.within([(left, np.repeat(np.asarray(pays, dtype=np.bool_), sizes)) for left, pays in budgets], packs)
    costs, shares, at = (packs * whole.pack_cost).astype(np.int64).tolist(), [], 0
    for size in sizes:
        shares.append(sum(costs[at : at + size]))
        at += size
    return shares


def total_costs(lines: Sequence[PolicyLine], policy: OrderPolicy = OrderPolicy()) -> Floats:
    """Return what serving one product's demand costs at each of several suppliers (rule 8); a line per supplier."""
    basket = _Basket(lines, policy)
    days = float(basket.interval.max())
    wanted = float(basket.rate.max()) * days
    lot = np.maximum(basket.pack * basket.minimum, basket.rate * basket.held)
    holding = basket.unit_cost * policy.holding_bp_a_day / 10_000 * days * lot / 2
    return np.asarray(basket.unit_cost * wanted + basket.margin * basket.early_lost + holding)


def worth(lines: Sequence[PolicyLine], policy: OrderPolicy = OrderPolicy()) -> Floats:
    """Return what the position of each line is worth to its store, in minor units (rule 9); only differences tell."""
    basket = _Basket(lines, policy)
    packs, _ = basket.wanted()
    demand, cost = basket.demand, basket.unit_cost
    there = basket.counted + packs * basket.pack
    left = np.maximum(demand.left(there), 0.0)
    sold_out = np.divide(left, basket.rate, out=np.full_like(left, np.inf), where=basket.rate > 0)
    kept_days = np.minimum(basket.interval / 2 + sold_out / 2, KEPT_DAYS)
    keeping = cost * policy.holding_bp_a_day / 10_000 * left * kept_days
    sellable = basket.rate * np.where(np.isfinite(basket.life), basket.life, 0.0)
    stale = np.where(np.isfinite(basket.life), np.maximum(left - sellable, 0.0), 0.0)
    wasted = cost * (stale + basket.outdating)
    return np.asarray(basket.margin * (demand.mean - basket.early_lost - demand.lost(there)) - keeping - wasted)


def ready(daily: Sequence[float], here: float, coming: Mapping[int, float]) -> float:
    """Return what of a position serves these days' mean demand, the first one today's (rule 3).

    here: what is there today; coming: units that are there from the morning of a day on, 0 today. All that comes within
    the days where nothing is lost; else the demand less what finds nothing on its day.
    """
    left, lost, come = here, 0.0, here
    for day, wanted in enumerate(daily):
        left += coming.get(day, 0.0)
        come += coming.get(day, 0.0)
        sold = min(max(left, 0.0), wanted)
        left -= sold
        lost += wanted - sold
    return come if lost <= 1e-9 else sum(daily) - lost


def expected_outdating(lots: Sequence[tuple[int, float]], daily: Sequence[float]) -> float:
    """Return the units of these lots that will expire unsold, first expired sold first (rule 3).

    lots: (days until the last day of sale, 0 = today; below 0 = over, units); daily: mean demand a day from today.
    """
    over = expiring = sold = 0.0
    day = 0
    for last, units in sorted(lots):
        expiring += units
        while day <= last and day < len(daily):
            sold += daily[day]
            day += 1
        over = max(over, expiring - sold)
    return over


# --- inside ---


class _Basket:
    """The lines as arrays, with what they cost and what they may hold at most."""

    def __init__(self, lines: Sequence[PolicyLine], policy: OrderPolicy, stands: Stands | None = None) -> None:
        self.lines, self.policy = lines, policy
        figures = np.array([line[1:] for line in lines], dtype=np.float64)  # what is None becomes no number
        columns = figures.T if stands is None else figures.T[..., None]
        given = dict(zip(PolicyLine._fields[1:], columns, strict=True))
        if stands is not None:
            given |= {f"{name}_qty": qty for name, qty in stands._asdict().items()}
        self.demand = Demand(given["mean"], given["variance"])
        self.before, self.interval, self.held = given["mean_before"], given["interval_days"], given["held_days"]
        self.pack, self.minimum, self.pack_cost = given["pack_qty"], given["minimum_packs"], given["pack_cost_minor"]
        self.position, self.show = given["position_qty"], given["presentation_qty"]
        self.price = given["price_minor"] / given["price_quantity"]
        self.outdating, self.usual = given["outdating_qty"], given["usual_a_day"]
        self.lately_spread = given["lately_spread"]
        self.own_level, self.room = given["service_level"], given["capacity_qty"]
        self.unit_cost = self.pack_cost / self.pack
        self.life = np.where(np.isnan(given["shelf_life_days"]), np.inf, given["shelf_life_days"])
        self.rate = np.divide(
            self.demand.mean, self.interval, out=np.zeros_like(self.interval), where=self.interval > 0
        )
        self.waiting: Ints | None = None
        self.cut: Ints = np.zeros(len(lines), dtype=np.int64)
        self.cut_by = ""
        self.slot, reported = given["slot_qty"], ~np.isnan(given["ready_qty"])
        ready = np.where(reported, given["ready_qty"], self.position)
        share = np.divide(self.before, self.demand.mean, out=np.zeros_like(self.before), where=self.demand.mean > 0)
        self.early_lost = self.demand.scaled(share).lost(np.maximum(ready, 0.0))
        left = self.position - self.outdating - (self.before - self.early_lost)
        self.counted = self.before + np.maximum(left, 0.0) + np.minimum(self.position, 0.0)
        self.x = self.counted - self.show
        self._weigh()
        self.caps = self._caps()

    def packs(self) -> Floats:
        """Return the packs of each line for itself (rules 2 to 5)."""
        point = reorder_point(self.demand, self.pack, self.least)
        packs = np.minimum(packs_to(point, np.rint(self.x), self.pack), MOST_PACKS)
        packs = np.where((self.demand.mean > 0) | (self.counted < 0), packs, 0.0)
        self.enough = self.counted >= self.target
        self.asked = packs.copy()
        packs = np.minimum(packs, self.caps)
        self.low = (packs > 0) & (packs < self.minimum)
        if self.low.any():
            pays = self.gain(np.zeros_like(packs), self.minimum) > 0
            packs = np.where(self.low, np.where((self.minimum <= self.caps) & pays, self.minimum, 0.0), packs)
        self.empty = (packs == 0) & ~self.enough & (self.minimum <= self.caps) & self._worth_its_shelf()
        return np.where(self.empty, self.minimum, packs)

    def wanted(self) -> tuple[Ints, list[str]]:
        """Return the packs of each line for itself and the reasons (rules 2 to 5)."""
        packs, enough, empty, low = self.packs(), self.enough, self.empty, self.low
        short = np.where(self.room_caps < self.life_caps, "no-room", "short-lived")
        which = [enough & (packs == 0), empty, (packs < self.asked) & (packs == self.caps), packs == 0, low]
        why: list[Any] = ["enough", "needed", short, "not-worth-a-pack", "minimum"]
        reasons: list[str] = np.select(which, why, "needed").tolist()
        return packs.astype(np.int64), reasons

    def within(self, budgets: Sequence[tuple[int, Mask]], packs: Ints) -> None:
        """Cut the packs down to the money there is, the ones worth least per money first (rule 6)."""
        costs = packs * self.pack_cost
        left = np.array([max(0, minor) for minor, _ in budgets], dtype=np.float64)
        pays = np.array([lines for _, lines in budgets], dtype=np.bool_).reshape(len(budgets), len(packs))
        if (pays @ costs <= left).all():
            return
        rows, steps, before = self._steps(np.zeros_like(packs), packs)
        values = self.gain(before, steps, rows) / np.maximum(steps * self.pack_cost[rows], 1e-9)
        for at in np.flatnonzero(rows[1:] == rows[:-1]) + 1:
            values[at] = min(values[at], values[at - 1])  # what is worth as much comes in its turn
        kept, closed = np.zeros_like(packs), np.zeros(len(packs), dtype=np.bool_)
        for at in np.lexsort((before, -values)):
            row, cost = rows[at], int(steps[at] * self.pack_cost[rows[at]])
            if closed[row] or (left[pays[:, row]] < cost).any():
                closed[row] = True
                continue
            kept[row] += int(steps[at])
            left[pays[:, row]] -= cost
        self.cut = packs - kept
        packs[:] = kept

    def send_cut(self, budget: str, reasons: list[str]) -> None:
        """Give what did not fit the purse's name as its reason."""
        self.cut_by = budget
        for n in np.flatnonzero(self.cut):
            reasons[n] = budget

    def reach(self, minimum_minor: int, budget_minor: int | None, packs: Ints, reasons: list[str]) -> None:
        """Fill a basket up to the supplier's minimum, or postpone it (rule 7)."""
        total = int((packs * self.pack_cost).sum())
        if not total or total >= minimum_minor:
            return
        missing = minimum_minor - total
        added, cost = self._filled(packs, missing)
        affordable = budget_minor is None or total + int((added * self.pack_cost).sum()) <= budget_minor
        waiting = float(np.maximum(self.gain(np.zeros(len(packs)), packs.astype(np.float64)), 0.0).sum())
        if cost <= waiting and affordable:
            for n in np.flatnonzero(added):
                reasons[n] = "filled-up"
            packs += added
            return
        for n in np.flatnonzero(packs):
            reasons[n] = "postponed"
        self.waiting = packs.copy()
        packs[:] = 0

    def gain(self, before: Floats, steps: Floats, rows: Ints | None = None) -> Floats:
        """Return what `steps` packs on top of `before` bring until the delivery after the next, in minor units."""
        pick = np.arange(len(self.lines)) if rows is None else rows
        demand, pack, x = self.demand.take(pick), self.pack[pick], self.x[pick]
        units = x + before * pack
        sold = demand.lost(units) - demand.lost(units + steps * pack)
        return np.asarray(self.under[pick] * sold - self.over[pick] * (steps * pack - sold))

    def decisions(self, packs: Ints, reasons: list[str]) -> list[Decision]:
        """Return the decisions with the risks of other pack counts."""
        values = self.gain(np.maximum(packs - 1.0, 0.0), np.minimum(packs, 1.0)).tolist()
        found = zip(
            self.lines, packs.tolist(), self.level.tolist(), self.target.tolist(), reasons, self._risks(),
            self.counted.tolist(), values, (packs if self.waiting is None else self.waiting).tolist(),
            self.cut.tolist(), strict=True,
        )  # fmt: skip
        return [
            Decision(line, count, level, max(0, math.ceil(target)), reason, wanted, tuple(risk), counted, value, cut,
                     self.cut_by if cut else "")
            for line, count, level, target, reason, risk, counted, value, wanted, cut in found
        ]  # fmt: skip

    def _risks(self) -> list[list[int]]:
        """Return each line's risk to sell out with 0, 1, 2 ... packs, in 1/10,000; once there is none, none follows."""
        risks, rows = np.zeros((len(self.lines), SHOWN_PACKS), dtype=np.int64), np.arange(len(self.lines))
        for count in range(SHOWN_PACKS):
            there = self.counted[rows] + count * self.pack[rows]
            risks[rows, count] = np.rint(1e4 * self.demand.take(rows).beyond(there))
            rows = rows[risks[rows, count] > 0]
        found: list[list[int]] = risks.tolist()
        return found

    def _weigh(self) -> None:
        """Set service level, target and what a unit too few or too many costs (rule 1)."""
        self.margin = np.maximum(self.price - self.unit_cost, self.unit_cost * LEAST_MARGIN_BP / 10_000)
        holding = self.unit_cost * self.held * self.policy.holding_bp_a_day / 10_000
        waste = self.unit_cost * np.minimum(1.0, self.held / np.maximum(self.life, 1.0)) ** 2
        weighed = critical_ratio(self.margin, holding + waste)
        weighed = np.clip(weighed, self.policy.lowest_level, self.policy.highest_level)
        unset = np.isnan(self.own_level)
        self.level = np.where(unset, weighed, self.own_level)
        least = least_chance(
            self.demand, self.pack, weighed, days=self.interval, held_days=self.held, usual=self.usual,
            lately_spread=self.lately_spread,
        )  # fmt: skip
        self.least = np.where(unset, least, 1.0 - self.level)
        self.under = self.margin
        self.over = self.margin * self.least / np.maximum(1.0 - self.least, 0.01)
        self.target = self.demand.quantile(self.level) + self.show

    def _caps(self) -> Floats:
        """Return the packs that may come at most (rule 4)."""
        most = np.full(self.counted.shape, float(MOST_PACKS))
        self.life_caps, self.room_caps = most.copy(), most
        mortal = np.flatnonzero(np.isfinite(self.life))
        if mortal.size:
            sellable = critical_ratio(self.margin[mortal], self.unit_cost[mortal])
            mean = self.before[mortal] + self.rate[mortal] * self.life[mortal]
            whole = np.maximum(self.demand.mean[mortal], 1e-9)
            demand, lasting = self.demand.take(mortal), self.demand.take(mortal).scaled(mean / whole)
            point = reorder_point(lasting, self.pack[mortal], 1.0 - sellable)
            weight = self.unit_cost[mortal] / np.maximum(self.margin[mortal], 1e-9)
            fresh = spoiling_point(demand, lasting, self.pack[mortal], weight)
            point = np.where(self.life[mortal] <= FRESH_DAYS, np.minimum(point, fresh), point)
            self.life_caps[mortal] = packs_to(point, np.rint(self.counted[mortal]), self.pack[mortal])
        lies = np.rint(np.maximum(0.0, self.counted - self.before))
        roomy, placed = np.flatnonzero(~np.isnan(self.room)), np.flatnonzero(~np.isnan(self.slot))
        self.room_caps[roomy] = np.maximum(0.0, (self.room[roomy] - lies[roomy]) // self.pack[roomy])
        fills = (self.slot[placed] - lies[placed]) // self.pack[placed]
        covers = np.ceil((self.target[placed] - self.counted[placed]) / self.pack[placed])
        covers = np.maximum(covers, self.minimum[placed])
        self.room_caps[placed] = np.minimum(self.room_caps[placed], np.maximum(fills, covers))
        return np.asarray(np.minimum(self.life_caps, self.room_caps))

    def _worth_its_shelf(self) -> Mask:
        """Tell whether the smallest order earns more than its holding until it is sold, on a shelf that is empty."""
        holding = self.unit_cost * self.policy.holding_bp_a_day / 10_000 * self.minimum * self.pack
        pays = self.margin * 2 * self.rate > holding
        return np.asarray((self.position - self.before < 1) & (self.rate > 0) & pays)

    def _steps(self, have: Ints, packs: Ints) -> tuple[Ints, Floats, Floats]:
        """Return the single steps from `have` to `packs`: line, packs of the step, packs before it."""
        rows, steps, before = [], [], []
        for n in np.flatnonzero(packs > have):
            at, end = int(have[n]), int(packs[n])
            while at < end:
                step = min(end, int(self.minimum[n])) if at == 0 else 1
                rows.append(n)
                steps.append(float(step))
                before.append(float(at))
                at += step
        return np.array(rows, dtype=np.int64), np.array(steps), np.array(before)

    def _filled(self, packs: Ints, missing_minor: int) -> tuple[Ints, float]:
        """Return the packs that reach the minimum at least cost, and that cost; infinite where none do (rule 7)."""
        most = np.ceil(missing_minor / np.maximum(self.pack_cost, 1.0))
        most = np.maximum(np.minimum(most, MOST_FILLED), np.where(packs == 0, self.minimum, 0))
        goal = np.minimum(packs + most, self.caps)
        goal = np.where((self.demand.mean > 0) & (self.pack_cost > 0), goal, packs).astype(np.int64)
        goal = np.where((packs == 0) & (goal < self.minimum), packs, goal)
        rows, steps, before = self._steps(packs, goal)
        added = np.zeros_like(packs)
        if not rows.size:
            return added, math.inf
        costs = -self.gain(before, steps, rows)
        cost = 0.0
        for at in np.lexsort((before, costs / (steps * self.pack_cost[rows]))):
            added[rows[at]] += int(steps[at])
            cost += float(costs[at])
            missing_minor -= int(steps[at] * self.pack_cost[rows[at]])
            if missing_minor <= 0:
                return added, cost
        return added, math.inf
