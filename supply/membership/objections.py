"""A store's word against what the network works out about it: its limit, its account, its standing.

Rules
-----
1. A store says what is wrong and about what; the operator answers with a reason, upholding it or not. Both words stay.
2. Upholding changes no figure by itself: what is wrong is mended where it stands (a credit note, an exception), so that
   every figure can still be recomputed.
3. Of one subject a store has one open objection at a time; raising it again adds nothing.
"""

import datetime as dt
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows
from config.errors import Invalid, NotFound
from config.ids import NETWORK, new_id
from config.nodes import journal, outbox
from config.nodes.journal import Actor
from config.states import StateTable
from config.words import N_
from pos.store.store import day_of
from supply.money.ledger import VERSION

STATES = StateTable("objection", "raised", {"raised": ["upheld", "turned_down"], "upheld": [], "turned_down": []})
SUBJECTS = ("limit", "account", "standing")
RAISED, ANSWERED = "objection.raised", "objection.answered"


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


def raise_objection(
    session: Session, store_id: str, *, id: str, about: str, words: str, actor: Actor, at: dt.datetime
) -> Objection:
    """Object to a figure, at the store (rules 1, 3)."""
    words = _words(words, N_("Say what is wrong, so that it can be looked into."))
    if about not in SUBJECTS:
        raise Invalid("bad-subject", "Object to the limit, the account or the standing.", about=about)
    query = sa.select(Objection).where(
        Objection.store_id == store_id, Objection.about == about, Objection.state == STATES.first
    )
    known: Objection | None = session.scalar(query.limit(1))
    if known is not None:
        return known
    row = Objection(
        store_id=store_id, id=id, about=about, words=words, state=STATES.first, raised_by=actor.name, raised_at=at,
        answer="",
    )  # fmt: skip
    session.add(row)
    session.flush()
    journal.record(session, actor=actor, at=at, verb="objection.raised", subject=f"objection:{id}", about=about)
    _send(session, row, NETWORK, RAISED, at)
    return row


def take_raised(session: Session, body: dict[str, Any]) -> None:
    """Write a store's objection down, at the network; a second copy changes nothing."""
    if session.get(Objection, (str(body["store_id"]), str(body["id"]))) is None:
        reported = {name: str(body[name]) for name in ("store_id", "id", "about", "words", "raised_by")}
        if reported["about"] not in SUBJECTS:
            raise Invalid("bad-subject", "Object to the limit, the account or the standing.", about=reported["about"])
        raised_at = dt.datetime.fromisoformat(body["raised_at"])
        session.add(Objection(**reported, state=STATES.first, answer="", raised_at=raised_at))
        session.flush()


def answer(
    session: Session, store_id: str, objection_id: str, *, upheld: bool, words: str, actor: Actor, at: dt.datetime
) -> Objection:
    """Answer an objection, at the network (rule 1)."""
    words = _words(words, N_("Say why: the shopkeeper reads it."))
    query = lock_rows(session, sa.select(Objection).where(Objection.store_id == store_id, Objection.id == objection_id))
    row: Objection | None = session.scalar(query)
    if row is None:
        raise NotFound("unknown-objection", "There is no such objection.", objection_id=objection_id)
    _settle(session, row, "upheld" if upheld else "turned_down", words, actor=actor, at=at)
    _send(session, row, store_id, ANSWERED, at)
    return row


def take_answered(session: Session, body: dict[str, Any], *, actor: Actor, at: dt.datetime) -> None:
    """Take over what the network answered, at the store; a second copy changes nothing."""
    row = session.get(Objection, (str(body["store_id"]), str(body["id"])))
    if row is not None and STATES.legal(row.state, body["state"]):
        _settle(session, row, body["state"], body["answer"], actor=actor, at=at)


def of_store(session: Session, store_id: str, *about: str) -> list[Objection]:
    """Return a store's objections about some subjects, the newest first."""
    query = sa.select(Objection).where(Objection.store_id == store_id, Objection.about.in_(about or SUBJECTS))
    return list(session.scalars(query.order_by(Objection.raised_at.desc()).limit(20)))


def waiting(session: Session) -> list[Objection]:
    """Return the objections nobody has answered, the oldest first."""
    query = sa.select(Objection).where(Objection.state == STATES.first)
    return list(session.scalars(query.order_by(Objection.raised_at)))


# --- inside ---


def _settle(session: Session, row: Objection, state: str, words: str, *, actor: Actor, at: dt.datetime) -> None:
    row.answer, row.answered_at = words, at
    journal.move(session, row, state, actor=actor, at=at, subject=f"objection:{row.id}", why=words)


def _words(words: str, ask: str) -> str:
    words = " ".join(words.split())[:500]
    if not words:
        raise Invalid("no-reason", ask)
    return words


def _send(session: Session, row: Objection, to: str, topic: str, at: dt.datetime) -> None:
    names = ("store_id", "id", "about", "words", "state", "raised_by", "answer")
    body = {name: getattr(row, name) for name in names} | {"raised_at": row.raised_at.isoformat()}
    outbox.append(
        session, to_node=to, topic=topic, version=VERSION, body=body, id=new_id(), subject=f"objection:{row.id}",
        business_day=day_of(session, row.store_id, at), at=at,
    )  # fmt: skip
