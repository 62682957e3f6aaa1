"""What a store's forecast knows of offers and prices: of days gone by, and of those to come."""

import datetime as dt
import math
from dataclasses import replace

import numpy as np
import pytest

from config.nodes.journal import Actor, Context
from forecasting.series.panel import Ahead
from pos.catalogue import offers
from pos.catalogue.catalogue import Price
from pos.pricing.promises import Choice, Offer, Part
from pos.store.store import Store
from supply.demand import forecast_store, forecasts, history, promotion_days, rollups
from supply.demand.forecasts import HORIZON_DAYS
from tests.supply.sold import AT, DAY, day, make_node

WEI = Actor("wei", "Wei", "shopkeeper", "S1")
OFFER_DAYS = [(-80, -78), (-52, -50), (-24, -22), (3, 5)]
BREAD = Part(Choice(skus=frozenset(["bread"])))
HALF = Offer("half", "Half price", "percent", (BREAD,), percent_bp=5_000)


def promise(session, offer, begins, ends=None):
    """Make an offer on the day it begins, or today."""
    at = AT - dt.timedelta(days=1) + min(begins - DAY, dt.timedelta(0))
    offers.make(Context(session, WEI, at), "S1", replace(offer, from_day=begins, until_day=ends))


@pytest.fixture
def store(tmp_path):
    """A store that sold three times the bread on the days of its offers."""
    database = make_node(tmp_path / "store.db", "S1", ["S1"])
    rng = np.random.default_rng(4)
    rows = []
    for n in range(-119, 1):
        on = any(first <= n <= last for first, last in OFFER_DAYS)
        for sku, rate in (("bread", 18.0 if on else 6.0), ("milk", 9.0), ("apple", 6.0)):
            qty = int(rng.poisson(rate)) + 1
            rows.append(("S1", sku, day(n), qty, qty * 100, 1))
    with database.write() as session:
        rollups.import_history(session, iter(rows))
    yield database
    database.engine.dispose()


def expected(store, sku):
    with store.read() as session:
        found = forecasts.compute_store(forecasts.load_store(session, "S1", DAY)).forecast
    return found.mean[found.keys.index(("S1", sku))]


def grids(store, horizon=HORIZON_DAYS):
    with store.read() as session:
        panel = history.panel(session, "S1", DAY, 120)
        return promotion_days.reported(session, "S1", panel, Ahead(), horizon)


def test_an_offer_to_come_is_expected_to_bring_what_those_before_it_brought(store):
    plain = expected(store, "bread")
    with store.write() as session:
        for at, (first, last) in enumerate(OFFER_DAYS):
            promise(session, replace(HALF, id=f"half-{at}"), day(first), day(last))
    with_it = expected(store, "bread")
    assert with_it[2:5].mean() > 2.0 * plain[2:5].mean()
    assert with_it[6:].mean() == pytest.approx(6.9, rel=0.15), "an ordinary day stays one"
    with store.read() as session:
        reported = promotion_days.named(session, "S1", "bread", day(1), day(14), made_by=AT)
        assert reported == [("Half price", day(3), day(5))], "which its page says"
        assert promotion_days.named(session, "S1", "milk", day(1), day(14), made_by=AT) == []
        assert promotion_days.named(session, "S1", "bread", day(1), day(14), made_by=AT - dt.timedelta(days=2)) == []


