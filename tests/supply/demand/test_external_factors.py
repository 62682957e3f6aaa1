"""School holidays and weather: told at a store or by the network, and what a store's night makes of them."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import sqlalchemy as sa

from config.database import Database, make_engine
from config.errors import Invalid
from config.nodes import publication
from config.nodes.journal import Actor, Context, JournalEntry, JournalHead
from forecasting.series.external_factors import RAIN, SCHOOL, TEMPERATURE
from supply.demand import forecast_store, forecasts, rollups, surroundings
from supply.demand.forecasts import ForecastSeries
from tests.supply.sold import AT, DAY, day, make_node

WEI = Actor("wei", "Wei", "shopkeeper", "S1")


@pytest.fixture
def node(tmp_path):
    database = make_node(tmp_path / "store.db", "S1", ["S1"])
    yield database
    database.engine.dispose()


@pytest.fixture
def network(tmp_path):
    database = make_node(tmp_path / "network.db")
    yield database
    database.engine.dispose()


def school(node, scope, name, first, last):
    with node.write() as session:
        surroundings.add_school_holiday(Context(session, WEI, AT), scope, name, day(first), day(last))


def rain(node, scope, days, tenths):
    with node.write() as session:
        surroundings.send_weather(session, scope, [(day(n), None, tenths) for n in days], at=AT)


def loaded(node):
    with node.read() as session:
        return forecasts.load_store(session, "S1", DAY)


def sold(node, qty):
    """Let the store sell so much bread on each of its last 200 days."""
    with node.write() as session:
        rollups.import_history(session, iter([("S1", "bread", day(n), qty(n), 900, 3) for n in range(-199, 1)]))


def off(n):
    """Tell whether the n-th day lies in the first two of eight weeks, and on a weekday."""
    return n % 56 < 14 and day(n).weekday() < 5


# --- telling them ---


def test_the_name_told_last_holds_and_days_are_taken_back_in_part(node):
    school(node, "S1", "Easter", 3, 12)
    school(node, "S1", "Spring", 10, 14)
    with node.write() as session:
        assert surroundings.remove_school_holiday(Context(session, WEI, AT), "S1", day(5), day(6)) == 2
        assert surroundings.remove_school_holiday(Context(session, WEI, AT), "S1", day(5), day(6)) == 0
        assert surroundings.school_holiday_spells(session, "S1", DAY) == [
            ("Easter", day(3), day(4)), ("Easter", day(7), day(9)), ("Spring", day(10), day(14)),
        ]  # fmt: skip
        assert surroundings.school_holiday_spells(session, "S1", day(10)) == [("Spring", day(10), day(14))]


@pytest.fixture
def server(postgres_database):
    database = Database(make_engine(postgres_database))
    for noun in (surroundings.SchoolHoliday, JournalHead, JournalEntry):
        noun.__table__.create(database.engine)
    yield database
    database.engine.dispose()


@pytest.mark.postgres
def test_of_two_that_tell_the_same_days_at_once_both_are_heard(server):
    waiting = sa.text("select count(*) from pg_locks where not granted")
    with ThreadPoolExecutor(1) as other:
        with server.write() as session:
            surroundings.add_school_holiday(Context(session, WEI, AT), "R1", "Easter", day(1), day(3))
            second = other.submit(school, server, "R1", "Spring", 2, 4)
            while not second.done() and not session.scalar(waiting):
                pass
        second.result()
    with server.read() as session:
        assert [name for name, *_days in surroundings.school_holiday_spells(session, "R1", DAY)] == ["Easter", "Spring"]


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [(4, 3, "school-backwards"), (0, 120, "school-too-long"), (790, 802, "school-too-far")],
)
def test_days_that_can_be_no_school_holidays_are_refused(node, first, last, code):
    with pytest.raises(Invalid) as refused:
        school(node, "S1", "Summer", first, last)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("n", "reported", "code"),
    [
        (1, (None, None), "no-weather"),
        (1, (610, None), "bad-temperature"),
        (1, (None, -1), "bad-rain"),
        (32, (100, None), "weather-too-far"),
    ],
)
def test_what_can_be_no_weather_is_refused(node, n, reported, code):
    with pytest.raises(Invalid) as refused, node.write() as session:
        surroundings.send_weather(session, "S1", [(day(n), *reported)], at=AT)
    assert refused.value.code == code


def test_of_a_day_that_is_told_again_only_the_numbers_told_are_replaced(node):
    for reported in [(120, 5), (None, 40), (90, None)]:
        with node.write() as session:
            surroundings.send_weather(session, "S1", [(DAY, *reported)], at=AT)
    with node.read() as session:
        found = session.get_one(surroundings.WeatherDay, ("S1", DAY))
        assert (found.temperature_tenths, found.rain_tenths) == (90, 40)


# --- the road ---


def test_a_shops_own_weather_holds_before_its_regions_and_holidays_of_both_count(node):
    sold(node, lambda n: 5)
    rain(node, "R1", range(-60, 4), 0)
    rain(node, "S1", [-2, 1], 400)
    school(node, "R1", "Winter", -30, -26)
    school(node, "S1", "Town feast", 3, 3)
    found = loaded(node)
    bread = found.panel.keys.index(("S1", "bread"))
    assert set(found.panel.features) == {SCHOOL, RAIN}
    wet = found.panel.features[RAIN][bread]
    assert wet[-3] == pytest.approx(np.log(41.0))
    assert abs(wet[-40:-3]).max() == 0.0
    later = found.ahead.features
    assert later[RAIN][bread, 0] > 3.0
    assert later[RAIN][bread, 4:].tolist() == [0.0] * 10, "a day nobody told is at its usual"
    assert later[SCHOOL][bread].nonzero()[0].tolist() == [2]
    assert found.panel.features[SCHOOL][bread].sum() == sum(day(n).weekday() < 5 for n in range(-30, -25))


def test_what_the_network_tells_of_a_region_is_what_its_shops_know(node, network):
    def publish():
        with network.write() as session:
            body = surroundings.edition(session, "R1", DAY)
            if body:
                publication.publish(session, surroundings.KIND, "R1", body, at=AT)
        with node.write() as session:
            if body:
                surroundings.take_edition(session, body)
        return body

    assert publish() == {}
    school(network, "R1", "Easter", 3, 12)
    rain(network, "R1", [0, 1], 25)
    school(node, "S1", "Town feast", 20, 20)
    publish()
    with node.read() as session:
        assert surroundings.school_holiday_spells(session, "R1", DAY) == [("Easter", day(3), day(12))]
        assert surroundings.known_weather(session, "R1") == (2, day(0), day(1))
    with network.write() as session:
        surroundings.remove_school_holiday(Context(session, WEI, AT), "R1", day(3), day(12))
        surroundings.forget_weather(Context(session, WEI, AT), "R1")
    publish()
    with node.read() as session:
        assert surroundings.school_holiday_spells(session, "R1", DAY) == []
        assert surroundings.known_weather(session, "R1") is None
        assert surroundings.school_holiday_spells(session, "S1", DAY) == [("Town feast", day(20), day(20))]


def test_what_is_told_of_a_region_is_no_other_edition_the_next_day(network):
    rain(network, "R1", range(-900, 1), 25)
    with network.read() as session:
        today, tomorrow = (surroundings.edition(session, "R1", dt.date(2026, 2, n)) for n in (9, 10))
    assert today == tomorrow
    assert len(today["weather"]) > surroundings.EDITION_DAYS - 60


# --- the night ---


def test_a_night_expects_of_school_holidays_what_they_did_and_says_so_of_the_product(node):
    sold(node, lambda n: 20 if off(n) else 10)
    for begin in range(-4 * 56, 57, 56):
        school(node, "S1", "Holidays", begin, begin + 13)
    found = loaded(node)
    computed = forecasts.compute_store(found)
    bread = found.panel.keys.index(("S1", "bread"))
    mean = computed.forecast.mean[bread]
    ahead = np.array([off(n) for n in range(1, 15)])
    assert mean[ahead].mean() > 1.6 * mean[~ahead].mean()
    with node.write() as session:
        run = forecast_store.store_store(Context(session, WEI, AT), computed)
        name, days, factor, more = session.get_one(ForecastSeries, (run.id, "bread")).moved[0]
    assert (name, more) == (SCHOOL, True)
    assert [dt.date.fromisoformat(one) for one in days] == [day(n) for n in range(1, 15) if off(n)]
    assert factor > 1.6


def test_a_shop_that_nobody_tells_anything_has_no_features(node):
    sold(node, lambda n: 5)
    assert loaded(node).panel.features == {}
    assert loaded(node).ahead.features == {}
    assert TEMPERATURE not in forecasts.compute_store(loaded(node)).forecast.moved
