"""What arrives about supply: orders, deliveries, offers, money, transfers, leave to look in: topic -> the verb it
calls.

Rules
-----
1. Each applier is idempotent: it looks at what is there. Words may come twice and in any order: entries and draws have
   ids of their own, of a line's or an account's words the newest stands.
2. At the network: order.sent, order.cancelled, delivery.posted, delivery.refused, network_offer.answered,
   support.reported, transfer.sheet, transfer.answered, transfer.given, transfer.taken, transfer.back, credit.asked,
   advance.asked, account.bank_reported, account.lost, objection.raised, standing.counts, consigned.reported,
   return.sent, claim.filed, claim.photo, claim.contested. At a store: order.acknowledged, order.moved,
   order.dispatched, delivery.dispatched, stop.reported, network_offer.made, network_offer.withdrawn, support.looked,
   transfer.reported, account.booked, account.put_back, account.lost_answered, credit.reported, credit.answered,
   advance.answered, objection.answered, standing.reported, return.received, claim.answered, claim.ended.
3. A store speaks for itself alone, of transfers it takes part in, and the network for nobody's answer; of a store's
   account, and how a transfer stands, only the network speaks. Anything else is refused and waits for a person.
4. Goods move in a store's copied book only by the stock's own facts; a posted delivery tells what was counted.
5. A sale is written by `pos.sync.replica`; here the points that waited for it are counted.

"""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

import pos.sync.replica
from config.errors import Refused
from config.ids import NETWORK
from config.nodes.inbox import refuse_newer, refuse_stranger
from config.nodes.journal import Actor
from config.nodes.outbox import Message
from pos.facts import SaleCompleted
from supply.facts import (
    DELIVERY_DISPATCHED,
    DELIVERY_POSTED,
    DELIVERY_REFUSED,
    NETWORK_OFFER_ANSWERED,
    NETWORK_OFFER_MADE,
    NETWORK_OFFER_WITHDRAWN,
    ORDER_ACKNOWLEDGED,
    ORDER_CANCELLED,
    ORDER_DISPATCHED,
    ORDER_MOVED,
    ORDER_SENT,
    STOP_REPORTED,
    DeliveryClosed,
    GoodsDispatched,
    NetworkOfferSnapshot,
    OrderAcknowledged,
    OrderCancelled,
    OrderMoved,
    OrderSent,
    StopReported,
)
from supply.membership import level, objections, support
from supply.money import (
    advances,
    agent_commissions,
    consignment,
    credit,
    ledger,
    lost_entries,
    payouts,
    points,
    points_pool,
)
from supply.network.claims import handling, photos
from supply.network.offers import offer_results
from supply.network.recalls import recalls
from supply.network.routes import routes
from supply.network.transfers import sheets, transfers
from supply.network.warehouse import dispatch, returns
from supply.online.storefront import product_stories
from supply.orders import arrivals, network_offers, orders
from supply.orders.deliveries import ON_ITS_WAY, Delivery, delivery_of
from supply.orders.network_offers import NetworkOffer
from supply.receiving import receiving, vehicle_arrivals
from supply.sync import online

MoneyVerb = Callable[[Session, dict[str, Any], Actor, dt.datetime], object]


