"""Files that nobody else on this computer reads: the books, their copies, keys.

Rules
-----
1. Whatever a command or a node makes is its owner's alone, from the first byte on.
2. The folder of the books is closed whenever it is opened, so that what an older version left there is closed too.
Where a system has no such rights (Windows), the folder's own rights count.
"""

import contextlib
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from config.settings import Settings


@contextlib.contextmanager
def making() -> Iterator[None]:
    """Make every file and folder inside, also in programs begun inside, its owner's alone (rule 1)."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def folder(path: Path) -> Path:
    """Make a folder, or close one that is there (rule 2); returns it."""
    path.mkdir(0o700, parents=True, exist_ok=True)
    if sys.platform != "win32" and path.stat().st_mode & 0o077:
        with contextlib.suppress(PermissionError):  # somebody else's: `doctor` says that others can read it
            path.chmod(0o700)
    return path


def settle(path: Path) -> None:
    """Write a folder's entries to the disk, so that a file made or renamed in it outlives a power cut."""
    if sys.platform != "win32":
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write(path: Path, text: str) -> None:
    """Write a file whole, or leave it as it was, readable to its owner alone."""
    beside = path.with_name(f"{path.name}.part")
    beside.unlink(missing_ok=True)  # what lay there keeps its readers
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    beside.replace(path)


def is_open(path: Path) -> bool:
    """Tell whether everybody on this computer can look into a folder, or read a file."""
    return sys.platform != "win32" and path.exists() and bool(path.stat().st_mode & 0o007)


def node_secret(settings: "Settings") -> str:
    """Return what signs sessions and derives codes; in practice one is made and kept beside the database."""
    if settings.secret_key:
        return settings.secret_key
    folder(settings.state_folder)
    path = settings.state_folder / f"{settings.node_id}.signing"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text("ascii")
    made = secrets.token_hex(32)
    with os.fdopen(descriptor, "w") as file:
        file.write(made)
    return made
