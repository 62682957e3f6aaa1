"""A member's consent to a store's use of shared points: a code to the phone, typed at the store.

Rules
-----
1. A store asks for a code for its customer's number, and the network sends it: every number is sent one alike, member
   or not, and the store's answer is the same (`money.points`, rule 2). The number passes through for that message
   alone.
2. The code has eight digits and names the store that asks. It is bounded like any other: to `phone_codes` a store
   that asks for a number is a browser of its own, so wrong tries lock that number at that store alone.
3. The right code connects the store's customer with the number's member (`money.points.consent`); a wrong one tells
   nothing. The edge commits a wrong try before it refuses it.
"""

import datetime as dt
from typing import Any

from sqlalchemy.orm import Session

from config.errors import Refused
from config.ids import NETWORK
from config.phones import e164
from pos.customers.loyalty import part_of
from pos.store.store import day_of, store_of
from supply.money import points
from supply.online.checkout import phone_codes
from supply.online.storefront import members

PURPOSE = "points"


def send(session: Session, store_id: str, phone: str, *, language: str, at: dt.datetime) -> None:
    """Send a number the code by which its owner consents (rules 1, 2)."""
    if part_of(session, store_id, day_of(session, store_id, at)) is None:
        raise Refused("takes-no-part", "This store does not take part in the network's points.")
    number, asker = _asking(session, store_id, phone)
    if phone_codes.send(session, store_id, number, PURPOSE, asker=asker, language=language, at=at):
        raise Refused("too-many-codes", "Too many codes were sent today. Call the store, or order there.")


def prove(
    session: Session, store_id: str, customer_id: str, phone: str, code: str, *, secret: str, at: dt.datetime
) -> dict[str, Any] | None:
    """Connect a customer by a typed code (rule 3); returns the balance as the store is told it, None: a wrong code.

    secret: the node's own.
    """
    number, asker = _asking(session, store_id, phone)
    if not phone_codes.prove(session, store_id, number, code, PURPOSE, asker=asker, secret=secret, at=at):
        return None
    key = members.key_for(NETWORK, store_of(session, store_id).tz, number)
    return points.consent(session, store_id, customer_id, key, at=at).to_body()


def sent_code(session: Session, store_id: str, phone: str, *, secret: str) -> str:
    """Return the code last sent to a number for a store: for practice, where no message leaves the machine."""
    number, asker = _asking(session, store_id, phone)
    row = phone_codes.last_sent(session, number, asker.browser)
    return phone_codes.code_of(secret, row.id, row.digits) if row else ""


# --- inside ---


def _asking(session: Session, store_id: str, phone: str) -> tuple[str, phone_codes.Asker]:
    number = e164(phone, store_of(session, store_id).tz)
    return number, phone_codes.Asker(f"points {store_id} {number}", "")
