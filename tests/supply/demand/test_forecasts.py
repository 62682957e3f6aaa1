"""Forecasts: the region's at the network, the store's own with what it pulled, dated, kept and explained."""

import datetime as dt
import json
import math
import pickle

import numpy as np
import pytest
import sqlalchemy as sa

from config.ids import NETWORK
from config.nodes.journal import Actor, Context
from forecasting.fit.state import VERSION
from pos.catalogue.catalogue import Listing, Price, Product
from supply.demand import forecast_store, forecasts, rollups
from supply.demand import history as demand
from supply.demand.forecast_store import KEPT_RUNS
from supply.demand.forecasts import HORIZON_DAYS, STATES, ForecastQuantile, ForecastRun, ForecastSeries
from supply.demand.history import DailyDemand
from tests.supply.sold import AT, DAY, PRODUCTS, day, make_node

NIGHT = Actor.system("forecast", "S1")
DAYS = 120
RATES = {"S1": {"bread": 6.0, "milk": 0.3}, "S2": {"bread": 9.0, "milk": 2.0}, "S3": {"bread": 4.0, "milk": 1.0}}


def history(stores):
    """Yield daily sales with a weekly season; the same for every call."""
    for store in stores:
        rng = np.random.default_rng(sum(map(ord, store)))
        for n in range(DAYS - 1, -1, -1):
            for sku, rate in RATES[store].items():
                season = 1.5 if day(-n).weekday() == 5 else 0.9
                qty = int(rng.poisson(rate * season))
                if qty or sku == "bread":
                    yield store, sku, day(-n), max(1, qty), qty * 250, 1


@pytest.fixture
def network(tmp_path):
    database = make_node(tmp_path / "network.db")
    with database.write() as session:
        rollups.import_history(session, history(RATES))
    yield database
    database.engine.dispose()


@pytest.fixture
def store(tmp_path):
    database = make_node(tmp_path / "store.db", "S1", ["S1"])
    with database.write() as session:
        rollups.import_history(session, history(["S1"]))
    yield database
    database.engine.dispose()


def run_region(network, on=DAY, at=AT):
    with network.read() as session:
        loaded = forecasts.load_region(session, "R1", on)
    computed = forecasts.compute_region(loaded)
    with network.write() as session:
        return forecast_store.store_region(Context(session, Actor.system("forecast", NETWORK), at), computed)


def run_store(store, on=DAY, at=AT):
    with store.read() as session:
        loaded = forecasts.load_store(session, "S1", on)
    computed = forecasts.compute_store(loaded)
    with store.write() as session:
        return forecast_store.store_store(Context(session, NIGHT, at), computed)


def pull(network, store):
    with network.read() as session:
        body = json.loads(json.dumps(forecasts.edition(session, "R1")))
    with store.write() as session:
        forecasts.take_edition(session, body)
    return body


def quantiles(database, run_id) -> dict[tuple, ForecastQuantile]:
    with database.read() as session:
        rows = session.scalars(sa.select(ForecastQuantile).where(ForecastQuantile.run_id == run_id)).all()
    return {(row.sku, (row.first_day - DAY).days, (row.last_day - DAY).days): row for row in rows}


def test_the_states_of_a_run_reach_and_end():
    assert STATES.validate() == []


def test_every_day_and_every_protection_interval_of_the_horizon_has_its_quantiles(store):
    run = run_store(store)
    found = quantiles(store, run.id)
    spans = {(first, last) for sku, first, last in found if sku == "bread"}
    assert spans == {(n, n) for n in range(1, HORIZON_DAYS + 1)} | {(1, n) for n in range(2, HORIZON_DAYS + 1)}


def test_quantiles_rise_with_q_and_sums_with_days_and_are_finite(store):
    found = quantiles(store, run_store(store).id)
    assert {key[0] for key in found} == {"bread", "milk", "apple"}
    for row in found.values():
        levels = [row.q50, row.q75, row.q90, row.q95, row.q99]
        assert all(map(math.isfinite, [row.mean, *levels]))
        assert 0 <= levels[0] <= levels[1] <= levels[2] <= levels[3] <= levels[4]
    for n in range(2, HORIZON_DAYS):
        assert found["bread", 1, n].q95 <= found["bread", 1, n + 1].q95
        total = sum(found["bread", k, k].mean for k in range(1, n + 1))
        assert found["bread", 1, n].mean == pytest.approx(total, abs=0.01)


def test_a_forecast_follows_what_the_shop_sells(store):
    found = quantiles(store, run_store(store).id)
    assert 5.0 < found["bread", 1, 7].mean / 7 < 7.5
    saturday = next(n for n in range(1, 8) if day(n).weekday() == 5)
    assert found["bread", saturday, saturday].mean > 1.2 * found["bread", 1, 7].mean / 7


