"""The interface for partners: what a key opens, lists and their changes, limits, and the document's promises."""

import datetime as dt
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import sqlalchemy as sa
from flask.testing import FlaskClient
from schemathesis import openapi

from config.nodes.journal import Context, JournalHead
from config.nodes.node import new_epoch
from pos.catalogue import assortment, edition
from pos.customers import customers
from pos.customers.customers import Particulars
from pos.store import partner_keys
from pos.store.partner_keys import SCOPES, PartnerKey
from pos.store.permissions import Limit
from pos.store.store import store_of
from store_app.api.document import describe
from store_app.api.v1.resources import RESOURCES
from store_app.sync.sender import effect_of_edition
from store_app.web.pace import MINUTE_S, Pace
from supply.receiving import receiving
from tests.store_app import office
from tests.store_app.api.test_document import CHECKS, MANY, ask_often
from tests.store_app.api.test_hostile import BODIES
from tests.store_app.conftest import NOON, STORE, House, token
from tests.store_app.office import GOODS, SYSTEM, send, words

ALL = [row.name for row in RESOURCES]


@pytest.fixture
def shop(house: House) -> House:
    """Give a store with products, an order, a delivery and a sale."""
    office.fill(house)
    with house.doors.write() as session:
        office.proposal(session)
    client = house.signed_in()
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
    assert client.post("/api/shifts", json={"till_id": "1", "float_minor": 5000}).status_code == 201
    assert client.post("/api/sales", json=BODIES["/api/sales"]).status_code == 201
    with house.doors.write() as session:
        for name, agreed in (("Ruth Lee", {"phone", "partners"}), ("Paul Kerr", {"phone"})):
            wished = Particulars(name, "+1 555 0100 200", "en", frozenset(agreed))
            customers.add(ctx(house, session), store_of(session, STORE), f"customer-{name[:4]}", wished)
    return house


def ctx(house: House, session: Any) -> Context:
    return Context(session, SYSTEM, house.clock.now())


def key_of(house: House, *scopes: str, id: str = "partner-1", days: int = 30) -> str:
    with house.doors.write() as session:
        return partner_keys.make(ctx(house, session), STORE, id, "Books Ltd", scopes or SCOPES, days)


def partner(house: House, key: str) -> FlaskClient:
    client = house.visitor()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


def pages(client: FlaskClient, name: str, cursor: str = "", limit: int = 2) -> Iterator[dict[str, Any]]:
    """Yield the parts of a list until nothing more is there."""
    while True:
        answer = client.get(f"/api/v1/{name}", query_string={"cursor": cursor, "limit": limit})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.get_json()
        yield found
        cursor = found["cursor"]
        if not found["more"]:
            return


def entries(house: House) -> int:
    with house.doors.read() as session:
        return session.scalar(sa.select(JournalHead.n).where(JournalHead.node_id == STORE)) or 0


def test_a_key_is_shown_once_kept_as_a_hash_and_revoked_on_the_page(house: House):
    client = house.signed_in()
    asked = {"name": "Books Ltd", "scope": ["sales:read", "products:read"], "days": "90", "command_id": "key-0001"}
    answer = send(client, "/partners/keys", **asked)
    key = answer.text.split("csk_")[1].split("<")[0]
    assert key not in client.get("/partners/").text
    with house.doors.read() as session:
        row = session.scalars(sa.select(PartnerKey)).one()
        assert (row.scopes, row.expires_at) == (["products:read", "sales:read"], NOON + dt.timedelta(days=90))
        assert key not in str(vars(row))
    program = partner(house, f"csk_{key}")
    assert program.get("/api/v1/sales").status_code == 200
    assert "Last used just now" in words(client.get("/partners/"))
    assert "shown only once" in words(send(client, "/partners/keys", **asked)), "a second click makes no second key"
    assert send(client, "/partners/keys/key-0001/revoke").status_code == 303
    refused = program.get("/api/v1/sales")
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (401, "key-revoked")


