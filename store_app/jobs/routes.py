"""The job that computes the rounds somebody asked for: apart, because it takes seconds of a whole core."""

import datetime as dt
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from store_app.jobs.jobs import Desk

log = structlog.get_logger()


def plan_rounds(desk: "Desk", _day: dt.date) -> str:
    """Compute every plan that was asked for; one that fails says why, leaves the rounds alone and stops no other."""
    from supply.network.routes import loads, routes
    from supply.routing import planning

    with desk.doors.read() as session:
        wanted = [row.id for row in loads.asked(session)]
    made = 0
    for plan_id in wanted:
        try:
            with desk.doors.write() as session:
                plan = session.get_one(routes.RoundPlan, plan_id)
                plan.begun_at = desk.doors.now()
                loaded = loads.load(session, plan, at=desk.doors.now())
            planned = desk.compute(planning.compute, loaded.day)
            with desk.doors.write() as session:
                plan = session.get_one(routes.RoundPlan, plan_id)
                made += len(loads.write_down(session, plan, loaded, planned, at=desk.doors.now()))
        except Exception as fault:  # what it is made of is odd, or its child died or ran out of time
            log.exception("rounds not planned", plan=plan_id)
            with desk.doors.write() as session:
                loads.give_up(session.get_one(routes.RoundPlan, plan_id), str(fault), at=desk.doors.now())
    return f"{made} rounds"
