"""Weeks of the network's large books that are kept elsewhere, and what remains of them for the checks.

Rules
-----
1. A week is put away whole, out of all its books in one transaction with what remains of it: the receipts of each till
   and epoch, and for each product and place what moved. K3, K4, K7 and K9 count that with what is still here.
2. It is over for LEAST_WEEKS, and none of its days waits to be added up.
3. What was put away lies in the schema AWAY until it is dumped and dropped; only PostgreSQL keeps weeks.
4. A day of such a week is never added up again: what comes late is in the books, not in the roll-ups. Of its shifts the
   running totals are not summed again, for their sales are gone.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into
from config.errors import Conflict, Refused
from config.nodes import partitions
from config.nodes.journal import Context, record
from pos.sold import Sale
from pos.stock.changed_days import ChangedDay
from pos.stock.ledger import INSIDE, StockMovement

LEAST_WEEKS = 8
WEEK = dt.timedelta(weeks=1)
DAY = dt.timedelta(days=1)


class ArchivedWeek(Base):
    """A week that was put away."""

    __tablename__ = "archived_week"

    week: Mapped[dt.date] = mapped_column(primary_key=True)
    """Its Monday."""
    at: Mapped[dt.datetime]


class ArchivedReceipts(Base):
    """What a till issued in a week that was put away."""

    __tablename__ = "archived_receipts"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    week: Mapped[dt.date] = mapped_column(primary_key=True)
    till_id: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    first_no: Mapped[int]
    last_no: Mapped[int]
    sales: Mapped[int]


class ArchivedStock(Base):
    """What moved into a place of a store, less what moved out, in all weeks that were put away."""

    __tablename__ = "archived_stock"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    place: Mapped[str] = mapped_column(primary_key=True)
    qty: Mapped[int]


# --- verbs ---


def put_away(ctx: Context, week: dt.date) -> list[str]:
    """Put the week that begins on that Monday away (rules 1, 2); returns the tables it lies in now."""
    if dialect_of(ctx.session) != "postgresql":
        raise Refused("no-weeks", "Only PostgreSQL can archive by week. Here, all data stays in one file.")
    if week != partitions.monday(week):
        raise Refused("no-monday", "Weeks start on Monday. Use %(week)s for that week.", week=partitions.monday(week))
    if week > ctx.at.date() - (LEAST_WEEKS + 1) * WEEK + DAY:
        raise Refused("too-young", "A week can be archived %(least)s weeks after it ends.", least=LEAST_WEEKS)
    until = week + WEEK - DAY
    if ctx.session.get(ArchivedWeek, week) is not None:
        raise Conflict("already-away", "This week was archived. Later entries stay here.")
    waiting = sa.select(ChangedDay.store_id).where(ChangedDay.business_day.between(week, until)).limit(1)
    partitions.hold(ctx.session, week)
    if ctx.session.scalar(waiting) is not None:
        raise Refused("not-added-up", "This week’s sales are still being added up. Try again in a minute.")
    ctx.session.add(ArchivedWeek(week=week, at=ctx.at))
    ctx.session.flush()
    _keep_receipts(ctx.session, week, until)
    _keep_stock(ctx.session, week, until)
    tables = partitions.detach(ctx.session, week)
    record(ctx, verb="week.put_away", subject=f"week:{week}", tables=tables)
    return tables


# --- questions ---


def weeks(session: Session) -> list[dt.date]:
    """Return the Mondays of the weeks that were put away, the oldest first."""
    return list(session.scalars(sa.select(ArchivedWeek.week).order_by(ArchivedWeek.week)))


def is_away(session: Session, day: dt.date) -> bool:
    """Tell whether a day's week was put away (rule 4)."""
    return session.get(ArchivedWeek, partitions.monday(day)) is not None


# --- inside ---


def _keep_receipts(session: Session, week: dt.date, until: dt.date) -> None:
    receipt = Sale.receipt_no
    issued = (
        sa.select(
            Sale.store_id, sa.literal(week), Sale.till_id, Sale.epoch, sa.func.min(receipt), sa.func.max(receipt),
            sa.func.count(),
        )
        .where(Sale.business_day.between(week, until), Sale.state == "completed")
        .group_by(Sale.store_id, Sale.till_id, Sale.epoch)
    )  # fmt: skip
    names = ["store_id", "week", "till_id", "epoch", "first_no", "last_no", "sales"]
    session.execute(sa.insert(ArchivedReceipts).from_select(names, issued))


def _keep_stock(session: Session, week: dt.date, until: dt.date) -> None:
    moved, places = StockMovement, tuple(str(place) for place in INSIDE)
    parts = [
        sa.select(moved.store_id, moved.sku, place.label("place"), qty.label("qty")).where(
            moved.business_day.between(week, until), place.in_(places)
        )
        for place, qty in ((moved.to_place, moved.qty), (moved.from_place, -moved.qty))
    ]
    both = sa.union_all(*parts).subquery().c
    key = (both.store_id, both.sku, both.place)
    sums = sa.select(*key, sa.cast(sa.func.sum(both.qty), sa.BigInteger)).group_by(*key)
    insert = insert_into(ArchivedStock, dialect_of(session)).from_select(["store_id", "sku", "place", "qty"], sums)
    there = ArchivedStock.__table__.c
    session.execute(
        insert.on_conflict_do_update(
            index_elements=["store_id", "sku", "place"], set_={"qty": there.qty + insert.excluded.qty}
        )
    )
