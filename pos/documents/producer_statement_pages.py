"""A producer's statement as A4 pages: what was sold of which lot, the commission, what is paid. PURE.

Rules
-----
1. The page says what its document says and reads nothing else; the same document gives the same bytes.
"""

from typing import Any

from config.words import N_, Language
from pos.documents.paper import quantity
from pos.documents.pdf import A4_MM, MM, Pen

_LEFT, _RIGHT = 18 * MM, A4_MM[0] * MM - 18 * MM
_BOTTOM = A4_MM[1] * MM - 26 * MM
_ROW = 16.0
_COLUMNS = (
    (N_("Day"), 0.0, False), (N_("Receipt"), 24.0, False), (N_("Product"), 48.0, False), (N_("Lot"), 100.0, False),
    (N_("Quantity"), 138.0, True), (N_("Net"), 156.0, True), (N_("Your share"), 174.0, True),
)  # fmt: skip


def pages(document: dict[str, Any], say: Language) -> bytes:
    """Return a statement as a PDF file. document: head, sums and rows, each text ready but money and units."""
    currency = document["currency"]
    pen = Pen(document["title"])
    y = 24 * MM
    pen.text(_LEFT, y, document["store"], 17, bold=True)
    pen.text(_RIGHT - pen.width(document["title"], 13, bold=True), y, document["title"], 13, bold=True)
    pen.text(_LEFT, y + 22, document["producer"], 13, bold=True)
    pen.text(_LEFT, y + 38, document["until"], 10, grey=0.3)
    y += 66
    for name, minor, bold in document["sums"]:
        pen.text(_LEFT, y, name, 11, bold=bold)
        shown = f"{say.amount(minor, currency)} {currency}"
        pen.text(_LEFT + 110 * MM - pen.width(shown, 11, bold=bold), y, shown, 11, bold=bold)
        y += 18
    y = _titles(pen, say, y + 14)
    number = 1
    for row in document["rows"]:
        if y > _BOTTOM:
            _foot(pen, document, number)
            pen.next_page()
            number, y = number + 1, _titles(pen, say, 22 * MM)
        cells = (
            row["day"], row["receipt"], row["product"][:24], row["lot"], quantity(say, row["qty"], row["stock_unit"]),
            say.amount(row["net_minor"], currency), say.amount(row["due_minor"], currency),
        )  # fmt: skip
        for (_, edge, at_end), text in zip(_COLUMNS, cells, strict=True):
            x = _LEFT + edge * MM
            pen.text(x - pen.width(text, 9.5) if at_end else x, y, text, 9.5)
        y += _ROW
    _foot(pen, document, number)
    return pen.finish()


def _titles(pen: Pen, say: Language, y: float) -> float:
    for name, edge, at_end in _COLUMNS:
        x = _LEFT + edge * MM
        pen.text(x - pen.width(say(name), 9) if at_end else x, y, say(name), 9, grey=0.4)
    pen.box(_LEFT, y + 5, _RIGHT - _LEFT, 0.8)
    return y + 20


def _foot(pen: Pen, document: dict[str, Any], number: int) -> None:
    y = A4_MM[1] * MM - 12 * MM
    pen.text(_LEFT, y, f"{document['store']} · {document['title']}", 8, grey=0.4)
    pen.text(_RIGHT - pen.width(str(number), 8), y, str(number), 8, grey=0.4)
