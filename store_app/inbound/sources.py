"""Where suppliers' files come from by themselves, as the page *Incoming documents* sets it up.

Rules
-----
1. Both sources are off until set up. What is entered lies sealed where plug-ins' settings do: no backup, export or
   journal has it. A password is written and never shown.
2. The folder is none of the node's own, and holds none of them.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, SecretStr, ValidationError

from config import private
from config.errors import DomainError, Invalid
from config.nodes import journal
from config.nodes.journal import Context
from config.plugins import Drawer
from config.settings import Settings
from config.words import N_
from supply.receiving.documents.incoming import Arrival, IncomingFile

MAILBOX, FOLDER = "mailbox", "folder"
SOURCES = (MAILBOX, FOLDER)
DOOR = "inbound"
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
    return {name: value for name, value in values(settings, source).items() if name != "password"}


def values(settings: Settings, source: str) -> dict[str, Any]:
    """Return what was entered for a source; {} where it is off, or was sealed under another secret."""
    kept = _drawer(settings)
    if source not in SOURCES or source not in kept.names():
        return {}
    try:
        return kept.read(source)
    except DomainError:
        return {}


def set_up(ctx: Context, settings: Settings, source: str, typed: Mapping[str, str]) -> None:
    """Check what was entered and look there from now on (rules 1, 2); an empty password stays as it was."""
    before = values(settings, source)
    wanted = {name: value for name, value in typed.items() if value}
    if "password" in before and typed.get("host") == before.get("host"):
        wanted.setdefault("password", before["password"])
    try:
        made = _SHAPES[source].model_validate(wanted)
    except ValidationError as fault:
        field = str(fault.errors()[0]["loc"][0])
        sentence = _FAULTS.get(field, _EMPTY)
        raise Invalid("bad-source", sentence, field=field) from None
    if isinstance(made, FolderSettings):
        check_folder(Path(made.path), settings)
    journal.record(ctx, verb="incoming.set_up", subject=f"incoming:{source}", fields=sorted(wanted))
    _drawer(settings).write(source, wanted)


def remove(ctx: Context, settings: Settings, source: str) -> None:
    """Forget a source: nobody looks there any more."""
    journal.record(ctx, verb="incoming.removed", subject=f"incoming:{source}")
    _drawer(settings).remove(source)


def check_folder(path: Path, settings: Settings) -> None:
    """Refuse a folder that is not there, or is the node's own (rule 2)."""
    if not path.is_absolute() or not path.is_dir():
        raise Invalid("no-folder", "There is no such folder on this computer. Enter its whole path.", field="path")
    here, own = path.resolve(), settings.state_folder.resolve()
    if here == own or own in here.parents or here in own.parents:
        raise Invalid("own-folder", "Choose another folder. This one holds the store’s own files.", field="path")


def hash_of(raw: bytes) -> str:
    """Return what a file is known by."""
    return hashlib.sha256(raw).hexdigest()


# --- inside ---

_EMPTY = N_("Fill in this field.")
_FAULTS = {
    "host": N_("Enter the mail server’s name, such as imap.example.com."),
    "port": N_("Enter a port from 1 to 65535. For most mail servers it is 993."),
    "folder": N_("Enter the mailbox folder’s name. For most it is INBOX."),
}


def _drawer(settings: Settings) -> Drawer:
    return Drawer(DOOR, settings.state_folder, private.node_secret(settings))
