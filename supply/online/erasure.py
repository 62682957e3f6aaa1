"""The people in what was told of orders that are over: taken out of the facts sent and of those that arrived.

Rules
-----
1. A fact forgets name, phone and address once its order's own row has forgotten them, and never before its receiver
   has it: one on its way is whole. What the receiver refused is on its way no longer.
2. What was set aside here may be all that is known of its order: it forgets where the order's row has, and where there
   is none. The reason why it was set aside forgets with it, and so does what contradicts a fact we have.
3. What is left is read like any other fact of its kind; hash, number and head stay (rule 4 of the outbox). A body that
   did not fit its hash does not fit it afterwards either.
4. What still names a person has an index of its own: a night costs what is new, whatever lies in the books.
"""

import datetime as dt
import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import table_of
from config.nodes.inbox import InboxAlarm, InboxMessage
from config.nodes.inbox import inbox_message as arrived_message
from config.nodes.journal import Actor, Context, amending, canonical
from config.nodes.node import this_node
from config.nodes.outbox import FORGOTTEN, OutboxMessage, emptied
from supply.online.home_delivery import NOWHERE
from supply.online.orders import OPEN, PickupOrder
from supply.online_facts import PickupCancelled, PickupPlaced, PickupTaken

TOPICS = (PickupPlaced.TOPIC, PickupTaken.TOPIC, PickupCancelled.TOPIC)
AT_ONCE = 200
_PERSON = {"customer_name": "", "customer_phone": ""}
_UNEMPTIED = f"""body NOT LIKE '%"{FORGOTTEN}":%'"""
# word for word the same in index and query: that is how both databases see that the one serves the other
_PEOPLE = sa.text(f"topic IN ({', '.join(map(repr, TOPICS))}) AND {_UNEMPTIED}")
sa.Index("ix_outbox_message_people", OutboxMessage.made_at, sqlite_where=_PEOPLE)
sa.Index("ix_inbox_message_people", InboxMessage.received_at, sqlite_where=_PEOPLE)
Kept = OutboxMessage | InboxMessage


def forget(session: Session, *, before: dt.datetime, at: dt.datetime) -> int:
    """Empty the facts of forgotten orders, of those reported before an instant; returns how many."""
    sent = OutboxMessage.made_at <= before, OutboxMessage.state.in_(("delivered", "written_off", "stuck"))
    done = _empty(session, OutboxMessage, *sent, at=at)
    done += _empty(session, InboxMessage, InboxMessage.received_at <= before, at=at)
    return done + _empty_alarms(session, before)


# --- inside ---


def _empty(session: Session, kind: type[Kept], *those: sa.ColumnElement[bool], at: dt.datetime) -> int:
    key = table_of(kind).primary_key
    keys, done = session.execute(sa.select(*key).where(_PEOPLE, *those)).all(), 0
    for first in range(0, len(keys), AT_ONCE):
        rows: Any = session.scalars(sa.select(kind).where(sa.tuple_(*key).in_(keys[first : first + AT_ONCE])))
        reported: dict[Kept, dict[str, Any]] = {row: json.loads(row.body) for row in rows}
        needed = _needed(session, [_key_of(body) for body in reported.values()])
        over = [(row, body) for row, body in reported.items() if _key_of(body) not in needed]
        if not over:
            continue
        actor, why = Actor.system("privacy", this_node(session).id), "people of orders long over forgotten"
        emptied_rows = [row for row, _ in over]
        with amending(Context(session, actor, at), f"table:{key.table.name}", why, rows=emptied_rows):
            for row, body in over:
                _empty_one(row, body)
        done += len(over)
    return done


def _empty_one(row: Kept, body: dict[str, Any]) -> None:
    left = _without_person(body)
    is_whole = not isinstance(row, InboxMessage) or arrived_message(row).is_whole()
    row.body = emptied(row.hash, left) if is_whole else canonical({**left, FORGOTTEN: ""})
    for word in _words_about(body):
        row.reason = row.reason and row.reason.replace(word, "…")


def _empty_alarms(session: Session, before: dt.datetime) -> int:
    """Empty what was kept for a person to compare; those are few, and they are never applied."""
    query = sa.select(InboxAlarm).where(
        sa.text(_UNEMPTIED), InboxAlarm.at <= before, InboxAlarm.body.contains('"customer_')
    )
    alarms = session.scalars(query).all()
    for alarm in alarms:
        alarm.body = canonical({**_without_person(json.loads(alarm.body)), FORGOTTEN: ""})
    session.flush()
    return len(alarms)


def _needed(session: Session, keys: list[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return which of these orders are open, or not forgotten themselves."""
    named = sa.or_(PickupOrder.state.in_(OPEN), PickupOrder.customer_name != "", PickupOrder.customer_phone != "")
    query = sa.select(PickupOrder.store_id, PickupOrder.id).where(
        sa.tuple_(PickupOrder.store_id, PickupOrder.id).in_(keys), named
    )
    return {(store_id, order_id) for store_id, order_id in session.execute(query)}


def _order_of(body: dict[str, Any]) -> dict[str, Any]:
    """Return the order in the body of one of the topics; nothing where a sender wrote something else there."""
    order = body.get("order", body)
    return order if isinstance(order, dict) else {}


def _key_of(body: dict[str, Any]) -> tuple[str, str]:
    order = _order_of(body)
    return str(order.get("store_id")), str(order.get("order_id"))


def _delivery_of(order: dict[str, Any]) -> dict[str, Any]:
    found = order.get("delivery")
    return found if isinstance(found, dict) else {}


def _without_person(body: dict[str, Any]) -> dict[str, Any]:
    order = {**_order_of(body), **_PERSON}
    if order.get("delivery"):
        order["delivery"] = {**_delivery_of(order), **NOWHERE}
    return {**body, "order": order} if "order" in body else order


def _words_about(body: dict[str, Any]) -> list[str]:
    """Return what a body says of its person, the longest first: a place may be part of a street."""
    order = _order_of(body)
    said = [order.get(key) for key in _PERSON] + [_delivery_of(order).get(key) for key in NOWHERE]
    return sorted({word for word in said if isinstance(word, str) and len(word) > 1}, key=len, reverse=True)