@pytest.mark.parametrize("wrong", [{"name": " "}, {"scope": []}, {"scope": ["all"]}, {"days": "7"}])
def test_a_key_without_a_name_a_scope_or_an_expiry_is_refused(house: House, wrong: dict[str, Any]):
    asked = {"name": "Books Ltd", "scope": ["sales:read"], "days": "30", "command_id": "key-0001"} | wrong
    assert send(house.signed_in(), "/partners/keys", **asked).status_code == 422
    with house.doors.read() as session:
        assert session.scalars(sa.select(PartnerKey)).all() == []


def test_a_forged_expired_or_narrow_key_gets_a_sentence_and_nothing_is_booked(shop: House):
    key, before = key_of(shop, "sales:read"), entries(shop)
    for given, status, code in (
        ("", 401, "unauthorized"), ("csk_forged", 401, "unauthorized"), (key[:-1], 401, "unauthorized"),
        (key, 403, "key-lacks-scope"),
    ):  # fmt: skip
        answer = partner(shop, given).get("/api/v1/products")
        assert (answer.status_code, answer.get_json()["error"]["code"]) == (status, code)
        assert answer.get_json()["error"]["message"].endswith(".")
    shop.clock.set(NOON + dt.timedelta(days=30))
    answer = partner(shop, key).get("/api/v1/sales")
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (401, "key-expired")
    assert entries(shop) == before
    with shop.doors.read() as session:
        assert session.scalars(sa.select(PartnerKey.used_at)).one() is None


def test_wrong_keys_are_bounded_and_a_good_one_goes_on(shop: House):
    shop.app.extensions["wrong_partner_keys"] = Pace(2, lambda: 10.0)
    found = [partner(shop, f"csk_{n}").get("/api/v1/sales").status_code for n in range(3)]
    assert found == [401, 401, 429]
    assert partner(shop, key_of(shop)).get("/api/v1/sales").status_code == 200


def test_the_limit_is_told_with_each_answer_and_kept(shop: House):
    shop.app.extensions["partner_pace"] = Pace(2, lambda: 10.0)
    client = partner(shop, key_of(shop))
    reset = MINUTE_S - 10
    for left, status in ((1, 200), (0, 200), (0, 429)):
        answer = client.get("/api/v1/sales")
        assert (answer.status_code, answer.headers["RateLimit"]) == (status, f'"minute";r={left};t={reset}')
        assert answer.headers["RateLimit-Policy"] == f'"minute";q=2;w={MINUTE_S}'
    assert answer.headers["Retry-After"] == str(reset)


@pytest.mark.parametrize("name", ALL)
def test_a_list_has_every_row_once_whatever_the_size_of_its_parts(shop: House, name: str):
    client = partner(shop, key_of(shop, f"{name}:read"))
    key = next(row.key for row in RESOURCES if row.name == name)
    found = [[row[key] for page in pages(client, name, limit=limit) for row in page["items"]] for limit in (1, 2, 500)]
    assert found[0] == found[1] == found[2] == sorted(set(found[0])) != []
    for one in found[0]:
        assert client.get(f"/api/v1/{name}/{one}").get_json()[key] == one
    assert client.get(f"/api/v1/{name}/no-such-row").status_code == 404


def sell(house: House, client: FlaskClient, n: int) -> None:
    body = BODIES["/api/sales"] | {"id": f"0190b3a2-0000-{n:04d}"}
    assert client.post("/api/sales", json=body).status_code == 201


def test_no_change_is_missed_by_who_reads_while_the_store_works(shop: House):
    """Read in parts of one while things change between the parts: what was read is in the end what is there."""
    client, till, chosen = partner(shop, key_of(shop)), shop.signed_in(), random.Random(30)
    till.environ_base["HTTP_X_CSRF_TOKEN"] = token(till)
    keys = {row.name: row.key for row in RESOURCES}
    known: dict[str, dict[str, Any]] = {name: {} for name in ALL}
    cursors = dict.fromkeys(ALL, "")

    def read_on(name: str) -> bool:
        page = client.get(f"/api/v1/{name}", query_string={"cursor": cursors[name], "limit": 1}).get_json()
        cursors[name] = page["cursor"]
        known[name].update({row[keys[name]]: row for row in page["items"]})
        return bool(page["more"])

    def change(n: int) -> None:
        with shop.doors.write() as session:
            here, day = ctx(shop, session), NOON.date() + dt.timedelta(days=n)
            assortment.set_price(here, STORE, chosen.choice(["milk", "tea"]), 100 + n, day, today=NOON.date())
            assortment.add_code(here, STORE, chosen.choice(["milk", "beer"]), f"CODE-{n}", 1)
        sell(shop, till, n)

    for n in range(1, 9):
        change(n)
        for name in ALL:
            read_on(name)
    with shop.doors.write() as session:
        receiving.begin_count(ctx(shop, session), STORE, "D1")
        receiving.post(ctx(shop, session), STORE, "D1")
    for name in ALL:
        while read_on(name):
            pass
        whole = {row[keys[name]]: row for page in pages(client, name, limit=500) for row in page["items"]}
        assert known[name] == whole
        assert not read_on(name), "nothing more to come"
    assert known["deliveries"]["D1"]["state"] == "posted"


