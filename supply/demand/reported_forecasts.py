"""What stores with a node expect to sell, as they tell it: kept whole, and believed as far as their sales support it.

Rules
-----
1. A store tells the means of each day of its newest published run, in PARTS of a unit, exactly as its own pages have
   them. The newest counts, by the last day it saw and its id, and replaces the one before; told again, or told an
   older one, nothing changes.
2. What cannot be is refused whole with its reason, and the one before stays: a number below nothing or that nobody
   sells, a last day that is not over there by our clock, fewer days than HORIZON_DAYS (what is said of all stores ends
   with the first), too many. What the network does not know is left out.
3. A product is believed up to TRUSTED times what the network's books say the store sold of it a day in BOOKS_DAYS, with
   SLACK_SALES sales more for chance; beyond that the network's own reckoning counts for it (`unlikely`). All products
   of a unit together are believed up to TRUSTED_IN_ALL times what the store sold of them: else all is refused.
4. What is more than OLDEST_DAYS nights old is not used.
5. It moves what is said of regions and what warehouses buy. Scarce goods are shared without it (`allocation`).
6. With it goes what offers and prices made of its days (`offer_days`).
7. A run that the network did not take is told it no more: the store notes it with the reason, and tells the next.

Quantities in stock units, if not said otherwise.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.bulk import write_many
from config.database import Base, among, dialect_of, insert_into, lock_rows
from config.errors import DomainError, Invalid, Refused
from config.nodes import door
from pos.catalogue.catalogue import Product
from pos.stock.ledger import MOST_QTY
from pos.store.store import Store, day_of
from supply.demand import history, promotion_days
from supply.demand.expected import OLDEST_DAYS
from supply.demand.forecasts import HORIZON_DAYS, ForecastQuantile, published
from supply.demand.history import DailyDemand, StoreDay, top_category

VERSION = 1
PARTS = 100_000
"""So many parts are a unit: as fine as a run's means are written."""
BOOKS_DAYS = 28
WEEK_DAYS = 7
TRUSTED, TRUSTED_IN_ALL, SLACK_SALES = 4.0, 2.0, 3
MOST_PRODUCTS, MOST_DAYS = 20_000, 60


class ReportedForecast(Base):
    """Which of its runs a store told last, and which was refused and why; both None: none yet.

    At the store only the latter are kept.
    """

    __tablename__ = "reported_forecast"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    run_id: Mapped[str | None]
    origin_day: Mapped[dt.date | None]
    """The last day the run saw."""
    horizon_days: Mapped[int] = mapped_column(default=0)
    reported_at: Mapped[dt.datetime | None]
    top_categories: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Of each category, as the catalogue stood when it was told, the PARTS of each day after the run's last."""
    unlikely: Mapped[list[Any]] = mapped_column(default=list)
    """SKUs for which the store is not believed (rule 3); they are not in `top_categories`."""
    refused_run_id: Mapped[str | None]
    refused: Mapped[str | None]


class ReportedDemand(Base):
    """What a store expects to sell of a product, where it is believed."""

    __tablename__ = "reported_demand"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    per_day: Mapped[float] = mapped_column(sa.Double)
    """The mean of the first week."""


@dataclass(frozen=True)
class Reported:
    """What is known of a store's word."""

    store_id: str
    origin_day: dt.date | None
    horizon_days: int
    unlikely: tuple[str, ...]


@dataclass(frozen=True)
class Sold:
    """What a store sold of a product, in how many sales."""

    qty: int = 0
    sales: int = 0

    def most(self, days: int) -> float:
        """Return the units a day that days of such sales support."""
        return (max(0, self.qty) + SLACK_SALES * max(1.0, self.qty / max(1, self.sales))) / days


NOTHING = Sold()


# --- at the store ---


def to_send(session: Session, store_id: str, *, after: tuple[str, str], but: str = "") -> dict[str, Any] | None:
    """Return what a store has to tell of its published run (rule 1); None where it is no newer than `after`.

    after: the last day seen by the run the network has, as ISO, and its id; but: the run it refused.
    """
    run, noted = published(session, "store", store_id), session.get(ReportedForecast, store_id)
    if run is None or run.id in (but, noted and noted.refused_run_id) or (run.origin_day.isoformat(), run.id) <= after:
        return None
    row, products = ForecastQuantile, dict[str, list[int]]()
    days = sa.select(row.sku, row.mean).where(row.run_id == run.id, row.first_day == row.last_day)
    for sku, mean in session.execute(days.order_by(row.sku, row.first_day)):
        products.setdefault(sku, []).append(in_parts(mean))
    return {
        "version": VERSION, "run_id": run.id, "origin_day": run.origin_day.isoformat(), "products": products,
        "effects": run.effects or {},
    }  # fmt: skip


