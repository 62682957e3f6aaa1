"""The online shop as a customer walks through it, served by the network, in both languages."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from config.clock import FrozenClock
from config.settings import Settings
from store_app import create_app
from tests.store_app.conftest import post
from tests.supply.online import AT, PRODUCTS, Town, make_town

SHOP = "/shop/harbour-7"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Give a shop whose offers have reached the network."""
    town = make_town(tmp_path)
    town.deliver()
    return town


@pytest.fixture
def customer(town: Town, tmp_path: Path) -> Iterator[FlaskClient]:
    """Give a browser in front of the network's node."""
    url = town.network.engine.url.render_as_string(hide_password=False)
    settings = Settings(
        role="network", node_id="network", state_folder=tmp_path / "state", practice=True, database_url=url
    )
    with create_app(settings, FrozenClock(AT)).test_client() as browser:
        yield browser


def order(customer: FlaskClient, **given: str) -> str:
    """Send the basket's form as the page shows it, with what the customer types; return the answer's words."""
    basket = customer.get(f"{SHOP}/basket").text
    address = re.search(r'<form[^>]+action="([^"]+/order)"', basket)
    assert address, basket
    hidden = dict(re.findall(r'name="(command_id|token|key)" value="([^"]+)"', basket))
    return str(post(customer, address[1], **hidden, **given).text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_shop_shows_its_goods_in_the_customers_language(customer: FlaskClient, language: str):
    answer = customer.get(f"{SHOP}/?lang={language}")
    assert answer.status_code == 200
    assert all(entry[0] in answer.text for entry in PRODUCTS.values())
    assert ("添加" in answer.text) is (language == "zh")


def test_a_bad_phone_number_is_refused_in_chinese_and_what_was_typed_stays(customer: FlaskClient):
    customer.get(f"{SHOP}/?lang=zh")
    post(customer, f"{SHOP}/p/milk")
    told = order(customer, name="小王", phone="abc")
    assert "请留电话号码" in told
    assert "小王" in told
