"""Where people are signed in, so that they see it themselves and can end what is not theirs.

Rules
-----
1. A row says when a session began, on what device, from which range of addresses, and when it was last seen, within
   SEEN_EVERY. It opens nothing: what ends a session is `SignedOut`, another PIN (its stamp), and its own end.
2. Nobody has more than MOST sessions, at the network no more than MOST_OF_OPERATOR: when another begins, the one that
   was used longest ago ends.
3. Rows that were not seen for LONGEST_SESSION are thrown away by whoever begins a session next.
4. A session is over once `SignedOut` says so, whoever carries a copy of its cookie, a customer's too; one that is not
   there lasts until its own end (`store_app.web.security`).
5. Such a row is thrown away once its session would be over anyway, by whoever signs out next.
"""

import datetime as dt
import hashlib

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into
from pos.store.roles import NETWORK_ROLES
from pos.store.store import Staff

MOST, MOST_OF_OPERATOR = 20, 5
SEEN_EVERY = dt.timedelta(minutes=10)


class StaffSession(Base):
    """One session of a person. place: the range of addresses it began from; device: browser and system."""

    __tablename__ = "staff_session"
    __table_args__ = (sa.Index("ix_staff_session_staff", "node_id", "staff_id"),)

    session_id: Mapped[str] = mapped_column(primary_key=True)
    node_id: Mapped[str]
    staff_id: Mapped[str]
    stamp: Mapped[str]
    device: Mapped[str]
    place: Mapped[str]
    begun_at: Mapped[dt.datetime]
    seen_at: Mapped[dt.datetime]

    @property
    def handle(self) -> str:
        """What a page calls the session: its id stays in the cookie."""
        return hashlib.sha256(self.session_id.encode()).hexdigest()[:16]


LONGEST_SESSION = dt.timedelta(days=30)
"""No session of anybody lasts longer."""


class SignedOut(Base):
    """A session that is over."""

    __tablename__ = "signed_out"

    session_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]


def begin(
    session: Session, person: Staff, session_id: str, *, stamp: str, device: str, place: str, at: dt.datetime,
    live: list[StaffSession],
) -> None:  # fmt: skip
    """Note a session that begins, and end what is too much beside it (rules 2, 3). live: as `live` returns them."""
    most = MOST_OF_OPERATOR if person.role in NETWORK_ROLES else MOST
    end(session, live[most - 1 :], at=at)
    session.execute(sa.delete(StaffSession).where(StaffSession.seen_at < at - LONGEST_SESSION))
    see(session, person.node_id, person.id, session_id, stamp=stamp, device=device, place=place, at=at)


def see(
    session: Session, node_id: str, staff_id: str, session_id: str, *, stamp: str, device: str, place: str,
    at: dt.datetime,
) -> None:  # fmt: skip
    """Note that a session is used; one from before there were rows gets its row."""
    row = session.get(StaffSession, session_id)
    if row is None:
        row = StaffSession(session_id=session_id, node_id=node_id, staff_id=staff_id, begun_at=at)
        session.add(row)
    row.stamp, row.device, row.place, row.seen_at = stamp, device, place, at


def end(session: Session, rows: list[StaffSession], *, at: dt.datetime) -> None:
    """End sessions for good."""
    for row in rows:
        end_session(session, row.session_id, at=at)
        session.delete(row)


def live(
    session: Session, node_id: str, staff_id: str, *, begun_after: dt.datetime, seen_after: dt.datetime
) -> list[StaffSession]:
    """Return a person's sessions that were begun and seen since, last seen first; the caller looks at their stamps."""
    query = sa.select(StaffSession).where(
        StaffSession.node_id == node_id, StaffSession.staff_id == staff_id,
        StaffSession.begun_at > begun_after, StaffSession.seen_at > seen_after,
        ~sa.exists().where(SignedOut.session_id == StaffSession.session_id),
    )  # fmt: skip
    return list(session.scalars(query.order_by(StaffSession.seen_at.desc(), StaffSession.session_id)))


def end_session(session: Session, session_id: str, *, at: dt.datetime) -> None:
    """End a session for good (rules 4, 5); a second time changes nothing."""
    session.execute(sa.delete(SignedOut).where(SignedOut.at < at - LONGEST_SESSION))
    row = insert_into(SignedOut, dialect_of(session)).values(session_id=session_id, at=at)
    session.execute(row.on_conflict_do_nothing())
