"""The fee of a home delivery as the till rings it: a service of the shop's own, priced by its rules.

Rules
-----
1. The line is a product of the shop's own, a service: it has a tax class like any other and nothing of it is stocked.
2. It is rung at the price promised with the order; an order brought for nothing has no such line.
"""

import datetime as dt
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.nodes.journal import Actor
from pos.catalogue import assortment
from pos.catalogue.catalogue import Product
from pos.store.store import store_of
from supply.online import home_delivery
from supply.online.orders import PickupOrder
from supply.online.storefront import availability, storefront
from supply.online.storefront.delivery_rules import DeliveryRules
from supply.online.storefront.price import Promise, cost

COMMAND = "home delivery"


def settle(
    session: Session,
    store_id: str,
    rules: DeliveryRules,
    name: str,
    tax_class_id: str,
    *,
    actor: Actor,
    at: dt.datetime,
) -> DeliveryRules:
    """Settle how the shop brings orders home; they hold for orders placed from now on. name: of the fee on receipts."""
    store = store_of(session, store_id)
    wished = assortment.Wished(name, name, tax_class_id, kind="service")
    product = assortment.add(session, store_id, wished, command=COMMAND, actor=actor, at=at)
    if (product.name, product.tax_class_id) != (name, tax_class_id):
        assortment.change(session, store_id, product.sku, wished, actor=actor, at=at)
    today = business_day(at, store.tz, store.rollover_hour)
    assortment.set_price(session, store_id, product.sku, rules.fee_minor, today, today=today, actor=actor, at=at)
    session.flush()
    charged = cost(session, store_id, Promise([(product.sku, 1)], {product.sku: rules.fee_minor}, {})).total_minor
    rules = replace(rules, charged_minor=charged)
    kept = replace(availability.rules_of(session, store_id), delivery=rules.to_body())
    storefront.set_rules(session, store_id, kept, actor=actor, at=at)
    return rules


def fee_of(session: Session, order: PickupOrder) -> tuple[str, int] | None:
    """Return SKU and price of what an order's way costs, None where it costs nothing (rule 2)."""
    row = home_delivery.of_order(session, order.store_id, order.id)
    if row is None or not row.fee_minor:
        return None
    return assortment.sku_for(order.store_id, COMMAND), row.fee_minor


def product_of(session: Session, store_id: str) -> Product | None:
    """Return the product the fee is rung as, None before it was settled."""
    return session.scalar(sa.select(Product).where(Product.sku == assortment.sku_for(store_id, COMMAND)))
