"""Money that somebody else moves: what a terminal or a wallet was asked, what it answered, and what that means.

Rules
-----
1. A payment is written as `requested` and committed before the provider is asked, and the answer is written in a
   transaction of its own: `asking` walks that road. Nothing here asks anybody.
2. The payment's id is made by the page. The same id with the same content is the same payment; with another content
   it is a Conflict.
3. The first final answer counts. The same answer again changes nothing; another one is journalled, kept in
   `contradicted` and shown to a person; the state stands.
4. Money nobody wants goes back by itself: a payment is unwanted once the cashier cancelled it, once its basket was
   voided, or once its sale was completed without it. Whatever of it is captured then, however late, is reversed. One
   exception waits for a person: the sale holds a card slip typed by hand over the same amount, which may be this very
   payment (`unclaimed`).
5. A captured payment is claimed by one completed sale, its own, to the full amount; a claim and a reversal exclude
   each other. Only what is claimed counts towards a sale.
6. An unknown payment blocks nothing: the cashier may take cash or ask for another card.
7. What the provider does not give back, a person gives back by hand (`unclaimed`); the provider is asked no more, and
   if it gave the money back as well, that is kept in `contradicted`.
8. Money of a completed sale goes back with a return only: a new payment of a negative amount that names the one it
   gives back, in full or in part, in all never more than was captured. It belongs to the return, which claims it.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused, check_amount
from config.ids import is_id
from config.money import MAX_MINOR
from config.nodes import journal
from config.nodes.journal import Context
from pos.payments import wallet_codes
from pos.payments.payments import LONGEST_REFERENCE, Payment
from pos.payments.providers import FINAL, NEVER_SEEN, Outcome
from pos.payments.tenders import POINTS, tender_of
from pos.payments.wallet_codes import WalletCode
from pos.store.store import Store, Till

OPEN = ("requested", "unknown")
BY_HAND, TWICE = "refunded_by_hand", "refunded_twice"
"""The state of what a person gave back; `contradicted` where the provider did so, too."""
BACK = "back"
"""The way of a payment that gives another one's money back."""
LATE_ANSWERS = (dt.timedelta(seconds=20), dt.timedelta(minutes=2), dt.timedelta(minutes=15))
"""After a cancelling, how long from the request a late capture is still asked for."""
_SOONEST, _LATEST = dt.timedelta(seconds=5), dt.timedelta(minutes=30)
# The sale and the basket know their payments, not the other way round; so their tables are only named here.
_SALE = sa.table("sale", sa.column("store_id"), sa.column("id"), sa.column("state"))
_BASKET = sa.table("basket", sa.column("store_id"), sa.column("id"), sa.column("state"))


@dataclass(frozen=True)
class Wanted:
    """What the page asks for. code: what the customer's phone showed, scanned, or whose points; it is never kept."""

    id: str
    store_id: str
    sale_id: str
    till_id: str
    tender: str
    way: str
    amount_minor: int
    provider: str
    code: str = ""

    def hash(self) -> str:
        """Return the hash of the content, by which the same request is known again."""
        return hashlib.sha256(journal.canonical(vars(self)).encode()).hexdigest()

    @property
    def wallet(self) -> WalletCode | None:
        """The customer's code, recognised."""
        return wallet_codes.read(self.code) if self.way == "customer_code" else None


# --- verbs ---


def request(ctx: Context, wanted: Wanted) -> Payment:
    """Write a payment as requested (rules 1, 2); commit, then ask."""
    _check(wanted)
    if (known := _known(ctx.session, wanted.store_id, wanted.id, wanted.hash())) is not None:
        return known
    if is_over(ctx.session, wanted.store_id, wanted.sale_id):
        raise Refused("sale-finished", "This sale is already complete and needs no more payments.")
    if ctx.session.get(Till, (wanted.store_id, wanted.till_id)) is None:
        raise NotFound("unknown-till", "Till %(till_id)s not found at this store.", till_id=wanted.till_id)
    wallet = wanted.wallet
    payment = _requested(wanted, ctx.at, reference=wallet.masked if wallet else "")
    return _written(ctx, payment, wallet=wallet.wallet if wallet else None)


