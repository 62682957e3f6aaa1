"""ZVT, the language of card terminals in German-speaking countries, as bytes. Pure.

Rules
-----
1. A message (APDU) is a command of two bytes, a length and its data: a length of 255 and more is FF and two bytes,
   the lower first. Amounts and numbers are BCD.
2. Data is a row of bitmaps: a number of one byte and a value whose length the number settles. What follows a number
   that is not in the list cannot be told apart and is left out.
3. Bitmap 06 holds tags with lengths of their own (TLV).
4. Bytes that are not ZVT raise Unreachable and nothing else.
"""

import re
from dataclasses import dataclass
from typing import Self

from config.errors import Unreachable
from pos.payments.payments import is_card_number

REGISTER, AUTHORISE, REPEAT_RECEIPT, REVERSE, REFUND = 0x0600, 0x0601, 0x0620, 0x0630, 0x0631
END_OF_DAY, STATUS_ENQUIRY, STOP = 0x0650, 0x0501, 0x06B0
STATUS, INTERMEDIATE, COMPLETION, ABORTED, PRINT_LINE, PRINT_BLOCK = 0x040F, 0x04FF, 0x060F, 0x061E, 0x06D1, 0x06D3
ACK, NOT_BOOKED, NOT_KNOWN = 0x8000, 0x8466, 0x8483
"""Acknowledged; not taken over, so the terminal reverses; no such command here."""
ACKS = (ACK, 0x8400)
TIMEOUT, SERVICE, AMOUNT, TLV, TRACE, TIME, DATE = 0x01, 0x03, 0x04, 0x06, 0x0B, 0x0C, 0x0D
CARD_NUMBER, RESULT, ORIGINAL_TRACE, CURRENCY, RECEIPT, CARD_NAME = 0x22, 0x27, 0x37, 0x49, 0x87, 0x8B
_FIXED = {
    TIMEOUT: 1, 0x02: 1, SERVICE: 1, AMOUNT: 6, 0x05: 1, TRACE: 3, TIME: 3, DATE: 2, 0x0E: 2, 0x17: 2, 0x19: 1,
    RESULT: 1, 0x29: 4, 0x2A: 15, ORIGINAL_TRACE: 3, 0x3A: 2, 0x3B: 8, 0x3D: 3, CURRENCY: 2, RECEIPT: 2, 0x88: 3,
    0x8A: 1, 0x8C: 1, 0xA0: 1, 0xAA: 3, 0xBA: 5, 0xD0: 1, 0xD2: 1, 0xD3: 1, 0xE0: 1, 0xF0: 1, 0xF9: 1, 0xFA: 1, 0xFC: 1,
}  # fmt: skip
_COUNTED = {
    **dict.fromkeys((CARD_NUMBER, 0x23, 0x2D, CARD_NAME, 0xA7, 0xD1, *range(0xF1, 0xF9)), 2),
    **dict.fromkeys((0x24, 0x2E, 0x3C, 0x60, 0x92, 0x9A, 0xAF), 3),
}
"""Bitmap -> how many bytes count its value: LLVAR two, LLLVAR three, a decimal digit in the low half of each."""
_NESTED, _MORE_TAG, _TEXT_LINE, _RECEIPT_KIND, _CUSTOMERS = 0x20, 0x1F, 0x07, 0x1F07, 2
_DEEPEST = 8
_LINE_FEED = 0xFF
_RUN = re.compile(r"\d(?:[ -]?\d){12,}")


@dataclass(frozen=True)
class Apdu:
    """A message."""

    command: int
    data: bytes = b""

    def encode(self) -> bytes:
        """Return its bytes."""
        size = len(self.data)
        length = bytes([size]) if size < 0xFF else b"\xff" + size.to_bytes(2, "little")
        return self.command.to_bytes(2, "big") + length + self.data

    @property
    def is_refusal(self) -> bool:
        """Tell whether it refuses the command it answers."""
        return self.command >> 8 == 0x84 and self.command not in ACKS


