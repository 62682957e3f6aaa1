"""A ZVT terminal on this computer: a TCP server that takes cards, loses its line and lies when told to.

Its framing is written out by hand, so that it does not share a mistake with the till's.
"""

import contextlib
import random
import select
import socket
import threading
from dataclasses import dataclass

PASSWORD = bytes.fromhex("123456")
LIES = ("amount", "amount, gone", "currency", "repeated", "no status", "garbage", "old status", "replayed")


class Cut(Exception):
    """The line is gone."""


@dataclass
class Transaction:
    """What the terminal has stored. amount_minor < 0 went out; original: the trace of what it takes back."""

    owner: str
    amount_minor: int
    receipt: int
    trace: int
    original: int | None = None
    reversed: bool = False


def apdu(command: str, data: bytes = b"") -> bytes:
    """Frame a message."""
    length = bytes([len(data)]) if len(data) < 255 else b"\xff" + len(data).to_bytes(2, "little")
    return bytes.fromhex(command) + length + data


def bcd(number: int, size: int) -> bytes:
    """Write BCD."""
    return bytes.fromhex(str(number).zfill(2 * size))


class Terminal:
    """The server. card: what the next customer does: pays, is declined, or walks away.

    cut_in, cut_out: after how many bytes from, or to the till the line breaks. carries_on: a customer pays although the
    line is gone. reverses: what the till did not acknowledge is taken back. lie: what it says wrongly, once. waits: it
    waits for a customer until `customer` is set. trouble: why it is not ready. faults: the share of messages at which
    something goes wrong.
    """

    def __init__(self, *, seed: int = 1) -> None:
        self.transactions = [Transaction("yesterday", 777, 9998, 999_998)]
        self.owner, self.card, self.lie = "", "pays", ""
        self.cut_in: int | None = None
        self.cut_out: int | None = None
        self.carries_on = self.reverses = False
        self.can_tell = self.can_reverse = self.numbers = True
        self.trouble: int | None = None
        self.faults, self.currency = 0.0, b"\x09\x78"
        self.waits, self.customer, self.asked = False, threading.Event(), threading.Event()
        self.registered: list[bytes] = []
        self.commands: list[str] = []
        self._chance = random.Random(seed)
        self._wire: socket.socket | None = None
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Switch it off."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self._thread.join()

    def act(self, _chance: random.Random) -> None:
        """Customers pay at once."""

    def holds(self, payment_id: str) -> int:
        """Return how much of a payment the store has, by the terminal's own record."""
        return sum(one.amount_minor for one in self.transactions if one.owner == payment_id and not one.reversed)

    # --- the line ---

    def _serve(self) -> None:
        while True:
            try:
                self._wire, _ = self._server.accept()
            except OSError:
                return
            self._wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._wire, contextlib.suppress(Cut, OSError):
                while True:
                    self._answer(*self._read())

    def _bytes(self, count: int) -> bytes:
        raw = b""
        while len(raw) < count:
            if self.cut_in == 0:
                raise Cut
            got = self._wire.recv(1)
            if not got:
                raise Cut
            raw += got
            if (left := self.cut_in) is not None:  # None is never written back: a test may have set it meanwhile
                self.cut_in = left - 1
        return raw

    def _read(self) -> tuple[str, bytes]:
        self._misbehave()
        head = self._bytes(3)
        size = int.from_bytes(self._bytes(2), "little") if head[2] == 255 else head[2]
        return head[:2].hex(), self._bytes(size)

    def _send(self, raw: bytes) -> None:
        self._misbehave()
        if self.cut_out is not None:
            raw, self.cut_out = raw[: self.cut_out], max(0, self.cut_out - len(raw))
        with contextlib.suppress(OSError):
            self._wire.sendall(raw)
        if self.cut_out == 0:
            raise Cut

    def _misbehave(self) -> None:
        if self._chance.random() < self.faults:
            if self._chance.random() < 0.2:
                with contextlib.suppress(OSError):
                    self._wire.sendall(self._chance.randbytes(9))
            raise Cut

    def _say(self, command: str, data: bytes = b"") -> bytes:
        """Say something; return the answer's command."""
        self._send(apdu(command, data))
        while (answer := self._read())[0] == "06b0":
            self._send(apdu("8000"))
        return bytes.fromhex(answer[0])

    # --- commands ---

    def _answer(self, command: str, data: bytes) -> None:
        self.commands.append(command)
        asked = {
            "0600": self._register, "0620": self._repeat, "0601": self._pay, "0630": self._reverse,
            "0631": self._refund, "0650": self._done, "0501": self._done,
        }.get(command)  # fmt: skip
        if asked is None:
            self._send(apdu("8483"))
            return
        if command != "0601":
            assert data[:3] == PASSWORD
        asked(data)

    def _done(self, _data: bytes) -> None:
        self._send(apdu("8000"))
        if self.trouble is None:
            self._say("060f")
        else:
            self._say("061e", bytes([self.trouble]))

    def _register(self, data: bytes) -> None:
        self.registered.append(data)
        self._send(apdu("8000"))
        self._say("060f", b"\x19\x00\x29" + bcd(12345678, 4) + b"\x49" + data[4:6])

    def _repeat(self, _data: bytes) -> None:
        if not self.can_tell:
            self._send(apdu("8483"))
            return
        self._send(apdu("8000"))
        if not self.transactions:
            self._say("061e", b"\x83")
            return
        self._say("040f", self._status(self.transactions[-1]))
        self._say("060f")

    def _pay(self, data: bytes) -> None:
        owner, lie, self.lie = self.owner, self.lie, ""
        if self.faults and self._chance.random() < self.faults:
            lie = self._chance.choice(LIES)
        amount_minor, currency = int(data[1:7].hex()), data[8:10]
        assert (data[:1], data[7:8]) == (b"\x04", b"\x49")
        self.currency = currency
        try:
            self._send(apdu("8000"))
            self._say("04ff", b"\x0a\x01")
            if self._is_stopped():
                self._say("040f", b"\x27\x6c")
                self._say("061e", b"\x6c")
                return
            self._say("04ff", b"\x04")
        except (Cut, OSError):
            if self.carries_on and self.card == "pays":
                self._unheard(self._store(owner, amount_minor))
            raise
        if self.card != "pays":
            result = b"\x05" if self.card == "declined" else b"\x6c"
            self._say("040f", b"\x27" + result + b"\x04" + data[1:7] + b"\x49" + currency)
            self._say("061e", result)
            return
        if lie == "replayed":
            self._say("040f", self._status(self.transactions[-1]))
            self._say("060f")
            return
        before, done = self.transactions[-1:], self._store(owner, amount_minor)
        self._finish(done, before, lie)

    def _finish(self, done: Transaction, before: list[Transaction], lie: str = "") -> None:
        try:
            if lie == "garbage":
                self._say("040f", bytes.fromhex("27 00 04 99 aa"))
            if lie == "no status":
                pass
            elif (
                self._say("040f", self._status(before[0] if lie == "old status" and before else done, lie))
                != b"\x80\x00"
            ):
                done.reversed = True
                if lie == "amount, gone":
                    raise Cut  # noqa: TRY301 - as the line does it
                self._say("061e", b"\x6c")
                return
            if lie == "repeated":
                self._say("040f", self._status(done))
        except (Cut, OSError):
            self._unheard(done)
            raise
        self._print(done)
        self._say("060f")

    def _print(self, done: Transaction) -> None:
        if self.registered[-1][3] & 0x80:
            card = "4111 1111 1111 1111"
            lines = b"".join(
                b"\x07" + bytes([len(one)]) + one.encode("cp437") for one in ("KUNDENBELEG", f"Karte {card}")
            )
            self._say("06d3", b"\x06" + bytes([len(lines) + 6]) + b"\x1f\x07\x01\x02\x25" + bytes([len(lines)]) + lines)
            self._say("06d1", b"\x00" + f"Beleg {done.receipt:04d}".encode("cp437"))

    def _reverse(self, data: bytes) -> None:
        self._send(apdu("8000"))
        receipt = int(data[4:6].hex())
        paid = next((one for one in reversed(self.transactions) if one.receipt == receipt), None)
        if paid is None or not self.can_reverse or paid.reversed:
            result = b"\xb4" if paid is not None and paid.reversed else b"\xb5"
            self._say("061e", result)
            return
        paid.reversed = True
        done = self._store("reversal", paid.amount_minor, paid.trace)
        self._say("040f", self._status(done))
        self._print(done)
        self._say("060f")

    def _refund(self, data: bytes) -> None:
        owner = self.owner
        self._send(apdu("8000"))
        self._say("04ff", b"\x0a")
        before, done = self.transactions[-1:], self._store(owner, -int(data[4:10].hex()))
        self._finish(done, before)

    # --- inside ---

    def _is_stopped(self) -> bool:
        self.asked.set()
        while self.waits and not self.customer.is_set():
            if select.select([self._wire], [], [], 0.01)[0]:
                command, _ = self._read()
                self._send(apdu("8000"))
                return command == "06b0"
        return False

    def _store(self, owner: str, amount_minor: int, original: int | None = None) -> Transaction:
        last = self.transactions[-1] if self.transactions else Transaction("", 0, 0, 0)
        numbers = last.receipt % 9999 + 1, last.trace % 999_999 + 1
        self.transactions.append(Transaction(owner, amount_minor, *numbers, original))
        return self.transactions[-1]

    def _unheard(self, done: Transaction) -> None:
        if self.reverses:
            done.reversed = True
            self._store("reversal", done.amount_minor, done.trace)

    def _status(self, done: Transaction, lie: str = "") -> bytes:
        amount_minor = abs(done.amount_minor) + (1 if lie.startswith("amount") else 0)
        return (
            b"\x27\x00\x04" + bcd(amount_minor, 6) + b"\x49" + (b"\x07\x56" if lie == "currency" else self.currency)
            + b"\x0b" + bcd(done.trace, 3) + (b"\x87" + bcd(done.receipt, 2) if self.numbers else b"")
            + b"\x0c" + bcd(101500, 3)
            + b"\x0d" + bcd(1202, 2)
            + (b"\x37" + bcd(done.original, 3) if done.original is not None else b"")
            + b"\x22\xf0\xf8" + bytes.fromhex("eeeeeeeeeeee1234") + b"\x8b\xf0\xf9girocard\x00"
            + b"\x06\x06\x45\x04" + bytes(4) + b"\xee"
        )  # fmt: skip
