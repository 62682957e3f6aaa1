"""The store beside its neighbours: figures of the region (or the network) that give no single store away.

Rules
-----
1. The network works the figures out when a week ends, over WINDOW_DAYS days, and publishes one edition for everybody: a
   store can ask nothing else, so no two questions can be set against each other. Rules 5 to 7 say what may be in it.
2. Figures: of a product, what a unit really brought (price) and what a store that sells it sells a day (rate); of a
   store, units written off per 10,000 sold (waste) and days its stock lasts (cover): of stores whose stock is known.
3. The stores behind each published figure are kept at the network, and never travel.
4. A store reckons its own figures by the same functions from its own books.
5. A figure is the median over stores. It is published for SHOPS stores or more, so that a store which takes its own
   value out still has five others before it.
6. No two published figures of one thing may differ by few stores, or the one less the other would tell of these. A set
   of stores is published only if, beside every set that ever was for the same thing, in whatever scope, it is the same
   or differs by SHOPS or more on each side that differs; else the old figure stands, with its day.
7. A figure has one scope: the regions where every region has SHOPS stores or more, else the whole network; never both.
8. Gains are a week's margin, of prices without tax. A product that is taken in is reckoned at half of what a typical
   store sells; a price moved to the nearby one at a demand that falls by as much, in per cent, as the price rises.

Units: *_minor minor units; rates in thousandths of a stock unit a day (*_milli).
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.money import amount_for, divide_half_up, median
from config.nodes import publication
from config.nodes.publication import EVERYONE
from pos.catalogue.catalogue import Product
from pos.stock.ledger import INSIDE, StockLevel, StockMovement
from pos.stock.waste import UNDONE
from pos.store.store import Region, Store
from supply.demand.history import DailyDemand

WINDOW_DAYS = 28
KIND = "compare"
OF_STORE = ("waste", "cover")


class BenchmarkFigure(Base):
    """A figure as it was last published. sku: '' for one of the whole store; sets: whose it ever was (network only)."""

    __tablename__ = "benchmark_figure"

    scope_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    sku: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]
    day: Mapped[dt.date]
    sets: Mapped[list[Any]]


@dataclass(frozen=True)
class OwnFigures:
    """A store's own: (name, sku) -> value, as the edition has them."""

    values: dict[tuple[str, str], int]


STORES = 6


# --- verbs, network ---


def work_out(session: Session, figures: Mapping[str, OwnFigures], day: dt.date, *, at: dt.datetime) -> int:
    """Work what may be told out of every store's figures until `day`, and publish it (rule 1); returns how many.

    figures: `figures_of` every store, asked before: four weeks of them all take their time, and nobody writes
    meanwhile.
    """
    sizes = dict(session.execute(sa.select(Store.region_id, sa.func.count()).group_by(Store.region_id)).all())
    regional = scope_of(list(sizes.values())) == "region"
    region_of = dict(session.execute(sa.select(Store.id, Store.region_id)).all())
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    for store_id, own in sorted(figures.items()):
        scope = region_of[store_id] if regional else EVERYONE
        for (name, sku), value in own.values.items():
            found.setdefault((scope, name, sku), {})[store_id] = value
    known = {(row.scope_id, row.name, row.sku): row for row in session.scalars(sa.select(BenchmarkFigure))}
    reported: dict[tuple[str, str], list[set[str]]] = {}
    for row in known.values():
        reported.setdefault((row.name, row.sku), []).extend(set(one) for one in row.sets)
    for key, by_store in sorted(found.items()):
        scope, name, sku = key
        before = reported.setdefault((name, sku), [])
        if not may_publish(by_store.keys(), before):
            continue
        before.append(set(by_store))
        sets = [list(one) for one in known[key].sets] if key in known else []
        session.merge(
            BenchmarkFigure(
                scope_id=scope, name=name, sku=sku, value=median(list(by_store.values())), day=day,
                sets=sets if sorted(by_store) in sets else [*sets, sorted(by_store)],
            )
        )  # fmt: skip
    session.flush()
    return _publish(session, regional, at)


# --- verbs, store ---


def take_edition(session: Session, body: dict[str, Any]) -> None:
    """Take the figures over as the network publishes them, whole."""
    session.execute(sa.delete(BenchmarkFigure))
    rows = [
        {"scope_id": str(body["scope"]), "name": name, "sku": sku, "value": value, "day": dt.date.fromisoformat(day),
         "sets": []}
        for name, sku, value, day in body["figures"]
    ]  # fmt: skip
    if rows:
        session.execute(sa.insert(BenchmarkFigure), rows)


# --- questions ---


def is_published(session: Session) -> bool:
    """Tell whether figures were ever published here."""
    return session.scalar(sa.select(BenchmarkFigure.scope_id).limit(1)) is not None


def nearby(session: Session) -> dict[tuple[str, str], BenchmarkFigure]:
    """Return the published figures a store has, by (name, sku)."""
    return {(row.name, row.sku): row for row in session.scalars(sa.select(BenchmarkFigure))}


def own_figures(session: Session, store_id: str, day: dt.date) -> dict[tuple[str, str], int]:
    """Return a store's own figures (rule 4)."""
    return figures_of(session, [store_id], day)[store_id].values


