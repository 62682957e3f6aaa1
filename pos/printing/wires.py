"""The wires to a printer: bytes reach paper, or do not, and we say which.

Rules
-----
1. One connection per job, one buffered write.
2. Before the first byte of paper a fault is `Unreachable`: nothing was printed, try again. After it, a fault is
   `Unconfirmed`: some of it may be on paper, and a person must look.
3. Where the wire carries answers the printer is asked before (DLE EOT: paper, cover, cutter, off line) and says
   when it has worked off the paper (GS r 1). Silence means that nothing is known: a printer that has never answered
   is printed on all the same; one that is known to answer (`reports`) and falls silent is at fault. One that has
   printed in silence before (not `patient`) is not waited for long; an answer that comes late is heard all the same.
4. A spooler (CUPS, Windows) or a plain file takes the bytes and cannot say more; that is the best it gives.
5. A plug-in (PRINTERS) is believed that nothing was printed where it says so (`Unreachable`). Whatever else it raises,
   answers or keeps silent about is `Unconfirmed`.
"""

import contextlib
import errno
import os
import stat
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any, Protocol

from config.errors import DomainError, Invalid, Unreachable, cause
from config.plugins import NAME, Door, Guard, Stumble
from config.words import N_
from pos.printing.models import PrinterModel, load_escpos

_ONLINE, _CAUSE, _ERROR, _PAPER = (b"\x10\x04" + bytes([n]) for n in (1, 2, 3, 4))
_ASK_DONE = b"\x1dr\x01"
_STATUS, _DONE = (0x93, 0x12), (0x90, 0x00)
"""Mask and pattern of the byte that answers a question, and of the one that says the paper is printed."""
PLUGIN_S = (1.0, 60.0)
"""How long a plug-in may take for a job, at least and at most."""
FIRST_ANSWER_S, SILENT_ANSWER_S = 1.0, 0.1
HANG_UP_S = 0.2
USUAL = PrinterModel()
SPOOLER_S = 20.0
SENTENCES = {
    "agent-prints": N_("A print agent runs this printer. Check that it is running."),
    "printer-silent": N_("The printer is not responding. Turn it off and on."),
    "printer-offline": N_("The printer is offline. Press its feed or online button."),
    "paper-out": N_("The printer is out of paper. Insert a new roll; printing resumes automatically."),
    "cover-open": N_("The printer's cover is open. Close it; printing resumes automatically."),
    "cutter-jam": N_("The printer's cutter is jammed. Turn the printer off, clear the cutter, then turn it back on."),
    "printer-error": N_("The printer reports an error. Turn it off, check for jammed paper, then turn it back on."),
    "printer-plugin": N_("Its plug-in does not work. See Plug-ins."),
    "paper-out-midway": N_(
        "The paper ran out while printing. Insert a new roll and check that the receipt is complete."
    ),
}
"""By code: what a printer that answers says of itself, and that an agent's is the agent's."""


class Unconfirmed(Unreachable):
    """The printer took bytes and never said that it printed them."""


@dataclass(frozen=True)
class Said:
    """What a printer said of itself. answered: it answers at all; near_end: its paper is nearly used up."""

    answered: bool = False
    near_end: bool = False


class Driver(Protocol):
    """A way to a printer."""

    @property
    def model(self) -> PrinterModel:
        """Return what is known of the printer."""

    def send(self, paper: bytes) -> Said:
        """Put the bytes on paper; raises Unreachable (nothing was printed) or Unconfirmed (some may be)."""

    def longest_s(self, paper: bytes) -> float:
        """Return how long sending may take at most before somebody must look."""


class PrinterPlugin(Protocol):
    """What a plug-in for printers makes: a way to one printer. The paper is in the printer's own language."""

    def longest_s(self, paper: bytes) -> float:
        """Return how long sending may take at most, up to a minute."""
        ...

    def send(self, paper: bytes) -> Said:
        """Put the bytes on paper; raises Unreachable (nothing was printed) or Unconfirmed (some may be)."""
        ...


