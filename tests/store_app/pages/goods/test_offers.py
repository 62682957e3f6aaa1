"""The pages of offers: made step by step with an example, listed as sentences, ended, opened by coupons."""

import datetime as dt
import re
from dataclasses import replace

import pytest
import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from pos.catalogue import catalogue, offers
from pos.catalogue.catalogue import Listing, Product
from pos.catalogue.offers import Coupon, StandingOffer
from pos.pricing.promises import Choice, Offer, Part
from store_app.sync.sender import effect_of_edition
from store_app.words.promotions import KINDS
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, goods, picture_of, send, send_seen, words

FREE = {"pick0": "sku:milk", "size": "3", "reduced": "1", "name": "Milk week"}


@pytest.fixture
def office(build):
    house = build()
    with house.doors.write() as session:
        goods(session)
    return house


def rows(house):
    with house.doors.read() as session:
        return list(session.scalars(sa.select(StandingOffer)))


def make(house, kind="free", **fields):
    answer = send(house.signed_in(), f"/offers/new/{kind}", **{**FREE, "do": "save"} | fields)
    assert answer.status_code == 303, words(answer)
    return rows(house)[-1]


def test_the_list_says_what_it_will_be_and_offers_the_first_step(office):
    assert "No promotions yet" in words(office.signed_in().get("/offers/"))


def test_only_who_may_make_offers_sees_them(office):
    for address in ("/offers/", "/offers/new", "/offers/new/percent"):
        assert office.signed_in("cashier").get(address).status_code == 403


def test_every_kind_has_its_form(office):
    client = office.signed_in()
    choices = client.get("/offers/new").text
    for kind in KINDS:
        assert f"/offers/new/{kind.key}" in choices
        assert "Which products?" in words(client.get(f"/offers/new/{kind.key}"))


@pytest.mark.parametrize(
    ("kind", "fields", "sentence"),
    [
        ("percent", {"pick0": "category:Drinks", "percent": "12.5"}, "12.5% off: Drinks"),
        ("amount", {"amount": "0.50"}, "$0.50 off each: Whole milk"),
        ("price", {"amount": "0,99", "members": "1"}, "$0.99 each: Whole milk, for members"),
        ("free", {}, "Every third item free: Whole milk"),
        ("free", {"size": "5", "reduced": "2"}, "5 for the price of 3: Whole milk"),
        ("nth", {"size": "2", "percent": "50"}, "Every second item 50% off: Whole milk"),
        ("pack_price", {"amount": "3"}, "Any 3 for $3.00: Whole milk"),
        ("bundle", {"pick1": "sku:bread", "part_qty1": "2", "amount": "4"},
         "Whole milk + 2 × Rye bread together for $4.00"),
        ("together", {"pick1": "sku:bread", "off1": "100"}, "Whole milk + Rye bread free"),
        ("soon", {"pick0": "all:", "percent": "30", "expires_within_days": "2"},
         "30% off: everything, expiring within 2 days"),
        ("basket_percent", {"pick0": "all:", "percent": "5", "minimum": "30"},
         "5% off the basket when you spend $30.00 or more"),
        ("basket_amount", {"pick0": "all:", "amount": "5", "stackable": "1"},
         "$5.00 off the basket, combines with other promotions"),
        ("free", {"until_day": "2026-03-08", "weekday": ["0", "4"], "from_time": "17:00", "until_time": "19:00"},
         "Every third item free: Whole milk, on Mon, Fri, from 5:00 PM to 7:00 PM, until Sun, Mar 8"),
    ],
)  # fmt: skip
def test_each_kind_is_saved_as_a_shopkeeper_says_it(office, kind, fields, sentence):
    row = make(office, kind, **fields)
    assert sentence in words(office.signed_in().get("/offers/")).replace("\u202f", " ")
    assert row.name == "Milk week"


