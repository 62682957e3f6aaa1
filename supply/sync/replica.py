"""What arrives about orders and deliveries, where several nouns hear it; and the list of who else hears facts.

Rules
-----
1. Each applier is idempotent: it looks at what is there. Words may come twice and in any order: entries and draws have
   ids of their own, of a line's or an account's words the newest stands.
2. Goods move in a store's copied book only by the stock's own facts; a posted delivery tells what was counted.
3. A sale is written by `pos.sync.replica`; here the points that waited for it are counted.
"""

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

import pos.sync.recovered
import pos.sync.replica
from config.errors import Refused
from config.nodes import facts
from config.nodes.facts import Odd, applies
from config.nodes.journal import Context
from config.nodes.outbox import Message
from pos.catalogue import photos as product_photos
from pos.catalogue import reported_assortment
from pos.customers import loyalty, tab
from pos.facts import SaleCompleted
from supply.demand import day_reports
from supply.facts import (
    DeliveryClosed,
    DeliveryDispatched,
    DeliveryPosted,
    DeliveryRefused,
    Dispatched,
    NetworkOfferAnswered,
    OrderAcknowledged,
    OrderCancelled,
    OrderDispatched,
    OrderMoved,
    OrderPromised,
    OrderSent,
)
from supply.membership import leaving, level, objections, support
from supply.money import advances, agent_commissions, consignment, credit, lost_entries, payouts, points, points_pool
from supply.network.claims import handling, photos
from supply.network.offers import campaign_requests, campaigns, offer_results
from supply.network.recalls import recalls
from supply.network.routes import routes
from supply.network.transfers import sheets, transfers
from supply.network.warehouse import dispatch, returns
from supply.online.pickup import counter_orders, order_copy, pickup
from supply.online.pickup import returns as pickup_returns
from supply.online.storefront import product_stories, storefront
from supply.orders import arrivals, network_offers, orders, promise_changes
from supply.orders.deliveries import ON_ITS_WAY, Delivery, delivery_of
from supply.orders.network_offers import NetworkOffer
from supply.receiving import receiving, vehicle_arrivals
from supply.shelf import plan
from supply.sync import groups, online, recovered

HEARING = (
    pos.sync.recovered, product_photos, reported_assortment, day_reports, loyalty, tab, leaving, level, objections,
    support, advances, agent_commissions, consignment, credit, lost_entries, payouts, points, points_pool, handling,
    photos, campaign_requests, campaigns, recalls, sheets, transfers, returns, counter_orders, order_copy, pickup,
    pickup_returns, product_stories, storefront, network_offers, vehicle_arrivals, plan, groups, online, recovered,
)  # fmt: skip
"""The modules with appliers and recoverers: importing them registers all (`@applies`, `@recovers`)."""


def again(session: Session, message: Message, at: dt.datetime) -> Sequence[Odd]:
    """Write a fact of this store again (`facts.recover`)."""
    return facts.recover(session, message, at)


# --- at the network ---


@applies(SaleCompleted, after=pos.sync.replica.take_sale)
def count_points(ctx: Context, fact: SaleCompleted) -> None:
    """Count the points that waited for a store's sale."""
    points.sales_came(ctx.session, fact.of(), [fact.id], at=ctx.at)


def take_sales(session: Session, messages: Sequence[Message], from_node: str, at: dt.datetime) -> Sequence[Message]:
    """Write the sales of a batch all at once, and count the points that waited for them; returns what is left."""
    left = pos.sync.replica.take_sales(session, messages, from_node, at)
    apart = {message.id for message in left}
    points.sales_came(session, from_node, [one.id for one in messages if one.id not in apart], at=at)
    return left


@applies(OrderSent)
def take_sent(ctx: Context, fact: OrderSent) -> None:
    """Take in a store's order."""
    arrivals.arrive(ctx, fact)


