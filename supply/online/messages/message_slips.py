"""Messages to customers as slips to cut and hand out: who it is for, the words, and the code to scan at the till. PURE.

Rules
-----
1. Ten slips stand on an A4 page, lines show where to cut; each has its code in messages and as a square the till reads.
2. The same messages give the same bytes.
"""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from pos.documents.pdf import MM, Pen, Sheet, flow, sheet_pages, words

if TYPE_CHECKING:
    from supply.online.messages.campaigns import Message

SLIPS = Sheet("95 × 55 mm", 2, 5, 95, 55, 10, 11, 95, 55, is_cut=True)
_EDGE, _SQUARE = 5 * MM, 22 * MM


def pages(title: str, store: str, messages: Sequence["Message"]) -> bytes:
    """Return the slips as a PDF file (rule 1)."""
    return flow(title, sheet_pages(SLIPS, messages, partial(_slip, store)), margin=0)


def _slip(store: str, pen: Pen, message: "Message", left: float, top: float) -> None:
    x, right, foot = left + _EDGE, left + SLIPS.width * MM - _EDGE, top + SLIPS.height * MM - _EDGE
    pen.text(x, top + _EDGE + 9, message.name or message.phone, 13, bold=True, most=right - x)
    pen.put(x, top + _EDGE + 16, right - x - _EDGE - _SQUARE, foot - top - _EDGE - 34, words(message.text))
    pen.square(message.code, right - _SQUARE, top + _EDGE + 18, _SQUARE)
    code = pen.text(x, foot, message.code, 15, bold=True)
    pen.text(right, foot, store, 8, grey=0.35, at=1, most=right - x - code - _EDGE)
