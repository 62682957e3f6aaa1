"""Who gets how many packs when there are not enough for all. PURE.

Rules
-----
1. Shares are rationed on need, what the forecast asked for, never on the order: ordering more than the need brings
   nothing while anybody's need is unmet.
2. First everybody with a need gets one pack, the shop with the fewest days of supply first; then always the shop with
   the fewest days of supply gets the next pack, until its need or its order is met.
3. What is left when every need is met goes to orders above it, one pack each in turn.
4. The order of packs does not depend on how many there are: with one more, nobody gets less.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Claim:
    """One shop's wish. packs ordered, need_packs of it by forecast; have_qty is its stock position.

    per_day: units the shop sells a day; 0 or less counts as hardly any.
    """

    key: str
    packs: int
    need_packs: int
    have_qty: int
    per_day: float
    pack_qty: int


LEAST_PER_DAY = 0.01


def fair_share(available_packs: int, claims: Sequence[Claim]) -> list[int]:
    """Return the packs each claim gets, in the order of the claims; together at most available_packs."""
    given = [0] * len(claims)
    left = max(0, available_packs)
    caps = [max(0, min(claim.packs, claim.need_packs)) for claim in claims]
    first = sorted((_days(claims[n], 0), claims[n].key, n) for n in range(len(claims)) if caps[n])
    for _, _, n in first[:left]:
        given[n] = 1
    left -= sum(given)
    queue = [(_days(claims[n], 1), claims[n].key, n) for _, _, n in first if given[n] < caps[n]]
    heapq.heapify(queue)
    while left and queue:
        _, key, n = heapq.heappop(queue)
        given[n] += 1
        left -= 1
        if given[n] < caps[n]:
            heapq.heappush(queue, (_days(claims[n], given[n]), key, n))
    above = [(0, claims[n].key, n) for n in range(len(claims)) if claims[n].packs > caps[n]]
    heapq.heapify(above)
    while left and above:
        turn, key, n = heapq.heappop(above)
        given[n] += 1
        left -= 1
        if given[n] < claims[n].packs:
            heapq.heappush(above, (turn + 1, key, n))
    return given


def _days(claim: Claim, packs: int) -> float:
    """Return how many days a shop's stock lasts with `packs` of the shared goods."""
    return (claim.have_qty + packs * claim.pack_qty) / max(claim.per_day, LEAST_PER_DAY)
