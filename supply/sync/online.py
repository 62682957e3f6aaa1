"""What arrives about the online store, its orders and the shelf: topic -> the verb it calls.

Rules
-----
1. Each applier is idempotent. Offers and moves may arrive in any order: editions and steps inside them decide.
2. At the network: storefront.published, pickup.taken, pickup.money, pickup.moved, shelf.approved, group.opened,
   group.arrived, campaign.answered, review.answered. At a store: pickup.placed, pickup.cancelled,
   pickup.return_asked, refund.reported, group.reported, campaign.reported, review.reported.
3. A store speaks for itself alone; a message about another store is refused, and waits for a person.
4. The network keeps the refunds (`money.refunds`). Of one the payment service did not give back at the first asking it
   tells the store, and again when it has ended; what went back at once is not spoken of.
5. At the store a refund is a copy, to be shown with the order; a late older word changes nothing.
6. A review travels to its store once written, and again when the operator hid it or let it stand; the store's copy is
   replaced by it, save for the answer.
7. The store's answer travels to the network; the newest one stands.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.ids import NETWORK, new_id
from config.nodes import outbox
from config.nodes.inbox import refuse_stranger
from config.nodes.journal import Actor
from config.nodes.outbox import Message
from pos.store.store import day_of, store_of
from pos.sync.replica import keep
from supply.money import refunds
from supply.money.refunds import Refund
from supply.network.offers import campaign_requests, campaigns
from supply.online.orders import text_of, text_or_none
from supply.online.pickup import counter_orders, order_copy, pickup, returns
from supply.online.storefront import reviews, storefront
from supply.online.storefront.reviews import Review
from supply.online_facts import (
    CAMPAIGN_ANSWERED,
    CAMPAIGN_REPORTED,
    GROUP_ARRIVED,
    GROUP_OPENED,
    GROUP_REPORTED,
    PICKUP_CANCELLED,
    PICKUP_MOVED,
    PICKUP_PLACED,
    PICKUP_TAKEN,
    REFUND_REPORTED,
    RETURN_ASKED,
    REVIEW_ANSWERED,
    REVIEW_REPORTED,
    SHELF_APPROVED,
    STOREFRONT_PUBLISHED,
    VERSION,
    PickupCancelled,
    PickupMoved,
    PickupPlaced,
    ReturnAsked,
    ShelfApproved,
    StorefrontPublished,
)
from supply.shelf import plan
from supply.sync import groups


def take_published(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    """Take over what a store offers online."""
    fact = StorefrontPublished.from_body(message.body, message.version)
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
    """Learn of an order a store took at its counter."""
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
    """Keep how money that goes back to a customer of this store stands."""
    refuse_stranger(from_node, NETWORK)
    note_refund(session, message.body)


def take_group_opened(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Open a group a shopkeeper offers."""
    refuse_stranger(from_node, message.body["store_id"])
    groups.take_opened(session, message.body, actor=Actor.system("groups", NETWORK), at=at)


