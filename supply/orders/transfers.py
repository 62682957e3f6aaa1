"""Goods that pass from one store to its neighbour: the transfer, its lines, and what may be asked of them.

`transfers` has the verbs and the rules 1 to 6; this file holds the tables.
"""

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import NotFound
from config.states import StateTable

STATES = StateTable(
    "transfer",
    "proposed",
    {
        "proposed": ["agreed", "declined", "lapsed"],
        "agreed": ["handed_over", "declined", "lapsed"],
        "declined": ["handed_over"],
        "lapsed": ["handed_over"],
        "handed_over": ["received"],
        "received": ["taken_back"],
    },
    resting=["declined", "lapsed", "handed_over", "received"],
)
ROAD = ("proposed", "agreed", "handed_over", "received", "taken_back")
MISSED_DAYS = 14
"""So long the giver is asked about goods that did not come."""
UNREPORTED_DAYS = 2
"""So long the fetching store has time to say what came, before the operator is told."""
OPEN = ("proposed", "agreed", "handed_over")


class Transfer(Base):
    """Goods one store gives another. giver_minor, taker_minor: what each gains; a store has only its own (rule 6)."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "transfer"
    __table_args__ = (sa.Index("ix_transfer_state", "state", "giver_id", "taker_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    giver_id: Mapped[str]
    taker_id: Mapped[str]
    giver_name: Mapped[str]
    taker_name: Mapped[str]
    metres: Mapped[int]
    state: Mapped[str] = mapped_column(default=STATES.first)
    proposed_at: Mapped[dt.datetime]
    answer_by: Mapped[dt.date]
    fetch_by: Mapped[dt.date]
    giver_minor: Mapped[int | None]
    taker_minor: Mapped[int | None]
    giver_yes: Mapped[bool] = mapped_column(default=False)
    taker_yes: Mapped[bool] = mapped_column(default=False)
    why: Mapped[str] = mapped_column(default="")
    """Why it was declined, or lapsed, or did not come."""
    declined_by: Mapped[str] = mapped_column(default="")
    """The id of the store that said no."""
    code_hash: Mapped[str] = mapped_column(default="")
    """Of the fetching store's code (rule 2)."""
    handed_over_at: Mapped[dt.datetime | None]
    received_at: Mapped[dt.datetime | None]
    cost_minor: Mapped[int] = mapped_column(default=0)
    """What was booked for what was handed over; before that what is agreed."""


