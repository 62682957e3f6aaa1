"""A store's word against what the network works out about it: its limit, its account, its standing.

Rules
-----
1. A store says what is wrong and about what; the operator answers with a reason, upholding it or not. Both words stay.
2. Upholding changes no figure by itself: what is wrong is mended where it stands (a credit note, an exception), so that
   every figure can still be recomputed.
3. Of one subject a store has one open objection at a time; raising it again adds nothing.
"""

import datetime as dt
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Invalid, NotFound, stated
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.facts import STORE, Fact, Instant, applies
from config.nodes.journal import Context
from config.states import StateTable
from pos.store.store import send_fact

STATES = StateTable("objection", "raised", {"raised": ["upheld", "turned_down"], "upheld": [], "turned_down": []})
SUBJECTS = ("limit", "account", "standing")


class ObjectionWord(Fact):
    """An objection, whole."""

    store_id: str
    id: str
    about: str
    words: str
    state: str
    raised_by: str
    answer: str
    raised_at: Instant


class ObjectionRaised(ObjectionWord, topic="objection.raised", said_by=STORE):
    """The store objects."""


class ObjectionAnswered(ObjectionWord, topic="objection.answered", said_by=NETWORK):
    """The network answers."""


class Objection(Base):
    """One objection. about: one of SUBJECTS."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "objection"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    about: Mapped[str]
    words: Mapped[str]
    state: Mapped[str] = mapped_column(default=STATES.first)
    raised_by: Mapped[str]
    raised_at: Mapped[dt.datetime]
    answer: Mapped[str] = mapped_column(default="")
    answered_at: Mapped[dt.datetime | None]


def raise_objection(ctx: Context, store_id: str, *, id: str, about: str, words: str) -> Objection:
    """Object to a figure, at the store (rules 1, 3)."""
    words = stated(words, Invalid("no-reason", "Explain what is wrong."), 500)
    if about not in SUBJECTS:
        raise Invalid("bad-subject", "Dispute the limit, the account or the membership level.", about=about)
    query = sa.select(Objection).where(
        Objection.store_id == store_id, Objection.about == about, Objection.state == STATES.first
    )
    known: Objection | None = ctx.session.scalar(query.limit(1))
    if known is not None:
        return known
    row = Objection(
        store_id=store_id,
        id=id,
        about=about,
        words=words,
        state=STATES.first,
        raised_by=ctx.actor.name,
        raised_at=ctx.at,
        answer="",
    )
    ctx.session.add(row)
    ctx.session.flush()
    journal.record(ctx, verb="objection.raised", subject=f"objection:{id}", about=about)
    send_fact(ctx.session, ObjectionRaised.of_row(row), subject=f"objection:{id}", at=ctx.at)
    return row


@applies(ObjectionRaised)
def take_raised(ctx: Context, fact: ObjectionRaised) -> None:
    """Write a store's objection down, at the network; a second copy changes nothing."""
    if ctx.session.get(Objection, (fact.store_id, fact.id)) is None:
        if fact.about not in SUBJECTS:
            raise Invalid("bad-subject", "Dispute the limit, the account or the membership level.", about=fact.about)
        ctx.session.add(Objection(**vars(fact) | {"state": STATES.first, "answer": ""}))
        ctx.session.flush()


def answer(ctx: Context, store_id: str, objection_id: str, *, upheld: bool, words: str) -> Objection:
    """Answer an objection, at the network (rule 1)."""
    words = stated(words, Invalid("no-reason", "Enter a reason. The shopkeeper will see it."), 500)
    query = lock_rows(
        ctx.session, sa.select(Objection).where(Objection.store_id == store_id, Objection.id == objection_id)
    )
    row: Objection | None = ctx.session.scalar(query)
    if row is None:
        raise NotFound("unknown-objection", "Dispute not found.", objection_id=objection_id)
    _settle(ctx, row, "upheld" if upheld else "turned_down", words)
    send_fact(ctx.session, ObjectionAnswered.of_row(row), subject=f"objection:{row.id}", at=ctx.at)
    return row


@applies(ObjectionAnswered)
def take_answered(ctx: Context, fact: ObjectionAnswered) -> None:
    """Take over what the network answered, at the store; a second copy changes nothing."""
    row = ctx.session.get(Objection, (fact.store_id, fact.id))
    if row is not None and STATES.legal(row.state, fact.state):
        _settle(ctx, row, fact.state, fact.answer)


def of_store(session: Session, store_id: str, *about: str) -> list[Objection]:
    """Return a store's objections about some subjects, the newest first."""
    query = sa.select(Objection).where(Objection.store_id == store_id, Objection.about.in_(about or SUBJECTS))
    return list(session.scalars(query.order_by(Objection.raised_at.desc()).limit(20)))


def waiting(session: Session) -> list[Objection]:
    """Return the objections nobody has answered, the oldest first."""
    query = sa.select(Objection).where(Objection.state == STATES.first)
    return list(session.scalars(query.order_by(Objection.raised_at)))


# --- inside ---


def _settle(ctx: Context, row: Objection, state: str, words: str) -> None:
    row.answer, row.answered_at = words, ctx.at
    journal.move(ctx, row, state, subject=f"objection:{row.id}", why=words)
