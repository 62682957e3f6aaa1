"""A receipt the customer wants by e-mail: asked for at the counter, sent as soon as there is a line.

Rules
-----
1. The address is for this one receipt. It is kept until the letter left or was given up, and stands in no journal
   entry, fact or log.
2. The same command is one letter. One receipt goes by e-mail at most `MOST` times.
3. A letter is sent outside of any transaction. What fails is tried again, later each time, at most `TRIES` times, which
   is about a day; an address the mail server refuses, or a store without a mail server, is not tried again.
4. What is sent is the sale's frozen document, of a voucher's code its end alone.
"""

import datetime as dt
import re
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, NotFound, Refused
from config.ids import is_id
from config.nodes import journal
from config.nodes.journal import Actor
from config.states import StateTable
from pos.sold import Sale

STATES = StateTable("receipt by e-mail", "waiting", {"waiting": ["sent", "given_up"]})
MOST, TRIES, LONGEST = 5, 30, 254
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")


class ReceiptMail(Base):
    """A letter with a receipt."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "receipt_mail"
    __table_args__ = (
        sa.Index("ix_receipt_mail_due", "state", "try_at"),
        sa.Index("ix_receipt_mail_sale", "store_id", "sale_id"),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    sale_id: Mapped[str]
    address: Mapped[str]
    """'' once the letter has ended (rule 1)."""
    state: Mapped[str] = mapped_column(default=STATES.first)
    asked_at: Mapped[dt.datetime]
    try_at: Mapped[dt.datetime]
    tries: Mapped[int] = mapped_column(default=0)
    fault_code: Mapped[str] = mapped_column(default="")
    """Why it did not leave: address-refused | no-mail-server | unreachable; '' where nothing is wrong."""
    ended_at: Mapped[dt.datetime | None]


# --- verbs ---


def ask(
    session: Session,
    store_id: str,
    sale_id: str,
    address: str,
    *,
    command: str,
    sends_mail: bool,
    actor: Actor,
    at: dt.datetime,
) -> ReceiptMail:
    """Write down that a receipt is wanted by e-mail (rules 1, 2). sends_mail: whether this node has a mail server."""
    if not sends_mail:
        raise Refused("no-mail-here", "This store has no mail server in its settings. Print the receipt instead.")
    if not is_id(command):
        raise Invalid("bad-command-id", "The id of a command has 8 to 40 letters, digits or hyphens.")
    if (known := session.get(ReceiptMail, (store_id, command))) is not None:
        return known
    address = address.strip()
    if len(address) > LONGEST or not _ADDRESS.fullmatch(address):
        raise Invalid("no-mail-address", "Type an e-mail address like li@example.com.", field="email")
    sale = session.get(Sale, (store_id, sale_id))
    if sale is None or sale.state != "completed":
        raise NotFound("no-such-sale", "This receipt is not in the books. Look the sale up again.", id=sale_id)
    if len(letters_of(session, store_id, sale_id)) >= MOST:
        raise Refused("mailed-enough", f"This receipt went by e-mail {MOST} times. Print it instead.", most=MOST)
    made = ReceiptMail(
        store_id=store_id, id=command, sale_id=sale_id, address=address, state=STATES.first, asked_at=at, try_at=at,
        tries=0, fault_code="",
    )  # fmt: skip
    session.add(made)
    journal.record(session, actor=actor, at=at, verb="receipt.mail_asked", subject=f"sale:{sale_id}", letter=command)
    session.flush()
    return made


def left(session: Session, store_id: str, letter_id: str, *, at: dt.datetime) -> None:
    """Note that the mail server took a letter over; its address is gone then."""
    letter = session.get_one(ReceiptMail, (store_id, letter_id))
    if letter.state == "waiting":
        letter.fault_code = ""
        _end(session, letter, "sent", at)


def failed(session: Session, store_id: str, letter_id: str, code: str, *, at: dt.datetime) -> None:
    """Note why a letter did not leave, and when it is tried again, if it is (rule 3)."""
    letter = session.get_one(ReceiptMail, (store_id, letter_id))
    if letter.state != "waiting":
        return
    letter.tries, letter.fault_code = letter.tries + 1, code
    letter.try_at = at + min(dt.timedelta(hours=1), dt.timedelta(seconds=15) * 2**letter.tries)
    if code != "unreachable" or letter.tries >= TRIES:
        _end(session, letter, "given_up", at)


# --- questions ---


def letters_of(session: Session, store_id: str, sale_id: str) -> list[ReceiptMail]:
    """Return the letters of a receipt, the first one first."""
    query = sa.select(ReceiptMail).where(ReceiptMail.store_id == store_id, ReceiptMail.sale_id == sale_id)
    return list(session.scalars(query.order_by(ReceiptMail.asked_at, ReceiptMail.id)))


def due(session: Session, store_id: str, at: dt.datetime, limit: int = 20) -> list[ReceiptMail]:
    """Return the letters to be sent now, the oldest first."""
    query = sa.select(ReceiptMail).where(
        ReceiptMail.state == "waiting", ReceiptMail.try_at <= at, ReceiptMail.store_id == store_id
    )
    return list(session.scalars(query.order_by(ReceiptMail.try_at, ReceiptMail.id).limit(limit)))


# --- inside ---


def _end(session: Session, letter: ReceiptMail, state: str, at: dt.datetime) -> None:
    actor = Actor.system("letters", letter.store_id)
    why = letter.fault_code or None
    journal.move(
        session, letter, state, actor=actor, at=at, subject=f"letter:{letter.id}", sale=letter.sale_id, why=why
    )
    letter.address, letter.ended_at = "", at
    session.flush()
