"""An open line to a printer: write, read what it answers, hang up. Each kind of cable has its own.

Every fault is an OSError (pyserial's and pyusb's errors are); no write waits longer than it was told.
"""

import contextlib
import os
import select
import socket
import time
from typing import Any

_READ_AT_ONCE = 64


class SocketLine:
    """A TCP connection."""

    def __init__(self, host: str, port: int, limit_s: float) -> None:
        self._wire = socket.create_connection((host, port), limit_s)

    def write(self, content: bytes, limit_s: float) -> None:
        """Send every byte."""
        self._wire.settimeout(limit_s)
        self._wire.sendall(content)

    def read(self, limit_s: float) -> bytes:
        """Return what came; raises when the printer has hung up."""
        self._wire.settimeout(limit_s)
        try:
            got = self._wire.recv(_READ_AT_ONCE)
        except TimeoutError:
            return b""
        if not got:
            raise ConnectionResetError("the printer has hung up")
        return got

    def close(self) -> None:
        """Hang up."""
        self._wire.close()


class SerialLine:
    """A serial port, opened by python-escpos."""

    def __init__(self, printer_class: Any, path: str, baud: int) -> None:
        self._printer = printer_class(path, baud, timeout=1)
        self._printer.open()
        self._port = self._printer.device
        self._port.reset_input_buffer()

    def write(self, content: bytes, limit_s: float) -> None:
        """Send every byte; what the printer holds back (flow control) counts against the time."""
        self._port.write_timeout = limit_s
        self._port.write(content)

    def read(self, limit_s: float) -> bytes:
        """Return what came."""
        self._port.timeout = limit_s
        got: bytes = self._port.read(1)
        return got

    def close(self) -> None:
        """Hang up; python-escpos first lets the port send what it still holds."""
        with contextlib.suppress(OSError):
            self._printer.close()


class UsbLine:
    """The printer interface of a USB device, opened by python-escpos."""

    def __init__(self, printer_class: Any, vendor: int, product: int, serial: str) -> None:
        wanted: dict[str, Any] = {"backend": usb_backend()}
        if serial:
            wanted["custom_match"] = lambda device: usb_serial(device) == serial
        ends = _ends(vendor, product, wanted)
        self._in, self._out = ends
        self._printer = printer_class(vendor, product, usb_args=wanted, timeout=1000, in_ep=ends[0], out_ep=ends[1])
        self._printer.open()
        self._device = self._printer.device

    def write(self, content: bytes, limit_s: float) -> None:
        """Send every byte; a transfer may take only a part."""
        until, left = time.monotonic() + limit_s, memoryview(content)
        while left:
            wait_ms = max(1, int((until - time.monotonic()) * 1000))
            left = left[self._device.write(self._out, left.tobytes(), wait_ms) :]

    def read(self, limit_s: float) -> bytes:
        """Return what came; an empty packet is no answer yet."""
        from usb.core import USBTimeoutError

        until = time.monotonic() + limit_s
        while self._in and (left_s := until - time.monotonic()) > 0:
            with contextlib.suppress(USBTimeoutError):
                got = bytes(self._device.read(self._in, _READ_AT_ONCE, max(1, int(left_s * 1000))))
                if got:
                    return got
        return b""

    def close(self) -> None:
        """Give the device back."""
        with contextlib.suppress(OSError):
            self._printer.close()


class DeviceLine:
    """A character device such as `/dev/usb/lp0`; it is never waited for longer than told."""

    def __init__(self, path: str) -> None:
        self._device = os.open(path, os.O_RDWR | os.O_NONBLOCK | getattr(os, "O_NOCTTY", 0))

    def write(self, content: bytes, limit_s: float) -> None:
        """Send every byte."""
        until, left = time.monotonic() + limit_s, memoryview(content)
        while left:
            if not select.select([], [self._device], [], max(0.0, until - time.monotonic()))[1]:
                raise TimeoutError("the printer takes nothing")
            with contextlib.suppress(BlockingIOError):
                left = left[os.write(self._device, left) :]

    def read(self, limit_s: float) -> bytes:
        """Return what came."""
        if not select.select([self._device], [], [], limit_s)[0]:
            return b""
        return os.read(self._device, _READ_AT_ONCE)

    def close(self) -> None:
        """Let go of the device."""
        os.close(self._device)


class FileLine:
    """A plain file: every job is appended, and nothing answers."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, content: bytes, limit_s: float) -> None:
        """Append every byte; a question of its state is no paper and is not kept."""
        if content[:1] == b"\x10":
            return
        left = memoryview(content)
        while left:
            left = left[os.write(self._file, left) :]

    def read(self, limit_s: float) -> bytes:
        """Return nothing, at once."""
        return b""

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def usb_backend() -> Any:
    """Return libusb as it comes with us, so that USB works without installing anything; None: pyusb looks itself."""
    import libusb_package

    return libusb_package.get_libusb1_backend()


def usb_serial(device: Any) -> str:
    """Return a USB device's own number, '' where it has none or may not be asked."""
    try:
        return str(device.serial_number or "")
    except (OSError, ValueError, NotImplementedError):
        return ""


def usb_name(device: Any) -> str:
    """Return what a USB device calls itself, else its numbers."""
    try:
        words = f"{device.manufacturer or ''} {device.product or ''}".strip()
    except (OSError, ValueError, NotImplementedError):
        words = ""
    return words or f"USB {device.idVendor:04x}:{device.idProduct:04x}"


def is_printer(device: Any) -> bool:
    """Tell whether a USB device has a printer in it."""
    return any(interface.bInterfaceClass == _PRINTER_CLASS for setting in device for interface in setting)


# --- inside ---

_PRINTER_CLASS = 7


def _ends(vendor: int, product: int, wanted: dict[str, Any]) -> tuple[int, int]:
    """Return the addresses of the printer interface's ends, in and out; in is 0 where it never answers."""
    import usb.core

    device: Any = usb.core.find(idVendor=vendor, idProduct=product, **wanted)
    if device is None:
        raise FileNotFoundError("no such device is plugged in")
    for interface in (interface for setting in device for interface in setting):
        if interface.bInterfaceClass == _PRINTER_CLASS:
            addresses = [end.bEndpointAddress for end in interface if end.bmAttributes & 3 == 2]
            inward = next((end for end in addresses if end & 0x80), 0)
            outward = next((end for end in addresses if not end & 0x80), 0)
            if outward:
                return inward, outward
    raise FileNotFoundError("the device has no printer in it")
