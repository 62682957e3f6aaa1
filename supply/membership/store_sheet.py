"""How one shop is, as the operator sees it: its takings beside its region's, its shelves, what is open with it.

Rules
-----
1. Takings are those of the last SHOWN_DAYS whole days (`history.whole_day`, as in the list of stores). Beside each
   stands what the region's other shops took that day, shared out over those that were open: what a shop like this took.
2. Of what a shop sells, a product runs out when what it has and awaits is sold within LACK_DAYS (`outlook`).
3. What needs somebody is what `attention` says of this shop, in the words of the operator's first page.

Read-only, and of this shop alone or of daily sums, so that a look is as cheap in a large network as in a small one.
Units: *_minor minor units; quantities in stock units.
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.store.store import Store
from supply.demand import history
from supply.demand.history import StoreDay
from supply.membership.overview import SHOWN_DAYS, counted
from supply.online.orders import OPEN, PickupOrder
from supply.orders.orders import ReplenishmentOrder
from supply.replenishment import stockouts
from supply.replenishment.stockouts import Lack

LACK_DAYS = 3
UNDER_WAY = ("sent", "acknowledged", "dispatched", "part_received")
LISTED = 6


@dataclass(frozen=True)
class Day:
    """A day's takings, and what a usual shop of the region took; None where nothing is known."""

    day: dt.date
    own_minor: int | None
    usual_minor: int | None


@dataclass(frozen=True)
class Takings:
    """The days with their sums: the last seven, the seven before, and how many sales the last seven were."""

    days: tuple[Day, ...]
    sales: int

    def week(self, ago: int = 0, *, usual: bool = False) -> int:
        """Return what seven days took; `ago` weeks before the last; of a usual shop if so wished."""
        last = len(self.days) - 7 * ago
        part = self.days[max(0, last - 7) : last]
        return sum((one.usual_minor if usual else one.own_minor) or 0 for one in part)

    @property
    def most_minor(self) -> int:
        """The highest figure of all days, at least 1."""
        return max([1, *(max(one.own_minor or 0, one.usual_minor or 0) for one in self.days)])


@dataclass(frozen=True)
class Shelves:
    """How many products sell here, how many of them are sold out or run out soon, and which go first."""

    selling: int
    gone: int
    short: int
    first: tuple[Lack, ...]


# --- questions ---


def takings(session: Session, store: Store, today: dt.date) -> Takings:
    """Return a shop's takings beside its region's (rule 1); no days while nothing of it has arrived."""
    newest = history.whole_day(session, today)
    of_this = sa.select(StoreDay.store_id).where(StoreDay.store_id == store.id, StoreDay.business_day < today)
    if newest is None or session.scalar(of_this.limit(1)) is None:
        return Takings((), 0)
    first = newest - dt.timedelta(days=SHOWN_DAYS - 1)
    within = StoreDay.business_day.between(first, newest)
    own = {
        day: (int(minor), int(sales or 0))
        for day, minor, sales in session.execute(
            sa.select(StoreDay.business_day, StoreDay.revenue_minor, counted()).where(
                StoreDay.store_id == store.id, within
            )
        )
    }
    others = session.execute(
        sa.select(StoreDay.business_day, sa.func.sum(StoreDay.revenue_minor), sa.func.count())
        .join(Store, Store.id == StoreDay.store_id)
        .where(Store.region_id == store.region_id, Store.id != store.id, StoreDay.open, within)
        .group_by(StoreDay.business_day)
    )
    usual = {day: int(minor or 0) // shops for day, minor, shops in others}
    axis = [first + dt.timedelta(days=n) for n in range(SHOWN_DAYS)]
    days = tuple(Day(day, own[day][0] if day in own else None, usual.get(day)) for day in axis)
    return Takings(days, sum(own[day][1] for day in axis[-7:] if day in own))


def shelves(session: Session, store_id: str, today: dt.date) -> Shelves:
    """Return how a shop's shelves stand (rule 2)."""
    selling, lacks = stockouts.lacks(session, store_id, days=LACK_DAYS, today=today)
    gone = sum(one.have_qty <= 0 for one in lacks)
    return Shelves(selling, gone, len(lacks) - gone, tuple(lacks[:LISTED]))


def orders(session: Session, store_id: str) -> list[ReplenishmentOrder]:
    """Return a shop's orders that are under way, what comes first first."""
    row = ReplenishmentOrder
    query = sa.select(row).where(row.store_id == store_id, row.state.in_(UNDER_WAY))
    return list(session.scalars(query.order_by(row.delivery_day, row.order_no)))


def online_orders(session: Session, store_id: str) -> int:
    """Return how many of its customers' online orders are open."""
    query = sa.select(sa.func.count()).where(PickupOrder.store_id == store_id, PickupOrder.state.in_(OPEN))
    return int(session.scalar(query) or 0)
