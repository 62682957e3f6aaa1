"""Badges: a code to scan in the place of a name, and, for some roles, of the PIN too.

Rules
-----
1. A badge is a prefix and forty random digits (more than 128 bits): digits, because every scanner and keyboard layout
   sends them alike. It is shown when it is given and never again; only its SHA-256 is kept.
2. A person has one badge or none: a new one ends the old one, and so does leaving. What was begun by a badge ends with
   it.
3. Whether a role's badge is enough by itself or asks for the PIN as well is the store's rule: unless it says otherwise,
   a cashier's badge is enough and everybody else types the PIN.
4. A badge answers no question for a PIN.
"""

import datetime as dt
import hashlib
import re
import secrets

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid
from config.nodes import journal
from config.nodes.journal import Context
from pos.store.roles import STAFF_ROLES
from pos.store.store import Staff

PREFIX, DIGITS = "9870", 40
"""No product's code is as long; the till tells a badge by both."""
ALONE = frozenset({"cashier"})
"""The roles whose badge is enough unless the store says otherwise (rule 3)."""


class BadgeRule(Base):
    """Whether a role's badge asks for the PIN at a node."""

    __tablename__ = "badge_rule"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    asks_pin: Mapped[bool]


class BadgeReader(Base):
    """How many unknown badges in a row a node was shown."""

    __tablename__ = "badge_reader"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    failed_tries: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[dt.datetime | None]


# --- verbs ---


def give(ctx: Context, person: Staff) -> str:
    """Give a person a badge and return its code, this once (rules 1, 2)."""
    code = PREFIX + f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    again = person.badge_hash is not None
    person.badge_hash, person.badge_given_at = _hash(code), ctx.at
    _record(ctx, person, "badge.given", replaced=again)
    ctx.session.flush()
    return code


def withdraw(ctx: Context, person: Staff) -> bool:
    """Make a person's badge useless from now on; False: there was none."""
    if person.badge_hash is None:
        return False
    person.badge_hash = person.badge_given_at = None
    _record(ctx, person, "badge.withdrawn")
    ctx.session.flush()
    return True


def set_rule(ctx: Context, node_id: str, role: str, asks_pin: bool) -> None:
    """Settle whether a role's badge asks for the PIN (rule 3)."""
    if role not in STAFF_ROLES:
        raise Invalid("unknown-role", "Role %(role)s not found.", role=role, field="role")
    before = asks(ctx.session, node_id, role)
    if before != asks_pin:
        row = ctx.session.get(BadgeRule, (node_id, role)) or BadgeRule(node_id=node_id, role=role)
        row.asks_pin = asks_pin
        ctx.session.add(row)
        facts = {"before": before, "asks_pin": asks_pin}
        journal.record(ctx, verb="badge.rule set", subject=f"role:{role}", **facts)
        ctx.session.flush()


# --- questions ---


def is_badge(text: str) -> bool:
    """Tell whether a scanned text looks like a badge."""
    return re.fullmatch(rf"{PREFIX}\d{{{DIGITS}}}", text, re.ASCII) is not None


def whose(session: Session, node_id: str, code: str) -> Staff | None:
    """Return the person at work whose badge this is."""
    if not is_badge(code):
        return None
    query = sa.select(Staff).where(Staff.node_id == node_id, Staff.badge_hash == _hash(code), Staff.active)
    return session.scalar(query)


def asks(session: Session, node_id: str, role: str) -> bool:
    """Tell whether a role's badge asks for the PIN (rule 3)."""
    row = session.get(BadgeRule, (node_id, role))
    return role not in ALONE if row is None else row.asks_pin


def in_use(session: Session, node_id: str) -> bool:
    """Tell whether anybody at a node has a badge."""
    query = sa.select(Staff.id).where(Staff.node_id == node_id, Staff.active, Staff.badge_hash.is_not(None))
    return session.scalar(query.limit(1)) is not None


# --- inside ---


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _record(ctx: Context, person: Staff, verb: str, **facts: object) -> None:
    reported = {"name": person.name, "seal": person.seal, **facts}
    journal.record(ctx, verb=verb, subject=f"staff:{person.id}", **reported)
