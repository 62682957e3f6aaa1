"""What is found by a scan, at which price, and what is refused with which sentence."""

import datetime as dt

import pytest
import sqlalchemy as sa

from config.errors import Conflict, Invalid, NotFound, Refused
from config.nodes.journal import Context
from pos.catalogue import catalogue
from pos.catalogue import edition as catalogue_edition
from pos.catalogue.catalogue import Listing, Price, Product, Scanned, search_text_for
from pos.catalogue.gs1 import check_digit, is_gtin
from pos.catalogue.scan import read
from tests.builders import NOON, STORE, OpenStore, open_network

DAY = NOON.date()


def scan(store: OpenStore, code: str) -> Scanned:
    return store.read(lambda session: read(session, STORE, code, DAY))


@pytest.mark.parametrize("code", ["4006381333931", " 4006381333931\n", "04006381333931", "milk"])
def test_a_product_is_found_by_its_code_with_or_without_leading_zeros_and_by_its_sku(store, code):
    found = scan(store, code)
    assert (found.product.sku, found.qty, found.product.price_minor) == ("milk", 1, 129)


def test_a_case_barcode_stands_for_its_units(store):
    with store.write() as session:
        catalogue.add_code(session, "milk", "14006381333938", 12)
    assert scan(store, "14006381333938").qty == 12


def test_an_unknown_barcode_says_what_to_do(store):
    with pytest.raises(NotFound, match=r"Search by name") as refusal:
        scan(store, "5000000000012")
    assert refusal.value.code == "unknown-barcode"


@pytest.mark.parametrize("code", ["", "   ", "x" * 65, "12\x0034", "\ud800"])
def test_what_cannot_be_a_code_is_unknown_and_never_reaches_the_database(store, code):
    with pytest.raises(NotFound):
        scan(store, code)


def test_a_misread_digit_is_told_from_an_unknown_product(store):
    with pytest.raises(Invalid, match="last digit does not match") as refusal:
        scan(store, "4006381333930")
    assert refusal.value.code == "wrong-check-digit"
    assert refusal.value.facts["expected"] == "1"


def test_what_the_shop_does_not_list_is_refused_by_name(store):
    with store.write() as session:
        catalogue.list_product(Context(session, store.wei, NOON), STORE, "tea", active=False)
    with pytest.raises(Refused, match="Not sold in this store: Green tea") as refusal:
        scan(store, "tea")
    assert refusal.value.code == "not-sold-here"


def test_a_product_without_a_price_is_refused_with_a_way_out(store):
    with store.write() as session:
        session.execute(sa.delete(Price).where(Price.sku == "tea"))
    with pytest.raises(Refused, match="Set one under Products, then scan") as refusal:
        scan(store, "tea")
    assert refusal.value.code == "price-missing"
    assert "tea" not in {view.sku for view in store.read(lambda s: catalogue.till_catalogue(s, STORE, DAY))}


def test_a_price_is_valid_from_its_day_and_the_shops_own_goes_first(store):
    tomorrow = DAY + dt.timedelta(days=1)
    with store.write() as session:
        catalogue.set_price(Context(session, store.wei, NOON), "milk", 139, tomorrow)
        catalogue.set_price(Context(session, store.wei, NOON), "tea", 400, DAY, scope_id=STORE)

        def price(sku: str, day: dt.date, store_id: str = STORE) -> int | None:
            return catalogue.price_on(session, store_id, sku, day)

        assert price("milk", DAY) == 129
        assert price("milk", tomorrow) == 139
        assert price("tea", DAY) == 400
        assert price("tea", DAY, "S02") == 450
        assert price("tea", DAY - dt.timedelta(days=30)) is None
        assert catalogue.prices_on(session, STORE, tomorrow, ["milk", "tea"]) == {"milk": 139, "tea": 400}


@pytest.mark.parametrize("text", ["milk", "WHOLE", "green TEA", "绿茶", "lvcha", "lc", "bread"])
def test_search_finds_by_word_pinyin_and_initials(store, text):
    assert store.read(lambda session: catalogue.search(session, STORE, text, DAY))


@pytest.mark.parametrize("text", ["%", "_", "", "nothing like it", "milk tea"])
def test_search_takes_wildcards_literally_and_wants_every_word(store, text):
    assert store.read(lambda session: catalogue.search(session, STORE, text, DAY)) == []


