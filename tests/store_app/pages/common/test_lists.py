"""Lists: each row on one page, in any order and filter; the same rows as a file; views of a person's own."""

import csv
import io
import re
from html import unescape
from typing import Any
from urllib.parse import urlencode

import openpyxl
import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.errors import DomainError
from pos.catalogue.catalogue import Listing, Product, TaxClass
from pos.stock.ledger import StockLevel
from pos.store import saved_views
from store_app.pages.common import lists
from store_app.runtime.doors import read
from supply.orders.suppliers import Supplier, SupplierProduct
from tests.store_app.conftest import STORE, House, add_team, post
from tests.store_app.office import words

HOSTILE = ("=1+1", "+49", "-2", "@cmd", "\t=x", "  =y")
PRODUCTS = [
    {"sku": f"L{n:02d}", "name": HOSTILE[n] if n < len(HOSTILE) else ("Ähre", "apple", "Bread", "bread")[n % 4],
     "category": ("Dairy", "Bakery", "")[n % 3], "shelf_life_days": (None, 3, 3, 0)[n % 4]}
    for n in range(23)
]  # fmt: skip
TABLE = lists.Table(
    "products",
    (
        lists.Column("name", "Name", by=Product.name),
        lists.Column("sku", "SKU", by=Product.sku),
        lists.Column("category", "Category", by=Product.category),
        lists.Column("shelf_life_days", "Days", "number", by=Product.shelf_life_days),
        lists.Column("tags", "Tags", value=lambda _row: None),
        lists.Column("go", "Go", "act"),
    ),
    (
        lists.Filter("q", "Name", "text", lambda text: Product.name.icontains(text, autoescape=True)),
        lists.Filter(
            "category", "Category", "choice", lambda one: Product.category == one, [("", "All"), ("Dairy", "Dairy")]
        ),
        lists.Filter("least", "At least", "number", lambda least: Product.shelf_life_days >= least),
    ),
    (Product.name, Product.sku),
    rows=5,
)
IN_MEMORY = lists.Table(
    "products",
    tuple(lists.Column(one.key, one.label, one.kind, value=one.value) for one in TABLE.columns),
    (
        lists.Filter("q", "Name", "text", lambda text: lambda one: text.lower() in one.name.lower()),
        lists.Filter(
            "category", "Category", "choice", lambda name: lambda one: one.category == name, TABLE.filters[1].choices
        ),
        lists.Filter("least", "At least", "number", lambda least: lambda one: (one.shelf_life_days or -1) >= least),
    ),
    rows=5,
)


@pytest.fixture
def stocked(network: House) -> House:
    with network.doors.write() as session:
        if session.get(TaxClass, "t7") is None:
            session.add(TaxClass(id="t7", name="Food", rate_bp=700, inclusive=True))
            session.flush()
        session.add_all(Product(tax_class_id="t7", **one) for one in PRODUCTS)
        session.flush()
        if network.doors.settings.role == "network":
            session.add(Supplier(id="net", name="Network supply", kind="network", warehouse_id="WH1", owner_id="*"))
            session.flush()
            for n, one in enumerate(PRODUCTS):
                session.add(SupplierProduct(supplier_id="net", sku=one["sku"], pack_qty=6, pack_cost_minor=100 * n))
                session.add(StockLevel(store_id="WH1", sku=one["sku"], place="floor", qty=n))
    return network


def shown(house: House, asked: dict[str, Any], *, in_memory: bool = False) -> lists.Shown:
    with house.app.test_request_context(f"/list?{urlencode(asked, doseq=True)}"), read() as session:
        query = sa.select(Product).where(Product.sku.startswith("L"))
        if in_memory:
            return lists.show(IN_MEMORY, list(session.scalars(query.order_by(Product.name, Product.sku))))
        return lists.show(TABLE, query, list)


def table_of(answer: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(answer.get_data(as_text=True).removeprefix("\ufeff"))))


