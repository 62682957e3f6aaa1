"""Notice a database that was put back from a copy, and begin a new epoch.

The sidecar file beside the database keeps (epoch, last journal number, its hash), written after commits: whenever the
worker looks, at each contact, at a restore. A database behind its sidecar was restored: numbers of the old epoch may
already be known elsewhere, so a new epoch begins (I18); what it tells in steps goes on above them
(`supply.sync.recovered`).
"""

from contextlib import suppress
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from config.errors import Invalid
from config.nodes import journal, node
from config.nodes.journal import GENESIS, Actor, Context, JournalEntry, JournalHead
from store_app.runtime.doors import Doors
from supply.sync import recovered

log = structlog.get_logger()


def restart_if_restored(doors: Doors) -> bool:
    """Compare the database with its sidecar, and renew that; True when a new epoch had to begin.

    A damaged sidecar is told, and written again.
    """
    try:
        sidecar = node.read_sidecar(doors.settings.sidecar)
    except Invalid as fault:
        _send_damaged(doors, fault)
        sidecar = None
    with doors.read() as session:
        restored = _is_behind(session, sidecar)
    if restored:
        with doors.write() as session:
            restored = _is_behind(
                session, node.read_sidecar(doors.settings.sidecar)
            )  # another program may have seen it
            if restored:
                new_epoch(session, node.this_node(session).id, "the database was restored from a copy", doors)
    keep_sidecar(doors)
    return restored


def new_epoch(session: Session, node_id: str, why: str, doors: Doors, *, is_put_back: bool = True) -> None:
    """Begin a new epoch and journal why; is_put_back as `node.new_epoch` has it."""
    before = node.this_node(session).epoch
    epoch = node.new_epoch(session, is_put_back=is_put_back)
    recovered.after_a_restore(session, node_id, at=doors.now())
    log.warning("new epoch", node=node_id, why=why)
    journal.record(
        Context(session, Actor.system("sync", node_id), doors.now()),
        verb="epoch.begun",
        subject=f"node:{node_id}",
        before=before,
        epoch=epoch,
        why=why,
    )


def keep_sidecar(doors: Doors) -> None:
    """Write the sidecar when the journal has grown, or the sidecar is damaged."""
    with doors.read() as session:
        this = node.this_node(session)
        n, head = _end(session, this.id)
    present = {"epoch": this.epoch, "n": n, "head": head}
    with suppress(Invalid):
        if node.read_sidecar(doors.settings.sidecar) == present:
            return
    node.write_sidecar(doors.settings.sidecar, epoch=this.epoch, n=n, head=head)


def journal_end(session: Session, this: node.Node) -> dict[str, Any]:
    """Return the end of our journal as a push names it, with the proof of the end the network knows."""
    n, head = _end(session, this.id)
    end: dict[str, Any] = {"n": n, "hash": head}
    if this.peer_journal_n:
        end |= {"proof_n": this.peer_journal_n, "proof_hash": _hash_at(session, this.id, this.peer_journal_n) or ""}
    return end


def _is_behind(session: Session, sidecar: dict[str, Any] | None) -> bool:
    this = node.this_node(session)
    n, _ = _end(session, this.id)
    known = _hash_at(session, this.id, sidecar["n"]) if sidecar else None
    return node.was_restored(sidecar, epoch=this.epoch, n=n, head_at=known)


def _send_damaged(doors: Doors, fault: Invalid) -> None:
    log.warning(fault.message, path=fault.facts["path"])
    node_id = doors.settings.node_id
    actor = Actor.system("sync", node_id)
    with doors.write() as session:
        journal.record(Context(session, actor, doors.now()), verb="sidecar.damaged", subject=f"node:{node_id}")


def _end(session: Session, node_id: str) -> tuple[int, str]:
    head = session.get(JournalHead, node_id)
    return (head.n, head.hash) if head else (0, GENESIS)


def _hash_at(session: Session, node_id: str, n: int) -> str | None:
    if n == 0:
        return GENESIS
    return session.scalar(sa.select(JournalEntry.hash).where(JournalEntry.node_id == node_id, JournalEntry.n == n))
