"""The paper as a picture: the very bytes, read the way a printer reads them.

Rules
-----
1. What is shown is what was sent: the bytes are read, not the document. What this reader does not know is shown
   as such, never skipped in silence.
2. Cut and drawer are notes beside the paper, in colour and in the reader's language; they are not printed.
3. A picture is drawn in grey and its notes in ink of their own, so that it is sixteen steps of two inks and small:
   no colour is ever searched for.

It reads what `pos.printing.label_printer` writes, and what `pos.printing.escpos` does:
ESC @ t a E d p, GS ! h w H f k ( k (QR) v 0 V, FS & and FS ., LF.
"""

import io
from dataclasses import dataclass, field

import segno
from PIL import Image, ImageDraw

from config import words
from config.words import N_, Language
from pos.documents import glyphs
from pos.documents.labels import bars
from pos.documents.paper import DOTS_PER_COLUMN, cell_width
from pos.printing import escpos, label_printer

LINE_DOTS = 30
MARGIN = 28
STEPS = 16
_INKS = ((0, 0, 0), (186, 60, 40))
"""What is printed, and the notes beside it."""
_PALETTE = [
    round(255 - (255 - part) * (STEPS - 1 - step) / (STEPS - 1))
    for ink in _INKS
    for step in range(STEPS)
    for part in ink
]
_NOTES = {"cut": N_("cut"), "drawer": N_("drawer opens"), "unknown": N_("not understood:")}
_ALIGN = ("left", "center", "right")


@dataclass
class Mark:
    """One thing on the paper: kind is text, picture, barcode, qr, feed, cut, drawer or unknown."""

    kind: str
    text: str = ""
    align: str = "left"
    bold: bool = False
    wide: int = 1
    tall: int = 1
    size: int = 0
    chinese: bool = True
    picture: Image.Image | None = None


@dataclass
class _Reader:
    """A printer's state while it reads."""

    paper: bytes
    profile: str = escpos.UNNAMED
    at: int = 0
    marks: list[Mark] = field(default_factory=list)
    line: bytearray = field(default_factory=bytearray)
    text: str = ""
    codec: str = "cp437"
    chinese: bool = True
    align: str = "left"
    bold: bool = False
    wide: int = 1
    tall: int = 1
    bar_high: int = 80
    bar_module: int = 2
    qr_size: int = 3
    qr_text: str = ""

    def read(self) -> list[Mark]:
        while self.at < len(self.paper):
            byte = self.paper[self.at]
            if byte == 0x0A:
                self._print_line()
                self.at += 1
            elif byte in (0x1B, 0x1C, 0x1D):
                self._command()
            else:
                self.line.append(byte)
                self.at += 1
        if self.line or self.text:
            self._print_line()
        return self.marks

    def _add(self, kind: str, **content: object) -> None:
        mark = Mark(kind, align=self.align, bold=self.bold, wide=self.wide, tall=self.tall)
        for name, value in content.items():
            setattr(mark, name, value)
        self.marks.append(mark)

    def _print_line(self) -> None:
        self._decode()
        self._add("text", text=self.text, chinese=self.chinese)
        self.text = ""

    def _decode(self) -> None:
        """Read the bytes so far by the code page that was chosen for them."""
        self.text += bytes(self.line).decode("gb18030" if self.chinese else self.codec, "replace")
        self.line.clear()

    def _command(self) -> None:
        code = bytes(self.paper[self.at : self.at + 2])
        rest = self.paper[self.at + 2 :]
        one = rest[0] if rest else 0
        taken = 1
        match code:
            case b"\x1b@":
                self.align, self.bold, self.wide, self.tall, taken = "left", False, 1, 1, 0
            case b"\x1c&" | b"\x1c.":
                self.chinese, taken = code == b"\x1c&", 0
            case b"\x1bt":
                self._decode()
                self.chinese, self.codec = False, escpos.codec_of(one, self.profile) or "cp437"
            case b"\x1ba":
                self.align = _ALIGN[one % 48 % 3]
            case b"\x1bE":
                self.bold = bool(one & 1)
            case b"\x1bd":
                self._add("feed", size=one * LINE_DOTS)
            case b"\x1bp":
                self._add("drawer")
                taken = 3
            case b"\x1d!":
                self.wide, self.tall = (one >> 4) + 1, (one & 7) + 1
            case b"\x1dV":
                self._add("cut")
                taken = 2 if one in (65, 66) else 1
            case _:
                taken = self._symbol_command(code, rest, one)
        self.at += 2 + taken

    def _symbol_command(self, code: bytes, rest: bytes, one: int) -> int:
        match code:
            case b"\x1dh":
                self.bar_high = one
            case b"\x1dw":
                self.bar_module = one
            case b"\x1dH" | b"\x1df":
                pass
            case b"\x1dk":
                length = rest[1]
                self._add("barcode", text=rest[2 : 2 + length].decode("ascii", "replace"), size=self.bar_high)
                return 2 + length
            case b"\x1d(" if one == 0x6B:
                length = int.from_bytes(rest[1:3], "little")
                self._qr(rest[3 : 3 + length])
                return 3 + length
            case b"\x1dv":
                across, high = int.from_bytes(rest[2:4], "little"), int.from_bytes(rest[4:6], "little")
                bits = rest[6 : 6 + across * high].ljust(across * high, b"\0")
                stamp = Image.frombytes("1", (across * 8, high), bits)
                self._add("picture", picture=stamp)
                return 6 + across * high
            case _:
                self._add("unknown", text=code.hex(" "))
                return 0
        return 1

    def _qr(self, body: bytes) -> None:
        match body[1:2]:
            case b"\x43":
                self.qr_size = body[2]
            case b"\x50":
                self.qr_text = body[3:].decode("utf-8", "replace")
            case b"\x51":
                self._add("qr", text=self.qr_text, size=self.qr_size)
            case _:
                pass


