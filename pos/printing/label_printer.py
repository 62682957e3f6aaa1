"""Label printers: they speak ZPL, print labels of one size, and know no receipt, no drawer and no cutter.

Rules
-----
1. A label holds what the paper label holds (`labels`), in the same places, as large as the label loaded allows.
2. It goes as one picture of black dots (`^GFA`): every letter there is, on every printer that reads ZPL, its own fonts
   and code pages left alone.
3. A bar is a whole number of dots, never narrower than drawn where there is room for it and its quiet zone; so is a
   module of the QR code, never wider than drawn. What is cut into dots anyhow is read badly.
4. What is printed can be read back (`picture_of`): the preview shows the very bytes.

^GFA rows are hexadecimal with the repeat counts of the language: G to Y for 1 to 19, g to z for 20 to 400; `,` ends a
row that is white from there, `:` is the row above again.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from config.errors import Invalid
from pos.documents import labels
from pos.documents.paper import drawn_width, language_of, tidy

DOTS_PER_MM = {203: 8.0, 300: 300 / 25.4}
SIZES_MM = ((62, 40), (60, 40), (57, 32), (50, 30), (40, 30), (100, 50))
QR_AT_MM = 42
"""Where the QR code of a label begins: its bars end before."""
QUIET_MODULES = 4
"""Kept free beside the bars at least; their lower part reaches below the QR code and has all it needs."""


@dataclass(frozen=True)
class LabelPaper:
    """The labels loaded: their size in mm, and how fine they are printed."""

    width_mm: int
    height_mm: int
    dpi: int

    @property
    def dots(self) -> tuple[int, int]:
        """Return the label in dots, across and down."""
        fine = DOTS_PER_MM[self.dpi]
        return int(self.width_mm * fine), int(self.height_mm * fine)


LABEL_PRINTERS = {
    f"ZPL-{dpi} {width}x{height}": LabelPaper(width, height, dpi) for dpi in DOTS_PER_MM for width, height in SIZES_MM
}
"""Profiles of label printers by name: the resolution the printer has, the size of the labels in it."""


def encode(document: dict[str, Any], profile: str) -> bytes:
    """Return the bytes that print one label. document: as in `labels`; profile: of LABEL_PRINTERS."""
    paper = LABEL_PRINTERS[profile]
    wide, high = paper.dots
    across = (wide + 7) // 8
    dots = _drawn(document, paper)
    rows = "".join(_packed([dots[at : at + across] for at in range(0, len(dots), across)]))
    total = across * high
    return f"^XA^PW{wide}^LL{high}^LH0,0^FO0,0^GFA,{total},{total},{across},{rows}^FS^XZ\n".encode()


def picture_of(content: bytes) -> Any:
    """Return what the bytes print as a one-bit picture, 1 for black; Invalid where they are no label of ours."""
    from PIL import Image

    found = re.fullmatch(
        rb"\^XA\^PW(\d+)\^LL(\d+)\^LH0,0\^FO0,0\^GFA,\d+,\d+,(\d+),([0-9A-Yg-z,:]*)\^FS\^XZ\n", content
    )
    if found is None:
        raise Invalid("not-a-label", "This data is not a label printed here.")
    wide, high, across = (int(found[n]) for n in (1, 2, 3))
    rows = b"".join(_unpacked(found[4].decode(), across))
    return Image.frombytes("1", (wide, high), rows.ljust(across * high, b"\0"))


# --- inside ---


def _drawn(document: dict[str, Any], paper: LabelPaper) -> bytes:
    """Return the label's dots, row by row, a bit each, 1 for black (rule 1)."""
    from PIL import Image, ImageChops  # only a label printer's label is drawn

    canvas = Image.new("L", paper.dots, 255)
    fine = DOTS_PER_MM[paper.dpi]
    scale = min(paper.width_mm / labels.LABEL_MM[0], paper.height_mm / labels.LABEL_MM[1]) * fine
    left, top = ((dots - mm * scale) / 2 for dots, mm in zip(paper.dots, labels.LABEL_MM, strict=True))
    for part in labels.parts(document, language_of(document)):
        x, y = left + part.x * scale, top + part.y * scale
        _DRAWN[part.kind](canvas, part, x, y, scale)
    return bytes(ImageChops.invert(canvas).point([0] * 128 + [255] * 128).convert("1").tobytes())


