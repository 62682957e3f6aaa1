"""Days on which a store stays closed, settled ahead: a holiday of its own, a funeral, stock-taking.

Rules
-----
1. They are business days, from today to MOST_AHEAD days on; a night after midnight belongs to the day before. What is
   past stays as it was: it can neither be closed nor opened afterwards.
2. Nothing is expected to be wanted on them, nor on the weekdays the store is never open on (`opening_hours`; both are
   what is `shut`): not by the forecast (`forecasts`), nor by an order between two forecasts
   (`expected`); one that is taken back counts again from the next forecast on. Once past they tell nothing of demand,
   unless something was sold on one after all (`rollups`).
3. No online order is to be collected or brought on them, and no time to answer one runs (`time_slots`). What was
   promised before stays promised: the shopkeeper is told how many such orders there are.
4. The store is their author. What it publishes tells the network all of them from that day on
   (`storefront.storefront`). Of a store without a node the network's operator settles them, until a node of its own
   tells others.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import business_day
from config.database import Base, table_of
from config.errors import Invalid, Refused
from config.nodes import journal
from config.nodes.journal import Context
from config.prepared import Prepared
from pos.store.store import Store

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from forecasting.series.panel import Ahead

MOST_AHEAD = 366
_DAY = dt.timedelta(days=1)


class ClosedDay(Base):
    """One business day on which a store does not open."""

    __tablename__ = "closed_day"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)


# --- verbs ---


def close(ctx: Context, store_id: str, first: dt.date, last: dt.date) -> list[dt.date]:
    """Settle that a store stays closed from a day until another, both included (rule 1); returns the days that are new.

    Told to nobody: `storefront.storefront.close_days` is the verb that also tells the network.
    """
    today = today_of(ctx.session, store_id, ctx.at)
    if last < first:
        raise Invalid("closed-backwards", "The last closed day is before the first.", field="last_day")
    if first < today:
        raise Invalid("closed-past", "Closed days can't be in the past. Choose today or later.", field="first_day")
    if last > today + dt.timedelta(days=MOST_AHEAD):
        raise Invalid(
            "closed-too-far", "Closed days can be set up to %(most)s days ahead.", field="last_day", most=MOST_AHEAD
        )
    fresh = sorted(_each(first, last) - between(ctx.session, store_id, first, last))
    if fresh:
        ctx.session.add_all([ClosedDay(store_id=store_id, day=day) for day in fresh])
        _note(ctx, "closed_days.settled", store_id, first, last)
    return fresh


def reopen(ctx: Context, store_id: str, first: dt.date, last: dt.date) -> list[dt.date]:
    """Take closed days back, from today on (rule 1); returns those that are open again."""
    first = max(first, today_of(ctx.session, store_id, ctx.at))
    found = sorted(between(ctx.session, store_id, first, last))
    if found:
        here = (ClosedDay.store_id == store_id, ClosedDay.day.between(first, last))
        ctx.session.execute(sa.delete(ClosedDay).where(*here))
        _note(ctx, "closed_days.taken_back", store_id, found[0], found[-1])
    return found


def require_no_node(session: Session, store_id: str) -> None:
    """Refuse the operator the days of a store that settles them itself (rule 4)."""
    if session.get_one(Store, store_id).has_node:
        raise Refused("store-settles-days", "This store sets its closed days on its own computer.")


def take_reported(session: Session, store_id: str, since: dt.date, days: Iterable[dt.date]) -> None:
    """Take over what a store told of its days from `since` on (rule 4)."""
    session.execute(sa.delete(ClosedDay).where(ClosedDay.store_id == store_id, ClosedDay.day >= since))
    session.add_all([ClosedDay(store_id=store_id, day=day) for day in sorted(set(days)) if day >= since])
    session.flush()


# --- questions ---


def since(session: Session, store_id: str, first: dt.date) -> frozenset[dt.date]:
    """Return a store's closed days from a day on."""
    return frozenset(day for (day,) in _SINCE.all(session, {"store": store_id, "first": first}))


def between(session: Session, store_id: str, first: dt.date, last: dt.date) -> frozenset[dt.date]:
    """Return a store's closed days between two days, both included."""
    query = sa.select(ClosedDay.day).where(ClosedDay.store_id == store_id, ClosedDay.day.between(first, last))
    return frozenset(session.scalars(query))


def shut(session: Session, store: Store, first: dt.date, last: dt.date) -> frozenset[dt.date]:
    """Return the days between two, both included, on which a store does not open: settled ones, and by its week."""
    week = store.week
    weekly = (day for day in _each(first, last) if not week.on(day)) if not all(week.days) else ()
    return between(session, store.id, first, last).union(weekly)


def shut_on(session: Session, store_ids: Collection[str], day: dt.date) -> frozenset[str]:
    """Return which of these stores do not open on a day."""
    stores = session.scalars(sa.select(Store).where(Store.id.in_(store_ids)))
    return frozenset(store.id for store in stores if shut(session, store, day, day))


def spells(days: Iterable[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """Return days as stretches of (first, last), in order."""
    rising = sorted(days)
    if not rising:
        return []
    gaps = [(before, after) for before, after in pairwise(rising) if after - before > _DAY]
    return list(
        zip([rising[0], *(after for _, after in gaps)], [*(before for before, _ in gaps), rising[-1]], strict=True)
    )


def reported(session: Session, store_id: str, ahead: "Ahead", first: dt.date, shape: tuple[int, int]) -> "Ahead":
    """Return what is known ahead with a store's closed days; shape: its products, and the days from `first` on."""
    import numpy as np

    days = shut(session, session.get_one(Store, store_id), first, first + dt.timedelta(days=shape[1] - 1))
    if not days:
        return ahead
    closed = np.zeros(shape, dtype=np.bool_)
    closed[:, [(day - first).days for day in days]] = True
    return replace(ahead, closed=closed)


def today_of(session: Session, store_id: str, at: dt.datetime) -> dt.date:
    """Return a store's business day."""
    store = session.get_one(Store, store_id)
    return business_day(at, store.tz, store.rollover_hour)


# --- inside ---

_closed = table_of(ClosedDay).c
_SINCE = Prepared(
    sa.select(_closed.day).where(_closed.store_id == sa.bindparam("store"), _closed.day >= sa.bindparam("first"))
)


def _each(first: dt.date, last: dt.date) -> frozenset[dt.date]:
    return frozenset(first + dt.timedelta(days=n) for n in range((last - first).days + 1))


def _note(ctx: Context, verb: str, store_id: str, first: dt.date, last: dt.date) -> None:
    days = {"first_day": first.isoformat(), "last_day": last.isoformat()}
    journal.record(ctx, verb=verb, subject=f"store:{store_id}", **days)
