"""From lines of paper to the very bytes a printer is sent.

Rules
-----
1. Every job begins with ESC @ and leaves nothing set behind it; it is one buffer, written once.
2. A line the printer's own letters cannot print goes as a picture of the line; it is never printed with `?`. A struck
   line is a picture too: no printer strikes its letters through.
3. Of a control byte in the text nothing reaches the printer but our own LF.
4. A picture of the document's (the logo) is as black and white as it was kept, in the middle of the paper; one that is
   not at hand is left out, the ticket is not.
5. Of a printer's code pages only those of upright letters of one column, written left to right, are used; what needs
   joining or turning (Arabic, Hebrew, Thai, Vietnamese) is drawn.
6. A profile of python-escpos says which page has which number. Of a printer nobody named, only the numbers that
   nearly all agree on are believed.
7. A text is printed on one page if any has all its letters, else letter by letter on the best one; a letter that
   none has: None, and the line is drawn.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pos.documents.paper import DOTS_PER_COLUMN, PaperLine, composed, drawn_width, gb_bytes, tidy
from pos.printing.models import PrinterModel, load_escpos

LINE_DOTS = 30
Raster = tuple[int, bytes]
"""Bytes across, and the rows: a bit is a dot, 1 is black."""


def encode(
    lines: Iterable[PaperLine],
    model: PrinterModel,
    *,
    opens_drawer: bool = False,
    pictures: Mapping[str, Raster] | None = None,
) -> bytes:
    """Return the bytes that print the lines on this model (rules 1 to 4). pictures: of the lines of kind image."""
    paper = load_escpos().Dummy(profile=model.profile)
    write = paper._raw  # noqa: SLF001 - python-escpos has no public name for adding bytes of one's own
    page = pages_of(model.profile)[0][0]
    paper.hw("INIT")
    write(b"\x1c&" if model.chinese else _choice(page))
    if opens_drawer and model.drawer_pin:
        half = max(1, min(255, model.pulse_ms // 2))  # counted in steps of 2 ms
        paper.cashdraw((27, 112, 0 if model.drawer_pin == 2 else 1, half, half))
    style: tuple[str, bool, int, int] = ("left", False, 1, 1)
    for line in lines:
        if line.kind == "cut":
            _cut(paper, model)
            continue
        # a text's blanks are its alignment: measured here, the same on every printer
        is_symbol = line.kind in ("qr", "barcode")
        wanted = (line.align, False, 1, 1) if is_symbol else ("left", line.bold, line.wide, line.tall)
        if wanted != style:
            _set(paper, wanted, style)
            style = wanted
        if line.kind == "qr":
            paper.control("LF")
            paper.qr(line.text, native=True, size=5 if model.columns < 42 else 6, ec=1)
            paper.control("LF")
        elif line.kind == "barcode":
            kind = 68 if len(line.text) == 8 else 67
            write(b"\x1dh\x50\x1dw\x02\x1dH\x02\x1df\x00\x1dk" + bytes([kind, len(line.text)]) + line.text.encode())
            paper.control("LF")
        elif line.kind == "image":
            if pictures and line.text in pictures:
                write(_raster(*_in_the_middle(pictures[line.text], model.columns)))
        else:
            coded, page = _line_bytes(line, model, page)
            write(coded)
    return bytes(paper.output)


_CODECS = {
    "CP858": "cp858", "CP1252": "cp1252", "CP850": "cp850", "CP437": "cp437", "CP852": "cp852", "CP866": "cp866",
    "CP1250": "cp1250", "CP1251": "cp1251", "CP1253": "cp1253", "ISO_8859-7": "iso8859_7", "CP737": "cp737",
    "CP1257": "cp1257", "CP775": "cp775", "CP1254": "cp1254", "ISO_8859-2": "iso8859_2", "ISO_8859-15": "iso8859_15",
    "CP855": "cp855", "CP1125": "cp1125", "CP860": "cp860", "CP861": "cp861", "CP863": "cp863", "CP865": "cp865",
}  # fmt: skip
"""The pages of rule 5, the one tried first at the top."""
_COMMON = {0: "CP437", 2: "CP850", 3: "CP860", 4: "CP863", 5: "CP865", 16: "CP1252", 17: "CP866", 18: "CP852",
           19: "CP858"}  # fmt: skip
UNNAMED = "default"


@lru_cache(maxsize=64)
def pages_of(profile: str) -> tuple[tuple[int, str], ...]:
    """Return (number, codec) of the pages a profile's printer has, the first tried first; never empty."""
    known = _COMMON if profile == UNNAMED else _pages_of_profile(profile)
    numbers: dict[str, int] = {}
    for number, name in sorted(known.items()):
        numbers.setdefault(name, number)
    return tuple((numbers[name], codec) for name, codec in _CODECS.items() if name in numbers) or ((0, "cp437"),)


@lru_cache(maxsize=4096)
def written(text: str, profile: str, page: int) -> tuple[bytes, int] | None:
    """Return the bytes that print a text while `page` is chosen, and the page chosen after it; None by rule 7."""
    text = text.replace("￥", "¥").replace("￡", "£")
    pages = dict(pages_of(profile))
    for number in (page, *pages):
        with_page = _on(text, pages.get(number))
        if with_page is not None:
            return (with_page if number == page else _choice(number) + with_page), number
    coded = bytearray()
    for char in text:
        for number in (page, *pages):
            one = _on(char, pages.get(number))
            if one is not None:
                coded += one if number == page else _choice(number) + one
                page = number
                break
        else:
            return None
    return bytes(coded), page


