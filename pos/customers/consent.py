"""Consent: what a customer agreed to, since when, and in which words it was asked.

Rules
-----
1. Rows are never changed; of a purpose the newest one counts.
2. What a customer is asked stands here; it is asked in the customer's own language, and kept in those very words with
   the yes: what was agreed to can be shown later, also when the question or its translation has changed since.
"""

import datetime as dt
from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.ids import new_id
from config.nodes.append_only import append_only
from config.nodes.journal import Context
from config.words import N_
from config.words import language as language_of

PURPOSES = ("phone", "tab", "points", "messages", "online", "network", "partners")
ASKED = {
    "name": N_("The store may keep my name."),
    "phone": N_("The store may keep my phone number."),
    "tab": N_("The store may keep a tab for me: I buy now and pay later."),
    "points": N_("The store may collect points for my purchases."),
    "messages": N_("The store may write to me, for example with a reminder or a promotion."),
    "online": N_(
        "The store may use a code made from my phone number in its online store, so I get member "
        "prices and points there. The number itself stays in the store."
    ),
    "network": N_(
        "The network's stores may add up my points under a code made from my phone number. Each "
        "store uses them only after I confirm my phone. The network uses the number only to send "
        "that code. No other store sees what I buy here."
    ),
    "partners": N_("The store may give my name, phone number and language to the programs of its partners."),
}
"""Purpose -> the question as a sentence of the customer's; it can be taken back at any time."""


@append_only()
class Consent(Base):
    """What somebody agreed to, or not any more."""

    __tablename__ = "customer_consent"
    __table_args__ = (sa.Index("ix_customer_consent_customer", "store_id", "customer_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[str]
    purpose: Mapped[str]
    """name | phone | tab | points | messages | online | network | partners"""
    given: Mapped[bool]
    words: Mapped[str] = mapped_column(default="", server_default="")
    """What the customer was asked; '' where it was ended, or never noted."""
    at: Mapped[dt.datetime]
    actor_id: Mapped[str]


# --- verbs ---


def note(
    ctx: Context, store_id: str, customer_id: str, given: Iterable[str], ended: Iterable[str], language: str
) -> None:
    """Write down what is agreed to from now on, and what no longer is. language: the customer's."""
    for purpose, is_given in [*((one, True) for one in sorted(given)), *((one, False) for one in sorted(ended))]:
        ctx.session.add(
            Consent(
                store_id=store_id, id=new_id(), customer_id=customer_id, purpose=purpose, given=is_given,
                words=language_of(language)(ASKED[purpose]) if is_given else "", at=ctx.at, actor_id=ctx.actor.id,
            )
        )  # fmt: skip
    ctx.session.flush()


# --- questions ---


def in_force(session: Session, store_id: str, customer_id: str) -> dict[str, Consent]:
    """Return by purpose the consent that counts now."""
    newest: dict[str, Consent] = {}
    query = sa.select(Consent).where(Consent.store_id == store_id, Consent.customer_id == customer_id)
    for row in session.scalars(query.order_by(Consent.at, Consent.id)):
        newest[row.purpose] = row
    return {purpose: row for purpose, row in newest.items() if row.given}


def consented(session: Session, store_id: str, purpose: str) -> dict[str, dt.datetime]:
    """Return the ids of all who agree to a purpose now, and since when."""
    row = Consent
    query = sa.select(row.customer_id, row.given, row.at).where(row.store_id == store_id, row.purpose == purpose)
    newest = {customer_id: (given, at) for customer_id, given, at in session.execute(query.order_by(row.at, row.id))}
    return {customer_id: at for customer_id, (given, at) in newest.items() if given}


def agreed(session: Session, store_id: str, customer_id: str) -> dict[str, dt.datetime]:
    """Return what a customer agrees to, and since when."""
    return {purpose: row.at for purpose, row in in_force(session, store_id, customer_id).items()}
