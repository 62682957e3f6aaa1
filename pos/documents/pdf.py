"""Sheets of A4 for stores without a label printer: labels to cut or peel off, and any document as a page.

Rules
-----
1. A label holds what the paper label holds (`labels`), in the same places, as large as its cell allows.
2. A document is its own lines, 80 columns wide, without the logo; a cut is the end of a page.
3. Latin letters are the reader's Helvetica and Courier, Chinese ones its STSong; what neither has is drawn, so no
   letter is ever replaced.
4. The same content gives the same bytes.
5. A board of the shelf has room for BOARD_FACINGS; a place is as wide as its facings, never less than two.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from config.errors import Invalid
from pos.documents import labels
from pos.documents.paper import PaperLine, composed, drawn_width, gb_bytes, language_of, tidy

MM = 72 / 25.4
A4_MM = (210.0, 297.0)
COLUMNS = 80
_CELL = 6.0
_LINE = 13.0
_MARGIN = 57.0
_SQUARE = 84.0
_NEVER_FIRST = "，。！？、；：）】》”"
_CJK = "STSong-Light"
BOARD_FACINGS = 12
_SIDE, _BOARD, _FACE_HIGH = 36.0, 122.0, 46.0


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


def label_sheets(documents: Sequence[dict[str, Any]], sheet: Sheet, *, skip: int = 0) -> bytes:
    """Return the labels as PDF pages. skip: places of the first sheet that are empty already; Invalid out of range."""
    if not 0 <= skip < sheet.count:
        raise Invalid(
            "bad-number", "Enter a whole number from 0 to %(most)s.", field="skip", least=0, most=sheet.count - 1,
        )  # fmt: skip
    pen, page_now = Pen("labels"), 0
    for document, (page, left, top) in zip(documents, places(sheet, len(documents), skip), strict=True):
        if page != page_now:
            pen.next_page()
            page_now = page
        _label(pen, document, sheet, left, top)
    return pen.finish()


@dataclass(frozen=True)
class ShelfPlace:
    """A place on the picture of a shelf. under: the small lines below its name."""

    slot: int
    name: str
    facings: int
    under: tuple[str, ...]


def shelf_picture(title: str, below: str, stands: Sequence[ShelfPlace], documents: Sequence[dict[str, Any]]) -> bytes:
    """Return a shelf as it should stand, board by board (rule 5), and after it the labels of its places to cut."""
    pen = Pen(title)
    pen.text(_SIDE, 40, title, 20, bold=True)
    pen.text(_SIDE, 58, below, 10, grey=0.35)
    y = 84.0
    for board in _boards(stands):
        if y + _BOARD > A4_MM[1] * MM - _SIDE:
            pen.next_page()
            y = _SIDE
        _board(pen, board, y)
        y += _BOARD
    sheet = SHEETS["plain"]
    page_now = -1
    for document, (page, left, top) in zip(documents, places(sheet, len(documents)), strict=True):
        if page != page_now:
            pen.next_page()
            page_now = page
        _label(pen, document, sheet, left, top)
    return pen.finish()


def document_pages(documents: Iterable[Sequence[PaperLine]], title: str) -> bytes:
    """Return documents as A4 pages, each beginning on a new one. Their lines are laid out for `COLUMNS`."""
    pen = Pen(title)
    bottom = A4_MM[1] * MM - _MARGIN
    for n, lines in enumerate(documents):
        if n:
            pen.next_page()
        y, cut = _MARGIN, False
        for line in lines:
            high = _height(line)
            if cut or y + high > bottom:
                pen.next_page()
                y, cut = _MARGIN, False
            if line.kind == "cut":
                cut = True
                continue
            _paper_line(pen, line, y)
            y += high
    return pen.finish()


class Pen:
    """Draws on A4 pages in points from the upper left corner; rule 3 of this module."""

    def __init__(self, title: str) -> None:
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont
        from reportlab.pdfgen.canvas import Canvas

        self._metrics = pdfmetrics
        pdfmetrics.registerFont(UnicodeCIDFont(_CJK))
        self._bytes = io.BytesIO()
        self._high = A4_MM[1] * MM
        self.canvas = Canvas(self._bytes, pagesize=(A4_MM[0] * MM, self._high), invariant=1, pageCompression=1)
        self.canvas.setTitle(title)
        self.canvas.setCreator("Cornerstore")

    def next_page(self) -> None:
        """Begin a new page."""
        self.canvas.showPage()

    def finish(self) -> bytes:
        """Return the whole file."""
        self.canvas.showPage()
        self.canvas.save()
        return self._bytes.getvalue()

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """Return how wide a text is in proportional letters."""
        return sum(self._run_width(kind, run, size, bold) for kind, run in _runs(text))

    def text(self, x: float, y: float, text: str, size: float, *, bold: bool = False, grey: float = 0.0) -> None:
        """Write proportional letters on a base line."""
        for kind, run in _runs(text):
            self._run(kind, run, x, y, size, bold, grey, "Helvetica")
            x += self._run_width(kind, run, size, bold)

    def cells(self, x: float, y: float, text: str, cell: float, size: float, *, bold: bool = False) -> None:
        """Write letters on a grid of cells, a Chinese letter two of them wide."""
        for kind, run in _runs(text):
            if kind == "latin":
                self.canvas.saveState()
                self.canvas.translate(x, self._high - y)
                self.canvas.scale(cell / (0.6 * size), 1)
                self._run(kind, run, 0, self._high, size, bold, 0.0, "Courier")
                self.canvas.restoreState()
                x += cell * len(run)
                continue
            for char in run:
                wide = drawn_width(char) * cell
                if kind == "chinese":
                    self._run(kind, char, x + (wide - min(size, wide)) / 2, y, min(size, wide), bold, 0.0, "")
                else:
                    self._drawn(char, x, y, wide, size, bold)
                x += wide

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

    def _run_width(self, kind: str, run: str, size: float, bold: bool) -> float:
        if kind == "latin":
            return float(self._metrics.stringWidth(run, "Helvetica-Bold" if bold else "Helvetica", size))
        if kind == "chinese":
            return size * len(run)
        return 0.5 * size * sum(map(drawn_width, run))

    def _run(self, kind: str, run: str, x: float, y: float, size: float, bold: bool, grey: float, latin: str) -> None:
        if kind == "drawn":
            self._drawn(run, x, y, self._run_width(kind, run, size, bold), size, bold)
            return
        written = self.canvas.beginText(x, self._high - y)
        written.setFillGray(grey)
        if kind == "latin":
            written.setFont(f"{latin}-Bold" if bold else latin, size)
        else:
            written.setFont(_CJK, size)
            if bold:  # the font has no bold sister
                written.setStrokeGray(grey)
                self.canvas.setLineWidth(size / 40)
                written.setTextRenderMode(2)
        written.textOut(run)
        if kind != "latin" and bold:
            written.setTextRenderMode(0)
        self.canvas.drawText(written)

    def _drawn(self, run: str, x: float, y: float, wide: float, size: float, bold: bool) -> None:
        from reportlab.lib.utils import ImageReader

        from pos.documents import glyphs

        picture = ImageReader(glyphs.strip(run, bold=bold, wide=4, tall=4))
        self.canvas.drawImage(picture, x, self._high - y - 0.22 * size, wide, 1.1 * size)


def wrapped(pen: Pen, text: str, size: float, wide: float, *, most: int, bold: bool = True) -> list[str]:
    """Return a text in lines of at most so wide, the last one shortened."""
    lines, line = [], ""
    for char in tidy(text):
        if pen.width(line + char, size, bold=bold) > wide and line:
            if char in _NEVER_FIRST:  # it hangs over, as Chinese is set
                line += char
                continue
            cut = len(line) if char == " " or drawn_width(char) == 2 else _last_break(line)
            lines.append(line[:cut].rstrip())
            line = (line[cut:] + char).lstrip()
        else:
            line += char
    lines.append(line)
    if len(lines) > most:
        lines[most - 1] = lines[most - 1].rstrip() + " …"
    return [one for one in lines[:most] if one]


# --- inside ---


def _runs(text: str) -> Iterator[tuple[str, str]]:
    """Split a text into runs of letters the same font has (rule 3)."""
    for kind, run in groupby(tidy(text), _kind):
        yield kind, "".join(run)


def _kind(char: str) -> str:
    try:
        char.encode("cp1252")
    except UnicodeEncodeError:
        return "chinese" if drawn_width(char) == 2 and gb_bytes(char) is not None else "drawn"
    return "latin"


def _label(pen: Pen, document: dict[str, Any], sheet: Sheet, left: float, top: float) -> None:
    """Draw the label's own 62 x 40 mm into its cell, shrunk or grown to fit (rule 1)."""
    across, high = labels.LABEL_MM
    scale = min(sheet.width / across, sheet.height / high) * MM
    x0 = left * MM + (sheet.width * MM - across * scale) / 2
    y0 = top * MM + (sheet.height * MM - high * scale) / 2
    if sheet.is_cut:
        pen.frame(left * MM, top * MM, sheet.width * MM, sheet.height * MM)
    for part in labels.parts(document, language_of(document)):
        x, y = x0 + part.x * scale, y0 + part.y * scale
        if part.kind == "bars":
            pen.bars(part.text, x, y, part.size * scale, part.high * scale)
            continue
        if part.kind == "qr":
            pen.square(part.text, x, y, part.size * scale)
            continue
        size = part.size * scale
        wide = pen.width(part.text, size, bold=part.bold)
        if part.most and wide > part.most * scale:
            size *= part.most * scale / wide
            wide = part.most * scale
        pen.text(x - wide if part.at_end else x, y, part.text, size, bold=part.bold, grey=0.25 if part.quiet else 0.0)
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
    step = (A4_MM[0] * MM - 2 * _SIDE) / BOARD_FACINGS
    x = _SIDE
    for one in board:
        wide = max(2, one.facings) * step
        face = wide / one.facings
        for n in range(one.facings):
            pen.frame(x + n * face + 1, y, face - 2, _FACE_HIGH)
        pen.text(x + 5, y + 15, str(one.slot), 12, bold=True)
        pen.text(x + 5, y + 36, one.name[:1].upper(), 16, grey=0.45)
        below = y + _FACE_HIGH + 16
        for line in wrapped(pen, one.name, 8.5, wide - 6, most=2):
            pen.text(x + 3, below, line, 8.5, bold=True)
            below += 10.5
        for line in one.under:
            pen.text(x + 3, below, line, 7.5, grey=0.3)
            below += 9.5
        x += wide
    pen.box(_SIDE, y + _FACE_HIGH + 1, A4_MM[0] * MM - 2 * _SIDE, 3)