def test_how_a_product_s_last_days_spread_is_kept_with_its_forecast(store):
    with store.read() as session:
        computed = forecasts.compute_store(forecasts.load_store(session, "S1", DAY))
    run = run_store(store)
    found = zip(computed.forecast.keys, computed.forecast.lately_spread.tolist(), strict=True)
    reported = {sku: None if math.isnan(spread) else spread for (_, sku), spread in found}
    with store.read() as session:
        assert reported == {sku: session.get(ForecastSeries, (run.id, sku)).lately_spread for sku in reported}
    assert reported["apple"] is None, "too few days"
    assert reported["bread"] > 0


def test_the_same_history_gives_the_same_forecast(store):
    first, second = run_store(store), run_store(store, at=AT + dt.timedelta(hours=1))
    again = quantiles(store, second.id)
    for key, row in quantiles(store, first.id).items():
        assert (row.mean, row.q95) == (again[key].mean, again[key].q95)


def test_what_is_computed_travels_to_a_child_and_back(store, network):
    with store.read() as session:
        loaded = forecasts.load_store(session, "S1", DAY)
    computed = forecasts.compute_store(pickle.loads(pickle.dumps(loaded)))
    assert np.array_equal(pickle.loads(pickle.dumps(computed)).forecast.mean, computed.forecast.mean)
    with network.read() as session:
        loaded = forecasts.load_region(session, "R1", DAY)
    computed = forecasts.compute_region(pickle.loads(pickle.dumps(loaded)))
    assert pickle.loads(pickle.dumps(computed)).signal == computed.signal


# --- the region ---


def test_a_store_borrows_what_it_pulled_and_says_how_old_it_was(network, store):
    run_region(network, day(-4))
    pull(network, store)
    run = run_store(store)
    assert (run.origin_day, run.region_origin_day) == (DAY, day(-4))
    with store.read() as session:
        bread = session.get(ForecastSeries, (run.id, "bread"))
        assert (bread.model, bread.regional_share > 0) == ("level_filter+region", True)


def test_a_store_cut_off_from_the_network_still_forecasts(store):
    run = run_store(store)
    assert (run.state, run.region_origin_day) == ("published", None)
    with store.read() as session:
        assert session.get(ForecastSeries, (run.id, "bread")).reason == "no_regional_signal"


def test_a_product_never_sold_here_is_borrowed_from_the_region_or_from_others(network, store):
    for database, stores in ((network, ["S1", "S2", "S3"]), (store, ["S1"])):
        with database.write() as session:
            for sku in ("jam", "tea"):
                session.add(
                    Product(sku=sku, name=sku, category=sku, department="Dairy", stock_unit="each",
                            tax_class_id="std", search_text=sku)
                )  # fmt: skip
                session.flush()
                session.add(Price(sku=sku, scope_id="*", from_day=dt.date(2025, 1, 1), price_minor=300))
                session.add_all(Listing(store_id=one, sku=sku) for one in stores)
    with network.write() as session:
        rollups.import_history(session, [("S2", "jam", day(-n), 4, 1200, 3) for n in range(60)])
        rollups.import_history(session, [("S3", "tea", day(-n), 2, 600, 2) for n in range(60)])
    run_region(network)
    pull(network, store)
    run = run_store(store)
    with store.read() as session:
        jam, tea = (session.get(ForecastSeries, (run.id, sku)) for sku in ("jam", "tea"))
        assert (tea.model, tea.reason) == ("region_share", "new_in_region_borrowed")  # S3 is in another region
        assert tea.level > 0.5
        assert (jam.model, jam.reason) == ("region_share", "new_product_borrowed")
    assert quantiles(store, run.id)["jam", 1, 7].mean > 0


def test_products_of_an_aisle_that_sell_at_like_prices_are_one_line(network):
    paid = {"jam": 300, "honey": 320, "syrup": 900}
    with network.write() as session:
        for sku in paid:
            session.add(
                Product(sku=sku, name=sku, category=sku, department="Sweet", stock_unit="each", tax_class_id="std",
                        search_text=sku)
            )  # fmt: skip
        rows = [("S2", sku, day(-n), 4, 4 * each, 3) for sku, each in paid.items() for n in range(7)]
        rollups.import_history(session, rows)
        usual = demand.usual(session, "R1", DAY)
    line = {sku: one.line for (_, sku), one in usual.items()}
    assert line["jam"] == line["honey"]
    assert len({line["jam"], line["syrup"], line["bread"]}) == 3


