"""Paper: a queue that never lies. `pos.printing.print_worker` works it off.

Rules
-----
1. A job is queued in the sale's transaction and printed after it; a dead printer leaves a failed job and a
   banner, the sale stands.
2. queued → sending → printed | failed | unconfirmed. Failed before the first byte is tried again with back-off;
   what may have printed is unconfirmed and waits for a person; an old ticket expires, and can be printed again.
3. The drawer opens only with the first print of a cash sale and only while the sale is fresh: never with a reprint,
   nor when a printer that was off comes back. Reprints are marked and counted.
4. No data byte below 0x20 but LF reaches the printer. The very bytes are kept in the job before they are
   sent, but of a voucher's code its end alone.
5. A printer has one job in hand at a time, whichever process sends it: the database has no room for a second. A job
   found `sending` after a crash may have printed: it becomes unconfirmed.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, lock_rows, table_of
from config.errors import Invalid, NotFound
from config.ids import new_id
from config.nodes.bell import leave_work
from config.nodes.journal import Actor, Context, move, record
from config.prepared import Prepared
from config.states import StateTable
from pos.documents import accounts, goods, labels, paper, receipt, test_page
from pos.documents.paper import PaperLine
from pos.printing import agents, escpos, label_printer, printers
from pos.printing.models import PrinterModel

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
EXPIRES_AFTER = {
    **dict.fromkeys(("receipt", "pickup", "bin", "tab_paid", "voucher"), dt.timedelta(hours=4)),
    **dict.fromkeys(("drawer", "test", "transfer"), dt.timedelta(minutes=10)),
}
"""How long a customer waits for paper, at most; reports and labels are for the store and wait over a weekend."""
OFFICE_EXPIRES_AFTER = dt.timedelta(days=3)
SLOW_AFTER = dt.timedelta(seconds=60)
Choice = Literal["printed", "again", "dropped"]


OLD_LISTS = sa.text("kind = 'pick_list' AND paper IS NOT NULL")
"""The pick lists whose paper is kept: people stand on them."""


class PrintJob(Base):
    """One document to be put on paper. document is the frozen snapshot it is laid out from."""

    STATES: ClassVar[StateTable] = STATES
    __tablename__ = "print_job"
    __table_args__ = (
        sa.Index("ix_print_job_due", "store_id", "state", "due_at"),
        sa.Index("ix_print_job_pick_list", "queued_at", sqlite_where=OLD_LISTS),
        sa.Index(
            "ux_print_job_in_hand",
            "store_id",
            "printer_id",
            unique=True,
            sqlite_where=sa.text("state = 'sending'"),
        ),
    )

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[str]
    kind: Mapped[str]
    """What document it is: `label`, or a key of the LAYOUTS of a paper module."""
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
    """The bytes that were sent (rule 4)."""
    printer_id: Mapped[str | None]
    """Where it was last sent; a test page goes nowhere else."""
    claim_id: Mapped[str | None] = mapped_column(index=True)
    """The print agent's own id of the turn in which it took the job; None where this node sends."""


class Printout(NamedTuple):
    """A document to be put on paper: the columns of its `PrintJob`."""

    kind: str
    source_id: str
    document: dict[str, Any]
    opens_drawer: bool = False
    copy_no: int = 0
    printer_id: str | None = None


class Queued(NamedTuple):
    """A job that has just been put in the queue."""

    id: str
    kind: str
    till_id: str
    copy_no: int

    @classmethod
    def of(cls, job: PrintJob) -> "Queued":
        """Return a job that was queued before."""
        return cls(job.id, job.kind, job.till_id, job.copy_no)


_TABLE = table_of(PrintJob)
_QUEUE = Prepared(sa.insert(_TABLE))
_OF_STORE = _TABLE.c.store_id == sa.bindparam("store")
_DUE = Prepared(
    sa.select(*(_TABLE.c[name] for name in ("id", "kind", "till_id", "printer_id", "queued_at")))
    .where(_OF_STORE, sa.or_(_TABLE.c.state == "queued", _TABLE.c.state == "failed"))
    .where(_TABLE.c.due_at <= sa.bindparam("at"))
    .order_by(_TABLE.c.queued_at, _TABLE.c.id)
    .limit(500)
)
_ONE = Prepared(sa.select(_TABLE).where(_OF_STORE, _TABLE.c.id == sa.bindparam("id")))
_IN_HAND = Prepared(
    sa.select(_TABLE.c.id)
    .where(_OF_STORE, _TABLE.c.state == "sending", _TABLE.c.printer_id == sa.bindparam("printer"))
    .limit(1)
)


# --- verbs ---


def queue(
    session: Session, store_id: str, till_id: str, printout: Printout, *, id: str | None = None, at: dt.datetime
) -> Queued:
    """Put a document in the printer's queue, in the caller's transaction (rule 1).

    id: the command's, where a person asked. The document is what the caller's own verb journals, so nothing is
    journalled here.
    """
    job = Queued(id or new_id(), printout.kind, till_id, printout.copy_no)
    row = {"store_id": store_id, "state": STATES.first, "attempts": 0, "queued_at": at, "due_at": at}
    _QUEUE.run(session, job._asdict() | printout._asdict() | row)
    leave_work(session)
    return job


