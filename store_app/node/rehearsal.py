"""A restore that is rehearsed: the newest copy is put back where it harms nobody, looked through, and deleted.

Rules
-----
1. It is put back by the very code of a restore (`backup.put_back`), in a folder of its own beside the books, in a
   child: the store sells on. What an earlier rehearsal left there, cut off by a crash, goes first.
2. It works when the file is whole, the journal's chain holds and ends as its note says, and sales and last receipt are
   those of its note. An older program's note says nothing of sales.
3. Somebody asks for it on the page *Store*; the result is journalled, with its time.
"""

import datetime as dt
import shutil
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import FrozenClock
from config.errors import DomainError, Invalid, NotFound, kept
from config.nodes import journal
from config.nodes.journal import Context
from config.settings import Settings
from config.words import N_
from store_app.node import backup
from store_app.node.verifying import Anchor
from store_app.runtime.doors import open_doors
from store_app.runtime.job_runs import JobRun

JOB, VERB = "rehearse", "restore.rehearsed"
DUE_AFTER = dt.timedelta(days=90)
"""When none was rehearsed for so long, the doctor says so."""
NONE_YET = N_("There is no backup yet. The first one will be made tonight.")

# --- verbs ---


def rehearse(node_at: tuple[Settings, dt.datetime]) -> dict[str, Any]:
    """Rehearse the restore of a node's newest copy: (its settings, now); returns what `record` keeps (rules 1, 2)."""
    settings, at = node_at
    folder = settings.state_folder / "rehearsal"
    here = {"state_folder": folder, "database_url": f"sqlite:///{folder / f'{settings.node_id}.db'}", "port": 0}
    doors = open_doors(settings, FrozenClock(at))
    copies = backup.copies(doors)
    if not copies:
        return failed(NotFound("no-copy", NONE_YET))
    note, file = copies[0], backup.folder_of(doors) / copies[0].file
    try:
        shutil.rmtree(folder, ignore_errors=True)
        backup.refuse_no_room(settings.state_folder, note.size)
        apart = open_doors(settings.model_copy(update=here), FrozenClock(at))
        backup.put_back(apart, file)
        noted = Anchor(note.journal_n, note.journal_hash, "the note beside the backup")
        proof = backup.prove(folder / f"{settings.node_id}.db", settings.node_id, [noted])
        _compare(note, proof)
    except (DomainError, OSError, sa.exc.SQLAlchemyError) as fault:
        return failed(fault, note)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return _found(note) | {"sales": proof.sales, "last_sale_at": proof.last_sale_at}


def record(ctx: Context, found: dict[str, Any]) -> None:
    """Journal what a rehearsal found (rule 3)."""
    journal.record(ctx, verb=VERB, subject=f"node:{ctx.actor.node}", **found)


# --- questions ---


def failed(fault: Exception, note: backup.Note | None = None) -> dict[str, Any]:
    """Return what is recorded of a rehearsal that failed."""
    return _found(note) | {"fault": kept(fault)}


def open_run(session: Session, node_id: str) -> JobRun | None:
    """Return the rehearsal that was asked for and has not ended."""
    query = sa.select(JobRun).where(JobRun.node_id == node_id, JobRun.job == JOB, JobRun.state != "done")
    return session.scalars(query.order_by(JobRun.day.desc()).limit(1)).first()


def last(session: Session, node_id: str) -> tuple[dt.datetime, dict[str, Any]] | None:
    """Return when a restore was rehearsed last, and what was found: file, made_at, sales, last_sale_at, fault."""
    return journal.newest(session, VERB, f"node:{node_id}")


# --- inside ---


def _compare(note: backup.Note, proof: backup.Proof) -> None:
    if note.sales is not None and (note.sales, note.last_sale_at) != (proof.sales, proof.last_sale_at):
        raise Invalid("other-sales", "The sales it was based on have changed.")


def _found(note: backup.Note | None) -> dict[str, Any]:
    file, made_at = (note.file, note.made_at) if note else ("", "")
    return {"file": file, "made_at": made_at, "sales": 0, "last_sale_at": "", "fault": None}
