"""The worker of a node: sends, prints, and keeps the nights. Any number may be started, one leads.

Rules
-----
1. One leader per node: a lock file beside an SQLite database, an advisory lock on PostgreSQL; both vanish with it.
2. APScheduler decides when each row of the table runs: at the start, at its interval, and when the bell rings for it.
   A job never runs beside itself; late runs are run once. A job that fails is logged and the others go on. One that is
   rung for while it runs runs again at once: its last look may have been a moment too early.
3. Each job finds a thread free, and paper comes first: the others look a moment later (`after_ring_s`), and threads
   take turns so often that none makes it wait.
4. The nights are kept in a child: adding a day up and checking the books never share an interpreter with the printer.
   They are planned for the end of the business day by the node's own clock, and for the next try of what failed.
5. A clock that jumps, the node's or the machine's, makes every job run at once: what was planned by it holds no more.
6. SIGTERM and SIGINT let the running job end.
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
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import structlog
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED, JobExecutionEvent
from apscheduler.executors.pool import BasePoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from filelock import FileLock, Timeout
from sqlalchemy import text

from config import log as logs
from config import retry
from config.errors import DomainError, NotFound
from config.settings import Settings
from store_app.jobs.desk import Desk
from store_app.jobs.jobs import CATCH_UP_DAYS, JOBS, Job, day_end, jobs_of, last_day
from store_app.runtime import job_runs, known_past, metrics
from store_app.runtime.doors import Doors, open_doors
from store_app.sync import receiver, restored

ADVISORY_KEY = 0x636F726E
LOOK_FOR_PARENT_S = 1.0
LOOK_FOR_STOP_S = 0.2
NIGHTS, NIGHTS_AFTER_RING_S = "nights", 2.0
JUMP_S = 5.0
LEAST_WAIT = dt.timedelta(seconds=20)
"""How long a night waits at least that ended without a word."""
TURN_S = 0.0005
log = structlog.get_logger()


class _Threads(BasePoolExecutor):  # type: ignore[misc]  # the library has no types
    """The scheduler's threads, which the worker waits for itself."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        super().__init__(pool)


