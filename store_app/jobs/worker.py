"""The worker of a node: sends, prints, and keeps the nights. Any number may be started, one leads.

Rules
-----
1. One leader per node: a lock file beside an SQLite database, an advisory lock on PostgreSQL; both vanish with it.
2. A job never runs beside itself; late runs are run once. A job that fails is logged and the others go on. One that is
   woken while it runs runs again at once: its last look may have been a moment too early.
3. What the bell wakes has a thread of its own, and paper comes first: the others look a moment later (`after_ring_s`),
   and threads take turns so often that none makes it wait.
4. The nights are kept in a child: adding a day up and checking the books never share an interpreter with the printer.
5. SIGTERM and SIGINT let the running job end.
"""

import datetime as dt
import gc
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from filelock import FileLock, Timeout
from sqlalchemy import text

from config import log as logs
from config import retry
from config.errors import DomainError
from config.settings import Settings
from store_app.jobs.jobs import CATCH_UP_DAYS, JOBS, Desk, Job, last_day
from store_app.roles import role_of
from store_app.runtime import job_book, known_past, metrics
from store_app.runtime.doors import Doors, open_doors
from store_app.sync import receiver, restored

ADVISORY_KEY = 0x636F726E
LOOK_FOR_PARENT_S = 1.0
LOOK_FOR_STOP_S = 0.2
LOOK_FOR_NIGHT_S = 20
TURN_S = 0.0005
log = structlog.get_logger()


