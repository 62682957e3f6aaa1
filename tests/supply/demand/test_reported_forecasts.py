"""What stores tell of their forecasts: kept exactly, believed as far as their sales support it, and never more."""

import datetime as dt
import random

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import Refused
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product
from pos.store.store import Region, Store
from supply.demand import category_demand, forecasts, reported_forecasts
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.demand.history import DailyDemand, StoreDay
from supply.demand.reported_forecasts import PARTS, ReportedDemand, ReportedForecast, Sold
from supply.network.purchasing import purchasing
from supply.network.warehouse import allocation
from supply.orders import purchases
from supply.replenishment import stockouts
from tests.supply.demand.test_category_demand import publish_region
from tests.supply.network.test_allocation import undone
from tests.supply.road import AT, DAY, OPERATOR, WAREHOUSE, Country, make_country

BY = {"actor": OPERATOR, "at": AT}
YESTERDAY = DAY - dt.timedelta(days=1)
HORIZON = 14


@pytest.fixture
def country(tmp_path):
    country = make_country(tmp_path)
    yield country
    for database in country.nodes().values():
        database.engine.dispose()


def sells(session, store: str, a_day: int, *skus: str, days: int = 28) -> None:
    for back in range(1, days + 1):
        day = DAY - dt.timedelta(days=back)
        session.merge(StoreDay(store_id=store, business_day=day, open=True, sales=9, revenue_minor=100))
        for sku in skus:
            session.add(DailyDemand(store_id=store, sku=sku, business_day=day, sold_qty=a_day, revenue_minor=1,
                                    sales=a_day))  # fmt: skip
    session.flush()


def reported(means: dict[str, list[float]], *, run: str = "run-1", origin: dt.date = YESTERDAY, **other) -> dict:
    products = {sku: [reported_forecasts.in_parts(one) for one in path] for sku, path in means.items()}
    return {"version": 1, "run_id": run, "origin_day": origin.isoformat(), "products": products} | other


def publish(session, store: str, means: dict[str, list[float]], *, run: str, origin: dt.date = YESTERDAY) -> None:
    """Publish a store's run at its own node, its means as `forecast_store` rounds them."""
    session.execute(sa.update(ForecastRun).values(state="superseded"))
    session.add(ForecastRun(id=run, scope_kind="store", scope_id=store, state="published", origin_day=origin,
                            horizon_days=HORIZON, started_at=AT))  # fmt: skip
    session.flush()
    for sku, path in means.items():
        for n, mean in enumerate(path):
            day = origin + dt.timedelta(days=n + 1)
            session.add(ForecastQuantile(run_id=run, sku=sku, first_day=day, last_day=day, mean=round(mean, 5), q50=0,
                                         q75=0, q90=0, q95=0, q99=0))  # fmt: skip
    session.flush()


def carry(country: Country, store: str) -> str | None:
    """Carry a store's forecast to the network as a contact does; returns why it was refused."""
    with country.network.read() as session:
        known = reported_forecasts.known(session, store)
    with country.stores[store].read() as session:
        after = known["origin_day"], known["run_id"]
        body = reported_forecasts.to_send(session, store, after=after, but=known["refused_run_id"])
    if body is None:
        return "nothing to tell"
    with country.network.write() as session:
        return reported_forecasts.hear(session, store, body, at=AT)


def expected(session, top_category: str = "Food") -> dict[str, tuple[str, int, int]]:
    """Return of each store by what it is expected, the parts of all days, and how many products are not believed."""
    return {
        one.store_id: (one.by, sum(one.parts), one.unlikely)
        for one in category_demand.ahead(session, top_category).stores
    }


