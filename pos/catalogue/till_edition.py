"""The edition of what a store's tills keep: a till asks often whether it has changed, and it rarely has.

Each verb that changes what no count of rows tells (keys, ways to read labels, tares, what a product says) begins a new
one in its own transaction.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.nodes.publication import EVERYONE


class TillEdition(Base):
    """How often a store has changed what its tills keep."""

    __tablename__ = "till_edition"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    n: Mapped[int]


def begin(session: Session, store_id: str) -> None:
    """Begin the next edition; what the network changes for everyone has no tills here: each store hears of it."""
    if store_id == EVERYONE:
        return
    row = session.get(TillEdition, store_id)
    if row is None:
        session.add(TillEdition(store_id=store_id, n=1))
    else:
        row.n += 1
    session.flush()


def number(session: Session, store_id: str) -> int:
    """Return the number of the edition; 0 before the first."""
    return session.scalar(sa.select(TillEdition.n).where(TillEdition.store_id == store_id)) or 0
