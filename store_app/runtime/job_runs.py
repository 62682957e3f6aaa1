"""What ran when: one row per job and day, so that a nightly job runs once, and a missed night is made up.

Rules
-----
1. A nightly job is done for a business day exactly once (I25): its row is taken in a transaction before it runs.
2. What failed, or was cut off by a crash, is tried again after a wait, three times. Then it waits for a person, is
   tried again every night, and lets its later days and the jobs after it go on without it: no copy of the books
   waits for an odd figure. A later day that is done makes up for it, unless each day of the job counts.
3. A person may ask for a job of a day again: it is done as soon as the worker looks for what is due.
4. The clock asked is the node's own, so that a practice network's nights come when its clock says so.
"""

import datetime as dt
from collections.abc import Iterable
from typing import ClassVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, dialect_of, insert_into
from config.states import StateTable

STATES = StateTable(
    "job run",
    "asked",
    {
        "asked": ["running"],
        "running": ["done", "failed", "running", "asked"],
        "failed": ["running", "asked"],
        "done": ["running", "asked"],
    },
    resting=["done", "failed"],
)

MOST_TRIES = 3
TRY_AGAIN = dt.timedelta(minutes=10)
CUT_OFF_AFTER = dt.timedelta(hours=1)
NEXT_NIGHT = dt.timedelta(hours=20)


class JobRun(Base):
    """The last run of a job for a business day."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "job_run"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    state: Mapped[str]
    tries: Mapped[int]
    began_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    outcome: Mapped[str] = mapped_column(default="")
    so_far: Mapped[int | None] = mapped_column(default=None)
    whole: Mapped[int | None] = mapped_column(default=None)
    """How far it is while it runs, where it says so."""

    def is_cut_off(self, at: dt.datetime) -> bool:
        """Tell whether it began so long ago that a crash has ended it (rule 2)."""
        return self.state == "running" and at >= self.began_at + CUT_OFF_AFTER

    @property
    def lasted_s(self) -> float:
        """Return how long a run that ended took."""
        return (self.ended_at - self.began_at).total_seconds() if self.ended_at else 0.0


def take(session: Session, node_id: str, job: str, day: dt.date, *, at: dt.datetime) -> bool:
    """Take a job for a day; False when it is done, running, or has to wait (rules 1, 2)."""
    first = {"node_id": node_id, "job": job, "day": day, "state": "running", "tries": 1, "began_at": at, "outcome": ""}
    taken = insert_into(JobRun, dialect_of(session)).values(first).on_conflict_do_nothing().returning(JobRun.tries)
    if session.scalar(taken) is not None:
        return True
    run = session.get_one(JobRun, (node_id, job, day), with_for_update=True, populate_existing=True)
    if run.state == "done" or at < _begins_at(run, at):
        return False
    _restart(run, "running", run.tries + 1, at)
    return True


def ask(session: Session, node_id: str, job: str, day: dt.date, *, at: dt.datetime) -> JobRun:
    """Have a job done for a day again (rule 3); one that runs, or is asked for already, is left alone."""
    run = session.get(JobRun, (node_id, job, day), with_for_update=True)
    if run is None:
        run = JobRun(node_id=node_id, job=job, day=day, state=STATES.first, tries=0, began_at=at)
        session.add(run)
    elif run.state not in ("asked", "running") or run.is_cut_off(at):
        _restart(run, "asked", 0, at)
    return run


def note(
    session: Session,
    node_id: str,
    job: str,
    day: dt.date,
    *,
    at: dt.datetime,
    done: bool,
    outcome: str,
    each_day: bool = True,
) -> None:
    """Write down how a run ended; a run by hand makes its row. What is done makes up for earlier days (rule 2)."""
    run = session.get(JobRun, (node_id, job, day))
    if run is None:
        run = JobRun(node_id=node_id, job=job, day=day, state=STATES.first, tries=1, began_at=at)
        session.add(run)
    if run.state != "running":
        _restart(run, "running", run.tries, at)
    _move(run, "done" if done else "failed")
    run.ended_at, run.outcome = at, outcome[:500]
    if done and not each_day:
        before = (JobRun.node_id == node_id, JobRun.job == job, JobRun.day < day, JobRun.state != "done")
        session.execute(sa.delete(JobRun).where(*before))


def report_progress(session: Session, node_id: str, job: str, day: dt.date, so_far: int, whole: int, what: str) -> None:
    """Note how far a running job is; what ran to its end, or was begun by hand, says its outcome alone."""
    here = (JobRun.node_id == node_id, JobRun.job == job, JobRun.day == day, JobRun.state == "running")
    far = {"so_far": so_far, "whole": whole, "outcome": f"{so_far:,} of {whole:,} {what}"}
    session.execute(sa.update(JobRun).where(*here).values(far))


def under_way(session: Session, node_id: str) -> list[JobRun]:
    """Return the running jobs that say how far they are."""
    query = sa.select(JobRun).where(JobRun.node_id == node_id, JobRun.state == "running", JobRun.outcome != "")
    return list(session.scalars(query.order_by(JobRun.day, JobRun.job)))


def run_of(session: Session, node_id: str, job: str, day: dt.date) -> JobRun | None:
    """Return a job's last run for a day; None where it has not been taken yet."""
    return session.get(JobRun, (node_id, job, day))


