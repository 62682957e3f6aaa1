"""A4 pages: documents in platypus flowables, and sheets of labels for stores without a label printer.

Rules
-----
1. A label holds what the paper label holds (`labels`), in the same places, as large as its cell allows.
2. A document of the printer's is its own lines, laid out for `COLUMNS`, without the logo; a cut is the end of a page.
3. Every letter is text of an embedded font (`letters`); what is too wide for its place is written smaller.
4. The same content gives the same bytes.
5. A board of the shelf has room for BOARD_FACINGS; a place is as wide as its facings, never less than two.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Any, TypeVar

from reportlab.lib.colors import Color
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, KeepInFrame, PageBreak, PageTemplate, Paragraph, Table

from config.errors import Invalid
from config.words import Language
from pos.documents import labels, letters
from pos.documents.paper import PaperLine, drawn_width, language_of

MM = 72 / 25.4
A4_MM = (210.0, 297.0)
COLUMNS = 80
_T = TypeVar("_T")
_WIDE, _HIGH = A4_MM[0] * MM, A4_MM[1] * MM
_CELL, _LINE = 6.0, 13.0
_MARGIN = (_WIDE - COLUMNS * _CELL) / 2
_SQUARE = 84.0
_TAIL = re.compile("(.*?)( [A-Z]| *)")
BOARD_FACINGS = 12
_SIDE, _BOARD, _FACE_HIGH, _BOARDS = 36.0, 122.0, 46.0, 6


@dataclass(frozen=True)
class Sheet:
    """A sheet of labels in mm: labels across and down, their size, the first one's corner, and the way to the next."""

    name: str
    across: int
    down: int
    width: float
    height: float
    left: float
    top: float
    pitch_x: float
    pitch_y: float
    is_cut: bool = False
    """Plain paper: lines show where to cut."""

    @property
    def count(self) -> int:
        """Return how many labels a sheet has."""
        return self.across * self.down


SHEETS = {
    "plain": Sheet("62 × 40 mm", 3, 7, 62, 40, 12, 8.5, 62, 40, is_cut=True),
    "63x38": Sheet("63.5 × 38.1 mm", 3, 7, 63.5, 38.1, 7.21, 15.15, 66.04, 38.1),
    "70x37": Sheet("70 × 37 mm", 3, 8, 70, 37, 0, 0.5, 70, 37),
    "99x38": Sheet("99.1 × 38.1 mm", 2, 7, 99.1, 38.1, 4.65, 15.15, 101.6, 38.1),
    "38x21": Sheet("38.1 × 21.2 mm", 5, 13, 38.1, 21.2, 4.75, 10.7, 40.64, 21.2),
}
"""Sizes that sheets of labels are sold in everywhere; each fits the A4 page."""


def places(sheet: Sheet, count: int, skip: int = 0) -> Iterator[tuple[int, float, float]]:
    """Yield the page and the upper left corner (mm) of each label; the first `skip` places are used already."""
    for n in range(skip, skip + count):
        page, place = divmod(n, sheet.count)
        row, column = divmod(place, sheet.across)
        yield page, sheet.left + column * sheet.pitch_x, sheet.top + row * sheet.pitch_y


