"""The jobs of orders, transfers, routes, the bestseller shelf and campaigns; `jobs` has the table and the rules."""

import datetime as dt

import structlog

from config.clock import business_day
from config.nodes.journal import Context
from pos.store.store import store_of
from store_app.jobs.desk import Desk

log = structlog.get_logger()


def propose(desk: Desk, _day: dt.date) -> str:
    """Propose orders from the forecast, and send what the shopkeeper's rules let go."""
    from supply.replenishment import auto_approval, proposals

    at = desk.doors.now()
    with desk.doors.read() as session:
        drafts = proposals.draft(session, desk.node_id, at=at)
    with desk.doors.write() as session:
        made = proposals.write(Context(session, desk.actor("propose"), at), desk.node_id, drafts)
        store = store_of(session, desk.node_id)
        today = business_day(at, store.tz, store.rollover_hour)
        gone = auto_approval.send_by_rule(session, desk.node_id, made, today, at=at)
    return f"{len(made)} proposals, {len(gone)} sent by rule"


def play_weeks_ahead(desk: Desk, day: dt.date) -> str:
    """Play the store's orders of the coming weeks on many futures, once last night's forecast is there."""
    from supply.replenishment import order_simulation, scenarios

    with desk.doors.read() as session:
        loaded = order_simulation.load(session, desk.node_id, country=desk.doors.settings.country, at=desk.doors.now())
    if loaded is None:
        return "no forecast of last night"
    body = desk.compute(scenarios.compute, loaded, desk.far("weeks-ahead", day, "days"))
    with desk.doors.write() as session:
        order_simulation.keep(session, desk.node_id, body, at=desk.doors.now())
    return f"{body['products']} products played on {body['futures']} futures"


def publish_terms(desk: Desk, _day: dt.date) -> str:
    """Publish what the network's suppliers ask, where that has changed since stores heard of it last."""
    from store_app.jobs import publishing

    return "published" if publishing.publish_terms(desk.doors) else "nothing changed"


def send_spares(desk: Desk, _day: dt.date) -> str:
    """Tell the network what this store can spare and could use."""
    from supply.network.transfers import sheets

    at = desk.doors.now()
    with desk.doors.read() as session:
        sheet = sheets.work_out(session, desk.node_id, at=at)
    with desk.doors.write() as session:
        sheets.send(session, desk.node_id, sheet, at=at)
    return f"{len(sheet.spares)} to spare, {len(sheet.wants)} wanted"


def propose_transfers(desk: Desk, _day: dt.date) -> str:
    """End what nobody answered or fetched, and propose what neighbours gain by."""
    from supply.network.transfers import proposals, transfers

    with desk.doors.write() as session:
        actor, at = desk.actor("transfers"), desk.doors.now()
        ctx = Context(session, actor, at)
        over = transfers.lapse_due(ctx)
        made = proposals.propose(ctx)
    return f"{len(made)} proposed, {len(over)} lapsed"


def plan_routes(desk: Desk, _day: dt.date) -> str:
    """Compute every plan that was asked for; one that fails says why, leaves the routes alone and stops no other."""
    from supply.network.routes import loads, routes
    from supply.routing import vehicle_routes

    with desk.doors.read() as session:
        wanted = [row.id for row in loads.asked(session)]
    made = 0
    for plan_id in wanted:
        try:
            with desk.doors.write() as session:
                plan = session.get_one(routes.RoutePlan, plan_id)
                plan.begun_at = desk.doors.now()
                loaded = loads.load(session, plan, at=desk.doors.now())
            planned = desk.compute(vehicle_routes.compute, loaded.day)
            with desk.doors.write() as session:
                plan = session.get_one(routes.RoutePlan, plan_id)
                made += len(loads.write_down(session, plan, loaded, planned, at=desk.doors.now()))
        except Exception as fault:  # what it is made of is odd, or its child died or ran out of time
            log.exception("routes not planned", plan=plan_id)
            with desk.doors.write() as session:
                loads.give_up(session.get_one(routes.RoutePlan, plan_id), str(fault), at=desk.doors.now())
    return f"{made} routes"


def shelf_live(desk: Desk, _day: dt.date) -> str:
    """Let an approved shelf plan go live on its day."""
    from supply.shelf import plan

    with desk.doors.write() as session:
        live = plan.go_live(Context(session, desk.actor("shelf-live"), desk.doors.now()), desk.node_id)
    return "a new plan" if live else "no change"


def shelf_swap(desk: Desk, day: dt.date) -> str:
    """Draft the week's swaps of the bestseller shelf, on Sunday night."""
    from supply.shelf import swaps

    if day.weekday() != 6:
        return "not the day"
    with desk.doors.write() as session:
        plan = swaps.draft_swaps(Context(session, desk.actor("shelf-swap"), desk.doors.now()), desk.node_id)
    return "swaps drafted" if plan else "nothing to swap"


def carry_campaigns_out(desk: Desk, _day: dt.date) -> str:
    """Begin and clear away what the store agreed to, and let lapse what it did not answer."""
    from supply.network.offers import campaign_requests

    with desk.doors.write() as session:
        actor, at = desk.actor("campaigns"), desk.doors.now()
        changed = campaign_requests.carry_out(Context(session, actor, at), desk.node_id)
    return f"{len(changed)} changed"


def settle_campaigns(desk: Desk, _day: dt.date) -> str:
    """Settle the campaigns that are over: what they brought, and the fees."""
    from supply.network.offers import campaigns

    with desk.doors.write() as session:
        done = campaigns.settle_due(Context(session, desk.actor("campaigns-over"), desk.doors.now()))
    return f"{len(done)} settled"


def thank_friends(desk: Desk, _day: dt.date) -> str:
    """Make a code for everybody whose friend has bought for the first time."""
    from supply.online.messages import referrals

    with desk.doors.write() as session:
        made = referrals.give(Context(session, desk.actor("reward-referrals"), desk.doors.now()), desk.node_id)
    return f"{made} thanked"
