"""What partners write: by the house's verbs, once per name of a request, and nothing without the scope."""

import itertools
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from config.nodes.journal import JournalEntry
from pos.catalogue.catalogue import Price, Product
from pos.stock.ledger import StockMovement
from pos.store import partner_keys
from pos.store.partner_keys import PartnerRequest
from supply.orders.orders import OrderLine, ReplenishmentOrder
from tests.store_app.api.test_v1 import ctx, entries, key_of, partner, shop
from tests.store_app.conftest import NOON, STORE, House

__all__ = ["shop"]
JAM: dict[str, Any] = {
    "name": "Plum jam", "category": "Spreads", "tax_class_id": "food", "code": "2000000000077", "price_minor": 450,
    "cost_minor": 300, "minimum_age": None,
}  # fmt: skip
PRICE: dict[str, Any] = {"sku": "milk", "price_minor": 139, "from_day": "2026-03-05"}
WRITES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "products", JAM), ("POST", "prices", PRICE),
    ("PATCH", "orders/order-P1", {"lines": [{"sku": "milk", "packs": 3, "why": "party"}]}),
    ("POST", "deliveries/D1/receipt", {}),
]  # fmt: skip
"""One of each kind."""
_names = itertools.count()


def ask(client: FlaskClient, method: str, place: str, body: Any, name: str | None = None) -> Any:
    name = name if name is not None else f"request-{next(_names)}"
    return client.open(f"/api/v1/{place}", method=method, json=body, headers={"Idempotency-Key": name})


def count(house: House, noun: Any) -> int:
    with house.doors.read() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(noun)) or 0


@pytest.mark.parametrize(("method", "place", "body"), WRITES)
def test_a_request_sent_again_has_its_effect_once_and_the_same_answer(
    shop: House, method: str, place: str, body: dict[str, Any]
):
    client = partner(shop, key_of(shop))
    first = ask(client, method, place, body, "the-same-name")
    assert first.status_code == 200, first.text
    after = entries(shop)
    again = ask(client, method, place, body, "the-same-name")
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert entries(shop) == after
    changed = ask(client, method, place, _other(body), "the-same-name")
    assert (changed.status_code, changed.get_json()["error"]["code"]) == (422, "idempotency-key-reused")
    assert entries(shop) == after


def _other(body: dict[str, Any]) -> dict[str, Any]:
    """Return the same request with other content."""
    if "price_minor" in body:
        return body | {"price_minor": 1}
    return {"lines": []} if body else {"lines": [{"sku": "milk", "counted_qty": 24}]}


def test_a_name_belongs_to_its_key_and_is_forgotten_after_a_month(shop: House):
    for key_id in ("partner-1", "partner-2"):
        answer = ask(partner(shop, key_of(shop, id=key_id)), "POST", "prices", PRICE, "the-same-name")
        assert answer.status_code == 200
    assert count(shop, PartnerRequest) == 2
    with shop.doors.write() as session:
        partner_keys.forget(session, at=NOON + partner_keys.KEEP)
    assert count(shop, PartnerRequest) == 0


@pytest.mark.parametrize("name", ["", "short", "x" * 81, "naïve-name"])
def test_a_request_without_a_sound_name_is_refused(shop: House, name: str):
    client, before = partner(shop, key_of(shop)), entries(shop)
    answer = ask(client, "POST", "prices", PRICE, name)
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (422, "no-idempotency-key")
    assert entries(shop) == before


@pytest.mark.parametrize(("method", "place", "body"), WRITES)
def test_a_key_that_may_only_read_or_was_revoked_books_nothing(
    shop: House, method: str, place: str, body: dict[str, Any]
):
    reads = partner(shop, key_of(shop, *partner_keys.READ, id="reads-0001"))
    revoked = partner(shop, key_of(shop, id="ended-0001"))
    with shop.doors.write() as session:
        partner_keys.revoke(ctx(shop, session), STORE, "ended-0001")
    before = entries(shop)
    for client, status in ((reads, 403), (revoked, 401), (partner(shop, "csk_forged"), 401)):
        answer = ask(client, method, place, body)
        assert answer.status_code == status
        assert answer.get_json()["error"]["message"].endswith(".")
    assert (entries(shop), count(shop, PartnerRequest)) == (before, 0)