def test_products_are_found_and_picked_step_by_step_and_nothing_is_kept_before_it_is_saved(office):
    client, before = office.signed_in(), picture_of(office)
    found = send(client, "/offers/new/percent", do="find:0", q0="mil", percent="20")
    assert 'value="add:0:sku:milk"' in found.text
    picked = send(client, "/offers/new/percent", do="add:0:sku:milk", q0="mil", percent="20")
    assert 'name="pick0" value="sku:milk"' in picked.text
    assert "20% off: Whole milk" in words(picked)
    dropped = send(client, "/offers/new/percent", do="drop:0:sku:milk", pick0="sku:milk", percent="20")
    assert 'name="pick0"' not in dropped.text
    category = send(client, "/offers/new/percent", do="find:0", q0="")
    assert 'value="add:0:category:Drinks"' in category.text
    assert picture_of(office) == before


def test_a_brand_is_not_found_by_what_a_category_of_its_name_is_called(office):
    with office.doors.write() as session:
        session.get_one(Product, "tea").brand = "Dairy"
        catalogue.name_category(Context(session, SYSTEM, NOON), "Dairy", {"es": "Lácteos"})
    found = send(office.signed_in(), "/offers/new/percent", do="find:0", q0="Lácteos", percent="20").text
    assert ("add:0:category:Dairy" in found, "add:0:brand:Dairy" in found) == (True, False)


def test_the_example_shows_what_a_customer_pays_and_warns_below_cost(office):
    with office.doors.write() as session:
        session.get(Listing, (STORE, "milk")).cost_minor = 100
    client = office.signed_in()
    shown = words(send(client, "/offers/new/free", **FREE, do="preview"))
    assert "3 × Whole milk saves $1.29 below cost" in shown
    assert "The customer pays $2.58" in shown
    dear = words(send(client, "/offers/new/price", **FREE, amount="1.50", do="preview"))
    assert "No saving: the promotion is no better than the" in dear


WRONG = (
    {"pick0": ""}, {"name": ""}, {"size": "1"}, {"size": "x"}, {"size": "13"}, {"reduced": "4"},
    {"until_day": "tomorrow"}, {"until_day": "2026-02-30"}, {"from_day": "2026-03-08", "until_day": "2026-03-01"},
    {"from_time": "17:00"}, {"from_time": "25:00", "until_time": "26:00"}, {"pick0": "sku:unicorn"},
    {"most_times": "0"}, {"pick0": "gift:x"}, {"name": "\x00\x01"},
)  # fmt: skip


def test_an_offer_that_cannot_be_is_a_sentence_and_what_was_typed_stays(office):
    client, before = office.signed_in(), picture_of(office)
    for wrong in WRONG:
        answer = send(client, "/offers/new/free", **FREE | {"until_day": "2026-03-09"} | wrong, do="save")
        assert answer.status_code in (404, 422), wrong
        assert 'role="alert"' in answer.text
        assert 'name="size"' in answer.text
    assert picture_of(office) == before


def test_a_double_click_makes_one_offer(office):
    client, command = office.signed_in(), new_id()
    for _ in range(2):
        assert send(client, "/offers/new/free", command_id=command, **FREE, do="save").status_code == 303
    assert len(rows(office)) == 1


def test_an_offer_is_changed_in_its_own_form_and_ended_early(office):
    row = make(office, until_day="2026-03-09", coupon="1", most_times="2")
    client = office.signed_in()
    shown = client.get(f"/offers/{row.id}/change").text
    for value in ('value="sku:milk"', 'value="Milk week"', 'value="2026-03-09"', 'name="coupon" value="1" checked'):
        assert value in shown
    changed = send(client, f"/offers/{row.id}/change", **FREE | {"size": "4", "do": "save"})
    assert changed.status_code == 303
    assert "Every fourth item free" in words(client.get("/offers/"))
    for _ in range(2):
        assert send(client, f"/offers/{row.id}/end").status_code == 303
    with office.doors.read() as session:
        assert not offers.live(session, STORE, NOON.date())
    assert send(client, f"/offers/{row.id}/change", **FREE, do="save").status_code == 409


