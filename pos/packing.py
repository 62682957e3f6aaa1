"""Which units of a basket each group offer claims, so that the customer saves most. Pure.

Rules
-----
1. A unit is claimed by one group offer at most; unclaimed it keeps what its own best offer saves (`alone_minor`).
2. A pack of n: its units in falling price; the last ones are reduced, or all together cost a price. For any set of
   units the best packs are the neighbours in falling price, so a walk over the units that only remembers how full
   each open pack is finds the best of all choices.
3. A bundle: units for each of its parts; the same walk remembers how many each part has.
4. Offers that share no unit are solved apart. A knot whose walk would take more than `BUDGET` steps is solved one
   offer after another instead, the one that saves most first: never less than any one of its offers alone saves.
5. The answer depends on what is in the basket, never on its order: pots come in falling price with a tie rule of
   the caller's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from config.money import BASIS, divide_half_up

BUDGET = 24_000
"""Steps of one walk; some ten milliseconds."""
ENDLESS = 10**9


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
class Claim:
    """What a group offer takes: units by pot, how often it applied, and what it saves in all."""

    units: dict[int, int] = field(default_factory=dict)
    times: int = 0
    saving_minor: int = 0
    net_minor: int = 0
    """The saving beyond what the units would have saved alone."""


Claimant = Pack | Bundle


def share_off(price_minor: int, off_bp: int) -> int:
    """Return a percentage of a price, rounded half up: the reduced price is a price one can print."""
    return divide_half_up(price_minor * off_bp, BASIS)


def solve(pots: Sequence[Pot], claimants: Sequence[Claimant]) -> dict[int, Claim]:
    """Return the claims of the group offers that apply, by their place in `claimants` (rules 1-5)."""
    claims: dict[int, Claim] = {}
    for knot in _knots(claimants):
        chosen = [claimants[one] for one in knot]
        alone = len(knot) == 1
        found = [_alone(pots, chosen[0])] if alone else _walk(pots, chosen) or _one_after_another(pots, chosen)
        claims.update({one: claim for one, claim in zip(knot, found, strict=True) if claim.times})
    return claims


# --- inside ---


def _pots_of(claimant: Claimant) -> Iterator[int]:
    if isinstance(claimant, Pack):
        yield from claimant.pots
    else:
        for part in claimant.pots:
            yield from part


def _knots(claimants: Sequence[Claimant]) -> list[list[int]]:
    """Group the offers that share pots, directly or through others."""
    knot_of: dict[int, list[int]] = {}
    for one, claimant in enumerate(claimants):
        mine = [one]
        for pot in _pots_of(claimant):
            other = knot_of.get(pot)
            if other is not None and other is not mine:
                mine += other
                for known, knot in knot_of.items():
                    if knot is other:
                        knot_of[known] = mine
            knot_of[pot] = mine
    distinct = {id(knot): sorted(knot) for knot in knot_of.values()}
    return sorted(distinct.values())


def _alone(pots: Sequence[Pot], claimant: Claimant) -> Claim:
    """Solve one group offer with the pots to itself; exact but for a limit whose walk is too long."""
    if isinstance(claimant, Bundle):
        return _bundles(pots, claimant)
    found = _walk(pots, [claimant])
    return found[0] if found else _capped(pots, claimant)


def _capped(pots: Sequence[Pot], pack: Pack) -> Claim:
    """Fill packs without the limit, then keep those that save most."""
    free = _walk(pots, [replace(pack, limit=None)], ENDLESS)
    if not free or pack.limit is None:
        return free[0] if free else Claim()
    units = [pot for pot in pack.pots for _ in range(min(free[0].units.get(pot, 0), pack.limit * pack.size))]
    packs = []
    for start in range(0, len(units) - pack.size + 1, pack.size):
        held = units[start : start + pack.size]
        saving = sum(pack.gains(pots[pot].price_minor)[place] for place, pot in enumerate(held))
        packs.append((saving - sum(pots[pot].alone_minor for pot in held), saving, held))
    claim = Claim()
    for net, saving, held in sorted(packs, key=lambda one: -one[0])[: pack.limit]:
        if net <= 0:
            break
        claim.times, claim.saving_minor, claim.net_minor = (
            claim.times + 1,
            claim.saving_minor + saving,
            claim.net_minor + net,
        )
        for pot in held:
            claim.units[pot] = claim.units.get(pot, 0) + 1
    return claim


def _bundles(pots: Sequence[Pot], bundle: Bundle) -> Claim:
    """Make one bundle after another from what each part saves most with; each saves no more than the one before."""
    pools = []
    for part, members in enumerate(bundle.pots):
        nets = [(bundle.gain(part, pots[pot].price_minor) - pots[pot].alone_minor, pot) for pot in members]
        pools.append([[net, pot, pots[pot].qty] for net, pot in sorted(nets, key=lambda one: -one[0])])
    claim = Claim()
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
                return claim
        net = sum(gain * use for gain, _pot, use in taken) - (bundle.price_minor or 0)
        if net <= 0:
            return claim
        have_now = {pot: have for pool in pools for _net, pot, have in pool}
        times = min(have_now[pot] // use for _net, pot, use in taken)
        times = min(times, left) if left is not None else times
        _take(claim, pots, taken, net, times)
        used = {pot: use * times for _net, pot, use in taken}
        for pool in pools:
            for row in pool:
                row[2] -= used.get(row[1], 0)
        left = None if left is None else left - times
    return claim


def _take(claim: Claim, pots: Sequence[Pot], taken: Sequence[tuple[int, int, int]], net: int, times: int) -> None:
    claim.times += times
    claim.net_minor += net * times
    claim.saving_minor += (net + sum(pots[pot].alone_minor * use for _net, pot, use in taken)) * times
    for _net, pot, use in taken:
        claim.units[pot] = claim.units.get(pot, 0) + use * times


@dataclass(slots=True)
class _Digit:
    """One number of the walk's state: how full a pack, or a bundle's part, is."""

    claimant: int
    part: int
    weight: int
    size: int
    turns: bool
    """A full pack starts again at nothing; otherwise the number only rises."""


def _walk(pots: Sequence[Pot], claimants: Sequence[Claimant], budget: int | None = None) -> list[Claim] | None:
    """Try every way of claiming (rules 2, 3); None when that takes more steps than the budget."""
    budget = BUDGET if budget is None else budget
    digits = _digits(pots, claimants)
    if any(digit.size > budget for digit in digits):
        return None
    by_pot: dict[int, list[_Digit]] = {}
    for digit in digits:
        claimant = claimants[digit.claimant]
        for pot in claimant.pots if isinstance(claimant, Pack) else claimant.pots[digit.part]:
            by_pot.setdefault(pot, []).append(digit)
    claims = [Claim() for _ in claimants]
    now: dict[int, int] = {0: 0}
    trail: list[tuple[int, dict[int, tuple[int, int]]]] = []
    steps = 0
    for pot in sorted(by_pot):
        choices = by_pot[pot]
        kept = _settle_bulk(pots[pot], pot, choices, claimants, claims)
        alone = pots[pot].alone_minor
        moves = [(digit.weight, digit.size, digit.turns, n, _gains(claimants, digit, pots[pot].price_minor))
                 for n, digit in enumerate(choices)]  # fmt: skip
        for _ in range(kept):
            steps += len(now) * (len(moves) + 1)
            if steps > budget:
                return None
            later: dict[int, int] = {state: gain + alone for state, gain in now.items()}
            back: dict[int, tuple[int, int]] = {state: (state, -1) for state in now}
            for weight, size, turns, n, gains in moves:
                last = size - 1
                for state, gain in now.items():
                    place = state // weight % size
                    if place < last:
                        reached = state + weight
                    elif turns:
                        reached = state - weight * last
                    else:
                        continue
                    gain += gains[place]
                    known = later.get(reached)
                    if known is None or gain > known:
                        later[reached] = gain
                        back[reached] = (state, n)
            now = later
            trail.append((pot, back))
    return _retrace(pots, claimants, digits, by_pot, now, trail, claims)


def _digits(pots: Sequence[Pot], claimants: Sequence[Claimant]) -> list[_Digit]:
    digits: list[_Digit] = []
    weight = 1
    for one, claimant in enumerate(claimants):
        if isinstance(claimant, Pack):
            most = sum(pots[pot].qty for pot in claimant.pots) // claimant.size
            capped = claimant.limit is not None and claimant.limit < most
            size = claimant.size * claimant.limit + 1 if capped and claimant.limit is not None else claimant.size
            digits.append(_Digit(one, 0, weight, size, not capped))
            weight *= size
            continue
        most = min(
            sum(pots[pot].qty for pot in members) // qty
            for members, (qty, _off) in zip(claimant.pots, claimant.parts, strict=True)
        )
        most = most if claimant.limit is None else min(most, claimant.limit)
        for part, (qty, _off) in enumerate(claimant.parts):
            size = most * qty + 1
            digits.append(_Digit(one, part, weight, size, False))
            weight *= size
    return digits


def _gains(claimants: Sequence[Claimant], digit: _Digit, price_minor: int) -> tuple[int, ...]:
    claimant = claimants[digit.claimant]
    if isinstance(claimant, Bundle):
        return (claimant.gain(digit.part, price_minor),) * digit.size
    gains = claimant.gains(price_minor)
    return gains if digit.turns else gains * (digit.size // claimant.size) + (0,)


def _settle_bulk(
    pot: Pot, place: int, choices: Sequence[_Digit], claimants: Sequence[Claimant], claims: list[Claim]
) -> int:
    """Give a long run of equal units to the choice that saves most per unit; return how many are left to try.

    Exact: where an unlimited pack saves most per unit, as many units of any other use as its size can be swapped
    for whole packs of it without loss, so only a bounded number of units is used otherwise.
    """
    endless = [digit for digit in choices if digit.turns]
    best, cycle, worth = None, 1, pot.alone_minor
    for digit in endless:
        claimant = claimants[digit.claimant]
        assert isinstance(claimant, Pack)
        gain = sum(claimant.gains(pot.price_minor))
        if gain * cycle > worth * claimant.size:
            best, cycle, worth = digit.claimant, claimant.size, gain
    sizes = sum(digit.size for digit in endless)
    bounded = cycle * (sizes + 1) + sizes + sum(digit.size - 1 for digit in choices if not digit.turns)
    if len(choices) == 1 and endless:
        bounded = sizes - 1  # with nothing else to swap for, every whole cycle goes the same way
    times = max(0, pot.qty - bounded) // cycle
    if best is not None and times:
        claim = claims[best]
        claim.times += times
        claim.units[place] = claim.units.get(place, 0) + times * cycle
        claim.saving_minor += times * worth
        claim.net_minor += times * (worth - cycle * pot.alone_minor)
    return pot.qty - times * cycle


def _retrace(
    pots: Sequence[Pot],
    claimants: Sequence[Claimant],
    digits: Sequence[_Digit],
    by_pot: dict[int, list[_Digit]],
    final: dict[int, int],
    trail: Sequence[tuple[int, dict[int, tuple[int, int]]]],
    claims: list[Claim],
) -> list[Claim]:
    """Find the best end at which no pack is left open, and walk back from it."""
    best_state, best_gain = 0, -1
    for state in sorted(final):
        paid = _paid_at_end(state, claimants, digits)
        if paid is not None and final[state] - paid > best_gain:
            best_state, best_gain = state, final[state] - paid
    state = best_state
    for pot, back in reversed(trail):
        before, n = back[state]
        if n >= 0:
            digit = by_pot[pot][n]
            claim = claims[digit.claimant]
            gain = _gains(claimants, digit, pots[pot].price_minor)[before // digit.weight % digit.size]
            claim.units[pot] = claim.units.get(pot, 0) + 1
            claim.saving_minor += gain
            claim.net_minor += gain - pots[pot].alone_minor
        state = before
    for claim, claimant in zip(claims, claimants, strict=True):
        units = sum(claim.units.values())
        if isinstance(claimant, Pack):
            claim.times = units // claimant.size
            continue
        claim.times = units // sum(qty for qty, _off in claimant.parts)
        claim.saving_minor -= claim.times * (claimant.price_minor or 0)
        claim.net_minor -= claim.times * (claimant.price_minor or 0)
    return claims


def _paid_at_end(state: int, claimants: Sequence[Claimant], digits: Sequence[_Digit]) -> int | None:
    """Return the bundle prices still to pay at an end; None when a pack or bundle is not full."""
    paid = 0
    times: dict[int, int] = {}
    for digit in digits:
        place = state // digit.weight % digit.size
        claimant = claimants[digit.claimant]
        size = claimant.size if isinstance(claimant, Pack) else claimant.parts[digit.part][0]
        if place % size or times.setdefault(digit.claimant, place // size) != place // size:
            return None
        if isinstance(claimant, Bundle) and digit.part == 0:
            paid += (claimant.price_minor or 0) * (place // size)
    return paid


def _one_after_another(pots: Sequence[Pot], claimants: Sequence[Claimant]) -> list[Claim]:
    """Let the offer that saves most take what it wants, then the next one from what is left (rule 4)."""
    left = [Pot(pot.price_minor, pot.qty, pot.alone_minor) for pot in pots]
    claims = [Claim() for _ in claimants]
    waiting = sorted(
        ((_alone(left, claimant), one, 0) for one, claimant in enumerate(claimants)),
        key=lambda entry: (-entry[0].net_minor, entry[1]),
    )
    taken = 0
    while waiting:
        claim, one, as_of = waiting.pop(0)
        if as_of < taken:  # what it wanted may be gone: ask again, and let it queue anew
            again = _alone(left, claimants[one])
            place = next(
                (n for n, (other, _, _) in enumerate(waiting) if other.net_minor < again.net_minor), len(waiting)
            )
            waiting.insert(place, (again, one, taken))
            continue
        if claim.net_minor <= 0:
            continue
        claims[one] = claim
        taken += 1
        for pot, units in claim.units.items():
            left[pot].qty -= units
    return claims
