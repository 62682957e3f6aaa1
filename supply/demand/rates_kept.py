"""What shops sell a day, kept for the questions that are asked of a whole region at once.

Rules
-----
1. A cache beside the roll-ups and the published forecasts: what is kept of a shop is what `outlook.rates` tells of it
   for the day it was kept for (K21), and is kept anew, whole, by `outlook.keep_rates` once that day is over.
2. Whoever changes a day before that one, or publishes a forecast, forgets what is kept of the shop in the same
   transaction (`forget`): it is kept anew before the next look, and is as it was until then.
"""

import datetime as dt
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into
from pos.store.store import Store

NEVER = dt.date.min


class SellingRate(Base):
    """What a shop sells of a product a day."""

    __tablename__ = "selling_rate"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    per_day: Mapped[float] = mapped_column(sa.Double)
    """Stock units."""


class RatesKept(Base):
    """For which day a shop's rates are kept; NEVER: they want to be kept anew."""

    __tablename__ = "rates_kept"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date]


def forget(session: Session, stores: Collection[str], changed: dt.date = NEVER) -> None:
    """Let what is kept of shops be kept anew, where it was made of that day: of any, where none is named."""
    if stores:
        # not a delete: that would not wait for who is just keeping them, and leave what it read before
        _write(session, stores, NEVER, only_after=changed)


def due(session: Session, today: dt.date, most: int) -> list[str]:
    """Return the shops whose rates are to be kept, and note them as kept: the caller does so in this transaction."""
    kept = RatesKept
    query = (
        sa.select(Store.id)
        .outerjoin(kept, kept.store_id == Store.id)
        .where(sa.or_(kept.day.is_(None), kept.day < today))
        .order_by(Store.id)
        .limit(most)
    )
    stores = list(session.scalars(query))
    if stores:
        _write(session, stores, today)
    return stores


# --- inside ---


def _write(session: Session, stores: Collection[str], day: dt.date, *, only_after: dt.date | None = None) -> None:
    insert = insert_into(RatesKept, dialect_of(session))
    there = None if only_after is None else RatesKept.__table__.c.day > only_after
    upsert = insert.on_conflict_do_update(index_elements=["store_id"], set_={"day": insert.excluded.day}, where=there)
    session.execute(upsert, [{"store_id": store_id, "day": day} for store_id in sorted(stores)])
