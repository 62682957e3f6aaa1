"""What the network binds itself to when it offers goods: why it offers them, and what it pays if they stay.

Rules
-----
1. The terms are stated with the offer and never changed afterwards; what is paid later is worked out by them alone.
2. Goods taken on sale or return cost nothing until they are sold, and may go back; nothing is paid for those that stay.
3. Goods a shop has bought are looked at once. On the day after their last day of sale (`expires_on`), or `slow_days`
   after they came when less than half of them have sold, whichever is first, the network pays a share of the cost of
   what is unsold: `expiry_bp`, or `slow_bp`. Never more than `cap_bp` of what the goods cost together.

Units: *_minor currency minor units, *_bp basis points, quantities in stock units.
"""

import datetime as dt
from dataclasses import asdict, dataclass
from typing import Any

from config.money import BASIS, amount_for

KINDS = ("new", "campaign", "surplus", "near_expiry")
"""Why goods are offered."""
HALF_BP = 5_000


@dataclass(frozen=True)
class PushTerms:
    """The terms of one offer (rule 1). An offer made before there were any has none: nothing is paid."""

    kind: str = "new"
    expires_on: dt.date | None = None
    slot_fee_minor: int = 0
    """Paid once when the goods were taken in, for the place they get."""
    slow_days: int = 0
    slow_bp: int = 0
    expiry_bp: int = 0
    cap_bp: int = 0

    def told(self) -> dict[str, Any]:
        """Return them as plain JSON."""
        return asdict(self) | {"expires_on": self.expires_on.isoformat() if self.expires_on else None}


@dataclass(frozen=True)
class Lot:
    """Offered goods in a shop: what came, and what of it has sold."""

    came_on: dt.date
    came_qty: int
    sold_qty: int
    pack_qty: int
    pack_cost_minor: int


def terms_from(told: dict[str, Any] | None) -> PushTerms:
    """Read terms; what is not said is not promised."""
    given = dict(told or {})
    until = given.pop("expires_on", None)
    known = {name: given[name] for name in PushTerms.__dataclass_fields__ if name in given}
    return PushTerms(**known, expires_on=dt.date.fromisoformat(until) if until else None)


def looked_at_on(terms: PushTerms, came_on: dt.date) -> dt.date | None:
    """Return the day on which bought goods are looked at (rule 3); None: nothing is promised for them."""
    days = []
    if terms.expires_on is not None and terms.expiry_bp:
        days.append(max(came_on, terms.expires_on) + dt.timedelta(days=1))
    if terms.slow_days and terms.slow_bp:
        days.append(came_on + dt.timedelta(days=terms.slow_days))
    return min(days) if days else None


def paid_for(terms: PushTerms, lot: Lot) -> int:
    """Return what the network pays for what is unsold of a lot on the day it is looked at (rule 3)."""
    day = looked_at_on(terms, lot.came_on)
    unsold = max(0, lot.came_qty - lot.sold_qty)
    if day is None or not unsold or lot.came_qty <= 0:
        return 0
    is_over = terms.expires_on is not None and day > terms.expires_on
    if not is_over and lot.sold_qty * BASIS >= lot.came_qty * HALF_BP:
        return 0
    share_bp = terms.expiry_bp if is_over else terms.slow_bp
    whole_minor = amount_for(lot.came_qty, lot.pack_cost_minor, lot.pack_qty)
    unsold_minor = amount_for(unsold, lot.pack_cost_minor, lot.pack_qty)
    return min(unsold_minor * share_bp // BASIS, whole_minor * terms.cap_bp // BASIS)
