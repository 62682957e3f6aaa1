"""The sessions of the people who work here, as a browser's requests make them and as their pages show them.

Rules
-----
1. A session is noted when it begins, and as seen every SEEN_EVERY at most; where the books take nothing just now, the
   page is answered all the same.
2. At the network a session lasts OPERATOR_FOR and ends within OPERATOR_IDLE of nothing, for its sign-in stands on the
   internet; everybody else's lasts LONGEST, and ends within SIGNED_IN_FOR.
"""

import contextlib
import datetime as dt
import hashlib

import sqlalchemy as sa
from flask import request, session
from sqlalchemy.orm import Session

from config.errors import NotFound
from config.nodes.journal import Actor, Context
from pos.store import staff_sessions
from pos.store.roles import NETWORK_ROLES
from pos.store.staff_sessions import LONGEST_SESSION, SEEN_EVERY, StaffSession
from pos.store.store import Staff
from store_app.runtime.doors import own_doors
from store_app.web import staff
from store_app.web.strangers import address_range

SIGNED_IN_FOR = dt.timedelta(hours=14)
OPERATOR_FOR, OPERATOR_IDLE = dt.timedelta(hours=12), dt.timedelta(hours=1)
MOST_KEPT = 512
_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"), ("CriOS", "Chrome"), ("Chrom", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS", "Mac"), ("Linux", "Linux"),
)  # fmt: skip
"""What a browser says of itself, the most telling word first, and what people call it."""


class Seen:
    """When this process last noted of each session that it is used."""

    def __init__(self) -> None:
        self._at: dict[str, dt.datetime] = {}

    def is_due(self, session_id: str, at: dt.datetime) -> bool:
        """Tell whether it is time to note it again; whoever is told yes notes it."""
        if (last := self._at.get(session_id)) is not None and at - last < SEEN_EVERY:
            return False
        if len(self._at) >= MOST_KEPT:
            self._at.clear()
        self._at[session_id] = at
        return True


def lasts(role: str) -> tuple[dt.timedelta, dt.timedelta]:
    """Return how long a session lasts at most, and how long without being used (rule 2)."""
    return (OPERATOR_FOR, OPERATOR_IDLE) if role in NETWORK_ROLES else (LONGEST_SESSION, SIGNED_IN_FOR)


def stamps_of(person: Staff) -> dict[str, str]:
    """Return the stamps of a person's good sessions, by how they began."""
    return {by: stamp(person.pin_hash, person.totp_salt, person.badge_hash, by) for by in ("pin", "badge")}


def stamp(pin_hash: str, totp_salt: str | None, badge_hash: str | None, by: str) -> str:
    """Return what a session carries: a new PIN or second factor ends the old one's, a badge taken away ends its own."""
    kept = " ".join([pin_hash, *([totp_salt] if totp_salt else []), *([str(badge_hash)] if by == "badge" else [])])
    return hashlib.sha256(kept.encode()).hexdigest()[:16]


def begin(person: Staff) -> None:
    """Note the session that the request has begun."""
    at = own_doors().now()
    with own_doors().write() as books:
        staff_sessions.begin(
            books, person, session["id"], stamp=session["stamp"], device=_device(), place=address_range(), at=at,
            live=live(books, person),
        )  # fmt: skip


def see(actor: Actor) -> None:
    """Note that the request's session is used (rule 1)."""
    with contextlib.suppress(sa.exc.DBAPIError), own_doors().write() as books:
        staff_sessions.see(
            books, actor.node, actor.id, session["id"], stamp=session["stamp"], device=_device(),
            place=address_range(), at=own_doors().now(),
        )  # fmt: skip


def live(books: Session, person: Staff) -> list[StaffSession]:
    """Return a person's sessions that still open something, last seen first."""
    longest, idle = lasts(person.role)
    at, good = own_doors().now(), set(stamps_of(person).values())
    rows = staff_sessions.live(books, person.node_id, person.id, begun_after=at - longest, seen_after=at - idle)
    return [row for row in rows if row.stamp in good]


def shown(books: Session, staff_id: str) -> list[StaffSession]:
    """Return a person's sessions for a page, this browser's own one first."""
    person = staff.known(books, own_doors().settings.node_id, staff_id)
    return sorted(live(books, person), key=lambda row: not is_this(row))


def is_this(row: StaffSession) -> bool:
    """Tell whether a session is the one that asks."""
    return row.session_id == session.get("id")


def end(staff_id: str, *, handle: str = "", actor: Actor) -> int:
    """End one session of a person, or all but the one that asks; returns how many."""
    with own_doors().write() as books:
        rows = [row for row in shown(books, staff_id) if row.handle == handle or (not handle and not is_this(row))]
        if handle and not rows:
            raise NotFound("no-session", "This session has already ended.")
        staff_sessions.end(books, rows, at=dt.datetime.now(dt.UTC))
        if rows:
            staff.note_ended(Context(books, actor, own_doors().now()), staff_id, len(rows))
    return len(rows)


# --- inside ---


def _device() -> str:
    """Return browser and system in words; '' for what says neither."""
    said = request.headers.get("User-Agent", "")
    found = (next((word for sign, word in kind if sign in said), "") for kind in (_BROWSERS, _SYSTEMS))
    return ", ".join(filter(None, found))
