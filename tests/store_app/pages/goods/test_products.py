"""The products' pages: found by filter, priced from a day on, coded rightly, own ones made at once, files whole."""

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Context, JournalEntry
from pos.catalogue import catalogue, public_products, quick_keys, scan
from pos.catalogue.catalogue import Barcode, Listing, Price, Product, TaxClass
from pos.catalogue.public_products import PublicProduct
from pos.printing.queue import PrintJob
from store_app.files import importing
from store_app.pages.common.lists import ROWS
from store_app.pages.goods import product_list
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import EAN, GOODS, SYSTEM, fill, picture_of, send, words

TODAY = NOON.date()
NEW = {"name": "Own jam", "category": "Spreads", "tax_class_id": "food", "stock_unit": "each", "kind": "goods",
       "price": "3.50", "cost": "2.10", "code": "4006381333948"}  # fmt: skip


@pytest.fixture
def office(build) -> House:
    house = build(printer="paper")
    fill(house)
    return house


def price_of(house: House, sku: str, day: dt.date = TODAY) -> int | None:
    with house.doors.read() as session:
        return catalogue.price_on(session, STORE, sku, day)


def made(house: House) -> list[Product]:
    with house.doors.read() as session:
        return list(session.scalars(sa.select(Product).where(Product.owner_id == STORE)))


# --- the list ---


def test_the_list_finds_by_name_pinyin_code_and_sku(office: House):
    client = office.signed_in()
    for text, name in (("milk", "Whole milk"), ("lvcha", "Green tea"), (EAN["bread"], "Rye bread"), ("beer", "Pale")):
        found = words(client.get("/products/", query_string={"q": text}))
        assert name in found
        assert "1 product" in found


def test_the_filters_find_what_is_missing(office: House):
    with office.doors.write() as session:
        session.execute(sa.delete(Price).where(Price.sku == "soap"))
        session.execute(sa.update(Listing).where(Listing.sku == "milk").values(cost_minor=80))
        session.execute(sa.update(Listing).where(Listing.sku == "tea").values(active=False))
    client = office.signed_in()

    def names(**asked: str) -> set[str]:
        page = client.get("/products/", query_string=asked).text
        return {sku for sku in GOODS if f'href="/products/{sku}"' in page}

    assert names() == set(GOODS) - {"tea"}
    assert names(show="priceless") == {"soap"}
    assert names(show="codeless") == set(GOODS) - set(EAN) - {"tea"}
    assert names(show="costless") == set(GOODS) - {"milk", "tea"}
    assert names(show="unlisted") == {"tea"}
    assert names(show="own") == set()
    assert names(top_category="Dairy") == {"milk"}
    assert names(show="nonsense") == set(GOODS) - {"tea"}


def test_a_long_list_has_pages_and_each_says_which_of_how_many_it_is(office: House):
    with office.doors.write() as session:
        known = {"category": "Nuts", "search_text": "nut", "tax_class_id": "food"}
        for n in range(ROWS * 2):
            session.add(Product(sku=f"n{n:03d}", name=f"Nut {n:03d}", **known))
        session.flush()
        session.add_all(Listing(store_id=STORE, sku=f"n{n:03d}") for n in range(ROWS * 2))
    client = office.signed_in()
    first, second, past = (client.get(f"/products/?q=nut&page={n}").text for n in (1, 2, 3))
    assert "100 products" in first
    assert re.findall("Nut ([0-9]+)", first) == [f"{n:03d}" for n in range(ROWS)]
    assert re.findall("Nut ([0-9]+)", second) == [f"{n:03d}" for n in range(ROWS, ROWS * 2)]
    assert ("Page 1 of 2" in first, 'rel="prev"' in first, 'rel="next"' in first) == (True, False, True)
    assert ("Page 2 of 2" in second, 'rel="prev"' in second, 'rel="next"' in second) == (True, True, False)
    assert "Nothing found" in past
    assert ('rel="prev"' in past, 'rel="next"' in past) == (True, False), "the way back alone"