def give_back(ctx: Context, payment: Payment, amount_minor: int, *, id: str, return_id: str, till_id: str) -> Payment:
    """Write the request to give back all or part of a claimed payment (rule 8); commit, then ask.

    amount_minor > 0. id: the new payment's, made by the page; return_id: the sale id of the return it belongs to.
    Refused with what is left when it is more than that; what is still being asked for counts as given.
    """
    if isinstance(amount_minor, bool) or not 0 < amount_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "Enter a refund above zero.", amount_minor=amount_minor)
    wanted = Wanted(
        id, payment.store_id, return_id, till_id, payment.tender, BACK, -amount_minor, payment.provider or ""
    )
    _check_ids(wanted)
    original = locked(ctx.session, payment.store_id, payment.id)
    if (known := _known(ctx.session, wanted.store_id, id, wanted.hash())) is not None:
        return known
    took_money = bool(original.provider) and original.way != POINTS and original.amount_minor >= 0
    if not took_money or original.state != "captured" or not original.claimed_by:
        raise Refused("nothing-to-give-back", "Only card or wallet payments of a completed sale can be refunded here.")
    if is_over(ctx.session, wanted.store_id, return_id):
        raise Refused("sale-finished", "This sale is already complete and needs no more payments.")
    left_minor = original.amount_minor - given_back_minor(ctx.session, original)
    if amount_minor > left_minor:
        raise Refused(
            "more-than-captured",
            "That is more than is left of this payment. Refund the rest in cash.",
            left_minor=left_minor,
            amount_minor=amount_minor,
        )
    back = _requested(wanted, ctx.at)
    back.gives_back = original.id
    return _written(ctx, back, gives_back=original.id)


def settle_outcome(ctx: Context, store_id: str, payment_id: str, outcome: Outcome) -> Payment:
    """Write what the provider answered; the first final answer counts (rule 3)."""
    payment = locked(ctx.session, store_id, payment_id)
    payment.asked_at, payment.tries = ctx.at, (payment.tries or 0) + 1
    payment.shown_code = outcome.shown_code or payment.shown_code
    if payment.state in OPEN:
        _first_answer(ctx, payment, outcome)
    else:
        _further_answer(ctx, payment, outcome)
    if payment.state == "captured" and not payment.claimed_by:
        _leave_if_over(ctx, payment)
    payment.ask_again_at = _next(payment, ctx.at)
    return payment


def unwant(ctx: Context, store_id: str, payment_id: str, *, why: str) -> Payment:
    """Say that a payment is not wanted (rule 4): what is open is cancelled, what is captured goes back."""
    payment = locked(ctx.session, store_id, payment_id)
    if payment.claimed_by or payment.same_as:
        raise Refused(
            "payment-used", "This payment belongs to a completed sale. Refund the products to return the money."
        )
    if payment.gives_back:
        raise Refused("payment-goes-back", "This refund is already on its way and cannot be stopped.")
    if payment.state in (*OPEN, "captured"):
        _unwanted(ctx, payment, why)
    return payment


def settle_reversal(ctx: Context, store_id: str, payment_id: str, outcome: Outcome) -> Payment:
    """Write what the provider answered when unwanted money should go back; `captured` means it did."""
    payment = locked(ctx.session, store_id, payment_id)
    payment.asked_at, payment.tries = ctx.at, (payment.tries or 0) + 1
    if outcome.state == "captured" and BY_HAND in (payment.state, payment.contradicted):
        payment.contradicted = TWICE
        _note(ctx, payment, TWICE, reference=outcome.reference)
    if not goes_back(payment):
        return payment
    if outcome.state == "captured" and payment.state == "captured":
        journal.move(ctx, payment, "reversed", subject=_subject(payment), reference=outcome.reference)
    elif outcome.state == "captured":
        payment.contradicted = "reversed"
        _note(ctx, payment, "late_reversed", reference=outcome.reference)
    else:
        refused = outcome.state in ("declined", "cancelled")
        if refused and payment.ask_again_at is not None:
            _note(ctx, payment, "not_reversed", reason=outcome.reason)
        payment.reason = outcome.reason or payment.reason
        payment.ask_again_at = None if refused else _after(payment, ctx.at)
        return payment
    payment.ask_again_at = None
    return payment