class Pen:
    """Draws in points from the upper left corner of a page or of a flowable's place."""

    def __init__(self, canvas: Any, high: float) -> None:
        self.canvas, self._high = canvas, high

    def text(
        self, x: float, y: float, text: str, size: float, *, bold: bool = False, grey: float = 0.0, at: float = 0.0,
        most: float = 0.0,
    ) -> float:  # fmt: skip
        """Write on a base line and return the width. at: 0, 0.5, 1: x is the text's beginning, middle, end."""
        wide = letters.width(text, size, bold)
        if most and wide > most:
            size, wide = size * most / wide, most
        line = self.canvas.beginText(x - at * wide, self._high - y)
        line.setFillGray(grey)
        for font, codes in letters.runs(text, bold):
            line.setFont(font, size)
            line.textOut(codes)
        self.canvas.drawText(line)
        return wide

    def put(self, x: float, y: float, wide: float, high: float, *story: Flowable) -> None:
        """Set flowables into a box, smaller if they are too many for it."""
        box = KeepInFrame(wide, high, list(story), mode="shrink")
        _, taken = box.wrapOn(self.canvas, wide, high)
        box.drawOn(self.canvas, x, self._high - y - taken)

    def box(self, x: float, y: float, wide: float, high: float) -> None:
        """Fill a black box."""
        self.canvas.setFillGray(0.0)
        self.canvas.rect(x, self._high - y - high, wide, high, stroke=0, fill=1)

    def bars(self, code: str, x: float, y: float, module: float, high: float) -> None:
        """Draw an EAN code's bars."""
        for n, black in enumerate(labels.bars(code)):
            if black == "1":
                self.box(x + n * module, y, module, high)

    def square(self, text: str, x: float, y: float, side: float) -> None:
        """Draw a QR code."""
        rows = labels.qr_rows(text)
        module = side / len(rows)
        for n, row in enumerate(rows):
            for column, black in enumerate(row):
                if black:
                    self.box(x + column * module, y + n * module, module, module)

    def frame(self, x: float, y: float, wide: float, high: float) -> None:
        """Draw a thin grey frame, to cut along."""
        self.canvas.saveState()
        self.canvas.setStrokeGray(0.7)
        self.canvas.setLineWidth(0.3)
        self.canvas.rect(x, self._high - y - high, wide, high, stroke=1, fill=0)
        self.canvas.restoreState()


def flow(
    title: str, story: Sequence[Flowable], *, margin: float = 18 * MM, foot: tuple[str, str] | None = None
) -> bytes:
    """Return flowables as a file. foot: printed at the bottom of every page, and the word before its number."""
    out = io.BytesIO()

    def bottom(canvas: Any, template: BaseDocTemplate) -> None:
        if foot is not None:
            pen, y = Pen(canvas, _HIGH), _HIGH - 12 * MM
            number = pen.text(_WIDE - margin, y, f"{foot[1]} {template.page}".strip(), 8, grey=0.4, at=1)
            pen.text(margin, y, foot[0], 8, grey=0.4, most=_WIDE - 2 * margin - number - 8)

    with letters.LOCK:
        template = BaseDocTemplate(
            out, pagesize=(_WIDE, _HIGH), title=title, creator="Cornerstore", invariant=1, pageCompression=1,
            initialFontName=letters.main_font(),
        )  # fmt: skip
        frame = Frame(margin, margin, _WIDE - 2 * margin, _HIGH - 2 * margin, 0, 0, 0, 0)
        template.addPageTemplates(PageTemplate(frames=[frame], onPage=bottom))
        template.build(list(story))
    return out.getvalue()


def words(
    text: str, size: float = 10, *, bold: bool = False, grey: float = 0.0, at_end: bool = False, struck: bool = False
) -> Paragraph:
    """Return a text that wraps in place."""
    style = ParagraphStyle(
        "", fontName=letters.main_font(bold), fontSize=size, leading=1.35 * size, textColor=Color(grey, grey, grey),
        alignment=2 if at_end else 0, wordWrap="CJK" if any(drawn_width(char) == 2 for char in text) else None,
    )  # fmt: skip
    marked = letters.markup(text, bold)
    return Paragraph(f"<strike>{marked}</strike>" if struck else marked, style)


@dataclass(frozen=True)
class Column:
    """A column of a table. title: in English. wide: in mm. at_end: its texts end at its right edge, as figures do."""

    title: str
    wide: float
    at_end: bool = False
    bold: bool = False
    size: float = 10.0


def table(say: Language, columns: Sequence[Column], rows: Iterable[Sequence[str]], *, struck: bool = False) -> Table:
    """Return rows under their titles, which every page repeats."""
    cells = [[words(say(one.title), 9, grey=0.4, at_end=one.at_end) for one in columns]]
    cells += [
        [
            words(text, one.size, bold=one.bold, at_end=one.at_end, struck=struck)
            for one, text in zip(columns, row, strict=True)
        ]
        for row in rows
    ]
    ruled = [("LINEBELOW", (0, 0), (-1, 0), 0.8, "black"), ("LINEBELOW", (0, -1), (-1, -1), 0.8, "black")]
    return beside(cells, [one.wide for one in columns], ruled)