def reprint(
    ctx: Context, store_id: str, source_id: str, *, kind: str = "receipt", document: dict[str, Any] | None = None
) -> Queued:
    """Queue a marked copy of what was printed for a sale, shift or order; never opens the drawer (rule 3).

    document: what the copy says, where that is not what was printed last.
    """
    last = latest(ctx.session, store_id, source_id, kind)
    if last is None:
        raise NotFound("nothing-to-reprint", "Nothing has been printed for this yet.")
    document = last.document if document is None else document
    printout = Printout(kind, source_id, document, copy_no=last.copy_no + 1)
    job = queue(ctx.session, store_id, last.till_id, printout, at=ctx.at)
    record(ctx, verb="print job.reprinted", subject=_subject(job), copy_no=job.copy_no)
    return job


def resolve(ctx: Context, store_id: str, job_id: str, choice: Choice) -> PrintJob:
    """Say what became of a job that waits for a person: it was printed, print it again, or drop it.

    Printing again never opens the drawer: it may have opened already.
    """
    job: PrintJob | None = ctx.session.scalar(lock_rows(ctx.session, _job(store_id, job_id)))
    if job is None:
        raise NotFound("no-such-print-job", "Print job not found.", job_id=job_id)
    if choice not in ("printed", "again", "dropped"):
        raise Invalid("print-choice", "Choose printed, print again or discard.", choice=choice)
    if choice == "again":
        if job.state != "queued":
            move(ctx, job, "queued", subject=_subject(job), why="print again")
        job.due_at, job.opens_drawer, job.reason = ctx.at, False, None
        job.queued_at = ctx.at
    else:
        move(ctx, job, choice, subject=_subject(job), why=f"a person says: {choice}")
        job.printed_at = ctx.at if choice == "printed" else None
    leave_work(ctx.session)
    return job


def recover(session: Session, store_id: str, *, at: dt.datetime, stopped: bool = True) -> int:
    """Make jobs a stopped worker left `sending` unconfirmed; return how many.

    stopped: no worker prints now (one starts); a test page is sent by the page itself, and a print agent goes on
    wherever it is. Otherwise only those that have been sending for too long.
    """
    query = sa.select(PrintJob).where(PrintJob.store_id == store_id, PrintJob.state == "sending")
    own = sa.and_(PrintJob.kind != "test", PrintJob.claim_id.is_(None))
    query = query.where(own if stopped else PrintJob.due_at <= at)
    jobs = list(session.scalars(lock_rows(session, query)))
    for job in jobs:
        move(Context(session, _printing(store_id), at), job, "unconfirmed", subject=_subject(job), why="stopped midway")
        job.reason = "stopped-midway"
    return len(jobs)


def expire(session: Session, store_id: str, *, at: dt.datetime) -> int:
    """Give up jobs nobody waits for any more; return how many. A reprint is always possible."""
    jobs = list(session.scalars(lock_rows(session, waiting(store_id).where(too_old(at)))))
    for job in jobs:
        move(Context(session, _printing(store_id), at), job, "expired", subject=_subject(job))
    return len(jobs)


def lay_out(kind: str, document: dict[str, Any], *, columns: int, copy_no: int = 0) -> list[PaperLine]:
    """Return the lines of a job's document, in the document's own language."""
    language = paper.language_of(document)
    if kind == "test":
        return test_page.layout(document, columns=columns)
    if kind == "label":
        return labels.layout(document, columns=columns, language=language)
    layouts = receipt.LAYOUTS | accounts.LAYOUTS | goods.LAYOUTS
    return layouts[kind](document, columns=columns, language=language, copy_no=copy_no)


def paper_of(
    kind: str,
    document: dict[str, Any],
    model: PrinterModel,
    *,
    copy_no: int = 0,
    opens_drawer: bool = False,
    pictures: Mapping[str, escpos.Raster] | None = None,
) -> bytes:
    """Return the very bytes that put a job's document on this printer's paper."""
    if model.profile in label_printer.LABEL_PRINTERS:
        return label_printer.encode(test_page.label(document) if kind == "test" else document, model.profile)
    lines = lay_out(kind, document, columns=model.columns, copy_no=copy_no)
    return escpos.encode(lines, model, opens_drawer=opens_drawer, pictures=pictures)


# --- questions ---


@dataclass(frozen=True)
class PrinterStatus:
    """How the paper is doing. colour: green, amber (look), red (not printing) or none (no printer); code says why.

    codes: no-printer, ready, slow, agent-silent (paper waits, its print agent does not call),
    unconfirmed, elsewhere (a printer failed and its fallback stands in), paper-low, or the reason
    of a failure (printer-off, printer-refused, printer-silent, printer-offline, printer-library, printer-permission,
    paper-out, cover-open, cutter-jam, printer-error, unprintable). printer: the name of the printer meant, '' where
    the store has one only. since: when the oldest waiting job was queued.
    """

    colour: Literal["green", "amber", "red", "none"]
    code: str
    waiting: int
    unconfirmed: int
    since: dt.datetime | None
    printer: str = ""


