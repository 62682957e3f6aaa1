"""Where suppliers' files come from by themselves, as the page *Incoming documents* sets it up, and one look into it.

Rules
-----
1. Both sources are off until set up. What is entered lies sealed where plug-ins' settings do: no backup, export or
   journal has it. A password is written and never shown.
2. One look at a time; each file is read in a child process. What only the moment refuses comes again at the next look.
3. A file is marked as done (its message read, the file moved) only after it is written down.
4. The folder is none of the node's own, and holds none of them.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, SecretStr, ValidationError

from config import private
from config.errors import DomainError, Invalid, Refused, Unreachable
from config.nodes import journal
from config.nodes.journal import Actor, Context
from config.plugins import Drawer
from config.settings import Settings
from config.words import N_
from store_app.runtime.child_process import read_apart
from store_app.runtime.doors import Doors
from supply.receiving.documents import document, incoming, reading
from supply.receiving.documents.incoming import Arrival, IncomingFile

MAILBOX, FOLDER = "mailbox", "folder"
SOURCES = (MAILBOX, FOLDER)
GROUP = "cornerstore.inbound"
MOST_FILES = 50
"""So many files or messages a look."""
LONGEST = 400
Take = Callable[[Arrival, bytes], IncomingFile]
"""Reads a file, writes it down and returns what became of it; Unreachable where it has to come again."""


class MailboxSettings(BaseModel):
    """A mailbox and how to sign in to it."""

    host: str = Field(pattern=r"^[A-Za-z0-9.:-]{1,253}$")
    port: int = Field(default=993, ge=1, le=65535)
    user: str = Field(min_length=1)
    password: SecretStr = Field(min_length=1)
    folder: str = Field(default="INBOX", pattern=r'^[^"\\\r\n]{1,120}$')


class FolderSettings(BaseModel):
    """A folder on this computer."""

    path: str = Field(min_length=1)


_SHAPES: dict[str, type[BaseModel]] = {MAILBOX: MailboxSettings, FOLDER: FolderSettings}


# --- settings ---


def entered(settings: Settings, source: str) -> dict[str, Any]:
    """Return what was entered for a source, without the password; {} where it is off."""
    return {name: value for name, value in _read(settings, source).items() if name != "password"}


def set_up(ctx: Context, settings: Settings, source: str, typed: Mapping[str, str]) -> None:
    """Check what was entered and look there from now on (rules 1, 4); an empty password stays as it was."""
    before = _read(settings, source)
    wanted = {name: value for name, value in typed.items() if value}
    if "password" in before and typed.get("host") == before.get("host"):
        wanted.setdefault("password", before["password"])
    try:
        made = _SHAPES[source].model_validate(wanted)
    except ValidationError as fault:
        field = str(fault.errors()[0]["loc"][0])
        raise Invalid("bad-source", _FAULTS.get(field, N_("Fill in this field.")), field=field) from None
    if isinstance(made, FolderSettings):
        _check_folder(Path(made.path), settings)
    journal.record(ctx, verb="incoming.set_up", subject=f"incoming:{source}", fields=sorted(wanted))
    _drawer(settings).write(source, wanted)


def remove(ctx: Context, settings: Settings, source: str) -> None:
    """Forget a source: nobody looks there any more."""
    journal.record(ctx, verb="incoming.removed", subject=f"incoming:{source}")
    _drawer(settings).remove(source)


# --- a look ---


def look(doors: Doors, actor: Actor, source: str) -> None:
    """Look into a source and take in what is new (rules 2, 3); its refusal is kept, and raised."""
    settings = doors.settings
    values = _read(settings, source)
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


def taker(doors: Doors, actor: Actor) -> Take:
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


def hash_of(raw: bytes) -> str:
    """Return what a file is known by."""
    return hashlib.sha256(raw).hexdigest()


# --- inside ---

_FAULTS = {
    "host": N_("Enter the mail server’s name, such as imap.example.com."),
    "port": N_("Enter a port from 1 to 65535. For most mail servers it is 993."),
    "folder": N_("Enter the mailbox folder’s name. For most it is INBOX."),
}


def _look(doors: Doors, actor: Actor, source: str, values: dict[str, Any]) -> DomainError | None:
    from store_app.inbound import folder, mailbox

    try:
        if source == MAILBOX:
            mailbox.look(MailboxSettings.model_validate(values), taker(doors, actor))
        else:
            path = Path(values["path"])
            _check_folder(path, doors.settings)
            with doors.read() as session:
                say = folder.language_here(session, doors.settings.node_id)
            folder.look(path, taker(doors, actor), say)
    except DomainError as fault:
        return fault
    return None


def _drawer(settings: Settings) -> Drawer:
    return Drawer(GROUP, settings.state_folder, private.node_secret(settings))


def _read(settings: Settings, source: str) -> dict[str, Any]:
    kept = _drawer(settings)
    if source not in SOURCES or source not in kept.names():
        return {}
    try:
        return kept.read(source)
    except DomainError:  # sealed under another secret: it has to be entered again
        return {}


def _check_folder(path: Path, settings: Settings) -> None:
    """Refuse a folder that is not there, or is the node's own (rule 4)."""
    if not path.is_absolute() or not path.is_dir():
        raise Invalid("no-folder", "There is no such folder on this computer. Enter its whole path.", field="path")
    here, own = path.resolve(), settings.state_folder.resolve()
    if here == own or own in here.parents or here in own.parents:
        raise Invalid("own-folder", "Choose another folder. This one holds the store’s own files.", field="path")
