"""Which numbers a browser has proved: kept at the node, so that a session ends here and not in a cookie alone.

Rules
-----
1. The browser's cookie carries a random mark and no number. What the mark has proved stands here, for KEPT.
2. Signing out ends the mark for good (`pos.store.staff_sessions`): a copy of the cookie opens nothing, its basket
   included. Signing out everywhere ends every mark that proved the number.
3. "mine" opens the orders of a number; "order" lets this browser order under it.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from pos.store import staff_sessions

KEPT = dt.timedelta(days=30)


class CustomerSession(Base):
    """A number that a browser has proved to be its customer's. number: E.164; purpose: mine | order."""

    __tablename__ = "customer_session"
    __table_args__ = (sa.Index("ix_customer_session_number", "number"),)

    mark: Mapped[str] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(primary_key=True)
    begun_at: Mapped[dt.datetime]


def begin(session: Session, mark: str, number: str, purpose: str, *, at: dt.datetime) -> None:
    """Note that a browser has proved a number; to see orders it has one number at a time, the last one."""
    if purpose == "mine":
        before = sa.and_(CustomerSession.mark == mark, CustomerSession.purpose == "mine")
        session.execute(sa.delete(CustomerSession).where(before))
    session.merge(CustomerSession(mark=mark, purpose=purpose, number=number, begun_at=at))


def number_of(session: Session, mark: str, *, at: dt.datetime) -> str:
    """Return the number whose orders a browser may see; '' for a guest."""
    query = sa.select(CustomerSession.number).where(
        CustomerSession.mark == mark, CustomerSession.purpose == "mine", CustomerSession.begun_at > at - KEPT
    )
    return session.scalar(query) or ""


def has_proved(session: Session, mark: str, number: str, *, at: dt.datetime) -> bool:
    """Tell whether a browser has proved a number, for any purpose."""
    query = sa.select(CustomerSession.mark).where(
        CustomerSession.mark == mark, CustomerSession.number == number, CustomerSession.begun_at > at - KEPT
    )
    return session.scalar(query.limit(1)) is not None


def was_proved(session: Session, number: str) -> bool:
    """Tell whether any browser has proved a number lately."""
    query = sa.select(CustomerSession.mark).where(CustomerSession.number == number)
    return session.scalar(query.limit(1)) is not None


def end(session: Session, mark: str, *, everywhere: bool = False, at: dt.datetime) -> None:
    """End a browser's session (rule 2), or that of every browser that proved the number it sees the orders of."""
    number = number_of(session, mark, at=at) if everywhere else ""
    same = sa.select(CustomerSession.mark).where(CustomerSession.number == number)
    marks = {mark, *session.scalars(same)} if number else {mark}
    for one in sorted(marks):
        staff_sessions.end_session(session, f"visitor:{one}", at=at)
    session.execute(sa.delete(CustomerSession).where(CustomerSession.mark.in_(marks)))


def is_over(session: Session, mark: str) -> bool:
    """Tell whether a browser's session was ended."""
    return session.get(staff_sessions.SignedOut, f"visitor:{mark}") is not None


def forget(session: Session, *, at: dt.datetime) -> None:
    """Drop what counts no more."""
    session.execute(sa.delete(CustomerSession).where(CustomerSession.begun_at <= at - KEPT))
