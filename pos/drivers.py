"""The wires to the printer: a document becomes the very bytes, and the bytes reach a printer or do not.

Rules
-----
1. Every job begins with ESC @ and leaves nothing set behind it; it is one buffer, written once.
2. A line the printer's own letters cannot print goes as a picture of the line; it is never printed with `?`.
3. Of a control byte in the text nothing reaches the printer but our own LF.
4. Before the first byte of paper a fault is `Unreachable`: nothing was printed, try again. After it, a fault is
   `Unconfirmed`: some of it may be on paper, and a person must look.
5. A network printer is asked whether it is ready (DLE EOT), and says when it has worked off the paper (GS r 1).
   The others cannot say; a write that ended is the best they give.
"""

import contextlib
import errno
import logging
import os
import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from config.errors import Invalid, Unreachable
from pos.paper import DOTS_PER_COLUMN, PaperLine, composed, drawn_width, gb_bytes, tidy

LINE_DOTS = 30
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
    """A printer on a TCP port (9100); our own socket, because rule 4 needs to know what has been sent."""

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


def encode(lines: Iterable[PaperLine], model: PrinterModel, *, opens_drawer: bool = False) -> bytes:
    """Return the bytes that print the lines on this model (rules 1 to 3)."""
    paper = load_escpos().Dummy(profile=model.profile)
    write = paper._raw  # noqa: SLF001 - python-escpos has no public name for adding bytes of one's own
    write(b"\x1b@")
    write(b"\x1c&" if model.chinese else b"\x1bt\x13")
    if opens_drawer:
        paper.cashdraw(2)
    style: tuple[str, bool, int, int] = ("left", False, 1, 1)
    for line in lines:
        if line.kind == "cut":
            _cut(paper, write)
            continue
        # a text's blanks are its alignment: measured here, the same on every printer
        wanted = ("left", line.bold, line.wide, line.tall) if line.kind == "text" else (line.align, False, 1, 1)
        if wanted != style:
            _set(paper, wanted, style)
            style = wanted
        if line.kind == "qr":
            write(b"\n")
            paper.qr(line.text, native=True, size=5 if model.columns < 42 else 6, ec=1)
            write(b"\n")
        elif line.kind == "barcode":
            kind = 68 if len(line.text) == 8 else 67
            write(b"\x1dh\x50\x1dw\x02\x1dH\x02\x1df\x00\x1dk" + bytes([kind, len(line.text)]) + line.text.encode())
            write(b"\n")
        else:
            write(_line_bytes(line, model))
    return bytes(paper.output)


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


def _set(paper: Any, wanted: tuple[str, bool, int, int], before: tuple[str, bool, int, int]) -> None:
    align, bold, wide, tall = wanted
    if align != before[0]:
        paper.set(align=align)
    if bold != before[1]:
        paper.set(bold=bold)
    if (wide, tall) != before[2:]:
        # GS !, which Chinese letters obey too; ESC ! enlarges Latin ones only
        paper.set(custom_size=True, width=wide, height=tall)


def _cut(paper: Any, write: Any) -> None:
    if paper.profile.supports("paperPartCut") or paper.profile.supports("paperFullCut"):
        paper.cut(mode="PART", feed=False)
    else:
        write(b"\x1bd\x06")


def _line_bytes(line: PaperLine, model: PrinterModel) -> bytes:
    tidied = replace(line, text=tidy(line.text), right=tidy(line.right))
    coder = _gb if model.chinese else _western
    left, right = coder(tidied.text), coder(tidied.right)
    if left is None or right is None:
        return _picture(tidied, model)
    across = model.columns // line.wide
    if line.kind == "rule":
        return b"-" * model.columns + b"\n"
    spare = across - len(left) - len(right)
    if spare < (1 if left and right else 0):
        return _picture(tidied, model)
    if line.right:
        return left + b" " * spare + right + b"\n"
    before = {"left": 0, "center": spare // 2, "right": spare}[line.align]
    return b" " * before + left + b"\n"


def _gb(text: str) -> bytes | None:
    coded = [gb_bytes(char) for char in text]
    return None if None in coded else b"".join(c for c in coded if c is not None)


def _western(text: str) -> bytes | None:
    try:
        return text.replace("￥", "¥").replace("￡", "£").encode("cp858")
    except UnicodeEncodeError:
        return None


def _picture(line: PaperLine, model: PrinterModel) -> bytes:
    """Return the line as a raster picture as wide as the paper, on the same grid as its neighbours."""
    # only paper with letters the printer lacks needs the drawing library
    from PIL import Image, ImageChops

    from pos import glyphs

    dots = model.columns * DOTS_PER_COLUMN
    high = max(LINE_DOTS, glyphs.CELL[1] * line.tall)
    text = composed(line, model.columns, drawn_width)
    letters = glyphs.strip(text, bold=line.bold, wide=line.wide, tall=line.tall)
    if letters.width > dots:
        letters = letters.resize((dots, letters.height), Image.Resampling.BILINEAR)
    canvas = Image.new("L", (dots, high), 255)
    canvas.paste(letters, (0, 0))
    bits = ImageChops.invert(canvas).point([0] * 100 + [255] * 156).convert("1").tobytes()
    # DLE EOT, DLE ENQ and DLE DC4 are obeyed even inside a picture; one dot more keeps the printer from hearing them
    bits = re.sub(rb"\x10(?=[\x04\x05\x14])", b"\x30", bits)
    across = (dots + 7) // 8
    return b"\x1dv0\x00" + across.to_bytes(2, "little") + high.to_bytes(2, "little") + bits
