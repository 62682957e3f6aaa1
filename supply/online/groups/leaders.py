"""The leader of a group buy: what they have earned, what is still to come, and how it reaches them.

Rules
-----
1. A leader earns on the goods of collected shares alone, without tax and deposit, as their money is passed on (`groups`
   rule 5); of what goes back after that, the leader's share of it does too.
2. The part stands in the store's ledger on `agents`, under the leader's name, and is paid out like any agent's part, to
   the account the store said (`agent_commissions`). It is never the store's money.
3. The leader has a page of their own, by a link nobody can guess; no neighbour's name is on it.

Units: *_minor minor units of the store's currency.
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import NotFound
from pos.producers import agents
from supply.money import agent_commissions
from supply.money.held_payments import Escrow, EscrowEntry
from supply.money.ledger import LedgerEntry
from supply.online.groups import price
from supply.online.groups.groups import GroupMember, GroupOffer
from supply.online.orders import PickupOrder


@dataclass(frozen=True)
class LeaderStatus:
    """What a group brought its leader.

    coming_minor: on shares collected whose goods may still come back, as the network knows.
    paid_minor, due_minor: of all the leader's parts at this store, paid out, and out with the next run.
    """

    group: GroupOffer
    earned_minor: int
    coming_minor: int
    paid_minor: int
    due_minor: int
    account_end: str
    """The last four signs of the account it is paid out to; '' while the store has not said it."""


def status_of(session: Session, group: GroupOffer) -> LeaderStatus:
    """Return what a group brought its leader (rules 1, 2)."""
    known = agents.agent_of(session, group.store_id, group.leader)
    parts = agent_commissions.parts_of(session, group.store_id)
    return LeaderStatus(
        group=group,
        earned_minor=_on_agents(session, group, LedgerEntry.source_id == group.id),
        coming_minor=_coming(session, group),
        paid_minor=-_on_agents(session, group, LedgerEntry.kind.in_(["payout", "returned"])),
        due_minor=sum(one.due_minor for one in parts if one.agent == group.leader),
        account_end=known.account[-4:] if known is not None else "",
    )


def by_token(session: Session, store_id: str, token: str) -> GroupOffer:
    """Return the group whose leader's page a link opens (rule 3)."""
    query = sa.select(GroupOffer).where(GroupOffer.store_id == store_id, GroupOffer.leader_token == token)
    row = session.scalar(query) if token else None
    if row is None:
        raise NotFound("unknown-group", "Group buy not found. Check the link.")
    return row


# --- inside ---


def _on_agents(session: Session, group: GroupOffer, which: sa.ColumnElement[bool]) -> int:
    """Return what some entries under the leader's name owe the leader."""
    signed = sa.case(
        (LedgerEntry.from_account == "agents", LedgerEntry.amount_minor),
        (LedgerEntry.to_account == "agents", -LedgerEntry.amount_minor),
        else_=0,
    )
    query = sa.select(sa.func.coalesce(sa.func.sum(signed), 0)).where(
        LedgerEntry.store_id == group.store_id, LedgerEntry.words == group.leader, which
    )
    return int(session.scalar(query) or 0)


def _coming(session: Session, group: GroupOffer) -> int:
    """Return the commission on shares that were collected and are kept in escrow yet."""
    signed = sa.case((EscrowEntry.to_account == "escrow", EscrowEntry.amount_minor), else_=0) - sa.case(
        (EscrowEntry.from_account == "escrow", EscrowEntry.amount_minor), else_=0
    )
    query = (
        sa.select(Escrow.id, sa.func.sum(signed))
        .join(Escrow, Escrow.id == EscrowEntry.escrow_id)
        .join(GroupMember, GroupMember.id == Escrow.id)
        .join(PickupOrder, sa.and_(PickupOrder.id == Escrow.id, PickupOrder.store_id == group.store_id))
        .where(GroupMember.group_id == group.id, Escrow.state == "held", PickupOrder.collected_at.is_not(None))
        .group_by(Escrow.id)
    )
    return sum(
        price.leaders_part(session, group.store_id, escrow_id, int(minor), group.commission_bp)
        for escrow_id, minor in session.execute(query).all()
    )
