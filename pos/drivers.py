"""From a document to the very bytes a printer prints; the wires they go by are in `pos.wires`.

Rules
-----
1. Every job begins with ESC @ and leaves nothing set behind it; it is one buffer, written once.
2. A line the printer's own letters cannot print goes as a picture of the line; it is never printed with `?`.
3. Of a control byte in the text nothing reaches the printer but our own LF.
"""

import contextlib
import logging
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pos.paper import DOTS_PER_COLUMN, PaperLine, composed, drawn_width, gb_bytes, tidy

LINE_DOTS = 30


@dataclass(frozen=True)
class PrinterModel:
    """What the encoder must know of a printer.

    columns: 32, 42 or 48. chinese: it prints GB18030; otherwise a code page is used. profile: its python-escpos
    profile. cutter: it cuts by itself. drawer_pin: 2 or 5, 0 for no drawer; pulse_ms: how long.
    """

    columns: int = 48
    chinese: bool = True
    profile: str = "default"
    cutter: bool = True
    drawer_pin: int = 2
    pulse_ms: int = 100


def encode(lines: Iterable[PaperLine], model: PrinterModel, *, opens_drawer: bool = False) -> bytes:
    """Return the bytes that print the lines on this model (rules 1 to 3)."""
    paper = load_escpos().Dummy(profile=model.profile)
    write = paper._raw  # noqa: SLF001 - python-escpos has no public name for adding bytes of one's own
    write(b"\x1b@")
    write(b"\x1c&" if model.chinese else b"\x1bt\x13")
    if opens_drawer:
        write(drawer_kick(model))
    style: tuple[str, bool, int, int] = ("left", False, 1, 1)
    for line in lines:
        if line.kind == "cut":
            _cut(paper, write, model)
            continue
        # a text's blanks are its alignment: measured here, the same on every printer
        wanted = ("left", line.bold, line.wide, line.tall) if line.kind == "text" else (line.align, False, 1, 1)
        if wanted != style:
            _set(paper, wanted, style)
            style = wanted
        if line.kind == "qr":
            write(b"\n")
            paper.qr(line.text, native=True, size=5 if model.columns < 42 else 6, ec=1)
            write(b"\n")
        elif line.kind == "barcode":
            kind = 68 if len(line.text) == 8 else 67
            write(b"\x1dh\x50\x1dw\x02\x1dH\x02\x1df\x00\x1dk" + bytes([kind, len(line.text)]) + line.text.encode())
            write(b"\n")
        else:
            write(_line_bytes(line, model))
    return bytes(paper.output)


def drawer_kick(model: PrinterModel) -> bytes:
    """Return the pulse that opens the model's drawer; nothing where it has none."""
    if not model.drawer_pin:
        return b""
    half = max(1, min(255, model.pulse_ms // 2))  # counted in steps of 2 ms
    return b"\x1bp" + bytes([0 if model.drawer_pin == 2 else 1, half, half])


@lru_cache(maxsize=1)
def load_escpos() -> Any:
    """Import python-escpos, which takes its time, only where paper is made; returns its `printer` module."""
    if "ESCPOS_CAPABILITIES_PICKLE_DIR" not in os.environ:
        # it reads a pickle back from there, so the folder must be this user's alone
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        folder = base / "cornerstore" / "escpos"
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            os.environ["ESCPOS_CAPABILITIES_PICKLE_DIR"] = str(folder)
    before, level = list(logging.root.handlers), logging.root.level
    from escpos import printer

    # it sets the root logger up as it is imported; ours stays as it was
    logging.root.handlers[:] = before
    logging.root.setLevel(level)
    return printer


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


def _cut(paper: Any, write: Any, model: PrinterModel) -> None:
    if model.cutter and (paper.profile.supports("paperPartCut") or paper.profile.supports("paperFullCut")):
        paper.cut(mode="PART", feed=False)
    else:
        write(b"\x1bd\x06")


def _line_bytes(line: PaperLine, model: PrinterModel) -> bytes:
    tidied = replace(line, text=tidy(line.text), right=tidy(line.right))
    coder = _gb if model.chinese else _western
    left, right = coder(tidied.text), coder(tidied.right)
    if left is None or right is None:
        return _picture(tidied, model)
    across = model.columns // line.wide
    if line.kind == "rule":
        return b"-" * model.columns + b"\n"
    spare = across - len(left) - len(right)
    if spare < (1 if left and right else 0):
        return _picture(tidied, model)
    if line.right:
        return left + b" " * spare + right + b"\n"
    before = {"left": 0, "center": spare // 2, "right": spare}[line.align]
    return b" " * before + left + b"\n"


def _gb(text: str) -> bytes | None:
    coded = [gb_bytes(char) for char in text]
    return None if None in coded else b"".join(c for c in coded if c is not None)


def _western(text: str) -> bytes | None:
    try:
        return text.replace("￥", "¥").replace("￡", "£").encode("cp858")
    except UnicodeEncodeError:
        return None


def _picture(line: PaperLine, model: PrinterModel) -> bytes:
    """Return the line as a raster picture as wide as the paper, on the same grid as its neighbours."""
    # only paper with letters the printer lacks needs the drawing library
    from PIL import Image, ImageChops

    from pos import glyphs

    dots = model.columns * DOTS_PER_COLUMN
    high = max(LINE_DOTS, glyphs.CELL[1] * line.tall)
    text = composed(line, model.columns, drawn_width)
    letters = glyphs.strip(text, bold=line.bold, wide=line.wide, tall=line.tall)
    if letters.width > dots:
        letters = letters.resize((dots, letters.height), Image.Resampling.BILINEAR)
    canvas = Image.new("L", (dots, high), 255)
    canvas.paste(letters, (0, 0))
    bits = ImageChops.invert(canvas).point([0] * 100 + [255] * 156).convert("1").tobytes()
    # DLE EOT, DLE ENQ and DLE DC4 are obeyed even inside a picture; one dot more keeps the printer from hearing them
    bits = re.sub(rb"\x10(?=[\x04\x05\x14])", b"\x30", bits)
    across = (dots + 7) // 8
    return b"\x1dv0\x00" + across.to_bytes(2, "little") + high.to_bytes(2, "little") + bits
