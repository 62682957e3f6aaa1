"""Outgoing messages: one queue for whatever leaves a node for a person or a partner, by e-mail, to a phone or on paper.

Receipts (`pos.reports.receipt_mail`), messages to suppliers (`supply.orders.supplier_messages`), words to customers
(`supply.online.messages.customer_messages`) and the shopkeeper's nightly summary (`supply.membership.day_summary`).
`store_app.mail.sending` renders what is due and hands it over. Events for partners' programs (`pos.store.webhooks`) are
sent by `store_app.api.v1.events`, in order.

Rules
-----
1. A message is written in the transaction of what it tells of, and once: the same id again is the same message.
2. It is handed over outside of any transaction. What fails is tried again, later each time, at most as often as its
   kind is worth it; an address that is refused, or one that nobody carries to, is not tried again.
3. A message on paper waits until somebody says that it is handed over.
4. A receipt's or a summary's address is gone once its message has ended, a customer's phone, e-mail and words after
   KEEP. A message to a supplier stays as it was sent.
"""

import datetime as dt
import re
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Invalid, NotFound
from config.nodes import journal
from config.nodes.bell import leave_work
from config.nodes.journal import Context
from config.states import StateTable

STATES = StateTable(
    "outgoing message",
    "waiting",
    {"waiting": ["sent", "failed", "withdrawn"], "failed": ["waiting", "withdrawn"]},
    resting=["failed"],
)
EMAIL, PAPER, ANY, WEBHOOK = "email", "paper", "any", "webhook"
"""The carriers; ANY: each one that reaches the customer's phone or e-mail."""
TRIES = 8
MOST_TRIES = {"receipt": 30, "webhook": 80}
"""Kinds that are tried more often than TRIES: about a day, about three."""
WORTH = {"summary": dt.timedelta(days=1)} | dict.fromkeys(("code", "points_code"), dt.timedelta(minutes=10))
"""How long a kind is worth sending, where it is not for ever."""
ONCE = ("receipt", "summary")
"""Kinds whose address is for this one message."""
KEEP = dt.timedelta(days=30)
LONGEST = 254
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")
_HAS_PERSON = sa.text("carrier = 'any' AND (phone <> '' OR email <> '')")


@dataclass(frozen=True)
class Recipient:
    """Where a message goes: address, language and carrier."""

    email: str = ""
    phone: str = ""
    language: str = ""
    carrier: str = EMAIL


