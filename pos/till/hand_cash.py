"""A drawer opened by hand: pay-ins, drops to the safe, pay-outs, and the drawer opened without a sale.

Rules
-----
1. A pay-in says where the cash comes from, a pay-out what it was for. What one person pays into one drawer without
   leave is limited by the role, all their pay-ins of the shift together; what they pay out of it, and what they put in
   the safe, likewise, each by a limit of its own; beyond that somebody who may agrees (`approvals`).
2. Leave is asked for first: who needs it hears nothing of what is in the drawer. More than it should hold leaves it as
   `drawer_cash` says; what was refused is journalled.
3. Opening the drawer without a sale needs the permission `no_sale`, or somebody's leave, and a reason.
4. It is journalled, counted in the shift's totals and leaves a slip of paper; the same command opens it once.
5. A card payment that its service does not give back may be paid out in cash: a pay-out like any other, rounded to the
   smallest coin. Each that went back by hand, in cash or not, is counted in the totals of the till that took it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid, Refused, check_amount
from config.ids import new_id
from config.money import round_cash
from config.nodes import journal
from config.nodes.journal import Actor, Context
from pos.payments import unclaimed
from pos.payments.requests import BY_HAND
from pos.printing import queue
from pos.store import approvals
from pos.store import approvals as leave
from pos.store.approvals import Approval, Need
from pos.store.store import Till, snapshot, store_of
from pos.till import drawer_cash
from pos.till.drawer_cash import add_cash
from pos.till.shift import locked, need_open, note
from pos.till.shift_book import CashMovement, Shift

PAY_IN, PAY_OUT, DROP = "pay_in", "pay_out", "drop"
"""Kinds of movement, and the permissions to go beyond the limit with them."""


@dataclass(frozen=True)
class Paying:
    """The command to move cash, as `approvals` knows it."""

    id: str
    store_id: str
    approvals: Sequence[str] = ()


# --- verbs ---


def drop(
    ctx: Context,
    shift: Shift,
    amount_minor: int,
    *,
    why: str = "",
    id: str | None = None,
    approvals: Sequence[str] = (),
) -> CashMovement:
    """Move cash from the drawer to the safe (rules 1, 2). id: as of `pay_out`."""
    _check_positive(amount_minor)
    _lock_open(ctx.session, shift)
    return _pay(ctx, shift, DROP, amount_minor, why, id, approvals)


def pay_in(
    ctx: Context, shift: Shift, amount_minor: int, *, why: str, id: str | None = None, approvals: Sequence[str] = ()
) -> CashMovement:
    """Put cash from elsewhere into the drawer: change from the bank, say (rule 1). id: as of `pay_out`."""
    if not why.strip():
        raise Invalid("no-reason", "Enter where the money comes from.", field="why")
    check_amount(amount_minor, 0)
    _lock_open(ctx.session, shift)
    if not amount_minor:
        raise Invalid("bad-amount", "Enter how much goes into the drawer.", amount_minor=amount_minor)
    return _pay(ctx, shift, PAY_IN, amount_minor, why, id, approvals)


def pay_out(
    ctx: Context, shift: Shift, amount_minor: int, *, why: str, id: str | None = None, approvals: Sequence[str] = ()
) -> CashMovement:
    """Pay something from the drawer (rules 1, 2). id: the page's command, for which leave is granted."""
    if not why.strip():
        raise Invalid("no-reason", "Enter what the money was paid for.", field="why")
    _check_positive(amount_minor)
    _lock_open(ctx.session, shift)
    return _pay(ctx, shift, PAY_OUT, amount_minor, why, id, approvals)


def refund_by_hand(
    ctx: Context, store_id: str, payment_id: str, *, shift: Shift | None, why: str, number: str = ""
) -> CashMovement | None:
    """Say that a card payment went back by hand (rule 5). shift: whose drawer pays it in cash; None: by the service."""
    how = unclaimed.BY_SERVICE if shift is None else unclaimed.IN_CASH
    payment = unclaimed.refund_by_hand(ctx, store_id, payment_id, how=how, why=why, number=number)
    note_event(ctx.session, store_id, payment.till_id or "", BY_HAND, payment.amount_minor)
    if shift is None:
        return None
    coin_minor = store_of(ctx.session, store_id).smallest_coin_minor
    return pay_out(ctx, shift, round_cash(payment.amount_minor, coin_minor), why=why, id=payment.id)


def note_refused(ctx: Context, shift: Shift, kind: str, amount_minor: int) -> None:
    """Journal that somebody asked for more than the drawer should hold (rule 2), after the refused command."""
    facts = {"kind": kind, "amount_minor": amount_minor}
    journal.record(ctx, verb="shift.not_in_drawer", subject=f"shift:{shift.id}", **facts)


# --- questions ---