class TransferLine(Base):
    """One product of a transfer. given_qty, taken_qty: None until it was handed over, or received."""

    __tablename__ = "transfer_line"
    __table_args__ = (sa.CheckConstraint("qty > 0", name="qty_positive"),)

    transfer_id: Mapped[str] = mapped_column(sa.ForeignKey("transfer.id"), primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    stock_unit: Mapped[str]
    price_quantity: Mapped[int]
    qty: Mapped[int]
    pack_qty: Mapped[int]
    pack_cost_minor: Mapped[int]
    last_day: Mapped[dt.date | None]
    given_qty: Mapped[int | None]
    taken_qty: Mapped[int | None]


# --- questions ---


def transfer_of(session: Session, store_id: str, transfer_id: str) -> Transfer:
    """Return a transfer this store takes part in, locked; NotFound for any other."""
    query = sa.select(Transfer).where(
        Transfer.id == transfer_id, sa.or_(Transfer.giver_id == store_id, Transfer.taker_id == store_id)
    )
    found: Transfer | None = session.scalar(lock_rows(session, query))
    if found is None:
        raise NotFound("unknown-transfer", "Transfer not found at this store.", transfer_id=transfer_id)
    return found


def lines_of(session: Session, found: Transfer) -> list[TransferLine]:
    """Return a transfer's lines, by name."""
    query = sa.select(TransferLine).where(TransferLine.transfer_id == found.id)
    return list(session.scalars(query.order_by(TransferLine.name, TransferLine.sku)))


def unanswered(session: Session, store_id: str) -> int:
    """Return how many proposed transfers wait for this store's answer."""
    mine = sa.or_(
        sa.and_(Transfer.giver_id == store_id, ~Transfer.giver_yes),
        sa.and_(Transfer.taker_id == store_id, ~Transfer.taker_yes),
    )
    return session.scalar(sa.select(sa.func.count()).where(Transfer.state == "proposed", mine)) or 0


def transfers(session: Session, states: Iterable[str], *, limit: int = 100) -> list[Transfer]:
    """Return the transfers in these states, the newest first."""
    query = sa.select(Transfer).where(Transfer.state.in_(list(states)))
    return list(session.scalars(query.order_by(Transfer.proposed_at.desc(), Transfer.id).limit(limit)))


def to_let_go(session: Session, store_id: str) -> list[Transfer]:
    """Return what the other store took in and this one has not let go of, the oldest first (rule 3)."""
    query = sa.select(Transfer).where(
        Transfer.giver_id == store_id, Transfer.state == "received", Transfer.handed_over_at.is_(None)
    )
    return list(session.scalars(query.order_by(Transfer.proposed_at, Transfer.id)))


def missing(session: Session, store_id: str | None = None, *, at: dt.datetime) -> list[Transfer]:
    """Return what was handed over and did not come, of the last MISSED_DAYS, the newest first.

    store_id: the store that gave it; None: any.
    """
    lost = sa.exists().where(TransferLine.transfer_id == Transfer.id, TransferLine.given_qty > TransferLine.taken_qty)
    query = sa.select(Transfer).where(
        Transfer.state == "received", Transfer.handed_over_at > at - dt.timedelta(days=MISSED_DAYS), lost
    )
    query = query if store_id is None else query.where(Transfer.giver_id == store_id)
    return list(session.scalars(query.order_by(Transfer.handed_over_at.desc(), Transfer.id)))


def not_reported(session: Session, *, at: dt.datetime) -> list[Transfer]:
    """Return what was handed over more than UNREPORTED_DAYS ago and nobody said whether it came, the oldest first."""
    query = sa.select(Transfer).where(
        Transfer.state == "handed_over", Transfer.handed_over_at < at - dt.timedelta(days=UNREPORTED_DAYS)
    )
    return list(session.scalars(query.order_by(Transfer.handed_over_at, Transfer.id)))


def missing_qty(line: TransferLine) -> int:
    """Return how many units of a line were handed over and did not arrive."""
    return max(0, (line.given_qty or 0) - (line.taken_qty or 0))


def coming(session: Session, store_id: str) -> list[tuple[str, int, dt.date]]:
    """Return what was agreed and not yet received by a store, (SKU, units, to be fetched by).

    Its orders count on it.
    """
    qty = sa.func.coalesce(TransferLine.given_qty, TransferLine.qty)
    query = (
        sa.select(TransferLine.sku, sa.func.sum(qty), Transfer.fetch_by)
        .join(Transfer, Transfer.id == TransferLine.transfer_id)
        .where(Transfer.taker_id == store_id, Transfer.state.in_(["agreed", "handed_over"]))
        .group_by(TransferLine.sku, Transfer.fetch_by)
        .order_by(Transfer.fetch_by, TransferLine.sku)
    )
    return [(sku, int(qty), day) for sku, qty, day in session.execute(query)]


def waits_for_giver(found: Transfer) -> bool:
    """Tell whether the goods were taken in by one store and have not been let go by the other."""
    return found.state == "received" and found.handed_over_at is None


def has_said_yes(found: Transfer, store_id: str) -> bool:
    """Tell whether this store agreed."""
    return found.giver_yes if found.giver_id == store_id else found.taker_yes


def subject_of(found: Transfer) -> str:
    """Return how the journal names a transfer."""
    return f"transfer:{found.id}"
