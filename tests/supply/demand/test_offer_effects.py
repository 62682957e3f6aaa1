"""What stores tell of their offers: bounded, summed for their region, and never a reason to lose the rest."""

import datetime as dt
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from pos.store.store import Store
from supply.demand import promotion_days, reported_forecasts
from supply.demand.forecasts import ForecastRun
from supply.demand.promotion_days import KEPT_DAYS, MOST_SLOPE, MOST_WORTH, read_effects
from tests.supply.demand.test_reported_forecasts import YESTERDAY, carry, country, publish, reported, sells
from tests.supply.road import AT, DAY

__all__ = ["country"]

FOOD = {"Food": {"on_offer": [40.0, 20.0]}}


def hear(session, store: str, effects: object, *, run: str = "run-1", **other) -> str | None:
    body = reported({"milk": [1.0] * 14}, run=run, effects=effects, **other)
    return reported_forecasts.hear(session, store, body, at=AT)


def test_what_shops_tell_of_offers_is_summed_for_their_region(country) -> None:
    stores, region = list(country.stores), None
    with country.network.write() as session:
        for store in stores:
            sells(session, store, 4, "milk")
            assert hear(session, store, FOOD) is None
        region = session.get_one(Store, stores[0]).region_id
        found = promotion_days.effects_of_region(session, region, DAY)
        assert found == {(region, "Food"): {"on_offer": (40.0 * len(stores), 20.0 * len(stores))}}
        assert promotion_days.effects_of_region(session, "elsewhere", DAY) == {}
        assert promotion_days.effects_of_region(session, region, YESTERDAY + dt.timedelta(days=KEPT_DAYS)) == {}


def test_a_shop_carries_what_its_run_says_of_offers(country) -> None:
    store = next(iter(country.stores))
    with country.network.write() as session:
        sells(session, store, 4, "milk")
    with country.stores[store].write() as session:
        publish(session, store, {"milk": [1.0] * 14}, run="run-1")
        session.get_one(ForecastRun, "run-1").effects = FOOD
    assert carry(country, store) is None
    with country.network.read() as session:
        row = session.get_one(promotion_days.ReportedEffect, (store, "Food", "on_offer"))
        assert (row.worth, row.moved, row.origin_day) == (40.0, 20.0, YESTERDAY)


def test_the_newest_word_replaces_the_one_before_and_a_silent_one_ends_it(country) -> None:
    store = next(iter(country.stores))
    with country.network.write() as session:
        sells(session, store, 4, "milk")
        assert hear(session, store, FOOD) is None
        assert hear(session, store, {"Drinks": {"price": [3.0, -6.0]}}, run="run-2") is None
        kept = session.query(promotion_days.ReportedEffect).all()
        assert [(one.top_category, one.feature) for one in kept] == [("Drinks", "price")]
        assert hear(session, store, None, run="run-3") is None
        assert session.query(promotion_days.ReportedEffect).count() == 0


@pytest.mark.parametrize(
    "effects", [[], {"Food": 3}, {"Food": {"on_offer": [1.0]}}, {"Food": {"on_offer": [-1.0, 0.0]}},
                {"Food": {"on_offer": [math.nan, 0.0]}}, {"Food": {"on_offer": ["1", "2"]}}, {"x" * 300: {}}],
)  # fmt: skip
def test_effects_that_cannot_be_are_refused_with_the_forecast_and_what_stood_stays(country, effects: object) -> None:
    store = next(iter(country.stores))
    with country.network.write() as session:
        sells(session, store, 4, "milk")
        assert hear(session, store, FOOD) is None
        refused = hear(session, store, effects, run="run-2")
        assert (refused or "").startswith("incomplete-effects")
        assert session.get_one(reported_forecasts.ReportedForecast, store).run_id == "run-1"
        assert session.get(promotion_days.ReportedEffect, (store, "Food", "on_offer")) is not None
        assert session.query(reported_forecasts.ReportedDemand).count() == 1


numbers = st.floats(allow_nan=False, allow_infinity=False)


@given(st.floats(0, allow_nan=False, allow_infinity=False), numbers)
def test_no_shop_counts_for_more_than_its_most_nor_tells_what_trade_never_saw(worth: float, moved: float) -> None:
    for kept, sums in read_effects({"Food": {"on_offer": [worth, moved], "weather": [1.0, 1.0]}}).items():
        assert kept == ("Food", "on_offer")
        assert 0 < sums[0] <= MOST_WORTH
        assert abs(sums[1]) <= MOST_SLOPE["on_offer"] * sums[0] * (1 + 1e-9)


@pytest.mark.parametrize(
    "reported",
    [{"Food": {"on_offer": [10**400, 1]}}, {"Food": {"price": [1, -(10**400)]}}, {"Fo\0od": {"price": [1, 1]}}],
)
def test_a_number_or_a_name_that_no_table_can_hold_is_refused(reported: object) -> None:
    with pytest.raises(Invalid, match="per category"):
        read_effects(reported)


@pytest.mark.parametrize("reported", [None, 3, "Food", [1, 2]])
def test_effects_are_told_by_aisle(reported: object) -> None:
    with pytest.raises(Invalid, match="per category"):
        read_effects(reported)


def test_the_region_says_how_many_times_as_much_an_aisle_sells_on_offer() -> None:
    signal = {"keys": [["R", "Food"], ["R", "Drinks"]], "slopes": {"on_offer": [math.log(1.5), 0.0]}}
    assert promotion_days.effect_times(signal, "Food") == pytest.approx(1.5)
    assert promotion_days.effect_times(signal, "Toys") is None
    assert promotion_days.effect_times(signal | {"slopes": {}}, "Food") is None
    assert promotion_days.effect_times(None, "Food") is None
