"""A store's standing in the network: reviewed every week from measured conduct, with all its evidence.

Rules
-----
1. The network reviews a store when a week ends, and once as soon as it knows it, over the last DAYS days. What it
   counts is kept as evidence and travels with the review, so that anybody can count again (rules 6 to 8).
2. How fresh the counts are only the store knows: it tells every night how many of the products it sold in SOLD_DAYS
   days it counted in COUNTED_DAYS; what it sold before it sold here it had not to count. Everything else the network
   has itself. What is no count is not taken in.
3. A level raises the credit limit and the days free of interest by what the terms say. Nothing else hangs on it.
4. An appeal is an objection about the standing (`objections`).
5. An order counts by the time it was promised for, unless it was called off before: one that was never ready is not
   ready in time.
6. Five measures, each so many good of so many: counts (products that sold lately and were counted lately), pickups
   (ready by the promised time), shelf (slots whose product sold), trouble (collected orders without complaint or
   return), repayment (of what fell due, paid in time).
7. A measure with fewer than LEAST cases is not known, and speaks neither for nor against.
8. A level is reached when every known measure reaches its threshold and at least KNOWN of them are known. The level is
   the highest one reached; 0 is where everybody begins. How much a store buys is no measure and never will be.

Units: *_bp basis points.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.ids import NETWORK
from config.nodes import door, journal
from config.nodes.facts import STORE, Count, Day, Fact, Whole, applies
from config.nodes.journal import Context
from pos.stock.ledger import MOST_QTY, StockCount
from pos.store.store import Store, day_of, send_fact
from supply.demand.history import DailyDemand
from supply.money.credit_limit import repaid_of
from supply.money.held_payments import Escrow
from supply.online.orders import PickupOrder
from supply.shelf.plan import ShelfPlan, ShelfSlot

DAYS, SOLD_DAYS, COUNTED_DAYS, SHELF_DAYS = 56, 28, 90, 7
ONE_DAY = dt.timedelta(days=1)


class StoreCounts(Fact, topic="standing.counts", said_by=STORE):
    """How many of the products it sold a store counted lately."""

    store_id: str
    day: Day
    sold_products: Annotated[int, Field(strict=True, ge=0, le=MOST_QTY)]
    counted_products: Count


class LevelReported(Fact, topic="standing.reported", said_by=NETWORK):
    """The review of a store, with its evidence."""

    store_id: str
    day: Day
    level: Whole
    level_before: Whole
    measures: dict[str, Any]
    evidence: dict[str, Any]


class CountsReported(Base):
    """What a store last told of its counts (rule 2)."""

    __tablename__ = "counts_reported"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date]
    sold_products: Mapped[int]
    counted_products: Mapped[int]


class LevelReview(Base):
    """A store's last review. measures: name -> [good, cases]; evidence: what was counted, case by case."""

    __tablename__ = "level_review"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date]
    level: Mapped[int]
    level_before: Mapped[int]
    measures: Mapped[dict[str, Any]]
    evidence: Mapped[dict[str, Any]]


MEASURES = ("counts", "pickups", "shelf", "trouble", "repayment")
LEAST = {"counts": 10, "pickups": 5, "shelf": 4, "trouble": 5, "repayment": 1}
LEVELS: tuple[dict[str, int], ...] = (
    {"counts": 4_000, "pickups": 8_000, "shelf": 6_000, "trouble": 9_000, "repayment": 8_000},
    {"counts": 6_000, "pickups": 9_000, "shelf": 7_500, "trouble": 9_500, "repayment": 9_000},
    {"counts": 8_000, "pickups": 9_700, "shelf": 9_000, "trouble": 9_800, "repayment": 9_800},
)
"""Levels 1 to 3: measure -> least value."""
KNOWN = (2, 3, 4)


@dataclass(frozen=True)
class Measure:
    """One measure: good of all cases; value_bp None while too few are known (rule 7)."""

    name: str
    good: int
    cases: int

    @property
    def value_bp(self) -> int | None:
        """The share of good cases, rounded down."""
        return self.good * 10_000 // self.cases if self.cases >= LEAST[self.name] else None


# --- verbs, store ---


