"""What a share of a group buy costs: the group's price with its deposit and its tax, as the till will ring it.

Rules
-----
1. A share is a promised line like any of an online order; what it costs is the till's own arithmetic
   (`storefront.price`).
2. Of a share the leader earns on its goods alone, as they were promised, without tax and deposit (`groups.arithmetic`).
3. No share costs more than its member has paid: where a deposit or a tax has risen since, the price of a unit falls.

Units: *_minor currency minor units.
"""

import datetime as dt
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from pos.catalogue import catalogue
from pos.catalogue.catalogue import Product
from pos.store.store import day_of
from supply.online.groups.arithmetic import commission
from supply.online.orders import PickupOrder, lines_of
from supply.online.storefront.availability import ShopOffer
from supply.online.storefront.price import cost, promise_of
from supply.online_facts import OrderLine


def share(
    session: Session, store_id: str, sku: str, qty: int, price_minor: int, *, most_minor: int | None = None,
    at: dt.datetime,
) -> tuple[OrderLine, int]:  # fmt: skip
    """Return a share's line and what it costs in all; most_minor: what was paid for it (rule 3)."""
    line = _line(session, store_id, sku, qty, price_minor, at)
    total_minor = _total(session, store_id, line)
    while most_minor is not None and total_minor > most_minor:
        fewer = max(1, (total_minor - most_minor) // qty)
        if line.price_minor > fewer:
            line = replace(line, price_minor=line.price_minor - fewer)
        else:
            line = replace(line, deposit_sku=None, deposit_minor=None)
        total_minor = _total(session, store_id, line)
    return line, total_minor


def leaders_part(session: Session, store_id: str, order_id: str, left_minor: int, commission_bp: int) -> int:
    """Return what a leader earns on a share of which so much was not sent back (rule 2)."""
    order = session.get(PickupOrder, (store_id, order_id))
    if order is None or not commission_bp:
        return 0
    priced = cost(session, store_id, promise_of(lines_of(session, order)))
    goods_minor = sum(line.net_minor for line in priced.lines if line.product.kind != "deposit")
    return commission(goods_minor, priced.total_minor, left_minor, commission_bp)


def _total(session: Session, store_id: str, line: Any) -> int:
    return cost(session, store_id, promise_of([line])).total_minor


def _line(session: Session, store_id: str, sku: str, qty: int, price_minor: int, at: dt.datetime) -> OrderLine:
    product = session.get_one(Product, sku)
    line = OrderLine(sku, product.name, qty, price_minor, product.price_quantity)
    deposit_sku = product.deposit_sku
    if deposit_sku is None:
        return line
    offer = session.get(ShopOffer, (store_id, deposit_sku))
    asked = (
        offer.price_minor
        if offer
        else catalogue.price_on(session, store_id, deposit_sku, day_of(session, store_id, at))
    )
    return line if asked is None else replace(line, deposit_sku=deposit_sku, deposit_minor=asked)
