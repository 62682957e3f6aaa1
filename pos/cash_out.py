"""Cash that leaves a drawer apart from sales: drops to the safe, and pay-outs.

Rules
-----
1. No more leaves a drawer than it should hold.
2. A pay-out says what it was for. What one person pays out of one drawer without leave is limited by the role, all
   their pay-outs of the shift together; beyond that somebody who may agrees (`approvals`).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import journal
from config.errors import Invalid, Refused
from config.ids import new_id
from config.journal import Actor
from pos import approvals as leave
from pos.approvals import Approval
from pos.drawer_cash import add_cash
from pos.leave import Need
from pos.shift import check_amount, locked, need_open
from pos.shift_book import CashMovement, Shift

PAY_OUT = "pay_out"


@dataclass(frozen=True)
class PayingOut:
    """The command to pay out, as `approvals` knows it."""

    id: str
    store_id: str
    approvals: Sequence[str] = ()


# --- verbs ---


def drop(
    session: Session,
    shift: Shift,
    amount_minor: int,
    *,
    why: str = "",
    id: str | None = None,
    actor: Actor,
    at: dt.datetime,
) -> CashMovement:
    """Move cash from the drawer to the safe (rule 1). id: the page's command."""
    _check(session, shift, amount_minor)
    return _take_out(session, shift, "drop", amount_minor, why, id or new_id(), actor, at)


def pay_out(
    session: Session,
    shift: Shift,
    amount_minor: int,
    *,
    why: str,
    id: str | None = None,
    approvals: Sequence[str] = (),
    actor: Actor,
    at: dt.datetime,
) -> CashMovement:
    """Pay something from the drawer (rules 1, 2). id: the page's command, for which leave is granted."""
    if not why.strip():
        raise Invalid("no-reason", "Say what the money was paid for.", field="why")
    _check(session, shift, amount_minor)
    command = PayingOut(id or new_id(), shift.store_id, approvals)
    need = wanted_leave(session, shift, amount_minor, actor)
    leave.require(session, command, [need] if need else [], actor=actor, at=at)
    return _take_out(session, shift, PAY_OUT, amount_minor, why, command.id, actor, at)


# --- questions ---


def wanted_leave(session: Session, shift: Shift, amount_minor: int, actor: Actor) -> Need | None:
    """Return what a pay-out asks of a person (rule 2); None while it is within the actor's limit."""
    together_minor = amount_minor + _paid_alone(session, shift, actor)
    if together_minor <= leave.pay_out_minor_of(session, shift.store_id, actor.role):
        return None
    return Need(PAY_OUT, "a pay-out beyond the limit", covers={"amount_minor": together_minor})


# --- inside ---


def _paid_alone(session: Session, shift: Shift, actor: Actor) -> int:
    """Sum what this person paid out of this drawer without anybody's leave."""
    agreed = sa.exists().where(
        Approval.store_id == CashMovement.store_id,
        Approval.sale_id == CashMovement.source_id,
        Approval.permission == PAY_OUT,
        Approval.used_at.is_not(None),
    )
    query = sa.select(sa.func.coalesce(sa.func.sum(-CashMovement.amount_minor), 0)).where(
        CashMovement.store_id == shift.store_id,
        CashMovement.shift_id == shift.id,
        CashMovement.kind == PAY_OUT,
        CashMovement.actor_id == actor.id,
        ~agreed,
    )
    return int(session.scalar(query) or 0)


def _check(session: Session, shift: Shift, amount_minor: int) -> None:
    check_amount(amount_minor)
    locked(session, shift.store_id, shift.till_id)
    need_open(shift)
    if not 0 < amount_minor <= shift.expected_minor:
        raise Refused("not-in-drawer", "There cannot be that much in the drawer. Type the amount again.")


def _take_out(
    session: Session,
    shift: Shift,
    kind: str,
    amount_minor: int,
    why: str,
    source_id: str,
    actor: Actor,
    at: dt.datetime,
) -> CashMovement:
    movement = add_cash(session, shift, kind, -amount_minor, source_id, why=why.strip(), at=at, actor=actor)
    facts = {"amount_minor": amount_minor, "reason": why.strip(), "movement": movement.id}
    journal.record(session, actor=actor, at=at, verb=f"shift.{kind}", subject=f"shift:{shift.id}", **facts)
    return movement
