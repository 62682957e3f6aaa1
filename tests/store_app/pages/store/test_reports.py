"""The report pages: what was asked stands in the address, files hold every row, and no cell is a formula."""

import csv
import datetime as dt
import html
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from pypdf import PdfReader

from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue
from pos.catalogue.catalogue import TaxClass
from pos.reports.reports import KINDS
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.stock import stock
from pos.till import shift
from store_app.files.exporting import tamed
from store_app.pages.store.reports import DEFINITIONS
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import words

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


def drawn(text):
    """Return the chart a page says."""
    return json.loads(html.unescape(re.search("data-drawing='([^']+)'", text)[1]))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("day", "hour", "shrink")])
def test_what_is_no_report_over_time_is_drawn_lying_and_leads_to_its_receipts(sold, kind):
    client = sold.signed_in("shopkeeper")
    drawing = drawn(client.get(f"/reports/?{own(kind)}").text)
    assert (drawing["lying"], len(drawing["names"])) == (True, 2 if kind in ("product", "margin") else 1)
    shown = [client.get(href).text for href in drawing["hrefs"]]
    assert all("/money/receipts/sale-0001" in text for text in shown)


def test_the_hours_of_the_week_lead_to_their_receipts_alone(sold):
    client = sold.signed_in("shopkeeper")
    text = client.get(f"/reports/?{own('day')}").text
    [way] = re.findall(r'<td class="heat-5"><a href="([^"]+)"', text)
    assert "weekday=0&amp;hour=7" in way
    assert "sale-0001" in client.get(html.unescape(way)).text
    for other in ("hour=7", "hour=8"), ("weekday=0", "weekday=1"):
        assert "No receipts" in client.get(html.unescape(way).replace(*other)).text
    assert client.get("/reports/receipts?hour=noon").status_code == 422


def test_each_figure_says_what_it_means_and_that_sales_include_tax(sold):
    said = words(sold.signed_in("shopkeeper").get(f"/reports/?{own('day')}"))
    assert "Sales $3.87 = net sales $3.62 + deposits and vouchers $0.00 + tax $0.25 + rounding $0.00." in said
    assert all(str(meaning) in said for meaning in DEFINITIONS.values())


def test_best_sellers_and_what_lies_in_stock_have_their_stock_beside_them(sold):
    said = words(sold.signed_in("shopkeeper").get(f"/reports/?{own('day')}"))
    assert "Milk 牛奶 $2.58 2 8" in said


@pytest.mark.parametrize("kind", ["day", "product"])
def test_files_stay_as_they_were_approved(sold, golden, kind):
    client = sold.signed_in("shopkeeper")
    sheet = client.get(f"/reports/{kind}.csv?{own()}").get_data()
    golden.check(f"report-{kind}.csv", sheet.decode("utf-8-sig").replace("\r\n", "\n"))
    paper = PdfReader(io.BytesIO(client.get(f"/reports/{kind}.pdf?{own()}").get_data()))
    golden.check(f"report-{kind}-pdf.txt", "\n".join(page.extract_text() for page in paper.pages) + "\n")


def test_a_report_names_tax_classes_and_says_what_an_empty_one_lacks(sold):
    client = sold.signed_in("shopkeeper")
    assert ">Food</th>" in client.get(f"/reports/?{own('tax')}").text
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
