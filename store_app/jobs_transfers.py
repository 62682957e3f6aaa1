"""The jobs of goods between shops; `jobs` has the table and the rules."""

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store_app.jobs import Desk


def tell_spares(desk: "Desk", _day: dt.date) -> str:
    """Tell the network what this shop can spare and could use."""
    from supply import transfer_sheets

    with desk.doors.write() as session:
        spares, wants = transfer_sheets.tell(session, desk.node_id, at=desk.doors.now())
    return f"{spares} to spare, {wants} wanted"


def propose_transfers(desk: "Desk", _day: dt.date) -> str:
    """End what nobody answered or fetched, and propose what neighbours gain by."""
    from supply import transfer_proposals, transfers

    with desk.doors.write() as session:
        actor, at = desk.actor("transfers"), desk.doors.now()
        over = transfers.lapse_due(session, actor=actor, at=at)
        made = transfer_proposals.propose(session, actor=actor, at=at)
    return f"{len(made)} proposed, {len(over)} lapsed"
