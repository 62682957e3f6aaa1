"""One order as the network's warehouse sees it: what was asked, promised, picked, sent and counted, and why less.

Rules
-----
1. Less is promised than was asked where there was not enough for all (`allocation`): how much was there, given to
   orders and kept for stores that order another day (`allocation`) stands with the line. Costs are of what is
   promised.
2. Less is picked than was promised for the picker's reason (`picking`); less is loaded than was promised without a list
   where it was not there any more (`warehouse`, rule 3).
"""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from pos.catalogue.catalogue import Product
from supply.network.warehouse import pick_lists
from supply.network.warehouse.allocation import Scarcity
from supply.network.warehouse.pick_lists import PickLine
from supply.orders import orders, promise_changes
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.orders import ReplenishmentOrder
from supply.orders.promise_changes import PromiseChange
from supply.orders.suppliers import supplier_of


@dataclass(frozen=True)
class SheetLine:
    """A line in packs.

    given, picked, sent, came: None: not yet. why: shared, set, gone, one of `pick_lists.REASONS`, or ''. scarce:
    where less was promised, in units; None for lines that were promised before it was kept.
    """

    sku: str
    name: str
    stock_unit: str
    pack_qty: int
    asked: int
    given: int | None
    picked: float | None
    sent: float | None
    came: float | None
    why: str
    cost_minor: int
    scarce: Scarcity | None
    change: PromiseChange | None
    """What an operator set of it."""


@dataclass(frozen=True)
class OrderSheet:
    """An order with its lines. pick_id: the list it stands on or left with; None: on none, or it stayed behind."""

    order: ReplenishmentOrder
    warehouse_id: str | None
    lines: tuple[SheetLine, ...]
    pick_id: str | None


def sheet(session: Session, store_id: str, order_id: str) -> OrderSheet:
    """Return a store's order as the warehouse sees it; NotFound when there is none."""
    order = orders.order_of(session, store_id, order_id)
    lines = orders.lines_of(session, order)
    units = dict(session.execute(sa.select(Product.sku, Product.stock_unit).where(
        Product.sku.in_([line.sku for line in lines]))).all())  # fmt: skip
    changes = promise_changes.of_order(session, store_id, order_id)
    waits = order.state == "acknowledged"  # what a list that has left once picked for it tells nothing then
    picked = {line.sku: line for line in pick_lists.picked_for(session, store_id, order_id, is_open=waits)}
    left = (
        sa.select(DeliveryLine.sku, sa.func.sum(DeliveryLine.advised_qty), sa.func.sum(DeliveryLine.counted_qty))
        .join(Delivery, sa.and_(Delivery.store_id == DeliveryLine.store_id, Delivery.id == DeliveryLine.delivery_id))
        .where(Delivery.store_id == store_id, Delivery.order_id == order_id, Delivery.state != "turned_back")
        .group_by(DeliveryLine.sku)
    )
    gone = {sku: (int(sent or 0), came) for sku, sent, came in session.execute(left)}
    reported = []
    for line in lines:
        of, one = line.pack_qty, picked.get(line.sku)
        sent, came = gone.get(line.sku, (0 if gone else None, None))
        reported.append(
            SheetLine(
                line.sku, line.name, units.get(line.sku, "each"), of, line.packs, line.packs_acknowledged,
                None if one is None or one.picked_qty is None else one.picked_qty / of,
                None if sent is None else sent / of, None if came is None else int(came) / of,
                _why(line, one, sent, changes.get(line.sku)), line.packs_expected * line.pack_cost_minor,
                Scarcity(**line.why["scarce"]) if "scarce" in line.why else None, changes.get(line.sku),
            )
        )  # fmt: skip
    pick_id = next((one.pick_id for one in reversed(list(picked.values()))), None)
    return OrderSheet(order, supplier_of(session, order.supplier_id).warehouse_id, tuple(reported), pick_id)


# --- inside ---


def _why(line: orders.OrderLine, picked: PickLine | None, sent: int | None, change: PromiseChange | None) -> str:
    """Return why a line gets other than was asked; of several reasons the last."""
    if picked is not None and picked.short_why:
        return picked.short_why
    given = line.packs_acknowledged
    if given is not None and sent is not None and sent < given * line.pack_qty:
        return "gone"
    if change is not None:
        return "set"
    return "shared" if given is not None and given < line.packs else ""