def test_the_till_gets_everything_it_sells_with_every_code(store):
    views = {view.sku: view for view in store.read(lambda s: catalogue.till_catalogue(s, STORE, DAY))}
    assert set(views) == {"milk", "bread", "tea", "wine", "cheese"}
    assert views["milk"].codes == (("4006381333931", 1),)
    assert views["wine"].minimum_age == 18
    assert "lvcha" in views["tea"].search_text


def test_pinyin_is_written_whole_and_as_initials():
    assert search_text_for("牛奶 Milk", "光明", "Dairy") == "牛奶 milk 光明 dairy niunai nn guangming gm"


@pytest.mark.parametrize("code", ["4006381333931", "96385074", "036000291452", "00036000291452"])
def test_check_digits_follow_gs1(code):
    assert is_gtin(code)
    assert check_digit(code[:-1]) == code[-1]


@pytest.mark.parametrize("code", ["4006381333932", "123", "٤٠٠٦٣٨١٣٣٣٩٣١", "abcdefgh"])
def test_a_code_of_another_length_script_or_digit_is_no_gtin(code):
    assert not is_gtin(code)


def test_a_code_belongs_to_one_product(store):
    with store.write() as session, pytest.raises(Conflict, match="already belongs to milk"):
        catalogue.add_code(session, "tea", "4006381333931")


def test_a_shop_takes_the_networks_catalogue_over_and_keeps_what_is_its_own(store, tmp_path):
    network = open_network(tmp_path, (STORE,))
    with store.write() as session:
        catalogue.set_price(Context(session, store.wei, NOON), "tea", 400, DAY, scope_id=STORE)
        catalogue.list_product(Context(session, store.wei, NOON), STORE, "wine", active=False)
        catalogue.add_product(
            Context(session, store.wei, NOON),
            "jam",
            "Our own jam",
            category="Groceries",
            tax_class_id="food",
            owner_id=STORE,
        )
        body = catalogue_edition.edition(session, STORE, day=DAY)
    assert "jam" not in {product["sku"] for product in body["products"]}
    body["products"] = [product for product in body["products"] if product["sku"] != "bread"]
    body["barcodes"] = [row for row in body["barcodes"] if row[1] != "bread"]
    body["prices"] = [row for row in body["prices"] if row[0] != "bread"]
    body["products"].append(body["products"][0] | {"sku": "soap", "name": "Soap"})
    body["prices"].append(["soap", DAY.isoformat(), 199])
    for database in (network.database, store.database):
        for edition in (body, body, body | {"products": [], "barcodes": [], "prices": []}):
            with database.write() as session:
                catalogue_edition.take_edition(session, edition)  # one without any product closes no store
    with store.write() as session:
        assert catalogue.price_on(session, STORE, "tea", DAY) == 400
        assert not session.get_one(Listing, (STORE, "wine")).active
        assert not session.get_one(Product, "bread").active
        assert session.get_one(Product, "jam").active
        assert catalogue.to_sell(session, STORE, ["soap"], DAY)["soap"].price_minor == 199


def test_an_edition_leaves_out_prices_that_newer_ones_replaced(store):
    with store.write() as session:
        for days, price_minor in ((-3, 111), (-1, 122), (5, 133)):
            catalogue.set_price(Context(session, store.wei, NOON), "milk", price_minor, DAY + dt.timedelta(days))
        prices = [row[2] for row in catalogue_edition.edition(session, STORE, day=DAY)["prices"] if row[0] == "milk"]
    assert prices == [122, 133]


def test_a_search_shows_names_that_begin_so_first_then_words_then_the_rest(store: OpenStore):
    names = {"s1": "Almond buttermilk", "s2": "Oat milk", "s3": "Milk bread", "s4": "Milk bar"}
    with store.write() as session:
        for sku, name in names.items():
            catalogue.add_product(Context(session, store.wei, NOON), sku, name, category="X", tax_class_id="food")
            catalogue.set_price(Context(session, store.wei, NOON), sku, 100, DAY)
            catalogue.list_product(Context(session, store.wei, NOON), STORE, sku, quick_key=7 if sku == "s3" else None)
    found = store.read(lambda session: catalogue.search(session, STORE, "milk", DAY))
    assert [view.sku for view in found] == ["s3", "s4", "milk", "s2", "s1"]
