"""What the till's page gets for a scan, a look-up, a weighing; and how it learns that keys or labels changed."""

import dataclasses
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue, offers, own_labels, quick_keys, scan
from pos.pricing.promises import Choice, Offer, Part
from pos.stock import stock
from pos.till import scale
from store_app.runtime.doors import Doors
from store_app.words.promotions import badge
from tests.builders import GOODS, fill_catalogue
from tests.store_app.conftest import NOON, STORE, House, token

WEI = Actor("shopkeeper", "Wei", "shopkeeper", STORE)
WEIGHT = "21{item:5}{weight:5}"
LABEL = "2112345003122"


@pytest.fixture
def counter(build: Callable[..., House]) -> House:
    """Give a store with goods, a practice scale and one way to read its labels."""
    made = build(scale="practice")
    with made.doors.write() as session:
        fill_catalogue(Context(session, WEI, NOON), STORE, GOODS)
        scan.add_scheme(Context(session, WEI, NOON), STORE, "", WEIGHT)
        session.flush()
        catalogue.add_code(session, "cheese", "12345", 1)
    return made


def get(client: FlaskClient, address: str) -> Any:
    return client.get("/api" + address)


def change(doors: Doors, verb: Any, *given: Any, **wishes: Any) -> None:
    with doors.write() as session:
        verb(Context(session, WEI, NOON), STORE, *given, **wishes)


def test_a_scan_answers_what_the_label_says(counter: House) -> None:
    client = counter.signed_in("cashier")
    weighed = get(client, f"/scan/{LABEL}").json
    assert (weighed["product"]["sku"], weighed["qty"], weighed["source"]) == ("cheese", 312, "embedded")
    gs1 = get(client, "/scan/" + quote("]d201040063813339311726122410L7\x1d", safe="")).json
    assert (gs1["batch"], gs1["expires_on"], gs1["source"]) == ("L7", "2026-12-24", "gs1")
    address = quote("https://id.gs1.org/01/04006381333931/10/L7", safe="")
    assert get(client, f"/scan/{address}").json["batch"] == "L7"


@pytest.mark.parametrize("code", ["2112345003123", "nothing", "%5Dd2", "1" * 500, "%01%02", "(01)04006381333932"])
def test_a_scan_nobody_understands_is_a_sentence(counter: House, code: str) -> None:
    answer = get(counter.signed_in("cashier"), f"/scan/{code}")
    assert answer.status_code in (404, 422)
    assert answer.json["error"]["message"].endswith(".")


def test_the_catalogue_carries_keys_schemes_tares_and_whether_there_is_a_scale(counter: House) -> None:
    content = get(counter.signed_in("cashier"), "/catalogue").json
    assert [key["sku"] for key in content["keys"][0]["keys"]] == ["milk", "bread", "tea", "wine", "cheese"]
    assert content["schemes"] == [
        {
            "kind": "weight",
            "fixed": "21...........",
            "step": 1,
            "upc": False,
            "fields": [
                {"kind": "item", "start": 2, "width": 5},
                {"kind": "weight", "start": 7, "width": 5},
            ],
        }
    ]
    assert (content["tares"], content["scale"]) == ({}, True)


def test_a_till_hears_of_every_change_to_keys_labels_and_tares(counter: House) -> None:
    client = counter.signed_in("cashier")
    tag = get(client, "/catalogue").headers["ETag"]
    for verb, given, wishes in (
        (quick_keys.change, ((1, 0),), {"label": "Milch", "colour": "sky"}),
        (quick_keys.move, ((1, 0), 1, 1), {}),
        (scan.add_scheme, ("", "22{item:5}{price:5}"), {}),
        (scale.set_tare, ("cheese", 12), {}),
        (scale.set_tare, ("cheese", 13), {}),
    ):
        change(counter.doors, verb, *given, **wishes)
        answer = client.get("/api/catalogue", headers={"If-None-Match": tag})
        assert answer.status_code == 200, verb
        tag = answer.headers["ETag"]
    assert client.get("/api/catalogue", headers={"If-None-Match": tag}).status_code == 304


def lay(client: FlaskClient, **said: Any) -> Any:
    return client.post("/api/scale/practice", json=said, headers={"X-CSRF-Token": token(client)})


def test_the_scale_is_asked_and_its_tare_taken_off(counter: House) -> None:
    client = counter.signed_in("cashier")
    assert get(client, "/scale").json["error"]["code"] == "scale-empty"
    assert lay(client, grams=312).status_code == 200
    assert get(client, "/scale").json == {"grams": 312, "qty": 312, "stable": True, "tare_grams": 0, "unit": "gram"}
    change(counter.doors, scale.set_tare, "cheese", 12)
    assert get(client, "/scale?sku=cheese").json["grams"] == 300
    assert get(client, "/scale?sku=cheese&tare_grams=5").json["grams"] == 307
    assert get(client, "/scale?tare_grams=400").json["error"]["code"] == "tare-heavier"


def test_a_moving_scale_sells_nothing_but_can_be_watched(counter: House) -> None:
    client = counter.signed_in("cashier")
    lay(client, grams=312, stable=False)
    refused = get(client, "/scale")
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "scale-moving")
    assert get(client, "/scale?live=1").json["stable"] is False


