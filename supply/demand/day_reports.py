"""What only a store knows of its day: how its shelves stood, what it wrote off, how good its forecast was.

Rules
-----
1. A store works it out for each day that is over and sends it; the network does so for stores without a node. A
   write-off of the LATE_DAYS before that was undone or came late is sent again; the newest word about a day stands.
2. Shelves: the listed products the store keeps stock of and orders, how many of them were sold out at closing time, and
   the shares of the day's trade that met their empty shelves (`history`, rule 5), summed. Nothing on a day it was
   closed.
3. Waste: what was written off that day and stands (`pos.stock.waste`), at cost and at shelf price; where one of them is
   not known, that one counts as nothing.
4. Forecast: of each product of the newest run made before the day its mean, what sold (a day of returns is a zero) and
   the difference of both, however it falls, each summed over the products. In thousandths of a unit: of a piece, a
   kilogram or a liter. What the run does not know is left out.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.nodes import door
from config.nodes.facts import STORE, Count, Day, Fact, Instant, applies
from config.nodes.journal import Context
from pos.catalogue.catalogue import Listing, Product
from pos.stock.ledger import INSIDE, StockLevel
from pos.stock.waste import STANDS, Waste
from pos.store.store import send_fact
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.demand.history import DailyDemand, StoreDay

LATE_DAYS = 7
SHARE = 10_000


class DayReported(Fact, topic="day.reported", said_by=STORE):
    """How a store's day was."""

    store_id: str
    business_day: Day
    listed: Count
    empty: Count
    empty_bp: Count
    waste_cost_minor: Count
    waste_value_minor: Count
    forecast_milli: Count
    sold_milli: Count
    missed_milli: Count
    reported_at: Instant


class DayReport(Base):
    """A store's day as it was last reported. empty: sold out at closing time, of listed products (rules 2 to 4)."""

    __tablename__ = "day_report"
    __table_args__ = (sa.Index("ix_day_report_day", "business_day", "store_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    business_day: Mapped[dt.date] = mapped_column(primary_key=True)
    listed: Mapped[int]
    empty: Mapped[int]
    empty_bp: Mapped[int]
    """Summed over the products: SHARE each that was sold out all day."""
    waste_cost_minor: Mapped[int]
    waste_value_minor: Mapped[int]
    forecast_milli: Mapped[int]
    sold_milli: Mapped[int]
    missed_milli: Mapped[int]
    reported_at: Mapped[dt.datetime]


SUMS = (
    "listed", "empty", "empty_bp", "waste_cost_minor", "waste_value_minor", "forecast_milli", "sold_milli",
    "missed_milli",
)  # fmt: skip


# --- verbs ---


def report(ctx: Context, store_id: str, day: dt.date, *, sends: bool) -> int:
    """Keep how a store's day was, and send it where it has a node (rule 1); returns how many days changed."""
    before = {
        row.business_day: row
        for row in ctx.session.scalars(
            sa.select(DayReport).where(
                DayReport.store_id == store_id,
                DayReport.business_day.between(day - dt.timedelta(days=LATE_DAYS), day),
            )
        )
    }
    changed = 0
    for each in sorted({*before, day}):
        known = before.get(each)
        found = _waste(ctx.session, store_id, each)
        if known is None:
            found |= _shelves(ctx.session, store_id, each) | _forecast(ctx.session, store_id, each)
        if not any(found.values()) if known is None else all(getattr(known, name) == found[name] for name in found):
            continue
        values = found if known is None else {name: getattr(known, name) for name in SUMS} | found
        row = ctx.session.merge(DayReport(store_id=store_id, business_day=each, reported_at=ctx.at, **values))
        if sends:
            send_fact(ctx.session, DayReported.of_row(row), subject=f"store:{store_id}", at=ctx.at)
        changed += 1
    ctx.session.flush()
    return changed


@applies(DayReported)
def hear(ctx: Context, fact: DayReported) -> None:
    """Keep how a store says its day was; an older word that arrives late changes nothing."""
    door.number(fact.empty, "empty", most=fact.listed)
    door.number(fact.empty_bp, "empty_bp", most=fact.empty * SHARE)
    door.number(fact.missed_milli, "missed_milli", most=fact.forecast_milli + fact.sold_milli)
    door.moment(fact.reported_at, "reported_at", ctx.at)
    known = ctx.session.get(DayReport, (fact.store_id, fact.business_day))
    if known is None or known.reported_at <= fact.reported_at:
        ctx.session.merge(DayReport(**vars(fact)))
        ctx.session.flush()


# --- inside ---


def _shelves(session: Session, store_id: str, day: dt.date) -> dict[str, int]:
    """Return how the shelves stood (rule 2)."""
    opened = session.get(StoreDay, (store_id, day))
    if opened is None or not opened.open or opened.imported:
        return dict.fromkeys(("listed", "empty", "empty_bp"), 0)
    stocked = (
        sa.select(Listing.sku)
        .join(StockLevel, sa.and_(StockLevel.store_id == Listing.store_id, StockLevel.sku == Listing.sku))
        .where(
            Listing.store_id == store_id,
            Listing.active,
            Listing.ordered,
            StockLevel.place.in_([str(place) for place in INSIDE]),
        )
        .distinct()
    )
    row = DailyDemand
    empty, share = session.execute(
        sa.select(sa.func.count(), sa.func.sum(row.out_of_stock_bp)).where(
            row.store_id == store_id, row.business_day == day, row.out_of_stock_bp > 0, row.sku.in_(stocked)
        )
    ).one()
    listed = session.scalar(sa.select(sa.func.count()).select_from(stocked.subquery())) or 0
    return {"listed": listed, "empty": int(empty), "empty_bp": int(share or 0)}


def _waste(session: Session, store_id: str, day: dt.date) -> dict[str, int]:
    """Return what was written off (rule 3)."""
    sums = (sa.func.coalesce(sa.func.sum(value), 0) for value in (Waste.cost_minor, Waste.value_minor))
    query = sa.select(*sums).where(Waste.store_id == store_id, Waste.business_day == day, STANDS)
    return dict(zip(("waste_cost_minor", "waste_value_minor"), map(int, session.execute(query).one()), strict=True))


def _forecast(session: Session, store_id: str, day: dt.date) -> dict[str, int]:
    """Return what was expected of the day, what sold, and by how much they differ (rule 4)."""
    names, run, row = ("forecast_milli", "sold_milli", "missed_milli"), ForecastRun, ForecastQuantile
    opened = session.get(StoreDay, (store_id, day))
    newest = session.scalar(
        sa.select(run.id)
        .where(run.scope_kind == "store", run.scope_id == store_id, run.origin_day < day)
        .where(run.state.in_(("published", "superseded")))
        .order_by(run.origin_day.desc(), run.started_at.desc())
        .limit(1)
    )
    if newest is None or opened is None or not opened.open or opened.imported:
        return dict.fromkeys(names, 0)
    sold = (DailyDemand.store_id == store_id) & (DailyDemand.business_day == day) & (DailyDemand.sku == row.sku)
    query = (
        sa.select(Product.stock_unit, row.mean, sa.func.coalesce(DailyDemand.sold_qty, 0))
        .join(Product, Product.sku == row.sku)
        .outerjoin(DailyDemand, sold)
        .where(row.run_id == newest, row.first_day == day, row.last_day == day)
    )
    sums = [0, 0, 0]
    for unit, mean, qty in session.execute(query):
        size = 1000 if unit == "each" else 1
        expected, came = round(mean * size), max(0, qty) * size
        for n, value in enumerate((expected, came, abs(expected - came))):
            sums[n] += value
    return dict(zip(names, sums, strict=True))
