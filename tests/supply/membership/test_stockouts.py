"""What runs out where: the same for a region at once as store by store, and in as many questions."""

import datetime as dt
import math
import random

import pytest
import sqlalchemy as sa

import supply.sync.checks
from config.database import Database
from config.ids import NETWORK
from config.nodes.journal import Context
from config.nodes.node import found
from pos.catalogue.catalogue import Listing
from pos.stock import stock
from supply.demand import forecast_store, history, rollups
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.demand.history import DailyDemand, RatesKept, SellingRate, StoreDay
from supply.orders.network_offers import NetworkOffer
from supply.replenishment import stockouts
from tests.builders import NOON
from tests.empty import empty_database
from tests.supply.road import AT, DAY, OPERATOR, PRODUCTS, WAREHOUSE, Country, add_catalogue, make_country

BY = {"actor": OPERATOR, "at": AT}
SKUS = sorted(PRODUCTS)


@pytest.fixture
def country(tmp_path) -> Country:
    return make_country(tmp_path)


def sells(session, store_id: str, sku: str, a_day: int, *, days: int = 28) -> None:
    """Let a store have sold so many a day, as the network knows it."""
    for back in range(1, days + 1):
        day = DAY - dt.timedelta(days=back)
        session.merge(StoreDay(store_id=store_id, business_day=day, open=True, sales=9, revenue_minor=100))
        session.add(
            DailyDemand(store_id=store_id, sku=sku, business_day=day, sold_qty=a_day, revenue_minor=100, sales=1)
        )
    session.flush()


def keep(session, day: dt.date = DAY) -> int:
    return stockouts.keep_rates(Context(session, **BY), day)


def runs_out(session, region_id: str, days: int) -> list[stockouts.RunsOut]:
    """Look at a region now, and read what was seen."""
    stockouts.keep_outlook(session, region_id, stockouts.look_at_regions(session, region_id, today=DAY), at=AT)
    seen_at, found = stockouts.runs_out(session, [region_id], days=days, today=DAY, warehouses=[WAREHOUSE])
    assert seen_at == AT
    return found


def publish(session, store_id: str, means: dict[str, float], *, horizon: int = 14) -> None:
    """Publish what a store will sell in the first week, as its run says it."""
    run = ForecastRun(id=f"run-{store_id}-{horizon}", scope_kind="store", scope_id=store_id, state="published",
                      origin_day=DAY - dt.timedelta(days=1), horizon_days=horizon, started_at=AT)  # fmt: skip
    session.add(run)
    session.flush()
    last = DAY + dt.timedelta(days=min(7, horizon) - 1)
    for sku, mean in means.items():
        session.add(ForecastQuantile(run_id=run.id, sku=sku, first_day=DAY, last_day=last, mean=mean, q50=mean,
                                     q75=mean, q90=mean, q95=mean, q99=mean))  # fmt: skip
    session.flush()


def open_stores(database: Database, count: int) -> None:
    """Found a region of stores whose rows are as odd as a seed makes them."""
    draw = random.Random(7)
    with database.write() as session:
        found(session, NETWORK, at=NOON)
        stores = [f"S{n:02d}" for n in range(count)]
        add_catalogue(session, stores)
        for n, store in enumerate(stores):
            for sku in SKUS:
                if draw.random() < 0.8:
                    sells(session, store, sku, draw.randint(-1, 9), days=draw.randint(1, 28))
            if n % 3 == 0:
                publish(session, store, {"milk": draw.random() * 40, "tea": 0.0}, horizon=14 if n % 2 else 5)
            of_store = Listing.store_id == store
            if n % 4:
                session.execute(sa.delete(Listing).where(of_store))
            else:
                session.execute(sa.update(Listing).where(of_store, Listing.sku == "bread").values(active=False))
            here = [(sku, draw.randint(1, 30)) for sku in SKUS if draw.random() < 0.7]
            stock.open_stock(Context(session, **BY), store, here, source_id=f"open-{n}")
            session.add(
                NetworkOffer(
                    store_id=store,
                    id=f"push-{n}",
                    supplier_id="vehicle",
                    sku="apple",
                    name="Apples",
                    pack_qty=5,
                    pack_cost_minor=1,
                    packs=1,
                    why="",
                    state="accepted",
                    offered_at=AT,
                    answer_by=DAY,
                )
            )
        stock.open_stock(Context(session, **BY), WAREHOUSE, [(sku, 50) for sku in SKUS], source_id="opening")
        while keep(session):
            pass


def store_by_store(session, days: int) -> list[tuple]:
    """Say what runs out as it is said of each store alone."""
    lacks: dict[str, list[tuple[str, float]]] = {}
    of: dict[str, int] = {}
    missing: dict[str, float] = {}
    rates, have = stockouts.rates(session, DAY), stockouts.positions(session, DAY)
    reported = set(session.scalars(sa.select(Listing.store_id)))
    listed = {
        (store, sku) for store, sku in session.execute(sa.select(Listing.store_id, Listing.sku).where(Listing.active))
    }
    for (store, sku), per_day in rates.items():
        if per_day > 0 and (store not in reported or (store, sku) in listed):
            of[sku] = of.get(sku, 0) + 1
            left = have.get((store, sku), 0) / per_day
            if left < days:
                lacks.setdefault(sku, []).append((f"Store {store}", left))
                missing[sku] = missing.get(sku, 0) + days * per_day - have.get((store, sku), 0)
    order = sorted(lacks, key=lambda sku: (-len(lacks[sku]), min(left for _, left in lacks[sku]), sku))
    first = {sku: tuple(sorted(lacks[sku], key=lambda one: (one[1], one[0]))[: stockouts.NAMED]) for sku in order}
    return [(sku, first[sku], len(lacks[sku]), of[sku], math.ceil(round(missing[sku], 6))) for sku in order]


