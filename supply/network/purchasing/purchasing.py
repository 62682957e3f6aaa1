"""The network's own purchasing: what its warehouses need (`purchasing.requirements`) is proposed, ordered and taken in.

Rules
-----
1. A purchase is proposed for each upstream supplier, in its packs, on its order days, from its least amount on.
   Proposing again drops the purchases nobody ordered.
2. It is changed and ordered by the operator, who writes a message with it (`supplier_messages`), in the name the
   warehouse has for the stores, from its address (`locations`).
3. It is received once, line by line as counted, with the dates on the packs. More or less than ordered is taken as it
   came; what nobody counted came as ordered.

Quantities in stock units.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, NotFound, Refused, stated
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Context
from pos.stock import batches, stock
from pos.stock.batches import Lot
from pos.stock.ledger import MOST_QTY
from pos.store.store import day_of
from supply.network.purchasing import requirements
from supply.network.purchasing.requirements import Requirement, Source
from supply.orders import locations, order_days, supplier_messages
from supply.orders.delivery_calendar import is_over
from supply.orders.purchases import (
    STATES,
    Purchase,
    PurchaseLine,
    lines_of,
    number_of,
    purchase_of,
    purchases,
    subject_of,
)
from supply.orders.suppliers import MOST_PACKS, Supplier, supplier_of

if TYPE_CHECKING:
    from supply.replenishment.policy import Decision


# --- verbs ---


def propose(ctx: Context, warehouse_id: str) -> list[Purchase]:
    """Propose what a warehouse should buy now, of each supplier (rule 1); none where nothing is needed."""
    from supply.replenishment.policy import decide_basket

    for old in purchases(ctx.session, ["proposed"], warehouse_id=warehouse_id):
        journal.move(ctx, old, "dropped", subject=subject_of(old), why="replaced")
    made = []
    for source, required in requirements.required(ctx, warehouse_id):
        decided = decide_basket([item.line for item in required], source.minimum_minor)
        wanted = [(item, one) for item, one in zip(required, decided, strict=True) if one.packs]
        if wanted:
            made.append(_write(ctx, warehouse_id, source, wanted))
    ctx.session.flush()
    return made


def order(ctx: Context, warehouse_id: str, purchase_id: str, packs: Mapping[str, int] | None = None) -> Purchase:
    """Order a proposed purchase. packs: where the operator wants another number, by SKU (rule 2)."""
    found = purchase_of(ctx.session, warehouse_id, purchase_id)
    STATES.require(found.state, "ordered")
    lines = {line.sku: line for line in lines_of(ctx.session, found)}
    for sku, count in (packs or {}).items():
        if sku not in lines:
            raise NotFound("not-on-purchase", "This product is not on the purchase.", sku=sku)
        if isinstance(count, bool) or not 0 <= count <= MOST_PACKS:
            raise Invalid(
                "bad-packs", "Enter a whole number of packs, 0 to %(most)s.", sku=sku, packs=count, most=MOST_PACKS
            )
        lines[sku].packs = count
    found.cost_minor = sum(line.packs * line.pack_cost_minor for line in lines.values())
    if not any(line.packs for line in lines.values()):
        raise Refused("empty-order", "Nothing is ordered. Enter at least one pack, or discard the order.")
    seller = _seller(ctx.session, found, ctx.at)
    found.ordered_at = ctx.at
    journal.move(ctx, found, "ordered", subject=subject_of(found), cost_minor=found.cost_minor)
    ctx.session.flush()
    if seller is not None:
        wanted = [line for line in lines.values() if line.packs]
        supplier_messages.write(ctx.session, _as_message(ctx, found), seller, wanted, at=ctx.at)
    return found


def drop(ctx: Context, warehouse_id: str, purchase_id: str, *, why: str) -> Purchase:
    """Drop a proposed purchase, or call off an ordered one, with a reason."""
    found = purchase_of(ctx.session, warehouse_id, purchase_id)
    why = stated(why, Invalid("no-reason", "Enter a reason for discarding the purchase."), 300)
    target = "dropped" if found.state == "proposed" else "cancelled"
    journal.move(ctx, found, target, subject=subject_of(found), why=why)
    supplier_messages.call_off(ctx, warehouse_id, purchase_id, why=why)
    return found


def receive(
    ctx: Context, warehouse_id: str, purchase_id: str, counts: Mapping[str, tuple[int, dt.date | None]] | None = None
) -> Purchase:
    """Take a purchase in, once: (units, last day of sale) by SKU; what is not named came as ordered (rule 3)."""
    found = purchase_of(ctx.session, warehouse_id, purchase_id)
    if found.state == "received":
        raise Conflict(
            "already-posted", "Purchase %(purchase_no)s was already received.", purchase_no=found.purchase_no,
            state=found.state,
        )  # fmt: skip
    STATES.require(found.state, "received")
    lines = {line.sku: line for line in lines_of(ctx.session, found)}
    today = day_of(ctx.session, warehouse_id, ctx.at)
    for sku, (units, until) in (counts or {}).items():
        if sku not in lines:
            raise NotFound("not-on-purchase", "This product is not on the purchase.", sku=sku)
        if isinstance(units, bool) or not 0 <= units <= MOST_QTY:
            raise Invalid(
                "bad-quantity", "%(name)s: enter how many arrived, 0 or more.", name=lines[sku].name, sku=sku, qty=units
            )
        batches.refuse_strange_day(until, today)
        lines[sku].received_qty, lines[sku].expires_on = units, until
    for line in lines.values():
        line.received_qty = line.packs * line.pack_qty if line.received_qty is None else line.received_qty
    came = [(line.sku, line.received_qty) for line in lines.values() if line.received_qty]
    if came:
        stock.receive(ctx, warehouse_id, came, source_kind="purchase", source_id=found.id)
        lots = [Lot(line.sku, line.received_qty or 0, None, line.expires_on) for line in lines.values()]
        batches.lay_in(ctx.session, warehouse_id, lots, source_kind="purchase", source_id=found.id, at=ctx.at)
    found.received_at = ctx.at
    units = sum(qty or 0 for _, qty in came)
    journal.move(ctx, found, "received", subject=subject_of(found), units=units)
    ctx.session.flush()
    return found


# --- inside ---


def _write(
    ctx: Context, warehouse_id: str, source: Source, wanted: "Sequence[tuple[Requirement, Decision]]"
) -> Purchase:
    """Write one proposal down and journal it."""
    number = sa.select(sa.func.max(Purchase.purchase_no)).where(Purchase.store_id == warehouse_id)
    made = Purchase(
        store_id=warehouse_id,
        id=new_id(),
        purchase_no=int(ctx.session.scalar(number) or 0) + 1,
        state=STATES.first,
        supplier_id=source.supplier_id,
        order_day=source.order_day,
        expected_day=source.delivery_day,
        proposed_at=ctx.at,
        cost_minor=sum(one.cost_minor for _, one in wanted),
    )
    ctx.session.add(made)
    ctx.session.flush()
    ctx.session.add_all(
        PurchaseLine(
            store_id=warehouse_id, purchase_id=made.id, sku=item.line.sku, name=item.name, pack_qty=item.line.pack_qty,
            pack_cost_minor=item.line.pack_cost_minor, packs=one.packs, why=item.why | {"target": one.target_qty},
        )
        for item, one in wanted
    )  # fmt: skip
    journal.record(
        ctx, verb="purchase.proposed", subject=subject_of(made), lines=len(wanted),
        cost_minor=made.cost_minor, supplier=source.supplier_id or "")  # fmt: skip
    ctx.session.flush()
    return made


def _seller(session: Session, found: Purchase, at: dt.datetime) -> Supplier | None:
    """Return whom a purchase is ordered of now; refused where they do not take it as it stands (rule 1)."""
    if found.supplier_id is None:
        return None
    seller = supplier_of(session, found.supplier_id)
    if not seller.active:
        raise Refused("put-aside", "%(name)s is paused. Reactivate it, or discard the order.", name=seller.name)
    today = day_of(session, found.store_id, at)
    minute = order_days.minute_at(session, found.store_id, today, at)
    if found.order_day is not None and is_over(seller.calendar, found.order_day, today, minute):
        raise Refused(
            "order-day-over",
            "The order day has passed. Suggest again to update dates and quantities.",
            day=found.order_day.isoformat(),
        )
    if found.cost_minor < seller.minimum_minor:
        raise Refused(
            "below-minimum", "%(name)s has a higher minimum order. Add packs, or discard it and order next time.",
            name=seller.name, minimum_minor=seller.minimum_minor, cost_minor=found.cost_minor,
        )  # fmt: skip
    return seller


def _as_message(ctx: Context, found: Purchase) -> supplier_messages.Ordered:
    """Return a purchase as its message tells it, with who writes (rule 2)."""
    return supplier_messages.Ordered(
        found.store_id, found.id, number_of(found), found.order_day or found.expected_day, found.expected_day,
        found.cost_minor, locations.head(ctx, found.store_id),
    )  # fmt: skip
