"""The worker of a node: sends, prints, and keeps the nights. Any number may be started, one leads.

Rules
-----
1. One leader per node: a lock file beside an SQLite database, an advisory lock on PostgreSQL; both vanish with it.
2. A job never runs beside itself; late runs are run once. A job that fails is logged and the others go on. One that is
   woken while it runs runs again at once: its last look may have been a moment too early.
3. SIGTERM and SIGINT let the running job end.
"""

import datetime as dt
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from filelock import FileLock, Timeout
from sqlalchemy import text

from config.errors import ShopError
from store_app import job_book
from store_app.extensions import Doors
from store_app.jobs import CATCH_UP_DAYS, JOBS, Desk, Job, last_day
from store_app.roles import role_of
from store_app.sync import restored

ADVISORY_KEY = 0x636F726E
LOOK_FOR_BELL_S = 0.02
LOOK_FOR_NIGHT_S = 20
log = structlog.get_logger()


class Worker:
    """The scheduler of one node."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors
        self.desk = Desk(doors)
        self.stop = threading.Event()
        self.rings = 0
        self.table = [JOBS[name] for name in role_of(doors.settings).jobs]
        self.scheduler = BackgroundScheduler(
            timezone=dt.UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def run(self, *, parent: int | None = None) -> None:
        """Wait to lead, then work until told to stop (or until the process `parent` is gone)."""
        with leadership(self.doors, self.stop) as leads:
            if not leads:
                return
            restored.begin_anew_if_restored(self.doors)
            log.info("working", node=self.desk.node_id, jobs=[job.name for job in self.table])
            for job in self.table:
                if job.every_s is not None:
                    self.scheduler.add_job(
                        self._continuous, "interval", seconds=job.every_s, args=[job], id=job.name,
                        next_run_time=dt.datetime.now(dt.UTC),
                    )  # fmt: skip
            self.scheduler.add_job(
                self.night, "interval", seconds=LOOK_FOR_NIGHT_S, id="night", next_run_time=dt.datetime.now(dt.UTC)
            )
            self.scheduler.start()
            try:
                self._listen(parent)
            finally:
                self.scheduler.shutdown(wait=True)

    def night(self) -> None:
        """Do every nightly job that is due, in the table's order; a failed one stops those after it."""
        try:
            last = last_day(self.doors)
        except ShopError:
            return  # no shop yet
        for job in (job for job in self.table if job.every_s is None):
            for day in self._days(job, last):
                if self.stop.is_set() or not self._nightly(job, day):
                    return

    # --- inside ---

    def _days(self, job: Job, last: dt.date) -> list[dt.date]:
        with self.doors.read() as session:
            done = job_book.last_done(session, self.desk.node_id, job.name)
        if done is not None and done >= last:
            return []
        first = max(done + dt.timedelta(days=1), last - dt.timedelta(days=CATCH_UP_DAYS)) if done else last
        return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)] if job.each_day else [last]

    def _nightly(self, job: Job, day: dt.date) -> bool:
        with self.doors.write() as session:
            if not job_book.take(session, self.desk.node_id, job.name, day, at=self.doors.now()):
                return False
        outcome, done = attempt(self.desk, job, day)
        with self.doors.write() as session:
            job_book.note(session, self.desk.node_id, job.name, day, at=self.doors.now(), done=done, outcome=outcome)
        log.info("night", job=job.name, day=day.isoformat(), done=done, outcome=outcome)
        return done

    def _continuous(self, job: Job) -> None:
        while True:
            rings = self.rings
            outcome, done = attempt(self.desk, job, self.doors.now().date())
            if not job.wakes or rings == self.rings or self.stop.is_set():
                break
        if not done or self.desk.told.get(job.name) != outcome:
            log.log(20 if done else 30, "job", job=job.name, done=done, outcome=outcome)
        self.desk.told[job.name] = outcome

    def _listen(self, parent: int | None) -> None:
        heard = _changed_at(self.doors)
        while not self.stop.wait(LOOK_FOR_BELL_S):
            if parent is not None and os.getppid() != parent:
                return
            rung = _changed_at(self.doors)
            if rung != heard:
                heard = rung
                self.rings += 1
                for job in (job for job in self.table if job.wakes):
                    self.scheduler.modify_job(job.name, next_run_time=dt.datetime.now(dt.UTC))


def attempt(desk: Desk, job: Job, day: dt.date) -> tuple[str, bool]:
    """Run a job once; (outcome or fault in words, did it succeed?). The job's own edge: nothing escapes."""
    try:
        return job.run(desk, day), True
    except ShopError as refusal:
        return f"{refusal.code}: {refusal.message}", False
    except Exception as fault:
        log.exception("job failed", job=job.name)
        return f"{type(fault).__name__}: {fault}", False


def run(doors: Doors, *, parent: int | None = None) -> None:
    """Work in this process until SIGTERM or SIGINT."""
    worker = Worker(doors)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop.set())
    worker.run(parent=parent)


@contextmanager
def leadership(doors: Doors, stop: threading.Event) -> Iterator[bool]:
    """Wait for the node's leader lock; False when told to stop before it was ours."""
    if doors.database.engine.dialect.name == "sqlite":
        lock = FileLock(doors.settings.state_folder / f"{doors.settings.node_id}.work.lock")
        while not stop.is_set():
            try:
                lock.acquire(timeout=0.5)
                break
            except Timeout:
                continue
        try:
            yield lock.is_locked
        finally:
            lock.release()
        return
    with doors.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        ask: Any = text("select pg_try_advisory_lock(:key)")
        leads = False
        while not stop.is_set() and not leads:
            leads = bool(connection.scalar(ask, {"key": ADVISORY_KEY}))
            if not leads:
                stop.wait(0.5)
        try:
            yield leads
        finally:
            connection.execute(text("select pg_advisory_unlock_all()"))


def _changed_at(doors: Doors) -> int:
    try:
        return doors.bell.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
