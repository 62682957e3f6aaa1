"""The curves of a replay as a picture: how much of what was wanted is sold, and what each way of ordering keeps for it.

Rules
-----
1. To the right the share sold, from LOW, or the tenth below what is compared, to all; upwards what is kept, to HEADROOM
   times the most any way keeps at the share that is compared: there every way is in sight, and what would leave the
   picture ends at its edge.
2. A setting that sells more for less makes the poorer ones pointless, so a curve only rises.
3. Each way has a dash and a mark of its own and its name at its end, so that none needs its colour to be told. A way
   with one setting is its mark alone. A narrow picture has no room for the names: they stand below it, in a key.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

from jinja2 import Environment, PackageLoader

LOW, HEADROOM = 0.9, 1.25
LINE = 20
"""So far apart stand two names."""
MARKS = {
    "ours": "M-4-4H4V4H-4Z",
    "mean_normal": "M-4 0A4 4 0 1 0 4 0A4 4 0 1 0-4 0Z",
    "rolling_minmax": "M0-5L5 4H-5Z",
    "static_minmax": "M0 5L-5-4H5Z",
    "what_sold": "M-4-4L4 4M-4 4L4-4",
    "perfect": "M0-6L5 0L0 6L-5 0Z",
}
"""way -> the outline of its mark, around its point."""
Point = tuple[float, float]


@dataclass(frozen=True)
class Size:
    """A picture's size and the margins around its curves. is_named: each curve has its name at its end (rule 3)."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    is_named: bool


WIDE, NARROW = Size(784, 340, 92, 202, 14, 34, True), Size(330, 260, 4, 16, 30, 34, False)


@dataclass(frozen=True)
class Drawn:
    """One way. points: of its line, for SVG; marks: where its settings are; name_y: of its name, beside `end`."""

    name: str
    words: str
    points: str
    marks: list[Point]
    mark: str
    end: Point
    name_y: float


def picture(
    curves: Mapping[str, Sequence[Point]], words: Mapping[str, str], fill: float, amount: Callable[[float], str],
    share: Callable[[float], str], size: Size = WIDE,
) -> dict[str, Any]:  # fmt: skip
    """Return what the template draws.

    curves: way -> (share sold, what is kept), in any order; fill: the share that is compared; amount: what is kept, in
    words; share: basis points, in words.
    """
    rising = {name: _rising(curves[name]) for name in words if curves.get(name)}
    kept = [at for points in rising.values() if (at := _at(points, fill)) is not None]
    frame = _Frame(min(LOW, int(fill * 10) / 10), HEADROOM * max(kept, default=1.0) or 1.0, size)
    drawn = [(name, frame.seen(points)) for name, points in rising.items()]
    ends = {name: frame.place(points[-1]) for name, points in drawn if points}
    names = _apart(ends, size)
    ways = [
        Drawn(
            name, words[name], " ".join(f"{x:.1f},{y:.1f}" for x, y in (frame.place(point) for point in points)),
            [frame.place(point) for point in rising[name] if point in points], MARKS[name], ends[name], names[name],
        )
        for name, points in drawn if points
    ]  # fmt: skip
    return {
        "ways": ways, "width": size.width, "height": size.height, "left": size.left, "right": size.width - size.right,
        "top": size.top, "floor": size.height - size.bottom, "is_named": size.is_named,
        "most": amount(frame.most), "none": amount(0.0), "fill_x": frame.place((fill, 0.0))[0],
        "ticks": [(frame.place((tick, 0.0))[0], share(10_000 * tick)) for tick in frame.ticks()],
    }  # fmt: skip


def alone(chart: Mapping[str, Any], title: str) -> str:
    """Return the picture as an SVG file that needs nothing else."""
    return _environment().get_template("orders/replays/curves_alone.svg").render(chart=chart, title=title)


# --- inside ---


@dataclass(frozen=True)
class _Frame:
    """What the picture shows: shares sold from `low` to all, and up to `most` kept."""

    low: float
    most: float
    size: Size

    def seen(self, points: Sequence[Point]) -> list[Point]:
        """Return the part of a curve that lies in the picture, cut at its edges (rule 1)."""
        found = []
        for a, b in pairwise(points):
            found.append(a)
            if a[0] < self.low < b[0]:
                found.append((self.low, _between(a, b, self.low)))
            if a[1] < self.most < b[1]:
                found.append((a[0] + (b[0] - a[0]) * (self.most - a[1]) / (b[1] - a[1]), self.most))
        return [one for one in [*found, points[-1]] if one[0] >= self.low and one[1] <= self.most]

    def place(self, point: Point) -> Point:
        """Return where a point stands in the picture."""
        size = self.size
        x = size.left + (point[0] - self.low) / (1 - self.low) * (size.width - size.left - size.right)
        return x, size.top + (1 - point[1] / self.most) * (size.height - size.bottom - size.top)

    def ticks(self) -> list[float]:
        """Return the shares that are named below."""
        return [self.low + (1 - self.low) * n / 5 for n in range(6)]


def _rising(points: Sequence[Point]) -> list[Point]:
    """Return the settings worth having, the least sold first (rule 2)."""
    found: list[Point] = []
    for fill, kept in sorted(points, key=lambda point: (-point[0], point[1])):
        if not found or kept < found[-1][1]:
            found.append((fill, kept))
    return found[::-1]


def _at(points: Sequence[Point], fill: float) -> float | None:
    """Return what is kept at a share sold, straight between the settings; None where it is never reached."""
    if fill > points[-1][0]:
        return None
    if fill <= points[0][0]:
        return points[0][1]
    return next(_between(a, b, fill) for a, b in pairwise(points) if a[0] <= fill <= b[0])


def _between(a: Point, b: Point, fill: float) -> float:
    return a[1] + (b[1] - a[1]) * (fill - a[0]) / (b[0] - a[0])


def _apart(ends: Mapping[str, Point], size: Size) -> dict[str, float]:
    """Move the names apart so that each can be read, each as near to its curve's end as the others leave."""
    order, places = sorted(ends, key=lambda name: (round(ends[name][1]), ends[name][0])), list[float]()
    for name in order:
        places.append(max(ends[name][1], places[-1] + LINE if places else size.top))
    for at in range(len(places) - 1, -1, -1):
        below = places[at + 1] if at + 1 < len(places) else size.height - size.bottom + LINE
        places[at] = min(places[at], below - LINE)
    return dict(zip(order, places, strict=True))


@cache
def _environment() -> Environment:
    return Environment(loader=PackageLoader("store_app"), autoescape=True)
