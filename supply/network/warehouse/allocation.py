"""Who gets how many packs when there are not enough for all. PURE.

Rules
-----
1. Shares are rationed on need, never on the order: ordering more than the need brings nothing while anybody's need is
   unmet.
2. First everybody with a need gets one pack, the shop with the fewest days of supply first; then always the shop with
   the fewest days of supply gets the next pack, until its need or its order is met. Ties go by the shop's key.
3. A shop that is not on today's round takes part with its need; what falls to it is kept back for it, not handed out.
4. What is left when every need is met goes to orders above it, one pack each in turn.
5. The order of packs does not depend on how many there are: with more, nobody gets less. The first pack that does not
   fit into what is left ends it.
6. Who orders in larger packs than usual waits for each until the others have been served as far, and has no first turn:
   a larger pack brings no more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forecasting.series.panel import Ints

LEAST_PER_DAY = 0.01


@dataclass(frozen=True)
class Claim:
    """One shop's wish. packs ordered, need_packs of it by forecast; have_qty is its stock position.

    per_day: units the shop sells a day; 0 or less counts as hardly any. on_round: False for a shop that orders on
    another day: packs is then what it is expected to order, and its share is a reserve.
    """

    key: str
    packs: int
    need_packs: int
    have_qty: int
    per_day: float
    pack_qty: int
    on_round: bool = True


def fair_share(available_qty: int, claims: Sequence[Claim], usual_qty: int = 1) -> list[int]:
    """Return the packs each claim gets, in the order of the claims; their units together at most available_qty.

    usual_qty: the units of a usual pack (rule 6). The share of a claim off the round is its reserve (rule 3).
    """
    # slow to load, and wanted only where goods are shared out
    import numpy as np

    left = max(0, available_qty)
    if not claims or not left:
        return [0] * len(claims)
    # of a wish without bounds one pack more than there is tells as much as all of them, and takes no memory
    most = [left // claim.pack_qty + 1 for claim in claims]
    packs = np.array([min(n, max(0, claim.packs)) for n, claim in zip(most, claims, strict=True)])
    caps = np.minimum(packs, [min(n, max(0, claim.need_packs)) for n, claim in zip(most, claims, strict=True)])
    have = np.array([claim.have_qty for claim in claims], dtype=np.float64)
    per_pack = np.array([claim.pack_qty for claim in claims])
    rate = np.maximum(np.array([claim.per_day for claim in claims]), LEAST_PER_DAY)
    rank = np.argsort(np.argsort([claim.key for claim in claims], kind="stable"), kind="stable")
    needed = int((caps * per_pack).sum())
    if needed > left:
        caps = np.minimum(caps, left // per_pack + 1)  # one beyond what is there ends the queue (rule 5)
        rows, turn = np.repeat(np.arange(len(claims)), caps), _turns(caps)
        size = per_pack[rows]
        days = (have[rows] + np.maximum(turn * size, (turn + 1) * size - usual_qty)) / rate[rows]
        # first everybody's first pack, then always the fewest days of supply
        queue = rows[np.lexsort((rank[rows], days, (turn > 0) | (size > usual_qty)))]
        return [int(share) for share in np.bincount(_fit(queue, per_pack, left), minlength=len(claims))]
    rest = np.where([claim.on_round for claim in claims], packs - caps, 0)
    rest = np.minimum(rest, (left - needed) // per_pack + 1)
    rows = np.repeat(np.arange(len(claims)), rest)
    queue = rows[np.lexsort((rank[rows], _turns(rest)))]
    return [int(share) for share in caps + np.bincount(_fit(queue, per_pack, left - needed), minlength=len(claims))]


# --- inside ---


def _fit(queue: "Ints", per_pack: "Ints", left: int) -> "Ints":
    """Return the packs of a queue that fit into what is left, up to the first that does not (rule 5)."""
    import numpy as np

    return queue[: int(np.searchsorted(np.cumsum(per_pack[queue]), left, side="right"))]


def _turns(counts: "Ints") -> "Ints":
    """Return 0, 1, ... of each count, one after the other."""
    import numpy as np

    ends = np.cumsum(counts)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - counts, counts)
