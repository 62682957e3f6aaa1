"""Working off the queue: which printer, in whose turn, and what is known afterwards.

Rules
-----
1. A job is claimed in a short transaction; laying out and sending happen outside of any. Two processes may do this
   at once: a job, and a printer, is in one pair of hands at a time.
2. Each printer has its own hand: one that hangs does not hold up another, nor what comes for it meanwhile. A hand
   stops at the first job that fails.
3. Where the printer fails before the first byte, its fallback prints the job at once. After the first byte nobody
   else does: the job is unconfirmed and waits for a person.
4. A printer that just failed is left alone: for half a minute while its fallback works, for two seconds where it has
   none, so that a dead printer does not make every sale wait for the database.
5. A printer by a print agent is not printed from here: its agent takes a job in hand under a claim of its own
   (`hand_over`) and tells what became of it (`take_outcome`). The same claim gets the same job, and no other ever.
6. What is sent shows whole codes of vouchers, what is kept of it their end (`vouchers` rule 7).
7. The drawer opens with the first print of a fresh cash sale alone, and only at a printer of that till.
"""

import datetime as dt
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config.database import Database, lock_rows
from config.errors import NotFound, Unreachable
from config.ids import new_id
from config.nodes.journal import Actor, Context, mirror, move, record
from pos.payments import vouchers
from pos.printing import logo, printers, queue
from pos.printing.escpos import Raster
from pos.printing.printers import Outlet, Printer
from pos.printing.queue import PrintJob, Queued
from pos.printing.wires import Said, Unconfirmed

SENDING_AT_MOST = dt.timedelta(minutes=2)
DRAWER_WITHIN = dt.timedelta(seconds=60)
LEFT_ALONE, LEFT_ALONE_WITHOUT_FALLBACK = dt.timedelta(seconds=30), dt.timedelta(seconds=2)
FIRST_WAIT_S, LONGEST_WAIT_S = 5, 300
LOOK_AGAIN_S = 0.1
Clock = Callable[[], dt.datetime]


@dataclass(frozen=True)
class PrintRound:
    """What one round of printing did."""

    printed: int = 0
    failed: int = 0
    unconfirmed: int = 0

    def __add__(self, other: "PrintRound") -> "PrintRound":
        """Add two rounds up."""
        return PrintRound(
            self.printed + other.printed, self.failed + other.failed, self.unconfirmed + other.unconfirmed
        )


@dataclass(frozen=True)
class Room:
    """Where printing happens: the database, the store, its printers, the clock."""

    database: Database
    store_id: str
    outlets: Sequence[Outlet]
    now: Clock
    log: Any


class PrintOutcome(NamedTuple):
    """What became of a job in an agent's hands: printed | failed | unconfirmed, why, and what its printer said."""

    outcome: str
    reason: str | None
    said: Said


class Paper(NamedTuple):
    """The bytes of a job: those that are sent, and those that are kept (rule 6)."""

    sent: bytes
    kept: bytes


# --- verbs ---


def print_due(
    database: Database, store_id: str, outlets: Sequence[Outlet], *, now: Clock, limit: int = 100, log: Any = None
) -> PrintRound:
    """Print what is due, oldest first, every printer for itself (rule 2).

    Opens its own short transactions, so it is called outside of any.
    """
    room = Room(database, store_id, outlets, now, log or structlog.get_logger())
    done = _print(room, limit)
    # only now, for a customer waits for the paper above: too old a job is passed over until it is given up
    if _tidy_up(database, store_id, now()):
        done += _print(room, limit)
    return done


def hand_over(
    database: Database, store_id: str, outlet: Outlet, room_outlets: Sequence[Outlet], claim_id: str, *, now: Clock
) -> tuple[PrintJob | None, bool]:
    """Hand a print agent the next due job of its printer, claimed; and whether its claim is spent (rule 5).

    Opens its own short transactions, so it is called outside of any.
    """
    room = Room(database, store_id, room_outlets, now, structlog.get_logger())
    with database.read() as session:
        known = session.scalar(_claimed(store_id, outlet.id, claim_id)) is not None
    if known:
        with database.write() as session:
            held = session.scalars(lock_rows(session, _claimed(store_id, outlet.id, claim_id))).one()
            if held.state != "sending":
                return None, True
            held.due_at = now() + _patience(outlet, held.paper)
            session.flush()
            session.expunge(held)
        if vouchers.masked(held.document) != held.document:
            paper, _ = _laid_out(room, held, outlet)
            held.paper = paper.sent if paper else held.paper
        return held, False
    while (job := _next_job(room, outlet)) is not None:
        paper, reason = _laid_out(room, job, outlet)
        claimed = _claim(room, job, outlet, paper, claim_id=claim_id if paper is not None else None)
        if claimed == "busy":
            break
        if claimed == "claimed" and paper is None:
            with database.write() as session:
                _settle(session, job, outlet.id, "failed", reason, at=now())
        elif claimed == "claimed":
            job.paper = paper.sent if paper else None
            return job, False
    return None, False


