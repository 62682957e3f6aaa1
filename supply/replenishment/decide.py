"""Which product to order from which supplier, how much and why, from what `look` read. PURE.

Rules
-----
1. A price counts without its tax. What is kept for show, room and service are the shopkeeper's preferences. What has a
   slot of the shelf plan that stands when the goods come keeps its front row for show, one portion a facing, unless the
   shopkeeper chose otherwise, and the slot is its place on the shelf; what edits taught is added (`service_targets`).
2. Units of a recalled lot are not there. Of dated lots, what will expire unsold within the interval does not count.
   What is on the way counts from its day on; a lead time's spread widens demand.
3. A product stands at the supplier that serves it at the least total cost (`policy`, rule 8); at the same cost at the
   store's own, then the first by id.
4. A basket that would wait for its supplier's minimum is given up, the one farthest from its minimum first. What is
   wanted of it goes to the next best supplier that was not given up, wants it too, and comes before the goods that are
   waited for would; what has none waits on. Then all are decided again. So no more rounds than suppliers, and nothing
   waits that another could bring in time.
5. The money goes to the packs worth most of it, wherever they are; a pack comes where every purse that pays for its
   supplier holds enough. A basket that is given up gets none: its money goes to the others. What none of them wants for
   its packs may fill a basket up to its minimum, in the given order.
6. A line keeps the facts behind it (`why`) as `supply/replenishment/proposals.py`, rule 5, says.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from supply.demand.expected import Basis
from supply.orders.delivery_calendar import OrderCycle
from supply.replenishment.budget import Budget
from supply.replenishment.look import Candidate, Situation
from supply.replenishment.open_orders import Missed
from supply.replenishment.policy import (
    Decision,
    OrderPolicy,
    PolicyLine,
    decide_basket,
    expected_outdating,
    ready,
    share_money,
    storefront_policy,
    total_costs,
)

USUAL = OrderPolicy()


@dataclass(frozen=True)
class Alternative:
    """Another supplier of a product: what a pack holds and costs there, and when it would come."""

    supplier_id: str
    name: str
    pack_qty: int
    pack_cost_minor: int
    delivery_day: dt.date

    def reported(self) -> list[Any]:
        """Return it as a line keeps it."""
        return [self.name, self.pack_qty, self.pack_cost_minor, self.delivery_day.isoformat()]


class Requirement(NamedTuple):
    """A product as a proposal sees it.

    daily: mean demand of each day of the interval, the first one what is left of today.
    on_the_way: what comes on each day of it. method: forecast | mean28 | region28. missed: what should be here and did
    not come (`to_come`). consigned: units of on_hand that are somebody else's, and the last day they may go back.
    """

    line: PolicyLine
    name: str
    stock_unit: str
    on_hand: int
    reserved: int
    on_the_way: dict[dt.date, int]
    first_day: dt.date
    daily: tuple[float, ...]
    method: str
    model: str = ""
    regional_share_bp: int = 0
    adjusted_qty: int = 0
    others: tuple[Alternative, ...] = ()
    missed: tuple[Missed, ...] = ()
    consigned: tuple[int, dt.date] | None = None


class Source(NamedTuple):
    """A supplier and all a store needs of it. is_own: it is the store's own, not the network's."""

    supplier_id: str
    minimum_minor: int
    is_own: bool
    lines: Sequence[PolicyLine]


@dataclass(frozen=True)
class Draft:
    """A proposal worked out and not yet written: what is wanted of one supplier, and on what it stands.

    lines: the columns of its lines, without the order they will belong to.
    """

    supplier_id: str
    minimum_minor: int
    days: OrderCycle
    basis: Basis
    lines: Sequence[dict[str, Any]]
    postponed: bool
    counted_on: frozenset[str]
    """The orders that were on their way."""


def drafts(situation: Situation) -> list[Draft]:
    """Decide what to order of every supplier that has something the store needs, to the last column of each line."""
    candidates, wanted = {one.supplier_id: one for one in situation.candidates}, requirements(situation)
    sources = [source_of(one, wanted) for one in situation.candidates]
    offers = {(one, item.line.sku): item for one, found in wanted.items() for item in found}
    ranks, policy, made = ranked(sources), storefront_policy(situation.service_bp), []
    for supplier_id, decisions in decide_sources(sources, ranks, situation.budgets, policy).items():
        chosen, lines = candidates[supplier_id], []
        for decision in decisions:
            if decision.wanted_packs or decision.cut_packs:
                sku = decision.line.sku
                others = [_alternative(candidates[one], offers[one, sku]) for one in ranks[sku] if one != supplier_id]
                item = offers[supplier_id, sku]._replace(others=tuple(others))
                lines.append(_line(chosen.days, item, decision))
        if lines:
            waits = any(one.reason == "postponed" for one in decisions)
            made.append(
                Draft(supplier_id, chosen.minimum_minor, chosen.days, situation.basis, lines, waits,
                      situation.on_the_way)
            )  # fmt: skip
    return made


def line_of(situation: Situation) -> dict[str, Any] | None:
    """Return the columns of the only line there is to decide on, for itself; None where the store does not sell it."""
    (candidate,) = situation.candidates
    for item in requirements(situation)[candidate.supplier_id]:
        (decision,) = decide_basket([item.line], policy=storefront_policy(situation.service_bp))
        return _line(candidate.days, item, decision)
    return None


def requirements(situation: Situation) -> dict[str, list[Requirement]]:
    """Return what is needed of every supplier's products until it comes again (rules 1, 2)."""
    return {one.supplier_id: _requirements(situation, one) for one in situation.candidates}


