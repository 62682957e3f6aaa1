"""The wires to the printer: the bytes `encoding` made reach a printer or do not.

Rules
-----
1. Before the first byte of paper a fault is `Unreachable`: nothing was printed, try again. After it, a fault is
   `Unconfirmed`: some of it may be on paper, and a person must look.
2. A network printer is asked whether it is ready (DLE EOT), and says when it has worked off the paper (GS r 1).
   The others cannot say; a write that ended is the best they give.
"""

import contextlib
import errno
import logging
import os
import socket
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from config.errors import Invalid, Unreachable

_STATUS_CAUSE, _STATUS_PAPER = b"\x10\x04\x02", b"\x10\x04\x04"
_ASK_DONE = b"\x1dr\x01"


class Unconfirmed(Unreachable):
    """The printer took bytes and never said that it printed them."""


@dataclass(frozen=True)
class PrinterModel:
    """What the encoder must know: columns (32, 42, 48), whether it prints GB18030, its python-escpos profile."""

    columns: int = 48
    chinese: bool = True
    profile: str = "default"


class Driver(Protocol):
    """A way to a printer."""

    @property
    def model(self) -> PrinterModel:
        """Return what is known of the printer."""

    def send(self, paper: bytes) -> None:
        """Put the bytes on paper; raises Unreachable (nothing was printed) or Unconfirmed (some may be)."""


@dataclass(frozen=True)
class PracticePaper:
    """A printer of air: the bytes stay in the print job, and the preview shows them."""

    model: PrinterModel = PrinterModel()

    def send(self, paper: bytes) -> None:
        """Take the paper; this printer never fails."""


@dataclass(frozen=True)
class NetworkPrinter:
    """A printer on a TCP port (9100); our own socket, because rule 1 needs to know what has been sent."""

    host: str
    port: int = 9100
    model: PrinterModel = PrinterModel()
    answer_s: float = 4.0
    print_s: float = 20.0

    def send(self, paper: bytes) -> None:
        """Ask whether it is ready, send, and wait until it says it has printed."""
        try:
            wire = socket.create_connection((self.host, self.port), self.answer_s)
        except OSError as fault:
            raise _no_way_in(fault, f"{self.host}:{self.port}") from fault
        with contextlib.closing(wire):
            self._require_ready(wire)
            try:
                wire.settimeout(self.print_s)
                wire.sendall(paper + _ASK_DONE)
            except OSError as fault:
                raise Unconfirmed("connection-lost", _LOST) from fault
            if self._answer(wire, 0x90, 0x00, self.print_s) is None:
                raise self._unconfirmed(wire)

    def _require_ready(self, wire: socket.socket) -> None:
        for question, faults in ((_STATUS_CAUSE, _CAUSES), (_STATUS_PAPER, {0x60: "paper-out"})):
            try:
                wire.sendall(question)
            except OSError as fault:
                raise Unreachable("printer-silent", _SENTENCES["printer-silent"]) from fault
            answer = self._answer(wire, 0x93, 0x12, self.answer_s)
            if answer is None:
                raise Unreachable("printer-silent", _SENTENCES["printer-silent"])
            for mask, code in faults.items():
                if answer & mask:
                    raise Unreachable(code, _SENTENCES[code])

    def _answer(self, wire: socket.socket, mask: int, pattern: int, limit_s: float) -> int | None:
        """Return the first answer byte of the wanted form; others (unasked status) are passed over."""
        until = time.monotonic() + limit_s
        while (left := until - time.monotonic()) > 0:
            wire.settimeout(left)
            try:
                got = wire.recv(1)
            except OSError:
                return None
            if not got:
                return None
            if got[0] & mask == pattern:
                return got[0]
        return None

    def _unconfirmed(self, wire: socket.socket) -> Unconfirmed:
        with contextlib.suppress(OSError):
            wire.settimeout(self.answer_s)
            wire.sendall(_STATUS_PAPER)
            answer = self._answer(wire, 0x93, 0x12, self.answer_s)
            if answer is not None and answer & 0x60:
                return Unconfirmed("paper-out-midway", _SENTENCES["paper-out-midway"])
        return Unconfirmed("connection-lost", _LOST)


@dataclass(frozen=True)
class FilePrinter:
    """A printer behind a device file (`/dev/usb/lp0`), or a file that keeps every job."""

    path: str
    model: PrinterModel = PrinterModel()

    def send(self, paper: bytes) -> None:
        """Append the bytes; the file is opened anew for each job, so a printer plugged in later is found."""
        try:
            device = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as fault:
            sentence = f"The printer at {self.path} cannot be opened: {fault.strerror}."
            raise Unreachable("printer-off", sentence) from fault
        try:
            _write_all(device, paper)
        finally:
            os.close(device)


