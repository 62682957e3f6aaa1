"""What stands in for what is missing of a pickup order: something similar, never dearer.

Rules
-----
1. Nothing stands in without the customer's wish: given with the order, or said just now. Who wants all of it or nothing
   gets nothing else.
2. It is another product with a price, sold in the same unit, and not in the order already.
3. With its deposit, its tax and without what an offer had saved, it costs no more than what is missing would have cost
   with all that: its price is lowered until it fits. Where the deposit alone is more, it is refused.

Units: qty in the product's stock unit; *_minor currency minor units.
"""

import datetime as dt
from collections.abc import Sequence

from sqlalchemy.orm import Session

from config.clock import business_day
from config.errors import Invalid, Refused
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Product
from pos.store.store import Store
from supply.online.orders import PickupLine, PickupOrder
from supply.online.storefront.delivery_fee import fee_of
from supply.online.storefront.price import cost, promise_of

# --- verbs, store ---


def refuse_unwished(order: PickupOrder, *, agreed: bool, instead: bool) -> None:
    """Refuse what the customer did not wish for: something else, or less of an order that was all or nothing (rule 1).

    agreed: the customer said yes just now.
    """
    if agreed:
        return
    if order.if_short == "cancel":
        raise Refused(
            "all-or-nothing",
            f"The customer of order {order.order_no} wants all of it or nothing. Cancel it, or "
            "ask first, then say so here.",
        )
    if instead and order.if_short != "similar":
        raise Refused(
            "not-wished",
            f"The customer of order {order.order_no} did not wish for something else. Ask first, then say so here.",
        )


def replace_missing(
    session: Session, order: PickupOrder, found: Sequence[PickupLine], line: PickupLine, sku: str, at: dt.datetime
) -> PickupLine:
    """Write the line that stands in for what is missing of another (rules 2, 3)."""
    product, was = session.get(Product, sku), session.get_one(Product, line.sku)
    store = session.get_one(Store, order.store_id)
    day = business_day(at, store.tz, store.rollover_hour)
    price_minor = catalogue.price_on(session, store.id, sku, day)
    if product is None or price_minor is None or product.price_typed or any(one.sku == sku for one in found):
        raise Invalid("not-a-replacement", f"Choose something else for {line.name}: another product with a price.")
    if (product.stock_unit, product.price_quantity) != (was.stock_unit, line.price_quantity):
        raise Invalid("not-a-replacement", f"{product.name} is sold in another unit than {line.name}.")
    missing_qty = line.qty - (line.picked_qty or 0)
    row = PickupLine(
        store_id=order.store_id,
        order_id=order.id,
        sku=sku,
        name=product.name,
        qty=missing_qty,
        picked_qty=missing_qty,
        price_minor=min(price_minor, line.price_minor),
        price_quantity=product.price_quantity,
        saved=[],
        instead_of=line.sku,
    )
    if product.deposit_sku is not None:
        row.deposit_sku = product.deposit_sku
        row.deposit_minor = catalogue.price_on(session, store.id, product.deposit_sku, day) or 0
    _bring_down(session, order, found, line, row)
    session.add(row)
    session.flush()
    return row


# --- inside ---


def _bring_down(
    session: Session, order: PickupOrder, found: Sequence[PickupLine], line: PickupLine, row: PickupLine
) -> None:
    """Lower the price until the order costs no more than it would with the line in full (rule 3)."""
    had, line.picked_qty = line.picked_qty, line.qty
    most_minor, line.picked_qty = _total(session, order, found), had
    while (over_minor := _total(session, order, [*found, row]) - most_minor) > 0:
        if row.price_minor == 0:
            raise Refused(
                "replacement-dearer",
                f"{row.name} costs more than {line.name}, for its deposit. Choose something else, or give the rest.",
                name=row.name, other=line.name,
            )  # fmt: skip
        row.price_minor = max(0, row.price_minor + over_minor * row.price_quantity // -row.qty)


def _total(session: Session, order: PickupOrder, lines: Sequence[PickupLine]) -> int:
    return cost(session, order.store_id, promise_of(lines, fee_of(session, order))).total_minor
