"""The search over everything, and More: what is in use, what waits, and nothing a person may not open."""

import re

import pytest

from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue.catalogue import Listing
from pos.customers import customers
from pos.customers.customers import Particulars
from pos.payments.vouchers import Voucher
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.store.store import store_of
from pos.till import shift
from store_app.pages.store.more import PLACES
from store_app.web.security import rule_of
from supply.demand.campaign_uplift import CampaignAsk
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, fill, proposal

LINK = re.compile(r'<li><a href="([^"]+)">')


@pytest.fixture
def office(build):
    house = build(network_url="https://network.example", printer="paper")
    fill(house)
    return house


def hits(client, text, language="en"):
    answer = client.get("/search/", query_string={"q": text, "lang": language}, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "<main" not in answer.text, "a script is given the results alone"
    return LINK.findall(answer.text)


@pytest.mark.parametrize(
    ("language", "text", "there"),
    [
        ("en", "printer", "/settings/printers/"), ("zh", "打印机", "/settings/printers/"),
        ("zh", "dayinji", "/settings/printers/"),
        ("zh", "printer", "/settings/printers/"), ("en", "打印机", "/settings/printers/"),
        ("es", "impresora", "/settings/printers/"), ("de", "Drucker", "/settings/printers/"),
        ("en", "MILK", "/products/milk"), ("en", "whole mil", "/products/milk"), ("zh", "绿茶", "/products/tea"),
        ("en", "4006381333931", "/products/milk"),
        ("en", "refund", "/till/"), ("zh", "退款", "/till/"),
        ("en", "yesterday", "/today/"), ("en", "staff", "/people/"), ("en", "shopkeeper", "/people/shopkeeper"),
        ("en", "auto-lock", "/settings/#lock-title"), ("en", "stock take", "/stock/takes/"),
    ],
)  # fmt: skip
def test_what_a_person_calls_a_thing_leads_to_it(office, language, text, there):
    assert there in hits(office.signed_in(), text, language)


def test_of_products_that_fit_alike_those_on_the_quick_keys_come_first(office):
    keeper = office.signed_in()
    assert [hit for hit in hits(keeper, "drinks") if hit.startswith("/products/")] == [
        "/products/beer",
        "/products/tea",
    ]
    with office.doors.write() as session:
        session.get_one(Listing, (STORE, "tea")).quick_key = 0
    assert [hit for hit in hits(keeper, "drinks") if hit.startswith("/products/")] == [
        "/products/tea",
        "/products/beer",
    ]


def test_a_customer_a_receipt_an_order_and_a_pickup_are_found_by_name_and_number(office):
    with office.doors.write() as session:
        rosa = customers.add(
            Context(session, SYSTEM, NOON), store_of(session, STORE), new_id(), Particulars(name="Rosa Lind")
        )
        proposal(session)
        shift.open_shift(Context(session, SYSTEM, NOON), STORE, "1", 0)
        priced = sale.quote(session, STORE, [("milk", 2)], at=NOON).basket.total_minor
        request = SaleRequest(
            new_id(), STORE, "1", lines=[("milk", 2)], tenders=[("cash", priced)], shown_total_minor=priced
        )
        sold = sale.complete(Context(session, SYSTEM, NOON), request)
    client = office.signed_in()
    assert f"/customers/{rosa.id}" in hits(client, "Rosa")
    assert f"/money/receipts/{sold.sale.id}" in hits(client, f"receipt {sold.sale.receipt_no}")
    assert "/orders/order-P1" in hits(client, "7")
    assert hits(client, "xyzzy") == []


def test_each_place_asks_the_permission_that_its_page_asks(office):
    assert {(one.endpoint, one.permission) for one in PLACES} == {
        (one.endpoint, rule_of(office.app, one.endpoint)) for one in PLACES
    }


@pytest.mark.parametrize("role", ["cashier", "supervisor", "shopkeeper"])
def test_every_hit_opens_for_who_asked(office, role):
    client = office.signed_in(role)
    found = {there for letter in "aeiouy1" for there in hits(client, letter)}
    assert len(found) > 10
    assert {there: client.get(there).status_code for there in found} == dict.fromkeys(found, 200)


def test_a_cashier_finds_neither_people_nor_prices_nor_orders(office):
    client = office.signed_in("cashier")
    assert [
        there for text in ("people", "taxes", "printers", "change prices", "suppliers") for there in hits(client, text)
    ] == []


def test_a_store_on_its_own_finds_nothing_of_a_network(build, office):
    member = office.signed_in()
    assert hits(member, "group buys")
    assert hits(member, "network support")
    own = build(printer="paper")
    fill(own)
    assert hits(own.signed_in(), "group buys") == hits(own.signed_in(), "network support") == []


def test_more_folds_away_what_the_store_does_not_use_and_counts_what_waits(office):
    client = office.signed_in()
    used, _, unused = client.get("/more/").text.partition("Not in use yet")
    assert 'href="/vouchers/"' not in used
    assert 'href="/vouchers/"' in unused
    assert 'href="/customers/"' in used
    with office.doors.write() as session:
        session.add(Voucher(
            store_id=STORE, mark="a-mark", kind="gift", amount_minor=500, balance_minor=500, expires_on=None,
            sale_id="sale-1", issued_at=NOON, issued_by="ana",
        ))  # fmt: skip
        session.add(CampaignAsk(
            store_id=STORE, campaign_id="spring", name="Spring", why="", from_day=NOON.date(), until_day=NOON.date(),
            answer_by=NOON.date(), lines=[], fee_minor=0, state="asked",
        ))  # fmt: skip
    page = client.get("/more/").text
    used, _, unused = page.partition("Not in use yet")
    assert 'href="/vouchers/"' in used
    assert 'href="/vouchers/"' not in unused
    assert re.search(r'href="/campaigns/".*?waiting.*?1</span></a></li>', page, re.DOTALL)