def codec_of(number: int, profile: str) -> str | None:
    """Return the codec of a page by its number, None for one that is never chosen here."""
    return dict(pages_of(profile)).get(number)


# --- inside ---


def _set(paper: Any, wanted: tuple[str, bool, int, int], before: tuple[str, bool, int, int]) -> None:
    align, bold, wide, tall = wanted
    if align != before[0]:
        paper.set(align=align)
    if bold != before[1]:
        paper.set(bold=bold)
    if (wide, tall) != before[2:]:
        # GS !, which Chinese letters obey too; ESC ! enlarges Latin ones only
        paper.set(custom_size=True, width=wide, height=tall)


def _cut(paper: Any, model: PrinterModel) -> None:
    if model.cutter and (paper.profile.supports("paperPartCut") or paper.profile.supports("paperFullCut")):
        paper.cut(mode="PART", feed=False)
    else:
        paper.print_and_feed(6)


def _line_bytes(line: PaperLine, model: PrinterModel, page: int) -> tuple[bytes, int]:
    """Return a line's bytes and the code page chosen after it."""
    if line.kind == "rule":
        return composed(line, model.columns).encode() + b"\n", page
    left, right = tidy(line.text), tidy(line.right)
    if not line.struck:
        coded = _gb_line(line, left, right, model) if model.chinese else _western_line(line, left, right, model, page)
        if coded is not None:
            return coded
    if not left and not right:
        return b"\n", page
    return _picture(replace(line, text=left, right=right), model), page


def _gb_line(line: PaperLine, left: str, right: str, model: PrinterModel) -> tuple[bytes, int] | None:
    before, after = _gb(left), _gb(right)
    if before is None or after is None:
        return None
    blanks = _blanks(line, len(before), len(after), model.columns // line.wide)
    return None if blanks is None else (_joined(before, after, blanks, b" ") + b"\n", 0)


def _western_line(line: PaperLine, left: str, right: str, model: PrinterModel, page: int) -> tuple[bytes, int] | None:
    blanks = _blanks(line, len(left), len(right), model.columns // line.wide)
    if blanks is None:
        return None
    coded = written(_joined(left, right, blanks, " "), model.profile, page)
    return None if coded is None else (coded[0] + b"\n", coded[1])


def _blanks(line: PaperLine, left: int, right: int, across: int) -> int | None:
    """Return the blanks between left and right, or before the left one; None where they do not fit."""
    spare = across - left - right
    if spare < (1 if left and right else 0):
        return None
    if right:
        return spare
    return {"left": 0, "center": spare // 2, "right": spare}[line.align]


def _joined(left: Any, right: Any, blanks: int, blank: Any) -> Any:
    return left + blank * blanks + right if right else blank * blanks + left


def _gb(text: str) -> bytes | None:
    if text.isascii():
        return text.encode()
    coded = [gb_bytes(char) for char in text]
    return None if None in coded else b"".join(c for c in coded if c is not None)


def _picture(line: PaperLine, model: PrinterModel) -> bytes:
    """Return the line as a raster picture as wide as the paper, on the same grid as its neighbours."""
    # only paper with letters the printer lacks needs the drawing library
    from PIL import Image, ImageChops, ImageDraw

    from pos.documents import glyphs

    dots = model.columns * DOTS_PER_COLUMN
    high = max(LINE_DOTS, glyphs.CELL[1] * line.tall)
    text = composed(line, model.columns, drawn_width)
    letters = glyphs.strip(text, bold=line.bold, wide=line.wide, tall=line.tall)
    if letters.width > dots:
        letters = letters.resize((dots, letters.height), Image.Resampling.BILINEAR)
    canvas = Image.new("L", (dots, high), 255)
    canvas.paste(letters, (0, 0))
    ink = ImageChops.invert(canvas)
    if line.struck and (box := ink.getbbox()):
        middle = 13 * line.tall
        ImageDraw.Draw(ink).line((max(0, box[0] - 6), middle, min(dots, box[2] + 6), middle), 255, 2 + line.tall // 2)
    return _raster((dots + 7) // 8, ink.point([0] * 100 + [255] * 156).convert("1").tobytes())


def _in_the_middle(picture: Raster, columns: int) -> Raster:
    """Return a picture on a canvas as wide as the paper: not every printer aligns pictures."""
    across, rows = picture
    room = columns * DOTS_PER_COLUMN // 8
    before = max(0, (room - across) // 2)
    wide = max(room, across)
    padded = (
        b"\0" * before + rows[at : at + across] + b"\0" * (wide - before - across) for at in range(0, len(rows), across)
    )
    return wide, b"".join(padded)


def _raster(across: int, rows: bytes) -> bytes:
    # DLE EOT, DLE ENQ and DLE DC4 are obeyed even inside a picture; one dot more keeps the printer from hearing them
    rows = re.sub(rb"\x10(?=[\x04\x05\x14])", b"\x30", rows)
    high = len(rows) // across
    return b"\x1dv0\x00" + across.to_bytes(2, "little") + high.to_bytes(2, "little") + rows


def _choice(number: int) -> bytes:
    return b"\x1bt" + bytes([number])


def _on(text: str, codec: str | None) -> bytes | None:
    if codec is None:
        return None
    try:
        coded = text.encode(codec)
    except UnicodeEncodeError:
        return None
    return None if min(coded, default=0x20) < 0x20 or 0x7F in coded else coded


def _pages_of_profile(profile: str) -> dict[int, str]:
    known = load_escpos().Dummy(profile=profile).profile.profile_data["codePages"]
    return {int(number): name for number, name in known.items()}