def test_a_coming_price_is_no_price_today(office: House):
    with office.doors.write() as session:
        session.execute(sa.update(Price).where(Price.sku == "soap").values(from_day=TODAY + dt.timedelta(days=1)))
    assert "no price" in words(office.signed_in().get("/products/?show=priceless"))


# --- prices ---


def test_a_price_is_set_from_a_day_on_and_counts_from_that_day(office: House):
    later = TODAY + dt.timedelta(days=3)
    client = office.signed_in()
    assert send(client, "/products/milk/price", price="1.49", from_day=later.isoformat()).status_code == 303
    assert (price_of(office, "milk"), price_of(office, "milk", later)) == (129, 149)
    assert "$1.49" in words(client.get("/products/milk"))
    assert send(client, "/products/milk/price/take-back", day=later.isoformat()).status_code == 303
    assert price_of(office, "milk", later) == 129


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"price": "1.49", "from_day": "2026-03-01"}, "from_day"),
        ({"price": "1.49", "from_day": "soon"}, "from_day"),
        ({"price": "-1", "from_day": "2026-03-02"}, "price"),
        ({"price": "1e3", "from_day": "2026-03-02"}, "price"),
        ({"price": "=1", "from_day": "2026-03-02"}, "price"),
        ({}, "price"),
    ],
)
def test_an_impossible_price_is_refused_beside_its_field(office: House, fields: dict[str, str], field: str):
    client = office.signed_in()
    before = picture_of(office)
    answer = send(client, "/products/milk/price", **fields)
    assert answer.status_code == 422
    assert f'id="{field}-fault"' in answer.text
    assert picture_of(office) == before


def test_a_price_in_force_is_not_taken_back(office: House):
    client = office.signed_in()
    send(client, "/products/milk/price", price="1.49", from_day=TODAY.isoformat())
    assert send(client, "/products/milk/price/take-back", day=TODAY.isoformat()).status_code == 409
    assert price_of(office, "milk") == 149


def test_the_shops_own_price_goes_before_a_later_one_of_the_network(office: House):
    client = office.signed_in()
    send(client, "/products/milk/price", price="1.10", from_day=TODAY.isoformat())
    with office.doors.write() as session:
        session.add(Price(sku="milk", from_day=TODAY + dt.timedelta(days=1), price_minor=999))
    page = words(client.get("/products/milk"))
    assert "replaced by our price" in page
    assert "from Tue" not in page


def test_a_label_is_printed_once_for_two_clicks(office: House):
    client, command = office.signed_in(), new_id()
    for _ in range(2):
        assert send(client, "/products/milk/label", command_id=command).status_code == 303
    with office.doors.read() as session:
        jobs = session.scalars(sa.select(PrintJob).where(PrintJob.kind == "label")).all()
    assert [job.document["price_minor"] for job in jobs] == [129]


def test_what_is_priced_at_the_till_needs_no_label_on_the_day_of_a_price(office: House):
    with office.doors.write() as session:
        session.add(Price(sku="milk", scope_id=STORE, from_day=TODAY, price_minor=0))
    with office.doors.write() as session:
        assert product_list.beginning(session, STORE, TODAY) == ["milk"]
        session.get_one(Product, "milk").price_typed = True
        session.flush()
        assert product_list.beginning(session, STORE, TODAY) == []


# --- codes ---


def test_a_pack_code_stands_for_as_many_as_it_says(office: House):
    assert send(office.signed_in(), "/products/milk/codes", code="14006381333938", qty="12").status_code == 303
    with office.doors.read() as session:
        found = scan.read(session, STORE, "14006381333938", TODAY)
    assert (found.product.sku, found.qty) == ("milk", 12)


