"""Plug-ins: the doors that other packages come in by, and the secrets kept for them.

Rules
-----
1. A door is a group of entry points, such as `cornerstore.payments`; each names a Plugin of this API. Only what is
   asked for is imported.
2. A plug-in that cannot be had (does not import, is none, is of another version, has a name that two packages give) is
   a Fault with a sentence; the others go on, and it is tried again the next time it is asked for.
3. What is entered for a plug-in lies sealed in a file of its own beside the books, under a key made of the node's
   secret: no backup, export or journal has it. With another secret it must be entered again.
4. A plug-in's code is called by `Guard` alone. Its own refusals (DomainError) pass; whatever else it raises, SystemExit
   too, and silence beyond the limit, is a Stumble. A call that hangs is left behind and takes its turn along.
5. A plug-in has the rights of the program: what it does besides is its maker's word alone.
"""

import base64
import contextlib
import functools
import importlib.metadata
import json
import queue
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import structlog
from pydantic import BaseModel

from config import private
from config.errors import Conflict, DomainError, Invalid
from config.words import N_

if TYPE_CHECKING:  # nothing is unsealed in most stores, and cryptography takes four megabytes
    from cryptography.fernet import Fernet

API = 1
NAME = re.compile(r"[a-z][a-z0-9-]{1,38}")
FOLDER = "plugins"
IMPORT_S, MAKE_S = 20.0, 10.0
AT_ONCE = 16
Made = TypeVar("Made")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Door(Generic[Made]):
    """A way in for plug-ins, declared beside the protocol of what they make.

    name: of the group, after `cornerstore.`. title: its heading. fits: takes a plug-in's name and what it made, raises
    TypeError where that is not what the door takes, and returns it behind a Guard (rule 4). at: where plug-ins are of
    use.
    """

    name: str
    title: str
    fits: Callable[[str, Any], Made]
    at: tuple[str, ...] = ("store", "network")

    @property
    def group(self) -> str:
        """The group of its entry points."""
        return f"cornerstore.{self.name}"


@dataclass(frozen=True)
class Plugin(Generic[Made]):
    """What an entry point names.

    label: what a person calls it. settings: the fields that have to be filled in, with titles and descriptions;
    secrets are SecretStr. make: builds it from them and a folder of its own. api: the version it was written for, as a
    number. at: the kinds of node it is for.
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


@dataclass(frozen=True)
class TakingPart:
    """The plug-ins of a door that take part, for a child: what was entered for each; folder: of the door."""

    entered: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    folder: Path = Path()


TWICE = N_("Two packages provide this plug-in. Uninstall one of them.")
BROKEN = N_("This plug-in can’t be loaded. Update or uninstall its package.")
OTHER_API = N_("This plug-in is made for another version of Cornerstore. Update its package.")


class Stumble(Exception):
    """A plug-in's code raised, hung or answered nonsense. began: it was called at all. lacks: a package it needs."""

    def __init__(self, name: str, kind: str, *, began: bool = True, lacks: str = "") -> None:
        super().__init__(name, kind)
        self.began, self.lacks = began, lacks
        _log.warning("plugin.stumbled", plugin=name, kind=kind)