def take_outcome(
    database: Database, store_id: str, printer_id: str, job_id: str, claim_id: str, came: PrintOutcome, *,
    at: dt.datetime,
) -> str:  # fmt: skip
    """Take what a print agent says became of its job; returns the job's state. Told twice, it counts once (rule 5).

    A job that took too long is unconfirmed already; until a person decided, its own agent's word still settles it.
    """
    with database.write() as session:
        job = session.scalar(lock_rows(session, _claimed(store_id, printer_id, claim_id).where(PrintJob.id == job_id)))
        if job is None:
            raise NotFound("no-such-print-job", "Print job not found.", job_id=job_id)
        subject, outcome, reason = f"print:{job.id}", came.outcome, came.reason
        ctx = Context(session, _printing(store_id), at)
        if job.state == "sending":
            _settle(session, job, printer_id, outcome, reason, at=at)
            if job.kind == "test" and job.state == "failed":
                move(ctx, job, "dropped", subject=subject, why=reason)
        elif job.state == "unconfirmed" and job.reason == "stopped-midway" and outcome != "unconfirmed":
            to = "printed" if outcome == "printed" else "queued"
            move(ctx, job, to, subject=subject, why="its print agent says so")
            job.reason, job.due_at = reason, at
            job.printed_at = at if outcome == "printed" else None
        else:
            return job.state
        answered, near_end = came.said.answered, came.said.near_end
        printers.note_health(session, store_id, printer_id, fault=reason, answered=answered, near_end=near_end, at=at)
        return job.state


def queue_test(ctx: Context, row: Printer, document: dict[str, Any], *, only_drawer: bool) -> Queued:
    """Queue a test page, or a pulse to the drawer alone, for this one printer; it is journalled."""
    verb = "printer.drawer tried" if only_drawer else "printer.tested"
    record(ctx, verb=verb, subject=f"printer:{row.id}", name=row.name)
    document = {**document, "only_drawer": only_drawer}
    printout = queue.Printout("test", new_id(), document, opens_drawer=only_drawer, printer_id=row.id)
    return queue.queue(ctx.session, row.store_id, "", printout, at=ctx.at)


def print_test(database: Database, store_id: str, job_id: str, outlet: Outlet, *, now: Clock) -> PrintJob:
    """Print a test page now and return it as it came out; one that failed is dropped, nobody waits for it."""
    room = Room(database, store_id, [outlet], now, structlog.get_logger())
    with database.read() as session:
        job = session.get_one(PrintJob, (store_id, job_id))
        session.expunge(job)
    outcome, reason = _try(room, job, outlet)
    with database.write() as session:
        row = session.get_one(PrintJob, (store_id, job_id))
        if row.state in ("queued", "failed"):
            why = reason or outcome
            move(Context(session, _printing(store_id), now()), row, "dropped", subject=f"print:{row.id}", why=why)
            row.reason = why
        session.flush()
        session.expunge(row)
    return row


# --- inside ---


def _printing(store_id: str) -> Actor:
    return Actor.system("print", store_id)


def _print(room: Room, limit: int) -> PrintRound:
    here = [outlet for outlet in room.outlets if not outlet.by_agent and not _left_alone(room, outlet)]
    first = {outlet.id: job for outlet in here if (job := _next_job(room, outlet)) is not None}
    if not first:
        return PrintRound()
    if len(here) == 1:
        return _work_off(room, here[0], limit, first[here[0].id])
    at_work = set(first)
    with ThreadPoolExecutor(len(here)) as hands:
        return sum(
            hands.map(lambda outlet: _stand_by(room, outlet, at_work, limit, first.get(outlet.id)), here), PrintRound()
        )


def _left_alone(room: Room, outlet: Outlet) -> bool:
    if outlet.failed_at is None or outlet.fallback_id:
        return False
    return room.now() - outlet.failed_at < LEFT_ALONE_WITHOUT_FALLBACK


