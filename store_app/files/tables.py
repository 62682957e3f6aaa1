"""Tables as people send them: CSV, XLSX or Parquet, read as rows of text.

Rules
-----
1. The encoding of a CSV is found (`encodings`), shown, and can be chosen.
2. A table is read in a child process (`child_process`): `table` asks it, `rows` is what it does.
3. Rows, columns, letters and what a file says that it unpacks to are limited before it is read or while it is. A word
   that a file repeats takes its memory once.
"""

import csv
import datetime as dt
import io
import os
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

from config.errors import DomainError, Invalid
from store_app.files import encodings
from store_app.runtime.child_process import read_apart

os.environ["OPENPYXL_LXML"] = "False"  # the same parser on every machine; lxml does not raise MemoryError


class Number(str):
    """A number that the file keeps as one: its decimals stand behind a point, whatever its texts do."""

    __slots__ = ()


MOST_BYTES, MOST_ROWS, MOST_COLUMNS, MOST_UNPACKED = 20_000_000, 200_000, 250, 200_000_000
MOST_LETTERS, MOST_CELLS, MOST_SHARED = 40_000_000, 3_000_000, 20_000_000
"""Letters and cells of a table; bytes of the texts that an XLSX shares between its cells."""
MOST_PARTS = 1_000
_DELIMITERS, _TITLE_LINES = ",;\t|", 10


def table(
    raw: bytes, name: str, encoding: str = "", home: tuple[str, str] = ("", ""), **how: Any
) -> tuple[tuple[str, str], Iterator[list[str]]]:
    """Return (what a file is, the encoding of its text, '' where it has none), and its rows as text, the heading first.

    name: tells the kind. encoding: the one somebody chose. home: the store's country and language. how: `read_apart`'s.
    """
    found = read_apart(rows, raw, name, encoding, *home, **how)
    kind, read_as = next(found)
    words: dict[str, str] = {}

    def texts() -> Iterator[list[str]]:
        for row in found:
            yield [Number(*cell) if isinstance(cell, list) else words.setdefault(cell, cell) for cell in row]

    return (kind, read_as), texts()


def rows(raw: bytes, name: str, encoding: str = "", country: str = "", language: str = "") -> Iterator[Any]:
    """Yield (kind, encoding), then the rows of a file; a Number as a list of its text. The child's part (rule 2)."""
    if name.endswith(".xlsx"):
        yield "XLSX", ""
        found = _xlsx(raw)
    elif name.endswith((".parquet", ".pq")):
        yield "Parquet", ""
        found = _parquet(raw)
    else:
        text, read_as = encodings.decode(raw, encoding, country=country, language=language)
        yield "CSV", read_as
        found = _csv(text)
    for row in _bounded(name, found):
        yield [[cell] if isinstance(cell, Number) else cell for cell in row]


# --- inside ---


def _bounded(name: str, found: Iterator[list[str]]) -> Iterator[list[str]]:
    letters = cells = full = 0
    try:
        for row in found:
            if not any(cell.strip() for cell in row):  # a spreadsheet may have a million of them
                yield []
                continue
            letters, cells, full = letters + sum(map(len, row)), cells + len(row), full + 1
            _refuse_too_large(letters, MOST_LETTERS)
            _refuse_too_many(full - 1, cells)
            yield row
    except (DomainError, MemoryError):
        raise
    except Exception as fault:  # a torn or hostile file: its reader may stumble in any way, and has written nothing
        raise Invalid(
            "unreadable-file", "The file %(name)s cannot be read (%(other)s). Save it again.", name=name,
            other=type(fault).__name__,
        ) from fault  # fmt: skip


def _refuse_too_many(rows: int, cells: int) -> None:
    if rows > MOST_ROWS or cells > MOST_CELLS:
        raise Invalid(
            "too-many-rows", "A file can have up to %(most)s rows and %(most_cells)s cells. Split it.",
            most=f"{MOST_ROWS:,}", most_cells=f"{MOST_CELLS:,}",
        )  # fmt: skip


