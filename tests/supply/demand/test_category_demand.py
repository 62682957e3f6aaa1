"""What stores are expected to sell of a category: one figure for each, and every larger one its sum."""

import datetime as dt
import random

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from pos.catalogue.catalogue import Product
from pos.store.store import Region, Store
from supply.demand import category_demand
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.demand.history import SellingRate
from tests.supply.road import AT, DAY, make_country

FIRST = DAY + dt.timedelta(days=1)
HORIZON = 14


@pytest.fixture
def network(tmp_path):
    country = make_country(tmp_path)
    with country.network.write() as session:
        session.execute(sa.update(Product).where(Product.sku == "apple").values(category="Fruit", stock_unit="gram"))
    yield country.network
    for database in country.nodes().values():
        database.engine.dispose()


def add_store(session, store_id: str, region_id: str, *sells: tuple[str, float]) -> None:
    if session.get(Region, region_id) is None:
        session.add(Region(id=region_id, name=f"Region {region_id}"))
        session.flush()
    if session.get(Store, store_id) is None:
        session.add(Store(id=store_id, name=store_id, slug=store_id.lower(), region_id=region_id, currency="EUR",
                          tz="UTC", joined_at=AT))  # fmt: skip
        session.flush()
    session.add_all(SellingRate(store_id=store_id, sku=sku, per_day=per_day) for sku, per_day in sells)
    session.flush()


def publish(session, store_id: str, sku: str, means: list[float], *, origin: dt.date = DAY) -> None:
    """Publish a store's run of one product, with the sums beside the days."""
    run = ForecastRun(id=f"run-{store_id}", scope_kind="store", scope_id=store_id, state="published",
                      origin_day=origin, horizon_days=len(means), started_at=AT)  # fmt: skip
    session.add(run)
    session.flush()
    first = origin + dt.timedelta(days=1)
    for n, mean in enumerate(means):
        day = first + dt.timedelta(days=n)
        for begins, units in {day: mean, first: sum(means[: n + 1])}.items():
            session.add(ForecastQuantile(run_id=run.id, sku=sku, first_day=begins, last_day=day, mean=units, q50=units,
                                         q75=units, q90=units, q95=units, q99=units))  # fmt: skip
    session.flush()


def publish_region(session, region_id: str, top_category: str, means: list[float], *, origin: dt.date = DAY) -> None:
    signal = {
        "first_day": (origin + dt.timedelta(days=1)).isoformat(),
        "keys": [[region_id, top_category]],
        "mean": [means],
    }
    session.add(ForecastRun(id=f"run-{region_id}", scope_kind="region", scope_id=region_id, state="published",
                            origin_day=origin, horizon_days=len(means), started_at=AT, signal=signal))  # fmt: skip
    session.flush()


@given(st.lists(st.floats(0, 1e6), max_size=30), st.sampled_from([1, 10]))
def test_a_path_is_rounded_so_that_every_sum_of_its_days_from_the_first_is_right(units, parts_of_unit):
    reported = category_demand.in_whole_parts(units, parts_of_unit)
    for n in range(1, len(units) + 1):
        assert sum(reported[:n]) == pytest.approx(sum(units[:n]) * parts_of_unit, abs=0.5 + 1e-6)
    assert min(reported, default=0) >= 0


@pytest.mark.parametrize("top_category", ["Food", "Fruit, gram"])
def test_shops_make_their_region_and_regions_the_network_to_the_last_unit(network, top_category):
    draw, sku = random.Random(top_category), "milk" if top_category == "Food" else "apple"
    with network.write() as session:
        for n in range(24):
            region = f"N{n % 3}"
            add_store(session, f"A{n:02d}", region, *([(sku, draw.random() * 40)] if draw.random() < 0.8 else []))
            if draw.random() < 0.5:
                origin = DAY - dt.timedelta(days=draw.randint(0, 5))
                publish(session, f"A{n:02d}", sku, [draw.random() * 40 for _ in range(HORIZON)], origin=origin)
        publish_region(session, "N0", top_category, [draw.random() * 300 for _ in range(HORIZON)])
        publish_region(session, "N1", top_category, [draw.random() * 300 for _ in range(HORIZON)])
    with network.read() as session:
        whole = category_demand.ahead(session, top_category)
        alone = {one: category_demand.ahead(session, top_category, one) for one in ("N0", "N1", "N2", "R1")}
    assert {one.by for one in whole.stores} == {"own", "region", "lately"}
    assert len(whole.stores) == 26
    assert whole.parts_of_unit == (10 if top_category == "Food" else 1)
    for region, ahead in alone.items():
        assert ahead.days == whole.days
        assert ahead.stores == tuple(one for one in whole.stores if one.region_id == region)
        assert list(ahead.total()) == [sum(one.parts[n] for one in ahead.stores) for n in range(len(ahead.days))]
        assert ahead.total() == whole.total(region)
    assert list(whole.total()) == [sum(day) for day in zip(*(one.total() for one in alone.values()), strict=True)]
    assert sum(whole.total()) > 0


def test_a_shops_own_forecast_is_what_is_said_of_it_and_the_others_share_the_regions(network):
    with network.write() as session:
        add_store(session, "A", "N", ("milk", 6.0))
        add_store(session, "B", "N", ("milk", 3.0))
        add_store(session, "C", "N", ("milk", 1.0), ("apple", 500.0))
        publish(session, "A", "milk", [2.0] * HORIZON)
        publish_region(session, "N", "Food", [20.0] * HORIZON)
    with network.read() as session:
        found = category_demand.ahead(session, "Food", "N")
    assert found.days == tuple(FIRST + dt.timedelta(days=n) for n in range(HORIZON))
    said = {one.store_id: (one.by, found.units(one.parts[0])) for one in found.stores}
    assert said == {"A": ("own", 2.0), "B": ("region", 6.0), "C": ("region", 2.0)}
    assert found.units(found.total()[0]) == 10.0


def test_where_nothing_is_known_of_shops_they_share_the_regions_forecast_alike(network):
    with network.write() as session:
        publish_region(session, "R1", "Food", [3.0] * HORIZON)
    with network.read() as session:
        assert {one.parts[0] for one in category_demand.ahead(session, "Food", "R1").stores} == {15}


def test_a_forecast_too_old_is_not_counted_and_one_a_day_older_ends_the_days_sooner(network):
    with network.write() as session:
        add_store(session, "A", "N", ("milk", 4.0))
        add_store(session, "B", "N", ("milk", 4.0))
        publish(session, "A", "milk", [9.0] * HORIZON, origin=DAY - dt.timedelta(days=4))
        publish(session, "B", "milk", [float(n) for n in range(HORIZON)], origin=DAY - dt.timedelta(days=1))
        publish_region(session, "R1", "Food", [3.0] * HORIZON)
    with network.read() as session:
        found = category_demand.ahead(session, "Food", "N")
    assert (found.days[0], len(found.days)) == (FIRST, HORIZON - 1)
    assert {one.store_id: (one.by, one.parts[:2]) for one in found.stores} == {
        "A": ("lately", (40, 40)), "B": ("own", (10, 20))
    }  # fmt: skip


def test_before_anybody_forecast_nothing_is_expected(network):
    with network.read() as session:
        found = category_demand.ahead(session, "Food", "R1")
    assert (found.days, found.total()) == ((), ())
