"""Money of customers' online payments, advanced to the store before their time to bring goods back is over.

Rules
-----
1. A store asks for an amount; the network gives it, or what the rule allows, at once: the terms' share of what is held
   for goods already collected and not disputed, less what was advanced and not yet repaid. Collected is what the
   customer's token or word has proved; the store's alone earns no advance.
2. An advance goes into the store's funds, and pays what is due. The released payments repay it before anything else.
3. Asking twice with the same id is asking once; the answer says how much was given, zero when nothing is held.
4. An advance beyond that share of what is still held (the customer's money went back, or is asked back) is called in:
   an invoice on account, which any money of the store pays at once, before it stays in the funds or is paid out. It
   takes from the credit that is left, and late it holds the line like any invoice.
"""

import datetime as dt
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid
from config.ids import NETWORK, new_id
from config.money import MAX_MINOR
from config.nodes import journal, outbox
from config.nodes.journal import Actor
from config.states import StateTable
from pos.store.store import day_of
from supply.money import terms as money_terms
from supply.money.escrow import Escrow, EscrowEntry
from supply.money.ledger import CALLED_IN, VERSION, Booking, Wanted, balances, called_in_left

STATES = StateTable("advance", "asked", {"asked": ["given", "refused"], "given": [], "refused": []})
ADVANCE_ASKED, ADVANCE_ANSWERED = "advance.asked", "advance.answered"


class Advance(Base):
    """One wish for an advance, and what came of it."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "settlement_advance"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    asked_minor: Mapped[int]
    given_minor: Mapped[int] = mapped_column(default=0)
    state: Mapped[str] = mapped_column(default=STATES.first)
    asked_at: Mapped[dt.datetime]


def ask(session: Session, store_id: str, amount_minor: int, *, id: str, actor: Actor, at: dt.datetime) -> Advance:
    """Ask the network for an advance (rule 1), at the store."""
    if isinstance(amount_minor, bool) or not 0 < amount_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "Type an amount above zero.")
    known = session.get(Advance, (store_id, id))
    if known is not None:
        return known
    row = Advance(store_id=store_id, id=id, asked_minor=amount_minor, given_minor=0, state=STATES.first, asked_at=at)
    session.add(row)
    session.flush()
    journal.record(
        session, actor=actor, at=at, verb="advance.asked", subject=f"advance:{id}", amount_minor=amount_minor
    )
    _send(session, row, NETWORK, ADVANCE_ASKED, at)
    return row


def take_asked(session: Session, body: dict[str, Any], *, actor: Actor, at: dt.datetime) -> None:
    """Give what the rule allows, at the network, and answer (rules 1 to 3)."""
    store_id, wish_id, asked_minor = str(body["store_id"]), str(body["id"]), body["asked_minor"]
    if type(asked_minor) is not int or not 0 < asked_minor <= MAX_MINOR:
        raise Invalid(
            "bad-amount", "An advance of %(asked_minor)s is none.", asked_minor=f"{asked_minor!r}", sender=store_id
        )
    if session.get(Advance, (store_id, wish_id)) is not None:
        return
    row = Advance(
        store_id=store_id, id=wish_id, asked_minor=asked_minor, given_minor=0, state=STATES.first,
        asked_at=dt.datetime.fromisoformat(body["asked_at"]),
    )  # fmt: skip
    session.add(row)
    session.flush()
    book = Booking(session, store_id, actor=actor, at=at)
    row.given_minor = min(row.asked_minor, most(session, store_id, money_terms.in_force(session)[1].advance_bp))
    journal.move(
        session, row, "given" if row.given_minor else "refused", actor=actor, at=at, subject=f"advance:{wish_id}",
        given_minor=row.given_minor,
    )  # fmt: skip
    if row.given_minor:
        book.enter("advance", "funds", "advance", row.given_minor, source_id=wish_id, id=f"advance-{wish_id}")
        book.pay(by_day=book.day)
        book.close("advanced", amount_minor=row.given_minor)
    _send(session, row, store_id, ADVANCE_ANSWERED, at)


def call_in(book: Booking) -> int:
    """Invoice what of a store's advances nothing is held for any more (rule 4), at the network; returns how much."""
    given_minor = balances(book.session, book.store_id)["advance"]
    if given_minor <= 0:
        return 0
    terms = money_terms.in_force(book.session)[1]
    beyond_minor = given_minor - share_of_held(book.session, book.store_id, terms.advance_bp)
    if beyond_minor <= 0:
        return 0
    due_day = book.day + dt.timedelta(days=terms.account_days)
    book.invoice(Wanted(f"{CALLED_IN}{new_id()}", beyond_minor, due_day, False, None, None, [], against="advance"))
    return beyond_minor


def take_answer(session: Session, body: dict[str, Any], *, actor: Actor, at: dt.datetime) -> None:
    """Take over what the network gave, at the store; a second copy changes nothing."""
    row = session.get(Advance, (str(body["store_id"]), str(body["id"])))
    if row is not None and STATES.legal(row.state, body["state"]):
        row.given_minor = int(body["given_minor"])
        journal.move(session, row, body["state"], actor=actor, at=at, subject=f"advance:{row.id}")


def most(session: Session, store_id: str, advance_bp: int) -> int:
    """Return what a store may be advanced now (rule 1), at the network."""
    owed_minor = balances(session, store_id)["advance"] + called_in_left(session, store_id)
    return max(0, share_of_held(session, store_id, advance_bp) - owed_minor)


def latest(session: Session, store_id: str) -> Advance | None:
    """Return a store's last wish, None when there was none."""
    query = sa.select(Advance).where(Advance.store_id == store_id).order_by(Advance.asked_at.desc()).limit(1)
    found: Advance | None = session.scalar(query)
    return found


def share_of_held(session: Session, store_id: str, advance_bp: int) -> int:
    """Return the share of what is kept of a store's customers, for goods that they have proved to have."""
    signed = sa.case((EscrowEntry.to_account == "escrow", EscrowEntry.amount_minor), else_=-EscrowEntry.amount_minor)
    query = (
        sa.select(sa.func.coalesce(sa.func.sum(signed), 0))
        .join(Escrow, Escrow.id == EscrowEntry.escrow_id)
        .where(
            Escrow.store_id == store_id, Escrow.state == "held", Escrow.release_at.is_not(None), Escrow.proved,
            sa.or_(EscrowEntry.to_account == "escrow", EscrowEntry.from_account == "escrow"),
        )
    )  # fmt: skip
    return int(session.scalar(query) or 0) * advance_bp // 10_000


# --- inside ---


def _send(session: Session, row: Advance, to: str, topic: str, at: dt.datetime) -> None:
    body = {
        "store_id": row.store_id, "id": row.id, "asked_minor": row.asked_minor, "given_minor": row.given_minor,
        "state": row.state, "asked_at": row.asked_at.isoformat(),
    }  # fmt: skip
    outbox.append(
        session, to_node=to, topic=topic, version=VERSION, body=body, id=new_id(), subject=f"advance:{row.id}",
        business_day=day_of(session, row.store_id, at), at=at,
    )  # fmt: skip
