"""A one-time code by which a guest shows that a phone number is theirs.

Rules
-----
1. A code is good for ten minutes, for five tries and for one purpose, and is kept as a hash alone; the newest one
   counts. For an order it has six digits. One that opens the orders of a number, and with them the codes to collect
   them, has eight, and after MOST_WRONG wrong ones in a day and shop none is taken there: a guess succeeds less than
   once in a million shop days.
2. A number is sent a code once a minute and six times a day at most, and a shop's page sends 300 a day: nobody can
   make a stranger's phone ring, or the shop pay for it.
3. A wrong try is remembered although it is refused: `prove` returns whether it fits, and the edge commits first.
"""

import datetime as dt
import hashlib
import secrets

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Refused
from config.ids import new_id
from pos.store import store_of
from supply import messages

GOOD_FOR = dt.timedelta(minutes=10)
TRIES = 5
PAUSE = dt.timedelta(minutes=1)
PER_DAY, PER_DAY_AND_SHOP = 6, 300
DIGITS = {"order": 6, "mine": 8}
"""Purpose -> the digits of its codes."""
MOST_WRONG = 50


class PhoneCode(Base):
    """A code sent to a number. id: begins with its purpose. number: its digits alone."""

    __tablename__ = "phone_code"
    __table_args__ = (
        sa.Index("ix_phone_code_number", "number", "sent_at"),
        sa.Index("ix_phone_code_at", "store_id", "sent_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    number: Mapped[str]
    code_hash: Mapped[str]
    sent_at: Mapped[dt.datetime]
    tries: Mapped[int] = mapped_column(default=0)
    proved_at: Mapped[dt.datetime | None]


# --- verbs ---


def send(session: Session, store_id: str, phone: str, purpose: str = "order", *, language: str, at: dt.datetime) -> str:
    """Send a number a fresh code (rules 1, 2); returns the message's id."""
    number = digits_of(phone)
    _refuse_too_many(session, store_id, number, at)
    digits = DIGITS[purpose]
    code = f"{secrets.randbelow(10**digits):0{digits}d}"
    row = PhoneCode(id=f"{purpose}-{new_id()}", store_id=store_id, number=number, code_hash="", sent_at=at, tries=0)
    row.code_hash = _hash(row.id, code)
    session.add(row)
    facts = {"shop": store_of(session, store_id).name, "code": code}
    messages.tell(session, store_id, "code", id=f"code-{row.id}", phone=phone, language=language, facts=facts, at=at)
    return f"code-{row.id}"


def prove(session: Session, store_id: str, phone: str, code: str, purpose: str = "order", *, at: dt.datetime) -> bool:
    """Tell whether a typed code is the one last sent to a number for this; a wrong one counts (rules 1, 3)."""
    if purpose == "mine":
        _refuse_guessing(session, store_id, at)
    query = (
        sa.select(PhoneCode)
        .where(
            PhoneCode.store_id == store_id,
            PhoneCode.number == digits_of(phone),
            PhoneCode.sent_at > at - GOOD_FOR,
            PhoneCode.id.startswith(f"{purpose}-"),
        )
        .order_by(PhoneCode.sent_at.desc(), PhoneCode.id.desc())
        .limit(1)
    )
    row = session.scalar(lock_rows(session, query).execution_options(populate_existing=True))
    if row is None or row.tries >= TRIES:
        return False
    if not secrets.compare_digest(row.code_hash, _hash(row.id, "".join(code.split()))):
        row.tries += 1
        return False
    row.proved_at, row.tries = at, TRIES  # once
    return True


def forget(session: Session, *, at: dt.datetime) -> None:
    """Drop the codes of days gone by."""
    session.execute(sa.delete(PhoneCode).where(PhoneCode.sent_at < at - dt.timedelta(days=2)))


def was_just_sent(session: Session, phone: str, purpose: str = "order", *, at: dt.datetime) -> bool:
    """Tell whether a code for this that still counts went to a number less than PAUSE ago."""
    query = sa.select(PhoneCode.id).where(
        PhoneCode.number == digits_of(phone), PhoneCode.sent_at > at - PAUSE, PhoneCode.tries < TRIES,
        PhoneCode.id.startswith(f"{purpose}-"),
    )  # fmt: skip

    return session.scalar(query.limit(1)) is not None


def digits_of(phone: str) -> str:
    """Return a number's digits, by which it is known however it is written."""
    return "".join(sign for sign in phone if sign.isdigit())


# --- inside ---


def _refuse_guessing(session: Session, store_id: str, at: dt.datetime) -> None:
    wrong = sa.select(sa.func.coalesce(sa.func.sum(PhoneCode.tries), 0)).where(
        PhoneCode.store_id == store_id, PhoneCode.sent_at > at - dt.timedelta(days=1), PhoneCode.proved_at.is_(None),
        PhoneCode.id.startswith("mine-"),
    )  # fmt: skip
    if int(session.scalar(wrong) or 0) >= MOST_WRONG:
        raise Refused(
            "codes-locked-today",
            "Too many wrong codes were typed here today. Use the link in your order's message, or call the shop.",
        )


def _refuse_too_many(session: Session, store_id: str, number: str, at: dt.datetime) -> None:
    day = at - dt.timedelta(days=1)
    sent = session.scalars(
        sa.select(PhoneCode.sent_at)
        .where(PhoneCode.number == number, PhoneCode.sent_at > day)
        .order_by(PhoneCode.sent_at)
    ).all()
    if sent and sent[-1] > at - PAUSE:
        raise Refused("code-just-sent", "A code was sent a moment ago. Wait a minute before you ask for another one.")
    shop = session.scalar(
        sa.select(sa.func.count()).select_from(PhoneCode).where(PhoneCode.store_id == store_id, PhoneCode.sent_at > day)
    )
    if len(sent) >= PER_DAY or (shop or 0) >= PER_DAY_AND_SHOP:
        raise Refused("too-many-codes", "Too many codes were sent today. Call the shop, or order there.")


def _hash(id: str, code: str) -> str:
    return hashlib.sha256(f"{id}:{code}".encode()).hexdigest()