def test_what_runs_out_where_counts_what_is_there_and_on_its_way(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        sells(session, "S2", "tea", 10)
        sells(session, "S2", "milk", 4)
        stock.open_stock(Context(session, OPERATOR, AT), "S1", [("tea", 5)], source_id="a")
        stock.open_stock(Context(session, OPERATOR, AT), "S2", [("tea", 500), ("milk", 8)], source_id="b")
        assert keep(session) == 2
        assert keep(session) == 0, "once a day"
    with country.network.write() as session:
        session.add(SellingRate(store_id="S2", sku="bread", per_day=float("inf")))
        found = runs_out(session, "R1", 3)
        assert [(one.sku, one.stores, one.short, one.of, one.missing_qty) for one in found] == [
            ("tea", (("Store S1", 0.5),), 1, 2, 25), ("milk", (("Store S2", 2.0),), 1, 1, 4),
        ]  # fmt: skip
        assert found[0].warehouse_qty == 20
        assert runs_out(session, "nowhere", 3) == []


def test_a_region_at_once_is_told_what_its_shops_are_told_one_by_one(tmp_path):
    network = empty_database(tmp_path / "network.db")
    open_stores(network, 9)
    with network.write() as session:
        for days in (1, 3, 7):
            found = runs_out(session, "R1", days)
            reported = [
                (one.sku, tuple((name, pytest.approx(left)) for name, left in one.stores), one.short, one.of,
                 one.missing_qty) for one in found
            ]  # fmt: skip
            assert store_by_store(session, days) == reported
            assert len(reported) >= 3
        assert [one for one in supply.sync.checks.findings(session) if one.code == "K21"] == []


def test_a_region_s_outlook_takes_as_many_questions_for_twelve_shops_as_for_two(tmp_path):
    counts = []
    for stores in (2, 12):
        network = empty_database(tmp_path / f"network-{stores}.db")
        open_stores(network, stores)
        asked: list[str] = []
        with network.write() as session:
            sa.event.listen(network.engine, "before_cursor_execute", lambda *row, into=asked: into.append(row[2]))
            runs_out(session, "R1", 3)
            stockouts.rates(session, DAY)
            stockouts.positions(session, DAY)
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_day_that_is_over_or_a_forecast_that_changes_lets_the_shop_s_rates_be_kept_anew(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        keep(session)
    for changed, renewed in ((DAY, 0), (DAY - dt.timedelta(days=1), 1)):
        with country.network.write() as session:
            rollups._roll_day(session, ["S1"], changed, AT)
            assert keep(session) == renewed, changed
    with country.network.write() as session:
        rollups.import_history(session, [("S2", "milk", DAY - dt.timedelta(days=2), 8, 800, 1)])
        assert keep(session) == 1
        run = ForecastRun(id="run", scope_kind="store", scope_id="S2", state="running", origin_day=DAY, horizon_days=14,
                          started_at=AT)  # fmt: skip
        session.add(run)
        session.flush()
        forecast_store._publish(Context(session, **BY), run)
        assert keep(session) == 1
        assert keep(session, DAY + dt.timedelta(days=1)) == 2, "the day is over"


def test_rates_that_are_not_what_they_were_kept_from_are_found(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        keep(session)
        session.execute(sa.update(SellingRate).values(per_day=9.0))
        session.add(SellingRate(store_id="S2", sku="milk", per_day=1.0))
        session.flush()
        found = [
            (one.subject, one.expected, one.found) for one in supply.sync.checks.findings(session) if one.code == "K21"
        ]
        assert found == [("rate:S1/tea", "10.0", "9.0"), ("rate:S2/milk", "None", "1.0")]
        history.forget_rates(session, ["S1", "S2"])
        assert [one for one in supply.sync.checks.findings(session) if one.code == "K21"] == [], (
            "nothing is claimed of them"
        )
        assert set(session.scalars(sa.select(RatesKept.day))) == {history.NEVER}


def test_a_shop_that_trips_is_left_out_until_tomorrow_and_the_others_rates_are_kept(country):
    with country.network.write() as session:
        sells(session, "S1", "tea", 10)
        sells(session, "S2", "tea", 10)
        session.add(SellingRate(store_id="S2", sku="old", per_day=1.0))
        session.flush()
        session.execute(
            sa.text(
                "CREATE TRIGGER odd BEFORE INSERT ON selling_rate WHEN NEW.store_id = 'S2' "
                "BEGIN SELECT RAISE(ABORT, 'odd'); END"
            )
        )
        assert keep(session) == 2
        rows = session.execute(sa.select(SellingRate.store_id, SellingRate.sku).order_by(SellingRate.store_id)).all()
        assert rows == [("S1", "tea"), ("S2", "old")]
        assert keep(session) == 0