def counts(session: Session, store_id: str, day: dt.date, *, at: dt.datetime) -> tuple[int, int]:
    """Return how many products a store (counted, sold) lately (rule 2)."""
    sold = set(
        session.scalars(
            sa.select(DailyDemand.sku)
            .where(
                DailyDemand.store_id == store_id, DailyDemand.sold_qty > 0, sa.not_(DailyDemand.imported),
                DailyDemand.business_day > day - dt.timedelta(days=SOLD_DAYS),
            )
            .distinct()
        )
    )  # fmt: skip
    since = at - dt.timedelta(days=COUNTED_DAYS)
    counted = set(
        session.scalars(sa.select(StockCount.sku).where(StockCount.store_id == store_id, StockCount.at >= since))
    )
    return len(sold & counted), len(sold)


def send_counts(session: Session, store_id: str, day: dt.date, counted: int, sold: int, *, at: dt.datetime) -> None:
    """Tell the network how fresh the counts are."""
    send_fact(session, StoreCounts(store_id, day, sold, counted), subject=f"standing:{store_id}", at=at)


@applies(LevelReported)
def take_review(ctx: Context, fact: LevelReported) -> None:
    """Keep the network's review; an older one that arrives late changes nothing."""
    known = ctx.session.get(LevelReview, fact.store_id)
    if known is None or known.day <= fact.day:
        ctx.session.merge(LevelReview(**vars(fact)))
        ctx.session.flush()


# --- verbs, network ---


@applies(StoreCounts)
def take_counts(ctx: Context, fact: StoreCounts) -> None:
    """Keep what a store told of its counts (rule 2); an older word that arrives late changes nothing.

    A day that has not come yet, of a clock that is ahead, is today: the next word stands in its place.
    """
    store_id, sold = fact.store_id, fact.sold_products
    counted = door.number(fact.counted_products, "counted_products", most=sold)
    today, known = day_of(ctx.session, store_id, ctx.at), ctx.session.get(CountsReported, store_id)
    day = min(fact.day, today)
    if known is None or known.day <= day or known.day > today:
        ctx.session.merge(CountsReported(store_id=store_id, day=day, sold_products=sold, counted_products=counted))
        ctx.session.flush()


def review(ctx: Context, store: Store, day: dt.date) -> LevelReview | None:
    """Review a store if a week ends or it never was (rule 1), and tell it; None when it is not time."""
    known = ctx.session.get(LevelReview, store.id)
    if known is not None and (day.weekday() != 6 or known.day >= day):
        return None
    evidence = gather(ctx.session, store.id, day)
    measures = count(evidence)
    level = level_of(measures)
    row = LevelReview(
        store_id=store.id, day=day, level=level, level_before=known.level if known else 0,
        measures={name: [one.good, one.cases] for name, one in measures.items()}, evidence=evidence,
    )  # fmt: skip
    row = ctx.session.merge(row)
    ctx.session.flush()
    journal.record(
        ctx, verb="standing.reviewed", subject=f"standing:{store.id}", level=level,
        before=row.level_before, day=day)  # fmt: skip
    send_fact(ctx.session, LevelReported.of_row(row), subject=f"standing:{store.id}", at=ctx.at)
    return row


def gather(session: Session, store_id: str, day: dt.date) -> dict[str, Any]:
    """Return everything a review of these DAYS days counts, case by case, as plain JSON values (rule 1)."""
    since = dt.datetime.combine(day - dt.timedelta(days=DAYS - 1), dt.time(), dt.UTC)
    reported = session.get(CountsReported, store_id)
    due_minor, on_time_minor = repaid_of(session, store_id, day)
    return {
        "day": day.isoformat(),
        "counts": {
            "day": reported.day.isoformat() if reported else None,
            "sold_products": reported.sold_products if reported else 0,
            "counted_products": reported.counted_products if reported else 0,
        },
        "pickups": _pickups(session, store_id, since, dt.datetime.combine(day + ONE_DAY, dt.time(), dt.UTC)),
        "collected": _collected(session, store_id, since),
        "shelf": _shelf(session, store_id, day),
        "repayment": {"due_minor": due_minor, "on_time_minor": on_time_minor},
    }


# --- questions ---


