"""What the operator sees of the regions: the last seven days, those before, and each day of the small chart."""

import datetime as dt

import pytest

from supply import overview
from supply.demand import StoreDay
from tests.supply.road import DAY, make_country

TODAY = DAY + dt.timedelta(days=1)


@pytest.fixture
def network(tmp_path):
    country = make_country(tmp_path)
    yield country.network
    for database in country.nodes().values():
        database.engine.dispose()


def test_a_regions_days_stand_in_their_places_and_make_its_two_weeks(network):
    back = {0: 100, 6: 20, 7: 3, 13: 4, 27: 5, 28: 1_000}
    with network.write() as session:
        for days_ago, minor in back.items():
            day = DAY - dt.timedelta(days=days_ago)
            for shop in ("S1", "S2"):
                session.add(StoreDay(store_id=shop, business_day=day, open=True, sales=9, revenue_minor=minor))
        session.add(
            StoreDay(store_id="S1", business_day=TODAY, open=True, sales=1, revenue_minor=7)
        )  # it has just begun
    with network.read() as session:
        (region,) = [one for one in overview.regions(session, TODAY) if one.days]
    assert len(region.days) == overview.SHOWN_DAYS
    assert {27 - place: minor for place, minor in enumerate(region.days) if minor} == {
        days_ago: 2 * minor for days_ago, minor in back.items() if days_ago < overview.SHOWN_DAYS
    }
    assert (region.revenue_minor, region.revenue_before_minor, region.sales) == (240, 14, 36)


def test_before_anything_has_arrived_a_region_has_no_days(network):
    with network.read() as session:
        assert {region.days for region in overview.regions(session, TODAY)} == {()}
