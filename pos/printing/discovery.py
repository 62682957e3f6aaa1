"""Looking for printers: what hangs on this computer, what its spooler knows, and who listens in the store's networks.

Rules
-----
1. Only when a person asks, and bounded: a few small networks, one port, some seconds. Nothing is sent to what is
   found; a laser printer would print it.
2. What cannot be looked at (no library, no rights) finds nothing and is no fault.
"""

import contextlib
import ipaddress
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.errors import Invalid, cause
from pos.printing.lines import is_printer, usb_backend, usb_name, usb_serial
from pos.printing.models import load_escpos

PORT = 9100
MOST_NETWORKS, MOST_HOSTS = 4, 256
AT_ONCE, ONE_S, ALL_S = 64, 0.5, 8.0
SPOOLER_S = 3.0
Network = ipaddress.IPv4Network


@dataclass(frozen=True)
class Found:
    """A printer that could be set up: its wire as `driver_for` reads it, and what it calls itself."""

    wire: str
    name: str


def look(networks: list[Network], *, port: int = PORT) -> list[Found]:
    """Return every printer that can be seen from here, those on a cable first."""
    found: list[Found] = []
    for source in (_usb, _device_files, _serial, _cups, _windows):
        # a library that stumbles over a strange device must not hide the others (rule 2)
        with contextlib.suppress(Exception):
            found += source()
    return found + in_networks(networks, port=port)


def in_networks(networks: list[Network], *, port: int = PORT) -> list[Found]:
    """Return who listens on the printers' port, within the time there is."""
    hosts = [str(host) for network in networks[:MOST_NETWORKS] for host in network.hosts()]
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        asked = {pool.submit(_listens, host, port): host for host in hosts}
        done = wait(asked, timeout=ALL_S).done
        listening = sorted((asked[one] for one in done if one.result()), key=ipaddress.IPv4Address)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return [Found(f"net:{host}:{port}", host) for host in listening]


def networks_of(setting: str) -> list[Network]:
    """Return the networks a setting names: 'local' is this computer's own, '' none, else '192.168.1.0/24 …'."""
    if setting.strip() == "local":
        return local_networks()
    try:
        found = [Network(word) for word in setting.replace(",", " ").split()]
    except ValueError as fault:
        raise Invalid(
            "printer-search", "The setting printer_search is not a list of networks: %(fault)s.", fault=cause(fault),
            setting=setting,
        ) from fault  # fmt: skip
    if any(network.num_addresses > MOST_HOSTS for network in found) or len(found) > MOST_NETWORKS:
        raise Invalid(
            "printer-search", "The setting printer_search covers too many addresses. The limit is four /24 networks."
        )
    return found


def local_networks() -> list[Network]:
    """Return the private /24 networks this computer stands in; finding out sends nothing."""
    found: list[Network] = []
    for far in ("192.0.2.1", "10.255.255.254", "172.31.255.254", "192.168.255.254"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((far, 9))
            own = ipaddress.IPv4Address(probe.getsockname()[0])
            network = Network(f"{own}/24", strict=False)
            if own.is_private and not own.is_loopback and network not in found:
                found.append(network)
    return found


# --- inside ---


def _listens(host: str, port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((host, port), ONE_S):
        return True
    return False


def _usb() -> Iterator[Found]:
    import usb.core

    devices = usb.core.find(find_all=True, backend=usb_backend(), custom_match=is_printer)
    seen = [(device, f"usb:{device.idVendor:04x}:{device.idProduct:04x}") for device in devices]
    wires = [wire for _, wire in seen]
    for device, wire in seen:
        serial = usb_serial(device) if wires.count(wire) > 1 else ""
        yield Found(f"{wire}:{serial}" if serial else wire, usb_name(device))


def _device_files() -> Iterator[Found]:
    for pattern in ("usb/lp*", "lp*"):
        for path in sorted(Path("/dev").glob(pattern)):
            yield Found(f"file:{path}", path.name)


def _serial() -> Iterator[Found]:
    from serial.tools import list_ports

    for port in sorted(list_ports.comports(), key=lambda port: str(port.device)):
        if port.hwid != "n/a":  # a port of the main board that leads nowhere
            yield Found(f"serial:{port.device}:9600", port.description or port.device)


def _cups() -> Iterator[Found]:
    done = subprocess.run(["lpstat", "-e"], capture_output=True, timeout=SPOOLER_S, check=False)
    for name in done.stdout.decode("utf-8", "replace").split("\n"):
        if name.strip():
            yield Found(f"cups:{name.strip()}", name.strip())


def _windows() -> Iterator[Found]:
    printer_class: Callable[..., Any] = load_escpos().Win32Raw
    if printer_class.is_usable():  # type: ignore[attr-defined]
        for name in printer_class().printers:
            yield Found(f"windows:{name}", name)
