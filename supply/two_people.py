"""What one person at the network proposes and another approves: nobody does it alone.

Rules
-----
1. One person proposes, another approves, and both have the permission at that moment. Nothing happens before the
   approval, which goes by the facts of that moment, too.
2. The one who proposed may withdraw it; anybody else with the permission may turn it down. The journal has each step.
3. Where only one person has the permission, nobody is left to ask: each kind of proposal says what acting alone takes.
"""

import datetime as dt
from collections.abc import Sequence
from typing import ClassVar, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.errors import NotFound, Refused
from config.ids import NETWORK
from config.nodes.journal import Context, move
from config.states import StateTable
from pos.store.permissions import may
from pos.store.store import Staff, staff_of

MOVES = {"proposed": ["confirmed", "turned_down", "withdrawn"]}


class Proposal:
    """The columns of a noun that waits for a second person.

    PREFIX: what its subject in the journal begins with; PERMISSION: what both people need.
    """

    STATES: ClassVar[StateTable]
    PREFIX: ClassVar[str]
    PERMISSION: ClassVar[str]

    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(default="proposed")
    proposed_at: Mapped[dt.datetime]
    proposed_by: Mapped[str]
    proposed_name: Mapped[str]

    @property
    def subject(self) -> str:
        """Return the proposal as the journal names it."""
        return f"{self.PREFIX}:{self.id}"


P = TypeVar("P", bound=Proposal)


# --- verbs ---


def confirm(ctx: Context, kind: type[P], id: str) -> P:
    """Confirm somebody else's proposal; who calls does it in the same transaction (rule 1)."""
    row = _to_decide(ctx.session, kind, id)
    if row.proposed_by == ctx.actor.id:
        raise Refused("own-proposal", "You proposed this. Someone else with permission must approve it.")
    if not any(one.id == row.proposed_by and may(ctx.session, NETWORK, one.role, row.PERMISSION)
               for one in people(ctx.session)):  # fmt: skip
        raise Refused("proposer-may-not", "%(name)s may no longer do this. Reject it, and propose it yourself.",
                      name=row.proposed_name)  # fmt: skip
    move(ctx, row, "confirmed", subject=row.subject, proposed_by=row.proposed_by)
    ctx.session.flush()
    return row


def drop(ctx: Context, kind: type[P], id: str) -> P:
    """Withdraw one's own proposal, or turn another's down (rule 2)."""
    row = _to_decide(ctx.session, kind, id)
    target = "withdrawn" if row.proposed_by == ctx.actor.id else "turned_down"
    move(ctx, row, target, subject=row.subject, proposed_by=row.proposed_by)
    ctx.session.flush()
    return row


# --- questions ---


def is_alone(session: Session, permission: str) -> bool:
    """Tell whether no two people of the network may do it (rule 3)."""
    return sum(may(session, NETWORK, one.role, permission) for one in people(session)) < 2


def people(session: Session) -> Sequence[Staff]:
    """Return who works at the network."""
    return staff_of(session, NETWORK)


def found(session: Session, kind: type[P], id: str) -> P:
    """Return a proposal; NotFound where there is none."""
    row = session.get(kind, id)
    if row is None:
        raise NotFound("not-found-here", "Proposal not found.", id=id)
    return row


def waiting(session: Session, kind: type[P]) -> list[P]:
    """Return what waits for a second person, the oldest first."""
    return list(session.scalars(sa.select(kind).where(kind.state == "proposed").order_by(kind.proposed_at, kind.id)))


# --- inside ---


def _to_decide(session: Session, kind: type[P], id: str) -> P:
    """Return a proposal that nobody else decides meanwhile."""
    row = found(session, kind, id)
    session.refresh(row, with_for_update=True)
    return row
