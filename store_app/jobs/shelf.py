"""The jobs of the bestseller shelf, of campaigns and of letters; `jobs` has the table and the rules."""

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store_app.jobs.jobs import Desk


def shelf_live(desk: "Desk", _day: dt.date) -> str:
    """Let an approved shelf plan go live on its day."""
    from supply.shelf import plan

    with desk.doors.write() as session:
        live = plan.go_live(session, desk.node_id, actor=desk.actor("shelf-live"), at=desk.doors.now())
    return "a new plan" if live else "no change"


def shelf_swap(desk: "Desk", day: dt.date) -> str:
    """Draft the week's swaps of the bestseller shelf, on Sunday night."""
    from supply.shelf import swaps

    if day.weekday() != 6:
        return "not the day"
    with desk.doors.write() as session:
        plan = swaps.draft_swaps(session, desk.node_id, actor=desk.actor("shelf-swap"), at=desk.doors.now())
    return "swaps drafted" if plan else "nothing to swap"


def carry_campaigns_out(desk: "Desk", _day: dt.date) -> str:
    """Begin and clear away what the shop agreed to, and let lapse what it did not answer."""
    from supply.network.offers import campaign_requests

    with desk.doors.write() as session:
        actor, at = desk.actor("campaigns"), desk.doors.now()
        changed = campaign_requests.carry_out(session, desk.node_id, actor=actor, at=at)
    return f"{len(changed)} changed"


def settle_campaigns(desk: "Desk", _day: dt.date) -> str:
    """Settle the campaigns that are over: what they brought, and the fees."""
    from supply.network.offers import campaigns

    with desk.doors.write() as session:
        done = campaigns.settle_due(session, actor=desk.actor("campaigns-over"), at=desk.doors.now())
    return f"{len(done)} settled"


def thank_friends(desk: "Desk", _day: dt.date) -> str:
    """Make a code for everybody whose friend has bought for the first time."""
    from supply.online.messages import referrals

    with desk.doors.write() as session:
        made = referrals.give(session, desk.node_id, actor=desk.actor("thank-friends"), at=desk.doors.now())
    return f"{made} thanked"