def _last_break(line: str) -> int:
    """Return where a line may end: at its last blank or behind its last Chinese letter, else at its end."""
    wide = max((n + 1 for n, char in enumerate(line) if drawn_width(char) == 2), default=0)
    return max(line.rfind(" "), wide) or len(line)


def _height(line: PaperLine) -> float:
    return {"barcode": 60.0, "qr": 96.0, "cut": 0.0, "image": 0.0}.get(line.kind, _LINE * line.tall)


def _paper_line(pen: Pen, line: PaperLine, y: float) -> None:
    if line.kind == "rule":
        pen.box(_MARGIN, y + _LINE / 2, COLUMNS * _CELL, 0.6)
    elif line.kind == "qr":
        pen.square(line.text, _MARGIN + (COLUMNS * _CELL - _SQUARE) / 2, y, _SQUARE)
    elif line.kind == "barcode":
        wide = len(labels.bars(line.text))
        x = _MARGIN + (COLUMNS * _CELL - wide) / 2
        pen.bars(line.text, x, y, 1, 40)
        pen.cells(x, y + 51, line.text, wide / len(line.text), 9)
    elif line.kind == "text":
        text = composed(line, COLUMNS, drawn_width)
        size = _CELL / 0.6 * min(line.wide, line.tall)
        pen.cells(_MARGIN, y + _LINE * line.tall * 0.77, text, _CELL * line.wide, size, bold=line.bold)
