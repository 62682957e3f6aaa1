"""Money a provider gives back for a return that is about to be completed: never more than the return states.

Rules
-----
1. It wants the permission `take_back`, or somebody's leave for that return.
2. The payment is of the very sale whose goods come back, and all that goes back for one return is at most what its
   lines are worth beyond what goes back to accounts.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid, Refused
from config.journal import Actor
from pos import approvals, paying, returns
from pos.leave import takes_back
from pos.payments import Payment
from pos.rung import BroughtBack


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
    payment = paying.payment_of(session, wish.store_id, wish.payment_id)
    if payment.claimed_by != wish.sale_id:
        raise Refused(
            "payment-of-another-sale", "That payment belongs to another sale than the receipt that comes back."
        )
    if not wish.lines:
        raise Invalid("empty-basket", "Choose what comes back.")
    most_minor = _most_minor(session, wish) - _asked_minor(session, wish)
    if wish.amount_minor > most_minor:
        raise Refused("more-than-returned", "That is more than this return gives back.", most_minor=max(0, most_minor))


def _most_minor(session: Session, wish: GiveBack) -> int:
    brought = [BroughtBack(wish.sale_id, n, qty) for n, qty in wish.lines]
    lines = [line for line, _ in returns.negative_lines(session, wish.store_id, brought, first_n=1)]
    worth_minor = -sum(line.total_minor for line in lines)
    ways = returns.ways_left(session, returns.original_of(session, wish.store_id, wish.sale_id))
    first, _ = returns.split(ways, worth_minor, worth_minor)
    return worth_minor - sum(first.values())


def _asked_minor(session: Session, wish: GiveBack) -> int:
    """Return what was asked for this return before, but for this very wish sent again."""
    query = sa.select(sa.func.sum(-Payment.amount_minor)).where(
        Payment.store_id == wish.store_id,
        Payment.sale_id == wish.id,
        Payment.id != wish.back_id,
        Payment.gives_back.is_not(None),
        Payment.state.in_([*paying.OPEN, "captured"]),
    )
    return int(session.scalar(query) or 0)