def source_of(one: Candidate, wanted: Mapping[str, Sequence[Requirement]]) -> Source:
    """Return a supplier with what is needed of it."""
    return Source(one.supplier_id, one.minimum_minor, one.is_own, [item.line for item in wanted[one.supplier_id]])


def decide_sources(
    sources: Sequence[Source],
    ranks: Mapping[str, Sequence[str]],
    budgets: Sequence[Budget] = (),
    policy: OrderPolicy = USUAL,
) -> dict[str, list[Decision]]:
    """Choose a supplier and a quantity for every product.

    ranks: as `ranked` tells them. Returns the decisions by supplier, in the order of `sources`, without those that are
    left with nothing.
    """
    offers = {(one.supplier_id, line.sku): line for one in sources for line in one.lines}
    minimums = {one.supplier_id: one.minimum_minor for one in sources}
    wanted: set[tuple[str, str]] = set()
    given_up: dict[str, list[Decision]] = {}
    while True:
        place = {sku: _place(sku, rank, offers, wanted, given_up) for sku, rank in ranks.items()}
        baskets = {
            one.supplier_id: [line for line in one.lines if place[line.sku] == one.supplier_id]
            for one in sources
            if one.supplier_id not in given_up
        }
        decided = _decided(baskets, minimums, budgets, policy)
        reached = [(_reached(found, minimums[one]), one) for one, found in decided.items() if _waits(found)]
        if not reached:
            break
        _, last = min(reached)
        wanted = wanted or _wanted(sources, ranks, policy)
        given_up[last] = decided[last]
    of_all = decided | given_up
    found = {one: [decision for decision in of_all[one] if place[decision.line.sku] == one] for one in minimums}
    return {one: decisions for one, decisions in found.items() if decisions}


def ranked(sources: Sequence[Source]) -> dict[str, list[str]]:
    """Return the suppliers of each product, the best first (rule 1)."""
    several: dict[str, list[tuple[Source, PolicyLine]]] = {}
    for one in sources:
        for line in one.lines:
            several.setdefault(line.sku, []).append((one, line))
    found = {}
    for sku, offers in several.items():
        costs = total_costs([line for _, line in offers]).tolist() if len(offers) > 1 else [0.0]
        keys = [(round(cost, 6), not one.is_own, one.supplier_id) for cost, (one, _) in zip(costs, offers, strict=True)]
        found[sku] = [supplier_id for _, _, supplier_id in sorted(keys)]
    return found


def runs_out(
    daily: Sequence[float],
    rate: float,
    units: float,
    first: dt.date,
    most_days: int,
    coming: Mapping[dt.date, int] | None = None,
) -> dt.date | None:
    """Return the first day whose mean demand finds less than it wants; after `daily` the rate goes on.

    coming: units that are there from the morning of their day on.
    """
    for n in range(most_days):
        day = first + dt.timedelta(days=n)
        units += (coming or {}).get(day, 0) - (daily[n] if n < len(daily) else rate)
        if units < -1e-9:
            return day
    return None


# --- inside ---


