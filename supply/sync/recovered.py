"""A store's own orders, deliveries and online orders, written again into books that were put back from an older copy.

Rules
-----
1. What was told last stands. Goods moved by the stock's own facts, and money is the network's: neither moves here, but
   for what was taken at the counter for an order, or given back (`counter_orders`).
2. An order that was only proposed when the copy was made is the one that was sent.
3. An online order holds its units while it is open, as far as they are here; the person's name comes again from the
   network with the order itself.
4. A copy put back knows lower steps than it has told. Whatever it said from then on would be passed over in silence
   until it had caught up, so with a new epoch its steps, and the versions of what it publishes, go on from the time in
   milliseconds.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from config.clock import as_utc
from config.errors import Refused
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.facts import Odd, not_recovered, recovers
from config.nodes.journal import Context
from config.nodes.publication import Publication
from pos.stock import stock
from pos.stock.ledger import open_promises
from supply.facts import DeliveryClosed, DeliveryPosted, DeliveryRefused, OrderCancelled, OrderSent
from supply.membership.support import SupportPermission
from supply.money import lost_entries
from supply.money.credit import CreditLine
from supply.network.routes.routes import RouteStop
from supply.online.groups.groups import GroupOffer
from supply.online.orders import OPEN, PickupOrder, lines_of, subject_of, write_down
from supply.online.pickup import order_copy
from supply.online_facts import PickupMoved
from supply.orders import arrivals
from supply.orders.orders import TO_SEND, OrderLine, ReplenishmentOrder
from supply.receiving import receiving

Step = InstrumentedAttribute[int]
REPORTED_BY_STORES: tuple[Step, ...] = (PickupOrder.step, SupportPermission.step)
REPORTED_BY_THE_NETWORK: tuple[Step, ...] = (GroupOffer.step, RouteStop.step, CreditLine.step, Publication.version)


@recovers(OrderSent)
def take_sent(ctx: Context, fact: OrderSent) -> None:
    """Write an order that was sent (rule 2)."""
    mine = (ReplenishmentOrder.store_id == fact.store_id, ReplenishmentOrder.id == fact.order_id)
    unsent = sa.select(ReplenishmentOrder.id).where(*mine, ReplenishmentOrder.state.in_(TO_SEND))
    if ctx.session.scalar(unsent) is not None:
        line = sa.delete(OrderLine).where(OrderLine.store_id == fact.store_id, OrderLine.order_id == fact.order_id)
        ctx.session.execute(line)
        ctx.session.execute(sa.delete(ReplenishmentOrder).where(*mine))
        ctx.session.expire_all()
    arrivals.write_down(ctx, fact)


@recovers(OrderCancelled)
def take_cancelled(ctx: Context, fact: OrderCancelled) -> None:
    """Call an order off again."""
    take_sent(ctx, fact.order)
    arrivals.called_off(ctx, fact)


@recovers(DeliveryPosted, DeliveryRefused)
def take_delivery(ctx: Context, fact: DeliveryClosed) -> None:
    """Close a delivery as it was counted or refused."""
    receiving.mirror(ctx, fact)


@recovers(PickupMoved)
def take_moved(ctx: Context, moved: PickupMoved) -> list[Odd]:
    """Let an online order stand where it stood (rules 1, 3)."""
    order = ctx.session.get(PickupOrder, (moved.store_id, moved.order_id))
    if order is None:
        order = write_down(ctx.session, order_copy.without_person(moved))
    order_copy.take_over(order, moved, ctx.at)
    picked = {line.sku: line.picked_qty for line in moved.lines}
    for line in lines_of(ctx.session, order):
        line.picked_qty = picked.get(line.sku, line.picked_qty)
    journal.record(ctx, verb="pickup order.recovered", subject=subject_of(order), state=moved.state)
    if moved.state not in OPEN:
        stock.answer(
            ctx.session, moved.store_id, moved.order_id, "fulfilled" if moved.sale_id else "released", at=ctx.at
        )
        return []
    wanted = [(line.sku, line.qty) for line in moved.lines if not line.awaited]
    if not wanted or open_promises(ctx.session, moved.store_id, moved.order_id):
        return []
    try:
        with ctx.session.begin_nested():
            stock.reserve(ctx, moved.store_id, moved.order_id, wanted)
    except Refused as refusal:
        return [not_recovered(moved.TOPIC, moved.order_no, moved.placed_at[:10], refusal)]
    return []


def after_a_restore(session: Session, node_id: str, *, at: dt.datetime) -> None:
    """Let all that this node tells in steps go on above what it may have told; the network asks what it has lost."""
    now_ms = int(as_utc(at).timestamp() * 1000)
    if node_id == NETWORK:
        lost_entries.ask_all(session, at=at)
    for step in REPORTED_BY_THE_NETWORK if node_id == NETWORK else REPORTED_BY_STORES:
        session.execute(
            sa.update(step.class_)
            .where(step > 0, step < now_ms)
            .values({step.key: now_ms})
            .execution_options(synchronize_session=False)
        )
    session.expire_all()
