"""Letters of a PDF: embedded subsets of the Noto fonts, shaped by HarfBuzz, and copied as they were written.

Rules
-----
1. A letter takes the first font that has it: Noto Sans (Latin, Greek, Cyrillic, Devanagari), Noto Sans Thai, Noto
   Sans SC (Chinese, kana, signs). A letter that none has is an empty box, and still copies as itself.
2. What is written together (a base with its marks, a conjunct) becomes ONE composite glyph that stands for its letters.
   No reader has to guess an order from where marks stand, so every one of them copies, searches and reads it right.
3. The Chinese font is large and comes in one weight: its bold letters are drawn twice, a little apart.
"""

import threading
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from html import escape
from itertools import groupby, pairwise
from pathlib import Path
from struct import pack
from typing import Any

import uharfbuzz
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

from pos.documents.paper import tidy

FOLDER = Path(__file__).parent / "fonts"
"""Filled by the build hook."""
LOCK = threading.RLock()
"""A font works for one thread at a time: shape under it, and hold it while a whole file is written."""
NAMES = {
    False: ("NotoSans_400Regular", "NotoSansThai_400Regular", "NotoSansSC_400Regular"),
    True: ("NotoSans_700Bold", "NotoSansThai_700Bold", "NotoSansSC_400Regular"),
}
_OWN_CODES = 0xF0000  # a private plane: no text of ours has a letter there
_BOLDER = 24  # thousandths of the size
_MORE, _OFFSETS = 0x20, 0x03  # flags of a composite glyph


@lru_cache(maxsize=1024)
def runs(text: str, bold: bool = False) -> tuple[tuple[str, str], ...]:
    """Return a text as (font, codes) to be written one after the other."""
    with LOCK:
        found = groupby(_clusters(tidy(text)), lambda cluster: _font_of(cluster, bold))
        return tuple((font.fontName, font.shaped("".join(clusters), bold)) for font, clusters in found)


def markup(text: str, bold: bool = False) -> str:
    """Return a text as a paragraph takes it."""
    return "".join(f'<font name="{name}">{escape(codes)}</font>' for name, codes in runs(text, bold))


def width(text: str, size: float, bold: bool = False) -> float:
    """Return how wide a text is."""
    return sum(float(pdfmetrics.stringWidth(codes, name, size)) for name, codes in runs(text, bold))


def drawn_with(text: str, bold: bool = False) -> tuple[tuple[Path, str], ...]:
    """Return a text as (font file, letters), for a picture of it."""
    with LOCK:
        found = groupby(_clusters(tidy(text)), lambda cluster: _font_of(cluster, bold).fontName)
        return tuple((FOLDER / f"{name}.ttf", "".join(clusters)) for name, clusters in found)


def main_font(bold: bool = False) -> str:
    """Return the name of the font of most letters."""
    with LOCK:
        return str(_font(NAMES[bold][0]).fontName)


