"""Which till this browser stands at."""

import sqlalchemy as sa
from flask import request
from flask import session as browser
from sqlalchemy.orm import Session

from config.errors import NotFound
from pos.store.store import Till
from pos.till.shift_book import Shift


def own_till(look: Session, store_id: str) -> Till:
    """Return the till this browser stands at: named by `?till=` once and kept in the session, else the first."""
    asked = request.args.get("till") or browser.get("till_id")
    tills = look.scalars(sa.select(Till).where(Till.store_id == store_id).order_by(Till.id)).all()
    if not tills:
        raise NotFound("no-till", "This store has no till yet. Add one under Store.")
    found = next((till for till in tills if till.id == asked), tills[0])
    if request.args.get("till") == found.id:
        browser["till_id"] = found.id
    return found


def till_of(session: Session, store_id: str) -> str:
    """Return the till at which orders are handed over: this browser's own, or one that is open where it is not."""
    own = own_till(session, store_id).id
    open_tills = set(session.scalars(sa.select(Shift.till_id).where(Shift.store_id == store_id, Shift.state == "open")))
    return own if own in open_tills else min(open_tills, default=own)
