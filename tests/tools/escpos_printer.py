#!/usr/bin/env python3
"""A virtual ESC/POS receipt printer: a test double that says what was really printed.

It accepts the raw byte stream a till sends to port 9100, obeys the ESC/POS command set the
way the hardware does (per Epson's command reference and the manuals of common GB18030
printers), and gives back

* a structured transcript: lines with alignment, size, bold, text decoded in the code page
  that was really selected; images, bar codes, QR codes, cuts, drawer pulses, buzzer;
* ``warnings`` - things a real printer does that nobody wants (a line that wraps, a cut
  through the text, ESC @ throwing text away, a bar code too wide to print ...);
* ``unknown`` - every byte sequence that is no command of this printer;
* a PNG picture of the paper.

It also plays the unhappy printer: out of paper (at once or after N lines), near end, cover
open, off-line, cutter jam, mute, slow, dropping the connection after N bytes.

Library:    with VirtualPrinter(paper=80) as p: ...print to p.host, p.port...; p.wait_idle();
            p.text(), p.events("cut"), p.transcript(), p.png("receipt.png")
Stand-alone: python escpos_printer.py --port 9100 --png out/ --json out/
Decode file: python escpos_printer.py --file job.bin --png out/ --json out/

Needs Pillow; draws real QR codes if ``qrcode`` is installed.  No other dependency.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import select
import socket
import struct
import sys
import threading
import time
import unicodedata
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from PIL import Image, ImageDraw, ImageFont

PAPERS = {80: dict(dots=576, paper_dots=640), 58: dict(dots=384, paper_dots=464)}
FONTS = {"A": (12, 24), "B": (9, 17)}  # cell width, height in dots at 203 dpi
KANJI = (24, 24)  # a Chinese character takes two font-A columns
DEFAULT_SPACING = 30  # ESC 2: 1/6 inch at 180 dpi, 3.75 mm at 203 dpi
CUTTER_DISTANCE = 100  # dots between print line and cutter blade (~12.5 mm)

#: Epson's Katakana page, 80h-FFh (Python has no codec for it).
KATAKANA = (
    "▁▂▃▄▅▆▇█▏▎▍▌▋▊▉┼┴┬┤├▔─│▕┌┐└┘╭╮╰╯ "
    + "".join(chr(c) for c in range(0xFF61, 0xFFA0))
    + "═╞╪╡◢◣◥◤♠♥♦♣●○╱╲╳円年月日時分秒〒市区町村人  "
)
#: ESC t n on Epson printers.  None = the page exists but Python has no codec for it.
CODEPAGES: dict[int, Optional[str]] = {
    0: "cp437",
    1: "katakana",
    2: "cp850",
    3: "cp860",
    4: "cp863",
    5: "cp865",
    11: None,
    12: None,
    13: "cp857",
    14: "cp737",
    15: "iso8859_7",
    16: "cp1252",
    17: "cp866",
    18: "cp852",
    19: "cp858",
    20: None,
    21: "cp874",
    26: None,
    30: None,
    31: None,
    32: "cp720",
    33: "cp775",
    34: "cp855",
    35: "cp861",
    36: "cp862",
    37: "cp864",
    38: "cp869",
    39: "iso8859_2",
    40: "iso8859_15",
    41: None,
    42: None,
    43: None,
    44: "cp1125",
    45: "cp1250",
    46: "cp1251",
    47: "cp1253",
    48: "cp1254",
    49: "cp1255",
    50: "cp1256",
    51: "cp1257",
    52: "cp1258",
    53: "kz1048",
    255: None,
}

#: ESC R n: what the twelve national positions print as.
_NATIONAL_KEYS = "#$@[\\]^`{|}~"
NATIONAL = {
    0: "#$@[\\]^`{|}~",
    1: "#$à°ç§^`éùè¨",
    2: "#$§ÄÖÜ^`äöüß",
    3: "£$@[\\]^`{|}~",
    4: "#$@ÆØÅ^`æøå~",
    5: "#¤ÉÄÖÅÜéäöåü",
    6: "#$@°\\é^ùàòèì",
    7: "₧$@¡Ñ¿^`¨ñ}~",
    8: "#$@[¥]^`{|}~",
    9: "#¤ÉÆØÅÜéæøåü",
    10: "#$ÉÆØÅÜéæøåü",
    11: "#$á¡Ñ¿é`íñóú",
    12: "#$á¡Ñ¿éüíñóú",
    13: "#$@[₩]^`{|}~",
    14: "#$ŽŠĐĆČžšđćč",
    15: "#¥@[\\]^`{|}~",
}

BARCODE_NAMES = [
    "UPC-A",
    "UPC-E",
    "EAN13",
    "EAN8",
    "CODE39",
    "ITF",
    "CODABAR",
    "CODE93",
    "CODE128",
    "GS1-128",
    "GS1 DataBar Omni",
    "GS1 DataBar Truncated",
    "GS1 DataBar Limited",
    "GS1 DataBar Expanded",
]


# ------------------------------------------------------------------------------ bar codes
_EAN_L = "0001101 0011001 0010011 0111101 0100011 0110001 0101111 0111011 0110111 0001011".split()
_EAN_PARITY = "LLLLLL LLGLGG LLGGLG LLGGGL LGLLGG LGGLLG LGGGLL LGLGLG LGLGGL LGGLGL".split()
_C128 = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 "
    "122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 "
    "321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 "
    "211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 "
    "213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 "
    "121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 "
    "241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 "
    "412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 "
    "211214 211232 2331112"
).split()
_C39_KEYS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"


def gtin_check_digit(digits: str) -> int:
    """Check digit of an EAN/UPC number given without it."""
    return -sum(int(d) * (3, 1)[i % 2] for i, d in enumerate(reversed(digits))) % 10


def _code128(data: bytes) -> tuple[str, list[int]]:
    """Decode the '{A'/'{B'/'{C' notation of GS k: (plain text, symbol values)."""
    if len(data) < 2 or data[:2] not in (b"{A", b"{B", b"{C"):
        raise ValueError("CODE128 data must begin with {A, {B or {C: the printer prints nothing")
    codeset, values, text, i = chr(data[1]), [{"A": 103, "B": 104, "C": 105}[chr(data[1])]], "", 2
    while i < len(data):
        c = data[i]
        if c == 0x7B:  # '{' introduces a function
            if i + 1 >= len(data):
                raise ValueError("CODE128 data ends in '{'")
            f, i = chr(data[i + 1]), i + 2
            if f in "ABC":
                values.append({"A": 101, "B": 100, "C": 99}[f])
                codeset = f
            elif f in "1234":
                values.append({"1": 102, "2": 97, "3": 96, "4": {"A": 101, "B": 100, "C": 99}[codeset]}[f])
            elif f == "{":
                values.append(ord("{") - 32)
                text += "{"
            else:
                raise ValueError(f"CODE128: unknown function {{{f}")
            continue
        if codeset == "C":
            if c > 99:
                raise ValueError(f"CODE128 set C takes bytes 0-99 (one byte per digit pair), got {c:#04x}")
            values.append(c)
            text += f"{c:02d}"
        elif codeset == "A":
            if c > 95:
                raise ValueError("CODE128 set A has no lower case letters")
            values.append(c - 32 if c >= 32 else c + 64)
            text += chr(c)
        else:
            if not 32 <= c <= 127:
                raise ValueError(f"CODE128 set B cannot hold {c:#04x}")
            values.append(c - 32)
            text += chr(c)
        i += 1
    values.append((values[0] + sum(i * v for i, v in enumerate(values))) % 103)
    return text, values + [106]


def encode_barcode(kind: str, data: bytes, module: int) -> tuple[str, Optional[str], Optional[int]]:
    """Validate like the printer does.  Returns (plain text, bit pattern one char per dot or None
    when this tool cannot draw that symbology, width in dots or None).  ValueError = not printed."""
    text = data.decode("ascii", "replace")
    if kind in ("EAN13", "EAN8", "UPC-A"):
        size = {"EAN13": 13, "EAN8": 8, "UPC-A": 12}[kind]
        if not text.isdigit() or len(text) not in (size - 1, size):
            raise ValueError(f"{kind} takes {size - 1} or {size} digits, got {text!r}")
        check = str(gtin_check_digit(text[: size - 1]))
        if len(text) == size and text[-1] != check:
            raise ValueError(f"{kind} check digit of {text} is wrong, it should be {check}")
        text = text[: size - 1] + check
        digits = text if kind != "UPC-A" else "0" + text
        r_code = [p.translate(str.maketrans("01", "10")) for p in _EAN_L]
        g_code = [p[::-1] for p in r_code]
        if kind == "EAN8":
            left, right = "".join(_EAN_L[int(d)] for d in digits[:4]), digits[4:]
        else:
            left = "".join(
                (_EAN_L if p == "L" else g_code)[int(d)] for d, p in zip(digits[1:7], _EAN_PARITY[int(digits[0])])
            )
            right = digits[7:]
        bits = "101" + left + "01010" + "".join(r_code[int(d)] for d in right) + "101"
        bits = "".join(b * module for b in bits)
        return text, bits, len(bits)
    if kind in ("CODE128", "GS1-128"):
        text, values = _code128(data)
        bits = "".join(("1" if i % 2 == 0 else "0") * (int(w) * module) for v in values for i, w in enumerate(_C128[v]))
        return text, bits, len(bits)
    wide = math.floor(module * 2.5 + 0.5)  # CODE39 and ITF: width only, drawn as a box
    if kind == "CODE39":
        text = text[1:-1] if len(text) > 2 and text[0] == text[-1] == "*" else text
        if not text or any(c not in _C39_KEYS for c in text):
            raise ValueError(f"CODE39 cannot hold {text!r}")
        return text, None, (len(text) + 2) * (6 * module + 3 * wide) + (len(text) + 1) * module
    if kind == "ITF":
        if not text.isdigit() or len(text) % 2:
            raise ValueError(f"ITF takes an even number of digits, got {text!r}")
        return text, None, len(text) * (3 * module + 2 * wide) + 6 * module + wide
    return text, None, None


# ------------------------------------------------------------------------------ state
@dataclass
class Status:
    """The physical state of the machine.  Change it at any time from the test."""

    paper: str = "ok"  # "ok", "near_end", "out"
    cover_open: bool = False
    offline: bool = False  # any other reason, e.g. the user pressed a button
    cutter_error: bool = False
    drawer_open: bool = False
    drawer_open_level: int = 1  # level of drawer sensor pin 3 when open (depends on drawer)
    mute: bool = False  # answers nothing at all (many clones, or one-way cables)
    lines_left: Optional[int] = None  # paper runs out after this many more lines

    @property
    def ready(self) -> bool:
        return not (self.paper == "out" or self.cover_open or self.offline or self.cutter_error)

    def _drawer(self) -> int:
        return self.drawer_open_level if self.drawer_open else 1 - self.drawer_open_level

    def dle_eot(self, n: int) -> bytes:
        """Answer to DLE EOT n (real-time status)."""
        out = self.paper == "out"
        return bytes(
            [
                0x12
                | {
                    1: 0x04 * self._drawer() | 0x08 * (not self.ready),
                    2: 0x04 * self.cover_open | 0x20 * out | 0x40 * self.cutter_error,
                    3: 0x08 * self.cutter_error,
                    4: 0x0C * (self.paper != "ok") | 0x60 * out,
                }[n]
            ]
        )

    def gs_r(self, n: int) -> bytes:
        """Answer to GS r n (status queued with the print data)."""
        if n == 1:
            return bytes([0x03 * (self.paper != "ok") | 0x0C * (self.paper == "out")])
        return bytes([self._drawer()])

    def asb(self) -> bytes:
        """The four bytes of Automatic Status Back (GS a)."""
        return bytes(
            [
                0x10 | 0x04 * self._drawer() | 0x08 * (not self.ready) | 0x20 * self.cover_open,
                0x08 * self.cutter_error,
                0x03 * (self.paper != "ok") | 0x0C * (self.paper == "out"),
                0,
            ]
        )


@dataclass
class Cell:
    """One character (or in-line bit image) in the line buffer."""

    char: str
    x: int
    width: int
    height: int
    style: dict
    image: Optional[Image.Image] = None


@dataclass
class Ticket:
    """The paper between two cuts."""

    items: list[dict] = field(default_factory=list)
    cut: Optional[str] = None
    height: int = 0


class _Incomplete(Exception):
    """More bytes are needed to finish the current command."""


_COMMANDS: dict[bytes, tuple[int, Callable]] = {}  # code -> number of parameter bytes, handler


def _command(code: bytes, args: int = 0):
    """Register a handler for a command prefix followed by ``args`` parameter bytes."""

    def wrap(func):
        _COMMANDS[code] = (args, func)
        return func

    return wrap


ESC, FS, GS, DLE = b"\x1b", b"\x1c", b"\x1d", b"\x10"

#: Commands that are read with the right number of parameter bytes but change nothing we report.
_NO_EFFECT = {
    b"\x00": 0,
    b"\x18": 0,
    b"\r": 0,
    FS + b"C": 1,
    GS + b"P": 2,
    **{ESC + c: 1 for c in (b"?", b"%", b"U", b"V", b"r", b"c0", b"c1", b"c3", b"c4", b"c5")},
    **{GS + c: 1 for c in (b"b", b"f", b"|")},
}


class Interpreter:
    """Parses the byte stream and builds the transcript.  Knows nothing about sockets."""

    def __init__(
        self,
        paper: int = 80,
        model: str = "chinese",
        *,
        status: Optional[Status] = None,
        reply: Optional[Callable[[bytes], None]] = None,
        codepages: Optional[dict] = None,
        four_byte: bool = False,
        esc_bang_scales_kanji: bool = False,
        cutter_distance: int = CUTTER_DISTANCE,
    ):
        """model "chinese": GB18030 font, Chinese mode on after power-on and ESC @ (as the manuals
        of such printers say); "western": no Chinese font.  four_byte: prints four-byte GB18030
        codes (most hardware does not).  esc_bang_scales_kanji: ESC ! sizes also act on Chinese
        characters (some clones; on Epson-type printers only bold does)."""
        if model not in ("chinese", "western"):
            raise ValueError("model must be 'chinese' or 'western'")
        self.paper, self.dots, self.model = paper, PAPERS[paper]["dots"], model
        self.columns = self.dots // FONTS["A"][0]
        self.status = status or Status()
        self.reply = reply or (lambda data: None)
        self.codepages = CODEPAGES if codepages is None else codepages
        self.four_byte, self.esc_bang_scales_kanji = four_byte, esc_bang_scales_kanji
        self.cutter_distance = cutter_distance
        self.tickets: list[Ticket] = [Ticket()]
        self.event_log: list[dict] = []
        self.warnings: list[dict] = []
        self.unknown: list[dict] = []
        self.raw = bytearray()
        self._buf, self._tail, self._offset, self._pos = bytearray(), b"", 0, 0
        self._realtime: set[int] = set()  # offsets of real-time commands already executed
        self._asb: Optional[bytes] = None  # last Automatic Status Back sent, None = off
        self.incomplete = False  # waiting for the rest of a command
        self._reset()

    def _reset(self) -> None:
        """Power-on state, also the effect of ESC @."""
        self.font, self.bold, self.double_strike, self.underline = "A", False, False, 0
        self.w = self.h = self.kw = self.kh = 1  # size of 1-byte and of Chinese characters
        self.k_underline, self.invert, self.upside_down = 0, False, False
        self.align, self.codepage, self.national = "left", 0, 0
        self.kanji, self.utf8 = self.model == "chinese", False
        self.spacing, self.right_space, self.k_space = DEFAULT_SPACING, 0, (0, 0)
        self.margin, self.area = 0, self.dots
        self.tabs = [8 * i * FONTS["A"][0] for i in range(1, 32)]
        self.bc_height, self.bc_width, self.hri = 162, 3, 0
        self.qr: dict[str, Any] = dict(model=2, size=3, ec="L", data=None)
        self.graphics: Optional[tuple] = None
        self.cells: list[Cell] = []
        self.x = 0
        self.display: Optional[bytearray] = None  # bytes for a customer display (ESC = 2)

    # ---- input -------------------------------------------------------------------------
    def feed(self, data: bytes) -> None:
        """Receive bytes and obey as many as possible."""
        self.receive(data)
        self.process()

    def receive(self, data: bytes) -> None:
        """Put bytes into the receive buffer; real-time commands act at once, wherever they are."""
        base = len(self.raw) - len(self._tail)
        window, self._tail = self._tail + data, (self._tail + data)[-4:]
        new_from = len(window) - len(data)
        self.raw += data
        i = window.find(DLE)
        while i >= 0:
            seq = window[i : i + 5]
            length = (
                3
                if seq[1:2] == b"\x04" and seq[2:3] in (b"\x01", b"\x02", b"\x03", b"\x04")
                else 3
                if seq[1:2] == b"\x05"
                else 5
                if seq[1:3] == b"\x14\x01" and len(seq) == 5
                else 0
            )
            if length and len(seq) >= length and i + length > new_from:
                self._realtime.add(base + i)
                if seq[1] == 4:
                    answer = self.status.dle_eot(seq[2])
                    self._event("status", command=f"DLE EOT {seq[2]}", answer=answer.hex(), muted=self.status.mute)
                    self._send(answer)
                elif seq[1] == 5:
                    self._event("recover", command=f"DLE ENQ {seq[2]}")
                elif not self.status.cutter_error:
                    self._pulse(seq[3], seq[4] * 50, None, "DLE DC4")
            i = window.find(DLE, i + 1)
        self._buf += data

    @property
    def stalled(self) -> bool:
        return not self.status.ready

    @property
    def pending(self) -> int:
        return len(self._buf)

    def process(self, limit: Optional[int] = None) -> int:
        """Obey buffered commands until the buffer is empty, the printer stalls (paper out ...),
        a command is incomplete, or about ``limit`` bytes are done.  Returns bytes consumed."""
        done, self.incomplete = 0, False
        while self._buf and not self.stalled and (limit is None or done < limit):
            self._pos = 0
            try:
                self._step()
            except _Incomplete:
                self.incomplete = True
                break
            del self._buf[: self._pos]
            self._offset += self._pos
            done += self._pos
            for off in [o for o in self._realtime if o < self._offset]:
                self._realtime.discard(off)
                self._warn(
                    "realtime-in-data",
                    f"bytes at {off} inside other data look like a DLE command; "
                    "the printer answered it as a real-time request",
                )
        return done

    def end_of_connection(self) -> None:
        """Called when the peer has gone: report what a printer would be left with."""
        if self._buf and not self.stalled:
            self._warn(
                "incomplete-command",
                f"the data ended inside a command ({bytes(self._buf[:8]).hex(' ')} ...); "
                "the printer waits for the rest and will swallow the start of the next job",
            )
        elif self.cells:
            self._warn(
                "unprinted-line",
                "the job ended without a line feed: "
                f"{self._line_text()!r} stays in the line buffer and prints with the next job",
            )

    def poll_status(self) -> None:
        """Automatic Status Back: tell the host if the status has changed."""
        if self._asb is not None and self._asb != self.status.asb():
            self._asb = self.status.asb()
            self._send(self._asb)

    def _take(self, n: int) -> bytes:
        if self._pos + n > len(self._buf):
            raise _Incomplete
        self._pos += n
        return bytes(self._buf[self._pos - n : self._pos])

    def _send(self, data: bytes) -> None:
        if not self.status.mute:
            self.reply(data)

    def _warn(self, code: str, message: str) -> None:
        last = self.warnings[-1] if self.warnings else None
        if last and last["code"] == code and code in ("undefined-char", "bad-gb18030", "kanji-size"):
            last["count"] = last.get("count", 1) + 1  # one entry for a row of the same thing
        else:
            self.warnings.append(dict(code=code, offset=self._offset, message=message))

    def _event(self, kind: str, **data) -> dict:
        event = dict(event=kind, ticket=len(self.tickets) - 1, **data)
        self.event_log.append(event)
        return event

    def _unknown(self, seq: bytes, why: str = "unknown command") -> None:
        last = self.unknown[-1] if self.unknown else None
        if last and last["end"] == self._offset and last["message"] == why:  # a row of garbage is one entry
            last["end"] += self._pos
            last["hex"] += " " + seq.hex(" ") if len(last["hex"]) < 60 else ""
            return
        self.unknown.append(dict(offset=self._offset, end=self._offset + self._pos, hex=seq.hex(" "), message=why))
        self._item(dict(type="unknown", hex=seq.hex(" "), message=why), 0)

    def _step(self) -> None:
        """Obey one command or print one character."""
        if self.display is not None:
            return self._display_byte()
        first = self._take(1)
        if first >= b" " and first != b"\x7f":
            return self._text_byte(first[0])
        code = first
        if first in (ESC, FS, GS, DLE):
            code = first + self._take(1)
            if code in (GS + b"(", ESC + b"(", FS + b"("):  # all carry a 16-bit length
                func = self._take(1)
                body = self._take(struct.unpack("<H", self._take(2))[0])
                return self._extended(code + func, body)
            if code + bytes(self._buf[self._pos : self._pos + 1]) in _LONG_CODES:
                code += self._take(1)
            elif any(c[:2] == code for c in _LONG_CODES) and code not in _COMMANDS and self._pos >= len(self._buf):
                raise _Incomplete
        if code in _COMMANDS:
            nargs, func = _COMMANDS[code]
            return func(self, *self._take(nargs))
        if code in _NO_EFFECT:
            self._take(_NO_EFFECT[code])
            return None
        return self._unknown(code)

    # ---- text --------------------------------------------------------------------------
    def _text_byte(self, b: int) -> None:
        if self.utf8 and b >= 0x80:
            n = 2 if b >> 5 == 6 else 3 if b >> 4 == 14 else 4 if b >> 3 == 30 else 1
            seq = bytes([b]) + self._take(n - 1)
            char = seq.decode("utf-8", "replace")[0]
            wide = unicodedata.east_asian_width(char) in "WF"
            return self._put(char, wide, "utf-8")
        if self.kanji and 0x81 <= b <= 0xFE:
            trail = self._take(1)[0]
            if 0x40 <= trail <= 0xFE and trail != 0x7F:
                try:
                    return self._put(bytes([b, trail]).decode("gb18030"), True, "gb18030")
                except UnicodeDecodeError:
                    self._warn("bad-gb18030", f"{b:02x} {trail:02x} is no GB18030 character: prints a blank")
                    return self._put("\ufffd", True, "gb18030")
            rest = bytes(self._buf[self._pos : self._pos + 2])
            if 0x30 <= trail <= 0x39 and len(rest) < 2:
                raise _Incomplete
            if 0x30 <= trail <= 0x39 and 0x81 <= rest[0] <= 0xFE and 0x30 <= rest[1] <= 0x39:
                four = bytes([b, trail]) + self._take(2)
                char = four.decode("gb18030", "replace")[0]
                if self.four_byte:
                    return self._put(char, True, "gb18030")
                self._warn(
                    "gb18030-four-byte",
                    f"{char!r} was sent as four-byte GB18030 {four.hex(' ')}; printers "
                    f"with a two-byte font print {chr(four[1])!r} and {chr(four[3])!r} with blanks instead",
                )
                for c in ("\ufffd", chr(four[1]), "\ufffd", chr(four[3])):
                    self._put(c, False, "gb18030")
                return None
            self._pos -= 1
            self._warn(
                "bad-gb18030",
                f"byte {b:02x} is followed by {trail:02x}: not a Chinese character; was a "
                "one-byte code page meant?  Send FS . before it",
            )
            return self._put("\ufffd", False, "gb18030")
        codec = self.codepages.get(self.codepage)
        if b < 0x80:
            char = dict(zip(_NATIONAL_KEYS, NATIONAL[self.national])).get(chr(b), chr(b))
        else:
            try:
                if codec is None:
                    raise LookupError
                char = (
                    KATAKANA[b - 128]
                    if codec == "katakana"
                    else "€"
                    if (codec, b) == ("cp857", 0xD5)
                    else bytes([b]).decode(codec)
                )
            except (UnicodeDecodeError, LookupError):
                self._warn("undefined-char", f"byte {b:02x} is not defined in code page {self.codepage} ({codec})")
                char = "\ufffd"
        return self._put(char, False, codec or f"page {self.codepage}")

    def _put(self, char: str, wide: bool, encoding: str) -> None:
        w, h = (self.kw, self.kh) if wide else (self.w, self.h)
        if wide and not self.esc_bang_scales_kanji and (self.kw, self.kh) != (self.w, self.h):
            self._warn(
                "kanji-size",
                f"Chinese text prints {self.kw}x{self.kh} while Latin text is {self.w}x{self.h}: "
                "ESC ! sizes only one-byte characters, use GS ! (or FS !) for both",
            )
        cell_w, cell_h = KANJI if wide else FONTS[self.font]
        left, right = self.k_space if wide else (0, self.right_space)
        style = dict(
            font="kanji" if wide else self.font,
            bold=self.bold or self.double_strike,
            underline=self.k_underline if wide else self.underline,
            size=[w, h],
            invert=self.invert,
            encoding=encoding,
        )
        if self.upside_down:
            style["upside_down"] = True
        width = (cell_w + left + right) * w
        if self.x + width > self.area and self.cells:
            self._warn("wrap", f"the line is full at {self._line_text()!r}: {char!r} goes to a new line")
            self._print_line(wrapped=True)
        self.cells.append(Cell(char, self.x + left * w, width, cell_h * h, style))
        self.x += width

    def _line_text(self) -> str:
        """The line as plain text; gaps made by tabs and positioning become spaces."""
        text, x = "", 0
        for cell in sorted(self.cells, key=lambda c: c.x):
            gap = cell.x - x
            if gap >= 6:
                text += " " * max(1, round(gap / FONTS["A"][0]))
            text += cell.char
            x = cell.x + cell.width
        return text

    def _item(self, item: dict, height: int) -> dict:
        ticket = self.tickets[-1]
        item["y"] = ticket.height
        ticket.items.append(item)
        ticket.height += height
        return item

    def _print_line(self, wrapped: bool = False, feed: Optional[int] = None) -> None:
        """Print the line buffer and advance; an empty buffer advances one line."""
        cells, height = self.cells, max([c.height for c in self.cells], default=0)
        advance = max(height, self.spacing if feed is None else feed)
        runs: list[dict] = []
        for c in cells:
            if c.image is not None:
                runs.append(dict(type="bit image", x=c.x, width=c.image.width, height=c.image.height))
            elif runs and runs[-1].get("style") == c.style and runs[-1]["end"] == c.x:
                runs[-1]["text"] += c.char
                runs[-1]["end"] = c.x + c.width
            else:
                runs.append(dict(text=c.char, x=c.x, end=c.x + c.width, style=c.style))
        width = max([c.x + c.width for c in cells], default=0)
        text_runs = [r["style"] for r in runs if "style" in r]
        item = dict(
            type="line",
            text=self._line_text(),
            align=self.align,
            columns=math.ceil(width / FONTS["A"][0]),
            bold=bool(text_runs) and all(s["bold"] for s in text_runs),
            size=[max([s["size"][i] for s in text_runs], default=1) for i in (0, 1)],
            wrapped=wrapped,
            runs=[{**{k: v for k, v in r.items() if k not in ("style", "end")}, **r.get("style", {})} for r in runs],
            _cells=cells,
            _left=self.margin + self._aligned(width),
            _height=height,
        )
        self.cells, self.x = [], 0
        self._item(item, advance)
        if self.status.lines_left is not None:
            self.status.lines_left -= 1
            if self.status.lines_left <= 0:
                self.status.lines_left, self.status.paper = None, "out"

    def _aligned(self, width: int) -> int:
        free = max(0, self.area - width)
        return {"left": 0, "center": free // 2, "right": free}[self.align]

    def _at_line_start(self, what: str) -> bool:
        if self.cells:
            self._warn(
                "not-at-line-start",
                f"{what} while {self._line_text()!r} waits in the line buffer: "
                "the printer ignores it there; send LF first",
            )
        return not self.cells

    def _display_byte(self) -> None:
        """The customer display is selected: everything goes there until ESC = with bit 0 set."""
        b = self._take(1)
        if b == ESC and self._take(1) == b"=":
            if self._take(1)[0] & 1:
                self._event(
                    "display",
                    hex=bytes(self.display).hex(" "),
                    text="".join(chr(c) for c in self.display if 32 <= c < 127),
                )
                self.display = None
            return
        self.display += bytes(self._buf[: self._pos])

    # ---- images and symbols ----------------------------------------------------------------
    def _image(self, img: Image.Image, command: str, scale: tuple[int, int] = (1, 1)) -> None:
        """A block image: printed at once, aligned, cut off at the edge of the print area."""
        data = hashlib.sha1(img.tobytes()).hexdigest()[:12]
        full = img.resize((img.width * scale[0], img.height * scale[1]), Image.NEAREST)
        if full.width > self.area:
            self._warn(
                "image-too-wide", f"image of {full.width} dots on a print area of {self.area}: cut off on the right"
            )
            full = full.crop((0, 0, self.area, full.height))
        black = 1 - sum(img.convert("L").histogram()[128:]) / max(1, img.width * img.height)
        self._item(
            dict(
                type="image",
                command=command,
                width=img.width,
                height=img.height,
                scale=list(scale),
                align=self.align,
                black=round(black, 3),
                sha1=data,
                _image=full,
                _left=self.margin + self._aligned(full.width),
            ),
            full.height,
        )
        self._event("image", command=command, width=img.width, height=img.height, sha1=data)

    @staticmethod
    def _bitmap(width_bytes: int, height: int, data: bytes) -> Image.Image:
        """One bit per dot, 1 = black, as ESC/POS has it; PIL's mode '1' has 1 = white."""
        return Image.frombytes("1", (width_bytes * 8, height), bytes(b ^ 0xFF for b in data))

    def _symbol(
        self, kind: str, img: Optional[Image.Image], ok: bool, width: Optional[int], height: int, **data
    ) -> None:
        if ok and width is not None and width > self.area:
            ok, data["reason"] = False, f"{width} dots wide, the print area has {self.area}: the printer prints nothing"
        if not ok:
            self._warn(
                f"{kind}-not-printed", f"{data.get('symbology', kind)} {data.get('data')!r}: {data.get('reason')}"
            )
        if img is None and ok:  # a symbology we cannot draw
            img = Image.new("1", (min(width or 240, self.area), height), 1)
            ImageDraw.Draw(img).rectangle((0, 0, img.width - 1, height - 1), outline=0)
        height = height if ok else 0
        self._item(
            dict(
                type=kind,
                printed=ok,
                align=self.align,
                width=width,
                height=height,
                **data,
                _image=img if ok else None,
                _left=self.margin + self._aligned(img.width if ok and img else 0),
            ),
            height,
        )
        self._event(kind, printed=ok, **data)

    def _barcode(self, m: int, data: bytes) -> None:
        index = m - 65 if m >= 65 else m
        if index >= len(BARCODE_NAMES):
            return self._unknown(GS + b"k" + bytes([m]), "bar code system not known")
        self._at_line_start("GS k")
        kind, reason, text, bits, width = BARCODE_NAMES[index], None, data.decode("latin-1"), None, None
        try:
            text, bits, width = encode_barcode(kind, data, self.bc_width)
        except ValueError as err:
            reason = str(err)
        hri = {0: [], 1: ["above"], 2: ["below"], 3: ["above", "below"]}[self.hri]
        img, height = None, self.bc_height + 24 * len(hri)
        if bits:
            img = Image.new("1", (len(bits), height), 1)
            top = 24 if "above" in hri else 0
            bars = Image.new("1", (len(bits), 1), 1)
            bars.putdata([0 if b == "1" else 255 for b in bits])
            img.paste(bars.resize((len(bits), self.bc_height)), (0, top))
            for place in hri:
                _draw_text(
                    img, text, (img.width - 12 * len(text)) // 2, 0 if place == "above" else top + self.bc_height
                )
        return self._symbol(
            "barcode",
            img,
            reason is None,
            width,
            height,
            symbology=kind,
            data=text,
            raw=data.hex(),
            hri="+".join(hri) or "off",
            module=self.bc_width,
            bar_height=self.bc_height,
            **({"reason": reason} if reason else {}),
        )

    def _print_qr(self) -> None:
        self._at_line_start("QR print")
        data = self.qr["data"]
        if data is None:
            return self._warn("qr-not-printed", "QR print (fn 81) without stored data (fn 80)")
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = data.decode("latin-1")
        img, width, extra = None, None, {}
        size = self.qr["size"]
        try:
            import qrcode

            code = qrcode.QRCode(error_correction=dict(L=1, M=0, Q=3, H=2)[self.qr["ec"]], box_size=1, border=0)
            code.add_data(data, optimize=20)
            code.make(fit=True)
            matrix = code.get_matrix()
            img = Image.new("1", (len(matrix), len(matrix)))
            img.putdata([0 if v else 255 for row in matrix for v in row])
            img = img.resize((len(matrix) * size,) * 2, Image.NEAREST)
            width, extra["version"] = img.width, code.version
        except ImportError:
            pass
        except ValueError as err:  # too much data for any version
            return self._symbol("qr", None, False, None, 0, data=text, reason=str(err))
        return self._symbol(
            "qr",
            img,
            True,
            width,
            width or 120,
            data=text,
            ec=self.qr["ec"],
            module=size,
            model=self.qr["model"],
            **extra,
        )

    def _extended(self, code: bytes, body: bytes) -> None:
        """GS ( x, ESC ( x, FS ( x with a length field."""
        if code == GS + b"(k" and len(body) >= 2:
            cn, fn, rest = body[0], body[1], body[2:]
            if cn == 49 and fn == 65 and rest:
                self.qr["model"] = {49: 1, 50: 2, 51: "micro"}.get(rest[0], rest[0])
            elif cn == 49 and fn == 67 and rest and 1 <= rest[0] <= 16:
                self.qr["size"] = rest[0]
            elif cn == 49 and fn == 69 and rest and 48 <= rest[0] <= 51:
                self.qr["ec"] = "LMQH"[rest[0] - 48]
            elif cn == 49 and fn == 80 and len(rest) > 1:
                self.qr["data"] = rest[1:]
            elif cn == 49 and fn == 81:
                self._print_qr()
            else:
                self._unknown(code + body[:4], f"2D symbol cn={cn} fn={fn} not supported")
        elif code == GS + b"(L" and len(body) >= 2:
            self._graphics(body, "GS ( L")
        elif code == GS + b"(H" and body[:2] == b"00" and len(body) == 6:  # process id request
            self._event("process_id", id=body[2:].decode("latin-1"))
            self._send(b"\x37\x22" + body[2:] + b"\x00")
        elif code == ESC + b"(A":
            self._event("buzzer", command="ESC ( A", data=body.hex(" "))
        elif code == FS + b"(C" and len(body) == 2 and body[0] == 48:  # character encoding
            self.utf8 = body[1] in (2, 50)
        elif code in (FS + b"(C", FS + b"(A", GS + b"(E", GS + b"(K", GS + b"(D", GS + b"(N"):
            pass  # font, setup: no visible effect
        else:
            self._unknown(code + struct.pack("<H", len(body)) + body[:8])

    def _graphics(self, body: bytes, name: str) -> None:
        fn = body[1]
        if fn == 112 and len(body) >= 10:
            _, by_x, by_y, _, x, y = struct.unpack("<4B2H", body[2:10])
            data, need = body[10:], (x + 7) // 8 * y
            if len(data) != need:
                self._warn(
                    "image-length",
                    f"{name}: image {x}x{y} needs {need} bytes but the length field covers {len(data)}; "
                    "the rest prints as garbage",
                )
                data = (data + bytes(need))[:need]
            self.graphics = (self._bitmap((x + 7) // 8, y, data).crop((0, 0, x, y)), (by_x, by_y))
        elif fn in (2, 50):
            self._at_line_start("graphics print")
            if self.graphics:
                self._image(self.graphics[0], name, self.graphics[1])
            self.graphics = None
        else:
            self._unknown(GS + b"(L" + body[:6], f"{name} function {fn} not supported")

    def _feed(self, dots: int) -> None:
        """Print the line buffer and feed so many dots (measured from that line)."""
        if self.cells:
            self._print_line(feed=dots)
        elif dots:
            self._item(dict(type="feed", dots=dots), dots)

    def _pulse(self, m: int, on_ms: int, off_ms: Optional[int], command: str) -> None:
        pin = {0: 2, 48: 2, 1: 5, 49: 5}.get(m)
        if pin is None:
            return self._unknown(ESC + b"p" + bytes([m]), "drawer connector number must be 0 or 1")
        event = self._event("drawer", pin=pin, on_ms=on_ms, off_ms=off_ms, command=command)
        self._item(dict(type="drawer", **{k: v for k, v in event.items() if k not in ("event", "ticket")}), 0)
        self.status.drawer_open = True
        if on_ms == 0:
            self._warn("drawer-pulse", "drawer pulse of 0 ms: the drawer will not open")
        return None

    def _cut(self, mode: str, feed: Optional[int], command: str) -> None:
        if not self._at_line_start(command):
            return
        ticket = self.tickets[-1]
        if feed is None:  # no automatic feed to the blade
            printed = [i for i in ticket.items if i["type"] in ("image", "qr", "barcode") or i.get("_cells")]
            bottom = max(
                [i["y"] + i.get("_height", 0) + (i["_image"].height if i.get("_image") else 0) for i in printed],
                default=None,
            )
            if bottom is not None and ticket.height - bottom < self.cutter_distance:
                self._warn(
                    "cut-through-text",
                    f"{command} only {ticket.height - bottom} dots after the last print, the blade is "
                    f"{self.cutter_distance} dots away: it cuts through the receipt; feed first or use GS V 66 0",
                )
        else:
            self._item(dict(type="feed", dots=self.cutter_distance + feed), self.cutter_distance + feed)
        self._item(dict(type="cut", mode=mode, command=command), 0)
        self._event("cut", mode=mode, command=command)
        ticket.cut = mode
        self.tickets.append(Ticket())

    # ---- results -----------------------------------------------------------------------------
    def transcript(self) -> dict:
        """Everything that happened, as JSON-compatible data."""
        tickets = [t for t in self.tickets if t.items]
        return dict(
            paper=dict(mm=self.paper, dots=self.dots, columns=self.columns),
            model=self.model,
            tickets=[
                dict(
                    cut=t.cut,
                    height_dots=t.height,
                    text=self.ticket_text(t),
                    items=[{k: v for k, v in i.items() if not k.startswith("_")} for i in t.items],
                )
                for t in tickets
            ],
            events=list(self.event_log),
            warnings=list(self.warnings),
            unknown=list(self.unknown),
            bytes_received=len(self.raw),
            bytes_pending=self.pending,
            line_buffer=self._line_text(),
        )

    def ticket_text(self, ticket: Ticket) -> str:
        """The ticket on a character grid: centred and right-aligned lines are padded."""
        out = []
        for item in ticket.items:
            if item["type"] == "line":
                out.append((" " * round(item["_left"] / FONTS["A"][0]) + item["text"]).rstrip())
            elif item["type"] == "feed":
                out += [""] * round(item["dots"] / DEFAULT_SPACING)
            elif item["type"] in ("image", "qr", "barcode"):
                what = item.get("data") or f"{item['width']}x{item['height']}"
                out.append(f"[{item['type']} {what}]")
        return "\n".join(out).rstrip("\n") + "\n" if out else ""

    def render(self, ticket: Ticket, annotate: bool = True) -> Image.Image:
        """Picture of the paper, one pixel per dot; notes in colour are not on the paper."""
        paper_dots = PAPERS[self.paper]["paper_dots"]
        left = (paper_dots - self.dots) // 2
        img = Image.new("RGB", (paper_dots, ticket.height + 40), "white")
        draw = ImageDraw.Draw(img)
        for item in ticket.items:
            y = item["y"] + 12
            if item["type"] == "line":
                for cell in item["_cells"]:  # one base line for all sizes
                    self._draw_cell(img, cell, left + item["_left"] + cell.x, y + item["_height"] - cell.height)
                if item["wrapped"] and annotate:
                    draw.text((paper_dots - 22, y), "↩", fill="red", font=_font(20))
            elif item.get("_image") is not None:
                img.paste(item["_image"].convert("RGB"), (left + item["_left"], y))
            elif annotate and item["type"] == "drawer":
                draw.text((2, y), f"drawer pin {item['pin']}", fill="blue", font=_font(14))
            elif annotate and item["type"] == "unknown":
                draw.text((2, y), f"?? {item['hex']}", fill="red", font=_font(14))
            elif annotate and item["type"] in ("qr", "barcode") and not item["printed"]:
                draw.text((2, y), f"{item['type']} not printed", fill="red", font=_font(14))
            elif item["type"] == "cut":
                for x in range(0, paper_dots, 12 if item["mode"] == "partial" else 8):
                    draw.line((x, y + 20, x + 4, y + 20), fill="gray")
                if annotate:
                    draw.text((2, y + 4), f"{item['mode']} cut", fill="gray", font=_font(14))
        return img

    @staticmethod
    def _draw_cell(img: Image.Image, cell: Cell, x: int, y: int) -> None:
        if cell.image is not None:
            img.paste(cell.image.convert("RGB"), (x, y))
            return
        s = cell.style
        base = KANJI if s["font"] == "kanji" else FONTS[s["font"]]
        glyph = _glyph(cell.char, base, s["bold"]).resize(
            (base[0] * s["size"][0], base[1] * s["size"][1]), Image.NEAREST
        )
        if s["underline"]:
            ImageDraw.Draw(glyph).rectangle((0, glyph.height - s["underline"], glyph.width, glyph.height), fill=0)
        if s["invert"]:
            glyph = Image.eval(glyph, lambda v: 255 - v)
        if s.get("upside_down"):
            glyph = glyph.rotate(180)
        img.paste(glyph.convert("RGB"), (x, y))


# ------------------------------------------------------------------------------ command table
def _set(attr: str, convert: Callable = lambda n: n) -> Callable:
    return lambda self, n: setattr(self, attr, convert(n))


def _on_off(n: int) -> bool:
    return bool(n & 1)


def _thickness(n: int) -> int:
    return n % 48 if n % 48 <= 2 else 0


_COMMANDS.update(
    {
        b"\n": (0, lambda p: p._print_line()),
        b"\x07": (0, lambda p: p._event("buzzer", command="BEL")),
        ESC + b"E": (1, _set("bold", _on_off)),
        ESC + b"G": (1, _set("double_strike", _on_off)),
        ESC + b"M": (1, _set("font", lambda n: "B" if n in (1, 49) else "A")),
        ESC + b"-": (1, _set("underline", _thickness)),
        ESC + b"{": (1, _set("upside_down", _on_off)),
        ESC + b" ": (1, _set("right_space")),
        ESC + b"2": (0, lambda p: setattr(p, "spacing", DEFAULT_SPACING)),
        ESC + b"3": (1, _set("spacing")),
        ESC + b"d": (1, lambda p, n: p._feed(n * p.spacing)),
        ESC + b"J": (1, lambda p, n: p._feed(n)),
        ESC + b"i": (0, lambda p: p._cut("full", None, "ESC i")),
        ESC + b"m": (0, lambda p: p._cut("partial", None, "ESC m")),
        ESC + b"p": (3, lambda p, m, on, off: p._pulse(m, on * 2, off * 2, "ESC p")),
        ESC + b"B": (2, lambda p, n, t: p._event("buzzer", command="ESC B", times=n, duration=t)),
        GS + b"B": (1, _set("invert", _on_off)),
        GS + b"h": (1, _set("bc_height")),
        GS + b"w": (1, _set("bc_width", lambda n: min(6, max(1, n)))),
        GS + b"H": (1, _set("hri", lambda n: n % 48 & 3)),
    }
)


@_command(b"\t")
def _ht(self):
    stop = next((t for t in self.tabs if t > self.x), None)
    if stop is not None and stop <= self.area:
        self.x = stop


@_command(b"\x0c")
def _ff(self):
    """Standard mode of receipt printers ignores FF; label printers feed to the next label."""
    if self.cells:
        self._print_line()
    self._event("form_feed")


@_command(b"\x07")
def _bel(self):
    self._event("buzzer", command="BEL")


@_command(ESC + b"@")
def _init(self):
    if self.cells:
        self._warn("text-lost", f"ESC @ threw away {self._line_text()!r} from the line buffer")
    self._reset()
    self._event("initialize")


@_command(ESC + b"!", 1)
def _print_mode(self, n):
    self.font, self.bold = "B" if n & 1 else "A", bool(n & 8)
    self.h, self.w, self.underline = 2 if n & 0x10 else 1, 2 if n & 0x20 else 1, 1 if n & 0x80 else 0
    if self.esc_bang_scales_kanji:
        self.kw, self.kh, self.k_underline = self.w, self.h, self.underline


@_command(GS + b"!", 1)
def _size(self, n):
    self.w = self.kw = (n >> 4 & 7) + 1
    self.h = self.kh = (n & 7) + 1


@_command(ESC + b"a", 1)
def _justify(self, n):
    value = {0: "left", 1: "center", 2: "right"}.get(n % 48)
    if value is None:
        self._unknown(ESC + b"a" + bytes([n]), "justification must be 0, 1 or 2")
    elif value == self.align or self._at_line_start("ESC a"):
        self.align = value


@_command(ESC + b"D")
def _set_tabs(self):
    stops = []
    while (n := self._take(1)[0]) != 0:
        if len(stops) >= 32 or (stops and n <= stops[-1]):
            self._pos -= 1  # not ascending: the list ends here
            break
        stops.append(n)
    self.tabs = [n * (FONTS[self.font][0] + self.right_space) * self.w for n in stops]


@_command(ESC + b"$", 2)
def _absolute(self, lo, hi):
    if lo + hi * 256 <= self.area:
        self.x = lo + hi * 256


@_command(ESC + b"\\", 2)
def _relative(self, lo, hi):
    x = self.x + struct.unpack("<h", bytes([lo, hi]))[0]
    if 0 <= x <= self.area:
        self.x = x


@_command(GS + b"L", 2)
def _left_margin(self, lo, hi):
    if self._at_line_start("GS L"):
        self.margin = min(lo + hi * 256, self.dots)
        self.area = min(self.area, self.dots - self.margin)


@_command(GS + b"W", 2)
def _area_width(self, lo, hi):
    if self._at_line_start("GS W"):
        self.area = min(lo + hi * 256, self.dots - self.margin)


@_command(ESC + b"t", 1)
def _select_codepage(self, n):
    if n not in self.codepages:
        return self._unknown(
            ESC + b"t" + bytes([n]), f"this printer has no code page {n}; the selection stays {self.codepage}"
        )
    self.codepage = n
    return None


@_command(ESC + b"R", 1)
def _international(self, n):
    if n not in NATIONAL:
        return self._unknown(ESC + b"R" + bytes([n]), "international character set not known")
    self.national = n
    return None


@_command(ESC + b"=", 1)
def _peripheral(self, n):
    if n & 2 and not n & 1:
        self.display = bytearray()


@_command(ESC + b"*", 3)
def _bit_image(self, m, lo, hi):
    """Column-wise bit image that sits in the line like a character."""
    dots, sx, sy = {0: (8, 2, 3), 1: (8, 1, 3), 32: (24, 2, 1), 33: (24, 1, 1)}.get(m, (0, 0, 0))
    if not dots:
        return self._unknown(ESC + b"*" + bytes([m]), "bit image mode not known")
    n, per = lo + hi * 256, dots // 8
    data = self._take(n * per)
    img = Image.new("1", (n, dots), 1)
    img.putdata([0 if data[x * per + y // 8] >> (7 - y % 8) & 1 else 255 for y in range(dots) for x in range(n)])
    img = img.resize((n * sx, dots * sy), Image.NEAREST)
    if self.x + img.width > self.area:
        self._warn("image-too-wide", f"bit image of {img.width} dots at {self.x}: cut off on the right")
        img = img.crop((0, 0, max(1, self.area - self.x), img.height))
    self.cells.append(Cell("", self.x, img.width, img.height, {}, img))
    self.x += img.width
    return None


@_command(GS + b"v0", 5)
def _raster(self, m, xl, xh, yl, yh):
    width_bytes, height = xl + xh * 256, yl + yh * 256
    data = self._take(width_bytes * height)
    if m % 48 > 3:
        return self._unknown(GS + b"v0" + bytes([m]), "raster mode not known")
    self._at_line_start("GS v 0")
    return self._image(self._bitmap(width_bytes, height, data), "GS v 0", (2 if m & 1 else 1, 2 if m & 2 else 1))


@_command(GS + b"8L", 4)
def _graphics_large(self, *p):
    self._graphics(self._take(struct.unpack("<I", bytes(p))[0]), "GS 8 L")


@_command(FS + b"p", 2)
def _nv_image(self, n, m):
    self._event("nv_image", number=n, mode=m)
    self._item(dict(type="nv_image", number=n), 0)


@_command(GS + b"k", 1)
def _print_barcode(self, m):
    if m <= 6:  # form A: data end with NUL
        data = b""
        while (c := self._take(1)) != b"\x00":
            data += c
    else:  # form B: length first
        data = self._take(self._take(1)[0])
    self._barcode(m, data)


@_command(GS + b"V", 1)
def _cut_paper(self, m):
    modes = {0: "full", 1: "partial", 48: "full", 49: "partial", 65: "full", 66: "partial", 103: "full", 104: "partial"}
    if m not in modes:
        return self._unknown(GS + b"V" + bytes([m]), "cut mode not known")
    feed = self._take(1)[0] if m >= 65 else None
    return self._cut(modes[m], feed, f"GS V {m}" + ("" if feed is None else f" {feed}"))


@_command(GS + b"r", 1)
def _status_in_order(self, n):
    if n % 48 not in (1, 2):
        return self._unknown(GS + b"r" + bytes([n]), "status not known")
    answer = self.status.gs_r(n % 48)
    self._event("status", command=f"GS r {n % 48}", answer=answer.hex(), muted=self.status.mute)
    return self._send(answer)


@_command(GS + b"I", 1)
def _printer_id(self, n):
    texts = {65: "1.00", 66: "VIRTUAL", 67: f"ESCPOS-{self.paper}", 68: "000001"}
    if n % 48 in (1, 2, 3) and n < 60:
        return self._send(b"\x20\x02\x01"[n % 48 - 1 : n % 48])
    if n in texts:
        return self._send(b"_" + texts[n].encode() + b"\x00")
    return self._unknown(GS + b"I" + bytes([n]), "printer id not known")


@_command(GS + b"a", 1)
def _auto_status(self, n):
    self._asb = b"" if n else None
    self.poll_status()


def _realtime_done(nargs):
    def handler(self, *args):
        """Already executed when it arrived; here it is only skipped."""
        self._realtime.discard(self._offset)
        if nargs == 2 and args[0] == 1:
            self._take(1)  # DLE DC4 1 m t
        elif nargs == 2 and args[0] == 8:
            self._take(6)

    return handler


_COMMANDS[DLE + b"\x04"] = (1, _realtime_done(1))
_COMMANDS[DLE + b"\x05"] = (1, _realtime_done(1))
_COMMANDS[DLE + b"\x14"] = (2, _realtime_done(2))


def _multibyte(func: Callable) -> Callable:
    """FS commands for Chinese text are unknown to a printer without such a font."""

    def handler(self, *args):
        if self.model == "chinese":
            return func(self, *args)
        return self._unknown(bytes(self._buf[: self._pos]), "this printer has no Chinese font")

    return handler


def _kanji_mode(self, n):
    self.kw, self.kh, self.k_underline = 2 if n & 4 else 1, 2 if n & 8 else 1, 1 if n & 0x80 else 0


for _code, _args, _func in [
    (b"&", 0, lambda p: setattr(p, "kanji", True)),
    (b"!", 1, _kanji_mode),
    (b"-", 1, _set("k_underline", _thickness)),
    (b"W", 1, lambda p, n: _kanji_mode(p, (n & 1) * 12 | (0x80 if p.k_underline else 0))),
    (b"S", 2, lambda p, left, right: setattr(p, "k_space", (left, right))),
]:
    _COMMANDS[FS + _code] = (_args, _multibyte(_func))
_COMMANDS[FS + b"."] = (0, lambda p: setattr(p, "kanji", False))  # harmless on any printer

_LONG_CODES = {c for c in list(_COMMANDS) + list(_NO_EFFECT) if len(c) == 3}

# ------------------------------------------------------------------------------ glyphs
_FONT_FILES = [
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf",
    "C:/Windows/Fonts/simsun.ttc",
    "/System/Library/Fonts/PingFang.ttc",
]
_font_cache: dict = {}


def _font(size: int):
    """A monospaced font with Chinese glyphs if there is one (ESCPOS_FONT overrides)."""
    if size not in _font_cache:
        font = None
        for path in [os.environ.get("ESCPOS_FONT", "")] + _FONT_FILES:
            if path and os.path.exists(path):
                font = ImageFont.truetype(path, size)
                for index in range(12):  # collections: prefer the Mono SC face
                    try:
                        face = ImageFont.truetype(path, size, index=index)
                    except OSError:
                        break
                    if "Mono" in face.getname()[0] and ("SC" in face.getname()[0] or "Noto" not in path):
                        font = face
                        break
                break
        _font_cache[size] = font or ImageFont.load_default(size)
    return _font_cache[size]


def _glyph(char: str, base: tuple[int, int], bold: bool) -> Image.Image:
    key = (char, base, bold)
    if key not in _font_cache:
        if char == "\ufffd":  # what the printer leaves blank: show it
            img = Image.new("L", base, 255)
            ImageDraw.Draw(img).rectangle((1, 2, base[0] - 2, base[1] - 3), outline=0)
        else:
            size, line = base[1] - 1, round(base[1] * 0.79)  # room for descenders
            big = Image.new("L", (base[0] * 3, base[1]), 255)
            draw = ImageDraw.Draw(big)
            draw.text((0, line), char, font=_font(size), fill=0, anchor="ls")
            if bold:
                draw.text((1, line), char, font=_font(size), fill=0, anchor="ls")
            advance = _font(size).getlength(char)
            img = (
                big.crop((0, 0, base[0], base[1]))
                if advance <= base[0] + 1
                else big.crop((0, 0, math.ceil(advance), base[1])).resize(base)
            )
            img = img.point(lambda v: 255 if v > 140 else 0)
        _font_cache[key] = img
    return _font_cache[key].copy()


def _draw_text(img: Image.Image, text: str, x: int, y: int) -> None:
    for i, char in enumerate(text):
        img.paste(_glyph(char, FONTS["A"], False), (x + 12 * i, y))


# ------------------------------------------------------------------------------ server
class VirtualPrinter:
    """The interpreter behind a TCP port.  Use as a context manager, or start() and stop().

    drop_after=N      close the connection after N bytes of it (drop_mode "rst" or "fin")
    bytes_per_second  obey slowly (real printers: roughly 5000-20000)
    buffer_size       bytes accepted while stalled; then the printer stops reading
    One client is served at a time, as on real hardware; further ones wait in the backlog.
    The interpreter's state survives between connections, as on real hardware."""

    def __init__(
        self,
        paper: int = 80,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        model: str = "chinese",
        drop_after: Optional[int] = None,
        drop_mode: str = "rst",
        bytes_per_second: Optional[int] = None,
        buffer_size: int = 4096,
        on_job: Optional[Callable] = None,
        **interpreter_options,
    ):
        self.status = Status()
        self.interpreter = Interpreter(paper, model, status=self.status, reply=self._reply, **interpreter_options)
        self.drop_after, self.drop_mode = drop_after, drop_mode
        self.bytes_per_second, self.buffer_size, self.on_job = bytes_per_second, buffer_size, on_job
        self.jobs: list[dict] = []
        self._lock, self._client, self._stop = threading.RLock(), None, threading.Event()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._listener.bind((host, port))
        self._listener.listen(5)
        self.host, self.port = self._listener.getsockname()[:2]
        self._thread = threading.Thread(target=self._serve, daemon=True, name="escpos-printer")

    def start(self) -> "VirtualPrinter":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)
        self._listener.close()

    def __enter__(self) -> "VirtualPrinter":
        return self.start()

    def __exit__(self, *exc) -> None:
        self.stop()

    # ---- the machine room ------------------------------------------------------------------
    def _reply(self, data: bytes) -> None:
        try:
            if self._client:
                self._client.sendall(data)
        except OSError:
            pass

    def _serve(self) -> None:
        while not self._stop.is_set():
            if select.select([self._listener], [], [], 0.05)[0]:
                with self._lock:
                    client, peer = self._listener.accept()
                    job = dict(peer=f"{peer[0]}:{peer[1]}", bytes=0, closed_by=None)
                    self.jobs.append(job)
                closed_by = "printer (stopped)"
                try:
                    closed_by = self._serve_client(client, job) or closed_by
                except OSError as err:
                    closed_by = f"client ({err.__class__.__name__})"
                client.close()
                self._finish_job()
                with self._lock:
                    self._client, job["closed_by"] = None, closed_by
                if self.on_job:
                    self.on_job(self, job)
            else:
                self._work()  # held data go on printing by themselves

    def _finish_job(self) -> None:
        """Print what was received, then report what is left over."""
        while self.bytes_per_second and not self.interpreter.stalled and not self._stop.is_set():
            before = self.interpreter.pending
            time.sleep(0.02)
            self._work(0.02)
            if self.interpreter.pending in (0, before):
                break
        with self._lock:
            self.interpreter.end_of_connection()

    def _work(self, elapsed: float = 0.05) -> None:
        with self._lock:
            limit = None if self.bytes_per_second is None else max(1, int(self.bytes_per_second * elapsed))
            self.interpreter.process(limit)

    def _serve_client(self, client: socket.socket, job: dict) -> Optional[str]:
        """Read until one side closes; says who did."""
        self._client = client
        while not self._stop.is_set():
            room = self.interpreter.pending < self.buffer_size or not (
                self.interpreter.stalled or self.bytes_per_second
            )
            want = min(4096, self.drop_after - job["bytes"]) if self.drop_after is not None else 4096
            if room and want > 0 and select.select([client], [], [], 0.02)[0]:
                data = client.recv(want)
                if not data:
                    return "client"
                job["bytes"] += len(data)
                with self._lock:
                    self.interpreter.receive(data)
                    if not self.bytes_per_second:
                        self.interpreter.process()
            else:
                time.sleep(0 if room else 0.02)
            if self.bytes_per_second or self.interpreter.pending:
                self._work(0.02)
            with self._lock:
                self.interpreter.poll_status()
            if self.drop_after is not None and job["bytes"] >= self.drop_after:
                if self.drop_mode == "rst":
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return f"printer ({self.drop_mode} after {job['bytes']} bytes)"
        return None

    # ---- what a person does to the printer --------------------------------------------------
    def paper_out(self, after_lines: Optional[int] = None) -> None:
        """Run out of paper now, or after so many more printed lines."""
        with self._lock:
            if after_lines is None:
                self.status.paper = "out"
            else:
                self.status.lines_left = after_lines

    def load_paper(self, near_end: bool = False) -> None:
        """Put paper in: held data go on printing."""
        with self._lock:
            self.status.paper, self.status.lines_left = "near_end" if near_end else "ok", None

    # ---- what a test asks ------------------------------------------------------------------
    def wait_idle(self, timeout: float = 5, jobs: Optional[int] = None) -> bool:
        """Wait until ``jobs`` connections (default: all so far, at least one) are closed and
        everything that can be printed is printed.  False on time-out, as with a connection
        that stays open (use wait_for then)."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            with self._lock:
                i = self.interpreter
                waiting = select.select([self._listener], [], [], 0)[0]  # connected but not yet served
                if (
                    not waiting
                    and len(self.jobs) >= (jobs or 1)
                    and all(j["closed_by"] for j in self.jobs)
                    and (not i.pending or i.stalled or i.incomplete)
                ):
                    return True
            time.sleep(0.01)
        return False

    def wait_for(self, condition: Callable[[dict], Any], timeout: float = 5) -> bool:
        """Wait until ``condition(transcript)`` is true."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if condition(self.transcript()):
                return True
            time.sleep(0.02)
        return False

    def transcript(self) -> dict:
        with self._lock:
            return dict(self.interpreter.transcript(), jobs=[dict(j) for j in self.jobs])

    @property
    def raw(self) -> bytes:
        return bytes(self.interpreter.raw)

    def tickets(self) -> list[Ticket]:
        with self._lock:
            return [t for t in self.interpreter.tickets if t.items]

    def text(self, ticket: Optional[int] = None) -> str:
        """Printed text of one ticket, or of all of them."""
        chosen = self.tickets() if ticket is None else [self.tickets()[ticket]]
        return "".join(self.interpreter.ticket_text(t) for t in chosen)

    def lines(self, ticket: Optional[int] = None) -> list[dict]:
        """All printed text lines (dicts of the transcript)."""
        chosen = self.tickets() if ticket is None else [self.tickets()[ticket]]
        return [i for t in chosen for i in t.items if i["type"] == "line"]

    def events(self, kind: Optional[str] = None) -> list[dict]:
        return [e for e in self.transcript()["events"] if kind in (None, e["event"])]

    def problems(self) -> list[str]:
        """Warnings and unknown commands as text; an empty list is what a test wants to see."""
        t = self.transcript()
        return [f"{w['code']}: {w['message']}" for w in t["warnings"]] + [
            f"unknown at {u['offset']}: {u['hex']} ({u['message']})" for u in t["unknown"]
        ]

    def png(self, path: Optional[str] = None, ticket: int = -1) -> Image.Image:
        """Picture of one ticket (default: the last)."""
        with self._lock:
            img = self.interpreter.render(self.tickets()[ticket])
        if path:
            img.save(path)
        return img


try:  # usable as: pytest_plugins = ["escpos_printer"]
    import pytest

    @pytest.fixture
    def escpos_printer():
        """A running 80 mm Chinese-model printer on a free port."""
        with VirtualPrinter() as printer:
            yield printer

    @pytest.fixture
    def escpos_printer_factory():
        """Makes printers with options; all are stopped at the end of the test."""
        made: list[VirtualPrinter] = []

        def make(**options):
            made.append(VirtualPrinter(**options).start())
            return made[-1]

        yield make
        for printer in made:
            printer.stop()
except ImportError:  # pragma: no cover
    pass


# ------------------------------------------------------------------------------ command line
def _save(interpreter: Interpreter, transcript: dict, args, number: int) -> None:
    stem = f"job-{number:04d}"
    for directory in filter(None, (args.png, args.json, args.raw)):
        os.makedirs(directory, exist_ok=True)
    if args.json:
        with open(os.path.join(args.json, stem + ".json"), "w", encoding="utf-8") as f:
            json.dump(transcript, f, ensure_ascii=False, indent=1)
    if args.raw:
        with open(os.path.join(args.raw, stem + ".bin"), "wb") as f:
            f.write(interpreter.raw)
    if args.png:
        for i, ticket in enumerate([t for t in interpreter.tickets if t.items], 1):
            interpreter.render(ticket).save(os.path.join(args.png, f"{stem}-ticket-{i}.png"))
    for ticket in transcript["tickets"]:
        print(ticket["text"], end="")
        print(f"---- {ticket['cut'] or 'no'} cut ----")
    for event in transcript["events"]:
        print("event  ", {k: v for k, v in event.items() if k != "ticket"})
    for w in transcript["warnings"]:
        print("WARNING", w["code"], w["message"])
    for u in transcript["unknown"]:
        print("UNKNOWN", u["hex"], u["message"])
    sys.stdout.flush()


def main(argv: Optional[list[str]] = None) -> int:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--host", default="127.0.0.1")
    ap.add_argument("--port", type=int, default=9100, help="0 = any free port")
    ap.add_argument("--paper", type=int, choices=sorted(PAPERS), default=80, help="paper width in mm")
    ap.add_argument("--model", choices=("chinese", "western"), default="chinese")
    ap.add_argument("--four-byte", action="store_true", help="the font has four-byte GB18030 characters")
    ap.add_argument("--file", help="decode this file instead of serving a port")
    ap.add_argument("--png", help="folder for pictures"), ap.add_argument("--json", help="folder for transcripts")
    ap.add_argument("--raw", help="folder for the received bytes")
    ap.add_argument("--paper-out", action="store_true"), ap.add_argument("--near-end", action="store_true")
    ap.add_argument("--paper-out-after", type=int, metavar="LINES"), ap.add_argument("--offline", action="store_true")
    ap.add_argument("--mute", action="store_true", help="never answer status requests")
    ap.add_argument("--drop-after", type=int, metavar="BYTES")
    ap.add_argument("--drop-mode", choices=("rst", "fin"), default="rst")
    ap.add_argument("--slow", type=int, metavar="BYTES_PER_SECOND")
    args = ap.parse_args(argv)
    options = dict(paper=args.paper, model=args.model, four_byte=args.four_byte)
    if args.file:
        interpreter = Interpreter(**options)
        with open(args.file, "rb") as f:
            interpreter.feed(f.read())
        interpreter.end_of_connection()
        _save(interpreter, interpreter.transcript(), args, 1)
        return 1 if interpreter.unknown else 0

    def on_job(p: VirtualPrinter, job: dict) -> None:
        """Save and start a new transcript: files are per connection, printer modes stay."""
        t = p.transcript()
        print(f"==== job {len(p.jobs)}: {job['bytes']} bytes, closed by {job['closed_by']}")
        _save(p.interpreter, t, args, len(p.jobs))
        if not p.interpreter.pending:
            i = p.interpreter
            i.tickets, i.event_log, i.warnings, i.unknown = [Ticket()], [], [], []
            i.raw, i._tail, i._offset, i._realtime = bytearray(), b"", 0, set()

    printer = VirtualPrinter(
        host=args.host,
        port=args.port,
        drop_after=args.drop_after,
        drop_mode=args.drop_mode,
        bytes_per_second=args.slow,
        on_job=on_job,
        **options,
    )
    s = printer.status
    s.paper = "out" if args.paper_out else "near_end" if args.near_end else "ok"
    s.offline, s.mute, s.lines_left = args.offline, args.mute, args.paper_out_after
    with printer:
        print(
            f"{args.paper} mm {args.model} printer on {printer.host}:{printer.port}; "
            "commands: paper ok|near_end|out, cover open|closed, offline, online, drawer closed, quit",
            flush=True,
        )
        for line in sys.stdin:
            word = line.split()
            if word[:1] == ["quit"]:
                break
            if word[:1] == ["paper"] and word[1:2] and word[1] in ("ok", "near_end", "out"):
                s.paper = word[1]
            elif word[:1] == ["cover"]:
                s.cover_open = word[1:] == ["open"]
            elif word[:1] in (["offline"], ["online"]):
                s.offline = word[0] == "offline"
            elif word[:1] == ["drawer"]:
                s.drawer_open = word[1:] == ["open"]
        else:  # no stdin: serve until interrupted
            try:
                threading.Event().wait()
            except KeyboardInterrupt:
                pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
