"""Purchases that are ordered and have not come, of what is recalled: goods that are better called off than taken in.

Rules
-----
1. A purchase names no batch. Where a product is wholly recalled what comes of it is recalled; where a batch is, what
   comes may be of it, and the supplier can say.
2. A purchase is called off as a whole, with the recall for its reason and a letter to its supplier. What else stood on
   it is proposed anew, with the next look at what is needed.
3. What is taken in all the same is told, and stands in the warehouse as any other recalled goods (`recalls`, rule 2).
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Refused
from config.nodes.journal import Actor
from pos.stock import recall
from pos.stock.recall import Recall
from supply.network.purchasing import purchasing
from supply.orders import purchases
from supply.orders.purchases import Purchase, PurchaseLine
from supply.orders.suppliers import Supplier


@dataclass(frozen=True)
class Coming:
    """A purchase that brings a recalled product. others: how many other products it brings."""

    purchase: Purchase
    supplier: Supplier | None
    qty: int
    others: int


# --- verbs ---


def call_off(
    session: Session, recall_id: str, warehouse_id: str, purchase_id: str, *, actor: Actor, at: dt.datetime
) -> Purchase:
    """Call a purchase off for a recall (rule 2); one that is called off already stays so."""
    found = purchases.purchase_of(session, warehouse_id, purchase_id)
    row = recall.recall_of(session, warehouse_id, recall_id)
    if found.state == "cancelled":
        return found
    mine = any(line.sku == row.sku and line.packs for line in purchases.lines_of(session, found))
    if found.state != "ordered" or row.state == "lifted" or not mine:
        raise Refused("not-coming", "This purchase brings nothing that is recalled. Reload the page.")
    why = f"Recalled: {row.why}"
    return purchasing.drop(session, warehouse_id, purchase_id, why=why, actor=actor, at=at)


# --- questions ---


def coming(session: Session, recall_id: str) -> list[Coming]:
    """Return what is ordered of a recalled product and did not come, what comes first first; none once it is lifted."""
    rows = sa.select(Recall.store_id, Recall.sku).where(Recall.id == recall_id, Recall.state != "lifted").subquery()
    query = (
        sa.select(Purchase, PurchaseLine, Supplier)
        .join(
            PurchaseLine, sa.and_(PurchaseLine.store_id == Purchase.store_id, PurchaseLine.purchase_id == Purchase.id)
        )
        .join(rows, sa.and_(rows.c.store_id == Purchase.store_id, rows.c.sku == PurchaseLine.sku))
        .outerjoin(Supplier, Supplier.id == Purchase.supplier_id)
        .where(Purchase.state == "ordered", PurchaseLine.packs > 0)
        .order_by(Purchase.expected_day, Purchase.store_id, Purchase.id)
    )
    return [
        Coming(
            purchase, seller, line.packs * line.pack_qty,
            sum(1 for one in purchases.lines_of(session, purchase) if one.packs and one.sku != line.sku),
        )
        for purchase, line, seller in session.execute(query)
    ]  # fmt: skip


def recalled(session: Session, purchase: Purchase) -> dict[str, Recall]:
    """Return what a purchase brings that is recalled, the product before its batch: SKU -> the recall (rule 1)."""
    skus = [line.sku for line in purchases.lines_of(session, purchase) if line.packs or line.received_qty]
    rows = recall.in_force(session, purchase.store_id, skus)
    return {row.sku: row for row in sorted(rows, key=lambda row: row.batch is None)}