def _text(canvas: Any, part: labels.LabelPart, x: float, y: float, scale: float) -> None:
    from PIL import Image, ImageChops, ImageDraw

    from pos.documents import glyphs

    text = tidy(part.text)
    wanted = part.size * scale / 20  # a letter of 20 dots stands in a cell of 12 x 24, its foot at 19
    cells = max(1, sum(map(drawn_width, text)))
    if part.most:
        wanted = min(wanted, part.most * scale / (cells * glyphs.CELL[0]))
    fine = max(1, math.ceil(wanted))
    letters = glyphs.strip(text, bold=part.bold, wide=fine, tall=fine)
    size = max(1, round(cells * glyphs.CELL[0] * wanted)), max(1, round(glyphs.CELL[1] * wanted))
    letters = letters.resize(size, Image.Resampling.LANCZOS)
    start = round(x - size[0] if part.at_end else x), round(y - 19 * wanted)
    box = (*start, start[0] + size[0], start[1] + size[1])
    canvas.paste(ImageChops.darker(canvas.crop(box), letters), start)
    if part.struck:
        middle = round(y - 7 * wanted)
        ImageDraw.Draw(canvas).line((start[0], middle, box[2], middle), fill=0, width=max(2, round(1.4 * wanted)))


def _bars(canvas: Any, part: labels.LabelPart, x: float, y: float, scale: float) -> None:
    from PIL import ImageDraw

    modules = labels.bars(part.text)
    room = (QR_AT_MM - part.x) * scale
    wide = max(1, min(math.ceil(part.size * scale), int(room / (len(modules) + QUIET_MODULES))))
    pen, at = ImageDraw.Draw(canvas), round(x)
    for black, run in groupby(modules):
        end = at + wide * len(list(run))
        if black == "1":
            pen.rectangle((at, round(y), end - 1, round(y + part.high * scale) - 1), fill=0)
        at = end


def _square(canvas: Any, part: labels.LabelPart, x: float, y: float, scale: float) -> None:
    from PIL import Image

    rows = labels.qr_rows(part.text)
    module = max(1, int(part.size * scale / len(rows)))
    small = Image.frombytes("L", (len(rows), len(rows)), bytes(0 if dot else 255 for row in rows for dot in row))
    drawn = small.resize((len(rows) * module, len(rows) * module), Image.Resampling.NEAREST)
    spare = (part.size * scale - drawn.width) / 2
    canvas.paste(drawn, (round(x + spare), round(y + spare)))


_DRAWN = {"text": _text, "bars": _bars, "qr": _square}


def _packed(rows: list[bytes]) -> Iterator[str]:
    """Yield each row as ^GFA takes it."""
    above = None
    for row in rows:
        if row == above:
            yield ":"
            continue
        above = row
        written = row.hex().upper()
        kept = written.rstrip("0")
        kept = kept if len(kept) < len(written) else written
        yield "".join(_repeated(digit, len(list(run))) for digit, run in groupby(kept))
        if len(kept) < len(written):
            yield ","


def _repeated(digit: str, times: int) -> str:
    """Return a digit so many times over: counted only where that is shorter."""
    if times < 3:
        return digit * times
    whole, rest = divmod(times, 400)
    twenties, ones = divmod(rest, 20)
    counts = "z" * whole + (chr(ord("f") + twenties) if twenties else "") + (chr(ord("F") + ones) if ones else "")
    return counts + digit


def _unpacked(written: str, across: int) -> Iterator[bytes]:
    """Yield the rows of `_packed`."""
    row, times, above = "", 0, b""
    for sign in written:
        if sign == ":":
            yield above
            continue
        if sign == ",":
            row = row.ljust(2 * across, "0")
        elif sign in "0123456789ABCDEF":
            row += sign * max(1, times)
            times = 0
        else:
            times += ord(sign) - ord("F") if sign <= "Y" else 20 * (ord(sign) - ord("f"))
        if len(row) >= 2 * across:
            above, row = bytes.fromhex(row[: 2 * across]), ""
            yield above