def keep(session, day: dt.date = DAY) -> None:
    while stockouts.keep_rates(Context(session, **BY), day):
        pass


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_a_region_says_what_its_shops_read_to_the_last_tenth(country, seed):
    draw, skus = random.Random(seed), ["milk", "bread", "tea"]
    paths = {
        store: {sku: [draw.random() * 3 for _ in range(HORIZON)] for sku in skus if draw.random() < 0.9}
        for store in country.stores
    }
    with country.network.write() as session:
        for table in (StoreDay, DailyDemand, ReportedDemand, ReportedForecast, ForecastRun):
            session.execute(sa.delete(table))
        region = draw.choice(["R1", "R2"])
        session.merge(Region(id="R2", name="South"))
        session.flush()
        for n in range(3):  # without a node, of which the network knows sales alone
            session.merge(Store(id=f"N{n}", name=f"N{n}", slug=f"n{n}", region_id=region, currency="EUR", tz="UTC",
                                joined_at=AT))  # fmt: skip
            session.flush()
            sells(session, f"N{n}", draw.randint(0, 4), *skus)
        for store, path in paths.items():
            sells(session, store, 3, *skus)
            if draw.random() < 0.4 and "tea" in path:
                path["tea"] = [one * 40 for one in path["tea"]]  # beyond what it sold: not believed
        if draw.random() < 0.5:
            publish_region(session, "R1", "Food", [draw.random() * 30 for _ in range(HORIZON)], origin=YESTERDAY)
    stale = draw.choice([None, *country.stores])
    for store, path in paths.items():
        origin = (
            YESTERDAY - dt.timedelta(days=5) if store == stale else YESTERDAY - dt.timedelta(days=draw.randint(0, 3))
        )
        with country.stores[store].write() as session:
            publish(session, store, path, run=f"{seed}-{store}", origin=origin)
        assert carry(country, store) is None or not path
    with country.network.write() as session:
        keep(session)
        whole = category_demand.ahead(session, "Food")
        parts = {
            one.id: category_demand.ahead(session, "Food", one.id).total() for one in session.scalars(sa.select(Region))
        }
    assert list(whole.total()) == [sum(day) for day in zip(*parts.values(), strict=True)]
    assert list(whole.total()) == [sum(day) for day in zip(*(one.parts for one in whole.stores), strict=True)]
    for one in whole.stores:
        if one.by != "own":
            assert one.store_id not in country.stores or one.reported_until is not None or not paths[one.store_id]
            continue
        with country.stores[one.store_id].read() as session:  # what the shopkeeper reads, product by product
            reads = {sku: forecasts.as_seen(session, one.store_id, sku)["ahead"] for sku in skus}
        unlikely = {"tea"} if one.unlikely else set()
        units = [
            sum(mean for sku in skus for day, mean, *_ in reads[sku] if day == on and sku not in unlikely)
            + sum(3.0 for _ in unlikely)
            for on in whole.days
        ]
        assert one.parts == category_demand.in_whole_parts([round(each, 5) for each in units], 10)


def test_a_run_is_told_once_the_newest_counts_and_an_older_one_changes_nothing(country):
    with country.network.write() as session:
        sells(session, "S1", 3, "milk")
    with country.stores["S1"].write() as session:
        publish(session, "S1", {"milk": [2.0] * HORIZON}, run="a", origin=YESTERDAY - dt.timedelta(days=1))
    assert carry(country, "S1") is None
    assert carry(country, "S1") == "nothing to tell"
    with country.stores["S1"].write() as session:
        publish(session, "S1", {"milk": [3.00004] * HORIZON}, run="b")
    with country.stores["S1"].read() as session:
        newer = reported_forecasts.to_send(session, "S1", after=("", ""))
    older = reported({"milk": [9.0] * HORIZON}, run="a", origin=YESTERDAY - dt.timedelta(days=1))
    for body in (newer, older, newer):
        with country.network.write() as session:
            assert reported_forecasts.hear(session, "S1", body, at=AT) is None
    with country.network.read() as session:
        (row,) = session.scalars(sa.select(ReportedDemand)).all()
        assert (row.sku, row.per_day) == ("milk", pytest.approx(3.00004))
        found = session.get_one(ReportedForecast, "S1")
        assert (found.run_id, found.top_categories) == ("b", {"Food": [300_004] * HORIZON})