def count(evidence: dict[str, Any]) -> dict[str, Measure]:
    """Return the measures that evidence comes to."""
    good = {
        "counts": evidence["counts"]["counted_products"],
        "pickups": sum(1 for _, by, ready in evidence["pickups"] if ready is not None and ready <= by),
        "shelf": sum(1 for _, sold in evidence["shelf"] if sold > 0),
        "trouble": sum(1 for _, trouble in evidence["collected"] if not trouble),
        "repayment": evidence["repayment"]["on_time_minor"],
    }
    cases = {
        "counts": evidence["counts"]["sold_products"],
        "pickups": len(evidence["pickups"]),
        "shelf": len(evidence["shelf"]),
        "trouble": len(evidence["collected"]),
        "repayment": evidence["repayment"]["due_minor"],
    }
    return {name: Measure(name, good[name], cases[name]) for name in MEASURES}


def measures_of(row: LevelReview) -> dict[str, Measure]:
    """Return the measures of a review."""
    return {name: Measure(name, *row.measures[name]) for name in MEASURES}


def level_now(session: Session, store_id: str) -> int:
    """Return a store's level; 0 before its first review."""
    return session.scalar(sa.select(LevelReview.level).where(LevelReview.store_id == store_id)) or 0


def level_of(measures: dict[str, Measure]) -> int:
    """Return the level a store's measures reach (rule 8)."""
    values = {name: one.value_bp for name, one in measures.items()}
    known = {name: value for name, value in values.items() if value is not None}
    reached = 0
    for n, thresholds in enumerate(LEVELS):
        if len(known) >= KNOWN[n] and all(value >= thresholds[name] for name, value in known.items()):
            reached = n + 1
    return reached


# --- inside ---


def _pickups(session: Session, store_id: str, since: dt.datetime, until: dt.datetime) -> list[list[str | None]]:
    """Return (order no., promised, ready) of the orders that were promised for a time of these days (rule 5)."""
    rows = session.execute(
        sa.select(PickupOrder.order_no, PickupOrder.ready_by, PickupOrder.ready_at, PickupOrder.state,
                  PickupOrder.moved_at, PickupOrder.cancel_asked_at)
        .where(PickupOrder.store_id == store_id, PickupOrder.ready_by >= since, PickupOrder.ready_by < until)
        .order_by(PickupOrder.order_no)
    )  # fmt: skip
    return [
        [number, by.isoformat(), ready.isoformat() if ready else None]
        for number, by, ready, state, moved_at, asked_at in rows
        if by is not None and not (state == "cancelled" and not ready and min(moved_at, asked_at or moved_at) <= by)
    ]


def _collected(session: Session, store_id: str, since: dt.datetime) -> list[list[str]]:
    """Return (order no., what was wrong) of the orders collected since then; '' where nothing was."""
    rows = session.execute(
        sa.select(PickupOrder.order_no, PickupOrder.return_asked_at, PickupOrder.state, Escrow.disputed_why)
        .outerjoin(Escrow, Escrow.id == PickupOrder.id)
        .where(PickupOrder.store_id == store_id, PickupOrder.collected_at >= since)
        .order_by(PickupOrder.order_no)
    )
    return [
        [number, "dispute" if why else "return" if asked or state in ("return_asked", "returned") else ""]
        for number, asked, state, why in rows
    ]


def _shelf(session: Session, store_id: str, day: dt.date) -> list[list[Any]]:
    """Return (sku, units sold in SHELF_DAYS days) of each slot of the live shelf."""
    sold = (
        sa.select(DailyDemand.sku, sa.func.sum(DailyDemand.sold_qty).label("qty"))
        .where(
            DailyDemand.store_id == store_id, DailyDemand.business_day > day - dt.timedelta(days=SHELF_DAYS),
            DailyDemand.business_day <= day,
        )
        .group_by(DailyDemand.sku)
        .subquery()
    )  # fmt: skip
    rows = session.execute(
        sa.select(ShelfSlot.sku, sa.func.coalesce(sold.c.qty, 0))
        .join(ShelfPlan, sa.and_(ShelfPlan.store_id == ShelfSlot.store_id, ShelfPlan.id == ShelfSlot.plan_id))
        .outerjoin(sold, sold.c.sku == ShelfSlot.sku)
        .where(ShelfSlot.store_id == store_id, ShelfPlan.state == "live")
        .order_by(ShelfSlot.sku)
    )
    return [[sku, int(qty)] for sku, qty in rows]