def _refuse_too_large(unpacked: int, most: int = MOST_UNPACKED) -> None:
    if unpacked > most:
        raise Invalid(
            "file-too-large",
            "This spreadsheet is larger than %(most)s MB when unpacked. Split it into smaller files.",
            most=most // 1000000,
        )


def _csv(text: str) -> Iterator[list[str]]:
    lines = islice(io.StringIO(text), _TITLE_LINES)  # a title above the table has none
    first = next((line for line in lines if any(mark in line for mark in _DELIMITERS)), "")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as fault:
        raise Invalid("unreadable-file", "The spreadsheet is damaged: %(fault)s.", fault=fault) from fault


_SHEETS = "xl/worksheets/sheet"


def _xlsx(raw: bytes) -> Iterator[list[str]]:
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        parts = packed.infolist()
    _refuse_too_large(sum(part.file_size for part in parts))
    if len(parts) > MOST_PARTS:
        raise Invalid(
            "file-too-large",
            "This spreadsheet is too complex (more than %(most)s parts). Save it as a CSV file and try again.",
            most=f"{MOST_PARTS:,}",
        )
    # sheets are read row by row; all else is in memory at once
    _refuse_too_large(sum(part.file_size for part in parts if not part.filename.startswith(_SHEETS)), MOST_SHARED)
    book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
    try:
        for row in book.worksheets[0].iter_rows(max_col=MOST_COLUMNS, values_only=True):
            yield [_shown(value) for value in row]
    finally:
        book.close()


def _parquet(raw: bytes) -> Iterator[list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(raw))
    except pa.ArrowInvalid as fault:
        raise Invalid("unreadable-file", "The file is not a Parquet table: %(fault)s.", fault=fault) from fault
    if file.metadata.num_rows > MOST_ROWS or file.metadata.num_columns > MOST_COLUMNS:
        raise Invalid(
            "too-many-rows", "A file can have up to %(most)s rows and %(most_columns)s columns.",
            most=f"{MOST_ROWS:,}", most_columns=MOST_COLUMNS,
        )  # fmt: skip
    whole = file.metadata
    _refuse_too_large(sum(whole.row_group(number).total_byte_size for number in range(whole.num_row_groups)))
    if odd := [column.name for column in file.schema_arrow if not _is_plain(column.type)]:
        raise Invalid(
            "unreadable-file",
            "The column %(odd)s contains something other than text, numbers or dates. Save the file as CSV.",
            odd=odd[0],
        )
    words = [column.name for column in file.schema_arrow if pa.types.is_string(column.type)]
    yield list(file.schema_arrow.names)
    for batch in pq.ParquetFile(io.BytesIO(raw), read_dictionary=words).iter_batches(10_000):
        yield from (list(row) for row in zip(*map(_cells, batch.columns), strict=True))


def _is_plain(kind: Any) -> bool:
    """Tell whether a Parquet column's cells are of bounded size, or text, which is kept once for all its cells."""
    import pyarrow.types as kinds

    tests = (kinds.is_string, kinds.is_boolean, kinds.is_integer, kinds.is_floating, kinds.is_decimal, kinds.is_date,
             kinds.is_timestamp, kinds.is_null)  # fmt: skip
    kind = kind.value_type if kinds.is_dictionary(kind) else kind
    return any(test(kind) for test in tests)


def _cells(column: Any) -> list[str]:
    """Return a column's cells as text; equal words of one batch share their memory (rule 2)."""
    if not hasattr(column, "dictionary"):
        return [_shown(value) for value in column.to_pylist()]
    words = [_shown(value) for value in column.dictionary.to_pylist()]
    return ["" if place is None else words[place] for place in column.indices.to_pylist()]


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():  # a barcode in a column with gaps is such a one
        return Number(int(value))
    if isinstance(value, float | Decimal):
        return Number(value)
    return value.isoformat() if isinstance(value, dt.date) else str(value)
