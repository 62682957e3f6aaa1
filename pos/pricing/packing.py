"""Which units of a basket each group offer takes, so that the customer saves most. Pure.

Rules
-----
1. A unit is taken by one group offer at most.
2. Offers that share no unit are filled apart, each as if alone. Those that do are a knot: one walk over its units
   remembers how full each of them is, and finds the best of all choices.
3. A knot whose walk would take more than `BUDGET` steps is filled one offer after another instead, the one that saves
   most first, in all or per unit, whichever is better: never less than any one of its offers alone saves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

from pos.pricing.group_offers import Bundle, Group, Pack, Pot, Taking, alone, is_worth_it, long_run, note_run, pots_of

BUDGET = 16_000
"""Steps of one walk; some milliseconds."""


def solve(pots: Sequence[Pot], groups: Sequence[Group]) -> dict[int, Taking]:
    """Return what the group offers that apply take, by their place in `groups` (rules 1-3)."""
    sales_amount: dict[int, Taking] = {}
    worthy = [one for one, group in enumerate(groups) if is_worth_it(pots, group)]
    for knot in _knots(groups, worthy):
        chosen = [groups[one] for one in knot]
        single = len(knot) == 1
        found = [alone(pots, chosen[0])] if single else _walk(pots, chosen) or _one_after_another(pots, chosen)
        sales_amount.update({one: taking for one, taking in zip(knot, found, strict=True) if taking.times})
    return sales_amount


# --- inside ---


def _knots(groups: Sequence[Group], worthy: Sequence[int]) -> list[list[int]]:
    """Group the offers that share pots, directly or through others."""
    knot_of: dict[int, list[int]] = {}
    for one in worthy:
        mine = [one]
        for pot in pots_of(groups[one]):
            other = knot_of.get(pot)
            if other is not None and other is not mine:
                mine += other
                for known, knot in knot_of.items():
                    if knot is other:
                        knot_of[known] = mine
            knot_of[pot] = mine
    distinct = {id(knot): sorted(knot) for knot in knot_of.values()}
    return sorted(distinct.values())


@dataclass(slots=True)
class _Digit:
    """One number of the walk's state: how full a pack, or a bundle's part, is."""

    group: int
    part: int
    weight: int
    size: int
    turns: bool
    """A full pack starts again at nothing; otherwise the number only rises."""


_Step = tuple[int, dict[int, tuple[int, _Digit | None]]]
"""A pot, and for each state reached by taking a unit or closing an offer: the state before, the digit that rose."""


def _walk(pots: Sequence[Pot], groups: Sequence[Group]) -> list[Taking] | None:
    """Try every way of sharing the units out (rule 2); None when that takes more steps than the budget.

    A state is one number whose digits say how full each offer is; it returns to 0 once all pots of an offer are
    passed, so that only offers between their first and last pot multiply the states.
    """
    digits = _digits(pots, groups)
    if any(digit.size > BUDGET for digit in digits):
        return None
    by_pot: dict[int, list[_Digit]] = {}
    for digit in digits:
        for pot in _members(groups, digit):
            by_pot.setdefault(pot, []).append(digit)
    sales_amount = [Taking() for _ in groups]
    now: dict[int, int] = {0: 0}
    trail: list[_Step] = []
    order = _order(groups, by_pot)
    closing = _closing(order, groups)
    if _most_states(order, by_pot, closing) > BUDGET:
        return None
    steps = 0
    for pot in order:
        kept = _settle(pot, pots[pot], by_pot[pot], groups, sales_amount)
        moves = [(digit, _nets(groups, digit, pots[pot])) for digit in by_pot[pot]]
        for _ in range(kept):
            steps += len(now) * (len(moves) + 1)
            if steps > BUDGET:
                return None
            now, back = _try_one(now, moves)
            trail.append((pot, back))
        if pot in closing:
            now, back = _close(now, closing[pot], groups, digits)
            trail.append((pot, back))
    return _retrace(pots, groups, trail, sales_amount)


def _try_one(
    now: dict[int, int], moves: Sequence[tuple[_Digit, list[int]]]
) -> tuple[dict[int, int], dict[int, tuple[int, _Digit | None]]]:
    """Return the states one more unit leads to: left out, or taken by each offer."""
    later = dict(now)
    back: dict[int, tuple[int, _Digit | None]] = {}
    for digit, nets in moves:
        weight, size, last = digit.weight, digit.size, digit.size - 1
        for state, gain in now.items():
            place = state // weight % size
            if place < last:
                reached = state + weight
            elif digit.turns:
                reached = state - weight * last
            else:
                continue
            total = gain + nets[place]
            known = later.get(reached)
            if known is None or total > known:
                later[reached] = total
                back[reached] = (state, digit)
    return later, back


def _members(groups: Sequence[Group], digit: _Digit) -> tuple[int, ...]:
    group = groups[digit.group]
    return group.pots if isinstance(group, Pack) else group.pots[digit.part]


def _order(groups: Sequence[Group], by_pot: dict[int, list[_Digit]]) -> list[int]:
    """Return the pots so that few offers are open at a time; those of a pack stay in falling price (rule 2)."""
    waiting = {one: set(pots_of(group)) for one, group in enumerate(groups)}
    queues = {one: list(group.pots) for one, group in enumerate(groups) if isinstance(group, Pack)}
    offers = {pot: sorted({digit.group for digit in held}) for pot, held in by_pot.items()}
    opened: set[int] = set()
    order: list[int] = []
    left = sorted(by_pot)
    while left:
        ready = [pot for pot in left if all(queues[one][0] == pot for one in offers[pot] if one in queues)]
        pot = min(
            ready,
            key=lambda pot: (
                sum(one not in opened for one in offers[pot]),
                -sum(len(waiting[one]) == 1 for one in offers[pot]),
                min(len(waiting[one]) for one in offers[pot]),
                pot,
            ),
        )
        for one in offers[pot]:
            opened.add(one)
            waiting[one].discard(pot)
            if one in queues:
                queues[one].pop(0)
        order.append(pot)
        left.remove(pot)
    return order


def _closing(order: Sequence[int], groups: Sequence[Group]) -> dict[int, set[int]]:
    """Return which offers have no pot left after each pot."""
    last = {pot: n for n, pot in enumerate(order)}
    closing: dict[int, set[int]] = {}
    for one, group in enumerate(groups):
        closing.setdefault(max(pots_of(group), key=lambda pot: last[pot]), set()).add(one)
    return closing


def _most_states(order: Sequence[int], by_pot: dict[int, list[_Digit]], closing: dict[int, set[int]]) -> int:
    """Return how many states there could be at once, so that a hopeless walk is not begun."""
    opened: dict[tuple[int, int], int] = {}
    most = 1
    for pot in order:
        opened |= {(digit.group, digit.part): digit.size for digit in by_pot[pot]}
        most = max(most, prod(opened.values()))
        opened = {key: size for key, size in opened.items() if key[0] not in closing.get(pot, ())}
    return most


def _close(
    now: dict[int, int], ended: set[int], groups: Sequence[Group], digits: Sequence[_Digit]
) -> tuple[dict[int, int], dict[int, tuple[int, _Digit | None]]]:
    """Drop the states that leave an ended offer half full; take off what its bundles cost."""
    later: dict[int, int] = {}
    back: dict[int, tuple[int, _Digit | None]] = {}
    mine = [digit for digit in digits if digit.group in ended]
    for state, gain in now.items():
        paid = _paid(state, groups, mine)
        if paid is None:
            continue
        reached = state - sum(state // digit.weight % digit.size * digit.weight for digit in mine)
        if reached not in later or gain - paid > later[reached]:
            later[reached] = gain - paid
            back[reached] = (state, None)
    return later, back


def _digits(pots: Sequence[Pot], groups: Sequence[Group]) -> list[_Digit]:
    digits: list[_Digit] = []
    weight = 1
    for one, group in enumerate(groups):
        if isinstance(group, Pack):
            most = sum(pots[pot].qty for pot in group.pots) // group.size
            capped = group.limit is not None and group.limit < most
            size = group.size * group.limit + 1 if capped and group.limit is not None else group.size
            digits.append(_Digit(one, 0, weight, size, not capped))
            weight *= size
            continue
        most = min(
            sum(pots[pot].qty for pot in members) // qty
            for members, (qty, _off) in zip(group.pots, group.parts, strict=True)
        )
        most = most if group.limit is None else min(most, group.limit)
        for part, (qty, _off) in enumerate(group.parts):
            size = most * qty + 1
            digits.append(_Digit(one, part, weight, size, False))
            weight *= size
    return digits


def _nets(groups: Sequence[Group], digit: _Digit, pot: Pot) -> list[int]:
    """Return what a unit saves at every place of a digit, beyond what it would save alone."""
    group = groups[digit.group]
    if isinstance(group, Bundle):
        return [group.gain(digit.part, pot.price_minor) - pot.alone_minor] * digit.size
    nets = [gain - pot.alone_minor for gain in group.gains(pot.price_minor)]
    return nets if digit.turns else nets * ((digit.size - 1) // group.size)


def _settle(place: int, pot: Pot, held: Sequence[_Digit], groups: Sequence[Group], sales_amount: list[Taking]) -> int:
    """Settle most of a long run of equal units; return how many are left to try."""
    endless = [(digit.group, pack) for digit in held if digit.turns and isinstance(pack := groups[digit.group], Pack)]
    bounded = sum(digit.size - 1 for digit in held if not digit.turns)
    kept, times, best = long_run(pot, [pack for _one, pack in endless], bounded)
    if times:
        one, pack = endless[best]
        note_run(sales_amount[one], place, pot, pack, times)
    return kept


def _retrace(
    pots: Sequence[Pot], groups: Sequence[Group], trail: Sequence[_Step], sales_amount: list[Taking]
) -> list[Taking]:
    """Walk back from the only end, at which no offer is half full, and note what was claimed."""
    state = 0
    for pot, back in reversed(trail):
        before, digit = back.get(state, (state, None))
        if digit is not None:
            taking = sales_amount[digit.group]
            net = _nets(groups, digit, pots[pot])[before // digit.weight % digit.size]
            taking.units[pot] = taking.units.get(pot, 0) + 1
            taking.saving_minor += net + pots[pot].alone_minor
            taking.net_minor += net
        state = before
    for taking, group in zip(sales_amount, groups, strict=True):
        units = sum(taking.units.values())
        if isinstance(group, Pack):
            taking.times = units // group.size
            continue
        taking.times = units // sum(qty for qty, _off in group.parts)
        taking.saving_minor -= taking.times * (group.price_minor or 0)
        taking.net_minor -= taking.times * (group.price_minor or 0)
    return sales_amount


def _paid(state: int, groups: Sequence[Group], digits: Sequence[_Digit]) -> int | None:
    """Return the bundle prices to pay for these digits; None when a pack or bundle is half full."""
    paid = 0
    times: dict[int, int] = {}
    for digit in digits:
        place = state // digit.weight % digit.size
        group = groups[digit.group]
        size = group.size if isinstance(group, Pack) else group.parts[digit.part][0]
        if place % size or times.setdefault(digit.group, place // size) != place // size:
            return None
        if isinstance(group, Bundle) and digit.part == 0:
            paid += (group.price_minor or 0) * (place // size)
    return paid


def _one_after_another(pots: Sequence[Pot], groups: Sequence[Group]) -> list[Taking]:
    """Return the better of two quick choices: first who saves most in all, first who saves most per unit (rule 3)."""
    in_all = _greedily(pots, groups, lambda taking: taking.net_minor)
    per_unit = _greedily(pots, groups, lambda taking: taking.net_minor / max(1, sum(taking.units.values())))
    return max(in_all, per_unit, key=lambda sales_amount: sum(taking.net_minor for taking in sales_amount))


def _greedily(pots: Sequence[Pot], groups: Sequence[Group], worth: Callable[[Taking], float]) -> list[Taking]:
    """Let the offer that is worth most take what it wants, then the next one from what is left."""
    left = [Pot(pot.price_minor, pot.qty, pot.alone_minor) for pot in pots]
    sales_amount = [Taking() for _ in groups]
    waiting = sorted(
        ((alone(left, group), one, 0) for one, group in enumerate(groups)),
        key=lambda entry: (-worth(entry[0]), entry[1]),
    )
    taken = 0
    while waiting:
        taking, one, as_of = waiting.pop(0)
        if as_of < taken:  # what it wanted may be gone: ask again, and let it queue again
            again = alone(left, groups[one])
            place = next((n for n, (other, _, _) in enumerate(waiting) if worth(other) < worth(again)), len(waiting))
            waiting.insert(place, (again, one, taken))
            continue
        if taking.net_minor <= 0:
            continue
        sales_amount[one] = taking
        taken += 1
        for pot, units in taking.units.items():
            left[pot].qty -= units
    return sales_amount
