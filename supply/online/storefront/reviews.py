"""What customers say of what they collected, and what the shopkeeper answers; at the network.

Rules
-----
1. Only who collected a product may review it: once per order and product, from the order's own page, 1 to 5 stars.
2. The shopkeeper answers once, and may change the answer; the review itself nobody changes.
3. Anybody may report a review. The operator hides it or lets it stand; either is written down with the reason, and a
   hidden one is kept. A shopkeeper hides nothing.
4. A review shows the first letter of a name at most, and stays when the order's person is forgotten.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.nodes import journal
from config.nodes.journal import Context
from config.states import StateTable
from supply.online.orders import PickupLine, PickupOrder

STATES = StateTable(
    "review", "shown", {"shown": ["reported"], "reported": ["hidden", "shown"], "hidden": ["shown"]},
    resting=["shown", "hidden"],
)  # fmt: skip
REVIEWED = ("collected", "return_asked", "return_refused")
MOST_WORDS = 600


class Review(Base):
    """One customer's word about one product of one order."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "review"
    __table_args__ = (
        sa.CheckConstraint("stars between 1 and 5", name="stars_one_to_five"),
        sa.Index("ix_review_product", "store_id", "sku"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    stars: Mapped[int]
    words: Mapped[str]
    by_name: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    written_at: Mapped[dt.datetime]
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[dt.datetime | None]
    reported_why: Mapped[str] = mapped_column(default="")
    decided_why: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True)
class Stars:
    """What a product's reviews come to: their count and the mean in tenths."""

    count: int
    tenths: int


# --- verbs ---


def write(ctx: Context, order: PickupOrder, sku: str, stars: int, words: str) -> Review:
    """Review a product of a collected order (rule 1); the same again is the same review, another one is a Conflict."""
    if order.state not in REVIEWED:
        raise Refused("not-collected", "You can review a product after pickup.", state=order.state)
    line = ctx.session.get(PickupLine, (order.store_id, order.id, sku))
    if line is None or line.picked_qty == 0:
        raise NotFound("not-in-order", "This product was not in your order.", sku=sku)
    words = " ".join(words.split())
    if not 1 <= stars <= 5 or len(words) > MOST_WORDS or not words.isprintable():
        raise Invalid("bad-review", "Give one to five stars and write up to %(most)s characters.", most=MOST_WORDS)
    known = ctx.session.get(Review, (order.store_id, order.id, sku))
    if known is not None:
        if (known.stars, known.words) != (stars, words):
            raise Conflict("already-reviewed", "You already reviewed this. Tell the store if your view has changed.")
        return known
    row = Review(
        store_id=order.store_id, order_id=order.id, sku=sku, stars=stars, words=words, by_name=order.customer_name[:1],
        state=STATES.first, written_at=ctx.at, answer="", reported_why="", decided_why="",
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    journal.record(ctx, verb="review.written", subject=subject_of(row), stars=stars)
    return row


def answer(ctx: Context, row: Review, words: str) -> Review:
    """Answer a review for the store (rule 2)."""
    words = " ".join(words.split())
    if not 1 <= len(words) <= MOST_WORDS or not words.isprintable():
        raise Invalid("bad-answer", "Enter a response of 1 to %(most)s characters.", most=MOST_WORDS)
    journal.record(ctx, verb="review.answered", subject=subject_of(row), before=row.answer, words=words)
    row.answer, row.answered_at = words, ctx.at
    return row


def report(ctx: Context, row: Review, why: str) -> Review:
    """Report a review to the operator (rule 3); twice is once."""
    why = stated(why, Invalid("reason-missing", "Explain what is wrong.", field="why"), 300)
    if row.state == "shown" and not row.decided_why:
        row.reported_why = why
        journal.move(ctx, row, "reported", subject=subject_of(row), why=why)
    return row


def decide(ctx: Context, row: Review, *, hide: bool, why: str) -> Review:
    """Hide a reported review or let it stand, with the reason (rule 3)."""
    if not why.strip():
        raise Invalid("reason-missing", "Enter a reason for the record.", field="why")
    row.decided_why = why.strip()[:300]
    journal.move(ctx, row, "hidden" if hide else "shown", subject=subject_of(row), why=row.decided_why)
    return row


# --- questions ---


def review_of(session: Session, store_id: str, order_id: str, sku: str) -> Review:
    """Return a review by its order and product."""
    row = session.get(Review, (store_id, order_id, sku))
    if row is None:
        raise NotFound("unknown-review", "Review not found.")
    return row


def of_product(session: Session, store_id: str, sku: str, limit: int = 20) -> list[Review]:
    """Return the reviews customers see of a product, the newest first."""
    query = sa.select(Review).where(Review.store_id == store_id, Review.sku == sku, Review.state != "hidden")
    return list(session.scalars(query.order_by(Review.written_at.desc()).limit(limit)))


def of_order(session: Session, order: PickupOrder) -> dict[str, Review]:
    """Return SKU -> review of an order."""
    query = sa.select(Review).where(Review.store_id == order.store_id, Review.order_id == order.id)
    return {row.sku: row for row in session.scalars(query)}


def stars_of(session: Session, store_id: str, skus: Sequence[str]) -> dict[str, Stars]:
    """Return SKU -> what its reviews come to; hidden ones do not count."""
    query = (
        sa.select(Review.sku, sa.func.count(), sa.func.sum(Review.stars))
        .where(Review.store_id == store_id, Review.sku.in_(skus), Review.state != "hidden")
        .group_by(Review.sku)
    )
    return {sku: Stars(count, (10 * int(total) + count // 2) // count) for sku, count, total in session.execute(query)}


def reported(session: Session) -> list[Review]:
    """Return what waits for the operator, the oldest first."""
    return list(session.scalars(sa.select(Review).where(Review.state == "reported").order_by(Review.written_at)))


def subject_of(row: Review) -> str:
    """Return a review as the journal names it."""
    return f"review:{row.order_id}/{row.sku}"