def _tidy_up(database: Database, store_id: str, at: dt.datetime) -> bool:
    """Expire and recover, looking first: an idle round never takes the database's write lock. Was there any?"""
    stuck = sa.and_(PrintJob.state == "sending", PrintJob.due_at <= at)
    old = sa.and_(PrintJob.state.in_(("queued", "failed")), queue.too_old(at))
    with database.read() as session:
        query = sa.select(PrintJob.id).where(PrintJob.store_id == store_id, sa.or_(stuck, old)).limit(1)
        found = session.scalar(query) is not None
    if found:
        with database.write() as session:
            queue.recover(session, store_id, at=at, stopped=False)
            queue.expire(session, store_id, at=at)
    return found


def _stand_by(room: Room, outlet: Outlet, at_work: set[str], limit: int, job: PrintJob | None) -> PrintRound:
    """Work a printer off, and what comes meanwhile too, for as long as another is at work (rule 2)."""
    done = PrintRound()
    while True:
        if job is not None:
            at_work.add(outlet.id)
            done += _work_off(room, outlet, limit, job)
        at_work.discard(outlet.id)
        if not at_work or done.failed or done.unconfirmed:
            return done
        time.sleep(LOOK_AGAIN_S)
        job = _next_job(room, outlet)


def _work_off(room: Room, outlet: Outlet, limit: int, job: PrintJob | None) -> PrintRound:
    """Print a job and what is due at its printer after it, until nothing is, or it cannot, or it is in other hands."""
    done = {"printed": 0, "failed": 0, "unconfirmed": 0}
    while job is not None and sum(done.values()) < limit:
        outcome, reason = "busy", None
        for route in _routes(room, outlet, job.kind):
            outcome, reason = _try(room, job, route)
            if outcome != "failed" or reason == "unprintable":
                break
        if outcome == "busy":
            break
        if outcome != "taken":
            done[outcome] += 1
            if outcome != "printed" and reason != "unprintable":
                break
        job = _next_job(room, outlet)
    return PrintRound(**done)


def _next_job(room: Room, outlet: Outlet) -> PrintJob | None:
    """Return the oldest due job that goes to this printer; None while another process has the printer in hand."""

    def goes_here(kind: str, till_id: str, printer_id: str | None) -> bool:
        return printers.goes_to(room.outlets, outlet, kind, till_id, printer_id)

    with room.database.read() as session:
        return queue.next_due(session, room.store_id, outlet.id, at=room.now(), goes_here=goes_here)


def _routes(room: Room, outlet: Outlet, kind: str) -> list[Outlet]:
    """Return the printers to try for a job, in turn (rules 3 and 4)."""
    fallback = next((other for other in room.outlets if outlet.fallback_id and other.id == outlet.fallback_id), None)
    if fallback is None or fallback.by_agent or not fallback.prints(kind):
        return [outlet]
    with room.database.read() as session:
        health = printers.health_of(session, room.store_id).get(outlet.id)
    failing = health is not None and health.fault is not None and room.now() - health.at < LEFT_ALONE
    return [fallback, outlet] if failing else [outlet, fallback]


def _try(room: Room, job: PrintJob, outlet: Outlet) -> tuple[str, str | None]:
    """Lay out, claim, send, settle; return (outcome, reason).

    outcome: printed, failed, unconfirmed; taken: another process has the job; busy: another has the printer.
    """
    paper, reason = _laid_out(room, job, outlet)
    claimed = _claim(room, job, outlet, paper)
    if claimed != "claimed":
        return claimed, None
    outcome, said = "failed", Said()
    if paper is not None:
        try:
            said = outlet.driver.send(paper.sent)
            outcome = "printed"
        except Unconfirmed as fault:
            outcome, reason = "unconfirmed", fault.code
        except Unreachable as fault:
            reason = fault.code
    if outcome != "printed":
        room.log.warning("not printed", job=job.id, kind=job.kind, printer=outlet.id, outcome=outcome, reason=reason)
    with room.database.write() as session:
        _settle(session, job, outlet.id, outcome, reason, at=room.now())
        if reason != "unprintable":
            printers.note_health(
                session, room.store_id, outlet.id, fault=reason, answered=said.answered, near_end=said.near_end,
                at=room.now(),
            )  # fmt: skip
    return outcome, reason


def _laid_out(room: Room, job: PrintJob, outlet: Outlet) -> tuple[Paper | None, str | None]:
    with room.database.read() as session:
        pictures = logo.pictures_for(session, room.store_id, job.document, outlet.driver.model.columns)
        shown = vouchers.revealed(session, job.document)
    return _paper(job, shown, pictures, outlet, room.now(), room.log)


