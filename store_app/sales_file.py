"""A file of sales as anybody has it: CSV (also .gz), Parquet or XLSX, read as a history.

Rules
-----
1. The columns and what is made of them: `forecasting.history`. Store, product and day of a CSV stay text.
2. A CSV's separator is that of its heading: comma, semicolon or tab; its decimal comma is told from its numbers. Its
   encoding is found as in `files`: UTF-8, then GB18030, UTF-16 by its mark. Rows may end with one separator more than
   the heading, as some programs write them.
3. What cannot be right is refused in a sentence that says what the file needs and what it has.
"""

import gzip
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any

from config.errors import Invalid, NotFound
from forecasting import history
from forecasting.panel import PanelFault

MOST_BYTES = 4_000_000_000
SAMPLE_ROWS = 1_000
BEYOND = "behind the last column"
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
        f"{file.name} cannot be used. It needs {fault.wanted}; it has {fault.got}. Mend the file and try again.",
        wanted=fault.wanted,
        got=fault.got,
    )


# --- inside ---


def _table(file: Path) -> Any:
    import pandas as pd

    if not file.is_file():
        raise NotFound("no-such-file", f"There is no file {file}.")
    if file.stat().st_size > MOST_BYTES:
        raise Invalid("file-too-large", "A history may have 4 GB at most. Split it by shop.")
    names = file.name.lower()
    try:
        if names.endswith((".parquet", ".pq")):
            return pd.read_parquet(file)
        if names.endswith(".xlsx"):
            return pd.read_excel(file, dtype={"store": str, "product": str})
        return _csv(file)
    except (ValueError, OSError, EOFError, KeyError, zlib.error, zipfile.BadZipFile) as unreadable:
        raise Invalid(
            "unreadable-file",
            f"{file.name} cannot be read: save it as CSV (UTF-8), Parquet or XLSX. ({str(unreadable).strip()})",
        ) from unreadable


def _csv(file: Path) -> Any:
    """Read a CSV by rule 2."""
    import pandas as pd

    with _opened(file) as raw:
        start = raw.read(2)
    for encoding in ("utf-16",) if start in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030"):
        try:
            with _opened(file) as raw:
                heading = raw.readline().decode(encoding, errors="ignore")
            separator = max(",;\t", key=heading.count)
            how: dict[str, Any] = {"sep": separator, "encoding": encoding}
            sample = pd.read_csv(file, dtype=str, nrows=SAMPLE_ROWS, **how)
            if _is_shifted(sample):
                how |= {"header": 0, "names": [*sample.columns, BEYOND]}
                sample = _even(file, pd.read_csv(file, dtype=str, nrows=SAMPLE_ROWS, **how))
            comma = separator != "," and any(sample[name].str.fullmatch(r"-?\d+,\d+").any() for name in sample.columns)
            named = {name: str for name in sample.columns if str(name).strip().lower() in TEXTS}
            frame = pd.read_csv(file, dtype=named, decimal="," if comma else ".", low_memory=False, **how)
            return _even(file, frame) if BEYOND in frame else frame
        except UnicodeDecodeError as unreadable:
            refused = unreadable
    raise refused


def _is_shifted(frame: Any) -> bool:
    """Tell whether rows have more cells than the heading: pandas takes their first ones for the names of the rows."""
    import pandas as pd

    return not isinstance(frame.index, pd.RangeIndex)


def _even(file: Path, frame: Any) -> Any:
    """Return a table without what is behind its last column; refused where something stands there."""
    beyond = frame.pop(BEYOND).notna()
    if _is_shifted(frame) or beyond.any():
        row = 2 if _is_shifted(frame) else int(beyond.argmax()) + 2
        raise Invalid(
            "row-too-wide",
            f"{file.name} has more cells in row {row} than its heading names. Name the column, or put a text that "
            "holds the separator in quotes.",
        )
    return frame


def _opened(file: Path) -> IO[bytes]:
    return gzip.open(file) if file.name.lower().endswith(".gz") else file.open("rb")
