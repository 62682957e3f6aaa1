"""The network's terms of money, public to every member: what it lends on, what it charges, what it pays.

Rules
-----
1. Terms are kept in editions that are never changed; the newest is in force. What was worked out by an edition names
   its number, so that it can be worked out again.
2. Every term has bounds; an edition with one outside them is refused, all faults at once.

Units: *_minor minor units of the network's currency, *_bp basis points, *_ppm millionths a day, *_days days.
"""

import datetime as dt
from dataclasses import asdict, dataclass, fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid
from config.nodes.append_only import append_only
from config.nodes.journal import Context, record


@dataclass(frozen=True)
class Terms:
    """One edition's values. For what each means see BOUNDS' words on the operator's page and the manual."""

    weeks_bp: int = 10_000
    first_bp: int = 5_000
    cap_minor: int = 2_000_000
    first_most_minor: int = 200_000
    least_days: int = 7
    free_days: int = 14
    level_days: int = 7
    level_bp: int = 2_500
    grace_days: int = 3
    late_ppm: int = 300
    account_days: int = 7
    account_most_minor: int = 2_000_000
    advance_bp: int = 8_000
    commission_bp: int = 300
    shelf_week_minor: int = 500
    payout_least_minor: int = 1_000
    slow_days: int = 28
    slow_bp: int = 2_000
    expiry_bp: int = 5_000
    care_cap_bp: int = 3_000
    claim_days: int = 3


BOUNDS: dict[str, tuple[int, int]] = {
    "weeks_bp": (0, 80_000),
    "first_bp": (0, 10_000),
    "cap_minor": (0, 10**10),
    "first_most_minor": (0, 10**10),
    "least_days": (1, 60),
    "free_days": (1, 90),
    "level_days": (0, 30),
    "level_bp": (0, 10_000),
    "grace_days": (0, 60),
    "late_ppm": (0, 2_000),
    "account_days": (0, 90),
    "account_most_minor": (0, 10**10),
    "advance_bp": (0, 10_000),
    "commission_bp": (0, 3_000),
    "shelf_week_minor": (0, 10**8),
    "payout_least_minor": (0, 10**8),
    "slow_days": (7, 180),
    "slow_bp": (0, 10_000),
    "expiry_bp": (0, 10_000),
    "care_cap_bp": (0, 10_000),
    "claim_days": (1, 30),
}
"""term -> least and most (rule 2)."""


@append_only()
class TermsEdition(Base):
    """One edition of the terms."""

    __tablename__ = "network_terms"

    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    terms: Mapped[dict[str, Any]]
    set_by: Mapped[str]
    set_at: Mapped[dt.datetime]


def set_terms(ctx: Context, terms: Terms) -> int:
    """Put new terms in force and return their number; the same ones again are the edition that is there."""
    bad = [name for name, (least, most) in BOUNDS.items() if not least <= getattr(terms, name) <= most]
    if terms.free_days < terms.least_days:
        bad.append("free_days")
    if bad:
        reported = "; ".join(f"{name} from {BOUNDS[name][0]} to {BOUNDS[name][1]}" for name in bad)
        raise Invalid("bad-terms", "These terms are out of range: %(reported)s.", reported=reported, terms=bad)
    n, present = in_force(ctx.session)
    if present == terms and n:
        return n
    ctx.session.add(TermsEdition(n=n + 1, terms=asdict(terms), set_by=ctx.actor.name, set_at=ctx.at))
    ctx.session.flush()
    record(ctx, verb="terms.set", subject="network:terms", n=n + 1, terms=asdict(terms))
    return n + 1


def in_force(session: Session) -> tuple[int, Terms]:
    """Return the edition in force and its number; 0 and the defaults before the first."""
    row = session.scalar(sa.select(TermsEdition).order_by(TermsEdition.n.desc()).limit(1))
    return (row.n, terms_from(row.terms)) if row is not None else (0, Terms())


def terms_from(values: dict[str, Any]) -> Terms:
    """Return an edition from its values; a term a former edition did not know has its default."""
    known = {one.name for one in fields(Terms)}
    return Terms(**{name: int(value) for name, value in values.items() if name in known})
