"""A producer's statement as A4 pages: what was sold of which lot, the commission, what is paid. PURE.

Rules
-----
1. The page says what its document says and reads nothing else; the same document gives the same bytes.
"""

from typing import Any

from reportlab.platypus import Spacer

from config.words import N_, Language
from pos.documents import pdf
from pos.documents.paper import quantity
from pos.documents.pdf import Column, beside, words

_COLUMNS = (
    Column(N_("Day"), 24), Column(N_("Receipt"), 24), Column(N_("Product"), 52), Column(N_("Lot"), 20),
    Column(N_("Quantity"), 18, at_end=True), Column(N_("Net"), 18, at_end=True),
    Column(N_("Your share"), 18, at_end=True),
)  # fmt: skip


def pages(document: dict[str, Any], say: Language) -> bytes:
    """Return a statement as a PDF file. document: head, sums and rows, each text ready but money and units."""
    currency = document["currency"]
    title = words(document["title"], 13, bold=True, at_end=True)
    sums = [
        [words(name, 11, bold=bold), words(say.money(minor, currency), 11, bold=bold, at_end=True)]
        for name, minor, bold in document["sums"]
    ]
    rows = [
        (
            row["day"], row["receipt"], row["product"], row["lot"], quantity(say, row["qty"], row["stock_unit"]),
            say.amount(row["net_minor"], currency), say.amount(row["due_minor"], currency),
        )
        for row in document["rows"]
    ]  # fmt: skip
    story = [
        beside([[words(document["store"], 17, bold=True), title]], (104, 70)),
        words(document["producer"], 13, bold=True), words(document["until"], grey=0.3), Spacer(0, 16),
        beside(sums, (70, 40)), Spacer(0, 16), pdf.table(say, _COLUMNS, rows),
    ]  # fmt: skip
    return pdf.flow(document["title"], story, foot=(f"{document['store']} · {document['title']}", ""))