@pytest.mark.parametrize(
    ("fields", "status", "sentence"),
    [
        ({"code": "4006381333932", "qty": "1"}, 422, "last digit"),
        ({"code": EAN["bread"], "qty": "1"}, 409, "already belongs to"),
        ({"code": "", "qty": "1"}, 422, "Scan the barcode"),
        ({"code": "ABC", "qty": "0"}, 422, "whole number"),
        ({"code": "ABC", "qty": "x"}, 422, "whole number"),
    ],
)
def test_a_code_that_cannot_be_is_refused_beside_it_in_words(office: House, fields, status: int, sentence: str):
    client = office.signed_in()
    before = picture_of(office)
    answer = send(client, "/products/milk/codes", **fields)
    assert answer.status_code == status
    assert sentence in words(answer)
    assert 'class="field-error' in answer.text
    assert picture_of(office) == before


def test_a_code_of_the_network_stays_and_one_of_our_own_goes(office: House):
    client = office.signed_in()
    assert send(client, "/products/milk/codes/remove", code=EAN["milk"]).status_code == 409
    send(client, "/products/new", **NEW)
    sku = made(office)[0].sku
    for _ in range(2):
        assert send(client, f"/products/{sku}/codes/remove", code=NEW["code"]).status_code == 303
    with office.doors.read() as session:
        assert session.get(Barcode, NEW["code"]) is None
        assert session.get(Barcode, EAN["milk"]) is not None


# --- what the store wishes ---


def test_cost_hold_back_and_listing_are_settled_together_and_journalled_once(office: House):
    client = office.signed_in()
    for _ in range(2):
        assert send(client, "/products/milk/wishes", cost="0.90", hold_back="3").status_code == 303
    with office.doors.read() as session:
        listing = session.get_one(Listing, (STORE, "milk"))
        assert (listing.active, listing.hold_back_qty, listing.cost_minor) == (False, 3, 90)
        many = sa.select(sa.func.count()).where(JournalEntry.verb == "product.listed")
        assert session.scalar(many) == 1
    send(client, "/products/milk/wishes", sold="yes", cost="", hold_back="0")
    with office.doors.read() as session:
        assert session.get_one(Listing, (STORE, "milk")).cost_minor is None


def test_a_product_is_put_on_the_touch_keys(office: House):
    client = office.signed_in()
    assert send(client, "/products/milk/key").status_code == 303
    with office.doors.read() as session:
        assert "milk" in {key.sku for key in quick_keys.layout(session, STORE)[0].keys}
    assert "Touch key: page 1" in words(client.get("/products/milk"))


# --- own products ---


def test_a_new_product_is_sold_at_once_with_code_price_and_cost(office: House):
    client, command = office.signed_in(), new_id()
    for _ in range(2):
        assert send(client, "/products/new", command_id=command, **NEW).status_code == 303
    assert len(made(office)) == 1
    with office.doors.read() as session:
        found = scan.read(session, STORE, NEW["code"], TODAY)
    assert (found.product.name, found.product.price_minor, found.product.cost_minor) == ("Own jam", 350, 210)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"name": ""}, "name"),
        ({"category": ""}, "category"),
        ({"tax_class_id": "none"}, "tax_class_id"),
        ({"price": ""}, "price"),
        ({"cost": "x"}, "cost"),
        ({"code": "4006381333949"}, "code"),
        ({"code": EAN["milk"]}, "code"),
        ({"minimum_age": "200"}, "minimum_age"),
        ({"deposit_sku": "milk"}, "deposit_sku"),
        ({"kind": "service", "deposit_sku": "milk"}, "deposit_sku"),
        ({"stock_unit": "stone"}, "stock_unit"),
    ],
)
def test_a_product_that_cannot_be_is_refused_beside_its_field_and_leaves_nothing(office: House, changed, field: str):
    client = office.signed_in()
    before = picture_of(office)
    answer = send(client, "/products/new", **(NEW | changed))
    assert answer.status_code in (404, 409, 422)
    assert f'id="{field}-fault"' in answer.text
    assert 'value="Own jam"' in answer.text or field == "name"
    assert picture_of(office) == before