class Line(Protocol):
    """An open connection. Its faults, a hang-up among them, are OSError."""

    def write(self, content: bytes, limit_s: float) -> None:
        """Hand over every byte."""

    def read(self, limit_s: float) -> bytes:
        """Return what came within the time, b'' for nothing."""

    def close(self) -> None:
        """Hang up."""


@dataclass(frozen=True)
class PracticePaper:
    """A printer of air: the bytes stay in the print job, and the preview shows them."""

    model: PrinterModel = USUAL

    def send(self, paper: bytes) -> Said:
        """Take the paper; this printer never fails."""
        return Said()

    def longest_s(self, paper: bytes) -> float:
        """Return no time at all."""
        return 0.0


@dataclass(frozen=True)
class AgentPrinter:
    """A printer elsewhere: its print agent fetches the jobs (`pos.printing.agents`), nobody here sends to it."""

    model: PrinterModel = USUAL
    reports: bool | None = None

    def send(self, paper: bytes) -> Said:
        """Refuse: not a byte leaves from here."""
        raise _unreachable("agent-prints")

    def longest_s(self, paper: bytes) -> float:
        """Return the patience for the slowest cable an agent may have."""
        return 20.0 + len(paper) / 800


@dataclass(frozen=True, kw_only=True)
class _Asked(ABC):
    """A printer that can be asked: what every two-way wire shares. reports, patient: see rule 3."""

    model: PrinterModel = USUAL
    reports: bool | None = None
    patient: bool = True
    answer_s: float = 2.0
    print_s: float = 20.0
    bytes_per_s: float = 4000.0

    @abstractmethod
    def _open(self) -> Line: ...

    def send(self, paper: bytes) -> Said:
        """Ask whether it is ready, send, and wait until it says it has printed."""
        with contextlib.closing(self._open()) as line:
            said = self._require_ready(line)
            limit_s = self.longest_s(paper)
            try:
                line.write(paper + (_ASK_DONE if said.answered else b""), limit_s)
                if not said.answered:  # it is listened to for a moment all the same: a connection that breaks is heard
                    return Said(answered=_answer(line, *_STATUS, HANG_UP_S) is not None)
                if _answer(line, *_DONE, limit_s) is None:
                    raise self._unconfirmed(line, said)
            except OSError as fault:
                raise self._unconfirmed(line, said) from fault
            return said

    def longest_s(self, paper: bytes) -> float:
        """Return a patience that grows with the paper: a picture on a serial line takes its time."""
        return self.print_s + len(paper) / self.bytes_per_s

    def ask(self) -> Said:
        """Ask how the printer is, printing nothing; raises Unreachable with the reason it is not ready."""
        with contextlib.closing(self._open()) as line:
            return self._require_ready(line)

    def _require_ready(self, line: Line) -> Said:
        if self.reports is False:
            return Said()
        online = self._asked(line, _ONLINE)
        if online is None:
            if self.reports:
                raise _unreachable("printer-silent")
            return Said()
        paper = self._asked(line, _PAPER) or 0
        if paper & 0x60:
            raise _unreachable("paper-out")
        if online & 0x08:
            code = self._cause(line)
            raise _unreachable(code)
        return Said(answered=True, near_end=bool(paper & 0x0C))

    def _cause(self, line: Line) -> str:
        cause, error = self._asked(line, _CAUSE) or 0, self._asked(line, _ERROR) or 0
        if cause & 0x04:
            return "cover-open"
        if cause & 0x20:
            return "paper-out"
        if error & 0x08:
            return "cutter-jam"
        return "printer-error" if cause & 0x40 or error & 0x60 else "printer-offline"

    def _asked(self, line: Line, question: bytes) -> int | None:
        unknown_s = FIRST_ANSWER_S if self.patient else SILENT_ANSWER_S
        limit_s = self.answer_s if self.reports else min(self.answer_s, unknown_s)
        try:
            line.write(question, limit_s)
            return _answer(line, *_STATUS, limit_s)
        except OSError as fault:
            raise _unreachable("printer-silent") from fault

    def _unconfirmed(self, line: Line, said: Said) -> Unconfirmed:
        if said.answered:
            with contextlib.suppress(OSError):
                line.write(_PAPER, self.answer_s)
                answer = _answer(line, *_STATUS, self.answer_s)
                if answer is not None and answer & 0x60:
                    return Unconfirmed("paper-out-midway", SENTENCES["paper-out-midway"])
        return Unconfirmed("connection-lost", _LOST)


