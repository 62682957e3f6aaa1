"""The report pages: what was asked stands in the address, files hold every row, and no cell is a formula."""

import csv
import datetime as dt
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue
from pos.catalogue.catalogue import TaxClass
from pos.reports.reports import KINDS
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.stock import stock
from pos.till import shift
from store_app.files.exporting import tamed
from tests.store_app.conftest import NOON, STORE

RISKY = '=HYPERLINK("http://x")'


@pytest.fixture
def sold(house):
    """Give the node of a store that sold two products, one of them with a name like a formula."""
    actor = Actor("cashier", "Cashier", "cashier", STORE)
    with house.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
        session.flush()
        for sku, name in (("MILK", "Milk 牛奶"), ("EVIL", RISKY)):
            catalogue.add_product(Context(session, actor, NOON), sku, name, category="Dairy", tax_class_id="food")
            catalogue.set_price(Context(session, actor, NOON), sku, 129, dt.date(2026, 3, 1))
            catalogue.list_product(Context(session, actor, NOON), STORE, sku, cost_minor=80)
        stock.open_stock(Context(session, actor, NOON), STORE, [("MILK", 10), ("EVIL", 10)], source_id="opening")
        shift.open_shift(Context(session, actor, NOON), STORE, "1", 0)
        request = SaleRequest("sale-0001", STORE, "1", [("MILK", 2), ("EVIL", 1)], [("cash", 387)], 387)
        sale.complete(Context(session, actor, NOON), request)
    return house


def own(kind="product"):
    return f"kind={kind}&period=own&from=2026-03-01&to=2026-03-03"


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_report_is_shown_with_its_figures(sold, kind):
    shown = sold.signed_in("shopkeeper").get(f"/reports/?{own(kind)}")
    assert shown.status_code == 200
    assert ("$3.87" in shown.text) == (kind not in ("margin", "shrink"))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("day", "hour", "shrink")])
def test_what_is_no_report_over_time_is_drawn_as_lying_bars(sold, kind):
    shown = sold.signed_in("shopkeeper").get(f"/reports/?{own(kind)}").text
    assert shown.count('class="bar-name"') == (2 if kind in ("product", "margin") else 1)


def test_a_report_names_tax_classes_and_says_what_an_empty_one_lacks(sold):
    client = sold.signed_in("shopkeeper")
    assert ">Food</span>" in client.get(f"/reports/?{own('tax')}").text
    empty = client.get(f"/reports/?{own('shrink')}").text
    assert "Nothing was lost in this period" in empty
    assert "Nothing was sold" not in empty


def test_a_cashier_does_not_see_what_the_shop_earns(sold):
    assert sold.signed_in("cashier").get("/reports/").status_code in (403, 409)


def test_a_day_that_is_none_gets_a_sentence_and_a_report_all_the_same(sold):
    shown = sold.signed_in("shopkeeper").get("/reports/?period=own&from=yesterday")
    assert (shown.status_code, "2026-03-02" in shown.text) == (422, True)


def test_a_file_holds_figures_as_figures_and_no_text_as_a_formula(sold):
    client = sold.signed_in("shopkeeper")
    page = client.get(f"/reports/product.csv?{own()}").get_data().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(page)))
    assert [row[:4] for row in rows[1:]] == [["Milk 牛奶", "MILK", "2", "2.58"], ["'" + RISKY, "EVIL", "1", "1.29"]]
    book = load_workbook(io.BytesIO(client.get(f"/reports/product.xlsx?{own()}").get_data()))
    cells = [[one.value for one in row[:4]] for row in book.active.iter_rows(min_row=2)]
    assert cells[0] == ["Milk 牛奶", "MILK", 2, 2.58]
    assert {one.data_type for row in book.active.iter_rows() for one in row} <= {"s", "n"}


def test_an_unknown_file_is_not_found(sold):
    client = sold.signed_in("shopkeeper")
    assert {client.get(f"/reports/{name}").status_code for name in ("x.csv", "day.exe")} == {404}


@given(st.text(max_size=30))
def test_no_text_leaves_as_a_formula(text):
    assert tamed(text).lstrip()[:1] not in ("=", "+", "-", "@", "＝", "＋", "－", "＠")
    assert tamed(text).endswith(text)
