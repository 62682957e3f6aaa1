"""Sales, net sales, margin, units and baskets of a period, and what the same weekdays brought before.

Rules
-----
1. Sales are the totals of the completed receipts, tax and cash rounding included; a refund is subtracted.
2. Net sales are goods and services without tax. To the cent: sales = net sales + deposits and vouchers + tax +
   rounding.
3. Margin is net less cost over goods and services whose cost is known.
4. A piece is a unit, and so is a weighed item, whatever it weighs; a refund is subtracted.
5. A basket is a completed sale or exchange. A refund is none, nor is a basket that was given up.
6. A period is compared with the same weekdays before: a whole number of weeks ago, never with days of its own. One that
   is still running is compared up to the same time of day. There is nothing to compare with before the first sale.
7. An hour is the hour on the store's own wall, a weekday the business day's.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.money import BASIS, divide_half_up
from pos.sold import Sale, SaleLine
from pos.store.store import Store

JOINED = sa.and_(SaleLine.store_id == Sale.store_id, SaleLine.sale_id == Sale.id)
OF_GOODS = SaleLine.kind.in_(("goods", "service"))
"""Lines that earn: no deposit, no voucher (rule 2)."""
BASKETS = sa.func.sum(sa.case((Sale.kind != "return", 1), else_=0))
NET = sa.func.sum(sa.case((OF_GOODS, SaleLine.net_minor), else_=0)).label("net")
"""Net sales (rule 2)."""
_COSTED = sa.and_(SaleLine.cost_minor.is_not(None), OF_GOODS)
MARGIN = (
    sa.func.sum(sa.case((_COSTED, SaleLine.net_minor), else_=0)).label("costed"),
    sa.func.sum(sa.case((_COSTED, SaleLine.cost_minor), else_=0)).label("cost"),
)
"""Net and cost of what has a cost (rule 3)."""
_UNITS = sa.case((SaleLine.stock_unit == "each", SaleLine.qty), (SaleLine.qty < 0, -1), else_=1)
WEEKDAY = (sa.extract("dow", Sale.business_day) + 6) % 7
"""A sale's weekday: Monday is 0."""
EARLIER = {"week": (7,), "month": (28, 35), "year": (364, 371)}
"""With what a period is compared -> how many days ago that may be: the first that is no shorter than it (rule 6)."""


@dataclass(frozen=True)
class Figures:
    """What a period brought. other_minor: deposits and vouchers; costed_minor: net sales with a known cost."""

    sales_minor: int = 0
    net_minor: int = 0
    other_minor: int = 0
    tax_minor: int = 0
    rounding_minor: int = 0
    costed_minor: int = 0
    cost_minor: int = 0
    units: int = 0
    baskets: int = 0

    @property
    def margin_minor(self) -> int:
        """What stays of the net sales with a known cost (rule 3)."""
        return self.costed_minor - self.cost_minor

    @property
    def margin_bp(self) -> int | None:
        """The margin's share of those net sales."""
        return share_bp(self.margin_minor, self.costed_minor)

    @property
    def basket_minor(self) -> int:
        """Sales per basket."""
        return divide_half_up(self.sales_minor, self.baskets) if self.baskets else 0


@dataclass(frozen=True)
class Before:
    """A period's days as they were before. days: how long ago; by_day: of those days, by the day they stand beside."""

    days: int
    figures: Figures
    by_day: Mapping[dt.date, Figures]


@dataclass(frozen=True)
class Overview:
    """A period's figures, by day and in all, and those before it by the names of EARLIER."""

    figures: Figures
    by_day: Mapping[dt.date, Figures]
    before: Mapping[str, Before]


def overview(session: Session, store: Store, first_day: dt.date, last_day: dt.date, *, at: dt.datetime) -> Overview:
    """Return a period's figures up to an instant, beside those of the same weekdays before (rule 6)."""
    cut = business_day(at, store.tz, store.rollover_hour)
    last_day = min(last_day, max(cut, first_day))
    by_day = daily(session, store, first_day, last_day, until=at if last_day == cut else None)
    began = session.scalar(sa.select(sa.func.min(Sale.business_day)).where(Sale.store_id == store.id))
    before = {}
    for name, choices in EARLIER.items():
        days = next((some for some in choices if some > (last_day - first_day).days), None)
        if days is None or began is None or first_day - dt.timedelta(days=days) < began:
            continue
        ago = dt.timedelta(days=days)
        until = as_long_ago(store, at, ago) if last_day == cut else None
        then = daily(session, store, first_day - ago, last_day - ago, until=until)
        before[name] = Before(days, added(then.values()), {day + ago: one for day, one in then.items()})
    return Overview(added(by_day.values()), by_day, before)


