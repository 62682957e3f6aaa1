"""Check these: the few products a day whose record is most likely wrong, each with the reason to look.

Rules
-----
1. A line is one product and the strongest reason to look at it: its record is below zero; a count is asked for; its
   date is over or ends today; it sells often, but not for unusually long while the records say there is some (it may
   not be there); much of it was lost lately; it was never counted and is worth much.
2. The list is short: at most MOST_LINES, and no reason fills it alone while others have something to say.
3. The order is the same for the same books: by reason, then by what it is worth, then by name and SKU.
4. A count answers a line: what was counted today is not asked again.

A quiet spell is unusual when a product that sold at its own pace before would stay unsold that long once in fifty
times (Poisson, on the sales of the last LOOK_BACK_DAYS), or when the forecast, which knows the whole history, gives so
long a silence less than one chance in a thousand.

Units: quantities in stock units, money in minor units.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.catalogue.catalogue import Listing, Product
from pos.sold import OF_PRODUCT, Sale, SaleLine
from pos.stock import batches, waste
from pos.stock.ledger import INSIDE, CountTask, Place, StockCount, StockLevel, StockMovement
from pos.stock.waste import STANDS, Waste

MOST_LINES = 12
LOOK_BACK_DAYS = 28
SHRINK_DAYS = 90
RARE = 0.02
"""A quiet spell that comes less often than this is worth a look."""
FEWEST_SALES = 5
COUNTED_DAYS = 14
"""Lost goods and goods never counted are not asked again so soon after a count."""
MOST_NEW = 200
"""Never counted products that are weighed against each other."""
KINDS = ("below-zero", "count-asked", "expired", "not-selling", "lost", "never-counted")
"""The reasons, the strongest first."""
SHARE = {"below-zero": 5, "count-asked": 5, "expired": 5, "not-selling": 4, "lost": 2, "never-counted": 2}
"""How many lines a reason may take while others wait."""


@dataclass(frozen=True)
class CheckLine:
    """A product to look at. worth_minor: what is at stake; the rest are the reason's facts, None where it has none.

    quiet_days: full days without a sale; per_day: sales a day before; lost_qty: units lost in SHRINK_DAYS.
    """

    kind: str
    sku: str
    name: str
    stock_unit: str
    on_hand: int
    worth_minor: int
    task_reason: str | None = None
    expires_on: dt.date | None = None
    expires_qty: int | None = None
    quiet_days: int | None = None
    per_day: float | None = None
    lost_qty: int | None = None


@dataclass(frozen=True)
class Pace:
    """How a product sold lately: how many sales, on how many days, and when last."""

    sales: int
    first_day: dt.date
    last_day: dt.date


# --- questions ---


def check_these(
    session: Session,
    store_id: str,
    *,
    day: dt.date,
    since: dt.datetime,
    silent: Mapping[str, tuple[int, float]] | None = None,
) -> list[CheckLine]:
    """Return today's lines, the most pressing first (rules 1 to 4). since: when the business day began.

    silent: products the forecast misses sales of, sku -> (days of silence, units a day): slow sellers whose pace the
    last LOOK_BACK_DAYS alone cannot tell.
    """
    on_hand = _on_hand(session, store_id)
    facts: dict[str, dict[str, CheckLine]] = {
        "below-zero": {sku: _line("below-zero", sku, qty) for sku, qty in on_hand.items() if qty < 0},
        "count-asked": _asked(session, store_id, on_hand),
        "expired": _expired(session, store_id, on_hand, day),
        "not-selling": _silent(silent or {}, on_hand) | _not_selling(session, store_id, on_hand, day),
        "lost": _lost(session, store_id, on_hand, day),
        "never-counted": _never_counted(session, store_id, on_hand),
    }
    last_counts = _last_counts(session, store_id)
    recent = since - dt.timedelta(days=COUNTED_DAYS)
    fresh = {sku for sku, at in last_counts.items() if at >= since}
    settled = {sku for sku, at in last_counts.items() if at >= recent}
    chosen: dict[str, CheckLine] = {}
    for kind in KINDS:
        skip = settled if kind in ("lost", "never-counted") else fresh
        for sku, line in facts[kind].items():
            if sku not in skip and sku not in chosen:
                chosen[sku] = line
    return _shortened(_reported(session, store_id, chosen.values(), day))


def quiet_days(pace: Pace, day: dt.date, window_days: int = LOOK_BACK_DAYS) -> int | None:
    """Return for how many full days a product has been unusually quiet; None: that is nothing unusual."""
    quiet = (day - pace.last_day).days - 1
    lived = max(1, min(window_days, (day - pace.first_day).days) - max(0, quiet))
    if pace.sales < FEWEST_SALES or quiet < 1:
        return None
    return quiet if math.exp(-pace.sales / lived * quiet) < RARE else None


# --- inside ---


def _line(kind: str, sku: str, on_hand: int, **facts: object) -> CheckLine:
    return CheckLine(kind, sku, "", "each", on_hand, 0, **facts)  # type: ignore[arg-type]


def _on_hand(session: Session, store_id: str) -> dict[str, int]:
    query = sa.select(StockLevel.sku, sa.func.sum(StockLevel.qty)).where(
        StockLevel.store_id == store_id, StockLevel.place.in_(INSIDE)
    )
    return {sku: int(qty) for sku, qty in session.execute(query.group_by(StockLevel.sku))}


def _asked(session: Session, store_id: str, on_hand: dict[str, int]) -> dict[str, CheckLine]:
    query = sa.select(CountTask.sku, CountTask.reason).where(
        CountTask.store_id == store_id, CountTask.done_at.is_(None)
    )
    return {
        sku: _line("count-asked", sku, on_hand.get(sku, 0), task_reason=reason)
        for sku, reason in session.execute(query.order_by(CountTask.opened_at, CountTask.sku))
    }


def _expired(session: Session, store_id: str, on_hand: dict[str, int], day: dt.date) -> dict[str, CheckLine]:
    lines: dict[str, CheckLine] = {}
    for row in batches.expiring(session, store_id, day=day, within_days=0):
        if row.sku not in lines:
            lines[row.sku] = _line(
                "expired", row.sku, on_hand.get(row.sku, 0), expires_on=row.expires_on, expires_qty=row.qty
            )
    return lines


def _silent(silent: Mapping[str, tuple[int, float]], on_hand: dict[str, int]) -> dict[str, CheckLine]:
    return {
        sku: _line("not-selling", sku, on_hand[sku], quiet_days=days, per_day=round(per_day, 3))
        for sku, (days, per_day) in sorted(silent.items())
        if on_hand.get(sku, 0) > 0
    }


def _not_selling(session: Session, store_id: str, on_hand: dict[str, int], day: dt.date) -> dict[str, CheckLine]:
    lines = {}
    for sku, pace in _paces(session, store_id, day).items():
        there = on_hand.get(sku, 0)
        quiet = quiet_days(pace, day) if there > 0 else None
        if quiet is not None:
            lived = max(1, (pace.last_day - pace.first_day).days + 1)
            lines[sku] = _line("not-selling", sku, there, quiet_days=quiet, per_day=round(pace.sales / lived, 3))
    return lines


def _paces(session: Session, store_id: str, day: dt.date) -> dict[str, Pace]:
    """Return how every product sold in the last days: sales are counted, not units."""
    query = (
        sa.select(OF_PRODUCT, sa.func.count(), sa.func.min(Sale.business_day), sa.func.max(Sale.business_day))
        .join(Sale, sa.and_(Sale.store_id == SaleLine.store_id, Sale.id == SaleLine.sale_id))
        .where(
            Sale.store_id == store_id,
            Sale.business_day >= day - dt.timedelta(days=LOOK_BACK_DAYS),
            Sale.business_day <= day,
            SaleLine.qty > 0,
        )
        .group_by(OF_PRODUCT)
    )
    return {sku: Pace(int(n), first, last) for sku, n, first, last in session.execute(query)}


def _lost(session: Session, store_id: str, on_hand: dict[str, int], day: dt.date) -> dict[str, CheckLine]:
    """Return what was stolen, or found missing by counts, of each product."""
    first_day = day - dt.timedelta(days=SHRINK_DAYS)
    stolen = sa.select(Waste.sku, sa.func.sum(Waste.qty)).where(
        Waste.store_id == store_id,
        Waste.business_day >= first_day,
        Waste.reason.in_(("theft", "other")),
        STANDS,
    )
    missing = sa.case((StockMovement.to_place == Place.UNEXPLAINED, StockMovement.qty), else_=-StockMovement.qty)
    found = sa.select(StockMovement.sku, sa.func.sum(missing)).where(
        StockMovement.store_id == store_id, StockMovement.business_day >= first_day, StockMovement.reason == "counted"
    )
    lost: dict[str, int] = {}
    for query in (stolen.group_by(Waste.sku), found.group_by(StockMovement.sku)):
        for sku, qty in session.execute(query):
            lost[sku] = lost.get(sku, 0) + int(qty or 0)
    return {
        sku: _line("lost", sku, on_hand.get(sku, 0), lost_qty=qty)
        for sku, qty in lost.items()
        if qty > 0 and on_hand.get(sku, 0) > 0
    }


def _never_counted(session: Session, store_id: str, on_hand: dict[str, int]) -> dict[str, CheckLine]:
    """Return the products nobody ever counted of which most is there: the MOST_NEW that tie up most, at cost."""
    counted = sa.exists().where(StockCount.store_id == store_id, StockCount.sku == Listing.sku)
    query = (
        sa.select(Listing.sku, Listing.cost_minor, Product.price_quantity)
        .join(Product, Product.sku == Listing.sku)
        .where(Listing.store_id == store_id, Listing.active, ~counted)
    )
    tied_up = sorted(
        (-(on_hand[sku] * (cost_minor or 1)) // price_quantity, sku)
        for sku, cost_minor, price_quantity in session.execute(query)
        if on_hand.get(sku, 0) > 0
    )
    return {sku: _line("never-counted", sku, on_hand[sku]) for _, sku in tied_up[:MOST_NEW]}


def _last_counts(session: Session, store_id: str) -> dict[str, dt.datetime]:
    query = sa.select(StockCount.sku, sa.func.max(StockCount.at, type_=StockCount.at.type))
    return dict(session.execute(query.where(StockCount.store_id == store_id).group_by(StockCount.sku)).all())


def _reported(session: Session, store_id: str, lines: Iterable[CheckLine], day: dt.date) -> list[CheckLine]:
    """Give the lines their names and what is at stake."""
    rows = list(lines)
    skus = sorted(row.sku for row in rows)
    worth = waste.worths(session, store_id, skus, day)
    names: dict[str, tuple[str, str]] = {}
    for start in range(0, len(skus), 500):
        query = sa.select(Product.sku, Product.shown, Product.stock_unit).where(
            Product.sku.in_(skus[start : start + 500])
        )
        names |= {sku: (name, unit) for sku, name, unit in session.execute(query)}
    reported = []
    for row in rows:
        name, unit = names.get(row.sku, (row.sku, "each"))
        at_stake = row.lost_qty or row.expires_qty or abs(row.on_hand)
        value_minor = (worth[row.sku].value(at_stake) if row.sku in worth else None) or 0
        reported.append(CheckLine(**{**vars(row), "name": name, "stock_unit": unit, "worth_minor": value_minor}))
    return sorted(reported, key=lambda row: (KINDS.index(row.kind), -row.worth_minor, row.name, row.sku))


def _shortened(lines: list[CheckLine]) -> list[CheckLine]:
    """Keep at most MOST_LINES: each reason its share first, then what is left in order (rule 2)."""
    taken: dict[str, int] = {}
    kept: list[CheckLine] = []
    waiting: list[CheckLine] = []
    for line in lines:
        taken[line.kind] = taken.get(line.kind, 0) + 1
        (kept if taken[line.kind] <= SHARE[line.kind] else waiting).append(line)
    kept = (kept[:MOST_LINES] + waiting)[:MOST_LINES]
    return sorted(kept, key=lambda row: (KINDS.index(row.kind), -row.worth_minor, row.name, row.sku))
