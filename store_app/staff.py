"""Who works here, and how they prove it: names and PINs.

Rules
-----
1. A PIN has 4 to 12 digits; only its argon2id hash is kept. The same refusal for a wrong name and a wrong PIN.
2. Five wrong tries in a row lock the name for half a minute, each further one twice as long, up to 15 minutes.
3. Every sign-in, good or refused, leaves a journal entry.
"""

import datetime as dt
import re
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy.orm import Session

from config import journal
from config.errors import Invalid, Refused
from config.journal import Actor
from pos.store import Staff, add_staff
from store_app.extensions import Doors

TRIES = 5
LOCK_S, LOCK_MOST_S = 30, 900
PRACTICE_PINS = {"cashier": "1111", "supervisor": "4444", "shopkeeper": "2222", "operator": "3333"}
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_nobody = _hasher.hash(secrets.token_hex(8))


def add(session: Session, node_id: str, name: str, role: str, pin: str, *, actor: Actor, at: dt.datetime) -> Staff:
    """Let a person sign in at a node, and journal who let them."""
    name = " ".join(name.split())
    if not name or len(name) > 60:
        raise Invalid("bad-name", "A name has 1 to 60 letters.")
    staff_id = re.sub(r"\W+", "-", name.casefold()).strip("-") or "person"
    staff = add_staff(session, node_id, staff_id, name, role, pin)
    journal.record(session, actor=actor, at=at, verb="staff.added", subject=f"staff:{staff_id}", name=name, role=role)
    return staff


def check_pin(doors: Doors, node_id: str, staff_id: str, pin: str) -> Staff:
    """Return the person whose PIN this is, or refuse (rules 1 to 3).

    The slow hash runs between two short transactions.
    """
    at = doors.now()
    with doors.read() as session:
        staff = session.get(Staff, (node_id, staff_id))
    if staff is not None and staff.locked_until is not None and staff.locked_until > at:
        wait_s = int((staff.locked_until - at).total_seconds()) + 1
        raise Refused("locked", f"Too many wrong PINs. Try again in {wait_s} seconds.", wait_s=wait_s)
    known = staff is not None and staff.active
    try:
        _hasher.verify(staff.pin_hash if staff is not None and known else _nobody, pin)
        right = known
    except VerifyMismatchError:
        right = False
    with doors.write() as session:
        found = session.get(Staff, (node_id, staff_id), with_for_update=True) if known else None
        if found is None:
            journal.record(
                session, actor=Actor.system("sign-in", node_id), at=at, verb="signin.refused", subject="staff:unknown"
            )
        else:
            _note(session, found, right, at)
    if not right or found is None:
        raise Refused("wrong-pin", "That name and PIN do not belong together. Try again.")
    return found


def _note(session: Session, staff: Staff, right: bool, at: dt.datetime) -> None:
    staff.failed_tries = 0 if right else staff.failed_tries + 1
    over = staff.failed_tries - TRIES
    locked_s = min(LOCK_MOST_S, LOCK_S * 2 ** min(over, 10)) if over >= 0 else 0
    staff.locked_until = at + dt.timedelta(seconds=locked_s) if locked_s else None
    journal.record(
        session,
        actor=Actor(id=staff.id, name=staff.name, role=staff.role, node=staff.node_id),
        at=at,
        verb="signin.good" if right else "signin.refused",
        subject=f"staff:{staff.id}",
        tries=staff.failed_tries,
    )
