"""A forgotten PIN of the only person who may change people: a code in a file of this computer proves who asks.

Rules
-----
1. Only for the last of those who may change people: everybody else gets a new PIN from them. Only in the browser of the
   store's own computer.
2. The code lies beside the books, where only the user that runs the store reads. It holds for HOLDS, and one try: right
   or wrong, the file is gone. Whoever uses that account of the computer can read it, so none is written while a till is
   open, and the journal says when one was.
3. The new PIN is held to the same rule as any other; whoever is signed in with the old one is signed out, and the
   journal says how it came about.
"""

import datetime as dt
import secrets
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config import ids, private
from config.errors import Refused
from config.nodes.journal import Actor, Context, record
from pos.store.store import Staff
from pos.till.shift_book import Shift
from store_app.runtime.doors import Doors
from store_app.web import staff

HOLDS = dt.timedelta(minutes=15)
FILE = "new-PIN.txt"


def place_of(doors: Doors) -> Path:
    """Return where the code is written."""
    return (doors.settings.state_folder / FILE).resolve()


def is_written(doors: Doors) -> bool:
    """Tell whether a code waits to be typed."""
    return place_of(doors).exists()


def write_code(doors: Doors, session: Session, person: Staff) -> None:
    """Write a code that stands for one new PIN (rules 1, 2)."""
    _refuse_others(session, person)
    open_till = sa.select(Shift.id).where(Shift.store_id == person.node_id, Shift.state != "closed")
    if session.scalar(open_till.limit(1)):
        raise Refused("till-open", "Close every till first. Then you can replace the forgotten PIN.")
    actor = Actor.system("forgotten PIN", person.node_id)
    record(Context(session, actor, doors.now()), verb="staff.code written", subject=f"staff:{person.id}")
    until = int((doors.now() + HOLDS).timestamp())
    private.write(place_of(doors), f"{ids.pickup_code_of(secrets.token_bytes(16))}\n{until} {person.id}\n")


def set_pin(doors: Doors, session: Session, person: Staff, typed: str, pin: str) -> Staff:
    """Give the person a new PIN for the code (rules 2, 3)."""
    _refuse_others(session, person)
    try:
        code, rest = place_of(doors).read_text("utf-8").splitlines()
    except (FileNotFoundError, ValueError):
        raise _wrong() from None
    place_of(doors).unlink(missing_ok=True)
    until, _, whose = rest.partition(" ")
    is_right = secrets.compare_digest(code, ids.tidy_pickup_code(typed) or "")
    if not is_right or whose != person.id or doors.now().timestamp() > int(until):
        raise _wrong()
    actor = Actor.system("forgotten PIN", person.node_id)
    return staff.change_pin(Context(session, actor, doors.now()), person.node_id, person.id, pin)


def _wrong() -> Refused:
    return Refused("wrong-file-code", "This is not the code in the file, or it is too old. Write a new one.")


def _refuse_others(session: Session, person: Staff) -> None:
    if not staff.is_last_keeper(session, person):
        raise Refused("not-the-last", "Ask someone who can manage people for a new PIN.")