def test_the_regions_signal_arrives_as_it_was_published_and_the_newest_counts(network, store):
    for on in (day(-2), day(-1)):
        run_region(network, on)
        pull(network, store)
        body = pull(network, store)
    with store.read() as session:
        runs = session.scalars(sa.select(ForecastRun).where(ForecastRun.scope_kind == "region")).all()
        assert [(run.id, run.origin_day, run.state) for run in runs] == [(body["run_id"], day(-1), "published")]
        assert runs[0].signal == body["signal"]


def test_a_region_without_a_forecast_has_no_edition(network):
    with network.read() as session:
        assert forecasts.edition(session, "R2") == {}


# --- runs ---


def test_a_newer_run_supersedes_and_only_the_last_ones_keep_their_numbers(store):
    runs = [run_store(store, day(n - KEPT_RUNS - 2), AT + dt.timedelta(days=n)) for n in range(KEPT_RUNS + 2)]
    with store.read() as session:
        states = [session.get(ForecastRun, run.id).state for run in runs]
        assert states == ["superseded"] * (KEPT_RUNS + 1) + ["published"]
        assert forecasts.published(session, "store", "S1").id == runs[-1].id
        kept = set(session.scalars(sa.select(ForecastQuantile.run_id).distinct()))
        assert kept == {run.id for run in runs[-KEPT_RUNS:]}


def test_a_night_s_numbers_are_written_some_products_at_a_time_and_seen_when_all_are_there(store, monkeypatch):
    monkeypatch.setattr(forecast_store, "PRODUCTS_AT_ONCE", 2)
    before = run_store(store, day(-1))
    with store.read() as session:
        computed = forecasts.compute_store(forecasts.load_store(session, "S1", DAY))
    written = 0
    for part in forecast_store.parts("broken-off", computed, actor=NIGHT, at=AT):
        with store.read() as session:
            run, count = session.get(ForecastRun, "broken-off"), sa.func.count()
            rows = session.scalar(sa.select(count).where(ForecastSeries.run_id == "broken-off"))
            assert rows - written <= 2
            assert forecasts.published(session, "store", "S1").id == before.id
        written = rows
        if run is not None and rows == len(computed.forecast.keys):
            break  # killed before it is published
        with store.write() as session:
            part(session)
    assert written > 2
    later = run_store(store, DAY, AT + dt.timedelta(minutes=10))
    with store.read() as session:
        assert forecasts.published(session, "store", "S1").id == later.id
        assert session.get(ForecastRun, "broken-off").state == "failed"


def test_the_chart_shows_what_was_sold_what_is_expected_and_why(network, store):
    run_region(network)
    pull(network, store)
    run_store(store)
    with store.read() as session:
        seen = forecasts.as_seen(session, "S1", "bread", days=14)
        nothing = forecasts.as_seen(session, "S1", "unheard-of", days=14)
    assert [one[0] for one in seen["history"]] == [day(n) for n in range(-13, 1)]
    assert [one[0] for one in seen["ahead"]] == [day(n) for n in range(1, HORIZON_DAYS + 1)]
    assert seen["why"]["model"] == "level_filter+region"
    assert seen["why"]["region_origin_day"] == DAY
    assert (nothing["ahead"], nothing["why"]) == ([], {})


def test_days_on_which_the_shelf_stood_empty_are_told_with_their_share(store):
    with store.write() as session:
        for n, share in ((-2, 5_400), (-3, 499)):
            session.get(DailyDemand, ("S1", "bread", day(n))).out_of_stock_bp = share
    with store.read() as session:
        assert forecasts.as_seen(session, "S1", "bread", days=14)["empty"] == {day(-2): 0.54}


def test_an_empty_shop_gets_an_empty_forecast_and_no_fault(tmp_path):
    database = make_node(tmp_path / "new.db", "S1", ["S1"])
    run = run_store(database)
    assert run.state == "published"
    assert all(row.mean == 0 for row in quantiles(database, run.id).values())
    database.engine.dispose()


@pytest.mark.postgres
def test_the_network_forecasts_for_a_shop_without_a_node_on_postgresql(postgres_database):
    database = make_node(postgres_database)
    with database.write() as session:
        rollups.import_history(session, history(RATES))
    run_region(database)
    run = run_store(database)
    assert run.region_origin_day == DAY
    found = quantiles(database, run.id)
    assert len(found) == len(PRODUCTS) * (2 * HORIZON_DAYS - 1)
    with database.read() as session:
        assert forecasts.as_seen(session, "S1", "bread")["why"]["model"] == "level_filter+region"
    database.engine.dispose()


