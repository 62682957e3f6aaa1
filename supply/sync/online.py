"""Refunds and reviews between the network and the store.

Rules
-----
1. The network keeps the refunds (`money.refunds`). Of one the payment service did not give back at the first asking it
   tells the store, and again when it has ended; what went back at once is not spoken of.
2. At the store a refund is a copy, to be shown with the order; a late older word changes nothing.
3. A review travels to its store once written, and again when the operator hid it or let it stand; the store's copy is
   replaced by it, save for the answer.
4. The store's answer travels to the network; the newest one counts. So does its report of a review, which waits there
   for the operator like anyone's; one the operator has decided on is not reported again.
"""

import datetime as dt
from dataclasses import replace

from sqlalchemy.orm import Session

from config.nodes import door
from config.nodes.facts import applies
from config.nodes.journal import Context, mirror
from pos.store.store import send_fact
from supply.money import refunds
from supply.money.refunds import Refund
from supply.online.storefront import reviews
from supply.online.storefront.reviews import Review
from supply.online_facts import RefundReported, ReviewAnswered, ReviewFlagged, ReviewReported


def send_refund(session: Session, row: Refund, at: dt.datetime) -> None:
    """Tell a store how a refund stands that did not go back at once (rule 1)."""
    if row.tries == 0 or (row.state == "waiting" and row.tries > 1):
        return
    send_fact(session, RefundReported.of_row(row, order_id=row.escrow_id), subject=refunds.subject_of(row), at=at)


@applies(RefundReported)
def note_refund(ctx: Context, fact: RefundReported) -> None:
    """Keep a refund of this store's customer as the network has it (rule 2)."""
    row = ctx.session.get(Refund, fact.id)
    if row is None:
        row = refunds.begin(
            ctx.session, fact.id, fact.order_id, fact.store_id, fact.amount_minor, fact.currency, at=fact.made_at
        )
    if row.state != "waiting":
        return
    mirror(row, fact.state)
    row.answer, row.reason, row.ended_at, row.tries = fact.answer, fact.reason, fact.ended_at, 1


def send_review(session: Session, row: Review, at: dt.datetime) -> None:
    """Send a review to its store (rule 3)."""
    send_fact(session, ReviewReported.of_row(row), subject=reviews.subject_of(row), at=at)


@applies(ReviewReported)
def note_review(ctx: Context, fact: ReviewReported) -> None:
    """Keep a review of this store as the network has it (rule 3)."""
    row = ctx.session.get(Review, (fact.store_id, fact.order_id, fact.sku))
    if row is None:
        row = Review(**vars(fact), answer="", reported_why="", decided_why="")
        ctx.session.add(row)
        ctx.session.flush()
    mirror(row, fact.state)


def answer_review(ctx: Context, row: Review, words: str) -> None:
    """Answer a review in the store, and tell the network (rule 4)."""
    reviews.answer(ctx, row, words)
    fact = ReviewAnswered.of_row(row, words=row.answer, at=ctx.at)
    send_fact(ctx.session, fact, subject=reviews.subject_of(row), at=ctx.at)


def report_review(ctx: Context, row: Review, why: str) -> None:
    """Report a review to the network's operator (rule 4); twice is once."""
    if row.state == "shown" and not row.reported_why:
        reviews.report(ctx, row, why)
        fact = ReviewFlagged.of_row(row, why=row.reported_why, at=ctx.at)
        send_fact(ctx.session, fact, subject=reviews.subject_of(row), at=ctx.at)


@applies(ReviewFlagged)
def note_review_report(ctx: Context, fact: ReviewFlagged) -> None:
    """Put a review that its store reports before the operator, or tell the store what was decided already (rule 4)."""
    row = reviews.review_of(ctx.session, fact.store_id, fact.order_id, fact.sku)
    reviews.report(replace(ctx, at=fact.at), row, fact.why)
    if row.decided_why:
        send_review(ctx.session, row, ctx.at)


@applies(ReviewAnswered)
def note_review_answer(ctx: Context, fact: ReviewAnswered) -> None:
    """Take over a store's answer; an older one that arrives late changes nothing (rule 4)."""
    door.moment(fact.at, "at", ctx.at)
    row = reviews.review_of(ctx.session, fact.store_id, fact.order_id, fact.sku)
    if row.answered_at is None or row.answered_at < fact.at:
        reviews.answer(replace(ctx, at=fact.at), row, fact.words)
