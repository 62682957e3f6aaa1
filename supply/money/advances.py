"""Money of customers' online payments, advanced to the store before their time to bring goods back is over.

Rules
-----
1. A store asks for an amount; the network gives it, or what the rule allows, at once: the terms' share of what is held
   for goods already collected and not disputed, less what was advanced and not yet repaid. Collected is what the
   customer's token or word has proved; the store's alone earns no advance.
2. An advance goes into the store's funds, and pays what is due. The released payments repay it before anything else.
3. Asking twice with the same id is asking once; the answer says how much was given, zero when nothing is held.
4. An advance beyond that share of what is still held is called in (`ledger` rule 10). That takes from the credit that
   is left, and late it holds the line like any invoice.
"""

import datetime as dt
from typing import Annotated, ClassVar

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import check_amount
from config.ids import NETWORK
from config.money import MAX_MINOR
from config.nodes import journal
from config.nodes.facts import STORE, Fact, Instant, Whole, applies
from config.nodes.journal import Context
from config.states import StateTable
from pos.store.store import send_fact
from supply.money import terms as money_terms
from supply.money.held_payments import share_of_held
from supply.money.ledger import Booking, balances, called_in_left

STATES = StateTable("advance", "asked", {"asked": ["given", "refused"], "given": [], "refused": []})


class AdvanceWord(Fact):
    """A wish for an advance, and what came of it."""

    store_id: str
    id: str
    asked_minor: Annotated[int, Field(strict=True, ge=1, le=MAX_MINOR)]
    given_minor: Whole
    state: str
    asked_at: Instant


class AdvanceAsked(AdvanceWord, topic="advance.asked", said_by=STORE):
    """The store asks."""


class AdvanceAnswered(AdvanceWord, topic="advance.answered", said_by=NETWORK):
    """The network gives, or not."""


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


def ask(ctx: Context, store_id: str, amount_minor: int, *, id: str) -> Advance:
    """Ask the network for an advance (rule 1), at the store."""
    check_amount(amount_minor)
    known = ctx.session.get(Advance, (store_id, id))
    if known is not None:
        return known
    row = Advance(
        store_id=store_id, id=id, asked_minor=amount_minor, given_minor=0, state=STATES.first, asked_at=ctx.at
    )
    ctx.session.add(row)
    ctx.session.flush()
    journal.record(ctx, verb="advance.asked", subject=f"advance:{id}", amount_minor=amount_minor)
    send_fact(ctx.session, AdvanceAsked.of_row(row), subject=f"advance:{id}", at=ctx.at)
    return row


@applies(AdvanceAsked)
def take_asked(ctx: Context, fact: AdvanceAsked) -> None:
    """Give what the rule allows, at the network, and answer (rules 1 to 3)."""
    store_id, wish_id = fact.store_id, fact.id
    if ctx.session.get(Advance, (store_id, wish_id)) is not None:
        return
    row = Advance(
        store_id=store_id, id=wish_id, asked_minor=fact.asked_minor, given_minor=0, state=STATES.first,
        asked_at=fact.asked_at,
    )  # fmt: skip
    ctx.session.add(row)
    ctx.session.flush()
    book = Booking(ctx, store_id)
    row.given_minor = min(row.asked_minor, most(ctx.session, store_id, money_terms.in_force(ctx.session)[1].advance_bp))
    journal.move(
        ctx, row, "given" if row.given_minor else "refused", subject=f"advance:{wish_id}",
        given_minor=row.given_minor)  # fmt: skip
    if row.given_minor:
        book.enter("advance", "funds", "advance", row.given_minor, source_id=wish_id, id=f"advance-{wish_id}")
        book.pay(by_day=book.day)
        book.close("advanced", amount_minor=row.given_minor)
    send_fact(ctx.session, AdvanceAnswered.of_row(row), subject=f"advance:{row.id}", at=ctx.at)


@applies(AdvanceAnswered)
def take_answer(ctx: Context, fact: AdvanceAnswered) -> None:
    """Take over what the network gave, at the store; a second copy changes nothing."""
    row = ctx.session.get(Advance, (fact.store_id, fact.id))
    if row is not None and STATES.legal(row.state, fact.state):
        row.given_minor = fact.given_minor
        journal.move(ctx, row, fact.state, subject=f"advance:{row.id}")


def most(session: Session, store_id: str, advance_bp: int) -> int:
    """Return what a store may be advanced now (rule 1), at the network."""
    owed_minor = balances(session, store_id)["advance"] + called_in_left(session, store_id)
    return max(0, share_of_held(session, store_id, advance_bp) - owed_minor)


def latest(session: Session, store_id: str) -> Advance | None:
    """Return a store's last wish, None when there was none."""
    query = sa.select(Advance).where(Advance.store_id == store_id).order_by(Advance.asked_at.desc()).limit(1)
    found: Advance | None = session.scalar(query)
    return found