def ended_at(session: Session, node_id: str, job: str) -> dt.datetime | None:
    """Return when a job was done last."""
    query = sa.select(sa.func.max(JobRun.ended_at)).where(JobRun.node_id == node_id, JobRun.job == job)
    return session.scalar(query.where(JobRun.state == "done"))


def ended_since(session: Session, node_id: str, at: dt.datetime) -> list[JobRun]:
    """Return the runs that ended at an instant or later."""
    return list(session.scalars(sa.select(JobRun).where(JobRun.node_id == node_id, JobRun.ended_at >= at)))


def due(
    session: Session, node_id: str, jobs: Iterable[tuple[str, int]], last: dt.date, *, at: dt.datetime
) -> tuple[str, dt.date, dt.datetime] | None:
    """Return the first of these jobs that is not done, its oldest open day and when that may begin; None: all are done.

    jobs: each name, and how many days before `last` are made up. A day that waits for a person is passed over until
    it may be tried again (rule 2), and then named where nothing else is open.
    """
    here = (JobRun.node_id == node_id, JobRun.day <= last)
    first: dict[str, dt.date] = dict(
        session.execute(sa.select(JobRun.job, sa.func.min(JobRun.day)).where(*here).group_by(JobRun.job)).all()
    )
    jobs = list(jobs)
    since = last - dt.timedelta(days=max((days for _job, days in jobs), default=0))
    open_days = sa.or_(JobRun.day == last, JobRun.job.in_([job for job, days in jobs if days]))
    query = sa.select(JobRun).where(*here, JobRun.day >= since, open_days)
    runs = {(run.job, run.day): run for run in session.scalars(query)}
    waiting = []
    for job, back_days in jobs:
        newest = max((day for (name, day), run in runs.items() if name == job and run.state == "done"), default=None)
        day = max(last - dt.timedelta(days=back_days), first.get(job, last))
        while day <= last:
            run = runs.get((job, day))
            if run is None and (newest is None or day > newest):
                return job, day, at
            if run is not None and run.state != "done":
                begins = _begins_at(run, at)
                if begins <= at or not _waits(run, at):
                    return job, day, begins
                waiting.append((begins, job, day))
            day += dt.timedelta(days=1)
    if not waiting:
        return None
    begins, job, day = min(waiting)
    return job, day, begins


def failed(session: Session, node_id: str, *, at: dt.datetime) -> list[JobRun]:
    """Return the runs that wait for a person, the oldest day first."""
    query = sa.select(JobRun).where(JobRun.node_id == node_id, JobRun.state != "done", JobRun.tries >= MOST_TRIES)
    return [run for run in session.scalars(query.order_by(JobRun.day)) if _waits(run, at)]


# --- inside ---


def _move(run: JobRun, state: str) -> None:
    """Change a run's state; the journal is not told of each night's work, the record itself is kept."""
    STATES.require(run.state, state)
    run.state = state


def _restart(run: JobRun, state: str, tries: int, at: dt.datetime) -> None:
    _move(run, state)
    run.tries, run.began_at, run.ended_at = tries, at, None
    run.outcome, run.so_far, run.whole = "", None, None


def _waits(run: JobRun, at: dt.datetime) -> bool:
    is_over = run.state == "failed" or at >= run.began_at + CUT_OFF_AFTER
    return run.state != "done" and run.tries >= MOST_TRIES and is_over


def _begins_at(run: JobRun, at: dt.datetime) -> dt.datetime:
    """Return when a run that is not done may begin again; one that is asked for may at once."""
    if run.state == "asked":
        return at
    wait = NEXT_NIGHT if run.tries >= MOST_TRIES else TRY_AGAIN if run.state == "failed" else CUT_OFF_AFTER
    return run.began_at + wait
