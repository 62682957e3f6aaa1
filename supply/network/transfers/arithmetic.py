"""Goods that are worth more in a neighbour's store: what each gains, and who brings what to whom. PURE.

Rules
-----
1. A store's gain from units less or more is what its stock is worth then (`policy`, rule 9) less what it is worth now.
   The goods change hands at cost, so what one pays the other gets, and the gains are what remains.
2. Of goods with a last day the receiver counts as lost, at cost, what its demand until that day will leave of them.
3. Of each product goes what brings both stores together most, as long as neither loses by it.
4. Each store carries half of the way, there and back. A transfer is proposed where both still gain `least_minor` each.
5. Pairs come by what they gain together. A product leaves a store once and reaches a store once; nobody has more than
   `most_a_store` transfers at a time.

Units: *_minor currency minor units, qty stock units, metres by road.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

import numpy as np

from supply.demand.lead_time_demand import Demand
from supply.replenishment.policy import OrderPolicy, PolicyLine, expected_outdating, worth

GRID = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 18, 24)
"""How many steps of a product are tried."""
Lots = Sequence[tuple[int, float]]
"""(days until the last day of sale, units), the first to go first."""


@dataclass(frozen=True)
class TransferPolicy:
    """What a transfer must be worth. a_km_minor: what a kilometre costs."""

    most_metres: int = 5_000
    a_km_minor: int = 50
    least_minor: int = 200
    most_lines: int = 12
    most_a_store: int = 3


@dataclass(frozen=True)
class Spare:
    """What a store gains by giving so many units of a product. last_day: the first of theirs that is over, if any."""

    gains: Mapping[int, int]
    last_day: dt.date | None = None


@dataclass(frozen=True)
class Want:
    """What a store gains by getting so many units, were they to keep.

    per_day and spread (variance / mean) of demand.
    """

    gains: Mapping[int, int]
    per_day: float
    spread: float


@dataclass(frozen=True)
class Sheet:
    """What a store can spare and could use, by SKU."""

    spares: Mapping[str, Spare] = field(default_factory=dict)
    wants: Mapping[str, Want] = field(default_factory=dict)

    def without(self, skus: Set[str]) -> "Sheet":
        """Return the sheet without these products."""
        return Sheet(
            {sku: one for sku, one in self.spares.items() if sku not in skus},
            {sku: one for sku, one in self.wants.items() if sku not in skus},
        )


@dataclass(frozen=True)
class Line:
    """One product of a match and what each store gains by it."""

    sku: str
    qty: int
    last_day: dt.date | None
    giver_minor: int
    taker_minor: int


@dataclass(frozen=True)
class Match:
    """What one store would bring another; the gains are those after the way (rule 4)."""

    giver_id: str
    taker_id: str
    metres: int
    lines: tuple[Line, ...]
    giver_minor: int
    taker_minor: int


def quantities(step: int, most: int) -> list[int]:
    """Return the quantities that are tried: whole steps, `most` at most."""
    return [count * step for count in GRID if count * step <= most]


def spare_gains(line: PolicyLine, lots: Lots, daily: Sequence[float], given: Sequence[int]) -> dict[int, int]:
    """Return what the store gains by giving each of these quantities, the units that expire first first (rule 1)."""
    less = [
        line._replace(position_qty=line.position_qty - qty, outdating_qty=expected_outdating(without(lots, qty), daily))
        for qty in (0, *given)
    ]
    return _gains(less, given)


def want_gains(line: PolicyLine, got: Sequence[int]) -> dict[int, int]:
    """Return what the store gains by getting each of these quantities (rule 1)."""
    return _gains([line._replace(position_qty=line.position_qty + qty) for qty in (0, *got)], got)


def without(lots: Lots, qty: float) -> list[tuple[int, float]]:
    """Return the lots after so many units left, the first to expire first."""
    rest, left = float(qty), []
    for days, units in sorted(lots):
        gone = min(rest, units)
        rest -= gone
        if units > gone:
            left.append((days, units - gone))
    return left


def matches(
    sheets: Mapping[str, Sheet],
    near: Iterable[tuple[str, str, int]],
    unit_cost: Mapping[str, float],
    today: dt.date,
    *,
    taken: Mapping[str, int] | None = None,
    not_again: frozenset[tuple[str, str, str]] = frozenset(),
    policy: TransferPolicy = TransferPolicy(),
) -> list[Match]:
    """Return the transfers that both stores gain by, the best first (rules 2 to 5).

    near: (giver, taker, metres). unit_cost: by SKU; what is not in it is not transferred. taken: how many transfers a
    store has already. not_again: (giver, taker, SKU) that were declined lately.
    """
    found = []
    for giver, taker, metres in near:
        if metres <= policy.most_metres and giver in sheets and taker in sheets:
            lines = _lines(giver, taker, sheets, unit_cost, today, not_again)
            match = _match(giver, taker, metres, lines, policy)
            if match is not None:
                found.append(match)
    found.sort(key=lambda one: (-one.giver_minor - one.taker_minor, one.giver_id, one.taker_id))
    chosen: list[Match] = []
    count, left, reached = dict(taken or {}), set[tuple[str, str]](), set[tuple[str, str]]()
    for one in found:
        if max(count.get(one.giver_id, 0), count.get(one.taker_id, 0)) >= policy.most_a_store:
            continue
        lines = [
            line for line in one.lines if not {(one.giver_id, line.sku), (one.taker_id, line.sku)} & (left | reached)
        ]
        match = _match(one.giver_id, one.taker_id, one.metres, lines, policy)
        if match is None:
            continue
        chosen.append(match)
        left |= {(match.giver_id, line.sku) for line in match.lines}
        reached |= {(match.taker_id, line.sku) for line in match.lines}
        for store in (match.giver_id, match.taker_id):
            count[store] = count.get(store, 0) + 1
    return chosen


# --- inside ---


def _gains(lines: Sequence[PolicyLine], steps: Sequence[int]) -> dict[int, int]:
    values = worth(lines, OrderPolicy())
    return {qty: int(np.floor(gain)) for qty, gain in zip(steps, values[1:] - values[0], strict=True)}


def _lines(
    giver: str,
    taker: str,
    sheets: Mapping[str, Sheet],
    unit_cost: Mapping[str, float],
    today: dt.date,
    not_again: frozenset[tuple[str, str, str]],
) -> list[Line]:
    """Return the best quantity of each product the one can spare and the other could use (rules 2, 3)."""
    spares, wants = sheets[giver].spares, sheets[taker].wants
    lines = []
    for sku in sorted(spares.keys() & wants.keys() & unit_cost.keys()):
        if (giver, taker, sku) in not_again:
            continue
        spare, want = spares[sku], wants[sku]
        options = [
            Line(
                sku,
                qty,
                spare.last_day,
                mine,
                want.gains[qty] - _lost(want, qty, spare.last_day, today, unit_cost[sku]),
            )
            for qty, mine in spare.gains.items()
            if qty in want.gains
        ]
        good = [line for line in options if min(line.giver_minor, line.taker_minor) >= 0]
        best = max(good, key=lambda line: (line.giver_minor + line.taker_minor, -line.qty), default=None)
        if best is not None and best.giver_minor + best.taker_minor > 0:
            lines.append(best)
    return sorted(lines, key=lambda line: (-line.giver_minor - line.taker_minor, line.sku))


def _lost(want: Want, qty: int, last_day: dt.date | None, today: dt.date, unit_cost: float) -> int:
    """Return the cost of what will be left of units on their last day (rule 2)."""
    if last_day is None:
        return 0
    mean = want.per_day * max(0, (last_day - today).days)
    if mean <= 0:
        return int(np.ceil(unit_cost * qty))
    left = Demand(np.array([mean]), np.array([mean * want.spread])).left(np.array([float(qty)]))[0]
    return int(np.ceil(unit_cost * left))


def _match(giver: str, taker: str, metres: int, lines: Sequence[Line], policy: TransferPolicy) -> Match | None:
    lines = lines[: policy.most_lines]
    half_way = -(-2 * metres * policy.a_km_minor // 2_000)
    giver_minor = sum(line.giver_minor for line in lines) - half_way
    taker_minor = sum(line.taker_minor for line in lines) - half_way
    if not lines or min(giver_minor, taker_minor) < policy.least_minor:
        return None
    return Match(giver, taker, metres, tuple(lines), giver_minor, taker_minor)
