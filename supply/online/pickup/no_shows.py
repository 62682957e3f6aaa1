"""Orders that a store without a line never fetched: the network calls them off and the customer is told.

Rules
-----
1. What a store has not fetched by the time its customer comes cannot be ready. It is called off then, for good, what
   was paid goes back, and the store hears of it with its next contact.
2. Only an order the store never answered, whose message still waits here, is such a one; a share of a group is not.
3. A store heard of since the message was made, or less than IN_ONE_CONTACT before, may have it without having said so,
   and hands the goods over without a line: nobody is paid back here for goods they may be given. Where such a store is
   silent, the customer asks the network to decide (`order_copy` rule 4).
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.journal import Actor, Context
from config.nodes.node import Peer
from config.nodes.outbox import OutboxMessage
from config.words import N_
from supply.online import home_delivery
from supply.online.checkout import placing
from supply.online.orders import PickupOrder, lines_of, subject_of
from supply.online.pickup import order_copy
from supply.online.storefront import coupons, storefront

WITHOUT_A_TIME = dt.timedelta(hours=24)
"""So long an order waits to be fetched that names no time."""
IN_ONE_CONTACT = dt.timedelta(minutes=2)
"""A contact lasts so long at most: what is made meanwhile goes with it."""
WHY = N_("The store could not be reached in time.")
_SYSTEM = Actor.system("pickup", NETWORK)


def call_off(session: Session, *, at: dt.datetime) -> list[PickupOrder]:
    """Call off what was not fetched in time (rule 1); returns it."""
    waits = sa.exists().where(
        OutboxMessage.to_node == PickupOrder.store_id, OutboxMessage.id == "placed-" + PickupOrder.id,
        OutboxMessage.state == "pending",
    )  # fmt: skip
    in_vain = sa.or_(
        PickupOrder.window_from <= at,
        sa.and_(PickupOrder.window_from.is_(None), PickupOrder.placed_at <= at - WITHOUT_A_TIME),
    )
    query = sa.select(PickupOrder).where(
        PickupOrder.state == "placed", PickupOrder.step == 0, PickupOrder.group_id.is_(None), in_vain, waits
    )
    waiting = list(session.scalars(lock_rows(session, query.order_by(PickupOrder.placed_at, PickupOrder.id))))
    found = _surely_not_there(session, waiting)
    for order in found:
        placing.call_off(session, order, at=at)
        ctx = Context(session, _SYSTEM, at)
        journal.move(ctx, order, "cancelled", subject=subject_of(order), why=WHY)
        order.why, order.moved_at = WHY, at
        home_delivery.order_moved(ctx, order.store_id, order.id, True)
        session.flush()
        storefront.recount(session, order.store_id, [line.sku for line in lines_of(session, order)])
        coupons.give_back(session, order.store_id, order.id, at=at)
        order_copy.ended_here(session, order, at)
    return found


# --- inside ---


def _surely_not_there(session: Session, orders: Sequence[PickupOrder]) -> list[PickupOrder]:
    """Return those that no contact can have carried (rule 3); none of these stores' begins before this has ended."""
    ids, stores = [f"placed-{order.id}" for order in orders], sorted({order.store_id for order in orders})
    made = dict(
        session.execute(sa.select(OutboxMessage.id, OutboxMessage.made_at).where(OutboxMessage.id.in_(ids))).all()
    )
    peers = sa.select(Peer).where(Peer.id.in_(stores)).order_by(Peer.id).execution_options(populate_existing=True)
    heard = {peer.id: peer.heard_at for peer in session.scalars(lock_rows(session, peers))}
    return [
        order
        for order in orders
        if order.store_id not in heard or heard[order.store_id] < made[f"placed-{order.id}"] - IN_ONE_CONTACT
    ]