def wanted_leave(session: Session, shift: Shift, kind: str, amount_minor: int, actor: Actor) -> Need | None:
    """Return what a movement asks of a person (rule 1); None while it is within the actor's limit."""
    together_minor = amount_minor + _paid_alone(session, shift, kind, actor)
    need = Need(kind, covers={"amount_minor": together_minor})
    return need if leave.wanted(session, shift.store_id, [need], actor) else None


LONGEST_REASON = 200


@dataclass(frozen=True)
class DrawerRequest:
    """The wish to open the drawer: by its id it is one wish, however often it is sent."""

    id: str
    store_id: str
    till_id: str
    why: str
    approvals: Sequence[str] = ()


def open_drawer(ctx: Context, request: DrawerRequest) -> bool:
    """Open the drawer of a till in use; returns False when this very command opened it before (rules 3, 4)."""
    if not request.why.strip() or len(request.why) > LONGEST_REASON:
        raise Invalid("no-reason", "Enter a short reason for opening the drawer.")
    shift = locked(ctx.session, request.store_id, request.till_id)
    if queue.latest(ctx.session, request.store_id, request.id, "drawer") is not None:
        return False
    if shift is None:
        raise Refused("no-open-shift", "The till is closed. Open it first.", till_id=request.till_id)
    approvals.require(ctx, request, [Need("no_sale")])
    note(shift, "no_sale")
    facts = {"reason": request.why.strip(), "till": request.till_id}
    journal.record(ctx, verb="drawer.opened", subject=f"shift:{shift.id}", **facts)
    printout = queue.Printout("drawer", request.id, _slip(ctx, request), opens_drawer=True)
    queue.queue(ctx.session, request.store_id, request.till_id, printout, at=ctx.at)
    return True


def note_event(session: Session, store_id: str, till_id: str, kind: str, amount_minor: int = 0) -> None:
    """Count something that happened at a till without a sale (a copy of a receipt, say) in its open shift's totals."""
    shift = locked(session, store_id, till_id)
    if shift is not None:
        note(shift, kind, amount_minor)


def _slip(ctx: Context, request: DrawerRequest) -> dict[str, Any]:
    store = store_of(ctx.session, request.store_id)
    return {
        "store": snapshot(store),
        "till_name": ctx.session.get_one(Till, (store.id, request.till_id)).name,
        "local_time": f"{ctx.at.astimezone(ZoneInfo(store.tz)):%Y-%m-%d %H:%M}",
        "cashier_name": ctx.actor.name,
        "why": request.why.strip(),
    }


# --- inside ---


def _paid_alone(session: Session, shift: Shift, kind: str, actor: Actor) -> int:
    """Sum what this person moved so in this drawer without anybody's leave."""
    agreed = sa.exists().where(
        Approval.store_id == CashMovement.store_id,
        Approval.sale_id == CashMovement.source_id,
        Approval.permission == kind,
        Approval.used_at.is_not(None),
    )
    query = sa.select(sa.func.coalesce(sa.func.sum(CashMovement.amount_minor), 0)).where(
        CashMovement.store_id == shift.store_id,
        CashMovement.shift_id == shift.id,
        CashMovement.kind == kind,
        CashMovement.actor_id == actor.id,
        ~agreed,
    )
    return abs(int(session.scalar(query) or 0))


def _lock_open(session: Session, shift: Shift) -> None:
    locked(session, shift.store_id, shift.till_id)
    need_open(shift)


def _check_positive(amount_minor: int) -> None:
    check_amount(amount_minor, 0)
    if not amount_minor:
        raise Invalid("bad-amount", "Enter how much is taken from the drawer.", amount_minor=amount_minor)


def _pay(
    ctx: Context, shift: Shift, kind: str, amount_minor: int, why: str, id: str | None, approvals: Sequence[str]
) -> CashMovement:
    command = Paying(id or new_id(), shift.store_id, approvals)
    need = wanted_leave(ctx.session, shift, kind, amount_minor, ctx.actor)
    used = leave.require(ctx, command, [need] if need else [])
    if kind != PAY_IN and drawer_cash.is_beyond(amount_minor, shift.expected_minor):
        refusal = Refused("not-in-drawer", "The drawer cannot hold that much. Enter the amount again.")
        shift.totals = drawer_cash.note_beyond(
            ctx, shift.store_id, shift.id, shift.totals, kind, amount_minor, refusal,
            agreed=bool(used))  # fmt: skip
    signed_minor = amount_minor if kind == PAY_IN else -amount_minor
    return _move(ctx, shift, kind, signed_minor, why, command.id)


def _move(ctx: Context, shift: Shift, kind: str, signed_minor: int, why: str, source_id: str) -> CashMovement:
    movement = add_cash(ctx, shift, kind, signed_minor, source_id, why=why.strip())
    facts = {"amount_minor": abs(signed_minor), "reason": why.strip(), "movement": movement.id}
    journal.record(ctx, verb=f"shift.{kind}", subject=f"shift:{shift.id}", **facts)
    return movement