@pytest.mark.parametrize("name", ALL)
def test_a_store_put_back_from_a_copy_begins_its_lists_again(shop: House, name: str):
    client = partner(shop, key_of(shop))
    (*_, last) = pages(client, name, limit=500)
    (same,) = pages(client, name, last["cursor"])
    assert same["items"] == []
    with shop.doors.write() as session:
        new_epoch(session)
    assert next(pages(client, name, last["cursor"]))["items"] != []


def test_what_an_edition_of_the_network_changes_comes_as_a_change(shop: House):
    client = partner(shop, key_of(shop))
    cursors = {name: [*pages(client, name)][-1]["cursor"] for name in ("products", "prices")}
    with shop.doors.read() as session:
        body = json.loads(json.dumps(edition.edition(session, STORE), default=str))
    assert [one["sku"] for one in body["products"]] == sorted(GOODS)
    next(one for one in body["products"] if one["sku"] == "milk")["brand"] = "Alp"
    body["prices"].append(["tea", "2026-04-01", 400])
    body["barcodes"].append(["SOAP-1", "soap", 1])
    body["products"] = [one for one in body["products"] if one["sku"] != "beer"]
    body["prices"] = [one for one in body["prices"] if one[0] != "beer"]
    with shop.doors.write() as session:
        effect_of_edition("catalogue", "", NOON)(session, body)
    for name, cursor in cursors.items():
        found = {row["sku"]: row for page in pages(client, name, cursor) for row in page["items"]}
        assert sorted(found) == ["beer", "milk", "soap", "tea"]
    assert found["tea"]["prices"][0] == {"from_day": "2026-04-01", "price_minor": 400, "own": False}


@pytest.mark.parametrize("cursor", ["x", "é", "W10", "bnVsbA", "W1tdLDEsMiwzXQ", "A" * 3000])
def test_what_is_no_cursor_is_refused_with_a_sentence(shop: House, cursor: str):
    answer = partner(shop, key_of(shop)).get("/api/v1/sales", query_string={"cursor": cursor})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "bad-cursor")


def test_a_cursor_of_another_list_is_refused(shop: House):
    client = partner(shop, key_of(shop))
    cursor = next(pages(client, "products"))["cursor"]
    assert client.get("/api/v1/prices", query_string={"cursor": cursor}).status_code == 422


def test_a_customer_is_told_with_a_yes_and_without_name_once_it_is_taken_back(shop: House):
    client = partner(shop, key_of(shop))
    *_, last = pages(client, "customers")
    (ruth,) = last["items"]
    assert (ruth["agrees"], ruth["name"], ruth["since"][:10]) == (True, "Ruth Lee", NOON.date().isoformat())
    assert ruth["phone"].endswith("100200")
    assert client.get("/api/v1/customers/customer-Paul").status_code == 404, "never agreed"
    nameless = {"id": "customer-Ruth", "agrees": False, "since": None, "name": "", "phone": "", "language": ""}
    for ends in (
        lambda ctx, store: customers.change(ctx, store, "customer-Ruth", Particulars("Ruth Lee", "+15550100200", "en",
                                                                                     frozenset({"phone"}))),
        lambda ctx, store: customers.erase(ctx, store, "customer-Ruth"),
    ):  # fmt: skip
        with shop.doors.write() as session:
            ends(ctx(shop, session), store_of(session, STORE))
        *_, changed = pages(client, "customers", last["cursor"])
        assert changed["items"] == [nameless]
        assert [row for page in pages(client, "customers") for row in page["items"]] == [nameless]


