"""One look into a mailbox or folder: what is new is read, and taken in or left to a person.

Rules
-----
1. One look at a time; each file is read in a child process. What only the moment refuses comes again at the next look.
2. A file is marked as done (its message read, the file moved) only after it is written down.
"""

from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from config.errors import DomainError, Refused, Unreachable
from config.nodes.journal import Actor, Context
from store_app.inbound import folder, sources
from store_app.runtime.child_process import read_apart
from store_app.runtime.doors import Doors
from supply.receiving.documents import document, incoming, reading
from supply.receiving.documents.incoming import Arrival, IncomingFile


def look(doors: Doors, actor: Actor, source: str) -> None:
    """Look into a source and take in what is new (rules 1, 2); its refusal is kept, and raised."""
    settings = doors.settings
    values = sources.values(settings, source)
    if not values:
        raise Refused("source-off", "Set up this source first.")
    try:
        with FileLock(settings.state_folder / f"inbound-{source}.lock", timeout=0):
            fault = _look(doors, actor, source, values)
    except Timeout as busy:
        raise Unreachable("look-running", "The store is already looking. Try again in a minute.") from busy
    with doors.write() as session:
        incoming.note_check(Context(session, actor, doors.now()), settings.node_id, source, fault)
    if fault is not None:
        raise fault


def taker(doors: Doors, actor: Actor) -> sources.Take:
    """Return what reads a file and writes it down."""

    def take(came: Arrival, raw: bytes) -> IncomingFile:
        said, refusal = None, None
        try:
            said = document.from_json(next(read_apart(reading.read, raw)))
        except Unreachable:
            raise
        except DomainError as fault:
            refusal = fault
        with doors.write() as session:
            return incoming.arrive(
                Context(session, actor, doors.now()), doors.settings.node_id, came, said, refusal
            )  # fmt: skip

    return take


# --- inside ---


def _look(doors: Doors, actor: Actor, source: str, values: dict[str, Any]) -> DomainError | None:
    try:
        if source == sources.MAILBOX:
            from store_app.inbound import mailbox  # brings httpx2, and a till's process seldom looks

            mailbox.look(sources.MailboxSettings.model_validate(values), taker(doors, actor))
        else:
            path = Path(values["path"])
            sources.check_folder(path, doors.settings)
            with doors.read() as session:
                say = folder.language_here(session, doors.settings.node_id)
            folder.look(path, taker(doors, actor), say)
    except DomainError as fault:
        return fault
    return None
