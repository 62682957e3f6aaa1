"""A file of sales as anybody has it: CSV (also .gz), Parquet or XLSX, read as a history.

Rules
-----
1. The columns and what is made of them: `forecasting.series.history`. Store, product and day of a CSV stay text.
2. A CSV's separator is that of its heading: comma, semicolon or tab; its decimal comma is told from its numbers. Its
   encoding is found as in `encodings`. Rows may end with more separators than
   the heading, as some programs write them, all or some.
3. What cannot be right is refused in a sentence that says what the file needs and what it has.
"""

import codecs
import gzip
import re
import zipfile
import zlib
from io import BufferedReader
from pathlib import Path
from typing import Any

from config.errors import Invalid, NotFound
from forecasting.series import history
from forecasting.series.panel import PanelFault
from store_app.files import encodings

MOST_BYTES = 4_000_000_000
SAMPLE_ROWS, SAMPLE_BYTES = 1_000, 100_000
BEYOND, MOST_BEYOND = "behind the last column", 20
TEXTS: dict[Any, Any] = dict.fromkeys(("store", "product", "day", "category", "region"), str)


def read(file: Path) -> history.History:
    """Read a file's sales; Invalid or NotFound in a sentence (rule 3)."""
    frame = _table(file)
    try:
        return history.read(frame)
    except PanelFault as fault:
        raise unfit(file, fault) from fault


def unfit(file: Path, fault: PanelFault) -> Invalid:
    """Return what a file is told whose history cannot be used."""
    return Invalid(
        "history-unfit",
        "%(name)s cannot be used. Needed: %(wanted)s. Found: %(got)s. Correct the file and try again.",
        name=file.name,
        wanted=fault.wanted,
        got=fault.got,
    )


# --- inside ---


def _table(file: Path) -> Any:
    import pandas as pd

    if not file.is_file():
        raise NotFound("no-such-file", "File %(file)s not found.", file=file)
    if file.stat().st_size > MOST_BYTES:
        raise Invalid("file-too-large", "A sales history file can be up to 4 GB. Split it by store.")
    names = file.name.lower()
    try:
        if names.endswith((".parquet", ".pq")):
            return pd.read_parquet(file)
        if names.endswith(".xlsx"):
            return pd.read_excel(file, dtype={"store": str, "product": str})
        return _csv(file)
    except (ValueError, OSError, EOFError, KeyError, zlib.error, zipfile.BadZipFile) as unreadable:
        raise Invalid(
            "unreadable-file", "%(name)s cannot be read. Save it as CSV (UTF-8), Parquet or XLSX. (%(unreadable)s)",
            name=file.name, unreadable=str(unreadable).strip(),
        ) from unreadable  # fmt: skip


def _csv(file: Path) -> Any:
    """Read a CSV by rule 2."""

    encoding = _encoding(file)
    with _opened(file) as raw:
        heading = raw.readline().decode(encoding, errors="ignore")
    separator = max(",;\t", key=heading.count)
    how: dict[str, Any] = {"sep": separator, "encoding": encoding}
    sample = _even(file, how, dtype=str, nrows=SAMPLE_ROWS)
    comma = separator != "," and any(sample[name].str.fullmatch(r"-?\d+,\d+").any() for name in sample.columns)
    named = {name: str for name in sample.columns if str(name).strip().lower() in TEXTS}
    return _even(file, how, dtype=named, decimal="," if comma else ".", low_memory=False)


def _encoding(file: Path) -> str:
    """Return a text's encoding, by its first line and the first lines with special letters."""
    with _opened(file) as raw:
        sample = raw.readline(SAMPLE_BYTES)
        if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        for line in raw:
            if not line.isascii():
                sample += line
            if len(sample) > SAMPLE_BYTES:
                break
    found = encodings.decode(sample)[1]
    return "utf-8-sig" if found == "utf-8" else found


def _even(file: Path, how: dict[str, Any], **more: Any) -> Any:
    """Return a CSV's table without the empty cells behind its last column; refused where something stands there."""
    import pandas as pd

    columns, beyond = list(pd.read_csv(file, nrows=0, **how).columns), 0
    while beyond <= MOST_BEYOND:
        spare = [f"{BEYOND}{n}" for n in range(beyond)]
        names: dict[str, Any] = {"header": None, "skiprows": 1, "names": [*columns, *spare]} if spare else {}
        try:
            frame = pd.read_csv(file, **how, **names, **more)
        except pd.errors.ParserError as fault:  # a row further down is wider than those above it
            if (seen := re.search(r"saw (\d+)", str(fault))) is None:
                raise
            beyond = max(beyond + 1, int(seen[1]) - len(columns))
            continue
        if not isinstance(frame.index, pd.RangeIndex):  # rows are wider: their first cells were taken for their names
            beyond += frame.index.nlevels
            continue
        full = frame[spare].notna().any(axis=1)
        if full.any():
            raise _too_wide(file, int(full.argmax()) + 2)
        return frame.drop(columns=spare)
    raise _too_wide(file)


def _too_wide(file: Path, row: int | None = None) -> Invalid:
    if row is None:
        return Invalid(
            "row-too-wide", "%(name)s has more cells than column names. Name the column, or put text containing the "
            "separator in quotes.", name=file.name,
        )  # fmt: skip
    return Invalid(
        "row-too-wide", "%(name)s has more cells in row %(row)s than column names. Name the column, or put text "
        "containing the separator in quotes.", name=file.name, row=row,
    )  # fmt: skip


def _opened(file: Path) -> gzip.GzipFile | BufferedReader:
    return gzip.open(file) if file.name.lower().endswith(".gz") else file.open("rb")