@dataclass(frozen=True)
class NetworkPrinter(_Asked):
    """A printer on a TCP port (9100)."""

    host: str
    port: int = 9100
    _: KW_ONLY
    reports: bool | None = True
    answer_s: float = 4.0

    def _open(self) -> Line:
        from pos.printing import lines

        try:
            return lines.SocketLine(self.host, self.port, self.answer_s)
        except OSError as fault:
            address = f"{self.host}:{self.port}"
            if isinstance(fault, ConnectionRefusedError) or fault.errno == errno.ECONNREFUSED:
                raise Unreachable(
                    "printer-refused", "The printer at %(address)s refuses the connection. Is another program "
                                       "using it?",
                    address=address,
                ) from fault  # fmt: skip
            raise Unreachable(
                "printer-off", "The printer at %(address)s cannot be reached. Check its power and cable.",
                address=address,
            ) from fault  # fmt: skip


@dataclass(frozen=True)
class SerialPrinter(_Asked):
    """A printer on a serial line, opened by python-escpos."""

    path: str
    baud: int = 9600

    def longest_s(self, paper: bytes) -> float:
        """Return the patience for this speed: ten bits to a byte, and some rest."""
        return self.print_s + len(paper) * 12 / self.baud

    def _open(self) -> Line:
        from pos.printing import lines

        printer_class = _usable("Serial", "pyserial")
        line: Line = _opened(
            lambda: lines.SerialLine(printer_class, self.path, self.baud), f"serial printer {self.path}"
        )
        return line


@dataclass(frozen=True)
class UsbPrinter(_Asked):
    """A printer on a USB cable, opened by python-escpos. serial: its own number, where two are of one make."""

    vendor: int
    product: int
    serial: str = ""

    def _open(self) -> Line:
        from pos.printing import lines

        printer_class, name = _usable("Usb", "pyusb"), f"USB printer {self.vendor:04x}:{self.product:04x}"
        line: Line = _opened(lambda: lines.UsbLine(printer_class, self.vendor, self.product, self.serial), name)
        return line


@dataclass(frozen=True)
class FilePrinter(_Asked):
    """A printer behind a device file (`/dev/usb/lp0`), which is asked; or a plain file that keeps every job."""

    path: str

    def _open(self) -> Line:
        from pos.printing import lines

        try:
            if stat.S_ISCHR(os.stat(self.path).st_mode):  # noqa: PTH116 - a path as the store wrote it
                return lines.DeviceLine(self.path)
        except FileNotFoundError:
            pass
        except OSError as fault:
            raise self._closed(fault) from fault
        try:
            return lines.FileLine(self.path)
        except OSError as fault:
            raise self._closed(fault) from fault

    def _closed(self, fault: OSError) -> Unreachable:
        code = "printer-permission" if isinstance(fault, PermissionError) else "printer-off"
        return Unreachable(
            code, "The printer at %(path)s cannot be opened: %(strerror)s.", path=self.path, strerror=fault.strerror
        )


