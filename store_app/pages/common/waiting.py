"""What waits for a person, as the rail counts it; and small questions several pages ask."""

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.catalogue.catalogue import Product
from pos.stock.ledger import CountTask
from supply.demand.campaign_uplift import CampaignAsk
from supply.online.orders import TO_DO, PickupOrder
from supply.orders.deliveries import Delivery
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import ReplenishmentOrder


def orders(session: Session, store_id: str) -> int:
    """Count the orders to approve or send, and the offers to answer."""
    return _number(
        session,
        ReplenishmentOrder.store_id == store_id,
        ReplenishmentOrder.state.in_(("proposed", "approved")),
    ) + _number(session, NetworkOffer.store_id == store_id, NetworkOffer.state == "offered")


def campaigns(session: Session, store_id: str) -> int:
    """Count the network's campaigns that wait for this store's answer."""
    return _number(session, CampaignAsk.store_id == store_id, CampaignAsk.state == "asked")


def deliveries(session: Session, store_id: str) -> int:
    """Count the deliveries that are expected or being counted."""
    return _number(session, Delivery.store_id == store_id, Delivery.state.in_(("expected", "counting")))


def counts(session: Session, store_id: str) -> int:
    """Count the products that want counting."""
    return _number(session, CountTask.store_id == store_id, CountTask.done_at.is_(None))


def pickups(session: Session, store_id: str) -> int:
    """Count the pickup orders somebody has to do something about; ready ones wait for their customer."""
    return _number(session, PickupOrder.store_id == store_id, PickupOrder.state.in_(TO_DO))


def stock_units(session: Session, skus: Iterable[str]) -> dict[str, str]:
    """Return the stock unit of each product that is known."""
    rows = session.execute(sa.select(Product.sku, Product.stock_unit).where(Product.sku.in_(list(skus))))
    return dict(rows.all())


def _number(session: Session, *conditions: sa.ColumnElement[bool]) -> int:
    return session.scalar(sa.select(sa.func.count()).where(*conditions)) or 0