class OutgoingMessage(Base):
    """A message to a person. about: the sale, order or claim; body: what it is rendered from, frozen when written."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "outgoing_message"
    __table_args__ = (
        sa.Index("ix_outgoing_message_due", "state", "try_at"),
        sa.Index("ix_outgoing_message_about", "store_id", "about"),
        sa.Index("ix_outgoing_message_people", "ended_at", sqlite_where=_HAS_PERSON),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    about: Mapped[str]
    carrier: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str]
    language: Mapped[str]
    body: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(default=STATES.first)
    made_at: Mapped[dt.datetime]
    try_at: Mapped[dt.datetime]
    tries: Mapped[int] = mapped_column(default=0)
    fault_code: Mapped[str] = mapped_column(default="")
    """Why it did not leave: address-refused | no-carrier | unreachable; '' where nothing is wrong."""
    fault: Mapped[str] = mapped_column(default="")
    ended_at: Mapped[dt.datetime | None]


# --- verbs ---


def write(
    session: Session,
    store_id: str,
    kind: str,
    to: Recipient,
    *,
    id: str,
    about: str = "",
    body: dict[str, Any],
    at: dt.datetime,
) -> OutgoingMessage:
    """Write a message down, once per id (rule 1)."""
    if (known := session.get(OutgoingMessage, (store_id, id))) is not None:
        return known
    made = OutgoingMessage(
        store_id=store_id, id=id, kind=kind, about=about, **asdict(to), body=body, state=STATES.first, made_at=at,
        try_at=at, tries=0, fault_code="", fault="",
    )  # fmt: skip
    session.add(made)
    session.flush()
    leave_work(session)
    return made


def sent(ctx: Context, message: OutgoingMessage) -> None:
    """Note that a message was handed over, once."""
    if message.state == "waiting":
        message.fault_code = message.fault = ""
        _end(ctx, message, "sent")


def failed(ctx: Context, message: OutgoingMessage, code: str, fault: str) -> None:
    """Note why a message did not leave, and when it is tried again, if it is (rule 2)."""
    if message.state != "waiting":
        return
    message.tries, message.fault_code, message.fault = message.tries + 1, code, fault[:200]
    message.try_at = ctx.at + min(dt.timedelta(hours=1), dt.timedelta(seconds=15) * 2 ** min(8, message.tries))
    worth = WORTH.get(message.kind)
    if (
        code != "unreachable"
        or message.tries >= MOST_TRIES.get(message.kind, TRIES)
        or (worth is not None and message.try_at > message.made_at + worth)
    ):
        _end(ctx, message, "failed")


def withdraw(ctx: Context, message: OutgoingMessage) -> None:
    """Take a message back that did not leave."""
    _end(ctx, message, "withdrawn")


def again(ctx: Context, message: OutgoingMessage, *, carrier: str, email: str) -> None:
    """Have a message that did not leave sent again: another way, or to another address."""
    if message.state == "failed":
        _move(ctx, message, "waiting")
    STATES.require(message.state, "sent")
    message.carrier, message.email, message.try_at, message.tries = carrier, email, ctx.at, 0
    message.fault_code, message.fault, message.ended_at = "", "", None
    ctx.session.flush()
    leave_work(ctx.session)


def forget(session: Session, *, at: dt.datetime) -> int:
    """Empty what customers left that is no longer needed (rule 4); returns how many."""
    update = (
        sa.update(OutgoingMessage)
        .where(OutgoingMessage.ended_at <= at - KEEP, _HAS_PERSON)
        .values(phone="", email="", fault="", body={})
        .returning(OutgoingMessage.id)
        .execution_options(synchronize_session=False)
    )
    return len(session.scalars(update).all())


# --- questions ---


def sound_address(text: str) -> str:
    """Return an e-mail address as a person typed it; Invalid for what is none."""
    address = text.strip()
    if len(address) > LONGEST or not _ADDRESS.fullmatch(address):
        raise Invalid("no-mail-address", "Enter an email address such as li@example.com.", field="email")
    return address


def message_of(session: Session, store_id: str, id: str) -> OutgoingMessage:
    """Return a message, locked; NotFound when there is none."""
    query = sa.select(OutgoingMessage).where(OutgoingMessage.store_id == store_id, OutgoingMessage.id == id)
    message: OutgoingMessage | None = session.scalar(lock_rows(session, query))
    if message is None:
        raise NotFound("no-message", "No message was written for this order.", message_id=id)
    return message


def written_about(session: Session, store_id: str, about: str) -> list[OutgoingMessage]:
    """Return the messages about a sale, an order or a claim, the first one first."""
    query = sa.select(OutgoingMessage).where(OutgoingMessage.store_id == store_id, OutgoingMessage.about == about)
    return list(session.scalars(query.order_by(OutgoingMessage.made_at, OutgoingMessage.id)))


def due(session: Session, at: dt.datetime, limit: int = 50) -> list[OutgoingMessage]:
    """Return what is to be sent now, the oldest first."""
    query = sa.select(OutgoingMessage).where(
        OutgoingMessage.state == "waiting",
        OutgoingMessage.try_at <= at,
        OutgoingMessage.carrier.not_in((PAPER, WEBHOOK)),
    )
    order = (OutgoingMessage.try_at, OutgoingMessage.made_at, OutgoingMessage.id)
    return list(session.scalars(query.order_by(*order).limit(limit)))


def undelivered(session: Session, limit: int = 50) -> list[OutgoingMessage]:
    """Return what customers were not told, the newest first."""
    query = sa.select(OutgoingMessage).where(OutgoingMessage.state == "failed", OutgoingMessage.carrier == ANY)
    return list(session.scalars(query.order_by(OutgoingMessage.made_at.desc()).limit(limit)))


# --- inside ---


def _end(ctx: Context, message: OutgoingMessage, state: str) -> None:
    _move(ctx, message, state)
    message.ended_at = ctx.at
    if message.kind in ONCE:
        message.email = message.fault = ""
    ctx.session.flush()


def _move(ctx: Context, message: OutgoingMessage, state: str) -> None:
    about, why = message.about or None, message.fault_code or None
    journal.move(ctx, message, state, subject=f"message:{message.id}", about=about, why=why)