def test_a_till_without_a_scale_and_a_real_scale_refuse(build: Callable[..., House]) -> None:
    client = build().signed_in("cashier")
    assert get(client, "/scale").json["error"]["code"] == "no-scale"
    assert lay(client, grams=1).status_code == 404


def test_a_real_scale_is_no_toy_and_says_when_it_is_silent(build: Callable[..., House], tmp_path: Any) -> None:
    client = build(scale=f"T1=toledo:{tmp_path / 'none'}").signed_in("cashier")
    assert get(client, "/scale").status_code == 404
    silent = get(client, "/scale?till_id=T1")
    assert (silent.status_code, silent.json["error"]["code"]) == (503, "scale-silent")
    laid = client.post("/api/scale/practice?till_id=T1", json={"grams": 1}, headers={"X-CSRF-Token": token(client)})
    assert laid.json["error"]["code"] == "real-scale"


@pytest.mark.parametrize("body", [{"grams": -1}, {"grams": "1"}, {"grams": 10**9}, {}, {"grams": 1, "fault": "x"}])
def test_the_practice_scale_takes_whole_grams_only(counter: House, body: dict[str, Any]) -> None:
    assert lay(counter.signed_in("cashier"), **body).status_code == 422


def test_a_look_up_says_price_stock_and_place_and_sells_nothing(counter: House) -> None:
    with counter.doors.write() as session:
        stock.open_stock(Context(session, WEI, NOON), STORE, [("milk", 7)], source_id="opening")
    client = counter.signed_in("cashier")
    found = get(client, "/look-up/4006381333931").json
    assert (found["product"]["price_minor"], found["available"], found["qty"]) == (129, 7, 1)
    assert sum(place["qty"] for place in found["places"]) == 7
    assert all(place["words"] for place in found["places"])
    assert found["offers"] == []
    label = own_labels.build(own_labels.scheme(WEIGHT), 12345, 250)
    assert get(client, f"/look-up/{label}").json["qty"] == 250
    assert get(client, "/look-up/none").status_code == 404


def test_a_look_up_names_the_offers_that_hold_now(counter: House) -> None:
    milk = Offer("", "Milk at breakfast", "percent", (Part(Choice(skus=frozenset({"milk"}))),), percent_bp=1000)
    later = dataclasses.replace(milk, name="Milk at night", from_minute=23 * 60, until_minute=24 * 60 - 1)
    tea = dataclasses.replace(milk, name="Tea time", parts=(Part(Choice(skus=frozenset({"tea"}))),))
    with counter.doors.write() as session:
        for one, offer in enumerate((milk, later, tea)):
            offers.make(Context(session, WEI, NOON), STORE, dataclasses.replace(offer, id=f"offer-{one}"))
    assert get(counter.signed_in("cashier"), "/look-up/4006381333931").json["offers"] == ["Milk at breakfast"]


def test_the_catalogue_names_on_a_product_the_promotion_everybody_gets_with_it_now(counter: House) -> None:
    milk, tea, wine = (Part(Choice(skus=frozenset({sku}))) for sku in ("milk", "tea", "wine"))
    three = Offer("offer-1", "Three", "nth", (milk,), percent_bp=10_000, size=3)
    told = [
        three,
        Offer("offer-2", "Night", "percent", (tea,), percent_bp=2000, from_minute=23 * 60, until_minute=24 * 60 - 1),
        Offer("offer-3", "Members", "percent", (wine,), percent_bp=1000, members_only=True),
        Offer("offer-4", "Basket", "basket_percent", (Part(Choice(everything=True)),), percent_bp=500),
    ]

    def badges() -> dict[str, str]:
        content = get(counter.signed_in("cashier"), "/catalogue").json
        place = content["columns"].index("rest")
        rests = {row[0]: row[place] for row in content["rows"] if len(row) > place}
        return {sku: rest["badge"] for sku, rest in rests.items() if "badge" in rest}

    assert badges() == {}
    with counter.doors.write() as session:
        for offer in told:
            offers.make(Context(session, WEI, NOON), STORE, offer)
    assert badges() == {"milk": "3 for 2"}
    with counter.doors.write() as session:
        offers.end(Context(session, WEI, NOON), STORE, three.id)
    assert badges() == {}


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"kind": "percent", "percent_bp": 2000}, "−20%"),
        ({"kind": "amount", "amount_minor": 50}, "−$0.50"),
        ({"kind": "price", "amount_minor": 99}, "$0.99"),
        ({"kind": "nth", "percent_bp": 5000, "size": 2}, "1 of 2 −50%"),
        ({"kind": "pack_price", "amount_minor": 500, "size": 3}, "3 for $5.00"),
        ({"kind": "bundle", "amount_minor": 500}, "Bundle"),
    ],
)
def test_a_badge_is_a_few_words(counter: House, terms: dict[str, Any], words: str) -> None:
    offer = Offer("offer-1", "A long name of a promotion", parts=(Part(Choice(skus=frozenset({"milk"}))),), **terms)
    with counter.app.test_request_context():
        said = badge(offer)
    assert said == words
