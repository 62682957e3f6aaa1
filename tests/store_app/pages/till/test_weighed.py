"""How a shopkeeper says what labels mean, tries a code, and sets tares."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue, scan
from pos.till import scale
from tests.builders import GOODS, fill_catalogue
from tests.store_app.conftest import NOON, STORE, House, post

ADDRESS = "/weighed/"
WEIGHT = "21{item:5}{weight:5}"


@pytest.fixture
def store(build: Callable[..., House]) -> House:
    """Give a store with cheese of the number 12345 and a practice scale."""
    made = build(scale="practice")
    with made.doors.write() as session:
        fill_catalogue(Context(session, Actor("w", "Wei", "shopkeeper", STORE), NOON), STORE, GOODS)
        catalogue.add_code(session, "cheese", "12345", 1)
    return made


def patterns(house: House) -> list[str]:
    with house.doors.read() as session:
        return [row.pattern for row in scan.scheme_rows(session, STORE)]


def ids(house: House) -> list[str]:
    with house.doors.read() as session:
        return [row.id for row in scan.scheme_rows(session, STORE)]


def learn(client: FlaskClient, pattern: str, step: int = 1) -> Any:
    return post(client, f"{ADDRESS}schemes", pattern=pattern, step=step, name="")


def test_only_who_keeps_the_catalogue_enters(store: House) -> None:
    assert store.signed_in("cashier").get(ADDRESS).status_code == 403


def test_a_kind_of_label_is_chosen_shown_raised_and_removed(store: House) -> None:
    client = store.signed_in()
    assert WEIGHT in client.get(ADDRESS).text  # offered
    assert learn(client, WEIGHT).status_code == 303
    assert learn(client, "22{item:5}{check}{price:4}").status_code == 303
    shown = client.get(ADDRESS).text
    assert "2112345003122 means 312" in shown
    first, second = ids(store)
    assert post(client, f"{ADDRESS}schemes/{second}/raise").status_code == 303
    assert patterns(store) == ["22{item:5}{check}{price:4}", WEIGHT]
    assert post(client, f"{ADDRESS}schemes/{first}/remove").status_code == 303
    assert patterns(store) == ["22{item:5}{check}{price:4}"]


def test_a_code_is_tried_before_it_is_sold(store: House) -> None:
    client = store.signed_in()
    learn(client, WEIGHT)
    assert "Mountain cheese" in client.get(f"{ADDRESS}?code=2112345003122").text
    answer = client.get(f"{ADDRESS}try?code=2112345003122").text
    assert "312" in answer
    assert "a label of the store" in answer
    assert "<html" not in answer
    gs1 = client.get(f"{ADDRESS}try?code=(01)04006381333931(10)L7(17)261224").text
    assert "L7" in gs1
    assert "2026-12-24" in gs1
    assert "misread" in client.get(f"{ADDRESS}try?code=2112345003123").text


@pytest.mark.parametrize("code", ["<script>x</script>", "%FF%FE", "x" * 3000, "%1D%1D", "](*", "(01)", "http://x/01/1"])
def test_any_code_can_be_tried(store: House, code: str) -> None:
    for path in ("", "try"):
        answer = store.signed_in().get(f"{ADDRESS}{path}?code={code}")
        assert answer.status_code == 200
        assert "<script>x" not in answer.text


def test_a_tare_is_set_and_taken_away(store: House) -> None:
    client = store.signed_in()
    assert "Mountain cheese" in client.get(f"{ADDRESS}?q=cheese").text
    assert "No matching products are sold by weight" in client.get(f"{ADDRESS}?q=milk").text
    assert post(client, f"{ADDRESS}tares", sku="cheese", tare_grams=12).status_code == 303
    with store.doors.read() as session:
        assert scale.tares(session, STORE) == {"cheese": 12}
    assert 'value="12"' in client.get(ADDRESS).text


def test_the_practice_scale_is_laid_on_and_weighs(store: House) -> None:
    client = store.signed_in()
    assert post(client, f"{ADDRESS}practice", grams=312).status_code == 303
    assert "312" in client.get(f"{ADDRESS}?weigh=1").text


def test_a_silent_scale_and_none_are_said(build: Callable[..., House], tmp_path: Any) -> None:
    client = build(scale=f"toledo:{tmp_path / 'none'}").signed_in()
    assert "is not responding" in client.get(f"{ADDRESS}?weigh=1").text
    assert post(client, f"{ADDRESS}practice", grams=1).status_code == 409


def test_a_shop_without_a_scale_says_so(house: House) -> None:
    assert "No scale is connected" in house.signed_in().get(ADDRESS).text


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("schemes", {"pattern": "", "step": 1}),
        ("schemes", {"pattern": "40{item:5}{weight:5}", "step": 1}),
        ("schemes", {"pattern": "<b>", "step": 1}),
        ("schemes", {"pattern": WEIGHT, "step": 7}),
        ("schemes", {"pattern": WEIGHT, "step": "x"}),
        ("schemes/none/raise", {}),
        ("schemes/none/remove", {}),
        ("tares", {"sku": "cheese", "tare_grams": -1}),
        ("tares", {"sku": "milk", "tare_grams": 1}),
        ("tares", {"sku": "none", "tare_grams": 1}),
        ("practice", {"grams": "heavy"}),
        ("practice", {"grams": 10**9}),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page(store: House, path: str, fields: dict[str, Any]) -> None:
    answer = post(store.signed_in(), f"{ADDRESS}{path}", **fields)
    assert answer.status_code in (404, 409, 422)
    assert 'class="note note-bad"' in answer.text