ODD = {
    "nothing": {"products": {}},
    "below nothing": {"products": {"milk": [-1] * HORIZON}},
    "no whole number": {"products": {"milk": [1.5] * HORIZON}},
    "no number": {"products": {"milk": ["many"] * HORIZON}},
    "not finite": {"products": {"milk": [float("inf")] * HORIZON}},
    "true": {"products": {"milk": [True] * HORIZON}},
    "more than anybody sells": {"products": {"milk": [10**30] * HORIZON}},
    "no list": {"products": {"milk": 7}},
    "lengths": {"products": {"milk": [1] * HORIZON, "tea": [1]}},
    "too many days": {"products": {"milk": [1] * (reported_forecasts.MOST_DAYS + 1)}},
    "too many products": {"products": {f"p{n}": [1] * HORIZON for n in range(reported_forecasts.MOST_PRODUCTS + 1)}},
    "no day": {"origin_day": "soon"},
    "a day that is not over": {"origin_day": DAY.isoformat()},
    "too few days": {"products": {"milk": [1] * (HORIZON - 1)}},
    "a newer form": {"version": 2},
    "a multiple of what it sold": {"products": {sku: [9 * PARTS] * HORIZON for sku in ("milk", "tea")}},
}


@pytest.fixture(scope="module")
def lasting(tmp_path_factory):
    country = make_country(tmp_path_factory.mktemp("reported"))
    yield country
    for database in country.nodes().values():
        database.engine.dispose()


@pytest.mark.parametrize("name", ODD)
def test_a_word_that_cannot_be_is_refused_whole_with_its_reason_and_the_one_before_stays(lasting, name):
    with undone(lasting) as session:
        sells(session, "S1", 3, "milk", "tea")
        assert reported_forecasts.hear(session, "S1", reported({"milk": [2.0] * HORIZON}), at=AT) is None
        why = reported_forecasts.hear(session, "S1", reported({}, run="run-2") | ODD[name], at=AT)
        assert why
        assert ": " in why
        assert reported_forecasts.known(session, "S1")["refused_run_id"] == "run-2"
        assert [(row.sku, row.per_day) for row in session.scalars(sa.select(ReportedDemand))] == [("milk", 2.0)]
        assert reported_forecasts.doubted(session, "R1") == [("Store S1", [], why)]
        assert reported_forecasts.hear(session, "S1", reported({"milk": [1.0] * HORIZON}, run="run-3"), at=AT) is None
        assert reported_forecasts.doubted(session, "R1") == []


def test_a_refused_run_is_not_told_again_and_the_next_one_is(country):
    with country.stores["S1"].write() as session:
        publish(session, "S1", {"milk": [2.0] * HORIZON}, run="a")
    assert carry(country, "S1").startswith("not-sold-yet: ")
    assert carry(country, "S1") == "nothing to tell"
    with country.network.write() as session:
        sells(session, "S1", 3, "milk")
    with country.stores["S1"].write() as session:
        publish(session, "S1", {"milk": [2.0] * HORIZON}, run="b")
    assert carry(country, "S1") is None


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.floats(0, 1e4), st.integers(-5, 400), st.integers(0, 90))),
    st.integers(1, 28),
)
def test_no_word_is_believed_beyond_a_multiple_of_what_the_books_support(store, days):
    expects = {sku: units for sku, (units, _, _) in store.items()}
    sold = {sku: Sold(max(0, qty), sales) for sku, (_, qty, sales) in store.items()}
    try:
        kept = reported_forecasts.believed(expects, sold, days, dict.fromkeys(store, "each"))
    except Refused:
        kept = set()
    for sku in kept:
        assert expects[sku] <= reported_forecasts.TRUSTED * sold[sku].most(days)
    whole = Sold(sum(one.qty for one in sold.values()), sum(one.sales for one in sold.values()))
    assert sum(expects[sku] for sku in kept) <= reported_forecasts.TRUSTED_IN_ALL * whole.most(days)


