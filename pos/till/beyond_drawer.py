"""Cash that leaves a drawer beyond what its books have in it.

Rules
-----
1. Who may see what a drawer should hold, or acts with the leave of somebody, is refused: it is a slip of the finger, or
   the books want a pay-in first.
2. Who counts blind is not: a refusal would tell what is in the drawer. It is booked like any other, for the cash in
   somebody's hand is the truth; over/short shows at the count what was not so.
3. What was booked so is journalled and named on Z with who, when and how much; nothing that a blind person is shown,
   told or handed says it.
"""

import datetime as dt

from sqlalchemy.orm import Session

from config.errors import Refused
from config.nodes import journal
from config.nodes.journal import Actor
from pos.store import permissions
from pos.till import totals

SEES = "over_short"
"""The permission to see what a drawer should hold."""


def is_beyond(out_minor: int, held_minor: int) -> bool:
    """Tell whether a drawer that should hold so much cannot give so much."""
    return out_minor > max(0, held_minor)


def note(
    session: Session, store_id: str, shift_id: str, sums: totals.Totals, kind: str, out_minor: int, refusal: Refused,
    *, agreed: bool = False, actor: Actor, at: dt.datetime,
) -> totals.Totals:  # fmt: skip
    """Return a shift's totals with cash that leaves it beyond the books (rules 2, 3), or raise the refusal (rule 1)."""
    if agreed or permissions.may(session, store_id, actor.role, SEES):
        raise refusal
    facts = {"kind": kind, "amount_minor": out_minor}
    journal.record(session, actor=actor, at=at, verb="shift.beyond_drawer", subject=f"shift:{shift_id}", **facts)
    return totals.with_beyond(sums, [actor.name, at.isoformat(), kind, out_minor])