def test_a_product_is_added_priced_changed_and_journalled_under_the_partner_s_name(shop: House):
    client = partner(shop, key_of(shop))
    made = ask(client, "POST", "products", JAM).get_json()
    assert (made["own"], made["sold"], made["barcodes"]) == (True, True, [{"code": JAM["code"], "qty": 1}])
    details = {name: value for name, value in JAM.items() if name not in ("code", "price_minor", "cost_minor")}
    changed = ask(client, "PUT", f"products/{made['sku']}", details | {"name": "Plum jam, large"})
    assert changed.get_json()["name"] == "Plum jam, large"
    assert client.get(f"/api/v1/prices/{made['sku']}").get_json()["prices"][0]["price_minor"] == 450
    with shop.doors.read() as session:
        by = session.scalars(sa.select(JournalEntry.actor_name).where(JournalEntry.subject == f"product:{made['sku']}"))
        assert set(by) == {"Books Ltd"}


def test_the_house_s_rules_hold_for_a_partner_too(shop: House):
    client, before = partner(shop, key_of(shop)), entries(shop)
    for method, place, body, code in (
        ("PUT", "products/milk", {"name": "Mine", "category": "Dairy", "tax_class_id": "food"}, "network-product"),
        ("POST", "products", JAM | {"code": "4006381333931"}, "code-taken"),
        ("POST", "products", JAM | {"tax_class_id": "none"}, "unknown-tax-class"),
        ("POST", "prices", PRICE | {"from_day": "2026-03-01"}, "past-price"),
        ("POST", "prices", PRICE | {"sku": "none"}, "unknown-product"),
        ("PATCH", "orders/none", {}, "unknown-order"),
        ("PATCH", "orders/order-P1", {"then": "drop"}, "no-reason"),
        ("POST", "deliveries/D1/receipt", {"lines": [{"sku": "milk", "counted_qty": 1}]}, "no-reason"),
        ("POST", "deliveries/none/receipt", {}, "unknown-delivery"),
    ):  # fmt: skip
        answer = ask(client, method, place, body)
        assert answer.get_json().get("error", {}).get("code") == code, (place, answer.text)
    assert (entries(shop), count(shop, PartnerRequest)) == (before, 0)
    with shop.doors.read() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Product).where(Product.owner_id == STORE)) == 0
        assert session.scalar(sa.select(sa.func.count()).select_from(Price).where(Price.scope_id == STORE)) == 0


def test_an_order_is_changed_and_sent_or_dropped(shop: House):
    client = partner(shop, key_of(shop))
    body = {"lines": [{"sku": "milk", "packs": 5}, {"sku": "beer", "packs": 2}], "then": "send"}
    sent = ask(client, "PATCH", "orders/order-P1", body).get_json()
    assert (sent["state"], {line["sku"]: line["packs"] for line in sent["lines"]}) == (
        "sent", {"milk": 5, "bread": 2, "apple": 1, "beer": 2},
    )  # fmt: skip
    with shop.doors.read() as session:
        line = session.get_one(OrderLine, (STORE, "order-P1", "milk"))
        assert (line.changed_by, session.get_one(ReplenishmentOrder, (STORE, "order-P1")).sent_at) == (
            "Books Ltd",
            NOON,
        )
    refused = ask(client, "PATCH", "orders/order-P1", {"lines": [{"sku": "milk", "packs": 1}]})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "not-proposed")


def test_a_goods_receipt_books_what_was_counted(shop: House):
    client = partner(shop, key_of(shop))
    before = client.get("/api/v1/stock/milk").get_json()["on_hand"]
    lines = [{"sku": "milk", "counted_qty": 20, "why": "four broken", "batch": "B7", "expires_on": "2026-03-20"}]
    posted = ask(client, "POST", "deliveries/D1/receipt", {"lines": lines}).get_json()
    assert posted["state"] == "posted"
    assert {line["sku"]: line["counted_qty"] for line in posted["lines"]} == {"milk": 20, "bread": 10, "apple": 8000}
    assert client.get("/api/v1/stock/milk").get_json()["on_hand"] == before + 20
    moved = count(shop, StockMovement)
    refused = ask(client, "POST", "deliveries/D1/receipt", {"lines": lines})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "already-posted")
    assert count(shop, StockMovement) == moved
