"""A person's favorites follow the person: kept at the server, the till's page begins with them."""

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from pos.catalogue.favorites import MOST
from tests.store_app.conftest import House, token
from tests.store_app.office import fill


@pytest.fixture
def shop(build: Any) -> House:
    house = build()
    fill(house)
    return house


def signed_in(shop: House, role: str) -> FlaskClient:
    client = shop.signed_in(role)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
    return client


def shown(client: FlaskClient) -> list[str]:
    found = re.search(r'id="till-settings">(.*?)</script>', client.get("/till/").text)
    assert found
    return list(json.loads(found[1])["favorites"])


def test_each_person_has_their_own_wherever_they_sign_in(shop: House):
    cashier, keeper = signed_in(shop, "cashier"), signed_in(shop, "shopkeeper")
    answer = cashier.post("/api/favorites", json={"skus": ["milk", "gone", "milk"]})
    assert answer.json == {"skus": ["milk"]}
    assert (shown(signed_in(shop, "cashier")), shown(keeper)) == (["milk"], [])
    assert cashier.post("/api/favorites", json={"skus": []}).json == {"skus": []}
    assert shown(cashier) == []


def test_too_many_are_refused_and_the_old_ones_stay(shop: House):
    cashier = signed_in(shop, "cashier")
    cashier.post("/api/favorites", json={"skus": ["milk"]})
    many = cashier.post("/api/favorites", json={"skus": [f"p{n}" for n in range(MOST + 1)]})
    assert (many.status_code, many.json["error"]["code"]) == (422, "too-many-favorites")
    assert shown(cashier) == ["milk"]
