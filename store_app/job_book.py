"""What ran when: one row per job and day, so that a nightly job runs once, and a missed night is made up.

Rules
-----
1. A nightly job is done for a business day exactly once (I25): its row is taken in a transaction before it runs.
2. What failed, or was cut off by a crash, is tried again after a wait, three times, and then waits for a person.
3. The clock asked is the node's own, so that a practice network's nights come when its clock says so.
"""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into

MOST_TRIES = 3
TRY_AGAIN = dt.timedelta(minutes=10)
CUT_OFF_AFTER = dt.timedelta(hours=1)


class JobRun(Base):
    """The last run of a job for a business day."""

    __tablename__ = "job_run"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    state: Mapped[str]
    """running | done | failed"""
    tries: Mapped[int]
    began_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    outcome: Mapped[str] = mapped_column(default="")


def take(session: Session, node_id: str, job: str, day: dt.date, *, at: dt.datetime) -> bool:
    """Take a job for a day; False when it is done, running, or has to wait (rules 1, 2)."""
    first = {"node_id": node_id, "job": job, "day": day, "state": "running", "tries": 1, "began_at": at, "outcome": ""}
    taken = insert_into(JobRun, dialect_of(session)).values(first).on_conflict_do_nothing().returning(JobRun.tries)
    if session.scalar(taken) is not None:
        return True
    run = session.get_one(JobRun, (node_id, job, day), with_for_update=True, populate_existing=True)
    if not _may_begin(run, at):
        return False
    run.state, run.tries, run.began_at, run.ended_at = "running", run.tries + 1, at, None
    return True


def note(session: Session, node_id: str, job: str, day: dt.date, *, at: dt.datetime, done: bool, outcome: str) -> None:
    """Write down how a run ended; a run by hand makes its row."""
    run = session.get(JobRun, (node_id, job, day))
    if run is None:
        run = JobRun(node_id=node_id, job=job, day=day, state="running", tries=1, began_at=at, outcome="")
        session.add(run)
    run.state, run.ended_at, run.outcome = "done" if done else "failed", at, outcome[:500]


def last_done(session: Session, node_id: str, job: str) -> dt.date | None:
    """Return the last day a job was done for."""
    return session.scalar(
        sa.select(sa.func.max(JobRun.day)).where(JobRun.node_id == node_id, JobRun.job == job, JobRun.state == "done")
    )


def may_take(session: Session, node_id: str, job: str, day: dt.date, *, at: dt.datetime) -> bool:
    """Tell whether `take` would give a job for a day now."""
    run = session.get(JobRun, (node_id, job, day))
    return run is None or _may_begin(run, at)


def failed(session: Session, node_id: str) -> list[JobRun]:
    """Return the runs that wait for a person."""
    return list(
        session.scalars(
            sa.select(JobRun)
            .where(JobRun.node_id == node_id, JobRun.state == "failed", JobRun.tries >= MOST_TRIES)
            .order_by(JobRun.day)
        )
    )


# --- inside ---


def _may_begin(run: JobRun, at: dt.datetime) -> bool:
    if run.state == "done" or run.tries >= MOST_TRIES:
        return False
    return at >= run.began_at + (TRY_AGAIN if run.state == "failed" else CUT_OFF_AFTER)
