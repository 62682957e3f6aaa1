"""Money a provider gives back for a return that is about to be completed: never more than the return states.

Rules
-----
1. It wants the permission `take_back`, or somebody's leave for that return.
2. The payment is of the very sale whose goods come back, and no more of it goes back than the return's plan says
   (`ways_back`): another return of the receipt that money was given for is finished first.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from config.errors import Invalid, Refused
from config.nodes.journal import Actor
from pos.payments import requests
from pos.sale import returns
from pos.store import approvals
from pos.store.leave import takes_back


@dataclass(frozen=True)
class GiveBack:
    """The wish to give money back. id: the return's, not completed yet; lines: what it states, (line number, qty)."""

    id: str
    store_id: str
    sale_id: str
    payment_id: str
    back_id: str
    amount_minor: int
    lines: Sequence[tuple[int, int]]
    approvals: Sequence[str] = ()


def allow(session: Session, wish: GiveBack, *, actor: Actor, at: dt.datetime) -> None:
    """Raise Refused unless this much of this payment goes back for this return (rules 1, 2)."""
    need = takes_back(wish.sale_id, wish.lines)
    approvals.require(session, wish, [need], actor=actor, at=at, spend=False)  # the return itself uses it up
    payment = requests.payment_of(session, wish.store_id, wish.payment_id)
    if payment.claimed_by != wish.sale_id:
        raise Refused(
            "payment-of-another-sale", "That payment belongs to another sale than the receipt that comes back."
        )
    if not wish.lines:
        raise Invalid("empty-basket", "Choose what comes back.")
    planned = returns.plan(session, wish.store_id, wish.sale_id, wish.lines, payment.tender, wish.id, but=wish.back_id)
    most_minor = sum(way.amount_minor for way in planned.ways if way.payment_id == payment.id and way.how == "ask")
    if wish.amount_minor > most_minor:
        raise Refused("more-than-returned", "That is more than this return gives back.", most_minor=most_minor)
