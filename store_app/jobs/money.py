"""The nightly jobs about money and standing, for the table in `jobs`."""

import datetime as dt

import sqlalchemy as sa

from config.ids import NETWORK
from config.nodes.journal import Context
from pos.store.store import Region, Store
from store_app.jobs.desk import Desk


def close_money(desk: Desk, day: dt.date) -> str:
    """Charge late days, review standings, work every store's credit out, and pay the shelves, at the network."""
    from supply.membership import credit_review

    with desk.doors.write() as session:
        stores = credit_review.close_day(Context(session, desk.actor("credit"), desk.doors.now()), day)
    return f"{stores} lines"


def send_counts(desk: Desk, day: dt.date) -> str:
    """Tell the network how fresh the counts are: the one measure of the standing that only the store knows."""
    from supply.membership import level

    at = desk.doors.now()
    with desk.doors.read() as session:
        counted, sold = level.counts(session, desk.node_id, day, at=at)
    with desk.doors.write() as session:
        level.send_counts(session, desk.node_id, day, counted, sold, at=at)
    return f"{counted} of {sold} products counted lately"


def report_day(desk: Desk, day: dt.date) -> str:
    """Work out how the day was at this store, or at the stores without a node, and tell the network."""
    from supply.demand import day_reports

    is_store, changed = desk.node_id != NETWORK, 0
    with desk.doors.read() as session:
        without = sa.select(Store.id).where(~Store.has_node, Store.left_on.is_(None)).order_by(Store.id)
        stores = [desk.node_id] if is_store else list(session.scalars(without))
    for store_id in stores:
        with desk.doors.write() as session:
            ctx = Context(session, desk.actor("report-day"), desk.doors.now())
            changed += day_reports.report(ctx, store_id, day, sends=is_store)
    return f"{changed} days reported"


def report_assortment(desk: Desk, _day: dt.date) -> str:
    """Tell the network what this store sells, where that changed."""
    from pos.catalogue import reported_assortment

    with desk.doors.write() as session:
        ctx = Context(session, desk.actor("report-assortment"), desk.doors.now())
        return f"{reported_assortment.report(ctx, desk.node_id)} products reported"


def review_assortment(desk: Desk, day: dt.date) -> str:
    """Look at what each region's stores carry, what they miss and what does not sell, at the network."""
    from supply.membership import assortment_review

    with desk.doors.read() as session:
        regions = session.scalars(sa.select(Region.id).order_by(Region.id)).all()
    found = 0
    for region_id in regions:
        with desk.doors.read() as session:
            seen = assortment_review.review(session, region_id, day + dt.timedelta(days=1))
        with desk.doors.write() as session:
            assortment_review.keep(session, region_id, seen)
        found += len(seen.findings)
    return f"{found} findings in {len(regions)} regions"


def compare_stores(desk: Desk, day: dt.date) -> str:
    """Work the neighbours' figures out when a week ends, at the network; the first time at once."""
    from supply.membership import benchmarks

    with desk.doors.read() as session:
        if day.weekday() != 6 and benchmarks.is_published(session):
            return "not this day"
        figures = benchmarks.figures_of(session, session.scalars(sa.select(Store.id)).all(), day)
    with desk.doors.write() as session:
        return f"{benchmarks.work_out(session, figures, day, at=desk.doors.now())} figures"


def suggest(desk: Desk, day: dt.date) -> str:
    """Measure what was tried, and see that the best suggestion is open, at the store."""
    from supply.membership import suggestions

    with desk.doors.write() as session:
        found = suggestions.renew(Context(session, desk.actor("suggest"), desk.doors.now()), desk.node_id, day)
    return f"{found.kind} {found.sku}" if found else "nothing to suggest"


def keep_consigned(desk: Desk, _day: dt.date) -> str:
    """Tell the network what its goods here came to, and propose or end what is due."""
    from supply.money import consignment
    from supply.network.warehouse import returns

    with desk.doors.write() as session:
        actor, at = desk.actor("consigned"), desk.doors.now()
        ctx = Context(session, actor, at)
        lots = consignment.close_day(ctx, desk.node_id)
        returns.keep_unsent(ctx, desk.node_id)
    return f"{lots} lots of the network's"


def expire_network_offers(desk: Desk, _day: dt.date) -> str:
    """Pay for offered goods that stayed, as their terms say."""
    from supply.network.offers import offer_results

    with desk.doors.write() as session:
        looked_at = offer_results.look_after(Context(session, desk.actor("network-offers"), desk.doors.now()))
    return f"{looked_at} looked at"


def keep_points(desk: Desk, day: dt.date) -> str:
    """Let shared points lapse that nobody moves, and settle every store's part of their pool, at the network."""
    from supply.money import points, points_pool

    with desk.doors.write() as session:
        actor, at = desk.actor("points"), desk.doors.now()
        ctx = Context(session, actor, at)
        points_pool.try_waiting(ctx)
        lapsed = points.lapse_old(session, day, at=at)
        stores = points_pool.settle_all(ctx, day)
    return f"{stores} stores settled, {lapsed} members' points lapsed"


def end_returns(desk: Desk, _day: dt.date) -> str:
    """End the claims whose goods did not come back, and charge what did not come of goods on sale or return."""
    from supply.network.warehouse import returns

    with desk.doors.write() as session:
        forfeited = returns.end_overdue(Context(session, desk.actor("returns"), desk.doors.now()))
    return f"{forfeited} claims forfeited"
