"""Hours in which some goods may be sold: beer not at night, say.

Rules
-----
1. Hours are for a department or a category, named as its products name it; a department's hold for all in it.
   A product that both are set for is sold while both hold.
2. Outside its hours a product is sold to nobody: no leave helps. The store's own wall clock decides, when the money is
   taken; a sale that was completed stays one.
3. Hours over midnight (22:00 to 02:00) end on the next morning; the last minute is not included.

Units: minutes of the local day, 0 to 1439.
"""

import datetime as dt
from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, table_of
from config.errors import Invalid, NotFound, Refused
from config.nodes import journal
from config.nodes.journal import Context
from config.prepared import Prepared
from pos.catalogue.catalogue import Product
from pos.pricing.pricing import ProductView


class SellingHours(Base):
    """When a store sells the products of a department or a category."""

    __tablename__ = "selling_hours"
    __table_args__ = (
        sa.CheckConstraint(
            "from_minute between 0 and 1439 and until_minute between 0 and 1439 and from_minute <> until_minute",
            name="within_a_day",
        ),
    )

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    """The department's or the category's name."""
    from_minute: Mapped[int]
    until_minute: Mapped[int]


Hours = Mapping[str, tuple[int, int]]
"""Department or category -> from, until."""

# --- verbs ---


def set_hours(ctx: Context, store_id: str, kind: str, from_minute: int, until_minute: int) -> SellingHours:
    """Sell a department or a category only within these hours (rules 1, 3); set again, they are replaced."""
    if kind not in kinds(ctx.session):
        raise NotFound(
            "unknown-aisle", "There are no products in that category. Choose a category from the list.", field="kind"
        )
    if not (0 <= from_minute < 1440 and 0 <= until_minute < 1440) or from_minute == until_minute:
        raise Invalid("bad-hours", "Enter both a start and an end time.", field="until_time")
    row = ctx.session.get(SellingHours, (store_id, kind)) or SellingHours(store_id=store_id, kind=kind)
    row.from_minute, row.until_minute = from_minute, until_minute
    ctx.session.add(row)
    facts = {"from_time": clock_text(from_minute), "until_time": clock_text(until_minute)}
    journal.record(ctx, verb="selling_hours.set", subject=f"category:{kind}", **facts)
    return row


def lift(ctx: Context, store_id: str, kind: str) -> None:
    """Sell a category's products at any hour again; lifting hours that are not set changes nothing."""
    row = ctx.session.get(SellingHours, (store_id, kind))
    if row is not None:
        ctx.session.delete(row)
        journal.record(ctx, verb="selling_hours.lifted", subject=f"category:{kind}")


# --- questions ---


def of_store(session: Session, store_id: str) -> list[SellingHours]:
    """Return a store's hours by the names of their categories."""
    query = sa.select(SellingHours).where(SellingHours.store_id == store_id)
    return list(session.scalars(query.order_by(SellingHours.kind)))


def kinds(session: Session) -> list[str]:
    """Return what hours can be set for: every department and category a product stands in, by name."""
    names = sa.union(sa.select(Product.department), sa.select(Product.category))
    return sorted(name for name in session.scalars(names) if name)


def refuse_outside(hours: Hours, views: Iterable[ProductView], wall: dt.datetime) -> None:
    """Raise Refused for the first product that is not sold at this hour (rules 1 to 3). wall: the store's own time."""
    minute = wall.hour * 60 + wall.minute
    for view in views:
        for kind in dict.fromkeys((view.department, view.category)):
            if kind in hours and not _within(minute, *hours[kind]):
                since, until = (clock_text(one) for one in hours[kind])
                raise Refused(
                    "outside-hours",
                    "%(name)s is sold only from %(from_time)s to %(until_time)s. Remove it to sell the rest.",
                    sku=view.sku, name=view.shown, from_time=since, until_time=until,
                )  # fmt: skip


def clock_text(minute: int) -> str:
    """Return a minute of the day as a clock shows it: '07:30'."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


# --- inside ---

_hours = table_of(SellingHours).c
HOURS = Prepared(
    sa.select(_hours.kind, _hours.from_minute, _hours.until_minute).where(_hours.store_id == sa.bindparam("store"))
)
"""A store's hours, as rows of `Hours`."""


def _within(minute: int, since: int, until: int) -> bool:
    return since <= minute < until if since < until else minute >= since or minute < until
