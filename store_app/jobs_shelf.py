"""The jobs of the bestseller shelf; `jobs` has the table and the rules."""

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store_app.jobs import Desk


def shelf_live(desk: "Desk", _day: dt.date) -> str:
    """Let an approved shelf plan go live on its day."""
    from supply import shelf

    with desk.doors.write() as session:
        live = shelf.go_live(session, desk.node_id, actor=desk.actor("shelf-live"), at=desk.doors.now())
    return "a new plan" if live else "no change"


def shelf_swap(desk: "Desk", day: dt.date) -> str:
    """Draft the week's swaps of the bestseller shelf, on Sunday night."""
    from supply import shelf_swap as swaps

    if day.weekday() != 6:
        return "not the day"
    with desk.doors.write() as session:
        plan = swaps.draft_swaps(session, desk.node_id, actor=desk.actor("shelf-swap"), at=desk.doors.now())
    return "swaps drafted" if plan else "nothing to swap"