class Worker:
    """The scheduler of one node."""

    def __init__(self, doors: Doors) -> None:
        self.doors = doors
        self.desk = Desk(doors)
        self.stop = threading.Event()
        self.times: metrics.JobTimes | None = None
        """How long its jobs took, where it leads and somebody may read it."""
        self.table = [JOBS[name] for name in role_of(doors.settings).jobs]
        self.rung = {job.name: threading.Event() for job in self.table if job.after_ring_s is not None}
        self.scheduler = BackgroundScheduler(
            timezone=dt.UTC,
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def run(self, *, parent: int | None = None) -> None:
        """Wait to lead, then work until told to stop (or until the process `parent` is gone)."""
        with leadership(self.doors, self.stop) as leads:
            if not leads:
                return
            known_past.hold(self.doors)
            restored.restart_if_restored(self.doors)
            receiver.try_parked(self.doors)  # this program may know what the last one did not
            sys.setswitchinterval(TURN_S)
            log.info("working", node=self.desk.node_id, jobs=[job.name for job in self.table])
            woken = [threading.Thread(target=self.keep, args=[job]) for job in self.table if job.name in self.rung]
            for job in self.table:
                if job.every_s is not None and job.name not in self.rung:
                    self.scheduler.add_job(
                        self.once, "interval", seconds=job.every_s, args=[job], id=job.name,
                        next_run_time=dt.datetime.now(dt.UTC),
                    )  # fmt: skip
            self.scheduler.add_job(
                self.night_apart, "interval", seconds=LOOK_FOR_NIGHT_S, id="night",
                next_run_time=dt.datetime.now(dt.UTC),
            )  # fmt: skip
            if self.doors.settings.metrics_key:
                self.times = metrics.JobTimes(self.doors.settings)
                self.scheduler.add_job(self.times.write, "interval", seconds=metrics.WRITTEN_EACH_S, id="figures")
            self.scheduler.start()
            for thread in woken:
                thread.start()
            try:
                self._listen(parent)
            finally:
                self.end()
                for thread in woken:
                    thread.join()
                self.scheduler.shutdown(wait=True)

    def keep(self, job: Job) -> None:
        """Run a job now, whenever it is rung for, and in its rhythm, until the worker stops (rules 2, 3)."""
        rung = self.rung[job.name]
        while not self.stop.is_set():
            self.once(job)
            if rung.wait(job.every_s) and job.after_ring_s:
                self.stop.wait(job.after_ring_s)
            rung.clear()

    def once(self, job: Job) -> None:
        """Run a continuous job, and log what it says where that is new."""
        began = time.perf_counter()
        outcome, done = attempt(self.desk, job, self.doors.now().date())
        if self.times is not None:
            self.times.note(job.name, time.perf_counter() - began, done=done)
        if not done or self.desk.reported.get(job.name) != outcome:
            log.log(20 if done else 30, "job", job=job.name, done=done, outcome=outcome)
        self.desk.reported[job.name] = outcome

    def night(self) -> None:
        """Do every nightly job that is due, in the table's order; a failed one is waited for until it is given up."""
        while not self.stop.is_set() and (due := self.next_night()) is not None:
            if not self._nightly(*due):
                return

    def night_apart(self) -> None:
        """Keep the nights that are due in a child, and pass it on when the worker is told to stop (rule 4)."""
        if self.next_night() is None:
            return
        began, names = self.doors.now(), [job.name for job in self.table]
        child = multiprocessing.get_context("spawn").Process(target=keep_nights, args=[self.doors.settings, names])
        child.start()
        while child.is_alive():
            child.join(LOOK_FOR_STOP_S)
            if self.stop.is_set():
                child.terminate()
        child.close()
        if self.times is not None:
            with self.doors.read() as session:
                for run in job_book.ended_since(session, self.desk.node_id, began):
                    self.times.note(run.job, run.lasted_s, done=run.state == "done")

    def next_night(self) -> tuple[Job, dt.date] | None:
        """Return the first nightly job that is not done, and its day; None where it may not begin now."""
        try:
            last = last_day(self.doors)
        except DomainError:
            return None  # no store yet
        with self.doors.read() as session:
            for job in (job for job in self.table if job.every_s is None):
                back_days = CATCH_UP_DAYS if job.each_day else 0
                now = self.doors.now()
                day = job_book.due(session, self.desk.node_id, job.name, last, back_days=back_days, at=now)
                if day is not None:
                    may = job_book.may_take(session, self.desk.node_id, job.name, day, at=now)
                    return (job, day) if may else None
        return None

    def end(self) -> None:
        """Stop; what runs now runs to its end."""
        self.stop.set()
        self._wake()

    # --- inside ---

    def _nightly(self, job: Job, day: dt.date) -> bool:
        with self.doors.write() as session:
            if not job_book.take(session, self.desk.node_id, job.name, day, at=self.doors.now()):
                return False
        outcome, done = attempt(self.desk, job, day)
        with self.doors.write() as session:
            job_book.note(session, self.desk.node_id, job.name, day, at=self.doors.now(), done=done, outcome=outcome)
        log.info("night", job=job.name, day=day.isoformat(), done=done, outcome=outcome)
        return done

    def _listen(self, parent: int | None) -> None:
        with self.doors.bell.listening() as ear:
            while not self.stop.is_set():
                if ear.wait(LOOK_FOR_PARENT_S):
                    self._wake()
                if parent is not None and os.getppid() != parent:
                    return

    def _wake(self) -> None:
        for rung in self.rung.values():
            rung.set()


def keep_nights(settings: Settings, names: list[str]) -> None:
    """Keep the nights of a node in this process, a worker's child, until they are over or the worker is gone."""
    logs.set_up(level=settings.log_level, for_people=sys.stderr.isatty())
    worker = Worker(open_doors(settings))
    worker.table = [JOBS[name] for name in names]
    if "propose" in names:
        importlib.import_module("supply.replenishment.policy")
    gc.freeze()  # what is loaded stays: looking through it again and again costs a third of an order's arithmetic
    known_past.hold(worker.doors)
    _stop_when_reported(worker)
    threading.Thread(target=_stop_when_alone, args=[worker], daemon=True).start()
    worker.night()
    worker.doors.database.engine.dispose()


def attempt(desk: Desk, job: Job, day: dt.date) -> tuple[str, bool]:
    """Run a job once; (outcome or fault in words, did it succeed?). The job's own edge: nothing escapes."""
    try:
        return retry.until_done(lambda: job.run(desk, day), may_repeat=True), True
    except DomainError as refusal:
        return f"{refusal.code}: {refusal.message}", False
    except Exception as fault:
        log.exception("job failed", job=job.name)
        return f"{type(fault).__name__}: {fault}", False


def run(doors: Doors, *, parent: int | None = None) -> None:
    """Work in this process until SIGTERM or SIGINT."""
    worker = Worker(doors)
    _stop_when_reported(worker)
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


def _stop_when_reported(worker: Worker) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop.set())


def _stop_when_alone(worker: Worker) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        worker.stop.set()