def test_no_event_tells_of_customers_for_what_was_posted_nobody_takes_back(shop: House):
    client = shop.signed_in()
    asked = {"url": "https://books.example/in", "resource": ["customers"], "command_id": "hook-0001"}
    answer = send(client, "/partners/webhooks", **asked)
    assert "Choose what the address receives." in words(answer)
    assert 'name="resource" value="customers"' not in client.get("/partners/").text


def test_the_question_is_asked_where_a_key_opens_customers(shop: House):
    client, asked = shop.signed_in(), 'name="agreed" value="partners"'
    form = "/customers/customer-Paul/change"
    assert asked not in client.get(form).text
    key_of(shop, "sales:read", id="partner-2")
    assert asked not in client.get(form).text
    key_of(shop, "customers:read")
    assert asked in client.get(form).text
    with shop.doors.write() as session:
        partner_keys.revoke(ctx(shop, session), STORE, "partner-1")
    assert asked not in client.get(form).text
    assert asked in client.get("/customers/customer-Ruth/change").text, "she can take it back"


def test_no_other_row_names_a_customer_a_cashier_or_a_cost(shop: House):
    client = partner(shop, key_of(shop))
    text = "".join(client.get(f"/api/v1/{name}").text for name in ALL if name not in ("orders", "customers"))
    assert "Ruth" not in text
    assert not [word for word in ("customer", "cashier", "shopkeeper", "cost") if word in text]


def broken_promises(shop: House, examples: int) -> Iterator[str]:
    """Ask everything with a key of each scope, and of all; yields each promise of the document that is broken."""
    shop.app.extensions["partner_pace"] = Pace(10**6)
    document = describe(shop.app, "/api/v1")
    schema = openapi.from_dict(document)
    schema.app = shop.app
    real = {"key": "milk"}
    given = [(scope,) for scope in SCOPES] + [SCOPES]
    keys = {scopes: key_of(shop, *scopes, id=f"partner-{n}") for n, scopes in enumerate(given)}
    for operation in [result.ok() for result in schema.get_all_operations()]:
        for scopes, key in keys.items():
            try:
                signs: dict[str, Any] = {"headers": {"Authorization": f"Bearer {key}"}}
                ask_often(operation.as_strategy(), real, signs, examples)
            except (AssertionError, BaseExceptionGroup) as broken:
                yield f"{scopes} {operation.label}: {broken}"


def test_what_the_document_promises_is_kept_for_every_scope(shop: House):
    assert schemathesis.checks.not_a_server_error in CHECKS
    assert list(broken_promises(shop, 4)) == []


@pytest.mark.faults
def test_what_the_document_promises_is_kept_for_every_scope_at_large(shop: House):
    assert list(broken_promises(shop, MANY)) == []


def test_every_answer_has_a_schema_in_the_document(shop: House):
    document = shop.visitor().get("/api/v1/openapi.json").get_json()
    lacking = [
        path for path, operations in document["paths"].items() for operation in operations.values()
        if "200" not in operation["responses"] and path != "/api/v1/openapi.json"
    ]  # fmt: skip
    assert lacking == []
    assert set(document["components"]["schemas"]) >= {"ProductsPage", "SaleOut", "Refusal"}


def test_nobody_opens_to_a_partner_what_they_may_not_do_themselves(house: House):
    with house.doors.write() as session:
        session.add(Limit(store_id=STORE, role="supervisor", discount_bp=0, allowed=["settings"], denied=["receive"]))
    client = house.signed_in("supervisor")
    for form, refused in (
        ({"scope": "stock:read"}, False),
        ({"scope": ["stock:read", "prices:write"]}, True),
        ({"scope": "deliveries:write"}, True),
    ):
        answer = send(client, "/partners/keys", name="Books Ltd", days="30", **form)
        assert ("can’t do this" in words(answer)) == refused, form
    assert "can’t do this" in words(send(client, "/partners/webhooks", url="https://x.example/", resource="sales"))
    shown = client.get("/partners/").text
    assert 'value="stock:read"' in shown
    assert "prices:write" not in shown
    with house.doors.read() as session:
        assert [row.scopes for row in session.scalars(sa.select(PartnerKey))] == [["stock:read"]]