@dataclass(frozen=True)
class Status:
    """What a terminal says of a transaction. result: 0 for done. original_trace: of what a reversal takes back."""

    result: int
    amount_minor: int | None = None
    currency: int | None = None
    receipt: int | None = None
    trace: int | None = None
    date: int | None = None
    time: int | None = None
    original_trace: int | None = None
    card: str = ""

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read the data of a status information."""
        found = fields(data)
        if RESULT not in found:
            raise garbled()
        numbers = {
            name: from_bcd(found[bitmap]) if bitmap in found else None
            for name, bitmap in (
                ("amount_minor", AMOUNT), ("currency", CURRENCY), ("receipt", RECEIPT), ("trace", TRACE),
                ("date", DATE), ("time", TIME), ("original_trace", ORIGINAL_TRACE),
            )
        }  # fmt: skip
        card = text(found.get(CARD_NAME, b"")), _last_four(found.get(CARD_NUMBER, b""))
        return cls(found[RESULT][0], **numbers, card=" ".join(filter(None, card)))


def garbled() -> Unreachable:
    """Return the refusal of bytes that are not ZVT."""
    return Unreachable("terminal-garbled", "The card terminal sent a response that cannot be read.")


def missing(raw: bytes) -> int:
    """Return how many bytes a message still lacks, at least."""
    if len(raw) < 3:
        return 3 - len(raw)
    start, size = 3, raw[2]
    if size == 0xFF:
        if len(raw) < 5:
            return 5 - len(raw)
        start, size = 5, int.from_bytes(raw[3:5], "little")
    return start + size - len(raw)


def decode(raw: bytes) -> Apdu:
    """Read one whole message."""
    if missing(raw):
        raise garbled()
    return Apdu(int.from_bytes(raw[:2], "big"), raw[5 if raw[2] == 0xFF else 3 :])


def to_bcd(number: int, size: int) -> bytes:
    """Write a number as BCD."""
    return bytes.fromhex(f"{number:0{2 * size}d}")


def from_bcd(raw: bytes) -> int:
    """Read a BCD number."""
    if not (digits := raw.hex()).isdecimal():
        raise garbled()
    return int(digits)


def field(bitmap: int, value: bytes) -> bytes:
    """Write one bitmap."""
    if bitmap == TLV:
        return bytes([TLV]) + _tlv_length(len(value)) + value
    count = _COUNTED.get(bitmap, 0)
    length = bytes(0xF0 | int(digit) for digit in f"{len(value):0{count}d}") if count else b""
    return bytes([bitmap]) + length + value


def fields(data: bytes) -> dict[int, bytes]:
    """Read bitmaps (rule 2); one that comes twice must say the same."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        bitmap, at = data[at], at + 1
        if bitmap == TLV:
            size, at = _read_length(data, at)
        elif bitmap in _COUNTED:
            digits, at = data[at : at + _COUNTED[bitmap]], at + _COUNTED[bitmap]
            if any(digit & 0xF0 != 0xF0 or digit & 0x0F > 9 for digit in digits):
                raise garbled()
            size = int("".join(str(digit & 0x0F) for digit in digits) or "0")
        elif bitmap in _FIXED:
            size = _FIXED[bitmap]
        else:
            break
        value, at = data[at : at + size], at + size
        if at > len(data) or found.setdefault(bitmap, value) != value:
            raise garbled()
    return found


def tag(number: int, value: bytes) -> bytes:
    """Write one tag of bitmap 06."""
    return number.to_bytes(1 if number < 0x100 else 2, "big") + _tlv_length(len(value)) + value


def tags(data: bytes, depth: int = 0) -> list[tuple[int, bytes]]:
    """Read the tags of bitmap 06 in order, each container's own right behind it."""
    found: list[tuple[int, bytes]] = []
    at = 0
    if depth > _DEEPEST:
        raise garbled()
    while at < len(data):
        first = number = data[at]
        at, goes_on = at + 1, first & _MORE_TAG == _MORE_TAG
        while goes_on:
            if at >= len(data) or number > 0xFFFF:
                raise garbled()
            number, goes_on, at = number << 8 | data[at], bool(data[at] & 0x80), at + 1
        size, at = _read_length(data, at)
        if at + size > len(data):
            raise garbled()
        value, at = data[at : at + size], at + size
        found.append((number, value))
        if first & _NESTED:
            found += tags(value, depth + 1)
    return found


def printed(said: Apdu) -> list[str]:
    """Return the lines a terminal wants printed for the customer, cards' numbers masked."""
    if said.command == PRINT_LINE:
        if not said.data:
            raise garbled()
        return [""] if said.data[0] == _LINE_FEED else [masked(text(said.data[1:]))]
    found = tags(fields(said.data).get(TLV, b""))
    kinds = {value[-1:] for number, value in found if number == _RECEIPT_KIND}
    if kinds and kinds != {bytes([_CUSTOMERS])}:
        return []
    return [masked(text(value)) for number, value in found if number == _TEXT_LINE]


def text(raw: bytes) -> str:
    """Read a terminal's text, without what no printer can print."""
    return "".join(letter for letter in raw.decode("cp437") if letter.isprintable()).rstrip()


def masked(words: str) -> str:
    """Return a text in which no card's number has more than its last four digits."""
    letters = list(words)
    for run in _RUN.finditer(words):
        places = [at for at in range(*run.span()) if words[at].isdecimal()]
        for start in range(len(places) - 12):
            for size in range(13, min(19, len(places) - start) + 1):
                part = places[start : start + size]
                if is_card_number("".join(words[at] for at in part)):
                    for at in part[:-4]:
                        letters[at] = "*"
    return "".join(letters)


# --- inside ---


def _tlv_length(size: int) -> bytes:
    if size < 0x80:
        return bytes([size])
    return b"\x81" + bytes([size]) if size < 0x100 else b"\x82" + size.to_bytes(2, "big")


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    """Return the length that is written here, and where its value begins."""
    more = {0x81: 1, 0x82: 2}
    if at >= len(data) or (data[at] >= 0x80 and data[at] not in more):
        raise garbled()
    count = more.get(data[at], 0)
    if at + 1 + count > len(data):
        raise garbled()
    return (int.from_bytes(data[at + 1 : at + 1 + count], "big") if count else data[at]), at + 1 + count


def _last_four(raw: bytes) -> str:
    """Return the last four digits of a card's number, which is BCD with E for a hidden digit and F behind it."""
    digits = raw.hex().rstrip("f")[-4:]
    return digits if digits.isdecimal() and len(digits) == 4 else ""
