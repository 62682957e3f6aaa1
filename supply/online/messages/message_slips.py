"""Messages to customers as slips to cut and hand out: who it is for, the words, and the code to scan at the till. PURE.

Rules
-----
1. Ten slips stand on an A4 page, lines show where to cut; each has its code in messages and as a square the till reads.
2. The same messages give the same bytes.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pos.documents.pdf import MM, Pen, Sheet, places, wrapped

if TYPE_CHECKING:
    from supply.online.messages.campaigns import Message

SLIPS = Sheet("95 × 55 mm", 2, 5, 95, 55, 10, 11, 95, 55, is_cut=True)
_EDGE, _SQUARE, _LINES = 5 * MM, 22 * MM, 7


def pages(title: str, store: str, messages: Sequence["Message"]) -> bytes:
    """Return the slips as a PDF file (rule 1)."""
    pen, page_now = Pen(title), 0
    for message, (page, left, top) in zip(messages, places(SLIPS, len(messages)), strict=True):
        if page != page_now:
            pen.next_page()
            page_now = page
        _slip(pen, store, message, left * MM, top * MM)
    return pen.finish()


def _slip(pen: Pen, store: str, message: "Message", left: float, top: float) -> None:
    wide, high = SLIPS.width * MM, SLIPS.height * MM
    pen.frame(left, top, wide, high)
    (name,) = wrapped(pen, message.name or message.phone, 13, wide - 2 * _EDGE, most=1)
    pen.text(left + _EDGE, top + _EDGE + 9, name, 13, bold=True)
    y = top + _EDGE + 26
    for line in wrapped(pen, message.text, 10, wide - 3 * _EDGE - _SQUARE, most=_LINES, bold=False):
        pen.text(left + _EDGE, y, line, 10)
        y += 13.5
    pen.square(message.code, left + wide - _EDGE - _SQUARE, top + _EDGE + 18, _SQUARE)
    pen.text(left + _EDGE, top + high - _EDGE, message.code, 15, bold=True)
    pen.text(left + wide - _EDGE - pen.width(store, 8), top + high - _EDGE, store, 8, grey=0.35)