def status(session: Session, store_id: str, *, at: dt.datetime | None = None, setting: str = "paper") -> PrinterStatus:
    """Return the state of a store's paper; `at` lets it notice that jobs have been waiting for long.

    setting: the printer the node's settings name, which counts while the store has set up none of its own.
    """
    if not setting and not printers.printers_of(session, store_id):
        return PrinterStatus("none", "no-printer", 0, 0, None)
    jobs = list(session.scalars(waiting(store_id).order_by(PrintJob.queued_at, PrintJob.id)))
    unconfirmed = session.scalar(
        sa.select(sa.func.count()).where(PrintJob.store_id == store_id, PrintJob.state == "unconfirmed")
    )
    since = jobs[0].queued_at if jobs else None
    slow = at is not None and since is not None and at - since > SLOW_AFTER
    colour, code, printer = _light(session, store_id, jobs, unconfirmed=bool(unconfirmed), slow=slow, at=at)
    return PrinterStatus(colour, code, len(jobs), unconfirmed or 0, since, printer)


def latest(session: Session, store_id: str, source_id: str, kind: str = "receipt") -> PrintJob | None:
    """Return the newest job of a sale, shift or order, the highest copy."""
    query = sa.select(PrintJob).where(
        PrintJob.store_id == store_id, PrintJob.source_id == source_id, PrintJob.kind == kind
    )
    return session.scalar(query.order_by(PrintJob.copy_no.desc(), PrintJob.id.desc()).limit(1))


def waiting(store_id: str) -> sa.Select[PrintJob]:
    """Select the jobs that are still to be printed."""
    return sa.select(PrintJob).where(PrintJob.store_id == store_id, PrintJob.state.in_(("queued", "failed")))


def next_due(
    session: Session,
    store_id: str,
    printer_id: str,
    *,
    at: dt.datetime,
    goes_here: Callable[[str, str, str | None], bool],
) -> PrintJob | None:
    """Return the oldest due job that is not too old and goes here, kept by no session; None where one is in hand.

    goes_here: (kind, till_id, printer_id) -> whether such a job is this printer's.
    """
    if in_hand(session, store_id, printer_id):
        return None
    for job_id, kind, till_id, bound_to, queued_at in _DUE.all(session, {"store": store_id, "at": at}):
        if at - queued_at < EXPIRES_AFTER.get(kind, OFFICE_EXPIRES_AFTER) and goes_here(kind, till_id, bound_to):
            row = _ONE.first(session, {"store": store_id, "id": job_id})
            return None if row is None else PrintJob(**dict(zip(_TABLE.c.keys(), row, strict=True)))
    return None


def in_hand(session: Session, store_id: str, printer_id: str) -> bool:
    """Tell whether a job is being sent to a printer."""
    return _IN_HAND.first(session, {"store": store_id, "printer": printer_id}) is not None


def too_old(at: dt.datetime) -> sa.ColumnElement[bool]:
    """Return the condition of a job nobody waits for any more."""
    own = [sa.and_(PrintJob.kind == kind, PrintJob.queued_at <= at - age) for kind, age in EXPIRES_AFTER.items()]
    return sa.or_(PrintJob.queued_at <= at - OFFICE_EXPIRES_AFTER, *own)


# --- inside ---


def _subject(job: PrintJob | Queued) -> str:
    return f"print:{job.id}"


def _printing(store_id: str) -> Actor:
    return Actor.system("print", store_id)


def _job(store_id: str, job_id: str) -> sa.Select[PrintJob]:
    return sa.select(PrintJob).where(PrintJob.store_id == store_id, PrintJob.id == job_id)


def _light(
    session: Session, store_id: str, jobs: list[PrintJob], *, unconfirmed: bool, slow: bool, at: dt.datetime | None
) -> tuple[Literal["green", "amber", "red"], str, str]:
    """Return colour, code and the printer meant; what stops paper comes before what only wants a look."""
    rows = {row.id: row for row in printers.printers_of(session, store_id)}
    names = {row.id: row.name for row in rows.values()} if len(rows) > 1 else {}
    failed = [job for job in jobs if job.state == "failed"]
    if failed:
        return "red", failed[-1].reason or "printer-off", names.get(failed[-1].printer_id or "", "")
    silent = [] if at is None else agents.silent(session, store_id, jobs, at=at)
    if silent:
        return "red", "agent-silent", names.get(silent[0], "")
    if unconfirmed:
        return "amber", "unconfirmed", ""
    if slow:
        return "amber", "slow", ""
    health = printers.health_of(session, store_id)
    known = [health[key] for key in (rows or [printers.FIRST]) if key in health]
    for one in known:
        if one.fault is not None and one.printer_id in rows and rows[one.printer_id].fallback_id:
            return "amber", "elsewhere", names.get(one.printer_id, "")
    low = next((one for one in known if one.near_end), None)
    return ("green", "ready", "") if low is None else ("amber", "paper-low", names.get(low.printer_id, ""))
