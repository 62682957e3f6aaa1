"""The jobs of orders and of goods between shops; `jobs` has the table and the rules."""

import datetime as dt
from typing import TYPE_CHECKING

from config.clock import business_day
from pos.store import store_of

if TYPE_CHECKING:
    from store_app.jobs import Desk


def propose(desk: "Desk", _day: dt.date) -> str:
    """Propose orders from the forecast, and send what the shopkeeper's rules let go."""
    from supply import order_rules, replenishment

    at = desk.doors.now()
    with desk.doors.read() as session:
        drafts = replenishment.work_out(session, desk.node_id, at=at)
    with desk.doors.write() as session:
        made = replenishment.write_down(session, desk.node_id, drafts, at=at, actor=desk.actor("propose"))
        store = store_of(session, desk.node_id)
        today = business_day(at, store.tz, store.rollover_hour)
        gone = order_rules.send_by_rule(session, desk.node_id, made, today, at=at)
    return f"{len(made)} proposals, {len(gone)} sent by rule"


def play_weeks_ahead(desk: "Desk", day: dt.date) -> str:
    """Play the shop's orders of the coming weeks on many futures, once last night's forecast is there."""
    from supply import weeks_ahead

    with desk.doors.read() as session:
        loaded = weeks_ahead.load(session, desk.node_id, country=desk.doors.settings.country, at=desk.doors.now())
    if loaded is None:
        return "no forecast of last night"
    body = desk.compute(weeks_ahead.compute, loaded, desk.far("weeks-ahead", day, "days"))
    with desk.doors.write() as session:
        weeks_ahead.keep(session, desk.node_id, body, at=desk.doors.now())
    return f"{body['products']} products played on {body['futures']} futures"


def publish_terms(desk: "Desk", _day: dt.date) -> str:
    """Publish what the network's suppliers ask, where that has changed since shops heard of it last."""
    from store_app import editions

    return "published" if editions.publish_terms(desk.doors) else "nothing changed"


def post_purchases(desk: "Desk", _day: dt.date) -> str:
    """E-mail the warehouses' purchases to whom they buy from."""
    from store_app import jobs, letter_post
    from supply import suppliers

    with desk.doors.read() as session:
        houses = suppliers.warehouses(session)
    done = [letter_post.send_due(desk.doors, house, jobs.carriers_of(desk)) for house in houses]
    return f"{sum(sent for sent, _ in done)} sent, {sum(failed for _, failed in done)} failed"


def tell_spares(desk: "Desk", _day: dt.date) -> str:
    """Tell the network what this shop can spare and could use."""
    from supply import transfer_sheets

    at = desk.doors.now()
    with desk.doors.read() as session:
        sheet = transfer_sheets.work_out(session, desk.node_id, at=at)
    with desk.doors.write() as session:
        transfer_sheets.tell(session, desk.node_id, sheet, at=at)
    return f"{len(sheet.spares)} to spare, {len(sheet.wants)} wanted"


def propose_transfers(desk: "Desk", _day: dt.date) -> str:
    """End what nobody answered or fetched, and propose what neighbours gain by."""
    from supply import transfer_proposals, transfers

    with desk.doors.write() as session:
        actor, at = desk.actor("transfers"), desk.doors.now()
        over = transfers.lapse_due(session, actor=actor, at=at)
        made = transfer_proposals.propose(session, actor=actor, at=at)
    return f"{len(made)} proposed, {len(over)} lapsed"