def read(paper: bytes, profile: str = escpos.UNNAMED) -> list[Mark]:
    """Return what the bytes put on the paper, top to bottom, by a printer of that profile."""
    if paper.startswith(b"^XA"):
        return [Mark("picture", picture=label_printer.picture_of(paper))]
    return _Reader(paper, profile).read()


def preview_png(paper: bytes, columns: int = 48, profile: str = escpos.UNNAMED, *, language: str = "en") -> bytes:
    """Return the paper as a PNG picture, one dot of the printer a pixel (rules 2 and 3)."""
    marks = read(paper, profile)
    dots = max([columns * DOTS_PER_COLUMN, *(mark.picture.width for mark in marks if mark.picture is not None)])
    say = words.language(language)
    pieces = [(mark, _draw(mark, dots, say)) for mark in marks]
    high = sum(piece.height for _mark, piece in pieces) + 2 * MARGIN
    sheet = Image.new("P", (dots + 2 * MARGIN, high), STEPS - 1)
    sheet.putpalette(_PALETTE)
    y = MARGIN
    for mark, piece in pieces:
        ink = STEPS if mark.kind in _NOTES else 0
        sheet.paste(piece.point([ink + grey * STEPS // 256 for grey in range(256)]), (MARGIN, y))
        y += piece.height
    kept = io.BytesIO()
    sheet.save(kept, "PNG")
    return kept.getvalue()


# --- inside ---


def _draw(mark: Mark, dots: int, say: Language) -> Image.Image:
    """Return one thing on the paper in grey, as wide as the paper."""
    match mark.kind:
        case "text":
            return _text(mark, dots)
        case "picture" if mark.picture is not None:
            shown = mark.picture.convert("L").point([255] + [0] * 255)
            return _placed(shown, mark.align, dots, shown.height)
        case "barcode" if mark.text.isdigit() and len(mark.text) in (8, 13):
            return _barcode(mark, dots)
        case "qr":
            return _qr(mark, dots)
        case "feed":
            return Image.new("L", (dots, mark.size), 255)
        case _:
            return _note(mark, dots, say)


def _text(mark: Mark, dots: int) -> Image.Image:
    high = max(LINE_DOTS, glyphs.CELL[1] * mark.tall + 6 * (mark.tall > 1))
    if not mark.text.strip():
        return Image.new("L", (dots, high), 255)
    measure = cell_width if mark.chinese else len
    letters = glyphs.strip(mark.text, bold=mark.bold, wide=mark.wide, tall=mark.tall, measure=measure)
    return _placed(letters, mark.align, dots, high)


def _placed(picture: Image.Image, align: str, dots: int, high: int) -> Image.Image:
    line = Image.new("L", (dots, high), 255)
    spare = dots - picture.width
    line.paste(picture, ({"left": 0, "center": max(0, spare // 2), "right": max(0, spare)}[align], 0))
    return line


def _barcode(mark: Mark, dots: int) -> Image.Image:
    modules = bars(mark.text)
    figures = glyphs.strip(mark.text)
    drawn = Image.new("L", (max(len(modules) * 2, figures.width), mark.size + 28), 255)
    left = (drawn.width - len(modules) * 2) // 2
    pen = ImageDraw.Draw(drawn)
    for place, black in enumerate(modules):
        if black == "1":
            pen.rectangle((left + 2 * place, 0, left + 2 * place + 1, mark.size), fill=0)
    drawn.paste(figures, ((drawn.width - figures.width) // 2, mark.size + 3))
    return _placed(drawn, mark.align, dots, drawn.height)


def _qr(mark: Mark, dots: int) -> Image.Image:
    matrix = segno.make_qr(mark.text, error="m").matrix
    flat = bytes(0 if black else 255 for row in matrix for black in row)
    small = Image.frombytes("L", (len(matrix), len(matrix)), flat)
    drawn = small.resize((small.width * mark.size, small.height * mark.size), Image.Resampling.NEAREST)
    return _placed(drawn, mark.align, dots, drawn.height)


def _note(mark: Mark, dots: int, say: Language) -> Image.Image:
    known = mark.kind in _NOTES and mark.kind != "unknown"
    word = say(_NOTES[mark.kind]) if known else f"{say(_NOTES['unknown'])} {mark.kind} {mark.text}"
    line = Image.new("L", (dots, 28), 255)
    if mark.kind == "cut":
        pen = ImageDraw.Draw(line)
        for x in range(0, dots, 14):
            pen.line((x, 14, x + 7, 14), fill=0, width=1)
    letters = glyphs.strip(f" {word} ")
    letters = letters.resize((max(1, letters.width * 3 // 4), glyphs.CELL[1] * 3 // 4))
    line.paste(letters, (dots - letters.width, 5))
    return line
