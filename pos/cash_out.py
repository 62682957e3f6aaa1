"""Cash taken out of the drawer between sales: to the safe, or paid for something.

Rules
-----
1. Nothing is taken out that the drawer should not hold; each taking is a signed row with its reason.
2. What is paid out is somebody's money: it needs a reason.
3. A person without the permission `pay_out` pays out at most `ALONE` in one shift; beyond that somebody who has it
   agrees on the spot.
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
from config.money import exponent
from pos import approvals as leave
from pos.leave import Need
from pos.shift import add_cash, check_amount, locked, need_open
from pos.shift_book import CashMovement, Shift
from pos.store import may, store_of

PAY_OUT = "pay_out"
ALONE = 20
"""Whole units of the shop's money."""


@dataclass(frozen=True)
class PayingOut:
    """The command, as `approvals` knows it."""

    id: str
    store_id: str
    approvals: Sequence[str]


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
    """Move cash from the drawer to the safe; refuses more than the drawer should hold. id: the page's command."""
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
    """Pay something from the drawer with a reason, and with somebody's leave where it gets much (rules 2, 3).

    id: the page's command, which approvals are granted for.
    """
    if not why.strip():
        raise Invalid("no-reason", "Say what the money was paid for.", field="why")
    command = id or new_id()
    if (need := wanted_leave(session, shift, amount_minor, actor)) is not None:
        leave.require(session, PayingOut(command, shift.store_id, approvals), [need], actor=actor, at=at)
    return _take_out(session, shift, "pay_out", amount_minor, why, command, actor, at)


# --- questions ---


def wanted_leave(session: Session, shift: Shift, amount_minor: int, actor: Actor) -> Need | None:
    """Return the leave that paying this out wants (rule 3); None where the person may do it alone."""
    if may(actor.role, PAY_OUT):
        return None
    paid = sa.select(sa.func.sum(-CashMovement.amount_minor)).where(
        CashMovement.store_id == shift.store_id,
        CashMovement.shift_id == shift.id,
        CashMovement.kind == "pay_out",
        CashMovement.actor_id == actor.id,
    )
    together_minor = int(session.scalar(paid) or 0) + amount_minor
    if together_minor <= alone_minor(session, shift.store_id):
        return None
    return Need(PAY_OUT, "more paid from the drawer than one pays alone", covers={"amount_minor": amount_minor})


def alone_minor(session: Session, store_id: str) -> int:
    """Return how much a person pays out in one shift without anybody's leave."""
    return int(ALONE * 10 ** exponent(store_of(session, store_id).currency))


# --- inside ---


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
    check_amount(amount_minor)
    locked(session, shift.store_id, shift.till_id)
    need_open(shift)
    if not 0 < amount_minor <= shift.expected_minor:
        raise Refused("not-in-drawer", "There cannot be that much in the drawer. Type the amount again.")
    movement = add_cash(session, shift, kind, -amount_minor, source_id, why=why.strip(), at=at, actor=actor)
    facts = {"amount_minor": amount_minor, "reason": why.strip(), "movement": movement.id}
    journal.record(session, actor=actor, at=at, verb=f"shift.{kind}", subject=f"shift:{shift.id}", **facts)
    return movement
