"""Print agents: small programs in the store that fetch the paper of a store node that runs elsewhere.

Rules
-----
1. A printer whose wire is `agent` has one key, shown once; only its SHA-256 is kept. A new one makes the old useless;
   both are journalled. The key opens the jobs of its own printer and nothing else.
2. An agent that has not called for two minutes while paper waits for it makes the light red.
"""

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import Invalid
from config.nodes.journal import Context, record
from pos.printing import printers
from pos.printing.models import PrinterModel
from pos.printing.printers import AGENT, Printer, PrinterHealth

if TYPE_CHECKING:
    from pos.printing.queue import PrintJob

SILENT_AFTER = dt.timedelta(minutes=2)
NOTED_EVERY = dt.timedelta(seconds=30)


# --- verbs ---


def give_key(ctx: Context, store_id: str, printer_id: str) -> str:
    """Make the key of a printer's agent and return it, this once; one it had is useless from now on (rule 1)."""
    printer = printers.printer_of(ctx.session, store_id, printer_id)
    if printer.wire != AGENT:
        raise Invalid("printer-no-agent", "This printer does not use a print agent. Change that and save first.")
    key = secrets.token_urlsafe(32)
    renewed, printer.agent_key_sha256 = printer.agent_key_sha256 is not None, _hash(key)
    record(ctx, verb="printer.agent_key_given", subject=f"printer:{printer_id}", renewed=renewed)
    return key


def withdraw_key(ctx: Context, store_id: str, printer_id: str) -> None:
    """Make the key of a printer's agent useless."""
    printer = printers.printer_of(ctx.session, store_id, printer_id)
    if printer.agent_key_sha256 is not None:
        printer.agent_key_sha256 = None
        record(ctx, verb="printer.agent_key_withdrawn", subject=f"printer:{printer_id}")


def note_heard(session: Session, store_id: str, printer_id: str, *, at: dt.datetime) -> None:
    """Remember that a printer's agent called."""
    row = session.get(PrinterHealth, (store_id, printer_id))
    if row is None:
        row = PrinterHealth(store_id=store_id, printer_id=printer_id, answers=False, near_end=False, at=at)
        session.add(row)
    row.heard_at = at


# --- questions ---


def printer_for_key(session: Session, store_id: str, key: str) -> str | None:
    """Return the id of the printer whose agent has this key; None for an unknown or withdrawn one."""
    wanted = _hash(key)
    row = session.scalar(sa.select(Printer).where(Printer.store_id == store_id, Printer.agent_key_sha256 == wanted))
    known = row is not None and row.wire == AGENT and hmac.compare_digest(row.agent_key_sha256 or "", wanted)
    return row.id if row is not None and known else None


def is_noted(session: Session, store_id: str, printer_id: str, *, at: dt.datetime) -> bool:
    """Tell whether it is remembered already that the agent called just now."""
    row = session.get(PrinterHealth, (store_id, printer_id))
    return row is not None and row.heard_at is not None and at - row.heard_at < NOTED_EVERY


def silent(session: Session, store_id: str, jobs: Sequence["PrintJob"], *, at: dt.datetime) -> list[str]:
    """Return the printers whose agent does not call though paper waits for it (rule 2). jobs: what waits."""
    if not jobs or not any(row.wire == AGENT for row in printers.printers_of(session, store_id)):
        return []
    outlets = printers.outlets(session, store_id, "", PrinterModel())
    health = printers.health_of(session, store_id)
    found = []
    for outlet in (one for one in outlets if one.by_agent):
        known = health.get(outlet.id)
        quiet = known is None or known.heard_at is None or at - known.heard_at > SILENT_AFTER
        if quiet and any(printers.goes_to(outlets, outlet, job.kind, job.till_id, job.printer_id) for job in jobs):
            found.append(outlet.id)
    return found


# --- inside ---


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
