"""Demand that is known beforehand: a group's cases, a campaign's extra sales. Ordering counts it as spoken for.

Rules
-----
1. Each is a quantity of a product needed on a day, by its source; telling it again replaces it.
2. It lowers the position that ordering looks at, while its day lies within the days the order covers. It ends when its
   source says so: the goods are in the members' orders, or the campaign is over.
3. What a forecast run expects already (`carried_by`) is not spoken for beside it, but is wherever something else stands
   in for that run: it is counted once, and always.
"""

import datetime as dt
from collections.abc import Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base


class PlannedDemand(Base):
    """So many units of a product are needed on a day for a source ('group:…', 'campaign:…')."""

    __tablename__ = "planned_demand"
    __table_args__ = (sa.CheckConstraint("qty > 0", name="qty_positive"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    qty: Mapped[int]
    day: Mapped[dt.date]
    carried_by: Mapped[str | None]
    """The forecast run that expects it (rule 3)."""


def plan(session: Session, store_id: str, source: str, wanted: Mapping[str, int], *, day: dt.date) -> None:
    """Say what a source needs on a day; what it said before is replaced (rule 1)."""
    close(session, store_id, source)
    session.add_all(
        PlannedDemand(store_id=store_id, source=source, sku=sku, qty=qty, day=day)
        for sku, qty in sorted(wanted.items())
        if qty > 0
    )
    session.flush()


def close(session: Session, store_id: str, source: str) -> None:
    """End what a source needs (rule 2)."""
    session.execute(sa.delete(PlannedDemand).where(PlannedDemand.store_id == store_id, PlannedDemand.source == source))


def until(session: Session, store_id: str, last: dt.date, *, beside: str | None = None) -> dict[str, int]:
    """Return SKU -> units needed up to a day, over all sources; beside: the run in use, whose own are left out."""
    query = sa.select(PlannedDemand.sku, sa.func.sum(PlannedDemand.qty)).where(
        PlannedDemand.store_id == store_id, PlannedDemand.day <= last
    )
    if beside is not None:
        query = query.where(PlannedDemand.carried_by.is_distinct_from(beside))
    return {sku: int(qty) for sku, qty in session.execute(query.group_by(PlannedDemand.sku))}
