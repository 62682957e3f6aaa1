"""Stores' days whose sales have grown since they were last added up: what the next roll-up has to look at.

Rules
-----
1. Marked in the transaction in which the sales arrived, taken in the transaction that adds the day up: a day that grows
   meanwhile is marked again, and a roll-up that fails leaves its marks.
2. A late fact marks its own day, however old: nothing has to search the sales for it.
3. A mark may be put off (`since` lies ahead): a day that cannot be added up is tried again then, and stands in nobody's
   way until then.
"""

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into


class ChangedDay(Base):
    """A store's day that wants to be added up again."""

    __tablename__ = "changed_day"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    business_day: Mapped[dt.date] = mapped_column(primary_key=True)
    since: Mapped[dt.datetime]
    """When the oldest of its sales arrived that is not added up yet."""


def mark(session: Session, store_id: str, days: Iterable[dt.date], *, at: dt.datetime) -> None:
    """Note that sales of these days have arrived."""
    rows = [{"store_id": store_id, "business_day": day, "since": at} for day in sorted(set(days))]
    if rows:
        # on PostgreSQL the update takes the row's lock: a roll-up that took the mark meanwhile comes after or before
        insert = insert_into(ChangedDay, dialect_of(session))
        kept = insert.on_conflict_do_update(
            index_elements=["store_id", "business_day"], set_={"since": ChangedDay.__table__.c.since}
        )
        session.execute(kept, rows)


def take(session: Session, most: int, *, at: dt.datetime) -> list[tuple[str, dt.date]]:
    """Take marks away, the oldest first: (store_id, day). The caller adds these days up in the same transaction."""
    oldest = sa.select(ChangedDay.store_id, ChangedDay.business_day).where(ChangedDay.since <= at)
    oldest = oldest.order_by(ChangedDay.since).limit(most)
    if dialect_of(session) != "sqlite":
        oldest = oldest.with_for_update(skip_locked=True)
    found = [(store_id, day) for store_id, day in session.execute(oldest)]
    for store_id, day in found:
        session.execute(sa.delete(ChangedDay).where(ChangedDay.store_id == store_id, ChangedDay.business_day == day))
    return found


def oldest(session: Session) -> dt.datetime | None:
    """Return since when the roll-up is behind; None when it is not."""
    since: dt.datetime | None = session.scalar(sa.select(sa.func.min(ChangedDay.since)))
    return since
