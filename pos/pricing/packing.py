"""Which units of a basket each group offer takes, so that the customer saves most. Pure.

Rules
-----
1. A unit is taken by one group offer at most; one left out keeps what its own best offer saves (`alone_minor`).
2. A pack of n: its units in falling price; the last ones are reduced, or all together cost a price. For any set of
   units the best packs are the neighbours in falling price, so a walk over the units that only remembers how full
   the open pack is finds the best of all choices. A bundle takes of each part what saves most.
3. Offers that share no unit are filled apart, each as if alone. Those that do are a knot: one walk over its units
   remembers how full each of them is, and finds the best of all choices.
4. A knot whose walk would take more than `BUDGET` steps is filled one offer after another instead, the one that saves
   most first, in all or per unit, whichever is better: never less than any one of its offers alone saves.
5. Pots come in falling price, with a tie rule of the caller's; so the answer depends on what is in the basket, never
   on its order.
"""

from bisect import insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import prod

from config.money import BASIS, divide_half_up

BUDGET = 16_000
"""Steps of one walk; some milliseconds."""
COUNTABLE = 4_000
"""Up to this many states times pots a limit is counted along while walking; beyond, the best packs are kept."""
_NEVER = -(10**18)


@dataclass(slots=True)
class Pot:
    """Units that no offer can tell apart: their price, and what one of them saves without a group offer."""

    price_minor: int
    qty: int
    alone_minor: int = 0


@dataclass(frozen=True, slots=True)
class Pack:
    """n units together: `reduced` of them, the cheapest, at `off_bp` or `each_minor` less, or all for `price_minor`."""

    size: int
    pots: tuple[int, ...]
    reduced: int = 0
    off_bp: int = 0
    price_minor: int | None = None
    limit: int | None = None
    each_minor: int | None = None

    def gains(self, price_minor: int) -> tuple[int, ...]:
        """Return what a unit of this price saves at each place of the pack."""
        if self.price_minor is not None:
            return (price_minor,) * (self.size - 1) + (price_minor - self.price_minor,)
        off = share_off(price_minor, self.off_bp) if self.each_minor is None else min(price_minor, self.each_minor)
        return (0,) * (self.size - self.reduced) + (off,) * self.reduced


@dataclass(frozen=True, slots=True)
class Bundle:
    """Units for every part together: each part at its own `off_bp` less, or all for `price_minor`."""

    parts: tuple[tuple[int, int], ...]
    """(qty, off_bp) of each part."""
    pots: tuple[tuple[int, ...], ...]
    """The pots each part may take from; a pot serves one part."""
    price_minor: int | None = None
    limit: int | None = None

    def gain(self, part: int, price_minor: int) -> int:
        """Return what a unit of this price saves in a part; a price for all is taken off once per bundle."""
        return price_minor if self.price_minor is not None else share_off(price_minor, self.parts[part][1])


@dataclass(slots=True)
class Taking:
    """What a group offer takes: units by pot, how often it applied, and what it saves in all."""

    units: dict[int, int] = field(default_factory=dict)
    times: int = 0
    saving_minor: int = 0
    net_minor: int = 0
    """The saving beyond what the units would have saved alone."""


Group = Pack | Bundle


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


def share_off(price_minor: int, off_bp: int) -> int:
    """Return a percentage of a price, rounded half up: the reduced price is a price one can print."""
    return divide_half_up(price_minor * off_bp, BASIS)


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


# --- one offer with the basket to itself ---


def pots_of(group: Group) -> Iterator[int]:
    """Return the pots an offer may take from."""
    if isinstance(group, Pack):
        yield from group.pots
    else:
        for part in group.pots:
            yield from part


def is_worth_it(pots: Sequence[Pot], group: Group) -> bool:
    """Tell whether any filling of an offer could save more than its units do alone; True where unsure."""
    if isinstance(group, Bundle):
        best = -(group.price_minor or 0)
        for part, (members, (qty, _off)) in enumerate(zip(group.pots, group.parts, strict=True)):
            nets = ((pots[pot], group.gain(part, pots[pot].price_minor)) for pot in members)
            units = sorted(
                (gain - pot.alone_minor for pot, gain in nets for _ in range(min(qty, pot.qty))), reverse=True
            )
            best += sum(units[:qty])
        return best > 0
    if group.price_minor is not None:
        nets_all = [pots[pot].price_minor - pots[pot].alone_minor for pot in group.pots
                    for _ in range(min(group.size, pots[pot].qty))]  # fmt: skip
        return sum(sorted(nets_all, reverse=True)[: group.size]) > group.price_minor
    if group.reduced > 1:
        return True
    dearer: list[int] = []  # what the units that would come first in the pack save alone, the least first
    for place in group.pots:
        pot = pots[place]
        net = group.gains(pot.price_minor)[-1] - pot.alone_minor
        for _ in range(min(group.size, pot.qty)):
            if len(dearer) >= group.size - 1 and net > sum(dearer[: group.size - 1]):
                return True
            insort(dearer, pot.alone_minor)
    return False


def alone(pots: Sequence[Pot], group: Group) -> Taking:
    """Solve one group offer with the pots to itself; exact but for a limit too large to count along."""
    if isinstance(group, Bundle):
        return _bundles(pots, group)
    most = sum(pots[pot].qty for pot in group.pots) // group.size
    if group.limit is None or group.limit >= most:
        return _fill(pots, group, group.size, turns=True)
    size = group.size * group.limit + 1
    if size * len(group.pots) <= COUNTABLE:
        return _fill(pots, group, size, turns=False)
    return _capped(pots, group, group.limit)