def _requirements(situation: Situation, one: Candidate) -> list[Requirement]:
    basis, expected, last, days = situation.basis, one.expected, one.last, one.days
    until = expected.daily.cumsum(axis=1)
    mean, before_days = until[:, -1], max(0, (days.delivery_day - basis.today).days)
    before = until[:, min(before_days, until.shape[1]) - 1] if before_days else 0.0 * mean
    interval = (last - basis.today).days + basis.today_left
    variance = expected.variance + (mean / interval if interval > 0 else 0.0 * mean) ** 2 * one.lead.variance
    held_days, spoken_for = float((days.next_delivery_day - days.delivery_day).days), situation.spoken_for[last]
    slots, found = situation.slots[days.delivery_day], []
    columns = zip(
        one.terms, mean.tolist(), variance.tolist(), before.tolist(), expected.usual.tolist(),
        expected.lately_spread.tolist(), expected.daily.tolist(), expected.how, strict=True,
    )  # fmt: skip
    for terms, mean, variance, before, usual, lately, daily, (method, model, share) in columns:
        _, sku, pack_qty, cost, minimum = terms
        article, taught = situation.articles[sku], situation.taught.get(sku, 0)
        preference = situation.preferences.get(sku)
        on_way = {day: qty for day, qty in situation.waited.coming.get(sku, {}).items() if day <= last}
        on_hand, reserved = situation.levels.get(sku, (0, 0))
        free = on_hand - reserved - spoken_for.get(sku, 0) - situation.recalled.get(sku, 0)
        front_qty, fill_qty = slots.get(sku, (0, None))
        line = PolicyLine(
            sku, mean, variance, before, interval, held_days, free + sum(on_way.values()), pack_qty, cost,
            situation.prices[sku] * 10_000 // article.tax_divisor_bp, article.price_quantity, minimum,
            article.shelf_life_days, preference.service_bp / 10_000 if preference and preference.service_bp else None,
            expected_outdating(situation.lots[sku], daily) if sku in situation.lots else 0.0,
            taught + (preference.show_qty if preference and preference.show_qty else front_qty),
            preference.room_qty if preference else None, usual,
            ready(daily[:before_days], free, {(day - basis.today).days: qty for day, qty in on_way.items()})
            if on_way else None,
            fill_qty, lately,
        )  # fmt: skip
        found.append(
            Requirement(line, article.name, article.stock_unit, on_hand, reserved, on_way, basis.today, tuple(daily),
                 method, model, round(10_000 * share), taught, missed=tuple(situation.waited.missed.get(sku, ())),
                 consigned=situation.consigned.get(sku))
        )  # fmt: skip
    return found


def _alternative(other: Candidate, item: Requirement) -> Alternative:
    line = item.line
    return Alternative(other.supplier_id, other.name, line.pack_qty, line.pack_cost_minor, other.days.delivery_day)


def _line(days: OrderCycle, item: Requirement, decision: Decision) -> dict[str, Any]:
    """Return a line's columns, without the order's."""
    line = item.line
    return {
        "sku": line.sku, "name": item.name, "pack_qty": line.pack_qty, "pack_cost_minor": line.pack_cost_minor,
        "minimum_packs": line.minimum_packs, "packs_proposed": decision.wanted_packs, "packs": decision.wanted_packs,
        "why": _why(days, item, decision),
    }  # fmt: skip


