"""Money of group buys that nobody's share needs any more: found, and sent back.

Rules
-----
1. Held money of a member belongs to a share. Where the member is out, the group is over, or its goods were dealt out
   without the member, there is none: it is a finding, and the job that closes groups sends it back.
2. What is disputed is the operator's to decide.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.finding import Finding
from config.ids import NETWORK
from config.nodes.journal import Actor
from supply.money import escrow
from supply.money.escrow import Escrow
from supply.online.groups import groups
from supply.online.groups.groups import GroupMember, GroupOffer


def put_right(session: Session, *, at: dt.datetime) -> int:
    """Send back what is held for nobody's share (rule 1); returns of how many members."""
    found = session.execute(_forgotten()).all()
    for row, group_id in found:
        groups.locked(session, group_id)
        actor = Actor.system("groups", NETWORK)
        escrow.refund(session, row.id, None, why="the group is over", actor=actor, at=at)
    return len(found)


def findings(session: Session, store_id: str | None = None) -> list[Finding]:
    """Return the escrows that hold money for nobody's share (rule 1)."""
    query = _forgotten() if store_id is None else _forgotten().where(GroupOffer.store_id == store_id)
    return [
        Finding("K13", escrow.subject_of(row), f"nothing held: no share of group {group_id} needs it", "money held")
        for row, group_id in session.execute(query)
    ]


# --- inside ---


def _forgotten() -> sa.Select[Escrow, str]:
    nobody = sa.or_(
        GroupMember.left_at.is_not(None),
        GroupOffer.state.in_(("failed", "settled")),
        sa.and_(GroupOffer.state == "arrived", GroupMember.gets_qty.is_(None)),
    )
    query = sa.select(Escrow, GroupOffer.id).join(GroupMember, GroupMember.id == Escrow.id)
    query = query.join(GroupOffer, GroupOffer.id == GroupMember.group_id)
    return query.where(Escrow.state == "held", Escrow.purpose == "group", nobody).order_by(GroupMember.id)
