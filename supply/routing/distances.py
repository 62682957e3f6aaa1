"""How far it is from one place to another where nobody has measured it. Pure.

Great circles times DETOUR: between 1.2 and 1.4 in towns. Units: degrees, metres.
"""

from math import asin, cos, radians, sin, sqrt

EARTH_M = 6_371_008.8
DETOUR = 1.3
"""How much longer a road is than the crow's flight."""
Point = tuple[float, float]
"""(latitude, longitude) in degrees."""


def way_m(here: Point, there: Point) -> int:
    """Return the way between two places in metres."""
    (lat_1, lon_1), (lat_2, lon_2) = ((radians(lat), radians(lon)) for lat, lon in (here, there))
    turn = sin((lat_1 - lat_2) / 2) ** 2 + cos(lat_1) * cos(lat_2) * sin((lon_1 - lon_2) / 2) ** 2
    return round(DETOUR * 2 * EARTH_M * asin(min(1.0, sqrt(turn))))