def test_a_product_without_a_fixed_price_needs_none(office: House):
    send(office.signed_in(), "/products/new", **(NEW | {"price": "", "price_typed": "yes"}))
    product = made(office)[0]
    assert product.price_typed
    assert price_of(office, product.sku) is None


def test_our_own_product_changes_and_the_networks_is_greyed_with_the_reason(office: House):
    client = office.signed_in()
    send(client, "/products/new", **NEW)
    sku = made(office)[0].sku
    fields = {name: NEW[name] for name in ("category", "tax_class_id", "stock_unit", "kind")}
    assert send(client, f"/products/{sku}/change", name="Plum jam", maximum_qty="6", **fields).status_code == 303
    assert (made(office)[0].name, made(office)[0].maximum_qty) == ("Plum jam", 6)
    assert send(client, f"/products/{sku}/change", name="Jam", **(fields | {"stock_unit": "gram"})).status_code == 409
    network = client.get("/products/milk")
    assert "is-settled" in network.text
    assert "sets" in words(network)
    assert client.get("/products/milk/change").status_code == 409


def test_a_code_somebody_has_already_leads_to_its_product(office: House):
    assert "/products/milk" in office.signed_in().get("/products/new", query_string={"code": EAN["milk"]}).text


# --- files ---


@pytest.fixture
def public(office: House) -> Iterator[House]:
    several = (
        PublicProduct(4006381333948, "Cherry jam"),
        PublicProduct(4006381333948, "Jam", "Orchard", "340 g", "Jams"),
    )
    public_products.replace(office.doors.settings.state_folder, [*several, PublicProduct(5449000000996, "Cola <b>")])
    yield office
    (office.doors.settings.state_folder / public_products.FILE).unlink()


def test_a_new_product_begins_with_what_is_known_of_its_barcode(public: House):
    client = public.signed_in()
    page = client.get("/products/new", query_string={"code": "5449000000996"}).text
    assert 'value="Cola &lt;b&gt;"' in page
    assert "Open Database License (ODbL)" in page
    send(client, "/products/new", **(NEW | {"code": "5449000000996", "name": "Cola"}))
    (product,) = made(public)
    assert "Open Database License (ODbL)" in client.get(f"/products/{product.sku}").text
    assert "ODbL" not in client.get("/products/milk").text


def test_of_several_products_of_a_barcode_a_person_chooses(public: House):
    client = public.signed_in()
    asked = client.get("/products/new", query_string={"code": NEW["code"]}).text
    assert "Several products have this barcode" in asked
    assert re.search(r'name="name" [^>]* value=""', asked)
    chosen = client.get("/products/new", query_string={"code": NEW["code"], "which": "1"}).text
    assert 'value="Cherry jam"' in chosen
    for which in ("2", "-1", "x", "٣"):
        assert client.get("/products/new", query_string={"code": NEW["code"], "which": which}).status_code == 200


def test_the_list_leaves_as_it_can_come_in_again_and_no_spreadsheet_executes_it(office: House):
    client = office.signed_in()
    send(client, "/products/new", **(NEW | {"name": "=cmd|' /C calc'!A0"}))
    text = client.get("/products/products.csv?show=own").get_data(as_text=True)
    assert "'=cmd" in text
    sku = made(office)[0].sku
    assert f'{sku},"' not in text.replace(f"{sku},'=cmd|' /C calc'!A0,Spreads,food,3.50,{NEW['code']}", "")
    answer = client.get("/products/products.xlsx")
    assert answer.data[:2] == b"PK"
    assert client.get("/products/products.exe").status_code == 404


def upload(client, text: str, name: str = "goods.csv", **fields):
    return send(client, "/products/bring-in/", file=(io.BytesIO(text.encode()), name), **fields)


GOOD = "sku,name,category,tax_class,price,cost,barcode\nJ1,Jam,Spreads,food,2.50,1.20,\nmilk,x,Dairy,food,1.35,,\n"