def note_answer(session: Session, store_id: str, run_id: str, refused: str) -> None:
    """Note why the network did not take a run, '' where it did (rule 7)."""
    row = session.get(ReportedForecast, store_id)
    if row is None and refused:
        row = ReportedForecast(store_id=store_id, run_id=None, origin_day=None, reported_at=None)
        session.add(row)
    if row is not None:
        row.refused_run_id, row.refused = (run_id, refused) if refused else (None, None)


def refusal(session: Session, store_id: str) -> str | None:
    """Return why the network did not take the run it was told last, as code and sentence; None where it did."""
    row = session.get(ReportedForecast, store_id)
    return row.refused if row else None


def in_parts(units: float) -> int:
    """Return units, as a run's means are written, in PARTS of one; exact."""
    return round(units * PARTS)


# --- at the network ---


def hear(session: Session, store_id: str, reported: Mapping[str, Any], *, at: dt.datetime) -> str | None:
    """Take over what a store tells (rules 1 to 3); returns why it is refused, which is kept for the operator.

    told: version, run_id, origin_day, products, and effects of offers (None: none told), as they came.
    """
    first = insert_into(ReportedForecast, dialect_of(session)).values(
        store_id=store_id, horizon_days=0, top_categories={}, unlikely=[]
    )
    session.execute(first.on_conflict_do_nothing())
    row = session.scalars(
        lock_rows(session, sa.select(ReportedForecast).where(ReportedForecast.store_id == store_id))
    ).one()
    try:
        _take(session, row, reported, at)
    except DomainError as refusal:
        row.refused_run_id, row.refused = reported["run_id"], f"{refusal.code}: {refusal.message}"
    session.flush()
    return row.refused if row.refused_run_id == reported["run_id"] else None


def known(session: Session, store_id: str) -> dict[str, str]:
    """Return which of a store's runs the network has and which it refused (`to_send`), '' for none."""
    row = session.get(ReportedForecast, store_id)
    origin = row.origin_day if row else None
    return {
        "origin_day": origin.isoformat() if origin else "", "run_id": (row and row.run_id) or "",
        "refused_run_id": (row and row.refused_run_id) or "",
    }  # fmt: skip


def believed(per_day: Mapping[str, float], sold: Mapping[str, Sold], days: int, unit_of: Mapping[str, str]) -> set[str]:
    """Return the products for which a store is believed (rule 3); Refused where all of them are too much.

    per_day: what it expects; sold: in so many open days; unit_of: of all of both.
    """
    kept = {sku for sku, units in per_day.items() if units <= TRUSTED * sold.get(sku, NOTHING).most(days)}
    for unit in sorted(set(unit_of.values())):
        expected = sum(per_day[sku] for sku in kept if unit_of[sku] == unit)
        alike = [one for sku, one in sold.items() if unit_of[sku] == unit]
        most = TRUSTED_IN_ALL * Sold(sum(one.qty for one in alike), sum(one.sales for one in alike)).most(days)
        if expected > most:
            raise Refused(
                "forecast-too-high",
                "It expects %(expects)s a day (%(unit)s); its sales support up to %(at_most)s.",
                expects=f"{expected:.0f}", unit=unit, at_most=f"{most:.0f}", expected=round(expected),
                most=round(most),
            )  # fmt: skip
    return kept


def words(session: Session, stores: Sequence[str]) -> dict[str, Reported]:
    """Return what is known of the words of these stores, of those that told any: store -> word."""
    row = ReportedForecast
    query = sa.select(row.store_id, row.origin_day, row.horizon_days, row.unlikely)
    found = session.execute(query.where(among(session, row.store_id, stores))).all() if stores else ()
    return {one.store_id: Reported(one[0], one[1], one[2], tuple(one[3])) for one in found}


def doubted(session: Session, region_id: str) -> list[tuple[str, list[str], str | None]]:
    """List a region's stores that are not believed in all: name, products (rule 3), why the newest run was refused."""
    row = ReportedForecast
    query = sa.select(Store.name, row.unlikely, row.refused).join(Store, Store.id == row.store_id)
    stores = [one for one in session.execute(query.where(Store.region_id == region_id)) if one[1] or one[2]]
    skus = {sku for _, some, _ in stores for sku in some}
    names = dict(session.execute(sa.select(Product.sku, Product.shown).where(among(session, Product.sku, skus))).all())
    return sorted((name, sorted(names.get(sku, sku) for sku in some), why) for name, some, why in stores)


def fresh(today: dt.date) -> sa.ColumnElement[bool]:
    """Return the condition that what a store told is used on a day (rule 4)."""
    return ReportedForecast.origin_day >= today - dt.timedelta(days=OLDEST_DAYS + 1)


