"""Of whom each product is ordered: all suppliers' baskets at once, their minimums and the money there is. PURE.

Rules
-----
1. A product stands at the supplier that serves it at the least total cost (`policy`, rule 8); at the same cost at the
   store's own, then the first by id.
2. A basket that would wait for its supplier's minimum is given up, the one farthest from its minimum first. What is
   wanted of it goes to the next best supplier that was not given up, wants it too, and comes before the goods that are
   waited for would; what has none waits on. Then all are decided again. So no more rounds than suppliers, and nothing
   waits that another could bring in time.
3. The money goes to the packs worth most of it, wherever they are; a pack comes where every purse that pays for its
   supplier holds enough. A basket that is given up gets none: its money goes to the others. What none of them wants for
   its packs may fill a basket up to its minimum, in the given order.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from supply.replenishment.policy import Decision, OrderPolicy, PolicyLine, decide_basket, share_money, total_costs

if TYPE_CHECKING:
    from supply.replenishment.budget import Budget

USUAL = OrderPolicy()


class Source(NamedTuple):
    """A supplier and all a store needs of it. is_own: it is the store's own, not the network's."""

    supplier_id: str
    minimum_minor: int
    is_own: bool
    lines: Sequence[PolicyLine]


def decide_sources(
    sources: Sequence[Source],
    ranks: Mapping[str, Sequence[str]],
    budgets: Sequence["Budget"] = (),
    policy: OrderPolicy = USUAL,
) -> dict[str, list[Decision]]:
    """Decide of whom every product is ordered and how much; each stands in the basket of one supplier.

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


# --- inside ---


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
    budgets: Sequence["Budget"],
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
