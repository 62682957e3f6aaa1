"""What this node knows to be past, so that a clock that fell back years after a power cut locks nobody out (I28).

Known is when the node was founded, what the network's clock showed at the last contact, and when the third last day
was closed: one evening, or two, on a clock that ran ahead do not count.
"""

import datetime as dt

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from config.clock import SystemClock
from config.nodes.node import Node
from pos.till.shift_book import Shift
from store_app.runtime.doors import Doors

DAYS_NOT_BELIEVED = 2
log = structlog.get_logger()


def hold(doors: Doors) -> None:
    """Hold the machine's clock at what is known to be past; at every start, after the tables are there."""
    if not isinstance(doors.clock, SystemClock):
        return
    with doors.read() as session:
        past = known(session, doors.settings.node_id)
    if past is not None:
        doors.clock.hold(past)
    if behind_s := doors.clock.behind_s():
        log.warning("the clock is behind", seconds=round(behind_s), held_at=doors.now().isoformat())


def known(session: Session, node_id: str) -> dt.datetime | None:
    """Return the latest moment known to be past; None where the node is not founded."""
    node = session.scalar(sa.select(Node))
    if node is None:
        return None
    closed = sa.func.max(Shift.closed_at)
    third = session.scalar(
        sa.select(closed)
        .where(Shift.store_id == node_id, Shift.closed_at.is_not(None))
        .group_by(Shift.business_day)
        .order_by(closed.desc())
        .offset(DAYS_NOT_BELIEVED)
        .limit(1)
    )
    return max(moment for moment in (node.born_at, node.last_contact_at, third) if moment is not None)
