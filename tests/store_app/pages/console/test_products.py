"""One product at the network: what sold and is expected, where it lies, and who may see it."""

import datetime as dt

import pytest
from sqlalchemy.orm import Session

from pos.catalogue.catalogue import Price, Product, TaxClass
from pos.stock.ledger import StockLevel
from pos.store.store import Store
from supply.demand.forecasts import ForecastQuantile, ForecastRun
from supply.demand.history import DailyDemand, RegionalDemand, SellingRate, StoreDay
from supply.membership import product_view
from supply.orders.suppliers import Supplier, SupplierProduct
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import words

TODAY = NOON.date()
LAST = TODAY - dt.timedelta(days=1)
FAR, SOUTH = "S02", "south"


@pytest.fixture
def milk(network: House) -> House:
    """Give a network whose two stores, in two regions, sell milk: one has plenty, the other runs out today."""
    with network.doors.write() as session:
        _lay_in(session)
    return network


def _lay_in(session: Session) -> None:
    if session.get(TaxClass, "t7") is None:
        session.add(TaxClass(id="t7", name="Food", rate_bp=700, inclusive=True))
        session.flush()
    session.add(Product(sku="milk", name="Whole milk", category="Dairy", tax_class_id="t7"))
    session.flush()
    session.add(Price(sku="milk", from_day=LAST - dt.timedelta(days=60), price_minor=214))
    session.add(Supplier(id="net", name="Network supply", kind="network"))
    session.flush()
    session.add(SupplierProduct(supplier_id="net", sku="milk", pack_qty=12, pack_cost_minor=1200))
    near = session.get_one(Store, STORE).region_id
    for store, region, qty, rate, sold in ((STORE, near, 90, 6.0, 6), (FAR, SOUTH, 2, 4.0, 4)):
        session.add(StockLevel(store_id=store, sku="milk", place="floor", qty=qty))
        session.add(SellingRate(store_id=store, sku="milk", per_day=rate))
        for n in range(60):
            day = LAST - dt.timedelta(days=n)
            session.add(StoreDay(store_id=store, business_day=day, open=True, sales=1, revenue_minor=sold * 200))
            if n != 3:  # a day on which nobody bought any
                row = {"sku": "milk", "business_day": day, "sold_qty": sold, "revenue_minor": sold * 200}
                session.add(DailyDemand(store_id=store, sales=1, **row))
                session.add(RegionalDemand(region_id=region, stores_open=1, stores_selling=1, **row))


def _forecast(session: Session, store: str, mean: float, q50: float, q90: float) -> None:
    run = ForecastRun(
        id=f"run-{store}", scope_kind="store", scope_id=store, state="published", origin_day=LAST, horizon_days=14,
        started_at=NOON,
    )  # fmt: skip
    session.add(run)
    session.flush()
    for n in range(14):
        day = TODAY + dt.timedelta(days=n)
        session.add(
            ForecastQuantile(run_id=run.id, sku="milk", first_day=day, last_day=day, mean=mean, q50=q50, q75=q50,
                             q90=q90, q95=q90, q99=q90)
        )  # fmt: skip


def test_a_region_counts_its_own_stores_alone_and_all_regions_every_one(milk: House):
    with milk.doors.read() as session:
        everywhere = product_view.sold(session, "milk", TODAY, days=28)
        far = product_view.sold(session, "milk", TODAY, days=28, region_id=SOUTH)
    assert (everywhere.qty, far.qty) == (27 * 10, 27 * 4)
    assert (everywhere.before_qty, everywhere.revenue_minor) == (28 * 10, 27 * 2000)


def test_a_day_without_a_row_is_a_zero_where_a_store_was_open(milk: House):
    with milk.doors.read() as session:
        past = dict(product_view.history_of(session, "milk", TODAY))
    assert past[LAST - dt.timedelta(days=3)] == 0
    assert past[LAST - dt.timedelta(days=80)] is None  # nothing is known of it


def test_what_runs_out_first_stands_first_with_its_days_of_supply(milk: House):
    with milk.doors.read() as session:
        found = product_view.at_stores(session, session.get_one(Product, "milk"), TODAY)
    assert [(one.store_id, one.days_left) for one in found] == [(FAR, 0.5), (STORE, 15.0)]


def test_a_sum_of_forecasts_is_surer_than_its_parts_and_one_store_has_its_own_limit(milk: House):
    with milk.doors.write() as session:
        _forecast(session, STORE, 6.0, 6.0, 9.0)
        _forecast(session, FAR, 4.0, 4.0, 8.0)
    with milk.doors.read() as session:
        both = product_view.expected(session, "milk", TODAY)
        alone = product_view.expected(session, "milk", TODAY, store_id=FAR)
    assert both.mean[0] == 10.0
    assert both.high[0] == pytest.approx(10.0 + 5.0)  # the root of 3² + 4², not 7
    assert (alone.mean[0], alone.high[0], alone.banded) == (4.0, 8.0, 1)


def test_a_store_without_a_run_counts_with_its_rate_and_gives_no_limit(milk: House):
    with milk.doors.write() as session:
        _forecast(session, STORE, 5.0, 5.0, 9.0)
    with milk.doors.read() as session:
        both = product_view.expected(session, "milk", TODAY)
        alone = product_view.expected(session, "milk", TODAY, store_id=FAR)
    assert (both.mean[0], both.banded, both.stores) == (9.0, 1, 2)
    assert alone.high == (None,) * 14


def test_the_page_says_all_of_it_and_every_name_leads_there(milk: House):
    client = milk.signed_in("operator")
    text = words(client.get("/console/products/milk"))
    assert "Whole milk" in text
    assert "$2.14" in text
    assert "50%" in text  # of the price without tax, 2.00, the pack's cost leaves half
    assert "Sell-through 75%" in text, "270 of the 270 that sold and the 92 that are there"
    assert client.get("/console/products/milk/outlook.json").json["expected"][-1] == 10.0
    assert 'href="/console/products/milk"' in client.get("/console/products/").text
    assert client.get("/console/products/none").status_code == 404


def test_a_store_has_no_such_page(house: House):
    client = house.signed_in()
    assert client.get("/console/products/milk").status_code == 404
