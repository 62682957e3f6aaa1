"""Money that was taken and that no completed sale is paid with: what a person sees of it, and may decide.

Rules
-----
1. It stays visible until it pays for a sale, goes back, or is known to be another payment's twin.
2. The page that lost its basket rings it again and takes the money over (`move_to`).
3. Who typed the slip by hand because the answer came late says so (`same_as_slip`); else the money goes back.
4. What no provider will ever answer, a person decides from the terminal's own list (`decide`), and is named for it.
5. Two answers that contradict each other stay visible until a person has looked into them (`seen`).
6. What the provider refuses to give back, or says nothing of for SILENT, a person gives back by hand: at the terminal
   or in the service's own pages, whose number is kept, or in cash out of a drawer (`pos.till.hand_cash`). It is
   journalled with who, how and why, and named on the page; what a sale has claimed is no such money.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, Refused
from config.ids import is_id
from config.nodes import journal
from config.nodes.journal import Context, JournalEntry
from pos.payments import requests
from pos.payments.payments import Payment, Tendered, check_reference
from pos.payments.providers import Outcome
from pos.payments.requests import BY_HAND, OPEN, is_over, locked, slip_of

SETTLED = ("reversed", BY_HAND, "seen")
"""What `contradicted` says once late money went back, or a person has looked into it."""
SILENT = dt.timedelta(minutes=15)
BY_SERVICE, IN_CASH = "service", "cash"
"""How money goes back by hand."""

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


def refund_by_hand(ctx: Context, store_id: str, payment_id: str, *, how: str, why: str, number: str = "") -> Payment:
    """Say that money went back by hand (rule 6). how: BY_SERVICE, with the number of its slip there, or IN_CASH."""
    payment = locked(ctx.session, store_id, payment_id)
    if BY_HAND in (payment.state, payment.contradicted):
        raise Conflict("refunded-by-hand", "This payment was already refunded by hand.", id=payment.id)
    if not can_refund_by_hand(payment, ctx.at):
        raise Refused("refund-not-refused", "Let the payment service refund this first, and wait for its answer.")
    if not why.strip():
        raise Invalid("no-reason", "Enter why it was refunded by hand.", field="why")
    if how == BY_SERVICE:
        if not number.strip():
            raise Invalid("no-slip-number", "Enter the refund's slip or reference number.", field="number")
        check_reference(Tendered(payment.tender, payment.amount_minor, number.strip()))
    facts: dict[str, Any] = {
        "how": how,
        "number": number.strip(),
        "amount_minor": payment.amount_minor,
        "sale": payment.sale_id,
    }
    subject, payment.ask_again_at = f"payment:{payment.id}", None
    if payment.state == "captured":
        journal.move(ctx, payment, BY_HAND, subject=subject, why=why.strip(), **facts)
    else:  # taken after it had ended
        payment.contradicted = BY_HAND
        _note(ctx, payment, BY_HAND, why=why.strip(), **facts)
    return payment


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


def can_refund_by_hand(payment: Payment, at: dt.datetime) -> bool:
    """Tell whether a payment's money may go back by hand: its provider refused, or has been silent for too long."""
    since = payment.unwanted_since or payment.requested_at or payment.at
    return requests.goes_back(payment) and (payment.ask_again_at is None or at - since >= SILENT)


def refunded_by_hand(session: Session, store_id: str, *, most: int) -> list[tuple[Payment, JournalEntry]]:
    """Return what went back by hand, each with the journal's entry of who, when and why, newest first."""
    query = (
        sa.select(Payment, JournalEntry)
        .join(JournalEntry, JournalEntry.subject == "payment:" + Payment.id)
        .where(
            Payment.store_id == store_id,
            Payment.provider.is_not(None),
            sa.or_(Payment.state == BY_HAND, Payment.contradicted.in_((BY_HAND, requests.TWICE, "seen"))),
            JournalEntry.node_id == store_id,
            JournalEntry.verb == f"payment.{BY_HAND}",
        )
    )
    return [(row[0], row[1]) for row in session.execute(query.order_by(JournalEntry.n.desc()).limit(most))]


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


def _note(ctx: Context, payment: Payment, verb: str, **facts: Any) -> None:
    journal.record(ctx, verb=f"payment.{verb}", subject=f"payment:{payment.id}", **facts)