def figures_of(session: Session, stores: Iterable[str], day: dt.date) -> dict[str, OwnFigures]:
    """Return the figures of some stores over the WINDOW_DAYS days until `day` (rule 2)."""
    asked = list(stores)
    since = day - dt.timedelta(days=WINDOW_DAYS - 1)
    values: dict[str, dict[tuple[str, str], int]] = {store_id: {} for store_id in asked}
    sold: dict[str, dict[str, tuple[int, int]]] = {store_id: {} for store_id in asked}
    rows = session.execute(
        sa.select(
            DailyDemand.store_id, DailyDemand.sku, sa.func.sum(DailyDemand.sold_qty),
            sa.func.sum(DailyDemand.revenue_minor), sa.func.max(Product.price_quantity),
        )
        .join(Product, Product.sku == DailyDemand.sku)
        .where(DailyDemand.store_id.in_(asked), DailyDemand.business_day.between(since, day))
        .group_by(DailyDemand.store_id, DailyDemand.sku)
        .having(sa.func.sum(DailyDemand.sold_qty) > 0)
    )  # fmt: skip
    for store_id, sku, qty, minor, per in rows:
        units, money = int(qty), int(minor)
        sold[store_id][sku] = (units, money)
        values[store_id]["price", sku] = divide_half_up(money * int(per), units)
        values[store_id]["rate", sku] = divide_half_up(units * 1000, WINDOW_DAYS)
    wasted = _wasted(session, asked, since, day)
    stock = _on_hand(session, asked)
    for store_id in asked:
        whole = sum(money for _, money in sold[store_id].values())
        if whole <= 0 or store_id not in stock:
            continue
        # units of unlike products are made comparable by what one of them brings in this store
        worth = {sku: (units, money) for sku, (units, money) in sold[store_id].items()}
        values[store_id]["waste", ""] = 10_000 * _money(wasted.get(store_id, {}), worth) // whole
        values[store_id]["cover", ""] = WINDOW_DAYS * _money(stock[store_id], worth) // whole
    return {store_id: OwnFigures(found) for store_id, found in values.items()}


def may_publish(stores: Set[str], published: Iterable[Set[str]]) -> bool:
    """Tell whether a figure over `stores` may stand beside all those that were published (rules 5, 6)."""
    if len(stores) < STORES:
        return False
    sides = (side for one in published for side in (stores - one, one - stores))
    return all(not side or len(side) >= STORES for side in sides)


def scope_of(region_sizes: Sequence[int]) -> str:
    """Return whether figures are the regions' or the network's (rule 7)."""
    return "region" if region_sizes and min(region_sizes) >= STORES else "network"


def gain_of_adding(rate_milli: int, price_minor: int, cost_minor: int, price_quantity: int) -> int:
    """Return the weekly margin of taking a product in (rule 8); price and cost are per price_quantity units."""
    return divide_half_up(amount_for(7 * rate_milli, price_minor - cost_minor, price_quantity), 2 * 1000)


def gain_of_pricing(rate_milli: int, price_minor: int, nearby_minor: int, cost_minor: int, price_quantity: int) -> int:
    """Return the weekly margin of moving a price to the nearby one, less what the present price brings (rule 8)."""
    moved = max(0, 2 * price_minor - nearby_minor)
    rate_then = divide_half_up(rate_milli * moved, price_minor) if price_minor else 0
    now = amount_for(7 * rate_milli, price_minor - cost_minor, price_quantity)
    then = amount_for(7 * rate_then, nearby_minor - cost_minor, price_quantity)
    return divide_half_up(then - now, 1000)


# --- inside ---


def _money(units: dict[str, int], worth: dict[str, tuple[int, int]]) -> int:
    return sum(qty * worth[sku][1] // worth[sku][0] for sku, qty in units.items() if sku in worth)


def _wasted(session: Session, stores: list[str], since: dt.date, day: dt.date) -> dict[str, dict[str, int]]:
    lost = sa.case((StockMovement.reason == UNDONE, -StockMovement.qty), else_=StockMovement.qty)
    rows = session.execute(
        sa.select(StockMovement.store_id, StockMovement.sku, sa.func.sum(lost))
        .where(
            StockMovement.store_id.in_(stores), StockMovement.reason.in_(("wasted", UNDONE)),
            StockMovement.business_day.between(since, day),
        )
        .group_by(StockMovement.store_id, StockMovement.sku)
    )  # fmt: skip
    return _by_store(rows)


def _on_hand(session: Session, stores: list[str]) -> dict[str, dict[str, int]]:
    rows = session.execute(
        sa.select(StockLevel.store_id, StockLevel.sku, sa.func.sum(StockLevel.qty))
        .where(StockLevel.store_id.in_(stores), StockLevel.place.in_([str(place) for place in INSIDE]))
        .group_by(StockLevel.store_id, StockLevel.sku)
        .having(sa.func.sum(StockLevel.qty) > 0)
    )
    return _by_store(rows)


def _by_store(rows: Iterable[Any]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for store_id, sku, qty in rows:
        found.setdefault(store_id, {})[sku] = int(qty)
    return found


def _publish(session: Session, regional: bool, at: dt.datetime) -> int:
    scopes = session.scalars(sa.select(Region.id)).all() if regional else [EVERYONE]
    reported = 0
    for scope in sorted(scopes):
        rows = session.scalars(
            sa.select(BenchmarkFigure)
            .where(BenchmarkFigure.scope_id == scope)
            .order_by(BenchmarkFigure.name, BenchmarkFigure.sku)
        ).all()
        body = {
            "scope": scope, "stores": STORES,
            "figures": [[row.name, row.sku, row.value, row.day.isoformat()] for row in rows],
        }  # fmt: skip
        if rows:
            publication.publish(session, KIND, scope, body, at=at)
        reported += len(rows)
    return reported
