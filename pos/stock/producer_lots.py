"""Lots of producers' goods: what came at once, how much of it is left, and where the rest went.

Rules
-----
1. What leaves the store comes off the oldest lot with something left, unless it names its lot by the code on the crate:
   sales, what is written off, what goes back. So a lot is never left behind by the stock.
2. What is written off or missing is lost, what goes to a supplier is back; the producer is paid for neither.
3. After a count no more is left of a product's lots than was counted; what a count finds beyond them is of no lot.
4. Only what a customer brings back to be sold again is left again; what is spoilt by then is lost.

Units: qty in stock units.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.finding import Finding
from pos.facts import Moved
from pos.stock.ledger import INSIDE, CountTask, Place, StockLevel


class ProducerLot(Base):
    """What came at once of a product. code: as it stands on the crate, unique in the store."""

    __tablename__ = "producer_lot"
    __table_args__ = (
        sa.UniqueConstraint("store_id", "code"),
        sa.CheckConstraint("left_qty >= 0 and back_qty >= 0 and lost_qty >= 0", name="none_below_zero"),
        sa.Index("ix_producer_lot_left", "store_id", "sku", "left_qty"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    producer_id: Mapped[str]
    sku: Mapped[str]
    code: Mapped[str]
    harvested_on: Mapped[dt.date | None]
    came_on: Mapped[dt.date]
    came_at: Mapped[dt.datetime]
    came_qty: Mapped[int]
    left_qty: Mapped[int]
    back_qty: Mapped[int] = mapped_column(default=0)
    lost_qty: Mapped[int] = mapped_column(default=0)

    @property
    def sold_qty(self) -> int:
        """What customers have of it."""
        return self.came_qty - self.left_qty - self.back_qty - self.lost_qty


# --- verbs ---


def take(session: Session, store_id: str, sku: str, qty: int, *, code: str = "") -> list[tuple[ProducerLot, int]]:
    """Take units off lots (rule 1) and return how many off each; code: of the lot that goes first.

    Where more is taken than is left, the rest is of no lot.
    """
    query = sa.select(ProducerLot).where(
        ProducerLot.store_id == store_id, ProducerLot.sku == sku, ProducerLot.left_qty > 0
    )
    lots = session.scalars(lock_rows(session, query.order_by(ProducerLot.came_at, ProducerLot.id))).all()
    taken = []
    for lot in sorted(lots, key=lambda lot: lot.code.casefold() != code.casefold()) if code else lots:
        part = min(lot.left_qty, qty)
        if part:
            lot.left_qty -= part
            qty -= part
            taken.append((lot, part))
    return taken


def gone(session: Session, store_id: str, moves: Sequence[Moved], *, code: str = "") -> None:
    """Take off the lots what left the store otherwise than by a sale (rules 1, 2). code: as for `take`."""
    theirs = _with_lots(session, store_id, [move[1] for move in moves])
    for _id, sku, qty, from_place, to_place in moves:
        if sku in theirs and from_place in INSIDE and to_place not in INSIDE:
            for lot, part in take(session, store_id, sku, qty, code=code):
                if to_place == Place.SUPPLIER:
                    lot.back_qty += part
                else:
                    lot.lost_qty += part
    if theirs:
        session.flush()


def put_back(session: Session, store_id: str, sku: str, qty: int, *, code: str = "") -> None:
    """Let what `gone` took as lost be left again, of the lots in its order."""
    query = sa.select(ProducerLot).where(
        ProducerLot.store_id == store_id, ProducerLot.sku == sku, ProducerLot.lost_qty > 0
    )
    lots = session.scalars(lock_rows(session, query.order_by(ProducerLot.came_at, ProducerLot.id))).all()
    for lot in sorted(lots, key=lambda lot: lot.code.casefold() != code.casefold()):
        part = min(lot.lost_qty, qty)
        lot.lost_qty, lot.left_qty, qty = lot.lost_qty - part, lot.left_qty + part, qty - part
    session.flush()


def counted(session: Session, store_id: str, sku: str, counted_qty: int) -> None:
    """Let no more be left of a product's lots than was counted (rule 3)."""
    query = sa.select(sa.func.coalesce(sa.func.sum(ProducerLot.left_qty), 0))
    left_qty = int(session.scalar(query.where(ProducerLot.store_id == store_id, ProducerLot.sku == sku)) or 0)
    if left_qty > counted_qty:
        for lot, part in take(session, store_id, sku, left_qty - counted_qty):
            lot.lost_qty += part
        session.flush()


# --- questions ---


def overstated_lots(session: Session, store_id: str | None, beyond: dict[tuple[str, str], int]) -> list[Finding]:
    """K18: no more is left of lots than is in the store, or a count is asked for.

    beyond: what was sold of no lot, by (store, SKU); such goods may have come with a lot that was written in later.
    """
    left = sa.select(ProducerLot.store_id, ProducerLot.sku, sa.func.sum(ProducerLot.left_qty).label("left"))
    left = left.where(ProducerLot.left_qty > 0, *([] if store_id is None else [ProducerLot.store_id == store_id]))
    lots = left.group_by(ProducerLot.store_id, ProducerLot.sku).subquery()
    here = sa.and_(StockLevel.store_id == lots.c.store_id, StockLevel.sku == lots.c.sku, StockLevel.place.in_(INSIDE))
    on_hand = sa.func.coalesce(sa.select(sa.func.sum(StockLevel.qty)).where(here).scalar_subquery(), 0)
    asked = sa.exists().where(
        CountTask.store_id == lots.c.store_id, CountTask.sku == lots.c.sku, CountTask.done_at.is_(None)
    )
    rows = session.execute(sa.select(lots, on_hand.label("there")).where(lots.c.left > on_hand, ~asked))
    return [
        Finding("K18", f"product:{store}/{sku}", "no more left of lots than is there", f"{qty} left, {there} there")
        for store, sku, qty, there in rows
        if qty > there + beyond.get((store, sku), 0)
    ]


# --- inside ---


def _with_lots(session: Session, store_id: str, skus: Sequence[str]) -> set[str]:
    query = sa.select(ProducerLot.sku).where(ProducerLot.store_id == store_id, ProducerLot.left_qty > 0)
    return set(session.scalars(query.where(ProducerLot.sku.in_(skus)).distinct()))
