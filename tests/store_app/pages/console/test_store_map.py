"""A map drawn from coordinates alone keeps directions and distances."""

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from store_app.pages.console.store_map import HIGH, KM_PER_DEGREE, WIDE, Spot, draw

PLACES = st.lists(st.tuples(st.integers(-60_000_000, 60_000_000), st.integers(-5_000_000, 5_000_000)), min_size=1)


def spot(n: int, lat: int, lon: int) -> Spot:
    return Spot(str(n), f"Store {n}", "store", "good", lat, lon)


@given(PLACES)
def test_every_shop_is_on_the_map_and_north_is_up(places):
    found = draw([spot(n, *place) for n, place in enumerate(places)], generated=False)
    assert all(0 <= dot.x <= WIDE and 0 <= dot.y <= HIGH for dot in found.dots)
    for one in found.dots:
        for other in found.dots:
            if one.spot.lat_e6 > other.spot.lat_e6:
                assert one.y <= other.y


@given(PLACES)
def test_a_name_covers_no_dot_and_no_other_name(places):
    """The neediest is named first; one that finds no room bears none."""
    lights = ("bad", "warn", "good", "quiet")
    spots = [replace(spot(n, *place), light=lights[n % 4]) for n, place in enumerate(places)]
    found = draw(spots, generated=False).dots
    boxes = [
        (dot, (dot.name[0], dot.name[1] - 19, dot.name[0] + 12.5 * len(dot.spot.name), dot.name[1] + 5))
        for dot in found
        if dot.name is not None
    ]
    for n, (dot, (left, top, right, foot)) in enumerate(boxes):
        assert 0 <= left < right <= WIDE
        assert dot.spot.light in ("bad", "warn")
        assert not any(left < one.x < right and top < one.y < foot for one in found if one is not dot)
        assert not any(
            left < other[2] and other[0] < right and top < other[3] and other[1] < foot for _, other in boxes[n + 1 :]
        )


def test_ways_are_as_long_as_they_look():
    home, east, north = (48_000_000, 11_000_000), (48_000_000, 11_100_000), (48_067_000, 11_000_000)
    found = draw([spot(n, *place) for n, place in enumerate((home, east, north))], generated=True)
    at = {dot.spot.id: (dot.x, dot.y) for dot in found.dots}
    units_per_km = found.scale_units / found.scale_km
    to_east = math.dist(at["0"], at["1"]) / units_per_km
    assert abs(to_east - 0.1 * KM_PER_DEGREE * math.cos(math.radians(48.03))) < 0.1
    assert abs(math.dist(at["0"], at["2"]) / units_per_km - 0.067 * KM_PER_DEGREE) < 0.1
    assert found.generated
    assert draw([], generated=False) is None
