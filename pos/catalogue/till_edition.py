"""The edition of what a till keeps and no count of rows tells: keys, ways to read labels, tares, what a product says.

A till asks often and these change rarely: each verb that changes one of them counts the edition up in its own
transaction, so that asking is one small question.
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


def count_up(session: Session, store_id: str) -> None:
    """Begin the next edition; what the network changes for everyone has no tills here: each shop hears of it."""
    if store_id == EVERYONE:
        return
    row = session.get(TillEdition, store_id)
    if row is None:
        session.add(TillEdition(store_id=store_id, n=1))
    else:
        row.n += 1
    session.flush()


def current(session: Session, store_id: str) -> int:
    """Return the number of the edition; 0 before the first."""
    return session.scalar(sa.select(TillEdition.n).where(TillEdition.store_id == store_id)) or 0