class Worker:
    """The scheduler of one node."""

    def __init__(self, doors: Doors, table: list[Job] | None = None) -> None:
        self.doors = doors
        self.desk = Desk(doors)
        self.stop = threading.Event()
        self.times: metrics.JobTimes | None = None
        """How long its jobs took, where it leads and somebody may read it."""
        self.table = jobs_of(doors.settings) if table is None else table
        self.rung_after_s = {job.name: job.after_ring_s for job in self.table if job.after_ring_s is not None}
        self.rung_after_s[NIGHTS] = NIGHTS_AFTER_RING_S
        self.threads = ThreadPoolExecutor(len(self.table) + 2)
        self.scheduler = BackgroundScheduler(
            timezone=dt.UTC,
            executors={"default": _Threads(self.threads)},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._rung: set[str] = set()
        """Who was rung for since it last began."""
        self._running: set[str] = set()

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
            self.plan()
            if self.doors.settings.metrics_key:
                self.times = metrics.JobTimes(self.doors.settings)
                self.scheduler.add_job(self.times.write, "interval", seconds=metrics.WRITTEN_EACH_S, id="figures")
            clocks = self._clocks()  # before the first look: a jump right after it counts
            self.scheduler.start()
            try:
                self._listen(parent, clocks)
            finally:
                self.end()

    def plan(self) -> None:
        """Give the scheduler every row of the table, each to run at once and then as its trigger says (rule 2)."""
        at_once = dt.datetime.now(dt.UTC)
        for job in self.table:
            if job.every_s is not None:
                self.scheduler.add_job(
                    self.once, "interval", seconds=job.every_s, args=[job], id=job.name, next_run_time=at_once
                )
        self.scheduler.add_job(self.nights, "interval", days=1, id=NIGHTS, next_run_time=at_once)
        self.scheduler.add_listener(self._ran, EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)

    def once(self, job: Job) -> None:
        """Run a continuous job, and log what it says where that is new."""
        self._begin(job.name)
        began = time.perf_counter()
        outcome, done = attempt(self.desk, job, self.doors.now().date())
        if self.times is not None:
            self.times.note(job.name, time.perf_counter() - began, done=done)
        if not done or self.desk.reported.get(job.name) != outcome:
            log.log(20 if done else 30, "job", job=job.name, done=done, outcome=outcome)
        self.desk.reported[job.name] = outcome
        self.scheduler.get_job(job.name)  # waits until its next run is planned, which a ring may bring forward then

    def night(self) -> None:
        """Do every nightly job that is due, in the table's order; a failed one is waited for until it is given up."""
        while not self.stop.is_set() and (found := self.next_night()) is not None:
            job, day, begins = found
            if begins > self.doors.now() or not self._nightly(job, day):
                return

    def nights(self) -> None:
        """Keep the nights that are due, and plan when the next ones are (rule 4)."""
        self._begin(NIGHTS)
        wait, planned = job_runs.TRY_AGAIN, dict[str, Any]()
        try:
            found = self.next_night()
            if found is not None and found[2] <= self.doors.now():
                self.night_apart()
                found = self.next_night()
            now, ends = self.doors.now(), day_end(self.doors)
            at: dt.datetime = ends.get_next_fire_time(None, now + dt.timedelta(microseconds=1))
            wait, planned = max(min(at, found[2] if found else at) - now, LEAST_WAIT), {"trigger": ends}
        except NotFound:
            log.info("no store yet")
        except Exception:
            log.exception("nights not kept")
        if row := self.scheduler.get_job(NIGHTS):
            row.modify(next_run_time=dt.datetime.now(dt.UTC) + wait, **planned)

    def night_apart(self) -> None:
        """Keep the nights that are due in a child, and pass it on when the worker is told to stop (rule 4)."""
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
                for run in job_runs.ended_since(session, self.desk.node_id, began):
                    self.times.note(run.job, run.lasted_s, done=run.state == "done")

    def next_night(self) -> tuple[Job, dt.date, dt.datetime] | None:
        """Return the first nightly job that is not done, its day, and when it may begin; None: all are done."""
        nightly = {job.name: job for job in self.table if job.every_s is None}
        asked = [(job.name, CATCH_UP_DAYS if job.each_day else 0) for job in nightly.values()]
        last = last_day(self.doors)
        with self.doors.read() as session:
            found = job_runs.due(session, self.desk.node_id, asked, last, at=self.doors.now())
        return (nightly[found[0]], *found[1:]) if found else None

    def ring(self) -> None:
        """Run each job soon that the bell rings for, paper first (rule 3)."""
        for name in self.rung_after_s:
            self._ring(name)

    def end(self) -> None:
        """Stop; what runs now runs to its end (rule 6)."""
        self.stop.set()
        self.scheduler.shutdown(wait=False)  # waiting, it holds a lock that a job may want which plans its next run
        self.threads.shutdown(wait=True)

    # --- inside ---

    def _begin(self, name: str) -> None:
        self._running.add(name)
        self._rung.discard(name)

    def _ring(self, name: str) -> None:
        self._rung.add(name)
        if name in self._running:
            return  # it is rung for again when it has ended
        at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.rung_after_s[name])
        job = self.scheduler.get_job(name)
        if job is not None and job.next_run_time > at:
            job.modify(next_run_time=at)

    def _ran(self, event: JobExecutionEvent) -> None:
        self._running.discard(event.job_id)
        if event.job_id in self._rung and not self.stop.is_set():
            self._ring(event.job_id)

    def _nightly(self, job: Job, day: dt.date) -> bool:
        with self.doors.write() as session:
            if not job_runs.take(session, self.desk.node_id, job.name, day, at=self.doors.now()):
                return False
        outcome, done = attempt(self.desk, job, day)
        with self.doors.write() as session:
            job_runs.note(
                session, self.desk.node_id, job.name, day, at=self.doors.now(), done=done, outcome=outcome,
                each_day=job.each_day,
            )  # fmt: skip
        log.info("night", job=job.name, day=day.isoformat(), done=done, outcome=outcome)
        return done

    def _listen(self, parent: int | None, clocks: tuple[float, float]) -> None:
        with self.doors.bell.listening() as ear:
            while not self.stop.is_set():
                if ear.wait(LOOK_FOR_PARENT_S):
                    self.ring()
                if parent is not None and os.getppid() != parent:
                    return
                before, clocks = clocks, self._clocks()
                if any(abs(now - then) > JUMP_S for now, then in zip(clocks, before, strict=True)):  # rule 5
                    for job in self.scheduler.get_jobs():
                        job.modify(next_run_time=dt.datetime.now(dt.UTC))

    def _clocks(self) -> tuple[float, float]:
        """Return how far the node's clock and the machine's are ahead of one that never jumps."""
        steady = time.monotonic()
        return self.doors.now().timestamp() - steady, time.time() - steady


def keep_nights(settings: Settings, names: list[str]) -> None:
    """Keep the nights of a node in this process, a worker's child, until they are over or the worker is gone."""
    logs.set_up(level=settings.log_level, for_people=sys.stderr.isatty())
    worker = Worker(open_doors(settings), [JOBS[name] for name in names])
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