def test_a_file_is_looked_at_first_and_written_only_when_pressed(office: House):
    client, command = office.signed_in(), new_id()
    before = picture_of(office)
    looked = upload(client, GOOD, command_id=command)
    assert "2 rows without errors" in words(looked)
    assert picture_of(office) == before
    assert send(client, f"/products/bring-in/{command}").status_code == 303
    assert (price_of(office, "J1"), price_of(office, "milk")) == (250, 135)
    with office.doors.read() as session:
        assert session.get_one(Listing, (STORE, "J1")).cost_minor == 120
    assert send(client, f"/products/bring-in/{command}").status_code == 404


def test_what_a_list_leaves_open_is_asked_for_and_goes_along_until_it_is_brought_in_and_undone(office: House):
    client, command = office.signed_in(), new_id()
    before = picture_of(office)
    asked = upload(client, "Title,SKU,Retail price,Tax\nJam,J1,2.50,GST\n", command_id=command)
    assert (asked.status_code, 'name="tax.GST"' in asked.text) == (200, True)
    assert send(client, f"/products/bring-in/{command}", **{"tax.GST": "7"}).status_code == 404, "looked at first"
    looked = send(client, "/products/bring-in/", kept=command, command_id=new_id(), **{"tax.GST": "7"})
    assert 'name="tax.GST" value="7"' in looked.text
    assert "1 new product." in words(looked)
    assert picture_of(office) == before
    refused = send(client, f"/products/bring-in/{command}")
    assert refused.status_code == 422, "the answer goes along, or nothing is written"
    assert picture_of(office) == before
    assert send(client, f"/products/bring-in/{command}", **{"tax.GST": "7"}).status_code == 303
    assert price_of(office, "J1") == 250
    undo = re.search(r"/products/bring-in/imports/[^/]+/undo", client.get("/products/bring-in/").text)[0]
    assert send(client, undo).status_code == 303
    assert price_of(office, "J1") is None
    again = send(client, undo)
    assert (again.status_code, "already undone" in words(again)) == (409, True)


def test_every_fault_of_a_file_is_named_line_by_line_and_nothing_is_kept(office: House):
    client, command = office.signed_in(), new_id()
    before = picture_of(office)
    answer = upload(client, "sku,name,category,tax_class,price\nA,,Spreads,food,2.50\nB,Jam,Spreads,food,two\n",
                    command_id=command)  # fmt: skip
    assert answer.status_code == 422
    said = words(answer)
    assert "2 name is empty" in said
    assert "3 price 'two' is not an amount" in said.replace("&#39;", "'")
    assert send(client, f"/products/bring-in/{command}").status_code == 404
    assert picture_of(office) == before


def test_a_fault_found_only_while_writing_writes_nothing(office: House):
    client, command = office.signed_in(), new_id()
    rows = f"A,Jam,Spreads,food,1.00,\nB,Jam,Spreads,food,2.50,{NEW['code']}\n"
    upload(client, f"sku,name,category,tax_class,price,barcode\n{rows}", command_id=command)
    with office.doors.write() as session:
        session.add(Barcode(code=NEW["code"], sku="milk"))
    before = picture_of(office)
    answer = send(client, f"/products/bring-in/{command}")
    assert answer.status_code == 409
    assert "Row 3" in words(answer)
    assert picture_of(office) == before


def test_what_a_row_cannot_be_beside_what_is_here_is_told_of_every_row_before_anything_is_written(office: House):
    client, command = office.signed_in(), new_id()
    rows = (
        "A,Jam,Spreads,none,1.00,", "B,Jam,Spreads,food,2.5050,", "C,Jam,Spreads,food,1,4006381333931",
        "D,Jam,Spreads,food,1,4006381333932", "E,Jam,Spreads,food,1,own-1", "F,Jam,Spreads,other,1,own-1",
        "milk,Whole milk,Dairy,none,1.35,own-1",
    )  # fmt: skip
    said = words(upload(client, "\n".join(("sku,name,category,tax_class,price,barcode", *rows)), command_id=command))
    for reported in (
        "3 price 2.5050 has more than 2 decimals.",
        "4 barcode 4006381333931 is already the barcode of milk.",
        "5 barcode 4006381333932 is not a barcode: its last digit does not match.",
        "7 barcode own-1 is also the barcode in row 6.",
    ):  # fmt: skip
        assert reported in said
    assert "4 errors" in said, "of a product that is here the price counts alone"
    assert send(client, f"/products/bring-in/{command}").status_code == 404