def beside(cells: list[list[Any]], wides: Sequence[float], style: Sequence[tuple[Any, ...]] = ()) -> Table:
    """Return flowables in rows, so many mm wide; with a style the first row is the titles."""
    plain = [
        ("FONTNAME", (0, 0), (-1, -1), letters.main_font()), ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-2, -1), 3),
        ("RIGHTPADDING", (-1, 0), (-1, -1), 0), ("TOPPADDING", (0, 0), (-1, -1), 1),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]  # fmt: skip
    columns = [wide * MM for wide in wides]
    return Table(cells, columns, style=[*plain, *style], repeatRows=1 if style else 0, hAlign="LEFT")


class Drawing(Flowable):  # type: ignore[misc]  # reportlab has no types
    """Something drawn by hand, as wide as its place and so high."""

    def __init__(self, high: float, draw: Callable[[Pen], object]) -> None:
        super().__init__()
        self._high, self._draw = high, draw

    def wrap(self, wide: float, _high: float) -> tuple[float, float]:
        return wide, self._high

    def draw(self) -> None:
        self._draw(Pen(self.canv, self._high))


def sheet_pages(
    sheet: Sheet, items: Sequence[_T], draw: Callable[[Pen, _T, float, float], object], skip: int = 0
) -> list[Flowable]:
    """Return a page for each sheet of labels. draw: one item at its upper left corner, inside lines to cut along."""

    def page(filled: list[tuple[_T, tuple[int, float, float]]], pen: Pen) -> None:
        for item, (_, left, top) in filled:
            if sheet.is_cut:
                pen.frame(left * MM, top * MM, sheet.width * MM, sheet.height * MM)
            draw(pen, item, left * MM, top * MM)

    placed = groupby(zip(items, places(sheet, len(items), skip), strict=True), lambda one: one[1][0])
    return [Drawing(_HIGH, partial(page, list(filled))) for _, filled in placed]


def label_sheets(documents: Sequence[dict[str, Any]], sheet: Sheet, *, skip: int = 0) -> bytes:
    """Return the labels as PDF pages. skip: places of the first sheet that are empty already; Invalid out of range."""
    if not 0 <= skip < sheet.count:
        raise Invalid(
            "bad-number", "Enter a whole number from 0 to %(most)s.", field="skip", least=0, most=sheet.count - 1,
        )  # fmt: skip
    return flow("labels", sheet_pages(sheet, documents, partial(_label, sheet), skip), margin=0)


@dataclass(frozen=True)
class ShelfPlace:
    """A place on the picture of a shelf. under: the small lines below its name."""

    slot: int
    name: str
    facings: int
    under: tuple[str, ...]


def shelf_picture(title: str, below: str, stands: Sequence[ShelfPlace], documents: Sequence[dict[str, Any]]) -> bytes:
    """Return a shelf as it should stand, board by board (rule 5), and after it the labels of its places to cut."""
    boards, sheet = _boards(stands), SHEETS["plain"]

    def page(shown: list[list[ShelfPlace]], pen: Pen) -> None:
        pen.text(_SIDE, 40, title, 20, bold=True)
        pen.text(_SIDE, 58, below, 10, grey=0.35)
        for n, board in enumerate(shown):
            _board(pen, board, 84 + n * _BOARD)

    pages = [boards[n : n + _BOARDS] for n in range(0, max(1, len(boards)), _BOARDS)]
    story = [Drawing(_HIGH, partial(page, shown)) for shown in pages]
    return flow(title, [*story, *sheet_pages(sheet, documents, partial(_label, sheet))], margin=0)


def document_pages(lines: Sequence[PaperLine], title: str) -> bytes:
    """Return a document as A4 pages. Its lines are laid out for `COLUMNS`."""
    story = [
        PageBreak() if line.kind == "cut" else Drawing(_height(line), partial(_paper_line, line)) for line in lines
    ]
    return flow(title, story, margin=_MARGIN)


# --- inside ---