def claim(
    session: Session, payment_id: str, sale_id: str, amount_minor: int, *, store_id: str | None = None
) -> Payment:
    """Let a completed sale be paid with a captured payment (rule 5), once; of two that try, one wins.

    amount_minor is the whole amount, negative for money given back. store_id: needed only where several stores' books
    lie together.
    """
    stores = sa.select(Store.id) if store_id is None else [store_id]
    mine = (Payment.store_id.in_(stores), Payment.id == payment_id)
    taken = session.execute(
        sa.update(Payment)
        .where(
            *mine,
            Payment.sale_id == sale_id,
            Payment.amount_minor == amount_minor,
            Payment.provider.is_not(None),
            Payment.state == "captured",
            Payment.claimed_by.is_(None),
            Payment.same_as.is_(None),
            Payment.unwanted_since.is_(None),
        )
        .values(claimed_by=sale_id, ask_again_at=None)
        .execution_options(synchronize_session=False)
        .returning(Payment.store_id)
    ).scalar()
    found = session.scalar(sa.select(Payment).where(*mine).execution_options(populate_existing=True))
    if taken is None:
        raise _not_claimed(found, sale_id, amount_minor)
    assert found is not None
    return found


def claim_again(ctx: Context, payment: Payment, sale_id: str) -> None:
    """Let a payment stand as its completed sale says, whose books were put back from an older copy: taken and used."""
    if payment.state in OPEN:
        journal.move(ctx, payment, "captured", subject=_subject(payment))
    elif payment.state != "captured":
        payment.contradicted = "captured"
    use_for(ctx, payment, sale_id)
    payment.claimed_by, payment.ask_again_at = sale_id, None


def use_for(ctx: Context, payment: Payment, sale_id: str) -> None:
    """Let a payment pay for another basket than the one it was asked for, and note that."""
    if payment.sale_id != sale_id:
        _note(ctx, payment, "moved", from_sale=payment.sale_id, to_sale=sale_id)
        payment.sale_id = sale_id


# --- questions ---


def payment_of(session: Session, store_id: str, payment_id: str) -> Payment:
    """Return a payment that a provider was asked for; NotFound else."""
    found = session.get(Payment, (store_id, payment_id))
    if found is None or not found.provider:
        raise NotFound("no-such-payment", "Payment not found at this store.", id=payment_id)
    return found


def locked(session: Session, store_id: str, payment_id: str) -> Payment:
    """Return a payment that nobody else changes until this transaction ends."""
    query = sa.select(Payment).where(Payment.store_id == store_id, Payment.id == payment_id)
    found = session.scalar(lock_rows(session, query).execution_options(populate_existing=True))
    if found is None or not found.provider:
        raise NotFound("no-such-payment", "Payment not found at this store.", id=payment_id)
    return found


def captured(session: Session, store_id: str, sale_id: str) -> list[Payment]:
    """Return the captured payments of a sale that are wanted and not claimed yet, oldest first."""
    return list(session.scalars(unused(store_id).where(Payment.sale_id == sale_id).order_by(Payment.requested_at)))


def of_sale(session: Session, store_id: str, sale_id: str) -> list[Payment]:
    """Return whatever a provider was asked for a sale, oldest first."""
    query = sa.select(Payment).where(
        Payment.store_id == store_id, Payment.sale_id == sale_id, Payment.provider.is_not(None)
    )
    return list(session.scalars(query.order_by(Payment.requested_at, Payment.id)))


def claimed(session: Session, store_id: str, sale_id: str) -> list[Payment]:
    """Return the payments by which providers took the money of a completed sale, oldest first; points are no money."""
    query = sa.select(Payment).where(
        Payment.store_id == store_id,
        Payment.provider.is_not(None),
        Payment.claimed_by == sale_id,
        Payment.way != POINTS,
        Payment.state == "captured",
        Payment.amount_minor > 0,
    )
    return list(session.scalars(query.order_by(Payment.requested_at, Payment.id)))


def refuse_captured(session: Session, store_id: str, sale_id: str) -> None:
    """Refuse to void a basket for which money was taken and not given back yet."""
    taken = (row for row in of_sale(session, store_id, sale_id) if row.state == "captured" and row.amount_minor > 0)
    held = [row for row in taken if not row.same_as]
    if held:
        raise Refused(
            "money-taken",
            "This basket has a payment. Refund it first, then void the basket.",
            payments=[row.id for row in held],
            amount_minor=sum(row.amount_minor for row in held),
        )


