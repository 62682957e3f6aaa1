"""Opening the drawer without a sale: allowed to some, never unseen.

Rules
-----
1. It needs the permission `no_sale`, or somebody's leave, and a reason.
2. It is journalled, counted in the shift's totals and leaves a slip of paper; the same command opens it once.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from config.errors import Invalid, Refused
from config.nodes import journal
from config.nodes.journal import Actor
from pos.printing import queue
from pos.store import approvals
from pos.store.leave import Need
from pos.store.store import Till, snapshot, store_of
from pos.till.shift import locked, note

LONGEST_REASON = 200


@dataclass(frozen=True)
class DrawerRequest:
    """The wish to open the drawer: by its id it is one wish, however often it is sent."""

    id: str
    store_id: str
    till_id: str
    why: str
    approvals: Sequence[str] = ()


def open_drawer(session: Session, request: DrawerRequest, *, actor: Actor, at: dt.datetime) -> bool:
    """Open the drawer of a till in use; returns False when this very command opened it before (rules 1, 2)."""
    if not request.why.strip() or len(request.why) > LONGEST_REASON:
        raise Invalid("no-reason", "Say in a few words why the drawer is opened.")
    shift = locked(session, request.store_id, request.till_id)
    if queue.latest(session, request.store_id, request.id, "drawer") is not None:
        return False
    if shift is None:
        raise Refused("no-open-shift", "This till is not open. Open it first.", till_id=request.till_id)
    approvals.require(session, request, [Need("no_sale", "the drawer opened without a sale")], actor=actor, at=at)
    note(shift, "no_sale")
    facts = {"reason": request.why.strip(), "till": request.till_id}
    journal.record(session, actor=actor, at=at, verb="drawer.opened", subject=f"shift:{shift.id}", **facts)
    document = _slip(session, request, actor, at)
    queue.queue(session, request.store_id, request.till_id, "drawer", request.id, document, opens_drawer=True, at=at)
    return True


def note_event(session: Session, store_id: str, till_id: str, kind: str) -> None:
    """Count something that happened at a till without a sale (a copy of a receipt, say) in its open shift's totals."""
    shift = locked(session, store_id, till_id)
    if shift is not None:
        note(shift, kind)


def _slip(session: Session, request: DrawerRequest, actor: Actor, at: dt.datetime) -> dict[str, Any]:
    store = store_of(session, request.store_id)
    return {
        "store": snapshot(store),
        "till_name": session.get_one(Till, (store.id, request.till_id)).name,
        "local_time": f"{at.astimezone(ZoneInfo(store.tz)):%Y-%m-%d %H:%M}",
        "cashier_name": actor.name,
        "why": request.why.strip(),
    }