def _paper(
    job: PrintJob, shown: dict[str, Any], pictures: dict[str, Raster], outlet: Outlet, at: dt.datetime, log: Any
) -> tuple[Paper | None, str | None]:
    fresh = job.opens_drawer and job.copy_no == 0 and at - job.queued_at <= DRAWER_WITHIN
    opens_drawer = fresh and (job.kind == "test" or outlet.serves(job.till_id))
    model = outlet.driver.model
    try:
        content: dict[str, Any] = {"copy_no": job.copy_no, "opens_drawer": opens_drawer, "pictures": pictures}
        sent = queue.paper_of(job.kind, shown, model, **content)
        hidden = vouchers.masked(job.document)
        kept = sent if hidden == job.document else queue.paper_of(job.kind, hidden, model, **content)
        return Paper(sent, kept), None
    # one document that cannot be laid out must not hold up the paper of every sale after it
    except Exception:  # a job's edge: recorded, then on
        log.exception("unprintable document", job=job.id, kind=job.kind)
        return None, "unprintable"


def _patience(outlet: Outlet, paper: bytes | None) -> dt.timedelta:
    return max(SENDING_AT_MOST, dt.timedelta(seconds=2 * outlet.driver.longest_s(paper or b"")))


def _claimed(store_id: str, printer_id: str, claim_id: str) -> sa.Select[PrintJob]:
    mine = (PrintJob.store_id == store_id, PrintJob.printer_id == printer_id, PrintJob.claim_id == claim_id)
    return sa.select(PrintJob).where(*mine)


def _claim(room: Room, job: PrintJob, outlet: Outlet, paper: Paper | None, *, claim_id: str | None = None) -> str:
    """Take the job and the printer in hand; 'taken' or 'busy' where somebody else has one of them."""
    kept = paper.kept if paper else None
    until = room.now() + _patience(outlet, kept)
    try:
        with room.database.write() as session:
            return claim(session, job, outlet.id, kept, until=until, at=room.now(), claim_id=claim_id)
    except IntegrityError:
        return "busy"  # the other process was first by a hair: the database has room for one job in hand


def claim(
    session: Session, job: PrintJob, printer_id: str, paper: bytes | None, *, until: dt.datetime, at: dt.datetime,
    claim_id: str | None = None,
) -> str:  # fmt: skip
    """Move a job to `sending`; 'taken' where it is not what was read any more, 'busy' where the printer has one."""
    row = session.scalar(lock_rows(session, _job(job)))
    if row is None or row.state != job.state or row.attempts != job.attempts:
        return "taken"
    if queue.in_hand(session, job.store_id, printer_id):
        return "busy"
    actor, subject = _printing(job.store_id), f"print:{job.id}"
    ctx = Context(session, actor, at)
    if row.state == "failed":
        move(ctx, row, "queued", subject=subject)
    row.printer_id = printer_id
    move(ctx, row, "sending", subject=subject)
    row.attempts += 1
    row.paper = paper
    row.claim_id = claim_id
    row.due_at = until
    session.flush()
    return "claimed"


def _settle(
    session: Session, job: PrintJob, printer_id: str, outcome: str, reason: str | None, *, at: dt.datetime
) -> None:
    row = session.scalar(lock_rows(session, _job(job)))
    if row is None or row.state != "sending":
        return  # it took so long that it was made unconfirmed: a person decides
    move(Context(session, _printing(job.store_id), at), row, outcome, subject=f"print:{job.id}", why=reason)
    row.reason = reason
    if outcome == "printed":
        row.printed_at = at
        _try_the_others(session, printer_id, job.store_id, at)
    elif outcome == "failed":
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(row.attempts - 1, 10))
        row.due_at = at + dt.timedelta(seconds=wait_s)
    mirror(job, row.state)
    job.attempts = row.attempts


def _job(job: PrintJob) -> sa.Select[PrintJob]:
    return sa.select(PrintJob).where(PrintJob.store_id == job.store_id, PrintJob.id == job.id)


def _try_the_others(session: Session, printer_id: str, store_id: str, at: dt.datetime) -> None:
    """Make jobs that failed for this printer's sake due at once: it works again."""
    session.execute(
        sa.update(PrintJob)
        .where(
            PrintJob.store_id == store_id,
            PrintJob.state == "failed",
            PrintJob.reason != "unprintable",
            PrintJob.printer_id == printer_id,
        )
        .values(due_at=at)
    )