def daily(
    session: Session, store: Store, first_day: dt.date, last_day: dt.date, *, until: dt.datetime | None = None
) -> dict[dt.date, Figures]:
    """Return the figures of each day that has any, in order. until: sales completed later don't count."""
    period = of_period(store.id, first_day, last_day)
    lines_of_period = of_lines(store.id, first_day, last_day)
    if until is not None:
        period = (*period, sa.or_(Sale.business_day < last_day, Sale.completed_at <= until))
        by_now = sa.select(Sale.id).where(*of_period(store.id, last_day, last_day), Sale.completed_at <= until)
        lines_of_period = (*lines_of_period, sa.or_(SaleLine.business_day < last_day, SaleLine.sale_id.in_(by_now)))
    sums = (BASKETS, *map(sa.func.sum, (Sale.total_minor, Sale.tax_minor, Sale.rounding_minor)))
    heads = session.execute(sa.select(Sale.business_day, *sums).where(*period).group_by(Sale.business_day)).all()
    columns = (
        NET, sa.func.sum(sa.case((OF_GOODS, _UNITS), else_=0)),
        sa.func.sum(sa.case((OF_GOODS, 0), else_=SaleLine.net_minor)), *MARGIN,
    )  # fmt: skip
    query = sa.select(SaleLine.business_day, *columns).where(*lines_of_period).group_by(SaleLine.business_day)
    lines = {day: tuple(map(int, sums)) for day, *sums in session.execute(query)}
    found = {}
    for day, baskets, *of_heads in sorted(heads):
        sales, tax, rounding = map(int, of_heads)
        net, units, other, costed, cost = lines.get(day, (0,) * 5)
        found[day] = Figures(sales, net, other, tax, rounding, costed, cost, units, int(baskets))
    return found


def added(some: Iterable[Figures]) -> Figures:
    """Return the sum of figures."""
    columns = list(zip(*(vars(one).values() for one in some), strict=True))
    return Figures(*map(sum, columns)) if columns else Figures()


def hours(session: Session, store: Store, first_day: dt.date, last_day: dt.date) -> dict[tuple[int, int], Figures]:
    """Return sales and baskets of each weekday (Monday is 0) and hour that has any (rule 7)."""
    keys = WEEKDAY, wall_hour(store, first_day, last_day)
    query = sa.select(*keys, sa.func.sum(Sale.total_minor), BASKETS).group_by(*keys)
    rows = session.execute(query.where(*of_period(store.id, first_day, last_day)))
    return {
        (int(weekday), int(hour)): Figures(sales_minor=int(minor), baskets=int(baskets))
        for weekday, hour, minor, baskets in rows
    }


def wall_hour(store: Store, first_day: dt.date, last_day: dt.date) -> sa.ColumnElement[int]:
    """Return the hour on the wall at which a sale of these days was completed (rule 7)."""
    zone, epoch = ZoneInfo(store.tz), sa.cast(sa.extract("epoch", Sale.completed_at), sa.BigInteger)
    at = dt.datetime.combine(first_day - dt.timedelta(days=1), dt.time(), dt.UTC)
    spells: list[tuple[int, int]] = []  # until when the wall is so many seconds ahead of UTC
    while at.date() <= last_day + dt.timedelta(days=2):
        ahead = int((at.astimezone(zone).utcoffset() or dt.timedelta()).total_seconds())
        at += dt.timedelta(hours=1)
        if spells and spells[-1][1] == ahead:
            spells.pop()
        spells.append((int(at.timestamp()), ahead))
    *changing, (_end, ahead) = spells
    offset = sa.case(*((epoch < until, some) for until, some in changing), else_=ahead) if changing else ahead
    return (epoch + offset) // 3600 % 24


def of_period(store_id: str, first_day: dt.date, last_day: dt.date) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what a completed sale of these days is, both included."""
    return Sale.store_id == store_id, Sale.state == "completed", Sale.business_day.between(first_day, last_day)


def of_lines(store_id: str, first_day: dt.date, last_day: dt.date) -> tuple[sa.ColumnElement[bool], ...]:
    """Return what a line of these days is, both included: found without its sale."""
    return SaleLine.store_id == store_id, SaleLine.business_day.between(first_day, last_day)


def share_bp(part: int, whole: int) -> int | None:
    """Return a part in basis points; None of nothing."""
    return divide_half_up(part * BASIS, whole) if whole > 0 else None


def change_bp(now: int, before: int) -> int | None:
    """Return by how much a figure is above the one before; None: nothing to compare with."""
    return share_bp(now - before, before)


def as_long_ago(store: Store, at: dt.datetime, ago: dt.timedelta) -> dt.datetime:
    """Return the same time on the wall so many days ago."""
    zone = ZoneInfo(store.tz)
    return (at.astimezone(zone).replace(tzinfo=None) - ago).replace(tzinfo=zone)
