"""Money that was taken and that no completed sale is paid with: what a person sees of it, and may decide.

Rules
-----
1. It stays visible until it pays for a sale, goes back, or is known to be another payment's twin.
2. The page that lost its basket rings it again and takes the money over (`move_to`).
3. Who typed the slip by hand because the answer came late says so (`same_as_slip`); else the money goes back.
4. What no provider will ever answer, a person decides from the terminal's own list (`decide`), and is named for it.
5. Two answers that contradict each other stay visible until a person has looked into them (`seen`).
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid, Refused
from config.ids import is_id
from config.nodes import journal
from config.nodes.journal import Context
from pos.payments import requests
from pos.payments.payments import Payment
from pos.payments.providers import Outcome
from pos.payments.requests import OPEN, is_over, locked, slip_of

SETTLED = ("reversed", "seen")
"""What `contradicted` says once late money went back, or a person has looked into it."""

# --- verbs ---


def move_to(ctx: Context, store_id: str, payment_id: str, sale_id: str) -> Payment:
    """Let a captured payment whose basket was lost pay for another basket that is not finished yet."""
    payment = _unused(ctx.session, store_id, payment_id)
    if payment.sale_id == sale_id:
        return payment
    if not is_id(sale_id) or is_over(ctx.session, store_id, sale_id):
        raise Refused("sale-finished", "This sale is already complete and needs no more payments.")
    requests.use_for(ctx, payment, sale_id)
    return payment


def same_as_slip(ctx: Context, store_id: str, payment_id: str) -> Payment:
    """Say that a captured payment is the one whose slip was typed by hand when its sale was completed (rule 4)."""
    payment = _unused(ctx.session, store_id, payment_id)
    slip = slip_of(ctx.session, payment)
    if slip is None:
        raise Refused("no-such-slip", "That sale has no card slip for this amount. Refund the payment instead.")
    payment.same_as, payment.ask_again_at = slip.id, None
    _note(ctx, payment, "same_as_slip", slip=slip.id)
    return payment


def decide(ctx: Context, store_id: str, payment_id: str, state: str) -> Payment:
    """Settle what the provider does not answer, as the terminal's own list shows it. state: captured | declined."""
    if state not in ("captured", "declined"):
        raise Invalid("unknown-decision", "Choose whether the money was taken.")
    if locked(ctx.session, store_id, payment_id).state != "unknown":
        raise Refused("payment-answered", "The payment service has responded. Check the payment again.")
    outcome = Outcome(state, reason=f"decided by {ctx.actor.name}")
    return requests.settle_outcome(ctx, store_id, payment_id, outcome)


def seen(ctx: Context, store_id: str, payment_id: str) -> Payment:
    """Say that a person has looked into a contradiction and settled it with the bank; it is shown no more."""
    payment = locked(ctx.session, store_id, payment_id)
    if payment.contradicted is None or requests.goes_back(payment):
        raise Refused("payment-not-contradicted", "There is nothing left to clear up here.", id=payment.id)
    if payment.contradicted not in SETTLED:
        _note(ctx, payment, "seen", answer=payment.contradicted)
        payment.contradicted = "seen"
    return payment


# --- questions ---


def unresolved(session: Session, store_id: str) -> list[Payment]:
    """Return what a person may have to look at, oldest first: still open, captured but unused, or contradicted."""
    query = sa.select(Payment).where(
        Payment.store_id == store_id,
        Payment.provider.is_not(None),
        sa.or_(
            Payment.state.in_(OPEN),
            sa.and_(Payment.state == "captured", Payment.claimed_by.is_(None), Payment.same_as.is_(None)),
            sa.and_(Payment.contradicted.is_not(None), Payment.contradicted.not_in(SETTLED)),
        ),
    )
    return list(session.scalars(query.order_by(Payment.requested_at, Payment.id)))


def left_behind(session: Session, store_id: str) -> list[str]:
    """Return the ids of captured, unclaimed payments whose sale or basket is finished without them (rule 4)."""
    query = requests.unused(store_id).where(Payment.amount_minor > 0).order_by(Payment.requested_at)
    return [
        row.id
        for row in session.scalars(query)
        if is_over(session, store_id, row.sale_id) and slip_of(session, row) is None
    ]


# --- inside ---


def _unused(session: Session, store_id: str, payment_id: str) -> Payment:
    payment = locked(session, store_id, payment_id)
    if payment.state != "captured" or payment.claimed_by or payment.same_as or payment.unwanted_since:
        raise Refused("payment-used", "This payment is already assigned. Check the payment again.", id=payment.id)
    return payment


def _note(ctx: Context, payment: Payment, verb: str, **facts: str) -> None:
    journal.record(ctx, verb=f"payment.{verb}", subject=f"payment:{payment.id}", **facts)