def test_codes_are_made_one_own_or_many_random(office):
    row = make(office, coupon="1")
    client = office.signed_in()
    assert "No one can use this promotion yet. Create a" in words(client.get(f"/offers/{row.id}"))
    assert send(client, f"/offers/{row.id}/coupons", code="spring-26").status_code == 303
    assert send(client, f"/offers/{row.id}/coupons", count="20", most_uses="1").status_code == 303
    page = words(client.get(f"/offers/{row.id}"))
    assert "21 codes" in page
    assert "SPRING26" in page
    with office.doors.read() as session:
        limits = session.scalars(sa.select(Coupon.most_uses)).all()
    assert sorted(map(str, limits)) == ["1"] * 20 + ["None"]
    for wrong in (
        {"code": "SPRING26"},
        {"code": "x"},
        {"count": "0"},
        {"count": "many"},
        {"code": "A12", "most_uses": "0"},
    ):
        answer = send(client, f"/offers/{row.id}/coupons", **wrong)
        assert answer.status_code in (409, 422)
        assert 'role="alert"' in answer.text


def test_the_networks_offer_is_shown_but_not_ended_here(office):
    shared = Offer(new_id(), "Everywhere", "percent", (Part(Choice(everything=True)),), percent_bp=500)
    with office.doors.write() as session:
        offers.make(Context(session, SYSTEM, NOON), EVERYONE, shared)
    client = office.signed_in()
    assert "from the network" in words(client.get("/offers/"))
    assert "s promotion and runs in all its stores. Only" in words(client.get(f"/offers/{shared.id}"))
    assert send(client, f"/offers/{shared.id}/end").status_code == 409


def test_a_markdown_is_shown_and_ended_not_changed(office):
    with office.doors.write() as session:
        row = offers.mark_down(
            Context(session, SYSTEM, NOON),
            STORE,
            "milk",
            expires_on=NOON.date() + dt.timedelta(days=1),
            percent_bp=3000,
        )
    client = office.signed_in()
    assert "30% off: Whole milk, expiring on Tue, Mar 3" in words(client.get(f"/offers/{row.id}"))
    assert client.get(f"/offers/{row.id}/change").status_code == 409
    assert send(client, f"/offers/{row.id}/end").status_code == 303


@pytest.mark.parametrize("address", ["/offers/new/gift", "/offers/nothing-here", "/offers/nothing-here/change"])
def test_what_there_is_not_is_not_found(office, address):
    assert office.signed_in().get(address).status_code == 404


def test_a_script_gets_the_form_alone(office):
    client = office.signed_in()
    token = re.search(r'name="csrf-token" content="([^"]+)"', client.get("/signin").text)
    assert token
    fields = {"csrf_token": token[1], "command_id": new_id(), "do": "preview", **FREE}
    answer = client.post("/offers/new/free", data=fields, headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith("<form")


def test_the_network_makes_offers_for_all_its_shops(network):
    with network.doors.write() as session:
        goods(session)
    client = network.signed_in("operator")
    found = send(client, "/offers/new/free", **FREE, do="find:0", q0="mil")
    assert 'value="add:0:sku:milk"' not in found.text  # it is picked already
    assert "The customer pays $2.58" in words(found)
    unseen = send(client, "/offers/new/free", **FREE, goal="surplus", do="save")
    assert (unseen.status_code, rows(network)) == (200, []), "first it is shown what to expect"
    assert send_seen(client, "/offers/new/free", **FREE, goal="surplus", do="save").status_code == 303
    assert [(row.owner_id, row.goal) for row in rows(network)] == [(EVERYONE, "surplus")]
    page = words(client.get("/offers/", follow_redirects=True))
    assert "Milk week Customer promotion Clear surplus stock active" in page
    assert "Every third item free: Whole milk" in words(client.get(f"/offers/{rows(network)[0].id}"))


def test_the_networks_offers_reach_the_shops_with_their_codes(network, build):
    with network.doors.write() as session:
        goods(session)
        shared = Offer(new_id(), "All", "percent", (Part(Choice(everything=True)),), percent_bp=500, codes=frozenset())
        offers.make(Context(session, SYSTEM, NOON), EVERYONE, shared)
        offers.make_coupons(Context(session, SYSTEM, NOON), EVERYONE, shared.id, codes=["TOGETHER"], most_uses=None)
        body = offers.edition(session)
    store = build()
    with store.doors.write() as session:
        effect_of_edition("offers", "", NOON)(session, body)
    with store.doors.read() as session:
        (live,) = offers.live(session, STORE, NOON.date())
    assert live == replace(shared, codes=frozenset({"TOGETHER"}))
