"""A change of many of the network's prices, or of one by much, waits until a second person has confirmed it.

Rules
-----
1. Where two people or more may change the network's prices, a change is proposed and not made if, with what its author
   changed on the same day (UTC), it touches more prices than the limits say, or moves one by more of what it was before
   the first of them, up or down, for the same quantity. A product that was on no list before counts for nothing.
2. A proposal holds the file whole. It is confirmed by another person than who proposed it, and only then written, by
   what holds on that day; nothing goes to a shop before.
3. Who proposed it may withdraw it, anybody else turn it down. All of it is in the journal.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import NotFound, Refused
from config.ids import NETWORK
from config.nodes.journal import Actor, move, record
from config.states import StateTable
from pos.store.permissions import may
from pos.store.store import Staff, staff_of
from supply.orders import price_list
from supply.orders.price_list import Change

STATES = StateTable("price proposal", "proposed", {"proposed": ["confirmed", "turned_down", "withdrawn"]})
PERMISSION = "network.supply"
MOST_PERCENT = 1_000
"""More is not told apart; what cost nothing moves by as much."""
MOVES = (price_list.DEARER, price_list.CHEAPER, price_list.REPACKED)


@dataclass(frozen=True)
class Limits:
    """Up to how many prices, and by how many per cent, one person alone may change on a day."""

    products: int
    percent: int


class PriceProposal(Base):
    """A list that waits for a second person. kind: what its file holds; supplier_id, from_day: chosen with it."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "price_proposal"

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default=STATES.first)
    kind: Mapped[str]
    supplier_id: Mapped[str]
    from_day: Mapped[dt.date | None]
    suffix: Mapped[str]
    """What kind of table `file` is, as the end of a file's name says it, and how its numbers are written."""
    file: Mapped[bytes] = mapped_column(sa.LargeBinary)
    moved: Mapped[int]
    """Prices that held before and become others."""
    most_percent: Mapped[int]
    """By how much the one that moves most."""
    proposed_at: Mapped[dt.datetime]
    proposed_by: Mapped[str]
    proposed_name: Mapped[str]


class PriceTally(Base):
    """What a price was before the first change that a person made to it alone on a day."""

    __tablename__ = "price_tally"

    staff_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    price_list: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    qty: Mapped[int]
    amount_minor: Mapped[int]


# --- verbs ---


def may_write(
    session: Session, changes: Sequence[Change], limits: Limits, *, of: str, actor: Actor, at: dt.datetime
) -> bool:
    """Tell whether one person may make these changes alone, and if so note them in the person's day (rule 1).

    of: whose price list it is, or which.
    """
    people = [one for one in staff_of(session, NETWORK) if may(session, NETWORK, one.role, PERMISSION)]
    session.scalar(sa.select(Staff.id).where(Staff.node_id == NETWORK, Staff.id == actor.id).with_for_update())
    tally, mine = PriceTally, (PriceTally.staff_id == actor.id, PriceTally.day == at.astimezone(dt.UTC).date())
    kept = sa.select(tally.sku, tally.qty, tally.amount_minor).where(*mine, tally.price_list == of)
    known = {sku: (qty, minor) for sku, qty, minor in session.execute(kept)}
    moved = {one.sku: one for one in changes if one.kind in MOVES and one.before is not None}
    others = sa.select(sa.func.count()).select_from(tally).where(*mine, tally.price_list != of)
    count = int(session.scalar(others) or 0) + len(known.keys() | moved.keys())
    most = max((_percent(known.get(one.sku) or one.before, one) for one in moved.values()), default=0)
    if len(people) > 1 and (count > limits.products or most > limits.percent):
        return False
    session.add_all(
        PriceTally(staff_id=actor.id, day=at.astimezone(dt.UTC).date(), price_list=of, sku=sku,
                   qty=one.before[0], amount_minor=one.before[1])
        for sku, one in moved.items() if sku not in known and one.before is not None
    )  # fmt: skip
    session.flush()
    return True


def propose(
    session: Session, id: str, changes: Sequence[Change], *, kind: str, supplier_id: str, from_day: dt.date | None,
    suffix: str, file: bytes, actor: Actor, at: dt.datetime,
) -> PriceProposal:  # fmt: skip
    """Keep a list until a second person has looked at it (rule 2); the same id again is the same proposal."""
    known = session.get(PriceProposal, id)
    if known is not None:
        return known
    row = PriceProposal(
        id=id, state=STATES.first, kind=kind, supplier_id=supplier_id, from_day=from_day, suffix=suffix, file=file,
        moved=sum(one.kind in MOVES for one in changes), most_percent=most_percent(changes), proposed_at=at,
        proposed_by=actor.id, proposed_name=actor.name,
    )  # fmt: skip
    session.add(row)
    session.flush()
    record(
        session, actor=actor, at=at, verb="price proposal.proposed", subject=f"prices:{id}", kind=kind,
        supplier=supplier_id, moved=row.moved, most_percent=row.most_percent,
    )  # fmt: skip
    return row


def confirm(session: Session, id: str, *, actor: Actor, at: dt.datetime) -> PriceProposal:
    """Confirm somebody else's proposal; who calls writes the list in the same transaction (rule 2)."""
    row = _to_decide(session, id)
    if row.proposed_by == actor.id:
        raise Refused("own-proposal", "You proposed this. Let somebody else who may change prices confirm it.")
    move(session, row, "confirmed", actor=actor, at=at, subject=f"prices:{id}", proposed_by=row.proposed_by)
    session.flush()
    return row


def drop(session: Session, id: str, *, actor: Actor, at: dt.datetime) -> PriceProposal:
    """Withdraw one's own proposal, or turn another's down (rule 3)."""
    row = _to_decide(session, id)
    target = "withdrawn" if row.proposed_by == actor.id else "turned_down"
    move(session, row, target, actor=actor, at=at, subject=f"prices:{id}", proposed_by=row.proposed_by)
    session.flush()
    return row


# --- questions ---


def proposal(session: Session, id: str) -> PriceProposal:
    """Return a proposal; NotFound where there is none."""
    row = session.get(PriceProposal, id)
    if row is None:
        raise NotFound("not-found-here", "There is no such proposal here.", id=id)
    return row


def waiting(session: Session) -> list[PriceProposal]:
    """Return what waits for a second person, the oldest first."""
    query = sa.select(PriceProposal).where(PriceProposal.state == STATES.first)
    return list(session.scalars(query.order_by(PriceProposal.proposed_at, PriceProposal.id)))


def most_percent(changes: Sequence[Change]) -> int:
    """Return by how many per cent the price moves that moves most, for the same quantity, rounded up."""
    return max((_percent(one.before, one) for one in changes if one.kind in MOVES), default=0)


# --- inside ---


def _to_decide(session: Session, id: str) -> PriceProposal:
    """Return a proposal that nobody else decides meanwhile."""
    row = proposal(session, id)
    session.refresh(row, with_for_update=True)
    return row


def _percent(before: tuple[int, int] | None, one: Change) -> int:
    if before is None:
        return 0
    was, now = before[1] * one.qty, one.amount_minor * before[0]
    return min(MOST_PERCENT, -(-abs(now - was) * 100 // was)) if was else MOST_PERCENT
