"""Every wire to a printer, down to the bytes: what was asked, what was said, and what is known afterwards."""

import importlib.util
import os
import socket
import threading
import tty

import pytest

from config.errors import Unreachable
from pos.documents.paper import CUT, PaperLine
from pos.printing import wires
from pos.printing.escpos import encode
from pos.printing.models import PrinterModel
from pos.printing.wires import (
    CupsPrinter,
    FilePrinter,
    NetworkPrinter,
    Said,
    SerialPrinter,
    Unconfirmed,
    UsbPrinter,
    WindowsPrinter,
)
from tests.pos import usb_bus
from tests.pos.documents.test_printer_paper import tool  # noqa: F401 - a fixture

PAPER = encode([PaperLine("milk", right="1.00"), CUT], PrinterModel(48))


class Cable:
    """The virtual printer at the far end of a pseudo terminal: bytes in, answers out."""

    def __init__(self, tool, *, mute=False):  # noqa: F811
        self.near, self.far = os.openpty()
        tty.setraw(self.far)
        self.path, self.raw = os.ttyname(self.far), bytearray()
        self.machine = tool.Interpreter(80, "chinese", reply=lambda answer: os.write(self.near, answer))
        self.machine.status.mute = mute
        self._end_read, self._end_write = os.pipe()
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    def _work(self):
        import select

        while True:
            ready = select.select([self.near, self._end_read], [], [])[0]
            if self.near in ready:
                got = os.read(self.near, 4096)
                self.raw += got
                self.machine.feed(got)
            elif self._end_read in ready:
                return

    def unplug(self):
        os.write(self._end_write, b"x")
        self._worker.join()
        for end in (self.near, self.far, self._end_read, self._end_write):
            os.close(end)


@pytest.fixture
def cable(tool):  # noqa: F811
    found = Cable(tool)
    yield found
    found.unplug()


@pytest.fixture(autouse=True)
def _patience(monkeypatch):
    """Wait as long as it takes for an answer that comes: the machine may have other work."""
    monkeypatch.setattr(wires, "FIRST_ANSWER_S", 60.0)


@pytest.fixture(params=["serial", "device file"])
def wire(request, cable):
    """Give a printer on the cable, once as a serial port and once as a device file."""
    kind, where = (SerialPrinter, (cable.path, 115200)) if request.param == "serial" else (FilePrinter, (cable.path,))
    return kind(*where, answer_s=60.0)


def test_a_cable_carries_the_job_once_and_the_printer_confirms_it(cable, wire):
    assert wire.send(PAPER) == Said(answered=True)
    assert bytes(cable.raw).count(PAPER) == 1
    assert [event["event"] for event in cable.machine.event_log].count("cut") == 1


def test_paper_that_is_nearly_used_up_is_said(cable, wire):
    cable.machine.status.paper = "near_end"
    assert wire.send(PAPER) == Said(answered=True, near_end=True)


@pytest.mark.parametrize(
    ("fault", "value", "code"),
    [
        ("paper", "out", "paper-out"),
        ("cover_open", True, "cover-open"),
        ("offline", True, "printer-offline"),
        ("cutter_error", True, "cutter-jam"),
    ],
)
def test_a_printer_that_is_not_ready_says_why_and_gets_no_paper(cable, wire, fault, value, code):
    setattr(cable.machine.status, fault, value)
    with pytest.raises(Unreachable) as refused:
        wire.send(PAPER)
    assert refused.value.code == code
    assert not isinstance(refused.value, Unconfirmed)
    assert PAPER not in bytes(cable.raw)


def test_a_one_way_cable_is_printed_on_unasked(cable, wire, monkeypatch):
    """Silence means that nothing is known (rule 3)."""
    cable.machine.status.mute = True
    with monkeypatch.context() as hurried:
        hurried.setattr(wires, "FIRST_ANSWER_S", 0.1)
        assert wire.send(PAPER) == Said()
    wait_for(cable, len(PAPER))
    cable.machine.status.mute = False
    assert wire.ask() == Said(answered=True), "the printer is heard again as soon as it answers"
    assert bytes(cable.raw).count(PAPER) == 1


