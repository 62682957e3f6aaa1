"""Backtest the forecast on anyone's sales: read the file, run, and say who was nearer to what sold."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from config.errors import Invalid
from store_app.files import sales

INSIDE = (".90", ".95", ".99")
SHOWN = ("wrmsse7", "wrmsse14", "pinball1", "pinball3", "pinball7", "bias", "seconds")


def run(file: Path, asked: dict[str, Any], progress: Callable[[str, int, int], None] | None = None) -> dict[str, Any]:
    """Backtest a file (asked: fields of `forecasting.accuracy.backtest.Plan`); a bad file gets a sentence."""
    from forecasting.accuracy import backtest, rivals
    from forecasting.series.panel import PanelFault

    here = rivals.installed()
    if strange := [name for name in asked.get("models", ()) if name not in here]:
        raise Invalid(
            "no-such-rival", "%(strange)s is not available for comparison. Available: %(here)s.", strange=strange[0],
            here=", ".join(here),
        )  # fmt: skip
    past = sales.read(file)
    try:
        return backtest.run(past, backtest.Plan(**asked), progress=progress, stopwatch=time.process_time)
    except PanelFault as fault:
        raise sales.unfit(file, fault) from fault


def shown(report: dict[str, Any]) -> list[Table]:
    """Return the report as tables for people: of each model, ours beside each rival, our classes, clean days if any."""
    said = report["settings"]
    title = (
        f"{said['origins']} forecasts of {said['horizon_days']} days; smaller is better; the last three: weeks inside"
    )
    measures = _table("", *SHOWN, *INSIDE, title=title)
    for name, row in report["models"].items():
        inside = row.get("coverage7") or row.get("coverage3") or {}
        cells = [row.get(key) for key in SHOWN] + [inside.get(level) for level in ("0.9", "0.95", "0.99")]
        measures.add_row(_name(name), *(_number(cell) for cell in cells))
    beside = _table("ours over", *SHOWN[:5], title="Below 1: ours is better")
    for name, row in report["ratios"].items():
        beside.add_row(name, *(_number(row.get(key)) for key in SHOWN[:5]))
    kinds = _table("class", "series", *SHOWN[:6], *INSIDE, title="Ours, by class; weeks inside counted within the unit")
    for kind, row in report["models"]["ours"]["classes"].items():
        inside = row.get("coverage_within7") or row.get("coverage_within3") or {}
        cells = [row.get(key) for key in SHOWN[:6]]
        cells += [inside.get(level) for level in ("0.9", "0.95", "0.99")]
        kinds.add_row(kind, f"{row['series']:g}", *(_number(cell) for cell in cells))
    return [measures, beside, kinds, *_clean_days(report)]


def _clean_days(report: dict[str, Any]) -> list[Table]:
    """Return the table of days without an empty shelf, if the history tells of any."""
    heads = ("error", "bias", "error_given_clean", "bias_given_clean")
    rows = {name: row["clean_days"] for name, row in report["models"].items() if "clean_days" in row}
    title = "Days without an empty shelf: as forecast, and as the slow days they are"
    table = _table("", "error", "bias", "error, slow", "bias, slow", title=title)
    for name, row in rows.items():
        table.add_row(_name(name), *(_number(row[key]) for key in heads))
    return [table] if rows else []


def _name(model: str) -> str:
    """Return a model's name as it fits into 80 columns: ours with the layer all models share goes by that."""
    return model.removeprefix("ours_").replace("_", " ")


def _table(*heads: str, title: str) -> Table:
    words = [head.replace("wrmsse", "rmsse").replace("pinball", "pin").replace("seconds", "s") for head in heads]
    return Table(*words, title=title, box=box.SIMPLE_HEAD, padding=0)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