def test_what_a_shop_inflates_buys_nothing_and_the_operator_reads_of_which_products(country):
    def bought() -> list[tuple[str, int]]:
        with country.network.write() as session:
            made = purchasing.propose(Context(session, **BY), WAREHOUSE)
            return sorted((line.sku, line.packs) for one in made for line in purchases.lines_of(session, one))

    with country.network.write() as session:
        for store in ("S1", "S2"):
            sells(session, store, 30, "milk", "tea")
    before = bought()
    assert before
    inflated = reported({"milk": [30.0] * HORIZON, "tea": [130.0] * HORIZON, "no such": [9.0] * HORIZON})
    with country.network.write() as session:
        assert reported_forecasts.hear(session, "S1", inflated, at=AT) is None
    assert bought() == before
    with country.network.write() as session:
        keep(session)
        assert expected(session)["S1"] == ("own", 10 * 60 * HORIZON, 1)
        assert reported_forecasts.doubted(session, "R1") == [("Store S1", ["Green tea"], None)]
        more = reported({"milk": [50.0] * HORIZON, "tea": [30.0] * HORIZON}, run="run-2")
        assert reported_forecasts.hear(session, "S1", more, at=AT) is None
    assert dict(bought())["milk"] > dict(before)["milk"]


def test_what_is_told_moves_what_runs_out_and_no_share_of_scarce_goods(country):
    goods, wide = [(WAREHOUSE, "milk")], {"ordering": [], "reach": {}}
    with country.network.write() as session:
        sells(session, "S1", 10, "milk")
        keep(session)
        before = allocation.read_requirements(session, goods, **wide, at=AT).rates
        assert reported_forecasts.hear(session, "S1", reported({"milk": [16.0] * 7 + [2.0] * 7}), at=AT) is None
        keep(session)
        assert stockouts.rates(session, DAY)["S1", "milk"] == 16.0
        assert [*stockouts.findings(session, None)] == []
        assert allocation.read_requirements(session, goods, **wide, at=AT).rates == before == {("S1", "milk"): 10.0}


@pytest.mark.parametrize(("nights", "counts"), [(4, True), (5, False)])
def test_a_word_of_more_than_three_nights_ago_is_not_used_and_the_page_is_told_since_when(country, nights, counts):
    origin = DAY - dt.timedelta(days=nights)
    with country.network.write() as session:
        sells(session, "S1", 3, "milk")
        assert reported_forecasts.hear(session, "S1", reported({"milk": [2.0] * HORIZON}, origin=origin), at=AT) is None
        publish_region(session, "R1", "Food", [5.0] * HORIZON, origin=YESTERDAY)
        keep(session)
        assert stockouts.rates(session, DAY)["S1", "milk"] == (2.0 if counts else 3.0)
        (found,) = (one for one in category_demand.ahead(session, "Food").stores if one.store_id == "S1")
        assert (found.by, found.reported_until) == (("own", None) if counts else ("region", origin))
        assert [*stockouts.findings(session, None)] == []


def test_weighed_goods_are_held_against_weighed_goods(country):
    with country.network.write() as session:
        session.execute(sa.update(Product).where(Product.sku == "apple").values(stock_unit="gram", category="Fruit"))
        sells(session, "S1", 3, "milk")
        sells(session, "S1", 2000, "apple")
        assert (
            reported_forecasts.hear(
                session, "S1", reported({"milk": [3.0] * HORIZON, "apple": [2500.0] * HORIZON}), at=AT
            )
            is None
        )
        assert (
            reported_forecasts.hear(
                session, "S1", reported({"milk": [11.0] * HORIZON, "apple": [0.0] * HORIZON}, run="run-2"), at=AT
            )
            is not None
        )
