"""What a store says it takes on a usual day, while its own sales cannot tell yet.

Rules
-----
1. It is one amount, what customers pay for goods on a usual day, or none: nobody has to say it. From it the store's
   forecast begins with the store's size (`forecasting.fit.store_size`), and before there is one what it is taken to
   sell (`expected`); without it the store is taken for an average one.
2. It counts until the store has traded on OWN_DAYS days. From then on it can be neither given nor changed.
3. The store is its author. Who founds it at the network may say it beforehand; it comes with the store when it joins
   (`pos.store.store.reported_of`), and what the store publishes tells the network of a change
   (`storefront.storefront`). Of a store without a node the operator says it (`state_for`).
"""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid, Refused
from config.money import MAX_MINOR
from config.nodes.journal import Context, record
from pos.catalogue.catalogue import Listing, Product, prices_on
from pos.store.store import Store, store_of
from supply.demand.history import StoreDay

if TYPE_CHECKING:  # numpy is large, and the till's pages only need the tables
    from forecasting.fit.store_size import Stated
    from forecasting.series.panel import DemandPanel

OWN_DAYS = 28
MOST_TIMES = 20.0


def state(ctx: Context, store_id: str, sales_minor: int) -> bool:
    """Say what a store takes on a usual day; 0 takes it back. Returns whether that is new.

    Told to nobody: `storefront.storefront.state_sales` is the verb that also tells the network.
    """
    store = store_of(ctx.session, store_id)
    if not 0 <= sales_minor <= MAX_MINOR:
        raise Invalid("bad-sales", "Enter the store's sales on a usual day, or leave it empty.", field="sales_amount")
    if not counts(ctx.session, store_id):
        raise Refused(
            "own-sales-tell",
            "The store has %(days)s days of sales, so its own sales are used. No figure is needed.",
            days=OWN_DAYS,
        )
    before, store.usual_sales_minor = store.usual_sales_minor, sales_minor
    if before == sales_minor:
        return False
    facts = {"before_minor": before, "sales_minor": sales_minor}
    record(ctx, verb="store.takings stated", subject=f"store:{store_id}", **facts)
    return True


def state_for(ctx: Context, store_id: str, sales_minor: int) -> bool:
    """Say for a store without a node what it takes on a usual day (`state`)."""
    if store_of(ctx.session, store_id).has_node:
        raise Refused("store-says-sales", "This store enters its usual sales on its own computer.")
    return state(ctx, store_id, sales_minor)


def counts(session: Session, store_id: str) -> bool:
    """Return whether what a store says still counts (rule 2)."""
    days = sa.select(StoreDay.business_day).where(StoreDay.store_id == store_id, StoreDay.sales > 0).limit(OWN_DAYS)
    return len(session.scalars(days).all()) < OWN_DAYS


def reported(session: Session, store_id: str, panel: "DemandPanel", day: dt.date) -> "Stated | None":
    """Return what a store says for its forecast, with the prices of the panel's products; None where nothing counts."""
    import numpy as np

    from forecasting.fit.store_size import Stated

    sales_minor = _said(session, store_id)
    if not sales_minor:
        return None
    price = _prices(session, store_id, day)
    return Stated(float(sales_minor), np.array([price.get(sku, np.nan) for _, sku in panel.keys]))


def times(session: Session, store_id: str, around: Mapping[str, float], day: dt.date) -> float:
    """Return how often what an average store sells a day has to be taken to bring what the store says.

    1 if it says none.

    around: units a day by SKU; those the store carries count, at its prices. Between 1 / MOST_TIMES and MOST_TIMES.
    """
    sales_minor = _said(session, store_id)
    if not sales_minor:
        return 1.0
    price = _prices(session, store_id, day)
    carried = session.scalars(sa.select(Listing.sku).where(Listing.store_id == store_id, Listing.active.is_(True)))
    average_minor = sum(around.get(sku, 0.0) * price.get(sku, 0.0) for sku in carried)
    return min(MOST_TIMES, max(1.0 / MOST_TIMES, sales_minor / average_minor)) if average_minor > 0 else 1.0


# --- inside ---


def _said(session: Session, store_id: str) -> int:
    sales_minor = session.get_one(Store, store_id).usual_sales_minor
    return sales_minor if sales_minor and counts(session, store_id) else 0


def _prices(session: Session, store_id: str, day: dt.date) -> dict[str, float]:
    """Return the store's prices of a stock unit."""
    quantity = dict(session.execute(sa.select(Product.sku, Product.price_quantity)).all())
    return {sku: minor / quantity[sku] for sku, minor in prices_on(session, store_id, day).items()}
