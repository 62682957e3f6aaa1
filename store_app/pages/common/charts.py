"""What `common/charts.js` draws: the first line as bars or steps, the others dashed, each figure with its words."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from store_app.files import exporting
from store_app.web.presenting import money, number, place


@dataclass(frozen=True)
class Line:
    """A line of a chart. values: None where it has none; texts: what hovering shows."""

    label: str
    values: list[float | None]
    texts: list[str]


def amounts(label: str, minors: Iterable[int | None], currency: str = "") -> Line:
    """Return amounts as a line."""
    shown, code = list(minors), currency or place().currency
    values = [None if minor is None else float(exporting.major(minor, code)) for minor in shown]
    return Line(label, values, [money(minor, code) for minor in shown])


def numbers(label: str, values: Iterable[float | None], places: int = 0) -> Line:
    """Return plain numbers as a line."""
    shown = list(values)
    return Line(label, shown, [number(value, places) for value in shown])


def drawing(
    head: str, names: Sequence[str], *lines: Line, hrefs: Sequence[str] = (), lying: bool = False,
    days: Sequence[dt.date] = (),
) -> dict[str, Any]:  # fmt: skip
    """Return a chart: figures under each name; days: it has steps, as far apart as the days are."""
    chart: dict[str, Any] = {"head": head, "names": names, "lying": lying, "lines": [asdict(line) for line in lines]}
    return chart | ({"hrefs": hrefs} if hrefs else {}) | ({"days": [f"{day:%Y-%m-%d}" for day in days]} if days else {})