class Guard:
    """The one way in which a plug-in's code is called (rule 4). most: how many calls may run at once."""

    def __init__(self, name: str, most: int = AT_ONCE) -> None:
        self.name, self._turns = name, threading.BoundedSemaphore(most)

    def ask(self, limit_s: float, call: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Return what a call answers within its time; Stumble where it does not. A free turn is waited for as long."""
        if not self._turns.acquire(timeout=limit_s):
            raise Stumble(self.name, "still busy", began=False)
        answer = queue.SimpleQueue[tuple[Any, BaseException | None]]()

        def run() -> None:
            try:
                answer.put((call(*given, **named), None))
            except BaseException as fault:
                answer.put((None, fault))
            finally:
                self._turns.release()

        threading.Thread(target=run, name=f"plugin {self.name}", daemon=True).start()
        try:
            said, fault = answer.get(timeout=limit_s)
        except queue.Empty:
            raise Stumble(self.name, "no answer") from None
        if isinstance(fault, DomainError):
            raise fault
        if fault is not None:  # its own words may hold a secret
            lacks = fault.name or "" if isinstance(fault, ModuleNotFoundError) else ""
            raise Stumble(self.name, type(fault).__name__, lacks=lacks) from None
        return said

    def wrap(
        self, call: Callable[..., Any], kind: type, limit_s: float, refusal: Callable[[], DomainError]
    ) -> Callable[..., Any]:
        """Return a call that answers this kind or is refused: by the plug-in's own words, else by these."""

        @functools.wraps(call)
        def asked(*given: Any, **named: Any) -> Any:
            try:
                said = self.ask(limit_s, call, *given, **named)
            except Stumble:
                raise refusal() from None
            if not isinstance(said, kind):
                raise refusal()
            return said

        return asked


@functools.cache
def offered(group: str) -> tuple[str, ...]:
    """Return the names of a door's plug-ins, in order, without importing them."""
    return tuple(sorted({entry.name for entry in importlib.metadata.entry_points(group=group)}))


def load(group: str, name: str) -> Plugin[Any] | Fault | None:
    """Import a plug-in (rule 2); None where no package has it."""
    if (group, name) in _loaded:
        return _loaded[group, name]
    entries = importlib.metadata.entry_points(group=group, name=name)
    if not entries:
        return None
    if len({entry.value for entry in entries}) > 1:
        return Fault(name, TWICE)
    guard = _importing.setdefault((group, name), Guard(name, 1))
    try:
        found = guard.ask(IMPORT_S, next(iter(entries)).load)
    except (Stumble, DomainError):
        return Fault(name, BROKEN)
    if not isinstance(found, Plugin) or found.name != name or not _is_sound(found):
        return Fault(name, BROKEN)
    if found.api != API:
        return Fault(name, OTHER_API)
    _loaded[group, name] = found
    return found


def label(door: Door[Any], name: str) -> str:
    """Return what a person calls a plug-in; its name where it cannot be loaded."""
    found = load(door.group, name)
    return found.label if isinstance(found, Plugin) else name


def make(door: Door[Made], plugin: Plugin[Any], entered: BaseModel, folder: Path) -> Made:
    """Make what a plug-in is for; Stumble or its own refusal where that fails."""
    said: Made = Guard(plugin.name).ask(MAKE_S, lambda: door.fits(plugin.name, plugin.make(entered, folder)))
    return said


def forget() -> None:
    """Forget what was loaded: packages were installed or taken away."""
    offered.cache_clear()
    _loaded.clear()
    _importing.clear()


def stamps(door: Door[Any], folder: Path) -> dict[str, tuple[int, int]]:
    """Return what something was entered for, each with what changes when it is entered again."""
    found = {}
    for path in sorted(_folder(door.name, folder).glob("*.sealed")):
        with contextlib.suppress(FileNotFoundError):
            found[path.stem] = (path.stat().st_mtime_ns, path.stat().st_ino)
    return found


class Drawer:
    """Where a node keeps what was entered for plug-ins of a door, by its name (rule 3)."""

    def __init__(self, door: str, folder: Path, secret: str) -> None:
        self.folder, self._secret = _folder(door, folder), secret

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


# --- inside ---

_loaded: dict[tuple[str, str], Plugin[Any]] = {}
_importing: dict[tuple[str, str], Guard] = {}
"""One for each plug-in, so that an import that hangs is waited for once."""


def _is_sound(found: Plugin[Any]) -> bool:
    is_model = isinstance(found.settings, type) and issubclass(found.settings, BaseModel)
    return bool(NAME.fullmatch(found.name)) and isinstance(found.label, str) and is_model and callable(found.make)


def _folder(door: str, folder: Path) -> Path:
    return folder / FOLDER / door
