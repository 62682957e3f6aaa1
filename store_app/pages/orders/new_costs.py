"""What a delivery changed of the costs: the margin before and after, so that a price can follow at once."""

import json
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.journal import JournalEntry
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Product, TaxClass
from pos.catalogue.repricing import Priced, margin_bp
from pos.store.store import day_of
from supply.orders.deliveries import Delivery, DeliveryLine

MOST = 200


@dataclass(frozen=True)
class NewCost:
    """A product that costs more or less than before, per price quantity; margins in basis points, None unknown."""

    sku: str
    name: str
    before_minor: int
    cost_minor: int
    price_minor: int
    before_bp: int | None
    after_bp: int | None


def of_delivery(session: Session, delivery: Delivery) -> list[NewCost]:
    """Return what posting a delivery learnt of costs, the worst first; what nobody knew before is no change."""
    if delivery.posted_at is None:
        return []
    goods = sa.select(sa.literal("product:") + DeliveryLine.sku).where(
        DeliveryLine.store_id == delivery.store_id, DeliveryLine.delivery_id == delivery.id
    )  # the journal is long, and found by its subjects
    entries = session.execute(
        sa.select(JournalEntry.subject, JournalEntry.body)
        .where(
            JournalEntry.subject.in_(goods), JournalEntry.node_id == delivery.store_id,
            JournalEntry.verb == "cost.learnt", JournalEntry.at == delivery.posted_at,
        )
        .limit(MOST)
    ).all()  # fmt: skip
    told = {subject.removeprefix("product:"): json.loads(body) for subject, body in entries}
    before = {sku: one["before_minor"] for sku, one in told.items() if one.get("before_minor") is not None}
    prices = catalogue.prices_on(
        session, delivery.store_id, day_of(session, delivery.store_id, delivery.posted_at), list(before)
    )
    rows = session.execute(
        sa.select(Product, TaxClass)
        .join(TaxClass, TaxClass.id == Product.tax_class_id)
        .where(Product.sku.in_(list(before)))
    )
    found = []
    for product, tax in rows:
        cost, price = int(told[product.sku]["cost_minor"]), prices.get(product.sku, 0)
        margins = [
            margin_bp(Priced(price, minor, tax.rate_bp, tax.inclusive), price) for minor in (before[product.sku], cost)
        ]
        found.append(NewCost(product.sku, product.name, before[product.sku], cost, price, *margins))
    return sorted(found, key=lambda one: (one.after_bp if one.after_bp is not None else 0, one.name))
