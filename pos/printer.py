"""Paper: a queue that never lies, and the ESC/POS drivers behind it.

Rules
-----
1. A job is queued in the sale's transaction and printed after it; a dead printer leaves a failed job and a
   banner, the sale stands.
2. queued → sending → printed | failed | unconfirmed. Failed before the first byte is tried again with back-off;
   what may have printed is unconfirmed and waits for a person; an old ticket expires.
3. The drawer opens only with the first print of a cash sale and only while the sale is fresh: never with a reprint,
   nor when a printer that was off comes back. Reprints are marked and counted.
4. One connection per job and one buffered write; no data byte below 0x20 but LF reaches the printer. The very bytes
   are kept in the job before they are sent.
5. One job is claimed at a time, in a short transaction; laying out and sending happen outside of any. A job found
   `sending` after a crash may have printed: it becomes unconfirmed.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, Database, lock_rows, table_of
from config.errors import Invalid, NotFound, Unreachable
from config.ids import new_id
from config.journal import Actor, move, record
from config.prepared import Prepared
from config.states import StateTable
from pos import account_paper, labels, receipt
from pos.drivers import encode
from pos.paper import PaperLine
from pos.wires import Driver, Unconfirmed

STATES = StateTable(
    "print job",
    "queued",
    {
        "queued": ["sending", "dropped", "expired"],
        "sending": ["printed", "failed", "unconfirmed"],
        "failed": ["queued", "dropped", "expired"],
        "unconfirmed": ["printed", "queued", "dropped"],
    },
)
EXPIRES_AFTER = dt.timedelta(hours=12)
SENDING_AT_MOST = dt.timedelta(minutes=2)
DRAWER_WITHIN = dt.timedelta(seconds=60)
SLOW_AFTER = dt.timedelta(seconds=60)
FIRST_WAIT_S, LONGEST_WAIT_S = 5, 300
Choice = Literal["printed", "again", "dropped"]


class PrintJob(Base):
    """One document to be put on paper. document is the frozen snapshot it is laid out from."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "print_job"
    __table_args__ = (sa.Index("ix_print_job_due", "store_id", "state", "due_at"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[str]
    kind: Mapped[str]
    """receipt | pickup | bin | label | x | z | tab_paid | statement | voucher"""
    source_id: Mapped[str] = mapped_column(index=True)
    document: Mapped[dict[str, Any]]
    copy_no: Mapped[int] = mapped_column(default=0)
    opens_drawer: Mapped[bool] = mapped_column(default=False)
    state: Mapped[str] = mapped_column(default=STATES.first)
    attempts: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str | None]
    queued_at: Mapped[dt.datetime]
    due_at: Mapped[dt.datetime]
    printed_at: Mapped[dt.datetime | None]
    paper: Mapped[bytes | None] = mapped_column(sa.LargeBinary)
    """The very bytes that were sent."""


_QUEUE = Prepared(sa.insert(table_of(PrintJob)))


# --- verbs ---


def queue(
    session: Session,
    store_id: str,
    till_id: str,
    kind: str,
    source_id: str,
    document: dict[str, Any],
    *,
    opens_drawer: bool = False,
    copy_no: int = 0,
    at: dt.datetime,
) -> PrintJob:
    """Put a document in the printer's queue, in the caller's transaction (rule 1); returns what was written.

    kind: receipt | pickup | bin | label | x | z. document: the frozen snapshot it is laid out from. It is what the
    caller's own verb journals, so nothing is journalled here.
    """
    row = {
        "store_id": store_id,
        "id": new_id(),
        "till_id": till_id,
        "kind": kind,
        "source_id": source_id,
        "document": document,
        "copy_no": copy_no,
        "opens_drawer": opens_drawer,
        "state": STATES.first,
        "attempts": 0,
        "queued_at": at,
        "due_at": at,
    }
    _QUEUE.run(session, row)
    return PrintJob(**row)


def reprint(
    session: Session, store_id: str, source_id: str, *, kind: str = "receipt", actor: Actor, at: dt.datetime
) -> PrintJob:
    """Queue a marked copy of what was printed for a sale, shift or order; never opens the drawer (rule 3)."""
    last = latest(session, store_id, source_id, kind)
    if last is None:
        raise NotFound("nothing-to-reprint", "Nothing was printed for this yet, so there is nothing to print again.")
    job = queue(session, store_id, last.till_id, kind, source_id, last.document, copy_no=last.copy_no + 1, at=at)
    record(session, actor=actor, at=at, verb="print job.reprinted", subject=_subject(job), copy_no=job.copy_no)
    return job


def resolve(session: Session, store_id: str, job_id: str, choice: Choice, *, actor: Actor, at: dt.datetime) -> PrintJob:
    """Say what became of a job that waits for a person: it was printed, print it again, or drop it.

    Printing again never opens the drawer: it may have opened already.
    """
    job: PrintJob | None = session.scalar(lock_rows(session, _job(store_id, job_id)))
    if job is None:
        raise NotFound("no-such-print-job", "This print job is not known here.", job_id=job_id)
    if choice not in ("printed", "again", "dropped"):
        raise Invalid("print-choice", "Choose printed, again or dropped.", choice=choice)
    if choice == "again":
        if job.state != "queued":
            move(session, job, "queued", actor=actor, at=at, subject=_subject(job), why="print again")
        job.due_at, job.opens_drawer, job.reason = at, False, None
        job.queued_at = at
    else:
        move(session, job, choice, actor=actor, at=at, subject=_subject(job), why=f"a person says: {choice}")
        job.printed_at = at if choice == "printed" else None
    return job


def recover(session: Session, store_id: str, *, at: dt.datetime, stopped: bool = True) -> int:
    """Make jobs a stopped worker left `sending` unconfirmed; return how many.

    stopped: nobody prints now (a worker starts). Otherwise only those that have been sending for too long.
    """
    query = sa.select(PrintJob).where(PrintJob.store_id == store_id, PrintJob.state == "sending")
    if not stopped:
        query = query.where(PrintJob.due_at <= at)
    jobs = list(session.scalars(lock_rows(session, query)))
    for job in jobs:
        move(session, job, "unconfirmed", actor=_printing(store_id), at=at, subject=_subject(job), why="stopped midway")
        job.reason = "stopped-midway"
    return len(jobs)


def expire(session: Session, store_id: str, *, at: dt.datetime) -> int:
    """Give up jobs nobody waits for any more (12 hours); return how many. A reprint is always possible."""
    jobs = list(session.scalars(lock_rows(session, _waiting(store_id).where(PrintJob.queued_at <= at - EXPIRES_AFTER))))
    for job in jobs:
        move(session, job, "expired", actor=_printing(store_id), at=at, subject=_subject(job))
    return len(jobs)


# --- printing ---


@dataclass(frozen=True)
class PrintRound:
    """What one round of printing did."""

    printed: int = 0
    failed: int = 0
    unconfirmed: int = 0


def print_due(
    database: Database,
    store_id: str,
    driver: Driver,
    *,
    now: Callable[[], dt.datetime],
    limit: int = 100,
    log: Any = None,
) -> PrintRound:
    """Print what is due, oldest first, one job at a time (rule 5); stops at the first printer that cannot.

    Opens its own short transactions, so it is called outside of any.
    """
    log = log or structlog.get_logger()
    done = {"printed": 0, "failed": 0, "unconfirmed": 0}
    _tidy_up(database, store_id, now())
    while sum(done.values()) < limit:
        with database.read() as session:
            job = session.scalar(_due(store_id, now()).limit(1))
            if job is not None:
                session.expunge(job)
        if job is None:
            break
        outcome, reason = _print(database, job, driver, now, log)
        if outcome is None:
            continue
        done[outcome] += 1
        if outcome != "printed" and reason != "unprintable":
            break
    return PrintRound(**done)


def lay_out(kind: str, document: dict[str, Any], *, columns: int, copy_no: int = 0) -> list[PaperLine]:
    """Return the lines of a job's document, in the document's own language."""
    language = receipt.language_of(document)
    if kind == "label":
        return labels.layout(document, columns=columns, language=language)
    layouts = receipt.LAYOUTS | account_paper.LAYOUTS
    return layouts[kind](document, columns=columns, language=language, copy_no=copy_no)


# --- questions ---


@dataclass(frozen=True)
class PrinterStatus:
    """How the paper is doing. colour: green, amber (look) or red (not printing); code says why, for the page to word.

    codes: ready, slow, unconfirmed, or the reason of the failure (printer-off, printer-refused, printer-silent,
    printer-library, paper-out, cover-open, printer-error, unprintable). since: when the oldest waiting job was queued.
    """

    colour: Literal["green", "amber", "red"]
    code: str
    waiting: int
    unconfirmed: int
    since: dt.datetime | None
    last_printed_at: dt.datetime | None


def status(session: Session, store_id: str, *, at: dt.datetime | None = None) -> PrinterStatus:
    """Return the state of a store's paper; `at` lets it notice that jobs have been waiting for long."""
    waiting = list(session.scalars(_waiting(store_id).order_by(PrintJob.queued_at, PrintJob.id)))
    unconfirmed = session.scalar(
        sa.select(sa.func.count()).where(PrintJob.store_id == store_id, PrintJob.state == "unconfirmed")
    )
    last = session.scalar(
        sa.select(PrintJob.printed_at)
        .where(PrintJob.store_id == store_id, PrintJob.state == "printed")
        .order_by(PrintJob.printed_at.desc())
        .limit(1)
    )
    failed = [job for job in waiting if job.state == "failed"]
    since = waiting[0].queued_at if waiting else None
    colour: Literal["green", "amber", "red"] = "green"
    code = "ready"
    if failed:
        colour, code = "red", failed[-1].reason or "printer-off"
    elif unconfirmed:
        colour, code = "amber", "unconfirmed"
    elif at is not None and since is not None and at - since > SLOW_AFTER:
        colour, code = "amber", "slow"
    return PrinterStatus(colour, code, len(waiting), unconfirmed or 0, since, last)


def latest(session: Session, store_id: str, source_id: str, kind: str = "receipt") -> PrintJob | None:
    """Return the newest job of a sale, shift or order, the highest copy."""
    query = sa.select(PrintJob).where(
        PrintJob.store_id == store_id, PrintJob.source_id == source_id, PrintJob.kind == kind
    )
    return session.scalar(query.order_by(PrintJob.copy_no.desc(), PrintJob.id.desc()).limit(1))


def recent(session: Session, store_id: str, limit: int = 50) -> list[PrintJob]:
    """Return the newest jobs, those that need a person first."""
    needs = sa.case((PrintJob.state == "unconfirmed", 0), (PrintJob.state == "failed", 1), else_=2)
    query = sa.select(PrintJob).where(PrintJob.store_id == store_id)
    return list(session.scalars(query.order_by(needs, PrintJob.queued_at.desc(), PrintJob.id.desc()).limit(limit)))


# --- inside ---


def _subject(job: PrintJob) -> str:
    return f"print:{job.id}"


def _printing(store_id: str) -> Actor:
    return Actor.system("print", store_id)


def _job(store_id: str, job_id: str) -> sa.Select[PrintJob]:
    return sa.select(PrintJob).where(PrintJob.store_id == store_id, PrintJob.id == job_id)


def _waiting(store_id: str) -> sa.Select[PrintJob]:
    return sa.select(PrintJob).where(PrintJob.store_id == store_id, PrintJob.state.in_(("queued", "failed")))


def _due(store_id: str, at: dt.datetime) -> sa.Select[PrintJob]:
    return _waiting(store_id).where(PrintJob.due_at <= at).order_by(PrintJob.queued_at, PrintJob.id)


def _tidy_up(database: Database, store_id: str, at: dt.datetime) -> None:
    """Expire and recover, looking first: an idle round never takes the database's write lock."""
    stuck = sa.and_(PrintJob.state == "sending", PrintJob.due_at <= at)
    old = sa.and_(PrintJob.state.in_(("queued", "failed")), PrintJob.queued_at <= at - EXPIRES_AFTER)
    with database.read() as session:
        query = sa.select(PrintJob.id).where(PrintJob.store_id == store_id, sa.or_(stuck, old)).limit(1)
        found = session.scalar(query) is not None
    if found:
        with database.write() as session:
            recover(session, store_id, at=at, stopped=False)
            expire(session, store_id, at=at)


def _print(
    database: Database, job: PrintJob, driver: Driver, now: Callable[[], dt.datetime], log: Any
) -> tuple[str | None, str | None]:
    """Lay out, claim, send, settle; return (outcome, reason), outcome None when somebody else was first."""
    paper, reason = _paper(job, driver, now(), log)
    with database.write() as session:
        if not _claim(session, job, paper, at=now()):
            return None, None
    outcome = "failed"
    if paper is not None:
        try:
            driver.send(paper)
            outcome = "printed"
        except Unconfirmed as fault:
            outcome, reason = "unconfirmed", fault.code
        except Unreachable as fault:
            reason = fault.code
    if outcome != "printed":
        log.warning("not printed", job=job.id, kind=job.kind, outcome=outcome, reason=reason)
    with database.write() as session:
        _settle(session, job, outcome, reason, at=now())
    return outcome, reason


def _paper(job: PrintJob, driver: Driver, at: dt.datetime, log: Any) -> tuple[bytes | None, str | None]:
    opens_drawer = job.opens_drawer and job.copy_no == 0 and at - job.queued_at <= DRAWER_WITHIN
    try:
        lines = lay_out(job.kind, job.document, columns=driver.model.columns, copy_no=job.copy_no)
        return encode(lines, driver.model, opens_drawer=opens_drawer), None
    # one document that cannot be laid out must not hold up the paper of every sale after it
    except Exception:  # a job's edge: recorded, then on
        log.exception("unprintable document", job=job.id, kind=job.kind)
        return None, "unprintable"


def _claim(session: Session, job: PrintJob, paper: bytes | None, *, at: dt.datetime) -> bool:
    row = session.scalar(lock_rows(session, _job(job.store_id, job.id)))
    if row is None or row.state != job.state or row.attempts != job.attempts:
        return False
    actor, subject = _printing(job.store_id), _subject(job)
    if row.state == "failed":
        move(session, row, "queued", actor=actor, at=at, subject=subject)
    move(session, row, "sending", actor=actor, at=at, subject=subject)
    row.attempts += 1
    row.paper = paper
    row.due_at = at + SENDING_AT_MOST
    return True


def _settle(session: Session, job: PrintJob, outcome: str, reason: str | None, *, at: dt.datetime) -> None:
    row = session.scalar(lock_rows(session, _job(job.store_id, job.id)))
    if row is None or row.state != "sending":
        return  # it took so long that it was made unconfirmed: a person decides
    move(session, row, outcome, actor=_printing(job.store_id), at=at, subject=_subject(job), why=reason)
    row.reason = reason
    if outcome == "printed":
        row.printed_at = at
        _try_the_others(session, job.store_id, at)
    elif outcome == "failed":
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(row.attempts - 1, 10))
        row.due_at = at + dt.timedelta(seconds=wait_s)


def _try_the_others(session: Session, store_id: str, at: dt.datetime) -> None:
    """Make jobs that failed for the printer's sake due at once: it works again."""
    session.execute(
        sa.update(PrintJob)
        .where(PrintJob.store_id == store_id, PrintJob.state == "failed", PrintJob.reason != "unprintable")
        .values(due_at=at)
    )
