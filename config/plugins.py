"""Plug-ins: what other packages add by entry points, and the secrets kept for them.

Rules
-----
1. A door is a group of entry points; each names a Plugin of this API. Only what is asked for is imported.
2. A plug-in that cannot be had (does not import, is none, is of another version, has a name that two packages give) is
   a Fault with a sentence; the others go on.
3. What is entered for a plug-in lies sealed in a file of its own beside the books, under a key made of the node's
   secret: no backup, export or journal has it. With another secret it must be entered again.
"""

import base64
import functools
import importlib.metadata
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from config import private
from config.errors import Conflict, Invalid
from config.words import N_

if TYPE_CHECKING:  # nothing is unsealed in most stores, and cryptography takes four megabytes
    from cryptography.fernet import Fernet

API = 1
NAME = re.compile(r"[a-z][a-z0-9-]{1,38}")
FOLDER = "plugins"
Made = TypeVar("Made")


@dataclass(frozen=True)
class Plugin(Generic[Made]):
    """What an entry point names.

    label: what a person calls it. settings: the fields that have to be filled in, with titles and descriptions;
    secrets are SecretStr. make: builds it from them and a folder of its own. at: the kinds of node it is for.
    """

    name: str
    label: str
    settings: type[BaseModel]
    make: Callable[[Any, Path], Made]
    api: int = API
    at: tuple[str, ...] = ("store", "network")


@dataclass(frozen=True)
class Fault:
    """Why a plug-in cannot be used. words: a sentence of the catalogue."""

    name: str
    words: str


TWICE = N_("Two packages provide this plug-in. Uninstall one of them.")
BROKEN = N_("This plug-in can’t be loaded. Update or uninstall its package.")
OTHER_API = N_("This plug-in is made for another version of Cornerstore. Update its package.")


@functools.cache
def offered(group: str) -> tuple[str, ...]:
    """Return the names of a door's plug-ins, in order, without importing them."""
    return tuple(sorted({entry.name for entry in importlib.metadata.entry_points(group=group)}))


@functools.cache
def load(group: str, name: str) -> Plugin[Any] | Fault | None:
    """Import a plug-in (rule 2); None where no package has it."""
    entries = importlib.metadata.entry_points(group=group, name=name)
    if not entries:
        return None
    if len({entry.value for entry in entries}) > 1:
        return Fault(name, TWICE)
    try:
        found = next(iter(entries)).load()
    except (Exception, SystemExit):  # whatever somebody else's package does, the till sells on
        return Fault(name, BROKEN)
    if not isinstance(found, Plugin) or found.name != name or not NAME.fullmatch(name):
        return Fault(name, BROKEN)
    return found if found.api == API else Fault(name, OTHER_API)


def stamp_of(group: str, folder: Path) -> tuple[tuple[str, int], ...]:
    """Return what changes when anything in a door's drawer does."""
    return tuple((path.stem, path.stat().st_mtime_ns) for path in sorted(_folder(group, folder).glob("*.sealed")))


class Drawer:
    """Where a node keeps what was entered for plug-ins of a door (rule 3)."""

    def __init__(self, group: str, folder: Path, secret: str) -> None:
        self.folder, self._secret = _folder(group, folder), secret

    @functools.cached_property
    def _seal(self) -> "Fernet":
        from cryptography.fernet import Fernet
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        key = HKDF(SHA256(), 32, salt=None, info=b"cornerstore plugins").derive(self._secret.encode())
        return Fernet(base64.urlsafe_b64encode(key))

    def names(self) -> tuple[str, ...]:
        """Return the plug-ins that something was entered for."""
        return tuple(sorted(path.stem for path in self.folder.glob("*.sealed")))

    def read(self, name: str) -> dict[str, Any]:
        """Return what was entered; Conflict where another secret sealed it."""
        from cryptography.fernet import InvalidToken

        try:
            text = self._seal.decrypt(self._file(name).read_bytes())
        except InvalidToken as fault:
            raise Conflict(
                "plugin-sealed", "These settings belong to another installation. Enter them again.", plugin=name
            ) from fault
        found: dict[str, Any] = json.loads(text)
        return found

    def write(self, name: str, values: Mapping[str, Any]) -> None:
        """Seal what was entered, in place of what there was."""
        private.folder(self.folder)
        private.write(self._file(name), self._seal.encrypt(json.dumps(dict(values)).encode()).decode("ascii"))

    def remove(self, name: str) -> None:
        """Forget what was entered."""
        self._file(name).unlink(missing_ok=True)

    def own_folder(self, name: str) -> Path:
        """Return the folder a plug-in keeps its own files in."""
        return private.folder(self.folder / name)

    def _file(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise Invalid("bad-plugin", "This is not the name of a plug-in.", plugin=name[:40])
        return self.folder / f"{name}.sealed"


def _folder(group: str, folder: Path) -> Path:
    return folder / FOLDER / group.rpartition(".")[2]
