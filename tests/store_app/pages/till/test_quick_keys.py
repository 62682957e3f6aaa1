"""How a shopkeeper arranges the till's keys on the page, without any script."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from config.nodes.journal import Actor, Context
from pos.catalogue import quick_keys
from pos.catalogue.quick_keys import Page
from tests.builders import GOODS, fill_catalogue
from tests.store_app.conftest import NOON, STORE, House, post

ADDRESS = "/quick-keys/"


@pytest.fixture
def store(house: House) -> House:
    """Give a store whose five products have keys."""
    with house.doors.write() as session:
        fill_catalogue(Context(session, Actor("w", "Wei", "shopkeeper", STORE), NOON), STORE, GOODS)
    return house


def pages(house: House) -> list[Page]:
    with house.doors.read() as session:
        return quick_keys.layout(session, STORE)


def places(house: House, page: int = 1) -> dict[int, str]:
    return {key.place: key.sku for key in pages(house)[page - 1].keys}


def send(client: FlaskClient, verb: str, **fields: Any) -> Any:
    return post(client, f"{ADDRESS}{verb}", **fields)


def test_only_who_keeps_the_catalogue_arranges_keys(store: House) -> None:
    assert store.signed_in("cashier").get(ADDRESS).status_code == 403
    assert store.signed_in("shopkeeper").get(ADDRESS).status_code == 200


def test_a_key_is_taken_up_by_its_link_and_put_down_by_a_button(store: House) -> None:
    client = store.signed_in()
    shown = client.get(ADDRESS).text
    assert 'href="/quick-keys/?page=1&amp;key=1-0"' in shown
    taken = client.get(f"{ADDRESS}?page=1&key=1-0").text
    assert 'name="from" value="1-0"' in taken
    assert '<button class="key-tile key-free key-target" name="to" value="1-9">' in taken
    assert send(client, "move", **{"from": "1-0", "to": "1-9"}).status_code == 303
    assert places(store)[9] == "milk"


def test_a_key_in_hand_goes_to_another_page(store: House) -> None:
    client = store.signed_in()
    assert 'name="to" value="3-5"' in client.get(f"{ADDRESS}?page=3&key=1-0").text
    assert send(client, "move", **{"from": "1-0", "to": "3-5"}).headers["Location"] == "/quick-keys/?page=3"
    assert send(client, "move", **{"from": "1-1", "to": "3-free"}).status_code == 303
    assert places(store, 3) == {5: "milk", 0: "bread"}


def test_an_empty_place_is_filled_by_name(store: House) -> None:
    client = store.signed_in()
    found = client.get(f"{ADDRESS}?page=2&free=7&q=green").text
    assert "Green tea" in found
    assert "Put here" in found
    assert send(client, "put", sku="tea", page=2, free=7).status_code == 303
    assert places(store, 2) == {7: "tea"}
    assert "No product matches" in client.get(f"{ADDRESS}?q=zebra").text


def test_a_key_gets_a_label_a_colour_and_goes(store: House) -> None:
    client = store.signed_in()
    assert send(client, "change", key="1-0", label="Milk", colour="sky").status_code == 303
    shown = client.get(ADDRESS).text
    assert re.search(r'colour-sky"[^>]*><b class="key-label">Milk</b><span class="key-name">Whole milk 1 l', shown)
    assert send(client, "remove", key="1-0").status_code == 303
    assert 0 not in places(store)


def test_a_page_gets_a_name(store: House) -> None:
    client = store.signed_in()
    assert send(client, "name", page=2, name="Fruit").status_code == 303
    assert "Fruit" in client.get(ADDRESS).text


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("move", {"from": "1-0", "to": ""}),
        ("move", {"from": "9-9", "to": "1-1"}),
        ("move", {"from": "1-0", "to": "1-99"}),
        ("move", {"from": "1-20", "to": "1-1"}),
        ("put", {"sku": "nothing", "page": 1}),
        ("put", {"sku": "", "page": 1}),
        ("put", {"sku": "milk", "page": 9}),
        ("put", {"sku": "milk", "page": 2, "free": "x"}),
        ("put", {"sku": "milk", "page": 1, "free": 1}),
        ("change", {"key": "1-0", "label": "x" * 99, "colour": "sky"}),
        ("change", {"key": "1-0", "label": "", "colour": "pink"}),
        ("change", {"key": "٣-0", "label": "", "colour": "sky"}),
        ("remove", {"key": "<script>"}),
        ("name", {"page": 1, "name": "x" * 99}),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page(store: House, verb: str, fields: dict[str, Any]) -> None:
    answer = send(store.signed_in(), verb, **fields)
    assert answer.status_code in (404, 409, 422)
    assert 'class="note note-bad"' in answer.text
    assert "key-grid" in answer.text


@pytest.mark.parametrize(
    "query", ["page=0", "page=99", "page=x", "key=1-99", "key=x", "free=99", "free=-1", "q=%00%FF%22<b>", "page=٣"]
)
def test_an_odd_address_shows_the_page_or_a_refusal(store: House, query: str) -> None:
    assert store.signed_in().get(f"{ADDRESS}?{query}").status_code in (200, 400)
