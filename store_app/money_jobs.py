"""The nightly jobs about money and standing, for the table in `jobs`."""

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store_app.jobs import Desk


def close_money(desk: "Desk", day: dt.date) -> str:
    """Charge late days, review standings, work every shop's credit out, and pay the shelves, at the network."""
    from supply import credit_night

    with desk.doors.write() as session:
        shops = credit_night.close_day(session, day, actor=desk.actor("credit"), at=desk.doors.now())
    return f"{shops} lines"


def tell_counts(desk: "Desk", day: dt.date) -> str:
    """Tell the network how fresh the counts are: the one measure of the standing that only the shop knows."""
    from supply import standing

    with desk.doors.write() as session:
        counted, sold = standing.tell_counts(session, desk.node_id, day, at=desk.doors.now())
    return f"{counted} of {sold} products counted lately"