def rates(today: dt.date, stores: Collection[str] | None, skus: Collection[str] | None) -> sa.Select[str, str, float]:
    """What stores tell that they will sell: store, SKU, units a day; None means all."""
    row = ReportedDemand
    query = sa.select(row.store_id, row.sku, row.per_day).join(
        ReportedForecast, ReportedForecast.store_id == row.store_id
    )
    of = (column.in_(list(some)) for column, some in ((row.store_id, stores), (row.sku, skus)) if some is not None)
    return query.where(fresh(today), *of)


def paths(session: Session, stores: Sequence[str], name: str) -> Iterator[tuple[str, list[int]]]:
    """Yield what each of these stores tells of the category of that name.

    The PARTS of each day after its run's last.
    """
    row = ReportedForecast
    query = sa.select(row.store_id, row.top_categories).where(among(session, row.store_id, stores))
    for store_id, top_categories in session.execute(query) if stores else ():
        yield store_id, top_categories.get(name, [])


# --- inside ---


def _take(session: Session, row: ReportedForecast, reported: Mapping[str, Any], at: dt.datetime) -> None:
    """Take over what a store tells instead of what it told before; raises DomainError (rules 1 to 3)."""
    if reported["version"] > VERSION:
        raise Invalid("newer-version", "This node does not support its newer format. Update the network.")
    today, products = at.astimezone(dt.UTC).date(), reported["products"]
    over = day_of(session, row.store_id, at) - dt.timedelta(days=1)
    origin = door.day(reported["origin_day"], "The last day the forecast saw", over)
    days = _read(products)
    effects = promotion_days.read_effects({} if reported.get("effects") is None else reported["effects"])
    if row.origin_day is not None and (origin, reported["run_id"]) <= (row.origin_day, row.run_id or ""):
        return
    opened, sold = _sold(session, row.store_id, today)
    if not opened:
        raise Refused("not-sold-yet", "The network has no sales from this store yet to compare its forecast with.")
    kinds = sa.select(Product.sku, Product.stock_unit, Product.department, Product.category)
    sold_products = session.execute(kinds.where(among(session, Product.sku, [*{*products, *sold}]))).all()
    unit_of = {sku: unit for sku, unit, *_ in sold_products}
    per_day = {sku: sum(path[:WEEK_DAYS]) / WEEK_DAYS / PARTS for sku, path in products.items() if sku in unit_of}
    kept = believed(per_day, {sku: one for sku, one in sold.items() if sku in unit_of}, opened, unit_of)
    session.execute(sa.delete(ReportedDemand).where(ReportedDemand.store_id == row.store_id))
    rows = [{"store_id": row.store_id, "sku": sku, "per_day": per_day[sku]} for sku in sorted(kept)]
    write_many(session, ReportedDemand, rows)
    of: dict[str, list[list[int]]] = {}
    for sku, unit, department, category in sold_products:
        if sku in kept:
            of.setdefault(top_category(department, category, unit), []).append(products[sku])
    row.top_categories = {name: [sum(day) for day in zip(*some, strict=True)] for name, some in of.items()}
    row.run_id, row.origin_day, row.horizon_days, row.reported_at = reported["run_id"], origin, days, at
    row.unlikely, row.refused_run_id, row.refused = sorted(per_day.keys() - kept), None, None
    promotion_days.keep_effects(session, row.store_id, effects, origin)
    history.forget_rates(session, [row.store_id])


def _read(products: Mapping[str, Any]) -> int:
    """Return how many days are told; raises Invalid (rule 2)."""
    lengths = {len(path) if isinstance(path, list) else 0 for path in products.values()}
    if len(products) > MOST_PRODUCTS or len(lengths) != 1 or not HORIZON_DAYS <= max(lengths) <= MOST_DAYS:
        raise Invalid(
            "incomplete-forecast",
            "A forecast must cover 1 to %(most)s products, all for the same %(horizon_days)s to %(most_days)s days.",
            most=MOST_PRODUCTS, horizon_days=HORIZON_DAYS, most_days=MOST_DAYS,
        )  # fmt: skip
    for sku, path in products.items():
        for parts in path:
            door.number(parts, f"What is expected of {sku:.64}", 0, MOST_QTY * PARTS)
    return lengths.pop()


def _sold(session: Session, store_id: str, today: dt.date) -> tuple[int, dict[str, Sold]]:
    """Return on how many of the last days a store was open, and what it sold on them."""
    since = today - dt.timedelta(days=BOOKS_DAYS)
    row, day = DailyDemand, StoreDay
    opened = sa.select(sa.func.count()).where(day.store_id == store_id, day.open, day.business_day >= since)
    sums = sa.select(row.sku, sa.func.sum(row.sold_qty), sa.func.sum(row.sales))
    sums = sums.where(row.store_id == store_id, row.business_day >= since).group_by(row.sku)
    sold = {sku: Sold(max(0, int(qty)), max(0, int(sales))) for sku, qty, sales in session.execute(sums)}
    return session.scalar(opened) or 0, sold
