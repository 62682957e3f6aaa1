"""School holidays, as a shopkeeper tells them for the shop, or the operator for a region.

Rules
-----
1. A row a day, each with a name, so that a file can be told twice, and stretches may join, overlap and be taken back in
   part; the name told last holds. Those gone by are told too: forecasts learn from them.
2. A stretch has at most MOST_DAYS days and ends at most MOST_AHEAD days from now: more is a year mistyped.
3. A shop's are its own and its region's together. The network publishes a region's (`surroundings`).
"""

import datetime as dt
from itertools import groupby

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into
from config.errors import Invalid
from config.nodes import journal
from config.nodes.journal import Actor

MOST_DAYS, MOST_AHEAD, LONGEST_NAME = 120, 800, 60
_DAY = dt.timedelta(days=1)


class SchoolHoliday(Base):
    """One day without school. scope_id: a store's or a region's."""

    __tablename__ = "school_holiday"

    scope_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    name: Mapped[str]


# --- verbs ---


def tell(
    session: Session, scope_id: str, name: str, first: dt.date, last: dt.date, *, actor: Actor, at: dt.datetime
) -> None:
    """Note school holidays from a day until another, both included (rules 1, 2)."""
    check(first, last, at=at)
    days = [first + n * _DAY for n in range((last - first).days + 1)]
    insert = insert_into(SchoolHoliday, dialect_of(session))
    insert = insert.on_conflict_do_update(index_elements=["scope_id", "day"], set_={"name": insert.excluded.name})
    session.execute(insert, [{"scope_id": scope_id, "day": day, "name": name} for day in days])
    _note(session, "school_holidays.told", scope_id, first, last, actor=actor, at=at)


def check(first: dt.date, last: dt.date, *, at: dt.datetime) -> None:
    """Refuse days that cannot be school holidays (rule 2)."""
    if last < first:
        raise Invalid("school-backwards", "The last day of the holidays lies before the first.", field="to")
    if (last - first).days >= MOST_DAYS:
        words = f"School holidays last at most {MOST_DAYS} days. Is the year right?"
        raise Invalid("school-too-long", words, field="to", most=MOST_DAYS)
    if last > at.date() + dt.timedelta(days=MOST_AHEAD):
        words = f"Tell school holidays at most {MOST_AHEAD} days ahead. Is the year right?"
        raise Invalid("school-too-far", words, field="to", most=MOST_AHEAD)


def take_back(session: Session, scope_id: str, first: dt.date, last: dt.date, *, actor: Actor, at: dt.datetime) -> int:
    """Take school holidays back between two days, both included; returns how many days there were."""
    here = (SchoolHoliday.scope_id == scope_id, SchoolHoliday.day.between(first, last))
    gone = session.scalar(sa.select(sa.func.count()).where(*here)) or 0
    if gone:
        session.execute(sa.delete(SchoolHoliday).where(*here))
        _note(session, "school_holidays.taken_back", scope_id, first, last, actor=actor, at=at)
    return gone


# --- questions ---


def spells(session: Session, scope_id: str, since: dt.date) -> list[tuple[str, dt.date, dt.date]]:
    """Return a scope's holidays that have not ended before a day, in order: name, first and last day."""
    query = sa.select(SchoolHoliday.day, SchoolHoliday.name).where(SchoolHoliday.scope_id == scope_id)
    rows = session.execute(query.order_by(SchoolHoliday.day)).all()
    found = []
    for (_begins, name), run in groupby(enumerate(rows), lambda one: (one[1].day - one[0] * _DAY, one[1].name)):
        days = [row.day for _n, row in run]
        found.append((name, days[0], days[-1]))
    return [spell for spell in found if spell[2] >= since]


# --- inside ---


def _note(
    session: Session, verb: str, scope_id: str, first: dt.date, last: dt.date, *, actor: Actor, at: dt.datetime
) -> None:
    days = {"first_day": first.isoformat(), "last_day": last.isoformat()}
    journal.record(session, actor=actor, at=at, verb=verb, subject=f"scope:{scope_id}", **days)
