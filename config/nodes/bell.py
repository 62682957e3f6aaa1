"""The bell of a node: whoever leaves work behind rings, whoever works it off hears, in this process or another.

Rules
-----
1. A ring touches the bell's file and sends a byte to whoever listens: a datagram on the machine's own loopback, which
   every system has. The file says on which port.
2. A ring may be lost (nobody listens yet, another network space): the file's time tells it a moment later, and the work
   itself is found without any ring.
3. Several rings are heard as one.
"""

import contextlib
import os
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from config.database import after_commit

LOOK_S = 0.1
"""How long a ring whose datagram is lost goes unheard."""
_HERE = "127.0.0.1"


def leave_work(session: Session) -> None:
    """Ring once this transaction is committed, where it is a request's (`doors.write`): it leaves work behind."""
    if ring := session.info.pop("ring", None):
        after_commit(session, ring)


class Bell:
    """A bell at a file; ringing it costs some hundredth of a millisecond and never fails."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def ring(self) -> None:
        """Wake who listens (rule 1)."""
        with contextlib.suppress(OSError):
            self.file.touch()
            port = _port_in(self.file)
            if port:
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
                    wire.setblocking(False)
                    wire.sendto(b"!", (_HERE, port))

    def rung_at(self) -> int:
        """Return when it was rung last, in nanoseconds; 0 for never."""
        try:
            return self.file.stat().st_mtime_ns
        except OSError:
            return 0

    @contextlib.contextmanager
    def listening(self) -> Iterator["Ear"]:
        """Listen; one at a time, the newest is told."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.bind((_HERE, 0))
            wire.setblocking(False)
            port = str(wire.getsockname()[1])
            _write(self.file, port)
            try:
                yield Ear(self, wire)
            finally:
                if _port_in(self.file) == int(port):
                    _write(self.file, "")


class Ear:
    """Who listens to a bell."""

    def __init__(self, bell: Bell, wire: socket.socket) -> None:
        self._bell, self._wire = bell, wire
        self._heard = bell.rung_at()

    def wait(self, limit_s: float) -> bool:
        """Wait for a ring; False where none came within the time."""
        until = time.monotonic() + limit_s
        while True:
            left = until - time.monotonic()
            reported = bool(select.select([self._wire], [], [], max(0.0, min(LOOK_S, left)))[0])
            while reported and self._taken():  # rule 3
                pass
            rung = self._bell.rung_at()
            if reported or rung != self._heard:
                self._heard = rung
                return True
            if left <= 0:
                return False

    def _taken(self) -> bool:
        try:
            self._wire.recv(1)
        except BlockingIOError:
            return False
        except OSError:  # Windows: the datagram was longer than asked for
            return True
        return True


# --- inside ---


def _port_in(file: Path) -> int:
    with contextlib.suppress(OSError, ValueError):
        return int(file.read_bytes())
    return 0


def _write(file: Path, text: str) -> None:
    with contextlib.suppress(OSError):
        before = file.with_name(f"{file.name}.{os.getpid()}")
        before.write_text(text, encoding="ascii")
        before.replace(file)
