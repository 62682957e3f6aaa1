"""The nightly jobs about money and standing, for the table in `jobs`."""

import datetime as dt

import sqlalchemy as sa

from pos.store.store import Store
from store_app.jobs.desk import Desk


def close_money(desk: Desk, day: dt.date) -> str:
    """Charge late days, review standings, work every store's credit out, and pay the shelves, at the network."""
    from supply.membership import credit_review

    with desk.doors.write() as session:
        stores = credit_review.close_day(session, day, actor=desk.actor("credit"), at=desk.doors.now())
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
        found = suggestions.renew(session, desk.node_id, day, actor=desk.actor("suggest"), at=desk.doors.now())
    return f"{found.kind} {found.sku}" if found else "nothing to suggest"


def keep_consigned(desk: Desk, _day: dt.date) -> str:
    """Tell the network what its goods here came to, and propose or end what is due."""
    from supply.money import consignment
    from supply.network.warehouse import returns

    with desk.doors.write() as session:
        actor, at = desk.actor("consigned"), desk.doors.now()
        lots = consignment.close_day(session, desk.node_id, actor=actor, at=at)
        returns.keep_unsent(session, desk.node_id, actor=actor, at=at)
    return f"{lots} lots of the network's"


def expire_network_offers(desk: Desk, _day: dt.date) -> str:
    """Pay for offered goods that stayed, as their terms say."""
    from supply.network.offers import offer_results

    with desk.doors.write() as session:
        looked_at = offer_results.look_after(session, actor=desk.actor("network-offers"), at=desk.doors.now())
    return f"{looked_at} looked at"


def keep_points(desk: Desk, day: dt.date) -> str:
    """Let shared points lapse that nobody moves, and settle every store's part of their pool, at the network."""
    from supply.money import points, points_pool

    with desk.doors.write() as session:
        actor, at = desk.actor("points"), desk.doors.now()
        points_pool.try_waiting(session, actor=actor, at=at)
        lapsed = points.lapse_old(session, day, at=at)
        stores = points_pool.settle_all(session, day, actor=actor, at=at)
    return f"{stores} stores settled, {lapsed} members' points lapsed"


def end_returns(desk: Desk, _day: dt.date) -> str:
    """End the claims whose goods did not come back, and charge what did not come of goods on sale or return."""
    from supply.network.warehouse import returns

    with desk.doors.write() as session:
        forfeited = returns.end_overdue(session, actor=desk.actor("returns"), at=desk.doors.now())
    return f"{forfeited} claims forfeited"
