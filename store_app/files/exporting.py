"""Tables that leave the house: CSV and XLSX that any spreadsheet opens and none executes, PDF, and plug-ins' forms.

Rules
-----
1. A text that a spreadsheet could take for a formula (it begins with = + - @, a tab or a return) is written with an
   apostrophe before it (OWASP, CSV injection); figures are figures and never touched.
2. Amounts leave in major units with the currency's places, shares as per cent, days as dates.
3. CSV is UTF-8 with a mark at its beginning, because spreadsheets guess wrong without.
"""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from flask import Response

from config.errors import NotFound
from config.money import exponent
from config.plugins import label
from config.settings import Settings
from config.words import Language
from store_app.files import plugged
from store_app.files.plugged import EXPORTERS
from store_app.runtime import plugins

_RISKY = re.compile(r"^\s*[=+\-@\t\r＝＋－＠]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PAGE_MM, MOST_LARGE = 174, 6
"""How wide a page's table is, and with how many columns it is written large."""
Cell = str | int | Decimal | dt.date | None


def tamed(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula (rule 1)."""
    return f"'{text}" if _RISKY.match(text) else text


def major(minor: int, currency: str) -> Decimal:
    """Return an amount in major units."""
    return Decimal(minor).scaleb(-exponent(currency))


def cell(value: Any, shape: str, currency: str) -> Cell:
    """Return a figure as it leaves: money in major units, shares in per cent (rule 2)."""
    if value is None:
        return None
    if shape == "money":
        return major(value, currency)
    if shape == "share":
        return Decimal(value).scaleb(-2)
    if shape == "hour":
        return f"{value:02d}:00"
    return tamed(_CONTROL.sub(" ", value)) if isinstance(value, str) else value


def csv_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Answer with a CSV file (rule 3)."""
    page = io.StringIO()
    writer = csv.writer(page)
    writer.writerow([tamed(word) for word in head])
    writer.writerows(rows)
    return _file(page.getvalue().encode("utf-8-sig"), "text/csv; charset=utf-8", f"{name}.csv")


def xlsx_answer(name: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Response:
    """Answer with an XLSX file: one sheet, its head in bold and kept in view."""
    from openpyxl import Workbook  # large, and only somebody who asks for a sheet needs it
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet(re.sub(r"[\\/*?:\[\]]", " ", name)[:31])
    sheet.freeze_panes = "A2"
    first = []
    for word in head:
        found = WriteOnlyCell(sheet, value=tamed(word))
        found.font = Font(bold=True)
        first.append(found)
    sheet.append(first)
    for row in rows:
        cells = []
        for value in row:
            found = WriteOnlyCell(sheet, value=value)  # type: ignore[arg-type]  # its stub lacks date and Decimal
            if isinstance(value, str):
                found.data_type = "s"  # a text stays a text, whatever it begins with
            cells.append(found)
        sheet.append(cells)
    kept = io.BytesIO()
    book.save(kept)
    return _file(kept.getvalue(), XLSX, f"{name}.xlsx")


def pdf_answer(name: str, title: str, head: Sequence[str], rows: Iterable[Sequence[str]], say: Language) -> Response:
    """Answer with A4 pages: a title, and a table of what is written as people read it."""
    from reportlab.platypus import Spacer  # a drawing library

    from pos.documents import pdf

    size = 10.0 if len(head) <= MOST_LARGE else 7.0
    first = 40 if len(head) > MOST_LARGE else 64
    wide = (PAGE_MM - first) / max(1, len(head) - 1)
    columns = [pdf.Column(word, wide if n else first, at_end=n > 0, size=size) for n, word in enumerate(head)]
    story = [pdf.words(title, 15, bold=True), Spacer(0, 12), pdf.table(say, columns, rows)]
    return _file(pdf.flow(title, story, foot=(title, say("Page"))), "application/pdf", f"{name}.pdf")


def offered(settings: Settings) -> list[tuple[str, str]]:
    """Return the plug-ins that can write a table here: name and what a person calls it."""
    return [(name, label(EXPORTERS, name)) for name in plugins.taking_part(EXPORTERS, settings).entered]


def table_answer(
    settings: Settings, form: str, name: str, head: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> Response:
    """Answer with a table as csv, xlsx or what a plug-in writes; NotFound for another form of file."""
    part = plugins.taking_part(EXPORTERS, settings)
    if form in ("csv", "xlsx"):
        return (csv_answer if form == "csv" else xlsx_answer)(name, head, rows)
    if form not in part.entered:
        raise NotFound("no-such-file", "File not found. Choose CSV or XLSX.")
    suffix, media, content = plugged.written(form, part, name, head, rows)
    return _file(content, media, f"{name}.{suffix}")


def _file(content: bytes, kind: str, name: str) -> Response:
    answer = Response(content, mimetype=kind)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