def _money_applier(at_network: bool, verb: MoneyVerb) -> Callable[[Session, Message, str, dt.datetime], None]:
    def apply(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
        refuse_newer(message.topic, message.version, ledger.VERSION)
        store_id = str(message.body["store_id"])
        refuse_stranger(from_node, store_id if at_network else NETWORK)
        verb(session, message.body, Actor.system("settlement", NETWORK if at_network else store_id), at)

    return apply


MONEY_APPLIERS: dict[str, Callable[[Session, Message, str, dt.datetime], None]] = {
    credit.DRAW_ASKED: _money_applier(True, lambda s, body, who, at: credit.take_asked(s, body, actor=who, at=at)),
    advances.ADVANCE_ASKED: _money_applier(
        True, lambda s, body, who, at: advances.take_asked(s, body, actor=who, at=at)
    ),
    payouts.BANK_REPORTED: _money_applier(True, lambda s, body, _who, at: payouts.take_bank(s, body, at=at)),
    level.COUNTS_REPORTED: _money_applier(True, lambda s, body, _who, at: level.take_counts(s, body, at=at)),
    level.REPORTED: _money_applier(False, lambda s, body, _who, _at: level.take_review(s, body)),
    objections.RAISED: _money_applier(True, lambda s, body, _who, _at: objections.take_raised(s, body)),
    ledger.BOOKED: _money_applier(False, lambda s, body, _who, _at: lost_entries.take_booked(s, body)),
    credit.LINE_REPORTED: _money_applier(False, lambda s, body, _who, _at: credit.take_line(s, body)),
    credit.DRAW_ANSWERED: _money_applier(False, lambda s, body, who, at: credit.take_answer(s, body, actor=who, at=at)),
    advances.ADVANCE_ANSWERED: _money_applier(
        False, lambda s, body, who, at: advances.take_answer(s, body, actor=who, at=at)
    ),
    consignment.REPORTED: _money_applier(
        True, lambda s, body, who, at: consignment.take_reported(s, body, actor=who, at=at)
    ),
    returns.SENT: _money_applier(True, lambda s, body, who, at: returns.take_sent(s, body, actor=who, at=at)),
    returns.RECEIVED: _money_applier(False, lambda s, body, who, at: returns.take_received(s, body, actor=who, at=at)),
    handling.FILED: _money_applier(True, lambda s, body, who, at: handling.take_filed(s, body, actor=who, at=at)),
    handling.CONTESTED: _money_applier(
        True, lambda s, body, who, at: handling.take_contested(s, body, actor=who, at=at)
    ),
    handling.ANSWERED: _money_applier(
        False, lambda s, body, who, at: handling.take_answered(s, body, actor=who, at=at)
    ),
    handling.ENDED: _money_applier(False, lambda s, body, who, at: handling.take_ended(s, body, actor=who, at=at)),
    lost_entries.PUT_BACK: _money_applier(
        False, lambda s, body, who, at: lost_entries.take_put_back(s, body, actor=who, at=at)
    ),
    lost_entries.LOST: _money_applier(True, lambda s, body, _who, _at: lost_entries.take_lost(s, body)),
    lost_entries.ANSWERED: _money_applier(
        False, lambda s, body, who, at: lost_entries.take_answered(s, body, actor=who, at=at)
    ),
    photos.SENT: _money_applier(True, lambda s, body, _who, _at: photos.take_piece(s, body)),
    objections.ANSWERED: _money_applier(
        False, lambda s, body, who, at: objections.take_answered(s, body, actor=who, at=at)
    ),
}
"""topic -> what it does at the receiver: (session, message, from_node, at)"""

TransferVerb = Callable[[Session, dict[str, Any], str, Actor, dt.datetime], None]


def _transfer_applier(at_network: bool, verb: TransferVerb) -> Callable[[Session, Message, str, dt.datetime], None]:
    def apply(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
        refuse_newer(message.topic, message.version, transfers.VERSION)
        store_id = str(message.body["store_id"])
        refuse_stranger(from_node, store_id if at_network else NETWORK)
        actor = Actor.system("transfers", NETWORK if at_network else store_id)
        verb(session, message.body, store_id, actor, at)

    return apply


_TRANSFERS: dict[str, Callable[[Session, Message, str, dt.datetime], None]] = {
    sheets.SHEET_REPORTED: _transfer_applier(True, lambda s, body, _store, _who, at: sheets.take(s, body, at=at)),
    transfers.ANSWERED: _transfer_applier(
        True, lambda s, body, store, who, at: transfers.take_answered(s, body, store, actor=who, at=at)
    ),
    transfers.GIVEN: _transfer_applier(
        True, lambda s, body, store, who, at: transfers.take_given(s, body, store, actor=who, at=at)
    ),
    transfers.TAKEN: _transfer_applier(
        True, lambda s, body, store, who, at: transfers.take_taken(s, body, store, actor=who, at=at)
    ),
    transfers.BACK: _transfer_applier(
        True, lambda s, body, store, who, at: transfers.take_given_back(s, body, store, actor=who, at=at)
    ),
    transfers.REPORTED: _transfer_applier(
        False, lambda s, body, _store, who, at: transfers.take_reported(s, body, actor=who, at=at)
    ),
}
"""topic -> what it does at the receiver: (session, message, from_node, at)"""


def _take_reported(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    _refuse_unless(message, from_node, str(message.body["store_id"]))
    support.take_reported(session, message.body)


def _take_looked(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    _refuse_unless(message, from_node, NETWORK)
    support.take_looked(session, message.body, at=at)


def _refuse_unless(message: Message, from_node: str, expected: str) -> None:
    refuse_newer(message.topic, message.version, support.VERSION)
    refuse_stranger(from_node, expected)


_SUPPORT: dict[str, Callable[[Session, Message, str, dt.datetime], None]] = {
    support.LEAVE_REPORTED: _take_reported,
    support.LOOKED: _take_looked,
}


# --- at the network ---


def take_sale(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Write a store's sale, and count the points that waited for it."""
    pos.sync.replica.take_sale(session, message, from_node, at)
    points.sales_came(session, from_node, [str(message.body["id"])], at=at)


def take_sales(session: Session, messages: Sequence[Message], from_node: str, at: dt.datetime) -> Sequence[Message]:
    """Write the sales of a batch all at once, and count the points that waited for them; returns what is left."""
    left = pos.sync.replica.take_sales(session, messages, from_node, at)
    apart = {message.id for message in left}
    points.sales_came(session, from_node, [one.id for one in messages if one.id not in apart], at=at)
    return left


def take_sent(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take in a store's order."""
    fact = OrderSent.from_body(message.body, message.version)
    refuse_stranger(from_node, fact.store_id)
    arrivals.arrive(session, fact, actor=_supply(NETWORK), at=at)


def take_cancelled(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take a store's cancellation of an order."""
    fact = OrderCancelled.from_body(message.body, message.version)
    refuse_stranger(from_node, fact.order.store_id)
    arrivals.called_off(session, fact, actor=_supply(NETWORK), at=at)
    credit.called_off(session, fact.order.store_id, fact.order.order_id, actor=_supply(NETWORK), at=at)


def take_posted(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take over what a store counted of a delivery, or that it sent it back."""
    fact = DeliveryClosed.from_body(message.body, message.version)
    refuse_stranger(from_node, fact.store_id)
    sent = session.get(Delivery, (fact.store_id, fact.delivery_id))
    if fact.state == "refused" and sent is not None and routes.said_of(session, sent) in vehicle_arrivals.LEFT_HERE:
        raise Refused(
            "left-there",
            "%(store_id)s says it sent delivery %(delivery_id)s back; its driver says somebody there took it.",
            store_id=fact.store_id, delivery_id=fact.delivery_id,
        )  # fmt: skip
    if sent is not None and sent.state in ("posted", "refused") and fact.state != sent.state:
        raise Refused(
            "closed-otherwise", "%(store_id)s says delivery %(delivery_id)s is %(state)s; it was %(before)s before.",
            store_id=fact.store_id, delivery_id=fact.delivery_id, state=fact.state, before=sent.state,
        )  # fmt: skip
    receiving.mirror(session, fact, actor=_supply(NETWORK), at=at)
    delivery = delivery_of(session, fact.store_id, fact.delivery_id)
    if fact.state != "posted" and sent is None:
        return  # nothing was loaded for this store by that id: another store's goods do not come back by its word
    if fact.state != "posted":
        dispatch.take_back(session, delivery, actor=_supply(NETWORK), at=at)
        handling.replacement_came(session, delivery, actor=_supply(NETWORK), at=at)
    else:
        _charge(session, delivery, at)
        if sent is not None:  # the fee for the place is for what the network has loaded itself
            offer_results.goods_came(session, delivery, actor=_supply(NETWORK), at=at)


def take_answer(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take over what a store answered to an offer."""
    fact = NetworkOfferSnapshot.from_body(message.body, message.version)
    refuse_stranger(from_node, fact.store_id)
    network_offers.take_answer(session, fact, actor=_supply(NETWORK), at=at)
    query = sa.select(Delivery).where(
        Delivery.store_id == fact.store_id, Delivery.network_offer_id == fact.network_offer_id
    )
    for delivery in session.scalars(query.where(Delivery.state == "posted")):  # it came before its answer did
        consignment.take_in(session, delivery, at=at)
        _charge(session, delivery, at)


# --- at a store ---


def take_acknowledged(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take over what the network confirmed of an order."""
    fact = OrderAcknowledged.from_body(message.body, message.version)
    refuse_stranger(from_node, NETWORK)
    orders.acknowledged(session, fact, actor=_supply(fact.store_id), at=at)


def take_moved(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take over for which day the network counts an order."""
    fact = OrderMoved.from_body(message.body, message.version)
    refuse_stranger(from_node, NETWORK)
    orders.moved(session, fact, actor=_supply(fact.store_id), at=at)


def take_dispatched(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Expect goods that have left the warehouse, for an order or an accepted offer."""
    fact = GoodsDispatched.from_body(message.body, message.version)
    refuse_stranger(from_node, NETWORK)
    delivery = orders.dispatched(session, fact, actor=_supply(fact.store_id), at=at)
    if fact.network_offer_id is not None and delivery.state in ON_ITS_WAY:
        network_offers.dispatched(session, fact.store_id, fact.network_offer_id, actor=_supply(fact.store_id), at=at)
    vehicle_arrivals.look_again(session, delivery, at=at)


def take_stop(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Keep when the vehicle comes, and what its driver says of the stop."""
    fact = StopReported.from_body(message.body, message.version)
    refuse_stranger(from_node, NETWORK)
    vehicle_arrivals.take(session, fact, at=at)


def take_offered(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    """Take in an offer."""
    refuse_stranger(from_node, NETWORK)
    network_offers.take_offer(session, NetworkOfferSnapshot.from_body(message.body, message.version))


def take_withdrawn(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take an offer away."""
    fact = NetworkOfferSnapshot.from_body(message.body, message.version)
    refuse_stranger(from_node, NETWORK)
    network_offers.take_withdrawal(session, fact, actor=_supply(fact.store_id), at=at)


APPLIERS: dict[str, Callable[[Session, Message, str, dt.datetime], None]] = {
    **online.APPLIERS,
    **MONEY_APPLIERS,
    **agent_commissions.APPLIERS,
    **_SUPPORT,
    **product_stories.APPLIERS,
    **_TRANSFERS,
    **points_pool.APPLIERS,
    **recalls.APPLIERS,
    SaleCompleted.TOPIC: take_sale,
    ORDER_SENT: take_sent,
    ORDER_CANCELLED: take_cancelled,
    DELIVERY_POSTED: take_posted,
    DELIVERY_REFUSED: take_posted,
    NETWORK_OFFER_ANSWERED: take_answer,
    ORDER_ACKNOWLEDGED: take_acknowledged,
    ORDER_MOVED: take_moved,
    ORDER_DISPATCHED: take_dispatched,
    DELIVERY_DISPATCHED: take_dispatched,
    STOP_REPORTED: take_stop,
    NETWORK_OFFER_MADE: take_offered,
    NETWORK_OFFER_WITHDRAWN: take_withdrawn,
}
"""topic -> what it does at the receiver: (session, message, from_node, at)"""


# --- inside ---


def _charge(session: Session, delivery: Delivery, at: dt.datetime) -> None:
    """Book what follows from posted goods; offered goods wait for their answer, whose terms say what is owed."""
    if (
        delivery.network_offer_id is not None
        and session.get(NetworkOffer, (delivery.store_id, delivery.network_offer_id)) is None
    ):
        return
    credit.goods_delivered(session, delivery, actor=_supply(NETWORK), at=at)
    handling.replacement_came(session, delivery, actor=_supply(NETWORK), at=at)


def _supply(node: str) -> Actor:
    return Actor.system("supply", node)
