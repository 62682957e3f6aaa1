"""What waits for a person, as the rail counts it; and small questions several pages ask."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.catalogue.catalogue import Product
from pos.stock import recall
from store_app.web.presenting import today
from supply.membership.today import count


def orders(session: Session, store_id: str) -> int:
    """Count the orders to approve or send, and the offers to answer."""
    return count(session, "order", store_id, today()) + count(session, "offer", store_id, today())


def campaigns(session: Session, store_id: str) -> int:
    """Count the network's campaigns that wait for this store's answer."""
    return count(session, "campaign", store_id, today())


def deliveries(session: Session, store_id: str) -> int:
    """Count the deliveries that are due or being counted."""
    return count(session, "delivery", store_id, today())


def counts(session: Session, store_id: str) -> int:
    """Count the products to count."""
    return count(session, "count", store_id, today())


def stock(session: Session, store_id: str) -> int:
    """Count the products to count, and the recalls to look through."""
    return counts(session, store_id) + recall.to_look_through(session, store_id)


def pickups(session: Session, store_id: str) -> int:
    """Count the pickup orders somebody has to do something about; ready ones wait for their customer."""
    return count(session, "pickup", store_id, today())


def stock_units(session: Session, skus: Iterable[str]) -> dict[str, str]:
    """Return the stock unit of each product that is known."""
    rows = session.execute(sa.select(Product.sku, Product.stock_unit).where(Product.sku.in_(list(skus))))
    return dict(rows.all())