class _Font(TTFont):  # type: ignore[misc]  # reportlab has no types
    """A font that is written by codes: a letter's own, or one that stands for a composite glyph (rule 2)."""

    def __init__(self, name: str) -> None:
        super().__init__(name, str(FOLDER / f"{name}.ttf"), shapable=False)
        self._shaper = uharfbuzz.Font(uharfbuzz.Face(self.face._ttf_data))  # noqa: SLF001
        self._code_of, self._letters = dict[tuple[Any, ...], int](), dict[int, str]()
        # new glyphs are appended to the last table of the file
        outlines = self.face.get_table("glyf")
        self.face.table["glyf"] = {"offset": len(self.face._ttf_data), "length": len(outlines)}  # noqa: SLF001
        self.face._ttf_data = bytearray(self.face._ttf_data + outlines)  # noqa: SLF001
        pdfmetrics.registerFont(self)

    def has(self, cluster: str) -> bool:
        return all(ord(char) in self.face.charToGlyph for char in cluster)

    def shaped(self, text: str, bold: bool) -> str:
        """Return the codes of a text."""
        bolder = bold and self.fontName in NAMES[False]
        buffer = uharfbuzz.Buffer()
        buffer.add_str(text)
        buffer.guess_segment_properties()
        uharfbuzz.shape(self._shaper, buffer, {"kern": False, "liga": False})
        glyphs = list(zip(buffer.glyph_infos, buffer.glyph_positions, strict=True))
        ends = dict(pairwise([*sorted({info.cluster for info, _ in glyphs}), len(text)]))
        codes = ""
        for start, together in groupby(glyphs, lambda glyph: glyph[0].cluster):
            x, parts = 0, []
            for info, at in together:
                parts.append((info.codepoint, x + at.x_offset, at.y_offset))
                x += at.x_advance
            if bolder and x:
                parts += [(glyph, at + _BOLDER, y) for glyph, at, y in parts]
            codes += chr(self._code(text[start : ends[start]], tuple(parts), x))
        return codes

    def addObjects(self, doc: Any) -> None:  # noqa: N802 - reportlab's name
        """Embed the subsets, and say of every code what it stands for."""
        subsets = self.state[doc].subsets
        names = [self.getSubsetInternalName(n, doc)[1:] for n in range(len(subsets))]
        super().addObjects(doc)
        for name, subset in zip(names, subsets, strict=True):
            table = doc.idToObject[doc.idToObject["BasicFonts"].dict[name].ToUnicode.name]
            head, rest = table.content.split("beginbfchar\n")
            said = (self._letters.get(code, chr(code)).encode("utf-16-be").hex() for code in subset)
            lines = "".join(f"<{n:02X}> <{letters}>\n" for n, letters in enumerate(said))
            table.content = f"{head}beginbfchar\n{lines}{rest[rest.index('endbfchar') :]}"

    def _code(self, letters: str, parts: tuple[tuple[int, int, int], ...], advance: int) -> int:
        plain, face = parts == ((parts[0][0], 0, 0),), self.face
        if plain and len(letters) == 1 and face.charToGlyph.get(ord(letters)) == parts[0][0]:
            return ord(letters)
        if (code := self._code_of.get((letters, parts))) is None:
            code = self._code_of[letters, parts] = _OWN_CODES + len(self._code_of)
            self._letters[code] = letters
            face.charToGlyph[code] = parts[0][0] if plain else self._composite(parts, advance)
            face.charWidths[code] = advance
        return code

    def _composite(self, parts: Sequence[tuple[int, int, int]], advance: int) -> int:
        """Add a glyph made of others, each (glyph, x, y), and return its number."""
        face = self.face
        boxes = [(self._shaper.get_glyph_extents(glyph), x, y) for glyph, x, y in parts]
        left = min(box.x_bearing + x for box, x, _ in boxes)
        right = max(box.x_bearing + box.width + x for box, x, _ in boxes)
        top = max(box.y_bearing + y for box, _, y in boxes)
        bottom = min(box.y_bearing + box.height + y for box, _, y in boxes)
        outline = pack(">5h", -1, *map(_clamp, (left, bottom, right, top)))
        for n, (glyph, x, y) in enumerate(parts, 1):
            outline += pack(">HHhh", _OFFSETS | (_MORE if n < len(parts) else 0), glyph, _clamp(x), _clamp(y))
        face._ttf_data += outline  # noqa: SLF001
        face.table["glyf"]["length"] += len(outline)
        face.glyphPos.append(face.glyphPos[-1] + len(outline))
        face.hmetrics.append((min(advance, 0xFFFF), _clamp(left) & 0xFFFF))  # as they are read: unsigned
        return len(face.glyphPos) - 2


def _clamp(units: int) -> int:
    """Keep a coordinate within the 16 bits it has: a hundred marks on one letter go beyond."""
    return max(-0x8000, min(units, 0x7FFF))


@lru_cache
def _font(name: str) -> _Font:
    return _Font(name)


def _font_of(cluster: str, bold: bool) -> _Font:
    """Return the font of a letter with its marks (rule 1)."""
    return next((font for font in map(_font, NAMES[bold]) if font.has(cluster)), _font(NAMES[bold][0]))


def _clusters(text: str) -> Iterator[str]:
    """Split a text into letters, each with the marks that stand on it."""
    start = 0
    for n in range(1, len(text) + 1):
        if n == len(text) or not unicodedata.category(text[n]).startswith("M"):
            yield text[start:n]
            start = n
