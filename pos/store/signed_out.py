"""Sessions ended by signing out: what a browser, or who copied its cookie, still carries of one opens nothing.

Rules
-----
1. A row says that a session is over; one that is not here lasts until its own end (`store_app.web.security`).
2. A row is thrown away once its session would be over anyway, by whoever signs out next.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into

LONGEST = dt.timedelta(days=30)
"""No session of anybody lasts longer."""


class SignedOut(Base):
    """A session that is over."""

    __tablename__ = "signed_out"

    session_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]


def note(session: Session, session_id: str, *, at: dt.datetime) -> None:
    """End a session for good (rules 1, 2); a second time changes nothing."""
    session.execute(sa.delete(SignedOut).where(SignedOut.at < at - LONGEST))
    row = insert_into(SignedOut, dialect_of(session)).values(session_id=session_id, at=at)
    session.execute(row.on_conflict_do_nothing())