def take_group_reported(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take over how a group stands."""
    refuse_stranger(from_node, NETWORK)
    actor = Actor.system("groups", message.body["store_id"])
    groups.take_reported(session, message.body, actor=actor, at=at)


def take_group_arrived(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Deal out a group's goods."""
    refuse_stranger(from_node, message.body["store_id"])
    groups.take_arrived(session, message.body, actor=Actor.system("groups", NETWORK), at=at)


def take_campaign(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take in what a campaign asks of this store, or that it has ended."""
    refuse_stranger(from_node, NETWORK)
    actor = Actor.system("campaigns", message.body["store_id"])
    campaign_requests.take_reported(session, message.body, actor=actor, at=at)


def take_campaign_answer(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Take over a store's yes or no to a campaign."""
    refuse_stranger(from_node, message.body["store_id"])
    campaigns.take_answer(session, message.body, actor=Actor.system("campaigns", NETWORK), at=at)


def take_review(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    """Keep a review of this store."""
    refuse_stranger(from_node, NETWORK)
    note_review(session, message.body)


def take_review_answer(session: Session, message: Message, from_node: str, _at: dt.datetime) -> None:
    """Take over a store's answer to a review."""
    store_id = message.body["store_id"]
    refuse_stranger(from_node, store_id)
    note_review_answer(session, message.body, actor=Actor.system("reviews", NETWORK))


APPLIERS: dict[str, Callable[[Session, Message, str, dt.datetime], None]] = {
    STOREFRONT_PUBLISHED: take_published,
    PICKUP_MOVED: take_moved,
    SHELF_APPROVED: take_shelf,
    PICKUP_TAKEN: take_taken,
    counter_orders.MONEY_MOVED: keep,
    PICKUP_PLACED: take_placed,
    PICKUP_CANCELLED: take_cancelled,
    RETURN_ASKED: take_return_asked,
    REFUND_REPORTED: take_refund,
    GROUP_OPENED: take_group_opened,
    GROUP_REPORTED: take_group_reported,
    GROUP_ARRIVED: take_group_arrived,
    CAMPAIGN_REPORTED: take_campaign,
    CAMPAIGN_ANSWERED: take_campaign_answer,
    REVIEW_REPORTED: take_review,
    REVIEW_ANSWERED: take_review_answer,
}
NEWEST = dict.fromkeys(
    (
        REFUND_REPORTED,
        GROUP_OPENED,
        GROUP_REPORTED,
        GROUP_ARRIVED,
        CAMPAIGN_REPORTED,
        CAMPAIGN_ANSWERED,
        REVIEW_REPORTED,
        REVIEW_ANSWERED,
    ),
    VERSION,
)
"""topic -> the newest form this program reads; what its applier checks itself is not here."""


def send_refund(session: Session, row: Refund, at: dt.datetime) -> None:
    """Tell a store how a refund stands that did not go back at once (rule 4)."""
    if row.tries == 0 or (row.state == "waiting" and row.tries > 1):
        return
    body = {
        "id": row.id, "order_id": row.escrow_id, "store_id": row.store_id, "amount_minor": row.amount_minor,
        "currency": row.currency, "state": row.state, "made_at": text_of(row.made_at), "answer": row.answer,
        "reason": row.reason, "ended_at": text_or_none(row.ended_at),
    }  # fmt: skip
    outbox.append(
        session, to_node=row.store_id, topic=REFUND_REPORTED, version=VERSION, body=body, id=new_id(),
        subject=refunds.subject_of(row), business_day=day_of(session, row.store_id, at), at=at,
    )  # fmt: skip


def note_refund(session: Session, body: dict[str, Any]) -> None:
    """Keep a refund of this store's customer as the network has it (rule 5)."""
    row = session.get(Refund, body["id"])
    made_at = dt.datetime.fromisoformat(body["made_at"])
    if row is None:
        row = refunds.begin(
            session, body["id"], body["order_id"], body["store_id"], body["amount_minor"], body["currency"], at=made_at
        )  # fmt: skip
    if row.state != "waiting":
        return
    ended_at = dt.datetime.fromisoformat(body["ended_at"]) if body["ended_at"] else None
    # the network made the move and journalled it; here it is a copy
    session.execute(
        sa.update(Refund)
        .where(Refund.id == row.id)
        .values(state=body["state"], answer=body["answer"], reason=body["reason"], ended_at=ended_at, tries=1)
    )
    session.refresh(row)


def send_review(session: Session, row: Review, at: dt.datetime) -> None:
    """Send a review to its store (rule 6)."""
    body = {
        "store_id": row.store_id, "order_id": row.order_id, "sku": row.sku, "stars": row.stars, "words": row.words,
        "by_name": row.by_name, "state": row.state, "written_at": text_of(row.written_at),
    }  # fmt: skip
    _send(session, row, row.store_id, REVIEW_REPORTED, body, at)


def note_review(session: Session, body: dict[str, Any]) -> None:
    """Keep a review of this store as the network has it (rule 6)."""
    row = session.get(Review, (body["store_id"], body["order_id"], body["sku"]))
    if row is None:
        row = Review(
            store_id=body["store_id"], order_id=body["order_id"], sku=body["sku"], stars=body["stars"],
            words=body["words"], by_name=body["by_name"], state=body["state"],
            written_at=dt.datetime.fromisoformat(body["written_at"]), answer="", reported_why="", decided_why="",
        )  # fmt: skip
        session.add(row)
        session.flush()
    # the network made the move and journalled it; here it is a copy
    mine = (Review.store_id == row.store_id, Review.order_id == row.order_id, Review.sku == row.sku)
    session.execute(sa.update(Review).where(*mine).values(state=body["state"]))
    session.refresh(row, ["state"])


def answer_review(session: Session, row: Review, words: str, *, actor: Actor, at: dt.datetime) -> None:
    """Answer a review in the store, and tell the network (rule 7)."""
    reviews.answer(session, row, words, actor=actor, at=at)
    body = {"store_id": row.store_id, "order_id": row.order_id, "sku": row.sku, "words": row.answer, "at": text_of(at)}
    _send(session, row, NETWORK, REVIEW_ANSWERED, body, at)


def note_review_answer(session: Session, body: dict[str, Any], *, actor: Actor) -> None:
    """Take over a store's answer; an older one that arrives late changes nothing (rule 7)."""
    row = reviews.review_of(session, body["store_id"], body["order_id"], body["sku"])
    at = dt.datetime.fromisoformat(body["at"])
    if row.answered_at is None or row.answered_at < at:
        reviews.answer(session, row, body["words"], actor=actor, at=at)


def _send(session: Session, row: Review, to: str, topic: str, body: dict[str, Any], at: dt.datetime) -> None:
    store = store_of(session, row.store_id)
    outbox.append(
        session, to_node=to, topic=topic, version=VERSION, body=body, id=new_id(), subject=reviews.subject_of(row),
        business_day=business_day(at, store.tz, store.rollover_hour), at=at,
    )  # fmt: skip