asked = st.fixed_dictionaries(
    {},
    optional={
        "sort": st.sampled_from(
            ["", *(sign + one.key for one in TABLE.columns for sign in ("", "-")), "name; drop table", "-"]
        ),
        "columns": st.lists(st.sampled_from([*(one.key for one in TABLE.columns), "hash", ""]), max_size=4),
        "q": st.sampled_from(["", "a", "br", "=", "%", "_", "\x00a", "x" * 300]),
        "category": st.sampled_from(["", "Dairy", "Nowhere"]),
        "least": st.sampled_from(["", "1", "3", "-1", "three", "９"]),
    },
)


@pytest.mark.parametrize("in_memory", [False, True])
def test_the_pages_of_any_order_and_filter_hold_the_files_rows_once_each_and_in_order(stocked, in_memory):
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(asked)
    def walk(chosen):
        first = shown(stocked, chosen, in_memory=in_memory)
        if first.faults:  # what a filter cannot read is said on the page, and refused of a file
            assert chosen["least"] == "three"
            return
        pages = [shown(stocked, chosen | {"page": n}, in_memory=in_memory) for n in range(1, first.pages.pages + 2)]
        rows = [row for one in pages for row in one.rows]
        assert len(rows) == first.total == len({row.sku for row in rows})
        head, *kept = table_of(shown(stocked, chosen | {"file": "csv", "columns": ["sku"]}, in_memory=in_memory).file)
        assert head == ["Name", "SKU"]
        assert [line[1] for line in kept] == [row.sku for row in rows]
        key = first.sort.removeprefix("-")
        if key:
            values = [getattr(row, key, None) for row in rows]
            there = [one for one in values if one is not None]
            assert values[len(there) :] == [None] * (len(values) - len(there)), "what has no value comes last"
            folded = [one.lower() if isinstance(one, str) and one.isascii() else one for one in there]
            if all(not isinstance(one, str) or one.isascii() for one in there):
                assert folded == sorted(folded, reverse=first.sort.startswith("-"))

    walk()


def test_a_file_holds_numbers_as_numbers_and_no_text_a_spreadsheet_would_run(stocked):
    text = table_of(shown(stocked, {"file": "csv"}).file)
    for name in HOSTILE:
        assert not any(line[0].lstrip()[:1] in ("=", "+", "-", "@") for line in text if name.strip() in line[0]), name
    sheet = openpyxl.load_workbook(io.BytesIO(shown(stocked, {"file": "xlsx"}).file.get_data())).active
    kinds = {type(cell.value) for cell in sheet["D"][1:]}
    assert kinds == {int, type(None)}
    assert all(cell.data_type == "s" for cell in sheet["A"])
    assert len(list(sheet.rows)) == len(PRODUCTS) + 1


def test_a_file_of_more_rows_than_a_file_holds_is_refused_and_so_is_a_filter_it_cannot_read(stocked, monkeypatch):
    monkeypatch.setattr(lists, "MOST", 5)
    for chosen, code in (({"file": "csv"}, "too-many-rows-taken"), ({"file": "csv", "least": "x"}, "bad-number")):
        with pytest.raises(DomainError) as fault:
            shown(stocked, chosen)
        assert fault.value.code == code
    assert len(table_of(shown(stocked, {"file": "csv", "category": "Dairy", "q": "apple"}).file)) < 6


NETWORK_LISTS = (
    "/console/stores/",
    "/console/products/",
    "/console/audit/",
    "/console/claims/",
    "/console/money/",
    "/console/purchases/",
    "/console/prices/",
    "/console/warehouse/stock",
)


STORE_LISTS = (
    "/products/",
    "/stock/",
    "/customers/",
    "/pickup/past",
    "/reports/receipts",
    "/invoices/",
)


def links(client: FlaskClient, there: str) -> list[str]:
    page = client.get(there)
    assert page.status_code == 200, there
    return [unescape(one) for one in re.findall(r'class="list-sort" href="([^"#]+)', page.text)]


def look_through(client: FlaskClient, there: str) -> None:
    for way in links(client, there):
        assert client.get(way).status_code == 200, way
    for form in ("csv", "xlsx"):
        answer = client.get(f"{there}?file={form}")
        assert (answer.status_code, answer.headers["Content-Disposition"][:10]) == (200, "attachment"), there
    assert client.get(f"{there}?file=exe").status_code == 404
    for odd in ("sort=hash'--", "columns=nothing&columns=", "page=x", "first=x&last=y", "state=?&of=?&late=%00"):
        assert client.get(f"{there}?{odd}").status_code in (200, 400), (there, odd)