def test_a_night_notes_what_offers_made_of_the_days_and_its_region_hands_it_on(store):
    """The store tells it as it stands in its run, and a store of the region that never had an offer expects as much."""
    with store.write() as session:
        for at, (first, last) in enumerate(OFFER_DAYS[:3]):
            promise(session, replace(HALF, id=f"half-{at}"), day(first), day(last))
        night = forecasts.compute_store(forecasts.load_store(session, "S1", DAY))
        run = forecast_store.store_store(Context(session, WEI, AT), night)
        bread, milk = (session.get_one(forecasts.ForecastSeries, (run.id, sku)) for sku in ("bread", "milk"))
        assert bread.moved is None
        assert milk.moved is None, "no offer ahead"
        ((top_category, reported),) = (
            (one, reported) for one, reported in run.effects.items() if "on_offer" in reported
        )
        times = math.exp(reported["on_offer"][1] / reported["on_offer"][0])
        assert 2.0 < times < 4.0
        region = session.get_one(Store, "S1").region_id
        promotion_days.keep_effects(session, "S1", promotion_days.read_effects(run.effects), DAY)
        signal = forecasts.compute_region(forecasts.load_region(session, region, DAY)).signal
        promise(session, replace(HALF, id="half-3"), day(3), day(5))
        night = forecasts.compute_store(forecasts.load_store(session, "S1", DAY))
        run = forecast_store.store_store(Context(session, WEI, AT), night)
        bread = session.get_one(forecasts.ForecastSeries, (run.id, "bread"))
        milk = session.get_one(forecasts.ForecastSeries, (run.id, "milk"))
    assert promotion_days.effect_times(signal, top_category) == pytest.approx(times, rel=0.35)
    ((name, days, factor, more),) = bread.moved
    assert (name, days, more) == ("on_offer", [day(n).isoformat() for n in (3, 4, 5)], True)
    assert 2.0 < factor < 4.0
    assert milk.moved is None


def test_an_offer_that_goes_on_is_told_on_nights_that_see_nothing_else(store):
    with store.write() as session:
        promise(session, HALF, day(-100))
    with store.read() as session:
        panel, ahead = promotion_days.reported(
            session, "S1", history.panel(session, "S1", DAY, 64), Ahead(), HORIZON_DAYS
        )
    row = panel.keys.index(("S1", "bread"))
    assert panel.on_offer[row].all()
    assert ahead.on_offer[row].all()


def test_only_what_any_customer_gets_of_a_product_counts_from_the_day_it_was_made(store):
    others = [
        replace(HALF, id="coupon", codes=frozenset(["SAVE10"])),
        replace(HALF, id="members", members_only=True),
        replace(HALF, id="batch", batch="L1"),
        Offer("basket", "A euro off", "basket_amount", (BREAD,), amount_minor=100, minimum_minor=1_000),
    ]
    with store.write() as session:
        for offer in others:
            promise(session, offer, day(-9), day(2))
    assert grids(store)[0].on_offer is None
    with store.write() as session:
        offers.make(Context(session, WEI, AT - dt.timedelta(days=5)), "S1", replace(HALF, from_day=day(-9)))
        offers.end(Context(session, WEI, AT - dt.timedelta(days=3)), "S1", "half")
        promise(session, replace(HALF, id="mondays", weekdays=frozenset({0})), day(1))
    panel, ahead = grids(store)
    row = panel.keys.index(("S1", "bread"))
    assert np.flatnonzero(panel.on_offer[row]).tolist() == [115, 116, 117], "made four days ago, ended two days ago"
    assert np.flatnonzero(ahead.on_offer[row]).tolist() == [6, 13]
    assert panel.on_offer.sum() == 3


def test_a_price_is_the_shops_own_before_the_networks_and_what_is_typed_for_later_is_known(store):
    assert grids(store)[0].price is None, "a price that never changed says nothing"
    with store.write() as session:
        session.add(Price(sku="bread", scope_id="S1", from_day=day(-10), price_minor=300))
        session.add(Price(sku="bread", scope_id="*", from_day=day(-5), price_minor=260))
        session.add(Price(sku="bread", scope_id="S1", from_day=day(4), price_minor=200))
    panel, ahead = grids(store)
    row = panel.keys.index(("S1", "bread"))
    assert panel.price[row, -12:].tolist() == [250.0] + [300.0] * 11
    assert ahead.price[row, :5].tolist() == [300.0] * 3 + [200.0] * 2


def test_the_days_of_a_campaign_are_no_offer_too(store):
    with store.write() as session:
        promise(session, HALF, day(-3), day(2))
    with store.read() as session:
        panel = history.panel(session, "S1", DAY, 120)
        lift = np.ones(panel.y.shape)
        lift[:, -2:] = 1.5
        found, ahead = promotion_days.reported(
            session, "S1", replace(panel, lift=lift), Ahead(lift=np.full((panel.n_series, HORIZON_DAYS), 1.5)), 14
        )
    assert found.on_offer.sum() == 2
    assert not ahead.on_offer.any()
