"""Reviews between the network, where customers write them, and the shop, which answers.

Rules
-----
1. A review travels to its shop once written, and again when the operator hid it or let it stand; the shop's copy is
   replaced by it, save for the answer.
2. The shop's answer travels to the network; the newest one stands.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.ids import NETWORK, new_id
from config.nodes import outbox
from config.nodes.journal import Actor
from pos.store.store import store_of
from supply.online.orders import text_of
from supply.online.storefront import reviews
from supply.online.storefront.reviews import Review
from supply.online_facts import REVIEW_ANSWERED, REVIEW_TOLD, VERSION


def tell_shop(session: Session, row: Review, at: dt.datetime) -> None:
    """Send a review to its shop (rule 1)."""
    body = {
        "store_id": row.store_id, "order_id": row.order_id, "sku": row.sku, "stars": row.stars, "words": row.words,
        "by_name": row.by_name, "state": row.state, "written_at": text_of(row.written_at),
    }  # fmt: skip
    _send(session, row, row.store_id, REVIEW_TOLD, body, at)


def take_told(session: Session, body: dict[str, Any]) -> None:
    """Keep a review of this shop as the network has it (rule 1)."""
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


def answer_at_shop(session: Session, row: Review, words: str, *, actor: Actor, at: dt.datetime) -> None:
    """Answer a review in the shop, and tell the network (rule 2)."""
    reviews.answer(session, row, words, actor=actor, at=at)
    body = {"store_id": row.store_id, "order_id": row.order_id, "sku": row.sku, "words": row.answer, "at": text_of(at)}
    _send(session, row, NETWORK, REVIEW_ANSWERED, body, at)


def take_answered(session: Session, body: dict[str, Any], *, actor: Actor) -> None:
    """Take over a shop's answer; an older one that arrives late changes nothing (rule 2)."""
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
