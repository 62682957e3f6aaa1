"""The people in what was told of orders that are over: taken out of the facts sent and of those that arrived.

Rules
-----
1. A fact forgets name, phone and address once its order's own row has forgotten them, and never before its receiver
   has it: one on its way is whole.
2. What is left is read like any other fact of its kind; hash, number and head stay (rule 4 of the outbox).
"""

import datetime as dt
import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.inbox import InboxMessage
from config.outbox import FORGOTTEN, OutboxMessage, emptied
from supply.home_delivery import NOWHERE
from supply.online_facts import PICKUP_CANCELLED, PICKUP_PLACED, PICKUP_TAKEN
from supply.pickup_order import OPEN, PickupOrder

TOPICS = (PICKUP_PLACED, PICKUP_TAKEN, PICKUP_CANCELLED)
AT_ONCE = 200


def forget(session: Session, *, before: dt.datetime) -> int:
    """Empty the facts of forgotten orders, of those told before an instant; returns how many."""
    sent = sa.select(OutboxMessage.id).where(
        OutboxMessage.topic.in_(TOPICS), OutboxMessage.state.in_(("delivered", "written_off")),
        OutboxMessage.made_at <= before, ~OutboxMessage.body.contains(f'"{FORGOTTEN}":'),
    )  # fmt: skip
    arrived = sa.select(InboxMessage.id).where(
        InboxMessage.topic.in_(TOPICS), InboxMessage.state == "taken", InboxMessage.received_at <= before,
        ~InboxMessage.body.contains(f'"{FORGOTTEN}":'),
    )  # fmt: skip
    return _empty(session, OutboxMessage, sent) + _empty(session, InboxMessage, arrived)


# --- inside ---


def _empty(session: Session, kind: type[OutboxMessage] | type[InboxMessage], query: sa.Select[str]) -> int:
    ids, done = session.scalars(query).all(), 0
    for first in range(0, len(ids), AT_ONCE):
        rows: Any = session.scalars(sa.select(kind).where(kind.id.in_(ids[first : first + AT_ONCE])))
        told: dict[OutboxMessage | InboxMessage, dict[str, Any]] = {row: json.loads(row.body) for row in rows}
        over = sa.select(PickupOrder.id).where(
            PickupOrder.id.in_([_order_of(body)["order_id"] for body in told.values()]),
            PickupOrder.state.not_in(OPEN), PickupOrder.customer_name == "", PickupOrder.customer_phone == "",
        )  # fmt: skip
        forgotten = set(session.scalars(over))
        for row, body in told.items():
            if _order_of(body)["order_id"] in forgotten:
                row.body = emptied(row.hash, _without_person(body))
                done += 1
        session.flush()
    return done


def _order_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return the order in the body of one of the topics."""
    order: dict[str, Any] = body.get("order", body)
    return order


def _without_person(body: dict[str, Any]) -> dict[str, Any]:
    order = {**_order_of(body), "customer_name": "", "customer_phone": ""}
    if order.get("delivery"):
        order["delivery"] = {**order["delivery"], **NOWHERE}
    return {**body, "order": order} if "order" in body else order