def _why(days: OrderCycle, item: Requirement, decision: Decision) -> dict[str, Any]:
    """Return the facts behind a line (rule 5)."""
    line = item.line
    rate = line.mean / line.interval_days if line.interval_days > 0 else 0.0
    span = (days.next_delivery_day - item.first_day).days
    coming = sum(item.on_the_way.values())
    here = max(0, line.position_qty - coming)
    day = runs_out(item.daily, rate, here, item.first_day, span, item.on_the_way) if rate > 0 else None
    counted = decision.counted_qty
    reported: dict[str, Any] = {
        "per_day": round(rate, 3),
        "on_hand": item.on_hand,
        "reserved": item.reserved,
        "on_the_way": coming,
        "expected": round(line.mean, 3),
        "target": decision.target_qty,
        "required_qty": max(0, decision.target_qty - line.position_qty),
        "service_bp": round(decision.service_level * 10_000),
        "risk_bp": decision.risk_bp,
        "runs_out_day": day.isoformat() if day else None,
        "method": item.method,
        "model": item.model,
        "regional_share_bp": item.regional_share_bp,
        "reason": decision.reason,
        "stock_unit": item.stock_unit,
        "packs": decision.wanted_packs,
        "pack_qty": line.pack_qty,
        "cost_minor": decision.wanted_packs * line.pack_cost_minor,
        "adjusted_qty": item.adjusted_qty,
        "show_qty": line.presentation_qty - item.adjusted_qty,
        "first_day": item.first_day.isoformat(),
        "delivery_day": days.delivery_day.isoformat(),
        "next_delivery_day": days.next_delivery_day.isoformat(),
        "cover_days_milli": round(1000 * (counted + decision.wanted_packs * line.pack_qty) / rate)
        if rate > 0
        else None,
        "counted_qty_milli": round(1000 * counted),
        "daily_milli": [round(1000 * units) for units in item.daily],
        "risks_bp": list(decision.risks_bp),
    }
    if decision.cut_packs:
        reported |= {"cut_packs": decision.cut_packs, "cut_by": decision.cut_by}
    if line.slot_qty is not None:
        reported["slot_qty"] = line.slot_qty
    if item.consigned:
        reported["consigned"] = [item.consigned[0], item.consigned[1].isoformat()]
    if line.outdating_qty >= 0.5:
        reported["outdating"] = round(line.outdating_qty, 1)
    if item.missed:
        reported["missed"] = [one.reported() for one in item.missed]
    if item.others:
        reported["others"] = [one.reported() for one in item.others]
    return reported


def _wanted(sources: Sequence[Source], ranks: Mapping[str, Sequence[str]], policy: OrderPolicy) -> set[tuple[str, str]]:
    """Return which products that several suppliers sell are wanted of which of them."""
    return {
        (one.supplier_id, decision.line.sku)
        for one in sources
        for decision in decide_basket([line for line in one.lines if len(ranks[line.sku]) > 1], policy=policy)
        if decision.packs
    }


def _place(
    sku: str,
    rank: Sequence[str],
    offers: Mapping[tuple[str, str], PolicyLine],
    wanted: set[tuple[str, str]],
    given_up: Mapping[str, object],
) -> str:
    """Return the supplier a product stands at (rules 1, 2)."""
    first = rank[0]
    if first not in given_up or (first, sku) not in wanted:
        return first
    waited_for = offers[first, sku].interval_days
    for other in rank[1:]:
        line = offers[other, sku]
        comes_before = waited_for - (line.interval_days - line.held_days) > 0.5  # whole days apart
        if other not in given_up and (other, sku) in wanted and comes_before:
            return other
    return first


def _decided(
    baskets: Mapping[str, Sequence[PolicyLine]],
    minimums: Mapping[str, int],
    budgets: Sequence[Budget],
    policy: OrderPolicy,
) -> dict[str, list[Decision]]:
    """Decide on these baskets within the money (rule 3)."""
    if not budgets:
        return {one: decide_basket(lines, minimums[one], policy=policy) for one, lines in baskets.items()}
    limits = [(budget.left_minor, [one in budget.suppliers for one in baskets]) for budget in budgets]
    shares = dict(zip(baskets, share_money([*baskets.values()], limits, policy), strict=True))
    spare = {
        budget: max(0, budget.left_minor) - sum(share for one, share in shares.items() if one in budget.suppliers)
        for budget in budgets
    }
    found = {}
    for one, lines in baskets.items():
        mine = [budget for budget in budgets if one in budget.suppliers]
        if not mine:
            found[one] = decide_basket(lines, minimums[one], policy=policy)
            continue
        tight = min(mine, key=spare.__getitem__)
        found[one] = decide_basket(lines, minimums[one], shares[one] + spare[tight], policy, tight.name)
        more = max(0, sum(decision.cost_minor for decision in found[one]) - shares[one])
        for budget in mine:
            spare[budget] -= more
    return found


def _waits(decisions: Sequence[Decision]) -> bool:
    return any(one.wanted_packs for one in decisions) and not any(one.packs for one in decisions)


def _reached(decisions: Sequence[Decision], minimum_minor: int) -> float:
    """Return the share of its minimum that is wanted of a basket."""
    return sum(one.wanted_packs * one.line.pack_cost_minor for one in decisions) / max(minimum_minor, 1)
