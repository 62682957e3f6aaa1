"""The stores on a map: their coordinates laid flat, with no tiles and nobody asked. Pure.

Rules
-----
1. Degrees of longitude shrink towards the poles: they are drawn by the cosine of the middle latitude, so that ways are
   as long as they look. The map fills WIDE by HIGH as far as it can, with MARGIN around it.
2. What needs somebody is drawn last, above the rest, and is named, the neediest first, where its name covers neither a
   dot nor another name; where there is no room the list below names it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

WIDE, HIGH, MARGIN = 1000, 520, 36
KM_PER_DEGREE = 111.195
LIGHTS = ("quiet", "good", "warn", "bad")
SIGN, LINE, GAP = 12.5, 24, 19
"""How wide a letter of a name is (twice that for a Chinese sign), how high a name, how far it stays from its dot."""
STEPS_KM = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Spot:
    """Something to draw. kind: store or warehouse; light: quiet (no node of its own yet), good, warn or bad."""

    id: str
    name: str
    kind: str
    light: str
    lat_e6: int
    lon_e6: int


@dataclass(frozen=True)
class Dot:
    """A spot where it is drawn. name: where its name begins (x, y of the foot), None where it bears none (rule 2)."""

    spot: Spot
    x: float
    y: float
    name: tuple[float, float] | None = None


@dataclass(frozen=True)
class StoreMap:
    """A map: its dots, the neediest drawn last, and a scale of so many kilometres and so many units."""

    dots: list[Dot]
    scale_km: int
    scale_units: float
    generated: bool


def draw(spots: Sequence[Spot], *, generated: bool) -> StoreMap | None:
    """Lay spots flat (rule 1); None for none."""
    if not spots:
        return None
    lats, lons = [one.lat_e6 / 1e6 for one in spots], [one.lon_e6 / 1e6 for one in spots]
    shrink = math.cos(math.radians((min(lats) + max(lats)) / 2))
    span_x, span_y = (max(lons) - min(lons)) * shrink, max(lats) - min(lats)
    per_degree = min((WIDE - 2 * MARGIN) / max(span_x, 1e-4), (HIGH - 2 * MARGIN) / max(span_y, 1e-4))
    left, top = (WIDE - span_x * per_degree) / 2, (HIGH - span_y * per_degree) / 2
    dots = [
        Dot(
            one,
            round(left + (lon - min(lons)) * shrink * per_degree, 1),
            round(top + (max(lats) - lat) * per_degree, 1),
        )
        for one, lat, lon in zip(spots, lats, lons, strict=True)
    ]
    dots = _named(sorted(dots, key=lambda dot: LIGHTS.index(dot.spot.light)))
    per_km = per_degree / KM_PER_DEGREE
    scale_km = max((step for step in STEPS_KM if step * per_km <= WIDE / 4), default=STEPS_KM[0])
    return StoreMap(dots, scale_km, round(scale_km * per_km, 1), generated)


# --- inside ---

Box = tuple[float, float, float, float]
"""left, top, right, foot"""


def _named(dots: list[Dot]) -> list[Dot]:
    """Find a place for the names of those that need somebody (rule 2)."""
    taken: list[Box] = [(dot.x - 15, dot.y - 15, dot.x + 15, dot.y + 15) for dot in dots]
    found = list(dots)
    for n in reversed(range(len(dots))):
        dot = dots[n]
        if dot.spot.light not in ("warn", "bad"):
            continue
        wide = sum(SIGN if sign.isascii() else 2 * SIGN for sign in dot.spot.name)
        corners = (
            (dot.x + GAP, dot.y - LINE / 2), (dot.x - GAP - wide, dot.y - LINE / 2),
            (dot.x - wide / 2, dot.y + GAP), (dot.x - wide / 2, dot.y - GAP - LINE),
        )  # fmt: skip
        for left, top in corners:
            box = (left, top, left + wide, top + LINE)
            inside = left >= 0 and top >= 0 and box[2] <= WIDE and box[3] <= HIGH
            if inside and not any(_meet(box, other) for m, other in enumerate(taken) if m != n):
                taken.append(box)
                found[n] = replace(dot, name=(round(left, 1), round(top + LINE - 5, 1)))
                break
    return found


def _meet(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
