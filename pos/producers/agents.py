"""Agents: who brought a producer to the store and gets a part of its commission, and how it reaches them.

Rules
-----
1. A store knows an agent by name; where the money goes is the shopkeeper's word alone, told to the network.
2. A move of goods names the agent it was agreed with that day (`produce`), so that what comes back later comes off the
   same agent's part.
3. A statement of the producer tells the network each agent's part of it, once, below zero too. The store owes it on its
   account, and the network pays it out (`supply/money/agent_commissions`).

Units: *_minor minor units.
"""

import datetime as dt

from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import reported_after
from config.database import Base
from config.errors import Invalid
from config.nodes import facts, journal
from config.nodes.facts import STORE, Fact, Instant, Whole
from config.nodes.journal import Context
from pos.store.store import day_of


class AgentReported(Fact, topic="agent.reported", said_by=STORE):
    """Who an agent of a store is, and where the money goes ('' while unknown)."""

    store_id: str
    name: str
    account: str
    bic: str
    reported_at: Instant


class AgentParts(Fact, topic="agent.parts", said_by=STORE):
    """The agents' parts of a statement: (agent, amount)."""

    store_id: str
    statement_id: str
    parts: tuple[tuple[str, Whole], ...]


class Agent(Base):
    """Somebody with a part of commissions, at the store and at the network. account, bic: '' while unknown."""

    __tablename__ = "agent"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    account: Mapped[str] = mapped_column(default="")
    bic: Mapped[str] = mapped_column(default="")
    reported_at: Mapped[dt.datetime]


# --- verbs ---


def say(ctx: Context, store_id: str, name: str, account: str, bic: str) -> Agent:
    """Say who an agent is and where the money goes (rule 1); what is known already is not told again.

    account, bic: as a bank knows them, tidied before; '' keeps what is known.
    """
    if not 1 <= len(name) <= 80:
        raise Invalid(
            "bad-agent", "Enter both the agent's name and their share of the commission, or neither.", field="agent"
        )
    row = ctx.session.get(Agent, (store_id, name))
    if row is not None and (not account or (account, bic) == (row.account, row.bic)):
        return row
    if row is None:
        row = Agent(store_id=store_id, name=name)
        ctx.session.add(row)
    row.account, row.bic, row.reported_at = account, bic, reported_after(row.reported_at, ctx.at)
    ctx.session.flush()
    journal.record(ctx, verb="agent.reported", subject=f"agent:{name}", ends_with=account[-4:])
    fact = AgentReported(store_id, name, account, bic, row.reported_at)
    facts.send(ctx.session, fact, subject=f"agent:{name}", day=day_of(ctx.session, store_id, ctx.at), at=ctx.at)
    return row


def send_parts(session: Session, store_id: str, statement_id: str, parts: dict[str, int], *, at: dt.datetime) -> None:
    """Tell the network the agents' parts of a statement (rule 3). parts: agent -> amount."""
    if parts:
        fact = AgentParts(store_id, statement_id, tuple(sorted(parts.items())))
        facts.send(session, fact, subject=f"agent:{statement_id}", day=day_of(session, store_id, at), at=at)


# --- questions ---


def agent_of(session: Session, store_id: str, name: str) -> Agent | None:
    """Return an agent of a store; None where there is none, or nothing was said."""
    return session.get(Agent, (store_id, name)) if name else None
