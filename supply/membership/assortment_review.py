"""What a region's stores carry, what they miss and what does not sell: looked at each night, and kept until the next.

Rules
-----
1. A store carries a product that it lists (`reported_assortment`); one that told no list carries what it sold in the
   last DAYS whole days or has in stock. Only the network's own active goods are looked at.
2. Comparable stores are those of the region whose sales of these days are between half and twice the store's.
3. A gap: a product the store does not carry, has none of and did not sell, that LEAST_SELLING or more of the comparable
   stores and at least half of them sold in these days, and that one of the network's suppliers sells.
4. Expected of a gap is half the median of what those that sell it sold, a week, as in the benchmarks (their rule 8):
   the margin on the network's price without tax over the lowest cost of its suppliers. Only what gains is a gap; the
   best of a store are kept (MOST).
5. Dead stock: in stock, not sold in these days, and none came in meanwhile, in a store whose sales were known before
   them. What a store began with is no arrival. Idle since its last sale or arrival of the last LOOK_BACK_DAYS,
   whichever is later; None: neither. Its value is at the lowest cost of the network's suppliers; MOST are kept.
6. Days of supply are what is there over what the store sells a day (`stockouts`, rule 1).

Quantities in stock units, *_milli thousandths, *_minor minor units.
"""

import bisect
import datetime as dt
import statistics
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.bulk import write_many
from config.database import Base, among
from config.money import amount_for, divide_half_up
from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Listing, Product, matches_or_code, prices_on
from pos.stock.ledger import INSIDE, StockLevel, StockMovement
from pos.store.store import Store
from supply.demand import history
from supply.demand.history import DailyDemand, SellingRate, StoreDay
from supply.membership import suggestions
from supply.membership.benchmarks import gain_of_adding
from supply.orders import price_list

DAYS, LOOK_BACK_DAYS = 28, 364
LEAST_SELLING, AT_ONCE = 2, 500
MOST = {"gap": 40, "dead": 100}
"""So many findings of a kind are kept of a store, those worth most."""
CAME = "received"
"""Why products come in."""


class AssortmentLine(Base):
    """A product in a region's stores. listed: of the `told` stores that told a list; sold_qty: of DAYS whole days."""

    __tablename__ = "assortment_line"

    region_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    stores: Mapped[int]
    told: Mapped[int]
    listed: Mapped[int]
    selling: Mapped[int]
    stocked: Mapped[int]
    sold_qty: Mapped[int]
    stock_qty: Mapped[int]
    gaps: Mapped[int]
    dead: Mapped[int]