@dataclass(frozen=True)
class DevicePrinter:
    """A USB or serial printer by python-escpos' own classes (they need pyusb or pyserial)."""

    kind: str
    where: tuple[Any, ...]
    model: PrinterModel = PrinterModel()

    def send(self, paper: bytes) -> None:
        """Open, write once, close."""
        printer_class = getattr(load_escpos(), self.kind)
        if not printer_class.is_usable():
            library = {"Usb": "pyusb", "Serial": "pyserial"}[self.kind]
            sentence = f"A {self.kind.lower()} printer needs the library {library} on this machine: install it."
            raise Unreachable("printer-library", sentence)
        try:
            device = printer_class(*self.where, timeout=10)
            device.open()
        # python-escpos lets its libraries' own errors through; whichever it is, nothing was sent
        except Exception as fault:
            sentence = f"The {self.kind.lower()} printer {self.where} does not open: {fault}. Check cable and power."
            raise Unreachable("printer-off", sentence) from fault
        try:
            device._raw(paper)  # noqa: SLF001 - python-escpos has no public name for it
        except Exception as fault:
            raise Unconfirmed("connection-lost", _LOST) from fault
        finally:
            with contextlib.suppress(Exception):
                device.close()


def driver_for(setting: str, model: PrinterModel) -> Driver | None:
    """Return the driver a setting names, None for '' (no printer); raises Invalid when it cannot be meant.

    setting: 'paper', 'net:host:port', 'usb:04b8:0e15', 'serial:/dev/ttyS0[:baud]', 'file:/path'.
    """
    kind, _, rest = setting.strip().partition(":")
    with contextlib.suppress(ValueError):
        match kind:
            case "":
                return None
            case "paper":
                return PracticePaper(model)
            case "net" if rest:
                host, _, port = rest.rpartition(":") if ":" in rest else (rest, "", "9100")
                return NetworkPrinter(host.strip("[]"), int(port), model)
            case "usb" if ":" in rest:
                vendor, _, product = rest.partition(":")
                return DevicePrinter("Usb", (int(vendor, 16), int(product, 16)), model)
            case "serial" if rest:
                path, _, baud = rest.partition(":")
                return DevicePrinter("Serial", (path, int(baud or 9600)), model)
            case "file" if rest:
                return FilePrinter(rest, model)
    raise Invalid(
        "printer-setting",
        f"The printer setting {setting!r} is not known. Write paper, net:host:port, usb:vendor:product, "
        "serial:/dev/…, file:/path, or leave it empty for no printer.",
        setting=setting,
    )


@lru_cache(maxsize=1)
def load_escpos() -> Any:
    """Import python-escpos, which takes its time, only where paper is made; returns its `printer` module."""
    if "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
        # it reads a pickle back from there, so the folder must be this user's alone
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "cornerstore" / "escpos"
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            os.environ["ESCPOS_CAPABILITIES_PICKLE_DIR"] = str(folder)
    before, level = list(logging.root.handlers), logging.root.level
    from escpos import printer

    # it sets the root logger up as it is imported; ours stays as it was
    logging.root.handlers[:] = before
    logging.root.setLevel(level)
    return printer


# --- inside ---

_LOST = (
    "The connection to the printer broke while it was printing. Look at the paper, then say whether the receipt "
    "is there or print it again."
)
_CAUSES = {0x04: "cover-open", 0x20: "paper-out", 0x40: "printer-error"}
_SENTENCES = {
    "printer-silent": "The printer does not answer. Switch it off and on.",
    "paper-out": "The printer is out of paper. Put in a new roll; printing goes on by itself.",
    "cover-open": "The printer's cover is open. Close it; printing goes on by itself.",
    "printer-error": "The printer reports a fault, perhaps a jammed cutter. Switch it off, free it, switch it on.",
    "paper-out-midway": "The paper ran out while printing. Put in a new roll and look whether the receipt is complete.",
}


def _no_way_in(fault: OSError, address: str) -> Unreachable:
    if isinstance(fault, ConnectionRefusedError) or fault.errno == errno.ECONNREFUSED:
        return Unreachable("printer-refused", f"The printer at {address} refuses: is another program using it?")
    return Unreachable("printer-off", f"The printer at {address} cannot be reached. Check its power and cable.")


def _write_all(device: int, paper: bytes) -> None:
    left, sent = memoryview(paper), 0
    while left:
        try:
            taken = os.write(device, left)
        except OSError as fault:
            if sent:
                raise Unconfirmed("connection-lost", _LOST) from fault
            raise Unreachable("printer-off", f"The printer took nothing: {fault.strerror}.") from fault
        sent += taken
        left = left[taken:]
