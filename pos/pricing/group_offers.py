"""What a group offer is, and how one with the basket to itself is filled best. Pure.

Rules
-----
1. A pack of n: its units in falling price; the last ones are reduced, or all together cost a price. For any set of
   units the best packs are the neighbours in falling price, so a walk over the units that only remembers how full
   the open pack is finds the best of all choices.
2. A bundle needs units for each of its parts; the best bundles take of each part what saves most.
3. A unit left out keeps what its own best offer saves (`alone_minor`).
4. Pots come in falling price, with a tie rule of the caller's; so the answer depends on what is in the basket, never
   on its order.
"""

from bisect import insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from config.money import BASIS, divide_half_up

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


def share_off(price_minor: int, off_bp: int) -> int:
    """Return a percentage of a price, rounded half up: the reduced price is a price one can print."""
    return divide_half_up(price_minor * off_bp, BASIS)


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


# --- inside ---


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
