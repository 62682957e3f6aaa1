"""The jobs of orders and of goods between shops; `jobs` has the table and the rules."""

import datetime as dt
from typing import TYPE_CHECKING

from config.clock import business_day
from pos.store.store import store_of

if TYPE_CHECKING:
    from store_app.jobs.jobs import Desk


def propose(desk: "Desk", _day: dt.date) -> str:
    """Propose orders from the forecast, and send what the shopkeeper's rules let go."""
    from supply.replenishment import auto_approval, proposals

    at = desk.doors.now()
    with desk.doors.read() as session:
        drafts = proposals.work_out(session, desk.node_id, at=at)
    with desk.doors.write() as session:
        made = proposals.write_down(session, desk.node_id, drafts, at=at, actor=desk.actor("propose"))
        store = store_of(session, desk.node_id)
        today = business_day(at, store.tz, store.rollover_hour)
        gone = auto_approval.send_by_rule(session, desk.node_id, made, today, at=at)
    return f"{len(made)} proposals, {len(gone)} sent by rule"


def play_weeks_ahead(desk: "Desk", day: dt.date) -> str:
    """Play the shop's orders of the coming weeks on many futures, once last night's forecast is there."""
    from supply.replenishment import order_simulation

    with desk.doors.read() as session:
        loaded = order_simulation.load(session, desk.node_id, country=desk.doors.settings.country, at=desk.doors.now())
    if loaded is None:
        return "no forecast of last night"
    body = desk.compute(order_simulation.compute, loaded, desk.far("weeks-ahead", day, "days"))
    with desk.doors.write() as session:
        order_simulation.keep(session, desk.node_id, body, at=desk.doors.now())
    return f"{body['products']} products played on {body['futures']} futures"


def publish_terms(desk: "Desk", _day: dt.date) -> str:
    """Publish what the network's suppliers ask, where that has changed since shops heard of it last."""
    from store_app.jobs import publishing

    return "published" if publishing.publish_terms(desk.doors) else "nothing changed"


def post_purchases(desk: "Desk", _day: dt.date) -> str:
    """E-mail the warehouses' purchases to whom they buy from."""
    from store_app.jobs import jobs
    from store_app.mail import letters
    from supply.orders import suppliers

    with desk.doors.read() as session:
        houses = suppliers.warehouses(session)
    done = [letters.send_due(desk.doors, house, jobs.carriers_of(desk)) for house in houses]
    return f"{sum(sent for sent, _ in done)} sent, {sum(failed for _, failed in done)} failed"


def tell_spares(desk: "Desk", _day: dt.date) -> str:
    """Tell the network what this shop can spare and could use."""
    from supply.network.transfers import sheets

    at = desk.doors.now()
    with desk.doors.read() as session:
        sheet = sheets.work_out(session, desk.node_id, at=at)
    with desk.doors.write() as session:
        sheets.tell(session, desk.node_id, sheet, at=at)
    return f"{len(sheet.spares)} to spare, {len(sheet.wants)} wanted"


def propose_transfers(desk: "Desk", _day: dt.date) -> str:
    """End what nobody answered or fetched, and propose what neighbours gain by."""
    from supply.network.transfers import proposals, transfers

    with desk.doors.write() as session:
        actor, at = desk.actor("transfers"), desk.doors.now()
        over = transfers.lapse_due(session, actor=actor, at=at)
        made = proposals.propose(session, actor=actor, at=at)
    return f"{len(made)} proposed, {len(over)} lapsed"
