"""The stock pages: search, filters, a blind count, and writing off."""

import pytest

from config.ids import new_id
from config.nodes.journal import Context
from pos.stock import stock
from tests.stock_sold import sell_goods
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import EAN, SYSTEM, fill, send, words


@pytest.fixture
def office(house):
    fill(house)
    return house


def level(house, sku):
    with house.doors.read() as session:
        return stock.levels(session, STORE, [sku])[sku]


@pytest.mark.parametrize("text", ["milk", "MILK", EAN["milk"], "whole m"])
def test_a_product_is_found_by_name_and_code(office, text):
    found = words(office.signed_in().get("/stock/", query_string={"q": text}))
    assert "Whole milk" in found
    assert "Rye bread" not in found


def test_a_chinese_name_is_found_by_its_pinyin(office):
    assert "绿茶" in words(office.signed_in().get("/stock/?q=lvcha"))
    assert "绿茶" in words(office.signed_in().get("/stock/?q=lc"))


def test_the_low_filter_shows_what_does_not_last_two_days(office):
    found = words(office.signed_in().get("/stock/?show=low"))
    assert "Rye bread" in found
    assert "Pale beer" not in found


def test_promised_units_are_shown_as_promised_and_not_as_free(office):
    found = words(office.signed_in().get("/stock/?show=held"))
    assert "Pale beer" in found
    assert "46" in found


def test_a_room_that_sold_more_than_was_brought_there_is_short(office):
    client = office.signed_in()
    with office.doors.write() as session:
        ctx = Context(session, SYSTEM, NOON)
        sell_goods(ctx, STORE, [("milk", 12)], sale_id=new_id(), day=NOON.date())
        stock.receive(ctx, STORE, [("milk", 24)], source_id=new_id())
    assert "backroom 24 · store floor short by 3" in words(client.get("/stock/?q=milk"))
    assert "store floor short by 3" in words(client.get("/products/milk"))


def test_a_count_is_blind_and_becomes_the_level(office):
    client = office.signed_in()
    assert "9" not in words(client.get("/stock/milk/count")).split("Whole milk", 2)[2]
    assert send(client, "/stock/milk/count", qty="7").status_code == 303
    assert level(office, "milk").on_hand == 7


def test_the_same_count_sent_twice_counts_once(office):
    client, command = office.signed_in(), new_id()
    for _ in range(2):
        assert send(client, "/stock/milk/count", command_id=command, qty="7").status_code == 303
    assert level(office, "milk").on_hand == 7


def test_waste_needs_a_reason_and_leaves_the_place_it_was_in(office):
    client = office.signed_in()
    refused = send(client, "/products/bread/waste", qty="1", place="backroom")
    assert refused.status_code == 422
    assert "Choose a reason or write your own" in words(refused)
    assert level(office, "bread").on_hand == 3
    command = new_id()
    for _ in range(2):
        done = send(client, "/products/bread/waste", command_id=command, qty="1", place="backroom", reason="damaged")
        assert done.status_code == 303
    assert level(office, "bread").on_hand == 2


def test_more_than_is_there_cannot_be_written_off(office):
    refused = send(office.signed_in(), "/products/bread/waste", qty="400", place="backroom", reason="damaged")
    assert refused.status_code == 409
    assert "400" in words(refused)
    assert level(office, "bread").on_hand == 3


@pytest.mark.parametrize("qty", ["", "-1", "1.5", "abc", "99999999999999999999", "<b>1</b>", "1\x00", "١٢٣" * 9])
def test_a_count_that_is_no_number_is_a_sentence_beside_the_field(office, qty):
    refused = send(office.signed_in(), "/stock/milk/count", qty=qty)
    assert refused.status_code == 422
    assert "Enter a whole number" in words(refused)
    assert level(office, "milk").on_hand == 9


def test_full_width_digits_are_digits(office):
    assert send(office.signed_in(), "/stock/milk/count", qty="１２").status_code == 303
    assert level(office, "milk").on_hand == 12


@pytest.mark.parametrize("sku", ["nothing", "<script>", "x" * 3000])
def test_an_unknown_product_is_a_sentence(office, sku):
    client = office.signed_in()
    assert client.get(f"/products/{sku}").status_code == 404
    assert send(client, f"/stock/{sku}/count", qty="1").status_code == 404


@pytest.mark.parametrize(
    "query",
    ["q=%25_%27", "q=" + "x" * 2000, "show=nothing", "page=-1", "page=9999999", "q=%F0%9F%8D%8E", "q=%ff"],
)
def test_strange_addresses_are_answered_calmly(office, query):
    assert office.signed_in().get(f"/stock/?{query}").status_code == 200
    assert office.signed_in().get(f"/products/milk?{query}").status_code == 200


def test_names_are_text_never_marks(office):
    answer = office.signed_in().get("/stock/?q=soap")
    assert "Soap &lt;b&gt;" in answer.text
    assert "Soap <b>" not in answer.text


def test_a_cashier_may_look_but_not_count(office):
    client = office.signed_in("cashier")
    assert client.get("/stock/").status_code == 200
    assert "Count" not in words(client.get("/products/milk"))
    assert send(client, "/stock/milk/count", qty="1").status_code == 403
    assert level(office, "milk").on_hand == 9


def test_the_movements_of_a_product_are_told_in_words(office):
    client = office.signed_in()
    send(client, "/stock/milk/count", qty="7")
    found = words(client.get("/products/milk"))
    assert "Opening stock" in found
    assert "Stock count" in found
