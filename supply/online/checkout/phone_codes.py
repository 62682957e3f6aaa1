"""A one-time code by which a guest shows that a phone number is theirs.

Rules
-----
1. A code is good for ten minutes, five tries and one purpose, at the browser that asked for it; the newest one counts.
   For an order it has six digits; one that opens the orders of a number, and so the codes to collect them, or that
   lets a store use shared points (`points_consent`), has eight.
2. No code is kept, not even as a hash: it is a keyed hash of its row's id under the node's secret, which no copy of the
   books holds, and is made again when it is sent and when it is typed.
3. A number gets a code a minute at a browser; PER_DAY says how many a browser, a number (and a number in one range of
   addresses), a range and a store get a day. The store's limit comes last, and numbers it knows get theirs beyond it.
4. After WRONG_AT_BROWSER wrong tries in a day a browser's codes are refused. After WRONG_IN_RANGE, or WRONG_IN_STORE,
   codes sent from then on have LONG digits and a shorter one has one try left: whoever guesses gets nowhere, and
   whoever holds the right code gets in. From one range a guess succeeds less than once in a million store days.
5. A wrong try is remembered although it is refused: `prove` returns whether it fits, and the edge commits first.
"""

import datetime as dt
import hmac
import secrets
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Refused
from config.ids import new_id
from pos.messages import Recipient
from pos.store.store import store_of
from supply.online import customer_sessions
from supply.online.messages import customer_messages
from supply.online.orders import of_phone

GOOD_FOR = dt.timedelta(minutes=10)
TRIES = 5
PAUSE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)
PER_DAY = {"browser": 8, "number": 8, "number in a range": 5, "range": 60, "store": 300}
"""Codes sent in a day (rule 3)."""
DIGITS, LONG = {"order": 6, "mine": 8, "points": 8}, 12
"""Purpose -> the digits of its codes; and of any code while somebody guesses (rule 4)."""
MESSAGES = {"points": "points_code"}
"""Purpose -> the kind of message that brings its code; "code" for the others."""
WRONG_AT_BROWSER, WRONG_IN_RANGE, WRONG_IN_STORE = 10, 30, 50


@dataclass(frozen=True)
class Asker:
    """A stranger as limits know one. browser: its mark; range: its addresses, '' where they are not known."""

    browser: str
    range: str


