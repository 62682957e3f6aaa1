"""What arrives about the online shop, its orders and the shelf: topic -> the verb it calls.

Rules
-----
1. Each applier is idempotent. Offers and moves may arrive in any order: editions and steps inside them decide.
2. At the network: shop.published, pickup.taken, pickup.money, pickup.moved, shelf.approved, group.opened,
   group.arrived, campaign.answered, review.answered. At a store: pickup.placed, pickup.cancelled,
   pickup.return_asked, refund.told, group.told, campaign.told, review.told.
3. A store speaks for itself alone; a message about another store is refused, and waits for a person.
"""

import datetime as dt
from collections.abc import Callable

from sqlalchemy.orm import Session

from config.ids import NETWORK
from config.nodes.inbox import refuse_stranger
from config.nodes.journal import Actor
from config.nodes.outbox import Message
from pos.sync.replica import keep
from supply.network.offers import campaign_requests, campaigns
from supply.online.pickup import counter_orders, order_copy, pickup, returns
from supply.online.storefront import storefront
from supply.online_facts import (
    CAMPAIGN_ANSWERED,
    CAMPAIGN_TOLD,
    GROUP_ARRIVED,
    GROUP_OPENED,
    GROUP_TOLD,
    PICKUP_CANCELLED,
    PICKUP_MOVED,
    PICKUP_PLACED,
    PICKUP_TAKEN,
    REFUND_TOLD,
    RETURN_ASKED,
    REVIEW_ANSWERED,
    REVIEW_TOLD,
    SHELF_APPROVED,
    SHOP_PUBLISHED,
    VERSION,
    PickupCancelled,
    PickupMoved,
    PickupPlaced,
    ReturnAsked,
    ShelfApproved,
    ShopPublished,
)
from supply.shelf import plan
from supply.sync import groups, refunds, reviews


def take_published(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    """Take over what a store offers online."""
    fact = ShopPublished.from_body(message.body, message.version)
    refuse_stranger(from_node, fact.store_id)
    storefront.take_offers(session, fact.store_id, fact)


def take_moved(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Mirror how an order stands at its store."""
    fact = PickupMoved.from_body(message.body, message.version)
    refuse_stranger(from_node, fact.store_id)
    order_copy.mirror(session, fact, at=at)


def take_shelf(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    """Keep a store's approved shelf plan."""
    fact = ShelfApproved.from_body(message.body, message.version)
    refuse_stranger(from_node, fact.store_id)
    plan.mirror(session, fact)


def take_placed(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take in a customer's order."""
    fact = PickupPlaced.from_body(message.body, message.version)
    refuse_stranger(from_node, NETWORK)
    pickup.arrive(session, fact, actor=Actor.system("pickup", fact.store_id), at=at)


def take_taken(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    """Learn of an order a shop took at its counter."""
    fact = PickupPlaced.from_body(message.body, message.version)
    refuse_stranger(from_node, fact.store_id)
    order_copy.taken(session, fact)


def take_cancelled(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take in a customer's wish to cancel, or that the network has decided so."""
    fact = PickupCancelled.from_body(message.body, message.version)
    refuse_stranger(from_node, NETWORK)
    actor = Actor.system("pickup", fact.order.store_id)
    pickup.customer_cancels(session, fact.order, decided=fact.decided, actor=actor, at=at)


def take_return_asked(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take in a customer's wish to bring goods back."""
    fact = ReturnAsked.from_body(message.body, message.version)
    refuse_stranger(from_node, NETWORK)
    returns.customer_asks(session, fact, actor=Actor.system("pickup", fact.store_id), at=at)


def take_refund(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    """Keep how money that goes back to a customer of this shop stands."""
    refuse_stranger(from_node, NETWORK)
    refunds.take_told(session, message.body)


def take_group_opened(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Open a group a shopkeeper offers."""
    refuse_stranger(from_node, message.body["store_id"])
    groups.take_opened(session, message.body, actor=Actor.system("groups", NETWORK), at=at)


def take_group_told(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take over how a group stands."""
    refuse_stranger(from_node, NETWORK)
    actor = Actor.system("groups", message.body["store_id"])
    groups.take_told(session, message.body, actor=actor, at=at)


def take_group_arrived(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Deal out a group's goods."""
    refuse_stranger(from_node, message.body["store_id"])
    groups.take_arrived(session, message.body, actor=Actor.system("groups", NETWORK), at=at)


def take_campaign(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take in what a campaign asks of this shop, or that it has ended."""
    refuse_stranger(from_node, NETWORK)
    actor = Actor.system("campaigns", message.body["store_id"])
    campaign_requests.take_told(session, message.body, actor=actor, at=at)


def take_campaign_answer(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take over a shop's yes or no to a campaign."""
    refuse_stranger(from_node, message.body["store_id"])
    campaigns.take_answer(session, message.body, actor=Actor.system("campaigns", NETWORK), at=at)


def take_review(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    """Keep a review of this shop."""
    refuse_stranger(from_node, NETWORK)
    reviews.take_told(session, message.body)


def take_review_answer(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    """Take over a shop's answer to a review."""
    store_id = message.body["store_id"]
    refuse_stranger(from_node, store_id)
    reviews.take_answered(session, message.body, actor=Actor.system("reviews", NETWORK))


APPLIERS: dict[str, Callable[[Session, Message, str, dt.datetime], None]] = {
    SHOP_PUBLISHED: take_published,
    PICKUP_MOVED: take_moved,
    SHELF_APPROVED: take_shelf,
    PICKUP_TAKEN: take_taken,
    counter_orders.MONEY_MOVED: keep,
    PICKUP_PLACED: take_placed,
    PICKUP_CANCELLED: take_cancelled,
    RETURN_ASKED: take_return_asked,
    REFUND_TOLD: take_refund,
    GROUP_OPENED: take_group_opened,
    GROUP_TOLD: take_group_told,
    GROUP_ARRIVED: take_group_arrived,
    CAMPAIGN_TOLD: take_campaign,
    CAMPAIGN_ANSWERED: take_campaign_answer,
    REVIEW_TOLD: take_review,
    REVIEW_ANSWERED: take_review_answer,
}
NEWEST = dict.fromkeys(
    (
        REFUND_TOLD, GROUP_OPENED, GROUP_TOLD, GROUP_ARRIVED, CAMPAIGN_TOLD, CAMPAIGN_ANSWERED, REVIEW_TOLD,
        REVIEW_ANSWERED,
    ),
    VERSION,
)  # fmt: skip
"""topic -> the newest form this program reads; what its applier checks itself is not here."""
