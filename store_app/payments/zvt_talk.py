"""A conversation with a ZVT terminal over TCP: one connection, and the commands a till needs.

Rules
-----
1. Nothing waits for ever: not for a connection, a byte, a message's end or the customer (`Limits`).
2. What the terminal says is given to the one who listens before it is acknowledged.
3. A fault of the connection, bytes that are not ZVT and an answer that does not fit raise Unreachable: what became of
   the command is then not known.
"""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from config.errors import Refused, Unreachable
from pos.payments import zvt_wire as wire
from pos.payments.zvt_wire import Apdu, Status

Dial = Callable[[tuple[str, int], float], socket.socket]
"""Opens a connection to host and port within so many seconds."""
ACK = Apdu(wire.ACK)
_RECEIPT_BY_TILL, _REPORTS_BY_TILL, _STEPS, _ONLY_TILL, _LINES = 0x02, 0x04, 0x08, 0x10, 0x80
_STATUS_ALONE = b"\x03"
"""Service byte of a repeated receipt: print nothing, send the status."""
_NOT_STORED = 0x83
_COMMANDS, _COMMAND = 0x26, 0x0A
_LONGEST_PAPER = 200


@dataclass(frozen=True)
class Limits:
    """How long is waited, in seconds: for a connection, an acknowledgement, a message's end, a sign of life, the whole.

    tick: how often a wish to stop is looked for.
    """

    @property
    def patience(self) -> tuple[float, float]:
        """For what needs a person: until a sign of life, and in all."""
        return self.silence, self.whole

    @property
    def haste(self) -> tuple[float, float]:
        """For what needs none."""
        return self.answer, 2 * self.answer

    connect: float = 2.0
    answer: float = 3.0
    message: float = 3.0
    silence: float = 90.0
    whole: float = 300.0
    tick: float = 0.2


@dataclass(frozen=True)
class Ended:
    """How a command ended. done: completed, not aborted; result: why not, None where it was refused at once."""

    done: bool
    result: int | None = 0


class Line:
    """A connection that carries whole messages."""

    def __init__(self, wire_: socket.socket, limits: Limits) -> None:
        self._wire, self.limits = wire_, limits

    def send(self, said: Apdu) -> None:
        """Send a message."""
        self._wire.settimeout(self.limits.message)
        self._wire.sendall(said.encode())

    def receive(self, wait_s: float) -> Apdu | None:
        """Return the next message; None when none has begun in time."""
        raw, until = b"", time.monotonic() + wait_s
        while (needed := wire.missing(raw)) > 0:
            self._wire.settimeout(max(until - time.monotonic(), 0.001))
            try:
                got = self._wire.recv(needed)
            except TimeoutError:
                if not raw:
                    return None
                raise
            if not got or (raw and time.monotonic() > until):
                raise ConnectionResetError("the terminal has hung up")
            if not raw:
                until = time.monotonic() + self.limits.message
            raw += got
        return wire.decode(raw)


def dial(place: tuple[str, int], limit_s: float) -> socket.socket:
    """Open a connection that sends each message at once."""
    made = socket.create_connection(place, limit_s)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


