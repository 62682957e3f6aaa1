"""Backtest the forecast on anyone's sales: read the file, run, and say who was nearer to what sold.

The file's columns and what is made of them: `forecasting.history`. CSV (also .gz), Parquet or XLSX.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from config.errors import Invalid, NotFound

MOST_BYTES = 4_000_000_000
INSIDE = (".90", ".95", ".99")
SHOWN = ("wrmsse7", "wrmsse14", "pinball1", "pinball3", "pinball7", "bias", "seconds")


def run(file: Path, asked: dict[str, Any], progress: Callable[[str, int, int], None] | None = None) -> dict[str, Any]:
    """Backtest a file as asked (fields of `forecasting.backtest.Plan`); what is wrong with it is said in a sentence."""
    from forecasting import backtest, history
    from forecasting.panel import PanelFault

    try:
        return backtest.run(
            history.read(table(file)), backtest.Plan(**asked), progress=progress, stopwatch=time.process_time
        )
    except PanelFault as fault:
        raise Invalid(
            "history-unfit",
            f"{file.name} cannot be used: there should be {fault.wanted}, but there is {fault.got}. "
            f"Mend the file and try again.",
            wanted=fault.wanted,
            got=fault.got,
        ) from fault


def table(file: Path) -> Any:
    """Read a CSV, Parquet or XLSX file as a data frame; its text columns stay text."""
    import pandas as pd

    if not file.is_file():
        raise NotFound("no-such-file", f"There is no file {file}.")
    if file.stat().st_size > MOST_BYTES:
        raise Invalid("file-too-large", "A history may have 4 GB at most. Split it by shop.")
    names = file.name.lower()
    try:
        if names.endswith(".parquet"):
            return pd.read_parquet(file)
        if names.endswith(".xlsx"):
            return pd.read_excel(file, dtype={"store": str, "product": str})
        return pd.read_csv(file, dtype={"store": str, "product": str, "category": str, "region": str})
    except (ValueError, OSError, UnicodeError, KeyError) as unreadable:
        raise Invalid(
            "unreadable-file", f"{file.name} cannot be read: save it as CSV (UTF-8), Parquet or XLSX. ({unreadable})"
        ) from unreadable


def shown(report: dict[str, Any]) -> list[Table]:
    """Return the report as tables for people: measures of each model, ours beside each rival, and our classes."""
    measures = _table("", *SHOWN, *INSIDE, title="Smaller is better; the last three: share of weeks inside")
    for name, row in report["models"].items():
        inside = row.get("coverage7") or row.get("coverage3") or {}
        cells = [row.get(key) for key in SHOWN] + [inside.get(level) for level in ("0.9", "0.95", "0.99")]
        measures.add_row(name, *(_number(cell) for cell in cells))
    beside = _table("ours over", *SHOWN[:5], title="Below 1: ours is better")
    for name, row in report["ratios"].items():
        beside.add_row(name, *(_number(row.get(key)) for key in SHOWN[:5]))
    kinds = _table("class", "series", *SHOWN[:6], *INSIDE, title="Ours, by class; weeks inside counted within the unit")
    for kind, row in report["models"]["ours"]["classes"].items():
        inside = row.get("coverage_within7") or row.get("coverage_within3") or {}
        cells = [row["series"], *(row.get(key) for key in SHOWN[:6])]
        cells += [inside.get(level) for level in ("0.9", "0.95", "0.99")]
        kinds.add_row(kind, *(_number(cell) for cell in cells))
    return [measures, beside, kinds]


def _table(*heads: str, title: str) -> Table:
    words = [head.replace("wrmsse", "rmsse").replace("pinball", "pin") for head in heads]
    return Table(*words, title=title, box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
