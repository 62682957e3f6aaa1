"""What the network holds of customers' online payments: each payment's escrow and its entries.

What happens to them is `escrow`; a store's ledger asks how much is held, for an advance is given on that.
Units: *_minor minor units of the store's currency.
"""

import datetime as dt
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.nodes.append_only import append_only
from config.states import StateTable

STATES = StateTable(
    "escrow",
    "awaited",
    {
        "awaited": ["held", "lapsed"],
        "held": ["disputed", "settled"],
        "disputed": ["held", "settled"],
        "lapsed": ["settled"],
        "settled": ["disputed"],
    },
    resting=["lapsed", "settled"],
)


class Escrow(Base):
    """One payment kept apart. id: the order's or the membership's. release_at: None while nothing was collected."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "escrow"
    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.Index("ix_escrow_state", "state", "release_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    purpose: Mapped[str]
    """pickup | group"""
    amount_minor: Mapped[int]
    currency: Mapped[str]
    provider: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    opened_at: Mapped[dt.datetime]
    pay_by: Mapped[dt.datetime]
    ask_again_at: Mapped[dt.datetime | None]
    tries: Mapped[int] = mapped_column(default=0)
    shown_code: Mapped[str] = mapped_column(default="")
    reference: Mapped[str] = mapped_column(default="")
    reason: Mapped[str] = mapped_column(default="")
    release_at: Mapped[dt.datetime | None]
    proved: Mapped[bool] = mapped_column(default=False, server_default=sa.text("false"))
    """Its customer's token or word has shown that the goods were handed over."""
    disputed_why: Mapped[str] = mapped_column(default="")


@append_only()
class EscrowEntry(Base):
    """A movement of an escrow's money; never changed. answers_id: the due entry that this one carries out."""

    __tablename__ = "escrow_entry"
    __table_args__ = (
        sa.CheckConstraint("amount_minor > 0", name="amount_positive"),
        sa.UniqueConstraint("answers_id"),
        sa.Index("ix_escrow_entry_escrow", "escrow_id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    escrow_id: Mapped[str] = mapped_column(sa.ForeignKey("escrow.id"))
    from_account: Mapped[str]
    to_account: Mapped[str]
    amount_minor: Mapped[int]
    why: Mapped[str]
    answers_id: Mapped[str | None]
    at: Mapped[dt.datetime]


def share_of_held(session: Session, store_id: str, advance_bp: int) -> int:
    """Return the share of what is kept of a store's customers, for goods that they have proved to have."""
    signed = sa.case((EscrowEntry.to_account == "escrow", EscrowEntry.amount_minor), else_=-EscrowEntry.amount_minor)
    query = (
        sa.select(sa.func.coalesce(sa.func.sum(signed), 0))
        .join(Escrow, Escrow.id == EscrowEntry.escrow_id)
        .where(
            Escrow.store_id == store_id, Escrow.state == "held", Escrow.release_at.is_not(None), Escrow.proved,
            sa.or_(EscrowEntry.to_account == "escrow", EscrowEntry.from_account == "escrow"),
        )
    )  # fmt: skip
    return int(session.scalar(query) or 0) * advance_bp // 10_000