@dataclass(frozen=True)
class CupsPrinter:
    """A queue of CUPS; the bytes go through it untouched (`lp -o raw`), which CUPS has wherever it is."""

    queue: str
    model: PrinterModel = USUAL

    def send(self, paper: bytes) -> Said:
        """Hand the job to the queue."""
        words = ["lp", "-d", self.queue, "-o", "raw", "-t", "cornerstore", "-s"]
        try:
            done = subprocess.run(words, input=paper, capture_output=True, timeout=SPOOLER_S, check=False)
        except FileNotFoundError as fault:
            raise Unreachable("printer-library", _NO_CUPS) from fault
        except subprocess.TimeoutExpired as fault:
            raise Unconfirmed("connection-lost", _LOST) from fault
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip()[:200]
            raise Unreachable(
                "printer-off", "CUPS rejected the job for %(queue)s: %(said)s", queue=self.queue, said=said
            )
        return Said()

    def longest_s(self, paper: bytes) -> float:
        """Return how long the spooler may take."""
        return SPOOLER_S


@dataclass(frozen=True)
class WindowsPrinter:
    """A printer of Windows by its name; python-escpos hands the raw bytes to the spooler."""

    name: str
    model: PrinterModel = USUAL

    def send(self, paper: bytes) -> Said:
        """Hand the job to the spooler."""
        device = _usable("Win32Raw", "pywin32")(self.name)
        _opened(lambda: device.open(job_name="cornerstore"), f"Windows printer {self.name}")
        try:
            device._raw(paper)  # noqa: SLF001 - python-escpos has no public name for it
            device.close()
        # pywin32's own error is no OSError; whichever it is, bytes may have left
        except Exception as fault:
            raise Unconfirmed("connection-lost", _LOST) from fault
        return Said()

    def longest_s(self, paper: bytes) -> float:
        """Return how long the spooler may take."""
        return SPOOLER_S


@dataclass(frozen=True)
class PluginPrinter:
    """A printer that a plug-in sends to (rule 5). way: None where the plug-in is not set up or does not work."""

    name: str
    way: "GuardedPrinter | None" = None
    model: PrinterModel = USUAL

    def send(self, paper: bytes) -> Said:
        """Have the plug-in print."""
        if self.way is None:
            raise _unreachable("printer-plugin")
        return self.way.send(paper)

    def longest_s(self, paper: bytes) -> float:
        """Return the patience for it."""
        return self.way.longest_s(paper) if self.way else PLUGIN_S[0]


def driver_for(
    setting: str, model: PrinterModel, *, reports: bool | None = None, patient: bool = True,
    plugged: "Mapping[str, GuardedPrinter] | None" = None,
) -> Driver | None:  # fmt: skip
    """Return the driver a setting names, None for '' (no printer); raises Invalid when it cannot be meant.

    setting: 'paper', 'net:host:port', 'usb:04b8:0e15[:serial]', 'serial:/dev/ttyS0[:baud]', 'file:/path',
    'cups:queue', 'windows:name', 'plugin:name', 'agent' (a print agent fetches its jobs). reports, patient: see
    rule 3. plugged: what was made of the plug-ins that are set up.
    """
    kind, _, rest = setting.strip().partition(":")
    known: dict[str, Any] = {"model": model, "reports": reports, "patient": patient}
    with contextlib.suppress(ValueError):
        match kind:
            case "":
                return None
            case "paper" if not rest:
                return PracticePaper(model)
            case "agent" if not rest:
                return AgentPrinter(model, reports)
            case "net" if rest:
                host, _, port = rest.rpartition(":") if ":" in rest else (rest, "", "9100")
                return NetworkPrinter(host.strip("[]"), _port(port), **known)
            case "usb" if ":" in rest:
                vendor, product, *serial = rest.split(":", 2)
                return UsbPrinter(int(vendor, 16), int(product, 16), "".join(serial), **known)
            case "serial" if rest:
                path, _, baud = rest.partition(":")
                return SerialPrinter(path, int(baud or 9600), **known)
            case "file" if rest:
                return FilePrinter(rest, **known)
            case "cups" if rest and not rest.startswith("-"):
                return CupsPrinter(rest, model)
            case "windows" if rest:
                return WindowsPrinter(rest, model)
            case "plugin" if NAME.fullmatch(rest):
                return PluginPrinter(rest, (plugged or {}).get(rest), model)
    raise Invalid(
        "printer-setting",
        "Unknown printer setting %(setting)s. Use paper, net:host:port, usb:vendor:product, "
        "serial:/dev/…, file:/path, cups:queue, windows:name or plugin:name. Leave it empty for no printer.",
        setting=setting,
    )  # fmt: skip