def test_a_class_whose_last_week_was_worse_than_the_plain_mean_falls_back_and_the_run_says_so(store, monkeypatch):
    from forecasting.accuracy import watch

    run_store(store, day(-7))
    assert run_store(store, day(-1)).reason is None
    reported = watch.Watched("smooth", 40, -0.4, 0.5, 2.0, 1.0, drifts=True, falls_back=True)
    asked = []
    monkeypatch.setattr(
        watch, "judge", lambda said, panel: asked.append((said.first_day, panel.next_day)) or (reported,)
    )
    run = run_store(store)
    assert asked == [(day(-6), day(1))]
    with store.read() as session:
        assert session.get(ForecastRun, run.id).reason == "fell_back:smooth"
        why = forecasts.as_seen(session, "S1", "bread")["why"]
    assert (why["model"], why["reason"]) == ("mean_28", "fell_back")


# --- the nights of a week ---


def test_a_week_of_nights_measures_once_and_moves_on_in_between(store, monkeypatch):
    from forecasting import run

    measured = []
    whole = run.measure
    monkeypatch.setattr(
        run, "measure", lambda panel, **reported: measured.append(panel.next_day) or whole(panel, **reported)
    )
    runs = [run_store(store, day(n), AT + dt.timedelta(days=n)) for n in range(-13, 1)]
    assert len(measured) == 3  # the first night, and the store's own night of both weeks
    assert (measured[2] - measured[1]).days == 7
    assert {run.version for run in runs} == {VERSION}
    assert all(0 <= (run.origin_day + dt.timedelta(days=1) - run.measured_day).days < 7 for run in runs)


def test_a_night_worked_out_again_from_its_state_gives_the_same_to_the_last_digit(store):
    run_store(store, day(-3))
    first, second = run_store(store), run_store(store, at=AT + dt.timedelta(hours=1))
    assert first.measured_day == second.measured_day
    again = quantiles(store, second.id)
    for key, row in quantiles(store, first.id).items():
        assert (row.mean, row.q50, row.q99) == (again[key].mean, again[key].q50, again[key].q99)


def test_what_a_night_was_told_is_said_once_more_from_its_state_and_farther_ahead(store):
    run_store(store)
    with store.read() as session:
        first = forecasts.load_store(session, "S1", DAY)
        again = forecasts.load_store(session, "S1", DAY, horizon_days=35, again=True)
    assert again.state is not None, "it is not measured again"
    reported, farther = forecasts.compute_store(first).forecast, forecasts.compute_store(again).forecast
    assert farther.horizon_days == 35
    np.testing.assert_allclose(farther.mean[:, :HORIZON_DAYS], reported.mean, rtol=1e-9)


def test_a_moved_forecast_follows_the_days_since(store):
    before = quantiles(store, run_store(store, day(-3)).id)["bread", -2, 4].mean
    with store.write() as session:
        for n in range(3):
            session.execute(
                sa.update(DailyDemand)
                .where(DailyDemand.sku == "bread", DailyDemand.business_day == day(-n))
                .values(sold_qty=30)
            )
    after = run_store(store)
    assert after.measured_day == day(-2)
    assert quantiles(store, after.id)["bread", 1, 7].mean > 1.3 * before


def test_history_laid_in_afterwards_is_measured_at_once(store):
    run_store(store, day(-3))
    with store.write() as session:
        rollups.import_history(session, [("S1", "apple", day(-n), 9, 900, 5) for n in range(60)])
    run = run_store(store)
    assert run.measured_day == day(1)
    assert quantiles(store, run.id)["apple", 1, 7].mean > 40


def test_a_silent_product_is_told_and_a_selling_one_is_not(store):
    with store.write() as session:
        session.execute(
            sa.update(DailyDemand)
            .where(DailyDemand.sku == "bread", DailyDemand.business_day > day(-8))
            .values(sold_qty=0)
        )
    run_store(store)
    with store.read() as session:
        reported = forecasts.silent(session, "S1")
    assert set(reported) == {"bread"}
    assert reported["bread"][0] == 8


def test_two_shops_on_two_dask_workers_get_the_same_numbers_to_the_last_digit(network):
    pytest.importorskip("distributed")
    from distributed import LocalCluster

    with network.read() as session:
        loaded = [forecasts.load_store(session, store_id, DAY) for store_id in ("S1", "S2")]
    here = forecasts.compute_stores(loaded)
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        there = forecasts.compute_stores(loaded, cluster=cluster.scheduler_address)
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a.forecast.mean, b.forecast.mean)
        np.testing.assert_array_equal(a.forecast.cumulative, b.forecast.cumulative)
