"""The wires to the scale: three ways retail scales speak over a serial line.

    toledo:/dev/ttyUSB0[,unit=lb][,baud=9600]      Mettler Toledo 8217, asked with W (7 data bits, even parity)
    continuous:/dev/ttyUSB0[,baud=9600]            Mettler Toledo continuous output, 17 or 18 bytes a frame
    lines:/dev/ttyUSB0[,baud=9600]                 lines such as `ST,GS,+  0.312kg`, as A&D, CAS and many others send

And what a plug-in's scale says (SCALES), which nobody believes either.

Rules
-----
1. A scale has one second to answer; a silent line, a missing port and noise are `scale-silent`.
2. What a scale said before it was asked is thrown away: an old weight is never sold.
3. The port is opened for a weighing and closed after it, so that a cable pulled and put back works again.
4. A plug-in has the same second; what it raises, and a reading that is no weight, is `scale-silent` as well.
"""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from config.errors import DomainError, Invalid, Refused, Unreachable
from config.plugins import Door, Guard
from config.words import N_

MOST_GRAMS = 999_999
ANSWER_S = 1.0
FAULTS: dict[str, Callable[[], DomainError]] = {
    "scale-silent": lambda: Unreachable(
        "scale-silent",
        "The scale is not responding. Check its power and cable, or enter the weight.",
    ),
    "scale-moving": lambda: Refused("scale-moving", "The scale is still moving. Wait a moment, then weigh again."),
    "scale-overload": lambda: Refused("scale-overload", "The scale is overloaded. Take something off."),
    "scale-below-zero": lambda: Refused("scale-below-zero", "The scale is below zero. Empty it and set it to zero."),
    "scale-empty": lambda: Refused("scale-empty", "The scale is empty. Put the product on it, then weigh again."),
}
_LONGEST_ANSWER = 64
_GRAMS = {"g": (1, 1), "kg": (1000, 1), "lb": (45_359_237, 100_000), "oz": (28_349_523_125, 1_000_000_000)}
_LINE = re.compile(
    rb"(ST|US|OL)\s*,\s*(?:(?:GS|NT|G|N|TR)\s*,)?[^+\-\d\r\n]*([+-]?)\s*(\d+)(?:\.(\d+))?\s*(kg|g|lb|oz)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Weighing:
    """What lies on a scale, less the tare, in grams; stable: the scale has settled."""

    grams: int
    stable: bool
    tare_grams: int = 0


@dataclass(frozen=True)
class Reading:
    """What a plug-in's scale shows. unit: g, kg, lb or oz; stable: it has settled."""

    weight: Decimal | float
    unit: str
    stable: bool


class PluginScale(Protocol):
    """What a plug-in for a scale makes: it asks the scale anew each time, and keeps no weight (rules 2, 4)."""

    def weigh(self) -> Reading:
        """Return what lies on the scale now, or raise `refusal` of what is wrong."""
        ...


@dataclass(frozen=True)
class Wire:
    """How a protocol uses its line: what it asks, when an answer is whole, and what it means."""

    ask: bytes
    parity: str
    data_bits: int
    read: Callable[[bytes, str], "Weighing | None"]
    """(what has arrived, unit) -> the weighing once it is whole, None before."""


class SerialScale:
    """A scale on a serial port."""

    def __init__(self, wire: Wire, port: str, *, unit: str = "kg", baud: int = 9600) -> None:
        self.wire, self.port, self.unit, self.baud = wire, port, unit, baud
        self._lock = threading.Lock()

    def weigh(self) -> Weighing:
        """Ask the scale, or listen to it, until a whole answer has come (rules 1-3)."""
        import serial  # only stores with a scale on a cable need it

        wire = self.wire
        with self._lock:
            try:
                with serial.Serial(
                    self.port, self.baud, wire.data_bits, wire.parity, timeout=0.05, write_timeout=ANSWER_S
                ) as line:
                    line.reset_input_buffer()
                    if wire.ask:
                        line.write(wire.ask)
                    return self._answer(line)
            except (OSError, serial.SerialException) as fault:
                raise refusal("scale-silent") from fault

    def _answer(self, line: Any) -> Weighing:
        arrived, until = b"", time.monotonic() + ANSWER_S
        while time.monotonic() < until:
            arrived = (arrived + line.read(max(1, min(line.in_waiting, _LONGEST_ANSWER))))[-_LONGEST_ANSWER:]
            found = self.wire.read(arrived, self.unit)
            if found is not None:
                return found
        raise refusal("scale-silent")


def driver(setting: str) -> SerialScale:
    """Return the driver a setting names; Invalid for a protocol or an option nobody knows."""
    protocol, _, rest = setting.partition(":")
    port, *options = rest.split(",")
    if protocol not in WIRES or not port:
        raise Invalid(
            "bad-scale", "Scale %(setting)s not found. Options: practice, %(wires)s.", setting=setting,
            wires=", ".join(WIRES),
        )  # fmt: skip
    given = dict(option.strip().partition("=")[::2] for option in options)
    unit, baud = given.pop("unit", "kg"), given.pop("baud", "9600")
    if given or unit not in _GRAMS or not re.fullmatch(r"\d{3,6}", baud, re.ASCII):
        raise Invalid(
            "bad-scale",
            "Check the scale setting %(setting)s: the unit must be kg, g, lb or oz, and the baud rate must be a "
            "number.",
            setting=setting,
        )
    return SerialScale(WIRES[protocol], port, unit=unit, baud=int(baud))


def refusal(code: str) -> DomainError:
    """Return the refusal of a scale's fault."""
    return FAULTS[code]()


# --- what the answers mean ---


def read_plugin(said: Reading) -> Weighing:
    """Read what a plug-in says (rule 4); it weighs to a hundredth of a gram at most."""
    try:
        weight = Decimal(str(said.weight)) * 1
        if weight < 0:
            raise refusal("scale-below-zero")
        if weight > MOST_GRAMS:
            raise refusal("scale-overload")
        return _weighing(int(weight.scaleb(5)), 5, said.unit, stable=said.stable is True)
    except (ArithmeticError, KeyError, TypeError, ValueError) as fault:  # NaN, a word, a unit that is none
        raise refusal("scale-silent") from fault


def read_toledo(arrived: bytes, unit: str) -> Weighing | None:
    """Read STX, the weight, CR; or STX ? status CR, whose bits say what is wrong."""
    plain = bytes(byte & 0x7F for byte in arrived)
    answers = re.findall(rb"\x02(?:\?([^\r])|([^\x02\r]*))\r", plain, re.DOTALL)
    if not answers:
        return None
    reported, said = answers[-1]
    if reported:
        status = reported[0]
        if status & 0x02:
            raise refusal("scale-overload")
        if status & 0x04 and not status & 0x01:
            raise refusal("scale-below-zero")
        return Weighing(0, stable=False)
    match = re.fullmatch(rb"\s*(\d{1,6})(?:\.(\d{1,4}))?\s*(kg|lb|g|oz)?[NG]?\s*", said, re.IGNORECASE)
    if match is None:
        return None
    whole, decimals, spoken = match.groups()
    spoken_unit = spoken.decode().lower() if spoken else unit
    if decimals is None and spoken_unit in ("kg", "lb"):  # the point is understood: kg has three decimals, lb two
        places = 3 if spoken_unit == "kg" else 2
        return _weighing(int(whole), places, spoken_unit, stable=True)
    return _weighing(int(whole + (decimals or b"")), len(decimals or b""), spoken_unit, stable=True)


def read_continuous(arrived: bytes, _unit: str) -> Weighing | None:
    """Read STX, three status words, six digits of weight, six of tare, CR."""
    start = arrived.find(b"\x02")
    while start >= 0:
        frame = bytes(byte & 0x7F for byte in arrived[start : start + 17])
        if len(frame) < 17:
            return None
        if frame[16] == 0x0D and re.fullmatch(rb"[ 0-9]{6}[ 0-9]{6}", frame[4:16]) and frame[4:10].strip():
            return _of_words(frame)
        start = arrived.find(b"\x02", start + 1)
    return None


def read_lines(arrived: bytes, _unit: str) -> Weighing | None:
    """Read the last whole line of the form `ST,GS,+  0.312kg`: ST settled, US moving, OL overload."""
    whole = arrived[: max(arrived.rfind(b"\r"), arrived.rfind(b"\n")) + 1]
    if re.search(rb"\bOL\b", whole):
        raise refusal("scale-overload")
    found = list(_LINE.finditer(whole))
    if not found:
        return None
    state, sign, number, decimals, spoken = found[-1].groups()
    digits = int(number + (decimals or b""))
    if sign == b"-" and digits:
        raise refusal("scale-below-zero")
    return _weighing(digits, len(decimals or b""), spoken.decode().lower(), stable=state.upper() == b"ST")


def _of_words(frame: bytes) -> Weighing:
    point, flags = frame[1] & 0x07, frame[2]
    if flags & 0x04:
        raise refusal("scale-overload")
    if flags & 0x02 and frame[4:10].strip(b" 0"):
        raise refusal("scale-below-zero")
    in_grams = frame[3] & 0x07 == 1
    unit = "g" if in_grams else "kg" if flags & 0x10 else "lb"
    digits = int(frame[4:10].replace(b" ", b"0"))
    # 2: whole units; below it: tens and hundreds; above it: decimals
    return _weighing(digits * 10 ** max(0, 2 - point), max(0, point - 2), unit, stable=not flags & 0x08)


def _weighing(digits: int, places: int, unit: str, *, stable: bool) -> Weighing:
    numerator, denominator = _GRAMS[unit]
    scaled = denominator * 10**places
    grams = (2 * digits * numerator + scaled) // (2 * scaled)
    if grams > MOST_GRAMS:
        raise refusal("scale-overload")
    return Weighing(grams, stable)


WIRES: dict[str, Wire] = {
    "toledo": Wire(b"W", "E", 7, read_toledo),
    "continuous": Wire(b"", "E", 7, read_continuous),
    "lines": Wire(b"", "N", 8, read_lines),
}


# --- the door ---


@dataclass(frozen=True)
class GuardedScale:
    """A plug-in's scale, in one pair of hands at a time."""

    ask: Callable[[], Reading]

    def weigh(self) -> Weighing:
        """Ask it, and believe nothing that cannot be."""
        return read_plugin(self.ask())


def _fits(name: str, made: Any) -> GuardedScale:
    return GuardedScale(Guard(name, most=1).wrap(made.weigh, Reading, ANSWER_S, lambda: refusal("scale-silent")))


SCALES = Door("scales", N_("Scales"), _fits, at=("store",))