def _label(sheet: Sheet, pen: Pen, document: dict[str, Any], left: float, top: float) -> None:
    """Draw the label's own 62 x 40 mm into its cell, shrunk or grown to fit (rule 1)."""
    across, high = labels.LABEL_MM
    scale = min(sheet.width / across, sheet.height / high) * MM
    x0 = left + (sheet.width * MM - across * scale) / 2
    y0 = top + (sheet.height * MM - high * scale) / 2
    for part in labels.parts(document, language_of(document)):
        x, y, size = x0 + part.x * scale, y0 + part.y * scale, part.size * scale
        if part.kind == "bars":
            pen.bars(part.text, x, y, size, part.high * scale)
        elif part.kind == "qr":
            pen.square(part.text, x, y, size)
        else:
            grey, most = 0.25 if part.quiet else 0.0, (part.most or 0) * scale
            wide = pen.text(x, y, part.text, size, bold=part.bold, grey=grey, at=part.at_end, most=most)
            if part.struck:
                pen.box(x, y - 0.35 * size, wide, 0.07 * size)


def _boards(found: Sequence[ShelfPlace]) -> list[list[ShelfPlace]]:
    """Share the places out over boards, in their order (rule 5)."""
    boards: list[list[ShelfPlace]] = []
    room = 0
    for one in found:
        wide = max(2, one.facings)
        if wide > room:
            boards.append([])
            room = BOARD_FACINGS
        boards[-1].append(one)
        room -= wide
    return boards


def _board(pen: Pen, board: Sequence[ShelfPlace], y: float) -> None:
    """Draw one board: the facings as boxes, the board, and under it who stands there."""
    step = (_WIDE - 2 * _SIDE) / BOARD_FACINGS
    x = _SIDE
    for one in board:
        wide = max(2, one.facings) * step
        face = wide / one.facings
        for n in range(one.facings):
            pen.frame(x + n * face + 1, y, face - 2, _FACE_HIGH)
        pen.text(x + 5, y + 15, str(one.slot), 12, bold=True)
        pen.text(x + 5, y + 36, one.name[:1].upper(), 16, grey=0.45)
        under = [words(line, 7.5, grey=0.3) for line in one.under]
        pen.put(x + 3, y + _FACE_HIGH + 6, wide - 6, _BOARD - _FACE_HIGH - 10, words(one.name, 8.5, bold=True), *under)
        x += wide
    pen.box(_SIDE, y + _FACE_HIGH + 1, _WIDE - 2 * _SIDE, 3)


def _height(line: PaperLine) -> float:
    return {"barcode": 60.0, "qr": 96.0, "image": 0.0}.get(line.kind, _LINE * line.tall)


def _paper_line(line: PaperLine, pen: Pen) -> None:
    wide = COLUMNS * _CELL
    if line.kind == "rule":
        pen.box(0, _LINE / 2, wide, 1.8 if line.bold else 0.6)
    elif line.kind == "qr":
        pen.square(line.text, (wide - _SQUARE) / 2, 0, _SQUARE)
    elif line.kind == "barcode":
        bars = len(labels.bars(line.text))
        pen.bars(line.text, (wide - bars) / 2, 0, 1, 40)
        pen.text(wide / 2, 51, line.text, 9, at=0.5)
    elif line.kind == "text":
        size, y = 10 * min(line.wide, line.tall), _LINE * line.tall * 0.77
        ends = line.cells or _figures(line)
        taken = [pen.text(wide - end * _CELL, y, text, size, bold=line.bold, at=1, most=wide) for text, end in ends]
        text, at = line.text.lstrip(" "), {"left": 0.0, "center": 0.5, "right": 1.0}[line.align]
        x = at * wide or (len(line.text) - len(text)) * _CELL * line.wide
        room = wide - (x if at == 0 else 0) - (taken[0] + ends[0][1] * _CELL + _CELL if ends else 0)
        long = pen.text(x, y, text, size, bold=line.bold, at=at, most=room)
        if line.struck:
            pen.box(x - at * long, y - 0.35 * size, long, 0.07 * size)


def _figures(line: PaperLine) -> tuple[tuple[str, int], ...]:
    """Split off the right edge: the letter of a tax, or the room that is left for it, is a column."""
    figure, tail = _TAIL.fullmatch(line.right).groups()  # type: ignore[union-attr]  # it takes any text
    found = ((figure, len(tail) * line.wide), (tail.strip(), 0))
    return tuple(one for one in found if one[0])
