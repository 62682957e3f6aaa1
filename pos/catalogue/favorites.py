"""What a person of the store sells most: a row of their own at any till they sign in to.

Rules
-----
1. Up to MOST products, in the person's order, each once; what the store no longer sells keeps its place, not shown.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid
from pos.catalogue import catalogue

MOST = 12


class Favorites(Base):
    """A person's favorites (rule 1)."""

    __tablename__ = "favorites"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    staff_id: Mapped[str] = mapped_column(primary_key=True)
    skus: Mapped[list[str]] = mapped_column(sa.JSON())


def choose(session: Session, store_id: str, staff_id: str, skus: Sequence[str]) -> list[str]:
    """Keep a person's favorites; what there is no product of is left out (rule 1)."""
    chosen = list(dict.fromkeys(skus))
    if len(chosen) > MOST:
        raise Invalid("too-many-favorites", "You can have up to %(most)s favorites. Remove one first.", most=MOST)
    known = catalogue.known_skus(session, chosen)
    kept = [sku for sku in chosen if sku in known]
    session.merge(Favorites(store_id=store_id, staff_id=staff_id, skus=kept))
    return kept


def of(session: Session, store_id: str, staff_id: str) -> list[str]:
    """Return a person's favorites in their order."""
    row = session.get(Favorites, (store_id, staff_id))
    return list(row.skus) if row is not None else []