class AssortmentFinding(Base):
    """A gap or dead stock of one store (rules 3 to 6). qty_milli: expected a week, or in stock."""

    __tablename__ = "assortment_finding"
    __table_args__ = (sa.Index("ix_assortment_finding_region", "region_id", "kind"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    region_id: Mapped[str]
    kind: Mapped[str]
    """gap | dead"""
    qty_milli: Mapped[int]
    worth_minor: Mapped[int | None]
    """Of a gap its margin a week; of dead stock its value at cost, None where no cost is known."""
    peers: Mapped[int] = mapped_column(default=0)
    selling: Mapped[int] = mapped_column(default=0)
    """Of a gap: comparable stores, and those of them that sell it."""
    idle_days: Mapped[int | None]
    supply_days: Mapped[float | None] = mapped_column(sa.Double)
    seen_on: Mapped[dt.date]


@dataclass(frozen=True)
class Review:
    """A look at a region: rows of both tables."""

    lines: list[dict[str, Any]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Which:
    """Which part of the assortment is asked for; '' is all. idle_days: of dead stock, idle for so long at least."""

    region_id: str = ""
    store_id: str = ""
    department: str = ""
    category: str = ""
    text: str = ""
    idle_days: int = 0


@dataclass(frozen=True)
class Carried:
    """A product as some stores carry it. told, listed: of `stores`; days_left: of one store, its days of supply."""

    sku: str
    name: str
    department: str
    category: str
    stock_unit: str
    stores: int
    told: int
    listed: int
    selling: int
    stocked: int
    sold_qty: int
    stock_qty: int
    gaps: int
    dead: int
    ordered: bool = True
    days_left: float | None = None


@dataclass(frozen=True)
class Found:
    """A product that some stores miss or do not sell. worth_minor: where a cost is known, which `unknown` lack."""

    sku: str
    name: str
    department: str
    category: str
    stock_unit: str
    stores: int
    qty_milli: int
    worth_minor: int
    unknown: int
    idle_days: int | None
    supply_days: float | None
    peers: int
    selling: int


@dataclass(frozen=True)
class _Seen:
    """What the stores of a region have of some products: SKU -> store -> figure; listed: -> whether it is ordered."""

    sold: dict[str, dict[str, int]]
    stock: dict[str, dict[str, int]]
    listed: dict[str, dict[str, int]]
    costs: Mapping[str, int]
    nets: Mapping[str, int]
    """SKU -> the network's price without tax."""
    per: Mapping[str, int]
    """SKU -> for how many units costs and prices are."""


# --- verbs ---


def keep(session: Session, region_id: str, seen: Review) -> None:
    """Keep a look instead of the one before."""
    for row, some in ((AssortmentLine, seen.lines), (AssortmentFinding, seen.findings)):
        session.execute(sa.delete(row).where(row.region_id == region_id))
        write_many(session, row, some)


# --- questions ---


def review(session: Session, region_id: str, today: dt.date) -> Review:
    """Look at a region's stores on a day; nothing while no sales have arrived."""
    newest, found = history.whole_day(session, today), Review()
    if newest is None:
        return found
    stores = list(session.scalars(sa.select(Store.id).where(Store.region_id == region_id, Store.left_on.is_(None))))
    first = newest - dt.timedelta(days=DAYS - 1)
    told = set(session.scalars(sa.select(Listing.store_id).where(among(session, Listing.store_id, stores)).distinct()))
    peers = _peers(session, stores, first, newest)
    begun = sa.select(StoreDay.store_id).where(among(session, StoreDay.store_id, stores), StoreDay.business_day < first)
    known = list(session.scalars(begun.distinct()))
    by_store: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for skus in _parts(session):
        seen = _look(session, stores, skus, first, newest)
        for dead in _dead(session, seen, region_id, known, first, today):
            by_store.setdefault((dead["store_id"], "dead"), []).append(dead)
        for sku in skus:
            sold, stock, listed = (part.get(sku, {}) for part in (seen.sold, seen.stock, seen.listed))
            if not (sold or stock or listed):
                continue
            missing = [one for one in stores if not any(one in part for part in (listed, sold, stock))]
            for gap in _gaps(seen, sku, missing, peers):
                made = gap | {"region_id": region_id, "seen_on": today}
                by_store.setdefault((gap["store_id"], "gap"), []).append(made)
            found.lines.append(
                {"region_id": region_id, "sku": sku, "stores": len(stores), "told": len(told),
                 "listed": sum(1 for one in stores if (one in listed if one in told else one in sold or one in stock)),
                 "selling": len(sold), "stocked": len(stock), "sold_qty": sum(sold.values()),
                 "stock_qty": sum(stock.values()), "gaps": 0, "dead": 0}
            )  # fmt: skip
    for (_store_id, kind), some in by_store.items():
        some.sort(key=lambda one: (-(one["worth_minor"] or 0), one["sku"]))
        found.findings.extend(some[: MOST[kind]])
    kept = Counter((str(one["kind"]), str(one["sku"])) for one in found.findings)
    for line in found.lines:
        line["gaps"], line["dead"] = kept["gap", line["sku"]], kept["dead", line["sku"]]
    return found


def carried(which: Which, day: dt.date) -> sa.Select[str]:
    """Return what stores carry as a query of SKUs: of one store by name, of more what most of them sell first."""
    if which.store_id:
        some = [
            sa.select(Listing.sku).where(Listing.store_id == which.store_id, Listing.active),
            sa.select(StockLevel.sku).where(
                StockLevel.store_id == which.store_id, StockLevel.place.in_(INSIDE), StockLevel.qty > 0
            ),
            sa.select(DailyDemand.sku).where(DailyDemand.store_id == which.store_id, *_lately(day)),
        ]  # fmt: skip
        query = sa.select(Product.sku).where(Product.sku.in_(sa.union(*some)), *_of_product(which))
        return query.order_by(Product.name, Product.sku)
    line = AssortmentLine
    query = sa.select(line.sku).join(Product, Product.sku == line.sku).where(*_of_product(which))
    if which.region_id:
        query = query.where(line.region_id == which.region_id)
    query = query.group_by(line.sku, Product.name).having(sa.func.sum(line.listed + line.selling + line.stocked) > 0)
    return query.order_by(sa.func.sum(line.selling).desc(), Product.name, line.sku)


def carried_rows(session: Session, skus: Sequence[str], which: Which, day: dt.date) -> list[Carried]:
    """Return how stores carry some products, in their order."""
    products = {one.sku: one for one in session.scalars(sa.select(Product).where(Product.sku.in_(skus)))}
    if which.store_id:
        figures = _at_store(session, which.store_id, skus, day)
    else:
        line = AssortmentLine
        names = ("stores", "told", "listed", "selling", "stocked", "sold_qty", "stock_qty", "gaps", "dead")
        query = sa.select(line.sku, *(sa.func.sum(getattr(line, name)) for name in names)).where(line.sku.in_(skus))
        if which.region_id:
            query = query.where(line.region_id == which.region_id)
        rows = session.execute(query.group_by(line.sku))
        figures = {sku: dict(zip(names, map(int, some), strict=True)) for sku, *some in rows}
    return [Carried(*_named(products[sku]), **figures[sku]) for sku in skus if sku in figures]


def found(kind: str, which: Which) -> sa.Select[str]:
    """Return gaps or dead stock as a query of SKUs, what is worth most first."""
    row = AssortmentFinding
    query = sa.select(row.sku).join(Product, Product.sku == row.sku).where(*_of_finding(kind, which))
    worth = sa.func.coalesce(sa.func.sum(row.worth_minor), 0)
    return query.group_by(row.sku, Product.name).order_by(worth.desc(), Product.name, row.sku)


def found_rows(session: Session, kind: str, skus: Sequence[str], which: Which) -> list[Found]:
    """Return some of the products that are gaps or dead stock, in their order."""
    row = AssortmentFinding
    products = {one.sku: one for one in session.scalars(sa.select(Product).where(Product.sku.in_(skus)))}
    query = sa.select(
        row.sku, sa.func.count(), sa.func.sum(row.qty_milli), sa.func.coalesce(sa.func.sum(row.worth_minor), 0),
        sa.func.sum(sa.case((row.worth_minor.is_(None), 1), else_=0)), sa.func.min(row.idle_days),
        sa.func.min(row.supply_days), sa.func.max(row.peers), sa.func.max(row.selling),
    ).join(Product, Product.sku == row.sku).where(row.sku.in_(skus), *_of_finding(kind, which))  # fmt: skip
    sums = {sku: some for sku, *some in session.execute(query.group_by(row.sku))}
    return [
        Found(*_named(products[sku]), *map(int, some[:4]), *some[4:])
        for sku in skus if (some := sums.get(sku)) is not None
    ]  # fmt: skip


def at_stores(kind: str, which: Which, sku: str = "") -> sa.Select[AssortmentFinding]:
    """Return single findings as a query, of one product or of all, what is worth most first."""
    row = AssortmentFinding
    query = sa.select(row).join(Product, Product.sku == row.sku).where(*_of_finding(kind, which))
    if sku:
        query = query.where(row.sku == sku)
    return query.order_by(sa.func.coalesce(row.worth_minor, 0).desc(), row.store_id, row.sku)


# --- inside ---


def _lately(day: dt.date) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return DailyDemand.business_day.between(day - dt.timedelta(days=DAYS - 1), day), DailyDemand.sold_qty > 0


def _of_product(which: Which) -> list[sa.ColumnElement[bool]]:
    asked: list[sa.ColumnElement[bool]] = [
        Product.owner_id == EVERYONE, sa.true() == Product.active, Product.kind == "goods"
    ]  # fmt: skip
    if which.department:
        asked.append(history.department() == which.department)
    if which.category:
        asked.append(Product.category == which.category)
    return [*asked, matches_or_code(which.text)] if which.text else asked


def _of_finding(kind: str, which: Which) -> list[sa.ColumnElement[bool]]:
    row, asked = AssortmentFinding, [AssortmentFinding.kind == kind, *_of_product(which)]
    if which.store_id:
        asked.append(row.store_id == which.store_id)
    elif which.region_id:
        asked.append(row.region_id == which.region_id)
    if kind == "dead" and which.idle_days:
        asked.append(sa.or_(row.idle_days.is_(None), row.idle_days >= which.idle_days))
    return asked


def _named(one: Product) -> tuple[str, str, str, str, str]:
    return one.sku, one.shown, one.department or one.category, one.category, one.stock_unit


def _at_store(session: Session, store_id: str, skus: Sequence[str], day: dt.date) -> dict[str, dict[str, Any]]:
    seen = _look(session, [store_id], skus, day - dt.timedelta(days=DAYS - 1), day)
    kinds = sa.select(AssortmentFinding.sku, AssortmentFinding.kind).where(AssortmentFinding.store_id == store_id)
    kind_of = dict(session.execute(kinds.where(AssortmentFinding.sku.in_(skus))).all())
    rates = sa.select(SellingRate.sku, SellingRate.per_day).where(SellingRate.store_id == store_id)
    per_day = dict(session.execute(rates.where(SellingRate.sku.in_(skus))).all())
    told = session.scalar(sa.select(Listing.sku).where(Listing.store_id == store_id).limit(1)) is not None
    found = {}
    for sku in skus:
        sold, stock, listed = (part.get(sku, {}).get(store_id, 0) for part in (seen.sold, seen.stock, seen.listed))
        is_listed = store_id in seen.listed.get(sku, {})
        found[sku] = {
            "stores": 1, "told": int(told), "listed": int(is_listed if told else bool(sold or stock)),
            "selling": int(sold > 0), "stocked": int(stock > 0), "sold_qty": sold, "stock_qty": stock,
            "gaps": int(kind_of.get(sku) == "gap"), "dead": int(kind_of.get(sku) == "dead"),
            "ordered": not is_listed or bool(listed),
            "days_left": stock / per_day[sku] if per_day.get(sku, 0.0) > 0 else None,
        }  # fmt: skip
    return found


def _parts(session: Session) -> Iterator[list[str]]:
    """Yield the network's own active goods, AT_ONCE at a time."""
    query = sa.select(Product.sku).where(Product.owner_id == EVERYONE, Product.active, Product.kind == "goods")
    skus = list(session.scalars(query.order_by(Product.sku)))
    for start in range(0, len(skus), AT_ONCE):
        yield skus[start : start + AT_ONCE]


def _peers(session: Session, stores: Sequence[str], first: dt.date, newest: dt.date) -> dict[str, list[str]]:
    """Return each store's comparable stores (rule 2)."""
    day, total = StoreDay, sa.func.sum(StoreDay.revenue_minor)
    query = sa.select(day.store_id, total).where(
        among(session, day.store_id, stores), day.business_day.between(first, newest)
    )
    sizes = sorted((int(minor), one) for one, minor in session.execute(query.group_by(day.store_id)) if minor > 0)
    amounts, found = [minor for minor, _ in sizes], {}
    for minor, one in sizes:
        near = sizes[bisect.bisect_left(amounts, -(-minor // 2)) : bisect.bisect_right(amounts, 2 * minor)]
        found[one] = [other for _, other in near if other != one]
    return found


def _look(session: Session, stores: Sequence[str], skus: Sequence[str], first: dt.date, newest: dt.date) -> _Seen:
    day, level, listing = DailyDemand, StockLevel, Listing
    sold = sa.select(day.sku, day.store_id, sa.func.sum(day.sold_qty)).where(
        among(session, day.store_id, stores), among(session, day.sku, skus), day.business_day.between(first, newest)
    ).group_by(day.sku, day.store_id)  # fmt: skip
    stock = sa.select(level.sku, level.store_id, sa.func.sum(level.qty)).where(
        among(session, level.store_id, stores), among(session, level.sku, skus), level.place.in_(INSIDE)
    ).group_by(level.sku, level.store_id)  # fmt: skip
    listed = sa.select(listing.sku, listing.store_id, sa.cast(listing.ordered, sa.Integer)).where(
        among(session, listing.store_id, stores), among(session, listing.sku, skus), listing.active
    )
    prices, taxed = prices_on(session, EVERYONE, newest, skus), suggestions.taxed(session, list(skus))
    nets = {sku: one.net(prices[sku]) if one.inclusive else prices[sku] for sku, one in taxed.items() if sku in prices}
    return _Seen(
        _by_sku(session, sold.having(sa.func.sum(day.sold_qty) > 0)),
        _by_sku(session, stock.having(sa.func.sum(level.qty) > 0)), _by_sku(session, listed),
        price_list.lowest_costs(session, skus, newest), nets,
        {sku: one.price_quantity for sku, one in taxed.items()},
    )  # fmt: skip


def _by_sku(session: Session, query: sa.Select[str, str, int]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for sku, store_id, value in session.execute(query):
        found.setdefault(sku, {})[store_id] = int(value)
    return found


def _gaps(
    seen: _Seen, sku: str, missing: Sequence[str], peers: Mapping[str, Sequence[str]]
) -> Iterator[dict[str, Any]]:
    """Yield the stores that miss a product, with what it should bring (rules 3, 4)."""
    sold = seen.sold.get(sku, {})
    if len(sold) < LEAST_SELLING or sku not in seen.costs or sku not in seen.nets:
        return
    for store_id in missing:
        near = peers.get(store_id, ())
        rates = [sold[one] for one in near if one in sold]
        if len(rates) < LEAST_SELLING or 2 * len(rates) < len(near):
            continue
        rate_milli = divide_half_up(round(statistics.median(rates) * 1000), DAYS)
        gain = gain_of_adding(rate_milli, seen.nets[sku], seen.costs[sku], seen.per[sku])
        if gain > 0:
            yield {
                "store_id": store_id, "sku": sku, "kind": "gap", "qty_milli": divide_half_up(7 * rate_milli, 2),
                "worth_minor": gain, "peers": len(near), "selling": len(rates), "idle_days": None, "supply_days": None,
            }  # fmt: skip


def _dead(
    session: Session, seen: _Seen, region_id: str, stores: Sequence[str], first: dt.date, today: dt.date
) -> list[dict[str, Any]]:
    """Return what is in stock and did not sell (rules 5, 6)."""
    still = {
        (store_id, sku): qty
        for sku, by_store in seen.stock.items()
        for store_id, qty in by_store.items()
        if store_id in stores and store_id not in seen.sold.get(sku, {})
    }
    if not still:
        return []
    skus = sorted({sku for _, sku in still})
    day, move, rate = DailyDemand, StockMovement, SellingRate
    since = today - dt.timedelta(days=LOOK_BACK_DAYS)
    sold = sa.select(day.store_id, day.sku, sa.func.max(day.business_day)).where(
        among(session, day.store_id, stores), among(session, day.sku, skus), day.business_day >= since,
        day.sold_qty > 0,
    ).group_by(day.store_id, day.sku)  # fmt: skip
    came = sa.select(move.store_id, move.sku, sa.func.max(move.business_day)).where(
        among(session, move.store_id, stores), among(session, move.sku, skus), move.business_day >= since,
        move.reason == CAME,
    ).group_by(move.store_id, move.sku)  # fmt: skip
    last = {(store_id, sku): on for store_id, sku, on in session.execute(sold)}
    for store_id, sku, on in session.execute(came):
        last[store_id, sku] = max(on, last.get((store_id, sku), on))
    rates = sa.select(rate.store_id, rate.sku, rate.per_day).where(
        among(session, rate.store_id, stores), among(session, rate.sku, skus)
    )
    per_day = {(store_id, sku): float(value) for store_id, sku, value in session.execute(rates)}
    return [
        {
            "store_id": key[0], "sku": key[1], "region_id": region_id, "kind": "dead", "qty_milli": 1000 * qty,
            "worth_minor": amount_for(qty, seen.costs[key[1]], seen.per[key[1]]) if key[1] in seen.costs else None,
            "peers": 0, "selling": 0, "idle_days": (today - last[key]).days if key in last else None,
            "supply_days": qty / per_day[key] if per_day.get(key, 0.0) > 0 else None, "seen_on": today,
        }
        for key, qty in still.items()
        if key not in last or last[key] < first
    ]  # fmt: skip