class PhoneCode(Base):
    """A code sent to a number. id: begins with its purpose. number: E.164. browser, range: who asked (`Asker`)."""

    __tablename__ = "phone_code"
    __table_args__ = (
        sa.Index("ix_phone_code_number", "number", "sent_at"),
        sa.Index("ix_phone_code_at", "store_id", "sent_at"),
        sa.Index("ix_phone_code_browser", "browser", "sent_at"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str]
    number: Mapped[str]
    browser: Mapped[str]
    range: Mapped[str]
    digits: Mapped[int]
    sent_at: Mapped[dt.datetime]
    tries: Mapped[int] = mapped_column(default=0)
    proved_at: Mapped[dt.datetime | None]


# --- verbs ---


def send(
    session: Session, store_id: str, number: str, purpose: str = "order", *, asker: Asker, language: str,
    at: dt.datetime,
) -> bool:  # fmt: skip
    """Send a number (E.164) a fresh code (rules 1 to 4).

    Returns whether the store's own limit is reached: then only a number it knows was sent one, and the page says so to
    everybody alike. A second click within PAUSE sends nothing more.
    """
    if _was_just_sent(session, store_id, number, purpose, asker, at):
        return False
    _refuse_too_many(session, store_id, number, asker, at)
    is_full = _sent(session, at, PhoneCode.store_id == store_id) >= PER_DAY["store"]
    if is_full and not _is_known(session, store_id, number):
        return True
    digits = LONG if _is_guessed_at(session, store_id, asker.range, at) else DIGITS[purpose]
    row = PhoneCode(
        id=f"{purpose}-{new_id()}", store_id=store_id, number=number, browser=asker.browser, range=asker.range,
        digits=digits, sent_at=at, tries=0,
    )  # fmt: skip
    session.add(row)
    facts = {"store": store_of(session, store_id).name, "code_id": row.id, "digits": digits}
    kind, to = MESSAGES.get(purpose, "code"), Recipient(phone=number, language=language)
    customer_messages.send(session, store_id, kind, to, id=f"code-{row.id}", facts=facts, at=at)
    return is_full


def prove(
    session: Session, store_id: str, number: str, code: str, purpose: str = "order", *, asker: Asker, secret: str,
    at: dt.datetime,
) -> bool:  # fmt: skip
    """Tell whether a typed code is the one last sent to a number for this; a wrong one counts (rules 1, 4, 5)."""
    if _wrong(session, at, PhoneCode.browser == asker.browser) >= WRONG_AT_BROWSER:
        raise Refused(
            "codes-locked-today",
            "Too many wrong codes today. Use the link in your order message, or call the store.",
        )
    query = _latest(store_id, number, purpose, asker).where(PhoneCode.sent_at > at - GOOD_FOR)
    row = session.scalar(lock_rows(session, query).execution_options(populate_existing=True))
    if row is None:
        return False
    has_few = row.digits < LONG and _is_guessed_at(session, store_id, row.range, at)
    if row.tries >= (1 if has_few else TRIES):
        return False
    if not secrets.compare_digest(code_of(secret, row.id, row.digits).encode(), "".join(code.split()).encode()):
        row.tries += 1
        return False
    row.proved_at, row.tries = at, TRIES  # once
    return True


def forget(session: Session, *, at: dt.datetime) -> None:
    """Drop the codes of days gone by."""
    session.execute(sa.delete(PhoneCode).where(PhoneCode.sent_at < at - 2 * DAY))


# --- questions ---


def code_of(secret: str, id: str, digits: int) -> str:
    """Return the code of a row (rule 2). secret: the node's own."""
    made = hmac.digest(secret.encode(), f"phone code {id}".encode(), "sha256")
    return f"{int.from_bytes(made, 'big') % 10**digits:0{digits}d}"


def last_sent(session: Session, number: str, browser: str) -> PhoneCode | None:
    """Return the code last sent to a number for a browser."""
    query = sa.select(PhoneCode).where(PhoneCode.number == number, PhoneCode.browser == browser)
    return session.scalar(query.order_by(PhoneCode.sent_at.desc(), PhoneCode.id.desc()).limit(1))


# --- inside ---


def _latest(store_id: str, number: str, purpose: str, asker: Asker) -> sa.Select[PhoneCode]:
    query = sa.select(PhoneCode).where(
        PhoneCode.store_id == store_id, PhoneCode.number == number, PhoneCode.browser == asker.browser,
        PhoneCode.id.startswith(f"{purpose}-"),
    )  # fmt: skip
    return query.order_by(PhoneCode.sent_at.desc(), PhoneCode.id.desc()).limit(1)


def _was_just_sent(session: Session, store_id: str, number: str, purpose: str, asker: Asker, at: dt.datetime) -> bool:
    row = session.scalar(_latest(store_id, number, purpose, asker))
    return row is not None and row.sent_at > at - PAUSE and row.tries < TRIES


def _refuse_too_many(session: Session, store_id: str, number: str, asker: Asker, at: dt.datetime) -> None:
    counted = [("browser", PhoneCode.browser == asker.browser), ("number", PhoneCode.number == number)]
    if asker.range:
        in_range = PhoneCode.range == asker.range
        counted += [
            ("range", sa.and_(PhoneCode.store_id == store_id, in_range)),
            ("number in a range", sa.and_(PhoneCode.number == number, in_range)),
        ]
    for what, condition in counted:
        if _sent(session, at, condition) >= PER_DAY[what]:
            raise Refused("too-many-codes", "Too many codes were sent today. Call the store, or order there.")


def _is_known(session: Session, store_id: str, number: str) -> bool:
    return customer_sessions.was_proved(session, number) or bool(of_phone(session, store_id, number, 1))


def _is_guessed_at(session: Session, store_id: str, range: str, at: dt.datetime) -> bool:
    in_store = PhoneCode.store_id == store_id
    in_range = _wrong(session, at, in_store, PhoneCode.range == range) if range else 0
    return in_range >= WRONG_IN_RANGE or _wrong(session, at, in_store) >= WRONG_IN_STORE


def _sent(session: Session, at: dt.datetime, *conditions: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(PhoneCode).where(PhoneCode.sent_at > at - DAY, *conditions)
    return session.scalar(query) or 0


def _wrong(session: Session, at: dt.datetime, *conditions: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.coalesce(sa.func.sum(PhoneCode.tries), 0))
    wrong = query.where(PhoneCode.sent_at > at - DAY, PhoneCode.proved_at.is_(None), *conditions)
    return int(session.scalar(wrong) or 0)