def given_back_minor(session: Session, payment: Payment, *, but: str = "") -> int:
    """Return how much of a payment was given back, or is being asked to be. but: a payment that is not counted."""
    query = sa.select(sa.func.sum(Payment.amount_minor)).where(
        Payment.store_id == payment.store_id,
        Payment.provider.is_not(None),
        Payment.gives_back == payment.id,
        Payment.id != but,
        Payment.state.in_((*OPEN, "captured")),
    )
    return -int(session.scalar(query) or 0)


def unused(store_id: str) -> sa.Select[Payment]:
    """Return the query of captured payments that are wanted and not claimed."""
    return sa.select(Payment).where(
        Payment.store_id == store_id,
        Payment.provider.is_not(None),
        Payment.state == "captured",
        Payment.claimed_by.is_(None),
        Payment.same_as.is_(None),
        Payment.unwanted_since.is_(None),
    )


def goes_back(payment: Payment) -> bool:
    """Tell whether money was captured that nobody wants, or after the request had ended."""
    if payment.gives_back or payment.claimed_by:
        return False
    if payment.state == "captured":
        return payment.unwanted_since is not None
    return payment.state in ("declined", "cancelled") and payment.contradicted == "captured"


def is_over(session: Session, store_id: str, sale_id: str) -> bool:
    """Tell whether a sale is completed or its basket voided."""
    return any(
        session.scalar(
            sa.select(sa.literal(1)).where(
                table.c.store_id == store_id, table.c.id == sale_id, table.c.state.in_(("completed", "voided"))
            )
        )
        for table in (_SALE, _BASKET)
    )


def slip_of(session: Session, payment: Payment) -> Payment | None:
    """Return the card slip of the same amount, typed by hand for the same sale, that no other payment stands for."""
    if tender_of(payment.tender).pane != "card" or payment.amount_minor < 0:
        return None
    taken = sa.select(Payment.same_as).where(Payment.store_id == payment.store_id, Payment.same_as.is_not(None))
    query = sa.select(Payment).where(
        Payment.store_id == payment.store_id,
        Payment.sale_id == payment.sale_id,
        Payment.tender == payment.tender,
        Payment.amount_minor == payment.amount_minor,
        Payment.provider.is_(None),
        Payment.id.not_in(taken),
    )
    # put in order here: SQLite would read all the store was ever paid in the order of the ids
    return min(session.scalars(query), key=lambda slip: slip.id, default=None)


# --- inside ---


def _check(wanted: Wanted) -> None:
    if wanted.way not in tender_of(wanted.tender).ways:
        raise Invalid("unknown-way", "Charge a card at the terminal, or a wallet with one of its codes.")
    check_amount(wanted.amount_minor)
    if bool(wanted.code) != (wanted.way in ("customer_code", POINTS)):
        raise Invalid("wallet-code-missing", "Scan the payment code on the customer's phone.")
    _check_ids(wanted)


def _check_ids(wanted: Wanted) -> None:
    if not (is_id(wanted.id) and is_id(wanted.sale_id)):
        raise Invalid("bad-payment-id", "A payment ID has 8 to 40 letters, digits or hyphens.")


def _known(session: Session, store_id: str, payment_id: str, content: str) -> Payment | None:
    known = session.get(Payment, (store_id, payment_id))
    if known is not None and known.request_hash != content:
        raise Conflict(
            "payment-content-differs", "This payment was already requested with different details.", id=known.id
        )
    return known


def _requested(wanted: Wanted, at: dt.datetime, *, reference: str = "") -> Payment:
    return Payment(
        store_id=wanted.store_id,
        id=wanted.id,
        sale_id=wanted.sale_id,
        tender=wanted.tender,
        amount_minor=wanted.amount_minor,
        reference=reference,
        at=at,
        till_id=wanted.till_id,
        provider=wanted.provider,
        way=wanted.way,
        request_hash=wanted.hash(),
        requested_at=at,
        ask_again_at=at + _SOONEST,
        tries=0,
    )


