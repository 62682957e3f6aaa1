"""The shops on a map: their coordinates laid flat, with no tiles and nobody asked. Pure.

Rules
-----
1. Degrees of longitude shrink towards the poles: they are drawn by the cosine of the middle latitude, so that ways are
   as long as they look. The map fills WIDE by HIGH as far as it can, with MARGIN around it.
2. What needs somebody is drawn last, above the rest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDE, HIGH, MARGIN = 1000, 520, 36
KM_PER_DEGREE = 111.195
STEPS_KM = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True)
class Spot:
    """Something to draw. kind: shop or warehouse; light: good, off (not connected), warn or bad."""

    id: str
    name: str
    kind: str
    light: str
    lat_e6: int
    lon_e6: int


@dataclass(frozen=True)
class Dot:
    """A spot where it is drawn."""

    spot: Spot
    x: float
    y: float


@dataclass(frozen=True)
class ShopMap:
    """A map: its dots, the neediest drawn last, and a scale of so many kilometres and so many units."""

    dots: list[Dot]
    scale_km: int
    scale_units: float
    generated: bool


def draw(spots: Sequence[Spot], *, generated: bool) -> ShopMap | None:
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
    dots.sort(key=lambda dot: ("off", "good", "warn", "bad").index(dot.spot.light))
    per_km = per_degree / KM_PER_DEGREE
    scale_km = max((step for step in STEPS_KM if step * per_km <= WIDE / 4), default=STEPS_KM[0])
    return ShopMap(dots, scale_km, round(scale_km * per_km, 1), generated)