class Talk:
    """The commands of a till to a terminal, over one line."""

    def __init__(self, line: Line, password: str) -> None:
        self._line, self._password = line, wire.to_bcd(int(password), 3)

    def register(self, currency: int, *, prints: bool, only_till: bool) -> None:
        """Begin: who prints, that steps are reported, and whether the terminal takes payments by itself."""
        config = (
            _STEPS | (_RECEIPT_BY_TILL | _REPORTS_BY_TILL | _LINES if prints else 0) | (_ONLY_TILL if only_till else 0)
        )
        printing = wire.tag(_COMMAND, wire.PRINT_LINE.to_bytes(2, "big")) + wire.tag(
            _COMMAND, wire.PRINT_BLOCK.to_bytes(2, "big")
        )
        data = self._password + bytes([config]) + wire.to_bcd(currency, 2)
        said: list[Apdu] = []
        ended = self._command(
            Apdu(wire.REGISTER, data + wire.field(wire.TLV, wire.tag(_COMMANDS, printing))),
            said.append,
            self._line.limits.haste,
        )
        told = [wire.fields(one.data).get(wire.CURRENCY) for one in said if one.command == wire.COMPLETION]
        if not ended.done or any(one not in (None, wire.to_bcd(currency, 2)) for one in told):
            raise Refused("terminal-refused", "The card terminal refused to work with this till. Check its settings.")

    def last(self) -> Status | None:
        """Return the terminal's last transaction; None where it has none. Refused where it cannot tell."""
        said: list[Status] = []

        def hear(one: Apdu) -> None:
            if one.command == wire.STATUS:
                said.append(Status.decode(one.data))

        service = wire.field(wire.SERVICE, _STATUS_ALONE)
        ended = self._command(Apdu(wire.REPEAT_RECEIPT, self._password + service), hear, self._line.limits.haste)
        if not ended.done and ended.result == _NOT_STORED:
            return None
        if not ended.done or len(set(said)) != 1:
            raise Refused("terminal-cannot-tell", "The card terminal did not report its last payment.")
        return said[0]

    def pay(
        self, amount_minor: int, currency: int, hear: Callable[[Apdu], Apdu | None], stop: Callable[[], bool]
    ) -> Ended:
        """Have the terminal take money from a card."""
        return self._command(Apdu(wire.AUTHORISE, _money(amount_minor, currency)), hear, stop=stop)

    def reverse(self, receipt: int, hear: Callable[[Apdu], Apdu | None]) -> Ended:
        """Have the terminal take one of its payments back; no card is needed."""
        return self._command(
            Apdu(wire.REVERSE, self._password + wire.field(wire.RECEIPT, wire.to_bcd(receipt, 2))), hear
        )

    def refund(self, amount_minor: int, currency: int, hear: Callable[[Apdu], Apdu | None]) -> Ended:
        """Have the terminal pay money out to a card that is presented."""
        return self._command(Apdu(wire.REFUND, self._password + _money(amount_minor, currency)), hear)

    def enquire(self) -> Ended:
        """Ask whether the terminal is ready."""
        return self._command(Apdu(wire.STATUS_ENQUIRY, self._password), _ignored, self._line.limits.haste)

    def close_day(self) -> Ended:
        """Have the terminal hand in what it has taken since the last closing."""
        silence_s = self._line.limits.silence
        return self._command(Apdu(wire.END_OF_DAY, self._password), _ignored, (silence_s, silence_s))

    def _command(
        self,
        command: Apdu,
        hear: Callable[[Apdu], Apdu | None],
        waits: tuple[float, float] | None = None,
        *,
        stop: Callable[[], bool] = lambda: False,
    ) -> Ended:
        """Send a command and acknowledge what the terminal says, until it says that it is over."""
        line, limits, is_stopping = self._line, self._line.limits, False
        silence_s, whole_s = waits or limits.patience
        line.send(command)
        answer = line.receive(limits.answer)
        if answer is not None and answer.is_refusal:
            return Ended(False, None)
        if answer is None or answer.command not in wire.ACKS:
            raise wire.garbled()
        heard_at = time.monotonic()
        until = heard_at + whole_s
        while True:
            if not is_stopping and stop():
                is_stopping = True
                line.send(Apdu(wire.STOP))
            said, now = line.receive(limits.tick), time.monotonic()
            if now > until or (said is None and now - heard_at > silence_s):
                raise TimeoutError
            if said is None:
                continue
            heard_at = now
            if is_stopping and (said.command in wire.ACKS or said.is_refusal):
                continue
            if said.command not in _SPOKEN:
                line.send(Apdu(wire.NOT_KNOWN))
                continue
            line.send(hear(said) or ACK)
            if said.command == wire.COMPLETION:
                return Ended(True)
            if said.command == wire.ABORTED:
                if not said.data:
                    raise wire.garbled()
                return Ended(False, said.data[0])


@contextmanager
def reached() -> Iterator[None]:
    """Turn a fault of the connection into a refusal (rule 3)."""
    try:
        yield
    except OSError as fault:
        raise Unreachable(
            "terminal-silent", "The card terminal is not responding. Check its power and network."
        ) from fault


class Listener:
    """What a terminal says while money moves, kept for who asked.

    statuses: what it said of the transaction, each once. lines: what it wants printed. step: is called with the number
    of each step. wrong: is called before the terminal is told to take back what is not what was asked.
    """

    def __init__(
        self, amount_minor: int, currency: int, step: Callable[[int], None], wrong: Callable[[], None]
    ) -> None:
        self._amount_minor, self._currency, self._step, self._wrong = amount_minor, currency, step, wrong
        self.statuses: list[Status] = []
        self.lines: list[str] = []

    def hear(self, said: Apdu) -> Apdu | None:
        """Keep what is said; returns what is answered instead of an acknowledgement."""
        if said.command == wire.INTERMEDIATE and said.data:
            self._step(said.data[0])
        elif said.command == wire.STATUS:
            status = Status.decode(said.data)
            if status not in self.statuses:
                self.statuses.append(status)
            if status.result == 0 and not fits(status, self._amount_minor, self._currency):
                self._wrong()
                return Apdu(wire.NOT_BOOKED)
        elif said.command in (wire.PRINT_LINE, wire.PRINT_BLOCK):
            self.lines += wire.printed(said)
            del self.lines[_LONGEST_PAPER:]
        return None


def fits(status: Status, amount_minor: int, currency: int) -> bool:
    """Tell whether a terminal did what it was asked; it need not name the currency."""
    return status.amount_minor == amount_minor and status.currency in (None, currency)


# --- inside ---

_SPOKEN = (
    wire.STATUS, wire.INTERMEDIATE, wire.COMPLETION, wire.ABORTED, wire.PRINT_LINE, wire.PRINT_BLOCK,
)  # fmt: skip


def _money(amount_minor: int, currency: int) -> bytes:
    return wire.field(wire.AMOUNT, wire.to_bcd(amount_minor, 6)) + wire.field(wire.CURRENCY, wire.to_bcd(currency, 2))


def _ignored(_said: Apdu) -> None:
    """Acknowledge alone."""
