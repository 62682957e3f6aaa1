"""Tables as people send them: CSV, XLSX or Parquet, read as rows of text.

Rules
-----
1. The encoding of a CSV is found, not guessed silently: UTF-8, then GB18030, UTF-16 by its mark; it is shown.
2. Size, rows, columns, and what a file says that it unpacks to, are limited before it is read; the letters of all its
   cells while it is. A word that it holds once and repeats in every row takes its memory once.
"""

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from config.errors import Invalid, ShopError


class Number(str):
    """A number that the file keeps as one: its decimals stand behind a point, whatever its texts do."""

    __slots__ = ()


MOST_BYTES, MOST_ROWS, MOST_COLUMNS, MOST_UNPACKED = 20_000_000, 200_000, 60, 200_000_000


def table(raw: bytes, name: str) -> tuple[str, Iterator[list[str]]]:
    """Return what a file says it is, and its rows as text, the heading first (rule 1); `name` tells the kind."""
    if name.endswith(".xlsx"):
        return "XLSX", _readable(name, _xlsx(raw))
    if name.endswith((".parquet", ".pq")):
        return "Parquet", _readable(name, _parquet(raw))
    text, encoding = decode(raw)
    return f"CSV in {encoding}", _csv(text)


def decode(raw: bytes) -> tuple[str, str]:
    """Return the text of a file and the encoding it was found in (rule 1)."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return raw.decode("utf-16"), "UTF-16"
        except UnicodeDecodeError as fault:
            raise Invalid("unknown-encoding", "The file is cut off. Save it as UTF-8 and try again.") from fault
    for encoding, shown in (("utf-8-sig", "UTF-8"), ("gb18030", "GB18030")):
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text, shown
    raise Invalid("unknown-encoding", "The file is neither UTF-8, UTF-16 nor GB18030. Save it as UTF-8 and try again.")


# --- inside ---


def _readable(name: str, rows: Iterator[list[str]]) -> Iterator[list[str]]:
    letters = 0
    try:
        for row in rows:
            letters += sum(map(len, row))
            _refuse_too_large(letters)
            yield row
    except ShopError:
        raise
    except Exception as fault:  # a torn or hostile file: its reader may stumble in any way, and has written nothing
        raise Invalid(
            "unreadable-file", f"{name or 'The file'} cannot be read ({type(fault).__name__}). Save it anew."
        ) from fault


def _refuse_too_large(unpacked: int) -> None:
    if unpacked > MOST_UNPACKED:
        raise Invalid("file-too-large", "The table unpacks to more than 200 MB. Split it.")


def _csv(text: str) -> Iterator[list[str]]:
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    except csv.Error as fault:
        raise Invalid("unreadable-file", f"The table is broken: {fault}.") from fault


def _xlsx(raw: bytes) -> Iterator[list[str]]:
    import openpyxl

    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        _refuse_too_large(sum(part.file_size for part in packed.infolist()))
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
        raise Invalid("unreadable-file", f"The file is no Parquet table: {fault}.") from fault
    if file.metadata.num_rows > MOST_ROWS or file.metadata.num_columns > MOST_COLUMNS:
        raise Invalid("too-many-rows", f"A file may have {MOST_ROWS:,} rows and {MOST_COLUMNS} columns at most.")
    whole = file.metadata
    _refuse_too_large(sum(whole.row_group(number).total_byte_size for number in range(whole.num_row_groups)))
    if odd := [column.name for column in file.schema_arrow if not _is_plain(column.type)]:
        told = f"The column {odd[0]} holds no plain text, numbers or days. Save the table as CSV."
        raise Invalid("unreadable-file", told)
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
