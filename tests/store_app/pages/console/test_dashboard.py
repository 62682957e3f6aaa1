"""The dashboard's pages: figures with their meaning, ways to all behind them; stock-outs and what can be done."""

import datetime as dt

import pytest

from pos.store.store import Store
from store_app.words.reports import MEANINGS, NETWORK_FIGURES
from supply.demand import rollups
from supply.demand.day_reports import DayReport
from supply.replenishment.stockouts import RegionOutlook
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import send, words
from tests.store_app.pages.console.test_products import FAR, LAST, SOUTH, _lay_in

PAGE = "/console/dashboard/"


@pytest.fixture
def node(network: House) -> House:
    """Give a network whose two stores, in two regions, sold milk for sixty days; one of them lacks it."""
    with network.doors.write() as session:
        _lay_in(session)
        near = session.get_one(Store, STORE).region_id
        rollups._sum_categories(session, [STORE, FAR], LAST - dt.timedelta(days=59), LAST)
        session.add(DayReport(store_id=FAR, business_day=LAST, listed=10, empty=3, empty_bp=20_000, waste_cost_minor=10,
                              waste_value_minor=20, forecast_milli=5_000, sold_milli=4_000, missed_milli=1_000,
                              reported_at=NOON))  # fmt: skip
        for region, name, left in ((near, "Near", 2.5), (SOUTH, "Far", 0.5)):
            row = {"sku": "milk", "short": 1, "of": 1, "missing_qty": 7, "stores": [[name, left]]}
            session.add(RegionOutlook(region_id=region, days=3, seen_at=NOON, rows=[row]))
    return network


def test_every_figure_stands_with_its_meaning_and_leads_on(node):
    client = node.signed_in("operator")
    answer = client.get(PAGE)
    text = words(answer)
    for name in ("total_minor", "net_minor", "margin_minor"):
        assert MEANINGS[name] in text
    for word, meaning in NETWORK_FIGURES.values():
        assert word in text
        assert meaning in text
    assert " 20% Out-of-stock rate" in text  # two of ten products' days
    assert " 25% Forecast error (WAPE)" in text
    assert 'href="/console/dashboard/department?days=28&amp;name=Dairy"' in answer.text
    assert 'href="/console/products/milk"' in answer.text
    assert f'href="/console/stores/{FAR}"' in answer.text
    assert 'href="/console/outlook/all?days=3"' in answer.text
    assert "out of stock 20%" in text
    department = client.get("/console/dashboard/department?days=28&name=Dairy")
    assert 'href="/console/products/milk"' in department.text
    assert "A 1 0 0 0 100% B 0" in words(department), "milk alone, the same each week"


def test_a_period_a_region_and_the_year_before_stay_in_every_address(node):
    client = node.signed_in("operator")
    answer = client.get(f"{PAGE}?days=7&region={SOUTH}&before=year")
    assert f"days=7&amp;before=year&amp;region={SOUTH}&amp;name=Dairy" in answer.text
    assert "364 days earlier" in words(answer)
    own = client.get(f"{PAGE}?from={LAST - dt.timedelta(days=2)}&to={LAST}")
    assert f"from={LAST - dt.timedelta(days=2)}&amp;to={LAST}" in own.text
    assert "$60.00" in words(own)  # three days; milk sold at two stores for $20.00 a day


@pytest.mark.parametrize("asked", ["days=x", "from=2026-99-99", "from=9999-01-01&to=1999-01-01", "region=none",
                                   "from=0001-01-01&to=9999-12-31", "page=99", "before=never"])  # fmt: skip
def test_what_no_period_can_be_is_passed_over(node, asked):
    assert node.signed_in("operator").get(f"{PAGE}?{asked}").status_code == 200
    assert node.signed_in("operator").get(f"/console/dashboard/department?{asked}").status_code == 200


def test_before_the_first_sale_there_is_a_sentence(network):
    client = network.signed_in("operator")
    assert "Figures appear after the first day of sales." in words(client.get(PAGE))
    assert client.get("/console/dashboard/department").status_code == 200


def test_stock_outs_of_all_regions_are_one_list_with_what_can_be_done(node):
    client = node.signed_in("operator")
    answer = client.get("/console/outlook/all")
    text = words(answer)
    assert "2 of 2" in text
    assert "14" in text
    assert text.index("Far (0.5 d)") < text.index("Near (2.5 d)")
    assert 'href="/console/promotions/offers/new?sku=milk&amp;days=3"' in answer.text
    offer = client.get(f"/console/offers/?sku=milk&days=3&region={SOUTH}", follow_redirects=True)
    assert 'value="milk" placeholder' in offer.text
    assert send(client, "/console/transfers/propose").status_code == 303
    assert "No store can spare what another lacks." in words(client.get("/console/transfers/"))
