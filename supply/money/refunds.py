"""Money on its way back to a customer: asked of the payment service until it has gone back, or paid by hand.

Rules
-----
1. Each entry of an escrow that is due to a customer has one refund. It waits until the service says that it gave the
   money back, or until a person has paid it otherwise and said how.
2. The service is asked at once, and then after pauses that double from SOONEST to LATEST; what it answered last stays
   in sight. A person may have it asked at once.
3. By hand is paid what the service has refused. Where it said nothing certain the money may be back already, so a
   person looks there first and says so.

Units: *_minor currency minor units.
"""

import datetime as dt
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Invalid, NotFound, Refused, stated
from config.nodes import journal
from config.nodes.journal import Context
from config.states import StateTable
from pos.payments.providers import Outcome

STATES = StateTable("refund", "waiting", {"waiting": ["done", "by_hand"]})
SOONEST, LATEST = dt.timedelta(seconds=30), dt.timedelta(days=1)
REFUSED = ("declined", "cancelled")


class Refund(Base):
    """What becomes of one due entry. id: the entry's; it is the service's key too, so that it pays once."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "refund"
    __table_args__ = (sa.Index("ix_refund_waiting", "state", "try_at"), sa.Index("ix_refund_escrow", "escrow_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    escrow_id: Mapped[str]
    store_id: Mapped[str]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    made_at: Mapped[dt.datetime]
    tries: Mapped[int] = mapped_column(default=0)
    try_at: Mapped[dt.datetime]
    answer: Mapped[str] = mapped_column(default="")
    """What the service answered last: one of terminal.ANSWERS, '' before it was asked."""
    reason: Mapped[str] = mapped_column(default="")
    """What it said to that, for a person."""
    ended_at: Mapped[dt.datetime | None]
    reference: Mapped[str] = mapped_column(default="")
    """How it was paid by hand."""


# --- verbs ---


def begin(
    session: Session, id: str, escrow_id: str, store_id: str, amount_minor: int, currency: str, *, at: dt.datetime
) -> Refund:
    """Begin to send money back (rule 1)."""
    row = Refund(
        id=id, escrow_id=escrow_id, store_id=store_id, amount_minor=amount_minor, currency=currency,
        state=STATES.first, made_at=at, tries=0, try_at=at, answer="", reason="", reference="",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def not_yet(session: Session, id: str, outcome: Outcome, *, at: dt.datetime) -> Refund:
    """Keep what the service answered, and when it is asked next (rule 2)."""
    row = locked(session, id)
    if row.state == "waiting":
        row.answer, row.reason = outcome.state, outcome.reason
        row.try_at = at + min(LATEST, SOONEST * (1 << min(row.tries, 20)))
        row.tries += 1
    return row


def ask_now(ctx: Context, id: str) -> Refund:
    """Have the service asked at once (rule 2); of what has ended nothing is asked."""
    row = locked(ctx.session, id)
    if row.state == "waiting":
        row.try_at = min(row.try_at, ctx.at)
        journal.record(ctx, verb="refund.asked_again", subject=subject_of(row))
    return row


def end(ctx: Context, id: str, state: str, *, reference: str = "") -> None:
    """End a refund: the service has paid it (done), or a person has (by_hand); `escrow` books it."""
    row = locked(ctx.session, id)
    journal.move(ctx, row, state, subject=subject_of(row), why=reference or None)
    row.ended_at, row.reference = ctx.at, reference


def check_by_hand(row: Refund, reference: str, *, looked: bool) -> str:
    """Return the words on a payment by hand, tidied, or refuse it (rule 3). looked: a person saw it is not back."""
    reference = stated(
        reference, Invalid("no-reference", "Enter how it was paid, such as the transfer number.", field="reference")
    )
    if row.answer not in REFUSED and not looked:
        raise Refused(
            "may-be-back",
            "The payment service has not refused it, so it may have refunded already. Check there first, then confirm.",
            answer=row.answer,
        )
    return reference


# --- questions ---


def of_entry(session: Session, id: str) -> Refund:
    """Return the refund of a due entry."""
    row = session.get(Refund, id)
    if row is None:
        raise NotFound("unknown-refund", "Refund not found.", refund=id)
    return row


def locked(session: Session, id: str) -> Refund:
    """Return a refund, locked until the end of the transaction."""
    query = lock_rows(session, sa.select(Refund).where(Refund.id == id)).execution_options(populate_existing=True)
    return session.scalar(query) or of_entry(session, id)


def due(session: Session, at: dt.datetime, limit: int = 50) -> list[Refund]:
    """Return what the service is to be asked about now, the longest due first."""
    query = sa.select(Refund).where(Refund.state == "waiting", Refund.try_at <= at)
    return list(session.scalars(query.order_by(Refund.try_at, Refund.id).limit(limit)))


def not_back(session: Session, limit: int = 50) -> list[Refund]:
    """Return what was asked for and is not back with its customer yet, the oldest first."""
    query = sa.select(Refund).where(Refund.state == "waiting", Refund.tries > 0)
    return list(session.scalars(query.order_by(Refund.made_at, Refund.id).limit(limit)))


def of_escrow(session: Session, escrow_id: str) -> list[Refund]:
    """Return the refunds of one payment, the oldest first; at a store those it was told of."""
    return list(session.scalars(sa.select(Refund).where(Refund.escrow_id == escrow_id).order_by(Refund.made_at)))


def going_back(session: Session, escrow_id: str) -> int:
    """Return how much of an escrow is on its way back."""
    query = sa.select(sa.func.coalesce(sa.func.sum(Refund.amount_minor), 0)).where(
        Refund.escrow_id == escrow_id, Refund.state == "waiting"
    )
    return int(session.scalar(query) or 0)


def subject_of(row: Refund) -> str:
    """Return a refund as the journal names it."""
    return f"refund:{row.id}"