@pytest.mark.parametrize("text", ["", "\x00", "name\nx\n", "sku,sku,name,category,tax_class,price\n"])
def test_an_unreadable_file_is_refused_beside_its_field(office: House, text: str):
    answer = upload(office.signed_in(), text)
    assert answer.status_code == 422
    assert 'id="file-fault"' in answer.text


def test_what_is_larger_than_the_shop_takes_is_told_how_large_it_may_be(office: House, monkeypatch):
    client = office.signed_in()
    monkeypatch.setitem(office.app.config, "MAX_CONTENT_LENGTH", 20_000)
    reported = {"en": "you can send up to 20 KB at once. Make it smaller, or split it.", "zh": "一次最多发送 20 KB"}
    for language, said in reported.items():
        client.get("/products/", query_string={"lang": language})
        answer = upload(client, "x" * 20_000)
        assert (answer.status_code, said in words(answer)) == (413, True), words(answer)
    monkeypatch.setitem(office.app.config, "MAX_FORM_PARTS", 1)  # too much of it, not too large
    assert "KB" not in words(upload(client, "x"))


def test_a_file_of_another_name_or_place_is_never_read(office: House):
    client = office.signed_in()
    for name in ("..%2f..%2fetc%2fpasswd", "nothing-here-1", "x"):
        assert send(client, f"/products/bring-in/{name}").status_code == 404


# --- taxes ---


def test_a_tax_class_is_added_once_and_its_rate_changes(office: House):
    client = office.signed_in()
    for _ in range(2):
        assert send(client, "/taxes/", name="Luxury", rate="19", prices="exclusive").status_code == 303
    made = f"{STORE}-luxury"
    assert send(client, f"/taxes/{made}", name="Luxury goods", rate="20,5", prices="exclusive").status_code == 303
    with office.doors.read() as session:
        row = session.get_one(TaxClass, made)
        assert (row.name, row.rate_bp, row.inclusive) == ("Luxury goods", 2050, False)
    assert "6 products" in words(client.get("/taxes/"))
    assert "20,5 % Luxury goods" in words(client.get("/taxes/?lang=de"))


@pytest.mark.parametrize(
    ("address", "fields", "status"),
    [
        ("/taxes/", {"name": "", "rate": "5", "prices": "inclusive"}, 422),
        ("/taxes/", {"name": "A", "rate": "101", "prices": "inclusive"}, 422),
        ("/taxes/", {"name": "A", "rate": "5", "prices": "both"}, 422),
        ("/taxes/", {"name": "Food", "rate": "5", "prices": "inclusive"}, 409),
        ("/taxes/food", {"name": "Food", "rate": "5", "prices": "exclusive"}, 409),
        ("/taxes/none", {"name": "Food", "rate": "5", "prices": "exclusive"}, 404),
    ],
)
def test_a_tax_class_that_cannot_be_is_a_sentence(office: House, address: str, fields, status: int):
    client = office.signed_in()
    before = picture_of(office)
    answer = send(client, address, **fields)
    assert answer.status_code == status
    assert 'class="field-error' in answer.text or "note-bad" in answer.text
    assert picture_of(office) == before


def test_the_networks_tax_class_stays_as_the_network_settles_it(build):
    house = build(network_url="https://network.example")
    fill(house)
    client = house.signed_in()
    assert "sets" in words(client.get("/taxes/"))
    assert send(client, "/taxes/food", name="Food", rate="5", prices="inclusive").status_code == 409


