"""The picture of the curves: every way is in sight, named, and told apart without its colour."""

import xml.etree.ElementTree as ET
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from config.words import language
from store_app.pages.orders import curve_chart
from store_app.pages.orders.curve_chart import LINE, MARKS, NARROW, WIDE, alone, picture

CURVES = {
    "ours": [(0.88, 900), (0.93, 1_000), (0.97, 1_200), (0.99, 1_700)],
    "mean_normal": [(0.91, 1_300), (0.96, 1_500), (0.98, 1_900), (0.985, 1_850)],
    "rolling_minmax": [(0.92, 1_700), (0.98, 2_100)],
    "static_minmax": [(0.90, 1_800), (0.99, 9_000)],
    "what_sold": [(0.80, 1_000), (0.97, 3_000)],
    "perfect": [(1.0, 700)],
}
WORDS = {name: name.replace("_", " ") for name in CURVES}


def drawn(curves=CURVES, fill=0.97, size=WIDE):
    return picture(curves, WORDS, fill, lambda kept: f"{kept:.0f}", language("en").percent, size)


def places(way):
    return [tuple(float(one) for one in point.split(",")) for point in way.points.split()]


def test_all_six_ways_are_drawn_and_named_each_with_a_mark_of_its_own():
    ways = drawn()["ways"]
    assert [way.name for way in ways] == list(CURVES)
    assert len({way.mark for way in ways}) == len(MARKS) == 6
    heights = sorted(way.name_y for way in ways)
    assert all(below - above >= LINE for above, below in pairwise(heights))
    reported = ET.fromstring(alone(drawn(), "Curves"))
    assert {"".join(one.itertext()) for one in reported.iter("{http://www.w3.org/2000/svg}text")} >= set(WORDS.values())


def test_a_narrow_picture_leaves_the_names_to_its_key():
    reported = ET.fromstring(alone(drawn(size=NARROW), "Curves"))
    said = {"".join(one.itertext()) for one in reported.iter("{http://www.w3.org/2000/svg}text")}
    assert not said & set(WORDS.values())
    assert len(drawn(size=NARROW)["ways"]) == 6


def test_what_sells_more_for_less_makes_the_poorer_setting_pointless():
    mean = next(way for way in drawn()["ways"] if way.name == "mean_normal")
    assert len(mean.marks) == 3, "1,900 for 98 % is pointless beside 1,850 for 98.5 %"
    assert [y for _, y in places(mean)] == sorted((y for _, y in places(mean)), reverse=True)


def test_where_the_ways_are_compared_every_one_of_them_is_in_sight():
    chart = drawn()
    for way in chart["ways"]:
        left, right = places(way)[0][0], places(way)[-1][0]
        assert way.name == "perfect" or left <= chart["fill_x"] <= right + 0.1


some_curves = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1e6)), max_size=8)


@given(st.fixed_dictionaries(dict.fromkeys(CURVES, some_curves)), st.floats(0.5, 0.999))
def test_nothing_is_drawn_outside_the_picture(curves, fill):
    for size in (WIDE, NARROW):
        for way in drawn(curves, fill, size)["ways"]:
            assert all(0 <= x <= size.width and 0 <= y <= size.height for x, y in [*places(way), *way.marks, way.end])
            assert not size.is_named or 0 <= way.name_y <= size.height
    assert curve_chart.alone(drawn(curves, fill), "x").startswith("<svg")
