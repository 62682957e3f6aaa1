"""What a customer is told about an order: written here with the order's move, an outgoing message like any other.

One sentence that says what happened, one that says what to do, and the address of the order's page.
"""

import datetime as dt
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from config import words
from config.words import N_
from pos import messages
from pos.messages import OutgoingMessage, Recipient
from pos.reasons import reason_word

KINDS = (
    "code",
    "accepted",
    "ready",
    "reminder",
    "refused",
    "cancelled",
    "expired",
    "short",
    "return_refused",
    "refunded",
    "group",
    "on_the_way",
    "not_met",
    "handed_over",
    "points_code",
)
_SUBJECTS = {
    "code": N_("Your code"),
    "accepted": N_("Your order"),
    "ready": N_("Ready to pick up"),
    "reminder": N_("Still waiting for you"),
    "refused": N_("Your order was declined"),
    "cancelled": N_("Your order is canceled"),
    "expired": N_("Not collected"),
    "short": N_("Item missing"),
    "refunded": N_("Your refund"),
    "return_refused": N_("Your refund request"),
    "group": N_("Your group buy"),
    "on_the_way": N_("On the way to you"),
    "not_met": N_("No one was there"),
    "handed_over": N_("Did you get your order?"),
    "points_code": N_("Your points"),
}
_BODIES = {
    "code": N_("{store}: your code is {code}. Valid for 10 minutes. Do not share it."),
    "accepted": N_("{store} has received order {order_no}. We'll let you know when it is ready."),
    "ready": N_("{store}: order {order_no} is ready. Show the code on your order's page at the counter until {until}."),
    "reminder": N_("{store}: order {order_no} is waiting for you until {until}."),
    "refused": N_("{store} cannot fulfill order {order_no}. {why}"),
    "cancelled": N_("{store}: order {order_no} is canceled. {why}"),
    "expired": N_("{store}: order {order_no} was not picked up in time, and the products are back on the shelf."),
    "short": N_("{store}: part of order {order_no} is missing: {why}. Check the new total; you can still cancel."),
    "refunded": N_("{store}: {amount} of order {order_no} is being refunded."),
    "return_refused": N_("{store} declined the refund for order {order_no}. {why} You can ask the network to decide."),
    "group": N_("{store}: {name}: {why}"),
    "on_the_way": N_("{store}: order {order_no} is on the way to you. Show the code on your order's page at the door."),
    "handed_over": N_(
        "{store} says you have received order {order_no}. If not, report it on the order's page before {until}."
    ),
    "not_met": N_(
        "{store}: no one was there to receive order {order_no}. {why} The store is keeping it and will contact you."
    ),
    "points_code": N_(
        "{store} asks to use your points. If you are there and agree, tell them this code: {code}. "
        "Valid for 10 minutes. If not, ignore this message."
    ),
}


def send(
    session: Session,
    store_id: str,
    kind: str,
    to: Recipient,
    *,
    id: str,
    facts: dict[str, Any],
    at: dt.datetime,
) -> OutgoingMessage | None:
    """Write a message down, made of these facts, once per id; nobody to be told, or told before, is no message."""
    assert kind in KINDS, kind
    if not (to.phone or to.email) or session.get(OutgoingMessage, (store_id, id)) is not None:
        return None
    to, about = replace(to, carrier=messages.ANY), facts.get("order_id", facts.get("member_id", ""))
    return messages.write(session, store_id, kind, to, id=id, about=about, body=facts, at=at)


def subject_of(kind: str, facts: dict[str, Any], language: str) -> str:
    """Return a message's subject line."""
    return f"{facts.get('store', '')}: {words.language(language)(_SUBJECTS[kind])}"


def text_of(kind: str, facts: dict[str, Any], language: str) -> str:
    """Return a message's text, with the address of the page it is about where there is one."""
    say = words.language(language)
    said = {"store": "", "order_no": "", "until": "", "code": "", "amount": "", "name": ""} | facts
    body = say(_BODIES[kind]).format(**said | {"why": reason_word(facts.get("why"), say)}).strip()
    return f"{body} {facts['url']}" if facts.get("url") else body
