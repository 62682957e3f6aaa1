"""A basket the shop keeps: set aside for the next customer, taken up again at any till, or given up with a reason.

Rules
-----
1. A basket lives in the page until it is paid; the shop knows it from when it is parked, or when its money was asked
   for. Its id is the later sale's.
2. A parked basket is taken up by one till: whoever is second is told who has it (one winner, `Conflict`).
3. It is given up only with a reason, and only when no captured money belongs to it; what was given up is never sold.
4. What was parked stays as the page wrote it; prices are asked anew when it is taken up.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import journal
from config.database import Base, lock_rows, table_of
from config.errors import Conflict, Invalid, NotFound
from config.journal import Actor
from config.money import MAX_MINOR
from config.prepared import Prepared
from config.states import StateTable
from pos.sale_rows import Sale
from pos.shift import locked, note
from pos.store import Till

STATES = StateTable(
    "basket",
    "open",
    {
        "open": ["parked", "voided"],
        "parked": ["open", "voided"],
        "voided": [],
    },
    resting=["open"],
)
LONGEST_LABEL, LONGEST_REASON = 60, 200


class Basket(Base):
    """A sale that is not completed, as far as the shop knows of it. content: the page's own words."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "basket"
    __table_args__ = (sa.Index("ix_basket_state", "store_id", "state"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default=STATES.first)
    till_id: Mapped[str]
    label: Mapped[str] = mapped_column(default="")
    total_minor: Mapped[int]
    content: Mapped[dict[str, Any]]
    kept_by: Mapped[str]
    kept_by_name: Mapped[str]
    kept_at: Mapped[dt.datetime]
    why: Mapped[str] = mapped_column(default="")


# --- verbs ---


def park(
    session: Session,
    store_id: str,
    basket_id: str,
    *,
    till_id: str,
    label: str,
    total_minor: int,
    content: dict[str, Any],
    actor: Actor,
    at: dt.datetime,
) -> Basket:
    """Set a basket aside (rule 4); parking it again replaces what was kept of it."""
    if len(label) > LONGEST_LABEL:
        raise Invalid("bad-label", f"The name of a basket has at most {LONGEST_LABEL} characters.")
    row = _kept(session, store_id, basket_id, till_id, total_minor, actor, at)
    if row.state == "voided":
        raise _given_up(basket_id)
    if row.state == "parked" and row.till_id != till_id:
        raise _taken(row)
    if session.get(Till, (store_id, till_id)) is None:
        raise NotFound("no-such-till", "This till is not known here. Open the till page again.", till_id=till_id)
    row.label, row.content, row.total_minor, row.till_id = label.strip(), content, total_minor, till_id
    row.kept_by, row.kept_by_name, row.kept_at = actor.id, actor.name, at
    if row.state != "parked":
        facts: dict[str, Any] = {"total_minor": total_minor, "label": row.label}
        journal.move(session, row, "parked", actor=actor, at=at, subject=f"sale:{basket_id}", **facts)
    return row


def resume(session: Session, store_id: str, basket_id: str, *, till_id: str, actor: Actor, at: dt.datetime) -> Basket:
    """Take a parked basket up at a till (rule 2)."""
    row = _find(session, store_id, basket_id)
    if session.get(Sale, (store_id, basket_id)) is not None:
        raise _sold(basket_id)
    if row.state != "parked":
        raise _taken(row)
    journal.move(session, row, "open", actor=actor, at=at, subject=f"sale:{basket_id}", till=till_id)
    row.till_id, row.kept_by, row.kept_by_name, row.kept_at = till_id, actor.id, actor.name, at
    return row


def void(
    session: Session,
    store_id: str,
    basket_id: str,
    *,
    till_id: str,
    why: str,
    total_minor: int,
    lines: Sequence[tuple[str, int]] = (),
    actor: Actor,
    at: dt.datetime,
) -> Basket:
    """Give a basket up with a reason (rule 3); asking twice changes nothing. lines: (sku, qty) for the journal."""
    from pos import paying  # what was asked of a terminal knows its sale by id alone

    if not why.strip() or len(why) > LONGEST_REASON:
        raise Invalid("no-reason", "Say in a few words why the basket is given up.")
    shift = locked(session, store_id, till_id)
    row = _kept(session, store_id, basket_id, till_id, total_minor, actor, at)
    if row.state == "voided":
        return row
    paying.refuse_captured(session, store_id, basket_id)
    row.why = why.strip()
    facts: dict[str, Any] = {"total_minor": total_minor, "lines": [list(line) for line in lines[:100]]}
    journal.move(session, row, "voided", actor=actor, at=at, subject=f"sale:{basket_id}", why=row.why, **facts)
    if shift is not None:
        note(shift, "voided", total_minor)
    return row


# --- questions ---


def refuse_voided(session: Session, store_id: str, basket_id: str) -> None:
    """Raise Conflict for a basket that was given up, perhaps in another window (rule 3)."""
    found = _STATE.first(session, {"store": store_id, "basket": basket_id})
    if found is not None and found[0] == "voided":
        raise _given_up(basket_id)


def parked(session: Session, store_id: str) -> list[Basket]:
    """Return the baskets set aside in a shop, the longest waiting first; one that was paid elsewhere waits no more."""
    paid = sa.exists().where(Sale.store_id == Basket.store_id, Sale.id == Basket.id)
    query = sa.select(Basket).where(Basket.store_id == store_id, Basket.state == "parked", ~paid)
    return list(session.scalars(query.order_by(Basket.kept_at, Basket.id)))


# --- inside ---

_basket = table_of(Basket).c
_STATE = Prepared(
    sa.select(_basket.state).where(_basket.store_id == sa.bindparam("store"), _basket.id == sa.bindparam("basket"))
)


def _taken(row: Basket) -> Conflict:
    sentence = f"{row.kept_by_name} has already taken up this basket."
    return Conflict("basket-taken", sentence, by=row.kept_by_name, id=row.id)


def _sold(basket_id: str) -> Conflict:
    return Conflict("already-sold", "This basket was already paid. Begin a new sale.", id=basket_id)


def _given_up(basket_id: str) -> Conflict:
    return Conflict("basket-voided", "This basket was given up. Begin a new sale.", id=basket_id)


def _find(session: Session, store_id: str, basket_id: str) -> Basket:
    query = lock_rows(session, sa.select(Basket).where(Basket.store_id == store_id, Basket.id == basket_id))
    row: Basket | None = session.scalar(query)
    if row is None:
        raise NotFound("no-such-basket", "This basket is not kept here any more. Look at the list again.", id=basket_id)
    return row


def _kept(
    session: Session, store_id: str, basket_id: str, till_id: str, total_minor: int, actor: Actor, at: dt.datetime
) -> Basket:
    if session.get(Sale, (store_id, basket_id)) is not None:
        raise _sold(basket_id)
    if not -MAX_MINOR <= total_minor <= MAX_MINOR:
        raise Invalid("bad-amount", "That amount is a slip of the finger. Type it again.")
    query = lock_rows(session, sa.select(Basket).where(Basket.store_id == store_id, Basket.id == basket_id))
    row: Basket | None = session.scalar(query)
    if row is None:
        row = Basket(
            store_id=store_id,
            id=basket_id,
            state=STATES.first,
            till_id=till_id,
            label="",
            total_minor=total_minor,
            content={},
            kept_by=actor.id,
            kept_by_name=actor.name,
            kept_at=at,
            why="",
        )
        session.add(row)
    return row