@pytest.mark.parametrize("there", NETWORK_LISTS)
def test_every_list_of_the_operators_sorts_by_each_of_its_heads_and_leaves_as_a_file(stocked, there):
    add_team(stocked)
    look_through(stocked.signed_in("operator"), there)


@pytest.mark.parametrize("there", STORE_LISTS)
def test_every_list_of_a_stores_sorts_by_each_of_its_heads_and_leaves_as_a_file(house, there):
    with house.doors.write() as session:
        session.add(TaxClass(id="t9", name="Food", rate_bp=700, inclusive=True))
        session.flush()
        for one in PRODUCTS:
            session.add(Product(tax_class_id="t9", **one))
            session.flush()
            session.add(Listing(store_id=STORE, sku=one["sku"], active=True))
    client = house.signed_in("shopkeeper")
    look_through(client, there)
    if there in ("/products/", "/stock/"):
        pages = [client.get(f"{there}?sort=-sku&page={n}").text for n in (1, 2)]
        assert sum(page.count("<tr>") for page in pages) >= len(PRODUCTS)
        assert len(table_of(client.get(f"{there}?file=csv&sort=-sku&q=bread"))) < len(PRODUCTS)


@pytest.mark.parametrize("there", STORE_LISTS)
def test_a_cashier_gets_no_file_of_a_page_that_is_not_theirs(house, there):
    client = house.signed_in("cashier")
    assert client.get(there).status_code == client.get(f"{there}?file=csv").status_code


@pytest.mark.parametrize("role", ["buyer", "warehouse", "support", "finance", "reader"])
def test_who_may_not_see_a_page_gets_no_file_of_it(stocked, role):
    add_team(stocked)
    client = stocked.signed_in(role)
    for there in NETWORK_LISTS:
        assert client.get(there).status_code == client.get(f"{there}?file=csv").status_code, there


def test_a_view_is_its_owners_is_replaced_by_its_name_and_deleted(stocked):
    add_team(stocked)
    client, other = stocked.signed_in("operator"), stocked.signed_in("reader")
    there = "/console/products/?category=Dairy&sort=-name"
    assert post(client, "/more/network/view", list=there, name="Fridge").headers["Location"].endswith(there)
    page = client.get("/console/products/")
    assert f'href="{there.replace("&", "&amp;")}"' in page.text
    assert "Fridge" in words(page)
    assert "Fridge" not in words(client.get("/console/stores/")), "another list's"
    assert "Fridge" not in words(other.get("/console/products/")), "another person's"
    post(client, "/more/network/view", list="/console/products/?q=milk", name="Fridge")
    assert "q=milk" in client.get("/console/products/").text
    assert there.replace("&", "&amp;") not in client.get("/console/products/").text
    post(client, "/more/network/view", list=there, name="Fridge", then="delete")
    assert "Fridge" not in words(client.get("/console/products/"))


@pytest.mark.parametrize(
    ("list", "name", "status"),
    [
        ("//evil.example/", "x", 422),
        ("https://evil.example/", "x", 422),
        ("", "x", 422),
        ("/console/products/", "", 422),
        ("/console/products/", "x" * 41, 422),
        ("/console/products/?q=" + "x" * 1001, "x", 422),
    ],
)
def test_an_odd_view_is_a_sentence(stocked, list, name, status):
    add_team(stocked)
    assert post(stocked.signed_in("reader"), "/more/network/view", list=list, name=name).status_code == status


def test_a_person_has_so_many_views_of_a_list_and_no_more(stocked):
    add_team(stocked)
    client = stocked.signed_in("reader")
    for n in range(saved_views.MOST + 1):
        answer = post(client, "/more/network/view", list="/console/products/?q=x", name=f"v{n}")
    assert answer.status_code == 409
    assert post(client, "/more/network/view", list="/console/products/?q=y", name="v0").status_code == 303
