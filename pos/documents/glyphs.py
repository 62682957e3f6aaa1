"""Letters as dots: what a printer's own font lacks, and the picture of what it printed.

Rules
-----
1. Every cell is 12 x 24 dots (a Chinese letter two of them), so dots and columns are the same grid.
2. The fonts are those of the machine: a monospaced Latin one, then any with the letter. Where no font has it, an
   empty box of its width is drawn and the letter is logged: a blot that asks, never a question mark that lies.
"""

import os
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import structlog
from PIL import Image, ImageChops, ImageDraw, ImageFont

from pos.documents.paper import drawn_width

CELL = (12, 24)
_FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "/Library/Fonts",
    "/System/Library/Fonts", "C:/Windows/Fonts",
)  # fmt: skip
# best first: (file name, face in the file, size in dots that fits a 24-dot cell)
_WANTED = {
    False: [
        ("DejaVuSansMono.ttf", 0, 20), ("LiberationMono-Regular.ttf", 0, 20), ("NotoSansMono-Regular.ttf", 0, 20),
        ("NotoSansCJK-Regular.ttc", 2, 23), ("NotoSansCJKsc-Regular.otf", 0, 23), ("NotoSansSC-Regular.otf", 0, 23),
        ("wqy-zenhei.ttc", 0, 23), ("wqy-microhei.ttc", 0, 23), ("msyh.ttc", 0, 23), ("PingFang.ttc", 0, 23),
        ("DejaVuSans.ttf", 0, 20),
    ],
    True: [
        ("DejaVuSansMono-Bold.ttf", 0, 20), ("LiberationMono-Bold.ttf", 0, 20), ("NotoSansMono-Bold.ttf", 0, 20),
        ("NotoSansCJK-Bold.ttc", 2, 23), ("NotoSansCJKsc-Bold.otf", 0, 23), ("NotoSansSC-Bold.otf", 0, 23),
        ("msyhbd.ttc", 0, 23),
    ],
}  # fmt: skip
_MISSING = "\U0010ffff"
_SCRIPT_FONT = re.compile(r"Noto\w+-Regular\.(ttf|otf)$")


def strip(
    text: str, *, bold: bool = False, wide: int = 1, tall: int = 1, measure: Callable[[str], int] = drawn_width
) -> Image.Image:
    """Return one line of text as a grey picture, black 0 on white 255, cell by cell (rule 1).

    measure: how many cells a character takes; the printer's own letters may need more than drawn ones.
    """
    cells = sum(map(measure, text))
    scale = max(wide, tall)
    picture = Image.new("L", (max(1, cells * CELL[0] * scale), CELL[1] * scale), 255)
    column = 0
    for cluster in _clusters(text):
        size = sum(map(measure, cluster))
        if cluster.strip():
            before, tile = _tile(cluster, size * CELL[0] * scale, bold, scale)
            # darker wins: a letter may reach a little into its neighbour's cells
            at = (column * CELL[0] * scale - before, 0)
            under = picture.crop((*at, at[0] + tile.width, tile.height))
            picture.paste(ImageChops.darker(under, tile), at)
        column += size
    if wide != tall:
        picture = picture.resize((max(1, cells * CELL[0] * wide), CELL[1] * tall), Image.Resampling.BOX)
    return picture


def _clusters(text: str) -> list[str]:
    """Split into letters with the accents that stand on them; scripts that join their letters stay together."""
    clusters: list[str] = []
    for char in text:
        joins = bool(clusters) and (drawn_width(char) == 0 or (_joined(char) and _joined(clusters[-1][-1])))
        if joins:
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _joined(char: str) -> bool:
    """Tell whether the letter belongs to a script written in one stroke or in syllables (Arabic .. Khmer)."""
    return "\u0590" <= char <= "\u109f" or "\u1780" <= char <= "\u17ff" or unicodedata.category(char) in ("Mn", "Mc")


@lru_cache(maxsize=2048)
def _tile(cluster: str, room: int, bold: bool, scale: int) -> tuple[int, Image.Image]:
    """Return a letter drawn once, as high as its line, and how many of its dots stand before its cells."""
    found, high = _font_for(cluster, bold, scale), CELL[1] * scale
    if found is None:
        box = Image.new("L", (max(room, CELL[0] * scale), high), 255)
        edges = (scale, 4 * scale, box.width - 2 * scale, 20 * scale)
        ImageDraw.Draw(box).rectangle(edges, outline=0, width=scale)
        return 0, box
    long = int(found.getlength(cluster)) + 1
    edge = CELL[0] * scale
    drawn = Image.new("L", (max(long, room) + 2 * edge, high), 255)
    fits = long <= room + 2 * scale
    start = edge + max(0, room - long) // 2 if fits else edge
    ImageDraw.Draw(drawn).text((start, 19 * scale), cluster, fill=0, font=found, anchor="ls")
    if fits:
        return edge, drawn
    # wider than its cells (joined scripts): pressed together
    pressed = drawn.crop((edge, 0, edge + long + 2, high))
    return 0, pressed.resize((max(1, room), high), Image.Resampling.BILINEAR)


@lru_cache(maxsize=8192)
def _font_for(cluster: str, bold: bool, scale: int) -> ImageFont.FreeTypeFont | None:
    for weight in dict.fromkeys((bold, False)):
        for path, face, size in _chain(weight):
            if all(_has(path, face, char) for char in cluster):
                return _font(path, face, size * scale)
    structlog.get_logger().warning("no font has the letter; a box is printed", letters=cluster)
    return None


@lru_cache(maxsize=8192)
def _has(path: str, face: int, char: str) -> bool:
    font = _font(path, face, 20)
    return bytes(font.getmask(char)) != _blot(path, face)


@lru_cache(maxsize=64)
def _blot(path: str, face: int) -> bytes:
    return bytes(_font(path, face, 20).getmask(_MISSING))


@lru_cache(maxsize=64)
def _font(path: str, face: int, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, index=face)


@lru_cache(maxsize=2)
def _chain(bold: bool) -> list[tuple[str, int, int]]:
    files = _font_files()
    chain = [(files[name], face, size) for name, face, size in _WANTED[bold] if name in files]
    if not bold:
        named = {name for name, _face, _size in _WANTED[False]}
        others = sorted(name for name in files if _SCRIPT_FONT.search(name) and name not in named)
        chain += [(files[name], 0, 20) for name in others]
    return chain


@lru_cache(maxsize=1)
def _font_files() -> dict[str, str]:
    """Return file name -> path of every font on the machine; CORNERSTORE_FONTS names a folder to look in first."""
    folders = [os.environ.get("CORNERSTORE_FONTS", ""), *_FOLDERS]
    found: dict[str, str] = {}
    for folder in filter(None, folders):
        for path in sorted(Path(folder).expanduser().rglob("*")):
            if path.suffix.lower() in (".ttf", ".ttc", ".otf"):
                found.setdefault(path.name, str(path))
    return found