# --- inside ---

_LOST = (
    "The connection to the printer broke while it was printing. Look at the paper, then say whether the receipt "
    "is there or print it again."
)
_NO_CUPS = N_("CUPS is not installed on this computer. Install it, or connect the printer another way.")


def _unreachable(code: str) -> Unreachable:
    return Unreachable(code, SENTENCES[code])


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise ValueError(text)
    return port


def _usable(kind: str, library: str) -> Any:
    printer_class = getattr(load_escpos(), kind)
    if not printer_class.is_usable():
        raise Unreachable(
            "printer-library", "This connection needs the %(library)s library. Install it on this computer.",
            library=library,
        )  # fmt: skip
    return printer_class


def _opened(opening: Any, name: str) -> Any:
    try:
        return opening()
    # python-escpos lets its libraries' own errors through; whichever it is, nothing was sent
    except Exception as fault:
        denied = "permission" in str(fault).lower() or "access denied" in str(fault).lower()
        if denied or getattr(fault, "errno", None) == errno.EACCES:
            raise Unreachable(
                "printer-permission",
                "This computer's user has no access to the %(name)s. Add the user to the group lp or "
                "dialout.", name=name,
            ) from fault  # fmt: skip
        raise Unreachable(
            "printer-off", "The %(name)s cannot be opened: %(fault)s. Check its power and cable.", name=name,
            fault=cause(fault),
        ) from fault  # fmt: skip


def _answer(line: Line, mask: int, pattern: int, limit_s: float) -> int | None:
    """Return the first answer byte of the wanted form; others (unasked status) are passed over."""
    return next((byte for byte in _bytes_within(line, limit_s) if byte & mask == pattern), None)


def _bytes_within(line: Line, limit_s: float) -> Iterator[int]:
    until = time.monotonic() + limit_s
    while (left := until - time.monotonic()) > 0:
        got = line.read(left)
        if not got:
            return
        yield from got


# --- the door ---


class GuardedPrinter:
    """A plug-in's way to a printer, in one pair of hands at a time (rule 5)."""

    def __init__(self, name: str, made: PrinterPlugin) -> None:
        self._made, self._guard, self._asking = made, Guard(name, most=1), Guard(name)

    def longest_s(self, paper: bytes) -> float:
        """Return the patience it asks for, within PLUGIN_S."""
        least, most = PLUGIN_S
        try:
            wanted = float(self._asking.ask(least, self._made.longest_s, paper))
        except (Stumble, DomainError, TypeError, ValueError):
            return most
        return min(most, max(least, wanted)) if wanted == wanted else most

    def send(self, paper: bytes) -> Said:
        """Print, and take nothing unknown for printed."""
        try:
            said = self._guard.ask(self.longest_s(paper), self._made.send, paper)
        except Unconfirmed as fault:
            raise Unconfirmed("connection-lost", _LOST) from fault
        except Unreachable as fault:
            raise _unreachable(fault.code if fault.code in SENTENCES else "printer-silent") from fault
        except Stumble as fault:
            if not fault.began:
                raise _unreachable("printer-silent") from None
            raise Unconfirmed("connection-lost", _LOST) from None
        except DomainError as fault:
            raise Unconfirmed("connection-lost", _LOST) from fault
        if not isinstance(said, Said):
            raise Unconfirmed("connection-lost", _LOST)
        return Said(said.answered is True, said.near_end is True)


def _fits(name: str, made: Any) -> GuardedPrinter:
    if not (callable(made.send) and callable(made.longest_s)):
        raise TypeError("no printer")
    return GuardedPrinter(name, made)


PRINTERS = Door("printers", N_("Printers"), _fits, at=("store",))
