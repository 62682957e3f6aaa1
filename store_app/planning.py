"""The job that computes the rounds somebody asked for: apart, because it takes seconds of a whole core."""

import datetime as dt
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from store_app.jobs import Desk

log = structlog.get_logger()


def plan_rounds(desk: "Desk", _day: dt.date) -> str:
    """Compute every plan that was asked for; one that fails says why, leaves the rounds alone and stops no other."""
    from supply import round_load, round_plan, rounds

    with desk.doors.read() as session:
        wanted = [row.id for row in round_load.asked(session)]
    made = 0
    for plan_id in wanted:
        try:
            with desk.doors.write() as session:
                plan = session.get_one(rounds.RoundPlan, plan_id)
                plan.begun_at = desk.doors.now()
                loaded = round_load.load(session, plan, at=desk.doors.now())
            planned = desk.compute(round_plan.compute, loaded.day)
            with desk.doors.write() as session:
                plan = session.get_one(rounds.RoundPlan, plan_id)
                made += len(round_load.write_down(session, plan, loaded, planned, at=desk.doors.now()))
        except Exception as fault:  # what it is made of is odd, or its child died or ran out of time
            log.exception("rounds not planned", plan=plan_id)
            with desk.doors.write() as session:
                round_load.give_up(session.get_one(rounds.RoundPlan, plan_id), str(fault), at=desk.doors.now())
    return f"{made} rounds"
