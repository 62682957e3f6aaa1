"""Who gets the prices for members in a store's online store: known to the network by a key of the phone alone.

Rules
-----
1. The store tells the keys of customers who agreed to it (`pos.customers.customers`), and takes them back when they
   agree no longer, leave the points, or are forgotten.
2. The network recognizes a number by its key, once its owner has proved it with a one-time code. It learns no name,
   and no number that its owner did not type.
"""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from pos.customers import customers
from pos.store.store import Store


class OnlineMember(Base):
    """A member of a store. At the store: as it was told last; at the network: as it was heard last."""

    __tablename__ = "online_member"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    member: Mapped[bool]
    edition: Mapped[int] = mapped_column(default=0)


def to_send(session: Session, store_id: str) -> list[list[Any]]:
    """Return [key, is a member] of what changed since it was told (rule 1)."""
    now = customers.online_members(session, store_id).keys()
    query = sa.select(OnlineMember).where(OnlineMember.store_id == store_id)
    reported = {row.key for row in session.scalars(query) if row.member}
    return [[key, key in now] for key in sorted(now ^ reported)]


def take_reported(session: Session, store_id: str, reported: Iterable[Sequence[Any]], edition: int) -> None:
    """Note at the store (edition 0) what it tells of its members, or take it over; an older one changes nothing."""
    for key, member in reported:
        row = session.get(OnlineMember, (store_id, key))
        if row is None:
            session.add(OnlineMember(store_id=store_id, key=key, member=member, edition=edition))
        elif row.edition <= edition:
            row.member, row.edition = member, edition
    session.flush()


def is_member(session: Session, store_id: str, phone: str) -> bool:
    """Tell whether a proved number is a member's (rule 2)."""
    if not phone:
        return False
    row = session.get(OnlineMember, (store_id, key_for(store_id, session.get_one(Store, store_id).tz, phone)))
    return row is not None and row.member


key_for = functools.lru_cache(maxsize=4096)(customers.key_of)
"""A key takes 20 ms, and a visitor asks with every page."""