@pytest.mark.parametrize("role", ["cashier", "supervisor"])
def test_only_who_may_changes_products(office: House, role: str):
    client = office.signed_in(role)
    assert client.get("/products/milk").status_code == 200
    assert 'name="price"' not in client.get("/products/milk").text
    for address in ("/products/", "/products/new", "/products/products.csv", "/products/bring-in/",
                    "/taxes/", "/prices/"):  # fmt: skip
        assert client.get(address).status_code == 403, address
    assert send(client, "/products/milk/price", price="1", from_day=TODAY.isoformat()).status_code == 403


@pytest.mark.parametrize("address", ["/products/", "/products/milk", "/products/new", "/products/apple", "/taxes/",
                                     "/products/bring-in/"])  # fmt: skip
def test_the_pages_are_there_in_both_languages(office: House, address: str):
    for language in ("en", "zh"):
        assert office.signed_in().get(address, query_string={"lang": language}).status_code == 200


def test_an_unknown_product_is_a_sentence(office: House):
    client = office.signed_in()
    assert client.get("/products/nothing").status_code == 404
    assert send(client, "/products/nothing/price", price="1", from_day=TODAY.isoformat()).status_code == 404


# --- other languages ---


def test_an_own_product_and_its_category_are_named_in_other_languages_and_shown_so(office: House):
    client = office.signed_in()
    sku = re.search(r"/products/([^/]+)$", send(client, "/products/new", **NEW).location)[1]
    said = {"name_es": "Mermelada propia", "category_es": "Para untar", "name_de": "", "category_de": ""}
    assert send(client, f"/products/{sku}/names", **said).status_code == 303
    assert send(client, "/products/milk/names", name_es="Leche").status_code == 409, "the network's to say"
    in_spanish = client.get("/products/?lang=es&q=mermelada")
    assert {"Mermelada propia", "Para untar"} <= set(re.findall(r">([^<>]+)<", in_spanish.text))
    assert "Own jam" in words(client.get("/products/?lang=de&q=mermelada"))
    assert [row[1] for row in client.get("/api/catalogue?lang=es").json["rows"] if row[0] == sku] == [
        "Mermelada propia"
    ]
    german = client.get("/api/catalogue?lang=de").json
    assert [row[1] for row in german["rows"] if row[0] == sku] == ["Own jam"]
    assert "Para untar" not in str(german["sorts"])
    assert [one[-2] for one in german["sorts"] if "Spreads" in one] == ["para untar"], "the till's search finds it, too"
    assert "Para untar" in str(client.get("/api/catalogue?lang=es").json["sorts"])


def test_names_leave_in_the_file_and_come_in_again(office: House):
    client = office.signed_in()
    sku = re.search(r"/products/([^/]+)$", send(client, "/products/new", **NEW).location)[1]
    send(client, f"/products/{sku}/names", name_es="Mermelada", name_zh="果酱", category_es="Para untar")
    (row,) = csv.DictReader(io.StringIO(client.get("/products/products.csv?q=jam").data.decode("utf-8-sig")))
    assert (row["name_es"], row["name_zh"], row["name_de"], row["category_es"]) == (
        "Mermelada",
        "果酱",
        "",
        "Para untar",
    )
    row |= {"sku": "J2", "barcode": "", "category": "Jams", "category_de": "Marmelade"}
    lines = "\n".join(",".join(cells) for cells in (row.keys(), row.values()))
    sheet = importing.read("products", lines.encode(), "list.csv")
    with office.doors.write() as session:
        ctx = Context(session, SYSTEM, NOON)
        catalogue.name_category(ctx, "Jams", {"de": "Marmelade"})
        importing.write(ctx, sheet, STORE)
        assert session.get_one(Product, "J2").names == {"es": "Mermelada", "zh": "果酱"}
        catalogue.name_category(ctx, "Jams", {"de": "Konfitüre"})
        assert catalogue.category_names(session)["Jams"] == {"es": "Para untar", "de": "Konfitüre"}
    assert "J2" in client.get("/products/?q=untar+guojiang").text