def test_a_cable_that_fell_silent_after_it_had_answered_is_at_fault(cable):
    cable.machine.status.mute = True
    with pytest.raises(Unreachable) as refused:
        SerialPrinter(cable.path, 115200, reports=True, answer_s=0.2).send(PAPER)
    assert refused.value.code == "printer-silent"
    assert PAPER not in bytes(cable.raw)


def test_a_printer_that_shall_not_be_asked_gets_nothing_but_paper(cable):
    SerialPrinter(cable.path, 115200, reports=False).send(PAPER)
    assert wait_for(cable, len(PAPER)) == PAPER


def wait_for(cable, count):
    """Return what arrived once `count` bytes have."""
    done = threading.Event()
    while len(cable.raw) < count:
        done.wait(0.01)
    return bytes(cable.raw)


def test_a_printer_that_hangs_up_when_asked_has_printed_nothing():
    """A busy printer takes the connection and closes it; that is no silence (rule 2)."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def busy():
            guest, _ = server.accept()
            guest.close()

        host = threading.Thread(target=busy)
        host.start()
        with pytest.raises(Unreachable) as refused:
            NetworkPrinter("127.0.0.1", server.getsockname()[1], reports=None).send(PAPER)
        host.join()
    assert refused.value.code == "printer-silent"
    assert not isinstance(refused.value, Unconfirmed)


def test_a_printer_that_answers_late_is_known_to_answer_from_then_on(monkeypatch):
    """It printed in silence before, so hardly anybody waits; what it says after all is heard (rule 3)."""
    monkeypatch.setattr(wires, "HANG_UP_S", 60.0)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def slow():
            guest, _ = server.accept()
            with guest:
                heard = b""
                while PAPER not in heard:
                    heard += guest.recv(65536)
                guest.sendall(b"\x12")
                guest.recv(65536)

        host = threading.Thread(target=slow)
        host.start()
        late = NetworkPrinter("127.0.0.1", server.getsockname()[1], reports=None, patient=False)
        assert late.send(PAPER) == Said(answered=True)
        host.join()


@pytest.fixture
def bus(monkeypatch):
    """Give a USB bus with one printer on it, below pyusb."""
    found = usb_bus.Bus()
    monkeypatch.setattr("libusb_package.get_libusb1_backend", lambda: found)
    return found


def test_usb_finds_the_printer_interface_and_sends_in_one_job(bus):
    assert UsbPrinter(usb_bus.VENDOR, usb_bus.PRODUCT).send(PAPER) == Said(answered=True)
    assert bus.printed() == PAPER
    assert bus.written_to == {usb_bus.OUT}


def test_usb_tells_two_printers_of_one_make_by_their_number(bus):
    UsbPrinter(usb_bus.VENDOR, usb_bus.PRODUCT, usb_bus.SERIAL).send(PAPER)
    assert bus.printed() == PAPER
    with pytest.raises(Unreachable, match="cannot be opened"):
        UsbPrinter(usb_bus.VENDOR, usb_bus.PRODUCT, "another").send(PAPER)


def test_a_usb_cable_pulled_midway_is_unconfirmed(bus):
    bus.breaks_after = 20
    with pytest.raises(Unconfirmed):
        UsbPrinter(usb_bus.VENDOR, usb_bus.PRODUCT).send(PAPER)


def test_cups_takes_the_very_bytes_and_its_refusal_is_passed_on(tmp_path, monkeypatch):
    lp = tmp_path / "lp"
    lp.write_text(
        "#!/bin/sh\n"
        'if [ "$2" = none ]; then echo "lp: The printer or class does not exist." >&2; exit 1; fi\n'
        f'echo "$@" > {tmp_path}/words; cat > {tmp_path}/bytes\n'
    )
    lp.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    CupsPrinter("till").send(PAPER)
    assert (tmp_path / "bytes").read_bytes() == PAPER
    assert (tmp_path / "words").read_text().startswith("-d till -o raw ")
    with pytest.raises(Unreachable, match="does not exist"):
        CupsPrinter("none").send(PAPER)


def test_a_missing_program_or_library_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unreachable, match="CUPS is not installed on this computer") as refused:
        CupsPrinter("till").send(PAPER)
    assert refused.value.code == "printer-library"
    if importlib.util.find_spec("win32print") is None:
        with pytest.raises(Unreachable, match="needs the pywin32 library"):
            WindowsPrinter("Till").send(PAPER)
