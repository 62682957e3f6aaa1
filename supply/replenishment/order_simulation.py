"""The coming weeks of a store, as its own forecast lets expect them: what more or less service would cost, and bring.

Rules
-----
1. FUTURES futures of the next DAYS days are drawn for each product the store expects to sell
   (`forecasting.uncertainty.paths`), and its orders played on them at LEVELS_BP and at the store's present service
   (`scenarios`), within the suppliers' minimums and the week's money. Without a forecast of last night there is nothing
   to look at.
2. What is told is the mean over the futures, and between which figures eight of ten lie. What all products meet at
   once, as far as the store's past shows it, is met together on each future.
3. Stock and waste count at cost, lost sales at the price without tax. What a level brings is the margin of what is
   sold, less waste at cost and less keeping, as `policy` weighs them.
4. The best level is the leanest than which none surely brings more (in nine of ten futures), if it surely brings more
   than the present one; else the present one is.
5. The products named are those on which the present level loses most: sales and waste together.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from pos.stock import batches
from supply.demand import expected, forecasts
from supply.orders.delivery_calendar import next_cycle
from supply.replenishment import budget
from supply.replenishment.look import Candidate, Situation, look

DAYS = 28
FARTHEST_DAYS = 90
"""No forecast is told farther, however seldom a supplier comes."""


class WeeksAhead(Base):
    """A store's newest look ahead. body: JSON as `scenarios.compute` returns it."""

    __tablename__ = "weeks_ahead"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    first_day: Mapped[dt.date]
    made_at: Mapped[dt.datetime]
    body: Mapped[dict[str, Any]]


Days = tuple[int, int, int]
"""Of an order, counted from today: placed, brought, and the one after it brought."""


@dataclass(frozen=True)
class Loaded:
    """What a look ahead needs, read in one look; picklable, so that a child process can do it.

    rounds: of each supplier; lots: [(days left, units)] by SKU, the oldest first; lately: what fresh products sold a
    day. week: the week's money, what orders of each day cost of it already, and whom it pays; None: it does not limit.
    """

    forecast: forecasts.Loaded
    situation: Situation
    rounds: dict[str, list[Days]]
    lots: dict[str, list[tuple[int, float]]]
    lately: dict[str, float]
    week: tuple[int, dict[int, int], frozenset[str]] | None


def load(session: Session, store_id: str, *, country: str, at: dt.datetime) -> Loaded | None:
    """Read what is there, to come and expected; None without a forecast of last night, or with nobody to order of."""
    situation = look(session, store_id, at=at)
    basis, today = situation.basis, situation.basis.today
    yesterday = today - dt.timedelta(days=1)
    if basis.origin_day != yesterday or not any(one.terms for one in situation.candidates):
        return None
    rounds = {one.supplier_id: _rounds(one, today) for one in situation.candidates}
    horizon = max([DAYS, *(some[-1][2] for some in rounds.values() if some)])
    return Loaded(
        forecasts.load_store(session, store_id, yesterday, country=country, horizon_days=horizon, again=True),
        situation, rounds, batches.dated(session, store_id, today, today + dt.timedelta(days=DAYS)),
        expected.lately(session, store_id, basis), _week(session, store_id, situation),
    )  # fmt: skip


def keep(session: Session, store_id: str, body: dict[str, Any], *, at: dt.datetime) -> None:
    """Keep a store's newest look ahead."""
    day = dt.date.fromisoformat(body["first_day"])
    session.merge(WeeksAhead(store_id=store_id, first_day=day, made_at=at, body=body))
    session.flush()


def newest(session: Session, store_id: str) -> WeeksAhead | None:
    """Return a store's look ahead; None where none was made yet."""
    return session.get(WeeksAhead, store_id)


# --- inside ---


def _rounds(one: Candidate, today: dt.date) -> list[Days]:
    """Return a supplier's orders of the days played."""
    found, day = list[Days](), one.days.order_day
    while (day - today).days < DAYS:
        cycle = next_cycle(one.calendar, day, one.lead.days)
        placed, comes, after = ((each - today).days for each in vars(cycle).values())
        if placed >= DAYS or after > FARTHEST_DAYS:
            break
        found.append((placed, comes, after))
        day = cycle.order_day + dt.timedelta(days=1)
    return found


def _week(session: Session, store_id: str, situation: Situation) -> tuple[int, dict[int, int], frozenset[str]] | None:
    """Return the week's money with what orders cost of it already; None where it does not limit."""
    week, today = budget.week_of(session, store_id), situation.basis.today
    paid = next((one.suppliers for one in situation.budgets if one.name == budget.WEEK), None)
    if week is None or paid is None:
        return None
    spent = budget.week_spent(session, store_id, today)
    return week.week_minor, {(day - today).days: minor for day, minor in spent.items()}, paid