def long_run(pot: Pot, endless: Sequence[Pack], bounded_units: int) -> tuple[int, int, int]:
    """Settle most of a long run of equal units without trying each.

    endless: the packs without a limit that may take them; bounded_units: how many the other offers can take at most.
    Returns how many units are left to try, and how many times the pack at which place of `endless` takes the others;
    zero times: they stay alone. Exact: where one use saves most per unit, as many uses of any other as its size can
    be swapped for it without loss, so only a bounded number of units is used otherwise.
    """
    best, cycle, worth = 0, 1, pot.alone_minor
    packed = False
    for place, pack in enumerate(endless):
        gain = sum(pack.gains(pot.price_minor))
        if gain * cycle > worth * pack.size:
            best, cycle, worth, packed = place, pack.size, gain, True
    sizes = sum(pack.size for pack in endless)
    lone = len(endless) == 1 and not bounded_units  # nothing else to swap for: every whole cycle goes the same way
    bounded = sizes - 1 if lone else cycle * (sizes + 1) + sizes + bounded_units
    times = max(0, pot.qty - bounded) // cycle
    return pot.qty - times * cycle, times if packed else 0, best


def note_run(taking: Taking, place: int, pot: Pot, pack: Pack, times: int) -> None:
    """Note that a pack takes equal units so many times."""
    if times:
        worth = sum(pack.gains(pot.price_minor))
        taking.units[place] = taking.units.get(place, 0) + times * pack.size
        taking.saving_minor += times * worth
        taking.net_minor += times * (worth - pack.size * pot.alone_minor)


def _fill(pots: Sequence[Pot], pack: Pack, size: int, *, turns: bool) -> Taking:
    """Walk over the units, remembering how full the open pack is, or how many units are taken (rule 2)."""
    taking = Taking()
    best = [0] + [_NEVER] * (size - 1)
    trail: list[tuple[int, list[bool]]] = []
    for place in pack.pots:
        pot = pots[place]
        nets = [gain - pot.alone_minor for gain in pack.gains(pot.price_minor)]
        kept = min(pot.qty, size - 1)
        if turns:
            kept, times, _best = long_run(pot, [pack], 0)
            note_run(taking, place, pot, pack, times)
        else:
            nets *= (size - 1) // pack.size
        for _ in range(kept):
            reached = [before + net for before, net in zip(best, nets, strict=False)]
            reached = [reached[-1], *reached[:-1]] if turns else [_NEVER, *reached]
            took = [new > old for new, old in zip(reached, best, strict=True)]
            best = [max(pair) for pair in zip(reached, best, strict=True)]
            trail.append((place, took))
    ends = [0] if turns else range(0, size, pack.size)
    end = max(ends, key=lambda one: best[one])
    taking.net_minor += best[end]
    for place, took in reversed(trail):
        if took[end]:
            end = end - 1 if end else size - 1
            taking.units[place] = taking.units.get(place, 0) + 1
            taking.saving_minor += pack.gains(pots[place].price_minor)[end % pack.size]
    taking.times = sum(taking.units.values()) // pack.size
    return taking


def _capped(pots: Sequence[Pot], pack: Pack, limit: int) -> Taking:
    """Fill packs without the limit, then keep those that save most."""
    free = _fill(pots, pack, pack.size, turns=True)
    units = [pot for pot in pack.pots for _ in range(min(free.units.get(pot, 0), limit * pack.size))]
    packs = []
    for start in range(0, len(units) - pack.size + 1, pack.size):
        held = units[start : start + pack.size]
        saving = sum(pack.gains(pots[pot].price_minor)[place] for place, pot in enumerate(held))
        packs.append((saving - sum(pots[pot].alone_minor for pot in held), saving, held))
    taking = Taking()
    for net, saving, held in sorted(packs, key=lambda one: -one[0])[:limit]:
        if net <= 0:
            break
        taking.times += 1
        taking.saving_minor += saving
        taking.net_minor += net
        for pot in held:
            taking.units[pot] = taking.units.get(pot, 0) + 1
    return taking


def _bundles(pots: Sequence[Pot], bundle: Bundle) -> Taking:
    """Make one bundle after another from what each part saves most with; each saves no more than the one before."""
    pools = []
    for part, members in enumerate(bundle.pots):
        nets = [(bundle.gain(part, pots[pot].price_minor) - pots[pot].alone_minor, pot) for pot in members]
        pools.append([[net, pot, pots[pot].qty] for net, pot in sorted(nets, key=lambda one: -one[0])])
    taking = Taking()
    left = bundle.limit
    while left is None or left > 0:
        taken: list[tuple[int, int, int]] = []
        for pool, (qty, _off) in zip(pools, bundle.parts, strict=True):
            wanted = qty
            for net, pot, have in pool:
                use = min(wanted, have)
                if use:
                    taken.append((net, pot, use))
                wanted -= use
                if not wanted:
                    break
            if wanted:
                return taking
        net = sum(gain * use for gain, _pot, use in taken) - (bundle.price_minor or 0)
        if net <= 0:
            return taking
        have_now = {pot: have for pool in pools for _net, pot, have in pool}
        times = min(have_now[pot] // use for _net, pot, use in taken)
        times = min(times, left) if left is not None else times
        _take(taking, pots, taken, net, times)
        used = {pot: use * times for _net, pot, use in taken}
        for pool in pools:
            for row in pool:
                row[2] -= used.get(row[1], 0)
        left = None if left is None else left - times
    return taking


def _take(taking: Taking, pots: Sequence[Pot], taken: Sequence[tuple[int, int, int]], net: int, times: int) -> None:
    taking.times += times
    taking.net_minor += net * times
    taking.saving_minor += (net + sum(pots[pot].alone_minor * use for _net, pot, use in taken)) * times
    for _net, pot, use in taken:
        taking.units[pot] = taking.units.get(pot, 0) + use * times