@applies(OrderCancelled)
def take_cancelled(ctx: Context, fact: OrderCancelled) -> None:
    """Take a store's cancellation of an order."""
    arrivals.called_off(ctx, fact)
    credit.called_off(ctx, fact.order.store_id, fact.order.order_id)


@applies(DeliveryPosted, DeliveryRefused)
def take_posted(ctx: Context, fact: DeliveryClosed) -> None:
    """Take over what a store counted of a delivery, or that it sent it back."""
    sent = ctx.session.get(Delivery, (fact.store_id, fact.delivery_id))
    if fact.state == "refused" and sent is not None and routes.said_of(ctx.session, sent) in vehicle_arrivals.LEFT_HERE:
        raise Refused(
            "left-there",
            "%(store_id)s reports delivery %(delivery_id)s as refused; its driver reports that someone "
            "there accepted it.",
            store_id=fact.store_id, delivery_id=fact.delivery_id,
        )  # fmt: skip
    if sent is not None and sent.state in ("posted", "refused") and fact.state != sent.state:
        raise Refused(
            "closed-otherwise", "%(store_id)s reports delivery %(delivery_id)s as %(state)s; previously, it was "
                                "%(before)s.",
            store_id=fact.store_id, delivery_id=fact.delivery_id, state=fact.state, before=sent.state,
        )  # fmt: skip
    receiving.mirror(ctx, fact)
    delivery = delivery_of(ctx.session, fact.store_id, fact.delivery_id)
    if fact.state != "posted" and sent is None:
        return  # nothing was loaded for this store by that id: another store's goods do not come back by its word
    if fact.state != "posted":
        dispatch.take_back(ctx, delivery)
        handling.replacement_came(ctx, delivery)
    else:
        _charge(ctx, delivery)
        if sent is not None:  # the fee for the place is for what the network has loaded itself
            offer_results.goods_received(ctx, delivery)


@applies(NetworkOfferAnswered)
def take_answer(ctx: Context, fact: NetworkOfferAnswered) -> None:
    """Take over what a store answered to an offer."""
    network_offers.take_answer(ctx, fact)
    query = sa.select(Delivery).where(
        Delivery.store_id == fact.store_id, Delivery.network_offer_id == fact.network_offer_id
    )
    for delivery in ctx.session.scalars(query.where(Delivery.state == "posted")):  # it came before its answer did
        consignment.take_in(ctx.session, delivery, at=ctx.at)
        _charge(ctx, delivery)


# --- at a store ---


@applies(OrderAcknowledged)
def take_acknowledged(ctx: Context, fact: OrderAcknowledged) -> None:
    """Take over what the network confirmed of an order."""
    orders.acknowledged(ctx, fact)


@applies(OrderPromised)
def take_promised(ctx: Context, fact: OrderPromised) -> None:
    """Take over what an operator of the network changed in an order's promise."""
    promise_changes.take(ctx, fact)


@applies(OrderMoved)
def take_moved(ctx: Context, fact: OrderMoved) -> None:
    """Take over for which day the network counts an order."""
    orders.moved(ctx, fact)


@applies(OrderDispatched, DeliveryDispatched)
def take_dispatched(ctx: Context, fact: Dispatched) -> None:
    """Expect goods that have left the warehouse, for an order or an accepted offer."""
    delivery = orders.dispatched(ctx, fact)
    if fact.network_offer_id is not None and delivery.state in ON_ITS_WAY:
        network_offers.dispatched(ctx, fact.store_id, fact.network_offer_id)
    vehicle_arrivals.look_again(ctx.session, delivery, at=ctx.at)


# --- inside ---


def _charge(ctx: Context, delivery: Delivery) -> None:
    """Book what follows from posted goods; offered goods wait for their answer, whose terms say what is owed."""
    if (
        delivery.network_offer_id is not None
        and ctx.session.get(NetworkOffer, (delivery.store_id, delivery.network_offer_id)) is None
    ):
        return
    credit.charge_delivery(ctx, delivery)
    handling.replacement_came(ctx, delivery)
