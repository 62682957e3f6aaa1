"""What the operator sees of the regions: the last seven days, those before, and each day of the small chart."""

import datetime as dt

import pytest
import sqlalchemy as sa

from pos.catalogue.catalogue import Product
from pos.store.store import Store
from supply.demand import category_demand
from supply.demand.history import RegionalDemand, StoreDay
from supply.membership import overview
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
            for store in ("S1", "S2"):
                session.add(StoreDay(store_id=store, business_day=day, open=True, sales=9, revenue_minor=minor))
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


def test_every_seven_days_are_the_same_whole_days_also_once_one_store_sells_on_the_new_day(network):
    with network.write() as session:
        for days_ago, minor in {0: 100, 6: 20, 7: 3}.items():
            day = DAY - dt.timedelta(days=days_ago)
            for store in ("S1", "S2"):
                session.add(StoreDay(store_id=store, business_day=day, open=True, sales=9, revenue_minor=minor))
        session.add(StoreDay(store_id="S1", business_day=TODAY, open=True, sales=1, revenue_minor=7))
    with network.read() as session:
        weeks = {one.id: one.week_minor for one in overview.stores(session, TODAY) if one.week_minor}
        sheets = {one: overview.sales_amount(session, session.get_one(Store, one), TODAY).week() for one in weeks}
        assert weeks == sheets == {"S1": 120, "S2": 120}
        assert sum(one.revenue_minor for one in overview.regions(session, TODAY)) == 240
        sku, region_id = (
            session.scalars(sa.select(Product.sku)).first(),
            session.scalars(sa.select(Store.region_id)).first(),
        )
    with network.write() as session:
        for day, qty in ((TODAY, 1), (DAY, 10), (DAY - dt.timedelta(days=27), 20), (DAY - dt.timedelta(days=28), 40)):
            session.add(RegionalDemand(region_id=region_id, sku=sku, business_day=day, sold_qty=qty, revenue_minor=qty,
                                       stores_open=2, stores_selling=1))  # fmt: skip
        session.flush()
        (top,) = overview.top_products(session, region_id, TODAY)
        assert (top.sold_qty, top.before_qty) == (30, 40)
        (top_category,) = category_demand.top_categories(session, TODAY, region_id)
        days = category_demand.sold(session, region_id, top_category, TODAY)
        assert (days[-1], len(days)) == ((DAY, 10), 91)


def test_before_anything_has_arrived_a_region_has_no_days(network):
    with network.read() as session:
        assert {region.days for region in overview.regions(session, TODAY)} == {()}
