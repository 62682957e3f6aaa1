"""A store's, or a region's, own last months replayed under our way of ordering and under others': the proof in money.

Rules
-----
1. Replayed are the MOST_PRODUCTS products that sold for most, in each store's own packs and shelf lives, with the
   rhythm of the supplier most of them come from. Demand is what was sold; what an empty shelf hid is not added.
2. Each way of ordering is shown at its whole curve, and at the fill `replay.FILL`, or the highest one that ours and the
   two moving rivals reach.
3. A replay is kept per scope, the newest alone; a region's is that of all its stores together.
"""

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from pos.catalogue.catalogue import Product, prices_on
from pos.store.countries import holidays_of
from pos.store.store import Store
from supply.demand import history
from supply.orders.delivery_calendar import next_cycle
from supply.orders.suppliers import supplier_of
from supply.orders.supply_routes import sources

if TYPE_CHECKING:  # numpy is large, and the pages only need the table
    from supply.replenishment.replay import Loaded

MOST_PRODUCTS = 300
SCORED_DAYS = 56
EVERY_DAYS = 7


class OrderReplay(Base):
    """The newest replay of a scope. body: JSON as `replay.compute` returns it."""

    __tablename__ = "order_replay"

    scope_kind: Mapped[str] = mapped_column(primary_key=True)
    """store | region"""
    scope_id: Mapped[str] = mapped_column(primary_key=True)
    made_at: Mapped[dt.datetime]
    last_day: Mapped[dt.date]
    body: Mapped[dict[str, Any]]


def load(session: Session, stores: list[str], day: dt.date, *, country: str) -> "Loaded | None":
    """Read the demand of these stores up to `day`; None where it is too short or nothing was sold (rule 1)."""
    import numpy as np

    from forecasting.series.panel import DemandPanel
    from supply.replenishment.replay import WARM_DAYS, History, Loaded, Setting  # numpy

    life_of = dict(session.execute(sa.select(Product.sku, Product.shelf_life_days)).all())
    keys, y, category, value, pack, life, order_cycles = [], [], [], [], [], [], []
    for store_id in stores:
        panel = history.panel(session, store_id, day)
        prices = prices_on(session, store_id, day)
        terms = {one.sku: one for found in sources(session, store_id, day).values() for one in found}
        rows = [
            n for n, (_, sku) in enumerate(panel.keys)
            if sku in prices and sku in terms and np.nansum(panel.y[n, -SCORED_DAYS:]) > 0
        ]  # fmt: skip
        skus = [panel.keys[n][1] for n in rows]
        worth = {sku: prices[sku] / (session.get_one(Product, sku).price_quantity or 1) for sku in skus}
        order = sorted(range(len(rows)), key=lambda at: -worth[skus[at]] * np.nansum(panel.y[rows[at], -SCORED_DAYS:]))
        for at in order[: max(1, MOST_PRODUCTS // len(stores))]:
            sku = skus[at]
            keys.append((store_id, sku))
            y.append(panel.y[rows[at]])
            category.append(panel.category[rows[at]])
            value.append(worth[sku])
            pack.append(float(terms[sku].pack_qty))
            life.append(float(life_of[sku] or np.inf))
            order_cycles.append(terms[sku].supplier_id)
        first_day = panel.first_day
    if not keys:
        return None
    supplier = supplier_of(session, max(sorted(set(order_cycles)), key=order_cycles.count))
    days = next_cycle(replace(supplier.calendar, closed=frozenset()), day)  # as in any week
    setting = Setting(
        lead_days=(days.delivery_day - days.order_day).days,
        review_days=(days.next_delivery_day - days.delivery_day).days,
        pack_qty=np.array(pack), shelf_life_days=np.array(life), scored_days=SCORED_DAYS,
    )  # fmt: skip
    grid = np.array(y)
    known = np.flatnonzero((~np.isnan(grid)).any(axis=0))
    if not known.size or grid.shape[1] - known[0] < SCORED_DAYS + WARM_DAYS + setting.span + 28:
        return None
    grid, first_day = grid[:, known[0] :], first_day + dt.timedelta(days=int(known[0]))
    panel = DemandPanel(tuple(keys), first_day, grid, category=tuple(category))
    tz = session.get_one(Store, stores[0]).tz
    return Loaded(History(panel, np.array(value)), setting, holidays_of(country, tz))


def keep(
    session: Session, kind: str, scope_id: str, body: dict[str, Any], *, last_day: dt.date, at: dt.datetime
) -> OrderReplay:
    """Keep a scope's newest replay (rule 3)."""
    kept = session.merge(OrderReplay(scope_kind=kind, scope_id=scope_id, made_at=at, last_day=last_day, body=body))
    session.flush()
    return kept


def newest(session: Session, kind: str, scope_id: str) -> OrderReplay | None:
    """Return a scope's replay; None where none was made yet."""
    return session.get(OrderReplay, (kind, scope_id))


def is_due(session: Session, kind: str, scope_id: str, day: dt.date) -> bool:
    """Tell whether a scope's replay is missing or older than EVERY_DAYS."""
    found = newest(session, kind, scope_id)
    return found is None or (day - found.last_day).days >= EVERY_DAYS


def stores_of(session: Session, region_id: str) -> list[str]:
    """Return a region's stores."""
    return list(session.scalars(sa.select(Store.id).where(Store.region_id == region_id).order_by(Store.id)))
