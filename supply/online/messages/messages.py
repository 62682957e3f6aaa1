"""What a customer is told about an order: written here with the order's move, sent by whoever carries it.

Rules
-----
1. A message is written in the transaction of what it tells of, and once: its id is made of the order and the event.
2. Sending is asked for outside of any transaction. What fails is tried again, later each time, at most TRIES times;
   then it is given up and shown. A message that is too old to help is given up too.
3. Phone, e-mail and words are forgotten KEEP after it was sent or given up.
"""

import datetime as dt
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.journal import Actor
from config.states import StateTable

STATES = StateTable("customer message", "waiting", {"waiting": ["sent", "given_up"]})
KINDS = (
    "code",
    "accepted",
    "ready",
    "reminder",
    "refused",
    "cancelled",
    "expired",
    "short",
    "return_refused",
    "refunded",
    "group",
    "on_the_way",
    "not_met",
    "handed_over",
    "points_code",
)
TRIES = 8
KEEP = dt.timedelta(days=30)
WORTH = dict.fromkeys(("code", "points_code"), dt.timedelta(minutes=10))
"""How long a message is worth sending; two days where nothing is said."""
HAS_PERSON = sa.text("phone <> ''")
_SYSTEM = Actor.system("notify", NETWORK)


class CustomerMessage(Base):
    """Words to a customer. facts: what the words are made of (`messages.words`)."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "customer_message"
    __table_args__ = (
        sa.Index("ix_customer_message_due", "state", "try_at"),
        sa.Index("ix_customer_message_people", "ended_at", sqlite_where=HAS_PERSON),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    kind: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str]
    language: Mapped[str]
    facts: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=STATES.first)
    made_at: Mapped[dt.datetime]
    try_at: Mapped[dt.datetime]
    tries: Mapped[int] = mapped_column(default=0)
    fault: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[dt.datetime | None]


# --- verbs ---


def tell(
    session: Session,
    store_id: str,
    kind: str,
    *,
    id: str,
    phone: str,
    email: str = "",
    language: str = "",
    facts: dict[str, Any],
    at: dt.datetime,
) -> CustomerMessage | None:
    """Write a message down, once per id (rule 1); nobody to be told is no message."""
    assert kind in KINDS, kind
    if not (phone or email) or session.get(CustomerMessage, id) is not None:
        return None
    row = CustomerMessage(
        id=id, store_id=store_id, kind=kind, phone=phone, email=email, language=language, facts=facts,
        state=STATES.first, made_at=at, try_at=at, tries=0, fault="",
    )  # fmt: skip
    session.add(row)
    session.flush()
    return row


def sent(session: Session, id: str, *, at: dt.datetime) -> None:
    """Note that a message was taken over by what carries it."""
    row = session.get_one(CustomerMessage, id)
    if row.state == "waiting":
        _end(session, row, "sent", at)


def failed(session: Session, id: str, fault: str, *, at: dt.datetime) -> None:
    """Note that a message could not be sent, and when it is tried again (rule 2)."""
    row = session.get_one(CustomerMessage, id)
    if row.state != "waiting":
        return
    row.tries, row.fault = row.tries + 1, fault[:200]
    row.try_at = at + min(dt.timedelta(hours=1), dt.timedelta(seconds=10) * 2**row.tries)
    if row.tries >= TRIES or row.try_at > row.made_at + WORTH.get(row.kind, dt.timedelta(days=2)):
        _end(session, row, "given_up", at)


def forget(session: Session, *, at: dt.datetime) -> int:
    """Empty what is no longer needed (rule 3); returns how many."""
    update = (
        sa.update(CustomerMessage)
        .where(CustomerMessage.ended_at <= at - KEEP, HAS_PERSON)
        .values(phone="", email="", facts={})
        .returning(CustomerMessage.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.scalars(update).all())


# --- questions ---


def due(session: Session, at: dt.datetime, limit: int = 50) -> list[CustomerMessage]:
    """Return what is to be sent now, the oldest first."""
    query = sa.select(CustomerMessage).where(CustomerMessage.state == "waiting", CustomerMessage.try_at <= at)
    return list(session.scalars(query.order_by(CustomerMessage.try_at, CustomerMessage.id).limit(limit)))


def given_up(session: Session, limit: int = 50) -> list[CustomerMessage]:
    """Return what could not be sent, the newest first."""
    query = sa.select(CustomerMessage).where(CustomerMessage.state == "given_up")
    return list(session.scalars(query.order_by(CustomerMessage.made_at.desc()).limit(limit)))


def _end(session: Session, row: CustomerMessage, state: str, at: dt.datetime) -> None:
    journal.move(session, row, state, actor=_SYSTEM, at=at, subject=f"message:{row.id}")
    row.ended_at = at