def _written(ctx: Context, payment: Payment, **facts: str | None) -> Payment:
    ctx.session.add(payment)
    reported = {name: value for name, value in facts.items() if value}
    _note(
        ctx, payment, "requested", sale=payment.sale_id, till=payment.till_id, way=payment.way,
        provider=payment.provider, amount_minor=payment.amount_minor, **reported)  # fmt: skip
    ctx.session.flush()
    return payment


def _first_answer(ctx: Context, payment: Payment, outcome: Outcome) -> None:
    payment.provider_ref = outcome.reference or payment.provider_ref
    target = "declined" if payment.state == "unknown" and outcome.state == "cancelled" else outcome.state
    under_way = outcome.state == "declined" and outcome.reason == NEVER_SEEN and ctx.at < _surely_seen(payment)
    if under_way or (target in OPEN and (target == payment.state or payment.state == "unknown")):
        payment.reason = (outcome.reason or None) if target == payment.state else payment.reason
        return
    payment.reason = outcome.reason or (outcome.state if target != outcome.state else None)
    if target == "captured":
        payment.reference = (payment.provider_ref or payment.reference)[:LONGEST_REFERENCE]
        payment.paper = outcome.paper or None
    journal.move(ctx, payment, target, subject=_subject(payment), why=payment.reason, reference=payment.provider_ref)


def _further_answer(ctx: Context, payment: Payment, outcome: Outcome) -> None:
    moved = {"captured": True, "declined": False, "cancelled": False}
    if outcome.state not in FINAL or payment.state in ("reversed", BY_HAND) or payment.contradicted:
        return
    if moved[payment.state] == moved[outcome.state]:
        return
    payment.contradicted = outcome.state
    payment.provider_ref = outcome.reference or payment.provider_ref
    _note(ctx, payment, "contradicted", was=payment.state, answer=outcome.state, reason=outcome.reason)


def _leave_if_over(ctx: Context, payment: Payment) -> None:
    if payment.unwanted_since or payment.same_as or payment.gives_back:
        return
    if is_over(ctx.session, payment.store_id, payment.sale_id) and slip_of(ctx.session, payment) is None:
        _unwanted(ctx, payment, "the sale was finished without it")


def _unwanted(ctx: Context, payment: Payment, why: str) -> None:
    payment.ask_again_at = ctx.at
    if payment.unwanted_since is None:
        payment.unwanted_since = ctx.at
        _note(ctx, payment, "unwanted", why=why)


def _next(payment: Payment, at: dt.datetime) -> dt.datetime | None:
    if payment.state in OPEN:
        return _after(payment, at)
    if goes_back(payment):
        return at
    if payment.state == "cancelled" or payment.reason == NEVER_SEEN:
        since = payment.unwanted_since or payment.requested_at or at
        return next((since + wait for wait in LATE_ANSWERS if since + wait > at), None)
    return None


def _after(payment: Payment, at: dt.datetime) -> dt.datetime:
    age = at - (payment.requested_at or at)
    return at + min(max(age / 2, _SOONEST), _LATEST)


def _surely_seen(payment: Payment) -> dt.datetime:
    return (payment.requested_at or payment.at) + dt.timedelta(minutes=1)


def _not_claimed(found: Payment | None, sale_id: str, amount_minor: int) -> NotFound | Refused:
    if found is None or not found.provider:
        return NotFound("no-such-payment", "Payment not found at this store.")
    if found.sale_id != sale_id:
        return Refused("payment-elsewhere", "This payment belongs to another sale.", id=found.id)
    if found.claimed_by or found.same_as:
        return Refused("payment-used", "A completed sale already uses this payment.", id=found.id)
    if found.unwanted_since or found.state in ("reversed", BY_HAND):
        return Refused("payment-unwanted", "This payment is being refunded. Charge again.", id=found.id)
    if found.state != "captured":
        return Refused(
            "payment-not-captured",
            "This payment failed. Choose another payment method.",
            id=found.id,
            state=found.state,
        )
    return Refused(
        "payment-amount",
        "The amount paid differs from the sale. Reload the basket and pay again.",
        captured_minor=found.amount_minor,
        amount_minor=amount_minor,
    )


def _note(ctx: Context, payment: Payment, verb: str, **facts: object) -> None:
    journal.record(ctx, verb=f"payment.{verb}", subject=_subject(payment), **facts)


def _subject(payment: Payment) -> str:
    return f"payment:{payment.id}"
